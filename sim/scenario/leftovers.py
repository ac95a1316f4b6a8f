"""What a change of `start` or `horizon` leaves behind: staff of another day, plans that end too soon.

A value is left behind where the change stands later than it: in a file that extends the value's, or in --set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from sim.scenario.errors import Issue, Place
from sim.scenario.schema import Scenario

_MOST_NAMED = 3


def left_behind(scenario: Scenario, places: Mapping[str, Place], file: str) -> Iterator[Issue]:
    """What nobody changed along with `start` and `horizon`.

    Args:
        scenario: as composed.
        places: where each of its values stands, by dotted path.
        file: the one that was loaded, which may extend others.
    """

    def age(path: str) -> int:
        """How late a value was given: by what is extended, by the file itself, by --set."""
        place = places.get(path)
        if place is None:
            return 0
        return 2 if place.file.startswith("--set ") else int(place.file == file)

    staffed = {name: lab for name, lab in scenario.labs.items() if lab.staff and not lab.reserved}
    if then := [name for name in staffed if age(f"labs.{name}.staff") < age("start")]:
        yield Issue(
            "start",
            f"the scenario now starts on {scenario.start}, but the staff of {_listed(scenario, then)} stays "
            "that of the start before",
            "give labs.NAME.staff as of the new start, and look at headcount_plan, pay and treasuries",
        )
    changed = "horizon" if age("horizon") >= age("start") else "start"
    ends: dict[str, date] = {}
    for name, lab in staffed.items():
        last = f"labs.{name}.headcount_plan.{len(lab.headcount_plan) - 1}.date"
        if lab.headcount_plan and lab.headcount_plan[-1].date < scenario.end and age(last) < age(changed):
            ends[name] = lab.headcount_plan[-1].date
    if ends:
        plans = f"the headcount plans of {_listed(scenario, list(ends))} end by {max(ends.values())}"
        yield Issue(
            changed,
            f"the scenario now ends on {scenario.end}, but {plans} and are flat from then on",
            "add targets to labs.NAME.headcount_plan",
        )


def _listed(scenario: Scenario, names: Sequence[str]) -> str:
    """Labels of labs, the first of them where they are many."""
    labels = [scenario.labs[name].label for name in names]
    more = len(labels) - _MOST_NAMED
    if more > 1:
        return f"{', '.join(labels[:_MOST_NAMED])} and {more} more labs"
    return " and ".join(filter(None, (", ".join(labels[:-1]), labels[-1])))
