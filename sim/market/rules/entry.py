"""Step 9, entry: graduates enter the market; founders and those who left the field come back.

Graduates arrive at a rate that grows each year; those away return at a constant hazard. Both
weeks are drawn or set in advance. Source: MODEL step 9; rates fitted to headcounts (D). Weeks.
"""

from __future__ import annotations

import numpy as np

from sim.market import spells
from sim.market.state import OUTSIDE, Market


def enter(market: Market) -> None:
    """Put those whose week has come into the pool outside the labs, where labs find them."""
    people = market.researchers
    rows = np.flatnonzero(people.exit_week == market.week)
    rows = rows[people.place[rows] < OUTSIDE]
    if not len(rows):
        return
    zero = np.zeros(len(rows), np.int64)
    spells.begin(market, rows, zero + OUTSIDE, zero, 0, spells.outside_pay(market, rows))
