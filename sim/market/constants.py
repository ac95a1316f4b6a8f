"""A scenario compiled into arrays by lab, by unit and by week: what no run changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.market import worth
from sim.scenario.events import Event
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.scenario.schema import Exits, Scenario, Unit
from sim.system.arrays import Booleans, Floats, Integers


@dataclass(frozen=True)
class Constants:
    """The scenario compiled into arrays by lab (L,), by unit (U,) and by campaign (C,)."""

    lab_names: tuple[str, ...]
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
    planned: Floats
    median_pay: Floats
    star_pay: Floats
    talent_inflow: Floats
    treasury_inflow: Floats
    compute: Floats
    scale: Floats
    equity_value: Floats
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

    compute = by_lab("compute")
    return Constants(
        lab_names=names,
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
        exploding=np.array([e.campaign.exploding for e in scenario.events if e.campaign] + [False]),
        planned=_planned(scenario),
        median_pay=by_lab("median_pay") / 100,
        star_pay=by_lab("star_pay") / 100,
        talent_inflow=by_lab("talent_inflow"),
        treasury_inflow=np.array([lab.treasury.inflow for lab in labs], float),
        compute=compute,
        scale=compute ** (value.compute_exponent * value.size_exponent),
        equity_value=by_lab("equity_value"),
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
    since = weeks / WEEKS_PER_YEAR
    kernels = {
        "new_kernel": np.array([worth.grant_kernel(rate, hazard, n, c) for n, c in unique]),
        "held_kernel": np.array([worth.held_kernel(weeks, rate, hazard, n, c, refresh) for n, c in unique]),
        "retention_kernel": np.array([worth.held_kernel(weeks, rate, hazard, n, 0, 0.0) for n, _ in unique]),
        "retention_vested": np.array([worth.vested_share(months, n, 0) for n, _ in unique]),
        "vested_share": np.array([worth.vested_total(months, since, n, c, refresh) for n, c in unique]),
    }
    return np.array([unique.index(pair) for pair in terms], np.int64), kernels


def graduation_weeks(scenario: Scenario) -> Integers:
    """Week in which each graduate enters: the arrival rate starts at g and grows by a each year."""
    entry = scenario.market.entry
    years = np.arange(1, scenario.horizon + 1) / WEEKS_PER_YEAR
    arrived = np.floor(entry.graduates * years + entry.graduates_growth * years**2 / 2).astype(np.int64)
    return np.repeat(np.arange(scenario.horizon), np.diff(arrived, prepend=0))
