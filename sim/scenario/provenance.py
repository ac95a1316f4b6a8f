"""Numbers and where they come from: `{value: 14.3B USD, source: article.scale_investment, note: ...}`.

Anywhere a scalar is expected, a mapping with a scalar `value` may stand instead, and beside it only
`source` (ids of figures, comma-separated, or the word assumption) and `note`. `separate` takes a tree
apart into plain data, which pydantic validates, and the citations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sim.scenario.errors import Citation, Place, Problem, nearest, shown, suggestion
from sim.scenario.yaml_nodes import Node, Scalar

ASSUMPTION = "assumption"
_LONG = "description"  # the only text that may run over several lines

type Plain = Scalar | dict[str, Plain] | list[Plain]


@dataclass(slots=True)
class Separated:
    """A tree taken apart: plain data, citations by dotted path, and what was wrong with these."""

    data: Plain = None
    citations: dict[str, Citation] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def cited_value(node: Node) -> Node | None:
    """The value of a number written with its source; None if the node is no such thing."""
    if not isinstance(node.content, dict):
        return None
    value = node.content.get("value")
    return None if value is None or isinstance(value.content, dict | list) else value


def value_places(node: Node, path: str = "") -> Iterator[tuple[str, Place]]:
    """Where every single value below a node stands, by dotted path; an empty mapping or list is one too."""
    node = cited_value(node) or node
    children = list(node.children())
    if not children:
        yield path, node.place
    for key, child in children:
        yield from value_places(child, f"{path}.{key}" if path else str(key))


def separate(root: Node, figures: Iterable[str]) -> Separated:
    """Take a tree apart; `figures` are the ids that a source may name."""
    result = Separated()
    result.data = _separate(root, "", frozenset(figures) | {ASSUMPTION}, result)
    return result


def _separate(node: Node, path: str, sources: frozenset[str], result: Separated) -> Plain:
    value = cited_value(node)
    if value is not None:
        citation = _citation(node, value, path, sources, result.problems)
        if citation is not None:
            result.citations[path] = citation
        node = value
    below = {
        key: _separate(child, f"{path}.{key}" if path else str(key), sources, result)
        for key, child in node.children()
    }
    if isinstance(node.content, dict):
        return {str(key): child for key, child in below.items()}
    if isinstance(node.content, list):
        return list(below.values())
    if isinstance(node.content, str) and "\n" in node.content and path.rpartition(".")[2] != _LONG:
        problem = Problem.at(node.place, path, "must stand on one line", "remove the line break")
        result.problems.append(problem)
    return node.content


def _citation(
    node: Node, value: Node, path: str, sources: frozenset[str], problems: list[Problem]
) -> Citation | None:
    """The citation of a number; None where it has neither source nor note, or these are wrong."""
    said = {"source": "", "note": ""}
    assert isinstance(node.content, dict)
    for key, child in node.content.items():
        if key == "value":
            continue
        if key not in said:
            hint = suggestion(key, ("value", "source", "note"))
            problems.append(Problem.at(node.keys[key], f"{path}.{key}", "unknown key beside a value", hint))
        elif not isinstance(child.content, str):
            problems.append(Problem.at(child.place, f"{path}.{key}", "expected text"))
        else:
            said[key] = child.content.strip()
    source = node.content.get("source")
    if source is not None and isinstance(source.content, str):
        place = source.place
        problems.extend(
            Problem.at(place, f"{path}.source", *bad) for bad in _unknown(said["source"], sources)
        )
    return Citation(**said, file=value.place.file, line=value.place.line) if any(said.values()) else None


def _unknown(source: str, sources: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Message and hint for every part of a source that names no figure."""
    for name in (part.strip() for part in source.split(",")):
        if not name:
            yield "a source is missing", f"write the id of a figure, or {ASSUMPTION}"
        elif name not in sources:
            meant = nearest(name, sources)
            hint = f"did you mean {shown(meant)}?" if meant else f"write the id of a figure, or {ASSUMPTION}"
            yield f"no figure has the id {shown(name)}", hint


def default_citations(section: BaseModel) -> dict[str, Citation]:
    """The sources that a schema names for those numbers of a section that no file gave, by dotted path.

    A field names its source in `json_schema_extra={"source": ..., "note": ...}`.
    """
    return dict(_defaults(section, "", False))


def _defaults(
    value: object, path: str, default: bool, field: FieldInfo | None = None
) -> Iterator[tuple[str, Citation]]:
    prefix = f"{path}." if path else ""
    if isinstance(value, BaseModel):
        for name, below in type(value).model_fields.items():
            missing = default or name not in value.model_fields_set
            yield from _defaults(getattr(value, name), prefix + name, missing, below)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _defaults(item, f"{prefix}{key}", default)
    elif isinstance(value, tuple | list):
        for index, item in enumerate(value):
            yield from _defaults(item, f"{prefix}{index}", default)
    elif default and field is not None and isinstance(value, int | float) and not isinstance(value, bool):
        extra = field.json_schema_extra
        if isinstance(extra, dict) and extra.get("source"):
            yield path, Citation(str(extra["source"]), str(extra.get("note", "")))
