"""A scenario compiled into arrays by lab, by unit and by week: what no run changes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

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
    """The scenario compiled into arrays: by lab (L,), by unit (U,), by campaign and by vesting terms (T,).

    Columns by campaign are (C + 1,), so that -1, an ordinary offer, reads the last. Vesting terms are the
    pairs of length and cliff that labs have; tables by terms and week of tenure reach beyond the horizon.
    """

    lab_names: tuple[str, ...]  # in the scenario's order
    pools: Pools  # where those outside the labs are
    unit_names: tuple[str, ...]  # as lab/unit
    unit_lab: Integers  # number of its lab; (U,)
    unit_pay: Floats  # factor on the lab's own pay; (U,)
    several_units: Booleans  # whether the lab has more than one; (L,)
    unit_hazards: Floats  # of leaving the labs to found, for academia, out of the field, 1/year; (U, 3)
    any_hazard: Floats  # of leaving the labs for any of these, 1/year; (U,)
    unit_culture: Floats  # utils; (U,)
    default_unit: Integers  # number of the lab's first unit; (L,)
    campaigns: tuple[Event, ...]  # in the scenario's order; C of them
    plans: tuple[Event, ...]  # events that fire when their condition holds
    timeline: tuple[tuple[int, int, Event], ...]  # week, number in the scenario, dated event
    exploding: Booleans  # whether the incumbent has no time to answer; (C + 1,)
    unscreened: Booleans  # whether there are no interviews; (C + 1,)
    signal_factor: Floats  # factor on the pay that the lab is known for; (C + 1,)
    planned: Floats  # N* at the start of each week, heads; (L, weeks)
    opening_growth: Floats  # of headcount in the plan's first year, 1/year; (L,)
    mean_talent: float  # the median is 1
    exit_clock: Floats  # cumulative hazard by tenure, in weeks of the constant one; (T, weeks)
    normal_vests: Floats  # of 12 months in the middle of an opening grant, per dollar of it; (T,)
    median_pay: Floats  # USD a year at talent 1; (L,)
    star_pay: Floats  # USD a year, the most that is paid; (L,)
    talent_inflow: Floats  # as given, cents a year; (L,)
    inflow_by_plan: Floats  # what hiring to plan costs at the opening's pay, cents a year; (L, weeks)
    by_plan: Booleans  # whether the talent inflow is that; (L,)
    talent_factor: Floats  # on the talent inflow; (L,)
    treasury_inflow: Floats  # cents a year; (L,)
    compute: Floats  # K, in units of the typical lab; (L,)
    scale: Floats  # S^gamma, factor on what talent is worth; (L,)
    equity_value: Floats  # phi_E, worth of a dollar of equity; (L,)
    revalued: Floats  # factor by which the valuation moves in each week; (L, weeks)
    expiry: Integers  # weeks after which an offer is decided; (L,)
    reserved: Booleans  # whether it is a place for a lab that founders open; (L,)
    posted: Booleans  # whether it offers its own scale; (L,)
    auctions: Booleans  # whether it bids against the incumbent's value; (L,)
    counter_title: Integers  # steps of title added to a counter-offer; (L,)
    base_ln_standing: Floats  # ln M in the long run without changes of talent, and at the opening; (L,)
    base_ln_rival: Floats  # that of the best rival at the opening, -inf: none; (L,)
    vesting_years: Floats  # length of a grant; (L,)
    kernel_terms: Integers  # number of the lab's vesting terms; (L,)
    vesting_terms: Integers  # length and cliff in months; (T, 2)
    new_kernel: Floats  # K: worth of a dollar granted today; (T,)
    held_kernel: Floats  # vests to come, refreshers among them, per dollar of opening grant; (T, weeks)
    retention_kernel: Floats  # vests to come of a grant without cliff, per dollar of it; (T, weeks)
    retention_vested: Floats  # vested share of it; (T, weeks)

    def lab(self, name: str) -> int:
        """Number of a lab."""
        return self.lab_names.index(name)

    def unit(self, lab: str, unit: str | None) -> int:
        """Number of a lab's unit, or of the lab's first one."""
        return self.unit_names.index(f"{lab}/{unit}") if unit else int(self.default_unit[self.lab(lab)])


def compile_constants(scenario: Scenario) -> Constants:
    """The scenario's numbers as arrays by lab, unit and campaign."""
    planned = _planned(scenario)
    return Constants(
        lab_names=tuple(scenario.labs),
        pools=Pools.of(scenario.market.entry),
        plans=tuple(event for event in scenario.events if event.plan is not None),
        timeline=timeline_of(scenario),
        planned=planned,
        opening_growth=opening_growth(planned),
        revalued=revaluations(scenario, planned.shape[1]),
        inflow_by_plan=inflow_by_plan(scenario, planned),
        mean_talent=worth.mean_talent(scenario.market.talent.tail_exponent, scenario.market.talent.cap),
        **_by_unit(scenario),
        **_by_campaign(scenario),
        **_by_lab(scenario),
        **_by_terms(scenario),
    )


def _by_unit(scenario: Scenario) -> dict[str, Any]:
    """What units are like, and which are whose."""
    units, names = units_of(scenario), list(scenario.labs)
    owner = np.array([names.index(lab) for lab, _, _ in units], np.int64)

    def of(read: str) -> Floats:
        """A field of each unit, its lab's where the unit says nothing."""
        both = [(getattr(unit, read), getattr(scenario.labs[lab], read)) for lab, _, unit in units]
        return np.array([labs_own if own is None else own for own, labs_own in both], float)

    hazards = exit_hazards(scenario.market.exits, of("working_conditions"))
    return {
        "unit_names": tuple(f"{lab}/{name}" for lab, name, _ in units),
        "unit_lab": owner,
        "unit_pay": np.array([unit.pay_factor for _, _, unit in units]),
        "unit_hazards": hazards,
        "any_hazard": hazards.sum(axis=1),
        "unit_culture": of("culture"),
        "several_units": np.bincount(owner) > 1,
        "default_unit": np.array([int(np.flatnonzero(owner == j)[0]) for j in range(len(names))], np.int64),
    }


def _by_campaign(scenario: Scenario) -> dict[str, Any]:
    """What is special about the offers of each campaign; last, about ordinary ones: nothing."""
    events = tuple(event for event in scenario.events if event.campaign is not None)
    bodies = [event.campaign for event in events if event.campaign is not None]
    return {
        "campaigns": events,
        "exploding": np.array([body.exploding for body in bodies] + [False]),
        "unscreened": np.array([body.interviews == "skip" for body in bodies] + [False]),
        "signal_factor": np.array([body.value_factor for body in bodies] + [1.0]),
    }


def _by_lab(scenario: Scenario) -> dict[str, Any]:
    """What labs are like."""
    labs, value = list(scenario.labs.values()), scenario.market.value

    def of(read: str, kind: type = float) -> np.ndarray:
        """A field of each lab."""
        return np.array([getattr(lab, read) for lab in labs], kind)

    compute, reserved = of("compute"), of("reserved", bool)
    ln_standing = np.log(of("standing")) + scenario.market.standing.compute_weight * np.log(compute)
    return {
        "median_pay": of("median_pay") / 100,
        "star_pay": of("star_pay") / 100,
        "talent_inflow": of("talent_inflow"),
        "by_plan": np.array([lab.talent_budget == "by_plan" for lab in labs]),
        "talent_factor": of("talent_factor"),
        "treasury_inflow": np.array([lab.treasury.inflow for lab in labs], float),
        "compute": compute,
        "scale": compute ** (value.compute_exponent * value.size_exponent),
        "equity_value": of("equity_value"),
        "expiry": of("offer_expiry", int),
        "reserved": reserved,
        "posted": np.array([lab.pricing == "posted" for lab in labs]),
        "auctions": np.array([lab.pricing == "second_price" for lab in labs]),
        "counter_title": of("counter_title", int),
        "base_ln_standing": ln_standing,
        "base_ln_rival": best_rival(ln_standing[None, :], reserved[None, :])[0],
        "vesting_years": np.array([lab.vesting.length for lab in labs]),
    }


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
                factor[j, week] *= now.amount / before.amount
    return factor


def opening_growth(planned: Floats) -> Floats:
    """Growth of each lab's headcount in the first year of its plan, 1/year; none where it shrinks."""
    first, later = planned[:, 0], planned[:, min(52, planned.shape[1] - 1)]
    grown = np.log(np.maximum(later, 1) / np.maximum(first, 1))
    return np.where(first > 0, np.maximum(grown, 0.0), 0.0)


def best_rival(ln_standing: Floats, out: Booleans) -> Floats:
    """ln M of the best of the other labs that are not `out`, (R, L); -inf where there is none."""
    ln = np.where(out, -np.inf, ln_standing)
    ordered = np.sort(np.concatenate([np.full((len(ln), 1), -np.inf), ln], axis=1), axis=1)
    best, second = ordered[:, -1:], ordered[:, -2:-1]
    return np.where(ln >= best, second, best)


def exit_hazards(exits: Exits, conditions: Floats) -> Floats:
    """Hazard of each outside cause, h_c0 e^(-b_c q), in 1/year; shape (n, 3): found, academia, field."""
    base = np.array([exits.found, exits.academia, exits.field])
    slope = np.array([exits.found_sensitivity, exits.academia_sensitivity, exits.field_sensitivity])
    return np.asarray(base * np.exp(-slope * conditions[:, None]))


def _by_terms(scenario: Scenario) -> dict[str, Any]:
    """Kernels of T12 by vesting terms and tenure in weeks, and each lab's number of terms."""
    equity = scenario.market.equity
    labs = list(scenario.labs.values())
    terms = [(round(lab.vesting.length * 12), lab.vesting.cliff) for lab in labs]
    unique = sorted(set(terms))
    oldest = max((scenario.start - lab.founded).days // 7 for lab in labs)
    weeks = np.arange(oldest + scenario.horizon + 3)
    months = weeks * 12 / WEEKS_PER_YEAR
    rate, hazard, refresh = equity.discount_rate, equity.exit_hazard, equity.refresh_share
    forfeiture = scenario.market.exits.forfeiture
    return {
        "kernel_terms": np.array([unique.index(pair) for pair in terms], np.int64),
        "vesting_terms": np.array(unique, np.int64),
        "new_kernel": np.array([worth.grant_kernel(rate, hazard, n, c) for n, c in unique]),
        "held_kernel": np.array([worth.held_kernel(weeks, rate, hazard, n, c, refresh) for n, c in unique]),
        "retention_kernel": np.array([worth.held_kernel(weeks, rate, hazard, n, 0, 0.0) for n, _ in unique]),
        "retention_vested": np.array([worth.vested_share(months, n, 0) for n, _ in unique]),
        "exit_clock": np.array(
            [exit_clock(len(weeks) + LONGEST_WAIT, n, c, refresh, forfeiture) for n, c in unique]
        ),
        "normal_vests": np.array([normal_vests(n, c, refresh) for n, c in unique]),
    }


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
