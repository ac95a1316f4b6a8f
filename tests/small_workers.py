"""What a test has a worker process do; light, because each worker imports it."""

from __future__ import annotations

import os
import struct
import sys
import time
from pathlib import Path
from typing import Any

from sim.experiments.chunks import Computed, compute_together
from sim.experiments.performing import finish_variant

MARK, HALF = Path("died"), Path("half")


def answer(how: str) -> str:
    """A whole answer at once; or, when the mark is there, the first bytes of one, and then nothing more."""
    if how == "whole":
        return how
    while not MARK.exists():
        time.sleep(0.01)
    frame = sys._getframe()
    while "result_queue" not in frame.f_locals:  # that of concurrent.futures' worker
        assert frame.f_back is not None
        frame = frame.f_back
    os.write(frame.f_locals["result_queue"]._writer.fileno(), struct.pack("!i", 1_000_000) + b"half")
    HALF.touch()
    time.sleep(600)
    return how


def first() -> bool:
    """Whether nobody has been here before."""
    try:
        MARK.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def die_once(*given: Any) -> list[Computed]:
    """Blocks, but the first worker that comes here ends at once."""
    if first():
        os._exit(9)
    return compute_together(*given)


def finish_and_die_once(*given: Any) -> Any:
    """A finished variant, but the first worker that comes here ends before it can say so."""
    found = finish_variant(*given)
    if first():
        os._exit(9)
    return found
