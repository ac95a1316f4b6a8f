"""The market's state as columns, for R runs side by side.

Researchers are rows of R x N columns, run after run; labs are (R, L) arrays, units (R, U). A
researcher's id is her row within the run and is never used twice: graduates who have not yet
entered are rows already, in the place `UNBORN`. What no run changes is in `constants.py`, approaches
and offers are in `offers.py`. Nothing here draws, decides or records.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.market.columns import UNSET
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

CAUSES = ("rival", "found", "academia", "field", "acquihire", "released")
RIVAL, FOUND, ACADEMIA, FIELD, ACQUIHIRE, RELEASED = range(len(CAUSES))
ORIGINS = ("opening", "outside", "rival", "acquihire", "founding")
FROM_OPENING, FROM_OUTSIDE, FROM_RIVAL, FROM_ACQUIHIRE, FROM_FOUNDING = range(len(ORIGINS))
COUNTER_POLICIES = ("off", "match_once", "match_every", "second_price")
OFF, MATCH_ONCE, MATCH_EVERY, SECOND_PRICE = range(len(COUNTER_POLICIES))
STRATEGIES = ("open", "dual", "closed", "rent")


@dataclass
class Researchers:
    """Columns of R x N rows; weeks count from the scenario's start, pay is in cents.

    `exit_week` is the week in which a hazard drawn in advance moves the person on: out of a lab,
    or, for those outside it, back into the market. `grant` and `retention` are shares, one share
    being one cent at a valuation of 1. `slight` is ln(own pay / a peer's) while underpaid, else 0.
    """

    talent: npt.NDArray[np.float32]
    visibility: npt.NDArray[np.float32]
    mission: npt.NDArray[np.float32]
    attachment: npt.NDArray[np.float32]
    slight: npt.NDArray[np.float32]
    place: npt.NDArray[np.int16]
    unit: npt.NDArray[np.int16]
    origin: npt.NDArray[np.int8]
    title: npt.NDArray[np.int8]
    countered: Booleans
    leaving: Booleans
    spell: npt.NDArray[np.int16]
    start_week: npt.NDArray[np.int16]
    exit_week: npt.NDArray[np.int16]
    contact_week: npt.NDArray[np.int16]
    contacts: npt.NDArray[np.int16]
    approached: npt.NDArray[np.uint16]
    retention_week: npt.NDArray[np.int16]
    weekly_base: Integers
    sign_on: Integers
    grant: Integers
    retention: Integers

    @classmethod
    def empty(cls, rows: int) -> Researchers:
        """All columns at zero, nobody yet in the market."""
        types = {
            "talent": np.float32, "visibility": np.float32, "attachment": np.float32, "slight": np.float32,
            "place": np.int16, "unit": np.int16, "origin": np.int8, "title": np.int8,
            "countered": np.bool_, "leaving": np.bool_, "spell": np.int16, "start_week": np.int16,
            "exit_week": np.int16, "contact_week": np.int16, "contacts": np.int16,
            "approached": np.uint16, "retention_week": np.int16, "weekly_base": np.int64,
            "sign_on": np.int64, "grant": np.int64, "retention": np.int64,
        }  # fmt: skip
        columns: dict[str, Any] = {name: np.zeros(rows, kind) for name, kind in types.items()}
        return cls(mission=np.zeros((rows, 3), np.float32), **columns)

    @property
    def bytes_each(self) -> float:
        """Bytes of state a researcher."""
        columns = [getattr(self, f.name) for f in fields(self)]
        return float(sum(column.nbytes for column in columns) / len(self.talent))


@dataclass
class Labs:
    """Columns (R, L) and, for units, (R, U); missions (R, U, 3).

    `failed` labs neither pay nor hire; one reserved for founders is failed until they open it in the
    week `born`, from which its headcount plan counts. `talent_growth` is the weekly growth of the log of
    the talent inflow. A lab that rents a rival's model pays `rent` cents a week to its `provider`.
    """

    headcount: Integers
    weekly_payroll: Integers
    talent_sum: Integers
    opening_talent: Floats
    ln_standing: Floats
    valuation: Floats
    frozen_until: Integers
    failed: Booleans
    talent_factor: Floats
    talent_growth: Floats
    treasury_factor: Floats
    plan_factor: Floats
    born: Integers
    process: Integers
    non_compete: Integers
    counter_policy: Integers
    detection: Floats
    answering: Floats
    strategy: Integers
    provider: Integers
    rent: Integers
    compute_factor: Floats
    ambition: Floats
    leadership: Floats
    unit_share: Floats
    unit_mission: Floats

    @classmethod
    def empty(cls, runs: int, labs: int, units: int) -> Labs:
        """Labs without staff at standing and valuation 1, and no unit with a share or a mission."""
        shape = (runs, labs)
        whole: dict[str, Any] = {
            name: np.zeros(shape, np.int64)
            for name in (
                "headcount", "weekly_payroll", "talent_sum", "frozen_until",
                "born", "process", "non_compete", "counter_policy", "strategy", "provider", "rent",
            )
        }  # fmt: skip
        ones: dict[str, Any] = {
            name: np.ones(shape)
            for name in (
                "valuation", "talent_factor", "treasury_factor", "plan_factor", "compute_factor",
                "opening_talent",
            )
        }  # fmt: skip
        zeros: dict[str, Any] = {
            name: np.zeros(shape)
            for name in ("ln_standing", "talent_growth", "ambition", "detection", "answering")
        }
        by_unit: dict[str, Any] = {name: np.zeros((runs, units)) for name in ("leadership", "unit_share")}
        return cls(
            **whole, **ones, **zeros, **by_unit,
            failed=np.zeros(shape, np.bool_), unit_mission=np.zeros((runs, units, 3)),
        )  # fmt: skip


@dataclass
class Tally:
    """What happened this week, by run and lab: (R, L) arrays set to zero when a week begins."""

    hires: Integers
    acquihires: Integers
    from_rivals: Integers
    left: Integers
    contacts: Integers
    offers: Integers
    counters: Integers
    accepted: Integers
    spend: Integers

    @classmethod
    def zero(cls, runs: int, labs: int) -> Tally:
        """Nothing has happened yet."""
        sizes = {f.name: (runs, labs, len(CAUSES)) if f.name == "left" else (runs, labs) for f in fields(cls)}
        return cls(**{name: np.zeros(shape, np.int64) for name, shape in sizes.items()})


@dataclass
class Log:
    """Finished offers and spells and fired events, as lists of column blocks in order.

    Unless `all_offers`, only campaigns' are kept: the others are the most of what a run would keep.
    """

    all_offers: bool = True
    offers: list[dict[str, npt.NDArray[Any]]] = field(default_factory=list)
    spells: list[dict[str, npt.NDArray[Any]]] = field(default_factory=list)
    events: list[tuple[int, str, str, int, Integers]] = field(default_factory=list)


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

    `budget` and `promised` are cents by budget line, (R, L + C): the labs' talent accounts, then the
    campaigns' envelopes. `promised` is the cash held for offers that are open or accepted;
    `campaign_committed` (R, C) counts their whole packages against the envelope.
    `approaches` are kept by the week in which they are due; `pending` (R, L) counts the outsiders whom a
    lab has approached. `ties` (R x N, K) holds the rows of those whom each person knows, `known_by` of
    those who know her, filled up with the row R x N. `ties_there` (R x N + 1, 4 + L) counts each person's
    ties (at most 32) at each place, from `UNBORN` on, as of now: few people move, many are asked. `offers`
    stand by person and lab. Weeks that have not come are -1 (`campaign_week`) or `NEVER` (`plan_week`).
    `deciding` are positions of the offers that are decided this week, by person. `newcomers` are rows whose
    spells began this week, `started` the offers by which people started this week. `behaviours` are a
    user's own rules.
    """

    scenario: Scenario
    constants: Constants
    runs: Integers
    keys: Keys
    people: int
    week: int
    researchers: Researchers
    labs: Labs
    approaches: dict[int, list[Approaches]]
    offers: Offers
    ledger: Ledger
    tally: Tally
    log: Log
    budget: Integers
    promised: Integers
    plan_week: Integers
    happened: Booleans
    campaign_week: Integers
    campaign_reached: Integers
    campaign_committed: Integers
    campaign_closed: Booleans
    salary_cap: Floats
    founding: Floats
    seed: Integers
    pending: Integers
    started: Offers
    ties: npt.NDArray[np.int32]
    known_by: npt.NDArray[np.int32]
    ties_there: npt.NDArray[np.int8]
    deciding: Integers = field(default_factory=lambda: np.zeros(0, np.int64))
    newcomers: list[Integers] = field(default_factory=list)
    behaviours: dict[str, list[Behaviour]] = field(default_factory=dict)
    known_keys: dict[tuple[Purpose, int], Keys] = field(default_factory=dict)

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
        """Those of the runs in which a lab's treasury holds an amount."""
        return runs[self.ledger.of(runs, Ledger.treasury(lab)) >= cents]

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
            self.log.events.append((self.week, kind, name, lab, runs))

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
