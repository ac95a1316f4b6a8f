"""How fast the columnar market is beside the same market in plain Mesa.

    python -m benchmarks [--quick] [--json] [--record]

Both sides live through the same scenario, baseline without events, from the same opening market, which
each of them sets up within its time, and both record the week's counts of every lab. They are timed in
turns in one process, in seconds of processor time, and a ratio is the median over those pairs. The
ensemble's ratio is a plain run over one run of a block that stands side by side, as ensembles are computed.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from statistics import median

import mesa
import numpy as np

from benchmarks import growth, history
from benchmarks.scaling import scaled, without_events
from benchmarks.twin import PlainMarket
from sim.market.opening import open_market
from sim.market.record import Recorder
from sim.market.simulate import BLOCK
from sim.market.week import advance
from sim.scenario.loading import load_scenario
from sim.scenario.schema import Scenario
from sim.system.version import __version__


@dataclass(frozen=True)
class Case:
    """A market size to measure; `factor` 1 has about 2,000 researchers at the start."""

    factor: int
    weeks: int
    pairs: int
    blocks: int
    must_reach: float


@dataclass(frozen=True)
class Row:
    """One line of the table: seconds are medians, the ratio's spread is over the pairs."""

    what: str
    plain_seconds: float
    columnar_seconds: float
    ratio: float
    lowest: float
    highest: float
    must_reach: float | None

    @property
    def verdict(self) -> str:
        if self.must_reach is None:
            return ""
        if self.ratio >= self.must_reach:
            return "met"
        return f"not met: {self.ratio / self.must_reach:.0%} of it"


SMALL = Case(factor=1, weeks=156, pairs=5, blocks=3, must_reach=1.5)
LARGE = Case(factor=10, weeks=156, pairs=3, blocks=0, must_reach=15.0)
ENSEMBLE_MUST_REACH = 25.0


def columnar(scenario: Scenario, first: int, runs: int, weeks: int) -> None:
    """Runs side by side, from opening to the last week."""
    market = open_market(scenario, 1, np.arange(first, first + runs), keep_all=False)
    recorder = Recorder.ready()
    for _ in range(weeks):
        advance(market)
        recorder.observe(market)


def plain(scenario: Scenario, run: int, weeks: int, thrifty: bool = False) -> None:
    market = PlainMarket(scenario, 1, run, thrifty)
    for _ in range(weeks):
        market.step()


def seconds(work: Callable[[], None]) -> float:
    """Processor time of one call."""
    gc.collect()
    before = time.process_time()
    work()
    return time.process_time() - before


def measure(case: Case, progress: Callable[[str], None]) -> list[Row]:
    scenario = scaled(without_events(load_scenario("baseline")), case.factor)
    people = scenario.market.entry.outside + sum(lab.staff for lab in scenario.labs.values())
    for warm_up in (lambda: plain(scenario, 0, 2), lambda: columnar(scenario, 0, 1, 2)):
        warm_up()
    taken: dict[str, list[float]] = {"plain": [], "thrifty": [], "columnar": [], "ensemble": []}
    for pair in range(case.pairs):
        progress(f"{people:,} researchers, {case.weeks} weeks: pair {pair + 1} of {case.pairs}")
        taken["plain"].append(seconds(lambda run=pair: plain(scenario, run, case.weeks)))
        taken["columnar"].append(seconds(lambda run=pair: columnar(scenario, run, 1, case.weeks)))
        taken["thrifty"].append(seconds(lambda run=pair: plain(scenario, run, case.weeks, thrifty=True)))
        if pair < case.blocks:
            block = seconds(lambda run=pair: columnar(scenario, run * BLOCK, BLOCK, case.weeks))
            taken["ensemble"].append(block / BLOCK)
    size = f"{people:,} researchers, {case.weeks} weeks"
    rows = [
        row(f"one run, {size}", taken["plain"], taken["columnar"], case.must_reach),
        row("  beside thrifty Mesa", taken["thrifty"], taken["columnar"], None),
    ]
    if case.blocks:
        rows.append(row(f"a run of {BLOCK}, {size}", taken["plain"], taken["ensemble"], ENSEMBLE_MUST_REACH))
        rows.append(row("  beside thrifty Mesa", taken["thrifty"], taken["ensemble"], None))
    return rows


def row(what: str, slow: list[float], fast: list[float], must_reach: float | None) -> Row:
    ratios = [a / b for a, b in zip(slow, fast, strict=False)]
    return Row(what, median(slow), median(fast), median(ratios), min(ratios), max(ratios), must_reach)


def table(rows: list[Row]) -> str:
    lines = [
        f"{'':46}{'Mesa':>9}{'columnar':>10}{'ratio':>8}  {'min to max':15}{'must reach':>11}",
    ]
    for r in rows:
        spread = f"{r.lowest:.2f} to {r.highest:.2f}"
        target = "" if r.must_reach is None else f"{r.must_reach:g}"
        lines.append(
            f"{r.what:46}{r.plain_seconds:8.3f}s{r.columnar_seconds:9.3f}s{r.ratio:8.2f}  "
            f"{spread:15}{target:>11}  {r.verdict}".rstrip()
        )
    return "\n".join(lines)


def versions() -> dict[str, str]:
    return {"python": platform.python_version(), "numpy": np.__version__, "mesa": mesa.__version__}


def record(rows: list[Row]) -> None:
    """Measure what the table does not tell, and write this version's line of the history."""
    reached = [r.ratio for r in rows if r.must_reach is not None]
    whole = growth.cost(growth.market_of(growth.MILLION // 2000, growth.MANY_LABS))
    others = growth.passes(whole), whole.bytes_each, growth.peak_gigabytes(BLOCK)
    figures = dict(zip(history.FIGURES, (*reached, *others), strict=True))
    history.record(__version__, date.today(), figures)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Speed beside plain Mesa.")
    parser.add_argument("--quick", action="store_true", help="2,000 researchers only")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--record", action="store_true", help="write this version's line of history.csv")
    chosen = parser.parse_args(arguments)
    if chosen.quick and chosen.record:
        parser.error("--record needs every figure: leave --quick out")
    rows: list[Row] = []
    for case in (SMALL,) if chosen.quick else (SMALL, LARGE):
        rows += measure(case, lambda line: print(line, file=sys.stderr, flush=True))
    if chosen.json:
        report = {"versions": versions(), "rows": [asdict(r) | {"verdict": r.verdict} for r in rows]}
        print(json.dumps(report, indent=2))
    else:
        print(table(rows))
        print("Processor time, medians; " + ", ".join(f"{k} {v}" for k, v in versions().items()))
    if chosen.record:
        record(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
