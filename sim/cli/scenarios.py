"""`talentsim validate`, `show`, `sources`, `schema`, `list` and `new`: scenarios as files."""

from __future__ import annotations

import gc
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Exit

from sim.cli.options import BAD_INPUT, AsJson, InputError, Overrides, ScenarioName, cli


@cli.command(epilog="Example:  talentsim validate my-scenario.yaml scenarios/*.yaml")
def validate(
    scenarios: Annotated[list[str], typer.Argument(metavar="SCENARIO...", help="names or paths")],
    set_: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Check scenarios, and say file, line and column of everything that is wrong."""
    gc.disable()  # reading makes many small objects and no garbage: a fifth of the time
    try:
        report = _report(scenarios, set_ or (), as_json)
    finally:
        gc.enable()
    if as_json:
        typer.echo(json.dumps(report, indent=2))
    elif len(scenarios) > 1:
        typer.echo(_summary(report))
    if not all(entry["valid"] for entry in report):
        raise Exit(BAD_INPUT)


def _report(scenarios: Sequence[str], overrides: Sequence[str], as_json: bool) -> list[dict[str, Any]]:
    """What is wrong with each scenario; told to people at once, unless the machine form is wanted."""
    from sim.scenario.cautions import ScenarioWarning
    from sim.scenario.errors import ScenarioError, printable
    from sim.scenario.excerpts import with_excerpts
    from sim.scenario.loading import load_scenario

    report: list[dict[str, Any]] = []
    for name in scenarios:
        try:
            with warnings.catch_warnings(record=as_json) as said:
                scenario = load_scenario(name, overrides)
        except ScenarioError as error:
            problems = [vars_of(problem) for problem in error.problems]
            report.append({"scenario": name, "valid": False, "problems": problems, "warnings": []})
            if not as_json:
                typer.echo(with_excerpts(error), err=True)
        else:
            cautions = [
                vars_of(c.message.problem) for c in said or () if isinstance(c.message, ScenarioWarning)
            ]
            report.append({"scenario": name, "valid": True, "problems": [], "warnings": cautions})
            if not as_json:
                size = f"{len(scenario.labs)} labs, {scenario.horizon} weeks, {len(scenario.events)} events"
                typer.echo(f"{printable(name)}: valid ({size})")
    return report


def _summary(report: list[dict[str, Any]]) -> str:
    """How many scenarios are valid, and how many problems the others have, in a line."""
    valid = sum(entry["valid"] for entry in report)
    problems = sum(len(entry["problems"]) for entry in report)
    words = f", {problems} problem{'' if problems == 1 else 's'} in the others" if problems else ""
    return f"{valid} of {len(report)} scenarios are valid{words}"


def vars_of(problem: Any) -> dict[str, Any]:
    """A problem's fields by name."""
    return {name: getattr(problem, name) for name in ("file", "line", "column", "path", "message", "hint")}


@cli.command(epilog="Example:  talentsim show meta-2025 --set labs.meta.staff=500")
def show(scenario: ScenarioName, set_: Overrides = None, as_json: AsJson = False) -> None:
    """Print a scenario composed: every value, and the file and line where it stands."""
    from sim.scenario.dumping import plain_data
    from sim.scenario.listing import annotated_yaml, where
    from sim.scenario.loading import load_with_places

    loaded, places = load_with_places(scenario, set_ or ())
    if as_json:
        data = plain_data(loaded, loaded.sources)
        stands = {path: where(path, places) for path in places}
        typer.echo(json.dumps({"scenario": data, "places": stands}, indent=2, ensure_ascii=False))
    else:
        typer.echo(annotated_yaml(loaded, places), nl=False)


@cli.command(epilog="Example:  talentsim sources meta-2025 --json")
def sources(scenario: ScenarioName, set_: Overrides = None, as_json: AsJson = False) -> None:
    """Print every number of a scenario: its value, its source, how sure that is, and where it stands."""
    from sim.scenario.figures import load_figures
    from sim.scenario.listing import cited_figures, numbers
    from sim.scenario.loading import load_with_places

    found = numbers(*load_with_places(scenario, set_ or ()))
    figures = load_figures()
    if as_json:
        entries = [vars_of_number(number) | {"figures": cited_figures(number, figures)} for number in found]
        typer.echo(json.dumps(entries, indent=2, ensure_ascii=False))
        return
    rows = [("path", "value", "source", "where")]
    rows += [(n.path, _with_unit(n), n.origin, n.where) for n in found]
    _print_columns(rows)
    cited = {figure["id"]: figure for number in found for figure in cited_figures(number, figures)}
    typer.echo()
    _print_columns([("figure", "says", "confidence", "measures"), *map(_figure_row, cited.values())])
    typer.echo(f"\n{_count(found)}")


def vars_of_number(number: Any) -> dict[str, Any]:
    """A number's fields by name."""
    return {name: getattr(number, name) for name in type(number).__dataclass_fields__}


def _with_unit(number: Any) -> str:
    return str(number.value) if isinstance(number.value, str) else json.dumps(number.value)


def _figure_row(figure: dict[str, Any]) -> tuple[str, ...]:
    return figure["id"], figure["says"], figure["confidence"], figure["measures"]


def _count(found: Sequence[Any]) -> str:
    from sim.scenario.provenance import ASSUMPTION, FITTED

    assumed = sum(number.source == ASSUMPTION for number in found)
    fitted = sum(number.source == FITTED for number in found)
    silent = sum(not number.source for number in found)
    words = f", {silent} without a source" if silent else ""
    cited = len(found) - assumed - fitted - silent
    return (
        f"{len(found)} numbers: {cited} cite figures, {fitted} were fitted, {assumed} are assumptions{words}"
    )


def _print_columns(rows: Sequence[Sequence[str]]) -> None:
    """Print rows as columns two blanks apart; what a file says is escaped."""
    from sim.scenario.errors import printable

    safe = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*safe, strict=True)]
    for row in safe:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@cli.command(epilog="Example:  talentsim schema > scenarios/schema.json")
def schema() -> None:
    """Print the JSON Schema of scenario files, for the completion and hover of an editor."""
    from sim.scenario.json_schema import schema_text

    typer.echo(schema_text(), nl=False)


@cli.command(name="list", epilog="Example:  talentsim list --json")
def list_(as_json: AsJson = False) -> None:
    """Name the shipped scenarios."""
    from sim.scenario.errors import printable
    from sim.scenario.loading import load_scenario, scenario_names

    shipped = {name: load_scenario(name) for name in scenario_names()}
    if as_json:
        entries = [{"name": n, "title": s.title, "description": s.description} for n, s in shipped.items()]
        typer.echo(json.dumps(entries, indent=2))
        return
    width = max(len(name) for name in shipped)
    for name, scenario in shipped.items():
        typer.echo(f"{name:<{width}}  {printable(scenario.title)}")


@cli.command(epilog="Example:  talentsim new cheap-offers --from meta-2025")
def new(
    name: Annotated[str, typer.Argument(help="of the new scenario: lower-case letters, digits and hyphens")],
    parent: Annotated[str, typer.Option("--from", help="the scenario to extend")] = "baseline",
    out: Annotated[Path | None, typer.Option(help="file to write  [NAME.yaml]")] = None,
) -> None:
    """Write a commented scenario file that extends another, to begin with; nothing is overwritten."""
    from sim.scenario.errors import printable
    from sim.scenario.starting import starter

    file = out or Path(f"{name}.yaml")
    text = starter(name, parent, file)
    if file.suffix not in (".yaml", ".yml"):
        raise InputError(f"--out {file}: a scenario file ends in .yaml")
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise InputError(
            f"{file}: is there already, and is never overwritten; choose another --out"
        ) from None
    typer.echo(f"{printable(str(file))}: written; next:  talentsim validate {printable(str(file))}")
