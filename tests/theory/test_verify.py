"""`talentsim verify`: what it compares, what it refuses, and that it can fail."""

from __future__ import annotations

import json
import math
from functools import partial
from typing import Any

import pytest
from small_calls import Call

from sim.theory import closed_forms, mean_field, oracles
from sim.theory.checks import Check, curve_checks, share_check
from sim.theory.closed_forms import OutsideDomain
from sim.theory.verify import ORACLES, headlines, verify

QUICK = ("T5", "T10", "T12")  # pure rules: no market is run


@pytest.fixture
def call(call: Call) -> Call:
    """`talentsim verify` within this process."""
    return partial(call, "verify")


def only(*names: str) -> list[str]:
    return [part for name in names for part in ("--only", name)]


# ---- a check


@pytest.mark.parametrize(
    ("simulated", "standard_error", "z", "passed"),
    [
        (1.3, 0.1, 3.0, True),
        (0.7, 0.1, -3.0, True),
        (1.5, 0.1, 5.0, False),
        (math.nan, 0.1, math.nan, False),
        (1.0, 0.0, 0.0, True),
        (1.1, 0.0, math.inf, False),
    ],
)
def test_distance_in_standard_errors(simulated: float, standard_error: float, z: float, passed: bool) -> None:
    check = Check("a figure", 1.0, simulated, standard_error)
    assert check.z == pytest.approx(z, nan_ok=True)
    assert check.passed == passed
    written = json.loads(json.dumps(check.as_dict(), allow_nan=not math.isfinite(simulated)))
    assert written["verdict"] == ("agrees" if passed else "falls short")


def test_error_of_a_share_is_binomial_under_the_theory() -> None:
    check = share_check("a share", 0.2, 90, 400, 0.25)
    assert check.simulated == 0.225
    assert check.standard_error == pytest.approx(0.02)
    assert check.z == pytest.approx(1.25)
    assert check.textbook_z == pytest.approx(2.5)


def test_points_with_few_cases_are_left_out() -> None:
    points = curve_checks("a curve", [1, 2, 3], [0.01, 0.3, 0.999], [2, 30, 100], 100)
    assert [(point.x, point.figure) for point in points] == [(2.0, "a curve 2")]


def test_a_curve_is_told_by_its_worst_point() -> None:
    points = [Check(f"P {x}", 0.0, x * 0.1, 1.0, None, "P", float(x), "T0") for x in (1, -3, 2)]
    single = Check("mean", 0.0, 0.5, 1.0, oracle="T0")
    told = headlines([single, *points])
    assert [(check.figure, check.simulated) for check in told] == [
        ("mean", 0.5),
        ("P -3, 3 points", pytest.approx(-0.3)),
    ]


# ---- the command


def test_pure_rules_agree_and_are_told_on_screen(call: Call) -> None:
    outcome = call(*only(*QUICK))
    assert outcome.code == 0, outcome.out + outcome.err
    lines = [line.split()[0] for line in outcome.out.splitlines() if line.strip()]
    assert {name for name in QUICK if name in lines} == set(QUICK)
    assert "T1" not in lines
    assert "figures agree with theory" in outcome.out
    assert "SHORT" not in outcome.out


def test_json_has_every_figure_with_its_verdict(call: Call) -> None:
    outcome = call(*only("T12"), "--json")
    found = json.loads(outcome.out)
    assert outcome.code == 0
    wanted = {"oracle", "setting", "figure", "expected", "simulated", "standard_error", "z", "verdict"}
    assert all(wanted <= set(check) for check in found)
    by_figure = {check["figure"]: check for check in found}
    assert by_figure["vested, month 24"]["simulated"] == pytest.approx(0.5)
    assert by_figure["vested, month 11"]["x"] == 11
    assert by_figure["kernel, monthly"]["expected"] == pytest.approx(0.601356, abs=1e-6)
    assert by_figure["kernel, monthly"]["textbook"] == pytest.approx(0.605622, abs=1e-6)
    assert {check["verdict"] for check in found} == {"agrees"}
    assert {check["setting"] for check in found} == {"months 48, cliff 12, r 0.1, h 0.15"}


def test_set_changes_theory_and_market(call: Call) -> None:
    found = json.loads(call(*only("T12"), "--set", "cliff=0", "--set", "h=0.0", "--json").out)
    kernel = next(check for check in found if check["figure"] == "kernel, monthly")
    assert kernel["expected"] == pytest.approx(sum(math.exp(-0.1 * m / 12) for m in range(1, 49)) / 48)
    assert kernel["simulated"] == pytest.approx(kernel["expected"])
    assert kernel["setting"] == "months 48, cliff 0, r 0.1, h 0"


def test_set_reaches_the_market_that_is_run() -> None:
    calm, hasty = verify(["T1"], {"a": 0.02}, seed=3), verify(["T1"], {"a": 0.9}, seed=3)
    assert calm[0].figure == hasty[0].figure == "S after 104 weeks"
    years = 104 * 7 / 365.25
    assert calm[0].expected == pytest.approx(math.exp(-0.10 * years))
    assert hasty[0].expected == pytest.approx(math.exp(-0.98 * years))
    assert all(check.passed for check in (*calm, *hasty))
    assert calm[0].simulated - hasty[0].simulated > 0.6  # a hundred standard errors


def test_seed_changes_the_market_alone() -> None:
    one, two, again = (verify(["T1"], seed=seed) for seed in (1, 2, 1))
    assert one == again
    assert [check.simulated for check in one] != [check.simulated for check in two]
    assert [check.expected for check in one] == [check.expected for check in two]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--only", "T9"), "no oracle T9; there are T1, T2, T3"),
        (("--only", "T3", "--set", "mu=1"), "T3 (The job ladder) has no mu; it has p, b, lambda, delta"),
        (("--set", "m=0.2"), "--only chooses an oracle"),
        (("--only", "T12", "--only", "T5", "--set", "r=0.2"), "T5 (The core, one researcher) has no r"),
        (("--only", "T3", "--set", "delta=0"), "T3: delta must be above 0: without destruction"),
        (("--only", "T3", "--set", "delta=0.01"), "too small to settle within 2,000 weeks"),
        (("--only", "T3", "--set", "b=2"), "T3: p must be above b: otherwise no wage is worth offering"),
        (("--only", "T3", "--set", "lambda=0"), "lambda must be above 0"),
        (("--only", "T3", "--set", "b=-0.5"), "b must be above 0"),
        (("--only", "T3", "--set", "lambda=nan"), "lambda must be a finite number"),
        (("--only", "T3", "--set", "lambda=fast"), "write NAME=NUMBER"),
        (("--only", "T3", "--set", "lambda"), "write NAME=NUMBER"),
        (("--only", "T4", "--set", "delta=0"), "T4: delta must be above 0"),
        (("--only", "T4", "--set", "b=1.5"), "b must not be above the lowest value"),
        (("--only", "T4", "--set", "high=0.5"), "low must be below high"),
        (("--only", "T11", "--set", "m=1"), "T11: m must lie between 0 and 1: from 1 on a cascade"),
        (("--only", "T11", "--set", "m=-0.1"), "m must lie between 0 and 1"),
        (("--only", "T11", "--set", "m=0.9"), "m must be at most 0.8: larger cascades are cut short"),
        (("--only", "T13", "--set", "gap=-30"), "would go to interviews: raise gap or slack"),
        (("--only", "T13", "--set", "delta=50"), "delta must lie between -12 and 12: pay offered"),
        (("--only", "T13", "--set", "sd=-1"), "sd must lie between 0 and 10"),
        (("--only", "T14", "--set", "rho=0.01"), "rho must lie between 0.02 and 5"),
        (("--only", "T14", "--set", "v=0"), "v and r must lie between 0.01 and 100"),
        (("--only", "T15", "--set", "inflow=1"), "must lie between 1 and 200 hires a year"),
        (("--only", "T15", "--set", "package=0"), "must lie between 1 and 200 hires a year"),
        (("--only", "T16", "--set", "h=0"), "h must lie between 0.05 and 1"),
        (("--only", "T16", "--set", "beta=-0.1"), "beta must lie between 0 and 2"),
        (("--only", "T17", "--set", "g=-0.2"), "a lab that shrinks has tenure by its hazard alone"),
        (("--only", "T17", "--set", "age=0"), "age must lie between 1 and 50"),
        (("--only", "T18", "--set", "p=1.2"), "p must lie between 0 and 1: it is a chance"),
        (("--only", "T18", "--set", "ratio=0.5"), "ratio must lie between 1 and 4"),
        (("--only", "T19", "--set", "fade=2.5"), "fade must be a whole number"),
        (("--only", "T19", "--set", "shake=4"), "shake must lie between 0 and 3: nobody loses more"),
        (("--only", "T1", "--set", "a=-0.1"), "a hazard is negative"),
        (("--only", "T1", "--set", "a=0", "--set", "b=0", "--set", "c=0"), "nobody ever leaves"),
        (("--only", "T2", "--set", "second=-1"), "no package is negative"),
        (("--only", "T2", "--set", "alpha=0"), "alpha must lie between 0.1 and 20"),
        (("--only", "T2", "--set", "stay=50"), "must be below 8 alpha"),
        (("--only", "T5", "--set", "second=20"), "values must fall"),
        (("--only", "T10", "--set", "v=0"), "v and r must lie between"),
        (("--only", "T12", "--set", "cliff=60"), "the cliff must lie within the vesting time"),
        (("--only", "T12", "--set", "months=47.5"), "whole numbers"),
        (("--only", "T12", "--set", "r=0", "--set", "h=0"), "r + h must be above 0"),
        (("--only", "T5", "--seed", "-1"), "--seed -1: must be at least 0"),
    ],
)
def test_bad_input_is_refused_with_the_reason(call: Call, arguments: tuple[str, ...], said: str) -> None:
    outcome = call(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert said in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1


def test_a_wrong_closed_form_falls_short(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    right = closed_forms.unit_elastic_offer
    monkeypatch.setattr(closed_forms, "unit_elastic_offer", lambda v, r: right(v, r) * (1 + 1e-6))
    outcome = call(*only("T10"))
    assert outcome.code == 1
    assert "SHORT" in outcome.out
    assert json.loads(call(*only("T10"), "--json").out)[0]["verdict"] == "falls short"


@pytest.mark.parametrize(
    ("module", "name", "wrong", "oracle"),
    [
        ("sim.market.worth", "grant_kernel", lambda right: lambda r, h, n, c: right(r, h, n, 0), "T12"),
        (
            "sim.market.rules.pricing",
            "bid",
            lambda right: lambda own, other: own + 0 * right(own, other),
            "T5",
        ),
        (
            "sim.market.exits",
            "first_crossing",
            lambda right: lambda t, e, late, y: right(2 * t, e, late, y),
            "T1",
        ),
    ],
)
def test_a_wrong_rule_falls_short(
    module: str, name: str, wrong: Any, oracle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = __import__(module, fromlist=[name])
    monkeypatch.setattr(place, name, wrong(getattr(place, name)))
    assert not all(check.passed for check in verify([oracle]))


def test_outside_the_domain_is_an_error_of_its_own() -> None:
    with pytest.raises(OutsideDomain, match="T11"):
        verify(["T11"], {"m": 2.0})


def test_every_oracle_names_its_parameters_and_two_other_settings() -> None:
    for name, oracle in ORACLES.items():
        assert oracle.name == name
        assert len(oracle.other_settings) == 2
        for setting in oracle.other_settings:
            assert set(setting) <= set(oracle.defaults)
            assert {**oracle.defaults, **setting} != oracle.defaults


@pytest.mark.parametrize("scale", [0.1, 0.01])
def test_auctions_hold_at_pay_so_low_that_a_trifle_is_no_cent(scale: float) -> None:
    at = {"low": scale, "high": 2 * scale, "b": 0.6 * scale, "delta": 2.0}
    found = verify(["T4"], at, seed=3)
    assert not [(check.figure, round(check.z, 2)) for check in found if not check.passed]


@pytest.mark.parametrize("m", [pytest.param(0.7, marks=pytest.mark.slow), 0.8])
def test_large_cascades_meet_a_lab_that_is_large_enough(m: float) -> None:
    found = verify(["T11"], {"m": m}, seed=2)
    assert not [(check.figure, round(check.z, 2)) for check in found if not check.passed]


# ---- the mean-field twin


def test_mean_field_keeps_everybody_and_follows_the_hazard() -> None:
    scenario = mean_field.market_of(1000)
    shares = mean_field.expected_headcounts(scenario)
    assert shares.shape == (104, 2)
    assert (shares > 0).all()
    assert (shares.sum(axis=1) < 1).all()
    # after a week: 1 - e^(-0.3 / 52.18) of all staff have left, and nobody was outside to be hired
    assert shares[0].sum() == pytest.approx(math.exp(-0.3 * 7 / 365.25), abs=1e-12)


def test_accepted_sets_have_the_chances_of_the_logit() -> None:
    odds = {0: 0.5, 1: 2.0, 2: 1.5}
    chance = {
        s: mean_field._exactly(s, (0, 1, 2), odds)  # type: ignore[arg-type]
        for s in ((), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2))
    }
    assert sum(chance.values()) == pytest.approx(1.0)
    assert min(chance.values()) > 0
    assert chance[()] == pytest.approx(1 / 5)  # staying beats all three
    for lab, ratio in odds.items():
        assert sum(p for s, p in chance.items() if lab in s) == pytest.approx(ratio / (1 + ratio))


def test_small_markets_lie_as_near_their_mean_field_as_size_allows() -> None:
    small, large = mean_field.distances((500, 8000), (12, 6))
    assert small.error > 2 * large.error  # four times as large, were there no chance in it
    assert 0.5 < small.scaled / large.scaled < 2


@pytest.mark.slow
def test_error_falls_with_the_root_of_size_and_has_a_floor_where_people_differ() -> None:
    alike = [found.scaled for found in mean_field.distances()]
    assert max(alike) < 2 * min(alike)
    small, large = mean_field.distances((4_000, 16_000), (16, 8), heterogeneous=True)
    assert large.error == pytest.approx(small.error, rel=0.15)
    assert large.bias > 0.95 * large.error  # what is left is no chance


# ---- the whole, several times


@pytest.mark.slow
def test_default_seed_agrees() -> None:
    short = [(c.oracle, c.figure, round(c.z, 2)) for c in verify() if not c.passed]
    assert not short


@pytest.mark.slow
def test_nine_of_ten_other_seeds_agree() -> None:
    short = {
        seed: [(c.oracle, c.figure, round(c.z, 2)) for c in verify(seed=seed) if not c.passed]
        for seed in range(2, 12)
    }
    assert sum(not found for found in short.values()) >= 9, short


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "setting"), [(o.name, s) for o in ORACLES.values() for s in o.other_settings], ids=str
)
def test_other_settings_agree(name: str, setting: dict[str, float]) -> None:
    short = [(c.figure, round(c.z, 2)) for c in verify([name], setting, seed=7) if not c.passed]
    assert not short


def test_bids_end_at_the_second_value_whatever_the_third() -> None:
    for third in (0.1, 3.0, 6.9):
        found = oracles.core({"first": 10.0, "second": 7.0, "third": third}, seed=1)
        assert found[0].simulated == pytest.approx(7.0)
