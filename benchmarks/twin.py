"""The same market in plain Mesa: one object an agent, Python's own floats, nothing vectorised.

A second solver and the benchmark's yardstick. It starts from the opening market that `sim` draws (people,
ties, tenure, grants, attachment) and then lives by its own code and its own random numbers;
`tests/theory/test_plain_mesa.py` holds the two against each other. It has the whole week for markets without
events whose offers last a week, whose labs price by the optimum and have no paid leave; anything else is
refused. A lab that cannot pay its staff ends the run. Money is in USD, pay in USD a year.

    market = PlainMarket(load_scenario("baseline"), seed=1)
    for _ in range(156):
        market.step()
    market.history["hires"]  # a list of {lab: count}, one a week

By default everybody is asked every week whether something happens to them, as in any Mesa model.
With `thrifty=True` those weeks are drawn in advance and only they whose week has come are touched.
"""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import accumulate

import mesa
import numpy as np

from benchmarks import colleagues
from benchmarks.agents import PlainResearcher
from benchmarks.bids import Bid
from benchmarks.formulas import pools_of
from benchmarks.labs import PlainLab
from sim.market.opening import open_market
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.scenario.schema import Scenario

COUNTS = (
    "hires", "from_rivals", "departures", "to_rivals",
    "contacts", "interested", "priced", "offers", "counters", "accepted",
)  # fmt: skip
MONEY = ("spend", "withheld", "hurdle")
BALANCES = ("headcount", "cash", "treasury", "promised")


class PlainMarket(mesa.Model):
    def __init__(self, scenario: Scenario, seed: int = 1, run: int = 0, thrifty: bool = False) -> None:
        super().__init__(rng=1_000_003 * seed + run)
        _refuse_what_is_missing(scenario)
        self.rules, self.thrifty, self.week = scenario.market, thrifty, -1
        self.horizon_weeks = scenario.horizon
        equity = self.rules.equity
        self.horizon, self.sign_on_share = equity.horizon, equity.sign_on_share
        self.charged_share = 1.0 if equity.charged else equity.sign_on_share  # of a package
        self.rate = equity.discount_rate + equity.exit_hazard
        self.pools = pools_of(self.rules.entry)
        self.calendar: dict[int, list[PlainResearcher]] = defaultdict(list)
        self.anniversaries: dict[int, list[tuple[PlainResearcher, int]]] = defaultdict(list)
        self.starts: dict[int, list[tuple[PlainResearcher, Bid]]] = defaultdict(list)
        self.history: dict[str, list[dict[str, float]]] = {n: [] for n in (*COUNTS, *MONEY, *BALANCES)}
        self.courted: list[PlainResearcher] = []
        self.parting: list[PlainResearcher] = []
        opened = open_market(scenario, seed, np.array([run]), keep_all=False)
        self.opening, self.opening_ties = opened.researchers, opened.ties
        plans = opened.constants.planned.tolist()
        self.labs: list[PlainLab] = []
        for (name, lab), plan in zip(scenario.labs.items(), plans, strict=True):
            self.labs.append(PlainLab(self, name, lab, plan))
        self.people: list[PlainResearcher | None] = [None] * opened.people
        self.graduations: dict[int, list[int]] = defaultdict(list)
        self._people_the_market()
        for lab in self.labs:
            lab.opening_talent = lab.talent / lab.headcount if lab.headcount else 1.0
        self.week = 0

    def _people_the_market(self) -> None:
        """The same people in the same places as in the opening market, with the same past."""
        first = {lab: sum(len(before.units) for before in self.labs[:j]) for j, lab in enumerate(self.labs)}
        for row, place in enumerate(self.opening.place.tolist()):
            if place < -3:
                self.graduations[int(self.opening.exit_week[row])].append(row)
                continue
            person = self.people[row] = PlainResearcher(self, row)
            if place >= 0:
                lab = self.labs[place]
                unit = lab.units[int(self.opening.unit[row]) - first[lab]]
                base, start = float(self.opening.weekly_base[row]), int(self.opening.start_week[row])
                person.enter(lab, unit, base * WEEKS_PER_YEAR / 100, start=start)
                person.attachment = float(self.opening.attachment[row])
                person.grant = float(self.opening.grant[row]) / 100
        self.researchers = self.agents_by_type[PlainResearcher]

    def pay_growth(self) -> float:
        """Pay at scale, worth and pay outside, over those of the opening."""
        return math.exp(self.rules.growth.pay * max(self.week, 0) / WEEKS_PER_YEAR)

    def pick_lab(self) -> PlainLab | None:
        return self.random.choices(self.labs, cum_weights=self.weights)[0] if self.weights[-1] else None

    def step(self) -> None:
        """One week."""
        for lab in self.labs:
            lab.begin_week()
        self.celebrate()
        for lab in self.labs:
            lab.set_budget()
        self.weights = list(accumulate(lab.hiring_weight() for lab in self.labs))
        self.courted, self.parting = [], []
        if self.thrifty:
            for person in self.calendar.pop(self.week, []):
                person.touch()
        else:
            self.researchers.shuffle_do("step")
        for act in ("shortlist", "write_offers"):
            for lab in self.labs:
                getattr(lab, act)()
        self.settle()
        self.leave_the_fallen()
        for person in self.parting:
            person.move_on()
        for row in self.graduations.pop(self.week, []):
            self.people[row] = PlainResearcher(self, row)
        for lab in self.labs:
            lab.end_week()
        self._record()
        self.week += 1

    def _record(self) -> None:
        for name in (*COUNTS, *MONEY):
            self.history[name].append({lab.name: lab.tally[name] for lab in self.labs})
        for name in BALANCES:
            self.history[name].append({lab.name: getattr(lab, name) for lab in self.labs})

    def await_anniversary(self, person: PlainResearcher) -> None:
        """Remember when the next whole year of a spell ends."""
        years = math.floor(max(self.week - person.start, 0) / WEEKS_PER_YEAR) + 1
        self.anniversaries[person.start + math.ceil(years * WEEKS_PER_YEAR)].append((person, person.spell))

    def celebrate(self) -> None:
        """Refreshers and rises for those whose year is full, as far as the free money of their labs goes."""
        equity, growth = self.rules.equity, math.exp(self.rules.growth.pay)
        due = [person for person, spell in self.anniversaries.pop(self.week, []) if person.spell == spell]
        for person in due:
            self.await_anniversary(person)
            if isinstance(person.place, str):
                person.raise_pay(person.base * growth)
        staff = sorted((p for p in due if not (isinstance(p.place, str) or p.leaving)), key=lambda p: p.row)
        for lab in self.labs:
            lab.open_purse()
        for person in staff if equity.charged else []:
            face = equity.refresh_share * person.grant
            if person.place.affords(face):
                person.place.spend(face)
            else:
                person.place.tally["withheld"] += face
                person.withheld = (*person.withheld, int(person.tenure / WEEKS_PER_YEAR))
        for lab in self.labs:
            lab.open_purse()
        for person in staff:
            more = person.base * (growth - 1)
            if person.place.affords(more * 52 / WEEKS_PER_YEAR):
                person.raise_pay(person.base + more)
            else:
                person.place.tally["withheld"] += more * 52 / WEEKS_PER_YEAR

    def settle(self) -> None:
        """Choices, notice, moves, and what moves do to colleagues old and new."""
        self.random.shuffle(self.courted)
        for lab in self.labs:
            lab.open_purse()
        taken = [(person, person.choose()) for person in self.courted]
        for person, choice in taken:
            for bid in person.offers:
                bid.lab.pending -= bid.outsider
                if bid is not choice:
                    bid.lab.promised -= bid.escrow
            person.offers = []
            if choice is not None:
                choice.lab.tally["accepted"] += 1
                employed = isinstance(person.place, PlainLab)
                person.leaving = True
                wait = self.rules.hiring.notice if employed else 0
                self.starts[self.week + wait].append((person, choice))
            elif person.counter:
                person.title = min(person.title + person.place.counter_title, 2)
                person.retain(person.counter)
        moves: list[colleagues.Move] = []
        for person, bid in self.starts.pop(self.week, []):
            moves.append((person, bid, person.place, person.unit))
            person.start_at(bid)
        from_labs = [move for move in moves if isinstance(move[2], PlainLab)]
        colleagues.shake(self, from_labs)
        colleagues.lead(self, from_labs)
        colleagues.lift_out(self, from_labs)
        colleagues.compare_pay(self, moves)

    def leave_the_fallen(self) -> None:
        """Who works at a lab that has fallen among its rivals is somewhat more likely to leave."""
        for lab in self.labs:
            excess = lab.excess_hazard()
            for person in list(lab.staff) if excess else []:
                chance = -math.expm1(-sum(person.unit.hazards) * excess / WEEKS_PER_YEAR)
                if not (person.leaving or person.parting) and self.random.random() < chance:
                    person.prepare_to_leave()


def _refuse_what_is_missing(scenario: Scenario) -> None:
    if scenario.events:
        raise ValueError("a plain market knows no events")
    for name, lab in scenario.labs.items():
        plain = lab.offer_expiry == 1 and lab.non_compete == 0 and lab.pricing == "optimal"
        if not plain or lab.counter_policy == "second_price":
            raise ValueError(f"{name}: a plain lab has offers of a week, optimal prices and no paid leave")
