"""A scenario compiled into arrays by lab, by unit and by week: what no run changes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sim.market import worth
from sim.scenario.events import Event
from sim.scenario.parameters import Entry, Exits, Pool
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.scenario.schema import Scenario, Unit
from sim.system.arrays import Booleans, Floats, Integers


@dataclass(frozen=True)
class Pools:
    """Those outside the labs, by where they are: columns (P,)."""

    names: tuple[str, ...]  # as tables write them
    until: Floats  # cumulative shares
    pay: Floats  # USD a year at talent 1
    power: Floats  # of talent in pay
    cap: Floats  # USD a year
    bond: Floats  # utility of staying outside
    of_cause: Integers  # the pool that leavers enter, by number of CAUSES

    @classmethod
    def of(cls, entry: Entry) -> Pools:
        """The pools of a scenario, or one in which pay is the same for all."""
        pools = entry.pools or {"": Pool.model_construct(share=1.0, pay=entry.outside_pay)}
        takers = [list(pool.takes) for pool in pools.values()]
        cap = [np.inf if pool.cap is None else pool.cap / 100 for pool in pools.values()]
        return cls(
            names=tuple(f"outside/{name}" if name else "outside" for name in pools),
            until=np.cumsum([pool.share for pool in pools.values()]),
            pay=np.array([pool.pay / 100 for pool in pools.values()]),
            power=np.array([pool.talent_power for pool in pools.values()]),
            cap=np.array(cap),
            bond=np.array([pool.bond for pool in pools.values()]),
            of_cause=np.array(
                [
                    next((i for i, taken in enumerate(takers) if cause in taken), len(pools) - 1)
                    for cause in CAUSES
                ]
            ),
        )


CAUSES = ("rival", "found", "academia", "field", "acquihire", "released")
LONGEST_WAIT = 1040  # weeks beyond the horizon to which an exit is drawn


@dataclass(frozen=True)
class Constants:
    """The scenario compiled into arrays by lab (L,), by unit (U,) and by campaign (C,)."""

    lab_names: tuple[str, ...]
    pools: Pools
    unit_names: tuple[str, ...]
    unit_lab: Integers
    unit_pay: Floats
    several_units: Booleans
    unit_hazards: Floats
    unit_culture: Floats
    default_unit: Integers
    campaigns: tuple[Event, ...]
    plans: tuple[Event, ...]
    timeline: tuple[tuple[int, int, Event], ...]
    exploding: Booleans
    unscreened: Booleans
    signal_factor: Floats
    planned: Floats
    opening_growth: Floats
    mean_talent: float
    exit_clock: Floats
    normal_vests: Floats
    median_pay: Floats
    star_pay: Floats
    talent_inflow: Floats
    inflow_by_plan: Floats
    by_plan: Booleans
    talent_factor: Floats
    treasury_inflow: Floats
    compute: Floats
    scale: Floats
    equity_value: Floats
    revalued: Floats
    expiry: Integers
    reserved: Booleans
    posted: Booleans
    auctions: Booleans
    counter_title: Integers
    base_ln_standing: Floats
    vesting_years: Floats
    kernel_terms: Integers
    new_kernel: Floats
    held_kernel: Floats
    vested_share: Floats
    retention_kernel: Floats
    retention_vested: Floats

    def lab(self, name: str) -> int:
        """Number of a lab."""
        return self.lab_names.index(name)

    def unit(self, lab: str, unit: str | None) -> int:
        """Number of a lab's unit, or of the lab's first one."""
        return self.unit_names.index(f"{lab}/{unit}") if unit else int(self.default_unit[self.lab(lab)])


def compile_constants(scenario: Scenario) -> Constants:
    """The scenario's numbers as arrays by lab, unit and campaign."""
    labs = list(scenario.labs.values())
    names = tuple(scenario.labs)
    units = units_of(scenario)
    terms, kernels = _kernels(scenario)
    value = scenario.market.value
    owner = np.array([names.index(lab) for lab, _, _ in units], np.int64)

    def by_lab(read: str, kind: type = float) -> np.ndarray:
        """A field of each lab."""
        return np.array([getattr(lab, read) for lab in labs], kind)

    def by_unit(read: str) -> Floats:
        """A field of each unit, its lab's where the unit says nothing."""
        both = [(getattr(unit, read), getattr(scenario.labs[lab], read)) for lab, _, unit in units]
        return np.array([labs_own if own is None else own for own, labs_own in both], float)

    campaigns = [event.campaign for event in scenario.events if event.campaign is not None]
    compute, planned = by_lab("compute"), _planned(scenario)
    return Constants(
        lab_names=names,
        pools=Pools.of(scenario.market.entry),
        unit_names=tuple(f"{lab}/{name}" for lab, name, _ in units),
        unit_lab=owner,
        unit_pay=np.array([unit.pay_factor for _, _, unit in units]),
        several_units=np.bincount(owner) > 1,
        unit_hazards=exit_hazards(scenario.market.exits, by_unit("working_conditions")),
        unit_culture=by_unit("culture"),
        default_unit=np.array([int(np.flatnonzero(owner == j)[0]) for j in range(len(names))], np.int64),
        campaigns=tuple(event for event in scenario.events if event.campaign is not None),
        plans=tuple(event for event in scenario.events if event.plan is not None),
        timeline=timeline_of(scenario),
        exploding=np.array([c.exploding for c in campaigns] + [False]),
        unscreened=np.array([c.interviews == "skip" for c in campaigns] + [False]),
        signal_factor=np.array([c.value_factor for c in campaigns] + [1.0]),
        planned=planned,
        opening_growth=opening_growth(planned),
        mean_talent=worth.mean_talent(scenario.market.talent.tail_exponent, scenario.market.talent.cap),
        median_pay=by_lab("median_pay") / 100,
        star_pay=by_lab("star_pay") / 100,
        talent_inflow=by_lab("talent_inflow"),
        inflow_by_plan=inflow_by_plan(scenario, planned),
        by_plan=np.array([lab.talent_budget == "by_plan" for lab in labs]),
        talent_factor=by_lab("talent_factor"),
        treasury_inflow=np.array([lab.treasury.inflow for lab in labs], float),
        compute=compute,
        scale=compute ** (value.compute_exponent * value.size_exponent),
        equity_value=by_lab("equity_value"),
        revalued=revaluations(scenario, planned.shape[1]),
        expiry=by_lab("offer_expiry", int),
        reserved=np.array([lab.reserved for lab in labs]),
        posted=np.array([lab.pricing == "posted" for lab in labs]),
        auctions=np.array([lab.pricing == "second_price" for lab in labs]),
        counter_title=by_lab("counter_title", int),
        base_ln_standing=np.log(by_lab("standing"))
        + scenario.market.standing.compute_weight * np.log(compute),
        vesting_years=np.array([lab.vesting.length for lab in labs]),
        kernel_terms=terms,
        **kernels,
    )


def units_of(scenario: Scenario) -> list[tuple[str, str, Unit]]:
    """All units as (lab, name, unit): those declared, or the lab itself; then those that events open."""
    units = [
        (name, unit_name, unit)
        for name, lab in scenario.labs.items()
        for unit_name, unit in (lab.units or {name: Unit(share=1.0)}).items()
    ]
    for event in sorted(scenario.events, key=lambda event: event.new_unit is None):  # these say most
        if event.opens is None or event.opens in {(lab, name) for lab, name, _ in units}:
            continue
        new = event.new_unit.model_dump(include=set(Unit.model_fields) - {"share"}) if event.new_unit else {}
        units.append((*event.opens, Unit.model_validate(new)))
    return units


def timeline_of(scenario: Scenario) -> tuple[tuple[int, int, Event], ...]:
    """Dated events as (week, number in the scenario, event), in order of time; talks when they end."""
    dated = [
        (scenario.week_of(e.on) + (e.talks.weeks if e.talks else 0), i, e)
        for i, e in enumerate(scenario.events)
        if e.on is not None
    ]
    return tuple(sorted(dated, key=lambda item: (item[0], item[2].on, item[1])))


def _planned(scenario: Scenario) -> Floats:
    """N* of each lab at the start of each week, some way past the horizon; shape (L, weeks)."""
    weeks = scenario.horizon + scenario.market.hiring.look_ahead + 104
    days = 7 * np.arange(weeks)
    plans = []
    for lab in scenario.labs.values():
        since = [0, *((point.date - scenario.start).days for point in lab.headcount_plan)]
        plans.append(np.interp(days, since, [lab.staff, *(point.staff for point in lab.headcount_plan)]))
    return np.array(plans)


def inflow_by_plan(scenario: Scenario, planned: Floats) -> Floats:
    """Cents a year that hiring to plan costs at scale, theta (N* (b + refresh p) + max(0, dN*/dt + h N*) p).

    b and p are the mean base and package at the lab's scale, over talent; h its opening hazard. Shape as the
    plan's, (L, weeks); 0 for labs whose money is given. Pay grows on top.
    """
    market, labs = scenario.market, list(scenario.labs.values())
    talent = worth.talent_quantile(
        (np.arange(4000) + 0.5) / 4000, market.talent.tail_exponent, market.talent.cap
    )
    found = np.zeros_like(planned)
    for j, lab in enumerate(labs):
        if lab.talent_budget != "by_plan":
            continue
        pay = worth.pay_at(talent, lab.median_pay, lab.star_pay)
        base = worth.base_of(pay, market.talent.base_share, market.talent.base_cap)
        b, p = float(base.mean()), float((pay - base).mean()) * market.equity.horizon
        rise = np.gradient(planned[j]) * WEEKS_PER_YEAR
        hires = np.maximum(rise + lab.opening_hazard * planned[j], 0)
        found[j] = market.hiring.tightness * (planned[j] * (b + market.equity.refresh_share * p) + hires * p)
    return found


def revaluations(scenario: Scenario, weeks: int) -> Floats:
    """Factor by which each lab's valuation moves in each week, (L, weeks); 1 where it does not."""
    factor = np.ones((len(scenario.labs), weeks))
    for j, lab in enumerate(scenario.labs.values()):
        for before, now in pairwise(lab.valuations):
            week = (now.date - scenario.start).days // 7
            if 0 <= week < weeks:
                factor[j, week] *= now.value / before.value
    return factor


def opening_growth(planned: Floats) -> Floats:
    """Growth of each lab's headcount in the first year of its plan, 1/year; none where it shrinks."""
    first, later = planned[:, 0], planned[:, min(52, planned.shape[1] - 1)]
    grown = np.log(np.maximum(later, 1) / np.maximum(first, 1))
    return np.where(first > 0, np.maximum(grown, 0.0), 0.0)


def exit_hazards(exits: Exits, conditions: Floats) -> Floats:
    """Hazard of each outside cause, h_c0 e^(-b_c q), in 1/year; shape (n, 3): found, academia, field."""
    base = np.array([exits.found, exits.academia, exits.field])
    slope = np.array([exits.found_sensitivity, exits.academia_sensitivity, exits.field_sensitivity])
    return np.asarray(base * np.exp(-slope * conditions[:, None]))


def _kernels(scenario: Scenario) -> tuple[Integers, dict[str, Floats]]:
    """Kernels of T12 by vesting terms and tenure in weeks, and each lab's number of terms."""
    equity = scenario.market.equity
    labs = list(scenario.labs.values())
    terms = [(round(lab.vesting.length * 12), lab.vesting.cliff) for lab in labs]
    unique = sorted(set(terms))
    oldest = max((scenario.start - lab.founded).days // 7 for lab in labs)
    weeks = np.arange(oldest + scenario.horizon + 3)
    months = weeks * 12 / WEEKS_PER_YEAR
    rate, hazard, refresh = equity.discount_rate, equity.exit_hazard, equity.refresh_share
    since, forfeiture = weeks / WEEKS_PER_YEAR, scenario.market.exits.forfeiture
    kernels = {
        "new_kernel": np.array([worth.grant_kernel(rate, hazard, n, c) for n, c in unique]),
        "held_kernel": np.array([worth.held_kernel(weeks, rate, hazard, n, c, refresh) for n, c in unique]),
        "retention_kernel": np.array([worth.held_kernel(weeks, rate, hazard, n, 0, 0.0) for n, _ in unique]),
        "retention_vested": np.array([worth.vested_share(months, n, 0) for n, _ in unique]),
        "exit_clock": np.array(
            [exit_clock(len(weeks) + LONGEST_WAIT, n, c, refresh, forfeiture) for n, c in unique]
        ),
        "normal_vests": np.array([normal_vests(n, c, refresh) for n, c in unique]),
        "vested_share": np.array([worth.vested_total(months, since, n, c, refresh) for n, c in unique]),
    }
    return np.array([unique.index(pair) for pair in terms], np.int64), kernels


def exit_clock(weeks: int, length: int, cliff: int, refresh: float, beta: float) -> Floats:
    """Cumulative hazard by week of tenure, over that of constant hazard, in weeks; (weeks + 1,).

    The hazard is e^(-beta (x - 1)) times the constant one, x being what the next 12 months will vest of the
    grants held (the opening grant and the refreshers made), over that in the middle of the opening grant.
    """
    ahead = worth.vests_ahead(np.arange(weeks) * 12 / WEEKS_PER_YEAR, length, cliff, refresh)
    normal = normal_vests(length, cliff, refresh)
    return np.concatenate([[0.0], np.cumsum(np.exp(-beta * (ahead / normal - 1)))])


def normal_vests(length: int, cliff: int, refresh: float) -> float:
    """Vests of 12 months in the middle of an opening grant with all refreshers, per dollar of it."""
    return float(worth.vests_ahead(np.array([length / 2]), length, cliff, refresh)[0])


def graduation_weeks(scenario: Scenario) -> Integers:
    """Week in which each graduate enters: the arrival rate starts at g and grows by a each year."""
    entry = scenario.market.entry
    years = np.arange(1, scenario.horizon + 1) / WEEKS_PER_YEAR
    arrived = np.floor(entry.graduates * years + entry.graduates_growth * years**2 / 2).astype(np.int64)
    return np.repeat(np.arange(scenario.horizon), np.diff(arrived, prepend=0))
