"""Oracles of a market that trades: closed forms against other computations, the market against both."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from sim.market import worth
from sim.theory import closed_forms
from sim.theory.closed_forms import OutsideDomain
from sim.theory.verify import verify

# ---- T13: interest, and acceptance after interviews


@pytest.mark.parametrize(("gap", "slack", "rise"), [(-1.5, 1.1, 0.4), (-4.0, 2.0, -1.0), (1.0, 0.5, 0.2)])
def test_interviewed_accept_with_the_ratio_of_two_logits(gap: float, slack: float, rise: float) -> None:
    found = closed_forms.accepted_after_interviews(gap, slack, rise)
    assert found == pytest.approx(float(expit(gap + rise) / expit(gap + slack)), rel=1e-9)


def test_whoever_is_offered_what_she_hoped_for_accepts() -> None:
    assert closed_forms.accepted_after_interviews(-2.0, 1.1, 1.1) == 1.0
    assert closed_forms.accepted_after_interviews(-2.0, 1.1, 5.0, 2.0) == 1.0


def test_rare_interest_leaves_the_exponential_of_slack_less_rise() -> None:
    wanted = math.exp(-(1.1 - 0.4))
    far = [abs(closed_forms.accepted_after_interviews(gap, 1.1, 0.4) - wanted) for gap in (-4, -8, -16)]
    assert far[0] > 20 * far[1] > 400 * far[2]
    assert far[2] < 1e-6


@pytest.mark.parametrize("spread", [0.3, 1.3, 3.0])
def test_means_over_attachment_by_another_quadrature_and_by_draws(spread: float) -> None:
    gap, slack, rise = -1.5, 1.1, 0.4
    nodes, weights = hermegauss(180)
    share, taken = (
        float(weights @ expit(gap + more - spread * nodes)) / math.sqrt(2 * math.pi) for more in (slack, rise)
    )
    assert closed_forms.interested(gap, slack, spread) == pytest.approx(share, abs=1e-7)
    found = closed_forms.accepted_after_interviews(gap, slack, rise, spread)
    assert found == pytest.approx(taken / share, abs=1e-7)
    draws = np.random.default_rng(4)
    feeling = gap - spread * draws.standard_normal(400_000) + draws.logistic(size=400_000)
    went = feeling + slack >= 0
    assert (feeling[went] + rise >= 0).mean() == pytest.approx(found, abs=0.005)


# ---- T14: pricing after interviews


def test_price_after_interviews_has_the_chance_of_the_specification() -> None:
    assert closed_forms.price_after_interviews(1.5, 1.0, 0.17)[1] == pytest.approx(0.5877, abs=5e-5)


@pytest.mark.parametrize("noise", [0.05, 0.17, 0.5, 2.0])
@pytest.mark.parametrize("value", [0.7, 1.0, 1.5, 4.0])
def test_price_after_interviews_is_the_best(value: float, noise: float) -> None:
    price, chance = closed_forms.price_after_interviews(value, 1.0, noise)

    def loss(w: float) -> float:
        return -(value - w) * float(expit(math.log(w) / noise))

    best = minimize_scalar(loss, bounds=(1e-6, value), method="bounded", options={"xatol": 1e-12})
    assert loss(price) <= best.fun + 1e-12
    assert price == pytest.approx(best.x, abs=1e-4)
    assert chance == pytest.approx(float(expit(math.log(price) / noise)))


def test_price_at_noise_one_is_that_of_unit_elasticity() -> None:
    price, _ = closed_forms.price_after_interviews(3.0, 1.2, 1.0)
    assert price == pytest.approx(closed_forms.unit_elastic_offer(3.0, 1.2))


@pytest.mark.parametrize(("value", "noise"), [(1.5, 0.17), (3.0, 0.5), (0.9, 0.1)])
def test_share_who_accept_best_prices_by_draws(value: float, noise: float) -> None:
    draws = np.random.default_rng(9)
    reserved = draws.logistic(size=300_000) / 2
    shown = reserved + noise * draws.logistic(size=300_000)
    grid = np.linspace(-14, 14, 3001)
    prices = [closed_forms.price_after_interviews(value, math.exp(x), noise)[0] for x in grid]
    offered = np.maximum(np.interp(shown, grid, prices), 1.0)
    found = closed_forms.accepted_at_best_prices(value, 1.0, 2.0, noise)
    assert (np.log(offered) >= reserved).mean() == pytest.approx(found, abs=0.005)


# ---- T16: exits and what would be forfeited


def test_vests_of_the_next_year_are_those_of_the_rule() -> None:
    months = np.array([0, 5, 11.9, 12, 13, 35, 36, 40, 47, 48, 60])
    normal = worth.vests_ahead(np.array([24.0]), 48, 12, 0.0)
    found = [closed_forms.vests_of_next_year(month / 12) for month in months]
    assert found == pytest.approx((worth.vests_ahead(months, 48, 12, 0.0) / normal).tolist())


@pytest.mark.parametrize("beta", [0.0, 0.7, 1.5])
@pytest.mark.parametrize("years", [0.4, 1.0, 2.0, 3.5, 4.0, 5.0])
def test_survival_by_vests_is_the_integral_of_the_hazard(years: float, beta: float) -> None:
    def hazard(t: float) -> float:
        return 0.12 * math.exp(-beta * (closed_forms.vests_of_next_year(t) - 1))

    total = quad(hazard, 0, years, points=[t for t in (1.0, 3.0, 4.0) if t < years], limit=200)[0]
    assert closed_forms.survival_by_vests(0.12, beta, years) == pytest.approx(math.exp(-total), abs=1e-9)


def test_survival_around_the_cliff() -> None:
    hazard, beta = 0.12, 0.7
    first = closed_forms.survival_by_vests(hazard, beta, 1.0)
    assert first == pytest.approx(math.exp(-hazard * (1 - math.exp(-beta)) / beta))
    assert closed_forms.survival_by_vests(hazard, beta, 2.0) == pytest.approx(first * math.exp(-hazard))
    weekly = closed_forms.weekly_hazards(hazard, beta, 60, 52.0)  # the cliff in the 52nd
    assert weekly[51] / weekly[50] == pytest.approx(math.exp(beta * 51 / 52))
    fine = closed_forms.weekly_hazards(hazard, beta, 20_000, 10_000.0).sum()
    assert math.exp(-fine) == pytest.approx(closed_forms.survival_by_vests(hazard, beta, 2.0), abs=1e-4)


# ---- T17: tenure under growth


@pytest.mark.parametrize(("rate", "oldest"), [(0.7, 7.0), (0.2, 12.5), (1.5, 2.0)])
def test_tenure_is_the_integral_of_its_density(rate: float, oldest: float) -> None:
    whole = quad(lambda a: math.exp(-rate * a), 0, oldest)[0]
    mean = quad(lambda a: a * math.exp(-rate * a), 0, oldest)[0] / whole
    assert closed_forms.mean_tenure(rate, oldest) == pytest.approx(mean)
    half = quad(lambda a: math.exp(-rate * a), 0, oldest / 2)[0] / whole
    assert closed_forms.tenure_below(rate, oldest, oldest / 2) == pytest.approx(half)
    assert closed_forms.tenure_below(rate, oldest, 2 * oldest) == 1.0


def test_an_old_lab_has_the_mean_tenure_of_an_exponential() -> None:
    assert closed_forms.mean_tenure(0.5, 200.0) == pytest.approx(2.0)
    assert closed_forms.mean_tenure(1e-6, 3.0) == pytest.approx(1.5, abs=1e-5)  # no losses: uniform


@pytest.mark.parametrize(("rate", "oldest"), [(0.0, 5.0), (0.5, 0.0)])
def test_tenure_without_rate_or_age_is_refused(rate: float, oldest: float) -> None:
    with pytest.raises(OutsideDomain, match="must be above 0"):
        closed_forms.tenure_below(rate, oldest, 1.0)


# ---- T18 and T19


def test_alumni_are_called_by_their_lab_more_than_by_its_share() -> None:
    assert closed_forms.own_alumni_share(0.0, 0.3) == 0.3
    assert closed_forms.own_alumni_share(1.0, 0.3) == 1.0
    total = sum(closed_forms.own_alumni_share(0.09, share) for share in (0.2, 0.3, 0.5))
    assert total == pytest.approx(1 + 2 * 0.09)  # each of three labs gains p_b (1 - share)


def test_a_shake_shifts_the_logit_and_fades() -> None:
    assert closed_forms.shaken_chance(-1.0, 0.6, 0.0, 8.0) == pytest.approx(1 / (1 + math.exp(0.4)))
    loss = [float(logit(closed_forms.shaken_chance(-1.0, 0.6, k, 8.0))) + 1.0 for k in (0.0, 8.0, 80.0)]
    assert loss == pytest.approx([0.6, 0.6 / math.e, 0.6 * math.exp(-10)])


# ---- the market


@pytest.mark.parametrize("name", ["T13", "T14", "T15", "T16", "T17", "T18", "T19"])
def test_the_market_agrees(name: str) -> None:
    found = verify([name], seed=4)
    assert len({check.x for check in found if check.curve}) >= 4  # a curve to draw
    assert not [(check.figure, round(check.z, 2)) for check in found if not check.passed]


def _half_as_dear(right: Callable[..., Any]) -> Callable[..., Any]:
    return lambda cents, share: tuple(part // 2 for part in right(cents, share))


@pytest.mark.parametrize(
    ("module", "name", "wrong", "oracle"),
    [
        (
            "sim.market.rules.interest",
            "goes_to_interviews",
            lambda right: lambda known, pull, slack, alpha: right(known, pull, 0.9 * slack, alpha),
            "T13",
        ),
        ("sim.market.rules.pricing", "_shown", lambda right: lambda *a: 1.1 * right(*a), "T14"),
        ("sim.market.appraisal", "split_package", _half_as_dear, "T15"),
        ("sim.market.worth", "vests_ahead", lambda right: lambda m, n, c, r: right(m, n, 0, r), "T16"),
        ("sim.market.constants", "opening_growth", lambda right: lambda planned: 0.8 * right(planned), "T17"),
        (
            "sim.market.rules.contact",
            "_from_the_former_lab",
            lambda right: lambda market, rows, weight: right(market, rows, weight) & (rows % 4 > 0),
            "T18",
        ),
        ("sim.market.appraisal", "shaken", lambda right: lambda *a: 0.8 * right(*a), "T19"),
        ("sim.market.rules.contagion", "added_up", lambda right: lambda left, more: more / 2, "T19"),
    ],
)
def test_a_wrong_rule_falls_short(
    module: str, name: str, wrong: Any, oracle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = __import__(module, fromlist=[name])
    monkeypatch.setattr(place, name, wrong(getattr(place, name)))
    assert not all(check.passed for check in verify([oracle]))


def test_twice_the_money_buys_twice_the_hires_and_a_dearer_package_fewer() -> None:
    cheap, dear = verify(["T15"], {"package": 4.0}), verify(["T15"], {"package": 8.0})
    once, twice = (next(c.simulated for c in cheap if c.x == factor) for factor in (1.0, 2.0))
    years = 52 * 7 / 365.25
    assert twice == pytest.approx(2 * once, abs=2 / years)
    assert dear[0].simulated == pytest.approx(once / 2, abs=1 / years)
