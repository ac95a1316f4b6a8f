"""One run of a scenario as a Mesa model.

Agents are thin views of the columns, so `AgentSet`, `DataCollector`, `batch_run` and `SolaraViz` work on
them while the rules stay vectorised. `step()` is one week. A run stepped here equals the same run of an
ensemble, bit for bit: no draw depends on agents being there.

    model = TalentMarket("meta-2025", seed=1, run=7)
    model.run_for(52)
    model.agents_by_type[Lab].get("headcount")
"""

from __future__ import annotations

import copy
import inspect
import os
from collections.abc import Mapping
from datetime import date, timedelta
from operator import attrgetter
from typing import Any, Self

import mesa
import numpy as np
from mesa.experimental.scenarios import Scenario as MesaScenario

from sim.market import simulate
from sim.market.draws import run_keys
from sim.market.opening import open_market
from sim.market.record import Recorder
from sim.market.state import OUTSIDE, UNBORN, Behaviour
from sim.market.week import advance
from sim.model.agents import Lab, Researcher
from sim.model.arguments import arguments_like, arguments_of, seed_from
from sim.model.behaviours import LAB_RULES, Asked, Chooser, Interested
from sim.model.seen import SeenByAgents
from sim.scenario.loading import load_scenario
from sim.scenario.schema import Scenario
from sim.system.whole_numbers import whole_number

MOST_RUNS = 1_000_000
COLLECTED = ("name", "headcount", "hires", "departures")


class TalentMarket(SeenByAgents):
    """One run of a scenario as a Mesa model.

    Args:
        scenario: a scenario, a shipped scenario's name or a path, by default meta-2025; or a Mesa scenario
            whose attributes are named as these arguments.
        seed: seed of the ensemble that the run belongs to, 0 to 2**64 - 1. Without one a fresh seed is drawn,
            and `seed` says which.
        run: number of the run, by default 0.
        rng: Mesa's word for a seed; `rng=n` means seed n. Generators and seed sequences give a seed.
        agents: make agents for labs and researchers, as by default; else the columns alone remain.
        labs: your own class of `Lab` for some labs, by name.
        researcher: your own class of `Researcher` for all researchers.

    Raises:
        ScenarioError: if the scenario cannot be read.
        ValueError: if a seed or run is none, both `seed` and `rng` are given, `labs` names an unknown lab or
            holds no classes of labs, or agents of one's own are asked for without agents.
    """

    def __init__(
        self,
        scenario: Scenario | MesaScenario[Any] | str | os.PathLike[str] | None = None,
        seed: Any = None,
        run: int | None = None,
        rng: Any = None,
        agents: bool | None = None,
        labs: Mapping[str, type[Lab]] | None = None,
        researcher: type[Researcher] | None = None,
    ) -> None:
        given = arguments_of(
            scenario, seed=seed, run=run, rng=rng, agents=agents, labs=labs, researcher=researcher
        )
        self.seed = seed_from(given.get("seed", given.get("rng")))
        self.run_number = whole_number(given["run"], "run", 0, MOST_RUNS - 1)
        super().__init__(rng=int(run_keys(self.seed, np.array([self.run_number]))[0] >> np.uint64(33)))
        self.talent_scenario = loaded(given["scenario"])
        given["scenario"] = self.talent_scenario
        self.scenario = scenario if isinstance(scenario, MesaScenario) else arguments_like(given)
        self.market = open_market(self.talent_scenario, self.seed, np.array([self.run_number], np.int64))
        self.recorder = Recorder.ready()
        self.with_agents = bool(given["agents"])
        self._known: list[Researcher] = []
        self.removed = np.zeros_like(self.market.tally.left)
        self._researcher: type[Researcher] = given.get("researcher", Researcher)
        own = own_labs(given.get("labs", {}), self._researcher, self.talent_scenario, self.with_agents)
        if self.with_agents:
            for index, name in enumerate(self.talent_scenario.labs):
                self._adopt(own.get(name, Lab)(self, index))
            self._register_newcomers()
            self._listen_to_researchers()
        self.datacollector = mesa.DataCollector(
            model_reporters={"seed": "seed", "employed": "employed", "outside": "outside"},
            agenttype_reporters=self._lab_reporters() or None,
        )
        self.datacollector.collect(self)

    @property
    def today(self) -> date:
        """First day of the week to come."""
        return self.talent_scenario.start + timedelta(weeks=self.week)

    @property
    def employed(self) -> int:
        """Researchers at labs."""
        return int(self.market.labs.headcount.sum())

    @property
    def outside(self) -> int:
        """Researchers outside the labs who can be hired."""
        return int((self.market.researchers.place == OUTSIDE).sum())

    def step(self) -> None:
        """Live through one week; after the horizon nothing happens."""
        if self.over:
            self.running = False
            return
        advance(self.market)
        self.market.tally.left += self.removed
        self.removed[:] = 0
        self.recorder.observe(self.market)
        if self.with_agents:
            self._register_newcomers()
        self.datacollector.collect(self)
        self.running = not self.over

    def tables(self) -> dict[str, Any]:
        """The recorded tables so far (pyarrow, by name), as `sim.market.simulate` gives them for this run.

        Raises:
            ValueError: before the first week.
        """
        if self.week == 0:
            raise ValueError("nothing is recorded before the first week; call step() first")
        return simulate.collect(self.market, self.recorder)

    def remove_all_agents(self) -> None:
        """Everybody leaves and every lab closes; after the last week the agents go, and the books stay."""
        for agent in self.agents.to_list():
            if self.over:
                self.deregister_agent(agent)
            else:
                agent.remove()
        self.data_registry.close()  # as Mesa does, so that the memory is freed

    def __copy__(self) -> Self:
        """A market of its own: two models on the same columns would live one life."""
        return copy.deepcopy(self)

    def _register_newcomers(self) -> None:
        """Make agents of those who have entered the market; ids rise in the order of entry."""
        present = int((self.market.researchers.place != UNBORN).sum())
        self._known += [self._researcher(self, row) for row in range(len(self._known), present)]

    def _adopt(self, lab: Lab) -> None:
        """Let the market call the behaviours that a lab's class overrides."""
        only = np.arange(len(self.talent_scenario.labs)) == lab.index
        for name, check in LAB_RULES.items():
            if getattr(type(lab), name) is not getattr(Lab, name):
                behaviour = Behaviour(only, Asked(lab, name, check))
                self.market.behaviours.setdefault(name, []).append(behaviour)

    def _lab_reporters(self) -> dict[type[mesa.Agent[Any]], dict[str, Any]]:
        """What is collected of labs, by class: Mesa takes agents of exactly a class where there are any."""
        kinds = dict.fromkeys(type(agent) for agent in self.agents if isinstance(agent, Lab))
        each = {name: attrgetter(name) for name in COLLECTED}
        return dict.fromkeys(kinds if Lab in kinds or not kinds else [Lab], each)

    def _listen_to_researchers(self) -> None:
        """Let researchers of one's own class answer and choose for themselves."""
        everybody = np.ones(self.market.people, np.bool_)
        if self._researcher.interest is not Researcher.interest:
            self.market.behaviours["interest"] = [Behaviour(everybody, Interested(self._known))]
        if self._researcher.choose is not Researcher.choose:
            self.market.behaviours["choose"] = [Behaviour(everybody, Chooser(self._known))]


def loaded(scenario: Any) -> Scenario:
    """One of our scenarios, or the one of that name or path. Raises ValueError if it is none."""
    if isinstance(scenario, Scenario):
        return scenario
    if isinstance(scenario, str | os.PathLike):
        return load_scenario(scenario)
    raise ValueError(f"scenario is {scenario!r}: must be a scenario of sim.load_scenario, a name or a path")


def own_labs(labs: Any, researcher: Any, scenario: Scenario, agents: bool) -> dict[str, type[Lab]]:
    """The classes of labs that are handed in, by name. Raises ValueError if they cannot be used."""
    if not isinstance(labs, Mapping):
        raise ValueError(f"labs is {labs!r}: must give classes of Lab by name, as {{'meta': MyLab}}")
    if unknown := sorted(map(str, set(labs) - set(scenario.labs))):
        raise ValueError(f"unknown labs {unknown}; there are {', '.join(scenario.labs)}")
    for name, kind in labs.items():
        _refuse_other_kinds(f"labs[{name!r}]", kind, Lab)
    _refuse_other_kinds("researcher", researcher, Researcher)
    if not agents and (labs or researcher is not Researcher):
        raise ValueError("your own labs and researchers need agents=True")
    return dict(labs)


def _refuse_other_kinds(what: str, kind: Any, base: type) -> None:
    if not (isinstance(kind, type) and issubclass(kind, base)):
        raise ValueError(f"{what} is {kind!r}: must be a class that inherits from sim.{base.__name__}")


def _shown_to_mesa() -> inspect.Signature:
    """The arguments, with that for the scenario among the further ones.

    Mesa replaces an argument called `scenario` at Reset; what the page says of further ones it puts into
    the scenario it makes. So a choice of scenarios on the page is heeded.
    """
    named = inspect.signature(TalentMarket.__init__).parameters
    kept = [parameter for name, parameter in named.items() if name != "scenario"]
    return inspect.Signature([*kept, inspect.Parameter("further", inspect.Parameter.VAR_KEYWORD)])


TalentMarket.__init__.__signature__ = _shown_to_mesa()  # type: ignore[attr-defined]
