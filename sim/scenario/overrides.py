"""`--set a.b.c=VALUE`: one value of a composed tree replaced by dotted path.

A step is a key that is there or that the schema knows; in a list it is an index, or for events the
kind, the name or the plan of the only event that has it: `events.model_release.surprise=1`.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from sim.scenario.annotations import fields_at
from sim.scenario.errors import Place, Problem, ScenarioError, failure, shown, suggestion
from sim.scenario.provenance import cited_value
from sim.scenario.yaml_nodes import Node, Scalar, read_text, scalar

type Steps = Sequence[str]


def override(tree: Node, texts: Sequence[str], model: type[BaseModel]) -> Node:
    """The tree with every `path=value` applied in turn. Raises ScenarioError naming all that cannot be."""
    problems: list[Problem] = []
    for text in texts:
        try:
            tree = _Override(text, model).apply(tree)
        except ScenarioError as error:
            problems.extend(error.problems)
    if problems:
        raise ScenarioError(problems)
    return tree


class _Override:
    """One `path=value`, and the place that messages about it name."""

    def __init__(self, text: str, model: type[BaseModel]) -> None:
        path, equals, value = text.partition("=")
        self.place = Place(f"--set {text}")
        self.model = model
        self.path = path.strip()
        self.steps = self.path.split(".")
        if not equals or not all(self.steps):
            raise failure(
                self.place, "", "an override is a dotted path, = and a value", "--set labs.meta.staff=500"
            )
        self.value = Node(self._scalar(value.strip()), self.place)

    def _scalar(self, text: str) -> Scalar:
        try:
            if text[:1] not in ("'", '"'):
                return scalar(text)
            content = read_text(text, self.place.file).content
        except ValueError as error:
            raise failure(self.place, self.path, f"{error}, found {shown(text)}") from None
        except ScenarioError:
            raise failure(self.place, self.path, "the quotes are not closed") from None
        assert not isinstance(content, dict | list)
        return content

    def apply(self, tree: Node) -> Node:
        """The tree with the value in its place."""
        return self._set(tree, self.steps, ())

    def _set(self, node: Node, steps: Steps, above: tuple[str | int, ...]) -> Node:
        """A copy of the node, which stands at the path `above`, with the value `steps` below it."""
        if not steps:
            return self._replace(node, above)
        if isinstance(node.content, list):
            return self._set_item(node, node.content, steps, above)
        if not isinstance(node.content, dict) or cited_value(node) is not None:
            path = _dotted(above)
            raise failure(
                self.place, self.path, f"{path} is a single value, nothing lies below it", f"--set {path}=..."
            )
        step, *rest = steps
        child = node.content.get(step)
        if child is None and step not in fields_at(self.model, above):
            known = dict.fromkeys([*node.content, *fields_at(self.model, above)])
            raise failure(self.place, _dotted((*above, step)), "unknown key", suggestion(step, known))
        if child is None:
            child = Node({}, self.place) if rest else self.value
        new = self._set(child, rest, (*above, step))
        return Node(node.content | {step: new}, node.place, node.keys | {step: self.place})

    def _replace(self, node: Node, above: tuple[str | int, ...]) -> Node:
        names = list(node.content) if isinstance(node.content, dict) else []
        if isinstance(node.content, list) or (names and cited_value(node) is None):
            hint = f"set one of its keys: {', '.join(names[:12])}" if names else "set an item: a.0=..."
            raise failure(self.place, _dotted(above), "this is more than a single value", hint)
        return self.value

    def _set_item(self, node: Node, items: list[Node], steps: Steps, above: tuple[str | int, ...]) -> Node:
        index, kind = self._select(items, steps[0], above)
        rest = list(steps[1:])
        item = items[index]
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
