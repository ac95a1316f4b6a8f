"""The scenario: every input of the market, with its unit, symbol, default and source.

A `Scenario` is frozen and refuses unknown keys. Money is held in integer cents, money rates in
cents a year, rates in 1/year, durations in weeks, months or years as their types say
(`sim.scenario.quantities`). A default given here carries its source in the field itself, so that a number
which no file mentions has a source too.

Sources: ids of `seeds/` (L7, K2, ...), or the word assumption; what was fitted, a scenario says.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from sim.scenario.errors import Citation, ScenarioIssues
from sim.scenario.events import Event, find_faults
from sim.scenario.happenings import CounterPolicy, OwnStrategy
from sim.scenario.parameters import MarketParameters
from sim.scenario.quantities import (
    WEEKS_PER_YEAR,
    Date,
    Fraction,
    Money,
    MoneyRate,
    Months,
    Rate,
    Weeks,
)
from sim.scenario.sections import (
    Count,
    Factor,
    Mission,
    Name,
    Pay,
    PayFactor,
    Person,
    Positive,
    Section,
    Slope,
    Span,
    Title,
    Weight,
    parameter,
)

MOST_PEOPLE = 2**24  # so many have numbers of their own in draws (`entities.PERSON_BITS`)
PricingPolicy = Literal["optimal", "posted", "second_price"]


class Unit(Section):
    """A unit of a lab; what it leaves out is the lab's."""

    share: Factor = parameter(0.0, "weight in opening staff and in ordinary hires")
    culture: Weight | None = parameter(None, "utility of working there; the lab's if absent", symbol="c_j")
    working_conditions: Slope | None = parameter(None, "lowers exits; the lab's if absent", symbol="q_j")
    mission: Mission | None = parameter(None, "the unit's mission; the lab's if absent", symbol="m_j")
    pay_factor: PayFactor = parameter(1.0, "the unit's own pay, over the lab's")
    leader: Person | None = parameter(None, "who leads it, for people to read", source="")


class Treasury(Section):
    """The account that pays deals, envelopes and shortfalls."""

    opening: Money = parameter("0 USD", "balance at the start")
    inflow: MoneyRate = parameter("0 USD/year", "money coming in")


class Vesting(Section):
    """Terms of the grants to new hires; refresh and retention grants have no cliff."""

    length: Span = parameter("4 years", "vesting time", symbol="T", source="P5")
    cliff: Months = parameter("12 months", "nothing vests before", symbol="c", source="P5")


class HeadcountTarget(Section):
    """One point of a lab's headcount plan; between points the plan is linear, after the last it is flat."""

    date: Date = Field(description="day of the target")
    staff: Count = Field(description="planned headcount N* that day")


class Valuation(Section):
    """What a lab was valued at from a day on; it moves the worth of its shares, and of every grant held."""

    date: Date = Field(description="day of the valuation")
    amount: Annotated[Money, Field(ge=100)] = Field(description="valuation of the whole lab")


class Lab(Section):
    """One lab: its people, money, pay, policies and what makes it attractive."""

    label: Person = Field(description="name for people")
    staff: Count = Field(description="headcount at the start")
    headcount_plan: tuple[HeadcountTarget, ...] = parameter(
        (), "headcount plan N* after the start", symbol="N*"
    )
    founded: Date = Field(description="bounds the tenure of the opening staff; after the start: no staff")
    opening_hazard: Rate = parameter(
        "20 %/year", "hazard behind the tenure of the opening staff", source="R5"
    )
    median_pay: Pay = Field(description="base and vests a year of the median researcher")
    star_pay: Pay = Field(description="opening and offered pay is never above this a year")
    treasury: Treasury = Treasury()
    talent_opening: Money = parameter("0 USD", "talent account at the start")
    talent_inflow: MoneyRate = parameter("0 USD/year", "money into the talent account")
    talent_budget: Literal["given", "by_plan"] = parameter(
        "given", "the talent inflow and opening are those given, or follow the headcount plan"
    )
    talent_factor: Factor = parameter(1.0, "factor on the talent inflow, given or by plan")
    compute: Positive = parameter(1.0, "compute, in units of the typical lab", symbol="K")
    equity_value: Fraction = parameter(
        0.6, "worth of a dollar of equity to a researcher", symbol="phi_E", source="K10"
    )
    valuations: tuple[Valuation, ...] = parameter(
        (), "valuations by date; the first, or the last before the start, is that of the opening"
    )
    vesting: Vesting = Vesting()
    non_compete: Weeks = parameter("0 weeks", "paid leave between leaving and starting elsewhere", symbol="z")
    process: Weeks = parameter("3 weeks", "interviews from contact to offer", source="F4")
    offer_expiry: Annotated[Weeks, Field(ge=1)] = parameter("1 week", "an offer is decided after so long")
    pricing: PricingPolicy = parameter(
        "optimal", "offers to rivals' people: the optimum, the lab's own scale, or the incumbent's value"
    )
    counter_policy: CounterPolicy = parameter("match_once", "answer to a bid for one's staff")
    counter_title: Title = parameter(0, "steps of title added to a counter-offer", symbol="h", source="O15")
    standing: Positive = parameter(1.0, "standing at the start", symbol="M")
    culture: Weight = parameter(0.0, "utility of working there", symbol="c_j")
    working_conditions: Slope = parameter(0.0, "lowers the exit hazards", symbol="q_j")
    mission: Mission = Mission()
    strategy: OwnStrategy = parameter("closed", "what becomes of its models at the start")
    reserved: bool = parameter(False, "a place for a lab that founders open in a founding_boom")
    leader: Person | None = parameter(None, "who leads it, for people to read", source="")
    units: dict[Name, Unit] = parameter({}, "units; none means one unit that is the lab")


class Scenario(Section):
    """A whole scenario, composed and validated."""

    name: Name
    title: Annotated[str, Field(min_length=1, max_length=200)]
    description: Annotated[str, Field(max_length=4000)] = ""
    start: Date
    horizon: Annotated[Weeks, Field(ge=1, le=2000)]
    market: MarketParameters = MarketParameters()
    labs: dict[Name, Lab] = Field(min_length=1, max_length=500)
    events: tuple[Event, ...] = Field((), max_length=1000)
    _sources: dict[str, Citation] = PrivateAttr(default_factory=dict)

    __iter__ = None  # type: ignore[assignment]  # one thing, not its fields: a batch of runs takes it whole

    @property
    def sources(self) -> dict[str, Citation]:
        """Where each number of the scenario's files comes from, by dotted path."""
        return self._sources

    @property
    def end(self) -> date:
        """The first day after the horizon."""
        return self.start + timedelta(weeks=self.horizon)

    def week_of(self, day: date) -> int:
        """The week, counted from the start, in which a day falls."""
        return (day - self.start).days // 7

    @property
    def people(self) -> float:
        """How many researchers there are in all: staff at the start, those outside, and graduates to come."""
        entry, years = self.market.entry, self.horizon / WEEKS_PER_YEAR
        graduates = years * (entry.graduates + entry.graduates_growth * years / 2)
        return sum(lab.staff for lab in self.labs.values()) + entry.outside + graduates

    def planned_headcount(self, lab: str, day: date) -> float:
        """N* of a lab on a day: linear between its targets, flat after the last."""
        points = [(self.start, self.labs[lab].staff)] + [
            (p.date, p.staff) for p in self.labs[lab].headcount_plan
        ]
        if day >= points[-1][0]:
            return float(points[-1][1])
        for (d0, n0), (d1, n1) in pairwise(points):
            if d0 <= day < d1:
                return n0 + (n1 - n0) * (day - d0).days / (d1 - d0).days
        return float(points[0][1])

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = ScenarioIssues()
        for name, lab in self.labs.items():
            _check_lab(self, name, lab, problems)
        if self.people > MOST_PEOPLE:
            problems.add("market.entry", f"this makes {self.people:,.0f} researchers, above {MOST_PEOPLE:,}")
        if self.market.hiring.notice >= self.horizon > 1:
            problems.add("market.hiring.notice", "the notice is longer than the horizon: nobody ever moves")
        find_faults(self, problems)
        problems.raise_if_any()
        return self


def _check_lab(scenario: Scenario, name: str, lab: Lab, problems: ScenarioIssues) -> None:
    path = f"labs.{name}"
    if lab.founded > scenario.start and lab.staff > 0:
        problems.add(f"{path}.founded", f"{name} is founded after the scenario starts ({scenario.start})")
    if lab.star_pay < lab.median_pay:
        problems.add(f"{path}.star_pay", "stars are paid less than the median researcher")
    days = [scenario.start] + [target.date for target in lab.headcount_plan]
    if any(later <= earlier for earlier, later in pairwise(days)):
        problems.add(f"{path}.headcount_plan", "dates must rise, and come after the start")
    if any(later.date <= earlier.date for earlier, later in pairwise(lab.valuations)):
        problems.add(f"{path}.valuations", "dates must rise")
    for key in ("talent_inflow", "talent_opening"):
        if lab.talent_budget == "by_plan" and getattr(lab, key):
            hint = f"write {path}.talent_factor, or {path}.talent_budget: given (docs/migration.md)"
            problems.add(f"{path}.{key}", "money follows the headcount plan (talent_budget: by_plan)", hint)
    if lab.talent_budget == "by_plan" and not (lab.staff or lab.headcount_plan):
        problems.add(f"{path}.talent_budget", "money by plan needs staff or a headcount_plan")
    if abs(12 * lab.vesting.length - round(12 * lab.vesting.length)) > 1e-9:
        problems.add(f"{path}.vesting.length", "grants vest monthly: must be a whole number of months")
    if lab.vesting.cliff > 12 * lab.vesting.length:
        problems.add(f"{path}.vesting.cliff", "the cliff is longer than the vesting")
    if lab.reserved and lab.staff > 0:
        problems.add(f"{path}.reserved", "a lab reserved for founders has no staff at the start: staff: 0")
    if lab.units and not any(unit.share > 0 for unit in lab.units.values()):
        problems.add(f"{path}.units", "at least one unit needs a share above 0")
