"""Workers that are left early: this process ends, whatever they were about to say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

LEAVER = """
import time
from contextlib import closing
import small_workers
from sim.system.executors import computed

with closing(computed(small_workers.answer, [("whole",), ("half",)], jobs=2)) as found:
    print(next(found))
    small_workers.MARK.touch()
    while not small_workers.HALF.exists():
        time.sleep(0.01)
print("left")
"""


def test_half_an_answer_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Ended in the midst of sending, a worker leaves the beginning of an answer in the pipe."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    done = subprocess.run(
        [sys.executable, "-c", LEAVER],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr, done.returncode) == ("(0, 'whole')\nleft\n", "", 0)
