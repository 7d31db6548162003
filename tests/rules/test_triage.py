"""Triage: over a hundred mails shaped like the real ones, each with its verdict, and every Email there can be."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.mail.mime import parse
from workflows.models.mail import Address, Attachment, Email
from workflows.models.people import Client, Owner
from workflows.models.routes import Surroundings
from workflows.rules.mail.machines import is_no_reply
from workflows.rules.triage import hold_reason, triage

MAILS = Path(__file__).parents[1] / "mail" / "triage"
OWNER = Owner(name="Ada Winter", address="ada@winter.example", aliases=("ada@oldname.example",))
AROUND = Surroundings(folder_kind="inbox", now=datetime(2026, 11, 16, 9, 0, tzinfo=UTC))
KNOWN = replace(AROUND, client=Client(id="c1", name="Maria", addresses=("maria@studio.example",), written_to=True))


def mail(**changes: object) -> Email:
    plain = Email(
        identity="i",
        blob="b",
        message_id="<m@studio.example>",
        subject="Kick-off",
        senders=(Address(email="maria@studio.example", name="Maria"),),
        to=(Address(email="ada@winter.example"),),
        text="Would Thursday work?",
    )
    return replace(plain, **changes)


def header(*pairs: tuple[str, str]) -> Email:
    return mail(headers=pairs)


@pytest.mark.parametrize("path", sorted(MAILS.glob("*.eml")), ids=lambda path: path.stem)
def test_a_mail_shaped_like_the_real_world_gets_its_verdict(path: Path) -> None:
    email = parse(path.read_bytes())
    verdict = triage(email, OWNER, AROUND)
    expected = path.stem.split("--")[0]
    if expected in ("person", "hold"):
        assert verdict is None, verdict
        assert bool(hold_reason(email)) == (expected == "hold"), hold_reason(email)
    else:
        assert verdict is not None, "it went on"
        assert verdict.rule == expected, verdict
        assert verdict.reason.endswith(".")
        assert "\n" not in verdict.reason


def test_the_set_is_broad_and_machines_need_no_model() -> None:
    names = [path.stem.split("--")[0] for path in MAILS.glob("*.eml")]
    assert len(names) >= 100
    to_ignore = [path for path in MAILS.glob("*.eml") if path.stem.split("--")[0] not in ("person", "hold")]
    decided = [path for path in to_ignore if triage(parse(path.read_bytes()), OWNER, AROUND)]
    share = len(decided) / len(to_ignore)
    print(f"ignored without a model: {len(decided)} of {len(to_ignore)} = {share:.2f}")
    assert share >= 0.6


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("noreply", True), ("no-reply", True), ("no_reply", True), ("no.reply", True), ("donotreply", True),
        ("do-not-reply", True), ("jobalerts-noreply", True), ("noreply+7f3a", True), ("noreply2", True),
        ("notifications", True), ("shipment-notification", True), ("mailer", True), ("nepasrepondre", True),
        ("nicht-antworten", True), ("no-responder", True), ("nao-responda", True), ("alerts", True), ("root", True),
        ("norepa", False), ("noreplymedia", False), ("info", False), ("office", False), ("maria", False),
        ("reply", False),
        ("alertson", False), ("newsdesk", False), ("botha", False), ("roots", False), ("notificationsmith", False),
        ("marketing", False), ("arno.reply", False), ("team", False), ("support", False), ("", False),
    ],
)  # fmt: skip
def test_no_reply_is_told_by_whole_tokens(local: str, expected: bool) -> None:
    assert is_no_reply(local) == expected


@pytest.mark.parametrize(
    ("entry", "sender", "expected"),
    [
        ("maria@studio.example", "maria@studio.example", True),
        ("Maria@Studio.Example ", "maria@studio.example", True),
        ("studio.example", "maria@studio.example", True),
        ("studio.example", "maria@mail.studio.example", True),
        ("@studio.example", "maria@studio.example", True),
        ("*@studio.example", "maria@studio.example", True),
        ("*.studio.example", "maria@mail.studio.example", True),
        ("studio.example", "maria@notstudio.example", False),
        ("bob@studio.example", "maria@studio.example", False),
        ("studio", "maria@studio.example", False),
        ("", "maria@studio.example", False),
        ("@", "maria@studio.example", False),
        ("*", "maria@studio.example", False),
    ],
)
def test_the_ignore_list_knows_addresses_domains_and_subdomains(entry: str, sender: str, expected: bool) -> None:
    verdict = triage(mail(senders=(Address(email=sender),)), OWNER, replace(AROUND, ignore=(entry,)))
    assert (verdict is not None) == expected
    if verdict:
        assert verdict.rule == "ignore-list"
        assert entry.strip().lower() in verdict.reason.lower()


def test_never_and_the_draft_settings() -> None:
    assert triage(mail(), OWNER, replace(AROUND, never=True)).rule == "never"
    assert triage(mail(), OWNER, replace(AROUND, draft_for="none")).rule == "drafts-off"
    assert triage(mail(), OWNER, replace(AROUND, draft_for="known")).rule == "unknown-sender"
    assert triage(mail(), OWNER, replace(KNOWN, draft_for="known")) is None
    once = replace(KNOWN, client=replace(KNOWN.client, written_to=False), draft_for="known")
    assert triage(mail(), OWNER, once).rule == "unknown-sender"


def test_an_alias_is_the_owner() -> None:
    assert triage(mail(to=(Address(email="ada@oldname.example"),)), OWNER, AROUND) is None
    assert triage(mail(senders=(Address(email="ADA@oldname.example"),)), OWNER, AROUND).rule == "own-mail"


def test_an_open_conversation_turns_away_machines_alone() -> None:
    case = replace(AROUND, open_case=7)
    people = [
        mail(cc=mail().to, to=(Address(email="bob@team.example"),)),
        mail(to=()),
        header(("list-unsubscribe", "<https://x.example>")),
        header(("precedence", "bulk")),
        header(("x-spam-flag", "YES")),
    ]
    assert [triage(email, OWNER, case) for email in people] == [None] * len(people)
    assert all(triage(email, OWNER, AROUND) for email in people)
    assert triage(header(("auto-submitted", "auto-replied")), OWNER, case).rule == "auto-reply"
    assert triage(header(("return-path", "<>")), OWNER, case).rule == "auto-reply"
    assert triage(mail(senders=(Address(email="mailer-daemon@x.example"),)), OWNER, case).rule == "bounce"
    assert triage(mail(), OWNER, replace(case, draft_for="none")) is None


def test_spam_marks_do_not_silence_a_known_client() -> None:
    assert triage(header(("x-spam-flag", "YES")), OWNER, KNOWN) is None


@pytest.mark.parametrize(
    "pair",
    [
        ("auto-submitted", "no"), ("auto-submitted", "No; x=1"), ("auto-submitted", ""), ("precedence", "normal"),
        ("precedence", "first-class"), ("x-auto-response-suppress", "All"), ("x-auto-response-suppress", "None"),
        ("feedback-id", "a:b:c"), ("x-autoreply", "no"), ("x-spam-flag", "NO"),
        ("return-path", "<maria@studio.example>"),
        ("x-ms-exchange-inbox-rules-loop", "maria@studio.example"), ("x-mailer", "Apple Mail (2.3774)"),
        ("x-ses-outgoing", "1"), ("x-report-abuse", "please"), ("list-help", "<mailto:help@isp.example>"),
    ],
)  # fmt: skip
def test_odd_headers_of_peoples_mail_do_not_silence_them(pair: tuple[str, str]) -> None:
    assert triage(header(pair), OWNER, AROUND) is None


@pytest.mark.parametrize("said", ["auto-replied", "auto-generated", "Auto-Notified", "auto-replied (vacation)", "yes"])
def test_auto_submitted_is_named_in_the_reason(said: str) -> None:
    verdict = triage(header(("auto-submitted", said)), OWNER, AROUND)
    assert verdict.rule == "auto-reply"
    assert f"Auto-Submitted: {said.lower()}" in verdict.reason


def test_a_hostile_header_cannot_break_the_account_of_ignored_mail() -> None:
    verdict = triage(
        header(("list-id", "x\r\nInjected: y\u202e" + "z" * 5000), ("list-post", "<mailto:l@x>")), OWNER, AROUND
    )
    assert len(verdict.reason) <= 300
    assert not set(verdict.reason) & set("\r\n\u202e")


words = st.text(max_size=40) | st.sampled_from(
    [
        "",
        "Re: ",
        "Automatic reply: x",
        "noreply@x.example",
        "@",
        "a@",
        "<>",
        "> a\n> b",
        "On 1.1.2026 10:00 X wrote:\n> a",
        "-- \n",
    ]
)
addresses = st.lists(st.builds(Address, email=words, name=words), max_size=3).map(tuple)
ids = st.lists(words, max_size=3).map(tuple)
known_names = [
    "auto-submitted",
    "precedence",
    "list-id",
    "list-post",
    "return-path",
    "content-type",
    "x-spam-flag",
    "sender",
]
headers = st.lists(st.tuples(st.sampled_from(known_names) | words, words), max_size=6).map(tuple)
files = st.lists(st.builds(Attachment, name=words, size=st.just(1), sha256=words, content_type=words), max_size=2)
emails = st.builds(
    Email,
    identity=words, blob=words, message_id=words, subject=words, senders=addresses, to=addresses, cc=addresses,
    bcc=addresses, reply_to=addresses, in_reply_to=ids, references=ids, text=words | st.text(max_size=400),
    html_text=words, html_list=st.booleans(),
    calendar=words, calendar_note=words, form=words, attachments=files.map(tuple), headers=headers,
)  # fmt: skip
surroundings = st.builds(
    Surroundings,
    folder_kind=st.sampled_from(["inbox", "sent"]), now=st.just(AROUND.now), open_case=st.sampled_from([0, 3]),
    ours=st.booleans(), never=st.booleans(), first_day=st.booleans(), ignore=ids,
    draft_for=st.sampled_from(["people", "known", "none"]),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(email=emails, around=surroundings, name=words)
def test_triage_and_hold_are_total(email: Email, around: Surroundings, name: str) -> None:
    verdict = triage(email, replace(OWNER, name=name), around)
    assert verdict is None or (verdict.rule and verdict.reason)
    assert isinstance(hold_reason(email), str)


def test_the_strategy_covers_every_field_a_rule_may_read() -> None:
    given_fields = {
        "identity",
        "blob",
        "message_id",
        "subject",
        "senders",
        "to",
        "cc",
        "bcc",
        "reply_to",
        "in_reply_to",
    }
    given_fields |= {"references", "text", "html_text", "html_list", "attachments", "headers"}
    given_fields |= {"calendar", "calendar_note", "form"}
    others = {"date", "defects", "html_signatures", "size", "trace"}
    assert {field.name for field in fields(Email)} - given_fields == others
