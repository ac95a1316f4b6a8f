"""The browser page: Mesa's SolaraViz around one run, with our own inputs and pictures, week by week.

`talentsim app` serves it. Every browser session has a model of its own. The scenario and its values
act on Reset, as everywhere in Mesa; what is in force stands in words above the tabs, and in the address.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import solara
import solara.lab
from mesa.visualization import Slider, SolaraViz
from mesa.visualization.utils import update_counter

from sim.page import tabs
from sim.page.address import Choices, read_query
from sim.page.inputs import (
    SETTINGS,
    PageMarket,
    in_force,
    offered_scenarios,
    opened,
    opening_scenario,
    totals,
    unchanged_or_default,
)
from sim.page.turns import RUNS
from sim.page.widgets import Address, Names, Notice

PLAY_MILLISECONDS, WEEKS_A_PICTURE = 51, 5  # both lie on the grids of Mesa's sliders for them
SEEDS = 100  # of the slider; an address may have others
BUTTONS = {  # whose face is a sign, and what each does
    ".v-app-bar__nav-icon": "Scenario and controls",
    ".v-app-bar .v-btn:not(.v-app-bar__nav-icon)": "Light or dark",
    "▶": "▶ Play",
    "❚❚": "❚❚ Pause",
}
STYLE = """
.v-toolbar__title h1 { font: inherit; display: inline; }
.talentsim { max-width: 1100px; padding: 0 16px; }
.talentsim h2 { margin: 0; line-height: 1.2; }
.talentsim h3 { margin: 12px 0 0; font-size: 1.05rem; }
.talentsim img { width: 100%; height: auto; }
.talentsim .v-tab { text-transform: none; letter-spacing: 0; color: #333 !important; min-width: 60px; }
.talentsim .v-tab--active { color: #0d47a1 !important; font-weight: 600; }
.talentsim .notice { padding: 8px 12px; margin: 8px 0; border-left: 4px solid #1565c0; background: #eef4fb;
  color: #222; overflow-wrap: anywhere; }
.talentsim .notice.problem { border-color: #b71c1c; background: #fdeeee; }
.talentsim .story { white-space: pre-wrap; font-family: monospace; font-size: 0.85rem; overflow-x: auto; }
.talentsim .help { color: #555; font-size: 0.85rem; margin: -10px 0 10px; }
.talentsim .events { columns: 26em; color: #444; font-size: 0.85rem; margin: 0 0 16px; }
.talentsim .events::marker { font-weight: 600; }
.talentsim .offer { display: flex; gap: 10px; align-items: baseline; padding: 2px 0; }
.talentsim .offer > :first-child { white-space: nowrap; }
.talentsim .offer.accepted { font-weight: 600; }
.talentsim :focus-visible, .v-slider:focus-within { outline: 2px solid #0d47a1; outline-offset: 2px; }
.theme--dark .talentsim .v-tab, .theme--dark .talentsim .help,
.theme--dark .talentsim .events { color: #ddd !important; }
.theme--dark .talentsim .v-tab--active { color: #90caf9 !important; }
.theme--dark .talentsim img { background: white; }
@media (max-width: 959px) {
  .v-navigation-drawer { min-width: 320px !important; width: 320px !important; z-index: 4 !important;
    top: 56px !important; max-height: calc(100% - 56px) !important; }  /* its button stays in reach */
  .v-navigation-drawer label, .v-navigation-drawer .v-btn { font-size: 0.85rem; }
}
@media (min-width: 720px) and (max-width: 959px) {  /* the open drawer stands beside the page, not above it */
  .v-overlay { display: none; }
  body:has(.v-navigation-drawer--open) .v-content { padding-left: 320px !important; }
}
.v-slider--horizontal { min-height: 22px; }
.v-input__slider .v-input__slot { flex-direction: column; align-items: stretch; }
"""

logging.getLogger("MESA").setLevel(logging.WARNING)  # else a line for every step


@solara.component
def Facts(model: PageMarket, problems: list[str]) -> None:  # noqa: N802 - components are named so
    """Week, date and totals; below them what is in force, and what was refused or failed."""
    update_counter.get()
    horizon = model.talent_scenario.horizon
    Address.element(query=model.choices.query)
    solara.HTML("h2", f"Week {model.week} of {horizon}: {model.today.day} {model.today:%B %Y}")
    solara.Text(totals(model))
    with solara.Row(gap="6px", style={"flex-wrap": "wrap", "margin": "8px 0"}):
        solara.Text("In force:")
        for words in in_force(model):
            solara.v.Chip(small=True, outlined=True, children=[words])
    if problems:
        Notice(f"The address was not understood in full: {'; '.join(problems)}.", "problem")
    if model.refusal:
        Notice(f"Refused, so the scenario runs as it stands. {model.refusal}", "problem")
    if model.fault:
        Notice(f"{model.fault}. Press Reset to begin anew.", "problem")
    elif model.week == 0:
        Notice(
            "Press ▶ or Step to live through the first weeks; the curves appear here. Both go on by as many "
            "weeks at a time as Render Interval says. A scenario, sliders and parameters act when you press "
            "Reset. The address of this page brings it back as it is."
        )


@solara.component
def ScenarioCard(wanted: solara.Reactive[Choices]) -> None:  # noqa: N802
    """The chooser, the sliders for what the article is about, and what is changed."""
    choices = wanted.value
    scenario = unchanged_or_default(choices.scenario)[0]
    with solara.Card("Scenario"):
        solara.Select(
            "Scenario",
            values=offered_scenarios(),
            value=choices.scenario,
            on_value=lambda name: wanted.set(replace(choices, scenario=name, changes=())),
        )
        solara.Text(scenario.title, style={"font-size": "0.85rem"})
        for key, setting in SETTINGS.items():
            value = setting.chosen(choices, scenario)
            if value is None:
                continue

            def move(to: float, key: str = key) -> None:
                wanted.set(SETTINGS[key].choose(wanted.value, scenario, to))

            low, high = min(setting.low, value), max(setting.high, value)
            solara.SliderFloat(
                f"{setting.label}: {value:.4g}",
                value=value,
                on_value=move,
                min=low,
                max=high,
                step=setting.step,
            ).key(f"{choices.scenario} {key}")
        if choices.changes:
            solara.Text(f"{len(choices.changes)} changed; see Parameters. Reset puts it in force.")
            solara.Button("Take all back", on_click=lambda: wanted.set(replace(choices, changes=())))


@solara.component
def Layout(children: list[Any]) -> None:  # noqa: N802
    """What is around the page; the drawer begins open only where there is room for it beside the page."""
    solara.AppLayout(children=children, sidebar_open=None)  # None lets the browser say


@solara.component
def Page() -> None:  # noqa: N802
    """The page of one browser session."""
    router, address = solara.use_router(), tabs.visitor()

    def begin() -> tuple[Choices, Any, Any, list[str]]:
        asked, problems = read_query(router.search, opening_scenario(), offered_scenarios())
        with RUNS.turn(address):
            model, more = opened(asked)
        return asked, solara.reactive(model), solara.reactive(replace(asked, week=0)), [*problems, *more]

    asked, model, wanted, problems = solara.use_memo(begin, [])
    inputs = solara.use_memo(lambda: model_inputs(wanted, asked.seed), [])
    first = solara.use_memo(lambda: model.value.number, [])
    solara.Title("talentsim")
    solara.Style(STYLE)
    Names.element(names=BUTTONS)
    with solara.Sidebar():
        ScenarioCard(wanted)
    SolaraViz(
        model,
        model_params=inputs,
        name=[solara.HTML("h1", "talentsim: the market for AI talent")],
        play_interval=PLAY_MILLISECONDS,
        render_interval=WEEKS_A_PICTURE,
    )
    with solara.Column(classes=["talentsim"]):
        Facts(model.value, problems if model.value.number == first else [])
        tabs.PageTabs(model.value, wanted)


def model_inputs(wanted: solara.Reactive[Choices], seed: int) -> dict[str, Any]:
    """Mesa's inputs: the seed, and what our own inputs say when Reset is pressed."""
    return {
        "rng": Slider("Seed", seed, min(seed, 1), max(seed, SEEDS), 1, dtype=int),
        "choices": lambda: wanted.value,
    }
