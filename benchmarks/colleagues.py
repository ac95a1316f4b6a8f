"""What moves do to those who stay, or who are there already, in the plain market.

Each function takes the market and this week's moves, as (mover, bid, old place, old unit).
"""

from __future__ import annotations

import math
from typing import Any

from benchmarks.agents import PlainResearcher
from benchmarks.bids import Bid
from benchmarks.formulas import Unit, talents
from benchmarks.labs import PlainLab

type Move = tuple[PlainResearcher, Bid, PlainLab | str, Unit | None]


def shake(market: Any, moves: list[Move]) -> None:
    """A mover's ties at the old lab lose some attachment."""
    rule = market.rules.contagion
    for mover, _, old, _ in moves:
        size = rule.shake * prominence(market, mover)
        for friend in mover.friends_at(old):
            friend.be_shaken(size)


def lead(market: Any, moves: list[Move]) -> None:
    """Leaders shake a team at the old lab, and ask the first of it to follow."""
    rule = market.rules.contagion
    for mover, bid, old, unit in moves:
        team = [person for person in old.staff if not person.leaving]
        best = max((person.talent for person in team if person.unit is unit), default=0.0)
        if not rule.leader_reach or not (mover.talent >= rule.leader_talent or mover.talent > best):
            continue
        market.random.shuffle(team)
        for person in team[: rule.leader_reach]:
            person.be_shaken(rule.leader_shake)
        for person in team[: rule.leader_invites]:
            bid.lab.approach(person, bid.unit, invited=True)


def lift_out(market: Any, moves: list[Move]) -> None:
    """Ties at the old lab are asked to follow; those who would go to the new one hear from it next week."""
    for mover, bid, old, _ in moves:
        invitations = market.rules.ties.invitations * prominence(market, mover)
        for friend in mover.friends_at(old):
            if not friend.leaving and market.random.random() < invitations / len(mover.ties):
                bid.lab.approach(friend, bid.unit, invited=True)


def prominence(market: Any, mover: PlainResearcher) -> float:
    """How much more a mover of such talent matters to colleagues than an average one."""
    everyone = talents(market.rules.talent)
    mean = sum(everyone) / len(everyone)
    return float((mover.talent / mean) ** market.rules.contagion.talent_power)


def compare_pay(market: Any, moves: list[Move]) -> None:
    """Ties at the new lab who are paid less for the same talent are raised, or feel slighted."""
    rules, seen = market.rules.pay_equity, set()
    for lab in market.labs:
        lab.open_purse()
    raised = []
    for newcomer, bid, _, _ in moves:
        new = bid.cost / newcomer.talent
        for peer in newcomer.friends_at(bid.lab):
            if peer.leaving or peer in seen:
                continue
            seen.add(peer)
            own = peer.present_cost()
            ratio = own / peer.talent / new
            if ratio >= rules.threshold * (1 - 1e-6):
                continue
            package = own * (rules.threshold / ratio - 1) * market.horizon
            would = market.random.random() < rules.raise_probability
            if would and bid.lab.affords(package * market.charged_share):
                raised.append((peer, package))
                continue
            peer.slight = math.log(ratio)
            bid.lab.tally["withheld"] += would * package * market.charged_share
    for peer, package in raised:
        peer.retain(package)
