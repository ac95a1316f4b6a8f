"""Each kind of event alone, in a small market where its effect is known exactly or by a law.

Bounds of random tests are 4.5 standard errors, with fixed seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from small_markets import (
    A_CAMPAIGN,
    Life,
    all_kinds,
    everybody_moves,
    hashes_of,
    lab,
    live,
    market_of,
    on,
    put,
    scenario,
    weeks_of,
)

import sim
from sim.market import appraisal
from sim.market.opening import open_market
from sim.market.rules import shocks
from sim.market.simulate import run_block
from sim.market.state import FOUNDER, OUTSIDE, Market
from sim.market.week import advance
from sim.scenario.events import KINDS
from sim.scenario.quantities import WEEKS_PER_YEAR

Z = 4.5
M = 100_000_000  # a million USD, in cents
NOBODY_MOVES = {
    "contact": {"rate": "0 /year", "outside_rate": "0 /year"},
    "exits": {"found": "0 /year", "academia": "0 /year", "field": "0 /year"},
    "entry": {"outside": 0, "graduates": "0 /year", "graduates_growth": "0 /year"},
    "standing": {"noise": 0.0, "inflow_elasticity": 0.0, "talent_weight": 0.0},
}


def quiet(labs: dict[str, Any], *events: dict[str, Any], weeks: int = 4, **market: Any) -> dict[str, Any]:
    """A market in which nobody moves but by the events, and money comes in evenly."""
    parts = {name: NOBODY_MOVES.get(name, {}) | market.get(name, {}) for name in {*NOBODY_MOVES, *market}}
    return market_of(labs, weeks=weeks, events=list(events), market=parts)


def postings(seen: Life, kind: str) -> list[tuple[Any, ...]]:
    """Run, week, accounts and cents of the postings of a kind, in order."""
    ledger = seen.tables["ledger"]
    columns = ["run", "week", "debit", "credit", "cents"]
    return list(ledger[ledger["kind"] == kind][columns].itertuples(index=False, name=None))


def opened(data: dict[str, Any], runs: Sequence[int] = (0,), weeks: int = 0) -> Market:
    """A market after some weeks, to look into."""
    market = open_market(scenario(data), 1, np.array(runs, np.int64))
    for _ in range(weeks):
        advance(market)
    return market


def after_shocks(market: Market) -> Market:
    """The same market after the first rule of its week."""
    shocks.happen(market)
    return market


def staff(market: Market, lab: int, run: int = 0) -> Any:
    """Rows of a lab's staff."""
    return market.staff_of(np.array([run]), lab)


# ---- talks and deals

RICH = {"treasury": {"opening": "100B USD", "inflow": "0 USD/year"}}
TALKS = {"lab": "a", "target": "b", "price": "9B USD", "asking": "3B USD", "spread": 0, "weeks": "2 weeks"}


def test_a_deal_moves_its_price_to_the_owners_and_founder_and_team_to_the_unit() -> None:
    data = quiet(
        {"a": lab(20, **RICH), "b": lab(21)}, on(1, talks=TALKS | {"unit": "new", "team_share": 0.3})
    )
    seen = live(scenario(data), range(3))
    assert postings(seen, "deal") == [(r, 3, "a:treasury", "b:owners", 9000 * M) for r in range(3)]
    assert seen.tables["events"][["week", "kind"]].drop_duplicates().to_numpy().tolist() == [
        [3, "deal"], [3, "talks"],
    ]  # fmt: skip
    spells = seen.tables["spells"]
    bought = spells[spells["origin"] == "acquihire"]
    assert set(bought["unit"]) == {"new"}
    assert bought.groupby("run").size().tolist() == [7, 7, 7]  # 1 + floor(0.3 * 20 + 1/2)
    opening = spells[(spells["lab"] == "b") & (spells["origin"] == "opening")]
    best = opening.loc[opening.groupby("run")["talent"].idxmax()]
    assert set(best["cause"]) == {"acquihire"}
    assert (seen.seen("drift") == 0).all()
    assert (seen.seen("headcount")[-1] == [27, 14]).all()


def test_owners_sell_with_the_probability_that_the_price_buys_and_else_some_become_partners() -> None:
    """ln(price / asking) / spread = 1/2, so Phi(1/2); of the rest two fifths become partners."""
    price = f"{round(10_000 * np.exp(0.15), 6)}M USD"
    body = TALKS | {"price": price, "asking": "10B USD", "spread": 0.3, "weeks": "0 weeks"}
    body |= {"partnership": 0.4, "fee": "5M USD"}
    runs = 4000
    seen = live(scenario(quiet({"a": lab(1, **RICH), "b": lab(1)}, on(0, talks=body), weeks=1)), range(runs))
    kinds = seen.tables["events"]["kind"].value_counts()
    chance = norm.cdf(0.5)
    for kind, expected in (
        ("deal", chance),
        ("partnership", 0.4 * (1 - chance)),
        ("no_deal", 0.6 * (1 - chance)),
    ):
        error = np.sqrt(expected * (1 - expected) / runs)
        assert abs(kinds[kind] / runs - expected) < Z * error
    assert kinds["deal"] + kinds["partnership"] + kinds["no_deal"] == kinds["talks"] == runs
    fees = postings(seen, "partnership")
    assert len(fees) == kinds["partnership"]
    assert {fee[2:] for fee in fees} == {("a:treasury", "b:treasury", 5 * M)}
    assert len(postings(seen, "deal")) == kinds["deal"]


def test_who_cannot_pay_neither_buys_nor_becomes_a_partner() -> None:
    body = TALKS | {"weeks": "0 weeks", "partnership": 1, "fee": "2B USD"}
    for opening, outcome in (("9B USD", "deal"), ("8B USD", "partnership"), ("1B USD", "no_deal")):
        poor = lab(5, treasury={"opening": opening})
        seen = live(scenario(quiet({"a": poor, "b": lab(5)}, on(0, talks=body), weeks=1)), [0])
        assert set(seen.tables["events"]["kind"]) == {"talks", outcome}


def test_a_dead_start_up_is_neither_talked_with_nor_bought() -> None:
    dead = lab(5, talent_opening="0 USD", talent_inflow="0 USD/year", treasury={})
    deal = {"buyer": "a", "target": "b", "price": "1B USD"}
    data = quiet(
        {"a": lab(5, **RICH), "b": dead}, on(0, talks=TALKS | {"partnership": 1}), on(2, acquihire=deal)
    )
    seen = live(scenario(data), range(2))
    assert sorted(set(seen.tables["events"]["kind"])) == ["failure", "no_deal", "talks"]
    assert postings(seen, "deal") == postings(seen, "partnership") == []


@pytest.mark.parametrize("kind", ["talks", "acquihire"])
def test_those_left_behind_leave_as_k3_says_for_a_year(kind: str) -> None:
    """Hazards of 0.400478 in the year after the deal and 0.127833 before and later, 8000 people."""
    money = {"talent_opening": "1B USD", "talent_inflow": "2B USD/year"}
    deal = {"price": "1B USD", "team_share": 0.0, "founder": False}
    body = deal | ({"lab": "a", "asking": "1 USD", "weeks": "0 weeks"} if kind == "talks" else {"buyer": "a"})
    data = quiet(
        {"a": lab(1, **money), "b": lab(8000, **money)}, on(10, **{kind: body | {"target": "b"}}), weeks=90,
        exits={"found": "0.127833 /year", "academia": "0 /year", "field": "0 /year"},
    )  # fmt: skip
    heads = live(scenario(data), [0]).seen("headcount")[:, 0, 1]
    for first, last, hazard in ((0, 10, 0.127833), (10, 62, 0.400478), (63, 89, 0.127833)):
        chance = np.exp(-hazard * (last - first) / WEEKS_PER_YEAR)
        stayed, at_risk = heads[last], heads[first]
        assert abs(stayed / at_risk - chance) < Z * np.sqrt(chance * (1 - chance) / at_risk)


def test_at_a_ratio_of_one_nobody_is_unsettled() -> None:
    """Without those who are bought and with a ratio of one a deal moves money alone."""
    deal = {"buyer": "a", "target": "b", "price": "1B USD", "founder": False}
    calm = quiet({"a": lab(5), "b": lab(200)}, weeks=30, exits={"found": "1 /year", "left_behind_ratio": 1.0})
    with_deal = calm | {"events": [on(3, acquihire=deal)]}
    one, other = (live(scenario(data), [0]).tables for data in (calm, with_deal))
    assert one["spells"].equals(other["spells"])
    louder = put(with_deal, "market.exits.left_behind_ratio", 4.0)
    assert not live(scenario(louder), [0]).tables["spells"].equals(one["spells"])


# ---- strategies


def test_a_renter_pays_its_provider_every_week_until_it_stops() -> None:
    rent = {"lab": "a", "strategy": "rent", "provider": "b", "fee": f"{WEEKS_PER_YEAR}M USD/year"}
    data = quiet(
        {"a": lab(10, strategy="open"), "b": lab(10)},
        on(2, strategy_change=rent), on(5, strategy_change={"lab": "a", "strategy": "open"}), weeks=8,
    )  # fmt: skip
    seen = live(scenario(data), range(2))
    assert postings(seen, "licence") == [
        (r, w, "a:treasury", "b:treasury", M) for r in range(2) for w in (2, 3, 4)
    ]
    assert (seen.seen("drift") == 0).all()


def test_a_licence_is_paid_as_far_as_the_treasury_goes() -> None:
    rent = {"lab": "a", "strategy": "rent", "provider": "b", "fee": f"{2 * WEEKS_PER_YEAR}M USD/year"}
    data = quiet(
        {"a": lab(10, treasury={"opening": "5M USD"}), "b": lab(10)}, on(0, strategy_change=rent), weeks=5
    )
    assert [posting[-1] for posting in postings(live(scenario(data), [0]), "licence")] == [2 * M, 2 * M, M]


def test_openness_moves_by_the_difference_of_strategies_and_back_again() -> None:
    units = {"old": {"share": 1, "mission": {"openness": 0.7, "safety": 0.1}}, "new": {"share": 1}}
    changes = [
        on(1, strategy_change={"lab": "a", "strategy": "rent", "provider": "b"}),
        on(2, strategy_change={"lab": "a", "strategy": "dual"}),
        on(3, strategy_change={"lab": "a", "strategy": "open"}),
    ]
    rule = {"open": 0.5, "dual": 0.1, "rent": -0.7, "ambition": 0.25, "compute_freed": 0.2}
    data = quiet(
        {"a": lab(10, units=units, strategy="open", mission={"openness": 0.3}), "b": lab(10)}, *changes,
        strategy=rule,
    )  # fmt: skip
    found = [
        (m.labs.unit_mission[0, :, 0].copy(), m.labs.ambition[0].copy(), m.labs.compute_factor[0].copy())
        for m in weeks_of(scenario(data), [0])
    ]
    for week, (shift, ambition, compute) in enumerate(
        [(0, 0, 1), (-1.2, -0.25, 1.2), (-0.4, 0, 1), (0, 0, 1)]
    ):
        openness, lost, freed = found[week]
        assert openness.tolist() == pytest.approx([0.7 + shift, 0.3 + shift, 0.0])
        assert lost.tolist() == [ambition, 0]
        assert freed.tolist() == [compute, 1]


# ---- people


UNITS = {"old": {"share": 0.5, "leader": "Ann"}, "new": {"share": 0.5}}


def test_a_dismissed_leader_is_the_units_best_and_those_tied_to_her_feel_less_attached() -> None:
    body = {"lab": "a", "unit": "old", "dismissed": True, "followers": 1.5, "shock": 0.4}
    data = quiet({"a": lab(60, units=UNITS), "b": lab(10)}, on(1, leadership_change=body))
    market = opened(data, weeks=1)
    people = market.researchers
    rows = staff(market, 0)
    unit = rows[people.unit[rows] == 0]
    leader = int(unit[people.talent[unit].argmax()])
    tied = set(market.tied_to(np.array([leader]))[0].tolist()) - {leader}
    before = people.attachment.copy()
    after_shocks(market)
    assert people.place[leader] == OUTSIDE
    assert market.tally.left[0, 0].tolist() == [0, 0, 0, 0, 0, 1]
    lost = before - people.attachment
    at_lab = people.place >= 0
    for row in np.flatnonzero(at_lab):
        near = row in tied and people.place[row] == 0
        assert lost[row] == pytest.approx(1.5 if near else 0, abs=1e-6)
    assert any(people.place[row] == 0 for row in tied)
    assert market.labs.leadership[0].tolist() == [-0.4, 0, 0]
    assert live(scenario(data), [0]).tables["spells"]["cause"].dropna().tolist() == ["released"]


def test_a_leader_who_is_not_dismissed_stays_though_leadership_falls() -> None:
    body = {"lab": "a", "unit": "old", "shock": 0.4}
    data = quiet({"a": lab(60, units=UNITS), "b": lab(10)}, on(1, leadership_change=body))
    market = after_shocks(opened(data, weeks=1))
    assert market.tally.left.sum() == 0
    assert market.labs.leadership[0].tolist() == [-0.4, 0, 0]


def test_a_new_unit_takes_the_labs_best_without_ending_a_spell() -> None:
    body = {"lab": "a", "unit": "third", "researchers": 7, "culture": 2.0, "mission": {"safety": 3.0}}
    data = quiet({"a": lab(40, units=UNITS), "b": lab(10)}, on(1, new_unit=body))
    market = opened(data, runs=(0, 1), weeks=1)
    for run in (0, 1):
        rows = staff(market, 0, run)
        best = set(rows[np.argsort(-market.researchers.talent[rows])[:7]].tolist())
        if run == 0:
            after_shocks(market)
        third = market.constants.unit("a", "third")
        assert set(np.flatnonzero((market.researchers.unit == third) & (market.researchers.place == 0))
                   .tolist()) & set(rows.tolist()) == best  # fmt: skip
    assert market.labs.headcount.tolist() == [[40, 10]] * 2
    assert market.constants.unit_culture[third] == 2
    assert market.labs.unit_mission[0, third].tolist() == [0, 3, 0]
    assert live(scenario(data), [0]).tables["spells"]["censored"].all()


def test_the_best_of_one_unit_are_moved_to_another() -> None:
    body = {"lab": "a", "unit": "new", "from_unit": "old", "researchers": 5}
    data = quiet({"a": lab(40, units=UNITS), "b": lab(10)}, on(1, transfer=body))
    market = opened(data, weeks=1)
    rows, before = staff(market, 0), market.researchers.unit.copy()
    old = rows[before[rows] == 0]
    best = old[np.argsort(-market.researchers.talent[old])[:5]]
    after_shocks(market)
    assert set(np.flatnonzero(market.researchers.unit != before).tolist()) == set(best.tolist())
    assert set(market.researchers.unit[best].tolist()) == {1}
    recorded = live(scenario(data), [0]).tables["transfers"]
    assert set(recorded.researcher) == set(market.id_of(best).tolist())
    assert (recorded.week == 1).all() and (recorded.start_week < 0).all() and (recorded.lab == "a").all()
    assert (recorded.from_unit == "old").all() and (recorded.to_unit == "new").all()


@pytest.mark.parametrize("log", [True, False])
def test_curves_by_unit_follow_those_who_are_transferred(log) -> None:
    """All is unit `old` until week 52, so its curve is the lab's; e^(-t/2) under a hazard of 0.5 a year."""
    units = {"old": {"share": 1}, "new": {"share": 0}}
    a = lab(400, units=units, founded="2023-04-24")
    body = {"lab": "a", "unit": "new", "from_unit": "old", "researchers": 150}
    exits = {"found": "0.5 /year", "academia": "0 /year", "field": "0 /year"}
    data = quiet({"a": a}, on(52, transfer=body), weeks=105, exits=exits)
    result = sim.run(scenario(data), runs=20, seed=1, log=log)
    of_lab = result.retention(by="lab", who="opening").set_index("weeks")
    by_unit = result.retention(by="unit", who="opening").set_index(["unit", "weeks"])
    old, new = by_unit.loc["old"], by_unit.loc["new"]
    assert abs(old.survival - of_lab.survival)[:53].max() < 1e-12
    for week in (26, 52):
        due = np.exp(-0.5 * week / WEEKS_PER_YEAR)
        assert abs(old.survival[week] - due) < Z * np.sqrt(due * (1 - due) / (400 * 20))
    assert (new.at_risk[:52] == 0).all() and new.at_risk[52] == 150 * 20
    assert (old.at_risk + new.at_risk == of_lab.at_risk).all()
    assert len(result.transfers) == 150 * 20 and len(result.spells) == 400 * 20  # a spell stays one row


def test_whoever_moves_to_a_new_unit_is_recorded_as_transferred() -> None:
    """A spell's last recorded move leads to the unit that it ends in."""
    opened_unit = on(2, new_unit={"lab": "a", "unit": "next", "share": 0.5, "researchers": 10})
    back = on(4, transfer={"lab": "a", "unit": "old", "from_unit": "next", "researchers": 4})
    tables = live(scenario(quiet({"a": lab(40, units=UNITS)}, opened_unit, back, weeks=8)), [0, 3]).tables
    moves, spells = tables["transfers"], tables["spells"]
    assert moves.groupby(["run", "week"]).size().tolist() == [10, 4, 10, 4]
    last = moves.drop_duplicates(["run", "researcher"], keep="last")
    ended = last.merge(spells, on=["run", "researcher", "lab", "start_week"], validate="one_to_one")
    assert len(ended) == len(last) and (ended.to_unit.astype(str) == ended.unit.astype(str)).all()


def test_who_changes_unit_leaves_as_the_new_unit_does() -> None:
    """From a unit with a hazard of 0.4 to one with 0.1 a year (q = ln 4): survival of those moved and not."""
    units = {"old": {"share": 1}, "new": {"share": 0, "working_conditions": float(np.log(4))}}
    body = {"lab": "a", "unit": "new", "from_unit": "old", "researchers": 4000}
    money = {"talent_opening": "1B USD", "talent_inflow": "3B USD/year"}
    data = quiet(
        {"a": lab(8000, units=units, **money)}, on(10, transfer=body), weeks=62,
        exits={"found": "0.4 /year", "academia": "0 /year", "field": "0 /year"},
    )  # fmt: skip
    spells = live(scenario(data), [0]).tables["spells"]
    for unit, hazard in (("old", 0.4), ("new", 0.1)):
        mine = spells[(spells["unit"] == unit) & (spells["end_week"] >= 10)]
        chance = np.exp(-hazard * 52 / WEEKS_PER_YEAR)
        stayed = mine["censored"].sum()
        assert abs(stayed / len(mine) - chance) < Z * np.sqrt(chance * (1 - chance) / len(mine))


def test_a_unit_pays_its_own_factor_and_takes_its_share_of_ordinary_hires() -> None:
    """Outsiders are offered the unit's scale: 3 times 200k times talent, where nothing caps it."""
    body = {"lab": "a", "unit": "third", "share": 3.0, "pay_factor": 3.0}
    plan = [{"date": "2023-05-10", "staff": 400}]
    rich = {"talent_opening": "5B USD", "talent_inflow": "5B USD/year", "median_pay": "200k USD/year"}
    data = quiet(
        {"a": lab(10, units=UNITS, headcount_plan=plan, star_pay="90M USD/year", process="0 weeks", **rich)},
        on(4, new_unit=body), weeks=10, entry={"outside": 300}, contact={"outside_rate": "40 /year"},
        talent={"base_cap": "50M USD/year"},
    )  # fmt: skip
    seen = live(scenario(data), range(2))
    talent = seen.tables["spells"].drop_duplicates(["run", "researcher"])[["run", "researcher", "talent"]]
    offers = seen.tables["offers"].merge(talent, on=["run", "researcher"])
    written = offers[offers["offer_week"].notna()]
    yearly = (written["base_cents"] + (written["sign_on_cents"] + written["grant_cents"]) / 4) / 100
    factor = np.where(written["unit"] == "third", 3, 1)
    np.testing.assert_allclose(yearly, 200_000 * factor * written["talent"], rtol=1e-4)
    later = written[written["contact_week"] >= 4]
    share, n = (later["unit"] == "third").mean(), len(later)
    assert n > 150
    assert abs(share - 0.75) < Z * np.sqrt(0.75 * 0.25 / n)
    assert set(written[written["contact_week"] < 4]["unit"]) == {"old", "new"}


def test_a_layoff_releases_a_rounded_share_of_least_surplus() -> None:
    data = quiet({"a": lab(25), "b": lab(10)}, on(1, layoff={"share": 0.1}))
    market = opened(data, weeks=1)
    surplus, rows = {}, {j: staff(market, j) for j in (0, 1)}
    for j in (0, 1):
        value = appraisal.observed_value(market, rows[j], np.full(len(rows[j]), j))
        surplus[j] = value - appraisal.present_cost(market, rows[j])
    after_shocks(market)
    for j, count in ((0, 3), (1, 1)):  # floor(2.5 + 1/2) and floor(1 + 1/2)
        least = rows[j][np.argsort(surplus[j])[:count]]
        assert set(rows[j][market.researchers.place[rows[j]] == OUTSIDE].tolist()) == set(least.tolist())
    assert market.labs.headcount.tolist() == [[22, 9]]
    one = quiet({"a": lab(25), "b": lab(10)}, on(1, layoff={"lab": "a", "share": 1.0}))
    assert live(scenario(one), [0]).seen("headcount")[-1].tolist() == [[0, 10]]


def test_a_retention_grant_raises_the_pay_of_staying_of_the_best() -> None:
    """By phi_E times the kernel of the part in shares over the horizon; its cash is paid at once."""
    body = {"lab": "a", "package": "4M USD", "share": 0.25}
    data = quiet({"a": lab(20, talent_opening="500M USD"), "b": lab(10)}, on(1, retention_grant=body))
    market = opened(data, weeks=1)
    rows = staff(market, 0)
    best = rows[np.argsort(-market.researchers.talent[rows])[:5]]
    before, cash = appraisal.stay_pay(market, rows), market.ledger.balances[0, 3]
    after_shocks(market)
    gain = appraisal.stay_pay(market, rows) - before
    equity = market.scenario.market.equity
    kappa = appraisal.retention_kappa(market, np.zeros(1, np.int64))[0]
    due = (kappa - equity.sign_on_share) * 4e6 / equity.horizon
    np.testing.assert_allclose(gain, np.where(np.isin(rows, best), due, 0), atol=0.01)
    assert cash - market.ledger.balances[0, 3] == 5 * 4 * M // 10


def test_retention_grants_stop_where_the_cash_does() -> None:
    """7.9M in the account pays 400k in cash to 19 of 40."""
    body = {"lab": "a", "package": "4M USD", "share": 1.0}
    poor = lab(40, talent_opening="7.9M USD", talent_inflow="0 USD/year")
    market = after_shocks(opened(quiet({"a": poor}, on(0, retention_grant=body))))
    assert (market.researchers.retention > 0).sum() == 19
    assert market.ledger.balances[0, 3] == 7.9 * M - 19 * 0.4 * M


# ---- rules of the market


def busy(labs: dict[str, Any], *events: dict[str, Any], weeks: int = 16, **market: Any) -> dict[str, Any]:
    """A market in which rivals approach each other's people often and many go."""
    parts = {
        "contact": {"rate": "12 /year", "outside_rate": "0 /year"},
        "choice": {"attachment_mean": 0.0},
        "exits": NOBODY_MOVES["exits"],
        "entry": NOBODY_MOVES["entry"],
    }
    parts |= {name: parts.get(name, {}) | given for name, given in market.items()}
    return market_of(labs, weeks=weeks, events=list(events), market=parts)


RIVALS = {name: lab(40, talent_opening="600M USD") for name in "ab"}


def test_without_interviews_offers_go_out_in_the_week_of_contact() -> None:
    labs = {"a": RIVALS["a"] | {"process": "3 weeks"}, "b": RIVALS["b"]}
    data = busy(labs, on(6, process_change={"lab": "a", "process": "0 weeks"}))
    offers = live(scenario(data), range(2)).tables["offers"]
    mine = offers[(offers["lab"] == "a") & offers["offer_week"].notna()]
    wait = mine["offer_week"] - mine["contact_week"]
    ordinary, before = mine["inviter"].isna(), mine["contact_week"] < 6
    assert wait[ordinary & before].min() == 3
    assert wait[ordinary & ~before].value_counts().idxmax() == 0  # the rest waits for money
    assert mine[ordinary & before]["interview_week"].notna().all()
    assert mine[ordinary & ~before]["interview_week"].isna().all()


@pytest.mark.parametrize("lab_meant", [None, "b"])
def test_paid_leave_delays_the_start_of_who_accepts_from_then_on(lab_meant: str | None) -> None:
    body = {"weeks": "5 weeks"} | ({"lab": lab_meant} if lab_meant else {})
    offers = live(scenario(busy(RIVALS, on(6, non_compete_rule=body), weeks=20)), range(2)).tables["offers"]
    started = offers[offers["start_week"].notna()]
    wait = started["start_week"] - started["decision_week"]
    held = (started["decision_week"] >= 6) & ((started["origin"] == "b") | (lab_meant is None))
    assert held.any()
    assert (~held).any()
    assert set(wait[held]) == {5}
    assert set(wait[~held]) == {0}


def test_under_a_salary_cap_no_offer_and_no_retention_package_costs_more() -> None:
    """Base and a year of the package; what somebody has already may be more, but is not raised."""
    cap = 900_000
    rule = on(5, salary_cap={"pay": "900k USD/year"})
    grant = on(6, retention_grant={"lab": "b", "package": "2M USD"})
    pull = on(6, campaign=A_CAMPAIGN | {"pricing": "at_cap"})
    data = busy(RIVALS, rule, grant, pull, counter={"detection": 1.0, "probability": 1.0})
    seen = live(scenario(data), range(2)).tables["offers"]
    written = seen[seen["offer_week"].notna()]
    yearly = (written["base_cents"] + (written["sign_on_cents"] + written["grant_cents"]) / 4) / 100
    capped = written["offer_week"] >= 5
    assert yearly[capped].max() == pytest.approx(cap, abs=30)  # weekly base is in whole cents
    assert yearly[~capped].max() > 2 * cap
    market = open_market(scenario(data), 1, np.arange(2))
    raised = 0
    for _ in range(16):
        cost = appraisal.present_cost(market, np.arange(len(market.researchers.place)))
        place, spell = market.researchers.place.copy(), market.researchers.spell.copy()
        held = market.researchers.retention.copy()
        advance(market)
        if market.week <= 5:
            continue
        same = (market.researchers.spell == spell) & (place >= 0) & (market.researchers.retention > held)
        raised += int(same.sum())
        now = appraisal.present_cost(market, np.arange(len(cost)))
        assert (now[same] <= np.maximum(cap + 30, cost[same])).all()
    assert raised > 0


def test_a_revaluation_multiplies_every_grant_held_and_no_base() -> None:
    data = quiet({"a": lab(30), "b": lab(30)}, on(1, revaluation={"lab": "a", "factor": 2.5}))
    market = opened(data, weeks=1)
    rows = np.concatenate([staff(market, 0), staff(market, 1)])
    base = market.researchers.weekly_base[rows] * WEEKS_PER_YEAR / 100
    before = appraisal.stay_pay(market, rows) - base
    after_shocks(market)
    vests = appraisal.stay_pay(market, rows) - base
    factor = np.where(market.researchers.place[rows] == 0, 2.5, 1)
    np.testing.assert_allclose(vests, before * factor, rtol=1e-9)


def test_a_talent_inflow_grows_at_its_rate_from_the_event_on() -> None:
    """e^(0.52 k / 52.18) after k weeks, to the cent rounded each week."""
    body = {"lab": "a", "growth": "52 %/year", "talent_inflow": 2.0}
    data = quiet(
        {"a": lab(5, talent_inflow=f"{WEEKS_PER_YEAR}M USD/year")}, on(3, budget_change=body), weeks=12
    )
    ledger = live(scenario(data), [0]).tables["ledger"]
    found = ledger[(ledger["kind"] == "inflow") & (ledger["credit"] == "a:talent")]["cents"].to_numpy()
    grown = 2 * M * np.exp(0.52 / WEEKS_PER_YEAR * np.arange(9))
    np.testing.assert_allclose(found, [M, M, M, *grown], atol=1)


@pytest.mark.parametrize(("policy", "most"), [("match_every", None), ("match_once", 1), ("off", 0)])
def test_a_lab_answers_as_often_as_its_new_rule_says(policy: str, most: int | None) -> None:
    """Within a spell: match_every answers again and again, match_once once, off never."""
    rule = on(4, counter_rule={"lab": "b", "policy": policy})
    labs = {"a": RIVALS["a"], "b": RIVALS["b"] | {"counter_policy": "off"}}
    data = busy(labs, rule, weeks=40, choice={"attachment_mean": 3.0}, value={"median": "6M USD/year"})
    seen = live(scenario(data), range(2))
    offers = seen.tables["offers"]
    mine = offers[(offers["origin"] == "b") & offers["counter_week"].notna()]
    times = mine.groupby(["run", "researcher"])["counter_week"].nunique()
    assert mine.empty or mine["counter_week"].min() >= 4
    assert (seen.seen("counters")[:4, :, 1] == 0).all()
    if most is None:
        assert times.max() >= 3
    else:
        assert len(times) == 0 or times.max() == most
        assert (most == 0) == mine.empty


def test_who_never_learns_of_a_bid_never_answers_it() -> None:
    for change in ({"detection": 0.0}, {"probability": 0.0}):
        rule = on(0, counter_rule={"lab": "b", "policy": "match_every"} | change)
        assert live(scenario(busy(RIVALS, rule)), [0]).seen("counters")[:, 0, 1].sum() == 0


# ---- founders


def boom(probability: float, reserved: int, weeks: int = 40) -> dict[str, Any]:
    plan = [{"date": "2023-07-01", "staff": 10}]
    places = {
        f"new-{i}": lab(
            0, reserved=True, talent_opening="0 USD", treasury={}, talent_inflow="0 USD/year",
            process="0 weeks", headcount_plan=plan, founded="2023-01-01",
        )
        for i in range(reserved)
    }  # fmt: skip
    return quiet(
        {"a": lab(60), "b": lab(60)} | places,
        on(4, founding_boom={"probability": probability, "seed": "500M USD"}), weeks=weeks,
        exits={"found": "0.5 /year"}, entry={"outside": 60}, contact={"outside_rate": "12 /year"},
    )  # fmt: skip


def test_founders_open_the_labs_reserved_and_these_hire() -> None:
    seen = live(scenario(boom(1.0, 3)), range(4))
    events, heads = seen.tables["events"], seen.seen("headcount")
    births = events[events["kind"] == "lab_founded"]
    assert births.groupby("run")["name"].apply(list).tolist() == [["new-0", "new-1", "new-2"]] * 4
    seeds = {(run, week, credit): cents for run, week, _, credit, cents in postings(seen, "seed")}
    assert len(seeds) == 12
    assert set(seeds.values()) == {500 * M}
    founded = seen.seen("left")[..., 1]  # weeks, runs, labs
    for run, week, name in births[["run", "week", "name"]].itertuples(index=False):
        number = 2 + int(name[-1])
        assert week >= 4
        assert (run, week, f"{name}:talent") in seeds
        assert (heads[:week, run, number] == 0).all()
        assert heads[week, run, number] == 1
        assert heads[-1, run, number] > 3
        assert seen.seen("hires")[week:, run, number].sum() >= heads[-1, run, number]
    for run in range(4):  # with certainty the first three founders from week 4 on open the three
        weeks = np.repeat(np.arange(40), founded[:, run].sum(axis=1))
        assert births[births["run"] == run]["week"].tolist() == weeks[weeks >= 4][:3].tolist()
    assert (seen.seen("drift") == 0).all()
    assert (seen.seen("headcount") == seen.seen("heads")).all()


def test_founders_stay_founders_where_no_place_is_left_or_chance_is_nil() -> None:
    seen = live(scenario(boom(0.0, 2)), range(2))
    assert (seen.seen("headcount")[..., 2:] == 0).all()
    assert not seen.tables["events"]["kind"].eq("lab_founded").any()
    crowded = live(scenario(boom(1.0, 1)), [0])
    assert crowded.tables["events"]["kind"].eq("lab_founded").sum() == 1
    assert (crowded.after.researchers.place == FOUNDER).sum() > 1


def test_a_founded_lab_that_fails_is_gone_and_its_place_is_not_given_again() -> None:
    data = put(boom(1.0, 2), "events.0.founding_boom.seed", "100 USD")
    seen = live(scenario(data), range(3))
    kinds = seen.tables["events"].groupby("run")["kind"].value_counts().unstack()
    assert kinds["lab_founded"].tolist() == kinds["failure"].tolist() == [2] * 3
    assert (seen.seen("headcount")[-1, :, 2:] == 0).all()
    assert (seen.seen("left")[4:, :, :2, 1].sum(axis=(0, 2)) > 10).all()


def test_half_of_the_founders_open_labs_at_a_probability_of_one_half() -> None:
    """Places for all: the number opened is binomial."""
    data = boom(0.5, 30, weeks=14)
    seen = live(scenario(data), range(20))
    founders = seen.seen("left")[4:, :, :2, 1].sum()
    opened_labs = seen.tables["events"]["kind"].eq("lab_founded").sum()
    assert founders > 150
    assert abs(opened_labs / founders - 0.5) < Z * np.sqrt(0.25 / founders)


# ---- campaigns


def pushed(weeks: int = 24, **campaign: Any) -> dict[str, Any]:
    """A campaign at people who often refuse; nobody else approaches anybody."""
    labs = {"a": lab(40), "b": lab(40, talent_opening="600M USD")}
    return quiet(
        labs, on(1, campaign=A_CAMPAIGN | campaign), weeks=weeks, choice={"attachment_mean": 2.0},
        counter={"detection": 1.0, "probability": 1.0}, value={"median": "3M USD/year"},
        ties={"invitations": 0},
    )  # fmt: skip


def test_exploding_offers_leave_no_time_for_an_answer() -> None:
    counters = {
        exploding: live(scenario(pushed(exploding=exploding)), range(4)).tables["offers"]["counter_week"]
        for exploding in (False, True)
    }
    assert counters[False].notna().sum() > 20
    assert counters[True].notna().sum() == 0


def test_a_refused_offer_is_made_again_at_more_pay_and_meets_the_same_taste() -> None:
    data = pushed(repeats=2, repeat_after="3 weeks", raise_factor=1.5, package_cap="80M USD")
    data["labs"]["b"]["counter_policy"] = "off"
    offers = live(scenario(data), range(4)).tables["offers"]
    package = offers["sign_on_cents"] + offers["grant_cents"]
    again = 0
    for _, mine in offers.assign(package=package).groupby(["run", "researcher"]):
        assert len(mine) <= 3
        assert (mine["outcome"][:-1] == "declined").all()
        assert len(mine) == 3 or mine["outcome"].iloc[-1] == "accepted"
        assert ((np.diff(mine["package"]) > 0) | (mine["package"][1:] == 80 * M)).all()
        assert set(np.diff(mine["offer_week"])) <= {3}
        again += int((np.diff(mine["package"]) > 0).sum())
    assert again > 20


def test_an_offer_repeated_at_the_same_worth_is_refused_again() -> None:
    """The same taste, the same pay and terms: nobody changes her mind. At the cap pay cannot rise."""
    data = pushed(repeats=2, repeat_after="2 weeks", raise_factor=1.0)
    data["labs"]["b"]["counter_policy"] = "off"
    data["market"]["choice"] |= {"ties_weight": 0.0, "compute_weight": 0.0, "tenure_effect": 0.0}
    data["market"]["equity"] = {"discount_rate": "0 %/year", "exit_hazard": "0 %/year"}
    data["labs"]["b"] |= {"vesting": {"length": "50 years", "cliff": "0 months"}}
    offers = live(scenario(data), range(4)).tables["offers"]
    repeated = offers[offers.duplicated(["run", "researcher"])]
    assert len(repeated) > 40
    # vests fall by a week in 2600 and new years of tenure bring new tastes: some few go after all
    first_year = repeated.merge(opening_tenure(data), on=["run", "researcher"])
    assert len(first_year) > 10
    assert (first_year["outcome"] == "accepted").mean() < 0.02


def opening_tenure(data: dict[str, Any]) -> Any:
    """Run and researcher of those whose whole year of tenure does not change while the market lasts."""
    spells = live(scenario(data), range(4)).tables["spells"]
    opening = spells[spells["origin"] == "opening"]
    since = (-opening["start_week"]) % WEEKS_PER_YEAR
    return opening[since < WEEKS_PER_YEAR - 26][["run", "researcher"]]


@pytest.mark.parametrize("repeats", [0, 2])
@pytest.mark.parametrize("interviews", ["skip", "normal"])
def test_what_is_left_of_the_envelope_returns_once_nothing_is_pending(repeats: int, interviews: str) -> None:
    data = pushed(weeks=60, repeats=repeats, interviews=interviews, envelope="150M USD")
    data["labs"]["b"]["non_compete"] = "6 weeks"
    seen = live(scenario(data), range(3))
    ledger = seen.tables["ledger"]
    for run in range(3):
        mine = ledger[ledger["run"] == run]
        paid_in = mine[mine["credit"] == "push:envelope"]
        paid_out = mine[mine["debit"] == "push:envelope"]
        assert paid_in["cents"].tolist() == [150 * M]
        assert paid_out["cents"].sum() == 150 * M
        assert set(paid_out["kind"]) == {"sign_on", "first_year_base", "returned"}
        back = paid_out[paid_out["kind"] == "returned"]
        assert back["credit"].tolist() == ["a:treasury"]
        offers = seen.tables["offers"][seen.tables["offers"]["run"] == run]
        last = max(offers["decision_week"].max(), offers["start_week"].max())
        assert back["week"].iloc[0] > last
    assert (seen.seen("drift") == 0).all()
    assert (seen.seen("promised") == seen.seen("promised_by_offers")).all()


def test_a_campaign_stays_open_for_those_whose_interviews_began_before_they_were_cut() -> None:
    """Approached in weeks 1 to 3 with interviews of nine weeks; from week 4 on there are none."""
    data = pushed(interviews="normal", weeks=24) | {}
    data["labs"]["a"]["process"] = "9 weeks"
    data["market"]["hiring"] = {"patience": "0 weeks"}
    data["events"].append(on(4, process_change={"lab": "a", "process": "0 weeks"}))
    offers = live(scenario(data), range(2)).tables["offers"]
    assert offers["offer_week"].notna().all()
    assert set(offers["offer_week"]) == {10, 11, 12}


# ---- plans


def test_every_event_happens_in_the_runs_alone_in_which_its_plan_has_fired() -> None:
    """Where it has not, all tables are those of a market without the events, bit for bit."""
    assert {kind for event in all_kinds() for kind in event if kind != "on"} == set(KINDS)
    plan = {"plan": "alarm", "lab": "a", "when": {"standing_below": 0.75, "after": "7 days"}}
    labs = {"a": lab(30), "b": lab(30), "c": lab(10), "new": lab(0, reserved=True, treasury={})}
    data = market_of(labs, weeks=12, events=[plan])
    data["market"] = {
        "standing": {"noise": 0.6},
        "contact": {"rate": "12 /year"},
        "exits": {"found": "1 /year"},
    }
    parts = [event | {"part_of": "alarm"} for event in all_kinds()]
    # the units of the events are there in both, so that places of units are the same
    idle = [event | {"part_of": "never"} for event in all_kinds()]
    never = {"plan": "never", "lab": "a", "when": {"standing_below": 1e-6}}
    runs = range(16)
    found = run_block(scenario(data | {"events": [plan, *parts]}), 1, runs)
    calm = run_block(scenario(data | {"events": [plan, never, *idle]}), 1, runs)
    events = found["events"].to_pandas()
    fired = events[events["kind"] == "plan"].set_index("run")["week"]
    assert 3 < len(fired) < 13
    for run in runs:
        mine = events[events["run"] == run]
        if run in fired.index:
            assert set(KINDS) <= set(mine["kind"])
            assert mine[mine["kind"].isin(KINDS)]["week"].min() >= max(fired[run], 2)
        else:
            assert mine.empty
            assert hashes_of(found, run) == hashes_of(calm, run)


def test_a_plan_may_set_off_another_labs_plan() -> None:
    events = [
        on(1, model_release={"lab": "a", "surprise": -2.0}),
        {"plan": "first", "lab": "a", "when": {"standing_below": 0.8, "after": "1 week"}},
        {"plan": "second", "lab": "b", "when": {"plan": "first", "after": "3 weeks"}},
        on(0, part_of="first", hiring_freeze={"lab": "a", "weeks": "1 week"}),
        on(0, part_of="second", hiring_freeze={"lab": "b", "weeks": "1 week"}),
    ]
    seen = live(scenario(quiet({"a": lab(5), "b": lab(5)}, *events, weeks=12)), range(2)).tables["events"]
    mine = seen[seen["run"] == 0][["week", "kind", "name"]].to_numpy().tolist()
    assert sorted(mine) == [
        [1, "model_release", "a"], [2, "hiring_freeze", "a"], [2, "plan", "first"],
        [5, "hiring_freeze", "b"], [5, "plan", "second"],
    ]  # fmt: skip


def test_talks_of_a_plan_last_from_its_firing_on() -> None:
    """The plan fires in week 3: talks of four weeks end in week 7, though their earliest date is week 0."""
    plan = {"plan": "alarm", "lab": "a", "when": {"standing_below": 0.8, "after": "1 week"}}
    talks = on(0, part_of="alarm", talks=TALKS | {"weeks": "4 weeks"})
    flop = on(2, model_release={"lab": "a", "surprise": -2.0})
    data = quiet({"a": lab(5, **RICH), "b": lab(5)}, plan, talks, flop, weeks=12)
    events = live(scenario(data), [0]).tables["events"]
    assert events[events["kind"] != "deal"][["week", "kind"]].to_numpy().tolist() == [
        [2, "model_release"], [3, "plan"], [7, "talks"],
    ]  # fmt: skip


# ---- relations between scenarios


def test_labs_reserved_that_nobody_opens_change_no_other_decision() -> None:
    """Bit for bit: with room for five labs, and a boom in which nobody has the luck to open one."""
    data = everybody_moves()
    places = {f"r{i}": lab(0, reserved=True, treasury={}, talent_opening="0 USD") for i in range(5)}
    roomy = data | {"labs": data["labs"] | places}
    idle = on(2, founding_boom={"probability": 0.0, "seed": "1B USD"})
    one, other, boom = (
        {name: table.to_pandas() for name, table in run_block(scenario(each), 1, range(4)).items()}
        for each in (data, roomy, roomy | {"events": [*data["events"], idle]})
    )
    assert (one["spells"]["cause"] == "found").sum() > 20
    for more in (other, boom):
        more["labs"] = more["labs"][more["labs"]["lab"].isin(data["labs"])]
        more["ledger"] = more["ledger"][~more["ledger"]["credit"].str.match("r[0-9]:")]
        more["events"] = more["events"][more["events"]["kind"] != "founding_boom"]
        for name, table in one.items():
            pd.testing.assert_frame_equal(
                table.reset_index(drop=True), more[name].reset_index(drop=True), check_categorical=False
            )


def test_what_happens_in_the_last_week_changes_nothing_before_it() -> None:
    """An event of every kind at once, in week 13 of 14."""
    data = everybody_moves()
    data["labs"]["r"] = lab(0, reserved=True, treasury={})
    late = [event | {"on": str(date(2023, 5, 1) + timedelta(weeks=13))} for event in all_kinds()]
    for event in late:
        if "campaign" in event:
            event["campaign"] = event["campaign"] | {"name": "late"}
    one, other = (
        {name: table.to_pandas() for name, table in run_block(scenario(each), 1, range(4)).items()}
        for each in (data, data | {"events": [*data["events"], *late]})
    )
    assert len(other["events"]) >= len(one["events"]) + 4 * len(KINDS)
    weeks = dict.fromkeys(("labs", "ledger", "events"), "week")
    for name, week in (weeks | {"spells": "end_week", "offers": "decision_week"}).items():
        before, after = (table[name][table[name][week] < 13].reset_index(drop=True) for table in (one, other))
        assert len(before)
        if name == "offers":  # numbered within the run, with what is offered later among them
            before, after = before.drop(columns="offer"), after.drop(columns="offer")
        pd.testing.assert_frame_equal(before, after, check_categorical=False)
    assert not one["labs"].equals(other["labs"])
