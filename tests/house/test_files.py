"""Files that go with a mail: asked for by a client or named by the owner, shown with hash and size, approved, sent."""

import hashlib
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.house.running import House, until
from tests.made_files import pdf
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.files.reader import FileReader
from tools.mail import mime
from workflows.models.mail import Attachment, Email

QUESTION = "Hi Ada,\n\ndoes Thursday 10:00 work, and could you send the brief template?\n\nMaria\n"
TEMPLATE = pdf("The brief, in two pages.")
NAME = "brief-template.pdf"
KEY = "application/pgp-keys"


def house_with(tmp_path: Path, mailbox: DovecotUser, smtp: RecordingSmtp, **files: bytes) -> House:
    house = House(tmp_path / "home", mailbox, smtp)
    (house.home / "files").mkdir()
    for name, content in ({NAME: TEMPLATE} | files).items():
        (house.home / "files" / name).write_bytes(content)
    return house


def shown(content: bytes, name: str = NAME) -> str:
    return f"Attachment: {name}, {len(content):,} bytes, sha256 {hashlib.sha256(content).hexdigest()}"


def attached(raw: bytes) -> dict[str, bytes]:
    """What a mail carries, by name."""
    reader = FileReader()
    try:
        return {file.name: reader.content(raw, file) for file in mime.parse(raw).attachments}
    finally:
        reader.close()


def version(house: House, name: str) -> Email:
    """The newest approval mail of this version."""

    def look() -> list[Email]:
        return [mail for mail in house.approvals() if mail.header("x-deskhand-case") == name]

    return until(look, what=f"the approval mail of {name}; said {house.said[-10:]}")[-1]


def test_a_file_that_is_asked_for_is_shown_and_the_approved_bytes_arrive(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp
) -> None:
    house = house_with(tmp_path, mailbox, smtp_server)
    with house.running():
        house.client_writes(1, body=QUESTION)
        asked = version(house, "1.1")
        assert shown(TEMPLATE) in asked.text
        assert f"You will find {NAME} attached." in asked.text
        assert house.sent_to_clients() == []
        house.owner_answers(asked, "ok")
        (sent,) = house.wait_sent(1)
        assert attached(sent.kept) == {NAME: TEMPLATE}
        with house.ledger() as ledger:
            assert mime.decoded_body(sent.kept) == ledger.outgoing(1, 1).body
        until(lambda: "closed" in {row.stage for row in _cases(house)}, what="the case to end")
        copies = [mime.parse(stored.content) for stored in house.user.messages("Sent")]
        assert [file.name for copy in copies for file in copy.attachments] == [NAME]  # the copy in Sent carries it too


def _cases(house: House):
    with house.ledger() as ledger:
        return ledger.case_rows()


def test_a_file_that_vanished_or_changed_is_held_and_told_and_one_more_ok_sends_the_approved_bytes(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp
) -> None:
    house = house_with(tmp_path, mailbox, smtp_server)
    with house.running():
        house.client_writes(1, body=QUESTION)
        asked = version(house, "1.1")
        (house.home / "files" / NAME).unlink()
        house.owner_answers(asked, "ok")
        held = until(lambda: [mail for mail in house.approvals() if "is no longer where it was" in mail.text])[-1]
        assert house.sent_to_clients() == []
        (house.home / "files" / NAME).write_bytes(TEMPLATE + b" ")
        house.owner_answers(held, "ok")
        (sent,) = house.wait_sent(1)
        assert attached(sent.kept) == {NAME: TEMPLATE}


def test_what_is_too_large_is_told_before_and_the_draft_goes_on(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp
) -> None:
    house = house_with(tmp_path, mailbox, smtp_server, **{NAME: bytes(12_000_000)})
    with house.running():
        house.client_writes(1, body=QUESTION)
        asked = version(house, "1.1")
        assert f"Note: {NAME} has 12.0 MB, and at most 10 MB go with one mail. It is not attached." in asked.text
        assert "Attachment:" not in asked.text


def answer_with_a_file(house: House, asked: Email, words: str, name: str, content: bytes) -> None:
    """The owner's mail program: an answer with a file, and the picture and key that the program adds."""
    quoted = "\n".join(f"> {line}".rstrip() for line in asked.text.splitlines())
    files = ((name, "application/pdf", content), ("image001.png", "image/png", b"\x89PNG"), ("key.asc", KEY, b"-----"))
    raw = mime.compose(
        sender=house.owner,
        to=(house.owner,),
        subject=f"Re: {asked.subject}",
        body=f"{words}\n\nOn Mon, 23 Nov 2026 at 10:00, Deskhand <{house.owner.email}> wrote:\n\n{quoted}\n",
        message_id=f"<answer-{time.monotonic_ns()}@mail.example>",
        date=datetime.now(UTC),
        in_reply_to=asked.message_id,
        references=(*asked.references, asked.message_id),
        attachments=[
            (Attachment(name=called, size=len(held), sha256=hashlib.sha256(held).hexdigest(), content_type=kind), held)
            for called, kind, held in files
        ],
    )
    house.files(raw, ("Sent", "INBOX"))


def test_a_file_that_lies_with_the_answer_is_shown_once_more_and_never_sent_at_once(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp
) -> None:
    house, offer = house_with(tmp_path, mailbox, smtp_server), pdf("The offer.")
    with house.running():
        house.client_writes(1)
        answer_with_a_file(house, version(house, "1.1"), "ok", "Größe.pdf", offer)
        again = version(house, "1.2")
        assert shown(offer, "Größe.pdf") in again.text
        assert "Changed: With Größe.pdf." in again.text
        assert again.text.count("Attachment:") == 1
        assert house.sent_to_clients() == []
        house.owner_answers(again, "ok")
        (sent,) = house.wait_sent(1)
        assert attached(sent.kept) == {"Größe.pdf": offer}


def test_the_owner_attaches_by_name_and_strikes_out_by_name(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp
) -> None:
    house = house_with(tmp_path, mailbox, smtp_server, **{"prices-2026.pdf": pdf("95 EUR/hour")})
    with house.running():
        house.client_writes(1, body=QUESTION)
        house.owner_answers(version(house, "1.1"), "attach sand.pdf")
        unknown = until(lambda: [mail for mail in house.approvals() if 'no file "sand.pdf"' in mail.text])[-1]
        assert f"There are: {NAME}, prices-2026.pdf." in unknown.text
        house.owner_answers(unknown, "attach the price list, please")
        both = version(house, "1.2")
        assert shown(TEMPLATE) in both.text
        assert shown(pdf("95 EUR/hour"), "prices-2026.pdf") in both.text
        assert house.sent_to_clients() == []
        house.owner_answers(both, f"ok, without {NAME}")
        (sent,) = house.wait_sent(1)
        assert attached(sent.kept) == {"prices-2026.pdf": pdf("95 EUR/hour")}
        with house.ledger() as ledger:
            assert [file.name for file in ledger.outgoing(1, 3).attachments] == ["prices-2026.pdf"]


def test_what_the_owner_adds_beyond_the_limit_is_told_before(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp
) -> None:
    house = house_with(
        tmp_path, mailbox, smtp_server, **{"film-1.mp4": bytes(6_000_000), "film-2.mp4": bytes(6_000_000)}
    )
    with house.running():
        house.client_writes(1)
        house.owner_answers(version(house, "1.1"), "attach film-1.mp4 and film-2.mp4")
        told = until(lambda: [mail for mail in house.approvals() if "12.0 MB" in mail.text])[-1]
        assert "All files together have 12.0 MB, and at most 10 MB go with one mail." in told.text
        assert house.sent_to_clients() == []


def test_an_edit_keeps_what_was_attached_and_takes_what_lies_with_it(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp
) -> None:
    house, offer = house_with(tmp_path, mailbox, smtp_server), pdf("The offer.")
    with house.running():
        house.client_writes(1, body=QUESTION)
        answer_with_a_file(house, version(house, "1.1"), "edit!\nHi Maria,\n\nboth files.\n\nAda", "offer.pdf", offer)
        again = version(house, "1.2")
        assert shown(TEMPLATE) in again.text
        assert shown(offer, "offer.pdf") in again.text
        assert house.sent_to_clients() == []
        house.owner_answers(again, "edit!\nHi Maria,\n\nboth files, here they are.\n\nAda")
        (sent,) = house.wait_sent(1)
        assert attached(sent.kept) == {NAME: TEMPLATE, "offer.pdf": offer}
        assert "here they are" in mime.decoded_body(sent.kept)
