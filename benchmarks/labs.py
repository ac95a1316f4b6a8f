"""The labs of the plain market: their money, whom they invite, what they offer and what they answer."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import mesa

from benchmarks.bids import Bid
from benchmarks.formulas import Unit, grant_kernel, money_by_plan, scale_of, units_of
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.scenario.schema import Lab

if TYPE_CHECKING:
    from benchmarks.agents import PlainResearcher

HIGHEST_HURDLE = 5.0  # of ln (1 + mu)


class PlainLab(mesa.Agent):
    def __init__(self, model: Any, name: str, lab: Lab, plan: list[float]) -> None:
        super().__init__(model)
        rules, share = model.rules, model.sign_on_share
        value, standing = rules.value, rules.standing
        self.name, self.plan, self.units = name, plan, units_of(lab, rules)
        self.median_pay, self.star_pay = lab.median_pay / 100, lab.star_pay / 100
        self.by_plan, factor = lab.talent_budget == "by_plan", lab.talent_factor
        given = [lab.talent_inflow / 100] * len(plan)
        money = money_by_plan(lab, plan, rules) if self.by_plan else given
        self.money = [factor * year / WEEKS_PER_YEAR for year in money]
        self.cash, self.treasury = lab.talent_opening / 100, lab.treasury.opening / 100
        self.cash += rules.hiring.carry * self.money[0] * self.by_plan
        self.treasury_inflow = lab.treasury.inflow / 100 / WEEKS_PER_YEAR
        self.compute, self.equity_value = lab.compute, lab.equity_value
        self.length, self.cliff = round(lab.vesting.length * 12), lab.vesting.cliff
        self.process, self.policy, self.counter_title = lab.process, lab.counter_policy, lab.counter_title
        kernel = grant_kernel(model.rate, self.length, self.cliff)
        self.offer_kappa = share + (1 - share) * lab.equity_value * kernel
        uncliffed = grant_kernel(model.rate, self.length, 0)
        self.retention_kappa = share + (1 - share) * lab.equity_value * uncliffed
        self.usual_value = value.median / 100 * lab.compute ** (value.compute_exponent * value.size_exponent)
        self.base_standing = math.log(lab.standing) + standing.compute_weight * math.log(lab.compute)
        self.ln_standing = self.rank = self.base_standing
        self.opening_talent = 1.0
        self.staff: dict[PlainResearcher, None] = {}  # in the order in which they came
        self.headcount, self.pending, self.payroll, self.talent = 0, 0, 0.0, 0.0
        self.budget = self.promised = self.purse = self.weight = 0.0
        self.candidates: list[Bid] = []
        self.agenda: dict[int, list[Bid]] = defaultdict(list)
        self.tally: Counter[str] = Counter()

    # ---- heads and money

    def count(self, person: PlainResearcher, sign: int) -> None:
        if sign > 0:
            self.staff[person] = None
        else:
            del self.staff[person]
        self.headcount += sign
        self.payroll += sign * person.base / WEEKS_PER_YEAR
        self.talent += sign * person.talent

    def compare_with_rivals(self) -> None:
        """Standing among rivals: what the best of the others has won since the opening counts against it."""
        omega, others = self.model.rules.standing.rivalry, [lab for lab in self.model.labs if lab is not self]
        self.rank = self.ln_standing
        if omega and others:
            now, then = max(lab.ln_standing for lab in others), max(lab.base_standing for lab in others)
            self.rank -= omega * (now - then)

    def begin_week(self) -> None:
        """Money comes in, what is too much goes back, and pay goes out."""
        rules = self.model.rules
        self.tally = Counter()
        self.compare_with_rivals()
        race = math.exp(rules.standing.inflow_elasticity * self.rank)
        weekly = self.money[min(self.model.week, len(self.money) - 1)]
        weekly *= self.model.pay_growth() if self.by_plan else 1.0
        self.cash += weekly * race
        self.treasury += self.treasury_inflow * race
        if self.by_plan:
            beyond = max(self.cash - self.promised - rules.hiring.carry * weekly, 0.0)
            self.cash -= beyond
            self.treasury += beyond
        short = max(self.payroll - max(self.cash - self.promised, 0.0), 0.0)
        if short > self.treasury:
            raise NotImplementedError(f"{self.name} cannot pay its staff, and a plain lab cannot fail")
        self.treasury -= short
        self.cash += short
        self.spend(self.payroll)

    def spend(self, dollars: float) -> None:
        self.cash -= dollars
        self.tally["spend"] += dollars

    def open_purse(self) -> None:
        """Free money, for wishes that are heard one after another: `affords`."""
        self.purse = self.cash - self.promised

    def affords(self, dollars: float) -> bool:
        """Whether this wish and those before it are covered."""
        self.purse -= dollars
        return self.purse >= 0

    def set_budget(self) -> None:
        """What may be offered this week."""
        hiring = self.model.rules.hiring
        free = max(self.cash - self.promised - hiring.runway * self.payroll, 0.0)
        self.budget = hiring.budget_share * free

    # ---- whom to approach and invite

    def plan_in(self, weeks: int) -> float:
        return self.plan[min(self.model.week + weeks, len(self.plan) - 1)]

    def hiring_weight(self) -> float:
        hiring = self.model.rules.hiring
        gap = max(self.plan_in(hiring.look_ahead) - self.headcount, 0.0)
        self.weight = hiring.gap_weight * gap + hiring.replacement * self.headcount
        return self.weight

    def pick_unit(self) -> Unit:
        if len(self.units) == 1:
            return self.units[0]
        return self.random.choices(self.units, [unit.share for unit in self.units])[0]

    def value_of(self, person: PlainResearcher) -> float:
        """What the person seems to be worth a year."""
        value = self.model.rules.value
        seen = math.exp(value.noise * person.remember("value", self)) * self.model.pay_growth()
        return self.usual_value * person.talent * (1 + value.ties * person.ties_at(self)) * seen

    def scale_pay(self, talent: float, unit: Unit) -> tuple[float, float]:
        """The unit's own pay for a talent: base a year and package."""
        median, star = self.median_pay * unit.pay, self.star_pay * unit.pay
        base, rest = scale_of(talent, median, star, self.model.rules.talent, self.model.pay_growth())
        return base, rest * self.model.horizon

    def approach(self, person: PlainResearcher, unit: Unit, invited: bool = False) -> None:
        value, outsider = self.value_of(person), not isinstance(person.place, PlainLab)
        bid = Bid(self, person, unit, value, self.model.week, person.spell, outsider, invited)
        self.candidates.append(bid)
        self.tally["contacts"] += 1

    def shortlist(self) -> None:
        """Interview, of those who are interested, everybody at rivals, and the best outsiders as needed."""
        found = [bid for bid in self.candidates if bid.person.spell == bid.spell and bid.interests()]
        self.candidates = []
        self.tally["interested"] += len(found)
        vacancies = max(math.floor(self.plan_in(self.process)) - self.headcount - self.pending, 0)

        def worth_a_dollar(bid: Bid) -> float:
            base, package = self.scale_pay(bid.person.talent, bid.unit)
            return bid.value / (base + package / self.model.horizon)

        outsiders = [bid for bid in found if bid.outsider]
        outsiders.sort(key=worth_a_dollar, reverse=True)
        self.pending += len(outsiders[:vacancies])
        for bid in [bid for bid in found if not bid.outsider] + outsiders[:vacancies]:
            self.agenda[self.model.week + (0 if bid.invited else self.process)].append(bid)

    # ---- what to offer, and what to answer

    def write_offers(self) -> None:
        """Price what is due, lower all values alike if the budget binds, and send what cash covers."""
        due, bids, known = self.agenda.pop(self.model.week, []), [], set()
        for bid in due:
            person = bid.person
            if person.spell != bid.spell or person.parting or person.leaving or person in known:
                self.pending -= bid.outsider
                continue
            known.add(person)
            bid.draft()
            bids.append(bid)
        if not bids:
            return
        hurdle = self.hurdle(bids)
        for bid in bids:
            bid.price(hurdle if self.budget > 0 else 0.0)
        written = [bid for bid in bids if bid.chance > 0]
        written.sort(key=lambda bid: bid.merit, reverse=True)
        self.open_purse()
        for bid in written:
            if self.affords(bid.escrow) and self.budget > 0:
                self.send(bid)
            else:
                self.wait(bid)
        for bid in bids:
            if bid.chance > 0:
                continue
            if hurdle > 0:
                self.wait(bid)
            else:
                self.pending -= bid.outsider

    def send(self, bid: Bid) -> None:
        self.promised += bid.escrow
        self.tally["offers"] += 1
        if not bid.person.offers:
            self.model.courted.append(bid.person)
        bid.person.offers.append(bid)

    def wait(self, bid: Bid) -> None:
        """What could not be paid is tried again next week, as long as patience lasts."""
        if self.model.week - bid.week < self.process + self.model.rules.hiring.patience:
            self.agenda[self.model.week + 1].append(bid)
        else:
            self.pending -= bid.outsider

    def hurdle(self, bids: list[Bid]) -> float:
        """The rate mu by which values are lowered so that what is expected to be spent keeps the budget."""

        def spend(multiplier: float) -> float:
            for bid in bids:
                bid.price(multiplier)
            return sum(bid.chance * bid.bill for bid in bids)

        self.tally["priced"] += len(bids)
        if spend(0.0) <= self.budget:
            return 0.0
        low, high = 0.0, HIGHEST_HURDLE
        for _ in range(24 if self.budget > 0 else 0):
            middle = (low + high) / 2
            low, high = (middle, high) if spend(math.expm1(middle)) > self.budget else (low, middle)
        self.tally["hurdle"] += math.expm1(high)
        return math.expm1(high)

    def answer(self, person: PlainResearcher, offers: list[Bid]) -> float:
        """A retention package against the best bid, as far as the person is worth it; else nothing."""
        counter, model = self.model.rules.counter, self.model
        if self.policy == "off" or (person.countered and self.policy == "match_once"):
            return 0.0
        if self.random.random() >= counter.detection * counter.probability:
            return 0.0
        gap = (max(bid.pay for bid in offers) - offers[0].stay_pay) / self.retention_kappa
        package = model.horizon * min(gap, self.value_of(person) - person.present_cost())
        if package <= 0 or not self.affords(package * model.charged_share):
            return 0.0
        person.countered = True
        self.tally["counters"] += 1
        return package

    def excess_hazard(self) -> float:
        """By how much more its people leave since it has fallen among its rivals, over their usual hazard."""
        exits, fall = self.model.rules.exits, max(self.base_standing - self.rank, 0.0)
        return math.expm1(exits.standing * fall) if fall > exits.fall_ignored else 0.0

    def end_week(self) -> None:
        """Standing returns towards what talent and compute support."""
        rules = self.model.rules.standing
        mean = self.talent / self.headcount if self.headcount else self.opening_talent
        target = self.base_standing + rules.talent_weight * math.log(mean / self.opening_talent)
        kept = rules.persistence ** (12 / WEEKS_PER_YEAR)
        noise = rules.noise * math.sqrt(1 - kept**2) * self.random.gauss(0.0, 1.0)
        self.ln_standing = kept * self.ln_standing + (1 - kept) * target + noise
