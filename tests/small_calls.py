"""The command line within a test's own process, and run folders whose pictures are a word in a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from sim import cli
from sim.report import pictures
from sim.system import files


class Outcome(NamedTuple):
    """What a call gave: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


Call = Callable[..., Outcome]


def call(*words: str, capsys: pytest.CaptureFixture[str]) -> Outcome:
    """The command line within this process."""
    capsys.readouterr()
    code = cli.main([*words])
    return Outcome(code, *capsys.readouterr())


def sketch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures cost most of a small run folder; where they do not matter they are a word in a file."""
    for name in ("draw_hiring", "draw_retention"):
        monkeypatch.setattr(pictures, name, lambda *_args: None)
    monkeypatch.setattr(pictures, "save", lambda _axes, path: files.write_text(path, "picture"))
