"""Grants as money: who is charged for them, and what comes back of those that have not vested.

Where grants are charged (`equity.charged`), a grant costs the account that makes it its face at grant date,
and the face of what has not vested returns when somebody leaves: to the account that paid, or to the treasury
where that is closed. Grants of the opening staff were paid before, those of the acqui-hired with the deal:
they charge nothing and return nothing. All in whole cents, so money is conserved to the cent.
"""

from __future__ import annotations

import numpy as np

from sim.market import segments, worth
from sim.market.ledger import Ledger
from sim.market.state import Market
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.system.arrays import Floats, Integers


def charged(market: Market, face: Integers) -> Integers:
    """What a grant costs the account that makes it, cents: its face, or nothing."""
    return face * market.scenario.market.equity.charged


def charge(market: Market, cash: Integers, face: Integers) -> Integers:
    """What a package costs the account that makes it, cents: its cash, and its grant where charged."""
    return cash + charged(market, face)


def retention_vested(market: Market, rows: Integers) -> Floats:
    """Vested share of each person's last retention package."""
    people, constants = market.researchers, market.constants
    since = np.clip(market.week - people.retention_week[rows].astype(np.int64), 0, None)
    terms = constants.kernel_terms[people.place[rows].astype(np.int64)]
    return np.asarray(constants.retention_vested[terms, since])


def anniversary_week(year: int) -> int:
    """Weeks from the start of a spell to the end of its year-th year."""
    return int(np.ceil(year * WEEKS_PER_YEAR))


def refresher_face(market: Market, rows: Integers, week: Integers) -> Integers:
    """Face of the refresh grant due to people at labs in given weeks, at the valuation then; cents."""
    people, equity = market.researchers, market.scenario.market.equity
    price = np.ones(len(rows))
    lab, run = people.place[rows].astype(np.int64), market.run_of(rows)
    for w in np.unique(week):
        then = np.flatnonzero(week == w)
        valuation = market.valuations[w] if w < len(market.valuations) else market.labs.valuation
        price[then] = valuation[run[then], lab[then]]
    return np.rint(equity.refresh_share * people.grant[rows] * price).astype(np.int64)


def forfeit(market: Market, rows: Integers) -> None:
    """What people who leave a lab have not vested returns at its grant-date value."""
    if not market.scenario.market.equity.charged or not len(rows):
        return
    people = market.researchers
    run, lab = market.run_of(rows), people.place[rows].astype(np.int64)
    opening = np.floor(people.grant_face[rows] * (1 - _vested(market, rows, 0))).astype(np.int64)
    payer = _open_account(market, run, lab, people.grant_payer[rows].astype(np.int64))
    market.ledger.post(market.week, "forfeit", run, Ledger.RESEARCHERS, payer, opening)
    later = np.floor(people.retention_face[rows] * (1 - retention_vested(market, rows))).astype(np.int64)
    later += _refreshers_unvested(market, rows)
    market.ledger.post(market.week, "forfeit", run, Ledger.RESEARCHERS, Ledger.talent(lab), later)


def _vested(market: Market, rows: Integers, year: int) -> Floats:
    """Vested share of the opening grant (year 0), or of the refresher of a year, by each lab's terms."""
    constants, lab = market.constants, market.researchers.place[rows].astype(np.int64)
    months = np.floor(market.tenure_weeks(rows) * 12 / WEEKS_PER_YEAR + 1e-9) - 12 * year
    length, cliff = constants.vesting_terms[constants.kernel_terms[lab]].T
    return worth.vested_share(np.maximum(months, 0), length, cliff if year == 0 else 0)


def _refreshers_unvested(market: Market, rows: Integers) -> Integers:
    """Grant-date value of what has not vested of the refreshers that were charged, cents."""
    people = market.researchers
    start, total = people.start_week[rows].astype(np.int64), np.zeros(len(rows), np.int64)
    longest = int(market.tenure_weeks(rows).max(initial=0) // WEEKS_PER_YEAR)
    for year in range(1, longest + 1):
        week = start + anniversary_week(year)
        granted = (week <= market.week) & (week >= 0) & (people.not_refreshed[rows] >> min(year, 15) & 1 == 0)
        due = np.flatnonzero(granted & (people.grant[rows] > 0))
        if len(due):
            face = refresher_face(market, rows[due], week[due])
            total[due] += np.floor(face * (1 - _vested(market, rows[due], year))).astype(np.int64)
    return total


def _open_account(market: Market, run: Integers, lab: Integers, payer: Integers) -> Integers:
    """The account that paid, or the lab's treasury where that was a campaign's that is closed."""
    first = int(market.ledger.envelope(market.shape[1], 0))
    campaign = np.maximum(payer - first, 0)
    if not market.campaign_closed.shape[1]:
        return payer
    closed = (payer >= first) & segments.at(market.campaign_closed, run, campaign)
    return np.where(closed, Ledger.treasury(lab), payer)
