"""Labs and researchers as Mesa agents: thin views of the market's columns.

A subclass that overrides a behaviour (`Lab.shortlist`, `Lab.price`, `Lab.counter`, `Researcher.choose`)
has it called for its agents with the arguments and the noise of the vectorised rule:

    class Generous(Lab):
        def price(self, rows, targets, multiplier):
            return 2 * super().price(rows, targets, multiplier)

    TalentMarket("meta-2025", labs={"meta": Generous})
"""

from __future__ import annotations

from typing import Any

import mesa
import numpy as np

from sim.market import segments
from sim.market.ledger import Ledger
from sim.market.offers import Approaches, Offers
from sim.market.rules import counteroffers, pricing
from sim.market.state import FOUNDER, LEFT_FIELD, OUTSIDE
from sim.model.removing import close_lab, leave_market
from sim.model.seen import SeenByAgents
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.system.arrays import Booleans, Floats, Integers

PLACES = {OUTSIDE: "outside", FOUNDER: "founder", LEFT_FIELD: "left the field"}


class Lab(mesa.Agent[SeenByAgents]):
    """A lab: a view of column `index` of the market's labs."""

    def __init__(self, model: SeenByAgents, index: int) -> None:
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

    def remove(self) -> None:
        """The lab closes: its staff are released, it neither pays nor hires, and the agent is gone.

        Raises:
            ValueError: if the run has come to its end.
        """
        if self in self.model.agents:
            refuse_after_the_end(self.model, f"the lab {self.name}")
            self.model.removed += close_lab(self.model.market, self.index)
            super().remove()

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


class Researcher(mesa.Agent[SeenByAgents]):
    """A researcher: a view of row `row` of the market's researchers; `row` is her id in the run."""

    def __init__(self, model: SeenByAgents, row: int) -> None:
        super().__init__(model)
        self.row = row

    def interest(self, approach: Approaches, gap: float) -> bool:
        """Whether she goes to interviews with the lab that approaches her.

        Args:
            approach: the approach, one row: its lab, unit and campaign.
            gap: utility of an offer at what the lab is known to pay, less that of staying, in utils.
        """
        interviews = self.model.talent_scenario.market.interviews
        return gap + (interviews.slack if self.employed else interviews.outside_slack) >= 0

    def choose(self, offers: Offers, stay: float, go: Floats) -> int | None:
        """Which offer is taken, by its position, or None to stay.

        Args:
            offers: the offers on the table, k of them.
            stay: utility of staying, tastes and counter-offer included.
            go: (k,) utility of each offer, tastes included.
        """
        best = int(np.argmax(go))
        return best if go[best] > stay else None

    def remove(self) -> None:
        """She leaves the field for good, and the agent is gone; it counts to the week to come.

        Raises:
            ValueError: if the run has come to its end.
        """
        if self in self.model.agents:
            refuse_after_the_end(self.model, f"researcher {self.row}")
            self.model.removed += leave_market(self.model.market, np.array([self.row]))
            super().remove()

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


def refuse_after_the_end(model: SeenByAgents, who: str) -> None:
    """Refuse to take somebody out of a market whose books are closed. Raises ValueError."""
    if model.over:
        raise ValueError(
            f"{who} cannot be removed after the last week: the books are closed; remove agents before, "
            "or let all of them go with remove_all_agents()"
        )
