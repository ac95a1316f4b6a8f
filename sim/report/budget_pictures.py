"""Pictures of money for talent: what labs have, what they promised, and how scarce it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sim.analysis.counts import Panel
from sim.analysis.statements import QUARTER, Statement, talent_statement
from sim.report import pictures, style
from sim.report.postings import posting_words
from sim.report.sentences import source_line
from sim.scenario.errors import shown, suggestion
from sim.scenario.quantities import format_money
from sim.scenario.schema import Scenario
from sim.system.arrays import Floats

BUDGET_FRAME = (0.085, 0.115, 0.68, 0.745)
STATEMENT_FRAME = (0.095, 0.115, 0.66, 0.745)  # its numbers have a sign
# of postings to a talent account, each in a colour of its own; others are grey
KINDS = (
    "inflow", "grant", "refresh", "forfeit", "payroll", "retention", "sign_on", "swept", "shortfall",
    "clawback", "first_year_base", "seed",
)  # fmt: skip
STRIP, GAP = 17.0, 34.0  # points, of a lab's row of hurdle rates, and above the rows
DASHES = (0, (4, 1.5))
BELOW = 34  # points from the axes to the source line


def plot_budget(scenario: Scenario, labs: Any, ax: Axes | None = None) -> Axes:
    """Cash of each lab's talent budget over time, and what of it is committed: median and 90 % band.

    Below, for the labs with a colour whose money was ever short, how far the hurdle rate lowers what a hire
    is worth to them, week by week.

    Args:
        scenario: what was run.
        labs: recorded table.
        ax: axes to draw on; new ones if not given.
    """
    axes = ax if ax is not None else style.new_axes(BUDGET_FRAME)
    if not labs.num_rows:
        return style.nothing(axes, "No weeks were recorded", source_line(scenario))
    panel = Panel.of(labs, list(scenario.labs))
    days, palette, ends = pictures.ends_of(panel.dates), style.colours(panel.labs), []
    taken = _hurdles(axes, scenario, panel, [lab for lab in panel.labs if palette[lab] != style.GREY])
    cash = _bands(panel, "cash_cents")
    committed = _bands(panel, "committed_cents")
    for j in reversed(range(len(panel.labs))):
        lab, colour = panel.labs[j], palette[panel.labs[j]]
        known = colour != style.GREY
        band = len(panel.runs) > 1
        pictures.draw_line(axes, days, cash[..., j], colour, band=band)
        if known and committed[2, :, j].any():
            pictures.draw_line(axes, days, committed[..., j], colour, band=band, dashes=DASHES)
        last = float(cash[1, -1, j])
        ends.append(
            (
                f"{pictures.short_name(scenario, lab)}  {_money(last).removesuffix(' USD')}",
                last,
                colour,
                known,
            )
        )
    axes.set_ylim(min(0.0, float(cash.min())), max(float(max(cash.max(), committed.max())) * 1.04, 1.0))
    axes.yaxis.set_major_locator(MaxNLocator(7))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _money(value)))
    pictures.date_axis(axes, days)
    style.label_ends(axes, ends)
    richest = int(np.argmax(cash[1, -1]))
    label, most = pictures.short_name(scenario, panel.labs[richest]), _money(cash[1, -1, richest])
    words = "Cash for talent by lab; dashed: committed to offers and campaigns"
    headline, over = f"{label} has most left for talent: {most}", pictures.over_runs(len(panel.runs))
    style.dress(axes, headline, words + over, source_line(scenario), below=BELOW + taken)
    return axes


def plot_statement(scenario: Scenario, labs: Any, ledger: Any, lab: str, ax: Axes | None = None) -> Axes:
    """A lab's talent account by quarter: what came in and what went out, mean over runs; cash as a line.

    Args:
        scenario: what was run.
        labs: recorded table.
        ledger: recorded table of the same runs; above 200 runs postings are kept only on demand.
        lab: whose account.
        ax: axes to draw on; new ones if not given.

    Raises:
        ValueError: if there is no such lab.
    """
    if lab not in scenario.labs:
        raise ValueError(f"unknown lab {shown(lab)}: {suggestion(lab, scenario.labs, 'labs')}")
    axes = ax if ax is not None else style.new_axes(STATEMENT_FRAME)
    if not ledger.num_rows or not labs.num_rows:
        return style.nothing(axes, "No postings were kept", source_line(scenario))
    panel = Panel.of(labs, list(scenario.labs))
    days, own = pictures.ends_of(panel.dates), panel.labs.index(lab)
    taken = _hurdles(axes, scenario, panel, [lab])
    found = talent_statement(ledger, lab, len(panel.runs), len(panel.weeks))
    entries = _stacks(axes, found, days)
    for words, column, dashes in (("committed", "committed_cents", DASHES), ("cash", "cash_cents", "-")):
        bands = _bands(panel, column)[..., own]
        pictures.draw_line(axes, days, bands, style.INK, band=len(panel.runs) > 1, dashes=dashes)
        entries.insert(0, (axes.lines[-1], words))
    axes.axhline(0, color=style.INK, linewidth=0.8)
    axes.yaxis.set_major_locator(MaxNLocator(8))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _money(value)))
    pictures.date_axis(axes, days)
    style.legend_beside(axes, entries[::-1])
    headline = _statement_headline(pictures.short_name(scenario, lab), found)
    over = f"mean of {len(panel.runs)} runs" if len(panel.runs) > 1 else "one run"
    words = f"Its talent account. Bars: money in and out by quarter, {over}; lines: what it holds, median"
    style.dress(axes, headline, words, source_line(scenario), below=BELOW + taken)
    return axes


def _statement_headline(label: str, found: Statement) -> str:
    """What most was spent on; what goes back to the treasury is not spent."""
    spent = {kind: -float(sums.sum()) for kind, sums in found.sums.items() if kind != "swept"}
    most = max(spent, key=lambda kind: spent[kind], default="")
    if not most or spent[most] <= 0:
        return f"{label} spends nothing on talent"
    return f"{label} spends most on {posting_words(most)}: {_money(spent[most])}"


def _stacks(axes: Axes, found: Statement, days: Floats) -> list[tuple[Any, str]]:
    """Bars of what came in, upwards, and went out, downwards; entries for the legend, from the top."""
    ends = [min(QUARTER * (q + 1), len(days)) - 1 for q in range(len(found.balance))]
    right = days[ends]
    left = np.concatenate([[days[0] - 7], right[:-1]])
    order = [*(kind for kind in KINDS if kind in found.sums), *sorted(found.sums.keys() - set(KINDS))]
    colours = dict(zip(KINDS, (*style.COLOURS, *style.PALE), strict=True))
    entries = {}
    for sign in (1, -1):
        base = np.zeros(len(ends))
        for kind in (kind for kind in order if sign * float(found.sums[kind].sum()) > 0):
            height = found.sums[kind]
            colour = colours.get(kind, style.GREY)
            bars = axes.bar(
                left + 4, height, right - left - 8, bottom=base, align="edge", color=colour, linewidth=0
            )
            entries[kind] = (bars, posting_words(kind))
            base += height
    into = [kind for kind in entries if found.sums[kind].sum() > 0]
    out = [kind for kind in entries if kind not in into]
    return [entries[kind] for kind in [*into[::-1], *out]]


def _hurdles(axes: Axes, scenario: Scenario, panel: Panel, labs: list[str]) -> float:
    """Rows below the axes, which shrink for them: how far mu lowered a hire's worth, by lab and week.

    A lab whose money was never short has no row; there are as many as leave room for the labels above.

    Returns:
        Height of what was drawn, in points; 0 where there was nothing to draw.
    """
    hurdle, priced = panel.column("hurdle"), panel.column("priced") > 0
    height = style.size_in_points(axes)[1]
    room = int((height - GAP - style.LABEL_GAP * max(len(panel.labs), 8)) // STRIP)
    rows_of = [lab for lab in labs if (hurdle[..., panel.labs.index(lab)] > 0).any()][: max(room, 0)]
    if not rows_of:
        return 0.0
    taken = GAP + STRIP * len(rows_of)
    x0, y0, width, tall = axes.get_position().bounds
    axes.set_position((x0, y0 + tall * taken / height, width, tall * (1 - taken / height)))
    axes.tick_params(axis="x", labelbottom=False)
    rows = axes.figure.add_axes((x0, y0, width, tall * STRIP * len(rows_of) / height))
    places = [panel.labs.index(lab) for lab in rows_of]
    lowered = np.where(priced, hurdle / (1 + hurdle), np.nan)[..., places]  # of each dollar of worth
    weeks = np.isfinite(lowered).any(axis=0)
    mean = np.nansum(lowered, axis=0) / np.maximum(np.isfinite(lowered).sum(axis=0), 1)
    _paint(rows, panel, rows_of, np.where(weeks, mean, 0.0).T)
    for place, (j, lab) in enumerate(zip(places, rows_of, strict=True)):
        mine, asked = hurdle[..., j], priced[..., j]
        words = f"{np.median(mine[mine > 0]):.2g}, {100 * (mine[asked] > 0).mean():.0f} %"
        rows.text(
            1.022, place, f"{pictures.short_name(scenario, lab)}  {words}", va="center", fontsize=8.5,
            color=style.readable(style.colours(panel.labs)[lab]), transform=rows.get_yaxis_transform(),
            parse_math=False,
        )  # fmt: skip
    rows.annotate(
        "Hurdle rate μ; darkness: μ / (1 + μ), what it takes of a hire's worth. "
        "Right: median μ where it binds, share of weeks",
        (0, 1), (0, 6), xycoords="axes fraction", textcoords="offset points", va="bottom", fontsize=8,
        color=style.QUIET,
    )  # fmt: skip
    return taken


def _paint(rows: Axes, panel: Panel, labs: list[str], share: Floats) -> None:
    """A row for each lab in its colour, as dark as the share of worth that the hurdle rate takes (L, W)."""
    days, palette = pictures.ends_of(panel.dates), style.colours(panel.labs)
    image = np.ones((*share.shape, 4))
    for row, lab in enumerate(labs):
        image[row, :, :3] = to_rgb(palette[lab] if palette[lab] != style.GREY else style.INK)
    image[..., 3] = share
    rows.imshow(
        image, aspect="auto", interpolation="nearest",
        extent=(days[0] - 7, days[-1], len(labs) - 0.5, -0.5),
    )  # fmt: skip
    pictures.date_axis(rows, days)
    rows.set_yticks([])
    for edge in np.arange(0.5, len(labs) - 1):
        rows.axhline(edge, color="white", linewidth=3)
    for side in ("top", "right", "left"):
        rows.spines[side].set_visible(False)
    rows.spines["bottom"].set_color("#888888")
    rows.set_facecolor("#f4f4f4")
    rows.tick_params(axis="both", length=0, labelsize=9.5, colors="#444444", pad=8)


def _bands(panel: Panel, column: str) -> Floats:
    """5th percentile, median and 95th percentile over runs of a column of cents, in USD (3, W, L)."""
    found: Floats = np.percentile(panel.column(column), (5, 50, 95), axis=0) / 100
    return found


def _money(dollars: Any) -> str:
    return format_money(round(float(dollars) * 100))
