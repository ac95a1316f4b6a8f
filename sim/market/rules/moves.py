"""Step 8, moves: what was chosen happens; spells end and begin, promises are kept or released.

Declined offers free their escrow, and those who stayed for a counter-offer receive it. Somebody who accepted
starts when her paid leave is over: the sign-on is paid, the grant becomes shares at that day's
valuation, and a campaign hands a year of base to the lab. Source: MODEL step 8, T8. Weeks, cents.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sim.market import appraisal, exits, grants, segments, spells
from sim.market.ledger import Ledger
from sim.market.offers import DECLINED, LAPSED, Offers
from sim.market.state import FROM_OUTSIDE, FROM_RIVAL, OUTSIDE, RIVAL, Market
from sim.system.arrays import Booleans, Integers


def has_lapsed(spell_now: npt.NDArray[np.int16], spell_then: Integers, failed: Booleans) -> Booleans:
    """Whether an offer is void: the person's spell has ended otherwise, or the lab has failed."""
    return np.asarray((spell_now != spell_then) | failed)


def carry_out(market: Market) -> None:
    """Close what is declined or void, then let those start whose week has come."""
    offers = market.offers
    failed = segments.at(market.labs.failed, market.run_of(offers.row), offers.lab)
    lapsed = has_lapsed(market.researchers.spell[offers.row], offers.spell, failed)
    declined = (offers.outcome == DECLINED) & ~lapsed
    starting = offers.accepted & (offers.start_week <= market.week) & ~lapsed
    if lapsed.any():
        _let_lapse(market, np.flatnonzero(lapsed))
    _award_counters(market, np.flatnonzero(declined & (offers.counter_week == market.week)))
    done = lapsed | declined | starting
    closed = offers if done.all() else offers.where(done)
    _release_promises(market, closed)
    market.started = offers.where(starting)
    _start(market, market.started)
    market.log_offers(closed)
    market.offers = Offers.new(0) if done.all() else offers.where(~done)


def _release_promises(market: Market, batch: Offers) -> None:
    """Cash held for an offer is free again; a refused package no longer counts against its envelope."""
    run, outsider = market.run_of(batch.row), batch.origin == OUTSIDE
    segments.add(market.promised, (run, market.line_of(batch)), -batch.escrow)
    segments.add(market.pending, (run[outsider], batch.lab[outsider]), -1)
    back = (batch.campaign >= 0) & ~batch.accepted
    segments.add(market.campaign_committed, (run[back], batch.campaign[back]), -batch.package[back])


def _let_lapse(market: Market, void: Integers) -> None:
    """Void offers are marked; those who had given notice for a lab that failed stay where they are."""
    offers, people = market.offers, market.researchers
    noticed = void[offers.accepted[void]]
    offers.outcome[void] = LAPSED
    rows = offers.row[noticed]
    stays = rows[people.spell[rows] == offers.spell[noticed]]
    people.leaving[stays] = False
    exits.schedule_exit(market, stays, market.week + 1)
    spells.schedule_contact(market, stays, market.week + 1)


def _award_counters(market: Market, refused: Integers) -> None:
    """People who declined every bid and were countered receive what the incumbent offered, once."""
    people = market.researchers
    if not len(refused):
        return
    batch = market.offers.where(refused)
    batch = batch.where(segments.starts(batch.row) & ~people.leaving[batch.row])
    lab = people.place[batch.row].astype(np.int64)
    people.title[batch.row] = np.minimum(people.title[batch.row] + market.constants.counter_title[lab], 2)
    raised = batch.raised_base >= 0
    spells.raise_base(market, batch.row[raised], batch.raised_base[raised])
    spells.retain(market, batch.row[~raised], batch.counter[~raised])


def _start(market: Market, batch: Offers) -> None:
    """Spells end where people were, and begin at the lab that hired them."""
    people, rows, lab = market.researchers, batch.row, batch.lab
    run, employed = market.run_of(rows), people.place[rows] >= 0
    _pay_for(market, batch)
    spells.end(market, rows[employed], RIVAL, lab[employed])
    grant = appraisal.shares_of(market, batch.grant, run, lab)
    charged = grants.charged(market, batch.grant)
    pay = spells.Pay(batch.weekly_base, batch.sign_on, grant, batch.title, charged, market.account_of(batch))
    origin = np.where(employed, FROM_RIVAL, FROM_OUTSIDE)
    spells.begin(market, rows, lab, batch.unit, origin, pay)
    segments.add(market.tally.hires, (run, lab), 1)
    segments.add(market.tally.from_rivals, (run[employed], lab[employed]), 1)


def _pay_for(market: Market, batch: Offers) -> None:
    """Sign-on from the lab or the campaign; a campaign also hands over the first year of base."""
    run, payer = market.run_of(batch.row), market.account_of(batch)
    market.ledger.post(market.week, "sign_on", run, payer, Ledger.RESEARCHERS, batch.sign_on)
    segments.add(market.tally.spend, (run, batch.lab), batch.sign_on)
    charged = grants.charged(market, batch.grant)
    market.ledger.post(market.week, "grant", run, payer, Ledger.RESEARCHERS, charged)
    segments.add(market.tally.spend, (run, batch.lab), charged)
    theirs = batch.campaign >= 0
    market.ledger.post(
        market.week, "first_year_base", run[theirs], payer[theirs],
        Ledger.talent(batch.lab[theirs]), batch.first_year_base[theirs],
    )  # fmt: skip
