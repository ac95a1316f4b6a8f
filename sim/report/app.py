"""The browser page: Mesa's SolaraViz around one run, with both curves, week by week.

`talentsim app` serves it. Every browser session has a model of its own. The scenario and the sliders
act on Reset, as everywhere in Mesa; what is in force stands in words above the curves.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import solara
from matplotlib.figure import Figure
from mesa.visualization import Slider, SolaraViz
from mesa.visualization.utils import update_counter

from sim.report import plots
from sim.report.inputs import (
    SETTINGS,
    PageMarket,
    in_force,
    offered_scenarios,
    opening_scenario,
    totals,
)
from sim.scenario.schema import Scenario

PLAY_MILLISECONDS, WEEKS_A_PICTURE = 51, 5  # both lie on the grids of Mesa's sliders for them
FRAME = (0.055, 0.15, 0.72, 0.64)  # room for headline, labels at the right and a source line
STYLE = """
.talentsim { max-width: 1100px; margin: 0 auto; padding: 0 16px; }
.talentsim h2 { margin: 0; line-height: 1.2; }
.talentsim img { width: 100%; height: auto; }
.v-slider--horizontal { min-height: 22px; }
.v-input__slider .v-input__slot { flex-direction: column; align-items: stretch; }
"""

logging.getLogger("MESA").setLevel(logging.WARNING)  # else a line for every step


@solara.component
def Facts(model: PageMarket) -> None:  # noqa: N802 - components are named so
    """Week, date and totals; below them what is in force, and what was refused."""
    update_counter.get()
    horizon = model.talent_scenario.horizon
    solara.HTML("h2", f"Week {model.week} of {horizon}: {model.today.day} {model.today:%B %Y}")
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
    solara.Title("talentsim")
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
    sliders = {}
    for key, setting in SETTINGS.items():
        value = setting.stand(scenario)
        low, high = min(setting.low, value), max(setting.high, value)
        sliders[key] = Slider(setting.label, value, low, high, setting.step, dtype=float)
    return {"name": chooser, "rng": Slider("Seed", 1, 1, 100, 1, dtype=int), **sliders}
