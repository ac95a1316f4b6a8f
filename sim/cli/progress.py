"""What `run`, `compare`, `sweep` and `resume` share: a progress bar, and what is said when work stops."""

from __future__ import annotations

import errno
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Exit

from sim.cli.options import FAILED, INTERRUPTED, say
from sim.system.files import typed

Runs = Annotated[int, typer.Option(help="how many markets to simulate")]
Seed = Annotated[int, typer.Option(min=0, max=2**64 - 1, help="seed of the ensemble")]
Jobs = Annotated[int | None, typer.Option(help="processes  [default: all cores]")]
Where = Annotated[str, typer.Option("--executor", metavar="local|dask://HOST:PORT", help="where to compute")]
SHOWN_FAILURES = 3
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Stopped(Exception):
    """Work stopped on the way, but what was done is kept; the message says how to go on."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def warm_up(jobs: int | None, where: str) -> None:
    """Let worker processes import what they need while this one reads scenarios."""
    from sim.system.executors import LOCAL, default_jobs, worker_context

    if where == LOCAL and (jobs or default_jobs()) > 1:
        worker_context()


def perform(experiment: Any, folder: Path, jobs: int | None, where: str) -> None:
    """Do an experiment in its folder, with a progress bar on a terminal; nothing if it is complete there."""
    from sim.experiments import performing
    from sim.system.executors import default_jobs

    if performing.holds(folder, experiment):
        return
    with _resumable(folder), _bar() as start:
        performing.perform(
            experiment,
            folder,
            jobs=jobs or default_jobs(),
            where=where,
            command=command(),
            progress=start(experiment),
        )


def resume(folder: Path, jobs: int | None, where: str) -> None:
    """Finish what was begun in a folder, with a progress bar on a terminal."""
    from sim.experiments import performing
    from sim.system.executors import default_jobs

    with _resumable(folder), _bar() as start:
        performing.resume(folder, jobs=jobs or default_jobs(), where=where, progress=start)


def report_failures(failures: list[dict[str, Any]], runs: int) -> None:
    """Say which runs failed and how to replay them, and leave with the exit code for it, if any did."""
    if not failures:
        return
    say(f"{len(failures)} of {runs} runs failed; the figures are those of the other {runs - len(failures)}")
    for row in failures[:SHOWN_FAILURES]:
        where = f"{row['variant']}, " if "variant" in row else ""
        say(f"{where}run {row['run']} (seed {row['seed']}): {row['error']}; replay: {row['replay']}")
    if len(failures) > SHOWN_FAILURES:
        say(f"and {len(failures) - SHOWN_FAILURES} more, see the manifest")
    raise Exit(FAILED)


def command() -> str:
    """The command as typed, without the program's path."""
    return shlex.join(["talentsim", *sys.argv[1:]])


@contextmanager
def _resumable(folder: Path) -> Iterator[None]:
    """If work stops of which something is done, say that it is kept."""
    from sim.system.executors import ExecutorError

    try:
        yield
    except KeyboardInterrupt as stop:
        if kept := _kept(folder):
            raise Stopped(f"interrupted; {kept}", INTERRUPTED) from stop
        raise
    except (OSError, ExecutorError) as error:
        if isinstance(error, FileNotFoundError) and not folder.exists():
            taken = f"{folder}: was taken away while it was worked on; nothing is kept"
            raise Stopped(taken, FAILED) from error
        told = f"{error.filename or folder}: {error.strerror}" if isinstance(error, OSError) else str(error)
        kept = _kept(folder)
        full = isinstance(error, OSError) and error.errno in _NO_SPACE
        if not kept and not full:
            raise
        raise Stopped(f"{told}; {kept or 'nothing was written'}", FAILED) from error


def _kept(folder: Path) -> str:
    """What is kept of unfinished work and how to go on, in words; empty if nothing is."""
    if not any((folder / "chunks").glob("*/*.chunk")):
        return ""
    return f"what was done is kept: talentsim resume {typed(folder)}"


@contextmanager
def _bar() -> Iterator[Callable[[Any], Callable[[int], None]]]:
    """Given the experiment, a function that moves the bar by so many runs; nothing is shown in a pipe."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:

        def start(experiment: Any) -> Callable[[int], None]:
            task = bar.add_task(f"{experiment.kind}: runs", total=experiment.runs)

            def advance(done: int) -> None:
                bar.advance(task, done)
                if bar.tasks[0].finished:
                    bar.update(task, description="writing the folder")

            return advance

        yield start
