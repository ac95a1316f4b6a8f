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
from sim.scenario.parameters import Contagion, Growth, Interviews
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.scenario.schema import Scenario

FLOWS = ("hires", "from_rivals", "departures", "to_rivals", "accepted")
STAGES = ("contacts", "interested", "offers", "counters")
MONEY = ("spend", "withheld", "cash", "treasury")
FIGURES = (*FLOWS, *STAGES, *MONEY, "stayed")  # of a run, by lab: means over weeks; opening staff who stayed


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return without_events(load_scenario("baseline"))


def untraded(scenario: Scenario) -> Scenario:
    """The same market before it traded: all rules that have a switch are off."""
    market = scenario.market
    off = {
        "interviews": Interviews(),
        "contagion": Contagion(),
        "growth": Growth(),
        "contact": market.contact.model_copy(update={"return_contact": 0.0}),
        "hiring": market.hiring.model_copy(update={"notice": 0, "ration_outsiders": "off"}),
        "equity": market.equity.model_copy(update={"charged": False}),
        "standing": market.standing.model_copy(update={"rivalry": 0.0}),
        "exits": market.exits.model_copy(update={"forfeiture": 0.0, "standing": 0.0}),
        "entry": market.entry.model_copy(update={"pools": {}, "alumni": 0.0}),
    }
    return scenario.model_copy(update={"market": market.model_copy(update=off)})


def loud(scenario: Scenario) -> Scenario:
    """The same market with more of what moves little in it: contagion, regret, rivalry, falls, forfeiture."""
    market = scenario.market
    more = {
        "contagion": {
            "shake": 2.0,
            "leader_shake": 2.0,
            "leader_talent": 1.5,
            "leader_invites": 6,
            "regret": 0.5,
        },
        "standing": {"rivalry": 1.0, "noise": 0.3},
        "exits": {"standing": 3.0, "forfeiture": 1.5},
        "hiring": {"tightness": 0.9},
    }
    louder = {name: getattr(market, name).model_copy(update=values) for name, values in more.items()}
    return scenario.model_copy(update={"market": market.model_copy(update=louder)})


def columnar(scenario: Scenario, runs: int, weeks: int) -> dict[str, Any]:
    """Figures by run and lab."""
    market, recorder = open_market(scenario, 1, np.arange(runs), keep_all=False), Recorder.ready()
    for _ in range(weeks):
        advance(market)
        recorder.observe(market)
    left = np.mean(recorder.weeks["left"], axis=0)
    given = {"departures": left.sum(axis=-1), "to_rivals": left[..., 0]}
    given |= {name: np.mean(recorder.weeks[name], axis=0) / 100 for name in MONEY}
    for name in (*FLOWS, *STAGES):
        given.setdefault(name, np.mean(recorder.weeks.get(name, [0.0]), axis=0))
    people, stayed = market.researchers, np.zeros(market.shape)
    rows = np.flatnonzero((people.place >= 0) & (people.start_week < 0))
    np.add.at(stayed, (market.run_of(rows), people.place[rows]), 1)
    return given | {"stayed": stayed}


def plain(scenario: Scenario, runs: int, weeks: int, thrifty: bool = False) -> dict[str, Any]:
    """The same of the plain market."""
    seen: dict[str, list[Any]] = {name: [] for name in FIGURES}
    for run in range(runs):
        market = PlainMarket(scenario, 1, run, thrifty)
        for _ in range(weeks):
            market.step()
        for name in (*FLOWS, *STAGES, *MONEY):
            weekly = [[week[name] for name in scenario.labs] for week in market.history[name]]
            seen[name].append(np.mean(weekly, axis=0))
        seen["stayed"].append([sum(person.start < 0 for person in own.staff) for own in market.labs])
    return {name: np.array(values, float) for name, values in seen.items()}


def distance(one: Any, other: Any) -> Any:
    """Mean difference over runs in standard errors; runs come first, and run by run both began alike."""
    apart = one - other
    mean, error = np.abs(apart.mean(axis=0)), apart.std(axis=0, ddof=1) / np.sqrt(len(apart))
    return np.divide(mean, error, out=np.where(mean > 0, np.inf, 0.0), where=error > 0)


@pytest.mark.parametrize("rules", ["traded", "untraded"])
@pytest.mark.parametrize("thrifty", [False, True])
def test_the_totals_of_a_few_runs_agree(scenario, thrifty, rules):
    """Few runs make a poor estimate of the spread, so it is taken from more runs of the quick solver."""
    scenario = scenario if rules == "traded" else untraded(scenario)
    quick, slow = columnar(scenario, 20, 20), plain(scenario, 3, 20, thrifty)
    for name in ("hires", "departures", "contacts", "interested", "offers", "spend"):
        one, other = quick[name].sum(axis=1), slow[name].sum(axis=1)
        error = one.std(ddof=1) * np.sqrt(1 / len(one) + 1 / len(other))
        assert abs(one.mean() - other.mean()) < 5 * error, name


@pytest.mark.slow
@pytest.mark.parametrize("thrifty", [False, True])
@pytest.mark.parametrize("change", [None, loud])
def test_thirty_runs_of_both_solvers_agree_lab_by_lab(scenario, thrifty, change):
    """Fourteen figures of eleven labs and their totals, in four markets, are 672 comparisons.

    With 29 degrees of freedom one in 2,500 is beyond 4 standard errors by chance.
    """
    runs, weeks, scenario = 30, 104, change(scenario) if change else scenario
    quick, slow = columnar(scenario, runs, weeks), plain(scenario, runs, weeks, thrifty)
    for name in FIGURES:
        by_lab = distance(quick[name], slow[name])
        total = distance(quick[name].sum(axis=1), slow[name].sum(axis=1))
        assert total < 4, (name, float(total))
        assert (by_lab < 4).all(), (name, dict(zip(scenario.labs, by_lab.round(1), strict=True)))


def test_heads_are_kept(scenario):
    market = PlainMarket(scenario, seed=1)
    before = {own.name: own.headcount for own in market.labs}
    for _ in range(10):  # the first movers have served their notice
        market.step()
    assert sum(sum(week.values()) for week in market.history["to_rivals"]) > 0
    for own in market.labs:
        came, went = (sum(week[own.name] for week in market.history[n]) for n in ("hires", "departures"))
        staff = sum(person.place is own for person in market.people if person is not None)
        assert own.headcount == before[own.name] + came - went == staff == len(own.staff)
        assert own.payroll * WEEKS_PER_YEAR == pytest.approx(sum(person.base for person in own.staff))
        underway = [bid for later in market.starts.values() for _, bid in later if bid.lab is own]
        assert own.promised == pytest.approx(sum(bid.escrow for bid in underway), abs=0.01)


def test_the_opening_market_is_the_same_one(scenario):
    market, opened = PlainMarket(scenario, seed=3, run=2), open_market(scenario, 3, np.array([2]))
    payroll = [own.payroll * 100 for own in market.labs]
    assert payroll == pytest.approx(opened.labs.weekly_payroll[0].tolist())
    staff = [person for person in market.people if person is not None and not isinstance(person.place, str)]
    assert sum(person.attachment for person in staff) == pytest.approx(
        float(opened.researchers.attachment.astype(np.float64).sum())
    )


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


@pytest.mark.parametrize(("length", "cliff"), [(48, 12), (48, 0), (120, 12), (36, 6), (12, 12)])
def test_what_vests_at_the_end_of_a_week_is_no_longer_ahead(length: int, cliff: int) -> None:
    """Undiscounted, vests ahead are all that was granted less whole months: 487 weeks are 112 of them."""
    for weeks in (0, 52, 53, 486, 487, 488, 974, 1461):
        months = weeks * 336 // 1461
        vested = 0 if months < cliff else min(months, length)
        refreshed = sum(min(months - granted, length) for granted in range(12, months + 1, 12))
        due = 1 + 0.25 * (months // 12) - (vested + 0.25 * refreshed) / length
        assert held_kernel(weeks, 0.0, length, cliff, 0.25) == pytest.approx(due, abs=1e-9)
