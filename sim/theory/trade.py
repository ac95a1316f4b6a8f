"""Oracles of a market that trades: interest and interviews, money, exits, tenure, alumni and ties.

As in `oracles.py`: a limiting case of the market, reached by parameters alone, beside its closed form.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from sim.market.rules import contact, contagion, pricing
from sim.market.state import Market
from sim.market.week import Rule, advance
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.scenario.schema import Scenario
from sim.system.arrays import Floats
from sim.theory import closed_forms
from sim.theory.cases import EXACT, Findings, Parameters, lived, opened, scenario_of
from sim.theory.checks import LEAST_COUNT, Check, curve_checks, share_check
from sim.theory.closed_forms import OutsideDomain

STAFF = 20_000
MOST_UTILS = 30.0  # either way: beyond, chances are 0 or 1


def _within(name: str, value: float, low: float, high: float, why: str) -> None:
    if not low <= value <= high:
        raise OutsideDomain(f"{name} must lie between {low:g} and {high:g}: {why}")


def _whole(name: str, value: float, low: int, high: int, why: str) -> int:
    _within(name, value, low, high, why)
    if value != int(value):
        raise OutsideDomain(f"{name} must be a whole number: {why}")
    return int(value)


def interest(at: Parameters, seed: int) -> Findings:
    """T13: who goes to interviews at the known pay, and who of them accepts the pay that is offered."""
    alpha, gap, slack, rise, spread = (at[name] for name in ("alpha", "gap", "slack", "delta", "sd"))
    _within("alpha", alpha, 0.1, 20, "pay must say something, as in any scenario")
    _within("gap", gap, -MOST_UTILS, MOST_UTILS, "beyond, everybody is interested or nobody")
    _within("slack", slack, 0, MOST_UTILS, "nobody refuses interviews that promise what she wants")
    _within("sd", spread, 0, 10, "it is the spread of attachment, in utils")
    most = min(6 * alpha, MOST_UTILS)
    _within("delta", rise, -most, most, "pay offered is at most e^6 times the known pay, or that part of it")
    least = closed_forms.interested(gap, slack) * STAFF
    if least < LEAST_COUNT:
        raise OutsideDomain(f"of {STAFF:,} people {least:.2g} would go to interviews: raise gap or slack")
    alike, unlike = _interest_checks("", at, 0.0, seed), _interest_checks(", A normal", at, spread, seed + 1)
    return [*alike, *unlike, *_acceptance_curves(at, seed + 2)]


def _acceptance_curves(at: Parameters, seed: int) -> Findings:
    """Acceptance after interviews at several gaps, of people alike and of people of different attachment."""
    found, slack, rise = [], at["slack"], at["delta"]
    curves = [("P accept", 0.0), ("A normal", at["sd"])]
    for step in (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0):
        for name, spread in curves:
            x, seed = at["gap"] + step, seed + 1
            met = closed_forms.interested(x, slack, spread) * STAFF
            wanted = closed_forms.accepted_after_interviews(x, slack, rise, spread)
            refusing = met * min(wanted, 1 - wanted)
            if met < LEAST_COUNT or (refusing < LEAST_COUNT and wanted < 1):
                continue
            went, took = _interviews(at, x, spread, seed)
            rare = None if spread else min(1.0, float(np.exp(rise - slack)))
            found.append(share_check(f"{name}, gap {x:g}", wanted, took, went, rare, name, x))
    return found


def _interest_checks(who: str, at: Parameters, spread: float, seed: int) -> Findings:
    """Interest and acceptance at the gap itself."""
    gap = at["gap"]
    went, took = _interviews(at, gap, spread, seed)
    share = closed_forms.interested(gap, at["slack"], spread)
    chance = closed_forms.accepted_after_interviews(gap, at["slack"], at["delta"], spread)
    return [
        share_check(f"share interested{who}", share, went, STAFF),
        share_check(f"P accept after interviews{who}", chance, took, went),
    ]


def _interviews(at: Parameters, gap: float, spread: float, seed: int) -> tuple[int, int]:
    """How many of a lab's staff go to interviews, and how many accept.

    Both labs are known to pay 1M USD, the campaign's signal is a factor of 2 or more above it, so that an
    offer can be below the signal too; mean attachment makes the gap at the signal what it is to be.
    """
    alpha, rise = at["alpha"], at["delta"]
    factor = 2 * np.exp(max(-rise, 0.0) / alpha)
    package = 4 * (factor * np.exp(rise / alpha) - 1)  # over four years, above a base of 1M USD
    scenario = scenario_of(
        "interest", f"market.choice.pay_elasticity={alpha}", f"market.interviews.slack={at['slack']}",
        f"market.choice.attachment_mean={alpha * np.log(factor) - gap:.12f}",
        f"market.choice.attachment_sd={spread}", f"events.offers.value_factor={factor:.12f}",
        f"events.offers.package_cap={package:.6f}M USD",
    )  # fmt: skip
    return _met_and_moved(scenario, seed)


def _met_and_moved(scenario: Scenario, seed: int) -> tuple[int, int]:
    """How many were interviewed in the first week, and how many are at the second lab at the end."""
    market = opened(scenario, seed)
    advance(market)
    met = int(market.tally.interviews.sum())
    for _ in range(scenario.horizon - 1):
        advance(market)
    return met, int(market.labs.headcount[0, 1])


def interview_prices(at: Parameters, seed: int) -> Findings:
    """T14: the rule's price at slope 1/rho by the first-order condition, and who accepts such offers."""
    v, r, rho = at["v"], at["r"], at["rho"]
    _within("rho", rho, 0.02, 5, "the market takes no other noise")
    if min(v, r) < 1e-2 or max(v, r) > 1e2:
        raise OutsideDomain("v and r must lie between 0.01 and 100, M USD a year")
    wanted, chance = closed_forms.price_after_interviews(v, r, rho)
    offers, chances = _rule_prices(np.array([v]), r, rho)
    ratios = v / r * np.array([0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0])
    ruled = _rule_prices(ratios * r, r, rho)[1]
    found = [
        Check("w after interviews", wanted, float(offers[0]), EXACT * v),
        Check("P at that w", chance, float(chances[0]), EXACT),
    ]
    curve = "P of the rule"
    for x, simulated in zip(ratios.tolist(), ruled.tolist(), strict=True):
        known = closed_forms.price_after_interviews(x, 1.0, rho)[1]
        found.append(Check(f"{curve}, v / R^ {x:.4g}", known, simulated, EXACT, None, curve, x))
    return found + _market_checks(v, r, rho, seed)


def _rule_prices(values: Floats, shown: float, noise: float) -> tuple[Floats, Floats]:
    """What `pricing.price` offers, and its chance, without floor, cap or cost of an offer."""
    zero, one, no = np.zeros(len(values)), np.ones(len(values)), np.zeros(len(values), np.bool_)
    targets = pricing.Targets(
        values, zero, one, one * shown, one * np.inf, no, zero, one / noise, zero, rationed=no, exempt=no
    )
    return pricing.price(targets, zero)


def _market_checks(v: float, r: float, rho: float, seed: int) -> Findings:
    """Everybody is interviewed; what is shown of her sets the offer, what she is decides."""
    alpha, hits, wanted = 2.0, [], []
    values = v * np.array([0.5, 0.75, 1.0, 1.5, 2.0])
    for k, value in enumerate(values):
        scenario = scenario_of(
            "interest", "events.offers.pricing=priced", "market.interviews.slack=60",
            "events.offers.package_cap=1000M USD", "market.choice.attachment_mean=0",
            f"market.choice.pay_elasticity={alpha}", f"market.interviews.noise={rho}",
            f"market.value.median={value:.9f}M USD/year", f"labs.home.median_pay={r:.9f}M USD/year",
            "labs.rival.median_pay=1 USD/year",
        )  # fmt: skip
        hits.append(_met_and_moved(scenario, seed + k)[1])
        wanted.append(closed_forms.accepted_at_best_prices(float(value), r, alpha, rho))
    return curve_checks("accepted, v / r", values / r, wanted, hits, STAFF)


def money(at: Parameters, seed: int) -> Findings:
    """T15: what a lab's inflow buys at one package a head, and what half, twice and four times that buys."""
    inflow, package = at["inflow"], at["package"]
    if not (package > 0 and 1 <= inflow / package <= 200):
        raise OutsideDomain("inflow over package must lie between 1 and 200 hires a year: so many are there")
    _within("package", package, 0.01, 1000, "it is a package in M USD")
    found = []
    for factor in (1.0, 0.5, 2.0, 4.0):
        scenario = scenario_of(
            "money", f"labs.buyer.talent_inflow={factor * inflow:.9f}M USD/year",
            f"labs.buyer.median_pay={package / 4:.9f}M USD/year",
        )  # fmt: skip
        years, bought = scenario.horizon / WEEKS_PER_YEAR, factor * inflow / package
        hires = int(lived(scenario, seed).labs.headcount[0, 0])
        # hires are whole: what is left at the end is between nothing and a package, half of one on average
        known, error = bought - 0.5 / years, 0.126 / years  # so that |z| is below 4 within these bounds
        rate = hires / years
        if factor == 1:
            found.append(Check("hires a year", known, rate, error, bought))
        found.append(Check(f"hires, inflow x {factor:g}", known, rate, error, bought, "hires", factor))
    return found


def exits(at: Parameters, seed: int) -> Findings:
    """T16: leaving under a hazard that answers to the vests of the next 12 months."""
    hazard, beta, staff, weeks = at["h"], at["beta"], 40_000, 260
    _within("h", hazard, 0.05, 1, "it is a yearly hazard, under which both some leave and some stay")
    _within("beta", beta, 0, 2, "above, almost nobody is left after the fourth year")
    market, left = opened(
        scenario_of(
            "cliff", f"market.exits.academia={hazard} /year", f"market.exits.forfeiture={beta}",
        ), seed,
    ), [staff]  # fmt: skip
    for _ in range(weeks):
        advance(market)
        left.append(int(market.labs.headcount.sum()))
    alive, weekly = np.array(left), closed_forms.weekly_hazards(hazard, beta, weeks, WEEKS_PER_YEAR)
    known = np.exp(-np.concatenate([[0.0], np.cumsum(weekly)]))
    found = []
    for year in (1, 2, 3, 4):
        week = round(year * WEEKS_PER_YEAR)
        textbook = closed_forms.survival_by_vests(hazard, beta, week / WEEKS_PER_YEAR)
        found.append(share_check(f"S({year})", float(known[week]), int(alive[week]), staff, textbook))
    return [*found, *_jump(alive, weekly, beta), *_hazard_curve(alive, weekly)]


def _rate(alive: Floats, weekly: Floats, begin: int, end: int) -> tuple[float, float, float]:
    """Yearly hazard between two weeks by theory and as counted, and its standard error."""
    weeks_lived = float(alive[begin:end].sum()) / WEEKS_PER_YEAR
    expected = float(alive[begin:end] @ -np.expm1(-weekly[begin:end])) / weeks_lived
    counted = float(alive[begin] - alive[end]) / weeks_lived
    return expected, counted, float(np.sqrt(expected / weeks_lived))


def _jump(alive: Floats, weekly: Floats, beta: float) -> Findings:
    """Hazard in the half year after the cliff over that in the eight weeks before."""
    cliff = 52  # the last week that begins before it is the 52nd of tenure
    (low, before, low_error), (high, after, high_error) = (
        _rate(alive, weekly, cliff - 8, cliff), _rate(alive, weekly, cliff, cliff + 26)
    )  # fmt: skip
    ratio = high / low
    error = ratio * float(np.hypot(low_error / low, high_error / high))
    return [Check("hazard after the cliff over before", ratio, after / before, error, float(np.exp(beta)))]


def _hazard_curve(alive: Floats, weekly: Floats) -> Findings:
    """The hazard by quarter of tenure, the first quarter after the cliff beginning at it."""
    curve, found = "hazard, year", []
    for begin in range(0, len(weekly) - 12, 13):
        if alive[begin] < LEAST_COUNT:
            break
        expected, counted, error = _rate(alive, weekly, begin, begin + 13)
        x = (begin + 7) / WEEKS_PER_YEAR
        if expected / error**2 * expected >= LEAST_COUNT:
            found.append(Check(f"{curve} {x:.2f}", expected, counted, error, None, curve, x))
    return found


def tenure(at: Parameters, seed: int) -> Findings:
    """T17: opening tenure of a lab that has grown: its law at whole weeks, and its mean."""
    hazard, growth, staff = at["h"], at["g"], 40_000
    _within("h", hazard, 0.01, 5, "it is the yearly hazard behind the tenure of the opening staff")
    _within("g", growth, 0, 3, "a lab that shrinks has tenure by its hazard alone, and none grows 20-fold")
    _within("age", at["age"], 1, 50, "it is the lab's age in years")
    days = round(at["age"] * 365.25)
    planned = round(staff * np.exp(growth))
    founded = scenario_of("growth").start - timedelta(days=days)
    scenario = scenario_of(
        "growth", f"labs.home.opening_hazard={hazard} /year",
        f"labs.home.headcount_plan.0.staff={planned}", f"labs.home.founded={founded}",
    )  # fmt: skip
    rate, oldest = hazard + np.log(planned / staff), days / 365.25
    weeks = -1 - opened(scenario, seed).researchers.start_week.astype(np.int64)  # whole weeks so far
    whole = np.arange(1, int(oldest * WEEKS_PER_YEAR) + 1)
    over = np.array([1 - closed_forms.tenure_below(rate, oldest, w / WEEKS_PER_YEAR) for w in whole])
    mean, square = float(over.sum()), float(((2 * whole - 1) * over).sum())
    spread = float(np.sqrt((square - mean**2) / staff)) / WEEKS_PER_YEAR
    half = 0.5 / WEEKS_PER_YEAR  # that whole weeks fall short of tenure, in the mean
    evenly = -np.log1p(np.arange(1, 16) / 16 * np.expm1(-rate * oldest)) / rate  # one in 16 lies between
    points = np.unique(np.rint(evenly * WEEKS_PER_YEAR).astype(np.int64))
    below = [closed_forms.tenure_below(rate, oldest, float(w) / WEEKS_PER_YEAR) for w in points]
    return [
        Check(
            "mean tenure, years", mean / WEEKS_PER_YEAR + half, float(weeks.mean()) / WEEKS_PER_YEAR + half,
            spread, closed_forms.mean_tenure(rate, oldest),
        ),
        *curve_checks(
            "tenure below", np.round(points / WEEKS_PER_YEAR, 4), below,
            [int((weeks < w).sum()) for w in points], staff,
        ),
    ]  # fmt: skip


def alumni(at: Parameters, seed: int) -> Findings:
    """T18: how many approaches to a lab's alumni come from that lab."""
    back, ratio, labs = at["p"], at["ratio"], 5
    _within("p", back, 0, 1, "it is a chance")
    _within("ratio", ratio, 1, 4, "it is each lab's planned hires over those of the lab before")
    plans = [round(2_000 * ratio**j) for j in range(labs)]
    scenario = scenario_of(
        "alumni", f"market.contact.return_contact={back}",
        *(f"labs.lab-{j + 1}.headcount_plan.0.staff={plan}" for j, plan in enumerate(plans)),
    )  # fmt: skip
    market, met, own = opened(scenario, seed), np.zeros(labs), np.zeros(labs)

    def count(rule: Rule, market: Market) -> None:
        """Approaches to people outside, by their former lab, and those that come from it."""
        if rule is not contact.approach or market.week == 0:  # in its first week a plan is on its way
            return
        for found in market.contacted:
            past = market.researchers.last_lab[found.row].astype(np.int64)
            some = past >= 0
            met[:] += np.bincount(past[some], minlength=labs)
            own[:] += np.bincount(past[some & (past == found.lab)], minlength=labs)

    for _ in range(scenario.horizon):
        advance(market, count)
    shares = np.array(plans) / sum(plans)
    wanted = [closed_forms.own_alumni_share(back, float(share)) for share in shares]
    mean, total = float(np.average(wanted, weights=met)), int(met.sum())
    found = [share_check("contacts that come from the former lab", mean, int(own.sum()), total)]
    for j, share in enumerate(shares):
        name, curve = f"of the alumni of lab {j + 1}", "from the former lab"
        found.append(share_check(name, wanted[j], own[j], int(met[j]), None, curve, float(share)))
    return found


def ties(at: Parameters, seed: int) -> Findings:
    """T19: a tie's chance to accept by weeks since half of a lab left, and by how many of her ties did."""
    gap, shake, known = at["gap"], at["shake"], 4
    fade = _whole("fade", at["fade"], 1, 104, "the time in which a shake fades to 1/e, in weeks")
    _within("gap", gap, -4, 4, "beyond, nearly everybody accepts or nobody")
    _within("shake", shake, 0, contagion.MOST, "nobody loses more than that")
    found: Findings = []
    for k, weeks in enumerate(dict.fromkeys(max(1, round(fade * x)) for x in (0.125, 0.5, 1, 2, 3))):
        moved, took = _after_a_move(gap, shake, fade, weeks, seed + k)
        for ties_moved in range(known + 1):
            theirs = moved == ties_moved
            loss = min(ties_moved * shake, contagion.MOST)
            wanted = closed_forms.shaken_chance(gap, loss, weeks, fade)
            if theirs.sum() * min(wanted, 1 - wanted) >= LEAST_COUNT:
                name, hits = f"{ties_moved} of {known} ties moved", int(took[theirs].sum())
                found.append(
                    share_check(f"{name}, week {weeks}", wanted, hits, int(theirs.sum()), None, name, weeks)
                )
    return found


def _after_a_move(gap: float, shake: float, fade: int, weeks: int, seed: int) -> tuple[Floats, Floats]:
    """Of each of those who were left: how many of her ties had moved, and whether she accepts later."""
    later = scenario_of("ties-shaken").start + timedelta(weeks=weeks)
    scenario = scenario_of(
        "ties-shaken", f"market.choice.attachment_mean={np.log(2) - gap:.12f}",
        f"market.contagion.shake={shake}", f"market.contagion.fade={fade} weeks",
        f"horizon={weeks + 1} weeks", f"events.later-offers.on={later}",
    )  # fmt: skip
    market = opened(scenario, seed)
    advance(market)
    people = market.researchers
    stayed = np.flatnonzero(people.place == 0)
    moved = (people.place[market.tied_to(stayed)] != 0).sum(axis=1)
    while market.week < scenario.horizon:
        advance(market)
    return moved, people.place[stayed] == market.constants.lab("second")
