"""Scenarios run under the same random numbers, beside one another in memory.

found = sim.compare("meta-2025", "no-scale-deal", runs=200)
found.table                                # a row for each figure: difference, interval, sign, narrowing
found.plot()
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sim.analysis import compare as comparing
from sim.analysis.ensemble import Ensemble, join, measure
from sim.experiments.chunks import Chunk, cut, cut_together, cut_variant, scenarios_of, size_for
from sim.experiments.designs import ScenarioLike, comparison_of
from sim.experiments.request import Experiment
from sim.market import simulate
from sim.market.simulate import Progress
from sim.scenario.schema import Scenario
from sim.system.executors import LOCAL, computed
from sim.system.tables import frame
from sim.system.whole_numbers import MOST_JOBS, whole_number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Comparison:
    """Scenarios run under the same random numbers, the others beside the first.

    Attributes:
        scenarios: by name, the first is the one that the others are compared with.
        ensembles: what was measured of each, run by run.
    """

    scenarios: dict[str, Scenario]
    ensembles: dict[str, Ensemble]

    @cached_property
    def rows(self) -> Any:
        """`table` as a pyarrow table."""
        (name, base), *others = self.ensembles.items()
        return pa.concat_tables([comparing.paired(name, base, *other) for other in others])

    @property
    def table(self) -> pd.DataFrame:
        """One row a figure of each other scenario: see `sim.analysis.compare.paired`."""
        return frame(self.rows)

    @property
    def notes(self) -> list[str]:
        """What could not be compared, in words."""
        return comparing.not_shared(self.ensembles)

    @property
    def chance(self) -> dict[str, comparing.Chance]:
        """For each other scenario, how many main figures differ, and how many would seem to by chance."""
        rows = self.rows.to_pylist()
        others = list(self.ensembles)[1:]
        return {name: comparing.chance(row for row in rows if row["other"] == name) for name in others}

    def plot(self, other: str | None = None, ax: Axes | None = None) -> Axes:
        """How the difference in cumulative hires grows, by lab: median and 90 % band over runs."""
        from sim.report import differences

        (base, ours), *others = self.ensembles.items()
        name = others[0][0] if other is None else other
        path = comparing.hires_path(ours, self.ensembles[name])
        return differences.plot_difference(self.scenarios[base], base, name, path, len(ours.runs), ax)


def compare(
    *scenarios: ScenarioLike,
    runs: int = 200,
    seed: int = 1,
    overrides: Sequence[str] = (),
    jobs: int = 1,
    progress: Progress | None = None,
) -> Comparison:
    """Run scenarios under the same random numbers and compare the others with the first, run by run.

    Args:
        scenarios: two or more scenarios, shipped scenarios' names, or paths.
        runs: how many markets of each; only figures of them are kept.
        seed: seed of the ensembles.
        overrides: `path=value` each, applied to every scenario.
        jobs: processes; the result does not depend on it.
        progress: called with the number of runs that have just finished.

    Raises:
        ScenarioError: if a scenario cannot be read.
        ValueError: if there are fewer than two scenarios, or `runs`, `seed` or `jobs` is no whole number
            within its limits.
    """
    jobs = whole_number(jobs, "jobs", 1, MOST_JOBS)
    experiment = comparison_of(scenarios, overrides, runs=runs, seed=seed)
    ensembles = measured(experiment, jobs, progress, shared_horizon(experiment))
    return Comparison({name: r.scenario for name, r in experiment.variants.items()}, ensembles)


def measured(
    experiment: Experiment, jobs: int, progress: Progress | None = None, weeks: int | None = None
) -> dict[str, Ensemble]:
    """The measure of each variant of an experiment, by name.

    Args:
        experiment: what to compute.
        jobs: processes; the result does not depend on it.
        progress: called with the number of runs that have just finished.
        weeks: how many weeks are measured; by default all that a variant has.
    """
    size, seed = size_for(experiment, jobs), experiment.first.seed
    work = cut_together(experiment, cut(experiment, size))
    tasks = [(scenarios_of(experiment, some), seed, some[0].runs, weeks) for some in work]
    done: dict[Chunk, Ensemble] = {}
    with closing(computed(measured_together, tasks, LOCAL, jobs)) as found:
        for number, measures in found:
            done |= zip(work[number], measures, strict=True)
            if progress is not None:
                progress(sum(len(chunk.runs) for chunk in work[number]))
    return {
        name: join([done[chunk] for chunk in cut_variant(experiment, name, size)])
        for name in experiment.variants
    }


def measured_together(
    scenarios: Sequence[Scenario], seed: int, runs: Sequence[int], weeks: int | None
) -> list[Ensemble]:
    """The measures of some runs of scenarios of one world, up to a week if one is given."""
    found = simulate.run_together(scenarios, seed, runs, False)
    measures = {number: measured_over(scenarios[number], tables, weeks) for number, tables in found}
    return [measures[number] for number in range(len(scenarios))]


def measured_over(scenario: Scenario, tables: dict[str, Any], weeks: int | None) -> Ensemble:
    """The measure of some runs, up to a week if one is given, from their recorded tables."""
    whole = weeks is None or weeks == scenario.horizon
    return measure(scenario, tables if whole else comparing.cut(tables, weeks or 0))


def shared_horizon(experiment: Experiment) -> int:
    """Weeks that all variants have."""
    return min(request.scenario.horizon for request in experiment.variants.values())
