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
TEXT = {
    "name", "title", "description", "labs.*.label", "labs.*.leader", "labs.*.units.*.leader",
    "events.*.new_unit.leader",
}  # fmt: skip


def everything() -> dict[str, Any]:
    """A market in which every field matters; a acts, b is courted, c bought, d and e talked with."""
    plan = [{"date": "2023-06-15", "staff": 190}, {"date": "2024-05-01", "staff": 240}]
    first = {"share": 0.6, "culture": 0.2, "working_conditions": 0.1, "mission": {"openness": 0.3}}
    second = {"share": 0.4, "culture": -0.2, "working_conditions": -0.1, "mission": {"safety": 0.3}}
    units = {"first": first | {"leader": "Ann"}, "second": second | {"leader": "Bob", "pay_factor": 1.1}}
    place = lab(0, reserved=True, talent_opening="0 USD", treasury={}, headcount_plan=plan)
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
            strategy="open",
            valuations=[
                {"date": "2023-01-01", "amount": "1B USD"},
                {"date": "2023-05-15", "amount": "2B USD"},
            ],
        ),
        "b": lab(
            150,
            headcount_plan=plan,
            non_compete="1 week",
            star_pay="4M USD/year",
            leader="Eve",
            units={"core": {"share": 0.5}, "side": {"share": 0.5}},
        ),
        "c": lab(80, talent_opening="6M USD", talent_inflow="40M USD/year", headcount_plan=plan, compute=0.5),
        "d": lab(20),
        "e": lab(20),
        "r": place,
        "s": dict(place),
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
        "repeats": 1,
        "repeat_after": "1 week",
        "raise_factor": 1.5,
    }
    bought = {"buyer": "a", "target": "c", "price": "100M USD", "team_share": 0.3, "unit": "second"}
    bought |= {"shock": 1.0}
    events = [
        {"on": "2023-05-01", "model_release": {"lab": "a", "surprise": -1.5, "features": {"voice": -0.5}}},
        {"plan": "alarm", "lab": "a", "when": {"standing_below": 0.9, "after": "7 days"}},
        {
            "on": "2023-05-08",
            "part_of": "alarm",
            "leadership_change": {
                "lab": "a",
                "unit": "first",
                "shock": 2.0,
                "dismissed": True,
                "followers": 3.0,
            },
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
        *more_events(),
    ]
    market = {
        "choice": {"attachment_mean": 0.0, "leadership_weight": 1.0, "title_weight": 2.0},
        "pay_equity": {"threshold": 2.0},
        "contact": {"rate": "30 /year", "outside_rate": "20 /year"},
        "counter": {"detection": 0.9, "probability": 0.9},
        "exits": {"found": "0.4 /year", "academia": "0.4 /year", "field": "0.4 /year"},
        "entry": {"outside": 60, "graduates": "150 /year", "return_rate": "9 /year"},
        "strategy": {"open": 2.0, "closed": -2.0, "rent": -4.0},
    }
    return market_of(labs, weeks=8, events=events, market=market)


def more_events() -> list[dict[str, Any]]:
    """What else happens, from event 8 on."""
    deal = {"lab": "a", "target": "d", "price": "79M USD", "asking": "80M USD", "spread": 1.0}
    fee = {
        "lab": "a",
        "target": "e",
        "price": "1M USD",
        "asking": "90M USD",
        "partnership": 1.0,
        "fee": "9M USD",
    }
    third = {"lab": "a", "unit": "third", "share": 1.0, "researchers": 20, "culture": 0.5, "pay_factor": 2.0}
    third |= {"working_conditions": 0.5, "mission": {"openness": 0.5, "safety": 0.5, "product": 0.5}}
    return [
        {"on": "2023-05-08", "talks": deal | {"weeks": "1 week", "unit": "second"}},
        {"on": "2023-05-08", "talks": fee | {"weeks": "1 week"}},
        {"on": "2023-05-08", "new_unit": third},
        {
            "on": "2023-05-15",
            "transfer": {"lab": "a", "unit": "second", "from_unit": "first", "researchers": 20},
        },
        {
            "on": "2023-05-08",
            "strategy_change": {"lab": "a", "strategy": "rent", "provider": "b", "fee": "500M USD/year"},
        },
        {"on": "2023-05-08", "strategy_change": {"lab": "b", "strategy": "dual"}},
        {"on": "2023-05-15", "layoff": {"lab": "b", "share": 0.05}},
        {"on": "2023-05-15", "retention_grant": {"lab": "b", "package": "2M USD", "share": 0.3}},
        {"on": "2023-05-15", "process_change": {"lab": "b", "process": "0 weeks"}},
        {"on": "2023-05-15", "non_compete_rule": {"lab": "b", "weeks": "2 weeks"}},
        {
            "on": "2023-05-08",
            "counter_rule": {"lab": "c", "policy": "match_every", "detection": 0.9, "probability": 0.9},
        },
        {"on": "2023-06-05", "salary_cap": {"pay": "4M USD/year"}},
        {"on": "2023-05-15", "revaluation": {"lab": "a", "factor": 2.0}},
        {"on": "2023-05-08", "founding_boom": {"probability": 0.9, "seed": "100M USD"}},
        {"plan": "echo", "lab": "b", "when": {"plan": "alarm", "after": "1 week"}},
        {"on": "2023-05-08", "part_of": "echo", "model_release": {"lab": "c", "surprise": -1.0}},
        {"plan": "idle", "lab": "b", "when": {"standing_below": 0.01}},
    ]


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
    "market.strategy.open": ("market.strategy.open", 5.0),
    "market.strategy.dual": ("market.strategy.dual", 5.0),
    "market.strategy.closed": ("market.strategy.closed", -5.0),
    "market.strategy.rent": ("market.strategy.rent", -9.0),
    "market.strategy.ambition": ("market.strategy.ambition", 3.0),
    "market.strategy.compute_freed": ("market.strategy.compute_freed", 9.0),
    "market.exits.left_behind_ratio": ("market.exits.left_behind_ratio", 99.0),
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
    "labs.*.valuations.*.date": ("labs.a.valuations.1.date", "2023-06-05"),
    "labs.*.valuations.*.amount": ("labs.a.valuations.1.amount", "9B USD"),
    "labs.*.vesting.length": ("labs.a.vesting.length", "2 years"),
    "labs.*.vesting.cliff": ("labs.a.vesting.cliff", "0 months"),
    "labs.*.non_compete": ("labs.b.non_compete", "4 weeks"),
    "labs.*.process": ("labs.a.process", "3 weeks"),
    "labs.*.offer_expiry": ("labs.a.offer_expiry", "3 weeks"),
    "labs.*.pricing": ("labs.a.pricing", "posted"),
    "labs.*.strategy": ("labs.a.strategy", "closed"),
    "labs.*.reserved": ("labs.r.reserved", False),
    "labs.*.counter_policy": ("labs.b.counter_policy", "off"),
    "labs.*.counter_title": ("labs.b.counter_title", 2),
    "labs.*.standing": ("labs.a.standing", 0.6),
    "labs.*.culture": ("labs.b.culture", 1.0),
    "labs.*.working_conditions": ("labs.b.working_conditions", 1.0),
    "labs.*.mission.openness": ("labs.b.mission.openness", 2.0),
    "labs.*.mission.safety": ("labs.b.mission.safety", 2.0),
    "labs.*.mission.product": ("labs.b.mission.product", 2.0),
    "labs.*.units.*.share": ("labs.a.units.first.share", 0.1),
    "labs.*.units.*.pay_factor": ("labs.a.units.second.pay_factor", 1.3),
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
        ("events.22.when.plan", "panic"),
    ],
    "events.*.name": ("events.0.name", "flop"),
    "events.*.lab": ("events.1.lab", "b"),
    "events.*.when.standing_below": ("events.1.when.standing_below", 0.01),
    "events.*.when.plan": ("events.22.when.plan", "idle"),
    "events.*.when.after": ("events.1.when.after", "3 weeks"),
    "events.*.model_release.lab": ("events.0.model_release.lab", "c"),
    "events.*.model_release.surprise": ("events.0.model_release.surprise", -3.0),
    "events.*.model_release.features.*": ("events.0.model_release.features.voice", 1.0),
    "events.*.acquihire.buyer": [("events.3.acquihire.buyer", "b"), ("events.3.acquihire.unit", None)],
    "events.*.acquihire.target": ("events.3.acquihire.target", "b"),
    "events.*.acquihire.price": ("events.3.acquihire.price", "101M USD"),
    "events.*.acquihire.founder": ("events.3.acquihire.founder", False),
    "events.*.acquihire.team_share": ("events.3.acquihire.team_share", 0.6),
    "events.*.acquihire.unit": ("events.3.acquihire.unit", "fourth"),
    "events.*.acquihire.shock": ("events.3.acquihire.shock", 9.0),
    "events.*.talks.lab": [("events.8.talks.lab", "b"), ("events.8.talks.unit", None)],
    "events.*.talks.target": ("events.8.talks.target", "b"),
    "events.*.talks.price": ("events.8.talks.price", "78M USD"),
    "events.*.talks.asking": ("events.8.talks.asking", "900M USD"),
    "events.*.talks.spread": ("events.8.talks.spread", 0.0),
    "events.*.talks.weeks": ("events.8.talks.weeks", "2 weeks"),
    "events.*.talks.partnership": ("events.9.talks.partnership", 0.0),
    "events.*.talks.fee": ("events.9.talks.fee", "8M USD"),
    "events.*.talks.founder": ("events.8.talks.founder", False),
    "events.*.talks.team_share": ("events.8.talks.team_share", 0.2),
    "events.*.talks.unit": ("events.8.talks.unit", "fourth"),
    "events.*.new_unit.lab": ("events.10.new_unit.lab", "b"),
    "events.*.new_unit.unit": ("events.10.new_unit.unit", "fourth"),
    "events.*.new_unit.share": ("events.10.new_unit.share", 9.0),
    "events.*.new_unit.researchers": ("events.10.new_unit.researchers", 40),
    "events.*.new_unit.culture": ("events.10.new_unit.culture", 3.0),
    "events.*.new_unit.working_conditions": ("events.10.new_unit.working_conditions", 5.0),
    "events.*.new_unit.pay_factor": ("events.10.new_unit.pay_factor", 3.0),
    "events.*.new_unit.mission.openness": ("events.10.new_unit.mission.openness", 9.0),
    "events.*.new_unit.mission.safety": ("events.10.new_unit.mission.safety", 9.0),
    "events.*.new_unit.mission.product": ("events.10.new_unit.mission.product", 9.0),
    "events.*.transfer.lab": [
        ("events.11.transfer.lab", "b"),
        ("events.11.transfer.unit", "core"),
        ("events.11.transfer.from_unit", "side"),
    ],
    "events.*.transfer.unit": ("events.11.transfer.unit", "third"),
    "events.*.transfer.from_unit": ("events.11.transfer.from_unit", "third"),
    "events.*.transfer.researchers": ("events.11.transfer.researchers", 40),
    "events.*.strategy_change.lab": [
        ("events.12.strategy_change.lab", "c"),
        ("events.12.strategy_change.provider", "a"),
    ],
    "events.*.strategy_change.strategy": ("events.13.strategy_change.strategy", "open"),
    "events.*.strategy_change.provider": ("events.12.strategy_change.provider", "c"),
    "events.*.strategy_change.fee": ("events.12.strategy_change.fee", "600M USD/year"),
    "events.*.layoff.lab": ("events.14.layoff.lab", "a"),
    "events.*.layoff.share": ("events.14.layoff.share", 0.1),
    "events.*.retention_grant.lab": ("events.15.retention_grant.lab", "a"),
    "events.*.retention_grant.package": ("events.15.retention_grant.package", "3M USD"),
    "events.*.retention_grant.share": ("events.15.retention_grant.share", 0.4),
    "events.*.process_change.lab": ("events.16.process_change.lab", "a"),
    "events.*.process_change.process": ("events.16.process_change.process", "3 weeks"),
    "events.*.non_compete_rule.lab": ("events.17.non_compete_rule.lab", "a"),
    "events.*.non_compete_rule.weeks": ("events.17.non_compete_rule.weeks", "3 weeks"),
    "events.*.counter_rule.lab": ("events.18.counter_rule.lab", "b"),
    "events.*.counter_rule.policy": ("events.18.counter_rule.policy", "off"),
    "events.*.counter_rule.detection": ("events.18.counter_rule.detection", 0.1),
    "events.*.counter_rule.probability": ("events.18.counter_rule.probability", 0.1),
    "events.*.salary_cap.pay": ("events.19.salary_cap.pay", "2M USD/year"),
    "events.*.revaluation.lab": ("events.20.revaluation.lab", "b"),
    "events.*.revaluation.factor": ("events.20.revaluation.factor", 3.0),
    "events.*.founding_boom.probability": ("events.21.founding_boom.probability", 0.0),
    "events.*.founding_boom.seed": ("events.21.founding_boom.seed", "90M USD"),
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
    "events.*.campaign.exploding": ("events.4.campaign.exploding", True),
    "events.*.campaign.repeats": ("events.4.campaign.repeats", 0),
    "events.*.campaign.repeat_after": ("events.4.campaign.repeat_after", "2 weeks"),
    "events.*.campaign.raise_factor": ("events.4.campaign.raise_factor", 3.0),
    "events.*.campaign.title": ("events.4.campaign.title", 2),
    "events.*.leadership_change.lab": [
        ("events.2.leadership_change.lab", "b"),
        ("events.2.leadership_change.unit", None),
    ],
    "events.*.leadership_change.unit": ("events.2.leadership_change.unit", "second"),
    "events.*.leadership_change.dismissed": ("events.2.leadership_change.dismissed", False),
    "events.*.leadership_change.followers": ("events.2.leadership_change.followers", 90.0),
    "events.*.leadership_change.shock": ("events.2.leadership_change.shock", 8.0),
    "events.*.hiring_freeze.lab": ("events.6.hiring_freeze.lab", "a"),
    "events.*.hiring_freeze.weeks": ("events.6.hiring_freeze.weeks", "8 weeks"),
    "events.*.budget_change.lab": ("events.7.budget_change.lab", "a"),
    "events.*.budget_change.talent_inflow": ("events.7.budget_change.talent_inflow", 0.5),
    "events.*.budget_change.treasury_inflow": ("events.7.budget_change.treasury_inflow", 0.5),
    "events.*.budget_change.growth": ("events.7.budget_change.growth", "300 %/year"),
    "events.*.budget_change.headcount_plan": ("events.7.budget_change.headcount_plan", 3.0),
}


def trading() -> dict[str, Any]:
    """The same market with the parts that trade switched on, and one lab whose money follows its plan."""
    data = everything() | {"horizon": "20 weeks"}
    industry = {
        "share": 0.6,
        "pay": "400k USD/year",
        "talent_power": 0.7,
        "cap": "900k USD/year",
        "bond": 0.2,
    }
    academia = {"share": 0.4, "pay": "160k USD/year"}
    for path, value in {
        "market.interviews": {"interest": "on", "noise": 0.14, "pay_floor": "on"},  # a cost rations too
        "market.hiring": {"ration_outsiders": "on", "notice": "2 weeks"},
        "market.equity.charged": True,
        "market.standing.rivalry": 0.5,
        "market.exits.standing": 0.5,
        "market.exits.forfeiture": 0.7,
        "market.contact.rate": "8 /year",  # so rare that an old lab may call sooner
        "market.contact.return_contact": 0.2,
        "labs.b.talent_factor": 0.1,
        "market.entry.alumni": 0.5,
        "market.entry.pools": {
            "industry": industry | {"bond": 0.2, "takes": ["found"]},
            "academia": academia,
        },
        "market.contagion": {
            "shake": 0.3,
            "talent_power": 0.5,
            "leader_reach": 9,
            "leader_invites": 3,
            "regret": 0.5,
        },
        "market.growth": {"pay": "12 %/year", "opening_tenure": "on"},
        "labs.c.talent_budget": "by_plan",
    }.items():
        data = put(data, path, value)
    data["labs"]["c"] |= {"talent_opening": "0 USD", "talent_inflow": "0 USD/year"}
    return data


# The same for the parts that trade.
TRADE: dict[str, tuple[str, Any] | list[tuple[str, Any]]] = {
    "market.contact.return_contact": ("market.contact.return_contact", 0.9),
    "market.hiring.notice": ("market.hiring.notice", "4 weeks"),
    "market.hiring.tightness": ("market.hiring.tightness", 0.5),
    "market.hiring.carry": ("market.hiring.carry", "1 week"),
    "market.hiring.ration_outsiders": ("market.hiring.ration_outsiders", "off"),
    "market.interviews.interest": ("market.interviews.interest", "off"),
    "market.interviews.slack": ("market.interviews.slack", 4.0),
    "market.interviews.outside_slack": ("market.interviews.outside_slack", 0.0),
    "market.interviews.noise": ("market.interviews.noise", 0.5),
    "market.interviews.offer_cost": ("market.interviews.offer_cost", 0.4),
    "market.interviews.pay_floor": ("market.interviews.pay_floor", "off"),
    "market.equity.charged": ("market.equity.charged", False),
    "market.exits.forfeiture": ("market.exits.forfeiture", 2.0),
    "market.exits.standing": ("market.exits.standing", 3.0),
    "market.exits.fall_ignored": ("market.exits.fall_ignored", 4.0),
    "market.growth.pay": ("market.growth.pay", "50 %/year"),
    "market.growth.opening_tenure": ("market.growth.opening_tenure", "off"),
    "market.entry.alumni": ("market.entry.alumni", 0.0),
    "market.entry.pools.*.share": [
        ("market.entry.pools.industry.share", 0.2),
        ("market.entry.pools.academia.share", 0.8),
    ],
    "market.entry.pools.*.pay": ("market.entry.pools.industry.pay", "900k USD/year"),
    "market.entry.pools.*.talent_power": ("market.entry.pools.industry.talent_power", 0.0),
    "market.entry.pools.*.cap": ("market.entry.pools.industry.cap", "410k USD/year"),
    "market.entry.pools.*.bond": ("market.entry.pools.industry.bond", 3.0),
    "market.entry.pools.*.takes.*": ("market.entry.pools.industry.takes.0", "academia"),
    "market.contagion.shake": ("market.contagion.shake", 2.0),
    "market.contagion.fade": ("market.contagion.fade", "1 week"),
    "market.contagion.talent_power": ("market.contagion.talent_power", 3.0),
    "market.contagion.leader_talent": ("market.contagion.leader_talent", 0.1),
    "market.contagion.leader_reach": ("market.contagion.leader_reach", 60),
    "market.contagion.leader_shake": ("market.contagion.leader_shake", 3.0),
    "market.contagion.leader_invites": ("market.contagion.leader_invites", 40),
    "market.contagion.regret": ("market.contagion.regret", 0.0),
    "market.contagion.regret_loss": ("market.contagion.regret_loss", 0.0),
    "market.contagion.regret_after": ("market.contagion.regret_after", "1 week"),
    "market.contagion.regret_within": ("market.contagion.regret_within", "0 weeks"),
    "market.standing.rivalry": ("market.standing.rivalry", 1.0),
    "labs.*.talent_factor": ("labs.a.talent_factor", 0.1),
    "labs.*.talent_budget": ("labs.c.talent_budget", "given"),
    "events.*.when.standing_gap": [
        ("events.1.when.standing_below", None),
        ("events.1.when.standing_gap", 1.5),
    ],
    "events.*.acquihire.leadership": ("events.3.acquihire.leadership", 5.0),
    "events.*.acquihire.standing": ("events.3.acquihire.standing", 1.0),
    "events.*.talks.leadership": ("events.8.talks.leadership", 5.0),
    "events.*.talks.standing": ("events.8.talks.standing", 1.0),
    "events.*.new_unit.leadership": ("events.10.new_unit.leadership", 5.0),
    "events.*.new_unit.standing": ("events.10.new_unit.standing", 1.0),
}


def market_with(path: str) -> dict[str, Any]:
    """The market in which a field matters."""
    return trading() if path in TRADE else everything()


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
def unchanged(trades: bool = False) -> dict[str, str]:
    return hashes(scenario(trading() if trades else everything()), RUNS)


def test_every_field_has_a_case_and_every_case_a_field() -> None:
    assert set(FIELDS) - TEXT == set(CASES) | set(TRADE)
    assert set(FIELDS) >= TEXT


POLICIES = {path: get_args(kind) for path, kind in FIELDS.items() if get_origin(kind) is Literal}
WORDS = [(path, word) for path, words in POLICIES.items() for word in words]


@pytest.mark.parametrize(("path", "word"), WORDS)
def test_every_word_of_a_policy_makes_a_market_of_its_own(path: str, word: str) -> None:
    case = (CASES | TRADE)[path]
    assert isinstance(case, tuple)
    others, trades = [other for other in POLICIES[path] if other != word], path in TRADE
    assert with_word(case[0], word, trades) not in [with_word(case[0], other, trades) for other in others]


@cache
def with_word(path: str, word: str, trades: bool) -> dict[str, str]:
    """What is recorded with another word; who rents has a provider, and no other."""
    data = put(trading() if trades else everything(), path, word)
    if word == "rent" and path.startswith("events"):
        data = put(data, path.removesuffix("strategy") + "provider", "a")
    return hashes(scenario(data), RUNS)


@pytest.mark.parametrize("path", [*CASES, *TRADE])
def test_a_change_of_the_field_changes_what_is_recorded(path: str) -> None:
    case = (CASES | TRADE)[path]
    data = market_with(path)
    for where, value in case if isinstance(case, list) else [case]:
        data = put(data, where, value)
    assert scenario(data) != scenario(market_with(path))
    assert hashes(scenario(data), RUNS) != unchanged(path in TRADE)


@pytest.mark.parametrize(
    "path", ["title", "description", "labs.a.label", "labs.b.leader", "labs.a.units.first.leader"]
)
def test_text_for_people_changes_nothing(path: str) -> None:
    assert hashes(scenario(put(everything(), path, "Other words")), RUNS) == unchanged()
