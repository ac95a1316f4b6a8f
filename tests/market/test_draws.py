"""Random numbers: published vectors, the laws they follow, and that each depends on its key alone.

Bounds of random tests are 4.5 standard errors: a correct generator fails one of them with a chance of
7 in a million, and the seeds are fixed.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.market.draws import (
    Purpose,
    exponentials,
    gumbels,
    normals,
    pack,
    purpose_keys,
    run_keys,
    splitmix,
    uniforms,
)

GOLDEN, MASK = 0x9E3779B97F4A7C15, 2**64 - 1
DRAWS = 200_000
Z = 4.5

keys_64 = st.integers(0, MASK)
quick = settings(max_examples=200, deadline=None)


def key(value: int) -> np.ndarray:
    return np.array([value], np.uint64)


def mixed(state: int) -> int:
    """The finaliser of splitmix64.c in plain integers."""
    z = state & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def unmixed(output: int) -> int:
    """The state that gives an output: the finaliser is a bijection."""

    def undo(z: int, shift: int) -> int:
        x = z
        for _ in range(64 // shift + 1):
            x = z ^ (x >> shift)
        return x

    z = undo(output, 31) * pow(0x94D049BB133111EB, -1, 2**64) & MASK
    z = undo(z, 27) * pow(0xBF58476D1CE4E5B9, -1, 2**64) & MASK
    return undo(z, 30)


def within(found: float, expected: float, standard_error: float) -> bool:
    return abs(found - expected) < Z * standard_error


# ---- the generator


def test_the_published_vectors_of_splitmix64() -> None:
    first_five = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert splitmix(key(1234567), np.arange(5)).tolist() == first_five
    assert splitmix(key(0), 0).tolist() == [16294208416658607535]


@quick
@given(keys_64, st.integers(0, 2**62))
def test_output_n_is_that_of_the_generator_stepped_n_times(seed: int, counter: int) -> None:
    assert splitmix(key(seed), counter).tolist() == [mixed(seed + (counter + 1) * GOLDEN)]


def test_a_run_has_its_own_key_which_the_seed_and_its_number_give() -> None:
    many = run_keys(5, np.arange(1000))
    assert len(set(many.tolist())) == 1000
    assert run_keys(5, np.array([7])).tolist() == many[[7]].tolist()
    assert not set(many.tolist()) & set(run_keys(6, np.arange(1000)).tolist())
    assert run_keys(-1, np.arange(3)).tolist() == run_keys(2**64 - 1, np.arange(3)).tolist()


def test_every_purpose_and_week_has_another_key() -> None:
    run = run_keys(1, np.array([0]))
    found = [purpose_keys(run, purpose, week).item() for purpose in Purpose for week in range(160)]
    assert len(set(found)) == len(found) == len(Purpose) * 160


# ---- the laws


def test_uniforms_lie_inside_the_open_interval_even_at_the_extreme_outputs() -> None:
    """The lowest and the highest outputs each come once in about 2^53 draws: Gumbels are finite then too."""
    for output in (0, 1, MASK - 1, MASK):
        seed = key((unmixed(output) - GOLDEN) & MASK)
        assert splitmix(seed, 0).item() == output
        u = uniforms(seed, np.array([0])).item()
        assert 0 < u < 1
        assert math.isfinite(gumbels(seed, np.array([0])).item())


def test_uniforms_are_uniform() -> None:
    u = uniforms(key(11), np.arange(DRAWS))
    assert within(u.mean(), 0.5, math.sqrt(1 / 12 / DRAWS))
    assert within(u.var(), 1 / 12, math.sqrt((1 / 80 - 1 / 144) / DRAWS))  # fourth moment 1/80
    for quantile in (0.001, 0.1, 0.5, 0.9, 0.999):
        assert within((u < quantile).mean(), quantile, math.sqrt(quantile * (1 - quantile) / DRAWS))


def test_normals_are_normal() -> None:
    z = normals(key(12), np.arange(DRAWS))
    assert within(z.mean(), 0, math.sqrt(1 / DRAWS))
    assert within(z.var(), 1, math.sqrt(2 / DRAWS))
    assert within((z**3).mean(), 0, math.sqrt(15 / DRAWS))
    assert within((z**4).mean(), 3, math.sqrt(96 / DRAWS))
    tail = 0.0227501319  # P(Z > 2)
    assert within((z > 2).mean(), tail, math.sqrt(tail * (1 - tail) / DRAWS))


def test_exponentials_are_exponential() -> None:
    x = exponentials(key(13), np.arange(DRAWS))
    assert (x > 0).all()
    assert within(x.mean(), 1, math.sqrt(1 / DRAWS))
    assert within(x.var(), 1, math.sqrt(8 / DRAWS))  # kurtosis 9
    tail = math.exp(-3)
    assert within((x > 3).mean(), tail, math.sqrt(tail * (1 - tail) / DRAWS))


def test_gumbels_are_gumbel() -> None:
    x = gumbels(key(14), np.arange(DRAWS))
    variance = math.pi**2 / 6
    assert within(x.mean(), 0.5772156649, math.sqrt(variance / DRAWS))
    assert within(x.var(), variance, variance * math.sqrt(4.4 / DRAWS))  # kurtosis 5.4
    below = math.exp(-math.exp(-1))
    assert within((x < 1).mean(), below, math.sqrt(below * (1 - below) / DRAWS))


@pytest.mark.parametrize("pairs", ["neighbours", "weeks", "purposes", "runs"])
def test_draws_of_different_keys_are_uncorrelated(pairs: str) -> None:
    """A sample correlation of n independent pairs has standard error 1 / sqrt(n)."""
    people, runs = np.arange(DRAWS), run_keys(3, np.arange(2))
    one = purpose_keys(runs[:1], Purpose.TASTE, 3)
    other = {
        "neighbours": one,
        "weeks": purpose_keys(runs[:1], Purpose.TASTE, 4),
        "purposes": purpose_keys(runs[:1], Purpose.ANSWER, 3),
        "runs": purpose_keys(runs[1:], Purpose.TASTE, 3),
    }[pairs]
    shifted = people + 1 if pairs == "neighbours" else people
    for law in (uniforms, normals):
        r = np.corrcoef(law(one, people), law(other, shifted))[0, 1]
        assert abs(r) < Z / math.sqrt(DRAWS)


# ---- keyed, not streamed


@pytest.mark.parametrize("law", [uniforms, exponentials, gumbels, normals])
def test_a_draw_does_not_depend_on_the_other_rows_of_the_call(law) -> None:
    entities = np.random.default_rng(0).permutation(5000)
    whole = law(key(21), entities)
    assert law(key(21), entities[::-1]).tolist() == whole[::-1].tolist()
    assert law(key(21), entities[1234:1235]).tolist() == whole[1234:1235].tolist()
    by_run = law(run_keys(2, np.arange(4))[:, None], entities[None, :50])
    alone = law(run_keys(2, np.array([2])), entities[:50])
    assert by_run[2].tolist() == alone.tolist()


# ---- entity numbers


@given(st.integers(1, 5).flatmap(lambda n: st.lists(st.integers(1, 12), min_size=n, max_size=n)), st.data())
@quick
def test_packing_is_injective(widths: list[int], data: st.DataObject) -> None:
    values = st.tuples(*(st.integers(0, 2**bits - 1) for bits in widths))
    one, other = data.draw(values), data.draw(values)

    def packed(parts: tuple[int, ...]) -> int:
        return int(pack(*zip(parts, widths, strict=True)))

    assert (packed(one) == packed(other)) == (one == other)
    assert 0 <= packed(one) < 2 ** sum(widths)


def test_packing_fills_the_lowest_bits_first_and_broadcasts() -> None:
    assert pack((np.array([5, 6]), 4), (3, 2)).tolist() == [5 + 3 * 16, 6 + 3 * 16]


def test_more_than_62_bits_are_refused() -> None:
    assert int(pack((2**31 - 1, 31), (2**31 - 1, 31))) == 2**62 - 1
    with pytest.raises(ValueError, match="63 bits"):
        pack((0, 31), (0, 32))
