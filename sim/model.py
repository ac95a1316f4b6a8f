"""The market as a Mesa model: one run, with labs and researchers as registered agents.

Agents are thin views of the columns, so `AgentSet`, `DataCollector` and `SolaraViz` work on them
while the rules stay vectorised. `step()` is one week. A run stepped here equals the same run of an
ensemble, bit for bit: no draw depends on agents being there.

    model = TalentMarket("meta-2025", seed=1, run=7)
    model.run_for(52)
    model.agents_by_type[Lab].get("headcount")

A subclass that overrides a behaviour (`Lab.shortlist`, `Lab.price`, `Lab.counter`, `Researcher.choose`)
has it called for its agents with the arguments and the noise of the vectorised rule:

    class Generous(Lab):
        def price(self, rows, targets, multiplier):
            return 2 * super().price(rows, targets, multiplier)

    TalentMarket("meta-2025", labs={"meta": Generous})
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import mesa
import numpy as np

from sim.market import segments, simulate
from sim.market.draws import run_keys
from sim.market.ledger import Ledger
from sim.market.offers import Offers
from sim.market.opening import open_market
from sim.market.record import Recorder
from sim.market.rules import counteroffers, pricing
from sim.market.state import FOUNDER, LEFT_FIELD, OUTSIDE, UNBORN, Behaviour, Market
from sim.market.week import advance
from sim.scenario.loading import load_scenario
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.scenario.schema import Scenario
from sim.system.arrays import Booleans, Floats, Integers

PLACES = {OUTSIDE: "outside", FOUNDER: "founder", LEFT_FIELD: "left the field"}


class Lab(mesa.Agent["TalentMarket"]):
    """A lab: a view of column `index` of the market's labs."""

    def __init__(self, model: TalentMarket, index: int) -> None:
        super().__init__(model)
        self.index = index
        self.name = model.market.constants.lab_names[index]
        self.label = model.talent_scenario.labs[self.name].label

    def shortlist(self, rows: Integers, merit: Floats, vacancies: Integers) -> Booleans:
        """Which outsiders found this week are approached.

        Args:
            rows: (n,) ids of the candidates.
            merit: (n,) worth to the lab per dollar of pay.
            vacancies: (n,) heads still to be found, the same for all.
        """
        return segments.best_up_to(np.zeros(len(rows), np.int64), merit, rows, vacancies)

    def price(self, rows: Integers, targets: pricing.Targets, multiplier: Floats) -> Floats:
        """What each offer costs a year, USD, at least its base; (n,).

        Args:
            rows: (n,) ids of the researchers.
            targets: value, base, reservation, slope of acceptance, floor and the rest, (n,) each.
            multiplier: (n,) mu of the lab's budget; 0 where it does not bind.
        """
        return pricing.price(targets, multiplier)[0]

    def counter(
        self,
        rows: Integers,
        bid: Floats,
        stay: Floats,
        kappa: Floats,
        present_cost: Floats,
        value: Floats,
        horizon: float,
    ) -> Floats:
        """Retention package, USD over `horizon` years, for each of one's people who has a bid; (n,).

        Args:
            rows: (n,) ids.
            bid: (n,) Y of the best bid, USD a year.
            stay: (n,) Y of staying as things are.
            kappa: (n,) worth a year of a dollar a year of retention package.
            present_cost: (n,) what each costs now, USD a year.
            value: (n,) what each is worth to the lab, USD a year.
            horizon: years.
        """
        return counteroffers.retention_package(bid, stay, kappa, present_cost, value, horizon)

    @property
    def headcount(self) -> int:
        """Staff now."""
        return int(self.model.market.labs.headcount[0, self.index])

    @property
    def standing(self) -> float:
        """Standing M; 1 is the typical lab."""
        return float(np.exp(self.model.market.labs.ln_standing[0, self.index]))

    @standing.setter
    def standing(self, value: float) -> None:
        self.model.market.labs.ln_standing[0, self.index] = np.log(value)

    @property
    def cash_usd(self) -> float:
        """Talent account, USD."""
        return float(self.model.market.ledger.balances[0, Ledger.talent(self.index)]) / 100

    @property
    def treasury_usd(self) -> float:
        """Treasury, USD."""
        return float(self.model.market.ledger.balances[0, Ledger.treasury(self.index)]) / 100

    @property
    def payroll_usd(self) -> float:
        """Base pay a year at today's staff, USD."""
        return float(self.model.market.labs.weekly_payroll[0, self.index]) * WEEKS_PER_YEAR / 100

    @property
    def hires(self) -> int:
        """Arrivals in the week just lived."""
        return int(self.model.market.tally.hires[0, self.index])

    @property
    def departures(self) -> int:
        """Departures in the week just lived."""
        return int(self.model.market.tally.left[0, self.index].sum())

    @property
    def offers(self) -> int:
        """Offers written in the week just lived."""
        return int(self.model.market.tally.offers[0, self.index])


class Researcher(mesa.Agent["TalentMarket"]):
    """A researcher: a view of row `row` of the market's researchers; `row` is her id in the run."""

    def __init__(self, model: TalentMarket, row: int) -> None:
        super().__init__(model)
        self.row = row

    def choose(self, offers: Offers, stay: float, go: Floats) -> int | None:
        """Which offer is taken, by its position, or None to stay.

        Args:
            offers: the offers on the table, k of them.
            stay: utility of staying, tastes and counter-offer included.
            go: (k,) utility of each offer, tastes included.
        """
        best = int(np.argmax(go))
        return best if go[best] > stay else None

    def _read(self, column: str) -> Any:
        return getattr(self.model.market.researchers, column)[self.row].item()

    @property
    def talent(self) -> float:
        """Talent; the median researcher has 1."""
        return float(self._read("talent"))

    @property
    def lab(self) -> str:
        """Name of the lab, or where outside the labs she is."""
        place = int(self._read("place"))
        return self.model.market.constants.lab_names[place] if place >= 0 else PLACES[place]

    @property
    def employed(self) -> bool:
        """Whether she is at a lab."""
        return int(self._read("place")) >= 0

    @property
    def unit(self) -> str | None:
        """Unit of her lab; None outside the labs."""
        name = self.model.market.constants.unit_names[int(self._read("unit"))]
        return name.split("/")[1] if self.employed else None

    @property
    def tenure_years(self) -> float:
        """Years since her spell began."""
        return max(self.model.week - int(self._read("start_week")), 0) / WEEKS_PER_YEAR

    @property
    def base_usd(self) -> float:
        """Base pay a year, USD."""
        return float(self._read("weekly_base")) * WEEKS_PER_YEAR / 100

    @property
    def grant_usd(self) -> float:
        """Opening grant of her spell at today's valuation, USD."""
        place = int(self._read("place"))
        price = self.model.market.labs.valuation[0, place] if place >= 0 else 0.0
        return float(self._read("grant")) * float(price) / 100

    @property
    def attachment(self) -> float:
        """Attachment to her employer, utils."""
        return float(self._read("attachment"))

    @attachment.setter
    def attachment(self, value: float) -> None:
        self.model.market.researchers.attachment[self.row] = value


class TalentMarket(mesa.Model[mesa.Agent["TalentMarket"], Any]):
    """One run of a scenario as a Mesa model.

    Args:
        scenario: a scenario, a shipped scenario's name or a path.
        seed: seed of the ensemble that the run belongs to.
        run: number of the run.
        rng: Mesa's word for a seed; `rng=n` means seed n.
        agents: make agents for labs and researchers; without them the columns alone remain.
        labs: your own class of `Lab` for some labs, by name.
        researcher: your own class of `Researcher` for all researchers.

    Raises:
        ScenarioError: if the scenario cannot be read.
        ValueError: if `labs` names an unknown lab, or agents of one's own are asked for without agents.
    """

    def __init__(
        self,
        scenario: Scenario | str = "meta-2025",
        seed: int | None = None,
        run: int = 0,
        rng: int | None = None,
        agents: bool = True,
        labs: Mapping[str, type[Lab]] | None = None,
        researcher: type[Researcher] = Researcher,
    ) -> None:
        chosen = seed if seed is not None else rng if rng is not None else 1
        super().__init__(rng=int(run_keys(chosen, np.array([run]))[0] >> np.uint64(33)))
        self.talent_scenario = load_scenario(scenario) if isinstance(scenario, str) else scenario
        self.run_number = run
        self.market: Market = open_market(self.talent_scenario, chosen, np.array([run], np.int64))
        self.recorder = Recorder.ready()
        self.with_agents = agents
        self._known: list[Researcher] = []
        self._researcher = researcher
        own = dict(labs or {})
        if unknown := set(own) - set(self.talent_scenario.labs):
            raise ValueError(
                f"unknown labs {sorted(unknown)}; there are {', '.join(self.talent_scenario.labs)}"
            )
        if not agents and (own or researcher is not Researcher):
            raise ValueError("your own labs and researchers need agents=True")
        if agents:
            for index, name in enumerate(self.talent_scenario.labs):
                self._adopt(own.get(name, Lab)(self, index))
            self._register_newcomers()
            self._listen_to_researchers()
        self.datacollector = mesa.DataCollector(
            model_reporters={"employed": "employed", "outside": "outside"},
            agenttype_reporters={Lab: {name: name for name in ("name", "headcount", "hires", "departures")}}
            if agents
            else None,
        )
        self.datacollector.collect(self)

    @property
    def week(self) -> int:
        """Weeks lived so far."""
        return self.market.week

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
        if self.week >= self.talent_scenario.horizon:
            self.running = False
            return
        advance(self.market)
        self.recorder.observe(self.market)
        if self.with_agents:
            self._register_newcomers()
        self.datacollector.collect(self)
        self.running = self.week < self.talent_scenario.horizon

    def tables(self) -> dict[str, Any]:
        """The recorded tables so far (pyarrow, by name), as `sim.market.simulate` gives them for this run.

        Raises:
            ValueError: before the first week.
        """
        if self.week == 0:
            raise ValueError("nothing is recorded before the first week; call step() first")
        return simulate.collect(self.market, self.recorder)

    def _register_newcomers(self) -> None:
        """Make agents of those who have entered the market; ids rise in the order of entry."""
        present = int((self.market.researchers.place != UNBORN).sum())
        self._known += [self._researcher(self, row) for row in range(len(self._known), present)]

    def _adopt(self, lab: Lab) -> None:
        """Let the market call the behaviours that a lab's class overrides."""
        only = np.arange(len(self.talent_scenario.labs)) == lab.index
        for name in ("shortlist", "price", "counter"):
            if getattr(type(lab), name) is not getattr(Lab, name):
                self.market.behaviours.setdefault(name, []).append(Behaviour(only, getattr(lab, name)))

    def _listen_to_researchers(self) -> None:
        """Let researchers of one's own class choose for themselves."""
        if self._researcher.choose is Researcher.choose:
            return

        def choose(row: int, offers: Offers, stay: float, go: Floats) -> int | None:
            return self._known[row].choose(offers, stay, go)

        everybody = np.ones(self.market.people, np.bool_)
        self.market.behaviours["choose"] = [Behaviour(everybody, choose)]
