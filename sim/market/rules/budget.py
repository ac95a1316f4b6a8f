"""Step 3, budget: what each lab and each campaign may commit this week.

A lab may offer a share of its free account, the free account being what is left after a runway of
payroll and after what it has promised; nothing while it is frozen. A campaign may commit what is
left of its envelope. Source: MODEL step 3. Unit: cents of expected cost a week.
"""

from __future__ import annotations

import numpy as np

from sim.market.events.campaigns import envelope_of
from sim.market.ledger import MOST_HELD
from sim.market.state import Market
from sim.system.arrays import Integers


def spendable(
    balance: Integers, committed: Integers, payroll: Integers, share: float, runway: int
) -> Integers:
    """B = phi_B max(0, account - promised - runway * weekly payroll)."""
    reserve = runway * np.minimum(payroll, MOST_HELD // max(runway, 1))  # above any balance, if so large
    free = np.maximum(balance - committed - reserve, 0)
    return np.asarray(np.floor(share * free).astype(np.int64))


def set_limits(market: Market) -> None:
    """Fill `market.budget`: labs first, then campaigns."""
    labs, hiring = market.labs, market.scenario.market.hiring
    count = market.shape[1]
    balance, promised = market.ledger.talent_accounts(count), market.promised[:, :count]
    limit = spendable(balance, promised, labs.weekly_payroll, hiring.budget_share, hiring.runway)
    stopped = labs.failed | (labs.frozen_until > market.week)
    market.budget[:, :count] = np.where(stopped, 0, limit)
    first = market.ledger.envelope(count, 0)
    for number, event in enumerate(market.constants.campaigns):
        whole = envelope_of(event.body)
        left = np.where(market.campaign_week[:, number] >= 0, whole - market.campaign_committed[:, number], 0)
        held = market.ledger.balances[:, first + number] - market.promised[:, count + number]
        idle = stopped[:, market.constants.lab(event.body.lab)]
        market.budget[:, count + number] = np.where(idle, 0, np.minimum(left, held))
