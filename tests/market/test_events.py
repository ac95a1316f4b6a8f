"""What events do: the article's summer of 2025, single events, and hazards against theory.

Bounds of random tests are 4.5 standard errors, with fixed seeds.
"""

from functools import cache

import numpy as np
import pandas as pd
from small_markets import lab, live, market_of, on, put, scenario, weeks_of

from sim.market.simulate import run_block
from sim.market.state import CAUSES
from sim.scenario.loading import load_scenario
from sim.scenario.quantities import WEEKS_PER_YEAR

Z = 4.5
CAMPAIGN_CAP = 100_000_000_00
DEAL = 14_300_000_000_00


# ---- the article


@cache
def article(surprise: float = -1.5) -> dict[str, pd.DataFrame]:
    """Twenty runs cut short once the campaign is over; it approaches from week 111 to 118."""
    changes = ["horizon=120 weeks", f"events.model_release.surprise={surprise}"]
    found = run_block(load_scenario("meta-2025", changes), 1, range(20))
    return {name: table.to_pandas() for name, table in found.items()}


def campaign_offers(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Written offers of the campaign."""
    offers = tables["offers"]
    return offers[(offers["campaign"] == "meta-at-openai") & offers["offer_week"].notna()]


def test_more_than_45_openai_researchers_are_offered_up_to_a_hundred_million() -> None:
    offers = campaign_offers(article())
    assert offers.groupby("run")["researcher"].nunique().reindex(range(20)).tolist() == [46] * 20
    assert set(offers["origin"]) == {"openai"}
    assert set(offers["lab"]) == {"meta"}
    assert set(offers["unit"]) == {"superintelligence"}
    packages = offers["sign_on_cents"] + offers["grant_cents"]
    assert packages.max() <= CAMPAIGN_CAP
    assert (offers.groupby("run")["offer_week"].agg(lambda w: w.max() - w.min()) >= 7).all()


def test_the_campaign_goes_after_openais_best() -> None:
    """Its 46 have on average several times the talent of the median researcher, which is 1."""
    talent = article()["spells"].drop_duplicates(["run", "researcher"])
    approached = campaign_offers(article()).merge(talent[["run", "researcher", "talent"]], validate="m:1")
    assert (approached.groupby("run")["talent"].mean() > 3).all()


def test_the_deal_moves_its_price_from_metas_treasury_to_scales_owners() -> None:
    ledger = article()["ledger"]
    deals = ledger[ledger["kind"] == "deal"]
    assert deals["run"].tolist() == list(range(20))
    assert set(deals["cents"]) == {DEAL}
    assert set(deals["debit"]) == {"meta:treasury"}
    assert set(deals["credit"]) == {"scale:owners"}
    assert not ledger["debit"].isin(["scale:owners"]).any()


def test_the_founder_and_a_tenth_of_the_team_move_to_metas_new_unit() -> None:
    spells = article()["spells"]
    bought = spells[spells["origin"] == "acquihire"]
    assert set(bought["unit"]) == {"superintelligence"}
    at_scale = spells[(spells["lab"] == "scale") & (spells["start_week"] < 110) & (spells["end_week"] >= 110)]
    offers = article()["offers"]
    going = offers[(offers["notice_week"] < 110) & (offers["start_week"] >= 110)][["run", "researcher"]]
    at_scale = at_scale.merge(going, how="left", indicator=True).query("_merge == 'left_only'")
    staff = at_scale.groupby("run").size()  # without those who have given notice
    assert (bought.groupby("run").size() == 1 + np.floor(0.1 * (staff - 1) + 0.5)).all()
    best = at_scale.loc[at_scale.groupby("run")["talent"].idxmax()]
    assert set(best["cause"]) == {"acquihire"}
    assert set(best["end_week"]) == {110}


def test_the_plan_fires_in_every_run_a_week_after_the_release() -> None:
    events = article()["events"]
    weeks = {
        kind: events[events["kind"] == kind].groupby("run")["week"].first() for kind in set(events["kind"])
    }
    for kind, week in {
        "model_release": 104, "plan": 105, "leadership_change": 106, "acquihire": 110,
        "process_change": 110, "campaign": 111, "talks": 111, "strategy_change": 113,
    }.items():  # fmt: skip
        assert weeks[kind].to_dict() == dict.fromkeys(range(20), week)


def test_after_a_good_release_there_is_neither_plan_nor_deal_nor_campaign() -> None:
    events = article(surprise=1)["events"]
    assert set(events["kind"]) == {"model_release", "budget_change", "strategy_change"}
    assert campaign_offers(article(surprise=1)).empty
    assert not article(surprise=1)["ledger"]["kind"].isin(["deal", "envelope", "first_year_base"]).any()


# ---- single events


def test_a_frozen_lab_neither_approaches_nor_offers() -> None:
    data = market_of({"a": lab(30), "b": lab(30)}, weeks=20)
    data["market"]["contact"] = {"rate": "20 /year"}
    data["events"] = [{"on": "2023-06-12", "hiring_freeze": {"lab": "a", "weeks": "6 weeks"}}]  # week 6
    seen = live(scenario(data), range(8))
    for what in ("contacts", "offers"):
        by_week = seen.seen(what)[:, :, 0].sum(axis=1)
        assert (by_week[6:12] == 0).all()
        assert by_week[1:6].min() > 0  # an offer needs a week of interviews
        assert by_week[13:].min() > 0
    assert (seen.seen("contacts")[:, :, 1].sum(axis=1) > 0).all()


def test_a_later_freeze_lengthens_an_earlier_one_and_never_shortens_it() -> None:
    """Frozen for weeks 3 to 12, a lab stays so though all are frozen for weeks 5 and 6; another thaws."""
    data = market_of({"a": lab(30), "b": lab(30)}, weeks=20)
    data["market"]["contact"] = {"rate": "20 /year"}
    data["events"] = [
        on(3, hiring_freeze={"lab": "a", "weeks": "10 weeks"}),
        on(5, hiring_freeze={"weeks": "2 weeks"}),
    ]
    by_week = live(scenario(data), range(8)).seen("contacts").sum(axis=1)
    assert not by_week[3:13, 0].any()
    assert not by_week[5:7, 1].any()
    assert by_week[13:, 0].min() > 0
    assert by_week[7:, 1].min() > 0


def test_a_lab_that_cannot_pay_fails_releases_everybody_and_hires_no_more() -> None:
    poor = lab(10, talent_opening="100k USD", talent_inflow="0 USD/year", treasury={"opening": "300k USD"})
    seen = live(scenario(market_of({"a": lab(30), "poor": poor}, weeks=20)), range(4))
    failures = seen.tables["events"].query("kind == 'failure'").set_index("run")
    assert failures["lab"].to_dict() == dict.fromkeys(range(4), "poor")
    for run, week in failures["week"].items():
        assert (seen.seen("headcount")[week:, run, 1] == 0).all()
        assert (seen.seen("headcount")[:week, run, 1] > 0).all()
        assert (seen.seen("contacts")[week:, run, 1] == 0).all()
        assert (seen.seen("accepted")[week:, run, 1] == 0).all()
        released = seen.seen("left")[week, run, 1, CAUSES.index("released")]
        assert released == seen.seen("headcount")[week - 1, run, 1]


def test_a_campaign_that_its_lab_cannot_fund_does_not_happen() -> None:
    data = market_of({"a": lab(30, treasury={"opening": "9M USD"}), "b": lab(30)})
    body = {"name": "push", "lab": "a", "target": "b", "researchers": 5, "package_cap": "2M USD"}
    data["events"] = [{"on": "2023-05-08", "campaign": body}]
    assert live(scenario(data), [0]).tables["events"].empty
    funded = put(data, "labs.a.treasury.opening", "10M USD")
    assert live(scenario(funded), [0]).tables["events"]["kind"].tolist() == ["campaign"]


def test_an_event_waits_until_its_payer_can_pay() -> None:
    """No sooner than its date, and as soon as the treasury, which earns 1M a week, holds the price."""
    treasury = {"opening": "0 USD", "inflow": f"{WEEKS_PER_YEAR}M USD/year"}
    data = market_of({"a": lab(30, treasury=treasury), "b": lab(30)})
    data["market"]["standing"] = {"inflow_elasticity": 0.0}
    data["events"] = [{"on": "2023-05-08", "acquihire": {"buyer": "a", "target": "b", "price": "5M USD"}}]
    assert live(scenario(data), [0]).tables["events"]["week"].tolist() == [5]


# ---- theory


def test_with_constant_hazards_retention_and_causes_follow_the_exponential_law() -> None:
    """T1: hazards of 0.12, 0.05 and 0.03 a year, nobody approached; S(t) = e^(-0.2 t), CIF by cause."""
    data = market_of({"a": lab(4000, talent_opening="1B USD", talent_inflow="2B USD/year")}, weeks=104)
    data["market"] = {
        "contact": {"rate": "0 /year", "outside_rate": "0 /year"},
        "exits": {"found": "0.12 /year", "academia": "0.05 /year", "field": "0.03 /year"},
        "entry": {"outside": 0, "graduates": "0 /year", "graduates_growth": "0 /year"},
    }
    seen = live(scenario(data), range(2))
    n, years = 8000, 104 / WEEKS_PER_YEAR
    survival = np.exp(-0.2 * years)
    stayed = seen.seen("headcount")[-1].sum() / n
    assert abs(stayed - survival) < Z * np.sqrt(survival * (1 - survival) / n)
    left = seen.seen("left").sum(axis=(0, 1, 2)) / n
    for cause, rate in (("found", 0.12), ("academia", 0.05), ("field", 0.03)):
        share = rate / 0.2 * (1 - survival)
        assert abs(left[CAUSES.index(cause)] - share) < Z * np.sqrt(share * (1 - share) / n)
    assert left[CAUSES.index("rival")] == left[CAUSES.index("released")] == 0


def test_working_conditions_scale_the_hazards() -> None:
    """h = h0 e^(-b q): at q = ln 2 and b = 1 half as many leave; 0.4 a year over 52 weeks, then 0.2."""
    labs = {
        name: lab(4000, talent_opening="1B USD", talent_inflow="2B USD/year", working_conditions=q)
        for name, q in (("hard", 0.0), ("kind", float(np.log(2))))
    }
    data = market_of(labs, weeks=52)
    data["market"] = {
        "contact": {"rate": "0 /year", "outside_rate": "0 /year"},
        "exits": {"found": "0.4 /year", "academia": "0 /year", "field": "0 /year"},
        "entry": {"outside": 0, "graduates": "0 /year", "graduates_growth": "0 /year"},
    }
    *_, market = weeks_of(scenario(data), [0])
    for lab_number, rate in ((0, 0.4), (1, 0.2)):
        survival = np.exp(-rate * 52 / WEEKS_PER_YEAR)
        found = market.labs.headcount[0, lab_number] / 4000
        assert abs(found - survival) < Z * np.sqrt(survival * (1 - survival) / 4000)


def test_a_third_of_the_acquihired_leave_within_a_year_and_then_like_others() -> None:
    """K3: hazards of 0.400478 in the year after a deal, for those bought and those left, 0.127833 later."""
    money = {"talent_opening": "1B USD", "talent_inflow": "2B USD/year"}
    data = market_of({"a": lab(1, **money), "b": lab(8000, **money)}, weeks=106)
    data["market"] = {
        "contact": {"rate": "0 /year", "outside_rate": "0 /year"},
        "exits": {"found": "0.127833 /year", "academia": "0 /year", "field": "0 /year"},
        "entry": {"outside": 0, "graduates": "0 /year", "graduates_growth": "0 /year"},
    }
    deal = {"buyer": "a", "target": "b", "price": "1B USD", "team_share": 0.5}
    data["events"] = [{"on": "2023-05-01", "acquihire": deal}]
    spells = live(scenario(data), [0]).tables["spells"]
    for origin, hazard in (("acquihire", 0.400478), ("opening", 0.400478)):
        begun = spells[(spells["origin"] == origin) & (spells["cause"] != "acquihire")]
        left_by = begun["end_week"].where(~begun["censored"])
        first_year = -np.expm1(-hazard * 52 / WEEKS_PER_YEAR)
        later = -np.expm1(-0.127833 * 52 / WEEKS_PER_YEAR)
        # the acqui-hired are counted from week 1 on; none can leave in the week of the deal
        for weeks, share in (((1, 52), first_year), ((54, 105), later)):
            at_risk = (left_by.isna() | (left_by >= weeks[0])).sum()
            found = left_by.between(*weeks).sum() / at_risk
            assert abs(found - share) < Z * np.sqrt(share * (1 - share) / at_risk)
