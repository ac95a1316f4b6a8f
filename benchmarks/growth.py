"""What the market costs as it grows in researchers, labs and runs; memory; which rules take the time.

    python -m benchmarks.growth [--quick]

Times are processor time. A pass is one numpy sum over a float64 column with a number for each row of
the market, timed in the same process: the least that looking at everybody once can cost.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from benchmarks.scaling import scaled, without_events
from sim.opening import open_market
from sim.scenario.loading import load_scenario
from sim.scenario.schema import Scenario
from sim.simulate import BLOCK, run_block
from sim.state import Market
from sim.week import Rule, advance

WARM_UP, TIMED = 6, 6  # weeks: the first offers are written after three weeks of interviews
MILLION, MANY_LABS = 1_000_000, 50
MUST_PASSES, MUST_BYTES, MUST_GIGABYTES = 400, 200, 1.5


@dataclass(frozen=True)
class Cost:
    """Median cost of a week once offers flow; seconds, rows of the market, offers a week."""

    week: float
    rows: int
    offers: float
    bytes_each: float

    @property
    def passes(self) -> float:
        """The week in passes over a column of the market."""
        column = np.ones(self.rows)
        return self.week / median(_seconds(column) for _ in range(30))


def _seconds(column: np.ndarray) -> float:
    before = time.perf_counter()
    column.sum()
    return time.perf_counter() - before


def market_of(factor: int, labs: int | None = None) -> Scenario:
    """Baseline without events, with `factor` times the people, spread over `labs` labs if given.

    With more labs than the baseline has, its labs stand several times side by side, each with the
    share of the people that keeps their number.
    """
    plain = without_events(load_scenario("baseline"))
    if labs is None:
        return scaled(plain, factor)
    copies = -(-labs // len(plain.labs))
    big = scaled(plain, max(1, round(factor / copies)))
    named = [(f"{name}_{k}", lab) for k in range(copies) for name, lab in big.labs.items()]
    entry = scaled(plain, factor).market.entry
    market = big.market.model_copy(update={"entry": entry})
    return big.model_copy(update={"labs": dict(named[:labs]), "market": market})


def opened(scenario: Scenario, runs: int = 1) -> Market:
    return open_market(scenario, 1, np.arange(runs), keep_journal=False)


def cost(scenario: Scenario, runs: int = 1) -> Cost:
    """Cost of a week, after the warm-up."""
    market = opened(scenario, runs)
    for _ in range(WARM_UP):
        advance(market)
    weeks, offers = [], []
    for _ in range(TIMED):
        before = time.process_time()
        advance(market)
        weeks.append(time.process_time() - before)
        offers.append(int(market.tally.offers.sum()))
    rows = len(market.researchers.talent)
    bytes_each = market.researchers.bytes_each + market.ties.nbytes / rows
    return Cost(median(weeks), rows, float(np.mean(offers)), bytes_each)


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Slope of log time on log size by least squares."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def shares(scenario: Scenario, runs: int) -> list[tuple[str, float]]:
    """Share of a week's time by rule, the largest first."""
    market, spent = opened(scenario, runs), defaultdict[str, float](float)
    last = time.process_time()

    def watch(rule: Rule, _: Market) -> None:
        nonlocal last
        now = time.process_time()
        spent[f"{rule.__module__.rpartition('.')[2]}.{rule.__name__}"] += now - last
        last = now

    for _ in range(WARM_UP + 4 * TIMED):
        last = time.process_time()
        advance(market, watch)
    total = sum(spent.values())
    return sorted(((name, s / total) for name, s in spent.items()), key=lambda pair: -pair[1])


def peak_gigabytes(runs: int) -> float:
    """Peak memory of a fresh process that computes runs side by side without logs, in GB."""
    code = f"from benchmarks.growth import compute; compute({runs})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def compute(runs: int) -> None:
    """Compute runs of meta-2025 without logs, and print this process's peak memory in GB."""
    run_block(load_scenario("meta-2025"), 1, range(runs), full=False)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9)


def report(quick: bool) -> None:
    """Print all figures as they come."""

    def told(words: str) -> None:
        print(words, flush=True)

    factors = (1, 3, 10) if quick else (1, 3, 10, 30, 100)
    by_people = [cost(market_of(factor)) for factor in factors]
    told(f"a week grows with researchers to the power {_slope([c.rows for c in by_people], by_people)}")
    labs = (11, 22, 44)
    by_labs = [cost(market_of(12, count)) for count in labs]
    told(f"a week grows with labs, researchers as they are, to the power {_slope(labs, by_labs)}")
    runs = (1, 10, 30) if quick else (1, 10, 30, BLOCK)
    by_runs = [cost(market_of(1), count) for count in runs]
    told(f"a week grows with runs side by side to the power {_slope(runs, by_runs)}")
    for count, where in ((1, "one run"), (30, "30 runs side by side")):
        parts = ", ".join(f"{name} {share:.0%}" for name, share in shares(market_of(1), count)[:6])
        told(f"time by rule, {where}: {parts}")
    found = peak_gigabytes(BLOCK)
    verdict = _verdict(found, MUST_GIGABYTES)
    told(f"peak memory of {BLOCK} runs side by side: {found:.2f} GB (must {MUST_GIGABYTES}: {verdict})")
    small = by_people[2]
    told(f"time an offer, {small.rows:,} rows: {small.week / small.offers * 1e6:.1f} microseconds")
    if quick:
        return
    whole = cost(market_of(MILLION // 2000, MANY_LABS))
    told(f"{whole.rows:,} people, outsiders too, {MANY_LABS} labs: {whole.week * 1e3:.0f} ms a week")
    told(f"  {whole.passes:.0f} passes (must {MUST_PASSES}: {_verdict(whole.passes, MUST_PASSES)})")
    told(f"  {whole.week / whole.offers * 1e6:.1f} microseconds an offer")
    verdict = _verdict(whole.bytes_each, MUST_BYTES)
    told(f"  {whole.bytes_each:.0f} bytes a researcher (must {MUST_BYTES}: {verdict})")


def _slope(sizes: Sequence[float], costs: Sequence[Cost]) -> str:
    spread = ", ".join(f"{size:,}: {c.week * 1e3:.1f} ms" for size, c in zip(sizes, costs, strict=True))
    return f"{exponent(sizes, [c.week for c in costs]):.2f} ({spread})"


def _verdict(found: float, most: float) -> str:
    return "met" if found <= most else f"not met, {found / most:.1f} times as much"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.growth", description="Cost as the market grows."
    )
    parser.add_argument("--quick", action="store_true", help="no million of researchers")
    report(parser.parse_args().quick)
