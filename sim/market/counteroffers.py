"""Step 6, counter-offers: the incumbent answers the best bid for one of its people.

It learns of the bid with probability d_c and answers with probability pi_c, once a spell, by a
retention package that matches the bid's pay in Y, up to what the person is worth to it a year, and
by a title if that is its policy. Source: MODEL step 6; pi_c is O20, shape O13, title O15.
Unit of time: the week; pay in USD a year, packages in cents.
"""

from __future__ import annotations

import numpy as np

from sim import appraisal
from sim.appraisal import PERSON_BITS
from sim.draws import Purpose, pack, uniforms
from sim.ledger import Ledger
from sim.segments import running_total, starts
from sim.state import Floats, Integers, Market


def retention_package(
    bid_worth: Floats, stay_worth: Floats, kappa: Floats, present_cost: Floats, value: Floats, horizon: float
) -> Floats:
    """USD of retention package that closes the gap in Y, but costs no more than the person is worth.

    The gap (Y_bid - Y_stay) / kappa and the room v - w are both a year; the package covers H years.
    """
    gap = (bid_worth - stay_worth) / kappa
    return np.asarray(horizon * np.maximum(np.minimum(gap, value - present_cost), 0.0))


def answer(market: Market) -> None:
    """Write counter-offers beside the bids that are decided this week."""
    chosen = market.deciding()
    if not len(chosen):
        return
    bidden = market.offers.row[chosen]
    first = starts(bidden)
    best = np.maximum.reduceat(market.offers.pay[chosen], np.flatnonzero(first))
    rows, stay = bidden[first], market.offers.stay_pay[chosen][first]
    asked = np.flatnonzero(_answers(market, rows))
    package = _packages(market, rows[asked], best[asked], stay[asked])
    offered = np.zeros(len(rows), np.int64)
    offered[asked] = package
    people = market.researchers
    people.countered[rows[offered > 0]] = True
    each = offered[np.cumsum(first) - 1]
    market.offers.counter[chosen] = each
    market.offers.counter_week[chosen[each > 0]] = market.week
    countered = rows[offered > 0]
    lab = people.place[countered].astype(np.int64)
    np.add.at(market.tally.counters, (market.run_of(countered), lab), 1)


def _answers(market: Market, rows: Integers) -> np.ndarray:
    """Who is at a lab that learns of the bid, answers it, and has not answered in this spell."""
    people, counter = market.researchers, market.scenario.market.counter
    place = people.place[rows].astype(np.int64)
    policy = (place >= 0) & market.constants.counters[np.maximum(place, 0)] & ~people.countered[rows]
    run = market.run_of(rows)
    key = pack((market.id_of(rows), PERSON_BITS))
    learns = uniforms(market.key_of(run, Purpose.DETECTION, market.week), key) < counter.detection
    return np.asarray(
        policy
        & learns
        & (uniforms(market.key_of(run, Purpose.ANSWER, market.week), key) < counter.probability)
    )


def _packages(market: Market, rows: Integers, best: Floats, stay: Floats) -> Integers:
    """Retention packages in cents, as far as the lab's free cash covers their cash part."""
    people, equity = market.researchers, market.scenario.market.equity
    lab, run = people.place[rows].astype(np.int64), market.run_of(rows)
    value = appraisal.observed_value(market, rows, lab)
    package = retention_package(
        best, stay, appraisal.retention_kappa(market, lab),
        appraisal.present_cost(market, rows), value, equity.horizon,
    )  # fmt: skip
    cash, face = appraisal.split_package(package, equity.sign_on_share)
    order = np.lexsort((market.id_of(rows), lab, run))
    line = (run * market.shape[1] + lab)[order]
    free = market.ledger.of(run, Ledger.talent(lab)) - market.promised[run, lab]
    fits = np.zeros(len(rows), np.bool_)
    fits[order] = running_total(line, cash[order]) <= free[order]
    return np.where(fits, cash + face, 0)
