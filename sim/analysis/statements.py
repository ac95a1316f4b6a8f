"""Statements of a lab's talent account: what came in and went out in each quarter, by kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.system.arrays import Floats
from sim.system.tables import codes, numbers

QUARTER = 13  # weeks


@dataclass(frozen=True)
class Statement:
    """Postings to an account by quarter, mean over runs, in USD.

    Attributes:
        sums: by kind of posting, (Q,), taken away where negative; without the opening balance.
        opening: balance with which it opened.
    """

    sums: dict[str, Floats]
    opening: float

    @property
    def balance(self) -> Floats:
        """What is left at the end of each quarter (Q,)."""
        found: Floats = self.opening + np.cumsum(sum(self.sums.values(), np.zeros(1)))
        return found


def talent_statement(ledger: Any, lab: str, runs: int, weeks: int) -> Statement:
    """The statement of a lab's talent account, from the table `ledger` of so many runs and weeks."""
    quarters = -(-weeks // QUARTER)
    kind, kinds = codes(ledger.column("kind"))
    sums = np.zeros((len(kinds), quarters))
    quarter, cents = numbers(ledger.column("week")) // QUARTER, numbers(ledger.column("cents"))
    opening = 0.0
    for side, sign in (("debit", -1), ("credit", 1)):
        account, names = codes(ledger.column(side))
        if f"{lab}:talent" not in names:
            continue
        mine = account == names.index(f"{lab}:talent")
        np.add.at(sums, (kind[mine], quarter[mine]), sign * cents[mine] / 100 / runs)
    if "opening" in kinds:
        opening = float(sums[kinds.index("opening")].sum())
    named = {name: sums[k] for k, name in enumerate(kinds) if name != "opening" and sums[k].any()}
    return Statement(named, opening)
