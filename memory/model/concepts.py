"""Business terms in eight languages, so that "invoice" finds "Rechnung" without any model.

Stems, folded to plain letters; a word belongs to a concept when it begins with one of its stems, or, for the compounds
of German and Dutch, when a long stem stands anywhere in it.
"""

from functools import cache, lru_cache

_LONG_ENOUGH_INSIDE = 6

_CONCEPTS = {
    "invoice": "invoice billing rechnung facture factura fatura fattur factuur faktur",
    "payment": "payment paid paying zahlung bezahl uberweis paiement payer virement pago pagar pagamento betaling "
    "betaald platnosc zaplat przelew",
    "price": "price pricing cost preis kosten prix cout precio coste preco custo prezzo costo prijs cena koszt",
    "rate": "rate hourly stundensatz tagessatz honorar tarif tarifa tariffa uurtarief stawk",
    "offer": "offer quote quotation estimate angebot kostenvoranschlag offre devis oferta presupuesto orcamento "
    "offerta preventivo offerte ofert wycen",
    "contract": "contract agreement vertrag vereinbarung contrat contrato acuerdo contratto accordo overeenkomst umow",
    "deadline": "deadline due frist abgabe falligkeit fallig echeance delai plazo vencimiento prazo scadenza termijn "
    "termin",
    "meeting": "meeting call appointment besprechung treffen termin reunion rendez reuniao "
    "riunione incontro vergadering "
    "afspraak spotkan",
    "delivery": "delivery deliver lieferung liefer livraison livrer entrega entregar consegna levering dostaw",
    "address": "address anschrift adress direccion endereco indirizzo adres",
    "date": "date datum fecha data",
    "tax": "tax vat steuer mehrwertsteuer umsatzsteuer ust mwst tva impot iva impuesto imposto imposta belasting btw "
    "podatek",
    "account": "iban bank konto compte cuenta conta conto rekening",
    "logo": "logo",
    "website": "website site webseite webauftritt homepage siteweb sitio witryna stron",
    "holiday": "holiday vacation urlaub ferien vacances vacaciones ferias ferie vakantie urlop",
    "phone": "phone telephone telefon telefono telefone telefoon",
    "discount": "discount rabatt nachlass skonto remise descuento desconto sconto korting rabat",
    "reminder": "reminder overdue mahnung erinnerung rappel relance recordatorio lembrete sollecito herinnering "
    "przypomnieni",
    "start": "kickoff kick start beginn anfang debut comienzo inicio inizio aanvang rozpoczeci",
    "password": "password passwort kennwort motdepasse contrasena senha wachtwoord haslo",
    "project": "project projekt projet proyecto projeto progetto",
    "text": "copy text texte texto testo tekst",
    "color": "color colour farbe couleur color cor colore kleur kolor",
}


@cache
def _stems() -> tuple[tuple[str, str], ...]:
    """(stem, concept), longest stems first."""
    pairs = ((stem, concept) for concept, stems in _CONCEPTS.items() for stem in stems.split())
    return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))


@lru_cache(maxsize=8192)
def concept_of(word: str) -> str:
    """The concept a folded word belongs to, or ""."""
    for stem, concept in _stems():
        if word.startswith(stem) and (len(stem) > 3 or word == stem):  # noqa: PLR2004 (short stems match whole)
            return concept
        if len(stem) >= _LONG_ENOUGH_INSIDE and stem in word:
            return concept
    return ""
