"""Random numbers as a function of (run seed, week, purpose, entity): keyed, not streamed.

A draw is output number `entity` of a SplitMix64 generator whose seed is itself output number
`week` of a generator seeded by output number `purpose` of the run's generator. So a draw depends
on nothing that happened before it: adding a lab, an event or an observer leaves every unrelated
draw as it was, and a run is the same alone or beside a thousand others.

Source: SplitMix64 is Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
OOPSLA 2014; constants and test vectors as in Vigna's public-domain `splitmix64.c`.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from sim.system.arrays import Floats

Keys = npt.NDArray[np.uint64]
WholeNumbers = npt.NDArray[np.integer]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_TO_UNIT = 2.0**-52


class Purpose(IntEnum):
    """What a draw decides. Numbers are part of the published seed and never change meaning."""

    TALENT = 1
    MISSION = 2
    TENURE = 3
    ATTACHMENT = 4
    SURVIVAL = 5
    OPENING_UNIT = 6
    TIES = 7
    EXIT_TIME = 8
    EXIT_CAUSE = 9
    CONTACT_TIME = 10
    CONTACT_LAB = 11
    REFERRAL = 12
    VALUE_NOISE = 13
    UNIT = 14
    DETECTION = 15
    ANSWER = 16
    TASTE = 17
    TEAM = 18
    STANDING = 19
    INVITATION = 21
    RAISE = 22
    SURVIVAL_LAB = 23
    UNSETTLED = 24
    ASKING = 25
    PARTNERSHIP = 26
    FOUND_LAB = 27
    INTERVIEW = 28
    FALLEN = 29
    POOL = 30
    ALUMNI = 31
    RETURN = 32
    REGRET = 33
    TEAM_OF_LEADER = 34


def splitmix(seed: Keys, counter: WholeNumbers | int) -> Keys:
    """Output number `counter` (from 0) of SplitMix64 generators seeded by `seed`; broadcasts.

    Both are arrays, or `counter` a plain integer: numpy warns of overflow on its scalars alone.
    """
    if isinstance(counter, int):
        z = np.atleast_1d(seed + np.uint64((counter + 1) * int(_GOLDEN) % 2**64))
    else:
        steps = counter.astype(np.uint64)  # from here on in place: this is the market's busiest function
        steps += np.uint64(1)
        steps *= _GOLDEN
        z = seed + steps
    shifted = z >> np.uint64(30)
    z ^= shifted
    z *= _MIX_1
    z ^= np.right_shift(z, np.uint64(27), out=shifted)
    z *= _MIX_2
    z ^= np.right_shift(z, np.uint64(31), out=shifted)
    return z


def run_keys(seed: int, runs: WholeNumbers) -> Keys:
    """The key of each run: output number `run` of the generator seeded by `seed`; shape (R,)."""
    return splitmix(np.full(len(runs), seed % 2**64, np.uint64), runs)


def purpose_keys(keys: Keys, purpose: Purpose, week: WholeNumbers | int = 0) -> Keys:
    """The key of each run for one purpose in one week; week 0 also serves what has no week.

    Weeks given as a column (W, 1) give keys of shape (W, R).
    """
    return splitmix(splitmix(keys, int(purpose)), week)


def uniforms(keys: Keys, entities: WholeNumbers) -> Floats:
    """Uniforms on the open interval (0, 1), one for each pair of key and entity."""
    z = splitmix(keys, entities)
    z >>= np.uint64(12)
    u = z.astype(np.float64)
    u += 0.5
    u *= _TO_UNIT
    return u


def exponentials(keys: Keys, entities: WholeNumbers) -> Floats:
    """Standard exponentials."""
    return -np.log(uniforms(keys, entities))


def gumbels(keys: Keys, entities: WholeNumbers) -> Floats:
    """Standard Gumbel draws (mean 0.5772, variance pi^2 / 6)."""
    return -np.log(exponentials(keys, entities))


def normals(keys: Keys, entities: WholeNumbers) -> Floats:
    """Standard normals, the inverse distribution function at a uniform: monotone in the draw."""
    from scipy.special import ndtri  # takes long to import, and who only hands work out draws nothing

    return np.asarray(ndtri(uniforms(keys, entities)))


def pack(*parts: tuple[WholeNumbers | int, int]) -> npt.NDArray[np.int64]:
    """One entity number from several: each part is (values, bits), the first part lowest.

    Raises:
        ValueError: the widths add to more than 62 bits.
    """
    (values, shift), *others = parts
    packed = np.array(values, np.int64)
    for values, bits in others:
        packed = packed + (np.asarray(values, np.int64) << shift)
        shift += bits
    if shift > 62:
        raise ValueError(f"an entity of {shift} bits does not fit into 62")
    return np.asarray(packed)
