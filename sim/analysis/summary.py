"""The summary of a result: `summary.json` as DESIGN.md's contract has it.

Spreads are over runs: mean, 5th, 50th and 95th percentile. Retention is Kaplan-Meier pooled over
runs with a pointwise 95 % interval, and its spread over runs beside it. Nothing here is NaN: what
no run can tell is null.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.analysis import curves
from sim.analysis.counts import SpellCounts
from sim.analysis.curves import MONTHS_24
from sim.analysis.ensemble import HIRES, MOMENTS, RETENTION, Ensemble, measure, occurrences
from sim.scenario.schema import Scenario
from sim.system.arrays import Floats
from sim.system.tables import CAUSES, FORMAT, codes, numbers

_INNER = ("retention.", "exits_24m.")  # figures that have their own section


def summarise(scenario: Scenario, seed: int, tables: dict[str, Any]) -> dict[str, Any]:
    """All figures of a result, ready for JSON.

    Args:
        scenario: what was run.
        seed: seed of the ensemble.
        tables: the recorded tables by name; `labs` must hold every run.
    """
    return summary_of(scenario, seed, measure(scenario, tables))


def summary_of(scenario: Scenario, seed: int, ensemble: Ensemble, failed: int = 0) -> dict[str, Any]:
    """All figures of a measured ensemble, ready for JSON.

    Args:
        scenario: what was run.
        seed: seed of the ensemble.
        ensemble: its runs, without those that failed.
        failed: how many runs failed besides.
    """
    return {
        "format": FORMAT,
        "scenario": scenario.name,
        "seed": seed,
        "runs": len(ensemble.runs) + failed,
        "failed": failed,
        "weeks": len(ensemble.dates),
        "labs": _labs(ensemble),
        "failed_labs": failed_labs(ensemble.events, len(ensemble.runs)),
        "campaigns": {
            name: {figure: spread(values) for figure, values in figures.items()}
            for name, figures in ensemble.campaigns.items()
        },
        "flows": _flows(ensemble),
        "events": _events(ensemble),
    }


def spread(values: Floats) -> dict[str, float | None]:
    """Mean and percentiles over runs of a figure (R,); runs in which it is nan do not count."""
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    if not len(known):
        return dict.fromkeys(("mean", "p05", "p50", "p95"))
    low, middle, high = np.percentile(known, (5, 50, 95))
    return {"mean": float(known.mean()), "p05": float(low), "p50": float(middle), "p95": float(high)}


def _labs(ensemble: Ensemble) -> dict[str, Any]:
    """The figures of each lab."""
    plain = {name: values for name, values in ensemble.figures.items() if not name.startswith(_INNER)}
    retention, exits = _retention(ensemble), _exits(ensemble.pooled[HIRES])
    return {
        lab: {name: spread(values[:, j]) for name, values in plain.items()}
        | {"retention": retention[j], "exits_24m": exits[j]}
        for j, lab in enumerate(ensemble.labs)
    }


def _retention(ensemble: Ensemble) -> list[dict[str, Any]]:
    """For each lab survival of each cohort at 12 and 24 months: pooled, and its spread over runs."""
    found: list[dict[str, Any]] = [{} for _ in ensemble.labs]
    for cohort in RETENTION:
        pooled = ensemble.pooled[cohort]
        survival = curves.kaplan_meier(pooled.at_risk, pooled.ends)
        lower, upper = curves.log_log_interval(survival, curves.greenwood(pooled.at_risk, pooled.ends))
        known = {"estimate": survival, "lower": lower, "upper": upper}
        for moment, week in MOMENTS.items():
            single = ensemble.figures[f"retention.{cohort}_{moment}"]
            for j, figures in enumerate(found):
                runs = spread(single[:, j])
                point = {name: _number(curve[j, week]) for name, curve in known.items()}
                figures[f"{cohort}_{moment}"] = point | {"p05": runs["p05"], "p95": runs["p95"]}
    return found


def _exits(hires: SpellCounts) -> list[dict[str, float | None]]:
    """For each lab, Aalen-Johansen: share of new hires gone within 24 months, by cause."""
    incidence = curves.aalen_johansen(hires.at_risk, hires.ends_by_cause)[..., MONTHS_24]
    return [{cause: _number(lab[c]) for c, cause in enumerate(CAUSES)} for lab in incidence]


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _flows(ensemble: Ensemble) -> dict[str, dict[str, Any]]:
    """Moves between each pair of labs in weeks 0 to 103: spread over runs."""
    moved = ensemble.flows.astype(float)
    return {
        origin: {goal: spread(moved[:, i, j]) for j, goal in enumerate(ensemble.labs) if i != j}
        for i, origin in enumerate(ensemble.labs)
    }


def failed_labs(events: Any, runs: int) -> dict[str, Any]:
    """The labs that failed, by name: in how many of the runs, and in which week.

    Args:
        events: recorded table.
        runs: how many runs came to their end.
    """
    kind, kinds = codes(events.column("kind"))
    lab, names = codes(events.column("lab"))
    here = kind == kinds.index("failure") if "failure" in kinds else np.zeros(len(kind), bool)
    run, week = numbers(events.column("run")), numbers(events.column("week")).astype(float)
    found = {}
    for number in np.unique(lab[here]):
        mine = here & (lab == number)
        often = len(np.unique(run[mine]))
        found[names[number]] = {"runs": often, "share": often / runs, "week": spread(week[mine])}
    return found


def _events(ensemble: Ensemble) -> dict[str, Any]:
    """Each event by kind and name: in how many runs it happened, and in which week."""
    found = {}
    for event, (run, week) in occurrences(ensemble).items():
        happened = len(np.unique(run))
        found[event] = {"runs": happened, "share": happened / len(ensemble.runs), "week": spread(week)}
    return found
