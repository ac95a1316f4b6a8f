"""Pictures of a market that trades: pools outside the labs, statements of accounts, hurdle rates."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from matplotlib.axes import Axes
from numpy.testing import assert_allclose
from small_markets import by_plan, everybody_moves, scenario, switched_on
from test_pictures import all_words, assert_legible, offers_table

from sim.analysis import counts
from sim.analysis.places import is_outside, outside_places, pool_of
from sim.analysis.statements import QUARTER, talent_statement
from sim.experiments import results
from sim.experiments.results import Result
from sim.market.ledger import KINDS
from sim.report import budget_pictures, market_pictures, style
from sim.report.places import outside_words, pool_title
from sim.report.postings import posting_words
from sim.scenario.loading import load_scenario

RUNS = 3


@cache
def trading() -> Result:
    """A small market with everything switched on, and money that follows plans."""
    data = by_plan(switched_on(everybody_moves(60)))
    for lab in data["labs"].values():
        lab["headcount_plan"] = [{"date": "2024-05-01", "staff": 2 * lab["staff"]}]
    return results.run(scenario(data), runs=RUNS)


# ---- words for places


def test_places_outside_are_told_from_labs() -> None:
    assert [is_outside(place) for place in ("outside", "outside/google", "outsider", "meta")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert [pool_of(place) for place in ("outside", "outside/google", "meta")] == [None, "google", None]
    assert outside_places(trading().scenario) == ["outside/industry", "outside/academia"]
    assert outside_places(scenario(everybody_moves())) == ["outside"]


@pytest.mark.parametrize(
    ("pool", "title", "words"),
    [
        (None, None, "outside the labs"),
        ("google", "Google", "at Google, outside the labs"),
        ("academia", "academia", "in academia, outside the labs"),
        ("start-ups", "start-ups", "at a start-up, outside the labs"),
        ("startups", "start-ups", "at a start-up, outside the labs"),
        ("apple-engineers", "Apple engineers", "among Apple engineers, outside the labs"),
        ("other", "elsewhere", "elsewhere, outside the labs"),
    ],
)
def test_pools_in_words(pool: str | None, title: str | None, words: str) -> None:
    assert outside_words(pool) == words
    assert pool is None or pool_title(pool) == title


# ---- offers and origins


def test_people_in_pools_are_outside_in_pictures_of_offers() -> None:
    table = offers_table(
        [2e6] * 12, ["accepted"] * 12, ["outside/google"] * 5 + ["outside/academia"] * 4 + ["openai"] * 3
    )
    assert market_pictures.acceptance(table).offers.sum(axis=1).tolist() == [9, 3]
    curve = market_pictures.plot_pay(load_scenario("meta-2025"), table, by="origin")
    assert "outside" in all_words(curve)


def test_origins_are_those_of_everybody_who_joined() -> None:
    result = trading()
    labs, places = list(result.scenario.labs), [*result.scenario.labs, *outside_places(result.scenario)]
    found = counts.origins(result.table("spells"), places, labs, range(RUNS))
    hires = result.labs.groupby(["run", "lab"], observed=True).hires.sum().unstack()[labs]
    # an acqui-hire and a move between labs both count as hires; nobody comes from where they are
    assert_allclose(found.sum(axis=1), hires)
    rivals = result.labs.groupby(["run", "lab"], observed=True).from_rivals.sum().unstack()[labs]
    assert_allclose(found[:, : len(labs)].sum(axis=1), rivals)
    assert found[:, len(labs) :].sum(axis=(0, 2)).min() > 0
    assert not np.trace(found[:, : len(labs)].sum(axis=0))


def test_bars_of_origins_are_shares_of_all_who_joined() -> None:
    result = trading()
    axes = result.plot_origins()
    widths = np.array([[bar.get_width() for bar in part] for part in axes.containers])
    assert_allclose(widths.sum(axis=0), 100)
    spells = result.spells[result.spells.origin != "opening"]
    for j, lab in enumerate(result.scenario.labs):
        mine = spells[spells.lab == lab].came_from.astype(str)
        due = [(~mine.map(is_outside)).mean(), *((mine == p).mean() for p in outside_places(result.scenario))]
        assert_allclose(widths[:, j], 100 * np.array(due))
    assert {"other labs", "industry", "academia"} <= set(all_words(axes).splitlines())
    assert_legible(axes)


def test_more_pools_than_colours_share_a_grey() -> None:
    names = [f"company-with-a-rather-long-name-{i}" for i in range(9)]
    pools = {name: {"share": 1 / 9, "pay": "300k USD/year"} for name in names}
    of = scenario(switched_on(everybody_moves(20), **{"market.entry.pools": pools}))
    axes = results.run(of, runs=2).plot_origins()
    assert len(axes.containers) == 1 + len(style.COLOURS) + 1
    assert "others outside" in all_words(axes)
    assert_allclose(np.sum([[bar.get_width() for bar in part] for part in axes.containers], axis=0), 100)
    assert_legible(axes)


# ---- money


@pytest.mark.parametrize("lab", ["a", "b", "c"])
def test_a_statement_leads_from_the_opening_to_the_cash_of_each_quarter(lab: str) -> None:
    result = trading()
    weeks = result.labs.week.nunique()
    found = talent_statement(result.table("ledger"), lab, RUNS, weeks)
    ends = [min(QUARTER * (q + 1), weeks) - 1 for q in range(len(found.balance))]
    cash = result.labs[result.labs.lab == lab].groupby("week").cash_cents.mean() / 100
    assert_allclose(found.balance, cash.loc[ends])
    assert found.sums["inflow"].min() > 0
    assert {"grant", "refresh", "forfeit"} <= found.sums.keys()
    assert found.sums["grant"].max() <= 0 <= found.sums["forfeit"].min()


def test_a_statement_is_drawn_as_it_is() -> None:
    result = trading()
    axes = result.plot_budget(lab="a")
    found = talent_statement(result.table("ledger"), "a", RUNS, result.labs.week.nunique())
    drawn = [np.array([bar.get_height() for bar in part]) for part in axes.containers]
    assert len(drawn) == len(found.sums)
    for sums in found.sums.values():
        assert any(np.allclose(heights, sums) for heights in drawn)
    assert {"inflow", "payroll", "grants to new hires", "grants forfeited, back", "cash", "committed"} <= set(
        all_words(axes).splitlines()
    )
    title = axes.get_title(loc="left")
    spent = {kind: -sums.sum() for kind, sums in found.sums.items() if kind != "swept"}
    assert f"spends most on {posting_words(max(spent, key=lambda kind: spent[kind]))}" in title
    assert_legible(axes)


def test_postings_are_told_in_words() -> None:
    said = [posting_words(kind) for kind in KINDS]
    assert len(set(said)) == len(KINDS)
    assert not any("_" in words for words in said)
    assert set(budget_pictures.KINDS) <= set(KINDS)


def test_an_unknown_lab_has_no_statement() -> None:
    with pytest.raises(ValueError, match="unknown lab 'aa': did you mean 'a'"):
        trading().plot_budget(lab="aa")


def test_without_postings_the_statement_says_so() -> None:
    result = results.run(trading().scenario, runs=2, log=False)
    assert "nothing to show" in all_words(result.plot_budget(lab="a"))


def rows_below(axes: Axes) -> list[Axes]:
    return [other for other in axes.figure.axes if other is not axes]


def test_rows_of_hurdle_rates_are_what_they_take_of_worth() -> None:
    result = trading()
    axes = result.plot_budget()
    (rows,) = rows_below(axes)
    labs = result.labs
    bound = [lab for lab in result.scenario.labs if (labs[labs.lab == lab].hurdle > 0).any()]
    assert bound
    image = np.asarray(rows.images[0].get_array())
    assert len(image) == len(bound)
    for row, lab in zip(image, bound, strict=True):
        mine = labs[(labs.lab == lab) & (labs.priced > 0)]
        taken = (mine.hurdle / (1 + mine.hurdle)).groupby(mine.week).mean()
        assert_allclose(row[:, 3], taken.reindex(range(len(row)), fill_value=0.0))
        label = result.scenario.labs[lab].label
        share = 100 * (mine.hurdle > 0).mean()
        assert f"{label}  {mine.hurdle[mine.hurdle > 0].median():.2g}, {share:.0f} %" in all_words(rows)
    assert_legible(axes)


def test_where_money_was_never_short_there_is_no_row() -> None:
    data = everybody_moves(8)
    for lab in data["labs"].values():
        lab["talent_opening"] = "90B USD"
    result = results.run(scenario(data), runs=1)
    assert not (result.labs.hurdle > 0).any()
    assert not rows_below(result.plot_budget())


def test_rows_leave_room_for_the_names_of_many_labs() -> None:
    data = everybody_moves(20)
    one = data["labs"]["a"] | {"talent_opening": "1M USD", "talent_inflow": "30M USD/year", "staff": 8}
    data["labs"] |= {f"l{i}": one | {"label": f"Laboratory {i}"} for i in range(18)}
    axes = results.run(scenario(data), runs=2).plot_budget()
    assert_legible(axes)
