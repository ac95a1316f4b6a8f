"""What the browser page was asked for, and how that stands in its address.

An address says scenario, seed, week and every changed value, so that a link brings the page back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

from sim.scenario.errors import shown

LONGEST_QUERY = 8000  # letters; what a browser sends without complaint
MOST_CHANGES, LONGEST_CHANGE, MOST_DIGITS = 100, 200, 15
KEYS = ("scenario", "seed", "week", "set")


@dataclass(frozen=True)
class Choices:
    """What a page shows: a scenario, a seed, changed values and how many weeks were lived.

    `changes` are pairs of dotted path and text, as `--set` takes them.
    """

    scenario: str
    seed: int = 1
    changes: tuple[tuple[str, str], ...] = ()
    week: int = 0

    def changed(self, path: str, text: str | None) -> Choices:
        """With another value at a path; None takes the change back."""
        kept = {key: value for key, value in self.changes if key != path}
        if text is not None:
            kept[path] = text
        return replace(self, changes=tuple(kept.items()))

    @property
    def overrides(self) -> list[str]:
        """The changes as `--set` takes them."""
        return [f"{path}={text}" for path, text in self.changes]

    @property
    def query(self) -> str:
        """The part of the address after the question mark."""
        pairs = [("scenario", self.scenario), ("seed", str(self.seed))]
        pairs += [("week", str(self.week))] if self.week else []
        return urlencode([*pairs, *(("set", text) for text in self.overrides)])


def read_query(query: str | None, opening: str, offered: list[str]) -> tuple[Choices, list[str]]:
    """What an address asks for, and in words what of it cannot be had; then the page does without that.

    Args:
        query: the part of the address after the question mark.
        opening: the scenario of an address that names none.
        offered: the scenarios that may be asked for.
    """
    choices, problems = Choices(opening), []
    if len(query or "") > LONGEST_QUERY:
        return choices, [f"it is longer than {LONGEST_QUERY} letters, so nothing of it was read"]
    try:
        pairs = parse_qsl(query or "", keep_blank_values=True, max_num_fields=MOST_CHANGES + len(KEYS))
    except ValueError:
        return choices, [f"it says more than {MOST_CHANGES} things, so nothing of it was read"]
    for key, text in pairs:
        if key == "scenario" and text in offered:
            choices = replace(choices, scenario=text)
        elif key == "scenario":
            problems.append(f"there is no scenario {shown(text)} here")
        elif key in ("seed", "week"):
            choices = _with_number(choices, key, text, problems)
        elif key == "set":
            choices = _with_change(choices, text, problems)
        else:
            problems.append(f"it says {shown(key)}, which means nothing here")
    return choices, problems


def _with_number(choices: Choices, key: str, text: str, problems: list[str]) -> Choices:
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        problems.append(f"{key} {shown(text)} is not a whole number of at most {MOST_DIGITS} digits")
        return choices
    return replace(choices, seed=int(text)) if key == "seed" else replace(choices, week=int(text))


def _with_change(choices: Choices, text: str, problems: list[str]) -> Choices:
    path, equals, value = text.partition("=")
    if not (path and equals and value) or len(text) > LONGEST_CHANGE:
        problems.append(f"set {shown(text)} is no change; write for example market.choice.pay_elasticity=3")
        return choices
    return choices.changed(path, value)
