"""What a visitor of the browser page waits for, measured in Chromium, and what plays leave in memory.

    python -m benchmarks.page [--plays 100]

Times are by the clock, medians, so the machine should have nothing else to do. The market has 2,000
and more researchers; the curves are drawn after each step.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.growth import verdict

PAINT_SECONDS, STEP_SECONDS, GROWTH = 4, 0.5, 0.1
QUERY = "?scenario=meta-2025&set=labs.openai.staff=600"
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
PLAYED = 10  # weeks of one play, at least


@contextmanager
def server() -> Iterator[tuple[str, int]]:
    """The address of a page of our own, and the number of its process."""
    code = "import sys; from sim.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "app", "meta-2025", "--port", "0", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[4], process.pid  # The page is at ADDRESS
        finally:
            process.send_signal(signal.SIGINT)


def timed(act: Callable[[], Any]) -> float:
    """Seconds that something takes, by the clock."""
    before = time.perf_counter()
    act()
    return time.perf_counter() - before


def press(page: Any, button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()


def first_paint(browser: Any, address: str) -> tuple[Any, float]:
    """A new visitor's page, and the seconds until it says where the market stands."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(120_000)

    def open_page() -> None:
        page.goto(address + QUERY)
        page.get_by_text("Week 0 of").wait_for()

    return page, timed(open_page)


def step(page: Any) -> float:
    """Seconds from a click on Step until both curves are others."""
    before = page.locator(".talentsim img").evaluate_all("images => images.map(i => i.src)")
    button = page.get_by_role("button", name="Step", exact=True)

    def click() -> None:
        button.dispatch_event("click")
        page.wait_for_function(
            "old => { const now = [...document.querySelectorAll('.talentsim img')].map(i => i.src);"
            " return now.length == 2 && now.every((src, i) => src != old[i]); }",
            arg=before,
        )

    return timed(click)


def play(page: Any) -> None:
    """From the first week on for a while, and back."""
    press(page, "▶")
    page.wait_for_function(
        f"() => +document.querySelector('.talentsim h2').innerText.split(' ')[1] >= {PLAYED}"
    )
    press(page, "❚❚")
    page.get_by_role("button", name="▶", exact=True).wait_for()
    press(page, "Reset")
    page.get_by_text("Week 0 of").wait_for()


def memory(process: int) -> float:
    """MB that a process has in memory."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def ensemble(page: Any) -> float:
    """Seconds of 200 runs on the page."""
    page.get_by_role("tab", name="Ensemble").click()
    page.get_by_role("slider", name="Runs").focus()
    page.keyboard.press("End")
    page.get_by_text("Runs: 200").wait_for()

    def run() -> None:
        press(page, "Run them")
        page.get_by_text("200 runs of").wait_for()

    return timed(run)


def report(browser: Any, plays: int) -> None:
    """Print all figures as they come."""

    def told(words: str) -> None:
        print(words, flush=True)

    with server() as (address, process):
        opened = [first_paint(browser, address) for _ in range(5)]
        found = median(seconds for _, seconds in opened)
        told(f"first paint: {found:.1f} s ({verdict(found, PAINT_SECONDS, PAINT_SECONDS / 2)})")
        for page, _ in opened[1:]:
            page.close()
        page = opened[0][0]
        step(page)
        five = median(step(page) for _ in range(10))
        page.get_by_role("slider", name="Render Interval").focus()
        page.keyboard.press("Home")
        page.wait_for_timeout(500)
        one = median(step(page) for _ in range(20))
        told(f"step of a week with both curves: {one:.2f} s ({verdict(one, STEP_SECONDS, STEP_SECONDS / 2)})")
        told(f"step of five weeks, as the page opens: {five:.2f} s")
        told(f"ensemble of 200 runs: {ensemble(page):.1f} s")
        page.get_by_role("tab", name="Curves").click()
        press(page, "Reset")
        page.get_by_text("Week 0 of").wait_for()
        play(page)
        before = memory(process)
        for _ in range(plays - 1):
            play(page)
        growth = memory(process) / before - 1
        told(f"memory after {plays} plays: {growth:+.1%} ({verdict(growth, GROWTH, GROWTH / 2)})")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description="What visitors wait for.")
    parser.add_argument("--plays", type=int, default=100, help="how often the market is played and reset")
    plays = parser.parse_args().plays
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=FLAGS)
        report(browser, plays)


if __name__ == "__main__":
    main()
