"""Step 9, separations: researchers leave the labs by hazards drawn in advance.

Competing risks: to found a start-up, for academia, out of the field; h_c = h_c0 e^(-b_c q), with
q the unit's working conditions, and a first year 3.1 times as risky for the acqui-hired (K3).
The pure parts are `constants.exit_hazards` and `spells.first_crossing`. Source: MODEL step 9, T1.
"""

from __future__ import annotations

import numpy as np

from sim.market import spells
from sim.market.state import Market


def leave(market: Market) -> None:
    """End the spells whose exit week has come."""
    people = market.researchers
    rows = np.flatnonzero(people.exit_week == market.week)
    rows = rows[people.place[rows] >= 0]
    if len(rows):
        spells.leave_labs(market, rows, spells.exit_causes(market, rows))
