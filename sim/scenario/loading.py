"""Load, change and dump scenarios.

A file becomes a scenario in five steps, each a module: bytes to nodes (`yaml_nodes`), files to one
tree (`composing`), `--set` (`overrides`), numbers apart from their sources (`provenance`), and
validation (`validation`). Whatever is wrong is a `ScenarioError` that names file, line and column.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from pydantic import BaseModel

from sim.scenario.cautions import cautions, warn
from sim.scenario.composing import compose, find_scenario, scenario_names
from sim.scenario.dumping import plain_data, to_yaml, tree_of
from sim.scenario.errors import Citation, Place, ScenarioError
from sim.scenario.figures import load_figures
from sim.scenario.limits import COMPOSED_LIMITS, LIMITS
from sim.scenario.overrides import override
from sim.scenario.provenance import default_citations, separate, value_places
from sim.scenario.schema import Scenario
from sim.scenario.validation import validate
from sim.scenario.yaml_nodes import Node

__all__ = ["change_scenario", "dump_scenario", "load_scenario", "load_with_places", "scenario_names"]


def load_scenario(
    name_or_path: str | os.PathLike[str], overrides: Sequence[str] = (), *, composed: bool = False
) -> Scenario:
    """The scenario of a shipped name or a path, with everything that it extends.

    What is allowed but likely not meant is said as a `ScenarioWarning` (not of a composed file).

    Args:
        name_or_path: "meta-2025", or the path of a YAML file.
        overrides: `path=value` each, such as "labs.meta.talent_factor=2".
        composed: the file is one that `dump_scenario` wrote, and may be larger than a person's.

    Raises:
        ScenarioError: with every problem found, each with its position.
    """
    return load_with_places(name_or_path, overrides, composed=composed)[0]


def load_with_places(
    name_or_path: str | os.PathLike[str], overrides: Sequence[str] = (), *, composed: bool = False
) -> tuple[Scenario, dict[str, Place]]:
    """As `load_scenario`, and where each value that is no default of the schema stands, by dotted path.

    The place of what an override replaced is that of the override.

    Raises:
        ScenarioError: with every problem found, each with its position.
    """
    limits = COMPOSED_LIMITS if composed else LIMITS
    tree = override(compose(find_scenario(name_or_path), Scenario, limits), overrides, Scenario)
    return _scenario(tree, quiet=composed), dict(value_places(tree))


def change_scenario(scenario: Scenario, overrides: Sequence[str]) -> Scenario:
    """A scenario with some values replaced, as `--set` does; a replaced value loses its source.

    Raises:
        ScenarioError: as `load_scenario`; problems of the whole are placed at the scenario's name.
    """
    tree = tree_of(plain_data(scenario, scenario.sources), Place(scenario.name))
    return _scenario(override(tree, overrides, Scenario))


def dump_scenario(scenario: Scenario) -> str:
    """The scenario as YAML: composed, every default written out, numbers with unit and source.

    Loading it (with `composed=True` if it is large) gives an equal scenario with equal sources.
    """
    return to_yaml(plain_data(scenario, scenario.sources))


def _scenario(tree: Node, quiet: bool = False) -> Scenario:
    scenario, citations = read_tree(tree, Scenario, load_figures())
    if not quiet:
        warn(cautions(scenario, tree))
    scenario.sources.update(citations)
    return scenario


def read_tree[M: BaseModel](
    tree: Node, model: type[M], figures: Iterable[str]
) -> tuple[M, dict[str, Citation]]:
    """A composed tree as a model, and the citations of its numbers by dotted path.

    The citations hold those of the files, and the schema's own for defaults that no file gave.

    Raises:
        ScenarioError: with the problems of sources and of values together.
    """
    separated = separate(tree, figures)
    try:
        value = validate(model, tree, separated.data)
    except ScenarioError as error:
        raise ScenarioError([*error.problems, *separated.problems]) from None
    if separated.problems:
        raise ScenarioError(separated.problems)
    return value, default_citations(value) | separated.citations
