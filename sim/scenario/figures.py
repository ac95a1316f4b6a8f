"""The cited figures of `seeds/`: a number of a shipped scenario names one by its id, or says it is assumed.

A row of `seeds/*.csv` is a figure: `H15`, `article.offer_cap`. A source that gives several numbers has one
row under its plain id (`H7`) and one a number (`H7.2023-11`), so that each number can be cited alone.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Literal, cast, get_args

# quoted from the publisher's own page (P), a page that names the original (S), a blog or aggregator (W);
# derived by arithmetic on other rows; given by the article, in a row beside the article's own
type Confidence = Literal["article", "quoted-P", "quoted-S", "quoted-W", "from memory", "derived", "given"]

CONFIDENCES: tuple[Confidence, ...] = get_args(Confidence.__value__)

_ID = re.compile(r"([a-z_]+|[A-Z]+\d+)(\.[A-Za-z0-9_-]+)?")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_DAY = r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?"
_DATE = re.compile(f"{_DAY}(/{_DAY})?")


class FigureError(ValueError):
    """A figure, or a file of figures, that cannot be used; the message says which, where and why."""


class UnknownFigureError(FigureError, KeyError):
    """An id that no figure has; the message names the ids that are spelt like it."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would print the message in quotes


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One cited number, range or fact.

    Args:
        id: name by which a scenario cites it; a dot sets off the parts of one source.
        value: the number, in `unit`; None where the source gives a range, a fact or several parts.
        low: least value that fits the source, inclusive; None where it gives none.
        high: greatest value that fits the source, inclusive; None where it gives none.
        unit: unit of the three numbers, such as "USD/year" or "%"; "event" and the like where there is none.
        date: year, month or day (ISO 8601, or two of them joined by a slash) that it speaks of, or "".
        measures: what it measures, exactly.
        source: who says so.
        url: addresses of the source, joined by " ; ", or "".
        confidence: how sure the citation is, one of `CONFIDENCES`.
        note: caveats.

    Raises:
        FigureError: where a field is empty or malformed, or value, low and high are out of order.
    """

    id: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str
    date: str = ""
    measures: str
    source: str
    url: str = ""
    confidence: Confidence
    note: str = ""

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise FigureError(problem)

    @property
    def group(self) -> str:
        """The part of the id before the dot: "H7" for both `H7` and `H7.2023-11`."""
        return self.id.partition(".")[0]


COLUMNS: tuple[str, ...] = tuple(field.name for field in fields(Figure))


def _problems(figure: Figure) -> Iterator[str]:
    """What is wrong with `figure`, one sentence a fault."""
    if not _ID.fullmatch(figure.id):
        yield f"id {figure.id!r} is not of the form H15, H7.2023-11 or article.offer_cap"
    for name in ("unit", "measures", "source"):
        if not getattr(figure, name).strip():
            yield f"{name} of {figure.id} is empty: no figure goes without it"
    if figure.confidence not in CONFIDENCES:
        likely = _alike(figure.confidence, CONFIDENCES)
        yield f"confidence {figure.confidence!r} is not one of {', '.join(CONFIDENCES)}{likely}"
    if figure.date and not _DATE.fullmatch(figure.date):
        yield f"date {figure.date!r} is not a year, month or day such as 2025-06, nor two with a slash"
    for address in figure.url.split(" ; ") if figure.url else ():
        if not re.fullmatch(r"https?://\S+", address):
            yield f"url {address!r} is not a web address (several are joined by ' ; ')"
    numbers = [number for number in (figure.low, figure.value, figure.high) if number is not None]
    if not all(map(math.isfinite, numbers)):
        yield f"{figure.id} has a number that is not finite"
    if numbers != sorted(numbers):
        yield f"low, value and high of {figure.id} are not in order: {' > '.join(f'{n:g}' for n in numbers)}"


class Figures(Mapping[str, Figure]):
    """Figures by id, in the order of their files; read only.

    `figures["H15"]` is a `Figure`; an unknown id raises `UnknownFigureError`, a KeyError that names
    likely ones.
    """

    __slots__ = ("_by_id",)

    def __init__(self, figures: Iterable[Figure]) -> None:
        """Take `figures` in their order; FigureError if two share an id."""
        self._by_id: dict[str, Figure] = {}
        for figure in figures:
            if figure.id in self._by_id:
                raise FigureError(f"two figures have the id {figure.id}")
            self._by_id[figure.id] = figure

    def __getitem__(self, id: str) -> Figure:
        try:
            return self._by_id[id]
        except KeyError:
            raise UnknownFigureError(f"no figure has the id {id!r}{_alike(id, self._by_id)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def __repr__(self) -> str:
        return f"<Figures: {len(self)} of {len({figure.group for figure in self.values()})} sources>"

    def parts(self, id: str) -> tuple[Figure, ...]:
        """The figures below `id`: `parts("H7")` are `H7.2023` to `H7.plan_hires`; empty where there are none.

        Raises:
            UnknownFigureError: no figure has the id, nor one that begins with it and a dot.
        """
        found = tuple(figure for figure in self.values() if figure.id.startswith(f"{id}."))
        if not found:
            self[id]  # raises for an unknown id
        return found

    def number(self, id: str) -> float:
        """The value of figure `id`, in the unit of its row.

        Raises:
            UnknownFigureError: no figure has the id.
            FigureError: it has no single value; the message names its parts, or its range, or says why.
        """
        figure = self[id]
        if figure.value is not None:
            return figure.value
        parts = ", ".join(part.id for part in self.parts(id))
        if parts:
            reason = f"cite one of its parts: {parts}"
        elif figure.low is not None or figure.high is not None:
            reason = f"it is a range, {_range(figure)}"
        else:
            reason = figure.note or figure.measures
        raise FigureError(f"figure {id} has no value: {reason}")


def _range(figure: Figure) -> str:
    """The bounds of `figure` in words: "700000 to 900000 USD/year"."""
    bounds = [f"{bound:.15g}" for bound in (figure.low, figure.high) if bound is not None]
    words = "" if len(bounds) == 2 else "at least " if figure.high is None else "at most "
    return f"{words}{' to '.join(bounds)} {figure.unit}"


def _alike(text: str, known: Iterable[str]) -> str:
    """A question that names the spellings nearest to `text`, or an empty text where none is near."""
    spelt = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(text.strip().casefold(), spelt, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(spelt[name] for name in near)}?" if near else ""


def data_folder(name: str) -> Path:
    """The folder of shipped data `name` ("seeds", "scenarios"): in the installed package, or the checkout.

    Raises:
        FileNotFoundError: it is in neither place, so the installation is not whole.
    """
    package = Path(__file__).resolve().parents[1]
    places = (package / "_data" / name, package.parent / name)
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(
        f"the folder {name!r} of talentsim is missing: neither {places[0]} nor {places[1]} is there"
    )


def load_figures(folder: str | Path | None = None) -> Figures:
    """All figures in the CSV files of `folder`, by default those that talentsim ships.

    The files are UTF-8 with the header `COLUMNS`, commas and double quotes as in RFC 4180. A folder is
    read once a process; later calls return the same object.

    Raises:
        FigureError: a file cannot be read or a row is refused; the message names file and line.
        FileNotFoundError: no folder is given and the shipped one is missing.
    """
    return _load((data_folder("seeds") if folder is None else Path(folder)).resolve())


@lru_cache(maxsize=8)
def _load(folder: Path) -> Figures:
    """Read every CSV file of `folder`, in the order of their names."""
    paths = sorted(folder.glob("*.csv"))
    if not paths:
        raise FigureError(f"{folder} holds no CSV file of figures")
    places: dict[str, str] = {}
    figures: list[Figure] = []
    for path in paths:
        for line, figure in _read(path):
            place = f"{path}:{line}"
            if figure.id in places:
                raise FigureError(f"{place}: id {figure.id} is there already, at {places[figure.id]}")
            places[figure.id] = place
            figures.append(figure)
    for id, place in places.items():
        group = id.partition(".")[0]
        if (
            not group.islower() and group not in places
        ):  # a word such as article only gathers, a code is a source
            raise FigureError(f"{place}: {id} is a part of {group}, which has no row of its own")
    return Figures(figures)


def _read(path: Path) -> Iterator[tuple[int, Figure]]:
    """Every figure of the file at `path` with the line on which its row begins."""
    records = _records(path)
    _, header = next(records, (1, []))
    _check_header(path, header)
    for line, cells in records:
        if len(cells) != len(header):
            raise FigureError(
                f"{path}:{line}: {len(cells)} cells where the header has {len(header)}; "
                "a text with a comma in it needs double quotes"
            )
        try:
            yield line, _figure(dict(zip(header, cells, strict=True)))
        except FigureError as error:
            raise FigureError(f"{path}:{line}: {error}") from None


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Every record of a CSV file that is not blank, with the line on which it begins."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise FigureError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise FigureError(f"{path}:{line}: byte {error.object[error.start]:#04x} is not UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise FigureError(f"{path}:{line}: {error}") from None


def _check_header(path: Path, header: list[str]) -> None:
    """Refuse a header that does not name every column of `COLUMNS` once."""
    for name in header:
        if name not in COLUMNS:
            raise FigureError(f"{path}:1: unknown column {name!r}{_alike(name, COLUMNS)}")
        if header.count(name) > 1:
            raise FigureError(f"{path}:1: column {name!r} is there twice")
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise FigureError(f"{path}:1: column {missing[0]!r} is missing")


def _figure(cells: Mapping[str, str]) -> Figure:
    """The figure that a row's cells, by column, describe."""
    text = {name: cell.strip() for name, cell in cells.items()}
    return Figure(
        id=text["id"],
        value=_number("value", text["value"]),
        low=_number("low", text["low"]),
        high=_number("high", text["high"]),
        unit=text["unit"],
        date=text["date"],
        measures=text["measures"],
        source=text["source"],
        url=text["url"],
        confidence=cast(Confidence, text["confidence"]),  # checked by Figure
        note=text["note"],
    )


def _number(column: str, text: str) -> float | None:
    """A plain decimal number, or None for an empty cell."""
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise FigureError(
            f"{column} {text!r} is not a plain number such as 14300000000 or 0.5; the unit has its own column"
        )
    return float(text)
