"""Parameters common to all labs, by topic, each with its unit, symbol, default and source.

Sources: ids of `seeds/` (L7, K2, ...), or the word assumption.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.scenario.quantities import (
    Fraction,
    Rate,
    Weeks,
)
from sim.scenario.sections import (
    Amount,
    Count,
    Elasticity,
    Exponent,
    Factor,
    Name,
    Pay,
    PersonRate,
    Positive,
    Ratio,
    Section,
    Slope,
    Span,
    Spread,
    Weight,
    parameter,
)

Switch = Literal["on", "off"]


class Choice(Section):
    """How a researcher weighs staying against each offer (a logit over U; MODEL step 7)."""

    pay_elasticity: Elasticity = parameter(2.0, "utility of log pay", symbol="alpha", source="L7")
    taste_scale: Annotated[float, Field(ge=1e-9, le=1e6)] = parameter(
        1.0, "scale of the Gumbel taste; 1 sets the unit of utility", symbol="sigma"
    )
    attachment_mean: Weight = parameter(4.7, "mean attachment to the employer", symbol="A")
    attachment_sd: Amount = parameter(2.0, "spread of attachment over people", symbol="sd A")
    tenure_effect: Amount = parameter(0.3, "utility of ln(1 + tenure in years) when staying", symbol="A_t")
    moving_cost: Amount = parameter(0.0, "utility lost by any move", symbol="c_move")
    mission_weight: Amount = parameter(0.5, "utility of agreeing with the mission", symbol="g_m", source="K2")
    compute_weight: Amount = parameter(0.2, "utility of ln compute per head", symbol="g_k")
    standing_weight: Amount = parameter(0.5, "utility of ln standing", symbol="g_M")
    leadership_weight: Amount = parameter(0.3, "utility of the unit's leadership", symbol="g_L")
    ties_weight: Amount = parameter(1.0, "utility of all one's ties being at the lab", symbol="g_c")
    title_weight: Amount = parameter(0.5, "utility of one step of title", symbol="g_h", source="O15")


class Equity(Section):
    """How grants are made and valued (MODEL: package, offer, T12)."""

    discount_rate: Rate = parameter("10 %/year", "discount of vests to come", symbol="r", source="K11")
    exit_hazard: Rate = parameter("15 %/year", "hazard of leaving used to value vests", symbol="h")
    horizon: Span = parameter("4 years", "years over which a package is annualised", symbol="H")
    sign_on_share: Fraction = parameter(0.1, "share of a package paid in cash at the start", symbol="s")
    refresh_share: Fraction = parameter(0.25, "yearly refresh grant, as a share of the opening grant")
    clawback: Weeks = parameter("12 months", "sign-on is paid back pro rata by who leaves sooner")
    charged: bool = parameter(False, "grants are charged to the account that makes them, at grant-date value")


class Contact(Section):
    """How often researchers are approached (MODEL step 4)."""

    rate: Rate = parameter(
        "2.5 /year", "approaches a year to an employed researcher", symbol="lambda_contact"
    )
    outside_rate: Rate = parameter("8 /year", "approaches a year to a researcher outside the labs")
    visibility_exponent: Exponent = parameter(0.5, "visibility grows with talent to this power")
    return_contact: Fraction = parameter(
        0.0, "chance that an approach comes from the former lab", symbol="p_b"
    )
    referral: Factor = parameter(
        1.0, "extra approaches from a lab where all one's ties are", symbol="referral"
    )


class Hiring(Section):
    """How labs plan and pay for hiring (MODEL steps 3 to 5)."""

    look_ahead: Weeks = parameter("26 weeks", "the headcount plan is read so far ahead")
    gap_weight: Factor = parameter(2.0, "planned hires a year for each head below plan")
    replacement: Factor = parameter(0.15, "planned hires a year for each head there is")
    budget_share: Fraction = parameter(
        0.25, "share of the free account that may be offered a week", symbol="phi_B"
    )
    runway: Weeks = parameter("12 weeks", "weeks of payroll that hiring never touches")
    patience: Weeks = parameter("4 weeks", "weeks a candidate waits for an offer the lab cannot yet pay")
    notice: Weeks = parameter("0 weeks", "from giving notice at a lab to a start elsewhere")
    tightness: Factor = parameter(
        1.03, "talent inflow by plan, over what hiring to plan at scale costs", symbol="theta"
    )
    carry: Weeks = parameter(
        "13 weeks", "of money by plan, what is beyond so much inflow returns to the treasury"
    )
    ration_outsiders: Switch = parameter(
        "off", "offers at scale to outsiders go out only while they are worth it at the hurdle rate"
    )


class Interviews(Section):
    """Interest in an approach, and what interviews show of a candidate."""

    interest: Switch = parameter("off", "only people interested at what is known of the pay go to interviews")
    slack: Amount = parameter(
        1.1, "utility by which people at labs go to interviews though they would stay today", symbol="s"
    )
    outside_slack: Amount = parameter(1.0, "the same for people outside the labs")
    noise: Annotated[float, Field(ge=0, le=5)] = parameter(
        0.0,
        "scale of the error in the log of the reservation pay that interviews show; 0: they show nothing",
        symbol="rho",
    )
    offer_cost: Spread = parameter(
        0.0, "least expected surplus of an offer that is written, in years of its pay", symbol="c_o"
    )
    pay_floor: Switch = parameter("off", "nobody who was interviewed is offered less than the lab's scale")

    @model_validator(mode="after")
    def _steep_enough(self) -> Self:
        if 0 < self.noise < 0.02:
            raise ValueError("noise is 0 (interviews show nothing), or from 0.02 to 5")
        return self


class Value(Section):
    """What a researcher is worth to a lab a year (Gabaix and Landier's form)."""

    median: PersonRate = parameter(
        "1.52M USD/year", "worth of the median researcher at a lab of compute 1", symbol="C"
    )
    size_exponent: Exponent = parameter(
        1.0, "worth grows with lab scale to this power", symbol="gamma", source="K8"
    )
    compute_exponent: Exponent = parameter(0.3, "lab scale grows with compute to this power", symbol="eta")
    ties: Factor = parameter(0.2, "extra worth when all of one's ties are present", symbol="tau")
    noise: Spread = parameter(0.3, "sd of the log error with which a lab sees it", symbol="sigma_v")


class Counter(Section):
    """How incumbents answer a bid (MODEL step 6)."""

    detection: Fraction = parameter(0.8, "chance that the incumbent learns of the bid", symbol="d_c")
    probability: Fraction = parameter(0.5, "chance that it then answers", symbol="pi_c", source="O20")


class PayEquity(Section):
    """How those react who see a colleague hired at better pay for the same talent (MODEL step 10)."""

    threshold: Factor = parameter(0.8, "underpaid: below this share of the newcomer's pay", symbol="theta")
    raise_probability: Fraction = parameter(
        0.3, "chance that the lab raises who is underpaid", symbol="pi_theta"
    )
    peer_weight: Amount = parameter(
        1.0, "utility of ln(pay / peer's pay) while underpaid", symbol="psi", source="L8"
    )


class Exits(Section):
    """Hazards of leaving the labs, common to all labs but for their working conditions q."""

    found: Rate = parameter("0.036 /year", "leaving to found a start-up, at q = 0", symbol="h_found")
    academia: Rate = parameter("0.036 /year", "leaving for academia, at q = 0", symbol="h_academia")
    field: Rate = parameter("0.048 /year", "leaving the field, at q = 0", symbol="h_field")
    found_sensitivity: Slope = parameter(1.0, "fall of ln hazard with working conditions", symbol="b_found")
    academia_sensitivity: Slope = parameter(
        1.0, "fall of ln hazard with working conditions", symbol="b_academia"
    )
    field_sensitivity: Slope = parameter(1.0, "fall of ln hazard with working conditions", symbol="b_field")
    acquired_ratio: Ratio = parameter(
        3.133,
        "first-year hazard of the acqui-hired, over the ordinary",
        symbol="A_acq",
        source="K3.hazard_ratio",
    )
    left_behind_ratio: Annotated[float, Field(ge=1, le=1000)] = parameter(
        3.133, "hazard in the year after an acqui-hire of those left behind, over the ordinary"
    )
    forfeiture: Spread = parameter(
        0.0, "fall of ln hazard with the vests of the next 12 months, over the normal", symbol="beta"
    )
    standing: Spread = parameter(0.0, "rise of ln hazard with a fall of the lab among its rivals")
    fall_ignored: Spread = parameter(0.05, "a fall in ln standing that nobody leaves for")


class Growth(Section):
    """What grows from year to year, beside headcounts."""

    pay: Rate = parameter(
        "0 %/year", "growth of pay at scale, of worth and of pay outside the labs", symbol="g"
    )
    opening_tenure: Switch = parameter("off", "labs that grow have opening staff of shorter tenure")


class Pool(Section):
    """Part of those outside the labs: where they are, what they earn and what holds them."""

    share: Fraction = parameter(..., "share of the outsiders at the start, and of those who enter")
    pay: Pay = Field(description="pay a year at talent 1, all base")
    talent_power: Exponent = parameter(0.0, "pay grows with talent to this power")
    cap: Pay | None = parameter(None, "pay is never above this; no cap if absent")
    bond: Weight = parameter(0.0, "utility of staying there beside pay")
    takes: tuple[Literal["found", "academia", "field", "released"], ...] = parameter(
        (), "causes of leaving a lab that lead there; the last pool takes the rest"
    )


class Entry(Section):
    """People who come into the market (MODEL step 9)."""

    outside: Count = parameter(425, "researchers outside the labs at the start")
    outside_pay: Pay = parameter("250k USD/year", "their pay, all base, whatever their talent")
    graduates: Rate = parameter("560 /year", "graduates a year at the start")
    graduates_growth: Rate = parameter("140 /year", "by how many that number grows each year")
    return_rate: Rate = parameter("25 %/year", "rate at which founders and those who left come back")
    pools: dict[Name, Pool] = parameter({}, "where outsiders are; none means one place with outside_pay")
    alumni: Fraction = parameter(0.0, "share of the outsiders at the start who were at a lab before")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        total = sum(pool.share for pool in self.pools.values())
        if self.pools and abs(total - 1) > 1e-9:
            raise ValueError(f"the shares of the pools add up to {total:g}; they must add up to 1")
        return self


class Talent(Section):
    """Talent and opening pay: Pareto, truncated at a cap, in units of the median researcher."""

    tail_exponent: Annotated[float, Field(ge=0.01, le=100)] = parameter(
        1.0, "Pareto exponent of the survival function", symbol="zeta", source="K9"
    )
    cap: Annotated[float, Field(ge=1.000001, le=1e6)] = parameter(12.0, "talent of the best, over the median")
    base_share: Fraction = parameter(0.4, "share of pay that is base")
    base_cap: PersonRate = parameter("500k USD/year", "base pay is never above this", source="P18")


class Ties(Section):
    """Ties between colleagues: a fixed graph, drawn once a run; along them movers ask others to follow."""

    within: Annotated[int, Field(ge=0, le=16, multiple_of=2)] = parameter(
        4, "ties inside one's first lab or class"
    )
    across: Annotated[int, Field(ge=0, le=16, multiple_of=2)] = parameter(2, "ties anywhere in the market")
    graph: Literal["ring", "random"] = parameter(
        "ring", "symmetric at fixed distances, or each drawn at random"
    )
    invitations: Factor = parameter(
        0.3, "colleagues whom a mover asks to follow, were all her ties at the old lab", symbol="m"
    )


class Contagion(Section):
    """What a move does to those who stay, and a move that its mover comes to regret."""

    shake: Amount = parameter(0.0, "attachment that a mover's ties at the old lab lose, at mean talent")
    fade: Annotated[Weeks, Field(ge=1)] = parameter("8 weeks", "time in which that fades to 1/e")
    talent_power: Exponent = parameter(
        0.0, "shake and invitations grow with the mover's talent over the mean to this power"
    )
    leader_talent: Positive = parameter(6.0, "a mover of such talent is a leader, as is the best of a unit")
    leader_reach: Count = parameter(0, "colleagues at the old lab whom a leader's move shakes")
    leader_shake: Amount = parameter(0.6, "attachment that each of them loses")
    leader_invites: Count = parameter(0, "how many of them a leader asks to follow")
    regret: Fraction = parameter(0.0, "share of those who come from rivals who find the match poor")
    regret_loss: Amount = parameter(5.0, "attachment that they lose")
    regret_after: Weeks = parameter("3 weeks", "from the start to the soonest approach of the old lab")
    regret_within: Weeks = parameter("6 weeks", "time after that in which it comes")


class Standing(Section):
    """How a lab's standing moves (MODEL step 11)."""

    persistence: Fraction = parameter(0.9, "share of ln standing left after a month", symbol="rho")
    release_sd: Spread = parameter(0.5, "ln standing moved by a surprise of one", symbol="xi")
    noise: Spread = parameter(0.03, "long-run sd of ln standing without events")
    talent_weight: Slope = parameter(
        0.1, "long-run ln standing for ln mean talent over the lab's opening mean"
    )
    compute_weight: Slope = parameter(0.05, "long-run ln standing for ln compute")
    inflow_elasticity: Slope = parameter(0.2, "inflows scale with standing to this power", symbol="kappa")
    leadership_recovery: Rate = parameter("20 %/year", "rate at which a unit gets over a lost leader")
    rivalry: Fraction = parameter(
        0.0, "part of the rise of the best rival's ln standing that counts against a lab", symbol="omega"
    )


class Strategy(Section):
    """What a strategy means to researchers (the article: open, closed, dual, or a rival's model rented)."""

    open: Weight = parameter(0.4, "openness of the mission under open weights")
    dual: Weight = parameter(0.0, "openness under open and closed models side by side")
    closed: Weight = parameter(-0.4, "openness under closed models")
    rent: Weight = parameter(-0.6, "openness while a rival's closed model is used")
    ambition: Amount = parameter(0.5, "utility that everybody loses while own development is cut")
    compute_freed: Factor = parameter(0.3, "compute freed for the rest of research by renting")


class MarketParameters(Section):
    """Parameters common to all labs, by topic."""

    choice: Choice = Choice()
    equity: Equity = Equity()
    contact: Contact = Contact()
    hiring: Hiring = Hiring()
    interviews: Interviews = Interviews()
    value: Value = Value()
    counter: Counter = Counter()
    pay_equity: PayEquity = PayEquity()
    exits: Exits = Exits()
    growth: Growth = Growth()
    entry: Entry = Entry()
    talent: Talent = Talent()
    ties: Ties = Ties()
    contagion: Contagion = Contagion()
    standing: Standing = Standing()
    strategy: Strategy = Strategy()
