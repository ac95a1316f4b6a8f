"""`history.csv`: a line a release, so that a release that is slower than the last one shows."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from pathlib import Path

HISTORY = Path(__file__).with_name("history.csv")
FIGURES = (
    "one_run_2000", "ensemble_run_2000", "one_run_20000",
    "million_week_passes", "bytes_a_researcher", "peak_gb_100_runs",
)  # fmt: skip


def record(version: str, day: date, figures: Mapping[str, float], path: Path = HISTORY) -> None:
    """Write a version's line, in place of the one that it may have; three digits of each figure.

    Raises:
        KeyError: if a figure of `FIGURES` is missing.
    """
    with path.open(newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    line = [version, day.isoformat(), *(f"{figures[name]:.3g}" for name in FIGURES)]
    lines = [old for old in lines if old[0] != version] + [line]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *lines])
