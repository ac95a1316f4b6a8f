"""The pure rules, one by one, in cases whose answer is known.

Bounds of random tests are 4.5 standard errors, with fixed seeds.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq

from sim.market.draws import exponentials, gumbels
from sim.market.events.campaigns import envelope_of
from sim.market.events.deals import best_and_team, owners_accept
from sim.market.events.people import top
from sim.market.exits import first_crossing, whole_weeks
from sim.market.rules.births import places_taken
from sim.market.rules.budget import spendable
from sim.market.rules.choice import best_option, utility
from sim.market.rules.contact import pick_by_weight, planned_gross_hires, spread_evenly
from sim.market.rules.counteroffers import matched, retention_package
from sim.market.rules.liftouts import asked
from sim.market.rules.moves import has_lapsed
from sim.market.rules.pay_equity import pay_ratio, raise_due
from sim.market.rules.payroll import shortfall, weekly_inflow
from sim.market.rules.pricing import (
    CENT_A_WEEK,
    TRIFLE,
    Targets,
    bid,
    price,
    price_within_budgets,
    within_limits,
)
from sim.market.rules.repeats import repeated
from sim.market.rules.shocks import falls_below
from sim.market.rules.standing import next_ln_standing
from sim.market.segments import best_up_to
from sim.market.state import NEVER
from sim.scenario.happenings import Campaign
from sim.scenario.quantities import WEEKS_PER_YEAR

quick = settings(max_examples=150, deadline=None)
Z = 4.5
KEY = np.array([2025], np.uint64)


def whole(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def real(*values: float) -> np.ndarray:
    return np.array(values, float)


# ---- step 1, shocks


def test_standing_falls_below_a_threshold_only_when_it_is_lower() -> None:
    found = falls_below(np.log(real(0.79, 0.81, 0.5)), 0.8)
    assert found.tolist() == [True, False, True]


def test_the_best_of_each_group_moves_with_a_share_of_the_others() -> None:
    group = np.repeat(whole(0, 2), 11)
    talent = np.concatenate([np.arange(11.0), np.arange(11.0)[::-1]])
    lot = np.tile(np.arange(11) / 11, 2)
    moving = best_and_team(group, talent, lot, founder=True, share=0.3)
    assert np.flatnonzero(moving).tolist() == [0, 1, 2, 10, *(11 + i for i in (0, 1, 2, 3))]
    team = best_and_team(group, talent, lot, founder=False, share=0.3)  # 11 others: floor(3.3 + 1/2)
    assert np.flatnonzero(team).tolist() == [0, 1, 2, 11, 12, 13]
    alone = best_and_team(group, talent, lot, founder=True, share=0.0)
    assert np.flatnonzero(alone).tolist() == [10, 11]


@quick
@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=5), st.floats(0, 1), st.booleans(), st.integers(0, 999)
)
def test_a_group_moves_alike_whichever_groups_stand_beside(sizes, share, founder, seed) -> None:
    draw = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    talent, lot = draw.random(len(group)), draw.random(len(group))
    together = best_and_team(group, talent, lot, founder, share)
    for number, size in enumerate(sizes):
        mine = group == number
        alone = best_and_team(np.zeros(size, np.int64), talent[mine], lot[mine], founder, share)
        assert alone.tolist() == together[mine].tolist()
        assert alone.sum() == founder + math.floor(share * (size - founder) + 0.5)


def test_nobody_moves_from_an_empty_target() -> None:
    none = np.zeros(0)
    assert best_and_team(none.astype(np.int64), none, none, True, 0.5).tolist() == []


def test_owners_sell_at_what_they_ask_and_above() -> None:
    """Median 8, sd of the log 1/2: at z = 1 they want 8 e^(1/2) = 13.19; without spread 8, whoever asks."""
    z = real(-1, 0, 1)
    assert owners_accept(8.0, 8.0, 0.5, z).tolist() == [True, True, False]
    assert owners_accept(13.19, 8.0, 0.5, z).tolist() == [True, True, True]
    assert owners_accept(13.18, 8.0, 0.5, z).tolist() == [True, True, False]
    assert owners_accept(4.85, 8.0, 0.5, z).tolist() == [False, False, False]  # 8 e^(-1/2) = 4.852
    assert owners_accept(8.0, 8.0, 0.0, z).tolist() == [True] * 3
    assert owners_accept(7.99, 8.0, 0.0, z).tolist() == [False] * 3


def test_the_top_of_each_group_is_a_rounded_share_and_ties_go_to_the_lower_id() -> None:
    group, merit = whole(0, 0, 0, 0, 2, 2), real(1, 3, 3, 2, -5, -4)
    assert np.flatnonzero(top(group, merit, np.arange(6), 0.25)).tolist() == [1, 5]  # 1 and floor(0.5 + 1/2)
    assert np.flatnonzero(top(group, merit, -np.arange(6), 0.25)).tolist() == [2, 5]
    assert np.flatnonzero(top(group, merit, np.arange(6), 0.5)).tolist() == [1, 2, 5]
    assert not top(group, merit, np.arange(6), 0.0).any()
    assert top(group, merit, np.arange(6), 1.0).all()
    assert top(whole(), real(), whole(), 0.5).tolist() == []


@quick
@given(st.lists(st.integers(0, 9), min_size=1, max_size=5), st.floats(0, 1), st.integers(0, 999))
def test_nobody_who_is_left_out_of_the_top_is_better_than_who_is_in(sizes, share, seed) -> None:
    draw = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    merit = draw.integers(0, 5, len(group)).astype(float)
    chosen = top(group, merit, draw.permutation(len(group)), share)
    for number, size in enumerate(sizes):
        mine = group == number
        assert chosen[mine].sum() == math.floor(share * size + 0.5)
        if chosen[mine].any() and not chosen[mine].all():
            assert merit[mine & chosen].min() >= merit[mine & ~chosen].max()


def test_an_envelope_is_what_is_said_or_the_cap_for_everybody() -> None:
    body = {"name": "x", "lab": "a", "target": "b", "researchers": 3, "package_cap": "2M USD"}
    assert envelope_of(Campaign.model_validate(body)) == 6_000_000_00
    assert envelope_of(Campaign.model_validate(body | {"envelope": "1M USD"})) == 1_000_000_00
    assert envelope_of(Campaign.model_validate(body | {"envelope": "0 USD"})) == 0


# ---- step 2, payroll


def test_a_years_inflow_comes_in_weekly_parts() -> None:
    cents = weekly_inflow(real(WEEKS_PER_YEAR * 1000), np.ones((1, 1)), np.zeros((1, 1)), 0.2)
    assert np.rint(cents).tolist() == [[1000]]
    doubled = weekly_inflow(real(WEEKS_PER_YEAR * 1000), np.full((1, 1), 2.0), np.zeros((1, 1)), 0.2)
    assert np.rint(doubled).tolist() == [[2000]]


def test_inflow_follows_standing_by_its_elasticity() -> None:
    """M = 2 at elasticity 0.2 multiplies by 2^0.2 = 1.148698."""
    high = weekly_inflow(real(WEEKS_PER_YEAR * 1e6), np.ones((1, 1)), np.full((1, 1), np.log(2.0)), 0.2)
    assert np.rint(high).tolist() == [[1148698]]
    flat = weekly_inflow(real(WEEKS_PER_YEAR * 1e6), np.ones((1, 1)), np.full((1, 1), np.log(2.0)), 0.0)
    assert np.rint(flat).tolist() == [[1000000]]


def test_the_shortfall_is_what_free_money_does_not_cover() -> None:
    found = shortfall(whole(100, 100, 100, 100), whole(500, 130, 80, 0), whole(0, 50, 80, 0))
    assert found.tolist() == [0, 20, 100, 100]


# ---- step 3, budget


def test_spendable_is_a_share_of_what_promises_and_runway_leave() -> None:
    found = spendable(whole(1000, 1000, 100), whole(0, 200, 0), whole(50, 50, 50), 0.25, 12)
    assert found.tolist() == [100, 50, 0]
    assert spendable(whole(999), whole(0), whole(0), 1.0, 12).tolist() == [999]
    assert spendable(whole(999), whole(0), whole(0), 0.0, 0).tolist() == [0]


# ---- step 4, contact


def test_planned_hires_fill_the_gap_and_replace_who_leaves() -> None:
    found = planned_gross_hires(real(120, 80, 0), whole(100, 100, 0), 2.0, 0.15)
    assert found.tolist() == pytest.approx([55.0, 15.0, 0.0])


def test_labs_are_picked_in_proportion_to_their_weights() -> None:
    """On an even grid of draws the counts are exact: weights of 3, 0, 1 and 4 eighths."""
    weight = np.array([[3.0, 0.0, 1.0, 4.0], [0.0, 2.0, 0.0, 0.0]])
    grid = (np.arange(800) + 0.5) / 800
    picks = pick_by_weight(weight, np.zeros(800, np.int64), grid)
    assert np.bincount(picks, minlength=4).tolist() == [300, 0, 100, 400]
    assert set(pick_by_weight(weight, np.ones(800, np.int64), grid).tolist()) == {1}


def test_nobody_is_picked_where_nobody_hires() -> None:
    weight = np.array([[1.0, 1.0], [0.0, 0.0], [0.0, 5.0]])
    found = pick_by_weight(weight, whole(0, 1, 2, 1), real(0.9, 0.5, 0.5, 0.999999))
    assert found.tolist() == [1, -1, 1, -1]


@quick
@given(st.integers(2, 6), st.integers(1, 6), st.integers(0, 999))
def test_a_groups_picks_are_its_own(groups: int, labs: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    weight = draw.random((groups, labs)) * (draw.random((groups, labs)) < 0.7)
    group, u = np.sort(draw.integers(0, groups, 40)), draw.random(40)
    u[:2] = 2.0**-54, 1 - 2.0**-53  # the smallest and the largest draw
    together = pick_by_weight(weight, group, u)
    assert ((together >= -1) & (together < labs)).all()
    for number in range(groups):
        mine = group == number
        alone = pick_by_weight(weight[[number]], np.zeros(mine.sum(), np.int64), u[mine])
        assert alone.tolist() == together[mine].tolist()
        assert (weight[number][alone[alone >= 0]] > 0).all()


def test_the_shortlist_holds_the_best_up_to_each_quota() -> None:
    group, merit = whole(0, 1, 0, 1, 0, 1), real(1.0, 5.0, 3.0, 5.0, 2.0, 4.0)
    chosen = best_up_to(group, merit, whole(0, 2, 0, 1, 0, 0), whole(2, 1, 2, 1, 2, 1))
    assert chosen.tolist() == [False, False, True, True, True, False]  # a tie goes to the lower number
    assert not best_up_to(group, merit, np.arange(6), np.zeros(6, np.int64)).any()


@quick
@given(st.integers(1, 500), st.integers(1, 60))
def test_a_campaigns_approaches_are_spread_evenly(researchers: int, weeks: int) -> None:
    due = spread_evenly(researchers, weeks, np.arange(-1, weeks + 5))
    new = np.diff(due)
    assert due[0] == 0
    assert new.sum() == researchers
    assert (new[weeks:] == 0).all()
    assert new[:weeks].max() - new[:weeks].min() <= 1


# ---- step 5, pricing


def test_offers_go_out_by_merit_until_the_money_is_spoken_for() -> None:
    line, merit = whole(0, 0, 0, 1, 1), real(1.0, 3.0, 2.0, 1.0, 2.0)
    amount, limit = whole(40, 50, 30, 10, 10), whole(90, 90, 90, 15, 15)
    fits = within_limits(line, merit, np.arange(5), [(amount, limit)])
    assert fits.tolist() == [False, True, True, False, True]
    second = (whole(1, 1, 1, 1, 1), whole(1, 1, 1, 0, 0))
    assert within_limits(line, merit, np.arange(5), [(amount, limit), second]).tolist() == [
        False, True, False, False, False,
    ]  # fmt: skip


@quick
@given(st.integers(1, 30), st.integers(0, 999))
def test_no_line_ever_goes_over_a_limit_and_none_stops_early(offers: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    line, merit = draw.integers(0, 3, offers), draw.random(offers)
    limits = [(draw.integers(0, 50, offers), draw.integers(0, 200, 3)[line]) for _ in range(2)]
    fits = within_limits(line, merit, np.arange(offers), limits)
    for number in range(3):
        order = np.argsort(-merit[line == number])
        taken = fits[line == number][order]
        assert (np.diff(taken.astype(int)) <= 0).all()  # the best first, without a gap
        totals = [
            (np.cumsum(a[line == number][order]), np.append(t[line == number], 0)[0]) for a, t in limits
        ]
        assert all((total[taken] <= limit).all() for total, limit in totals)
        left = np.flatnonzero(~taken)
        if len(left):
            assert any(total[left[0]] > limit for total, limit in totals)


def test_the_winner_of_an_auction_pays_the_losers_value() -> None:
    """T4, T5: values 10 against 7 pay 7; who is worth less to the bidder bids all she is worth to it."""
    found = bid(real(10, 5), real(7, 7))
    assert found.tolist() == [7 * (1 + TRIFLE), 5]
    assert 0 < TRIFLE <= 1e-5


def test_a_bid_is_above_the_losers_value_by_a_cent_a_week_where_the_trifle_is_less() -> None:
    found = bid(real(50_000, 50_000, 3e6), real(20_000, 49_999.9, 2e6), CENT_A_WEEK)
    assert found.tolist() == pytest.approx([20_000 + CENT_A_WEEK, 50_000, 2e6 * (1 + TRIFLE)], abs=1e-9)
    weekly = np.rint(found * 100 / WEEKS_PER_YEAR)  # whole cents: the same pay would win nobody
    assert (weekly > np.rint(real(20_000, 0, 2e6) * 100 / WEEKS_PER_YEAR)).all()


# ---- step 6, counter-offers


def test_an_incumbent_matches_a_bid_up_to_what_the_person_is_worth() -> None:
    """A cent a week above it; not if it costs more than the value, nor if pay is above it already."""
    found = matched(whole(100, 100, 100), whole(80, 80, 120), real(5, 7, 5), real(6, 6, 6))
    assert found.tolist() == [101, -1, -1]


def test_a_retention_package_closes_the_gap_when_there_is_room() -> None:
    """Bid 5, staying 3, kappa 0.5: 4 a year over 4 years, within a room of 10 - 2 = 8 a year."""
    package = retention_package(real(5), real(3), real(0.5), real(2), real(10), 4.0)
    assert package.tolist() == [16.0]
    assert 3 + 0.5 * package[0] / 4 == 5


@quick
@given(st.lists(st.floats(0.01, 100), min_size=5, max_size=5), st.floats(0.1, 1))
def test_a_retention_package_never_costs_more_than_the_person_is_worth(values, kappa) -> None:
    bid, stay, cost, value, horizon = values
    package = retention_package(real(bid), real(stay), real(kappa), real(cost), real(value), horizon)[0]
    assert package >= 0
    assert package <= max(value - cost, 0) * horizon * (1 + 1e-12)
    assert stay + kappa * package / horizon <= max(bid, stay) * (1 + 1e-12)
    if bid <= stay or value <= cost:
        assert package == 0


# ---- step 7, choice


def test_the_best_offer_wins_if_it_beats_staying_and_ties_go_to_staying() -> None:
    person = whole(3, 3, 7, 8, 9, 9)
    stay, offer = real(1, 1, 2, 2, 0, 0), real(1.5, 1.4, 2.0, 1.9, 4.0, 4.0)
    assert best_option(person, stay, offer).tolist() == [True, False, False, False, True, False]


def test_among_three_equal_offers_one_is_taken() -> None:
    assert best_option(whole(1, 1, 1), real(0, 0, 0), real(2, 2, 2)).tolist() == [True, False, False]


@quick
@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.integers(0, 999))
def test_each_person_takes_the_argmax(counts: list[int], seed: int) -> None:
    draw = np.random.default_rng(seed)
    person = np.repeat(np.arange(len(counts)) * 2, counts)
    staying = draw.normal(size=len(counts))
    offer = draw.normal(size=len(person))
    taken = best_option(person, np.repeat(staying, counts), offer)
    for number, stay in enumerate(staying):
        mine = np.flatnonzero(person == 2 * number)
        best = mine[np.argmax(offer[mine])]
        assert np.flatnonzero(taken[mine]).tolist() == ([best - mine[0]] if offer[best] > stay else [])


def test_choices_are_the_logit_of_mcfadden() -> None:
    """T2: V = (1, 0.5, 0) gives shares of 0.506480, 0.307196 and 0.186324, the last one staying."""
    n = 100_000
    tastes = gumbels(KEY, np.arange(3 * n)).reshape(n, 3)
    values = real(1.0, 0.5, 0.0)
    person = np.repeat(np.arange(n), 2)
    total = utility(np.ones((n, 3)), values[None, :], tastes, 2.0)
    taken = best_option(person, np.repeat(total[:, 2], 2), total[:, :2].ravel()).reshape(n, 2)
    shares = [*taken.mean(axis=0), 1 - taken.any(axis=1).mean()]
    for share, expected in zip(shares, (0.506480, 0.307196, 0.186324), strict=True):
        assert abs(share - expected) < Z * math.sqrt(expected * (1 - expected) / n)


def test_a_pay_multiple_moves_utility_by_alpha_times_its_log() -> None:
    one, other = utility(real(1e6, 2e6), real(0, 0), real(0, 0), 2.0)
    assert other - one == pytest.approx(2 * math.log(2))
    assert utility(real(1.0), real(0.5), real(0.25), 2.0).tolist() == [0.75]


def test_a_refused_offer_is_made_again_until_the_repeats_are_used_up() -> None:
    assert repeated(whole(0, 1, 2, 0), whole(2, 2, 2, 0)).tolist() == [True, True, False, False]


# ---- step 8, moves


def test_an_offer_is_void_once_the_spell_has_ended_or_the_lab_has_failed() -> None:
    found = has_lapsed(np.array([2, 3, 2], np.int16), whole(2, 2, 2), np.array([False, False, True]))
    assert found.tolist() == [False, True, True]


def test_colleagues_still_at_the_old_lab_are_asked_with_probability_m_over_k() -> None:
    tied = np.array([[0, 0, 1, -1], [0, 1, 1, 1]])
    u = np.array([[0.1, 0.3, 0.1, 0.1], [0.1, 0.0, 0.2499, 0.25]])
    found = asked(tied, whole(0, 1), u, invitations=1.0)
    assert found.tolist() == [[True, False, False, False], [False, True, True, False]]
    assert not asked(tied, whole(0, 1), u, invitations=0.0).any()
    assert asked(np.zeros((2, 0), np.int64), whole(0, 1), np.zeros((2, 0)), 1.0).shape == (2, 0)


# ---- step 10, pay equity


def test_only_who_is_paid_less_than_the_threshold_is_due_a_raise_and_just_to_it() -> None:
    """Own pay 1 for talent 1 beside 4 for talent 2: a ratio of 1/2, at 0.8 due a raise of 0.6."""
    ratio = pay_ratio(real(1, 3, 1.7), real(1, 1, 1), real(4, 4, 4), real(2, 2, 2))
    assert ratio.tolist() == [0.5, 1.5, 0.85]
    due = raise_due(real(1, 3, 1.7), ratio, 0.8)
    assert due.tolist() == pytest.approx([0.6, 0, 0])
    raised = pay_ratio(real(1.6), real(1), real(4), real(2))
    assert raised.tolist() == pytest.approx([0.8])


# ---- step 9, separations


@quick
@given(st.floats(0.001, 8), st.floats(0.01, 5), st.floats(0.01, 5), st.floats(0.1, 3))
def test_a_crossing_is_where_the_hazard_adds_up_to_the_threshold(threshold, early, late, years) -> None:
    def added_up(t: float) -> float:
        return early * min(t, years) + late * max(t - years, 0.0) - threshold

    expected = brentq(added_up, 0, 1e4, xtol=1e-12)
    found = first_crossing(real(threshold), real(early), real(late), real(years))
    assert found[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_without_hazard_nothing_is_ever_crossed() -> None:
    found = first_crossing(real(1, 1, 0.4, 1), real(0, 0, 0.5, 0.5), real(0, 0.5, 0, 0), real(1, 1, 1, 1))
    assert found.tolist() == [np.inf, 3.0, 0.8, np.inf]
    assert whole_weeks(found).tolist()[::3] == [int(NEVER)] * 2


@pytest.mark.parametrize("rate", [0.05, 2.0, 40.0])
def test_the_weekly_probability_is_one_minus_e_to_the_minus_rate_over_weeks(rate: float) -> None:
    """Exact: thresholds up to rate / 52.18 leave in week 0; and of standard exponentials, by number."""
    edge = rate / WEEKS_PER_YEAR
    thresholds = edge * real(0.001, 0.999, 1.001, 1.999, 2.001)
    rates = np.full(5, rate)
    weeks = whole_weeks(first_crossing(thresholds, rates, rates, np.zeros(5)))
    assert weeks.tolist() == [0, 0, 1, 1, 2]
    n = 100_000
    drawn = exponentials(KEY, np.arange(n))
    weeks = whole_weeks(first_crossing(drawn, np.full(n, rate), np.full(n, rate), np.zeros(n)))
    chance = -math.expm1(-edge)
    for week in (0, 3):
        left = (weeks == week).sum() / (weeks >= week).sum()
        at_risk = (weeks >= week).sum()
        assert abs(left - chance) < Z * math.sqrt(chance * (1 - chance) / max(at_risk, 1))


def test_a_year_of_higher_hazard_is_survived_as_the_integral_says() -> None:
    """Survival of two years at 0.400478 then 0.127833 a year (K3), by quadrature of the hazard."""
    n = 100_000
    early, late = 0.400478, 0.127833
    crossed = first_crossing(exponentials(KEY, np.arange(n)), np.full(n, early), np.full(n, late), np.ones(n))
    integral, _ = quad(lambda t: early if t < 1 else late, 0, 2, points=[1])
    survival = math.exp(-integral)
    assert abs((crossed > 2).mean() - survival) < Z * math.sqrt(survival * (1 - survival) / n)
    assert abs((crossed < 1).mean() - 0.33) < Z * math.sqrt(0.33 * 0.67 / n)


# ---- step 9, births


def test_founders_take_the_free_places_of_their_run_in_turn() -> None:
    free = np.array([[False, True, False, True], [False, False, False, False], [True, True, True, False]])
    found = places_taken(whole(0, 0, 0, 1, 2, 2), free)
    assert found.tolist() == [1, 3, -1, -1, 0, 1]
    assert places_taken(whole(), free).tolist() == []


@quick
@given(st.lists(st.integers(0, 6), min_size=1, max_size=4), st.integers(0, 5), st.integers(0, 999))
def test_no_place_is_taken_twice_and_none_is_left_while_a_founder_waits(founders, labs, seed) -> None:
    free = np.random.default_rng(seed).random((len(founders), labs + 1)) < 0.5
    run = np.repeat(np.arange(len(founders)), founders)
    found = places_taken(run, free)
    for number, count in enumerate(founders):
        mine = found[run == number]
        taken = mine[mine >= 0]
        assert len(set(taken)) == len(taken) == min(count, free[number].sum())
        assert free[number][taken].all()


# ---- step 11, standing

MONTH = WEEKS_PER_YEAR / 12


def test_a_month_leaves_the_persistence_of_a_shock() -> None:
    def weekly(x: float) -> float:
        return float(next_ln_standing(real(x), real(0.0), 0.9, 0.0, real(0.0))[0])

    assert weekly(1.0) ** MONTH == pytest.approx(0.9)


def test_noise_keeps_the_long_run_standard_deviation() -> None:
    """Exact, since the rule is linear: c^2 sd^2 + d^2 = sd^2 for its factors of the past and of the noise."""
    sd = 0.03
    past = float(next_ln_standing(real(1.0), real(0.0), 0.9, sd, real(0.0))[0])
    noise = float(next_ln_standing(real(0.0), real(0.0), 0.9, sd, real(1.0))[0])
    assert past**2 * sd**2 + noise**2 == pytest.approx(sd**2)


def test_standing_returns_to_its_target_and_stays_there() -> None:
    standing = real(-0.8, 0.3)
    target = real(0.1, 0.3)
    for _ in range(520):
        standing = next_ln_standing(standing, target, 0.9, 0.0, real(0.0, 0.0))
    assert standing.tolist() == pytest.approx([0.1, 0.3], abs=1e-5)


def test_persistence_of_one_never_forgets_and_of_zero_forgets_at_once() -> None:
    x, target, z = real(0.4), real(-1.0), real(2.0)
    assert next_ln_standing(x, target, 1.0, 0.5, z).tolist() == pytest.approx([0.4])
    assert next_ln_standing(x, target, 0.0, 0.5, z).tolist() == pytest.approx([0.0])


def test_the_hurdle_is_the_smallest_that_keeps_the_budget_where_spend_falls_in_steps() -> None:
    """Beside sixty steps of bisection: never below, and in 99 lines of 100 not a tenth above in ln."""
    rng, lines = np.random.default_rng(1), 2000
    line = np.repeat(np.arange(lines), 5)
    count, value = len(line), rng.lognormal(14.5, 0.7, 5 * lines)
    outside, scale = rng.random(count) < 0.6, value / rng.uniform(1, 3, count)
    base = np.minimum(rng.uniform(0.2e6, 0.5e6, count), 0.9 * scale)
    targets = Targets(
        value, base, np.full(count, 0.6), value / rng.uniform(0.7, 2, count), np.full(count, np.inf), outside,
        scale, np.where(outside, 2.0, 7.0), base, rationed=outside, exempt=np.zeros(count, np.bool_),
    )  # fmt: skip

    def spend(ln_multiplier: np.ndarray) -> np.ndarray:
        cost, chance = price(targets, np.expm1(ln_multiplier)[line], 0.03)
        return np.bincount(line, weights=chance * cost * 4)

    budget = spend(np.zeros(lines)) * rng.uniform(0.2, 1, lines)
    low, high = np.zeros(lines), np.full(lines, 5.0)
    for _ in range(60):
        middle = (low + high) / 2
        over = spend(middle) > budget
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    _, _, found = price_within_budgets(targets, line, budget, 4.0, 0.03)
    beyond = np.log1p(found) - high
    assert (spend(np.log1p(found)) <= budget * (1 + 1e-9)).all()
    assert beyond.min() > -1e-9
    assert np.quantile(beyond, 0.99) < 0.1
