"""What agents see of the model that they belong to."""

from __future__ import annotations

from typing import Any

import mesa

from sim.market.state import Market
from sim.scenario.schema import Scenario
from sim.system.arrays import Integers


class SeenByAgents(mesa.Model[Any, Any]):
    """A model with the columns of one run.

    Attributes:
        talent_scenario: the scenario that is lived.
        market: the columns, of one run.
        removed: departures of those removed since the last week, (1, labs, causes).
    """

    talent_scenario: Scenario
    market: Market
    removed: Integers

    @property
    def week(self) -> int:
        """Weeks lived so far."""
        return self.market.week

    @property
    def over(self) -> bool:
        """Whether the horizon is reached, so that nothing more can happen."""
        return self.week >= self.talent_scenario.horizon
