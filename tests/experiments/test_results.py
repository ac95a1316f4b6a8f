"""Run folders: there whole or not at all, the same when opened again, never another run's."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pandas.testing import assert_frame_equal
from small_calls import sketch
from small_markets import lab, market_of, scenario

import sim
from sim.experiments import folder, request, results
from sim.experiments.manifest import sealed
from sim.experiments.request import FORMAT
from sim.experiments.results import Request, Result, ResultError, existing
from sim.scenario.errors import ScenarioError
from sim.scenario.loading import load_scenario
from sim.system import files, tables

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
    sketch(monkeypatch)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# --- the round trip -----------------------------------------------------------------------------


def test_a_folder_holds_what_the_contract_says(result, tmp_path):
    folder = result.save(tmp_path / "deep" / "mine", command="talentsim run small")
    assert names(folder) == FILES
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest["status"] == "complete"
    assert manifest["command"] == "talentsim run small"
    assert (manifest["format"], manifest["seed"], manifest["runs"]) == (FORMAT, 3, 2)
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
from sim.system import files
from sim.experiments import results
results.pictures.save = lambda axes, path: files.write_text(path, "picture")
results.pictures.draw_hiring = results.pictures.draw_retention = lambda *args: None
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
        (lambda manifest: manifest | {"format": 99}, "format 99, this version reads 3"),
        (lambda manifest: manifest | {"status": "running"}, "not complete"),
        (lambda manifest: {k: v for k, v in manifest.items() if k != "format"}, "format None"),
    ],
)
def test_a_folder_of_another_format_or_unfinished_is_refused(result, tmp_path, sketchy, spoil, words):
    folder = result.save(tmp_path / "mine")
    path = folder / "manifest.json"
    path.write_text(sealed(spoil(json.loads(path.read_text("utf-8")))), "utf-8")
    with pytest.raises(ResultError, match=words) as caught:
        Result.open(folder)
    assert "mine" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_folder_no_manifest_or_a_torn_one_is_refused(tmp_path):
    for name, text in (("torn", '{"format": 2, "sta'), ("bare", None), ("list", "[2]")):
        (tmp_path / name).mkdir()
        if text is not None:
            (tmp_path / name / "manifest.json").write_text(text)
    for name, words in (
        ("absent", "holds no run"),
        ("bare", "holds no run"),
        ("torn", "was changed"),
        ("list", "was changed"),
    ):
        with pytest.raises(ResultError, match=words):
            Result.open(tmp_path / name)


def test_a_folder_of_an_older_format_is_refused_as_such(result, tmp_path, sketchy):
    """It had no seal, and is not taken for one that was changed."""
    folder = result.save(tmp_path / "mine")
    path = folder / "manifest.json"
    older = {k: v for k, v in json.loads(path.read_text("utf-8")).items() if k not in ("files", "seal")}
    path.write_text(json.dumps(older | {"format": 1}), "utf-8")
    with pytest.raises(ResultError, match="format 1, this version reads 3"):
        Result.open(folder)


def test_a_changed_table_shows_in_its_hash_and_closes_the_folder(result, tmp_path, sketchy):
    folder = result.save(tmp_path / "mine")
    opened = Result.open(folder)
    labs = result.table("labs")
    place = labs.column_names.index("hires")
    more = pa.chunked_array([labs.column("hires").to_numpy() + 1]).cast(pa.int32())
    tables.write_table(folder / "labs.parquet", labs.set_column(place, labs.schema.field("hires"), more))
    changed = {name for name, value in opened.hashes().items() if value != result.hashes()[name]}
    assert changed == {"labs"}
    with pytest.raises(ResultError, match=r"labs\.parquet: (is cut|was changed)"):
        Result.open(folder)


@pytest.mark.parametrize("failure", [RuntimeError("no ink"), OSError(28, "No space"), KeyboardInterrupt()])
@pytest.mark.parametrize("step", ["first picture", "second picture", "table", "manifest", "rename"])
def test_failing_midway_leaves_nothing_and_saving_again_works(
    result, tmp_path, sketchy, monkeypatch, step, failure
):
    def fail(*_args: Any, **_options: Any) -> None:
        raise failure

    drawn = results.pictures.save

    def second(axes: Any, path: Path) -> None:
        (fail if path.stem == "retention" else drawn)(axes, path)

    steps: dict[str, tuple[Any, str, Any]] = {
        "first picture": (results.pictures, "save", fail),
        "second picture": (results.pictures, "save", second),
        "table": (tables, "append", fail),
        "manifest": (folder, "_run_manifest", fail),
        "rename": (Path, "rename", fail),
    }
    (tmp_path / "mine").mkdir()  # an empty folder to fill must stay or be filled, never vanish half way
    with monkeypatch.context() as patch:
        patch.setattr(*steps[step])
        with pytest.raises(type(failure)):
            result.save(tmp_path / "mine")
    assert names(tmp_path) <= {"mine"}
    assert not (tmp_path / "mine").exists() or names(tmp_path / "mine") == set()
    assert names(result.save(tmp_path / "mine")) == FILES


def test_the_folder_appears_at_once(result, tmp_path, sketchy, monkeypatch):
    """Whenever a name changes on the disk, the folder holds all of its files or none."""
    goal, seen = tmp_path / "mine", []

    def watched(name: str) -> Any:
        real = getattr(Path, name)

        def change(path: Path, target: Path) -> Path:
            moved: Path = real(path, target)
            seen.append(names(goal) if goal.exists() else set())
            return moved

        return change

    for name in ("rename", "replace"):
        monkeypatch.setattr(Path, name, watched(name))
    result.save(goal)
    assert seen[-1] == FILES
    assert all(found in (set(), FILES) for found in seen)


def test_a_folder_below_a_file_is_refused(result, tmp_path, sketchy):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ResultError, match="cannot be written"):
        existing(tmp_path / "file" / "deep", a_request())
    with pytest.raises(OSError, match="file"):
        result.save(tmp_path / "file" / "deep")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_of_another_version_is_told_apart_but_opened(result, tmp_path, sketchy):
    """What an older version computed may differ, but its tables can still be read."""
    folder = result.save(tmp_path / "mine")
    path = folder / "manifest.json"
    path.write_text(sealed(json.loads(path.read_text("utf-8")) | {"talentsim": "0.0.1"}), "utf-8")
    with pytest.raises(ResultError, match=r"talentsim 0\.0\.1, not"):
        existing(folder, a_request())
    assert Result.open(folder).hashes() == result.hashes()


def test_a_manifest_that_lacks_its_seed_is_refused_in_a_sentence(result, tmp_path, sketchy):
    folder = result.save(tmp_path / "mine")
    path = folder / "manifest.json"
    whole = json.loads(path.read_text("utf-8"))
    path.write_text(sealed({key: value for key, value in whole.items() if key != "seed"}), "utf-8")
    with pytest.raises(ResultError, match="mine"):
        Result.open(folder)


@pytest.mark.parametrize("missing", ["scenario.yaml", "summary.json", "labs.parquet"])
def test_a_folder_that_lost_a_file_says_which(result, tmp_path, sketchy, missing):
    folder = result.save(tmp_path / "mine")
    (folder / missing).unlink()

    def use() -> None:
        opened = Result.open(folder)
        assert opened.summary
        assert opened.hashes()

    with pytest.raises((ResultError, tables.TableError, ScenarioError, OSError), match=missing):
        use()


# --- the name of the folder ---------------------------------------------------------------------


def test_the_name_depends_on_scenario_seed_runs_and_version(monkeypatch):
    first = a_request().folder_name
    others = [
        a_request(seed=4).folder_name,
        a_request(runs=3).folder_name,
        a_request(market={"choice": {"pay_elasticity": 3.0}}).folder_name,
        a_request(title="Another title").folder_name,
    ]
    monkeypatch.setattr(request, "__version__", "9.9.9")
    others.append(a_request().folder_name)
    assert len({first, *others}) == 6


def test_a_log_that_is_left_out_is_the_one_that_it_stands_for():
    few, many = a_request().scenario, 201
    assert Request.of(few, runs=2).identity == Request.of(few, runs=2, log=True).identity
    assert Request.of(few, runs=many).identity == Request.of(few, runs=many, log=False).identity
    assert Request.of(few, runs=2).folder_name != Request.of(few, runs=2, log=False).folder_name


def test_the_name_depends_on_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "copy.yaml"
    path.write_text("extends: baseline\nhorizon: 20 weeks\n", "utf-8")
    one = Request.of(path, runs=4)
    sets = Request.of("baseline", ["horizon=5 weeks", "horizon=20 weeks"], runs=4)
    days = Request.of("baseline", ["horizon=140 days"], runs=4)
    monkeypatch.chdir(tmp_path)
    text = Request.of("copy.yaml", runs=4)
    again = Request(load_scenario(path), 1, 4)
    assert {r.folder_name for r in (one, text, again)} == {one.folder_name}
    assert {r.folder_name for r in (sets, days)} == {sets.folder_name}


def test_a_composed_scenario_loads_as_the_same_request(result, tmp_path):
    path = tmp_path / "scenario.yaml"
    path.write_text(result.request.scenario_yaml, "utf-8")
    assert Request(load_scenario(path, composed=True), 3, 2).identity == result.request.identity


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"runs": 0}, "runs is 0: must be a whole number from 1 to 1000000"),
        ({"runs": 3, "only_run": 3}, "only_run is 3: must be a whole number from 0 to 2"),
        ({"runs": 3, "only_run": -1}, "only_run is -1"),
    ],
)
def test_impossible_requests_are_refused(given, words):
    with pytest.raises(ValueError, match=words):
        Request.of(a_request().scenario, **given)


def test_one_run_alone_is_that_run_of_the_ensemble(result):
    alone = results.run(Request(result.scenario, 3, 2, only_run=1))
    assert (alone.runs, alone.summary["runs"]) == (1, 1)
    for name in tables.NAMES:
        due = result.table(name).filter(pc.field("run") == 1)
        assert tables.canonical_hash(alone.table(name)) == tables.canonical_hash(due)
    assert alone.request.folder_name != result.request.folder_name


def test_without_the_log_all_but_offers_and_postings_is_the_same(result):
    short = results.run(result.scenario, runs=2, seed=3, log=False)
    for name in ("labs", "spells", "events"):
        assert short.hashes()[name] == result.hashes()[name]
    assert {key: value for key, value in short.summary.items() if key != "campaigns"} == {
        key: value for key, value in result.summary.items() if key != "campaigns"
    }
    assert short.ledger.empty


# --- the public names ---------------------------------------------------------------------------


def test_at_most_twenty_four_public_names_all_there_and_described():
    assert len(sim.__all__) == len(set(sim.__all__)) <= 24
    for name in sim.__all__:
        found = getattr(sim, name)
        assert name in dir(sim)
        doc = inspect.getdoc(found)
        assert doc, name
        assert len(doc.split()) > 3, name
        assert found.__module__.startswith("sim."), name


def test_the_docstring_s_example_uses_public_names_alone():
    for name in re.findall(r"\bsim\.(\w+)", str(sim.__doc__)):
        assert name in sim.__all__, name
    with pytest.raises(AttributeError, match="no attribute 'walk'"):
        sim.walk  # noqa: B018
