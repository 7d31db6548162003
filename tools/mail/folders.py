"""What Deskhand keeps in order in the owner's folders, when asked to: drafts to send by hand, its own mails tidied."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from memory.leads.placed import EndedCaseMail, Placed, PlacedDraft
from memory.record.blobs import Blobs
from tools.mail import mime
from tools.mail.inbox import Mailbox
from workflows.errors import NeedsOwner, Permanent
from workflows.models.drafts import Outgoing
from workflows.models.mail import Address, Email, RawMail
from workflows.models.people import Owner
from workflows.ports import Clock
from workflows.rules.text.canonical import body_hash

FOLDER = "Deskhand"
Tidy = Literal["off", "folder", "archive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafts:
    """`approval.deliver = "drafts"`: each version that waits for a yes also lies in Drafts, in its thread."""

    placed: Placed
    mailbox: Mailbox
    blobs: Blobs
    owner: Owner
    clock: Clock

    async def round(self) -> None:
        """Put what waits into Drafts, and take away what no longer stands, if nobody has touched it.

        Raises:
            Retryable: not now. NeedsOwner: there is no Drafts folder.
        """
        for draft in await asyncio.to_thread(self.placed.drafts_to_remove):
            await self._remove(draft)
        for draft in await asyncio.to_thread(self.placed.drafts_begun):
            if await self._is_there(draft):
                await asyncio.to_thread(self.placed.keep_draft, draft, "placed")
            else:
                await self._append(draft)
        for draft, outgoing in await asyncio.to_thread(self.placed.drafts_to_place):
            await self._place(draft, outgoing)

    async def _place(self, draft: PlacedDraft, outgoing: Outgoing) -> None:
        folder = await self._folder()
        # The id follows from the version: whoever composes it again after a crash makes the same mail.
        seed = hashlib.sha256(f"{self.owner.address}\n{outgoing.case}.{outgoing.version}\n{outgoing.body}".encode())
        message_id = f"<{seed.hexdigest()[:32]}@{self.owner.address.rpartition('@')[2]}>"
        content = mime.compose(
            sender=Address(email=self.owner.address, name=self.owner.name),
            to=outgoing.to,
            cc=outgoing.cc,
            subject=outgoing.subject,
            body=outgoing.body,
            message_id=message_id,
            date=self.clock.now().astimezone(ZoneInfo(self.owner.timezone)).replace(microsecond=0),
            in_reply_to=outgoing.in_reply_to,
            references=outgoing.references,
        )
        blob = await asyncio.to_thread(self.blobs.put, content)
        new_draft = PlacedDraft(case=draft.case, version=draft.version, message_id=message_id, folder=folder, blob=blob)
        await asyncio.to_thread(self.placed.keep_draft, new_draft, "begun")
        await self._append(new_draft)

    async def _append(self, draft: PlacedDraft) -> None:
        content = await asyncio.to_thread(self.blobs.get, draft.blob)
        await self.mailbox.append(draft.folder, content, ("\\Draft", "\\Seen"))
        await asyncio.to_thread(self.placed.keep_draft, draft, "placed")

    async def _remove(self, draft: PlacedDraft) -> None:
        """Only what is still ours to the byte is taken away; what the owner has edited is the owner's."""
        content = await asyncio.to_thread(self.blobs.get, draft.blob)
        state = "removed"
        for mail in await self.mailbox.find(draft.folder, message_id=draft.message_id):
            if _same(mail.content, content) and await self.mailbox.take_away(mail):
                continue
            state = "changed"
        await asyncio.to_thread(self.placed.keep_draft, draft, state)

    async def _is_there(self, draft: PlacedDraft) -> bool:
        return bool(await self.mailbox.find(draft.folder, message_id=draft.message_id, part="header"))

    async def _folder(self) -> str:
        drafts_folder = next((folder.name for folder in await self.mailbox.folders() if folder.use == "drafts"), "")
        if not drafts_folder:
            raise NeedsOwner(
                "The mailbox has no Drafts folder, so drafts cannot be put there.",
                'Make one in your mail program, or set approval.deliver = "send".',
            )
        return drafts_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidying:
    """`approval.tidy`: our own mails about ended cases and the owner's answers to them leave INBOX; nobody else's."""

    placed: Placed
    mailbox: Mailbox
    parse: Callable[[bytes], Email]  # the limited parser
    owner: Owner
    where: Tidy

    async def round(self) -> None:
        """Move what may be moved.

        Raises:
            Retryable: not now. NeedsOwner: there is no folder to move to.
        """
        waiting = await asyncio.to_thread(self.placed.own_mails_to_tidy)
        if self.where == "off" or not waiting:
            return
        target = await self._target()
        for mail in waiting:
            await self._tidy(mail, target)

    async def _tidy(self, mail: EndedCaseMail, target: str) -> None:
        for message_id in mail.message_ids:
            for copy in await self.mailbox.find("INBOX", message_id=message_id):
                if await self._is_ours(copy, message_id, mail.body_hash):
                    await self.mailbox.move(copy, target)
        await self._tidy_answers(mail, target)
        await asyncio.to_thread(self.placed.mark_tidied, mail.intent)

    async def _tidy_answers(self, mail: EndedCaseMail, target: str) -> None:
        """The copies in INBOX of the owner's own answers to it: those that were proven to be the owner's, no others."""
        parents = [*mail.message_ids, *([mail.reference] if mail.reference else [])]
        if not mail.answers or not parents:
            return
        for answer in await self.mailbox.find("INBOX", answering=parents):
            if await self._identity(answer) in mail.answers:
                await self.mailbox.move(answer, target)

    async def _identity(self, found: RawMail) -> str:
        try:
            email = await asyncio.to_thread(self.parse, found.content)
        except Permanent:
            return ""
        return email.identity if email.sender.email.lower() in self.owner.addresses else ""

    async def _is_ours(self, found: RawMail, message_id: str, body: str) -> bool:
        """Our id, our header and our very text: an id alone can be written by anybody."""
        try:
            email = await asyncio.to_thread(self.parse, found.content)
        except Permanent:
            return False
        from_owner = email.sender.email.lower() in self.owner.addresses
        marked = email.message_id == message_id and email.has_header("x-deskhand-case")
        return from_owner and marked and body_hash(email.text) == body

    async def _target(self) -> str:
        folders = await self.mailbox.folders()
        if self.where == "archive":
            archive = next(
                (folder.name for folder in folders if _is_archive(folder.use, folder.flags, folder.name)), ""
            )
            if archive:
                return archive
        else:
            archive = ""
        name = archive or (FOLDER if self.where == "folder" else "Archive")
        if name not in {folder.name for folder in folders}:
            await self.mailbox.create(name)
        return name


def _is_archive(use: str, flags: tuple[str, ...], name: str) -> bool:
    return use == "archive" or "\\archive" in {flag.lower() for flag in flags} or name.lower() in {"archive", "archiv"}


def _same(found: bytes, ours: bytes) -> bool:
    return found.replace(b"\r\n", b"\n") == ours.replace(b"\r\n", b"\n")
