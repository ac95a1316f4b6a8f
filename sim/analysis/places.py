"""Places as tables write them: a lab, `outside`, or a pool of those outside such as `outside/academia`."""

from __future__ import annotations

from sim.scenario.schema import Scenario

OUTSIDE = "outside"


def is_outside(place: str) -> bool:
    """Whether a place of a table is outside the labs."""
    return place.partition("/")[0] == OUTSIDE


def pool_of(place: str) -> str | None:
    """The pool that a place of a table names; None for a lab, and where outside is one place."""
    return place.partition("/")[2] or None if is_outside(place) else None


def outside_places(scenario: Scenario) -> list[str]:
    """All places outside the labs, as tables write them, in the scenario's order."""
    return [f"{OUTSIDE}/{pool}" for pool in scenario.market.entry.pools] or [OUTSIDE]
