"""Words, sums of money and columns for the explanations of `sim.report.biography`."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from sim.scenario.errors import printable
from sim.scenario.quantities import format_money

WIDTH = 80
MOST_PAY = 1e15  # USD a year; nobody has more to give


def printable_lines(text: str) -> str:
    """The text, with whatever a scenario's names might do to a terminal as escapes."""
    return "\n".join(printable(line) for line in text.split("\n"))


def readable(name: str) -> str:
    """A name of the code as words."""
    return name.replace("_", " ")


def usd(amount: float | None) -> str:
    """An amount of USD, rounded."""
    return "more than there is" if amount is None or amount > MOST_PAY else format_money(round(amount * 100))


def sentences(*parts: str) -> str:
    """Sentences as a paragraph."""
    return textwrap.fill(" ".join(part for part in parts if part), WIDTH, break_on_hyphens=False)


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows as columns: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def counted(number: int, word: str) -> str:
    """A number and a noun in the right number."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"
