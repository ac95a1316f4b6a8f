"""The summary of a result: `summary.json` as DESIGN.md's contract has it.

Spreads are over runs: mean, 5th, 50th and 95th percentile. Retention is Kaplan-Meier pooled over
runs with a pointwise 95 % interval, and its spread over runs beside it. Nothing here is NaN: what
no run can tell is null.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow.compute as pc

from sim.analysis import counts, curves
from sim.analysis.counts import Panel, SpellCounts, Who
from sim.analysis.curves import MONTHS_12, MONTHS_24, Floats
from sim.scenario.schema import Scenario
from sim.tables import CAUSES, FORMAT, codes, numbers

RETENTION: dict[str, Who] = {"entry_cohort": "entry_cohort", "opening_staff": "opening", "new_hires": "hires"}
MOMENTS = {"12m": MONTHS_12, "24m": MONTHS_24}
EXITS_AFTER = MONTHS_24


def summarise(scenario: Scenario, seed: int, tables: dict[str, Any]) -> dict[str, Any]:
    """All figures of a result, ready for JSON.

    Args:
        scenario: what was run.
        seed: seed of the ensemble.
        tables: the recorded tables by name; `labs` must hold every run.
    """
    labs = list(scenario.labs)
    panel = Panel.of(tables["labs"], labs)
    return {
        "format": FORMAT,
        "scenario": scenario.name,
        "seed": seed,
        "runs": len(panel.runs),
        "failed": 0,
        "weeks": len(panel.weeks),
        "labs": _labs(panel, tables["spells"]),
        "campaigns": {
            event.campaign.name: _campaign(event.campaign.name, panel, tables["offers"])
            for event in scenario.events
            if event.campaign is not None
        },
        "flows": _flows(panel, tables["spells"]),
        "events": _events(panel, tables["events"]),
    }


def spread(values: Floats) -> dict[str, float | None]:
    """Mean and percentiles over runs of a figure (R,); runs in which it is nan do not count."""
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    if not len(known):
        return dict.fromkeys(("mean", "p05", "p50", "p95"))
    low, middle, high = np.percentile(known, (5, 50, 95))
    return {"mean": float(known.mean()), "p05": float(low), "p50": float(middle), "p95": float(high)}


def _labs(panel: Panel, spells: Any) -> dict[str, Any]:
    """The figures of each lab."""
    totals = {
        name: panel.column(name).sum(axis=1).astype(float)
        for name in ("hires", "departures", "offers", "accepted", "acquihires", "from_rivals", "counters")
    }
    totals["headcount_end"] = panel.column("headcount")[:, -1].astype(float)
    totals["spend_usd"] = panel.column("spend_cents").sum(axis=1) / 100
    made = totals["offers"]
    totals["acceptance_rate"] = np.divide(
        totals["accepted"], made, out=np.full(made.shape, np.nan), where=made > 0
    )
    totals["moves_to_rivals_per_year"] = counts.moves_to_rivals_per_year(panel)
    retention, exits = _retention(panel, spells), _exits(panel, spells)
    return {
        lab: {name: spread(values[:, j]) for name, values in totals.items()}
        | {"retention": retention[lab], "exits_24m": exits[lab]}
        for j, lab in enumerate(panel.labs)
    }


def _retention(panel: Panel, spells: Any) -> dict[str, dict[str, Any]]:
    """Survival of each cohort at 12 and 24 months, by lab."""
    found: dict[str, dict[str, Any]] = {lab: {} for lab in panel.labs}
    for cohort, who in RETENTION.items():
        by_run = counts.spell_counts(
            spells, who=who, per_run=True, runs=panel.runs, groups=panel.labs, weeks=MONTHS_24
        )
        for moment, week in MOMENTS.items():
            for lab, figures in zip(panel.labs, _survival_at(by_run, week), strict=True):
                found[lab][f"{cohort}_{moment}"] = figures
    return found


def _survival_at(by_run: SpellCounts, week: int) -> list[dict[str, float | None]]:
    """For each lab survival at a week: pooled with its 95 % interval, and its spread over runs."""
    pooled, single = by_run.pooled(), curves.kaplan_meier(by_run.at_risk, by_run.ends)[..., week]
    survival = curves.kaplan_meier(pooled.at_risk, pooled.ends)
    lower, upper = curves.log_log_interval(survival, curves.greenwood(pooled.at_risk, pooled.ends))
    figures = []
    for j in range(len(by_run.groups)):
        runs = spread(single[:, j])
        known = {"estimate": survival, "lower": lower, "upper": upper}
        point = {name: _number(curve[j, week]) for name, curve in known.items()}
        figures.append(point | {"p05": runs["p05"], "p95": runs["p95"]})
    return figures


def _exits(panel: Panel, spells: Any) -> dict[str, dict[str, float | None]]:
    """Aalen-Johansen: share of new hires gone within 24 months, by cause and lab."""
    pooled = counts.spell_counts(spells, groups=panel.labs, runs=panel.runs, weeks=EXITS_AFTER)
    incidence = curves.aalen_johansen(pooled.at_risk, pooled.ends_by_cause)[..., EXITS_AFTER]
    return {
        lab: {cause: _number(incidence[j, c]) for c, cause in enumerate(CAUSES)}
        for j, lab in enumerate(panel.labs)
    }


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _campaign(name: str, panel: Panel, offers: Any) -> dict[str, Any]:
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
    figures = {
        "contacted": _distinct(run, person, runs),
        "offered": offered,
        "accepted": hired,
        "acceptance_rate": np.divide(hired, offered, out=np.full(runs, np.nan), where=offered > 0),
        "followers": followers.astype(float),
        "largest_package_usd": np.array([part.max() if len(part) else np.nan for part in sizes]),
        "median_package_usd": np.array([np.median(part) if len(part) else np.nan for part in sizes]),
    }
    return {figure: spread(values) for figure, values in figures.items()}


def _distinct(run: Any, person: Any, runs: int) -> Floats:
    """How many different people there are in each run."""
    pairs = np.unique(np.stack([run, person]), axis=1)
    return np.bincount(pairs[0], minlength=runs).astype(float)


def _flows(panel: Panel, spells: Any) -> dict[str, dict[str, Any]]:
    """Moves between each pair of labs in weeks 0 to 103: spread over runs."""
    moved = counts.flows(spells, panel.labs, panel.runs).astype(float)
    return {
        origin: {goal: spread(moved[:, i, j]) for j, goal in enumerate(panel.labs) if i != j}
        for i, origin in enumerate(panel.labs)
    }


def _events(panel: Panel, events: Any) -> dict[str, Any]:
    """Each event by kind and name: in how many runs it happened, and in which week."""
    found: dict[str, Any] = {}
    kind, kinds = codes(events.column("kind"))
    name, names = codes(events.column("name"))
    week = numbers(events.column("week")).astype(float)
    run = numbers(events.column("run"))
    for k, n in sorted(set(zip(kind.tolist(), name.tolist(), strict=True))):
        here = (kind == k) & (name == n)
        found[f"{kinds[k]}: {names[n]}"] = {
            "runs": len(np.unique(run[here])),
            "share": len(np.unique(run[here])) / len(panel.runs),
            "week": spread(week[here]),
        }
    return found
