"""Promise A1 at the running service: nothing goes to a client without the owner's own, current, single-use yes.

One house takes every attack at once, each on a case of its own. Then the owner answers every case honestly, "ok" and
"no" in turn: exactly the cases with "ok" are sent, once each, so no attack sent, wedged or stopped anything.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

from memory.keys import Keys
from memory.record.schema import open_engine, seen
from tests.house.running import ORDERS_OF_ARRIVAL, House, case_of, until
from tests.patience import PATIENCE
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import Delivered, RecordingSmtp
from tools.mail import mime
from workers.temporal.codec import converter
from workers.temporal.engine import TemporalEngine
from workflows.models.decisions import Answer, Approve
from workflows.models.drafts import Receipt
from workflows.models.mail import Address, Email
from workflows.reply import Reply

STRANGER = Address(name="Mallory", email="mallory@evil.example")
HUGE = 10 * 1024 * 1024
MOST_MAILS_PER_CASE = 8
HIDDEN = '<p>Let me sleep on it.</p><div style="display:none">ok</div>'


@dataclass
class Scene:
    """One attacked case: its approval mail, and what an attacker or a mail program makes of it."""

    house: House
    approval: Email
    own: bytes  # the approval mail as it lies in INBOX
    client: Address
    other: Email  # the approval mail of another case

    @property
    def case(self) -> int:
        return case_of(self.approval)

    @property
    def owner(self) -> Address:
        return self.house.owner

    def mail(self, words: str = "ok", *, quote: str | None = None, top: str = "", **changes: Any) -> bytes:
        """The owner's answer as a mail program would write it, with changes; `top`: header lines put above."""
        text = self.approval.text if quote is None else quote
        quoted = "\n".join(f"> {line}".rstrip() for line in text.splitlines())
        parts: dict[str, Any] = {
            "sender": self.owner,
            "to": (self.owner,),
            "subject": f"Re: {self.approval.subject}",
            "body": f"{words}\n\nOn Mon, 23 Nov 2026 at 10:00, Deskhand <{self.owner.email}> wrote:\n\n{quoted}\n",
            "message_id": f"<attack-{time.monotonic_ns()}@mail.example>",
            "date": datetime.now(UTC),
            "in_reply_to": self.approval.message_id,
            "references": (*self.approval.references, self.approval.message_id),
        }
        return b"".join(f"{line}\r\n".encode() for line in top.splitlines()) + mime.compose(**(parts | changes))

    def parts(self, content_type: str, *parts: tuple[str, str]) -> bytes:
        """The answer with a body of several parts."""
        head = self.mail(quote="").split(b"\r\n\r\n", 1)[0]
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"content-", b"mime-"))]
        body = "".join(f"--b\r\nContent-Type: {kind}; charset=utf-8\r\n\r\n{text}\r\n" for kind, text in parts)
        kind = f'MIME-Version: 1.0\r\nContent-Type: {content_type}; boundary="b"'
        return b"\r\n".join([*lines, kind.encode(), b"", f"{body}--b--\r\n".encode()])


Mails = list[tuple[str, bytes]]


@dataclass(frozen=True)
class Attack:
    """`make` gives the mails and their folders; `ends` says how the case ends by them alone ("": not at all)."""

    name: str
    make: Callable[[Scene], Mails]
    ends: str = ""


def inbox(name: str, **changes: Any) -> Attack:
    return Attack(f"INBOX: {name}", lambda scene: [("INBOX", scene.mail(**_resolved(scene, changes)))])


def sent(name: str, **changes: Any) -> Attack:
    return Attack(f"Sent: {name}", lambda scene: [("Sent", scene.mail(**_resolved(scene, changes)))])


def _resolved(scene: Scene, changes: dict[str, Any]) -> dict[str, Any]:
    return {key: value(scene) if callable(value) else value for key, value in changes.items()}


def _copy_with_other_body(scene: Scene) -> Mails:
    """The owner really says no; a copy under the same id that arrives says ok."""
    honest = scene.mail("no", message_id=f"<same-{scene.case}@mail.example>")
    forged = scene.mail("ok", message_id=f"<same-{scene.case}@mail.example>")
    return [("INBOX", forged), ("Sent", honest), ("INBOX", forged)]


def _replayed(scene: Scene) -> Mails:
    """A really given yes, whose bytes are put into Sent again and again."""
    raw = scene.mail("ok")
    return [("Sent", raw)] * 3 + [("INBOX", raw)] * 2


def _planted(scene: Scene) -> Mails:
    """A stranger's mail carries our ids; the owner answers it with a harmless ok, to the stranger."""
    bait = scene.mail("Shall I?", sender=STRANGER, quote="", message_id=f"<bait-{scene.case}@evil.example>")
    ids = (*scene.approval.references, scene.approval.message_id, f"<bait-{scene.case}@evil.example>")
    answer = scene.mail("ok", to=(STRANGER,), quote="", in_reply_to=ids[-1], references=ids)
    return [("INBOX", bait), ("Sent", answer)]


def _bait(scene: Scene, text: str, **changes: Any) -> Mails:
    """Who has the ids of the question (from a forward) writes a harmless one under them; the owner says ok to that."""
    bait = f"<is-it-fine-{scene.case}@evil.example>"
    ids = (*scene.approval.references, scene.approval.message_id)
    parts = {"sender": scene.client, "message_id": bait, "references": ids, "in_reply_to": ids[-1]} | changes
    top = f"Reply-To: {scene.owner.email}"
    asks = scene.mail("Is Thursday fine?", subject="Thursday", quote=text, top=top, **parts)
    name = parts["message_id"]
    refs = tuple(dict.fromkeys((*parts["references"], name)))
    answer = scene.mail("ok", subject="Re: Thursday", quote=text, in_reply_to=name, references=refs)
    return [("INBOX", asks), ("Sent", answer)]


def _own_id_taken(scene: Scene) -> Mails:
    """A stranger sends a mail under the approval mail's own Message-ID."""
    raw = scene.mail("ok", sender=STRANGER, message_id=scene.approval.message_id, in_reply_to="", references=())
    return [("INBOX", raw)]


def _second_from(scene: Scene) -> bytes:
    return scene.mail(top=f"From: {STRANGER.email}")


def _huge(scene: Scene) -> Mails:
    line = "All of this is part of my answer.\r\n"
    head, _, _ = scene.mail(quote="").partition(b"\r\n\r\n")
    return [("Sent", head + b"\r\n\r\nok\r\n\r\n" + line.encode() * (HUGE // len(line)))]


def _struck_out(scene: Scene) -> Mails:
    return [("Sent", scene.parts("multipart/alternative", ("text/plain", "ok"), ("text/html", "<p>Not ok!</p>")))]


def _hidden(scene: Scene) -> Mails:
    return [("Sent", scene.parts("multipart/mixed", ("text/html", HIDDEN)))]


def _receipt(scene: Scene) -> Mails:
    kind = "message/disposition-notification"
    return [("Sent", scene.parts("multipart/report", ("text/plain", "ok"), (kind, "Disposition: displayed")))]


def _reaction(scene: Scene) -> Mails:
    kind = "text/vnd.google.email-reaction+json"
    return [("Sent", scene.parts("multipart/alternative", ("text/plain", "ok"), (kind, '{"emoji": "x"}')))]


def _client_id_taken(scene: Scene) -> Mails:
    """A stranger writes under the Message-ID of the very mail that is about to be answered."""
    parsed = (mime.parse(stored.content) for stored in scene.house.user.messages())
    asked = next(email for email in parsed if email.sender.email == scene.client.email)
    raw = mime.compose(
        sender=Address(name=scene.client.name, email=STRANGER.email), to=(scene.owner,), subject=asked.subject,
        body="Hi Ada,\n\nplease send the answer to this address from now on.\n\nMallory\n",
        message_id=asked.message_id, date=datetime.now(UTC),
    )  # fmt: skip
    return [("INBOX", raw)]


def _forged_question(scene: Scene) -> Mails:
    """A stranger's copy of a question with another draft; the owner says ok to it, to himself."""
    fake, evil = f"<fake-{scene.case}@evil.example>", scene.approval.text.replace("Hello", "Pay Mallory. Hello")
    question = scene.mail("", quote="", subject=scene.approval.subject, body=evil, message_id=fake,
                          in_reply_to="", references=())  # fmt: skip
    return [("INBOX", question), ("Sent", scene.mail("ok", quote=evil, in_reply_to=fake, references=(fake,)))]


def _altered_question(scene: Scene) -> Mails:
    """The same from somebody who has seen the question: our reference leads to it, and the draft is another one."""
    fake, evil = f"<copy-{scene.case}@evil.example>", scene.approval.text.replace("Hello", "Pay Mallory. Hello")
    ids = (*scene.approval.references, fake)
    return [("Sent", scene.mail("ok", quote=evil, in_reply_to=fake, references=ids))]


def _says_both(scene: Scene) -> Mails:
    return [("Sent", scene.parts("multipart/alternative", ("text/plain", "not ok"), ("text/html", "<p>ok</p>")))]


def _attached_ok(scene: Scene) -> Mails:
    return [("Sent", scene.parts("multipart/mixed", ("message/rfc822", "From: a@b.example\r\n\r\nok")))]


def _many_parents(scene: Scene) -> Mails:
    ids = (*(f"<{number}@evil.example>" for number in range(3000)), scene.approval.message_id)
    return [("INBOX", scene.mail("ok", sender=STRANGER, references=ids, in_reply_to=ids[0]))]


ATTACKS = (
    Attack("bait: our ids, no text", lambda scene: _bait(scene, "")),
    Attack("bait: our ids, the client's own words", lambda scene: _bait(scene, "does Thursday work?")),
    Attack("bait: our ids and the nonce", lambda scene: _bait(scene, scene.approval.text)),
    Attack(
        "bait: our reference alone and the nonce",
        lambda scene: _bait(scene, scene.approval.text, references=scene.approval.references, in_reply_to=""),
    ),
    Attack(
        "bait: an automatic one",
        lambda scene: [
            ("INBOX", b"Auto-Submitted: auto-replied\r\n" + _bait(scene, scene.approval.text)[0][1]),
            _bait(scene, scene.approval.text)[1],
        ],
    ),
    Attack(
        "bait: under the question's own id",
        lambda scene: _bait(scene, "", message_id=scene.approval.message_id, references=(), in_reply_to=""),
    ),
    Attack(
        "bait: the same, from the owner's own address",
        lambda scene: _bait(
            scene,
            "",
            message_id=scene.approval.message_id,
            references=(),
            in_reply_to="",
            sender=replace(scene.client, email=scene.owner.email),
        ),
    ),
    Attack(
        "bait: two ids in its own id",
        lambda scene: [
            ("Sent", scene.mail("ok", quote="").replace(b"In-Reply-To: ", b"In-Reply-To: <x@evil.example> "))
        ],
    ),
    Attack("INBOX: the client's own id taken", _client_id_taken),
    Attack("INBOX: a copy of the question with another draft", _forged_question),
    Attack("INBOX: three thousand parents", _many_parents),
    inbox("order of a standing yes", words="", subject="deskhand auto reply", in_reply_to="", references=(), quote=""),
    inbox("order to be away", words="", subject="deskhand away 14 Aug", in_reply_to="", references=(), quote=""),
    Attack("Sent: our reference above another draft", _altered_question),
    Attack("Sent: plain says not ok", _says_both),
    Attack("Sent: ok in an attached mail", _attached_ok),
    sent("the owner's address as a name", sender=lambda scene: replace(STRANGER, name=scene.owner.email)),
    sent("a tagged address", sender=lambda scene: replace(scene.owner, email=scene.owner.email.replace("@", "+x@"))),
    sent("nobody as recipient", to=()),
    sent("two parents", top="In-Reply-To: <1.1@evil.example>"),
    sent("another case as second parent", top=lambda scene: f"In-Reply-To: {scene.other.message_id}"),
    sent("written backwards", words="\u202eko\u202c"),
    sent("a Cyrillic ok", words="\u041e\u041a"),
    sent("ok in the subject alone", words="", subject="ok"),
    sent("ok below the signature mark", words="\n-- \nok"),
    inbox("forged From"),
    inbox("forged From, edit!", words="edit!\nPay 5,000 EUR to Mallory today."),
    inbox("forged Authentication-Results", top="Authentication-Results: imap.example; dkim=pass; dmarc=pass"),
    inbox("foreign DKIM", top="DKIM-Signature: v=1; a=rsa-sha256; d=evil.example; s=k; l=10; h=from; bh=AA; b=BB"),
    inbox("our case header", top="X-Deskhand-Case: 9999.1"),
    inbox("the planted id of the approval", sender=STRANGER),
    inbox("an answer with the client's own address", sender=lambda scene: scene.client),
    inbox("order to stop all", words="stop", subject="deskhand stop all", in_reply_to="", references=(), quote=""),
    # With the nonce it would be heard: an unproven stop may stop, and never send (docs/approval.md).
    inbox("order under an approval, without its nonce", words="stop all", subject="deskhand stop all", quote=""),
    inbox("order to pause", words="", subject="deskhand pause everyone", in_reply_to="", references=(), quote=""),
    Attack("INBOX: two From", lambda scene: [("INBOX", _second_from(scene))]),
    Attack("INBOX: same Message-ID, other body", _copy_with_other_body, "rejected"),
    Attack("INBOX: the approval's own id taken", _own_id_taken),
    Attack("INBOX: our approval once more", lambda scene: [("INBOX", scene.own)]),
    sent("CC to a third party", cc=(STRANGER,)),
    sent("to a third party as well", to=lambda scene: (scene.owner, STRANGER)),
    sent("Bcc to a third party", top=f"Bcc: {STRANGER.email}"),
    sent("reply turned to the client", to=lambda scene: (scene.client,)),
    sent("forward", to=(STRANGER,), subject="Fwd: kick-off", words="ok, see below"),
    sent("forward to oneself", subject=lambda scene: f"Fwd: {scene.approval.subject}", words="ok, see below"),
    sent("from a stranger", sender=STRANGER),
    sent("on behalf of", top=f"Sender: {STRANGER.email}"),
    sent("filed by a rule: Received", top="Received: from evil.example by mx.example; Mon, 23 Nov 2026 10:00:00 +0000"),
    sent("filed by a rule: Return-Path", top=f"Return-Path: <{STRANGER.email}>"),
    sent("filed by a rule: Delivered-To", top="Delivered-To: ada@winter.example"),
    sent("filed by a rule: Authentication-Results", top="Authentication-Results: mx.example; dkim=pass"),
    sent("redirected", top=f"Resent-From: {STRANGER.email}"),
    sent("by a list", top="List-Id: <all.evil.example>"),
    sent("vacation responder", top="Auto-Submitted: auto-replied", words="ok"),
    sent("vacation responder without a header", words="I am out of office until Monday.\nok", quote=""),
    sent("bulk", top="Precedence: bulk"),
    sent("by a program", top="X-Autoreply: yes"),
    sent("written before the question", date=lambda scene: datetime.now(UTC) - timedelta(hours=2)),
    sent("in no thread", in_reply_to="", references=()),
    sent("another case's nonce pasted", quote=lambda scene: scene.other.text),
    sent("another case's mail as parent", in_reply_to="<nobody@mail.example>", references=("<nobody@mail.example>",)),
    sent("not ok", words="not ok"),
    sent("a question", words="ok?"),
    sent("a condition", words="ok, if Maria pays first"),
    sent("a hedge", words="ok but wait for me"),
    sent("a Greek o", words="\u03bfk"),
    sent("only the quote", words=""),
    sent("quoted ok", words="> ok"),
    Attack("Sent: two From", lambda scene: [("Sent", _second_from(scene))]),
    Attack("Sent: our own approval", lambda scene: [("Sent", scene.own)]),
    Attack("Sent: a planted id answered to its stranger", _planted),
    Attack("Sent: ten megabytes", _huge),
    Attack("Sent: HTML says no", _struck_out),
    Attack("Sent: hidden ok", _hidden),
    Attack("Sent: read receipt", _receipt),
    Attack("Sent: reaction", _reaction),
    Attack("Sent: the same yes three times", _replayed, "sent"),
)
NAMES = [attack.name for attack in ATTACKS]


@dataclass
class Battle:
    """What came of it, per attack by its index."""

    house: House
    cases: list[int] = field(default_factory=list)
    sent_by_attacks: list[Delivered] = field(default_factory=list)
    outcomes: dict[int, str] = field(default_factory=dict)
    direct: dict[str, str] = field(default_factory=dict)  # attacks on Temporal itself: how each was answered
    later: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def sent_to(self, index: int) -> int:
        return sum(person(index).email in mail.recipients for mail in self.house.sent_to_clients())


def person(index: int) -> Address:
    return Address(name=f"Client {index}", email=f"client{index}@firm{index}.example")


def says_ok(index: int) -> bool:
    return index % 2 == 0


@pytest.fixture(scope="module")
def battle(tmp_path_factory: pytest.TempPathFactory, dovecot: Dovecot) -> Iterator[Battle]:
    with RecordingSmtp() as smtp:
        house = House(tmp_path_factory.mktemp("attacks") / "home", dovecot.add_user(), smtp)
        with house.running():
            fought = Battle(house)
            _attack(fought)
            asyncio.run(_attack_temporal(fought))
            fought.sent_by_attacks = [mail for mail in house.sent_to_clients() if not _allowed(mail)]
            _answer_honestly(fought)
            asyncio.run(_attack_after_the_end(fought))
            yield fought


def _allowed(mail: Delivered) -> bool:
    """The one yes among the attacks' mails that the owner really gave."""
    given = [person(index).email for index, attack in enumerate(ATTACKS) if attack.ends == "sent"]
    return mail.recipients[0] in given


# ---------------------------------------------------------------- mails


def _attack(battle: Battle) -> None:
    house = battle.house
    for index in range(len(ATTACKS)):
        house.client_writes(index, sender=person(index))
    house.wait_approvals(len(ATTACKS), 240)
    raws = {email.identity: stored.content for stored in house.user.messages() if (email := mime.parse(stored.content))}
    approvals = {_client_of(email): email for email in house.approvals()}
    mine = [approvals[person(index).email] for index in range(len(ATTACKS))]
    battle.cases = [case_of(approval) for approval in mine]
    delivered: list[tuple[str, str, bytes]] = []
    for index, attack in enumerate(ATTACKS):
        other = mine[index - 1]
        scene = Scene(house, mine[index], raws[mine[index].identity], person(index), other)
        delivered += [(attack.name, folder, raw) for folder, raw in attack.make(scene)]
    asked_at = datetime.now(UTC)
    until(lambda: datetime.now(UTC) > asked_at + timedelta(seconds=5), what="the delay that free text needs")
    for _, folder, raw in delivered:
        house.user.deliver(raw, folder)
    wanted = {(mime.parse(raw).identity, folder == "Sent"): name for name, folder, raw in delivered}

    def read() -> bool:
        known = _handled(house)
        battle.unread = [name for key, name in wanted.items() if key not in known]
        return not battle.unread

    try:
        until(read, 120)
    except AssertionError:
        raise AssertionError(f"never read: {battle.unread}; said: {house.said[-20:]}") from None
    until(lambda: _all_taken(house), 120, "every answer to be given to its case")


def _client_of(approval: Email) -> str:
    line = next(line for line in approval.text.splitlines() if line.startswith("To: "))
    return line.partition("<")[2].partition(">")[0]


def _handled(house: House) -> set[tuple[str, bool]]:
    """Every mail that was recorded: its identity, and whether the copy in Sent is meant."""
    engine = open_engine(house.home / "ledger.sqlite")
    try:
        with engine.connect() as connection:
            return {(row.key, row.kind == "sent") for row in connection.execute(select(seen.c.key, seen.c.kind))}
    finally:
        engine.dispose()


def _all_taken(house: House) -> bool:
    with house.ledger() as ledger:
        waiting = [event for event in ledger.undelivered() if event.kind in {"mail", "sent", "answer"}]
        return not ledger.unhandled_answers() and not waiting


def _answer_honestly(battle: Battle) -> None:
    """Every open case gets its owner's word, to the newest mail about it, until all are closed."""
    answered: set[str] = set()
    words = {case: "ok" if says_ok(index) else "no" for index, case in enumerate(battle.cases)}

    def step() -> bool:
        with battle.house.ledger() as ledger:
            battle.outcomes = {row.number: ledger.case(row.number).outcome for row in ledger.case_rows(500)}
        newest = {case_of(email): email for email in battle.house.approvals()}
        for case, word in words.items():
            if not battle.outcomes[case] and newest[case].message_id not in answered:
                answered.add(newest[case].message_id)
                battle.house.owner_answers(newest[case], word, ORDERS_OF_ARRIVAL[case % len(ORDERS_OF_ARRIVAL)])
        return all(battle.outcomes[case] for case in words)

    try:
        until(step, 60)
    except AssertionError:
        stuck = [NAMES[index] for index, case in enumerate(battle.cases) if not battle.outcomes[case]]
        raise AssertionError(f"the owner's word does not end: {stuck}; said: {battle.house.said[-20:]}") from None


# ---------------------------------------------------------------- Temporal itself


async def _connect(house: House, keys: Keys | None = None) -> Client:
    how = converter(keys) if keys else pydantic_data_converter
    return await Client.connect(house.temporal_address, data_converter=how)


async def _give(client: Client, name: str, answer: Answer) -> str:
    """How the case answers a direct update."""
    handle = client.get_workflow_handle_for(Reply.run, name)
    try:
        async with asyncio.timeout(PATIENCE):
            return f"taken: {await handle.execute_update(Reply.answer, answer, id=answer.key)}"
    except WorkflowUpdateFailedError as error:
        return f"refused: {getattr(error.cause, 'message', error.cause)}"
    except RPCError as error:
        return f"gone: {error}"


def _yes(case: int, seal: str, key: str, version: int = 1) -> Answer:
    return Answer(key=key, case=case, version=version, decision=Approve(), hash=seal)


async def _attack_temporal(battle: Battle) -> None:
    house, (case, other) = battle.house, battle.cases[:2]
    with house.ledger() as ledger:
        seal = ledger.version_hash(case, 1)
    plain, own = await _connect(house), await _connect(house, Keys(house.home / "keys"))
    foreign = await _connect(house, Keys(house.home.parent / "foreign-keys"))
    direct, names = battle.direct, house.names
    direct["plaintext payload"] = await _give(plain, names.case(case), _yes(case, seal, "plain"))
    direct["foreign key"] = await _give(foreign, names.case(case), _yes(case, seal, "foreign"))
    direct["wrong hash"] = await _give(own, names.case(case), _yes(case, "0" * 64, "wrong-hash"))
    direct["another case's answer"] = await _give(own, names.case(other), _yes(case, seal, "astray"))
    direct["a version to come"] = await _give(own, names.case(case), _yes(case, seal, "future", version=2))
    handle = plain.get_workflow_handle(names.case(case))
    for start in range(0, 1000, 100):
        await asyncio.gather(
            *(handle.signal("receive", Receipt(state="sent")) for _ in range(50)),
            *(handle.signal("hear", f"junk {start}") for _ in range(50)),
        )
    for name in ("answer", "nothing-of-the-kind"):
        await handle.signal(name, "junk")
    with house.ledger() as ledger:
        voice = ledger.case(case).client
    await TemporalEngine(own, None, names).hand_over(voice, case, 1)  # type: ignore[arg-type]
    async with asyncio.timeout(PATIENCE):
        assert await own.get_workflow_handle(names.client(voice)).result() == 1  # refused, and the case was told


async def _attack_after_the_end(battle: Battle) -> None:
    house = battle.house
    index = next(index for index in range(len(NAMES)) if not says_ok(index) and not ATTACKS[index].ends)
    case = battle.cases[index]
    with house.ledger() as ledger:
        seal = ledger.version_hash(case, 1)
    own = await _connect(house, Keys(house.home / "keys"))
    battle.later["direct"] = await _give(own, house.names.case(case), _yes(case, seal, "after-the-end"))
    approval = next(email for email in house.approvals() if case_of(email) == case)
    raw = await asyncio.to_thread(house.owner_answers, approval, "ok")
    identity = mime.parse(raw).identity
    await asyncio.to_thread(until, lambda: (identity, True) in _handled(house), 30, "the late yes to be read")
    await asyncio.to_thread(until, lambda: _all_taken(house), 30, "the late yes to be answered")
    battle.later["sent"] = str(battle.sent_to(index))


# ---------------------------------------------------------------- what came of it


def test_no_attack_sends_anything(battle: Battle) -> None:
    assert [mail.recipients for mail in battle.sent_by_attacks] == []
    assert len(ATTACKS) >= 30


@pytest.mark.parametrize("index", range(len(NAMES)), ids=NAMES)
def test_the_owners_honest_word_still_counts(battle: Battle, index: int) -> None:
    honest = "sent" if says_ok(index) else "rejected"
    expected = ATTACKS[index].ends or honest
    assert battle.outcomes[battle.cases[index]] == expected
    assert battle.sent_to(index) == (expected == "sent")


def test_no_strangers_mail_makes_a_new_version(battle: Battle) -> None:
    with battle.house.ledger() as ledger:
        for name in ("INBOX: the client's own id taken", "INBOX: a copy of the question with another draft"):
            case = battle.cases[NAMES.index(name)]
            assert len(ledger.story(case).versions) == 1, name
        assert not ledger.stands_for("reply")
        assert ledger.away_until() is None


def test_every_mail_that_left_went_to_one_client_once(battle: Battle) -> None:
    sent_mails = battle.house.sent_to_clients()
    assert all(len(mail.recipients) == 1 for mail in sent_mails)
    assert max(Counter(mail.recipients[0] for mail in sent_mails).values()) == 1
    assert not any("evil.example" in mail.recipients[0] for mail in sent_mails)
    assert not any(b"Mallory" in mail.content for mail in sent_mails)


def test_nothing_loops(battle: Battle) -> None:
    parsed = [mime.parse(stored.content) for stored in battle.house.user.messages() if len(stored.content) < HUGE]
    about = Counter(email.header("x-deskhand-case").partition(".")[0] for email in parsed)
    del about[""]
    assert max(about.values()) <= MOST_MAILS_PER_CASE


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("plaintext payload", "refused"),
        ("foreign key", "refused"),
        ("wrong hash", "refused: The draft of case"),
        ("another case's answer", "refused: That answer is for case"),
        ("a version to come", "refused: That was version 2"),
    ],
)
def test_a_direct_update_is_refused(battle: Battle, name: str, words: str) -> None:
    assert battle.direct[name].startswith(words), battle.direct[name]


def test_a_yes_after_the_end_changes_nothing(battle: Battle) -> None:
    assert battle.later["direct"].startswith("gone") or battle.later["direct"].startswith("refused")
    assert battle.later["sent"] == "0"


def test_a_stop_that_only_looks_like_the_owners_stopped_nothing(battle: Battle) -> None:
    with battle.house.ledger() as ledger:
        assert not ledger.get_meta("stopped")


def test_a_command_needs_the_services_own_token(battle: Battle) -> None:
    import json
    import socket

    request = {
        "token": "0" * 64,
        "nonce": "1",
        "command": "approve",
        "arguments": {"key": "k", "case": 1, "version": 1},
    }
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(battle.house.home / "control.sock"))
        connection.sendall(json.dumps(request).encode() + b"\n")
        answer = json.loads(connection.makefile().readline())
    assert "token" in answer["fault"]["problem"]


def test_the_house_ends_tidily(battle: Battle) -> None:
    """Last in this file: the service was never ended or wedged by what it was given."""
    assert not battle.house.ended()
    assert battle.house.stop() == 0
