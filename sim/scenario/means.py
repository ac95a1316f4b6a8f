"""What labs pay at the start beside what they have: a lab without means fails, and is better told of before.

The payroll is that of the opening staff: base pay alone is due in cash, and hiring never outgrows a budget.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.scenario.errors import Issue
from sim.scenario.parameters import Talent
from sim.scenario.quantities import WEEKS_PER_YEAR, format_money, format_weeks
from sim.scenario.schema import Lab, Scenario

_POINTS = 400  # quantiles of talent over which pay is averaged


def mean_talents(talent: Talent) -> list[float]:
    """Talent of equally many people each, by the quantiles of the truncated Pareto with median 1."""
    low, high = 2.0 - talent.cap**-talent.tail_exponent, talent.cap**-talent.tail_exponent
    middles = ((i + 0.5) / _POINTS for i in range(_POINTS))
    return [(low - u * (low - high)) ** (-1.0 / talent.tail_exponent) for u in middles]


def opening_payroll(scenario: Scenario, lab: Lab) -> float:
    """Base pay of a lab's opening staff, as expected: cents a year."""
    talent = scenario.market.talent
    units = [(unit.share, unit.pay_factor) for unit in lab.units.values() if unit.share > 0] or [(1.0, 1.0)]
    whole = sum(share for share, _ in units)
    talents = mean_talents(talent)
    base = 0.0
    for share, factor in units:
        pay = (min(lab.median_pay * one, lab.star_pay) * factor for one in talents)
        base += share / whole * sum(min(one * talent.base_share, talent.base_cap) for one in pay) / _POINTS
    return lab.staff * base


def short_of_means(scenario: Scenario) -> Iterator[Issue]:
    """Labs whose opening payroll outlasts neither inflows nor what they have, before the horizon ends."""
    for name, lab in scenario.labs.items():
        payroll, by_plan = opening_payroll(scenario, lab), lab.talent_budget == "by_plan"
        talent = scenario.market.hiring.tightness * payroll if by_plan else lab.talent_inflow  # at least that
        inflow = round(lab.talent_factor * talent + lab.treasury.inflow)
        held = lab.talent_opening + lab.treasury.opening
        if payroll <= inflow or not lab.staff:
            continue
        weeks = int(held / (payroll - inflow) * WEEKS_PER_YEAR)
        if weeks >= scenario.horizon:
            continue
        money = "talent_factor" if by_plan else "talent_inflow"
        people = f"{lab.staff:,} at a median pay of {format_money(lab.median_pay)}"
        due = f"{format_money(round(payroll))} of it base pay due in cash"
        when = f"after about {format_weeks(weeks)}" if weeks else "at once"
        there = f"{format_money(held)} at the start" if held else "no treasury"
        yield Issue(
            f"labs.{name}.{money}",
            f"a payroll of {format_money(lab.staff * lab.median_pay)} a year ({people}), {due}, stands "
            f"against {format_money(inflow)} a year coming in and {there}: "
            f"the lab is likely to fail {when}",
            f"raise {money} or treasury, or lower staff or median_pay",
        )
