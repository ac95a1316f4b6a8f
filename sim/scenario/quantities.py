"""Quantities with units: read from text, held as plain numbers, printed for people.

Money is held in integer cents (USD), money rates in integer cents a year, weeks and months as
integers, years and rates as floats (years, 1/year), fractions as floats in [0, 1]. A year has
365.25 days, so `WEEKS_PER_YEAR` is 365.25 / 7. Arithmetic from text to number is exact (rationals)
and rounds once, at the end.

Each kind is a `Quantity`; its annotated type (`Money`, `Weeks`, ...) is for pydantic fields, which
then read text, refuse a bare number where a unit is due, and write `Quantity.exact` to JSON.
"""

from __future__ import annotations

import fractions
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

Exact = fractions.Fraction

DAYS_PER_YEAR = 365.25
WEEKS_PER_YEAR = DAYS_PER_YEAR / 7
MAX_CENTS = 10**17  # int64 holds 92 times as much, so that sums over labs and years are safe
MAX_PERSON_CENTS = 10**13  # of one researcher's pay or package: for sums over a million of them
MAX_WEEKS = 10_000  # held in int16 columns
MAX_YEARS = 200.0
MAX_RATE = 1e6

_MAX_TEXT = 60
_SIZES = {"k": 3, "K": 3, "thousand": 3, "M": 6, "million": 6, "B": 9, "billion": 9, "T": 12, "trillion": 12}
_SUFFIXES = ((12, "T"), (9, "B"), (6, "M"), (3, "k"), (0, ""))
_PERIODS_A_YEAR = {"year": Exact(1), "month": Exact(12), "week": Exact(1461, 28), "day": Exact(1461, 4)}
_AMOUNT = re.compile(
    r"(?P<sign>[+-]?)(?P<dollar>\$?)"
    r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)"
    r"\s*(?P<unit>[^/\d,.]*?)\s*(?:(?:/|\bper\b)\s*(?P<period>\w+))?",
    re.ASCII,
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class QuantityError(ValueError):
    """A text or number that is no such quantity: what is wrong, and a hint what to write instead."""

    def __init__(self, message: str, forms: tuple[str, ...] = ()) -> None:
        self.message = message
        self.hint = "write for example " + " or ".join(map(repr, forms)) if forms else ""
        super().__init__(f"{message}: {self.hint}" if forms else message)


@dataclass(frozen=True, slots=True)
class Quantity[T]:
    """One kind of quantity, and the pydantic metadata of its annotated type.

    Attributes:
        name: what it is, for people ("an amount of money").
        unit: the unit in which the number is held ("cents a year").
        forms: accepted texts, shown in errors.
        read: text (or, where no unit is due, a number) to the held value; raises QuantityError.
        format: the held value for people, rounded.
        exact: the held value as text that reads back as the very same value.
        bare: written to files as a number, not as text (fractions only).
    """

    name: str
    unit: str
    forms: tuple[str, ...]
    read: Callable[[object], T]
    format: Callable[[T], str]
    exact: Callable[[T], str]
    bare: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        writer = core_schema.plain_serializer_function_ser_schema(
            float if self.bare else self.exact, when_used="json"
        )
        return core_schema.no_info_plain_validator_function(self.read, serialization=writer)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        text = {"type": "string", "examples": list(self.forms)}
        return {"anyOf": [{"type": "number"}, text]} if self.bare else text


# ---- reading


@dataclass(frozen=True, slots=True)
class _Amount:
    """A text taken apart: `-$2.5M USD/month` is (-2.5, True, ("M", "USD"), "month")."""

    number: Exact
    dollar: bool
    words: tuple[str, ...]
    period: str | None


def _period_named(word: str) -> str:
    """The period that a word names, so that 8 weeks and 1 week are both read; else the word itself."""
    singular = word.removesuffix("s")
    return singular if singular in _PERIODS_A_YEAR else word


def _take_apart(value: object, name: str, forms: tuple[str, ...]) -> _Amount:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise QuantityError(f"expected {name}", forms)
    if not isinstance(value, str):
        raise QuantityError("a unit is missing", forms)
    text = value.strip()
    match = _AMOUNT.fullmatch(text) if len(text) <= _MAX_TEXT else None
    if match is None:
        raise QuantityError(f"not {name}", forms)
    number = Exact(match["number"].replace(",", ""))
    period = match["period"]
    return _Amount(
        number=-number if match["sign"] == "-" else number,
        dollar=bool(match["dollar"]),
        words=tuple(match["unit"].split()),
        period=None if period is None else _period_named(period),
    )


def _periods_a_year(amount: _Amount, forms: tuple[str, ...]) -> Exact:
    if amount.period is None:
        raise QuantityError("a period is missing (/year, /month, /week)", forms)
    if amount.period not in _PERIODS_A_YEAR:
        raise QuantityError(f"unknown period {amount.period!r}; periods are {', '.join(_PERIODS_A_YEAR)}")
    return _PERIODS_A_YEAR[amount.period]


def _no_period(amount: _Amount, name: str, forms: tuple[str, ...]) -> None:
    if amount.period is not None:
        raise QuantityError(f"{name} has no period (/{amount.period})", forms)


def _check_range(value: Exact, low: float, high: float, limit: str) -> None:
    if value < low:
        raise QuantityError("must not be negative" if low == 0 else f"must be at least {limit}")
    if value > high:
        raise QuantityError(f"must be at most {limit}")


def _cents(amount: _Amount, forms: tuple[str, ...]) -> Exact:
    """Cents of an amount of dollars, k, M, B and T being 10^3, 10^6, 10^9 and 10^12."""
    words = list(amount.words)
    in_dollars = amount.dollar
    if words and words[-1] == "USD":
        in_dollars = True
        words.pop()
    size = _SIZES.get(words[0]) if len(words) == 1 else None
    if words and size is None:
        unit = " ".join(amount.words)
        raise QuantityError(f"unknown unit {unit!r}; sizes are k, M, B, T, money is in USD", forms)
    if not in_dollars:
        raise QuantityError("a unit is missing", forms)
    return amount.number * Exact(10 ** (2 + (size or 0)))


def _read_money(value: object, *, signed: bool) -> int:
    amount = _take_apart(value, "an amount of money", _MONEY_FORMS)
    cents = _cents(amount, _MONEY_FORMS)
    _no_period(amount, "an amount of money", _MONEY_FORMS)
    _check_range(cents, -MAX_CENTS if signed else 0, MAX_CENTS, format_money(MAX_CENTS))
    if cents.denominator != 1:
        raise QuantityError("money is counted in whole cents")
    return int(cents)


def _read_money_rate(value: object) -> int:
    amount = _take_apart(value, "money per time", _MONEY_RATE_FORMS)
    cents = _cents(amount, _MONEY_RATE_FORMS) * _periods_a_year(amount, _MONEY_RATE_FORMS)
    _check_range(cents, 0, MAX_CENTS, format_money_rate(MAX_CENTS))
    return _round(cents)


def _read_years_exactly(value: object, forms: tuple[str, ...], periods: tuple[str, ...]) -> Exact:
    """Years of a text such as 8 weeks, whose unit must be one of `periods`."""
    amount = _take_apart(value, "a duration", forms)
    _no_period(amount, "a duration", forms)
    if not amount.words and not amount.dollar:
        raise QuantityError("a unit is missing", forms)
    period = _period_named(" ".join(amount.words))
    if amount.dollar or period not in periods:
        raise QuantityError(f"the unit must be one of {', '.join(periods)}", forms)
    years = amount.number / _PERIODS_A_YEAR[period]
    _check_range(years, 0, MAX_YEARS, format_years(MAX_YEARS))
    return years


def _read_weeks(value: object) -> int:
    """Rounded to whole weeks; what is above zero but rounds to no week is refused, not dropped."""
    exact = _read_years_exactly(value, _WEEKS_FORMS, tuple(_PERIODS_A_YEAR)) * _PERIODS_A_YEAR["week"]
    weeks = _round(exact)
    if weeks == 0 and exact > 0:
        raise QuantityError("shorter than half a week, and time moves in weeks: write '0 weeks' or '1 week'")
    _check_range(Exact(weeks), 0, MAX_WEEKS, format_weeks(MAX_WEEKS))
    return weeks


def _read_months(value: object) -> int:
    months = _read_years_exactly(value, _MONTHS_FORMS, ("year", "month")) * 12
    if months.denominator != 1:
        raise QuantityError("must be a whole number of months", _MONTHS_FORMS)
    return int(months)


def _read_years(value: object) -> float:
    return float(_read_years_exactly(value, _YEARS_FORMS, tuple(_PERIODS_A_YEAR)))


def _read_rate(value: object, *, signed: bool) -> float:
    amount = _take_apart(value, "a rate", _RATE_FORMS)
    if amount.dollar or amount.words not in ((), ("%",)):
        raise QuantityError("a rate has no unit but % and its period", _RATE_FORMS)
    rate = amount.number * _periods_a_year(amount, _RATE_FORMS) / (100 if amount.words else 1)
    _check_range(rate, -MAX_RATE if signed else 0, MAX_RATE, format_rate(MAX_RATE))
    return float(rate)


def _read_fraction(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if isinstance(value, float) and not math.isfinite(value):
            raise QuantityError("must be a finite number")
        number = Exact(value)
    else:
        amount = _take_apart(value, "a fraction", _FRACTION_FORMS)
        if amount.dollar or amount.period is not None or amount.words not in ((), ("%",)):
            raise QuantityError("a fraction has no unit but %", _FRACTION_FORMS)
        number = amount.number / (100 if amount.words else 1)
    if not 0 <= number <= 1:
        percent = isinstance(value, int) and 1 < value <= 100
        hint = f"; {value} per cent is written '{value} %'" if percent else ""
        raise QuantityError(f"a fraction lies between 0 and 1 (0 % and 100 %){hint}")
    return float(number)


def _read_date(value: object) -> date:
    if type(value) is date:
        return value
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise QuantityError("expected a date", _DATE_FORMS)
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise QuantityError(f"there is no day {value}") from None
    if not 1900 <= day.year < 2200:
        raise QuantityError("the year must lie between 1900 and 2199")
    return day


def _round(value: Exact) -> int:
    """The nearest integer of a number at or above zero; halves go up."""
    return math.floor(value + Exact(1, 2))


# ---- printing


def _plain(number: Decimal) -> str:
    """A decimal without trailing zeros, and without exponent unless it is tiny."""
    text = f"{number:f}" if number == 0 or number.adjusted() > -7 else f"{number:e}"
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def _rounded(number: Decimal, digits: int) -> Decimal:
    if number == 0:
        return Decimal(0)
    return round(number, digits - 1 - number.adjusted())


def _counted(number: str, word: str) -> str:
    return f"{number} {word}" if number == "1" else f"{number} {word}s"


def format_money(cents: int, digits: int = 3) -> str:
    """Cents for people, to so many significant digits: 1430000000000 is "14.3B USD"."""
    dollars = _rounded(Decimal(cents).scaleb(-2), digits)
    power, suffix = next((p, s) for p, s in _SUFFIXES if p == 0 or abs(dollars) >= 10**p)
    return f"{_plain(dollars.scaleb(-power))}{suffix} USD"


def exact_money(cents: int) -> str:
    """Cents as text that reads back exactly: with k, M, B or T where that leaves at most 3 decimals."""
    for power, suffix in _SUFFIXES:
        if abs(cents) >= 10 ** (power + 2) and cents % 10 ** max(power - 1, 0) == 0:
            return f"{_plain(Decimal(cents).scaleb(-2 - power))}{suffix} USD"
    return f"{_plain(Decimal(cents).scaleb(-2))} USD"


def format_money_rate(cents_a_year: int, digits: int = 3) -> str:
    """Cents a year for people: "2.5B USD/year"."""
    return format_money(cents_a_year, digits) + "/year"


def exact_money_rate(cents_a_year: int) -> str:
    """Cents a year as text that reads back exactly."""
    return exact_money(cents_a_year) + "/year"


def format_weeks(weeks: int) -> str:
    """Whole weeks: "8 weeks". Reads back exactly."""
    return _counted(str(weeks), "week")


def format_months(months: int) -> str:
    """Whole months: "12 months". Reads back exactly."""
    return _counted(str(months), "month")


def format_years(years: float, digits: int = 3) -> str:
    """Years for people: "4 years"."""
    return _counted(_plain(_rounded(Decimal(years), digits)), "year")


def exact_years(years: float) -> str:
    """Years as text that reads back exactly."""
    return _counted(_shortest(years), "year")


def format_rate(rate: float, digits: int = 3) -> str:
    """A rate, in 1/year, for people: "2.5 /year"."""
    return f"{_plain(_rounded(Decimal(rate), digits))} /year"


def exact_rate(rate: float) -> str:
    """A rate, in 1/year, as text that reads back exactly."""
    return f"{_shortest(rate)} /year"


def format_fraction(fraction: float, digits: int = 3) -> str:
    """A fraction for people: "10 %"."""
    return f"{_plain(_rounded(Decimal(fraction) * 100, digits))} %"


def exact_fraction(fraction: float) -> str:
    """A fraction as text that reads back exactly: "0.1"."""
    return _shortest(fraction)


def _shortest(number: float) -> str:
    """The shortest text that reads back as this float."""
    return repr(float(number)).removesuffix(".0")


# ---- the kinds, and the types of pydantic fields

_MONEY_FORMS = ("14.3B USD", "$100M")
_MONEY_RATE_FORMS = ("2.5B USD/year", "$10M/month")
_WEEKS_FORMS = ("8 weeks", "12 months")
_MONTHS_FORMS = ("12 months", "1 year")
_YEARS_FORMS = ("4 years", "12 months")
_RATE_FORMS = ("20 %/year", "2.5 /year")
_FRACTION_FORMS = ("10 %", "0.1")
_DATE_FORMS = ("2025-06-12",)

MONEY = Quantity(
    "an amount of money", "cents", _MONEY_FORMS, partial(_read_money, signed=False), format_money, exact_money
)
SIGNED_MONEY = Quantity(
    "an amount of money", "cents", _MONEY_FORMS, partial(_read_money, signed=True), format_money, exact_money
)
MONEY_RATE = Quantity(
    "money per time", "cents a year", _MONEY_RATE_FORMS, _read_money_rate, format_money_rate, exact_money_rate
)
WEEKS = Quantity("a duration", "weeks", _WEEKS_FORMS, _read_weeks, format_weeks, format_weeks)
MONTHS = Quantity("a duration", "months", _MONTHS_FORMS, _read_months, format_months, format_months)
YEARS = Quantity("a duration", "years", _YEARS_FORMS, _read_years, format_years, exact_years)
RATE = Quantity("a rate", "1/year", _RATE_FORMS, partial(_read_rate, signed=False), format_rate, exact_rate)
SIGNED_RATE = Quantity(
    "a rate", "1/year", _RATE_FORMS, partial(_read_rate, signed=True), format_rate, exact_rate
)
FRACTION = Quantity(
    "a fraction", "1", _FRACTION_FORMS, _read_fraction, format_fraction, exact_fraction, bare=True
)
DATE = Quantity("a date", "day", _DATE_FORMS, _read_date, date.isoformat, date.isoformat)

Money = Annotated[int, MONEY]
SignedMoney = Annotated[int, SIGNED_MONEY]
MoneyRate = Annotated[int, MONEY_RATE]
Weeks = Annotated[int, WEEKS]
Months = Annotated[int, MONTHS]
Years = Annotated[float, YEARS]
Rate = Annotated[float, RATE]
SignedRate = Annotated[float, SIGNED_RATE]
Fraction = Annotated[float, FRACTION]
Date = Annotated[date, DATE]
