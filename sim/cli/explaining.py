"""`talentsim explain`: why somebody moved or stayed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from sim.cli.options import AsJson, InputError, cli


@cli.command(epilog="Example:  talentsim explain runs/mine --run 3 --researcher 113")
def explain(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="the folder of a run")],
    run: Annotated[int | None, typer.Option(help="number of the run  [default: the first]")] = None,
    researcher: Annotated[int | None, typer.Option(help="tell this researcher's biography")] = None,
    offer: Annotated[int | None, typer.Option(help="tell this offer, by its number in the run")] = None,
    lab: Annotated[str | None, typer.Option(help="tell this lab's week; with --week")] = None,
    week: Annotated[str | None, typer.Option(metavar="DAY", help="a day of that week: 2025-06-23")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell why: a researcher's offers and choices term by term, one offer, or a lab's week.

    The run is lived again and must come out as it is stored.
    """
    asked = [
        name
        for name, given in (("researcher", researcher), ("offer", offer), ("lab", lab))
        if given is not None
    ]
    if len(asked) != 1:
        also = f", not {' and '.join(f'--{name}' for name in asked)}" if asked else ""
        raise InputError(f"ask about one of --researcher, --offer or --lab with --week{also}")
    if (lab is None) != (week is None):
        raise InputError("--lab and --week belong together: --lab meta --week 2025-06-23")
    from sim.analysis.explain import CannotExplain
    from sim.experiments import results
    from sim.system.tables import TableError

    result = results.Result.open(folder)
    try:
        story = result.explain(run, researcher=researcher, offer=offer, lab=lab, week=week)
    except (CannotExplain, TableError) as error:
        raise InputError(str(error)) from error
    if as_json:
        typer.echo(json.dumps(story, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        typer.echo(str(story))
