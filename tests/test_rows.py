"""No decorative row: every event and what-if has an expectation, and meets it or says why it is kept."""

from __future__ import annotations

import math
from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from benchmarks import readings as read
from benchmarks.rows import DOWN, EVENTS, PAGE, ROWS, UP, WHAT_IFS, Outcome, Row, _outcome, measure
from sim.market.simulate import simulate
from sim.scenario.composing import scenario_names
from sim.scenario.events import Event
from sim.scenario.loading import load_scenario
from sim.scenario.schema import Scenario

RUNS = 2
STORIES = ("meta-2025", "superintelligence-lab", "history-2022")


def told_by(name: str) -> list[Event]:
    """The events that a story tells first, or tells otherwise than meta-2025."""
    inherited = load_scenario("baseline" if name == "meta-2025" else "meta-2025").events
    return [event for event in load_scenario(name).events if event not in inherited]


def test_every_event_and_every_what_if_has_one_row() -> None:
    rows = [row.name for row in EVENTS]
    for story in STORIES:
        for event in told_by(story):
            names = {event.name or getattr(event.body, "name", None), event.plan, event.kind}
            assert sum(f"{story}: {name}" in rows for name in names) == 1, event
    assert len(rows) == sum(len(told_by(story)) for story in STORIES)
    assert [row.name for row in WHAT_IFS] == sorted(set(scenario_names()) - {"baseline", *STORIES})
    assert {row.direction for row in ROWS} == {UP, DOWN}


def test_the_page_has_the_expectation_of_every_row() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for row in ROWS:
        goes = "rise" if row.direction == UP else "fall"
        assert f"| `{row.name}` | {row.figure}: {goes} |" in page
        assert f"no: {row.kept} |" in page if row.kept else f"| `{row.name}` |" in page
    for name in scenario_names():
        assert f"`{name}`" in page


@pytest.mark.parametrize(
    ("outcome", "direction", "moves"),
    [
        (Outcome(100, 5.1, 1.6), UP, True),
        (Outcome(100, 5.1, 1.6), DOWN, False),
        (Outcome(100, -5.1, 1.6), DOWN, True),
        (Outcome(100, 4.9, 0.1), UP, False),  # sure, and too little
        (Outcome(100, 50.0, 17.0), UP, False),  # much, and unsure
        (Outcome(-100, 6.0, 1.0), UP, True),
        (Outcome(0, 0.5, 0.1), UP, True),
        (Outcome(0, 0.0, 0.0), UP, False),  # nothing at all
    ],
)
def test_a_row_moves_its_figure_by_enough_and_surely(outcome: Outcome, direction: int, moves: bool) -> None:
    assert outcome.moves(direction) == moves


def test_differences_are_paired_by_run() -> None:
    """A constant shift of runs that vary a lot has no error; unpaired it would have a large one."""
    without = np.array([1.0, 50.0, 200.0, np.nan, 7.0])
    found = _outcome(without + 2, without)
    assert (found.difference, found.error) == (2.0, 0.0)
    assert found.base == pytest.approx((1 + 50 + 200 + 7) / 4)
    apart = _outcome(np.array([3.0, 1.0]), np.array([0.0, 0.0]))
    assert apart.error == pytest.approx(math.sqrt(2) / math.sqrt(2))


@cache
def later() -> tuple[read.Frames, Scenario]:
    scenario = load_scenario("superintelligence-lab")
    tables = simulate(scenario, read.SEED, range(RUNS), log=True)
    return {name: table.to_pandas() for name, table in tables.items()}, scenario


@pytest.mark.parametrize("day", ["2024-01-01", "2025-06-27", "2025-07-04", "2026-02-02"])
def test_units_have_the_talent_of_their_lab_before_and_after_people_move(day: str) -> None:
    frames, scenario = later()
    units = ("fair", "genai", "superintelligence")
    parts = [read.talent("meta", unit, day)(frames, scenario) for unit in units]
    assert sum(parts) == pytest.approx(read.talent("meta", None, day)(frames, scenario))
    assert (parts[2].max() == 0) == (day < "2025-06-12")


def test_the_team_that_moves_in_a_week_is_in_its_unit_from_then_on() -> None:
    frames, scenario = later()
    moved = frames["transfers"][frames["transfers"]["to_unit"] == "superintelligence"]
    (week,) = set(moved["week"])
    spells = frames["spells"]
    gained = moved.merge(spells, on=["run", "researcher", "lab", "start_week"]).groupby("run")["talent"].sum()
    days = (str(scenario.start + timedelta(weeks=int(week) - ago)) for ago in (1, 0))
    before, after = (read.talent("meta", "superintelligence", day)(frames, scenario) for day in days)
    assert after - before == pytest.approx(gained.to_numpy(), rel=0.35)  # others come and go in that week
    assert (after - before > 0.8 * gained).all()


def test_counts_agree_with_the_spells_that_they_count() -> None:
    frames, scenario = later()
    since, rivals = "2025-06-16", [lab for lab in scenario.labs if lab != "meta"]
    by_origin = sum(read.hired_from("meta", lab, since)(frames, scenario) for lab in rivals)
    left = sum(read.moves(lab, since)(frames, scenario) for lab in scenario.labs)
    everybody = sum(
        read.hired_from(lab, origin, since)(frames, scenario)
        for lab in scenario.labs for origin in scenario.labs if lab != origin
    )  # fmt: skip
    assert (np.asarray(by_origin) > 0).all()
    assert np.asarray(everybody) == pytest.approx(np.asarray(left))
    genai = read.left_unit("meta", "genai", since)(frames, scenario)
    assert (genai <= read.moves("meta", since)(frames, scenario)).all()


def test_a_world_beside_itself_moves_nothing() -> None:
    row = Row("itself", ("cap-20m", ()), ("cap-20m", ()), "", UP, read.moves("meta", "2023-05-01"))
    (found,) = measure([row], RUNS, jobs=1)
    assert (found.difference, found.error) == (0.0, 0.0)
    assert found.base > 0


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    return dict(zip([row.name for row in ROWS], measure(ROWS, 200, jobs=2), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_row_moves_its_figure_or_says_that_it_does_not(row: Row, outcomes: dict[str, Outcome]) -> None:
    assert outcomes[row.name].moves(row.direction) != bool(row.kept), outcomes[row.name]
