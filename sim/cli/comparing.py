"""`talentsim compare`, `sweep` and `resume`: several scenarios, and work that was interrupted."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from sim.cli.options import AsJson, InputError, Overrides, ScenarioName, cli, say
from sim.cli.progress import Jobs, Runs, Seed, Where, perform, report_failures, warm_up
from sim.cli.progress import resume as finish
from sim.cli.running import check_size, show_run

OverridesOfAll = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="PATH=VALUE", help="change a value in every scenario compared, on all sides alike"
    ),
]


@cli.command(epilog="Example:  talentsim compare baseline meta-2025 --runs 200")
def compare(
    scenarios: Annotated[list[str], typer.Argument(metavar="SCENARIO OTHER...", help="names or paths")],
    runs: Runs = 200,
    seed: Seed = 1,
    set_: OverridesOfAll = None,
    out: Annotated[Path | None, typer.Option(help="folder of the results  [runs/compare-<hash>]")] = None,
    jobs: Jobs = None,
    where: Where = "local",
    as_json: AsJson = False,
) -> None:
    """Compare scenarios under the same random numbers: base level, paired difference to it, 95 % interval.

    Shown are the main figures whose interval leaves zero out, and how many would by chance; --json and
    comparison.parquet have every figure.
    """
    check_size(runs, jobs)
    if len(scenarios) < 2:
        raise InputError("compare: name at least two scenarios")
    warm_up(jobs, where)
    from sim.experiments.designs import comparison_of

    experiment = comparison_of(scenarios, set_ or (), runs=runs, seed=seed)
    folder = out if out is not None else Path("runs") / experiment.folder_name
    perform(experiment, folder, jobs, where)
    _show_rows(folder, as_json)


@cli.command(epilog="Example:  talentsim sweep meta-2025 --vary 'labs.meta.talent_factor=0.5,1,2'")
def sweep(
    scenario: ScenarioName,
    vary: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH=V1,V2,...", help="values to try; several --vary give every combination"),
    ] = None,
    design: Annotated[
        Path | None, typer.Option(help="a CSV file of points: a column for each path, a line for each point")
    ] = None,
    runs: Runs = 200,
    seed: Seed = 1,
    set_: Overrides = None,
    out: Annotated[
        Path | None, typer.Option(help="folder of the results  [runs/sweep-<scenario>-<hash>]")
    ] = None,
    jobs: Jobs = None,
    where: Where = "local",
    as_json: AsJson = False,
) -> None:
    """Run a scenario at many values, under the same random numbers, and leave one tidy table."""
    check_size(runs, jobs)
    if bool(vary) == (design is not None):
        raise InputError("sweep: give either --vary PATH=V1,V2,... or --design FILE.csv")
    warm_up(jobs, where)
    from sim.experiments.designs import design_in, factorial, sweep_of

    try:
        points = factorial(vary) if vary else design_in(design or Path())
        experiment = sweep_of(scenario, points, set_ or (), runs=runs, seed=seed)
    except ValueError as error:
        raise InputError(str(error)) from error
    folder = out if out is not None else Path("runs") / experiment.folder_name
    perform(experiment, folder, jobs, where)
    _show_rows(folder, as_json)


@cli.command(epilog="Example:  talentsim resume runs/meta-2025-1a2b3c4d")
def resume(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="the folder of the interrupted work")],
    jobs: Jobs = None,
    where: Where = "local",
    as_json: AsJson = False,
) -> None:
    """Finish an interrupted run, comparison or sweep: exactly what is missing, with the same result."""
    check_size(1, jobs)
    warm_up(jobs, where)
    from sim.experiments.folder import read_manifest

    finish(folder, jobs, where)
    if read_manifest(folder, None).get("kind", "run") == "run":
        show_run(folder, as_json)
    else:
        _show_rows(folder, as_json)


def _show_rows(folder: Path, as_json: bool) -> None:
    """Print a complete comparison or sweep, and which of its runs failed."""
    from sim.experiments.folder import read_manifest
    from sim.experiments.performing import failures_in, rows_in

    manifest = read_manifest(folder, None)
    rows = rows_in(folder).to_pylist()
    failures = failures_in(folder)
    if as_json:
        chance = {"chance": _chance(rows, manifest)} if manifest["kind"] == "compare" else {}
        told = {**_head(manifest), **chance, "rows": rows, "failures": failures}
        typer.echo(json.dumps(told, indent=2))
    else:
        from sim.report.screen import print_comparison, print_sweep

        for note in manifest.get("notes", []):
            say(note)
        show = print_comparison if manifest["kind"] == "compare" else print_sweep
        show(rows, manifest, folder)
    report_failures(failures, manifest["runs"] * len(manifest["variants"]))


def _chance(rows: list[dict[str, Any]], manifest: dict[str, Any]) -> dict[str, Any]:
    """For each other scenario, how many main figures leave zero out, and how many would by chance."""
    from sim.analysis.compare import chance

    others = list(manifest["variants"])[1:]
    return {other: asdict(chance(row for row in rows if row["other"] == other)) for other in others}


def _head(manifest: dict[str, Any]) -> dict[str, Any]:
    """What the machine form says of itself."""
    names = ("format", "kind", "seed", "runs", "set", "notes", "points")
    return {name: manifest[name] for name in names if name in manifest} | {
        "variants": list(manifest["variants"])
    }
