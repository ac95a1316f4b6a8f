"""Run a scenario: blocks of runs, in this process or in several, and their tables joined in order.

A run's result depends on (scenario, seed, run) alone, so blocks may be cut anywhere and computed
anywhere; the joined tables are the same, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import pyarrow as pa

from sim.market import record
from sim.market.opening import open_market
from sim.market.shared_past import branch, shared_weeks
from sim.market.spells import log_spells
from sim.market.state import Market
from sim.market.week import advance
from sim.scenario.schema import Scenario
from sim.system import tables
from sim.system.executors import LOCAL, computed

LOGGED_RUNS = 200  # beyond so many runs, offers and postings are kept only on demand
BLOCK = 100  # runs computed side by side at most: enough for speed, few enough for progress and memory
TOGETHER = 4  # scenarios with a common past computed at once at most: for the same reasons

Progress = Callable[[int], None]


def simulate(
    scenario: Scenario,
    seed: int,
    runs: Sequence[int],
    jobs: int = 1,
    log: bool | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The recorded tables (pyarrow, by name) of the given runs of a scenario.

    Args:
        scenario: what to simulate.
        seed: seed of the ensemble.
        runs: numbers of the runs, rising.
        jobs: processes to use; the result does not depend on it.
        log: keep all offers and postings; None: if there are at most `LOGGED_RUNS` runs.
        progress: called with the number of runs finished each time a block is done.
    """
    full = len(runs) <= LOGGED_RUNS if log is None else log
    size = block_size(len(runs), jobs)
    blocks = [list(runs[i : i + size]) for i in range(0, len(runs), size)]
    done: dict[int, dict[str, Any]] = {}
    with closing(computed(run_block, [(scenario, seed, b, full) for b in blocks], LOCAL, jobs)) as found:
        for number, result in found:
            done[number] = result
            if progress is not None:
                progress(len(blocks[number]))
    ordered = [done[number] for number in range(len(blocks))]
    return {name: tables.concat([block[name] for block in ordered]) for name in tables.NAMES}


def block_size(runs: int, jobs: int) -> int:
    """Runs in a block: so few that there is work for every process, and never more than `BLOCK`."""
    return min(BLOCK, -(-runs // max(jobs, 1)))


def run_block(scenario: Scenario, seed: int, runs: Sequence[int], full: bool = True) -> dict[str, Any]:
    """The tables of some runs computed side by side in this process."""
    ((_, found),) = run_together([scenario], seed, runs, full)
    return found


def run_together(
    scenarios: Sequence[Scenario], seed: int, runs: Sequence[int], full: bool = True
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The tables of some runs of each of several scenarios of one world, by number, as they are done.

    Weeks that scenarios share are lived once; the tables are those of each scenario alone, bit for bit.
    """
    market = open_market(scenarios[0], seed, np.array(runs, np.int64), keep_all=full)
    for number, lived, recorder in _lives(dict(enumerate(scenarios)), market, record.Recorder.ready()):
        yield number, collect(lived, recorder, full)


def _lives(
    scenarios: dict[int, Scenario], market: Market, recorder: record.Recorder
) -> Iterator[tuple[int, Market, record.Recorder]]:
    """Live on as the first of the scenarios; the others part from it where they begin to differ."""
    first = scenarios[min(scenarios)]
    parting: dict[int, dict[int, Scenario]] = {}
    for number, scenario in scenarios.items():
        parting.setdefault(shared_weeks(first, scenario), {})[number] = scenario
    while market.week < first.horizon:
        if others := parting.get(market.week):
            yield from _lives(others, branch(market, others[min(others)]), recorder.copy())
        advance(market)
        recorder.observe(market)
    for number in parting[first.horizon]:
        yield number, market, recorder


def collect(market: Market, recorder: record.Recorder, full: bool = True) -> dict[str, Any]:
    """All tables of a market so far; spells under way are written as censored now."""
    under_way = np.flatnonzero(market.researchers.place >= 0)
    kept = len(market.log.spells)
    log_spells(market, under_way, market.week, -1, -1)
    found = {
        "labs": recorder.labs_table(market),
        "offers": record.offers_table(market, campaigns_only=not full),
        "spells": record.spells_table(market),
        "ledger": record.ledger_table(market),
        "events": record.events_table(market),
        "transfers": record.transfers_table(market),
    }
    del market.log.spells[kept:]
    return {name: as_arrow(name, table) for name, table in found.items()}


def as_arrow(name: str, table: record.Table) -> Any:
    """A recorded table as an Arrow table of its schema; negative codes and weeks of stages mean none."""
    arrays = []
    for field in tables.SCHEMAS[name]:
        column = table[field.name]
        if isinstance(column, tuple):
            codes, words = column
            index = pa.array(codes.astype(np.int32), mask=codes < 0)
            arrays.append(pa.DictionaryArray.from_arrays(index, pa.array(words, pa.string())))
        else:
            missing = column < 0 if field.nullable else None
            arrays.append(pa.array(column, field.type, mask=missing))
    return pa.Table.from_arrays(arrays, schema=tables.SCHEMAS[name])
