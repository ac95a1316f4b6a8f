"""Step 9, births of labs: some of those who leave to found open a lab, which then hires like any other.

Room for new labs is kept from the start: labs that are `reserved`. While a founding boom lasts, a founder
opens the next of them with a given probability, raises seed money from outside and is its first employee,
on the new lab's own scale of pay. Source: MODEL steps 1 and 9; sizes are assumptions.
"""

from __future__ import annotations

import numpy as np

from sim.market import segments, spells
from sim.market.columns import UNSET
from sim.market.draws import Purpose, uniforms
from sim.market.ledger import Ledger
from sim.market.state import FOUNDER, FROM_FOUNDING, Market
from sim.system.arrays import Booleans, Integers


def places_taken(run: Integers, free: Booleans) -> Integers:
    """The lab that each founder opens: the first free ones of her run in turn, -1 when none is left.

    Args:
        run: (n,), sorted.
        free: (R, L), labs that may be opened.
    """
    turn = segments.position(run)
    order = np.argsort(~free, axis=1, kind="stable")
    there = turn < free.sum(axis=1)[run]
    return np.where(there, order[run, np.minimum(turn, free.shape[1] - 1)], UNSET)


def open_labs(market: Market) -> None:
    """Let founders who left this week open labs."""
    if not market.founding.any():
        return
    people = market.researchers
    rows = np.flatnonzero((people.place == FOUNDER) & (people.start_week == market.week))
    run = market.run_of(rows)
    u = uniforms(market.key_of(run, Purpose.FOUND_LAB, market.week), market.id_of(rows))
    rows = rows[u < market.founding[run]]
    lab = places_taken(market.run_of(rows), market.constants.reserved & (market.labs.born < 0))
    rows, lab = rows[lab >= 0], lab[lab >= 0]
    if not len(rows):
        return
    run = market.run_of(rows)
    market.labs.born[run, lab], market.labs.failed[run, lab] = market.week, False
    market.ledger.post(market.week, "seed", run, Ledger.OUTSIDE, Ledger.talent(lab), market.seed[run])
    _employ(market, rows, run, lab)
    for r, j in zip(run, lab, strict=True):
        market.log_event("lab_founded", market.constants.lab_names[j], int(j), np.array([r]))


def _employ(market: Market, rows: Integers, run: Integers, lab: Integers) -> None:
    """The founder is the first employee; the lab's talent is measured against hers."""
    spells.begin_on_scale(market, rows, lab, market.constants.default_unit[lab], FROM_FOUNDING)
    market.labs.opening_talent[run, lab] = market.labs.talent_sum[run, lab] / spells.TALENT_UNIT
