"""Step 1, shocks: dated events and plans change the market.

An event happens in the first week on or after its date in which its condition holds: its plan, if
it is part of one, has fired; its payer, if it costs money, can pay. A plan fires a given time after
the lab's standing falls below its threshold. Nothing happens by default.
Source: the article (`seeds/article.csv`); MODEL step 1. Unit of time: the week.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sim import appraisal, segments, spells
from sim.draws import Purpose, uniforms
from sim.ledger import Ledger
from sim.quantities import WEEKS_PER_YEAR
from sim.state import ACQUIHIRE, FROM_ACQUIHIRE, NEVER, Booleans, Floats, Integers, Market


def falls_below(ln_standing: Floats, threshold: float) -> Booleans:
    """Whether standing has fallen below a plan's threshold."""
    return np.asarray(np.exp(ln_standing) < threshold)


def best_and_team(group: Integers, talent: Floats, lot: Floats, founder: bool, share: float) -> Booleans:
    """Who moves in an acqui-hire: in each group the most talented, and a share of the others by lot.

    Parameters
    ----------
    group : (n,) sorted; talent, lot : (n,), lot uniform. The team is floor(share * others + 1/2).
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


def happen(market: Market) -> None:
    """Let plans fire and let every event happen whose time has come."""
    for week, number, event in market.constants.timeline:
        if week > market.week:
            break
        due = ~market.happened[:, number] & _allowed(market, event.part_of)
        runs = np.flatnonzero(due)
        if len(runs):
            done = HANDLERS[event.kind](market, event.body, runs)
            market.happened[done, number] = True
            _log(market, event.kind, _name_of(event), _lab_of(market, event.body), done)
    _watch_plans(market)


def _allowed(market: Market, plan: str | None) -> Booleans:
    """Runs in which an event's plan has fired; all of them for an event without a plan."""
    if plan is None:
        return np.ones(len(market.runs), np.bool_)
    number = [event.plan for event in market.constants.plans].index(plan)
    return np.asarray(market.plan_week[:, number] <= market.week)


def _watch_plans(market: Market) -> None:
    """Set off each plan whose lab has fallen below its threshold, and log those that fire now."""
    for number, event in enumerate(market.constants.plans):
        if event.when is None or event.lab is None:
            continue
        lab = market.constants.lab(event.lab)
        waiting = market.plan_week[:, number] == NEVER
        low = waiting & falls_below(market.labs.ln_standing[:, lab], event.when.standing_below)
        market.plan_week[low, number] = market.week + event.when.after
        fired = np.flatnonzero(market.plan_week[:, number] == market.week)
        _log(market, "plan", str(event.plan), lab, fired)


def _log(market: Market, kind: str, name: str, lab: int, runs: Integers) -> None:
    if len(runs):
        market.log.events.append((market.week, kind, name, lab, runs))


def _name_of(event: Any) -> str:
    return str(getattr(event.body, "name", None) or getattr(event.body, "target", None) or event.body.lab)


def _lab_of(market: Market, body: Any) -> int:
    name = getattr(body, "lab", None) or getattr(body, "buyer", None) or body.target
    return market.constants.lab(name)


def _can_pay(market: Market, runs: Integers, lab: int, cents: int) -> Integers:
    """Runs in which a lab's treasury holds an amount."""
    return runs[market.ledger.of(runs, Ledger.treasury(lab)) >= cents]


def release(market: Market, body: Any, runs: Integers) -> Integers:
    """A model release moves ln standing by the surprise, in units of the release sd."""
    lab = market.constants.lab(body.lab)
    market.labs.ln_standing[runs, lab] += body.surprise * market.scenario.market.standing.release_sd
    return runs


def acquihire(market: Market, body: Any, runs: Integers) -> Integers:
    """The buyer pays the target's owners; founder and part of the team move to a unit of the buyer."""
    buyer, target = market.constants.lab(body.buyer), market.constants.lab(body.target)
    runs = _can_pay(market, runs, buyer, body.price)
    cents = np.full(len(runs), body.price, np.int64)
    market.ledger.post(market.week, "deal", runs, Ledger.treasury(buyer), Ledger.owners(target), cents)
    market.tally.spend[runs, buyer] += body.price
    chosen = np.zeros(len(market.runs), np.bool_)
    chosen[runs] = True
    people = market.researchers
    staff = np.flatnonzero((people.place == target) & ~people.leaving)
    staff = staff[chosen[market.run_of(staff)]]
    group = market.run_of(staff)
    lot = uniforms(market.key_of(group, Purpose.TEAM, market.week), market.id_of(staff))
    talent = people.talent[staff].astype(np.float64)
    moving = staff[best_and_team(group, talent, lot, body.founder, body.team_share)]
    _transfer(market, moving, buyer, market.constants.unit(body.buyer, body.unit))
    return runs


def _transfer(market: Market, rows: Integers, buyer: int, unit: int) -> None:
    """Bought people start at the buyer on its own scale of pay."""
    people, lab = market.researchers, np.full(len(rows), buyer)
    run = market.run_of(rows)
    spells.end(market, rows, ACQUIHIRE, buyer)
    base, package = appraisal.scale_pay(market, rows, lab)
    face = np.rint(package * 100).astype(np.int64)
    people.weekly_base[rows] = np.rint(base * 100 / WEEKS_PER_YEAR)
    people.grant[rows] = appraisal.shares_of(market, face, run, lab)
    spells.begin(market, rows, lab, np.full(len(rows), unit), FROM_ACQUIHIRE, market.week)
    for counted in (market.tally.hires, market.tally.acquihires):
        np.add.at(counted, (run, lab), 1)


def invest(market: Market, body: Any, runs: Integers) -> Integers:
    """Money enters the target's treasury, from another lab's or from outside."""
    target, source = market.constants.lab(body.target), np.asarray(Ledger.OUTSIDE)
    if body.investor is not None:
        investor = market.constants.lab(body.investor)
        runs, source = _can_pay(market, runs, investor, body.amount), Ledger.treasury(investor)
        market.tally.spend[runs, investor] += body.amount
    cents = np.full(len(runs), body.amount, np.int64)
    market.ledger.post(market.week, "investment", runs, source, Ledger.treasury(target), cents)
    return runs


def open_campaign(market: Market, body: Any, runs: Integers) -> Integers:
    """A campaign opens: its envelope is set aside from the treasury."""
    lab = market.constants.lab(body.lab)
    names = [event.body.name for event in market.constants.campaigns]
    number = names.index(body.name)
    envelope = body.envelope if body.envelope is not None else body.researchers * body.package_cap
    runs = _can_pay(market, runs, lab, envelope)
    account = market.ledger.envelope(len(market.constants.lab_names), number)
    cents = np.full(len(runs), envelope, np.int64)
    market.ledger.post(market.week, "envelope", runs, Ledger.treasury(lab), account, cents)
    market.campaign_week[runs, number] = market.week
    return runs


def change_leader(market: Market, body: Any, runs: Integers) -> Integers:
    """The leadership of a unit, or of all units of a lab, falls."""
    constants = market.constants
    units = np.flatnonzero(constants.unit_lab == constants.lab(body.lab))
    if body.unit is not None:
        units = np.array([constants.unit(body.lab, body.unit)])
    market.labs.leadership[np.ix_(runs, units)] -= body.shock
    return runs


def freeze(market: Market, body: Any, runs: Integers) -> Integers:
    """A lab stops approaching and offering."""
    lab = market.constants.lab(body.lab)
    until = np.maximum(market.labs.frozen_until[runs, lab], market.week + body.weeks)
    market.labs.frozen_until[runs, lab] = until
    return runs


def change_budget(market: Market, body: Any, runs: Integers) -> Integers:
    """Inflows and the headcount plan of a lab are multiplied from now on."""
    lab = market.constants.lab(body.lab)
    market.labs.talent_factor[runs, lab] *= body.talent_inflow
    market.labs.treasury_factor[runs, lab] *= body.treasury_inflow
    market.labs.plan_factor[runs, lab] *= body.headcount_plan
    return runs


HANDLERS: dict[str, Callable[[Market, Any, Integers], Integers]] = {
    "model_release": release,
    "acquihire": acquihire,
    "investment": invest,
    "campaign": open_campaign,
    "leadership_change": change_leader,
    "hiring_freeze": freeze,
    "budget_change": change_budget,
}
