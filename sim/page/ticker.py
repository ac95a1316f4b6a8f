"""The ticker: the latest offers of a run, a sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from sim.analysis.places import pool_of
from sim.report.places import outside_words
from sim.scenario.quantities import format_money
from sim.scenario.schema import Scenario
from sim.system.tables import numbers

SIGNIFICANT = 2  # digits of a sum of money, as a newspaper prints it


@dataclass(frozen=True)
class Line:
    """A sentence of the ticker, the first day of its week, and whom it is about."""

    day: date
    text: str
    researcher: int
    accepted: bool


def ticker(scenario: Scenario, offers: Any, most: int = 12, campaigns_only: bool = False) -> list[Line]:
    """The latest offers that were decided, the last first; among those of one week the dearest first.

    Args:
        scenario: what was run.
        offers: recorded table of one run.
        most: how many at most.
        campaigns_only: leave out offers that belong to no campaign.
    """
    decided = offers.filter(pa.compute.is_valid(offers.column("decision_week")))
    if campaigns_only:
        decided = decided.filter(pa.compute.is_valid(decided.column("campaign")))
    week = numbers(decided.column("decision_week"))
    worth = numbers(decided.column("sign_on_cents")) + numbers(decided.column("grant_cents"))
    latest = np.lexsort((-worth, -week.astype(np.int64)))[:most]
    return [_line(scenario, row) for row in decided.take(latest).to_pylist()]


def _line(scenario: Scenario, row: Mapping[str, Any]) -> Line:
    day = scenario.start + timedelta(weeks=row["decision_week"])
    return Line(day, sentence(scenario, row), row["researcher"], row["outcome"] == "accepted")


def sentence(scenario: Scenario, offer: Mapping[str, Any]) -> str:
    """A row of the table `offers` in words: what is offered to whom, the answer, and how it ends."""
    labels = {name: lab.label for name, lab in scenario.labs.items()}
    package = offer["sign_on_cents"] + offer["grant_cents"]
    terms = _money(package) if package else f"{_money(offer['base_cents'])} a year and no package"
    origin, pool = labels.get(offer["origin"]), pool_of(offer["origin"])
    where = f" of {origin}" if origin else f" {outside_words(pool)}" if pool else ""
    who = f"researcher {offer['researcher']}{where}"
    parts = [f"{labels[offer['lab']]} offers {terms} to {who}"]
    if origin and offer["counter_week"] is not None:
        parts.append(
            f"{origin} counters with {_money(offer['counter_cents'])}"
            if offer["counter_cents"]
            else f"{origin} matches without money"
        )
    parts.append(_ending(offer["outcome"], origin is not None))
    return "; ".join(parts)


def _ending(outcome: str, employed: bool) -> str:
    if outcome == "accepted":
        return "goes" if employed else "comes"
    if outcome == "declined":
        return "stays" if employed else "declines"
    return "the offer lapses" if outcome == "lapsed" else outcome


def _money(cents: int) -> str:
    return format_money(cents, SIGNIFICANT)
