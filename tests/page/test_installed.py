"""The page as a stranger installs it: the wheel with the extra `app` alone, and no network."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small_pages import Session, browser, marked, served, wait_until
from test_wheel import ROOT, find_uv

COMMAND = "import sys; from sim.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that holds the wheel with its extra, and nothing that development adds."""
    uv = find_uv()
    if uv is None:
        pytest.skip("uv is not to be found")
    folder = tmp_path_factory.mktemp("installed")
    python = folder / "environment" / "bin" / "python"

    def do(*arguments: str) -> None:
        done = subprocess.run([uv, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    do("build", "--wheel", "--out-dir", str(folder))
    (wheel,) = folder.glob("talentsim-*.whl")
    do("venv", str(python.parent.parent))
    do("pip", "install", "--python", str(python), f"{wheel}[app]")
    return python


@pytest.fixture(scope="module")
def visit(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int], Session]]:
    """Opens the page in a browser that reaches its server alone."""
    log = tmp_path_factory.mktemp("log") / "log.txt"
    with served(COMMAND, log, installed) as address, browser() as chromium:

        def new(width: int) -> Session:
            context = chromium.new_context(reduced_motion="reduce")
            context.route(lambda url: not url.startswith(address), lambda route: route.abort())
            return Session(context, address, "?week=20", width)

        yield new


@marked
@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_as_installed_needs_no_network(visit: Callable[[int], Session], width: int) -> None:
    session = visit(width)
    session.see_curves(2)
    drawer = session.page.locator(".v-navigation-drawer")
    assert (drawer.bounding_box()["x"] == 0) == (width == 1280)
    if width < 960:
        session.open_drawer()
    session.step()
    session.press("▶ Play")
    week = session.week()
    wait_until(lambda: session.week() > week)
    session.reset("Seed 1")
    fonts = "Promise.all(['16px Roboto', '24px \"Material Design Icons\"'].map(f => document.fonts.load(f)))"
    loaded = session.page.evaluate(f"{fonts}.then(found => found.map(faces => faces.length > 0))")
    assert loaded == [True, True]
    assert session.page.evaluate("document.documentElement.scrollWidth") <= width
    assert session.faults == []
