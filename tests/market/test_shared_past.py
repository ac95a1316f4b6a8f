"""Scenarios that live their common past once: each comes to what it comes to alone, bit for bit."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_markets import all_kinds, everybody_moves, hashes_of, lab, on, put, scenario

import sim
from sim.experiments import request
from sim.experiments.chunks import compute_together, labelled, unpacked
from sim.experiments.designs import comparison_of
from sim.market import simulate
from sim.market.constants import compile_constants
from sim.market.shared_past import shared_weeks, world_of
from sim.market.simulate import run_block, run_together
from sim.market.state import Market
from sim.scenario.composing import scenario_names
from sim.scenario.loading import load_scenario
from sim.scenario.schema import Scenario
from sim.system.lock import WorkError


def eventful() -> dict[str, Any]:
    """A market with an event of every kind, one after another."""
    data = everybody_moves(weeks=16)
    data["labs"]["new"] = lab(0, reserved=True, treasury={})
    return data | {"events": [event | on(3 + i % 9) for i, event in enumerate(all_kinds())]}


def a_week_later(data: dict[str, Any], number: int) -> dict[str, Any]:
    day = date.fromisoformat(data["events"][number]["on"]) + timedelta(weeks=1)
    return put(data, f"events.{number}.on", str(day))


def test_an_event_of_every_kind_parts_the_markets_when_it_comes_and_not_before() -> None:
    """Each of the others has one event a week later; most of them part in pairs, one from another."""
    data = eventful()
    worlds = [scenario(data), *(scenario(a_week_later(data, i)) for i in range(len(data["events"])))]
    assert len({world_of(one) for one in worlds}) == 1
    assert [shared_weeks(worlds[0], one) for one in worlds] == [
        16,
        *(3 + i % 9 for i in range(len(worlds) - 1)),
    ]
    together = {number: hashes_of(found) for number, found in run_together(worlds, 3, [0, 4])}
    alone = [hashes_of(run_block(one, 3, [0, 4])) for one in worlds]
    assert [together[number] for number in range(len(worlds))] == alone
    assert sum(one["labs"] != alone[0]["labs"] for one in alone) >= 14  # the comparison is not an empty one


def test_common_weeks_are_lived_once(monkeypatch) -> None:
    lived = []
    real = simulate.advance
    monkeypatch.setattr(simulate, "advance", lambda market: (lived.append(market.week), real(market)))
    base = everybody_moves(weeks=16) | {"events": []}
    freeze, layoff = on(9, hiring_freeze={"weeks": "2 weeks"}), on(12, layoff={"share": 0.2})
    worlds = [scenario(base | {"events": events}) for events in ([], [freeze], [freeze, layoff], [])]
    assert len(dict(run_together(worlds, 1, [0]))) == 4
    assert sorted(lived) == sorted([*range(16), *range(9, 16), *range(12, 16)])


def test_what_ends_after_the_horizon_parts_nobody() -> None:
    talks = {"lab": "a", "target": "c", "price": "9M USD", "asking": "1M USD", "weeks": "9 weeks"}
    base = everybody_moves(weeks=16)
    worlds = [
        scenario(base | {"events": [on(12, talks=talks | {"price": price})]})
        for price in ("9M USD", "8M USD")
    ]
    assert shared_weeks(*worlds) == 16
    found = dict(run_together(worlds, 1, [0]))
    assert hashes_of(found[0]) == hashes_of(found[1]) == hashes_of(run_block(worlds[1], 1, [0]))


def test_what_the_others_do_is_not_seen() -> None:
    """The first of several has the same tables whoever parts from it, and so has the last."""
    data = eventful()
    one, other = scenario(data), scenario(a_week_later(data, 3))
    found = dict(run_together([one, other, one], 1, [0, 1], full=False))
    assert hashes_of(found[0]) == hashes_of(found[2]) == hashes_of(run_block(one, 1, [0, 1], full=False))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("horizon", "17 weeks"),
        ("labs.a.talent_inflow", "301M USD/year"),
        ("market.choice", {"moving_cost": 0.7}),
        ("events.6.new_unit.unit", "other"),
        ("events.4.campaign.name", "other"),
        ("events.19.when.after", "2 weeks"),
    ],
)
def test_other_worlds_share_nothing(path: str, value: Any) -> None:
    plan = {"plan": "alarm", "lab": "a", "when": {"standing_below": 0.75, "after": "1 week"}}
    data = eventful()
    data["events"] = [*data["events"][:7], *data["events"][8:], plan, plan | {"plan": "again"}]
    assert world_of(scenario(put(data, path, value))) != world_of(scenario(data))


def test_labels_make_no_other_world() -> None:
    data = eventful()
    other = scenario(data | {"name": "other", "title": "Other", "description": "Another one."})
    assert world_of(other) == world_of(scenario(data))
    assert shared_weeks(other, scenario(data)) == 16


PER_EVENT = {
    "campaigns",
    "timeline",
    "exploding",
    "unscreened",
    "signal_factor",
    "pools",
}  # pools: compared by world_of


def test_constants_of_one_world_differ_in_nothing_but_their_dated_events() -> None:
    """All shipped scenarios, so that whatever else is compiled from events must enter `world_of`."""
    worlds: dict[str, list[Scenario]] = {}
    for name in scenario_names():
        found = load_scenario(name)
        worlds.setdefault(world_of(found), []).append(found)
    assert max(map(len, worlds.values())) >= 15
    for first, *others in worlds.values():
        constants = compile_constants(first)
        for other in others:
            theirs = compile_constants(other)
            for name in constants.__dataclass_fields__.keys() - PER_EVENT:
                assert np.array_equal(getattr(constants, name), getattr(theirs, name)), (other.name, name)


def test_a_comparison_does_not_hang_on_who_is_computed_together(monkeypatch) -> None:
    data = eventful()
    worlds = [scenario(a_week_later(data, i) | {"name": f"late-{i}"}) for i in (2, 3, 5, 9, 10)]
    assert [len(names) for names in comparison_of(worlds).together] == [4, 1]
    due = sim.compare(*worlds, runs=3).table
    assert (due["difference"] != 0).any()
    monkeypatch.setattr(request, "TOGETHER", 1)
    assert [len(names) for names in comparison_of(worlds).together] == [1] * 5
    pd.testing.assert_frame_equal(sim.compare(*worlds, runs=3).table, due)


def test_other_code_is_refused_together_too() -> None:
    worlds = [scenario(everybody_moves())] * 2
    for number in (1, 2):
        with pytest.raises(WorkError, match="another version"):
            compute_together(worlds[:number], 1, range(1), full=True, code="other")


def test_what_fails_together_is_computed_one_by_one(monkeypatch, tmp_path) -> None:
    """And the run that fails is a row of its own scenario alone."""
    data = eventful()
    one, other = scenario(data), scenario(a_week_later(data, 2) | {"name": "fails"})
    real = simulate.advance

    def fail(market: Market) -> None:
        if market.scenario.name == "fails" and 1 in market.runs:
            raise ZeroDivisionError("no")
        real(market)

    monkeypatch.setattr(simulate, "advance", fail)
    (sound, no_failure), (rest, failures) = (
        unpacked_bytes(tmp_path / "chunk", data)
        for data, _ in compute_together([one, other], 1, range(3), full=True)
    )
    assert no_failure == [] and [row["run"] for row in failures] == [1]
    assert hashes_of(sound) == hashes_of(run_block(one, 1, range(3)))
    assert hashes_of(rest) == hashes_of(run_block(other, 1, [0, 2]))


def unpacked_bytes(path: Path, data: bytes) -> Any:
    path.write_bytes(labelled(data, "a chunk"))
    return unpacked(path)
