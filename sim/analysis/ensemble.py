"""What the figures of an ensemble are made of, so small that it can be kept for every run.

A block of runs is measured on its own and blocks are joined in order, so a result of any size is
summarised while only one block of its tables is in memory; some 20 kB a run stay, with eleven labs.
The join of measured blocks equals the measure of the joined tables, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from sim.analysis import counts, curves
from sim.analysis.counts import Panel, SpellCounts, Who
from sim.analysis.curves import MONTHS_12, MONTHS_24
from sim.scenario.schema import Scenario
from sim.system import tables as recorded
from sim.system.arrays import Floats, Integers
from sim.system.tables import CAUSES, codes, numbers

RETENTION: dict[str, Who] = {"entry_cohort": "entry_cohort", "opening_staff": "opening", "new_hires": "hires"}
MOMENTS = {"12m": MONTHS_12, "24m": MONTHS_24}
HIRES = "new_hires"
STAR_SHARE = 0.05
"""Stars are as talented as the best twentieth of all labs' opening staff, in each run."""

Weekly = npt.NDArray[np.int32]

FUNNEL = ("contacts", "interested", "interviews", "offers", "accepted")
"""Stages from a first approach to an accepted offer, in their order."""
_SUMS = ("hires", "departures", "acquihires", "from_rivals", "counters", *FUNNEL)


@dataclass(frozen=True)
class Ensemble:
    """Figures by run, and counts pooled over runs; R runs, W weeks, L labs.

    Attributes:
        labs: names in the scenario's order.
        runs: numbers of the runs (R,), rising.
        dates: first days of the weeks (W,).
        figures: by name, one value a run and lab (R, L); nan where a run cannot tell.
        campaigns: by campaign and figure, one value a run (R,).
        flows: moves to rivals in weeks 0 to 103 by lab left and lab joined (R, L, L).
        hires: cumulative hires (R, W, L).
        watched: of each cohort of `RETENTION`, spells at risk and departures by tenure week, each (R, L, T).
        pooled: counts of each cohort, causes and all, added up over runs.
        events: the recorded table.
    """

    labs: tuple[str, ...]
    runs: Integers
    dates: npt.NDArray[np.datetime64]
    figures: dict[str, Floats]
    campaigns: dict[str, dict[str, Floats]]
    flows: Integers
    hires: npt.NDArray[np.int32]
    watched: dict[str, tuple[Weekly, Weekly]]
    pooled: dict[str, SpellCounts]
    events: Any

    @property
    def survival(self) -> Floats:
        """Survival of new hires by whole weeks of tenure, each run on its own: (R, L, T + 1)."""
        return curves.kaplan_meier(*self.watched[HIRES])


def measure(scenario: Scenario, tables: dict[str, Any]) -> Ensemble:
    """The measure of some runs, from their recorded tables; `labs` must hold every run."""
    labs = list(scenario.labs)
    panel = Panel.of(tables["labs"], labs)
    spells = tables["spells"]
    by_run = {
        cohort: counts.spell_counts(
            spells, who=who, per_run=True, runs=panel.runs, groups=labs, weeks=MONTHS_24
        )
        for cohort, who in RETENTION.items()
    }
    survival = {cohort: curves.kaplan_meier(c.at_risk, c.ends) for cohort, c in by_run.items()}
    campaigns = [event.campaign.name for event in scenario.events if event.campaign is not None]
    return Ensemble(
        labs=tuple(labs),
        runs=panel.runs,
        dates=panel.dates,
        figures=_totals(panel)
        | {
            f"retention.{cohort}_{moment}": curve[..., week]
            for cohort, curve in survival.items()
            for moment, week in MOMENTS.items()
        }
        | _exits(by_run[HIRES])
        | {"stars_end": _stars(panel, spells)},
        campaigns={name: _campaign(name, panel, tables["offers"]) for name in campaigns},
        flows=counts.flows(spells, labs, panel.runs),
        hires=counts.cumulative_hires(panel).astype(np.int32),
        watched={
            cohort: (counted.at_risk.astype(np.int32), counted.ends.astype(np.int32))
            for cohort, counted in by_run.items()
        },
        pooled={cohort: counted.pooled() for cohort, counted in by_run.items()},
        events=tables["events"],
    )


def join(parts: Sequence[Ensemble]) -> Ensemble:
    """The measure of all runs of some blocks, which follow one another; ValueError if there is none."""
    if not parts:
        raise ValueError("no runs to join")
    first = parts[0]
    return Ensemble(
        labs=first.labs,
        runs=np.concatenate([part.runs for part in parts]),
        dates=first.dates,
        figures={name: np.concatenate([part.figures[name] for part in parts]) for name in first.figures},
        campaigns={
            name: {f: np.concatenate([part.campaigns[name][f] for part in parts]) for f in figures}
            for name, figures in first.campaigns.items()
        },
        flows=np.concatenate([part.flows for part in parts]),
        hires=np.concatenate([part.hires for part in parts]),
        watched={
            cohort: (
                np.concatenate([part.watched[cohort][0] for part in parts]),
                np.concatenate([part.watched[cohort][1] for part in parts]),
            )
            for cohort in first.watched
        },
        pooled={cohort: _added([part.pooled[cohort] for part in parts]) for cohort in first.pooled},
        events=recorded.concat([part.events for part in parts]),
    )


def by_run(ensemble: Ensemble) -> dict[tuple[str, str, str], Floats]:
    """Every figure of the summary as one value a run (R,), by (kind, name, figure).

    Kinds are lab, campaign and event; flows are figures of the lab left: `flows.anthropic`. A figure
    that the summary pools over runs (retention, exits) is here each run's own.
    """
    found = {
        ("lab", lab, name): values[:, j]
        for j, lab in enumerate(ensemble.labs)
        for name, values in ensemble.figures.items()
    }
    for i, origin in enumerate(ensemble.labs):
        for j, goal in enumerate(ensemble.labs):
            if i != j:
                found["lab", origin, f"flows.{goal}"] = ensemble.flows[:, i, j].astype(float)
    for campaign, figures in ensemble.campaigns.items():
        found |= {("campaign", campaign, name): values for name, values in figures.items()}
    for event, (run, week) in occurrences(ensemble).items():
        first = np.full(len(ensemble.runs), np.nan)
        np.fmin.at(first, np.searchsorted(ensemble.runs, run), week)
        found["event", event, "share"] = np.isfinite(first).astype(float)
        found["event", event, "week"] = first
    return found


def pooled_retention(ensemble: Ensemble, runs: Integers | None = None) -> dict[tuple[str, str, str], Floats]:
    """Retention pooled over runs, as one value a run (n,), by (kind, name, figure).

    A run's own curve ends early, or at 0, where it has few hires; so the mean of the curves of those runs
    that reach 24 months is biased, and the pooled curve is what a summary tells. The values here are those
    of the jackknife, q_r = S + (n - 1) (mean of S without one run - S without run r): their mean is the
    pooled S, their standard deviation / sqrt(n) is its standard error, however the spells of a run hang
    together. Without a value (nan) where S is unknown, or where it would be without some run.

    Args:
        ensemble: what was measured.
        runs: places of the runs that count; all if not given.

    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 11.
    """
    found = {}
    for cohort, (at_risk, ends) in ensemble.watched.items():
        if runs is not None:
            at_risk, ends = at_risk[runs], ends[runs]
        weeks = at_risk.sum(axis=0, dtype=np.int64), ends.sum(axis=0, dtype=np.int64)
        whole = curves.kaplan_meier(*weeks)
        others = curves.kaplan_meier(weeks[0] - at_risk, weeks[1] - ends)
        for moment, week in MOMENTS.items():
            without = others[..., week]
            count = len(without)
            values = whole[:, week] + (count - 1) * (without.mean(axis=0) - without)
            values = values if count > 1 else whole[None, :, week]
            for j, lab in enumerate(ensemble.labs):
                found["lab", lab, f"retention.{cohort}_{moment}"] = values[:, j]
    return found


def occurrences(ensemble: Ensemble) -> dict[str, tuple[Integers, Floats]]:
    """Runs and weeks in which each event happened, by "kind: name"."""
    kind, kinds = codes(ensemble.events.column("kind"))
    name, names = codes(ensemble.events.column("name"))
    week = numbers(ensemble.events.column("week")).astype(float)
    run = numbers(ensemble.events.column("run")).astype(np.int64)
    found = {}
    for k, n in sorted(set(zip(kind.tolist(), name.tolist(), strict=True))):
        here = (kind == k) & (name == n)
        found[f"{kinds[k]}: {names[n]}"] = (run[here], week[here])
    return found


def _added(parts: Sequence[SpellCounts]) -> SpellCounts:
    return SpellCounts(
        parts[0].groups,
        np.concatenate([part.runs for part in parts]),
        np.sum([part.at_risk for part in parts], axis=0),
        np.sum([part.ends_by_cause for part in parts], axis=0),
    )


def _totals(panel: Panel) -> dict[str, Floats]:
    """Sums over weeks, and what is read off them."""
    totals: dict[str, Floats] = {name: panel.column(name).sum(axis=1).astype(float) for name in _SUMS}
    totals["headcount_end"] = panel.column("headcount")[:, -1].astype(float)
    totals["spend_usd"] = panel.column("spend_cents").sum(axis=1) / 100
    made = totals["offers"]
    totals["acceptance_rate"] = np.divide(
        totals["accepted"], made, out=np.full(made.shape, np.nan), where=made > 0
    )
    totals["moves_to_rivals_per_year"] = counts.moves_to_rivals_per_year(panel)
    return totals


def _exits(hires: SpellCounts) -> dict[str, Floats]:
    """Aalen-Johansen: share of new hires gone within 24 months, by cause (R, L)."""
    incidence = curves.aalen_johansen(hires.at_risk, hires.ends_by_cause)[..., MONTHS_24]
    return {f"exits_24m.{cause}": incidence[..., c] for c, cause in enumerate(CAUSES)}


def _stars(panel: Panel, spells: Any) -> Floats:
    """Stars on the staff at the end (R, L); nan where a run has no opening staff to measure by."""
    run = np.searchsorted(panel.runs, numbers(spells.column("run")))
    talent = numbers(spells.column("talent"))
    origin, origins = codes(spells.column("origin"))
    lab, names = codes(spells.column("lab"))
    opening = np.array([word == "opening" for word in origins] + [False])[origin]
    place = np.array([panel.labs.index(name) for name in names] + [-1])[lab]
    there = numbers(spells.column("censored"))
    runs, labs = len(panel.runs), len(panel.labs)
    staff = np.flatnonzero(opening)
    staff = staff[np.argsort(run[staff], kind="stable")]
    by_run = np.split(talent[staff], np.cumsum(np.bincount(run[staff], minlength=runs))[:-1])
    threshold = np.array([np.quantile(part, 1 - STAR_SHARE) if len(part) else np.nan for part in by_run])
    shining = there & (talent >= threshold[run])
    stars = np.bincount((run * labs + place)[shining], minlength=runs * labs).reshape(runs, labs)
    return np.where(np.isnan(threshold)[:, None], np.nan, stars)


def _campaign(name: str, panel: Panel, offers: Any) -> dict[str, Floats]:
    """Contacted, offered and accepted people of a campaign, and its packages, by run."""
    mine = offers.filter(pc.equal(offers.column("campaign"), name))
    run = np.searchsorted(panel.runs, numbers(mine.column("run")))
    person = numbers(mine.column("researcher")).astype(np.int64)
    written = ~np.asarray(pc.is_null(mine.column("offer_week")).to_numpy(zero_copy_only=False), bool)
    outcome, outcomes = codes(mine.column("outcome"))
    accepted = outcome == outcomes.index("accepted") if "accepted" in outcomes else np.zeros(len(run), bool)
    package = (numbers(mine.column("sign_on_cents")) + numbers(mine.column("grant_cents"))) / 100
    runs = len(panel.runs)
    offered = _distinct(run[written], person[written], runs)
    hired = np.bincount(run[accepted], minlength=runs).astype(float)
    led = offers.filter(
        pc.and_(pc.equal(offers.column("follows"), name), pc.equal(offers.column("outcome"), "accepted"))
    )
    followers = np.bincount(np.searchsorted(panel.runs, numbers(led.column("run"))), minlength=runs)
    sizes = [package[written & (run == r)] for r in range(runs)]
    return {
        "contacted": _distinct(run, person, runs),
        "offered": offered,
        "accepted": hired,
        "acceptance_rate": np.divide(hired, offered, out=np.full(runs, np.nan), where=offered > 0),
        "followers": followers.astype(float),
        "largest_package_usd": np.array([part.max() if len(part) else np.nan for part in sizes]),
        "median_package_usd": np.array([np.median(part) if len(part) else np.nan for part in sizes]),
    }


def _distinct(run: Any, person: Any, runs: int) -> Floats:
    """How many different people there are in each run."""
    people = int(person.max(initial=0)) + 1
    pairs = np.unique(run * people + person)
    return np.bincount(pairs // people, minlength=runs).astype(float)
