"""Step 1, shocks: dated events and plans change the market.

An event happens in the first week on or after its date in which its condition holds: its plan, if
it is part of one, has fired; its payer, if it costs money, can pay. A plan fires a given time after
the lab's standing falls below its threshold, or behind its rivals. Nothing happens by default.
Source: the article (`seeds/article.csv`); MODEL step 1. Unit of time: the week.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sim.market import appraisal
from sim.market.events import campaigns, deals, people, policies
from sim.market.state import NEVER, Market
from sim.scenario.events import Event
from sim.system.arrays import Booleans, Floats, Integers


def falls_below(ln_standing: Floats, threshold: float) -> Booleans:
    """Whether standing has fallen below a plan's threshold."""
    return np.asarray(np.exp(ln_standing) < threshold)


def happen(market: Market) -> None:
    """Let valuations move, plans fire and every event happen whose time has come."""
    market.labs.valuation *= market.constants.revalued[:, market.week]
    _note_plans(market, {event.plan for event in market.constants.plans})
    for week, number, event in market.constants.timeline:
        if week > market.week:
            break
        length = event.talks.weeks if event.talks else 0
        due = ~market.happened[:, number] & _allowed(market, event.part_of, length)
        runs = np.flatnonzero(due)
        if len(runs):
            done = APPLIERS[event.kind](market, event.body, runs)
            market.happened[done, number] = True
            market.log_event(event.kind, _name_of(event), _lab_of(market, event.body), done)
    campaigns.close_campaigns(market)
    _watch_plans(market)


def _allowed(market: Market, plan: str | None, length: int) -> Booleans:
    """Runs in which an event's plan has fired, for talks so long ago; all of them without a plan."""
    if plan is None:
        return np.ones(len(market.runs), np.bool_)
    number = [event.plan for event in market.constants.plans].index(plan)
    return np.asarray(market.plan_week[:, number] + length <= market.week)


def _watch_plans(market: Market) -> None:
    """Set off each plan whose condition holds; it fires later, or at once if it waits for nothing."""
    names = [event.plan for event in market.constants.plans]
    for number, event in enumerate(market.constants.plans):
        if event.when is None or event.lab is None:
            continue
        lab = market.constants.lab(event.lab)
        if event.when.standing_below is not None:
            due = falls_below(market.labs.ln_standing[:, lab], event.when.standing_below)
        elif event.when.standing_gap is not None:
            due = appraisal.fall_of_standing(market)[:, lab] > event.when.standing_gap
        else:
            due = market.plan_week[:, names.index(event.when.plan)] <= market.week
        due &= market.plan_week[:, number] == NEVER
        market.plan_week[due, number] = market.week + event.when.after
        _note_plans(market, {event.plan} if event.when.after == 0 else set())


def _note_plans(market: Market, names: set[str | None]) -> None:
    """Log those of the plans that fire this week."""
    for number, event in enumerate(market.constants.plans):
        if event.plan in names and event.lab is not None:
            fired = np.flatnonzero(market.plan_week[:, number] == market.week)
            market.log_event("plan", str(event.plan), market.constants.lab(event.lab), fired)


def _name_of(event: Event) -> str:
    """What people call the event: its own name, whom it meets, or the lab that acts."""
    body = event.body
    named = (getattr(body, key, None) for key in ("name", "target", "unit", "lab"))
    return event.name or next((name for name in named if name), event.kind)


def _lab_of(market: Market, body: Any) -> int:
    """Number of the lab that acts, or is acted upon; -1: all."""
    name = getattr(body, "lab", None) or getattr(body, "buyer", None) or getattr(body, "target", None)
    return market.constants.lab(name) if name else -1


APPLIERS: dict[str, Callable[[Market, Any, Integers], Integers]] = {
    "model_release": policies.release,
    "acquihire": deals.acquihire,
    "talks": deals.conclude_talks,
    "investment": deals.invest,
    "campaign": campaigns.open_campaign,
    "leadership_change": people.change_leader,
    "new_unit": people.open_unit,
    "transfer": people.transfer,
    "strategy_change": policies.change_strategy,
    "hiring_freeze": policies.freeze,
    "budget_change": policies.change_budget,
    "layoff": people.lay_off,
    "retention_grant": people.grant_retention,
    "process_change": policies.change_process,
    "non_compete_rule": policies.set_non_compete,
    "counter_rule": policies.set_counter_rule,
    "salary_cap": policies.cap_salaries,
    "revaluation": policies.revalue,
    "founding_boom": policies.begin_boom,
}
