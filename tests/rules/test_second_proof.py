"""The second approver: a signature that binds the whole fresh answer, and one attack at a time that breaks it."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.house.running import House, until
from tests.house.test_digest import PEOPLE, Home, soon, write_from
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from tools.mail.message.headers import read_block
from tools.mail.message.signatures import Signatures, verify
from workers.settings.loading import load
from workflows.errors import NeedsOwner, Retryable
from workflows.models.mail import Address
from workflows.models.people import Owner
from workflows.models.routes import Asked
from workflows.rules.answers.proof import Proven, Unproven
from workflows.rules.answers.second_proof import OLDEST, Signed, second_proof
from workflows.rules.mail.authentication import read_results

BEN = "ben@partner.example"
ADA = "ada@winter.example"
OWNER = Owner(name="Ada Winter", address=ADA, second=BEN)
NOW = datetime.now(UTC).replace(microsecond=0)  # dkimpy looks at the real clock
NONCE = "0123456789abcdef0123456789abcdef"
ASKED = Asked(
    case=41, version=1, purpose="approval", sent_at=NOW - timedelta(hours=1),
    text=f"Gist.\n----- answer above this line · 41.1.{NONCE} -----\nTo: Maria <maria@studio.example>\n",
)  # fmt: skip
QUOTED = f"ok\n\nDeskhand wrote:\n> Gist.\n> ----- answer above this line · 41.1.{NONCE} -----\n"
SIGNED = (b"from", b"to", b"subject", b"date", b"message-id", b"in-reply-to")
SERVER = "mx.winter.example"
RECEIVED = f"Received: from mail.partner.example ([192.0.2.7]) by {SERVER} (Postfix) with ESMTPS id 4F; now\r\n"
LMTP = f"Received: from {SERVER} by {SERVER} with LMTP id 5G; now\r\n"


@dataclass(frozen=True)
class Domain:
    """A domain that signs its mail: its key and its DNS."""

    name: str
    key: bytes
    record: bytes

    @classmethod
    def make(cls, name: str) -> "Domain":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return cls(name, private, b"v=DKIM1; k=rsa; p=" + base64.b64encode(public))

    def sign(self, raw: bytes, headers: tuple[bytes, ...] = SIGNED, *, length: bool = False, domain: str = "") -> bytes:
        name = (domain or self.name).encode()
        return dkim.sign(raw, b"one", name, self.key, include_headers=list(headers), length=length) + raw


PARTNER, EVIL = Domain.make("partner.example"), Domain.make("evil.example")
RECORDS = {f"one._domainkey.{one.name}.": one.record for one in (PARTNER, EVIL)}


def answer(body: str = QUOTED, **changes: object) -> bytes:
    values: dict[str, object] = {
        "sender": Address(email=BEN, name="Ben"),
        "to": (Address(email=ADA),),
        "subject": "Re: Maria: Kick-off [Deskhand 41.1]",
        "body": body,
        "message_id": "<answer@partner.example>",
        "date": NOW - timedelta(minutes=5),
        "in_reply_to": "<asked@winter.example>",
        "references": ("<asked@winter.example>",),
    } | changes
    return mime.compose(**values)  # type: ignore[arg-type]


def headers_of(raw: bytes) -> tuple[tuple[str, str], ...]:
    return read_block(raw, 0, len(raw)).fields


def judge(
    raw: bytes, *, authserv_id: str = "", asked: Asked = ASKED, now: datetime | None = None, owner: Owner = OWNER
):
    verified = () if authserv_id else tuple(verify(raw, RECORDS.get))
    signed = Signed(headers=headers_of(raw), authserv_id=authserv_id, verified=verified)
    # A signature bears the real time, and in a long run of the suite that is well after this module was read.
    return second_proof(mime.parse(raw), owner, asked, now or datetime.now(UTC), signed)


def refused(raw: bytes, **changes: object) -> str:
    found = judge(raw, **changes)  # type: ignore[arg-type]
    assert isinstance(found, Unproven), "it was taken for proven"
    return found.reason


def vouched(raw: bytes, verdict: str = "dkim=pass header.d=partner.example", *, received: str = RECEIVED) -> bytes:
    """The mail as the owner's server delivers it: its verdict on top of its Received."""
    return f"Authentication-Results: {SERVER}; {verdict}\r\n{received}".encode() + raw


# ---------------------------------------------------------------- own verification


def test_a_signed_answer_is_proven() -> None:
    assert judge(PARTNER.sign(answer())) == Proven()
    assert judge(RECEIVED.encode() + PARTNER.sign(answer())) == Proven()
    more = (*SIGNED, b"from", b"references", b"mime-version")
    assert judge(PARTNER.sign(answer(), more)) == Proven()


def test_a_signature_of_the_domain_above_counts() -> None:
    owner = replace(OWNER, second="ben@mail.partner.example")
    raw = answer(sender=Address(email="ben@mail.partner.example"))
    assert judge(PARTNER.sign(raw), owner=owner) == Proven()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (answer(), "could be verified"),
        (EVIL.sign(answer()), "could be verified"),
        (EVIL.sign(answer(), domain="partner.example"), "could be verified"),  # signed with a foreign key
        (PARTNER.sign(answer(), domain="notpartner.example"), "could be verified"),
        (PARTNER.sign(answer()).replace(b"ok\r\n", b"ok!\r\n", 1), "could be verified"),
        (PARTNER.sign(answer(), length=True), "l="),
        (PARTNER.sign(answer(), length=True) + b"\r\nmore\r\n", "l="),
        *((PARTNER.sign(answer(), tuple(one for one in SIGNED if one != name)), f"cover {name.decode().title()}")
          for name in SIGNED if name != b"from"),
        (b"From: Ben <ben@partner.example>\r\n" + PARTNER.sign(answer()), "2 From"),
        (b"Subject: Re: other\r\n" + PARTNER.sign(answer()), "2 Subject"),
        (b"In-Reply-To: <other@winter.example>\r\n" + PARTNER.sign(answer()), "2 In-Reply-To"),
        (b"Content-Type: text/html\r\n" + PARTNER.sign(answer()), "Content-Type"),
        (PARTNER.sign(answer(in_reply_to="", references=())), "0 In-Reply-To"),
        (PARTNER.sign(answer("ok\n")), "quote the approval mail"),
        (PARTNER.sign(answer(QUOTED.replace(NONCE, NONCE[::-1]))), "quote the approval mail"),
        (PARTNER.sign(answer(date=NOW - OLDEST - timedelta(minutes=1))), "not between"),
        (PARTNER.sign(answer(date=NOW + timedelta(hours=1))), "not between"),
        (PARTNER.sign(answer(sender=Address(email="eve@partner.example"))), "no answer of the second"),
        (PARTNER.sign(answer(cc=(Address(email="maria@studio.example"),))), "no answer of the second"),
        (PARTNER.sign(answer(subject="Fwd: Maria: Kick-off [Deskhand 41.1]")), "no answer of the second"),
        (PARTNER.sign(answer(headers=(("Auto-Submitted", "auto-replied"),))), "no answer of the second"),
    ],
)  # fmt: skip
def test_one_thing_wrong(raw: bytes, reason: str) -> None:
    assert reason in refused(raw)


def test_a_replay_after_a_day_is_refused() -> None:
    raw = PARTNER.sign(answer())
    old = replace(ASKED, sent_at=NOW - timedelta(hours=2))
    assert "24 hours" in refused(raw, now=NOW + OLDEST, asked=old)
    assert judge(raw, now=NOW + OLDEST - timedelta(minutes=10), asked=old) == Proven()


def test_an_answer_to_an_older_question_is_refused() -> None:
    assert "not between" in refused(PARTNER.sign(answer()), asked=replace(ASKED, sent_at=NOW + timedelta(hours=1)))


def test_only_the_first_signatures_are_looked_at_and_dns_is_asked_for_each_once() -> None:
    asked_for = []

    def dns(name: str) -> bytes | None:
        asked_for.append(name)
        return RECORDS.get(name)

    raw = answer()
    for _ in range(40):
        raw = EVIL.sign(raw)
    assert len(list(verify(raw, dns))) == len(asked_for) == 5


def test_damaged_signatures_and_keys_prove_nothing() -> None:
    raw = PARTNER.sign(answer())
    assert list(verify(raw, lambda _: b"v=DKIM1; p=nonsense")) == []
    assert list(verify(raw, lambda _: b"")) == []
    assert list(verify(raw.replace(b"d=partner", b"d=pa\xffrtner"), RECORDS.get)) == []
    assert list(verify(b"DKIM-Signature: v=1; a=\r\n" + answer(), RECORDS.get)) == []
    assert list(verify(b"not a header\r\n" + raw, RECORDS.get)) == []
    assert list(verify(b" folded first\r\n" + raw, RECORDS.get)) == []


async def test_a_silent_dns_is_asked_again() -> None:
    def silent(name: str) -> bytes | None:
        raise Retryable("DNS does not answer.")

    with pytest.raises(Retryable):
        await Signatures("", silent).read(PARTNER.sign(answer()))
    assert (await Signatures(SERVER, silent).read(answer())).authserv_id == SERVER


# ---------------------------------------------------------------- the owner's server's word


def test_the_owners_servers_word_counts() -> None:
    signed = PARTNER.sign(answer())
    assert judge(vouched(signed), authserv_id=SERVER) == Proven()
    assert judge(LMTP.encode() + vouched(signed), authserv_id=SERVER) == Proven()
    assert judge(vouched(signed), authserv_id=SERVER.upper()) == Proven()
    several = 'spf=fail smtp.mailfrom="x; dkim=fail"; dkim=pass (2048-bit key; x) header.d=partner.example header.i=@x'
    assert judge(vouched(signed, several), authserv_id=SERVER) == Proven()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        # A forged verdict that the server did not strip, below its Received.
        (RECEIVED.encode() + f"Authentication-Results: {SERVER}; dkim=pass header.d=partner.example\r\n".encode()
         + PARTNER.sign(answer()), "says nothing"),
        # The same with a forged Received of that host below it.
        (RECEIVED.encode() + vouched(PARTNER.sign(answer())), "says nothing"),
        # ... and with a forged local delivery.
        (RECEIVED.encode() + LMTP.encode() + vouched(PARTNER.sign(answer())), "says nothing"),
        # The real Received is of a host that is not the pinned one: nothing below it can be told from forged.
        (b"Received: from x by other.example with ESMTP; now\r\n" + vouched(PARTNER.sign(answer())), "received it"),
        (vouched(PARTNER.sign(answer()), received=""), "received it"),
        (vouched(PARTNER.sign(answer())).replace(f"Results: {SERVER}".encode(), b"Results: mx.evil.example"),
         "says nothing"),
        (vouched(PARTNER.sign(answer()), "dkim=fail header.d=partner.example"), "does not confirm"),
        (vouched(PARTNER.sign(answer()), "dkim=pass header.d=evil.example"), "does not confirm"),
        (vouched(PARTNER.sign(answer()), "dkim=pass header.d=example"), "does not confirm"),
        (vouched(PARTNER.sign(answer()), "dkim=pass header.i=@partner.example"), "does not confirm"),
        (vouched(PARTNER.sign(answer()), "spf=pass smtp.mailfrom=partner.example"), "does not confirm"),
        (vouched(PARTNER.sign(answer()), "dkim=none (dkim=pass header.d=partner.example)"), "does not confirm"),
        (vouched(PARTNER.sign(answer()), 'dkim=fail x="; dkim=pass header.d=partner.example"'), "does not confirm"),
        (vouched(PARTNER.sign(answer()), "spf=pass smtp.helo=(; dkim=pass header.d=partner.example"), "says nothing"),
        # A selector that an encoded word would turn into a verdict.
        (vouched(EVIL.sign(answer()), "dkim=fail header.s==?utf-8?q?x;_dkim=3Dpass_header.d=3Dpartner.example?="),
         "does not confirm"),
        (vouched(answer()), "no signature"),
        (vouched(PARTNER.sign(answer(), length=True)), "l="),
        (vouched(PARTNER.sign(answer(), tuple(one for one in SIGNED if one != b"in-reply-to"))), "cover In-Reply-To"),
        # A good signature beside a weak one of the same domain: the verdict does not say which one passed.
        (vouched(PARTNER.sign(PARTNER.sign(answer(), length=True))), "l="),
    ],
)  # fmt: skip
def test_a_verdict_that_counts_for_nothing(raw: bytes, reason: str) -> None:
    assert reason in refused(raw, authserv_id=SERVER)


def test_a_pinned_server_is_the_only_one_believed() -> None:
    assert "says nothing" in refused(RECEIVED.encode() + PARTNER.sign(answer()), authserv_id=SERVER)


@pytest.mark.parametrize(
    ("value", "passed"),
    [
        ("mx.example; dkim=pass header.d=a.example", ("a.example",)),
        ("mx.example 1; dkim=pass header.d=a.example; dkim=pass header.d=B.example", ("a.example", "b.example")),
        ("mx.example; none", ()),
        ("mx.example", ()),
        ('mx.example; dkim=pass header.d="a.example"', ('"a.example"',)),
        ("mx.example; dkim=pass header.d=a.example header.d=b.example", ()),
        ("mx.example; dkim=pass header.d=", ()),
        ("mx.example; (a (nested) comment) dkim=pass header.d=a.example", ("a.example",)),
    ],
)
def test_results_are_read_strictly(value: str, passed: tuple[str, ...]) -> None:
    found = read_results(value)
    assert found
    assert found.server == "mx.example"
    assert found.passed == passed


@pytest.mark.parametrize("value", ["", ";", "a b; dkim=pass", "mx.example; (open", 'mx.example; "open', "x" * 5000])
def test_what_is_no_result_is_none(value: str) -> None:
    assert read_results(value) is None


# ---------------------------------------------------------------- on real servers


@pytest.fixture
def house(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> Iterator[House]:
    built = House(
        tmp_path / "home", mailbox, smtp_server, approval={"second": BEN, "authserv_id": SERVER, "grace": "0s"}
    )
    yield built
    built.close()


def reply_of_ben(house: House, text: str, message_id: str = "<one@partner.example>") -> bytes:
    """Ben's mail program answers the copy that Ben got."""
    (mine,) = [mail for mail in house.smtp.delivered if mail.recipients == (BEN,)]
    asked = mime.parse(mine.content)
    quoted = "\n".join(f"> {line}".rstrip() for line in asked.text.splitlines())
    wrote = f"On Mon, 23 Nov 2026 at 10:00, Deskhand <{house.owner.email}> wrote:"
    return answer(
        f"{text}\n\n{wrote}\n\n{quoted}\n", to=(house.owner,), subject=f"Re: {asked.subject}",
        in_reply_to=asked.message_id, references=(*asked.references, asked.message_id), message_id=message_id,
        date=datetime.now(UTC),
    )  # fmt: skip


def given(house: House) -> list[tuple[str, str]]:
    with house.ledger() as ledger:
        return [(one.via, one.decision.kind) for one in ledger.answers(1)]


def told(house: House, words: str) -> Callable[[], bool]:
    return lambda: any(words in " ".join(text.split()) for text in texts(house))


def texts(house: House) -> list[str]:
    return [mime.parse(stored.content).text for stored in house.user.messages()]


def test_the_second_approver_is_asked_and_only_a_proven_yes_sends(house: House) -> None:
    house.start()
    house.client_writes(1)
    (asked,) = house.wait_approvals(1)
    copies = until(lambda: [one for one in house.smtp.delivered if one.recipients == (BEN,)], what="Ben's copy")
    copy = mime.parse(copies[0].content)
    assert copy.text == asked.text
    assert copy.subject == asked.subject
    assert copy.message_id != asked.message_id
    assert [one.email for one in asked.to] == [house.owner.email]
    # Forged: not signed, with a verdict the server did not write; then signed by another domain.
    forged = RECEIVED.encode() + vouched(reply_of_ben(house, "ok", "<forged@partner.example>"))
    house.user.deliver(forged)
    until(told(house, "says nothing about who sent"), what="the refusal")
    house.user.deliver(
        vouched(EVIL.sign(reply_of_ben(house, "ok", "<evil@partner.example>")), "dkim=pass header.d=evil.example")
    )
    until(told(house, "does not confirm a signature"), what="the second refusal")
    assert given(house) == []
    assert not clients(house)
    signed = PARTNER.sign(reply_of_ben(house, "ok"))
    house.user.deliver(vouched(signed))
    (sent,) = until(lambda: clients(house), what="the reply")
    assert sent == ("maria@studio.example",)
    # Replayed, with another trace and something unsigned changed: the same answer, once.
    house.user.deliver(vouched(signed.replace(b"References: ", b"References: <x@y.example> ")))
    house.client_writes(2)
    house.wait_approvals(2)
    assert given(house) == [("mail", "approve")]
    assert len(clients(house)) == 1
    assert house.stop() == 0


def test_a_no_of_the_second_approver_holds_even_unproven_and_closes_when_proven(house: House) -> None:
    house.start()
    house.client_writes(1)
    house.wait_approvals(1)
    until(lambda: [one for one in house.smtp.delivered if one.recipients == (BEN,)], what="Ben's copy")
    house.user.deliver(RECEIVED.encode() + reply_of_ben(house, "no", "<unsigned@partner.example>"))
    until(lambda: given(house) == [("hint", "unclear")], what="the hold")
    house.user.deliver(vouched(PARTNER.sign(reply_of_ben(house, "no, too cheap"))))
    until(lambda: ("mail", "reject") in given(house), what="the no")
    with house.ledger() as ledger:
        until(lambda: ledger.case(1).outcome == "rejected", what="the case to end")
    assert not clients(house)
    assert house.stop() == 0


def test_the_second_approver_gets_the_digest_and_answers_it(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp
) -> None:
    home, settings = Home(tmp_path / "digests", mailbox, smtp_server), {"second": BEN, "authserv_id": SERVER}
    cases = write_from(home.open(mode="digest", **settings), PEOPLE[:2])
    house = home.open(mode="digest", digest_at=[soon(6)], **settings)
    (copy,) = until(lambda: [one for one in house.smtp.delivered if one.recipients == (BEN,)], 60, "Ben's digest")
    (shown,) = house.approvals()
    assert mime.parse(copy.content).text == shown.text
    asked_at = datetime.now(UTC)
    until(lambda: datetime.now(UTC) > asked_at + timedelta(seconds=6), what="the delay that free text needs")
    house.user.deliver(vouched(PARTNER.sign(reply_of_ben(house, "perhaps", "<vague@partner.example>"))))
    until(told(house, "Not every part of your answer is clear"), what="the question")
    allowed, refused = (cases[person.email] for person in PEOPLE[:2])
    house.user.deliver(vouched(PARTNER.sign(reply_of_ben(house, f"{allowed} ok, {refused} no"))))
    until(lambda: clients(house) == [(PEOPLE[0].email,)], what="the reply")
    with house.ledger() as ledger:
        until(lambda: ledger.case(refused).outcome == "rejected", what="the no")
    assert house.stop() == 0
    house.close()


def clients(house: House) -> list[tuple[str, ...]]:
    return [mail.recipients for mail in house.sent_to_clients() if mail.recipients != (BEN,)]


def test_the_owner_is_no_second_approver(house: House) -> None:
    text = (house.home / "deskhand.toml").read_text()
    (house.home / "deskhand.toml").write_text(text.replace(BEN, house.owner.email))
    with pytest.raises(NeedsOwner, match="your own address"):
        load(house.home).owner_facts()
