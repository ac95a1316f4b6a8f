"""Work that survives: an experiment cut into chunks, each a file that is there whole or not at all.

A working folder holds `manifest.json` (unfinished), a lock, and for each variant
`chunks/<variant>/scenario.yaml` and one file a chunk. What exists is done; whoever works on holds the
lock. Only who holds it writes chunks, workers only compute; many finished variants are written by
workers, into a folder of this process that nobody takes for done.
"""

from __future__ import annotations

import difflib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sim.analysis.ensemble import Ensemble
from sim.experiments.chunks import (
    Block,
    Chunk,
    code_hash,
    compute_together,
    cut,
    cut_together,
    cut_variant,
    scenarios_of,
    size_for,
    unpacked,
)
from sim.experiments.request import SWEEP, Experiment, Request, difference, sha256
from sim.scenario.errors import ScenarioError
from sim.scenario.loading import dump_scenario, load_scenario
from sim.system import tables
from sim.system.executors import LOCAL, computed
from sim.system.files import remove_temporaries, replacing, sync_folder, write_text
from sim.system.lock import WorkError, remove_lock
from sim.system.version import __version__

MANIFEST, SCENARIO, CHUNKS = "manifest.json", "scenario.yaml", "chunks"
UNFINISHED, COMPLETE = "unfinished", "complete"
SHOWN_LINES = 10  # of a difference between two scenarios


@dataclass(frozen=True)
class Work:
    """An experiment under way in its folder."""

    experiment: Experiment
    folder: Path
    size: int
    command: str

    @property
    def chunks(self) -> list[Chunk]:
        """All chunks, done or not."""
        return cut(self.experiment, self.size)

    def chunks_of(self, variant: str) -> list[Chunk]:
        """The chunks of a variant in the order of its runs."""
        return cut_variant(self.experiment, variant, self.size)

    @property
    def missing(self) -> list[Chunk]:
        """The chunks that are not there."""
        return [chunk for chunk in self.chunks if not self.path(chunk).exists()]

    def path(self, chunk: Chunk) -> Path:
        """The file of a chunk."""
        return self.folder / CHUNKS / chunk.name

    def blocks(self, variant: str) -> Iterator[Block]:
        """The blocks of a variant in the order of its runs, one in memory at a time."""
        for chunk in self.chunks_of(variant):
            yield unpacked(self.path(chunk))

    def compute(
        self,
        jobs: int,
        where: str = LOCAL,
        progress: Callable[[int], None] | None = None,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> dict[Chunk, Ensemble]:
        """Compute what is missing, and keep each chunk as it comes.

        Returns:
            the measure of each chunk that was missing; none of a sweep, whose many variants would grow too
            large to wait in memory for the last.

        Raises:
            ExecutorError: if it cannot be computed there.
            OSError: if the disk refuses a chunk.
        """
        missing, code = self.missing, code_hash()
        if progress is not None:
            progress(self.experiment.runs - sum(len(chunk.runs) for chunk in missing))
        first, work = self.experiment.first, cut_together(self.experiment, missing)
        measured = self.experiment.kind != SWEEP
        tasks = [
            (scenarios_of(self.experiment, chunks), first.seed, chunks[0].runs, first.full, measured, code)
            for chunks in work
        ]
        measures = {}
        with closing(computed(compute_together, tasks, where, jobs, meanwhile)) as results:
            for number, blocks in results:
                for chunk, (data, ensemble) in zip(work[number], blocks, strict=True):
                    with replacing(self.path(chunk)) as temporary:
                        temporary.write_bytes(data)
                    if ensemble is not None:
                        measures[chunk] = ensemble
                    if progress is not None:
                        progress(len(chunk.runs))
        return measures

    def complete(self, staged: Path) -> None:
        """Put the finished files, staged in a folder below `chunks/`, into their place; the manifest last."""
        remove_temporaries(staged)  # of workers that died while they wrote
        entries = sorted(staged.iterdir(), key=lambda path: path.name == MANIFEST)
        for entry in entries:
            goal = self.folder / entry.name
            if goal.is_dir():
                shutil.rmtree(goal)
            if entry.name == MANIFEST:
                sync_folder(self.folder)
            entry.replace(goal)
        sync_folder(self.folder)
        tidy(self.folder)


def tidy(folder: Path) -> None:
    """Take away what a finished folder no longer needs."""
    shutil.rmtree(folder / CHUNKS, ignore_errors=True)
    remove_lock(folder)


def begin(experiment: Experiment, folder: Path, jobs: int, command: str) -> Work:
    """Start work in a folder that is free, or go on with the same work there.

    Raises:
        WorkError: if what is there was begun otherwise.
    """
    if (folder / MANIFEST).exists():
        return reopen(folder)
    work = Work(experiment, folder, size_for(experiment, jobs), command)
    for name, request in experiment.variants.items():
        (folder / CHUNKS / name).mkdir(parents=True, exist_ok=True)
        write_text(folder / CHUNKS / name / SCENARIO, request.scenario_yaml)
    write_text(folder / MANIFEST, json.dumps(_manifest(work), indent=2) + "\n")
    return work


def _manifest(work: Work) -> dict[str, Any]:
    """What a folder says of itself while it is not finished; which chunks are done, the files tell."""
    variants = work.experiment.variants
    return work.experiment.identity | {
        "kind": work.experiment.kind,
        "status": UNFINISHED,
        "command": work.command,
        "chunk": work.size,
        "code_sha256": code_hash(),
        "numpy": np.__version__,
        "only_run": work.experiment.first.only_run,
        "scenarios": {name: request.scenario_hash for name, request in variants.items()},
        "origins": {name: request.origin for name, request in variants.items()},
        "design": list(work.experiment.design),
    }


def reopen(folder: Path) -> Work:
    """The work that was begun in a folder.

    Raises:
        WorkError: if the code, the format or a scenario is not what it was; the message shows the difference.
    """
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    try:
        _refuse_other_code(folder, manifest)
        requests = {name: _request(folder, name, manifest) for name in manifest["scenarios"]}
        experiment = Experiment(manifest["kind"], requests, tuple(manifest["design"]))
        if changed := difference(manifest, experiment.identity):
            raise WorkError(f"{folder}: its manifest and its scenarios do not fit together ({changed})")
        return Work(experiment, folder, manifest["chunk"], manifest["command"])
    except (KeyError, TypeError) as error:
        raise WorkError(f"{folder / MANIFEST}: is damaged ({error})") from error


def _refuse_other_code(folder: Path, manifest: dict[str, Any]) -> None:
    now = {
        "format": tables.FORMAT,
        "talentsim": __version__,
        "code_sha256": code_hash(),
        "numpy": np.__version__,
    }
    changed = [f"{key} {manifest.get(key)}, now {v}" for key, v in now.items() if manifest.get(key) != v]
    if changed:
        said = ", ".join(changed)
        raise WorkError(f"{folder}: was begun with other code ({said}); choose another --out to start anew")


def _request(folder: Path, name: str, manifest: dict[str, Any]) -> Request:
    """The request of a variant, if its scenario is still the one that it was."""
    path = folder / CHUNKS / name / SCENARIO
    origin = manifest["origins"][name]
    scenario = load_scenario(path, composed=True)
    request = Request(
        scenario,
        manifest["seed"],
        manifest["runs"],
        manifest["only_run"],
        manifest["log"],
        (origin[0], tuple(origin[1])) if origin else None,
    )
    kept = path.read_text("utf-8")
    if sha256(kept) != manifest["scenarios"][name] or kept != request.scenario_yaml:
        raise WorkError(f"{path}: is not the scenario that the work was begun with")
    if origin is not None:
        _refuse_changed_origin(folder, origin[0], origin[1], kept)
    return request


def _refuse_changed_origin(folder: Path, origin: str, overrides: list[str], kept: str) -> None:
    """Refuse if the file that the scenario came from says something else now; a file that is gone may be."""
    try:
        now = dump_scenario(load_scenario(origin, overrides))
    except ScenarioError as error:
        if not Path(origin).exists():
            return
        raise WorkError(
            f"{folder}: {origin} has changed since, and is no scenario any more: {error}"
        ) from error
    if now == kept:
        return
    lines = list(difflib.unified_diff(kept.splitlines(), now.splitlines(), n=0, lineterm=""))
    told = [line for line in lines[2:] if not line.startswith("@@")]
    more = [f"... and {len(told) - SHOWN_LINES} lines more"] if len(told) > SHOWN_LINES else []
    raise WorkError(
        "\n".join(
            [
                f"{folder}: {origin} has changed since; undo it, or choose another --out to start anew",
                *told[:SHOWN_LINES],
                *more,
            ]
        )
    )
