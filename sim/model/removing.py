"""People and labs that are taken out of the market by hand, between two weeks.

It counts as the first thing that happens in the week to come: spells end then, and the departures stand
among that week's. What those concerned had under way lapses when it falls due, as after any departure.
"""

from __future__ import annotations

import numpy as np

from sim.market import spells
from sim.market.state import FIELD, LEFT_FIELD, RELEASED, Market
from sim.system.arrays import Integers


def leave_market(market: Market, rows: Integers) -> Integers:
    """People leave the field for good: their spells end, and nothing lies ahead of them.

    Returns:
        departures by run, lab and cause, (R, L, causes), to be counted to the week to come.
    """
    counted = market.tally.left.copy()
    at_lab = market.researchers.place[rows] >= 0
    spells.leave_labs(market, rows[at_lab], np.full(int(at_lab.sum()), FIELD))
    others, nowhere = rows[~at_lab], np.zeros(int((~at_lab).sum()), np.int64)
    spells.begin(market, others, nowhere + LEFT_FIELD, nowhere, 0, spells.outside_pay(market, others))
    market.newcomers.clear()  # nothing is foreseen for them: neither an approach nor a return
    return _not_of_last_week(market, counted)


def close_lab(market: Market, lab: int) -> Integers:
    """A lab releases its staff, as one that fails does, and neither pays nor hires any more.

    Returns:
        departures by run, lab and cause, (R, L, causes), to be counted to the week to come.
    """
    counted = market.tally.left.copy()
    staff = np.flatnonzero(market.researchers.place == lab)
    market.labs.failed[:, lab] = True
    market.labs.born[:, lab] = np.maximum(market.labs.born[:, lab], 0)  # no founder opens it either
    spells.leave_labs(market, staff, np.full(len(staff), RELEASED))
    spells.foresee(market)
    return _not_of_last_week(market, counted)


def _not_of_last_week(market: Market, counted: Integers) -> Integers:
    """The departures since the tally stood as counted, which are taken out of it."""
    since, market.tally.left = market.tally.left - counted, counted
    return since
