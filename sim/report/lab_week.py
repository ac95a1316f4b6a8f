"""A lab's week in sentences and tables: whom it approached, at what prices, and what became of its money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sim.report.places import pool_title
from sim.report.postings import posting_words
from sim.report.prose import columns, counted, readable, sentences, usd
from sim.scenario.quantities import format_money

Story = dict[str, Any]

RULES = {
    "shocks.happen": "events",
    "births.open_labs": "new labs",
    "payroll.pay": "inflows and payroll",
    "refreshers.grant": "refreshers and rises",
    "pricing.make_offers": "offers written",
    "counteroffers.answer": "counter-offers",
    "moves.carry_out": "moves and promises",
    "pay_equity.react": "raises for peers",
    "separations.leave": "departures",
}


def lab_week(story: Story, where: str) -> list[str]:
    """The paragraphs of a lab's week; `where` names the run."""
    label, count = story["label"], story["headcount"]
    told = [f"{label} in the week of {story['date']} ({where})"]
    state = "It hires nobody: it is frozen." if story["frozen"] else ""
    if story["failed"]:
        state = "It has failed or is not open."
    people = f"{label} has {counted(count['before'], 'researcher')} when the week begins and "
    contacts = f"It contacts {counted(story['contacted'], 'researcher')}"
    told.append(
        sentences(
            f"{people}{count['after']} when it ends.", state,
            f"{contacts} and takes {len(story['shortlist'])} of them further.",
        )
    )  # fmt: skip
    if story["shortlist"]:
        told.append(_approaches("Approached", story["shortlist"]))
    if story["invited"]:
        told.append(_approaches("Asked by newcomers to follow", story["invited"]))
    told.append(sentences(_budget(story), _multipliers(story["prices"])))
    if story["prices"]:
        told.append(_prices(story["prices"]))
    if story["settled"]:
        told.append("Answers and starts\n" + _settled(story["settled"]))
    told.append(_money(story["money"]))
    return told


def _approaches(title: str, found: Sequence[Story]) -> str:
    rows = [("researcher", "at", "for unit", "campaign", "asked by", "worth a year")]
    rows += [
        (
            str(one["researcher"]), _from(one), one["unit"], one["campaign"] or "",
            "" if one["inviter"] is None else str(one["inviter"]), usd(one["value_usd_per_year"]),
        )
        for one in found
    ]  # fmt: skip
    return f"{title}\n{columns(rows)}"


def _from(one: Story) -> str:
    """Where somebody is who is approached: a lab, a pool, or outside."""
    return str(one["from"] or (pool_title(one["from_pool"]) if one["from_pool"] else "outside"))


def _budget(story: Story) -> str:
    lines = [f"{format_money(cents)} in {line}" for line, cents in story["budget_cents"].items()]
    return f"It may commit {' and '.join(lines)}."


def _multipliers(prices: Sequence[Story]) -> str:
    """Where money is short, by how much values are lowered."""
    by_line = {price["campaign"]: price["multiplier"] for price in prices}
    told = []
    for campaign, multiplier in by_line.items():
        line = "ordinary hiring" if campaign is None else campaign
        if multiplier > 0:
            told.append(f"In {line} money is short: values are divided by {1 + multiplier:.3g}.")
        else:
            told.append(f"In {line} the budget does not bind.")
    return " ".join(told) if told else "No approach is due for an offer."


def _prices(prices: Sequence[Story]) -> str:
    rows: list[tuple[str, ...]] = [
        ("researcher", "worth a year", "needs a year", "costs a year", "chance", "base a year", "package")
    ]
    for price in prices:
        offer = price["offer"]
        rows.append(
            (
                str(price["researcher"]),
                *(usd(price[f"{name}_usd_per_year"]) for name in ("value", "reservation", "cost")),
                f"{100 * price['chance']:.1f} %",
                format_money(offer["base_cents_per_year"]) if offer else "waits",
                format_money(offer["package_cents"]) if offer else "",
            )
        )
    return f"Prices (needs: pay at which half would accept, as the lab guesses)\n{columns(rows)}"


def _settled(offers: Sequence[Story]) -> str:
    rows = [("researcher", "offer", "package", "outcome")]
    rows += [
        (
            str(offer["researcher"]), "" if offer["offer"] is None else str(offer["offer"]),
            format_money(offer["package_cents"]), offer["outcome"],
        )
        for offer in offers
    ]  # fmt: skip
    return columns(rows)


def _money(steps: Sequence[Story]) -> str:
    """Accounts and escrow before and after each rule that changed them."""
    rows = [("money, in USD", "before", "posted", "after")]
    for step in steps:
        rows.append((_rule(step["rule"]), "", "", ""))
        for name, entry in step["accounts"].items():
            account = (
                name.rpartition(":")[2] if name.endswith((":treasury", ":talent")) else name.replace(":", " ")
            )
            rows.append((f"  {account}", _dollars(entry["before_cents"]), "", _dollars(entry["after_cents"])))
            for kind, cents in entry["postings_cents"].items():
                rows.append((f"    {posting_words(kind)}", "", _dollars(cents), ""))
        for line, entry in step["escrow"].items():
            words = f"  promised in {line}"
            rows.append((words, _dollars(entry["before_cents"]), "", _dollars(entry["after_cents"])))
    return columns(rows) if steps else "No rule touched its money."


def _rule(name: str) -> str:
    module, _, function = name.rpartition(".")
    return RULES.get(name, f"{readable(module)}: {readable(function)}")


def _dollars(cents: int) -> str:
    return f"{cents / 100:,.2f}"
