"""Scenarios beside one another: paired differences against those of other tools, and what must be zero."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from scipy import stats
from small_calls import call, sketch
from small_markets import hard_times, lab, market_of, on, put, scenario

import sim
from sim.analysis import compare as comparing
from sim.analysis.ensemble import Ensemble, by_run, join, measure, pooled_retention
from sim.experiments import results
from sim.experiments.comparison import Comparison
from sim.experiments.results import Result
from sim.market import simulate
from sim.market.simulate import run_block
from sim.report import pictures
from sim.scenario.loading import dump_scenario
from sim.system import tables
from sim.system.tables import canonical_hash

RUNS = 12


def small(name: str = "small", weeks: int = 30, path: str = "name", value: Any = None) -> Any:
    """Four labs that poach one another, with one value set."""
    return scenario(put(hard_times(weeks) | {"name": name}, path, name if path == "name" else value))


def richer() -> Any:
    """The tight lab has money to burn."""
    return small("richer", path="labs.tight.talent_inflow", value="5B USD/year")


@pytest.fixture(scope="module")
def found() -> Comparison:
    return sim.compare(small(), richer(), runs=RUNS, seed=4)


def row(table: Any, name: str, figure: str, kind: str = "lab") -> Any:
    here = table[(table.kind == kind) & (table.name == name) & (table.figure == figure)]
    assert len(here) == 1
    return here.iloc[0]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    sketch(monkeypatch)
    for one in (small(), richer(), small("short", weeks=20)):
        (tmp_path / f"{one.name}.yaml").write_text(dump_scenario(one), "utf-8")
    return tmp_path


# ---- the figures


@pytest.mark.parametrize("figure", ["hires", "departures", "spend_cents"])
@pytest.mark.parametrize("name", ["rich", "tight"])
def test_a_paired_difference_is_that_of_a_paired_t_test(name, figure, found) -> None:
    totals = [
        results.run(one, runs=RUNS, seed=4).labs.query(f"lab == '{name}'").groupby("run")[figure].sum()
        for one in (small(), richer())
    ]
    scale = 100 if figure == "spend_cents" else 1
    ours, theirs = (np.asarray(total, float) / scale for total in totals)
    mine = row(found.table, name, "spend_usd" if scale == 100 else figure)
    assert mine.runs == RUNS
    assert (mine.base_mean, mine.other_mean) == pytest.approx((ours.mean(), theirs.mean()))
    assert mine.difference == pytest.approx(theirs.mean() - ours.mean())
    interval = stats.ttest_rel(theirs, ours).confidence_interval(0.95)
    assert (mine.lower, mine.upper) == pytest.approx((interval.low, interval.high))
    difference = theirs - ours
    assert mine.same_sign == np.mean(np.sign(difference) == np.sign(difference.mean()))
    apart = np.sqrt(ours.var(ddof=1) + theirs.var(ddof=1))
    assert mine.narrowing == pytest.approx(difference.std(ddof=1) / apart)


def test_money_to_burn_buys_more_and_costs_more(found) -> None:
    hires, spend = row(found.table, "tight", "hires"), row(found.table, "tight", "spend_usd")
    assert hires.difference > 0 and spend.difference > 0
    cost = row(found.table, "tight", "usd_per_additional_hire")
    assert cost.difference == pytest.approx(spend.difference / hires.difference)


def test_a_comparison_of_a_scenario_with_itself_is_exactly_zero_everywhere() -> None:
    of = scenario(hard_times(weeks=24))
    found = sim.compare(of, of, runs=4)
    known = found.table[found.table.runs > 1]
    paired = known[~known.figure.isin(comparing.COSTS)]
    assert len(paired) > 50
    assert set(paired.other) == {"small-2"}
    assert (paired[["difference", "lower", "upper"]] == 0).all(axis=None)
    assert (paired.same_sign == 1).all()
    assert paired.narrowing.dropna().eq(0).all()
    path = comparing.hires_path(*found.ensembles.values())
    assert not path.low.any() and not path.high.any()


def test_pairing_never_widens_what_the_scenarios_share(found) -> None:
    """Most of what happens at the rich lab has nothing to do with the other's money."""
    assert row(found.table, "rich", "hires").narrowing < 1.05
    assert row(found.table, "rich", "headcount_end").narrowing < 1.05


def test_jobs_and_blocks_do_not_matter(found, monkeypatch) -> None:
    monkeypatch.setattr(simulate, "BLOCK", 5)
    for jobs in (1, 2):  # blocks of 5 and 5 and 2
        assert sim.compare(small(), richer(), runs=RUNS, seed=4, jobs=jobs).table.equals(found.table)


def test_measured_blocks_join_to_the_measure_of_all() -> None:
    of = scenario(hard_times(weeks=24))
    whole = run_block(of, 1, range(6))
    parts = [
        {n: t.filter(pc.field("run").isin(some)) for n, t in whole.items()}
        for some in ([0, 1], [2], [3, 4, 5])
    ]
    one, joined = measure(of, whole), join([measure(of, part) for part in parts])
    ours, theirs = by_run(one), by_run(joined)
    assert ours.keys() == theirs.keys()
    for key in ours:
        np.testing.assert_array_equal(ours[key], theirs[key], err_msg=str(key))
    np.testing.assert_array_equal(one.hires, joined.hires)
    for cohort in one.pooled:
        np.testing.assert_array_equal(one.pooled[cohort].at_risk, joined.pooled[cohort].at_risk)


def test_fieller_s_interval_holds_the_ratio_as_often_as_it_says() -> None:
    """Of 2,000 intervals 95 % hold the truth; the standard error of that share is 0.5 %."""
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(2000):
        below = rng.normal(10, 8, 40)
        above = 3 * below + rng.normal(0, 20, 40)
        _, lower, upper = comparing.ratio_of_means(above, below)
        assert lower is not None and upper is not None
        held += lower <= 3 <= upper
    assert abs(held / 2000 - 0.95) < 4 * 0.005


def test_a_cost_without_a_gain_is_unknown() -> None:
    rng = np.random.default_rng(6)
    assert comparing.ratio_of_means(np.ones(5), np.zeros(5)) == (None, None, None)
    ratio, lower, upper = comparing.ratio_of_means(rng.normal(5, 1, 20), rng.normal(0.01, 1, 20))
    assert ratio is not None
    assert (lower, upper) == (None, None)
    ratio, lower, upper = comparing.ratio_of_means(np.full(5, 6.0), np.full(5, 2.0))
    assert (ratio, lower, upper) == pytest.approx((3, 3, 3))


@pytest.mark.parametrize(("gain", "told"), [(3.0, True), (0.0, False), (-3.0, False)])
def test_a_cost_is_told_only_where_the_lab_clearly_gains(gain, told) -> None:
    """The lab spends 10 more in each run; what it gains is certain, open or negative."""
    rng = np.random.default_rng(8)
    spread = rng.normal(0, 1, 30)
    base, other = (measured(hires) for hires in (np.zeros(30), gain + spread - spread.mean()))
    rows = comparing.paired("one", base, "two", other).to_pylist()
    costs = [row for row in rows if row["figure"] == "usd_per_additional_hire"]
    assert len(costs) == told
    if told:
        assert costs[0]["difference"] == pytest.approx(10 / gain)
        assert 0 < costs[0]["lower"] < 10 / gain < costs[0]["upper"]


def measured(hires: Any) -> Ensemble:
    """An ensemble of one lab of whose runs only hires, spending and watched spells are known."""
    runs = len(hires)
    of = scenario(market_of({"a": lab(5)}, weeks=2))
    bare = measure(of, run_block(of, 1, range(1)))
    return replace(
        join([bare] * runs),
        runs=np.arange(runs),
        figures={"hires": hires[:, None], "spend_usd": 10.0 * (hires[:, None] != 0)},
    )


@pytest.mark.parametrize("figure", ["new_hires_12m", "opening_staff_12m"])
def test_retention_is_compared_at_the_level_that_a_summary_tells(figure) -> None:
    """Pooled over runs, also where a run's own curve ends before 12 months."""
    of = [one.model_copy(update={"horizon": 60}) for one in (small(), richer())]
    found = sim.compare(*of, runs=6, seed=4)
    for name in ("rich", "tight"):
        row_of = row(found.table, name, f"retention.{figure}")
        levels = [
            results.run(one, runs=6, seed=4).summary["labs"][name]["retention"][figure]["estimate"]
            for one in of
        ]
        assert (row_of.base_mean, row_of.other_mean) == pytest.approx(levels, rel=1e-12)
        assert row_of.difference == pytest.approx(levels[1] - levels[0], abs=1e-12)
        assert row_of.runs == 6 and row_of.lower <= row_of.difference <= row_of.upper


def test_the_jackknife_of_pooled_survival_is_greenwood_s_where_spells_are_independent() -> None:
    """400 runs of 20 spells each, hazard 1 % a week: both standard errors estimate the same."""
    rng = np.random.default_rng(9)
    ended = np.minimum(rng.geometric(0.01, (400, 20)), 105)  # the week in which each leaves; 105: none
    weeks = np.arange(104)
    at_risk = (ended[:, :, None] > weeks).sum(axis=1, dtype=np.int32)[:, None]
    ends = (ended[:, :, None] == weeks + 1).sum(axis=1, dtype=np.int32)[:, None]
    ensemble = replace(measured(np.zeros(400)), watched={"new_hires": (at_risk, ends)})
    values = pooled_retention(ensemble)["lab", "a", "retention.new_hires_24m"]
    assert values.mean() == pytest.approx(np.mean(ended == 105), abs=1e-12)
    due = np.sqrt(0.99**104 * (1 - 0.99**104) / 8000)
    assert values.std(ddof=1) / np.sqrt(400) == pytest.approx(due, rel=0.15)


def test_one_pair_of_runs_has_no_interval() -> None:
    found = sim.compare(small(), richer(), runs=1, seed=4).table
    assert found[["lower", "upper"]].isna().all(axis=None)
    assert not set(found.figure) & set(comparing.COSTS)
    assert found[found.figure == "hires"].base_mean.notna().all()
    assert comparing.chance(found.to_dict("records")) == comparing.Chance(0, 0, 0.0)


def test_intervals_leave_zero_out_by_chance_as_often_as_said() -> None:
    """400 differences of which none is there, 40 runs each: 5 % of their intervals leave zero out."""
    rng = np.random.default_rng(10)
    rows = []
    for _ in range(400):
        runs, *found = comparing._paired(*rng.normal(0, 1, (2, 40)))
        assert runs == 40
        rows.append({"figure": "hires"} | dict(zip(comparing._PAIRED, found, strict=True)))
    told = comparing.chance(rows)
    assert (told.figures, told.by_chance) == (400, 20)
    assert abs(told.clear - 20) < 4 * np.sqrt(400 * 0.05 * 0.95)


# ---- the same random numbers


@pytest.mark.parametrize("seed", range(20))
def test_a_lab_that_nobody_meets_changes_no_other_decision(seed) -> None:
    """No staff and no plan, so no contacts; it comes last, where `extends` puts it."""
    poor = {"talent_opening": "0 USD", "talent_inflow": "0 USD/year", "treasury": {"opening": "0 USD"}}
    nobody = lab(0, label="Nobody", **poor)
    without = run_block(small(weeks=14), seed, [0])
    with_it = run_block(small(weeks=14, path="labs.nobody", value=nobody), seed, [0])
    with_it["labs"] = with_it["labs"].filter(pc.field("lab") != "nobody")
    for name in tables.NAMES:
        assert canonical_hash(with_it[name]) == canonical_hash(without[name]), name


def test_before_they_differ_the_series_are_equal_to_the_cent() -> None:
    late = {"on": "2023-09-04", "budget_change": {"lab": "tight", "talent_inflow": 5.0}}
    later = small(path="events", value=[*hard_times()["events"], late])
    pair = [run_block(one, 2, range(4)) for one in (small(), later)]
    for name in ("labs", "ledger"):
        early = [canonical_hash(t[name].filter(pc.field("week") < 18)) for t in pair]
        whole = [canonical_hash(t[name]) for t in pair]
        assert early[0] == early[1]
        assert whole[0] != whole[1]


# ---- what they do not share


def test_cut_tables_are_those_of_a_recorder_that_stopped() -> None:
    """Without ties a longer horizon only adds weeks, so the cut long run is the short run."""
    short = hard_times(weeks=16)
    short["market"]["ties"] = {"within": 0, "across": 0}
    long = put(short, "horizon", "24 weeks")
    due = run_block(scenario(short), 1, range(3))
    cut = comparing.cut(run_block(scenario(long), 1, range(3)), 16)
    for name in ("labs", "ledger", "events"):
        assert canonical_hash(cut[name]) == canonical_hash(due[name]), name
    key = [("run", "ascending"), ("researcher", "ascending"), ("start_week", "ascending")]
    assert canonical_hash(cut["spells"].sort_by(key)) == canonical_hash(due["spells"].sort_by(key))
    ours, theirs = by_run(measure(scenario(short), due)), by_run(measure(scenario(short), cut))
    for one in ours:
        np.testing.assert_array_equal(ours[one], theirs[one], err_msg=str(one))


def test_a_cut_before_a_transfer_leaves_everybody_in_the_old_unit() -> None:
    """The shorter of two runs is the longer one cut, in the units that people are in by then too."""
    units = {"old": {"share": 1}, "new": {"share": 0}}
    moves = [
        on(week, transfer={"lab": "a", "unit": goal, "from_unit": start, "researchers": 5})
        for week, start, goal in ((3, "old", "new"), (8, "new", "old"), (9, "old", "new"))
    ]
    data = market_of({"a": lab(20, units=units)}, weeks=12, events=moves)
    data["market"] |= {"ties": {"within": 0, "across": 0}}
    whole = run_block(scenario(data), 1, range(2))
    for weeks, due_moves in ((3, 0), (8, 10), (12, 30)):
        cut = comparing.cut(whole, weeks)
        short = run_block(
            scenario(data | {"horizon": f"{weeks} weeks", "events": moves[: due_moves // 10]}), 1, range(2)
        )
        assert cut["transfers"].num_rows == due_moves
        for name in ("spells", "transfers"):
            key = [(column, "ascending") for column in ("run", "researcher", "start_week")]
            assert canonical_hash(cut[name].sort_by(key)) == canonical_hash(short[name].sort_by(key))


def test_other_labs_and_horizons_are_left_out_and_told() -> None:
    gamma = lab(10, label="Gamma")
    found = sim.compare(small(), small("more", 20, "labs.gamma", gamma), runs=3)
    assert set(found.table[found.table.kind == "lab"].name) == set(small().labs)
    assert "flows.gamma" not in set(found.table.figure)
    assert {len(ensemble.dates) for ensemble in found.ensembles.values()} == {20}
    assert found.notes == ["lab gamma is left out: small has none"]


# ---- the command


def test_the_command_leaves_a_folder_of_run_folders(here, capsys, monkeypatch) -> None:
    monkeypatch.setattr(simulate, "BLOCK", 2)
    asked = ("compare", "small.yaml", "richer.yaml", "short.yaml", "--runs", "3", "--jobs", "1", "--out", "x")
    code, out, err = call(*asked, "--json", capsys=capsys)
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["variants"] == ["small", "richer", "short"]
    assert set(told["chance"]) == {"richer", "short"}
    assert told["chance"]["richer"]["by_chance"] == pytest.approx(0.05 * told["chance"]["richer"]["figures"])
    assert set(told["notes"]) == {
        f"{n} runs 30 weeks; the first 20 are compared" for n in ("small", "richer")
    }
    assert {path.name for path in (here / "x").iterdir()} == {
        "comparison.parquet", "difference-richer.png", "difference-short.png", "manifest.json", "variants",
    }  # fmt: skip
    assert pq.read_table(here / "x" / "comparison.parquet").to_pylist() == told["rows"]
    alone = Result.open(here / "x" / "variants" / "richer")
    assert alone.hashes() == results.run(richer(), runs=3).hashes()
    assert {row["base_mean"] for row in told["rows"] if row["figure"] == "hires"} != {None}
    assert call(*asked, "--json", capsys=capsys) == (0, out, "")
    code, out, _ = call(*asked, capsys=capsys)
    assert code == 0
    assert "richer less small" in out and max(map(len, out.splitlines())) <= 80


def test_the_default_folder_is_named_after_what_is_compared(here, capsys) -> None:
    assert call("compare", "small.yaml", "short.yaml", "--runs", "1", "--jobs", "1", capsys=capsys)[0] == 0
    (folder,) = (here / "runs").iterdir()
    assert re.fullmatch(r"compare-[0-9a-f]{8}", folder.name)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("small.yaml",), "name at least two scenarios"),
        (("small.yaml", "absent.yaml"), "absent.yaml: no such file"),
        (("small.yaml", "short.yaml", "--runs", "0"), "--runs 0: must be at least 1"),
        (("small.yaml", "short.yaml", "--set", "labs.tight.stafff=3"), "did you mean 'staff'?"),
    ],
)
def test_bad_calls_are_refused(words, said, here, capsys) -> None:
    before = set(here.iterdir())
    code, out, err = call("compare", *words, capsys=capsys)
    assert (code, out) == (2, "")
    assert said in err
    assert set(here.iterdir()) == before


def test_a_run_s_folder_is_no_comparison_s(here, capsys) -> None:
    assert call("run", "small.yaml", "--runs", "1", "--jobs", "1", "--out", "x", capsys=capsys)[0] == 0
    code, _, err = call("compare", "small.yaml", "short.yaml", "--out", "x", capsys=capsys)
    assert code == 2
    assert "x: holds another" in err


def test_one_scenario_is_no_comparison() -> None:
    with pytest.raises(ValueError, match="at least two"):
        sim.compare(small())


def test_the_picture_says_who_gains(found, tmp_path) -> None:
    axes = found.plot()
    words = {text.get_text() for text in axes.texts} | {axes.get_title(loc="left")}
    ours, theirs = (found.ensembles[name].hires[:, -1] for name in ("small", "richer"))
    gains = np.median(theirs - ours, axis=0)
    assert np.argmax(abs(gains)) == list(found.scenarios["small"].labs).index("tight")
    assert f"Under richer, A lab hires {gains[1]:.0f} more" in words
    assert f"A lab  {gains[1]:+.0f}" in words
    pictures.save(axes, tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
