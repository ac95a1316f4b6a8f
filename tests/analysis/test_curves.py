"""Survival and incidence against closed forms (MODEL.md T1), statsmodels and small cases by hand."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import synthetic
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from sim.analysis import counts, curves
from sim.market.exits import first_crossing, whole_weeks
from sim.system.tables import CAUSES, empty

TWO_YEARS = curves.MONTHS_24
RIVAL = CAUSES.index("rival")


def counted(spells: Any, **options: Any) -> counts.SpellCounts:
    return counts.spell_counts(spells, by=None, **options)


def survival(spells: Any, **options: Any) -> Any:
    found = counted(spells, **options)
    return curves.kaplan_meier(found.at_risk, found.ends)[0]


# --- the estimators on counts -------------------------------------------------------------------


def test_kaplan_meier_by_hand():
    at_risk, ends = np.array([10, 8, 4]), np.array([2, 0, 1])
    assert_allclose(curves.kaplan_meier(at_risk, ends), [1, 0.8, 0.8, 0.6])


def test_greenwood_by_hand():
    at_risk, ends = np.array([10, 8, 4]), np.array([2, 0, 1])
    assert_allclose(curves.greenwood(at_risk, ends), [0, 2 / 80, 2 / 80, 2 / 80 + 1 / 12])


def test_survival_is_unknown_beyond_the_last_watched_and_stays_zero_once_all_left():
    at_risk, ends = np.array([[4, 2, 0, 0], [4, 2, 0, 0]]), np.array([[1, 0, 0, 0], [1, 2, 0, 0]])
    assert_allclose(curves.kaplan_meier(at_risk, ends), [[1, 0.75, 0.75, np.nan, np.nan], [1, 0.75, 0, 0, 0]])


def test_survival_of_nobody_is_unknown():
    assert np.isnan(curves.kaplan_meier(np.zeros(3, int), np.zeros(3, int))).all()


def test_leading_axes_are_independent_curves():
    rng = np.random.default_rng(1)
    at_risk = rng.integers(5, 50, (3, 4, 20))
    by_cause = rng.multinomial(5, [1 / 6] * 6, (3, 4, 20)).swapaxes(-1, -2)
    together = curves.aalen_johansen(at_risk, by_cause)
    assert together.shape == (3, 4, 6, 21)
    assert_array_equal(together[2, 1], curves.aalen_johansen(at_risk[2, 1], by_cause[2, 1]))
    ends = by_cause.sum(axis=-2)
    assert_array_equal(
        curves.kaplan_meier(at_risk, ends)[2, 1], curves.kaplan_meier(at_risk[2, 1], ends[2, 1])
    )


def test_interval_holds_the_estimate_within_0_and_1_and_is_unknown_at_the_ends():
    at_risk, ends = np.array([10, 10, 9, 2]), np.array([0, 1, 7, 2])
    found = curves.kaplan_meier(at_risk, ends)
    lower, upper = curves.log_log_interval(found, curves.greenwood(at_risk, ends))
    assert_array_equal(np.isnan(lower), [True, True, False, False, True])
    assert_array_equal(np.isnan(upper), np.isnan(lower))
    inside = ~np.isnan(lower)
    assert (lower[inside] > 0).all()
    assert (lower[inside] < found[inside]).all()
    assert (found[inside] < upper[inside]).all()
    assert (upper[inside] < 1).all()


def test_survival_and_incidences_add_up_to_one():
    found = counted(synthetic.random_spells(np.random.default_rng(3), 3000, 2, ["alpha"]))
    total = curves.kaplan_meier(found.at_risk, found.ends)
    total = total + curves.aalen_johansen(found.at_risk, found.ends_by_cause).sum(axis=-2)
    assert_allclose(total, 1, atol=1e-12)


# --- against statsmodels ------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["hires", "opening", "all"])
def test_kaplan_meier_and_greenwood_equal_statsmodels(who):
    spells = synthetic.random_spells(np.random.default_rng(5), 2500, 1, ["alpha"])
    chosen = spells.to_pandas()
    wanted = {"hires": ("outside", "rival"), "opening": ("opening",), "all": set(chosen.origin)}[who]
    chosen = chosen[chosen.origin.isin(wanted)]
    # tenure 0 is the close of the start week; opening staff come in at the close of week -1
    entry = np.maximum(chosen.entry_week.astype(int) - chosen.start_week - 1, 0)
    time = chosen.end_week.astype(int) - chosen.start_week - chosen.censored
    time, status = np.maximum(time, ~chosen.censored + entry), ~chosen.censored
    seen = time > entry
    oracle = SurvfuncRight(time[seen], status[seen].astype(int), entry=entry[seen])
    found = counted(spells, who=who)
    ours = curves.kaplan_meier(found.at_risk, found.ends)[0][oracle.surv_times]
    spread = np.sqrt(curves.greenwood(found.at_risk, found.ends)[0])[oracle.surv_times]
    assert_allclose(ours, oracle.surv_prob, rtol=1e-12, atol=1e-14)
    assert_allclose((ours * spread)[ours > 0], oracle.surv_prob_se[ours > 0], rtol=1e-9)


def test_aalen_johansen_equals_statsmodels():
    spells = synthetic.competing_risks(np.random.default_rng(7), 4000)
    frame = spells.to_pandas()
    time = frame.end_week.astype(int) - frame.start_week - frame.censored
    seen = time > 0
    code = (
        frame.cause.astype(object).map({cause: i + 1 for i, cause in enumerate(CAUSES)}).fillna(0).astype(int)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        oracle = CumIncidenceRight(time[seen], code[seen])
    found = counted(spells)
    ours = curves.aalen_johansen(found.at_risk, found.ends_by_cause)[0]
    for number, incidence in enumerate(oracle.cinc):
        assert_allclose(ours[number][oracle.times], incidence, atol=1e-12)


# --- the oracle T1 ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def oracle_counts():
    return counted(synthetic.competing_risks(np.random.default_rng(2025), 200_000), weeks=TWO_YEARS)


def test_survival_meets_the_closed_form(oracle_counts):
    at_risk, ends = oracle_counts.at_risk[0], oracle_counts.ends[0]
    found = curves.kaplan_meier(at_risk, ends)[-1]
    error = found * np.sqrt(curves.greenwood(at_risk, ends)[-1])
    assert 0.001 < error < 0.0013  # MODEL.md has 0.001168 for its own sample
    assert abs(found - synthetic.SURVIVAL_2) < 4 * error


@pytest.mark.parametrize("cause", synthetic.HAZARDS)
def test_incidence_meets_the_closed_form(oracle_counts, cause):
    number = CAUSES.index(cause)
    found = curves.aalen_johansen(oracle_counts.at_risk[0], oracle_counts.ends_by_cause[0])[number, -1]
    expected = synthetic.INCIDENCE_2[cause]
    # about two thirds of the sample are watched for two years: a binomial error of that size bounds it
    error = np.sqrt(expected * (1 - expected) / (200_000 * 2 / 3))
    assert abs(found - expected) < 4 * error


def test_incidence_is_not_one_minus_kaplan_meier(oracle_counts):
    """Taking other causes as censoring overstates: 0.213372, not 0.197808."""
    at_risk, by_cause = oracle_counts.at_risk[0], oracle_counts.ends_by_cause[0]
    naive = 1 - curves.kaplan_meier(at_risk, by_cause[RIVAL])[-1]
    assert abs(naive - synthetic.NAIVE_RIVAL_2) < 0.005
    assert naive - curves.aalen_johansen(at_risk, by_cause)[RIVAL, -1] > 0.01


def test_left_truncation_is_unbiased_and_needed():
    """Opening staff are those who stayed; entering them at tenure 0 would flatter the lab."""
    spells = synthetic.stationary_staff(np.random.default_rng(11), 120_000, weeks=156)
    found = counted(spells, who="opening", weeks=TWO_YEARS)
    at_risk, ends = found.at_risk[0], found.ends[0]
    estimate = curves.kaplan_meier(at_risk, ends)[-1]
    error = estimate * np.sqrt(curves.greenwood(at_risk, ends)[-1])
    assert error < 0.02
    assert abs(estimate - synthetic.SURVIVAL_2) < 4 * error
    tenure = spells.column("end_week").to_numpy().astype(int) - spells.column("start_week").to_numpy()
    assert (tenure > TWO_YEARS).mean() - synthetic.SURVIVAL_2 > 0.1


def test_weekly_probability_p_gives_survival_to_the_kth_power():
    """The convention of weeks: at risk from the week after the start, S(k) = (1 - p)^k."""
    rng, p, size = np.random.default_rng(13), 0.01, 100_000
    waits = rng.geometric(p, size) - 1
    spells = synthetic.spells(np.full(size, 4), 5 + np.minimum(waits, 200), ["rival"] * size)
    found = survival(spells)
    for week in (1, 52, 104):
        expected = (1 - p) ** week
        assert abs(found[week] - expected) < 4 * np.sqrt(expected * (1 - expected) / size)


# --- from spells to counts ----------------------------------------------------------------------


def test_tenure_weeks_by_hand():
    """Starts in week 3; gone in week 3 (same week), 4, 6; still there at the horizon of 8."""
    spells = synthetic.spells([3] * 4, [3, 4, 6, 8], ["rival", "found", "field", None])
    found = counted(spells)
    assert_array_equal(found.at_risk, [[4, 2, 2, 1]])
    assert_array_equal(found.ends, [[2, 0, 1, 0]])
    assert found.ends_by_cause[0, CAUSES.index("field"), 2] == 1


def test_opening_staff_enter_at_their_tenure():
    spells = synthetic.spells([-1, -5, -5], [0, 0, 2], ["rival", "rival", None], origin="opening")
    found = counted(spells, who="opening")
    assert_array_equal(found.at_risk, [[1, 0, 0, 0, 2, 1]])
    assert_array_equal(found.ends, [[1, 0, 0, 0, 1, 0]])


def test_a_hire_of_the_last_week_is_not_yet_at_risk():
    assert counted(synthetic.spells([7], [8], [None])).at_risk.sum() == 0


@pytest.mark.parametrize(
    ("who", "expected"),
    [("all", 6), ("hires", 4), ("opening", 1), ("acquihires", 1), ("entry_cohort", 3)],
)
def test_who_is_counted(who, expected):
    origin = ["opening", "outside", "rival", "acquihire", "outside", "outside"]
    spells = synthetic.spells([-1, 0, 12, 5, 13, 3], [50] * 6, ["found"] * 6, origin=origin)
    assert counted(spells, who=who).ends.sum() == expected


def test_counts_by_run_and_lab_add_up_to_the_pooled_ones():
    labs = ["alpha", "beta", "gamma"]
    spells = synthetic.random_spells(np.random.default_rng(17), 4000, 5, labs)
    by_run = counts.spell_counts(spells, who="all", per_run=True, groups=labs, weeks=120)
    pooled = counts.spell_counts(spells, who="all", groups=labs, weeks=120)
    assert by_run.at_risk.shape == (5, 3, 120)
    assert by_run.ends_by_cause.shape == (5, 3, len(CAUSES), 120)
    assert_array_equal(by_run.pooled().at_risk, pooled.at_risk)
    assert_array_equal(by_run.pooled().ends_by_cause, pooled.ends_by_cause)
    alone = counts.spell_counts(spells, who="all", runs=[3], groups=labs, weeks=120)
    assert_array_equal(by_run.at_risk[3], alone.at_risk)


def test_at_risk_equals_a_count_spell_by_spell():
    spells = synthetic.random_spells(np.random.default_rng(19), 500, 1, ["alpha"])
    frame, found = spells.to_pandas(), counted(spells, who="all")
    alive = np.zeros(found.at_risk.shape[-1], int)
    for row in frame.itertuples():
        first_week = row.start_week + 1 if row.origin != "opening" else 0
        last_week = row.end_week - 1 if row.censored else max(row.end_week, first_week)
        for week in range(first_week, last_week + 1):
            alive[week - row.start_week - 1] += 1
    assert_array_equal(found.at_risk[0], alive)


def test_no_spells_give_empty_counts():
    found = counts.spell_counts(empty("spells"), groups=["alpha"], weeks=5, runs=[0])
    assert_array_equal(found.at_risk, np.zeros((1, 5)))
    assert counts.spell_counts(empty("spells")).at_risk.shape == (0, 0)


def test_impossible_spells_are_refused():
    with pytest.raises(ValueError, match="ends before"):
        counted(synthetic.spells([5], [4], ["rival"]))
    with pytest.raises(ValueError, match="no known cause"):
        counted(synthetic.spells([5], [9], [None], censored=[False]))
    with pytest.raises(ValueError, match="lab is not among beta"):
        counts.spell_counts(synthetic.spells([5], [9], ["rival"]), groups=["beta"])


# --- the interval -------------------------------------------------------------------------------

# R's survfit(Surv(time, status) ~ 1, aml, conf.type = "log-log"), the maintained group of Miller 1981
MAINTAINED = {9: 1, 13: 1, 13.5: 0, 18: 1, 23: 1, 28: 0, 31: 1, 34: 1, 45: 0, 48: 1, 161: 0}
PUBLISHED = {
    9: (0.909, 0.0867, 0.5081, 0.987),
    13: (0.818, 0.1163, 0.4474, 0.951),
    18: (0.716, 0.1397, 0.3502, 0.899),
    23: (0.614, 0.1526, 0.2658, 0.835),
    31: (0.491, 0.1642, 0.1673, 0.753),
    34: (0.368, 0.1627, 0.0928, 0.657),
    48: (0.184, 0.1535, 0.0117, 0.525),
}


def test_leukaemia_maintained_is_as_published():
    """The textbook sample: survival, standard error and log-log interval as R prints them."""
    times, left = np.array(list(MAINTAINED)), np.array(list(MAINTAINED.values()), bool)
    tenure = np.arange(50)[:, None]
    at_risk = (times > tenure).sum(axis=1)
    ends = ((times == tenure + 1) & left).sum(axis=1)
    found = curves.kaplan_meier(at_risk, ends)
    error = found * np.sqrt(curves.greenwood(at_risk, ends))
    lower, upper = curves.log_log_interval(found, curves.greenwood(at_risk, ends))
    for time, due in PUBLISHED.items():
        assert_allclose([found[time], error[time], lower[time], upper[time]], due, atol=5.1e-4)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.7])
def test_interval_inverts_to_statsmodels_interval_of_a_quantile(share):
    """A tenure lies in the interval of a quantile if and only if S's interval there holds it."""
    rng = np.random.default_rng(41)
    time, status = rng.integers(1, 100, 300), rng.random(300) < 0.7
    tenure = np.arange(100)[:, None]
    at_risk, ends = (time > tenure).sum(axis=1), ((time == tenure + 1) & status).sum(axis=1)
    found = curves.kaplan_meier(at_risk, ends)
    lower, upper = curves.log_log_interval(found, curves.greenwood(at_risk, ends))
    holds = np.flatnonzero((lower <= 1 - share) & (1 - share <= upper))
    low, high = SurvfuncRight(time, status.astype(int)).quantile_ci(share, method="cloglog")
    departures = np.unique(time[status])
    inside = np.flatnonzero(np.isin(departures, holds))
    # it ends at the departure after the last one inside: survival is a step function
    assert (low, high) == (departures[inside[0]], departures[inside[-1] + 1])


# --- other closed forms of T1 -------------------------------------------------------------------


def test_mixed_hazards_look_like_falling_ones():
    """Gamma frailty (k = 2, mean 0.2 a year): S(t) = (1 + 0.1 t)^-2, though no hazard depends on tenure."""
    rng, size = np.random.default_rng(43), 200_000
    waits = np.floor(52 * rng.exponential(1 / rng.gamma(2.0, 0.1, size))).astype(int)
    found = survival(synthetic.spells(np.zeros(size, int), 1 + np.minimum(waits, 400), ["rival"] * size))
    for years, due in {1: 0.826446, 2: 0.694444, 4: 0.510204}.items():
        assert abs(found[52 * years] - due) < 4 * np.sqrt(due * (1 - due) / size)


def test_a_rate_is_not_a_probability():
    """Two departures a person and year: 15.35 % leave within a month, not a sixth."""
    rng, size = np.random.default_rng(47), 200_000
    months = np.floor(12 * rng.exponential(1 / 2, size)).astype(int)  # a tenure "week" is a month here
    left = 1 - survival(synthetic.spells(np.zeros(size, int), 1 + months, ["rival"] * size))[1]
    error = np.sqrt(0.153518 * (1 - 0.153518) / size)
    assert abs(left - 0.153518) < 4 * error < 0.166667 - 0.153518


@pytest.mark.parametrize(("rate", "weekly"), [(2.0, 0.037604), (0.2, 0.003826), (0.111572, 0.002136)])
def test_a_hazard_of_the_market_becomes_the_weekly_probability(rate, weekly):
    """The market's own way from a rate a year to whole weeks: 1 - e^(-rate 7 / 365.25), not rate / 52."""
    hazard = np.full(2, rate)
    threshold = -np.log1p([-weekly + 1e-6, -weekly - 1e-6])
    years = first_crossing(threshold, hazard, hazard, np.zeros(2))
    assert whole_weeks(years).tolist() == [0, 1]


def test_entering_opening_staff_at_tenure_zero_would_be_biased():
    spells = synthetic.stationary_staff(np.random.default_rng(11), 120_000, weeks=156)
    place = spells.column_names.index("entry_week")
    naive = spells.set_column(place, spells.schema.field("entry_week"), spells.column("start_week"))
    found = counted(naive, who="opening", weeks=TWO_YEARS)
    estimate = curves.kaplan_meier(found.at_risk, found.ends)[0, -1]
    error = estimate * np.sqrt(curves.greenwood(found.at_risk, found.ends)[0, -1])
    assert estimate - synthetic.SURVIVAL_2 > 20 * error


# --- whatever the counts ------------------------------------------------------------------------


@st.composite
def any_counts(draw: st.DrawFn) -> tuple[Any, Any]:
    """At risk (T,) and departures by cause (C, T), never more than are at risk."""
    weeks, causes = draw(st.integers(1, 12)), draw(st.integers(1, 4))
    by_cause = draw(arrays(np.int64, (causes, weeks), elements=st.integers(0, 5)))
    stayed = draw(arrays(np.int64, weeks, elements=st.integers(0, 20)))
    return by_cause.sum(axis=0) + stayed, by_cause


@given(any_counts())
def test_survival_never_rises_and_the_causes_share_the_rest(counts_of):
    at_risk, by_cause = counts_of
    ends = by_cause.sum(axis=0)
    with np.errstate(all="raise"):
        found = curves.kaplan_meier(at_risk, ends)
        incidence = curves.aalen_johansen(at_risk, by_cause)
        sums = curves.greenwood(at_risk, ends)
    known = np.isfinite(found)
    assert not known[np.argmin(known) :].any() or known.all()  # once unknown, unknown for good
    assert ((found[known] >= 0) & (found[known] <= 1)).all()
    assert (np.diff(found[known]) <= 0).all()
    assert (np.diff(incidence[:, known], axis=1) >= 0).all()
    assert (np.diff(sums[np.isfinite(sums)]) >= 0).all()
    assert_allclose(found[known] + incidence[:, known].sum(axis=0), 1, atol=1e-12)


@given(any_counts(), st.integers(2, 9))
def test_a_sample_taken_several_times_over_has_the_same_curve_and_less_variance(counts_of, times):
    at_risk, by_cause = counts_of
    ends = by_cause.sum(axis=0)
    assert_allclose(curves.kaplan_meier(times * at_risk, times * ends), curves.kaplan_meier(at_risk, ends))
    assert_allclose(curves.greenwood(times * at_risk, times * ends) * times, curves.greenwood(at_risk, ends))


# --- moves between units ------------------------------------------------------------------------


def moved(researcher: Any, start: Any, week: Any, from_unit: Any, to_unit: Any) -> Any:
    return synthetic.table(
        "transfers", len(researcher), run=0, researcher=researcher, lab="alpha", start_week=start, week=week,
        from_unit=from_unit, to_unit=to_unit,
    )  # fmt: skip


def test_who_is_transferred_leaves_the_old_unit_early_and_enters_the_new_one_late():
    """Three start in week 0; one is moved in week 3, leaves in week 5; one leaves in week 3 itself."""
    spells = synthetic.spells([0, 0, 0], [5, 3, 8], ["rival", "found", None], unit=["new", "old", "old"])
    found = counts.stays(spells, moved([0], [0], [3], ["old"], ["new"]))
    counted = counts.spell_counts(found, by="unit", groups=["old", "new"])
    assert_array_equal(counted.at_risk, [[3, 3, 2, 1, 1, 1, 1], [0, 0, 1, 1, 1, 0, 0]])
    assert_array_equal(counted.ends, [[0, 0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0]])
    assert_allclose(curves.kaplan_meier(counted.at_risk, counted.ends)[0], [1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5])


def test_a_spell_may_lead_through_several_units_and_back_even_in_one_week():
    spells = synthetic.spells([0], [9], ["rival"], unit="old")
    way = moved([0] * 3, [0] * 3, [4, 4, 6], ["old", "new", "third"], ["new", "third", "old"])
    found = counts.stays(spells, way)
    counted = counts.spell_counts(found, by="unit", groups=["old", "new", "third"])
    assert_array_equal(counted.at_risk, [[1, 1, 1, 0, 0, 1, 1, 1, 1], [0] * 9, [0, 0, 0, 1, 1, 0, 0, 0, 0]])
    assert counted.ends.sum() == counted.ends[0, 8] == 1


def test_a_transfer_in_the_week_of_the_start_leaves_nothing_to_the_old_unit():
    spells = synthetic.spells([2, 2], [2, 5], ["released", None], origin="acquihire", unit="new")
    found = counts.stays(spells, moved([0, 1], [2, 2], [2, 2], ["old"] * 2, ["new"] * 2))
    counted = counts.spell_counts(found, by="unit", who="acquihires", groups=["old", "new"])
    assert_array_equal(counted.at_risk, [[0, 0], [2, 1]])


def wanderers(rng: np.random.Generator, size: int = 3000) -> tuple[Any, Any]:
    """Spells at a lab, two in five of which change unit once on the way; and these moves."""
    spells = synthetic.random_spells(rng, size, 1, ["alpha"])
    frame = spells.to_pandas()
    week = rng.integers(np.maximum(frame.start_week, 0), frame.end_week + 1)
    going = np.flatnonzero((rng.random(size) < 0.4) & (week <= frame.end_week - frame.censored))
    unit = np.array(["old"] * size, object)
    unit[going] = "new"
    place = spells.column_names.index("unit")
    spells = spells.set_column(place, spells.schema.field(place), pa.array(unit).dictionary_encode())
    start = frame.start_week.to_numpy()[going]
    names = ["old"] * len(going), ["new"] * len(going)
    return spells, moved(frame.researcher.to_numpy()[going], start, week[going], *names)


def test_units_add_up_to_the_lab_week_by_week():
    spells, transfers = wanderers(np.random.default_rng(23))
    for who in ("all", "opening", "hires", "entry_cohort"):
        units = counts.spell_counts(counts.stays(spells, transfers), by="unit", who=who, weeks=150)
        lab = counts.spell_counts(spells, by="lab", who=who, weeks=150)
        assert_array_equal(units.at_risk.sum(axis=0), lab.at_risk[0])
        assert_array_equal(units.ends_by_cause.sum(axis=0), lab.ends_by_cause[0])
        assert (units.at_risk >= units.ends).all()
        assert units.ends[0].sum() > 20


def test_curves_with_late_entry_and_early_leaving_are_those_of_statsmodels():
    """Its entry is the time after which a subject is at risk: the tenure at which it comes into view."""
    spells, transfers = wanderers(np.random.default_rng(29))
    stays = counts.stays(spells, transfers)
    found = counts.spell_counts(stays, by="unit", who="all")
    survival = curves.kaplan_meier(found.at_risk, found.ends)
    greenwood = curves.greenwood(found.at_risk, found.ends)
    frame = stays.to_pandas()
    since = np.maximum(frame.entry_week - frame.start_week - 1, 0)
    until = np.maximum(frame.end_week - frame.start_week - frame.censored, since + ~frame.censored)
    for group, unit in enumerate(found.groups):
        mine = (frame.unit == unit) & (until > since)
        due = SurvfuncRight(until[mine], ~frame.censored[mine], entry=since[mine])
        ended = due.n_events > 0
        weeks = due.surv_times[ended].astype(int)
        assert len(weeks) > 50
        assert_array_equal(found.at_risk[group, weeks - 1], due.n_risk[ended])
        assert_allclose(survival[group, weeks], due.surv_prob[ended], rtol=1e-12)
        inside = due.surv_prob[ended] > 0
        error = survival[group, weeks[inside]] * np.sqrt(greenwood[group, weeks[inside]])
        assert_allclose(error, due.surv_prob_se[ended][inside], rtol=1e-10)


def test_units_of_one_name_at_several_labs_are_told_apart():
    spells = synthetic.spells(
        [0] * 3, [9] * 3, [None] * 3, lab=["alpha", "beta", "beta"], unit=["core", "core", "edge"]
    )
    assert counts.units_apart(spells).column("unit").to_pylist() == ["alpha/core", "beta/core", "edge"]


@pytest.mark.parametrize(
    ("options", "words"), [({"by": "talent"}, "by is 'talent'"), ({"who": "x"}, "who is")]
)
def test_what_cannot_be_grouped_or_chosen_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        counts.spell_counts(synthetic.spells([0], [1], [None]), **options)
