"""The figures of summary.json against the same figures worked out row by row with pandas."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import synthetic
from numpy.testing import assert_allclose
from small_markets import lab, market_of, scenario

from sim.analysis import counts
from sim.analysis.summary import spread, summarise
from sim.tables import CAUSES, NAMES, check, empty

RUNS, WEEKS, LABS = 8, 156, ["beta", "alpha"]  # the scenario's order is not the alphabet's
CAMPAIGN = {"name": "push", "lab": "alpha", "target": "beta", "researchers": 5, "package_cap": "20M USD"}


def a_scenario() -> Any:
    event = {"on": "2023-06-05", "campaign": CAMPAIGN | {"weeks": "4 weeks"}}
    labs = {name: lab(label=name.title()) for name in LABS}
    return scenario(market_of(labs, weeks=WEEKS, events=[event]))


def labs_table(rng: np.random.Generator, runs: int, weeks: int) -> Any:
    """Rows in no order, so that nothing can lean on one."""
    run, week, place = (a.ravel() for a in np.indices((runs, weeks, len(LABS))))
    left = rng.integers(0, 3, (len(CAUSES), len(run)))
    offers = rng.integers(0, 5, len(run))
    table = synthetic.table(
        "labs",
        len(run),
        run=run,
        week=week,
        date=np.datetime64("2023-05-01") + 7 * week,
        lab=np.array(LABS)[place],
        headcount=rng.integers(20, 90, len(run)),
        hires=rng.integers(0, 4, len(run)),
        departures=left.sum(axis=0),
        offers=offers,
        accepted=rng.binomial(offers, 0.3),
        spend_cents=rng.integers(0, 10**10, len(run)),
        standing=1.0,
        **{f"left_{cause}": left[i] for i, cause in enumerate(CAUSES)},
    )
    return table.take(rng.permutation(len(run)))


def offers_table(rng: np.random.Generator, size: int, runs: int) -> Any:
    outcome = rng.choice(["accepted", "declined", "lapsed"], size, p=[0.2, 0.5, 0.3])
    week = rng.integers(4, 12, size)
    return synthetic.table(
        "offers",
        size,
        run=rng.integers(0, runs, size),
        offer=np.arange(size),
        researcher=rng.integers(0, 40, size),  # some are approached twice
        lab="alpha",
        campaign=rng.choice(["push", None], size),
        origin="beta",
        contact_week=week - 1,
        offer_week=np.where(rng.random(size) < 0.8, week, None),
        sign_on_cents=rng.integers(0, 10**8, size),
        grant_cents=rng.integers(0, 10**9, size),
        outcome=outcome,
    )


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    rng = np.random.default_rng(23)
    tables = {name: empty(name) for name in NAMES} | {
        "labs": labs_table(rng, RUNS, WEEKS),
        "offers": offers_table(rng, 300, RUNS),
        "spells": synthetic.random_spells(rng, 9000, RUNS, LABS, WEEKS),
        "events": synthetic.table(
            "events", 3, run=[0, 1, 3], week=[5, 7, 9], kind="campaign", name="push", lab="alpha"
        ),
    }
    for name, table in tables.items():
        check(name, table)
    return tables


@pytest.fixture(scope="module")
def summary(recorded) -> dict[str, Any]:
    return summarise(a_scenario(), 7, recorded)


@pytest.fixture(scope="module")
def frames(recorded) -> dict[str, pd.DataFrame]:
    return {name: table.to_pandas() for name, table in recorded.items()}


def assert_spread(found: dict[str, Any], by_run: pd.Series) -> None:
    """Mean and percentiles over runs; runs that know nothing left out."""
    low, middle, high = by_run.quantile([0.05, 0.5, 0.95])
    due = {"mean": by_run.mean(), "p05": low, "p50": middle, "p95": high}
    assert found.keys() == due.keys()
    for name, value in due.items():
        assert_allclose(found[name], value, rtol=1e-12, err_msg=name)


def numbers_in(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for part in value.values() for number in numbers_in(part)]
    return [value] if isinstance(value, float) else []


# --- the whole ----------------------------------------------------------------------------------


def test_it_has_the_shape_of_the_contract(summary):
    head = {name: summary[name] for name in ("format", "scenario", "seed", "runs", "failed", "weeks")}
    assert head == {"format": 1, "scenario": "small", "seed": 7, "runs": RUNS, "failed": 0, "weeks": WEEKS}
    assert list(summary["labs"]) == LABS
    wanted = {"hires", "departures", "headcount_end", "offers", "accepted", "acceptance_rate", "spend_usd",
              "retention", "moves_to_rivals_per_year"}  # fmt: skip
    cohorts = {f"{who}_{when}m" for who in ("entry_cohort", "opening_staff") for when in (12, 24)}
    for figures in summary["labs"].values():
        assert wanted <= figures.keys()
        assert cohorts <= figures["retention"].keys()
        for value in figures["retention"].values():
            assert {"estimate", "lower", "upper"} <= value.keys()
    assert {"contacted", "offered", "accepted", "followers", "largest_package_usd", "median_package_usd"} <= (
        summary["campaigns"]["push"].keys()
    )


def test_it_is_json_without_nan(summary):
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert all(math.isfinite(number) for number in numbers_in(summary))


def test_nothing_recorded_gives_nulls_not_nan(recorded):
    nothing = {name: empty(name) for name in NAMES} | {"labs": recorded["labs"]}
    found = summarise(a_scenario(), 7, nothing)
    json.dumps(found, allow_nan=False)
    assert found["labs"]["alpha"]["retention"]["entry_cohort_24m"]["estimate"] is None
    assert found["campaigns"]["push"]["offered"]["mean"] == 0
    assert found["campaigns"]["push"]["largest_package_usd"]["mean"] is None


# --- labs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LABS)
@pytest.mark.parametrize("figure", ["hires", "departures", "offers", "accepted"])
def test_totals(summary, frames, name, figure):
    mine = frames["labs"].query("lab == @name")
    assert_spread(summary["labs"][name][figure], mine.groupby("run")[figure].sum())


@pytest.mark.parametrize("name", LABS)
def test_rates_money_and_staff(summary, frames, name):
    mine, found = frames["labs"].query("lab == @name"), summary["labs"][name]
    total = mine.groupby("run").sum(numeric_only=True)
    assert_spread(found["acceptance_rate"], total.accepted / total.offers)
    assert_spread(found["spend_usd"], total.spend_cents / 100)
    assert_spread(found["moves_to_rivals_per_year"], total.left_rival / (total.headcount * 7 / 365.25))
    assert_spread(found["headcount_end"], mine.query("week == @WEEKS - 1").set_index("run").headcount)


def test_spread_leaves_out_runs_that_know_nothing():
    assert spread(np.array([1.0, np.nan, 3.0]))["mean"] == 2.0
    assert set(spread(np.array([np.nan])).values()) == {None}


# --- retention and flows ------------------------------------------------------------------------


def share_still_there(frame: pd.DataFrame, week: int) -> float:
    """Product limit, tenure week by tenure week."""
    alive = 1.0
    enter = np.maximum(frame.entry_week.astype(int) - frame.start_week - 1, 0)
    ended = ~frame.censored
    leave = np.maximum(frame.end_week.astype(int) - frame.start_week - 1 + ended, enter + ended)
    for tenure in range(week):
        at_risk = ((enter <= tenure) & (tenure < leave)).sum()
        if at_risk:
            alive *= 1 - (ended & (leave - 1 == tenure)).sum() / at_risk
    return alive


@pytest.mark.parametrize("name", LABS)
@pytest.mark.parametrize("week", [52, 104])
def test_retention_pools_runs(summary, frames, name, week):
    mine = frames["spells"].query("lab == @name")
    hires = mine[mine.origin.isin(["outside", "rival"])]
    cohort = hires[hires.start_week.between(0, 12)]
    opening = mine.query("origin == 'opening'")
    found = summary["labs"][name]["retention"]
    for key, spells in (("entry_cohort", cohort), ("opening_staff", opening)):
        value = found[f"{key}_{week // 52 * 12}m"]
        assert_allclose(value["estimate"], share_still_there(spells, week), rtol=1e-12)
        assert value["lower"] < value["estimate"] < value["upper"]
        by_run = [share_still_there(part, week) for _, part in spells.groupby("run")]
        if key == "opening_staff":  # every run watches some of them for long enough
            assert_allclose([value["p05"], value["p95"]], np.quantile(by_run, (0.05, 0.95)), rtol=1e-12)


@pytest.mark.parametrize(("origin", "goal"), [LABS, LABS[::-1]])
def test_flows_are_moves_to_rivals_in_the_first_two_years(summary, frames, origin, goal):
    moves = frames["spells"].query(
        "lab == @origin and next_lab == @goal and cause == 'rival' and end_week < 104"
    )
    by_run = moves.groupby("run").size().reindex(range(RUNS), fill_value=0)
    assert by_run.sum() > 0
    assert_spread(summary["flows"][origin][goal], by_run)


def test_only_moves_with_cause_rival_flow():
    cause, goal = ["rival", "acquihire", "rival", "rival"], ["beta", "beta", "beta", None]
    spells = synthetic.spells([0] * 4, [5, 5, 104, 5], cause, next_lab=goal)
    assert counts.flows(spells, LABS, [0]).tolist() == [[[0, 0], [1, 0]]]


# --- campaigns and events -----------------------------------------------------------------------


def test_campaign_counts_people_and_packages(summary, frames):
    mine, found = frames["offers"].query("campaign == 'push'"), summary["campaigns"]["push"]
    written = mine[mine.offer_week.notna()]
    assert len(written) > written.groupby("run").researcher.nunique().sum()  # some were offered twice
    package = (written.sign_on_cents + written.grant_cents) / 100
    assert_spread(found["contacted"], mine.groupby("run").researcher.nunique())
    assert_spread(found["offered"], written.groupby("run").researcher.nunique())
    assert_spread(found["largest_package_usd"], package.groupby(written.run).max())
    assert_spread(found["median_package_usd"], package.groupby(written.run).median())
    assert_spread(found["accepted"], mine[mine.outcome == "accepted"].groupby("run").size())


def test_events_tell_in_how_many_runs(summary):
    (event,) = [value for key, value in summary["events"].items() if "push" in key]
    assert event["runs"] == 3
    assert event["week"]["p50"] == 7


def test_the_order_of_rows_and_runs_does_not_matter(recorded, summary):
    rng = np.random.default_rng(29)
    shuffled = {name: table.take(rng.permutation(table.num_rows)) for name, table in recorded.items()}
    assert summarise(a_scenario(), 7, shuffled) == summary
