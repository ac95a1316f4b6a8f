"""What may happen to a market, a section a kind: what an event of that kind says, and its own checks.

`faults` of a section says what makes no sense in the world in which it happens; references to labs are
checked for all of them alike (`events.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, override

from pydantic import Field

from sim.scenario.quantities import Fraction, Money, MoneyRate, Rate, Weeks
from sim.scenario.sections import (
    Amount,
    Count,
    Factor,
    Mission,
    Name,
    Package,
    Pay,
    PayFactor,
    Person,
    Ratio,
    Slope,
    Spread,
    Title,
    Weight,
)
from sim.scenario.sections import parameter as parameter
from sim.scenario.world import Dated, Fault, Happening, World, has_unit, openings, units_of, week_of

CampaignPricing = Literal["priced", "at_cap"]
CounterPolicy = Literal["off", "match_once", "match_every", "second_price"]
OwnStrategy = Literal["open", "dual", "closed"]
StrategyName = Literal["open", "dual", "closed", "rent"]

Surprise = Annotated[float, Field(ge=-10, le=10)]


class ModelRelease(Happening):
    """A model release; a surprise of -1.5 misses what was expected by 1.5 release sds.

    Named features add to it: voice that impresses, or that was announced and is missing.
    """

    words: ClassVar = "releases {model}"

    lab: Name
    surprise: Surprise = Field(description="in units of the release sd; below 0 the model misses")
    features: dict[Name, Surprise] = parameter(
        {}, "named features, and by how many release sds each raises or lowers the reception"
    )

    @property
    def reception(self) -> float:
        """The surprise and that of all features, in release sds."""
        return self.surprise + sum(self.features.values())

    @property
    def model(self) -> str:
        """The model, in a few words for pictures: with and without which features."""
        has = [name for name, effect in self.features.items() if effect > 0]
        lacks = [name for name, effect in self.features.items() if effect < 0]
        said = (("with", has), ("without", lacks))
        return " ".join(["a model", *(f"{word} {' and '.join(names)}" for word, names in said if names)])


class Acquihire(Happening):
    """A lab pays a target's owners and takes the founder and part of the team into a unit."""

    words: ClassVar = "pays {price} for {target}'s team"

    buyer: Name
    target: Name
    price: Money = Field(description="paid from the buyer's treasury to the target's owners")
    founder: bool = parameter(True, "the target's most talented person moves")
    team_share: Fraction = parameter(0.0, "share of the others who move, drawn at random")
    unit: Name | None = parameter(None, "unit of the buyer that receives them; opened if new")
    shock: Amount = parameter(0.0, "fall of the leadership that is left at the target", symbol="l")
    leadership: Amount = parameter(0.0, "rise of the receiving unit's leadership", symbol="L")
    standing: Spread = parameter(0.0, "rise of the lab's ln standing")

    @override
    def faults(self, event: Dated, world: World) -> Iterator[Fault]:
        if self.buyer == self.target:
            yield "target", f"{self.target} cannot be the target of itself"


class Talks(Happening):
    """Talks with a start-up's owners: a deal if the price is enough, else a partnership, or nothing.

    Owners want `asking`, give or take `spread` in logs; the deal is then as in an acqui-hire. Below it the
    two become partners with probability `partnership`, and the fee goes to the target's treasury.
    """

    words: ClassVar = "talks about a deal"

    lab: Name
    target: Name
    price: Money = Field(description="offered to the owners, from the lab's treasury")
    asking: Annotated[Money, Field(ge=1)] = Field(description="median price at which the owners sell")
    spread: Spread = parameter(0.5, "sd of the log of the price at which they sell")
    weeks: Weeks = parameter("8 weeks", "how long the talks last")
    partnership: Fraction = parameter(0.3, "chance of a partnership if there is no deal")
    fee: Money = parameter("0 USD", "paid by a partner to the target's treasury")
    founder: bool = parameter(True, "in a deal, the target's most talented person moves")
    team_share: Fraction = parameter(0.5, "in a deal, share of the others who move")
    unit: Name | None = parameter(None, "unit of the lab that receives them; opened if new")
    leadership: Amount = parameter(0.0, "rise of the receiving unit's leadership", symbol="L")
    standing: Spread = parameter(0.0, "rise of the lab's ln standing")

    @override
    def faults(self, event: Dated, world: World) -> Iterator[Fault]:
        if self.lab == self.target:
            yield "target", f"{self.target} cannot be the target of itself"
        if world.labs[self.target].reserved:
            yield "target", f"{self.target} is not there to talk with: it is reserved for founders"


class Investment(Happening):
    """Money put into a lab's treasury, by another lab or from outside the market."""

    words: ClassVar = "receives an investment"

    target: Name
    amount: Money
    investor: Name | None = parameter(None, "the lab that pays; outside money if absent")

    @override
    def faults(self, event: Dated, world: World) -> Iterator[Fault]:
        if self.investor == self.target:
            yield "target", f"{self.target} cannot be the target of itself"


class Campaign(Happening):
    """Offers to the best of one rival's staff, paid from an envelope of their own."""

    words: ClassVar = "makes {researchers} offers at {target}"

    name: Name
    lab: Name
    target: Name
    researchers: Annotated[int, Field(ge=1, le=100_000)] = Field(description="how many are approached")
    package_cap: Package = Field(description="sign-on and grant together are never above this")
    weeks: Annotated[Weeks, Field(ge=1)] = parameter("8 weeks", "approaches are spread evenly over so long")
    interviews: Literal["skip", "normal"] = parameter("normal", "skip: the offer is written at contact")
    envelope: Money | None = parameter(None, "money set aside; researchers times cap if absent")
    value_factor: Ratio = parameter(1.5, "worth of the campaign's hires over ordinary ones")
    pricing: CampaignPricing = parameter("priced", "price by step 5, or offer everybody the cap")
    unit: Name | None = parameter(None, "unit that receives the hires")
    title: Title = parameter(0, "steps of title offered", symbol="h")
    exploding: bool = parameter(False, "offers expire within hours: none is countered", source="O14")
    repeats: Annotated[int, Field(ge=0, le=20)] = parameter(0, "how often a refused offer is made again")
    repeat_after: Annotated[Weeks, Field(ge=1)] = parameter("4 weeks", "from a refusal to the next offer")
    raise_factor: Annotated[float, Field(ge=1, le=10)] = parameter(
        1.25, "worth at which the next offer is priced, over the last"
    )

    @override
    def faults(self, event: Dated, world: World) -> Iterator[Fault]:
        if self.lab == self.target:
            yield "target", f"{self.target} cannot be the target of itself"
        if [e.campaign.name for e in world.events if e.campaign].count(self.name) > 1:
            yield "name", f"two campaigns are called {self.name!r}"
        staff = round(world.planned_headcount(self.target, event.on)) if event.on else self.researchers
        if self.researchers > staff:
            wants = f"the campaign wants {self.researchers} researchers"
            yield "researchers", f"{wants}, but {self.target} has about {staff}"


class LeadershipChange(Happening):
    """A leader is dismissed or leaves; the unit's leadership falls and recovers slowly."""

    words: ClassVar = "replaces {leader}"

    lab: Name
    unit: Name | None = parameter(None, "unit concerned; every unit if absent")
    shock: Annotated[float, Field(ge=0, le=10)] = parameter(0.3, "fall of the unit's leadership", symbol="l")
    dismissed: bool = parameter(False, "the leader, the unit's most talented person, loses the job")
    followers: Amount = parameter(1.0, "attachment that a dismissed leader's ties at the lab lose")

    @override
    def faults(self, event: Dated, world: World) -> Iterator[Fault]:
        lab = world.labs[self.lab]
        if self.unit is not None and not has_unit(world, self.lab, self.unit, event.on):
            there = ", ".join(units_of(world, self.lab))
            yield "unit", f"{self.lab} has no unit {self.unit!r} by then; it has {there}"
            return
        led = lab.leader or (lab.units[self.unit].leader if self.unit in lab.units else None)
        opened = openings(world, self.lab, self.unit, event.on) if self.unit is not None else []
        led = led or any(getattr(o, "leader", None) or getattr(o, "founder", False) for o in opened)
        if self.dismissed and not led:
            whose = f"unit {self.unit}" if self.unit else self.lab
            yield "dismissed", f"{whose} has no leader to dismiss; name one: leader: ..."


class NewUnit(Happening):
    """A lab opens a unit, and may move the best of its other units there."""

    words: ClassVar = "opens its {unit} unit"

    lab: Name
    unit: Name
    leader: Person | None = parameter(None, "who leads it, for people to read", source="")
    share: Factor = parameter(0.0, "weight in the lab's ordinary hires from now on")
    researchers: Count = parameter(0, "how many of the lab's best move there")
    culture: Weight | None = parameter(None, "utility of working there; the lab's if absent", symbol="c_j")
    working_conditions: Slope | None = parameter(None, "lowers exits; the lab's if absent", symbol="q_j")
    pay_factor: PayFactor = parameter(1.0, "the unit's own pay, over the lab's")
    mission: Mission | None = parameter(None, "the unit's mission; the lab's if absent", symbol="m_j")
    leadership: Amount = parameter(0.0, "rise of the receiving unit's leadership", symbol="L")
    standing: Spread = parameter(0.0, "rise of the lab's ln standing")

    @override
    def faults(self, event: Dated, world: World) -> Iterator[Fault]:
        if self.unit in units_of(world, self.lab):
            yield "unit", f"{self.lab} has a unit {self.unit!r} from the start"
        same = [e.new_unit for e in world.events if e.new_unit and e.opens == event.opens]
        if any(other != self for other in same):
            yield "unit", f"{self.lab} opens a unit {self.unit!r} in two ways"


class Transfer(Happening):
    """The best people of one unit of a lab are moved to another."""

    words: ClassVar = "moves people between units"

    lab: Name
    unit: Name = Field(description="where they go")
    from_unit: Name = Field(description="where they come from")
    researchers: Annotated[int, Field(ge=1, le=100_000)] = Field(description="how many move")

    @override
    def faults(self, event: Dated, world: World) -> Iterator[Fault]:
        if self.unit == self.from_unit:
            yield "unit", f"nobody moves from {self.unit} to {self.unit}"
        for key in ("unit", "from_unit"):
            if not has_unit(world, self.lab, getattr(self, key), event.on):
                yield key, f"{self.lab} has no unit {getattr(self, key)!r} by then"


class StrategyChange(Happening):
    """A lab opens or closes its models, does both, or rents a rival's and cuts its own development."""

    words: ClassVar = "changes its strategy"

    lab: Name
    strategy: StrategyName
    provider: Name | None = parameter(None, "whose model is rented")
    fee: MoneyRate = parameter("0 USD/year", "paid to the provider's treasury while renting")

    @override
    def faults(self, event: Dated, world: World) -> Iterator[Fault]:
        if (self.strategy == "rent") != (self.provider is not None):
            yield "provider", "a lab that rents names its provider, and no other does"
        if self.provider == self.lab:
            yield "provider", f"{self.lab} cannot rent from itself"
        same = [e for e in world.events if e.strategy_change and e.strategy_change.lab == self.lab]
        weeks = [(week_of(world, e), e.part_of) for e in same]
        if weeks.count((week_of(world, event), event.part_of)) > 1:
            yield "strategy", f"two strategies of {self.lab} begin in the same week"


class HiringFreeze(Happening):
    """A lab stops approaching and offering for a while."""

    words: ClassVar = "freezes hiring"

    lab: Name | None = parameter(None, "the lab; every lab if absent")
    weeks: Annotated[Weeks, Field(ge=1)]


class BudgetChange(Happening):
    """From that week on a lab's inflows or headcount plan are multiplied."""

    words: ClassVar = "gets new budgets"

    lab: Name | None = parameter(None, "the lab; every lab if absent")
    talent_inflow: Factor = parameter(1.0, "factor on the talent inflow")
    treasury_inflow: Factor = parameter(1.0, "factor on the treasury inflow")
    headcount_plan: Factor = parameter(1.0, "factor on the headcount plan")
    growth: Annotated[Rate, Field(le=10)] = parameter(
        "0 %/year", "rate at which the talent inflow grows from then on"
    )


class Layoff(Happening):
    """A lab releases the part of its staff that is worth least over its cost."""

    words: ClassVar = "lays off staff"

    lab: Name | None = parameter(None, "the lab; every lab if absent")
    share: Fraction = Field(description="share of the staff released")


class RetentionGrant(Happening):
    """A lab grants the best of its staff a retention package each, if it has the cash."""

    words: ClassVar = "grants retention packages"

    lab: Name
    package: Package = Field(description="part cash now, the rest shares that vest from today")
    share: Fraction = parameter(1.0, "share of the staff, best first")


class ProcessChange(Happening):
    """A lab's interviews take another time from now on."""

    words: ClassVar = "changes its hiring process"

    lab: Name
    process: Weeks = Field(description="weeks from contact to offer; 0: no interviews")


class NonCompeteRule(Happening):
    """From now on who leaves the lab for another waits on paid leave."""

    words: ClassVar = "puts leavers on paid leave"

    lab: Name | None = parameter(None, "the lab; every lab if absent")
    weeks: Weeks = Field(description="paid leave between leaving and starting elsewhere")


class CounterRule(Happening):
    """From now on a lab answers bids for its people in another way."""

    words: ClassVar = "answers bids by a new rule"

    lab: Name
    policy: CounterPolicy
    detection: Fraction = parameter(1.0, "chance that it learns of a bid", symbol="d_c")
    probability: Fraction = parameter(1.0, "chance that it then answers", symbol="pi_c")


class SalaryCap(Happening):
    """No offer and no retention package may lift anybody's yearly cost above a cap, as in sports leagues."""

    words: ClassVar = "keeps to a salary cap"

    pay: Pay = Field(description="base and a year of the package")


class Revaluation(Happening):
    """A lab's shares are worth more or less from now on, and so is every grant held."""

    words: ClassVar = "is worth {times}"

    lab: Name
    factor: Ratio = Field(description="new valuation over the old")

    @property
    def times(self) -> str:
        """The factor in words for pictures."""
        return f"{self.factor:.3g} times as much"


class FoundingBoom(Happening):
    """From now on some who leave to found open a lab that hires: the next one of those reserved."""

    words: ClassVar = "sees founders open labs"

    probability: Fraction = Field(description="chance that who leaves to found opens a lab")
    seed: Money = Field(description="raised from outside, into the new lab's talent account")

    @override
    def faults(self, event: Dated, world: World) -> Iterator[Fault]:
        if not any(lab.reserved for lab in world.labs.values()):
            yield "probability", "no lab is reserved for founders; give one staff: 0 and reserved: true"
