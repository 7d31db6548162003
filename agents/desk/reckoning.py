"""Which of the client's questions a text answers, and from which sources: held against the facts, whoever wrote it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from agents.desk.answers import asked, with_file
from workflows.models.desk import ClientQuestion, InvoiceStanding, ProjectStanding, Reckoned, TimeAnswer, Times, Topic
from workflows.models.drafts import Brief, Draft
from workflows.models.money import Money
from workflows.rules.debts.notices import format_day
from workflows.rules.desk.questions import comes_back, plain, questions
from workflows.rules.desk.standing import invoice_id, project_id
from workflows.rules.desk.times import told_time
from workflows.rules.mail.replying import greets_somebody
from workflows.rules.text.languages import words_in
from workflows.rules.text.money import to_decimal

_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
_SHORTEST = 4
_ENOUGH = 2
"""So many telling words a sentence shares with a question that it answers."""


def reckoned(brief: Brief, draft: Draft) -> Draft:
    """The draft with the account of what it answers; a template's own account stays."""
    if draft.reckoning or not draft.body or brief.kind != "reply":
        return draft
    return replace(draft, reckoning=tuple(_reckon(brief, draft, question) for question in asked(brief)))


def _reckon(brief: Brief, draft: Draft, question: ClientQuestion) -> Reckoned:
    """By the figures, days and names of the topic that the text states; else by a sentence that speaks of it."""
    body = "\n".join(sentence for sentence in _said(draft.body, brief.language))
    sources = tuple(dict.fromkeys(_stated(brief, question, body)))
    if not sources and question.topic not in {Topic.MONEY, Topic.STATE}:
        sources = _spoken(brief, draft, question)
    outcome = Reckoned(question=question, sources=sources)
    return with_file(brief, outcome) if brief.offered else outcome


def _stated(brief: Brief, question: ClientQuestion, body: str) -> Iterator[str]:
    for fitting in brief.standing:
        if question.text in fitting.questions and plain(fitting.answer.text) in plain(body):
            yield f"answer:{fitting.answer.id}"
    if question.topic is Topic.MONEY:
        yield from (invoice_id(one) for one in brief.affairs.invoices if _names_invoice(one, body, brief.language))
    if question.topic is Topic.TIME:
        yield from (
            answer.id for answer in brief.times.answers if names_time(answer, brief.times, body, brief.language)
        )
    if question.topic is Topic.STATE:
        yield from (project_id(one) for one in brief.affairs.projects if _names_state(one, body, brief.language))


def _names_invoice(standing: InvoiceStanding, body: str, language: str) -> bool:
    invoice = standing.invoice
    named = invoice.number.casefold() in body.casefold()
    figures = any(_figure(amount) in _figures(body) for amount in (invoice.amount, invoice.balance) if amount.minor)
    days = (day for day in (invoice.due, standing.paid_on) if day)
    return named or figures or any(_names_day(day, body, language) for day in days)


def _names_state(project: ProjectStanding, body: str, language: str) -> bool:
    days = (day for day in (project.worked_on, project.next_update) if day)
    if any(_names_day(day, body, language) for day in days):
        return True
    names = (milestone.name for milestone in project.milestones)
    due = (milestone.due for milestone in project.milestones if milestone.due)
    return any(plain(name) in plain(body) for name in names) or any(_names_day(day, body, language) for day in due)


def names_time(answer: TimeAnswer, times: Times, body: str, language: str) -> bool:
    """The slot as the template writes it, or its day with its clock."""
    local = answer.start.astimezone(ZoneInfo(times.zone))
    clock = any(form in body for form in clocks(answer, times))
    weekday = words_in(language, "calendar")["weekdays"][local.weekday()]
    day = any(plain(name) in plain(body) for name in weekday[1:]) or _names_day(local.date(), body, language)
    return told_time(answer, times, language) in body or (clock and day)


def clocks(answer: TimeAnswer, times: Times) -> tuple[str, ...]:
    """How the beginning of a slot is written, on the owner's clock."""
    local = answer.start.astimezone(ZoneInfo(times.zone))
    return f"{local:%H:%M}", f"{local:%H.%M}", f"{local.hour}:{local:%M}"


def _names_day(day: date, body: str, language: str) -> bool:
    """`15 December` in the letter's language, or the day in figures."""
    written = plain(format_day(day, language)).removesuffix(str(day.year)).strip(" ,de")
    forms = (written, day.isoformat(), f"{day:%d.%m.%Y}", f"{day.day}.{day.month}.", f"{day:%d/%m}", f"{day:%m/%d}")
    return any(re.search(rf"(?<!\d){re.escape(form)}(?!\d)", plain(body)) for form in forms if form)


def _figures(body: str) -> set[str]:
    return {
        re.sub(r"\D", "", re.sub(r"[.,]00?$", "", run)) for run in re.findall(r"\d[\d.,' \u00a0\u202f]*\d|\d", body)
    }


def _figure(amount: Money) -> str:
    return re.sub(r"\D", "", re.sub(r"\.00?$", "", f"{to_decimal(amount):.2f}"))


def _spoken(brief: Brief, draft: Draft, question: ClientQuestion) -> tuple[str, ...]:
    """A question that no table knows: a sentence that shares its words and only says it is looked into is no answer."""
    words = _telling(question.text)
    spoken = any(len(words & _telling(sentence)) >= _ENOUGH for sentence in _said(draft.body, brief.language))
    if not spoken:
        return ()
    desk = {source.id for source in brief.facts}
    return tuple(source for source in draft.sources if source not in desk) or ("mail",)


def _said(body: str, language: str) -> Iterable[str]:
    """The sentences of a text that say something: none that only puts off, asks back or greets."""
    for sentence in _SENTENCE.split(body):
        puts_off = comes_back(sentence, language) or bool(questions(sentence, language))
        if sentence.strip() and not puts_off and not greets_somebody(sentence):
            yield sentence


def _telling(text: str) -> set[str]:
    return {word[:6] for word in re.findall(r"[^\W_]+", plain(text)) if len(word) >= _SHORTEST or word.isdigit()}
