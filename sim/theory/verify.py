"""The market against theory: each oracle runs a limiting case and compares it with its closed form.

With other parameters both theory and simulation follow. A random figure is compared by z = (simulated -
expected) / its standard error under the theory; a figure of a pure rule must agree to a tolerance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import inf, isfinite, isnan

from sim.theory import oracles, trade
from sim.theory.cases import Parameters
from sim.theory.checks import Check
from sim.theory.closed_forms import OutsideDomain


@dataclass(frozen=True)
class Oracle:
    """A limiting case: its defaults, and what to run with some parameters and a seed.

    Attributes:
        name: such as "T3".
        title: what it is about.
        source: who has the formula.
        defaults: parameters, by the names of `--set`.
        run: the figures for some parameters and a seed.
        other_settings: further parameters at which it must hold, in place of some defaults.
    """

    name: str
    title: str
    source: str
    defaults: Parameters
    run: Callable[[Parameters, int], list[Check]]
    other_settings: Sequence[Parameters] = field(default_factory=tuple)

    def at(self, parameters: Parameters) -> Parameters:
        """All parameters: those given, and the defaults of the others.

        Raises:
            OutsideDomain: for one that the oracle does not have, or that is not a number.
        """
        if unknown := set(parameters) - set(self.defaults):
            raise OutsideDomain(
                f"{self.name} ({self.title}) has no {', '.join(sorted(unknown))}; it has "
                f"{', '.join(self.defaults)} (--only chooses an oracle)"
            )
        if endless := [name for name, value in parameters.items() if not isfinite(value)]:
            raise OutsideDomain(f"{self.name}: {', '.join(endless)} must be a finite number")
        return {**self.defaults, **parameters}

    def check(self, parameters: Parameters, seed: int) -> list[Check]:
        """All figures of the oracle.

        Raises:
            OutsideDomain: if the parameters lie where the theory says nothing.
        """
        known = self.at(parameters)
        setting = ", ".join(f"{name} {value:g}" for name, value in known.items())
        try:
            found = self.run(known, seed)
        except OutsideDomain as error:
            raise OutsideDomain(f"{self.name}: {error}") from error
        return [replace(check, oracle=self.name, setting=setting) for check in found]


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
    for oracle in chosen:
        oracle.at(parameters or {})  # what one of them refuses is said before any of them runs
    return [check for oracle in chosen for check in oracle.check(parameters or {}, seed)]


def headlines(checks: Sequence[Check]) -> list[Check]:
    """The checks with each curve as one line: the point that lies farthest from theory."""
    curves: dict[tuple[str, str], list[Check]] = {}
    for check in checks:
        curves.setdefault((check.oracle, check.curve or check.figure), []).append(check)
    return [_farthest(points) for points in curves.values()]


def _farthest(points: list[Check]) -> Check:
    worst = max(points, key=lambda check: inf if isnan(check.z) else abs(check.z))
    return replace(worst, figure=f"{worst.figure}, {len(points)} points") if worst.curve else worst


_ALL = (
    Oracle(
        "T1", "Survival and competing risks", "Aalen and Johansen 1978", {"a": 0.12, "b": 0.05, "c": 0.03},
        oracles.survival, ({"a": 0.3, "b": 0.02, "c": 0.1}, {"a": 0.05, "b": 0.05, "c": 0.6}),
    ),
    Oracle(
        "T2", "Logit choice", "McFadden 1974", {"alpha": 2.0, "stay": 0.0, "first": 1.0, "second": 0.5},
        oracles.choice,
        ({"alpha": 1.0, "stay": 2.327278, "first": 0.4, "second": 0.0},
         {"alpha": 3.0, "stay": -1.0, "first": 0.2, "second": 1.5}),
    ),
    Oracle(
        "T3", "The job ladder", "Burdett and Mortensen 1998",
        {"p": 1.0, "b": 0.4, "lambda": 5.0, "delta": 1.0}, oracles.job_ladder,
        ({"lambda": 2.0}, {"p": 2.0, "b": 0.5, "lambda": 8.0, "delta": 2.0}),
    ),
    Oracle(
        "T4", "Sequential auctions, myopic", "Postel-Vinay and Robin 2002",
        {"low": 1.0, "high": 2.0, "b": 0.6, "lambda": 3.0, "delta": 1.0}, oracles.auction,
        ({"b": 0.9, "lambda": 6.0}, {"high": 5.0, "delta": 2.0}),
    ),
    Oracle(
        "T5", "The core, one researcher", "Shapley and Shubik 1971",
        {"first": 10.0, "second": 7.0, "third": 4.0}, oracles.core,
        ({"first": 3.0, "second": 2.5, "third": 1.0}, {"first": 100.0, "second": 1.0, "third": 0.5}),
    ),
    Oracle(
        "T10", "Offer pricing", "first-order condition; Lambert's W",
        {"v": 3.0, "r": 1.0, "alpha": 2.0}, oracles.prices,
        ({"v": 10.0, "r": 6.0, "alpha": 3.0}, {"v": 2.0, "r": 30.0, "alpha": 1.5}),
    ),
    Oracle(
        "T11", "Cascades of team moves", "Borel 1942; Dwass 1969",
        {"m": 0.3}, oracles.cascade, ({"m": 0.1}, {"m": 0.6}),
    ),
    Oracle(
        "T12", "Vesting", "present value of a step function",
        {"months": 48, "cliff": 12, "r": 0.10, "h": 0.15}, oracles.vesting,
        ({"months": 48, "cliff": 0, "r": 0.05, "h": 0.3}, {"months": 36, "cliff": 6, "r": 0.1, "h": 0.0}),
    ),
    Oracle(
        "T13", "Interest and acceptance", "McFadden's logit, asked twice",
        {"alpha": 2.0, "gap": -1.5, "slack": 1.1, "delta": 0.4, "sd": 1.3}, trade.interest,
        ({"alpha": 1.0, "gap": -2.5, "slack": 2.0, "delta": -0.5}, {"slack": 2.5, "delta": 0.8, "sd": 3.0}),
    ),
    Oracle(
        "T14", "Pricing after interviews", "first-order condition",
        {"v": 1.5, "r": 1.0, "rho": 0.17}, trade.interview_prices,
        ({"v": 3.0, "rho": 0.5}, {"v": 0.8, "r": 0.4, "rho": 0.05}),
    ),
    Oracle(
        "T15", "Hires against money", "an account and its price",
        {"inflow": 200.0, "package": 4.0}, trade.money,
        ({"package": 11.3}, {"inflow": 31.0, "package": 0.37}),
    ),
    Oracle(
        "T16", "Exits around a cliff", "cumulative hazard",
        {"h": 0.12, "beta": 0.7}, trade.exits, ({"beta": 0.0}, {"h": 0.3, "beta": 1.4}),
    ),
    Oracle(
        "T17", "Tenure in a lab that grows", "Lotka 1907",
        {"h": 0.2, "g": 0.5, "age": 7.0}, trade.tenure,
        ({"g": 0.0, "age": 12.5}, {"h": 0.1, "g": 1.2, "age": 2.5}),
    ),
    Oracle(
        "T18", "Approaches of former labs", "a mixture of two draws",
        {"p": 0.09, "ratio": 2.0}, trade.alumni, ({"p": 0.0}, {"p": 0.5, "ratio": 1.0}),
    ),
    Oracle(
        "T19", "Ties of those who moved", "McFadden's logit, a decaying shift",
        {"gap": -1.0, "shake": 0.6, "fade": 8.0}, trade.ties,
        ({"gap": 0.5, "shake": 0.2, "fade": 3.0}, {"gap": -2.0, "shake": 1.2, "fade": 20.0}),
    ),
)  # fmt: skip
ORACLES: dict[str, Oracle] = {oracle.name: oracle for oracle in _ALL}
