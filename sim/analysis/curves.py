"""Survival and cumulative incidence from weekly counts (pure numpy, any number of curves at once).

**Weeks.** The staff is counted at the close of a week. A spell has tenure 0 at the close of its
start week, k at the close of the k-th week after it, and is gone at the close of its end week; a
censored spell was watched to the close of week `end_week` - 1. So *tenure week* d leads from tenure
d to d + 1 and is lived through in week start + d + 1; a spell that starts and ends in one week is at
risk in tenure week 0 and ends in it. If everybody, from the week after the start on, leaves with
probability p a week, then E[S(k)] = (1 - p)^k: tenure k is reached by surviving tenure weeks 0 to k - 1.

**Arrays.** Counts have shape (..., T), one entry a tenure week d = 0 .. T-1; curves have shape
(..., T + 1), one entry a tenure k = 0 .. T in whole weeks; `curve[..., 104]` is 24 months. The
leading axes (runs, labs) are independent curves.

**Left truncation.** A spell first watched at tenure a > 0 is at risk from tenure week a on, never
before (delayed entry), so the estimate is not biased towards those who stayed long. A tenure week in
which nobody is at risk before others enter adds no factor: the curve is then conditional on it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sim.system.arrays import Floats

Counts = npt.NDArray[np.integer[Any]]

MONTHS_12, MONTHS_24 = 52, 104
Z_95 = 1.959963984540054


def kaplan_meier(at_risk: Counts, ends: Counts) -> Floats:
    """Product-limit survival S(k) = prod over d < k of (1 - ends[d] / at_risk[d]).

    Args:
        at_risk: (..., T) spells at risk in each tenure week.
        ends: (..., T) departures in each tenure week, at most `at_risk`.

    Returns:
        (..., T + 1) survival at tenure 0 .. T; nan beyond the last tenure that anybody was watched
        to (0 stays 0: everybody had left).

    Source: Kaplan and Meier 1958, JASA 53; delayed entry as in Andersen et al. 1993, IV.1.
    """
    survival = _cumulate(np.cumprod, 1.0, 1.0 - _hazard(at_risk, ends))
    return np.where(_watched(at_risk) | (survival == 0.0), survival, np.nan)


def greenwood(at_risk: Counts, ends: Counts) -> Floats:
    """Greenwood's sum over d < k of ends / (at_risk (at_risk - ends)): the variance of ln S(k).

    The variance of S(k) itself is S(k)^2 times this. Shapes as in `kaplan_meier`; inf from the
    week on in which everybody at risk left.

    Source: Greenwood 1926, Reports on Public Health 33.
    """
    left, stayed = np.asarray(ends, float), np.asarray(at_risk, float) * (np.asarray(at_risk) - ends)
    step = np.divide(left, stayed, out=np.where(left > 0, np.inf, 0.0), where=stayed > 0)
    return _cumulate(np.cumsum, 0.0, step)


def log_log_interval(survival: Floats, greenwood_sum: Floats, z: float = Z_95) -> tuple[Floats, Floats]:
    """Pointwise interval for S on the scale ln(-ln S), which keeps it within 0 and 1.

    S^exp(+-z sqrt(G) / ln S), G Greenwood's sum. nan where S is 0, 1 or nan: there the formula
    says nothing. It takes spells as independent, so for spells pooled over runs that share their
    events it is too narrow; the spread over runs tells the rest.

    Args:
        survival: (..., T + 1), from `kaplan_meier`.
        greenwood_sum: (..., T + 1), from `greenwood`.
        z: normal quantile; 1.96 gives 95 %.

    Returns:
        lower and upper, each (..., T + 1).

    Source: Kalbfleisch and Prentice 2002, section 1.4.
    """
    inside = (survival > 0.0) & (survival < 1.0)
    log_survival = np.log(np.where(inside, survival, 0.5))
    width = np.where(inside, z * np.sqrt(np.where(inside, greenwood_sum, 0.0)) / -log_survival, np.nan)
    return np.exp(log_survival * np.exp(width)), np.exp(log_survival * np.exp(-width))


def aalen_johansen(at_risk: Counts, ends_by_cause: Counts) -> Floats:
    """Cumulative incidence F_c(k) = sum over d < k of S(d) ends_c[d] / at_risk[d], per cause.

    Unlike 1 - KM of one cause with the others censored, the causes add up: S + sum_c F_c = 1.

    Args:
        at_risk: (..., T).
        ends_by_cause: (..., C, T) departures by cause.

    Returns:
        (..., C, T + 1); nan where survival is nan.

    Source: Aalen and Johansen 1978, Scand. J. Statist. 5.
    """
    survival = kaplan_meier(at_risk, ends_by_cause.sum(axis=-2))
    before = np.nan_to_num(survival[..., :-1])[..., None, :]
    incidence = _cumulate(np.cumsum, 0.0, before * _hazard(at_risk[..., None, :], ends_by_cause))
    return np.where(np.isnan(survival)[..., None, :], np.nan, incidence)


def _hazard(at_risk: Counts, ends: Counts) -> Floats:
    shape = np.broadcast_shapes(at_risk.shape, ends.shape)
    at_risk = np.broadcast_to(at_risk, shape)
    return np.divide(ends, at_risk, out=np.zeros(shape), where=at_risk > 0)


def _cumulate(operation: Any, first: float, steps: Floats) -> Floats:
    """Prepend the value at tenure 0 and accumulate along the last axis: (..., T) to (..., T + 1)."""
    start = np.full((*steps.shape[:-1], 1), first)
    return np.concatenate([start, operation(steps, axis=-1)], axis=-1)


def _watched(at_risk: Counts) -> npt.NDArray[np.bool_]:
    """Tenures up to which somebody was watched: (..., T + 1), True at k if at risk in some week >= k - 1."""
    later = np.flip(np.maximum.accumulate(np.flip(at_risk > 0, -1), axis=-1), -1)
    return np.concatenate([later[..., :1], later], axis=-1)
