"""The browser page: in Chromium where there is one, and its parts without a browser."""

from __future__ import annotations

import csv
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from small_pages import Session, browser, marked, served, wait_until

from sim.cli import main
from sim.cli.options import BAD_INPUT
from sim.page import serve as serving
from sim.scenario.loading import load_scenario

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


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as found:
        yield found


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
    session.press("▶ Play")
    wait_until(lambda: session.week() > 3 * week)
    session.press("❚❚ Pause")
    session.page.get_by_role("button", name="▶ Play", exact=True).wait_for()
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
    for words in (
        "Moves from lab to lab",
        "Where joiners came from",
        "Packages offered",
        "Offers accepted",
        "Cash for talent",
    ):
        page.get_by_alt_text(words).wait_for()
    session.see_curves(5)
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
    session.move_slider("Researchers approached", "End", ": 600")  # more than the target has
    session.reset("Pay elasticity 2")
    session.notice("the campaign wants 600 researchers")
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
    assert listed[0] == "29 Apr 2025: Meta releases a model without voice"
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
    session.page.get_by_text("% done").wait_for()
    other = visit()
    other.tab("Ensemble")
    other.move_slider("Runs", "Home", ": 10")
    other.press("Run them")
    other.page.get_by_text("Waiting for its turn").wait_for()  # one of an address is computed at a time
    session.press("Give up")
    wait_until(lambda: session.page.get_by_role("button", name="Run them").is_enabled())
    other.page.get_by_text("10 runs of meta-2025 as it stands, seed 1").wait_for()


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
@pytest.mark.parametrize("width", [390, 800])
def test_narrow_and_by_keyboard_alone(visit: Visit, width: int) -> None:
    session = visit(width=width)
    page = session.page
    heading, drawer = page.locator(".talentsim h2"), page.locator(".v-navigation-drawer")
    assert drawer.bounding_box()["x"] + drawer.bounding_box()["width"] <= 0  # it begins closed
    reach(page, "Scenario and controls")
    page.keyboard.press("Enter")
    wait_until(lambda: drawer.bounding_box()["x"] == 0)
    for name in ("Reset", "▶ Play", "Step"):
        box = page.get_by_role("button", name=name, exact=True).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    if width > 720:  # not one upon the other
        wait_until(lambda: heading.bounding_box()["x"] >= drawer.bounding_box()["width"])
    reach(page, "Step")
    page.keyboard.press("Enter")
    wait_until(lambda: session.week() > 0)
    page.mouse.click(width - 10, 600)
    wait_until(lambda: drawer.bounding_box()["x"] < 0)  # a touch beside it closes it
    session.see_curves(2)
    assert page.locator(".talentsim img").last.bounding_box()["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    reach(page, "Map")
    page.keyboard.press("Enter")
    page.get_by_alt_text("Labs sized by headcount").wait_for()
    assert faint(page) == []


@marked
def test_the_document_has_a_language_a_heading_and_named_buttons(visit: Visit) -> None:
    session = visit("?week=10&set=market.choice.pay_elasticity=3")
    page = session.page
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.locator("h1").all_inner_texts() == ["talentsim: the market for AI talent"]
    zoom = page.locator("meta[name=viewport]").get_attribute("content")
    assert "user-scalable" not in zoom  # whoever sees badly may enlarge the page
    assert "maximum-scale" not in zoom
    for tab in ("Curves", "Offers", "Compare", "Ensemble", "Download"):
        session.tab(tab)
        page.wait_for_timeout(300)
        assert unnamed(page) == []


def unnamed(page: Any) -> list[str]:
    """Buttons and tabs that say in no word what they do."""
    script = """() => [...document.querySelectorAll('button, [role=button], [role=tab], a')]
        .filter(e => !/[a-z]{3}/i.test(e.getAttribute('aria-label') || e.textContent))
        .map(e => e.outerHTML)"""
    found: list[str] = page.evaluate(script)
    return found


@marked
def test_a_pair_of_runs_is_not_called_an_effect(visit: Visit) -> None:
    session = visit("?week=30&set=market.choice.pay_elasticity=3")
    session.tab("Compare")
    session.notice("one pair of runs, both with seed 1 and so under the same random numbers")
    session.notice("no measure of their effect")
    session.page.get_by_text("talentsim compare meta-2025 meta-2025.yaml --runs 200").wait_for()
    session.see_curves(3)
    assert "In this one pair of runs, " in session.curves()[1]


def reach(page: Any, words: str) -> None:
    """Go to a control with the Tab key alone."""
    for _ in range(60):
        page.keyboard.press("Tab")
        text = page.evaluate(
            "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText || ''"
        )
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
