"""The orders to the desk: what is one in each language, what is none, and that an answer to a draft stays an answer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.readings import routed
from tests.rules.test_triage import emails
from workflows.models.decisions import Approve, Edit, Later, Mine, Never, Reject, Why
from workflows.models.mail import Address, Attachment, Email
from workflows.models.orders import (
    Allow,
    Away,
    Back,
    Disallow,
    Disputed,
    Ended,
    Explain,
    Help,
    NotByMail,
    NotUnderstood,
    Paid,
    Pause,
    Promised,
    Rescue,
    Resume,
    ResumeChasing,
    ShowIgnored,
    ShowStatus,
    StopAll,
    StopChasing,
)
from workflows.models.people import Owner
from workflows.models.routes import Answered, Asked, Ignore, Ordered, Surroundings
from workflows.rules.answers import decisions
from workflows.rules.answers.orders import is_order_subject, order_in, parse_order, read_order
from workflows.rules.answers.proof import Proven, Unproven, order_proof
from workflows.rules.text.calendar import folded
from workflows.rules.text.languages import languages, words_in

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 24, 14, 5, tzinfo=BERLIN)  # a Tuesday
FRIDAY = datetime(2026, 11, 27, 9, 0, tzinfo=BERLIN)
MONDAY = datetime(2026, 11, 30, 9, 0, tzinfo=BERLIN)
LANGUAGES = languages("orders")
ADA, MARIA = Address(email="ada@winter.example", name="Ada Winter"), Address(email="maria@studio.example")
APPROVAL = (
    "Says Thursday. Answer by Fri 27 Nov 18:00.\n"
    "----- answer above this line · 41.2.0123456789abcdef0123456789abcdef -----\n"
    "To: Maria Alvarez <maria@studio.example>\nSubject: Re: Kick-off\nLength: 1 line, 15 characters\n\n"
    "----- draft 41.2 begins -----\nThursday works.\n----- draft 41.2 ends -----\n"
)
ASKED = Asked(case=41, version=2, purpose="approval", text=APPROVAL, sent_at=NOW - timedelta(hours=1))
NOTICE = Asked(case=41, version=0, purpose="notice", text="Something is slow.\n", sent_at=NOW - timedelta(hours=1))


def owner(language="en"):
    return Owner(
        name="Ada Winter", address=ADA.email, aliases=("ada@old.example",), language=language,
        timezone="Europe/Berlin", country="DE",
    )  # fmt: skip


def mail(text="", subject="deskhand", **fields):
    values = {
        "message_id": "<o@winter.example>", "senders": (ADA,), "to": (ADA,), "date": NOW - timedelta(minutes=1),
        "headers": (("from", ADA.email),),
    } | fields  # fmt: skip
    return Email(identity="i", blob="b", subject=subject, text=text, **values)


def around(asked=None, **fields):
    return Surroundings(folder_kind="sent", now=NOW, asked=asked, **fields)


# ---------------------------------------------------------------- what is an order

ORDERS = [
    ("en", "status", ShowStatus()),
    ("en", "Status?", ShowStatus()),
    ("en", "please status, thanks", ShowStatus()),
    ("en", "\uff33\uff54\uff41\uff54\uff55\uff53", ShowStatus()),
    ("en", "STOP ALL!", StopAll()),
    ("en", "stop everything", StopAll()),
    ("en", "stop", StopAll()),
    ("en", "pause all", StopAll()),
    ("en", "resume", Resume()),
    ("en", "Resume all.", Resume()),
    ("en", "resume Acme GmbH", Resume(client="Acme GmbH")),
    ("en", "pause Acme", Pause(client="Acme")),
    ("en", 'pause "Maria Alvarez"', Pause(client="Maria Alvarez")),
    ("en", "pause <maria@studio.example>", Pause(client="maria@studio.example")),
    ("en", "why 41", Explain(case=41)),
    ("en", "Why #41.2?", Explain(case=41)),
    ("en", "why case 41", Explain(case=41)),
    ("en", "ignored", ShowIgnored()),
    ("en", "rescue 4", Rescue(number=4)),
    ("en", "rescue no. 4", Rescue(number=4)),
    ("en", "away until Monday", Away(until=MONDAY)),
    ("en", "away Monday 9:00", Away(until=MONDAY)),
    ("en", "I'm away until Monday, thanks", Away(until=MONDAY)),
    ("en", "back", Back()),
    ("en", "I am back!", Back()),
    ("en", "help", Help()),
    ("de", "Status bitte", ShowStatus()),
    ("de", "alles stoppen", StopAll()),
    ("de", "stop all", StopAll()),
    ("de", "fortsetzen", Resume()),
    ("de", "pausiere Acme", Pause(client="Acme")),
    ("de", "warum 41", Explain(case=41)),
    ("de", "übersprungen", ShowIgnored()),
    ("de", "rette 4", Rescue(number=4)),
    ("de", "abwesend bis Montag", Away(until=MONDAY)),
    ("de", "Ich bin wieder da", Back()),
    ("de", "Hilfe", Help()),
    ("fr", "arrêtez tout", StopAll()),
    ("fr", "reprendre", Resume()),
    ("fr", "pourquoi 41 ?", Explain(case=41)),
    ("fr", "ignorés", ShowIgnored()),
    ("fr", "récupère 4", Rescue(number=4)),
    ("fr", "absente jusqu\u2019à lundi", Away(until=MONDAY)),
    ("fr", "je suis de retour", Back()),
    ("fr", "aide", Help()),
    ("es", "parar todo", StopAll()),
    ("es", "reanudar", Resume()),
    ("es", "pausar Acme", Pause(client="Acme")),
    ("es", "por qué 41", Explain(case=41)),
    ("es", "rescatar 4", Rescue(number=4)),
    ("es", "ausente hasta el lunes", Away(until=MONDAY)),
    ("es", "he vuelto", Back()),
    ("pt", "parar tudo", StopAll()),
    ("pt", "retomar", Resume()),
    ("pt", "por quê 41", Explain(case=41)),
    ("pt", "resgatar 4", Rescue(number=4)),
    ("pt", "ausente até segunda", Away(until=MONDAY)),
    ("pt", "voltei", Back()),
    ("it", "ferma tutto", StopAll()),
    ("it", "riprendi", Resume()),
    ("it", "perché 41", Explain(case=41)),
    ("it", "recupera 4", Rescue(number=4)),
    ("it", "assente fino a lunedì", Away(until=MONDAY)),
    ("it", "sono tornata", Back()),
    ("nl", "stop alles", StopAll()),
    ("nl", "hervat", Resume()),
    ("nl", "waarom 41", Explain(case=41)),
    ("nl", "red 4", Rescue(number=4)),
    ("nl", "afwezig tot maandag", Away(until=MONDAY)),
    ("nl", "ik ben terug", Back()),
    ("pl", "zatrzymaj wszystko", StopAll()),
    ("pl", "wznów", Resume()),
    ("pl", "dlaczego 41", Explain(case=41)),
    ("pl", "pominięte", ShowIgnored()),
    ("pl", "uratuj 4", Rescue(number=4)),
    ("pl", "nieobecna do poniedziałku", Away(until=MONDAY)),
    ("pl", "wróciłam", Back()),
    ("pl", "pomoc", Help()),
    ("en", "paid 2026-014", Paid(what="2026-014")),
    ("en", "Paid invoice #2026-014 500 EUR", Paid(what="2026-014", amount="500 EUR")),
    ("en", "paid 2026-014 \u20ac500.00, thanks", Paid(what="2026-014", amount="\u20ac500.00")),
    ("en", "paid Acme GmbH", Paid(what="Acme GmbH")),
    ("en", "paid Acme GmbH EUR 500", Paid(what="Acme GmbH", amount="EUR 500")),
    ("en", "promised 2026-014 Friday", Promised(what="2026-014", until=FRIDAY)),
    ("en", "promised 2026-014 until Friday", Promised(what="2026-014", until=FRIDAY)),
    ("en", "promised Acme GmbH 27 Nov", Promised(what="Acme GmbH", until=FRIDAY)),
    ("en", "dispute 2026-014", Disputed(what="2026-014")),
    ("en", "dispute 2026-014 they say 10 hours", Disputed(what="2026-014", reason="they say 10 hours")),
    ("en", "stop chasing Acme", StopChasing(client="Acme")),
    ("en", "don't chase Acme", StopChasing(client="Acme")),
    ("en", "chase Acme", ResumeChasing(client="Acme")),
    ("en", "chase again billing@acme.example", ResumeChasing(client="billing@acme.example")),
    ("en", "auto status", Allow(what="update")),
    ("en", "auto reply", Allow(what="reply")),
    ("en", "stop auto status updates", Disallow(what="update")),
    ("de", "auto Antworten", Allow(what="reply")),
    ("en", "won 41", Ended(case=41, result="won")),
    ("en", "lost 41 too expensive", Ended(case=41, result="lost", reason="too expensive")),
    ("en", "no answer 41", Ended(case=41, result="no-answer")),
    ("de", "bezahlt 2026-014 500,00 EUR", Paid(what="2026-014", amount="500,00 EUR")),
    ("de", "Bezahlt Rechnung 2026-014", Paid(what="2026-014")),
    ("de", "versprochen 2026-014 Freitag", Promised(what="2026-014", until=FRIDAY)),
    ("de", "strittig 2026-014", Disputed(what="2026-014")),
    ("de", "nicht mehr mahnen Acme", StopChasing(client="Acme")),
    ("de", "mahne Acme", ResumeChasing(client="Acme")),
    ("de", "gewonnen 41", Ended(case=41, result="won")),
    ("de", "keine Antwort 41", Ended(case=41, result="no-answer")),
    ("fr", "payé 2026-014", Paid(what="2026-014")),
    ("fr", "promis 2026-014 vendredi", Promised(what="2026-014", until=FRIDAY)),
    ("fr", "ne plus relancer Acme", StopChasing(client="Acme")),
    ("fr", "perdu 41", Ended(case=41, result="lost")),
    ("es", "pagado 2026-014", Paid(what="2026-014")),
    ("es", "prometido 2026-014 viernes", Promised(what="2026-014", until=FRIDAY)),
    ("es", "dejar de reclamar Acme", StopChasing(client="Acme")),
    ("es", "sin respuesta 41", Ended(case=41, result="no-answer")),
    ("pt", "pago 2026-014", Paid(what="2026-014")),
    ("pt", "parar de cobrar Acme", StopChasing(client="Acme")),
    ("pt", "ganho 41", Ended(case=41, result="won")),
    ("it", "pagata 2026-014", Paid(what="2026-014")),
    ("it", "promesso 2026-014 venerdì", Promised(what="2026-014", until=FRIDAY)),
    ("it", "perso 41", Ended(case=41, result="lost")),
    ("nl", "betaald 2026-014", Paid(what="2026-014")),
    ("nl", "niet meer aanmanen Acme", StopChasing(client="Acme")),
    ("nl", "gewonnen 41", Ended(case=41, result="won")),
    ("pl", "zapłacono 2026-014", Paid(what="2026-014")),
    ("pl", "obiecał 2026-014 piątek", Promised(what="2026-014", until=FRIDAY)),
    ("pl", "przegrane 41", Ended(case=41, result="lost")),
]


@pytest.mark.parametrize(("language", "words", "order"), ORDERS)
def test_an_order(language, words, order):
    assert parse_order(words, owner(language), NOW) == order
    assert order_in(mail(subject=f"Deskhand: {words}"), owner(language), NOW, None) == order
    assert order_in(mail(f"{words}\n\nAda\n-- \nAda Winter\nwinter.example"), owner(language), NOW, None) == order
    assert order_in(mail(words, "Re: x", in_reply_to=("<n@x>",)), owner(language), NOW, NOTICE) == order


NO_ORDERS = [
    "",
    "hello",
    "statuses",
    "don't stop all",
    "do not resume",
    "stop all but Maria",
    "not resume",
    "status of Acme",
    "resume?",
    "resume...",
    "pause Acme?",
    "away until Monday?",
    "back?",
    "rescue 4?",
    "pause",
    "why",
    "why Acme",
    "why 99999999999",
    "rescue",
    "rescue all",
    "rescue 4 5",
    "rescue -4x",
    "away",
    "away until",
    "away until yesterday",
    "away for a while",
    "away until 2019-01-01",
    "back tomorrow",
    "paid",
    "paid 2026-014?",
    "promised 2026-014",
    "promised Friday",
    "promised 2026-014 some day",
    "dispute",
    "stop chasing",
    "chase",
    "won",
    "lost too expensive",
    "no answer",
    "ok",
    "yes, resume",
    "alles stoppen",  # German is not active for an English owner
    "wznów",
    "x" * 5000,
    "stop all " * 200,
]


@pytest.mark.parametrize("words", NO_ORDERS)
def test_no_order(words):
    found = parse_order(words, owner(), NOW)
    assert isinstance(found, NotUnderstood)
    assert found.hint.endswith((".", "done."))


def test_several_lines_are_no_order():
    for text in ("status\nstop all", "stop all\nexcept Maria", "resume\nno, do not"):
        assert isinstance(order_in(mail(text), owner(), NOW, None), NotUnderstood)


def test_text_and_html_must_say_the_same():
    assert order_in(mail("resume", html_text="resume"), owner(), NOW, None) == Resume()
    assert order_in(mail("", html_text="resume"), owner(), NOW, None) == Resume()
    assert isinstance(order_in(mail("resume", html_text="status"), owner(), NOW, None), NotUnderstood)


def test_an_empty_mail_to_the_desk_gets_the_help():
    assert order_in(mail("", "Deskhand"), owner(), NOW, None) == Help()
    assert read_order("deskhand", "Thanks\nAda", owner(), NOW) != Resume()


@pytest.mark.parametrize(
    ("subject", "is_one"),
    [
        ("deskhand", True),
        ("DESKHAND status", True),
        ("Deskhand: stop all", True),
        ("  deskhand - resume", True),
        ("\u200bdeskhand status", True),
        ("deskhands wanted", False),
        ("deskhand@invoice", False),
        ("Re: deskhand status", False),
        ("status deskhand", False),
        ("[Deskhand 41.2]", False),
        ("", False),
    ],
)
def test_a_subject_for_the_desk(subject, is_one):
    assert is_order_subject(subject) == is_one


@pytest.mark.parametrize(
    "words",
    ["forget Acme", "export", "settings approval.grace = 0s", "new approver bob@x.example", "set hours", "import x"],
)
def test_what_never_goes_by_mail(words):
    assert isinstance(parse_order(words, owner(), NOW), NotByMail)
    assert isinstance(order_in(mail(words), owner(), NOW, None), NotByMail)


@pytest.mark.parametrize(
    ("words", "order"),
    [
        ("won", Ended(case=41, result="won")),
        ("lost too expensive", Ended(case=41, result="lost", reason="too expensive")),
        ("lost 3 others were cheaper", Ended(case=41, result="lost", reason="3 others were cheaper")),
        ("lost 41 too expensive", Ended(case=41, result="lost", reason="too expensive")),
        ("no answer", Ended(case=41, result="no-answer")),
        ("won 42", Ended(case=42, result="won")),
    ],
)
def test_in_an_answer_to_a_notice_the_case_may_be_left_out(words, order):
    assert order_in(mail(words, "Re: x", in_reply_to=("<n@x>",)), owner(), NOW, NOTICE) == order


@pytest.mark.parametrize("words", ["won", "lost", "paid 2026-014", "promised 2026-014 Friday", "dispute 2026-014"])
def test_orders_about_money_count_in_an_answer_to_an_approval_mail(words):
    answer = mail(words, "Re: Kick-off [Deskhand 41.2]", in_reply_to=("<q@x>",))
    assert isinstance(routed(answer, owner(), around(ASKED)), Ordered)


# ---------------------------------------------------------------- an answer stays an answer


def phrases(language):
    for kind, words in words_in(language, "orders").items():
        for phrase in words:
            yield kind, phrase


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_order_is_ever_read_as_a_yes(language):
    for _, phrase in phrases(language):
        for words in (phrase, f"{phrase} 41", f"{phrase} Acme"):
            answer = decisions.parse(words, owner(language), NOW)
            assert not isinstance(answer, Approve), words
            assert not (isinstance(answer, Edit) and answer.send), words


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_means_two_orders(language):
    kinds = {}
    for active in dict.fromkeys((language, "en")):
        for kind, phrase in phrases(active):
            assert kinds.setdefault(folded(phrase), kind) == kind, f"{phrase} in {language}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_clear_answer_to_a_draft_stays_one(language):
    for kind in ("approve", "edit", "no", "reject", "mine", "never", "later", "why"):
        for phrase in (*words_in(language, "decisions")[kind], *words_in("en", "decisions")[kind]):
            answer = mail(phrase, "Re: Kick-off [Deskhand 41.2]", in_reply_to=("<q@x>",))
            assert isinstance(routed(answer, owner(language), around(ASKED)), Answered), phrase


ANSWERS = [
    "stop",
    "stop now",
    "stop it",
    "halt",
    "why",
    "no",
    "pause it",
    "pause",
    "pause until Monday",
    "pause this one please",
    "hold on",
    "resume with the second paragraph",
    "resume it",
    "paid already",
    "paid Acme",
    "promised something else",
    "dispute the deadline",
    "chase it up",
    "stop chasing them",
    "won 42",
    "lost the thread",
    "lost 41 too expensive",
    "won the tender last week, mention it",
    "forget it",
    "settings",
    "away",
    "Monday",
    "later 2d",
    "never",
    "stop all the nonsense about the price",
    "stop all?\nor rather, send it",
    "back to the first version",
    "status report should be shorter",
    "status: done, so ok",
    "help him with the form too",
]


@pytest.mark.parametrize("words", ANSWERS)
def test_words_about_a_draft_are_no_order(words):
    answer = mail(words, "Re: Kick-off [Deskhand 41.2]", in_reply_to=("<q@x>",))
    assert isinstance(routed(answer, owner(), around(ASKED)), Answered)


IN_AN_ANSWER = [
    ("stop all", StopAll()),
    ("why 41", Explain(case=41)),
    ("why 7", Explain(case=7)),
    ("status", ShowStatus()),
    ("ignored", ShowIgnored()),
    ("rescue 4", Rescue(number=4)),
    ("resume", Resume()),
    ("pause Maria", Pause(client="Maria")),
    ("pause maria@studio.example", Pause(client="maria@studio.example")),
    ("away until Monday", Away(until=MONDAY)),
    ("back", Back()),
    ("help", Help()),
]


@pytest.mark.parametrize(("words", "order"), IN_AN_ANSWER)
def test_an_order_in_an_answer_to_an_approval_mail(words, order):
    quoted = "\n".join(f"> {line}".rstrip() for line in APPROVAL.splitlines())
    text = f"{words}\n\nOn Tue, 24 Nov 2026 at 13:05, Deskhand <ada@winter.example> wrote:\n\n{quoted}\n"
    answer = mail(text, "Re: Kick-off [Deskhand 41.2]", in_reply_to=("<q@x>",))
    assert order_in(answer, owner(), NOW, ASKED) == order
    assert isinstance(routed(answer, owner(), around(ASKED)), Ordered)


def test_an_order_beside_an_edited_quote_is_asked_about():
    quoted = "\n".join(f"> {line}".rstrip() for line in APPROVAL.replace("Thursday works", "Friday works").splitlines())
    answer = mail(f"stop all\n\n{quoted}\n", "Re: Kick-off [Deskhand 41.2]", in_reply_to=("<q@x>",))
    assert isinstance(routed(answer, owner(), around(ASKED)), Answered)


def test_an_answer_to_a_notice_is_never_silently_lost():
    for words in ("ok", "no", "thank you so much", "send it"):
        found = order_in(mail(words, "Re: n", in_reply_to=("<n@x>",)), owner(), NOW, NOTICE)
        assert isinstance(found, NotUnderstood)
        assert "approval mail" in found.hint
    assert order_in(mail("why", "Re: n", in_reply_to=("<n@x>",)), owner(), NOW, NOTICE) == Explain(case=41)


# ---------------------------------------------------------------- who ordered it


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"headers": (("from", "a"), ("received", "from mx"))}, "Received"),
        ({"headers": (("from", "a"), ("delivered-to", "ada"))}, "Delivered-To"),
        ({"headers": (("from", "a"), ("resent-from", "x"))}, "Resent-From"),
        ({"headers": (("from", "a"), ("list-id", "x"))}, "List-Id"),
        ({"headers": (("from", "a"), ("x-deskhand-case", "41"))}, "Deskhand itself"),
        ({"headers": (("from", "a"), ("auto-submitted", "auto-replied"))}, "automatically"),
        ({"headers": (("from", "a"), ("from", "b"))}, "2 From"),
        ({"senders": (MARIA,)}, "not one of your addresses"),
        ({"senders": (ADA, MARIA)}, "2 From"),
        ({"to": (ADA, MARIA)}, "also goes to"),
        ({"cc": (MARIA,)}, "also goes to"),
        ({"bcc": (MARIA,)}, "also goes to"),
        ({"to": ()}, "no recipient"),
        ({"subject": "Fwd: deskhand"}, "forwards"),
        ({"attachments": (Attachment(name="a", size=1, sha256="0", content_type="message/rfc822"),)}, "forwards"),
        ({"date": NOW - timedelta(hours=25)}, "24 hours"),
        ({"date": NOW + timedelta(hours=2)}, "future"),
        ({"date": None}, "no date"),
    ],
)
def test_an_order_that_is_not_proven(changes, words):
    proof = order_proof(replace(mail("stop all"), **changes), owner(), around())
    assert isinstance(proof, Unproven)
    assert words in proof.reason


def test_a_proven_order():
    assert order_proof(mail("status"), owner(), around()) == Proven()
    assert order_proof(mail("status", to=(Address(email="ada@old.example"),)), owner(), around()) == Proven()
    assert order_proof(mail("status", date=NOW - timedelta(hours=23)), owner(), around()) == Proven()


def test_nothing_in_an_inbox_is_an_order():
    inbox = Surroundings(folder_kind="inbox", now=NOW)
    assert isinstance(order_proof(mail("stop all"), owner(), inbox), Unproven)
    for asked in (None, NOTICE):
        assert isinstance(routed(mail("stop all"), owner(), replace(inbox, asked=asked)), Ignore)
        assert isinstance(routed(mail("stop all", senders=(MARIA,)), owner(), replace(inbox, asked=NOTICE)), Ignore)


@pytest.mark.parametrize(
    "changes",
    [
        {"to": (ADA, MARIA)},
        {"senders": (MARIA,)},
        {"headers": (("x-deskhand-case", "41"),)},
        {"headers": (("auto-submitted", "auto-generated"),)},
        {"subject": "Re: deskhand"},
    ],
)
def test_what_looks_like_an_order_in_sent_and_is_none(changes):
    assert not isinstance(routed(replace(mail("stop all"), **changes), owner(), around()), Ordered)
    assert not isinstance(routed(mail("stop all"), owner(), around(ours=True)), Ordered)


@settings(max_examples=200, deadline=None)
@given(email=emails, words=st.text(max_size=200), language=st.sampled_from(LANGUAGES))
def test_reading_an_order_is_total(email, words, language):
    for asked in (None, ASKED, NOTICE):
        order_in(replace(email, subject="deskhand", text=words), owner(language), NOW, asked)
    order_proof(email, owner(language), around())
    parse_order(words, owner(language), NOW)


def test_no_decision_kind_is_missing_here():
    """The kinds that an approval mail's answer may surely be; a new one must be thought about in orders.py."""
    sure = {Approve, Edit, Reject, Mine, Never, Later, Why}
    samples = ("ok", "edit\nNew text.", "no", "mine", "never", "later 2d", "why")
    assert {type(decisions.parse(words, owner(), NOW)) for words in samples} == sure
    assert NOW.astimezone(UTC) < MONDAY
