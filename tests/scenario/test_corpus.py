"""One broken file for each kind of mistake, and the message that each gets, kept beside it.

    python tests/test_corpus.py

writes the messages anew; read what has changed before you keep it. Files called part-... are only
extended by others.
"""

import os
from pathlib import Path

import pytest

from sim.scenario.errors import ScenarioError
from sim.scenario.excerpts import with_excerpts
from sim.scenario.figures import data_folder
from sim.scenario.loading import load_scenario

CORPUS = Path(__file__).resolve().parent / "corpus"
CASES = sorted(path.stem for path in CORPUS.glob("*.yaml") if not path.stem.startswith("part-"))


pytestmark = pytest.mark.usefixtures("quick")  # shipped files are read once


def message(case: str) -> str:
    """What `talentsim validate` says of a broken file, in its folder."""
    try:
        load_scenario(f"{case}.yaml")
    except ScenarioError as error:
        return with_excerpts(error).replace(str(data_folder("scenarios")), "shipped") + "\n"
    return "valid\n"


def test_there_is_a_file_for_each_of_many_kinds() -> None:
    assert len(CASES) >= 50
    assert {path.stem for path in CORPUS.glob("*.txt")} == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_gets_its_message(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CORPUS)
    assert message(case) == (CORPUS / f"{case}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_a_message_is_for_people(case: str) -> None:
    """Each problem has a place, nothing unprintable, and none of pydantic's or Python's own words."""
    said = (CORPUS / f"{case}.txt").read_text(encoding="utf-8")
    assert said != "valid\n"
    assert said.replace("\n", "").isprintable()
    assert not any(
        word in said for word in ("Traceback", "Error", "pydantic", "ctx", "Input should", "NoneType")
    )
    problems = [line for line in said.splitlines() if not line.startswith(" ")]
    assert all(line.split(":")[1].isdecimal() and line.split(":")[2].isdecimal() for line in problems), said
    assert all(line.startswith((f"{case}.yaml:", "part-", "shipped/")) for line in problems)


if __name__ == "__main__":
    os.chdir(CORPUS)
    for old in CORPUS.glob("*.txt"):
        old.unlink()
    for case in CASES:
        Path(f"{case}.txt").write_text(message(case), encoding="utf-8")
