"""The deliberate errors that the tests are measured by are still in step with the rules."""

from __future__ import annotations

import pytest

from benchmarks.errors import ERRORS, ROOT, Error


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.name)
def test_a_deliberate_error_has_one_place_to_be_made(error: Error) -> None:
    assert (ROOT / "sim" / error.file).read_text("utf-8").count(error.right) == 1
    assert error.wrong != error.right
