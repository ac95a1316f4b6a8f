"""Work that survives: an experiment cut into chunks, each a file that is there whole or not at all.

A working folder holds `manifest.json` (unfinished), a lock, and for each variant
`chunks/<variant>/scenario.yaml` and one file a chunk. What exists is done; whoever works on holds the
lock. Only who holds it writes chunks, workers only compute; many finished variants are written by
workers, into a folder of this process that nobody takes for done.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
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
    label,
    labelled,
    refuse_foreign,
    scenarios_of,
    size_for,
    unpacked,
)
from sim.experiments.manifest import MANIFEST, UNFINISHED, any_manifest, write_manifest
from sim.experiments.request import COMPARE, FORMAT, RUN, SWEEP, Experiment, Request, difference
from sim.scenario.errors import ScenarioError
from sim.scenario.loading import dump_scenario, load_scenario, scenario_names
from sim.system.executors import LOCAL, computed
from sim.system.files import (
    ForeignFile,
    is_temporary,
    own_file,
    remove_temporaries,
    replacing,
    sync_folder,
    write_text,
)
from sim.system.lock import WorkError, is_lock, remove_lock
from sim.system.version import __version__

SCENARIO, CHUNKS = "scenario.yaml", "chunks"
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

    def label(self, chunk: Chunk) -> str:
        """What the file of a chunk says of itself."""
        return label(self.experiment.variants[chunk.variant], chunk.runs)

    def refuse_foreign(self) -> None:
        """Refuse chunks of other work or other runs, before anything is computed. Raises WorkError."""
        ours = {self.path(chunk) for chunk in self.chunks}
        for path in (self.folder / CHUNKS).rglob("*.chunk"):
            if path not in ours:
                raise WorkError(f"{path}: is no chunk of this work; delete it")
        for chunk in self.chunks:
            try:
                refuse_foreign(own_file(self.folder, f"{CHUNKS}/{chunk.name}"), self.label(chunk))
            except FileNotFoundError:
                continue
            except ForeignFile as error:
                raise WorkError(f"{self.path(chunk)}: {error.strerror}; delete it") from error

    def blocks(self, variant: str) -> Iterator[Block]:
        """The blocks of a variant in the order of its runs, one in memory at a time."""
        for chunk in self.chunks_of(variant):
            yield unpacked(self.path(chunk), self.label(chunk))

    def compute(
        self,
        jobs: int,
        where: str = LOCAL,
        progress: Callable[[int], None] | None = None,
        while_waiting: Callable[[], None] = lambda: None,
    ) -> dict[Chunk, Ensemble]:
        """Compute what is missing, and keep each chunk as it comes.

        Returns:
            the measure of each chunk that was missing; none of a sweep, whose many variants would grow too
            large to wait in memory for the last.

        Raises:
            ExecutorError: if it cannot be computed there.
            WorkError: if a chunk that is there is of other work.
            OSError: if the disk refuses a chunk.
        """
        self.refuse_foreign()
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
        with closing(computed(compute_together, tasks, where, jobs, while_waiting)) as results:
            for number, blocks in results:
                for chunk, (data, ensemble) in zip(work[number], blocks, strict=True):
                    with replacing(self.path(chunk)) as temporary:
                        temporary.write_bytes(labelled(data, self.label(chunk)))
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
            if goal.is_symlink() or (entry.is_dir() and goal.is_file()):
                goal.unlink()
            elif goal.is_dir():
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
    if os.path.lexists(folder / MANIFEST):
        return reopen(folder)
    remove_leftovers(folder)
    work = Work(experiment, folder, size_for(experiment, jobs), command)
    for name, request in experiment.variants.items():
        (folder / CHUNKS / name).mkdir(parents=True, exist_ok=True)
        write_text(folder / CHUNKS / name / SCENARIO, request.scenario_yaml)
    write_manifest(folder, _manifest(work))
    return work


def holds_only_leftovers(folder: Path) -> bool:
    """Whether a folder holds at most what work leaves that is killed before its first chunk."""
    entries = list(folder.iterdir())
    begun = any(is_lock(entry) for entry in entries)  # it comes first and goes last
    ours = (is_lock, _is_half_written, *([_is_bare_of_chunks] if begun else []))
    return all(any(is_ours(entry) for is_ours in ours) for entry in entries)


def _is_half_written(path: Path) -> bool:
    return is_temporary(path) and path.is_file() and not path.is_symlink()


def _is_bare_of_chunks(chunks: Path) -> bool:
    """Whether a path is that of a folder for chunks in which there are scenarios alone."""
    if chunks.name != CHUNKS or chunks.is_symlink() or not chunks.is_dir():
        return False
    variants = list(chunks.iterdir())
    return all(path.is_dir() and not path.is_symlink() for path in variants) and all(
        _is_half_written(path) or (path.name == SCENARIO and path.is_file() and not path.is_symlink())
        for variant in variants
        for path in variant.iterdir()
    )


def remove_leftovers(folder: Path) -> None:
    """Take away what killed work left, but for the lock, in a folder that holds nothing else."""
    for entry in folder.iterdir():
        if is_temporary(entry):
            entry.unlink()
    shutil.rmtree(folder / CHUNKS, ignore_errors=True)


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
        "origins": {name: _lasting(request.origin) for name, request in variants.items()},
        "design": list(work.experiment.design),
    }


def _lasting(origin: tuple[str, tuple[str, ...]] | None) -> tuple[str, tuple[str, ...]] | None:
    """Where a scenario came from, in words that say the same wherever one stands."""
    if origin is None or origin[0] in scenario_names() or not Path(origin[0]).is_file():
        return origin
    return str(Path(origin[0]).absolute()), origin[1]


def reopen(folder: Path) -> Work:
    """The work that was begun in a folder.

    Raises:
        WorkError: if the code, the format or a scenario is not what it was; the message shows the difference.
    """
    manifest = any_manifest(folder)
    try:
        _refuse_other_code(folder, manifest)
        requests = {name: _request(folder, name, manifest) for name in manifest["scenarios"]}
        experiment = Experiment(manifest["kind"], requests, tuple(manifest["design"]))
        if changed := difference(manifest, experiment.identity):
            raise WorkError(f"{folder}: its manifest and its scenarios do not fit together ({changed})")
        size = manifest["chunk"]
        if experiment.kind not in (RUN, COMPARE, SWEEP) or not isinstance(size, int) or size < 1:
            raise ValueError
        return Work(experiment, folder, size, manifest["command"])
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise WorkError(f"{folder / MANIFEST}: is damaged; choose another --out to start anew") from error


def _refuse_other_code(folder: Path, manifest: dict[str, Any]) -> None:
    now = {
        "format": FORMAT,
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
    refused = WorkError(f"{path}: is not the scenario that the work was begun with")
    try:
        kept = own_file(folder, f"{CHUNKS}/{name}/{SCENARIO}").read_bytes()
    except OSError as error:
        raise refused from error
    if hashlib.sha256(kept).hexdigest() != manifest["scenarios"][name]:
        raise refused  # before anything of it is read
    asked = {key: manifest[key] for key in ("runs", "seed", "only_run", "log")}
    request = Request.of(load_scenario(path, composed=True), **asked)
    if kept != request.scenario_yaml.encode():
        raise refused
    if (origin := manifest["origins"][name]) is None:
        return request
    _refuse_changed_origin(folder, origin[0], origin[1], request.scenario_yaml)
    return replace(request, origin=(origin[0], tuple(origin[1])))


def _refuse_changed_origin(folder: Path, origin: str, overrides: list[str], kept: str) -> None:
    """Refuse if the file that the scenario came from says something else now; a file that is gone may be."""
    try:
        now = dump_scenario(load_scenario(origin, overrides))
    except ScenarioError as error:
        if not Path(origin).exists():
            return
        raise WorkError(
            f"{folder}: {origin} has changed since, and is no scenario any more; talentsim validate says why"
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
