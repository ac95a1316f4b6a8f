"""The market's state as columns, for R runs side by side.

Researchers are rows of R x N columns, run after run; labs are (R, L) arrays, units (R, U). A
researcher's id is her row within the run and is never used twice: graduates who have not yet
entered are rows already, in the place `UNBORN`. What no run changes is in `constants.py`, approaches
and offers are in `offers.py`. Nothing here draws, decides or records.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sim.market.columns import UNSET
from sim.market.constants import CAUSES as CAUSES
from sim.market.constants import Constants
from sim.market.draws import Keys, Purpose, purpose_keys
from sim.market.ledger import Ledger
from sim.market.offers import Approaches, Offers
from sim.scenario.schema import Scenario
from sim.system.arrays import Booleans, Floats, Integers

# Places of a researcher: a lab's number, or one of these.
OUTSIDE, FOUNDER, LEFT_FIELD, UNBORN = -1, -2, -3, -4
NEVER = np.int16(32767)
WEEKS_OF_KEYS = 32
MOST_PLANNED = 1e7  # heads, or hires a year, that a lab may plan: more than there are people

RIVAL, FOUND, ACADEMIA, FIELD, ACQUIHIRE, RELEASED = range(len(CAUSES))
ORIGINS = ("opening", "outside", "rival", "acquihire", "founding")
FROM_OPENING, FROM_OUTSIDE, FROM_RIVAL, FROM_ACQUIHIRE, FROM_FOUNDING = range(len(ORIGINS))
COUNTER_POLICIES = ("off", "match_once", "match_every", "second_price")
OFF, MATCH_ONCE, MATCH_EVERY, SECOND_PRICE = range(len(COUNTER_POLICIES))
STRATEGIES = ("open", "dual", "closed", "rent")


def column(kind: Any, gloss: str, start: float = 0, by: str = "lab", width: tuple[int, ...] = ()) -> Any:
    """A column of the state: its kind of number, what it says, its value before the opening, its rows."""
    return field(metadata={"kind": kind, "gloss": gloss, "start": start, "by": by, "width": width})


def blank(table: Any, rows: dict[str, tuple[int, ...]]) -> dict[str, npt.NDArray[Any]]:
    """Every column of a table at its first value, by name; `rows` gives the shape of each kind of row."""
    made: dict[str, npt.NDArray[Any]] = {}
    for f in fields(table):
        shape, start = (*rows[f.metadata["by"]], *f.metadata["width"]), f.metadata["start"]
        kind = f.metadata["kind"]
        made[f.name] = np.full(shape, start, kind) if start else np.zeros(shape, kind)
    return made


@dataclass
class Researchers:
    """Columns of R x N rows; weeks count from the scenario's start, pay is in cents.

    Shares are counted so that one share is one cent at a valuation of 1.
    """

    talent: npt.NDArray[np.float32] = column(np.float32, "productivity; the median is 1")
    visibility: npt.NDArray[np.float32] = column(np.float32, "factor on how often she is approached; mean 1")
    mission: npt.NDArray[np.float32] = column(
        np.float32, "tastes for openness, safety and product", width=(3,)
    )
    attachment: npt.NDArray[np.float32] = column(np.float32, "A: utils by which staying is better; 0 outside")
    shake: npt.NDArray[np.float32] = column(
        np.float32, "attachment lost to moves of others, as of shake_week"
    )
    shake_week: npt.NDArray[np.int16] = column(np.int16, "week in which she was last shaken")
    regrets: Booleans = column(np.bool_, "her match is poor, and her last lab is about to call")
    slight: npt.NDArray[np.float32] = column(np.float32, "ln(own pay / a peer's) while underpaid, else 0")
    place: npt.NDArray[np.int16] = column(
        np.int16, "number of her lab, or OUTSIDE, FOUNDER, LEFT_FIELD, UNBORN"
    )
    unit: npt.NDArray[np.int16] = column(np.int16, "number of her unit; 0 outside the labs")
    origin: npt.NDArray[np.int8] = column(np.int8, "how her spell began, a number of ORIGINS")
    came_from: npt.NDArray[np.int16] = column(
        np.int16, "her place before this spell, or -1 less her pool", start=-1
    )
    last_lab: npt.NDArray[np.int16] = column(np.int16, "the last lab before her place; -1: none", start=-1)
    returned: Booleans = column(np.bool_, "she has been at this lab just before her last place")
    pool: npt.NDArray[np.int8] = column(np.int8, "number of her pool when she is outside the labs")
    title: npt.NDArray[np.int8] = column(np.int8, "h: steps of title, 0 to 2")
    countered: Booleans = column(np.bool_, "her lab has answered a bid for her in this spell")
    leaving: Booleans = column(np.bool_, "she has given notice")
    spell: npt.NDArray[np.int16] = column(np.int16, "how many spells she has begun since the opening")
    start_week: npt.NDArray[np.int16] = column(
        np.int16, "week in which her spell began; below 0: before the start"
    )
    exit_week: npt.NDArray[np.int16] = column(
        np.int16, "week in which a hazard drawn in advance moves her: out of a lab, or back into the market"
    )
    exit_ratio: npt.NDArray[np.float32] = column(np.float32, "factor on her hazard for some time", start=1)
    exit_ratio_until: npt.NDArray[np.int16] = column(np.int16, "week of tenure from which exit_ratio is gone")
    contact_week: npt.NDArray[np.int16] = column(np.int16, "week of her next approach, drawn in advance")
    contacts: npt.NDArray[np.int16] = column(np.int16, "how many approaches have been drawn for her")
    approached: npt.NDArray[np.uint16] = column(np.uint16, "campaigns that have approached her, a bit each")
    retention_week: npt.NDArray[np.int16] = column(np.int16, "week of her last retention package")
    weekly_base: Integers = column(np.int64, "base pay a week, cents")
    sign_on: Integers = column(np.int64, "sign-on of this spell, cents")
    grant: Integers = column(np.int64, "shares of the grant of this spell")
    grant_face: Integers = column(np.int64, "what the grant cost at grant date, cents; 0: nobody was charged")
    grant_payer: npt.NDArray[np.int16] = column(np.int16, "account that was charged for it")
    not_refreshed: npt.NDArray[np.uint16] = column(
        np.uint16, "years whose refresher was withheld, a bit each"
    )
    retention: Integers = column(np.int64, "shares of her last retention package")
    retention_face: Integers = column(np.int64, "what these cost at grant date, cents; 0: nobody was charged")

    @classmethod
    def empty(cls, rows: int) -> Researchers:
        """All columns at zero, nobody yet in the market."""
        return cls(**blank(cls, {"lab": (rows,)}))

    @property
    def bytes_each(self) -> float:
        """Bytes of state a researcher."""
        columns = [getattr(self, f.name) for f in fields(self)]
        return float(sum(column.nbytes for column in columns) / len(self.talent))


@dataclass
class Labs:
    """What events and the week change about labs: columns (R, L) and, for units, (R, U)."""

    headcount: Integers = column(np.int64, "staff, those who have given notice among them")
    weekly_payroll: Integers = column(np.int64, "base pay of the staff a week, cents")
    talent_sum: Integers = column(np.int64, "talent of the staff, in units of 1 / TALENT_UNIT")
    opening_talent: Floats = column(np.float64, "mean talent at the opening, the measure for later", 1)
    ln_standing: Floats = column(np.float64, "ln M: standing")
    valuation: Floats = column(np.float64, "price of a share over that of the start", 1)
    frozen_until: Integers = column(np.int64, "first week in which the lab hires again; 0: not frozen")
    failed: Booleans = column(np.bool_, "the lab neither pays nor hires: out of money, or not yet founded")
    talent_factor: Floats = column(np.float64, "factor of events on the talent inflow", 1)
    talent_growth: Floats = column(np.float64, "weekly growth of the log of the talent inflow")
    treasury_factor: Floats = column(np.float64, "factor of events on the treasury inflow", 1)
    plan_factor: Floats = column(np.float64, "factor of events on the headcount plan", 1)
    born: Integers = column(np.int64, "week from which the headcount plan counts; -1: not yet founded")
    process: Integers = column(np.int64, "weeks from contact to offer; 0: no interviews")
    non_compete: Integers = column(np.int64, "weeks of paid leave before a start elsewhere")
    counter_policy: Integers = column(np.int64, "how bids are answered, a number of COUNTER_POLICIES")
    detection: Floats = column(np.float64, "d_c: chance that the lab learns of a bid")
    answering: Floats = column(np.float64, "pi_c: chance that it then answers")
    strategy: Integers = column(np.int64, "a number of STRATEGIES")
    provider: Integers = column(np.int64, "number of the lab whose model is rented; 0 where rent is 0")
    rent: Integers = column(np.int64, "paid to the provider a week, cents; 0: nothing is rented")
    compute_factor: Floats = column(np.float64, "compute over that of the scenario", 1)
    ambition: Floats = column(np.float64, "utility of working there lost or won by the strategy, utils")
    leadership: Floats = column(np.float64, "L: utility of who leads the unit, utils", by="unit")
    unit_share: Floats = column(np.float64, "weight of the unit in the lab's ordinary hires", by="unit")
    unit_mission: Floats = column(np.float64, "its openness, safety and product", by="unit", width=(3,))

    @classmethod
    def empty(cls, runs: int, labs: int, units: int) -> Labs:
        """Labs without staff at standing and valuation 1, and no unit with a share or a mission."""
        return cls(**blank(cls, {"lab": (runs, labs), "unit": (runs, units)}))


@dataclass
class Tally:
    """What happened this week, by run and lab: (R, L) arrays set to zero when a week begins."""

    hires: Integers = column(np.int64, "people who started, the acqui-hired among them")
    acquihires: Integers = column(np.int64, "those of them who came with a deal")
    from_rivals: Integers = column(np.int64, "those of them who accepted an offer at another lab")
    left: Integers = column(np.int64, "departures by cause, (R, L, causes)", width=(len(CAUSES),))
    contacts: Integers = column(np.int64, "people approached")
    interested: Integers = column(np.int64, "those of them who did not say no to interviews")
    interviews: Integers = column(np.int64, "interviews begun")
    offers: Integers = column(np.int64, "offers written")
    counters: Integers = column(np.int64, "bids for the staff that were answered")
    accepted: Integers = column(np.int64, "offers accepted")
    priced: Integers = column(np.int64, "offers priced, whether or not they could be paid")
    hurdle: Floats = column(np.float64, "mu: the hurdle rate at which they were priced")
    withheld: Integers = column(np.int64, "refreshers and raises not granted for want of money, cents")
    spend: Integers = column(np.int64, "money for hires, retention and deals beside base pay, cents")

    @classmethod
    def zero(cls, runs: int, labs: int) -> Tally:
        """Nothing has happened yet."""
        return cls(**blank(cls, {"lab": (runs, labs)}))


class Happened(NamedTuple):
    """An event in the runs in which it happened."""

    week: int
    kind: str
    name: str
    lab: int  # number of the lab concerned; -1: all
    runs: Integers


@dataclass
class Log:
    """Finished offers and spells, fired events and moves between units, as lists of column blocks in order.

    Unless `all_offers`, only campaigns' are kept: the others are the most of what a run would keep.
    """

    all_offers: bool = True
    offers: list[dict[str, npt.NDArray[Any]]] = field(default_factory=list)
    spells: list[dict[str, npt.NDArray[Any]]] = field(default_factory=list)
    events: list[Happened] = field(default_factory=list)
    transfers: list[dict[str, npt.NDArray[Any]]] = field(default_factory=list)


@dataclass(frozen=True)
class Behaviour:
    """A user's own rule for some labs or researchers, in place of the vectorised one.

    `applies` says for the labs (L,) or the researcher rows (R x N,) whether the rule is theirs;
    `decide` takes the arguments that the rule's docstring names.
    """

    applies: Booleans
    decide: Callable[..., Any]


@dataclass
class Market:
    """R runs of one scenario at one week: all that the rules read and write.

    A budget line is a lab's talent account or a campaign's envelope: (R, L + C), labs first. Weeks that have
    not come are -1 (`campaign_week`) or `NEVER` (`plan_week`).
    """

    scenario: Scenario
    constants: Constants  # what no run changes
    runs: Integers  # numbers of the runs; (R,)
    keys: Keys  # of the draws of each run; (R,)
    people: int  # N: rows a run
    week: int  # from the start, the week that is lived
    researchers: Researchers
    labs: Labs
    valuations: list[Floats]  # of each week so far, (R, L); empty where grants are not charged
    contacted: list[Approaches]  # who has not yet been asked to interviews
    approaches: dict[int, list[Approaches]]  # by the week in which they are due
    offers: Offers  # until they are settled or the person starts; by person and lab
    ledger: Ledger
    tally: Tally  # of this week
    log: Log  # of all weeks
    budget: Integers  # cents that each line may commit this week
    promised: Integers  # cents by line held for offers that are open or accepted
    plan_week: Integers  # in which each plan fires; (R, plans)
    happened: Booleans  # whether each dated event has; (R, events)
    campaign_week: Integers  # in which each campaign opened; (R, C)
    campaign_reached: Integers  # how many people each campaign has approached; (R, C)
    campaign_committed: Integers  # cents: whole packages, counted against the envelope; (R, C)
    campaign_closed: Booleans  # nothing of it can be pending any more; (R, C)
    salary_cap: Floats  # USD a year; infinite where there is none; (R,)
    founding: Floats  # chance that a founder opens a reserved lab; (R,)
    seed: Integers  # cents that such a lab then raises; (R,)
    pending: Integers  # outsiders whom each lab has approached or written to; (R, L)
    started: Offers  # by which people started this week
    ties: npt.NDArray[np.int32]  # rows of those whom each person knows; (R x N, K)
    known_by: npt.NDArray[np.int32]  # rows of those who know her, filled up with the row R x N
    ties_there: npt.NDArray[np.int8]  # her ties at each place from UNBORN on, as of now; (R x N + 1, 4 + L)
    deciding: Integers = field(default_factory=lambda: np.zeros(0, np.int64))  # of offers, by person
    newcomers: list[Integers] = field(default_factory=list)  # rows whose spells began this week
    behaviours: dict[str, list[Behaviour]] = field(default_factory=dict)  # a user's own rules, by rule
    known_keys: dict[tuple[Purpose, int], Keys] = field(default_factory=dict)  # for many weeks at once

    @property
    def shape(self) -> tuple[int, int]:
        """(runs, labs)."""
        return self.labs.headcount.shape[0], self.labs.headcount.shape[1]

    def keys_for(self, purpose: Purpose, week: int = 0) -> Keys:
        """The key of every run for a purpose in a week; (R,). Keys are made for many weeks at once."""
        block, place = divmod(week, WEEKS_OF_KEYS)
        keys = self.known_keys.get((purpose, block))
        if keys is None:
            weeks = block * WEEKS_OF_KEYS + np.arange(WEEKS_OF_KEYS)[:, None]
            keys = self.known_keys[purpose, block] = purpose_keys(self.keys, purpose, weeks)
        return np.asarray(keys[place])

    def key_of(self, run: Integers, purpose: Purpose, week: int = 0) -> Keys:
        """The key of each given run for a purpose in a week."""
        return self.keys_for(purpose, week).take(run)

    def run_of(self, rows: Integers) -> Integers:
        """Run of each researcher row, as a position among this market's runs."""
        return rows // self.people

    def id_of(self, rows: Integers) -> Integers:
        """Id of each researcher row within its run."""
        return rows - self.run_of(rows) * self.people  # several times as quick as `rows % people`

    def able_to_pay(self, runs: Integers, lab: int, cents: int) -> Integers:
        """Those of the runs in which a lab has not failed and its treasury holds an amount."""
        rich = self.ledger.of(runs, Ledger.treasury(lab)) >= cents
        return np.asarray(runs[rich & ~self.labs.failed[runs, lab]])

    def staff_of(self, runs: Integers, lab: int) -> Integers:
        """Rows of a lab's staff in the given runs who have not given notice."""
        chosen = np.zeros(len(self.runs), np.bool_)
        chosen[runs] = True
        staff = np.flatnonzero((self.researchers.place == lab) & ~self.researchers.leaving)
        return staff[chosen[self.run_of(staff)]]

    def labs_meant(self, name: str | None) -> Integers:
        """Numbers of the labs that an event means: the one named, or all."""
        return np.arange(self.shape[1]) if name is None else np.array([self.constants.lab(name)])

    def log_offers(self, offers: Offers) -> None:
        """Keep offers that have come to their end this week."""
        some = offers if self.log.all_offers else offers.where(offers.campaigns)
        if len(some):
            self.log.offers.append(some.kept(self.week))

    def log_event(self, kind: str, name: str, lab: int, runs: Integers) -> None:
        """Note that something happened in the given runs; lab -1: to all labs."""
        if len(runs):
            self.log.events.append(Happened(self.week, kind, name, lab, runs))

    def tenure_weeks(self, rows: Integers) -> Integers:
        """Whole weeks since each person's spell began; (n,)."""
        return np.maximum(self.week - self.researchers.start_week[rows].astype(np.int64), 0)

    def falling_due(self) -> Integers:
        """Positions of all undecided offers of people one of whose offers expires this week, by person."""
        offers = self.offers
        rows, now = offers.row, offers.expires <= self.week
        chosen = np.flatnonzero(
            (offers.outcome == UNSET) & (self.researchers.spell.take(rows) == offers.spell)
        )
        if not now[chosen].all():
            chosen = chosen[np.isin(rows[chosen], rows[chosen][now[chosen]])]
        return chosen

    def planned(self, weeks_ahead: Integers | int) -> Floats:
        """N* of each lab some weeks ahead, after budget changes; (R, L)."""
        planned = self.constants.planned
        week = np.minimum(self.week - self.labs.born + weeks_ahead, planned.shape[1] - 1)
        plan = planned[np.arange(planned.shape[0]), week] * self.labs.plan_factor
        return np.asarray(np.minimum(plan, MOST_PLANNED))

    def line_of(self, offers: Offers) -> Integers:
        """Budget line of each offer: its lab, or its campaign."""
        return np.where(offers.campaign >= 0, self.shape[1] + offers.campaign, offers.lab)

    def account_of(self, offers: Offers) -> Integers:
        """Account that pays each offer."""
        envelope = self.ledger.envelope(self.shape[1], np.maximum(offers.campaign, 0))
        return np.where(offers.campaign >= 0, envelope, Ledger.talent(offers.lab))

    def tied_to(self, rows: Integers) -> Integers:
        """Rows of everybody whom each person knows; (n, K)."""
        return self.ties.take(rows, axis=0).astype(np.int64)

    def ties_at(self, rows: Integers, place: Integers) -> Floats:
        """Share of each person's ties who are at the given place now, between 0 and 1."""
        there = self.ties_there.ravel().take(self.tie_cells(rows, place))
        return np.asarray(there / max(self.ties.shape[1], 1))

    def tie_cells(self, rows: npt.NDArray[np.integer], place: npt.NDArray[np.integer]) -> Integers:
        """Where, in `ties_there` laid flat, each person's ties at a place are counted; broadcasts."""
        return np.asarray(rows * np.int64(self.ties_there.shape[1]) + place - UNBORN)
