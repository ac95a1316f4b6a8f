"""The server of the browser page: Solara's, in this process, until Ctrl-C.

Light to import: Solara, Mesa and the page itself are imported when the server starts.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import threading
import time
import warnings
import webbrowser
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from importlib.util import find_spec
from typing import Any

PAGE = "sim.page.app"
SCENARIO_VARIABLE = "TALENTSIM_SCENARIO"  # the scenario that the page opens with
NEEDED = ("solara", "solara_assets", "altair", "ipyvuetify", "starlette")  # what the extra `app` installs
VISIT_ENDS = "5m"  # after a visitor vanished without closing the page; Solara waits a day
DOCUMENT = {"<html>": '<html lang="en">', ", maximum-scale=1, user-scalable=no, minimal-ui": ""}
SECONDS_TO_CLOSE = 2  # the connections of visitors
SECONDS_TO_END = 10  # this process, whatever its threads wait for
SECONDS_TO_LOOK = 0.5  # between two looks at whether the server is asked to end


class AppMissing(Exception):
    """The packages of the browser page are not installed; the message says how to install them."""


class PortInUse(Exception):
    """Another program listens on the port; the message says how to choose another."""


def serve(scenario: str, host: str, port: int, open_browser: bool) -> None:
    """Serve the browser page until Ctrl-C.

    Args:
        scenario: name or path of the scenario that the page opens with; others are chosen there.
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        open_browser: open a browser window on the page.

    Raises:
        AppMissing: if the extra `app` is not installed.
        PortInUse: if another program listens on the port.
        OSError: if the address cannot be listened on for another reason.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise AppMissing(
            f"the browser page needs packages that are not installed ({', '.join(missing)}); "
            'install them with  pip install "talentsim[app]"  or, in a checkout, start it with  make app'
        )
    with _listen(host, port) as listener, contextlib.suppress(KeyboardInterrupt):
        server = _server(scenario, host)
        address = f"http://{_in_url(host)}:{listener.getsockname()[1]}"
        print(f"The page is at {address} (Ctrl-C ends it)", flush=True)
        if open_browser:  # the socket listens already, so the browser waits until the server has started
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        threading.Thread(target=_end_in_time, args=(server,), daemon=True).start()
        try:
            server.run(sockets=[listener])
        finally:
            server.should_exit = True


def _end_in_time(server: Any) -> None:
    """End the process some time after the server is asked to end, if it has not ended by then.

    Solara closes visitors' pages from the server's thread, and each under a lock that one of the visitor's
    threads may hold while it waits for the server: then both wait for ever. And Python itself waits at its
    end for the threads of every pool.
    """
    while not server.should_exit:
        time.sleep(SECONDS_TO_LOOK)
    time.sleep(SECONDS_TO_END)
    os._exit(0)


def _listen(host: str, port: int) -> socket.socket:
    """A socket bound before the server starts, so that a port in use is told at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(
                f"port {port} is in use by another program; choose another with --port (0 takes a free one)"
            ) from error
        raise OSError(error.errno, os.strerror(error.errno or 0), f"{host}:{port}") from error


def _in_url(host: str) -> str:
    """An address as a browser on this machine reaches it."""
    if host in ("", "0.0.0.0", "::"):
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _server(scenario: str, host: str) -> Any:
    """Solara's server (uvicorn's) for the page, which is imported now and not while the first visitor waits.

    What Solara is told by the environment, it reads on import.
    """
    os.environ.update(
        {
            SCENARIO_VARIABLE: scenario,
            "SOLARA_APP": PAGE,
            "SOLARA_MODE": "production",  # no watching of files
            "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "false",  # nothing is reported to anybody
            "SOLARA_THEME_TITLE": "talentsim",
            "SOLARA_THEME_SHOW_BANNER": "false",
            "SOLARA_KERNEL_CULL_TIMEOUT": VISIT_ENDS,
            "MPLBACKEND": "agg",
        }
    )
    # a page on this machine is in nobody's frame, so that the browser may keep its cookie to itself
    warnings.filterwarnings("ignore", message="Cookies with samesite=none")
    import uvicorn
    from solara.server import kernel_context, server, starlette

    from sim.page.gate import Gate

    server.read_root = _in_english(server.read_root)
    config = uvicorn.Config(
        Gate(starlette.app, host, kernel_context.contexts),
        log_level="error",
        proxy_headers=False,  # else a visitor may say that it is another
        timeout_graceful_shutdown=SECONDS_TO_CLOSE,
    )
    import_module(PAGE)
    serving = uvicorn.Server(config)
    _end_quietly(serving)
    return serving


def _end_quietly(server: Any) -> None:
    """Let whatever asks this process to end close the server as Ctrl-C does, and a second time do nothing."""

    def end(*_: object) -> None:
        server.should_exit = True

    server.handle_exit = end  # uvicorn lets it answer SIGINT and SIGTERM
    hangup = getattr(signal, "SIGHUP", None)
    in_main = threading.current_thread() is threading.main_thread()
    if hangup and in_main and signal.getsignal(hangup) != signal.SIG_IGN:  # as under nohup
        signal.signal(hangup, end)


def _in_english(document: Callable[..., str | None]) -> Callable[..., str | None]:
    """The document of the page, said to be English, and letting a visitor enlarge it."""

    @wraps(document)
    def told(*arguments: Any, **named: Any) -> str | None:
        text = document(*arguments, **named)
        for theirs, ours in DOCUMENT.items():
            text = text and text.replace(theirs, ours, 1)
        return text

    return told
