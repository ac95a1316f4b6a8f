"""What a composed scenario says and where it says it: as annotated YAML, and number by number.

A value stands in a file, in an override, or nowhere: then it is a default of the schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sim.scenario.annotations import quantity_at
from sim.scenario.dumping import ONE_LINE, plain_data, to_yaml
from sim.scenario.errors import Citation, Place, printable
from sim.scenario.figures import Figure
from sim.scenario.limits import COMPOSED_LIMITS
from sim.scenario.provenance import value_places
from sim.scenario.quantities import Quantity
from sim.scenario.schema import Scenario
from sim.scenario.yaml_nodes import read_text

DEFAULT = "default of sim/scenario"
_UNITS = {"cents": "USD", "cents a year": "USD/year"}  # money is written in dollars

type Places = Mapping[str, Place]


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number of a scenario, or another value that cites a source.

    Attributes:
        path: its dotted path.
        value: as a file says it: 14.3B USD, 0.5; a quantity's text has its unit in it.
        unit: USD, USD/year, weeks, months, years, 1/year, or 1 for a plain number.
        source: ids of figures, comma-separated, or the word assumption or fitted; empty if nothing is said.
        targets: ids of the figures that a fitted number was set to meet.
        note: what the file adds.
        where: file and line, or the words of a default.
        meaning: what the schema says of it.
        symbol: as in the formulas, if it has one.
    """

    path: str
    value: str | int | float | bool
    unit: str
    source: str
    targets: tuple[str, ...]
    note: str
    where: str
    meaning: str
    symbol: str

    @property
    def origin(self) -> str:
        """The source in words: "R5.meta", "fitted to R6, K1", "no source"."""
        if self.targets:
            return f"{self.source} to {', '.join(self.targets)}"
        return self.source or "no source"


def where(path: str, places: Places) -> str:
    """File and line of a value, or that it is a default."""
    place = places.get(path)
    return DEFAULT if place is None else printable(str(Place(place.file, place.line)))


def annotated_yaml(scenario: Scenario, places: Places) -> str:
    """The scenario as YAML that reads back as equal; each value's line ends with where it comes from."""
    text = to_yaml(plain_data(scenario, scenario.sources), ONE_LINE)
    lines = text.split("\n")
    for path, place in value_places(read_text(text, "", COMPOSED_LIMITS)):
        assert place.line is not None
        lines[place.line - 1] += f"  # {where(path, places)}"
    return "\n".join(lines)


def numbers(scenario: Scenario, places: Places) -> list[Number]:
    """Every number of a scenario, defaults too, and every other value that cites a source, in its order."""
    return list(_numbers(scenario, scenario.model_dump(mode="json"), "", None, scenario, places))


def _numbers(
    value: object, written: Any, path: str, field: FieldInfo | None, scenario: Scenario, places: Places
) -> Iterator[Number]:
    prefix = f"{path}." if path else ""
    if isinstance(value, BaseModel):
        for name, below in type(value).model_fields.items():
            item = getattr(value, name)
            yield from _numbers(item, written[name], prefix + name, below, scenario, places)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _numbers(item, written[key], f"{prefix}{key}", field, scenario, places)
    elif isinstance(value, tuple | list):
        for index, item in enumerate(value):
            yield from _numbers(item, written[index], f"{prefix}{index}", field, scenario, places)
    elif path in scenario.sources or (isinstance(value, int | float) and not isinstance(value, bool)):
        yield _number(written, path, field, scenario, places)


def _number(written: Any, path: str, field: FieldInfo | None, scenario: Scenario, places: Places) -> Number:
    citation = scenario.sources.get(path, Citation(""))
    steps = tuple(int(step) if step.isdecimal() else step for step in path.split("."))
    extra = field.json_schema_extra if field is not None else None
    return Number(
        path=path,
        value=written,
        unit=_unit(quantity_at(Scenario, steps), written),
        source=citation.source,
        targets=citation.targets,
        note=citation.note,
        where=where(path, places),
        meaning=(field.description if field is not None else None) or "",
        symbol=str(extra.get("symbol", "")) if isinstance(extra, dict) else "",
    )


def _unit(quantity: Quantity[Any] | None, written: object) -> str:
    if quantity is None:
        return "1" if isinstance(written, int | float) and not isinstance(written, bool) else ""
    return _UNITS.get(quantity.unit, quantity.unit)


def cited_figures(number: Number, figures: Mapping[str, Figure]) -> list[dict[str, str]]:
    """The figures that a number cites or was fitted to: what each says and measures, how sure that is."""
    named = [*number.source.split(","), *number.targets]
    cited = (figures[id] for part in named if (id := part.strip()) in figures)
    return [
        {
            "id": figure.id,
            "says": _says(figure),
            "measures": figure.measures,
            "confidence": figure.confidence,
            "source": figure.source,
        }
        for figure in cited
    ]


def _says(figure: Figure) -> str:
    """The number or the range of a figure, with its unit; empty for a bare fact."""
    bounds = [f"{bound:.15g}" for bound in (figure.low, figure.high) if bound is not None]
    said = [f"{figure.value:.15g}"] if figure.value is not None else bounds
    return f"{' to '.join(said)} {figure.unit}" if said else ""
