"""`--set` in `compare` changes every scenario compared, and both the screen and the manifest say so."""

import json
import subprocess
import sys
from pathlib import Path

OWN = """\
name: own
title: One lab
start: 2023-05-01
horizon: 60 weeks
market: {entry: {outside: 10, graduates: 0 /year}}
labs:
  a:
    label: Lab A
    staff: 12
    founded: 2016-01-01
    median_pay: 800k USD/year
    star_pay: 6M USD/year
    treasury: {opening: 5B USD, inflow: 1B USD/year}
    talent_inflow: 300M USD/year
"""


def talentsim(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sim", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def test_what_is_set_is_set_on_all_sides_and_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(OWN, encoding="utf-8")
    other = "name: other\ntitle: Other\nextends: own\nlabs: {a: {standing: 1.1}}\n"
    (tmp_path / "other.yaml").write_text(other, encoding="utf-8")
    files, few = ("own.yaml", "other.yaml"), ("--runs=2", "--jobs=1", "--out=out")
    done = talentsim(tmp_path, "compare", *files, *few, "--set", "horizon=5 weeks")
    assert done.returncode == 0, done.stderr
    note = "--set horizon=5 weeks: set in every scenario compared, on all sides alike"
    assert note in done.stderr
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert (manifest["set"], manifest["notes"]) == (["horizon=5 weeks"], [note])
    for variant in manifest["variants"]:
        text = (tmp_path / "out" / "variants" / variant / "scenario.yaml").read_text("utf-8")
        assert "horizon: 5 weeks\n" in text


def test_the_help_of_compare_says_so(tmp_path: Path) -> None:
    said = " ".join(talentsim(tmp_path, "compare", "--help").stdout.split())
    assert "change a value in every scenario compared" in said
