"""What a user waits for and what it takes of the machine, measured on whole `talentsim` processes.

    python -m benchmarks.users [--quick]

Times are by the clock, medians of a few, so the machine should have nothing else to do. Peak memory is
that of the largest process of a command, its workers among them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.growth import GIGABYTES, verdict
from sim.system.executors import default_jobs

HELP_SECONDS, HELP_AIM = 0.4, 0.25
VALIDATE_SECONDS, VALIDATE_AIM = 0.7, 0.4
PICTURE_SECONDS, PICTURE_AIM = 12, 6  # of `talentsim run` with 200 runs and all logs
TWO_CORES, TWO_CORES_AIM = 1.6, 1.9
FEW, MANY = 200, 400  # runs: the rest of the thousand is told by what a run adds
THOUSAND = 1000
SCENARIO, ARTICLE = "baseline", "meta-2025"

# Without pictures and files: blocks of runs, computed in so many processes.
ENSEMBLE = """
import sys
from sim.scenario.loading import load_scenario
from sim.market.simulate import simulate

if __name__ == "__main__":
    simulate(load_scenario(sys.argv[1]), 1, range(int(sys.argv[2])), jobs=int(sys.argv[3]), log=False)
"""


def used(command: Sequence[str]) -> tuple[float, float]:
    """Seconds by the clock and peak memory, in GB, of a process; RuntimeError if it fails."""
    before = time.perf_counter()
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with exit code {started.returncode}")
    return time.perf_counter() - before, usage.ru_maxrss * 1024 / 1e9


def talentsim(*words: str) -> tuple[float, float]:
    return used([sys.executable, "-c", "from sim.cli import main; main()", *words])


def first_picture(folder: Path) -> tuple[float, float]:
    """Seconds until the first picture of `talentsim run` stands in its folder, and until all is done."""
    before = time.time()
    whole, _ = talentsim("run", ARTICLE, "--runs", str(FEW), "--out", str(folder))
    return (folder / "hiring.png").stat().st_mtime - before, whole


def seconds(*words: str, times: int = 9) -> float:
    """Seconds of a command by the clock, start of Python included; median."""
    return median(talentsim(*words)[0] for _ in range(times))


def two_cores(folder: Path, runs: int) -> float:
    """Speed of an ensemble in two processes beside one, start of Python included."""
    script = folder / "ensemble.py"
    script.write_text(ENSEMBLE, "utf-8")
    command = [sys.executable, str(script), SCENARIO, str(runs)]
    return used([*command, "1"])[0] / used([*command, "2"])[0]


def memory(folder: Path, runs: int) -> float:
    """Peak memory, in GB, of `talentsim run` without logs in one process."""
    words = ("run", SCENARIO, "--runs", str(runs), "--jobs", "1", "--no-log")
    return talentsim(*words, "--out", str(folder / f"runs-{runs}"))[1]


def report(quick: bool) -> None:
    """Print all figures as they come."""

    def told(words: str) -> None:
        print(words, flush=True)

    found = seconds("--help")
    told(f"talentsim --help: {found:.2f} s ({verdict(found, HELP_SECONDS, HELP_AIM)})")
    found = seconds("validate", ARTICLE)
    told(f"talentsim validate {ARTICLE}: {found:.2f} s ({verdict(found, VALIDATE_SECONDS, VALIDATE_AIM)})")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        few = memory(folder, FEW)
        told(f"peak memory of {FEW} runs, logs off: {few:.2f} GB ({verdict(few, *GIGABYTES)})")
        if quick:
            return
        found, whole = first_picture(folder / "pictures")
        told(f"first picture of talentsim run {ARTICLE}, {FEW} runs: {found:.1f} s")
        told(f"  ({verdict(found, PICTURE_SECONDS, PICTURE_AIM)}; the whole command: {whole:.1f} s)")
        each = (memory(folder, MANY) - few) / (MANY - FEW)
        whole = few + each * (THOUSAND - FEW)
        told(f"  a run adds {each * 1e6:.0f} kB; so a thousand take {whole:.2f} GB")
        told(f"    ({verdict(whole, *GIGABYTES)})")
        if default_jobs() < 2:
            told("two cores beside one: this machine has one")
            return
        ratio = two_cores(folder, THOUSAND)
        told(f"two cores beside one, {THOUSAND} runs: {ratio:.2f} times as fast")
        told(f"  ({verdict(ratio, TWO_CORES, TWO_CORES_AIM, least=True)})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.users", description="What users wait for.")
    parser.add_argument("--quick", action="store_true", help="help, validation and memory of 200 runs only")
    report(parser.parse_args().quick)
