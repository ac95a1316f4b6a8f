"""Bids of the plain market: what a lab must know to name a price, and the price."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from benchmarks.formulas import Unit, best_price, chance_at
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
    invited: bool = False  # a colleague has asked her to follow
    base: float = 0.0
    cost: float = 0.0
    least: float = 0.0
    chance: float = 0.0
    reservation: float = 0.0
    slope: float = 0.0
    pay: float = 0.0
    terms: float = 0.0
    stay_pay: float = 0.0
    stay_terms: float = 0.0

    @property
    def package(self) -> float:
        return (self.cost - self.base) * self.lab.model.horizon

    @property
    def escrow(self) -> float:
        """What is held for it: a year of base, and of the package what is charged."""
        return self.package * self.lab.model.charged_share + self.base * 52 / WEEKS_PER_YEAR

    @property
    def bill(self) -> float:
        """What it costs the budget if it is accepted: as escrow has it, or the cost of all the years."""
        model = self.lab.model
        return self.package + self.base * (1.0 if model.rules.equity.charged else model.horizon)

    def known_pay(self) -> float:
        """What the lab is known to pay for such talent, to the person, a year."""
        base, package = self.lab.scale_pay(self.person.talent, self.unit)
        base = base if self.outsider else max(base, self.person.base)
        return base + self.lab.offer_kappa * package / self.lab.model.horizon

    def pull(self) -> float:
        """Utility of going but for the pay, less that of staying, as the person herself knows them."""
        person, choice = self.person, self.lab.model.rules.choice
        go = person.terms_of(self.lab, self.unit, 0) - choice.moving_cost
        go += choice.taste_scale * person.remember("taste", self.lab)
        stay = choice.pay_elasticity * math.log(person.stay_pay()) + person.stay_terms() + person.attachment
        return go - stay - choice.taste_scale * person.remember("taste", person.place)

    def interests(self) -> bool:
        """Whether the person goes to interviews: the lab might win her, as things are known."""
        rules = self.lab.model.rules
        if rules.interviews.interest == "off" or not (self.lab.process or self.invited):
            return True
        slack = rules.interviews.outside_slack if self.outsider else rules.interviews.slack
        return rules.choice.pay_elasticity * math.log(self.known_pay()) + self.pull() + slack >= 0

    def draft(self) -> None:
        """What the lab must know before it names a price: what interviews showed, or what people are like."""
        lab, person, rules = self.lab, self.person, self.lab.model.rules
        self.base, package = lab.scale_pay(person.talent, self.unit)
        if not self.outsider:
            self.base = max(self.base, person.base)
        self.cost = self.base + package / lab.model.horizon
        self.least = self.base
        self.terms = person.terms_of(lab, self.unit, 0)
        self.stay_pay, self.stay_terms = person.stay_pay(), person.stay_terms()
        met = not self.outsider and rules.interviews.interest == "on" and bool(lab.process or self.invited)
        if met and rules.interviews.pay_floor == "on":
            self.least = self.cost
        if met and rules.interviews.noise:
            u = self.lab.random.random() or 0.5
            error = rules.interviews.noise * math.log(u / (1 - u))
            self.reservation = math.exp(error - self.pull() / rules.choice.pay_elasticity)
            self.slope = 1 / rules.interviews.noise
            return
        bond = 0.0 if self.outsider else rules.choice.attachment_mean
        against = self.stay_terms + bond + rules.choice.moving_cost - self.terms
        self.reservation = self.stay_pay * math.exp(against / rules.choice.pay_elasticity)
        self.slope = rules.choice.pay_elasticity / rules.choice.taste_scale

    def price(self, multiplier: float) -> None:
        """The best cost at a hurdle rate, and the chance of acceptance: 0 if it is not worth writing."""
        lab, rules, value = self.lab, self.lab.model.rules, self.value / (1 + multiplier)
        if not self.outsider:
            best = best_price(value, self.base, lab.offer_kappa, self.reservation, self.slope)
            self.cost = max(best, self.least)
        self.pay = self.base + lab.offer_kappa * (self.cost - self.base)
        self.chance = chance_at(self.pay, self.reservation, self.slope)
        rationed = self.outsider and rules.hiring.ration_outsiders == "on" and value < self.cost
        hopeless = (value - self.cost) * self.chance < rules.interviews.offer_cost * self.cost
        if rationed or (rules.interviews.offer_cost > 0 and hopeless):
            self.chance = 0.0

    @property
    def merit(self) -> float:
        return (self.value - self.cost) * self.chance / max(self.cost, 1.0)
