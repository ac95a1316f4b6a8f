"""Recorded tables made up by hand or at random, for tests that need no market."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from sim.system.tables import CAUSES, SCHEMAS

# MODEL.md T1: hazards a year of leaving for a rival, to found, for academia; two years' closed forms
HAZARDS = {"rival": 0.12, "found": 0.05, "academia": 0.03}
SURVIVAL_2 = 0.670320
INCIDENCE_2 = {"rival": 0.197808, "found": 0.082420, "academia": 0.049452}
NAIVE_RIVAL_2 = 0.213372
WEEKS_A_YEAR = 52


def table(name: str, rows: int, /, **columns: Any) -> Any:
    """Table `name` of so many rows; a scalar fills its column, what is not given is 0, "x" or null."""
    arrays = []
    for field in SCHEMAS[name]:
        text = pa.types.is_dictionary(field.type)
        values = columns.pop(field.name, None if field.nullable else "x" if text else 0)
        if values is None or np.ndim(values) == 0:
            values = [values] * rows
        if pa.types.is_date32(field.type):
            values = np.asarray(values, "datetime64[D]").tolist()
        plain = pa.array(list(values), pa.string() if text else None)
        arrays.append(plain.dictionary_encode() if text else plain.cast(field.type))
    assert not columns, f"no such columns in {name}: {list(columns)}"
    return pa.Table.from_arrays(arrays, schema=SCHEMAS[name])


def spells(
    start: Any, end: Any, cause: Sequence[str | None], *, origin: Any = "outside", **columns: Any
) -> Any:
    """Spells from start to end week, ended by a cause or (None) censored; watched from week 0 on."""
    start, end = np.asarray(start), np.asarray(end)
    given = {"run": 0, "researcher": np.arange(len(start)), "talent": 1.0, "lab": "alpha", "unit": "main"}
    given["censored"] = [word is None for word in cause]
    return table(
        "spells",
        len(start),
        start_week=start,
        entry_week=np.maximum(start, 0),
        end_week=end,
        origin=origin,
        cause=cause,
        **given | columns,
    )


def lifetimes(
    rng: np.random.Generator, size: int, hazards: dict[str, float] = HAZARDS
) -> tuple[Any, list[str]]:
    """Whole weeks before the week of leaving, and its cause, under constant hazards a year."""
    total = sum(hazards.values())
    waits = np.floor(rng.exponential(WEEKS_A_YEAR / total, size)).astype(int)
    chances = np.array(list(hazards.values())) / total
    return waits, list(np.array(list(hazards))[rng.choice(len(hazards), size, p=chances)])


def competing_risks(rng: np.random.Generator, size: int) -> Any:
    """New hires who leave under `HAZARDS`, each watched for uniform(0, 6) years."""
    waits, causes = lifetimes(rng, size)
    watched = rng.integers(0, 6 * WEEKS_A_YEAR, size)
    end = np.where(waits < watched, waits, watched) + 1  # the week after the start is the first one at risk
    return spells(
        np.zeros(size, int),
        end,
        [c if w < m else None for c, w, m in zip(causes, waits, watched, strict=True)],
    )


def stationary_staff(rng: np.random.Generator, size: int, weeks: int) -> Any:
    """Everybody who starts in 20 years before week 0 or after it and is still there at its opening."""
    waits, causes = lifetimes(rng, size)
    start = rng.integers(-20 * WEEKS_A_YEAR, 0, size)
    left = start + 1 + waits
    there = left >= 0  # those who left before week 0 are never seen: left truncation
    words = [c if e < weeks else None for c, e in zip(np.array(causes)[there], left[there], strict=True)]
    return spells(start[there], np.minimum(left[there], weeks), words, origin="opening")


def random_spells(
    rng: np.random.Generator, size: int, runs: int, labs: Sequence[str], weeks: int = 156
) -> Any:
    """Spells of all origins and causes at several labs in several runs; no pattern."""
    start = rng.integers(-200, weeks, size)
    length = rng.geometric(0.01, size)
    end = np.maximum(start + length, 0)
    left = end < weeks
    origin = np.where(start < 0, "opening", rng.choice(["outside", "rival", "acquihire"], size))
    cause = np.where(left, rng.choice(CAUSES, size), None)
    return spells(
        start,
        np.minimum(end, weeks),
        list(cause),
        origin=origin,
        run=rng.integers(0, runs, size),
        lab=rng.choice(labs, size),
        next_lab=np.where(cause == "rival", rng.choice(labs, size), None),
    )
