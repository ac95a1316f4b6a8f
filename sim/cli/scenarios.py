"""`talentsim validate` and `list`: scenarios as files."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from typer import Exit

from sim.cli.options import BAD_INPUT, AsJson, Overrides, cli


@cli.command(epilog="Example:  talentsim validate my-scenario.yaml scenarios/*.yaml")
def validate(
    scenarios: Annotated[list[str], typer.Argument(metavar="SCENARIO...", help="names or paths")],
    set_: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Check scenarios, and say file, line and column of everything that is wrong."""
    from sim.scenario.errors import ScenarioError
    from sim.scenario.loading import load_scenario

    report: list[dict[str, Any]] = []
    for name in scenarios:
        try:
            scenario = load_scenario(name, set_ or ())
        except ScenarioError as error:
            problems = [vars_of(problem) for problem in error.problems]
            report.append({"scenario": name, "valid": False, "problems": problems})
            if not as_json:
                typer.echo(str(error), err=True)
        else:
            report.append({"scenario": name, "valid": True, "problems": []})
            if not as_json:
                size = f"{len(scenario.labs)} labs, {scenario.horizon} weeks, {len(scenario.events)} events"
                typer.echo(f"{name}: valid ({size})")
    if as_json:
        typer.echo(json.dumps(report, indent=2))
    if not all(entry["valid"] for entry in report):
        raise Exit(BAD_INPUT)


def vars_of(problem: Any) -> dict[str, Any]:
    """A problem's fields by name."""
    return {name: getattr(problem, name) for name in ("file", "line", "column", "path", "message", "hint")}


@cli.command(name="list", epilog="Example:  talentsim list --json")
def list_(as_json: AsJson = False) -> None:
    """Name the shipped scenarios."""
    from sim.scenario.loading import load_scenario, scenario_names

    shipped = {name: load_scenario(name) for name in scenario_names()}
    if as_json:
        entries = [{"name": n, "title": s.title, "description": s.description} for n, s in shipped.items()]
        typer.echo(json.dumps(entries, indent=2))
        return
    width = max(len(name) for name in shipped)
    for name, scenario in shipped.items():
        typer.echo(f"{name:<{width}}  {scenario.title}")
