"""Cases: where each stands, and the versions of its drafts. What is approved is a row here, bound by its hash."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, literal, select, update

from memory.cases.decided import has_yes, refuse_older
from memory.money.objections import rest_after_complaint
from memory.post.mails import add_to_thread
from memory.record import documents
from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.people import hold_proactive, mark_written_to, read_client
from memory.record.schema import briefs, cases, clients, from_json, mails, notes, outbox, seen, to_json, versions
from memory.sent.recording import SentNote, sent_by_deskhand
from workflows.errors import Permanent
from workflows.models.case import CaseState
from workflows.models.decisions import Attach, Without
from workflows.models.drafts import Brief, Draft, DraftedBy, Outgoing
from workflows.models.mail import Email
from workflows.models.people import Client, Owner
from workflows.ports import Clock
from workflows.rules.asking.proposed import too_much
from workflows.rules.files.carried import too_large, with_change
from workflows.rules.mail.replying import reply_to
from workflows.rules.text.addresses import unsendable
from workflows.rules.text.canonical import approved_hash, canonical
from workflows.stories import facts_of

_ANSWERED = frozenset({"sent", "sent-by-owner", "answered-by-owner", "mine"})
_CLAIMED = ("claimed", "committing", "sent", "uncertain")
_APPROVAL_STANDS = frozenset({"approved", "sending", "placed", "closed"})
_ENDS_AS = {
    "sent": "approved",
    "won": "approved",
    "lost": "approved",
    "no-answer": "approved",
    "uncertain": "approved",
    "failed": "approved",
    "expired": "expired",
    "sent-by-owner": "superseded",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One line of the list of cases. `client_name` and `title` are the client's words."""

    number: int
    kind: str
    client: str
    client_name: str
    title: str
    stage: str
    outcome: str
    version: int
    hold: str
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None


class Cases(Book):
    """The state of every case and the text of every version."""

    _owner: Owner  # whose ledger it is: from `Around`

    # ------------------------------------------------------------ where a case stands

    def case(self, number: int) -> CaseState:
        """Where the case stands now.

        Raises:
            Permanent: there is no such case.
        """
        with self._reading() as connection:
            return _state(connection, number)

    def save_case(self, state: CaseState) -> None:
        """Keep where the case stands. An approval that the case has gone back on is withdrawn with it."""
        with self._writing() as connection:
            self._save(connection, state)
            if state.stage not in _APPROVAL_STANDS:
                _set_unsent_version(connection, state, ("approved",), "current")

    def close_case(self, state: CaseState) -> None:
        """Keep the outcome; the case is ended, and nothing of it can be claimed for sending any more."""
        with self._writing() as connection:
            self._save(connection, replace(state, stage="closed"))
            _end_hold(connection, self._clock, state)
            ended = _ENDS_AS.get(state.outcome, "rejected")
            if ended != "approved":
                _set_unsent_version(connection, state, ("current", "approved"), ended)

    def _save(self, connection: Connection, state: CaseState) -> None:
        refuse_older(connection, state)
        now = self._clock.now()
        values = {"stage": state.stage, "state": to_json(state), "updated_at": now, "client": state.client}
        if state.stage == "closed":
            values["closed_at"] = func.coalesce(cases.c.closed_at, literal(now, cases.c.closed_at.type))
        if connection.execute(update(cases).where(cases.c.number == state.case).values(**values)).rowcount != 1:
            raise Permanent(f"There is no case {state.case} in the ledger.")

    def open_cases(self) -> tuple[CaseState, ...]:
        """Every case that has not ended, oldest first."""
        query = select(cases.c.state).where(cases.c.closed_at.is_(None)).order_by(cases.c.number)
        with self._reading() as connection:
            return tuple(from_json(CaseState, text) for text in connection.execute(query).scalars())

    def case_rows(self, limit: int = 50) -> tuple[CaseRow, ...]:
        """The cases, newest first."""
        query = select(cases, clients.c.name).outerjoin(clients, clients.c.id == cases.c.client)
        with self._reading() as connection:
            return tuple(
                case_row(row) for row in connection.execute(query.order_by(cases.c.number.desc()).limit(limit))
            )

    def client_of(self, case: int) -> Client | None:
        """Whom the case is with."""
        with self._reading() as connection:
            return read_client(connection, _state(connection, case).client)

    def note(self, case: int, what: str) -> None:
        """One line for the case's story."""
        with self._writing() as connection:
            connection.execute(insert(notes).values(case=case, what=what, at=self._clock.now()))

    def case_mails(self, state: CaseState) -> tuple[tuple[Email, str, datetime], ...]:
        """The received mails the state knows of, in the order they came: (mail, its client's id, when it came)."""
        with self._reading() as connection:
            return _case_mails(connection, state)

    # ------------------------------------------------------------ briefs

    def keep_brief(self, brief: Brief, key: str) -> int:
        """Store a brief and give its id; the same case and key again give the first one's."""
        with self._writing() as connection:
            brief_id = _brief_with(connection, brief.case, key)
            if brief_id:
                return brief_id
            row = insert(briefs).values(case=brief.case, key=key, brief=to_json(brief), at=self._clock.now())
            new_id: int = connection.execute(row.returning(briefs.c.id)).scalar_one()
        return new_id

    def brief_with(self, case: int, key: str) -> int:
        """The id of the brief stored under this key, 0 when there is none."""
        with self._reading() as connection:
            return _brief_with(connection, case, key)

    def stored_brief(self, brief: int) -> Brief:
        """The brief with that id."""
        with self._reading() as connection:
            text = connection.execute(select(briefs.c.brief).where(briefs.c.id == brief)).scalar()
        if text is None:
            raise Permanent(f"There is no brief {brief} in the ledger.")
        return from_json(Brief, text)

    def brief_of(self, case: int) -> Brief:
        """The brief that the case works from now."""
        return self.stored_brief(self.case(case).brief)

    # ------------------------------------------------------------ versions

    def add_version(self, state: CaseState, draft: Draft) -> CaseState:
        """Keep a draft as the next version and the state that has it, in one transaction.

        Recipients and thread come from the ledger. The same draft again gives the
        version it already has. Different text never replaces a kept version: it becomes the one after.
        """
        with self._writing() as connection:
            version = _same_draft(connection, state, draft)
            if version is None:
                version = self._insert_version(connection, state, draft)
            number, digest = version
            keys = tuple(proposal.key for proposal in draft.proposals)
            after = replace(state, version=number, hash=digest, stage="drafted", proposals=keys)
            self._save(connection, after)
        return after

    def change_parts(self, state: CaseState, change: Attach | Without) -> CaseState:
        """The state's version with further files or without some of its parts, kept as the next one. Idempotent."""
        outgoing, draft = self.outgoing(state.case, state.version), self.draft(state.case, state.version)
        changed = with_change(outgoing, change)
        return self.add_version(
            state, replace(draft, body=outgoing.body, attachments=changed.attachments, proposals=changed.proposals)
        )

    def _insert_version(self, connection: Connection, state: CaseState, draft: Draft) -> tuple[int, str]:
        newest = select(func.max(versions.c.version)).where(versions.c.case == state.case)
        number = max(connection.execute(newest).scalar() or 0, state.version) + 1
        outgoing = _outgoing(connection, state, canonical(draft.body), number)
        outgoing = replace(outgoing, attachments=draft.attachments, proposals=draft.proposals)
        _require_sendable(outgoing)
        digest, now = approved_hash(outgoing), self._clock.now()
        _supersede(connection, state.case)
        connection.execute(
            insert(versions).values(
                case=state.case,
                version=number,
                outgoing=to_json(outgoing),
                draft=to_json(draft),
                changed=state.changed,
                hash=digest,
                state="current",
                by=draft.by,
                at=now,
            )
        )
        kind = "edited" if draft.by is DraftedBy.OWNER else "drafted"
        documents.keep(connection, _text(outgoing, kind, state.client, now))
        return number, digest

    def approve_version(self, state: CaseState) -> bool:
        """The owner said yes to the state's current version: kept with the state, in one transaction.

        False, and nothing is kept, when no such yes is on record: whoever asks for it was not told so by the owner.

        Raises:
            Permanent: that version is not current, or is not the text that was approved.
        """
        with self._writing() as connection:
            row = _version_row(connection, state.case, state.version)
            if row.hash != state.hash or row.state not in {"current", "approved"}:
                raise Permanent(f"Version {state.case}.{state.version} is {row.state} and cannot be approved any more.")
            if not has_yes(connection, row):
                return False
            self._save(connection, state)
            _set_state(connection, state.case, state.version, "approved")
        return True

    def outgoing(self, case: int, version: int) -> Outgoing:
        """The version exactly as it would leave.

        Raises:
            Permanent: there is no such version.
        """
        with self._reading() as connection:
            return from_json(Outgoing, _version_row(connection, case, version).outgoing)

    def draft(self, case: int, version: int) -> Draft:
        """Where the version came from."""
        with self._reading() as connection:
            return from_json(Draft, _version_row(connection, case, version).draft)

    def version_hash(self, case: int, version: int) -> str:
        """The approved hash of the version."""
        with self._reading() as connection:
            return str(_version_row(connection, case, version).hash)

    def version_states(self, numbers: Iterable[int]) -> dict[tuple[int, int], str]:
        """The state of every version of these cases, by (case, version)."""
        query = select(versions.c.case, versions.c.version, versions.c.state)
        with self._reading() as connection:
            rows = connection.execute(query.where(versions.c.case.in_(tuple(numbers))))
            return {(row.case, row.version): row.state for row in rows}

    # ------------------------------------------------------------ sent

    def left_at(self, case: int, version: int) -> datetime | None:
        """When the version left for the client; None when it did not."""
        with self._reading() as connection:
            row = _sent_row(connection, case, version)
        return row.sent_at if row is not None else None

    def record_sent(self, case: int, version: int) -> None:
        """The version reached the client: it becomes memory, and its Message-IDs part of the conversation."""
        with self._writing() as connection:
            outgoing = from_json(Outgoing, _version_row(connection, case, version).outgoing)
            client = _state(connection, case).client
            row = _sent_row(connection, case, version)
            at = (row.sent_at if row else None) or self._clock.now()
            document = _text(outgoing, "sent", client, at)
            documents.keep(connection, document)
            if (person := read_client(connection, client)) is not None:
                note = SentNote(owner=self._owner, clock=self._clock, client=person, mail=document.id, at=at)
                kind = _state(connection, case).kind
                sent_by_deskhand(connection, note, outgoing, kind, row.message_id if row else "")
            for message_id in (row.message_id, row.server_id) if row else ():
                add_to_thread(connection, message_id, case)
            mark_written_to(connection, client)


# ---------------------------------------------------------------- rows


def case_row(row: Row[Any]) -> CaseRow:
    state = from_json(CaseState, row.state)
    return CaseRow(
        number=row.number,
        kind=row.kind,
        client=row.client,
        client_name=row.name or "",
        title=row.title,
        stage=row.stage,
        outcome=state.outcome,
        version=state.version,
        hold=state.hold,
        opened_at=row.opened_at,
        updated_at=row.updated_at,
        closed_at=row.closed_at,
    )


def _state(connection: Connection, number: int) -> CaseState:
    text = connection.execute(select(cases.c.state).where(cases.c.number == number)).scalar()
    if text is None:
        raise Permanent(f"There is no case {number} in the ledger.")
    return from_json(CaseState, text)


def _version_row(connection: Connection, case: int, version: int) -> Row[Any]:
    of_version = (versions.c.case == case) & (versions.c.version == version)
    row = connection.execute(select(versions).where(of_version)).first()
    if row is None:
        raise Permanent(f"There is no version {case}.{version} in the ledger.")
    return row


def _same_draft(connection: Connection, state: CaseState, draft: Draft) -> tuple[int, str] | None:
    """The version after the state's that holds this very draft: the same call, made again."""
    later = (versions.c.case == state.case) & (versions.c.version > state.version) & (versions.c.by == draft.by)
    rows = connection.execute(select(versions).where(later).order_by(versions.c.version.desc()))
    # Compared as values: an older Deskhand wrote fewer fields.
    return next(((row.version, row.hash) for row in rows if from_json(Draft, row.draft) == draft), None)


def _case_mails(connection: Connection, state: CaseState) -> tuple[tuple[Email, str, datetime], ...]:
    keys = (state.event, *state.heard)
    query = (
        select(mails.c.email, mails.c.client, seen.c.at)
        .join(seen, seen.c.key == mails.c.identity)
        .where(seen.c.kind == "mail", seen.c.key.in_(keys))
        .order_by(seen.c.id)
    )
    return tuple((from_json(Email, row.email), row.client, row.at) for row in connection.execute(query))


def _require_sendable(outgoing: Outgoing) -> None:
    """A draft that could never leave is not asked about; its case says why instead.

    Raises:
        Permanent: nobody is named, no mail can go to who is, or its files are too large.
    """
    if problem := too_large(outgoing.attachments) or too_much(outgoing.proposals):
        raise Permanent(f"{problem[:1].upper()}{problem[1:]}")
    if outgoing.link:
        return
    if not outgoing.to:
        raise Permanent("It names no address that could be written to.")
    for address in (*outgoing.to, *outgoing.cc):
        if problem := unsendable(address.email):
            raise Permanent(problem)


def _outgoing(connection: Connection, state: CaseState, body: str, number: int) -> Outgoing:
    """To whom and in which thread this text would leave: of the mail it answers, else of its brief."""
    if facts_of(state.kind).answers_them:
        return reply_to(_mail_to_answer(connection, state), body, state.case, number)
    text = connection.execute(select(briefs.c.brief).where(briefs.c.id == state.brief)).scalar()
    envelope = from_json(Brief, text).envelope if text else None
    if envelope is None:
        raise Permanent(f"The brief of case {state.case} names nobody to write to.")
    return Outgoing(
        case=state.case,
        version=number,
        to=envelope.to,
        subject=envelope.subject,
        body=body,
        in_reply_to=envelope.in_reply_to,
        references=envelope.references,
        proactive=envelope.proactive,
        link=envelope.link,
    )


def _mail_to_answer(connection: Connection, state: CaseState) -> Email:
    """The client's newest mail. Others may write in the same conversation; the answer never turns to them."""
    client_mails = [email for email, client, _ in _case_mails(connection, state) if client == state.client]
    if not client_mails:
        raise Permanent(f"Case {state.case} has no mail of its client to answer.")
    return client_mails[-1]


def _brief_with(connection: Connection, case: int, key: str) -> int:
    same_key = (briefs.c.case == case) & (briefs.c.key == key)
    return connection.execute(select(briefs.c.id).where(same_key)).scalar() or 0


def _set_state(connection: Connection, case: int, version: int, state: str) -> None:
    of_version = (versions.c.case == case) & (versions.c.version == version)
    connection.execute(update(versions).where(of_version).values(state=state))


def _end_hold(connection: Connection, clock: Clock, state: CaseState) -> None:
    """The owner has seen to the complaint: what is proactive may go to the client again, unless another one is open."""
    if not state.hold or state.outcome == "expired":
        return
    other_cases = (cases.c.client == state.client) & cases.c.closed_at.is_(None) & (cases.c.number != state.case)
    rows = connection.execute(select(cases.c.state).where(other_cases)).scalars()
    if not any(text and from_json(CaseState, text).hold for text in rows):
        hold_proactive(connection, state.client, "")
    if state.outcome in _ANSWERED:
        rest_after_complaint(connection, clock, state.client, state.case)


def _claimed(case: int) -> Select[tuple[int]]:
    return select(outbox.c.version).where(
        outbox.c.purpose == "client", outbox.c.case == case, outbox.c.state.in_(_CLAIMED)
    )


def _supersede(connection: Connection, case: int) -> None:
    """A newer text stands: no older one can be sent any more, approved or not."""
    live = (versions.c.case == case) & versions.c.state.in_(("current", "approved"))
    unsent = versions.c.version.not_in(_claimed(case))
    connection.execute(update(versions).where(live, unsent).values(state="superseded"))


def _set_unsent_version(connection: Connection, state: CaseState, found: tuple[str, ...], after: str) -> None:
    of_version = (versions.c.case == state.case) & (versions.c.version == state.version) & versions.c.state.in_(found)
    unsent = versions.c.version.not_in(_claimed(state.case))
    connection.execute(update(versions).where(of_version, unsent).values(state=after))


def _sent_row(connection: Connection, case: int, version: int) -> Row[Any] | None:
    of_version = (outbox.c.purpose == "client") & (outbox.c.case == case) & (outbox.c.version == version)
    return connection.execute(select(outbox).where(of_version)).first()


def _text(outgoing: Outgoing, kind: str, client: str, at: datetime) -> documents.Document:
    """A version as a text of the client's history; `kind`: drafted | edited | sent."""
    stage = "sent" if kind == "sent" else "draft"
    return documents.Document(
        id=f"{stage}:{outgoing.case}.{outgoing.version}",
        client=client,
        case=outgoing.case,
        kind=kind,
        subject=outgoing.subject,
        text=outgoing.body,
        at=at,
    )
