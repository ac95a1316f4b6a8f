"""Small runs of the shipped scenarios, each computed at most once a process."""

from __future__ import annotations

from functools import cache

from sim.experiments import results
from sim.experiments.results import Result

RUNS, WEEKS = 4, 130


@cache
def article(*changes: str, runs: int = RUNS) -> Result:
    """The first runs of the article's scenario under seed 1, with some values changed."""
    return results.run("meta-2025", runs=runs, overrides=[f"horizon={WEEKS} weeks", *changes])


@cache
def quiet(weeks: int, runs: int = 1) -> Result:
    """The first runs of the market without the article's events, over so many weeks."""
    return results.run("baseline", runs=runs, overrides=[f"horizon={weeks} weeks"])
