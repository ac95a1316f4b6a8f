"""Work cut into chunks: the same wherever it is done, resumed exactly, refused when it is not the same."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest
import small_workers
from small_calls import call, sketch
from small_markets import lab, market_of, scenario

from benchmarks import kills
from sim.analysis import counts
from sim.experiments import folder, performing, results, runner
from sim.experiments.chunks import labelled, packed, unpacked
from sim.experiments.designs import comparison_of, factorial, sweep_of
from sim.experiments.manifest import sealed
from sim.experiments.request import Experiment, Request
from sim.market import simulate
from sim.report import pictures
from sim.scenario.loading import dump_scenario
from sim.system import executors, tables
from sim.system.lock import WorkError, locked

ROOT = Path(__file__).resolve().parents[2]
RUNS = 6
FILES = {
    "manifest.json", "scenario.yaml", "summary.json", "hiring.png", "retention.png",
    *(f"{name}.parquet" for name in tables.NAMES),
}  # fmt: skip


def tiny(weeks: int = 6, **changes: Any) -> Any:
    labs = {"alpha": lab(14, label="Alpha"), "beta": lab(9, label="Beta", process="0 weeks")}
    return scenario(market_of(labs, weeks, **changes))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with the tiny scenario; blocks of two runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(simulate, "BLOCK", 2)
    (tmp_path / "tiny.yaml").write_text(dump_scenario(tiny()), "utf-8")
    return tmp_path


@pytest.fixture(autouse=True)
def sketchy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are a word in a file."""
    sketch(monkeypatch)


@pytest.fixture(scope="module")
def due() -> dict[str, str]:
    """The hashes of the tables when nothing is cut and nothing written."""
    return results.run(tiny(), runs=RUNS, seed=3).hashes()


def perform(at: Path, jobs: int = 1, where: str = "local", runs: int = RUNS) -> None:
    performing.perform(
        Experiment.of_run(Request.of("tiny.yaml", runs=runs, seed=3)), at, jobs=jobs, where=where
    )


def pair() -> Experiment:
    """A comparison of the tiny scenario with a longer one, in chunks of two runs of each."""
    return comparison_of([tiny(name="tiny"), tiny(8, name="longer")], runs=RUNS, seed=3)


def told(at: Path) -> dict[str, Any]:
    """What a comparison's folder says: its own rows, and the figures and tables of each variant."""
    found = {name: at / "variants" / name for name in manifest(at)["variants"]}
    assert {frozenset(names(variant)) for variant in found.values()} == {frozenset(FILES)}
    return {
        name: (folder.read_summary(variant), manifest(variant)["hashes"]) for name, variant in found.items()
    } | {
        "files": names(at),
        "rows": performing.rows_in(at).to_pylist(),
    }


def full_disk(*_: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


ASKED = ("run", "tiny.yaml", "--runs", str(RUNS), "--seed", "3", "--jobs", "1", "--out", "x")


def manifest(at: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((at / "manifest.json").read_text("utf-8"))
    return found


def names(at: Path) -> set[str]:
    return {path.name for path in at.iterdir()}


def chunks(at: Path) -> list[str]:
    return sorted(path.name for path in (at / "chunks").rglob("*.chunk"))


# ---- the same result everywhere


@pytest.mark.parametrize("block", [1, 4, 50])
def test_the_size_of_the_chunks_does_not_matter(block, here, due, monkeypatch) -> None:
    monkeypatch.setattr(simulate, "BLOCK", block)
    perform(here / "x")
    assert names(here / "x") == FILES
    assert manifest(here / "x")["hashes"] == due
    assert results.Result.open(here / "x").hashes() == due


def test_processes_do_not_matter(here, due) -> None:
    perform(here / "x", jobs=2)
    assert manifest(here / "x")["hashes"] == due


def test_streamed_summary_and_tables_are_those_of_the_result_in_memory(here) -> None:
    perform(here / "x")
    whole = results.run(tiny(), runs=RUNS, seed=3)
    assert results.Result.open(here / "x").summary == json.loads(json.dumps(whole.summary))


@pytest.mark.parametrize("name", tables.NAMES)
def test_the_hash_of_a_table_written_in_pieces_is_that_of_its_file(name, here) -> None:
    perform(here / "x")
    found = tables.read_table(here / "x" / f"{name}.parquet")
    assert manifest(here / "x")["hashes"][name] == tables.canonical_hash(found)


@pytest.mark.parametrize("jobs", [1, 2])
def test_pictures_come_before_the_tables(jobs, here, due, monkeypatch) -> None:
    """They are drawn of what the workers measured, and stay when the tables cannot be written."""
    drawn = []

    monkeypatch.setattr(pictures, "draw_hiring", lambda *given: drawn.append(given[2].tolist()))
    with monkeypatch.context() as broken:
        broken.setattr(tables, "append", full_disk)
        with pytest.raises(OSError, match="No space"):
            perform(here / "x", jobs)
    assert names(here / "x") == {".lock", "chunks", "hiring.png", "manifest.json", "retention.png"}
    performing.resume(here / "x", jobs=jobs)  # measures anew, from the chunks
    assert names(here / "x") == FILES
    assert manifest(here / "x")["hashes"] == due
    panel = counts.Panel.of(results.run(tiny(), runs=RUNS, seed=3).table("labs"), ["alpha", "beta"])
    assert drawn == [counts.cumulative_hires(panel).tolist()] * 2


@pytest.mark.parametrize("lost", ["nothing", "tiny", "longer", "*"])
def test_a_comparison_is_the_same_whatever_of_it_was_measured_before(lost, here, monkeypatch) -> None:
    """Whose chunks are computed now is drawn here; the others are measured and drawn by who writes them."""

    performing.perform(pair(), here / "due", jobs=1)
    with monkeypatch.context() as broken:
        broken.setattr(tables, "append", full_disk)
        with pytest.raises(OSError, match="No space"):
            performing.perform(pair(), here / "x", jobs=1)
    for path in (here / "x" / "chunks").glob(f"{lost}/*.chunk"):
        path.unlink()
    drawn: list[str] = []
    monkeypatch.setattr(pictures, "draw_hiring", lambda *given: drawn.append(given[0].name))
    performing.resume(here / "x", jobs=1)
    assert told(here / "x") == told(here / "due")
    assert sorted(drawn) == ["longer", "tiny"]


def test_a_block_survives_its_chunk(tmp_path) -> None:
    found = simulate.run_block(tiny(), 3, [0, 1])
    failed = [{"run": 2, "seed": "00", "error": "x"}]
    (tmp_path / "c").write_bytes(labelled(packed((found, failed)), "mine"))
    again, rows = unpacked(tmp_path / "c", "mine")
    assert rows == failed
    assert again is not None
    for name in tables.NAMES:
        tables.check(name, again[name])
        assert tables.canonical_hash(again[name]) == tables.canonical_hash(found[name])


# ---- resume


def interrupted(here: Path, monkeypatch: pytest.MonkeyPatch, after: int, failure: BaseException) -> None:
    """Work that stops with a failure after so many chunks."""
    calls = iter(range(100))
    real = simulate.run_block

    def stop(*arguments: Any) -> Any:
        if next(calls) == after:
            raise failure
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(simulate, "run_block", stop)
        with pytest.raises(type(failure)):
            perform(here / "x")


def test_resume_computes_exactly_what_is_missing(here, due, monkeypatch) -> None:
    interrupted(here, monkeypatch, 2, KeyboardInterrupt())
    assert manifest(here / "x")["status"] == "unfinished"
    assert chunks(here / "x") == ["000000-000001.chunk", "000002-000003.chunk"]
    with pytest.raises(folder.ResultError, match="not complete; talentsim resume"):
        results.Result.open(here / "x")
    computed = []
    real = simulate.run_block
    monkeypatch.setattr(
        simulate, "run_block", lambda *given: (computed.append(list(given[2])), real(*given))[1]
    )
    performing.resume(here / "x", jobs=1)
    assert computed == [[4, 5]]
    assert names(here / "x") == FILES
    assert manifest(here / "x")["hashes"] == due


def test_ctrl_c_leaves_a_folder_that_says_how_to_go_on(here, monkeypatch, capsys) -> None:
    real = simulate.run_block

    def stop(*given: Any) -> Any:
        if 4 in given[2]:
            raise KeyboardInterrupt
        return real(*given)

    with monkeypatch.context() as patch:
        patch.setattr(simulate, "run_block", stop)
        told = call(*ASKED, capsys=capsys)
    assert told == (130, "", "talentsim: interrupted; what was done is kept: talentsim resume x\n")
    code, out, err = call("resume", "x", "--jobs", "1", "--json", capsys=capsys)
    assert (code, err) == (0, "")
    assert json.loads(out) == json.loads((here / "x" / "summary.json").read_text("utf-8"))
    assert call("resume", "x", "--json", capsys=capsys) == (0, out, "")  # a complete one is shown again
    assert call(*ASKED, "--json", capsys=capsys) == (0, out, "")


def test_the_same_run_asked_for_again_goes_on_too(here, due, monkeypatch, capsys) -> None:
    interrupted(here, monkeypatch, 1, KeyboardInterrupt())
    assert call(*ASKED, capsys=capsys)[0] == 0
    assert manifest(here / "x")["hashes"] == due


def test_nothing_done_leaves_nothing(here, monkeypatch) -> None:
    interrupted(here, monkeypatch, 0, KeyboardInterrupt())
    assert names(here) == {"tiny.yaml"}


def test_killed_while_it_was_tidied_up_it_is_tidied_up(here, due) -> None:
    perform(here / "x")
    (here / "x" / "chunks" / "run").mkdir(parents=True)
    (here / "x" / "chunks" / "run" / "000000-000001.chunk").write_bytes(b"left over")
    performing.resume(here / "x", jobs=1)
    assert names(here / "x") == FILES
    assert manifest(here / "x")["hashes"] == due


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda m: m | {"format": 99}, "format 99"),
        (lambda m: m | {"talentsim": "0.0.1"}, "talentsim 0.0.1, now"),
        (lambda m: m | {"code_sha256": "other"}, "code_sha256 other, now"),
        (lambda m: m | {"scenario_sha256": "other"}, "do not fit together"),
        (lambda m: {k: v for k, v in m.items() if k != "scenarios"}, "manifest.json: is damaged"),
    ],
)
def test_other_code_or_another_format_is_refused_with_the_difference(
    spoil, words, here, monkeypatch, capsys
) -> None:
    interrupted(here, monkeypatch, 1, KeyboardInterrupt())
    (here / "x" / "manifest.json").write_text(sealed(spoil(manifest(here / "x"))), "utf-8")
    code, out, err = call("resume", "x", capsys=capsys)
    assert (code, out) == (2, "")
    assert words in err
    assert chunks(here / "x") == ["000000-000001.chunk"]


def test_a_scenario_that_has_changed_is_refused_with_the_difference(here, monkeypatch, capsys) -> None:
    interrupted(here, monkeypatch, 1, KeyboardInterrupt())
    before = (here / "tiny.yaml").read_text("utf-8")
    (here / "tiny.yaml").write_text(before.replace("staff: 14", "staff: 13"), "utf-8")
    code, _, err = call("resume", "x", capsys=capsys)
    assert code == 2
    assert "tiny.yaml has changed since" in err
    assert {line.strip() for line in err.splitlines()[1:]} == {"-    staff: 14", "+    staff: 13"}
    (here / "tiny.yaml").write_text(before, "utf-8")
    assert call("resume", "x", capsys=capsys)[0] == 0


def test_without_the_file_it_came_from_the_kept_scenario_does(here, due, monkeypatch) -> None:
    interrupted(here, monkeypatch, 1, KeyboardInterrupt())
    (here / "tiny.yaml").unlink()
    performing.resume(here / "x", jobs=1)
    assert manifest(here / "x")["hashes"] == due


def test_a_kept_scenario_that_was_edited_is_refused(here, monkeypatch) -> None:
    interrupted(here, monkeypatch, 1, KeyboardInterrupt())
    kept = here / "x" / "chunks" / "run" / "scenario.yaml"
    kept.write_text(kept.read_text("utf-8").replace("staff: 14", "staff: 13"), "utf-8")
    with pytest.raises(WorkError, match="is not the scenario that the work was begun with"):
        performing.resume(here / "x", jobs=1)


def test_a_damaged_chunk_is_told_and_computed_again_when_it_is_deleted(
    here, due, monkeypatch, capsys
) -> None:
    interrupted(here, monkeypatch, 2, KeyboardInterrupt())
    chunk = here / "x" / "chunks" / "run" / "000002-000003.chunk"
    chunk.write_bytes(chunk.read_bytes()[:1000])
    code, _, err = call("resume", "x", capsys=capsys)
    assert code == 2
    assert "000002-000003.chunk: is damaged or of other work; delete it" in err
    chunk.unlink()
    assert call("resume", "x", capsys=capsys)[0] == 0
    assert manifest(here / "x")["hashes"] == due


def test_there_is_nothing_to_resume_where_nothing_was_begun(here, capsys) -> None:
    assert call("resume", "absent", capsys=capsys) == (
        2, "", "talentsim: absent: holds no run (no manifest.json)\n",
    )  # fmt: skip
    assert names(here) == {"tiny.yaml"}


# ---- the lock

HOLDER = """
import sys, time
from pathlib import Path
from sim.system.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock of unfinished work."""
    interrupted(here, monkeypatch, 1, KeyboardInterrupt())
    given = [sys.executable, "-c", HOLDER, str(here / "x")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(given, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_resume_is_refused_until_the_first_is_dead(holder, here, due, capsys) -> None:
    for words in (("resume", "x"), ASKED):
        code, _, err = call(*words, capsys=capsys)
        assert code == 2
        assert f"process {holder.pid}" in err and "is working on it" in err
    holder.kill()
    holder.wait()
    assert call("resume", "x", capsys=capsys)[0] == 0
    assert manifest(here / "x")["hashes"] == due


def test_a_lock_is_free_again_after_its_block(tmp_path) -> None:
    for _ in range(2):
        with locked(tmp_path):
            pass


# ---- what fails


def fails_at(monkeypatch: pytest.MonkeyPatch, *bad: int) -> None:
    real = simulate.run_block

    def run_block(*given: Any) -> Any:
        if set(bad) & set(given[2]):
            raise ZeroDivisionError("no such\nthing")
        return real(*given)

    monkeypatch.setattr(simulate, "run_block", run_block)


def test_a_run_that_fails_is_a_row_and_the_rest_goes_on(here, monkeypatch, capsys) -> None:
    whole = results.run(tiny(), runs=RUNS, seed=3)
    fails_at(monkeypatch, 3)
    code, out, err = call(*ASKED, "--json", capsys=capsys)
    assert code == 1
    summary = json.loads(out)
    assert (summary["runs"], summary["failed"]) == (RUNS, 1)
    (row,) = manifest(here / "x")["failures"]
    assert (row["run"], row["error"]) == (3, "ZeroDivisionError: no such thing")
    assert row["seed"] == manifest(here / "x")["run_seeds"]["3"]
    assert row["replay"] in err and "1 of 6 runs failed" in err
    found = results.Result.open(here / "x")
    for name in tables.NAMES:
        kept = whole.table(name).filter(pc.field("run") != 3)
        assert tables.canonical_hash(found.table(name)) == tables.canonical_hash(kept), name
    again = call(*row["replay"].split()[1:], capsys=capsys)
    assert again[0] == 1 and "ZeroDivisionError" in again[2]


def test_if_all_runs_fail_nothing_is_left(here, monkeypatch, capsys) -> None:
    fails_at(monkeypatch, *range(RUNS))
    code, out, err = call(*ASKED, capsys=capsys)
    assert (code, out) == (1, "")
    assert err == "talentsim: all 6 runs failed, run 0 with ZeroDivisionError: no such thing\n"
    assert names(here) == {"tiny.yaml"}


@pytest.mark.parametrize("last", range(12))
def test_a_full_disk_stops_the_work_but_takes_nothing_away(here, due, monkeypatch, capsys, last) -> None:
    real, syncs = os.fsync, iter(range(1000))

    def full(descriptor: int) -> None:
        if next(syncs) >= last:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr("sim.system.files.os.fsync", full)
        code, out, err = call(*ASKED, capsys=capsys)
    assert (code, out) == (1, "")
    assert "No space left on device" in err and err.count("\n") == 1
    if names(here) == {"tiny.yaml"}:
        assert "nothing was written" in err
    else:
        assert "talentsim resume x" in err
        assert not names(here / "x") & {"summary.json", "labs.parquet"}
    assert call(*ASKED, capsys=capsys)[0] == 0
    assert manifest(here / "x")["hashes"] == due


@pytest.mark.parametrize(
    ("file", "words"),
    [("summary.json", "summary.json: is cut"), ("manifest.json", "manifest.json: was changed")],
)
def test_a_damaged_file_is_bad_input(here, capsys, file, words) -> None:
    perform(here / "x")
    (here / "x" / file).write_text('{"runs": 6, "lab')
    code, out, err = call(*ASKED, capsys=capsys)
    assert (code, out) == (2, "")
    assert words in err and err.count("\n") == 1


def test_a_worker_that_dies_is_replaced(here, due, monkeypatch) -> None:
    """The first worker ends itself in its first task; the tasks that were lost are computed by others."""
    monkeypatch.setattr(runner, "compute_together", small_workers.die_once)
    perform(here / "x", jobs=2)
    assert (here / small_workers.MARK).exists()
    assert manifest(here / "x")["hashes"] == due


def test_a_worker_that_dies_while_it_finishes_a_variant_is_replaced(here, monkeypatch) -> None:
    """What it leaves behind is written again."""
    monkeypatch.setattr(performing, "RUNS_WORTH_A_PROCESS", 0)
    performing.perform(pair(), here / "due", jobs=2)
    monkeypatch.setattr(performing, "finish_variant", small_workers.finish_and_die_once)
    performing.perform(pair(), here / "x", jobs=2)
    assert (here / small_workers.MARK).exists()
    assert told(here / "x") == told(here / "due")


def test_workers_that_keep_dying_are_given_up() -> None:
    with pytest.raises(executors.ExecutorError, match="died 3 times running"):
        list(executors.computed(os._exit, [(9,), (9,)], jobs=2))


# ---- elsewhere


def test_an_unknown_place_is_refused(here, capsys) -> None:
    code, _, err = call(*ASKED, "--executor", "moon", capsys=capsys)
    assert code == 1 or code == 2
    assert "--executor moon: write local or dask://HOST:PORT" in err
    assert names(here) == {"tiny.yaml"}


def test_an_unreachable_cluster_is_told_in_time(here, capsys) -> None:
    began = time.monotonic()
    code, _, err = call(*ASKED, "--executor", "dask://127.0.0.1:1", capsys=capsys)
    assert time.monotonic() - began < 10 + 5  # the import of dask is not part of the promise
    assert code == 1
    assert "no dask scheduler answers there" in err
    assert names(here) == {"tiny.yaml"}


def test_without_dask_the_message_says_what_installs_it(here, capsys, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    code, _, err = call(*ASKED, "--executor", "dask://127.0.0.1:1", capsys=capsys)
    assert code == 1
    assert "pip install 'talentsim[cluster]'" in err


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_dask_cluster_gives_the_same(here, due) -> None:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        worker_dashboard_address=None,
    ) as cluster:
        perform(here / "x", where=cluster.scheduler_address.replace("tcp://", "dask://"))
    assert manifest(here / "x")["hashes"] == due


# ---- killed outright

linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are counted in /proc")


def test_variants_finished_in_several_processes_are_the_same(here, monkeypatch) -> None:
    points = factorial(["market.contact.rate=1/year,2/year,3/year"])
    experiment = sweep_of("tiny.yaml", points, runs=2, seed=1)
    performing.perform(experiment, here / "one", jobs=2)
    monkeypatch.setattr(performing, "RUNS_WORTH_A_PROCESS", 0)
    performing.perform(experiment, here / "several", jobs=2)
    assert kills.hashes(here / "several") == kills.hashes(here / "one")
    assert len(list((here / "several" / "variants").iterdir())) == 3


# Forks itself, so that imports are paid for once; the child does the work and is killed in the midst of it.
KILLER = """
import os, random, shutil, signal, sys, time
from pathlib import Path
from benchmarks import kills
from sim.experiments import performing
from sim.system import files
from sim.market import simulate
from sim.experiments.chunks import unpacked
from sim.experiments.manifest import sealed
from sim.experiments.designs import comparison_of, factorial, sweep_of
from sim.report import differences, pictures

pictures.draw_hiring = pictures.draw_retention = lambda *_: None
differences.plot_sweep = lambda *_: None
pictures.save = lambda _, path: files.write_text(path, "picture")
simulate.BLOCK = 1
here, landed = Path(sys.argv[1]), 0
(here / "tiny.yaml").write_text(kills.SCENARIO)
experiment = sweep_of(str(here / "tiny.yaml"), factorial(kills.VARY), runs=10, seed=1)
performing.perform(experiment, here / "whole", jobs=1)
due, work = kills.hashes(here / "whole"), here / "work"
while landed < 20:
    child = os.fork()
    if not child:
        performing.perform(experiment, work, jobs=1)
        os._exit(0)
    time.sleep(random.uniform(0, random.choice((0.02, 0.6))))  # often before the manifest stands
    os.kill(child, signal.SIGKILL)
    landed += os.waitpid(child, 0)[1] == signal.SIGKILL
    for path in kills.chunks(work):
        unpacked(path)
    if kills.finished(work) or landed == 20:
        performing.perform(experiment, work, jobs=1) if not kills.finished(work) else None
        assert kills.hashes(work) == due
        assert {p.name for p in work.iterdir()} == {p.name for p in (here / "whole").iterdir()}
        shutil.rmtree(work)
print("equal")
"""


@linux
def test_killed_twenty_times_nothing_is_lost_doubled_or_torn(tmp_path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", KILLER, str(tmp_path)],
        env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("equal\n", "")


@linux
@pytest.mark.slow
def test_parent_group_or_worker_killed_at_any_instant_of_200_chunks(tmp_path) -> None:
    count = kills.run_kills(tmp_path, 20, np.random.default_rng(1))
    assert count.landed == 20
    assert (count.torn, count.orphans, count.wrong) == (0, 0, [])
