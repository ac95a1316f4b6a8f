"""What the page gives to take away: a table as CSV that no spreadsheet takes for formulas."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

FORMULA = r"^([=+\-@\t\r])"  # what a spreadsheet would compute
_STRAY = re.compile(r"[^A-Za-z0-9._-]+")


def as_csv(table: Any) -> bytes:
    """A table as CSV in UTF-8; a text that begins as a formula does gets an apostrophe before it."""
    columns = [_plain(table.column(name)) for name in table.column_names]
    file = BytesIO()
    csv.write_csv(pa.table(columns, names=[_quoted(name) for name in table.column_names]), file)
    return file.getvalue()


def _plain(column: Any) -> Any:
    if pa.types.is_dictionary(column.type) or pa.types.is_large_string(column.type):
        column = column.cast(pa.string())
    return pc.replace_substring_regex(column, FORMULA, r"'\1") if pa.types.is_string(column.type) else column


def _quoted(name: str) -> str:
    return re.sub(FORMULA, r"'\1", name)


def file_name(*parts: object, ending: str) -> str:
    """A name for a file out of words, with nothing in it that a file system or a shell would mind."""
    words = _STRAY.sub("-", "-".join(map(str, parts))).strip("-.")
    return f"{words[:80] or 'talentsim'}.{ending}"
