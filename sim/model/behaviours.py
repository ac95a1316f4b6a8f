"""Rules of one's own: the market calls them, and takes their answers only if they are answers.

What a rule answers goes into accounts and columns of integers, where not-a-number would become an
amount; so an answer that is none is refused, naming the class, the rule and the lab.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mesa
import numpy as np

from sim.market.offers import Approaches, Offers
from sim.system.arrays import Floats

MOST_USD = 1e12  # a year: no person costs more than that, and it fits into integer cents many times over


@dataclass(frozen=True)
class Asked:
    """A lab's rule as the market calls it.

    Attributes:
        lab: the agent whose rule it is.
        rule: name of the method.
        check: what is wrong with an answer to a question about n people, in words; empty if nothing.
    """

    lab: mesa.Agent[Any]
    rule: str
    check: Callable[[Any, int], str]

    def __call__(self, rows: Any, *arguments: Any) -> Any:
        """The rule's answer as an array (n,). Raises ValueError if it is none."""
        said = getattr(self.lab, self.rule)(rows, *arguments)
        try:
            answer = np.asarray(said)
        except ValueError:  # rows of unequal length
            answer = np.asarray(None)
        if answer.ndim == 0:  # one answer for all
            answer = np.full(len(rows), answer)
        if wrong := shape_fault(answer, len(rows)) or self.check(answer, len(rows)):
            name = getattr(self.lab, "name", "")
            raise ValueError(f"{type(self.lab).__name__}.{self.rule}, of the lab {name}, answers {wrong}")
        return answer


def shape_fault(answer: Any, people: int) -> str:
    """What is wrong with the shape of an answer, in words; empty if nothing."""
    if answer.shape == (people,):
        return ""
    return f"an array of shape {answer.shape}: due is one value for each of the {people} people asked about"


def no_booleans(answer: Any, people: int) -> str:
    """What keeps an answer from being flags, in words."""
    if answer.dtype == np.bool_ or not people:
        return ""
    return f"values of type {answer.dtype}: due is True or False for each of the people asked about"


def no_prices(answer: Any, people: int) -> str:
    """What keeps an answer from being prices in USD a year, in words."""
    if answer.dtype.kind not in "iuf":
        return f"values of type {answer.dtype}: due are numbers, USD a year" if people else ""
    if not np.isfinite(answer).all():
        return f"{answer[~np.isfinite(answer)][0]} for one of the people: due is a finite number of USD"
    if people and float(answer.max()) > MOST_USD:
        return f"{float(answer.max()):g} USD for one of the people: due is at most {MOST_USD:g}"
    return ""


def no_packages(answer: Any, people: int) -> str:
    """What keeps an answer from being retention packages in USD, in words."""
    if wrong := no_prices(answer, people):
        return wrong
    below = people and float(answer.min()) < 0
    return f"{float(answer.min()):g} USD for one of the people: due is 0 or more" if below else ""


LAB_RULES = {"shortlist": no_booleans, "price": no_prices, "counter": no_packages}
"""The rules that a class of `Lab` may override, and what is wrong with an answer."""


@dataclass(frozen=True)
class Interested:
    """The interest of researchers of one's own class in an approach, as the market asks for it."""

    people: list[Any]

    def __call__(self, row: int, approach: Approaches, gap: float) -> bool:
        """Whether a person goes to interviews. Raises ValueError if the answer is neither yes nor no."""
        person = self.people[row]
        said = person.interest(approach, gap)
        if not isinstance(said, bool | np.bool_):
            raise ValueError(
                f"{type(person).__name__}.interest, of researcher {row} at the lab {person.lab}, answers "
                f"{said!r}: due is True or False"
            )
        return bool(said)


@dataclass(frozen=True)
class Chooser:
    """The choices of researchers of one's own class, as the market asks for them."""

    people: list[Any]

    def __call__(self, row: int, offers: Offers, stay: float, go: Floats) -> int | None:
        """Position of the offer that a person takes, None to stay. Raises ValueError if it is neither."""
        person = self.people[row]
        said = person.choose(offers, stay, go.copy())
        if said is None:
            return None
        try:
            taken = -1 if isinstance(said, bool) else operator.index(said)
        except TypeError:
            taken = -1
        if not 0 <= taken < len(go):
            raise ValueError(
                f"{type(person).__name__}.choose, of researcher {row} at the lab {person.lab}, answers "
                f"{said!r}: due is the position of an offer, 0 to {len(go) - 1}, or None to stay"
            )
        return taken
