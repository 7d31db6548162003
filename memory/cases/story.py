"""A case's whole story, read from the ledger alone."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from memory.cases.cases import CaseRow, case_row
from memory.post.mails import SeenMail, seen_mail, source_id
from memory.record.book import Book
from memory.record.schema import (
    answers,
    briefs,
    calls,
    cases,
    clients,
    documents,
    from_json,
    notes,
    outbox,
    seen,
    versions,
)
from workflows.errors import Permanent
from workflows.models.case import CaseState
from workflows.models.decisions import Answer
from workflows.models.drafts import Brief, Draft, DraftedBy, Outgoing, Source
from workflows.models.leads import Score


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionLine:
    """One version with its text. `by`: model | template | owner."""

    version: int
    state: str
    by: DraftedBy
    hash: str
    changed: str
    outgoing: Outgoing
    draft: Draft
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLine:
    """One answer of the owner and what the case said to it."""

    answer: Answer
    state: str
    result: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SendLine:
    """One mail of ours: `purpose` client | approval | notice."""

    intent: str
    purpose: str
    version: int
    recipients: tuple[str, ...]
    state: str
    message_id: str
    attempts: int
    detail: str
    at: datetime
    claimed_at: datetime | None
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLine:
    """One call of a language model."""

    version: int
    step: str
    ordinal: int
    model: str
    state: str
    input_tokens: int
    output_tokens: int
    cost: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteLine:
    what: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStory:
    """Everything the ledger knows of a case, each part oldest first."""

    row: CaseRow
    state: CaseState
    events: tuple[SeenMail, ...]
    versions: tuple[VersionLine, ...]
    answers: tuple[AnswerLine, ...]
    sends: tuple[SendLine, ...]
    calls: tuple[CallLine, ...]
    notes: tuple[NoteLine, ...]
    texts: Mapping[str, str]  # of the received mails that are remembered, by the event's key
    sources: tuple[Source, ...]  # what the newest brief was given
    facts: tuple[Source, ...] = ()  # what it may state besides: of pages, invoices, logged work
    score: Score | None = None  # of a lead


class StoryBook(Book):
    """Reading a case as a whole."""

    def story(self, number: int) -> CaseStory:
        """Everything about one case, in one consistent look.

        Raises:
            Permanent: there is no such case.
        """
        query = select(cases, clients.c.name).outerjoin(clients, clients.c.id == cases.c.client)
        with self._reading() as connection:
            row = connection.execute(query.where(cases.c.number == number)).first()
            if row is None:
                raise Permanent(f"There is no case {number} in the ledger.")

            def lines(table: Any, *order: Any) -> Sequence[Row[Any]]:
                return connection.execute(select(table).where(table.c.case == number).order_by(*order)).all()

            newest = next((from_json(Brief, line.brief) for line in reversed(lines(briefs, briefs.c.id))), None)
            return CaseStory(
                row=case_row(row),
                state=from_json(CaseState, row.state),
                events=tuple(seen_mail(line) for line in lines(seen, seen.c.id)),
                versions=tuple(_version(line) for line in lines(versions, versions.c.version)),
                answers=tuple(_answer(line) for line in lines(answers, answers.c.at, answers.c.key)),
                sends=tuple(send_line(line) for line in lines(outbox, outbox.c.id)),
                calls=tuple(_call(line) for line in lines(calls, calls.c.at, calls.c.version, calls.c.ordinal)),
                notes=tuple(NoteLine(what=line.what, at=line.at) for line in lines(notes, notes.c.id)),
                texts=_texts(lines(seen, seen.c.id), lines(documents, documents.c.at)),
                sources=newest.sources if newest else (),
                facts=newest.facts if newest else (),
                score=newest.score if newest else None,
            )


def _version(row: Row[Any]) -> VersionLine:
    return VersionLine(
        version=row.version,
        state=row.state,
        by=DraftedBy(row.by),
        hash=row.hash,
        changed=row.changed,
        outgoing=from_json(Outgoing, row.outgoing),
        draft=from_json(Draft, row.draft),
        at=row.at,
    )


def _answer(row: Row[Any]) -> AnswerLine:
    return AnswerLine(answer=from_json(Answer, row.answer), state=row.state, result=row.result, at=row.at)


def send_line(row: Row[Any]) -> SendLine:
    return SendLine(
        intent=row.intent,
        purpose=row.purpose,
        version=row.version,
        recipients=tuple(json.loads(row.recipients)),
        state=row.state,
        message_id=row.message_id,
        attempts=row.attempts,
        detail=f"{row.detail} Not in Sent yet: {row.unfiled}".strip() if row.unfiled else row.detail,
        at=row.at,
        claimed_at=row.claimed_at,
        sent_at=row.sent_at,
    )


def _call(row: Row[Any]) -> CallLine:
    return CallLine(
        version=row.version,
        step=row.step,
        ordinal=row.ordinal,
        model=row.model,
        state=row.state,
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        cost=row.cost,
        at=row.at,
    )


def _texts(events: Sequence[Row[Any]], kept: Sequence[Row[Any]]) -> dict[str, str]:
    texts = {document.id: document.text for document in kept if document.kind == "received"}
    return {event.key: texts[source_id(event.key)] for event in events if source_id(event.key) in texts}
