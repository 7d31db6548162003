"""The watch and the mailbox at a real Dovecot, through a proxy that breaks connections."""

import asyncio
import contextlib
import imaplib
import random
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.patience import PATIENCE, SHORTEST
from tests.servers.dovecot import Dovecot, DovecotUser
from tests.servers.proxy import Proxy
from tools.limited import Quarantined
from tools.mail import mime
from tools.mail.account import Account
from tools.mail.imap import ImapPatience, Unreachable
from tools.mail.inbox import Mailbox, watch
from tools.mail.parser import OVERSIZE, Parser
from tools.mail.reading.folder_names import decode_name, encode_name, read_folders, read_namespaces
from tools.mail.reading.folder_uses import guessed_uses
from workflows.errors import NeedsOwner, Permanent, Retryable
from workflows.models.mail import Cursor, RawMail

SLOW = ImapPatience(connect=20, command=20, poll=1, backoff=0.05, longest=0.2, refused=0.2)
"""For a wait for the server that a busy machine's own pauses cannot be mistaken for."""
QUICK = ImapPatience(connect=2, command=2, poll=1, backoff=0.05, longest=0.2, refused=0.2)


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class Ledger:
    """What the house does with mail: know each by identity, keep the cursors. Survives any watcher."""

    def __init__(self) -> None:
        self.cursors: dict[str, Cursor] = {}
        self.history: list[Cursor] = []
        self.handled: list[str] = []  # identity, once each
        self.mails: list[RawMail] = []  # every time, also the second
        self.states: list[str] = []
        self.fail: Callable[[RawMail], Exception | None] = lambda _: None

    async def handle(self, mail: RawMail) -> None:
        error = self.fail(mail)
        if error:
            raise error
        self.mails.append(mail)
        identity = mime.parse(mail.content).identity
        if identity not in self.handled:
            self.handled.append(identity)

    async def moved(self, cursor: Cursor) -> None:
        self.cursors[cursor.folder] = cursor
        self.history.append(cursor)

    @contextlib.asynccontextmanager
    async def watching(
        self, account: Account, folder: str = "INBOX", patience: ImapPatience = QUICK, since: datetime | None = None
    ) -> AsyncIterator["asyncio.Task[None]"]:
        task = asyncio.create_task(
            watch(
                account,
                folder,
                "sent" if folder == "Sent" else "inbox",
                cursor=lambda: self.cursors.get(folder),
                handle=self.handle,
                moved=self.moved,
                on_state=lambda name, state: self.states.append(f"{name} {state}"),
                clock=SystemClock(),
                since=since,
                patience=patience,
            )
        )
        try:
            await until(lambda: folder in self.cursors or task.done())
            yield task
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, NeedsOwner):
                await task


async def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait for a condition; a test that waits in vain fails here."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


async def off_loop(work: Callable[..., object], *arguments: object) -> None:
    await asyncio.to_thread(work, *arguments)


def mail(number: int, body: str = "") -> bytes:
    text = body or f"This is mail {number}."
    return (
        f"From: Client {number} <client{number}@studio.example>\r\nTo: ada@owner.example\r\nSubject: Mail {number}\r\n"
        f"Message-ID: <{number}@studio.example>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\n{text}\r\n"
    ).encode()


@pytest.fixture
async def proxy(dovecot: Dovecot) -> AsyncIterator[Proxy]:
    made = Proxy(dovecot.tls_port)
    await made.start()
    yield made
    await made.stop()


async def test_only_what_comes_after_the_first_look_is_work(mailbox: DovecotUser) -> None:
    ledger = Ledger()
    await off_loop(mailbox.deliver_many, [mail(number) for number in range(3)])
    async with ledger.watching(mailbox.account()):
        assert ledger.cursors["INBOX"].last_uid == 3
        assert ledger.cursors["INBOX"].last_date is not None
        await off_loop(mailbox.deliver, mail(3))
        await until(lambda: ledger.mails)
    (found,) = ledger.mails
    assert found.content == mail(3)
    assert (found.uid, found.folder, found.folder_kind) == (4, "INBOX", "inbox")
    assert ledger.cursors["INBOX"].last_uid == 4


async def test_the_first_look_begins_when_the_start_was_not_when_it_connected(mailbox: DovecotUser) -> None:
    ledger, start = Ledger(), datetime(2026, 11, 24, 8, 30, 12, 345678, tzinfo=UTC)
    arrivals = [start - timedelta(days=2), start - timedelta(seconds=2), start, start + timedelta(seconds=3)]
    for number, arrival in enumerate(arrivals):
        await off_loop(arrive, mailbox, mail(number), arrival)
    async with ledger.watching(mailbox.account(), since=start):
        await until(lambda: len(ledger.mails) == 2)
        await off_loop(mailbox.deliver, mail(4))
        await until(lambda: len(ledger.mails) == 3)
    assert [found.content for found in ledger.mails] == [mail(2), mail(3), mail(4)]


async def test_where_nothing_came_since_the_start_nothing_older_is_work(mailbox: DovecotUser) -> None:
    ledger, start = Ledger(), datetime.now(UTC) + timedelta(minutes=1)
    await off_loop(mailbox.deliver_many, [mail(number) for number in range(3)])
    async with ledger.watching(mailbox.account(), since=start):
        await until(lambda: "INBOX idle" in ledger.states)
        assert ledger.cursors["INBOX"].last_uid == 3
    assert not ledger.mails


def arrive(mailbox: DovecotUser, raw: bytes, at: datetime) -> None:
    """A delivery that the server dates so."""
    with mailbox.session() as client:
        said, detail = client.append('"INBOX"', "", imaplib.Time2Internaldate(at), raw)
    assert said == "OK", detail


async def test_nobodys_mail_is_touched(mailbox: DovecotUser) -> None:
    ledger = Ledger()
    async with ledger.watching(mailbox.account()):
        await off_loop(mailbox.deliver, mail(1))
        await off_loop(mailbox.deliver, mail(2), "INBOX", "\\Seen \\Flagged")
        await until(lambda: len(ledger.mails) == 2)
    stored = await asyncio.to_thread(mailbox.messages)
    assert [set(found.flags) - {"\\Recent"} for found in stored] == [set(), {"\\Seen", "\\Flagged"}]
    assert [found.content for found in stored] == [mail(1), mail(2)]


async def test_news_is_noticed_by_idle_not_by_the_poll(mailbox: DovecotUser) -> None:
    ledger = Ledger()
    async with ledger.watching(mailbox.account(), patience=ImapPatience(poll=10 * PATIENCE)):
        await until(lambda: "INBOX idle" in ledger.states)
        await off_loop(mailbox.deliver, mail(1))
        await until(lambda: ledger.mails)


async def test_a_server_without_idle_is_polled() -> None:
    server = Dovecot(settings="imap_capability = IMAP4rev1 LITERAL+")
    await off_loop(server.start)
    try:
        user, ledger = server.add_user(), Ledger()
        async with ledger.watching(user.account()):
            await until(lambda: "INBOX idle" in ledger.states)
            await off_loop(user.deliver, mail(1))
            await until(lambda: ledger.mails)
    finally:
        await off_loop(server.stop)


@pytest.fixture
async def refusing_idle(mailbox: DovecotUser) -> AsyncIterator[Proxy]:
    made = Proxy(mailbox.server.port)
    made.rewrite = (b" IDLE\r\n", b" IDLX\r\n")
    await made.start()
    yield made
    await made.stop()


async def test_a_server_that_refuses_the_idle_it_promised_is_polled(mailbox: DovecotUser, refusing_idle: Proxy) -> None:
    ledger = Ledger()
    async with ledger.watching(mailbox.account("none", port=refusing_idle.port)):
        await until(lambda: "INBOX idle" in ledger.states)
        await off_loop(mailbox.deliver, mail(1))
        await until(lambda: ledger.mails)
        polls = ledger.states.count("INBOX idle")
        await off_loop(mailbox.deliver, mail(2))
        await until(lambda: len(ledger.mails) == 2)
        assert ledger.states.count("INBOX idle") - polls <= 3, "it must wait between polls"


async def test_a_mail_that_cannot_be_handled_now_comes_again_and_none_overtakes_it(mailbox: DovecotUser) -> None:
    ledger = Ledger()
    failures = [Retryable("the ledger is locked"), OSError("disk full"), Permanent("odd"), RuntimeError("a bug")]
    ledger.fail = lambda found: failures.pop() if failures and b"Subject: Mail 1\r" in found.content else None
    async with ledger.watching(mailbox.account()):
        await off_loop(mailbox.deliver_many, [mail(number) for number in range(3)])
        await until(lambda: len(ledger.mails) == 3)
    assert [found.uid for found in ledger.mails] == [1, 2, 3]
    assert [cursor.last_uid for cursor in ledger.history] == [0, 1, 2, 3]
    assert any("the ledger is locked" in state for state in ledger.states)


async def test_every_mail_once_through_drops_restarts_and_new_uids(mailbox: DovecotUser, proxy: Proxy) -> None:
    """I1, small: 120 mails, every kind of drop, 6 watcher restarts, a UIDVALIDITY change, copies elsewhere."""
    ledger, dice = Ledger(), random.Random(7)
    await off_loop(mailbox.create, "Copies")
    account = mailbox.account(port=proxy.port)
    wanted = [mail(number) for number in range(120)]
    delivered = 0
    for round_number in range(6):
        async with ledger.watching(account), ledger.watching(account, "Copies"):
            for _ in range(4):
                batch = wanted[delivered : delivered + 5]
                delivered += len(batch)
                if dice.random() < 0.5:
                    proxy.drop_after = dice.randrange(100, 6_000)
                await off_loop(mailbox.deliver_many, batch)
                await off_loop(mailbox.deliver_many, batch[:2], "Copies")
                await _break(proxy, dice.choice(["reset", "fin", "bye", "reset", "none"]))
            if round_number == 2:
                await _go_dark(proxy, ledger)
            if round_number == 3:
                await off_loop(mailbox.change_uidvalidity)
                proxy.break_all("fin")
    async with ledger.watching(account), ledger.watching(account, "Copies"):
        await until(lambda: len(ledger.handled) >= len(wanted), seconds=60)
        await off_loop(mailbox.deliver, mail(1_000))
        await until(lambda: len(ledger.handled) >= len(wanted) + 1)
    expected = Counter(mime.parse(raw).identity for raw in [*wanted, mail(1_000)])
    assert Counter(ledger.handled) == expected
    assert len({cursor.uidvalidity for cursor in ledger.history if cursor.folder == "INBOX"}) == 2
    assert proxy.faults > 15
    assert all(not set(found.flags) - {"\\Recent"} for found in await asyncio.to_thread(mailbox.messages))


async def _break(proxy: Proxy, fault: str) -> None:
    before = proxy.connections
    if fault != "none" and proxy.break_all(fault):
        await until(lambda: proxy.connections > before)


async def _go_dark(proxy: Proxy, ledger: Ledger) -> None:
    lost = len([state for state in ledger.states if "lost" in state])
    proxy.break_all("black hole")
    await until(lambda: len([state for state in ledger.states if "lost" in state]) > lost)
    proxy.heal()


async def test_a_black_hole_is_noticed_within_poll_plus_command(mailbox: DovecotUser, proxy: Proxy) -> None:
    """The real figures are 60 + 20 s and some grace: at most 90 s (I1)."""
    ledger = Ledger()
    async with ledger.watching(mailbox.account(port=proxy.port)):
        await until(lambda: "INBOX idle" in ledger.states)
        proxy.break_all("black hole")
        start = time.monotonic()
        await until(lambda: any("lost" in state for state in ledger.states))
        assert time.monotonic() - start < SHORTEST  # a busy machine is slower, never this slow
        proxy.heal()
        await off_loop(mailbox.deliver, mail(1))
        await until(lambda: ledger.mails)
    real = ImapPatience()
    assert real.poll + real.command + 3 <= 90


async def test_uidvalidity_change_hands_over_the_last_days_again(mailbox: DovecotUser) -> None:
    ledger = Ledger()
    async with ledger.watching(mailbox.account()):
        await off_loop(mailbox.deliver_many, [mail(1), mail(2)])
        await until(lambda: len(ledger.mails) == 2)
    await off_loop(mailbox.deliver, mail(3))
    await off_loop(mailbox.change_uidvalidity)
    async with ledger.watching(mailbox.account()):
        await until(lambda: len(ledger.handled) == 3)
        await off_loop(mailbox.deliver, mail(4))
        await until(lambda: len(ledger.handled) == 4)
    assert len(ledger.mails) == 2 + 3 + 1
    assert ledger.cursors["INBOX"].uidvalidity == ledger.history[0].uidvalidity + 1


async def test_a_crash_in_the_middle_of_recovery_begins_it_again(mailbox: DovecotUser) -> None:
    ledger = Ledger()
    async with ledger.watching(mailbox.account()):
        await off_loop(mailbox.deliver, mail(0))
        await until(lambda: ledger.mails)
    before = ledger.cursors["INBOX"]
    await off_loop(mailbox.deliver_many, [mail(number) for number in range(1, 6)])
    await off_loop(mailbox.change_uidvalidity)
    ledger.fail = lambda found: Retryable("stuck") if found.uid == 4 else None
    async with ledger.watching(mailbox.account()):
        await until(lambda: any("stuck" in state for state in ledger.states))
    assert ledger.cursors["INBOX"] == before, "a half recovery must not move the cursor"
    ledger.fail = lambda _: None
    async with ledger.watching(mailbox.account()):
        await until(lambda: len(ledger.handled) == 6)


async def test_the_server_may_restart_and_die() -> None:
    server = Dovecot()
    await off_loop(server.start)
    try:
        user, ledger = server.add_user(), Ledger()
        async with ledger.watching(user.account()):
            for number, disaster in enumerate((server.restart, lambda: (server.kill(), server.start()))):
                await off_loop(disaster)
                await off_loop(user.deliver, mail(number))
                await until(lambda wanted=number + 1: len(ledger.handled) == wanted)
        assert any("lost" in state for state in ledger.states)
    finally:
        await off_loop(server.stop)


async def test_a_password_that_is_changed_is_waited_for(dovecot: Dovecot) -> None:
    user, ledger = dovecot.add_user(), Ledger()
    async with ledger.watching(user.account()):
        pass
    await off_loop(dovecot.set_password, user.user, "another one")
    async with ledger.watching(user.account()):
        await until(lambda: any("refused the password" in state for state in ledger.states))
        await off_loop(dovecot.set_password, user.user, user.password)
        await off_loop(user.deliver, mail(1))
        await until(lambda: ledger.mails)


async def test_a_first_look_that_cannot_work_says_so(mailbox: DovecotUser) -> None:
    ledger = Ledger()
    async with ledger.watching(mailbox.account(), "No such folder") as task:
        with pytest.raises(NeedsOwner, match="No such folder"):
            await task
    wrong = Account(host="127.0.0.1", port=mailbox.server.port, tls="none", user=mailbox.user, password="wrong")
    async with ledger.watching(wrong) as task:
        with pytest.raises(NeedsOwner, match="refused the password"):
            await task


async def test_a_folder_that_vanishes_is_told_and_waited_for(mailbox: DovecotUser) -> None:
    ledger = Ledger()
    await off_loop(mailbox.create, "Leads")
    async with ledger.watching(mailbox.account(), "Leads"):
        pass
    await off_loop(mailbox.remove, "Leads")
    async with ledger.watching(mailbox.account(), "Leads"):
        await until(lambda: any("cannot be opened" in state for state in ledger.states))


async def test_a_huge_mail_is_handed_over_as_its_beginning_and_quarantined(mailbox: DovecotUser) -> None:
    ledger, parser = Ledger(), Parser()
    huge = mail(1)[:-2] + b"x" * 76 * 1024 + b"\r\n" + (b"y" * 998 + b"\r\n") * 52_600
    async with ledger.watching(mailbox.account()):
        await off_loop(mailbox.deliver_many, [huge, mail(2)])
        await until(lambda: len(ledger.mails) == 2)
    first, second = ledger.mails
    assert first.content.startswith(OVERSIZE)
    assert len(first.content) < 70_000
    with pytest.raises(Quarantined, match="53 MB"):
        parser.parse(first.content)
    assert parser.parse(second.content).subject == "Mail 2"
    parser.close()


async def test_a_big_mail_comes_in_pieces_byte_for_byte(mailbox: DovecotUser) -> None:
    ledger = Ledger()
    big = mail(1, "ä" * 100) + (b"z" * 76 + b"\r\n") * 30_000 + b"no end of line for long " + b"q" * 700_000
    async with ledger.watching(mailbox.account()):
        await off_loop(mailbox.deliver, big)
        await until(lambda: ledger.mails)
    assert ledger.mails[0].content == big


async def test_a_mail_deleted_by_its_owner_meanwhile_stops_nothing(mailbox: DovecotUser) -> None:
    ledger = Ledger()
    async with ledger.watching(mailbox.account()):
        pass
    await off_loop(mailbox.deliver_many, [mail(1), mail(2)])
    await off_loop(mailbox.clear)
    await off_loop(mailbox.deliver, mail(3))
    async with ledger.watching(mailbox.account()):
        await until(lambda: ledger.mails)
    assert [found.uid for found in ledger.mails] == [3]


async def test_no_thread_is_left_behind(mailbox: DovecotUser, proxy: Proxy) -> None:
    def threads() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name.startswith("imap")]

    ledger = Ledger()
    for _ in range(3):
        async with ledger.watching(mailbox.account(port=proxy.port)):
            await until(lambda: "INBOX idle" in ledger.states)
            proxy.break_all("reset")
            await until(lambda: ledger.states[-1] == "INBOX idle" and any("lost" in state for state in ledger.states))
            ledger.states.clear()
    await until(lambda: not threads())


async def test_watching_never_holds_up_the_loop(mailbox: DovecotUser, proxy: Proxy) -> None:
    ledger, longest, last = Ledger(), 0.0, time.monotonic()

    async def tick() -> None:
        nonlocal longest, last
        while True:
            await asyncio.sleep(0.005)
            now = time.monotonic()
            longest, last = max(longest, now - last), now

    ticking = asyncio.create_task(tick())
    async with ledger.watching(mailbox.account(port=proxy.port), patience=SLOW):
        await off_loop(mailbox.deliver, mail(1))
        await until(lambda: ledger.mails)
        proxy.break_all("black hole")
        await until(lambda: any("lost" in state for state in ledger.states))
        proxy.heal()
    ticking.cancel()
    assert longest < SLOW.command, "shorter than any wait for the server"


# ---------------------------------------------------------------- Mailbox


@pytest.fixture
async def box(mailbox: DovecotUser) -> AsyncIterator[Mailbox]:
    made = Mailbox(mailbox.account())
    yield made
    await made.close()


async def test_folders_and_what_they_are_for(box: Mailbox, mailbox: DovecotUser) -> None:
    await off_loop(mailbox.create, encode_name("Entwürfe & Größe"))
    folders = {folder.name: folder for folder in await box.folders()}
    assert {name: folders[name].use for name in ("INBOX", "Sent", "Junk", "Drafts")} == {
        "INBOX": "",
        "Sent": "sent",
        "Junk": "junk",
        "Drafts": "drafts",
    }
    assert folders["Entwürfe & Größe"].raw == "Entw&APw-rfe &- Gr&APYA3w-e"
    assert "IDLE" in await box.capabilities()


async def test_sent_folders_by_setting_and_by_name(box: Mailbox) -> None:
    assert [folder.name for folder in await box.sent_folders("")] == ["Sent"]
    assert [folder.name for folder in await box.sent_folders("junk")] == ["Junk"]
    with pytest.raises(NeedsOwner, match=r"There are: .*INBOX"):
        await box.sent_folders("Sendt")


async def test_sent_folders_without_special_use() -> None:
    server = Dovecot(special_use=False)
    await off_loop(server.start)
    user = server.add_user()
    box = Mailbox(user.account())
    try:
        assert await box.sent_folders() == ()
        for name in ("Archive", "Gesendete Objekte", "Отправленные"):
            await off_loop(user.create, encode_name(name))
        assert {folder.name for folder in await box.sent_folders()} == {"Gesendete Objekte", "Отправленные"}
    finally:
        await box.close()
        await off_loop(server.stop)


async def test_append_and_find(box: Mailbox, mailbox: DovecotUser) -> None:
    await box.append("Sent", mail(1))
    await box.append("Sent", mail(2), flags=("\\Seen", "\\Answered"))
    (found,) = await box.find("Sent", message_id="<2@studio.example>")
    assert (found.content, found.folder_kind) == (mail(2), "sent")
    assert await box.find("Sent", message_id="<3@studio.example>") == ()
    recent = await box.find("Sent", since=datetime.now(UTC) - timedelta(minutes=5), part="header")
    assert [mime.parse(one.content).subject for one in recent] == ["Mail 1", "Mail 2"]
    assert b"This is mail" not in recent[0].content
    assert await box.find("Sent", since=datetime.now(UTC) + timedelta(minutes=5)) == ()
    stored = await asyncio.to_thread(mailbox.messages, "Sent")
    assert [set(one.flags) - {"\\Recent"} for one in stored] == [{"\\Seen"}, {"\\Seen", "\\Answered"}]


async def test_what_is_not_there_is_named(box: Mailbox) -> None:
    with pytest.raises(NeedsOwner, match="no folder 'Nowhere'"):
        await box.append("Nowhere", mail(1))
    with pytest.raises(NeedsOwner, match="Nowhere"):
        await box.find("Nowhere", message_id="<1@x>")
    assert await box.folders(), "and the connection still works"


async def test_a_kept_connection_that_died_is_replaced(mailbox: DovecotUser, proxy: Proxy) -> None:
    box = Mailbox(mailbox.account(port=proxy.port), QUICK)
    for fault in ("reset", "fin", "bye"):
        await box.folders()
        assert proxy.break_all(fault) == 1
        await box.append("Sent", mail(1))
    assert len(await asyncio.to_thread(mailbox.messages, "Sent")) == 3
    await box.close()


async def test_many_questions_at_once(box: Mailbox) -> None:
    answers: list[Awaitable[object]] = [box.append("Sent", mail(number)) for number in range(8)]
    answers += [box.folders(), box.find("Sent", message_id="<1@studio.example>")]
    await asyncio.gather(*answers)
    assert len(await box.find("Sent", since=datetime.now(UTC) - timedelta(days=1))) == 8


async def test_a_server_that_is_down_is_unreachable(mailbox: DovecotUser) -> None:
    closed = Proxy(mailbox.server.port)
    await closed.start()
    await closed.stop()
    with pytest.raises(Unreachable):
        await Mailbox(mailbox.account("none", port=closed.port)).folders()


@pytest.mark.parametrize(
    ("name", "raw"),
    [("INBOX", "INBOX"), ("Tom & Jerry", "Tom &- Jerry"), ("台北", "&U,BTFw-"), ("Wysłane 📮", "Wys&AUI-ane &2D3c7g-")],
)
def test_modified_utf7(name: str, raw: str) -> None:
    assert encode_name(name) == raw
    assert decode_name(raw) == name


def folder_row(name: str, flags: str = "") -> bytes:
    return f'(\\HasNoChildren{flags}) "/" "{name}"'.encode()


@pytest.mark.parametrize("stated", ["", " \\Sent"])
@pytest.mark.parametrize(
    "foreign",
    [
        "Other Users/mallory/Sent", "Public/Sent Items", "Shared/team/Sent", "user/mallory/Sent",
        "Shared Folders/x/Sent", "#shared/Sent", "~mallory/Sent", "Users/mallory/Sent",
    ],
)  # fmt: skip
def test_a_sent_folder_of_somebody_else_proves_nothing(foreign: str, stated: str) -> None:
    rows = [folder_row("INBOX"), folder_row("Sent"), folder_row(foreign, stated), folder_row("Trash/Sent")]
    assert [folder.name for folder in guessed_uses(read_folders(rows)) if folder.use == "sent"] == ["Sent"]


def test_the_servers_namespaces_say_whose_a_folder_is() -> None:
    spaces = read_namespaces([b'(("" "/")("INBOX/" "/")) (("Kollegen/" "/" "X-A" ("B"))) (("Firma/" "/"))'])
    assert spaces == {"": True, "INBOX/": True, "Kollegen/": False, "Firma/": False}
    rows = [folder_row(name, " \\Sent") for name in ("Kollegen/eva/Sent", "Firma/Sent", "INBOX/Sent")]
    assert [folder.name for folder in guessed_uses(read_folders(rows), spaces) if folder.use == "sent"] == [
        "INBOX/Sent"
    ]
    cyrus = read_namespaces([b'(("INBOX." ".")) (("user." ".")) (("" "."))'])
    named = [f'(\\HasNoChildren \\Sent) "." "{name}"'.encode() for name in ("user.eva.Sent", "Sent", "INBOX.Sent")]
    assert [folder.name for folder in guessed_uses(read_folders(named), cyrus) if folder.use == "sent"] == [
        "INBOX.Sent"
    ]
    assert read_namespaces([b"NIL NIL NIL"]) == {}
    assert read_namespaces([]) == {}
