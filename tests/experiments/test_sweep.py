"""Sweeps: every combination or any design, one tidy table, and bad values refused before anything runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats
from small_calls import Outcome, call, sketch
from small_markets import lab, market_of, scenario

from sim.analysis.compare import sweep_rows, sweep_schema
from sim.analysis.ensemble import join, measure
from sim.experiments import designs, results
from sim.experiments.results import Result
from sim.market import simulate
from sim.report import differences
from sim.scenario.loading import change_scenario, dump_scenario
from sim.system import tables

LABS = {"alpha": lab(14, label="Alpha"), "beta": lab(9, label="Beta", process="0 weeks")}
SMALL = scenario(market_of(LABS, weeks=12))
INFLOW = "labs.beta.talent_inflow"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    sketch(monkeypatch)
    (tmp_path / "small.yaml").write_text(dump_scenario(SMALL), "utf-8")
    return tmp_path


def sweep(*words: str, capsys: pytest.CaptureFixture[str], runs: int = 3) -> Outcome:
    asked = ("sweep", "small.yaml", *words, "--runs", str(runs), "--jobs", "1", "--out", "x")
    return call(*asked, capsys=capsys)


# ---- what is swept


def test_several_paths_give_every_combination() -> None:
    points = designs.factorial(["a.b=1 USD, 2 USD", "c=x,y,z"])
    assert points == [{"a.b": f"{n} USD", "c": c} for n in (1, 2) for c in "xyz"]


@pytest.mark.parametrize(
    ("varied", "words"),
    [
        (["a"], "write PATH=VALUE,VALUE"),
        (["a="], "no value empty"),
        (["a=1,,2"], "no value empty"),
        (["=1,2"], "write PATH"),
        (["a=1,2,1"], "1 stands there twice"),
        (["a=1", "a=2"], "a is varied twice"),
    ],
)
def test_malformed_empty_or_doubled_values_are_refused(varied, words) -> None:
    with pytest.raises(ValueError, match=words):
        designs.factorial(varied)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no points"),
        ("a,b\n", "holds no points"),
        ("a,a\n1,2\n", ":1: a path is empty or stands there twice"),
        ("a,b\n1\n", ":2: 2 values are due"),
        ("a,b\n1,\n", ":2: 2 values are due, none empty"),
        ("a,b\n1,2\n3,4\n1,2\n", ":4: this point stands there twice"),
        ('a,b\n"1,2\n', "is no CSV file"),
    ],
)
def test_a_bad_design_is_refused_with_its_line(text, words, tmp_path) -> None:
    (tmp_path / "d.csv").write_text(text, "utf-8")
    with pytest.raises(ValueError, match=words):
        designs.design_in(tmp_path / "d.csv")


def test_a_design_is_read_as_it_stands(tmp_path) -> None:
    (tmp_path / "d.csv").write_text("﻿a.b, c\n1B USD/year, x\n\n2B USD/year,y\n", "utf-8")
    assert designs.design_in(tmp_path / "d.csv") == [
        {"a.b": "1B USD/year", "c": "x"},
        {"a.b": "2B USD/year", "c": "y"},
    ]


BAD = {
    "an unknown path": (
        ("--vary", "labs.beta.talent_inflw=1M USD/year"),
        "labs.beta.talent_inflw: unknown key; did you mean 'talent_inflow'?",
    ),
    "a value without its unit": (("--vary", f"{INFLOW}=1,2"), "--vary labs.beta.talent_inflow=1: "),
    "the same value in other words": (("--vary", f"{INFLOW}=1M USD/year,1000k USD/year"), "same scenario"),
    "an empty value": (("--vary", f"{INFLOW}=1M USD/year,"), "no value empty"),
    "nothing varied": ((), "give either --vary"),
    "both": (("--vary", "horizon=3 weeks", "--design", "d.csv"), "give either --vary"),
    "no such design": (("--design", "absent.csv"), "absent.csv"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_calls_are_refused_before_anything_runs(case, here, capsys, monkeypatch) -> None:
    monkeypatch.setattr(simulate, "run_block", None)
    words, said = BAD[case]
    code, out, err = sweep(*words, capsys=capsys)
    assert (code, out) == (2, "")
    assert said in err
    assert {path.name for path in here.iterdir()} == {"small.yaml"}


# ---- what comes of it


def test_a_mean_has_the_standard_error_of_known_values() -> None:
    """Of 2, 4, 6, 8 and one unknown: mean 5, standard deviation sqrt(20 / 3), standard error half of it."""
    of = scenario(market_of({"a": lab(5)}, weeks=2))
    part = measure(of, simulate.run_block(of, 1, [0]))
    known = np.array([2.0, 4.0, np.nan, 6.0, 8.0])
    ensemble = replace(join([part] * 5), runs=np.arange(5), figures={"hires": known[:, None]})
    (row,) = [row for row in sweep_rows("000", {"x": "1"}, ensemble).to_pylist() if row["figure"] == "hires"]
    assert (row["runs"], row["mean"], row["p50"]) == (4, 5.0, 5.0)
    assert (
        row["se"] == pytest.approx(np.sqrt(20 / 3) / 2, rel=1e-14) == pytest.approx(stats.sem([2, 4, 6, 8]))
    )


def test_each_variant_is_the_run_that_its_values_give(here, capsys) -> None:
    values = ["10M USD/year", "900M USD/year"]
    code, out, err = sweep("--vary", f"{INFLOW}={','.join(values)}", "--json", capsys=capsys)
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["points"] == [{INFLOW: value} for value in values]
    table = pq.read_table(here / "x" / "sweep.parquet")
    names = sweep_schema([INFLOW]).names
    assert table.schema.names == [*names[:2], f"{INFLOW} [USD/year]", *names[2:]]
    assert table.schema.field(f"{INFLOW} [USD/year]").metadata[b"unit"] == b"USD/year"
    assert set(table.column(f"{INFLOW} [USD/year]").to_pylist()) == {10e6, 900e6}
    assert table.to_pylist() == told["rows"]
    frame = table.to_pandas()
    for name, value in zip(("000", "001"), values, strict=True):
        due = results.run(change_scenario(SMALL, [f"{INFLOW}={value}"]), runs=3)
        assert Result.open(here / "x" / "variants" / name).hashes() == due.hashes()
        hires = due.labs.query("lab == 'beta'").groupby("run").hires.sum().to_numpy().astype(float)
        mine = frame.query(f"variant == '{name}' and name == 'beta' and figure == 'hires'").iloc[0]
        assert (mine[INFLOW], mine.runs) == (value, 3)
        assert (mine["mean"], mine.se) == pytest.approx((hires.mean(), hires.std(ddof=1) / np.sqrt(3)))
        assert [mine.p05, mine.p50, mine.p95] == pytest.approx(np.percentile(hires, (5, 50, 95)))
    assert {path.name for path in (here / "x").iterdir()} == {
        "manifest.json", "response.png", "sweep.parquet", "variants",
    }  # fmt: skip
    assert sweep("--vary", f"{INFLOW}={','.join(values)}", "--json", capsys=capsys) == (0, out, "")


def test_a_design_gives_the_same_as_its_combinations(here, capsys) -> None:
    (here / "d.csv").write_text(f"{INFLOW},labs.alpha.staff\n5M USD/year,14\n6M USD/year,15\n", "utf-8")
    code, out, _ = sweep("--design", "d.csv", capsys=capsys)
    assert code == 0
    assert "2 variants of 3 runs" in out and max(map(len, out.splitlines())) <= 80
    due = results.run(change_scenario(SMALL, [f"{INFLOW}=6M USD/year", "labs.alpha.staff=15"]), runs=3)
    assert Result.open(here / "x" / "variants" / "001").hashes() == due.hashes()


def test_a_variant_that_fails_is_told_and_the_others_stand(here, capsys, monkeypatch) -> None:
    real = simulate.run_block

    def run_block(of: Any, *given: Any) -> Any:
        if of.labs["alpha"].staff == 15:
            raise ZeroDivisionError("no")
        return real(of, *given)

    monkeypatch.setattr(simulate, "run_block", run_block)
    code, out, err = sweep("--vary", "labs.alpha.staff=14,15", "--json", capsys=capsys)
    assert code == 1
    told = json.loads(out)
    assert {row["variant"] for row in told["rows"]} == {"000"}
    assert [(row["variant"], row["run"]) for row in told["failures"]] == [("001", run) for run in range(3)]
    assert "3 of 6 runs failed" in err
    assert "labs.alpha.staff=15" in told["failures"][0]["replay"]
    assert {path.name for path in (here / "x" / "variants").iterdir()} == {"000"}


# ---- pictures


def table_of(points: list[dict[str, str]]) -> Any:
    names = list(points[0])
    rows: dict[str, list[Any]] = {name: [] for name in sweep_schema(names).names}
    for number, point in enumerate(points):
        values = {"variant": str(number), "kind": "lab", "name": "beta", "figure": "hires", "runs": 5}
        spread = {"mean": 10.0 * number, "se": 1.0, "p05": 0.0, "p50": 10.0 * number, "p95": 99.0}
        for name, value in (point | values | spread).items():
            rows[name].append(value)
    return tables.pa.table(rows, schema=sweep_schema(names))


def test_a_response_curve_stands_at_its_amounts() -> None:
    axes = differences.plot_sweep(
        SMALL,
        table_of([{INFLOW: "1B USD/year"}, {INFLOW: "500M USD/year"}, {INFLOW: "2B USD/year"}]),
        [INFLOW],
    )
    assert axes is not None
    ticks = dict(zip(axes.get_xticks(), (label.get_text() for label in axes.get_xticklabels()), strict=True))
    assert ticks == {5e8: "500M USD/year", 1e9: "1B USD/year", 2e9: "2B USD/year"}
    assert axes.lines[0].get_xydata().tolist() == [[5e8, 10], [1e9, 0], [2e9, 20]]
    assert axes.get_title(loc="left") == "Hires of Beta by talent_inflow"


def test_a_heat_map_has_a_cell_for_each_point() -> None:
    points = designs.factorial([f"{INFLOW}=2B USD/year,1B USD/year", "labs.beta.pricing=posted,second_price"])
    axes = differences.plot_sweep(SMALL, table_of(points), list(points[0]))
    assert axes is not None
    (image,) = axes.images
    assert image.get_array().tolist() == [[20, 0], [30, 10]]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1B USD/year", "2B USD/year"]


def test_over_more_paths_each_value_stands_at_the_mean_over_all_others() -> None:
    """Eight variants, whose means are 0, 10, ... 70: the last path changes first."""
    swept = [
        f"{INFLOW}=2B USD/year,1B USD/year",
        "labs.beta.staff=30,9",
        "labs.beta.pricing=posted,second_price",
    ]
    points = designs.factorial(swept)
    axes = differences.plot_sweep(SMALL, table_of(points), list(points[0]))
    assert axes is not None
    effects = [line for line in axes.lines if line.get_linestyle() == "-"]
    assert [line.get_xdata().tolist() for line in effects] == [[55, 15], [45, 25], [30, 40]]
    assert sorted(x for line in axes.lines if line not in effects for x in line.get_xdata()) == sorted(
        [*range(0, 80, 10)] * 3
    )
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "1B USD/year", "2B USD/year", "9", "30", "posted", "second_price",
    ]  # fmt: skip
    assert axes.get_title(loc="left") == "Hires of Beta, value by value"
    assert [text.get_text() for text in axes.texts][:3] == ["talent_inflow", "staff", "pricing"]


def test_more_values_than_there_are_lines_have_no_picture() -> None:
    paths = [INFLOW, "labs.beta.staff", "labs.alpha.staff"]
    for values, drawn in ((8, True), (9, False)):
        points = [dict.fromkeys(paths, str(value)) for value in range(values)]
        assert (differences.plot_sweep(SMALL, table_of(points), paths) is not None) == drawn
