"""What every test shares: pictures are drawn without a screen; no test depends on the clock or on luck."""

import os
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:  # read where they are used: most tests need neither
    from small_calls import Call

os.environ["MPLBACKEND"] = "agg"
settings.register_profile("talentsim", deadline=None, derandomize=True)
settings.load_profile("talentsim")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> "Call":
    """The command line within this process: exit code, standard output, standard error."""
    import small_calls

    return partial(small_calls.call, capsys=capsys)


@pytest.fixture(scope="module")
def quick() -> Iterator[None]:
    """Shipped scenario files are read once."""
    from mutations import shipped_read_once

    with shipped_read_once():
        yield
