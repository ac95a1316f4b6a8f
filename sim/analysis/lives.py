"""Where people were in a run: spells with their units and leaders, and times outside the labs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sim.analysis.counts import SPELL
from sim.analysis.leaders import Leaders
from sim.analysis.places import pool_of
from sim.analysis.tracing import Trace
from sim.market.state import FOUNDER, LEFT_FIELD, OUTSIDE, UNBORN, Market
from sim.scenario.schema import Scenario

Story = dict[str, Any]

PLACES = {OUTSIDE: "outside", FOUNDER: "founder", LEFT_FIELD: "left_field", UNBORN: "not_yet"}


class Names:
    """Weeks and places of a market by name and for people."""

    def __init__(self, scenario: Scenario, market: Market) -> None:
        self.scenario, self.market = scenario, market

    def date(self, week: int) -> str:
        """The first day of a week."""
        return (self.scenario.start + timedelta(weeks=week)).isoformat()

    def lab(self, name: str) -> Story:
        """A lab by name and for people."""
        return {"lab": name, "label": self.scenario.labs[name].label}

    def place(self, place: int, pool: int) -> Story:
        """A lab or a place outside, by name and for people; the pool if it is one of several."""
        if place < 0:
            named = pool_of(self.market.constants.pools.names[pool]) if place == OUTSIDE else None
            return {"place": PLACES[place], "lab": None, "label": None, "pool": named}
        return {"place": "lab", "pool": None} | self.lab(self.market.constants.lab_names[place])

    def place_named(self, place: Any) -> Story | None:
        """A place as tables write it; None where there is none."""
        if not isinstance(place, str):
            return None
        if place in self.scenario.labs:
            return {"place": "lab", "pool": None} | self.lab(place)
        return {"place": PLACES[OUTSIDE], "lab": None, "label": None, "pool": pool_of(place)}


class Lives(Names):
    """Spells and times elsewhere of the people of a run."""

    def __init__(self, scenario: Scenario, trace: Trace) -> None:
        super().__init__(scenario, trace.market)
        self.trace = trace
        self.leaders = Leaders(scenario, trace.tables["events"])

    def former(self, researcher: int) -> Story | None:
        """The lab at which somebody was before the simulation begins, if that is known."""
        lab = int(self.trace.former[researcher])
        return self.lab(self.market.constants.lab_names[lab]) if lab >= 0 else None

    def spells(self, researcher: int) -> list[Story]:
        """Employment spells, each with the units that it leads through and where it came from."""
        frame = self.trace.tables["spells"].to_pandas()
        return [self._spell(row) for row in frame[frame.researcher == researcher].to_dict("records")]

    def _spell(self, row: Mapping[str, Any]) -> Story:
        gone, to_lab = not row["censored"], isinstance(row["next_lab"], str)
        return self.lab(row["lab"]) | {
            "unit": row["unit"],
            "units": self._units(row),
            "start": self.date(row["start_week"]),
            "start_week": row["start_week"],
            "end": self.date(row["end_week"]) if gone else None,
            "end_week": row["end_week"] if gone else None,
            "origin": row["origin"],
            "came_from": self.place_named(row["came_from"]),
            "returned": bool(row["returned"]),
            "cause": row["cause"] if isinstance(row["cause"], str) else None,
            "next": self.lab(row["next_lab"])["label"] if to_lab else None,
        }

    def _units(self, spell: Mapping[str, Any]) -> list[Story]:
        """The units of a spell: the one that it begins in, then each that it goes on in, with the week."""
        moves = self.trace.tables["transfers"].to_pylist()
        moves = [move for move in moves if all(move[name] == spell[name] for name in SPELL)]
        first = moves[0]["from_unit"] if moves else spell["unit"]
        stays = [(first, spell["start_week"]), *((move["to_unit"], move["week"]) for move in moves)]
        ends = [*(week for _, week in stays[1:]), spell["end_week"]]
        return [
            {"unit": unit, "week": week, "date": self.date(week)} | self._led(spell["lab"], unit, week, end)
            for (unit, week), end in zip(stays, ends, strict=True)
        ]

    def _led(self, lab: str, unit: str, start: int, end: int) -> Story:
        """Who leads a unit when a stay in it begins and when it ends, and when that changed meanwhile."""
        led = [self.leaders.of(lab, unit, week) for week in (start, end)]
        change = self.leaders.week_of_change(lab, unit)
        within = led[0] is not None and led[1] is None
        return {
            "leader": led[0],
            "leader_at_end": led[1],
            "leader_replaced": {"week": change, "date": self.date(change)}
            if within and change is not None
            else None,
        }

    def elsewhere(self, researcher: int) -> list[Story]:
        """Times outside the labs, each until the next place or the end (None)."""
        life = self.trace.life_of(researcher)
        ends = [week for week, *_ in life[1:]] + [None]
        return [
            {
                **self.place(place, pool),
                "start": self.date(week),
                "start_week": week,
                "end": None if end is None else self.date(end),
                "end_week": end,
            }
            for (week, place, pool), end in zip(life, ends, strict=True)
            if place < 0
        ]
