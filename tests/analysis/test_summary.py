"""The figures of summary.json against the same figures worked out row by row with pandas."""

from __future__ import annotations

import io
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import synthetic
from numpy.testing import assert_allclose, assert_array_equal
from rich.console import Console
from small_markets import everybody_moves, lab, market_of, scenario, switched_on
from small_results import article, quiet

from sim.analysis import counts
from sim.analysis.ensemble import FUNNEL
from sim.analysis.summary import spread, summarise
from sim.experiments import results
from sim.experiments.results import Result
from sim.report.screen import print_summary
from sim.report.sentences import fitted_figures, fitted_sentence
from sim.scenario.errors import Citation
from sim.scenario.loading import change_scenario, load_scenario
from sim.system.tables import CAUSES, NAMES, check, empty

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


# --- a small real run ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> Result:
    return article()


@pytest.fixture(scope="module")
def told(real) -> dict[str, Any]:
    return real.summary


@pytest.fixture(scope="module")
def rows(real) -> dict[str, pd.DataFrame]:
    for name in NAMES:
        check(name, real.table(name))
    return {name: plain(real.table(name).to_pandas()) for name in NAMES}


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Words as objects, so that groups that do not occur are not there."""
    return frame.astype({name: object for name, kind in frame.dtypes.items() if kind == "category"})


@pytest.fixture(scope="module")
def lived(rows) -> pd.DataFrame:
    """One row for every week of tenure that somebody was watched to live through, and whether she left in it.

    Presence is counted at the close of weeks -1, 0, 1, ...: who is present at the close of a week and
    was watched to the close of the next is at risk in between; who leaves in her first week is too.
    """
    spells = rows["spells"]
    columns = ["run", "lab", "origin", "start_week", "end_week", "cause", "censored"]
    people = [spells[name].tolist() for name in columns]
    found = []
    for run, place, origin, start, end, cause, censored in zip(*people, strict=True):
        first = max(start, -1)
        last = end - 1 if censored else max(end, start + 1)  # the close at which she was last looked for
        for week in range(first, last):
            gone = None if censored or week + 1 < last else cause
            found.append((run, place, origin, start, week - start, gone))
    return pd.DataFrame(found, columns=["run", "lab", "origin", "start", "tenure", "gone"])


def product_limit(weeks: pd.DataFrame, until: int) -> tuple[float, float]:
    """Survival to a week and Greenwood's sum; nan where nobody was watched so long."""
    watched = weeks[weeks.tenure < until].groupby("tenure").gone.agg(["size", "count"])
    survival = float((1 - watched["count"] / watched["size"]).prod())
    if weeks.tenure.max() < until - 1:
        return (0.0 if survival == 0 else math.nan), math.nan
    variance = watched["count"] / (watched["size"] * (watched["size"] - watched["count"]))
    return survival, float(variance.sum())


COHORTS = {
    "entry_cohort": lambda weeks: weeks[weeks.origin.isin(["outside", "rival"]) & weeks.start.between(0, 12)],
    "opening_staff": lambda weeks: weeks[weeks.origin == "opening"],
    "new_hires": lambda weeks: weeks[weeks.origin.isin(["outside", "rival"])],
}


def test_labs_spells_and_events_tell_one_story(rows):
    spells, labs = rows["spells"], rows["labs"].set_index(["run", "lab", "week"]).sort_index()
    joined = spells[spells.origin != "opening"].groupby(["run", "lab", "start_week"]).size()
    left = spells[~spells.censored].groupby(["run", "lab", "end_week", "cause"]).size().unstack("cause")
    joined.index.names = left.index.names = ["run", "lab", "week"]
    assert_array_equal(labs.hires, joined.reindex(labs.index, fill_value=0))
    for cause in CAUSES:
        due = left[cause] if cause in left else pd.Series(dtype=float)
        assert_array_equal(labs[f"left_{cause}"], due.reindex(labs.index).fillna(0), err_msg=cause)
    assert labs.departures.sum() == (~spells.censored).sum()
    assert (
        labs.groupby(["run", "lab"]).headcount.last()
        == spells[spells.censored].groupby(["run", "lab"]).size()
    ).all()


def test_every_researcher_is_at_one_place_at_a_time(rows):
    spells = rows["spells"].sort_values(["run", "researcher", "start_week"])
    before = spells.groupby(["run", "researcher"]).end_week.shift()
    assert (spells.start_week >= before)[before.notna()].all()


def test_offers_and_labs_tell_one_story(rows):
    """Offers are counted in the week in which they are written, acceptances in that of the decision."""
    labs, offers = rows["labs"].set_index(["run", "lab", "week"]).sort_index(), rows["offers"]
    for column, chosen, week in (
        ("offers", offers.offer_week.notna(), "offer_week"),
        ("accepted", offers.outcome == "accepted", "decision_week"),
    ):
        due = offers[chosen].groupby(["run", "lab", week]).size()
        due.index.names = ["run", "lab", "week"]
        assert_array_equal(labs[column], due.reindex(labs.index, fill_value=0), err_msg=column)
    # one answer of the incumbent stands beside each of the bids that it answers
    answers = offers[offers.counter_week.notna()].drop_duplicates(["run", "researcher", "counter_week"])
    due = answers.groupby(["run", "origin", "counter_week"]).size()
    due.index.names = ["run", "lab", "week"]
    assert_array_equal(labs.counters, due.reindex(labs.index, fill_value=0))


def test_real_totals_and_rates(told, rows):
    for place, found in told["labs"].items():
        mine = rows["labs"][rows["labs"].lab == place]
        total = mine.groupby("run").sum(numeric_only=True)
        for figure in ("hires", "departures", "acquihires", "from_rivals", "counters", *FUNNEL):
            assert_spread(found[figure], total[figure])
        assert_spread(found["acceptance_rate"], total.accepted / total.offers)
        assert_spread(found["spend_usd"], total.spend_cents / 100)
        assert_spread(found["headcount_end"], mine.query("week == 129").set_index("run").headcount)
        assert_spread(found["moves_to_rivals_per_year"], total.left_rival / (total.headcount * 7 / 365.25))


@pytest.mark.parametrize("cohort", COHORTS)
@pytest.mark.parametrize("months", [12, 24])
def test_real_retention_week_by_week(told, lived, cohort, months):
    weeks, known = COHORTS[cohort](lived), 0
    for name, figures in told["labs"].items():
        found, mine = figures["retention"][f"{cohort}_{months}m"], weeks[weeks.lab == name]
        estimate, variance = product_limit(mine, months * 52 // 12)
        if math.isnan(estimate):
            assert set(found.values()) == {None}
            continue
        known += 1
        assert_allclose(found["estimate"], estimate, rtol=1e-12)
        if estimate in (0, 1):
            assert (found["lower"], found["upper"]) == (None, None)
            continue
        width = 1.959963984540054 * math.sqrt(variance) / abs(math.log(estimate))
        assert_allclose(
            [found["lower"], found["upper"]], [estimate ** math.exp(width), estimate ** math.exp(-width)]
        )
        by_run = pd.Series([product_limit(part, months * 52 // 12)[0] for _, part in mine.groupby("run")])
        assert_allclose([found["p05"], found["p95"]], by_run.quantile([0.05, 0.95]), rtol=1e-12)
    assert known >= 8


def test_real_exits_by_cause_are_aalen_johansen(told, lived):
    weeks = COHORTS["new_hires"](lived)
    for name, figures in told["labs"].items():
        mine, alive, gone = weeks[weeks.lab == name], 1.0, dict.fromkeys(CAUSES, 0.0)
        for _, week in mine[mine.tenure < 104].groupby("tenure").gone:
            for cause, share in (week.value_counts() / len(week)).items():
                gone[cause] += alive * share
            alive *= 1 - week.count() / len(week)
        if mine.tenure.max() < 103:
            assert set(figures["exits_24m"].values()) == {None}
            continue
        assert_allclose([figures["exits_24m"][cause] for cause in CAUSES], list(gone.values()), atol=1e-12)
        survival = figures["retention"]["new_hires_24m"]["estimate"]
        assert sum(figures["exits_24m"].values()) + survival == pytest.approx(1, abs=1e-12)
        assert gone["rival"] > 0


def test_real_flows(told, rows, real):
    moves = rows["spells"].query("cause == 'rival' and 0 <= end_week <= 103")
    count = moves.groupby(["lab", "next_lab", "run"]).size()
    labs, total = list(real.scenario.labs), 0
    for origin in labs:
        assert list(told["flows"][origin]) == [goal for goal in labs if goal != origin]
        for goal, found in told["flows"][origin].items():
            by_run = pd.Series([count.get((origin, goal, run), 0) for run in range(real.runs)])
            assert_spread(found, by_run)
            total += by_run.sum()
    assert total == len(moves) > 100


def test_the_last_week_of_flows_is_103():
    spells = synthetic.spells([0] * 3, [0, 103, 104], ["rival"] * 3, next_lab="beta")
    assert counts.flows(spells, LABS, [0]).tolist() == [[[0, 0], [2, 0]]]


def test_real_campaign(told, rows, real):
    (name,) = told["campaigns"]
    mine, found = rows["offers"].query("campaign == @name"), told["campaigns"][name]
    event = next(event.campaign for event in real.scenario.events if event.campaign)
    by_run = mine.groupby("run")
    assert (by_run.researcher.nunique() == event.researchers).all()
    assert_spread(found["contacted"], by_run.researcher.nunique())
    assert_spread(found["accepted"], (mine.outcome == "accepted").groupby(mine.run).sum())
    package = (mine.sign_on_cents + mine.grant_cents) / 100
    assert_spread(found["largest_package_usd"], package.groupby(mine.run).max())
    assert package.max() <= event.package_cap / 100
    assert set(mine.lab) == {event.lab}
    assert set(mine.origin) == {event.target}


def test_real_events(told, rows):
    recorded = rows["events"].groupby(["kind", "name"])
    assert {f"{kind}: {name}" for kind, name in recorded.groups} == told["events"].keys()
    for (kind, name), part in recorded:
        found = told["events"][f"{kind}: {name}"]
        assert (found["runs"], found["share"]) == (part.run.nunique(), part.run.nunique() / 4)
        assert found["week"]["mean"] == part.week.mean()


@pytest.mark.parametrize("weeks", [1, 20])
def test_short_runs_are_json_without_nan(weeks):
    short = quiet(weeks).summary
    json.dumps(short, allow_nan=False)
    assert (short["runs"], short["weeks"], short["campaigns"]) == (1, weeks, {})
    retention = short["labs"]["openai"]["retention"]
    assert set(retention["entry_cohort_24m"].values()) == {None}
    assert set(retention["new_hires_12m"].values()) == {None}


# --- for people ---------------------------------------------------------------------------------


def on_screen(scenario: Any, summary: dict[str, Any], folder: Path | None = None) -> str:
    console = Console(file=io.StringIO(), width=80)
    print_summary(scenario, summary, folder, console)
    return console.file.getvalue()


def test_the_screen_says_what_the_summary_holds(real, told):
    shown = on_screen(real.scenario, told, Path("runs/mine"))
    assert max(map(len, shown.splitlines())) <= 80
    words = " ".join(shown.split())
    campaign = told["campaigns"]["meta-at-openai"]
    assert f"Meta offers {campaign['offered']['p50']:.0f} OpenAI researchers" in words
    assert f"{round(100 * campaign['acceptance_rate']['mean'])} % on average" in words
    assert "4 runs of 130 weeks, seed 1" in words
    assert "runs/mine" in words
    for name, known in real.scenario.labs.items():
        cells, *_ = (line.split() for line in re.findall(rf"^ {known.label}( +\d.*)$", shown, re.MULTILINE))
        figures = told["labs"][name]
        assert cells[0] == f"{figures['headcount_end']['p50']:.0f}"
        assert cells[1] == f"{figures['hires']['p50']:.0f}"
        share = figures["retention"]["new_hires_24m"]["estimate"]
        assert ("-" if share is None else f"{100 * share:.0f}") in cells


def test_where_people_are_asked_whether_they_are_interested_the_screen_has_the_funnel():
    asked = results.run(scenario(switched_on(everybody_moves(20))), runs=2)
    shown = on_screen(asked.scenario, asked.summary)
    assert max(map(len, shown.splitlines())) <= 80
    head = next(line for line in shown.splitlines() if "approached" in line)
    assert head.split() == ["lab", "approached", "interested", "interviews", "offers", "accepted"]
    totals = asked.labs.groupby(["lab", "run"], observed=True)[list(FUNNEL)].sum().groupby("lab").median()
    funnel = [line.split() for line in shown[shown.index(head) :].splitlines() if line.startswith(" A lab")]
    for cells, name in zip(funnel, asked.scenario.labs, strict=True):
        assert cells[2:] == [f"{totals.loc[name, stage]:,.0f}" for stage in FUNNEL]
        assert totals.loc[name, "interested"] < totals.loc[name, "contacts"]
    never = results.run(scenario(everybody_moves(6)), runs=2)
    assert "interested" not in on_screen(never.scenario, never.summary)


def test_a_summary_of_before_is_shown_without_the_stages_it_lacks():
    asked = results.run(scenario(switched_on(everybody_moves(6))), runs=2)
    for figures in asked.summary["labs"].values():
        del figures["interested"]
    assert "interested" not in on_screen(asked.scenario, asked.summary)


def test_a_campaign_that_never_happened_is_said_so():
    result = article("events.emergency.when.standing_below=0.001", runs=1)
    assert result.summary["campaigns"]["meta-at-openai"]["contacted"]["mean"] == 0
    assert not {key for key in result.summary["events"] if "emergency" in key or "campaign" in key}
    shown = on_screen(result.scenario, result.summary)
    assert "Meta makes no offers at OpenAI." in shown
    assert "median" not in shown
    assert "nine runs" not in shown  # of one run


@pytest.mark.parametrize(
    ("runs", "due"),
    [
        (2, "5th to 95th percentile of 2 runs"),
        (9, "5th to 95th percentile of 9 runs"),
        (10, "nine runs of ten"),
    ],
)
def test_spreads_are_called_what_they_are(real, told, runs, due):
    words = " ".join(on_screen(real.scenario, told | {"runs": runs}).split())
    assert f"{due}, " in words  # of the campaign
    assert f"in brackets {due};" in words
    assert ("nine runs" in words) == (runs >= 10)


def test_a_campaign_of_one_is_told_in_the_singular(real, told):
    once = {"p05": 1.0, "p50": 1.0, "p95": 1.0, "mean": 1.0}
    campaign = told["campaigns"]["meta-at-openai"] | {
        "offered": once, "accepted": once, "followers": once, "acceptance_rate": once,
        "largest_package_usd": once | {"p50": 5e6}, "median_package_usd": once | {"p50": 5e6},
    }  # fmt: skip
    shown = on_screen(real.scenario, told | {"runs": 1, "campaigns": {"meta-at-openai": campaign}})
    words = " ".join(shown.split())
    assert (
        "Meta offers 1 OpenAI researcher up to 5M USD each (half of them 5M or more), and 1 accepts: 100 %;"
        in words
    )
    assert "1 other follows them." in words


def test_labs_that_fail_are_counted_and_named():
    labs = {name: lab(label=name.title()) for name in ("alpha", "beta")}
    labs["beta"] |= {
        "treasury": {"opening": "0 USD"},
        "talent_opening": "0 USD",
        "talent_inflow": "0 USD/year",
    }
    result = results.run(scenario(market_of(labs, weeks=3)), runs=2)
    week = dict.fromkeys(("mean", "p05", "p50", "p95"), 0.0)
    assert result.summary["failed_labs"] == {"beta": {"runs": 2, "share": 1.0, "week": week}}
    start = result.scenario.start
    said = f"Labs that fail: Beta in 2 of 2 runs (median: {start.day} {start:%b %Y})."
    assert said in " ".join(on_screen(result.scenario, result.summary).split())


def test_what_was_fitted_is_said_of_whom_it_is_true(real, told, tmp_path):
    shipped = " ".join(on_screen(real.scenario, told).split())
    fitted = "Fitted, not predicted: retention (R1, R2, R3, R4), flows (R6, R7, R24), moves to rivals (K1), "
    assert fitted in shipped
    child = tmp_path / "child.yaml"
    child.write_text("name: child\ntitle: Child\nextends: meta-2025\n", encoding="utf-8")
    assert fitted_sentence(load_scenario(child)) == fitted_sentence(real.scenario)
    assert fitted_sentence(a_scenario()) == ""
    assert "itted" not in on_screen(a_scenario(), told | {"labs": {}, "campaigns": {}})
    unfit = change_scenario(load_scenario("meta-2025"), ["market.contact.rate=3 /year"])
    assert fitted_figures(unfit)["moves to rivals"] == ["K1"]  # other numbers were fitted to it, too
    mine = change_scenario(a_scenario(), [])
    mine.sources["labs.alpha.staff"] = Citation("fitted", "", ("P11", "R1"))
    assert fitted_figures(mine) == {"retention": ["R1"], "other figures": ["P11"]}


def test_words_in_brackets_are_words_not_colours(real, told):
    label = "[red]Lab[/red]"
    labs = real.scenario.labs | {"meta": real.scenario.labs["meta"].model_copy(update={"label": label})}
    odd = real.scenario.model_copy(update={"labs": labs, "title": "[b]Title[/b]"})
    shown = on_screen(odd, told, Path("a [bold]folder"))
    assert all(text in shown for text in (label, "[b]Title[/b]", "a [bold]folder"))
