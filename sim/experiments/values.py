"""Swept values as text and as numbers: a design's numbers become text, a sweep's text becomes numbers.

A column of numbers names its unit in brackets: `events.campaign.package_cap [USD]`, and [1] where there is
none. So the numbers of a sweep's table may be the design of the next one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

_SIZES = {"k": 3, "K": 3, "thousand": 3, "M": 6, "million": 6, "B": 9, "billion": 9, "T": 12, "trillion": 12}
_PERIODS_A_YEAR = {"year": 1.0, "month": 12.0, "week": 365.25 / 7, "day": 365.25}
_AMOUNT = re.compile(
    r"(?P<sign>[+-]?)\s*(?P<dollar>\$?)\s*"
    r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*"
    rf"(?:(?P<size>{'|'.join(_SIZES)})\b)?\s*(?P<unit>[A-Za-z%]*)\s*(?:(?:/|\bper\b)\s*(?P<period>[a-z]+))?",
    re.ASCII,
)
_HEAD = re.compile(r"(?P<path>[^\[\]]+?)\s*\[(?P<unit>[^\[\]]*)\]")
_LARGEST_EXACT = 2.0**53


def amount(text: str) -> tuple[float, str] | None:
    """The number that a text says, and its unit: "2.5B USD/year" is (2.5e9, "USD/year"). None if none."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        return None
    number = float(found["number"].replace(",", "")) * 10.0 ** _SIZES.get(found["size"] or "", 0)
    unit = "USD" if found["dollar"] else _named(found["unit"])
    period = f"/{found['period'].removesuffix('s')}" if found["period"] else ""
    return (-number if found["sign"] == "-" else number), unit + period


def _named(unit: str) -> str:
    """A unit under one name, so that 1 week and 8 weeks have the same."""
    return f"{unit.removesuffix('s')}s" if unit.removesuffix("s") in _PERIODS_A_YEAR else unit


def numbers_of(texts: Sequence[str]) -> tuple[list[float], str] | None:
    """Texts as numbers of one unit: theirs if all have the same, else USD and years; None if none."""
    found = [amount(text) for text in texts]
    known = [one for one in found if one is not None]
    if len(known) < len(texts):
        return None
    if len({unit for _, unit in known}) > 1:
        known = [_in_base_units(number, unit) for number, unit in known]
    units = {unit for _, unit in known}
    return ([number for number, _ in known], units.pop() or "1") if len(units) == 1 else None


def _in_base_units(number: float, unit: str) -> tuple[float, str]:
    top, _, period = unit.partition("/")
    if top == "%":
        number, top = number / 100, ""
    elif top.removesuffix("s") in _PERIODS_A_YEAR:
        number, top = number / _PERIODS_A_YEAR[top.removesuffix("s")], "years"
    if period in _PERIODS_A_YEAR:
        number, period = number * _PERIODS_A_YEAR[period], "year"
    return number, f"{top}/{period}" if period else top


def with_numbers(table: Any, paths: Iterable[str]) -> Any:
    """A sweep's table (pyarrow) with a column of numbers after each of texts that are numbers of one unit."""
    for path in paths:
        column = table.column(path)
        distinct = column.unique().to_pylist()
        if (found := numbers_of(distinct)) is not None:
            numbers, unit = found
            known = dict(zip(distinct, numbers, strict=True))
            values = pa.array([known[text] for text in column.to_pylist()], pa.float64())
            heading = pa.field(f"{path} [{unit}]", pa.float64(), nullable=False, metadata={"unit": unit})
            table = table.add_column(table.column_names.index(path) + 1, heading, values)
    return table


def points_of(design: Any, paths: Sequence[str] | None = None) -> list[dict[str, str]]:
    """The points of a design as it comes out of pandas, SALib, `scipy.stats.qmc` or a list.

    Args:
        design: a DataFrame whose columns are paths; a mapping of paths to values; a list of mappings; or
            a table of numbers, a row a point, whose columns `paths` names. A path may give the unit of its
            column: `events.campaign.package_cap [USD]`.
        paths: names of the columns; those of the design itself if it has any.

    Raises:
        ValueError: if it is no such design, or a value is none.
    """
    heads, rows = _taken_apart(design, paths)
    if not rows:
        raise ValueError("the design holds no points")
    if len(set(map(str, heads))) < len(heads) or not all(map(str, heads)):
        raise ValueError("a path of the design is empty or stands there twice")
    for number, row in enumerate(rows):
        if len(row) != len(heads):
            raise ValueError(f"point {number} of the design has {len(row)} values, {len(heads)} are due")
    names = [str(head) for head in heads]
    return [
        point_of(names, [value_text(value) for value in row], f"point {number} of the design")
        for number, row in enumerate(rows)
    ]


def _taken_apart(design: Any, paths: Sequence[str] | None) -> tuple[list[Any], list[Any]]:
    """Headings and rows of a design."""
    if hasattr(design, "columns") and hasattr(design, "itertuples"):
        return list(design.columns if paths is None else paths), list(
            design.itertuples(index=False, name=None)
        )
    if isinstance(design, Mapping):
        columns = [list(np.atleast_1d(np.asarray(values, object))) for values in design.values()]
        if len({len(column) for column in columns}) > 1:
            raise ValueError("the columns of the design have different lengths")
        return list(design), list(zip(*columns, strict=True))
    listed = list(design) if not isinstance(design, str) else []
    if listed and all(isinstance(one, Mapping) for one in listed):
        if any(one.keys() != listed[0].keys() for one in listed):
            raise ValueError("the points of the design have different paths")
        return list(listed[0]), [tuple(one[path] for path in listed[0]) for one in listed]
    if paths is None:
        raise ValueError("a design of bare numbers needs paths=[...]: the path that each column sets")
    try:
        numbers = np.asarray(design)
    except ValueError:
        raise ValueError("the points of the design have different lengths") from None
    if numbers.ndim == 1 and len(paths) == 1:
        numbers = numbers[:, None]
    if numbers.ndim != 2:
        raise ValueError(
            f"the design has {numbers.ndim} dimensions: due are rows of points, a column for each path"
        )
    return list(paths), list(numbers)


def value_text(value: Any) -> str:
    """A value as a scenario writes it; numbers and flags of numpy as those of Python."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST_EXACT:
        return str(int(value))
    return repr(value) if isinstance(value, int | float) else str(value).strip()


def cell_text(text: str) -> str:
    """A cell of a CSV file as a scenario writes it: `3.0` and `True`, as pandas writes, are 3 and true."""
    if text in ("True", "False"):
        return text.lower()
    try:
        return value_text(float(text)) if re.fullmatch(r"[+-]?[\d.]+(?:[eE][+-]?\d+)?", text) else text
    except ValueError:
        return text


def point_of(heads: Sequence[str], texts: Sequence[str], where: str) -> dict[str, str]:
    """A point by path, with the unit that a heading gives after each bare number of its column.

    Raises:
        ValueError: if a value is empty, or not finite.
    """
    found = {}
    for head, text in zip(heads, texts, strict=True):
        named = _HEAD.fullmatch(head.strip())
        path, unit = (named["path"], named["unit"].strip()) if named else (head.strip(), "")
        if not text or text in ("nan", "inf", "-inf"):
            raise ValueError(f"{where}: the value for {path} is {text or 'empty'}: a finite value is due")
        said = amount(text)
        bare = said is not None and not said[1]
        found[path] = f"{text} {unit}" if bare and unit not in ("", "1") else text
    return found
