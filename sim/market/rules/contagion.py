"""Step 8, contagion: moves shake those who stay; leaders shake a team, and ask some of it to follow.

A mover's ties at the old lab lose `shake` (talent / mean)^p utils of attachment, which fade with time.
Leaders, people of great talent or the best of their unit, also shake colleagues at the old lab, and ask some
of them to follow. A shake without invitations does little, since approaches are rare. Source: founders'
exits start chains in acquired firms (Kim); sizes are assumptions. Unit of time: the week; utils.
"""

from __future__ import annotations

import numpy as np

from sim.market import appraisal, calendar, segments
from sim.market.draws import Purpose, uniforms
from sim.market.entities import colleague_of
from sim.market.offers import Offers
from sim.market.state import Market
from sim.system.arrays import Booleans, Floats, Integers

MOST = 3.0  # utils: however many leave, nobody is shaken more


def shake_of(talent: Floats, mean: float, shake: float, power: float) -> Floats:
    """Attachment that each tie of a mover loses: shake (talent / mean)^power."""
    return np.asarray(shake * (talent / mean) ** power)


def added_up(left: Floats, more: Floats) -> Floats:
    """What somebody shaken twice has lost, at most `MOST`."""
    return np.minimum(left + more, MOST)


def spread(market: Market) -> None:
    """Shake the ties and teams of this week's movers, and let leaders ask."""
    contagion = market.scenario.market.contagion
    movers = market.started.where(market.started.origin >= 0)
    if not len(movers) or (contagion.shake == 0 and contagion.leader_reach == 0):
        return
    people = market.researchers
    tied = market.tied_to(movers.row)
    here = (people.place[tied] == movers.origin[:, None]) & (tied != movers.row[:, None])
    talent = people.talent[movers.row].astype(np.float64)
    size = shake_of(talent, market.constants.mean_talent, contagion.shake, contagion.talent_power)
    _shake(market, tied[here], np.broadcast_to(size[:, None], here.shape)[here])
    if contagion.leader_reach > 0:
        _lead(market, movers, talent)


def _shake(market: Market, rows: Integers, size: Floats) -> None:
    """Each row loses its size, or their sum where she knows several movers."""
    people = market.researchers
    more = np.bincount(np.unique(rows, return_inverse=True)[1], weights=size)
    rows = np.unique(rows)
    people.shake[rows] = added_up(appraisal.shaken(market, rows), more)
    people.shake_week[rows] = market.week


def _lead(market: Market, movers: Offers, talent: Floats) -> None:
    """Leaders shake colleagues at the old lab, and ask the first of them to follow."""
    contagion, people = market.scenario.market.contagion, market.researchers
    leader, row = _teams(market, movers)
    if not len(leader):
        return
    in_her_unit = people.unit[row] == movers.origin_unit[leader]
    best = np.maximum.reduceat(
        np.where(in_her_unit, people.talent[row], 0.0), np.flatnonzero(segments.starts(leader))
    )
    leads = talent >= contagion.leader_talent
    leads[np.unique(leader)] |= talent[np.unique(leader)] > best
    led = leads[leader]
    leader, row = leader[led], row[led]
    entity = colleague_of(market, row, movers.row[leader])
    u = uniforms(market.key_of(market.run_of(row), Purpose.TEAM_OF_LEADER, market.week), entity)

    def first(count: int) -> Booleans:
        return segments.best_up_to(leader, -u, market.id_of(row), np.full(len(row), count))

    near, asked = first(contagion.leader_reach), first(contagion.leader_invites)
    if near.any():
        _shake(market, row[near], np.full(int(near.sum()), contagion.leader_shake))
    calendar.ask_to_follow(market, movers, leader[asked], row[asked])


def _teams(market: Market, movers: Offers) -> tuple[Integers, Integers]:
    """Everybody who stays at each mover's old lab: number of the mover, and row; by mover."""
    people, labs = market.researchers, market.shape[1]
    cell = market.run_of(movers.row) * labs + movers.origin
    meant = np.zeros(len(market.runs) * labs, np.bool_)
    meant[cell] = True
    staff = np.flatnonzero((people.place >= 0) & ~people.leaving)
    theirs = market.run_of(staff) * labs + people.place[staff]
    staff, theirs = staff[meant[theirs]], theirs[meant[theirs]]
    order = np.argsort(theirs, kind="stable")
    staff, theirs = staff[order], theirs[order]
    begin, end = np.searchsorted(theirs, cell, side="left"), np.searchsorted(theirs, cell, side="right")
    leader = np.repeat(np.arange(len(cell)), end - begin)
    place = np.arange(len(leader)) - np.repeat(np.cumsum(end - begin) - (end - begin), end - begin)
    return leader, staff[begin[leader] + place]
