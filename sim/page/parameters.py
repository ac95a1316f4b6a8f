"""The parameters of a scenario by lab and topic, as the page lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sim.report.prose import readable
from sim.scenario.errors import Place, printable
from sim.scenario.figures import Figure
from sim.scenario.listing import Number, cited_figures, numbers
from sim.scenario.schema import Scenario


@dataclass(frozen=True)
class Field:
    """A parameter as the page shows it: its path, name, value with unit, and what is known of it."""

    path: str
    name: str
    value: str
    unit: str
    help: str


def groups(
    scenario: Scenario, places: Mapping[str, Place], figures: Mapping[str, Figure]
) -> dict[str, list[Field]]:
    """Every number of a scenario, and whatever else cites a source, by lab, topic and event, in its order.

    Args:
        scenario: whose values are listed.
        places: where they stand.
        figures: the figures that they cite.
    """
    found: dict[str, list[Field]] = {}
    for number in numbers(scenario, places):
        title, depth = _group(scenario, number.path)
        found.setdefault(title, []).append(_field(number, depth, figures))
    return found


def _group(scenario: Scenario, path: str) -> tuple[str, int]:
    """The title of a parameter's group, and how many steps of its path the title says."""
    steps = path.split(".")
    if steps[0] == "market":
        return f"Market: {readable(steps[1])}", 2
    if steps[0] == "labs":
        label = scenario.labs[steps[1]].label
        shared = sum(lab.label == label for lab in scenario.labs.values()) > 1
        return f"Lab: {label} ({steps[1]})" if shared else f"Lab: {label}", 2
    if steps[0] == "events":
        event = scenario.events[int(steps[1])]
        day = event.on.isoformat() if event.on else "when it fires"
        return f"Event {int(steps[1]) + 1}: {readable(event.kind)} ({event.name or day})", 2
    return "The scenario", 0


def _field(number: Number, depth: int, figures: Mapping[str, Figure]) -> Field:
    name = readable(" / ".join(number.path.split(".")[depth:]))
    cited = [
        ", ".join(filter(None, (f"{figure['id']}: {figure['measures']}", figure["says"])))
        for figure in cited_figures(number, figures)
    ]
    source = f"Source: {number.origin}" if number.source else "No source"
    told = [
        f"{number.meaning[:1].upper()}{number.meaning[1:]}" if number.meaning else "",
        f"Symbol {number.symbol}" if number.symbol else "",
        f"{source} ({number.note})" if number.note else source,
        *cited,
        number.where,
    ]
    return Field(
        path=number.path,
        name=printable(name),
        value=str(number.value),
        unit="" if number.unit == "1" else number.unit,
        help=printable(". ".join(text for text in told if text)),
    )
