"""Closed forms that the market must reproduce in its limiting cases, each with its source.

Rates are per year and times in years unless a name says otherwise. Where the weekly clock matters
the discrete-time form stands beside the continuous one: `l` and `d` are then probabilities a week.
All functions are pure; arguments outside a formula's domain raise `OutsideDomain` with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, expm1, lgamma, log, pi, sqrt

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq, linear_sum_assignment
from scipy.special import expit, wrightomega

from sim.system.arrays import Floats


class OutsideDomain(ValueError):
    """A parameter lies where the formula does not hold; the message says why."""


def weekly_probability(rate: float, weeks_a_year: float) -> float:
    """1 - e^(-rate / weeks a year): what a yearly rate is in a week (not rate / weeks)."""
    return -expm1(-rate / weeks_a_year)


def survival(rates: list[float], years: float) -> float:
    """S(t) = e^(-sum of rates * t) under constant cause-specific hazards (T1)."""
    return exp(-_all_hazards(rates) * years)


def cumulative_incidence(rates: list[float], years: float) -> list[float]:
    """CIF_k(t) = rate_k / sum * (1 - S(t)): competing risks (T1). The sum of rates must be above 0."""
    total = _all_hazards(rates)
    if total == 0:
        raise OutsideDomain("all hazards are zero, so nobody ever leaves")
    return [rate / total * -expm1(-total * years) for rate in rates]


def _all_hazards(rates: list[float]) -> float:
    if min(rates) < 0:
        raise OutsideDomain("a hazard is negative: rates are 0 or more")
    return sum(rates)


def logit_shares(utilities: Floats, scale: float = 1.0) -> Floats:
    """P_k = e^(V_k / sigma) / sum e^(V / sigma) (McFadden 1974; T2)."""
    if scale <= 0:
        raise OutsideDomain("the taste scale must be above 0; at 0 the best option is taken for sure")
    powers = np.exp((np.asarray(utilities, float) - np.max(utilities)) / scale)
    return np.asarray(powers / powers.sum())


@dataclass(frozen=True)
class JobLadder:
    """Burdett and Mortensen 1998: random search on the job, offers accepted if strictly higher (T3).

    Attributes:
        productivity: p, output of a match.
        leisure: b, income of the unemployed, below p.
        contact: lambda, offers a period; a probability in discrete time.
        destruction: delta, matches that end a period; a probability in discrete time.
        discrete: per period a match ends with d, and who is left and the unemployed meet an offer with
            l; then kappa' = (l / d) (1 - d) replaces kappa among the employed, exactly.
    """

    productivity: float
    leisure: float
    contact: float
    destruction: float
    discrete: bool = False

    def __post_init__(self) -> None:
        if self.destruction <= 0:
            raise OutsideDomain("delta must be above 0: without destruction everybody ends at the top wage")
        if self.contact <= 0:
            raise OutsideDomain("lambda must be above 0: without offers nobody is ever employed")
        if self.productivity <= self.leisure:
            raise OutsideDomain("p must be above b: otherwise no wage is worth offering")
        if self.discrete and max(self.contact, self.destruction) >= 1:
            raise OutsideDomain("in discrete time lambda and delta are probabilities below 1")

    @property
    def kappa(self) -> float:
        """lambda / delta."""
        return self.contact / self.destruction

    @property
    def kappa_employed(self) -> float:
        """kappa, or kappa' = kappa (1 - d) in discrete time."""
        return self.kappa * (1 - self.destruction) if self.discrete else self.kappa

    @property
    def unemployment(self) -> float:
        """u = 1 / (1 + kappa); d / (d + l) in discrete time is the same."""
        return 1 / (1 + self.kappa)

    def workers_below(self, offers_below: Floats) -> Floats:
        """G = F / (1 + kappa (1 - F)): share of workers at firms below the quantile F of offers."""
        f = np.asarray(offers_below, float)
        return f / (1 + self.kappa_employed * (1 - f))

    @property
    def moves(self) -> float:
        """Job-to-job moves for each employed worker and period, whatever F is."""
        k = self.kappa_employed
        return self.destruction * ((1 + k) / k * log(1 + k) - 1)

    def wage(self, quantile: Floats) -> Floats:
        """Equilibrium wage at the quantile F: p - (p - b) (1 - kappa F / (1 + kappa))^2."""
        f, k = np.asarray(quantile, float), self.kappa
        return self.productivity - (self.productivity - self.leisure) * (1 - k * f / (1 + k)) ** 2

    @property
    def mean_wage(self) -> float:
        """E_G[w] = (kappa p + b) / (1 + kappa) over workers (continuous time)."""
        return (self.kappa * self.productivity + self.leisure) / (1 + self.kappa)

    def workers_at(self, firms: int) -> Floats:
        """Share of workers at each of K firms, from the lowest wage up: exact for a finite ladder."""
        below = self.workers_below(np.arange(firms + 1) / firms)
        return np.diff(below)

    def moves_over(self, firms: int) -> float:
        """Moves a period for each worker employed at its start: the sum of G_k (1 - d) l (1 - k / K).

        In continuous time a rate, and 1 in place of 1 - d.
        """
        better = 1 - np.arange(1, firms + 1) / firms
        surviving = 1 - self.destruction if self.discrete else 1.0
        return float((self.workers_at(firms) * self.contact * better).sum() * surviving)


@dataclass(frozen=True)
class SequentialAuction:
    """Postel-Vinay and Robin 2002 with myopic workers: pay is the loser's value (second price; T4).

    Attributes:
        values: (K,) what a worker is worth to each firm, rising; offers come from each alike.
        leisure: b, the pay of who is hired from unemployment; at most the lowest value.
        contact: l, chance of an offer a period.
        destruction: d, chance a period that a match ends.
    """

    values: Floats
    leisure: float
    contact: float
    destruction: float

    def __post_init__(self) -> None:
        if self.leisure > self.values[0]:
            raise OutsideDomain("b must not be above the lowest value: such firms could hire nobody")
        if (np.diff(self.values) <= 0).any():
            raise OutsideDomain("values must rise")
        _ = self.ladder

    @classmethod
    def in_continuous_time(
        cls, values: Floats, leisure: float, contact: float, destruction: float
    ) -> SequentialAuction:
        """The limit of short periods, of rates in place of chances: periods of a millionth."""
        return cls(values, leisure, contact * 1e-6, destruction * 1e-6)

    @property
    def ladder(self) -> JobLadder:
        """The job ladder that workers climb, in discrete time."""
        top = float(self.values[-1]) + 1.0
        return JobLadder(top, min(self.leisure, top - 1), self.contact, self.destruction, discrete=True)

    def runner_up_law(self) -> Floats:
        """P(second-best value <= v_j | best = v_k), j = 0 (unemployment) .. k; (K, K + 1), 1 from j = k on.

        Inflow to (best k, second <= j) is l / K times the unemployed and the surviving whose best is <= j;
        it is left by destruction d, and by survivors on any offer in (v_j, top] but the own firm's. In
        continuous time this is ((1 + kappa Fbar(k)) / (1 + kappa Fbar(j)))^2.
        """
        firms, meet, lost = len(self.values), self.contact, self.destruction
        ladder = self.ladder
        below = np.arange(firms + 1) / firms
        u = ladder.unemployment
        employed_below = (1 - u) * ladder.workers_below(below)
        law = np.ones((firms, firms + 1))
        for k in range(1, firms + 1):
            total = (u + (1 - lost) * employed_below[k - 1]) / (lost + (1 - lost) * meet * (1 - below[k]))
            for j in range(k):
                left = lost + (1 - lost) * meet * (1 - below[j] - 1 / firms)
                law[k - 1, j] = (u + (1 - lost) * employed_below[j]) / left / total
        return law

    def pay_law(self) -> tuple[Floats, Floats]:
        """Every pay that occurs, and its share among workers: (K + 1,) and (K + 1,)."""
        law = self.runner_up_law()
        share = np.diff(np.concatenate([np.zeros((len(law), 1)), law], axis=1), axis=1)
        pays = np.concatenate([[self.leisure], self.values])
        return pays, self.ladder.workers_at(len(self.values)) @ share

    @property
    def mean_pay(self) -> float:
        """Mean pay over workers."""
        pays, share = self.pay_law()
        return float(pays @ share)


def core_wages(surplus: Floats) -> tuple[Floats, Floats]:
    """Lowest and highest core salaries of workers (rows) at labs (columns) (Shapley and Shubik 1971; T5)."""

    def value(matrix: Floats) -> float:
        rows, columns = linear_sum_assignment(-matrix)
        return float(matrix[rows, columns].sum()) if matrix.size else 0.0

    rows, columns = linear_sum_assignment(-surplus)
    match, total = dict(zip(rows.tolist(), columns.tolist(), strict=True)), value(surplus)
    high = [total - value(np.delete(surplus, i, 0)) for i in range(surplus.shape[0])]
    low = [
        surplus[i, match[i]] - (total - value(np.delete(surplus, match[i], 1))) if i in match else 0.0
        for i in range(surplus.shape[0])
    ]
    return np.array(low), np.array(high)


def linear_offer(value: float, reservation: float, scale: float) -> float:
    """w* = v - sigma (1 + W(e^((v - r) / sigma - 1))): best offer under linear utility (T10)."""
    if scale <= 0:
        raise OutsideDomain("sigma must be above 0")
    return float(value - scale * (1 + wrightomega((value - reservation) / scale - 1).real))  # W(e^x)


def unit_elastic_offer(value: float, reservation: float) -> float:
    """w = sqrt(R^2 + v R) - R: best offer at alpha = 1, kappa = 1 and no base (T10)."""
    return float(np.sqrt(reservation**2 + value * reservation) - reservation)


def cascade_poisson(mean: float, size: int) -> float:
    """Borel law: P(total of n movers) when each triggers Poisson(m) followers (T11)."""
    _subcritical(mean)
    return (
        exp(-mean * size + (size - 1) * log(mean * size) - lgamma(size + 1)) if mean > 0 else float(size == 1)
    )


def cascade_binomial(mean: float, ties: int, size: int) -> float:
    """P(total of n movers) when each of `ties` ties follows with probability m / ties (T11).

    (1/n) C(K n, n - 1) p^(n - 1) (1 - p)^(K n - n + 1): Dwass 1969. Borel's law is its limit.
    """
    _subcritical(mean)
    if mean == 0:
        return float(size == 1)
    p, k = mean / ties, ties * size
    choose = lgamma(k + 1) - lgamma(size) - lgamma(k - size + 2)
    return exp(choose - log(size) + (size - 1) * log(p) + (k - size + 1) * log(1 - p))


def cascade_mean(mean: float) -> float:
    """1 / (1 - m): mean number of movers, the first included (T11)."""
    _subcritical(mean)
    return 1 / (1 - mean)


def _subcritical(mean: float) -> None:
    if not 0 <= mean < 1:
        raise OutsideDomain("m must lie between 0 and 1: from 1 on a cascade need not end")


def vested(month: int, months: int, cliff: int) -> float:
    """Share of a grant vested after `month` whole months: one part a month, none before the cliff (T12)."""
    return 0.0 if month < cliff else min(month, months) / months


def monthly_grant_value(rate: float, months: int, cliff: int) -> float:
    """Present value of a dollar that vests monthly, the first `cliff` parts at the cliff (T12).

    (c/T) e^(-k c / 12) + sum over m > c of e^(-k m / 12) / T, with `rate` k = r + h a year.
    """
    later = sum(exp(-rate * month / 12) for month in range(cliff + 1, months + 1))
    return (cliff * exp(-rate * cliff / 12) + later) / months


def grant_value(rate: float, years: float, cliff: float) -> float:
    """Present value of a dollar vesting evenly over `years` with a cliff, in continuous time (T12).

    (c/T) e^(-k c) + (e^(-k c) - e^(-k T)) / (k T), with `rate` k = r + h above 0.
    """
    if rate <= 0:
        raise OutsideDomain("r + h must be above 0")
    return cliff / years * exp(-rate * cliff) + (exp(-rate * cliff) - exp(-rate * years)) / (rate * years)


def interested(gap: float, slack: float, spread: float = 0.0) -> float:
    """q = L(D + s): share who go to interviews; its mean where attachment is Normal, of sd `spread` (T13)."""
    return _over_normal(lambda z: expit(gap + slack - spread * z))


def accepted_after_interviews(gap: float, slack: float, rise: float, spread: float = 0.0) -> float:
    """P(accept | interview) = min(1, L(D + Delta) / L(D + s)) (T13).

    Both means are taken over attachment where it varies. Where interest is rare: e^-(s - Delta).
    """
    return interested(gap, min(rise, slack), spread) / interested(gap, slack, spread)


def _over_normal(share: Callable[[float], float]) -> float:
    """Mean of a function of a standard normal."""
    return float(quad(lambda z: share(z) * exp(-z * z / 2), -12, 12, limit=200)[0] / sqrt(2 * pi))


def price_after_interviews(value: float, shown: float, noise: float) -> tuple[float, float]:
    """Best offer w to somebody whose reservation was shown as R^ but for noise rho, and its chance P (T14).

    The first-order condition of (v - w) P, P = L(ln(w / R^) / rho), is v / w = 1 + rho / (1 - P).
    """
    ratio = log(value / shown)
    most = ratio / noise  # of ln(P / (1 - P))
    least = (ratio - log(1 + noise) - max(most, 0.0) - log(2)) / noise
    x = brentq(lambda x: noise * x + log(1 + noise * (1 + exp(x))) - ratio, least, most, xtol=1e-13)
    return shown * exp(noise * x), float(expit(x))


def accepted_at_best_prices(value: float, held: float, elasticity: float, noise: float) -> float:
    """Share who accept offers priced after interviews, never below `held`, their present pay (T14).

    Reservation pay R* has ln(R* / held) logistic of slope alpha. Whoever would take `held` accepts; of
    those with R* above it, 1 - rho R* / (v - R*), as long as that is not below 0.
    """
    highest = log(max(value / (1 + noise) / held, 1.0))

    def part(u: float) -> float:
        chance = float(expit(elasticity * u))
        reservation = held * exp(u)
        taken = 1 - noise * reservation / (value - reservation)
        return elasticity * chance * (1 - chance) * taken

    return 0.5 + float(quad(part, 0.0, highest)[0]) if highest > 0 else 0.5


CLIFF, FULL, LENGTH = 1.0, 3.0, 4.0  # years: the cliff, a year before the end, and the end of a grant


def vests_of_next_year(years: float) -> float:
    """x: vests of the next 12 months over the normal, of a grant over 4 years with a cliff of one (T16)."""
    if years < CLIFF:
        return 1 + years  # the cliff's, and what vests month by month after it
    return float(np.clip(LENGTH - years, 0.0, 1.0))


def survival_by_vests(hazard: float, sensitivity: float, years: float) -> float:
    """S(t) under the hazard h e^(-beta (x - 1)) (T16); S(1) = exp(-h (1 - e^-beta) / beta)."""
    b = sensitivity
    if b == 0:
        return exp(-hazard * years)
    before = -expm1(-b * min(years, CLIFF)) / b
    even = min(max(years - CLIFF, 0.0), FULL - CLIFF)
    late = expm1(b * min(max(years - FULL, 0.0), LENGTH - FULL)) / b
    return exp(-hazard * (before + even + late + exp(b) * max(years - LENGTH, 0.0)))


def weekly_hazards(hazard: float, sensitivity: float, weeks: int, weeks_a_year: float) -> Floats:
    """The same hazard in each of the first weeks, by the tenure at each week's start; 1/week (T16)."""
    x = np.array([vests_of_next_year(week / weeks_a_year) for week in range(1, weeks + 1)])
    return np.asarray(hazard * np.exp(-sensitivity * (x - 1)) / weeks_a_year)


def tenure_below(rate: float, oldest: float, years: float) -> float:
    """Share of staff with less tenure, of density e^(-k a) up to a_max (T17)."""
    if rate <= 0 or oldest <= 0:
        raise OutsideDomain("h + g and the lab's age must be above 0")
    return expm1(-rate * min(years, oldest)) / expm1(-rate * oldest)


def mean_tenure(rate: float, oldest: float) -> float:
    """1 / k - a_max / (e^(k a_max) - 1): mean tenure of staff of that density (T17)."""
    return 1 / rate - oldest / expm1(rate * oldest)


def own_alumni_share(back: float, share: float) -> float:
    """p_b + (1 - p_b) share_j: contacts of a lab's alumni that come from that lab (T18)."""
    return back + (1 - back) * share


def shaken_chance(gap: float, loss: float, weeks: float, fade: float) -> float:
    """L(D + d e^(-k / fade)): chance to accept k weeks after ties moved (T19)."""
    return float(expit(gap + loss * exp(-weeks / fade)))
