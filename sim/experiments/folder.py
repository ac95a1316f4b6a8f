"""Run folders: the only reader and writer of their format (DESIGN.md section 5).

A folder counts as soon as its manifest says `complete`, and the manifest comes last.
"""

from __future__ import annotations

import json
import os
import platform
import shlex
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim.analysis.ensemble import HIRES, Ensemble, join, measure
from sim.analysis.summary import summary_of
from sim.experiments.chunks import Block
from sim.experiments.manifest import (
    COMPLETE,
    MANIFEST,
    UNFINISHED,
    ResultError,
    any_manifest,
    refuse_damaged,
    write_manifest,
)
from sim.experiments.request import RUN, Experiment, Request, difference
from sim.experiments.runner import SCENARIO, holds_only_leftovers
from sim.market.draws import run_keys
from sim.scenario.schema import Scenario
from sim.system import tables
from sim.system.files import own_file, replacing, typed, write_text
from sim.system.version import __version__

SUMMARY = "summary.json"
PICTURES = ("hiring.png", "retention.png")
RUN_FILES = (SCENARIO, SUMMARY, *PICTURES, *(f"{name}.parquet" for name in tables.NAMES))
_VERSIONS = ("talentsim", "numpy", "mesa", "pyarrow", "pandas", "matplotlib")


class AllFailed(Exception):
    """Not one run came to its end; the message says what the first one failed with."""

    def __init__(self, failures: list[dict[str, Any]]) -> None:
        first = failures[0]
        super().__init__(f"all {len(failures)} runs failed, run {first['run']} with {first['error']}")
        self.failures = failures


def write_run(
    folder: Path,
    request: Request,
    blocks: Iterable[Block],
    command: str = "",
    goal: Path | None = None,
    ensemble: Ensemble | None = None,
) -> tuple[Ensemble, dict[str, Any]]:
    """Write the files of a run but its manifest into an empty folder, two blocks of runs in memory at most.

    Args:
        folder: where to write.
        request: what was run.
        blocks: tables of its runs in order, and those that failed.
        command: as typed.
        goal: where the folder will stand, for the command that replays a failed run.
        ensemble: the measure of these runs, by whom has it and draws its pictures.

    Returns:
        the measured runs, and what the manifest is to say (`seal_run`) when the pictures are drawn.

    Raises:
        AllFailed: if no run came to its end.
    """
    measured, failed = [], []
    with _Tables.opened(folder) as written:  # beside what is measured and drawn
        for found, failures in blocks:
            failed += [{**row, "replay": _replay(request, row["run"], goal or folder)} for row in failures]
            if found is not None:
                written.append(found)
                if ensemble is None:
                    measured.append(measure(request.scenario, found))
        if ensemble is None:
            if not measured:
                raise AllFailed(failed)
            ensemble = join(measured)
            draw_run(folder, request.scenario, ensemble)
        write_text(folder / SCENARIO, request.scenario_yaml)
        write_json(folder / SUMMARY, summary_of(request.scenario, request.seed, ensemble, len(failed)))
    return ensemble, _run_manifest(request, command, failed, written.hashes)


def seal_run(folder: Path, manifest: dict[str, Any], drawn: Path | None = None) -> None:
    """Write the manifest of a run folder, the last of its files; pictures may stand where they were drawn."""
    write_manifest(folder, manifest, RUN_FILES, drawn)


def draw_run(folder: Path, scenario: Scenario, ensemble: Ensemble) -> None:
    """Draw the pictures of a run into its folder."""
    from sim.report import pictures  # takes long to import, and is not needed until here

    hiring = pictures.draw_hiring(scenario, ensemble.dates, ensemble.hires, ensemble.events)
    pictures.save(hiring, folder / PICTURES[0])
    retention = pictures.draw_retention(scenario, ensemble.pooled[HIRES], ensemble.survival)
    pictures.save(retention, folder / PICTURES[1])


@dataclass
class _Tables:
    """The table files of a folder, written and hashed block by block in other threads."""

    writers: dict[str, Any]
    hashers: dict[str, tables.Hasher]
    threads: ThreadPoolExecutor
    under_way: list[Future[None]]

    @classmethod
    @contextmanager
    def opened(cls, folder: Path) -> Iterator[_Tables]:
        """The tables of a folder, which are there when the block ends without an error."""
        with ExitStack() as stack:
            writers = {}
            for name in tables.NAMES:
                path = stack.enter_context(replacing(folder / f"{name}.parquet"))
                writers[name] = stack.enter_context(tables.writer(path, name))
            hashers = {name: tables.Hasher(tables.SCHEMAS[name]) for name in tables.NAMES}
            threads = stack.enter_context(ThreadPoolExecutor())  # ends before the writers are closed
            found = cls(writers, hashers, threads, [])
            yield found
            found.finish()

    def append(self, block: dict[str, Any]) -> None:
        """Go on with a block, as soon as the one before it is done."""
        self.finish()
        for name, table in block.items():
            self.under_way.append(self.threads.submit(tables.append, self.writers[name], table))
            self.under_way.append(self.threads.submit(self.hashers[name].update, table))

    def finish(self) -> None:
        """Wait for what is under way. Raises what went wrong there."""
        while self.under_way:
            self.under_way.pop().result()

    @property
    def hashes(self) -> dict[str, str]:
        """The canonical hash of each table."""
        return {name: hasher.hexdigest() for name, hasher in self.hashers.items()}


def _replay(request: Request, run: int, folder: Path) -> str:
    """The command that computes one run again."""
    named = request.origin or (str(folder / SCENARIO), ())
    changes = [word for change in named[1] for word in ("--set", change)]
    words = ["talentsim", "run", named[0], *changes]
    return shlex.join([*words, f"--runs={request.runs}", f"--seed={request.seed}", f"--only-run={run}"])


def _run_manifest(
    request: Request, command: str, failed: list[dict[str, Any]], hashes: dict[str, str]
) -> dict[str, Any]:
    numbers = np.array(request.run_numbers, np.int64)
    seeds = run_keys(request.seed, numbers)
    return {
        **finished(Experiment.of_run(request), command),
        "hashes": hashes,
        "run_seeds": {str(run): f"{int(key):016x}" for run, key in zip(numbers, seeds, strict=True)},
        "failures": failed,
    }


def finished(experiment: Experiment, command: str) -> dict[str, Any]:
    """What every manifest of a complete folder says."""
    return {
        **experiment.identity,
        "kind": experiment.kind,
        "status": COMPLETE,
        "command": command,
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in _VERSIONS},
    }


def write_json(path: Path, content: Any) -> None:
    """Write JSON without NaN, whole or not at all."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def read_summary(folder: Path) -> dict[str, Any]:
    """The figures of a run folder. Raises ResultError."""
    try:
        found = json.loads(own_file(folder, SUMMARY).read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ResultError(f"{folder / SUMMARY}: cannot be read") from error
    if not isinstance(found, dict) or not {"runs", "failed", "labs", "campaigns"} <= found.keys():
        raise ResultError(f"{folder / SUMMARY}: is damaged")
    return found


def read_rows(path: Path) -> Any:
    """A comparison's or a sweep's table (pyarrow). Raises ResultError."""
    try:
        with path.open("rb") as file:
            return pq.read_table(file)
    except (OSError, pa.ArrowInvalid) as error:
        raise ResultError(f"{path}: cannot be read") from error


def read_manifest(folder: Path, kind: str | None = RUN) -> dict[str, Any]:
    """What a complete folder says of itself. Raises ResultError if it is none, or not of that kind."""
    manifest = any_manifest(folder)
    if manifest.get("status") != COMPLETE:
        raise ResultError(f"{folder}: is not complete; talentsim resume {typed(folder)} goes on")
    if kind is not None and manifest.get("kind", RUN) != kind:
        raise ResultError(f"{folder}: holds a {manifest.get('kind')}, not a {kind}")
    due = ("seed", "runs", "only_run") if kind == RUN else ("seed", "runs")
    if missing := [key for key in due if key not in manifest]:
        raise ResultError(f"{folder / MANIFEST}: does not say {', '.join(missing)}")
    return manifest


def state_of(folder: Path, experiment: Experiment) -> str | None:
    """What a folder holds of this very experiment: COMPLETE, UNFINISHED, or None if the folder is free.

    Raises:
        ResultError: if the folder holds something else, is damaged, or cannot be written.
    """
    if os.path.lexists(folder / MANIFEST):
        manifest = any_manifest(folder)
        if other := difference(manifest, experiment.identity):
            raise ResultError(f"{folder}: holds another {experiment.kind} ({other}); choose another --out")
        if manifest.get("status") != COMPLETE:
            return UNFINISHED
        refuse_damaged(folder)
        return COMPLETE
    refuse_occupied(folder)
    parent = next(path for path in folder.absolute().parents if path.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise ResultError(f"{folder}: cannot be written, {parent} is not a folder that one may write to")
    return None


def refuse_occupied(folder: Path) -> None:
    """Refuse a path at which something else stands; what killed work left is nothing. Raises ResultError."""
    if os.path.lexists(folder) and not folder.is_dir():
        what = "is not a folder" if folder.exists() else "is a link to nothing"
        raise ResultError(f"{folder}: {what}; choose another --out")
    if folder.exists() and not holds_only_leftovers(folder):
        raise ResultError(f"{folder}: is not empty; choose another --out")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return __version__ if package == "talentsim" else "not installed"
