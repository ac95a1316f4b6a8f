"""A figure of theory beside the market's: how far apart, in standard errors, and whether that is chance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import inf, isfinite
from typing import Any

import numpy as np

LARGEST_Z = 4.0
LEAST_COUNT = 25  # expected at a point of a curve, and of its contrary: fewer are far from normal


@dataclass(frozen=True)
class Check:
    """One figure of an oracle: what theory says, what the market says, and how far apart they are.

    Attributes:
        figure: what is compared.
        expected: by theory, in the discrete-time form where the weekly clock needs it.
        simulated: by the market.
        standard_error: of `simulated` under the theory; for an exact figure the tolerance.
        textbook: what the textbook's limit (continuous time, infinitely many ties) says in place of
            `expected`.
        curve: the curve on which the figure is a point, if it is one.
        x: where on that curve.
        oracle: name of the oracle.
        setting: its parameters, in words.
    """

    figure: str
    expected: float
    simulated: float
    standard_error: float
    textbook: float | None = None
    curve: str = ""
    x: float | None = None
    oracle: str = ""
    setting: str = ""

    @property
    def z(self) -> float:
        """Distance in standard errors; for an exact figure, in units of the tolerance."""
        return self._errors_from(self.expected, self.simulated)

    @property
    def textbook_z(self) -> float | None:
        """By how many standard errors the textbook's limit misses `expected`."""
        return None if self.textbook is None else self._errors_from(self.expected, self.textbook)

    @property
    def passed(self) -> bool:
        """Whether |z| is below `LARGEST_Z`; nan fails."""
        return abs(self.z) < LARGEST_Z

    def as_dict(self) -> dict[str, Any]:
        """For JSON, which has no infinity: a figure that must be met exactly and is not has no z."""
        z = self.z if isfinite(self.z) else None
        verdict = "agrees" if self.passed else "falls short"
        return asdict(self) | {"z": z, "textbook_z": self.textbook_z, "verdict": verdict}

    def _errors_from(self, origin: float, value: float) -> float:
        if value == origin:
            return 0.0
        return (value - origin) / self.standard_error if self.standard_error else inf


def share_check(
    name: str, expected: float, hits: float, trials: int, textbook: float | None = None,
    curve: str = "", x: float | None = None,
) -> Check:  # fmt: skip
    """A share with its binomial standard error under the theory."""
    spread = float(np.sqrt(max(expected * (1 - expected), 0.0) / trials))
    return Check(name, float(expected), hits / trials, spread, textbook, curve, x)


def curve_checks(
    name: str, at: Iterable[float], expected: Iterable[float], hits: Iterable[float], trials: int,
    textbook: Iterable[float] | None = None,
) -> list[Check]:  # fmt: skip
    """Shares along a curve, each with its binomial standard error; points of few cases are left out."""
    said = textbook if textbook is not None else [None for _ in expected]
    points = zip(at, expected, hits, said, strict=True)
    return [
        share_check(f"{name} {x:.4g}", wanted, float(hit), trials, limit, name, float(x))
        for x, wanted, hit, limit in points
        if min(wanted, 1 - wanted) * trials >= LEAST_COUNT
    ]
