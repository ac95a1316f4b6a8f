"""`talentsim verify`, the market against theory, and `talentsim check`, a folder against its manifest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer import Exit

from sim.cli.options import FAILED, AsJson, InputError, at_least, cli, printable


@cli.command(epilog="Example:  talentsim verify --only T3 --set lambda=2")
def verify(
    only: Annotated[list[str] | None, typer.Option(help="an oracle, such as T3; may be repeated")] = None,
    seed: Annotated[int, typer.Option(help="seed of the simulations")] = 1,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=NUMBER", help="a parameter of the oracle")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare the market with theory in its limiting cases; exit 1 if any figure falls short.

    A curve is printed as one line, its point that lies farthest from theory; --json has all points.
    """
    from sim.report.screen import print_checks
    from sim.theory.closed_forms import OutsideDomain
    from sim.theory.verify import headlines
    from sim.theory.verify import verify as run_oracles

    at_least(0, seed=seed)
    try:
        checks = run_oracles(only or (), _numbers_of(set_ or ()), seed)
    except OutsideDomain as error:
        raise InputError(str(error)) from error
    if as_json:
        typer.echo(json.dumps([check.as_dict() for check in checks], indent=2))
    else:
        print_checks(headlines(checks))
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


@cli.command(epilog="Example:  talentsim check runs/meta-2025-1a2b3c4d")
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="the folder of a run, comparison or sweep")],
    as_json: AsJson = False,
) -> None:
    """Check every file of a complete folder against its manifest; exit 1 if any is missing, cut or changed.

    The folders of variants are checked with that of their comparison or sweep. Files that the manifest does
    not know are nobody's business.
    """
    from sim.experiments.manifest import findings

    files = list(findings(folder))
    found = [file for file in files if file.what]
    if as_json:
        rows = [{"file": fault.file, "what": fault.what} for fault in found]
        typer.echo(json.dumps({"folder": str(folder), "files": len(files), "faults": rows}, indent=2))
    elif found:
        for fault in found:
            typer.echo(printable(f"{folder / fault.file}: {fault.what}"))
    else:
        typer.echo(printable(f"{folder}: all {len(files)} files are as they were written"))
    if found:
        raise Exit(FAILED)
