"""Small markets, and what several tests do with them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow.compute as pc

from sim.market.ledger import Ledger
from sim.market.offers import ACCEPTED
from sim.market.opening import open_market
from sim.market.record import Recorder
from sim.market.simulate import collect, run_block
from sim.market.state import OUTSIDE, UNBORN, Market
from sim.market.week import advance
from sim.scenario.schema import Scenario
from sim.system.tables import canonical_hash

A_CAMPAIGN = {
    "name": "push", "lab": "a", "target": "b", "researchers": 12, "package_cap": "20M USD",
    "weeks": "3 weeks", "interviews": "skip",
}  # fmt: skip

# everything that trades, switched on, by dotted path
ON: dict[str, Any] = {
    "market.interviews": {"interest": "on", "noise": 0.14, "offer_cost": 0.03, "pay_floor": "on"},
    "market.hiring.ration_outsiders": "on",
    "market.hiring.notice": "3 weeks",
    "market.equity.charged": True,
    "market.standing.rivalry": 0.5,
    "market.exits.standing": 0.5,
    "market.exits.forfeiture": 0.7,
    "market.contact.return_contact": 0.2,
    "market.entry.alumni": 0.5,
    "market.entry.pools": {
        "industry": {"share": 0.6, "pay": "400k USD/year", "talent_power": 0.7, "cap": "5M USD/year",
                     "takes": ["found"]},
        "academia": {"share": 0.4, "pay": "160k USD/year", "bond": -0.3, "takes": ["academia", "field"]},
    },
    "market.contagion": {"shake": 0.3, "talent_power": 0.5, "leader_reach": 5, "leader_invites": 2,
                         "regret": 0.2},
    "market.growth": {"pay": "12 %/year", "opening_tenure": "on"},
}  # fmt: skip


def lab(staff: int = 30, **changes: Any) -> dict[str, Any]:
    """A lab with money enough, some of whose staff come and go in a few weeks."""
    given: dict[str, Any] = {
        "label": "A lab",
        "staff": staff,
        "founded": "2016-01-01",
        "median_pay": "800k USD/year",
        "star_pay": "6M USD/year",
        "treasury": {"opening": "5B USD", "inflow": "1B USD/year"},
        "talent_opening": "60M USD",
        "talent_inflow": "300M USD/year",
        "process": "1 week",
    }
    return given | changes


def market_of(labs: dict[str, Any], weeks: int = 16, **changes: Any) -> dict[str, Any]:
    """A scenario as plain data: the labs, no events, and few people outside."""
    given: dict[str, Any] = {
        "name": "small",
        "title": "A small market",
        "start": "2023-05-01",
        "horizon": f"{weeks} weeks",
        "market": {"entry": {"outside": 20, "graduates": "40 /year"}},
        "labs": labs,
    }
    return given | changes


def hard_times(weeks: int = 60) -> dict[str, Any]:
    """Little money, paid leave, long offers, rivals everywhere, a lab that fails and one that is bought."""
    labs = {
        "rich": lab(40, counter_title=1, offer_expiry="3 weeks", process="0 weeks",
                    units={"old": {"share": 0.7}, "new": {"share": 0.3, "culture": 1.0}}),
        "tight": lab(30, talent_opening="8M USD", talent_inflow="25M USD/year", non_compete="6 weeks"),
        "doomed": lab(12, talent_opening="3M USD", talent_inflow="2M USD/year",
                      treasury={"opening": "1M USD"}, offer_expiry="2 weeks", pricing="posted"),
        "bought": lab(15, process="4 weeks", pricing="second_price", counter_policy="second_price"),
    }  # fmt: skip
    plan = [{"date": "2023-12-01", "staff": 70}, {"date": "2024-06-01", "staff": 75}]
    labs["rich"]["headcount_plan"] = labs["tight"]["headcount_plan"] = plan
    push = {"lab": "rich", "target": "tight", "researchers": 12, "package_cap": "40M USD", "weeks": "4 weeks"}
    events = [
        {"on": "2023-06-05", "campaign": push | {"name": "first", "interviews": "skip", "title": 1}},
        {"on": "2023-06-12", "campaign": push | {"name": "second", "envelope": "30M USD", "unit": "lab-x"}},
        {"on": "2023-07-03", "acquihire": {"buyer": "rich", "target": "bought", "price": "90M USD",
                                           "team_share": 0.5, "unit": "lab-x"}},
        {"on": "2023-07-10", "hiring_freeze": {"lab": "rich", "weeks": "5 weeks"}},
        {"on": "2023-05-22", "investment": {"target": "tight", "amount": "5M USD", "investor": "rich"}},
    ]  # fmt: skip
    data = market_of(labs, weeks=weeks, events=events)
    data["market"]["contact"] = {"rate": "12 /year", "outside_rate": "20 /year"}
    data["market"]["choice"] = {"attachment_mean": 1.5}
    return data


def on(week: int, **body: Any) -> dict[str, Any]:
    """An event of one kind in a week of the small market, whose first day is 2023-05-01."""
    return {"on": str(date(2023, 5, 1) + timedelta(weeks=week)), **body}


def everybody_moves(weeks: int = 14) -> dict[str, Any]:
    """A market with moves of every sort: offers, campaigns, founders, graduates, standing that wanders."""
    data = market_of(
        {"a": lab(30), "b": lab(30), "c": lab(10)}, weeks=weeks, events=[on(3, campaign=A_CAMPAIGN)]
    )
    data["market"] |= {
        "standing": {"noise": 0.1},
        "contact": {"rate": "12 /year"},
        "exits": {"found": "1 /year"},
    }
    return data


def all_kinds() -> list[dict[str, Any]]:
    """An event of every kind."""
    unit = {"lab": "a", "unit": "extra"}
    return [
        on(2, model_release={"lab": "b", "surprise": 1.0}),
        on(2, acquihire={"buyer": "a", "target": "c", "price": "10M USD", "team_share": 0.3}),
        on(2, talks={"lab": "a", "target": "c", "price": "9M USD", "asking": "1M USD", "weeks": "0 weeks"}),
        on(2, investment={"target": "b", "amount": "10M USD"}),
        on(2, campaign=A_CAMPAIGN),
        on(2, leadership_change={"lab": "b", "shock": 1.0}),
        on(2, new_unit=unit | {"researchers": 3, "share": 2.0}),
        on(3, transfer={"lab": "a", "unit": "extra", "from_unit": "a", "researchers": 2}),
        on(2, strategy_change={"lab": "b", "strategy": "open"}),
        on(2, hiring_freeze={"weeks": "2 weeks"}),
        on(2, budget_change={"talent_inflow": 0.5}),
        on(2, layoff={"share": 0.1}),
        on(2, retention_grant={"lab": "b", "package": "1M USD"}),
        on(2, process_change={"lab": "b", "process": "0 weeks"}),
        on(2, non_compete_rule={"weeks": "2 weeks"}),
        on(2, counter_rule={"lab": "b", "policy": "match_every"}),
        on(2, salary_cap={"pay": "3M USD/year"}),
        on(2, revaluation={"lab": "a", "factor": 2.0}),
        on(2, founding_boom={"probability": 1.0, "seed": "50M USD"}),
    ]


def scenario(data: dict[str, Any]) -> Scenario:
    """Plain data as a scenario."""
    return Scenario.model_validate(copy.deepcopy(data))


def put(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of plain data with one value set by dotted path; sections on the way are made."""
    data = copy.deepcopy(data)
    *way, last = path.split(".")
    here: Any = data
    for step in way:
        here = here[int(step)] if isinstance(here, list) else here.setdefault(step, {})
    here[int(last) if isinstance(here, list) else last] = value
    return data


def switched_on(data: dict[str, Any], **without: Any) -> dict[str, Any]:
    """A market's data with everything on, but for what is given by path."""
    for path, value in (ON | without).items():
        data = put(data, path, value)
    return data


def by_plan(data: dict[str, Any]) -> dict[str, Any]:
    """The same, with money that follows the plan in every lab."""
    for name in data["labs"]:
        data = put(data, f"labs.{name}.talent_budget", "by_plan")
        data["labs"][name].pop("talent_inflow"), data["labs"][name].pop("talent_opening")
    return data


def weeks_of(of: Scenario, runs: Sequence[int], seed: int = 1, weeks: int | None = None) -> Iterator[Market]:
    """A market after each of its weeks."""
    market = open_market(of, seed, np.array(runs, np.int64))
    for _ in range(of.horizon if weeks is None else weeks):
        advance(market)
        yield market


def hashes(of: Scenario, runs: Sequence[int] = (0,), seed: int = 1) -> dict[str, str]:
    """The canonical hash of each recorded table."""
    return hashes_of(run_block(of, seed, list(runs)))


def hashes_of(tables: dict[str, Any], run: int | None = None) -> dict[str, str]:
    """The canonical hash of each table, or of one run's rows of it."""
    if run is not None:
        tables = {name: table.filter(pc.field("run") == run) for name, table in tables.items()}
    return {name: canonical_hash(table) for name, table in tables.items()}


@dataclass
class Life:
    """A market lived to its end: what was seen after each week, and the tables recorded.

    `weeks` holds lists of arrays, one a week; `after` is the market at the end.
    """

    scenario: Scenario
    weeks: dict[str, list[Any]]
    after: Market
    tables: dict[str, Any]

    def seen(self, name: str) -> Any:
        """What was seen under a name, weeks first."""
        return np.stack(self.weeks[name])


def live(of: Scenario, runs: Sequence[int], seed: int = 1) -> Life:
    """Live through a scenario and look at everything after each week."""
    recorder, weeks = Recorder.ready(), {}
    for market in weeks_of(of, runs, seed):
        recorder.observe(market)
        for name, value in (look(market) | vars(market.tally)).items():
            weeks.setdefault(name, []).append(np.copy(value))
    frames = {name: table.to_pandas() for name, table in collect(market, recorder).items()}
    return Life(of, weeks, market, frames)


def look(market: Market) -> dict[str, Any]:
    """Sums that the market keeps, and the same ones added up anew from every row."""
    people, ledger = market.researchers, market.ledger
    runs, labs = market.shape
    campaigns = len(market.constants.campaigns)
    at_lab = np.flatnonzero(people.place >= 0)
    run, lab = market.run_of(at_lab), people.place[at_lab].astype(np.int64)
    where, shape = run * labs + lab, (runs, labs)

    def summed(weight: Any) -> Any:
        total = np.zeros(runs * labs, np.int64)
        np.add.at(total, where, np.asarray(weight).astype(np.int64))
        return total.reshape(shape)

    accounts = [int(Ledger.talent(j)) for j in range(labs)]
    accounts += [int(ledger.envelope(labs, c)) for c in range(campaigns)]
    return {
        "drift": ledger.drift(),
        "lowest_balance": ledger.balances[:, 1:].min(axis=1),
        "headcount": market.labs.headcount,
        "heads": summed(np.ones(len(at_lab))),
        "weekly_payroll": market.labs.weekly_payroll,
        "payroll_of_rows": summed(people.weekly_base[at_lab]),
        "talent_sum": market.labs.talent_sum,
        "talent_of_rows": summed(np.rint(people.talent[at_lab] * 1024)),
        "promised": market.promised,
        "promised_by_offers": _promised(market),
        "line_balance": ledger.balances[:, accounts],
        "campaign_committed": market.campaign_committed,
        "campaign_committed_by_offers": _committed(market),
        "pending": market.pending,
        "pending_rows": _pending(market),
        "leaving": np.array([_only_who_accepted_is_leaving(market)]),
        "in_place": np.array([_all_in_place(market)]),
        "failed": market.labs.failed,
    }


def _promised(market: Market) -> Any:
    total = np.zeros_like(market.promised)
    offers = market.offers
    line = np.where(offers.campaign >= 0, market.shape[1] + offers.campaign, offers.lab)
    held = offers.sign_on + 52 * offers.weekly_base + offers.grant * market.scenario.market.equity.charged
    np.add.at(total, (market.run_of(offers.row), line), held)
    return total


def _committed(market: Market) -> Any:
    total = np.zeros_like(market.campaign_committed)
    for offers in [market.offers.kept(market.week), *market.log.offers]:
        live = (offers["campaign"] >= 0) & np.isin(offers["outcome"], (-1, ACCEPTED))
        package = offers["sign_on"] + offers["grant"]
        np.add.at(total, (market.run_of(offers["row"][live]), offers["campaign"][live]), package[live])
    return total


def _pending(market: Market) -> Any:
    total = np.zeros_like(market.pending)
    for batch in [market.offers, *(b for due in market.approaches.values() for b in due)]:
        outsider = batch.origin == OUTSIDE
        np.add.at(total, (market.run_of(batch.row[outsider]), batch.lab[outsider]), 1)
    return total


def _only_who_accepted_is_leaving(market: Market) -> bool:
    """Whoever is leaving has accepted an offer that is still to begin, and the other way round."""
    waiting = market.offers.row[market.offers.outcome == ACCEPTED]
    return np.flatnonzero(market.researchers.leaving).tolist() == sorted(waiting.tolist())


def _all_in_place(market: Market) -> bool:
    """Everybody is at one lab, in a unit of it, or in one of the places outside the labs."""
    people = market.researchers
    at_lab = people.place >= 0
    known = (people.place >= UNBORN) & (people.place < market.shape[1])
    unit_of_lab = market.constants.unit_lab[people.unit[at_lab]] == people.place[at_lab]
    return bool(known.all() and unit_of_lab.all())
