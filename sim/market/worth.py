"""What a package is worth to a researcher and a researcher to a lab: written here and nowhere else.

All functions are pure and work on arrays. Pay is in USD a year, grants in USD of face at grant
date, time in years unless a name says months. Symbols: w what an offer costs a year, b base pay,
Y what pay is worth a year, kappa the worth of a dollar of package, P the chance of acceptance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.system.arrays import Floats

Real = float | Floats | npt.NDArray[Any]

FEW_STEPS, MORE_STEPS = 4, 6  # of Newton's method: exact to 1e-12 at elasticities up to 3; up to 20
DUST = 1e-9  # by which floating-point arithmetic may miss a whole month or year
SMALLEST = 1e-9  # a dollar amount that is as good as none, and has a logarithm
LARGEST_GAP = 600.0  # of ln pay between staying and going, either way
LARGEST_EXPONENT = 700.0  # e to this power is still a number


def vested_share(months: Real, length: Real, cliff: Real) -> Floats:
    """Share of a grant vested after `months`: monthly, nothing before the cliff (T12)."""
    whole = np.minimum(np.floor(np.asarray(months, float) + DUST), length)
    return np.where(whole < cliff, 0.0, whole / length)


def vest_months(length: int, cliff: int) -> Floats:
    """The month in which each of the `length` monthly parts vests; the cliff bundles the first."""
    return np.maximum(np.arange(1, length + 1), cliff).astype(float)


def grant_kernel(discount: float, hazard: float, length: int, cliff: int) -> float:
    """Expected present value of a dollar granted today (K of T12); length and cliff in months.

    Sum over monthly vests of e^(-(r + h) t) / T, with `discount` r and `hazard` h a year.
    """
    return float(np.exp(-(discount + hazard) * vest_months(length, cliff) / 12).mean())


def held_kernel(
    weeks: npt.NDArray[np.int64], discount: float, hazard: float, length: int, cliff: int, refresh: float
) -> Floats:
    """Present value of the vests to come, per dollar of opening grant, after `weeks` of tenure.

    Counts the opening grant and the refresh grants (share `refresh`, each whole year, no cliff)
    made so far; grants yet to be made are not counted. Shape as `weeks`.
    """
    years = np.asarray(weeks) / WEEKS_PER_YEAR
    total = np.zeros(years.shape)
    for granted in range(int(years.max(initial=0.0)) + 1):
        age = years - granted
        months = vest_months(length, cliff if granted == 0 else 0)
        live = np.flatnonzero((age >= 0) & (age * 12 < length - DUST))
        ahead = months[None, :] / 12 - age[live, None]
        worth = np.where(ahead > DUST, np.exp(-(discount + hazard) * ahead), 0.0).sum(axis=1) / length
        total[live] += worth * (1.0 if granted == 0 else refresh)
    return total


def vesting_now(years: Real, length: Real, refresh: float) -> Floats:
    """Grants vesting a year, over the opening grant's yearly vest, after `years` of tenure.

    The opening grant counts while it lasts; a refresh grant is added each whole year and lasts as
    long. Where none vests just now, as between grants shorter than a year, one refresh grant counts.
    Without a cliff: used to set the opening grants behind a given yearly pay.
    """
    years = np.asarray(years, float)
    refreshes = np.floor(years) - np.floor(np.maximum(years - length, 0) + DUST)  # made, less those over
    return np.maximum((years < length - DUST) + refresh * refreshes, refresh)


def package_worth(share: Real, equity: Real, kernel: Real) -> Floats:
    """kappa = s + (1 - s) phi_E K: worth a year of a dollar a year of package."""
    return np.maximum(share + (1 - np.asarray(share)) * equity * kernel, SMALLEST)


def offer_worth(base: Real, package: Real, kappa: Real, horizon: float) -> Floats:
    """Y(w) = b + kappa (w - b), with w - b the package over H years."""
    return np.asarray(base + np.asarray(kappa) * package / horizon, float)


def acceptance(worth: Real, reservation: Real, elasticity: Real) -> Floats:
    """P = Y^alpha / (Y^alpha + R^alpha), the logit of ln Y - ln R with slope alpha (T2)."""
    floor, pay = np.maximum(reservation, SMALLEST), np.maximum(worth, SMALLEST)
    odds_against = elasticity * np.log(floor / pay)
    return np.asarray(1.0 / (1.0 + np.exp(np.minimum(odds_against, LARGEST_EXPONENT))), float)


def best_price(value: Real, base: Real, kappa: Real, reservation: Real, elasticity: Real) -> Floats:
    """The yearly cost w >= b that maximises (v - w) P(Y(w)) (MODEL step 5, T10).

    With y = Y / kappa, rho = R / kappa and V = v + b (1 - kappa) / kappa the first-order condition
    is y (1 + alpha + (y / rho)^alpha) = alpha V. In x = ln(y / rho) its logarithm,
    x + ln(1 + alpha + e^(alpha x)) = ln(alpha V / rho), is convex and rises with a slope between 1
    and 1 + alpha, so Newton's method from the smaller of two upper bounds falls to the root, however
    sure the choice is. The number of steps hangs on an offer's own alpha alone, so that no price
    depends on which others are priced beside it.
    """
    kappa = np.asarray(kappa, float)
    shift = np.asarray(base) * (1 - kappa) / kappa
    target = elasticity * np.maximum(np.asarray(value) + shift, SMALLEST)
    rho = np.maximum(np.asarray(reservation) / kappa, SMALLEST)
    goal, constant = np.log(target / rho), np.log1p(elasticity)
    x = np.minimum(goal - constant, goal / (1 + elasticity))
    steep = np.asarray(elasticity) > 3
    for step in range(MORE_STEPS if steep.any() else FEW_STEPS):
        odds = np.exp(elasticity * x)  # x < goal / alpha, so this is a number
        level = 1 + elasticity + odds
        lower = x - (x + np.log(level) - goal) / (1 + elasticity * odds / level)
        x = lower if step < FEW_STEPS else np.where(steep, lower, x)
    return np.asarray(np.maximum(rho * np.exp(x) - shift, base))


def reservation(worth_staying: Real, terms_against: Real, elasticity: float) -> Floats:
    """R = Y_stay e^(D / alpha): the pay at which an offer is accepted half the time.

    `terms_against` D is the sum of all terms but pay by which staying beats the offer. Beyond e^600 and its
    inverse no pay makes up for them, or none is needed, at any elasticity that a scenario may have.
    """
    exponent = np.clip(np.asarray(terms_against) / elasticity, -LARGEST_GAP, LARGEST_GAP)
    return np.asarray(worth_staying * np.exp(exponent), float)


def researcher_value(median: float, scale: Real, talent: Real, ties_term: Real, noise: Real) -> Floats:
    """v = C S^gamma a (1 + tau share of ties present) e^(sigma_v z): USD a year (Gabaix and Landier 2008)."""
    return np.asarray(
        median * np.asarray(scale) * talent * (1 + np.asarray(ties_term)) * np.exp(noise), float
    )


def staying_terms(attachment: Real, tenure_years: Real, tenure_effect: float) -> Floats:
    """A_i + A_t ln(1 + tenure): what speaks for staying beside pay and the lab itself."""
    return np.asarray(attachment + tenure_effect * np.log1p(tenure_years), float)


def pay_at(talent: Real, median_pay: Real, star_pay: Real) -> Floats:
    """A lab's pay a year for a talent: the median's pay times talent, never above its stars' pay."""
    return np.minimum(np.asarray(median_pay) * talent, star_pay)


def base_of(pay: Real, share: float, cap: float) -> Floats:
    """Base part of a yearly pay: a share of it, up to a cap."""
    return np.minimum(np.asarray(pay) * share, cap)


def vests_ahead(months: Floats, length: int, cliff: int, refresh: float) -> Floats:
    """Vests of the next 12 months from the grants held, per dollar of opening grant; months of tenure (n,).

    Time runs continuously (a grant vests at an even rate from its cliff on), so that the hazard has no
    steps but the cliff's; refresh grants are those of the whole years passed, without a cliff.
    """

    def vested(age: Floats, wait: int) -> Floats:
        return np.where(age < wait, 0.0, np.clip(age / length, 0.0, 1.0))

    total = vested(months + 12, cliff) - vested(months, cliff)
    for year in range(1, int(months.max(initial=0.0) // 12) + 1):
        age = months - 12 * year
        total = total + np.where(age >= 0, refresh * (vested(age + 12, 0) - vested(age, 0)), 0.0)
    return total


def mean_talent(tail: float, cap: float, power: float = 1.0) -> float:
    """Mean of talent to a power: Pareto of median 1 and survival exponent `tail`, cut at `cap`."""
    low, high = 2.0 - cap**-tail, cap**-tail
    floor, excess = low ** (-1.0 / tail), power - tail
    grown = np.log(cap / floor) if abs(excess) < 1e-12 else (cap**excess - floor**excess) / excess
    return float(tail * grown / (low - high))


def talent_quantile(u: Floats, tail: float, cap: float) -> Floats:
    """Truncated Pareto with median 1 and largest value `cap`: quantile at `u`."""
    low, high = 2.0 - cap**-tail, cap**-tail
    return np.asarray((low - u * (low - high)) ** (-1.0 / tail))
