"""The six recorded tables: their columns, their files and their canonical hash.

Weeks count from the scenario's start (week 0) and are negative for spells begun before it. Money
is whole cents. Every table has its rows in the order in which they were recorded; the hash depends
on that order, on names, types and values, and on nothing else: neither on how a table is chunked,
nor on how its dictionaries are ordered, nor on the bytes of the Parquet file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sim.system.files import replacing

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
NAMES = ("labs", "offers", "spells", "ledger", "events", "transfers")

_WORD = pa.dictionary(pa.int32(), pa.string())


def _columns(spec: str, kind: Any, *, nullable: bool = False) -> list[Any]:
    return [pa.field(name, kind, nullable=nullable) for name in spec.split()]


_KEY = [*_columns("run", pa.int32()), *_columns("week", pa.int16())]

SCHEMAS: dict[str, Any] = {
    "labs": pa.schema(
        [
            *_KEY,
            *_columns("date", pa.date32()),
            *_columns("lab", _WORD),
            *_columns("headcount hires acquihires from_rivals departures", pa.int32()),
            *_columns(
                "left_rival left_found left_academia left_field left_acquihire left_released", pa.int32()
            ),
            *_columns("contacts interested interviews priced offers counters accepted", pa.int32()),
            *_columns("cash_cents treasury_cents committed_cents spend_cents withheld_cents", pa.int64()),
            *_columns("standing hurdle", pa.float64()),
        ]
    ),
    "offers": pa.schema(
        [
            *_columns("run offer researcher", pa.int32()),
            *_columns("lab unit", _WORD),
            *_columns("campaign", _WORD, nullable=True),
            *_columns(
                "follows", _WORD, nullable=True
            ),  # the campaign that the inviter was hired by or followed
            *_columns("inviter", pa.int32(), nullable=True),
            *_columns("origin", _WORD),
            *_columns("contact_week", pa.int16()),
            # stages that were skipped or never reached are null: no interviews, never written, ...
            *_columns("interest_week interview_week offer_week", pa.int16(), nullable=True),
            *_columns("counter_week decision_week notice_week start_week", pa.int16(), nullable=True),
            *_columns("base_cents sign_on_cents grant_cents counter_cents", pa.int64()),
            *_columns("outcome", _WORD),
        ]
    ),
    "spells": pa.schema(
        [
            *_columns("run researcher", pa.int32()),
            *_columns("talent", pa.float32()),
            *_columns("lab unit", _WORD),
            *_columns("start_week entry_week end_week", pa.int16()),
            *_columns("origin", _WORD),
            *_columns("came_from", _WORD, nullable=True),  # a lab, or where outside; none: not known
            *_columns("returned", pa.bool_()),  # to the lab of the spell before the last
            *_columns("cause next_lab", _WORD, nullable=True),
            *_columns("censored", pa.bool_()),
        ]
    ),
    "ledger": pa.schema([*_KEY, *_columns("kind debit credit", _WORD), *_columns("cents", pa.int64())]),
    "events": pa.schema(
        [*_KEY, *_columns("kind name", _WORD), *_columns("lab", _WORD, nullable=True)]  # none: all labs
    ),
    "transfers": pa.schema(
        [  # run, researcher, lab and start_week name the spell that goes on
            *_columns("run researcher", pa.int32()),
            *_columns("lab", _WORD),
            *_columns("start_week week", pa.int16()),
            *_columns("from_unit to_unit", _WORD),
        ]
    ),
}


CAUSES = tuple(name.removeprefix("left_") for name in SCHEMAS["labs"].names if name.startswith("left_"))
"""Causes of departure, in the order of the columns of `labs`."""


MAY_BE_MISSING = frozenset(
    field.name
    for schema in SCHEMAS.values()
    for field in schema
    if field.nullable and pa.types.is_integer(field.type)
)
"""Whole numbers that some table may lack."""


class TableError(ValueError):
    """A table is not of its schema, or a file does not hold one; the message is one line."""


def empty(name: str) -> Any:
    """The table `name` (one of `NAMES`) with no rows; KeyError for any other name."""
    return SCHEMAS[name].empty_table()


def check(name: str, table: Any) -> None:
    """Refuse a table whose columns, order, types or missing values differ from the schema `name`.

    Raises:
        TableError: naming the table, the column, what was found and what was due.
    """
    schema = SCHEMAS[name]
    if table.column_names != schema.names:
        raise TableError(f"table {name}: columns are {table.column_names}, due are {schema.names}")
    for field in schema:
        column = table.column(field.name)
        if column.type != field.type:
            raise TableError(f"table {name}: column {field.name} is {column.type}, due is {field.type}")
        if column.null_count and not field.nullable:
            raise TableError(f"table {name}: column {field.name} misses {column.null_count} values, none may")


def concat(tables: Sequence[Any]) -> Any:
    """The rows of `tables`, one after another, under common dictionaries; ValueError if there is none."""
    if not tables:
        raise ValueError("no tables to join; use empty(name)")
    return pa.concat_tables(tables).unify_dictionaries()


def write_table(path: Path, table: Any) -> None:
    """Write `table` to `path` as Parquet (zstd), whole or not at all; OSError if the disk refuses."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        pq.write_table(table, file, **_options(table.schema))


@contextmanager
def writer(path: Path, name: str) -> Iterator[Any]:
    """An open writer of the table `name` to a Parquet file, to `append` pieces to.

    The file is opened here, for pyarrow takes some names for addresses and others for no text.
    """
    schema = SCHEMAS[name]
    with path.open("wb") as file, pq.ParquetWriter(file, schema, **_options(schema)) as opened:
        yield opened


def _options(schema: Any) -> dict[str, Any]:
    """How tables are written: only words have dictionaries, which take long to build for amounts."""
    words = [f.name for f in schema if pa.types.is_dictionary(f.type) or pa.types.is_string(f.type)]
    return {"compression": "zstd", "write_statistics": True, "use_dictionary": words}


def append(writer: Any, table: Any) -> None:
    """Write the rows of a table after those that are written; they become a group of their own."""
    if table.num_rows:
        writer.write_table(table, row_group_size=table.num_rows)


def read_table(path: Path, columns: Sequence[str] | None = None, run: int | None = None) -> Any:
    """The table in the Parquet file `path`, or only `columns` of it, or only the rows of one run.

    Raises:
        TableError: if there is no such file or it is no Parquet file.
    """
    rows = None if run is None else [("run", "==", run)]
    try:
        with path.open("rb") as file:
            return pq.read_table(file, columns=list(columns) if columns is not None else None, filters=rows)
    except FileNotFoundError as error:
        raise TableError(f"{path}: no such table") from error
    except pa.ArrowInvalid as error:
        raise TableError(f"{path}: not a readable Parquet file") from error


def frame(table: Any) -> pd.DataFrame:
    """A table for people, as a pandas DataFrame in which columns of one name have one type in every table.

    Text is text, dates are `datetime64`, and whole numbers that some table may lack are pandas' integers
    with missing values in each.
    """
    import pandas as pd

    whole = {pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype()}
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            column = column.cast(pa.string())
        kinds = whole.get if name in MAY_BE_MISSING else None
        columns[name] = column.to_pandas(date_as_object=False, types_mapper=kinds)
    return pd.DataFrame(columns, columns=pd.Index(table.column_names))


def datetimes(days: Any) -> Any:
    """Days of numpy as the dates that `frame` gives."""
    return np.asarray(days).astype("datetime64[ms]")


def codes(column: Any) -> tuple[Any, list[str]]:
    """A text column as int64 codes into its sorted distinct values; -1 where a value is missing.

    Args:
        column: chunked array of text, plain or dictionary-coded, n rows.

    Returns:
        codes (n,) and the values that occur, sorted, so that both depend on the values alone.
    """
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    column = column.unify_dictionaries().combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # a column of no chunks stays chunked in some versions
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    words = column.dictionary.to_pylist()
    raw = pc.fill_null(column.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    seen = np.zeros(len(words) + 1, np.bool_)
    seen[raw] = True  # missing ones in the last slot
    used = np.flatnonzero(seen[:-1])
    # equal words may stand twice in a dictionary, so the sorted set, not the dictionary, numbers them
    values = sorted({words[i] for i in used} - {None})
    number = {word: i for i, word in enumerate(values)}
    renumber = np.full(len(words) + 1, -1, dtype=np.int64)  # the last slot is where code -1 points
    for i in used:
        renumber[i] = number.get(words[i], -1)
    return renumber[raw], values


def numbers(column: Any) -> Any:
    """A numeric, date or boolean column as a numpy array (n,); missing values read 0 or False."""
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    if column.null_count:
        column = pc.fill_null(column, False if pa.types.is_boolean(column.type) else 0)
    return column.to_numpy()


def canonical_hash(table: Any) -> str:
    """SHA-256 of a table's column order, names, types, values and missing values, in hexadecimal.

    Text hashes alike whether it is plain or dictionary-coded. Numbers hash by their little-endian
    bits, with one bit pattern for every NaN, so equal hashes mean equal results on any machine.
    """
    hasher = Hasher(table.schema)
    hasher.update(table)
    return hasher.hexdigest()


def alike(one: Any, other: Any) -> bool:
    """Whether two tables are equal but for the rounding of their fractions, which hangs on the processor."""
    if one.schema != other.schema or one.num_rows != other.num_rows:
        return False
    fractions = [field.name for field in one.schema if pa.types.is_floating(field.type)]
    exact, found = (canonical_hash(table.drop_columns(fractions)) for table in (one, other))
    return exact == found and all(
        np.allclose(numbers(one[name]), numbers(other[name]), rtol=1e-6, atol=1e-9, equal_nan=True)
        for name in fractions
    )


class Hasher:
    """The canonical hash of a table that comes in pieces; of words, the codes are kept until the end."""

    def __init__(self, schema: Any) -> None:
        self.rows = 0
        self.columns = [_TextHash(field) if _is_text(field.type) else _NumberHash(field) for field in schema]

    def update(self, piece: Any) -> None:
        """Go on with the next rows, as a table of the schema."""
        self.rows += piece.num_rows
        for hashed, column in zip(self.columns, piece.columns, strict=True):
            hashed.update(column)

    def hexdigest(self) -> str:
        """The hash of all rows so far."""
        digest = hashlib.sha256(f"talentsim-table-{FORMAT}:{self.rows}".encode())
        for hashed in self.columns:
            digest.update(hashed.digest())
        return digest.hexdigest()


class _NumberHash:
    """Of a column of numbers, dates or flags: its name, type and values, and where a value is missing."""

    def __init__(self, field: Any) -> None:
        self.values, self.missing = hashlib.sha256(), hashlib.sha256()
        _hash_words(self.values, [field.name, str(field.type)])

    def update(self, column: Any) -> None:
        _hash_array(self.values, numbers(column))
        _hash_array(self.missing, pc.is_null(column).to_numpy())

    def digest(self) -> bytes:
        return self.values.digest() + self.missing.digest()


class _TextHash:
    """Of a column of words: its name, the sorted words, and which stands where, or none."""

    def __init__(self, field: Any) -> None:
        self.name = field.name
        self.found: list[tuple[Any, list[str]]] = []

    def update(self, column: Any) -> None:
        index, words = codes(column)
        self.found.append((index.astype(np.min_scalar_type(-len(words) - 1)), words))

    def digest(self) -> bytes:
        digest = hashlib.sha256()
        words = sorted({word for _, here in self.found for word in here})
        _hash_words(digest, [self.name, "text"])
        _hash_words(digest, words)
        number = {word: i for i, word in enumerate(words)}
        for index, here in self.found:
            _hash_array(digest, np.array([*(number[word] for word in here), -1], np.int32)[index])
        return digest.digest()


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _hash_words(digest: Any, words: Sequence[str]) -> None:
    encoded = [word.encode("utf-8") for word in words]
    digest.update(f"{len(encoded)}:{','.join(str(len(word)) for word in encoded)}:".encode())
    digest.update(b"".join(encoded))


def _hash_array(digest: Any, values: Any) -> None:
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), values.dtype.type(np.nan), values)
    digest.update(np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).data)
