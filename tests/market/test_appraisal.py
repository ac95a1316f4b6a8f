"""What rules need to know of a person, read from the columns of a small market and worked out by hand."""

import math

import numpy as np
import pytest
from small_markets import lab, market_of, put, scenario

from sim.market import appraisal, worth
from sim.market.opening import open_market
from sim.market.state import OUTSIDE, Market
from sim.scenario.quantities import WEEKS_PER_YEAR

Z = 4.5
SILENT = dict.fromkeys(
    (
        "mission_weight", "compute_weight", "standing_weight", "leadership_weight", "ties_weight",
        "title_weight", "tenure_effect", "moving_cost",
    ),
    0.0,
)  # fmt: skip
LABS = {
    "a": lab(40, compute=1.5, equity_value=0.9, culture=0.25,
             mission={"openness": 0.5, "safety": -1.0, "product": 2.0}),
    "b": lab(30, compute=0.5, vesting={"length": "3 years", "cliff": "6 months"}),
}  # fmt: skip


def opened(**choice: float) -> Market:
    data = market_of(LABS)
    data["market"]["choice"] = SILENT | choice
    return open_market(scenario(data), 1, np.arange(2))


def terms_at_a(market: Market, title: int = 0) -> np.ndarray:
    rows = np.array([0, 45, 71, market.people + 50])
    lab_a = np.zeros(4, np.int64)
    return appraisal.lab_terms(market, rows, lab_a, lab_a, np.full(4, title))


def test_with_all_weights_at_zero_only_culture_is_left() -> None:
    assert terms_at_a(opened()).tolist() == [0.25] * 4


def test_compute_counts_by_its_log_a_hundred_heads() -> None:
    found = terms_at_a(opened(compute_weight=0.2)) - 0.25
    assert found == pytest.approx([0.2 * math.log(1.5 * 100 / 40)] * 4)


def test_standing_counts_by_its_log() -> None:
    market = opened(standing_weight=0.5)
    market.labs.ln_standing[:, 0] = [math.log(0.5), math.log(2)]
    found = terms_at_a(market) - 0.25
    assert found == pytest.approx([0.5 * math.log(0.5)] * 3 + [0.5 * math.log(2)])


def test_mission_counts_by_agreement() -> None:
    market = opened(mission_weight=0.5)
    market.researchers.mission[:] = [1.0, 0.5, 0.25]
    assert terms_at_a(market) - 0.25 == pytest.approx([0.5 * (0.5 - 0.5 + 0.5)] * 4)


def test_leadership_and_title_count_by_their_weights() -> None:
    market = opened(leadership_weight=0.3, title_weight=0.5)
    market.labs.leadership[:, 0] = -2.0
    assert terms_at_a(market, title=2) - 0.25 == pytest.approx([-0.6 + 1.0] * 4)


def test_ties_count_by_the_share_of_them_at_the_place() -> None:
    market = opened(ties_weight=2.0)
    rows = np.array([0, 45, 71])
    lab_a = np.zeros(3, np.int64)
    assert terms_at_a(market)[:3] - 0.25 == pytest.approx(2 * market.ties_at(rows, lab_a))
    outside = np.full(3, OUTSIDE)
    found = appraisal.lab_terms(market, rows, outside, lab_a, lab_a)
    assert found == pytest.approx(2 * market.ties_at(rows, outside))  # no lab, so nothing else


def test_a_new_package_is_worth_its_cash_and_the_kernel_of_its_grant() -> None:
    market = opened()
    sign_on, grant = np.array([10_000_000_00, 0]), np.array([90_000_000_00, 8_000_000_00])
    found = appraisal.package_pay(market, np.array([500e3, 0.0]), sign_on, grant, np.array([0, 1]))
    one = worth.grant_kernel(0.10, 0.15, 48, 12)
    other = worth.grant_kernel(0.10, 0.15, 36, 6)
    assert found == pytest.approx([500e3 + (10e6 + 0.9 * one * 90e6) / 4, 0.6 * other * 8e6 / 4])


def test_staying_is_worth_base_and_the_vests_to_come_at_todays_valuation() -> None:
    market = opened()
    rows, people = np.array([3, 60]), market.researchers
    people.start_week[rows] = -100
    people.grant[rows] = 4_000_000_00
    people.weekly_base[rows] = 10_000_00
    market.labs.valuation[0, 0] = 2.0
    weeks = np.array([100])
    held = [worth.held_kernel(weeks, 0.10, 0.15, *terms, 0.25)[0] for terms in ((48, 12), (36, 6))]
    base = 10_000 * WEEKS_PER_YEAR
    expected = [base + 0.9 * held[0] * 4e6 * 2 / 4, base + 0.6 * held[1] * 4e6 / 4]
    assert appraisal.stay_pay(market, rows) == pytest.approx(expected)
    people.retention[rows] = 1_000_000_00  # granted today, without a cliff
    more = appraisal.stay_pay(market, rows) - expected
    kernels = [worth.grant_kernel(0.10, 0.15, months, 0) for months in (48, 36)]
    assert more == pytest.approx([0.9 * kernels[0] * 1e6 * 2 / 4, 0.6 * kernels[1] * 1e6 / 4])


def test_outside_the_labs_staying_is_worth_the_outside_pay() -> None:
    found = appraisal.stay_pay(opened(), np.array([71, 80]))
    assert found == pytest.approx([250e3] * 2, rel=1e-6)


def test_a_taste_lasts_a_year_of_tenure_and_differs_between_places_and_spells() -> None:
    market = opened()
    rows, lab_b = np.arange(40), np.ones(40, np.int64)
    market.researchers.start_week[rows] = 0
    first = appraisal.taste(market, rows, lab_b)
    market.week = 52
    assert (appraisal.taste(market, rows, lab_b) == first).all()
    market.week = 53
    second = appraisal.taste(market, rows, lab_b)
    assert (second != first).all()
    market.week = 0
    assert (appraisal.taste(market, rows, np.zeros(40, np.int64)) != first).all()
    market.researchers.spell[rows] += 1
    assert (appraisal.taste(market, rows, lab_b) != first).all()


def test_labs_see_value_with_noise_of_the_given_size() -> None:
    """ln of the value seen over the true one is Normal(0, 0.3)."""
    data = put(market_of({"a": lab(10_000), "b": lab(10, compute=2.0)}), "market.value.ties", 0.0)
    market = open_market(scenario(data), 1, np.array([0]))
    rows = np.arange(10_000)
    seen = appraisal.observed_value(market, rows, np.ones(10_000, np.int64))
    true = 1.52e6 * 2**0.3 * market.researchers.talent[rows]
    error = np.log(seen / true)
    assert abs(error.mean()) < Z * 0.3 / math.sqrt(10_000)
    assert abs(error.std() / 0.3 - 1) < Z / math.sqrt(2 * 10_000)


def test_units_are_picked_by_their_shares() -> None:
    units = {"first": {"share": 3.0}, "second": {"share": 1.0}, "none": {"share": 0.0}}
    market = open_market(scenario(market_of({"z": lab(5), "a": lab(5, units=units)})), 1, np.array([0]))
    grid = (np.arange(400) + 0.5) / 400
    found = appraisal.pick_unit(market, np.zeros(400, np.int64), np.ones(400, np.int64), grid)
    names = [market.constants.unit_names[unit] for unit in found]
    assert {name: names.count(name) for name in set(names)} == {"a/first": 300, "a/second": 100}


def test_a_package_is_split_to_the_cent() -> None:
    sign_on, grant = appraisal.split_package(np.array([10000, 1, 3333]), 0.1)
    assert sign_on.tolist() == [1000, 0, 333]
    assert (sign_on + grant).tolist() == [10000, 1, 3333]


def test_a_grant_is_fewer_shares_at_a_higher_valuation() -> None:
    market = opened()
    market.labs.valuation[0, 1] = 4.0
    found = appraisal.shares_of(market, np.array([800, 800]), np.array([0, 1]), np.array([1, 1]))
    assert found.tolist() == [200, 800]
