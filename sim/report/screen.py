"""The summary on screen: what came of each campaign, a table by lab, and where the files are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sim.analysis import compare as comparing
from sim.analysis.ensemble import FUNNEL
from sim.report.prose import counted
from sim.report.sentences import failing_sentence, fitted_sentence, nine_of_ten
from sim.scenario.schema import Scenario


def print_summary(
    scenario: Scenario, summary: dict[str, Any], folder: Path | None, console: Console | None = None
) -> None:
    """Print the summary of a result for people.

    Args:
        scenario: what was run.
        summary: as in `summary.json`.
        folder: where the files are, if they are kept.
        console: where to print; standard output if not given.
    """
    out = console or Console(soft_wrap=False)
    runs = summary["runs"] - summary["failed"]
    out.print(Text(scenario.title, style="bold"))
    failed = f"{runs:,} of " if summary["failed"] else ""
    asked, weeks = counted(summary["runs"], "run"), counted(summary["weeks"], "week")
    out.print(f"{failed}{asked} of {weeks}, seed {summary['seed']}")
    out.print()
    for name, campaign in summary["campaigns"].items():
        out.print(Text(campaign_sentence(scenario, name, campaign, runs)))
    if failing := failing_sentence(scenario, summary.get("failed_labs", {}), runs):
        out.print(Text(failing, style="bold"))
    out.print(_labs_table(scenario, summary["labs"], runs))
    if scenario.market.interviews.interest == "on":
        out.print(_funnel_table(scenario, summary["labs"], runs))
    if fitted := fitted_sentence(scenario):
        out.print(Text(fitted, style="dim"))
    if folder is not None:
        out.print(
            Text(
                f"Written to {folder}/: hiring.png, retention.png, summary.json and the tables", style="bold"
            )
        )


def print_checks(checks: Sequence[Any], console: Console | None = None) -> None:
    """Print what `theory.verify` found: theory and simulation side by side, with distance and verdict."""
    out = console or Console()
    table = _table(
        "oracle", "figure", "theory", "market", "s.e.", "z", "", caption="z: distance in standard errors"
    )
    table.columns[1].no_wrap = False  # a long name takes two lines rather than the verdict's place
    for check in checks:
        verdict = Text("ok", style="green") if check.passed else Text("SHORT", style="bold red")
        table.add_row(
            check.oracle,
            Text(check.figure),
            f"{check.expected:.5f}",
            f"{check.simulated:.5f}",
            f"{check.standard_error:.0e}",
            f"{check.z:.2f}",
            verdict,
        )
    out.print(table)
    failed = sum(not check.passed for check in checks)
    out.print(f"{len(checks) - failed} of {len(checks)} figures agree with theory (|z| below 4)")


def print_comparison(
    rows: Sequence[dict[str, Any]], manifest: dict[str, Any], folder: Path, console: Console | None = None
) -> None:
    """Print the main rows of a comparison: those whose interval leaves zero out, and how far chance goes.

    Args:
        rows: of `comparison.parquet`.
        manifest: of its folder.
        folder: where the files are.
        console: where to print; standard output if not given.
    """
    out = console or Console()
    base = next(iter(manifest["variants"]))
    for other in list(manifest["variants"])[1:]:
        mine = [row for row in rows if row["other"] == other]
        out.print(Text(f"{other} less {base}", style="bold"))
        out.print(Text(f"{_pairs(manifest['runs'])}, seed {manifest['seed']}"))
        shown = [row for row in mine if _is_shown(row, manifest["runs"])]
        names = list(dict.fromkeys(row["name"] for row in shown))
        shown.sort(key=lambda row: names.index(row["name"]))  # costs stand below the figures of their lab
        _print_by_name(out, shown)
        out.print(Text(_said_of_chance(comparing.chance(mine), manifest["runs"])), style="dim")
        out.print()
    out.print(Text(f"Written to {folder}/: comparison.parquet has every figure", style="bold"))


def _pairs(runs: int) -> str:
    return f"{runs} pairs of runs" if runs > 1 else "one pair of runs"


def _is_shown(row: dict[str, Any], runs: int) -> bool:
    """Whether a row of a comparison is shown; of a single pair of runs, every main figure that differs."""
    if row["figure"] in comparing.COSTS:
        return row["lower"] is not None
    if row["figure"] not in comparing.MAIN or row["difference"] is None:
        return False
    return comparing.leaves_zero_out(row) if runs > 1 else bool(row["difference"])


def _print_by_name(out: Console, rows: Sequence[dict[str, Any]]) -> None:
    """Print figures below the lab or campaign that they are of, whose name has a line of its own.

    A name or figure that is too long for the screen goes on in the next line; none is cut.
    """
    cells = [(row["figure"], _level(row["base_mean"]), *_difference(row)) for row in rows]
    heads = ("figure", "base", "difference", "95 %", "interval")
    widths = [max(len(text) for text in column) for column in zip(heads, *cells, strict=True)]
    widths[0] = max(min(widths[0], out.width - sum(widths[1:]) - 4), 8)
    for name, block in groupby(zip(rows, cells, strict=True), key=lambda pair: pair[0]["name"]):
        table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, show_header=name == rows[0]["name"])
        table.add_column(heads[0], overflow="fold", width=widths[0])
        for head, width in zip(heads[1:], widths[1:], strict=True):
            table.add_column(head, justify="right", no_wrap=True, min_width=width)
        for _, texts in block:
            table.add_row(*map(Text, texts))
        out.print(Text(name, style="bold"))
        out.print(table)


def _said_of_chance(found: comparing.Chance, runs: int) -> str:
    if runs == 1:
        return "One pair of runs has no interval: nothing here tells a difference from chance."
    if not found.figures:
        return "No main figure differs in any run."
    some = f"{found.figures} main figure{'s' if found.figures > 1 else ''} that differ in some run"
    return (
        f"Shown are {found.clear} of {some}: those whose interval leaves zero out. If nothing differed "
        f"but by chance, some {found.by_chance:.1f} of the {found.figures} would (5 %). "
        "Base: mean, or share retained, under the first scenario."
    )


def print_sweep(
    rows: Sequence[dict[str, Any]], manifest: dict[str, Any], folder: Path, console: Console | None = None
) -> None:
    """Print hires by variant and lab, and what each campaign gains.

    Args:
        rows: of `sweep.parquet`.
        manifest: of its folder.
        folder: where the files are.
        console: where to print; standard output if not given.
    """
    out = console or Console()
    variants, runs = counted(len(manifest["points"]), "variant"), counted(manifest["runs"], "run")
    out.print(f"{variants} of {runs}, seed {manifest['seed']}")
    points = dict(zip(manifest["variants"], manifest["points"], strict=True))
    caption = "means over runs" if manifest["runs"] > 1 else "one run each"
    table = _table("variant", "campaigns gain", "all labs hire", caption=caption)
    for variant, point in points.items():
        mine = [row for row in rows if row["variant"] == variant]
        values = ", ".join(f"{path.split('.')[-1]}={value}" for path, value in point.items())
        table.add_row(
            Text(values),
            *(
                f"{sum(row['mean'] or 0 for row in mine if (row['kind'], row['figure']) == wanted):,.1f}"
                for wanted in (("campaign", "accepted"), ("lab", "hires"))
            ),
        )
    out.print(table)
    out.print(Text(f"Written to {folder}/: sweep.parquet has every figure of every variant", style="bold"))


def _difference(row: dict[str, Any]) -> tuple[str, str, str]:
    """Difference and both ends of its interval; a cost is an amount, not a difference."""
    write = _level if row["figure"] in comparing.COSTS else _signed
    return write(row["difference"]), write(row["lower"]), write(row["upper"])


def _level(number: float | None) -> str:
    """A number to three digits, large ones with their size: 12.3M."""
    if number is None:
        return "-"
    sign = "-" if number < 0 else ""
    return sign + (_usd(abs(number)) if abs(number) >= 1000 else f"{abs(number):.3g}")


def _signed(number: float | None) -> str:
    return f"+{_level(number)}" if number is not None and number >= 0 else _level(number)


def campaign_sentence(scenario: Scenario, name: str, campaign: dict[str, Any], runs: int) -> str:
    """What came of a campaign in so many runs, in words."""
    event = next(e.campaign for e in scenario.events if e.campaign is not None and e.campaign.name == name)
    lab, target = scenario.labs[event.lab].label, scenario.labs[event.target].label
    begin = "In the median run " if runs > 1 else ""
    if not campaign["offered"]["p50"]:
        return f"{begin}{lab} makes no offers at {target}."
    accepted, rate = campaign["accepted"], campaign["acceptance_rate"]["mean"]
    largest, half = _usd(campaign["largest_package_usd"]["p50"]), _usd(campaign["median_package_usd"]["p50"])
    among = f"{_range(accepted)} in {nine_of_ten(runs)}, " if runs > 1 else ""
    share = _percent(rate) + (" on average" if runs > 1 else "")
    offered, joined, others = (round(campaign[key]["p50"]) for key in ("offered", "accepted", "followers"))
    accept, follow = ("accepts" if joined == 1 else "accept"), ("follows" if others == 1 else "follow")
    return (
        f"{begin}{lab} offers {counted(offered, f'{target} researcher')} up to {largest} USD each "
        f"(half of them {half} or more), and {joined} {accept}: {among}{share}; "
        f"{counted(others, 'other')} {follow} them."
    )


def _labs_table(scenario: Scenario, labs: dict[str, Any], runs: int) -> Table:
    spreads = f"medians over runs, in brackets {nine_of_ten(runs)}; " if runs > 1 else ""
    caption = (
        f"{spreads}taken: share of offers accepted; stay: hires still there after 24 months; spent in USD"
    )
    table = _table("lab", "staff", "hires", "leave", "offers", "taken", "stay", "spent", caption=caption)
    for name, figures in labs.items():
        among = f" ({_range(figures['hires'])})" if runs > 1 else ""
        table.add_row(
            Text(scenario.labs[name].label),
            f"{figures['headcount_end']['p50']:.0f}",
            f"{figures['hires']['p50']:.0f}{among}",
            f"{figures['departures']['p50']:.0f}",
            f"{figures['offers']['p50']:,.0f}",
            _percent(figures["acceptance_rate"]["p50"]),
            _percent(figures["retention"]["new_hires_24m"]["estimate"]),
            _usd(figures["spend_usd"]["p50"]),
        )
    return table


def _funnel_table(scenario: Scenario, labs: dict[str, Any], runs: int) -> Table:
    """How many come as far as each stage, from approach to acceptance; folders of before have not all."""
    caption = "from first approach to accepted offer" + (", medians over runs" if runs > 1 else "")
    stages = [stage for stage in FUNNEL if all(stage in figures for figures in labs.values())]
    table = _table(
        "lab", *("approached" if stage == "contacts" else stage for stage in stages), caption=caption
    )
    for name, figures in labs.items():
        counts = (f"{figures[stage]['p50']:,.0f}" for stage in stages)
        table.add_row(Text(scenario.labs[name].label), *counts)
    return table


def _table(first: str, *headings: str, caption: str) -> Table:
    """A table that fits into 80 columns: names at the left, long ones in several lines, then numbers."""
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), caption=caption, caption_justify="left", pad_edge=False
    )
    table.add_column(first, overflow="fold")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _range(spread: dict[str, float]) -> str:
    return f"{spread['p05']:.0f} to {spread['p95']:.0f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"


def _usd(amount: float | None) -> str:
    """A sum of money in USD to three digits."""
    if amount is None:
        return "-"
    for size, word in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if amount >= size:
            return f"{amount / size:.3g}{word}"
    return f"{amount:.0f}"
