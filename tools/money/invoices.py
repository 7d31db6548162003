"""Invoices from a folder of CSV files, read strictly: a wrong line is named and left out, the others are kept.

One row is one invoice, with the columns of `TEMPLATE`. Spreadsheets differ in delimiter and encoding; both are found.
"""

import csv
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from tools.money.invoice_heads import Heads, all_or_nothing, country_code, heads
from tools.spreadsheets import separated, text_of
from workflows.errors import NeedsOwner, Permanent
from workflows.models.money import Invoice, Money
from workflows.rules.text.canonical import one_line
from workflows.rules.text.money import currency_of, format_money, parse_amount

COLUMNS = ("number", "client", "email", "issued", "due", "amount", "currency", "paid", "paid_at", "country")
REQUIRED = ("number", "client", "email", "due", "amount", "currency")
TEMPLATE = """\
number,client,email,issued,due,amount,currency,paid,paid_at,country
# Lines that begin with # are not read. Days are YEAR-MONTH-DAY; paid, paid_at, issued and country may stay empty.
# 2026-014,Acme GmbH,billing@acme.example,2026-10-01,2026-10-31,1200.00,EUR,,,DE
# 2026-015,Studio Maria,maria@studio.example,2026-10-05,2026-11-04,"1,450.50",USD,500.00,2026-11-02,
"""
LARGEST = 5_000_000
"""Bytes of one file."""
MOST_ROWS = 20_000

_SUFFIXES = (".csv", ".tsv", ".txt")
_OTHER_SUFFIXES = (".xlsx", ".xls", ".ods", ".numbers", ".json")
"""What somebody may take for a list of invoices: told, not silently passed by."""
_MOST_LINES = 20  # physical lines of one row: more is a quotation mark that was never closed
_LONGEST_NUMBER, _LONGEST_NAME, _SHOWN = 60, 200, 40
_LIKE = 0.75
_YEARS = range(1990, 2101)
_EMAIL = re.compile(r"[^@\s<>,;:\"()]+@[^@\s<>,;:\"()]+\.[^@\s<>,;.:\"()]+")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_DAY_FIRST = re.compile(r"^(\d{1,2})[/-](\d{1,2})[/-](\d{4})$")
_DAYS = ("issued", "due", "paid_at")
_COUNTRY = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFault:
    """What is wrong in a file, where, and the mend. `line` 0: of the file as a whole."""

    file: str
    problem: str
    mend: str
    line: int = 0
    column: str = ""

    @property
    def says(self) -> str:
        """Where, what and the mend, in plain sentences."""
        line, column = f", line {self.line}" if self.line else "", f", column {self.column}" if self.column else ""
        return f"{self.file}{line}{column}: {self.problem} {self.mend}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFile:
    """One file of the folder: what it lists, and what is wrong in it."""

    name: str
    invoices: tuple[Invoice, ...]
    faults: tuple[InvoiceFault, ...]
    read_at: datetime  # the file's own modification time: from when its data is

    @property
    def source(self) -> str:
        """What the ledger calls it."""
        return f"csv:{self.name}"

    @property
    def unread(self) -> bool:
        """Whether nothing of it could be read at all."""
        return bool(self.faults) and not self.invoices

    @property
    def complete(self) -> bool:
        """Whether what it does not list is really gone, and not only unreadable."""
        return not self.faults


def read_folder(folder: Path) -> tuple[InvoiceFile, ...]:
    """Every CSV file of the folder, by name; a faulty one never keeps the others from being read.

    Raises:
        NeedsOwner: the folder cannot be looked into.
    """
    try:
        suffixes = (*_SUFFIXES, *_OTHER_SUFFIXES)
        paths = [path for path in folder.iterdir() if path.suffix.lower() in suffixes and path.is_file()]
    except OSError as error:
        raise NeedsOwner(
            f"The folder of your invoices, {folder}, cannot be read: {error.strerror}.",
            "Mend its permissions, or name another one as money.invoices.",
        ) from error
    return tuple(read_file(path) for path in sorted(paths) if not path.name.startswith((".", "~$")))


def read_file(path: Path) -> InvoiceFile:
    """One file; whatever is in it."""
    read_at = datetime.fromtimestamp(0, UTC)
    if path.suffix.lower() in _OTHER_SUFFIXES:
        fault = InvoiceFault(
            file=path.name, problem="It is no CSV file.", mend="Export it as CSV, and take this one out."
        )
        return InvoiceFile(name=path.name, invoices=(), faults=(fault,), read_at=read_at)
    try:
        read_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        invoices, faults = read_table(path.name, text_of(_content(path)))
    except Permanent as error:
        mend = "Save it once more as CSV, in UTF-8; it is read again by itself."
        invoices, faults = (), (InvoiceFault(file=path.name, problem=str(error), mend=mend),)
    except OSError as error:
        fault = InvoiceFault(
            file=path.name, problem=f"It cannot be read: {error.strerror}.", mend="Mend its permissions."
        )
        invoices, faults = (), (fault,)
    return InvoiceFile(name=path.name, invoices=invoices, faults=faults, read_at=read_at)


def _content(path: Path) -> bytes:
    before = path.stat()
    if before.st_size > LARGEST:
        raise Permanent(f"It has {before.st_size:,} bytes, and {LARGEST:,} are read.")
    content = path.read_bytes()
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Permanent("It was being written while it was read.")
    return content


# ---------------------------------------------------------------- tables


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: tuple[str, ...]


class _Wrong(Permanent):
    """One cell that cannot be taken."""

    def __init__(self, column: str, problem: str, mend: str) -> None:
        super().__init__(problem)
        self.column, self.problem, self.mend = column, problem, mend


def read_table(name: str, text: str) -> tuple[tuple[Invoice, ...], tuple[InvoiceFault, ...]]:
    """The invoices of one file's text and what is wrong in it. `name`: the file's, for the faults."""
    delimiter, plain = separated(text)
    rows, faults = _rows(name, plain.split("\n"), delimiter)
    if not rows:
        return (), (*faults, InvoiceFault(file=name, problem="It has no header line.", mend=_HEADER))
    header = heads([_plain(cell) for cell in rows[0].cells])
    needed = [column for column in REQUIRED if column != "currency" or not _names_currency(header, rows[1:])]
    wrong = _header_faults(name, rows[0].line, header.columns, needed)
    if any(column not in header.columns for column in needed):
        return (), (*faults, *wrong)
    invoices, of_rows = _invoices(name, header, rows[1:])
    return invoices, tuple(sorted((*faults, *wrong, *of_rows), key=lambda fault: fault.line))


_HEADER = f"Its first line must name the columns: {','.join(COLUMNS)}."


def _rows(name: str, lines: Sequence[str], delimiter: str) -> tuple[list[_Row], list[InvoiceFault]]:
    """The rows with the line each begins in. One that cannot be split is named, and the next line is tried."""
    rows: list[_Row] = []
    faults: list[InvoiceFault] = []
    at = 0
    while at < len(lines):
        length = _length(lines, at)
        text = "\n".join(lines[at : at + max(length, 1)])
        if not text.strip() or text.lstrip().startswith("#"):
            at += 1
            continue
        if not length:
            faults.append(_unclosed(name, at + 1))
        elif len(rows) > MOST_ROWS:
            mend = "Divide it into several files."
            return rows, [
                *faults,
                InvoiceFault(file=name, line=at + 1, problem=f"More than {MOST_ROWS:,} rows.", mend=mend),
            ]
        else:
            try:
                cells = next(csv.reader([text], delimiter=delimiter, strict=True))
                rows.append(_Row(at + 1, tuple(cells)))
            except csv.Error:
                faults.append(_unclosed(name, at + 1))
        at += max(length, 1)
    return [row for row in rows if any(cell.strip() for cell in row.cells)], faults


def _length(lines: Sequence[str], at: int) -> int:
    """How many lines the row takes that begins here: to where its quotation marks are closed; 0 when nowhere near."""
    marks = 0
    for length, line in enumerate(lines[at : at + _MOST_LINES], start=1):
        marks += line.count('"')
        if marks % 2 == 0:
            return length
    return 0


def _unclosed(name: str, line: int) -> InvoiceFault:
    return InvoiceFault(
        file=name,
        line=line,
        problem="Its quotation marks cannot be read, so this line was left out.",
        mend='Put text with the delimiter in it between two marks ("), and write a mark inside twice ("").',
    )


def _names_currency(header: Heads, rows: Sequence[_Row]) -> bool:
    """Whether a file without a column for it names the currency all the same: in the amount's head, or beside each."""
    at = header.columns.index("amount") if "amount" in header.columns else -1
    return bool(header.currency) or any(_beside(_plain(row.cells[at])) for row in rows if 0 <= at < len(row.cells))


def _beside(amount: str) -> str:
    try:
        return parse_amount(amount).currency
    except Permanent:
        return ""


def _header_faults(name: str, line: int, header: Sequence[str], needed: Sequence[str]) -> list[InvoiceFault]:
    faults = []
    for column in needed:
        if column not in header:
            problem = f"The column {column} is missing."
            near = difflib.get_close_matches(column, [head for head in header if head not in COLUMNS], 1, _LIKE)
            mend = f'Rename "{near[0]}" to {column}.' if near else _HEADER
            faults.append(InvoiceFault(file=name, line=line, column=column, problem=problem, mend=mend))
    for column in dict.fromkeys(header):
        missing = [candidate for candidate in COLUMNS if candidate not in header and candidate not in REQUIRED]
        near = difflib.get_close_matches(column, missing, 1, _LIKE) if column not in COLUMNS else []
        if near:  # others are the owner's own, and are let be
            problem = f'"{_shown(column)}" is no column that is read.'
            faults.append(
                InvoiceFault(
                    file=name, line=line, column=_shown(column), problem=problem, mend=f"Did you mean {near[0]}?"
                )
            )
        if column in COLUMNS and header.count(column) > 1:
            faults.append(
                InvoiceFault(file=name, line=line, column=column, problem="It is there twice.", mend="Keep one.")
            )
    return faults


def _invoices(name: str, header: Heads, rows: Sequence[_Row]) -> tuple[tuple[Invoice, ...], list[InvoiceFault]]:
    invoices: dict[str, tuple[int, Invoice]] = {}
    faults: list[InvoiceFault] = []
    for row in rows:
        try:
            invoice = _invoice(name, _cells(header, row))
            _once(invoice.number, invoices)
            invoices[invoice.number] = (row.line, invoice)
        except _Wrong as wrong:
            faults.append(
                InvoiceFault(file=name, line=row.line, column=wrong.column, problem=wrong.problem, mend=wrong.mend)
            )
    return tuple(invoice for _, invoice in invoices.values()), faults


def _once(number: str, found: Mapping[str, tuple[int, Invoice]]) -> None:
    if number in found:
        raise _Wrong("number", f"{number} stands in line {found[number][0]} already.", "Give each number once.")


# ---------------------------------------------------------------- cells


def _cells(header: Heads, row: _Row) -> Mapping[str, str]:
    columns = header.columns
    if any(cell.strip() for cell in row.cells[len(columns) :]):
        raise _Wrong(
            "", f"It has {len(row.cells)} cells, and the header {len(columns)}.",
            'Put text with the delimiter in it between quotation marks (").',
        )  # fmt: skip
    cells = {column: _plain(cell) for column, cell in zip(columns, row.cells, strict=False)}
    if "currency" not in columns:
        cells["currency"] = header.currency or _beside(cells.get("amount", ""))
    if header.day_first:
        cells |= {column: _DAY_FIRST.sub(r"\1.\2.\3", cells[column]) for column in _DAYS if column in cells}
    return cells


def _invoice(file: str, cells: Mapping[str, str]) -> Invoice:
    for column in REQUIRED:
        if not cells.get(column):
            raise _Wrong(column, "It is empty.", _EMPTY[column])
    number, email = cells["number"], cells["email"]
    if len(number) > _LONGEST_NUMBER or not any(character.isalnum() for character in number):
        raise _Wrong("number", f'"{_shown(number)}" is no invoice number.', _EMPTY["number"])
    if not _EMAIL.fullmatch(email):
        raise _Wrong("email", f'"{_shown(email)}" is no mail address.', "Write one address, such as anna@acme.example.")
    due, issued = _day(cells, "due"), _day(cells, "issued")
    assert due is not None  # it is required
    if issued and due < issued:
        raise _Wrong("due", f"{due} is before the day of issue, {issued}.", "Correct one of the two.")
    amount = _amount(cells, "amount", _currency(cells["currency"]))
    assert amount is not None  # so is it
    paid = _paid(cells, amount)
    return Invoice(
        number=number,
        name=cells["client"][:_LONGEST_NAME],
        email=email.lower(),
        due=due,
        amount=amount,
        paid=paid,
        issued=issued,
        state="paid" if paid and paid.minor >= amount.minor else "open",
        source=f"csv:{file}",
        country=_country(cells.get("country", "")),
    )


_EMPTY = {
    "number": "Write the invoice's number, such as 2026-014.",
    "client": "Write the client's name.",
    "email": "Write the address that a reminder may go to.",
    "due": "Write the day it is due as 2026-12-31.",
    "amount": "Write the amount as 1234.56.",
    "currency": "Write its code: EUR, USD, GBP ...",
}


def _day(cells: Mapping[str, str], column: str) -> date | None:
    text = cells.get(column, "")
    if not text:
        return None
    # German and Swiss spreadsheets turn 2026-12-31 into 31.12.2026 when they save; with points nobody writes it else.
    dotted = _DOTTED.fullmatch(text)
    written = f"{dotted[3]}-{int(dotted[2]):02}-{int(dotted[1]):02}" if dotted else text
    if not _ISO.fullmatch(written):
        problem = f'"{_shown(text)}" is no day that can be read in one way only.'
        raise _Wrong(column, problem, "Write it as YEAR-MONTH-DAY, such as 2026-12-31.")
    try:
        return _of_our_time(column, date.fromisoformat(written))
    except ValueError:
        raise _Wrong(column, f"There is no day {_shown(text)}.", "Correct it.") from None


def _of_our_time(column: str, day: date) -> date:
    if day.year not in _YEARS:
        raise _Wrong(column, f"The year of {day} is not meant.", "Correct it.")
    return day


def _currency(text: str) -> str:
    code = currency_of(text)
    if not code:
        raise _Wrong("currency", f'"{_shown(text)}" is no currency.', _EMPTY["currency"])
    return code


def _amount(cells: Mapping[str, str], column: str, currency: str) -> Money | None:
    text = cells.get(column, "")
    if not text:
        return None
    if text.startswith(("-", "\u2212", "(")):
        raise _Wrong(
            column, f'"{_shown(text)}" is less than nothing.', "A credit note is not chased: take its line out."
        )
    try:
        amount = parse_amount(text, currency)
    except Permanent as error:
        raise _Wrong(column, str(error), "") from error
    if column == "amount" and not amount.minor:
        raise _Wrong(column, "An invoice over nothing cannot be owed.", "Write its amount, or take the line out.")
    return amount


def _paid(cells: Mapping[str, str], amount: Money) -> Money | None:
    """What came in so far; a day without an amount is the day on which all of it came."""
    word = all_or_nothing(cells.get("paid", ""))
    if word:
        return amount if word == "all" else None
    paid, at = _amount(cells, "paid", amount.currency), _day(cells, "paid_at")
    if paid and paid.minor > amount.minor:
        problem = f"{format_money(paid)} is more than the {format_money(amount)} of the invoice."
        raise _Wrong("paid", problem, "Write what came in for this invoice alone.")
    if at and paid is None:
        return amount
    return paid if paid and paid.minor else None


def _country(text: str) -> str:
    plain = country_code(text).upper()
    if plain and not _COUNTRY.fullmatch(plain):
        raise _Wrong("country", f'"{_shown(text)}" is no country code.', "Write two letters: DE, AT, US ...")
    return plain


def _plain(cell: str) -> str:
    """One cell as text on one line, without the blanks around it, nor the mark that keeps a number text ('0014)."""
    return one_line(cell.replace("\ufeff", ""), 1000).strip("\u00a0\u202f \t").removeprefix("'")


def _shown(text: str) -> str:
    return one_line(text, _SHOWN)


def faults_of(files: Sequence[InvoiceFile]) -> Iterator[InvoiceFault]:
    """Everything that is wrong in any of them."""
    for file in files:
        yield from file.faults
