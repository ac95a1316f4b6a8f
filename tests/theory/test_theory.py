"""The closed forms against the numbers of the specification, against numerics, and at their limits."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.special import expit

from sim.theory import closed_forms
from sim.theory.closed_forms import JobLadder, OutsideDomain, SequentialAuction

SIX_DIGITS = 5.1e-7  # the specification's numbers are rounded to six decimals


def six(value: float) -> Any:
    return pytest.approx(value, abs=SIX_DIGITS)


# ---- T1: survival and competing risks

RATES = [0.12, 0.05, 0.03]


@pytest.mark.parametrize(
    ("kept", "rate", "monthly", "one_year", "median"),
    [
        (0.80, 0.111572, 0.009255, 0.894427, 6.2126),
        (0.78, 0.124231, 0.010299, 0.883176, 5.5795),
        (0.67, 0.200239, 0.016548, 0.818535, 3.4616),
        (0.64, 0.223144, 0.018423, 0.800000, 3.1063),
    ],
)
def test_retention_of_two_years_fixes_the_hazard(
    kept: float, rate: float, monthly: float, one_year: float, median: float
) -> None:
    assert closed_forms.survival([rate], 2.0) == pytest.approx(kept, abs=2e-6)
    assert closed_forms.survival([rate], 1.0) == pytest.approx(one_year, abs=1e-6)
    assert closed_forms.weekly_probability(rate, 12) == six(monthly)
    assert closed_forms.survival([rate], median) == pytest.approx(0.5, abs=1e-5)


def test_cumulative_incidences() -> None:
    found = closed_forms.cumulative_incidence(RATES, 2.0)
    assert found == [six(0.197808), six(0.082420), six(0.049452)]
    assert sum(found) + closed_forms.survival(RATES, 2.0) == pytest.approx(1.0, abs=1e-15)
    assert closed_forms.survival(RATES, 2.0) == six(0.670320)
    assert 1 - closed_forms.survival(RATES[:1], 2.0) == six(
        0.213372
    )  # what 1 - KM would say of the first cause
    for k, rate in enumerate(RATES):  # the integral of hazard times survival
        assert found[k] == pytest.approx(quad(lambda t, h=rate: h * closed_forms.survival(RATES, t), 0, 2)[0])


def test_a_rate_is_not_a_probability() -> None:
    assert closed_forms.weekly_probability(2.0, 12) == six(0.153518)
    assert closed_forms.weekly_probability(1e-9, 52) == pytest.approx(1e-9 / 52)
    assert 1 - closed_forms.weekly_probability(0.3, 52) ** 0 == 0
    assert (1 - closed_forms.weekly_probability(0.3, 52)) ** 52 == pytest.approx(math.exp(-0.3))


# ---- T2: logit


def test_logit_shares() -> None:
    shares = closed_forms.logit_shares(np.array([1.0, 0.5, 0.0]))
    assert shares.tolist() == [six(0.506480), six(0.307196), six(0.186324)]
    without = closed_forms.logit_shares(np.array([1.0, 0.5]))
    assert shares[0] / shares[1] == pytest.approx(without[0] / without[1], rel=1e-14)
    assert closed_forms.logit_shares(np.array([801.0, 800.5, 800.0])) == pytest.approx(shares, rel=1e-12)
    assert closed_forms.logit_shares(np.array([2.0, 1.0, 0.0]), 2.0) == pytest.approx(shares, rel=1e-14)


def test_four_of_45_and_the_pay_that_makes_it_half() -> None:
    stay = math.log(41 / 4)
    assert stay == six(2.327278)
    assert closed_forms.logit_shares(np.array([0.0, stay]))[0] == six(4 / 45)
    for alpha, multiple in ((1, 10.25), (2, 3.2016), (3, 2.1722), (5, 1.5927)):
        half = closed_forms.logit_shares(np.array([alpha * math.log(multiple), stay]))[0]
        assert half == pytest.approx(0.5, abs=5e-5)


def test_tiny_taste_takes_the_best() -> None:
    assert closed_forms.logit_shares(np.array([1.0, 0.999, 0.0]), 1e-6) == pytest.approx([1, 0, 0])


# ---- T3: the job ladder

LADDER = JobLadder(1.0, 0.4, 0.25, 0.05)
MONTHLY = JobLadder(1.0, 0.4, 0.25, 0.05, discrete=True)


def test_job_ladder_in_continuous_time() -> None:
    assert LADDER.unemployment == six(0.166667)
    assert LADDER.moves == six(0.057506)
    assert LADDER.mean_wage == pytest.approx(0.9)
    assert LADDER.wage(np.array([1.0])).tolist() == [six(0.983333)]
    quantiles = np.array([0.10, 0.25, 0.50, 0.75, 0.90])
    assert LADDER.wage(quantiles).tolist() == [
        six(w) for w in (0.495833, 0.623958, 0.795833, 0.915625, 0.962500)
    ]
    assert LADDER.workers_below(quantiles).tolist() == [
        six(g) for g in (0.018182, 0.052632, 0.142857, 0.333333, 0.600000)
    ]


def test_every_wage_earns_the_same_profit_and_means_are_integrals() -> None:
    f, step = np.linspace(0, 1, 200_001, retstep=True)
    size = np.gradient(LADDER.workers_below(f), step, edge_order=2)  # workers at a firm, over the mean
    # (p - w) times size, in the specification's units: the lowest wage is b, its firm's size 1 / (1 + kappa)
    assert (1.0 - LADDER.wage(f)) * size == pytest.approx((1.0 - 0.4) / 6, abs=1e-6)
    assert size[-1] / size[0] == pytest.approx(36.0, rel=1e-4)
    assert np.trapezoid(LADDER.wage(f) * size, f) == pytest.approx(LADDER.mean_wage, abs=1e-6)
    assert np.trapezoid(LADDER.wage(f), f) == six(0.761111)
    assert np.trapezoid(size * LADDER.contact * (1 - f), f) == pytest.approx(LADDER.moves, abs=1e-6)


def test_job_ladder_in_discrete_time() -> None:
    assert MONTHLY.workers_below(np.array([0.5, 0.75])).tolist() == [six(0.148148), six(0.342857)]
    assert MONTHLY.moves == six(0.055873)
    assert MONTHLY.unemployment == LADDER.unemployment


def test_a_finite_ladder_is_the_steady_state_of_its_own_weeks() -> None:
    firms, lost, meet = 5, 0.05, 0.25
    people = np.zeros(firms + 1)  # unemployed first, then from the lowest wage up
    people[0] = 1.0
    for _ in range(2000):
        stay = people * np.append(1.0, np.full(firms, 1 - lost))
        new = stay.copy()
        new[0] += lost * people[1:].sum()
        for k in range(firms + 1):
            new[k + 1 :] += stay[k] * meet / firms
            new[k] -= stay[k] * meet * (firms - k) / firms
        people, before = new, people
    employed = 1 - people[0]
    assert people[0] == pytest.approx(MONTHLY.unemployment, abs=1e-12)
    assert people[1:] / employed == pytest.approx(MONTHLY.workers_at(firms), abs=1e-12)
    better = 1 - np.arange(1, firms + 1) / firms
    moves = (before[1:] * (1 - lost) * meet * better).sum() / employed
    assert moves == pytest.approx(MONTHLY.moves_over(firms), abs=1e-12)


def test_many_firms_and_short_periods_are_the_continuum() -> None:
    assert MONTHLY.moves_over(4000) == pytest.approx(MONTHLY.moves, rel=2e-3)
    short = JobLadder(1.0, 0.4, 0.25e-4, 0.05e-4, discrete=True)
    assert short.moves / 1e-4 == pytest.approx(LADDER.moves, rel=1e-5)
    assert short.workers_below(np.array([0.5])) == pytest.approx(
        LADDER.workers_below(np.array([0.5])), rel=1e-5
    )


# ---- T4: sequential auctions

KAPPA, LEISURE = 3.0, 0.6  # values are uniform on [1, 2]


def paid_at_most(q: float) -> float:
    """The integral over firms p of L'(p) G(q | p), by quadrature."""

    def weight(p: float) -> float:
        over, least = 1 + KAPPA * (2 - p), 1 + KAPPA * (2 - q)
        return float((1 + KAPPA) / over**2 * min(over / least, 1.0) ** 2)

    return float(quad(weight, 1, 2, points=[q])[0])


def test_auction_in_continuous_time_with_many_firms() -> None:
    values = np.linspace(1.0, 2.0, 401)[1:] - 1 / 800
    auction = SequentialAuction.in_continuous_time(values, LEISURE, 0.3, 0.1)
    law = auction.runner_up_law()
    assert auction.ladder.workers_at(400)[:200].sum() == pytest.approx(0.2, rel=1e-4)  # L(1.5)
    assert law[319, 200] == pytest.approx(0.4096, rel=0.01)  # G(1.5 | 1.8)
    assert law[319, 0] == pytest.approx(0.16, rel=0.01)  # G(b | 1.8)
    pays, share = auction.pay_law()
    assert share[0] == pytest.approx(1 / (1 + KAPPA), rel=0.01)  # no offer since unemployment
    assert auction.mean_pay == pytest.approx(1.334405, rel=1e-3)
    for q in (1.3, 1.5, 1.9):
        assert share[pays <= q].sum() == pytest.approx(paid_at_most(q), rel=0.01)


def test_pay_law_is_the_steady_state_of_its_own_periods() -> None:
    firms, lost, meet, values = 3, 0.2, 0.4, np.array([1.0, 1.5, 3.0])
    state = np.zeros((firms + 1, firms + 1))  # best, second best; 0 is unemployment
    state[0, 0] = 1.0
    for _ in range(400):
        new = np.zeros_like(state)
        for best in range(firms + 1):
            for second in range(best + 1):
                left = state[best, second] * ((1 - lost) if best else 1.0)
                new[0, 0] += state[best, second] - left
                new[best, second] += left * (1 - meet)
                for offer in range(1, firms + 1):
                    if offer > best:
                        after = (offer, best)
                    elif offer == best:
                        after = (best, second)  # a lab never bids against itself
                    else:
                        after = (best, max(second, offer))
                    new[after] += left * meet / firms
        state = new
    pays, share = SequentialAuction(values, 0.6, meet, lost).pay_law()
    assert pays.tolist() == [0.6, 1.0, 1.5, 3.0]
    assert share == pytest.approx(state[1:].sum(axis=0) / state[1:].sum(), abs=1e-12)


# ---- T5: the core


@pytest.mark.parametrize(
    ("surplus", "low", "high"),
    [
        ([[5, 8, 2], [7, 9, 6], [2, 3, 0]], (3, 5, 0), (5, 6, 1)),
        (np.outer([3, 2, 1], [4, 2, 1]), (3, 1, 0), (7, 3, 1)),
        (np.outer([3, 2, 1], [4, 2]), (2, 0, 0), (6, 2, 0)),
        (np.outer([3, 2], [4, 2, 1]), (4, 2), (8, 4)),
        ([[10, 7, 4]], (7,), (10,)),
    ],
)
def test_core_wages(surplus: Any, low: tuple[float, ...], high: tuple[float, ...]) -> None:
    found = closed_forms.core_wages(np.asarray(surplus, float))
    assert found[0] == pytest.approx(low)
    assert found[1] == pytest.approx(high)


def test_core_wages_leave_no_pair_that_would_rather_have_each_other() -> None:
    surplus = np.random.default_rng(4).uniform(0, 10, (4, 4))
    match = max(permutations(range(4)), key=lambda labs: sum(surplus[i, j] for i, j in enumerate(labs)))
    for wages in closed_forms.core_wages(surplus):
        profit = {j: surplus[i, j] - wages[i] for i, j in enumerate(match)}
        assert min(profit.values()) >= -1e-9
        assert min(wages) >= -1e-9
        assert all(wages[i] + profit[j] >= surplus[i, j] - 1e-9 for i in range(4) for j in range(4))


# ---- T10: offers


@pytest.mark.parametrize(
    ("v", "r", "sigma", "price", "chance"),
    [
        (3, 1, 0.5, 1.396030, 0.688273),
        (3, 2, 0.5, 2.000000, 0.5),
        (10, 6, 1, 6.792060, 0.688273),
        (2, 3, 0.5, 1.476261, 0.045326),
    ],
)
def test_linear_offer(v: float, r: float, sigma: float, price: float, chance: float) -> None:
    found = closed_forms.linear_offer(v, r, sigma)
    assert found == six(price)
    assert expit((found - r) / sigma) == six(chance)
    best = minimize_scalar(
        lambda w: -(v - w) * expit((w - r) / sigma),
        bounds=(v - 8, v),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert found == pytest.approx(best.x, abs=1e-6)


def test_linear_offers_under_a_budget() -> None:
    values, reservations, mu = np.array([10.0, 8.0, 6.0]), np.array([6.0, 4.0, 3.0]), 0.305086

    def spend(multiplier: float) -> float:
        pay = [
            closed_forms.linear_offer(v / (1 + multiplier), r, 1.0)
            for v, r in zip(values, reservations, strict=True)
        ]
        return float((pay * expit(pay - reservations)).sum())

    assert spend(0.0) == six(10.069531)
    assert spend(mu) == pytest.approx(6.0, abs=5e-6)


@pytest.mark.parametrize(("v", "r"), [(3.0, 1.0), (1.0, 5.0), (40.0, 0.1)])
def test_unit_elastic_offer_is_the_best(v: float, r: float) -> None:
    best = minimize_scalar(
        lambda w: -(v - w) * w / (w + r), bounds=(0, v), method="bounded", options={"xatol": 1e-10}
    )
    assert closed_forms.unit_elastic_offer(v, r) == pytest.approx(best.x, abs=1e-6)


# ---- T11: cascades


def test_cascades_with_many_ties() -> None:
    assert [closed_forms.cascade_poisson(0.3, n) for n in (1, 2, 3, 4)] == [
        six(0.740818), six(0.164643), six(0.054887), six(0.021686)
    ]  # fmt: skip
    assert closed_forms.cascade_mean(0.3) == six(1.428571)
    for n in (1, 2, 5):
        assert closed_forms.cascade_binomial(0.3, 10**7, n) == pytest.approx(
            closed_forms.cascade_poisson(0.3, n), rel=1e-5
        )


@pytest.mark.parametrize(("m", "ties"), [(0.3, 16), (0.6, 6), (0.3, 1)])
def test_cascade_law_sums_to_one_with_its_mean(m: float, ties: int) -> None:
    sizes = range(1, 400)
    law = [closed_forms.cascade_binomial(m, ties, n) for n in sizes]
    assert sum(law) == pytest.approx(1.0, abs=1e-9)
    assert sum(n * p for n, p in zip(sizes, law, strict=True)) == pytest.approx(
        closed_forms.cascade_mean(m), abs=1e-6
    )
    borel = [closed_forms.cascade_poisson(m, n) for n in sizes]
    mean = sum(n * p for n, p in zip(sizes, borel, strict=True))
    spread = sum((n - mean) ** 2 * p for n, p in zip(sizes, borel, strict=True))
    assert spread == pytest.approx(m / (1 - m) ** 3, rel=1e-4)


def test_one_tie_is_a_geometric_chain() -> None:
    assert [closed_forms.cascade_binomial(0.3, 1, n) for n in (1, 2, 3)] == pytest.approx([0.7, 0.21, 0.063])
    assert closed_forms.cascade_binomial(0.0, 16, 1) == closed_forms.cascade_poisson(0.0, 1) == 1.0
    assert closed_forms.cascade_binomial(0.0, 16, 2) == closed_forms.cascade_poisson(0.0, 2) == 0.0


# ---- T12: vesting


def test_vested_shares() -> None:
    months = {11: 0, 12: 0.25, 13: 0.270833, 24: 0.5, 30: 0.625, 47: 0.979167, 48: 1, 60: 1}
    assert {m: closed_forms.vested(m, 48, 12) for m in months} == {
        m: six(share) for m, share in months.items()
    }


def test_present_value_of_a_grant() -> None:
    assert closed_forms.monthly_grant_value(0.25, 48, 12) == six(0.601356)
    assert closed_forms.monthly_grant_value(0.10, 48, 12) == six(0.810063)
    assert closed_forms.grant_value(0.25, 4, 1) == six(0.605622)
    assert closed_forms.grant_value(0.25, 4, 0) == six(0.632121)
    steps = [closed_forms.vested(m, 48, 12) - closed_forms.vested(m - 1, 48, 12) for m in range(1, 49)]
    summed = sum(step * math.exp(-0.25 * m / 12) for m, step in enumerate(steps, 1))
    assert closed_forms.monthly_grant_value(0.25, 48, 12) == pytest.approx(summed)
    assert closed_forms.monthly_grant_value(0.0, 48, 12) == pytest.approx(1.0)
    assert closed_forms.monthly_grant_value(0.25e-3, 48_000, 12_000) == pytest.approx(
        closed_forms.grant_value(0.25, 4, 1), abs=1e-5
    )
    assert closed_forms.grant_value(1e-9, 4, 1) == pytest.approx(1.0, abs=1e-8)


# ---- outside the domain


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda: JobLadder(1.0, 0.4, 0.25, 0.0), "delta must be above 0"),
        (lambda: JobLadder(1.0, 0.4, 0.0, 0.05), "lambda must be above 0"),
        (lambda: JobLadder(0.3, 0.4, 0.25, 0.05), "p must be above b"),
        (lambda: JobLadder(0.4, 0.4, 0.25, 0.05), "p must be above b"),
        (lambda: JobLadder(1.0, 0.4, 1.0, 0.05, discrete=True), "probabilities below 1"),
        (lambda: SequentialAuction(np.array([1.0, 2.0]), 1.1, 0.3, 0.1), "b must not be above the lowest"),
        (lambda: SequentialAuction(np.array([2.0, 1.0]), 0.6, 0.3, 0.1), "values must rise"),
        (lambda: SequentialAuction(np.array([1.0, 2.0]), 0.6, 0.3, 0.0), "delta must be above 0"),
        (lambda: closed_forms.cascade_mean(1.0), "m must lie between 0 and 1"),
        (lambda: closed_forms.cascade_poisson(1.2, 3), "m must lie between 0 and 1"),
        (lambda: closed_forms.cascade_binomial(-0.1, 16, 3), "m must lie between 0 and 1"),
        (lambda: closed_forms.cumulative_incidence([0.0, 0.0], 2.0), "all hazards are zero"),
        (lambda: closed_forms.cumulative_incidence([0.1, -0.05], 2.0), "a hazard is negative"),
        (lambda: closed_forms.survival([-0.1], 2.0), "a hazard is negative"),
        (lambda: closed_forms.logit_shares(np.array([1.0, 0.0]), 0.0), "the taste scale must be above 0"),
        (lambda: closed_forms.linear_offer(3.0, 1.0, 0.0), "sigma must be above 0"),
        (lambda: closed_forms.grant_value(0.0, 4, 1), r"r \+ h must be above 0"),
    ],
)
def test_outside_the_domain_the_reason_is_said(ask: Callable[[], object], reason: str) -> None:
    with pytest.raises(OutsideDomain, match=reason):
        ask()
