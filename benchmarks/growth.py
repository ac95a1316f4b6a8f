"""What the market costs as it grows in researchers, labs and runs; memory; which rules take the time.

    python -m benchmarks.growth [--quick]

Times are processor time. A pass is one numpy sum over a float64 column with a number for each row of
the market, timed in the same process: the least that looking at everybody once can cost.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.scaling import scaled, without_events
from sim.market.opening import open_market
from sim.market.simulate import BLOCK, run_block
from sim.market.state import Market
from sim.market.week import Rule, advance
from sim.scenario.loading import load_scenario
from sim.scenario.schema import Scenario

WARM_UP, TIMED = 6, 6  # weeks: the first offers are written after three weeks of interviews
MILLION, MANY_LABS = 1_000_000, 50
PASSES, BYTES, GIGABYTES = (400, 100), (200, 100), (1.5, 0.4)  # must reach, aim


@dataclass(frozen=True)
class Cost:
    """Median cost of a week once offers flow; seconds, rows of the market, offers a week."""

    week: float
    rows: int
    offers: float
    bytes_each: float

    @property
    def each_offer(self) -> float:
        """Microseconds an offer."""
        return self.week / self.offers * 1e6


def passes(whole: Cost) -> float:
    """The week in passes over a column of its market."""
    column = np.ones(whole.rows)
    return whole.week / median(_seconds(column) for _ in range(30))


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
    return open_market(scenario, 1, np.arange(runs), keep_all=False)


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
    graph = {id(table): table.nbytes for table in (market.ties, market.known_by, market.ties_there)}
    bytes_each = market.researchers.bytes_each + sum(graph.values()) / rows
    return Cost(median(weeks), rows, float(np.mean(offers)), bytes_each)


def horizon_seconds(scenario: Scenario, weeks: int) -> float:
    """Time of one run of so many weeks, from the opening market on."""
    market = opened(scenario)
    before = time.process_time()
    for _ in range(weeks):
        advance(market)
    return time.process_time() - before


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
    # not what getrusage tells: that begins with the memory of the process by which this one was started
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("utf-8").splitlines())
    print(int(status["VmHWM"].split()[0]) * 1024 / 1e9)


def report(quick: bool) -> None:
    """Print all figures as they come."""
    small = _tell_exponents(quick)
    for count, where in ((1, "one run"), (30, "30 runs side by side")):
        parts = ", ".join(f"{name} {share:.0%}" for name, share in shares(market_of(1), count)[:6])
        _tell(f"time by rule, {where}: {parts}")
    found = peak_gigabytes(BLOCK)
    _tell(f"peak memory of {BLOCK} runs side by side: {found:.2f} GB ({verdict(found, *GIGABYTES)})")
    _tell(f"time an offer, {small.rows:,} rows: {small.each_offer:.1f} microseconds")
    if not quick:
        _tell_million(small)


def _tell_exponents(quick: bool) -> Cost:
    """Tell how cost grows; the cost of a week of 20,000 researchers."""
    factors = (1, 3, 10) if quick else (1, 3, 10, 30, 100)
    by_people = [cost(market_of(factor)) for factor in factors]
    _tell(f"a week grows with researchers to the power {_slope([c.rows for c in by_people], by_people)}")
    labs = (11, 22, 44)
    by_labs = [cost(market_of(12, count)) for count in labs]
    _tell(f"a week grows with labs, researchers as they are, to the power {_slope(labs, by_labs)}")
    weeks = (39, 78, 156)
    by_weeks = [median(horizon_seconds(market_of(1), count) for _ in range(3)) for count in weeks]
    _tell(f"a run grows with weeks to the power {exponent(weeks, by_weeks):.2f}")
    runs = (1, 10, 30) if quick else (1, 10, 30, BLOCK)
    by_runs = [cost(market_of(1), count) for count in runs]
    _tell(f"a week grows with runs side by side to the power {_slope(runs, by_runs)}")
    return by_people[2]


def _tell_million(small: Cost) -> None:
    whole = cost(market_of(MILLION // 2000, MANY_LABS))
    looks = passes(whole)
    _tell(f"{whole.rows:,} people, outsiders too, {MANY_LABS} labs: {whole.week * 1e3:.0f} ms a week")
    _tell(f"  {looks:.0f} passes ({verdict(looks, *PASSES)})")
    _tell(
        f"  {whole.each_offer:.1f} microseconds an offer, {whole.each_offer / small.each_offer:.2f} times "
        f"that of {small.rows:,} rows ({verdict(whole.each_offer / small.each_offer, 1, 1)})"
    )
    _tell(f"  {whole.bytes_each:.0f} bytes a researcher ({verdict(whole.bytes_each, *BYTES)})")


def _tell(words: str) -> None:
    print(words, flush=True)


def _slope(sizes: Sequence[float], costs: Sequence[Cost]) -> str:
    spread = ", ".join(f"{size:,}: {c.week * 1e3:.1f} ms" for size, c in zip(sizes, costs, strict=True))
    return f"{exponent(sizes, [c.week for c in costs]):.2f} ({spread})"


def verdict(found: float, must: float, aim: float, least: bool = False) -> str:
    """Whether a figure is at most (at least, if `least`) what it must be, and its aim; else how far it is."""
    words = []
    for name, bound in (("must", must), ("aim", aim)):
        met = found >= bound if least else found <= bound
        words.append(
            f"{name} {bound:g}: " + ("met" if met else f"not met, {found / bound:.2f} times as much")
        )
    return "; ".join(words)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.growth", description="Cost as the market grows."
    )
    parser.add_argument("--quick", action="store_true", help="no million of researchers")
    report(parser.parse_args().quick)
