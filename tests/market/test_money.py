"""Amounts that no column can hold fail the run in one sentence; nothing wraps."""

import warnings

import numpy as np
import pytest
from small_markets import lab, market_of, put, scenario

from sim.market.ledger import MOST_HELD, Ledger
from sim.market.money import OutOfRange, reckoning, whole
from sim.market.rules.budget import spendable
from sim.market.simulate import run_block
from sim.market.worth import reservation


@pytest.mark.parametrize("amount", [np.nan, np.inf, -np.inf, 1e19, -1e15, 1e14 + 1])
def test_what_is_no_number_of_cents_names_the_lab_and_the_parameter(amount: float) -> None:
    amounts = np.array([1.0, 2.5, amount])
    said = r"the gift of openai comes to .* cents, and at most 1e\+14 cents can be counted: see labs.openai.x"
    with pytest.raises(OutOfRange, match=said):
        whole(amounts, 10**14, "the gift", ["meta", "openai"], np.array([0, 0, 1]), "labs.{lab}.x")


def test_what_can_be_counted_is_rounded() -> None:
    found = whole(np.array([1.4, 2.5, -3.6, 1e14]), 10**14, "", ["a"], np.array(0), "")
    assert found.tolist() == [1, 2, -4, 10**14]


def test_arithmetic_without_an_answer_fails_where_it_stands_and_warns_of_nothing() -> None:
    with pytest.raises(OutOfRange, match="week 3: pricing: "), reckoning("week 3: pricing"):
        np.exp(np.array([1000.0]))


@pytest.mark.parametrize("amounts", [[MOST_HELD, 1], [MOST_HELD // 2 + 1, MOST_HELD // 2 + 1], [2**63 - 1]])
def test_an_account_that_is_full_takes_no_more(amounts: list[int]) -> None:
    ledger, run = Ledger.open(1, ["alpha"], []), np.zeros(1, np.int64)
    with pytest.raises(OutOfRange, match=r"inflow from outside to alpha:treasury"):
        for cents in amounts:
            ledger.post(7, "inflow", run, Ledger.OUTSIDE, Ledger.treasury(0), np.array([cents]))


def test_one_posting_of_many_parts_cannot_wrap_an_account() -> None:
    ledger, runs = Ledger.open(1, ["alpha"], []), np.zeros(8, np.int64)
    with pytest.raises(OutOfRange, match="alpha:talent"):
        ledger.post(0, "inflow", runs, Ledger.OUTSIDE, Ledger.talent(0), np.full(8, 2**61))


def test_a_drift_that_wraps_is_no_drift_of_0() -> None:
    ledger = Ledger.open(1, ["alpha"], [])
    ledger.balances[0, :4] = 2**62  # four of them are 2**64, which is 0 in 64 bits
    assert ledger.drift()[0] > 0


def test_a_runway_without_end_leaves_nothing_to_spend() -> None:
    payroll = np.array([10**17])
    assert spendable(np.array([10**18]), np.array([0]), payroll, 0.5, 10_000).tolist() == [0]
    assert spendable(np.array([10**6]), np.array([0]), np.array([1000]), 0.5, 10).tolist() == [495_000]


def test_terms_that_no_pay_makes_up_for_have_a_reservation_all_the_same() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = reservation(np.array([1e6, 1e6]), np.array([1e5, -1e5]), 0.1)
    assert np.isfinite(found).all() and found[0] > 1e200 and 0 < found[1] < 1e-200


def test_an_inflow_that_grows_without_end_fails_the_run_and_names_lab_and_parameter() -> None:
    data = market_of({"a": lab(5), "b": lab(5)}, weeks=60)
    boom = {"on": "2023-05-08", "budget_change": {"lab": "a", "talent_inflow": 1000}}
    events = [boom | {"on": f"2023-05-{8 + k:02d}"} for k in range(5)]
    with pytest.raises(OutOfRange, match=r"week \d+: payroll: the inflow .* of a .* labs\.a\.talent"):
        run_block(scenario(put(data, "events", events)), 1, [0])
