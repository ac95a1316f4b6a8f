"""A change of start or horizon, and a payroll without means, are said; what fits is not spoken of."""

import re
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import sim
from sim.market.opening import open_market
from sim.scenario.cautions import ScenarioWarning
from sim.scenario.means import opening_payroll
from sim.scenario.quantities import WEEKS_PER_YEAR

OWN = """\
name: own
title: Three labs
start: 2026-01-01
horizon: 3 years
labs:
  mine:
    label: My company
    staff: 300
    headcount_plan: [{date: 2029-06-01, staff: 400}]
    founded: 2015-01-01
    median_pay: 300k USD/year
    star_pay: 900k USD/year
    talent_inflow: 150M USD/year
  rival:
    label: Rival
    staff: 500
    founded: 2012-01-01
    median_pay: 400k USD/year
    star_pay: 2M USD/year
    talent_inflow: 400M USD/year
"""
POOR = "labs.mine.talent_inflow=30M USD/year"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "own.yaml"
    file.write_text(OWN, encoding="utf-8")
    return file


def said(path: Path, overrides: Sequence[str] = ()) -> list[str]:
    """What is said of a scenario, each with the path that it is about."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        sim.load_scenario(path, overrides)
    messages = [one.message for one in found]
    assert all(isinstance(one, ScenarioWarning) for one in messages)
    return [
        f"{one.problem.path}: {one.problem.message}" for one in messages if isinstance(one, ScenarioWarning)
    ]


def test_a_scenario_that_fits_together_needs_no_word(own: Path) -> None:
    assert said(own) == []
    assert said(own, ["horizon=100 weeks"]) == []  # a shorter time leaves nothing behind


def test_another_start_leaves_staff_behind(own: Path) -> None:
    (one,) = said(own, ["start=2024-01-01"])
    assert one == (
        "start: the scenario now starts on 2024-01-01, but the staff of My company and Rival stays that "
        "of the start before"
    )
    assert "the staff of Rival stays" in said(own, ["start=2024-01-01", "labs.mine.staff=200"])[0]
    assert said(own, ["start=2024-01-01", "labs.mine.staff=200", "labs.rival.staff=400"]) == []


def test_a_longer_time_leaves_plans_behind(own: Path) -> None:
    (one,) = said(own, ["horizon=5 years"])
    assert one.startswith("horizon: the scenario now ends on 2031-01-0")
    assert "the headcount plans of My company end by 2029-06-01 and are flat from then on" in one
    assert "start" not in one
    late = said(own, ["start=2027-01-01"])  # the same length from a later start ends later, too
    assert [text.split(":")[0] for text in late] == ["start", "start"]
    assert said(own, ["horizon=5 years", "labs.mine.headcount_plan.0.date=2031-06-01"]) == []


@pytest.mark.parametrize("how", ["start: 2024-01-01", "overrides: {start: 2024-01-01}"])
def test_a_child_that_moves_the_start_is_told_so(own: Path, how: str) -> None:
    child = own.with_name("child.yaml")
    child.write_text(f"name: child\ntitle: Child\nextends: own\n{how}\n", encoding="utf-8")
    assert len(said(child)) == 1
    child.write_text(
        "name: child\ntitle: Child\nextends: own\nlabs: {mine: {staff: 320}}\n", encoding="utf-8"
    )
    assert said(child) == []  # staff that is newer than the start is what a child is for


def test_a_payroll_without_means_is_said(own: Path) -> None:
    (one,) = said(own, [POOR])
    assert one.startswith(
        "labs.mine.talent_inflow: a payroll of 90M USD a year (300 at a median pay of 300k USD), 49.1M USD "
        "of it base pay due in cash, stands against 30M USD a year coming in and no treasury: the lab is "
    )
    assert one.endswith("at once")
    assert "after about 54 weeks" in said(own, [POOR, "labs.mine.treasury.opening=20M USD"])[0]
    assert said(own, [POOR, "labs.mine.treasury.opening=200M USD"]) == []  # lasts beyond the horizon
    assert said(own, [POOR, "labs.mine.treasury.inflow=25M USD/year"]) == []


def test_the_expected_payroll_is_that_of_the_market() -> None:
    changes = [
        "labs.meta.units.fair.pay_factor=2", "market.talent.base_cap=300k USD/year", "labs.apple.staff=4000",
    ]  # fmt: skip
    scenario = sim.load_scenario("baseline", changes)
    paid = open_market(scenario, 1, np.arange(8)).labs.weekly_payroll.mean(axis=0) * WEEKS_PER_YEAR
    due = [opening_payroll(scenario, lab) for lab in scenario.labs.values()]
    assert_allclose(due, paid, rtol=0.1)
    assert_allclose(
        due[list(scenario.labs).index("apple")], paid[list(scenario.labs).index("apple")], rtol=0.01
    )


def test_validate_says_it_in_a_sentence_and_a_run_in_its_summary(own: Path) -> None:
    def talentsim(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "sim", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=own.parent)

    done = talentsim("validate", str(own), "--set", POOR)
    assert done.returncode == 0
    assert re.fullmatch(
        r"talentsim: warning: .*a payroll of 90M USD a year .* 30M USD .* no treasury.*\n", done.stderr
    )
    ran = talentsim("run", str(own), "--set", POOR, "--set", "horizon=9 weeks", "--runs=1", "--out=out")
    assert ran.returncode == 0
    assert "a payroll of 90M USD a year" in ran.stderr
    assert "Labs that fail: My company on 1 Jan 2026." in " ".join(ran.stdout.split())
