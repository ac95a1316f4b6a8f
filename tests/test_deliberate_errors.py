"""The deliberate errors that the tests are measured by are still in step with the rules."""

from __future__ import annotations

import pytest

from benchmarks.errors import ERRORS, ROOT, TESTS, Error


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.name)
def test_a_deliberate_error_has_one_place_to_be_made(error: Error) -> None:
    assert (ROOT / "sim" / error.file).read_text("utf-8").count(error.right) == 1
    assert error.wrong != error.right


@pytest.mark.parametrize("room", TESTS)
def test_the_tests_of_a_room_are_there(room: str) -> None:
    named = {*TESTS[room], *(error.first for error in ERRORS if error.room == room and error.first)}
    found = [path.stem for path in (ROOT / "tests").rglob("test_*.py") if path.stem in named]
    assert sorted(found) == sorted(named)
