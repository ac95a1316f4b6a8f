"""How work goes on and ends: in what order, to which files, and the manifest last of all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from small_calls import sketch
from small_markets import lab, market_of, scenario

from sim.analysis import counts
from sim.analysis.curves import MONTHS_24
from sim.experiments import performing, results
from sim.experiments.chunks import cut
from sim.experiments.designs import comparison_of, factorial, sweep_of
from sim.experiments.request import Experiment, Request
from sim.experiments.results import Result, ResultError
from sim.market import simulate
from sim.report import differences, pictures
from sim.scenario.loading import dump_scenario
from sim.system import files, tables

RUN_FILES = {"scenario.yaml", "summary.json", "hiring.png", "retention.png", "manifest.json"} | {
    f"{name}.parquet" for name in tables.NAMES
}
FILES = {
    "run": RUN_FILES,
    "compare": {"comparison.parquet", "difference-longer.png", "manifest.json", "variants"},
    "sweep": {"sweep.parquet", "manifest.json", "variants"},
}


def tiny(weeks: int = 4, **changes: Any) -> Any:
    return scenario(market_of({"alpha": lab(9), "beta": lab(6)}, weeks, **changes))


def experiment(kind: str) -> Experiment:
    if kind == "run":
        return Experiment.of_run(Request(tiny(), 3, 2))
    if kind == "compare":
        return comparison_of([tiny(), tiny(6, name="longer")], runs=2, seed=3)
    return sweep_of("tiny.yaml", factorial(["labs.beta.staff=5,6"]), runs=2, seed=3)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with the tiny scenario; pictures are a word in a file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(dump_scenario(tiny()), "utf-8")
    sketch(monkeypatch)
    monkeypatch.setattr(differences, "plot_sweep", lambda *_args: None)
    return tmp_path


def after_each_move(monkeypatch: pytest.MonkeyPatch, look: Callable[[Path], None]) -> None:
    """Look whenever a file or folder has got its name, at that name."""
    for name in ("rename", "replace"):
        monkeypatch.setattr(Path, name, looking(getattr(Path, name), look))


def looking(move: Callable[..., Any], look: Callable[[Path], None]) -> Callable[..., Any]:
    def moved(path: Path, target: Path) -> Any:
        found = move(path, target)
        look(Path(target))
        return found

    return moved


def names(at: Path) -> set[str]:
    return {path.name for path in at.iterdir()} - {"chunks", ".lock"}


@pytest.mark.parametrize("kind", FILES)
def test_a_folder_says_complete_only_when_it_is(kind, here, monkeypatch) -> None:
    """Killed between any two moves, it holds all of its files or says that it is unfinished."""
    complete = []

    def look(_: Path) -> None:
        manifest = here / "x" / "manifest.json"
        if manifest.exists() and json.loads(manifest.read_text("utf-8"))["status"] == "complete":
            complete.append(names(here / "x"))

    after_each_move(monkeypatch, look)
    performing.perform(experiment(kind), here / "x", jobs=1)
    assert complete == [FILES[kind]]
    for variant in (here / "x").glob("variants/*"):
        assert names(variant) == RUN_FILES


@pytest.mark.parametrize("kind", FILES)
def test_what_the_manifest_vouches_for_is_on_the_disk_before_it(kind, here, monkeypatch) -> None:
    """A rename may reach the disk before an earlier one, unless the folder is synced between them."""
    order, sync = [], os.fsync

    def synced(descriptor: int) -> None:
        sync(descriptor)
        if (here / "x").exists() and os.path.samestat(os.fstat(descriptor), (here / "x").stat()):
            order.append("synced")

    after_each_move(
        monkeypatch, lambda target: order.append(target.name) if target.parent == here / "x" else None
    )
    monkeypatch.setattr(os, "fsync", synced)
    performing.perform(experiment(kind), here / "x", jobs=1)
    last = len(order) - 1 - order[::-1].index("manifest.json")
    assert (order[last - 1], order[last:]) == ("synced", ["manifest.json", "synced"])


def test_what_a_killed_worker_has_half_written_is_not_in_the_folder(here, monkeypatch) -> None:
    real = performing.finish_variant

    def finish(work: Any, name: str, staged: Path, *rest: Any) -> Any:
        half = files.temporary_sibling(staged / "variants" / name / "labs.parquet")
        half.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(b"PAR1 half a fi")
        return real(work, name, staged, *rest)

    monkeypatch.setattr(performing, "finish_variant", finish)
    performing.perform(experiment("sweep"), here / "x", jobs=1)
    for variant in ("000", "001"):
        assert names(here / "x" / "variants" / variant) == RUN_FILES


# ---- in which order, and with what


def test_all_variants_get_their_first_runs_before_any_gets_more() -> None:
    """Work cut short then says as much of one as of the other."""
    order = [(chunk.variant, list(chunk.runs)) for chunk in cut(experiment("compare"), 1)]
    assert order == [("small", [0]), ("longer", [0]), ("small", [1]), ("longer", [1])]


def interrupted(request: Request, at: Path, monkeypatch: pytest.MonkeyPatch, after: int = 1) -> None:
    """Work that stops after so many chunks of a single run."""
    real, blocks = simulate.run_block, count()
    monkeypatch.setattr(simulate, "BLOCK", 1)

    def stop(*given: Any) -> Any:
        if next(blocks) == after:
            raise KeyboardInterrupt
        return real(*given)

    with monkeypatch.context() as patch:
        patch.setattr(simulate, "run_block", stop)
        with pytest.raises(KeyboardInterrupt):
            performing.perform(Experiment.of_run(request), at, jobs=1)


def test_progress_goes_on_where_it_was(here, monkeypatch) -> None:
    interrupted(Request(tiny(), 3, 5), here / "x", monkeypatch, after=2)
    done: list[int] = []
    performing.resume(here / "x", jobs=1, progress=lambda _: done.append)
    assert done == [2, 1, 1, 1]


@pytest.mark.parametrize("log", [True, False])
def test_resumed_work_keeps_the_log_that_was_asked_for(log, here, monkeypatch) -> None:
    """By default so few runs would keep all offers and postings."""
    interrupted(Request(tiny(), 3, 2, log=log), here / "x", monkeypatch)
    performing.resume(here / "x", jobs=1)
    due = results.run(tiny(), runs=2, seed=3, log=log)
    assert Result.open(here / "x").hashes() == due.hashes()
    assert bool(len(due.ledger)) == log


def test_the_picture_of_retention_is_that_of_hires(here, monkeypatch) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(pictures, "draw_retention", lambda *given: drawn.append(given[1]))
    of = tiny(20)
    performing.perform(Experiment.of_run(Request(of, 3, 2)), here / "x", jobs=1)
    spells = Result.open(here / "x").table("spells")
    (shown,), due = drawn, counts.spell_counts(spells, who="hires", groups=list(of.labs), weeks=MONTHS_24)
    assert due.at_risk.any()
    assert shown.at_risk.tolist() == due.at_risk.tolist()
    assert shown.ends.tolist() == due.ends.tolist()


def test_a_comparison_s_folder_is_no_run_s(here) -> None:
    performing.perform(experiment("compare"), here / "x", jobs=1)
    with pytest.raises(ResultError, match="x: holds a compare, not a run"):
        Result.open(here / "x")
