"""Probes of the mailbox: IDLE, the folders, Sent, and which proof of the owner's answers it can give."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tools.mail.account import Account
from workers.check.probing import Unneeded, Warned
from workers.settings.schema import Settings
from workers.settings.servers import ImapSection
from workflows.errors import NeedsOwner

if TYPE_CHECKING:
    from tools.mail.inbox import Mailbox

Question = Callable[["Mailbox", ImapSection], Awaitable[str]]


async def ask_mailbox(question: Question, loaded: Settings | None, account: Account) -> str:
    from tools.mail.inbox import Mailbox

    if loaded is None:
        raise NeedsOwner("Not tried, because the settings have a fault.", "Mend the settings first.")
    mailbox = Mailbox(account)
    try:
        return await question(mailbox, loaded.imap)
    finally:
        await mailbox.close()


async def probe_idle(mailbox: "Mailbox", _part: ImapSection) -> str:
    if "IDLE" not in await mailbox.capabilities():
        raise Warned("The server cannot announce new mail (no IDLE).", "Nothing to do: it is asked every minute.")
    return "new mail is announced"


async def probe_folders(mailbox: "Mailbox", part: ImapSection) -> str:
    names = {folder.name.lower(): folder.name for folder in await mailbox.folders()}
    for name in part.folders:
        if name.lower() not in names:
            folders = ", ".join(sorted(names.values())[:30])
            raise NeedsOwner(f'There is no folder "{name}" for imap.folders.', f"There are: {folders}.")
    return ", ".join(part.folders)


async def probe_sent(mailbox: "Mailbox", part: ImapSection) -> str:
    folders = await mailbox.sent_folders(part.sent)
    if not folders:
        names = ", ".join(folder.name for folder in (await mailbox.folders())[:30])
        raise NeedsOwner(
            "No folder holds what you sent, so answers by mail could not be proven.",
            f"Name it as imap.sent, or send one mail by your mail program to have it made. There are: {names}.",
        )
    return ", ".join(folder.name for folder in folders)


async def probe_proof(home: Path, loaded: Settings | None, mailbox: "Mailbox", _part: ImapSection) -> str:
    """Which proof of the owner's answers this mailbox can give; learns what its server adds to sent mail."""
    from workers.desk.proving import look_into_sent
    from workflows.rules.answers.sent_headers import LEAST

    assert loaded is not None  # `ask_mailbox` has seen to it
    folders, learnt = await look_into_sent(home, loaded, mailbox)
    if not folders:
        raise Warned("No answer by mail can be proven without a Sent folder.", "Until then: ./deskhand approve.")
    places, rehearse = ", ".join(folders), "./deskhand check --rehearse shows it for each of your devices."
    if learnt.samples < LEAST:
        raise Unneeded(f"by the copy in {places}; too few mails of yours lie there to learn from. {rehearse}")
    if learnt.strange:
        raise Warned(
            f"Some of {learnt.samples} mails you sent lie in {places} as if delivered ({', '.join(learnt.strange)}).",
            f"Answers with these are not proven; {rehearse}",
        )
    added = ", ".join(learnt.headers) or "nothing"
    second = f"; {loaded.approval.second} by signature" if loaded.approval.second else ""
    return f"by the copy in {places}; to {learnt.samples} mails looked at the server added {added}{second}"
