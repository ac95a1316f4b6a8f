"""Problems with the line of the file that they speak of, and a caret below the place."""

from __future__ import annotations

from itertools import islice, pairwise
from pathlib import Path

from sim.scenario.errors import Problem, ScenarioError, printable

_WIDTH = 100


def with_excerpts(error: ScenarioError) -> str:
    """Every problem of an error, each followed by its line, if it has one, and a caret.

    x.yaml:12:5: labs.meta.bugdet: unknown key; did you mean 'budget'?
      12 |     bugdet: 5
         |     ^
    """
    following = {id(one): two for one, two in pairwise(error.problems)}

    def tell(problem: Problem) -> str:
        after = following.get(id(problem))
        again = after is not None and _place(after) == _place(problem)  # shown once, below the last of them
        return "\n".join(filter(None, (str(problem), "" if again else excerpt(problem))))

    return error.told(tell)


def _place(problem: Problem) -> tuple[str, int | None, int | None]:
    return problem.file, problem.line, problem.column


def excerpt(problem: Problem) -> str:
    """The line of a problem and a caret, two lines of text; empty if there is no such line."""
    if problem.line is None or problem.column is None:
        return ""
    line = _line(problem.file, problem.line)
    if line is None:
        return ""
    first = max(problem.column - 1 - _WIDTH // 2, 0) if len(line) > _WIDTH else 0
    before = printable(line[first : problem.column - 1])
    shown = printable(line[first : first + _WIDTH].rstrip())
    number = f"{problem.line:>4}"
    return f"{number} | {shown}\n{' ' * len(number)} | {' ' * len(before)}^"


def _line(file: str, number: int) -> str | None:
    path = Path(file)
    try:
        if not path.is_file():
            return None
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            return next(islice(lines, number - 1, None), "").rstrip("\n")
    except (OSError, ValueError):
        return None
