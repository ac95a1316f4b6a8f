"""Leaders dismissed, units opened, people moved, laid off or kept.

Source: article.leader_dismissed, article.fair, article.genai_unit; retention programmes P3, O13; sizes are
assumptions. Who leads a unit is its most talented person.
"""

from __future__ import annotations

import numpy as np

from sim.market import appraisal, exits, grants, segments, spells
from sim.market.state import RELEASED, Market
from sim.scenario.happenings import Layoff, LeadershipChange, NewUnit, RetentionGrant, Transfer
from sim.system.arrays import Booleans, Floats, Integers


def top(group: Integers, merit: Floats, tie_break: Integers, share: float) -> Booleans:
    """In each group the floor(share * size + 1/2) rows of highest merit."""
    quota = np.floor(share * np.bincount(group, minlength=1) + 0.5).astype(np.int64)
    return segments.best_up_to(group, merit, tie_break, quota[group])


def change_leader(market: Market, body: LeadershipChange, runs: Integers) -> Integers:
    """Leadership falls; a dismissed leader goes, and those who are tied to the leader feel less attached."""
    constants, lab = market.constants, market.constants.lab(body.lab)
    units = np.flatnonzero(constants.unit_lab == lab)
    if body.unit is not None:
        units = np.array([constants.unit(body.lab, body.unit)])
    market.labs.leadership[np.ix_(runs, units)] -= body.shock
    if body.dismissed:
        staff = market.staff_of(runs, lab)
        staff = staff[np.isin(market.researchers.unit[staff], units)]
        _dismiss(market, staff[_first(market, staff, 1)], body.followers)
    return runs


def _dismiss(market: Market, leaders: Integers, followers: float) -> None:
    people = market.researchers
    tied = market.tied_to(leaders)
    near = (people.place[tied] == people.place[leaders][:, None]) & (tied != leaders[:, None])
    people.attachment[np.unique(tied[near])] -= followers
    spells.leave_labs(market, leaders, np.full(len(leaders), RELEASED))


def _first(market: Market, rows: Integers, count: int) -> Booleans:
    """The `count` most talented of each run among `rows`."""
    run, talent = market.run_of(rows), market.researchers.talent[rows]
    return segments.best_up_to(run, talent, market.id_of(rows), np.full(len(rows), count))


def open_unit(market: Market, body: NewUnit, runs: Integers) -> Integers:
    """From now on the unit has its share of ordinary hires; the lab's best move there."""
    unit = market.constants.unit(body.lab, body.unit)
    market.labs.unit_share[runs, unit] = body.share
    market.labs.leadership[runs, unit] += body.leadership
    market.labs.ln_standing[runs, market.constants.lab(body.lab)] += body.standing
    staff = market.staff_of(runs, market.constants.lab(body.lab))
    staff = staff[market.researchers.unit[staff] != unit]
    _move(market, staff[_first(market, staff, body.researchers)], unit)
    return runs


def transfer(market: Market, body: Transfer, runs: Integers) -> Integers:
    """The best of one unit move to another; no spell ends."""
    unit, old = (market.constants.unit(body.lab, name) for name in (body.unit, body.from_unit))
    staff = market.staff_of(runs, market.constants.lab(body.lab))
    staff = staff[market.researchers.unit[staff] == old]
    _move(market, staff[_first(market, staff, body.researchers)], unit)
    return runs


def _move(market: Market, rows: Integers, unit: int) -> None:
    """People change unit, and with it the hazard of leaving the labs; their spells go on."""
    if not len(rows):
        return
    exits.rescale_exit(market, rows, unit)
    people = market.researchers
    market.log.transfers.append(
        {
            "row": rows,
            "lab": people.place[rows],
            "start_week": people.start_week[rows],
            "week": np.full(len(rows), market.week, np.int16),
            "from_unit": people.unit[rows],
            "to_unit": np.full(len(rows), unit, np.int16),
        }
    )
    people.unit[rows] = unit


def lay_off(market: Market, body: Layoff, runs: Integers) -> Integers:
    """Each lab concerned releases the part of its staff that is worth least over its cost."""
    for lab in market.labs_meant(body.lab):
        staff = market.staff_of(runs, lab)
        value = appraisal.observed_value(market, staff, np.full(len(staff), lab))
        surplus = value - appraisal.present_cost(market, staff)
        going = staff[top(market.run_of(staff), -surplus, market.id_of(staff), body.share)]
        spells.leave_labs(market, going, np.full(len(going), RELEASED))
    return runs


def grant_retention(market: Market, body: RetentionGrant, runs: Integers) -> Integers:
    """The best of the staff get a retention package each, as far as free cash and a salary cap allow."""
    staff = market.staff_of(runs, market.constants.lab(body.lab))
    talent = market.researchers.talent[staff].astype(np.float64)
    kept = staff[top(market.run_of(staff), talent, market.id_of(staff), body.share)]
    cost = appraisal.present_cost(market, kept) + body.package / 100 / market.scenario.market.equity.horizon
    kept = kept[cost <= market.salary_cap[market.run_of(kept)]]
    package = np.full(len(kept), body.package, np.int64)
    cash, face = appraisal.split_package(package, market.scenario.market.equity.sign_on_share)
    paid = spells.cash_covers(market, kept, grants.charge(market, cash, face))
    spells.retain(market, kept[paid], package[paid])
    return runs
