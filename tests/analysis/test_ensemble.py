"""Figures of an ensemble that are counted out by hand, from tables made up for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import synthetic
from small_markets import lab, market_of, scenario

from sim.analysis.ensemble import by_run, measure
from sim.analysis.summary import summarise
from sim.system.tables import NAMES, empty

PUSH = {"name": "push", "lab": "alpha", "target": "beta", "researchers": 5, "package_cap": "20M USD"}


def a_scenario(weeks: int = 2) -> Any:
    event = {"on": "2023-05-01", "campaign": PUSH | {"weeks": "1 week"}}
    return scenario(market_of({"alpha": lab(), "beta": lab()}, weeks=weeks, events=[event]))


def recorded(runs: int = 1, weeks: int = 2, **others: Any) -> dict[str, Any]:
    """Tables of so many runs in which nothing happens but what is given."""
    run, week, place = (axis.ravel() for axis in np.indices((runs, weeks, 2)))
    labs = synthetic.table(
        "labs", len(run), run=run, week=week, date=np.datetime64("2023-05-01") + 7 * week,
        lab=np.array(["alpha", "beta"])[place], headcount=10, standing=1.0,
    )  # fmt: skip
    return {name: empty(name) for name in NAMES} | {"labs": labs} | others


def figures(**tables: Any) -> dict[tuple[str, str, str], Any]:
    return {key: values.tolist() for key, values in by_run(measure(a_scenario(), recorded(**tables))).items()}


def test_stars_are_as_talented_as_the_best_twentieth_of_the_opening_staff() -> None:
    """Of opening talents 1 to 101 the best twentieth begins at 96; whoever is there at the end counts.

    At alpha 96 to 101 opened, and 101 has left; a newcomer of 97 has come, one of 95 too.
    """
    talent = np.array([*range(1, 102), 97, 95], float)
    opening = np.arange(103) < 101
    lab_of = np.where((talent >= 96) | ~opening, "alpha", "beta")
    left = opening & (talent == 101)
    spells = synthetic.spells(
        np.where(opening, -10, 0), np.where(left, 1, 2), np.where(left, "found", None).tolist(),
        origin=np.where(opening, "opening", "outside"), talent=talent, lab=lab_of,
    )  # fmt: skip
    found = figures(spells=spells)
    assert found["lab", "alpha", "stars_end"] == [6]
    assert found["lab", "beta", "stars_end"] == [0]


def test_each_run_has_a_threshold_of_its_own_for_stars() -> None:
    """Talents of the second run are a hundred times those of the first, and so is its threshold."""
    talent = np.concatenate([np.arange(1, 102), 100 * np.arange(1, 102)]).astype(float)
    spells = synthetic.spells(
        np.full(202, -10), np.full(202, 2), [None] * 202,
        origin="opening", talent=talent, run=np.repeat([0, 1], 101),
    )  # fmt: skip
    assert figures(runs=2, spells=spells)["lab", "alpha", "stars_end"] == [6, 6]


def offers(**columns: Any) -> Any:
    given = {"lab": "alpha", "origin": "beta", "contact_week": 0, "offer_week": 0} | columns
    return synthetic.table("offers", len(columns["outcome"]), **given)


def test_followers_are_those_who_came() -> None:
    """Four were asked to follow somebody whom the campaign hired: two came, in two runs."""
    asked = offers(
        run=[0, 0, 0, 1], researcher=[1, 2, 3, 1], follows=["push"] * 4,
        outcome=["accepted", "declined", "lapsed", "accepted"],
    )  # fmt: skip
    assert figures(runs=2, offers=asked)["campaign", "push", "followers"] == [1, 1]


def test_packages_are_those_of_offers_that_were_written() -> None:
    """Who was approached and never got an offer has no package; a dollar is a hundred cents."""
    made = offers(
        run=0, researcher=range(4), campaign="push", outcome=["declined"] * 3 + ["lapsed"],
        offer_week=[1, 1, 1, None], sign_on_cents=[100, 200, 300, 0], grant_cents=[900, 1800, 4700, 0],
    )  # fmt: skip
    found = figures(offers=made)
    assert found["campaign", "push", "median_package_usd"] == [20]
    assert found["campaign", "push", "largest_package_usd"] == [50]
    assert (found["campaign", "push", "contacted"], found["campaign", "push", "offered"]) == ([4], [3])


def happened() -> Any:
    """A release in runs 0 and 2 of three; in run 0 twice."""
    when = {"run": [0, 0, 2], "week": [1, 0, 1]}
    return synthetic.table("events", 3, kind="model_release", name="flop", lab="alpha", **when)


def test_an_event_that_comes_twice_in_a_run_happened_in_one_run() -> None:
    told = summarise(a_scenario(), 1, recorded(runs=3, events=happened()))["events"]["model_release: flop"]
    assert (told["runs"], told["share"]) == (2, pytest.approx(2 / 3))


def test_the_week_of_an_event_in_a_run_is_its_first() -> None:
    found = figures(runs=3, events=happened())
    assert found["event", "model_release: flop", "share"] == [1, 0, 1]
    np.testing.assert_array_equal(found["event", "model_release: flop", "week"], [0, np.nan, 1])
