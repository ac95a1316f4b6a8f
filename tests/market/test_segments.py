"""Arithmetic inside groups: each group's result is its own, whatever stands beside it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.market.segments import add, best_up_to, by_merit, position, running_total, starts

quick = settings(max_examples=200, deadline=None)
GROUPS = st.lists(st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=6), max_size=6)


def laid_out(groups: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    labels = np.repeat(np.arange(len(groups)) * 3, [len(g) for g in groups])
    return labels.astype(np.int64), np.array([x for g in groups for x in g], np.int64)


@quick
@given(GROUPS)
def test_a_running_total_is_the_groups_own(groups: list[list[int]]) -> None:
    labels, amounts = laid_out(groups)
    total = running_total(labels, amounts)
    own = [np.cumsum(group) for group in groups]
    assert total.tolist() == [int(x) for part in own for x in part]


@quick
@given(GROUPS)
def test_positions_and_starts(groups: list[list[int]]) -> None:
    labels, _ = laid_out(groups)
    assert position(labels).tolist() == [i for group in groups for i in range(len(group))]
    assert starts(labels).tolist() == [i == 0 for group in groups for i in range(len(group))]


def test_a_total_stays_exact_where_the_sum_over_all_groups_leaves_int64() -> None:
    labels = np.repeat(np.arange(8), 2)
    amounts = np.tile(np.array([2**61, 2**61 + 1]), 8)
    assert running_total(labels, amounts).tolist() == [2**61, 2**62 + 1] * 8


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.tolist() == other.tolist()


@pytest.mark.parametrize("groups", [1, 7, 300, 70_000])
@pytest.mark.parametrize("merits", [2, 40, 10**9])
def test_the_order_by_merit_is_that_of_a_sort_by_three_keys(groups: int, merits: int) -> None:
    """With few merits most are equal, with many none is; with many groups their numbers are wide."""
    rng = np.random.default_rng(groups + merits)
    group, merit = rng.integers(0, groups, 5000), rng.integers(0, merits, 5000) / 7.0
    tie_break = rng.permutation(5000)
    due = np.lexsort((tie_break, -merit, group))
    assert same(by_merit(group, merit, tie_break), due)
    best = best_up_to(group, merit, tie_break, np.full(5000, 2))
    assert same(np.flatnonzero(best), np.sort(due[position(group[due]) < 2]))


@pytest.mark.parametrize("shape", [(5, 7), (3, 4, 6)])
def test_amounts_are_added_to_a_cell_as_often_as_it_is_named(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    cells = tuple(rng.integers(0, size, 400) for size in shape)
    table, due = np.ones(shape, np.int64), np.ones(shape, np.int64)
    add(table, cells, amounts := rng.integers(-50, 50, 400))
    np.add.at(due, cells, amounts)
    add(table, (cells[0], *(1 for _ in shape[1:])), -3)
    np.add.at(due, (cells[0], *(1 for _ in shape[1:])), -3)
    assert same(table, due)


def test_what_is_not_a_whole_table_is_refused() -> None:
    """Rather than added to a copy."""
    with pytest.raises(ValueError, match="copy"):
        add(np.zeros((4, 6), np.int64)[:, :3], (np.zeros(1, np.int64), np.zeros(1, np.int64)), 1)


def test_no_rows() -> None:
    nothing = np.zeros(0, np.int64)
    assert running_total(nothing, nothing).tolist() == []
    assert position(nothing).tolist() == []
    assert starts(nothing).tolist() == []


def test_labels_may_be_other_than_numbers() -> None:
    assert starts(np.array(["a", "a", "b", "a"])).tolist() == [True, False, True, True]
