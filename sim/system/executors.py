"""Where blocks of runs are computed: in this process, in others of this machine, or on a cluster.

A place is a `concurrent.futures` executor and the number of tasks that it keeps busy. What is
computed comes back as bytes or tables; nobody but the caller writes files, so a worker may die, and
the caller with all its workers, without a trace on the disk.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from multiprocessing.process import BaseProcess
from typing import Any, cast

from sim.system.interrupts import interrupts

LOCAL, CLUSTER = "local", "dask://"
DEATHS = 3  # so many times running may a worker die before a single task is done
CONNECT_SECONDS = 5

Place = tuple[Executor, int]


def default_jobs() -> int:
    """As many processes as this process may use cores."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ExecutorError(Exception):
    """Tasks cannot be computed where they should be; the message is one line."""


class InProcess(Executor):
    """Computes each task in this process when it is handed in."""

    def submit[**P, T](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """The finished future of a task."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Workers(ProcessPoolExecutor):
    """Worker processes, which are started while an interrupt waits: none is left half begun."""

    def submit[**P, T](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """The future of a task; starts a worker for it if all are busy."""
        with interrupts(held=True):
            return super().submit(fn, *args, **kwargs)

    def abandon(self, workers: Iterable[BaseProcess]) -> None:
        """End the workers in the midst of their tasks.

        One may have sent half of an answer. Its other half would be waited for without end, after the last
        worker too, by a thread that Python joins when it ends: this process holds an end of that pipe itself.
        """
        answers: Any = self._result_queue
        self.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.terminate()
        if answers is not None:
            answers._writer.close()


def computed(
    function: Callable[..., Any],
    tasks: Sequence[Sequence[Any]],
    where: str = LOCAL,
    jobs: int = 1,
    while_waiting: Callable[[], None] = lambda: None,
) -> Generator[tuple[int, Any]]:
    """The number and the value of each task, as they come.

    Args:
        function: what to compute; importable by name, for it may run elsewhere.
        tasks: its arguments, task by task.
        where: `local`, or `dask://HOST:PORT`.
        jobs: processes on this machine; with 1 it computes in this one.
        while_waiting: called once, when workers have something to do.

    Raises:
        ExecutorError: if the place cannot be reached, or its workers keep dying.
        Exception: whatever a task raises.
    """
    missing = dict(enumerate(tasks))
    while_waiting = cache(while_waiting)
    deaths = 0
    while missing:
        try:
            with _place(where, min(jobs, len(missing))) as place:
                for number, value in _drained(place, function, missing, while_waiting):
                    deaths = 0
                    del missing[number]
                    yield number, value
        except BrokenExecutor as error:
            deaths += 1
            if deaths == DEATHS:
                raise ExecutorError(
                    f"worker processes died {DEATHS} times running (is memory short? does your own script "
                    'guard its start with if __name__ == "__main__"?); fewer --jobs may help'
                ) from error


def _drained(
    place: Place,
    function: Callable[..., Any],
    tasks: dict[int, Sequence[Any]],
    while_waiting: Callable[[], None],
) -> Iterator[tuple[int, Any]]:
    """Hand tasks in, two for each worker at a time, so that few results wait; give what is done."""
    executor, width = place
    waiting: dict[Future[Any], int] = {}
    todo = iter(list(tasks.items()))
    while True:
        while len(waiting) < width and (task := next(todo, None)) is not None:
            waiting[executor.submit(function, *task[1])] = task[0]
        if not waiting:
            return
        with interrupts(held=True):  # an import may swallow one
            while_waiting()
        for future in wait(waiting, return_when=FIRST_COMPLETED).done:
            yield waiting.pop(future), future.result()


def _place(where: str, jobs: int) -> AbstractContextManager[Place]:
    if where.startswith(CLUSTER):
        return _cluster(where)
    if where != LOCAL:
        raise ExecutorError(f"--executor {where}: write local or {CLUSTER}HOST:PORT")
    return _processes(jobs) if jobs > 1 else _here()


@contextmanager
def _here() -> Iterator[Place]:
    yield InProcess(), 1


@contextmanager
def _processes(jobs: int) -> Iterator[Place]:
    """Worker processes; left early, they are ended in the midst of their tasks.

    They are not forked from this process: forked ones would share its open files, a lock among them.
    """
    before = set(multiprocessing.active_children())
    pool = Workers(jobs, mp_context=worker_context(), initializer=_start_worker)
    try:
        yield pool, 2 * jobs
    except BaseException:
        pool.abandon(set(multiprocessing.active_children()) - before)
        raise
    finally:
        pool.shutdown()


def worker_context() -> Any:
    """How worker processes are started; what they import is imported from the first call on, aside."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver

    context = multiprocessing.get_context("forkserver")
    # imported once, not by each worker; pyarrow imports pandas with its first array, and draws import scipy
    context.set_forkserver_preload(["sim.experiments.chunks", "pandas", "scipy.special"])
    with interrupts(held=False):  # the server that forks the workers, and they, go on ignoring them
        forkserver.ensure_running()
    return context


def _start_worker() -> None:
    """Leave interrupts to the parent, and end when it ends, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _cluster(where: str) -> Iterator[Place]:
    """The workers of a dask scheduler; all that is ours is to find them."""
    try:
        from distributed import Client
    except ImportError as error:
        raise ExecutorError(
            f"--executor {where}: dask is not installed; pip install 'talentsim[cluster]' installs it"
        ) from error
    try:
        client: Any = cast(Any, Client)(f"tcp://{where.removeprefix(CLUSTER)}", timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TimeoutError) as error:
        raise ExecutorError(f"--executor {where}: no dask scheduler answers there") from error
    try:
        threads = sum(client.ncores().values())
        if not threads:
            raise ExecutorError(f"--executor {where}: the scheduler has no workers")
        yield cast(Executor, client.get_executor(pure=False)), 2 * threads
    except _cluster_failures() as error:
        raise ExecutorError(f"--executor {where}: the cluster failed: {_first_line(error)}") from error
    finally:
        client.close(timeout=5)


def _cluster_failures() -> tuple[type[BaseException], ...]:
    from concurrent.futures import CancelledError

    from distributed import KilledWorker
    from distributed.comm.core import CommClosedError

    return CancelledError, CommClosedError, KilledWorker


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
