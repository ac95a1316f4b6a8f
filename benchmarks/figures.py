"""The figures that the market is held to, beside their targets, and what each mechanism does to them.

    python -m benchmarks.figures [--runs 200] [--seed 1] [--jobs 2] [--set market.contact.rate=2/year ...]
    python -m benchmarks.figures --ablations

Every row is a mean over runs with its standard error; the campaign's row comes from meta-2025, all others
from baseline. An ablation switches one mechanism off and leaves all else as it is, without a new fit.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa

from sim.analysis import counts, curves
from sim.analysis.counts import CAUSES
from sim.market import simulate
from sim.scenario.loading import load_scenario
from sim.scenario.schema import Scenario

WEEKS_A_YEAR = 52.18
FIRST_YEAR, FIRST_QUARTER, TWO_YEARS = 52, 13, 104
MARCH_2026 = "2026-03-02"
WELL_KNOWN = ("google", "microsoft", "meta", "apple")  # R12, as pools and as labs
OUTSIDE_CAUSES = ("found", "academia", "field")
Frames = dict[str, Any]
Figure = Callable[[Frames, Scenario], np.ndarray]


@dataclass(frozen=True)
class Row:
    """A figure with the range it should lie in; `of` gives one number a run."""

    name: str
    low: float
    high: float
    of: Figure
    scenario: str = "baseline"


def by_run(values: pd.Series, runs: int) -> np.ndarray:
    """A series by run as an array, 0 where a run has none."""
    return values.reindex(range(runs), fill_value=0).to_numpy(float)


def share(part: pd.Series, whole: pd.Series, runs: int) -> np.ndarray:
    """Number of rows of a part over that of the whole, by run; both are columns of run numbers."""
    counted = [by_run(column.value_counts(), runs) for column in (part, whole)]
    return np.divide(*counted, out=np.full(runs, np.nan), where=counted[1] > 0)


def runs_of(frames: Frames) -> int:
    """The number of runs."""
    return int(frames["labs"]["run"].max()) + 1


def retention(lab: str, cohort: int = FIRST_YEAR, months: int = 24) -> Figure:
    """Share still there after so long of those who started in the first weeks."""

    def of(frames: Frames, _: Scenario) -> np.ndarray:
        spells = frames["spells"]
        mine = spells[(spells["lab"] == lab) & (spells["start_week"].between(0, cohort - 1))]
        table = pa.Table.from_pandas(mine, preserve_index=False)
        found = counts.spell_counts(
            table, who="hires", per_run=True, runs=range(runs_of(frames)), groups=[lab]
        )
        weeks = round(months * WEEKS_A_YEAR / 12)
        return cast(np.ndarray, curves.kaplan_meier(found.at_risk, found.ends)[:, 0, weeks])

    return of


def moves_a_year(lab: str) -> Figure:
    """Moves to rivals a head and year, weeks 0 to 103."""

    def of(frames: Frames, _: Scenario) -> np.ndarray:
        labs = frames["labs"]
        mine = labs[(labs["lab"] == lab) & (labs["week"] < TWO_YEARS)].groupby("run")
        return (mine["left_rival"].sum() / mine["headcount"].sum() * WEEKS_A_YEAR).to_numpy(float)

    return of


def flow(origin: str, goal: str) -> Figure:
    """Moves from one lab to another, weeks 0 to 103."""

    def of(frames: Frames, _: Scenario) -> np.ndarray:
        spells = frames["spells"]
        moved = (spells["cause"] == "rival") & (spells["lab"] == origin) & (spells["next_lab"] == goal)
        return by_run(spells[moved & (spells["end_week"] < TWO_YEARS)]["run"].value_counts(), runs_of(frames))

    return of


def written(frames: Frames) -> pd.DataFrame:
    """Ordinary written offers."""
    offers = frames["offers"]
    return offers[offers["offer_week"].notna() & offers["campaign"].isna()]


def at_labs(offers: pd.DataFrame) -> pd.Series:
    """Whether each offer goes to somebody at a lab."""
    return ~offers["origin"].str.startswith("outside")


def accepted(inside: bool) -> Figure:
    """Share of written offers that are accepted, of people at labs or outside."""

    def of(frames: Frames, _: Scenario) -> np.ndarray:
        offers = written(frames)
        mine = offers[(at_labs(offers) == inside) & (offers["outcome"] != "pending")]
        return share(mine[mine["outcome"] == "accepted"]["run"], mine["run"], runs_of(frames))

    return of


def offers_a_head(frames: Frames, _: Scenario) -> np.ndarray:
    """Written offers to people at labs, a head and year."""
    offers, labs = written(frames), frames["labs"]
    years = labs.groupby("run")["headcount"].sum() / WEEKS_A_YEAR
    return by_run(offers[at_labs(offers)]["run"].value_counts(), len(years)) / years.to_numpy(float)


def interviews_an_offer(frames: Frames, _: Scenario) -> np.ndarray:
    """Interviews for each written offer, of people at labs and outside."""
    total = frames["labs"].groupby("run")[["interviews", "offers"]].sum()
    return (total["interviews"] / total["offers"]).to_numpy(float)


def countered(frames: Frames, _: Scenario) -> np.ndarray:
    """Share of written offers to people at labs that the employer answers."""
    offers = written(frames)
    mine = offers[at_labs(offers)]
    return share(mine[mine["counter_week"].notna()]["run"], mine["run"], runs_of(frames))


def stayed(frames: Frames, _: Scenario) -> np.ndarray:
    """Share of those answered who decline the offer."""
    offers = written(frames)
    mine = offers[at_labs(offers) & offers["counter_week"].notna() & (offers["outcome"] != "pending")]
    return share(mine[mine["outcome"] != "accepted"]["run"], mine["run"], runs_of(frames))


def hires(frames: Frames, lab: str) -> pd.DataFrame:
    """A lab's spells that began during the run with an offer."""
    spells = frames["spells"]
    return spells[(spells["lab"] == lab) & spells["start_week"].ge(0) & (spells["origin"] != "acquihire")]


def well_known(frames: Frames, _: Scenario) -> np.ndarray:
    """Share of OpenAI's hires that come from Google, Microsoft, Meta and Apple, pools and labs alike."""
    mine = hires(frames, "openai")
    firm = mine["came_from"].fillna("").str.removeprefix("outside/").str.split("-").str[0]
    known = firm.isin(WELL_KNOWN)
    return share(mine[known]["run"], mine["run"], runs_of(frames))


def returned(frames: Frames, _: Scenario) -> np.ndarray:
    """Share of Google DeepMind's hires who had been there before."""
    mine = hires(frames, "google-deepmind")
    return share(mine[mine["returned"]]["run"], mine["run"], runs_of(frames))


def mean_tenure(frames: Frames, scenario: Scenario) -> np.ndarray:
    """Mean tenure at OpenAI in March 2026, months."""
    week = (pd.Timestamp(MARCH_2026) - pd.Timestamp(scenario.start)).days // 7
    spells = frames["spells"]
    end = spells["end_week"].fillna(np.inf)
    there = spells[(spells["lab"] == "openai") & (spells["start_week"] <= week) & (end > week)]
    return ((week - there["start_week"]).groupby(there["run"]).mean() * 12 / WEEKS_A_YEAR).to_numpy(float)


def binds(frames: Frames, _: Scenario) -> np.ndarray:
    """Share of the lab-weeks in which something was priced whose hurdle rate is above 0."""
    labs = frames["labs"]
    priced = labs[labs["priced"] > 0]
    return share(priced[priced["hurdle"] > 0]["run"], priced["run"], runs_of(frames))


def staff_over_plan(frames: Frames, scenario: Scenario) -> np.ndarray:
    """OpenAI's staff over its plan, mean over weeks."""
    lab, start = scenario.labs["openai"], scenario.start
    since = [0, *((point.date - start).days / 7 for point in lab.headcount_plan)]
    labs = frames["labs"]
    mine = labs[labs["lab"] == "openai"]
    plan = np.interp(mine["week"], since, [lab.staff, *(point.staff for point in lab.headcount_plan)])
    return (mine["headcount"] / plan).groupby(mine["run"]).mean().to_numpy(float)


def pay_of_outsiders(year: int) -> Figure:
    """Mean yearly pay of those hired from outside in a year of the run, million USD."""

    def of(frames: Frames, _: Scenario) -> np.ndarray:
        offers = written(frames)
        mine = offers[~at_labs(offers) & (offers["outcome"] == "accepted")]
        mine = mine[mine["offer_week"].between(52 * (year - 1), 52 * year - 1)]
        pay = (mine["base_cents"] + (mine["sign_on_cents"] + mine["grant_cents"]) / 4) / 1e8
        return pay.groupby(mine["run"]).mean().to_numpy(float)

    return of


def hazard(low: int, high: int) -> Figure:
    """Hazard a year of hires to leave the labs (found, academia, field) in months low to high of tenure."""

    def of(frames: Frames, _: Scenario) -> np.ndarray:
        table = pa.Table.from_pandas(frames["spells"], preserve_index=False)
        found = counts.spell_counts(table, who="hires", by=None, per_run=True, runs=range(runs_of(frames)))
        left = found.ends_by_cause[:, 0, [CAUSES.index(cause) for cause in OUTSIDE_CAUSES]].sum(axis=1)
        during = slice(*(round(month * WEEKS_A_YEAR / 12) for month in (low, high)))
        years = found.at_risk[:, 0, during].sum(axis=1) / WEEKS_A_YEAR
        return cast(np.ndarray, left[:, during].sum(axis=1) / years)

    return of


def campaign_share(frames: Frames, _: Scenario) -> np.ndarray:
    """Share of the campaign's written offers that are accepted."""
    offers = frames["offers"]
    mine = offers[(offers["campaign"] == "meta-at-openai") & offers["offer_week"].notna()]
    return share(mine[mine["outcome"] == "accepted"]["run"], mine["run"], runs_of(frames))


def ratio(above: Figure, below: Figure) -> Figure:
    """One mean over another; the same in every run."""

    def of(frames: Frames, scenario: Scenario) -> np.ndarray:
        up, down = above(frames, scenario), below(frames, scenario)
        return up / max(down.mean(), 1e-9)

    return of


INF = np.inf
ROWS = (
    Row("R1 two-year retention, Anthropic", 0.77, 0.83, retention("anthropic")),
    Row("R2 Google DeepMind", 0.75, 0.81, retention("google-deepmind")),
    Row("R3 OpenAI", 0.64, 0.70, retention("openai")),
    Row("R4 Meta", 0.61, 0.67, retention("meta")),
    *(
        Row(f"{name}, cohort of the first quarter", 0, 1, retention(lab, FIRST_QUARTER))
        for name, lab in zip(
            ("R1", "R2", "R3", "R4"), ("anthropic", "google-deepmind", "openai", "meta"), strict=True
        )
    ),
    Row("K1 moves to rivals a year, Meta", 0.03, 0.08, moves_a_year("meta")),
    Row("K1 Google DeepMind", 0.03, 0.08, moves_a_year("google-deepmind")),
    Row("R6 OpenAI to Anthropic, each way", 4, 16,
        ratio(flow("openai", "anthropic"), flow("anthropic", "openai"))),
    Row("R7 DeepMind to Anthropic, each way", 5, 22,
        ratio(flow("google-deepmind", "anthropic"), flow("anthropic", "google-deepmind"))),
    Row("campaign: share of 46 accepted", 0.035, 0.21, campaign_share, "meta-2025"),
    Row("written offers accepted, at labs", 0.35, 0.70, accepted(inside=True)),
    Row("written offers a head and year, at labs", 0.06, 0.2, offers_a_head),
    Row("interviews for a written offer", 0, INF, interviews_an_offer),
    Row("written offers accepted, outside", 0.50, 0.80, accepted(inside=False)),
    Row("countered", 0.20, 0.50, countered),
    Row("of those stayed (O19)", 0.60, 0.90, stayed),
    Row("OpenAI's hires from the four (R12)", 0.30, 0.55, well_known),
    Row("DeepMind's hires who return", 0.10, 0.30, returned),
    Row("mean tenure at OpenAI, March 2026", 14, 18, mean_tenure),
    Row("lab-weeks in which a budget binds", 0.20, 0.60, binds),
    Row("OpenAI's staff over plan", 0.90, INF, staff_over_plan),
    Row("outsiders' pay, first year, M USD", 0, INF, pay_of_outsiders(1)),
    Row("outsiders' pay, third over first year", 1.0001, INF,
        ratio(pay_of_outsiders(3), pay_of_outsiders(1))),
    Row("exit hazard a year, months 6 to 12", 0, INF, hazard(6, 12)),
    Row("exit hazard, months 12 to 18, over that", 1.1, INF, ratio(hazard(12, 18), hazard(6, 12))),
)  # fmt: skip

# Talent account at the start and inflow a year of each lab in the first edition, where money was given.
GIVEN = {
    "openai": ("150M", "1B"),
    "google-deepmind": ("400M", "1.5B"),
    "meta": ("400M", "2.5B"),
    "anthropic": ("60M", "600M"),
    "microsoft": ("200M", "800M"),
    "amazon": ("150M", "600M"),
    "apple": ("120M", "400M"),
    "xai": ("40M", "300M"),
    "scale": ("20M", "60M"),
    "perplexity": ("10M", "60M"),
    "start-ups": ("100M", "400M"),
}
ABLATIONS = {
    "interest": ["market.interviews.interest=off"],
    "what interviews show": ["market.interviews.noise=0"],
    "the cost of an offer": ["market.interviews.offer_cost=0"],
    "the floor at scale": ["market.interviews.pay_floor=off"],
    "grants charged": ["market.equity.charged=false"],
    "money by plan": [
        f"labs.{lab}.{change}"
        for lab, (opening, inflow) in GIVEN.items()
        for change in (
            "talent_budget=given", f"talent_opening={opening} USD", f"talent_inflow={inflow} USD/year",
        )
    ],
    "outsiders rationed": ["market.hiring.ration_outsiders=off"],
    "standing among rivals": ["market.standing.rivalry=0", "market.exits.standing=0"],
    "alumni and former labs": ["market.entry.alumni=0", "market.contact.return_contact=0"],
    "contagion": ["market.contagion.shake=0", "market.contagion.leader_reach=0"],
    "regret": ["market.contagion.regret=0"],
    "forfeiture": ["market.exits.forfeiture=0"],
    "notice": ["market.hiring.notice=0 weeks"],
    "opening tenure": ["market.growth.opening_tenure=off"],
    "growth of pay": ["market.growth.pay=0 %/year"],
    "one pool": ["market.entry.pools=null"],
}  # fmt: skip


def measure(
    rows: Sequence[Row], runs: int, seed: int, jobs: int, changes: Sequence[str] = ()
) -> dict[str, np.ndarray]:
    """One number a run of each row."""
    found: dict[str, np.ndarray] = {}
    for name in dict.fromkeys(row.scenario for row in rows):
        scenario = load_scenario(name, list(changes))
        tables = simulate.simulate(scenario, seed, range(runs), jobs, log=True)
        frames = {kind: tables[kind].to_pandas() for kind in ("labs", "offers", "spells")}
        found |= {row.name: row.of(frames, scenario) for row in rows if row.scenario == name}
    return {row.name: found[row.name] for row in rows}


def moved(row: Row, base: np.ndarray, other: np.ndarray) -> str:
    """In words, how a figure moves when a mechanism is off; empty where it hardly does.

    It does where it moves by a tenth of its base and by three standard errors, or leaves its target.
    """
    before, after = np.nanmean(base), np.nanmean(other)
    error = np.hypot(np.nanstd(base), np.nanstd(other)) / np.sqrt(len(base))
    leaves = (row.low <= before <= row.high) != (row.low <= after <= row.high)
    if abs(after - before) < 3 * error or (abs(after - before) < 0.1 * abs(before) and not leaves):
        return ""
    return f"{row.name} {before:.3g} to {after:.3g}" + (" (**leaves its target**)" if leaves else "")


def print_ablations(runs: int, seed: int, jobs: int) -> None:
    """A table of mechanisms, and of the figures that move when each is switched off."""
    rows = [row for row in ROWS if "first quarter" not in row.name]
    base = measure(rows, runs, seed, jobs)
    print("| switched off | figures that move |\n|---|---|")
    for name, changes in ABLATIONS.items():
        found = measure(rows, runs, seed, jobs, changes)
        words = [moved(row, base[row.name], found[row.name]) for row in rows]
        print(f"| {name} | {'; '.join(filter(None, words)) or 'none'} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE")
    parser.add_argument("--ablations", action="store_true", help="switch each mechanism off alone")
    options = parser.parse_args()
    if options.ablations:
        print_ablations(options.runs, options.seed, options.jobs)
        return
    found = measure(ROWS, options.runs, options.seed, options.jobs, options.set)
    for row in ROWS:
        values = found[row.name]
        mean, error = np.nanmean(values), np.nanstd(values) / np.sqrt(len(values))
        verdict = "" if row.low <= mean <= row.high else "  <-- outside"
        target = "" if (row.low, row.high) in ((0, 1), (0, INF)) else f"{row.low:g} to {row.high:g}"
        print(f"{row.name:42} {mean:8.3f} ± {error:.3f}   {target}{verdict}")


if __name__ == "__main__":
    main()
