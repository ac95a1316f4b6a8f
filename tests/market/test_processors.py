"""The same decisions on a processor that can do less: no decision hangs on the last bit of a logarithm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from numpy._core import _multiarray_umath as processor
from small_markets import lab, market_of, scenario

from sim.scenario.loading import dump_scenario

# The columns that are no decision: numbers whose last bit a processor may round otherwise.
HASHES = """
import json, sys
import pyarrow as pa
from sim.market import simulate
from sim.system import tables
from sim.scenario.loading import load_scenario

found = {}
for name, table in simulate.run_block(load_scenario(sys.argv[1]), 1, range(int(sys.argv[2]))).items():
    whole = [field.name for field in table.schema if not pa.types.is_floating(field.type)]
    found[name] = [table.num_rows, tables.canonical_hash(table.select(whole))]
print(json.dumps(found))
"""

FASTER = [name for name in processor.__cpu_dispatch__ if processor.__cpu_features__[name]]


def decisions(path: Path, runs: int, without: list[str]) -> dict[str, list[object]]:
    environment = os.environ | {"NPY_DISABLE_CPU_FEATURES": " ".join(without), "PYTHONWARNINGS": "ignore"}
    asked = [sys.executable, "-c", HASHES, str(path), str(runs)]
    done = subprocess.run(asked, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[object]] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(not FASTER, reason="this processor has nothing that numpy could leave unused")
def test_a_processor_that_can_do_less_comes_to_the_same_decisions(tmp_path: Path) -> None:
    labs = {"alpha": lab(120), "beta": lab(90, process="0 weeks"), "gamma": lab(60)}
    path = tmp_path / "market.yaml"
    path.write_text(dump_scenario(scenario(market_of(labs, weeks=60))), "utf-8")
    able = decisions(path, 4, [])
    assert able["offers"][0] > 100  # something is decided
    assert decisions(path, 4, FASTER) == able


@pytest.mark.slow
@pytest.mark.skipif(not FASTER, reason="this processor has nothing that numpy could leave unused")
def test_the_article_comes_out_the_same_on_a_processor_that_can_do_less() -> None:
    path = Path(__file__).resolve().parents[2] / "scenarios" / "meta-2025.yaml"
    assert decisions(path, 10, FASTER) == decisions(path, 10, [])
