"""Orders that answer no mail of Deskhand's are asked back: a link in a stranger's mail can have written them."""

import re
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from memory.record.schema import open_engine, orders, reading
from tests.house.running import House, until
from tests.house.test_orders import Desk
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from workflows.models.mail import Address, Email
from workflows.models.orders import Change, Confirm, Fix, NotUnderstood, StopAll
from workflows.models.people import Owner
from workflows.models.routes import Asked
from workflows.rules.answers.orders import ASKED_BACK, is_asked_back, order_in, read_order

OWNER = Owner(name="Ada Winter", address="ada@winter.example", language="de")
NOW = datetime(2026, 11, 30, 10, tzinfo=UTC)
EML = Path(__file__).parents[1] / "mail" / "orders" / "unsubscribe.eml"
CHANGING = (
    "resume", "resume Acme", "pause Acme", "rescue 1", "away until 31 Dec", "back", "auto reply", "stop auto reply",
    "stop auto", "paid 2026-014", "paid 2026-014 500 EUR", "promised 2026-014 Friday", "dispute 2026-014 wrong hours",
    "stop chasing Acme", "chase Acme", "won 41", "lost 41 too dear", "no answer 41", "fix 41 the date is wrong",
    "fortsetzen", "pausiere Acme", "abwesend bis Freitag", "bezahlt 2026-014",
)  # fmt: skip
TELLING = ("status", "ignored", "why 41", "help", "", "settings approval.grace = 0s", "sing a song")


@pytest.mark.parametrize("words", CHANGING)
def test_every_order_that_changes_something_is_asked_back(words: str) -> None:
    for subject, body in ((f"deskhand {words}", ""), ("Deskhand", words), (f"DESKHAND: {words}!", "Ada")):
        order = read_order(subject, body, OWNER, NOW)
        assert isinstance(order, Change | Fix), (subject, order)
        assert is_asked_back(order, None)
        assert not is_asked_back(order, asked("notice:order:x"))


@pytest.mark.parametrize("words", [*TELLING, "stop all", "alles stoppen", "stop"])
def test_what_tells_and_what_only_holds_is_not(words: str) -> None:
    assert not is_asked_back(read_order(f"deskhand {words}", "", OWNER, NOW), None)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("ok", Confirm(yes=True)),
        ("Ja, bitte", Confirm(yes=True)),
        ("yes, thanks", Confirm(yes=True)),
        ("no", Confirm(yes=False)),
        ("nein", Confirm(yes=False)),
        ("no, that was not me", Confirm(yes=False)),
        ("stop all", StopAll()),
        ("ok?", None),
        ("ok but not before Monday", None),
        ("not ok", None),
        ("who are you?", None),
        ("", None),
    ],
)
def test_only_a_clear_yes_carries_it_out(words: str, expected: object) -> None:
    order = order_in(answer(words), OWNER, NOW, asked(f"{ASKED_BACK}k"))
    if expected is None:
        assert not isinstance(order, Confirm | Change | Fix)
    else:
        assert order == expected


def test_a_file_beside_the_ok_and_an_ok_to_another_notice_are_no_word_on_an_order() -> None:
    assert isinstance(order_in(answer("ok"), OWNER, NOW, asked("notice:held:1.1")), NotUnderstood)
    automatic = replace(answer("ok"), headers=(("auto-submitted", "auto-replied"),))
    assert isinstance(order_in(automatic, OWNER, NOW, asked(f"{ASKED_BACK}k")), NotUnderstood)


def asked(intent: str) -> Asked:
    return Asked(case=0, version=0, purpose="notice", text="Your mailbox sent me an order", sent_at=NOW, intent=intent)


def answer(words: str) -> Email:
    return Email(identity="i", blob="b", subject="Re: Is this from you", text=f"{words}\n")


# ---------------------------------------------------------------- on a real house


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, dovecot: Dovecot) -> Iterator[Desk]:
    with RecordingSmtp() as smtp:
        house = House(tmp_path_factory.mktemp("asked-back") / "home", dovecot.add_user(), smtp)
        with house.running():
            yield Desk(house)


def tap(desk: Desk, link: str) -> None:
    """What a mail program does on "Unsubscribe" (RFC 2369, 6068): a mail with the link's fields, and a copy in Sent."""
    to, _, query = link.strip("<> ").removeprefix("mailto:").partition("?")
    fields = {name.lower(): values[0] for name, values in urllib.parse.parse_qs(query, keep_blank_values=True).items()}
    raw = mime.compose(
        sender=desk.house.owner, to=(Address(email=to),), subject=fields.get("subject", "unsubscribe"),
        body=f"{fields.get('body', '')}\n", message_id=f"<tap-{time.monotonic_ns()}@mail.example>",
        date=datetime.now(UTC), in_reply_to=fields.get("in-reply-to", ""),
    )  # fmt: skip
    desk.house.user.deliver(raw, "Sent", "\\Seen")
    desk.house.user.deliver(raw)


def bait(desk: Desk, order: str) -> str:
    """The link of a stranger's newsletter, whose order is this one."""
    raw = EML.read_text().replace("ada@winter.example", desk.house.owner.email)
    content = raw.replace("deskhand%20stop%20all", urllib.parse.quote(order)).replace("<deals@", f"<{time.time_ns()}@")
    desk.house.user.deliver(content.encode())
    return mime.parse(content.encode()).header("list-unsubscribe")


def carried_out(desk: Desk) -> int:
    engine = open_engine(desk.house.home / "ledger.sqlite")
    try:
        with reading(engine) as connection:
            return len(connection.execute(select(orders.c.key)).all())
    finally:
        engine.dispose()


def test_a_strangers_link_changes_nothing_and_each_is_asked_back_once(desk: Desk) -> None:
    me = desk.house.owner.email
    links = [bait(desk, f"deskhand {words}") for words in ("resume", "rescue 1", "auto reply", "paid 2026-014")]
    links += [f"mailto:{me}?subject=deskhand&body=away%20until%2031%20Dec", f"<mailto:{me}?subject=Deskhand%3A%20back>"]
    links += [f"mailto:{me}?subject=deskhand%20pause%20acme&in-reply-to=%3Cguessed%40mail.example%3E"]
    for link in links:
        tap(desk, link)
    questions = until(lambda: found if len(found := desk.notices()) >= len(links) else [], 60, "the questions")
    assert all(one.subject.startswith("Is this from you") for one in questions), [one.subject for one in questions]
    assert len(questions) == len(links)
    assert all('answer this mail with "ok"' in " ".join(one.text.split()) for one in questions)
    assert carried_out(desk) == 0
    with desk.house.ledger() as ledger:
        assert ledger.away_until() is None
        assert not ledger.stopped_since()


def test_stop_all_is_done_at_once_and_names_what_did_it(desk: Desk) -> None:
    before = {one.message_id for one in desk.notices()}
    tap(desk, bait(desk, "deskhand stop all"))
    stopped = desk.next_notice(before)
    said = " ".join(stopped.text.split())
    assert stopped.subject.startswith("Stopped")
    assert f'the mail "deskhand stop all" to {desk.house.owner.email} of ' in said
    assert "may come from an unsubscribe link" in said
    with desk.house.ledger() as ledger:
        assert ledger.stopped_since()
    assert desk.answered(stopped, "resume").subject.startswith("Resumed")


def test_an_ok_carries_it_out_once_and_a_second_one_does_nothing_more(desk: Desk) -> None:
    question = desk.told("deskhand away until 2d")
    assert re.search(r'"away until .+"', question.subject)
    with desk.house.ledger() as ledger:
        assert ledger.away_until() is None
    count = carried_out(desk)
    assert "neither a clear yes nor a no" in " ".join(desk.answered(question, "hm, maybe?").text.split())
    assert carried_out(desk) == count
    assert desk.answered(question, "ok").subject.startswith("Away")
    with desk.house.ledger() as ledger:
        until_when = ledger.away_until()
    assert until_when is not None
    assert until_when - datetime.now(UTC) < timedelta(days=3)
    assert desk.answered(question, "ok").subject.startswith("Away")
    assert desk.answered(question, "no").subject.startswith("Already done")
    assert carried_out(desk) == count + 1
    assert desk.answered(question, "back").subject.startswith("Back")


def test_a_no_drops_it_for_good(desk: Desk) -> None:
    question = desk.told("deskhand", "away until 2d")
    count = carried_out(desk)
    assert desk.answered(question, "no").subject.startswith("Dropped")
    assert desk.answered(question, "ok").subject.startswith("Dropped")
    assert carried_out(desk) == count


def test_an_ok_that_lies_in_the_inbox_alone_does_nothing(desk: Desk) -> None:
    question = desk.told("deskhand away until 2d")
    count = carried_out(desk)
    desk.house.owner_answers(question, "ok", copies=("INBOX",))
    desk.handled()
    assert carried_out(desk) == count


def test_an_order_of_a_client_by_reply_to_is_no_order(desk: Desk) -> None:
    """A client's Reply-To is the owner's own address: the owner's answer to them lies in Sent, to himself."""
    count = len(desk.notices())
    for subject in ("Re: deskhand resume", "RE: Deskhand", "Re: deskhand stop all"):
        raw = mime.compose(
            sender=desk.house.owner, to=(desk.house.owner,), subject=subject, body="resume\n",
            message_id=f"<re-{time.monotonic_ns()}@mail.example>", date=datetime.now(UTC),
            in_reply_to="<question@client.example>", references=("<question@client.example>",),
        )  # fmt: skip
        desk.house.user.deliver(raw, "Sent", "\\Seen")
    desk.handled()
    assert len(desk.notices()) == count


def test_an_expired_question_is_told_and_does_nothing(desk: Desk) -> None:
    question = desk.told("deskhand away until 9d")
    from memory.record.schema import asked_back, from_json, to_json, transaction
    from workflows.models.orders import AskedBack

    engine = open_engine(desk.house.home / "ledger.sqlite")
    with transaction(engine) as connection:  # three days later
        row = connection.execute(select(asked_back).order_by(asked_back.c.at.desc())).first()
        assert row is not None
        old = replace(from_json(AskedBack, row.asked), expires_at=datetime.now(UTC) - timedelta(seconds=1))
        connection.execute(asked_back.update().where(asked_back.c.key == row.key).values(asked=to_json(old)))
    engine.dispose()
    count = carried_out(desk)
    assert desk.answered(question, "ok").subject.startswith("Too late")
    assert carried_out(desk) == count
