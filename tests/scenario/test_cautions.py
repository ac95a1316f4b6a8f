"""What is allowed and yet likely not meant is said, with its place, and changes nothing else."""

import json
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import sim
from sim.scenario.cautions import ScenarioWarning

MINE = """\
name: mine
title: Mine
extends: baseline
labs:
  meta:
    median_pay: 900.000 USD/year
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A scenario whose author meant nine hundred thousand."""
    file = tmp_path / "mine.yaml"
    file.write_text(MINE, encoding="utf-8")
    return file


def test_a_point_before_three_digits_is_read_as_decimal_and_said_to_be(mine: Path) -> None:
    with pytest.warns(ScenarioWarning, match="decimal point") as said:
        scenario = sim.load_scenario(mine)
    assert scenario.labs["meta"].median_pay == 90_000
    (one,) = said
    assert isinstance(one.message, ScenarioWarning)
    problem = one.message.problem
    assert (problem.line, problem.column, problem.path) == (6, 17, "labs.meta.median_pay")
    assert "900000 or 900,000" in problem.hint
    assert one.filename == __file__, "a warning points at who called, not into the package"


@pytest.mark.parametrize("amount", ["$900.000", "1.500 USD", "12.340 USD", "+900.000 USD"])
def test_thousands_parted_by_a_point_are_noticed(amount: str) -> None:
    with pytest.warns(ScenarioWarning, match=r"treasury.opening: the point in"):
        sim.load_scenario("baseline", [f"labs.meta.treasury.opening={amount}"])


@pytest.mark.parametrize("amount", ["900,000 USD", "900000 USD", "0.250 USD", "1.625M USD", "900.00 USD"])
def test_what_can_only_be_a_decimal_point_is_not_spoken_of(amount: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sim.load_scenario("baseline", [f"labs.meta.treasury.opening={amount}"])


def test_the_shipped_scenarios_need_no_caution() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in sim.scenario_names():
            sim.load_scenario(name)


def test_the_command_line_says_it_in_a_line_of_its_own(mine: Path) -> None:
    command = [sys.executable, "-m", "sim", "validate", str(mine)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert re.fullmatch(r"talentsim: warning: .*mine\.yaml:6:17: labs\.meta\.median_pay: .*\n", done.stderr)
    machine = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    (entry,) = json.loads(machine.stdout)
    assert entry["valid"] and [one["path"] for one in entry["warnings"]] == ["labs.meta.median_pay"]
