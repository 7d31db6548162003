"""Alert mails of platforms become leads: by known templates alone. What is not known is set aside, never guessed at.

The templates are data/job_alerts.toml. Total: any mail, however odd, has an answer.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workflows.models.leads import Flag, Lead
from workflows.models.mail import Email
from workflows.rules.leads.lead import engagement, questions_in
from workflows.rules.leads.pay import pay_in
from workflows.rules.leads.posts import clean_url, cleaned
from workflows.rules.mail.subjects import is_forward_subject
from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import fold, table

FORWARDED = Flag("unverified", "unverified: you forwarded it, so who wrote it is not proven")
INVITED = Flag("noted", "invitation: the client invited you to this job")

_MOST_TEXT = 200_000
_MOST_JOBS = 60
_MOST_SKILLS = 25
_LONGEST_TITLE = 200
_LONGEST_SKILL = 50
_HEAD_LINES = 40  # of a forwarded mail, in which its From and Subject stand
_ANCHOR = re.compile(r"\[([^\[\]\n]{1,300})\]\((https?://[^\s()<>]+)\)")
_JOBISH = re.compile(r"\b(?:jobs?|alerts?|invit\w+|projects?|opportunit\w+|match(?:es|ing)?)\b")
_POSTED = re.compile(r"posted on:?\s+([a-z]{3,9})\.? (\d{1,2})(?:,? (\d{4}))?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SKILLS = re.compile(r"^skills?\s?:\s*(.*)$", re.IGNORECASE)
_RULE = re.compile(r"^\W{3,}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A mail of a platform's alert sender that no template fits. `leads`: what could be read of it all the same."""

    code: str  # unknown-template | no-job-link | unreadable-job
    platform: str
    leads: tuple[Lead, ...] = ()

    @property
    def says(self) -> str:
        """What is wrong, for the owner."""
        reason = {
            "unknown-template": "its subject is of no kind that Deskhand knows",
            "no-job-link": "no link to a job could be found in it",
            "unreadable-job": "a job in it does not look as it should",
        }[self.code]
        return f"An alert mail of {self.platform} was not understood: {reason} (code {self.code})."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mail:
    platform: Mapping[str, Any]
    subject: str
    text: str
    at: datetime | None
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """One job as it stands in the mail: its link, its title, and the lines that belong to it."""

    url: str
    title: str
    lines: tuple[str, ...]


def alerts(email: Email, own: frozenset[str] = frozenset()) -> tuple[Lead, ...] | Unknown | None:
    """The leads of an alert mail; Unknown when it is one that cannot be read; None when it is none.

    `own`: the owner's addresses, from which a forwarded copy is taken.
    """
    mail = _direct(email) or (_forwarded(email) if email.sender.email.lower() in own else None)
    if mail is None:
        return None
    name = mail.platform["name"]
    template = _template(mail)
    if template is None:
        return Unknown(code="unknown-template", platform=name) if _is_jobish(mail) else None
    rules = {**mail.platform, "said": mail.platform["terms"], **template}
    links = len({clean_url(link) for link in re.findall(rules["link"], mail.text)})
    if not links:
        return Unknown(code="no-job-link", platform=name)
    leads = tuple(lead for block in _blocks(mail, rules) if (lead := _lead(mail, rules, block)))
    return leads if len(leads) == min(links, _MOST_JOBS) else Unknown(code="unreadable-job", platform=name, leads=leads)


# ---------------------------------------------------------------- whose mail it is


def _platform(address: str) -> Mapping[str, Any] | None:
    sender = address.lower()
    return next((platform for platform in table("job_alerts")["platform"] if sender in platform["senders"]), None)


def _direct(email: Email) -> _Mail | None:
    platform = _platform(email.sender.email)
    if platform is None or len(email.senders) != 1:
        return None
    text = email.text if re.search(r"https?://", email.text) else email.html_text or email.text
    return _Mail(platform=platform, subject=one_line(email.subject[:400]), text=text[:_MOST_TEXT], at=email.date)


def _forwarded(email: Email) -> _Mail | None:
    """The mail inside a forward: its From and Subject stand above it, as the mail program wrote them."""
    if not is_forward_subject(email.subject):
        return None
    text = email.text[:_MOST_TEXT]
    lines = text.split("\n")[:_HEAD_LINES]
    rules = table("job_alerts")["forward"]
    senders = [(at, match.group(1)) for at, line in enumerate(lines) if (match := _match(rules["from"], line))]
    for at, sender in senders:
        address = re.search(r"[\w.+-]+@[\w.-]+\w", sender)
        platform = _platform(address.group()) if address else None
        titles = [match.group(1) for line in lines[at:] if (match := _match(rules["subject"], line))]
        if platform is None or not titles:
            continue
        body = "\n".join(line.removeprefix("> ").removeprefix(">") for line in text.split("\n")[at:])
        _, _, content = body.partition("\n\n")
        return _Mail(
            platform=platform, subject=one_line(titles[0][:400]), text=content, at=email.date, flags=(FORWARDED,)
        )
    return None


def _match(pattern: str, line: str) -> re.Match[str] | None:
    return re.match(pattern, line[:500], re.IGNORECASE)


def _template(mail: _Mail) -> Mapping[str, Any] | None:
    """The template whose subject this is; a broad one only where it is not some other mail of the platform."""
    subject = fold(mail.subject)
    fitting = [template for template in mail.platform["template"] if re.match(template["subject"], subject)]
    sure = next((template for template in fitting if not template.get("broad")), None)
    return sure or (None if _is_other(mail) else next(iter(fitting), None))


def _is_other(mail: _Mail) -> bool:
    return any(re.search(entry["subject"], fold(mail.subject)) for entry in mail.platform.get("other", ()))


def _is_jobish(mail: _Mail) -> bool:
    """Whether a mail that no template fits looks like an alert: the same addresses send much else."""
    listed = {clean_url(link) for link in re.findall(mail.platform["link"], mail.text)}
    return not _is_other(mail) and (_JOBISH.search(fold(mail.subject)) is not None or len(listed) > 1)


# ---------------------------------------------------------------- the jobs in it


def _blocks(mail: _Mail, rules: Mapping[str, Any]) -> Iterator[_Block]:
    """Each job once, in order, with the lines between its title and the next one's."""
    lines = [line.strip() for line in mail.text.split("\n")]
    jobs: dict[str, list[tuple[int, str]]] = {}
    for at, line in enumerate(lines):
        for link in re.findall(rules["link"], line):
            jobs.setdefault(clean_url(link) or link, []).append((at, _title_in(line, link, rules)))
    places = list(jobs.items())[:_MOST_JOBS]
    ends = [max(at for at, _ in mentions) + 1 for _, mentions in places]
    regions = list(zip([0, *ends], ends, strict=False))  # of each job: from the end of the one before
    # Some templates link the title, some link below the text: then the terms stand above the first link.
    late = bool(places) and any(_is_terms(line, rules) for line in lines[: places[0][1][0][0]])
    starts = [
        _start(lines, region, mentions, rules, late=late) for region, (_, mentions) in zip(regions, places, strict=True)
    ]
    for number, ((url, _), (at, title)) in enumerate(zip(places, starts, strict=True)):
        end = starts[number + 1][0] if number + 1 < len(starts) else len(lines)
        yield _Block(url=url, title=title, lines=tuple(lines[at + 1 : max(end, at + 1)]))


def _start(
    lines: list[str], region: tuple[int, int], places: list[tuple[int, str]], rules: Mapping[str, Any], *, late: bool
) -> tuple[int, str]:
    """Where a job begins, and its title: said by its link, else above its terms where those come first (`late`)."""
    if named := next(((at, title) for at, title in places if title), None):
        return named
    first, link = region[0], places[0][0]
    terms_at = next((at for at in range(first, link) if late and _is_terms(lines[at], rules)), link)
    return _title_above(lines, first, terms_at, rules)


def _title_in(line: str, link: str, rules: Mapping[str, Any]) -> str:
    """The title where the link carries it: "[Title](link)"."""
    title = next((words for words, url in _ANCHOR.findall(line) if url.startswith(link)), "")
    return "" if fold(title).strip(" .!>»→") in rules["buttons"] else title.strip()


def _title_above(lines: list[str], first: int, last: int, rules: Mapping[str, Any]) -> tuple[int, str]:
    """The title above a line: the one next to it, or the first of its paragraph where the company stands between."""
    paragraph: list[tuple[int, str]] = []
    needed = 2 if rules.get("company_line") else 1
    for at in range(last - 1, first - 1, -1):
        line = lines[at]
        if _RULE.match(line) or (not line and len(paragraph) >= needed):
            break
        if line and not _is_meta(line, rules) and not _is_terms(line, rules) and "://" not in line:
            paragraph.insert(0, (at, line))
    if not paragraph:
        return last, ""
    return paragraph[0] if rules.get("company_line") else paragraph[-1]


def _is_terms(line: str, rules: Mapping[str, Any]) -> bool:
    """Whether the line says how the job is paid, as every post of the platform does."""
    return bool(rules["said"]) and re.match(rules["said"], fold(line)) is not None


def _is_meta(line: str, rules: Mapping[str, Any]) -> bool:
    return re.search(rules["meta"], fold(line)) is not None or fold(line).strip(" .:!>»→") in rules["buttons"]


def _lead(mail: _Mail, rules: Mapping[str, Any], block: _Block) -> Lead | None:
    title, title_flags = cleaned(_title(mail, rules, block))
    lines = _body([_without_links(line) for line in block.lines], rules)
    terms = next((line for line in lines if _is_terms(line, rules)), "")
    url = clean_url(block.url)
    if not title or not url or (rules["terms"] and not terms):
        return None
    pay = pay_in(terms or "\n".join(lines))
    company, place, lines = _company_and_place(lines, rules)
    skills, lines = _skills(lines, rules)
    bare = [line for line in lines if not _is_meta(line, rules) and not _is_terms(line, rules)]
    text, flags = ("", ()) if rules.get("company_line") else cleaned("\n".join(bare))
    invited = (INVITED,) if rules["kind"] == "invitation" else ()
    return Lead(
        source=mail.platform["source"],
        id=url.rstrip("/").rpartition("/")[2],
        title=one_line(title, _LONGEST_TITLE),
        text=text,
        url=url,
        company=company,
        published=_posted(block.lines, mail.at) or mail.at,
        skills=skills,
        engagement=_engagement(rules, terms, title),
        pay=pay,
        place=place,
        questions=questions_in(text),
        flags=(*invited, *mail.flags, *title_flags, *flags),
        attribution=mail.platform["name"],
    )


def _body(lines: list[str], rules: Mapping[str, Any]) -> list[str]:
    """The lines of a job up to what the mail says of the client, of itself, or to a line that draws one."""
    ends = rules.get("ends", r"(?!)")
    end = next(
        (at for at, line in enumerate(lines) if (_RULE.match(line) and at) or re.match(ends, fold(line))), len(lines)
    )
    return lines[:end]


def _title(mail: _Mail, rules: Mapping[str, Any], block: _Block) -> str:
    """The block's own title, else the one that the subject states; a subject that was cut off adds nothing."""
    match = re.match(rules["subject"], mail.subject, re.IGNORECASE)
    subject_title = (match.groupdict().get("title") or "").strip() if match else ""
    if not subject_title:
        return block.title
    words = fold(block.title)
    begins = fold(subject_title).rstrip(".\u2026 ")
    return block.title if words and words.startswith(begins) else subject_title


def _engagement(rules: Mapping[str, Any], terms: str, title: str) -> str:
    return engagement("", title) if rules.get("company_line") else engagement(terms) or "freelance"


def _without_links(line: str) -> str:
    bare = re.sub(r"\[\s*\]\(\S*|https?://\S+", "", _ANCHOR.sub(lambda found: found.group(1), line))
    return bare.strip()


def _company_and_place(lines: list[str], rules: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    if not rules.get("company_line"):
        return "", "", lines
    plain_lines = [line for line in lines if line and not _is_meta(line, rules)]
    first = plain_lines[0] if plain_lines else ""
    company, dot, place = first.partition(" · ")
    if dot:
        return one_line(company, 120), one_line(place, 160), plain_lines[1:]
    return one_line(first, 120), one_line(plain_lines[1] if len(plain_lines) > 1 else "", 160), plain_lines[2:]


def _skills(lines: list[str], rules: Mapping[str, Any]) -> tuple[tuple[str, ...], list[str]]:
    """What stands after "Skills:", in one line or a line each, and the other lines."""
    at = next((at for at, line in enumerate(lines) if _SKILLS.match(line)), None)
    if at is None:
        return (), lines
    match = _SKILLS.match(lines[at])
    inline = match.group(1) if match else ""
    end = at + 1
    skills = re.split(r"[,;|·]", inline)
    while not inline.strip() and end < len(lines) and _is_skill(lines[end], rules):
        skills.append(lines[end])
        end += 1
    named: dict[str, str] = {}
    for skill in skills:
        if skill.strip() and not re.fullmatch(r"\W*\d+ more\W*", fold(skill)):
            named.setdefault(fold(skill), one_line(skill, _LONGEST_SKILL))
    return tuple(named.values())[:_MOST_SKILLS], [*lines[:at], *lines[end:]]


def _is_skill(line: str, rules: Mapping[str, Any]) -> bool:
    return bool(line) and len(line) <= _LONGEST_SKILL and not _is_meta(line, rules) and not line.endswith((".", "..."))


def _posted(lines: tuple[str, ...], at: datetime | None) -> datetime | None:
    """Read "Posted on: Aug 26" of the mail's own year, or of the one before where that day is still to come."""
    match = next((match for line in lines if (match := _POSTED.search(fold(line)))), None)
    if match is None or at is None or match[1][:3] not in _MONTHS:
        return None
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    try:
        day = datetime(int(match[3] or aware.year), _MONTHS.index(match[1][:3]) + 1, int(match[2]), tzinfo=UTC)
        return day if day <= aware or match[3] else day.replace(year=day.year - 1)
    except ValueError:
        return None
