"""Pictures of comparisons and sweeps: how a difference grows, and how a figure answers to values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from sim.analysis.compare import Path, student
from sim.report import pictures, style
from sim.scenario.schema import Scenario

_NUMBER = re.compile(r"\$?\s*(-?\d+(?:\.\d+)?)\s*(k|K|M|B|T|thousand|million|billion|trillion)?\b\s*(.*)")
_SIZES = {"k": 3, "K": 3, "thousand": 3, "M": 6, "million": 6, "B": 9, "billion": 9, "T": 12, "trillion": 12}
WORDS_FRAME = (0.165, 0.115, 0.8, 0.745)  # words at the left, none at the right
MOST_VALUES = 24  # of three paths and more, each of which takes a line
_FIGURES = {"hires": "Hires of {}", "accepted": "Offers accepted in the campaign {}"}


def plot_difference(
    scenario: Scenario, base: str, other: str, path: Path, runs: int, ax: Axes | None = None
) -> Axes:
    """The difference in cumulative hires between two scenarios, by lab: median and 90 % band over runs.

    Args:
        scenario: the one that the other is compared with.
        base: its name.
        other: the other's name.
        path: how the difference grows.
        runs: how many pairs of runs.
        ax: axes to draw on; new ones if not given.
    """
    axes = ax if ax is not None else style.new_axes()
    days = pictures.ends_of(path.dates)
    reach = np.maximum(np.abs(path.low), np.abs(path.high)).max(axis=0)
    order = sorted(range(len(path.labs)), key=lambda j: -reach[j])  # the first six have their own colour
    palette = style.colours([path.labs[j] for j in order])
    axes.axhline(0, color="#888888", linewidth=0.8)
    ends = []
    for j in reversed(order):
        lab, colour = path.labs[j], palette[path.labs[j]]
        known = colour != style.GREY
        bands = (path.low[:, j], path.median[:, j], path.high[:, j])
        pictures.draw_line(axes, days, bands, colour, band=runs > 1)
        last = float(path.median[-1, j])
        ends.append((f"{pictures.short_name(scenario, lab)}  {last:+,.0f}", last, colour, known))
    most = max(float(reach.max(initial=0)), 1.0) * 1.04
    axes.set_ylim(-most, most)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+,.0f}" if value else "0"))
    pictures.date_axis(axes, days)
    style.label_ends(axes, ends)
    over = (
        f"; median of {runs} pairs of runs, band: 5th to 95th percentile"
        if runs > 1
        else "; one pair of runs"
    )
    subtitle = f"Cumulative hires under {other} less those under {base}{over}"
    source = f"talentsim, scenarios {base} and {other} under the same random numbers. Simulated."
    style.dress(axes, _headline(scenario, base, other, path, runs), subtitle, source)
    return axes


def _headline(scenario: Scenario, base: str, other: str, path: Path, runs: int) -> str:
    last = path.median[-1]
    most = int(np.argmax(np.abs(last)))
    if not last[most]:
        return f"{other} and {base} hire alike in {'the median' if runs > 1 else 'this one'} pair of runs"
    words = f"{abs(last[most]):,.0f} {'more' if last[most] > 0 else 'fewer'}"
    label = scenario.labs[path.labs[most]].label
    if runs == 1:
        return f"In this one pair of runs, {label} hires {words} under {other}"
    return f"Under {other}, {label} hires {words}"


def plot_sweep(scenario: Scenario, table: Any, paths: Sequence[str], ax: Axes | None = None) -> Axes | None:
    """A response curve over one swept path, a heat map over two, main effects over more.

    None for more paths whose values are more than `MOST_VALUES` together: they leave no room for words.

    The figure is the hires of the lab that a path is about, else what the first campaign gains, else the
    first lab's hires.

    Args:
        scenario: one of those swept.
        table: `sweep.parquet`.
        paths: the swept paths.
        ax: axes to draw on; new ones if not given.
    """
    kind, name, figure = _focus(scenario, paths)
    frame = table.to_pandas()
    frame = frame[(frame.kind == kind) & (frame.name == name) & (frame.figure == figure)].reset_index()
    if not paths or (len(paths) > 2 and sum(frame[path].nunique() for path in paths) > MOST_VALUES):
        return None
    axes = ax if ax is not None else style.new_axes(style.FRAME if len(paths) == 1 else WORDS_FRAME)
    label = scenario.labs[name].label if kind == "lab" else name
    what = _FIGURES[figure].format(label)
    draw = {1: _draw_response, 2: _draw_heat_map}.get(len(paths), _draw_main_effects)
    how = draw(axes, frame, paths)
    source = f"talentsim, scenario {scenario.name}, the same random numbers in every variant. Simulated."
    by = f" by {_short(paths)[0]}" if len(paths) == 1 else ", value by value"
    style.dress(axes, what + by, how, source)
    if len(paths) == 2:
        axes.grid(visible=False)
    return axes


def _focus(scenario: Scenario, paths: Sequence[str]) -> tuple[str, str, str]:
    for path in paths:
        first, _, rest = path.partition(".")
        if first == "labs" and (lab := rest.partition(".")[0]) in scenario.labs:
            return "lab", lab, "hires"
    campaigns = [event.campaign.name for event in scenario.events if event.campaign is not None]
    return (
        ("campaign", campaigns[0], "accepted") if campaigns else ("lab", next(iter(scenario.labs)), "hires")
    )


def _draw_response(axes: Axes, frame: Any, paths: Sequence[str]) -> str:
    """One figure over the values of a path; the subtitle."""
    texts = list(frame[paths[0]])
    numbers = _numbers(texts)
    places = np.arange(len(texts), dtype=float) if numbers is None else np.array(numbers)
    order = np.argsort(places, kind="stable")
    x, rows = places[order], frame.iloc[order]
    colour = style.COLOURS[0]
    axes.fill_between(x, rows.p05, rows.p95, color=colour, alpha=0.14, linewidth=0)
    axes.plot(x, rows.p50, color=colour, linewidth=2.2)
    axes.errorbar(
        x,
        rows["mean"],
        [student(runs) * se if runs > 1 else np.nan for runs, se in zip(rows.runs, rows.se, strict=True)],
        color=style.INK,
        fmt="o",
        markersize=4,
        linewidth=1,
        capsize=3,
    )
    axes.set_xticks(x, [texts[i] for i in order], parse_math=False)
    return f"By {paths[0]}; line: median of runs, band: 5th to 95th percentile, points: mean, 95 % interval"


def _draw_heat_map(axes: Axes, frame: Any, paths: Sequence[str]) -> str:
    """Means of one figure over the values of two paths; the subtitle."""
    across, along = ([*dict.fromkeys(frame[path])] for path in paths)
    across, along = _sorted(across), _sorted(along)
    grid = np.full((len(along), len(across)), np.nan)
    for text_a, text_b, mean in zip(frame[paths[0]], frame[paths[1]], frame["mean"], strict=True):
        grid[along.index(text_b), across.index(text_a)] = mean
    image = axes.imshow(grid, origin="lower", aspect="auto", cmap="cividis_r")
    for (row, column), mean in np.ndenumerate(grid):
        if np.isfinite(mean):
            ink = style.readable_on(image.cmap(image.norm(mean)))
            axes.text(column, row, f"{mean:,.1f}", ha="center", va="center", color=ink)
    axes.set_xticks(range(len(across)), across, parse_math=False)
    axes.set_yticks(range(len(along)), along, parse_math=False)
    return f"Mean over runs; across: {paths[0]}, upwards: {paths[1]}"


def _draw_main_effects(axes: Axes, frame: Any, paths: Sequence[str]) -> str:
    """Means of one figure over all variants with a value, value by value and path by path; the subtitle."""
    place, places, words = 0.0, [], []
    for path, short, colour in zip(paths, _short(paths), style.colours(list(paths)).values(), strict=False):
        means = []
        for text in _sorted([*dict.fromkeys(frame[path])]):
            variants = frame["mean"][frame[path] == text]
            axes.plot(variants, np.full(len(variants), place), "o", color=colour, alpha=0.3, markersize=4)
            means.append((variants.mean(), place))
            places.append(place)
            words.append(text)
            place -= 1
        axes.plot(*zip(*means, strict=True), "o-", color=colour, markersize=9, linewidth=2.2)
        above = (0, means[0][1] + 0.45)
        axes.annotate(
            short, above, xycoords=axes.get_yaxis_transform(), color=style.readable(colour), parse_math=False
        )
        place -= 0.9
    axes.set_yticks(places, words, parse_math=False)
    axes.set_ylim(place + 1, 1)
    return "Small dots: means over runs of each variant; large ones: over all variants with that value"


def _short(paths: Sequence[str]) -> list[str]:
    """The last words of the paths, or the whole of them where these are the same."""
    last = [path.split(".")[-1] for path in paths]
    return last if len({*last}) == len(last) else list(paths)


def _sorted(texts: list[str]) -> list[str]:
    numbers = _numbers(texts)
    return texts if numbers is None else [texts[i] for i in np.argsort(numbers, kind="stable")]


def _numbers(texts: Sequence[str]) -> list[float] | None:
    """The amounts that the texts begin with, if all have one and the same unit."""
    found = [_NUMBER.fullmatch(text) for text in texts]
    matches = [match for match in found if match is not None]
    if len(matches) < len(texts) or len({match[3] for match in matches}) > 1:
        return None
    return [float(match[1]) * 10.0 ** _SIZES.get(match[2] or "", 0) for match in matches]
