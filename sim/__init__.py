"""Simulate the market for AI talent: labs, offers, counter-offers, moves and retention.

    import sim

    result = sim.run("meta-2025", runs=50)
    result.plot_hiring()

The public names are those of `__all__`; they are loaded when first used, so that the import is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sim.system.version import __version__ as __version__

if TYPE_CHECKING:
    from sim.experiments.comparison import compare
    from sim.experiments.results import Result, ResultError, run
    from sim.experiments.sweeping import sweep
    from sim.model import Lab, Researcher, TalentMarket
    from sim.scenario.errors import ScenarioError
    from sim.scenario.loading import change_scenario, dump_scenario, load_scenario, scenario_names

_HOMES = {
    "load_scenario": "sim.scenario.loading",
    "change_scenario": "sim.scenario.loading",
    "dump_scenario": "sim.scenario.loading",
    "scenario_names": "sim.scenario.loading",
    "ScenarioError": "sim.scenario.errors",
    "run": "sim.experiments.results",
    "compare": "sim.experiments.comparison",
    "sweep": "sim.experiments.sweeping",
    "Result": "sim.experiments.results",
    "ResultError": "sim.experiments.results",
    "TalentMarket": "sim.model",
    "Lab": "sim.model",
    "Researcher": "sim.model",
}

__all__ = [  # noqa: RUF022 - in the order of use
    "load_scenario",
    "change_scenario",
    "dump_scenario",
    "scenario_names",
    "ScenarioError",
    "run",
    "compare",
    "sweep",
    "Result",
    "ResultError",
    "TalentMarket",
    "Lab",
    "Researcher",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'sim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
