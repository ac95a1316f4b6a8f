"""The calendar of approaches: how they come about, when an offer may be written, how they end without one."""

from __future__ import annotations

import numpy as np

from sim.market import appraisal, segments
from sim.market.offers import LAPSED, Approaches, Offers
from sim.market.state import OUTSIDE, Market
from sim.system.arrays import Integers

MONEY = ("weekly_base", "sign_on", "grant", "counter")


def ask_to_follow(market: Market, movers: Offers, asking: Integers, rows: Integers) -> None:
    """Colleagues are approached by movers' new labs, for the movers' units, as followers of their campaigns.

    `asking` is the position among the movers of the one who asks each of `rows`; (n,).
    """
    led = np.where(movers.campaign >= 0, movers.campaign, movers.follows)
    found = appraisal.approaches(
        market, rows, movers.lab[asking], unit=movers.unit[asking],
        inviter=market.id_of(movers.row)[asking], follows=led[asking],
    )  # fmt: skip
    segments.add(market.tally.contacts, (market.run_of(found.row), found.lab), 1)
    market.contacted.append(found)


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
