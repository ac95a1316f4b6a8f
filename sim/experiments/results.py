"""Results: a run of a scenario, and the run folder in which it is kept (the only reader and writer).

    result = sim.run("meta-2025", runs=200, seed=1)
    result.labs                         # DataFrame; likewise offers, spells, ledger, events, transfers
    result.retention(by="lab")          # Kaplan-Meier curves
    result.plot_hiring()
    result.save("runs/mine"); sim.Result.open("runs/mine")

A folder is written under a temporary name, synced and renamed, so it is there whole or not at all.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow.compute as pc

from sim.analysis import counts, curves
from sim.analysis.counts import Who
from sim.analysis.summary import summarise
from sim.experiments.folder import (
    read_manifest,
    read_summary,
    refuse_occupied,
    seal_run,
    state_of,
    write_run,
)
from sim.experiments.manifest import COMPLETE, ResultError, refuse_damaged
from sim.experiments.request import OWN_CLASSES, Experiment, Request, classes_told
from sim.experiments.runner import SCENARIO, remove_leftovers
from sim.market import simulate
from sim.report import budget_pictures, market_pictures, pictures
from sim.scenario.loading import load_scenario
from sim.scenario.schema import Scenario
from sim.system import tables
from sim.system.files import sync_folder, temporary_sibling
from sim.system.lock import locked, remove_lock
from sim.system.whole_numbers import LARGEST_SEED, MOST_JOBS, whole_number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sim.model import Lab, Researcher
    from sim.report.biography import Explanation

__all__ = ["Request", "Result", "ResultError", "existing", "run"]


@dataclass
class Result:
    """The outcome of a request: tables, summary, curves and pictures."""

    request: Request
    tables: dict[str, Any] = field(default_factory=dict, repr=False)
    folder: Path | None = None
    failures: list[dict[str, Any]] = field(default_factory=list, repr=False)

    @property
    def scenario(self) -> Scenario:
        """The scenario that was run."""
        return self.request.scenario

    @property
    def runs(self) -> int:
        """How many runs the result holds."""
        return len(self.request.run_numbers)

    def table(self, name: str) -> Any:
        """A recorded table (pyarrow), read from the folder when first asked for."""
        if name not in self.tables and self.folder is not None:
            self.tables[name] = tables.read_table(self.folder / f"{name}.parquet")
        return self.tables[name]

    @property
    def labs(self) -> pd.DataFrame:
        """One row a run, week and lab."""
        return self._frame("labs")

    @property
    def offers(self) -> pd.DataFrame:
        """One row an offer."""
        return self._frame("offers")

    @property
    def spells(self) -> pd.DataFrame:
        """One row an employment spell."""
        return self._frame("spells")

    @property
    def ledger(self) -> pd.DataFrame:
        """One row a posting, in cents."""
        return self._frame("ledger")

    @property
    def events(self) -> pd.DataFrame:
        """One row an event that happened in a run."""
        return self._frame("events")

    @property
    def transfers(self) -> pd.DataFrame:
        """One row a move between units of a lab, which ends no spell."""
        return self._frame("transfers")

    def _frame(self, name: str) -> pd.DataFrame:
        return tables.frame(self.table(name))

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The figures of `summary.json`."""
        if self.folder is not None:
            return read_summary(self.folder)
        return summarise(self.scenario, self.request.seed, {name: self.table(name) for name in tables.NAMES})

    def hiring(self) -> pd.DataFrame:
        """Cumulative hires by lab: median, 5th and 95th percentile over runs, week by week."""
        import pandas as pd

        panel = counts.Panel.of(self.table("labs"), list(self.scenario.labs))
        low, middle, high = np.percentile(counts.cumulative_hires(panel), (5, 50, 95), axis=0)
        dates = tables.datetimes(panel.dates)
        index = pd.MultiIndex.from_product([dates, panel.labs], names=["date", "lab"])
        return pd.DataFrame(
            {"median": middle.ravel(), "p05": low.ravel(), "p95": high.ravel()}, index=index
        ).reset_index()

    def retention(self, by: str = "lab", who: Who = "hires") -> pd.DataFrame:
        """Kaplan-Meier survival by group and week of tenure, pooled over runs, with 95 % intervals.

        Args:
            by: lab, unit or origin. Who moves to another unit counts in the old one until then, and in the
                new one from then on (late entry); a unit's name that several labs have stands with the lab's.
            who: hires, entry_cohort, opening, acquihires or all; opening staff enter left-truncated.

        Returns:
            a row a group and week of tenure; `at_risk` is how many are watched in the week that follows.
            Where nobody is before others enter late, survival is that of those who come so far.

        Raises:
            ValueError: if there is no such grouping or no such set of spells.
        """
        import pandas as pd

        spells = self.table("spells")
        if by == "unit":
            spells = counts.units_apart(counts.stays(spells, self.table("transfers")))
        counted = counts.spell_counts(spells, by=by, who=who)
        survival = curves.kaplan_meier(counted.at_risk, counted.ends)
        lower, upper = curves.log_log_interval(survival, curves.greenwood(counted.at_risk, counted.ends))
        index = pd.MultiIndex.from_product(
            [pd.Index(counted.groups, dtype="str"), np.arange(survival.shape[-1])], names=[by, "weeks"]
        )
        at_risk = np.pad(counted.at_risk, ((0, 0), (0, 1)))
        found = {"survival": survival, "lower": lower, "upper": upper, "at_risk": at_risk}
        columns = {name: values.ravel() for name, values in found.items()}
        return pd.DataFrame(columns, index=index).reset_index()

    def plot_hiring(self, ax: Axes | None = None) -> Axes:
        """Cumulative hires by lab, with bands and events."""
        return pictures.plot_hiring(self.scenario, self.table("labs"), self.table("events"), ax)

    def plot_retention(self, ax: Axes | None = None) -> Axes:
        """Share of hires still there by months since they started, by lab."""
        return pictures.plot_retention(self.scenario, self.table("spells"), ax)

    def plot_flows(self, ax: Axes | None = None) -> Axes:
        """Moves from lab to lab in weeks 0 to 103, mean over runs, as a heat map."""
        return market_pictures.plot_flows(self.scenario, self.table("spells"), ax)

    def plot_pay(self, ax: Axes | None = None, *, by: Literal["lab", "origin"] = "lab") -> Axes:
        """Share of written offers with at least such a package, log-log, by lab or by people's origin."""
        return market_pictures.plot_pay(self.scenario, self.table("offers"), ax, by=by)

    def plot_acceptance(self, ax: Axes | None = None) -> Axes:
        """Share of written offers accepted by size of package, with binomial 95 % intervals."""
        return market_pictures.plot_acceptance(self.scenario, self.table("offers"), ax)

    def plot_origins(self, ax: Axes | None = None) -> Axes:
        """Where those came from who joined each lab: other labs, and the places outside them."""
        return market_pictures.plot_origins(self.scenario, self.table("spells"), ax)

    def plot_budget(self, ax: Axes | None = None, *, lab: str | None = None) -> Axes:
        """Cash of each lab's talent budget over time, what of it is committed, and hurdle rates.

        Of one `lab`, its account by quarter: what came in and what went out, by kind.
        """
        if lab is None:
            return budget_pictures.plot_budget(self.scenario, self.table("labs"), ax)
        ledger = self.table("ledger")
        return budget_pictures.plot_statement(self.scenario, self.table("labs"), ledger, lab, ax)

    def explain(
        self,
        run: int | None = None,
        *,
        researcher: int | None = None,
        offer: int | None = None,
        lab: str | None = None,
        week: str | date | np.datetime64 | None = None,
    ) -> Explanation:
        """Why: a researcher's biography, an offer's story, or a lab's week, by living through a run again.

        Args:
            run: number of the run; by default the first.
            researcher: number of a researcher.
            offer: number of an offer in that run.
            lab: a lab; `week` then is a day of the week that is asked about.
            week: see `lab`.

        Returns:
            plain data, whose `str()` tells it to people.

        Raises:
            CannotExplain: for what does not exist, or if the run lived again differs from the stored one, or
                was lived with labs or researchers of one's own.
            ValueError: if a number is no whole number.
        """
        from sim.analysis.explain import CannotExplain, explain
        from sim.report.biography import Explanation

        if self.request.own_classes:
            told = classes_told(dict(self.request.own_classes))
            raise CannotExplain(f"runs with {told} cannot be lived again: only plain ones can be explained")
        number, researcher, offer = (
            None if asked is None else whole_number(asked, name, -LARGEST_SEED, LARGEST_SEED)
            for name, asked in (("run", run), ("researcher", researcher), ("offer", offer))
        )
        number = self.request.run_numbers[0] if number is None else number
        if not 0 <= number < self.request.runs:
            raise CannotExplain(f"no run {number}: runs are numbered 0 to {self.request.runs - 1}")
        if isinstance(week, datetime | np.datetime64):  # as pandas and numpy give days
            week = str(np.datetime64(week, "D"))
        kept = number in self.request.run_numbers
        stored = {name: self._rows_of_run(name, number) for name in tables.NAMES if kept}
        story = explain(
            self.scenario, self.request.seed, number, researcher=researcher, offer=offer, lab=lab, week=week,
            stored=stored, log=self.request.full,
        )  # fmt: skip
        return Explanation(story)

    def _rows_of_run(self, name: str, run: int) -> Any:
        """One run's rows of a table, of a folder without reading the others'."""
        if name not in self.tables and self.folder is not None:
            return tables.read_table(self.folder / f"{name}.parquet", run=run)
        return self.table(name).filter(pc.field("run") == run)

    def hashes(self) -> dict[str, str]:
        """Canonical hash of each table: equal if and only if order, names, types and values are."""
        return {name: tables.canonical_hash(self.table(name)) for name in tables.NAMES}

    def save(self, folder: str | os.PathLike[str], command: str = "") -> Path:
        """Write the run folder, whole or not at all.

        Raises:
            ResultError: if the folder holds something else.
            OSError: if it cannot be written.
        """
        refuse_occupied(Path(folder))
        goal = Path(folder).resolve()  # where a link leads, and without a dot for a name
        goal.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_sibling(goal)
        try:
            temporary.mkdir()
            found = {name: self.table(name) for name in tables.NAMES}
            seal_run(temporary, write_run(temporary, self.request, [(found, [])], command, goal)[1])
            sync_folder(temporary)
            if goal.exists():
                with locked(goal):  # nobody has begun to work there
                    remove_leftovers(goal)
                    remove_lock(goal)
                goal.rmdir()
            temporary.rename(goal)
            sync_folder(goal.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return Path(folder)

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Result:
        """The result kept in a run folder.

        Raises:
            ResultError: if it is no complete run folder of this format, or a file of it is not as written.
        """
        path = Path(folder)
        manifest = read_manifest(path)
        refuse_damaged(path)
        scenario = load_scenario(path / SCENARIO, composed=True)
        own = tuple(manifest.get(OWN_CLASSES, {}).items())
        request = Request(
            scenario, manifest["seed"], manifest["runs"], manifest["only_run"], manifest.get("log"),
            own_classes=own,
        )  # fmt: skip
        return cls(request, folder=path, failures=manifest.get("failures", []))


def run(
    scenario: Scenario | str | os.PathLike[str] | Request,
    runs: int = 200,
    seed: int = 1,
    *,
    overrides: Sequence[str] = (),
    jobs: int = 1,
    log: bool | None = None,
    progress: Callable[[int], None] | None = None,
    labs: Mapping[str, type[Lab]] | None = None,
    researcher: type[Researcher] | None = None,
) -> Result:
    """Simulate a scenario.

    Args:
        scenario: a scenario, a shipped scenario's name, a path, or a request.
        runs: how many markets; run r depends on (scenario, seed, r) alone.
        seed: seed of the ensemble.
        overrides: `path=value` each, as `--set` takes them.
        jobs: processes; the result does not depend on it.
        log: keep every offer and posting; by default up to 200 runs.
        progress: called with the number of runs that have just finished.
        labs: your own classes of `Lab`, by lab; then runs are stepped one by one as Mesa models, slower.
        researcher: your own class of `Researcher`; likewise.

    Raises:
        ScenarioError: if the scenario cannot be read.
        ValueError: if `runs`, `seed` or `jobs` is no whole number within its limits, or a class or what one
            of its rules answers cannot be used.
    """
    jobs = whole_number(jobs, "jobs", 1, MOST_JOBS)
    request = (
        scenario
        if isinstance(scenario, Request)
        else Request.of(scenario, overrides, runs=runs, seed=seed, log=log)
    )
    if labs or researcher:
        return _with_agents(request, labs, researcher, progress)
    found = simulate.simulate(
        request.scenario, request.seed, request.run_numbers, jobs, request.log, progress
    )
    return Result(request, found)


def _with_agents(
    request: Request,
    labs: Mapping[str, type[Lab]] | None,
    researcher: type[Researcher] | None,
    progress: Callable[[int], None] | None,
) -> Result:
    """The result of runs stepped one by one with a user's own agents, whose classes it names."""
    from sim.model import Researcher, TalentMarket

    found = []
    for number in request.run_numbers:
        model = TalentMarket(
            request.scenario, request.seed, number, labs=labs, researcher=researcher or Researcher
        )
        while model.running:
            model.step()
        found.append(model.tables())
        if progress is not None:
            progress(1)
    own = {**(labs or {}), **({"researcher": researcher} if researcher else {})}
    named = tuple((name, f"{kind.__module__}.{kind.__qualname__}") for name, kind in sorted(own.items()))
    joined = {name: tables.concat([one[name] for one in found]) for name in tables.NAMES}
    return Result(replace(request, own_classes=named), joined)


def existing(folder: Path, request: Request) -> Result | None:
    """The result in a folder if it is that of this very request; None if it is free or unfinished.

    Raises:
        ResultError: if the folder holds another run or something else, or cannot be written.
    """
    state = state_of(folder, Experiment.of_run(request))
    return Result.open(folder) if state == COMPLETE else None
