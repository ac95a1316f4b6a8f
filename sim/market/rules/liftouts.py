"""Step 8, lift-outs: people who have moved ask colleagues at the old lab to follow.

Each of a mover's K ties who is still at the lab that she left is asked with probability m / K. Those asked
are approached by the new lab without interviews in the next week, priced from what remains of its budget, and
decide as anybody else; those who follow ask in turn, so a cascade lasts until nobody else accepts. With all
invitations accepted its size is Borel's (T11). Source: MODEL step 8; m is an assumption.
"""

from __future__ import annotations

import numpy as np

from sim.market import calendar
from sim.market.draws import Purpose, uniforms
from sim.market.state import Market
from sim.system.arrays import Booleans, Floats, Integers


def asked(tied_place: Integers, old_lab: Integers, u: Floats, invitations: Floats | float) -> Booleans:
    """Which ties are asked: those at the old lab, each with probability m / K.

    Args:
        tied_place: (n, K), where each tie is now.
        old_lab: (n,).
        invitations: m, the mean number asked by somebody all of whose ties are at the old lab; (n,) or one.
        u: (n, K), uniform.
    """
    ties = max(tied_place.shape[1], 1)
    chance = np.broadcast_to(invitations, old_lab.shape)[:, None] / ties
    return np.asarray((tied_place == old_lab[:, None]) & (u < chance))


def invite(market: Market) -> None:
    """Ask colleagues of this week's movers; they answer next week."""
    movers = market.started.where(market.started.origin >= 0)
    if not len(movers):
        return
    tied = market.tied_to(movers.row)
    run, ties = market.run_of(movers.row), tied.shape[1]
    slot = market.id_of(movers.row)[:, None] * max(ties, 1) + np.arange(ties)
    key = market.key_of(run, Purpose.INVITATION, market.week)
    place = market.researchers.place[tied].astype(np.int64)
    u = uniforms(key[:, None], slot)
    talent = market.researchers.talent[movers.row].astype(np.float64) / market.constants.mean_talent
    power = market.scenario.market.contagion.talent_power
    invitations = market.scenario.market.ties.invitations * talent**power
    chosen = asked(place, movers.origin, u, invitations)
    chosen &= ~market.researchers.leaving[tied]
    mover, column = np.nonzero(chosen)
    if len(mover):
        calendar.ask_to_follow(market, movers, mover, tied[mover, column])
