"""The laws of the market, week by week, in the article's scenario and in one where all goes wrong."""

import math
from collections import Counter
from datetime import timedelta
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_markets import Life, hard_times, lab, live, market_of, scenario, weeks_of

from sim.market.state import CAUSES
from sim.scenario.loading import load_scenario
from sim.scenario.schema import Scenario

KEYS = ["run", "week", "lab"]


@cache
def lived(name: str) -> Life:
    if name == "meta-2025":
        return live(load_scenario("meta-2025"), range(4))
    raises = {} if name == "hard times" else {"pay_equity": {"raise_probability": 0.0}}
    data = hard_times()
    return live(scenario(data | {"market": data["market"] | raises}), range(8))


@pytest.fixture(params=["meta-2025", "hard times"])
def life(request: pytest.FixtureRequest) -> Life:
    return lived(request.param)


def rows(table: pd.DataFrame, *keys: str) -> Counter[tuple[Any, ...]]:
    return Counter(zip(*(table[key].tolist() for key in keys), strict=True))


def series(life: Life, column: str) -> Counter[tuple[Any, ...]]:
    """A column of the labs table as a counter of (run, week, lab)."""
    table = life.tables["labs"]
    pairs = zip(zip(*(table[key].tolist() for key in KEYS), strict=True), table[column].tolist(), strict=True)
    return +Counter(dict(pairs))


# ---- what was set up is what the tests are about


def test_hard_times_are_hard() -> None:
    """The scenario of this file does what its docstring says, or the laws would be tested on nothing."""
    seen = lived("hard times")
    found = seen.tables
    assert {"failure", "campaign", "acquihire", "hiring_freeze", "investment"} <= set(found["events"]["kind"])
    offers = found["offers"]
    assert set(offers["outcome"]) == {"accepted", "declined", "lapsed"}
    assert (offers["counter_cents"] > 0).sum() > 20
    assert {"retention", "clawback", "shortfall"} <= set(found["ledger"]["kind"])
    assert set(found["spells"]["cause"].dropna()) == set(CAUSES)
    assert (seen.seen("promised").max(axis=(0, 1)) > 0).sum() >= 4  # three labs and a campaign


# ---- money


def test_money_is_conserved_every_week(life: Life) -> None:
    assert (life.seen("drift") == 0).all()


def test_no_account_ever_falls_below_zero(life: Life) -> None:
    assert (life.seen("lowest_balance") >= 0).all()


def test_no_lab_promises_what_it_cannot_pay(life: Life) -> None:
    assert (life.seen("promised") >= 0).all()
    assert (life.seen("promised") <= life.seen("line_balance")).all()


def test_promises_are_the_escrow_of_the_live_offers(life: Life) -> None:
    assert (life.seen("promised") == life.seen("promised_by_offers")).all()


def test_a_campaign_never_commits_more_than_its_envelope(life: Life) -> None:
    committed = life.seen("campaign_committed")
    bodies = [event.body for event in life.after.constants.campaigns]
    whole = [b.envelope if b.envelope is not None else b.researchers * b.package_cap for b in bodies]
    assert (committed <= np.array(whole)).all()
    assert (committed == life.seen("campaign_committed_by_offers")).all()
    assert committed.max() > 0


def test_recorded_balances_are_those_of_the_recorded_postings(life: Life) -> None:
    labs, ledger = life.tables["labs"], life.tables["ledger"]
    for account, column in (("talent", "cash_cents"), ("treasury", "treasury_cents")):
        for name in life.scenario.labs:
            key = f"{name}:{account}"
            into = ledger[ledger["credit"] == key].groupby(["run", "week"])["cents"].sum()
            out = ledger[ledger["debit"] == key].groupby(["run", "week"])["cents"].sum()
            series = labs[labs["lab"] == name].set_index(["run", "week"])[column]
            change = into.reindex(series.index, fill_value=0) - out.reindex(series.index, fill_value=0)
            assert change.groupby("run").cumsum().tolist() == series.tolist()


SPENT = ["payroll", "sign_on", "grant", "refresh", "retention", "deal", "investment"]


def test_spending_is_payroll_pay_of_hires_retention_deals_and_investments(life: Life) -> None:
    ledger = life.tables["ledger"]
    paid = ledger[ledger["kind"].isin(SPENT)]
    owner = {f"{event.body.name}:envelope": event.body.lab for event in life.after.constants.campaigns}
    payer = paid["debit"].astype(str).map(lambda a: owner.get(a, a.split(":")[0]))
    spent = paid.assign(lab=payer).query("lab != 'outside'").groupby(KEYS)["cents"].sum()
    assert +Counter(spent.to_dict()) == series(life, "spend_cents")


def test_who_stays_for_a_counter_offer_receives_its_cash_part_and_nobody_else() -> None:
    """Where no lab raises the underpaid, which is paid as retention too."""
    life = lived("no raises")
    offers, ledger = life.tables["offers"], life.tables["ledger"]
    countered = offers[offers["counter_cents"] > 0].copy()
    countered["left"] = countered["outcome"] != "declined"
    groups = countered.groupby(["run", "researcher", "counter_week"])
    stayed = groups.agg(cents=("counter_cents", "first"), left=("left", "any"))
    share = life.scenario.market.equity.sign_on_share
    cash = np.floor(stayed[~stayed["left"]]["cents"] * share).groupby("run").sum()
    paid = ledger[ledger["kind"] == "retention"].groupby("run")["cents"].sum()
    assert paid.to_dict() == cash.to_dict()
    assert (paid > 0).all()


def test_who_stayed_for_a_counter_offer_holds_its_grant_as_long_as_she_stays() -> None:
    """At the end, person by person, at labs that answer once; valuations are 1: a share is a cent of face."""
    life = lived("no raises")
    labs, people = life.scenario.labs, life.after.researchers
    once = [name for name, each in labs.items() if each.counter_policy != "second_price"]
    offers, spells = life.tables["offers"], life.tables["spells"]
    countered = offers[offers["counter_cents"] > 0]
    left = countered.assign(left=countered["outcome"] != "declined").groupby(["run", "researcher"])
    last = left[["counter_week", "counter_cents", "left"]].last().reset_index()
    now = spells[spells["censored"] & spells["lab"].isin(once)].merge(last, on=["run", "researcher"])
    now = now[(now["start_week"] < now["counter_week"]) & ~now["left"]]
    cash = np.floor(now["counter_cents"] * life.scenario.market.equity.sign_on_share)
    holders = now["run"] * life.after.people + now["researcher"]
    expected = np.zeros(len(people.retention), np.int64)
    expected[holders] = now["counter_cents"] - cash
    here = np.isin(people.place, [list(labs).index(name) for name in once])
    assert (people.retention[here] == expected[here]).all()
    assert people.retention_week[holders].tolist() == now["counter_week"].tolist()
    assert len(now) > 0


def test_raises_for_the_underpaid_are_paid_as_retention() -> None:
    """More is paid than for counter-offers alone, and nothing more where no lab raises."""
    paid = {}
    for name in ("hard times", "no raises"):
        ledger = lived(name).tables["ledger"]
        paid[name] = ledger[ledger["kind"] == "retention"]["cents"].sum()
    assert paid["hard times"] > paid["no raises"] > 0


def test_who_leaves_within_the_clawback_pays_back_the_sign_on_for_the_weeks_not_served(life: Life) -> None:
    """All who were hired and left again, but for those whom their lab released, to the cent."""
    window = life.scenario.market.equity.clawback
    offers, spells, ledger = (life.tables[name] for name in ("offers", "spells", "ledger"))
    paid = offers[offers["start_week"].notna()].astype({"lab": str})
    left = spells[~spells["censored"] & (spells["cause"] != "released")].astype({"lab": str})
    both = paid.merge(left, on=["run", "researcher", "lab", "start_week"], validate="1:1")
    served = (both["end_week"] - both["start_week"]).astype(int)
    both["owed"] = both["sign_on_cents"] * (window - served).clip(lower=0) // window
    owed = both[both["owed"] > 0].groupby(["run", "end_week", "lab"])["owed"].sum()
    back = ledger[ledger["kind"] == "clawback"].astype({"credit": str})
    found = back.groupby(["run", "week", back["credit"].str.removesuffix(":talent")])["cents"].sum()
    assert found.to_dict() == owed.to_dict()
    assert len(found) > 0


# ---- people


def test_everybody_is_in_one_place_and_in_a_unit_of_her_lab(life: Life) -> None:
    assert life.seen("in_place").all()


def test_only_who_has_accepted_an_offer_is_leaving(life: Life) -> None:
    assert life.seen("leaving").all()


@pytest.mark.parametrize(
    ("kept", "anew"),
    [
        ("headcount", "heads"),
        ("weekly_payroll", "payroll_of_rows"),
        ("talent_sum", "talent_of_rows"),
        ("pending", "pending_rows"),
    ],
)
def test_sums_that_are_kept_equal_sums_made_anew(life: Life, kept: str, anew: str) -> None:
    assert (life.seen(kept) == life.seen(anew)).all()


def test_headcount_changes_by_hires_and_departures_alone(life: Life) -> None:
    opening = np.array([[each.staff for each in life.scenario.labs.values()]])
    headcount = life.seen("headcount")
    before = np.concatenate([np.broadcast_to(opening, headcount[:1].shape), headcount[:-1]])
    assert (headcount - before == life.seen("hires") - life.seen("left").sum(axis=-1)).all()


def test_who_is_hired_from_a_rival_has_left_one(life: Life) -> None:
    rival, acquired = CAUSES.index("rival"), CAUSES.index("acquihire")
    left = life.seen("left").sum(axis=2)
    assert (life.seen("from_rivals").sum(axis=2) == left[..., rival]).all()
    assert (life.seen("acquihires").sum(axis=2) == left[..., acquired]).all()
    assert (life.seen("from_rivals") + life.seen("acquihires") <= life.seen("hires")).all()


def planned(of: Scenario, lab: str, ahead: int) -> list[float]:
    """Whole heads that a lab plans, each week, for so many weeks ahead, dated events included."""
    changes = [e for e in of.events if e.budget_change and e.on and e.body.lab in (lab, None)]
    weeks = []
    for week in range(of.horizon):
        factor = math.prod(e.body.headcount_plan for e in changes if of.week_of(e.on) <= week)
        day = of.start + timedelta(weeks=week + ahead)
        weeks.append(float(np.floor(factor * of.planned_headcount(lab, day) + 1e-9)))
    return weeks


def test_outside_hires_never_go_beyond_the_vacancies(life: Life) -> None:
    """Heads and outsiders under way may exceed the plan, but never because outsiders were approached.

    Each week the two together are at most the plan for the week in which the hire would start, or what
    they were before plus who was bought; rivals' staff come on top, since money alone limits them.
    """
    heads = life.seen("headcount") + life.seen("pending")
    opening = np.array([[each.staff for each in life.scenario.labs.values()]])
    before = np.concatenate([np.broadcast_to(opening, heads[:1].shape), heads[:-1]])
    of = life.scenario
    plan = np.transpose([planned(of, name, each.process) for name, each in of.labs.items()])[:, None, :]
    limit = np.maximum(plan, before + life.seen("acquihires")) + life.seen("from_rivals")
    assert (heads <= limit).all()
    assert (heads == np.floor(plan)).any()


def test_without_offers_to_rivals_staff_headcount_keeps_to_the_plan() -> None:
    growing = lab(20, headcount_plan=[{"date": "2024-05-01", "staff": 60}], founded="2023-01-01")
    data = market_of({"a": growing, "b": lab(25)}, weeks=52)
    data["market"]["contact"] = {"rate": "0 /year", "outside_rate": "200 /year"}
    data["market"]["entry"] = {"outside": 300}
    of = scenario(data)
    for market in weeks_of(of, range(4)):
        day = of.start + timedelta(weeks=market.week)
        plan = max(of.planned_headcount("a", day), 20)
        assert (market.labs.headcount[:, 0] <= plan).all()
        assert (market.labs.headcount[:, 1] <= 25).all()
    assert (market.labs.headcount[:, 0] >= 0.8 * plan).all()


# ---- offers


def test_no_more_offers_are_accepted_than_were_made(life: Life) -> None:
    made, accepted = life.seen("offers").cumsum(axis=0), life.seen("accepted").cumsum(axis=0)
    assert (accepted <= made).all()
    assert accepted[-1].sum() > 0


def written(life: Life) -> pd.DataFrame:
    """Offers proper: a campaign's approaches that never became an offer stand in the table too."""
    offers = life.tables["offers"]
    never = offers[offers["offer_week"].isna()]
    assert never["campaign"].notna().all()
    assert (never["outcome"] == "lapsed").all()
    assert (never[["base_cents", "sign_on_cents", "grant_cents", "counter_cents"]] == 0).all(axis=None)
    return offers.drop(never.index)


def test_weekly_counts_are_those_of_the_table_of_offers(life: Life) -> None:
    offers = written(life)
    assert rows(offers, "run", "offer_week", "lab") == series(life, "offers")
    assert (offers[offers["counter_cents"] > 0]["counter_week"].notna()).all()
    once = offers[offers["counter_week"].notna()].drop_duplicates(["run", "researcher", "counter_week"])
    assert rows(once, "run", "counter_week", "origin") == series(life, "counters")


def test_a_lab_that_matches_once_answers_once_in_a_spell(life: Life) -> None:
    """Between two of its counter-offers to one person a new spell of hers has begun."""
    offers, spells = life.tables["offers"], life.tables["spells"]
    starts: dict[tuple[int, int], list[int]] = {}
    for run, person, week in zip(spells["run"], spells["researcher"], spells["start_week"], strict=True):
        starts.setdefault((run, person), []).append(week)
    once = {name for name, each in life.scenario.labs.items() if each.counter_policy == "match_once"}
    countered = offers[offers["counter_week"].notna() & offers["origin"].isin(once)]
    countered = countered.drop_duplicates(["run", "researcher", "counter_week"])
    again = 0
    for key, weeks in countered.groupby(["run", "researcher"])["counter_week"]:
        for before, after in pairwise(sorted(weeks)):
            assert any(before <= start <= after for start in starts[key])
            again += 1
    assert again > 0 or life.scenario.name == "meta-2025"


def test_the_stages_of_an_offer_follow_one_another(life: Life) -> None:
    offers = written(life)
    assert (offers["contact_week"] <= offers["offer_week"]).all()
    decided = offers[offers["outcome"] != "lapsed"]
    assert (decided["offer_week"] <= decided["decision_week"]).all()
    assert (
        decided["counter_week"].dropna() == decided["decision_week"][decided["counter_week"].notna()]
    ).all()
    started = offers[offers["start_week"].notna()]
    assert (started["outcome"] == "accepted").all()
    assert (started["decision_week"] <= started["start_week"]).all()


def test_an_interview_lies_between_contact_and_offer_and_is_none_where_there_is_none(life: Life) -> None:
    offers = written(life)
    process = offers["lab"].astype(str).map({name: each.process for name, each in life.scenario.labs.items()})
    skipped = {e.body.name for e in life.after.constants.campaigns if e.body.interviews == "skip"}
    without = (process == 0) | offers["campaign"].isin(skipped)
    if (
        life.scenario.market.interviews.interest == "off"
    ):  # else those whom a colleague asks are asked at once
        without |= offers["inviter"].notna()
    held = offers["interview_week"]
    assert held[without].isna().all()
    assert (held[~without] >= offers["contact_week"][~without]).all()
    assert (held[~without] <= offers["offer_week"][~without]).all()


def test_who_accepts_at_a_lab_with_a_non_compete_starts_after_her_paid_leave(life: Life) -> None:
    offers = life.tables["offers"]
    leave = {name: each.non_compete for name, each in life.scenario.labs.items()}
    started = offers[offers["start_week"].notna()]
    notice = life.scenario.market.hiring.notice
    held = started["origin"].astype(str).map(lambda origin: notice + leave[origin] if origin in leave else 0)
    due = started["decision_week"] + held
    assert (started["start_week"] == due).all()


def test_a_lab_makes_a_person_one_offer_at_a_time(life: Life) -> None:
    offers = written(life)
    offers = offers[offers["outcome"] != "lapsed"].sort_values(["run", "researcher", "lab", "offer_week"])
    keys = [offers[key].astype(str) for key in ("run", "researcher", "lab")]
    same = np.logical_and.reduce([key == key.shift(-1) for key in keys])
    following = offers["offer_week"].shift(-1)
    assert (offers["decision_week"][same] < following[same]).all()
    assert same.sum() > 0


def test_a_campaign_passes_over_who_has_an_offer_of_its_lab_already(life: Life) -> None:
    offers = life.tables["offers"]
    found = offers[offers["campaign"].notna()].merge(
        written(life), on=["run", "researcher", "lab"], suffixes=("", "_running")
    )
    running = (found["offer_week_running"] < found["contact_week"]) & (
        found["contact_week"] <= found["decision_week_running"]
    )
    assert not running[found["outcome_running"] != "lapsed"].any()


def test_who_is_asked_to_follow_is_asked_by_a_colleague_who_has_just_moved(life: Life) -> None:
    """The inviter started that week at the lab that writes, and came from the lab that the asked is at."""
    offers = life.tables["offers"].astype({"lab": str, "origin": str, "campaign": str, "follows": str})
    followers = offers[offers["inviter"].notna()]
    keys = ["run", "inviter", "lab", "contact_week"]
    moved = offers[offers["start_week"].notna()]
    moved = moved[["run", "researcher", "lab", "start_week", "origin", "unit", "campaign", "follows"]]
    moved.columns = [*keys, "left", "to_unit", "hired_by", "followed"]
    found = followers.merge(moved, on=keys, validate="m:1", how="left")
    assert len(found) > 0
    assert found["left"].tolist() == found["origin"].tolist()
    assert found["to_unit"].tolist() == found["unit"].tolist()
    led = found["hired_by"].where(found["hired_by"] != "nan", found["followed"])
    assert found["follows"].tolist() == led.tolist()


def test_at_most_one_offer_is_accepted_by_a_person_in_a_week(life: Life) -> None:
    offers = life.tables["offers"]
    taken = offers[offers["outcome"] == "accepted"]
    assert not taken.duplicated(["run", "researcher", "decision_week"]).any()


# ---- spells


def test_the_weekly_headcounts_add_up_to_the_weeks_of_all_spells(life: Life) -> None:
    """Little's law, exact: sum over weeks of heads = sum over spells of weeks, for each lab and run."""
    spells = life.tables["spells"].assign(served=lambda s: s["end_week"] - s["entry_week"])
    served = spells.groupby(["run", "lab"], observed=False)["served"].sum()
    heads = life.tables["labs"].groupby(["run", "lab"], observed=False)["headcount"].sum()
    assert served.to_dict() == heads.to_dict()


def test_the_spells_of_a_person_never_overlap(life: Life) -> None:
    spells = life.tables["spells"].sort_values(["run", "researcher", "start_week", "end_week"])
    assert (spells["end_week"] >= spells["start_week"]).all()
    following = (spells[["run", "researcher"]].shift(-1) == spells[["run", "researcher"]]).all(axis=1)
    assert (spells["end_week"][following] <= spells["start_week"].shift(-1)[following]).all()
    assert (spells["entry_week"] == spells["start_week"].clip(lower=0)).all()
    last = ~following
    assert not spells["censored"][~last].any()


def test_spells_and_series_tell_the_same_story(life: Life) -> None:
    spells = life.tables["spells"]
    for cause in CAUSES:
        assert rows(spells[spells["cause"] == cause], "run", "end_week", "lab") == series(
            life, f"left_{cause}"
        )
    began = spells[spells["origin"] != "opening"]
    assert rows(began, "run", "start_week", "lab") == series(life, "hires")
    assert rows(began[began["origin"] == "rival"], "run", "start_week", "lab") == series(life, "from_rivals")
    bought = began[began["origin"] == "acquihire"]
    assert rows(bought, "run", "start_week", "lab") == series(life, "acquihires")


def test_who_moves_to_a_rival_goes_on_there_at_once(life: Life) -> None:
    spells = life.tables["spells"]
    moved = spells[spells["cause"].isin(["rival", "acquihire"])]
    went = Counter(zip(moved["run"], moved["researcher"], moved["end_week"], moved["next_lab"], strict=True))
    arrived = spells[spells["origin"].isin(["rival", "acquihire"])]
    came = Counter(
        zip(arrived["run"], arrived["researcher"], arrived["start_week"], arrived["lab"], strict=True)
    )
    assert went == came
    others = spells[~spells["cause"].isin(["rival", "acquihire"])]
    assert others["next_lab"].isna().all()


def test_a_start_in_the_table_of_offers_is_the_begin_of_a_spell(life: Life) -> None:
    offers, spells = life.tables["offers"], life.tables["spells"]
    started = offers[offers["start_week"].notna()]
    hired = spells[spells["origin"].isin(["outside", "rival"])]
    keys = ("researcher", "lab", "unit")
    assert rows(started, "run", "start_week", *keys) == rows(hired, "run", "start_week", *keys)


def test_who_starts_holds_the_grant_that_was_offered_at_the_days_valuation() -> None:
    """In shares: one share is a cent at a valuation of 1, so half as many at a valuation of 2."""
    data = market_of({"a": lab(60), "b": lab(60)}, weeks=30)
    data["market"]["contact"] = {"rate": "20 /year"}
    data["events"] = [{"on": "2023-07-03", "revaluation": {"lab": "a", "factor": 2.0}}]  # week 9
    started = {1: 0, 2: 0}
    for market in weeks_of(scenario(data), range(4)):
        batch, people = market.started, market.researchers
        valuation = market.labs.valuation[market.run_of(batch.row), batch.lab]
        assert (people.grant[batch.row] == np.rint(batch.grant / valuation)).all()
        assert (people.sign_on[batch.row] == batch.sign_on).all()
        assert (people.weekly_base[batch.row] == batch.weekly_base).all()
        for value in started:
            started[value] += int(((valuation == value) & (batch.grant > 0)).sum())
    assert min(started.values()) > 0
