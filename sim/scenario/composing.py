"""Scenario files to one tree: finding them, `extends`, and merging child into parent.

`extends: baseline` names a file beside this one, or a shipped scenario. Mappings merge key by key,
the child's `events` follow the parent's, all else replaces what the parent says; a number written
with its source is one thing and is replaced whole, so that no value inherits another's source. What
merging cannot reach, such as an event of the parent, the child's `overrides` replace by dotted path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from sim.scenario.errors import Place, Problem, ScenarioError, failure, found, nearest, shown, suggestion
from sim.scenario.figures import data_folder
from sim.scenario.limits import LIMITS, Limits
from sim.scenario.overrides import override_named
from sim.scenario.provenance import cited_value
from sim.scenario.yaml_nodes import Node, read_file, without_key

MAX_EXTENDS = 10
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(\.ya?ml)?")
_ENDINGS = ("", ".yaml", ".yml")


def scenario_names() -> list[str]:
    """The names of the shipped scenarios, sorted."""
    try:
        folder = data_folder("scenarios")
    except FileNotFoundError:
        return []
    return sorted(path.stem for path in folder.glob("*.yaml"))


def find_scenario(name_or_path: str | os.PathLike[str]) -> Path:
    """The file of a shipped scenario's name or of a path. Raises ScenarioError."""
    text = os.fspath(name_or_path)
    names = scenario_names()
    if text in names:
        return data_folder("scenarios") / f"{text}.yaml"
    looks_like_path = not isinstance(name_or_path, str) or Path(text).suffix or Path(text).name != text
    if looks_like_path or _is_file(Path(text)):
        return Path(text)
    hint = suggestion(text, names, "shipped scenarios")
    raise failure(Place(shown(text)), "", "no shipped scenario has this name, nor has a file", hint)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or with a NUL
        return False


def compose(path: Path, model: type[BaseModel], limits: Limits = LIMITS) -> Node:
    """The tree of a file with all that it extends; `model` knows the keys. Raises ScenarioError."""
    tree = _compose(path, model, limits, ())
    if tree.size > limits.nodes:
        raise failure(tree.place, "", f"more than {limits.nodes} keys and values with all that it extends")
    return tree


def _compose(path: Path, model: type[BaseModel], limits: Limits, below: tuple[Path, ...]) -> Node:
    tree = read_file(path, _name_for_people(path), limits)
    if not isinstance(tree.content, dict):
        message = f"a scenario is a mapping (key: value), found {found(tree.content)}"
        raise failure(tree.place, "", message)
    extends, overrides = tree.content.get("extends"), tree.content.get("overrides")
    tree = without_key(without_key(tree, "extends"), "overrides")
    if extends is not None:
        seen = (*below, path)
        parent = _parent(extends, path)
        _refuse_circle(extends, parent, seen)
        tree = merge(_compose(parent, model, limits, seen), tree)
    if overrides is None:
        return tree
    try:
        return override_named(tree, overrides, model)
    except ScenarioError as error:
        raise ScenarioError([*_reasons(tree, extends, model), *error.problems]) from None


def _reasons(tree: Node, extends: Node | None, model: type[BaseModel]) -> Iterator[Problem]:
    """Why overrides may find nothing to replace: nothing is extended, for the key is missing or misspelt."""
    if extends is not None or not isinstance(tree.content, dict):
        return
    unknown = [key for key in tree.content if key not in model.model_fields]
    for key in unknown:
        hint = suggestion(key, [*model.model_fields, "extends"])
        yield Problem.at(tree.keys[key], key, "unknown key", hint)
    if not unknown:
        message = "this key is missing, and overrides replace what is extended"
        yield Problem.at(tree.place, "extends", message, "write extends: baseline")


def _refuse_circle(extends: Node, parent: Path, seen: tuple[Path, ...]) -> None:
    if parent.resolve() in [path.resolve() for path in seen]:
        chain = " extends ".join(path.name for path in (*seen, parent))
        raise failure(extends.place, "extends", f"a circle: {chain}")
    if len(seen) > MAX_EXTENDS:
        raise failure(extends.place, "extends", f"more than {MAX_EXTENDS} files extend one another")


def _parent(extends: Node, path: Path) -> Path:
    name = extends.content
    if not isinstance(name, str) or not PLAIN_NAME.fullmatch(name):
        hint = "write the plain name of a file beside this one, or of a shipped scenario"
        raise failure(extends.place, "extends", f"{found(name)} is not a plain file name", hint)
    for beside in (path.parent / f"{name}{ending}" for ending in _ENDINGS):
        if _is_file(beside):
            if beside.resolve().parent != path.parent.resolve():
                raise failure(
                    extends.place, "extends", f"{shown(name)} is a link that leads out of the folder"
                )
            return beside
    stem = Path(name).stem
    if stem in scenario_names():
        return data_folder("scenarios") / f"{stem}.yaml"
    files = [file.stem for ending in _ENDINGS[1:] for file in path.parent.glob(f"*{ending}")]
    meant = nearest(stem, {*files, *scenario_names()} - {path.stem})
    hint = f"did you mean {shown(meant)}?" if meant else ""
    raise failure(
        extends.place, "extends", f"no file {shown(name)} beside this one, and no such shipped scenario", hint
    )


def _name_for_people(path: Path) -> str:
    """The path as a person in this folder would write it."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except (OSError, ValueError, RuntimeError):  # a folder elsewhere, or none, or links in a circle
        return str(path)


def merge(parent: Node, child: Node) -> Node:
    """The child over the parent; places are the child's where it says something."""
    merged = _merge(parent, child)
    if isinstance(parent.content, dict) and isinstance(child.content, dict):
        first, then = parent.content.get("events"), child.content.get("events")
        if first and then and isinstance(first.content, list) and isinstance(then.content, list):
            events = Node([*first.content, *then.content], then.place)
            return with_key(merged, "events", events, child.keys["events"])
    return merged


def _merge(parent: Node, child: Node) -> Node:
    if not isinstance(parent.content, dict) or not isinstance(child.content, dict):
        return child
    if cited_value(parent) is not None or cited_value(child) is not None:
        return child
    content = parent.content | {
        key: _merge(parent.content[key], node) if key in parent.content else node
        for key, node in child.content.items()
    }
    return Node(content, child.place, parent.keys | child.keys)


def with_key(tree: Node, key: str, value: Node, place: Place) -> Node:
    """A copy of a mapping in which a key has another value."""
    assert isinstance(tree.content, dict)
    return Node(tree.content | {key: value}, tree.place, tree.keys | {key: place})
