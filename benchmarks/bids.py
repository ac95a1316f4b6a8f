"""Bids of the plain market: what a lab must know to name a price, and the price."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from benchmarks.formulas import Unit, best_price
from sim.scenario.quantities import WEEKS_PER_YEAR


@dataclass(eq=False)
class Bid:
    """A lab's approach to a researcher, and the offer that it becomes."""

    lab: Any  # a PlainLab
    person: Any  # a PlainResearcher
    unit: Unit
    value: float
    week: int
    spell: int
    outsider: bool
    base: float = 0.0
    cost: float = 0.0
    chance: float = 0.0
    reservation: float = 0.0
    pay: float = 0.0
    terms: float = 0.0
    stay_pay: float = 0.0
    stay_terms: float = 0.0

    @property
    def package(self) -> float:
        return (self.cost - self.base) * self.lab.model.horizon

    @property
    def escrow(self) -> float:
        return self.package * self.lab.model.sign_on_share + self.base * 52 / WEEKS_PER_YEAR

    def draft(self) -> None:
        """What the lab must know before it names a price: it guesses the mean attachment."""
        lab, person, choice = self.lab, self.person, self.lab.model.rules.choice
        self.base, package = lab.scale_pay(person.talent)
        self.cost = self.base + package / lab.model.horizon
        if not self.outsider:
            self.base = max(self.base, person.base)
        self.terms = person.terms_of(lab, self.unit, 0)
        self.stay_pay, self.stay_terms = person.stay_pay(), person.stay_terms()
        bond = 0.0 if self.outsider else choice.attachment_mean
        against = self.stay_terms + bond + choice.moving_cost - self.terms
        self.reservation = self.stay_pay * math.exp(against / choice.pay_elasticity)

    def price(self, multiplier: float) -> None:
        lab, slope = self.lab, self.lab.model.slope
        if not self.outsider:
            value = self.value / (1 + multiplier)
            self.cost = best_price(value, self.base, lab.offer_kappa, self.reservation, slope)
        worth = self.base + lab.offer_kappa * (self.cost - self.base)
        self.chance = 1 / (1 + math.exp(min(slope * math.log(self.reservation / worth), 700.0)))
        self.pay = worth

    @property
    def merit(self) -> float:
        return (self.value - self.cost) * self.chance / max(self.cost, 1.0)
