"""Step 2, refreshers and rises: what each whole year of tenure brings, as far as free money goes.

A refresh grant is a share of the opening grant, at today's valuation; base pay rises by a year's growth. Both
come after payroll and never make a lab fail: what the free talent account does not cover is not granted, and
is counted. Where grants are not charged, refreshers cost nothing and none is withheld.
Source: MODEL step 2; sizes are assumptions. Unit of time: the week; cents.
"""

from __future__ import annotations

import numpy as np

from sim.market import grants, segments, spells
from sim.market.ledger import Ledger
from sim.market.state import Market
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.system.arrays import Booleans, Integers


def has_anniversary(weeks: Integers) -> Booleans:
    """Whether a whole year of tenure ends in a week, by weeks since the start of the spell."""
    return np.asarray(
        (weeks > 0) & (np.floor(weeks / WEEKS_PER_YEAR) > np.floor((weeks - 1) / WEEKS_PER_YEAR))
    )


def risen(weekly_base: Integers, growth: float) -> Integers:
    """Base pay after a year's rise: e^g times as much."""
    return np.asarray(np.rint(weekly_base * np.exp(growth)), np.int64)


def grant(market: Market) -> None:
    """Grant the refreshers and rises of this week's anniversaries."""
    equity, growth = market.scenario.market.equity, market.scenario.market.growth.pay
    if equity.charged:
        market.valuations.append(market.labs.valuation.copy())
    if not equity.charged and growth == 0:
        return
    people = market.researchers
    rows = np.flatnonzero(has_anniversary(market.week - people.start_week.astype(np.int64)))
    if growth > 0:
        outside = rows[people.place[rows] < 0]
        people.weekly_base[outside] = risen(people.weekly_base[outside], growth)
    rows = rows[(people.place[rows] >= 0) & ~people.leaving[rows]]
    if equity.charged:
        _refresh(market, rows[people.grant[rows] > 0])
    if growth > 0:
        _raise(market, rows, growth)


def _refresh(market: Market, rows: Integers) -> None:
    people = market.researchers
    cents = grants.refresher_face(market, rows, np.full(len(rows), market.week))
    covered = spells.cash_covers(market, rows, cents)
    year = np.minimum(market.tenure_weeks(rows) // WEEKS_PER_YEAR, 15).astype(np.uint16)
    people.not_refreshed[rows[~covered]] |= (np.uint16(1) << year)[~covered]
    _withhold(market, rows[~covered], cents[~covered])
    rows, cents = rows[covered], cents[covered]
    run, lab = market.run_of(rows), people.place[rows].astype(np.int64)
    market.ledger.post(market.week, "refresh", run, Ledger.talent(lab), Ledger.RESEARCHERS, cents)
    segments.add(market.tally.spend, (run, lab), cents)


def _raise(market: Market, rows: Integers, growth: float) -> None:
    """A rise is granted if free money covers a year of it."""
    base = market.researchers.weekly_base[rows].astype(np.int64)
    higher = risen(base, growth)
    covered = spells.cash_covers(market, rows, 52 * (higher - base))
    _withhold(market, rows[~covered], 52 * (higher - base)[~covered])
    spells.raise_base(market, rows[covered], higher[covered])


def _withhold(market: Market, rows: Integers, cents: Integers) -> None:
    lab = market.researchers.place[rows].astype(np.int64)
    segments.add(market.tally.withheld, (market.run_of(rows), lab), cents)
