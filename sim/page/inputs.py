"""What is behind the browser page: its inputs, the run that they make, and that run in words.

Nothing here needs Solara; `sim.page.app` is the page itself.
"""

from __future__ import annotations

import itertools
import logging
import math
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import pyarrow.compute as pc

from sim.model import TalentMarket
from sim.page.address import Choices
from sim.page.serve import SCENARIO_VARIABLE
from sim.scenario.errors import Place, ScenarioError, printable
from sim.scenario.loading import change_scenario, load_with_places, scenario_names
from sim.scenario.schema import Scenario

MOST_PEOPLE = 20_000  # in all; a page is for one market at a time
MOST_TOLD = 3  # problems of a refusal
_NUMBERS = itertools.count(1)
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
        return (".".join(steps), place / self.size) if isinstance(place, int | float) else None

    def chosen(self, choices: Choices, scenario: Scenario) -> float | None:
        """Where the slider stands: at the changed value, else where the scenario stands; None if nowhere."""
        found = self.find(scenario)
        if found is None:
            return None
        text = dict(choices.changes).get(found[0], "")
        try:
            value = float(text.strip().removesuffix(self.suffix))
        except ValueError:  # nothing changed, or written otherwise by hand
            return found[1]
        return value if math.isfinite(value) else found[1]

    def choose(self, choices: Choices, scenario: Scenario, value: float) -> Choices:
        """The choices with the slider at a value; no change where the scenario has this very value."""
        found = self.find(scenario)
        if found is None:
            return choices
        same = math.isclose(found[1], value, abs_tol=1e-9)
        return choices.changed(found[0], None if same else f"{value:.10g}{self.suffix}")

    @property
    def label(self) -> str:
        """The name with the unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


SETTINGS = {
    "package_cap": Setting(
        "Package cap", "M USD", "events.campaign.package_cap", 1, 500, 1, suffix="M USD", size=1e8
    ),
    "researchers": Setting("Researchers approached", "", "events.campaign.researchers", 1, 600, 1),
    "surprise": Setting("Surprise of the release", "sds", "events.model_release.surprise", -3, 3, 0.1),
    "inflow": Setting("Meta's money for talent", "times its plan", "labs.meta.talent_factor", 0, 5, 0.05),
    "elasticity": Setting("Pay elasticity", "", "market.choice.pay_elasticity", 0.5, 4, 0.1),
}


def opening_scenario() -> str:
    """Name or path of the scenario with which the page opens."""
    return os.environ.get(SCENARIO_VARIABLE, DEFAULT)


def offered_scenarios() -> list[str]:
    """The scenarios that may be chosen: the shipped ones, and the one the page was started with."""
    return list(dict.fromkeys([*scenario_names(), opening_scenario()]))


def unchanged(name: str) -> tuple[Scenario, dict[str, Place]]:
    """A scenario as it stands, and where its values stand; a shipped one is read once.

    Raises:
        ScenarioError: if it cannot be read.
    """
    return _shipped(name) if name in scenario_names() else load_with_places(name)


def unchanged_or_default(name: str) -> tuple[Scenario, dict[str, Place]]:
    """As `unchanged`; the default scenario where that one cannot be read."""
    try:
        return unchanged(name)
    except ScenarioError:
        return unchanged(DEFAULT)


@lru_cache(maxsize=64)
def _shipped(name: str) -> tuple[Scenario, dict[str, Place]]:
    return load_with_places(name)


def changed(scenario: Scenario, overrides: Sequence[str]) -> tuple[Scenario, str]:
    """The scenario with changes, and why they were refused, if they were: then it is as it stands."""
    if not overrides:
        return scenario, ""
    try:
        found = change_scenario(scenario, overrides)
    except ScenarioError as error:
        told = error.problems[:MOST_TOLD]
        return scenario, printable("; ".join(f"{problem.path}: {problem.message}" for problem in told))
    if found.people > MOST_PEOPLE:
        why = f"this makes {found.people:,.0f} researchers in all; the page shows up to {MOST_PEOPLE:,}"
        return scenario, f"{why}, the command line more"
    return found, ""


def opened(asked: Choices) -> tuple[PageMarket, list[str]]:
    """The run that an address asks for, as many weeks on, and in words what of it cannot be had."""
    model = PageMarket(lambda: asked)
    horizon = model.talent_scenario.horizon
    for _ in range(min(asked.week, horizon)):
        model.step()
    problems = [f"week {asked.week} is beyond the last, {horizon}"] if asked.week > horizon else []
    return model, problems


class PageMarket(TalentMarket):
    """The run on the page. Whatever is asked for, it is made; whatever fails, it stays.

    Args:
        choices: gives what the page asks for now; Mesa calls the class with it at every Reset.
        rng: seed; that of the choices if not given.

    What was refused is said in `refusal`, and the scenario runs as it stands; what failed, in `fault`, and
    the run stops.
    """

    def __init__(self, choices: Callable[[], Choices], rng: int | None = None) -> None:
        asked = choices()
        seed = asked.seed if rng is None else rng
        self.fault, self.number = "", next(_NUMBERS)  # pages tell runs apart by it
        self._lock = threading.RLock()  # one thread plays while another draws
        try:
            scenario, self.refusal = changed(unchanged(asked.scenario)[0], asked.overrides)
        except ScenarioError as error:
            told = "; ".join(str(error).split("\n")[:MOST_TOLD])
            asked, scenario, self.refusal = Choices(DEFAULT), unchanged(DEFAULT)[0], told
        super().__init__(scenario, seed=seed, agents=False)
        changes = () if self.refusal else asked.changes
        self.in_force = Choices(asked.scenario, seed, changes)
        self._drawn: tuple[int, dict[str, Any]] = (0, {})
        self._unchanged: PageMarket | None = None

    @property
    def unchanged_run(self) -> PageMarket | None:
        """The run without the changes under the same seed, lived as far as this one; None if there are none.

        It is made when it is first asked for, and lives along from then on.
        """
        if not self.in_force.changes:
            return None
        with self._lock:
            if self._unchanged is None:
                self._unchanged = PageMarket(lambda: replace(self.in_force, changes=()))
            while self._unchanged.week < self.week and not self._unchanged.fault:
                self._unchanged.step()
            return self._unchanged

    def step(self) -> None:
        """Live through one week; where that fails, say so and stop."""
        if self.fault:
            return
        try:
            with self._lock:
                super().step()
                if self._unchanged is not None:
                    self._unchanged.step()
        except Exception as error:
            logging.getLogger(__name__).exception("a week failed")
            self.fault = f"Week {self.week} failed ({printable(f'{type(error).__name__}: {error}')[:200]})"
            self.running = False

    def tables(self) -> dict[str, Any]:
        """The recorded tables so far, gathered once a week; empty before the first week."""
        with self._lock:
            if self._drawn[0] != self.week:
                self._drawn = (self.week, super().tables())
            return self._drawn[1]

    @property
    def choices(self) -> Choices:
        """What brings this very page back."""
        return replace(self.in_force, week=self.week)


def in_force(model: PageMarket) -> list[str]:
    """What the run was made with, in words."""
    scenario = model.talent_scenario
    words = [f"Scenario {scenario.name}", f"Seed {model.in_force.seed}"]
    for setting in SETTINGS.values():
        found = setting.find(scenario)
        words.append(
            f"{setting.name} {found[1]:.4g} {setting.unit}".rstrip()
            if found
            else f"{setting.name}: not in this scenario"
        )
    sliders = {found[0] for s in SETTINGS.values() if (found := s.find(scenario))}
    return words + [f"{path} {text}" for path, text in model.in_force.changes if path not in sliders]


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
