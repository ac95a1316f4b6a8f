"""The market that trades: interest, budgets, rivalry, pools, contagion and time, all switched on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from small_markets import (
    ON,
    by_plan,
    everybody_moves,
    hard_times,
    hashes,
    hashes_of,
    lab,
    live,
    market_of,
    on,
    put,
    scenario,
    switched_on,
    weeks_of,
)

from sim.market import appraisal, exits, grants, worth
from sim.market.constants import best_rival, exit_clock, inflow_by_plan
from sim.market.ledger import KINDS
from sim.market.offers import Offers
from sim.market.rules import pricing
from sim.market.rules.contagion import added_up, shake_of
from sim.market.rules.interest import goes_to_interviews
from sim.market.rules.pricing import Targets, price
from sim.market.rules.refreshers import has_anniversary, risen
from sim.market.rules.separations import excess_hazard
from sim.market.simulate import run_block
from sim.scenario.quantities import WEEKS_PER_YEAR

# ---- all at once: the books


@pytest.fixture(scope="module", params=[hard_times, everybody_moves, "by plan"])
def life(request) -> Any:
    data = everybody_moves(60) if request.param == "by plan" else request.param(60)
    data = switched_on(data)
    return live(scenario(by_plan(data) if request.param == "by plan" else data), [0, 1, 2])


def test_with_everything_on_the_books_balance_every_week(life) -> None:
    assert (life.seen("drift") == 0).all()
    assert (life.seen("lowest_balance") >= 0).all()
    for kept, summed in (
        ("headcount", "heads"),
        ("weekly_payroll", "payroll_of_rows"),
        ("talent_sum", "talent_of_rows"),
        ("promised", "promised_by_offers"),
        ("campaign_committed", "campaign_committed_by_offers"),
        ("pending", "pending_rows"),
    ):
        assert (life.seen(kept) == life.seen(summed)).all(), kept
    assert (life.seen("promised") <= life.seen("line_balance")).all()
    assert life.seen("leaving").all()
    assert life.seen("in_place").all()


def test_stages_follow_one_another(life) -> None:
    labs = life.tables["labs"]
    total = labs[["contacts", "interested", "interviews", "offers", "accepted"]].sum()
    assert total.is_monotonic_decreasing
    offers = life.tables["offers"]
    weeks = offers[["contact_week", "interest_week", "interview_week", "offer_week", "decision_week"]]
    for sooner, later in zip(weeks.columns, weeks.columns[1:], strict=False):
        both = weeks[[sooner, later]].dropna()
        assert (both[sooner] <= both[later]).all(), (sooner, later)


def test_notice_is_served(life) -> None:
    offers = life.tables["offers"]
    started = offers[offers.start_week.notna() & offers.notice_week.notna()]
    assert len(started) > 0
    assert (started.start_week >= started.notice_week + 3).all()
    assert (started.notice_week == started.decision_week).all()


def test_grants_are_charged_and_what_has_not_vested_returns(life) -> None:
    ledger = life.tables["ledger"]
    charged = ledger[ledger.kind == "grant"].cents.sum()
    refreshed = ledger[ledger.kind == "refresh"].cents.sum()
    kept = ledger[ledger.kind == "retention"].cents.sum()
    back = ledger[ledger.kind == "forfeit"].cents.sum()
    assert charged > 0
    assert 0 < back < charged + refreshed + kept
    accepted = life.tables["offers"]
    accepted = accepted[(accepted.outcome == "accepted") & accepted.start_week.notna()]
    assert charged == accepted.grant_cents.sum()


@pytest.mark.parametrize("market", [hard_times, everybody_moves])
def test_with_everything_on_a_run_is_itself_whichever_stand_beside(market) -> None:
    of = scenario(switched_on(market(30)))
    together = run_block(of, 1, [0, 1, 2, 7])
    assert hashes(of, [7]) == hashes_of(together, 7)


# ---- interest, interviews and offers


def test_interest_is_where_the_known_pay_and_the_slack_outweigh_staying() -> None:
    pull, pay = np.array([-2 * np.log(3e6), -2 * np.log(3e6)]), np.array([2e6, 2e6])
    edge = 2 * np.log(3 / 2)
    assert goes_to_interviews(pay, pull, np.array([edge + 1e-9, edge - 1e-9]), 2.0).tolist() == [True, False]


def test_without_limits_the_stage_changes_nothing() -> None:
    """Everybody is interested and every offer is written: the market without the stage."""
    of, patient = everybody_moves(), {"interest": "on", "slack": 100, "outside_slack": 100}
    asked = run_block(scenario(put(of, "market.interviews", patient)), 1, [0, 1])
    never = run_block(scenario(of), 1, [0, 1])
    assert hashes_of(asked)["spells"] == hashes_of(never)["spells"]
    assert hashes_of(asked)["ledger"] == hashes_of(never)["ledger"]


def test_less_slack_means_fewer_interviews_and_more_of_their_offers_are_taken() -> None:
    def shares(slack: float) -> tuple[int, float]:
        of = switched_on(
            everybody_moves(60), **{"market.interviews": ON["market.interviews"] | {"slack": slack}}
        )
        tables = live(scenario(of), range(6)).tables
        written = tables["offers"][
            tables["offers"].interview_week.notna() & (tables["offers"].origin.isin(["a", "b", "c"]))
        ]
        return int(tables["labs"].interviews.sum()), float((written.outcome == "accepted").mean())

    (many, seldom), (few, often) = shares(3.0), shares(0.3)
    assert few < many
    assert often > seldom


def test_interviews_show_the_pay_at_which_she_would_come() -> None:
    """At R^ an offer is worth as much to her as staying, but for the noise."""
    (market,) = weeks_of(scenario(switched_on(everybody_moves(4))), [0], weeks=1)
    rows = np.flatnonzero(market.researchers.place == 0)
    found = appraisal.approaches(market, rows, np.ones(len(rows), np.int64))
    offers = Offers.drafted(found)
    gap = 2 * np.log(pricing._shown(market, offers)) + appraisal.pull(
        market, rows, found.lab, found.unit, found.title
    )
    assert len(gap) > 20
    assert gap / (2 * 0.14) == pytest.approx(np.zeros(len(gap)), abs=8)  # logistic noise of scale rho
    assert gap.std() / (2 * 0.14) == pytest.approx(np.pi / np.sqrt(3), rel=0.5)


def targets(**given: Any) -> Targets:
    plain: dict[str, Any] = {
        "value": 1.5, "base": 0.0, "kappa": 1.0, "reservation": 1.0, "cap": np.inf, "posted": False,
        "scale": 0.0, "slope": 1 / 0.17, "least": 0.0, "rationed": False, "exempt": False,
    }  # fmt: skip
    return Targets(**{name: np.array([value]) for name, value in (plain | given).items()})


def test_after_interviews_the_price_is_the_optimum_at_the_slope_of_what_was_shown() -> None:
    """At v / R = 1.5 and rho = .17 the chance of acceptance is .5877; no other price brings more."""
    cost, chance = price(targets(), np.zeros(1))
    assert chance[0] == pytest.approx(0.5877, abs=5e-5)
    grid = np.linspace(0.5, 1.5, 100_001)
    surplus = (1.5 - grid) * worth.acceptance(grid, 1.0, 1 / 0.17)
    assert cost[0] == pytest.approx(grid[surplus.argmax()], abs=1e-4)


@pytest.mark.parametrize("slope", [1.0, 3.0, 5.0, 20.0, 50.0])
def test_the_price_at_any_slope_satisfies_its_first_order_condition(slope) -> None:
    w = float(worth.best_price(2.0, 0.0, 1.0, 1.0, np.array([slope]))[0])
    chance = float(worth.acceptance(w, 1.0, slope))
    assert (2.0 - w) * slope * (1 - chance) == pytest.approx(w, rel=1e-9)


def test_an_offer_is_written_if_its_expected_surplus_is_worth_it() -> None:
    cost, chance = price(targets(), np.zeros(1))
    surplus = float((1.5 - cost[0]) * chance[0] / cost[0])
    assert price(targets(), np.zeros(1), surplus * 0.999)[1][0] > 0
    assert price(targets(), np.zeros(1), surplus * 1.001)[1][0] == 0
    assert price(targets(exempt=True), np.zeros(1), surplus * 1.001)[1][0] > 0


def test_posted_offers_are_rationed_by_the_hurdle_rate() -> None:
    posted = {"posted": True, "scale": 1.0}
    at_cost, below = np.array([0.5]), np.array([0.51])  # v / (1 + mu) at 1 and below it
    assert price(targets(**posted, rationed=True), at_cost)[1][0] > 0
    assert price(targets(**posted, rationed=True), below)[1][0] == 0
    assert price(targets(**posted), below)[1][0] > 0


def test_the_floor_is_kept_but_never_above_the_cap() -> None:
    assert price(targets(least=1.4), np.zeros(1))[0][0] == 1.4
    assert price(targets(least=1.4, cap=1.2), np.zeros(1))[0][0] == 1.2


# ---- budgets


def test_inflow_by_plan_pays_for_the_plan() -> None:
    """A plan that stands still costs base, refreshers and replacement: theta N (b + refresh p + h p)."""
    of = scenario(by_plan(market_of({"a": lab(100, opening_hazard="20 %/year")}, weeks=60)))
    planned = np.full((1, 60), 100.0)
    u = (np.arange(1_000_000) + 0.5) / 1_000_000
    talent = worth.talent_quantile(u, of.market.talent.tail_exponent, of.market.talent.cap)
    pay = np.minimum(800e3 * talent, 6e6)
    base = np.minimum(pay * of.market.talent.base_share, 500e3)
    each = base.mean() + (0.25 + 0.2) * 4 * (pay - base).mean()
    assert inflow_by_plan(of, planned)[0, 30] / 100 == pytest.approx(1.03 * 100 * each, rel=1e-3)
    growing = inflow_by_plan(of, planned + np.arange(60.0))[0, 0] / 100  # a head a week
    assert growing / 1.03 - 100 * each == pytest.approx(WEEKS_PER_YEAR * 4 * (pay - base).mean(), rel=1e-3)


def test_a_factor_on_money_by_plan_is_one_on_hires() -> None:
    def hires(factor: float) -> int:
        data = put(switched_on(by_plan(everybody_moves(60))), "labs.a.talent_factor", factor)
        data["labs"]["a"]["headcount_plan"] = [{"date": "2024-04-01", "staff": 120}]
        labs = live(scenario(data), range(4)).tables["labs"]
        return int(labs[labs.lab == "a"].hires.sum())

    assert hires(0.2) < 0.6 * hires(1.0)


def test_where_money_is_short_the_hurdle_rate_is_above_zero_and_recorded() -> None:
    data = put(switched_on(by_plan(everybody_moves(60))), "labs.a.talent_factor", 0.5)
    data["labs"]["a"]["headcount_plan"] = [{"date": "2024-04-01", "staff": 120}]
    labs = live(scenario(data), range(2)).tables["labs"]
    theirs = labs[(labs.lab == "a") & (labs.priced > 0)]
    assert (theirs.hurdle > 0).mean() > 0.3
    assert (labs[labs.priced == 0].hurdle == 0).all()


def test_refreshers_that_cannot_be_paid_are_withheld_and_nobody_fails_by_them() -> None:
    data = market_of({"a": lab(40, talent_opening="1M USD", talent_inflow="16M USD/year")}, weeks=110)
    data = put(put(data, "market.equity", {"charged": True}), "market.exits", {"found": "0 /year"})
    data["market"]["contact"] = {"rate": "0 /year", "outside_rate": "0 /year"}
    found = live(scenario(data), [0])
    assert found.tables["labs"].withheld_cents.sum() > 0
    assert not found.seen("failed").any()
    rich = live(scenario(put(data, "labs.a.talent_opening", "500M USD")), [0])
    assert rich.tables["labs"].withheld_cents.sum() == 0
    market = found.after
    withheld = np.flatnonzero(market.researchers.not_refreshed)
    assert len(withheld)
    pay, theirs = (appraisal.stay_pay(m, withheld) for m in (market, rich.after))
    assert (pay < theirs).all()


def test_anniversaries_fall_once_a_year() -> None:
    weeks = np.arange(0, 2000)
    found = weeks[has_anniversary(weeks)]
    years = np.arange(1, len(found) + 1)
    assert found.tolist() == [grants.anniversary_week(int(year)) for year in years]
    assert ((found - 1) / WEEKS_PER_YEAR < years).all()
    assert (found / WEEKS_PER_YEAR >= years).all()
    assert risen(np.array([100_000]), np.log(1.12)).tolist() == [112_000]


def test_an_unvested_grant_returns_to_the_account_that_paid() -> None:
    """Everybody hired leaves in the first year: all of the grants comes back, but for retention."""
    data = put(everybody_moves(40), "market.equity", {"charged": True})
    data["market"]["exits"] = {"found": "8 /year"}
    ledger = live(scenario(data), [0, 1]).tables["ledger"]
    into = ledger[ledger.kind == "forfeit"]
    assert set(into.credit) <= {"a:talent", "b:talent", "c:talent", "push:envelope", "a:treasury"}
    assert set(into.debit) == {"researchers"}
    assert {"grant", "refresh", "forfeit", "swept"} <= set(KINDS)


def test_what_returns_of_each_grant_is_what_had_not_vested_when_its_holder_left() -> None:
    data = put(everybody_moves(110), "market.equity", {"charged": True, "refresh_share": 0.0})
    data["market"] |= {"exits": {"found": "1 /year"}, "pay_equity": {"threshold": 0.0}}
    for name in data["labs"]:
        data["labs"][name] |= {"counter_policy": "off"}
    tables = live(scenario(data), range(3)).tables
    offers, spells = tables["offers"], tables["spells"]
    hired = offers[(offers.outcome == "accepted") & offers.start_week.notna()]
    held = spells[~spells.censored].merge(
        hired[["run", "researcher", "lab", "start_week", "grant_cents"]],
        on=["run", "researcher", "lab", "start_week"],
    )
    months = np.floor((held.end_week - held.start_week) * 12 / WEEKS_PER_YEAR + 1e-9)
    due = np.floor(held.grant_cents * (1 - worth.vested_share(months, 48, 12))).astype(np.int64)
    assert 0 < (due < held.grant_cents).sum() < len(held)
    ledger = tables["ledger"]
    assert due.sum() == ledger[ledger.kind == "forfeit"].cents.sum()


def test_a_factor_on_money_by_plan_is_one_on_its_inflow() -> None:
    def inflow(factor: float) -> int:
        data = put(by_plan(market_of({"a": lab(100)}, weeks=4)), "labs.a.talent_factor", factor)
        ledger = live(scenario(put(data, "market.standing", {"noise": 0.0})), [0]).tables["ledger"]
        return int(ledger[(ledger.kind == "inflow") & (ledger.credit == "a:talent")].cents.sum())

    assert inflow(0.2) == pytest.approx(0.2 * inflow(1.0), rel=1e-6)


# ---- standing among rivals


def test_the_best_rival_is_the_best_of_the_others_that_live() -> None:
    ln = np.log(np.array([[3.0, 2.0, 1.0], [1.0, 1.0, 0.5]]))
    out = np.zeros((2, 3), np.bool_)
    assert np.exp(best_rival(ln, out)).round(9).tolist() == [[2, 3, 3], [1, 1, 1]]
    out[0, 1] = True
    assert np.exp(best_rival(ln, out))[0].round(9).tolist() == [1, 3, 3]
    alone = best_rival(np.zeros((1, 1)), np.zeros((1, 1), np.bool_))
    assert np.isneginf(alone).all()


def test_a_rivals_release_lowers_ones_standing_by_omega_times_its_rise() -> None:
    data = market_of(
        {"a": lab(), "b": lab()}, weeks=3, events=[on(1, model_release={"lab": "b", "surprise": 2.0})]
    )
    data["market"] |= {"standing": {"rivalry": 0.5, "noise": 0.0, "talent_weight": 0.0, "persistence": 1.0}}
    *_, market = weeks_of(scenario(data), [0], weeks=2)
    found = appraisal.standing_among_rivals(market)[0]
    assert found == pytest.approx([-0.5 * 2.0 * 0.5, 2.0 * 0.5])
    assert appraisal.fall_of_standing(market)[0] == pytest.approx([0.5, 0.0])


def test_a_plan_may_wait_for_a_gap() -> None:
    data = market_of({"a": lab(), "b": lab()}, weeks=4, events=[
        on(1, model_release={"lab": "b", "surprise": 2.0}),
        {"plan": "answer", "lab": "a", "when": {"standing_gap": 0.3, "after": "0 days"}},
        on(0, part_of="answer", investment={"target": "a", "amount": "7M USD"}),
    ])  # fmt: skip
    data["market"] |= {"standing": {"rivalry": 0.5, "noise": 0.0}}
    happened = live(scenario(data), [0]).tables["events"]
    assert happened[happened.kind.isin(["plan", "investment"])].week.tolist() == [1, 2]
    data["market"]["standing"]["rivalry"] = 0.0
    assert "plan" not in set(live(scenario(data), [0]).tables["events"].kind)


def test_people_leave_a_lab_that_has_fallen_by_the_excess_of_their_hazard() -> None:
    """h = .5 a year, a fall of 1 for a year at b = 2: e^(-.5 e^2) of them are still there."""
    assert excess_hazard(np.array([1.0, 0.04]), 2.0, 0.05) == pytest.approx([np.expm1(2.0), 0.0])
    data = market_of(
        {"a": lab(4000), "b": lab(10)}, weeks=52, events=[on(0, model_release={"lab": "b", "surprise": 4.0})]
    )
    data["market"] = {
        "contact": {"rate": "0 /year", "outside_rate": "0 /year"},
        "exits": {"found": "0.5 /year", "academia": "0 /year", "field": "0 /year", "standing": 1.0},
        "standing": {"rivalry": 0.5, "noise": 0.0, "talent_weight": 0.0, "persistence": 1.0},
        "entry": {"outside": 0, "graduates": "0 /year"},
    }
    data["labs"]["a"] |= {"talent_opening": "100B USD"}
    *_, market = weeks_of(scenario(data), [0])
    stayed = float(market.labs.headcount[0, 0]) / 4000
    expected = float(np.exp(-0.5 * np.e * 52 / WEEKS_PER_YEAR))
    assert stayed == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 4000))


# ---- pools and memory


def test_outsiders_are_where_their_pools_say_and_leavers_enter_the_pool_of_their_cause() -> None:
    data = switched_on(everybody_moves(40))
    data["market"]["entry"] |= {"outside": 4000}
    data["market"]["exits"] = {
        "found": "1 /year",
        "academia": "1 /year",
        "field": "0 /year",
        "forfeiture": 0.0,
    }
    of = scenario(data)
    first, *_, last = weeks_of(of, [0], weeks=30)
    del first
    people, pools = last.researchers, last.constants.pools
    assert pools.names == ("outside/industry", "outside/academia")
    share = float((people.pool[90 : 90 + 4000] == 0).mean())
    assert share == pytest.approx(0.6, abs=4 * np.sqrt(0.24 / 4000) + 0.01)
    seen = live(of, [0])
    spells = seen.tables["spells"]
    after = spells[spells.came_from.notna()]
    assert set(after.came_from) <= {"a", "b", "c", *pools.names}
    assert (spells[spells.origin == "opening"].came_from.isna()).all()
    assert after[after.origin == "rival"].came_from.isin(["a", "b", "c"]).all()
    gone = spells.sort_values("start_week").groupby("researcher").last()
    gone = gone[gone.cause.isin(["found", "academia"])]
    assert set(gone.cause) == {"found", "academia"}
    assert (seen.after.researchers.pool[gone.index] == (gone.cause == "academia")).all()


def test_pay_outside_follows_talent_up_to_the_cap() -> None:
    data = switched_on(everybody_moves(4), **{"market.growth": {}})
    (market, *_) = weeks_of(scenario(data), [0], weeks=1)
    people = market.researchers
    outside = np.flatnonzero((people.place == -1) & (people.pool == 0))
    yearly = people.weekly_base[outside] * WEEKS_PER_YEAR / 100
    assert yearly == pytest.approx(np.minimum(400e3 * people.talent[outside] ** 0.7, 5e6), rel=1e-4)


def test_who_returns_to_a_lab_was_there_before() -> None:
    spells = live(scenario(switched_on(everybody_moves(60))), range(4)).tables["spells"]
    spells = spells.sort_values(["run", "researcher", "start_week"])
    back = spells[spells.returned]
    assert len(back)
    for row in back[back.origin == "rival"].itertuples():
        earlier = spells[
            (spells.run == row.run)
            & (spells.researcher == row.researcher)
            & (spells.start_week < row.start_week)
        ]
        assert earlier.iloc[-2].lab == row.lab if len(earlier) > 1 else True
        assert earlier.iloc[-1].lab == row.came_from


# ---- contagion and regret


def test_a_shake_grows_with_talent_adds_up_and_has_an_end() -> None:
    assert shake_of(np.array([1.0, 4.0]), 1.0, 0.3, 0.5).tolist() == [0.3, 0.6]
    assert added_up(np.array([0.2, 2.9]), np.array([0.3, 0.3])).tolist() == [0.5, 3.0]


def test_the_ties_of_those_who_move_are_shaken_and_it_fades() -> None:
    data = put(everybody_moves(30), "market.contagion", {"shake": 0.3, "fade": "8 weeks"})
    seen = 0
    for market in weeks_of(scenario(data), [0]):
        movers = market.started.row[market.started.origin >= 0]
        shaken = np.flatnonzero(
            (market.researchers.shake > 0) & (market.researchers.shake_week == market.week - 1)
        )
        if len(shaken):
            assert np.isin(shaken, market.tied_to(movers).ravel()).all()
            seen += len(shaken)
    assert seen >= 3
    rows = np.flatnonzero(market.researchers.shake > 0)
    now = appraisal.shaken(market, rows)
    market.week += 8
    assert appraisal.shaken(market, rows) == pytest.approx(now / np.e)


def test_those_who_regret_lose_attachment_and_hear_from_their_old_lab() -> None:
    without, with_regret = (
        put(everybody_moves(60), "market.contagion", {"regret": share, "regret_loss": 5.0})
        for share in (0.0, 1.0)
    )
    spells = [live(scenario(data), range(4)).tables["spells"] for data in (without, with_regret)]
    returns = [int((found.returned & (found.origin == "rival")).sum()) for found in spells]
    assert returns[1] > 3 * returns[0] + 5


# ---- time


def test_the_clock_of_exits_has_a_cliff() -> None:
    """Without refreshers S(1) = exp(-h (1 - e^-beta) / beta); the hazard jumps by e^beta at the cliff."""
    clock = exit_clock(320, 48, 12, 0.0, 0.7)
    year = WEEKS_PER_YEAR
    assert np.interp(year, np.arange(321), clock) / year == pytest.approx(-np.expm1(-0.7) / 0.7, rel=0.01)
    hazard = np.diff(clock)
    assert hazard[54] / hazard[51] == pytest.approx(np.exp(0.7), rel=0.02)
    assert exit_clock(100, 48, 12, 0.25, 0.0) == pytest.approx(np.arange(101))


def test_a_retention_package_lowers_the_hazard_by_what_it_vests() -> None:
    """At beta 1 and a package that doubles the normal vests, e^-1 of the hazard is left while it vests."""
    data = market_of({"a": lab(3000, founded="2023-05-01", star_pay="800k USD/year")}, weeks=60)
    data["labs"]["a"] |= {"talent_opening": "100B USD"}
    data["market"] = {
        "contact": {"rate": "0 /year", "outside_rate": "0 /year"},
        "entry": {"outside": 0, "graduates": "0 /year"},
        "exits": {"found": "1 /year", "academia": "0 /year", "field": "0 /year", "forfeiture": 1.0},
        "equity": {"refresh_share": 0.0, "sign_on_share": 0.0},
        "talent": {"cap": 1.000001},
    }
    *_, alone = weeks_of(scenario(data), [0], weeks=40)
    rate = -np.log(alone.labs.headcount[0, 0] / 3000)  # the hazard of the first 40 weeks, before the cliff
    *_, market = weeks_of(scenario(data), [0], weeks=1)
    people = market.researchers
    rows = np.flatnonzero(people.place == 0)
    people.retention[rows] = people.grant[rows]  # as much again
    exits.hold_by_vests(market, rows, people.grant[rows])
    stayed = float((people.exit_week[rows] > 40).mean())
    assert -np.log(stayed) / rate == pytest.approx(np.exp(-1), abs=0.06)  # three s.e. at 3,000 people


def test_a_package_worth_thousands_of_grants_holds_until_its_last_year() -> None:
    """Its factor on the hazard is too small for a number, and still divides; 3 of 4 years are 156 weeks."""
    data = market_of({"a": lab(50, founded="2023-05-01")}, weeks=20)
    data["market"] = {"exits": {"found": "9 /year", "forfeiture": 1.0}, "contact": {"rate": "0 /year"}}
    *_, market = weeks_of(scenario(data), [0], weeks=1)
    rows = np.flatnonzero(market.researchers.place == 0)
    with np.errstate(all="raise", under="ignore"):
        for _ in range(2):
            exits.hold_by_vests(market, rows, 9_000 * market.researchers.grant[rows])
    leaves = market.researchers.exit_week[rows]
    assert (leaves[leaves > market.week] > 150).all()
    assert (leaves > market.week).sum() > 20


def test_pay_at_scale_and_worth_grow_together() -> None:
    data = put(everybody_moves(54), "market.growth", {"pay": "12 %/year"})
    data["market"]["value"] = {"noise": 0.0, "ties": 0.0}
    markets = weeks_of(scenario(data), [0])
    first = next(markets)
    rows = np.flatnonzero(first.researchers.place == 0)[:5]
    labs, unit = np.zeros(5, np.int64), np.zeros(5, np.int64)
    before, week = appraisal.scale_pay(first, rows, labs, unit), first.week
    value = appraisal.observed_value(first, rows, labs)
    *_, last = markets
    after, weeks = appraisal.scale_pay(last, rows, labs, unit), last.week - week
    grown = np.exp(0.12 * weeks / WEEKS_PER_YEAR)
    assert after[0] == pytest.approx(before[0] * grown)
    assert after[1] == pytest.approx(before[1] * grown)
    assert appraisal.observed_value(last, rows, labs) == pytest.approx(value * grown)


# ---- bad input


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("market.entry.pools", {"x": {"share": 0.5, "pay": "1M USD/year"}}, "they must add up to 1"),
        ("market.interviews.noise", 0.001, "noise is 0"),
        ("labs.a.talent_budget", "by_plan", "money follows the headcount plan"),
        ("market.hiring.notice", "900 weeks", "notice is longer than the horizon"),
        ("events", [{"plan": "p", "lab": "a", "when": {"standing_gap": 0.3}}], "can never open"),
    ],
)
def test_what_makes_no_sense_is_refused(path, value, said) -> None:
    data = put(market_of({"a": lab()}), path, value)
    with pytest.raises((ValidationError, ValueError), match=said):
        scenario(data)
