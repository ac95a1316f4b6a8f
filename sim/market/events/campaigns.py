"""Campaigns open with an envelope from the treasury, and close when nothing of them can be pending.

Source: article.offers_made, article.offer_cap; MODEL step 1.
"""

from __future__ import annotations

import numpy as np

from sim.market.ledger import Ledger
from sim.market.state import Market
from sim.scenario.happenings import Campaign
from sim.system.arrays import Integers


def envelope_of(campaign: Campaign) -> int:
    """Money set aside, in cents: what is said, or researchers times cap."""
    return campaign.envelope if campaign.envelope is not None else campaign.researchers * campaign.package_cap


def open_campaign(market: Market, body: Campaign, runs: Integers) -> Integers:
    """A campaign opens: its envelope is set aside from the treasury."""
    lab, number = market.constants.lab(body.lab), _number(market, body)
    runs = market.able_to_pay(runs, lab, envelope_of(body))
    account = market.ledger.envelope(market.shape[1], number)
    cents = np.full(len(runs), envelope_of(body), np.int64)
    market.ledger.post(market.week, "envelope", runs, Ledger.treasury(lab), account, cents)
    market.campaign_week[runs, number] = market.week
    return runs


def close_campaigns(market: Market) -> None:
    """What is left of a campaign's envelope returns to the treasury once nothing of it is under way."""
    for number, event in enumerate(market.constants.campaigns):
        body, lab = event.body, market.constants.lab(event.body.lab)
        opened = market.campaign_week[:, number]
        over = (opened >= 0) & ~market.campaign_closed[:, number]
        over &= market.week >= opened + body.weeks
        over &= market.promised[:, market.shape[1] + number] == 0  # nobody decides, or is on the way to start
        over[_courted(market, number)] = False
        runs = np.flatnonzero(over)
        if not len(runs):
            continue
        account = market.ledger.envelope(market.shape[1], number)
        left = market.ledger.of(runs, account)
        market.ledger.post(market.week, "returned", runs, account, Ledger.treasury(lab), left)
        market.campaign_closed[runs, number] = True


def _courted(market: Market, number: int) -> Integers:
    """Runs in which a campaign has approached somebody to whom it has yet to write."""
    waiting = (batch for due in market.approaches.values() for batch in due)
    rows = [batch.row[batch.campaign == number] for batch in waiting]
    return market.run_of(np.concatenate([*rows, np.zeros(0, np.int64)]))


def _number(market: Market, body: Campaign) -> int:
    return [event.body.name for event in market.constants.campaigns].index(body.name)
