"""The folder of invoices: every spreadsheet's CSV is read, a wrong line is named with its mend, the others are kept."""

import os
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.money.invoices import COLUMNS, LARGEST, TEMPLATE, InvoiceFault, read_file, read_folder, read_table
from workflows.errors import NeedsOwner
from workflows.models.money import Invoice, Money

FILES = Path(__file__).parents[1] / "data" / "invoices"
HEADER = ",".join(COLUMNS)


def read(name: str) -> tuple[tuple[Invoice, ...], tuple[InvoiceFault, ...]]:
    found = read_file(FILES / name)
    return found.invoices, found.faults


def row(**cells: str) -> str:
    """A good row with these cells instead."""
    good = {
        "number": "7", "client": "Acme", "email": "a@acme.example", "due": "2026-11-15", "amount": "10.00",
        "currency": "EUR",
    } | cells  # fmt: skip
    return ",".join(good.get(column, "") for column in COLUMNS)


def fault_of(**cells: str) -> InvoiceFault:
    invoices, faults = read_table("x.csv", f"{HEADER}\n{row(**cells)}\n")
    assert invoices == ()
    assert len(faults) == 1
    return faults[0]


def test_amounts_are_exact_in_every_currency() -> None:
    invoices, faults = read("plain.csv")
    assert faults == ()
    assert [one.amount for one in invoices] == [
        Money(minor=120_000, currency="EUR"),
        Money(minor=145_050, currency="USD"),
        Money(minor=98_000, currency="CHF"),
        Money(minor=120_000, currency="JPY"),
        Money(minor=1_234_567, currency="KWD"),
    ]
    assert invoices[0] == Invoice(
        number="2026-014",
        name="Acme GmbH",
        email="billing@acme.example",
        issued=date(2026, 10, 1),
        due=date(2026, 10, 31),
        amount=Money(minor=120_000, currency="EUR"),
        source="csv:plain.csv",
        country="DE",
    )


def test_what_came_in_is_taken_off() -> None:
    invoices, _ = read("plain.csv")
    balances = {one.number: (one.balance.minor, one.state) for one in invoices}
    assert balances["2026-015"] == (95_050, "open")
    assert balances["2026-016"] == (0, "paid")
    assert balances["2026-018"] == (0, "paid")  # a day without an amount: all of it


@pytest.mark.parametrize(
    ("name", "number", "client", "minor"),
    [
        ("german.csv", "2026-020", "Müller & Söhne", 123_456),
        ("excel-utf16.csv", "2026-030", "Łódź Studio", 450_000),
        ("cp1252.csv", "2026-040", "Café Crème", 1_050),
        ("sep-line.csv", "2026-050", "Sep", 1_050),
        ("newlines.csv", "2026-060", 'Acme GmbH "West"', 1_000),
    ],
)
def test_delimiters_encodings_and_line_ends_of_spreadsheets(name: str, number: str, client: str, minor: int) -> None:
    invoices, faults = read(name)
    assert faults == ()
    assert (invoices[0].number, invoices[0].name, invoices[0].amount.minor) == (number, client, minor)


def test_a_quoted_delimiter_and_a_quoted_line_end_do_not_end_a_cell() -> None:
    assert read("german.csv")[0][1].name == "Weber; Partner"
    assert [one.number for one in read("newlines.csv")[0]] == ["2026-060", "2026-061"]


def test_every_faulty_line_is_named_and_takes_down_no_other() -> None:
    invoices, faults = read("faulty.csv")
    assert [one.number for one in invoices] == ["2026-070", "2026-085"]
    assert [(fault.line, fault.column) for fault in faults] == [
        (3, "due"), (4, "amount"), (5, "number"), (6, "email"), (7, "currency"), (8, "number"), (9, ""), (10, "due"),
        (11, "amount"), (12, "paid"), (13, ""), (14, "due"), (15, "amount"), (16, "country"),
    ]  # fmt: skip
    assert all(fault.says.startswith(f"faulty.csv, line {fault.line}") for fault in faults)


def test_the_mend_is_said() -> None:
    assert "YEAR-MONTH-DAY" in fault_of(due="04/12/2026").mend
    assert "There is no day 2026-02-30" in fault_of(due="2026-02-30").problem
    assert "There is no day 30.02.2026" in fault_of(due="30.02.2026").problem
    assert "1234.00" in fault_of(amount='"1,234"').problem
    assert "EUR, USD" in fault_of(currency="Euro!").mend
    assert "address" in fault_of(email="").mend
    assert fault_of(due="04/12/2026").says == (
        'x.csv, line 2, column due: "04/12/2026" is no day that can be read in one way only. '
        "Write it as YEAR-MONTH-DAY, such as 2026-12-31."
    )


def test_a_missing_column_names_the_one_that_was_meant() -> None:
    invoices, faults = read("typo-in-header.csv")
    assert invoices == ()
    assert [(fault.column, fault.mend) for fault in faults] == [
        ("amount", 'Rename "amuont" to amount.'), ("piad", "Did you mean paid?"),
    ]  # fmt: skip
    assert read("no-header.csv")[0] == ()
    assert "first line" in read("no-header.csv")[1][0].mend
    assert "no header line" in read("empty.csv")[1][0].problem


def test_columns_of_the_owners_own_are_let_be() -> None:
    invoices, faults = read_table("x.csv", f"{HEADER},project,notes\n{row()},Website,\n")
    assert (len(invoices), faults) == (1, ())


def test_the_template_is_read_as_it_is_and_with_its_examples() -> None:
    assert read_table("template.csv", TEMPLATE) == ((), ())
    examples = TEMPLATE.replace("# 2026", "2026")
    invoices, faults = read_table("template.csv", examples)
    assert (len(invoices), faults) == (2, ())
    assert TEMPLATE.splitlines()[0] == HEADER


def test_a_quotation_mark_never_closed_costs_its_own_line_alone() -> None:
    rows = "\n".join(row(number=str(number)) for number in range(100))
    text = f"{HEADER}\n{row(number='a', client=chr(34) + 'Acme')}\n{rows}\n"
    invoices, faults = read_table("x.csv", text)
    assert (len(invoices), [fault.line for fault in faults]) == (100, [2])


# ---------------------------------------------------------------- folders


def test_a_faulty_file_takes_down_no_other(tmp_path: Path) -> None:
    for name in ("plain.csv", "faulty.csv", "no-header.csv"):
        shutil.copy(FILES / name, tmp_path)
    (tmp_path / "notes.md").write_text("not an invoice")
    (tmp_path / "~$plain.csv").write_text("a spreadsheet's lock")
    (tmp_path / "binary.csv").write_bytes(b"\x00\xff\x00\x81" * 100)
    (tmp_path / "huge.csv").write_bytes(b"#" * (LARGEST + 1))
    files = {file.name: file for file in read_folder(tmp_path)}
    assert sorted(files) == ["binary.csv", "faulty.csv", "huge.csv", "no-header.csv", "plain.csv"]
    assert (files["plain.csv"].complete, len(files["plain.csv"].invoices)) == (True, 5)
    assert not files["faulty.csv"].complete
    assert all(files[name].faults and not files[name].invoices for name in ("binary.csv", "huge.csv", "no-header.csv"))


def test_data_is_as_old_as_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{HEADER}\n{row()}\n")
    os.utime(path, (1_800_000_000, 1_800_000_000))
    (found,) = read_folder(tmp_path)
    assert found.read_at == datetime.fromtimestamp(1_800_000_000, UTC)
    assert found.source == "csv:a.csv"


def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(NeedsOwner, match=r"money\.invoices"):
        read_folder(tmp_path / "nowhere")


@given(st.text(alphabet=st.sampled_from('",;\n\r\t #a1-.é\x00\ufeff'), max_size=200))
def test_any_text_is_read_or_named(text: str) -> None:
    invoices, faults = read_table("x.csv", f"{HEADER}\n{text}")
    assert all(invoice.amount.minor > 0 for invoice in invoices)
    assert all(fault.problem for fault in faults)


@pytest.mark.parametrize(
    ("due", "amount", "says"),
    [
        ("0026-10-31", "10.00", "column due: The year of 0026-10-31 is not meant. Correct it."),
        ("2026-10-31", "-10.00", 'column amount: "-10.00" is less than nothing. A credit note is not chased'),
    ],
)
def test_a_year_that_was_mistyped_and_a_credit_note(due: str, amount: str, says: str) -> None:
    text = f"number,client,email,due,amount,currency\n1,A,a@a.example,{due},{amount},EUR\n"
    invoices, (fault,) = read_table("a.csv", text)
    assert invoices == ()
    assert says in fault.says


def test_days_as_german_spreadsheets_save_them_are_the_same_days() -> None:
    invoices, faults = read_table("x.csv", f"{HEADER}\n1,Ada,a@a.example,1.11.2026,04.12.2026,10.00,EUR,,,\n")
    assert faults == ()
    assert [(one.issued, one.due) for one in invoices] == [(date(2026, 11, 1), date(2026, 12, 4))]
