"""The command line: `talentsim run|validate|list|verify|app`.

Exit codes: 0 done, 1 the run failed, 2 bad input, 130 interrupted. Whatever goes wrong is said in
one message without a traceback. Heavy imports wait until a command needs them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Abort, Exit
from typer.exceptions import TyperException

from sim.version import __version__

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
MOST_RUNS = 1_000_000

cli = typer.Typer(
    name="talentsim",
    help="Simulate the market for AI talent: who is offered what, who moves, who stays.",
    epilog="First steps:  talentsim list   |   talentsim run meta-2025   |   talentsim app",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

ScenarioName = Annotated[str, typer.Argument(help="a shipped scenario's name, or the path of a YAML file")]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="PATH=VALUE", help='change a value: --set "labs.meta.talent_inflow=5B USD/year"'
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="print the machine form")]


class InputError(Exception):
    """Bad input, in one line for people."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"talentsim {__version__}")
        raise Exit(DONE)


@cli.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Simulate the market for AI talent: who is offered what, who moves, who stays."""


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
    _at_least(1, runs=runs, jobs=1 if jobs is None else jobs)
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


@cli.command(epilog="Example:  talentsim verify --only T3 --set lambda=2")
def verify(
    only: Annotated[list[str] | None, typer.Option(help="an oracle, such as T3; may be repeated")] = None,
    seed: Annotated[int, typer.Option(help="seed of the simulations")] = 1,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=NUMBER", help="a parameter of the oracle")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare the market with theory in its limiting cases; exit 1 if any figure falls short."""
    from sim.analysis.theory import OutsideDomain
    from sim.report.screen import print_checks
    from sim.verify import verify as run_oracles

    try:
        checks = run_oracles(only or (), _numbers_of(set_ or ()), seed)
    except OutsideDomain as error:
        raise InputError(str(error)) from error
    if as_json:
        typer.echo(json.dumps([check.as_dict() for check in checks], indent=2))
    else:
        print_checks(checks)
    if not all(check.passed for check in checks):
        raise Exit(FAILED)


def _numbers_of(changes: Sequence[str]) -> dict[str, float]:
    """NAME=NUMBER texts as a mapping."""
    numbers: dict[str, float] = {}
    for change in changes:
        name, _, text = change.partition("=")
        try:
            numbers[name] = float(text)
        except ValueError:
            raise InputError(f"--set {change}: write NAME=NUMBER, such as lambda=0.4") from None
    return numbers


@cli.command(epilog="Example:  talentsim app meta-2025 --port 8765")
def app(
    scenario: ScenarioName = "meta-2025",
    port: Annotated[int, typer.Option(help="port of the page", min=0, max=65535)] = 8765,
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="open a browser window")] = True,
) -> None:
    """Serve the browser page: sliders, both curves, week by week."""
    from sim.report.serve import AppMissing, PortInUse, serve
    from sim.scenario.loading import load_scenario

    load_scenario(scenario)
    try:
        serve(scenario, host, port, open_browser)
    except (AppMissing, PortInUse) as error:
        raise InputError(str(error)) from error


def _at_least(least: int, **options: int) -> None:
    for name, value in options.items():
        if value < least:
            raise InputError(f"--{name} {value}: must be at least {least}")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code and never raises."""
    try:
        code = cli(arguments, standalone_mode=False, prog_name="talentsim")
        if code == INTERRUPTED:  # the parser has made an exit code of the interrupt
            return _interrupted()
        return code if isinstance(code, int) else DONE
    except Exit as leave:
        return leave.exit_code
    except (Abort, KeyboardInterrupt):
        return _interrupted()
    except TyperException as error:
        words = error.format_message() if hasattr(error, "format_message") else str(error)
        _say(f"{words} (talentsim --help tells more)")
        return BAD_INPUT
    except BrokenPipeError:
        return DONE
    except Exception as error:  # the last door: people see a sentence, never a traceback
        return _explain(error)


def _interrupted() -> int:
    _say("interrupted; nothing was written")
    return INTERRUPTED


def _explain(error: Exception) -> int:
    """Say what went wrong, and whose fault it is."""
    from sim.scenario.errors import ScenarioError

    bad_input: tuple[type[Exception], ...] = (InputError, ScenarioError)
    if "sim.results" in sys.modules:
        from sim.results import ResultError

        bad_input = (*bad_input, ResultError)
    if isinstance(error, bad_input):
        _say(str(error))
        return BAD_INPUT
    if isinstance(error, OSError):
        _say(f"{error.filename or 'input or output'}: {error.strerror or error}")
        return BAD_INPUT
    _say(f"the run failed: {type(error).__name__}: {error}")
    return FAILED


def _say(message: str) -> None:
    typer.echo(f"talentsim: {message}", err=True)
