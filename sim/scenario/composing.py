"""Scenario files to one tree: finding them, `extends`, and merging child into parent.

`extends: baseline` names a file beside this one, or a shipped scenario. Mappings merge key by key,
the child's `events` follow the parent's, all else replaces what the parent says; a number written
with its source is one thing and is replaced whole, so that no value inherits another's source.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from sim.figures import data_folder
from sim.scenario.errors import Place, failure, nearest, shown, suggestion
from sim.scenario.provenance import cited_value
from sim.scenario.yaml_nodes import LIMITS, Limits, Node, read_file

MAX_EXTENDS = 10
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(\.ya?ml)?")
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


def compose(path: Path, limits: Limits = LIMITS) -> Node:
    """The tree of a file with all that it extends. Raises ScenarioError."""
    tree = _compose(path, limits, ())
    if tree.size > limits.nodes:
        raise failure(tree.place, "", f"more than {limits.nodes} keys and values with all that it extends")
    return tree


def _compose(path: Path, limits: Limits, below: tuple[Path, ...]) -> Node:
    tree = read_file(path, _name_for_people(path), limits)
    if not isinstance(tree.content, dict):
        kind = "a list" if isinstance(tree.content, list) else shown(tree.content)
        raise failure(tree.place, "", f"a scenario is a mapping (key: value), found {kind}")
    extends = tree.content.get("extends")
    if extends is None:
        return tree
    seen = (*below, path.resolve())
    parent = _parent(extends, path)
    if parent.resolve() in seen:
        chain = " extends ".join(p.name for p in (*seen, parent))
        raise failure(extends.place, "extends", f"a circle: {chain}")
    if len(seen) > MAX_EXTENDS:
        raise failure(extends.place, "extends", f"more than {MAX_EXTENDS} files extend one another")
    content = {key: node for key, node in tree.content.items() if key != "extends"}
    return merge(_compose(parent, limits, seen), Node(content, tree.place, _keys(tree, content)))


def _parent(extends: Node, path: Path) -> Path:
    name = extends.content
    if not isinstance(name, str) or not _FILE_NAME.fullmatch(name):
        hint = "write the plain name of a file beside this one, or of a shipped scenario"
        raise failure(extends.place, "extends", f"{shown(name)} is not a plain file name", hint)
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


def _keys(tree: Node, content: dict[str, Node]) -> dict[str, Place]:
    return {key: tree.keys[key] for key in content}


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
