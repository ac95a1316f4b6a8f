"""The tabs of the page: curves, map, market, offers, comparison, ensemble, parameters, downloads."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import solara
import solara.lab
from matplotlib.figure import Figure
from mesa.visualization.utils import update_counter

from sim.analysis.explain import CannotExplain, explain
from sim.page import market_map, pairs
from sim.page.address import Choices
from sim.page.downloads import as_csv, file_name
from sim.page.gate import VISITORS
from sim.page.inputs import PageMarket, changed, unchanged_or_default
from sim.page.many_runs import FEWEST_RUNS, MOST_RUNS, Ensemble, TooLarge, ensemble
from sim.page.parameters import Field, groups
from sim.page.ticker import ticker
from sim.page.turns import ENSEMBLES, RUNS, GivenUp
from sim.page.widgets import EventList, Image, Notice, Picture, failure, svg
from sim.report import budget_pictures, market_pictures, pictures
from sim.report.biography import tell
from sim.scenario.figures import load_figures
from sim.scenario.loading import dump_scenario
from sim.system.tables import NAMES

FRAME = (0.055, 0.15, 0.72, 0.64)  # room for headline, labels at the right and a source line
MONEY_FRAME = (0.075, 0.15, 0.69, 0.64)  # its numbers are longer
ORIGINS_FRAME = (0.19, 0.15, 0.595, 0.64)  # labs' names stand at the left
PAY_FRAME = (0.075, 0.2, 0.70, 0.59)  # the axis below has a name
FLOWS_SIZE, FLOWS_FRAME = (10.0, 6.0), (0.165, 0.17, 0.815, 0.66)
MAP_SIZE, MAP_FRAME = (10.0, 5.4), (0.02, 0.07, 0.96, 0.77)
PAIR_SIZE = (16.0, 5.6)
LATER = "There is nothing to show before the first week."


@solara.component
def PageTabs(model: PageMarket, wanted: solara.Reactive[Choices]) -> None:  # noqa: N802
    """All tabs; only the one that is looked at is drawn. An ensemble goes on behind the others."""
    runs = solara.use_reactive(50)
    address = visitor()

    def many() -> tuple[Ensemble | None, list[str], str]:
        try:
            with ENSEMBLES.turn(address, lambda: _is_wanted(task)):
                return _many(wanted.value, model.in_force.seed, runs.value, _going_on(task, runs.value))
        except GivenUp:
            return None, [], ""

    task: Any = solara.lab.use_task(many, dependencies=None)
    with solara.lab.Tabs(lazy=True):
        with solara.lab.Tab("Curves"):
            Curves(model)
        with solara.lab.Tab("Map"):
            Map(model)
        with solara.lab.Tab("Market"):
            MarketTab(model)
        with solara.lab.Tab("Offers"):
            Offers(model)
        with solara.lab.Tab("Compare"):
            Compare(model)
        with solara.lab.Tab("Ensemble"):
            EnsembleTab(runs, task)
        with solara.lab.Tab("Parameters"):
            Parameters(wanted)
        with solara.lab.Tab("Download"):
            Downloads(model)


def visitor() -> str:
    """The address of whom this page is shown to."""
    return VISITORS.address(solara.get_kernel_id())


def draw_hiring(scenario: Any, tables: dict[str, Any], figure: Figure) -> None:
    """Draw the hiring curve."""
    pictures.plot_hiring(scenario, tables["labs"], tables["events"], figure.add_axes(FRAME), small=True)


def draw_retention(scenario: Any, tables: dict[str, Any], figure: Figure) -> None:
    """Draw the retention curve."""
    pictures.plot_retention(scenario, tables["spells"], figure.add_axes(FRAME))


def _has_begun(model: PageMarket) -> bool:
    """Whether a week has been lived; before that says that there is nothing to show. Follows every step."""
    update_counter.get()
    if not model.week:
        solara.Text(LATER)
    return bool(model.week)


@solara.component
def Curves(model: PageMarket) -> None:  # noqa: N802
    """Both curves of the run, as far as it was lived."""
    if not _has_begun(model):
        return
    scenario, when = model.talent_scenario, [model.number, model.week]
    Picture(lambda f: draw_hiring(scenario, model.tables(), f), "Cumulative hires by lab", when)
    EventList(scenario, model.tables()["events"])
    Picture(lambda f: draw_retention(scenario, model.tables(), f), "Share of new hires still there", when)


@solara.component
def Map(model: PageMarket) -> None:  # noqa: N802
    """The map of the market."""
    if not _has_begun(model):
        return

    def draw(figure: Figure) -> None:
        tables, scenario = model.tables(), model.talent_scenario
        found = market_map.market_map(scenario, tables["labs"], tables["spells"])
        market_map.plot_market_map(scenario, found, figure.add_axes(MAP_FRAME))

    Picture(
        draw, "Labs sized by headcount, moves of the quarter as arrows", [model.number, model.week], MAP_SIZE
    )


@solara.component
def MarketTab(model: PageMarket) -> None:  # noqa: N802
    """Moves between labs, what is offered and taken, and the money that remains."""
    if not _has_begun(model):
        return
    scenario, when = model.talent_scenario, [model.number, model.week]

    def drawn(plot: Any, table: str, frame: Any) -> Any:
        """Draws a plot of one table."""
        return lambda figure: plot(scenario, model.tables()[table], figure.add_axes(frame))

    Picture(
        drawn(market_pictures.plot_flows, "spells", FLOWS_FRAME), "Moves from lab to lab", when, FLOWS_SIZE
    )
    Picture(drawn(market_pictures.plot_origins, "spells", ORIGINS_FRAME), "Where joiners came from", when)
    Picture(drawn(market_pictures.plot_pay, "offers", PAY_FRAME), "Packages offered, by lab", when)
    Picture(drawn(market_pictures.plot_acceptance, "offers", PAY_FRAME), "Offers accepted, by package", when)
    Picture(drawn(budget_pictures.plot_budget, "labs", MONEY_FRAME), "Cash for talent, by lab", when)


# ---- offers and lives


@solara.component
def Offers(model: PageMarket) -> None:  # noqa: N802
    """The ticker, and the life of a researcher."""
    update_counter.get()
    number = solara.use_reactive(0)
    asked = solara.use_reactive((0, -1))  # whose life is told: run of the page, researcher
    only = solara.use_reactive(False)

    def ask(researcher: int) -> None:
        number.set(researcher)
        asked.set((model.number, researcher))

    solara.HTML("h3", "Latest offers")
    solara.Checkbox(label="Only those of campaigns", value=only)
    lines = (
        ticker(model.talent_scenario, model.tables()["offers"], campaigns_only=only.value)
        if model.week
        else []
    )
    if not lines:
        solara.Text("No such offer has been decided yet.")
    for line in lines:
        with solara.Row(classes=["offer", "accepted" if line.accepted else "declined"], gap="10px"):
            solara.Text(f"{line.day:%d %b %Y}")
            solara.Text(line.text)
            solara.Button(
                f"Life of {line.researcher}", text=True, small=True,
                on_click=lambda researcher=line.researcher: ask(researcher),
            )  # fmt: skip
    solara.HTML("h3", "The life of a researcher")
    with solara.Row(style={"align-items": "center"}):
        solara.InputInt("Number of a researcher", value=number)
        solara.Button("Tell", color="primary", on_click=lambda: ask(number.value))
    if asked.value[0] == model.number:
        Life(model, asked.value[1])


@solara.component
def Life(model: PageMarket, researcher: int) -> None:  # noqa: N802
    """A researcher's biography; the run is lived again for it, in the background."""
    address = visitor()

    def told() -> tuple[str, str]:
        try:
            with RUNS.turn(address, lambda: _is_wanted(task)):
                story = explain(model.talent_scenario, model.in_force.seed, 0, researcher=researcher)
            return tell(story), ""
        except GivenUp:
            return "", ""
        except CannotExplain as error:
            return "", str(error)
        except Exception as error:
            return "", failure(error, "The biography")

    task: Any = solara.lab.use_task(told, dependencies=[model.number, researcher])
    if not task.finished or task.value is None:
        solara.Text(f"Living through the run again, to its end, for researcher {researcher} ...")
        solara.ProgressLinear(True)
        return
    text, problem = task.value
    if problem:
        Notice(problem, "problem")
    else:
        solara.Text("Told to the end of the run, beyond the week above.")
        solara.Text(text, classes=["story"])


# ---- beside the unchanged scenario


@solara.component
def Compare(model: PageMarket) -> None:  # noqa: N802
    """The run beside the unchanged scenario's under the same seed: one pair, so no measure of an effect."""
    update_counter.get()
    twin = model.unchanged_run
    if twin is None:
        Notice("Nothing is changed. Move a slider or change a parameter, press Reset, and step.")
        return
    if not model.week:
        solara.Text(LATER)
        return

    if twin.fault:
        Notice(f"The unchanged scenario: {twin.fault}", "problem")
        return
    plain, ours = ((market.talent_scenario, market.tables()) for market in (twin, model))
    words, command = pairs.what_a_pair_is(model.choices)
    Notice(words)
    solara.HTML("code", command)
    when, draw = [model.number, model.week], pairs
    Picture(lambda f: draw.draw_hiring(plain, ours, f), "Hires with and without the changes", when, PAIR_SIZE)
    with solara.Columns([1, 1]):
        for (scenario, tables), title in zip((ours, plain), pairs.TITLES, strict=True):
            EventList(scenario, tables["events"], title=title)
    Picture(lambda f: draw.draw_difference(plain, ours, f, FRAME), "Difference in cumulative hires", when)
    Picture(
        lambda f: draw.draw_retention(plain, ours, f),
        "Retention with and without the changes",
        when,
        PAIR_SIZE,
    )


# ---- many runs


@solara.component
def EnsembleTab(runs: solara.Reactive[int], task: Any) -> None:  # noqa: N802
    """Many runs of what the inputs say now, with bands, computed in the background."""
    solara.Text("Many runs of what sliders and parameters say now, from the first week to the last.")
    solara.SliderInt(f"Runs: {runs.value}", value=runs, min=FEWEST_RUNS, max=MOST_RUNS, step=10)
    with solara.Row():
        solara.Button("Run them", color="primary", on_click=lambda: task(), disabled=task.pending)
        solara.Button("Give up", on_click=lambda: task.cancel(), disabled=not task.pending)
    if task.pending:
        solara.ProgressLinear(task.progress or 0.1)
        waits = "Waiting for its turn: so many others are being computed; the page can be used meanwhile."
        done = f"{task.progress or 0:.0f} % done; the page can be used meanwhile."
        solara.Text(waits if task.progress is None else done)
    elif task.finished and task.value is not None:
        found, pictures, problem = task.value
        if problem:
            Notice(problem, "problem")
        if found is not None:
            words = "as it stands" if not found.changes else "with " + ", ".join(found.changes)
            solara.Text(f"{found.runs} runs of {found.scenario.name} {words}, seed {found.seed}")
        for source in pictures[:1]:
            Image(source, "Cumulative hires by lab, median and band over the runs")
            EventList(found.scenario, found.tables["events"], found.runs)
        for source in pictures[1:]:
            Image(source, "Share of new hires still there, over the runs")


def _going_on(task: Any, runs: int) -> Any:
    """Shows the progress; False where the task was given up, its page is closed, or the server ends."""

    def goes_on(done: int) -> bool:
        task.progress = 100 * done / runs
        return _is_wanted(task)

    return goes_on


def _is_wanted(task: Any) -> bool:
    """Whether what a task computes is still waited for."""
    return bool(task.is_current() and threading.main_thread().is_alive())


def _many(choices: Choices, seed: int, runs: int, goes_on: Any) -> tuple[Ensemble | None, list[str], str]:
    scenario, refusal = changed(unchanged_or_default(choices.scenario)[0], choices.overrides)
    if refusal:
        return None, [], f"Refused, so nothing was run. {refusal}"
    try:
        found = ensemble(scenario, seed, runs, goes_on, choices.overrides)
        pictures = [svg(partial(draw, scenario, found.tables)) for draw in (draw_hiring, draw_retention)]
        return found, pictures, ""
    except TooLarge as error:
        return None, [], str(error)
    except Exception as error:
        if not threading.main_thread().is_alive():  # the server ends: nothing more can be handed to a worker
            return None, [], ""
        return None, [], failure(error, "The ensemble")


# ---- parameters and downloads


@solara.component
def Parameters(wanted: solara.Reactive[Choices]) -> None:  # noqa: N802
    """Every parameter by lab and topic; what is written acts on Reset."""
    name = wanted.value.scenario
    fields = solara.use_memo(lambda: groups(*unchanged_or_default(name), load_figures()), [name])
    chosen = solara.use_reactive(next(iter(fields)))
    title = chosen.value if chosen.value in fields else next(iter(fields))
    solara.Text("Write a value with its unit, as in a scenario file; it acts when you press Reset.")
    solara.Select("Lab, topic or event", values=list(fields), value=title, on_value=chosen.set)
    for field in fields[title]:
        ParameterField(field, wanted).key(f"{name} {field.path}")


@solara.component
def ParameterField(field: Field, wanted: solara.Reactive[Choices]) -> None:  # noqa: N802
    """One parameter: its value to write, and what is known of it."""
    problem = solara.use_reactive("")

    def write(text: str) -> None:
        now = wanted.value
        asked = now.changed(field.path, None if text.strip() in ("", field.value) else text.strip())
        refusal = changed(unchanged_or_default(now.scenario)[0], asked.overrides)[1]
        problem.set(refusal)
        if not refusal:
            wanted.set(asked)

    value = dict(wanted.value.changes).get(field.path, field.value)
    label = f"{field.name} ({field.unit})" if field.unit else field.name
    solara.InputText(label, value=value, on_value=write, error=bool(problem.value))
    if problem.value:
        Notice(f"Not taken: {problem.value}", "problem")
    solara.Text(field.help, classes=["help"])


@solara.component
def Downloads(model: PageMarket) -> None:  # noqa: N802
    """The scenario in force as YAML, and the tables so far as CSV."""
    update_counter.get()
    files = solara.use_memo(lambda: _files(model), [model.number, model.week])
    solara.Text("The scenario in force, and what was recorded so far.")
    with solara.Column(gap="8px", align="start"):
        for name, mime, data in files:
            solara.FileDownload(data, filename=name, label=name, mime_type=mime)
    if not model.week:
        solara.Text("Tables are there from the first week on.")


def _files(model: PageMarket) -> list[tuple[str, str, Any]]:
    scenario, choices = model.talent_scenario, model.choices
    found: list[tuple[str, str, Any]] = [
        (file_name(scenario.name, ending="yaml"), "application/yaml", lambda: dump_scenario(scenario))
    ]
    for name in NAMES if model.week else ():
        file = file_name(scenario.name, "seed", choices.seed, "week", choices.week, name, ending="csv")
        found.append((file, "text/csv", partial(as_csv, model.tables()[name])))
    return found
