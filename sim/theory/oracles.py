"""What each oracle runs: a limiting case of the market, or a pure rule, beside its closed form.

The cases are scenarios of `scenarios/theory/`, reached by parameters alone. A random figure carries its
standard error under the theory; a figure of a pure rule a tolerance in its place. Points of one curve
share its name and differ in `x`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import brentq

from sim.analysis.counts import spell_counts
from sim.analysis.curves import aalen_johansen, kaplan_meier
from sim.market import worth
from sim.market.opening import open_market
from sim.market.rules import counteroffers, pricing
from sim.market.simulate import run_block
from sim.market.state import OUTSIDE
from sim.market.week import advance
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.scenario.schema import Scenario
from sim.system.arrays import Floats
from sim.theory import closed_forms
from sim.theory.cases import EXACT, Findings, Parameters, lived, opened, scenario_of
from sim.theory.checks import Check, curve_checks, share_check
from sim.theory.closed_forms import JobLadder, OutsideDomain, SequentialAuction

MOST_INVITATIONS = 0.8  # a mover: from there on cascades are too large for the labs of T11


def survival(at: Parameters, seed: int) -> Findings:
    """T1: Kaplan-Meier and Aalen-Johansen of the recorded spells against constant hazards."""
    rates, staff, weeks = [at["a"], at["b"], at["c"]], 20_000, 104
    closed_forms.cumulative_incidence(rates, 1.0)  # refuses what has no theory before the market is run
    causes = ("found", "academia", "field")
    changes = [f"market.exits.{cause}={rate} /year" for cause, rate in zip(causes, rates, strict=True)]
    tables = run_block(scenario_of("survival", *changes), seed, [0])
    counted = spell_counts(tables["spells"], who="opening", weeks=weeks)
    survived = staff * kaplan_meier(counted.at_risk, counted.ends)[0]
    incidence = staff * aalen_johansen(counted.at_risk, counted.ends_by_cause)[0, 1:4]
    points = np.arange(4, weeks + 1, 4)
    years = points / WEEKS_PER_YEAR
    stay = [closed_forms.survival(rates, t) for t in years]
    gone = np.array([closed_forms.cumulative_incidence(rates, t) for t in years]).T
    found = [share_check("S after 104 weeks", stay[-1], float(survived[weeks]), staff)]
    found += [
        share_check(f"CIF {cause}", float(gone[k, -1]), float(incidence[k, weeks]), staff)
        for k, cause in enumerate(causes)
    ]
    found += curve_checks("S, wk", points, stay, survived[points], staff)
    for k, cause in enumerate(causes):
        found += curve_checks(f"CIF {cause}, wk", points, gone[k], incidence[k, points], staff)
    return found


def choice(at: Parameters, seed: int) -> Findings:
    """T2: one choice between staying and two offers, without the second, and against rising pay."""
    alpha, staff = at["alpha"], 20_000
    utilities = np.array([at["stay"], at["first"], at["second"]])
    if not 0.1 <= alpha <= 20:
        raise OutsideDomain("alpha must lie between 0.1 and 20, as in any scenario: pay must say something")
    if (utilities[1:] < 0).any():
        raise OutsideDomain("an offer's utility is below that of its base pay: no package is negative")
    base = [f"market.choice.pay_elasticity={alpha}", f"market.choice.attachment_mean={at['stay']}"]

    def accepted(first: float, second: float | None, seed: int) -> dict[str, int]:
        """Acceptances by lab of offers whose pay has these utilities, alpha ln (1 + package / 4M USD)."""
        caps = [
            f"events.{name}-offers.package_cap={4 * np.expm1(utility / alpha):.6f}M USD"
            for name, utility in (("first", first), ("second", second or 0.0))
        ]
        one = ["events.second-offers.researchers=1"] if second is None else []
        return _accepted(scenario_of("choice", *base, *caps, *one), seed)

    gaps = max(at["stay"], 0.0) + np.array([0.0, 0.5, 1.0, 1.5, 2.0, 3.0])
    if max(*gaps, *utilities[1:]) / alpha > 8:
        raise OutsideDomain("stay, first and second must be below 8 alpha: pay above 3,000 times is nobody's")
    both = accepted(at["first"], at["second"], seed)
    alone = accepted(at["first"], None, seed + 1)["first"]
    shares, without = closed_forms.logit_shares(utilities), closed_forms.logit_shares(utilities[:2])
    rising = [accepted(float(gap), None, seed + 2 + k)["first"] for k, gap in enumerate(gaps)]
    wanted = [closed_forms.logit_shares(np.array([at["stay"], gap]))[1] for gap in gaps]
    return [
        share_check("P first of two offers", shares[1], both["first"], staff),
        share_check("P second of two offers", shares[2], both["second"], staff),
        share_check("P stay", shares[0], staff - both["first"] - both["second"], staff),
        share_check("P first, second deleted (IIA)", without[1], alone, staff),
        *curve_checks("P accept, pay x", np.round(np.exp(gaps / alpha), 4).tolist(), wanted, rising, staff),
    ]


def _accepted(scenario: Scenario, seed: int) -> dict[str, int]:
    """How many accepted each lab's offers."""
    lab = lived(scenario, seed).researchers.place
    return {name: int((lab == j).sum()) for j, name in enumerate(scenario.labs)}


def _weekly(at: Parameters) -> tuple[float, float]:
    """Chances a week of an offer and of destruction."""
    contact = closed_forms.weekly_probability(at["lambda"], WEEKS_PER_YEAR)
    return contact, closed_forms.weekly_probability(at["delta"], WEEKS_PER_YEAR)


def _weeks_to_settle(at: Parameters) -> int:
    """Weeks after which less than e^-8 is left of the start."""
    weeks = np.ceil(8 * WEEKS_PER_YEAR / at["delta"])
    if weeks > 2000:
        least = 8 * WEEKS_PER_YEAR / 2000
        raise OutsideDomain(
            f"delta {at['delta']:g} is too small to settle within 2,000 weeks: take at least {least:.2g}"
        )
    return int(weeks)


def _ladder_scenario(name: str, at: Parameters, weeks: int, firms: Sequence[str]) -> Scenario:
    return scenario_of(
        name,
        f"market.contact.rate={at['lambda']} /year",
        f"market.contact.outside_rate={at['lambda']} /year",
        f"market.exits.academia={at['delta']} /year", f"market.entry.outside_pay={at['b']}M USD/year",
        f"horizon={weeks} weeks", *(f"labs.firm-{k + 1}.{change}" for k, change in enumerate(firms)),
    )  # fmt: skip


def job_ladder(at: Parameters, seed: int) -> Findings:
    """T3: twenty firms post the equilibrium wages; unemployment, the ladder's law, moves and pay."""
    ladder = JobLadder(at["p"], at["b"], at["lambda"], at["delta"])
    weekly = JobLadder(at["p"], at["b"], *_weekly(at), discrete=True)
    if at["b"] <= 0:
        raise OutsideDomain("b must be above 0: the market takes the logarithm of pay")
    firms, people, weeks = 20, 40_000, _weeks_to_settle(at)
    wages = ladder.wage((np.arange(firms) + 0.5) / firms)
    posted = [f"median_pay={wage:.8f}M USD/year" for wage in wages]
    scenario = _ladder_scenario("job-ladder", at, weeks, posted)
    market, moves, staff = opened(scenario, seed), 0, 0
    for week in range(weeks):
        staff += int(market.labs.headcount.sum()) if week >= weeks - 52 else 0
        advance(market)
        moves += int(market.tally.from_rivals.sum()) if week >= weeks - 52 else 0
    place = market.researchers.place
    at_firm = np.bincount(place[place >= 0], minlength=firms)
    employed, share = int(at_firm.sum()), weekly.workers_at(firms)
    mean = float(share @ wages)
    spread = float(np.sqrt(share @ (wages - mean) ** 2 / employed))
    rate, jobless = weekly.moves_over(firms), int((place == OUTSIDE).sum())
    quantiles = np.arange(1, firms) / firms
    fast, paid = ladder.moves_over(firms) / WEEKS_PER_YEAR, float(ladder.workers_at(firms) @ wages)
    below, limit = at_firm.cumsum()[:-1], ladder.workers_below(quantiles)
    return [
        share_check("u", weekly.unemployment, jobless, people, ladder.unemployment),
        Check("moves a week", rate, moves / staff, float(np.sqrt(rate / staff)), fast),
        Check("mean wage, M USD", mean, float(at_firm @ wages) / employed, spread, paid),
        *curve_checks("G at F", quantiles, weekly.workers_below(quantiles), below, employed, limit),
    ]


def auction(at: Parameters, seed: int) -> Findings:
    """T4: twenty firms bid against each other; pay is the loser's value."""
    if at["low"] >= at["high"]:
        raise OutsideDomain("low must be below high: the firms' values are spread between them")
    if at["b"] <= 0:
        raise OutsideDomain("b must be above 0: the market takes the logarithm of pay")
    firms = 20
    values = at["low"] + (np.arange(firms) + 0.5) / firms * (at["high"] - at["low"])
    model = SequentialAuction(values, at["b"], *_weekly(at))
    worths = [f"compute={value:.9f}" for value in values]
    people = lived(_ladder_scenario("auction", at, _weeks_to_settle(at), worths), seed).researchers
    pay = people.weekly_base[people.place >= 0] * WEEKS_PER_YEAR / 1e8
    pays, share = model.pay_law()
    spread = float(np.sqrt(share @ (pays - model.mean_pay) ** 2 / len(pay)))
    limit = SequentialAuction.in_continuous_time(values, at["b"], at["lambda"], at["delta"])
    limits = limit.pay_law()[1].cumsum()
    paid = [int((pay < most + 1e-4).sum()) for most in pays[:-2]]
    jobless, all_people = int((people.place == OUTSIDE).sum()), len(people.place)
    return [
        Check("mean pay, M USD", model.mean_pay, float(pay.mean()), spread, limit.mean_pay),
        share_check("share paid b", share[0], paid[0], len(pay), float(limits[0])),
        share_check("u", model.ladder.unemployment, jobless, all_people, limit.ladder.unemployment),
        *curve_checks("paid up to", pays[:-2], share.cumsum()[:-2], paid, len(pay), limits[:-2]),
    ]


def core(at: Parameters, seed: int) -> Findings:
    """T5: one researcher and several labs: bids and counter-bids end at the second-highest value."""
    del seed
    values = np.array([at["first"], at["second"], at["third"]])
    if (np.diff(values) >= 0).any() or values[-1] <= 0 or values[0] > 1e6:
        raise OutsideDomain("values must fall, be above 0 and at most a million")
    found = []
    for second in np.linspace(at["third"], at["first"], 12)[1:-1]:
        offered = np.array([at["first"], second, at["third"]])
        pay, wanted = _bid_up(offered), closed_forms.core_wages(offered[None, :])[0][0]
        curve, x = "pay, second value", float(second)
        found.append(Check(f"{curve} {second:g}", float(wanted), pay, EXACT * at["first"], None, curve, x))
    wanted = float(closed_forms.core_wages(values[None, :])[0][0])
    return [Check("pay with three labs", wanted, _bid_up(values), EXACT * at["first"]), *found]


def _bid_up(values: Floats) -> float:
    """Pay after all labs but the last have bid in turn against the one that has the researcher."""
    pay, at_lab = 0.0, len(values) - 1
    for rival in range(len(values) - 2, -1, -1):  # the best comes last and wins
        bid = float(pricing.bid(values[rival], values[at_lab]))
        base = np.array([round(bid * 1e8)])
        kept = counteroffers.matched(
            base, np.array([round(pay * 1e8)]), np.array([bid]), np.array([values[at_lab]])
        )
        pay, at_lab = bid, at_lab if kept[0] >= 0 else rival
    return pay / (1 + pricing.TRIFLE)


def prices(at: Parameters, seed: int) -> Findings:
    """T10: the pricing rule at alpha 1, at any alpha, in the limit of linear utility, under a budget."""
    del seed
    v, r, alpha = at["v"], at["r"], at["alpha"]
    if not (min(v, r) >= 1e-3 and max(v, r) <= 1e3 and 0 < alpha <= 100):
        raise OutsideDomain("v and r must lie between 0.001 and 1,000, alpha above 0 and at most 100")

    def best(reservation: float) -> Check:
        grid = np.linspace(v * 1e-6, v, 2_000_001)
        wanted = float(grid[np.argmax((v - grid) * worth.acceptance(grid, reservation, alpha))])
        price = float(worth.best_price(v, 0.0, 1.0, reservation, alpha))
        curve = "best w, reservation"
        return Check(f"{curve} {reservation:g}", wanted, price, v * 1e-6, None, curve, reservation)

    one = float(worth.best_price(v, 0.0, 1.0, r, 1.0))
    sigma, far = (v + r) / 4, 1e6 * (v + r)  # pay far above its differences: ln pay is then linear
    linear = float(worth.best_price(far + v, 0.0, 1.0, far + r, far / sigma)) - far
    wanted, spent, most = _under_budget(v, r)
    return [
        Check("w at alpha 1", closed_forms.unit_elastic_offer(v, r), one, EXACT * v),
        Check(
            "w of linear utility (Lambert)", closed_forms.linear_offer(v, r, sigma), linear, 1e-5 * (v + r)
        ),
        Check("spend under half the budget", most, spent, 1e-6 * most),
        Check("budget multiplier", wanted[0], wanted[1], 1e-6 * (1 + wanted[0])),
        *(best(float(x)) for x in r * np.array([0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0])),
    ]


def _under_budget(v: float, r: float) -> tuple[tuple[float, float], float, float]:
    """Multiplier by root-finding and by the rule, what the rule spends, and the budget: half of enough."""
    values, reservations = v * np.array([1.0, 0.8, 0.6]), r * np.array([1.0, 0.7, 0.5])

    def spend(multiplier: float) -> float:
        pay = [
            closed_forms.unit_elastic_offer(x / (1 + multiplier), y)
            for x, y in zip(values, reservations, strict=True)
        ]
        return float(sum(w * w / (w + y) for w, y in zip(pay, reservations, strict=True)))

    most = spend(0.0) / 2
    none, ones, no = np.zeros(3), np.ones(3), np.zeros(3, np.bool_)
    targets = pricing.Targets(
        values, none, ones, reservations, np.full(3, np.inf), no, none, ones, none, rationed=no, exempt=no
    )
    line = np.zeros(3, np.int64)
    cost, chance, found = pricing.price_within_budgets(targets, line, np.array([most]), 1.0)
    root = float(brentq(lambda m: spend(m) - most, 0.0, 100.0, xtol=1e-12))
    return (root, float(found[0])), float(cost @ chance), most


def cascade(at: Parameters, seed: int) -> Findings:
    """T11: sizes of cascades in which everybody who is asked follows, against their exact law."""
    m, ties = at["m"], 16
    mean = closed_forms.cascade_mean(m)
    if m > MOST_INVITATIONS:
        raise OutsideDomain(
            f"m must be at most {MOST_INVITATIONS:g}: larger cascades are cut short by the lab's size and "
            "the weeks it is run"
        )
    staff, runs = (300, 3000) if m <= 0.6 else (900, 1000)  # in a small lab large cascades share their ties
    changes = [f"market.ties.invitations={m}", f"labs.home.staff={staff}"]
    market = open_market(scenario_of("cascade", *changes), seed, np.arange(runs), False)
    for _ in range(market.scenario.horizon):
        advance(market)
    sizes = market.labs.headcount[:, 1]
    spread = float(np.sqrt(m * (1 - m / ties) / (1 - m) ** 3 / runs))
    seen = range(1, 31)
    return [
        Check("mean size", mean, float(sizes.mean()), spread),
        *curve_checks(
            "P of size", seen, [closed_forms.cascade_binomial(m, ties, n) for n in seen],
            [int((sizes == n).sum()) for n in seen], runs, [closed_forms.cascade_poisson(m, n) for n in seen],
        ),
    ]  # fmt: skip


def vesting(at: Parameters, seed: int) -> Findings:
    """T12: vested shares and the kernel of a grant against the sum over months and the continuous form."""
    del seed
    length, cliff, r, h = int(at["months"]), int(at["cliff"]), at["r"], at["h"]
    if (length, cliff) != (at["months"], at["cliff"]):
        raise OutsideDomain("grants vest monthly: months and cliff are whole numbers")
    if not (0 <= cliff <= length and 1 <= length <= 600):
        raise OutsideDomain("the cliff must lie within the vesting time, of at most 600 months")
    if min(r, h) < 0:
        raise OutsideDomain("r and h must not be negative")
    continuous = closed_forms.grant_value(r + h, length / 12, cliff / 12)
    kernel = worth.grant_kernel(r, h, length, cliff)
    fine = worth.grant_kernel(r / 1000, h / 1000, length * 1000, cliff * 1000)
    monthly = closed_forms.monthly_grant_value(r + h, length, cliff)
    curve, months = "vested, month", range(0, length + 13, max(length // 48, 1))
    return [
        Check("kernel, monthly", monthly, kernel, EXACT, continuous),
        Check("kernel, continuous limit", continuous, fine, 1e-4),
        *(
            Check(
                f"{curve} {month}", closed_forms.vested(month, length, cliff),
                float(worth.vested_share(month, length, cliff)), EXACT, None, curve, month,
            )
            for month in months
        ),
    ]  # fmt: skip
