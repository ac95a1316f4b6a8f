"""Work that survives: an experiment cut into chunks, each a file that is there whole or not at all.

A working folder holds `manifest.json` (unfinished), a lock, and for each variant
`chunks/<variant>/scenario.yaml` and one file a block of runs, `000000-000049.chunk`: a zip of its tables
and of the runs that failed. What exists is done; whoever works on holds the lock, which the system
takes back when the process ends. Only who holds it writes chunks, workers only compute; many finished
variants are written by workers, into a folder of this process that nobody takes for done.
"""

from __future__ import annotations

import difflib
import io
import json
import os
import platform
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sim import simulate, tables
from sim.draws import run_keys
from sim.executors import LOCAL, computed
from sim.files import replacing, sync_folder, write_text
from sim.request import Experiment, Request, difference, sha256
from sim.scenario.errors import ScenarioError
from sim.scenario.loading import dump_scenario, load_scenario
from sim.scenario.schema import Scenario
from sim.version import __version__

MANIFEST, SCENARIO, CHUNKS, LOCK = "manifest.json", "scenario.yaml", "chunks", ".lock"
UNFINISHED, COMPLETE = "unfinished", "complete"
SHOWN_LINES = 10  # of a difference between two scenarios

Block = tuple[dict[str, Any] | None, list[dict[str, Any]]]
"""Tables of the runs that came to their end (None if none did), and a row for each that failed."""


class WorkError(Exception):
    """A working folder cannot be used; the message is for people."""


# ---- a chunk


@dataclass(frozen=True)
class Chunk:
    """A block of consecutive runs of one variant."""

    variant: str
    runs: range

    @property
    def name(self) -> str:
        """The file of the chunk, below `chunks/`."""
        return f"{self.variant}/{self.runs[0]:06d}-{self.runs[-1]:06d}.chunk"


def cut(experiment: Experiment, size: int) -> list[Chunk]:
    """All chunks, the first of each variant before the second of any, so that work cut short is balanced."""
    found = []
    for name, request in experiment.variants.items():
        runs = request.run_numbers
        found += [Chunk(name, runs[i : i + size]) for i in range(0, len(runs), size)]
    return sorted(found, key=lambda chunk: chunk.runs[0])


def size_for(experiment: Experiment, jobs: int) -> int:
    """Runs in a chunk; variants that are computed together are one task."""
    return simulate.block_size(len(experiment.first.run_numbers) * len(experiment.together), jobs)


def cut_together(experiment: Experiment, chunks: list[Chunk]) -> list[list[Chunk]]:
    """Chunks by task: the same runs of variants that may share a past are computed together."""
    group = {name: number for number, names in enumerate(experiment.together) for name in names}
    tasks: dict[tuple[range, int], list[Chunk]] = {}
    for chunk in chunks:
        tasks.setdefault((chunk.runs, group[chunk.variant]), []).append(chunk)
    return list(tasks.values())


def scenarios_of(experiment: Experiment, chunks: list[Chunk]) -> list[Scenario]:
    """The scenario of each chunk."""
    return [experiment.variants[chunk.variant].scenario for chunk in chunks]


def compute_together(
    scenarios: list[Scenario], seed: int, runs: range, full: bool, code: str = ""
) -> list[bytes]:
    """A packed block of each of several scenarios of one world; each by itself if together they fail.

    Args:
        scenarios: what to simulate.
        seed: seed of the ensemble.
        runs: numbers of the runs.
        full: keep all offers and postings.
        code: `code_hash` of who asks; a worker that has other code refuses.
    """
    if code and code != code_hash():
        raise WorkError("a worker runs another version of talentsim")
    if len(scenarios) > 1:
        with suppress(Exception):
            found = simulate.run_together(scenarios, seed, runs, full)
            blocks = {number: packed((block, [])) for number, block in found}
            return [blocks[number] for number in range(len(scenarios))]
    return [_compute_block(scenario, seed, runs, full) for scenario in scenarios]


def _compute_block(scenario: Scenario, seed: int, runs: range, full: bool) -> bytes:
    """A packed block: its runs side by side, or one by one if any fails, to find which."""
    try:
        return packed((simulate.run_block(scenario, seed, runs, full), []))
    except Exception:
        done, failed = [], []
        for run in runs:
            try:
                done.append(simulate.run_block(scenario, seed, [run], full))
            except Exception as error:
                failed.append(_failure(seed, run, error))
        whole = {name: tables.concat([one[name] for one in done]) for name in tables.NAMES} if done else None
        return packed((whole, failed))


def _failure(seed: int, run: int, error: Exception) -> dict[str, Any]:
    key = int(run_keys(seed, np.array([run], np.int64))[0])
    said = " ".join(f"{type(error).__name__}: {error}".split())
    return {"run": run, "seed": f"{key:016x}", "error": said[:500]}


def packed(block: Block) -> bytes:
    """A block as the bytes of a chunk."""
    found, failed = block
    buffer = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("failed.json", json.dumps(failed))
        for name, table in (found or {}).items():
            with (
                archive.open(f"{name}.arrow", "w", force_zip64=True) as member,
                pa.ipc.new_stream(member, table.schema, options=options) as writer,
            ):
                writer.write_table(table)
    return buffer.getvalue()


def unpacked(path: Path) -> Block:
    """The block in a chunk's file. Raises WorkError if it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            failed = json.loads(archive.read("failed.json"))
            names = [name for name in tables.NAMES if f"{name}.arrow" in archive.namelist()]
            found = {name: pa.ipc.open_stream(archive.read(f"{name}.arrow")).read_all() for name in names}
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise WorkError(f"{path}: is damaged; delete it, and resume computes it again") from error
    return (found or None), failed


# ---- the folder


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

    @property
    def missing(self) -> list[Chunk]:
        """The chunks that are not there."""
        return [chunk for chunk in self.chunks if not self.path(chunk).exists()]

    def path(self, chunk: Chunk) -> Path:
        """The file of a chunk."""
        return self.folder / CHUNKS / chunk.name

    def blocks(self, variant: str) -> Iterator[Block]:
        """The blocks of a variant in the order of its runs, one in memory at a time."""
        for chunk in self.chunks:
            if chunk.variant == variant:
                yield unpacked(self.path(chunk))

    def compute(self, jobs: int, where: str = LOCAL, progress: Callable[[int], None] | None = None) -> None:
        """Compute what is missing, and keep each chunk as it comes.

        Raises:
            ExecutorError: if it cannot be computed there.
            OSError: if the disk refuses a chunk.
        """
        missing, code = self.missing, code_hash()
        if progress is not None:
            progress(self.experiment.runs - sum(len(chunk.runs) for chunk in missing))
        first, work = self.experiment.first, cut_together(self.experiment, missing)
        tasks = [
            (scenarios_of(self.experiment, chunks), first.seed, chunks[0].runs, first.full, code)
            for chunks in work
        ]
        with closing(computed(compute_together, tasks, where, jobs)) as results:
            for number, blocks in results:
                for chunk, data in zip(work[number], blocks, strict=True):
                    with replacing(self.path(chunk)) as temporary:
                        temporary.write_bytes(data)
                    if progress is not None:
                        progress(len(chunk.runs))

    def complete(self, staged: Path) -> None:
        """Put the finished files, staged in a folder below `chunks/`, into their place; the manifest last."""
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
    _remove_lock(folder)


def _remove_lock(folder: Path) -> None:
    with suppress(OSError):  # some systems remove no open file
        (folder / LOCK).unlink()


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


@cache
def code_hash() -> str:
    """SHA-256 of the package's own source, without its command line and its pages."""
    root = Path(__file__).parent
    paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py"))
    return sha256(
        "".join(
            f"{path}\0{(root / path).read_text('utf-8')}\0"
            for path in paths
            if not path.startswith(("cli/", "report/"))
        )
    )


# ---- the lock


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which is made if need be. Raises WorkError if another process holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    with path.open("a+", encoding="utf-8") as file:
        if not _take(file.fileno()):
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise WorkError(f"{folder}: {holder} is working on it")
        if not _is_at(path, file.fileno()):
            raise WorkError(f"{folder}: another process has just finished it")
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node() or 'this machine'}")
        file.flush()
        yield


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether an open file is still the one of that name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _take(descriptor: int) -> bool:
    """Take a lock that the system takes back when this process ends; False if another process has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
