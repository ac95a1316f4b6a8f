"""Step 11, standing: ln standing returns to its long-run level, with noise.

ln M' = rho ln M + (1 - rho) target + noise, with rho = 0.9 a month; the target moves with the
talent that a lab has lost or gained and with its compute. Surprises are added by releases (step 1).
Leadership lost by a unit recovers at a constant rate. Source: MODEL step 11; sizes are assumptions.
"""

from __future__ import annotations

import numpy as np

from sim.market.draws import Purpose, normals
from sim.market.spells import TALENT_UNIT
from sim.market.state import Market
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.system.arrays import Floats


def next_ln_standing(ln_standing: Floats, target: Floats, persistence: float, sd: float, z: Floats) -> Floats:
    """One week of an AR(1): `persistence` is a month's, `sd` the long-run standard deviation."""
    weekly = persistence ** (12 / WEEKS_PER_YEAR)
    return np.asarray(weekly * ln_standing + (1 - weekly) * target + sd * np.sqrt(1 - weekly**2) * z)


def update(market: Market) -> None:
    """Move every lab's standing on by a week."""
    labs, standing = market.labs, market.scenario.market.standing
    mean = labs.talent_sum / np.maximum(labs.headcount, 1) / TALENT_UNIT
    change = np.log(np.where(labs.headcount > 0, mean, labs.opening_talent) / labs.opening_talent)
    target = market.constants.base_ln_standing + standing.talent_weight * change
    lab = np.arange(market.shape[1])
    z = normals(market.keys_for(Purpose.STANDING, market.week)[:, None], lab[None, :])
    labs.ln_standing[:] = next_ln_standing(labs.ln_standing, target, standing.persistence, standing.noise, z)
    labs.leadership *= np.exp(-standing.leadership_recovery / WEEKS_PER_YEAR)
