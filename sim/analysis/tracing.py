"""One run lived again with watchers between the rules: what every offer and every choice was made of.

A run depends on (scenario, seed, run) alone, so the second life is the first one to the bit. Nothing
here decides or draws: the terms are read from the market at the moment when a rule has used them, or
is about to. Pay in USD a year, terms in utils, accounts in cents, weeks from the scenario's start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.analysis.accounts import LabWeek
from sim.market import appraisal, worth
from sim.market.offers import ACCEPTED, Approaches, Offers
from sim.market.opening import open_market
from sim.market.record import Recorder
from sim.market.rules import choice, interest, pricing
from sim.market.simulate import collect
from sim.market.state import OUTSIDE, Behaviour, Market
from sim.market.week import RULES, Rule, advance
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.scenario.schema import Scenario
from sim.system.arrays import Floats, Integers

BEFORE_CHOICES = RULES[RULES.index(choice.decide) - 1]  # nothing changes between this rule and the choice

Parts = dict[str, Floats]
Places = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Side:
    """One side of some choices: what its pay and its utility are made of, each column (n,).

    `pay` adds up to Y in USD a year, `terms` to the utility without alpha ln Y, in utils; `kappa` is
    what a dollar a year of a further package would add to Y, 0 where there is nobody to pay it.
    """

    pay: Parts
    terms: Parts
    kappa: Floats

    def at(self, position: int) -> tuple[dict[str, float], dict[str, float], float]:
        """Pay, terms and kappa of one choice as numbers."""
        pay = {name: float(column[position]) for name, column in self.pay.items()}
        terms = {name: float(column[position]) for name, column in self.terms.items()}
        return pay, terms, float(self.kappa[position])


@dataclass(frozen=True)
class Written:
    """The offers that went out in a week, and what staying was worth then."""

    offer: Side
    stay: Side


@dataclass
class Decided:
    """The offers decided in a week: what was added since they were written, and the rule's utilities.

    `key` is (researcher, lab, week of the offer) of each; `counter` is in cents, `raised` the weekly
    base in cents to which the incumbent would raise, or -1. `accepted` is what the rule then wrote.
    """

    week: int
    key: list[tuple[int, int, int]]
    offer: Side
    stay: Side
    offer_utility: Floats
    stay_utility: Floats
    counter: Integers
    raised: Integers
    accepted: list[bool]


@dataclass(frozen=True)
class Response:
    """How the researcher who is watched answered an approach.

    `gap` is what speaks for the lab at the pay it is known for, in utils; she is interested if `gap + slack`
    is not negative, and would be from a known pay of `needed` on, in USD a year.
    """

    week: int
    lab: int
    campaign: int
    known: float
    needed: float
    gap: float
    slack: float

    @property
    def interested(self) -> bool:
        """Whether she goes to interviews."""
        return self.gap + self.slack >= 0


@dataclass
class Trace:
    """What was seen of one run, and the tables that it leaves.

    Attributes:
        written: by (researcher, lab, week of the offer): the week's offers, and the position among them.
        decided: the weeks in which somebody decided.
        moves: who changed place after some rule: week, researchers, where they are now, and in which pool.
        former: the lab that each was at before the opening; -1: none, or none known.
        lab_week: a lab's week, if one was asked about.
        responses: answers to approaches of the researcher who was asked about.
        tables: the tables with every offer; `recorded` has those of campaigns only, if there is no log.
    """

    market: Market
    lab_week: LabWeek | None = None
    responses: list[Response] = field(default_factory=list)
    written: dict[tuple[int, int, int], tuple[Written, int]] = field(default_factory=dict)
    decided: list[Decided] = field(default_factory=list)
    moves: list[tuple[int, Integers, Places, Places]] = field(default_factory=list)
    former: Places = field(default_factory=lambda: np.zeros(0, np.int16))
    tables: dict[str, Any] = field(default_factory=dict)
    recorded: dict[str, Any] = field(default_factory=dict)
    _places: Places | None = None

    def see(self, rule: Rule, market: Market) -> None:
        """Look at the market after a rule."""
        if rule is pricing.make_offers:
            self._see_offers(market)
        if rule is BEFORE_CHOICES:
            self._see_choices(market)
        if rule is choice.decide:
            self._see_outcomes(market)
        if self.lab_week is not None:
            self.lab_week.see(rule, market)
        self.see_places(market)

    def watch(self, market: Market, researcher: int) -> None:
        """Write down how a researcher answers approaches, and answer as the rule does."""
        elasticity = market.scenario.market.choice.pay_elasticity

        def answer(row: int, approach: Approaches, gap: float) -> bool:
            known = float(interest.signal(market, approach)[0])
            slack = float(interest.slack_of(market, np.array([row]))[0])
            needed = known * float(np.exp(-(gap + slack) / elasticity))
            lab, campaign = int(approach.lab[0]), int(approach.campaign[0])
            self.responses.append(Response(market.week, lab, campaign, known, needed, gap, slack))
            return self.responses[-1].interested

        only = np.arange(market.people) == researcher
        market.behaviours["interest"] = [Behaviour(only, answer)]

    def see_places(self, market: Market) -> None:
        """Note who is somewhere else than at the last look; at the first, everybody."""
        now = market.researchers.place
        moved = np.arange(len(now)) if self._places is None else np.flatnonzero(now != self._places)
        if len(moved):
            self.moves.append((market.week, moved, now[moved], market.researchers.pool[moved]))
            self._places = now.copy()

    def life_of(self, researcher: int) -> list[tuple[int, int, int]]:
        """From which week on somebody was where, as in `sim.market.state`, and in which pool; in order."""
        return [
            (week, int(place[moved == researcher][0]), int(pool[moved == researcher][0]))
            for week, moved, place, pool in self.moves
            if (moved == researcher).any()
        ]

    def _see_offers(self, market: Market) -> None:
        new = np.flatnonzero(market.offers.offer_week == market.week)
        if not len(new):
            return
        batch = market.offers.where(new)
        block = Written(_offer_side(market, batch), _stay_side(market, batch))
        self.written |= {key: (block, position) for position, key in enumerate(_keys(batch))}

    def _see_choices(self, market: Market) -> None:
        chosen = market.deciding
        if not len(chosen):
            return
        batch = market.offers.where(chosen)
        self.decided.append(
            Decided(
                market.week, _keys(batch), _offer_additions(market, batch), _stay_additions(market, batch),
                choice.offer_utility(market, batch), choice.stay_utility(market, batch),
                batch.counter.copy(), batch.raised_base.copy(), [],
            )
        )  # fmt: skip

    def _see_outcomes(self, market: Market) -> None:
        if not self.decided or self.decided[-1].week != market.week:
            return
        outcome = dict(zip(_keys(market.offers), market.offers.outcome.tolist(), strict=True))
        last = self.decided[-1]
        last.accepted = [outcome[key] == ACCEPTED for key in last.key]

    def people_deciding(self) -> Iterator[tuple[Decided, list[int]]]:
        """Every choice: the week, and the positions of the person's offers in it."""
        for decided in self.decided:
            positions: dict[int, list[int]] = {}
            for position, (researcher, _, _) in enumerate(decided.key):
                positions.setdefault(researcher, []).append(position)
            yield from ((decided, own) for own in positions.values())


def relive(
    scenario: Scenario,
    seed: int,
    run: int,
    lab_week: tuple[int, int] | None = None,
    log: bool = True,
    researcher: int | None = None,
) -> Trace:
    """Live through one run of a scenario again, and write down what is asked about.

    Args:
        scenario: what was run.
        seed: seed of the ensemble.
        run: number of the run.
        lab_week: number of a lab, and the week in which to watch its money.
        log: whether the run was recorded with every offer and posting.
        researcher: whose answers to approaches are written down.
    """
    market = open_market(scenario, seed, np.array([run], np.int64))
    watched = None if lab_week is None else LabWeek(*lab_week)
    trace, recorder = Trace(market, watched), Recorder.ready()
    trace.former = market.researchers.last_lab.copy()
    trace.see_places(market)
    if researcher is not None:
        trace.watch(market, researcher)
    for _ in range(scenario.horizon):
        if watched is not None:
            watched.begin(market)
        advance(market, trace.see)
        recorder.observe(market)
    trace.tables = trace.recorded = collect(market, recorder)
    if not log:
        trace.recorded = collect(market, recorder, full=False)
    return trace


def _keys(offers: Offers) -> list[tuple[int, int, int]]:
    columns: Sequence[list[int]] = (offers.row.tolist(), offers.lab.tolist(), offers.offer_week.tolist())
    return list(zip(*columns, strict=True))


def _lab_parts(market: Market, rows: Integers, lab: Integers, unit: Integers, title: Integers) -> Parts:
    """Terms of a unit by name; outside the labs only those that are the person's own."""
    run, at_lab = market.run_of(rows), lab >= 0
    shared = appraisal.unit_terms(market)
    parts = {name: np.where(at_lab, column[run, unit], 0.0) for name, column in shared.items()}
    return parts | appraisal.personal_terms(market, rows, lab, unit, title)


def _offer_side(market: Market, batch: Offers) -> Side:
    """What an offer brings, as of the week in which it is written."""
    nothing, no_cash = np.zeros(len(batch)), np.zeros(len(batch), np.int64)
    pay = {
        "base": batch.weekly_base * WEEKS_PER_YEAR / 100,
        "sign_on": batch.sign_on / 100 / market.scenario.market.equity.horizon,
        "grant": appraisal.package_pay(market, nothing, no_cash, batch.grant, batch.lab),
    }
    kappa = appraisal.new_kappa(market, batch.lab)
    return Side(pay, _lab_parts(market, batch.row, batch.lab, batch.unit, batch.title), kappa)


def _stay_side(market: Market, batch: Offers) -> Side:
    """What staying brings, as of the week in which the offer is written."""
    people, rows = market.researchers, batch.row
    place, unit = people.place[rows].astype(np.int64), people.unit[rows].astype(np.int64)
    base = people.weekly_base[rows] * WEEKS_PER_YEAR / 100
    pay = {"base": base, "unvested": appraisal.stay_pay(market, rows) - base}
    years = market.tenure_weeks(rows) / WEEKS_PER_YEAR
    bond = worth.staying_terms(0.0, years, market.scenario.market.choice.tenure_effect)
    terms = _lab_parts(market, rows, place, unit, people.title[rows].astype(np.int64))
    slight = market.scenario.market.pay_equity.peer_weight * people.slight[rows]
    pool = np.where(place == OUTSIDE, market.constants.pools.bond[people.pool[rows]], 0.0)
    terms |= {"tenure": np.where(place >= 0, bond, 0.0), "slight": slight.astype(np.float64), "pool": pool}
    terms["shaken"] = -appraisal.shaken(market, rows)
    kappa = np.where(place >= 0, appraisal.retention_kappa(market, np.maximum(place, 0)), 0.0)
    return Side(pay, terms, kappa)


def _offer_additions(market: Market, batch: Offers) -> Side:
    """What the choice adds to an offer's terms."""
    moving = np.full(len(batch), -market.scenario.market.choice.moving_cost)
    taste = appraisal.taste(market, batch.row, batch.lab)
    return Side({}, {"moving_cost": moving, "taste": taste}, np.zeros(len(batch)))


def _stay_additions(market: Market, batch: Offers) -> Side:
    """What the choice adds to staying: the counter-offer, attachment and taste as they are now."""
    people, constants, weights = market.researchers, market.constants, market.scenario.market.choice
    rows, place = batch.row, people.place[batch.row].astype(np.int64)
    lab = np.maximum(place, 0)
    kappa, horizon = appraisal.retention_kappa(market, lab), market.scenario.market.equity.horizon
    held = people.weekly_base[rows].astype(np.int64)
    pay = {
        "counter": kappa * batch.counter / 100 / horizon,
        "raise": np.where(batch.raised_base >= 0, batch.raised_base - held, 0) * WEEKS_PER_YEAR / 100,
    }
    step = np.where(batch.counter_week == market.week, constants.counter_title[lab], 0)
    terms = {
        "counter_title": weights.title_weight * step,
        "attachment": people.attachment[rows].astype(np.float64),
        "taste": appraisal.taste(market, rows, place),
    }
    return Side(pay, terms, kappa)
