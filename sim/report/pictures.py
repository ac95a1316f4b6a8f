"""Pictures of a result: functions that take tables and axes and return axes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from sim.analysis import counts, curves
from sim.analysis.counts import Panel, SpellCounts
from sim.analysis.curves import MONTHS_12, MONTHS_24
from sim.analysis.summary import failed_labs
from sim.report import style
from sim.report.event_marks import event_marks, number_events, write_events
from sim.report.sentences import failing_line, source_line, span
from sim.scenario.schema import Scenario
from sim.system.arrays import Floats
from sim.system.files import replacing

LONGEST_NAME = 18  # letters of a lab's label that fit beside a picture
FEWEST = 5  # a retention curve ends where fewer than this many spells a run are still watched


def plot_hiring(
    scenario: Scenario, labs: Any, events: Any, ax: Axes | None = None, *, small: bool = False
) -> Axes:
    """Cumulative hires by lab over time: median and 5th to 95th percentile over runs, events marked.

    Args:
        scenario: what was run.
        labs: recorded table.
        events: recorded table; events that happened in most runs are marked at their median week.
        ax: axes to draw on; new ones if not given.
        small: number the days of events instead of writing what happened, which would hide the curves.
    """
    panel = Panel.of(labs, list(scenario.labs))
    return draw_hiring(scenario, panel.dates, counts.cumulative_hires(panel), events, ax, small=small)


def draw_hiring(
    scenario: Scenario, dates: Any, hires: Any, events: Any, ax: Axes | None = None, *, small: bool = False
) -> Axes:
    """As `plot_hiring`, from what is counted already.

    Args:
        scenario: what was run.
        dates: first days of the weeks (W,).
        hires: cumulative hires (runs R, W, labs L).
        events: recorded table.
        ax: axes to draw on; new ones if not given.
        small: number the days of events.
    """
    axes = ax if ax is not None else style.new_axes()
    runs, labs = len(hires), list(scenario.labs)
    each = [np.percentile(hires[..., j], (5, 50, 95), axis=0) for j in range(len(labs))]  # a lab at a time
    low, middle, high = np.stack(each, axis=-1)
    palette = style.colours(labs)
    days = ends_of(dates)
    for j in reversed(range(len(labs))):
        draw_line(axes, days, (low[:, j], middle[:, j], high[:, j]), palette[labs[j]], band=runs > 1)
    axes.set_ylim(0, max(float(high.max()) * 1.04, 1.0))
    axes.yaxis.set_major_locator(MaxNLocator(7, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    date_axis(axes, days)
    (number_events if small else write_events)(axes, event_marks(scenario, events, runs))
    ends = [
        (
            f"{short_name(scenario, lab)}  {middle[-1, j]:,.0f}",
            float(middle[-1, j]),
            palette[lab],
            palette[lab] != style.GREY,
        )
        for j, lab in enumerate(labs)
    ]
    style.label_ends(axes, ends)
    subtitle = "Cumulative hires by lab" + over_runs(runs)
    failed = failing_line(failed_labs(events, runs), runs, partial(short_name, scenario))
    if failed and not small:  # there is room for a second line, and no list of events beside it
        subtitle += f"\n{failed}"
    style.dress(axes, _hiring_headline(scenario, hires, middle), subtitle, source_line(scenario))
    return axes


def plot_retention(scenario: Scenario, spells: Any, ax: Axes | None = None) -> Axes:
    """Share of new hires still at the lab by months since they started (Kaplan-Meier), by lab.

    Pooled over runs, with the 5th to 95th percentile of single runs for the first six labs; a curve
    ends at 24 months, or where too few are still watched.

    Args:
        scenario: what was run.
        spells: recorded table.
        ax: axes to draw on; new ones if not given.
    """
    by_run = counts.spell_counts(spells, per_run=True, groups=list(scenario.labs), weeks=MONTHS_24)
    single = curves.kaplan_meier(by_run.at_risk, by_run.ends)
    return draw_retention(scenario, by_run.pooled(), single, ax)


def draw_retention(scenario: Scenario, pooled: SpellCounts, single: Floats, ax: Axes | None = None) -> Axes:
    """As `plot_retention`, from what is counted already.

    Args:
        scenario: what was run.
        pooled: counts of new hires by lab, all runs together.
        single: survival of each run's new hires on their own (runs R, labs L, weeks + 1).
        ax: axes to draw on; new ones if not given.
    """
    axes = ax if ax is not None else style.new_axes()
    labs, runs = list(scenario.labs), len(single)
    palette = style.colours(labs)
    survival = 100 * curves.kaplan_meier(pooled.at_risk, pooled.ends)
    ends, lowest = [], 90.0
    for j in reversed(range(len(labs))):
        if not pooled.at_risk[j].any():
            continue  # nobody has been hired there
        weeks = _watched_weeks(pooled.at_risk[j], runs) + 1
        months, colour = np.arange(weeks) * 12 / MONTHS_12, palette[labs[j]]
        known = colour != style.GREY
        if known and runs > 1:
            low, high = np.nanpercentile(100 * single[:, j, :weeks], (5, 95), axis=0)
            axes.fill_between(months, low, high, color=colour, alpha=0.12, linewidth=0)
            lowest = min(lowest, float(np.nanmin(low)))
        axes.plot(months, survival[j, :weeks], color=colour, linewidth=2.2 if known else 1.0)
        last = float(survival[j, weeks - 1])
        lowest = min(lowest, last)
        ends.append((f"{short_name(scenario, labs[j])}  {last:.0f} %", last, colour, known))
    axes.set_xlim(0, _months_shown(pooled.at_risk))
    axes.set_ylim(max(0.0, 10 * np.floor(lowest / 10)), 101)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f} %"))
    axes.xaxis.set_major_locator(MultipleLocator(6 if axes.get_xlim()[1] > 8 else 1))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:.0f} months" if value else "start")
    )
    _mark_cliffs(axes, scenario)
    style.label_ends(axes, ends)
    subtitle = "Share of new hires still at the lab, by time since they started (Kaplan-Meier)"
    over = f"; {runs} runs together, band: 5th to 95th percentile of runs" if runs > 1 else "; one run"
    headline = _retention_headline(scenario, labs, survival, pooled.at_risk, runs)
    style.dress(axes, headline, subtitle + over, source_line(scenario))
    return axes


def save(axes: Axes, path: Path) -> None:
    """Write the figure of some axes as a PNG, whole or not at all."""
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("these axes belong to no figure")
    canvas = FigureCanvasAgg(figure)
    with replacing(path) as temporary, temporary.open("wb") as file:
        canvas.print_png(file, metadata={"Software": "talentsim"})


def ends_of(dates: Any) -> Floats:
    """The ends of the weeks that begin on such days, as matplotlib counts days (W,)."""
    return np.array([date2num(day) for day in (dates + np.timedelta64(7, "D")).tolist()])


def date_axis(axes: Axes, days: Floats) -> None:
    """A horizontal axis of dates, from a week before the first of the days to the last."""
    axes.set_xlim(days[0] - 7, days[-1])
    locator = AutoDateLocator(minticks=4, maxticks=8)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def draw_line(axes: Axes, days: Any, bands: Any, colour: str, *, band: bool, dashes: Any = "-") -> None:
    """A lab's median over time in its band (low, middle, high, each (W,)); grey ones are thin and bare."""
    known = colour != style.GREY
    if known and band:
        axes.fill_between(days, bands[0], bands[2], color=colour, alpha=0.14, linewidth=0)
    width = 2.2 if known else 1.0
    axes.plot(days, bands[1], color=colour, linewidth=width, linestyle=dashes, marker=_marker(days))


def _marker(days: Any) -> str | None:
    return "o" if len(days) < 3 else None


def short_name(scenario: Scenario, lab: str) -> str:
    """A lab's label, cut to what fits beside the picture."""
    return cut(scenario.labs[lab].label, LONGEST_NAME)


def cut(text: str, most: int) -> str:
    """A text of at most so many letters, with an ellipsis where it goes on."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def over_runs(runs: int) -> str:
    """What a line and its band are, for a subtitle."""
    return f"; median of {runs} runs, band: 5th to 95th percentile" if runs > 1 else "; one run"


def _hiring_headline(scenario: Scenario, hires: Any, middle: Floats) -> str:
    order = np.argsort(-middle[-1], kind="stable")
    labels = [list(scenario.labs.values())[j].label for j in order]
    last = [*middle[-1, order], 0.0, 0.0]  # as if two more labs hired nobody
    hired, time = [f"{number:,.0f}" for number in last], span(len(middle))
    if not last[0]:
        return f"{'In the median run nobody' if np.any(hires) else 'Nobody'} hires in {time}"
    if not last[1]:
        return f"{labels[0]} hires{' most:' if len(labels) > 1 else ''} {hired[0]} in {time}"
    if last[1] == last[2]:  # nobody is second alone
        most = f"{labels[0]} hires most" if last[0] > last[1] else f"{last.count(last[0])} labs hire most"
        return f"{most}: {hired[0]}{'' if last[0] > last[1] else ' each'} in {time}"
    return f"{labels[0]} and {labels[1]} hire most: {hired[0]} and {hired[1]} in {time}"


def _retention_headline(
    scenario: Scenario, labs: list[str], survival: Floats, at_risk: Any, runs: int
) -> str:
    """What is seen at the last of the moments up to which enough hires are watched."""
    if not at_risk.any():
        return "Nobody was hired"
    watched = [_watched_weeks(at_risk[j], runs) for j in range(min(len(labs), len(style.COLOURS)))]
    for week, words in ((MONTHS_24, "two years"), (MONTHS_12, "one year")):
        if survival.shape[-1] <= week:
            continue
        known = [j for j, weeks in enumerate(watched) if weeks >= week and np.isfinite(survival[j, week])]
        if len(known) == 1:
            share, label = survival[known[0], week], scenario.labs[labs[known[0]]].label
            return f"After {words}, {share:.0f} % of new hires are still at {label}"
        if len(known) > 1:
            best, worst = (
                max(known, key=lambda j: survival[j, week]),
                min(known, key=lambda j: survival[j, week]),
            )
            best_label, worst_label = scenario.labs[labs[best]].label, scenario.labs[labs[worst]].label
            return (
                f"After {words}, {survival[best, week]:.0f} % of new hires are still at {best_label}, "
                f"{survival[worst, week]:.0f} % at {worst_label}"
            )
    return "How long new hires stay"


def _watched_weeks(at_risk: Any, runs: int) -> int:
    """Tenure weeks, from 0, up to which enough spells are watched."""
    few = np.flatnonzero(at_risk < FEWEST * max(runs, 1) / 10)
    return int(few[0]) if len(few) else len(at_risk)


def _months_shown(at_risk: Any) -> float:
    watched = np.flatnonzero(at_risk.sum(axis=0))
    return max(float(watched[-1] + 1) * 12 / MONTHS_12 if len(watched) else 1.0, 0.5)


def _mark_cliffs(axes: Axes, scenario: Scenario) -> None:
    """The month before which nothing vests, where all labs share it."""
    cliffs = {lab.vesting.cliff for lab in scenario.labs.values()}
    if len(cliffs) == 1 and 0 < (cliff := cliffs.pop()) < axes.get_xlim()[1]:
        axes.axvline(cliff, **style.MARK)
        axes.annotate(
            "new grants begin to vest", (cliff, 0), (4, 5), xycoords=("data", "axes fraction"),
            textcoords="offset points", fontsize=8.5, color=style.QUIET,
        )  # fmt: skip
