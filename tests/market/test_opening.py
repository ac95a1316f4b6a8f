"""The opening market: who is there, since when, on what pay, tied to whom.

Bounds of random tests are 4.5 standard errors, with fixed seeds.
"""

import math
from datetime import date

import numpy as np
import pytest
from scipy.integrate import quad
from small_markets import lab, market_of, put, scenario, weeks_of

from sim.market.constants import graduation_weeks
from sim.market.draws import uniforms
from sim.market.ledger import Ledger
from sim.market.opening import open_market
from sim.market.state import NEVER, OUTSIDE, UNBORN, Market
from sim.market.week import advance
from sim.market.worth import mean_talent, talent_quantile
from sim.scenario.loading import load_scenario
from sim.scenario.quantities import WEEKS_PER_YEAR

Z = 4.5


def opened(data: dict, runs: int = 1) -> Market:
    return open_market(scenario(data), 1, np.arange(runs))


# ---- talent


@pytest.mark.parametrize(("tail", "cap"), [(1.0, 12.0), (2.0, 12.0), (0.5, 100.0)])
def test_talent_is_a_truncated_pareto_of_median_one(tail: float, cap: float) -> None:
    """The tail beyond a, over the tail beyond b, is (a / b)^-zeta once the cap's mass is put back."""
    assert talent_quantile(np.array([0.5]), tail, cap)[0] == pytest.approx(1.0)
    assert talent_quantile(np.array([1.0]), tail, cap)[0] == pytest.approx(cap)
    u = np.array([0.6, 0.9])
    a, b = talent_quantile(u, tail, cap)
    low, high = 2.0 - cap**-tail, cap**-tail
    beyond = (1 - u) * (low - high) + high
    assert beyond[0] / beyond[1] == pytest.approx((a / b) ** -tail)


@pytest.mark.parametrize(("exponent", "tail", "cap"), [(0.5, 1.0, 12.0), (1.0, 1.0, 12.0), (2.0, 1.5, 50.0)])
def test_the_mean_visibility_is_the_integral_of_the_quantiles(exponent, tail, cap) -> None:
    whole, _ = quad(lambda u: talent_quantile(np.array([u]), tail, cap)[0] ** exponent, 0, 1, limit=200)
    assert mean_talent(tail, cap, exponent) == pytest.approx(whole, rel=1e-6)


def test_visibility_has_mean_one() -> None:
    people = opened(put(market_of({"a": lab(0)}), "market.entry.outside", 20_000)).researchers
    spread = people.visibility.std()
    assert abs(people.visibility.mean() - 1) < Z * spread / math.sqrt(20_000)


# ---- who is there


def test_graduates_enter_at_a_rate_that_grows() -> None:
    """After t years g t + a t^2 / 2 have entered; at 100 and 40 a year, 120 within the first year."""
    data = market_of({"a": lab(10)}, weeks=105)
    data["market"]["entry"] = {"graduates": "100 /year", "graduates_growth": "40 /year"}
    weeks = graduation_weeks(scenario(data))
    assert (np.diff(weeks) >= 0).all()
    for week in (52, 104):
        years = (week + 1) / WEEKS_PER_YEAR
        assert (weeks <= week).sum() == math.floor(100 * years + 20 * years**2)


def test_everybody_is_in_her_place() -> None:
    data = market_of({"a": lab(30), "b": lab(0), "c": lab(5)}, weeks=52)
    people = opened(data, runs=2)
    place = people.researchers.place.reshape(2, -1)
    for run in place:
        assert run[:35].tolist() == [0] * 30 + [2] * 5
        assert set(run[35:55].tolist()) == {OUTSIDE}
        assert set(run[55:].tolist()) == {UNBORN}
    waiting = people.researchers.exit_week[people.researchers.place == UNBORN]
    assert waiting.min() >= 0
    assert waiting.max() < 52
    assert (people.researchers.contact_week[people.researchers.place == UNBORN] == NEVER).all()


def test_labs_open_with_their_money_which_came_from_outside() -> None:
    market = open_market(load_scenario("meta-2025"), 1, np.arange(2))
    for number, each in enumerate(market.scenario.labs.values()):
        assert (market.ledger.balances[:, Ledger.treasury(number)] == each.treasury.opening).all()
        weekly = market.constants.inflow_by_plan[number, 0] * each.talent_factor / WEEKS_PER_YEAR
        held = each.talent_opening + round(weekly * market.scenario.market.hiring.carry)
        assert (market.ledger.balances[:, Ledger.talent(number)] == held).all()
    assert (market.ledger.drift() == 0).all()


# ---- tenure, pay and attachment of the opening staff


def test_nobody_has_been_at_a_lab_for_longer_than_it_exists() -> None:
    market = open_market(load_scenario("meta-2025"), 1, np.arange(2))
    rows = np.flatnonzero(market.researchers.place >= 0)
    founded = np.array([each.founded for each in market.scenario.labs.values()], "datetime64[D]")
    start = np.datetime64(market.scenario.start, "D")
    age = (start - founded).astype(int)[market.researchers.place[rows]] // 7
    tenure = -market.researchers.start_week[rows].astype(int)
    assert (tenure >= 1).all()
    assert (tenure <= age + 1).all()


def test_tenure_is_exponential_truncated_at_the_labs_age() -> None:
    """At 20 % a year and an age of 4 years, the share with less than a year: (1-e^-.2) / (1-e^-.8)."""
    market = opened(market_of({"a": lab(20_000, founded=str(date(2019, 5, 1)), opening_hazard="20 %/year")}))
    weeks = market.tenure_weeks(np.arange(20_000)) - 1  # whole weeks served when the market opens
    for edge in (52, 104):
        cut, age = edge / WEEKS_PER_YEAR, 1461 / 365.25
        share = math.expm1(-0.2 * cut) / math.expm1(-0.2 * age)
        assert abs((weeks < edge).mean() - share) < Z * math.sqrt(share * (1 - share) / 20_000)


def test_opening_pay_is_the_labs_for_the_talent() -> None:
    """Base a share of pay up to the cap; what vests this year and base make the pay in full."""
    data = market_of({"a": lab(2000, median_pay="800k USD/year", star_pay="3M USD/year")})
    market = opened(data)
    people, rows = market.researchers, np.arange(2000)
    talent = people.talent[rows].astype(float)
    pay = np.minimum(800e3 * talent, 3e6)
    base = people.weekly_base[rows] * WEEKS_PER_YEAR / 100
    np.testing.assert_allclose(base, np.minimum(0.4 * pay, 500e3), rtol=1e-5)
    years = market.tenure_weeks(rows) / WEEKS_PER_YEAR
    running = (years < 4) + 0.25 * np.minimum(np.floor(years), 4)  # opening and refresh grants that vest
    np.testing.assert_allclose(base + people.grant[rows] / 100 / 4 * running, pay, rtol=1e-5)


def test_those_who_stayed_are_more_attached_than_newcomers_the_more_they_were_approached() -> None:
    """Without approaches they are as drawn, Normal(3, 2); with many, the little attached have gone."""
    data = market_of({"a": lab(4000, founded="2010-01-01"), "b": lab(4000, founded="2010-01-01")})
    data["market"]["choice"] = {"attachment_mean": 3.0, "attachment_sd": 2.0}
    means = []
    for rate in ("0 /year", "2 /year", "20 /year"):
        people = opened(put(data, "market.contact.rate", rate)).researchers
        means.append(people.attachment[people.place >= 0].mean())
    assert abs(means[0] - 3) < Z * 2 / math.sqrt(8000)
    assert means[1] > means[0] + Z * 2 * math.sqrt(2 / 8000)
    assert means[2] > means[1] + Z * 2 * math.sqrt(2 / 8000)


# ---- ties


def test_ties_are_mutual_and_stay_inside_the_first_lab_or_class_but_for_those_across() -> None:
    data = market_of({"a": lab(30), "b": lab(25)}, weeks=60)
    data["market"]["ties"] = {"within": 4, "across": 2}
    market = opened(data, runs=2)
    people = market.people
    ties = market.ties.reshape(2, people, 6) - people * np.arange(2)[:, None, None]  # ids within the run
    for run in ties:
        pairs = {(i, int(j)) for i in range(people) for j in run[i]}
        assert pairs == {(j, i) for i, j in pairs}
        assert set(run[:30, :4].ravel().tolist()) <= set(range(30))
        assert set(run[30:55, :4].ravel().tolist()) <= set(range(30, 55))
        assert not any(i in run[i] for i in range(55))
    assert (ties[0] != ties[1]).any()


def test_in_a_random_graph_each_draws_her_own_ties_in_her_block_and_across() -> None:
    data = market_of({"a": lab(30), "b": lab(25)}, weeks=60)
    data["market"]["ties"] = {"within": 4, "across": 2, "graph": "random"}
    market = opened(data)
    ties = market.ties
    assert ties.shape == (market.people, 6)
    assert set(ties[:30, :4].ravel().tolist()) <= set(range(30))
    assert set(ties[30:55, :4].ravel().tolist()) <= set(range(30, 55))
    assert set(ties[:30, 4:].ravel().tolist()) - set(range(30))
    distance = (ties[:30, 0] - np.arange(30)) % 30
    assert len(set(distance.tolist())) > 5  # in a ring all would stand at one distance
    assert not (ties[:55] == np.arange(55)[:, None]).any()


def test_the_share_of_ties_at_a_place() -> None:
    data = market_of({"a": lab(30), "b": lab(25)})
    data["market"]["ties"] = {"within": 4, "across": 0}
    market = opened(data, runs=2)
    rows = np.array([0, 31, market.people + 3])
    assert market.ties_at(rows, np.array([0, 1, 0])).tolist() == [1, 1, 1]
    assert market.ties_at(rows, np.array([1, 0, 1])).tolist() == [0, 0, 0]
    none = opened(put(data, "market.ties.within", 0))
    assert none.ties_at(np.array([0]), np.array([0])).tolist() == [0]


@pytest.mark.parametrize("graph", ["ring", "random"])
def test_ties_at_a_place_are_those_of_a_count_anew_while_people_move(graph) -> None:
    data = market_of({"a": lab(40), "b": lab(50)}, weeks=60)
    data["market"]["ties"] = {"within": 4, "across": 2, "graph": graph}
    data["market"]["contact"] = {"rate": "20 /year", "outside_rate": "20 /year"}
    market = opened(data, runs=2)
    rows, opening = np.arange(2 * market.people), market.researchers.place.copy()
    for _ in range(60):
        advance(market)
    place = market.researchers.place
    assert (place != opening).mean() > 0.2
    for there in range(UNBORN, 2):
        share = (place[market.ties] == there).mean(axis=1)
        np.testing.assert_array_equal(market.ties_at(rows, np.full(len(rows), there)), share)


# ---- hazards


def test_exit_hazards_fall_with_working_conditions() -> None:
    data = market_of({"a": lab(5, working_conditions=0.5), "b": lab(5)})
    data["market"]["exits"] = {
        "found": "0.1 /year",
        "academia": "0.2 /year",
        "field": "0.3 /year",
        "academia_sensitivity": 2.0,
        "field_sensitivity": 0.0,
    }
    found = opened(data).constants.unit_hazards
    expected = [[0.1 * math.exp(-0.5), 0.2 * math.exp(-1), 0.3], [0.1, 0.2, 0.3]]
    assert found == pytest.approx(np.array(expected))


def test_the_runs_of_an_ensemble_open_as_they_do_alone() -> None:
    data = market_of({"a": lab(30), "b": lab(25)})
    three, one = opened(data, runs=3), open_market(scenario(data), 1, np.array([2]))
    mine = slice(2 * three.people, None)
    for column in ("talent", "attachment", "start_week", "weekly_base", "grant", "exit_week", "contact_week"):
        together = getattr(three.researchers, column)
        assert together[mine].tolist() == getattr(one.researchers, column).tolist()
    assert len(set(uniforms(three.keys, np.array([0])).tolist())) == 3


@pytest.mark.parametrize(("interest", "noise"), [("off", 0.0), ("on", 0.0), ("on", 0.2)])
def test_those_who_stayed_are_like_those_who_live_through_the_same_offers(
    interest: str, noise: float
) -> None:
    """Opened with three years behind it, a market has the attachments that three years lived leave behind.

    Labs alike, pay in cash, money without end, no counter-offers and no other exits: the past is the
    ordinary stream and nothing else. Lab a has half of all people, and does not call its own.
    """
    one = lab(
        300, pricing="optimal", counter_policy="off", median_pay="500k USD/year", star_pay="20M USD/year",
        talent_opening="900B USD", process="1 week", opening_hazard="0 /year",
    )  # fmt: skip
    data = market_of({"a": one | {"staff": 3000}} | dict.fromkeys("bcdefghijk", one), weeks=156)
    data["market"] = {
        "choice": {"attachment_mean": 2.0, "attachment_sd": 1.5, "tenure_effect": 0, "mission_weight": 0,
                   "compute_weight": 0, "standing_weight": 0, "leadership_weight": 0, "ties_weight": 0},
        "equity": {"sign_on_share": 1.0, "refresh_share": 0.0, "clawback": "0 weeks"},
        "talent": {"cap": 1.000001, "base_share": 1.0, "base_cap": "100M USD/year"},
        "value": {"noise": 0, "ties": 0, "median": "1M USD/year"},
        "contact": {"rate": "5 /year", "outside_rate": "0 /year", "visibility_exponent": 0, "referral": 0},
        "exits": {"found": "0 /year", "academia": "0 /year", "field": "0 /year"},
        "entry": {"outside": 0, "graduates": "0 /year", "graduates_growth": "0 /year",
                  "return_rate": "0 /year"},
        "hiring": {"gap_weight": 0, "replacement": 1.0},
        "ties": {"within": 0, "across": 0, "invitations": 0},
        "pay_equity": {"threshold": 0},
        "standing": {"noise": 0},
        "interviews": {"interest": interest, "noise": noise, "slack": 0.0},
    }  # fmt: skip
    young, old = {"founded": "2023-04-24"}, {"founded": "2020-05-03"}
    lived, count = 0.0, 0
    fresh = put_all(data, young)
    for market in weeks_of(scenario(fresh), [0, 1]):
        people = market.researchers
        stayed = (people.place == 0) & (people.spell == 0)
        lived, count = lived + people.attachment[stayed].mean(), count + 1
    began, opening = (
        people.attachment[people.place == 0].mean()
        for people in (opened(put_all(data, age), 2).researchers for age in (young, old))
    )
    assert lived / count > began + 0.3, "the offers of three years leave a mark"
    assert abs(opening - lived / count) < 3 * math.sqrt(2) * 1.5 / math.sqrt(6000)


def put_all(data: dict, changes: dict) -> dict:
    """The same market with each of its labs changed."""
    return data | {"labs": {name: each | changes for name, each in data["labs"].items()}}
