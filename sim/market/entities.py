"""What a draw belongs to: persons, spells, options and pairs of labs, each packed into one whole number.

The widths, in bits, belong to the published draws: another width of one of them is another market.
"""

from __future__ import annotations

import numpy as np

from sim.market.draws import pack
from sim.market.state import OUTSIDE, Market
from sim.system.arrays import Integers

PERSON_BITS, LAB_BITS, SPELL_BITS, YEAR_BITS, CONTACT_BITS, ATTEMPT_BITS = 24, 10, 12, 8, 16, 8


def spell_of(market: Market, rows: Integers) -> Integers:
    """A person in her present spell."""
    return pack((market.id_of(rows), PERSON_BITS), (market.researchers.spell[rows], SPELL_BITS))


def option_of(market: Market, rows: Integers, lab: Integers, tenure_year: Integers) -> Integers:
    """A person in her present spell and year of tenure, and a lab; any place outside the labs counts as 0."""
    return pack(
        (market.id_of(rows), PERSON_BITS),
        (np.maximum(lab, OUTSIDE) + 1, LAB_BITS),
        (market.researchers.spell[rows], SPELL_BITS),
        (np.minimum(tenure_year, 2**YEAR_BITS - 1), YEAR_BITS),
    )


def contact_of(market: Market, rows: Integers) -> Integers:
    """A person and the number of her next approach."""
    return pack((market.id_of(rows), PERSON_BITS), (market.researchers.contacts[rows], CONTACT_BITS))


def attempt_of(market: Market, rows: Integers, attempt: int) -> Integers:
    """A person and the number of a draw that may be rejected."""
    return pack((market.id_of(rows), PERSON_BITS), (attempt, ATTEMPT_BITS))


def colleague_of(market: Market, rows: Integers, others: Integers) -> Integers:
    """Two people of one run, in this order."""
    return pack((market.id_of(rows), PERSON_BITS), (market.id_of(others), PERSON_BITS))


def pair_of(lab: Integers, other: Integers) -> Integers:
    """Two labs, in this order."""
    return pack((lab, LAB_BITS), (other, LAB_BITS))
