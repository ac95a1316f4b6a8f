"""Step 7, repeats: a campaign makes a refused offer again, at a higher worth, some weeks later.

The next offer is priced at the person's worth times raise_factor to the number of refusals. Within a
year of tenure it meets the same taste, so what it changes is pay. Source: MODEL steps 1 and 7; sizes
are assumptions.
"""

from __future__ import annotations

import numpy as np

from sim.market import calendar
from sim.market.columns import UNSET
from sim.market.offers import DECLINED, Approaches
from sim.market.state import Market
from sim.system.arrays import Booleans, Integers


def repeated(attempt: Integers, repeats: Integers) -> Booleans:
    """Which refused offers are made again: those refused fewer times than the campaign repeats them."""
    return np.asarray(attempt < repeats)


def renew(market: Market) -> None:
    """Put this week's refusals into the calendar of the campaigns that repeat offers."""
    offers = market.offers
    refused = np.flatnonzero((offers.outcome == DECLINED) & (offers.campaign >= 0))
    if not len(refused):
        return
    bodies = [event.body for event in market.constants.campaigns]
    repeats = np.array([body.repeats for body in bodies])[offers.campaign[refused]]
    again = offers.where(refused[repeated(offers.attempt[refused], repeats)])
    weeks = np.array([body.repeat_after for body in bodies])[again.campaign]
    batch = Approaches.new(len(again), **{name: getattr(again, name) for name in Approaches.columns})
    batch.attempt[:] = again.attempt + 1
    batch.contact_week[:], batch.interview_week[:] = market.week + weeks, UNSET
    batch.interest_week[:] = UNSET
    for gap in np.unique(weeks):
        calendar.put(market, market.week + int(gap), batch.where(weeks == gap))
