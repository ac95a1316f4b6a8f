"""What the tests of the page share: a server, a browser, and a visitor who notes all that goes wrong."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HAS_PLAYWRIGHT = importlib.util.find_spec("playwright") is not None
NOBODY = "http://127.0.0.1:9"  # the port of "discard"
PATIENCE = 120  # seconds, for a busy machine

in_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH: the page is not tested"),
    pytest.mark.skipif(not HAS_PLAYWRIGHT, reason="playwright is not installed: the page is not tested"),
    pytest.mark.skipif(os.name == "nt", reason="ends the server by a signal, as a terminal does"),
]


def marked(test: Callable[..., None]) -> Callable[..., None]:
    for mark in in_browser:
        test = mark(test)
    return test


@contextlib.contextmanager
def served(program: str, log: Path, python: str | Path = sys.executable) -> Iterator[str]:
    """The address at which a program, given the arguments of talentsim, serves the page until Ctrl-C.

    It has no network: whatever it would ask another host for goes to a port where nobody answers.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(python), "-c", program, "app", "meta-2025", "--port", str(port), "--no-open"]
    surroundings = {**os.environ, "HTTP_PROXY": NOBODY, "HTTPS_PROXY": NOBODY}
    surroundings.pop("VIRTUAL_ENV", None)  # the tests' own environment, which need not be this Python's
    with log.open("w") as file:
        server = subprocess.Popen(
            command,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=surroundings,
            cwd=log.parent,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: server.poll() is not None or answers(f"{url}/readyz"))
        assert server.poll() is None, log.read_text()
        yield url
        server.send_signal(signal.SIGINT)
        assert server.wait(PATIENCE) in (0, 130)
        wait_until(lambda: not someone_of(server.pid))  # workers of an ensemble see that it ended
        lines = log.read_text().splitlines()
        assert lines[0] == f"The page is at {url} (Ctrl-C ends it)"
        # nothing else is told but the one failure that a test provokes
        assert [line for line in lines[1:] if "Error: " in line] in ([], ["RuntimeError: the model broke"])
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def someone_of(session: int) -> bool:
    """Whether a process of a session is left."""
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return False
    return True


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def wait_until(fact: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < end, f"still not so after {PATIENCE} s: {inspect.getsource(fact).strip()}"
        time.sleep(0.05)


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """Chromium, without a window."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=flags)
        yield found
        found.close()


class Session:
    """One page in a browser, and all that went wrong in it."""

    def __init__(self, context: Any, address: str, query: str, width: int) -> None:
        self.page = context.new_page()
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.set_default_timeout(1000 * PATIENCE)
        self.faults: list[str] = []
        self.asked: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda said: self.faults.extend([said.text] * (said.type == "error")))
        self.page.on("requestfailed", lambda request: self.faults.append(f"failed: {request.url}"))
        self.page.on("response", lambda r: self.faults.extend([f"{r.status}: {r.url}"] * (r.status >= 400)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("websocket", lambda opened: self.asked.append(opened.url))
        self.page.goto(address + query)
        self.page.locator(".talentsim h2").wait_for()

    def open_drawer(self) -> None:
        """Open the drawer of a narrow page."""
        self.press("Scenario and controls")
        drawer = self.page.locator(".v-navigation-drawer")
        wait_until(lambda: drawer.bounding_box()["x"] == 0)

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def reset(self, shows: str) -> None:
        """Press Reset and wait until something is said to be in force."""
        self.press("Reset")
        wait_until(lambda: self.week() == 0 and shows in self.chips())

    def step(self) -> None:
        week = self.week()
        self.press("Step")
        wait_until(lambda: self.week() > week)

    def week(self) -> int:
        return int(self.page.locator(".talentsim h2").inner_text().split()[1])

    def totals(self) -> str:
        return str(self.page.get_by_text("researchers at").first.inner_text())

    def chips(self) -> str:
        return " | ".join(self.page.locator(".talentsim .v-chip").all_inner_texts())

    def curves(self) -> list[str]:
        """The pictures on the tab, as SVG."""
        script = "images => Promise.all(images.map(i => fetch(i.src).then(r => r.text())))"
        found: list[str] = self.page.locator(".talentsim img").evaluate_all(script)
        return found

    def see_curves(self, number: int) -> None:
        wait_until(lambda: len(self.curves()) == number and all("<svg" in p for p in self.curves()))

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()

    def notice(self, words: str) -> None:
        self.page.locator(".notice", has_text=words).wait_for()

    def no_problem(self) -> None:
        wait_until(lambda: self.page.locator(".notice.problem").count() == 0)

    def choose(self, scenario: str, shows: str) -> None:
        self.page.locator(".v-navigation-drawer .v-select").first.click()
        self.page.get_by_role("option", name=scenario, exact=True).click()
        self.page.locator(".v-navigation-drawer").get_by_text(shows).wait_for()

    def move_slider(self, label: str, key: str, shows: str = "") -> None:
        """Move a slider by a key, and wait until its label says where it stands."""
        self.page.get_by_role("slider", name=label).focus()
        self.page.keyboard.press(key)
        self.page.get_by_text(f"{label}{shows}").first.wait_for()
