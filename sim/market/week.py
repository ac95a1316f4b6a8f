"""The week: the market's rules in order, a line each, no branches.

Read this page and you know the model; each rule's file says the rest.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.market import spells
from sim.market.money import reckoning
from sim.market.rules import (
    births,
    budget,
    choice,
    contact,
    contagion,
    counteroffers,
    entry,
    interest,
    liftouts,
    moves,
    pay_equity,
    payroll,
    pricing,
    refreshers,
    repeats,
    separations,
    shocks,
    shortlist,
    standing,
)
from sim.market.state import Market, Tally

Rule = Callable[[Market], None]
Watch = Callable[[Rule, Market], None]

RULES: tuple[Rule, ...] = (
    shocks.happen,  # releases, plans, deals, talks, campaigns, dismissals, strategies, caps
    payroll.pay,  # inflows in, base pay out; who cannot pay fails
    refreshers.grant,  # a year's refresher and rise, as far as free money goes
    budget.set_limits,  # what each lab and each campaign may commit
    contact.approach,  # labs find researchers, campaigns find a rival's best
    interest.respond,  # those whom the lab could win as things are known go to interviews
    shortlist.invite,  # of outsiders the best up to the vacancies; the process begins
    pricing.make_offers,  # optimal prices under the budget, every promise in escrow
    counteroffers.answer,  # incumbents answer the bids they hear of
    choice.decide,  # researchers stay or go
    repeats.renew,  # a campaign asks again whom it could not win
    moves.carry_out,  # spells end and begin, promises are kept or released
    contagion.spread,  # moves shake those who stay, leaders' moves most
    liftouts.invite,  # movers ask colleagues to follow
    pay_equity.react,  # colleagues paid less for the same talent are raised or slighted
    separations.leave,  # to found, to academia, out of the field
    births.open_labs,  # some founders open labs that hire
    entry.enter,  # graduates and those who come back
    spells.foresee,  # who has arrived somewhere: attachment, next exit, next approach
    standing.update,  # standing returns towards what talent and compute support
)


def advance(market: Market, watch: Watch = lambda rule, market: None) -> None:
    """Live through one week of every run; `watch` is shown the market after each rule."""
    market.tally = Tally.zero(*market.shape)  # nothing has happened yet
    for rule in RULES:
        with reckoning(f"week {market.week}: {rule.__module__.rpartition('.')[2]}"):
            rule(market)
        watch(rule, market)
    market.week += 1  # the clock
