"""What oracles share: a scenario of `scenarios/theory/` at some parameters, and the market lived through."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sim.market.opening import open_market
from sim.market.state import Market
from sim.market.week import advance
from sim.scenario.figures import data_folder
from sim.scenario.loading import load_scenario
from sim.scenario.schema import Scenario
from sim.theory.checks import Check

EXACT = 1e-9
Parameters = Mapping[str, float]
Findings = list[Check]


def scenario_of(name: str, *overrides: str) -> Scenario:
    """A theory scenario with some parameters in place of its own."""
    return load_scenario(data_folder("scenarios") / "theory" / f"{name}.yaml", overrides)


def opened(scenario: Scenario, seed: int) -> Market:
    """One run of a scenario at its opening."""
    return open_market(scenario, seed, np.array([0]), keep_all=False)


def lived(scenario: Scenario, seed: int) -> Market:
    """One run of a scenario at its end."""
    market = opened(scenario, seed)
    for _ in range(scenario.horizon):
        advance(market)
    return market
