"""A lab's week, watched between the rules: its accounts, whom it approached and what it thought of them.

Every rule that moves the lab's money or what it has promised leaves a step: balances before and after,
and the postings between them, so that each account adds up. Cents; weeks from the scenario's start.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sim.market.columns import UNSET
from sim.market.ledger import KINDS, Ledger
from sim.market.offers import Approaches
from sim.market.rules import budget, contact, liftouts, pricing, shortlist
from sim.market.state import Behaviour, Market
from sim.market.week import Rule
from sim.system.arrays import Floats, Integers


@dataclass(frozen=True)
class Step:
    """What one rule did to a lab's accounts and promises.

    `balances` and `escrow` are (before, after) in cents by account and by budget line, only those that
    changed or had postings; `postings` are the sums posted to each account by kind, taken away if negative.
    """

    rule: Rule
    balances: dict[str, tuple[int, int]]
    escrow: dict[str, tuple[int, int]]
    postings: dict[str, dict[str, int]]


@dataclass
class LabWeek:
    """What a lab does in one week of a market of a single run.

    Attributes:
        lab: its number.
        week: the week to watch; in all others nothing is done.
        steps: the rules that moved its money or promises, in order.
        shortlist: approaches opened by the lab; `invited` those that its newcomers asked to follow.
        contacted: people contacted, before the shortlist.
        budget: cents that each budget line may commit, by line.
        priced: what pricing knew of each approach that was due: researcher, campaign (-1: none), value,
            reservation and cost in USD a year, chance of acceptance, multiplier.
        headcount: at the beginning and at the end.
    """

    lab: int
    week: int
    steps: list[Step] = field(default_factory=list)
    shortlist: Approaches = field(default_factory=lambda: Approaches.new(0))
    invited: Approaches = field(default_factory=lambda: Approaches.new(0))
    contacted: int = 0
    budget: dict[str, int] = field(default_factory=dict)
    priced: list[dict[str, float]] = field(default_factory=list)
    frozen: bool = False
    failed: bool = False
    headcount: tuple[int, int] = (0, 0)
    _last: tuple[dict[str, int], dict[str, int]] = ({}, {})
    _seen: int = 0
    _campaign_of: dict[int, int] = field(default_factory=dict)

    def begin(self, market: Market) -> None:
        """Get ready before the first rule of a week."""
        if market.week != self.week:
            market.behaviours.pop("price", None)
            return
        here = np.arange(market.shape[1]) == self.lab
        offer_cost = market.scenario.market.interviews.offer_cost

        def notice(rows: Integers, targets: pricing.Targets, multiplier: Floats) -> Floats:
            """Write down what is known, and ask the price that the rule itself asks."""
            cost, chance = pricing.price(targets, multiplier, offer_cost)
            campaign = np.array([self._campaign_of.get(row, UNSET) for row in rows.tolist()])
            columns = (rows, campaign, targets.value, targets.reservation, cost, chance, multiplier)
            names = ("researcher", "campaign", "value", "reservation", "cost", "chance", "multiplier")
            values = zip(*(column.tolist() for column in columns), strict=True)
            self.priced += [dict(zip(names, row, strict=True)) for row in values]
            return cost

        market.behaviours["price"] = [Behaviour(here, notice)]
        self._last, self._seen = self._money(market), len(market.ledger.journal)
        count = int(market.labs.headcount[0, self.lab])
        self.headcount = (count, count)

    def see(self, rule: Rule, market: Market) -> None:
        """Look at the lab after a rule."""
        if market.week != self.week:
            return
        if rule is budget.set_limits:
            self.budget = self._lines(market, market.budget[0])
            self.frozen = bool(market.labs.frozen_until[0, self.lab] > market.week)
        if rule is contact.approach:
            self.contacted = int(market.tally.contacts[0, self.lab])
        if rule is shortlist.invite:
            self.shortlist = self._approaches(market, invited=False)
            self._campaign_of = self._due(market)
        if rule is liftouts.invite:
            self.invited = self._approaches(market, invited=True)
        self.failed = bool(market.labs.failed[0, self.lab])
        self.headcount = (self.headcount[0], int(market.labs.headcount[0, self.lab]))
        self._see_money(rule, market)

    def _see_money(self, rule: Rule, market: Market) -> None:
        now, postings = self._money(market), self._postings(market)
        changed = [
            {
                name: (before[name], after[name])
                for name in after
                if before[name] != after[name] or (k == 0 and name in postings)
            }
            for k, (before, after) in enumerate(zip(self._last, now, strict=True))
        ]
        if changed[0] or changed[1]:
            self.steps.append(Step(rule, changed[0], changed[1], postings))
        self._last, self._seen = now, len(market.ledger.journal)

    def _accounts(self, market: Market) -> list[int]:
        """Treasury, talent money and the envelopes of the lab's campaigns."""
        numbers = [int(Ledger.treasury(self.lab)), int(Ledger.talent(self.lab))]
        return numbers + [int(market.ledger.envelope(market.shape[1], c)) for c in self._campaigns(market)]

    def _campaigns(self, market: Market) -> list[int]:
        return [
            number
            for number, event in enumerate(market.constants.campaigns)
            if market.constants.lab(event.body.lab) == self.lab
        ]

    def _money(self, market: Market) -> tuple[dict[str, int], dict[str, int]]:
        """Balances by account, and what is promised by budget line."""
        ledger = market.ledger
        balances = {
            ledger.names[account]: int(ledger.balances[0, account]) for account in self._accounts(market)
        }
        return balances, self._lines(market, market.promised[0])

    def _lines(self, market: Market, row: Integers) -> dict[str, int]:
        """A row of the budget lines as cents by the lab's own lines: ordinary hiring, and its campaigns."""
        lines = {"ordinary hiring": int(row[self.lab])}
        for number in self._campaigns(market):
            lines[market.constants.campaigns[number].body.name] = int(row[market.shape[1] + number])
        return lines

    def _postings(self, market: Market) -> dict[str, dict[str, int]]:
        """Cents posted since the last look, by account and kind, taken away if negative."""
        sums: dict[str, dict[str, int]] = {}
        accounts = set(self._accounts(market))
        for _, kind, _, debit, credit, cents in market.ledger.journal[self._seen :]:
            for side, sign in ((debit, -1), (credit, 1)):
                for account in accounts.intersection(np.unique(side).tolist()):
                    entry = sums.setdefault(market.ledger.names[account], {})
                    moved = sign * int(cents[side == account].sum())
                    entry[KINDS[kind]] = entry.get(KINDS[kind], 0) + moved
        return sums

    def _due(self, market: Market) -> dict[int, int]:
        """Campaign of each approach that is due; of two to one person the later campaign's counts."""
        due = Approaches.joined(list(market.approaches.get(market.week, [])))
        due = due.where(due.lab == self.lab)
        order = np.argsort(due.campaign, kind="stable")
        return dict(zip(due.row[order].tolist(), due.campaign[order].tolist(), strict=True))

    def _approaches(self, market: Market, invited: bool) -> Approaches:
        """Approaches of this week in the calendar, by the lab itself or by its newcomers."""
        waiting = [batch for due in market.approaches.values() for batch in due]
        found = Approaches.joined([*waiting, *market.contacted])
        own = (found.lab == self.lab) & (found.contact_week == market.week)
        found = found.where(own & ((found.inviter >= 0) == invited))
        return found.where(np.argsort(found.row, kind="stable"))
