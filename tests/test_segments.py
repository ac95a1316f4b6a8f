"""Arithmetic inside groups: each group's result is its own, whatever stands beside it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.segments import position, running_total, starts

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


def test_no_rows() -> None:
    nothing = np.zeros(0, np.int64)
    assert running_total(nothing, nothing).tolist() == []
    assert position(nothing).tolist() == []
    assert starts(nothing).tolist() == []


def test_labels_may_be_other_than_numbers() -> None:
    assert starts(np.array(["a", "a", "b", "a"])).tolist() == [True, False, True, True]
