"""Run folders: there whole or not at all, the same when opened again, never another run's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal
from small_markets import lab, market_of, scenario

from sim import files, results, tables
from sim.results import Request, Result, ResultError, existing

WEEKS = 8
FILES = {
    "manifest.json", "scenario.yaml", "summary.json", "hiring.png", "retention.png",
    *(f"{name}.parquet" for name in tables.NAMES),
}  # fmt: skip


def a_request(seed: int = 3, runs: int = 2, **changes: Any) -> Request:
    labs = {"alpha": lab(20, label="Alpha"), "beta": lab(15, label="Beta", process="0 weeks")}
    return Request(scenario(market_of(labs, weeks=WEEKS, **changes)), seed, runs)


@pytest.fixture(scope="module")
def result() -> Result:
    return results.run(a_request())


@pytest.fixture
def sketchy(monkeypatch):
    """Pictures cost most of a save; where they do not matter they are a word in a file."""
    for name in ("plot_hiring", "plot_retention"):
        monkeypatch.setattr(results.plots, name, lambda *_args: None)
    monkeypatch.setattr(results.plots, "save", lambda _axes, path: files.write_text(path, "picture"))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# --- the round trip -----------------------------------------------------------------------------


def test_a_folder_holds_what_the_contract_says(result, tmp_path):
    folder = result.save(tmp_path / "deep" / "mine", command="talentsim run small")
    assert names(folder) == FILES
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest["status"] == "complete"
    assert manifest["command"] == "talentsim run small"
    assert (manifest["format"], manifest["seed"], manifest["runs"]) == (tables.FORMAT, 3, 2)
    assert {"talentsim", "python", "numpy", "mesa"} <= manifest["versions"].keys()
    assert manifest["hashes"] == result.hashes()
    assert len(set(manifest["run_seeds"].values())) == 2
    assert (folder / "hiring.png").read_bytes().startswith(b"\x89PNG")


def test_opened_again_it_is_the_same(result, tmp_path, sketchy):
    result.save(tmp_path / "mine")
    opened = Result.open(tmp_path / "mine")
    assert opened.scenario == result.scenario
    assert (opened.runs, opened.request.seed) == (2, 3)
    assert opened.hashes() == result.hashes()
    assert opened.summary == result.summary
    for name in tables.NAMES:
        assert_frame_equal(getattr(opened, name), getattr(result, name), check_categorical=False)
        tables.check(name, opened.table(name))
    assert opened.hiring().equals(result.hiring())
    assert opened.retention(who="all").equals(result.retention(who="all"))
    assert opened.request.identity == result.request.identity


def test_two_saves_of_one_result_are_the_same_bytes(result, tmp_path):
    for name in ("one", "two"):
        result.save(tmp_path / name)
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_opening_reads_no_table_until_it_is_asked_for(result, tmp_path, sketchy, monkeypatch):
    result.save(tmp_path / "mine")
    read = []
    real = tables.read_table
    monkeypatch.setattr(tables, "read_table", lambda path: (read.append(path.stem), real(path))[1])
    opened = Result.open(tmp_path / "mine")
    assert opened.summary["runs"] == 2
    assert read == []
    assert len(opened.spells) == len(opened.spells) > 0
    assert read == ["spells"]


# --- what is read off a result ------------------------------------------------------------------


def test_hiring_ends_at_the_totals(result):
    hiring = result.hiring()
    assert len(hiring) == WEEKS * 2
    last = hiring[hiring.date == hiring.date.max()].set_index("lab")["median"]
    totals = result.labs.groupby(["lab", "run"], observed=True).hires.sum()
    assert last.to_dict() == totals.groupby("lab", observed=True).median().to_dict()


def test_retention_never_rises_and_starts_at_one(result):
    for by in ("lab", "unit", "origin"):
        for _, curve in result.retention(by=by, who="all").groupby(by):
            survival = curve.survival.dropna()
            assert survival.iloc[0] == 1
            assert (survival.diff().dropna() <= 0).all()


# --- whole or not at all ------------------------------------------------------------------------


def count_syncs(result: Result, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    seen = []
    real = os.fsync
    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", lambda descriptor: (seen.append(descriptor), real(descriptor))[1])
        result.save(folder)
    return len(seen)


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_failing_at_any_sync_leaves_nothing_or_the_whole(result, tmp_path, sketchy, monkeypatch, failure):
    """Every file is synced, so failing at each sync in turn covers the whole way."""
    total = count_syncs(result, tmp_path / "clean", monkeypatch)
    assert total >= len(FILES) + 1
    real = os.fsync
    for last in range(total):
        calls = iter(range(total))

        def fail(descriptor: int, calls: Any = calls, last: int = last) -> None:
            if next(calls) == last:
                raise failure
            real(descriptor)

        goal = tmp_path / str(last) / "mine"
        goal.parent.mkdir()
        with monkeypatch.context() as patch:
            patch.setattr(files.os, "fsync", fail)
            with pytest.raises(type(failure)):
                result.save(goal)
        if goal.exists():  # the rename was done, only its sync was refused
            assert last == total - 1
            assert names(goal) == FILES
            assert Result.open(goal).hashes() == result.hashes()
        assert names(goal.parent) <= {"mine"}


SAVER = """
import sys
from pathlib import Path
from sim import files, results
results.plots.save = lambda axes, path: files.write_text(path, "picture")
results.plots.plot_hiring = results.plots.plot_retention = lambda *args: None
result = results.Result.open(sys.argv[1])
result.hashes(), result.summary
print("ready", flush=True)
for number in range(100_000):
    result.save(Path(sys.argv[2]) / str(number))
"""


def test_a_saver_killed_outright_leaves_no_torn_folder(result, tmp_path, sketchy):
    result.save(tmp_path / "seed")
    out = tmp_path / "out"
    out.mkdir()
    given = [sys.executable, "-c", SAVER, str(tmp_path / "seed"), str(out)]
    with subprocess.Popen(given, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        while not (out / "2").exists():
            time.sleep(0.001)
        time.sleep(float(np.random.default_rng().uniform(0, 0.1)))  # any instant must do
        process.kill()
    left = sorted(path for path in out.iterdir() if not path.name.startswith("."))
    assert all(names(folder) == FILES for folder in left)
    last = max(left, key=lambda path: int(path.name))
    assert Result.open(last).hashes() == result.hashes()


# --- refusals -----------------------------------------------------------------------------------


def test_save_refuses_what_is_not_free(result, tmp_path, sketchy):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "thesis.txt").write_text("years of work")
    result.save(tmp_path / "taken")
    for name in ("file", "notes", "taken"):
        with pytest.raises(ResultError, match=name) as caught:
            result.save(tmp_path / name)
        assert "\n" not in str(caught.value)
    assert names(tmp_path) == {"file", "notes", "taken"}
    assert (tmp_path / "notes" / "thesis.txt").read_text() == "years of work"


def test_an_empty_folder_is_filled(result, tmp_path, sketchy):
    (tmp_path / "empty").mkdir()
    assert names(result.save(tmp_path / "empty")) == FILES


def test_a_complete_folder_of_the_same_request_is_found_again(result, tmp_path, sketchy):
    folder = result.save(tmp_path / "mine")
    found = existing(folder, a_request())
    assert found is not None
    assert found.hashes() == result.hashes()
    assert existing(tmp_path / "absent", a_request()) is None


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (a_request(seed=4), "seed 3, not 4"),
        (a_request(runs=3), "runs 2, not 3"),
        (a_request(market={"choice": {"pay_elasticity": 3.0}}), "another version of the scenario"),
    ],
)
def test_another_runs_folder_is_refused_and_told_apart(result, tmp_path, sketchy, other, words):
    folder = result.save(tmp_path / "mine")
    with pytest.raises(ResultError, match=words):
        existing(folder, other)
    assert other.folder_name != result.request.folder_name


def test_the_default_name_is_the_scenario_and_a_short_hash():
    assert a_request().folder_name == a_request().folder_name
    name, digits = a_request().folder_name.rsplit("-", 1)
    assert name == "small"
    assert len(digits) == 8
    assert int(digits, 16) >= 0


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda manifest: manifest | {"format": 99}, "format 99, this version reads 1"),
        (lambda manifest: manifest | {"status": "running"}, "not complete"),
        (lambda _: ["no", "manifest"], "format None"),
    ],
)
def test_a_folder_of_another_format_or_unfinished_is_refused(result, tmp_path, sketchy, spoil, words):
    folder = result.save(tmp_path / "mine")
    path = folder / "manifest.json"
    path.write_text(json.dumps(spoil(json.loads(path.read_text("utf-8")))), "utf-8")
    with pytest.raises(ResultError, match=words) as caught:
        Result.open(folder)
    assert "mine" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_folder_no_manifest_or_a_torn_one_is_refused(tmp_path):
    for name, text in (("torn", '{"format": 1, "sta'), ("bare", None)):
        (tmp_path / name).mkdir()
        if text is not None:
            (tmp_path / name / "manifest.json").write_text(text)
    for name, words in (("absent", "holds no run"), ("bare", "holds no run"), ("torn", "cannot be read")):
        with pytest.raises(ResultError, match=words):
            Result.open(tmp_path / name)


def test_a_changed_table_shows_in_its_hash(result, tmp_path, sketchy):
    folder = result.save(tmp_path / "mine")
    labs = result.table("labs")
    place = labs.column_names.index("hires")
    more = pa.chunked_array([labs.column("hires").to_numpy() + 1]).cast(pa.int32())
    tables.write_table(folder / "labs.parquet", labs.set_column(place, labs.schema.field("hires"), more))
    opened = Result.open(folder)
    changed = {name for name, value in opened.hashes().items() if value != result.hashes()[name]}
    assert changed == {"labs"}
