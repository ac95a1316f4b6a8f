"""The page `docs/parameters.md`: every parameter of the schema, a row each, by topic."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sim.scenario.quantities import Quantity
from sim.scenario.schema import Scenario

TITLE = "# Parameters"
_MARKET = Path(__file__).resolve().parents[1] / "market"
_RULES = (
    "appraisal.py", "constants.py", "exits.py", "grants.py", "ledger.py", "opening.py",
    "spells.py", "state.py", "survivors.py", "rules/*.py", "events/*.py",
)  # fmt: skip
_PLACES = {"dict": "<name>", "tuple": "<n>"}


@dataclass(frozen=True)
class Row:
    """One parameter, in words."""

    path: str
    symbol: str
    unit: str
    default: str
    bounds: str
    source: str
    meaning: str
    read_by: str

    @property
    def markdown(self) -> str:
        """A line of a table."""
        cells = (
            f"`{self.path}`", self.symbol, self.unit, self.default, self.bounds, self.source,
            self.meaning, self.read_by,
        )  # fmt: skip
        return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def page() -> str:
    """The whole page."""
    intro = f"""{TITLE}

Written by `make docs` from [`sim/scenario/schema.py`](../sim/scenario/schema.py); a test compares the two.

- *path* is that of a scenario file and of `--set`; `<name>` stands for a name, `<n>` for a number.
- *source* is an id of [`seeds/`](../seeds), or an assumption; a scenario gives what is *required*.
- *read by* are the files of `sim/market/` that read the field.
- `talentsim sources SCENARIO` lists a scenario's values with their sources.
"""
    parts = [intro]
    for path, section in sections(Scenario):
        rows = [row.markdown for row in rows_of(path, section)]
        if rows:
            first = (section.__doc__ or "").strip().splitlines()[0]
            parts.append(f"## {_heading(path)}\n\n{first}\n\n{_HEAD}\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


_HEAD = """| path | symbol | unit | default | range | source | meaning | read by |
| --- | --- | --- | --- | --- | --- | --- | --- |"""


def _heading(path: str) -> str:
    return f"`{path}`" if path else "The scenario"


def sections(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Every part of a scenario with its dotted path, in the schema's order."""
    yield path, model
    for name, field in model.model_fields.items():
        inner, place = _section_of(field.annotation)
        if inner is not None:
            yield from sections(inner, ".".join(part for part in (path, name, place) if part))


def rows_of(path: str, section: type[BaseModel]) -> list[Row]:
    """The parameters that stand in one section itself."""
    return [
        _row(f"{path}.{name}" if path else name, name, field, section)
        for name, field in section.model_fields.items()
        if _section_of(field.annotation)[0] is None
    ]


def _section_of(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """The section that a field holds, and the part of the path that stands for its key or number."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ""
    origin = get_origin(annotation)
    for argument in get_args(annotation):
        inner, place = _section_of(argument)
        if inner is not None:
            return inner, _PLACES.get(getattr(origin, "__name__", ""), place)
    return None, ""


def _row(path: str, name: str, field: FieldInfo, section: type[BaseModel]) -> Row:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    metadata, kind = _taken_apart(field)
    return Row(
        path=path,
        symbol=str(extra.get("symbol", "")),
        unit=_unit(metadata, kind),
        default="*required*" if field.is_required() else _default(field.default),
        bounds=_bounds(metadata, kind),
        source=str(extra.get("source", "")) or ("the scenario" if field.is_required() else ""),
        meaning=field.description or _said_of(section, name),
        read_by=", ".join(readers(path, section)),
    )


def _taken_apart(field: FieldInfo) -> tuple[list[Any], Any]:
    """Constraints and quantities of a field, and its plain type; an optional field is what it may be."""
    metadata: list[Any] = list(field.metadata)
    kind: Any = field.annotation
    while hasattr(kind, "__metadata__") or get_origin(kind) in (Union, UnionType):
        if hasattr(kind, "__metadata__"):
            for found in kind.__metadata__:
                metadata += found.metadata if isinstance(found, FieldInfo) else [found]
            kind = kind.__origin__
        else:
            kind = next(argument for argument in get_args(kind) if argument is not NoneType)
    return metadata, kind


def _unit(metadata: list[Any], kind: Any) -> str:
    quantity = _quantity(metadata)
    if quantity is not None:
        return {"cents": "USD", "cents a year": "USD/year", "1": "share"}.get(quantity.unit, quantity.unit)
    if get_origin(kind) is Literal:
        return "choice"
    return {"int": "count", "float": "number", "str": "text", "bool": "yes or no"}.get(
        getattr(kind, "__name__", ""), "list"
    )


def _quantity(metadata: list[Any]) -> Quantity[Any] | None:
    return next((found for found in metadata if isinstance(found, Quantity)), None)


def _default(value: Any) -> str:
    if value is None or value in ((), {}, ""):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _bounds(metadata: list[Any], kind: Any) -> str:
    """What values are accepted, in the field's unit."""
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    quantity = _quantity(metadata)

    def said(value: Any) -> str:
        return quantity.format(value) if quantity is not None else f"{value:,.10g}"

    found = {
        name: getattr(constraint, name)
        for constraint in metadata
        for name in ("ge", "gt", "le", "lt")
        if getattr(constraint, name, None) is not None
    }
    words = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}"}
    if quantity is not None and quantity.unit == "1":
        return "0 to 1"
    if quantity is not None and quantity.unit != "day" and not {"ge", "gt"} & set(found):
        return ", ".join(["≥ 0", *(words[name].format(said(value)) for name, value in found.items())])
    return ", ".join(words[name].format(said(value)) for name, value in found.items())


def _said_of(section: type[BaseModel], name: str) -> str:
    """The meaning of a field that has none of its own: its name."""
    return name.replace("_", " ")


@dataclass(frozen=True)
class _Source:
    """What one module reads: attributes with what stands before them, and names given as text."""

    words: frozenset[str]
    attributes: frozenset[tuple[str, str]]
    quoted: frozenset[str]

    @classmethod
    def of(cls, text: str) -> _Source:
        attributes = re.findall(r"(\w+|\])\.(?=(\w+)\b(?!\())", text)
        quoted = re.findall(r"[\"'](\w+)[\"']", text)
        return cls(frozenset(re.findall(r"\w+", text)), frozenset(attributes), frozenset(quoted))

    def reads(self, name: str, owners: set[str]) -> bool:
        return name in self.quoted or any((owner, name) in self.attributes for owner in owners)


@lru_cache(maxsize=1)
def _sources() -> dict[str, _Source]:
    """The modules that may read a parameter, by their path within the room."""
    found = [path for pattern in _RULES for path in _MARKET.glob(pattern)]
    return {
        path.relative_to(_MARKET).as_posix(): _Source.of(path.read_text(encoding="utf-8"))
        for path in sorted(found)
    }


def readers(path: str, section: type[BaseModel]) -> list[str]:
    """Files that read the field at a dotted path, by what its section is called there.

    A field is read as `choice.taste_scale`, `lab.staff`, `labs[name].staff`, `body.price`, or by its name
    as text; by any name where none of these is found. An event's are read where its kind is named.
    """
    *parts, name = path.split(".")
    words = re.findall("[A-Z][a-z]+", section.__name__)
    sources = _sources()
    if parts[:1] == ["events"] and len(parts) > 2:
        kinds = {parts[2], section.__name__}
        sources = {file: source for file, source in sources.items() if kinds & source.words}
    owners = {"_".join(words).lower(), words[-1].lower(), "body", "event", "e", "v", "m", "]"}
    found = [file for file, source in sources.items() if source.reads(name, owners)]
    if found:
        return found
    return [file for file, source in sources.items() if any(name == what for _, what in source.attributes)]
