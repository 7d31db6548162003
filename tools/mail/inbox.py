"""The mailbox for the rest of the house: watch folders, find mail, file copies. Nobody's mail is ever changed.

`watch` follows one folder until cancelled; `Mailbox` answers questions and appends. Both open folders with EXAMINE
and fetch with BODY.PEEK[], so nothing is ever marked read, moved or deleted, but our own drafts and mails (own.py).
"""

import asyncio
import contextlib
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from tools.mail import own
from tools.mail.account import Account
from tools.mail.imap import (
    DROPS,
    Connection,
    Folder,
    No,
    Patience,
    Unreachable,
    connect,
    encode_name,
    is_refusal,
    lost,
    quote,
    read_folders,
    read_namespaces,
)
from tools.mail.missed import Missed, Missing, Shelf
from tools.mail.parser import MAX_MAIL, OVERSIZE
from workflows.errors import DeskhandError, NeedsOwner, Retryable
from workflows.models import Cursor, FolderKind, RawMail
from workflows.ports import Clock

Result = TypeVar("Result")
Part = Literal["whole", "header"]

_PIECE = 512 * 1024
"""Bytes fetched at once: imaplib2 joins a line without end in quadratic time, and slow links must show progress."""

_SIZES_AT_ONCE = 200
_BEGINNING = 64 * 1024
_RESEARCH = timedelta(days=2)
_GRACE = 2.0
_KEPT_FOR = 30.0  # seconds a connection of `Mailbox` stays open unused
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BIG_FETCH = 600.0
_TRIES = 5
_BUGS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError, RecursionError)

# What mail programs call these folders where the server does not say, in lower case.
_USUAL_NAMES = {
    "sent": (
        "sent, sent items, sent messages, sent mail, sent-mail, gesendet, gesendete objekte, gesendete elemente, "
        "envoyés, éléments envoyés, messages envoyés, enviados, elementos enviados, itens enviados, mensajes enviados, "
        "correo enviado, posta inviata, inviati, inviata, verzonden, verzonden items, verzonden objecten, wysłane, "
        "elementy wysłane, skickat, skickade objekt, sendt, sendte elementer, sendt post, lähetetyt, odeslané, "
        "odeslaná pošta, odoslané, elküldött, elküldött elemek, trimise, elemente trimise, απεσταλμένα, изпратени, "
        "отправленные, надіслані, gönderilmiş öğeler, gönderilenler, gönderilmiş, poslano, poslane stavke, 已发送, "
        "已发送邮件, 寄件備份, 送信済み, 送信済みアイテム, 送信済みメール, 보낸 편지함, פריטים שנשלחו, "
        "العناصر المرسلة, المرسلة"
    ),
    "junk": (
        "junk, spam, junk e-mail, junk email, bulk mail, spamverdacht, unerwünscht, pourriel, courrier indésirable, "
        "indésirables, correo no deseado, no deseado, lixo eletrónico, lixo eletrônico, posta indesiderata, "
        "ongewenst, ongewenste e-mail, wiadomości-śmieci, skräppost, søppelpost, uønsket mail, roskaposti, "
        "nevyžádaná pošta, levélszemét, спам, нежелательная почта, önemsiz, önemsiz e-posta, "
        "迷惑メール, 垃圾邮件, 정크 메일"
    ),
    "drafts": (
        "drafts, draft, entwürfe, brouillons, borradores, rascunhos, bozze, concepten, wersje robocze, szkice, utkast, "
        "kladder, luonnokset, koncepty, piszkozatok, ciorne, πρόχειρα, черновики, чернетки, taslaklar, 下書き, 草稿, "
        "임시 보관함"
    ),
    "trash": "trash, deleted items, deleted messages, papierkorb, gelöscht, corbeille, papelera, cestino, prullenbak",
}
_BY_NAME = {name: use for use, names in _USUAL_NAMES.items() for name in names.split(", ")}

_ROOTS = frozenset({"inbox", "mail", "folders", "private", "personal"})
"""Where servers put all folders of a user."""
_BRACKETED = re.compile(r"\[[^\[\]]+\]")  # "[Gmail]", "[Google Mail]"
_OTHERS = frozenset({"user", "users", "other users", "otherusers", "public", "publicfolders", "shared"})
_SHARED = re.compile(r"(?:other users?|public|shared|andere benutzer|autres utilisateurs|otros usuarios)\b")
"""What other people's folders lie below where a server does not say it (Cyrus, Dovecot, Exchange, Courier)."""


# ---------------------------------------------------------------- a connection, seen from the event loop


class _Line:
    """One connection with a thread of its own, so that waiting for a server holds up nobody else's thread."""

    def __init__(self, account: Account, patience: Patience) -> None:
        self.account, self.patience = account, patience
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="imap")
        self._connection: Connection | None = None

    async def open(self) -> None:
        work = self._thread.submit(self._connect)
        within = self.patience.connect * 2 + self.patience.command * 3
        await self._result(asyncio.wrap_future(work), within)

    async def run(self, work: Callable[[Connection], Result], within: float = 0.0) -> Result:
        """Do this in the connection's thread.

        Raises:
            Retryable: the connection is lost, or the server does not answer in time (the watchdog).
            No: the server refused.
        """
        connection = self._connection
        if connection is None:
            raise Retryable(f"The connection to {self.account.host} is closed.")
        future = asyncio.wrap_future(self._thread.submit(work, connection))
        return await self._result(future, within or self.patience.command + _GRACE)

    async def idle(self, seconds: float) -> bool:
        """Wait until the server says something, at most this long. False: it does not IDLE, whatever it promised."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        refused = False

        def on_end(outcome: Any) -> None:
            nonlocal refused
            refused = is_refusal(outcome)
            with contextlib.suppress(RuntimeError):  # the loop may be gone
                loop.call_soon_threadsafe(ended.set)

        await self.run(lambda connection: connection.start_idle(on_end))
        if not await _within(ended, seconds):
            await self.run(lambda connection: connection.end_idle())
            if not await _within(ended, self.patience.command):
                await self.close()
                raise Retryable(f"{self.account.host} went silent.")
        return not refused

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    async def close(self) -> None:
        """End the connection; whatever its thread waits for is aborted."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await asyncio.shield(asyncio.to_thread(connection.kill))
        self._thread.shutdown(wait=False)

    def _connect(self) -> None:
        self._connection = connect(self.account, self.patience)

    async def _result(self, future: "asyncio.Future[Result]", within: float) -> Result:
        future.add_done_callback(_look_at)
        try:
            async with asyncio.timeout(within):
                return await asyncio.shield(future)
        except TimeoutError:
            await self._give_up(future)
            raise Retryable(f"{self.account.host} does not answer.") from None
        except asyncio.CancelledError:
            await self._give_up(future)
            raise
        except DROPS as error:
            await self.close()
            raise lost(self.account, error) from error

    async def _give_up(self, future: "asyncio.Future[Any]") -> None:
        # A connection that is only now being made must not outlive the line.
        future.add_done_callback(lambda _: self._kill_late())
        await self.close()

    def _kill_late(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            asyncio.get_running_loop().run_in_executor(None, connection.kill)


def _look_at(future: "asyncio.Future[Any]") -> None:
    if not future.cancelled():
        future.exception()  # retrieved: an answer that nobody waits for any more is no news


async def _within(event: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


@contextlib.asynccontextmanager
async def _line(account: Account, patience: Patience) -> AsyncIterator[_Line]:
    line = _Line(account, patience)
    try:
        await line.open()
        yield line
    finally:
        await line.close()


# ---------------------------------------------------------------- what is done in the connection's thread


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    uidvalidity: int
    uidnext: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """A mail as the server lists it: `date` is when it arrived there."""

    uid: int
    size: int
    date: datetime | None


def _examine(connection: Connection, folder: str) -> _Opened:
    try:
        connection.ask(connection.examine, quote(encode_name(folder)))
    except No as no:
        raise _not_opened(folder, connection.host, no) from no
    uidvalidity = _number(connection, "UIDVALIDITY")
    uidnext = _number(connection, "UIDNEXT") or max(_search(connection, "ALL"), default=0) + 1
    return _Opened(uidvalidity=uidvalidity, uidnext=uidnext)


def _not_opened(folder: str, host: str, no: No) -> DeskhandError:
    if no.is_busy:
        return Retryable(f"The folder {folder!r} cannot be opened at {host} just now: {no}")
    mend = "Check imap.folders and imap.sent; ./deskhand check lists the folders there are."
    if "unsafe login" in str(no).lower():
        mend = "Allow mail programs (IMAP) in the mailbox's settings on the web, and use the code it gives as password."
    return NeedsOwner(f"The folder {folder!r} cannot be opened at {host}: {no}", mend)


def _number(connection: Connection, name: str) -> int:
    data = connection.response(name)[1]
    found = re.search(rb"\d+", data[-1]) if data and data[-1] else None
    return int(found.group()) if found else 0


def _search(connection: Connection, *criteria: str) -> list[int]:
    data = connection.ask(connection.uid, "SEARCH", *criteria)
    return sorted({int(word) for line in data if line for word in line.split() if word.isdigit()})


def _news(connection: Connection, last: int) -> list[int]:
    """UIDs above `last`. NOOP first: some servers show new mail only then; "n:*" always names the last mail."""
    connection.ask(connection.noop)
    found = _search(connection, "UID", f"{last + 1}:*")
    connection.forget_untagged()
    return [uid for uid in found if uid > last]


def _list(connection: Connection, uids: Sequence[int]) -> list[_Listed]:
    numbers = ",".join(map(str, uids))
    try:
        data = connection.ask(connection.uid, "FETCH", numbers, "(UID RFC822.SIZE INTERNALDATE)")
    except No:
        data = []  # because of one of them, as it may be: each is asked for alone
    found = {}
    for line in data:
        if isinstance(line, bytes) and (listed := _listed(line)):
            found[listed.uid] = listed
    # One that the server listed oddly or not at all is fetched all the same: only its answer may say it is gone.
    return [found.get(uid) or _Listed(uid=uid, size=_PIECE + 1, date=None) for uid in uids]


def _listed(line: bytes) -> _Listed | None:
    uid, size = re.search(rb"\bUID (\d+)", line), re.search(rb"RFC822\.SIZE (\d+)", line)
    if uid is None or size is None:
        return None
    date = re.search(rb'INTERNALDATE "([^"]+)"', line)
    return _Listed(uid=int(uid[1]), size=int(size[1]), date=_internal_date(date[1]) if date else None)


def _internal_date(text: bytes) -> datetime | None:
    found = re.fullmatch(r"\s*(\d+)-(\w{3})-(\d{4}) (\d\d:\d\d:\d\d [+-]\d{4})", text.decode("ascii", "replace"))
    if found is None or found[2].title() not in _MONTHS:
        return None
    month = _MONTHS.index(found[2].title()) + 1
    try:
        return datetime.strptime(f"{found[1]} {month} {found[3]} {found[4]}", "%d %m %Y %H:%M:%S %z")
    except ValueError:
        return None


def _fetch(connection: Connection, listed: _Listed, part: Part = "whole") -> bytes | None:
    """The mail's bytes; None when it is gone. A mail over the limit is its size and its beginning."""
    if part == "header":
        return _section(connection, listed.uid, "BODY.PEEK[HEADER]")
    if listed.size > MAX_MAIL:
        beginning = _section(connection, listed.uid, f"BODY.PEEK[]<0.{_BEGINNING}>")
        return None if beginning is None else OVERSIZE + f"{listed.size}\r\n".encode() + beginning
    if listed.size <= _PIECE:
        return _section(connection, listed.uid, "BODY.PEEK[]")
    content = bytearray()
    while len(content) <= MAX_MAIL:
        piece = _section(connection, listed.uid, f"BODY.PEEK[]<{len(content)}.{_PIECE}>")
        if piece is None:
            return None if not content else bytes(content)
        content += piece
        if len(piece) < _PIECE:
            return bytes(content)
    return OVERSIZE + f"{len(content)}\r\n".encode() + bytes(content[:_BEGINNING])


def _section(connection: Connection, uid: int, section: str) -> bytes | None:
    data = connection.ask(connection.uid, "FETCH", str(uid), f"(UID {section})")
    connection.forget_untagged()
    for item in data:
        # A server may put other mails' flags between; the answer that holds the section is the one with a literal.
        if isinstance(item, tuple) and b"BODY[" in item[0]:
            return bytes(item[1])
        if isinstance(item, bytes) and re.search(rb'BODY\[[^\]]*\](?:<\d+>)? ""', item):
            return b""
    return None


def _since(date: datetime) -> str:
    return f"{date.day}-{_MONTHS[date.month - 1]}-{date.year}"


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
    patience: Patience | None = None,
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
    watcher = _Watcher(
        account=account,
        folder=folder,
        kind=kind,
        cursor=cursor,
        handle=handle,
        moved=moved,
        on_state=partial(on_state, folder),
        clock=clock,
        since=since,
        patience=patience or Patience(),
        shelf=shelf,
        missed=Missed(pauses=(patience or Patience()).pauses, again=(patience or Patience()).again),
    )
    await watcher.run()


class _Unhandled(Exception):
    """A mail that was given, and that brings out a bug each time it is handled."""


@dataclass(slots=True, kw_only=True)
class _Watcher:
    """One folder, watched. Everything that must survive is behind `cursor` and `moved`."""

    account: Account
    folder: str
    kind: FolderKind
    cursor: Callable[[], Cursor | None]
    handle: Callable[[RawMail], Awaitable[None]]
    moved: Callable[[Cursor], Awaitable[None]]
    on_state: Callable[[str], None]
    clock: Clock
    patience: Patience
    missed: Missed
    since: datetime | None = None
    shelf: Shelf | None = None
    reached: int = 0  # what is at or below was handed over, recorded, or is in `missed`
    uidvalidity: int = 0  # that `reached` and `missed` are of
    has_worked: bool = False
    failures: int = 0

    async def run(self) -> None:
        self.has_worked = self.cursor() is not None
        while True:
            try:
                async with _line(self.account, self.patience) as line:
                    await self._follow(line)
            except (Retryable, Unreachable, No) as error:
                await self._pause(error, self._backoff())
            except NeedsOwner as error:
                if not self.has_worked:
                    raise
                await self._pause(error, self.patience.refused)
            except Exception as error:
                if not self.has_worked:
                    raise
                await self._pause(error, self._backoff())

    async def _follow(self, line: _Line) -> None:
        opened = await line.run(lambda connection: _examine(connection, self.folder))
        self.on_state("connected")
        await self._begin(line, opened)
        self.has_worked = True
        can_idle = await line.run(lambda connection: "IDLE" in connection.capabilities)
        quiet = False
        while True:
            found = await self._catch_up(line)
            self.failures = 0
            self.on_state("idle")
            # Not every server tells an IDLE of what came between the last search and its start: look again soon.
            seconds = self.patience.poll if quiet and not found else min(self.patience.second_look, self.patience.poll)
            quiet = not found
            can_idle = can_idle and await line.idle(max(0.05, min(seconds, self.missed.next_due_in())))
            if not can_idle:
                await asyncio.sleep(max(0.05, min(self.patience.poll, self.missed.next_due_in())))

    async def _begin(self, line: _Line, opened: _Opened) -> None:
        """Make sure that there is a cursor for this UIDVALIDITY."""
        known = self.cursor()
        start = Cursor(
            folder=self.folder,
            uidvalidity=opened.uidvalidity,
            last_uid=opened.uidnext - 1,
            last_date=self.clock.now(),
        )
        first = start
        if known is None:  # the first run
            first = replace(start, last_uid=await self._last_older(line, start.last_uid))
            await self.moved(first)
        if self.uidvalidity != opened.uidvalidity:
            self.missed.forget()
            self.uidvalidity = opened.uidvalidity
            begin = first if known is None else known
            self.reached = begin.last_uid if begin.uidvalidity == opened.uidvalidity else 0
            await self._remember_the_shelf()
        if known is not None and known.uidvalidity != opened.uidvalidity:
            await self._recover(line, known, start)

    async def _last_older(self, line: _Line, last: int) -> int:
        """The last mail up to `last` that had arrived before the start; the server's times are whole seconds."""
        if self.since is None:
            return last
        begin = self.since.replace(microsecond=0)
        day = _since(begin - timedelta(days=1))  # servers compare dates without zones
        uids = await line.run(lambda connection: _search(connection, "SINCE", day))
        listed = [mail async for mail in self._listing(line, [uid for uid in uids if uid <= last])]
        return min((mail.uid - 1 for mail in listed if mail.date and mail.date >= begin), default=last)

    async def _remember_the_shelf(self) -> None:
        for uid in await self.shelf.uids(self.folder, self.uidvalidity) if self.shelf else ():
            self.missed.recorded(uid, due_in=0.0)

    async def _recover(self, line: _Line, known: Cursor, start: Cursor) -> None:
        """The server gave every mail a new UID: hand over all since the last known date, then go on from here."""
        since = f"SINCE {_since(known.last_date - _RESEARCH)}" if known.last_date else "ALL"
        uids = await line.run(lambda connection: _search(connection, since))
        again = [uid for uid in uids if uid <= start.last_uid and not self.missed.is_waiting(uid)]
        async for listed in self._listing(line, again):
            await self._hand_over(line, listed)
        # Only now: a crash before this line begins the search again, and nothing in it is skipped.
        self.reached = start.last_uid
        await self._move(replace(start, last_date=known.last_date or start.last_date))

    async def _catch_up(self, line: _Line) -> bool:
        """Hand over what is above the cursor, which moves past each mail once it is handled; whether there was any."""
        known = self.cursor()
        assert known is not None
        uids = await line.run(partial(_news, last=max(self.reached, known.last_uid)))
        async for listed in self._listing(line, uids):
            await self._hand_over(line, listed)
            self.reached = max(self.reached, listed.uid)
            dates = [date for date in (known.last_date, listed.date) if date]
            known = replace(known, last_date=max(dates, default=None))
            await self._move(known)
        await self._ask_again(line, known)
        return bool(uids)

    async def _ask_again(self, line: _Line, known: Cursor) -> None:
        """The mails that the server did not give: those that are due."""
        async for listed in self._listing(line, self.missed.due()):
            await self._hand_over(line, listed)
            await self._move(known)

    async def _move(self, cursor: Cursor) -> None:
        """Everything below the first mail that is still to be had is handled or recorded."""
        lowest = self.missed.lowest()
        last = self.reached if lowest is None else min(self.reached, lowest - 1)
        await self.moved(replace(cursor, last_uid=last))

    async def _listing(self, line: _Line, uids: Sequence[int]) -> AsyncIterator[_Listed]:
        for start in range(0, len(uids), _SIZES_AT_ONCE):
            wanted = uids[start : start + _SIZES_AT_ONCE]
            for listed in await line.run(partial(_list, uids=wanted)):
                yield listed

    async def _hand_over(self, line: _Line, listed: _Listed) -> None:
        try:
            content = await self._content(line, listed)
            if content is not None:
                await self._handle(listed.uid, content)
        except _Unhandled as error:
            self.missed.over(listed.uid)
            await self._miss(listed, str(error), is_lost=False)
            return
        except (Retryable, No) as error:
            # Counted before the connection is known to be dead: where asking for it is what ends connections, the
            # next connection begins with the other mails.
            self.reached = max(self.reached, listed.uid)
            await self._miss(listed, str(error), is_lost=not line.is_open)
            if isinstance(error, Retryable) and not line.is_open:
                raise
            return
        if self.missed.given(listed.uid) and self.shelf is not None:
            await self.shelf.take(self._missing(listed.uid))

    async def _content(self, line: _Line, listed: _Listed) -> bytes | None:
        """Its bytes; None when it was deleted meanwhile, by its owner."""
        content = await line.run(partial(_fetch, listed=listed), _BIG_FETCH if listed.size > _PIECE else 0.0)
        if content is None:
            still_there = await line.run(lambda connection: _search(connection, "UID", str(listed.uid)))
            if listed.uid in still_there:
                raise Retryable(f"{self.account.host} lists mail {listed.uid} but does not give it.")
        return content

    async def _miss(self, listed: _Listed, reason: str, *, is_lost: bool) -> None:
        """One more try that gave nothing; after the last it is recorded, and the cursor may pass."""
        is_over = self.missed.failed(listed.uid, is_lost=is_lost)
        if is_over and self.shelf is not None:
            await self.shelf.put(self._missing(listed.uid, reason))
            self.missed.recorded(listed.uid)
            if (known := self.cursor()) is not None and known.uidvalidity == self.uidvalidity:
                await self._move(known)

    def _missing(self, uid: int, reason: str = "") -> Missing:
        return Missing(folder=self.folder, kind=self.kind, uidvalidity=self.uidvalidity, uid=uid, reason=reason)

    async def _handle(self, uid: int, content: bytes) -> None:
        mail = RawMail(
            content=content, folder=self.folder, folder_kind=self.kind, uid=uid, uidvalidity=self.uidvalidity
        )
        tries = 0
        while True:
            try:
                await self.handle(mail)
            except Exception as error:
                tries += 1
                if self._is_its_own_fault(error) and (tries >= _TRIES or self.missed.is_waiting(uid)):
                    raise _Unhandled(f"handling it failed ({type(error).__name__}: {error})") from error
                # The cursor stays: this mail comes again, and none after it is handed over before it.
                await self._pause(error, self._backoff())
            else:
                self.failures = 0
                return

    def _is_its_own_fault(self, error: Exception) -> bool:
        """A bug that this mail brought out, not a house that can take no mail just now."""
        return self.shelf is not None and isinstance(error, _BUGS)

    async def _pause(self, error: Exception, seconds: float) -> None:
        self.on_state(f"lost: {error}")
        await asyncio.sleep(seconds)

    def _backoff(self) -> float:
        self.failures += 1
        seconds = min(self.patience.longest, self.patience.backoff * float(2 ** min(self.failures - 1, 10)))
        return seconds * random.uniform(0.8, 1.2)  # noqa: S311  spreads reconnects, keeps no secret


# ---------------------------------------------------------------- asking and filing


class Mailbox:
    """Questions to one account, and copies filed into it. The connection is made when needed and kept for a while."""

    def __init__(self, account: Account, patience: Patience | None = None) -> None:
        self._account, self._patience = account, patience or Patience()
        self._line: _Line | None = None
        self._lock = asyncio.Lock()
        self._closing: asyncio.TimerHandle | None = None
        self._last_steps: set[asyncio.Task[None]] = set()

    async def folders(self) -> tuple[Folder, ...]:
        """Every folder, with what it is for: stated by the server, else guessed by its usual names."""
        listed, spaces = await self._ask(lambda connection: (_list_folders(connection), _list_namespaces(connection)))
        return _guessed(read_folders(listed), read_namespaces(spaces))

    async def sent_folders(self, setting: str = "") -> tuple[Folder, ...]:
        """The folders that hold what the owner sent; `setting` names one, empty finds all. May be none.

        Raises:
            NeedsOwner: `setting` names a folder that is not there.
        """
        folders = await self.folders()
        if not setting:
            return tuple(folder for folder in folders if folder.use == "sent")
        wanted = tuple(folder for folder in folders if setting.lower() in {folder.name.lower(), folder.raw.lower()})
        if not wanted:
            names = ", ".join(folder.name for folder in folders[:30])
            raise NeedsOwner(f"There is no folder {setting!r} for imap.sent.", f"There are: {names}.")
        return wanted

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
                await line.run(partial(_append, folder=folder, content=content, flags=flags), _BIG_FETCH)
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
        found = await self._ask(look, _BIG_FETCH)
        return tuple(
            RawMail(content=content, folder=folder, folder_kind=kind, uid=listed.uid, uidvalidity=uidvalidity)
            for uidvalidity, listed, content in found
            if not (since and listed.date and listed.date < since)
        )

    async def take_away(self, mail: RawMail) -> bool:
        """Delete one mail that we put there (own.py); False when it is not exactly that any more."""
        return await self._ask(partial(own.take_away, mail=mail), _BIG_FETCH)

    async def move(self, mail: RawMail, to: str) -> bool:
        """Move one of our own mails (own.py); False when it is not exactly that any more."""
        return await self._ask(partial(own.move, mail=mail, to=to), _BIG_FETCH)

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

    async def _ready(self) -> _Line:
        if self._closing is not None:
            self._closing.cancel()
        self._closing = asyncio.get_running_loop().call_later(_KEPT_FOR, self._close_later)
        if self._line is None:
            line = _Line(self._account, self._patience)
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


def _list_folders(connection: Connection) -> list[Any]:
    says_use = {"SPECIAL-USE", "LIST-EXTENDED"} <= set(connection.capabilities)
    return connection.ask(connection.list, '""', "* RETURN (SPECIAL-USE)" if says_use else "*")


def _list_namespaces(connection: Connection) -> list[Any]:
    if "NAMESPACE" not in connection.capabilities:
        return []
    try:
        return connection.ask(connection.namespace)
    except No:
        return []


def _guessed(folders: tuple[Folder, ...], spaces: Mapping[str, bool] = MappingProxyType({})) -> tuple[Folder, ...]:
    """The folders with what each is for to this user; somebody else's Sent folder proves nothing about the owner."""
    own = tuple(folder if _is_own(folder, spaces) else replace(folder, use="") for folder in folders)
    stated = {folder.use for folder in own}
    return tuple(
        replace(folder, use=use)
        if not folder.use and (use := _by_name(folder, spaces)) and use not in stated
        else folder
        for folder in own
    )


def _by_name(folder: Folder, spaces: Mapping[str, bool]) -> str:
    """What its name says, where the server states nothing: of a folder on top, or right below where users' folders lie.

    "Trash/Sent" is what somebody threw away.
    """
    *above, last = _names(folder)
    on_top = not above or (len(above) == 1 and (above[0] in _ROOTS or _BRACKETED.fullmatch(above[0])))
    return _BY_NAME.get(last, "") if on_top and _is_own(folder, spaces) else ""


def _is_own(folder: Folder, spaces: Mapping[str, bool]) -> bool:
    """Whether it lies in the user's own namespace; where the server names none, whether its name says nothing else."""
    raw = folder.raw.lower()
    prefixes = [
        prefix for prefix in spaces if raw.startswith(prefix.lower()) and (prefix or not raw.startswith("inbox"))
    ]
    if prefixes and not spaces[max(prefixes, key=len)]:
        return False
    first, *below = _names(folder)
    return not (first.startswith(("#", "~")) or (below and (first in _OTHERS or _SHARED.match(first))))


def _names(folder: Folder) -> list[str]:
    names = folder.name.split(folder.delimiter) if folder.delimiter else [folder.name]
    return [name.strip().lower() for name in names]


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
    found: tuple[str, ...] = ()
    if message_id:
        found += ("HEADER", "Message-ID", quote(message_id))
    if to:
        found += ("OR", "TO", quote(to), "CC", quote(to))
    if since:  # servers compare dates without zones
        found += ("SINCE", _since(since - timedelta(days=1)))
    parents = [("HEADER", name, quote(one)) for one in answering for name in ("In-Reply-To", "References")]
    found += ("OR",) * (len(parents) - 1) + tuple(word for parent in parents for word in parent)
    return found or ("ALL",)


def _find(
    connection: Connection, folder: str, criteria: Sequence[str], part: Part, newest: int = 0
) -> list[tuple[int, _Listed, bytes]]:
    opened = _examine(connection, folder)
    uids = _search(connection, *criteria)[-newest:]
    listed = _list(connection, uids) if uids else []
    # One that was asked for by its id is there, whether the server gives it or not; of many, a bad one is left out.
    fetch = _fetch if any(criterion == "Message-ID" for criterion in criteria) else _fetch_if_given
    pairs = ((mail, fetch(connection, mail, part)) for mail in listed)
    return [(opened.uidvalidity, mail, content) for mail, content in pairs if content is not None]


def _fetch_if_given(connection: Connection, listed: _Listed, part: Part) -> bytes | None:
    with contextlib.suppress(No):
        return _fetch(connection, listed, part)
    return None
