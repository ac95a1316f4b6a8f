"""Step 10, pay equity: who sees a colleague hired at better pay for the same talent reacts.

Peers are the newcomer's ties at the lab. A peer whose pay per talent is below theta of the newcomer's is
raised to theta with probability pi_theta, by a retention package, if the lab has the cash; else she feels
slighted: psi ln(own / newcomer's pay per talent) joins her terms of staying until she is raised or moves.
Only the underpaid react. Source: Dube, Giuliano and Leonard (L8); MODEL step 10. USD a year.
"""

from __future__ import annotations

import numpy as np

from sim.market import appraisal, grants, segments, spells
from sim.market.draws import Purpose, uniforms
from sim.market.state import Market
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.system.arrays import Floats


def pay_ratio(own_pay: Floats, own_talent: Floats, new_pay: Floats, new_talent: Floats) -> Floats:
    """Own pay over the newcomer's, each per talent."""
    return np.asarray(own_pay / own_talent * new_talent / new_pay)


def raise_due(own_pay: Floats, ratio: Floats, threshold: float) -> Floats:
    """Pay a year that lifts an underpaid peer to theta of the newcomer's; 0 for the others.

    Who was raised to theta is not underpaid by a rounded cent: a millionth of theta is let pass.
    """
    return np.asarray(np.where(ratio < threshold * (1 - 1e-6), own_pay * (threshold / ratio - 1), 0.0))


def react(market: Market) -> None:
    """Raise or slight the underpaid colleagues of this week's newcomers."""
    started, people, equity = market.started, market.researchers, market.scenario.market.pay_equity
    if not len(started):
        return
    tied = market.tied_to(started.row)
    here = (people.place.take(tied) == started.lab[:, None]) & (tied != started.row[:, None])
    here &= ~people.leaving.take(tied)
    newcomer, column = np.nonzero(here)
    if not len(newcomer):
        return
    peers, first = np.unique(tied[newcomer, column], return_index=True)
    newcomer = newcomer[first]
    horizon = market.scenario.market.equity.horizon
    new_pay = started.weekly_base * WEEKS_PER_YEAR / 100 + started.package / 100 / horizon
    own_pay = appraisal.present_cost(market, peers)
    talent, theirs = people.talent[peers], people.talent[started.row[newcomer]]
    ratio = pay_ratio(own_pay, talent.astype(np.float64), new_pay[newcomer], theirs.astype(np.float64))
    u = uniforms(market.key_of(market.run_of(peers), Purpose.RAISE, market.week), market.id_of(peers))
    gap = raise_due(own_pay, ratio, equity.threshold)
    room = market.salary_cap[market.run_of(peers)] - own_pay
    raised = (gap > 0) & (gap <= room) & (u < equity.raise_probability)
    lab = people.place[peers].astype(np.int64)
    package = appraisal.package_cents(market, np.where(raised, gap * horizon, 0.0), lab)
    cash, face = appraisal.split_package(package, market.scenario.market.equity.sign_on_share)
    cost = grants.charge(market, cash, face)
    paid = spells.cash_covers(market, peers, cost)
    short = raised & ~paid
    segments.add(market.tally.withheld, (market.run_of(peers[short]), lab[short]), cost[short])
    raised &= paid
    slighted = (gap > 0) & ~raised
    people.slight[peers[slighted]] = np.log(ratio[slighted])
    spells.retain(market, peers[raised], package[raised])
