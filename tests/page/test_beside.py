"""The page's limits, and a changed run beside the unchanged one: each side under its own title."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import synthetic
from matplotlib.figure import Figure
from small_markets import lab, market_of, scenario

from sim.page import many_runs, pairs
from sim.page.address import LONGEST_CHANGE, Choices, read_query
from sim.system.tables import NAMES, empty

WEEKS = 5
SMALL = scenario(market_of({"alpha": lab(label="Alpha"), "beta": lab(label="Beta")}, weeks=WEEKS))


def side(hires: int) -> pairs.Side:
    """A run in which Alpha hires so many people a week, and all who ever came leave in the last week."""
    week, place = (axis.ravel() for axis in np.indices((WEEKS, 2)))
    labs = synthetic.table(
        "labs", len(week), week=week, date=np.datetime64("2023-05-01") + 7 * week,
        lab=np.array(["alpha", "beta"])[place], headcount=10, standing=1.0, hires=hires * (1 - place),
    )  # fmt: skip
    spells = synthetic.spells([0] * 10, [WEEKS - 1] * hires + [WEEKS] * (10 - hires),
                              ["found"] * hires + [None] * (10 - hires))  # fmt: skip
    return SMALL, {name: empty(name) for name in NAMES} | {"labs": labs, "spells": spells}


@pytest.mark.parametrize(
    ("draw", "ends"), [(pairs.draw_hiring, [3 * WEEKS, WEEKS]), (pairs.draw_retention, [70, 90])]
)
def test_each_side_stands_under_its_title(draw: Callable[..., None], ends: list[int]) -> None:
    """Three hires a week with the changes, one without; three or one of ten hires leave."""
    figure = Figure()
    draw(side(1), side(3), figure)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["With your changes", "Unchanged"]
    lefts = [axes.get_position().x0 for axes in figure.axes]
    assert lefts == sorted(lefts)
    for axes, end in zip(figure.axes, ends, strict=True):
        assert end in {round(float(np.asarray(line.get_ydata())[-1])) for line in axes.lines}


def test_an_ensemble_is_measured_by_its_weeks_and_labs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten runs of five weeks and two labs are 100 rows: allowed where 100 are, refused where 99 are."""

    def give_up(_: int) -> bool:
        return False

    monkeypatch.setattr(many_runs, "MOST_ROWS", 100)
    with pytest.raises(many_runs.GivenUp):
        many_runs.ensemble(SMALL, 1, 10, give_up)
    monkeypatch.setattr(many_runs, "MOST_ROWS", 99)
    with pytest.raises(many_runs.TooLarge):
        many_runs.ensemble(SMALL, 1, 10, give_up)


def test_a_change_as_long_as_allowed_is_taken_and_a_longer_one_is_not() -> None:
    def asked(length: int) -> Any:
        change = "labs.meta.label=".ljust(length, "x")
        return read_query(
            Choices("baseline", changes=(tuple(change.split("=")),)).query, "baseline", ["baseline"]
        )

    choices, problems = asked(LONGEST_CHANGE)
    assert (len(choices.changes), problems) == (1, [])
    choices, problems = asked(LONGEST_CHANGE + 1)
    assert (choices.changes, len(problems)) == ((), 1)
