"""The client's questions, answered from facts alone: one paragraph each, in their language, and what is left open."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from agents.checks import allowed, safe_line
from agents.desk.invitation import invitation_sentences, invitation_sources
from workflows.models.desk import ClientQuestion, FittingAnswer, InvoiceStanding, ProjectStanding, Reckoned, Topic
from workflows.models.drafts import Brief
from workflows.models.work import Milestone
from workflows.rules.asking import acknowledgement
from workflows.rules.debts.notices import format_day
from workflows.rules.desk.questions import asks_for_document, asks_for_rate, names_invoice, plain, questions
from workflows.rules.desk.standing import invoice_id, project_id
from workflows.rules.desk.times import told_time
from workflows.rules.files.asked_files import asked_files
from workflows.rules.text.canonical import one_line
from workflows.rules.text.languages import filled, words_in
from workflows.rules.text.money import format_money, to_decimal, totals

_MOST_OPEN, _MOST_SETTLED, _MOST_PROJECTS, _MOST_NEXT = 4, 2, 2, 3
_LATELY = timedelta(days=45)
_LONGEST_QUOTED = 120
_SHORTEST_WORD = 4
_NUMBER = re.compile(r"\d[\d.,' \u00a0\u202f]*\d|\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """What answers one question, and which sources it rests on."""

    sentences: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailAnswers:
    """The questions of a mail, each with what answers it, and the paragraphs that say so."""

    reckoning: tuple[Reckoned, ...]
    paragraphs: tuple[str, ...]
    open_points: str  # "On the price I will come back to you shortly.", "" when nothing is open
    besides: tuple[str, ...] = ()  # sources of what answers an invitation, which is no question of the text

    @property
    def sources(self) -> tuple[str, ...]:
        answering = (source for reckoned in self.reckoning for source in reckoned.sources)
        return tuple(dict.fromkeys((*self.besides, *answering)))


def asked(brief: Brief) -> tuple[ClientQuestion, ...]:
    """The questions of the mail at hand; of several mails that wait, those of all."""
    return questions(brief.message, brief.language, brief.subject)


def answered(brief: Brief) -> MailAnswers:
    """What the facts of the brief answer. Nothing is stated that stands in none of them."""
    reckoning: list[Reckoned] = []
    besides = invitation_sources(brief)
    paragraphs = [" ".join(invitation_sentences(brief))] if besides else []
    for question in asked(brief):
        paragraph = _paragraph(brief, question)
        reckoning.append(Reckoned(question=question, sources=paragraph.sources if paragraph else ()))
        said = "\n".join(paragraphs)
        if fresh := [sentence for sentence in (paragraph.sentences if paragraph else ()) if sentence not in said]:
            paragraphs.append(" ".join(fresh))
    if brief.offered:
        reckoning = [with_file(brief, reckoned) for reckoned in reckoning]
        paragraphs.append(acknowledgement.attached(brief.language, (file.name for file in brief.offered)))
    missing = [reckoned.question for reckoned in reckoning if not reckoned.sources]
    return MailAnswers(
        reckoning=tuple(reckoning), paragraphs=tuple(paragraphs), open_points=_come_back(brief, missing),
        besides=besides,
    )  # fmt: skip


def with_file(brief: Brief, reckoned: Reckoned) -> Reckoned:
    """A question for a file that goes with the answer is answered by it."""
    names = [file.name for file in brief.offered]
    meant = asked_files(f"{reckoned.question.text}?", names, brief.language).names
    if reckoned.sources or not meant:
        return reckoned
    return Reckoned(question=reckoned.question, sources=tuple(f"file:{name}" for name in meant))


def _paragraph(brief: Brief, question: ClientQuestion) -> Paragraph | None:
    """The owner's own words come first: whoever keeps a text for this question wants it used."""
    if standing := _standing(brief, question):
        return Paragraph(sentences=(standing.answer.text.strip("\n"),), sources=(f"answer:{standing.answer.id}",))
    match question.topic:
        case Topic.MONEY:
            return _money(brief, question)
        case Topic.STATE:
            return _state(brief, question)
        case Topic.TIME:
            return _time(brief)
        case Topic.PRICE:
            return _rate(brief, question)
        case _:
            return None


def _standing(brief: Brief, question: ClientQuestion) -> FittingAnswer | None:
    return next((fitting for fitting in brief.standing if question.text in fitting.questions), None)


# ---------------------------------------------------------------- money


def _money(brief: Brief, question: ClientQuestion) -> Paragraph | None:
    concerned = _concerned(brief, question)
    if not concerned:
        return None
    wording, language = _wording(brief), brief.language
    lines = [_invoice_line(standing, brief, wording) for standing in concerned]
    owed = [standing.invoice.balance for standing in concerned if standing.invoice.balance.minor]
    if len(owed) > 1:
        total = " + ".join(format_money(amount, language) for amount in totals(owed))
        lines.append(filled(wording["total"], total=total))
    if asks_for_document(question.text, language) and not brief.offered:  # else it goes with this mail
        numbers = [one_line(standing.invoice.number, 40) for standing in concerned]
        lines.append(filled(wording["document"], numbers=_listed(numbers, wording)))
    return Paragraph(sentences=tuple(lines), sources=tuple(map(invoice_id, concerned)))


def _concerned(brief: Brief, question: ClientQuestion) -> tuple[InvoiceStanding, ...]:
    """The invoices that are meant: those that are named by number or amount, else what is open or was settled lately.

    A number that is none of this client's is answered by nobody here.
    """
    invoices = brief.affairs.invoices
    for text in (question.text, f"{brief.subject}\n{brief.message}"):
        if named := tuple(one for one in invoices if _names_number(text, one)):
            return named
        if names_invoice(text):
            return ()
    if named := tuple(one for one in invoices if _names_amount(brief.message, one)):
        return named[:_MOST_OPEN]
    owed = tuple(one for one in invoices if one.invoice.balance.minor)[:_MOST_OPEN]
    settled = tuple(one for one in invoices if not one.invoice.balance.minor)
    lately = tuple(one for one in settled if _is_lately(one, brief.affairs.today))[:_MOST_SETTLED]
    if asks_for_document(question.text, brief.language):
        return owed or settled[:1]
    return (*lately, *owed) or settled[:1]


def _names_number(text: str, standing: InvoiceStanding) -> bool:
    number = re.sub(r"[^0-9a-z]", "", standing.invoice.number.casefold())
    runs = re.findall(r"[0-9a-z]+(?:[\s/_.#-]{1,2}[0-9a-z]+)*", text.casefold())
    spelt = [re.sub(r"[^0-9a-z]", "", piece) for run in runs for piece in _pieces(run)]
    return len(number) > 1 and number in spelt


def _pieces(run: str) -> Iterator[str]:
    """A run of words and every stretch of two or three of them: "2026 014" is "2026-014"."""
    words = run.split()
    for width in (1, 2, 3):
        yield from (" ".join(words[at : at + width]) for at in range(len(words) - width + 1))


def _names_amount(text: str, standing: InvoiceStanding) -> bool:
    invoice = standing.invoice
    amounts = {f"{to_decimal(amount):.2f}" for amount in (invoice.amount, invoice.balance) if amount.minor >= 10_000}  # noqa: PLR2004 (a hundred: smaller figures may be anything)
    return any(_normal(number) in amounts for number in _NUMBER.findall(text))


def _normal(number: str) -> str:
    """`1.250,00`, `1,250` and `1250` in one form."""
    bare = re.sub(r"[' \u00a0\u202f]", "", number)
    cents = re.search(r"[.,](\d{2})$", bare)
    units = re.sub(r"[.,]", "", bare[: cents.start()] if cents else bare)
    return f"{units}.{cents[1] if cents else '00'}"


def _is_lately(standing: InvoiceStanding, today: date | None) -> bool:
    day = standing.paid_on or standing.invoice.due
    return today is not None and day >= today - _LATELY


def _invoice_line(standing: InvoiceStanding, brief: Brief, wording: dict[str, Any]) -> str:
    invoice, language = standing.invoice, brief.language
    today = brief.affairs.today
    overdue = today is not None and invoice.due < today
    if not invoice.balance.minor:
        kind = "paid_on" if standing.paid_on else "paid"
    elif invoice.paid and invoice.paid.minor:
        kind = "part_overdue" if overdue else "part"
    else:
        kind = "overdue" if overdue else "open"
    return filled(
        wording[kind],
        number=one_line(invoice.number, 40),
        amount=format_money(invoice.amount, language),
        paid=format_money(invoice.paid, language) if invoice.paid else "",
        balance=format_money(invoice.balance, language),
        day=format_day(standing.paid_on if kind == "paid_on" and standing.paid_on else invoice.due, language),
    )


# ---------------------------------------------------------------- how far the work is


def _state(brief: Brief, question: ClientQuestion) -> Paragraph | None:
    projects = [project for project in _meant(brief, question) if project.milestones or project.worked_on]
    if not projects:
        return None
    texts = tuple(" ".join(_project_lines(project, brief)) for project in projects[:_MOST_PROJECTS])
    return Paragraph(sentences=texts, sources=tuple(map(project_id, projects[:_MOST_PROJECTS])))


def _meant(brief: Brief, question: ClientQuestion) -> Sequence[ProjectStanding]:
    """The projects whose name or milestones the question names, else the mail; else all of this client's."""
    for text in (question.text, f"{brief.subject}\n{brief.message}"):
        spoken = _stems(text)
        if named := [project for project in brief.affairs.projects if _stems(project.name) & spoken]:
            return named
        if named := [project for project in brief.affairs.projects if _milestone_stems(project) & spoken]:
            return named
    return brief.affairs.projects


def _milestone_stems(project: ProjectStanding) -> set[str]:
    return _stems(" ".join(milestone.name for milestone in project.milestones))


def _stems(text: str) -> set[str]:
    return {word[:6] for word in re.findall(r"[^\W_]+", plain(text)) if len(word) >= _SHORTEST_WORD}


def _project_lines(project: ProjectStanding, brief: Brief) -> Iterator[str]:
    wording, language = _wording(brief), brief.language
    yield filled(wording["state"], project=project.name)
    finished = [one_line(milestone.name, 80) for milestone in project.milestones if milestone.done]
    if finished:
        form = "one" if len(finished) == 1 else "many"
        yield filled(wording["done"][form], names=_listed(finished, wording))
    ahead = [milestone for milestone in project.milestones if not milestone.done]
    yield from _ahead(ahead, brief)
    if finished and not ahead:
        yield wording["all_done"]
    if project.worked_on and project.last_work:
        work = project.last_work.rstrip(" .")
        yield filled(wording["worked"], day=format_day(project.worked_on, language), work=work)
    if project.next_update and ahead:
        yield filled(wording["update"], day=format_day(project.next_update, language))


def _ahead(ahead: Sequence[Milestone], brief: Brief) -> Iterator[str]:
    wording, language, today = _wording(brief), brief.language, brief.affairs.today
    late = [one for one in ahead if one.due and today and one.due < today]
    for milestone in late[:_MOST_NEXT]:
        yield filled(wording["next_late"], name=milestone.name, day=_milestone_day(milestone, language))
    later = [one for one in ahead if one not in late]
    for milestone in later[:1]:
        kind = "next" if milestone.due else "next_open"
        yield filled(wording[kind], name=milestone.name, day=_milestone_day(milestone, language))
    if later[1:]:
        names = [
            filled(wording["dated"], name=one.name, day=_milestone_day(one, language)) if one.due else one.name
            for one in later[1 : 1 + _MOST_NEXT]
        ]
        yield filled(wording["after"], names=_listed(names, wording))


def _milestone_day(milestone: Milestone, language: str) -> str:
    return format_day(milestone.due, language) if milestone.due else ""


# ---------------------------------------------------------------- times


def _time(brief: Brief) -> Paragraph | None:
    """Free or taken, never by what, and slots to choose from. What the calendars do not know is promised by nobody."""
    if besides := invitation_sources(brief):  # the time that is asked about is the invitation's
        return Paragraph(sentences=(), sources=besides)
    answers = [answer for answer in brief.times.answers if answer.kind in {"free", "taken", "outside", "offer"}]
    offers = [answer for answer in answers if answer.kind == "offer"]
    named = [answer for answer in answers if answer.kind != "offer" and (answer.exact or not offers)]
    if not (named or offers) or brief.times.faults:
        return None
    wording, sentences = _wording(brief), list[str]()
    for answer in named:
        kind = "time_free" if answer.kind == "free" else "time_taken"
        sentences.append(filled(wording[kind], time=told_time(answer, brief.times, brief.language)))
    if offers:
        slots = [told_time(answer, brief.times, brief.language) for answer in offers]
        sentences.append(filled(wording["time_offer"], times=_listed(slots, {"and": wording["or"]})))
    return Paragraph(sentences=tuple(sentences), sources=tuple(answer.id for answer in (*named, *offers)))


# ---------------------------------------------------------------- prices


def _rate(brief: Brief, question: ClientQuestion) -> Paragraph | None:
    """The owner's rate, where that is what is asked for."""
    rate = next((fact for fact in brief.profile if fact.id == "profile:rate"), None)
    if rate is None or not asks_for_rate(question.text, brief.language):
        return None
    return Paragraph(sentences=(filled(_wording(brief)["rate"], rate=rate.quote),), sources=(rate.id,))


# ---------------------------------------------------------------- what is left open


def _come_back(brief: Brief, missing: Sequence[ClientQuestion]) -> str:
    """That an answer will come, and on what: by its topic, else in the client's words where they are harmless."""
    points = tuple(dict.fromkeys(_point(brief, question) for question in missing))
    wording = _wording(brief)
    return filled(wording["come_back"], points=_listed(points, wording)) if points else ""


def _point(brief: Brief, question: ClientQuestion) -> str:
    wording = _wording(brief)
    if question.topic is Topic.OTHER and not brief.plain:
        text = _harmless(brief, question)
        return filled(wording["quoted"], question=text) if text else str(wording["points"]["other"])
    return str(wording["points"][question.topic.value])


def _harmless(brief: Brief, question: ClientQuestion) -> str:
    """A stranger's text as it may be repeated to them: no link, address, number or sign of ours; "" when it may not."""
    text = question.text.strip(" ,;:-")
    if len(text) > _LONGEST_QUOTED or re.search(r"[“”„«»{}<>\[\]@]|\d{4,}", text):
        return ""
    return safe_line(text, allowed(Brief(case=brief.case, owner_name=brief.owner_name)), _LONGEST_QUOTED)


def _listed(names: Sequence[str], wording: dict[str, Any]) -> str:
    if len(names) < 2:  # noqa: PLR2004
        return "".join(names)
    return f"{', '.join(names[:-1])} {wording['and']} {names[-1]}"


def _wording(brief: Brief) -> dict[str, Any]:
    return words_in(brief.language, "desk")
