"""What was typed: generated answers of twenty mail programs, fourteen languages of quoting, eight of answering (A2)."""

# ruff: noqa: E501 - tables of what people and mail programs write

import random
import time
import tomllib
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.answer_styles import LANGUAGES, STYLES, Reply, marked, unquoted
from tests.rules.test_approval_mail import QUESTION
from tools.mail.mime import parse as parse_mail
from workflows.models.decisions import Approve, Edit, Later, Mine, Reject, Revise, Unclear, Why
from workflows.models.mail import Email
from workflows.models.people import Owner
from workflows.models.routes import Asked
from workflows.rules.answers.decisions import read
from workflows.rules.asking.approval import extract_draft, render
from workflows.rules.quoted.typed import Typed, typed
from workflows.rules.text.canonical import canonical

NOW = datetime(2026, 11, 24, 14, 31, tzinfo=ZoneInfo("Europe/Berlin"))
BODY = """\
Hi Maria,

Thursday 10:00 works for me. Could you send the brief before, so that I can read it on Wednesday evening at the latest?

- the brief
- the logo (see https://studio.example/logo)

> you wrote: mornings suit us best

Best,
Ada
"""


def owner(language="en"):
    return Owner(
        name="Ada Winter", address="ada@winter.example", language=language, timezone="Europe/Berlin", country="DE"
    )


def question(language="en", body=BODY, message=QUESTION.brief.message):
    outgoing = replace(QUESTION.outgoing, body=canonical(body))
    brief = replace(QUESTION.brief, message=message)
    return render(replace(QUESTION, outgoing=outgoing, brief=brief, owner=owner(language))).text


def asked(text):
    return Asked(
        case=41, version=1, purpose="approval", text=text, sent_at=datetime(2026, 11, 24, 14, 5, tzinfo=NOW.tzinfo)
    )


def decide(raw, text, language="en"):
    return read(parse_mail(raw), asked(text), owner(language), NOW)


CLEAR = {
    "en": {"ok": Approve, "Yes, send it.": Approve, "no, too cheap": Reject, "mine": Mine, "later 2d": Later, "why?": Why, "please make it shorter and mention the invoice": Revise, "edit\nHi Maria,\n\nFriday works.\n\nAda": Edit},
    "de": {"ok": Approve, "Ja, bitte senden": Approve, "nein, zu billig": Reject, "ich": Mine, "später 2t": Later, "warum?": Why, "bitte kürzer und die Rechnung erwähnen": Revise, "ändern\nHallo Maria,\n\nFreitag passt.\n\nAda": Edit},
    "fr": {"ok": Approve, "Oui, envoyez": Approve, "non, trop cher": Reject, "moi": Mine, "plus tard 2j": Later, "pourquoi ?": Why, "plus court et plus aimable svp": Revise, "modifier\nBonjour Maria,\n\nVendredi me va.": Edit},
    "es": {"ok": Approve, "Sí, envíalo": Approve, "no, muy barato": Reject, "yo": Mine, "más tarde 2d": Later, "¿por qué?": Why, "hazlo más corto y amable": Revise, "editar\nHola Maria,\n\nel viernes va bien.": Edit},
    "pt": {"ok": Approve, "Sim, pode enviar": Approve, "não, barato demais": Reject, "eu": Mine, "mais tarde 2d": Later, "por quê?": Why, "mais curto e simpático": Revise, "editar\nOlá Maria,\n\nsexta-feira serve.": Edit},
    "it": {"ok": Approve, "Sì, invia": Approve, "no, troppo caro": Reject, "io": Mine, "più tardi 2g": Later, "perché?": Why, "più breve e più gentile": Revise, "modifica\nCiao Maria,\n\nvenerdì va bene.": Edit},
    "nl": {"ok": Approve, "Ja, verstuur": Approve, "nee, te duur": Reject, "ik": Mine, "later 2d": Later, "waarom?": Why, "korter en vriendelijker graag": Revise, "wijzig\nHoi Maria,\n\nvrijdag kan.": Edit},
    "pl": {"ok": Approve, "Tak, wyślij": Approve, "nie, za tanio": Reject, "sam": Mine, "później 2d": Later, "dlaczego?": Why, "krócej i milej, wspomnij fakturę": Revise, "zmień\nCześć Maria,\n\npiątek pasuje.": Edit},
}  # fmt: skip
HEDGED = {
    "en": ["ok but shorter", "not ok", "ok?", "ok, if she pays", "looks ok", "ok\nbut Friday", "\U0001f44d", "ok...", "thanks"],
    "de": ["ok, aber kürzer", "nicht ok", "ok?", "ok wenn sie zahlt", "sieht gut aus", "ok\nnur Freitag", "danke"],
    "fr": ["ok mais plus court", "pas ok", "ok ?", "ok si elle paie", "merci"],
    "es": ["ok pero más corto", "no ok", "¿ok?", "ok si paga", "gracias"],
    "pt": ["ok mas mais curto", "não está ok", "ok?", "ok se ela pagar", "obrigada"],
    "it": ["ok ma più breve", "non ok", "ok?", "ok se paga", "grazie"],
    "nl": ["ok maar korter", "niet ok", "ok?", "ok als ze betaalt", "bedankt"],
    "pl": ["ok ale krócej", "nie ok", "ok?", "ok jeśli zapłaci", "dzięki"],
}  # fmt: skip
QUOTING = {"en": ["en", "sv", "ja", "zh"], "de": ["de", "da"], "fr": ["fr"], "es": ["es"], "pt": ["pt"], "it": ["it"], "nl": ["nl"], "pl": ["pl", "cs", "ru"]}  # fmt: skip


def generated(seed, number, styles=STYLES):
    """Random answers: (style, reply, language, expected type or None for "never a yes")."""
    chance = random.Random(seed)
    for _ in range(number):
        language = chance.choice(list(CLEAR))
        clear = chance.random() < 0.6
        words = chance.choice(list(CLEAR[language]) if clear else HEDGED[language])
        style = chance.choice([*styles, "unquoted"])
        place = chance.choices(["top", "bottom", "inline"], [6, 2, 1])[0]
        if style == "html_only" and place == "inline":
            place = "top"
        reply = Reply(words, question(language), chance.choice(QUOTING[language]), place)
        yield style, reply, language, CLEAR[language][words] if clear else None


def test_generated_answers():
    """A2, small size: no false approval, at least 99 % of the clear answers understood."""
    tally, failures = Counter(), []
    for style, reply, language, expected in generated(2026, 800):
        raw = (STYLES.get(style) or unquoted)(reply)
        found = decide(raw, reply.asked, language)
        if expected is None:
            tally["doubtful"] += 1
            assert not isinstance(found, Approve), (style, reply.language, reply.place, reply.words)
        else:
            tally["clear"] += 1
            tally["understood"] += type(found) is expected
            if expected is not Approve:
                assert not isinstance(found, Approve), (style, reply.language, reply.place, reply.words)
            if type(found) is not expected:
                failures.append(
                    (style, reply.language, reply.place, reply.words, found, typed(parse_mail(raw), reply.asked))
                )
    print(dict(tally))
    assert tally["understood"] >= 0.99 * tally["clear"], failures


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("place", ["top", "bottom"])
def test_every_program_in_every_language_of_quoting(style, place):
    for language in LANGUAGES:
        own = language if language in CLEAR else "en"
        reply = Reply("ok", question(own), language, place)
        found = decide(STYLES[style](reply), reply.asked, own)
        assert found == Approve(), (language, typed(parse_mail(STYLES[style](reply)), reply.asked))


@pytest.mark.parametrize("style", STYLES)
def test_the_edited_text_is_taken_whole(style):
    """Lines of the draft that the owner pasted above the quote are his text, not our quote."""
    reply = Reply(f"edit!\n{BODY.replace('Thursday', 'Friday')}".rstrip("\n"), question())
    found = decide(STYLES[style](reply), reply.asked)
    assert isinstance(found, Edit), style
    assert (
        found.text == canonical(BODY.replace("Thursday", "Friday"))
        or "html" in style
        or style in {"gmail", "iphone", "outlook"}
    )
    assert "".join(found.text.split()) == "".join(BODY.replace("Thursday", "Friday").split())
    assert found.send


@pytest.mark.parametrize("style", STYLES)
def test_an_edit_typed_into_the_quote(style):
    text = question()
    edited = text.replace("Thursday 10:00 works for me.", "Friday 11:00 works best for me, since I am away before.")
    found = decide(STYLES[style](Reply("", text, quote=edited)), text)
    expected = extract_draft(edited)
    assert isinstance(found, Edit), found
    assert found.text == expected or (style == "outlook" and found.text.split() == expected.split())
    assert not found.send
    assert isinstance(decide(STYLES[style](Reply("ok", text, quote=edited)), text), Unclear)


@pytest.mark.parametrize("style", STYLES)
def test_other_changes_in_the_quote_are_no_yes(style):
    text = question()
    for edited in (
        text.replace("----- draft 41.1 ends -----\n", "").replace("Thursday 10:00", "Friday 11:00"),
        text.replace("They wrote (Tue 14:02):", "They wrote (Tue 14:02): but do not send it before I have called her"),
        text.replace("Subject: Re: Kick-off date?", "Subject: Re: Kick-off date? please change this subject"),
    ):
        assert not isinstance(decide(STYLES[style](Reply("ok", text, quote=edited)), text), Approve)


@pytest.mark.parametrize(
    ("quote", "words"),
    [
        ("> {asked}", "ok"),
        (">> {asked}", "ok"),
        ("| {asked}", "ok"),
    ],
)
def test_marks(quote, words):
    text = question()
    marked = "\n".join(quote.format(asked=line) for line in text.split("\n"))
    assert typed(email(f"{words}\n\n{marked}"), text) == Typed(words="ok", block=None, html_words="")


def email(text, html=""):
    return Email(identity="i", blob="b", text=text, html_text=html)


def test_wrapped_without_marks_on_the_rest():
    """Outlook as plain text: the rest of a long line stands below without a mark."""
    text = question()
    lines = []
    for line in text.split("\n"):
        cut = line.rfind(" ", 0, 70) if len(line) > 70 else -1
        lines += [f"> {line[:cut]}", line[cut + 1 :]] if cut > 0 else [f"> {line}"]
    found = typed(email("ok\n\nOn 24.11.2026 14:05 Deskhand <ada@winter.example> wrote:\n" + "\n".join(lines)), text)
    assert found == Typed(words="ok", block=None, html_words="")


def test_quoted_printable_left_in_the_quote():
    text = question()
    quote = (
        "\n".join(f"> {line}" for line in text.split("\n"))
        .replace("·", "=C2=B7")
        .replace("works for", "works =\n> for")
    )
    assert typed(email(f"ok\n\n{quote}"), text) == Typed(words="ok", block=None, html_words="")


def test_trimmed_quotes():
    text = question()
    lines = [f"> {line}" for line in text.split("\n")]
    for kept in (lines[:3], lines[5:9], lines[1:2], lines[:2] + lines[-4:], []):
        found = typed(email("ok\n\nOn 24.11.2026 14:05, Deskhand wrote:\n" + "\n".join(kept)), text)
        assert (found.words, found.block, found.altered) == ("ok", None, False), kept


def test_typed_words_are_never_hidden():
    """The same words as in our mail, typed by the owner, still count."""
    text = question(message="ok\n\nno\n\nbut make it 95 EUR")
    for words in ("ok\nno", "ok\nbut make it 95 EUR", "ok\nmine", "ok\nBest,\nAda\nbut make it 95 EUR"):
        for style, write in STYLES.items():
            for place in ("top", "bottom"):
                found = decide(write(Reply(words, text, place=place)), text)
                assert not isinstance(found, Approve), (style, place, words)


FRAME = "On 24.11.2026 14:05, Deskhand <ada@winter.example> wrote:\n"
HEADERS = "From: Deskhand <ada@winter.example>\nSent: Tuesday 14:05\nTo: Ada\nCc: ada@winter.example\n\n{bare}"


@pytest.mark.parametrize(
    "attack",
    [
        "ok\nPrice: 90\n" + HEADERS,
        "ok\nSubject: make it Friday\n" + HEADERS,
        "ok\nDate: only after 2026-12-01\n" + HEADERS,
        "ok\nOn hold until 5, please\n" + FRAME + "{quote}",
        "ok\nbut not on 12.12.\n" + FRAME + "{quote}",
        "ok\nOn 24.11.2026 do not send this to maria@studio.example, as I wrote:\n{quote}",
        "ok\nAm 24.11. an deskhand schrieb ich doch nein:\n\n{quote}",
        "ok\nFrom: now on\nTo: Maria only after 5\nSubject: none@x\n{quote}",
        FRAME + "{quote}\n\nno wait\n",
        "ok\n\n" + FRAME + "{quote}\n\nno\n",
        "ok\n-- \nAda Winter\nbut not before Friday\n" + FRAME + "{quote}",
        "ok\n\nSent from my iPhone\nno, wait\n\n" + FRAME + "{quote}",
        "ok\n________\nnot\n________\n" + FRAME + "{quote}",
        "ok -----\nno\n-----\n" + FRAME + "{quote}",
        "ok\nno\n{bare}",
        "ok\x0bno",
        "ok\u2028no",
        "ok\n> no\n" + FRAME + "{quote}",
        "ok\n" + FRAME + "{quote}\n> no\n",
        "ok\n" + FRAME + "> please do not\n{quote}",
    ],
)
def test_attacks_on_what_counts_as_typed(attack):
    text = question()
    quote = "\n".join(f"> {line}" for line in text.split("\n"))
    found = read(email(attack.format(quote=quote, bare=text)), asked(text), owner(), NOW)
    assert not isinstance(found, Approve)


def test_a_hedge_under_the_signature_mark_counts():
    text = question()
    assert "but" in typed(email("ok\n-- \nbut not before Friday\n"), text).words
    assert typed(email("ok\n-- \nAda Winter\nada@winter.example\n"), text).words == "ok"


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my iPhone",
        "Sent from my iPad.",
        "Von meinem iPhone gesendet",
        "Envoyé de mon iPhone",
        "Enviado desde mi iPhone",
        "Enviado do meu iPhone",
        "Inviato da iPhone",
        "Verstuurd vanaf mijn iPhone",
        "Wysłane z iPhone'a",
        "Sent from my Galaxy",
        "Sent from my Samsung Galaxy smartphone.",
        "Get Outlook for Android<https://aka.ms/AAb9ysg>",
        "[Get Outlook for iOS](https://aka.ms/o0ukef)",
        "Holen Sie sich Outlook für iOS",
        "Gesendet von Mail für Windows",
        "Sent from Mail for Windows 10",
        "Sent from Yahoo Mail for iPhone",
        "Sent with Proton Mail secure email.",
        "Sent from Proton Mail mobile",
        "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.",
        "Sent from Gmail Mobile",
    ],
)
def test_what_telephones_add(line):
    assert typed(email(f"ok\n\n{line}\n"), question()).words == "ok"


@pytest.mark.parametrize(
    "line",
    ["Sent from my phone, do not send it yet", "Sent from hell", "On Friday he wrote: no", "From: now on, ask me"],
)
def test_what_only_looks_like_it(line):
    assert line in typed(email(f"ok\n\n{line}\n"), question()).words


@pytest.mark.parametrize("width", [40, 55, 66, 72, 78])
def test_an_edited_quote_gets_its_lines_back(width):
    text = question()
    for old, new in (
        ("Thursday 10:00", "Friday"),
        ("Best,", "All the best,"),
        ("- the logo", "- the new logo"),
        (" on Wednesday evening at the latest", ""),
    ):
        edited = text.replace(old, new)
        quote = marked(Reply("", text, quote=edited), width)
        assert typed(email(quote), text).block == extract_draft(edited), (old, width)


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=300)
PIECES = st.lists(
    st.sampled_from(
        [
            *question().split("\n"),
            "ok",
            "no",
            "> ok",
            "> no",
            "",
            "-- ",
            "On 24.11.2026, Deskhand wrote:",
            "From: a@b.example",
            "Sent: x",
            "To: y",
        ]
    )
).map("\n".join)


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT | PIECES, ANY_TEXT | PIECES | st.just(""), ANY_TEXT | st.just(question()))
def test_total(text, html, asked_text):
    found = typed(email(text, html), asked_text)
    assert isinstance(found.words, str)
    assert found.block is None or canonical(found.block) == found.block


@settings(max_examples=100, deadline=None)
@given(st.text("abc def.\n>-", max_size=200), st.sampled_from(sorted(STYLES)))
def test_any_draft_survives_quoting(body, style):
    """Whatever the draft, its unchanged quote is no edit and hides no yes."""
    text = question(body=body)
    found = decide(STYLES[style](Reply("ok", text)), text)
    assert found == Approve() or isinstance(found, Unclear)


HUGE = {
    "dashes": "-" * 199_000,
    "dash lines": "--\n" * 5_000,
    "quote marks": ">" * 199_000,
    "quoted letters": "> a\n" * 5_000,
    "headers": "From: a@b\nSent: x\nfoo\n" * 1_600,
    "attributions": "On 24.11.2026 Deskhand wrote:\n" * 5_000,
    "brackets": "[" * 199_000,
    "draft lines": "----- draft 41.1 begins -----\n" * 5_000,
    "edits": "edit " * 39_000,
    "one word": "edit" * 49_000,
    "blanks": " " * 199_000,
    "emoji": "\U0001f44d" * 60_000,
    "thanks": "thanks " * 28_000,
}


@pytest.mark.parametrize("name", HUGE)
def test_hostile_answers_are_read_in_time(name):
    text = question(message="word " * 390)
    started = time.process_time()
    found = read(email(HUGE[name], HUGE[name]), asked(text), owner(), NOW)
    assert time.process_time() - started < 5
    assert not isinstance(found, Approve)


def test_a_quote_twenty_times_over_is_no_yes():
    text = question()
    quote = "\n".join(f"> {line}" for line in text.split("\n"))
    assert not isinstance(
        read(email("ok\n" + (quote + "\n") * 80 + "a b c\n" * 4000), asked(text), owner(), NOW), Approve
    )


ANSWERS = Path(__file__).parents[1] / "mail" / "answers"
VERDICTS = tomllib.loads((ANSWERS / "verdicts.toml").read_text(encoding="utf-8"))["answers"]


def test_every_raw_answer_has_a_verdict():
    assert {path.name for path in ANSWERS.glob("*.eml")} == set(VERDICTS)
    assert len(VERDICTS) >= 60


@pytest.mark.parametrize("name", sorted(VERDICTS))
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_raw_answers(name, ends):
    expected = VERDICTS[name]
    text = (ANSWERS / f"asked.{expected['language']}.txt").read_text(encoding="utf-8")
    raw = (ANSWERS / name).read_bytes().replace(b"\n", ends)
    found = decide(raw, text, expected["language"])
    assert type(found).__name__ == expected["verdict"], found
    for field in ("text", "send", "reason"):
        assert field not in expected or getattr(found, field) == expected[field]
    assert "until" not in expected or found.until == datetime.fromisoformat(expected["until"])


NEAR_KEYS = {"o": "ipl0", "k": "jlm", "y": "tu", "e": "rw", "s": "ad", "n": "bm", "d": "sf", "j": "hk", "a": "sq"}


def test_mistyped_and_autocorrected_answers():
    """200 slips of the keyboard on yes and no: whatever they become, a no never becomes a yes."""
    chance = random.Random(7)
    tally = Counter()
    for _ in range(200):
        words, meant = chance.choice(
            [("ok", True), ("yes", True), ("no", False), ("nope", False), ("not ok", False), ("don't", False)]
        )
        letters = list(words)
        place = chance.randrange(len(letters))
        slip = chance.choice(["near", "drop", "double", "swap", "capital", "space", "stop"])
        if slip == "near":
            letters[place] = chance.choice(NEAR_KEYS.get(letters[place], "x"))
        elif slip == "swap" and place:
            letters[place - 1], letters[place] = letters[place], letters[place - 1]
        else:
            letters[place] = {
                "drop": "",
                "double": letters[place] * 2,
                "capital": letters[place].upper(),
                "space": letters[place] + " ",
                "stop": letters[place] + ".",
            }.get(slip, letters[place])
        found = decide(unquoted(Reply("".join(letters), question())), question())
        tally[type(found).__name__] += 1
        assert meant or not isinstance(found, Approve), "".join(letters)
    print(dict(tally))


SIGNS = "Hi Ada,\n\n:-)\nworks for us?\n[...]\n\U0001f600\n\u2026\n?\nMaria\n"


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("place", ["top", "bottom"])
def test_lines_of_signs_alone_are_still_ours(style, place):
    """An emoji, ":-)" or "[...]" on a line of its own in their mail or in the draft does not spoil every yes."""
    text = question(message=SIGNS, body=BODY + "\n\U0001f680\n")
    found = decide(STYLES[style](Reply("ok", text, place=place)), text)
    assert found == Approve(), typed(parse_mail(STYLES[style](Reply("ok", text, place=place))), text)


@pytest.mark.parametrize("sign", ["?", "??", "\U0001f44e", "!!!"])
def test_a_sign_that_the_owner_put_into_the_quote_is_not_ours(sign):
    text = question(message=SIGNS)
    quoted = marked(Reply("ok", text))
    for after in ("works for us?", "> ?", "draft 41.1 begins", "Thursday 10:00 works"):
        place = quoted.index(after)
        line_end = quoted.index("\n", place)
        changed = f"{quoted[:line_end]}\n> {sign}{quoted[line_end:]}"
        raw = STYLES["gmail"](Reply("ok", text))
        email = replace(parse_mail(raw), text=f"ok\n\n{changed}", html_text="")
        assert not isinstance(read(email, asked(text), owner(), NOW), Approve), (sign, after)
