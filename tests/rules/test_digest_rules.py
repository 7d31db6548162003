"""The rules behind mails with many cases: what they look like, how an answer is read, what will not wait for one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.test_triage import emails
from workflows.models.decisions import Approve, Decision, Edit, Later, Mine, Never, Reject, Revise, Unclear
from workflows.models.drafts import Brief, Draft, Outgoing
from workflows.models.mail import Address, Defect, Email
from workflows.models.people import Client, Owner
from workflows.models.routes import Asked
from workflows.rules.answers.decisions import read_items
from workflows.rules.answers.digest_answers import parse_items
from workflows.rules.asking import digest
from workflows.rules.asking.approval import Question, texts
from workflows.rules.mail.urgency import urgent
from workflows.rules.quoted.typed import typed

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday
OWNER = Owner(name="Ada Winter", address="ada@winter.example", timezone="Europe/Berlin", country="DE")
NONCE = "0123456789abcdef" * 2


def item(case: int, body: str = "", name: str = "Maria Alvarez", hold: str = "") -> digest.DigestRow:
    sender = Address(name=name, email=f"client{case}@studio.example")
    client = Client(id=f"c-{case}", name=name, addresses=(sender.email,))
    brief = Brief(
        case=case, client=client, sender=sender, subject=f"Question {case}", message=f"Can you do {case}?",
        received_at=NOW,
    )  # fmt: skip
    text = body or f"Hello,\n\nyes, I can do number {case}.\n\nAda\n"
    outgoing = Outgoing(case=case, version=1, to=(sender,), subject=f"Re: Question {case}", body=text)
    question = Question(
        outgoing=outgoing, draft=Draft(body=text, gist=f"Says yes to {case}"), brief=brief, owner=OWNER, nonce=NONCE,
        expires_at=NOW + timedelta(days=7),
    )  # fmt: skip
    return digest.DigestRow(
        case=case, version=1, hash=f"seal-{case}", brief=brief, question=None if hold else question, hold=hold
    )


def shown(*items: digest.DigestRow, kind: digest.Kind = "digest", owner: Owner = OWNER) -> str:
    return digest.render(kind, 7, NONCE, items, owner).text


def answer(asked_text: str, words: str, **fields: object) -> Email:
    quoted = "\n".join(f"> {line}".rstrip() for line in asked_text.splitlines())
    text = f"{words}\n\nOn Mon, 23 Nov 2026 at 10:00, Deskhand <ada@winter.example> wrote:\n\n{quoted}\n"
    values = {"identity": "a" * 64, "blob": "b" * 64, "text": text, "senders": (Address(email="ada@winter.example"),)}
    return Email(**(values | fields))


def understood(words: str, cases: tuple[int, ...] = (41, 42, 43), **fields: object):
    text = shown(*(item(case) for case in cases))
    asked = Asked(case=0, version=7, purpose="approval", text=text, sent_at=NOW)
    return read_items(answer(text, words, **fields), asked, cases, OWNER, NOW)


# ---------------------------------------------------------------- the mail


def test_a_digest_line_by_line() -> None:
    mail = digest.render("digest", 7, NONCE, [item(41), item(42, name="Bob Stone")], OWNER)
    assert mail.subject == "2 drafts wait for your answer: Maria Alvarez, Bob Stone [Deskhand digest 7]"
    lines = mail.text.split("\n")
    assert lines[0] == "2 drafts wait for your answer: Maria Alvarez, Bob Stone. Answer by Mon 30 Nov 10:00."
    assert len(lines[0]) <= 90
    assert lines[1] == f"----- answer above this line · 0.7.{NONCE} -----"
    assert '"41 ok, 42 no too cheap"' in lines[2]
    assert lines[4:] == [
        "===== 41 · Maria Alvarez: Question 41 =====",
        "Says yes to 41. Answer by Mon 30 Nov 10:00.",
        "To: Maria Alvarez <client41@studio.example>",
        "Subject: Re: Question 41",
        "Length: 5 lines, 37 characters",
        "",
        "----- draft 41.1 begins -----",
        "Hello,",
        "",
        "yes, I can do number 41.",
        "",
        "Ada",
        "----- draft 41.1 ends -----",
        "They wrote (Mon 10:00):",
        "> Can you do 41?",
        "Model: none: drafted from a template.",
        "",
        "===== 42 · Bob Stone: Question 42 =====",
        *lines[22:],
    ]


def test_a_reminder_says_so_and_shows_what_has_no_draft() -> None:
    mail = digest.render("nudge", 8, NONCE, [item(41), item(42, hold="a complaint")], OWNER)
    assert mail.subject == "2 still wait for your answer: Maria Alvarez [Deskhand reminder 8]"
    assert "Read this yourself: a complaint. Nothing is drafted." in mail.text
    assert "draft 42.1 begins" not in mail.text


def test_a_reminder_of_one_that_is_held_says_how_to_answer_that_one() -> None:
    text = shown(item(42, hold="a complaint"), kind="nudge")
    assert texts(OWNER)["hold"] in text
    assert "{" not in text


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "pt", "it", "nl", "pl"])
def test_the_example_in_each_language_is_understood(language: str) -> None:
    owner = replace(OWNER, language=language)
    line = shown(item(41), item(42), owner=owner).split("\n")[2]
    example, everything = line.split('"')[1], next(part for part in line.split('"') if part.endswith(" ok"))
    found = parse_items(example, {41, 42}, owner, NOW)
    assert found is not None
    assert found[0] == (41, Approve())
    assert isinstance(found[1][1], Reject)
    assert found[1][1].reason
    assert parse_items(everything, {41, 42}, owner, NOW) == ((41, Approve()), (42, Approve()))
    for word in texts(owner)["items"].split('"')[3:8:2]:
        decided = parse_items(f"41 {word}", {41, 42}, owner, NOW)
        assert decided is not None
        assert not isinstance(decided[0][1], Approve | Revise)


def test_ten_items_and_sixty_kilobytes_are_the_most() -> None:
    assert [len(batch) for batch in digest.batches([item(case) for case in range(1, 24)], OWNER)] == [10, 10, 3]
    large = [item(case, body="ä word and another\n" * 1000) for case in range(1, 8)]
    batches = digest.batches(large, OWNER)
    assert [one.case for batch in batches for one in batch] == list(range(1, 8))
    for batch in batches:
        assert len(shown(*batch).encode()) <= digest.LARGEST
    assert not digest.fits(item(1, body="word\n" * 20_000), OWNER)
    assert digest.batches([], OWNER) == []


def test_nothing_in_an_item_can_pass_for_another_items_draft() -> None:
    evil = "----- draft 42.1 begins -----\npay me\n----- draft 42.1 ends -----\n===== 43 · x =====\n"
    text = shown(item(41, body=evil), item(42))
    assert text.count("----- draft 42.1 begins -----") == 1
    assert text.count("----- answer above this line") == 1


# ---------------------------------------------------------------- the answer


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("41 ok, 42 no too cheap, 43 later 2d", (Approve(), Reject(reason="too cheap"), Later)),
        ("41 ok\n42 no\n\nThanks\nAda", (Approve(), Reject())),
        ("all ok", (Approve(), Approve(), Approve())),
        ("#42: make it shorter", (Revise(wishes="make it shorter"),)),
    ],
)
def test_clear_answers_are_taken_whole(words: str, expected: tuple) -> None:
    found = understood(words)
    assert not isinstance(found, Unclear)
    assert len(found) == len(expected)
    for (_, decision), wanted in zip(found, expected, strict=True):
        assert isinstance(decision, wanted) if isinstance(wanted, type) else decision == wanted


@pytest.mark.parametrize(
    "words",
    [
        "ok", "yes", "41", "41 ok 42", "41 ok, 42", "41 ok, 42 hm", "41 ok, 41 no", "41 ok, 99 ok", "99 ok",
        "41 ok\n99 no", "all ok except 42", "all ok, 42 no", "all ok?", "not all ok", "41 ok?", "41 ok but shorter",
        "41 edit Hello", "please 41 ok", "41 ok; 7 no", "1. ok\n2. no", "",
    ],
)  # fmt: skip
def test_what_is_not_clear_as_a_whole_is_asked_again(words: str) -> None:
    found = understood(words)
    assert isinstance(found, Unclear) or not any(isinstance(decision, Approve) for _, decision in found)


ok, no = Approve(), Reject()
GERMAN = replace(OWNER, language="de")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("12 ok 10 nein", {12: ok, 10: no}),
        ("12 Ok. 10 Nein. 11 nie", {12: ok, 10: no, 11: Never()}),
        ("12 ok\n10 nein\n11 nie", {12: ok, 10: no, 11: Never()}),
        ("12 ok und 10 nein", {12: ok, 10: no}),
        ("12 ok and 10 no and 11 mine", {12: ok, 10: no, 11: Mine()}),
        ("12 und 10 ok, 11 nein", {12: ok, 10: ok, 11: no}),
        ("12 & 10 nein. 11 ok", {12: no, 10: no, 11: ok}),
        ("12: ok; 10: nein, zu billig", {12: ok, 10: Reject(reason="zu billig")}),
        ("(12) ok (10) nein", {12: ok, 10: no}),
        ("12) ok 10) nein 11) mache ich selber", {12: ok, 10: no, 11: Mine()}),
        ("12 - ok, 10 - nein", {12: ok, 10: no}),
        ("12 \u2013 ok \u2013 10 \u2013 nein", {12: ok, 10: no}),
        ("12 = ok / 10 = nein", {12: ok, 10: no}),
        ("12 -> ok\n10 -> nein", {12: ok, 10: no}),
        ("12. ok\n10. nein", {12: ok, 10: no}),
        ("#12 ok #10 nein", {12: ok, 10: no}),
        ("12.1 ok 10.1 nein", {12: ok, 10: no}),
        ("12 ja bitte 10 nein danke 11 lieber nicht", {12: ok, 10: no, 11: no}),
        ("12 ok, 10 nein. Ada", {12: ok, 10: no}),
        ("12 ok 10 nein\n\nViele Grüße\nAda", {12: ok, 10: no}),
        ("12 nein 500 EUR ist zu billig", {12: Reject(reason="500 EUR ist zu billig")}),
        ("12 no, 500 EUR is too cheap, 10 ok", {12: Reject(reason="500 EUR is too cheap"), 10: ok}),
        ("12 nein 10 EUR zu wenig", {12: Reject(reason="10 EUR zu wenig")}),
        ("12 nein, 10 Uhr ist zu früh, 11 ok", {12: Reject(reason="10 Uhr ist zu früh"), 11: ok}),
        ("12 nein. Zu billig. 10 ok", {12: Reject(reason="Zu billig"), 10: ok}),
        ("12 nein zu billig, 10 ok", {12: Reject(reason="zu billig"), 10: ok}),
        ("12 kürzer bitte\n10 ok", {12: Revise(wishes="kürzer bitte"), 10: ok}),
        ("12: bitte kürzer, 10: ok", {12: Revise(wishes="bitte kürzer"), 10: ok}),
    ],
)
def test_digest_answers_as_people_write_them(words: str, expected: dict[int, Decision]) -> None:
    assert dict(parse_items(words, {10, 11, 12}, GERMAN, NOW) or ()) == expected


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "41 ok and 42 no"), ("de", "41 ok und 42 nein"), ("fr", "41 ok et 42 non"), ("es", "41 ok y 42 no"),
     ("pt", "41 ok e 42 não"), ("it", "41 ok e 42 no"), ("nl", "41 ok en 42 nee"), ("pl", "41 ok i 42 nie")],
)  # fmt: skip
def test_and_in_every_language(language: str, words: str) -> None:
    found = parse_items(words, {41, 42}, replace(OWNER, language=language), NOW)
    assert found == ((41, ok), (42, no))


@pytest.mark.parametrize(
    "words",
    [
        "12 ok 10", "12 nein 10", "99 ok", "12 ok, 99 nein", "12 ok 99 nein", "12 ok. 99 mach es kürzer",
        "12 nein, sie wollte 10 ok", "12 nein zu billig 10 ok", "12 nein 10 EUR zu wenig 11 ok", "12, 11, 10 ok",
        "12 11 10 ok", "12 ok 10 später Montag 11 ok", "12 ok 10 nicht ok", "12 nicht ok 10 ok", "12 ok, nicht 10",
        "12 ok 10 ok aber kürzer", "ok 12 nein 10", "12 no, I said 10 yes", "12 no she asked for 11 and 10 ok",
        "12 nein. Es kostet 10. Ok", "500 ist zu wenig", "12 ok 12 nein", "12 ok, 10 ok?", "12 ok 10 ok 11",
    ],
)  # fmt: skip
def test_what_may_be_two_things_is_asked_back_whole(words: str) -> None:
    assert parse_items(words, {10, 11, 12}, GERMAN, NOW) is None


SAYS: dict[str, type] = {"ok": Approve, "ja": Approve, "nein": Reject, "lieber nicht": Reject, "nie": Never,
                         "nein, zu billig": Reject, "nein 12 EUR": Reject, "mache ich selber": Mine}  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([10, 11, 12, 13]), st.sampled_from(sorted(SAYS))), min_size=1, max_size=4),
    st.sampled_from([" ", ", ", ". ", "; ", "\n", " und ", " and ", " / "]),
    st.sampled_from(["{} {}", "{}: {}", "({}) {}", "#{} {}", "{} - {}"]),
)
def test_no_case_that_is_refused_is_ever_approved(items: list, between: str, shape: str) -> None:
    words = between.join(shape.format(number, decision) for number, decision in items)
    for number, decision in parse_items(words, {10, 11, 12, 13}, GERMAN, NOW) or ():
        assert {SAYS[one] for case, one in items if case == number} == {type(decision)}, words


@pytest.mark.parametrize("words", ["41 ok, 42 no", "all ok"])
def test_a_list_an_automatic_reply_a_changed_quote_and_a_file_are_asked_about(words: str) -> None:
    assert isinstance(understood(words, html_list=True), Unclear)
    assert isinstance(understood(words, headers=(("auto-submitted", "auto-replied"),)), Unclear)
    assert isinstance(understood(words, html_text="41 no, 42 ok"), Unclear)
    assert isinstance(understood(words, defects=(Defect("text", "text longer than 1 characters is cut"),)), Unclear)
    text = shown(item(41), item(42), item(43))
    asked = Asked(case=0, version=7, purpose="approval", text=text, sent_at=NOW)
    changed = answer(text.replace("yes, I can do number 42.", "no, I cannot do number 42."), words)
    assert isinstance(read_items(changed, asked, (41, 42, 43), OWNER, NOW), Unclear)


@pytest.mark.parametrize(
    ("words", "expected"),
    [("ok", Approve()), ("41 ok", Approve()), ("no too late", Reject(reason="too late")), ("all ok", Approve())],
)
def test_one_case_alone_takes_the_plain_words(words: str, expected: Decision) -> None:
    assert understood(words, (41,)) == ((41, expected),)


def test_one_case_alone_can_be_edited_in_the_reminder() -> None:
    found = understood("edit\nMy own words.", (41,))
    assert found == ((41, Edit(text="My own words.\n")),)
    assert isinstance(understood("hm?", (41,)), Unclear)


@settings(max_examples=100, deadline=None)
@given(emails, st.sets(st.integers(1, 99), max_size=12))
def test_total(email: Email, cases: set[int]) -> None:
    text = shown(*(item(case) for case in sorted(cases)[:10]))
    asked = Asked(case=0, version=7, purpose="approval", text=text, sent_at=NOW)
    found = read_items(email, asked, cases, OWNER, NOW)
    assert isinstance(found, Unclear) or {case for case, _ in found} <= cases
    typed(email, text)


# ---------------------------------------------------------------- what will not wait


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("This is urgent, please call.", "en"), ("Can you send it by tomorrow?", "en"), ("I need it today.", "en"),
        ("ASAP please", "en"), ("The deadline is tomorrow 9:00.", "en"), ("please answer within 2 hours", "en"),
        ("Bitte bis morgen 9 Uhr.", "de"), ("Es ist dringend!", "de"), ("Können Sie es heute schicken?", "de"),
        ("C'est urgent.", "fr"), ("Il me le faut avant demain.", "fr"), ("Es urgente", "es"), ("lo necesito hoy", "es"),
        ("É urgente", "pt"), ("È urgente", "it"), ("entro domani, grazie", "it"), ("Het is dringend", "nl"),
        ("To pilne", "pl"), ("The server is down, URGENT", "de"),
    ],
)  # fmt: skip
def test_urgent(text: str, language: str) -> None:
    assert urgent("", text, language, NOW, OWNER)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Could you send the brief by Friday?", "en"), ("How are you, by the way?", "en"), ("No hurry at all.", "en"),
        ("It was written by Tomas.", "en"), ("Bitte bis Freitag.", "de"), ("Guten Morgen!", "de"),
        ("d'ici la semaine prochaine", "fr"), ("para el viernes", "es"), ("", "xx"), ("tot volgende week", "nl"),
    ],
)  # fmt: skip
def test_not_urgent(text: str, language: str) -> None:
    assert not urgent("A question", text, language, NOW, OWNER)


def test_a_subject_can_be_urgent_and_hostile_text_is_read_quickly() -> None:
    assert urgent("URGENT: the server", "", "en", NOW, OWNER)
    assert not urgent("", "by " * 100_000, "en", NOW, OWNER)
