"""The agents of the plain market: researchers and labs."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import Any

import mesa

from benchmarks.bids import Bid
from benchmarks.formulas import Unit, grant_kernel, held_kernel, units_of
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.scenario.schema import Lab

OUTSIDE, FOUNDER, LEFT_FIELD = "outside", "founder", "left the field"


class PlainResearcher(mesa.Agent):
    def __init__(self, model: Any, row: int) -> None:
        super().__init__(model)
        people = model.opening
        self.row = row
        self.talent = float(people.talent[row])
        self.visibility = float(people.visibility[row])
        self.mission = tuple(float(x) for x in people.mission[row])
        self.ties: list[int] = model.opening_ties[row].tolist()
        self.spell = self.title = 0
        self.grant = self.retention = self.sign_on = self.slight = 0.0
        self.retention_week = 0
        self.countered = False
        self.enter(OUTSIDE, None, model.outside_pay)

    def enter(self, place: PlainLab | str, unit: Unit | None, base: float) -> None:
        """A new spell begins, at a lab or outside the labs."""
        model, rules = self.model, self.model.rules
        self.place, self.unit, self.base = place, unit, base
        self.start, self.spell = model.week, self.spell + 1
        self.countered, self.parting, self.slight, self.attachment = False, False, 0.0, 0.0
        self.memory: dict[tuple[str, int, int], float] = {}
        self.offers: list[Bid] = []
        contact, exit_rate = 0.0, 0.0
        if isinstance(place, PlainLab):
            place.count(self, +1)
            self.attachment = self.random.gauss(rules.choice.attachment_mean, rules.choice.attachment_sd)
            contact, exit_rate = rules.contact.rate, sum(unit.hazards)
        elif place is OUTSIDE:
            contact = rules.contact.outside_rate
        else:
            exit_rate = rules.entry.return_rate
        contact *= self.visibility * (1 + rules.contact.referral)
        self.contact_rate, self.exit_rate = contact / WEEKS_PER_YEAR, exit_rate / WEEKS_PER_YEAR
        self.contact_chance, self.exit_chance = -math.expm1(-self.contact_rate), -math.expm1(-self.exit_rate)
        self.schedule(model.week + 1)

    def schedule(self, now: int) -> None:
        if self.model.thrifty:
            self.model.foresee(self, "contact", self.contact_rate, now)
            self.model.foresee(self, "exit", self.exit_rate, now)

    def step(self) -> None:
        """Ask whether this is the week in which something happens to this person."""
        draw = self.random.random
        if draw() < self.exit_chance:
            self.prepare_to_leave()
        if draw() < self.contact_chance:
            self.meet()

    def prepare_to_leave(self) -> None:
        self.parting = True
        self.model.parting.append(self)

    def meet(self) -> None:
        """Some lab finds this person, more probably one where she knows people."""
        lab, referral = self.model.pick_lab(), self.model.rules.contact.referral
        if lab is None or lab is self.place:
            return
        if self.random.random() * (1 + referral) < 1 + referral * self.ties_at(lab):
            lab.approach(self, lab.pick_unit(), self.place is OUTSIDE)

    def ties_at(self, place: PlainLab | str) -> float:
        people = self.model.people
        there = sum(1 for t in self.ties if people[t] is not None and people[t].place is place)
        return there / len(self.ties) if self.ties else 0.0

    @property
    def tenure(self) -> int:
        return max(self.model.week - self.start, 0)

    def remember(self, what: str, place: PlainLab | str) -> float:
        """A draw that stays the same for a year of tenure at one place: a taste or an error."""
        lab = place.unique_id if isinstance(place, PlainLab) else 0
        key = (what, lab, int(self.tenure / WEEKS_PER_YEAR))
        if key not in self.memory:
            random = self.random
            taste = -math.log(random.expovariate(1.0)) if what == "taste" else random.gauss(0.0, 1.0)
            self.memory[key] = taste
        return self.memory[key]

    def terms_of(self, place: PlainLab | str, unit: Unit | None, title: int) -> float:
        """All that speaks for a place but pay, attachment and taste; utils."""
        choice, terms = self.model.rules.choice, 0.0
        if isinstance(place, PlainLab):
            agreement = sum(own * its for own, its in zip(self.mission, unit.mission, strict=True))
            terms = (
                unit.culture
                + choice.mission_weight * agreement
                + choice.compute_weight * math.log(place.compute * 100 / max(place.headcount, 1))
                + choice.standing_weight * place.ln_standing
                + choice.title_weight * title
            )
        return terms + choice.ties_weight * self.ties_at(place)

    def stay_terms(self) -> float:
        rules = self.model.rules
        terms = self.terms_of(self.place, self.unit, self.title) + rules.pay_equity.peer_weight * self.slight
        if isinstance(self.place, PlainLab):
            terms += rules.choice.tenure_effect * math.log1p(self.tenure / WEEKS_PER_YEAR)
        return terms

    def stay_pay(self) -> float:
        """Base and the vests to come, a year."""
        lab, model = self.place, self.model
        if not isinstance(lab, PlainLab):
            return self.base
        refresh = model.rules.equity.refresh_share
        vests = self.grant * held_kernel(self.tenure, model.rate, lab.length, lab.cliff, refresh)
        since = max(model.week - self.retention_week, 0)
        if self.retention:
            vests += self.retention * held_kernel(since, model.rate, lab.length, 0, 0.0)
        return self.base + lab.equity_value * vests / model.horizon

    def present_cost(self) -> float:
        return self.base + (self.grant + self.retention) / (self.place.length / 12)

    def choose(self) -> Bid | None:
        """Stay, for what the incumbent answers, or go."""
        choice = self.model.rules.choice
        counter = self.place.answer(self, self.offers) if isinstance(self.place, PlainLab) else 0.0
        self.counter = counter
        first = self.offers[0]
        pay = first.stay_pay + (self.place.retention_kappa * counter / self.model.horizon if counter else 0)
        best, taken = choice.pay_elasticity * math.log(pay) + first.stay_terms + self.attachment, None
        if counter:
            best += choice.title_weight * self.place.counter_title
        best += choice.taste_scale * self.remember("taste", self.place)
        for bid in self.offers:
            go = choice.pay_elasticity * math.log(bid.pay) + bid.terms - choice.moving_cost
            go += choice.taste_scale * self.remember("taste", bid.lab)
            if go > best:
                best, taken = go, bid
        return taken

    def leave_lab(self, cause: str) -> None:
        """The spell ends; part of the sign-on goes back if it was short."""
        lab, window = self.place, self.model.rules.equity.clawback
        lab.count(self, -1)
        lab.tally["departures"] += 1
        lab.tally["to_rivals"] += cause == "rival"
        if self.tenure < window:
            lab.cash += self.sign_on * (window - self.tenure) / window
        self.sign_on = self.grant = self.retention = 0.0
        self.title = 0

    def start_at(self, bid: Bid) -> None:
        lab, share = bid.lab, self.model.sign_on_share
        lab.cash -= bid.package * share
        lab.tally["hires"] += 1
        if isinstance(self.place, PlainLab):
            self.leave_lab("rival")
            lab.tally["from_rivals"] += 1
        self.sign_on, self.grant = bid.package * share, bid.package * (1 - share)
        self.enter(lab, bid.unit, bid.base)

    def retain(self, package: float) -> None:
        """Part of a package now, the rest vesting from today with what is left of an earlier one."""
        lab, share = self.place, self.model.sign_on_share
        lab.cash -= package * share
        months = math.floor((self.model.week - self.retention_week) * 12 / WEEKS_PER_YEAR + 1e-9)
        self.retention *= 1 - min(months, lab.length) / lab.length
        self.retention += package * (1 - share)
        self.retention_week, self.slight = self.model.week, 0.0

    def move_on(self) -> None:
        """Leave the labs, or come back to the market."""
        self.parting = False
        if isinstance(self.place, PlainLab):
            to = self.random.choices((FOUNDER, OUTSIDE, LEFT_FIELD), self.unit.hazards)[0]
            self.leave_lab(to)
            self.enter(to, None, self.model.outside_pay)
        else:
            self.enter(OUTSIDE, None, self.model.outside_pay)


class PlainLab(mesa.Agent):
    def __init__(self, model: Any, name: str, lab: Lab, plan: list[float]) -> None:
        super().__init__(model)
        value, standing = model.rules.value, model.rules.standing
        self.name, self.plan, self.units = name, plan, units_of(lab, model.rules)
        self.median_pay, self.star_pay = lab.median_pay / 100, lab.star_pay / 100
        self.cash, self.treasury = lab.talent_opening / 100, lab.treasury.opening / 100
        self.inflow = lab.talent_inflow / 100 / WEEKS_PER_YEAR
        self.treasury_inflow = lab.treasury.inflow / 100 / WEEKS_PER_YEAR
        self.compute, self.equity_value = lab.compute, lab.equity_value
        self.length, self.cliff = round(lab.vesting.length * 12), lab.vesting.cliff
        self.process, self.counters = lab.process, lab.counter_policy != "off"
        self.counter_title = lab.counter_title
        share = model.sign_on_share
        kernel = grant_kernel(model.rate, self.length, self.cliff)
        self.offer_kappa = share + (1 - share) * lab.equity_value * kernel
        uncliffed = grant_kernel(model.rate, self.length, 0)
        self.retention_kappa = share + (1 - share) * lab.equity_value * uncliffed
        self.usual_value = value.median / 100 * lab.compute ** (value.compute_exponent * value.size_exponent)
        self.base_standing = math.log(lab.standing) + standing.compute_weight * math.log(lab.compute)
        self.ln_standing, self.opening_talent = self.base_standing, 1.0
        self.headcount, self.pending, self.payroll, self.talent = 0, 0, 0.0, 0.0
        self.budget = self.promised = self.answered = 0.0
        self.candidates: list[Bid] = []
        self.agenda: dict[int, list[Bid]] = defaultdict(list)
        self.tally: Counter[str] = Counter()

    def count(self, person: PlainResearcher, sign: int) -> None:
        self.headcount += sign
        self.payroll += sign * person.base / WEEKS_PER_YEAR
        self.talent += sign * person.talent

    def begin_week(self) -> None:
        """Money comes in, pay goes out, and what may be offered is set."""
        hiring = self.model.rules.hiring
        factor = math.exp(self.model.rules.standing.inflow_elasticity * self.ln_standing)
        self.cash += self.inflow * factor
        self.treasury += self.treasury_inflow * factor
        short = max(self.payroll - max(self.cash, 0.0), 0.0)
        if short > self.treasury:
            raise NotImplementedError(f"{self.name} cannot pay its staff, and a plain lab cannot fail")
        self.treasury -= short
        self.cash += short - self.payroll
        self.budget = hiring.budget_share * max(self.cash - hiring.runway * self.payroll, 0.0)
        self.promised = self.answered = 0.0
        self.tally = Counter()

    def plan_in(self, weeks: int) -> float:
        return self.plan[min(self.model.week + weeks, len(self.plan) - 1)]

    def hiring_weight(self) -> float:
        hiring = self.model.rules.hiring
        gap = max(self.plan_in(hiring.look_ahead) - self.headcount, 0.0)
        return hiring.gap_weight * gap + hiring.replacement * self.headcount

    def pick_unit(self) -> Unit:
        if len(self.units) == 1:
            return self.units[0]
        return self.random.choices(self.units, [unit.share for unit in self.units])[0]

    def value_of(self, person: PlainResearcher) -> float:
        """What the person seems to be worth a year."""
        value = self.model.rules.value
        seen = math.exp(value.noise * person.remember("value", self))
        return self.usual_value * person.talent * (1 + value.ties * person.ties_at(self)) * seen

    def scale_pay(self, talent: float) -> tuple[float, float]:
        """The lab's own pay for a talent: base a year and package."""
        rules = self.model.rules.talent
        pay = min(self.median_pay * talent, self.star_pay)
        base = min(pay * rules.base_share, rules.base_cap / 100)
        return base, (pay - base) * self.model.horizon

    def approach(self, person: PlainResearcher, unit: Unit, outsider: bool) -> None:
        value, week = self.value_of(person), self.model.week
        self.candidates.append(Bid(self, person, unit, value, week, person.spell, outsider))

    def shortlist(self) -> None:
        """Interview everybody found at rivals, and the best outsiders for the vacancies there are."""
        found, self.candidates = self.candidates, []
        self.tally["contacts"] += len(found)
        vacancies = max(math.floor(self.plan_in(self.process)) - self.headcount - self.pending, 0)

        def worth_a_dollar(bid: Bid) -> float:
            base, package = self.scale_pay(bid.person.talent)
            return bid.value / (base + package / self.model.horizon)

        outsiders = [bid for bid in found if bid.outsider]
        outsiders.sort(key=worth_a_dollar, reverse=True)
        self.pending += len(outsiders[:vacancies])
        due = self.agenda[self.model.week + self.process]
        due += [bid for bid in found if not bid.outsider] + outsiders[:vacancies]

    def write_offers(self) -> None:
        """Price what is due, lower all values alike if the budget binds, and send what cash covers."""
        due, bids, known = self.agenda.pop(self.model.week, []), [], set()
        for bid in due:
            person = bid.person
            if person.spell != bid.spell or person.parting or person in known:
                self.pending -= bid.outsider
                continue
            known.add(person)
            bid.draft()
            bids.append(bid)
        if not bids:
            return
        multiplier = self.multiplier(bids)
        for bid in bids:
            bid.price(multiplier)
        bids.sort(key=lambda bid: bid.merit, reverse=True)
        held = 0.0
        for bid in bids:
            held += bid.escrow
            if self.budget > 0 and held <= self.cash:
                self.promised += bid.escrow
                self.tally["offers"] += 1
                if not bid.person.offers:
                    self.model.courted.append(bid.person)
                bid.person.offers.append(bid)
            elif self.model.week - bid.week < self.process + self.model.rules.hiring.patience:
                self.agenda[self.model.week + 1].append(bid)
            else:
                self.pending -= bid.outsider

    def multiplier(self, bids: list[Bid]) -> float:
        def spend(multiplier: float) -> float:
            for bid in bids:
                bid.price(multiplier)
            return sum(bid.chance * bid.cost for bid in bids) * self.model.horizon

        if spend(0.0) <= self.budget:
            return 0.0
        low, high = 0.0, 5.0
        for _ in range(24):
            middle = (low + high) / 2
            low, high = (middle, high) if spend(math.expm1(middle)) > self.budget else (low, middle)
        return math.expm1(high)

    def answer(self, person: PlainResearcher, offers: list[Bid]) -> float:
        """A retention package against the best bid, as far as the person is worth it; else nothing."""
        counter = self.model.rules.counter
        if person.countered or not self.counters:
            return 0.0
        if self.random.random() >= counter.detection * counter.probability:
            return 0.0
        gap = (max(bid.pay for bid in offers) - offers[0].stay_pay) / self.retention_kappa
        package = self.model.horizon * min(gap, self.value_of(person) - person.present_cost())
        cash = package * self.model.sign_on_share
        if package <= 0 or cash > self.cash - self.promised - self.answered:
            return 0.0
        self.answered += cash
        person.countered = True
        self.tally["counters"] += 1
        return package

    def end_week(self) -> None:
        """Standing returns towards what talent and compute support."""
        rules = self.model.rules.standing
        mean = self.talent / self.headcount if self.headcount else self.opening_talent
        target = self.base_standing + rules.talent_weight * math.log(mean / self.opening_talent)
        kept = rules.persistence ** (12 / WEEKS_PER_YEAR)
        noise = rules.noise * math.sqrt(1 - kept**2) * self.random.gauss(0.0, 1.0)
        self.ln_standing = kept * self.ln_standing + (1 - kept) * target + noise
