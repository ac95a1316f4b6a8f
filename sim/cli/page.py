"""`talentsim app`: the browser page."""

from __future__ import annotations

from typing import Annotated

import typer

from sim.cli.options import InputError, ScenarioName, cli


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
