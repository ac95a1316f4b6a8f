"""The week: the market's rules in order, a line each, no branches.

Read this page and you know the model; each rule's file says the rest.
"""

from __future__ import annotations

from sim import spells
from sim.market import (
    budget,
    choice,
    contact,
    counteroffers,
    entry,
    liftouts,
    moves,
    pay_equity,
    payroll,
    pricing,
    separations,
    shocks,
    standing,
)
from sim.state import Market, Tally


def advance(market: Market) -> None:
    """Live through one week of every run."""
    market.tally = Tally.zero(*market.shape)  # nothing has happened yet
    shocks.happen(market)  # releases, plans, deals, campaigns, dismissals, freezes, budgets
    payroll.pay(market)  # inflows in, base pay out; who cannot pay fails
    budget.set_limits(market)  # what each lab and each campaign may commit
    contact.approach(market)  # labs find researchers, campaigns find a rival's best
    pricing.make_offers(market)  # optimal prices under the budget, every promise in escrow
    counteroffers.answer(market)  # incumbents answer the bids they hear of
    choice.decide(market)  # researchers stay or go
    moves.carry_out(market)  # spells end and begin, promises are kept or released
    liftouts.invite(market)  # movers ask colleagues to follow
    pay_equity.react(market)  # colleagues paid less for the same talent are raised or slighted
    separations.leave(market)  # to found, to academia, out of the field
    entry.enter(market)  # graduates and those who come back
    spells.foresee(market)  # who has arrived somewhere: attachment, next exit, next approach
    standing.update(market)  # standing returns towards what talent and compute support
    market.week += 1  # the clock
