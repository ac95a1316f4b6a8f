"""What is allowed in a scenario and yet likely not meant: said as warnings, each with its place.

Some cautions are seen in the text as written (`_of_text`), the others in the scenario as a whole, each by
one function of `OF_SCENARIO`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import BaseModel

from sim.scenario.annotations import quantity_at
from sim.scenario.errors import Issue, Place, Problem, shown
from sim.scenario.gaps import opened_by_chance
from sim.scenario.leftovers import left_behind
from sim.scenario.means import short_of_means
from sim.scenario.parameters import Entry
from sim.scenario.provenance import cited_value, value_places
from sim.scenario.quantities import MONEY, MONEY_RATE, SIGNED_MONEY
from sim.scenario.schema import Scenario
from sim.scenario.yaml_nodes import Node

_PACKAGE = str(Path(__file__).parents[1])
# 900.000 USD, but neither 0.250 USD nor 1.625M USD, which nobody writes for thousands
_POINT_FOR_THOUSANDS = re.compile(r"[+-]?\s*\$?\s*([1-9]\d{0,2})\.(\d{3})\s*(?:\$|USD)?\s*(?:(?:/|per\b).*)?")
_MONIES = (MONEY, SIGNED_MONEY, MONEY_RATE)


def _of_pools(scenario: Scenario) -> Iterator[Issue]:
    """Pay outside the labs that nobody earns, since pools say what each earns."""
    entry = scenario.market.entry
    if entry.pools and entry.outside_pay != Entry().outside_pay:
        message = "nobody earns it: outsiders are in pools with pay of their own"
        yield Issue(
            "market.entry.outside_pay", message, "change market.entry.pools.<name>.pay, or pools: null"
        )


OF_SCENARIO: tuple[Callable[[Scenario], Iterator[Issue]], ...] = (
    short_of_means,
    _of_pools,
    opened_by_chance,
)


class ScenarioWarning(UserWarning):
    """Something in a scenario is allowed, but likely not what is meant; `problem` says what and where."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def cautions(scenario: Scenario, tree: Node) -> list[Problem]:
    """All cautions about a scenario and the tree that it was read from, in the order of their places."""
    found = [
        *_of_text(tree),
        *left_behind(scenario, dict(value_places(tree)), tree.place.file),
        *(issue for check in OF_SCENARIO for issue in check(scenario)),
    ]
    placed = [Problem.at(_place(tree, one.path), one.path, one.message, one.hint) for one in found]
    return sorted(placed, key=lambda one: (one.file, one.line or 0, one.column or 0))


def warn(problems: list[Problem]) -> None:
    """Say each caution as a Python warning, which points at the caller outside this package."""
    for problem in problems:
        warnings.warn(ScenarioWarning(problem), skip_file_prefixes=(_PACKAGE,))


def _of_text(tree: Node) -> Iterator[Issue]:
    """Amounts of money whose point may have been meant to part thousands."""
    for path, text in _texts(tree, ()):
        if (match := _POINT_FOR_THOUSANDS.fullmatch(text.strip())) and _is_money(Scenario, path):
            message = f"the point in {shown(text)} is read as a decimal point: {match[1]}.{match[2]} dollars"
            hint = f"if thousands are meant, write {match[1]}{match[2]} or {match[1]},{match[2]}"
            yield Issue(".".join(map(str, path)), message, hint)


def _is_money(model: type[BaseModel], path: tuple[str | int, ...]) -> bool:
    return quantity_at(model, path) in _MONIES


def _texts(node: Node, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text below a node, with its path."""
    node = cited_value(node) or node
    if isinstance(node.content, str):
        yield path, node.content
    for key, child in node.children():
        yield from _texts(child, (*path, key))


def _place(tree: Node, path: str) -> Place:
    """Where a dotted path stands; for a value that no file gives, the section it belongs to."""
    node, place = tree, tree.place
    for step in path.split("."):
        below = {str(key): child for key, child in node.children()}
        if step not in below:
            return place
        place, node = node.keys.get(step, below[step].place), below[step]
    return (cited_value(node) or node).place
