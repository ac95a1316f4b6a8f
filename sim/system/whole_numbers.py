"""Whole numbers as they are handed in: Python's and numpy's are taken, whatever else is refused."""

from __future__ import annotations

import operator

LARGEST_SEED = 2**64 - 1
MOST_JOBS = 1_000  # processes


def whole_number(value: object, name: str, least: int, most: int) -> int:
    """A whole number between two limits as Python's `int`, from whatever counts as one.

    Args:
        value: what was handed in; integers of numpy and others that Python takes for an index will do.
        name: what it is called, for the message.
        least: the smallest allowed.
        most: the largest allowed.

    Raises:
        ValueError: if it is no whole number (a float, a text, True or None), or beyond the limits.
    """
    try:
        found = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        found = None
    if found is None or not least <= found <= most:
        raise ValueError(f"{name} is {value!r}: must be a whole number from {least} to {most}")
    return found


def seed_number(value: object, name: str = "seed") -> int:
    """A seed as Python's `int`. Raises ValueError if it is no whole number from 0 to 2**64 - 1."""
    return whole_number(value, name, 0, LARGEST_SEED)
