"""The lock of a folder: one holder at a time, and none of a folder that is finished meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sim.system.lock import WorkError, locked, remove_lock

fcntl = pytest.importorskip("fcntl", reason="locks are taken otherwise on this system")


def test_a_lock_on_a_name_that_is_gone_is_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between our opening of the file and our taking of the lock, its holder finishes and removes it."""
    real = fcntl.flock

    def finished_first(descriptor: int, how: int) -> Any:
        remove_lock(tmp_path)
        return real(descriptor, how)

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", finished_first)
        with pytest.raises(WorkError, match="has just finished it"), locked(tmp_path):
            pytest.fail("two would work in one folder")
    with locked(tmp_path):
        pass


def test_a_lock_on_a_file_that_was_replaced_is_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The holder finishes, and a third process begins anew, with a file of the same name."""
    real = fcntl.flock

    def begun_anew(descriptor: int, how: int) -> Any:
        remove_lock(tmp_path)
        (tmp_path / ".lock").touch()
        return real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", begun_anew)
    with pytest.raises(WorkError, match="has just finished it"), locked(tmp_path):
        pytest.fail("two would work in one folder")


def test_who_holds_a_lock_is_told_to_whoever_comes_next(tmp_path: Path) -> None:
    told = r"process \d+ on .* is working on it"
    with locked(tmp_path), pytest.raises(WorkError, match=told), locked(tmp_path):
        pytest.fail("two work in one folder")
