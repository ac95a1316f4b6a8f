"""Exits by hazard: the week in which each person's place loses her, drawn once and in advance.

Hazards are constant within a spell but for the first year of the acqui-hired, so the week of leaving is
drawn when a spell begins, and nobody looks at those to whom nothing happens: the weekly probability that
this gives is exactly 1 - e^(-rate / weeks a year). Where hazards answer to forfeiture, a clock of cumulative
hazard by tenure (`constants.exit_clock`) takes the place of time. Source: MODEL step 9; T1, T16. Weeks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sim.market.draws import Purpose, exponentials, uniforms
from sim.market.entities import spell_of
from sim.market.state import ACADEMIA, FIELD, FOUND, FOUNDER, FROM_ACQUIHIRE, LEFT_FIELD, NEVER, Market
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.system.arrays import Floats, Integers

FIRMEST = 1e-12  # factor on the hazard of who holds so much that she stays: as good as none, and it divides

Rates = npt.NDArray[np.floating]


def first_crossing(threshold: Floats, early: Rates, late: Rates, years: Floats) -> Floats:
    """Time at which a hazard `early` for `years`, then `late`, adds up to `threshold`; in years.

    All hazards in 1/year; infinite where the hazard stays 0.
    """
    never = np.full(len(threshold), np.inf)
    with np.errstate(over="ignore"):  # nearly 0 is never too
        in_early = np.divide(threshold, early, out=never.copy(), where=early > 0)
        after = np.divide(threshold - early * years, late, out=never, where=late > 0) + years
    return np.asarray(np.where(in_early <= years, in_early, after))


def whole_weeks(years: Floats) -> Integers:
    """Weeks that pass in full before a time in years, at most `NEVER`."""
    return np.minimum(np.floor(years * WEEKS_PER_YEAR), float(NEVER)).astype(np.int64)


def schedule_exit(market: Market, rows: Integers, now: int) -> None:
    """Draw the week in which each person's present place loses her by hazard, from week `now` on."""
    people = market.researchers
    place, run = people.place[rows].astype(np.int64), market.run_of(rows)
    key = spell_of(market, rows)
    threshold = exponentials(market.key_of(run, Purpose.EXIT_TIME), key)
    at_lab = place >= 0
    hazard = market.constants.any_hazard[people.unit[rows]]
    back = market.scenario.market.entry.return_rate
    away = (place == FOUNDER) | (place == LEFT_FIELD)
    hazard = np.where(at_lab, hazard, np.where(away, back, 0.0))
    acquired = at_lab & (people.origin[rows] == FROM_ACQUIHIRE)
    early = np.where(acquired, hazard * market.scenario.market.exits.acquired_ratio, hazard)
    wait = whole_weeks(first_crossing(threshold, early, hazard, np.where(acquired, 1.0, 0.0)))
    if market.scenario.market.exits.forfeiture > 0:
        staff = np.flatnonzero(at_lab & (hazard > 0))
        ratio = np.where(acquired, market.scenario.market.exits.acquired_ratio, 1.0)
        exposure = threshold / np.where(hazard > 0, hazard, 1.0) * WEEKS_PER_YEAR
        wait[staff] = wait_by_clock(
            market, rows[staff], now, exposure[staff], ratio[staff], np.full(len(staff), 52)
        )
    people.exit_week[rows] = np.minimum(now + wait, NEVER)


def wait_by_clock(
    market: Market, rows: Integers, now: int, exposure: Floats, ratio: Floats, weeks: Integers
) -> Integers:
    """Whole weeks from `now` until a hazard that answers to forfeiture has added up to an exposure.

    Args:
        market: the market.
        rows: people at labs, (n,).
        now: week from which the hazard counts.
        exposure: (n,), weeks of the constant hazard that are lived through before the exit.
        ratio: (n,), factor on the hazard for the first `weeks`.
        weeks: (n,), from now on.
    """
    people, constants = market.researchers, market.constants
    terms = constants.kernel_terms[people.place[rows].astype(np.int64)]
    tenure = np.maximum(now - people.start_week[rows].astype(np.int64), 0)
    wait = np.full(len(rows), int(NEVER), np.int64)
    for kind in np.unique(terms):
        mine = np.flatnonzero(terms == kind)
        clock, begun = constants.exit_clock[kind], tenure[mine]
        last = len(clock) - 1
        people.exit_ratio[rows[mine]], people.exit_ratio_until[rows[mine]] = ratio[mine], begun + weeks[mine]
        first, later = clock[np.minimum(begun, last)], clock[np.minimum(begun + weeks[mine], last)]
        early = ratio[mine] * (later - first)
        goal = np.where(
            exposure[mine] <= early, first + exposure[mine] / ratio[mine], later + exposure[mine] - early
        )
        reached = np.searchsorted(clock, goal, side="right") - 1
        wait[mine] = np.where(goal >= clock[-1], int(NEVER), reached - begun)
    return wait


def rescale_exit(market: Market, rows: Integers, unit: int) -> None:
    """Move the exits drawn in advance to those of another unit: the hazard still to come is the same."""
    people, hazard = market.researchers, market.constants.any_hazard
    if market.scenario.market.exits.forfeiture > 0:
        _rescale_by_clock(market, rows, hazard[unit])
        return
    remaining = people.exit_week[rows].astype(np.float64) - market.week
    before, after = hazard[people.unit[rows]], hazard[unit]
    scaled = remaining * before / after if after > 0 else np.full(len(rows), np.inf)
    planned = people.exit_week[rows] < NEVER
    week = np.where(planned, np.minimum(market.week + np.floor(scaled), float(NEVER)), float(NEVER))
    people.exit_week[rows] = week.astype(np.int16)


def exposure_ahead(market: Market, rows: Integers) -> Floats:
    """Weeks of the constant hazard that people at labs will live through before the exit drawn for them."""
    people, clock = market.researchers, market.constants.exit_clock
    terms = market.constants.kernel_terms[people.place[rows].astype(np.int64)]
    start, last = people.start_week[rows].astype(np.int64), clock.shape[1] - 1
    now = np.minimum(market.tenure_weeks(rows), last)
    end = np.clip(people.exit_week[rows].astype(np.int64) - start, now, last)
    turn = np.clip(people.exit_ratio_until[rows].astype(np.int64), now, end)
    early = clock[terms, turn] - clock[terms, now]
    return np.asarray(people.exit_ratio[rows] * early + clock[terms, end] - clock[terms, turn])


def hold_by_vests(market: Market, rows: Integers, shares: Integers) -> None:
    """Retention packages lower the hazard for as long as they vest at their full rate.

    x rises by what the shares vest a year, over the normal vests of her opening grant: the hazard is
    e^(-beta more) times as large until the last year of the package; of the acqui-hired in their first year,
    until its end.
    """
    people, constants, beta = market.researchers, market.constants, market.scenario.market.exits.forfeiture
    some = (people.exit_week[rows] < NEVER) & (people.grant[rows] > 0)
    rows, shares = rows[some], shares[some]
    if beta == 0 or not len(rows):
        return
    lab, tenure = people.place[rows].astype(np.int64), market.tenure_weeks(rows)
    length = constants.vesting_years[lab]
    more = shares / length / (constants.normal_vests[constants.kernel_terms[lab]] * people.grant[rows])
    exposure = exposure_ahead(market, rows)
    bound = (tenure < people.exit_ratio_until[rows]) & (people.exit_ratio[rows] != 1)
    ratio = np.exp(-beta * more) * np.where(bound, people.exit_ratio[rows], 1.0)
    ratio = np.maximum(ratio, FIRMEST)
    full = np.rint(np.maximum(length - 1, 0) * WEEKS_PER_YEAR).astype(np.int64)
    weeks = np.where(bound, people.exit_ratio_until[rows] - tenure, full)
    wait = wait_by_clock(market, rows, market.week, exposure, ratio, weeks)
    people.exit_week[rows] = np.minimum(market.week + wait, NEVER)


def _rescale_by_clock(market: Market, rows: Integers, after: float) -> None:
    """The same for a hazard that answers to forfeiture."""
    people = market.researchers
    rows = rows[people.exit_week[rows] < NEVER]
    before = market.constants.any_hazard[people.unit[rows]]
    if after <= 0:
        people.exit_week[rows] = NEVER
        return
    exposure = exposure_ahead(market, rows) * before / after
    weeks = np.maximum(people.exit_ratio_until[rows] - market.tenure_weeks(rows), 0)
    wait = wait_by_clock(
        market, rows, market.week, exposure, people.exit_ratio[rows].astype(np.float64), weeks
    )
    people.exit_week[rows] = np.minimum(market.week + wait, NEVER)


def unsettle(market: Market, rows: Integers) -> None:
    """Those left behind by an acqui-hire are as likely to leave in the year after it as those bought.

    The further hazard is a clock of its own beside the one that runs: the earlier of the two counts.
    """
    people, ratio = market.researchers, market.scenario.market.exits.left_behind_ratio
    hazard = market.constants.any_hazard[people.unit[rows]] * (ratio - 1)
    key = spell_of(market, rows)
    threshold = exponentials(market.key_of(market.run_of(rows), Purpose.UNSETTLED, market.week), key)
    years = first_crossing(threshold, hazard, np.zeros(len(rows)), np.ones(len(rows)))
    week = np.minimum(market.week + 1 + whole_weeks(years), NEVER)
    people.exit_week[rows] = np.minimum(people.exit_week[rows], week)


def exit_causes(market: Market, rows: Integers) -> Integers:
    """Cause of each exit by hazard, in proportion to the hazards of its unit."""
    constants = market.constants
    share = np.cumsum(constants.unit_hazards, axis=1) / np.maximum(constants.any_hazard[:, None], 1e-300)
    share = share[market.researchers.unit[rows]]
    key = spell_of(market, rows)
    u = uniforms(market.key_of(market.run_of(rows), Purpose.EXIT_CAUSE), key)
    return np.asarray(np.array([FOUND, ACADEMIA, FIELD])[np.minimum((u[:, None] >= share).sum(axis=1), 2)])
