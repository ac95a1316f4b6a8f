"""A market of other size with the same people: everything that counts heads or pays them, times a factor."""

from __future__ import annotations

from typing import Any

from sim.scenario.schema import Lab, Scenario


def without_events(scenario: Scenario) -> Scenario:
    return scenario.model_copy(update={"events": ()})


def scaled(scenario: Scenario, factor: int) -> Scenario:
    """Staff, plans, outsiders, graduates, balances and inflows times `factor`; pay and rates as they are."""
    if factor == 1:
        return scenario
    entry = scenario.market.entry
    changes = {name: getattr(entry, name) * factor for name in ("outside", "graduates", "graduates_growth")}
    market = scenario.market.model_copy(update={"entry": entry.model_copy(update=changes)})
    labs = {name: _scaled_lab(lab, factor) for name, lab in scenario.labs.items()}
    return scenario.model_copy(update={"market": market, "labs": labs})


def _scaled_lab(lab: Lab, factor: int) -> Lab:
    treasury = lab.treasury
    plan = tuple(point.model_copy(update={"staff": point.staff * factor}) for point in lab.headcount_plan)
    changes: dict[str, Any] = {
        name: getattr(lab, name) * factor for name in ("staff", "talent_opening", "talent_inflow")
    }
    changes["headcount_plan"] = plan
    changes["treasury"] = treasury.model_copy(
        update={"opening": treasury.opening * factor, "inflow": treasury.inflow * factor}
    )
    return lab.model_copy(update=changes)
