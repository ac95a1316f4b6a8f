"""What is read of a market's tables to see whether something moved it: one number a run.

A reading counts from a day on, that of what is put to the test, or stands at the end; weeks and columns are
those of the recorded tables, money is million USD.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.figures import Frames, by_run, hires, runs_of, share
from sim.market.opening import open_market
from sim.scenario.schema import Scenario
from sim.system.arrays import Booleans

SEED = 1
M = 1e8  # a million USD, in cents
Reading = Callable[[Frames, Scenario], np.ndarray]
OPENNESS = 0  # the axis of mission


def week_of(scenario: Scenario, day: str) -> int:
    """The week in which a day falls."""
    return scenario.week_of(date.fromisoformat(day))


def counted(lab: str | None, *columns: str, since: str, until: str = "2100-01-01") -> Reading:
    """The sum of columns of the labs table from one day on, before another; of all labs if none is named."""

    def of(frames: Frames, scenario: Scenario) -> np.ndarray:
        labs = frames["labs"]
        weeks = range(week_of(scenario, since), min(week_of(scenario, until), scenario.horizon))
        mine = labs[labs["week"].isin(weeks) & ((labs["lab"] == lab) | (lab is None))]
        return by_run(mine.groupby("run")[list(columns)].sum().sum(axis=1), runs_of(frames))

    return of


def moves(lab: str, since: str, until: str = "2100-01-01") -> Reading:
    """People who leave a lab for a rival."""
    return counted(lab, "left_rival", since=since, until=until)


def at_the_end(lab: str, column: str, unit: float = 1.0) -> Reading:
    """A column of the labs table in the last week."""

    def of(frames: Frames, scenario: Scenario) -> np.ndarray:
        labs = frames["labs"]
        mine = labs[(labs["lab"] == lab) & (labs["week"] == scenario.horizon - 1)]
        return by_run(mine.set_index("run")[column], runs_of(frames)) / unit

    return of


def in_week_of(day: str, lab: str, column: str) -> Reading:
    """A column of the labs table in the week of a day."""

    def of(frames: Frames, scenario: Scenario) -> np.ndarray:
        labs = frames["labs"]
        mine = labs[(labs["lab"] == lab) & (labs["week"] == week_of(scenario, day))]
        return by_run(mine.set_index("run")[column], runs_of(frames))

    return of


def new_labs(known: frozenset[str]) -> Reading:
    """Staff at the end of the labs that are not among those known."""

    def of(frames: Frames, scenario: Scenario) -> np.ndarray:
        labs = frames["labs"]
        mine = labs[(labs["week"] == scenario.horizon - 1) & ~labs["lab"].isin(known)]
        return by_run(mine.groupby("run")["headcount"].sum(), runs_of(frames))

    return of


def talent(lab: str, unit: str | None = None, day: str | None = None) -> Reading:
    """The talent of those at a lab, or in its unit, on a day or at the end."""

    def of(frames: Frames, scenario: Scenario) -> np.ndarray:
        spells = frames["spells"]
        there = spells["censored"] if day is None else _there(frames, week_of(scenario, day))
        mine = spells[there & (spells["lab"] == lab)]
        in_unit = _unit_then(frames, mine, scenario.horizon if day is None else week_of(scenario, day))
        mine = mine[(in_unit == unit) | (unit is None)]
        return by_run(mine.groupby("run")["talent"].sum(), runs_of(frames))

    return of


def _there(frames: Frames, week: int) -> pd.Series:
    spells = frames["spells"]
    return (spells["start_week"] <= week) & (spells["end_week"].isna() | (spells["end_week"] > week))


def _unit_then(frames: Frames, spells: pd.DataFrame, week: int) -> pd.Series:
    """The unit of each spell in a week: `spells` name the last, `transfers` what was before."""
    key = ["run", "researcher", "start_week"]
    later = frames["transfers"][frames["transfers"]["week"] > week].drop_duplicates(key)
    before = spells.reset_index().merge(later[[*key, "from_unit"]], on=key, how="left").set_index("index")
    return before["from_unit"].astype(object).fillna(before["unit"].astype(object)).reindex(spells.index)


def left_unit(lab: str, unit: str, since: str) -> Reading:
    """People who leave a unit for a rival."""

    def of(frames: Frames, scenario: Scenario) -> np.ndarray:
        mine = _moved(frames, week_of(scenario, since))
        mine = mine[(mine["lab"] == lab) & (mine["unit"] == unit)]
        return by_run(mine["run"].value_counts(), runs_of(frames))

    return of


def _moved(frames: Frames, week: int) -> pd.DataFrame:
    spells = frames["spells"]
    return spells[(spells["cause"] == "rival") & (spells["end_week"] >= week)]


def hired_from(lab: str, origin: str, since: str, least_talent: float = 0.0) -> Reading:
    """People whom a lab hires from another, of some talent at least."""

    def of(frames: Frames, scenario: Scenario) -> np.ndarray:
        mine = _moved(frames, week_of(scenario, since))
        mine = mine[(mine["next_lab"] == lab) & (mine["lab"] == origin) & (mine["talent"] >= least_talent)]
        return by_run(mine["run"].value_counts(), runs_of(frames))

    return of


def campaign(name: str, read: str) -> Reading:
    """Of a campaign: how many accept, or the largest package that it offers, million USD."""

    def of(frames: Frames, _: Scenario) -> np.ndarray:
        offers = frames["offers"]
        mine = offers[offers["campaign"] == name]
        package = (mine["sign_on_cents"] + mine["grant_cents"]).groupby(mine["run"]).max() / M
        taken = mine[mine["outcome"] == "accepted"]["run"].value_counts()
        return by_run({"accepted": taken, "largest": package}[read], runs_of(frames))

    return of


def weeks_to_start(lab: str, since: str) -> Reading:
    """Mean weeks from contact to start of a lab's ordinary hires who were contacted since a day."""

    def of(frames: Frames, scenario: Scenario) -> np.ndarray:
        offers = frames["offers"]
        mine = offers[(offers["lab"] == lab) & offers["campaign"].isna() & offers["start_week"].notna()]
        mine = mine[mine["contact_week"] >= week_of(scenario, since)]
        took = (mine["start_week"] - mine["contact_week"]).groupby(mine["run"]).mean()
        return took.reindex(range(runs_of(frames))).to_numpy(float)

    return of


def _cares(frames: Frames, scenario: Scenario, rows: pd.DataFrame) -> Booleans:
    """Whether openness means more to each than to the average researcher, 0."""
    market = open_market(scenario, SEED, np.arange(runs_of(frames)))
    tastes = market.researchers.mission[:, OPENNESS].reshape(len(market.runs), -1)
    return np.asarray(tastes[rows["run"], rows["researcher"]] > 0)


def open_minded_leavers(lab: str, since: str) -> Reading:
    """People who leave a lab for a rival and to whom openness means more than to the average."""

    def of(frames: Frames, scenario: Scenario) -> np.ndarray:
        mine = _moved(frames, week_of(scenario, since))
        mine = mine[mine["lab"] == lab]
        return by_run(mine[_cares(frames, scenario, mine)]["run"].value_counts(), runs_of(frames))

    return of


def open_minded_hires(lab: str, since: str) -> Reading:
    """Share of a lab's hires to whom openness means more than to the average."""

    def of(frames: Frames, scenario: Scenario) -> np.ndarray:
        mine: Any = hires(frames, lab)
        mine = mine[mine["start_week"] >= week_of(scenario, since)]
        return share(mine[_cares(frames, scenario, mine)]["run"], mine["run"], runs_of(frames))

    return of
