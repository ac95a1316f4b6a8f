"""Plain data to a pydantic model, and pydantic's errors to problems with positions and hints.

Validation is strict as for JSON: text is no number, 1 is no bool, 1.0 is no integer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from sim.scenario.annotations import fields_at, homes, quantity_at
from sim.scenario.errors import (
    Place,
    Problem,
    ScenarioError,
    ScenarioIssues,
    found,
    nearest,
    shown,
    suggestion,
)
from sim.scenario.older_yaml import day_hint, number_hint, truth_hint, word_hint
from sim.scenario.provenance import CITING, Plain, cited_value
from sim.scenario.quantities import QuantityError
from sim.scenario.yaml_nodes import Node

type Path = tuple[str | int, ...]

_EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "model_type": "a mapping (key: value)",
    "dict_type": "a mapping (key: value)",
    "list_type": "a list",
    "tuple_type": "a list",
}
_BOUNDS = {
    "greater_than": ("gt", "greater than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
    "multiple_of": ("multiple_of", "a multiple of"),
}
_LENGTHS = {
    "string_too_short": ("min_length", "at least", "character"),
    "string_too_long": ("max_length", "at most", "character"),
    "too_short": ("min_length", "at least", "item"),
    "too_long": ("max_length", "at most", "item"),
}
_PATTERNS = {
    r"^[a-z][a-z0-9-]{0,39}$": (
        "is not a name",
        "up to 40 lower-case letters, digits and hyphens, a letter first, such as meta-2025",
    )
}
_WORDS = {"literal_error", "enum", "union_tag_invalid"}
# what has the wrong shape comes first, then what is missing, then wrong types, then wrong values
_SHAPES = ("extra_forbidden", "model_type", "dict_type", "list_type", "tuple_type")
_RANKS = (
    {"string_pattern_mismatch": 0} | dict.fromkeys(_EXPECTED, 2) | dict.fromkeys(_SHAPES, 0) | {"missing": 1}
)
_WRONG_VALUE = 3
_OF_FILES = ("extends", "overrides")  # keys of a file that are gone once it is composed


def validate[M: BaseModel](model: type[M], root: Node, data: Plain) -> M:
    """The model of the data that stand in the tree. Raises ScenarioError, most basic problems first."""
    try:
        return model.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        details = error.errors(include_url=False)
    reader = _Reader(model, root, details)
    ranked = [
        (_RANKS.get(d["type"], _WRONG_VALUE), problem) for d in details for problem in reader.problems(d)
    ]
    ranked.sort(key=lambda entry: (entry[0], entry[1].file, entry[1].line or 0, entry[1].column or 0))
    raise ScenarioError(list(dict.fromkeys(problem for _, problem in ranked)))


class _Reader:
    """Reads pydantic's error details against the tree that was validated."""

    def __init__(self, model: type[BaseModel], root: Node, details: list[Any]) -> None:
        self.model = model
        self.root = root
        unknown = [self._follow(d["loc"])[0] for d in details if d["type"] == "extra_forbidden"]
        # a misspelt key is reported once, not also as a missing one
        self.meant = {(*path[:-1], nearest(str(path[-1]), fields_at(model, path[:-1]))) for path in unknown}

    def problems(self, details: Mapping[str, Any]) -> Iterator[Problem]:
        """The problems of one of pydantic's errors: several only for ScenarioIssues."""
        kind, context = details["type"], details.get("ctx", {})
        path, node, key_place = self._follow(details["loc"])
        error = context.get("error")
        if kind == "missing":
            path = (*path, details["loc"][-1])
            if path not in self.meant:
                hint = self._other_home(path)
                yield Problem.at(key_place, _dotted(path), "this key is missing", hint)
        elif kind == "extra_forbidden":
            yield Problem.at(key_place, _dotted(path), "unknown key", self._likely_key(path))
        elif isinstance(error, ScenarioIssues):
            for issue in error.issues:
                steps = (*path, *(int(s) if s.isdecimal() else s for s in issue.path.split(".")))
                yield Problem.at(self._place(steps), _dotted(steps), issue.message, issue.hint)
        else:
            place = key_place if details["loc"][-1:] == ("[key]",) else node.place
            message, hint = self._message(kind, context, details, path)
            yield Problem.at(place, _dotted(path), message, hint)

    def _likely_key(self, path: Path) -> str:
        """A hint for an unknown key: a like one that may stand there, or where this one may stand."""
        word = str(path[-1])
        known = [*fields_at(self.model, path[:-1]), *(_OF_FILES if len(path) == 1 else ())]
        at_home = [home for home in homes(self.model, word) if home]
        meant = nearest(word, known)
        if not at_home:
            return suggestion(word, known)
        return f"{shown(word)} is a key of {at_home[0]}" + (
            f"; did you mean {shown(meant)}?" if meant else ""
        )

    def _other_home(self, path: Path) -> str:
        """A hint for a key that is missing at a path: the section may be another one, misspelt."""
        if len(path) == 1:
            return "write it, or extend a scenario that has it"
        section, beside = path[-2], self._follow(path[:-2])[1].content
        if not isinstance(beside, dict) or section in fields_at(self.model, path[:-2]):
            return ""
        meant = nearest(str(section), [key for key in beside if key != section])
        return f"write it, or is {shown(meant)} meant?" if meant else ""

    def _message(
        self, kind: str, context: Mapping[str, Any], details: Mapping[str, Any], path: Path
    ) -> tuple[str, str]:
        value = details["input"]
        if kind == "value_error":
            error = context["error"]
            if isinstance(error, QuantityError):
                hint = "date" in error.message and day_hint(value)
                return f"{error.message}, found {found(value)}", hint or error.hint or _cite_hint(value)
            return str(error), ""
        if kind in _EXPECTED:
            return f"expected {_EXPECTED[kind]}, found {found(value)}", _cite_hint(value) or _older(
                kind, value
            )
        if kind in _BOUNDS:
            limit, words = _BOUNDS[kind]
            quantity = quantity_at(self.model, path)
            bound = quantity.format(context[limit]) if quantity else f"{context[limit]:.15g}"
            return f"must be {words} {bound}, found {found(value)}", ""
        if kind in _WORDS:
            allowed = re.findall(r"'([^']*)'", context.get("expected") or context["expected_tags"])
            word = context.get("tag", value)
            hint = _did_you_mean(word, allowed) or word_hint(word, allowed)
            return f"{found(word)} is not one of {', '.join(allowed)}", hint
        if kind in _LENGTHS:
            limit, words, unit = _LENGTHS[kind]
            count = context[limit]
            return f"must have {words} {count} {unit}{'' if count == 1 else 's'}, found {found(value)}", ""
        if kind == "string_pattern_mismatch":
            pattern = context["pattern"]
            message, hint = _PATTERNS.get(pattern, (f"does not match {pattern}", ""))
            return f"{found(value)} {message}", hint
        message = details["msg"].removeprefix("Value error, ").removeprefix("Input ")
        return f"{message[:1].lower()}{message[1:]}, found {found(value)}", ""

    def _follow(self, loc: Path) -> tuple[Path, Node, Place]:
        """As far down the tree as a path leads: the path, the node there and the place of its key.

        Steps that are not in the tree (tags of unions, names of validators) are passed over.
        """
        path: Path = ()
        node, key_place = self.root, self.root.place
        for step in loc:
            below = dict(node.children()) if cited_value(node) is None else {}
            if step in below:
                key_place = node.keys.get(str(step), below[step].place)
                path, node = (*path, step), below[step]
        return path, cited_value(node) or node, key_place

    def _place(self, path: Path) -> Place:
        """Where a path stands; for a value that no file gives, the key of the section it belongs to."""
        reached, node, key_place = self._follow(path)
        return node.place if reached == path else key_place


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))


def _cite_hint(value: object) -> str:
    cites = isinstance(value, dict) and value and value.keys() < set(CITING)
    return "a number with a source is {value: ..., source: ...}" if cites else ""


def _older(kind: str, value: object) -> str:
    """A hint for what YAML 1.1 would have read otherwise, and for nothing at all."""
    if value is None:
        return "write a value, or remove the key"
    if kind == "string_type":
        return word_hint(value)
    return truth_hint(value) if kind == "bool_type" else number_hint(value)


def _did_you_mean(word: object, allowed: list[str]) -> str:
    meant = nearest(word, allowed) if isinstance(word, str) else None
    return f"did you mean {shown(meant)}?" if meant else ""
