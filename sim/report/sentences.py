"""Sentences about a whole result that screen and pictures share: what was fitted, who failed, how long.

Each is made from the scenario and its figures, so that it is true for one run as for many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sim.report.prose import counted
from sim.scenario.provenance import FITTED
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.scenario.schema import Scenario

TEN = 10  # from so many runs on nine of ten can be spoken of
# what figures are about, in the order in which they are told; others go by their ids alone
_TOPICS = {
    "retention": ("R1", "R2", "R3", "R4"),
    "flows": ("R6", "R7", "R24"),
    "moves to rivals": ("K1",),
    "acceptance of offers": ("article.acceptance", "O18"),
    "headcounts": ("H7", "H8", "H9", "H10", "H11", "H12"),
}
_OTHER = "other figures"
_MOST_NAMED = 2  # labs in a line


def fitted_figures(scenario: Scenario) -> dict[str, list[str]]:
    """Ids of the figures to which numbers of a scenario were fitted, by what these are about."""
    known = {figure: topic for topic, figures in _TOPICS.items() for figure in figures}
    cited = {t for source in scenario.sources.values() if source.source == FITTED for t in source.targets}
    order = [figure for figure in known if figure in cited] + sorted(cited - known.keys())
    found: dict[str, list[str]] = {}
    for figure in order:
        found.setdefault(known.get(figure, _OTHER), []).append(figure)
    return found


def fitted_sentence(scenario: Scenario) -> str:
    """What a scenario's numbers were fitted to, and so do not predict; empty where nothing was fitted."""
    found = [f"{topic} ({', '.join(ids)})" for topic, ids in fitted_figures(scenario).items()]
    if not found:
        return ""
    return f"Fitted, not predicted: {', '.join(found)}; talentsim sources says which numbers were."


def source_line(scenario: Scenario) -> str:
    """Where a picture's numbers come from."""
    fitted = ", ".join(fitted_figures(scenario))
    words = f"; fitted to public figures: {fitted}" if fitted else ""
    return f"talentsim, scenario {scenario.name}. Simulated{words}."


def failing_sentence(scenario: Scenario, failed: Mapping[str, Any], runs: int) -> str:
    """Which labs failed, in how many runs and when; empty where none did.

    Args:
        scenario: what was run.
        failed: as `failed_labs` in `summary.json`.
        runs: how many runs came to their end.
    """
    order = sorted(failed, key=lambda lab: -failed[lab]["runs"])
    told = []
    for lab in order:
        figures = failed[lab]
        day = scenario.start + timedelta(weeks=int(figures["week"]["p50"]))
        when = f"{day.day} {day:%b %Y}"
        often = f"in {figures['runs']} of {runs} runs (median: {when})" if runs > 1 else f"on {when}"
        told.append(f"{scenario.labs[lab].label} {often}")
    return f"Labs that fail: {', '.join(told)}." if told else ""


def failing_line(failed: Mapping[str, Any], runs: int, name: Callable[[str], str]) -> str:
    """As `failing_sentence`, in one line: the labs that fail most often by name, and how many others."""
    order = sorted(failed, key=lambda lab: -failed[lab]["runs"])
    often = [
        f"{name(lab)} fails" + (f" in {failed[lab]['runs']} of {runs} runs" if runs > 1 else "")
        for lab in order[:_MOST_NAMED]
    ]
    if (more := len(order) - _MOST_NAMED) > 0:
        often.append(f"{counted(more, 'other lab')} too")
    return ", ".join(often)


def nine_of_ten(runs: int) -> str:
    """What lies between the 5th and the 95th percentile of so many runs."""
    return "nine runs of ten" if runs >= TEN else f"5th to 95th percentile of {runs} runs"


def span(weeks: int) -> str:
    """A number of weeks in words: years where they are whole, to a week."""
    years = round(weeks / WEEKS_PER_YEAR)
    if years and abs(weeks - years * WEEKS_PER_YEAR) <= 1:
        return counted(years, "year")
    return counted(weeks, "week")
