"""What is behind the browser page: its inputs, the run that they make, and that run in words.

Nothing here needs Solara; `sim.report.app` is the page itself.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from sim.model import TalentMarket
from sim.report.serve import SCENARIO_VARIABLE
from sim.scenario.errors import ScenarioError
from sim.scenario.loading import change_scenario, load_scenario, scenario_names
from sim.scenario.schema import Scenario

DEFAULT = "meta-2025"


@dataclass(frozen=True)
class Setting:
    """A slider and the value of a scenario that it sets."""

    name: str
    unit: str
    path: str
    low: float
    high: float
    step: float
    suffix: str = ""  # the unit as a scenario writes it
    size: float = 1  # of one unit in what a scenario holds: cents for money

    def find(self, scenario: Scenario) -> tuple[str, float] | None:
        """Full path in a scenario and value there; None if it has no such thing.

        An event is named by its kind, and the first of that kind is meant.
        """
        place: Any = scenario
        steps: list[str] = []
        for step in self.path.split("."):
            if isinstance(place, tuple):
                number = next((i for i, event in enumerate(place) if event.kind == step), None)
                if number is None:
                    return None
                steps, place = [*steps, str(number), step], place[number].body
                continue
            if isinstance(place, dict) and step not in place:
                return None
            steps, place = [*steps, step], place[step] if isinstance(place, dict) else getattr(place, step)
        return ".".join(steps), place / self.size

    def override(self, scenario: Scenario, value: float | None) -> list[str]:
        """What `--set` would say; nothing if the scenario has this very value or no such thing."""
        found = self.find(scenario)
        if value is None or found is None or math.isclose(found[1], value, abs_tol=1e-9):
            return []
        return [f"{found[0]}={value:.10g}{self.suffix}"]

    def stand(self, scenario: Scenario) -> float:
        """Where the slider stands at first: where the scenario stands, or else the default scenario."""
        found = self.find(scenario) or self.find(load_scenario(DEFAULT))
        return float(found[1]) if found is not None else self.low

    @property
    def label(self) -> str:
        """The name with the unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


SETTINGS = {
    "package_cap": Setting(
        "Package cap", "M USD", "events.campaign.package_cap", 1, 500, 1, suffix="M USD", size=1e8
    ),
    "researchers": Setting("Researchers approached", "", "events.campaign.researchers", 1, 500, 1),
    "surprise": Setting("Surprise of the release", "sds", "events.model_release.surprise", -3, 3, 0.1),
    "inflow": Setting(
        "Meta's talent inflow", "B USD a year", "labs.meta.talent_inflow", 0, 10, 0.1, "B USD/year", 1e11
    ),
    "elasticity": Setting("Pay elasticity", "", "market.choice.pay_elasticity", 0.5, 4, 0.1),
}


def opening_scenario() -> str:
    """Name or path of the scenario with which the page opens."""
    return os.environ.get(SCENARIO_VARIABLE, DEFAULT)


def offered_scenarios() -> list[str]:
    """The scenarios that may be chosen: the shipped ones, and the one the page was started with."""
    return list(dict.fromkeys([*scenario_names(), opening_scenario()]))


class PageMarket(TalentMarket):
    """The run on the page. Its arguments are the page's inputs, and none keeps it from being made.

    Args:
        name: one of the scenarios offered.
        rng: seed.
        package_cap, researchers, surprise, inflow, elasticity: in the units of SETTINGS; None is the
            scenario's own. What the scenario does not know is left out.

    Where an input is refused, `refusal` says why, and the scenario runs as it stands.
    """

    def __init__(
        self,
        name: str = DEFAULT,
        rng: int = 1,
        package_cap: float | None = None,
        researchers: float | None = None,
        surprise: float | None = None,
        inflow: float | None = None,
        elasticity: float | None = None,
    ) -> None:
        values = (package_cap, researchers, surprise, inflow, elasticity)
        scenario, refusal = _changed(name, dict(zip(SETTINGS, values, strict=True)))
        super().__init__(scenario, seed=rng)
        self.chosen_seed, self.refusal = rng, refusal
        self._drawn: tuple[int, dict[str, Any]] = (0, {})

    def tables(self) -> dict[str, Any]:
        """The recorded tables so far, gathered once a week; empty before the first week."""
        if self._drawn[0] != self.week:
            self._drawn = (self.week, super().tables())
        return self._drawn[1]


def _changed(name: str, values: dict[str, float | None]) -> tuple[Scenario, str]:
    """The scenario with the values that it knows, and why an input was refused, if one was."""
    if name not in offered_scenarios():
        return load_scenario(DEFAULT), f"there is no scenario {name!r} here"
    try:
        scenario = load_scenario(name)
    except ScenarioError as error:
        return load_scenario(DEFAULT), str(error)
    overrides = [text for key, value in values.items() for text in SETTINGS[key].override(scenario, value)]
    try:
        return (change_scenario(scenario, overrides) if overrides else scenario), ""
    except ScenarioError as error:
        return scenario, "; ".join(f"{problem.path}: {problem.message}" for problem in error.problems)


def in_force(model: PageMarket) -> list[str]:
    """What the run was made with, in words."""
    scenario = model.talent_scenario
    words = [f"Scenario {scenario.name}", f"Seed {model.chosen_seed}"]
    for setting in SETTINGS.values():
        found = setting.find(scenario)
        words.append(
            f"{setting.name} {found[1]:.4g} {setting.unit}".rstrip()
            if found
            else f"{setting.name}: not in this scenario"
        )
    return words


def totals(model: PageMarket) -> str:
    """Hires, departures and offers so far, in words."""
    tables = model.tables()
    if not tables:
        return f"{model.employed:,} researchers at {len(model.talent_scenario.labs)} labs"
    hires, leave, offers, accepted = (
        pc.sum(tables["labs"].column(name)).as_py() for name in ("hires", "departures", "offers", "accepted")
    )
    return (
        f"{model.employed:,} researchers at {len(model.talent_scenario.labs)} labs. So far {hires:,} hires, "
        f"{leave:,} departures, {offers:,} offers, {accepted:,} of them accepted"
        + _campaign(tables["offers"])
    )


def _campaign(offers: Any) -> str:
    """What came of campaigns so far, in words; empty before their first offer."""
    written = pc.and_(pc.is_valid(offers.column("campaign")), pc.is_valid(offers.column("offer_week")))
    outcomes = offers.filter(written).column("outcome").to_pylist()
    return f". Campaign: {len(outcomes)} offers, {outcomes.count('accepted')} accepted" if outcomes else ""
