"""Which scenarios an experiment is made of: those compared, and the points of a sweep."""

from __future__ import annotations

import csv
import itertools
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sim.experiments.request import COMPARE, MOST_RUNS, SWEEP, Experiment, Request
from sim.experiments.values import cell_text, point_of
from sim.market import simulate
from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.schema import Scenario
from sim.system.whole_numbers import whole_number

MOST_VARIANTS = 10_000

ScenarioLike = Scenario | str | os.PathLike[str]


def comparison_of(
    scenarios: Sequence[ScenarioLike], overrides: Sequence[str] = (), *, runs: int = 200, seed: int = 1
) -> Experiment:
    """A comparison of scenarios, whose names are theirs, numbered where they are equal.

    Raises:
        ScenarioError: if a scenario cannot be read.
        ValueError: if there are fewer than two.
    """
    if len(scenarios) < 2:
        raise ValueError("a comparison takes at least two scenarios")
    log = whole_number(runs, "runs", 1, MOST_RUNS) * len(scenarios) <= simulate.LOGGED_RUNS
    variants: dict[str, Request] = {}
    for scenario in scenarios:
        request = Request.of(scenario, overrides, runs=runs, seed=seed, log=log)
        name = request.scenario.name
        number = next(n for n in itertools.count(1) if _numbered(name, n) not in variants)
        variants[_numbered(name, number)] = request
    return Experiment(COMPARE, variants)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def sweep_of(
    scenario: ScenarioLike,
    points: Sequence[dict[str, str]],
    overrides: Sequence[str] = (),
    *,
    runs: int,
    seed: int,
) -> Experiment:
    """A sweep: a variant for each point, which gives the value at each path.

    Raises:
        ScenarioError: if the scenario cannot be read or a point does not fit it.
        ValueError: if two points give the same scenario, or there are too many.
    """
    if not 1 <= len(points) <= MOST_VARIANTS:
        raise ValueError(f"a sweep has {len(points)} points: must be at least 1 and at most {MOST_VARIANTS}")
    log = whole_number(runs, "runs", 1, MOST_RUNS) * len(points) <= simulate.LOGGED_RUNS
    digits = max(len(str(len(points) - 1)), 3)
    variants: dict[str, Request] = {}
    seen: dict[str, list[str]] = {}
    for number, point in enumerate(points):
        changes = [f"{path}={value}" for path, value in point.items()]
        try:
            request = Request.of(scenario, [*overrides, *changes], runs=runs, seed=seed, log=log)
        except ScenarioError as error:
            raise ScenarioError([_of_sweep(problem, changes) for problem in error.problems]) from None
        if (other := seen.setdefault(request.scenario_hash, changes)) is not changes:
            raise ValueError(f"{', '.join(changes)} and {', '.join(other)} are the same scenario")
        variants[f"{number:0{digits}d}"] = request
    return Experiment(SWEEP, variants, tuple(points))


def _of_sweep(problem: Problem, changes: Sequence[str]) -> Problem:
    """A problem with a swept value as of --vary, not of --set."""
    change = problem.file.removeprefix("--set ")
    return replace(problem, file=f"--vary {change}") if change in changes else problem


def factorial(varied: Sequence[str]) -> list[dict[str, str]]:
    """Every combination of `path=value,value,...`; ValueError if one is malformed, empty or doubled."""
    values: dict[str, list[str]] = {}
    for text in varied:
        path, equals, listed = (part.strip() for part in text.partition("="))
        found = [value.strip() for value in listed.split(",")]
        if not equals or not path or not all(found):
            raise ValueError(f"--vary {text}: write PATH=VALUE,VALUE,... with no value empty")
        if path in values:
            raise ValueError(f"--vary {text}: {path} is varied twice")
        if doubled := sorted({value for value in found if found.count(value) > 1}):
            raise ValueError(f"--vary {text}: {', '.join(doubled)} stands there twice")
        values[path] = found
    return [dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*values.values())]


def design_in(path: Path) -> list[dict[str, str]]:
    """The points of a CSV file, a column for each path; ValueError if it is malformed or a row is doubled."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [[cell.strip() for cell in row] for row in csv.reader(file, strict=True) if row]
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: is no CSV file: {error}") from error
    if len(rows) < 2:
        raise ValueError(
            f"{path}: holds no points; the first line names the paths, each other one is a point"
        )
    head, *points = rows
    head[0] = head[0].removeprefix("#").strip()  # as numpy writes the first line
    if len(set(head)) < len(head) or not all(head):
        raise ValueError(f"{path}:1: a path is empty or stands there twice")
    for number, row in enumerate(points, 2):
        if len(row) != len(head) or not all(row):
            raise ValueError(f"{path}:{number}: {len(head)} values are due, none empty")
        if row in points[: number - 2]:
            raise ValueError(f"{path}:{number}: this point stands there twice")
    return [
        point_of(head, [cell_text(cell) for cell in row], f"{path}:{number}")
        for number, row in enumerate(points, 2)
    ]
