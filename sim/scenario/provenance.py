"""Numbers and where they come from: `{value: 14.3B USD, source: article.scale_investment, note: ...}`.

Anywhere a scalar is expected, a mapping with a scalar `value` may stand instead, and beside it only
`source` (ids of figures, comma-separated, or the word assumption or fitted), `targets` (the ids of the
figures that a fitted number was set to meet, and of no other) and `note`. `separate` takes a tree apart
into plain data, which pydantic validates, and the citations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sim.scenario.errors import Citation, Place, Problem, found, nearest, shown, suggestion
from sim.scenario.yaml_nodes import Node, Scalar

ASSUMPTION, FITTED = "assumption", "fitted"
CITING = ("value", "source", "targets", "note")  # the keys of a number written with its source
_EXAMPLE = "targets: [R1, K1]"
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
    result.data = _separate(root, "", frozenset(figures), result)
    return result


def _separate(node: Node, path: str, figures: frozenset[str], result: Separated) -> Plain:
    value = cited_value(node)
    if value is not None:
        citation = _citation(node, value, path, figures, result.problems)
        if citation is not None:
            result.citations[path] = citation
        node = value
    below = {
        key: _separate(child, f"{path}.{key}" if path else str(key), figures, result)
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
    node: Node, value: Node, path: str, figures: frozenset[str], problems: list[Problem]
) -> Citation | None:
    """The citation of a number; None where nothing is said of it, or what is said is wrong."""
    assert isinstance(node.content, dict)
    for key in node.content:
        if key not in CITING:
            hint = suggestion(key, CITING)
            problems.append(Problem.at(node.keys[key], f"{path}.{key}", "unknown key beside a value", hint))
    said = {key: _text(node.content.get(key), f"{path}.{key}", problems) for key in ("source", "note")}
    source, targets = node.content.get("source"), node.content.get("targets")
    if source is not None and isinstance(source.content, str):
        for bad in _unknown(said["source"].split(","), figures | {ASSUMPTION, FITTED}):
            problems.append(Problem.at(source.place, f"{path}.source", *bad))
    fits = _targets(targets, f"{path}.targets", figures, problems)
    if unfit := _unmatched(said["source"], targets):
        place = node.keys["targets" if said["source"] != FITTED and targets is not None else "source"]
        problems.append(Problem.at(place, f"{path}.targets", *unfit))
    if not any(said.values()):
        return None
    return Citation(**said, targets=fits, file=value.place.file, line=value.place.line)


def _text(node: Node | None, path: str, problems: list[Problem]) -> str:
    """The text at a key beside a value; empty where there is none."""
    if node is None:
        return ""
    if isinstance(node.content, str):
        return node.content.strip()
    problems.append(Problem.at(node.place, path, "expected text"))
    return ""


def _targets(
    node: Node | None, path: str, figures: frozenset[str], problems: list[Problem]
) -> tuple[str, ...]:
    """The ids in a list of targets."""
    if node is None:
        return ()
    listed = node.content if isinstance(node.content, list) else []
    wrong = [one for one in (listed or [node]) if not isinstance(one.content, str)]
    if not isinstance(node.content, list) or (listed and wrong):
        odd = wrong[0] if wrong else node
        message = f"expected a list of figures, found {found(odd.content)}"
        problems.append(Problem.at(odd.place, path, message, f"write {_EXAMPLE}"))
        return ()
    for one in listed:
        problems.extend(Problem.at(one.place, path, *bad) for bad in _unknown([str(one.content)], figures))
    return tuple(str(one.content).strip() for one in listed)


def _unmatched(source: str, targets: Node | None) -> tuple[str, str] | None:
    """Message and hint if a fitted number does not say to what, or another number says it."""
    if source == FITTED and (targets is None or targets.content == []):
        return "a fitted number says to which figures", f"write {_EXAMPLE}"
    if source != FITTED and FITTED in (part.strip() for part in source.split(",")):
        return "fitted is a source on its own", f"write source: {FITTED}, {_EXAMPLE}"
    if source != FITTED and targets is not None:
        return "only a fitted number has targets", f"write source: {FITTED}, or remove targets"
    return None


def _unknown(names: Iterable[str], known: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Message and hint for every name that is none of those known."""
    words = [word for word in (ASSUMPTION, FITTED) if word in known]
    instead = ", or ".join(["write the id of a figure", *words])
    for name in (part.strip() for part in names):
        if not name:
            yield "a source is missing" if words else "a figure is missing", instead
        elif name not in known:
            meant = nearest(name, known)
            yield f"no figure has the id {shown(name)}", f"did you mean {shown(meant)}?" if meant else instead


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
