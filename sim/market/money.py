"""From dollars and other real numbers to whole cents, shares and heads: never without a look.

A number that is none, or that no column could hold or add up, fails the run in one sentence which says
where it arose and what in the scenario it hangs on. So does floating-point arithmetic that has left the
range of numbers on its way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from sim.scenario.quantities import MAX_PERSON_CENTS
from sim.system.arrays import Floats, Integers

MOST_FOR_ONE = 10 * MAX_PERSON_CENTS  # of one package or grant, which may cover several years


class OutOfRange(RuntimeError):
    """A rule has arrived at a number that the market cannot count."""


def whole(
    amounts: Floats,
    most: int,
    what: str,
    names: Sequence[str],
    owner: Integers,
    see: str,
    unit: str = "cents",
) -> Integers:
    """The amounts as the nearest whole numbers.

    Args:
        amounts: of any shape.
        most: the largest that is allowed, either way.
        what: what they are, such as "payroll: the talent inflow", for the sentence.
        names: names of the labs.
        owner: number of each amount's lab; broadcasts.
        see: the parameters on which they hang; `{lab}` stands for the lab's name.
        unit: of the amounts.

    Raises:
        OutOfRange: if an amount is no number, or larger than `most`.
    """
    rounded = np.rint(amounts)
    bad = ~(np.abs(rounded) <= most)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        lab = names[int(np.broadcast_to(owner, rounded.shape).flat[first])]
        found, limit = float(rounded.flat[first]), f"{float(most):.3g} {unit}"
        raise OutOfRange(
            f"{what} of {lab} comes to {found:.3g} {unit}, and at most {limit} can be counted: "
            f"see {see.format(lab=lab)}"
        )
    return rounded.astype(np.int64)


@contextmanager
def reckoning(where: str) -> Iterator[None]:
    """Let arithmetic that leaves the range of numbers fail the run, and say where it did.

    Raises:
        OutOfRange: in place of numpy's warning.
    """
    try:
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            yield
    except OutOfRange as error:
        raise OutOfRange(f"{where}: {error}") from error
    except FloatingPointError as error:
        raise OutOfRange(f"{where}: a number is too large or too small to be counted ({error})") from error
