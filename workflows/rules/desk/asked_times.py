"""Asked times: which times a client's mail names for a call, and whether it asks for one.

What a phrase means ("next Tuesday", "14h", "12. März") is told by `rules/text/whens.py`, which reads the owner's
answers with the same words. Here is told which phrases of a mail are a time to meet at: not a deadline, not what was.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from workflows.models.people import Owner
from workflows.rules.desk.slots import Slot
from workflows.rules.text.calendar import folded
from workflows.rules.text.languages import known_language, words_in
from workflows.rules.text.whens import NamedTime, named_time, time_words
from workflows.rules.text.words import table

_LONGEST: Final = 20_000  # characters of a mail
_MOST: Final = 12  # times of one mail
_WINDOW: Final = 7  # words of one time
_BEFORE: Final = 3  # words before a time that may make it a deadline
_EARLIEST_BARE: Final = 7  # "Thursday at 3" is no time of the night
_FARTHEST: Final = timedelta(days=400)
_PARTS: Final = {
    "morning": (time(8), time(12)),
    "noon": (time(12), time(14)),
    "afternoon": (time(12), time(18)),
    "evening": (time(18), time(21)),
}
_OPEN: Final = time(23, 59, 59)  # the end of what has a beginning alone
_WHOLE_DAY: Final = (time(0), time(23, 59))


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedTime:
    """One time that a mail names.

    Attributes:
        words: as the mail has it, folded.
        start: its beginning, in UTC.
        end: its end, in UTC; None for a moment of which only the beginning is named.
        exact: whether a clock is named; else it is a stretch ("Thursday afternoon") in which a time is to be found.
        zone: in which zone it was read; "" where the one that was named can mean several: it may not be promised.
    """

    words: str
    start: datetime
    end: datetime | None = None
    exact: bool = True
    zone: str = ""

    def slot(self, length: timedelta) -> Slot:
        """The time it takes, where the mail does not say how long."""
        return Slot(start=self.start, end=self.end or self.start + length)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedTimes:
    """What a mail asks about times. `wants`: it asks for some; `within`: the days in which, where it says so."""

    times: tuple[AskedTime, ...] = ()
    wants: bool = False

    @property
    def within(self) -> Slot | None:
        """The first stretch that was named, for the slots to offer."""
        return next((Slot(start=one.start, end=one.end) for one in self.times if not one.exact and one.end), None)


def asked_times(text: str, language: str, now: datetime, owner: Owner, zone: str = "") -> AskedTimes:
    """The times a mail names to meet at, and whether it asks for one. Pure; never raises.

    Args:
        text: what is new in the mail, without quotes.
        language: the mail's; English is read besides.
        now: the present: "Thursday" is the next one.
        owner: whose zone "your time" means.
        zone: the client's, for times that name none; "" where it is not known: the owner's.
    """
    spoken = dict.fromkeys((known_language(language, "meetings"), "en"))
    reader = _Reader(now=now, owner=owner, zone=zone or owner.timezone, languages=tuple(spoken))
    times: list[AskedTime] = []
    wants = False
    for paragraph in re.split(r"\n\s*\n", text[:_LONGEST]):
        sentences = _sentences(paragraph)
        about = any(reader.speaks(sentence, "meet") for sentence in sentences)
        for sentence in sentences:
            wants = wants or reader.asks(sentence)
            if (about or reader.speaks(sentence, "fits")) and not reader.is_past(sentence):
                times += reader.times(sentence)
    return AskedTimes(times=tuple(dict.fromkeys(times))[:_MOST], wants=wants)


def _sentences(paragraph: str) -> list[str]:
    """A point behind a number ends no sentence: `12. März`."""
    joined = " ".join(paragraph.split())
    return [piece for piece in re.split(r"(?<=[?!;])\s+|(?<=[^\W\d]\.)\s+", joined) if piece]


# ---------------------------------------------------------------- words


@lru_cache(maxsize=64)
def _phrases(language: str, key: str) -> re.Pattern[str]:
    """The words of one list, as whole words of folded text."""
    listed = sorted({folded(word) for word in words_in(language, "meetings")[key]}, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, listed))})(?![\w'])")


@lru_cache(maxsize=1)
def _zones() -> tuple[re.Pattern[str], re.Pattern[str], dict[str, str]]:
    """Names behind a clock, words anywhere, and the zone of each."""
    rows = table("zones")["zone"]
    names = {name: row["zone"] for row in rows for name in row["names"]}
    words = {word: row["zone"] for row in rows for word in row["words"]}
    listed = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    behind = re.compile(
        rf"(?<=[\dmMhHrR])\s*\(?(?:(?:UTC|GMT)\s?(?P<sign>[+-])(?P<hours>\d{{1,2}})(?::?(?P<minutes>\d\d))?|(?P<name>{listed}))\b\)?"
    )
    anywhere = re.compile(rf"(?<!\w)(?:{'|'.join(sorted(map(re.escape, words), key=len, reverse=True))})(?!\w)")
    return behind, anywhere, names | words


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Reads one mail's sentences. `zone`: the client's."""

    now: datetime
    owner: Owner
    zone: str
    languages: tuple[str, ...]

    def speaks(self, sentence: str, key: str) -> bool:
        return any(_phrases(language, key).search(folded(sentence)) for language in self.languages)

    def asks(self, sentence: str) -> bool:
        """Whether it asks for a time: a word that asks, and one of a meeting."""
        return self.speaks(sentence, "when") and self.speaks(sentence, "meet") and not self.is_past(sentence)

    def is_past(self, sentence: str) -> bool:
        return "?" not in sentence and self.speaks(sentence, "past")

    def times(self, sentence: str) -> Iterator[AskedTime]:
        """The times of one sentence, each language tried until one of them finds any."""
        rest, place, zone = self._place(sentence)
        for language in self.languages:
            times = list(self._in_language(_clean(rest), language, place))
            if times:
                yield from (replace(one, zone=zone) for one in times)
                return

    # ------------------------------------------------------------ zones

    def _place(self, sentence: str) -> tuple[str, tzinfo, str]:
        """The sentence without its zone, the zone in which it is read, and its name ("" when it can be several)."""
        behind, anywhere, zones = _zones()
        text = folded(sentence)
        if matched := behind.search(sentence):
            rest = folded(f"{sentence[: matched.start()]} {sentence[matched.end() :]}")
            if matched["sign"]:
                return rest, *_offset(matched)
            return rest, *self._named(zones[matched["name"]])
        if phrase := anywhere.search(text):
            return f"{text[: phrase.start()]} {text[phrase.end() :]}", *self._named(zones[phrase[0]])
        for key, zone in (("your_time", self.owner.timezone), ("my_time", self.zone)):
            for language in self.languages:
                if phrase := _phrases(language, key).search(text):
                    return f"{text[: phrase.start()]} {text[phrase.end() :]}", *self._named(zone)
        return text, *self._named(self.zone)

    def _named(self, zone: str) -> tuple[tzinfo, str]:
        try:
            return ZoneInfo(zone or self.zone), zone
        except (ValueError, OSError, KeyError):
            return UTC, ""

    # ------------------------------------------------------------ times

    def _in_language(self, text: str, language: str, place: tzinfo) -> Iterator[AskedTime]:
        local = self.now.astimezone(place)
        plain = _dated(_plainer(text, language), language, local.date())
        text, ends = _ranges(plain, language)
        named = _carried(list(self._found(text, language, local)), text, language)
        for where, words, one in named:
            asked = _asked_time(words, one, place, ends)
            if asked and self._is_ahead(asked) and not _is_deadline(text, where, language, ranged=one.clock in ends):
                yield asked

    def _is_ahead(self, asked: AskedTime) -> bool:
        return self.now < (asked.end or asked.start) and asked.start - self.now <= _FARTHEST

    def _found(self, text: str, language: str, local: datetime) -> Iterator["_Found"]:
        """The phrases that name a time, the longest first at each place: where, the words, and what they name."""
        tokens = [(matched.start(), matched[0]) for matched in re.finditer(r"\S+", text)]
        at = 0
        while at < len(tokens):
            length = next(
                (count for count in range(_WINDOW, 0, -1) if self._reads(tokens[at : at + count], language, local)), 0
            )
            named = self._reads(tokens[at : at + length], language, local) if length else None
            if named:
                yield tokens[at][0], " ".join(word for _, word in tokens[at : at + length]), named
            at += length or 1

    def _reads(self, tokens: Sequence[tuple[int, str]], language: str, local: datetime) -> NamedTime | None:
        words = [word.strip(",") for _, word in tokens]
        if not words or not _begins_a_time(words, language) or not _ends_a_time(words, language):
            return None
        text = " ".join(words)
        named = named_time(text, local, self.owner, language)
        if named is None or (named.called and named.day is None):
            return None
        return None if _is_doubtful(text, named) else named


_Found = tuple[int, str, NamedTime]


def _clean(text: str) -> str:
    """Marks that end nothing become blanks; points stay within numbers and dates."""
    plain = re.sub(r"[?!;()\[\]\"“”„«»¿¡*_]|(?<=[^\W\d])\.(?=\s|$)|(?<=\d\d:\d\d)\.|\.$", " ", text)
    return " ".join(plain.replace("/ ", " ").split())


def _offset(matched: re.Match[str]) -> tuple[tzinfo, str]:
    minutes = int(matched["hours"]) * 60 + int(matched["minutes"] or 0)
    if minutes >= 24 * 60:
        return UTC, ""
    signed = timedelta(minutes=-minutes if matched["sign"] == "-" else minutes)
    return timezone(signed), f"UTC{matched['sign']}{matched['hours']}"


def _plainer(text: str, language: str) -> str:
    """Compounds in two words, `around 3 pm` as `3 pm`, `this afternoon` as `today afternoon`."""
    today = next(word for word, kind in time_words(language).items() if kind == "today")
    parts = "|".join(
        re.escape(word) for word, kind in time_words(language).items() if kind in _PARTS and " " not in word
    )
    text = _compounds(language).sub(r"\1 \2", text)
    text = re.sub(rf"{_phrases(language, 'about').pattern} (?=\d)", "", text)
    return re.sub(rf"{_phrases(language, 'this').pattern} (?=(?:{parts})\b)", f"{today} ", text)


def _dated(text: str, language: str, today: date) -> str:
    """`Tuesday the 17th`, `mardi 17`: a day of the month without its month, as a whole date where the two agree."""

    def whole(matched: re.Match[str]) -> str:
        day = _next_day(int(matched["day"]), today)
        agrees = day is not None and time_words(language)[matched["weekday"]] == f"weekday {day.weekday()}"
        return day.isoformat() if day and agrees else matched[0]

    return _day_of_month(language).sub(whole, text)


@lru_cache(maxsize=16)
def _day_of_month(language: str) -> re.Pattern[str]:
    words = time_words(language)
    weekdays = "|".join(re.escape(word) for word, kind in words.items() if kind.startswith("weekday"))
    months = "|".join(re.escape(word) for word, kind in words.items() if kind.startswith("month"))
    number = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|\.)?"
    no_clock = r"(?![\w:./-]| ?(?:am|pm|h|u|uhr|uur|ore|o'clock)\b)"
    no_month = rf"(?! (?:of )?(?:de )?(?:{months})\b)"
    return re.compile(
        rf"\b(?P<weekday>{weekdays})\.?,? (?:the |den |dem |le |el |il |de |dia )?{number}{no_clock}{no_month}"
    )


def _next_day(number: int, today: date) -> date | None:
    """The next day of that number, in this month or a later one that has it."""
    for step in range(62):
        day = today + timedelta(days=step)
        if day.day == number:
            return day
    return None


# ---------------------------------------------------------------- phrases


def _begins_a_time(words: Sequence[str], language: str) -> bool:
    """Whether a time can begin here: with a number, or with a word that is no mere filler."""
    known = time_words(language)
    first = words[0].rstrip(".")
    return any(letter.isdigit() for letter in first) or any(
        known.get(" ".join(words[:count]).rstrip(".")) for count in (4, 3, 2, 1)
    )


def _ends_a_time(words: Sequence[str], language: str) -> bool:
    known, last = time_words(language), words[-1].rstrip(".")
    ends = any(known.get(" ".join(words[-count:]).rstrip(".")) for count in (4, 3, 2, 1))
    return ends or bool(re.search(r"\d", last)) or last in _CLOCK_WORDS


@lru_cache(maxsize=16)
def _compounds(language: str) -> re.Pattern[str]:
    """`Donnerstagnachmittag`, `morgenochtend`: a day and a part of it in one word."""
    words = time_words(language)
    days = [word for word, kind in words.items() if kind.startswith(("weekday", "tomorrow")) and len(word) > _SHORT]
    parts = [word for word, kind in words.items() if kind in _PARTS and " " not in word]
    return re.compile(rf"\b({'|'.join(map(re.escape, days))})({'|'.join(map(re.escape, parts))})\b")


_SHORT = 3  # letters of a weekday's short name
_CLOCK_WORDS = {"am", "pm", "h", "u", "uhr", "uur", "ore", "o'clock"}


def _is_doubtful(text: str, named: NamedTime) -> bool:
    """Whether the phrase is as likely something else: `so`, `mar`, `1.2`, a lone number."""
    if named.clock is not None and not named.called:
        return not re.search(r"\d[:h]|\d ?(?:am|pm|uhr|uur|u|ore|h)\b|o'clock", text)
    if named.clock is not None or named.part:
        return False
    if named.called.startswith("weekday"):
        return len(text.strip(".")) <= _SHORT  # "so", "do", "mar", "sat" stand in many sentences
    if named.called.startswith("date"):
        return bool(re.fullmatch(r"\d{1,2}[./-]\d{1,2}", text)) and not text.endswith(".")
    return named.called in {"", "days", "hours", "weeks", "minutes"}


def _is_deadline(text: str, where: int, language: str, *, ranged: bool) -> bool:
    """Whether the words before make it a day until when something is due, or one that was."""
    before = text[:where].split()[-_BEFORE:]
    fillers = time_words(language)
    words = {folded(word) for word in words_in(language, "meetings")["deadline"]}
    for count in range(1, len(before) + 1):
        if " ".join(before[-count:]) in words or before[-count] in words:
            return not ranged
        if fillers.get(before[-count]) != "":
            return False
    return False


def _carried(found: list[_Found], text: str, language: str) -> list[_Found]:
    """`Tuesday or Thursday at 10`, `Thursday at 10 or 11:30`: what one names, its neighbour means as well."""
    joins = {folded(word) for word in words_in(language, "meetings")["alternatives"]} | {",", "/"}
    carried = list(found)
    for at in range(len(found) - 1):
        where, words, first = carried[at]
        second = carried[at + 1]
        between = text[where + len(words) : second[0]].split()
        if not between or any(
            word.strip(",") not in joins and word not in joins and time_words(language).get(word) != ""
            for word in between
        ):
            continue
        if first.called and not second[2].called:
            carried[at + 1] = (second[0], second[1], replace(second[2], called=first.called, day=first.day))
        elif first.called and first.clock is None and not first.part and second[2].clock:
            carried[at] = (where, words, replace(first, clock=second[2].clock))
    return carried


# ---------------------------------------------------------------- from a phrase to a time


def _ranges(text: str, language: str) -> tuple[str, dict[time | None, time]]:
    """`10:00-11:00`, `between 2 and 4 pm`, `von 10 bis 12 Uhr`: the text with each beginning alone, and the ends."""
    ends: dict[time | None, time] = {}

    def shortened(matched: re.Match[str]) -> str:
        start = _clock(matched["h1"], matched["m1"], matched["half1"] or matched["half2"], matched["half2"])
        end = _clock(matched["h2"], matched["m2"], matched["half2"], matched["half2"])
        marked = matched["m1"] or matched["m2"] or matched["half1"] or matched["half2"] or matched["lead"]
        if start is None or end is None or not marked or not start < end:
            return matched[0]
        ends[start] = end
        return f"{start:%H:%M}"

    def opened(matched: re.Match[str]) -> str:
        start = _clock(matched["hour"], matched["minute"], matched["half"], None)
        if start is None:
            return matched[0]
        ends[start] = _OPEN
        return f"{start:%H:%M}"

    return _after_pattern(language).sub(opened, _range_pattern(language).sub(shortened, text)), ends


@lru_cache(maxsize=16)
def _after_pattern(language: str) -> re.Pattern[str]:
    """`after 2 pm`, `ab 14 Uhr`: the beginning of a stretch."""
    half = r"(?: ?(?P<half>am|pm|uhr|uur|h|u|ore)\b)?"
    clock = rf"(?P<hour>[01]?\d|2[0-3])(?:[:.h](?P<minute>[0-5]\d))?{half}"
    return re.compile(rf"{_phrases(language, 'after').pattern} (?:las |le )?{clock}(?![\d:./-]|\w)")


@lru_cache(maxsize=16)
def _range_pattern(language: str) -> re.Pattern[str]:
    words = words_in(language, "meetings")
    lead = "|".join(sorted((re.escape(folded(word)) for word in words["between"]), key=len, reverse=True))
    joins = "|".join(sorted((re.escape(folded(word)) for word in words["to"]), key=len, reverse=True))
    half = r"(?: ?(?P<half{0}>am|pm|uhr|uur|h|u|ore)\b)?"
    clock = r"(?P<h{0}>[01]?\d|2[0-3])(?:[:.h](?P<m{0}>[0-5]\d))?" + half
    return re.compile(
        rf"(?<![\d.:/-])(?:(?P<lead>{lead}) (?:las |le )?)?{clock.replace('{0}', '1')}"
        rf"(?: ?[-\u2013\u2014] ?| (?:{joins}) (?:las )?){clock.replace('{0}', '2')}(?![\d.:/-]*\d)"
    )


def _clock(hour: str, minute: str | None, half: str | None, of_both: str | None) -> time | None:
    number = int(hour)
    if half == "pm" and number < 12 and not (of_both == "pm" and number == 0):  # noqa: PLR2004 - a clock face
        number += 12
    if half == "am" and number == 12:  # noqa: PLR2004
        number = 0
    return time(number, int(minute or 0)) if number < 24 else None  # noqa: PLR2004


def _asked_time(words: str, named: NamedTime, place: tzinfo, ends: dict[time | None, time]) -> AskedTime | None:
    """The moment or stretch that a phrase names; None where it names no day."""
    if named.day is None:
        return None
    if named.clock is not None:
        clock = _by_day(words, named.clock, named.part)
        end = ends.get(named.clock)
        if end == _OPEN:
            last = max(_PARTS["afternoon"][1], clock)
            return AskedTime(
                words=words, start=_at(named.day, clock, place), end=_at(named.day, last, place), exact=False
            )
        return AskedTime(
            words=words, start=_at(named.day, clock, place), end=_at(named.day, end, place) if end else None
        )
    first, last = _PARTS.get(named.part, _WHOLE_DAY)
    days = {"next_week": 4, "next_month": 30}.get(named.called, 0)
    end_day = named.day + timedelta(days=days)
    return AskedTime(words=words, start=_at(named.day, first, place), end=_at(end_day, last, place), exact=False)


def _by_day(words: str, clock: time, part: str) -> time:
    """`Thursday at 3`, `at 3 o'clock`: nobody meets at night; `03:00` and `3 am` are meant as they stand."""
    literal = re.search(r"\d[:.]\d\d|\bam\b|\dam\b|\b0\d", words)
    bare = clock.minute == 0 and clock.hour < _EARLIEST_BARE and not literal
    late = part in {"afternoon", "evening"} and clock.hour < 12  # noqa: PLR2004 - a clock face
    return clock.replace(hour=clock.hour + 12) if bare or late else clock


def _at(day: date, clock: time, place: tzinfo) -> datetime:
    return datetime.combine(day, clock, place).astimezone(UTC)
