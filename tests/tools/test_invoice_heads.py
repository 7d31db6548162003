# ruff: noqa: E501 - notices and tables as they come
"""Invoice files with the column heads of eight languages, and files of which nothing can be read."""

from datetime import date
from pathlib import Path

import pytest

from tools.money.invoice_heads import heads
from tools.money.invoices import COLUMNS, read_folder, read_table
from workflows.models.money import Money

EUR = Money(minor=120_000, currency="EUR")


@pytest.mark.parametrize(
    "text",
    [
        "Rechnungsnummer;Kunde;E-Mail;Rechnungsdatum;Fällig am;Betrag;Währung;Bezahlt\n7;Acme;a@acme.example;01.10.2026;31.10.2026;1.200,00;EUR;\n",
        "Rechnungs-Nr.;Kundenname;E-Mail-Adresse;Ausgestellt am;Fälligkeitsdatum;Bruttobetrag;Währung;Bezahlt am\n7;Acme;a@acme.example;01.10.2026;31.10.2026;1.200,00;EUR;\n",
        "Nr.;Firma;Mail;Fälligkeit;Betrag (EUR);bezahlt\n7;Acme;a@acme.example;31.10.2026;1.200,00;nein\n",
        "Rechnung;Auftraggeber;E-Mail;Zahlbar bis;Gesamtbetrag in €;Land\n7;Acme;a@acme.example;31/10/2026;1.200,00;Deutschland\n",
        "RECHNUNGSNR.;KUNDE;EMAIL;FÄLLIG BIS;NETTO;BRUTTO\n7;Acme;a@acme.example;31.10.2026;1.000,00 €;1.200,00 €\n",
        "N° de facture;Client;Courriel;Date de facture;Date d'échéance;Montant TTC;Devise\n7;Acme;a@acme.example;01/10/2026;31/10/2026;1 200,00;EUR\n",
        "Numéro;Nom du client;Adresse e-mail;Échéance;Total TTC;Devise;Payé\n7;Acme;a@acme.example;31-10-2026;1 200,00 €;EUR;non\n",
        "Nº de factura;Cliente;Correo electrónico;Fecha de emisión;Fecha de vencimiento;Importe total;Moneda\n7;Acme;a@acme.example;1/10/2026;31/10/2026;1.200,00;EUR\n",
        "Factura;Empresa;Correo;Vencimiento;Importe;Divisa;Pagado;País\n7;Acme;a@acme.example;31/10/2026;1.200,00;€;no;España\n",
        "Numero fattura;Cliente;E-mail;Data fattura;Scadenza;Totale;Valuta\n7;Acme;a@acme.example;01/10/2026;31/10/2026;1.200,00;EUR\n",
        "Factuurnummer;Klant;E-mailadres;Factuurdatum;Vervaldatum;Totaalbedrag;Valuta;Betaald\n7;Acme;a@acme.example;01-10-2026;31-10-2026;1.200,00;EUR;0,00\n",
        "Número da fatura;Cliente;Endereço de e-mail;Data de emissão;Vencimento;Valor total;Moeda\n7;Acme;a@acme.example;01/10/2026;31/10/2026;1.200,00;EUR\n",
        "Numer faktury;Nabywca;E-mail;Data wystawienia;Termin płatności;Kwota brutto;Waluta\n7;Acme;a@acme.example;01.10.2026;31.10.2026;1 200,00;EUR\n",
        "Invoice Number,Customer Name,Email Address,Invoice Date,Due Date,Total,Currency\n7,Acme,a@acme.example,2026-10-01,2026-10-31,1200.00,EUR\n",
        "Invoice #,Client,E-mail,Due on,Amount (EUR)\n7,Acme,a@acme.example,2026-10-31,1200.00\n",
        "sep=;\nRechnungsnummer;Kunde;E-Mail;Fällig am;Betrag;Währung\n7;Acme;a@acme.example;31.10.2026;1.200,00;Euro\n",
    ],
)  # fmt: skip
def test_columns_are_known_by_what_they_are_called_in_eight_languages(text: str) -> None:
    invoices, faults = read_table("rechnungen.csv", text)
    assert [fault.says for fault in faults] == []
    (invoice,) = invoices
    assert (invoice.number, invoice.name, invoice.email) == ("7", "Acme", "a@acme.example")
    assert (invoice.due, invoice.amount, invoice.state) == (date(2026, 10, 31), EUR, "open")


@pytest.mark.parametrize(("word", "state"), [("ja", "paid"), ("Oui", "paid"), ("x", "paid"), ("nein", "open")])
def test_a_word_says_that_it_is_paid(word: str, state: str) -> None:
    text = (
        f"Rechnungsnummer;Kunde;E-Mail;Fällig am;Betrag;Währung;Bezahlt\n7;A;a@a.example;31.10.2026;10,00;EUR;{word}\n"
    )
    invoices, faults = read_table("x.csv", text)
    assert faults == ()
    assert [invoice.state for invoice in invoices] == [state]


def test_our_own_heads_count_first_and_the_owners_own_are_let_be() -> None:
    assert heads(COLUMNS).columns == COLUMNS
    mixed = heads(("number", "client", "email", "due", "amount", "currency", "Betrag", "Datum", "Projekt"))
    assert mixed.columns == ("number", "client", "email", "due", "amount", "currency", "betrag", "datum", "projekt")
    assert not mixed.day_first
    assert heads(("Betrag", "Bruttobetrag", "Kunde")).columns == ("betrag", "amount", "client")


@pytest.mark.parametrize("day", ["31/10/2026", "10/31/2026", "04-12-2026"])
def test_a_day_with_two_readings_is_refused_where_no_head_tells(day: str) -> None:
    invoices, (fault,) = read_table(
        "x.csv", f"number,client,email,due,amount,currency\n1,A,a@a.example,{day},1.00,EUR\n"
    )
    assert invoices == ()
    assert "read in one way only" in fault.says


def test_a_currency_that_is_nowhere_is_asked_for() -> None:
    text = "Rechnungsnummer;Kunde;E-Mail;Fällig am;Betrag\n7;Acme;a@acme.example;31.10.2026;1.200,00\n"
    invoices, faults = read_table("x.csv", text)
    assert invoices == ()
    assert [fault.column for fault in faults] == ["currency"]


def test_a_table_that_is_no_csv_file_is_told(tmp_path: Path) -> None:
    for name in ("2026.xlsx", "2026.ods", "old.csv", "letter.pdf"):
        (tmp_path / name).write_bytes(b"PK\x03\x04")
    files = {file.name: file for file in read_folder(tmp_path)}
    assert sorted(files) == ["2026.ods", "2026.xlsx", "old.csv"]
    assert all(file.unread and not file.complete for file in files.values())
    assert files["2026.xlsx"].faults[0].says == "2026.xlsx: It is no CSV file. Export it as CSV, and take this one out."
