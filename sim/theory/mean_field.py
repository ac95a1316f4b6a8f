"""The mean-field twin: deterministic weekly equations for a market in which all researchers are alike.

It stands beside the agents in `scenarios/theory/mean-field.yaml`: labs post pay and approach people in
proportion to their staff, everybody has the same attachment, and there are no ties and no budgets that
bind. Expected headcounts then follow difference equations, exact as the number N of people grows: the
agents' distance from them falls with 1 / sqrt(N). With people who differ a twin of the average person is
wrong by an amount that no N removes.

A taste lasts a spell's whole year, so who has declined a lab declines it again until the year is over. The
twin therefore keeps, for each place and week of arrival, how many accept which set of other labs.

Source: Kurtz 1970 (density-dependent Markov chains and their differential equations). Unit of time: the week.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt

import numpy as np

from sim.market.opening import open_market
from sim.market.week import advance
from sim.scenario.figures import data_folder
from sim.scenario.loading import load_scenario
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.scenario.schema import Scenario
from sim.system.arrays import Floats
from sim.theory.closed_forms import weekly_probability

SIZES = (1_000, 4_000, 16_000, 64_000)
RUNS = (64, 32, 16, 8)
SHARES = {"labs.frugal.staff": 0.6, "labs.generous.staff": 0.4}  # nobody outside: the plan opens in week 1
HETEROGENEITY = (
    "market.talent.cap=12",
    "market.contact.visibility_exponent=0.5",
    "market.choice.attachment_sd=2",
)


@dataclass(frozen=True)
class Distance:
    """How far the agents are from their mean field at one size.

    Attributes:
        people: N.
        runs: over which the error is taken.
        error: root mean square over runs, weeks and labs of headcount / N, less the twin's.
        bias: the same of the runs' mean: what averaging over runs does not remove.
    """

    people: int
    runs: int
    error: float
    bias: float

    @property
    def scaled(self) -> float:
        """Error times the square root of N."""
        return self.error * sqrt(self.people)


def market_of(people: int, heterogeneous: bool = False) -> Scenario:
    """The twin's market with so many people, alike or not."""
    heads = [f"{path}={round(share * people)}" for path, share in SHARES.items()]
    path = data_folder("scenarios") / "theory" / "mean-field.yaml"
    return load_scenario(path, [*heads, *(HETEROGENEITY if heterogeneous else ())])


def expected_headcounts(scenario: Scenario) -> Floats:
    """Headcount of each lab after each week by the mean field, as a share of all people: (weeks, labs)."""
    labs = list(scenario.labs.values())
    staff = np.array([lab.staff for lab in labs] + [scenario.market.entry.outside], float)
    everyone, odds = staff / staff.sum(), _odds(scenario)
    contact = scenario.market.contact
    met = [weekly_probability(contact.rate, WEEKS_PER_YEAR)] * len(labs)
    met.append(weekly_probability(contact.outside_rate, WEEKS_PER_YEAR))
    lost = weekly_probability(scenario.market.exits.academia, WEEKS_PER_YEAR)
    places = [_Place(j, odds[j], met[j], lost if j < len(labs) else 0.0) for j in range(len(labs) + 1)]
    for j, place in enumerate(places):
        place.arrive(everyone[j], -1 if j < len(labs) else 0)
    found = np.zeros((scenario.horizon, len(labs)))
    for week in range(scenario.horizon):
        now = np.array([place.total for place in places[:-1]])
        arrivals = np.zeros(len(places))
        for place in places:
            moved, left = place.live(week, now / now.sum())
            arrivals[:-1] += moved
            arrivals[-1] += left
        for arrived, place in zip(arrivals, places, strict=True):
            place.arrive(float(arrived), week)
        found[week] = [place.total for place in places[:-1]]
    return found


def _odds(scenario: Scenario) -> Floats:
    """e^(U of each lab less U of staying), but for tastes, at each place; the last row is outside."""
    choice = scenario.market.choice
    pay = np.array([lab.median_pay for lab in scenario.labs.values()] + [scenario.market.entry.outside_pay])
    bond = np.append(np.full(len(pay) - 1, choice.attachment_mean), 0.0)
    gain = choice.pay_elasticity * np.log(pay[None, :-1] / pay[:, None]) - bond[:, None]
    return np.asarray(np.exp(gain / choice.taste_scale))


class _Place:
    """The people at a lab, or outside, by week of arrival and by the set of other labs they would accept."""

    def __init__(self, number: int, odds: Floats, met: float, lost: float) -> None:
        others = [k for k in range(len(odds)) if k != number]
        self.sets = [s for n in range(len(others) + 1) for s in combinations(others, n)]
        self.chance = np.array([_exactly(s, others, odds) for s in self.sets])
        self.accepts = np.array([[float(k in s) for k in range(len(odds))] for s in self.sets])
        self.met, self.lost = met, lost
        self.cohorts: dict[int, Floats] = {}

    @property
    def total(self) -> float:
        """Everybody here."""
        return float(sum(cohort.sum() for cohort in self.cohorts.values()))

    def arrive(self, people: float, week: int) -> None:
        """People come whose tastes are new."""
        self.cohorts[week] = self.cohorts.get(week, 0.0) + people * self.chance

    def live(self, week: int, share: Floats) -> tuple[Floats, float]:
        """A week: who has moved to which lab, and who has left by hazard, who decides no more."""
        moved, left = np.zeros(len(share)), 0.0
        for start, cohort in self.cohorts.items():
            before, now = ((t - start) // WEEKS_PER_YEAR for t in (week - 1, week))
            if now > before >= 0:
                cohort = cohort.sum() * self.chance  # a new year of tenure, and new tastes
            left += self.lost * cohort.sum()
            kept = (1 - self.lost) * cohort
            going = kept[:, None] * self.accepts * self.met * share
            moved += going.sum(axis=0)
            self.cohorts[start] = kept - going.sum(axis=1)
        return moved, left


def _exactly(accepted: Sequence[int], others: Sequence[int], odds: Floats) -> float:
    """Chance that just the labs `accepted` beat staying, by inclusion and exclusion of logit chances."""
    rest = sum(odds[k] for k in others if k not in accepted)
    subsets = [s for n in range(len(accepted) + 1) for s in combinations(accepted, n)]
    return float(sum((-1) ** len(s) / (1 + rest + sum(odds[k] for k in s)) for s in subsets))


def distances(
    sizes: Sequence[int] = SIZES, runs: Sequence[int] = RUNS, heterogeneous: bool = False, seed: int = 1
) -> Iterator[Distance]:
    """The agents' distance from the mean field of people who are alike, size by size."""
    for people, count in zip(sizes, runs, strict=True):
        wanted = expected_headcounts(market_of(people))
        seen = _headcounts(market_of(people, heterogeneous), seed, count) / people
        error = seen - wanted[:, None, :]
        yield Distance(
            people,
            count,
            float(np.sqrt((error**2).mean())),
            float(np.sqrt((error.mean(axis=1) ** 2).mean())),
        )


def _headcounts(scenario: Scenario, seed: int, runs: int) -> Floats:
    """Headcounts after each week: (weeks, runs, labs)."""
    market = open_market(scenario, seed, np.arange(runs), keep_all=False)
    found = []
    for _ in range(scenario.horizon):
        advance(market)
        found.append(market.labs.headcount.astype(float))
    return np.array(found)
