"""The calendar of approaches: when an offer may be written, and how approaches end without one."""

from __future__ import annotations

from sim.market import segments
from sim.market.offers import LAPSED, Approaches, Offers
from sim.market.state import OUTSIDE, Market

MONEY = ("weekly_base", "sign_on", "grant", "counter")


def put(market: Market, week: int, batch: Approaches) -> None:
    """Approaches fall due in a week."""
    if len(batch):
        market.approaches.setdefault(week, []).append(batch)


def log_unmade(market: Market, batch: Approaches) -> None:
    """A campaign's approaches that end without an offer are kept in the log."""
    theirs = batch.where(batch.campaign >= 0)
    if len(theirs):
        market.log_offers(Offers.drafted(theirs, outcome=LAPSED, **dict.fromkeys(MONEY, 0)))


def drop(market: Market, batch: Approaches) -> None:
    """Approaches end without an offer; outsiders leave their vacancy to others."""
    log_unmade(market, batch)
    gone = batch.origin == OUTSIDE
    segments.add(market.pending, (market.run_of(batch.row[gone]), batch.lab[gone]), -1)
