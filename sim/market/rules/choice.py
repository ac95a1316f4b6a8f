"""Step 7, choice: researchers with a live offer choose between staying and each offer.

U = alpha ln Y + the lab's terms (culture, mission, compute, standing, leadership, ties, title)
+ 1[stay] (A + A_t ln (1 + tenure)) - 1[move] c_move + sigma Gumbel; the highest U wins. Tastes are
keyed by researcher, lab, spell and year of tenure, so a repeated offer meets the same taste.
Source: McFadden's logit, MODEL step 7, T2. Unit of time: the week; pay in USD a year, U in utils.
"""

from __future__ import annotations

import numpy as np

from sim.market import appraisal, segments, worth
from sim.market.columns import UNSET
from sim.market.offers import ACCEPTED, DECLINED, Offers
from sim.market.state import NEVER, Behaviour, Market
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.system.arrays import Booleans, Floats, Integers


def utility(pay: Floats, terms: Floats, taste: Floats, elasticity: float) -> Floats:
    """U = alpha ln Y + terms + taste."""
    return np.asarray(elasticity * np.log(np.maximum(pay, worth.SMALLEST)) + terms + taste)


def best_option(person: Integers, stay: Floats, offer: Floats) -> Booleans:
    """Which offers are accepted: those of highest U for their person, if above her U of staying.

    Args:
        person: (n,), sorted.
        stay: (n,) utilities of staying, repeated for each of her offers.
        offer: (n,) utilities.
    """
    first = segments.starts(person)
    highest = np.maximum.reduceat(offer, np.flatnonzero(first))[np.cumsum(first) - 1]
    winner = (offer == highest) & (offer > stay)
    again = np.zeros(len(person), np.bool_)
    again[1:] = winner[1:] & winner[:-1] & ~first[1:]
    return np.asarray(winner & ~again)


def decide(market: Market) -> None:
    """Settle the offers of everybody one of whose offers expires this week."""
    chosen = market.deciding
    if not len(chosen):
        return
    offers = market.offers
    batch = offers if len(chosen) == len(offers) else offers.where(chosen)
    stay, go = stay_utility(market, batch), offer_utility(market, batch)
    accepted = best_option(batch.row, stay, go)
    for own in market.behaviours.get("choose", []):
        _ask(own, batch, stay, go, accepted)
    offers.outcome[chosen], offers.decision_week[chosen] = np.where(accepted, ACCEPTED, DECLINED), market.week
    taken = chosen[accepted]
    _give_notice(market, taken)
    segments.add(market.tally.accepted, (market.run_of(offers.row[taken]), offers.lab[taken]), 1)


def _ask(own: Behaviour, batch: Offers, stay: Floats, go: Floats, accepted: Booleans) -> None:
    """Let a user's researchers choose for themselves: the position of an offer, or None to stay."""
    for begin in np.flatnonzero(segments.starts(batch.row) & own.applies[batch.row]):
        end = begin + int((batch.row[begin:] == batch.row[begin]).argmin() or len(batch) - begin)
        taken = own.decide(
            int(batch.row[begin]), batch.where(np.arange(begin, end)), float(stay[begin]), go[begin:end]
        )
        accepted[begin:end] = np.arange(end - begin) == (UNSET if taken is None else taken)


def stay_utility(market: Market, batch: Offers) -> Floats:
    """U of staying for each offer's person, with the counter-offer that is on the table."""
    people, choice, equity = market.researchers, market.scenario.market.choice, market.scenario.market.equity
    rows, place = batch.row, people.place[batch.row].astype(np.int64)
    lab = np.maximum(place, 0)
    retained = appraisal.retention_kappa(market, lab) * batch.counter / 100 / equity.horizon
    step = np.where(batch.counter_week == market.week, market.constants.counter_title[lab], 0)
    held = people.weekly_base[rows].astype(np.int64)
    raised = np.where(batch.raised_base >= 0, batch.raised_base - held, 0) * WEEKS_PER_YEAR / 100
    terms = batch.stay_terms + people.attachment[rows] + choice.title_weight * step
    taste = appraisal.taste(market, rows, place)
    return utility(batch.stay_pay + retained + raised, terms, taste, choice.pay_elasticity)


def offer_utility(market: Market, batch: Offers) -> Floats:
    """U of each offer."""
    choice = market.scenario.market.choice
    taste = appraisal.taste(market, batch.row, batch.lab)
    return utility(batch.pay, batch.terms - choice.moving_cost, taste, choice.pay_elasticity)


def _give_notice(market: Market, taken: Integers) -> None:
    """People at labs who accept start after their notice, or after a non-compete's leave if longer."""
    people, offers = market.researchers, market.offers
    rows = offers.row[taken]
    place = people.place[rows].astype(np.int64)
    leave = segments.at(market.labs.non_compete, market.run_of(rows), np.maximum(place, 0))
    wait = np.maximum(leave, market.scenario.market.hiring.notice)
    offers.start_week[taken] = market.week + np.where(place >= 0, wait, 0)
    people.leaving[rows] = True
    people.exit_week[rows] = NEVER
    people.contact_week[rows] = NEVER
