"""An own text as long as one may be: nothing of it is lost, and nothing of it lies in Temporal."""

from datetime import UTC, datetime
from pathlib import Path

from temporalio.client import Client

from tests.house.running import House, until
from tests.house.test_acceptance import command
from tests.ledgers import OWNER
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from workers.commands.deciding import LARGEST_TEXT
from workflows.models.decisions import Edit, Unclear
from workflows.models.mail import Defect, Email
from workflows.models.routes import Asked
from workflows.rules.answers import decisions

FOUR_BYTES = "\N{CJK UNIFIED IDEOGRAPH-2000B}"
LINE = FOUR_BYTES * 99 + "\n"
LIMIT = 256 * 1024


async def test_200_000_characters_of_four_bytes_arrive_and_no_payload_is_large(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp
) -> None:
    text = LINE * (LARGEST_TEXT // len(LINE))
    assert (len(text), len(text.encode())) == (LARGEST_TEXT, 794_000)
    file = tmp_path / "text"
    file.write_text(text, "utf-8")
    house = House(tmp_path / "home", mailbox, smtp_server)
    with house.running():
        house.client_writes(1)
        house.wait_approvals(1)
        edited = command(house, "edit", "1.1", str(file))
        assert edited.returncode == 0, edited.stderr
        until(lambda: [one for one in house.approvals() if one.header("x-deskhand-case") == "1.2"], 60, "version 2")
        with house.ledger() as ledger:
            assert ledger.outgoing(1, 2).body == text
        history = await _history(house)
        assert max(event.ByteSize() for event in history) < LIMIT
        assert command(house, "approve", "1.2").returncode == 0
        (sent,) = house.wait_sent(1)
        assert mime.decoded_body(sent.kept) == text
        # Our own mail came back too long to be read whole, and is ours all the same: it is not asked once more.
        assert len([one for one in house.approvals() if one.header("x-deskhand-case") == "1.2"]) == 1


async def _history(house: House):
    client = await Client.connect(house.temporal_address)
    return (await client.get_workflow_handle(house.names.case(1)).fetch_history()).events


def test_an_answer_that_is_longer_than_what_is_read_is_never_taken_in_part() -> None:
    now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    asked = Asked(case=41, version=1, purpose="approval", text="----- answer above this line -----\n", sent_at=now)
    for words in ("edit! " + "a\n" * 5_000, "edit " + "a" * 200_000, "edit\n" + LINE * 2_001):
        decision = decisions.read(Email(identity="i", blob="b", text=words), asked, OWNER, now)
        assert isinstance(decision, Unclear)
        assert "./deskhand edit 41.1 FILE" in decision.question
    for defect in (Defect("text", "text longer than 200000 characters is cut"), Defect("parts", "?"), Defect("", "")):
        cut = Email(identity="i", blob="b", text="edit\nHello.", defects=(defect,))
        assert isinstance(decisions.read(cut, asked, OWNER, now), Unclear)
    whole = Email(identity="i", blob="b", text="edit\nHello.")
    assert decisions.read(whole, asked, OWNER, now) == Edit(text="Hello.\n")


def test_a_letter_is_shown_also_where_the_settings_let_an_edit_send() -> None:
    from workers.desk.answering import Answering

    answering = Answering(None, None, None, OWNER, None, None, edit_sends=True)  # type: ignore[arg-type] # only the setting
    assert answering._with_setting(Edit(text="Hi.\n")) == Edit(text="Hi.\n", send=True)
    letter = Edit(text="Hi Maria,\n\nFriday.\n\nAda\n", letter=True)
    assert answering._with_setting(letter) == letter
