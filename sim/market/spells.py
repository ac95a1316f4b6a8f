"""Spells: the one place where a person changes place, and where what lies ahead of her is drawn.

A spell begins with its pay; attachment, the next exit (`exits.py`) and the next approach are drawn once the
week's moves are done. Money that a spell owes or is owed at its end is settled here too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sim.market import appraisal, exits, grants, segments
from sim.market.draws import Purpose, exponentials, normals, uniforms
from sim.market.entities import contact_of, spell_of
from sim.market.ledger import Ledger
from sim.market.state import (
    FIELD,
    FOUND,
    FOUNDER,
    FROM_RIVAL,
    LEFT_FIELD,
    NEVER,
    OUTSIDE,
    RELEASED,
    Market,
)
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.system.arrays import Booleans, Integers

TALENT_UNIT = 1024  # talent is summed in 1/1024 of the median, in integers, so that sums are exact


def schedule_contact(market: Market, rows: Integers, now: int) -> None:
    """Draw the week of each person's next approach, from week `now` on."""
    people, contact = market.researchers, market.scenario.market.contact
    place = people.place[rows]
    rate = np.where(place >= 0, contact.rate, np.where(place == OUTSIDE, contact.outside_rate, 0.0))
    rate *= people.visibility[rows] * (1 + contact.referral)
    key = contact_of(market, rows)
    threshold = exponentials(market.key_of(market.run_of(rows), Purpose.CONTACT_TIME), key)
    with np.errstate(divide="ignore", over="ignore"):  # a rate of 0, or nearly, is never
        wait = exits.whole_weeks(threshold / rate)
    people.contact_week[rows] = np.minimum(now + wait, NEVER)
    people.contacts[rows] += 1


def draw_attachment(market: Market, rows: Integers) -> None:
    """Attachment to the present employer, Normal, drawn anew at each spell; 0 outside the labs."""
    people, choice = market.researchers, market.scenario.market.choice
    key = spell_of(market, rows)
    drawn = normals(market.key_of(market.run_of(rows), Purpose.ATTACHMENT), key)
    at_lab = people.place[rows] >= 0
    people.attachment[rows] = np.where(at_lab, choice.attachment_mean + choice.attachment_sd * drawn, 0.0)


def count(market: Market, rows: Integers, sign: int) -> None:
    """Add people to, or take them from, the sums that their labs keep."""
    people, labs = market.researchers, market.labs
    index = (market.run_of(rows), people.place[rows].astype(np.int64))
    segments.add(labs.headcount, index, sign)
    segments.add(labs.weekly_payroll, index, sign * people.weekly_base[rows].astype(np.int64))
    segments.add(labs.talent_sum, index, sign * np.rint(people.talent[rows] * TALENT_UNIT).astype(np.int64))


class Pay(NamedTuple):
    """What a spell begins with: one number for all, or one a person."""

    weekly_base: Integers | int  # cents a week
    sign_on: Integers | int = 0  # cents
    grant: Integers | int = 0  # shares
    title: Integers | int = 0  # steps
    grant_face: Integers | int = 0  # cents, where somebody was charged
    grant_payer: Integers | int = 0  # account


def begin(
    market: Market, rows: Integers, place: Integers, unit: Integers, origin: npt.ArrayLike, pay: Pay
) -> None:
    """People arrive at a place this week. What lies ahead of them is drawn once the week's moves are done.

    Until then (`foresee`, a line of the week) they have neither an exit nor an approach before them.
    """
    if not len(rows):
        return
    people = market.researchers
    place = np.broadcast_to(place, rows.shape)
    _move_ties(market, rows, place)
    before = people.place[rows]
    people.returned[rows] = (people.last_lab[rows] == place) & (place >= 0)
    people.last_lab[rows] = np.where(before >= 0, before, people.last_lab[rows])
    people.came_from[rows] = np.where(before >= 0, before, -1 - people.pool[rows])
    people.place[rows], people.unit[rows], people.origin[rows] = place, unit, origin
    people.weekly_base[rows], people.sign_on[rows] = pay.weekly_base, pay.sign_on
    people.grant[rows], people.title[rows] = pay.grant, pay.title
    people.grant_face[rows], people.grant_payer[rows] = pay.grant_face, pay.grant_payer
    people.not_refreshed[rows] = 0
    people.start_week[rows] = market.week
    people.spell[rows] += 1
    people.countered[rows] = False
    people.leaving[rows] = False
    people.slight[rows] = people.shake[rows] = 0.0
    people.regrets[rows] = False
    people.exit_week[rows] = people.contact_week[rows] = NEVER
    market.newcomers.append(rows)
    count(market, rows[place >= 0], +1)


def _move_ties(market: Market, rows: Integers, place: Integers) -> None:
    """Those who know people who change place know them at the new one from now on."""
    knowing, before = market.known_by.take(rows, axis=0), market.researchers.place[rows]
    cells = np.stack([market.tie_cells(knowing, at[:, None]) for at in (before, place)])
    change = np.repeat(np.array([-1, 1], np.int8), knowing.size)
    segments.add(market.ties_there.reshape(-1, copy=False), (cells.ravel(),), change)


def begin_on_scale(market: Market, rows: Integers, lab: Integers, unit: Integers, origin: int) -> None:
    """People start this week at a lab on the unit's own scale of pay, without a sign-on."""
    run = market.run_of(rows)
    base, package = appraisal.scale_pay(market, rows, lab, unit)
    weekly = np.rint(base * 100 / WEEKS_PER_YEAR).astype(np.int64)
    face = appraisal.package_cents(market, package, lab)
    pay = Pay(weekly, grant=appraisal.shares_of(market, face, run, lab))
    begin(market, rows, lab, unit, origin, pay)
    segments.add(market.tally.hires, (run, lab), 1)


def foresee(market: Market) -> None:
    """Draw what lies ahead of those who arrived this week: attachment, exit and next approach."""
    if not market.newcomers:
        return
    rows = np.unique(np.concatenate(market.newcomers))
    market.newcomers.clear()
    draw_attachment(market, rows)
    exits.schedule_exit(market, rows, market.week + 1)
    schedule_contact(market, rows, market.week + 1)
    _regret(market, rows)


def _regret(market: Market, rows: Integers) -> None:
    """Some of those who come from rivals find the match poor (Jovanovic 1979): their old lab will call."""
    people, contagion = market.researchers, market.scenario.market.contagion
    if contagion.regret == 0:
        return
    rows = rows[(people.place[rows] >= 0) & (people.origin[rows] == FROM_RIVAL)]
    u = uniforms(market.key_of(market.run_of(rows), Purpose.REGRET), spell_of(market, rows))
    poor = u < contagion.regret
    rows, u = rows[poor], u[poor] / contagion.regret
    people.attachment[rows] -= contagion.regret_loss
    people.regrets[rows] = True
    call = market.week + contagion.regret_after + np.floor(u * (contagion.regret_within + 1)).astype(np.int64)
    people.contact_week[rows] = np.minimum(people.contact_week[rows], call)


def end(market: Market, rows: Integers, cause: Integers | int, next_lab: Integers | int) -> None:
    """Employment spells end: logged, counted, sign-on clawed back from who leaves by choice."""
    if not len(rows):
        return
    people, week = market.researchers, market.week
    run, lab = market.run_of(rows), people.place[rows].astype(np.int64)
    cause = np.broadcast_to(np.asarray(cause, np.int64), rows.shape)
    count(market, rows, -1)
    segments.add(market.tally.left, (run, lab, cause), 1)
    _claw_back(market, rows[cause != RELEASED])
    log_spells(market, rows, week, cause, next_lab)
    grants.forfeit(market, rows)
    people.retention[rows] = people.retention_face[rows] = 0  # the rest is set by what begins


def log_spells(
    market: Market, rows: Integers, week: int, cause: Integers | int, next_lab: Integers | int
) -> None:
    """Write spells to the log; cause -1 means censored."""
    people = market.researchers
    market.log.spells.append(
        {
            "row": rows.copy(),
            "lab": people.place[rows].copy(),
            "unit": people.unit[rows].copy(),
            "start_week": people.start_week[rows].copy(),
            "end_week": np.full(len(rows), week, np.int16),
            "origin": people.origin[rows].copy(),
            "came_from": people.came_from[rows].copy(),
            "returned": people.returned[rows].copy(),
            "cause": np.broadcast_to(cause, rows.shape).astype(np.int8),
            "next_lab": np.broadcast_to(next_lab, rows.shape).astype(np.int16),
        }
    )


def _claw_back(market: Market, rows: Integers) -> None:
    """People who leave within the clawback time pay back the sign-on for the weeks not served."""
    window = market.scenario.market.equity.clawback
    served = market.tenure_weeks(rows)
    owing = (served < window) & (market.researchers.sign_on[rows] > 0)
    if not owing.any():
        return
    rows, served = rows[owing], served[owing]
    cents = market.researchers.sign_on[rows] * (window - served) // max(window, 1)
    lab = market.researchers.place[rows].astype(np.int64)
    market.ledger.post(
        market.week, "clawback", market.run_of(rows), Ledger.RESEARCHERS, Ledger.talent(lab), cents
    )


def leave_labs(market: Market, rows: Integers, cause: Integers) -> None:
    """People leave the labs for the place that their cause leads to."""
    place = np.select([cause == FOUND, cause == FIELD], [FOUNDER, LEFT_FIELD], OUTSIDE)
    end(market, rows, cause, -1)
    market.researchers.pool[rows] = market.constants.pools.of_cause[cause]
    begin(market, rows, place, np.zeros(len(rows), np.int64), 0, outside_pay(market, rows))


def outside_pay(market: Market, rows: Integers) -> Pay:
    """Pay of people outside the labs, all base: that of their pool for their talent."""
    pools, pool = market.constants.pools, market.researchers.pool[rows]
    talent = market.researchers.talent[rows].astype(np.float64)
    yearly = np.minimum(pools.pay[pool] * talent ** pools.power[pool], pools.cap[pool])
    return Pay(np.rint(yearly * appraisal.growth_of_pay(market) * 100 / WEEKS_PER_YEAR).astype(np.int64))


def cash_covers(market: Market, rows: Integers, cash: Integers) -> Booleans:
    """Whether the free money of people's labs covers the cash for each, in cents, by id within each lab."""
    run, lab = market.run_of(rows), market.researchers.place[rows].astype(np.int64)
    group = run * market.shape[1] + lab
    order = np.argsort(group * market.people + market.id_of(rows))
    free = market.ledger.of(run, Ledger.talent(lab)) - segments.at(market.promised, run, lab)
    fits = np.zeros(len(rows), np.bool_)
    fits[order] = segments.running_total(group[order], cash[order]) <= free[order]
    return fits


def retain(market: Market, rows: Integers, package: Integers) -> None:
    """Pay people a retention package, in cents: part cash now, the rest shares that vest from today.

    What has not vested of an earlier one starts anew with it. Nobody retained feels underpaid any more.
    """
    if not len(rows):
        return
    people, week = market.researchers, market.week
    run, lab = market.run_of(rows), people.place[rows].astype(np.int64)
    cash, face = appraisal.split_package(package, market.scenario.market.equity.sign_on_share)
    paid = grants.charge(market, cash, face)
    market.ledger.post(week, "retention", run, Ledger.talent(lab), Ledger.RESEARCHERS, paid)
    segments.add(market.tally.spend, (run, lab), paid)
    unvested = 1 - grants.retention_vested(market, rows)
    kept = np.rint(people.retention[rows] * unvested).astype(np.int64)
    shares = appraisal.shares_of(market, face, run, lab)
    people.retention[rows] = kept + shares
    people.retention_face[rows] = np.floor(people.retention_face[rows] * unvested).astype(np.int64)
    people.retention_face[rows] += paid - cash
    exits.hold_by_vests(market, rows, shares)
    people.retention_week[rows] = week
    people.slight[rows] = 0.0


def raise_base(market: Market, rows: Integers, weekly_base: Integers) -> None:
    """Set the weekly base of people at labs, in cents, and their labs' payroll with it."""
    people = market.researchers
    index = (market.run_of(rows), people.place[rows].astype(np.int64))
    segments.add(market.labs.weekly_payroll, index, weekly_base - people.weekly_base[rows])
    people.weekly_base[rows] = weekly_base
