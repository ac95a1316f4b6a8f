"""Pictures of the market: moves between labs, pay offered, offers accepted, budgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any, Literal

import numpy as np
import pyarrow.compute as pc
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from sim.analysis import counts
from sim.analysis.counts import FLOW_WEEKS
from sim.analysis.curves import Z_95
from sim.analysis.places import OUTSIDE, is_outside, outside_places, pool_of
from sim.report import pictures, style
from sim.report.places import pool_title
from sim.report.sentences import source_line
from sim.scenario.quantities import format_money
from sim.scenario.schema import Scenario
from sim.system.arrays import Booleans, Floats, Integers
from sim.system.tables import codes, numbers

OTHERS = "other labs"
GRID_FRAME = (0.165, 0.17, 0.815, 0.69)  # left, bottom, width, height
CURVE_FRAME = (0.075, 0.16, 0.72, 0.70)
ORIGINS_FRAME = (0.19, 0.13, 0.595, 0.73)
BELOW = 52  # points from the axes to the source line, where the axis has a name
MOST_NAMES = 16  # labs whose names stand upright and whose moves are written out
LETTERS = 10  # of a line of a lab's name over its column
POINTS = 400  # of a curve of pay; the largest packages are all among them
BINS_A_DECADE = 3
LONGEST_POOL = 19  # letters of a pool's title
WIDE_ENOUGH = 0.045  # share of a bar in which its per cent can be written
FEWEST_OFFERS = 5  # of a bin that is drawn, unless all have fewer

Part = tuple[str, Integers, str]  # of bars: what it is called, people by lab, colour


def plot_flows(scenario: Scenario, spells: Any, ax: Axes | None = None) -> Axes:
    """Moves from lab to lab in weeks 0 to 103, mean over runs, as a heat map.

    Args:
        scenario: what was run.
        spells: recorded table.
        ax: axes to draw on; new ones if not given.
    """
    runs = np.unique(numbers(spells.column("run")))
    return draw_flows(scenario, counts.flows(spells, list(scenario.labs), runs), ax)


def draw_flows(scenario: Scenario, flows: Integers, ax: Axes | None = None) -> Axes:
    """As `plot_flows`, from what is counted already: moves (runs R, lab left L, lab joined L)."""
    axes = ax if ax is not None else style.new_axes(GRID_FRAME)
    labs, source = list(scenario.labs), source_line(scenario)
    if not flows.any():
        return style.nothing(axes, "Nobody moves from lab to lab", source)
    mean = flows.mean(axis=0)
    grid = np.where((mean == 0) & np.eye(len(labs), dtype=bool), np.nan, mean)  # no lab is its own rival
    image = axes.imshow(grid, aspect="auto", cmap="cividis_r")
    names = [pictures.short_name(scenario, lab) for lab in labs]
    few = len(labs) <= MOST_NAMES
    if few:
        for (row, column), value in np.ndenumerate(np.nan_to_num(grid)):
            if value:
                ink = style.readable_on(image.cmap(image.norm(value)))
                axes.text(
                    column, row, _short(value, len(flows)), ha="center", va="center", fontsize=8.5, color=ink
                )
    across = [fill(name, LETTERS) for name in names] if few else names
    axes.set_xticks(range(len(labs)), across, rotation=0 if few else 90, parse_math=False)
    axes.set_yticks(range(len(labs)), names, parse_math=False)
    axes.set_xlabel("lab joined", color=style.QUIET, fontsize=9.5)
    axes.set_ylabel("lab left", color=style.QUIET, fontsize=9.5)
    weeks = min(scenario.horizon, FLOW_WEEKS)
    words = f"Moves to rivals in weeks 0 to {weeks - 1}, " + _mean_over(len(flows))
    style.dress(axes, _flows_headline(scenario, mean, len(flows)), words, source, below=BELOW + 8)
    axes.grid(visible=False)
    axes.tick_params(labelsize=8, pad=4)
    return axes


def plot_origins(scenario: Scenario, spells: Any, ax: Axes | None = None) -> Axes:
    """Where those came from who joined each lab: shares of all who did, the moves of all runs together.

    Args:
        scenario: what was run.
        spells: recorded table.
        ax: axes to draw on; new ones if not given.
    """
    axes = ax if ax is not None else style.new_axes(ORIGINS_FRAME)
    labs, source = list(scenario.labs), source_line(scenario)
    places, runs = [*labs, *outside_places(scenario)], np.unique(numbers(spells.column("run")))
    joined = counts.origins(spells, places, labs, runs).sum(axis=0)
    if not joined.any():
        return style.nothing(axes, "Nobody joins a lab", source)
    parts, total = _parts(scenario, joined), joined.sum(axis=0)
    style.legend_beside(axes, _bars(axes, parts, total)[::-1])
    names = [
        f"{pictures.short_name(scenario, lab)}  {_short(people / len(runs), len(runs))}"
        for lab, people in zip(labs, total.tolist(), strict=True)
    ]
    axes.set_yticks(range(len(labs)), names, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
    words = f"Where those who join a lab come from, and how many they are; {_mean_over(len(runs))}"
    style.dress(axes, _origins_headline(parts), words, source)
    axes.grid(visible=False)
    return axes


def _bars(axes: Axes, parts: Sequence[Part], total: Integers) -> list[tuple[Any, str]]:
    """A bar for each lab, of 100 per cent; entries for the legend."""
    left, entries = np.zeros(len(total)), []
    for label, people, colour in parts:
        share = people / np.maximum(total, 1)
        bars = axes.barh(range(len(total)), 100 * share, left=100 * left, height=0.72, color=colour)
        entries.append((bars, label))
        for j in np.flatnonzero(share >= WIDE_ENOUGH).tolist() if len(total) <= MOST_NAMES else []:
            axes.text(
                100 * (left[j] + share[j] / 2), j, f"{100 * share[j]:.0f}", ha="center", va="center",
                fontsize=8, color=style.readable_on(colour),
            )  # fmt: skip
        left += share
    return entries


def _parts(scenario: Scenario, joined: Integers) -> list[Part]:
    """The parts of each lab's bar: other labs, then places outside, of which few have a colour."""
    labs, outside = len(scenario.labs), outside_places(scenario)
    pools = [pool_of(place) for place in outside]
    titles = [pictures.cut(pool_title(pool), LONGEST_POOL) if pool else OUTSIDE for pool in pools]
    shades = list(style.colours(outside).values())
    parts = [(OTHERS, joined[:labs].sum(axis=0), style.INK)]
    named = [i for i, shade in enumerate(shades) if shade != style.GREY]
    parts += [(titles[i], joined[labs + i], shades[i]) for i in named]
    rest = joined[labs + len(named) :]
    if len(rest):
        label = titles[-1] if len(rest) == 1 else "others outside"
        parts.append((label, rest.sum(axis=0), style.GREY))
    return parts


def _origins_headline(parts: Sequence[Part]) -> str:
    people = np.array([number.sum() for _, number, _ in parts])
    share = 100 * people / people.sum()
    most = 1 + int(np.argmax(people[1:]))
    return f"{share[0]:.0f} % come from other labs, {share[most]:.0f} % from {parts[most][0]}"


def plot_pay(
    scenario: Scenario, offers: Any, ax: Axes | None = None, *, by: Literal["lab", "origin"] = "lab"
) -> Axes:
    """Share of written offers whose package is at least so large, both axes logarithmic; runs pooled.

    The package is sign-on and grant, before base pay. Offers without a package count among all.

    Args:
        scenario: what was run.
        offers: recorded table.
        ax: axes to draw on; new ones if not given.
        by: a curve for each lab that offers, or for each place that people are at when they are asked.
    """
    axes = ax if ax is not None else style.new_axes(CURVE_FRAME)
    written, source = _written(offers), source_line(scenario)
    package = _package(written)
    if not package.any():
        return style.nothing(axes, "No offers with a package were written", source)
    groups = [*scenario.labs, *([OUTSIDE] if by == "origin" else [])]
    palette = style.colours(list(scenario.labs)) | {OUTSIDE: style.INK}
    code, words = codes(written.column(by))
    entries: list[tuple[Any, str]] = []
    outside = _is_outside(code, words)
    for group in groups[::-1]:
        theirs = outside if group == OUTSIDE else code == (words.index(group) if group in words else -2)
        chosen = package[theirs]
        x, share = tail(chosen)
        known = palette[group] != style.GREY
        name = OUTSIDE if group == OUTSIDE else pictures.short_name(scenario, group)
        label = name if known else OTHERS
        if len(x):
            width = 1.8 if known else 0.9
            (curve,) = axes.plot(x, 100 * share, color=palette[group], linewidth=width, label=label)
            if known or all(other != OTHERS for _, other in entries):  # one entry for all grey curves
                entries.append((curve, label))
    axes.set(xscale="log", yscale="log")
    axes.set_ylim(top=130)
    _money_axis(axes)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
    axes.yaxis.set_minor_locator(NullLocator())
    style.legend_beside(axes, entries)
    whose = "by lab that offers" if by == "lab" else "by where people are when they are asked"
    style.dress(
        axes,
        f"One offer in a hundred is above {_money(np.quantile(package, 0.99))}; "
        f"the largest is {_money(package.max())}",
        f"Share of {_kind(written)} with at least such a package, {whose}{_pooled(written)}",
        source,
        below=BELOW,
    )
    return axes


def tail(values: Floats) -> tuple[Floats, Floats]:
    """The complementary distribution: positive values, rising, and the share of all that are no smaller.

    Exact at each value; of more than 400 some are left out, none near the largest.
    """
    order = np.sort(values)
    ranks = np.unique(np.geomspace(1, max(len(order), 1), POINTS).astype(np.int64))
    x = np.unique(order[len(order) - ranks[ranks <= len(order)]])
    x = x[x > 0]
    share: Floats = 1 - np.searchsorted(order, x, side="left") / max(len(order), 1)
    return x, share


@dataclass(frozen=True)
class Acceptance:
    """Offers by size of package: B bins, and two groups, people outside the labs and people at labs.

    Attributes:
        edges: of the bins, USD (B + 1,); a bin holds its lower edge.
        offers: written offers with a package (2, B).
        accepted: those of them that were accepted (2, B).
        bare: offers without a package, which are in no bin (2,).
    """

    edges: Floats
    offers: Integers
    accepted: Integers
    bare: Integers

    @property
    def shares(self) -> Floats:
        """Accepted of those offered (2, B); nan where there are none."""
        found: Floats = np.divide(
            self.accepted, self.offers, out=np.full(self.offers.shape, np.nan), where=self.offers > 0
        )
        return found

    @property
    def intervals(self) -> tuple[Floats, Floats]:
        """Ends of the binomial 95 % intervals (Wilson), each (2, B); nan where there are no offers."""
        count = np.where(self.offers > 0, self.offers, np.nan)
        square = Z_95**2
        middle = (self.accepted + square / 2) / (count + square)
        reach = Z_95 / (count + square) * np.sqrt(count * self.shares * (1 - self.shares) + square / 4)
        return np.clip(middle - reach, 0, 1), np.clip(middle + reach, 0, 1)


def acceptance(offers: Any) -> Acceptance:
    """Count written offers, and those accepted, by package and by whether people are at a lab."""
    written = _written(offers)
    package, (origin, origins) = _package(written), codes(written.column("origin"))
    at_lab = (~_is_outside(origin, origins)).astype(np.int64)
    outcome, outcomes = codes(written.column("outcome"))
    yes = outcome == (outcomes.index("accepted") if "accepted" in outcomes else -2)
    some = package > 0
    logs = BINS_A_DECADE * np.log10(package[some]) if some.any() else np.zeros(1)
    first, last = int(np.floor(logs.min())), int(np.floor(logs.max())) + 1
    edges = 10.0 ** (np.arange(first, last + 1) / BINS_A_DECADE)
    bins = len(edges) - 1
    place = np.clip(np.searchsorted(edges, package, side="right") - 1, 0, bins - 1)
    cell = at_lab * bins + place
    return Acceptance(
        edges,
        np.bincount(cell[some], minlength=2 * bins).reshape(2, bins),
        np.bincount(cell[some & yes], minlength=2 * bins).reshape(2, bins),
        np.bincount(at_lab[~some], minlength=2),
    )


def plot_acceptance(scenario: Scenario, offers: Any, ax: Axes | None = None) -> Axes:
    """Share of written offers that are accepted by size of package, with binomial 95 % intervals.

    Apart for people at labs, who have something to leave, and people outside; runs pooled. Bins of
    fewer than five offers are not drawn, unless all have fewer. The intervals take offers as independent.

    Args:
        scenario: what was run.
        offers: recorded table.
        ax: axes to draw on; new ones if not given.
    """
    axes = ax if ax is not None else style.new_axes(CURVE_FRAME)
    found, source = acceptance(offers), source_line(scenario)
    if not found.offers.any():
        return style.nothing(axes, "No offers with a package were written", source)
    middle, (low, high) = np.sqrt(found.edges[:-1] * found.edges[1:]), found.intervals
    groups = (("outside the labs", style.COLOURS[1], 0.97), ("at another lab", style.COLOURS[2], 1.03))
    drawn = found.offers >= min(FEWEST_OFFERS, int(found.offers.max()))
    entries = []
    for group, (label, colour, shift) in enumerate(groups):  # apart, so that no interval hides another
        seen, share = drawn[group], found.shares[group]
        reach = 100 * np.stack([share - low[group], high[group] - share])[:, seen].clip(min=0)
        drawn_with = axes.errorbar(
            middle[seen] * shift, 100 * share[seen], reach, color=colour, label=label, linewidth=1.8,
            marker="os"[group], markersize=5, elinewidth=1.2, capsize=3,
        )  # fmt: skip
        entries.append((drawn_with, label))
    axes.set_xscale("log")
    shown = np.flatnonzero(drawn.any(axis=0))
    axes.set_xlim(found.edges[shown[0]], found.edges[shown[-1] + 1])
    axes.set_ylim(0, None)
    _money_axis(axes)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
    style.legend_beside(axes, entries)
    words = f"Share of {_kind(_written(offers))} that are accepted, with 95 % intervals{_pooled(offers)}"
    bare = f"; {found.bare.sum():,} without a package left out" if found.bare.any() else ""
    style.dress(axes, _acceptance_headline(found), words + bare, source, below=BELOW)
    return axes


def _is_outside(code: Integers, words: Sequence[str]) -> Booleans:
    """Whether each place is outside the labs: `outside`, or a pool such as `outside/academia`."""
    return np.array([*map(is_outside, words), False])[code]


def _written(offers: Any) -> Any:
    """The offers that came as far as to be written."""
    return offers.filter(pc.is_valid(offers.column("offer_week")))


def _package(offers: Any) -> Floats:
    """Sign-on and grant of each offer, USD (n,)."""
    found: Floats = (numbers(offers.column("sign_on_cents")) + numbers(offers.column("grant_cents"))) / 100
    return found


def _kind(offers: Any) -> str:
    """What the offers are: above 200 runs only those of campaigns are kept."""
    campaign = pc.or_(pc.is_valid(offers.column("campaign")), pc.is_valid(offers.column("follows")))
    return "campaigns' offers" if pc.all(campaign).as_py() else "written offers"


def _pooled(offers: Any) -> str:
    runs = len(np.unique(numbers(offers.column("run"))))
    return f"; {runs} runs together" if runs > 1 else "; one run"


def _mean_over(runs: int) -> str:
    return f"mean of {runs} runs" if runs > 1 else "one run"


def _money(dollars: Any) -> str:
    return format_money(round(float(dollars) * 100))


def _short(value: float, runs: int) -> str:
    """A mean number of moves; one run has whole numbers."""
    return f"{value:.0f}" if value >= 9.95 or runs == 1 else f"{value:.1f}"


def _money_axis(axes: Axes) -> None:
    axes.xaxis.set_major_locator(LogLocator(numticks=9))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _money(value)))
    axes.set_xlabel("package: sign-on and grant", color=style.QUIET, fontsize=9.5)


def _flows_headline(scenario: Scenario, mean: Floats, runs: int) -> str:
    origin, goal = np.unravel_index(int(mean.argmax()), mean.shape)
    labels = [pictures.short_name(scenario, lab) for lab in scenario.labs]
    most = _short(float(mean[origin, goal]), runs)
    return f"Most move from {labels[origin]} to {labels[goal]}: {most} people"


def _acceptance_headline(found: Acceptance) -> str:
    outside, at_labs = (
        f"{100 * yes / asked:.0f} %" if asked else ""
        for yes, asked in zip(found.accepted.sum(axis=1), found.offers.sum(axis=1), strict=True)
    )
    if not outside or not at_labs:
        who = "at labs" if at_labs else "outside the labs"
        return f"People {who} accept {at_labs or outside} of their offers"
    return f"People at labs accept {at_labs} of their offers, people outside {outside}"
