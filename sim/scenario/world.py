"""The base of all kinds of events, and what they know of the world in which they happen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar, Protocol

from sim.scenario.sections import Section

Fault = tuple[str, str]  # the key at fault, and what is wrong with it


class World(Protocol):
    """What the checks of events read of a scenario."""

    start: date
    market: Any
    labs: Any
    events: Any

    @property
    def end(self) -> date:
        """The first day after the horizon."""

    def planned_headcount(self, lab: str, day: date) -> float:
        """N* of a lab on a day."""


class Dated(Protocol):
    """What the checks of a kind read of the event that is of this kind."""

    on: date | None
    part_of: str | None

    @property
    def opens(self) -> tuple[str, str] | None:
        """Lab and unit that the event opens unless it is there already."""


class Happening(Section):
    """Base of all kinds of events."""

    words: ClassVar[str]  # what the lab concerned does, for pictures; {field} is filled in

    def faults(self, event: Dated, world: World) -> Iterator[Fault]:
        """What makes no sense about it, as (key, message); called once all labs named are known."""
        return iter(())


def units_of(world: World, lab: str) -> list[str]:
    """Names of a lab's units; one without units is one unit, of the lab's name."""
    return list(world.labs[lab].units) or [lab]


def has_unit(world: World, lab: str, unit: str, day: date | None) -> bool:
    """Whether a lab has a unit, or an event no later than the day opens it."""
    return unit in units_of(world, lab) or bool(openings(world, lab, unit, day))


def openings(world: World, lab: str, unit: str, day: date | None) -> list[Any]:
    """What events no later than the day say that open a unit of a lab."""
    dated = (e for e in world.events if e.on is not None and (day is None or e.on <= day))
    return [e.body for e in dated if (lab, unit) == e.opens]


def week_of(world: World, event: Dated) -> int | None:
    """The week of an event's date, counted from the start."""
    return (event.on - world.start).days // 7 if event.on is not None else None
