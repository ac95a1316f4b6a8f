"""One result is of one code: a package that would compute otherwise neither shares nor resumes work."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_markets import lab, market_of, scenario

import sim
from sim.experiments import chunks, performing, runner
from sim.experiments.chunks import code_hash, compute_together
from sim.experiments.manifest import sealed
from sim.experiments.request import Experiment, Request
from sim.market import simulate
from sim.system.lock import WorkError

PACKAGE = Path(sim.__file__).parent
SHOWING = {"cli", "page", "report"}
"""Rooms that show results and compute none."""
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def request() -> Request:
    return Request(scenario(market_of({"alpha": lab(8), "beta": lab(5)}, weeks=3)), 3, 2)


def test_a_worker_with_other_code_refuses() -> None:
    one = request()
    given = ([one.scenario], one.seed, range(1), one.full)
    assert len(compute_together(*given, code=code_hash())) == 1
    with pytest.raises(WorkError, match="another version"):
        compute_together(*given, code="0" * 64)


def test_workers_are_told_the_code_of_who_asks(tmp_path, monkeypatch) -> None:
    """The one who asks has other code than its workers: nothing is computed, nothing kept."""
    monkeypatch.setattr(runner, "code_hash", lambda: "0" * 64)
    with pytest.raises(WorkError, match="another version"):
        performing.perform(Experiment.of_run(request()), tmp_path / "x", jobs=1)
    assert not list(tmp_path.rglob("*.chunk"))


def code_of(package: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The code hash that a package at another place would have."""
    with monkeypatch.context() as patch:
        patch.setattr(chunks, "__file__", str(package / "experiments" / "chunks.py"))
        found: str = code_hash.__wrapped__()
    return found


def test_the_code_hash_sees_every_room_that_computes_and_no_other(tmp_path, monkeypatch) -> None:
    copy = tmp_path / "sim"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = code_of(copy, monkeypatch)
    assert before == code_hash()
    assert set(ROOMS) > SHOWING
    seen = set()
    for room in ROOMS:
        file = max((copy / room).rglob("*.py"), key=lambda path: len(path.parts))
        text = file.read_text("utf-8")
        file.write_text(f"{text}# changed\n", "utf-8")
        if code_of(copy, monkeypatch) != before:
            seen.add(room)
        file.write_text(text, "utf-8")
    assert seen == set(ROOMS) - SHOWING


def test_a_file_that_moves_is_other_code(tmp_path, monkeypatch) -> None:
    shutil.copytree(PACKAGE, tmp_path / "sim", ignore=shutil.ignore_patterns("__pycache__"))
    rules = tmp_path / "sim" / "market" / "rules"
    (rules / "moves.py").rename(rules / "movements.py")
    assert code_of(tmp_path / "sim", monkeypatch) != code_hash()


@pytest.mark.parametrize(
    ("key", "value"), [("numpy", "1.26.4"), ("code_sha256", "0" * 64), ("talentsim", "0.0.1")]
)
def test_work_begun_with_other_code_is_not_resumed(key, value, tmp_path, monkeypatch) -> None:
    """numpy's sums and logarithms differ in the last bits from version to version."""
    real, blocks = simulate.run_block, iter(range(9))

    def stop(*given: Any) -> Any:
        if next(blocks):
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(simulate, "BLOCK", 1)
    with monkeypatch.context() as patch:
        patch.setattr(simulate, "run_block", stop)
        with pytest.raises(KeyboardInterrupt):
            performing.perform(Experiment.of_run(request()), tmp_path / "x", jobs=1)
    path = tmp_path / "x" / "manifest.json"
    begun = json.loads(path.read_text("utf-8"))
    assert begun["numpy"] == np.__version__
    path.write_text(sealed(begun | {key: value}), "utf-8")
    with pytest.raises(WorkError, match=f"{key} {value}, now "):
        performing.resume(tmp_path / "x", jobs=1)
    path.write_text(sealed(begun), "utf-8")
    performing.resume(tmp_path / "x", jobs=1)
    assert json.loads(path.read_text("utf-8"))["status"] == "complete"
