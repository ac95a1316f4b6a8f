"""Step 4, contact and shortlist: labs approach researchers; campaigns approach a rival's best.

lambda_ij = lambda_contact * visibility_i * share_j * (1 + referral * ties): each person's next
approach is drawn in advance at the largest rate, the lab by its planned gross hires, and the
approach is kept with probability (1 + referral * ties) / (1 + referral). Outsiders are shortlisted
up to the lab's vacancies, by worth per dollar of pay; people at rivals are limited by money alone.
Source: MODEL step 4; the choice probabilities of random search are T3's. Unit of time: the week.
"""

from __future__ import annotations

import numpy as np

from sim.market import appraisal, segments, spells
from sim.market.columns import UNSET
from sim.market.draws import Purpose, uniforms
from sim.market.offers import Approaches
from sim.market.state import OUTSIDE, Market
from sim.scenario.happenings import Campaign
from sim.system.arrays import Booleans, Floats, Integers

MOST_PLANNED = 1e7  # heads, or hires a year, that a lab may plan: more than there are people


def planned_gross_hires(plan: Floats, staff: Integers, gap_weight: float, replacement: float) -> Floats:
    """Hires a lab plans a year: gap_weight max(0, N* - staff) + replacement staff."""
    return np.asarray(gap_weight * np.maximum(plan - staff, 0.0) + replacement * staff)


def pick_by_weight(weight: Floats, group: Integers, u: Floats) -> Integers:
    """A column of (G, L) `weight` for each draw `u`, in proportion to the weights of its group.

    Weights are rounded to a millionth and summed as integers, so that a group's picks never depend
    on the others; -1 where all weights of the group are 0.
    """
    whole = np.rint(weight * 1e6).astype(np.int64)
    total = whole.sum(axis=1)
    before = np.cumsum(total) - total
    target = before[group] + np.floor(u * total[group]).astype(np.int64)
    chosen = np.searchsorted(np.cumsum(whole.ravel()), target, side="right") - group * weight.shape[1]
    return np.where(total[group] > 0, chosen, -1)


def spread_evenly(researchers: int, weeks: int, passed: Integers) -> Integers:
    """How many of a campaign's approaches are due by the end of each week, counted from 0."""
    return np.asarray(researchers * np.clip(passed + 1, 0, weeks) // weeks)


def approach(market: Market) -> None:
    """Open this week's ordinary and campaign approaches, each due when its process is over."""
    found = [_ordinary(market)]
    found += [_campaign(market, number, e.body) for number, e in enumerate(market.constants.campaigns)]
    for batch, interviewed in found:
        segments.add(market.tally.contacts, (market.run_of(batch.row), batch.lab), 1)
        _queue(market, batch, _shortlisted(market, batch), interviewed)


def _queue(market: Market, found: Approaches, kept: Integers, interviewed: bool) -> None:
    """Put the approaches that are kept into the calendar at the week in which an offer may be written."""
    process = segments.at(market.labs.process, market.run_of(found.row[kept]), found.lab[kept]) * interviewed
    sizes, order = np.bincount(process), segments.in_order(process)
    ends, batch, process = np.cumsum(sizes), found.where(kept[order]), process[order]
    batch.interview_week[:] = np.where(process > 0, market.week + (process > 1), UNSET)
    for weeks in np.flatnonzero(sizes):
        part = batch.between(int(ends[weeks] - sizes[weeks]), int(ends[weeks]))
        market.approaches.setdefault(market.week + int(weeks), []).append(part)


def _plan_at(market: Market, weeks_ahead: Integers | int) -> Floats:
    """N* of each lab some weeks ahead, after budget changes; (R, L)."""
    planned = market.constants.planned
    week = np.minimum(market.week - market.labs.born + weeks_ahead, planned.shape[1] - 1)
    plan = planned[np.arange(planned.shape[0]), week] * market.labs.plan_factor
    return np.asarray(np.minimum(plan, MOST_PLANNED))


def _ordinary(market: Market) -> tuple[Approaches, bool]:
    people, labs, hiring = market.researchers, market.labs, market.scenario.market.hiring
    rows = np.flatnonzero(people.contact_week == market.week)
    spells.schedule_contact(market, rows, market.week + 1)
    run, person = market.run_of(rows), market.id_of(rows)
    plan = _plan_at(market, hiring.look_ahead)
    weight = planned_gross_hires(plan, labs.headcount, hiring.gap_weight, hiring.replacement)
    weight = np.minimum(weight, MOST_PLANNED)
    weight = np.where(labs.failed | (labs.frozen_until > market.week), 0.0, weight)
    u = uniforms(market.key_of(run, Purpose.CONTACT_LAB, market.week), person)
    lab = pick_by_weight(weight, run, u)
    able = (lab >= 0) & (lab != people.place[rows]) & ~people.leaving[rows]
    rows, lab, run, person = rows[able], lab[able], run[able], person[able]
    u = uniforms(market.key_of(run, Purpose.REFERRAL, market.week), person)
    kept = _referred(market, rows, lab, u)
    return appraisal.approaches(market, rows[kept], lab[kept]), True


def _referred(market: Market, rows: Integers, lab: Integers, u: Floats) -> Booleans:
    """Approaches kept at u < (1 + referral * ties) / (1 + referral); ties are read only where they matter."""
    referral = market.scenario.market.contact.referral
    excess = u * (1 + referral) - 1
    kept = excess < 0
    unsure = np.flatnonzero(~kept)
    kept[unsure] = excess[unsure] < referral * market.ties_at(rows[unsure], lab[unsure])
    return np.asarray(kept)


def _shortlisted(market: Market, found: Approaches) -> Integers:
    """Which approaches are kept: all to people at rivals, and of outsiders the best up to the vacancies."""
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
    plan = np.floor(_plan_at(market, market.labs.process)).astype(np.int64)
    return np.asarray(np.maximum(plan - market.labs.headcount - market.pending, 0))


def _campaign(market: Market, number: int, campaign: Campaign) -> tuple[Approaches, bool]:
    """This week's share of a campaign: the best of the target's staff not yet approached."""
    people, constants = market.researchers, market.constants
    lab, target = constants.lab(campaign.lab), constants.lab(campaign.target)
    opened = market.campaign_week[:, number]
    due = spread_evenly(campaign.researchers, campaign.weeks, market.week - opened)
    active = (opened >= 0) & (market.week - opened < campaign.weeks) & ~market.labs.failed[:, lab]
    active &= market.labs.frozen_until[:, lab] <= market.week
    quota = np.where(active, due - market.campaign_reached[:, number], 0)
    interviewed = campaign.interviews == "normal"
    if not (quota > 0).any():
        return Approaches.new(0), interviewed
    bit = np.uint16(1 << number)
    fresh = (people.place == target) & ~people.leaving & ((people.approached & bit) == 0)
    fresh &= people.exit_week != market.week  # who leaves by hazard this week decides no more
    rows = np.flatnonzero(fresh)
    rows = rows[quota[market.run_of(rows)] > 0]
    rows = rows[~_being_courted(market, rows, lab)]
    run = market.run_of(rows)
    value = appraisal.observed_value(market, rows, np.full(len(rows), lab))
    rows = rows[segments.best_up_to(run, value, market.id_of(rows), quota[run])]
    people.approached[rows] |= bit
    segments.add(market.campaign_reached, (market.run_of(rows), number), 1)
    unit = constants.unit(campaign.lab, campaign.unit)
    here = np.full(len(rows), lab)
    found = appraisal.approaches(market, rows, here, campaign=number, title=campaign.title, unit=unit)
    return found, interviewed


def _being_courted(market: Market, rows: Integers, lab: int) -> Booleans:
    """Whether each has an offer of that lab before her already."""
    offers = market.offers
    return np.isin(rows, offers.row[offers.lab == lab])
