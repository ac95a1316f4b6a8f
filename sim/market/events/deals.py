"""Money for labs and their people: investments, acqui-hires, and talks that may end in one.

A deal is paid from the buyer's treasury to the target's owners and never touches a talent account.
People who are bought are 3.1 times as likely to leave in the first year (K3), and so are those left behind.
Source: article.scale_investment, scale_team, perplexity_talks and rivals_invest; MODEL step 1.
"""

from __future__ import annotations

import numpy as np

from sim.market import exits, segments, spells
from sim.market.draws import Purpose, normals, uniforms
from sim.market.entities import pair_of
from sim.market.ledger import Ledger
from sim.market.state import ACQUIHIRE, FROM_ACQUIHIRE, Market
from sim.scenario.happenings import Acquihire, Investment, Talks
from sim.system.arrays import Booleans, Floats, Integers


def best_and_team(group: Integers, talent: Floats, lot: Floats, founder: bool, share: float) -> Booleans:
    """Whether each moves in an acqui-hire: in each group the most talented, and a share of the others by lot.

    Args:
        group: (n,), sorted.
        talent: (n,).
        lot: (n,), uniform.
        founder: whether the most talented moves.
        share: of the others; the team is floor(share * others + 1/2).
    """
    first_by_talent = np.lexsort((-talent, group))
    chief = np.zeros(len(group), np.bool_)
    if founder:
        chief[first_by_talent[segments.starts(group)]] = True
    by_lot = np.lexsort((lot, chief, group))
    others = np.bincount(group, weights=~chief, minlength=1).astype(np.int64)
    quota = np.floor(share * others + 0.5)[group[by_lot]]
    team = np.zeros(len(group), np.bool_)
    team[by_lot] = (segments.position(group[by_lot]) < quota) & ~chief[by_lot]
    return chief | team


def owners_accept(price: float, asking: float, spread: float, z: Floats) -> Booleans:
    """Whether owners who want the median price `asking`, e^(spread z) times, sell at a price."""
    return np.asarray(np.log(price) >= np.log(asking) + spread * z)


def acquihire(market: Market, body: Acquihire, runs: Integers) -> Integers:
    """The buyer pays the target's owners; founder and part of the team move to a unit of the buyer."""
    constants = market.constants
    buyer, target = constants.lab(body.buyer), constants.lab(body.target)
    runs = market.able_to_pay(runs, buyer, body.price)
    runs = runs[~market.labs.failed[runs, target]]  # a lab that failed has nobody to move
    unit = constants.unit(body.buyer, body.unit)
    _buy(market, runs, buyer, target, body, unit)
    units = np.flatnonzero(constants.unit_lab == target)
    market.labs.leadership[np.ix_(runs, units)] -= body.shock
    return runs


def invest(market: Market, body: Investment, runs: Integers) -> Integers:
    """Money enters the target's treasury, from another lab's or from outside."""
    target, source = market.constants.lab(body.target), np.asarray(Ledger.OUTSIDE)
    if body.investor is not None:
        investor = market.constants.lab(body.investor)
        runs, source = market.able_to_pay(runs, investor, body.amount), Ledger.treasury(investor)
        market.tally.spend[runs, investor] += body.amount
    cents = np.full(len(runs), body.amount, np.int64)
    market.ledger.post(market.week, "investment", runs, source, Ledger.treasury(target), cents)
    return runs


def conclude_talks(market: Market, body: Talks, runs: Integers) -> Integers:
    """Talks end in a deal, a partnership or nothing; nothing where the money or the target is gone."""
    constants = market.constants
    lab, target = constants.lab(body.lab), constants.lab(body.target)
    entity = pair_of(np.full(len(runs), lab), np.full(len(runs), target))
    z = normals(market.key_of(runs, Purpose.ASKING, market.week), entity)
    alive = ~market.labs.failed[runs, target]
    sold = alive & owners_accept(max(body.price, 1), body.asking, body.spread, z)
    sold &= np.isin(runs, market.able_to_pay(runs, lab, body.price))
    u = uniforms(market.key_of(runs, Purpose.PARTNERSHIP, market.week), entity)
    partners = alive & ~sold & (u < body.partnership)
    partners &= np.isin(runs, market.able_to_pay(runs, lab, body.fee))
    unit = constants.unit(body.lab, body.unit)
    _buy(market, runs[sold], lab, target, body, unit)
    fee = np.full(int(partners.sum()), body.fee, np.int64)
    accounts = Ledger.treasury(lab), Ledger.treasury(target)
    market.ledger.post(market.week, "partnership", runs[partners], *accounts, fee)
    market.tally.spend[runs[partners], lab] += body.fee
    for outcome, chosen in (("deal", sold), ("partnership", partners), ("no_deal", ~sold & ~partners)):
        market.log_event(outcome, body.target, lab, runs[chosen])
    return runs


def _buy(market: Market, runs: Integers, buyer: int, target: int, deal: Acquihire | Talks, unit: int) -> None:
    """Pay the owners, move founder and team, and unsettle those left behind."""
    cents = np.full(len(runs), deal.price, np.int64)
    market.ledger.post(market.week, "deal", runs, Ledger.treasury(buyer), Ledger.owners(target), cents)
    market.tally.spend[runs, buyer] += deal.price
    staff = market.staff_of(runs, target)
    group = market.run_of(staff)
    lot = uniforms(market.key_of(group, Purpose.TEAM, market.week), market.id_of(staff))
    talent = market.researchers.talent[staff].astype(np.float64)
    moving = best_and_team(group, talent, lot, deal.founder, deal.team_share)
    _transfer(market, staff[moving], buyer, unit)
    exits.unsettle(market, staff[~moving])
    market.labs.leadership[runs, unit] += deal.leadership
    market.labs.ln_standing[runs, buyer] += deal.standing


def _transfer(market: Market, rows: Integers, buyer: int, unit: int) -> None:
    """Bought people start at the buyer on its own scale of pay."""
    lab, units = np.full(len(rows), buyer), np.full(len(rows), unit)
    spells.end(market, rows, ACQUIHIRE, buyer)
    spells.begin_on_scale(market, rows, lab, units, FROM_ACQUIHIRE)
    segments.add(market.tally.acquihires, (market.run_of(rows), lab), 1)
