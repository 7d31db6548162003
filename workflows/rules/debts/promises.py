"""What a client writes of money they owe: when they pay, that they contest it, that they are away. Pure and total.

Only plain words count. A promise has a payment, a day, and neither a condition nor a doubt nor a "not"; a question and
what is quoted from earlier mails promise nothing. The words are in workflows/words, for the languages that have some.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache

from workflows.models.people import Owner
from workflows.rules.mail.replying import written
from workflows.rules.text.calendar import zone
from workflows.rules.text.canonical import one_line
from workflows.rules.text.languages import ENGLISH, known_language, words_in
from workflows.rules.text.languages import languages as languages_with
from workflows.rules.text.whens import parse_when
from workflows.rules.text.words import fold, phrases

FARTHEST = timedelta(days=120)
"""A day farther away is a misreading, or no promise."""

_READ = 12_000  # characters of the new part
_LONGEST = 600  # characters of a sentence: more is a list or a table
_QUOTE = 160
_WINDOW = 5  # words of a day ("the Friday after next" is not one of them)
_FRIDAY, _WEDNESDAY = 4, 2
_SHORTEST_NAME = 4
_LAST = 31
_SENTENCE = re.compile(r"(?<=[!?])\s+|(?<=[^\d\s][.])\s+(?=[^\W\d_a-z\u00df-\u00ff]|[\"'(\u00bf\u00a1])")
_CLAUSE = re.compile(
    r"[,;:]\s+(?!(?:dass|that|que|ob|whether|if|si|wenn)\b)|\s(?:but|aber|sondern|mais|pero|sino)\s|\s[-\u2013\u2014]\s"
)
_UNITS = "[$\u20ac\u00a3\u00a5]|(?:eur|euros?|usd|dollars?|gbp|pounds?|chf|franken|%)(?!\\w)"
_AMOUNT = re.compile(rf"[$\u20ac\u00a3\u00a5]\s?\d[\d.,' ]*|\d[\d.,' ]*\s?(?:{_UNITS})")
_NUMBER = re.compile(
    r"(?<!\w)(?:invoices?|inv|bills?|rechnung(?:en)?|rg|re|factures?|facturas?)(?:[\s.:#]|n[or°º]\.?)*[\w/-]*\d[\w/.-]*"
)
_BEFORE_DATE = re.compile(r"(?<=[^\W\d_]),\s+(?=(?:(?:the|den|dem|le|el) )?\d)")
_NUMERIC = re.compile(r"(?<![\d.])(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4}|\d{2})?(?!\d)")
_TOKEN = re.compile(r"[^\s,;:!?()\"]+")
_ROUND_THE_CLOCK = "Mon-Sun 00:00-24:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """They pay by that day."""

    until: date
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidClaim:
    """They say that they have paid."""

    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """They contest what they owe."""

    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """They want something before they pay: a number on the invoice, instalments, more time."""

    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """They are away, and back on that day."""

    until: date
    words: str


Said = Promise | PaidClaim | Dispute | Wish | Absence


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """One mail being read: which languages' words count, and what "tomorrow" counts from."""

    languages: tuple[str, ...]
    now: datetime
    owner: Owner  # never the owner's hours: a client may well pay on a Sunday

    @property
    def today(self) -> date:
        return self.now.date()


def money_words(text: str, language: str, now: datetime, timezone: str) -> Said | None:
    """What the new words of a mail say of money: a dispute, else a promise, a wish, an absence; None for none of them.

    `language`: of the mail, "" when it is not known; `now`, `timezone`: what "Friday" counts from.
    """
    mail_language = known_language(language, "promises")
    spoken = (
        tuple(dict.fromkeys((mail_language, ENGLISH)))
        if mail_language != ENGLISH or language == ENGLISH
        else languages()
    )
    owner = Owner(name="", address="", language=language or "en", timezone=timezone, hours=_ROUND_THE_CLOCK)
    reader = _Reader(languages=spoken, now=now.astimezone(zone(owner)), owner=owner)
    sentences = tuple(_sentences(written(text)[:_READ]))
    statement = _dispute(sentences, reader) or _promise(sentences, reader)
    return statement or _wish(sentences, reader) or _absence(sentences, reader)


def days_named(text: str, language: str, now: datetime, timezone: str) -> tuple[date, ...]:
    """Every day that a folded text names, from now's own day on; `timezone`: whose days."""
    owner = Owner(name="", address="", language=language or "en", timezone=timezone, hours=_ROUND_THE_CLOCK)
    reader = _Reader(languages=(language,), now=now.astimezone(zone(owner)), owner=owner)
    return tuple(_days(text, language, reader))


def languages() -> tuple[str, ...]:
    """The languages whose words are known."""
    return languages_with("promises")


# ---------------------------------------------------------------- sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sentence:
    said: str  # as it was written
    folded: str
    asks: bool


def _sentences(text: str) -> Iterator[_Sentence]:
    for paragraph in re.split(r"\n\s*\n", text):
        lines = " ".join(line.strip() for line in paragraph.split("\n"))
        for piece in _SENTENCE.split(lines):
            sentence = " ".join(piece[:_LONGEST].split())
            if sentence:
                yield _Sentence(
                    said=one_line(sentence, _QUOTE), folded=fold(sentence), asks=sentence.rstrip(" \"')").endswith("?")
                )


@cache
def _words(language: str, kind: str) -> re.Pattern[str]:
    return phrases(words_in(language, "promises")[kind])


def _plain(sentence: str, language: str) -> str:
    """The sentence without words that only sound like a doubt, amounts and numbers of invoices."""
    bare = _words(language, "except").sub(" ", _NUMBER.sub(" invoice ", _AMOUNT.sub(" ", sentence)))
    return _BEFORE_DATE.sub(" ", " ".join(bare.split()))


# ---------------------------------------------------------------- disputes


def _dispute(sentences: tuple[_Sentence, ...], reader: _Reader) -> Dispute | None:
    for sentence in sentences:
        for language in reader.languages:
            plain = _words(language, "except").sub(" ", sentence.folded)
            match = _words(language, "dispute").search(plain)
            # "Is the invoice wrong?" wants to know; "Why did you bill us twice?" contests.
            if match and not (sentence.asks and match.start() < _SHORTEST_NAME):
                return Dispute(words=sentence.said)
    return None


def _wish(sentences: tuple[_Sentence, ...], reader: _Reader) -> Wish | None:
    wishes = (
        Wish(words=sentence.said)
        for sentence in sentences
        for language in reader.languages
        if _words(language, "wish").search(sentence.folded)
    )
    return next(wishes, None)


# ---------------------------------------------------------------- promises


def _promise(sentences: tuple[_Sentence, ...], reader: _Reader) -> Promise | PaidClaim | None:
    """The last day that is promised, for what is paid in parts is paid by then; else that they have paid."""
    promises = [promise for sentence in sentences if not sentence.asks for promise in _promises(sentence, reader)]
    ahead = [promise for promise in promises if isinstance(promise, Promise)]
    return max(ahead, key=lambda one: one.until) if ahead else next(iter(promises), None)


def _promises(sentence: _Sentence, reader: _Reader) -> Iterator[Promise | PaidClaim]:
    for language in reader.languages:
        plain = _plain(sentence.folded, language)
        if _words(language, "condition").search(plain):
            continue
        for clause in _CLAUSE.split(plain):
            if _words(language, "negation").search(clause) or _words(language, "hedge").search(clause):
                continue
            pays = _words(language, "pay").search(clause)
            day = _day_in(clause, language, reader) or _day_in(plain, language, reader) if pays else None
            if day:
                yield Promise(until=day, words=sentence.said)
            elif _words(language, "paid").search(clause):
                yield PaidClaim(words=sentence.said)


# ---------------------------------------------------------------- absences


def _absence(sentences: tuple[_Sentence, ...], reader: _Reader) -> Absence | None:
    absences = [absence for sentence in sentences if not sentence.asks for absence in _absences(sentence, reader)]
    return max(absences, key=lambda one: one.until, default=None)


def _absences(sentence: _Sentence, reader: _Reader) -> Iterator[Absence]:
    for language in reader.languages:
        if _words(language, "away").search(sentence.folded):
            days = [day for day in _days(sentence.folded, language, reader) if day > reader.today]
            if days:
                yield Absence(until=max(days), words=sentence.said)


# ---------------------------------------------------------------- days


def _day_in(text: str, language: str, reader: _Reader) -> date | None:
    """The last day that the words name, none when they name none."""
    return max(_days(text, language, reader), default=None)


def _days(text: str, language: str, reader: _Reader) -> Iterator[date]:
    """Every day the words name, from today on. What is understood is taken out, so that it is read once."""
    for read in (_end_of_month, _of_week, _numeric, _ordinal, _today, _written):
        dates, text = read(text, language, reader)
        yield from (day for day in dates if reader.today <= day <= reader.today + FARTHEST)


_Found = tuple[list[date], str]


def _of_week(text: str, language: str, reader: _Reader) -> _Found:
    """Weeks: "this week" is its Friday, "next week" the next one's, "early next week" the next one's Wednesday."""
    monday = reader.today - timedelta(days=reader.today.weekday())
    ahead = {"early_week": 7 + _WEDNESDAY, "next_week": 7 + _FRIDAY, "week": _FRIDAY}
    dates = []
    for kind, days in ahead.items():
        pattern = _words(language, kind)
        if pattern.search(text):
            dates.append(max(monday + timedelta(days=days), reader.today))
            text = pattern.sub(" ", text)
    return dates, text


def _end_of_month(text: str, language: str, reader: _Reader) -> _Found:
    dates = []
    for kind, months in (("next_month", 1), ("month", 0)):
        if _words(language, kind).search(text):
            dates.append(_last_day(_months_after(reader.today, months)))
            text = _words(language, kind).sub(" ", text)
    named = re.search(rf"(?<!\w){words_in(language, 'promises')['end']} ?(?P<month>[^\W\d_]+)(?!\w)", text)
    day = _in_month(named["month"], language, reader) if named else None
    if named and day:
        dates.append(_last_day(day))
        text = text.replace(named.group(), " ")
    return dates, text


def _in_month(word: str, language: str, reader: _Reader) -> date | None:
    """A day of the month that the word names; "semaine" names none, although "15 semaine" is a time."""
    days = [_read_day(f"{number} {word}", language, reader) for number in (15, 16)]
    return days[0] if days[0] and days[1] == days[0] + timedelta(days=1) else None


def _ordinal(text: str, language: str, reader: _Reader) -> _Found:
    """Numbers alone: "the 15th", where no month follows: the next day of that number."""
    dates = []
    for match in reversed(list(re.finditer(words_in(language, "promises")["ordinal"], text))):
        number, tail = int(match[1]), text[match.end() :].split()
        month = any(_in_month(" ".join(tail[:size]), language, reader) for size in (1, 2) if len(tail) >= size)
        if not month and 1 <= number <= _LAST and (day := _next_numbered(reader.today, number)):
            dates.append(day)
            text = text[: match.start()] + " " + text[match.end() :]
    return dates, text


def _numeric(text: str, language: str, reader: _Reader) -> _Found:
    """Numbers with full stops: "3.12." and "3.12.2026"; the full stop behind makes it a day, not a time."""
    dates = [f"{match[3] or ''}-{match[2]}-{match[1]}" for match in _NUMERIC.finditer(text)]
    read = (_read_day(_completed(numeral, reader.today), language, reader) for numeral in dates)
    return [day for day in read if day], _NUMERIC.sub(" ", text)


def _completed(written: str, today: date) -> str:
    """`YEAR-MONTH-DAY` with the year that is meant where none, or half of one, was written."""
    year, month, day = written.split("-")
    if year:
        return f"{int(year) % 100 + 2000}-{month}-{day}"
    passed = (int(month), int(day)) < (today.month, today.day)
    return f"{today.year + passed}-{month}-{day}"


def _today(text: str, language: str, reader: _Reader) -> _Found:
    pattern = _words(language, "now")
    return ([reader.today], pattern.sub(" ", text)) if pattern.search(text) else ([], text)


def _written(text: str, language: str, reader: _Reader) -> _Found:
    """Days as the calendar reads them: "Friday", "4 December", "in 10 days", longest words first."""
    counts = words_in(language, "promises")["count"]
    words = (token.removesuffix("'s") for token in _TOKEN.findall(text))  # "with Friday's run"
    tokens = [token.strip(".'") if not token[:1].isdigit() else token for token in words]
    tokens = [str(counts.get(token, token)) if _counts(tokens, at) else token for at, token in enumerate(tokens)]
    dates, place = [], 0
    while place < len(tokens):
        length = next((size for size in range(_WINDOW, 0, -1) if _fits(tokens, place, size, language, reader)), 0)
        if length:
            day = _read_day(" ".join(tokens[place : place + length]), language, reader)
            dates += [day] if day else []
        place += max(length, 1)
    return dates, ""


def _counts(tokens: list[str], at: int) -> bool:
    """Whether a number word may stand here for a number: the word after it is a measure of time."""
    return (
        at + 1 < len(tokens)
        and re.match(r"(?:day|week|tag|woche|werktag|jour|semaine|d[ií]a|semana)", tokens[at + 1]) is not None
    )


def _fits(tokens: list[str], place: int, size: int, language: str, reader: _Reader) -> bool:
    """Whether these words are surely a day: one of them is long enough, or a number, not "so" or "mar"."""
    window = tokens[place : place + size]
    short = words_in(language, "promises")["short"]
    speaks = any(len(word) >= _SHORTEST_NAME or word[:1].isdigit() or word in short for word in window)
    return len(window) == size and speaks and _read_day(" ".join(window), language, reader) is not None


def _read_day(text: str, language: str, reader: _Reader) -> date | None:
    if text.isdigit():
        return None
    return _parsed(text, language, reader.today, reader.owner.timezone)


@lru_cache(maxsize=4096)
def _parsed(text: str, language: str, today: date, timezone: str) -> date | None:
    owner = Owner(name="", address="", language=language, timezone=timezone, hours=_ROUND_THE_CLOCK)
    start = datetime.combine(today, time(0), zone(owner))  # "at 9" was meant for today, also in the evening
    moment = parse_when(text, start, owner)
    return moment.date() if moment else None


def _next_numbered(today: date, number: int) -> date | None:
    for months in range(3):
        month = _months_after(today, months)
        if number <= _last_day(month).day and month.replace(day=number) >= today:
            return month.replace(day=number)
    return None


def _months_after(day: date, months: int) -> date:
    for _ in range(months):
        day = _last_day(day) + timedelta(days=1)
    return day.replace(day=1)


def _last_day(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=_LAST + 1)).replace(day=1) - timedelta(days=1)
