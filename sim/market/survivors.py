"""Attachment of the opening staff: drawn given that nobody has won them away until now.

Who is long at a lab has refused, or never had, the offers of her years there, so her attachment is above the
mean. The stream of offers is the ordinary one: a contact by a lab drawn by size, and then what the market's
own rules make of it (interest, interviews, pricing) at the terms of week 0 and a hurdle rate of 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.market import appraisal, worth
from sim.market.draws import Purpose, normals, uniforms
from sim.market.entities import attempt_of
from sim.market.state import Market
from sim.scenario.parameters import Interviews
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.system.arrays import Floats, Integers

TRIES = 24
# Cells of resistance below the highest at which somebody is interested, in utils: where each begins, and
# where its chance is taken; the last has no end, and people that far below would accept anything.
CELLS = np.array([0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0])
WITHIN = np.array([0.125, 0.375, 0.75, 1.25, 1.75, 2.5, 3.5, 5.0])
OWN_TASTES = -np.log(-np.log((np.arange(6) + 0.5) / 6))  # Gumbel, of six people in six sixths


@dataclass(frozen=True)
class Stream:
    """What an ordinary contact does to each person, by resistance: A + taste of staying - taste of going.

    `highest`, (n,), is the resistance up to which she may be won, and `chance`, (n, cells), that she then is,
    in each of `CELLS` below.
    """

    highest: Floats
    chance: Floats

    def stays(
        self, some: Integers, attachment: Floats, contacts: Floats, years: Floats, scale: float
    ) -> Floats:
        """Chance that each of some people is still there after years of so many contacts, at an attachment.

        Tastes are Gumbel of a `scale`: that of staying holds for a year and so for all its contacts, by
        quadrature; that of going is each lab's own.
        """
        lived = np.zeros(len(some))
        highest = self.highest[some, None] - CELLS[: self.chance.shape[1]]
        for taste in OWN_TASTES:
            edges = (attachment + scale * taste)[:, None] - highest
            below = -np.expm1(-np.exp(np.minimum(-edges / scale, worth.LARGEST_EXPONENT)))
            within = below - np.concatenate([below[:, 1:], np.zeros((len(some), 1))], axis=1)
            lived += np.exp(-contacts * (within * self.chance[some]).sum(axis=1)) / len(OWN_TASTES)
        return lived**years


def surviving_attachment(market: Market, rows: Integers) -> Floats:
    """Attachment given that the person is still there, by rejection against ordinary offers; utils, (n,).

    A candidate from the Normal is kept with the chance of still being there after so many contacts a
    year, each of which wins her with the chance that it has at that attachment. Somebody rejected in
    all of `TRIES` tries keeps the largest candidate.
    """
    choice, contact = market.scenario.market.choice, market.scenario.market.contact
    run = market.run_of(rows)
    rival = Rival.of(market, rows)
    stream, rate = _ordinary_stream(market, rows, rival), contact.rate * market.researchers.visibility[rows]
    contacts, years = rate * rival.share, market.tenure_weeks(rows) / WEEKS_PER_YEAR
    chosen, waiting = np.full(len(rows), -np.inf), np.arange(len(rows))
    for attempt in range(TRIES):
        key = attempt_of(market, rows[waiting], attempt)
        drawn = choice.attachment_mean + choice.attachment_sd * normals(
            market.key_of(run[waiting], Purpose.ATTACHMENT, 1), key
        )
        stayed = stream.stays(waiting, drawn, contacts[waiting], years[waiting], choice.taste_scale)
        kept = uniforms(market.key_of(run[waiting], Purpose.SURVIVAL), key) < stayed
        chosen[waiting] = np.where(kept, drawn, np.maximum(chosen[waiting], drawn))
        waiting = waiting[~kept]
        if not len(waiting):
            break
    return chosen


@dataclass(frozen=True)
class Rival:
    """The lab that each past was full of, and the terms between it and staying; columns (n,)."""

    lab: Integers
    unit: Integers
    share: Floats  # of contacts that come from other labs than her own
    stay: Floats  # Y of staying, USD a year
    against: Floats  # terms of staying but pay, attachment and taste, less those of going; utils
    elasticity: float

    @classmethod
    def of(cls, market: Market, rows: Integers) -> Rival:
        """One of the other labs for each person, drawn by size, at its default unit."""
        choice, constants, people = market.scenario.market.choice, market.constants, market.researchers
        run, own = market.run_of(rows), people.place[rows].astype(np.int64)
        size = np.array([lab.staff for lab in market.scenario.labs.values()])
        until, others = np.cumsum(size), size.sum() - size
        u = uniforms(market.key_of(run, Purpose.SURVIVAL_LAB), market.id_of(rows))
        aim = u * others[own]
        aim += np.where(aim >= (until - size)[own], size[own], 0)  # her own lab is passed over
        lab = np.minimum(np.searchsorted(until, aim, side="right"), len(size) - 1)
        unit, zero = constants.default_unit[lab], np.zeros(len(rows), np.int64)
        own_terms = appraisal.lab_terms(market, rows, own, people.unit[rows].astype(np.int64), zero)
        gain = appraisal.lab_terms(market, rows, lab, unit, zero) - own_terms - choice.moving_cost
        years = market.tenure_weeks(rows) / WEEKS_PER_YEAR
        against = worth.staying_terms(0.0, years, choice.tenure_effect) - gain
        share = others[own] / until[-1]
        return cls(lab, unit, share, appraisal.stay_pay(market, rows), against, choice.pay_elasticity)

    def reservation(self, resistance: Floats | float) -> Floats:
        """The pay at which she is indifferent at a resistance, USD a year."""
        return worth.reservation(self.stay, resistance + self.against, self.elasticity)

    def resistance(self, pay: Floats) -> Floats:
        """The resistance at which she is indifferent to a pay, utils."""
        gap = np.log(np.maximum(pay, worth.SMALLEST) / np.maximum(self.stay, worth.SMALLEST))
        return np.asarray(self.elasticity * gap - self.against)


def _ordinary_stream(market: Market, rows: Integers, rival: Rival) -> Stream:
    """What a contact comes to, week 0 taken for all the years before it.

    Without interviews the offer is priced for the mean attachment, and accepted up to a resistance. With
    them, it is looked at up to the resistance at which what the lab is known to pay still interests her,
    and priced for what interviews show; where they show nothing, for the mean attachment again.
    """
    choice, rules = market.scenario.market.choice, market.scenario.market.interviews
    terms, known = Terms.of(market, rows, rival), appraisal.known_pay(market, rows, rival.lab, rival.unit)
    slope = choice.pay_elasticity / choice.taste_scale
    pay, written = terms.offer(rival.reservation(choice.attachment_mean), slope, rules)
    if rules.interest == "off":
        return Stream(rival.resistance(pay), written[:, None])
    highest = rival.resistance(known) + rules.slack
    if rules.noise == 0:
        return Stream(np.minimum(highest, rival.resistance(pay)), written[:, None])
    most = np.maximum(terms.scale, terms.value)  # no offer costs more
    highest = np.minimum(highest, rival.resistance(terms.pay(most)))
    chance = np.empty((len(rows), len(CELLS)))
    for cell, below in enumerate(WITHIN):
        reserved = rival.reservation(highest - below)
        pay, written = terms.offer(reserved, 1 / rules.noise, rules)
        chance[:, cell] = written * worth.acceptance(pay, reserved, 1 / rules.noise)
    return Stream(highest, chance)


@dataclass(frozen=True)
class Terms:
    """What an ordinary offer of the rival is made of; columns (n,), USD a year."""

    value: Floats  # v, without noise
    base: Floats
    scale: Floats  # cost of the lab's own pay for the talent
    kappa: Floats

    @classmethod
    def of(cls, market: Market, rows: Integers, rival: Rival) -> Terms:
        """The terms of each person's rival."""
        rules, constants = market.scenario.market, market.constants
        base, package = appraisal.scale_pay(market, rows, rival.lab, rival.unit)
        kappa = appraisal.new_kappa(market, rival.lab)
        value = rules.value.median / 100 * constants.scale[rival.lab] * market.researchers.talent[rows]
        return cls(value, base, base + package / rules.equity.horizon, kappa)

    def pay(self, cost: Floats) -> Floats:
        """Y of an offer at a yearly cost."""
        return self.base + self.kappa * (cost - self.base)

    def offer(self, reserved: Floats, slope: float, rules: Interviews) -> tuple[Floats, Floats]:
        """Y of the offer by the rule of pricing, and 1 where it is written, else 0."""
        cost = worth.best_price(self.value, self.base, self.kappa, reserved, slope)
        if rules.interest == "on" and rules.pay_floor == "on":
            cost = np.maximum(cost, self.scale)
        surplus = (self.value - cost) * worth.acceptance(self.pay(cost), reserved, slope)
        least = rules.offer_cost * cost if rules.offer_cost > 0 else -np.inf
        return self.pay(cost), np.where(surplus >= least, 1.0, 0.0)
