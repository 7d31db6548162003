"""The diary of `bench month`: that it is whole, that it is right about what is clear, and how it is counted."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bench import _diary as diary
from bench._arrivals import ARRIVALS, SENT_FIRST, addressed, copies
from bench._days import Left, Told
from bench._diary import ORDERS, OWNER, ROWS, STRETCH, STRETCHES, WORDS, Effect
from bench._owner import Verdict, Yes, answer, draft_in, order, shows
from bench._play import MAILS
from bench.month import FIRST, match, month, needless, played
from tests.answer_styles import STYLES, Reply
from tests.rules.test_typed import decide, question
from tools.mail import mime
from workflows.models.decisions import Approve, Edit, Later, Mine, Reject, Revise
from workflows.models.mail import Address

AT = datetime(2035, 6, 4, 10, 40, tzinfo=UTC)
CLEAR = {"ok": Approve, "no": Reject, "no after all": Reject, "mine": Mine, "later": Later, "wish": Revise}


# ---------------------------------------------------------------- the diary


def test_the_month_is_120_mails_in_20_days_with_nights_and_weekends():
    lines = month(STRETCHES)
    mails = [line for line in lines if line.row and not line.answer]
    assert len(mails) == 120
    assert {line.day for line in mails} == set(range(20))
    assert STRETCHES * STRETCH == 20
    assert [line.key for line in lines] == sorted(line.key for line in lines)
    assert any(line.hour > "22:00" for line in mails)
    assert FIRST.weekday() == 0


def test_each_mail_is_written_before_it_is_answered_and_each_file_comes_once():
    for row in ROWS:
        moments = [(row.day, row.hour), *((each.day, each.hour) for each in row.answers)]
        assert moments == sorted(moments), row
        assert bool(row.files) == (row.what == "ignored")
    files = Counter(name for row in ROWS for name in row.files)
    assert set(files.values()) == {1}
    assert all((MAILS / f"{name}.eml").exists() for name in files)
    assert all(len(row.files) == STRETCHES for row in ROWS if row.files)


def test_every_effect_program_and_order_of_arrival_is_played():
    answers = [line for line in month(STRETCHES) if line.answer]
    named = {each.must for row in ROWS for each in row.answers} | {each.must for each in ORDERS}
    assert named == set(Effect)
    assert {line.answer.program.name for line in answers if line.answer} == {"Outlook", "iPhone"}
    ways = Counter(diary.arrival_of(line.answer.arrival, line.stretch, line.position).name for line in answers)
    assert set(ways) == {arrival.name for arrival in ARRIVALS}
    assert ways[SENT_FIRST.name] < len(answers) / 4, "programs send first and file the copy after"


def test_clients_are_other_people_in_each_stretch():
    people = [diary.person(letter, stretch) for stretch in range(STRETCHES) for letter in diary.LETTERS]
    assert len({one.email for one in people}) == len(people)
    assert len({one.language for one in people}) >= 7
    for line in month(STRETCHES):
        if line.row and line.row.who:
            subject, text = diary.asks(line.row, line.stretch)
            assert subject
            assert diary.person(line.row.who, line.stretch).first in text


@pytest.mark.parametrize("row", list(CLEAR))
def test_what_counts_as_clear_is_clear(row):
    for words in WORDS[row]:
        reply = Reply(words, question("de"), "de")
        assert isinstance(decide(STYLES["iphone"](reply), reply.asked, "de"), CLEAR[row]), words


@pytest.mark.parametrize("row", ["unclear", "unclear again"])
def test_what_counts_as_doubtful_is_never_a_yes(row):
    for words in WORDS[row]:
        reply = Reply(words, question("de"), "de")
        assert not isinstance(decide(STYLES["iphone"](reply), reply.asked, "de"), Approve), words


@pytest.mark.parametrize("row", ["edit", "edit!"])
def test_her_texts_are_edits(row):
    for words, text in zip(WORDS[row], diary.TEXTS, strict=True):
        reply = Reply(f"{words}\n{text.format(first='Maria')}", question("de"), "de")
        found = decide(STYLES["iphone"](reply), reply.asked, "de")
        assert isinstance(found, Edit)
        assert found.send == (row == "edit!")


# ---------------------------------------------------------------- the copies


def approval(case="41.1", text="", references=()):
    raw = mime.compose(
        sender=diary_owner(), to=(diary_owner(),), subject="Jürgen Groß: Termin? [Deskhand 41.1]",
        body=text or question("de"), message_id="<ask@winter.example>", date=AT,
        references=references or ("<41.1.abc@deskhand.invalid>",), headers=(("X-Deskhand-Case", case),),
    )  # fmt: skip
    return Told(at=AT, email=mime.parse(raw))


def diary_owner():
    return Address(name=diary.NAME, email=OWNER)


@pytest.mark.parametrize("program", [diary.DESK, diary.PHONE], ids=lambda one: one.name)
def test_an_answer_is_the_answer_to_that_very_mail(program):
    asked = approval()
    email = mime.parse(answer("ok", asked, program, 7, AT))
    assert email.in_reply_to == (asked.email.message_id,)
    assert email.references == (*asked.email.references, asked.email.message_id)
    assert email.date == AT
    assert "Jürgen Groß" in email.subject
    assert program.signature.partition("\n")[0] in email.text
    assert "Kick-off date? [Deskhand 41.1]" not in email.text


@pytest.mark.parametrize("style", STYLES)
def test_both_copies_say_the_same_in_every_style(style):
    asked = approval()
    raw = addressed(
        STYLES[style](Reply("ok", asked.email.text, "de")), asked.email, subject="AW: x", message_id="<1@x>", date=AT
    )
    for arrival in ARRIVALS:
        pair = copies(raw, arrival, OWNER)
        assert [copy.folder for copy in pair] == (["Sent", "INBOX"] if arrival.sent_first else ["INBOX", "Sent"])
        first, second = (mime.parse(copy.raw) for copy in pair)
        assert (first.text, first.html_text, first.message_id) == (second.text, second.html_text, second.message_id)
        traced = [copy.folder for copy in pair if mime.parse(copy.raw).has_header("received")]
        assert traced == ["INBOX"]
        apart = abs((first.date - second.date).total_seconds())
        assert apart == (1 if arrival.later_second else 0)


def test_an_order_is_a_mail_to_herself():
    email = mime.parse(order("deskhand status", diary.DESK, 1, AT))
    assert (email.sender.email, [one.email for one in email.to]) == (OWNER, [OWNER])
    assert email.subject == "deskhand status"


# ---------------------------------------------------------------- the counting


def left(address, body, minute=0):
    return Left(at=AT.replace(minute=minute), address=address, body=body, email=approval().email)


def test_each_mail_is_held_against_one_yes():
    yeses = [Yes(address="a@x", body="A"), Yes(address="b@x", body="B"), Yes(address="c@x", body="C")]
    whole = match([left("a@x", "A"), left("b@x", "B")], yeses)
    assert (whole.unapproved, whole.doubled, whole.differing, whole.never_left) == (0, 0, 0, 1)
    bad = match([left("a@x", "A"), left("a@x", "A", 1), left("b@x", "another"), left("d@x", "D")], yeses)
    assert (bad.unapproved, bad.doubled, bad.differing, bad.never_left) == (1, 1, 1, 1)


def test_a_notice_about_what_was_simply_carried_out_is_needless():
    notice = approval("41")
    done, asked_back = Verdict(clear=True, case=41), Verdict(clear=False, case=41, needs_word=True)
    assert needless([approval(), notice], [done]) == [notice]
    assert needless([notice], [done, asked_back]) == needless([notice], [Verdict(clear=True, case=42)]) == []


def test_a_question_a_digest_and_a_notice_are_told_apart():
    asks, notice = approval(), approval("41")
    many = approval("41.1 42.1", "===== 42 · Bob: Hi =====\n" + question("de"), ("<0.3.abc@deskhand.invalid>",))
    assert [(one.asks, one.shows_many, one.case) for one in (asks, notice, many)] == [
        (True, False, 41), (False, False, 0), (False, True, 0),
    ]  # fmt: skip
    assert (shows(asks, 41), shows(many, 42), shows(many, 41), shows(notice, 41)) == (True, True, False, False)
    assert draft_in(many, 42) == draft_in(asks, 41) != ""


async def test_a_morning_is_really_played():
    """A newsletter, a question and an ok whose copy in Sent comes first, on the service itself."""
    lines = [line for line in month(1) if line.row in {ROWS[0], ROWS[1]}]
    play = await played([sent_first(line) for line in lines])
    assert play.received == 2
    assert play.missorted == []
    assert play.verdicts == [Verdict(clear=True, case=1)]
    assert needless(play.house.told, play.verdicts) == []
    assert [(mail.address, mail.body) for mail in play.house.left] == [(yes.address, yes.body) for yes in play.yeses]
    assert len(play.yeses) == 1


def sent_first(line):
    return replace(line, answer=replace(line.answer, arrival=SENT_FIRST)) if line.answer else line
