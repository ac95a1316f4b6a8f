"""What the plain market computes for one person or one lab at a time, in Python's own floats."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from sim.scenario.parameters import Entry, MarketParameters, Talent
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.scenario.schema import Lab

LN_MOST = 700.0  # e to this power is still a float
DUST = 1e-9  # years by which a float may miss a whole month, as after 487 weeks: what vests then is not ahead


def whole_months(weeks: float) -> int:
    return math.floor(weeks * 12 / WEEKS_PER_YEAR + 1e-9)


def vested(months: int, length: int, cliff: int) -> float:
    """Share of a grant that has vested after some whole months."""
    return 0.0 if months < cliff else min(months, length) / length


@cache
def grant_kernel(rate: float, length: int, cliff: int) -> float:
    """Present value of a dollar granted today that vests monthly; `rate` is discount and hazard."""
    return sum(math.exp(-rate * max(month, cliff) / 12) for month in range(1, length + 1)) / length


@cache
def held_kernel(
    weeks: int, rate: float, length: int, cliff: int, refresh: float, withheld: tuple[int, ...] = ()
) -> float:
    """Present value of the vests to come, a dollar of opening grant, refresh grants made so far included.

    Refreshers of the years `withheld` were not made.
    """
    years, total = weeks / WEEKS_PER_YEAR, 0.0
    for granted in range(int(years) + 1):
        age = years - granted
        if age * 12 >= length or granted in withheld:
            continue
        months = [max(month, cliff if granted == 0 else 0) for month in range(1, length + 1)]
        worth = sum(math.exp(-rate * (m / 12 - age)) for m in months if m / 12 > age + DUST) / length
        total += worth if granted == 0 else refresh * worth
    return total


def vests_of_a_year(month: float, length: int, cliff: int, refresh: float) -> float:
    """What the next 12 months vest of the opening grant and the refreshers so far, a dollar of the former.

    Vesting is at an even rate here, from the cliff on, so that only the cliff is a step.
    """

    def part(age: float, wait: int) -> float:
        return 0.0 if age < wait else min(age / length, 1.0)

    total = part(month + 12, cliff) - part(month, cliff)
    for year in range(1, int(month / 12) + 1):
        age = month - 12 * year
        total += refresh * (part(age + 12, 0) - part(age, 0))
    return total


@cache
def eagerness_to_leave(weeks: int, length: int, cliff: int, refresh: float, forfeiture: float) -> float:
    """Factor on the hazard after some weeks of tenure: who would lose more than usual leaves less."""
    usual = vests_of_a_year(length / 2, length, cliff, refresh)
    ahead = vests_of_a_year(weeks * 12 / WEEKS_PER_YEAR, length, cliff, refresh)
    return math.exp(-forfeiture * (ahead / usual - 1))


def best_price(value: float, base: float, kappa: float, reservation: float, slope: float) -> float:
    """The yearly cost above base that maximises (value - cost) times the chance of acceptance."""
    shift = base * (1 - kappa) / kappa
    target = slope * max(value + shift, 0.0)
    if target == 0.0:
        return base
    ln_rho = math.log(reservation / kappa)
    y = min(target / (1 + slope), math.exp((math.log(target) + slope * ln_rho) / (1 + slope)))
    for _ in range(30):
        ratio = math.exp(min(slope * (math.log(y) - ln_rho), LN_MOST))
        change = (y * (1 + slope + ratio) - target) / ((1 + slope) * (1 + ratio))
        y -= change
        if abs(change) < 1e-9 * y:
            break
    return max(y - shift, base)


def chance_at(pay: float, reservation: float, slope: float) -> float:
    """The logit chance that a pay is accepted by somebody who is indifferent at her reservation."""
    return 1 / (1 + math.exp(min(slope * math.log(reservation / pay), LN_MOST)))


@cache
def talents(rule: Talent) -> tuple[float, ...]:
    """Talent at 4,000 even ranks: Pareto of median 1, cut at the cap."""
    end = rule.cap**-rule.tail_exponent
    begin = 2 - end  # so that half of the people are above 1
    ranks = [(i + 0.5) / 4000 for i in range(4000)]
    return tuple((end + rank * (begin - end)) ** (-1 / rule.tail_exponent) for rank in ranks)


def scale_of(
    talent: float, median: float, star: float, rule: Talent, grown: float = 1.0
) -> tuple[float, float]:
    """Base a year, and the rest of the pay a year, that a lab's scale has for a talent; USD."""
    pay = min(median * talent, star) * grown
    base = min(pay * rule.base_share, rule.base_cap / 100 * grown)
    return base, pay - base


def money_by_plan(lab: Lab, plan: list[float], rules: MarketParameters) -> list[float]:
    """What hiring to plan at scale costs each week, USD a year before pay grows: staff and new hires."""
    everyone = talents(rules.talent)
    paid = [scale_of(t, lab.median_pay / 100, lab.star_pay / 100, rules.talent) for t in everyone]
    base = sum(b for b, _ in paid) / len(paid)
    package = sum(rest for _, rest in paid) / len(paid) * rules.equity.horizon
    money = []
    for week, heads in enumerate(plan):
        before, after = max(week - 1, 0), min(week + 1, len(plan) - 1)
        growth = (plan[after] - plan[before]) / max(after - before, 1) * WEEKS_PER_YEAR
        hires = max(growth + lab.opening_hazard * heads, 0.0)
        staff = heads * (base + rules.equity.refresh_share * package)
        money.append(rules.hiring.tightness * (staff + hires * package))
    return money


@dataclass
class PlainPool:
    """Where somebody outside the labs is."""

    pay: float  # USD a year at talent 1
    power: float
    cap: float
    bond: float
    takes: tuple[str, ...]

    def pay_of(self, talent: float) -> float:
        return min(self.pay * talent**self.power, self.cap)


def pools_of(entry: Entry) -> list[PlainPool]:
    """The pools, or one in which all are paid the same."""
    pools = [
        PlainPool(
            p.pay / 100, p.talent_power, math.inf if p.cap is None else p.cap / 100, p.bond, tuple(p.takes)
        )
        for p in entry.pools.values()
    ]
    return pools or [PlainPool(entry.outside_pay / 100, 0.0, math.inf, 0.0, ())]


@dataclass(eq=False)
class Unit:
    culture: float
    mission: tuple[float, float, float]
    share: float
    hazards: tuple[float, float, float]  # to found, to academia, out of the field; 1/year
    pay: float  # over the lab's


def units_of(lab: Lab, rules: MarketParameters) -> list[Unit]:
    """The lab's units, or the lab itself as one."""
    exits = rules.exits
    base = (exits.found, exits.academia, exits.field)
    slope = (exits.found_sensitivity, exits.academia_sensitivity, exits.field_sensitivity)
    units = []
    for unit in lab.units.values() or [None]:
        culture, conditions, mission, share, pay = lab.culture, lab.working_conditions, lab.mission, 1.0, 1.0
        if unit is not None:
            culture = culture if unit.culture is None else unit.culture
            conditions = conditions if unit.working_conditions is None else unit.working_conditions
            mission, share, pay = unit.mission or mission, unit.share, unit.pay_factor
        found, academia, field = (h * math.exp(-s * conditions) for h, s in zip(base, slope, strict=True))
        axes = (mission.openness, mission.safety, mission.product)
        units.append(Unit(culture, axes, share, (found, academia, field), pay))
    return units
