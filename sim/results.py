"""Results: a run of a scenario, and the run folder in which it is kept (the only reader and writer).

    result = sim.run("meta-2025", runs=200, seed=1)
    result.labs                         # a pandas DataFrame; offers, spells, ledger, events likewise
    result.retention(by="lab")          # Kaplan-Meier curves
    result.plot_hiring()
    result.save("runs/mine"); sim.Result.open("runs/mine")

A folder is written under a temporary name, synced and renamed, so it is there whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim import simulate, tables
from sim.analysis import counts, curves
from sim.analysis.counts import Who
from sim.analysis.summary import summarise
from sim.draws import run_keys
from sim.files import sync_folder, temporary_sibling, write_text
from sim.report import plots
from sim.scenario.loading import dump_scenario, load_scenario
from sim.scenario.schema import Scenario
from sim.version import __version__

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sim.model import Lab, Researcher

MANIFEST, SCENARIO, SUMMARY = "manifest.json", "scenario.yaml", "summary.json"
PICTURES = ("hiring.png", "retention.png")
MOST_RUNS = 1_000_000


class ResultError(Exception):
    """A run folder cannot be read or written; the message is one line."""


@dataclass(frozen=True)
class Request:
    """What is to be run: a scenario, a seed and the runs of the ensemble."""

    scenario: Scenario
    seed: int
    runs: int
    only_run: int | None = None
    log: bool | None = None

    @classmethod
    def of(
        cls,
        scenario: Scenario | str | os.PathLike[str],
        overrides: Sequence[str] = (),
        *,
        runs: int = 200,
        seed: int = 1,
        only_run: int | None = None,
        log: bool | None = None,
    ) -> Request:
        """A request, loading the scenario if a name or path is given.

        Raises:
            ScenarioError: if the scenario cannot be read.
            ValueError: if `runs` is below 1 or `only_run` is not one of the runs.
        """
        if not 1 <= runs <= MOST_RUNS:
            raise ValueError(f"runs is {runs}: must be at least 1 and at most {MOST_RUNS}")
        if only_run is not None and not 0 <= only_run < runs:
            raise ValueError(f"only_run is {only_run}: runs are numbered 0 to {runs - 1}")
        loaded = scenario if isinstance(scenario, Scenario) else load_scenario(scenario, overrides)
        return cls(loaded, seed, runs, only_run, log)

    @property
    def run_numbers(self) -> range:
        """Numbers of the runs to compute."""
        return range(self.runs) if self.only_run is None else range(self.only_run, self.only_run + 1)

    @cached_property
    def scenario_yaml(self) -> str:
        """The scenario as composed."""
        return dump_scenario(self.scenario)

    @property
    def identity(self) -> dict[str, Any]:
        """What makes two requests the same: their results are then equal bit for bit."""
        return {
            "format": tables.FORMAT,
            "talentsim": __version__,
            "scenario": self.scenario.name,
            "scenario_sha256": hashlib.sha256(self.scenario_yaml.encode()).hexdigest(),
            "seed": self.seed,
            "runs": self.runs,
            "only_run": self.only_run,
            "log": self.log,
        }

    @property
    def folder_name(self) -> str:
        """<scenario>-<first 8 digits of the identity's hash>."""
        text = json.dumps(self.identity, sort_keys=True)
        return f"{self.scenario.name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@dataclass
class Result:
    """The outcome of a request: tables, summary, curves and pictures."""

    request: Request
    tables: dict[str, Any] = field(default_factory=dict, repr=False)
    folder: Path | None = None

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

    def _frame(self, name: str) -> pd.DataFrame:
        frame: pd.DataFrame = self.table(name).to_pandas()
        return frame

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The figures of `summary.json`."""
        if self.folder is not None:
            loaded: dict[str, Any] = json.loads((self.folder / SUMMARY).read_text("utf-8"))
            return loaded
        return summarise(self.scenario, self.request.seed, {name: self.table(name) for name in tables.NAMES})

    def hiring(self) -> pd.DataFrame:
        """Cumulative hires by lab: median, 5th and 95th percentile over runs, week by week."""
        import pandas as pd

        panel = counts.Panel.of(self.table("labs"), list(self.scenario.labs))
        low, middle, high = np.percentile(counts.cumulative_hires(panel), (5, 50, 95), axis=0)
        index = pd.MultiIndex.from_product([panel.dates, panel.labs], names=["date", "lab"])
        return pd.DataFrame(
            {"median": middle.ravel(), "p05": low.ravel(), "p95": high.ravel()}, index=index
        ).reset_index()

    def retention(self, by: str = "lab", who: Who = "hires") -> pd.DataFrame:
        """Kaplan-Meier survival by group and week of tenure, pooled over runs, with 95 % intervals.

        Args:
            by: a text column of the spells: lab, unit or origin.
            who: hires, entry_cohort, opening, acquihires or all; opening staff enter left-truncated.
        """
        import pandas as pd

        counted = counts.spell_counts(self.table("spells"), by=by, who=who)
        survival = curves.kaplan_meier(counted.at_risk, counted.ends)
        lower, upper = curves.log_log_interval(survival, curves.greenwood(counted.at_risk, counted.ends))
        index = pd.MultiIndex.from_product(
            [counted.groups, np.arange(survival.shape[-1])], names=[by, "weeks"]
        )
        columns = {"survival": survival.ravel(), "lower": lower.ravel(), "upper": upper.ravel()}
        return pd.DataFrame(columns, index=index).reset_index()

    def plot_hiring(self, ax: Axes | None = None) -> Axes:
        """Cumulative hires by lab, with bands and events."""
        return plots.plot_hiring(self.scenario, self.table("labs"), self.table("events"), ax)

    def plot_retention(self, ax: Axes | None = None) -> Axes:
        """Share of hires still there by months since they started, by lab."""
        return plots.plot_retention(self.scenario, self.table("spells"), ax)

    def hashes(self) -> dict[str, str]:
        """Canonical hash of each table: equal if and only if order, names, types and values are."""
        return {name: tables.canonical_hash(self.table(name)) for name in tables.NAMES}

    def save(self, folder: str | os.PathLike[str], command: str = "") -> Path:
        """Write the run folder, whole or not at all.

        Raises:
            ResultError: if the folder holds something else.
            OSError: if it cannot be written.
        """
        goal = Path(folder)
        _refuse_occupied(goal)
        goal.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_sibling(goal.absolute())
        try:
            temporary.mkdir()
            self._write(temporary, command)
            sync_folder(temporary)
            if goal.exists():
                goal.rmdir()
            temporary.rename(goal)
            sync_folder(goal.absolute().parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return goal

    def _write(self, folder: Path, command: str) -> None:
        for name in tables.NAMES:
            tables.write_table(folder / f"{name}.parquet", self.table(name))
        write_text(folder / SCENARIO, self.request.scenario_yaml)
        write_text(folder / SUMMARY, json.dumps(self.summary, indent=2, allow_nan=False) + "\n")
        for picture, draw in zip(PICTURES, (self.plot_hiring, self.plot_retention), strict=True):
            plots.save(draw(), folder / picture)
        write_text(folder / MANIFEST, json.dumps(self._manifest(command), indent=2) + "\n")

    def _manifest(self, command: str) -> dict[str, Any]:
        numbers = np.array(self.request.run_numbers, np.int64)
        seeds = run_keys(self.request.seed, numbers)
        return {
            **self.request.identity,
            "status": "complete",
            "command": command,
            "versions": {"python": platform.python_version()} | {name: _version(name) for name in _VERSIONS},
            "hashes": self.hashes(),
            "run_seeds": {str(run): f"{int(key):016x}" for run, key in zip(numbers, seeds, strict=True)},
        }

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Result:
        """The result kept in a run folder.

        Raises:
            ResultError: if it is no complete run folder of this format.
        """
        path = Path(folder)
        manifest = _read_manifest(path)
        scenario = load_scenario(path / SCENARIO, composed=True)
        request = Request(
            scenario, manifest["seed"], manifest["runs"], manifest["only_run"], manifest.get("log")
        )
        return cls(request, folder=path)


_VERSIONS = ("talentsim", "numpy", "mesa", "pyarrow", "pandas", "matplotlib")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return __version__ if package == "talentsim" else "not installed"


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
        ValueError: if `runs` is below 1.
    """
    request = (
        scenario
        if isinstance(scenario, Request)
        else Request.of(scenario, overrides, runs=runs, seed=seed, log=log)
    )
    if labs or researcher:
        return Result(request, _with_agents(request, labs, researcher, progress))
    found = simulate.simulate(
        request.scenario, request.seed, request.run_numbers, jobs, request.log, progress
    )
    return Result(request, found)


def _with_agents(
    request: Request,
    labs: Mapping[str, type[Lab]] | None,
    researcher: type[Researcher] | None,
    progress: Callable[[int], None] | None,
) -> dict[str, Any]:
    """Tables of runs stepped one by one with a user's own agents."""
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
    return {name: tables.concat([one[name] for one in found]) for name in tables.NAMES}


def existing(folder: Path, request: Request) -> Result | None:
    """The result in a folder if it is that of this very request; None if the folder is free.

    Raises:
        ResultError: if the folder holds another run or something else, or cannot be written.
    """
    if (folder / MANIFEST).exists():
        manifest = _read_manifest(folder)
        if all(manifest.get(key) == value for key, value in request.identity.items()):
            return Result.open(folder)
        raise ResultError(
            f"{folder}: holds another run ({_difference(manifest, request)}); choose another --out"
        )
    _refuse_occupied(folder)
    parent = next(path for path in folder.absolute().parents if path.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise ResultError(f"{folder}: cannot be written, {parent} is not a folder that one may write to")
    return None


def _difference(manifest: dict[str, Any], request: Request) -> str:
    """The first thing in which a folder differs from a request, in words."""
    for key, value in request.identity.items():
        if manifest.get(key) != value:
            other = manifest.get(key)
            return (
                "another version of the scenario"
                if key == "scenario_sha256"
                else f"{key} {other}, not {value}"
            )
    return "the same"


def _refuse_occupied(folder: Path) -> None:
    if folder.is_file() or folder.is_symlink():
        raise ResultError(f"{folder}: is not a folder")
    if folder.exists() and any(folder.iterdir()):
        raise ResultError(f"{folder}: is not empty; choose another --out")


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    except FileNotFoundError as error:
        raise ResultError(f"{folder}: holds no run (no {MANIFEST})") from error
    except (OSError, ValueError) as error:
        raise ResultError(f"{folder / MANIFEST}: cannot be read") from error
    if not isinstance(manifest, dict) or manifest.get("format") != tables.FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else None
        raise ResultError(f"{folder}: is of format {found}, this version reads {tables.FORMAT}")
    if manifest.get("status") != "complete":
        raise ResultError(f"{folder}: is not complete")
    if missing := [key for key in ("seed", "runs", "only_run") if key not in manifest]:
        raise ResultError(f"{folder / MANIFEST}: does not say {', '.join(missing)}")
    return manifest
