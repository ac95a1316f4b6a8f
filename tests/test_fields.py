"""No field of the schema is idle: a change of any of them changes what is recorded of some run.

The schema is walked, so a new field fails here until it has a case. All cases change one scenario in
which everything goes on at once: offers under tight money, counter-offers, a campaign, a plan and every
kind of event.
"""

from collections.abc import Iterator
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel
from small_markets import hashes, lab, market_of, put, scenario

from sim.scenario.schema import Scenario

RUNS = (0,)

# What is there for people, not for the market.
TEXT = {"name", "title", "description", "labs.*.label"}


def everything() -> dict[str, Any]:
    """A market in which every field matters; lab a acts, b is courted, c is bought."""
    plan = [{"date": "2023-06-15", "staff": 190}, {"date": "2024-05-01", "staff": 240}]
    units = {
        "first": {"share": 0.6, "culture": 0.2, "working_conditions": 0.1, "mission": {"openness": 0.3}},
        "second": {"share": 0.4, "culture": -0.2, "working_conditions": -0.1, "mission": {"safety": 0.3}},
    }
    labs = {
        "a": lab(
            150,
            headcount_plan=plan,
            units=units,
            compute=1.5,
            standing=1.1,
            founded="2019-01-01",
            median_pay="1.2M USD/year",
            talent_opening="800M USD",
            talent_inflow="4B USD/year",
        ),
        "b": lab(150, headcount_plan=plan, non_compete="1 week", star_pay="4M USD/year"),
        "c": lab(80, talent_opening="6M USD", talent_inflow="40M USD/year", headcount_plan=plan, compute=0.5),
    }
    push = {
        "name": "push",
        "lab": "a",
        "target": "b",
        "researchers": 10,
        "package_cap": "80M USD",
        "weeks": "3 weeks",
        "interviews": "skip",
        "envelope": "400M USD",
        "unit": "second",
        "title": 1,
    }
    bought = {"buyer": "a", "target": "c", "price": "100M USD", "team_share": 0.3, "unit": "second"}
    events = [
        {"on": "2023-05-01", "model_release": {"lab": "a", "surprise": -2.0}},
        {"plan": "alarm", "lab": "a", "when": {"standing_below": 0.9, "after": "7 days"}},
        {
            "on": "2023-05-08",
            "part_of": "alarm",
            "leadership_change": {"lab": "a", "unit": "first", "shock": 2.0},
        },
        {"on": "2023-05-08", "part_of": "alarm", "acquihire": bought},
        {"on": "2023-05-08", "campaign": push},
        {"on": "2023-05-08", "investment": {"target": "b", "amount": "50M USD", "investor": "c"}},
        {"on": "2023-05-15", "hiring_freeze": {"lab": "b", "weeks": "3 weeks"}},
        {
            "on": "2023-05-15",
            "budget_change": {
                "lab": "b",
                "talent_inflow": 1.5,
                "treasury_inflow": 1.5,
                "headcount_plan": 1.5,
            },
        },
    ]
    market = {
        "choice": {"attachment_mean": 0.0, "leadership_weight": 1.0, "title_weight": 2.0},
        "pay_equity": {"threshold": 2.0},
        "contact": {"rate": "30 /year", "outside_rate": "20 /year"},
        "counter": {"detection": 0.9, "probability": 0.9},
        "exits": {"found": "0.4 /year", "academia": "0.4 /year", "field": "0.4 /year"},
        "entry": {"outside": 60, "graduates": "150 /year", "return_rate": "9 /year"},
    }
    return market_of(labs, weeks=8, events=events, market=market)


# One case a field: its path in the scenario above, and another value; or several such pairs.
CASES: dict[str, tuple[str, Any] | list[tuple[str, Any]]] = {
    "start": ("start", "2023-04-24"),
    "horizon": ("horizon", "9 weeks"),
    "market.choice.pay_elasticity": ("market.choice.pay_elasticity", 3.0),
    "market.choice.taste_scale": ("market.choice.taste_scale", 2.0),
    "market.choice.attachment_mean": ("market.choice.attachment_mean", 1.0),
    "market.choice.attachment_sd": ("market.choice.attachment_sd", 0.5),
    "market.choice.tenure_effect": ("market.choice.tenure_effect", 1.0),
    "market.choice.moving_cost": ("market.choice.moving_cost", 1.0),
    "market.choice.mission_weight": ("market.choice.mission_weight", 2.0),
    "market.choice.compute_weight": ("market.choice.compute_weight", 1.0),
    "market.choice.standing_weight": ("market.choice.standing_weight", 2.0),
    "market.choice.leadership_weight": ("market.choice.leadership_weight", 3.0),
    "market.choice.ties_weight": ("market.choice.ties_weight", 4.0),
    "market.choice.title_weight": ("market.choice.title_weight", 0.0),
    "market.equity.discount_rate": ("market.equity.discount_rate", "30 %/year"),
    "market.equity.exit_hazard": ("market.equity.exit_hazard", "50 %/year"),
    "market.equity.horizon": ("market.equity.horizon", "3 years"),
    "market.equity.sign_on_share": ("market.equity.sign_on_share", 0.3),
    "market.equity.refresh_share": ("market.equity.refresh_share", 0.75),
    "market.equity.clawback": ("market.equity.clawback", "8 weeks"),
    "market.contact.rate": ("market.contact.rate", "6 /year"),
    "market.contact.outside_rate": ("market.contact.outside_rate", "6 /year"),
    "market.contact.visibility_exponent": ("market.contact.visibility_exponent", 0.0),
    "market.contact.referral": ("market.contact.referral", 3.0),
    "market.hiring.look_ahead": ("market.hiring.look_ahead", "2 weeks"),
    "market.hiring.gap_weight": ("market.hiring.gap_weight", 0.2),
    "market.hiring.replacement": ("market.hiring.replacement", 2.0),
    "market.hiring.budget_share": ("market.hiring.budget_share", 0.02),
    "market.hiring.runway": ("market.hiring.runway", "40 weeks"),
    "market.hiring.patience": ("market.hiring.patience", "0 weeks"),
    "market.value.median": ("market.value.median", "3M USD/year"),
    "market.value.size_exponent": ("market.value.size_exponent", 3.0),
    "market.value.compute_exponent": ("market.value.compute_exponent", 1.0),
    "market.value.ties": ("market.value.ties", 2.0),
    "market.value.noise": ("market.value.noise", 0.0),
    "market.counter.detection": ("market.counter.detection", 0.1),
    "market.counter.probability": ("market.counter.probability", 0.1),
    "market.pay_equity.threshold": ("market.pay_equity.threshold", 0.5),
    "market.pay_equity.raise_probability": ("market.pay_equity.raise_probability", 1.0),
    "market.pay_equity.peer_weight": ("market.pay_equity.peer_weight", 9.0),
    "market.exits.found": ("market.exits.found", "0.1 /year"),
    "market.exits.academia": ("market.exits.academia", "0.1 /year"),
    "market.exits.field": ("market.exits.field", "0.1 /year"),
    "market.exits.found_sensitivity": ("market.exits.found_sensitivity", 9.0),
    "market.exits.academia_sensitivity": ("market.exits.academia_sensitivity", 9.0),
    "market.exits.field_sensitivity": ("market.exits.field_sensitivity", 9.0),
    "market.exits.acquired_ratio": ("market.exits.acquired_ratio", 15.0),
    "market.entry.outside": ("market.entry.outside", 61),
    "market.entry.outside_pay": ("market.entry.outside_pay", "600k USD/year"),
    "market.entry.graduates": ("market.entry.graduates", "300 /year"),
    "market.entry.graduates_growth": ("market.entry.graduates_growth", "300 /year"),
    "market.entry.return_rate": ("market.entry.return_rate", "20 /year"),
    "market.talent.tail_exponent": ("market.talent.tail_exponent", 2.0),
    "market.talent.cap": ("market.talent.cap", 5.0),
    "market.talent.base_share": ("market.talent.base_share", 0.6),
    "market.talent.base_cap": ("market.talent.base_cap", "250k USD/year"),
    "market.ties.within": ("market.ties.within", 8),
    "market.ties.across": ("market.ties.across", 8),
    "market.ties.graph": ("market.ties.graph", "random"),
    "market.ties.invitations": ("market.ties.invitations", 100.0),
    "market.standing.persistence": ("market.standing.persistence", 0.5),
    "market.standing.release_sd": ("market.standing.release_sd", 1.0),
    "market.standing.noise": ("market.standing.noise", 0.2),
    "market.standing.talent_weight": ("market.standing.talent_weight", 2.0),
    "market.standing.compute_weight": ("market.standing.compute_weight", 0.5),
    "market.standing.inflow_elasticity": ("market.standing.inflow_elasticity", 1.0),
    "market.standing.leadership_recovery": ("market.standing.leadership_recovery", "40 /year"),
    "labs.*.staff": ("labs.b.staff", 151),
    "labs.*.headcount_plan.*.date": ("labs.a.headcount_plan.0.date", "2023-11-01"),
    "labs.*.headcount_plan.*.staff": ("labs.a.headcount_plan.0.staff", 300),
    "labs.*.founded": ("labs.a.founded", "2023-01-01"),
    "labs.*.opening_hazard": ("labs.a.opening_hazard", "90 %/year"),
    "labs.*.median_pay": ("labs.a.median_pay", "1M USD/year"),
    "labs.*.star_pay": ("labs.b.star_pay", "2M USD/year"),
    "labs.*.treasury.opening": ("labs.a.treasury.opening", "4B USD"),
    "labs.*.treasury.inflow": ("labs.a.treasury.inflow", "2B USD/year"),
    "labs.*.talent_opening": ("labs.a.talent_opening", "300M USD"),
    "labs.*.talent_inflow": ("labs.a.talent_inflow", "2B USD/year"),
    "labs.*.compute": ("labs.a.compute", 6.0),
    "labs.*.equity_value": ("labs.a.equity_value", 0.9),
    "labs.*.vesting.length": ("labs.a.vesting.length", "2 years"),
    "labs.*.vesting.cliff": ("labs.a.vesting.cliff", "0 months"),
    "labs.*.non_compete": ("labs.b.non_compete", "4 weeks"),
    "labs.*.process": ("labs.a.process", "3 weeks"),
    "labs.*.offer_expiry": ("labs.a.offer_expiry", "3 weeks"),
    "labs.*.pricing": ("labs.a.pricing", "posted"),
    "labs.*.counter_policy": ("labs.b.counter_policy", "off"),
    "labs.*.counter_title": ("labs.b.counter_title", 2),
    "labs.*.standing": ("labs.a.standing", 0.6),
    "labs.*.culture": ("labs.b.culture", 1.0),
    "labs.*.working_conditions": ("labs.b.working_conditions", 1.0),
    "labs.*.mission.openness": ("labs.b.mission.openness", 2.0),
    "labs.*.mission.safety": ("labs.b.mission.safety", 2.0),
    "labs.*.mission.product": ("labs.b.mission.product", 2.0),
    "labs.*.units.*.share": ("labs.a.units.first.share", 0.1),
    "labs.*.units.*.culture": ("labs.a.units.first.culture", 2.0),
    "labs.*.units.*.working_conditions": ("labs.a.units.first.working_conditions", 2.0),
    "labs.*.units.*.mission.openness": ("labs.a.units.first.mission.openness", 3.0),
    "labs.*.units.*.mission.safety": ("labs.a.units.first.mission.safety", 3.0),
    "labs.*.units.*.mission.product": ("labs.a.units.first.mission.product", 3.0),
    "events.*.on": ("events.0.on", "2023-05-08"),
    "events.*.part_of": ("events.0.part_of", "alarm"),
    "events.*.plan": [
        ("events.1.plan", "panic"),
        ("events.2.part_of", "panic"),
        ("events.3.part_of", "panic"),
    ],
    "events.*.lab": ("events.1.lab", "b"),
    "events.*.when.standing_below": ("events.1.when.standing_below", 0.01),
    "events.*.when.after": ("events.1.when.after", "3 weeks"),
    "events.*.model_release.lab": ("events.0.model_release.lab", "c"),
    "events.*.model_release.surprise": ("events.0.model_release.surprise", -3.0),
    "events.*.acquihire.buyer": [("events.3.acquihire.buyer", "b"), ("events.3.acquihire.unit", None)],
    "events.*.acquihire.target": ("events.3.acquihire.target", "b"),
    "events.*.acquihire.price": ("events.3.acquihire.price", "101M USD"),
    "events.*.acquihire.founder": ("events.3.acquihire.founder", False),
    "events.*.acquihire.team_share": ("events.3.acquihire.team_share", 0.6),
    "events.*.acquihire.unit": ("events.3.acquihire.unit", "third"),
    "events.*.investment.target": ("events.5.investment.target", "a"),
    "events.*.investment.amount": ("events.5.investment.amount", "60M USD"),
    "events.*.investment.investor": ("events.5.investment.investor", None),
    "events.*.campaign.name": ("events.4.campaign.name", "pull"),
    "events.*.campaign.lab": [("events.4.campaign.lab", "c"), ("events.4.campaign.unit", None)],
    "events.*.campaign.target": ("events.4.campaign.target", "c"),
    "events.*.campaign.researchers": ("events.4.campaign.researchers", 5),
    "events.*.campaign.package_cap": ("events.4.campaign.package_cap", "5M USD"),
    "events.*.campaign.weeks": ("events.4.campaign.weeks", "1 week"),
    "events.*.campaign.interviews": ("events.4.campaign.interviews", "normal"),
    "events.*.campaign.envelope": ("events.4.campaign.envelope", "20M USD"),
    "events.*.campaign.value_factor": ("events.4.campaign.value_factor", 4.0),
    "events.*.campaign.pricing": ("events.4.campaign.pricing", "at_cap"),
    "events.*.campaign.unit": ("events.4.campaign.unit", "first"),
    "events.*.campaign.title": ("events.4.campaign.title", 2),
    "events.*.leadership_change.lab": [
        ("events.2.leadership_change.lab", "b"),
        ("events.2.leadership_change.unit", None),
    ],
    "events.*.leadership_change.unit": ("events.2.leadership_change.unit", "second"),
    "events.*.leadership_change.shock": ("events.2.leadership_change.shock", 8.0),
    "events.*.hiring_freeze.lab": ("events.6.hiring_freeze.lab", "a"),
    "events.*.hiring_freeze.weeks": ("events.6.hiring_freeze.weeks", "8 weeks"),
    "events.*.budget_change.lab": ("events.7.budget_change.lab", "a"),
    "events.*.budget_change.talent_inflow": ("events.7.budget_change.talent_inflow", 0.5),
    "events.*.budget_change.treasury_inflow": ("events.7.budget_change.treasury_inflow", 0.5),
    "events.*.budget_change.headcount_plan": ("events.7.budget_change.headcount_plan", 3.0),
}


def leaves(annotation: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every field below an annotation that is no section, as (dotted path, annotation)."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield from leaves(field.annotation, f"{path}.{name}".lstrip("."))
    elif origin is Annotated:
        yield from leaves(parts[0], path)
    elif origin is Union or origin is UnionType:
        for part in parts:
            if part is not type(None):
                yield from leaves(part, path)
    elif origin in (dict, tuple):
        yield from leaves(parts[-1 if origin is dict else 0], f"{path}.*")
    else:
        yield path, annotation


FIELDS = dict(leaves(Scenario))


@cache
def unchanged() -> dict[str, str]:
    return hashes(scenario(everything()), RUNS)


def test_every_field_has_a_case_and_every_case_a_field() -> None:
    assert set(FIELDS) - TEXT == set(CASES)
    assert set(FIELDS) >= TEXT


POLICIES = {path: get_args(kind) for path, kind in FIELDS.items() if get_origin(kind) is Literal}
WORDS = [(path, word) for path, words in POLICIES.items() for word in words]


@pytest.mark.parametrize(("path", "word"), WORDS)
def test_every_word_of_a_policy_makes_a_market_of_its_own(path: str, word: str) -> None:
    case = CASES[path]
    assert isinstance(case, tuple)
    others = [other for other in POLICIES[path] if other != word]
    mine, *theirs = (hashes(scenario(put(everything(), case[0], each)), RUNS) for each in (word, *others))
    assert mine not in theirs


@pytest.mark.parametrize("path", CASES)
def test_a_change_of_the_field_changes_what_is_recorded(path: str) -> None:
    case = CASES[path]
    data = everything()
    for where, value in case if isinstance(case, list) else [case]:
        data = put(data, where, value)
    assert scenario(data) != scenario(everything())
    assert hashes(scenario(data), RUNS) != unchanged()


@pytest.mark.parametrize("path", ["title", "description", "labs.a.label"])
def test_text_for_people_changes_nothing(path: str) -> None:
    assert hashes(scenario(put(everything(), path, "Other words")), RUNS) == unchanged()
