"""The command line: what it prints and leaves behind, its exit codes, and bad input refused in a sentence."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from small_calls import Call, Outcome, sketch

import sim
from benchmarks import kills
from sim.cli import door
from sim.experiments import performing, results
from sim.experiments.results import Request, Result
from sim.market import simulate
from sim.scenario.loading import load_scenario, scenario_names
from sim.system import executors, tables

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("baseline", "--set", "horizon=20 weeks")
RUNS, SEED = 3, 5
ASKED = ("run", *SMALL, "--runs", str(RUNS), "--seed", str(SEED))
FILES = {
    "manifest.json", "scenario.yaml", "summary.json", "hiring.png", "retention.png",
    *(f"{name}.parquet" for name in tables.NAMES),
}  # fmt: skip
COMMANDS = sorted(str(c.name or c.callback.__name__) for c in door.cli.registered_commands if c.callback)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, for `runs/` is made where one stands."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def no_simulation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts to simulate is found out: the run fails, with exit code 1."""

    def reached(*_args: Any, **_options: Any) -> None:
        raise RuntimeError("the simulation was reached")

    monkeypatch.setattr(performing, "perform", reached)


@pytest.fixture
def sketchy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures cost most of a small run; where they do not matter they are a word in a file."""
    sketch(monkeypatch)


def environment(**changes: str) -> dict[str, str]:
    """Of a process that is no terminal, 80 columns wide, and finds this checkout."""
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR")}
    return kept | {"PYTHONPATH": str(ROOT), "COLUMNS": "80"} | changes


def process(*arguments: str, cwd: Path, **changes: str) -> Outcome:
    """The command line as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "sim", *arguments],
        cwd=cwd, env=environment(**changes), capture_output=True, text=True, timeout=120, encoding="utf-8",
    )  # fmt: skip
    return Outcome(done.returncode, done.stdout, done.stderr)


def manifest(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
    return loaded


def left_in(folder: Path) -> set[str]:
    """Everything below a folder, hidden names too."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def assert_one_sentence(text: str) -> None:
    assert text.startswith("talentsim: ")
    assert text.endswith("\n")
    assert text.count("\n") == 1, text
    assert "Traceback" not in text


@dataclass(frozen=True)
class Done:
    """A run that a real process made, and where."""

    outcome: Outcome
    cwd: Path
    folder: Path


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    cwd = tmp_path_factory.mktemp("done")
    outcome = process(*ASKED, "--jobs", "1", "--json", cwd=cwd, PYTHONHASHSEED="1")
    folders = list((cwd / "runs").iterdir()) if (cwd / "runs").exists() else []
    assert len(folders) == 1, outcome
    return Done(outcome, cwd, folders[0])


# --- a run --------------------------------------------------------------------------------------


def test_a_run_prints_the_summary_and_leaves_the_whole_folder(done: Done) -> None:
    assert done.outcome.code == 0
    assert done.outcome.err == ""  # no progress bar in a pipe, no warning
    assert json.loads(done.outcome.out) == json.loads((done.folder / "summary.json").read_text("utf-8"))
    assert {path.name for path in done.folder.iterdir()} == FILES
    assert left_in(done.cwd / "runs") == {done.folder.name} | {f"{done.folder.name}/{n}" for n in FILES}


def test_the_summary_is_of_what_was_asked(done: Done) -> None:
    said = json.loads(done.outcome.out)
    asked = {"scenario": "baseline", "seed": SEED, "runs": RUNS, "weeks": 20, "format": tables.FORMAT}
    assert {name: said[name] for name in asked} == asked
    assert list(said["labs"]) == list(load_scenario("baseline").labs)
    assert Result.open(done.folder).scenario.horizon == 20


def test_the_default_folder_is_named_after_what_was_asked(done: Done) -> None:
    request = Request.of("baseline", ["horizon=20 weeks"], runs=RUNS, seed=SEED)
    assert done.folder.name == request.folder_name
    assert re.fullmatch(r"baseline-[0-9a-f]{8}", done.folder.name)


def test_the_manifest_keeps_the_command_as_typed(done: Done) -> None:
    command = manifest(done.folder)["command"]
    assert shlex.split(command) == ["talentsim", *ASKED, "--jobs", "1", "--json"]


def test_asked_again_it_is_shown_and_not_simulated(
    done: Done, call: Call, monkeypatch: pytest.MonkeyPatch, no_simulation: None
) -> None:
    monkeypatch.chdir(done.cwd)
    inside = left_in(done.cwd)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in done.folder.iterdir()}
    again = call(*ASKED, "--json")
    assert (again.code, again.out, again.err) == (0, done.outcome.out, "")
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in done.folder.iterdir()} == before
    assert left_in(done.cwd) == inside


def test_for_people_the_same_is_a_table_of_80_columns(
    done: Done, call: Call, monkeypatch: pytest.MonkeyPatch, no_simulation: None
) -> None:
    monkeypatch.chdir(done.cwd)
    monkeypatch.setenv("COLUMNS", "80")
    shown = call(*ASKED)
    scenario, summary = load_scenario("baseline"), json.loads(done.outcome.out)
    lines = shown.out.splitlines()
    assert shown.code == 0
    assert lines[0] == scenario.title
    assert lines[1] == f"{RUNS} runs of 20 weeks, seed {SEED}"
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in shown.out
    for name, lab in scenario.labs.items():
        row = next(line.strip() for line in lines if line.strip().startswith(lab.label))
        assert (
            row.removeprefix(lab.label).split()[0] == f"{summary['labs'][name]['headcount_end']['p50']:.0f}"
        )
    assert f"runs/{done.folder.name}" in shown.out.replace("\n", "")


def test_one_run_of_the_ensemble_alone_is_that_run(done: Done, call: Call, here: Path, sketchy: None) -> None:
    alone = call(*ASKED, "--only-run", "2", "--out", "alone", "--json")
    assert (alone.code, alone.err) == (0, "")
    assert json.loads(alone.out)["runs"] == 1
    assert left_in(here) == {"alone"} | {f"alone/{name}" for name in FILES}
    found, whole = Result.open(here / "alone"), Result.open(done.folder)
    for name in tables.NAMES:
        due = whole.table(name).filter(pc.field("run") == 2)
        assert tables.canonical_hash(found.table(name)) == tables.canonical_hash(due), name
    assert found.table("spells").num_rows > 1000
    assert manifest(here / "alone")["run_seeds"] == {"2": manifest(done.folder)["run_seeds"]["2"]}


def test_processes_do_not_matter(
    done: Done, call: Call, here: Path, monkeypatch: pytest.MonkeyPatch, sketchy: None
) -> None:
    monkeypatch.setattr(simulate, "BLOCK", 1)  # or three runs would be one block, and one process
    pools = []
    pool = executors.Workers
    monkeypatch.setattr(
        executors, "Workers", lambda jobs, **given: (pools.append(jobs), pool(jobs, **given))[1]
    )
    assert call(*ASKED, "--jobs", "2", "--out", "two", "--json").out == done.outcome.out
    assert pools == [2]
    assert manifest(here / "two")["hashes"] == manifest(done.folder)["hashes"]


def test_the_interpreters_hash_seed_does_not_matter(done: Done, here: Path) -> None:
    other = process(*ASKED, "--json", "--out", "elsewhere", cwd=here, PYTHONHASHSEED="4711")
    assert other.out == done.outcome.out
    assert manifest(here / "elsewhere")["hashes"] == manifest(done.folder)["hashes"]
    assert (here / "elsewhere" / "scenario.yaml").read_bytes() == (done.folder / "scenario.yaml").read_bytes()


def test_a_folder_with_an_odd_name_is_made_with_its_parents(call: Call, here: Path, sketchy: None) -> None:
    out = "results of mine/ünï [bold]x"
    asked = ("run", "baseline", "--set", "horizon=4 weeks", "--runs", "1", "--out", out)
    assert call(*asked).code == 0
    assert {path.name for path in (here / out).iterdir()} == FILES
    assert out in call(*asked).out.replace("\n", " ")


def test_a_folder_with_an_odd_name_can_be_told_on_a_terminal_without_its_letters(
    done: Done, here: Path
) -> None:
    """The words may be replaced, but the command works."""
    out = "ünï-結果"
    for encoding in ("ascii", "latin-1"):
        told = subprocess.run(
            [sys.executable, "-m", "sim", "run", "baseline", "--set", "horizon=5 weeks", "--runs", "1",
             "--jobs", "1", "--out", out],
            cwd=here, env=environment(PYTHONIOENCODING=encoding), capture_output=True, timeout=120,
        )  # fmt: skip
        assert (told.returncode, told.stderr) == (0, b"")
        assert b"manifest" not in told.stdout
        assert (here / out / "manifest.json").exists()


def test_overrides_follow_one_another(call: Call, here: Path, sketchy: None) -> None:
    sets = ("--set", "horizon=5 weeks", "--set", "labs.meta.staff=333", "--set", "horizon=4 weeks")
    assert call("run", "baseline", "--runs", "1", "--out", "x", *sets).code == 0
    scenario = Result.open(here / "x").scenario
    assert (scenario.horizon, scenario.labs["meta"].staff) == (4, 333)


# --- the other commands -------------------------------------------------------------------------


def test_validate_says_valid_or_where_not(call: Call, here: Path) -> None:
    (here / "bad.yaml").write_text("extends: baseline\nname: x\nhorizn: 20 weeks\n")
    good = call("validate", "baseline", "meta-2025")
    assert (good.code, good.err) == (0, "")
    assert [line.split(":")[0] for line in good.out.splitlines()[:-1]] == ["baseline", "meta-2025"]
    assert good.out.splitlines()[-1] == "2 of 2 scenarios are valid"
    assert "11 labs, 156 weeks, 0 events" in good.out.splitlines()[0]
    mixed = call("validate", "baseline", "bad.yaml")
    assert mixed.code == 2
    first, last = mixed.out.splitlines()
    assert first == good.out.splitlines()[0]
    assert last == "1 of 2 scenarios are valid, 1 problem in the others"
    problem, line, caret = mixed.err.splitlines()
    assert problem == "bad.yaml:3:1: horizn: unknown key; did you mean 'horizon'?"
    assert (line, caret) == ("   3 | horizn: 20 weeks", "     | ^")


def test_validate_for_machines_has_every_problem_with_its_place(call: Call, here: Path) -> None:
    (here / "bad.yaml").write_text("extends: baseline\nname: x\nhorizn: 20 weeks\nstart: soon\n")
    told = call("validate", "baseline", "bad.yaml", "--json")
    assert (told.code, told.err) == (2, "")
    good, bad = json.loads(told.out)
    assert good == {"scenario": "baseline", "valid": True, "problems": [], "warnings": []}
    assert (bad["scenario"], bad["valid"]) == ("bad.yaml", False)
    assert {(p["path"], p["line"], p["column"]) for p in bad["problems"]} == {
        ("horizn", 3, 1),
        ("start", 4, 8),
    }


def test_validate_takes_overrides(call: Call) -> None:
    assert "7 weeks" in call("validate", "baseline", "--set", "horizon=7 weeks").out
    assert call("validate", "baseline", "--set", "horizon=7").code == 2


def test_list_names_every_shipped_scenario(call: Call) -> None:
    told = call("list")
    assert (told.code, told.err) == (0, "")
    assert {line.split()[0]: line.split(maxsplit=1)[1] for line in told.out.splitlines()} == {
        name: load_scenario(name).title for name in scenario_names()
    }
    entries = json.loads(call("list", "--json").out)
    assert [entry["name"] for entry in entries] == scenario_names()
    assert all(entry["title"] and entry["description"] for entry in entries)


def test_version_is_the_package_s(call: Call) -> None:
    assert call("--version") == Outcome(0, f"talentsim {sim.__version__}\n", "")


def test_help_names_the_commands_and_the_first_steps(here: Path) -> None:
    told = process("--help", cwd=here)
    assert (told.code, told.err) == (0, "")
    assert {"run", "validate", "list", "app"} <= set(COMMANDS)
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", told.out, re.MULTILINE), command
    assert "talentsim run meta-2025" in told.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_s_help_shows_an_example_of_it(call: Call, command: str) -> None:
    told = call(command, "--help")
    assert (told.code, told.err) == (0, "")
    assert f"Example:  talentsim {command}" in told.out


def test_the_example_of_run_can_be_typed_as_it_stands(call: Call, no_simulation: None) -> None:
    shown = call("run", "--help").out.split("Example:")[1]
    words = shlex.split(shown)
    assert words[:3] == ["talentsim", "run", "meta-2025"]
    assert "the simulation was reached" in call(*words[1:]).err


def test_no_arguments_show_the_help(call: Call) -> None:
    told = call()
    assert told == call("--help")
    assert told.code == 0 and told.err == "" and "run " in told.out


# --- bad input ----------------------------------------------------------------------------------

BAD_FILES = {
    "an empty file": ("", "x.yaml:1:1: the file is empty"),
    "not YAML": ("name: [x\nlabs: y\n", "x.yaml:1:7: not YAML"),
    "not text": ("name: \udcff\n", "x.yaml:1:7: byte 0xff is not UTF-8"),
    "a list": ("- name: x\n", "x.yaml:1:1: a scenario is a mapping"),
    "an unknown key": (
        "extends: baseline\nlabs:\n  meta:\n    talent_inflw: 5B USD/year\n",
        "x.yaml:4:5: labs.meta.talent_inflw: unknown key; did you mean 'talent_inflow'?",
    ),
    "a unit missing": (
        "extends: baseline\nlabs:\n  meta:\n    talent_inflow: 5\n",
        "x.yaml:4:20: labs.meta.talent_inflow: a unit is missing, found 5; write for example",
    ),
    "a wrong unit": (
        "extends: baseline\nlabs:\n  meta:\n    process: 5 USD\n",
        "x.yaml:4:14: labs.meta.process: the unit must be one of year, month, week, day, found '5 USD'",
    ),
    "negative money": (
        "extends: baseline\nlabs:\n  meta:\n    talent_opening: -5 USD\n",
        "x.yaml:4:21: labs.meta.talent_opening: must not be negative, found '-5 USD'",
    ),
    "a date outside the horizon": (
        "extends: baseline\nevents:\n- on: 2035-01-01\n  hiring_freeze: {lab: meta, weeks: 3 weeks}\n",
        "x.yaml:3:7: events.0.on: 2035-01-01 lies outside the horizon, 2023-05-01 to 2026-04-27",
    ),
    "an unknown lab": (
        "extends: baseline\nevents:\n- on: 2024-01-01\n  hiring_freeze: {lab: mta, weeks: 3 weeks}\n",
        "x.yaml:4:24: events.0.hiring_freeze.lab: unknown lab 'mta'; did you mean 'meta'?",
    ),
    "a campaign larger than the rival": (
        "extends: baseline\nevents:\n- on: 2024-01-01\n  campaign:\n    name: push\n    lab: meta\n"
        "    target: openai\n    package_cap: 1M USD\n    researchers: 5000\n",
        "x.yaml:9:18: events.0.campaign.researchers: the campaign wants 5000 researchers, but openai has",
    ),
    "an unknown parent": ("extends: basline\n", "x.yaml:1:10: extends: no file 'basline'"),
    "code for a tag": ("name: !!python/object/apply:os.system ['true']\n", "x.yaml:1:7: "),
}


def write_bad(here: Path, case: str) -> str:
    text, words = BAD_FILES[case]
    (here / "x.yaml").write_bytes(text.encode("utf-8", "surrogateescape"))
    return words


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_refused_with_its_place_and_a_likely_meaning(
    case: str, call: Call, here: Path, no_simulation: None
) -> None:
    words = write_bad(here, case)
    refused = call("run", "x.yaml", "--runs", "1")
    assert (refused.code, refused.out) == (2, "")
    assert_one_sentence(refused.err)
    assert refused.err.startswith(f"talentsim: {words}")
    assert left_in(here) == {"x.yaml"}


@pytest.mark.parametrize("case", BAD_FILES)
def test_validate_and_run_say_the_same(case: str, call: Call, here: Path, no_simulation: None) -> None:
    write_bad(here, case)
    told = call("validate", "x.yaml")
    assert (told.code, told.out) == (2, "")
    problems = [line for line in told.err.splitlines() if not line.startswith(" ")]  # without the lines shown
    assert "talentsim: " + "\n".join(problems) + "\n" == call("run", "x.yaml").err


BAD_CALLS = {
    "a missing file": (("run", "absent.yaml"), "absent.yaml: no such file"),
    "an unknown name": (("run", "basline"), "'basline': no shipped scenario has this name"),
    "a folder": (("run", "./."), r"a folder, not a file"),
    "no scenario": (("run",), "Missing argument"),
    "an unknown command": (("rnu",), "No such command 'rnu'"),
    "an unknown option": (("run", *SMALL, "--frobnicate"), "No such option: --frobnicate"),
    "a superfluous word": (("run", *SMALL, "more"), "more"),
    "zero runs": (("run", *SMALL, "--runs", "0"), "--runs 0: must be at least 1"),
    "negative runs": (("run", *SMALL, "--runs", "-3"), "--runs -3: must be at least 1"),
    "more runs than memory holds": (
        ("run", *SMALL, "--runs", "3000000000"),
        "--runs 3000000000: must be at most",
    ),
    "runs in words": (("run", *SMALL, "--runs", "many"), "--runs"),
    "zero processes": (("run", *SMALL, "--jobs", "0"), "--jobs 0: must be at least 1"),
    "a run beyond the last": (
        ("run", *SMALL, "--runs", "2", "--only-run", "2"),
        "--only-run 2: runs are numbered 0 to 1",
    ),
    "a run before the first": (
        ("run", *SMALL, "--only-run", "-1"),
        "--only-run -1: runs are numbered 0 to 199",
    ),
    "a path that is not there": (
        ("run", *SMALL, "--set", "labs.meta.stafff=3"),
        "labs.meta.stafff: unknown key; did you mean 'staff'?",
    ),
    "a set without a value": (
        ("run", *SMALL, "--set", "horizon"),
        "an override is a dotted path, = and a value",
    ),
    "a set without a unit": (("run", *SMALL, "--set", "horizon=20"), "horizon: a unit is missing, found 20"),
    "an event that is not there": (
        ("run", "meta-2025", "--set", "events.campain.researchers=5"),
        "did you mean 'campaign'?",
    ),
    "a file for a folder": (("run", *SMALL, "--out", "file"), "file: is not a folder"),
    "a folder below a file": (("run", *SMALL, "--out", "file/deep/x"), "file/deep/x: cannot be written"),
    "somebody's folder": (("run", *SMALL, "--out", "thesis"), "thesis: is not empty"),
    "nothing to validate": (("validate",), "Missing argument"),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_a_bad_call_is_refused_before_anything_is_done(
    case: str, call: Call, here: Path, no_simulation: None
) -> None:
    (here / "file").write_text("mine")
    (here / "thesis").mkdir()
    (here / "thesis" / "chapter.txt").write_text("years of work")
    before = left_in(here)
    arguments, words = BAD_CALLS[case]
    refused = call(*arguments)
    assert (refused.code, refused.out) == (2, "")
    assert_one_sentence(refused.err)
    assert words in refused.err
    assert left_in(here) == before
    assert (here / "thesis" / "chapter.txt").read_text() == "years of work"


def test_more_runs_than_can_be_numbered_are_refused() -> None:
    """Runs are numbered in 32 bits; asked for more, memory would fill before the first one."""
    with pytest.raises(ValueError, match="runs is 3000000000"):
        Request.of("baseline", runs=3_000_000_000)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (("--seed", "6"), "seed 5, not 6"),
        (("--runs", "4"), "runs 3, not 4"),
        (("--only-run", "0"), "only_run None, not 0"),
        (("--set", "labs.meta.staff=333"), "another version of the scenario"),
    ],
)
def test_a_folder_of_another_run_is_refused_and_told_apart(
    changed: tuple[str, ...], words: str, done: Done, call: Call, no_simulation: None
) -> None:
    before = {path: path.read_bytes() for path in done.folder.iterdir()}
    refused = call(*ASKED, *changed, "--out", str(done.folder))
    assert (refused.code, refused.out) == (2, "")
    assert_one_sentence(refused.err)
    assert f"holds another run ({words}); choose another --out" in refused.err
    assert {path: path.read_bytes() for path in done.folder.iterdir()} == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_written_is_refused_first(
    call: Call, here: Path, no_simulation: None
) -> None:
    (here / "locked").mkdir(mode=0o500)
    refused = call("run", *SMALL, "--out", "locked/x")
    assert refused.code == 2
    assert_one_sentence(refused.err)


def test_several_problems_have_a_line_each(call: Call, here: Path, no_simulation: None) -> None:
    (here / "x.yaml").write_text("extends: baseline\nhorizon: 20\nstart: soon\n")
    refused = call("run", "x.yaml")
    assert refused.code == 2
    first, second = refused.err.splitlines()
    assert {first.removeprefix("talentsim: ").split(": ")[0], second.split(": ")[0]} == {
        "x.yaml:2:10",
        "x.yaml:3:8",
    }


def test_bad_input_is_the_same_in_a_real_process(here: Path) -> None:
    refused = process("run", "absent.yaml", cwd=here)
    assert refused == Outcome(2, "", "talentsim: absent.yaml: no such file\n")
    assert left_in(here) == set()


# --- what goes wrong on the way -----------------------------------------------------------------


def test_a_run_that_fails_says_so_and_leaves_nothing(call: Call, here: Path, no_simulation: None) -> None:
    failed = call("run", *SMALL)
    assert (failed.code, failed.out) == (1, "")
    assert_one_sentence(failed.err)
    assert "the run failed: RuntimeError: the simulation was reached" in failed.err
    assert left_in(here) == set()


@pytest.mark.parametrize(
    ("failure", "code", "words"),
    [
        (OSError(28, "No space left on device"), 1, "No space left on device"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_failing_while_the_folder_is_written_leaves_what_resume_finishes(
    call: Call, here: Path, monkeypatch: pytest.MonkeyPatch, failure: Any, code: int, words: str
) -> None:
    def fail(*_args: Any) -> None:
        raise failure

    asked = ("run", "baseline", "--runs", "1", "--set", "horizon=4 weeks", "--out", "x")
    with monkeypatch.context() as patch:
        patch.setattr(results.pictures, "save", fail)
        stopped = call(*asked)
    assert (stopped.code, stopped.out) == (code, "")
    assert_one_sentence(stopped.err)
    assert words in stopped.err
    assert stopped.err.endswith("what was done is kept: talentsim resume x\n")
    assert manifest(here / "x")["status"] == "unfinished"
    assert not left_in(here / "x") & FILES - {"manifest.json"}
    assert call("resume", "x").code == 0
    assert {path.name for path in (here / "x").iterdir()} == FILES


def test_a_reader_who_has_left_hears_no_complaint(here: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "sim", "list"],
        cwd=here, env=environment(), stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60,
    )  # fmt: skip
    os.close(writing)
    assert done.stderr == ""


# --- interrupted --------------------------------------------------------------------------------

LONG = ("--runs", "60", "--set", "horizon=2000 weeks")  # a block of 25 runs takes minutes
linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are counted in /proc")


def session(leader: int) -> set[int]:
    """Processes of a session that are alive."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has just ended
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                found.add(int(entry.name))
    return found


@pytest.fixture
def long_run(here: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts a run of many minutes in a session of its own; whatever is left of it is ended."""
    started: list[subprocess.Popen[str]] = []

    def start(jobs: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "sim", "run", "baseline", *LONG, "--jobs", jobs]
        running = subprocess.Popen(
            command, cwd=here, env=environment(), start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(running)
        return running

    yield start
    for running in started:
        if session(running.pid):
            os.killpg(running.pid, signal.SIGKILL)
        running.communicate()


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def simulating(leader: int) -> bool:
    """Whether numpy is loaded: the simulation is about to begin, or under way."""
    return "numpy" in Path(f"/proc/{leader}/maps").read_text()


@linux
@pytest.mark.parametrize("everybody", [True, False], ids=["as a terminal does", "only the parent"])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_ends_everything_in_a_sentence(
    long_run: Callable[[str], subprocess.Popen[str]], here: Path, jobs: str, everybody: bool
) -> None:
    """A terminal sends the interrupt to the workers too; `kill -INT` to the parent alone."""
    running = long_run(jobs)
    until(lambda: simulating(running.pid) and len(session(running.pid)) >= (3 if jobs == "2" else 1))
    time.sleep(0.3)  # any instant must do
    assert running.poll() is None
    if everybody:
        os.killpg(running.pid, signal.SIGINT)
    else:
        running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert out == ""
    until(lambda: not session(running.pid), 10)
    assert left_in(here) == set()
    assert without_warnings(err) == "talentsim: interrupted; nothing was written\n"


def without_warnings(err: str) -> str:
    """What a command says but for warnings: a long horizon leaves the plans behind, if it came so far."""
    return "".join(line for line in err.splitlines(True) if not line.startswith("talentsim: warning: "))


@linux
@pytest.mark.parametrize("everybody", [True, False], ids=["as a terminal does", "only the parent"])
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
def test_whatever_ends_a_process_keeps_what_is_done_and_a_second_time_changes_nothing(
    here: Path, ending: signal.Signals, everybody: bool
) -> None:
    (here / "tiny.yaml").write_text(kills.SCENARIO)
    command = [sys.executable, "-m", "sim", "run", "tiny.yaml", "--runs=200000", "--no-log", "--out=x"]
    running = subprocess.Popen(
        [*command, "--jobs=2"], cwd=here, env=environment(), start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        until(lambda: any((here / "x").glob("chunks/run/*.chunk")))
        for number in (ending, ending, signal.SIGINT):
            (os.killpg if everybody else os.kill)(running.pid, number)
            time.sleep(0.05)
        out, err = running.communicate(timeout=30)
    finally:
        if session(running.pid):
            os.killpg(running.pid, signal.SIGKILL)
    assert (running.returncode, out) == (128 + ending, "")
    assert err == "talentsim: interrupted; what was done is kept: talentsim resume x\n"
    assert not [path for path in left_in(here) if path.endswith(".tmp")]


@linux
def test_an_interrupt_within_executed_text_leaves_with_the_code_of_any_other(here: Path) -> None:
    """CPython remembers it even if it was caught, and would end the process by a signal."""
    code = """
import sys
from sim.cli import door, main

def interrupted(arguments):
    exec("raise KeyboardInterrupt")

door.parse_and_run = interrupted
sys.exit(main())
"""
    (here / "interrupted.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "-m", "interrupted"],
        cwd=here, env=environment(), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "talentsim: interrupted; nothing was written\n"


# --- quick to start -----------------------------------------------------------------------------

HEAVY = ("numpy", "pandas", "pyarrow", "matplotlib", "mesa", "scipy", "networkx", "pydantic", "ruamel")


@pytest.mark.parametrize(
    "code", ["import sim.cli", "import sim.cli; sim.cli.main(['--help'])", "import sim; dir(sim)"]
)
def test_heavy_imports_wait_until_they_are_needed(here: Path, code: str) -> None:
    show = f"{code}\nimport sys\nprint([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", show], cwd=here, env=environment(), capture_output=True, text=True, timeout=60
    )
    assert done.stderr == "[]\n"
