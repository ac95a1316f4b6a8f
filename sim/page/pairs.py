"""A changed run beside the unchanged one: the same seed, so the same random numbers."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.analysis import counts
from sim.analysis.compare import Path
from sim.analysis.counts import Panel
from sim.page.address import Choices
from sim.page.downloads import file_name
from sim.report import differences, pictures, style
from sim.scenario.schema import Scenario

FRAMES = ((0.035, 0.14, 0.345, 0.66), (0.535, 0.14, 0.345, 0.66))
TITLES = ("With your changes", "Unchanged")

Side = tuple[Scenario, dict[str, Any]]
"""A scenario and the recorded tables of one run of it."""


def what_a_pair_is(choices: Choices) -> tuple[str, str]:
    """What the page's pair of runs says and what not, and the command that says more."""
    return (
        f"This is one pair of runs, both with seed {choices.seed} and so under the same random numbers. It "
        "shows how the changes played out once, and under another seed they play out otherwise: it is no "
        "measure of their effect. For that, take the scenario from Download and compare many pairs of runs; "
        "the command tells the difference with its interval:",
        f"talentsim compare {choices.scenario} {file_name(choices.scenario, ending='yaml')} --runs 200",
    )


def hires_difference(unchanged: Side, changed: Side) -> Path:
    """Cumulative hires of the changed run less those of the unchanged one, week by week, by lab."""
    labs = tuple(lab for lab in unchanged[0].labs if lab in changed[0].labs)
    panels = [Panel.of(tables["labs"], list(scenario.labs)) for scenario, tables in (unchanged, changed)]
    weeks = min(len(panel.weeks) for panel in panels)
    ours, theirs = (
        counts.cumulative_hires(panel)[0, :weeks][:, [panel.labs.index(lab) for lab in labs]]
        for panel in panels
    )
    grown = (theirs - ours).astype(float)
    return Path(labs, panels[0].dates[:weeks], grown, grown, grown)


def draw_hiring(unchanged: Side, changed: Side, figure: Figure) -> None:
    """Both hiring curves beside one another, each on a scale of its own."""
    pair = [figure.add_axes(frame) for frame in FRAMES]
    for axes, (scenario, tables) in zip(pair, (changed, unchanged), strict=True):
        pictures.plot_hiring(scenario, tables["labs"], tables["events"], axes, small=True)
    _title(pair)


def draw_retention(unchanged: Side, changed: Side, figure: Figure) -> None:
    """Both retention curves beside one another."""
    pair = [figure.add_axes(frame) for frame in FRAMES]
    for axes, (scenario, tables) in zip(pair, (changed, unchanged), strict=True):
        pictures.plot_retention(scenario, tables["spells"], axes)
    _title(pair)


def draw_difference(unchanged: Side, changed: Side, figure: Figure, frame: Any) -> None:
    """How the difference in hires grows."""
    path = hires_difference(unchanged, changed)
    axes = figure.add_axes(frame)
    differences.plot_difference(unchanged[0], unchanged[0].name, "your changes", path, 1, axes)


def _title(pair: list[Axes]) -> None:
    for axes, title in zip(pair, TITLES, strict=True):
        axes.set_title(title, loc="left", fontsize=style.HEADLINE_SIZE, fontweight="bold", pad=34)
