"""`--set a.b.c=VALUE`, and a file's `overrides: {a.b.c: VALUE}`: values replaced by dotted path.

A step is a key that is there or that the schema knows; in a list it is an index, or for events the
kind, the name or the plan of the only event that has it: `events.model_release.surprise=1`. The value
null takes away whatever is more than a single value: an event, a unit, a lab.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from pydantic import BaseModel

from sim.scenario.annotations import fields_at
from sim.scenario.errors import Place, Problem, ScenarioError, failure, found, shown, suggestion
from sim.scenario.limits import stray_character, stray_hint
from sim.scenario.provenance import cited_value
from sim.scenario.yaml_nodes import Node, Scalar, read_text, scalar, without_key

type Steps = Sequence[str]


_FORM = "an override is a dotted path, = and a value"
_KEY_FORM = "an override is a dotted path: value"
_EXAMPLE = "labs.meta.staff"


def override(tree: Node, texts: Sequence[str], model: type[BaseModel]) -> Node:
    """The tree with every `path=value` applied in turn. Raises ScenarioError naming all that cannot be."""
    return _apply(tree, (partial(_of_text, text, model) for text in texts))


def override_named(tree: Node, overrides: Node, model: type[BaseModel]) -> Node:
    """The tree with a file's `overrides` applied in turn. Raises ScenarioError naming all that cannot be."""
    if not isinstance(overrides.content, dict):
        hint = f"write {_EXAMPLE}: 500 below overrides"
        message = f"expected a mapping of dotted paths, found {found(overrides.content)}"
        raise failure(overrides.place, "overrides", message, hint)
    items = overrides.content.items()
    return _apply(tree, (partial(_of_key, path, value, overrides, model) for path, value in items))


def _apply(tree: Node, readers: Iterable[Callable[[], _Override]]) -> Node:
    problems: list[Problem] = []
    for reader in readers:
        try:
            tree = reader().apply(tree)
        except ScenarioError as error:
            problems.extend(error.problems)
    if problems:
        raise ScenarioError(problems)
    return tree


def _of_text(text: str, model: type[BaseModel]) -> _Override:
    path, equals, value = text.partition("=")
    path = path.strip()
    place = Place(f"--set {text}")
    if not equals or not all(path.split(".")):
        raise failure(place, "", _FORM, f"--set {_EXAMPLE}=500")
    return _Override(
        path, Node(_scalar(path, value.strip(), place), place), place, model, f"--set {path}=..."
    )


def _of_key(path: str, value: Node, overrides: Node, model: type[BaseModel]) -> _Override:
    place = overrides.keys[path]
    if not all(path.split(".")):
        raise failure(place, f"overrides.{path}", _KEY_FORM, f"{_EXAMPLE}: 500")
    return _Override(path, value, place, model, f"{path}: ...")


def _scalar(path: str, text: str, place: Place) -> Scalar:
    stray = stray_character(text)
    if stray:
        raise failure(
            place, path, f"the character U+{ord(stray):04X} is not allowed in a scenario", stray_hint(stray)
        )
    try:
        if text[:1] not in ("'", '"'):
            return scalar(text)
        content = read_text(text, place.file).content
    except ValueError as error:
        raise failure(place, path, f"{error}, found {shown(text)}") from None
    except ScenarioError:
        raise failure(place, path, "the quotes are not closed") from None
    assert not isinstance(content, dict | list)
    return content


@dataclass(frozen=True, slots=True)
class _Override:
    """One replacement: its path and value, the place that messages about it name, how it is written."""

    path: str
    value: Node
    place: Place
    model: type[BaseModel]
    form: str

    def apply(self, tree: Node) -> Node:
        """The tree with the value in its place."""
        return self._set(tree, self.path.split("."), ())

    def _set(self, node: Node, steps: Steps, above: tuple[str | int, ...]) -> Node:
        """A copy of the node, which stands at the path `above`, with the value `steps` below it."""
        if not steps:
            return self._replace(node, above)
        if isinstance(node.content, list):
            return self._set_item(node, node.content, steps, above)
        if not isinstance(node.content, dict) or cited_value(node) is not None:
            path = _dotted(above)
            hint = self.form.replace(self.path, path, 1)
            raise failure(self.place, self.path, f"{path} is a single value, nothing lies below it", hint)
        step, *rest = steps
        child = node.content.get(step)
        if child is None and step not in fields_at(self.model, above):
            known = dict.fromkeys([*node.content, *fields_at(self.model, above)])
            raise failure(self.place, _dotted((*above, step)), "unknown key", suggestion(step, known))
        if child is None:
            child = Node({}, self.place) if rest else self.value
        if not rest and self._removes(child):
            return without_key(node, step)
        new = self._set(child, rest, (*above, step))
        return Node(node.content | {step: new}, node.place, node.keys | {step: self.place})

    def _removes(self, node: Node) -> bool:
        """Whether the value is null and the node more than a single value."""
        several = isinstance(node.content, list) or (isinstance(node.content, dict) and not cited_value(node))
        return several and self.value.content is None

    def _replace(self, node: Node, above: tuple[str | int, ...]) -> Node:
        if isinstance(self.value.content, dict | list):
            return self.value
        names = list(node.content) if isinstance(node.content, dict) else []
        if isinstance(node.content, list) or (names and cited_value(node) is None):
            hint = f"set one of its keys: {', '.join(names[:12])}" if names else "set an item: a.0=..."
            raise failure(self.place, _dotted(above), "this is more than a single value", hint)
        return self.value

    def _set_item(self, node: Node, items: list[Node], steps: Steps, above: tuple[str | int, ...]) -> Node:
        index, kind = self._select(items, steps[0], above)
        rest = list(steps[1:])
        item = items[index]
        if not rest and self._removes(item):
            return Node([*items[:index], *items[index + 1 :]], node.place)
        if kind is not None and not (rest and _has_beside(item, kind, rest[0])):
            rest = [kind, *rest]
        new = self._set(item, rest, (*above, index))
        return Node([*items[:index], new, *items[index + 1 :]], node.place)

    def _select(self, items: list[Node], step: str, above: tuple[str | int, ...]) -> tuple[int, str | None]:
        """The item that a step means, and the key under which its particulars stand, if any."""
        path = _dotted((*above, step))
        if step.isdecimal():
            if int(step) < len(items):
                return int(step), None
            raise failure(self.place, path, f"there are {len(items)} items, counted from 0")
        labels = [(name, i, kind) for i, item in enumerate(items) for name, kind in _labels(item)]
        found = {i: kind for name, i, kind in labels if name == step}
        if not found:
            raise failure(
                self.place,
                path,
                "no item has this name or kind",
                suggestion(step, [n for n, *_ in labels], "items"),
            )
        if len(found) > 1:
            ways = ", ".join(_dotted((*above, i)) for i in found)
            raise failure(
                self.place, path, f"{len(found)} items have this name or kind", f"write one of {ways}"
            )
        return next(iter(found.items()))


def _labels(item: Node) -> list[tuple[str, str | None]]:
    """The words that select an item of a list, each with the key of its particulars.

    An item with a plan or name of its own is selected by that, any other by its kind or the name in it.
    """
    labels: list[tuple[str, str | None]] = []
    for key, child in item.children():
        if key in ("name", "plan") and isinstance(child.content, str):
            return [(child.content, None)]
        if isinstance(child.content, dict):
            labels.append((str(key), str(key)))
            name = child.content.get("name")
            if name is not None and isinstance(name.content, str):
                labels.append((name.content, str(key)))
    return labels


def _has_beside(item: Node, kind: str, key: str) -> bool:
    """Whether the item itself has a key that its particulars lack: on, part_of."""
    assert isinstance(item.content, dict)
    inner = item.content[kind].content
    return key in item.content and not (isinstance(inner, dict) and key in inner)


def _dotted(path: Sequence[str | int]) -> str:
    return ".".join(map(str, path))
