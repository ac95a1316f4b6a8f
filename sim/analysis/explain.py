"""Why somebody moved or stayed: the biography of a researcher, the story of an offer, a lab's week.

The run is lived again with tracing on and must leave the tables that are stored, else nothing is told.
What comes out is the machine form, plain data for JSON; `sim.report.biography` makes sentences of it.
Keys say their units: pay in USD a year, terms and utilities in utils, `_cents` in cents.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np

from sim.analysis.lives import Story
from sim.analysis.telling import Teller
from sim.analysis.tracing import Trace, relive
from sim.market.opening import open_market
from sim.scenario.errors import shown, suggestion
from sim.scenario.schema import Scenario
from sim.system import tables


class CannotExplain(ValueError):
    """What is asked about does not exist, or the run cannot be lived again; the message is one line."""


def explain(
    scenario: Scenario,
    seed: int,
    run: int,
    *,
    researcher: int | None = None,
    offer: int | None = None,
    lab: str | None = None,
    week: str | date | None = None,
    stored: Mapping[str, Any] | None = None,
    log: bool = True,
) -> Story:
    """Live through a run again and tell of a researcher, of an offer, or of a lab's week.

    Args:
        scenario: what was run.
        seed: seed of the ensemble.
        run: number of the run.
        researcher: number of a researcher, for a biography.
        offer: number of an offer within the run, as in the table of offers.
        lab: a lab; `week` then is a day of the week that is asked about.
        week: see `lab`.
        stored: the run's rows of each table, if they are kept.
        log: whether the kept tables have every offer and posting; numbers of offers depend on it.

    Raises:
        CannotExplain: for what does not exist, or if the run lived again differs from the stored one.
    """
    if sum(asked is not None for asked in (researcher, offer, lab)) != 1 or (lab is None) != (week is None):
        raise CannotExplain("ask about one thing: a researcher, an offer, or a lab and a week")
    where = (
        None if lab is None or week is None else (_lab_number(scenario, lab), _week_number(scenario, week))
    )
    if researcher is not None:
        _refuse_outside("researcher", researcher, open_market(scenario, seed, np.array([run])).people)
    trace = relive(scenario, seed, run, where, log, researcher)
    _refuse_another_life(trace, run, stored or {}, log)
    teller = Teller(scenario, trace, log)
    if offer is not None:
        _refuse_outside("offer", offer, teller.kept)
    head = {"scenario": scenario.name, "title": scenario.title, "seed": seed, "run": run}
    if trace.lab_week is not None:
        return head | teller.lab_week(trace.lab_week)
    return head | (teller.biography(researcher) if researcher is not None else teller.one_offer(offer or 0))


def _refuse_outside(what: str, number: int, count: int) -> None:
    if not 0 <= number < count:
        there = f"there are {what}s 0 to {count - 1}" if count else f"there are no {what}s"
        raise CannotExplain(f"no {what} {number} in this run: {there}")


def _lab_number(scenario: Scenario, lab: str) -> int:
    if lab not in scenario.labs:
        raise CannotExplain(f"unknown lab {shown(lab)}: {suggestion(lab, scenario.labs, 'labs')}")
    return list(scenario.labs).index(lab)


def _week_number(scenario: Scenario, week: str | date) -> int:
    try:
        day = week if isinstance(week, date) else date.fromisoformat(week)
    except ValueError:
        raise CannotExplain(f"week {shown(week)}: is no day; write for example '{scenario.start}'") from None
    if not scenario.start <= day < scenario.end:
        last = scenario.end - timedelta(days=1)
        raise CannotExplain(f"week {day}: lies outside the horizon, {scenario.start} to {last}")
    return scenario.week_of(day)


def _refuse_another_life(trace: Trace, run: int, stored: Mapping[str, Any], log: bool) -> None:
    """The tables of the run lived again must be those stored, row by row.

    Numbers with a fraction may end in other digits, as another processor rounds them; decisions may not.
    """
    for name, table in stored.items():
        if not log and name == "ledger":
            continue  # without a log no postings are kept
        if not tables.alike(table, trace.recorded[name]):
            raise CannotExplain(
                f"run {run} cannot be explained: lived again, its {name} differ from those stored, so "
                "another version made them, or labs and researchers of your own"
            )
