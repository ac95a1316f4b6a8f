"""What the commands share: the parser, its exit codes and options, and how bad input is said."""

from __future__ import annotations

import re
from typing import Annotated

import typer
from typer import Exit

from sim.system.version import __version__

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

cli = typer.Typer(
    name="talentsim",
    help="Simulate the market for AI talent: who is offered what, who moves, who stays.",
    epilog="First steps:  talentsim list   |   talentsim run meta-2025   |   talentsim app",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

ScenarioName = Annotated[str, typer.Argument(help="a shipped scenario's name, or the path of a YAML file")]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="PATH=VALUE", help='change a value: --set "events.campaign.package_cap=20M USD"'
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="print the machine form")]


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class InputError(Exception):
    """Bad input, in one line for people."""


def say(message: str) -> None:
    """Tell people, beside the results."""
    typer.echo(f"talentsim: {printable(message)}", err=True)


def printable(message: str) -> str:
    """A message in which nothing that came with a file's name acts on the terminal."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", message)


def at_least(least: int, **options: int) -> None:
    """Refuse options below their least value."""
    for name, value in options.items():
        if value < least:
            raise InputError(f"--{name} {value}: must be at least {least}")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"talentsim {__version__}")
        raise Exit(DONE)


@cli.callback(invoke_without_command=True)
def _main(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Simulate the market for AI talent: who is offered what, who moves, who stays."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
