"""Ctrl-C, and what a system sends to end a process, which unwind it alike.

They are held back or dropped where they would leave something half done.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

ENDINGS = tuple(
    signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if name in signal.Signals.__members__
)
SECONDS_TO_END = 10  # whatever is still under way then is cut off; files are there whole or not at all


class Endings:
    """Turns the first signal that should end this process into KeyboardInterrupt, and drops all others."""

    def __init__(self) -> None:
        self.first: int = signal.SIGINT
        self.came = False

    @property
    def code(self) -> int:
        """The exit code that says what ended the process: 130, 143 or 129."""
        return 128 + self.first

    def __call__(self, number: int, _frame: object) -> None:
        """Answer a signal."""
        if self.came:
            return
        self.came, self.first = True, number
        if hasattr(signal, "alarm"):
            signal.signal(signal.SIGALRM, self._cut_off)
            signal.alarm(SECONDS_TO_END)
        raise KeyboardInterrupt

    def _cut_off(self, *_: object) -> None:
        with suppress(OSError):
            os.write(2, b"talentsim: interrupted; what was done is kept, and talentsim resume goes on\n")
        os._exit(self.code)


@contextmanager
def ending(kept: bool = False) -> Iterator[Endings]:
    """Answer signals by `Endings` until the end of the block, or of the process if they are `kept`.

    A signal that the process was started to ignore, as under nohup, stays ignored.
    """
    endings = Endings()
    if threading.current_thread() is not threading.main_thread():  # only that one is interrupted
        yield endings
        return
    before = _answer(endings)
    try:
        yield endings
    finally:
        if kept:
            _restore(dict.fromkeys(before, signal.SIG_IGN))  # Python's own end would let a second one kill
        else:
            if endings.came and hasattr(signal, "alarm"):
                signal.alarm(0)
            _restore(before)


@contextmanager
def interrupts(held: bool) -> Iterator[None]:
    """Hold every signal that should end the process back until the end of the block.

    If not held, those that a terminal sends to all of its processes are dropped, by processes that are
    started meanwhile for ever.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []
    before = _answer(lambda number, _: caught.append(number))
    if not held:
        _restore({number: signal.SIG_IGN for number in before if number != signal.SIGTERM})
    try:
        yield
    finally:
        _restore(before)
    if caught:
        signal.raise_signal(caught[0])  # to whom it was meant for: by default Ctrl-C is KeyboardInterrupt


type _Handler = Callable[[int, FrameType | None], object] | int | None


def _answer(handler: Callable[[int, FrameType | None], object]) -> dict[signal.Signals, _Handler]:
    """Let a handler answer whatever is not ignored; who answered before."""
    before: dict[signal.Signals, _Handler] = {}
    for number in ENDINGS:
        present = signal.getsignal(number)
        if present is not None and present != signal.SIG_IGN:
            before[number] = signal.signal(number, handler)
    return before


def _restore(before: dict[signal.Signals, _Handler]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)
