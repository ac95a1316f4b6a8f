"""The browser page: Mesa's SolaraViz around one run, with both curves, week by week.

`talentsim app` serves it. Every browser session has a model of its own. The scenario and the sliders
act on Reset, as everywhere in Mesa; what is in force stands in words above the curves.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc
import solara
from matplotlib.figure import Figure
from mesa.visualization import Slider, SolaraViz
from mesa.visualization.utils import update_counter

from sim.model import TalentMarket
from sim.report import plots
from sim.report.serve import SCENARIO_VARIABLE
from sim.scenario.errors import ScenarioError
from sim.scenario.loading import change_scenario, load_scenario, scenario_names
from sim.scenario.schema import Scenario

DEFAULT = "meta-2025"
PLAY_MILLISECONDS, WEEKS_A_PICTURE = 51, 5  # both lie on the grids of Mesa's sliders for them
FRAME = (0.055, 0.15, 0.72, 0.64)  # room for headline, labels at the right and a source line
STYLE = """
.talentsim { max-width: 1100px; margin: 0 auto; padding: 0 16px; }
.talentsim h2 { margin: 0; line-height: 1.2; }
.talentsim img { width: 100%; height: auto; }
.v-input__slider { margin-top: 0; }
.v-input__slider .v-input__slot { flex-direction: column; align-items: stretch; }
"""

logging.getLogger("MESA").setLevel(logging.WARNING)  # else a line for every step


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

    def slider(self, scenario: Scenario) -> Slider:
        """The slider, standing where the scenario stands, or else the default scenario."""
        value = float((self.find(scenario) or self.find(load_scenario(DEFAULT)) or ("", self.low))[1])
        label = f"{self.name} ({self.unit})" if self.unit else self.name
        return Slider(label, value, min(self.low, value), max(self.high, value), self.step, dtype=float)


SETTINGS = {
    "package_cap": Setting(
        "Package cap", "M USD", "events.campaign.package_cap", 1, 500, 1, suffix="M USD", size=1e8
    ),
    "researchers": Setting("Researchers approached", "", "events.campaign.researchers", 1, 200, 1),
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


@solara.component
def Facts(model: PageMarket) -> None:  # noqa: N802 - components are named so
    """Week, date and totals; below them what is in force, and what was refused."""
    update_counter.get()
    horizon = model.talent_scenario.horizon
    solara.HTML("h2", f"Week {model.week} of {horizon}: {model.today:%-d %B %Y}")
    solara.Text(totals(model))
    with solara.Row(gap="6px", style={"flex-wrap": "wrap", "margin": "8px 0"}):
        solara.Text("In force:")
        for words in in_force(model):
            solara.v.Chip(small=True, outlined=True, children=[words])
    if model.refusal:
        solara.Warning(f"Refused, so the scenario runs as it stands. {model.refusal}")
    if model.week == 0:
        solara.Info(
            "Press ▶ or Step to live through the first weeks; the curves appear here. Both go on by as many "
            "weeks at a time as Render Interval says. A scenario and sliders act when you press Reset."
        )


def hiring(model: PageMarket, figure: Figure) -> None:
    """Draw the hiring curve."""
    tables = model.tables()
    axes = figure.add_axes(FRAME)
    plots.plot_hiring(model.talent_scenario, tables["labs"], tables["events"], axes)


def retention(model: PageMarket, figure: Figure) -> None:
    """Draw the retention curve."""
    plots.plot_retention(model.talent_scenario, model.tables()["spells"], figure.add_axes(FRAME))


@solara.component
def Curve(model: PageMarket, draw: Callable[[PageMarket, Figure], None]) -> None:  # noqa: N802
    """A curve of the run, drawn anew when the week or the model is another."""
    update_counter.get()

    def drawn() -> Figure:
        figure = Figure(figsize=(10, 4.4), facecolor="white")
        draw(model, figure)
        return figure

    when = [id(model), model.week]
    figure = solara.use_memo(lambda: drawn() if model.week else None, when)
    if figure is not None:
        solara.FigureMatplotlib(figure, dependencies=when, format="svg")


@solara.component
def Page() -> None:  # noqa: N802
    """The page of one browser session."""
    model = solara.use_memo(lambda: solara.reactive(PageMarket(opening_scenario())), [])
    inputs = solara.use_memo(lambda: model_inputs(model.value.talent_scenario), [])
    solara.Style(STYLE)
    SolaraViz(
        model,
        model_params=inputs,
        name="talentsim: the market for AI talent",
        play_interval=PLAY_MILLISECONDS,
        render_interval=WEEKS_A_PICTURE,
    )
    with solara.Column(classes=["talentsim"]):
        Facts(model.value)
        Curve(model.value, hiring)
        Curve(model.value, retention)


def model_inputs(scenario: Scenario) -> dict[str, Any]:
    """Mesa's inputs: the chooser, the seed and the sliders, standing where the scenario stands."""
    names = offered_scenarios()
    chooser = {"type": "Select", "label": "Scenario", "value": opening_scenario(), "values": names}
    sliders = {key: setting.slider(scenario) for key, setting in SETTINGS.items()}
    return {"name": chooser, "rng": Slider("Seed", 1, 1, 100, 1, dtype=int), **sliders}
