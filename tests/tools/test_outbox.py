"""The outbox against real servers: a recording SMTP server that fails on purpose, and Dovecot as the witness."""

import asyncio
import email
import email.policy
import itertools
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import pytest

from memory.outbox.outgoing import OutgoingLedger
from tests.approved import FREE, NOW, Desk
from tests.patience import PATIENCE
from tests.servers.smtp import (
    ACCEPT_THEN_DROP,
    DROP_BEFORE_ACCEPT,
    PERMANENT,
    STALL,
    TEMPORARY,
    Delivered,
    Fault,
    RecordingSmtp,
)
from tools.mail import mime
from tools.mail.account import Account
from tools.mail.inbox import Mailbox
from tools.mail.parser import Parser
from tools.mail.sending.evidence import Evidence
from tools.mail.sending.outbox import Outbox, SearchPatience
from tools.mail.sending.smtp import SmtpPatience, Transport
from workflows.errors import DeskhandError, NeedsOwner, Permanent, Retryable
from workflows.models.decisions import Approve
from workflows.models.drafts import Outgoing, Receipt
from workflows.models.mail import Address
from workflows.models.people import Owner
from workflows.rules.text.canonical import approved_hash

OWNER = Owner(name="Ada Winter", address="ada@winter.example", timezone="Europe/Berlin")
BODY = "Hi Maria,\n\nThursday 10:00 works; the café is fine.\n.\nFrom Monday on I am away.\n\nAda\n"
ROOT = Path(__file__).parents[2]
SHORT = SearchPatience(proof=0.3, filing=0.3, pause=0.05)


class Crash(BaseException):
    """The process is gone: nothing in it may catch this."""


class Office:
    """One home with its outbox, an SMTP server and the owner's mailbox; `restart` is a new process on the same home."""

    def __init__(self, folder, server, mailbox, *, files_sent="auto", limits=FREE) -> None:
        self.desk, self.server, self.user = Desk(folder), server, mailbox
        self.files_sent, self.limits = files_sent, limits
        self.login = ("", "")
        self.parse = mime.parse
        self.patience = SmtpPatience(connect=2, command=2, final=0.4)
        self.mailbox = Mailbox(mailbox.account())
        self.outbox = self.restart()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.mailbox.close()
        self.desk.engine.dispose()

    def restart(self, ledger: OutgoingLedger | None = None) -> Outbox:
        user, password = self.login
        account = Account(host=self.server.host, port=self.server.port, tls="none", user=user, password=password)
        self.outbox = Outbox(
            ledger=ledger or OutgoingLedger(self.desk.engine, self.desk.clock, self.desk.blobs),
            blobs=self.desk.blobs,
            transport=Transport(account, self.patience),
            evidence=Evidence(self.mailbox, self.parse),
            owner=OWNER,
            limits=self.limits,
            clock=self.desk.clock,
            files_sent=self.files_sent,
            waiting=SHORT,
        )
        return self.outbox

    def approved(self, case=41, *, to="maria@studio.example", body=BODY, **more) -> Outgoing:
        outgoing = self.desk.version(case=case, body=body, to=to, **more)
        self.desk.answer(outgoing, Approve())
        return outgoing

    async def send(self, outgoing: Outgoing) -> Receipt:
        return await self.outbox.send(outgoing, approved_hash(outgoing))

    async def send_to_the_end(self, outgoing: Outgoing) -> Receipt:
        """As Temporal does: again and again until it is not retryable any more."""
        for _ in range(12):
            try:
                return await self.send(outgoing)
            except Retryable:
                continue
        raise AssertionError(f"{outgoing.case} never came to an end")

    def entry(self, outgoing: Outgoing):
        return self.desk.ledger.entry(f"send:{outgoing.case}.{outgoing.version}")

    def in_sent(self) -> list[bytes]:
        return [stored.content for stored in self.user.messages("Sent")]


@pytest.fixture
async def office(tmp_path, smtp_server, mailbox) -> AsyncIterator[Office]:
    async with Office(tmp_path, smtp_server, mailbox, files_sent="no") as made:
        yield made


@pytest.fixture
async def provider(tmp_path, dovecot) -> AsyncIterator[Office]:
    """A provider that gives its own Message-IDs and files what it sends into Sent, before it answers."""
    mailbox = dovecot.add_user()

    def file(mail: Delivered) -> None:
        mailbox.deliver(mail.kept, "Sent", "\\Seen")

    with RecordingSmtp(rewrite_ids=True, on_message=file) as server:
        async with Office(tmp_path / "provider", server, mailbox) as made:
            yield made


@pytest.fixture(params=["office", "provider"])
def place(request, office, provider) -> Office:
    """Both kinds of server, one after the other."""
    return office if request.param == "office" else provider


def headers(content: bytes) -> email.message.EmailMessage:
    return email.message_from_bytes(content, policy=email.policy.default)


# ---------------------------------------------------------------- what goes to a client


async def test_client_gets_exactly_the_approved_text_and_no_trace_of_us(office):
    thread = {"in_reply_to": "<q2@studio.example>", "references": ("<q1@studio.example>", "<q2@studio.example>")}
    outgoing = office.approved(**thread)
    receipt = await office.send(outgoing)
    assert (receipt.state, receipt.at) == ("sent", NOW)
    content = office.server.delivered[0].content
    mail = headers(content)
    assert mime.decoded_body(content) == BODY
    assert mail["From"] == "Ada Winter <ada@winter.example>"
    assert mail["Message-ID"] == receipt.message_id
    assert mail["In-Reply-To"] == "<q2@studio.example>"
    assert mail["References"].split() == ["<q1@studio.example>", "<q2@studio.example>"]
    assert mail["Date"].datetime == NOW
    assert mail["Date"].datetime.utcoffset() == timedelta(hours=1), "the owner's own time zone"
    known = {"from", "to", "subject", "date", "message-id", "in-reply-to", "references", "mime-version"}
    assert {name.lower() for name in mail} - known == {"content-type", "content-transfer-encoding"}
    assert b"deskhand" not in content.lower()
    assert receipt.message_id.endswith("@winter.example>")


async def test_threads_hold_together(office):
    """S2, small."""
    for number in range(1, 31):
        chain = tuple(f"<{number}.{step}@studio.example>" for step in range(number))
        await office.send(office.approved(number, to=f"c{number}@x.example", in_reply_to=chain[-1], references=chain))
    assert len(office.server.delivered) == 30
    for number, delivered in enumerate(office.server.delivered, start=1):
        mail = headers(delivered.content)
        assert mail["In-Reply-To"] == f"<{number}.{number - 1}@studio.example>"
        assert mail["References"].split() == [f"<{number}.{step}@studio.example>" for step in range(number)]
        assert b"deskhand.invalid" not in delivered.content


async def test_every_attempt_sends_the_same_bytes(office):
    outgoing = office.approved()
    office.server.play(TEMPORARY, Fault("rcpt"), TEMPORARY, Fault("final", "reply", "421 4.3.2 closing"), None)
    receipt = await office.send_to_the_end(outgoing)
    blob = office.desk.blobs.get(office.entry(outgoing).blob)
    attempts = [each.content for each in office.server.transactions if each.content is not None]
    assert receipt.state == "sent"
    assert attempts == [blob] * 4


async def test_calling_again_after_sent_sends_nothing(office):
    outgoing = office.approved()
    first = await office.send(outgoing)
    again = await asyncio.gather(*(office.send(outgoing) for _ in range(5)))
    assert again == [replace(first, detail=again[0].detail)] * 5
    assert len(office.server.transactions) == 1


async def test_many_calls_at_once_send_once(office):
    outgoing = office.approved()
    receipts = await asyncio.gather(*(office.send(outgoing) for _ in range(8)))
    assert {receipt.state for receipt in receipts} == {"sent"}
    assert len(office.server.delivered) == 1


async def test_two_processes_at_once_send_once(office):
    outgoing = office.approved()
    first, second = office.restart(), office.restart()
    digest = approved_hash(outgoing)
    await asyncio.gather(first.send(outgoing, digest), second.send(outgoing, digest), return_exceptions=True)
    receipt = await office.send_to_the_end(outgoing)
    assert receipt.state in {"sent", "uncertain"}
    assert len(office.server.delivered) == 1


async def test_what_no_mail_can_be_made_of_is_failed_and_not_held(office):
    outgoing = office.approved(to="two words@studio.example")
    receipt = await office.send(outgoing)
    assert receipt.state == "failed"
    assert "is not an address" in receipt.detail
    assert office.server.connections == 0


async def test_text_that_is_not_the_approved_one_is_refused(office):
    outgoing = office.approved()
    with pytest.raises(Permanent, match="not the text that was approved"):
        await office.outbox.send(replace(outgoing, body="Something else.\n"), approved_hash(outgoing))
    assert office.server.connections == 0


async def test_held_says_why_and_until_when(office):
    office.limits = replace(FREE, grace=timedelta(seconds=60))
    office.restart()
    receipt = await office.send(office.approved())
    assert (receipt.state, receipt.until) == ("held", NOW + timedelta(seconds=60))
    assert office.server.connections == 0


async def test_refused_recipient_means_nobody_got_it(office):
    office.server.refused.add("gone@studio.example")
    outgoing = office.approved(cc=(Address(email="gone@studio.example"), Address(email="joe@studio.example")))
    receipt = await office.send(outgoing)
    assert receipt.state == "failed"
    assert "gone@studio.example" in receipt.detail
    assert office.server.delivered == []
    assert await office.send(outgoing) == receipt, "failed is final"


async def test_wrong_password_keeps_it_for_later(tmp_path, mailbox):
    with RecordingSmtp(users={"ada": "right"}) as server:
        async with Office(tmp_path, server, mailbox, files_sent="no") as office:
            outgoing = office.approved()
            office.login = ("ada", "wrong")
            office.restart()
            with pytest.raises(NeedsOwner):
                await office.send(outgoing)
            assert office.entry(outgoing).state == "claimed"
            office.login = ("ada", "right")
            office.restart()
            assert (await office.send(outgoing)).state == "sent"


# ---------------------------------------------------------------- no answer from the server


async def test_no_answer_and_no_proof_is_told_and_never_sent_again(office):
    outgoing = office.approved()
    office.server.play(ACCEPT_THEN_DROP)
    receipt = await office.send(outgoing)
    assert receipt.state == "uncertain"
    assert "maria@studio.example" in receipt.detail
    assert "./deskhand case 41" in receipt.detail
    office.restart()
    assert (await office.send(outgoing)).state == "uncertain"
    assert len(office.server.delivered) == 1
    assert office.in_sent() == []


async def test_copy_that_the_server_filed_under_its_own_id_proves_it(provider):
    outgoing = provider.approved()
    provider.server.play(ACCEPT_THEN_DROP)
    receipt = await provider.send(outgoing)
    entry = provider.entry(outgoing)
    assert receipt.state == "sent"
    assert entry.server_id == provider.server.delivered[0].server_id
    assert len(provider.in_sent()) == 1


async def test_proof_is_read_in_the_limited_child_process(provider):
    parser = Parser()
    provider.parse = parser.parse
    provider.restart()
    try:
        provider.server.play(ACCEPT_THEN_DROP)
        assert (await provider.send(provider.approved())).state == "sent"
        assert parser.pid is not None
    finally:
        parser.close()


async def test_somebody_elses_copy_proves_nothing(provider):
    """Same recipient and subject but other words; same words to another person; the same mail from last week."""
    outgoing = provider.approved()
    parts = {"sender": Address(email=OWNER.address), "to": outgoing.to, "subject": outgoing.subject, "body": BODY}
    others = [
        {"body": "Something else.\n"},
        {"to": (Address(email="joe@studio.example"),)},
        {"subject": "Another"},
        {"date": NOW - timedelta(days=7)},
    ]
    for number, other in enumerate(others):
        made = {**parts, "message_id": f"<other{number}@winter.example>", "date": NOW, **other}
        provider.user.deliver(mime.compose(**made), "Sent")
    provider.server.play(DROP_BEFORE_ACCEPT)
    assert (await provider.send(outgoing)).state == "uncertain"


async def test_mailbox_that_is_away_leaves_the_doubt_open(office, dovecot):
    outgoing = office.approved()
    office.server.play(ACCEPT_THEN_DROP)
    office.user.server.set_password(office.user.user, "changed")
    with pytest.raises(DeskhandError):
        await office.send(outgoing)
    assert office.entry(outgoing).state == "committing"
    office.user.server.set_password(office.user.user, office.user.password)
    assert (await office.send(outgoing)).state == "uncertain"
    assert len(office.server.delivered) == 1


MIX = [DROP_BEFORE_ACCEPT] * 5 + [ACCEPT_THEN_DROP] * 5 + [TEMPORARY, PERMANENT, STALL, None, None] * 2


async def test_at_most_once_and_nothing_silently_lost(place):
    """S1, small: 60 approved sends through a server that fails in every way."""
    count, chance = 60, random.Random(7)
    place.limits = replace(FREE, per_hour=1000)
    place.restart()
    place.server.refused.add("refused@studio.example")
    place.server.play(*(chance.choice(MIX) for _ in range(2 * count)))
    drafts = [
        place.approved(
            case,
            body=f"Answer number {case}.\n",
            to="refused@studio.example" if case % 20 == 0 else f"c{case}@x.example",
        )
        for case in range(1, count + 1)
    ]
    lanes = asyncio.Semaphore(6)

    async def one(outgoing: Outgoing) -> Receipt:
        async with lanes:
            return await place.send_to_the_end(outgoing)

    receipts = await asyncio.gather(*map(one, drafts))
    states = Counter(receipt.state for receipt in receipts)
    assert states["sent"] + states["failed"] + states["uncertain"] == count
    bodies = Counter(mime.decoded_body(mail.content) for mail in place.server.delivered)
    ids = Counter(headers(mail.content)["Message-ID"] for mail in place.server.delivered)
    assert max(bodies.values()) == max(ids.values()) == 1
    for outgoing, receipt in zip(drafts, receipts, strict=True):
        assert receipt.detail, "each end says why"
        arrived = bodies[outgoing.body]
        assert arrived <= {"sent": 1, "failed": 0, "uncertain": 1}[receipt.state]
        assert arrived or receipt.state != "sent"
        blob = place.desk.blobs.get(place.entry(outgoing).blob)
        tried = [
            each.content
            for each in place.server.transactions
            if each.content and outgoing.body.encode() in mime.decoded_body(each.content).encode()
        ]
        assert set(tried) <= {blob}, "A3: the bytes composed at claim, on every attempt"
    copies = Counter(mime.decoded_body(content) for content in place.in_sent())
    assert copies == {
        outgoing.body: 1 for outgoing, receipt in zip(drafts, receipts, strict=True) if receipt.state == "sent"
    }
    assert min(states.values()) > 0
    if place.server.rewrite_ids:
        # Every mail the server took is proven by its copy; only what it dropped stays unknown.
        assert sum(bodies.values()) == states["sent"]


# ---------------------------------------------------------------- a crash between any two steps


class Dying(OutgoingLedger):
    """A process that dies just before or just after one step reaches the ledger."""

    def __init__(self, desk: Desk, step: str, when: str) -> None:
        super().__init__(desk.engine, desk.clock, desk.blobs)
        self.step, self.when = step, when

    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        if name in {"step", "when"} or name != self.step:
            return found

        def dying(*given, **named):
            if self.when == "after":
                found(*given, **named)
            raise Crash

        return dying


STEPS = ["enqueue", "claim", "committing", "sent", "filed"]


@pytest.mark.parametrize(("step", "when"), [*itertools.product(STEPS, ["before", "after"])])
async def test_crash_between_any_two_steps(place, step, when):
    outgoing = place.approved()
    place.restart(Dying(place.desk, step, when))
    with pytest.raises(Crash):
        await place.send(outgoing)
    place.restart()
    receipt = await place.send_to_the_end(outgoing)
    assert len(place.server.delivered) <= 1
    handed_over = step in {"sent", "filed"} or (step, when) == ("committing", "after")
    if not place.server.rewrite_ids and (step, when) in {("committing", "after"), ("sent", "before")}:
        assert receipt.state == "uncertain", "no server files a copy here, so nothing can prove it"
    elif handed_over and not place.server.delivered:
        assert receipt.state == "uncertain"
    else:
        assert (receipt.state, len(place.server.delivered)) == ("sent", 1)
        assert len(place.in_sent()) == 1


CHILD = """
import asyncio, sys
from pathlib import Path
from tests.tools.test_outbox import Office, OWNER
from tests.approved import Desk
from tools.mail.account import Account
from tools.mail.sending.smtp import Transport
from tools.mail.parser import Parser
from tools.mail.sending.outbox import Outbox
from tools.mail.sending.evidence import Evidence
from memory.outbox.entries import SendLimits
from datetime import timedelta
from workflows.rules.text.canonical import approved_hash
from memory.record.schema import versions, reading, from_json
from workflows.models.drafts import Outgoing
from sqlalchemy import select
desk = Desk(Path(sys.argv[1]))
with reading(desk.engine) as connection:
    outgoing = from_json(Outgoing, connection.execute(select(versions.c.outgoing)).scalar())
outbox = Outbox(ledger=desk.ledger, blobs=desk.blobs, transport=Transport(Account(host="127.0.0.1",
    port=int(sys.argv[2]), tls="none")), evidence=Evidence(None, None), owner=OWNER, clock=desk.clock,
    limits=SendLimits(grace=timedelta(0)))
asyncio.run(outbox.send(outgoing, approved_hash(outgoing)))
"""


@pytest.mark.parametrize("filed", [True, False])
async def test_kill_9_between_the_server_taking_it_and_saying_so(tmp_path, mailbox, filed):
    children: list[subprocess.Popen[bytes]] = []

    def taken(mail) -> None:
        if filed:
            mailbox.deliver(mail.kept, "Sent")
        children[0].send_signal(signal.SIGKILL)
        children[0].wait(PATIENCE)

    with RecordingSmtp(on_message=taken) as server:
        async with Office(tmp_path, server, mailbox) as office:
            outgoing = office.approved()
            children.append(subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path), str(server.port)], cwd=ROOT))  # noqa: ASYNC220
            await server.wait(lambda _: children[0].poll() is not None)
            assert children[0].returncode == -signal.SIGKILL
            assert office.entry(outgoing).state == "committing"
            settled = await office.restart().resume()
            assert [entry.state for entry in settled] == ["sent" if filed else "uncertain"]
            assert (await office.send(outgoing)).state == settled[0].state
            assert len(server.delivered) == 1


@pytest.mark.parametrize(
    ("at", "before", "after"),
    [("connect", "claimed", "sent"), ("rcpt", "claimed", "sent"), ("data", "committing", "uncertain")],
)
async def test_kill_9_while_the_server_keeps_it_waiting(tmp_path, smtp_server, mailbox, at, before, after):
    async with Office(tmp_path, smtp_server, mailbox, files_sent="no") as office:
        outgoing = office.approved()
        smtp_server.play(Fault(at, "stall"))
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path), str(smtp_server.port)], cwd=ROOT)  # noqa: ASYNC220
        last = {"connect": "", "rcpt": "RCPT", "data": "DATA"}[at]
        await smtp_server.wait(
            lambda server: (
                server.connections == 1 and any(line.startswith(last) for _, line in server.commands or [(1, "")])
            )
        )
        child.send_signal(signal.SIGKILL)
        await smtp_server.wait(lambda _: child.poll() is not None)
        assert office.entry(outgoing).state == before
        receipt = await office.send_to_the_end(outgoing)
        assert receipt.state == after
        assert len(smtp_server.delivered) == (1 if after == "sent" else 0)


# ---------------------------------------------------------------- the copy in Sent


async def test_copy_is_filed_once_and_as_seen(office):
    outgoing = office.approved()
    await office.send(outgoing)
    await office.send(outgoing)
    assert await office.outbox.file_unfiled() == ()
    stored = office.user.messages("Sent")
    assert [each.content for each in stored] == [office.server.delivered[0].content]
    assert "\\Seen" in stored[0].flags


async def test_server_that_files_by_itself_is_learned(provider):
    for case in (1, 2, 3):
        outgoing = provider.approved(case, body=f"Number {case}.\n")
        await provider.send(outgoing)
        assert provider.entry(outgoing).server_id == provider.server.delivered[-1].server_id
    assert provider.desk.ledger.files_sent("127.0.0.1") is True
    assert len(provider.in_sent()) == 3


async def test_learning_goes_by_what_is_seen(office):
    office.files_sent = "auto"
    office.restart()
    await office.send(office.approved(1))
    assert office.desk.ledger.files_sent("127.0.0.1") is False
    assert len(office.in_sent()) == 1
    office.server.on_message = lambda mail: office.user.deliver(mail.kept, "Sent")
    await office.send(office.approved(2, body="Second.\n"))
    assert office.desk.ledger.files_sent("127.0.0.1") is True
    assert len(office.in_sent()) == 2


async def test_id_that_the_server_gave_without_saying_so_is_found_in_sent(provider):
    provider.server.states_ids = False
    outgoing = provider.approved()
    assert (await provider.send(outgoing)).state == "sent"
    assert provider.entry(outgoing).server_id == provider.server.delivered[0].server_id
    assert len(provider.in_sent()) == 1


async def test_known_filer_that_is_slow_is_waited_for_but_not_for_ever(office):
    office.files_sent = "yes"
    office.restart()
    outgoing = office.approved()
    assert (await office.send(outgoing)).state == "sent"
    assert office.in_sent() == []
    assert len(await office.outbox.file_unfiled()) == 1
    office.desk.clock.time += timedelta(hours=2)
    assert await office.outbox.file_unfiled() == ()
    assert len(office.in_sent()) == 1


async def test_failing_to_file_never_fails_the_send(office):
    office.user.server.set_password(office.user.user, "changed")
    outgoing = office.approved()
    assert (await office.send(outgoing)).state == "sent"
    problems = [await office.outbox.file_unfiled() for _ in range(3)]
    assert problems == [problems[0]] * 3
    assert office.entry(outgoing).unfiled == problems[0][0]
    assert office.entry(outgoing).unfiled not in office.entry(outgoing).detail
    office.user.server.set_password(office.user.user, office.user.password)
    assert await office.outbox.file_unfiled() == ()
    assert office.entry(outgoing).unfiled == ""
    assert len(office.in_sent()) == 1


# ---------------------------------------------------------------- to the owner


def ask(message_id: str, date: datetime) -> bytes:
    sender = Address(email=OWNER.address, name="Deskhand")
    return mime.compose(
        sender=sender, to=(Address(email=OWNER.address),), subject="Maria: Hi [Deskhand 41.1]", body="Please.\n",
        message_id=message_id, date=date, references=("<41.1.abc@deskhand.invalid>",),
        headers=(("Auto-Submitted", "auto-generated"),),
    )  # fmt: skip


ASK = {"intent": "ask:41.1", "purpose": "approval", "text": "Please.\n", "compose": ask, "case": 41, "version": 1}


async def test_approval_mail_leaves_once_and_is_never_filed(office):
    left = await office.outbox.post(**ASK, reference="<41.1.abc@deskhand.invalid>")
    assert await office.outbox.post(**ASK) == left == NOW
    assert len(office.server.delivered) == 1
    assert office.server.delivered[0].recipients == (OWNER.address,)
    assert await office.outbox.file_unfiled() == ()
    assert office.in_sent() == []
    assert office.desk.ledger.entry("ask:41.1").reference == "<41.1.abc@deskhand.invalid>"


@pytest.mark.parametrize("fault", [DROP_BEFORE_ACCEPT, ACCEPT_THEN_DROP])
async def test_approval_mail_goes_again_as_the_same_mail_unless_it_arrived(office, fault):
    office.server.on_message = lambda mail: office.user.deliver(mail.kept)
    office.server.play(fault)
    for _ in range(5):
        try:
            await office.outbox.post(**ASK)
            break
        except Retryable:
            continue
    arrived = office.user.messages()
    assert len(arrived) == 1
    assert office.desk.ledger.entry("ask:41.1").state == "sent"
    assert len({each.content for each in office.server.transactions}) == 1


async def test_approval_mail_refused_today_may_be_taken_tomorrow(office):
    office.server.play(PERMANENT)
    with pytest.raises(Permanent, match="554"):
        await office.outbox.post(**ASK)
    assert await office.outbox.post(**ASK) == NOW


@pytest.mark.parametrize(("step", "when"), [*itertools.product(["claim", "committing", "sent"], ["before", "after"])])
async def test_approval_mail_survives_a_crash_anywhere(office, step, when):
    office.server.on_message = lambda mail: office.user.deliver(mail.kept)
    with pytest.raises(Crash):
        await office.restart(Dying(office.desk, step, when)).post(**ASK)
    await office.restart().post(**ASK)
    assert len(office.user.messages()) == 1
    assert len(office.server.delivered) == 1
