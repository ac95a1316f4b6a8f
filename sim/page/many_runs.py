"""The ensemble of the page: small blocks of runs on all cores, so that it can be watched and given up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sim.market.simulate import run_block
from sim.page.turns import GivenUp
from sim.scenario.schema import Scenario
from sim.system import tables
from sim.system.executors import LOCAL, computed, default_jobs

FEWEST_RUNS, MOST_RUNS = 10, 200
BLOCK = 20  # runs between two looks at the progress
MOST_ROWS = 5_000_000  # of the table of labs; meta-2025 has 343,200 in 200 runs
NEEDED = ("labs", "spells", "events", "offers")


@dataclass(frozen=True)
class Ensemble:
    """Runs of a scenario under a seed, the tables that the pictures need, and what was changed, in words."""

    scenario: Scenario
    seed: int
    runs: int
    tables: dict[str, Any]
    changes: tuple[str, ...] = ()


class TooLarge(ValueError):
    """The ensemble is more than a page should compute; the message is one line."""


def ensemble(
    scenario: Scenario, seed: int, runs: int, goes_on: Callable[[int], bool], changes: Sequence[str] = ()
) -> Ensemble:
    """Simulate runs 0 to runs - 1; the tables equal those of `sim.run`, but for offers outside campaigns.

    Args:
        scenario: what to simulate.
        seed: seed of the ensemble.
        runs: how many.
        changes: what the scenario changes, in words.
        goes_on: told how many are done, at first and after each block; False gives up.

    Raises:
        GivenUp: if `goes_on` says so.
        TooLarge: if the tables would be too large; nothing is computed then.
    """
    if runs * scenario.horizon * len(scenario.labs) > MOST_ROWS:
        raise TooLarge(f"{runs} runs of so many weeks and labs are too many here; talentsim run takes them")
    blocks = [range(first, min(first + BLOCK, runs)) for first in range(0, runs, BLOCK)]
    tasks, found = [(scenario, seed, block) for block in blocks], {}
    if not goes_on(0):
        raise GivenUp
    with closing(computed(needed_tables, tasks, LOCAL, default_jobs())) as results:
        for number, block in results:
            found[number] = block
            if not goes_on(sum(len(blocks[i]) for i in found)):
                raise GivenUp
    joined = {name: tables.concat([found[i][name] for i in range(len(blocks))]) for name in NEEDED}
    return Ensemble(scenario, seed, runs, joined, tuple(changes))


def needed_tables(scenario: Scenario, seed: int, runs: range) -> dict[str, Any]:
    """The tables of a block of runs that the pictures need; offers of campaigns alone."""
    found = run_block(scenario, seed, runs, full=False)
    return {name: found[name] for name in NEEDED}
