"""What the page gives to take away, in a spreadsheet's eyes."""

from __future__ import annotations

import csv
import io

import pyarrow as pa
import pytest

from sim.page.downloads import as_csv


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_the_name_of_a_column_is_no_formula(name: str) -> None:
    """Labs name columns, and a lab's label may be anything."""
    table = pa.table({name: [1, 2], "a=b": [3, 4]})
    head, *rows = csv.reader(io.StringIO(as_csv(table).decode(), newline=""))
    assert head == [f"'{name}", "a=b"]
    assert rows == [["1", "3"], ["2", "4"]]
