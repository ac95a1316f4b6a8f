"""Folders in other hands: files changed, cut, swapped, lost or linked, and leftovers of killed work."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from small_calls import sketch
from small_markets import lab, market_of, scenario

from sim import cli
from sim.experiments import performing, results
from sim.experiments.manifest import ResultError, findings, sealed
from sim.experiments.request import Experiment, Request
from sim.market import simulate
from sim.report import differences
from sim.scenario.loading import dump_scenario
from sim.system import tables
from sim.system.lock import WorkError, locked

RUNS, SEED = 6, 3
FIRST, SECOND, LAST = "000000-000001.chunk", "000002-000003.chunk", "000004-000005.chunk"
SECRET = "root:x:0:0:secret"


def tiny(**changes: Any) -> Any:
    return scenario(market_of({"alpha": lab(14), "beta": lab(9, process="0 weeks")}, 6, **changes))


def request(seed: int = SEED, runs: int = RUNS, log: bool | None = None, **changes: Any) -> Request:
    return Request.of(tiny(**changes), runs=runs, seed=seed, log=log)


def half_done(at: Path, asked: Request | None = None, chunks: int = 2) -> Path:
    """Work that was interrupted after so many chunks."""
    left = iter(range(chunks))
    real = simulate.run_block

    def stop(*given: Any) -> Any:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return real(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulate, "run_block", stop)
        with pytest.raises(KeyboardInterrupt):
            performing.perform(Experiment.of_run(asked or request()), at, jobs=1)
    return at


@pytest.fixture(autouse=True, scope="module")
def sketchy() -> Iterator[None]:
    """Blocks of two runs, and pictures that are a word in a file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulate, "BLOCK", 2)
        sketch(patch)
        patch.setattr(differences, "plot_sweep", lambda *_args: object())
        patch.setattr(differences, "plot_difference", lambda *_args: object())
        yield


@pytest.fixture(scope="module")
def due() -> dict[str, str]:
    return results.run(tiny(), runs=RUNS, seed=SEED).hashes()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unfinished work, that of others in many ways alike, and a foreign file."""
    at = tmp_path_factory.mktemp("kept")
    half_done(at / "work")
    half_done(at / "seed", request(seed=4))
    half_done(at / "more", request(runs=8))
    half_done(at / "bare", request(log=False))
    half_done(at / "staff", request(title="Another"))
    (at / "secret").write_text(SECRET)
    return at


@pytest.fixture
def here(kept: Path, tmp_path: Path) -> Path:
    shutil.copytree(kept, tmp_path / "x", dirs_exist_ok=True)
    return tmp_path / "x"


def edited(at: Path, **changes: Any) -> None:
    path = at / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes, indent=2) + "\n", "utf-8")


def resealed(at: Path, **changes: Any) -> None:
    path = at / "manifest.json"
    path.write_text(sealed(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def run_of(at: Path) -> Path:
    return at / "work" / "chunks" / "run"


def scenario_of(at: Path, work: str = "work") -> Path:
    return at / work / "chunks" / "run" / "scenario.yaml"


def replaced(path: Path, old: bytes, new: bytes) -> None:
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))


def flipped(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def dropped_in(at: Path, other: str, name: str = FIRST, goal: str | None = None) -> None:
    shutil.copy(at / other / "chunks" / "run" / name, run_of(at) / (goal or name))


def linked(path: Path, target: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def renamed(at: Path) -> None:
    (run_of(at) / FIRST).rename(run_of(at) / LAST)


def swapped(at: Path) -> None:
    first, second = run_of(at) / FIRST, run_of(at) / SECOND
    first.rename(at / "aside")
    second.rename(first)
    (at / "aside").rename(second)


def rezipped(at: Path) -> None:
    """A chunk rebuilt with the tables of another: every member of it is whole."""
    with zipfile.ZipFile(run_of(at) / SECOND) as other:
        members = {name: other.read(name) for name in other.namelist()}
    head = (run_of(at) / FIRST).read_bytes().partition(b"\n")[0]
    with zipfile.ZipFile(at / "zip", "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    (run_of(at) / FIRST).write_bytes(head + b"\n" + (at / "zip").read_bytes())


def all_of(at: Path, other: str) -> None:
    """Another work's manifest and scenario beside these chunks."""
    shutil.copy(at / other / "manifest.json", at / "work" / "manifest.json")
    shutil.copy(scenario_of(at, other), run_of(at))


Tampering = Callable[[Path], Any]
TAMPERINGS: dict[str, Tampering] = {
    # the manifest
    **{
        f"{key} edited": lambda at, key=key, value=value: edited(at / "work", **{key: value})
        for key, value in {
            "seed": 4, "runs": 8, "only_run": 2, "log": False, "chunk": 3, "kind": "sweep",
            "status": "complete", "scenario_sha256": "0" * 64, "design": [{"a": "1"}], "command": "rm -rf /",
            "format": 1,
            "origins": {"run": ["/etc/passwd", []]}, "scenarios": {"../../..": "0"}, "numpy": "0.1",
        }.items()
    },
    **{
        f"{key} edited and sealed": lambda at, key=key, value=value: resealed(at / "work", **{key: value})
        for key, value in {
            "seed": 4, "runs": 8, "only_run": 2, "log": False, "chunk": 3, "kind": "sweep",
            "code_sha256": "0",
        }.items()
    },
    "manifest cut": lambda at: os.truncate(at / "work" / "manifest.json", 100),
    "manifest gone": lambda at: (at / "work" / "manifest.json").unlink(),
    "manifest empty": lambda at: (at / "work" / "manifest.json").write_text(""),
    "manifest a link": lambda at: linked(at / "work" / "manifest.json", at / "seed" / "manifest.json"),
    "manifest a link to a secret": lambda at: linked(at / "work" / "manifest.json", at / "secret"),
    "manifest of another seed": lambda at: shutil.copy(at / "seed" / "manifest.json", at / "work"),
    "manifest and scenario of another seed": lambda at: all_of(at, "seed"),
    "manifest and scenario of more runs": lambda at: all_of(at, "more"),
    "manifest and scenario of another scenario": lambda at: all_of(at, "staff"),
    # the scenario
    "scenario edited": lambda at: replaced(run_of(at) / "scenario.yaml", b"staff: 14", b"staff: 13"),
    "scenario of another": lambda at: shutil.copy(scenario_of(at, "staff"), run_of(at)),
    "scenario gone": lambda at: (run_of(at) / "scenario.yaml").unlink(),
    "scenario a link": lambda at: linked(run_of(at) / "scenario.yaml", at / "secret"),
    "scenario extends a secret": lambda at: scenario_of(at).write_text(f"extends: {at}/secret\n"),
    # the chunks
    "chunk renamed": renamed,
    "chunks swapped": swapped,
    "chunk copied": lambda at: dropped_in(at, "work", FIRST, LAST),
    "chunk of another seed": lambda at: dropped_in(at, "seed"),
    "chunk of another log": lambda at: dropped_in(at, "bare"),
    "chunk of another scenario": lambda at: dropped_in(at, "staff"),
    "chunk of another seed where one is missing": lambda at: dropped_in(at, "seed", FIRST, LAST),
    "chunk cut": lambda at: os.truncate(run_of(at) / FIRST, 2000),
    "chunk empty": lambda at: (run_of(at) / FIRST).write_bytes(b""),
    "chunk flipped in its label": lambda at: flipped(run_of(at) / FIRST, 30),
    "chunk flipped in its tables": lambda at: flipped(run_of(at) / FIRST, 5000),
    "chunk lengthened": lambda at: (run_of(at) / FIRST).open("ab").write(b"x"),
    "chunk rebuilt of another": rezipped,
    "chunk a link": lambda at: linked(run_of(at) / FIRST, at / "seed" / "chunks" / "run" / FIRST),
    "chunk a link to a secret": lambda at: linked(run_of(at) / FIRST, at / "secret"),
    "chunk a folder": lambda at: (run_of(at) / LAST).mkdir(),
    "chunks a link": lambda at: linked(at / "work" / "chunks", at / "seed" / "chunks"),
    "chunk gone": lambda at: (run_of(at) / FIRST).unlink(),
    # what a finished folder holds
    "a table there already": lambda at: shutil.copy(run_of(at) / FIRST, at / "work" / "labs.parquet"),
    "a summary there already": lambda at: linked(at / "work" / "summary.json", at / "secret"),
    "a finished folder there already": lambda at: (at / "work" / "chunks" / ".finished-1").mkdir(),
}  # fmt: skip
HARMLESS = {name for name in TAMPERINGS if name.endswith("there already")} | {"chunk gone"}


def test_there_are_enough_of_them() -> None:
    assert len(TAMPERINGS) >= 45


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_ends_in_no_other_tables(
    name: str, here: Path, due: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    TAMPERINGS[name](here)
    code = cli.main(["resume", str(here / "work"), "--jobs", "1", "--json"])
    said = "".join(capsys.readouterr())
    assert "Traceback" not in said and SECRET not in said
    assert (here / "secret").read_text() == SECRET
    assert len(list((here / "seed" / "chunks" / "run").iterdir())) == 3
    if name in HARMLESS:
        assert code == 0
        assert results.Result.open(here / "work").hashes() == due
    else:
        assert code == 2, said
        assert said.startswith("talentsim: ") and said.count("\n") == 1
        with pytest.raises(ResultError):
            results.Result.open(here / "work")


# ---- a complete folder


def complete(at: Path, kind: str) -> Path:
    experiments: dict[str, Callable[[], Experiment]] = {
        "run": lambda: Experiment.of_run(request()),
        "compare": lambda: Experiment("compare", {"a": request(name="a"), "b": request(name="b", title="B")}),
        "sweep": lambda: Experiment("sweep", {"000": request(runs=2)}, ({"market.contact.rate": "1/year"},)),
    }
    performing.perform(experiments[kind](), at, jobs=1)
    return at


@pytest.mark.parametrize("kind", ["run", "compare", "sweep"])
def test_check_finds_one_byte_changed_in_each_file_in_turn(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = complete(tmp_path / "x", kind)
    paths = sorted(path for path in at.rglob("*") if path.is_file())
    assert cli.main(["check", str(at)]) == 0
    assert f"all {len(paths)} files are as they were written" in capsys.readouterr().out
    for path in paths:
        whole = path.read_bytes()
        for place in (0, len(whole) // 2, len(whole) - 1):
            flipped(path, place)
            assert cli.main(["check", str(at), "--json"]) == 1, (path, place)
            (fault,) = json.loads(capsys.readouterr().out)["faults"]
            assert at / fault["file"] == path
            path.write_bytes(whole)
    assert cli.main(["check", str(at)]) == 0


def test_any_byte_of_a_manifest_changed_is_found(tmp_path: Path) -> None:
    at = complete(tmp_path / "x", "run")
    path = at / "manifest.json"
    whole = path.read_bytes()
    for place in range(len(whole)):
        for other in (whole[place] ^ 1, ord("\r"), ord(" ")):
            if other != whole[place]:
                path.write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
                with pytest.raises(ResultError):
                    results.read_manifest(at)


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: os.truncate(path, path.stat().st_size - 1), "is cut"),
        (lambda path: flipped(path, 3), "was changed"),
        (lambda path: linked(path, path.parent.parent / "away"), "is a link, or no file"),
    ],
)
@pytest.mark.parametrize("file", ["labs.parquet", "summary.json", "scenario.yaml", "hiring.png"])
def test_whoever_uses_a_complete_folder_refuses_it_naming_the_file(
    file: str, spoil: Callable[[Path], Any], what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny.yaml").write_text(dump_scenario(tiny()), "utf-8")
    at = complete(tmp_path / "x", "run")
    (tmp_path / "away").write_bytes((at / file).read_bytes())
    spoil(at / file)
    asked = ["run", str(tmp_path / "tiny.yaml"), f"--runs={RUNS}", f"--seed={SEED}", f"--out={at}"]
    for words in (asked, ["resume", str(at)], ["explain", str(at), "--researcher", "1"]):
        assert cli.main(words) == 2
        said = capsys.readouterr().err
        assert f"{file}: {what}" in said and said.count("\n") == 1
    assert [found.file for found in findings(at) if found.what] == [file]


def test_check_says_what_holds_nothing_or_is_unfinished(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, words in (("absent", "holds no run"), ("work", "is not complete; talentsim resume")):
        assert cli.main(["check", str(here / name)]) == 2
        assert words in capsys.readouterr().err


# ---- the lock, and leftovers


@pytest.mark.parametrize("how", ["link", "dangling link", "hard link", "own text", "pipe"])
def test_a_lock_that_is_another_s_file_is_left_alone(how: str, tmp_path: Path) -> None:
    target, at = tmp_path / "precious", tmp_path / "x"
    at.mkdir()
    if how != "dangling link":
        target.write_text("precious")
    if how in ("link", "dangling link"):
        (at / ".lock").symlink_to(target)
    elif how == "hard link":
        os.link(target, at / ".lock")
    elif how == "pipe":
        os.mkfifo(at / ".lock")
    else:
        (at / ".lock").write_text("precious")
    with pytest.raises(WorkError, match=r"\.lock: is"), locked(at):
        pass
    assert target.exists() == (how != "dangling link")
    assert how == "dangling link" or target.read_text() == "precious"
    with pytest.raises(ResultError, match="is not empty"):
        performing.perform(Experiment.of_run(request()), at, jobs=1)


def test_what_killed_work_left_before_its_manifest_is_free(tmp_path: Path, due: dict[str, str]) -> None:
    at = half_done(tmp_path / "x")
    for chunk in (at / "chunks" / "run").glob("*.chunk"):
        chunk.unlink()
    (at / "manifest.json").rename(at / ".manifest.json.4711-0badcafe.tmp")
    (at / "chunks" / "run" / ".scenario.yaml.4711-0badcafe.tmp").write_text("name: ti")
    saved = shutil.copytree(at, tmp_path / "y")
    performing.perform(Experiment.of_run(request()), at, jobs=1)
    assert results.Result.open(at).hashes() == due
    results.run(tiny(), runs=RUNS, seed=SEED).save(saved)
    assert {path.name for path in saved.iterdir()} == {path.name for path in at.iterdir()}


@pytest.mark.parametrize("theirs", ["thesis.tmp", ".hidden.tmp", "chunks/run/notes.txt", "chunks/a.chunk"])
def test_a_file_of_somebody_else_among_leftovers_is_kept(theirs: str, tmp_path: Path) -> None:
    at = tmp_path / "x"
    (at / theirs).parent.mkdir(parents=True)
    (at / theirs).write_text("years of work")
    (at / ".lock").write_text("process 1 on moon")
    with pytest.raises(ResultError, match="is not empty"):
        performing.perform(Experiment.of_run(request()), at, jobs=1)
    assert (at / theirs).read_text() == "years of work"
    assert (at / ".lock").read_text() == "process 1 on moon"


def test_other_work_in_a_folder_is_not_gone_on_with(here: Path) -> None:
    with pytest.raises(ResultError, match="seed 3, not 4"):
        performing.perform(Experiment.of_run(request(seed=4)), here / "work", jobs=1)


def test_a_folder_taken_away_under_way_is_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny.yaml").write_text(dump_scenario(tiny()), "utf-8")
    real = simulate.run_block

    def take_away(*given: Any) -> Any:
        shutil.rmtree(tmp_path / "x", ignore_errors=True)
        return real(*given)

    monkeypatch.setattr(simulate, "run_block", take_away)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["run", "tiny.yaml", "--runs=4", "--jobs=1", "--out=x"]) == 1
    said = "talentsim: x: was taken away while it was worked on; nothing is kept\n"
    assert capsys.readouterr().err == said
    assert {path.name for path in tmp_path.iterdir()} == {"tiny.yaml"}


# ---- names


@pytest.mark.parametrize(
    "name", ["a b", "n" * 255, "new\nline", "*[a]?", ".x.tmp", "-x", "s3:x", "\udcff\udcfe"]
)
def test_a_folder_may_have_any_name(name: str, tmp_path: Path, due: dict[str, str]) -> None:
    performing.perform(Experiment.of_run(request()), tmp_path / name, jobs=1)
    saved = results.Result.open(tmp_path / name).save(tmp_path / "saved" / name)
    assert results.Result.open(saved).hashes() == due
    assert tables.read_table(saved / "labs.parquet").num_rows


def test_a_link_to_an_empty_folder_is_one(tmp_path: Path, due: dict[str, str]) -> None:
    for name in ("one", "two"):
        (tmp_path / f"real {name}").mkdir()
        (tmp_path / name).symlink_to(tmp_path / f"real {name}")
    performing.perform(Experiment.of_run(request()), tmp_path / "one", jobs=1)
    results.Result.open(tmp_path / "one").save(tmp_path / "two")
    assert (tmp_path / "two").is_symlink()
    assert results.Result.open(tmp_path / "real two").hashes() == due
