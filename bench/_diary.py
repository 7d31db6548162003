"""A freelancer's month as data: who writes on which day at what hour, what she answers, and what must be true then.

Four days are a stretch of 24 mails. The month is five stretches in a row: other people, languages, words and orders of
arrival each time, and weekends wherever they fall.
"""

# ruff: noqa: ISC004, RUF001 - tables of what people write

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from bench._arrivals import ENCODED_ANEW, INBOX_ALONE, INBOX_FIRST, LATER_SECOND, SENT_FIRST, Arrival

STRETCH = 4
"""Days of a stretch; the month has `STRETCHES` of them."""
STRETCHES = 5
OWNER = "ada@winter.example"
NAME = "Ada Winter"
SIGNATURE = f"{NAME}\nWinter Webdesign · Sülzgürtel 12 · 50937 Köln\nT +49 221 5550123 · www.winter.example"


class Effect(StrEnum):
    """What must be true after an answer."""

    LEAVES = "the draft reaches the client, letter by letter"
    TEXT_LEAVES = "her text reaches the client, letter by letter"
    SHOWN = "her text is shown once more, and nothing is sent"
    CLOSED = "the case is closed, and nothing is sent"
    LATER = "the case is put off, and nothing is sent"
    REDRAFT = "a new draft or a word on why there is none, and nothing is sent"
    ASKED = "she is asked what she means, and nothing is sent"
    AGAIN = "the newer draft is shown again, and nothing is sent"
    HELD = "it is approved and waits for the resume, and nothing is sent"
    STATUS = "she is told how things stand"
    AWAY = "she counts as away, and is told"
    BACK = "she counts as back, and is told"
    STOPPED = "everything is stopped, and she is told"
    RESUMED = "what was approved leaves, and she is told"


NOT_CLEAR = frozenset({Effect.ASKED, Effect.AGAIN})
"""Not counted among the clear answers: what is right there is to be asked or shown again."""

WORDLESS = frozenset({
    Effect.LEAVES, Effect.TEXT_LEAVES, Effect.SHOWN, Effect.CLOSED, Effect.LATER, Effect.HELD,
})  # fmt: skip
"""Done without a notice: success is silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A mail program of hers: a style of `tests/answer_styles.py`, and what it puts under her words."""

    name: str
    style: str
    signature: str = ""


DESK = Program(name="Outlook", style="outlook", signature=SIGNATURE)
PHONE = Program(name="iPhone", style="iphone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Her answer to the newest mail about that client: at which hour, days after the client's mail, from where.

    `words` is a row of `WORDS`. `to`: the newest approval mail, the one before it, or the digest where the draft was
    shown in one. `soon`: seconds instead of minutes pass before the next.
    """

    day: int
    hour: str
    words: str
    must: Effect
    program: Program = DESK
    arrival: Arrival | None = None
    to: Literal["newest", "first", "digest"] = "newest"
    soon: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One mail that comes in. `who`: a letter for one of the stretch's clients; `ignored` mails are files."""

    day: int
    hour: str
    what: Literal["question", "follow-up", "one more", "complaint", "ignored"]
    who: str = ""
    files: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order: a mail to herself, or (`in_answer`) an answer to the newest approval mail."""

    day: int
    hour: str
    words: str
    must: Effect
    program: Program = PHONE
    arrival: Arrival | None = None
    in_answer: bool = False


# ---------------------------------------------------------------- the stretch

NEWS = (
    "newsletter--mailchimp", "newsletter--german-rapidmail", "newsletter--phplist", "newsletter--sendgrid-footer",
    "bulk--precedence",
)  # fmt: skip
RECEIPTS = (
    "platform-notice--stripe-receipt", "no-reply--shop", "platform-notice--paypal-german", "no-reply--german",
    "platform-notice--docusign",
)  # fmt: skip
ABSENCES = (
    "auto-reply--sieve-vacation", "auto-reply--exchange-english", "auto-reply--french", "auto-reply--gmail-vacation",
    "auto-reply--exchange-german-no-header",
)  # fmt: skip
LISTS = (
    "mailing-list--mailman", "mailing-list--google-group", "platform-notice--github", "platform-notice--linkedin",
    "no-reply--cron",
)  # fmt: skip
BOUNCES = ("bounce--gmail", "bounce--postfix", "bounce--exchange-ndr", "bounce--qmail", "bounce--exim")
NOTICES = (
    "read-receipt--outlook", "calendar-notice--google-accepted", "reaction--gmail", "read-receipt--german-text",
    "calendar-notice--outlook-declined-german",
)  # fmt: skip

ROWS = (
    # The first day: the post of a quiet Monday, and somebody who writes at night.
    Row(day=0, hour="07:10", what="ignored", files=NEWS),
    Row(day=0, hour="09:05", what="question", who="a", answers=(
        Answer(day=0, hour="12:40", words="ok", must=Effect.LEAVES, program=PHONE),
    )),
    Row(day=0, hour="09:50", what="question", who="b", answers=(
        Answer(day=0, hour="12:42", words="edit!", must=Effect.TEXT_LEAVES),
    )),
    Row(day=0, hour="11:20", what="ignored", files=RECEIPTS),
    Row(day=0, hour="15:10", what="question", who="c", answers=(
        Answer(day=0, hour="18:20", words="no", must=Effect.CLOSED, program=PHONE),
    )),
    Row(day=0, hour="22:50", what="question", who="d", answers=(
        Answer(day=1, hour="08:30", words="mine", must=Effect.CLOSED, arrival=INBOX_ALONE),
    )),
    # The second: a thread goes on, one puts her off, one complains.
    Row(day=1, hour="08:05", what="ignored", files=ABSENCES),
    Row(day=1, hour="10:30", what="follow-up", who="a", answers=(
        Answer(day=1, hour="12:40", words="edit", must=Effect.SHOWN),
        Answer(day=1, hour="18:20", words="ok", must=Effect.TEXT_LEAVES, program=PHONE),
    )),
    Row(day=1, hour="11:45", what="question", who="e", answers=(
        Answer(day=1, hour="12:44", words="later", must=Effect.LATER, program=PHONE),
        Answer(day=3, hour="18:05", words="ok", must=Effect.LEAVES),
    )),
    Row(day=1, hour="13:20", what="complaint", who="f", answers=(
        Answer(day=1, hour="18:24", words="mine", must=Effect.CLOSED, program=PHONE),
    )),
    Row(day=1, hour="16:00", what="ignored", files=LISTS),
    Row(day=1, hour="19:30", what="question", who="g", answers=(
        Answer(day=2, hour="08:30", words="wish", must=Effect.REDRAFT),
        Answer(day=2, hour="08:40", words="edit!", must=Effect.TEXT_LEAVES, program=PHONE),
    )),
    # The third: she gives a workshop, and six people write meanwhile.
    Row(day=2, hour="06:30", what="ignored", files=BOUNCES),
    Row(day=2, hour="09:15", what="question", who="h", answers=(
        Answer(day=2, hour="12:40", words="unclear", must=Effect.ASKED, program=PHONE),
        Answer(day=2, hour="12:50", words="unclear again", must=Effect.ASKED, program=PHONE),
        Answer(day=2, hour="18:10", words="ok", must=Effect.LEAVES),
    )),
    Row(day=2, hour="10:00", what="question", who="i", answers=(
        Answer(day=2, hour="18:20", words="ok", must=Effect.LEAVES, to="digest"),
    )),
    Row(day=2, hour="10:15", what="question", who="j", answers=(
        Answer(day=2, hour="18:20", words="no", must=Effect.CLOSED, to="digest"),
    )),
    Row(day=2, hour="10:30", what="question", who="k", answers=(
        Answer(day=2, hour="18:20", words="ok", must=Effect.LEAVES, to="digest"),
    )),
    Row(day=2, hour="11:00", what="question", who="l", answers=(
        Answer(day=2, hour="18:20", words="ok", must=Effect.LEAVES, to="digest"),
    )),
    Row(day=2, hour="11:10", what="question", who="m", answers=(
        Answer(day=2, hour="18:20", words="mine", must=Effect.CLOSED, to="digest"),
    )),
    Row(day=2, hour="11:30", what="question", who="n", answers=(
        Answer(day=2, hour="18:20", words="no", must=Effect.CLOSED, to="digest"),
    )),
    # The fourth: she changes her mind, a client writes again, and for a while nothing may go out.
    Row(day=3, hour="07:45", what="question", who="o", answers=(
        Answer(day=3, hour="08:30", words="ok", must=Effect.CLOSED, program=PHONE, soon=True),
        Answer(day=3, hour="08:30", words="no after all", must=Effect.CLOSED, program=PHONE),
    )),
    Row(day=3, hour="09:30", what="question", who="p", answers=(
        Answer(day=3, hour="12:40", words="ok", must=Effect.AGAIN, program=PHONE, to="first"),
        Answer(day=3, hour="18:30", words="ok", must=Effect.HELD),
    )),
    Row(day=3, hour="11:00", what="one more", who="p"),
    Row(day=3, hour="12:00", what="ignored", files=NOTICES),
)  # fmt: skip

ORDERS = (
    Order(day=0, hour="20:00", words="deskhand status", must=Effect.STATUS),
    Order(day=3, hour="18:10", words="stop all", must=Effect.STOPPED, program=DESK, in_answer=True),
    Order(day=3, hour="19:00", words="deskhand resume", must=Effect.RESUMED),
    Order(day=3, hour="20:10", words="deskhand away until tomorrow", must=Effect.AWAY),
    Order(day=3, hour="20:40", words="deskhand back", must=Effect.BACK, program=DESK),
)

# ---------------------------------------------------------------- what she says, another way in each stretch

WORDS: dict[str, tuple[str, ...]] = {
    "ok": ("ok", "Ja, bitte senden", "OK, danke!", "passt", "Yes, send it."),
    "no": ("nein, zu billig", "no, too early", "nein, da bin ich im Urlaub", "no, not my field", "nein danke"),
    "no after all": ("nein, doch nicht", "stopp", "no", "nicht senden", "nein"),
    "mine": ("mache ich selbst", "mine", "ich", "das mache ich selbst", "I'll answer myself"),
    "later": ("später 2t", "later 2d", "später 2t", "later 2d", "später 2t"),
    "wish": (
        "Bitte kürzer und mit einem Satz zum Angebot vom Mai",
        "please make it shorter and mention the offer of May",
        "Schreib noch dazu, dass ich ab Montag wieder im Büro bin",
        "please say that the logo comes from their agency",
        "Bitte per Sie und ohne das Wort Dank",
    ),
    "unclear": (
        "ok, aber frag sie erst nach dem Budget", "ok if she pays the first half", "ok, aber nur bis Freitag",
        "looks ok, but shorter", "ok wenn sie zahlt",
    ),
    "unclear again": ("hm, ok?", "ok?", "na ja, eigentlich ok", "nicht ok", "sieht gut aus"),
    "edit": ("ändern", "edit", "bearbeiten", "edit", "ändern"),
    "edit!": ("edit!", "ändern!", "edit!", "bearbeiten!", "edit!"),
}  # fmt: skip
TEXTS = (
    "Hallo {first},\n\nDonnerstag um 10:00 passt mir gut. Ich bringe zwei Entwürfe mit:\n\n- einen ruhigen\n- einen "
    "mutigen\n\nViele Grüße\nAda",
    "Dear {first},\n\nthe first version is online: https://stage.winter.example/v1\n\nCould you look at it until "
    "Friday? The login is the one you know.\n\nBest,\nAda",
    "Liebe(r) {first},\n\ndanke für die Bilder.\nDie ersten drei sind groß genug, das vierte bitte noch einmal.\n\n"
    "Herzlich\nAda",
    "Hello {first},\n\nyes, the form can be changed. It takes me half a day, and it is part of what we agreed.\n\nAda",
    "Hallo {first},\n\nich schaue mir das am Montag in Ruhe an – bis dahin bleibt alles, wie es ist.\n\nGruß\nAda",
)
SEPARATORS = (", ", "\n", "\n", ", ", "\n")
"""Between the parts of an answer to a digest."""
_WAYS = (INBOX_FIRST, LATER_SECOND, INBOX_ALONE, SENT_FIRST, ENCODED_ANEW)


def words_of(row: str, stretch: int) -> str:
    """What she writes for this row of `WORDS` in this stretch."""
    return WORDS[row][stretch % STRETCHES]


def arrival_of(named: Arrival | None, stretch: int, position: int) -> Arrival:
    """The table's own order of arrival, else the next in turn: INBOX first is what programs do most."""
    return named or (INBOX_FIRST if (stretch + position) % 2 else _WAYS[(stretch + position // 2) % len(_WAYS)])


# ---------------------------------------------------------------- who writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A client: a name of their own, an address, a language."""

    name: str
    email: str
    language: str

    @property
    def first(self) -> str:
        return self.name.partition(" ")[0]


LETTERS = "abcdefghijklmnop"
_FIRST = {
    "de": ("Anna", "Jürgen", "Katrin", "Stefan", "Ulrike", "Björn", "Heike", "Uwe", "Sabine", "Jens"),
    "en": ("Bob", "Chloe", "Daniel", "Emily", "Frank", "Grace", "Harry", "Isla", "Jack", "Kate"),
    "fr": ("Chloé", "Denis", "Élodie", "François", "Hélène", "Luc", "Marie", "Noël", "Pauline", "Rémi"),
    "es": ("Maria", "Diego", "Elena", "Íñigo", "Lucía", "Mateo", "Núria", "Pablo", "Sofía", "Tomás"),
    "it": ("Giulia", "Marco", "Elisa", "Paolo", "Chiara", "Luca", "Sara", "Andrea", "Laura", "Matteo"),
    "nl": ("Daan", "Emma", "Finn", "Julia", "Lars", "Lotte", "Sem", "Sanne", "Tim", "Eva"),
    "pl": ("Agnieszka", "Marek", "Ewa", "Piotr", "Zofia", "Jan", "Kasia", "Tomasz", "Ola", "Adam"),
    "pt": ("João", "Inês", "Rui", "Beatriz", "Tiago", "Leonor", "Miguel", "Rita", "Nuno", "Marta"),
}
_LAST = ("Alvarez", "Stone", "Lehmann", "Groß", "Vogel", "Marchand", "Cox", "Huber")
_LANGUAGES = ("de", "en", "fr", "de", "es", "en", "it", "de", "nl", "en", "pl", "de", "pt", "en", "fr", "de")
_ASKS: dict[str, tuple[tuple[str, str], ...]] = {
    "de": (
        ("Termin nächste Woche", "Hallo Ada,\n\npasst Ihnen Donnerstag um 10 Uhr für ein kurzes Gespräch?"),
        ("Bilder für die Startseite", "Hallo Frau Winter,\n\nwie groß müssen die Bilder für die Startseite sein?"),
    ),
    "en": (
        ("Staging site", "Hi Ada,\n\nwhen will the first version be on the staging site?"),
        ("Contact form", "Hi Ada,\n\ncan the contact form ask for a phone number as well?"),
    ),
    "fr": (
        ("Maquette", "Bonjour Ada,\n\npourriez-vous nous montrer la maquette avant vendredi ?"),
        ("Nom de domaine", "Bonjour,\n\nest-ce que vous vous occupez aussi du nom de domaine ?"),
    ),
    "es": (("Textos nuevos", "Hola Ada:\n\n¿te puedo enviar los textos nuevos el lunes?"),) * 2,
    "it": (("Colori del sito", "Ciao Ada,\n\npossiamo vedere una versione con colori più chiari?"),) * 2,
    "nl": (("Kennismaking", "Hoi Ada,\n\nkunnen we volgende week even bellen over de nieuwe site?"),) * 2,
    "pl": (("Nowa strona", "Dzień dobry,\n\nczy możemy porozmawiać w przyszłym tygodniu o nowej stronie?"),) * 2,
    "pt": (("Página nova", "Olá Ada,\n\npodemos falar na terça-feira sobre a página nova?"),) * 2,
}
_MORE = {
    "de": "Noch etwas: könnten Sie auch die Schrift etwas größer machen?",
    "en": "One more thing: could the font be a bit larger?",
    "fr": "Encore une chose : la police peut-elle être un peu plus grande ?",
    "es": "Una cosa más: ¿la letra puede ser un poco más grande?",
}
_COMPLAINTS = (
    ("Die letzte Lieferung", "Guten Tag,\n\nich möchte mich über die letzte Lieferung beschweren. So geht das nicht."),
    ("Website", "Ada, I am very disappointed with the quality of the site. This is not what we agreed."),
    ("Réclamation", "Bonjour,\n\nje suis très mécontent de votre travail et je demande un remboursement."),
    ("Our contract", "Dear Ms Winter,\n\nwe want to cancel the contract and ask for a refund of the deposit."),
    ("Kündigung", "Sehr geehrte Frau Winter,\n\nhiermit kündigen wir den Vertrag zum Ende des Monats."),
)


def person(letter: str, stretch: int) -> Person:
    """The client behind a letter, another one in each stretch."""
    number = LETTERS.index(letter) + stretch * len(LETTERS)
    language = "de" if letter == "a" else _LANGUAGES[(LETTERS.index(letter) + stretch * 3) % len(_LANGUAGES)]
    if letter == "p" and language not in _MORE:
        language = "en"
    first = _FIRST[language][number % 10]
    last = _LAST[(number // 3) % len(_LAST)]
    return Person(name=f"{first} {last}", email=f"kunde{number}@haus{number}.example", language=language)


def asks(row: Row, stretch: int) -> tuple[str, str]:
    """Subject and words of what a client writes."""
    who = person(row.who, stretch)
    if row.what == "complaint":
        subject, text = _COMPLAINTS[stretch % STRETCHES]
    else:
        subject, text = _ASKS[who.language][(stretch + LETTERS.index(row.who)) % 2]
    if row.what in {"follow-up", "one more"}:
        subject, text = f"Re: {subject}", _MORE[who.language]
    return subject, f"{text}\n\n{who.first}\n"


# ---------------------------------------------------------------- the month


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that happens: a client's mail, an answer of hers, or an order."""

    day: int
    hour: str
    stretch: int
    row: Row | None = None
    answer: Answer | None = None
    order: Order | None = None
    position: int = 0  # among hers: which order of arrival is next in turn

    @property
    def key(self) -> tuple[int, str]:
        return self.day, self.hour


def month(stretches: int) -> list[Line]:
    """Everything that happens in so many stretches, in the order of the clock."""
    lines = [line for stretch in range(stretches) for line in _stretch(stretch)]
    return sorted(lines, key=lambda line: line.key)


def _stretch(stretch: int) -> list[Line]:
    first = stretch * STRETCH
    lines = [Line(day=first + row.day, hour=row.hour, stretch=stretch, row=row) for row in ROWS]
    hers = [(row, answer) for row in ROWS for answer in row.answers]
    lines += [
        Line(day=first + answer.day, hour=answer.hour, stretch=stretch, row=row, answer=answer, position=position)
        for position, (row, answer) in enumerate(hers)
    ]
    lines += [
        Line(day=first + order.day, hour=order.hour, stretch=stretch, order=order, position=position)
        for position, order in enumerate(ORDERS)
    ]
    return lines
