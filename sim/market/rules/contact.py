"""Step 4, contact: labs find researchers; campaigns find a rival's best.

lambda_ij = lambda_contact * visibility_i * share_j * (1 + referral * ties): each person's next
approach is drawn in advance at the largest rate, the lab by its planned gross hires, and the
approach is kept with probability (1 + referral * ties) / (1 + referral).
Source: MODEL step 4; the choice probabilities of random search are T3's. Unit of time: the week.
"""

from __future__ import annotations

import numpy as np

from sim.market import appraisal, segments, spells
from sim.market.draws import Purpose, uniforms
from sim.market.offers import Approaches
from sim.market.state import MOST_PLANNED, Market
from sim.scenario.happenings import Campaign
from sim.system.arrays import Booleans, Floats, Integers


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
    """Find this week's ordinary and campaign candidates."""
    found = [_ordinary(market)]
    found += [_campaign(market, number, e.body) for number, e in enumerate(market.constants.campaigns)]
    for batch in found:
        segments.add(market.tally.contacts, (market.run_of(batch.row), batch.lab), 1)
    market.contacted += found


def _ordinary(market: Market) -> Approaches:
    """People whose approach, drawn in advance, falls into this week, each by a lab drawn by its plans."""
    people, labs, hiring = market.researchers, market.labs, market.scenario.market.hiring
    rows = np.flatnonzero(people.contact_week == market.week)
    spells.schedule_contact(market, rows, market.week + 1)
    run, person = market.run_of(rows), market.id_of(rows)
    plan = market.planned(hiring.look_ahead)
    weight = planned_gross_hires(plan, labs.headcount, hiring.gap_weight, hiring.replacement)
    weight = np.minimum(weight, MOST_PLANNED)
    weight = np.where(labs.failed | (labs.frozen_until > market.week), 0.0, weight)
    u = uniforms(market.key_of(run, Purpose.CONTACT_LAB, market.week), person)
    lab = pick_by_weight(weight, run, u)
    back = _from_the_former_lab(market, rows, weight)
    lab = np.where(back, people.last_lab[rows], lab)
    able = (lab >= 0) & (lab != people.place[rows]) & ~people.leaving[rows]
    rows, lab, run, person, back = rows[able], lab[able], run[able], person[able], back[able]
    u = uniforms(market.key_of(run, Purpose.REFERRAL, market.week), person)
    kept = _referred(market, rows, lab, u) | back  # a former lab needs no referral
    return appraisal.approaches(market, rows[kept], lab[kept])


def _from_the_former_lab(market: Market, rows: Integers, weight: Floats) -> Booleans:
    """Whether each approach comes from the lab where the person was before, if that hires."""
    people, chance = market.researchers, market.scenario.market.contact.return_contact
    regrets = people.regrets[rows]
    people.regrets[rows] = False
    if chance == 0 and not regrets.any():
        return regrets
    run, past = market.run_of(rows), people.last_lab[rows].astype(np.int64)
    u = uniforms(market.key_of(run, Purpose.RETURN, market.week), market.id_of(rows))
    hires = (past >= 0) & (segments.at(weight, run, np.maximum(past, 0)) > 0)
    return np.asarray(hires & (regrets | (u < chance)))


def _referred(market: Market, rows: Integers, lab: Integers, u: Floats) -> Booleans:
    """Approaches kept at u < (1 + referral * ties) / (1 + referral); ties are read only where they matter."""
    referral = market.scenario.market.contact.referral
    excess = u * (1 + referral) - 1
    kept = excess < 0
    unsure = np.flatnonzero(~kept)
    kept[unsure] = excess[unsure] < referral * market.ties_at(rows[unsure], lab[unsure])
    return np.asarray(kept)


def _campaign(market: Market, number: int, campaign: Campaign) -> Approaches:
    """This week's share of a campaign: the best of the target's staff not yet approached."""
    people, constants = market.researchers, market.constants
    lab, target = constants.lab(campaign.lab), constants.lab(campaign.target)
    opened = market.campaign_week[:, number]
    due = spread_evenly(campaign.researchers, campaign.weeks, market.week - opened)
    active = (opened >= 0) & (market.week - opened < campaign.weeks) & ~market.labs.failed[:, lab]
    active &= market.labs.frozen_until[:, lab] <= market.week
    quota = np.where(active, due - market.campaign_reached[:, number], 0)
    if not (quota > 0).any():
        return Approaches.new(0)
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
    return appraisal.approaches(market, rows, here, campaign=number, title=campaign.title, unit=unit)


def _being_courted(market: Market, rows: Integers, lab: int) -> Booleans:
    """Whether each has an offer of that lab before her already."""
    offers = market.offers
    return np.isin(rows, offers.row[offers.lab == lab])
