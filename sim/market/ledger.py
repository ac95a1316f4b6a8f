"""Double-entry accounts in integer cents, for any number of runs at once.

Every posting takes from one account what it gives to another, so the balances of a run always add
up to 0. `outside` is the rest of the world: its balance is minus all net injections. Every other
account must stay at or above zero; a posting that would break this is a bug in a rule and raises.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sim.market import segments
from sim.market.money import OutOfRange

Cents = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int64]

KINDS = (
    "opening",
    "inflow",
    "payroll",
    "sign_on",
    "retention",
    "clawback",
    "shortfall",
    "deal",
    "investment",
    "envelope",
    "first_year_base",
    "partnership",
    "returned",
    "licence",
    "seed",
    "grant",
    "refresh",
    "forfeit",
    "swept",
)


class Posting(NamedTuple):
    """Money moved in one week for one reason: columns of one length."""

    week: int
    kind: int  # a number of KINDS
    run: Rows  # position among the market's runs
    debit: Rows  # account from which it goes
    credit: Rows  # account to which it goes
    cents: Cents


MOST_HELD = 2**62 - 1  # cents, either way: twice as much would still be counted right


class Overdraft(RuntimeError):
    """A rule promised money that an account does not hold."""


@dataclass
class Ledger:
    """Balances (R, accounts) in cents and the journal of all postings.

    Attributes:
        names: account names; `outside` is account 0, `researchers` account 1.
        balances: int64, shape (R, accounts).
        keep_journal: whether postings are kept.
        journal: all postings, in order.
    """

    names: tuple[str, ...]
    balances: Cents
    keep_journal: bool = True
    journal: list[Posting] = field(default_factory=list)

    @classmethod
    def open(cls, runs: int, labs: list[str], campaigns: list[str], keep_journal: bool = True) -> Ledger:
        """Accounts for the world, the researchers, each lab and each campaign, all at zero."""
        names = ["outside", "researchers"]
        for lab in labs:
            names += [f"{lab}:treasury", f"{lab}:talent", f"{lab}:owners"]
        names += [f"{campaign}:envelope" for campaign in campaigns]
        return cls(tuple(names), np.zeros((runs, len(names)), np.int64), keep_journal)

    OUTSIDE = 0
    RESEARCHERS = 1

    @staticmethod
    def treasury(lab: Rows | int) -> Rows:
        """Account of a lab's treasury."""
        return np.asarray(2 + 3 * np.asarray(lab, np.int64))

    @staticmethod
    def talent(lab: Rows | int) -> Rows:
        """Account of a lab's talent money."""
        return np.asarray(3 + 3 * np.asarray(lab, np.int64))

    @staticmethod
    def owners(lab: Rows | int) -> Rows:
        """Account of a lab's owners."""
        return np.asarray(4 + 3 * np.asarray(lab, np.int64))

    def envelope(self, labs: int, campaign: Rows | int) -> Rows:
        """Account of a campaign's envelope, where the market has `labs` labs."""
        return np.asarray(2 + 3 * labs + np.asarray(campaign, np.int64))

    def talent_accounts(self, labs: int) -> Cents:
        """Balances of the talent accounts of all `labs` labs, a view; (R, L)."""
        return self.balances[:, 3 : 3 + 3 * labs : 3]

    def treasuries(self, labs: int) -> Cents:
        """Balances of the treasuries of all `labs` labs, a view; (R, L)."""
        return self.balances[:, 2 : 2 + 3 * labs : 3]

    def of(self, runs: Rows, accounts: Rows | int) -> Cents:
        """Balances of the given accounts in the given runs."""
        return segments.at(self.balances, runs, accounts)

    def post(
        self, week: int, kind: str, runs: Rows, debit: Rows | int, credit: Rows | int, cents: Cents
    ) -> None:
        """Move `cents` from `debit` to `credit` in each of `runs`; all have its shape or are one number.

        Raises:
            ValueError: an amount is negative.
            Overdraft: an account but `outside` would fall below zero.
            OutOfRange: an account would hold more than can be counted, or owe it.
        """
        moving = np.flatnonzero(cents if np.ndim(cents) else np.broadcast_to(cents, runs.shape))
        if not len(moving):
            return
        run, source, target, amount = (
            np.ravel(part)[moving] if np.ndim(part) else np.full(len(moving), part)
            for part in (runs, debit, credit, cents)
        )
        if (amount < 0).any():
            raise ValueError(f"a {kind} posting of {amount.min()} cents")
        if amount.sum(dtype=np.float64) > MOST_HELD:  # else no sum below can wrap
            raise self._too_full(kind, source, target, int(np.argmax(amount)))
        segments.add(self.balances, (run, source), -amount)
        segments.add(self.balances, (run, target), amount)
        short = (self.balances[run, source] < 0) & (source != self.OUTSIDE)
        if short.any():
            first = int(np.flatnonzero(short)[0])
            raise Overdraft(f"week {week}: {kind} overdraws {self.names[source[first]]}")
        for account in (source, target):
            full = np.flatnonzero(np.abs(self.balances[run, account]) > MOST_HELD)
            if len(full):
                raise self._too_full(kind, source, target, int(full[0]))
        if self.keep_journal:
            self.journal.append(Posting(week, KINDS.index(kind), run, source, target, amount))

    def _too_full(self, kind: str, source: Rows, target: Rows, part: int) -> OutOfRange:
        """What to raise for a part of a posting that brings an account beyond what it can hold."""
        giver, taker = self.names[source[part]], self.names[target[part]]
        return OutOfRange(f"{kind} from {giver} to {taker} is more than an account can hold")

    def drift(self) -> Cents:
        """Sum of all balances of each run; exactly 0 always, and never 0 because a sum has wrapped."""
        exact, about = self.balances.sum(axis=1), self.balances.sum(axis=1, dtype=np.float64)
        wrapped = np.abs(about) > MOST_HELD
        return np.where(wrapped, np.where(about < 0, -MOST_HELD, MOST_HELD), exact)
