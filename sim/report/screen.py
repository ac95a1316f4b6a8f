"""The summary on screen: what came of each campaign, a table by lab, and where the files are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sim.scenario.schema import Scenario

FITTED = (
    "Fitted, not predicted: the campaign's acceptance (article.acceptance), retention (R1 to R4), flows and "
    "moves to rivals (R6, R7, K1), headcounts (part of the opening market)."
)


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
    runs = summary["runs"]
    out.print(Text(scenario.title, style="bold"))
    out.print(f"{runs} run{'s' if runs > 1 else ''} of {summary['weeks']} weeks, seed {summary['seed']}")
    out.print()
    for name, campaign in summary["campaigns"].items():
        out.print(Text(campaign_sentence(scenario, name, campaign)))
    out.print(_labs_table(scenario, summary["labs"]))
    out.print(Text(FITTED, style="dim"))
    if folder is not None:
        out.print(
            Text(
                f"Written to {folder}/: hiring.png, retention.png, summary.json and the tables", style="bold"
            )
        )


def print_checks(checks: Sequence[Any], console: Console | None = None) -> None:
    """Print what `sim.verify` found: theory and simulation side by side, with the distance and a verdict."""
    out = console or Console()
    table = _table(
        "oracle", "figure", "theory", "market", "s.e.", "z", "", caption="z: distance in standard errors"
    )
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


def campaign_sentence(scenario: Scenario, name: str, campaign: dict[str, Any]) -> str:
    """What came of a campaign, in words."""
    event = next(e.campaign for e in scenario.events if e.campaign is not None and e.campaign.name == name)
    lab, target = scenario.labs[event.lab].label, scenario.labs[event.target].label
    if not campaign["offered"]["p50"]:
        return f"In the median run {lab} makes no offers at {target}."
    accepted, rate = campaign["accepted"], campaign["acceptance_rate"]["mean"]
    largest, half = _usd(campaign["largest_package_usd"]["p50"]), _usd(campaign["median_package_usd"]["p50"])
    return (
        f"In the median run {lab} offers {campaign['offered']['p50']:.0f} {target} researchers up to "
        f"{largest} USD each (half of them more than {half}), and {accepted['p50']:.0f} accept: "
        f"{_range(accepted)} in nine runs of ten, {_percent(rate)} on average; "
        f"{campaign['followers']['p50']:.0f} others follow them."
    )


def _labs_table(scenario: Scenario, labs: dict[str, Any]) -> Table:
    caption = (
        "medians over runs, in brackets nine runs of ten; taken: share of offers accepted; "
        "stay: hires still there after 24 months; spent in USD"
    )
    table = _table("lab", "staff", "hires", "leave", "offers", "taken", "stay", "spent", caption=caption)
    for name, figures in labs.items():
        table.add_row(
            Text(scenario.labs[name].label),
            f"{figures['headcount_end']['p50']:.0f}",
            f"{figures['hires']['p50']:.0f} ({_range(figures['hires'])})",
            f"{figures['departures']['p50']:.0f}",
            f"{figures['offers']['p50']:,.0f}",
            _percent(figures["acceptance_rate"]["p50"]),
            _percent(figures["retention"]["new_hires_24m"]["estimate"]),
            _usd(figures["spend_usd"]["p50"]),
        )
    return table


def _table(first: str, *headings: str, caption: str) -> Table:
    """A table that fits into 80 columns: names at the left, numbers at the right."""
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), caption=caption, caption_justify="left", pad_edge=False
    )
    table.add_column(first, no_wrap=True)
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
