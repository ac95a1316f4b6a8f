"""Turns at work that takes long: so much is computed at once, and what else is asked for waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

SECONDS_TO_LOOK = 0.5  # between two looks at whether a turn is still wanted


class GivenUp(Exception):
    """Nobody wants the work any more."""


class Turns:
    """So many turns at once.

    Args:
        each: of one visitor's address.
        in_all: of all together.
    """

    def __init__(self, each: int, in_all: int) -> None:
        self.each, self.in_all = each, in_all
        self._taken = Counter[str]()
        self._changed = Condition()

    @contextmanager
    def turn(self, address: str, wanted: Callable[[], bool] = lambda: True) -> Iterator[None]:
        """Wait for a turn, and have it as long as the context lasts.

        Args:
            address: the visitor's.
            wanted: asked now and then while waiting.

        Raises:
            GivenUp: if the turn is no longer wanted before it has come.
        """
        with self._changed:
            while self._taken[address] >= self.each or self._taken.total() >= self.in_all:
                if not wanted():
                    raise GivenUp
                self._changed.wait(SECONDS_TO_LOOK)
            self._taken[address] += 1
        try:
            yield
        finally:
            with self._changed:
                self._taken -= Counter([address])
                self._changed.notify_all()


ENSEMBLES = Turns(each=1, in_all=2)  # each has every core
RUNS = Turns(each=2, in_all=4)  # lived in one go: for an address with a week, for a biography
