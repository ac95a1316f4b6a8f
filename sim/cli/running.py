"""`talentsim run`: simulate a scenario and leave its folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from sim.cli.options import AsJson, InputError, Overrides, ScenarioName, at_least, cli

MOST_RUNS = 1_000_000


@cli.command(epilog="Example:  talentsim run meta-2025 --runs 50 --set events.campaign.package_cap='20M USD'")
def run(
    scenario: ScenarioName,
    runs: Annotated[int, typer.Option(help="how many markets to simulate")] = 200,
    seed: Annotated[int, typer.Option(help="seed of the ensemble")] = 1,
    set_: Overrides = None,
    out: Annotated[Path | None, typer.Option(help="folder of the results  [runs/<scenario>-<hash>]")] = None,
    jobs: Annotated[int | None, typer.Option(help="processes  [default: all cores]")] = None,
    only_run: Annotated[int | None, typer.Option(help="replay this one run of the ensemble")] = None,
    log: Annotated[
        bool | None,
        typer.Option("--log/--no-log", help="keep every offer and posting  [default: up to 200 runs]"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a scenario and leave the hiring and retention curves, the tables and a summary in a folder."""
    at_least(1, runs=runs, jobs=1 if jobs is None else jobs)
    if runs > MOST_RUNS:
        raise InputError(f"--runs {runs}: must be at most {MOST_RUNS}")
    if only_run is not None and not 0 <= only_run < runs:
        raise InputError(f"--only-run {only_run}: runs are numbered 0 to {runs - 1}")
    from sim import results

    request = results.Request.of(scenario, set_ or (), runs=runs, seed=seed, only_run=only_run, log=log)
    folder = out if out is not None else Path("runs") / request.folder_name
    found = results.existing(folder, request)
    if found is None:
        found = _simulate(request, folder, jobs)
    _show(found, folder, as_json)


def _simulate(request: Any, folder: Path, jobs: int | None) -> Any:
    """Run with a progress bar on a terminal, and write the folder."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from sim import results, simulate

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"{request.scenario.name}: runs", total=len(request.run_numbers))

        def advance(done: int) -> None:
            bar.advance(task, done)

        result = results.run(request, jobs=jobs or simulate.default_jobs(), progress=advance)
        bar.update(task, description="writing the folder")
        result.save(folder, command=_command())
    return result


def _show(result: Any, folder: Path, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(result.summary, indent=2))
        return
    from sim.report.screen import print_summary

    print_summary(result.scenario, result.summary, folder)


def _command() -> str:
    """The command as typed, without the program's path."""
    import shlex

    return shlex.join(["talentsim", *sys.argv[1:]])
