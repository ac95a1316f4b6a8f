"""The machine form of what was traced: plain data for JSON, with keys that say their units.

Pay in USD a year, terms and utilities in utils, `_cents` in cents; weeks also as the date of their first day.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from sim.analysis.accounts import LabWeek, Step
from sim.analysis.lives import Lives, Names, Story
from sim.analysis.places import pool_of
from sim.analysis.tracing import Decided, Response, Trace
from sim.market.columns import UNSET
from sim.market.offers import Approaches
from sim.market.state import Market
from sim.scenario.schema import Scenario

STAGES = ("contact", "interest", "interview", "offer", "counter", "decision", "notice", "start")
LARGEST_LN = 700.0  # e to this power is still a number


class Teller(Names):
    """Puts what was traced into the machine form."""

    def __init__(self, scenario: Scenario, trace: Trace, log: bool) -> None:
        super().__init__(scenario, trace.market)
        self.trace = trace
        self.offers = trace.tables["offers"].to_pandas()
        kept = np.ones(len(self.offers), np.bool_)
        if not log:
            kept = (self.offers.campaign.notna() | self.offers.follows.notna()).to_numpy(np.bool_)
        self.offers["number"] = np.where(kept, np.cumsum(kept) - 1, -1)
        self.kept = int(kept.sum())
        self.records: list[Story] = self.offers.to_dict("records")
        self.written: dict[tuple[int, str, int], Story] = {
            (row["researcher"], row["lab"], int(row["offer_week"])): row
            for row in self.records
            if row["offer_week"] == row["offer_week"]  # one never written has no week
        }
        left = self.market.offers
        left = left.where(left.outcome == UNSET)
        self.open = set(zip(left.row.tolist(), left.lab.tolist(), left.offer_week.tolist(), strict=True))

    def biography(self, researcher: int) -> Story:
        """Spells, offers and choices of one researcher."""
        people = self.market.researchers
        rows = [row for row in self.records if row["researcher"] == researcher]
        lives = Lives(self.scenario, self.trace)
        return {
            "kind": "researcher",
            "researcher": researcher,
            "talent": float(people.talent[researcher]),
            "former": lives.former(researcher),
            "spells": lives.spells(researcher),
            "elsewhere": lives.elsewhere(researcher),
            "offers": [self.offer(row) for row in rows],
            "choices": self._choices(researcher),
            "responses": [self._response(response) for response in self.trace.responses],
        }

    def _response(self, response: Response) -> Story:
        """An answer to an approach: whether she was interested, and from which known pay on she would be."""
        campaigns = self.market.constants.campaigns
        return {
            "week": response.week,
            "date": self.date(response.week),
            **self.lab(self.market.constants.lab_names[response.lab]),
            "campaign": campaigns[response.campaign].body.name if response.campaign >= 0 else None,
            "interested": response.interested,
            "known_pay_usd_per_year": response.known,
            "needed_pay_usd_per_year": response.needed,
            "gap": response.gap,
            "slack": response.slack,
        }

    def one_offer(self, number: int) -> Story:
        """One offer, and the choice in which it was decided."""
        row = next(row for row in self.records if row["number"] == number)
        choices = [
            told
            for told in self._choices(row["researcher"])
            if any(option["offer"] == number for option in told["options"])
        ]
        return {
            "kind": "offer",
            "researcher": row["researcher"],
            "offers": [self.offer(row)],
            "choices": choices,
        }

    def offer(self, row: Mapping[str, Any]) -> Story:
        """An offer of the table: its terms and stages."""
        weeks = {stage: row[f"{stage}_week"] for stage in STAGES}
        stages = {
            stage: {"week": int(week), "date": self.date(int(week))}
            for stage, week in weeks.items()
            if not math.isnan(week)  # a stage that was not reached has no week
        }
        key = (
            row["researcher"],
            self.market.constants.lab(row["lab"]),
            int(weeks["offer"]) if "offer" in stages else -1,
        )
        return {
            "offer": _none(int(row["number"]), -1),
            "researcher": row["researcher"],
            **self.lab(row["lab"]),
            "unit": row["unit"],
            "campaign": _text(row["campaign"]),
            "earlier": self._earlier(row),
            "follows": _text(row["follows"]),
            "inviter": None if row["inviter"] != row["inviter"] else int(row["inviter"]),
            "from": self.lab(row["origin"])["label"] if row["origin"] in self.scenario.labs else None,
            "from_pool": pool_of(row["origin"]),
            "stages": stages,
            "base_cents_per_year": int(row["base_cents"]),
            "sign_on_cents": int(row["sign_on_cents"]),
            "grant_cents": int(row["grant_cents"]),
            "package_cents": int(row["sign_on_cents"] + row["grant_cents"]),
            "counter_cents": int(row["counter_cents"]),
            "vesting_years": self.scenario.labs[row["lab"]].vesting.length,
            "outcome": row["outcome"],
            "open_at_end": key in self.open,
        }

    def _earlier(self, row: Mapping[str, Any]) -> int:
        """How many offers of the same campaign the person has had before."""
        return sum(
            other["campaign"] == row["campaign"] and other["offer_week"] < row["offer_week"]
            for other in self.records
            if other["researcher"] == row["researcher"] and isinstance(row["campaign"], str)
        )

    def _choices(self, researcher: int) -> list[Story]:
        found = [(d, own) for d, own in self.trace.people_deciding() if d.key[own[0]][0] == researcher]
        return [self.choice(decided, own) for decided, own in found]

    def choice(self, decided: Decided, own: list[int]) -> Story:
        """One choice: its options, staying first, and what each was made of.

        Staying is valued as of the week in which the best of the offers was written, as the rule does.
        """
        best = max(own, key=lambda position: decided.offer_utility[position])
        told = [self._staying(decided, best), *(self._going(decided, position) for position in own)]
        options, kappas = [option for option, _ in told], [kappa for _, kappa in told]
        won = max(options, key=lambda option: option["utility"])
        for option, kappa in zip(options, kappas, strict=True):
            rival = max(other["utility"] for other in options if other is not option)
            option["wins"] = option is won
            option["margin"] = option["utility"] - rival
            self._tip(option, rival, kappa)
        winner = None if won is options[0] else won["label"]
        return {
            "week": decided.week,
            "date": self.date(decided.week),
            "researcher": decided.key[best][0],
            "winner": "stay" if winner is None else "offer",
            "winner_label": winner,
            "accepted": any(decided.accepted[position] for position in own),
            "margin": won["margin"],
            "options": options,
        }

    def _row(self, key: tuple[int, int, int]) -> Story:
        researcher, lab, week = key
        return self.written[researcher, self.market.constants.lab_names[lab], week]

    def _staying(self, decided: Decided, position: int) -> tuple[Story, float]:
        """Staying as an option, and what a further dollar a year of package would add to its pay."""
        key = decided.key[position]
        block, written = self.trace.written[key]
        pay, terms, kappa = block.stay.at(written)
        more, added, _ = decided.stay.at(position)
        raised = int(decided.raised[position])
        origin = self._row(key)["origin"]
        at_lab = origin in self.scenario.labs
        option = {
            "option": "stay",
            "offer": None,
            "lab": origin if at_lab else None,
            "label": self.scenario.labs[origin].label if at_lab else None,
            "pool": pool_of(origin),
            "counter_cents": int(decided.counter[position]),
            "raised_base_cents_per_week": _none(raised, -1),
            **self._worth(pay | more, terms | added, float(decided.stay_utility[position])),
        }
        return option, kappa

    def _going(self, decided: Decided, position: int) -> tuple[Story, float]:
        """An offer as an option, and what a further dollar a year of package would add to its pay."""
        key = decided.key[position]
        block, written = self.trace.written[key]
        pay, terms, kappa = block.offer.at(written)
        more, added, _ = decided.offer.at(position)
        row = self._row(key)
        option = {
            "option": "offer",
            "offer": _none(row["number"], -1),
            **self.lab(row["lab"]),
            "package_cents": row["sign_on_cents"] + row["grant_cents"],
            **self._worth(pay | more, terms | added, float(decided.offer_utility[position])),
        }
        return option, kappa

    def _worth(self, pay: dict[str, float], terms: dict[str, float], utility: float) -> Story:
        """What an option is worth: the parts of its pay, and its terms, which add up to the utility."""
        elasticity, total = self.scenario.market.choice.pay_elasticity, sum(pay.values())
        return {
            "pay_usd_per_year": total,
            "pay_parts_usd_per_year": pay,
            "terms": {"pay": elasticity * math.log(total)} | terms,
            "utility": utility,
        }

    def _tip(self, option: Story, rival: float, kappa: float) -> None:
        """The pay at which an option is worth as much as its best rival, and the package that gives it.

        None where no pay would do. A package below 0 says that base pay alone is more than enough.
        """
        rest = option["utility"] - option["terms"]["pay"]
        ln_pay = (rival - rest) / self.scenario.market.choice.pay_elasticity
        pay = math.exp(ln_pay) if abs(ln_pay) < LARGEST_LN else None
        option["tipping_pay_usd_per_year"] = pay
        option["tipping_package_usd"] = None
        if pay is None or kappa <= 0:
            return
        horizon, parts = self.scenario.market.equity.horizon, option["pay_parts_usd_per_year"]
        without = (
            parts["base"] if option["option"] == "offer" else option["pay_usd_per_year"] - parts["counter"]
        )
        option["tipping_package_usd"] = (pay - without) / kappa * horizon

    def lab_week(self, seen: LabWeek) -> Story:
        """A lab's week."""
        name = self.market.constants.lab_names[seen.lab]
        own = [row for row in self.records if row["lab"] == name]
        settled = [row for row in own if seen.week in (row["decision_week"], row["start_week"])]
        return {
            "kind": "week",
            **self.lab(name),
            "week": seen.week,
            "date": self.date(seen.week),
            "headcount": {"before": seen.headcount[0], "after": seen.headcount[1]},
            "frozen": seen.frozen,
            "failed": seen.failed,
            "contacted": seen.contacted,
            "shortlist": self._approached(seen.shortlist),
            "invited": self._approached(seen.invited),
            "budget_cents": seen.budget,
            "prices": self._prices(seen, own),
            "settled": [self.offer(row) for row in settled],
            "money": [_step(step) for step in seen.steps],
        }

    def _prices(self, seen: LabWeek, own: list[Story]) -> list[Story]:
        """What the lab asked itself of each approach that was due, and what it wrote, if it did."""
        written = {row["researcher"]: row for row in own if row["offer_week"] == seen.week}
        return [
            {
                "researcher": entry["researcher"],
                "campaign": _campaign(self.market, int(entry["campaign"])),
                **{f"{name}_usd_per_year": entry[name] for name in ("value", "reservation", "cost")},
                "chance": entry["chance"],
                "multiplier": entry["multiplier"],
                "offer": self.offer(written[entry["researcher"]]) if entry["researcher"] in written else None,
            }
            for entry in sorted(seen.priced, key=lambda entry: entry["researcher"])
        ]

    def _approached(self, found: Approaches) -> list[Story]:
        """Approaches as plain data."""
        units = self.market.constants.unit_names
        return [
            {
                "researcher": int(found.row[i]),
                **_from(self.place(int(found.origin[i]), int(found.origin_unit[i]))),
                "unit": units[found.unit[i]].split("/")[1],
                "campaign": _campaign(self.market, int(found.campaign[i])),
                "inviter": _none(int(found.inviter[i]), -1),
                "value_usd_per_year": float(found.value[i]),
            }
            for i in range(len(found))
        ]


def _step(step: Step) -> Story:
    """What a rule did to money and promises."""

    def pairs(changed: dict[str, tuple[int, int]]) -> Story:
        return {name: {"before_cents": a, "after_cents": b} for name, (a, b) in changed.items()}

    accounts = pairs(step.balances)
    for name, entry in accounts.items():
        entry["postings_cents"] = step.postings.get(name, {})
    rule = f"{step.rule.__module__.rpartition('.')[2]}.{step.rule.__name__}"
    return {"rule": rule, "accounts": accounts, "escrow": pairs(step.escrow)}


def _from(place: Story) -> Story:
    """Where somebody is who is approached: the lab's label, or the pool."""
    return {"from": place["label"], "from_pool": place["pool"]}


def _campaign(market: Market, number: int) -> str | None:
    return str(market.constants.campaigns[number].body.name) if number >= 0 else None


def _none(number: int, absent: int) -> int | None:
    return None if number == absent else number


def _text(word: Any) -> str | None:
    """A word of a table, None where there is none."""
    return word if isinstance(word, str) else None
