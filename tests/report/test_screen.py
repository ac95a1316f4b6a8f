"""Comparisons and sweeps on screen: nothing is cut, and chance is named."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sim.analysis.compare import COSTS, MAIN
from sim.report import screen

LONG = "the_second_laboratory_for_artificial_general_intell"


def printed(show: Any, rows: list[dict[str, Any]], manifest: dict[str, Any], width: int = 80) -> list[str]:
    out = io.StringIO()
    show(rows, manifest, Path("x"), Console(file=out, width=width))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def row(name: str, figure: str, difference: float, half: float | None, base: float | None = 1234.5) -> Any:
    ends = (None, None) if half is None else (difference - half, difference + half)
    texts = {"base": "one", "other": "two", "kind": "lab", "name": name, "figure": figure}
    return texts | {"base_mean": base, "difference": difference, "lower": ends[0], "upper": ends[1]}


MANIFEST = {"variants": ["one", "two"], "runs": 40, "seed": 3}


@pytest.mark.parametrize("width", [80, 60])
def test_no_name_of_a_lab_or_a_figure_is_cut(width) -> None:
    rows = [
        row(name, figure, -123_456_789.0, 12_345_678.9)
        for name in ("meta", LONG)
        for figure in (*MAIN, *COSTS)
    ]
    lines = printed(screen.print_comparison, rows, MANIFEST, width)
    assert max(map(len, lines)) <= width
    assert "…" not in "".join(lines)
    assert lines.count(LONG) == 1
    firsts = "".join(line[: line.find(" ") if " " in line else None] for line in lines)
    for figure in (*MAIN, *COSTS):
        assert firsts.count(figure) >= 2  # put together again where it takes two lines
    assert sum("1.23k -123M" in " ".join(line.split()) for line in lines) == 2 * (len(MAIN) + len(COSTS))


def test_a_row_tells_base_level_difference_and_interval() -> None:
    lines = printed(screen.print_comparison, [row("meta", "hires", 30.0, 10.0, base=576.25)], MANIFEST)
    assert "hires 576 +30 +20 +40" in [" ".join(line.split()) for line in lines]


def test_of_a_hundred_figures_some_five_clear_their_interval_by_chance() -> None:
    """Two of 100 do; what is alike in every run cannot, and is no main figure's chance."""
    clear = [row(f"lab{n}", "hires", 3.0, 1.0) for n in range(2)]
    level = [row(f"lab{n}", "hires", 0.5, 1.0) for n in range(2, 100)]
    alike = [row("still", "hires", 0.0, 0.0), row("lab0", "contacted", 9.0, 1.0)]
    said = " ".join(printed(screen.print_comparison, clear + level + alike, MANIFEST))
    assert "Shown are 2 of 100 main figures" in said
    assert "some 5.0 of the 100 would (5 %)" in said
    assert "lab1" in said and "lab2" not in said and "still" not in said


def test_one_pair_of_runs_is_called_no_effect() -> None:
    lines = printed(screen.print_comparison, [row("meta", "hires", 30.0, None)], MANIFEST | {"runs": 1})
    assert "one pair of runs, seed 3" in lines
    assert "hires 1.23k +30 - -" in [" ".join(line.split()) for line in lines]
    assert "One pair of runs has no interval: nothing here tells a difference from chance." in " ".join(lines)


def test_nothing_differs_is_said() -> None:
    lines = printed(screen.print_comparison, [row("meta", "hires", 0.0, 0.0)], MANIFEST)
    assert "No main figure differs in any run." in lines


@pytest.mark.parametrize("width", [80, 60])
def test_long_values_of_a_sweep_go_on_in_the_next_line(width) -> None:
    point = {f"labs.{LONG}.talent_inflow": "123,456,789 USD/year", f"labs.{LONG}.staff": "12345"}
    variants = {"variants": ["000"], "points": [point], "runs": 3, "seed": 1}
    lines = printed(screen.print_sweep, [], variants, width)
    words = "".join("".join(lines).split())
    assert max(map(len, lines)) <= width
    assert "talent_inflow=123,456,789" in words and "USD/year,staff=12345" in words
