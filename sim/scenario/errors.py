"""What can be wrong with a scenario, and where.

A `ScenarioError` carries every `Problem` of the files read, most basic first, each with the file,
line and column where one exists:

    scenarios/x.yaml:12:7: labs.meta.bugdet: unknown key; did you mean 'budget'?

A validator of the schema that looks at several places collects its findings in `ScenarioIssues`,
with paths relative to the model whose validator it is, and raises them all at once; the loader turns
them into problems with positions:

    issues = ScenarioIssues()
    issues.add("events.3.on", "lies before the start")
    issues.unknown("events.3.lab", "lab", "mta", labs)
    issues.raise_if_any()

A plain ValueError is placed at the model itself. Nothing here prints text of a file as it stands:
control and direction characters are escaped, long texts cut.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

_LONGEST = 80
_MOST_NAMES = 12
_MOST_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file, line and column counted from 1; None where there is no such thing."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.file, self.line, self.column]
        return ":".join(str(part) for part in parts if part is not None)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: where, at which dotted path of the scenario, what, and a hint."""

    file: str
    line: int | None
    column: int | None
    path: str
    message: str
    hint: str = ""

    @classmethod
    def at(cls, place: Place, path: str, message: str, hint: str = "") -> Problem:
        """The problem at a place."""
        return cls(place.file, place.line, place.column, path, message, hint)

    def __str__(self) -> str:
        where = str(Place(self.file, self.line, self.column))
        text = ": ".join(part for part in (where, self.path, self.message) if part)
        return printable(f"{text}; {self.hint}" if self.hint else text)


class ScenarioError(Exception):
    """A scenario cannot be read; `problems` says all that is wrong with it, most basic first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(tuple(problems))
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return self.told(str)

    def told(self, tell: Callable[[Problem], str]) -> str:
        """The problems, each in the words that `tell` finds, cut short where they are many."""
        lines = [tell(problem) for problem in self.problems[:_MOST_PROBLEMS]]
        more = len(self.problems) - len(lines)
        return "\n".join([*lines, f"... and {more} more"] if more else lines)


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a number comes from: ids of figures, comma-separated, or the word assumption or fitted.

    `targets` are the ids of the figures that a fitted number was set to meet. Two citations are equal
    when they say the same, wherever it stands. `file` and `line` are empty for a default of the schema.
    """

    source: str
    note: str = ""
    targets: tuple[str, ...] = ()
    file: str = field(default="", compare=False)
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Issue:
    """A finding of a schema validator, at a dotted path relative to the validated model."""

    path: str
    message: str
    hint: str = ""


class ScenarioIssues(ValueError):
    """Findings of one schema validator, collected and raised together."""

    def __init__(self, issues: Iterable[Issue] = ()) -> None:
        super().__init__()
        self.issues: list[Issue] = list(issues)

    def __str__(self) -> str:
        return "; ".join(f"{issue.path}: {issue.message}" for issue in self.issues)

    def add(self, path: str, message: str, hint: str = "") -> None:
        """Note what is wrong at a path."""
        self.issues.append(Issue(path, message, hint))

    def unknown(self, path: str, kind: str, name: str, known: Iterable[str]) -> None:
        """Note that `name` is no `kind` ("lab", "plan") among those known."""
        names = list(known)
        meant = nearest(name, names)
        hint = f"did you mean {shown(meant)}? " if meant else ""
        self.add(path, f"unknown {kind} {shown(name)}", hint + listed(names, f"{kind}s"))

    def raise_if_any(self) -> None:
        """Raise self if anything was noted."""
        if self.issues:
            raise self


def failure(place: Place, path: str, message: str, hint: str = "") -> ScenarioError:
    """A ScenarioError of one problem, to raise."""
    return ScenarioError([Problem.at(place, path, message, hint)])


def printable(text: str) -> str:
    """The text with control, direction and other unprintable characters as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(value: object) -> str:
    """A value read from a file, for a message: quoted, escaped and cut to a length."""
    text = repr(value) if isinstance(value, str) else str(value)
    text = {"None": "null", "True": "true", "False": "false"}.get(text, text)
    return printable(text if len(text) <= _LONGEST else text[:_LONGEST] + "...")


def found(value: object) -> str:
    """What stands where something else was expected, for a message."""
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else shown(value)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` most likely means, if any; neither case nor - and _ matter."""

    def fold(text: str) -> str:
        return text.casefold().replace("-", "_").replace(" ", "_")

    folded = {fold(name): name for name in known}
    close = difflib.get_close_matches(fold(word[:_LONGEST]), list(folded), n=1, cutoff=0.55)
    return folded[close[0]] if close else None


def suggestion(word: str, known: Iterable[str], kind: str = "keys") -> str:
    """A hint for an unknown word: did you mean ..., or the words there are."""
    names = list(known)
    meant = nearest(word, names)
    if meant is not None:
        return f"did you mean {shown(meant)}?"
    return listed(names, kind)


def listed(names: Sequence[str], kind: str) -> str:
    """The words that there are of a kind, for a hint; the first of them where they are many."""
    if not names:
        return f"there are no {kind} here"
    more = ", ..." if len(names) > _MOST_NAMES else ""
    return f"{kind} here: {', '.join(names[:_MOST_NAMES])}{more}"
