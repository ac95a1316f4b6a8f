"""Dated events and plans: when something happens, on what condition, and whether that makes sense.

An event is one key of `Event` and the section below it; the sections are in `happenings.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, get_args

from pydantic import Field, model_validator

from sim.scenario import gaps
from sim.scenario.errors import ScenarioIssues
from sim.scenario.happenings import (
    Acquihire,
    BudgetChange,
    Campaign,
    CounterRule,
    FoundingBoom,
    HiringFreeze,
    Investment,
    Layoff,
    LeadershipChange,
    ModelRelease,
    NewUnit,
    NonCompeteRule,
    ProcessChange,
    RetentionGrant,
    Revaluation,
    SalaryCap,
    StrategyChange,
    Talks,
    Transfer,
)
from sim.scenario.quantities import Date, Weeks
from sim.scenario.sections import Name, Positive, Section, parameter
from sim.scenario.world import Happening, World

MOST_CAMPAIGNS = 16  # one bit each in who has been approached by which


class When(Section):
    """The condition on which a plan fires: one of standing_below, standing_gap and plan."""

    standing_below: Positive | None = parameter(None, "the plan fires when the lab's standing falls below")
    standing_gap: Positive | None = parameter(
        None, "the plan fires when the lab has fallen so far among its rivals, in ln standing"
    )
    plan: Name | None = parameter(None, "the plan fires when this plan of another lab has fired")
    after: Weeks = parameter("7 days", "from the trigger to the plan")

    @model_validator(mode="after")
    def _one_trigger(self) -> Self:
        if sum(thing is not None for thing in (self.standing_below, self.standing_gap, self.plan)) != 1:
            raise ValueError("a plan waits for one thing: standing_below, standing_gap, or another plan")
        return self


class Event(Section):
    """One dated event, or a plan. Exactly one kind; part_of makes it wait for that plan."""

    name: Name | None = Field(None, description="a name by which overrides find this event")
    on: Date | None = Field(None, description="the week of this day; within a plan, the earliest date")
    part_of: Name | None = Field(None, description="happens only if that plan has fired")
    plan: Name | None = Field(None, description="a reaction rule of a lab, and its name")
    lab: Name | None = Field(None, description="the plan's lab")
    when: When | None = Field(None, description="the plan's condition")
    model_release: ModelRelease | None = None
    acquihire: Acquihire | None = None
    talks: Talks | None = None
    investment: Investment | None = None
    campaign: Campaign | None = None
    leadership_change: LeadershipChange | None = None
    new_unit: NewUnit | None = None
    transfer: Transfer | None = None
    strategy_change: StrategyChange | None = None
    hiring_freeze: HiringFreeze | None = None
    budget_change: BudgetChange | None = None
    layoff: Layoff | None = None
    retention_grant: RetentionGrant | None = None
    process_change: ProcessChange | None = None
    non_compete_rule: NonCompeteRule | None = None
    counter_rule: CounterRule | None = None
    salary_cap: SalaryCap | None = None
    revaluation: Revaluation | None = None
    founding_boom: FoundingBoom | None = None

    @property
    def kind(self) -> str:
        """The one kind that is set."""
        return next(kind for kind in EVENT_KINDS if getattr(self, kind) is not None)

    @property
    def body(self) -> Any:
        """What the event says of its kind: a section, or the name of a plan."""
        return getattr(self, self.kind)

    @property
    def opens(self) -> tuple[str, str] | None:
        """Lab and unit that the event opens unless it is there already."""
        body = self.body
        lab = getattr(body, "buyer", None) or getattr(body, "lab", None)
        opening = isinstance(body, Acquihire | Talks | Campaign | NewUnit) and body.unit is not None
        return (lab, body.unit) if opening and lab else None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = [kind for kind in EVENT_KINDS if getattr(self, kind) is not None]
        if len(kinds) != 1:
            said = " and ".join(kinds) if kinds else "none"
            raise ValueError(f"an event is exactly one of {', '.join(EVENT_KINDS)}; this one is {said}")
        if self.plan is not None and (self.lab is None or self.when is None or self.on or self.part_of):
            raise ValueError("a plan has a lab and a when, and neither on nor part_of")
        if self.plan is None and (self.lab or self.when):
            raise ValueError("only a plan has lab and when at this level")
        if self.plan is None and self.on is None:
            raise ValueError("an event needs its date: on: 2025-06-12")
        return self


# A kind is a field of `Event` that holds a section of `happenings.py`.
KINDS: Mapping[str, type[Happening]] = {
    name: section
    for name, field in Event.model_fields.items()
    for section in get_args(field.annotation)
    if isinstance(section, type) and issubclass(section, Happening)
}
EVENT_KINDS = ("plan", *KINDS)


def find_faults(world: World, issues: ScenarioIssues) -> None:
    """Note all that makes no sense about a scenario's events, each with its path."""
    plans = [event.plan for event in world.events if event.plan]
    campaigns = [i for i, event in enumerate(world.events) if event.campaign is not None]
    for i in campaigns[MOST_CAMPAIGNS:]:
        issues.add(f"events.{i}.campaign", f"a scenario has at most {MOST_CAMPAIGNS} campaigns")
    for i, event in enumerate(world.events):
        _check_event(world, f"events.{i}", event, plans, issues)
    issues.issues += gaps.never_open(world)


def _waited_for(world: World, plan: str) -> list[str]:
    """A plan, the plan that it waits for, the one which that waits for, and so on."""
    waits = {event.plan: event.when.plan for event in world.events if event.when is not None}
    chain: list[str] = []
    following: str | None = plan
    while following is not None and following not in chain:
        chain.append(following)
        following = waits.get(following)
    return chain


def _check_event(world: World, path: str, event: Event, plans: list[str], issues: ScenarioIssues) -> None:
    """References, dates and sense of one event."""
    if event.on is not None and not world.start <= event.on < world.end:
        issues.add(f"{path}.on", f"{event.on} lies outside the horizon, {world.start} to {world.end}")
    if event.part_of is not None and event.part_of not in plans:
        issues.unknown(f"{path}.part_of", "plan", event.part_of, plans)
    if event.plan is not None and plans.count(event.plan) > 1:
        issues.add(f"{path}.plan", f"two plans are called {event.plan!r}")
    if event.when is not None and event.when.plan is not None:
        if event.when.plan not in plans:
            issues.unknown(f"{path}.when.plan", "plan", event.when.plan, plans)
        elif event.plan in _waited_for(world, event.when.plan):
            issues.add(f"{path}.when.plan", f"plan {event.plan} waits for itself")
    owner = event if event.plan is not None else event.body
    prefix = path if event.plan is not None else f"{path}.{event.kind}"
    named = {role: getattr(owner, role, None) for role in ("lab", "buyer", "target", "investor", "provider")}
    unknown = {role: lab for role, lab in named.items() if lab is not None and lab not in world.labs}
    for role, lab in unknown.items():
        issues.unknown(f"{prefix}.{role}", "lab", lab, list(world.labs))
    if isinstance(event.body, Happening) and not unknown:
        for key, message in event.body.faults(event, world):
            issues.add(f"{prefix}.{key}", message)
