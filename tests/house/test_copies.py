"""Promise A4: an answer counts in whatever order its copies come, however each was dated and encoded, and once.

One house takes every variant in every order of arrival, each on a case of its own.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import pytest
from sqlalchemy import select

from memory.record.schema import open_engine, orders, reading
from tests.house.running import INBOX_ALONE, INBOX_FIRST, ORDERS_OF_ARRIVAL, SENT_FIRST, House, until
from tests.ledgers import OWNER, mail, own_mail
from tests.ledgers import House as Records
from tests.readings import routed
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from workflows.models.mail import Address, Email
from workflows.models.routes import Answered, Asked, Hinted, Ignore, Ordered
from workflows.rules.answers.copies import answer_key
from workflows.rules.routing import route

DELIVERED = (
    b"Received: from out.mail.example by mx.winter.example with ESMTPS id 1;\r\n Mon, 23 Nov 2026 10:00:00 +0000\r\n"
)
TRACES = DELIVERED + b"Return-Path: <ada@winter.example>\r\nDelivered-To: ada@winter.example\r\n"
WORDS = "ok"
Copy = Callable[[str, str, tuple[str, str], datetime], bytes]
"""Text, subject, (address, parent), date -> the copy in Sent of a mail whose Message-ID names the parent."""


def written(
    text: str, subject: str, ids: tuple[str, str], date: datetime, *,
    cte: str = "8bit", charset: str = "utf-8", flowed: bool = False, more: tuple[tuple[str, str], ...] = (),
) -> bytes:  # fmt: skip
    """One copy of an answer, as a server or a program may write it."""
    owner, parent = ids
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"Ada Winter <{owner}>", owner, subject
    message["Date"], message["Message-ID"] = format_datetime(date), f"<answer-to-{parent[1:]}"
    message["In-Reply-To"] = message["References"] = parent
    for name, value in more:
        message[name] = value
    body = "\n".join(_soft(line) for line in text.split("\n")) if flowed else text
    message.set_content(body, cte=cte, charset=charset, params={"format": "flowed"} if flowed else None)
    return message.as_bytes(policy=SMTP)


def _soft(line: str) -> str:
    """A long line broken softly, as format=flowed does, behind its quote mark."""
    mark = "> " if line.startswith("> ") else ""
    words = line.removeprefix(mark)
    if len(words) < 60 or " " not in words[40:]:
        return line.rstrip()
    cut = words.index(" ", 40) + 1
    return f"{mark}{words[:cut]}\n{_soft(mark + words[cut:])}"


def _wrapped(text: str, subject: str, ids: tuple[str, str], date: datetime) -> bytes:
    """Hard line breaks of another program's width, each new line quoted."""
    lines: list[str] = []
    for line in text.split("\n"):
        mark = "> " if line.startswith("> ") and len(line) > 70 and " " in line[60:] else ""
        cut = line.index(" ", 60) if mark else len(line)
        lines += [line[:cut], f"{mark}{line[cut + 1 :]}"] if mark else [line]
    return written("\n".join(lines), subject, ids, date)


def made(**how: object) -> Copy:
    return lambda text, subject, ids, date: written(text, subject, ids, date, **how)  # type: ignore[arg-type]


VARIANTS: dict[str, Copy] = {
    "the same bytes": made(),
    "a later Date, as mutt writes it": lambda text, subject, ids, date: written(
        text, subject, ids, date + timedelta(seconds=3), cte="8bit"
    ),
    "base64": made(cte="base64"),
    "quoted-printable": made(cte="quoted-printable"),
    "another charset": made(cte="quoted-printable", charset="windows-1252"),
    "format=flowed": made(flowed=True),
    "wrapped elsewhere": _wrapped,
    "headers of the server's own": made(more=(("X-Mailer", "Sent 1.0"), ("X-UID", "12"))),
}


class Trial:
    """A variant in an order of arrival, on a case of its own."""

    def __init__(self, number: int, name: str, order: tuple[str, ...]) -> None:
        self.name, self.order = name, order
        self.client = Address(name=f"Client {number}", email=f"client{number}@firm{number}.example")
        self.case = 0

    def __repr__(self) -> str:
        return f"{self.name}: {' then '.join(self.order)}"


TRIALS = [
    Trial(number, name, order)
    for number, (name, order) in enumerate((name, order) for name in VARIANTS for order in ORDERS_OF_ARRIVAL)
]
TWICE = Trial(900, "the same bytes", (*INBOX_FIRST, "Sent", "Sent Items", "INBOX"))
REFUSED_FIRST = Trial(901, "the same bytes", ("Sent (by a rule)", "Sent"))


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory, dovecot: Dovecot) -> Iterator[House]:
    with RecordingSmtp() as smtp:
        user = dovecot.add_user()
        user.create("Sent Items")
        house = House(tmp_path_factory.mktemp("copies") / "home", user, smtp, approval={"auto_after": 0})
        with house.running():
            _answer_all(house, [*TRIALS, TWICE, REFUSED_FIRST])
            yield house


def _answer_all(house: House, trials: list[Trial]) -> None:
    for number, trial in enumerate(trials):
        house.client_writes(number, sender=trial.client)
    house.wait_approvals(len(trials), 240)
    asked = {_to(email): email for email in house.approvals()}
    waiting: list[tuple[Trial, bytes]] = []
    for trial in trials:
        arrived, sent = _copies(house, trial, asked[trial.client.email])
        if trial.order == INBOX_ALONE:
            house.user.deliver(arrived)
            waiting.append((trial, sent))
        else:
            for folder in trial.order:
                filed = DELIVERED + sent if "rule" in folder else sent
                house.user.deliver(arrived if folder == "INBOX" else filed, folder.partition(" (")[0])
    # Those that came alone have been looked at, as hints, before their copies in Sent come.
    until(lambda: _hints(house) >= len(waiting), 120, "the hints")
    for _, sent in waiting:
        house.user.deliver(sent, "Sent", "\\Seen")


def _to(approval: Email) -> str:
    return next(line for line in approval.text.splitlines() if line.startswith("To: ")).partition("<")[2].rstrip(">")


def _copies(house: House, trial: Trial, asked: Email) -> tuple[bytes, bytes]:
    quoted = "\n".join(f"> {line}".rstrip() for line in asked.text.splitlines())
    text = f"{WORDS}\n\nOn Mon, 23 Nov 2026 at 10:00, Deskhand <{house.owner.email}> wrote:\n\n{quoted}\n"
    trial.case = int(asked.header("x-deskhand-case").partition(".")[0])
    parts = text, f"Re: {asked.subject}", (house.owner.email, asked.message_id), datetime.now(UTC)
    return TRACES + written(*parts), VARIANTS[trial.name](*parts)


def _hints(house: House) -> int:
    from tests.house.test_unproven import seen_as

    return seen_as(house, "hint")


def test_every_answer_is_carried_out_at_the_first_try_and_once(answered: House) -> None:
    trials = [*TRIALS, TWICE, REFUSED_FIRST]
    people = {trial.client.email: trial for trial in trials}
    answered.wait_sent(len(trials), 180)
    _last_word(answered)  # whatever was to be sent twice or told has been by then
    gone = [sent.recipients[0] for sent in answered.sent_to_clients() if sent.recipients[0] in people]
    assert sorted(gone) == sorted(people), [people[one] for one in people if gone.count(one) != 1]
    with answered.ledger() as ledger:
        given = {trial: [(one.via, one.decision.kind) for one in ledger.answers(trial.case)] for trial in trials}
    assert {repr(trial): value for trial, value in given.items() if value != [("mail", "approve")]} == {}
    told = [email.subject for email in _notices(answered) if f"Case {REFUSED_FIRST.case}:" not in email.subject]
    assert told == []  # none held, none refused; what a rule had filed was said, and counted with its other copy


def _last_word(house: House) -> None:
    """One more case from end to end: all mail before it was taken in."""
    last = Trial(999, "the same bytes", SENT_FIRST)
    house.client_writes(999, sender=last.client)
    before = len(house.sent_to_clients())
    until(lambda: any(_to(one) == last.client.email for one in house.approvals()), 60, "the last question")
    house.owner_answers(next(one for one in house.approvals() if _to(one) == last.client.email), "ok")
    house.wait_sent(before + 1)


def _notices(house: House) -> list[Email]:
    mails = [mime.parse(stored.content) for stored in house.user.messages()]
    return [one for one in mails if one.header("auto-submitted") and "answer above this line" not in one.text]


def test_stop_all_is_carried_out_in_every_order_and_once(answered: House) -> None:
    for number, order in enumerate((*ORDERS_OF_ARRIVAL, (*INBOX_FIRST, "Sent Items"))):
        arrived = mime.compose(
            sender=answered.owner, to=(answered.owner,), subject="deskhand stop all", body="\n",
            message_id=f"<stop-{number}-{time.monotonic_ns()}@mail.example>", date=datetime.now(UTC),
        )  # fmt: skip
        answered.files(TRACES + arrived, order, arrived)
        until(lambda number=number: _orders(answered) == number + 1, what=f"the order {number}: {order}")
    stopped = until(lambda: [one for one in _notices(answered) if "Stopped" in one.subject][3:], what="the notices")
    assert len(stopped) == 1
    assert not [one for one in _notices(answered) if "not carried out" in one.subject]
    assert _orders(answered) == len(ORDERS_OF_ARRIVAL) + 1


def _orders(house: House) -> int:
    engine = open_engine(house.home / "ledger.sqlite")
    try:
        with reading(engine) as connection:
            return len(connection.execute(select(orders.c.key)).all())
    finally:
        engine.dispose()


# ---------------------------------------------------------------- the key


ANSWER = mime.parse(
    written("ok\n\n> Hello,\n> Thürsday works.\n", "Re: x", ("a@b.example", "<q@x>"), datetime.now(UTC))
)


@pytest.mark.parametrize("name", VARIANTS)
def test_copies_have_one_key(name: str) -> None:
    text = "ok\n\n> Hello,\n> Thursday 10:00 works for me, “and” so does everything that you wrote — thanks, Zoë.\n"
    parts = text, "Re: x", ("ada@winter.example", "<q@x.example>"), datetime.now(UTC)
    assert answer_key(mime.parse(VARIANTS[name](*parts))) == answer_key(mime.parse(TRACES + written(*parts)))


def test_what_says_something_else_has_another_key() -> None:
    assert answer_key(replace(ANSWER, text=f"not {ANSWER.text}")) != answer_key(ANSWER)
    assert answer_key(replace(ANSWER, message_id="<other@x>")) != answer_key(ANSWER)
    assert answer_key(replace(ANSWER, message_id="")) == ANSWER.identity


# ---------------------------------------------------------------- the record


@pytest.fixture
def records(tmp_path) -> Records:
    house = Records(tmp_path / "home")
    house.receive(mail())
    house.approval(1, 1, "Says yes.", message_id="<ask@winter.example>")
    return house


def an_answer(**changes: object) -> Email:
    email = own_mail("ok", OWNER.address, in_reply_to=("<ask@winter.example>",), message_id="<a@x>")
    return replace(email, **({"identity": "answer"} | changes))


def take(house: Records, email: Email, folder: str = "sent"):
    return house.ledger.record_mail(email, folder, lambda one, around: route(one, OWNER, around), house.clock.now())


def test_each_copy_keeps_its_bytes_and_its_traces(records: Records) -> None:
    traced = an_answer(headers=(("received", "x"),), blob="b" * 64)
    hint = take(records, traced, "inbox")
    assert (hint.kind, records.ledger.sent_copy_seen(hint.key)) == ("hint", False)
    event = take(records, an_answer(blob="c" * 64))
    assert event.kind == "answer"
    assert records.ledger.sent_copy_seen(hint.key)
    assert [(one.blob, one.headers) for one in records.ledger.copies_to_judge(event.key)] == [("c" * 64, ())]


def test_a_copy_in_sent_that_comes_later_is_judged_with_the_others(records: Records) -> None:
    first = take(records, an_answer(blob="b" * 64, headers=(("delivered-to", "x"),)))
    records.ledger.copies_to_judge(first.key)
    records.ledger.mark_delivered(first.key, "answer")
    later = replace(an_answer(blob="c" * 64), identity="later", date=records.clock.now())
    assert take(records, later) == first  # given once more, under the same key
    assert len(records.ledger.copies_to_judge(first.key)) == 2
    records.ledger.mark_delivered(first.key, "answer")
    assert take(records, later) is None
    assert [event.kind for event in records.ledger.undelivered()] == ["mail"]


def test_a_copy_that_comes_while_another_is_judged_is_not_lost(records: Records) -> None:
    first = take(records, an_answer(blob="b" * 64))
    records.ledger.copies_to_judge(first.key)
    take(records, replace(an_answer(blob="c" * 64), identity="later"))
    records.ledger.mark_delivered(first.key, "answer")
    assert first in records.ledger.undelivered()


def test_a_mail_in_sent_that_was_passed_over_counts_in_its_other_copy(records: Records) -> None:
    automatic = an_answer(blob="b" * 64, headers=(("auto-submitted", "auto-replied"),))
    assert take(records, automatic) is None
    assert take(records, automatic) is None
    event = take(records, an_answer(blob="c" * 64))
    assert event.kind == "answer"


def test_another_body_under_the_same_message_id_in_an_inbox_changes_nothing(records: Records) -> None:
    event = take(records, an_answer(blob="b" * 64))
    forged = replace(an_answer(blob="c" * 64), identity="forged", text="no")
    hint = take(records, forged, "inbox")
    assert hint.key != event.key
    assert records.ledger.sent_copy_seen(hint.key)  # so it holds nothing
    assert [one.text for one in records.ledger.copies_to_judge(event.key)] == ["ok"]


ASKED = Asked(case=1, version=1, purpose="approval", text="Says yes.", sent_at=datetime(2026, 11, 23, tzinfo=UTC))


def test_the_copy_in_an_inbox_is_a_hint_and_the_one_in_sent_an_answer(records: Records) -> None:
    email = an_answer()
    kinds = {
        folder: type(routed(email, OWNER, records.ledger.surroundings(email, folder))) for folder in ("inbox", "sent")
    }
    assert kinds == {"inbox": Hinted, "sent": Answered}
    order = own_mail("", OWNER.address, message_id="<o@x>", subject="deskhand stop all")
    assert isinstance(routed(order, OWNER, records.ledger.surroundings(order, "inbox")), Ignore)
    assert isinstance(routed(order, OWNER, records.ledger.surroundings(order, "sent")), Ordered)
