"""Results that meet the objects of others: numpy's numbers, pandas' dates, classes of one's own, designs."""

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import qmc
from small_markets import lab, market_of, scenario

import sim
from sim import cli
from sim.experiments import results, values
from sim.experiments.designs import design_in
from sim.scenario.schema import Scenario
from sim.system import tables

LABS = {"alpha": lab(30), "beta": lab(25)}
SMALL: Scenario = scenario(market_of(LABS, weeks=20))
INFLOW, SLOPE = "labs.alpha.talent_inflow", "market.choice.pay_elasticity"


@pytest.fixture(scope="module")
def result() -> sim.Result:
    return sim.run(SMALL, runs=2, seed=3)


# ---- whole numbers


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.int16])
def test_numpy_s_whole_numbers_are_whole_numbers(result: sim.Result, kind: Any, tmp_path: Path) -> None:
    same = sim.run(SMALL, runs=kind(2), seed=kind(3), jobs=kind(1), log=np.bool_(True))
    assert same.hashes() == result.hashes()
    assert sim.Result.open(same.save(tmp_path / "saved")).request.identity == result.request.identity
    told = same.explain(run=kind(1), researcher=kind(2))
    assert told == result.explain(1, researcher=2)
    found = sim.compare(SMALL, SMALL, runs=kind(2), seed=kind(3), jobs=kind(1))
    assert found.rows.equals(sim.compare(SMALL, SMALL, runs=2, seed=3).rows)


NO_WHOLE_NUMBERS: list[Any] = [3.7, 3.0, -1, 2**64 + 3, True, "3", None, np.float64(3), np.nan, [3]]


@pytest.mark.parametrize("name", ["runs", "seed", "jobs"])
@pytest.mark.parametrize("value", NO_WHOLE_NUMBERS, ids=repr)
def test_what_is_no_whole_number_is_refused_everywhere(name: str, value: Any) -> None:
    for call in (
        lambda **given: sim.run(SMALL, **given),
        lambda **given: sim.compare(SMALL, SMALL, **given),
        lambda **given: sim.sweep(SMALL, {SLOPE: [2, 3]}, **given),
    ):
        with pytest.raises(ValueError, match=rf"^{name} is .*: must be a whole number from [01] to \d+$"):
            call(**{"runs": 1, name: value})


@pytest.mark.parametrize("asked", [{"run": 1.0}, {"researcher": 2.5}, {"offer": True}, {"researcher": "2"}])
def test_explain_asks_for_whole_numbers(result: sim.Result, asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be a whole number"):
        result.explain(**({"researcher": 2} | asked if "run" in asked else asked))


def test_the_largest_seed_is_a_seed() -> None:
    assert (
        sim.run(SMALL, runs=1, seed=2**64 - 1).hashes()
        == sim.run(SMALL, runs=1, seed=np.uint64(2**64 - 1)).hashes()
    )


def test_overrides_hold_for_a_scenario_that_is_loaded_already(result: sim.Result) -> None:
    changed = sim.run(SMALL, runs=2, seed=3, overrides=["labs.alpha.staff=12"])
    assert changed.scenario.labs["alpha"].staff == 12
    assert changed.hashes() != result.hashes()


def test_a_day_of_pandas_or_numpy_is_a_day(result: sim.Result) -> None:
    day = result.labs.date[5]
    told = [result.explain(0, lab="alpha", week=w) for w in (day, np.datetime64(day, "D"), str(day.date()))]
    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize("seed", ["-1", "3.7", str(2**64), "three"])
def test_the_command_line_refuses_what_is_no_seed(seed: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "baseline", "--runs=1", f"--seed={seed}"]) == 2
    said = capsys.readouterr().err
    assert "--seed" in said
    assert "Traceback" not in said


# ---- tables


def frames(result: sim.Result) -> dict[str, pd.DataFrame]:
    """Every frame that one is given."""
    found = {name: getattr(result, name) for name in tables.NAMES}
    found |= {"hiring": result.hiring(), "retention": result.retention()}
    found["compare"] = sim.compare(SMALL, SMALL, runs=2).table
    return found | {"sweep": sim.sweep(SMALL, {SLOPE: [2, 3]}, runs=2).table}


def test_a_column_has_one_type_in_every_frame(result: sim.Result, tmp_path: Path) -> None:
    opened = sim.Result.open(result.save(tmp_path / "saved"))
    empty = sim.Result(result.request, {name: tables.empty(name) for name in tables.NAMES})
    found = [frames(result), frames(opened), {name: getattr(empty, name) for name in tables.NAMES}]
    kinds: dict[str, dict[str, str]] = {}
    for name, frame in itertools.chain.from_iterable(group.items() for group in found):
        for column, kind in frame.dtypes.items():
            kinds.setdefault(str(column), {})[name] = str(kind)
    mixed = {column: by for column, by in kinds.items() if len({*by.values()}) > 1}
    assert not mixed
    assert {*kinds["date"].values()} == {"datetime64[ms]"}
    assert {*kinds["run"].values()} == {"int32"}
    assert {*kinds["start_week"].values()} == {"Int16"}


def test_dates_merge_resample_and_filter(result: sim.Result) -> None:
    labs, hiring = result.labs, result.hiring()
    merged = labs.merge(hiring, on=["date", "lab"])
    assert len(merged) == len(labs)
    by_month = labs.set_index("date").hires.resample("MS").sum()
    assert by_month.sum() == labs.hires.sum()
    middle = labs.date.sort_values().iloc[len(labs) // 2]
    assert 0 < len(labs[labs.date >= str(middle.date())]) < len(labs)
    assert len(result.spells.merge(result.offers, on=["run", "researcher", "lab", "start_week"])) == (
        result.offers.start_week.notna().sum()
    )


def test_what_is_missing_in_a_frame_is_missing_in_the_table(result: sim.Result) -> None:
    for name in tables.NAMES:
        frame, table = getattr(result, name), result.table(name)
        assert list(frame.columns) == table.column_names
        assert frame.isna().sum().tolist() == [column.null_count for column in table.columns]


# ---- classes of one's own


class Generous(sim.Lab):
    def price(self, rows, targets, multiplier):
        return 3 * super().price(rows, targets, multiplier)


def test_results_of_one_s_own_classes_are_never_served_as_plain_ones(
    result: sim.Result, tmp_path: Path
) -> None:
    own = sim.run(SMALL, runs=2, seed=3, labs={"alpha": Generous}, researcher=sim.Researcher)
    assert own.hashes() != result.hashes()
    folder = own.save(tmp_path / "own")
    named = {"alpha": f"{__name__}.Generous", "researcher": "sim.model.agents.Researcher"}
    assert json.loads((folder / "manifest.json").read_text("utf-8"))["own_classes"] == named
    assert own.request.folder_name != result.request.folder_name
    assert sim.Result.open(folder).request.identity == own.request.identity
    with pytest.raises(
        sim.ResultError, match=r"classes of one's own: alpha .*Generous.*, not with the plain"
    ):
        results.existing(folder, result.request)
    with pytest.raises(sim.ResultError, match=r"with the plain labs and researchers, not with classes"):
        results.existing(result.save(tmp_path / "plain"), own.request)
    with pytest.raises(ValueError, match=r"Generous.* cannot be lived again"):
        sim.Result.open(folder).explain(0, researcher=3)


def test_a_run_into_the_folder_of_one_s_own_classes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(sim.dump_scenario(SMALL), "utf-8")
    plain = sim.load_scenario(tmp_path / "small.yaml")
    sim.run(plain, runs=1, seed=1, labs={"alpha": Generous}).save(tmp_path / "own")
    before = {path.name: path.read_bytes() for path in (tmp_path / "own").iterdir()}
    command = [sys.executable, "-m", "sim", "run", "small.yaml", "--runs=1", "--seed=1", "--out=own"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "own: holds another run (with classes of one's own: alpha" in done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name: path.read_bytes() for path in (tmp_path / "own").iterdir()} == before


# ---- designs


def sampled() -> Any:
    """Four points of a Latin hypercube, as scipy gives them."""
    return qmc.scale(qmc.LatinHypercube(2, rng=1).random(4), [1e8, 2], [9e8, 4])


HEADS = [f"{INFLOW} [USD/year]", SLOPE]


def test_a_design_of_scipy_is_taken_as_it_comes_and_its_values_stand_as_numbers() -> None:
    points = sampled()
    found = sim.sweep(SMALL, points, HEADS, runs=1)
    one = found.table[found.table.figure == "hires"].query("name == 'alpha'")
    assert one[[HEADS[0], f"{SLOPE} [1]"]].to_numpy() == pytest.approx(points)
    assert one[INFLOW].tolist() == [f"{value!r} USD/year" for value in points[:, 0].tolist()]
    changes = [f"{INFLOW}={one[INFLOW].iloc[2]}", f"{SLOPE}={points[2, 1].item()}"]
    due = sim.run(sim.change_scenario(SMALL, changes), runs=1)
    assert one["mean"].iloc[2] == due.labs.query("lab == 'alpha'").hires.sum()
    again = sim.sweep(SMALL, one[[HEADS[0], f"{SLOPE} [1]"]], runs=1)  # a sweep's numbers are a design
    assert again.rows.equals(found.rows)


def test_frames_arrays_mappings_and_csv_files_are_the_same_design(tmp_path: Path) -> None:
    points = sampled()
    frame = pd.DataFrame(points, columns=HEADS)
    frame.to_csv(tmp_path / "pandas.csv", index=False)
    np.savetxt(tmp_path / "numpy.csv", points, delimiter=",", header=",".join(HEADS))
    due = values.points_of(points, HEADS)
    assert values.points_of(frame) == due
    assert values.points_of(frame.to_dict("list")) == due
    assert values.points_of(frame.to_dict("records")) == due
    assert values.points_of(points.tolist(), HEADS) == due
    assert design_in(tmp_path / "pandas.csv") == due
    assert design_in(tmp_path / "numpy.csv") == due


def test_numbers_and_flags_of_numpy_become_those_of_a_scenario() -> None:
    frame = pd.DataFrame(
        {
            "a": np.array([1, 2], np.int8),
            "b": [True, False],
            "c [weeks]": [3.0, 4.5],
            "d [/year]": [0.1, 1e-7],
        }
    )
    assert values.points_of(frame) == [
        {"a": "1", "b": "true", "c": "3 weeks", "d": "0.1 /year"},
        {"a": "2", "b": "false", "c": "4.5 weeks", "d": "1e-07 /year"},
    ]
    assert values.points_of([np.float32(2), "8M USD"][:1], ["x"]) == [{"x": "2"}]
    assert values.points_of({"x [USD]": ["8M USD", 5]}) == [{"x": "8M USD"}, {"x": "5 USD"}]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("14.0", "14"),
        ("1e+09", "1000000000"),
        ("True", "true"),
        ("0.25", "0.25"),
        ("5M USD", "5M USD"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_cells_as_pandas_writes_them_are_values_of_a_scenario(cell: str, text: str) -> None:
    assert values.cell_text(cell) == text


@pytest.mark.parametrize(
    ("design", "paths", "words"),
    [
        (np.zeros((2, 2)), None, "needs paths"),
        (np.zeros((2, 2, 2)), ["a", "b"], "3 dimensions"),
        (np.zeros((2, 3)), ["a", "b"], "point 0 of the design has 3 values, 2 are due"),
        ([[1, 2], [3]], ["a", "b"], "different lengths"),
        ({"a": [1, 2], "b": [1]}, None, "different lengths"),
        ([{"a": 1}, {"b": 1}], None, "different paths"),
        ({"a": [1.0, np.nan]}, None, "point 1 of the design: the value for a is empty"),
        ({"a": [np.inf]}, None, "point 0 of the design: the value for a is inf"),
        ({"": [1]}, None, "a path of the design is empty"),
        ({}, None, "no points"),
        ("a,b", ["a"], "0 dimensions"),
    ],
)
def test_what_is_no_design_is_refused(design: Any, paths: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        values.points_of(design, paths)


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("2.5B USD/year", 2.5e9, "USD/year"), ("$100M", 1e8, "USD"), ("-3 %", -3, "%"), ("1e-05", 1e-5, ""),
        ("1 week", 1, "weeks"), ("2,000,000 USD per year", 2e6, "USD/year"), ("20 /year", 20, "/year"),
    ],
)  # fmt: skip
def test_a_swept_text_says_a_number_and_a_unit(text: str, number: float, unit: str) -> None:
    assert values.amount(text) == (pytest.approx(number), unit)


def test_texts_of_different_units_meet_in_years_and_usd_or_not_at_all() -> None:
    assert values.numbers_of(["52 weeks", "1 week"]) == ([52, 1], "weeks")
    assert values.numbers_of(["1 year", "6 months"]) == ([1, 0.5], "years")
    assert values.numbers_of(["12M USD/year", "$1M/month"]) == ([12e6, 12e6], "USD/year")
    assert values.numbers_of(["20 %", "0.3"]) == ([0.2, 0.3], "1")
    assert values.numbers_of(["20 %", "8 weeks"]) is None
    assert values.numbers_of(["off", "match_once"]) is None
