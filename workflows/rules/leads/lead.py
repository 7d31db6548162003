"""A source's item becomes a Lead, or is refused with its reason. Total: no item, however odd, raises.

An item is what a source of the plugin contract gives (docs/leads.md): a mapping with at least id, title, text, url and
published. Its texts are the poster's: nothing in them is trusted.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from functools import cache

from workflows.models.leads import Flag, Lead, Pay
from workflows.models.mail import Address
from workflows.models.routes import Ignore, Start
from workflows.rules.leads.pay import pay_in, pay_of
from workflows.rules.leads.posts import clean_url, cleaned, repaired
from workflows.rules.mail.machines import ignored
from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import fold, phrases, table

Item = Mapping[str, object]

UNREADABLE = "unreadable-post"
"""The rule of an item that is no post: it is set aside and told, not skipped."""

_TITLE, _NAME, _PLACE, _QUESTION = 200, 120, 160, 300
_MOST_SKILLS, _MOST_QUESTIONS, _MOST_FLAGS = 40, 12, 12
_LAST = time(23, 59, 59)  # of a day
_OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
_MAIL = re.compile(r"(?<![\w.+@-])([\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,24})(?![\w@])", re.IGNORECASE)
_AT = re.compile(r"\s?[\[({<]\s?at\s?[\])}>]\s?", re.IGNORECASE)
_DOT = re.compile(r"\s?[\[({<]\s?dot\s?[\])}>]\s?", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-*•·\u2013]|\(?\d{1,2}[.):]|[a-z][.)])\s*", re.IGNORECASE)
_ASKS = re.compile(r"\b(?:you|your|you're|yours|sie|ihre?n?|du|dein\w*|vous|votre|usted|tu|su)\b", re.IGNORECASE)
_OWN = re.compile(
    r"^\W*(?:who (?:are|is) (?:we|us)|why (?:us|join|work)|what (?:we|is(?! your\b))|how we|about)\b", re.IGNORECASE
)
_SENTENCE = re.compile(r"[^.?!\n]+\?|[^.?!\n]+[.!]*")
_ASK_BLOCK = re.compile(
    r"\b(?:answer|tell us|let us know|include|reply with|questions?|beantworten|fragen|répond|responde)\b",
    re.IGNORECASE,
)
_TOWN = re.compile(r"[A-Z][\w .'-]{1,30}, [A-Z]{2,3}")
_MOST_SEGMENTS = 20
_VERBATIM = {"id", "url"}
"""Keys whose text is an address or a name of the source's own, not words."""
_FLAGS = re.compile("[\U0001f1e6-\U0001f1ff]{2}")  # two of these draw a country's flag


def lead_of(item: Item, source: str, now: datetime, zone: tzinfo = UTC) -> Lead | Ignore:
    """The lead in an item of this source, or why it is none: expired, or not to be read as a post.

    `zone`: in which a last day without a time ends.
    """
    title, title_flags = cleaned(_text(item, "title", _TITLE * 2))
    text, flags = cleaned(_text(item, "text", 60_000))
    number, url = one_line(_text(item, "id", 300)), clean_url(_text(item, "url", 2_000))
    if isinstance(item.get("unreadable"), str):
        return ignored(UNREADABLE, one_line(_text(item, "unreadable", 400)))
    if fault := _fault(number, title or text, url, item):
        return ignored(UNREADABLE, fault)
    company = one_line(_text(item, "company", _NAME), _NAME)
    title, company, place = _headline(one_line(title, _TITLE), company, item)
    expires = deadline(item.get("expires"), zone)
    if expires is not None and expires <= now:
        return ignored("expired", f"It expired on {expires:%d %b %Y}.")
    return Lead(
        source=source,
        id=number,
        title=title or one_line(text, _TITLE),
        text=text,
        url=url,
        company=company,
        contact=_contact(item, text),
        published=_published(item, now),
        expires_at=expires,
        skills=_skills(item.get("skills")),
        engagement=engagement(item.get("engagement"), title),
        pay=_pay(item, title, text),
        place=place,
        questions=_questions(item, text),
        flags=(*title_flags, *flags, *_said_flags(item))[:_MOST_FLAGS],
        attribution=one_line(_text(item, "attribution", _NAME), _NAME),
    )


def _fault(number: str, words: str, url: str, item: Item) -> str:
    if not number:
        return "The source gives it no id, so it cannot be told from others."
    if not words:
        return f"The post {number} has neither a title nor a text."
    link = _text(item, "url", 2_000)
    if link and not url:
        return f"The link of the post {number} is not one that can be opened."
    return ""


def unjudged(_lead: Lead) -> Start:
    """Every lead is bid for: what stands in where nothing weighs them."""
    return Start(kind="bid", reason="It was not weighed against a profile.")


# ---------------------------------------------------------------- fields


def _text(item: Item, key: str, limit: int) -> str:
    value = item.get(key)
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, str | int | float):
        text = str(value)[:limit]
        return text if key in _VERBATIM else repaired(text)
    return ""


def _list(value: object) -> tuple[str, ...]:
    """Words of a list, or of a text with commas ("Go, SQL, and Rust")."""
    if isinstance(value, str):
        value = re.split(r"[,;|\n]", value)
    if not isinstance(value, list | tuple):
        return ()
    return tuple(str(entry) for entry in value if isinstance(entry, str | int))


def _skills(value: object) -> tuple[str, ...]:
    skills: dict[str, str] = {}
    for entry in _list(value):
        skill = one_line(re.sub(r"^\s*(?:and|und|&)\s+", "", entry), 60)
        if skill and not re.fullmatch(r"\+\s?\d+ more", skill):
            skills.setdefault(fold(skill), skill)
    return tuple(skills.values())[:_MOST_SKILLS]


def moment(value: object) -> datetime | None:
    """A time as sources write it: a datetime, seconds since 1970, ISO 8601 or RFC 822; without a zone it is UTC."""
    instant = _moment(value)
    if instant is None:
        return None
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return aware if aware >= _OLDEST else None


def deadline(value: object, zone: tzinfo) -> datetime | None:
    """Until when something holds; a day without a time, or its midnight, ends with that day, in this zone."""
    day = _day(value)
    if day is not None:
        return datetime.combine(day, _LAST, zone) if day >= _OLDEST.date() else None
    return moment(value)


def _day(value: object) -> date | None:
    """The day where no time of it is stated: programs write midnight where they know none."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    instant = value if isinstance(value, datetime) else None
    if isinstance(value, str):
        text = " ".join(value.split())
        if written := _written_day(text):
            return written
        instant = _moment(text) if ":" in text else None
    return instant.date() if instant and instant.time() == time() else None


def _written_day(text: str) -> date | None:
    """2026-11-30, 20261130, 30.11.2026, 30 Nov 2026, Monday, November 30th, 2026: days with one reading."""
    plain = re.sub(r"(?<=\d)(?:st|nd|rd|th)\b|\bof\b", "", re.sub(r"^[A-Za-z]{3,9}, ", "", text), flags=re.IGNORECASE)
    for form in (
        "%Y-%m-%d",
        "%Y/%m/%d",
        "%Y%m%d",
        "%d.%m.%Y",
        "%d %b %Y",
        "%d %B %Y",
        "%b %d, %Y",
        "%B %d, %Y",
        "%b %d %Y",
    ):
        try:
            return datetime.strptime(" ".join(plain.split()), form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return _written_moment(str(value).strip())
    except (ValueError, OverflowError, OSError, IndexError, TypeError):
        return None


def _written_moment(text: str) -> datetime:
    if re.fullmatch(r"\d{9,10}(\.\d+)?", text):
        return datetime.fromtimestamp(float(text), UTC)
    if re.fullmatch(r"\d{12,13}", text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    if re.match(r"\d{4}-\d\d-\d\d", text):
        return datetime.fromisoformat(text.replace(" UTC", "+00:00"))
    return parsedate_to_datetime(text)


def _published(item: Item, now: datetime) -> datetime | None:
    published = moment(item.get("published"))
    return published if published is None or published <= now + timedelta(days=1) else None


def engagement(value: object, title: str = "") -> str:
    """One of freelance, contract, part-time, full-time: by the source's own word, else by the title; else ""."""
    words = " ".join(_list(value))
    for text in (words, title):
        for kind in ("freelance", "contract", "part-time", "full-time"):
            if _kinds(kind).search(fold(text).replace("_", "-")):
                return kind
    return ""


@cache
def _kinds(kind: str) -> re.Pattern[str]:
    return phrases(re.escape(word) for word in table("leads")["engagement"][kind])


def _pay(item: Item, title: str, text: str) -> Pay | None:
    pay = pay_of(item.get("pay_min"), item.get("pay_max"), _text(item, "currency", 8), _text(item, "per", 20))
    # A source's 0 is "unknown", and says nothing about the words of the post.
    return pay or pay_in(_text(item, "pay", 400)) or pay_in(title) or pay_in(text[:1500])


def _said_flags(item: Item) -> tuple[Flag, ...]:
    return tuple(_flag(one_line(flag, 200)) for flag in _list(item.get("flags")) if flag.strip())


def _flag(words: str) -> Flag:
    """What a source noticed itself; it may say by the word before a colon that something is not proven."""
    return Flag("unverified" if re.match(r"unverified\b", words) else "noted", words)


# ---------------------------------------------------------------- headlines


def company_and_role(title: str) -> tuple[str, str]:
    """Take "Company: Role" apart; ("", title) where there is no such colon."""
    company, colon, role = title.partition(": ")
    if not colon or not role.strip() or len(company) > _NAME // 2:
        return "", title.strip()
    return company.strip(), role.strip()


def _headline(title: str, company: str, item: Item) -> tuple[str, str, str]:
    """(title, company, place) of a post, "A | B | C" headlines taken apart where the source names no company."""
    place = _FLAGS.sub("", one_line(_text(item, "place", _PLACE), _PLACE)).strip(" ,")
    segments = [part.strip() for part in title.split("|") if part.strip()]
    if company or len(segments) < 2:  # noqa: PLR2004 - one segment is a title
        return title, company, place
    role, company, location = segmented(segments)
    return role or title, company, place or location


def segmented(segments: list[str]) -> tuple[str, str, str]:
    """(role, company, place) of the segments of a headline. The order is custom, not rule: words decide, then order."""
    candidates = [segment for segment in segments[:_MOST_SEGMENTS] if not _is_plain("marker", segment)]
    places = [segment for segment in candidates if _is_plain("place", segment)]
    candidates = [
        segment for segment in candidates if segment not in places and pay_in(segment) is None and "://" not in segment
    ]
    candidates = [segment for segment in candidates if not engagement(segment) or _says("role", segment)]
    roles = [segment for segment in candidates if _says("role", segment)]
    role = roles[0] if roles else (candidates[1] if len(candidates) > 1 else (candidates[0] if candidates else ""))
    company = next((segment for segment in candidates if segment != role and segment not in roles), "")
    return role, company[:_NAME], ", ".join(places)[:_PLACE]


def _is_plain(kind: str, segment: str) -> bool:
    """Whether the segment is made of such words and little else."""
    if kind == "place" and _TOWN.fullmatch(segment):
        return True
    words = fold(segment)
    remainder = _headwords(kind).sub(" ", words)
    return (
        remainder != words
        and len(re.findall(r"\w+", remainder)) <= (4 if kind == "place" else 0)
        and not _says("role", remainder)
    )


def _says(kind: str, segment: str) -> bool:
    return _headwords(kind).search(fold(segment)) is not None


@cache
def _headwords(kind: str) -> re.Pattern[str]:
    return phrases(table("leads")["headline"][kind])


# ---------------------------------------------------------------- what the text asks and names


def _contact(item: Item, text: str) -> Address:
    """Where a bid may be mailed to: what the source says, else the first address in the text that people read."""
    contact = _text(item, "contact", 200)
    if item.get("contact") is not None:
        match = _MAIL.search(contact)
        return Address(email=match.group(1).lower() if match else "", name="")
    plain = _DOT.sub(".", _AT.sub("@", text))
    return Address(email=next((address for address in map(_reachable, _MAIL.findall(plain)) if address), ""))


def _reachable(address: str) -> str:
    local, _, domain = address.lower().partition("@")
    blocked = table("leads")["contact"]
    under = any(domain == suffix or domain.endswith(f".{suffix}") for suffix in blocked["domains"])
    plain = re.split(r"[+._-]", local)[0]
    return "" if under or local in blocked["locals"] or plain in blocked["locals"] else f"{local}@{domain}"


def _questions(item: Item, text: str) -> tuple[str, ...]:
    questions = tuple(one_line(question, _QUESTION) for question in _asked(item.get("questions")) if question.strip())
    return (questions or questions_in(text))[:_MOST_QUESTIONS]


def _asked(value: object) -> tuple[str, ...]:
    return (
        tuple(str(question) for question in value if isinstance(question, str))
        if isinstance(value, list | tuple)
        else ()
    )


def questions_in(text: str) -> tuple[str, ...]:
    """What a post asks its bidders: sentences with a question mark that speak to them, not its own headings."""
    questions: dict[str, None] = {}
    in_block = 0
    for line in text.split("\n"):
        bare = _BULLET.sub("", line).strip()
        if _ASK_BLOCK.search(bare) and bare.endswith((":", ".")):
            in_block = _MOST_QUESTIONS
            continue
        for sentence in (candidate for candidate in _SENTENCE.findall(bare) if candidate.endswith("?")):
            question = one_line(_asked_alone(sentence), _QUESTION)
            if (in_block or _ASKS.search(question)) and not _OWN.match(question) and len(question.split()) > 2:  # noqa: PLR2004
                questions[question] = None
        in_block = in_block - 1 if bare and in_block else in_block
    return tuple(questions)[:_MOST_QUESTIONS]


def _asked_alone(sentence: str) -> str:
    """The question without what leads to it ("Please answer: ...")."""
    before, colon, after = sentence.partition(": ")
    alone = after if colon and after.strip() and _ASK_BLOCK.search(before) else sentence
    return alone.strip(" \"'“”*-")
