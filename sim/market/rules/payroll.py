"""Step 2, payroll: inflows come in, base pay goes out; a shortfall draws on the treasury.

Only base pay and sign-on are cash: vests are closed forms of tenure (`worth.held_kernel`), so that
nobody is looped over who does nothing. Inflows scale with standing to a power: the race.
A lab whose treasury cannot cover its shortfall fails and releases its staff.
Source: MODEL step 2; T8, T12. Unit of time: the week; cents.
"""

from __future__ import annotations

import numpy as np

from sim.market import appraisal, segments, spells, worth
from sim.market.ledger import Ledger
from sim.market.money import whole
from sim.market.state import RELEASED, Market
from sim.scenario.quantities import MAX_CENTS, WEEKS_PER_YEAR
from sim.system.arrays import Floats, Integers


def weekly_inflow(yearly: Floats, factor: Floats, ln_standing: Floats, elasticity: float) -> Floats:
    """Cents a week of an inflow in cents a year, times e^(kappa ln M); (L,), (R, L), (R, L) to (R, L)."""
    race = np.exp(np.minimum(elasticity * ln_standing, worth.LARGEST_EXPONENT))
    return np.asarray(yearly / WEEKS_PER_YEAR * factor * race)


def shortfall(payroll: Integers, balance: Integers, committed: Integers) -> Integers:
    """Payroll that the talent account cannot cover without touching what it has promised."""
    return np.asarray(np.maximum(payroll - np.maximum(balance - committed, 0), 0))


def pay(market: Market) -> None:
    """Receive inflows, let those fail who cannot pay, pay the others' base pay."""
    labs, ledger, week = market.labs, market.ledger, market.week
    runs, lab = np.indices(market.shape)
    talent, treasury = Ledger.talent(lab), Ledger.treasury(lab)
    elasticity = market.scenario.market.standing.inflow_elasticity
    standing, given = appraisal.standing_among_rivals(market), talent_inflow(market)
    for name, account, yearly, factor in (
        ("talent_inflow", talent, given, labs.talent_factor * market.constants.talent_factor),
        ("treasury.inflow", treasury, market.constants.treasury_inflow, labs.treasury_factor),
    ):
        due = weekly_inflow(yearly, np.where(labs.failed, 0.0, factor), standing, elasticity)
        see = f"labs.{{lab}}.{name}, market.standing.inflow_elasticity and budget_change"
        cents = whole(due, MAX_CENTS, "the inflow of a week", market.constants.lab_names, lab, see)
        ledger.post(week, "inflow", runs, Ledger.OUTSIDE, account, cents)
    if market.constants.by_plan.any():
        _sweep(market, given)
    labs.talent_factor *= np.exp(labs.talent_growth)
    _pay_licences(market)
    count = market.shape[1]
    short = shortfall(labs.weekly_payroll, ledger.talent_accounts(count), market.promised[:, :count])
    failing = short > ledger.treasuries(count)
    if failing.any():
        _fail(market, failing)
    short[labs.failed] = 0
    ledger.post(week, "shortfall", runs, treasury, talent, short)
    ledger.post(week, "payroll", runs, talent, Ledger.RESEARCHERS, labs.weekly_payroll)
    market.tally.spend += labs.weekly_payroll


def talent_inflow(market: Market) -> Floats:
    """Yearly money for talent before factors, cents: as given, or what hiring to plan costs; (R, L)."""
    constants = market.constants
    if not constants.by_plan.any():
        return constants.talent_inflow
    week = np.clip(market.week - market.labs.born, 0, constants.inflow_by_plan.shape[1] - 1)
    planned = constants.inflow_by_plan[np.arange(market.shape[1]), week]
    planned = planned * market.labs.plan_factor * appraisal.growth_of_pay(market)
    return np.where(constants.by_plan, planned, constants.talent_inflow)


def _sweep(market: Market, yearly: Floats) -> None:
    """Of money by plan, what lies beyond some weeks' inflow, in cents a year, goes back to the treasury."""
    constants, count = market.constants, market.shape[1]
    weekly = yearly * constants.talent_factor * market.labs.talent_factor / WEEKS_PER_YEAR
    kept = np.rint(market.scenario.market.hiring.carry * weekly).astype(np.int64)
    free = market.ledger.talent_accounts(count) - market.promised[:, :count]
    beyond = np.where(constants.by_plan & ~market.labs.failed, np.maximum(free - kept, 0), 0)
    runs, lab = np.indices(market.shape)
    market.ledger.post(market.week, "swept", runs, Ledger.talent(lab), Ledger.treasury(lab), beyond)


def _pay_licences(market: Market) -> None:
    """Labs that rent a rival's model pay its treasury from theirs, as far as it goes."""
    run, lab = np.nonzero(market.labs.rent)
    if len(run):
        cents = np.minimum(market.labs.rent[run, lab], market.ledger.of(run, Ledger.treasury(lab)))
        provider = Ledger.treasury(market.labs.provider[run, lab])
        market.ledger.post(market.week, "licence", run, Ledger.treasury(lab), provider, cents)
        segments.add(market.tally.spend, (run, lab), cents)


def _fail(market: Market, failing: np.ndarray) -> None:
    """Failed labs release their staff; what they had under way lapses when it falls due."""
    people = market.researchers
    at_lab = np.flatnonzero(people.place >= 0)
    run, lab = market.run_of(at_lab), people.place[at_lab].astype(np.int64)
    market.labs.failed |= failing
    released = at_lab[failing[run, lab]]
    spells.leave_labs(market, released, np.full(len(released), RELEASED))
    for r, j in np.argwhere(failing):
        market.log_event("failure", market.constants.lab_names[j], int(j), np.array([r]))
