"""A scenario at the points of a design, under the same random numbers, in memory.

design = pandas.DataFrame({"events.campaign.package_cap [USD]": [2e7, 1e8, 3e8]})
found = sim.sweep("meta-2025", design, runs=50)
found.table                                # a row for each figure at each point: mean, standard error, ...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sim.analysis import compare as comparing
from sim.analysis.ensemble import Ensemble
from sim.experiments.comparison import measured
from sim.experiments.designs import ScenarioLike, sweep_of
from sim.experiments.values import points_of, with_numbers
from sim.market.simulate import Progress
from sim.system.tables import frame
from sim.system.whole_numbers import MOST_JOBS, whole_number

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Sweep:
    """A scenario at many points, under the same random numbers.

    Attributes:
        points: the values set, by path, as a scenario writes them; a point a variant.
        ensembles: what was measured at each point, run by run, by the name of the variant.
    """

    points: tuple[dict[str, str], ...]
    ensembles: dict[str, Ensemble]

    @property
    def rows(self) -> Any:
        """`table` as a pyarrow table, which is that of `sweep.parquet`."""
        pairs = zip(self.ensembles.items(), self.points, strict=True)
        rows = [comparing.sweep_rows(name, point, ensemble) for (name, ensemble), point in pairs]
        return with_numbers(pa.concat_tables(rows), self.points[0])

    @property
    def table(self) -> pd.DataFrame:
        """One row a figure of each point, whose values stand as text and, with their unit, as numbers."""
        return frame(self.rows)


def sweep(
    scenario: ScenarioLike,
    design: Any,
    paths: Sequence[str] | None = None,
    *,
    runs: int = 200,
    seed: int = 1,
    overrides: Sequence[str] = (),
    jobs: int = 1,
    progress: Progress | None = None,
) -> Sweep:
    """Run a scenario at every point of a design under the same random numbers.

    Args:
        scenario: a scenario, a shipped scenario's name, or a path.
        design: a row a point and a column a path, as pandas, SALib and `scipy.stats.qmc` give it.
        paths: dotted paths of the columns, for a design that does not name them; a path may give the unit of
            bare numbers, as `events.campaign.package_cap [USD]` does.
        runs: how many markets at each point; only figures of them are kept.
        seed: seed of the ensembles.
        overrides: `path=value` each, applied at every point.
        jobs: processes; the result does not depend on it.
        progress: called with the number of runs that have just finished.

    Raises:
        ScenarioError: if the scenario cannot be read or a point does not fit it.
        ValueError: if the design is none, two points are the same scenario, or `runs`, `seed` or `jobs` is no
            whole number within its limits.
    """
    jobs = whole_number(jobs, "jobs", 1, MOST_JOBS)
    experiment = sweep_of(scenario, points_of(design, paths), overrides, runs=runs, seed=seed)
    return Sweep(experiment.design, measured(experiment, jobs, progress))
