"""Step 6, counter-offers: the incumbent answers the best bid for one of its people.

It learns of the bid with probability d_c and answers with probability pi_c, once a spell or always, by a
retention package that matches the bid's pay in Y, up to what the person is worth to it a year, and
by a title if that is its policy. Exploding offers leave no time to answer. Source: MODEL step 6; pi_c
is O20, the shape O13, titles O15, exploding offers O14.
Unit of time: the week; pay in USD a year, packages in cents.
"""

from __future__ import annotations

import numpy as np

from sim.market import appraisal, grants, segments, spells
from sim.market.columns import UNSET
from sim.market.draws import Purpose, uniforms
from sim.market.state import MATCH_ONCE, OFF, SECOND_PRICE, Market
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.system.arrays import Booleans, Floats, Integers


def retention_package(
    bid_worth: Floats, stay_worth: Floats, kappa: Floats, present_cost: Floats, value: Floats, horizon: float
) -> Floats:
    """USD of retention package that closes the gap in Y, but costs no more than the person is worth.

    The gap (Y_bid - Y_stay) / kappa and the room v - w are both a year; the package covers H years.
    """
    gap = (bid_worth - stay_worth) / kappa
    return np.asarray(horizon * np.maximum(np.minimum(gap, value - present_cost), 0.0))


def matched(bid_base: Integers, present_base: Integers, bid_cost: Floats, value: Floats) -> Integers:
    """Weekly base to which a Bertrand incumbent raises, if it is worth it and a raise; else -1 (T4).

    One cent a week above the bid, so that taste does not decide between equal pay.
    """
    return np.where((bid_cost <= value) & (bid_base > present_base), bid_base + 1, UNSET)


def answer(market: Market) -> None:
    """Write counter-offers beside the bids that are decided this week."""
    chosen = market.deciding = market.falling_due()
    if not len(chosen):
        return
    # the best bid for each of those who decide, as far as the incumbent has time to answer
    offers = market.offers
    bidden = offers.row[chosen]
    first = segments.starts(bidden)
    person = np.cumsum(first) - 1
    in_time = ~market.constants.exploding[offers.campaign[chosen]]
    best = np.maximum.reduceat(np.where(in_time, offers.pay[chosen], 0.0), np.flatnonzero(first))
    rows, stay = bidden[first], offers.stay_pay[chosen][first]
    # incumbents that learn of it and answer: with a package, or, where they bid second prices, with base
    asked = np.flatnonzero(_answers(market, rows) & (best > 0))
    package = np.zeros(len(rows), np.int64)
    package[asked] = _packages(market, rows[asked], best[asked], stay[asked])
    raised = np.full(len(rows), UNSET)
    place = market.researchers.place[rows[asked]]
    policy = segments.at(market.labs.counter_policy, market.run_of(rows[asked]), place)
    by_base = asked[policy == SECOND_PRICE]
    if len(by_base):
        top = np.maximum.reduceat(np.where(in_time, offers.weekly_base[chosen], 0), np.flatnonzero(first))
        raised[by_base] = _raises(market, rows[by_base], top[by_base])
    package[raised >= 0] = 0
    # every bid for the same person stands beside the same answer
    countered = (package > 0) | (raised >= 0)
    market.researchers.countered[rows[countered]] = True
    offers.counter[chosen], offers.raised_base[chosen] = package[person], raised[person]
    offers.counter_week[chosen[countered[person]]] = market.week
    lab = market.researchers.place[rows[countered]].astype(np.int64)
    segments.add(market.tally.counters, (market.run_of(rows[countered]), lab), 1)


def _raises(market: Market, rows: Integers, bid_base: Integers) -> Integers:
    """Weekly bases of incumbents who bid against the best bid."""
    people = market.researchers
    lab = people.place[rows].astype(np.int64)
    value = np.minimum(appraisal.observed_value(market, rows, lab), market.salary_cap[market.run_of(rows)])
    return matched(
        bid_base, people.weekly_base[rows].astype(np.int64), bid_base * WEEKS_PER_YEAR / 100, value
    )


def _answers(market: Market, rows: Integers) -> Booleans:
    """Whether each is at a lab that learns of the bid, answers it, and has not answered in this spell."""
    people, labs = market.researchers, market.labs
    place = people.place[rows].astype(np.int64)
    policy = segments.at(labs.counter_policy, market.run_of(rows), np.maximum(place, 0))
    answers = (place >= 0) & (policy != OFF) & ~(people.countered[rows] & (policy == MATCH_ONCE))
    for purpose, chance in ((Purpose.DETECTION, labs.detection), (Purpose.ANSWER, labs.answering)):
        left = np.flatnonzero(answers)
        run, person = market.run_of(rows[left]), market.id_of(rows[left])
        u = uniforms(market.key_of(run, purpose, market.week), person)
        answers[left] = u < segments.at(chance, run, place[left])
    return np.asarray(answers)


def _packages(market: Market, rows: Integers, best: Floats, stay: Floats) -> Integers:
    """Retention packages in cents, as far as the lab's free cash covers their cash part."""
    people, equity = market.researchers, market.scenario.market.equity
    lab = people.place[rows].astype(np.int64)
    value, cost = appraisal.observed_value(market, rows, lab), appraisal.present_cost(market, rows)
    value = np.minimum(value, market.salary_cap[market.run_of(rows)])
    kappa = appraisal.retention_kappa(market, lab)
    package = retention_package(best, stay, kappa, cost, value, equity.horizon)
    for own in market.behaviours.get("counter", []):
        theirs = np.flatnonzero(own.applies[lab])
        if len(theirs):
            columns = (best, stay, kappa, cost, value)
            package[theirs] = own.decide(
                rows[theirs], *(column[theirs] for column in columns), equity.horizon
            )
    cash, face = appraisal.split_package(appraisal.package_cents(market, package, lab), equity.sign_on_share)
    covered = spells.cash_covers(market, rows, grants.charge(market, cash, face))
    return np.where(covered, cash + face, 0)
