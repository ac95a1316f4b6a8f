"""The same market in plain Mesa: one object an agent, Python's own floats, nothing vectorised.

A second solver and the benchmark's yardstick. It starts from the opening market that `sim` draws and
then lives by its own code and its own random numbers; `tests/test_twin.py` holds the two against each
other. Steps 2 to 11 of the week for markets without events whose offers last a week and whose labs have
no paid leave; anything else is refused. Money is in USD, pay in USD a year.

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

from benchmarks.agents import PlainLab, PlainResearcher
from benchmarks.bids import Bid
from sim.market.opening import open_market
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.scenario.schema import Scenario

COUNTS = ("hires", "from_rivals", "departures", "to_rivals", "contacts", "offers", "counters")


class PlainMarket(mesa.Model):
    def __init__(self, scenario: Scenario, seed: int = 1, run: int = 0, thrifty: bool = False) -> None:
        super().__init__(rng=1_000_003 * seed + run)
        _refuse_what_is_missing(scenario)
        self.rules, self.thrifty, self.week = scenario.market, thrifty, -1
        equity, choice = self.rules.equity, self.rules.choice
        self.horizon, self.sign_on_share = equity.horizon, equity.sign_on_share
        self.rate = equity.discount_rate + equity.exit_hazard
        self.slope = choice.pay_elasticity / choice.taste_scale
        self.outside_pay = self.rules.entry.outside_pay / 100
        self.calendar: dict[int, list[tuple[PlainResearcher, int, str]]] = defaultdict(list)
        self.history: dict[str, list[dict[str, int]]] = {name: [] for name in (*COUNTS, "headcount")}
        self.courted: list[PlainResearcher] = []
        self.parting: list[PlainResearcher] = []
        opened = open_market(scenario, seed, np.array([run]), keep_all=False)
        self.opening, self.opening_ties = opened.researchers, opened.ties
        self.labs = [
            PlainLab(self, name, lab, plan)
            for (name, lab), plan in zip(
                scenario.labs.items(), opened.constants.planned.tolist(), strict=True
            )
        ]
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
                person.enter(lab, unit, float(self.opening.weekly_base[row]) * WEEKS_PER_YEAR / 100)
                person.attachment = float(self.opening.attachment[row])
                person.grant = float(self.opening.grant[row]) / 100
            person.start = int(self.opening.start_week[row])
        self.researchers = self.agents_by_type[PlainResearcher]

    def foresee(self, person: PlainResearcher, what: str, rate: float, now: int) -> None:
        """Draw when something happens next, for the thrifty market."""
        if rate > 0:
            week = now + int(self.random.expovariate(rate))
            self.calendar[week].append((person, person.spell, what))

    def touch(self) -> None:
        """The thrifty week: only those whose week was drawn in advance."""
        for person, spell, what in self.calendar.pop(self.week, []):
            if person.spell != spell:
                continue
            if what == "exit":
                person.prepare_to_leave()
            else:
                self.foresee(person, what, person.contact_rate, self.week + 1)
                person.meet()

    def pick_lab(self) -> PlainLab | None:
        return self.random.choices(self.labs, cum_weights=self.weights)[0] if self.weights[-1] else None

    def step(self) -> None:
        """One week."""
        for lab in self.labs:
            lab.begin_week()
        self.weights = list(accumulate(lab.hiring_weight() for lab in self.labs))
        self.courted, self.parting = [], []
        if self.thrifty:
            self.touch()
        else:
            self.researchers.shuffle_do("step")
        for act in ("shortlist", "write_offers"):
            for lab in self.labs:
                getattr(lab, act)()
        self.settle()
        for person in self.parting:
            person.move_on()
        for row in self.graduations.pop(self.week, []):
            self.people[row] = PlainResearcher(self, row)
        for lab in self.labs:
            lab.end_week()
        self._record()
        self.week += 1

    def _record(self) -> None:
        for name in COUNTS:
            self.history[name].append({lab.name: lab.tally[name] for lab in self.labs})
        self.history["headcount"].append({lab.name: lab.headcount for lab in self.labs})

    def settle(self) -> None:
        """Choices, moves, invitations to follow, and the reactions of new colleagues."""
        self.random.shuffle(self.courted)
        taken = [(person, person.choose()) for person in self.courted]
        moves = []
        for person, choice in taken:
            for bid in person.offers:
                bid.lab.pending -= bid.outsider
            person.offers = []
            if choice is not None:
                moves.append((person, choice, person.place))
            elif person.counter:
                person.title = min(person.title + person.place.counter_title, 2)
                person.retain(person.counter)
        for lab in self.labs:
            lab.promised = 0.0
        for person, bid, _ in moves:
            person.start_at(bid)
        for person, bid, old in moves:
            if isinstance(old, PlainLab):
                self.lift_out(person, bid, old)
        slighted: set[PlainResearcher] = set()
        for person, bid, _ in moves:
            self.compare_pay(person, bid, slighted)

    def lift_out(self, mover: PlainResearcher, bid: Bid, old: PlainLab) -> None:
        """Ties at the old lab are asked to follow, and hear from the new one next week."""
        chance = self.rules.ties.invitations / max(len(mover.ties), 1)
        for tie in mover.ties:
            friend = self.people[tie]
            if friend is not None and friend.place is old and self.random.random() < chance:
                value = bid.lab.value_of(friend)
                follow = Bid(bid.lab, friend, bid.unit, value, self.week, friend.spell, False)
                bid.lab.agenda[self.week + 1].append(follow)
                bid.lab.tally["contacts"] += 1

    def compare_pay(self, newcomer: PlainResearcher, bid: Bid, seen: set[PlainResearcher]) -> None:
        """Ties at the new lab who are paid less for the same talent are raised, or feel slighted."""
        rules, lab = self.rules.pay_equity, bid.lab
        new = bid.cost / newcomer.talent
        for tie in newcomer.ties:
            peer = self.people[tie]
            if peer is None or peer is newcomer or peer.place is not lab or peer in seen:
                continue
            seen.add(peer)
            own = peer.present_cost()
            ratio = own / peer.talent / new
            if ratio >= rules.threshold:
                continue
            package = own * (rules.threshold / ratio - 1) * self.horizon
            able = package * self.sign_on_share <= lab.cash
            if able and self.random.random() < rules.raise_probability:
                peer.retain(package)
            else:
                peer.slight = math.log(ratio)


def _refuse_what_is_missing(scenario: Scenario) -> None:
    if scenario.events:
        raise ValueError("a plain market knows no events")
    for name, lab in scenario.labs.items():
        plain = lab.offer_expiry == 1 and lab.non_compete == 0 and lab.pricing == "optimal"
        if not plain or lab.counter_policy == "second_price":
            raise ValueError(f"{name}: a plain lab has offers of a week, optimal prices and no paid leave")
