"""Ensembles beside one another, worked out by hand: who is paired with whom, and how wide figures spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import synthetic
from scipy import stats
from small_markets import lab, market_of, scenario

from sim.analysis import compare as comparing
from sim.analysis.ensemble import Ensemble, measure
from sim.system.tables import NAMES, empty

START = "2023-05-01"


def measured(runs: Sequence[int], start: str = START, **columns: Any) -> Ensemble:
    """One week of one lab, of which columns are given run by run."""
    known = {"run": runs, "date": np.datetime64(start), "lab": "alpha", "headcount": 10, "standing": 1.0}
    labs = synthetic.table("labs", len(runs), **known, **columns)
    of = scenario(market_of({"alpha": lab()}, weeks=1, start=start))
    return measure(of, {name: empty(name) for name in NAMES} | {"labs": labs})


def the_row(table: Any, figure: str) -> dict[str, Any]:
    (found,) = [row for row in table.to_pylist() if row["figure"] == figure]
    return found


def test_runs_are_paired_by_their_number() -> None:
    """Run 0 failed in one, run 3 in the other: of runs 1, 2 and 4 the differences are 1, 2 and 0."""
    base, other = measured([0, 1, 2, 4], hires=[7, 5, 9, 2]), measured([1, 2, 3, 4], hires=[6, 11, 50, 2])
    found = the_row(comparing.paired("a", base, "b", other), "hires")
    assert found["runs"] == 3
    assert (found["base_mean"], found["difference"]) == pytest.approx((16 / 3, 1))
    assert found["same_sign"] == pytest.approx(2 / 3)
    interval = stats.t.interval(0.95, 2, 1, 1 / np.sqrt(3))  # the differences' deviation is 1
    assert (found["lower"], found["upper"]) == pytest.approx(interval)
    path = comparing.hires_path(base, other)
    assert path.median.tolist() == [[1]]


@pytest.mark.parametrize("turned", [False, True])
def test_a_run_in_which_either_cannot_tell_is_left_out(turned: bool) -> None:
    """Without offers there is no rate of acceptance."""
    silent = measured([0, 1, 2], offers=[0, 4, 4], accepted=[0, 1, 2])
    telling = measured([0, 1, 2], offers=4, accepted=[3, 2, 3])
    base, other = (telling, silent) if turned else (silent, telling)
    found = the_row(comparing.paired("a", base, "b", other), "acceptance_rate")
    assert found["runs"] == 2
    assert found["difference"] == pytest.approx(-0.25 if turned else 0.25)


def test_the_band_of_a_difference_holds_nine_runs_of_ten() -> None:
    """Of differences 0 to 20, the 5th, 50th and 95th percentile are 1, 10 and 19."""
    runs = range(21)
    path = comparing.hires_path(measured(runs, hires=4), measured(runs, hires=[4 + run for run in runs]))
    assert (path.low.tolist(), path.median.tolist(), path.high.tolist()) == ([[1]], [[10]], [[19]])


def test_other_first_days_are_told() -> None:
    pair = {"here": measured([0]), "there": measured([0], "2024-01-01")}
    assert comparing.not_shared(pair) == [
        "the scenarios start on 2023-05-01, 2024-01-01; weeks since the start are compared"
    ]
    assert comparing.not_shared({"here": pair["here"], "again": measured([0])}) == []


def test_the_spread_of_a_swept_figure_is_that_of_its_runs() -> None:
    """Of 1, 2, 3, 4 and 10 the variance is 12.5, so the mean's standard error is the root of 12.5 / 5."""
    ensemble = measured(range(5), hires=[1, 2, 3, 4, 10])
    found = the_row(comparing.sweep_rows("000", {"labs.alpha.staff": "30"}, ensemble), "hires")
    assert {name: found[name] for name in ("runs", "mean", "se", "p05", "p50", "p95")} == pytest.approx(
        {"runs": 5, "mean": 4, "se": 2.5**0.5, "p05": 1.2, "p50": 3, "p95": 8.8}
    )


def test_a_single_run_has_no_standard_error() -> None:
    found = the_row(comparing.sweep_rows("000", {"labs.alpha.staff": "30"}, measured([0], hires=3)), "hires")
    assert (found["runs"], found["mean"], found["se"]) == (1, 3, None)


def test_offers_that_are_open_when_nobody_watches_any_more_have_lapsed() -> None:
    """Cut after week 9: what was decided by then stands, what comes later has not happened yet."""
    offers = synthetic.table(
        "offers", 7, researcher=range(7), lab="alpha", origin="outside",
        contact_week=[3, 3, 3, 8, 9, 9, 10],
        offer_week=[5, 5, 5, 10, 9, None, 11],
        decision_week=[9, 9, 10, 11, 10, None, 12],
        outcome=["accepted", "declined", "accepted", "declined", "declined", "lapsed", "accepted"],
    )  # fmt: skip
    cut = comparing.cut({name: empty(name) for name in NAMES} | {"offers": offers}, 10)["offers"]
    assert cut.column("researcher").to_pylist() == [0, 1, 2, 3, 4, 5]
    assert cut.column("outcome").to_pylist() == [
        "accepted",
        "declined",
        "lapsed",
        "lapsed",
        "lapsed",
        "lapsed",
    ]
    assert cut.column("offer_week").to_pylist() == [5, 5, 5, None, 9, None]
