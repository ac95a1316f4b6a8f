"""One style for all pictures: as a newspaper would print them, and safe for the colour-blind."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

# Okabe and Ito's palette, without black and yellow (too faint in print).
COLOURS = ("#0072B2", "#009E73", "#D55E00", "#CC79A7", "#E69F00", "#56B4E9")
PALE = ("#8fbcdb", "#8cd0bb", "#eab08c", "#e7c3d6", "#f2d08f", "#b9def5")  # lighter, for a second six
GREY, INK, FAINT = "#9a9a9a", "#222222", "#e3e3e3"
QUIET = "#595959"  # text beside the matter itself: subtitles, notes, sources, labels of grey lines
LEAST_CONTRAST = 4.5  # of text on its ground, WCAG 2.1 level AA
FRAME = (0.065, 0.115, 0.72, 0.745)  # left, bottom, width, height: room for labels at the right
HEADLINE_SIZE, HEADLINE_FITS = 15, 72  # points, and how many characters of that size fit the page
MARK: dict[str, Any] = {"color": "#888888", "linewidth": 0.7, "linestyle": (0, (3, 3)), "zorder": 0}
LABEL_GAP = 13.5  # points from one label at a line's end to the next


def colours(names: Sequence[str]) -> dict[str, str]:
    """A colour for each name: the first six have their own, the others are grey."""
    return {name: COLOURS[i] if i < len(COLOURS) else GREY for i, name in enumerate(names)}


def contrast(colour: Any, ground: Any = "white") -> float:
    """Contrast of two colours, 1 to 21 (WCAG 2.1: relative luminances, each plus 0.05)."""
    values = np.array([to_rgb(colour), to_rgb(ground)])
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    dark, light = np.sort(linear @ (0.2126, 0.7152, 0.0722)) + 0.05
    return float(light / dark)


@lru_cache(maxsize=64)
def readable(colour: str) -> str:
    """The colour as text on white: grey as quiet text, others darkened until they contrast enough."""
    if colour == GREY:
        return QUIET
    red, green, blue = to_rgb(colour)
    shades = (to_hex((red * k, green * k, blue * k)) for k in np.linspace(1, 0, 51))
    return next(shade for shade in shades if contrast(shade) >= LEAST_CONTRAST)


def readable_on(ground: Any) -> str:
    """Black or white, whichever contrasts more with the ground; always at least 4.5."""
    return max(("black", "white"), key=lambda ink: contrast(ink, ground))


def new_axes(frame: tuple[float, float, float, float] = FRAME) -> Axes:
    """Axes of a fresh figure, with room for headline, labels at the right and a source line."""
    figure = Figure(figsize=(10, 6), dpi=160)
    figure.set_facecolor("white")
    return figure.add_axes(frame)


def dress(axes: Axes, headline: str, subtitle: str, source: str, below: float = 34) -> None:
    """Headline that says what one sees, subtitle that says what is shown, light grid, source.

    The source stands so many points `below` the axes.
    """
    size = HEADLINE_SIZE * min(1.0, HEADLINE_FITS / max(len(headline), 1))
    axes.set_title(
        headline, loc="left", y=1, fontsize=size, fontweight="bold", color=INK, pad=34, parse_math=False
    )
    axes.annotate(
        subtitle, (0, 1), (0, 26), xycoords="axes fraction", textcoords="offset points",
        va="top", fontsize=10, color=QUIET, parse_math=False,
    )  # fmt: skip
    axes.annotate(
        source, (0, 0), (0, -below), xycoords="axes fraction", textcoords="offset points",
        va="top", fontsize=8, color=QUIET, parse_math=False,
    )  # fmt: skip
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#888888")
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="both", length=0, labelsize=9.5, colors="#444444")
    axes.tick_params(axis="x", pad=8)  # clear of the lowest label of the other axis


def spread_apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions nearest to the wanted ones, at least `gap` apart, between `low` and `high`.

    Neighbours that are too close are moved apart evenly; with too little room the gap shrinks.
    """
    if not len(wanted):
        return []
    gap = min(gap, (high - low) / max(len(wanted) - 1, 1))
    order = np.argsort(wanted, kind="stable")
    blocks: list[list[float]] = []  # each [centre of the block's wanted positions, count]
    for value in np.asarray(wanted, float)[order]:
        blocks.append([float(value), 1.0])
        while len(blocks) > 1 and _top(blocks[-2], gap, low, high) + gap > _bottom(
            blocks[-1], gap, low, high
        ):
            centre, count = blocks.pop()
            other, before = blocks[-1]
            blocks[-1] = [(other * before + centre * count) / (before + count), before + count]
    placed = [_bottom(block, gap, low, high) + gap * k for block in blocks for k in range(int(block[1]))]
    result = [0.0] * len(placed)
    for position, index in zip(placed, order, strict=True):
        result[int(index)] = position
    return result


def _bottom(block: list[float], gap: float, low: float, high: float) -> float:
    height = gap * (block[1] - 1)
    return float(np.clip(block[0] - height / 2, low, max(high - height, low)))


def _top(block: list[float], gap: float, low: float, high: float) -> float:
    return _bottom(block, gap, low, high) + gap * (block[1] - 1)


def label_ends(axes: Axes, ends: Sequence[tuple[str, float, str, bool]]) -> None:
    """Write each line's name beside its end, none upon another: (text, y, colour, bold)."""
    low, high = axes.get_ylim()
    beside = axes.get_yaxis_transform()
    gap = (high - low) * LABEL_GAP / size_in_points(axes)[1]
    places = spread_apart([y for _, y, _, _ in ends], gap, low, high)
    shades = [readable(colour) for _, _, colour, _ in ends]
    for (text, _, _, bold), place, shade in zip(ends, places, shades, strict=True):
        axes.text(
            1.022, place, text, transform=beside, va="center", fontsize=9.5 if bold else 8.5,
            fontweight="bold" if bold else "normal", color=shade, parse_math=False,
        )  # fmt: skip
    draw_leaders(axes, beside, [((1, e[1]), (1.018, y)) for e, y in zip(ends, places, strict=True)], shades)


def legend_beside(axes: Axes, entries: Sequence[tuple[Any, str]]) -> None:
    """Names of the lines at the right of the axes, the last drawn first.

    The names are handed over with their lines: of those that lines carry, matplotlib hides some by their
    first letter.
    """
    lines, labels = [line for line, _ in entries], [label for _, label in entries]
    found = axes.legend(
        lines[::-1], labels[::-1], loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False,
        fontsize=9.5, labelcolor=INK,
    )  # fmt: skip
    for text in found.get_texts():
        text.set_parse_math(False)


def size_in_points(axes: Axes) -> tuple[float, float]:
    """Width and height of axes as they are drawn, in points."""
    figure, extent = axes.get_figure(root=True), axes.get_window_extent()
    scale = 72 / (figure.dpi if figure is not None else 72)
    return extent.width * scale, extent.height * scale


def draw_leaders(axes: Axes, transform: Any, leaders: Sequence[Any], colours: Any) -> None:
    """Thin lines from what is named to its name, outside the axes too; one artist, as many are slow."""
    axes.add_artist(
        LineCollection(leaders, colors=colours, linewidths=0.6, transform=transform, clip_on=False)
    )


def nothing(axes: Axes, headline: str, source: str) -> Axes:
    """A picture that says that there is nothing to show, and nothing else."""
    dress(axes, headline, "There is nothing to show", source)
    axes.set_axis_off()
    return axes
