"""What is recorded: series by lab and week, offers, spells, postings, events, transfers, as plain columns.

Reads the state after each week and never writes it. Every table has its rows in an order that is
the same whichever runs stand together: by run, then as the table's docstring says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.market.ledger import KINDS
from sim.market.offers import ACCEPTED, LAPSED, OUTCOMES, of_campaigns
from sim.market.state import CAUSES, FROM_OPENING, ORIGINS, OUTSIDE, Market

Column = npt.NDArray[Any]
Words = tuple[Column, list[str]]  # codes and the words they stand for; -1 where there is none
Table = dict[str, Column | Words]

MONEY = ("cash", "treasury", "committed", "spend", "withheld")
STAGES = ("contacts", "interested", "interviews", "priced", "offers", "counters", "accepted")
SERIES = ("hires", "acquihires", "from_rivals", *STAGES)


@dataclass
class Recorder:
    """Series of every week so far, each (weeks, R, L); columns are those of the `labs` table."""

    weeks: dict[str, list[Column]]

    @classmethod
    def ready(cls) -> Recorder:
        """Nothing recorded yet."""
        names = ("headcount", *SERIES, "left", *MONEY, "standing", "hurdle")
        return cls({name: [] for name in names})

    def copy(self) -> Recorder:
        """The same so far, to go on by itself."""
        return Recorder({name: list(values) for name, values in self.weeks.items()})

    def observe(self, market: Market) -> None:
        """Record the week that has just ended."""
        labs = market.shape[1]
        now: dict[str, Column] = {name: getattr(market.tally, name).astype(np.int32) for name in SERIES}
        now["headcount"] = market.labs.headcount.astype(np.int32)
        now["left"] = market.tally.left.astype(np.int32)
        now["spend"], now["withheld"] = market.tally.spend, market.tally.withheld
        now["hurdle"] = market.tally.hurdle
        now["cash"] = market.ledger.talent_accounts(labs).copy()
        now["treasury"] = market.ledger.treasuries(labs).copy()
        now["committed"] = market.promised[:, :labs].copy()
        now["standing"] = np.exp(market.labs.ln_standing)
        for number, event in enumerate(market.constants.campaigns):
            owner = market.constants.lab(event.body.lab)
            now["committed"][:, owner] += market.campaign_committed[:, number]
        for name, values in now.items():
            self.weeks[name].append(values)

    def labs_table(self, market: Market) -> Table:
        """One row a run, week and lab."""
        labs = market.shape[1]
        weeks = len(self.weeks["headcount"])
        stacked = {name: np.stack(values, axis=1) for name, values in self.weeks.items()}
        start = np.datetime64(market.scenario.start, "D")
        run, week, lab = np.meshgrid(market.runs, np.arange(weeks), np.arange(labs), indexing="ij")
        table: Table = {
            "run": run.ravel().astype(np.int32),
            "week": week.ravel().astype(np.int16),
            "date": start + 7 * week.ravel(),
            "lab": (lab.ravel(), list(market.constants.lab_names)),
            "headcount": stacked["headcount"].ravel(),
        }
        table |= {name: stacked[name].ravel() for name in ("hires", "acquihires", "from_rivals")}
        left = stacked["left"]
        table["departures"] = left.sum(axis=-1, dtype=np.int32).ravel()
        table |= {f"left_{cause}": left[..., k].ravel() for k, cause in enumerate(CAUSES)}
        table |= {name: stacked[name].ravel() for name in STAGES}
        table |= {f"{name}_cents": stacked[name].ravel() for name in MONEY}
        return table | {name: stacked[name].ravel() for name in ("standing", "hurdle")}


def offers_table(market: Market, campaigns_only: bool = False) -> Table:
    """One row an offer, settled or still open at the end; by run, week of the offer, researcher, lab.

    A campaign's approaches that never became an offer stand here too, without a week of the offer.
    """
    blocks = [*market.log.offers, market.offers.kept(market.week)]
    found = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    if campaigns_only:
        theirs = np.flatnonzero(of_campaigns(found["campaign"], found["follows"]))
        found = {name: column[theirs] for name, column in found.items()}
    run, person = market.run_of(found["row"]), market.id_of(found["row"])
    weeks = market.week + 2  # the first is for those never made
    key = (run.astype(np.int64) * weeks + found["offer_week"] + 1) * market.people + person
    order = np.argsort(key * market.shape[1] + found["lab"], kind="stable")
    found = {name: column[order] for name, column in found.items()}
    run, outcome, start = run[order], found["outcome"], found["start_week"]
    accepted = outcome == ACCEPTED
    started = accepted & ((found["closed"] < market.week) | (start < market.week))
    first = np.searchsorted(run, np.arange(len(market.runs)))
    names, campaigns = market.constants.lab_names, market.constants.campaigns
    words, pools = [event.body.name for event in campaigns], market.constants.pools.names
    return {
        "run": market.runs[run].astype(np.int32),
        "offer": (np.arange(len(order)) - first[run]).astype(np.int32),
        "researcher": person[order].astype(np.int32),
        "lab": (found["lab"], list(names)),
        "unit": _units(market, found["unit"]),
        "campaign": (found["campaign"], words),
        "follows": (found["follows"], words),
        "inviter": found["inviter"],
        "origin": (_place(found["origin"], found["origin_unit"], len(names)), [*names, *pools]),
        "contact_week": found["contact_week"],
        "interest_week": found["interest_week"],
        "interview_week": found["interview_week"],
        "offer_week": found["offer_week"],
        "counter_week": found["counter_week"],
        "decision_week": found["decision_week"],
        "notice_week": np.where(accepted & (found["origin"] >= 0), found["decision_week"], np.int16(-1)),
        "start_week": np.where(started, start, np.int16(-1)),
        "base_cents": np.rint(found["weekly_base"] * 365.25 / 7).astype(np.int64),
        "sign_on_cents": found["sign_on"],
        "grant_cents": found["grant"],
        "counter_cents": np.maximum(found["counter"], 0),
        "outcome": (np.where(outcome < 0, LAPSED, outcome), list(OUTCOMES)),
    }


def spells_table(market: Market) -> Table:
    """One row an employment spell, those under way as censored; by run, researcher, start."""
    blocks = market.log.spells
    spells = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    start = spells["start_week"].astype(np.int64)
    earliest, latest = start.min(initial=0), start.max(initial=0)
    order = np.argsort(spells["row"] * (1 + latest - earliest) + start - earliest, kind="stable")
    spells = {name: column[order] for name, column in spells.items()}
    names = market.constants.lab_names
    return {
        "run": market.runs[market.run_of(spells["row"])].astype(np.int32),
        "researcher": market.id_of(spells["row"]).astype(np.int32),
        "talent": market.researchers.talent[spells["row"]],
        "lab": (spells["lab"].astype(np.int64), list(names)),
        "unit": _units(market, spells["unit"].astype(np.int64)),
        "start_week": spells["start_week"],
        "entry_week": np.maximum(spells["start_week"], 0),
        "end_week": spells["end_week"],
        "origin": (spells["origin"].astype(np.int64), list(ORIGINS)),
        "came_from": _came_from(market, spells),
        "returned": spells["returned"],
        "cause": (spells["cause"].astype(np.int64), list(CAUSES)),
        "next_lab": (spells["next_lab"].astype(np.int64), list(names)),
        "censored": spells["cause"] < 0,
    }


def ledger_table(market: Market) -> Table:
    """One row a posting that moved money; by run, week, then in the order of posting."""
    journal = market.ledger.journal
    widths = [len(posting.run) for posting in journal]
    week = np.repeat(np.array([posting.week for posting in journal], np.int16), widths)
    kind = np.repeat(np.array([posting.kind for posting in journal], np.int64), widths)
    run, debit, credit, cents = (
        np.concatenate([getattr(posting, name) for posting in journal] or [np.zeros(0, np.int64)])
        for name in ("run", "debit", "credit", "cents")
    )
    order = np.argsort(run, kind="stable")
    names = list(market.ledger.names)
    return {
        "run": market.runs[run[order]].astype(np.int32),
        "week": week[order],
        "kind": (kind[order], list(KINDS)),
        "debit": (debit[order], names),
        "credit": (credit[order], names),
        "cents": cents[order],
    }


def events_table(market: Market) -> Table:
    """One row an event that happened; by run, then in the order of happening."""
    log = market.log.events
    widths = [len(event.runs) for event in log]
    run = np.concatenate([event.runs for event in log] or [np.zeros(0, np.int64)])
    order = np.argsort(run, kind="stable")
    kinds, names = sorted({event.kind for event in log}), sorted({event.name for event in log})

    def spread(values: list[int]) -> Column:
        """One value an event as one a row."""
        return np.repeat(np.array(values, np.int64), widths)[order]

    return {
        "run": market.runs[run[order]].astype(np.int32),
        "week": spread([event.week for event in log]).astype(np.int16),
        "kind": (spread([kinds.index(event.kind) for event in log]), kinds),
        "name": (spread([names.index(event.name) for event in log]), names),
        "lab": (spread([event.lab for event in log]), list(market.constants.lab_names)),
    }


def transfers_table(market: Market) -> Table:
    """One row a move between units of a lab, which ends no spell; by run, then in the order of happening."""
    log, names = market.log.transfers, ("row", "lab", "start_week", "week", "from_unit", "to_unit")
    found = {n: np.concatenate([block[n] for block in log] or [np.zeros(0, np.int64)]) for n in names}
    run = market.run_of(found["row"])
    order = np.argsort(run, kind="stable")
    found = {name: column[order] for name, column in found.items()}
    return {
        "run": market.runs[run[order]].astype(np.int32),
        "researcher": market.id_of(found["row"]).astype(np.int32),
        "lab": (found["lab"].astype(np.int64), list(market.constants.lab_names)),
        "start_week": found["start_week"],
        "week": found["week"],
        "from_unit": _units(market, found["from_unit"].astype(np.int64)),
        "to_unit": _units(market, found["to_unit"].astype(np.int64)),
    }


def _units(market: Market, unit: Column) -> Words:
    return unit, [name.split("/")[1] for name in market.constants.unit_names]


def _place(place: Column, pool: Column, labs: int) -> Column:
    """Number of a lab, or of a pool of outsiders after all labs."""
    return np.where(place == OUTSIDE, labs + pool.astype(np.int64), place)


def _came_from(market: Market, spells: dict[str, Column]) -> Words:
    """Where people were before a spell: a lab or a pool; nowhere known for the opening staff."""
    labs, before = len(market.constants.lab_names), spells["came_from"].astype(np.int64)
    place = np.where(before >= 0, before, labs - 1 - before)
    opening = spells["origin"] == FROM_OPENING
    return np.where(opening, -1, place), [*market.constants.lab_names, *market.constants.pools.names]
