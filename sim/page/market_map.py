"""The map of the market: labs as discs sized by headcount, and the quarter's moves as arrows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch

from sim.report import style
from sim.scenario.schema import Scenario
from sim.system.arrays import Integers
from sim.system.tables import codes, numbers

QUARTER = 13  # weeks
LARGEST = 0.24  # radius of the largest lab, where the market is 2 high
WIDTH = 2.1  # half of it; labs stand on an ellipse of height 2
WIDEST = 9.0  # points, of the arrow of most moves
FEW = 5  # up to so many moves no arrow is of full width
SHARE_WRITTEN = 0.25  # arrows with at least this share of the most moves say how many


@dataclass(frozen=True)
class MarketMap:
    """What the map shows, over L labs.

    Attributes:
        labs: names in the scenario's order.
        headcount: staff at the end of the last week (L,).
        moves: people who left one lab for another in the weeks shown (L, L), from row to column.
        entered: hires from outside the labs in these weeks (L,).
        left: those who left for no other lab in these weeks (L,).
        weeks: the first week shown and the first one after.
    """

    labs: tuple[str, ...]
    headcount: Integers
    moves: Integers
    entered: Integers
    left: Integers
    weeks: tuple[int, int]


def market_map(scenario: Scenario, labs: Any, spells: Any) -> MarketMap:
    """The market after the last recorded week, and what moved in the quarter before.

    Args:
        scenario: what was run.
        labs: recorded table of one run, at least one week of it.
        spells: recorded table of the same run.
    """
    names = tuple(scenario.labs)
    week = numbers(labs.column("week")).astype(np.int64)
    end = int(week.max()) + 1
    begin = max(end - QUARTER, 0)
    headcount = np.zeros(len(names), np.int64)
    now = week == end - 1
    headcount[_places(labs.column("lab"), names)[now]] = numbers(labs.column("headcount"))[now]
    origin, goal = _places(spells.column("lab"), names), _places(spells.column("next_lab"), names)
    ended = numbers(spells.column("end_week")).astype(np.int64)
    gone = (ended >= begin) & ~numbers(spells.column("censored"))
    moves = np.zeros((len(names), len(names)), np.int64)
    np.add.at(moves, (origin[gone & (goal >= 0)], goal[gone & (goal >= 0)]), 1)
    from_where, words = codes(spells.column("origin"))
    outside = from_where == (words.index("outside") if "outside" in words else -2)
    started = numbers(spells.column("start_week")).astype(np.int64) >= begin
    count = len(names)
    return MarketMap(
        labs=names,
        headcount=headcount,
        moves=moves,
        entered=np.bincount(origin[outside & started], minlength=count),
        left=np.bincount(origin[gone & (goal < 0)], minlength=count),
        weeks=(begin, end),
    )


def _places(column: Any, names: tuple[str, ...]) -> Integers:
    """Place of each lab's name, -1 where there is none."""
    code, words = codes(column)
    table = np.array([names.index(word) if word in names else -1 for word in words] + [-1], np.int64)
    found: Integers = table[code]
    return found


def plot_market_map(scenario: Scenario, market: MarketMap, ax: Axes | None = None) -> Axes:
    """Draw the map: discs whose area is the headcount, arrows whose width is the moves of the quarter."""
    axes = ax if ax is not None else style.new_axes()
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(market.labs)) / len(market.labs)
    spots = np.column_stack([WIDTH * np.cos(angles), np.sin(angles)])
    radii = LARGEST * np.sqrt(market.headcount / max(int(market.headcount.max()), 1))
    palette = style.colours(market.labs)
    for origin, goal in np.argwhere(market.moves > 0):
        _arrow(axes, market, spots, radii, int(origin), int(goal), palette[market.labs[goal]])
    for number, lab in enumerate(market.labs):
        _disc(axes, scenario, market, number, spots[number], float(radii[number]), palette[lab])
    axes.set_xlim(-WIDTH - 0.75, WIDTH + 0.75)
    axes.set_ylim(-1.4, 1.4)
    axes.set_aspect("equal")
    subtitle = (
        f"Discs: headcount. Arrows: moves in the last {market.weeks[1] - market.weeks[0]} weeks, coloured "
        "by where they lead. + from outside, − to elsewhere"
    )
    source = f"talentsim, scenario {scenario.name}. Simulated."
    style.dress(axes, _headline(scenario, market), subtitle, source)
    axes.set_axis_off()
    return axes


def _arrow(
    axes: Axes, market: MarketMap, spots: Any, radii: Any, origin: int, goal: int, colour: str
) -> None:
    """An arrow from disc to disc, bent so that the way back stands beside it."""
    moves, most = int(market.moves[origin, goal]), int(market.moves.max())
    start, end = spots[origin], spots[goal]
    length = float(np.hypot(*(end - start)))
    unit = (end - start) / max(length, 1e-9)
    tail, head = start + unit * radii[origin], end - unit * (radii[goal] + 0.03)
    width = max(WIDEST * moves / max(most, FEW), 0.7)
    axes.add_patch(
        FancyArrowPatch(
            tuple(tail), tuple(head), connectionstyle="arc3,rad=0.14", arrowstyle="-|>",
            mutation_scale=7 + 1.3 * width, linewidth=width, color=colour, alpha=0.55, zorder=1,
            shrinkA=0, shrinkB=0,
        )
    )  # fmt: skip
    if moves >= SHARE_WRITTEN * most:
        middle = (tail + head) / 2 + 0.07 * float(np.hypot(*(head - tail))) * np.array([unit[1], -unit[0]])
        axes.annotate(
            str(moves), tuple(middle), ha="center", va="center", fontsize=8.5, color=style.INK, zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6},
        )  # fmt: skip


def _disc(
    axes: Axes, scenario: Scenario, market: MarketMap, number: int, spot: Any, radius: float, colour: str
) -> None:
    axes.add_patch(Circle(tuple(spot), max(radius, 0.012), facecolor=colour, edgecolor="white", zorder=2))
    above = spot[1] >= 0
    label = scenario.labs[market.labs[number]].label
    words = f"{label[:24]}  {market.headcount[number]:,}\n+{market.entered[number]}  −{market.left[number]}"
    axes.text(
        spot[0], spot[1] + (radius + 0.04) * (1 if above else -1), words, ha="center",
        va="bottom" if above else "top", fontsize=9, color=style.INK, zorder=5, parse_math=False,
    )  # fmt: skip


def _headline(scenario: Scenario, market: MarketMap) -> str:
    if not market.moves.any():
        return "Nobody moves from lab to lab"
    origin, goal = np.unravel_index(int(market.moves.argmax()), market.moves.shape)
    labels = [scenario.labs[market.labs[int(place)]].label for place in (origin, goal)]
    return (
        f"Most move from {labels[0]} to {labels[1]}: {int(market.moves.max())} of {int(market.moves.sum())}"
    )
