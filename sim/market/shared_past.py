"""Scenarios that tell the same story up to some week live it once.

A market's weeks depend on its events only once they can happen: dated ones from their date on. So
scenarios that differ in dated events alone have the same past, to the bit, until the first that is
not in both; a market that has lived it can go on as the market of either. What else a market reads
of its events, and how its columns are laid out, stands in `world_of`.
"""

from __future__ import annotations

import copy
from itertools import zip_longest

import numpy as np

from sim.market.constants import compile_constants, timeline_of, units_of
from sim.market.state import Market
from sim.scenario.schema import Scenario

LABELS = {"name", "title", "description"}


def world_of(scenario: Scenario) -> str:
    """All of a scenario but its labels and dated events; equal for those that may share a past.

    Of the events, these shape a market from its opening on: the units that they open, the names of the
    campaigns, each of which has an account, and the plans.
    """
    units = [(lab, name, unit.model_dump_json()) for lab, name, unit in units_of(scenario)]
    campaigns = [event.campaign.name for event in scenario.events if event.campaign is not None]
    plans = [event.model_dump_json() for event in scenario.events if event.plan is not None]
    return f"{scenario.model_dump_json(exclude=LABELS | {'events'})} {units} {campaigns} {plans}"


def shared_weeks(one: Scenario, other: Scenario) -> int:
    """How many weeks two scenarios of one world share: until the first event that is not in both."""
    timelines = (timeline_of(scenario) for scenario in (one, other))
    for (week, _, event), (other_week, _, other_event) in zip_longest(
        *timelines, fillvalue=(one.horizon, 0, None)
    ):
        if event != other_event:
            return min(week, other_week, one.horizon)  # talks may end after it
    return one.horizon


def branch(market: Market, scenario: Scenario) -> Market:
    """A copy of a market that goes on as that of another scenario with the same past."""
    log = market.log
    finished = [*log.offers, *log.spells, *log.events, *log.transfers, *market.ledger.journal]
    never_written = [market.scenario, market.constants, market.keys, market.ties, market.known_by]
    shared = [*never_written, *finished]
    twin = copy.deepcopy(market, {id(part): part for part in shared})
    twin.scenario, twin.constants = scenario, compile_constants(scenario)
    twin.happened = np.zeros((len(market.runs), len(scenario.events)), np.bool_)
    for (_, mine, event), (_, theirs, other) in zip(
        market.constants.timeline, twin.constants.timeline, strict=False
    ):
        if event != other:
            break
        twin.happened[:, theirs] = market.happened[:, mine]
    return twin
