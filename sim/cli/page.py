"""`talentsim app`: the browser page."""

from __future__ import annotations

from typing import Annotated

import typer

from sim.cli.options import InputError, ScenarioName, cli

EXAMPLES = """Example:  talentsim app baseline --no-open

Your own scenario, on a free port:  talentsim app my-world.yaml --port 0

A link:  http://127.0.0.1:8765/?scenario=baseline&seed=3&week=60
"""


@cli.command(epilog=EXAMPLES)
def app(
    scenario: ScenarioName = "meta-2025",
    port: Annotated[int, typer.Option(help="port of the page; 0 takes a free one", min=0, max=65535)] = 8765,
    host: Annotated[
        str, typer.Option(help="address to listen on; by default this machine alone reaches the page")
    ] = "127.0.0.1",
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="open a browser window")] = True,
) -> None:
    """Serve the browser page: a market that is lived week by week, under values that you change.

    Beside the tabs stand the scenario, the seed and the values that matter most; Step, Play and Reset move
    time. What is changed acts on Reset.

    Curves: hiring and retention so far, with events. Map: headcounts and the quarter's moves. Market: moves
    between labs, pay, acceptance, budgets. Offers: a ticker, and any researcher's biography. Compare: a run
    of the unchanged scenario under the same draws, so one pair of runs. Ensemble: 10 to 200 runs of what is
    set, with bands. Parameters: every value by lab and topic, with unit, source and help. Download: the
    scenario as YAML, the tables as CSV.

    The address says scenario, seed, week and every changed value, so a link brings the page back. Each
    browser window has a market of its own. Ctrl-C ends the server.

    The server answers its own page alone, by the names of this machine and that of --host; other websites
    are refused. An address has at most 20 pages and one ensemble at a time, and a page that was left is
    forgotten after five minutes.
    """
    from sim.page.serve import AppMissing, PortInUse, serve
    from sim.scenario.loading import load_scenario

    load_scenario(scenario)
    try:
        serve(scenario, host, port, open_browser)
    except (AppMissing, PortInUse) as error:
        raise InputError(str(error)) from error
