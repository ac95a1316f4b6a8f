"""What the plain market computes for one person or one lab at a time, in Python's own floats."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from sim.scenario.parameters import MarketParameters
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.scenario.schema import Lab

DUST = 1e-9  # years by which a float may miss a whole month, as after 487 weeks: what vests then is not ahead


@cache
def grant_kernel(rate: float, length: int, cliff: int) -> float:
    """Present value of a dollar granted today that vests monthly; `rate` is discount and hazard."""
    return sum(math.exp(-rate * max(month, cliff) / 12) for month in range(1, length + 1)) / length


@cache
def held_kernel(weeks: int, rate: float, length: int, cliff: int, refresh: float) -> float:
    """Present value of the vests to come, a dollar of opening grant, refresh grants made so far included."""
    years, total = weeks / WEEKS_PER_YEAR, 0.0
    for granted in range(int(years) + 1):
        age = years - granted
        if age * 12 >= length:
            continue
        months = [max(month, cliff if granted == 0 else 0) for month in range(1, length + 1)]
        worth = sum(math.exp(-rate * (m / 12 - age)) for m in months if m / 12 > age + DUST) / length
        total += worth if granted == 0 else refresh * worth
    return total


def best_price(value: float, base: float, kappa: float, reservation: float, slope: float) -> float:
    """The yearly cost above base that maximises (value - cost) times the chance of acceptance."""
    shift = base * (1 - kappa) / kappa
    target = slope * max(value + shift, 0.0)
    if target == 0.0:
        return base
    rho = reservation / kappa
    y = min(target / (1 + slope), (target * rho**slope) ** (1 / (1 + slope)))
    for _ in range(30):
        ratio = (y / rho) ** slope
        change = (y * (1 + slope + ratio) - target) / ((1 + slope) * (1 + ratio))
        y -= change
        if abs(change) < 1e-9 * y:
            break
    return max(y - shift, base)


@dataclass
class Unit:
    culture: float
    mission: tuple[float, float, float]
    share: float
    hazards: tuple[float, float, float]  # to found, to academia, out of the field; 1/year


def units_of(lab: Lab, rules: MarketParameters) -> list[Unit]:
    """The lab's units, or the lab itself as one."""
    exits = rules.exits
    base = (exits.found, exits.academia, exits.field)
    slope = (exits.found_sensitivity, exits.academia_sensitivity, exits.field_sensitivity)
    units = []
    for unit in lab.units.values() or [None]:
        culture, conditions, mission, share = lab.culture, lab.working_conditions, lab.mission, 1.0
        if unit is not None:
            culture = culture if unit.culture is None else unit.culture
            conditions = conditions if unit.working_conditions is None else unit.working_conditions
            mission, share = unit.mission or mission, unit.share
        hazards = tuple(h * math.exp(-s * conditions) for h, s in zip(base, slope, strict=True))
        units.append(Unit(culture, (mission.openness, mission.safety, mission.product), share, hazards))
    return units
