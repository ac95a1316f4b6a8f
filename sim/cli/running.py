"""`talentsim run`: simulate a scenario and leave its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from sim.cli.options import AsJson, InputError, Overrides, ScenarioName, at_least, cli
from sim.cli.progress import Jobs, Runs, Seed, Where, perform, report_failures, warm_up

MOST_RUNS = 1_000_000


@cli.command(epilog="Example:  talentsim run meta-2025 --runs 50 --set events.campaign.package_cap='20M USD'")
def run(
    scenario: ScenarioName,
    runs: Runs = 200,
    seed: Seed = 1,
    set_: Overrides = None,
    out: Annotated[Path | None, typer.Option(help="folder of the results  [runs/<scenario>-<hash>]")] = None,
    jobs: Jobs = None,
    where: Where = "local",
    only_run: Annotated[int | None, typer.Option(help="replay this one run of the ensemble")] = None,
    log: Annotated[
        bool | None,
        typer.Option("--log/--no-log", help="keep every offer and posting  [default: up to 200 runs]"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a scenario and leave the hiring and retention curves, the tables and a summary in a folder."""
    check_size(runs, jobs)
    if only_run is not None and not 0 <= only_run < runs:
        raise InputError(f"--only-run {only_run}: runs are numbered 0 to {runs - 1}")
    if runs > 1 and only_run is None:
        warm_up(jobs, where)
    from sim.experiments.request import Experiment, Request

    request = Request.of(scenario, set_ or (), runs=runs, seed=seed, only_run=only_run, log=log)
    folder = out if out is not None else Path("runs") / request.folder_name
    perform(Experiment.of_run(request), folder, jobs, where)
    show_run(folder, as_json)


def check_size(runs: int, jobs: int | None) -> None:
    """Refuse impossible numbers of runs and processes."""
    at_least(1, runs=runs, jobs=1 if jobs is None else jobs)
    if runs > MOST_RUNS:
        raise InputError(f"--runs {runs}: must be at most {MOST_RUNS}")


def show_run(folder: Path, as_json: bool) -> None:
    """Print the summary of a complete run folder, and which of its runs failed."""
    from sim.experiments.results import Result

    result = Result.open(folder)
    if as_json:
        typer.echo(json.dumps(result.summary, indent=2))
    else:
        from sim.report.screen import print_summary

        print_summary(result.scenario, result.summary, folder)
    report_failures(result.failures, result.runs)
