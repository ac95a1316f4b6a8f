"""The columnar market and the plain Mesa one, two solvers of the same rules, come to the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_markets import lab, market_of
from small_markets import scenario as small_scenario

from benchmarks.formulas import held_kernel
from benchmarks.scaling import scaled, without_events
from benchmarks.twin import PlainMarket
from sim.market.opening import open_market
from sim.market.record import Recorder
from sim.market.week import advance
from sim.scenario.loading import load_scenario
from sim.scenario.schema import Scenario

COUNTS = ("hires", "from_rivals", "departures", "to_rivals", "contacts", "offers", "counters")


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return without_events(load_scenario("baseline"))


def columnar(scenario: Scenario, runs: int, weeks: int) -> dict[str, Any]:
    """Mean weekly counts by run and lab."""
    market, recorder = open_market(scenario, 1, np.arange(runs), keep_all=False), Recorder.ready()
    for _ in range(weeks):
        advance(market)
        recorder.observe(market)
    left = np.mean(recorder.weeks["left"], axis=0)
    given = {"departures": left.sum(axis=-1), "to_rivals": left[..., 0]}
    for name in COUNTS:
        given.setdefault(name, np.mean(recorder.weeks.get(name, [0.0]), axis=0))
    return given


def plain(scenario: Scenario, runs: int, weeks: int, thrifty: bool = False) -> dict[str, Any]:
    """The same of the plain market."""
    seen: dict[str, list[Any]] = {name: [] for name in COUNTS}
    for run in range(runs):
        market = PlainMarket(scenario, 1, run, thrifty)
        for _ in range(weeks):
            market.step()
        for name in COUNTS:
            weekly = [[week[name] for name in scenario.labs] for week in market.history[name]]
            seen[name].append(np.mean(weekly, axis=0))
    return {name: np.array(values) for name, values in seen.items()}


def distance(one: Any, other: Any) -> Any:
    """Difference of the means over runs in standard errors of both; runs come first."""
    error = np.sqrt(one.var(axis=0, ddof=1) / len(one) + other.var(axis=0, ddof=1) / len(other))
    apart = np.abs(one.mean(axis=0) - other.mean(axis=0))
    return np.divide(apart, error, out=np.where(apart > 0, np.inf, 0.0), where=error > 0)


@pytest.mark.parametrize("thrifty", [False, True])
@pytest.mark.skip(reason="the twin follows the rules of the second edition with the next change")
def test_the_totals_of_a_few_runs_agree(scenario, thrifty):
    """Few runs make a poor estimate of the spread, so it is taken from more runs of the quick solver."""
    quick, slow = columnar(scenario, 20, 20), plain(scenario, 3, 20, thrifty)
    for name in ("hires", "departures", "contacts", "offers"):
        one, other = quick[name].sum(axis=1), slow[name].sum(axis=1)
        error = one.std(ddof=1) * np.sqrt(1 / len(one) + 1 / len(other))
        assert abs(one.mean() - other.mean()) < 5 * error, name


@pytest.mark.slow
@pytest.mark.parametrize("thrifty", [False, True])
def test_thirty_runs_of_both_solvers_agree_lab_by_lab(scenario, thrifty):
    runs, weeks = 30, 104
    quick, slow = columnar(scenario, runs, weeks), plain(scenario, runs, weeks, thrifty)
    for name in COUNTS:
        by_lab = distance(quick[name], slow[name])
        total = distance(quick[name].sum(axis=1), slow[name].sum(axis=1))
        assert total < 4, (name, float(total))
        assert (by_lab < 4).all(), (name, dict(zip(scenario.labs, by_lab.round(1), strict=True)))


def test_heads_are_kept(scenario):
    market = PlainMarket(scenario, seed=1)
    before = {own.name: own.headcount for own in market.labs}
    for _ in range(6):
        market.step()
    for own in market.labs:
        came, went = (sum(week[own.name] for week in market.history[n]) for n in ("hires", "departures"))
        staff = sum(person.place is own for person in market.people if person is not None)
        assert own.headcount == before[own.name] + came - went == staff


def test_the_opening_market_is_the_same_one(scenario):
    market, opened = PlainMarket(scenario, seed=3, run=2), open_market(scenario, 3, np.array([2]))
    payroll = [own.payroll * 100 for own in market.labs]
    assert payroll == pytest.approx(opened.labs.weekly_payroll[0].tolist())
    staff = [person for person in market.people if person is not None and not isinstance(person.place, str)]
    assert sum(person.attachment for person in staff) == pytest.approx(
        float(opened.researchers.attachment.astype(np.float64).sum())
    )


@pytest.mark.parametrize(("length", "cliff"), [(48, 12), (48, 0), (120, 12), (36, 6), (12, 12)])
def test_what_vests_at_the_end_of_a_week_is_no_longer_ahead(length, cliff):
    """Undiscounted, vests ahead are all that was granted less whole months: 487 weeks are 112 of them."""
    for weeks in (0, 52, 53, 486, 487, 488, 974, 1461):
        months = weeks * 336 // 1461
        vested = 0 if months < cliff else min(months, length)
        refreshed = sum(min(months - granted, length) for granted in range(12, months + 1, 12))
        due = 1 + 0.25 * (months // 12) - (vested + 0.25 * refreshed) / length
        assert held_kernel(weeks, 0.0, length, cliff, 0.25) == pytest.approx(due, abs=1e-9)


def test_a_larger_market_has_as_many_times_the_people_and_the_money(scenario):
    large = scaled(scenario, 10)
    opened = open_market(large, 1, np.array([0]))
    assert opened.labs.headcount.sum() == 10 * sum(own.staff for own in scenario.labs.values())
    for name, own in scenario.labs.items():
        assert large.labs[name].talent_inflow == 10 * own.talent_inflow
        planned = scenario.planned_headcount(name, large.end)
        assert large.planned_headcount(name, large.end) == pytest.approx(10 * planned)


def test_what_the_plain_market_lacks_is_refused():
    with pytest.raises(ValueError, match="no events"):
        PlainMarket(load_scenario("meta-2025"))
    paid_leave = market_of({"one": lab(), "two": lab(non_compete="6 weeks")})
    with pytest.raises(ValueError, match="two: a plain lab"):
        PlainMarket(small_scenario(paid_leave))
