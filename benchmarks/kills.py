"""Kill a sweep outright again and again, resume it, and see whether anything is lost, doubled or torn.

    python -m benchmarks.kills 500

A kill hits the parent, its whole process group, or one worker, at a random instant of a sweep of 200
chunks; one in four comes as soon as there is a folder, before or after its manifest stands. Whoever is not
the parent must not outlive it; after each kill every chunk that is there must be whole. In the end the
sweep is resumed and its tables are those of one that nobody disturbed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sim.experiments.chunks import unpacked
from sim.experiments.runner import CHUNKS

A_SWEEP = 20  # kills of one sweep at most
AT_ONCE = 0.25  # share of kills that come as soon as there is a folder
KINDS = ("parent", "group", "worker")  # that of a worker is two kills: its parent's follows
SCENARIO = """\
name: tiny
title: Two small labs
start: 2023-05-01
horizon: 6 weeks
market: {entry: {outside: 10, graduates: 20 /year}}
labs:
  alpha:
    label: Alpha
    staff: 12
    founded: 2016-01-01
    median_pay: 800k USD/year
    star_pay: 6M USD/year
    treasury: {opening: 5B USD, inflow: 1B USD/year}
    talent_opening: 60M USD
    talent_inflow: 300M USD/year
    process: 1 week
  beta:
    label: Beta
    staff: 9
    founded: 2018-01-01
    median_pay: 800k USD/year
    star_pay: 6M USD/year
    treasury: {opening: 5B USD}
    talent_opening: 60M USD
    process: 0 weeks
events:
  - {on: 2023-05-22, budget_change: {lab: alpha, talent_inflow: 1}}
"""
# two worlds, in each of which two variants share their first weeks and are computed together
VARY = ("labs.alpha.talent_inflow=100M USD/year,300M USD/year", "events.budget_change.talent_inflow=0.2,2")
MAIN = """\
import sys
from sim.market import simulate
simulate.BLOCK = int(sys.argv.pop(1))
from sim.cli import main
sys.exit(main())
"""


@dataclass
class Count:
    """What became of a series of kills."""

    kills: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    sweeps: int = 0
    torn: int = 0
    orphans: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def landed(self) -> int:
        return sum(self.kills.values())


def sweep(folder: Path, block: int = 1, runs: int = 50) -> list[str]:
    """The command of a sweep of 200 chunks into a folder; the scenario stands beside it."""
    varied = [word for values in VARY for word in ("--vary", values)]
    asked = ["sweep", str(folder.parent / "tiny.yaml"), *varied, "--runs", str(runs)]
    return [sys.executable, "-c", MAIN, str(block), *asked, "--jobs", "2", "--out", str(folder)]


def resume(folder: Path) -> list[str]:
    """The command that goes on with it."""
    return [sys.executable, "-c", MAIN, "1", "resume", str(folder), "--jobs", "2"]


def run_kills(folder: Path, kills: int, rng: np.random.Generator, block: int = 1, runs: int = 50) -> Count:
    """Kill sweeps in a folder so many times, and say what became of them."""
    (folder / "tiny.yaml").write_text(SCENARIO)
    whole = folder / "whole"
    subprocess.run(sweep(whole, 50, runs), check=True, capture_output=True)
    due, count, work = hashes(whole), Count(), folder / "work"
    while count.landed < kills:
        count.sweeps += 1
        shutil.rmtree(work, ignore_errors=True)
        for _ in range(A_SWEEP):
            if count.landed >= kills or finished(work):
                break
            command = resume(work) if (work / "manifest.json").exists() else sweep(work, block, runs)
            kind = KINDS[rng.integers(min(len(KINDS), kills - count.landed + 1))]
            early = kind != "worker" and bool(rng.uniform() < AT_ONCE)
            kill_at(command, work, kind, float(rng.uniform(0, 0.02 if early else 0.8)), count, early)
        last = subprocess.run(
            resume(work) if (work / "manifest.json").exists() else sweep(work, block, runs),
            capture_output=True, text=True,
        )  # fmt: skip
        if last.returncode or hashes(work) != due or (work / CHUNKS).exists() or (work / ".lock").exists():
            count.wrong.append(f"sweep {count.sweeps}: {last.returncode} {last.stderr[-300:]}")
        print(f"{count.landed} of {kills} kills, {len(count.wrong)} wrong", file=sys.stderr, flush=True)
    return count


def kill_at(command: list[str], work: Path, kind: str, wait: float, count: Count, early: bool) -> None:
    """Start the command, kill it or a part of it a while after it began to compute, and look what is left.

    An early kill counts from the first sign of work in the folder.

    When a worker was killed and the parent has gone on, the parent is killed too.
    """
    process = subprocess.Popen(
        command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    (begins if early else goes_on)(process, work)
    time.sleep(wait)
    if kind == "worker":
        workers = session(process.pid) - {process.pid}
        if workers and process.poll() is None:
            os.kill(max(workers), signal.SIGKILL)
            count.kills["worker"] += 1
            goes_on(process, work)  # the parent starts new workers; then it is its turn
        kind = "parent"
    alive = process.poll() is None
    if alive:
        (os.kill if kind == "parent" else os.killpg)(process.pid, signal.SIGKILL)
    process.wait()
    count.kills[kind] += alive
    for _ in range(100):
        if not (left := session(process.pid)):
            break
        time.sleep(0.05)
    count.orphans += len(left)
    for path in chunks(work):
        try:
            unpacked(path)
        except Exception:
            count.torn += 1


def begins(process: subprocess.Popen[bytes], work: Path) -> None:
    """Wait until something is written into the folder, or the process has ended."""
    before, end = written(work), time.monotonic() + 60
    while process.poll() is None and written(work) == before and time.monotonic() < end:
        time.sleep(0.0005)


def written(work: Path) -> int:
    """When something last changed in the folder, in nanoseconds; 0 if it is not there."""
    return max((path.stat().st_mtime_ns for path in (work, work / ".lock") if path.exists()), default=0)


def goes_on(process: subprocess.Popen[bytes], work: Path) -> None:
    """Wait until one more chunk is there, or the process has ended."""
    before, end = len(chunks(work)), time.monotonic() + 60
    while process.poll() is None and len(chunks(work)) <= before and time.monotonic() < end:
        time.sleep(0.002)


def chunks(work: Path) -> list[Path]:
    """The chunks that are there."""
    return list((work / CHUNKS).glob("*/*.chunk"))


def finished(work: Path) -> bool:
    """Whether the work is complete."""
    return (work / "sweep.parquet").exists() and not (work / CHUNKS).exists()


def hashes(folder: Path) -> dict[str, str]:
    """The canonical hash of every table of a complete sweep."""
    from sim.system.tables import canonical_hash, read_table

    paths = sorted(folder.rglob("*.parquet"))
    return {path.relative_to(folder).as_posix(): canonical_hash(read_table(path)) for path in paths}


def session(leader: int) -> set[int]:
    """Processes of a session that are alive."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has just ended
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                found.add(int(entry.name))
    return found


def main() -> int:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        count = run_kills(Path(folder), kills, np.random.default_rng(seed))
    print(f"{count.landed} kills ({', '.join(f'{n} {kind}' for kind, n in count.kills.items())})")
    print(f"{count.sweeps} sweeps, {len(count.wrong)} with another result than an undisturbed one")
    print(f"{count.torn} torn chunks, {count.orphans} processes that outlived their parent")
    print(f"{time.monotonic() - began:.0f} s, seed {seed}")
    for words in count.wrong:
        print(words)
    return 1 if count.wrong or count.torn or count.orphans else 0


if __name__ == "__main__":
    raise SystemExit(main())
