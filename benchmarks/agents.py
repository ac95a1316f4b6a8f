"""The researchers of the plain market; the labs are in `labs.py`."""

from __future__ import annotations

import math
from typing import Any

import mesa

from benchmarks.bids import Bid
from benchmarks.formulas import Unit, eagerness_to_leave, held_kernel, vested, vests_of_a_year, whole_months
from benchmarks.labs import PlainLab
from sim.scenario.quantities import WEEKS_PER_YEAR

OUTSIDE, FOUNDER, LEFT_FIELD = "outside", "founder", "left the field"
CAUSES = {"found": FOUNDER, "academia": OUTSIDE, "field": LEFT_FIELD}
MOST_SHAKEN = 3.0  # utils
NEVER = -1


class PlainResearcher(mesa.Agent):
    def __init__(self, model: Any, row: int) -> None:
        super().__init__(model)
        people = model.opening
        self.row = row
        self.talent = float(people.talent[row])
        self.visibility = float(people.visibility[row])
        self.mission = tuple(float(x) for x in people.mission[row])
        self.ties: list[int] = model.opening_ties[row].tolist()
        self.pool = model.pools[int(people.pool[row])]
        before = int(people.last_lab[row])
        self.last_lab: PlainLab | None = model.labs[before] if before >= 0 else None
        self.place: PlainLab | str = OUTSIDE
        self.spell = 0
        self.enter(OUTSIDE, None, self.outside_pay(), start=max(model.week, 0))

    def outside_pay(self) -> float:
        return self.pool.pay_of(self.talent) * self.model.pay_growth()

    def enter(
        self,
        place: PlainLab | str,
        unit: Unit | None,
        base: float,
        from_rival: bool = False,
        start: int | None = None,
    ) -> None:
        """A new spell begins, at a lab or outside the labs, with nothing but its base pay so far."""
        model, rules = self.model, self.model.rules
        self.place, self.unit, self.base = place, unit, base
        self.start, self.spell, self.title = model.week if start is None else start, self.spell + 1, 0
        self.countered, self.parting, self.leaving, self.regrets = False, False, False, False
        self.slight, self.attachment, self.shake, self.shake_week = 0.0, 0.0, 0.0, 0
        self.grant = self.face = self.retention = self.retention_face = self.sign_on = 0.0
        self.retention_week, self.withheld = 0, ()
        self.hold, self.hold_until, self.call = 1.0, 0, NEVER
        self.memory: dict[tuple[str, int, int], float] = {}
        self.offers: list[Bid] = []
        contact, self.exit_rate = 0.0, 0.0
        if isinstance(place, PlainLab):
            place.count(self, +1)
            self.attachment = self.random.gauss(rules.choice.attachment_mean, rules.choice.attachment_sd)
            contact, self.exit_rate = rules.contact.rate, sum(unit.hazards) / WEEKS_PER_YEAR
        elif place is OUTSIDE:
            contact = rules.contact.outside_rate
        else:
            self.exit_rate = rules.entry.return_rate / WEEKS_PER_YEAR
        self.contact_rate = contact * self.visibility * (1 + rules.contact.referral) / WEEKS_PER_YEAR
        self.contact_chance = -math.expm1(-self.contact_rate)
        if from_rival and self.random.random() < rules.contagion.regret:
            self.regret()
        self.foresee_contact(model.week + 1)
        self.foresee_exit(model.week + 1)
        model.await_anniversary(self)

    def regret(self) -> None:
        """The match is poor, and the old lab will call."""
        rule = self.model.rules.contagion
        self.attachment -= rule.regret_loss
        self.regrets = True
        self.call = self.model.week + rule.regret_after + self.random.randrange(rule.regret_within + 1)

    # ---- whether anything happens to her

    def step(self) -> None:
        """Ask whether this is the week in which something happens to this person."""
        draw = self.random.random
        if self.leaving:
            return
        if self.exit_rate and draw() < -math.expm1(-self.exit_rate * self.eagerness(self.model.week)):
            self.prepare_to_leave()
        if draw() < self.contact_chance or self.call == self.model.week:
            self.meet()

    def eagerness(self, week: int) -> float:
        """Factor on the hazard of exit in a week: what she would forfeit holds her."""
        lab, tenure, forfeiture = self.place, week - self.start, self.model.rules.exits.forfeiture
        if not (isinstance(lab, PlainLab) and forfeiture):
            return 1.0
        refresh = self.model.rules.equity.refresh_share
        eager = eagerness_to_leave(max(tenure, 0), lab.length, lab.cliff, refresh, forfeiture)
        return eager * (self.hold if tenure < self.hold_until else 1.0)

    def foresee_exit(self, now: int) -> None:
        """The thrifty market draws in advance when the hazard has added up to an exponential number."""
        self.exit_week = NEVER
        if not (self.model.thrifty and self.exit_rate):
            return
        left = self.random.expovariate(1.0)
        for week in range(now, self.model.horizon_weeks):
            left -= self.exit_rate * self.eagerness(week)
            if left < 0:
                self.exit_week = week
                self.model.calendar[week].append(self)
                return

    def foresee_contact(self, now: int) -> None:
        self.contact_week = NEVER
        if not (self.model.thrifty and self.contact_rate):
            return
        week = now + int(self.random.expovariate(self.contact_rate))
        self.contact_week = min(week, self.call) if self.call >= now else week
        self.model.calendar[self.contact_week].append(self)

    def touch(self) -> None:
        """In the thrifty market: this may be the week that was drawn for her."""
        week = self.model.week
        if self.leaving:
            return
        if self.exit_week == week:
            self.exit_week = NEVER
            self.prepare_to_leave()
        if self.contact_week == week:
            self.foresee_contact(week + 1)
            self.meet()

    def prepare_to_leave(self) -> None:
        self.parting = True
        self.model.parting.append(self)

    def meet(self) -> None:
        """Some lab finds this person, more probably one where she knows people, or her former one."""
        rule, lab, home = self.model.rules.contact, self.model.pick_lab(), self.last_lab
        calls = self.regrets or self.random.random() < rule.return_contact
        back = calls and home is not None and home.weight > 0
        self.regrets, self.call = False, NEVER
        lab = home if back else lab
        if lab is None or lab is self.place:
            return
        if back or self.random.random() * (1 + rule.referral) < 1 + rule.referral * self.ties_at(lab):
            lab.approach(self, lab.pick_unit())

    # ---- what she knows and wants

    def ties_at(self, place: PlainLab | str) -> float:
        people = self.model.people
        there = sum(1 for t in self.ties if people[t] is not None and people[t].place is place)
        return there / len(self.ties) if self.ties else 0.0

    def friends_at(self, place: PlainLab | str) -> list[PlainResearcher]:
        """Those of her ties who are at a place, as often as they are tied."""
        people = self.model.people
        return [people[t] for t in self.ties if people[t] not in (None, self) and people[t].place is place]

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
                + choice.standing_weight * place.rank
                + choice.title_weight * title
            )
        return terms + choice.ties_weight * self.ties_at(place)

    def stay_terms(self) -> float:
        rules = self.model.rules
        terms = self.terms_of(self.place, self.unit, self.title) + rules.pay_equity.peer_weight * self.slight
        if isinstance(self.place, PlainLab):
            terms += rules.choice.tenure_effect * math.log1p(self.tenure / WEEKS_PER_YEAR)
        elif self.place is OUTSIDE:
            terms += self.pool.bond
        return terms - self.shaken()

    def shaken(self) -> float:
        """What is left of the attachment that moves of colleagues took."""
        return self.shake * math.exp((self.shake_week - self.model.week) / self.model.rules.contagion.fade)

    def be_shaken(self, more: float) -> None:
        self.shake = min(self.shaken() + more, MOST_SHAKEN)
        self.shake_week = self.model.week

    def stay_pay(self) -> float:
        """Base and the vests to come, a year."""
        lab, model = self.place, self.model
        if not isinstance(lab, PlainLab):
            return self.base
        refresh = model.rules.equity.refresh_share
        vests = self.grant * held_kernel(
            self.tenure, model.rate, lab.length, lab.cliff, refresh, self.withheld
        )
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

    # ---- what happens to her

    def raise_pay(self, base: float) -> None:
        if isinstance(self.place, PlainLab):
            self.place.payroll += (base - self.base) / WEEKS_PER_YEAR
        self.base = base

    def retention_unvested(self) -> float:
        return 1 - vested(whole_months(self.model.week - self.retention_week), self.place.length, 0)

    def retain(self, package: float) -> None:
        """Part of a package now, the rest vesting from today with what is left of an earlier one."""
        model, lab, face = self.model, self.place, package * (1 - self.model.sign_on_share)
        lab.spend(package * model.charged_share)
        unvested = self.retention_unvested()
        self.retention = self.retention * unvested + face
        self.retention_face = self.retention_face * unvested + face * model.rules.equity.charged
        self.hold_by(face)
        self.retention_week, self.slight = model.week, 0.0

    def hold_by(self, face: float) -> None:
        """She leaves less while a retention package vests at its full rate: until its last year."""
        lab, rules = self.place, self.model.rules
        if not (rules.exits.forfeiture and self.grant):
            return
        usual = vests_of_a_year(lab.length / 2, lab.length, lab.cliff, rules.equity.refresh_share)
        more = face / (lab.length / 12) / (usual * self.grant)
        if self.tenure >= self.hold_until:
            full = round(max(lab.length / 12 - 1, 0) * WEEKS_PER_YEAR)
            self.hold, self.hold_until = 1.0, self.tenure + full
        self.hold *= math.exp(-rules.exits.forfeiture * more)
        if self.exit_week != NEVER:  # drawn before it was known; the hazard has no memory
            self.foresee_exit(self.model.week + 1)

    def unvested_face(self) -> float:
        """Grant-date value of what was charged for her and has not vested."""
        lab, week, months = self.place, self.model.week, whole_months(self.tenure)
        equity = self.model.rules.equity
        value = self.face * (1 - vested(months, lab.length, lab.cliff))
        value += self.retention_face * self.retention_unvested()
        for year in range(1, int(self.tenure / WEEKS_PER_YEAR) + 1):
            granted = self.start + math.ceil(year * WEEKS_PER_YEAR)
            if 0 <= granted <= week and year not in self.withheld:
                left = 1 - vested(max(months - 12 * year, 0), lab.length, 0)
                value += equity.refresh_share * self.grant * left * equity.charged
        return value

    def leave_lab(self, cause: str) -> None:
        """The spell ends; part of the sign-on goes back if it was short, and grants that have not vested."""
        lab, window = self.place, self.model.rules.equity.clawback
        lab.count(self, -1)
        lab.tally["departures"] += 1
        lab.tally["to_rivals"] += cause == "rival"
        if self.tenure < window:
            lab.cash += self.sign_on * (window - self.tenure) / window
        lab.cash += self.unvested_face()
        self.last_lab = lab

    def start_at(self, bid: Bid) -> None:
        lab, model = bid.lab, self.model
        lab.promised -= bid.escrow
        lab.spend(bid.package * model.charged_share)
        lab.tally["hires"] += 1
        rival = isinstance(self.place, PlainLab)
        if rival:
            self.leave_lab("rival")
            lab.tally["from_rivals"] += 1
        self.enter(lab, bid.unit, bid.base, rival)
        self.sign_on, self.grant = (
            bid.package * model.sign_on_share,
            bid.package * (1 - model.sign_on_share),
        )
        self.face = self.grant * model.rules.equity.charged

    def move_on(self) -> None:
        """Leave the labs, or come back to the market."""
        if isinstance(self.place, PlainLab):
            cause = self.random.choices(list(CAUSES), self.unit.hazards)[0]
            self.leave_lab(cause)
            self.pool = next((pool for pool in self.model.pools if cause in pool.takes), self.model.pools[-1])
            self.enter(CAUSES[cause], None, self.outside_pay())
        else:
            self.enter(OUTSIDE, None, self.outside_pay())
