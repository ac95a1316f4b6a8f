"""Quantities: what is read, what is refused and in which words, and that what is printed reads back."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from sim.scenario.quantities import (
    DATE,
    FRACTION,
    MAX_CENTS,
    MAX_RATE,
    MAX_WEEKS,
    MAX_YEARS,
    MONEY,
    MONEY_RATE,
    MONTHS,
    RATE,
    SIGNED_MONEY,
    SIGNED_RATE,
    WEEKS,
    WEEKS_PER_YEAR,
    YEARS,
    Date,
    Fraction,
    Money,
    MoneyRate,
    Quantity,
    QuantityError,
    Rate,
    Weeks,
    Years,
    exact_money,
    format_money,
    format_rate,
)

ALL: list[Quantity[Any]] = [
    MONEY,
    SIGNED_MONEY,
    MONEY_RATE,
    WEEKS,
    MONTHS,
    YEARS,
    RATE,
    SIGNED_RATE,
    FRACTION,
    DATE,
]
WITH_UNIT = [kind for kind in ALL if kind not in (FRACTION, DATE)]
quick = settings(max_examples=300, deadline=None)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (MONEY, "14.3B USD", 1_430_000_000_000),
        (MONEY, "$100M", 10_000_000_000),
        (MONEY, "100M USD", 10_000_000_000),
        (MONEY, "100 million USD", 10_000_000_000),
        (MONEY, "250k USD", 25_000_000),
        (MONEY, "1,500,000 USD", 150_000_000),
        (MONEY, "0.01 USD", 1),
        (MONEY, "0 USD", 0),
        (SIGNED_MONEY, "-$2.5", -250),
        (MONEY_RATE, "2.5B USD/year", 250_000_000_000),
        (MONEY_RATE, "$40B/year", 4_000_000_000_000),
        (MONEY_RATE, "10M USD/month", 12_000_000_000),
        (MONEY_RATE, "28 USD / week", 146_100),
        (MONEY_RATE, "2.5B USD per year", 250_000_000_000),
        (WEEKS, "8 weeks", 8),
        (WEEKS, "1 week", 1),
        (WEEKS, "7 days", 1),
        (WEEKS, "12 months", 52),
        (WEEKS, "4 years", 209),
        (WEEKS, "0 days", 0),
        (MONTHS, "12 months", 12),
        (MONTHS, "1.5 years", 18),
        (YEARS, "4 years", 4.0),
        (YEARS, "12 months", 1.0),
        (YEARS, "26 weeks", 26 * 7 / 365.25),
        (RATE, "2.5 /year", 2.5),
        (RATE, "20 %/year", 0.2),
        (RATE, "1 /month", 12.0),
        (RATE, "28 per week", 1461.0),
        (SIGNED_RATE, "-5 %/year", -0.05),
        (FRACTION, "10 %", 0.1),
        (FRACTION, 0.1, 0.1),
        (FRACTION, 1, 1.0),
        (DATE, "2025-06-12", date(2025, 6, 12)),
    ],
)
def test_is_read(kind: Quantity[Any], text: object, value: object) -> None:
    read = kind.read(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        (MONEY, 100, "a unit is missing: write for example '14.3B USD'"),
        (MONEY, "100", "a unit is missing"),
        (MONEY, "14.3B", "a unit is missing"),
        (MONEY, "5M EUR", "unknown unit 'M EUR'"),
        (MONEY, "100m USD", "unknown unit 'm USD'"),
        (MONEY, "-5 USD", "negative"),
        (MONEY, "1,5 USD", "not an amount of money"),
        (MONEY, "nan USD", "not an amount of money"),
        (MONEY, "١٠ USD", "not an amount of money"),
        (MONEY, "", "not an amount of money"),
        (MONEY, "1" * 100 + " USD", "not an amount of money"),
        (MONEY, "$5M/year", "no period"),
        (MONEY, "0.001 USD", "whole cents"),
        (MONEY, "1e999 USD", "at most 1000T USD"),
        (MONEY, "1000.1T USD", "at most 1000T USD"),
        (SIGNED_MONEY, "-20000T USD", "at least"),
        (MONEY_RATE, "2.5B USD", "a period is missing"),
        (MONEY_RATE, "1 USD/fortnight", "unknown period 'fortnight'"),
        (WEEKS, 8, "a unit is missing: write for example '8 weeks'"),
        (WEEKS, "1 day", "shorter than half a week"),
        (WEEKS, "8 fortnights", "the unit must be one of year, month, week, day"),
        (WEEKS, "1e6 years", "at most 200 years"),
        (WEEKS, "$8 weeks", "the unit must be one of"),
        (MONTHS, "8 weeks", "the unit must be one of year, month"),
        (MONTHS, "1.3 years", "whole number of months"),
        (RATE, 2.5, "a unit is missing: write for example '20 %/year'"),
        (RATE, "20 %", "a period is missing"),
        (RATE, "20 USD/year", "a rate has no unit"),
        (RATE, "1e300 /year", "at most 1000000 /year"),
        (FRACTION, 10, "10 per cent is written '10 %'"),
        (FRACTION, "110 %", "between 0 and 1"),
        (FRACTION, float("nan"), "finite"),
        (FRACTION, float("inf"), "finite"),
        (FRACTION, 10**400, "between 0 and 1"),
        (FRACTION, "0.1 /year", "no unit but %"),
        (DATE, "2026-02-30", "there is no day 2026-02-30"),
        (DATE, "12/06/2025", "expected a date"),
        (DATE, "0001-01-01", "between 1900 and 2199"),
        (DATE, 20250612, "expected a date: write for example '2025-06-12'"),
    ],
)
def test_is_refused_in_words(kind: Quantity[Any], text: object, words: str) -> None:
    with pytest.raises(QuantityError) as caught:
        kind.read(text)
    assert words in str(caught.value)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("value", [True, None, [], {}, b"1 USD"])
def test_no_kind_reads_what_is_neither_text_nor_number(kind: Quantity[Any], value: object) -> None:
    with pytest.raises(QuantityError):
        kind.read(value)


@pytest.mark.parametrize("kind", WITH_UNIT)
@pytest.mark.parametrize("value", [0, 1.5, float("nan"), float("inf")])
def test_a_bare_number_lacks_its_unit(kind: Quantity[Any], value: float) -> None:
    with pytest.raises(QuantityError, match="a unit is missing"):
        kind.read(value)


@pytest.mark.parametrize("kind", ALL)
def test_forms_shown_in_errors_are_read(kind: Quantity[Any]) -> None:
    for form in kind.forms:
        kind.read(form)


@given(st.text(max_size=80) | st.from_regex(r"[-+$]?[0-9.,eE]{1,12} ?[kMBT%]? ?(USD|weeks)?(/\w+)?"))
@quick
def test_any_text_is_read_or_refused(text: str) -> None:
    for kind in ALL:
        try:
            value = kind.read(text)
        except QuantityError as error:
            assert str(error)
        else:
            assert kind.read(kind.exact(value)) == value


cents = st.integers(0, MAX_CENTS) | st.integers(0, 10**6).map(lambda n: n * 10**9)


@given(cents)
@quick
def test_exact_money_reads_back(amount: int) -> None:
    assert MONEY.read(exact_money(amount)) == amount
    assert MONEY_RATE.read(MONEY_RATE.exact(amount)) == amount
    assert SIGNED_MONEY.read(exact_money(-amount)) == -amount


@given(cents, st.integers(1, 6))
@quick
def test_money_for_people_reads_back_to_the_digits_shown(amount: int, digits: int) -> None:
    read = MONEY.read(format_money(amount, digits))
    assert abs(read - amount) <= Decimal(amount) * Decimal(10) ** (1 - digits) / 2


@given(st.integers(0, MAX_WEEKS), st.integers(0, int(12 * MAX_YEARS)))
@quick
def test_weeks_and_months_read_back(weeks: int, months: int) -> None:
    assert WEEKS.read(WEEKS.exact(weeks)) == WEEKS.read(WEEKS.format(weeks)) == weeks
    assert MONTHS.read(MONTHS.exact(months)) == months


@given(st.floats(0, MAX_YEARS), st.floats(-MAX_RATE, MAX_RATE), st.floats(0, 1))
@quick
def test_floats_read_back_bit_for_bit(years: float, rate: float, fraction: float) -> None:
    assert YEARS.read(YEARS.exact(years)) == years
    assert SIGNED_RATE.read(SIGNED_RATE.exact(rate)) == rate
    assert FRACTION.read(FRACTION.exact(fraction)) == FRACTION.read(fraction) == fraction
    assert SIGNED_RATE.read(format_rate(rate)) == pytest.approx(rate, rel=5.1e-3)
    assert FRACTION.read(FRACTION.format(fraction)) == pytest.approx(fraction, rel=5.1e-3)


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)))
@quick
def test_dates_read_back(day: date) -> None:
    assert DATE.read(DATE.exact(day)) == day


@pytest.mark.parametrize(
    ("amount", "exact", "people"),
    [
        (0, "0 USD", "0 USD"),
        (1, "0.01 USD", "0.01 USD"),
        (100_000, "1k USD", "1k USD"),
        (1_430_000_000_000, "14.3B USD", "14.3B USD"),
        (99_999_999, "999999.99 USD", "1M USD"),
        (123_456_789_012, "1234567890.12 USD", "1.23B USD"),
        (-250_000_00, "-250k USD", "-250k USD"),
    ],
)
def test_money_is_printed(amount: int, exact: str, people: str) -> None:
    assert exact_money(amount) == exact
    assert format_money(amount) == people


def test_a_year_has_a_quarter_day_more_than_365() -> None:
    assert pytest.approx(52.17857, abs=1e-5) == WEEKS_PER_YEAR
    assert RATE.read("1 /week") == WEEKS_PER_YEAR


class Contract(BaseModel):
    """A model with every kind of field that the schema uses."""

    price: Money = 0
    pay: MoneyRate
    notice: Annotated[Weeks, Field(ge=1)]
    horizon: Years
    hazard: Rate
    share: Fraction
    start: Date
    bonus: Money | None = None
    past: tuple[Money, ...] = ()


TEXT = {
    "pay": "1M USD/year",
    "notice": "8 weeks",
    "horizon": "4 years",
    "hazard": "20 %/year",
    "share": "10 %",
    "start": "2025-06-12",
    "past": ["$1M", "$2M"],
}


def test_fields_hold_plain_numbers_and_are_written_with_units() -> None:
    contract = Contract.model_validate(TEXT)
    assert (contract.pay, contract.notice, contract.hazard) == (100_000_000, 8, 0.2)
    assert contract.past == (100_000_000, 200_000_000)
    written = contract.model_dump(mode="json")
    assert written["pay"] == "1M USD/year"
    assert written["share"] == 0.1
    assert written["start"] == "2025-06-12"
    assert Contract.model_validate(written) == contract
    assert contract.model_dump()["start"] == date(2025, 6, 12)


@pytest.mark.parametrize(
    ("field", "value"), [("pay", 5), ("notice", "0 weeks"), ("share", 1.5), ("bonus", 3)]
)
def test_fields_refuse(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        Contract.model_validate({**TEXT, field: value})
    assert [error["loc"] for error in caught.value.errors()] == [(field,)]


def test_json_schema_says_text() -> None:
    fields = Contract.model_json_schema()["properties"]
    assert fields["pay"]["type"] == "string"
    assert "2.5B USD/year" in fields["pay"]["examples"]
    assert {"type": "number"} in fields["share"]["anyOf"]
