"""The mailbox for the rest of the house: watch folders, find mail, file copies. Nobody's mail is ever changed.

`watch` follows one folder until cancelled; `Mailbox` answers questions and appends. Both open folders with EXAMINE
and fetch with BODY.PEEK[], so nothing is ever marked read, moved or deleted, but our own drafts and mails (own.py).
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from tools.mail.account import Account
from tools.mail.imap import Connection, ImapPatience, No
from tools.mail.reading import own
from tools.mail.reading.fetching import (
    BIG_FETCH,
    ListedMail,
    Part,
    examine_folder,
    fetch_mail,
    imap_date,
    list_mails,
    search_uids,
)
from tools.mail.reading.folder_names import Folder, encode_name, quote, read_folders, read_namespaces
from tools.mail.reading.folder_uses import guessed_uses, list_folders, list_namespaces
from tools.mail.reading.line import ImapLine, Result
from tools.mail.reading.missed import Missed, Shelf
from tools.mail.reading.watching import FolderWatcher
from workflows.errors import DeskhandError, NeedsOwner, Retryable
from workflows.models.mail import Cursor, FolderKind, RawMail
from workflows.ports import Clock

_KEPT_FOR = 30.0  # seconds a connection of `Mailbox` stays open unused


# ---------------------------------------------------------------- watching


async def watch(  # noqa: PLR0913  the house's side of one folder, all of it named
    account: Account,
    folder: str,
    kind: FolderKind,
    *,
    cursor: Callable[[], Cursor | None],
    handle: Callable[[RawMail], Awaitable[None]],
    moved: Callable[[Cursor], Awaitable[None]],
    on_state: Callable[[str, str], None],
    clock: Clock,
    since: datetime | None = None,
    patience: ImapPatience | None = None,
    shelf: Shelf | None = None,
) -> None:
    """Hand over every mail that reaches the folder, in order, until cancelled.

    A folder that was never watched begins with what arrived from `since` on (None: with what comes from now on):
    older mail is memory, never work.

    `handle` may see a mail more than once (after a crash or a UIDVALIDITY change) and must know it by its identity.
    One that the server does not give holds up no other; it is put on the `shelf` in the end, and handed over when the
    server gives it later. Without a shelf it is asked for as long as it lasts, and the cursor stays below it.
    `on_state` hears "connected", "idle" or "lost: why".

    Raises:
        NeedsOwner: at the first connection of a folder that was never watched: password, certificate, no such folder.
    """
    watcher = FolderWatcher(
        account=account,
        folder=folder,
        kind=kind,
        cursor=cursor,
        handle=handle,
        moved=moved,
        on_state=partial(on_state, folder),
        clock=clock,
        since=since,
        patience=patience or ImapPatience(),
        shelf=shelf,
        missed=Missed(pauses=(patience or ImapPatience()).pauses, again=(patience or ImapPatience()).again),
    )
    await watcher.run()


# ---------------------------------------------------------------- asking and filing


class Mailbox:
    """Questions to one account, and copies filed into it. The connection is made when needed and kept for a while."""

    def __init__(self, account: Account, patience: ImapPatience | None = None) -> None:
        self._account, self._patience = account, patience or ImapPatience()
        self._line: ImapLine | None = None
        self._lock = asyncio.Lock()
        self._closing: asyncio.TimerHandle | None = None
        self._last_steps: set[asyncio.Task[None]] = set()

    async def folders(self) -> tuple[Folder, ...]:
        """Every folder, with what it is for: stated by the server, else guessed by its usual names."""
        listed, spaces = await self._ask(lambda connection: (list_folders(connection), list_namespaces(connection)))
        return guessed_uses(read_folders(listed), read_namespaces(spaces))

    async def sent_folders(self, setting: str = "") -> tuple[Folder, ...]:
        """The folders that hold what the owner sent; `setting` names one, empty finds all. May be none.

        Raises:
            NeedsOwner: `setting` names a folder that is not there.
        """
        folders = await self.folders()
        if not setting:
            return tuple(folder for folder in folders if folder.use == "sent")
        matches = tuple(folder for folder in folders if setting.lower() in {folder.name.lower(), folder.raw.lower()})
        if not matches:
            names = ", ".join(folder.name for folder in folders[:30])
            raise NeedsOwner(f"There is no folder {setting!r} for imap.sent.", f"There are: {names}.")
        return matches

    async def capabilities(self) -> tuple[str, ...]:
        """What the server says it can do, after login."""
        return await self._ask(lambda connection: tuple(connection.capabilities))

    async def append(self, folder: str, content: bytes, flags: Sequence[str] = ("\\Seen",)) -> None:
        """Put one mail into a folder, once.

        Raises:
            NeedsOwner: no such folder, or the mailbox is full.
            Retryable: the connection was lost; whether the mail lies there is for `find` to say.
        """
        await self._ask(_alive)  # a dead connection is found out and replaced before, never in the middle
        async with self._lock:
            line = await self._ready()
            try:
                await line.run(partial(_append, folder=folder, content=content, flags=flags), BIG_FETCH)
            except No as no:
                raise _refused_append(folder, no) from no

    async def find(  # noqa: PLR0913 - each narrows the search
        self,
        folder: str,
        *,
        message_id: str = "",
        since: datetime | None = None,
        part: Part = "whole",
        answering: Sequence[str] = (),
        to: str = "",
        newest: int = 0,
    ) -> tuple[RawMail, ...]:
        """Mails with this Message-ID, or that arrived at or after `since`, oldest first; `part` "header" is cheaper.

        `answering`: only those that name one of these ids as a parent; `to`: only those to, or in copy to, an address
        that holds this; `newest`: at most so many, 0: all.

        Raises:
            NeedsOwner: no such folder.
        """
        kind: FolderKind = "inbox" if folder.upper() == "INBOX" else "sent"
        criteria = _criteria(message_id, since, answering, to)
        look = partial(_find, folder=folder, criteria=criteria, part=part, newest=newest)
        mails = await self._ask(look, BIG_FETCH)
        return tuple(
            RawMail(content=content, folder=folder, folder_kind=kind, uid=listed.uid, uidvalidity=uidvalidity)
            for uidvalidity, listed, content in mails
            if not (since and listed.date and listed.date < since)
        )

    async def take_away(self, mail: RawMail) -> bool:
        """Delete one mail that we put there (own.py); False when it is not exactly that any more."""
        return await self._ask(partial(own.take_away, mail=mail), BIG_FETCH)

    async def move(self, mail: RawMail, to: str) -> bool:
        """Move one of our own mails (own.py); False when it is not exactly that any more."""
        return await self._ask(partial(own.move, mail=mail, to=to), BIG_FETCH)

    async def create(self, folder: str) -> None:
        """Make a folder, unless it is there.

        Raises:
            NeedsOwner: the server does not let us.
        """
        await self._ask(partial(own.create, folder=folder))

    async def close(self) -> None:
        """End the connection; the next question makes a new one."""
        async with self._lock:
            await self._drop()

    async def _ask(self, work: Callable[[Connection], Result], within: float = 0.0) -> Result:
        """Do something that may be done twice: a connection that died meanwhile is replaced once."""
        async with self._lock:
            for attempt in range(2):
                was_open = self._line is not None
                line = await self._ready()
                try:
                    return await line.run(work, within)
                except No as no:
                    raise Retryable(f"{self._account.host} said no: {no}") from no
                except Retryable:
                    await self._drop()
                    if attempt or not was_open:
                        raise
            raise AssertionError("unreachable")

    async def _ready(self) -> ImapLine:
        if self._closing is not None:
            self._closing.cancel()
        self._closing = asyncio.get_running_loop().call_later(_KEPT_FOR, self._close_later)
        if self._line is None:
            line = ImapLine(self._account, self._patience)
            try:
                await line.open()
            except BaseException:
                await line.close()
                raise
            self._line = line
        return self._line

    async def _drop(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        line, self._line = self._line, None
        if line is not None:
            await line.close()

    def _close_later(self) -> None:
        task = asyncio.ensure_future(self.close())
        self._last_steps.add(task)  # the loop keeps only a weak reference
        task.add_done_callback(self._last_steps.discard)


def _alive(connection: Connection) -> None:
    connection.ask(connection.noop)


def _append(connection: Connection, folder: str, content: bytes, flags: Sequence[str]) -> None:
    if connection.is_in_folder:
        connection.close()  # in a folder, news of other mail could hide the "+" from imaplib2
    connection.ask(connection.append, quote(encode_name(folder)), f"({' '.join(flags)})", None, content)


def _refused_append(folder: str, no: No) -> DeskhandError:
    if no.code in {"TRYCREATE", "NONEXISTENT", "CANNOT"}:
        return NeedsOwner(f"There is no folder {folder!r} to file a copy in.", "Check imap.sent.")
    if no.code == "OVERQUOTA":
        return NeedsOwner(f"The mailbox is full, so no copy could be filed in {folder!r}.", "Make room in the mailbox.")
    return Retryable(f"The server did not file a copy in {folder!r}: {no}")


def _criteria(message_id: str, since: datetime | None, answering: Sequence[str] = (), to: str = "") -> tuple[str, ...]:
    criteria: tuple[str, ...] = ()
    if message_id:
        criteria += ("HEADER", "Message-ID", quote(message_id))
    if to:
        criteria += ("OR", "TO", quote(to), "CC", quote(to))
    if since:  # servers compare dates without zones
        criteria += ("SINCE", imap_date(since - timedelta(days=1)))
    parents = [("HEADER", name, quote(parent_id)) for parent_id in answering for name in ("In-Reply-To", "References")]
    criteria += ("OR",) * (len(parents) - 1) + tuple(word for parent in parents for word in parent)
    return criteria or ("ALL",)


def _find(
    connection: Connection, folder: str, criteria: Sequence[str], part: Part, newest: int = 0
) -> list[tuple[int, ListedMail, bytes]]:
    opened = examine_folder(connection, folder)
    uids = search_uids(connection, *criteria)[-newest:]
    listed = list_mails(connection, uids) if uids else []
    # One that was asked for by its id is there, whether the server gives it or not; of many, a bad one is left out.
    fetch = fetch_mail if any(criterion == "Message-ID" for criterion in criteria) else _fetch_if_given
    pairs = ((mail, fetch(connection, mail, part)) for mail in listed)
    return [(opened.uidvalidity, mail, content) for mail, content in pairs if content is not None]


def _fetch_if_given(connection: Connection, listed: ListedMail, part: Part) -> bytes | None:
    with contextlib.suppress(No):
        return fetch_mail(connection, listed, part)
    return None
