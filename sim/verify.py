"""The market against theory: each oracle runs a limiting case and compares it with its closed form.

The cases are scenarios of `scenarios/theory/`, reached by parameters alone. With other parameters
both theory and simulation follow. A random figure is compared by z = (simulated - expected) / its
standard error under the theory; a figure of a pure rule must agree to a tolerance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from scipy.special import lambertw

from sim import worth
from sim.analysis import theory
from sim.analysis.counts import spell_counts
from sim.analysis.curves import aalen_johansen, kaplan_meier
from sim.analysis.theory import JobLadder, OutsideDomain, SequentialAuction
from sim.figures import data_folder
from sim.market import counteroffers, pricing
from sim.opening import open_market
from sim.quantities import WEEKS_PER_YEAR
from sim.scenario.loading import load_scenario
from sim.scenario.schema import Scenario
from sim.simulate import run_block
from sim.state import OUTSIDE, Market
from sim.week import advance

LARGEST_Z = 4.0
EXACT = 1e-9
Parameters = Mapping[str, float]


@dataclass(frozen=True)
class Check:
    """One figure of an oracle: what theory says, what the market says, and how far apart they are."""

    oracle: str
    figure: str
    setting: str
    expected: float
    simulated: float
    standard_error: float

    @property
    def z(self) -> float:
        """Distance in standard errors; for an exact figure, in units of the tolerance."""
        return (self.simulated - self.expected) / self.standard_error

    @property
    def passed(self) -> bool:
        """Whether |z| is below `LARGEST_Z`; nan fails."""
        return abs(self.z) < LARGEST_Z

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"z": self.z, "verdict": "agrees" if self.passed else "falls short"}


@dataclass(frozen=True)
class Oracle:
    """A limiting case: its defaults, and what to run with some parameters and a seed."""

    name: str
    title: str
    source: str
    defaults: Parameters
    run: Callable[[Parameters, int], list[tuple[str, float, float, float]]]
    other_settings: Sequence[Parameters] = field(default_factory=tuple)

    def check(self, parameters: Parameters, seed: int) -> list[Check]:
        """All figures of the oracle.

        Raises:
            OutsideDomain: if the parameters lie where the theory says nothing.
        """
        known = {**self.defaults, **parameters}
        if unknown := set(parameters) - set(self.defaults):
            raise OutsideDomain(
                f"{self.name} has no {', '.join(sorted(unknown))}; it has {', '.join(self.defaults)}"
            )
        setting = ", ".join(f"{name} {value:g}" for name, value in known.items())
        return [Check(self.name, figure, setting, *numbers) for figure, *numbers in self.run(known, seed)]


def verify(only: Sequence[str] = (), parameters: Parameters | None = None, seed: int = 1) -> list[Check]:
    """The checks of all oracles, or of some, in order.

    Args:
        only: names such as "T3"; all if empty.
        parameters: values in place of the defaults; each oracle named must know them.
        seed: seed of the simulations.

    Raises:
        OutsideDomain: for an unknown oracle or parameter, or one outside a theory's domain.
    """
    if unknown := set(only) - set(ORACLES):
        raise OutsideDomain(f"no oracle {', '.join(sorted(unknown))}; there are {', '.join(ORACLES)}")
    chosen = [ORACLES[name] for name in ORACLES if not only or name in only]
    return [check for oracle in chosen for check in oracle.check(parameters or {}, seed)]


def _scenario(name: str, *overrides: str) -> Scenario:
    return load_scenario(data_folder("scenarios") / "theory" / f"{name}.yaml", overrides)


def _lived(scenario: Scenario, seed: int) -> Market:
    market = open_market(scenario, seed, np.array([0]), keep_journal=False)
    for _ in range(scenario.horizon):
        advance(market)
    return market


def _share(name: str, expected: float, hits: float, trials: int) -> tuple[str, float, float, float]:
    """A share with its binomial standard error under the theory."""
    return name, expected, hits / trials, float(np.sqrt(expected * (1 - expected) / trials))


def _survival(at: Parameters, seed: int) -> list[tuple[str, float, float, float]]:
    """T1: Kaplan-Meier and Aalen-Johansen of the recorded spells against constant hazards."""
    rates, staff, weeks = [at["a"], at["b"], at["c"]], 20_000, 104
    years = weeks / WEEKS_PER_YEAR
    expected, incidences = theory.survival(rates, years), theory.cumulative_incidence(rates, years)
    causes = ("found", "academia", "field")
    changes = [f"market.exits.{cause}={rate} /year" for cause, rate in zip(causes, rates, strict=True)]
    tables = run_block(_scenario("survival", *changes), seed, [0])
    counted = spell_counts(tables["spells"], who="opening", weeks=weeks)
    survived = float(kaplan_meier(counted.at_risk, counted.ends)[0, weeks])
    incidence = aalen_johansen(counted.at_risk, counted.ends_by_cause)[0, :, weeks]
    found = [_share("S after 104 weeks", expected, survived * staff, staff)]
    return found + [
        _share(f"CIF {cause}", wanted, float(incidence[1 + k]) * staff, staff)
        for k, (cause, wanted) in enumerate(zip(causes, incidences, strict=True))
    ]


def _choice(at: Parameters, seed: int) -> list[tuple[str, float, float, float]]:
    """T2: shares of one choice between staying and two offers, and the same without the second."""
    alpha, staff = at["alpha"], 20_000
    utilities = np.array([at["stay"], at["first"], at["second"]])
    base = 1.0  # M USD a year; the utility of pay is alpha ln (1 + package / H)
    package = 4 * base * np.expm1((utilities[1:]) / alpha)
    if (package < 0).any():
        raise OutsideDomain("an offer's utility is below that of its base pay: no package is negative")
    changes = [f"market.choice.pay_elasticity={alpha}", f"market.choice.attachment_mean={at['stay']}"]
    caps = [
        f"events.{name}-offers.package_cap={cap:.6f}M USD"
        for name, cap in zip(("first", "second"), package, strict=True)
    ]
    both = _accepted(_scenario("choice", *changes, *caps), seed)
    alone = _accepted(_scenario("choice", *changes, caps[0], "events.second-offers.researchers=1"), seed + 1)
    shares = theory.logit_shares(utilities)
    without = theory.logit_shares(utilities[:2])
    return [
        _share("P first of two offers", float(shares[1]), both["first"], staff),
        _share("P second of two offers", float(shares[2]), both["second"], staff),
        _share("P stay", float(shares[0]), staff - both["first"] - both["second"], staff),
        _share("P first, second deleted (IIA)", float(without[1]), alone["first"], staff),
    ]


def _accepted(scenario: Scenario, seed: int) -> dict[str, int]:
    """How many accepted each lab's offers."""
    market = _lived(scenario, seed)
    lab = market.researchers.place
    return {name: int((lab == j).sum()) for j, name in enumerate(market.constants.lab_names)}


def _weekly(at: Parameters) -> tuple[float, float]:
    """Chances a week of an offer and of destruction."""
    contact = theory.weekly_probability(at["lambda"], WEEKS_PER_YEAR)
    return contact, theory.weekly_probability(at["delta"], WEEKS_PER_YEAR)


def _long_enough(at: Parameters, scenario: str) -> int:
    """Weeks after which less than e^-8 is left of the start."""
    if at["delta"] <= 0:
        raise OutsideDomain("delta must be above 0: without destruction everybody ends at the top")
    weeks = int(np.ceil(8 * WEEKS_PER_YEAR / at["delta"]))
    if weeks > 2000:
        raise OutsideDomain(
            f"delta {at['delta']:g} is too small: {scenario} would need {weeks} weeks to settle"
        )
    return weeks


def _job_ladder(at: Parameters, seed: int) -> list[tuple[str, float, float, float]]:
    """T3: twenty firms post the equilibrium wages; unemployment, the ladder's law, moves and pay."""
    ladder = JobLadder(at["p"], at["b"], at["lambda"], at["delta"])
    weekly = JobLadder(at["p"], at["b"], *_weekly(at), discrete=True)
    firms, people, weeks = 20, 40_000, _long_enough(at, "the ladder")
    wages = ladder.wage((np.arange(firms) + 0.5) / firms)
    changes = [f"labs.firm-{k + 1}.median_pay={wage:.8f}M USD/year" for k, wage in enumerate(wages)]
    scenario = _scenario(
        "job-ladder",
        f"market.contact.rate={at['lambda']} /year",
        f"market.contact.outside_rate={at['lambda']} /year",
        f"market.exits.academia={at['delta']} /year", f"market.entry.outside_pay={at['b']}M USD/year",
        f"horizon={weeks} weeks", *changes,
    )  # fmt: skip
    market, moves, staff = open_market(scenario, seed, np.array([0]), keep_journal=False), 0, 0
    for week in range(weeks):
        staff += int(market.labs.headcount.sum()) if week >= weeks - 52 else 0
        advance(market)
        moves += int(market.tally.from_rivals.sum()) if week >= weeks - 52 else 0
    place = market.researchers.place
    at_firm = np.bincount(place[place >= 0], minlength=firms)
    employed, share = int(at_firm.sum()), weekly.workers_at(firms)
    mean = float(share @ wages)
    spread = float(np.sqrt(share @ (wages - mean) ** 2 / employed))
    rate = weekly.moves_over(firms)
    found = [_share("u", weekly.unemployment, int((place == OUTSIDE).sum()), people)]
    for below in (firms // 4, firms // 2, 3 * firms // 4):
        name = f"G at F = {below / firms:g}"
        found.append(_share(name, float(share[:below].sum()), int(at_firm[:below].sum()), employed))
    return [
        *found,
        ("moves a week", rate, moves / staff, float(np.sqrt(rate / staff))),
        ("mean wage, M USD", mean, float(at_firm @ wages) / employed, spread),
    ]


def _auction(at: Parameters, seed: int) -> list[tuple[str, float, float, float]]:
    """T4: twenty firms bid against each other; pay is the loser's value."""
    firms, weeks = 20, _long_enough(at, "the auction")
    values = at["low"] + (np.arange(firms) + 0.5) / firms * (at["high"] - at["low"])
    auction = SequentialAuction(values, at["b"], *_weekly(at))
    changes = [f"labs.firm-{k + 1}.compute={value:.9f}" for k, value in enumerate(values)]
    scenario = _scenario(
        "auction",
        f"market.contact.rate={at['lambda']} /year",
        f"market.contact.outside_rate={at['lambda']} /year",
        f"market.exits.academia={at['delta']} /year", f"market.entry.outside_pay={at['b']}M USD/year",
        f"horizon={weeks} weeks", *changes,
    )  # fmt: skip
    market = _lived(scenario, seed)
    people = market.researchers
    pay = people.weekly_base[people.place >= 0] * WEEKS_PER_YEAR / 1e8
    pays, share = auction.pay_law()
    mean = auction.mean_pay
    spread = float(np.sqrt(share @ (pays - mean) ** 2 / len(pay)))
    middle = pays[len(pays) // 2] + 1e-4
    below = float(share[pays <= middle].sum())
    return [
        ("mean pay, M USD", mean, float(pay.mean()), spread),
        _share("share paid b", float(share[0]), int((pay < at["b"] + 1e-4).sum()), len(pay)),
        _share("share paid at most the middle value", below, int((pay <= middle).sum()), len(pay)),
        _share("u", auction.ladder.unemployment, int((people.place == OUTSIDE).sum()), len(people.place)),
    ]


def _core(at: Parameters, seed: int) -> list[tuple[str, float, float, float]]:
    """T5: one researcher and several labs: bids and counter-bids end at the second-highest value."""
    del seed
    values = np.array([at["first"], at["second"], at["third"]])
    if (np.diff(values) >= 0).any() or values[-1] <= 0:
        raise OutsideDomain("values must fall and be above 0")
    low, _ = theory.core_wages(values[None, :])
    pay, at_lab = 0.0, len(values) - 1
    for rival in range(len(values) - 2, -1, -1):  # the best comes last and wins
        bid = float(pricing.bid(values[rival], values[at_lab]))
        base = np.array([round(bid * 1e8)])
        kept = counteroffers.matched(
            base, np.array([round(pay * 1e8)]), np.array([bid]), np.array([values[at_lab]])
        )
        pay, at_lab = bid, at_lab if kept[0] >= 0 else rival
    return [("pay with three labs", float(low[0]), pay / (1 + pricing.TRIFLE), EXACT)]


def _pricing(at: Parameters, seed: int) -> list[tuple[str, float, float, float]]:
    """T10: the pricing rule against its closed form at alpha = 1, and against the best of a fine grid."""
    del seed
    v, r, alpha = at["v"], at["r"], at["alpha"]
    if min(v, r, alpha) <= 0:
        raise OutsideDomain("v, r and alpha must be above 0")
    one = float(worth.best_price(v, 0.0, 1.0, r, 1.0))
    grid = np.linspace(v * 1e-6, v, 2_000_001)
    numeric = float(grid[np.argmax((v - grid) * worth.acceptance(grid, r, alpha))])
    price = float(worth.best_price(v, 0.0, 1.0, r, alpha))
    linear = theory.linear_offer(v, r, 1.0)
    condition = linear - (v - 1 - float(lambertw(np.exp(v - r - 1)).real))
    return [
        ("w at alpha 1", theory.unit_elastic_offer(v, r), one, EXACT * v),
        ("w at alpha, numeric optimum", numeric, price, v * 1e-6),
        ("w of linear utility, Lambert form", 0.0, condition, EXACT * v),
    ]


def _cascade(at: Parameters, seed: int) -> list[tuple[str, float, float, float]]:
    """T11: sizes of cascades in which everybody who is asked follows, against their exact law."""
    m, ties, runs = at["m"], 16, 3000
    mean = theory.cascade_mean(m)
    market = open_market(_scenario("cascade", f"market.ties.invitations={m}"), seed, np.arange(runs), False)
    for _ in range(market.scenario.horizon):
        advance(market)
    sizes = market.labs.headcount[:, 1]
    spread = float(np.sqrt(m * (1 - m / ties) / (1 - m) ** 3 / runs))
    return [
        ("mean size", mean, float(sizes.mean()), spread),
        *(
            _share(f"P(size {n})", theory.cascade_binomial(m, ties, n), int((sizes == n).sum()), runs)
            for n in (1, 2, 3, 4)
        ),
    ]


def _vesting(at: Parameters, seed: int) -> list[tuple[str, float, float, float]]:
    """T12: vested shares and the kernel of a grant against the sum over months and the continuous form."""
    del seed
    length, cliff, r, h = int(at["months"]), int(at["cliff"]), at["r"], at["h"]
    if not 0 <= cliff <= length or length < 1:
        raise OutsideDomain("the cliff must lie within the vesting time")
    monthly = cliff / length * np.exp(-(r + h) * cliff / 12) + sum(
        np.exp(-(r + h) * m / 12) / length for m in range(cliff + 1, length + 1)
    )
    kernel = worth.grant_kernel(r, h, length, cliff)
    fine = worth.grant_kernel(r / 1000, h / 1000, length * 1000, cliff * 1000)
    continuous = theory.grant_value(r + h, length / 12, cliff / 12)
    before = float(worth.vested_share(cliff - 1, length, cliff)) if cliff else 0.0
    return [
        ("kernel, monthly", float(monthly), kernel, EXACT),
        ("kernel, continuous limit", continuous, fine, 1e-4),
        ("vested a month before the cliff", 0.0, before, EXACT),
        ("vested at the cliff", cliff / length, float(worth.vested_share(cliff, length, cliff)), EXACT),
        ("vested at the end", 1.0, float(worth.vested_share(length, length, cliff)), EXACT),
    ]


_ALL = (
    Oracle(
        "T1", "Survival and competing risks", "Aalen and Johansen 1978", {"a": 0.12, "b": 0.05, "c": 0.03},
        _survival, ({"a": 0.3, "b": 0.02, "c": 0.1}, {"a": 0.05, "b": 0.05, "c": 0.6}),
    ),
    Oracle(
        "T2", "Logit choice", "McFadden 1974", {"alpha": 2.0, "stay": 0.0, "first": 1.0, "second": 0.5},
        _choice,
        ({"alpha": 1.0, "stay": 2.327278, "first": 0.4, "second": 0.0},
         {"alpha": 3.0, "stay": -1.0, "first": 0.2, "second": 1.5}),
    ),
    Oracle(
        "T3", "The job ladder", "Burdett and Mortensen 1998",
        {"p": 1.0, "b": 0.4, "lambda": 5.0, "delta": 1.0}, _job_ladder,
        ({"lambda": 2.0}, {"p": 2.0, "b": 0.5, "lambda": 8.0, "delta": 2.0}),
    ),
    Oracle(
        "T4", "Sequential auctions, myopic", "Postel-Vinay and Robin 2002",
        {"low": 1.0, "high": 2.0, "b": 0.6, "lambda": 3.0, "delta": 1.0}, _auction,
        ({"b": 0.9, "lambda": 6.0}, {"high": 5.0, "delta": 2.0}),
    ),
    Oracle(
        "T5", "The core, one researcher", "Shapley and Shubik 1971",
        {"first": 10.0, "second": 7.0, "third": 4.0}, _core,
        ({"first": 3.0, "second": 2.5, "third": 1.0}, {"first": 100.0, "second": 1.0, "third": 0.5}),
    ),
    Oracle(
        "T10", "Offer pricing", "first-order condition; Lambert's W",
        {"v": 3.0, "r": 1.0, "alpha": 2.0}, _pricing,
        ({"v": 10.0, "r": 6.0, "alpha": 3.0}, {"v": 2.0, "r": 30.0, "alpha": 1.5}),
    ),
    Oracle(
        "T11", "Cascades of team moves", "Borel 1942; Dwass 1969",
        {"m": 0.3}, _cascade, ({"m": 0.1}, {"m": 0.6}),
    ),
    Oracle(
        "T12", "Vesting", "present value of a step function",
        {"months": 48, "cliff": 12, "r": 0.10, "h": 0.15}, _vesting,
        ({"months": 48, "cliff": 0, "r": 0.05, "h": 0.3}, {"months": 36, "cliff": 6, "r": 0.1, "h": 0.0}),
    ),
)  # fmt: skip
ORACLES: dict[str, Oracle] = {oracle.name: oracle for oracle in _ALL}
