"""Odd providers: a mail that is not given, a busy server, a login in every letter, a server that repeats a password."""

import asyncio
import contextlib
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.patience import PATIENCE
from tests.servers.oddimap import OddImap, letter
from tools.mail.account import Account
from tools.mail.imap import ImapPatience, connect
from tools.mail.inbox import Mailbox, watch
from tools.mail.login import is_busy, refusal, shown
from tools.mail.reading.missed import Missing
from workflows.errors import NeedsOwner, Retryable
from workflows.models.mail import Cursor, RawMail

QUICK = ImapPatience(
    connect=2, command=1, poll=1, second_look=0.1, backoff=0.02, longest=0.1, refused=0.1,
    pauses=(0.05, 0.05, 0.05, 0.05), again=0.2,
)  # fmt: skip
ADA = "ada@provider.example"


def account(server: OddImap, password: str = "sesame-open", user: str = ADA) -> Account:
    return Account(host="127.0.0.1", port=server.port, tls="none", user=user, password=password)


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


class Desk:
    """What a house keeps of one folder: what was handed over, the cursor, the shelf."""

    def __init__(self) -> None:
        self.handed: list[int] = []
        self.states: list[str] = []
        self.put_down: dict[int, str] = {}
        self.shelf: dict[int, str] = {}
        self.cursor = Cursor(folder="INBOX", uidvalidity=1, last_uid=0, last_date=Clock().now())
        self.changed = asyncio.Event()

    async def handle(self, mail: RawMail) -> None:
        self.handed.append(mail.uid)
        self.changed.set()

    async def moved(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.changed.set()

    async def put(self, mail: Missing) -> None:
        self.shelf[mail.uid] = self.put_down[mail.uid] = mail.reason
        self.changed.set()

    async def take(self, mail: Missing) -> None:
        del self.shelf[mail.uid]
        self.changed.set()

    async def uids(self, folder: str, uidvalidity: int) -> tuple[int, ...]:
        return tuple(self.shelf)

    async def until(self, server: OddImap, holds: Callable[[], bool]) -> None:
        """Watch the folder until that holds."""
        task = asyncio.create_task(
            watch(
                account(server), "INBOX", "inbox", cursor=lambda: self.cursor, handle=self.handle, moved=self.moved,
                on_state=lambda _, state: self.states.append(state), clock=Clock(), patience=QUICK, shelf=self,
            )
        )  # fmt: skip
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds():
                    await self.changed.wait()
                    self.changed.clear()
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


# ---------------------------------------------------------------- one mail that the server does not give


@pytest.mark.parametrize("how", ["NO", "BAD", "nil", "nothing", "bye", "silence"])
async def test_a_mail_that_is_not_given_is_set_aside_and_holds_up_no_other(how: str) -> None:
    desk = Desk()
    mails = {uid: letter(uid) for uid in (1, 2, 3)}
    async with OddImap(mails=mails, damaged={2: how}).running() as server:
        await desk.until(server, lambda: 2 in desk.shelf and desk.cursor.last_uid == 3)
    assert desk.handed == [1, 3]
    assert server.fetched.count(2) >= 5
    assert server.fetched.index(3) < len(server.fetched) - 1 - server.fetched[::-1].index(2)


async def test_the_cursor_stays_below_what_is_neither_handled_nor_recorded() -> None:
    desk = Desk()
    cursors: list[int] = []
    async with OddImap(mails={uid: letter(uid) for uid in (1, 2, 3)}, damaged={2: "NO"}).running() as server:
        await desk.until(server, lambda: bool(cursors.append(desk.cursor.last_uid)) or 2 in desk.shelf)
    before = [last for last in cursors if last != 3]
    assert max(before) == 1


async def test_what_was_set_aside_is_handled_when_the_server_gives_it() -> None:
    desk = Desk()
    async with OddImap(mails={uid: letter(uid) for uid in (1, 2, 3)}, damaged={2: "NO"}).running() as server:
        await desk.until(server, lambda: 2 in desk.shelf)
        server.damaged.clear()
        await desk.until(server, lambda: 2 in desk.handed and not desk.shelf)  # a start asks for it again
    assert sorted(set(desk.handed)) == [1, 2, 3]


async def test_what_was_set_aside_and_is_deleted_is_done_with() -> None:
    desk = Desk()
    server = OddImap(mails={uid: letter(uid) for uid in (1, 2, 3)}, damaged={2: "nil"})
    async with server.running():
        await desk.until(server, lambda: 2 in desk.shelf)
        server.mails = {uid: letter(uid) for uid in (1, 3)}
        await desk.until(server, lambda: not desk.shelf)
    assert 2 not in desk.handed


async def test_a_listing_that_is_refused_because_of_one_mail_loses_none() -> None:
    desk = Desk()
    mails = {uid: letter(uid) for uid in (1, 2)}
    async with OddImap(mails=mails, list_sizes="NO [SERVERBUG] Internal error").running() as server:
        await desk.until(server, lambda: desk.cursor.last_uid == 2)
    assert desk.handed == [1, 2]


async def test_new_numbers_for_all_mails_and_one_that_is_not_given() -> None:
    desk = Desk()
    desk.cursor = Cursor(folder="INBOX", uidvalidity=7, last_uid=90, last_date=Clock().now())
    mails = {uid: letter(uid) for uid in (1, 2, 3)}
    async with OddImap(mails=mails, damaged={2: "NO"}).running() as server:
        await desk.until(server, lambda: desk.cursor.uidvalidity == 1 and desk.cursor.last_uid == 3)
    assert (desk.handed, list(desk.shelf)) == ([1, 3], [2])


async def test_a_look_through_a_folder_leaves_out_what_is_not_given() -> None:
    mails = {uid: letter(uid) for uid in (1, 2, 3)}
    async with OddImap(mails=mails, damaged={2: "NO"}).running() as server:
        mailbox = Mailbox(account(server), QUICK)
        assert [mail.uid for mail in await mailbox.find("INBOX")] == [1, 3]
        await mailbox.close()


# ---------------------------------------------------------------- a busy server is no wrong password

BUSY = (
    "NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)",
    "NO LOGIN failed. Request is throttled. Suggested Backoff Time: 299921 milliseconds",
    "NO [UNAVAILABLE] Temporary authentication failure. [mail.example:2026-11-30]",
    "NO [UNAVAILABLE] LOGIN Server error - Please try again later.",
    "NO [ALERT] Too many simultaneous connections. (Failure)",
    "NO [ALERT] Account exceeded command or bandwidth limits. (Failure)",
    "NO [INUSE] Mailbox is locked",
    "NO [LIMIT] LOGIN Rate limit hit.",
    "NO [SERVERBUG] Internal error occurred. Refer to server log for more information.",
    "NO [THROTTLED] Slow down",
    "NO Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
    "NO Server Unavailable. 15",
    "BAD User is authenticated but not connected.",
    "BAD [UNAVAILABLE] Service temporarily unavailable",
    "NO Login failed: server busy",
    "NO LOGIN failed [CONTACTADMIN]",
    "NO authentication backend is down for maintenance",
    "NO Login Error, too many login attempts, retry later",
    "NO connection to the database failed, try again",
)
WRONG = (
    "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
    "NO [AUTHENTICATIONFAILED] Authentication failed, try again later.",
    "NO [AUTHORIZATIONFAILED] No such user",
    "NO [EXPIRED] Your password has expired",
    "NO LOGIN failed.",
    "NO Incorrect username or password",
    "NO Login fail. Account is abnormal, password is incorrect, login frequency limited, or system is busy.",
    "NO LOGIN Login error or password error",
    "BAD Invalid command or arguments",
    "NO [AUTHENTICATIONFAILED] LOGIN Invalid credentials",
)


@pytest.mark.parametrize("answer", BUSY)
async def test_a_busy_server_has_not_refused_the_password(answer: str) -> None:
    async with OddImap(login=answer).running() as server:
        with pytest.raises(Retryable, match="just now"):
            await asyncio.to_thread(connect, account(server), QUICK)


@pytest.mark.parametrize("answer", WRONG)
async def test_a_wrong_password_is_the_owners_to_mend(answer: str) -> None:
    async with OddImap(login=answer).running() as server:
        with pytest.raises(NeedsOwner, match="refused the password"):
            await asyncio.to_thread(connect, account(server), QUICK)


def test_codes_decide_over_words() -> None:
    assert is_busy("[UNAVAILABLE] wrong password")
    assert not is_busy("[AUTHENTICATIONFAILED] temporarily unavailable, too many")


async def test_a_busy_server_is_waited_for_also_at_a_first_start() -> None:
    desk = Desk()
    desk.cursor = Cursor(folder="INBOX", uidvalidity=1, last_uid=0, last_date=Clock().now())
    server = OddImap(mails={1: letter(1)}, login="NO [INUSE] busy")
    async with server.running():

        def is_patient() -> bool:
            if any(state.startswith("lost") for state in desk.states):
                server.login = "OK done"
            return 1 in desk.handed

        async def nudge() -> None:
            while 1 not in desk.handed:
                await asyncio.sleep(0.02)
                desk.changed.set()

        nudging = asyncio.create_task(nudge())
        await desk.until(server, is_patient)
        await nudging
    assert "just now" in desk.states[0]


@pytest.mark.parametrize("answer", ["NO [UNAVAILABLE] later", "NO [LIMIT] too many folders open", "BAD [INUSE] locked"])
async def test_a_folder_that_cannot_be_opened_now_is_no_wrong_setting(answer: str) -> None:
    async with OddImap(examine=answer).running() as server:
        mailbox = Mailbox(account(server), QUICK)
        with pytest.raises(Retryable, match="just now"):
            await mailbox.find("INBOX")
        await mailbox.close()


# ---------------------------------------------------------------- a login in every letter


async def test_a_provider_that_wants_to_know_who_asks_is_told() -> None:
    desk = Desk()
    async with OddImap(mails={1: letter(1)}, wants_id=True).running() as server:
        await desk.until(server, lambda: desk.handed == [1])
    assert any('"Deskhand"' in line for line in server.log)


PASSWORDS = (
    'horse"battery',
    "brick\\slate",
    '\\"both\\"',
    "schlüssel",
    "пароль 42",
    "密码",
    "a b  c",
    "100%{5}",
    "tab\there",
    "é",
)


@pytest.mark.parametrize("offers", ["IMAP4rev1", "IMAP4rev1 AUTH=PLAIN", "IMAP4rev1 AUTH=PLAIN LOGINDISABLED"])
@pytest.mark.parametrize("password", PASSWORDS)
async def test_a_password_arrives_as_it_is(password: str, offers: str) -> None:
    async with OddImap(capabilities=offers).running() as server:
        connection = await asyncio.to_thread(connect, account(server, password, 'ada"winter'), QUICK)
        await asyncio.to_thread(connection.kill)
    assert server.secrets == [('ada"winter', password)]


# ---------------------------------------------------------------- no password in any message


@pytest.mark.parametrize("offers", ["IMAP4rev1", "IMAP4rev1 AUTH=PLAIN LOGINDISABLED"])
@pytest.mark.parametrize("answer", ["BAD no", "NO ECHO", "BAD [UNAVAILABLE] LOGIN ECHO"])
@pytest.mark.parametrize("password", ["sesame-open", *PASSWORDS[:4]])
async def test_no_piece_of_the_password_is_in_an_error(password: str, answer: str, offers: str) -> None:
    async with OddImap(login=answer, capabilities=offers).running() as server:
        with pytest.raises((NeedsOwner, Retryable)) as caught:
            await asyncio.to_thread(connect, account(server, password), QUICK)
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + str(vars(caught.value))
    lines = [line for line in told.splitlines() if "self." not in line and "raise" not in line]
    for at in range(len(password) - 3):
        assert password[at : at + 4].lower() not in "\n".join(lines).lower()


@pytest.mark.parametrize(
    "said",
    [
        "LOGIN ada sesame-open", "b'sesame-open'", "c2VzYW1lLW9wZW4=", "73657361 6d65 sesame", "SESAME-OPEN",
        "\\x00ada@provider.example\\x00sesame-open", "AGFkYUBwcm92aWRlci5leGFtcGxlAHNlc2FtZS1vcGVu", "...ame-op...",
    ],
)  # fmt: skip
def test_a_server_that_repeats_the_password_is_not_quoted(said: str) -> None:
    ours = Account(host="mail.example", port=993, user=ADA, password="sesame-open")
    for error in (refusal(ours, said), refusal(ours, f"[UNAVAILABLE] {said}")):
        assert said not in str(error)
    assert shown(ours, f"[LIMIT] {said}").startswith("[LIMIT] (its words are left out")


async def test_a_mail_that_brings_out_a_bug_is_set_aside_and_holds_up_no_other() -> None:
    class Clumsy(Desk):
        async def handle(self, mail: RawMail) -> None:
            if mail.uid == 2:
                raise KeyError("a bug")
            await super().handle(mail)

    desk = Clumsy()
    async with OddImap(mails={uid: letter(uid) for uid in (1, 2, 3)}).running() as server:
        await desk.until(server, lambda: 2 in desk.shelf and desk.cursor.last_uid == 3)
    assert desk.handed == [1, 3]
    assert desk.shelf[2] == "handling it failed (KeyError: 'a bug')"


async def test_a_house_that_can_take_no_mail_just_now_sets_nothing_aside() -> None:
    class Full(Desk):
        tries = 0

        async def handle(self, mail: RawMail) -> None:
            self.tries += 1
            if self.tries < 12:
                raise OSError("no space left on device")
            await super().handle(mail)

    desk = Full()
    async with OddImap(mails={1: letter(1)}).running() as server:
        await desk.until(server, lambda: desk.handed == [1])
    assert not desk.put_down
