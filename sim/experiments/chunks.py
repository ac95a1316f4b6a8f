"""Chunks: blocks of runs of the variants of an experiment, cut, computed anywhere, and packed into bytes.

A chunk's file, `000000-000049.chunk`, is a line that says of which work and of which runs it is, with the
digest of what follows: a zip of the block's tables and of the runs that failed.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sim.analysis.ensemble import Ensemble, measure
from sim.experiments.request import Experiment, Request, sha256
from sim.market import simulate
from sim.market.draws import run_keys
from sim.scenario.schema import Scenario
from sim.system import tables
from sim.system.lock import WorkError

Block = tuple[dict[str, Any] | None, list[dict[str, Any]]]
"""Tables of the runs that came to their end (None if none did), and a row for each that failed."""

Computed = tuple[bytes, Ensemble | None]
"""A packed block, and its measure if that was asked for and a run came to its end."""


_MOST_OF_A_HEAD = 1000
_FOREIGN = "is damaged or of other work; delete it, and resume computes it again"


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
    found = [chunk for name in experiment.variants for chunk in cut_variant(experiment, name, size)]
    return sorted(found, key=lambda chunk: chunk.runs[0])


def cut_variant(experiment: Experiment, name: str, size: int) -> list[Chunk]:
    """The chunks of a variant, in the order of its runs."""
    runs = experiment.variants[name].run_numbers
    return [Chunk(name, runs[i : i + size]) for i in range(0, len(runs), size)]


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
    scenarios: list[Scenario], seed: int, runs: range, full: bool, measured: bool = False, code: str = ""
) -> list[Computed]:
    """A packed block of each of several scenarios of one world; each by itself if together they fail.

    Args:
        scenarios: what to simulate.
        seed: seed of the ensemble.
        runs: numbers of the runs.
        full: keep all offers and postings.
        measured: give the measures too.
        code: `code_hash` of who asks; a worker that has other code refuses.
    """
    if code and code != code_hash():
        raise WorkError("a worker runs another version of talentsim")
    if len(scenarios) > 1:
        with suppress(Exception):
            found = simulate.run_together(scenarios, seed, runs, full)
            blocks = {number: _computed(scenarios[number], (block, []), measured) for number, block in found}
            return [blocks[number] for number in range(len(scenarios))]
    return [_computed(scenario, _block(scenario, seed, runs, full), measured) for scenario in scenarios]


def _computed(scenario: Scenario, block: Block, measured: bool) -> Computed:
    found, _ = block
    return packed(block), measure(scenario, found) if measured and found is not None else None


def _block(scenario: Scenario, seed: int, runs: range, full: bool) -> Block:
    """A block: its runs side by side, or one by one if any fails, to find which."""
    try:
        return simulate.run_block(scenario, seed, runs, full), []
    except Exception:
        done, failed = [], []
        for run in runs:
            try:
                done.append(simulate.run_block(scenario, seed, [run], full))
            except Exception as error:
                failed.append(_failure(seed, run, error))
        whole = {name: tables.concat([one[name] for one in done]) for name in tables.NAMES} if done else None
        return whole, failed


def _failure(seed: int, run: int, error: Exception) -> dict[str, Any]:
    key = int(run_keys(seed, np.array([run], np.int64))[0])
    said = " ".join(f"{type(error).__name__}: {error}".split())
    return {"run": run, "seed": f"{key:016x}", "error": said[:500]}


def packed(block: Block) -> bytes:
    """A block as bytes."""
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


def label(request: Request, runs: range) -> str:
    """Of which work and of which runs a chunk is: what it was computed from, by what."""
    work = sha256(json.dumps([request.identity, code_hash(), np.__version__], sort_keys=True))
    return f"talentsim chunk of {work}, runs {runs[0]} to {runs[-1]}"


def labelled(data: bytes, said: str) -> bytes:
    """The bytes of a chunk's file: its label, the digest of a packed block, and the block."""
    return _head(data, said) + data


def _head(data: bytes, said: str) -> bytes:
    return f"{said}, sha256 {hashlib.sha256(data).hexdigest()}\n".encode()


def refuse_foreign(path: Path, said: str) -> None:
    """Refuse a chunk's file of other work or other runs than its label should say. Raises WorkError."""
    with path.open("rb") as file:
        if not file.readline(_MOST_OF_A_HEAD).startswith(f"{said}, sha256 ".encode()):
            raise WorkError(
                f"{path}: is of other work, or is damaged; delete it, and resume computes it again"
            )


def unpacked(path: Path, said: str | None = None) -> Block:
    """The block in a chunk's file. Raises WorkError if it is damaged, or does not bear the label due."""
    head, _, data = path.read_bytes().partition(b"\n")
    own = head.partition(b", sha256 ")[0].decode("ascii", "replace")
    if head + b"\n" != _head(data, said or own):
        raise WorkError(f"{path}: {_FOREIGN}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            failed = json.loads(archive.read("failed.json"))
            names = [name for name in tables.NAMES if f"{name}.arrow" in archive.namelist()]
            found = {name: pa.ipc.open_stream(archive.read(f"{name}.arrow")).read_all() for name in names}
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise WorkError(f"{path}: {_FOREIGN}") from error
    return (found or None), failed


@cache
def code_hash() -> str:
    """SHA-256 of the package's own source, without its command line, pictures and page."""
    root = Path(__file__).parents[1]
    paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py"))
    return sha256(
        "".join(
            f"{path}\0{(root / path).read_text('utf-8')}\0"
            for path in paths
            if not path.startswith(("cli/", "page/", "report/"))
        )
    )
