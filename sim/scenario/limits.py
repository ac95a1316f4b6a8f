"""How large a scenario file may be, which characters it may hold, and what is refused before the parser.

The parser is slow, and a limit that only it could check would cost a hostile file's whole length. So what
can be counted in the plain text is counted there. A count of marks such as commas is a count of nodes at
least, but for marks inside of text, of which a scenario has few.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Never

from sim.scenario.errors import Place, failure


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be: bytes, keys and values with aliases expanded, levels, lines, words, a line."""

    bytes: int = 2**18
    nodes: int = 10_000
    depth: int = 50
    lines: int = 10_000
    words: int = 30_000
    line: int = 20_000


LIMITS = Limits()
COMPOSED_LIMITS = Limits(  # for what talentsim wrote: every default stands there
    bytes=2**26, nodes=1_000_000, lines=1_000_000, words=10_000_000, line=100_000
)

# controls, line separators, what hides or reorders text (U+202E and its like), and what is no character
NOT_TEXT = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\uffff\ud800-\udfff"
    r"\U000e0000-\U000e0fff]"
)
_DIRECTIVE = re.compile(r"(?:[ \t]*(?:#.*)?\r?\n)*%")  # before anything else
_WORD = re.compile(r"\S+")
_OPENING = "[{"
_MOST_OPEN = 200  # brackets without an end: text may hold a few, nothing but a bomb holds so many
# marks of structure, and how many keys and values each stands for at least
_MARKS = (
    (re.compile(r":(?=\s)|(?<=[\"']):"), 2),
    (re.compile(","), 1),
    (re.compile(r"(?<=\s)[-?](?=\s)"), 1),
)


def stray_character(text: str) -> str:
    """The first character that no value of a scenario may hold; empty if there is none.

    In a file a carriage return ends a line; in a value it would overwrite one in a terminal.
    """
    stray = NOT_TEXT.search(text)
    return stray[0] if stray else "\r" if "\r" in text else ""


def stray_hint(character: str) -> str:
    """What to do about a character that no text may hold."""
    if character in "\x00\ufffe\uffff":
        return "save the file as UTF-8 text"
    return "it is invisible, and could hide or reorder what people read; remove it"


def refuse_bombs(text: str, name: str, limits: Limits) -> None:
    """Stop before the parser what would cost it long; raises ScenarioError at the place of the excess."""

    def refuse(match: re.Match[str], message: str) -> Never:
        raise failure(place_after(text[: match.start()], name), "", message, "a scenario is a short text")

    if text.count("\n") + text.count("\r") - text.count("\r\n") > limits.lines:
        raise failure(Place(name, limits.lines + 1, 1), "", f"more than {limits.lines} lines")
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > limits.line:
            message = f"a line of more than {limits.line} characters"
            raise failure(Place(name, number, limits.line + 1), "", message, "break it")
    if directive := _DIRECTIVE.match(text):
        place = place_after(text[: directive.end() - 1], name)
        raise failure(place, "", "YAML directives (%...) are not read", "remove the line")
    if last := _nth(_WORD, text, limits.words + 1):
        refuse(last, f"more than {limits.words} words")
    for mark, nodes in _MARKS:
        if last := _nth(mark, text, limits.nodes // nodes + 1):
            refuse(last, f"more than {limits.nodes} keys and values")
    if sum(map(text.count, _OPENING)) > _MOST_OPEN:
        _refuse_depth(text, name, limits)


def _nth(pattern: re.Pattern[str], text: str, n: int) -> re.Match[str] | None:
    if len(text) < n:
        return None
    return next(islice(pattern.finditer(text), n - 1, None), None)


def _refuse_depth(text: str, name: str, limits: Limits) -> None:
    open_ = 0
    first = None
    for bracket in re.finditer(r"[\[{\]}]", text):
        open_ = open_ + 1 if bracket[0] in _OPENING else max(open_ - 1, 0)
        if open_ > limits.depth and first is None:
            first = bracket.start()
        if open_ > _MOST_OPEN and first is not None:
            place = place_after(text[:first], name)
            raise failure(place, "", f"nested deeper than {limits.depth} levels")


def place_after(text: str, name: str) -> Place:
    """The place in a file where a text ends that begins the file."""
    line_start = max(text.rfind("\n"), text.rfind("\r")) + 1
    lines = text.count("\n") + text.count("\r") - text.count("\r\n")
    return Place(name, lines + 1, len(text) - line_start + 1)
