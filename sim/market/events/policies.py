"""What labs and rulers decide: releases, freezes, budgets, valuations, processes, rules and strategies.

Source: article.release_flop, article.rivals_invest, article.llama_divest, article.llama_commit; valuations
P8 and P10; non-competes K6; MODEL step 1. Sizes are assumptions unless a scenario says more.
"""

from __future__ import annotations

import numpy as np

from sim.market.state import COUNTER_POLICIES, STRATEGIES, Market
from sim.scenario.happenings import (
    BudgetChange,
    CounterRule,
    FoundingBoom,
    HiringFreeze,
    ModelRelease,
    NonCompeteRule,
    ProcessChange,
    Revaluation,
    SalaryCap,
    StrategyChange,
)
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.system.arrays import Integers


def release(market: Market, body: ModelRelease, runs: Integers) -> Integers:
    """A model release moves ln standing by its reception, in units of the release sd."""
    lab = market.constants.lab(body.lab)
    market.labs.ln_standing[runs, lab] += body.reception * market.scenario.market.standing.release_sd
    return runs


def freeze(market: Market, body: HiringFreeze, runs: Integers) -> Integers:
    """A lab stops approaching and offering."""
    cells = np.ix_(runs, market.labs_meant(body.lab))
    market.labs.frozen_until[cells] = np.maximum(market.labs.frozen_until[cells], market.week + body.weeks)
    return runs


def change_budget(market: Market, body: BudgetChange, runs: Integers) -> Integers:
    """Inflows and the headcount plan are multiplied from now on, and the talent inflow grows."""
    cells = np.ix_(runs, market.labs_meant(body.lab))
    market.labs.talent_factor[cells] *= body.talent_inflow
    market.labs.treasury_factor[cells] *= body.treasury_inflow
    market.labs.plan_factor[cells] *= body.headcount_plan
    market.labs.talent_growth[cells] += body.growth / WEEKS_PER_YEAR
    return runs


def revalue(market: Market, body: Revaluation, runs: Integers) -> Integers:
    """A lab's shares, and so every grant held, are worth `factor` times as much."""
    market.labs.valuation[runs, market.constants.lab(body.lab)] *= body.factor
    return runs


def change_process(market: Market, body: ProcessChange, runs: Integers) -> Integers:
    """Interviews that begin from now on take another time."""
    market.labs.process[runs, market.constants.lab(body.lab)] = body.process
    return runs


def set_non_compete(market: Market, body: NonCompeteRule, runs: Integers) -> Integers:
    """People who accept a rival's offer from now on start after so many weeks of paid leave."""
    market.labs.non_compete[np.ix_(runs, market.labs_meant(body.lab))] = body.weeks
    return runs


def set_counter_rule(market: Market, body: CounterRule, runs: Integers) -> Integers:
    """The lab answers bids for its people by another policy, and learns of them otherwise."""
    lab = market.constants.lab(body.lab)
    market.labs.counter_policy[runs, lab] = COUNTER_POLICIES.index(body.policy)
    market.labs.detection[runs, lab], market.labs.answering[runs, lab] = body.detection, body.probability
    return runs


def cap_salaries(market: Market, body: SalaryCap, runs: Integers) -> Integers:
    """No lab offers or grants anybody more than the cap a year, USD."""
    market.salary_cap[runs] = body.pay / 100
    return runs


def begin_boom(market: Market, body: FoundingBoom, runs: Integers) -> Integers:
    """From now on who leaves to found may open one of the labs reserved."""
    market.founding[runs], market.seed[runs] = body.probability, body.seed
    return runs


def change_strategy(market: Market, body: StrategyChange, runs: Integers) -> Integers:
    """Openness moves with the strategy; renting costs money and ambition, and frees compute."""
    constants, labs, rule = market.constants, market.labs, market.scenario.market.strategy
    lab, new = constants.lab(body.lab), STRATEGIES.index(body.strategy)
    openness = np.array([getattr(rule, name) for name in STRATEGIES])
    change = openness[new] - openness[labs.strategy[runs, lab]]
    units = np.flatnonzero(constants.unit_lab == lab)
    labs.unit_mission[runs[:, None], units[None, :], 0] += change[:, None]
    rents = body.provider is not None
    labs.strategy[runs, lab] = new
    labs.ambition[runs, lab] = -rule.ambition if rents else 0.0
    labs.compute_factor[runs, lab] = 1 + rule.compute_freed if rents else 1.0
    labs.rent[runs, lab] = round(body.fee / WEEKS_PER_YEAR) if rents else 0
    labs.provider[runs, lab] = constants.lab(body.provider) if body.provider else 0
    return runs
