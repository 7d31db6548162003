"""Ordinary sentences put around an "ok" at five places: none of them may be taken for the quote's or the program's (A5).

Made of parts, so that there are thousands: conditions, second thoughts, dates, addresses, lines that end in a colon,
lines that look like headers, attributions, signatures and footers, in nine languages.
"""

# ruff: noqa: E501 - tables of what people write

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.answer_styles import Reply
from tools.mail.mime import parse
from workflows.models.mail import Email

PLACES = ("above", "same line", "between", "inside", "below")

_PARTS = {
    "en": (["but", "only if", "as long as", "provided that", "unless", "after", "before", "once", "and please make sure", "I think", "wait until", "tell her that", "not before"],
           ["he pays the deposit", "Tom agrees", "the price is 95 EUR", "she confirms Friday", "you change the date to 12 December", "we talked on the phone", "the contract is signed", "I am back", "you mention the invoice", "the second line is gone", "the logo is attached", "it says 10:00 instead of 9:00"]),
    "de": (["aber", "nur wenn", "sofern", "erst wenn", "außer", "nachdem", "bevor", "bitte vorher prüfen, ob", "ich glaube,", "warte bis", "sag ihr, dass"],
           ["er bezahlt hat", "Tom zustimmt", "der Preis 95 EUR ist", "sie den Freitag bestätigt", "wir telefoniert haben", "der Vertrag unterschrieben ist", "ich zurück bin", "die Rechnung erwähnt wird", "der zweite Satz weg ist", "das Logo dabei ist", "es 10:00 statt 9:00 heißt"]),
    "fr": (["mais", "seulement si", "à condition que", "sauf si", "après que", "avant que", "je crois que", "attends que", "dis-lui que"],
           ["il paie l'acompte", "Tom soit d'accord", "le prix soit 95 EUR", "elle confirme vendredi", "le contrat soit signé", "je sois rentrée", "la facture soit mentionnée", "le logo soit joint"]),
    "es": (["pero", "solo si", "siempre que", "a menos que", "después de que", "antes de que", "creo que", "espera a que", "dile que"],
           ["pague la señal", "Tom esté de acuerdo", "el precio sea 95 EUR", "confirme el viernes", "firmen el contrato", "yo vuelva", "se mencione la factura"]),
    "pt": (["mas", "só se", "desde que", "a menos que", "depois que", "antes que", "acho que", "espera que", "diz-lhe que"],
           ["ele pague o sinal", "o Tom concorde", "o preço seja 95 EUR", "ela confirme sexta", "assinem o contrato", "eu volte", "a fatura seja mencionada"]),
    "it": (["ma", "solo se", "a patto che", "a meno che", "dopo che", "prima che", "credo che", "aspetta che", "dille che"],
           ["paghi l'acconto", "Tom sia d'accordo", "il prezzo sia 95 EUR", "confermi venerdì", "firmino il contratto", "io torni", "si parli della fattura"]),
    "nl": (["maar", "alleen als", "mits", "tenzij", "nadat", "voordat", "ik denk dat", "wacht tot", "zeg haar dat"],
           ["hij heeft betaald", "Tom akkoord is", "de prijs 95 EUR is", "zij vrijdag bevestigt", "het contract getekend is", "ik terug ben", "de factuur erin staat"]),
    "pl": (["ale", "tylko jeśli", "pod warunkiem że", "chyba że", "po tym jak", "zanim", "myślę że", "poczekaj aż", "powiedz jej że"],
           ["zapłaci zaliczkę", "Tom się zgodzi", "cena to 95 EUR", "potwierdzi piątek", "umowa będzie podpisana", "wrócę", "wspomnisz o fakturze"]),
    "sv": (["men", "bara om", "förutsatt att", "om inte", "efter att", "innan", "jag tror att", "vänta tills", "säg att"],
           ["han har betalat", "Tom går med på det", "priset är 95 EUR", "hon bekräftar fredag", "avtalet är underskrivet", "jag är tillbaka"]),
}  # fmt: skip
_ENDS = [
    "",
    ".",
    ":",
    ", on 12.12.2026",
    " (maria@studio.example)",
    ", 24.11.2026 14:05:",
    " and then ada@winter.example:",
    " - A.",
]
_LOOKALIKES = [
    "{day} {time} instead of 9:00, {address}:", "{day} {time}, {address}:", "{date} {time} {address}:", "On {date} call {address}:", "On {date} at {time} I wrote to {address}:", "Am {date} um {time} mit {address} sprechen:", "Le {date} à {time} chez {address} :", "El {date} a las {time} con {address}:", "at {time} on {date} from {address} again:", "{address} wrote no on {date}:", "{address} schrieb am {date} ab:", "As {address} said on {date}:",
    "From: now on ask me first", "From: {day} on", "From: {address} only", "To: {address} as well", "To: Tom, not Maria", "Cc: {address}", "Subject: make it {day}", "Subject: Re: another title, please", "Date: only after {date}", "Date: {date}", "Sent: not yet", "Von: Tom, nicht von mir", "An: {address}", "Betreff: bitte {day} schreiben", "De: {address}", "Objet: vendredi plutôt", "Asunto: mejor el viernes", "Gesendet: noch nicht", "Kopie an {address}", "Price: 90", "Preis: 90 EUR",
    "Send from my phone later", "Send it from my iPad", "From my iPad only", "From my phone only", "Get the phone first", "Get Outlook fixed first", "Sent from my phone, do not send it yet", "Sent from Tom, not from me", "Sent with the wrong price", "Written with {day} in mind", "Not sent from my iPhone yet", "Send with Proton Mail", "Holen Sie sich erst das Ja von Tom", "Gesendet wird erst {day}", "Mit der GMX App senden, nicht so", "Von meinem Handy aus nochmal prüfen", "Envoyer depuis mon iPhone", "Envía desde mi iPhone", "Invia dal mio iPhone", "Wyślij z mojego telefonu", "Download the brief first", "Please use Outlook for Android", "Mail for Windows, not this", "sent from the office tomorrow", "Search, organize, then send",
    "-- \nbut only after {date}. Ada", "--\nAda: not before {day}", "\u2014\nonly if he pays", "-- \nAda Winter\nbut not before {day}", "-- \nAda Winter\nask Tom first\n+49 40 7654321", "--\n{time} instead of 9:00", "\u2014\n{address}\nfirst, please", "-- \nAda Winter\nmake it {day}\nada@winter.example", "_____\nnot this one", "Ada says no", "Ada Winter: {day}", "{date}", "{day} {time}", "{time}", "95 EUR", "+49 40 7654321 first", "see {address}", "https://studio.example/other instead",
    "----- Original price -----", "-----not this message-----", "> please do not", "> {day} instead", "Hello Deskhand, not yet", "Deskhand: wait", "Deskhand, on {date} please", "Deskhand schreib {day}:", "Deskhand wrote nonsense:", "Begin with the price:", "Original price:", "The message from {day}:", "Please add this:", "Change:", "P.S.:", "NB: {time}", "Note: {date}:", "Wait:", "Changes as discussed on {date}:", "{day}:", "New subject: {day}", "Reply to {address}", "Antwort an {address}", "Message: no", "High priority: price",
]  # fmt: skip
_DAYS = ["Wednesday", "Friday", "Freitag", "vendredi", "viernes", "piątek", "next week"]
_DATES = ["12.12.2026", "2026-12-01", "1 December 2026", "12/1/26", "3. Dezember", "le 3 décembre"]
_ADDRESSES = ["maria@studio.example", "tom@reyes.example", "Tom <tom@reyes.example>", "office@winter.example"]


def sentences(seed: int, number: int) -> list[str]:
    """So many different sentences."""
    chance = random.Random(seed)
    made = [
        f"{opening} {rest}{end}"
        for openings, rests in _PARTS.values()
        for opening, rest, end in itertools.product(openings, rests, _ENDS)
    ]
    alike = [
        pattern.format(day=day, date=date, time=clock, address=address)
        for pattern in _LOOKALIKES
        for day, date, clock, address in zip(
            _DAYS,
            itertools.cycle(_DATES),
            itertools.cycle(["10:00", "14:30"]),
            itertools.cycle(_ADDRESSES),
            strict=False,
        )
    ]
    unique = list(dict.fromkeys(alike))
    chance.shuffle(made)
    chance.shuffle(unique)
    half = min(len(unique), number // 2)
    return [*unique[:half], *made[: number - half]]


def injected(sentence: str, place: str, style: Callable[[Reply], bytes], asked: str, chance: random.Random) -> Email:
    """The answer "ok" in this style with the sentence at this place."""
    if place == "above":
        return parse(style(Reply(f"{sentence}\nok", asked)))
    if place == "same line":
        return parse(style(Reply(f"ok {sentence}", asked)))
    if place == "between":
        return parse(style(Reply(chance.choice([f"ok\n{sentence}", f"ok\n\n{sentence}"]), asked)))
    if place == "inside":
        lines = asked.rstrip("\n").split("\n")
        at = chance.randrange(1, len(lines))
        return parse(style(Reply("ok", asked, quote="\n".join([*lines[:at], sentence, *lines[at:]]))))
    email = parse(style(Reply("ok", asked)))
    page = f"{email.html_text}\n\n{sentence}\n" if email.html_text else ""
    return replace(email, text=f"{email.text}\n\n{sentence}\n", html_text=page)


def all_injected(
    seed: int, number: int, styles: dict[str, Callable[[Reply], bytes]], asked: str, rounds: int = 1
) -> Iterator[tuple[str, str, str, Email]]:
    """Every sentence at every place, the styles in turn: (style, place, sentence, answer)."""
    chance = random.Random(seed)
    names = list(styles)
    for turn in range(rounds):
        for index, sentence in enumerate(sentences(seed, number)):
            for step, place in enumerate(PLACES):
                name = names[(index * len(PLACES) + step + turn * 37) % len(names)]
                yield name, place, sentence, injected(sentence, place, styles[name], asked, chance)
