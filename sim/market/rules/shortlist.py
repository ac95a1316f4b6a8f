"""Step 4, shortlist: outsiders are invited up to the lab's vacancies, and the process begins.

Outsiders are ranked by worth per dollar of pay; vacancies are the heads below plan when a hire approached now
would start, less the outsiders already approached. People at rivals are limited by money alone: their hires
count towards staff, so that outside hiring yields. Source: MODEL step 4. Unit of time: the week.
"""

from __future__ import annotations

import numpy as np

from sim.market import appraisal, calendar, segments
from sim.market.columns import UNSET
from sim.market.offers import Approaches
from sim.market.state import OUTSIDE, Market
from sim.system.arrays import Integers


def invite(market: Market) -> None:
    """Put those who are interested, outsiders up to the vacancies, into the calendar of interviews."""
    found = Approaches.joined(market.contacted)
    market.contacted.clear()
    if not len(found):
        return
    kept = found.where(_shortlisted(market, found))
    run = market.run_of(kept.row)
    process = segments.at(market.labs.process, run, kept.lab)
    process = np.where(market.constants.unscreened[kept.campaign] | (kept.inviter != UNSET), 0, process)
    met = process > 0
    # somebody asked by a colleague is met at once, if she was asked at all
    kept.interview_week[:] = np.where(met, market.week + (process > 1), UNSET)
    led = (kept.inviter != UNSET) & (kept.interest_week != UNSET)
    kept.interview_week[led] = market.week
    segments.add(market.tally.interviews, (run[met | led], kept.lab[met | led]), 1)
    order = segments.in_order(process)
    sizes = np.bincount(process)
    ends, batch = np.cumsum(sizes), kept.where(order)
    for weeks in np.flatnonzero(sizes):
        part = batch.between(int(ends[weeks] - sizes[weeks]), int(ends[weeks]))
        calendar.put(market, market.week + int(weeks), part)


def _shortlisted(market: Market, found: Approaches) -> Integers:
    """Positions of the approaches that are kept: all to people at labs, and of outsiders the best."""
    outside = np.flatnonzero(found.origin == OUTSIDE)
    rows, lab = found.row[outside], found.lab[outside]
    run = market.run_of(rows)
    base, package = appraisal.scale_pay(market, rows, lab, found.unit[outside])
    merit = found.value[outside] / (base + package / market.scenario.market.equity.horizon)
    vacant = segments.at(_vacancies(market), run, lab)
    chosen = segments.best_up_to(run * market.shape[1] + lab, merit, market.id_of(rows), vacant)
    for own in market.behaviours.get("shortlist", []):
        theirs = np.flatnonzero(own.applies[lab])
        if len(theirs):
            chosen[theirs] = own.decide(rows[theirs], merit[theirs], vacant[theirs])
    segments.add(market.pending, (run[chosen], lab[chosen]), 1)
    keep = np.ones(len(found), np.bool_)
    keep[outside] = chosen
    return np.flatnonzero(keep)


def _vacancies(market: Market) -> Integers:
    """Heads below plan when a hire approached now would start, less outsiders already approached."""
    plan = np.floor(market.planned(market.labs.process)).astype(np.int64)
    return np.asarray(np.maximum(plan - market.labs.headcount - market.pending, 0))
