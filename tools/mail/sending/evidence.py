"""What the owner's own mailbox proves about a mail that was handed over: is it in Sent, in All Mail, in INBOX."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from memory.outbox.entries import Entry
from tools.mail.inbox import Mailbox
from tools.mail.sending.servers import files_what_it_sends
from workflows.errors import NeedsOwner, Permanent
from workflows.models.drafts import Outgoing
from workflows.models.mail import Attachment, Email
from workflows.rules.text.canonical import body_hash
from workflows.rules.triage import OUR_HEADER

FilesSent = Literal["auto", "yes", "no"]

_NEWEST = 10
_SAME_TIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailCopy:
    """A copy of the mail; `message_id` is what it is called there, which may be another name than ours."""

    folder: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Looks for our mails in the owner's mailbox. `parse` is the limited parser; `sent` the setting imap.sent."""

    mailbox: Mailbox
    parse: Callable[[bytes], Email]
    sent: str = ""

    async def in_sent(self, entry: Entry, content: bytes) -> MailCopy | None:
        """The copy in Sent or All Mail: by our id, by the id the server gave, or by body, subject, people and time.

        Raises:
            Retryable, NeedsOwner: the mailbox cannot be looked into.
        """
        folders = await self._where_sent_mail_lies()
        ids = [message_id for message_id in (entry.message_id, entry.server_id) if message_id]
        for folder in folders:
            if (copy := await self._by_id(folder, ids)) is not None:
                return copy
        own_mail = await asyncio.to_thread(self.parse, content)
        for folder in folders:
            if (copy := await self._by_body(folder, entry, own_mail)) is not None:
                return copy
        return None

    async def same_mail(self, outgoing: Outgoing, since: datetime, ids: Sequence[str] = ()) -> MailCopy | None:
        """A sent mail that is this version, for whatever ledger it left: by id, else by people, subject and text.

        Raises:
            Retryable, NeedsOwner: the mailbox cannot be looked into.
        """
        for folder in await self._where_sent_mail_lies():
            if (copy := await self._by_id(folder, ids)) is not None:
                return copy
            for listed in await self.mailbox.find(folder, since=since - timedelta(days=1), part="header"):
                header = await self._read(listed.content)
                if header is None or not header.message_id or not _is_to_the_same(outgoing, header):
                    continue
                for raw in await self.mailbox.find(folder, message_id=header.message_id):
                    stored_mail = await self._read(raw.content)
                    if stored_mail is None or _hashes(stored_mail.attachments) != _hashes(outgoing.attachments):
                        continue
                    if body_hash(stored_mail.text) == body_hash(outgoing.body):
                        return MailCopy(folder=folder, message_id=header.message_id)
        return None

    async def written_to(self, address: str, own: frozenset[str]) -> bool:
        """Whether a mail from one of the `own` addresses to this one lies among the owner's sent mails.

        Raises:
            Retryable, NeedsOwner: the mailbox cannot be looked into.
        """
        recipient = address.lower()
        for folder in await self._where_sent_mail_lies() if recipient.isascii() else ():
            # The server searches for a piece of the header: the newest few are read to the letter.
            for listed in await self.mailbox.find(folder, to=recipient, part="header", newest=_NEWEST):
                header = await self._read(listed.content)
                people = () if header is None else (*header.to, *header.cc)
                by_owner = header is not None and header.sender.email.lower() in own
                if by_owner and recipient in {person.email.lower() for person in people}:
                    return True
        return False

    async def in_inbox(self, entry: Entry, content: bytes) -> MailCopy | None:
        """The copy of a mail to the owner in the owner's INBOX: by id, else by our marks, else by its text.

        Raises:
            Retryable, NeedsOwner: the mailbox cannot be looked into.
        """
        return await self._arrived("INBOX", entry, content)

    async def anywhere(self, entry: Entry, content: bytes) -> MailCopy | None:
        """The copy of a mail to the owner wherever a reader may have it: INBOX, Junk, Trash, folders of the owner's.

        Where sent mail and drafts lie is left out: a copy there says nothing about what arrived.
        """
        folders = [folder for folder in await self.mailbox.folders() if folder.use not in {"sent", "all", "drafts"}]
        names = ["INBOX", *(folder.name for folder in sorted(folders, key=lambda folder: folder.use != "junk"))]
        for name in dict.fromkeys(names):
            with contextlib.suppress(NeedsOwner):  # a name that is listed and cannot be opened
                if copy := await self._arrived(name, entry, content):
                    return copy
        return None

    async def junk_folders(self) -> tuple[str, ...]:
        """The folders for unwanted mail."""
        return tuple(folder.name for folder in await self.mailbox.folders() if folder.use == "junk")

    async def put_into_inbox(self, content: bytes) -> None:
        """Put a mail to the owner into INBOX, unread.

        Raises:
            Retryable: not now, or not known whether it lies there. NeedsOwner: the mailbox is full.
        """
        await self.mailbox.append("INBOX", content, ())

    async def file(self, content: bytes) -> None:
        """Put a copy into Sent.

        Raises:
            Retryable: not now. NeedsOwner: there is no Sent folder.
        """
        folders = await self.mailbox.sent_folders(self.sent)
        if not folders:
            raise NeedsOwner(
                "The mailbox has no Sent folder, so copies of sent mails cannot be kept.",
                "Make one in your mail program, or name it at imap.sent.",
            )
        await self.mailbox.append(folders[0].name, content)

    async def _where_sent_mail_lies(self) -> list[str]:
        sent = [folder.name for folder in await self.mailbox.sent_folders(self.sent)]
        everything = [folder.name for folder in await self.mailbox.folders() if folder.use == "all"]
        return list(dict.fromkeys((*sent, *everything)))

    async def _by_id(self, folder: str, ids: Sequence[str]) -> MailCopy | None:
        for message_id in ids:
            if await self.mailbox.find(folder, message_id=message_id, part="header"):
                return MailCopy(folder=folder, message_id=message_id)
        return None

    async def _arrived(self, folder: str, entry: Entry, content: bytes) -> MailCopy | None:
        """Many a server gives a mail another Message-ID on its way, so that alone proves nothing."""
        ids = [message_id for message_id in (entry.message_id, entry.server_id) if message_id]
        if copy := await self._by_id(folder, ids) or await self._by_marks(folder, entry):
            return copy
        return await self._by_body(folder, entry, await asyncio.to_thread(self.parse, content))

    async def _by_marks(self, folder: str, entry: Entry) -> MailCopy | None:
        """By the reference that nobody else can know. An answer inherits it, but neither alone nor with our header."""
        if not entry.reference:
            return None
        for listed in await self.mailbox.find(folder, answering=(entry.reference,), part="header"):
            header = await self._read(listed.content)
            if header is not None and header.has_header(OUR_HEADER) and header.references == (entry.reference,):
                return MailCopy(folder=folder, message_id=header.message_id)
        return None

    async def _by_body(self, folder: str, entry: Entry, ours: Email) -> MailCopy | None:
        since = entry.claimed_at or entry.at
        # IMAP's SINCE knows days of an unknown zone: one day earlier is asked for. Headers first: they are cheap.
        for listed in await self.mailbox.find(folder, since=since - timedelta(days=1), part="header"):
            header = await self._read(listed.content)
            if header is None or not header.message_id or not _same_envelope(entry, ours, header):
                continue
            for raw in await self.mailbox.find(folder, message_id=header.message_id):
                stored_mail = await self._read(raw.content)
                if stored_mail is None or _hashes(stored_mail.attachments) != _hashes(ours.attachments):
                    continue
                if body_hash(stored_mail.text) == entry.body_hash:
                    return MailCopy(folder=folder, message_id=header.message_id)
        return None

    async def _read(self, content: bytes) -> Email | None:
        try:
            return await asyncio.to_thread(self.parse, content)
        except Permanent:
            return None  # a mail that cannot be read proves nothing


def _same_envelope(entry: Entry, ours: Email, theirs: Email) -> bool:
    people = {address.email.lower() for address in (*theirs.to, *theirs.cc)}
    if theirs.date is None or theirs.subject != ours.subject or people != {name.lower() for name in entry.recipients}:
        return False
    times = [at for at in (ours.date, entry.claimed_at) if at is not None]
    return any(abs(theirs.date - at) <= _SAME_TIME for at in times)


def _hashes(files: Iterable[Attachment]) -> list[str]:
    """What a mail carries, whatever the files are called and in whatever order they stand."""
    return sorted(file.sha256 for file in files)


def _is_to_the_same(outgoing: Outgoing, theirs: Email) -> bool:
    people = {address.email.lower() for address in (*outgoing.to, *outgoing.cc)}
    thread = not outgoing.in_reply_to or outgoing.in_reply_to in theirs.parents
    return (
        thread
        and theirs.subject == outgoing.subject
        and people == {address.email.lower() for address in (*theirs.to, *theirs.cc)}
    )


def known_to_file(host: str, setting: FilesSent) -> bool | None:
    """Whether this SMTP server files what it sends, by the owner's word or by our table; None: not known."""
    if setting != "auto":
        return setting == "yes"
    return True if files_what_it_sends(host) else None
