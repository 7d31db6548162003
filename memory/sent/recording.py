"""What a mail between the owner and a client changes of promises and of what waits for an answer, as it is recorded."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from memory.sent.follow_ups import AskedMail, BrokenSilence, end_waiting, note_asked
from memory.sent.promises import SentWords, keep_promises
from workflows.models.drafts import Outgoing
from workflows.models.mail import Email
from workflows.models.people import Client, Owner
from workflows.ports import Clock
from workflows.rules.mail import machines
from workflows.rules.mail.files import attached
from workflows.rules.mail.replying import written
from workflows.stories import Kind, facts_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SentNote:
    """A mail of the owner's that is being recorded: to whom, its source id, when it left."""

    owner: Owner
    clock: Clock
    client: Client
    mail: str
    at: datetime


def sent_by_hand(connection: Connection, note: SentNote, email: Email, earlier: tuple[str, ...]) -> None:
    """The owner wrote to a client from his own mail program. `earlier`: the mails it answers."""
    words = SentWords(
        client=note.client.id, mail=note.mail, text=written(email.text, earlier), at=note.at, files=attached(email)
    )
    keep_promises(connection, note.owner, words)
    ending = BrokenSilence(
        client=note.client.id, key=f"{email.identity}:news", summary="You wrote to them yourself.",
        ends="answered-by-owner",
    )  # fmt: skip
    end_waiting(connection, note.clock, ending, since=note.at)
    to = next((address for address in email.to if address.email.lower() in note.client.addresses), None)
    if to is not None:
        asked = AskedMail(
            client=note.client.id, mail=note.mail, origin="by_hand", text=words.text, to=to, subject=email.subject,
            message_id=email.message_id, references=email.references, at=note.at,
        )  # fmt: skip
        note_asked(connection, note.owner, asked)


def sent_by_deskhand(connection: Connection, note: SentNote, outgoing: Outgoing, kind: Kind, message_id: str) -> None:
    """A version left for a client after a yes. What was asked of them before is overtaken by it."""
    if outgoing.link:  # a text to be pasted has not left yet
        return
    words = SentWords(
        client=note.client.id, mail=note.mail, text=outgoing.body, at=note.at, files=outgoing.attachments
    )  # fmt: skip
    keep_promises(connection, note.owner, words)
    ending = BrokenSilence(
        client=note.client.id, key=f"{note.mail}:news", summary="Another mail went to them meanwhile.",
        ends="stopped", without=outgoing.case,
    )  # fmt: skip
    end_waiting(connection, note.clock, ending, since=note.at)
    if facts_of(kind).awaits_answer and outgoing.to:
        asked = AskedMail(
            client=note.client.id, mail=note.mail, origin="bid" if kind == "bid" else "sent", text=words.text,
            to=outgoing.to[0], subject=outgoing.subject, message_id=message_id, references=outgoing.references,
            at=note.at, case=outgoing.case,
        )  # fmt: skip
        note_asked(connection, note.owner, asked)


def client_wrote(connection: Connection, clock: Clock, client: str, email: Email) -> None:
    """Nothing that was asked of them waits for an answer any more. An automatic answer is none."""
    if machines.bounce(email) or machines.auto_reply(email) or machines.receipt(email):
        return
    ending = BrokenSilence(
        client=client, key=f"{email.identity}:news", summary="They wrote meanwhile.", ends="answered"
    )
    end_waiting(connection, clock, ending)
