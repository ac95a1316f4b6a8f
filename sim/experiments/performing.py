"""Experiments in a folder: runs, comparisons and sweeps, chunk by chunk, interrupted and resumed.

What is missing is computed; then the chunks become the files of a complete folder.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from sim.analysis import compare as comparing
from sim.analysis.ensemble import Ensemble, join
from sim.experiments.chunks import Chunk
from sim.experiments.comparison import Comparison, measured_over, shared_horizon
from sim.experiments.folder import (
    AllFailed,
    draw_run,
    finished,
    read_manifest,
    read_rows,
    seal_run,
    state_of,
    write_run,
)
from sim.experiments.manifest import (
    COMPLETE,
    MANIFEST,
    ResultError,
    any_manifest,
    refuse_damaged,
    write_manifest,
)
from sim.experiments.request import COMPARE, RUN, Experiment
from sim.experiments.runner import CHUNKS, Work, begin, remove_leftovers, reopen, tidy
from sim.experiments.values import with_numbers
from sim.market.simulate import Progress
from sim.system import tables
from sim.system.executors import LOCAL, computed
from sim.system.files import sync_folder
from sim.system.lock import WorkError, locked

COMPARISON_TABLE, SWEEP_TABLE = "comparison.parquet", "sweep.parquet"
VARIANTS = "variants"

RUNS_WORTH_A_PROCESS = 400
"""From so many runs on, variants are finished in several processes."""

Variant = tuple[str, Ensemble | None, list[dict[str, Any]]]
"""Name and measure of a finished variant (None if no run came to its end), and its runs that failed."""

Finished = tuple[Ensemble | None, dict[str, Any]]
"""The measure of a variant whose tables are written, and what its manifest is to say."""


def perform(
    experiment: Experiment,
    folder: Path,
    *,
    jobs: int,
    where: str = LOCAL,
    command: str = "",
    progress: Progress | None = None,
) -> None:
    """Do an experiment in a folder that is free, or holds a part of it; the folder is complete then.

    Raises:
        ResultError, WorkError: if the folder holds something else, or is in use.
        ExecutorError: if it cannot be computed there; what is done is kept.
        AllFailed: if not one run came to its end; nothing is kept.
        OSError: if the disk refuses; what is done is kept.
    """
    state_of(folder, experiment)  # before a lock is laid into a folder that is somebody else's
    above = [path for path in folder.absolute().parents if not path.exists()]
    with locked(folder):
        try:
            if state_of(folder, experiment) == COMPLETE:  # another process has done it
                tidy(folder)
            else:
                _work_off(begin(experiment, folder, jobs, command), jobs, where, progress)
        except BaseException as error:
            if not isinstance(error, WorkError | ResultError):
                _leave(folder, above)
            raise


def resume(
    folder: Path, *, jobs: int, where: str = LOCAL, progress: Callable[[Experiment], Progress] | None = None
) -> None:
    """Finish what was begun in a folder.

    Args:
        folder: a working folder.
        jobs: processes.
        where: as for `sim.system.executors.computed`.
        progress: given the experiment, what to call with the number of runs that have just finished.

    Raises:
        ResultError, WorkError: if the folder holds nothing of the kind, is in use, or was begun otherwise.
        Exception: as `perform`.
    """
    if any_manifest(folder).get("status") == COMPLETE and not (folder / CHUNKS).exists():
        refuse_damaged(folder)
        return
    with locked(folder):
        if any_manifest(folder).get("status") == COMPLETE:  # killed while it was tidied up
            refuse_damaged(folder)
            tidy(folder)
            return
        work = reopen(folder)
        try:
            _work_off(work, jobs, where, progress(work.experiment) if progress else None)
        except AllFailed:
            _leave(folder, ())
            raise


def _work_off(work: Work, jobs: int, where: str, progress: Progress | None) -> None:
    kind = work.experiment.kind
    measured = _measured(work, work.compute(jobs, where, progress, partial(_import_last, kind)))
    for leftover in (work.folder / CHUNKS).glob(".finished-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    staged = work.folder / CHUNKS / f".finished-{os.getpid()}"  # not where a dying worker may still write
    staged.mkdir()
    try:
        if kind == RUN:
            _finish_run(work, staged, measured.get(RUN))
        elif kind == COMPARE:
            _finish_comparison(work, staged, jobs, measured)
        else:
            _finish_sweep(work, staged, jobs)
    except AllFailed:
        for chunk in work.chunks:  # whoever is killed here leaves what can be resumed
            work.path(chunk).unlink(missing_ok=True)
        raise
    sync_folder(staged)
    work.complete(staged)


def _measured(work: Work, measures: dict[Chunk, Ensemble]) -> dict[str, Ensemble]:
    """The variants all of whose chunks have just been measured."""
    chunks = {name: work.chunks_of(name) for name in work.experiment.variants}
    return {
        name: join([measures[chunk] for chunk in theirs])
        for name, theirs in chunks.items()
        if measures.keys() >= set(theirs)
    }


def _import_last(kind: str) -> None:
    """Import what is needed in the end and takes long: what draws and, for a comparison, Student's t."""
    from sim.report import pictures  # noqa: F401

    if kind == COMPARE:
        import scipy.special  # noqa: F401


def _finish_run(work: Work, staged: Path, ensemble: Ensemble | None) -> None:
    """Write the run folder; the pictures are drawn first, in their place, if all has just been measured."""
    request = work.experiment.first
    if ensemble is not None:
        draw_run(work.folder, request.scenario, ensemble)
    _, manifest = write_run(staged, request, work.blocks(RUN), work.command, work.folder, ensemble)
    seal_run(staged, manifest, work.folder)


def _leave(folder: Path, above: Sequence[Path]) -> None:
    """Take a working folder away in which nothing is done, and the folders that were made for it."""
    if any((folder / CHUNKS).glob("*/*.chunk")) or not _is_unfinished(folder):
        return
    with suppress(FileNotFoundError):  # somebody has taken the folder away
        for leftover in (folder / CHUNKS).glob(".finished-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        (folder / MANIFEST).unlink(missing_ok=True)  # from here on there are leftovers alone
        remove_leftovers(folder)
    tidy(folder)
    for path in (folder, *above):
        try:
            path.rmdir()
        except OSError:
            return


def _is_unfinished(folder: Path) -> bool:
    """Whether a folder has no manifest yet, or that of unfinished work."""
    try:
        return not os.path.lexists(folder / MANIFEST) or any_manifest(folder).get("status") != COMPLETE
    except ResultError:  # somebody has changed it under way; it is left as it is
        return False


def _finished_variants(
    work: Work,
    staged: Path,
    jobs: int,
    measured: dict[str, Ensemble] | None = None,
    while_waiting: Callable[[], None] = lambda: None,
) -> Generator[Variant]:
    """Write the run folder of each variant: in order, and in several processes where that pays.

    Those that are `measured` come without their pictures; `while_waiting` is called as by `computed`.
    """
    names, measured = list(work.experiment.variants), measured or {}
    width = jobs if work.experiment.runs >= RUNS_WORTH_A_PROCESS else 1
    tasks = [(work, name, staged, measured.get(name)) for name in names]
    waiting: dict[int, Finished] = {}
    with closing(computed(finish_variant, tasks, LOCAL, width, while_waiting)) as done:
        for turn, name in enumerate(names):
            while turn not in waiting:
                number, value = next(done)
                waiting[number] = value
            ensemble, manifest = waiting.pop(turn)
            if ensemble is not None:
                seal_run(_variant_folder(staged, name), manifest)
            yield name, ensemble, [{"variant": name, **row} for row in manifest["failures"]]


def finish_variant(work: Work, name: str, staged: Path, measured: Ensemble | None = None) -> Finished:
    """Write the run folder of a variant, but for its manifest, and its pictures if it is measured already."""
    folder = _variant_folder(staged, name)
    goal = work.folder / VARIANTS / name
    request = work.experiment.variants[name]
    try:
        ensemble, manifest = write_run(folder, request, work.blocks(name), work.command, goal, measured)
    except AllFailed as error:
        shutil.rmtree(folder)
        return None, {"failures": error.failures}
    return ensemble, manifest


def _variant_folder(staged: Path, name: str) -> Path:
    """Where the files of a variant are staged; who comes first makes it."""
    folder = staged / VARIANTS / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _finish_comparison(work: Work, staged: Path, jobs: int, measured: dict[str, Ensemble]) -> None:
    """Write the folders of the variants and the comparison; what is measured is drawn while others write."""
    variants = work.experiment.variants
    failures: list[dict[str, Any]] = []
    ensembles: dict[str, Ensemble] = {}

    def draw_measured() -> None:
        """Draw what needs no worker."""
        for name, ensemble in measured.items():
            draw_run(_variant_folder(staged, name), variants[name].scenario, ensemble)
        if measured.keys() == variants.keys():
            _write_comparison(work, staged, measured)

    with closing(_finished_variants(work, staged, jobs, measured, draw_measured)) as finished:
        for name, ensemble, failed in finished:
            failures += failed
            if ensemble is None:
                raise AllFailed(failed)
            ensembles[name] = ensemble
    if measured.keys() != variants.keys():
        _write_comparison(work, staged, ensembles)
    changes = list(work.experiment.first.origin[1]) if work.experiment.first.origin else []
    notes = [*_set_everywhere(changes), *comparing.not_shared(ensembles)]
    _write_manifest(work, staged, {"set": changes, "notes": notes, "failures": failures})


def _set_everywhere(changes: Sequence[str]) -> list[str]:
    """That what was set on the command line is no difference between the scenarios compared."""
    said = ", ".join(f"--set {change}" for change in changes)
    return [f"{said}: set in every scenario compared, on all sides alike"] if changes else []


def _write_comparison(work: Work, staged: Path, ensembles: dict[str, Ensemble]) -> None:
    """Write what the comparison tells and draw it, over the weeks that all variants have."""
    from sim.report import pictures

    weeks, cut = shared_horizon(work.experiment), {}
    scenarios = {name: work.experiment.variants[name].scenario for name in ensembles}
    for name, scenario in scenarios.items():
        if scenario.horizon > weeks:
            blocks = (block for block, _ in work.blocks(name) if block is not None)
            cut[name] = join([measured_over(scenario, block, weeks) for block in blocks])
    found = Comparison(scenarios, ensembles | cut)
    tables.write_table(staged / COMPARISON_TABLE, found.rows)
    for other in list(scenarios)[1:]:
        pictures.save(found.plot(other), staged / f"difference-{other}.png")


def _finish_sweep(work: Work, staged: Path, jobs: int) -> None:
    from sim.report import differences, pictures

    failures: list[dict[str, Any]] = []
    rows = []
    with closing(_finished_variants(work, staged, jobs)) as variants:
        for (name, ensemble, failed), point in zip(variants, work.experiment.design, strict=True):
            failures += failed
            if ensemble is not None:
                rows.append(comparing.sweep_rows(name, point, ensemble))
    if not rows:
        raise AllFailed(failures)
    table = with_numbers(pa.concat_tables(rows), work.experiment.design[0])
    tables.write_table(staged / SWEEP_TABLE, table)
    axes = differences.plot_sweep(work.experiment.first.scenario, table, list(work.experiment.design[0]))
    if axes is not None:
        pictures.save(axes, staged / "response.png")
    _write_manifest(work, staged, {"points": work.experiment.design, "failures": failures})


def _write_manifest(work: Work, staged: Path, more: dict[str, Any]) -> None:
    """Write the manifest of several variants, which vouches for theirs and for its own table and pictures."""
    own = [path.name for path in staged.iterdir() if path.is_file()]
    theirs = [path.relative_to(staged).as_posix() for path in staged.glob(f"{VARIANTS}/*/{MANIFEST}")]
    write_manifest(staged, finished(work.experiment, work.command) | more, [*own, *theirs])


def holds(folder: Path, experiment: Experiment) -> bool:
    """Whether a folder holds this very experiment complete; ResultError if it holds something else."""
    return state_of(folder, experiment) == COMPLETE


def failures_in(folder: Path) -> list[dict[str, Any]]:
    """The runs of a complete folder that failed."""
    found = read_manifest(folder, None).get("failures", [])
    if not isinstance(found, list):
        raise ResultError(f"{folder / MANIFEST}: is damaged")
    return found


def rows_in(folder: Path) -> Any:
    """The comparison's or the sweep's table (pyarrow) in a complete folder. Raises ResultError."""
    kind = read_manifest(folder, None).get("kind")
    return read_rows(folder / (COMPARISON_TABLE if kind == COMPARE else SWEEP_TABLE))
