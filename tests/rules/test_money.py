"""Exact amounts: read in every form, refused where two readings are possible, written as each language writes them."""

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.errors import Permanent
from workflows.models.money import Money
from workflows.rules.text.money import currency_of, format_money, from_decimal, parse_amount, places, to_decimal, totals
from workflows.rules.text.words import table

READ = [
    ("1.234,56 €", "", 123456, "EUR"),
    ("1,234.56", "USD", 123456, "USD"),
    ("1 234,56", "EUR", 123456, "EUR"),
    ("1\u202f234,56 EUR", "", 123456, "EUR"),
    ("1\u00a0234,56\u00a0€", "", 123456, "EUR"),
    ("CHF 1'234.50", "", 123450, "CHF"),
    ("1’234.50", "CHF", 123450, "CHF"),  # noqa: RUF001 - as Swiss programs write it
    ("EUR 500", "", 50000, "EUR"),
    ("500 euros", "", 50000, "EUR"),
    ("0.05", "EUR", 5, "EUR"),
    ("0,5", "EUR", 50, "EUR"),
    ("12", "EUR", 1200, "EUR"),
    ("1234.5", "EUR", 123450, "EUR"),
    ("1234.500", "EUR", 123450, "EUR"),
    ("1.234.567", "EUR", 123456700, "EUR"),
    ("1,234,567.89", "USD", 123456789, "USD"),
    ("12,34,567.00", "INR", 123456700, "INR"),
    ("10 000", "EUR", 1000000, "EUR"),
    ("¥12,000", "JPY", 12000, "JPY"),
    ("12.000", "JPY", 12000, "JPY"),
    ("12000円", "", 12000, "JPY"),
    ("1.5", "KWD", 1500, "KWD"),
    ("1234.567", "KWD", 1234567, "KWD"),
    ("0.001", "BHD", 1, "BHD"),
    ("$1,234.56", "CAD", 123456, "CAD"),
    ("US $5.00", "", 500, "USD"),
    ("$5.00 USD", "", 500, "USD"),
    ("R$ 1.234,50", "", 123450, "BRL"),
    ("£99.99", "GBP", 9999, "GBP"),
    ("Fr. 120.-", "", 12000, "CHF"),
    ("120,--", "EUR", 12000, "EUR"),
    ("250 kr", "SEK", 25000, "SEK"),
    ("1 250,00 zł", "", 125000, "PLN"),
    ("\uff11\uff12\uff0e\uff15\uff10", "EUR", 1250, "EUR"),  # full width
]


@pytest.mark.parametrize(("text", "currency", "minor", "found"), READ)
def test_an_amount_is_read(text: str, currency: str, minor: int, found: str) -> None:
    assert parse_amount(text, currency) == Money(minor=minor, currency=found)


REFUSED = [
    ("1,234", "USD", "two readings: 1234 and 1.234"),
    ("1.234", "EUR", "two readings"),
    ("1.234", "KWD", "two readings"),
    ("12,345", "EUR", "two readings"),
    ("$5", "", "may be"),
    ("5", "", "names no currency"),
    ("250 kr", "", "may be DKK or ISK or NOK or SEK"),
    ("¥500", "", "may be CNY or JPY"),
    ("5 EUR", "USD", "is not in USD"),
    ("$5", "EUR", "is not in EUR"),
    ("5", "ABC", "is no currency"),
    ("5.123", "EUR", "two readings"),
    ("1234.567", "EUR", "more decimals than EUR has"),
    ("0.999", "EUR", "more decimals"),
    ("12.5", "JPY", "more decimals than JPY has"),
    ("-5", "EUR", "less than nothing"),
    ("(5.00)", "EUR", "less than nothing"),
    ("\u22125", "EUR", "less than nothing"),
    ("", "EUR", "not one amount"),
    ("five", "EUR", "not one amount"),
    ("5 and 6", "EUR", "not one amount"),
    ("about 5", "EUR", "more than an amount"),
    ("1,2,3", "EUR", "cannot be read"),
    ("1,23.45,67", "EUR", "cannot be read"),
    ("1.23.4", "EUR", "cannot be read"),
    ("٣٤", "EUR", "not one amount"),
    ("9" * 20, "EUR", "beyond all bounds"),
    ("1e3", "EUR", "not one amount"),
]


@pytest.mark.parametrize(("text", "currency", "why"), REFUSED)
def test_what_is_no_amount_or_two_is_refused_with_the_reason(text: str, currency: str, why: str) -> None:
    with pytest.raises(Permanent, match=why):
        parse_amount(text, currency)


def test_a_known_decimal_mark_settles_what_has_two_readings() -> None:
    assert parse_amount("1,234", "USD", decimal=".").minor == 123400
    assert parse_amount("1.500", "EUR", decimal=".").minor == 150
    assert parse_amount("1.234", "EUR", decimal=",").minor == 123400
    with pytest.raises(Permanent, match="more decimals"):
        parse_amount("1.234", "EUR", decimal=".")


def test_the_table_holds_the_places_of_iso_4217() -> None:
    assert [places(code) for code in ("EUR", "JPY", "KWD", "CLF", "ISK", "CHF", "XXX", "")] == [
        2, 0, 3, 4, 0, 2, None, None,
    ]  # fmt: skip
    codes = [code for row in table("currencies")["places"].values() for code in row.split()]
    assert len(codes) == len(set(codes)) > 160
    named = {code for codes in table("currencies")["signs"].values() for code in codes}
    assert named <= set(codes)


def test_a_sign_that_several_currencies_use_names_none() -> None:
    assert [currency_of(sign) for sign in ("€", "eur", "zł", "$", "kr", "?", "usd")] == [
        "EUR", "EUR", "PLN", "", "", "", "USD",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", "1,234,567.89 EUR"),
        ("de", "1.234.567,89 EUR"),
        ("es", "1.234.567,89 EUR"),
        ("fr", "1\u00a0234\u00a0567,89 EUR"),
        ("pl", "1\u00a0234\u00a0567,89 EUR"),
        ("xx", "1,234,567.89 EUR"),
    ],
)
def test_an_amount_is_written_as_its_language_does(language: str, shown: str) -> None:
    assert format_money(Money(minor=123456789, currency="EUR"), language) == shown


def test_currencies_without_cents_and_small_amounts_are_written_right() -> None:
    assert format_money(Money(minor=12000, currency="JPY")) == "12,000 JPY"
    assert format_money(Money(minor=5, currency="EUR"), "de") == "0,05 EUR"
    assert format_money(Money(minor=1500, currency="KWD")) == "1.500 KWD"
    assert format_money(Money(minor=-5, currency="EUR")) == "-0.05 EUR"


def test_the_numbers_of_a_program_are_taken_exactly() -> None:
    assert from_decimal(Decimal("1234.5"), "EUR") == Money(minor=123450, currency="EUR")
    assert from_decimal(Decimal("1234.500000"), "EUR").minor == 123450
    assert from_decimal(Decimal("1.2E+3"), "JPY").minor == 1200
    for wrong in ("12.345", "-1", "NaN", "Infinity", "1e30"):
        with pytest.raises(Permanent):
            from_decimal(Decimal(wrong), "EUR")


def test_totals_are_one_for_each_currency() -> None:
    amounts = [Money(minor=1, currency="USD"), Money(minor=2, currency="EUR"), Money(minor=3, currency="USD")]
    assert totals(amounts) == (Money(minor=2, currency="EUR"), Money(minor=4, currency="USD"))
    assert totals([]) == ()


@given(
    st.integers(min_value=0, max_value=10**14),
    st.sampled_from(["EUR", "JPY", "KWD", "CHF", "CLF"]),
    st.sampled_from(["en", "de", "fr", "es", "it", "nl", "pt", "pl"]),
)
def test_what_is_written_reads_back_exactly_or_is_refused(minor: int, currency: str, language: str) -> None:
    money = Money(minor=minor, currency=currency)
    shown = format_money(money, language)
    mark = "." if language == "en" else ","
    assert parse_amount(shown, decimal=mark) == money  # type: ignore[arg-type]
    try:
        assert parse_amount(shown) == money
    except Permanent as refused:
        assert "two readings" in str(refused)  # noqa: PT017 - nothing else may be wrong with it
    assert from_decimal(to_decimal(money), currency) == money


@given(st.text(max_size=30), st.sampled_from(["", "EUR", "JPY"]))
def test_no_text_makes_it_stumble(text: str, currency: str) -> None:
    with contextlib.suppress(Permanent):
        assert parse_amount(text, currency).minor >= 0
