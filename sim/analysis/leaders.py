"""Who leads a unit: the name that the scenario gives, until an event replaces it."""

from __future__ import annotations

from typing import Any

from sim.scenario.schema import Scenario


def first_leader(scenario: Scenario, lab: str, unit: str) -> str | None:
    """The leader of a unit, or else of its lab, before any event; None where the scenario names none."""
    declared = scenario.labs[lab].units.get(unit)
    opened = (event.new_unit for event in scenario.events if event.opens == (lab, unit))
    named = [declared.leader if declared else None, *(new.leader for new in opened if new is not None)]
    return next((name for name in named if name), scenario.labs[lab].leader)


class Leaders:
    """The leaders of units over a run.

    Args:
        scenario: what was run.
        events: recorded table of one run.
    """

    def __init__(self, scenario: Scenario, events: Any) -> None:
        self.scenario = scenario
        self.replaced: dict[tuple[str, str | None], int] = {}
        for row in events.to_pylist():
            for unit in self._units(row["lab"], row["name"]) if row["kind"] == "leadership_change" else []:
                self.replaced.setdefault((row["lab"], unit), row["week"])

    def _units(self, lab: str, name: str) -> list[str | None]:
        """Units whose leader a recorded change replaces; None: those of the whole lab."""
        changes = [e for e in self.scenario.events if e.leadership_change and e.leadership_change.lab == lab]
        units = [(e.name, e.leadership_change.unit) for e in changes if e.leadership_change]
        return [unit for own, unit in units if name == (own or unit or lab)]

    def week_of_change(self, lab: str, unit: str) -> int | None:
        """The week in which the unit's leader is replaced; None: not in this run, or nobody is named."""
        if first_leader(self.scenario, lab, unit) is None:
            return None
        weeks = [self.replaced[key] for key in ((lab, unit), (lab, None)) if key in self.replaced]
        return min(weeks, default=None)

    def of(self, lab: str, unit: str, week: int) -> str | None:
        """The leader of a unit at the end of a week; None once she was replaced, or where none is named."""
        change = self.week_of_change(lab, unit)
        return first_leader(self.scenario, lab, unit) if change is None or week < change else None
