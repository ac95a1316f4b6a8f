"""Ctrl-C, held back or dropped where it would leave something half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupts(held: bool) -> Iterator[None]:
    """Hold an interrupt (Ctrl-C) back until the end of the block, or drop it."""
    if threading.current_thread() is not threading.main_thread():  # only that one is interrupted
        yield
        return
    caught: list[int] = []
    before = signal.signal(
        signal.SIGINT, (lambda number, _: caught.append(number)) if held else signal.SIG_IGN
    )
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if caught:
        signal.raise_signal(signal.SIGINT)  # to whom it was meant for: by default it is KeyboardInterrupt
