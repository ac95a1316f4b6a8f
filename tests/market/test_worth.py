"""What pay is worth and what is offered for it: vesting (T12), acceptance (T2), the optimal price (T10)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, minimize_scalar

from sim.market import worth
from sim.market.rules.pricing import Targets, price, price_within_budgets
from sim.scenario.quantities import WEEKS_PER_YEAR

quick = settings(max_examples=150, deadline=None)
MILLION = 1e6


# ---- T12: vesting


@pytest.mark.parametrize(
    ("month", "share"),
    [(0, 0), (11, 0), (12, 0.25), (13, 0.270833), (24, 0.5), (30, 0.625), (47, 0.979167), (48, 1), (60, 1)],
)
def test_the_vested_share_of_four_years_with_a_cliff_of_one(month: int, share: float) -> None:
    assert worth.vested_share(month, 48, 12) == pytest.approx(share, abs=5e-7)


def test_nothing_vests_between_two_months() -> None:
    months = np.array([12.0, 12.5, 12.999])
    assert worth.vested_share(months, 48, 12).tolist() == [0.25] * 3


@pytest.mark.parametrize(("hazard", "cliff", "value"), [(0.15, 12, 0.601356), (0.0, 12, 0.810063)])
def test_the_expected_present_value_of_a_granted_dollar(hazard: float, cliff: int, value: float) -> None:
    assert worth.grant_kernel(0.10, hazard, 48, cliff) == pytest.approx(value, abs=5e-7)


def test_without_a_cliff_the_value_nears_the_continuous_one() -> None:
    """(1 - e^-4k) / 4k at k = 0.25; monthly vests come half a month late on average, a loss of k / 24."""
    continuous = (1 - np.exp(-1)) / 1
    assert continuous == pytest.approx(0.632121, abs=5e-7)
    loss = 1 - worth.grant_kernel(0.10, 0.15, 48, 0) / continuous
    assert loss == pytest.approx(0.25 / 24, rel=0.01)


def test_the_value_of_a_grant_falls_with_discount_hazard_and_cliff() -> None:
    base = worth.grant_kernel(0.10, 0.15, 48, 6)
    assert worth.grant_kernel(0.12, 0.15, 48, 6) < base
    assert worth.grant_kernel(0.10, 0.20, 48, 6) < base
    assert worth.grant_kernel(0.10, 0.15, 48, 12) < base < worth.grant_kernel(0.10, 0.15, 48, 0)
    assert worth.grant_kernel(0.20, 0.05, 48, 6) == pytest.approx(base, rel=1e-14)  # only r + h counts
    assert worth.grant_kernel(0.0, 0.0, 48, 12) == 1


@quick
@given(
    st.floats(0, 0.5),
    st.floats(0, 0.5),
    st.sampled_from([(48, 12), (48, 6), (36, 0), (60, 12)]),
    st.floats(0, 1),
)
def test_on_the_first_day_what_is_held_is_what_was_granted(discount, hazard, terms, refresh) -> None:
    held = worth.held_kernel(np.array([0]), discount, hazard, *terms, refresh)
    assert held[0] == pytest.approx(worth.grant_kernel(discount, hazard, *terms), rel=1e-12)


def vested_total(months: np.ndarray, length: int, cliff: int, refresh: float) -> np.ndarray:
    """Vested part of the opening grant and of the refreshers made so far, per dollar of the former; (n,)."""
    granted = 12 * np.arange(1, months.max() // 12 + 1)
    refreshed = worth.vested_share(np.maximum(months[:, None] - granted, 0), length, 0).sum(axis=1)
    return worth.vested_share(months, length, cliff) + refresh * refreshed


@pytest.mark.parametrize(("length", "cliff"), [(48, 12), (48, 0), (36, 6), (12, 12)])
@pytest.mark.parametrize("refresh", [0.0, 0.25, 1.0])
def test_what_has_vested_and_what_is_to_come_add_up_to_all_grants_made(length, cliff, refresh) -> None:
    """Without discount and hazard: the opening grant, and a refresh grant for each whole year served."""
    weeks = np.arange(0, 520)
    years = weeks / WEEKS_PER_YEAR
    vested = vested_total(years * 12, length, cliff, refresh)
    ahead = worth.held_kernel(weeks, 0.0, 0.0, length, cliff, refresh)
    assert vested + ahead == pytest.approx(1 + refresh * np.floor(years), abs=1e-12)


def check_against_whole_months(length: int, cliff: int, weeks: np.ndarray, refresh: float = 0.25) -> None:
    """All closed forms of vesting against sums in whole numbers: months are exact, 1461 weeks being 336."""
    months = weeks * 336 // 1461
    granted = np.arange(1, months.max() // 12 + 1) * 12
    age = np.maximum(months[:, None] - granted, 0)
    refreshed = np.minimum(age, length).sum(axis=1)
    vested = (np.where(months < cliff, 0, np.minimum(months, length)) + refresh * refreshed) / length
    years = weeks / WEEKS_PER_YEAR
    assert vested_total(years * 12, length, cliff, refresh) == pytest.approx(vested, abs=1e-12)
    ahead = worth.held_kernel(weeks, 0.0, 0.0, length, cliff, refresh)
    assert ahead == pytest.approx(1 + refresh * (months // 12) - vested, abs=1e-9)
    running = ((months[:, None] >= granted) & (age < length)).sum(axis=1)
    now = (months < length) + refresh * running
    assert worth.vesting_now(years, length / 12, refresh) == pytest.approx(
        np.maximum(now, refresh), abs=1e-12
    )


def weeks_about_months(last: int) -> np.ndarray:
    """The weeks in which a month of tenure is completed, and those before."""
    month = np.arange(1, last * 336 // 1461)
    first = -(-month * 1461 // 336)
    return np.unique(np.concatenate([[0], first, first - 1]))


@pytest.mark.parametrize("length", [*range(1, 62), 84, 112, 120, 600])
def test_the_closed_forms_of_vesting_say_the_same_month_by_month(length: int) -> None:
    weeks = weeks_about_months(1_500)
    assert {487, 974, 1461} <= set(weeks.tolist())  # where a week ends a month to the day
    for cliff in sorted({0, 1, length // 2, min(12, length), length}):
        check_against_whole_months(length, cliff, weeks)


@pytest.mark.slow
@pytest.mark.parametrize("length", range(1, 601))
def test_the_closed_forms_of_vesting_say_the_same_at_every_length_and_cliff(length: int) -> None:
    weeks = weeks_about_months(8_500)
    for cliff in sorted({0, 1, 6, 12, length - 1, length} | set(range(0, length, 37))):
        if cliff <= length:
            check_against_whole_months(length, cliff, weeks if cliff in (0, length) else weeks[:600])


@pytest.mark.parametrize("refresh", [0.1, 0.5, 1.0])
def test_the_opening_grants_vest_at_the_pay_that_they_stand_for(refresh: float) -> None:
    """What vests in the month to come, at any tenure and whatever the grants' length, is a month of it."""
    for length in (6, 12, 18, 30, 48):
        month = np.arange(0, 200.0)
        grant = (
            12 * length / 12 / worth.vesting_now(month / 12, length / 12, refresh)
        )  # for a pay of 12 a year
        total = [vested_total(m, length, 0, refresh) for m in (month, month + 1)]
        vests = grant * (total[1] - total[0])
        between = (month >= length) & (month % 12 >= length)  # no grant is running
        assert vests == pytest.approx(np.where(between, 0.0, 1.0))


def test_without_refresh_nothing_is_held_once_the_grant_has_vested() -> None:
    weeks = np.arange(0, 260)
    held = worth.held_kernel(weeks, 0.10, 0.15, 48, 12, 0.0)
    over = weeks / WEEKS_PER_YEAR >= 4
    assert (held[over] == 0).all()
    assert (held[~over] > 0).all()


def test_with_refresh_what_is_held_settles_into_a_yearly_cycle() -> None:
    """After years of service there are always `length` refresh grants running, whatever the tenure."""
    year = np.array([9, 10, 11, 12]) * WEEKS_PER_YEAR
    held = worth.held_kernel(np.ceil(year).astype(np.int64), 0.0, 0.0, 48, 12, 0.25)
    assert held == pytest.approx(0.25 * (1 + 0.75 + 0.5 + 0.25), abs=0.25 * 4 / 48)


@pytest.mark.parametrize(
    ("years", "over_opening"),
    [(0, 1.0), (0.99, 1.0), (1.5, 1.25), (3.9, 1.75), (4.0, 1.0), (10.0, 1.0)],
)
def test_grants_vesting_a_year(years: float, over_opening: float) -> None:
    assert worth.vesting_now(years, 4.0, 0.25) == pytest.approx(over_opening)


def test_somebody_whose_grants_have_all_vested_still_has_a_pay_to_start_from() -> None:
    assert worth.vesting_now(0.5, 0.25, 0.25) > 0


# ---- what a package is worth


def test_a_package_of_a_hundred_million_is_worth_about_fifteen_a_year() -> None:
    """Base 0.5M, a tenth in cash, phi_E 0.9, vesting over four years with a cliff (MODEL, of pay)."""
    kernel = worth.grant_kernel(0.10, 0.15, 48, 12)
    kappa = worth.package_worth(0.1, 0.9, kernel)
    yearly = worth.offer_worth(0.5 * MILLION, 100 * MILLION, kappa, 4.0)
    by_hand = 0.5 + (10 + 0.9 * 0.601356 * 90) / 4
    assert yearly == pytest.approx(by_hand * MILLION, rel=1e-5)
    assert 14.5 * MILLION < yearly < 15.5 * MILLION


def test_a_package_in_cash_alone_is_worth_its_face() -> None:
    assert worth.package_worth(1.0, 0.6, 0.5) == 1
    assert worth.offer_worth(1.0, 8.0, 1.0, 4.0) == 3


def test_pay_follows_talent_up_to_the_stars_and_base_up_to_its_cap() -> None:
    pay = worth.pay_at(np.array([0.5, 1.0, 20.0]), 0.8 * MILLION, 5 * MILLION)
    assert pay.tolist() == pytest.approx([0.4 * MILLION, 0.8 * MILLION, 5 * MILLION])
    assert worth.base_of(pay, 0.4, 0.5 * MILLION).tolist() == pytest.approx([160e3, 320e3, 500e3])


def test_value_is_proportional_to_talent_and_scale_and_grows_with_ties_and_noise() -> None:
    assert worth.researcher_value(2.0, 3.0, 4.0, 0.0, 0.0) == 24
    assert worth.researcher_value(2.0, 3.0, 4.0, 0.2, np.log(2)) == pytest.approx(24 * 1.2 * 2)


def test_tenure_speaks_for_staying() -> None:
    assert worth.staying_terms(1.5, 0.0, 0.3) == 1.5
    assert worth.staying_terms(1.5, np.e - 1, 0.3) == pytest.approx(1.8)


# ---- T2: acceptance


@pytest.mark.parametrize(
    ("elasticity", "multiple"), [(1, 10.25), (2, 3.2016), (3, 2.1722), (4, 1.7893), (5, 1.5927)]
)
def test_the_multiple_of_pay_that_lifts_four_of_45_to_one_half(elasticity: int, multiple: float) -> None:
    stay = 1.0
    offered = stay * (4 / 41) ** (1 / elasticity)
    assert worth.acceptance(offered, stay, elasticity) == pytest.approx(4 / 45)
    assert worth.acceptance(offered * multiple, stay, elasticity) == pytest.approx(
        0.5, abs=1e-4
    )  # multiples have 4 decimals


def test_acceptance_is_the_logit_of_log_pay() -> None:
    """ln P/(1-P) = alpha (ln Y - ln R), and 2.327278 utils against the offer give 4 of 45."""
    chance = worth.acceptance(np.array([1.0, 2.0, 8.0]), 3.0, 2.5)
    assert np.log(chance / (1 - chance)) == pytest.approx(2.5 * (np.log([1.0, 2.0, 8.0]) - np.log(3.0)))
    floor = worth.reservation(5.0, 2.327278, 2.5)
    assert worth.acceptance(5.0, floor, 2.5) == pytest.approx(4 / 45, abs=1e-6)
    assert worth.acceptance(floor, floor, 2.5) == 0.5


# ---- T10: the optimal price

VALUES = st.floats(np.log(0.01), np.log(1000)).map(np.exp)
SLOPES = st.floats(0.25, 12)


@quick
@given(VALUES, VALUES)
def test_the_closed_form_at_elasticity_one(value: float, floor: float) -> None:
    expected = np.sqrt(floor**2 + value * floor) - floor
    assert worth.best_price(value, 0.0, 1.0, floor, 1.0) == pytest.approx(expected, rel=1e-9)


def surplus(cost: float, value: float, base: float, kappa: float, floor: float, slope: float) -> float:
    pay = base + kappa * (cost - base)
    return (value - cost) * pay**slope / (pay**slope + floor**slope)


@quick
@given(VALUES, st.floats(0.01, 2), st.floats(0.2, 1), VALUES, SLOPES)
def test_no_other_price_is_better_at_any_elasticity(value, base, kappa, floor, slope) -> None:
    cost = float(worth.best_price(value, base, kappa, floor, slope))
    assert cost >= base
    if value <= base:
        assert cost == base
        return
    found = minimize_scalar(
        lambda w: -surplus(w, value, base, kappa, floor, slope),
        bounds=(base, value),
        method="bounded",
        options={"xatol": 1e-10 * value},
    )
    best = max(-found.fun, surplus(base, value, base, kappa, floor, slope))
    assert surplus(cost, value, base, kappa, floor, slope) >= best * (1 - 1e-9)
    if cost > base:  # the optimum is flat, so its place is known to the root of the precision only
        assert cost == pytest.approx(found.x, rel=1e-4)


@quick
@given(VALUES, st.floats(0.01, 2), st.floats(0.2, 1), VALUES, SLOPES)
def test_the_first_order_condition_of_the_model_holds(value, base, kappa, floor, slope) -> None:
    """(v - w) alpha (1 - P) = w + b (1 - kappa) / kappa wherever the price is above the base."""
    cost = float(worth.best_price(value, base, kappa, floor, slope))
    chance = worth.acceptance(base + kappa * (cost - base), floor, slope)
    left, right = (value - cost) * slope * (1 - chance), cost + base * (1 - kappa) / kappa
    if cost > base:
        assert left == pytest.approx(right, rel=1e-8)
    else:
        assert left <= right * (1 + 1e-8)


@quick
@given(VALUES, st.floats(0.01, 2), st.floats(0.2, 1), VALUES, SLOPES, st.floats(1e-3, 1e3))
def test_prices_scale_with_money(value, base, kappa, floor, slope, factor) -> None:
    one = worth.best_price(value, base, kappa, floor, slope)
    scaled = worth.best_price(factor * value, factor * base, kappa, factor * floor, slope)
    assert scaled == pytest.approx(factor * one, rel=1e-11)


def test_a_more_valued_or_more_reluctant_person_is_offered_more() -> None:
    value, floor = np.linspace(1, 50, 40), np.linspace(0.2, 6, 40)
    assert (np.diff(worth.best_price(value, 0.0, 0.6, 1.0, 2.0)) > 0).all()
    assert (np.diff(worth.best_price(10.0, 0.0, 0.6, floor, 2.0)) > 0).all()


@pytest.mark.parametrize("slope", [10.0, 40.0, 200.0, 2000.0])
def test_with_a_nearly_sure_choice_the_price_is_the_reservation(slope: float) -> None:
    """The limit of no taste (sigma to 0, the switch of T3 and T4): pay what it takes and no more.

    1 - P = w / ((v - w) alpha) at the optimum, so that ln (w / R) is about ln (4 alpha) / alpha here.
    """
    cost = worth.best_price(10 * MILLION, 0.0, 1.0, 2 * MILLION, slope)
    assert 2 * MILLION <= cost <= 2 * MILLION * np.exp(np.log(4 * slope) / slope)


# ---- T10: the budget


def targets(value, floor, base=0.0, kappa=1.0, cap=np.inf, posted=False, scale=0.0, slope=2.0) -> Targets:
    columns = np.broadcast_arrays(value, base, kappa, floor, cap, posted, scale, slope, base, False, False)
    return Targets(*(np.array(column) for column in columns))


WANTED = {"value": np.array([3.0, 1.5, 0.8]), "floor": np.array([1.0, 0.9, 0.3])}


@pytest.mark.parametrize("slope", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("kappa", [1.0, 0.6])
@pytest.mark.parametrize("share", [0.4, 0.8])
def test_under_a_budget_the_prices_are_the_constrained_optimum(slope, kappa, share) -> None:
    """Against scipy's SLSQP: max sum (v - w) P subject to sum P w H <= B; one multiplier is enough."""
    wanted, horizon, line = targets(**WANTED, base=0.05, kappa=kappa, slope=slope), 4.0, np.zeros(3, np.int64)

    def pay(w):
        return wanted.base + kappa * (w - wanted.base)

    def spend(w):
        return (worth.acceptance(pay(w), wanted.reservation, slope) * w).sum() * horizon

    def total(w):
        return ((wanted.value - w) * worth.acceptance(pay(w), wanted.reservation, slope)).sum()

    free, _ = price(wanted, np.zeros(3))
    budget = share * spend(free)
    multiplier = price_within_budgets(wanted, line, np.array([budget]), horizon)[2]
    cost, chance = price(wanted, multiplier[line])
    assert (chance * cost).sum() * horizon == pytest.approx(budget, rel=1e-4)
    assert (chance * cost).sum() * horizon <= budget
    optimum = minimize(
        lambda w: -total(w),
        free * 0.9,
        method="SLSQP",
        bounds=[(0.05, v) for v in wanted.value],
        constraints={"type": "ineq", "fun": lambda w: budget - spend(w)},
        options={"ftol": 1e-13, "maxiter": 500},
    )
    assert optimum.success
    assert total(cost) == pytest.approx(total(optimum.x), rel=1e-4)
    assert cost == pytest.approx(optimum.x, rel=5e-3)


def test_a_budget_that_does_not_bind_changes_nothing() -> None:
    wanted, line = targets(**WANTED), np.zeros(3, np.int64)
    assert price_within_budgets(wanted, line, np.array([1e9]), 4.0)[2].tolist() == [0.0]


def test_a_tighter_budget_means_lower_prices() -> None:
    wanted, line = targets(**WANTED), np.zeros(3, np.int64)
    budgets = [8.0, 4.0, 2.0, 1.0]
    found = [price_within_budgets(wanted, line, np.array([b]), 4.0)[2][0] for b in budgets]
    assert found == sorted(found)
    assert found[-1] > found[0]


def test_a_lines_multiplier_is_its_own_whichever_lines_stand_beside() -> None:
    wanted = targets(value=np.tile(WANTED["value"], 3), floor=np.tile(WANTED["floor"], 3))
    line, budgets = np.repeat(np.arange(3), 3), np.array([2.0, 1e9, 0.7])
    together = price_within_budgets(wanted, line, budgets, 4.0)[2]
    for number in range(3):
        alone = price_within_budgets(targets(**WANTED), np.zeros(3, np.int64), budgets[[number]], 4.0)[2]
        assert alone.tolist() == together[[number]].tolist()


def test_prices_keep_to_the_cap_and_to_the_base_and_posted_ones_are_fixed() -> None:
    cost, _ = price(targets(value=np.array([50.0]), floor=20.0, cap=3.0), np.zeros(1), 2.0)
    assert cost.tolist() == [3.0]
    cost, _ = price(targets(value=np.array([0.1]), floor=20.0, base=0.5), np.zeros(1), 2.0)
    assert cost.tolist() == [0.5]
    posted = targets(value=np.array([50.0]), floor=20.0, posted=True, scale=7.0)
    for multiplier in (0.0, 9.0):
        assert price(posted, np.array([multiplier]), 2.0)[0].tolist() == [7.0]
