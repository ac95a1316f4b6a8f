"""What the schema accepts, the market can run: a value is refused at the door, or nothing breaks later."""

import warnings
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from small_markets import lab, live, market_of, put, scenario

from sim.market.worth import held_kernel, vested_share
from sim.scenario.quantities import WEEKS_PER_YEAR

BASE = market_of({"a": lab(30), "b": lab(30)}, weeks=12)
BASE["market"]["contact"] = {"rate": "12 /year"}


def campaigns(count: int) -> list[dict[str, Any]]:
    body = {"lab": "a", "target": "b", "researchers": 1, "package_cap": "1M USD", "weeks": "1 week"}
    return [{"on": "2023-05-08", "campaign": body | {"name": f"push-{i}"}} for i in range(count)]


EXTREMES: dict[str, dict[str, Any]] = {
    "no staff anywhere": {"labs": {"a": lab(0), "b": lab(0)}},
    "nobody at all": {
        "labs": {"a": lab(0)},
        "market.entry": {"outside": 0, "graduates": "0 /year", "graduates_growth": "0 /year"},
    },
    "one lab": {"labs": {"a": lab(30)}},
    "one week": {"horizon": "1 week"},
    "forty campaigns": {"events": campaigns(40)},
    "a base pay of billions": {
        "market.talent.base_cap": "10B USD/year",
        "labs.a.star_pay": "20B USD/year",
        "labs.a.median_pay": "10B USD/year",
    },
    "an outside pay of billions": {"market.entry.outside_pay": "2B USD/year"},
    "no outside pay": {"market.entry.outside_pay": "0 USD/year"},
    "no pay": {"labs.a.median_pay": "0 USD/year"},
    "no value": {"market.value.median": "0 USD/year"},
    "no base pay": {"market.talent.base_share": 0.0},
    "nothing but base pay": {"market.talent.base_share": 1.0, "market.talent.base_cap": "90M USD/year"},
    "packages worth nothing": {"market.equity.sign_on_share": 0.0, "labs.a.equity_value": 0.0},
    "packages all in cash": {"market.equity.sign_on_share": 1.0},
    "vesting over no time": {"labs.a.vesting": {"length": "0 years", "cliff": "0 months"}},
    "vesting over a week": {"labs.a.vesting": {"length": "1 week", "cliff": "0 months"}},
    "a horizon of no time": {"market.equity.horizon": "0 years"},
    "no taste": {"market.choice.taste_scale": 0.001},
    "nothing but taste": {"market.choice.taste_scale": 1e5},
    "an elasticity of 30": {"market.choice.pay_elasticity": 30.0},
    "hardly any elasticity": {"market.choice.pay_elasticity": 0.01},
    "no persistence": {"market.standing.persistence": 0.0},
    "no forgetting": {"market.standing.persistence": 1.0},
    "attachment to the utmost": {"market.choice.attachment_mean": 100.0},
    "flight from everywhere": {"market.choice.attachment_mean": -100.0},
    "approached every week": {"market.contact.rate": "1000000 /year"},
    "no exits": {"market.exits": {"found": "0 /year", "academia": "0 /year", "field": "0 /year"}},
    "a lab founded on the day": {"labs.a.founded": "2023-05-01"},
    "interviews longer than the horizon": {"labs.a.process": "100 weeks"},
    "no money": {"labs.a.treasury": {"opening": "0 USD"}, "labs.a.talent_opening": "0 USD",
                 "labs.a.talent_inflow": "0 USD/year"},
    "talent without bound": {"market.talent.cap": 1e6, "market.talent.tail_exponent": 0.1},
}  # fmt: skip


@pytest.mark.parametrize("name", EXTREMES)
def test_an_extreme_is_refused_or_lived_through(name: str) -> None:
    data = BASE
    for path, value in EXTREMES[name].items():
        data = put(data, path, value)
    try:
        of = scenario(data)
    except ValidationError:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        seen = live(of, [0, 1])
    assert (seen.seen("drift") == 0).all()
    assert (seen.seen("lowest_balance") >= 0).all()
    assert (seen.seen("promised") == seen.seen("promised_by_offers")).all()
    assert (seen.seen("weekly_payroll") == seen.seen("payroll_of_rows")).all()
    offers = seen.tables["offers"]
    assert (offers[["base_cents", "sign_on_cents", "grant_cents", "counter_cents"]] >= 0).all(axis=None)
    assert np.isfinite(seen.tables["labs"]["standing"]).all()


def test_a_cliff_is_no_longer_than_the_vesting_or_all_vests_at_its_end() -> None:
    """Either the schema refuses a cliff of 24 months in 18 of vesting, or the two sides of T12 agree."""
    terms = {"length": "18 months", "cliff": "24 months"}
    try:
        scenario(put(BASE, "labs.a.vesting", terms))
    except ValidationError:
        return
    weeks = np.arange(0, 260)
    ahead = held_kernel(weeks, 0.0, 0.0, 18, 24, 0.0)
    assert vested_share(weeks * 12 / WEEKS_PER_YEAR, 18, 24) + ahead == pytest.approx(1.0)
