"""The browser page: in Chromium where there is one, and its parts without a browser."""

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
from urllib.parse import urlsplit

import pytest

from sim.cli import main
from sim.cli.options import BAD_INPUT
from sim.model import TalentMarket
from sim.report import serve as serving
from sim.report.inputs import SETTINGS, PageMarket, in_force, offered_scenarios, totals
from sim.scenario.loading import load_scenario
from sim.tables import canonical_hash

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HAS_PLAYWRIGHT = importlib.util.find_spec("playwright") is not None
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


# Without a browser


def test_every_setting_is_an_argument_of_the_model() -> None:
    arguments = set(inspect.signature(PageMarket).parameters)
    assert arguments == {"name", "rng", *SETTINGS}
    # Mesa would put an object of its own into these
    assert not arguments & {"scenario", "seed"}


def test_sliders_stand_where_the_scenario_stands_and_name_the_unit() -> None:
    wanted = {
        "Package cap (M USD)": 100,
        "Researchers approached": 46,
        "Surprise of the release (sds)": -1.5,
        "Meta's talent inflow (B USD a year)": 2.5,
        "Pay elasticity": 2,
    }
    for name in ("meta-2025", "baseline"):  # what baseline does not know stands as in meta-2025
        assert {s.label: s.stand(load_scenario(name)) for s in SETTINGS.values()} == wanted


def test_untouched_inputs_give_the_scenario_itself() -> None:
    scenario = load_scenario("meta-2025")
    model = PageMarket("meta-2025", **{key: setting.stand(scenario) for key, setting in SETTINGS.items()})
    assert model.refusal == ""
    assert model.talent_scenario == scenario
    assert model.talent_scenario.sources == scenario.sources
    plain = TalentMarket("meta-2025", seed=1)
    assert model.tables() == {}
    for market in (model, plain):
        market.run_for(2)
        market.tables()
        market.run_for(1)
    assert {name: canonical_hash(table) for name, table in model.tables().items()} == {
        name: canonical_hash(table) for name, table in plain.tables().items()
    }


def test_a_moved_slider_changes_its_value_alone() -> None:
    model = PageMarket("meta-2025", package_cap=20, surprise=0.5, inflow=0)
    plain, changed = load_scenario("meta-2025"), model.talent_scenario
    campaign = next(event.campaign for event in changed.events if event.campaign)
    assert campaign.package_cap == 20_000_000_00
    assert campaign.researchers == 46
    assert next(e.model_release for e in changed.events if e.model_release).surprise == 0.5
    assert changed.labs["meta"].talent_inflow == 0
    assert changed.market == plain.market
    assert {k: v for k, v in changed.labs.items() if k != "meta"} == {
        k: v for k, v in plain.labs.items() if k != "meta"
    }


def test_what_a_scenario_does_not_know_is_left_out_and_said() -> None:
    model = PageMarket("baseline", package_cap=20, researchers=5, elasticity=3)
    assert model.refusal == ""
    assert model.talent_scenario.market.choice.pay_elasticity == 3
    words = in_force(model)
    assert "Package cap: not in this scenario" in words
    assert "Pay elasticity 3" in words


def test_totals_are_those_of_the_tables() -> None:
    model = PageMarket("meta-2025", rng=3)
    assert totals(model) == f"{model.employed:,} researchers at 11 labs"
    model.run_for(116)
    labs, offers = (model.tables()[name].to_pandas() for name in ("labs", "offers"))
    said = totals(model)
    assert f"{labs.hires.sum():,} hires, {labs.departures.sum():,} departures" in said
    campaign = offers[offers.campaign.notna() & offers.offer_week.notna()]
    assert len(campaign) > 10
    accepted = (campaign.outcome == "accepted").sum()
    assert said.endswith(f". Campaign: {len(campaign)} offers, {accepted} accepted")


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ({"researchers": 5000}, "the campaign wants 5000 researchers"),
        ({"elasticity": -1}, "pay_elasticity"),
        ({"name": "/etc/passwd"}, "there is no scenario '/etc/passwd' here"),
    ],
)
def test_a_refused_input_is_said_and_leaves_a_working_model(inputs: Any, why: str) -> None:
    model = PageMarket(**inputs)
    assert why in model.refusal
    assert "\n" not in model.refusal
    assert model.talent_scenario == load_scenario("meta-2025")
    model.step()
    assert model.week == 1


def test_a_broken_file_is_said_and_leaves_a_working_model(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("extends: baseline\nnme: x\n")
    monkeypatch.setenv(serving.SCENARIO_VARIABLE, str(file))
    assert str(file) in offered_scenarios()
    model = PageMarket(str(file))
    assert "nme" in model.refusal
    assert model.talent_scenario.name == "meta-2025"


def test_importing_the_server_is_light() -> None:
    heavy = "{'solara', 'mesa', 'matplotlib', 'pandas', 'pyarrow'}"
    code = f"import sim.report.serve, sys; print(sorted({heavy} & set(sys.modules)))"
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


# In Chromium


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where `talentsim app` serves the page; at the end Ctrl-C must end it, whole and quietly."""
    log = tmp_path_factory.mktemp("app") / "log.txt"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "sim", "app", "meta-2025", "--port", str(port), "--no-open"]
    with log.open("w") as file:
        server = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: server.poll() is not None or answers(f"{url}/readyz"))
        assert server.poll() is None, log.read_text()
        yield url
        server.send_signal(signal.SIGINT)
        assert server.wait(PATIENCE) in (0, 130)
        with pytest.raises(ProcessLookupError):
            os.killpg(server.pid, 0)  # nobody of its session is left
        assert log.read_text().splitlines() == [f"The page is at {url} (Ctrl-C ends it)"]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


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
    """One visitor: a browser context of its own, and all that went wrong in it."""

    def __init__(self, browser: Any, address: str) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.context.set_default_timeout(1000 * PATIENCE)
        self.page, self.faults, self.asked = self.context.new_page(), [], []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda said: said.type == "error" and self.faults.append(said.text))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("websocket", lambda opened: self.asked.append(opened.url))
        self.page.goto(address)
        self.page.get_by_text("Week 0 of 156").wait_for()

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def week(self) -> int:
        return int(self.page.locator(".talentsim h2").inner_text().split()[1])

    def chips(self) -> str:
        return " | ".join(self.page.locator(".talentsim .v-chip").all_inner_texts())

    def curves(self) -> list[str]:
        """The pictures on the page, as SVG."""
        script = "images => Promise.all(images.map(i => fetch(i.src).then(r => r.text())))"
        found: list[str] = self.page.locator(".talentsim img").evaluate_all(script)
        return found

    def choose(self, scenario: str) -> None:
        self.page.locator(".v-select").first.click()
        self.page.get_by_role("option", name=scenario).click()

    def move_slider(self, label: str, key: str) -> None:
        self.page.get_by_role("slider", name=label).focus()
        self.page.keyboard.press(key)


@pytest.fixture
def visit(chromium: Any, address: str) -> Iterator[Callable[[], Session]]:
    """Open the page as a new visitor; at the end nobody may have met a fault or another host."""
    sessions: list[Session] = []

    def new() -> Session:
        sessions.append(Session(chromium, address))
        return sessions[-1]

    yield new
    for session in sessions:
        session.context.close()
        hosts = {urlsplit(url).netloc for url in session.asked if url.startswith(("http", "ws"))}
        assert hosts == {urlsplit(address).netloc}
        assert session.faults == []


@marked
def test_step_moves_the_week_and_both_curves(visit: Callable[[], Session], tmp_path: Path) -> None:
    session = visit()
    assert session.page.title() == "talentsim"
    assert session.curves() == []
    session.press("Step")
    wait_until(lambda: session.week() > 0 and len(session.curves()) == 2)
    week, before = session.week(), session.curves()
    assert all(picture.startswith("<?xml") and "<svg" in picture for picture in before)
    session.press("Step")
    wait_until(lambda: session.week() == 2 * week)
    wait_until(lambda: all(a != b for a, b in zip(before, session.curves(), strict=True)))
    session.page.screenshot(path=tmp_path / "page.png")
    session.page.set_viewport_size({"width": 800, "height": 900})
    wait_until(lambda: session.page.evaluate("document.documentElement.scrollWidth") <= 800)
    assert session.page.locator(".talentsim img").last.bounding_box()["width"] <= 800
    session.page.screenshot(path=tmp_path / "narrow.png", full_page=True)


@marked
def test_play_goes_on_and_stops(visit: Callable[[], Session]) -> None:
    session = visit()
    session.press("▶")
    wait_until(lambda: session.week() > 5 and len(session.curves()) == 2)
    session.press("❚❚")
    session.page.get_by_role("button", name="▶", exact=True).wait_for()
    wait_until(lambda: session.page.get_by_role("button", name="Step", exact=True).is_enabled())


@marked
def test_scenario_and_sliders_act_on_reset(visit: Callable[[], Session]) -> None:
    session = visit()
    assert "Package cap 100 M USD" in session.chips()
    session.move_slider("Package cap (M USD)", "Home")
    session.press("Step")
    wait_until(lambda: session.week() > 0)
    assert "Package cap 100 M USD" in session.chips()
    session.press("Reset")
    wait_until(lambda: session.week() == 0)
    wait_until(lambda: "Package cap 1 M USD" in session.chips())
    session.move_slider("Researchers approached", "End")  # more than the target has
    session.press("Reset")
    session.page.get_by_text("the campaign wants 500 researchers").wait_for()
    session.press("Step")
    wait_until(lambda: session.week() > 0)
    session.move_slider("Researchers approached", "Home")
    session.choose("baseline")
    session.press("Reset")
    wait_until(lambda: "Scenario baseline" in session.chips())
    assert "Package cap: not in this scenario" in session.chips()
    assert session.page.get_by_text("Refused").count() == 0
    session.press("Step")
    wait_until(lambda: session.week() > 0 and len(session.curves()) == 2)


@marked
def test_visitors_have_runs_of_their_own(visit: Callable[[], Session]) -> None:
    first = visit()
    first.press("Step")
    wait_until(lambda: first.week() > 0)
    second = visit()
    assert second.week() == 0
    second.move_slider("Seed", "End")
    second.press("Reset")
    wait_until(lambda: "Seed 100" in second.chips())
    assert first.week() > 0
    assert "Seed 1 |" in first.chips()
