"""The scenario's events on a time line: written beside their lines, or numbered where there is no room."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import date2num

from sim.analysis.leaders import first_leader
from sim.report import style
from sim.scenario.events import KINDS, Event
from sim.scenario.quantities import format_money
from sim.scenario.schema import Scenario
from sim.system.tables import codes, numbers

FONT_SIZE, LINE_SPACING = 8.5, 1.5  # points, and lines of that size
Mark = tuple[date, str]
"""A day and what happened on it."""
# what no scenario dates, the market brings about
UNKNOWN = {
    "model": "a model",
    "leader": "a leader",
    "target": "another lab",
    "price": "a price",
    "times": "more or less",
    "unit": "new",
    "researchers": "some",
}
OF_THE_MARKET = {
    "plan": "starts its {name} plan",
    "failure": "fails",
    "deal": "agrees on a deal",
    "partnership": "agrees on a partnership",
    "no_deal": "ends talks without a deal",
    "lab_founded": "is founded",
}
ALL = "All labs"
_PLURALS = {"is": "are"}  # verbs that are more than the singular without its s
NUMBER_GAP = 11.0  # points from one number to the next


def event_marks(scenario: Scenario, events: Any, runs: int) -> list[Mark]:
    """(day, words) of every event that happened in at least half of the runs, at its median week.

    Events of one kind on one day share their words: "Microsoft and Amazon change their budgets".
    """
    columns = [codes(events.column(name)) for name in ("kind", "name", "lab")]
    index = np.stack([column for column, _ in columns])
    week = numbers(events.column("week"))
    marks: dict[tuple[date, str], list[str]] = {}
    for key in np.unique(index, axis=1).T:
        here = (index == key[:, None]).all(axis=0)
        if 2 * here.sum() < runs:
            continue
        kind, name, lab = (words[k] if k >= 0 else "" for (_, words), k in zip(columns, key, strict=True))
        if kind == "talks":
            continue  # their outcome stands beside them
        event = next((e for e in scenario.events if _is(e, kind, name, lab)), None)
        day = _day_of(scenario, event, int(np.median(week[here])))
        marks.setdefault((day, _words(scenario, kind, name, event)), []).append(
            scenario.labs[lab].label if lab else ALL
        )
    told = sorted(marks.items())
    return [(day, f"{_joined(labels)} {_agreeing(words, labels)}") for (day, words), labels in told]


def _day_of(scenario: Scenario, event: Event | None, week: int) -> date:
    """The event's own date if it happened in that week, else the first day of the week."""
    if event is not None and event.on is not None and scenario.week_of(event.on) == week:
        return event.on
    return scenario.start + timedelta(weeks=week)


def _joined(labels: list[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"


def _agreeing(words: str, labels: list[str]) -> str:
    """The words with their verb in the number of those who do it: one lab freezes, several freeze."""
    if labels != [ALL] and len(labels) == 1:
        return words
    verb, _, rest = words.partition(" ")
    plural = _PLURALS.get(verb, verb.removesuffix("s"))
    return f"{plural} {rest.replace('its ', 'their ', 1) if rest.startswith('its ') else rest}".strip()


def _leader(scenario: Scenario, event: Event) -> str:
    """The name of the leader whom an event concerns, if the scenario has one."""
    body = event.body
    return first_leader(scenario, body.lab, body.unit or body.lab) or "a leader"


def _words(scenario: Scenario, kind: str, name: str, event: Event | None) -> str:
    """The few words for what a lab does."""
    if event is not None and event.plan is None:
        body = event.body
        target = scenario.labs[body.target].label if hasattr(body, "target") else ""
        price = format_money(body.price) if hasattr(body, "price") else ""
        leader = _leader(scenario, event) if event.leadership_change is not None else ""
        own = {key: getattr(body, key) for key in ("model", "times") if hasattr(body, key)}
        said = {"target": target, "price": price, "leader": leader} | own
        return str(body.words).format(**(dict(body) | said))
    if kind in KINDS:
        return KINDS[kind].words.format_map(UNKNOWN)
    return OF_THE_MARKET.get(kind, kind).format(name=name)


def _is(event: Event, kind: str, name: str, lab: str) -> bool:
    """Whether a recorded event is this event of the scenario."""
    body = event if event.plan is not None else event.body
    names = {getattr(body, role, None) for role in ("name", "plan", "target", "unit", "lab")}
    labs = {getattr(body, role, None) or "" for role in ("lab", "buyer", "target")}
    return event.kind == kind and (name in names or name == event.name) and lab in labs


def write_events(axes: Axes, marks: list[Mark]) -> None:
    """A thin line for each event, and beside the first of each cluster the list of its events."""
    left, right = axes.get_xlim()
    clusters: list[list[tuple[float, str]]] = []
    for day, words in marks:
        x = float(date2num(day))
        axes.axvline(x, **style.MARK)
        line = f"{day.day} {day:%b}  {words}"
        if clusters and x - clusters[-1][0][0] < (right - left) * 0.3:
            clusters[-1].append((x, line))
        else:
            clusters.append([(x, line)])
    above = 0  # lines of the clusters before, below which one that reaches back to them begins
    for cluster in clusters:
        at_left = cluster[0][0] - left > (right - left) * 0.35
        lower = -above * FONT_SIZE * LINE_SPACING if at_left else 0
        above += len(cluster)
        axes.annotate(
            "\n".join(line for _, line in cluster), (cluster[0][0] if at_left else cluster[-1][0], 0.985),
            (-6 if at_left else 6, lower), xycoords=("data", "axes fraction"), textcoords="offset points",
            ha="right" if at_left else "left", va="top", fontsize=FONT_SIZE, color=style.QUIET,
            linespacing=LINE_SPACING, parse_math=False,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.5},
        )  # fmt: skip


def number_events(axes: Axes, marks: list[Mark]) -> None:
    """A thin line for each day with events, and above it a number; what happened is listed elsewhere."""
    days = numbered(marks)
    left, right = axes.get_xlim()
    for day in days:
        axes.axvline(float(date2num(day)), **style.MARK)
    places = [float(date2num(day)) for day in days]
    above = axes.get_xaxis_transform()
    gap = (right - left) * NUMBER_GAP / style.size_in_points(axes)[0]
    apart = style.spread_apart(places, gap, left, right)
    for number, shown in enumerate(apart, 1):
        axes.text(
            shown, 1.025, str(number), transform=above, ha="center", va="bottom", fontsize=8,
            color=style.QUIET,
        )  # fmt: skip
    leaders = [((place, 1), (shown, 1.02)) for place, shown in zip(places, apart, strict=True)]
    style.draw_leaders(axes, above, leaders, style.MARK["color"])


def numbered(marks: list[Mark]) -> dict[date, list[str]]:
    """What happened, by day; days are numbered from 1 in this order."""
    found: dict[date, list[str]] = {}
    for day, words in marks:
        found.setdefault(day, []).append(words)
    return found
