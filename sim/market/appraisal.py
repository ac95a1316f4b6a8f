"""The formulas of `worth.py` applied to the market's columns: what rules need to know of a person.

Reads the state and draws; never writes.
"""

from __future__ import annotations

import numpy as np

from sim.market import segments, worth
from sim.market.constants import best_rival
from sim.market.draws import Purpose, gumbels, normals, uniforms
from sim.market.entities import option_of
from sim.market.money import MOST_FOR_ONE, whole
from sim.market.offers import Approaches
from sim.market.state import OUTSIDE, Market
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.system.arrays import Floats, Integers


def whole_years(market: Market, rows: Integers) -> Integers:
    """Whole years of tenure."""
    return np.asarray((market.tenure_weeks(rows) / WEEKS_PER_YEAR).astype(np.int64))


def stay_pay(market: Market, rows: Integers, extra: Floats | float = 0.0) -> Floats:
    """Y of staying, USD a year: base and the vests to come at today's valuation, as in MODEL step 7.

    `extra` adds what a retention package under offer is worth a year.
    """
    people, constants = market.researchers, market.constants
    place = people.place[rows].astype(np.int64)
    lab = np.maximum(place, 0)
    base = people.weekly_base[rows] * WEEKS_PER_YEAR / 100
    held = constants.held_kernel[constants.kernel_terms[lab], market.tenure_weeks(rows)]
    since = np.clip(market.week - people.retention_week[rows].astype(np.int64), 0, None)
    kept = constants.retention_kernel[constants.kernel_terms[lab], since]
    price = segments.at(market.labs.valuation, market.run_of(rows), lab) / 100
    held = held - _not_refreshed(market, rows, lab)
    vests = (people.grant[rows] * held + people.retention[rows] * kept) * price
    horizon = market.scenario.market.equity.horizon
    return np.asarray(base + constants.equity_value[lab] * np.where(place >= 0, vests, 0.0) / horizon + extra)


def _not_refreshed(market: Market, rows: Integers, lab: Integers) -> Floats:
    """Vests to come of the refreshers that were not granted, per dollar of opening grant."""
    missing = market.researchers.not_refreshed[rows]
    lost = np.zeros(len(rows))
    if not missing.any():
        return lost
    constants, refresh = market.constants, market.scenario.market.equity.refresh_share
    for year in range(1, 16):
        theirs = np.flatnonzero(missing >> year & 1)
        since = market.tenure_weeks(rows[theirs]) - round(year * WEEKS_PER_YEAR)
        terms = constants.kernel_terms[lab[theirs]]
        lost[theirs] += refresh * constants.retention_kernel[terms, np.maximum(since, 0)]
    return lost


def growth_of_pay(market: Market) -> float:
    """Pay at scale, worth and pay outside, over those of the opening: e^(g t)."""
    return float(np.exp(market.scenario.market.growth.pay * market.week / WEEKS_PER_YEAR))


def standing_among_rivals(market: Market) -> Floats:
    """G: ln M of each lab, less omega times the rise of its best rival's since the opening; (R, L)."""
    labs, omega = market.labs, market.scenario.market.standing.rivalry
    if omega == 0:
        return labs.ln_standing
    before, now = market.constants.base_ln_rival, best_rival(labs.ln_standing, labs.failed)
    known = np.isfinite(now) & np.isfinite(before)  # a lab alone has no rival
    rise = np.subtract(now, before, out=np.zeros_like(now), where=known)
    return np.asarray(labs.ln_standing - omega * rise)


def fall_of_standing(market: Market) -> Floats:
    """max(0, -(G - G of the opening)) of each lab; (R, L)."""
    return np.maximum(market.constants.base_ln_standing - standing_among_rivals(market), 0.0)


def unit_terms(market: Market) -> dict[str, Floats]:
    """The terms of the utility that everybody at a unit shares, by name, in utils; each (R, U)."""
    choice, constants, labs = market.scenario.market.choice, market.constants, market.labs
    lab = constants.unit_lab
    per_head = constants.compute * labs.compute_factor * 100 / np.maximum(labs.headcount, 1)
    return {
        "culture": constants.unit_culture + np.zeros_like(labs.leadership),
        "compute": choice.compute_weight * np.log(per_head)[:, lab],
        "standing": choice.standing_weight * standing_among_rivals(market)[:, lab],
        "leadership": choice.leadership_weight * labs.leadership,
        "ambition": labs.ambition[:, lab],
    }


def personal_terms(
    market: Market, rows: Integers, lab: Integers, unit: Integers, title: Integers
) -> dict[str, Floats]:
    """The terms of the utility that a person and a unit have together, by name, in utils; each (n,)."""
    choice, at_lab = market.scenario.market.choice, lab >= 0
    missions = market.labs.unit_mission  # read at one index and multiplied out, the quickest way here
    here = market.run_of(rows) * missions.shape[1] + unit
    own, theirs = market.researchers.mission.take(rows, axis=0), missions.reshape(-1, 3).take(here, axis=0)
    agreement = own[:, 0] * theirs[:, 0] + own[:, 1] * theirs[:, 1] + own[:, 2] * theirs[:, 2]
    return {
        "mission": np.where(at_lab, choice.mission_weight * agreement, 0.0),
        "title": np.where(at_lab, choice.title_weight * title, 0.0),
        "ties": choice.ties_weight * market.ties_at(rows, lab),
    }


def lab_terms(market: Market, rows: Integers, lab: Integers, unit: Integers, title: Integers) -> Floats:
    """All terms of the utility that belong to a unit of a lab (MODEL step 7), in utils; shape (n,).

    Those of `unit_terms` and `personal_terms`; places outside the labs have only the ties.
    """
    shared: Floats = sum(unit_terms(market).values(), np.zeros(1))
    own = personal_terms(market, rows, lab, unit, title)
    return np.where(lab >= 0, segments.at(shared, market.run_of(rows), unit), 0.0) + sum(own.values())


def observed_value(market: Market, rows: Integers, lab: Integers) -> Floats:
    """v_ij as the lab sees it, USD a year: noise keyed by researcher, lab, spell and year."""
    value = market.scenario.market.value
    key = option_of(market, rows, lab, whole_years(market, rows))
    noise = normals(market.key_of(market.run_of(rows), Purpose.VALUE_NOISE), key)
    ties = value.ties * market.ties_at(rows, lab)
    talent = market.researchers.talent[rows].astype(np.float64)
    return worth.researcher_value(
        value.median / 100 * growth_of_pay(market),
        market.constants.scale[lab],
        talent,
        ties,
        value.noise * noise,
    )


def taste(market: Market, rows: Integers, lab: Integers) -> Floats:
    """Gumbel taste of a person for a place, in utils.

    Keyed by researcher, lab, spell and whole year of tenure: within a year a repeated or raised
    offer meets the same taste, over years tastes change.
    """
    key = option_of(market, rows, lab, whole_years(market, rows))
    drawn = gumbels(market.key_of(market.run_of(rows), Purpose.TASTE), key)
    return market.scenario.market.choice.taste_scale * drawn


def scale_pay(market: Market, rows: Integers, lab: Integers, unit: Integers) -> tuple[Floats, Floats]:
    """The own pay of a unit of a lab for each person's talent: base a year and package, in USD."""
    talent, constants = market.scenario.market.talent, market.constants
    grown = growth_of_pay(market)
    factor = constants.unit_pay[unit] * grown
    pay = worth.pay_at(
        market.researchers.talent[rows].astype(np.float64),
        constants.median_pay[lab] * factor,
        constants.star_pay[lab] * factor,
    )
    base = worth.base_of(pay, talent.base_share, talent.base_cap / 100 * grown)
    return base, (pay - base) * market.scenario.market.equity.horizon


def pick_unit(market: Market, run: Integers, lab: Integers, u: Floats) -> Integers:
    """A unit of each lab in proportion to the units' shares in that run."""
    theirs = market.constants.unit_lab[None, :] == lab[:, None]
    until = np.cumsum(np.where(theirs, market.labs.unit_share[run], 0.0), axis=1)
    return np.asarray((u[:, None] * until[:, -1:] >= until).sum(axis=1))


def draw_units(market: Market, rows: Integers, lab: Integers, purpose: Purpose, week: int = 0) -> Integers:
    """A unit of each lab for each person; drawn by the units' shares where the lab has several."""
    unit = market.constants.default_unit[lab]
    several = np.flatnonzero(market.constants.several_units[lab])
    run, person = market.run_of(rows[several]), market.id_of(rows[several])
    u = uniforms(market.key_of(run, purpose, week), person)
    unit[several] = pick_unit(market, run, lab[several], u)
    return unit


def package_cents(market: Market, package_usd: Floats, lab: Integers) -> Integers:
    """Packages of labs in USD as cents; raises OutOfRange where one is no amount that can be counted."""
    names, most = market.constants.lab_names, MOST_FOR_ONE
    see = "market.value, market.choice, labs.{lab}.compute and labs.{lab}.star_pay"
    return whole(package_usd * 100, most, "the package of a researcher", names, lab, see)


def split_package(cents: Integers, share: float) -> tuple[Integers, Integers]:
    """A package as sign-on and face of the grant, all in cents."""
    sign_on = np.floor(cents * share).astype(np.int64)
    return sign_on, cents - sign_on


def shares_of(market: Market, face: Integers, run: Integers, lab: Integers) -> Integers:
    """Shares in a grant of a given face in cents, at today's valuation."""
    shares = face / segments.at(market.labs.valuation, run, lab)
    see = "the revaluations of {lab}"
    return whole(shares, MOST_FOR_ONE, "a grant", market.constants.lab_names, lab, see, "shares")


def package_pay(market: Market, base: Floats, sign_on: Integers, grant: Integers, lab: Integers) -> Floats:
    """Y of a package under offer, USD a year; base in USD, sign-on and face of the grant in cents."""
    constants = market.constants
    kernel = constants.new_kernel[constants.kernel_terms[lab]]
    horizon = market.scenario.market.equity.horizon
    return np.asarray(base + (sign_on + constants.equity_value[lab] * kernel * grant) / 100 / horizon)


def new_kappa(market: Market, lab: Integers) -> Floats:
    """Worth a year of a dollar a year of a new package: cash share, and a grant with the lab's cliff."""
    constants = market.constants
    kernel = constants.new_kernel[constants.kernel_terms[lab]]
    return worth.package_worth(
        market.scenario.market.equity.sign_on_share, constants.equity_value[lab], kernel
    )


def retention_kappa(market: Market, lab: Integers) -> Floats:
    """Worth a year of a dollar a year of retention package: cash share, and a grant without a cliff."""
    constants = market.constants
    kernel = constants.retention_kernel[constants.kernel_terms[lab], 0]
    return worth.package_worth(
        market.scenario.market.equity.sign_on_share, constants.equity_value[lab], kernel
    )


def shaken(market: Market, rows: Integers) -> Floats:
    """Attachment that moves of colleagues have taken and time has not given back, in utils."""
    people, fade = market.researchers, market.scenario.market.contagion.fade
    weeks = market.week - people.shake_week[rows].astype(np.int64)
    return np.asarray(people.shake[rows] * np.exp(-weeks / fade))


def stay_terms(market: Market, rows: Integers, title: Integers) -> Floats:
    """All terms of staying but pay, attachment and taste."""
    people = market.researchers
    place, unit = people.place[rows].astype(np.int64), people.unit[rows].astype(np.int64)
    years = market.tenure_weeks(rows) / WEEKS_PER_YEAR
    bond = worth.staying_terms(0.0, years, market.scenario.market.choice.tenure_effect)
    slight = market.scenario.market.pay_equity.peer_weight * people.slight[rows]
    terms = lab_terms(market, rows, place, unit, title)
    contagion = market.scenario.market.contagion
    if contagion.shake > 0 or contagion.leader_reach > 0:
        terms = terms - shaken(market, rows)
    outside = market.constants.pools.bond[people.pool[rows]]
    held = np.where(place >= 0, bond, np.where(place == OUTSIDE, outside, 0.0))
    return np.asarray(held + slight + terms)


def known_pay(market: Market, rows: Integers, lab: Integers, unit: Integers) -> Floats:
    """Y~: the Y of what a lab is known to pay for a talent, USD a year; its base is never below today's."""
    people, horizon = market.researchers, market.scenario.market.equity.horizon
    base, package = scale_pay(market, rows, lab, unit)
    held = people.weekly_base[rows] * WEEKS_PER_YEAR / 100
    base = np.where(people.place[rows] >= 0, np.maximum(base, held), base)
    return worth.offer_worth(base, package, new_kappa(market, lab), horizon)


def pull(market: Market, rows: Integers, lab: Integers, unit: Integers, title: Integers) -> Floats:
    """Utility of an offer but for its pay, less that of staying: what each person knows herself, in utils.

    Tastes and attachment are those by which she will choose; no counter-offer is on the table.
    """
    choice, people = market.scenario.market.choice, market.researchers
    place = people.place[rows].astype(np.int64)
    go = lab_terms(market, rows, lab, unit, title) - choice.moving_cost + taste(market, rows, lab)
    stay = stay_terms(market, rows, people.title[rows].astype(np.int64)) + people.attachment[rows]
    stay += choice.pay_elasticity * np.log(stay_pay(market, rows)) + taste(market, rows, place)
    return np.asarray(go - stay)


def present_cost(market: Market, rows: Integers) -> Floats:
    """What an employee costs her lab a year now: base and the grants held, spread over their vesting."""
    people, constants = market.researchers, market.constants
    lab = people.place[rows].astype(np.int64)
    years = constants.vesting_years[lab]
    price = segments.at(market.labs.valuation, market.run_of(rows), lab) / 100
    held = (people.grant[rows] + people.retention[rows]) * price / years
    return np.asarray(people.weekly_base[rows] * WEEKS_PER_YEAR / 100 + held)


def approaches(market: Market, rows: Integers, lab: Integers, **columns: object) -> Approaches:
    """Approaches to people by labs, as of this week; a unit is drawn unless `columns` has one."""
    if "unit" not in columns:
        columns["unit"] = draw_units(market, rows, lab, Purpose.UNIT, market.week)
    people = market.researchers
    given = {"title": 0, "attempt": 0} | columns
    return Approaches.new(
        len(rows), row=rows, lab=lab, origin=people.place[rows], spell=people.spell[rows],
        origin_unit=np.where(people.place[rows] >= 0, people.unit[rows], people.pool[rows]),
        contact_week=market.week,
        value=observed_value(market, rows, lab), **given,
    )  # fmt: skip
