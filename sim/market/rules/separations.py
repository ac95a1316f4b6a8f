"""Step 9, separations: researchers leave the labs by hazards drawn in advance, or since their lab has fallen.

Competing risks: to found a start-up, for academia, out of the field; h_c = h_c0 e^(-b_c q), with
q the unit's working conditions, and a first year 3.1 times as risky for the acqui-hired (K3). Where a lab
has fallen among its rivals, the hazard is e^(b fall) times as large; the excess is drawn week by week.
The pure parts are `constants.exit_hazards` and `exits.first_crossing`. Source: MODEL step 9, T1.
"""

from __future__ import annotations

import numpy as np

from sim.market import appraisal, exits, spells
from sim.market.draws import Purpose, uniforms
from sim.market.state import Market
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.system.arrays import Floats, Integers


def leave(market: Market) -> None:
    """End the spells whose exit week has come."""
    people = market.researchers
    rows = np.flatnonzero(people.exit_week == market.week)
    rows = rows[people.place[rows] >= 0]
    rows = np.union1d(rows, _leaving_the_fallen(market))
    if len(rows):
        spells.leave_labs(market, rows, exits.exit_causes(market, rows))


def excess_hazard(fall: Floats, sensitivity: float, ignored: float) -> Floats:
    """e^(b fall) - 1: by how much more the hazard is, over itself; 0 for a fall that is ignored."""
    return np.where(fall > ignored, np.expm1(sensitivity * fall), 0.0)


def _leaving_the_fallen(market: Market) -> Integers:
    """People at labs that have fallen who leave this week by the excess of their hazard."""
    exits, people = market.scenario.market.exits, market.researchers
    if exits.standing == 0:
        return np.zeros(0, np.int64)
    excess = excess_hazard(appraisal.fall_of_standing(market), exits.standing, exits.fall_ignored)
    staff = np.flatnonzero((people.place >= 0) & ~people.leaving)
    more = excess[market.run_of(staff), people.place[staff]]
    staff, more = staff[more > 0], more[more > 0]
    yearly = market.constants.any_hazard[people.unit[staff]] * more
    u = uniforms(market.key_of(market.run_of(staff), Purpose.FALLEN, market.week), market.id_of(staff))
    return staff[u < -np.expm1(-yearly / WEEKS_PER_YEAR)]
