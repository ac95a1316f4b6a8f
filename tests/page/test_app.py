"""The browser page: in Chromium where there is one, and its parts without a browser."""

from __future__ import annotations

import contextlib
import csv
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
from urllib.parse import urlsplit

import pytest

from sim.cli import main
from sim.cli.options import BAD_INPUT
from sim.page import serve as serving
from sim.scenario.loading import load_scenario

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HAS_PLAYWRIGHT = importlib.util.find_spec("playwright") is not None
PATIENCE = 120  # seconds, for a busy machine
SCREENSHOT = "TALENTSIM_SCREENSHOT"  # where the README's picture of the page is written, if anywhere
BREAKS = 13  # the seed whose model breaks in week 3, in the tested server
BROKEN = f"""
import sys
import numpy as np
from sim.market.draws import run_keys
from sim.model import TalentMarket

KEY = run_keys({BREAKS}, np.array([0]))[0]

def step(model, whole=TalentMarket.step):
    if model.market.keys[0] == KEY and model.week == 3:
        raise RuntimeError("the model broke")
    whole(model)

TalentMarket.step = step
from sim.cli import main
sys.exit(main(sys.argv[1:]))
"""

STUCK = """
import concurrent.futures, sys, threading, uvicorn
from sim.page import serve

async def for_ever(*_, **__):
    threading.Event().wait()

serve.SECONDS_TO_END = 1
{}
from sim.cli import main
sys.exit(main(sys.argv[1:]))
"""

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


# Without a browser: the rest is in test_page_parts.py


def test_importing_the_server_is_light() -> None:
    heavy = "{'solara', 'mesa', 'matplotlib', 'pandas', 'pyarrow'}"
    code = f"import sim.page.serve, sys; print(sorted({heavy} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_a_missing_extra_is_said_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serving, "find_spec", lambda name: None if name == "solara" else object())
    assert main(["app", "--no-open"]) == BAD_INPUT
    said = capsys.readouterr()
    assert 'pip install "talentsim[app]"' in said.err
    assert "(solara)" in said.err
    assert len(said.err.splitlines()) == 1
    assert said.out == ""


def test_a_port_in_use_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["app", "--port", str(port), "--no-open"]) == BAD_INPUT
    said = capsys.readouterr()
    assert f"port {port} is in use" in said.err
    assert "--port" in said.err
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["--port", "70000"], ["--host", "203.0.113.1"], ["no-such-scenario"]])
def test_bad_arguments_are_said_without_a_traceback(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["app", "--no-open", *arguments]) == BAD_INPUT
    said = capsys.readouterr().err
    assert arguments[0] in said or arguments[-1] in said
    assert "Traceback" not in said


@pytest.mark.skipif(os.name == "nt", reason="ends the server by a signal, as a terminal does")
@pytest.mark.parametrize(
    "trouble",
    [
        "threading.Thread(target=threading.Event().wait).start()",
        "concurrent.futures.ThreadPoolExecutor().submit(threading.Event().wait)",
        "uvicorn.Server.shutdown = for_ever",
    ],
)
def test_ctrl_c_ends_a_server_of_which_something_waits_for_ever(trouble: str, tmp_path: Path) -> None:
    with served(STUCK.format(trouble), tmp_path / "log.txt"):
        pass


# In Chromium


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where `talentsim app` serves the page; at the end Ctrl-C must end it, whole and quietly."""
    with served(BROKEN, tmp_path_factory.mktemp("app") / "log.txt") as url:
        yield url


@contextlib.contextmanager
def served(program: str, log: Path) -> Iterator[str]:
    """The address at which a program, given the arguments of talentsim, serves the page until Ctrl-C."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", program, "app", "meta-2025", "--port", str(port), "--no-open"]
    with log.open("w") as file:
        server = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
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


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=flags)
        yield browser
        browser.close()


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
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("websocket", lambda opened: self.asked.append(opened.url))
        self.page.goto(address + query)
        self.page.locator(".talentsim h2").wait_for()

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


Visit = Callable[..., Session]


@pytest.fixture(scope="module")
def context(chromium: Any) -> Any:
    """What most visitors share, so that the page's scripts are loaded once."""
    return chromium.new_context(reduced_motion="reduce", color_scheme="light")


@pytest.fixture
def visit(chromium: Any, context: Any, address: str) -> Iterator[Visit]:
    """Open the page; at the end nobody may have met a fault or another host."""
    sessions: list[Session] = []

    def new(query: str = "", width: int = 1280, elsewhere: bool = False) -> Session:
        where = chromium.new_context() if elsewhere else context
        sessions.append(Session(where, address, query, width))
        return sessions[-1]

    yield new
    for session in sessions:
        session.page.close()
        hosts = {urlsplit(url).netloc for url in session.asked if url.startswith(("http", "ws"))}
        assert hosts == {urlsplit(address).netloc}
        assert session.faults == []


@marked
def test_step_and_play_move_the_week_and_both_curves(visit: Visit) -> None:
    session = visit()
    assert session.page.title() == "talentsim"
    assert session.curves() == []
    session.step()
    session.see_curves(2)
    week, before = session.week(), session.curves()
    session.step()
    assert session.week() == 2 * week
    wait_until(lambda: all(a != b for a, b in zip(before, session.curves(), strict=True)))
    session.press("▶")
    wait_until(lambda: session.week() > 3 * week)
    session.press("❚❚")
    session.page.get_by_role("button", name="▶", exact=True).wait_for()
    wait_until(lambda: session.page.get_by_role("button", name="Step", exact=True).is_enabled())


@marked
def test_every_tab_shows_what_it_promises(visit: Visit) -> None:
    session = visit("?week=10&set=market.choice.pay_elasticity=3")
    page = session.page
    session.see_curves(2)
    session.tab("Map")
    page.get_by_alt_text("Labs sized by headcount").wait_for()
    assert len(session.curves()) == 1
    session.tab("Market")
    for words in ("Moves from lab to lab", "Packages offered", "Offers accepted", "Cash for talent"):
        page.get_by_alt_text(words).wait_for()
    session.see_curves(4)
    session.tab("Compare")
    page.get_by_alt_text("Difference in cumulative hires").wait_for()
    session.see_curves(3)
    session.tab("Offers")
    page.get_by_text(" offers ").first.wait_for()
    page.get_by_role("button", name="Life of").first.click()
    researcher = page.get_by_role("button", name="Life of").first.inner_text().split()[-1]
    page.locator(".story", has_text=f"Researcher {researcher} ").wait_for()
    page.get_by_label("Number of a researcher").fill("99999999")
    page.get_by_label("Number of a researcher").press("Enter")
    session.press("Tell")
    session.notice("no researcher 99999999")


@marked
def test_scenario_and_sliders_act_on_reset(visit: Visit) -> None:
    session = visit()
    session.move_slider("Pay elasticity", "End", ": 4")
    session.step()
    plain = session.totals()
    assert "Pay elasticity 2" in session.chips()  # not yet in force
    session.reset("Pay elasticity 4")
    session.step()
    assert session.totals() != plain
    session.move_slider("Researchers approached", "End", ": 500")  # more than the target has
    session.reset("Pay elasticity 2")
    session.notice("the campaign wants 500 researchers")
    session.choose("baseline", "Pay elasticity: 2")
    session.reset("Scenario baseline")
    assert "Package cap: not in this scenario" in session.chips()
    session.no_problem()
    session.step()
    session.see_curves(2)


@marked
def test_a_parameter_is_written_and_a_wrong_one_is_not_taken(visit: Visit) -> None:
    session = visit()
    session.tab("Parameters")
    session.page.locator(".talentsim .v-select").click()
    session.page.get_by_role("option", name="Market: choice").click()
    field = session.page.get_by_role("textbox", name="taste scale")
    assert field.input_value() == "1.0"
    assert session.page.get_by_text("Symbol sigma").count() == 1
    field.fill("many")
    field.press("Enter")
    session.notice("Not taken: market.choice.taste_scale")
    field.fill("2")
    field.press("Enter")
    session.page.get_by_text("1 changed").wait_for()
    session.no_problem()
    session.reset("market.choice.taste_scale 2")


@marked
def test_the_address_brings_the_page_back(visit: Visit) -> None:
    first = visit()
    first.choose("cap-20m", "Package cap (M USD): 20")
    first.move_slider("Pay elasticity", "Home", ": 0.5")
    first.move_slider("Seed", "End")
    first.reset("Pay elasticity 0.5")
    first.step()
    wait_until(lambda: f"week={first.week()}" in first.page.url)
    second = visit("?" + urlsplit(first.page.url).query)
    assert second.week() == first.week() > 0
    assert second.chips() == first.chips()
    for words in ("Scenario cap-20m", "Seed 100", "Pay elasticity 0.5"):
        assert words in second.chips()
    assert second.totals() == first.totals()
    second.reset("Pay elasticity 0.5")  # the inputs stand where the address put them
    assert second.chips() == first.chips()


@marked
def test_a_tampered_address_is_told_and_the_page_works(visit: Visit) -> None:
    script = "market.choice.pay_elasticity=%3Cscript%3Ealert(1)%3C/script%3E"
    session = visit(f"?scenario=/etc/passwd&seed=-1&week=1e9&set=x&set={script}&%ff")
    session.notice("there is no scenario '/etc/passwd' here; seed '-1' is not a whole number")
    session.notice("runs as it stands. market.choice.pay_elasticity")
    assert session.week() == 0
    session.step()
    session.see_curves(2)


@marked
def test_a_failing_model_is_told_and_the_page_goes_on(visit: Visit) -> None:
    session = visit(f"?seed={BREAKS}")
    session.press("Step")
    session.notice("Week 3 failed (RuntimeError: the model broke). Press Reset")
    assert session.page.get_by_text("Traceback").count() == 0
    session.move_slider("Seed", "Home")
    session.reset("Seed 1 |")
    session.no_problem()
    session.step()
    session.see_curves(2)


@marked
def test_events_are_numbered_and_listed(visit: Visit) -> None:
    session = visit("?week=111")
    session.see_curves(2)
    listed = session.page.locator(".talentsim ol.events li").all_inner_texts()
    assert listed[0] == "29 Apr 2025: Meta releases a model"
    assert "; Meta pays 14.3B USD for Scale AI's team" in listed[3]
    hiring = session.curves()[0]
    assert all(f">{number}</text>" in hiring for number in range(1, len(listed) + 1))


@marked
def test_visitors_have_runs_of_their_own(visit: Visit) -> None:
    first = visit()
    first.step()
    second = visit(elsewhere=True)
    assert second.week() == 0
    second.move_slider("Seed", "End")
    second.reset("Seed 100")
    assert first.week() > 0
    assert "Seed 1 |" in first.chips()


@marked
def test_downloads_are_the_scenario_and_the_tables(visit: Visit) -> None:
    session = visit("?week=3&set=market.choice.pay_elasticity=3")
    session.tab("Download")
    found = {}
    for button in (
        "meta-2025.yaml",
        "meta-2025-seed-1-week-3-labs.csv",
        "meta-2025-seed-1-week-3-offers.csv",
    ):
        with session.page.expect_download() as waiting:
            session.press(button)
        assert waiting.value.suggested_filename == button
        found[button] = waiting.value.path()
    scenario = load_scenario(found["meta-2025.yaml"], composed=True)
    assert scenario == load_scenario("meta-2025", ["market.choice.pay_elasticity=3"])
    with found["meta-2025-seed-1-week-3-labs.csv"].open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["week"] for row in rows[:: len(scenario.labs)]] == ["0", "1", "2"]
    assert {row["lab"] for row in rows} == set(scenario.labs)


@marked
def test_an_ensemble_runs_beside_the_page(visit: Visit) -> None:
    session = visit()
    session.move_slider("Pay elasticity", "Home", ": 0.5")
    session.tab("Ensemble")
    session.move_slider("Runs", "Home", ": 10")
    session.press("Run them")
    session.page.get_by_text("% done").wait_for()
    session.tab("Curves")
    session.step()  # the page goes on meanwhile
    session.tab("Ensemble")
    session.page.get_by_text("10 runs of meta-2025 with market.choice.pay_elasticity=0.5, seed 1").wait_for()
    session.see_curves(2)
    session.move_slider("Runs", "End", ": 200")
    session.press("Run them")
    session.press("Give up")
    wait_until(lambda: session.page.get_by_role("button", name="Run them").is_enabled())


@marked
def test_ctrl_c_in_the_midst_of_an_ensemble_is_quiet(chromium: Any, tmp_path: Path) -> None:
    context = chromium.new_context()
    with served(BROKEN, tmp_path / "log.txt") as address:
        session = Session(context, address, "", width=1280)
        session.tab("Ensemble")
        session.press("Run them")
        session.page.get_by_text("% done").wait_for()
    context.close()


@marked
def test_narrow_and_by_keyboard_alone(visit: Visit) -> None:
    session = visit(width=800)
    page = session.page
    assert page.evaluate("document.documentElement.scrollWidth") <= 800
    for name in ("Reset", "▶", "Step"):
        box = page.get_by_role("button", name=name, exact=True).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 800
    reach(page, "Step")
    page.keyboard.press("Enter")
    wait_until(lambda: session.week() > 0)
    session.see_curves(2)
    assert page.locator(".talentsim img").last.bounding_box()["width"] <= 800
    heading, drawer = page.locator(".talentsim h2").bounding_box(), page.locator(".v-navigation-drawer")
    assert heading["x"] >= drawer.bounding_box()["width"]  # not one upon the other
    reach(page, "Map")
    page.keyboard.press("Enter")
    page.get_by_alt_text("Labs sized by headcount").wait_for()
    assert faint(page) == []


def reach(page: Any, words: str) -> None:
    """Go to a control with the Tab key alone."""
    for _ in range(60):
        page.keyboard.press("Tab")
        text = page.evaluate("document.activeElement.innerText || ''")
        if text.strip().lower() == words.lower():
            return
    raise AssertionError(f"{words} is not reached by the Tab key")


def faint(page: Any) -> list[str]:
    """Texts on the page whose contrast with a white ground is below 4.5, as WCAG 2.1 reckons it."""
    script = """() => [...document.querySelectorAll('.talentsim *')]
        .filter(e => e.offsetParent && [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim()))
        .map(e => [e.innerText, getComputedStyle(e).color.match(/[\\d.]+/g).map(Number)])"""
    found = page.evaluate(script)
    assert len(found) > 10
    return [text for text, colour in found if contrast_with_white(colour) < 4.5]


def contrast_with_white(colour: list[float]) -> float:
    alpha = colour[3] if len(colour) > 3 else 1.0
    mixed = [(alpha * c + (1 - alpha) * 255) / 255 for c in colour[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in mixed]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


@marked
@pytest.mark.skipif(SCREENSHOT not in os.environ, reason=f"{SCREENSHOT} does not ask for a picture")
def test_picture_for_the_readme(visit: Visit) -> None:
    session = visit("?scenario=meta-2025&seed=1&week=130")
    session.see_curves(2)
    session.page.wait_for_timeout(1000)  # colours fade in
    session.page.screenshot(path=os.environ[SCREENSHOT])
