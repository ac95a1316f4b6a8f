"""Scenarios beside one another, run by run, and the table of a sweep.

Under one seed, run r of two scenarios shares all its random numbers, so the difference of a figure
within each run is far less noisy than the difference of two unpaired means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sim.analysis import counts
from sim.analysis.ensemble import MOMENTS, Ensemble, by_run, pooled_retention
from sim.system.arrays import Floats
from sim.system.tables import SCHEMAS

COSTS = {"usd_per_additional_hire": "hires", "usd_per_retained_star": "stars_end"}
"""Cost figures and what is bought: more spending for each additional one of it."""
MAIN = (
    *("hires", "departures", "headcount_end", "spend_usd", "accepted", "stars_end"),
    *(f"retention.{cohort}_{moment}" for cohort in ("new_hires", "opening_staff") for moment in MOMENTS),
)
"""Main figures: those that are looked at first, and that are shown where their interval leaves zero out."""
LEVEL = 0.05
"""Share of the intervals that leave zero out where there is no difference."""

_TEXTS = ("kind", "name", "figure")
_PAIRED = ("base_mean", "other_mean", "difference", "lower", "upper", "same_sign", "narrowing")
_SPREAD = ("mean", "se", "p05", "p50", "p95")


def _schema(texts: Sequence[str], figures: Sequence[str]) -> Any:
    return pa.schema(
        [
            *(pa.field(name, pa.string(), nullable=False) for name in texts),
            pa.field("runs", pa.int32(), nullable=False),
            *(pa.field(name, pa.float64()) for name in figures),
        ]
    )


COMPARISON = _schema(("base", "other", *_TEXTS), _PAIRED)
"""Columns of `comparison.parquet`; what is not known is null."""


def cut(tables: dict[str, Any], weeks: int) -> dict[str, Any]:
    """What the recorded tables would hold if nobody had watched after so many weeks.

    Spells that go on are censored then; offers decided later count as lapsed, as those that are open
    at the end of a run do, and those written later as never written.
    """
    weekly = ("labs", "ledger", "events", "transfers")
    found = {name: tables[name].filter(pc.field("week") < weeks) for name in weekly}
    moved = tables["transfers"].filter(pc.field("week") >= weeks)
    spells = counts.before(tables["spells"], moved).filter(pc.field("start_week") < weeks)
    later = pc.greater_equal(spells.column("end_week"), weeks)
    offers = tables["offers"].filter(pc.field("contact_week") < weeks)
    undecided = pc.fill_null(pc.greater_equal(offers.column("decision_week"), weeks), False)
    unwritten = pc.fill_null(pc.greater_equal(offers.column("offer_week"), weeks), False)
    none16 = pa.scalar(None, pa.int16())
    changes = {
        "end_week": (later, pa.scalar(weeks, pa.int16())),
        "censored": (later, pa.scalar(True)),
        "cause": (later, None),
        "next_lab": (later, None),
    }
    return found | {
        "spells": _replaced("spells", spells, changes),
        "offers": _replaced(
            "offers", offers, {"outcome": (undecided, "lapsed"), "offer_week": (unwritten, none16)}
        ),
    }


def _replaced(name: str, table: Any, changes: dict[str, tuple[Any, Any]]) -> Any:
    """The table with some values replaced where a mask says so."""
    for column, (mask, value) in changes.items():
        field = SCHEMAS[name].field(column)
        old = table.column(column)
        if pa.types.is_dictionary(field.type):
            new = pc.if_else(mask, pa.scalar(value, pa.string()), old.cast(pa.string())).dictionary_encode()
        else:
            new = pc.if_else(mask, value, old)
        table = table.set_column(table.column_names.index(column), field, new)
    return table


def paired(base_name: str, base: Ensemble, other_name: str, other: Ensemble) -> Any:
    """Paired differences other - base of every figure that both have, one row each (`COMPARISON`).

    Runs in which either cannot tell are left out. `lower` and `upper` are the 95 % interval of the mean
    difference (Student's t), unknown with one run; `same_sign` is the share of runs whose difference has
    the sign of the mean; `narrowing` is the interval's width beside that of unpaired runs,
    sd(difference) / sqrt(var + var), null where neither varies. Retention is pooled over runs
    (`pooled_retention`). Rows of `COSTS` hold a ratio of mean differences with Fieller's interval, for each
    lab that clearly gains: where the interval of what is gained does not lie above 0, nothing was bought.
    """
    _, here, there = np.intersect1d(base.runs, other.runs, return_indices=True)
    ours = {key: values[here] for key, values in by_run(base).items()} | pooled_retention(base, here)
    theirs = {key: values[there] for key, values in by_run(other).items()} | pooled_retention(other, there)
    shared = [key for key in ours if key in theirs]
    rows = [(*key, *_paired(ours[key], theirs[key])) for key in shared]
    for lab in base.labs:
        for cost, bought in COSTS.items():
            keys = [("lab", lab, figure) for figure in ("spend_usd", bought)]
            if all(key in theirs for key in keys):
                spent, gained = (theirs[key] - ours[key] for key in keys)
                if clearly_positive(gained):
                    rows.append(("lab", lab, cost, *_cost(spent, gained)))
    named = [(base_name, other_name, *row) for row in rows]
    return _table(COMPARISON, named)


def _paired(base: Floats, other: Floats) -> tuple[Any, ...]:
    """Runs, then the figures of `_PAIRED`."""
    known = np.isfinite(base) & np.isfinite(other)
    base, other = base[known], other[known]
    runs = len(base)
    if not runs:
        return 0, *[None] * len(_PAIRED)
    difference = other - base
    mean = float(difference.mean())
    means = (float(base.mean()), float(other.mean()), mean)
    signs = float(np.mean(np.sign(difference) == np.sign(mean)))
    if runs == 1:
        return runs, *means, None, None, signs, None
    spread = float(difference.std(ddof=1))
    half = student(runs) * spread / np.sqrt(runs)
    apart = float(np.sqrt(base.var(ddof=1) + other.var(ddof=1)))
    return runs, *means, mean - half, mean + half, signs, spread / apart if apart > 0 else None


def clearly_positive(difference: Floats) -> bool:
    """Whether the 95 % interval of the mean of paired differences (n,) lies above 0; not with one run."""
    known = difference[np.isfinite(difference)]
    if len(known) < 2:
        return False
    half = student(len(known)) * known.std(ddof=1) / np.sqrt(len(known))
    return bool(known.mean() - half > 0)


def leaves_zero_out(row: Mapping[str, Any]) -> bool:
    """Whether the interval of a row of a comparison is known and lies to one side of 0."""
    return _has_interval(row) and bool(row["lower"] > 0 or row["upper"] < 0)


def _has_interval(row: Mapping[str, Any]) -> bool:
    return row["lower"] is not None and bool(np.isfinite(row["lower"]))


@dataclass(frozen=True)
class Chance:
    """How many main figures differ, and how many would seem to if nothing did.

    Attributes:
        figures: main figures of one other scenario that are not alike in every run, with an interval.
        clear: how many of them have an interval that leaves zero out.
        by_chance: how many would be expected to by chance alone; holds whether they hang together or not.
    """

    figures: int
    clear: int
    by_chance: float


def chance(rows: Iterable[Mapping[str, Any]]) -> Chance:
    """What chance alone would show, among the rows of one other scenario of a comparison."""
    known = [row for row in rows if row["figure"] in MAIN and _has_interval(row)]
    varied = [row for row in known if row["lower"] or row["upper"]]  # alike in every run: 0 to 0
    return Chance(len(varied), sum(map(leaves_zero_out, varied)), LEVEL * len(varied))


def _cost(spent: Floats, gained: Floats) -> tuple[Any, ...]:
    """Runs, then the figures of `_PAIRED` for a ratio of means: the ratio and its interval."""
    known = np.isfinite(spent) & np.isfinite(gained)
    ratio, lower, upper = ratio_of_means(spent[known], gained[known])
    return int(known.sum()), None, None, ratio, lower, upper, None, None


def ratio_of_means(above: Floats, below: Floats) -> tuple[float | None, float | None, float | None]:
    """mean(above) / mean(below) of paired values (n,), with its 95 % interval.

    None where the denominator is 0; no interval where it does not differ from 0 at the 5 % level, for
    then the ratio may be anything.

    Source: Fieller 1954, JRSS B 16.
    """
    runs = len(above)
    if not runs or not below.mean():
        return None, None, None
    ratio, mean = float(above.mean() / below.mean()), float(below.mean())
    if runs == 1:
        return ratio, None, None
    (var_a, cov), (_, var_b) = np.cov(above, below)
    quantile = student(runs)
    g = quantile**2 * var_b / (runs * mean**2)
    if g >= 1:
        return ratio, None, None
    slope = cov / var_b if var_b > 0 else 0.0
    inside = var_a - 2 * ratio * cov + ratio**2 * var_b - g * (var_a - slope * cov)
    half = quantile / abs(mean) * np.sqrt(max(inside, 0.0) / runs)
    middle = ratio - g * slope
    return ratio, float((middle - half) / (1 - g)), float((middle + half) / (1 - g))


def student(runs: int) -> float:
    """The 97.5 % quantile of Student's t for a mean over runs."""
    from scipy.special import stdtrit  # takes long to import, and is not needed until runs are there

    return float(stdtrit(runs - 1, 0.975))


def not_shared(ensembles: dict[str, Ensemble]) -> list[str]:
    """In words, what some scenarios have and others lack: labs, campaigns, weeks."""
    told = []
    weeks = {name: len(ensemble.dates) for name, ensemble in ensembles.items()}
    shortest = min(weeks.values())
    told += [
        f"{name} runs {w} weeks; the first {shortest} are compared"
        for name, w in weeks.items()
        if w > shortest
    ]
    starts = {str(ensemble.dates[0]) for ensemble in ensembles.values()}
    if len(starts) > 1:
        told.append(f"the scenarios start on {', '.join(sorted(starts))}; weeks since the start are compared")
    for what in ("labs", "campaigns"):
        held = {name: list(getattr(ensemble, what)) for name, ensemble in ensembles.items()}
        every = dict.fromkeys(item for items in held.values() for item in items)
        for item in every:
            lacking = [name for name, items in held.items() if item not in items]
            if lacking:
                told.append(f"{what.removesuffix('s')} {item} is left out: {', '.join(lacking)} has none")
    return told


@dataclass(frozen=True)
class Path:
    """How a difference grows: week by week, for each lab that both have.

    `median`, `low` and `high` are (W, L): median, 5th and 95th percentile over runs of the difference.
    """

    labs: tuple[str, ...]
    dates: npt.NDArray[np.datetime64]
    median: Floats
    low: Floats
    high: Floats


def hires_path(base: Ensemble, other: Ensemble) -> Path:
    """The difference other - base in cumulative hires over the weeks and labs that both have."""
    _, here, there = np.intersect1d(base.runs, other.runs, return_indices=True)
    labs = tuple(lab for lab in base.labs if lab in other.labs)
    weeks = min(len(base.dates), len(other.dates))

    def picked(ensemble: Ensemble, runs: Any) -> Any:
        columns = [ensemble.labs.index(lab) for lab in labs]
        return ensemble.hires[runs][:, :weeks, columns].astype(np.int64)

    low, median, high = np.percentile(picked(other, there) - picked(base, here), (5, 50, 95), axis=0)
    return Path(labs, base.dates[:weeks], median, low, high)


def sweep_schema(paths: Sequence[str]) -> Any:
    """Columns of `sweep.parquet`: the variant, the value at each path, and a figure's spread over runs."""
    return _schema(("variant", *paths, *_TEXTS), _SPREAD)


def sweep_rows(variant: str, point: dict[str, str], ensemble: Ensemble) -> Any:
    """Mean, standard error and percentiles over runs of every figure of a variant, one row each.

    Mean and standard error of retention are those of the curve pooled over runs, as in a comparison; its
    percentiles are over the curves of single runs.
    """
    pooled = pooled_retention(ensemble)
    rows = [
        (variant, *point.values(), *key, *_spread(values, pooled.get(key, values)))
        for key, values in by_run(ensemble).items()
    ]
    return _table(sweep_schema(list(point)), rows)


def _spread(values: Floats, averaged: Floats) -> tuple[Any, ...]:
    """Runs, then the figures of `_SPREAD`: mean and standard error of `averaged`, percentiles of `values`."""
    known, counted = (some[np.isfinite(some)] for some in (values, averaged))
    runs = len(counted)
    mean = float(counted.mean()) if runs else None
    error = float(counted.std(ddof=1) / np.sqrt(runs)) if runs > 1 else None
    percentiles = map(float, np.percentile(known, (5, 50, 95))) if len(known) else [None] * 3
    return runs, mean, error, *percentiles


def _table(schema: Any, rows: Sequence[tuple[Any, ...]]) -> Any:
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
