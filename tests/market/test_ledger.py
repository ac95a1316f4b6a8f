"""Accounts: what one gives another gets, to the cent, and no account but the world's falls below zero."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.market.ledger import KINDS, Ledger, Overdraft

RUNS = 3
quick = settings(max_examples=100, deadline=None)


def new(keep_journal: bool = True) -> Ledger:
    return Ledger.open(RUNS, ["meta", "openai"], ["push"], keep_journal)


def funded(cents: int = 1000) -> Ledger:
    """Every account of every run holds the same."""
    ledger = new()
    for account in range(1, len(ledger.names)):
        ledger.post(0, "opening", np.arange(RUNS), Ledger.OUTSIDE, account, np.int64(cents))
    return ledger


def test_accounts_have_the_names_that_their_numbers_mean() -> None:
    ledger = new()
    assert ledger.names[Ledger.OUTSIDE] == "outside"
    assert ledger.names[Ledger.RESEARCHERS] == "researchers"
    assert [ledger.names[int(a(1))] for a in (Ledger.treasury, Ledger.talent, Ledger.owners)] == [
        "openai:treasury",
        "openai:talent",
        "openai:owners",
    ]
    assert ledger.names[int(ledger.envelope(2, 0))] == "push:envelope"
    assert len(set(ledger.names)) == len(ledger.names)


def test_a_posting_takes_from_one_account_what_it_gives_to_another() -> None:
    ledger = funded()
    before = ledger.balances.copy()
    ledger.post(1, "deal", np.array([1]), Ledger.treasury(0), Ledger.owners(1), np.int64(250))
    change = ledger.balances - before
    assert change[1, Ledger.treasury(0)] == -250
    assert change[1, Ledger.owners(1)] == 250
    assert np.count_nonzero(change) == 2
    assert ledger.of(np.array([1]), Ledger.owners(1)).tolist() == [1250]


def test_several_postings_to_one_account_in_one_call_all_count() -> None:
    ledger = funded()
    runs = np.zeros(4, np.int64)
    ledger.post(1, "payroll", runs, Ledger.talent(0), Ledger.RESEARCHERS, np.array([1, 2, 3, 4]))
    assert ledger.balances[0, Ledger.talent(0)] == 990
    assert ledger.balances[0, Ledger.RESEARCHERS] == 1010


def test_the_worlds_balance_is_minus_what_it_has_put_in() -> None:
    ledger = funded(700)
    assert (ledger.balances[:, Ledger.OUTSIDE] == -700 * (len(ledger.names) - 1)).all()


POSTING = st.tuples(
    st.integers(0, RUNS - 1),
    st.integers(0, 8),
    st.integers(0, 8),
    st.integers(0, 400),
    st.sampled_from(KINDS),
)


@quick
@given(st.lists(POSTING, max_size=30))
def test_drift_is_zero_whatever_is_posted_and_the_journal_replays_the_balances(postings) -> None:
    ledger = funded(100)
    for week, (run, debit, credit, cents, kind) in enumerate(postings):
        try:
            ledger.post(week, kind, np.array([run]), debit, credit, np.int64(cents))
        except Overdraft:
            return
        assert ledger.drift().tolist() == [0] * RUNS
        assert (ledger.balances[:, 1:] >= 0).all()
    replayed = np.zeros_like(ledger.balances)
    for _, _, runs, debits, credits, cents in ledger.journal:
        for run, debit, credit, amount in zip(runs, debits, credits, cents, strict=True):
            replayed[run, debit] -= amount
            replayed[run, credit] += amount
    assert (replayed == ledger.balances).all()


def test_an_account_may_be_emptied_but_not_overdrawn() -> None:
    ledger = funded(100)
    ledger.post(1, "deal", np.array([0]), Ledger.treasury(0), Ledger.owners(1), np.int64(100))
    with pytest.raises(Overdraft, match=r"week 2: deal overdraws meta:treasury"):
        ledger.post(2, "deal", np.array([0]), Ledger.treasury(0), Ledger.owners(1), np.int64(1))


def test_parts_of_one_call_that_together_overdraw_are_found() -> None:
    ledger = funded(100)
    with pytest.raises(Overdraft):
        ledger.post(1, "payroll", np.array([0, 0]), Ledger.talent(0), Ledger.RESEARCHERS, np.array([60, 60]))


def test_an_overdraft_in_one_run_is_found_beside_others_that_can_pay() -> None:
    ledger = funded(100)
    with pytest.raises(Overdraft, match="openai:talent"):
        ledger.post(
            1, "payroll", np.arange(RUNS), Ledger.talent(1), Ledger.RESEARCHERS, np.array([9, 101, 9])
        )


def test_the_world_may_always_pay() -> None:
    ledger = new()
    ledger.post(0, "inflow", np.arange(RUNS), Ledger.OUTSIDE, Ledger.talent(0), np.int64(10**17))
    assert ledger.drift().tolist() == [0] * RUNS


def test_a_negative_amount_is_refused_and_moves_nothing() -> None:
    ledger = funded(100)
    before = ledger.balances.copy()
    with pytest.raises(ValueError, match="-5 cents"):
        ledger.post(1, "payroll", np.arange(2), Ledger.talent(0), Ledger.RESEARCHERS, np.array([7, -5]))
    assert (ledger.balances == before).all()


def test_nothing_is_written_down_for_nothing() -> None:
    ledger = new()
    ledger.post(0, "payroll", np.arange(RUNS), Ledger.talent(0), Ledger.RESEARCHERS, np.int64(0))
    assert ledger.journal == []


def test_without_a_journal_the_balances_are_the_same() -> None:
    ledgers = [new(True), new(False)]
    for ledger in ledgers:
        ledger.post(0, "inflow", np.arange(RUNS), Ledger.OUTSIDE, Ledger.talent(0), np.int64(40))
        ledger.post(1, "payroll", np.arange(RUNS), Ledger.talent(0), Ledger.RESEARCHERS, np.int64(15))
    assert (ledgers[0].balances == ledgers[1].balances).all()
    assert len(ledgers[0].journal) == 2
    assert ledgers[1].journal == []


def test_a_cent_out_of_nowhere_is_drift_of_its_run() -> None:
    ledger = funded(100)
    ledger.balances[1, int(Ledger.talent(0))] += 1
    ledger.balances[2, int(Ledger.treasury(1))] -= 3
    assert ledger.drift().tolist() == [0, 1, -3]
