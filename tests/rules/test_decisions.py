"""What the owner's words mean: the contract's "Answers", and everything that must not be read as a yes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.models.decisions import Approve, Attach, Edit, Later, Mine, Never, Reject, Revise, Unclear, Why
from workflows.models.mail import Attachment, Email
from workflows.models.people import Owner
from workflows.models.routes import Asked
from workflows.rules.answers.decisions import is_automatic, parse, read
from workflows.rules.answers.digest_answers import parse_item, parse_items
from workflows.rules.text.languages import languages as languages_with
from workflows.rules.text.languages import words_in

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 24, 14, 5, tzinfo=BERLIN)
LANGUAGES = ["en", "de", "fr", "es", "pt", "it", "nl", "pl"]


def owner(language="en", languages=(), name="Ada Winter"):
    return Owner(
        name=name, address="ada@winter.example", language=language, timezone="Europe/Berlin", country="DE",
        languages=languages,
    )  # fmt: skip


def said(words, language="en", **known):
    return parse(words, owner(language), NOW, **known)


@pytest.mark.parametrize(
    "words",
    [
        "ok",
        "OK",
        "Ok.",
        "ok!",
        "ok!!",
        " Okay ",
        "O.K.",
        "\uff2f\uff2b",
        "ok \U0001f44d",
        "ok \U0001f44d\U0001f3fd",
        "\u2705 ok",
        "ok :)",
        "ok, thanks!",
        "Thanks, ok",
        "Ok thank you.",
        "yes",
        "Yes, please.",
        "yes, send it",
        "Send it!",
        "approved",
        "go ahead",
        "*ok*",
        '"ok"',
        "ok\n\nThanks\nAda",
        "ok\n\nBest regards,\nAda Winter\n+49 30 1234567\nwww.winter.example",
        "Ok\n\nAda",
        "ok\nLG Ada",
        "ok,\nthanks, Ada Winter",
        "\u202bok\u202c",
        "o\u200bk",
    ],
)
def test_a_clear_yes(words):
    assert said(words, "de" if "LG" in words else "en") == Approve()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", "Ja, bitte senden."),
        ("de", "ok danke"),
        ("de", "Freigegeben"),
        ("de", "ok\n\nViele Grüße\nAda"),
        ("fr", "Oui, envoyez"),
        ("fr", "D\u2019accord"),
        ("fr", "ok merci"),
        ("es", "Sí"),
        ("es", "vale, gracias"),
        ("pt", "Sim, pode enviar"),
        ("pt", "ok obrigada"),
        ("it", "Sì, invia"),
        ("it", "ok grazie"),
        ("nl", "Akkoord"),
        ("nl", "oké, verstuur"),
        ("pl", "Tak"),
        ("pl", "tak, wyślij"),
        ("pl", "Yes"),
    ],
)
def test_a_clear_yes_in_the_owners_language(language, words):
    assert said(words, language) == Approve()


NOT_YES = [
    "ok?",
    "ok ?",
    "ok\uff1f",
    "ok...",
    "ok\u2026",
    "not ok",
    "Not OK!",
    "ok but",
    "ok but shorter",
    "ok, but not on Friday",
    "ok, if Maria agrees",
    "ok with changes",
    "ok except the price",
    "ok after 5pm",
    "ok only if she pays first",
    "looks ok",
    "Looks good",
    "sounds ok to me",
    "I think ok",
    "almost ok",
    "ok I guess",
    "ok, let me think about it",
    "ok wait",
    "ok\nwait",
    "ok\nno",
    "ok\nmake it 95 EUR",
    "ok\nmine",
    "ok no",
    "no ok",
    "no, wait, ok",
    "yes and no",
    "yes?",
    "yes but",
    "don't send",
    "do not send it",
    "send it tomorrow",
    "send it to Bob",
    "\U0001f44d",
    "\U0001f44d\U0001f44d",
    "ok \U0001f44e",
    "ok \U0001f44d\U0001f44d",
    "ok \U0001f615",
    "ok \u274c",
    "o\u0336k\u0336",
    "\u043e\u043a",
    "ok/no",
    "ok -> edit",
    "ok ok but",
    "Thanks",
    "thank you!",
    "fine",
    "perfect",
    "great",
    "sure",
    "received",
    "k",
    "+1",
    "1",
    "?",
    "...",
    "Ada",
    "Ada reacted to your message:\n\U0001f44d",
    "\U0001f44d Ada Winter reacted via Gmail",
    "I am out of office until Monday. ok",
    'If you want to send it, I would write "ok".',
    'Answer: "ok" sends it.',
    "okk",
    "oj",
    "of",
    "book",
    "ok 2",
    "ok 42",
    "40.1 ok",
    "ja",  # German is not active for an English owner
    "oui",
    "si",
    "ok\n--\nbut change the price",
    "ok " * 2000,
    "ok\n" + "x" * 10000,
]


@pytest.mark.parametrize("words", NOT_YES)
def test_never_a_yes(words):
    assert isinstance(said(words), Revise | Unclear | Reject)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", "nicht ok"),
        ("de", "ok, aber kürzer"),
        ("de", "ok wenn Maria zustimmt"),
        ("de", "sieht gut aus"),
        ("de", "ja?"),
        ("de", "ja, aber"),
        ("de", "Danke"),
        ("de", "na ja"),
        ("de", "nein, ok"),
        ("fr", "pas ok"),
        ("fr", "ok mais plus court"),
        ("fr", "oui si Maria accepte"),
        ("fr", "d'accord ?"),
        ("fr", "merci"),
        ("es", "no ok"),
        ("es", "si Maria acepta"),
        ("es", "sí, pero"),
        ("es", "vale?"),
        ("pt", "não está ok"),
        ("pt", "sim, mas"),
        ("it", "non va bene"),
        ("it", "ok ma"),
        ("it", "va bene"),
        ("nl", "niet ok"),
        ("nl", "ja maar"),
        ("pl", "nie ok"),
        ("pl", "ja"),
        ("pl", "no dobra"),
        ("pl", "no"),
        ("pl", "tak, ale krócej"),
    ],
)
def test_never_a_yes_in_other_languages(language, words):
    assert not isinstance(said(words, language), Approve)


@pytest.mark.parametrize(
    ("language", "words", "reason"),
    [
        ("en", "no", ""),
        ("en", "No.", ""),
        ("en", "no, too cheap", "too cheap"),
        ("en", "no too cheap", "too cheap"),
        ("en", "No - we never do Fridays.\nAsk her again.", "we never do Fridays.\nAsk her again"),
        ("en", "no\n\ntoo cheap", "too cheap"),
        ("en", "no thanks", ""),
        ("en", "nope", ""),
        ("en", "No\n\nBest\nAda", ""),
        ("en", "reject", ""),
        ("en", "Don\u2019t send it!", ""),
        ("de", "Nein, zu billig", "zu billig"),
        ("de", "nein danke", ""),
        ("de", "no", ""),
        ("fr", "Non, trop cher", "trop cher"),
        ("es", "no, demasiado barato", "demasiado barato"),
        ("pt", "Não.", ""),
        ("it", "no troppo caro", "troppo caro"),
        ("nl", "nee te duur", "te duur"),
        ("pl", "nie", ""),
        ("pl", "nie, za tanio", "za tanio"),
    ],
)
def test_no_keeps_the_reason(language, words, reason):
    assert said(words, language) == Reject(reason=reason)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "no?"),
        ("en", "no problem"),
        ("en", "No changes."),
        ("en", "no wait"),
        ("es", "no menciones el precio"),
        ("pt", "não fale do preço"),
        ("pl", "nie wspominaj o cenie"),
    ],
)
def test_not_surely_a_no(language, words):
    assert isinstance(said(words, language), Unclear)


@pytest.mark.parametrize(
    ("language", "words", "decision"),
    [
        ("en", "mine", Mine()),
        ("en", "I'll answer myself.", Mine()),
        ("de", "Ich", Mine()),
        ("fr", "moi", Mine()),
        ("es", "yo", Mine()),
        ("pt", "eu", Mine()),
        ("it", "io", Mine()),
        ("nl", "zelf", Mine()),
        ("pl", "sam", Mine()),
        ("en", "never", Never()),
        ("de", "nie", Never()),
        ("fr", "jamais", Never()),
        ("es", "nunca", Never()),
        ("it", "mai", Never()),
        ("nl", "nooit", Never()),
        ("pl", "nigdy", Never()),
        ("en", "why?", Why()),
        ("en", "Why", Why()),
        ("de", "warum?", Why()),
        ("fr", "pourquoi ?", Why()),
        ("es", "¿por qué?", Why()),
        ("pt", "por quê?", Why()),
        ("it", "perché?", Why()),
        ("nl", "waarom", Why()),
        ("pl", "dlaczego?", Why()),
    ],
)
def test_the_other_words(language, words, decision):
    assert said(words, language) == decision


@pytest.mark.parametrize(
    ("language", "words", "until"),
    [
        ("en", "later 2d", "2026-11-26T14:05"),
        ("en", "Later, tomorrow 9:00", "2026-11-25T09:00"),
        ("en", "later until Monday please", "2026-11-30T09:00"),
        ("en", "later", "2026-11-25T09:00"),
        ("en", "tomorrow 9:00", "2026-11-25T09:00"),
        ("en", "Monday", "2026-11-30T09:00"),
        ("en", "2d", "2026-11-26T14:05"),
        ("de", "später 2t", "2026-11-26T14:05"),
        ("de", "später Montag", "2026-11-30T09:00"),
        ("de", "morgen um 9 Uhr", "2026-11-25T09:00"),
        ("fr", "plus tard 2j", "2026-11-26T14:05"),
        ("fr", "plus tard lundi", "2026-11-30T09:00"),
        ("es", "más tarde 2d", "2026-11-26T14:05"),
        ("pt", "mais tarde amanhã", "2026-11-25T09:00"),
        ("it", "più tardi 2g", "2026-11-26T14:05"),
        ("nl", "later morgen", "2026-11-25T09:00"),
        ("pl", "później 2d", "2026-11-26T14:05"),
    ],
)
def test_later(language, words, until):
    assert said(words, language) == Later(until=datetime.fromisoformat(until).replace(tzinfo=BERLIN))


@pytest.mark.parametrize("words", ["later when it rains", "later?", "later 2020-01-01", "9:00", "later\nok"])
def test_unclear_later(words):
    assert isinstance(said(words), Unclear)


def test_edit_takes_the_text_below():
    assert said("edit\nHi Maria,\n\nFriday works.\n\nAda") == Edit(text="Hi Maria,\n\nFriday works.\n\nAda\n")
    assert said("Edit: Friday works.") == Edit(text="Friday works.\n")
    assert said("edit!\nHi Maria,\nFriday works.") == Edit(text="Hi Maria,\nFriday works.\n", send=True)
    assert said("edit! Friday works for me.") == Edit(text="Friday works for me.\n", send=True)
    assert said("ändern!\nFreitag passt.\nAda", "de") == Edit(text="Freitag passt.\nAda\n", send=True)
    assert said("modifier !\nVendredi me va.\nAda", "fr") == Edit(text="Vendredi me va.\nAda\n", send=True)


@pytest.mark.parametrize("words", ["edit! make it shorter", "edit! Make it shorter", "edit!\nplease add the price"])
def test_an_instruction_is_never_sent_as_the_mail(words):
    found = said(words)
    assert isinstance(found, Edit)
    assert not found.send


def test_imperatives_are_wishes():
    assert said("modifica il prezzo a 90", "it") == Revise(wishes="modifica il prezzo a 90")
    assert said("zmień cenę", "pl") == Revise(wishes="zmień cenę")


def test_the_html_part_gives_the_edited_text_unwrapped():
    plain = "edit\nThis is a long line that the mail program wrapped\nfor the plain part."
    html = "edit\nThis is a long line that the mail program wrapped for the plain part."
    assert said(plain, html_words=html) == Edit(text=html.removeprefix("edit\n") + "\n")


def test_an_edited_quote():
    assert said("", block="Friday works.\n") == Edit(text="Friday works.\n")
    assert said("edit", block="Friday works.\n") == Edit(text="Friday works.\n")
    assert said("edit!", block="Friday works.\n") == Edit(text="Friday works.\n", send=True)
    for words in ("ok", "shorter please", "edit\nThursday works."):
        assert isinstance(said(words, block="Friday works.\n"), Unclear)
    assert said("no", block="Friday works.\n") == Reject()
    assert isinstance(said("edit"), Unclear)
    assert isinstance(said(""), Unclear)
    assert isinstance(said("ok", altered=True), Unclear)


def test_both_parts_must_say_yes():
    assert said("ok", html_words="Ok.") == Approve()
    assert said("", html_words="ok") == Approve()
    assert isinstance(said("ok", html_words="ok but shorter"), Unclear)


def test_wishes():
    for words in ("shorter please", "Make it friendlier and mention the invoice.", "say Friday instead", "too long"):
        assert said(words) == Revise(wishes=words)


def test_digest_items():
    cases = {41, 42, 43}
    found = parse_items("41 ok, 42 no too cheap, 43 later 2d", cases, owner(), NOW)
    assert found == (
        (41, Approve()),
        (42, Reject(reason="too cheap")),
        (43, Later(until=datetime(2026, 11, 26, 14, 5, tzinfo=BERLIN))),
    )
    assert parse_items("41 ok\n42: no\n\nThanks\nAda", cases, owner(), NOW) == ((41, Approve()), (42, Reject()))
    assert parse_items("all ok", cases, owner(), NOW) == ((41, Approve()), (42, Approve()), (43, Approve()))
    for words in (
        "41 ok, 42 hm",
        "41 ok, 41 no",
        "ok",
        "44 ok",
        "all ok but 42",
        "41 ok but shorter, 42 ok?",
        "",
        "41",
    ):
        assert parse_items(words, cases, owner(), NOW) is None
    assert parse_item("no, too cheap", owner(), NOW) == Reject(reason="too cheap")
    assert parse_item("edit Thursday works", owner(), NOW) is None


def test_every_word_the_approval_mail_lists_is_understood():
    for language in languages_with("approval"):
        words = list(words_in(language, "approval")["answer"].split('"')[1::2])
        kinds = [type(said(f"{word}\nHello Maria.\nBye" if "!" in word else word, language)) for word in words]
        assert kinds[0] is Approve, language
        assert said(f"{words[1]}\nHello Maria,\nbye", language) == Edit(text="Hello Maria,\nbye\n"), language
        assert said(f"{words[2]}\nHello Maria,\nbye", language) == Edit(text="Hello Maria,\nbye\n", send=True), language
        assert kinds[3:] == [Reject, Mine, Later, Why], language


ASKED = Asked(case=41, version=1, purpose="approval", text="Gist.\n", sent_at=datetime(2026, 11, 24, 13, tzinfo=UTC))


def mail(**fields):
    return Email(identity="i", blob="b", **fields)


@pytest.mark.parametrize(
    "headers",
    [
        (("auto-submitted", "auto-replied"),),
        (("auto-submitted", "Auto-Generated; x=y"),),
        (("x-autoreply", "yes"),),
        (("precedence", "bulk"),),
        (("content-type", "multipart/report; report-type=disposition-notification"),),
    ],
)
def test_programs_answer_nothing(headers):
    assert is_automatic(mail(text="ok", headers=headers))
    assert isinstance(read(mail(text="ok", headers=headers), ASKED, owner(), NOW), Unclear)
    assert read(mail(text="ok", headers=(("auto-submitted", "no"),)), ASKED, owner(), NOW) == Approve()


@pytest.mark.parametrize("subject", ["Automatic reply: x", "Abwesenheitsnotiz: x", "Read: x", "Gelesen: x"])
def test_receipts_and_absence_notes_answer_nothing(subject):
    assert isinstance(read(mail(text="ok", subject=subject), ASKED, owner(), NOW), Unclear)


def test_a_notice_cannot_be_approved():
    notice = Asked(case=41, version=0, purpose="notice", text="Gist.\n", sent_at=ASKED.sent_at)
    assert isinstance(read(mail(text="ok"), notice, owner(), NOW), Unclear)
    assert read(mail(text="mine"), notice, owner(), NOW) == Mine()


def test_a_file_that_would_not_be_sent_is_asked_about():
    file = Attachment(name="offer.pdf", size=9, sha256="0", content_type="application/pdf")
    logo = Attachment(name="logo.png", size=9, sha256="0", content_type="image/png")
    assert read(mail(text="ok", attachments=(file,)), ASKED, owner(), NOW) == Attach(files=(file,))
    assert read(mail(text="ok", attachments=(logo,)), ASKED, owner(), NOW) == Approve()


# ---------------------------------------------------------------- plain words

REFUSALS = {
    "en": ["Rather not", "I'd rather not", "I would rather not.", "Better not", "not this one", "Not this time, thanks",
           "Let's not", "let's skip this one", "Skip it", "skip", "I'll pass", "I don't think so",
           "Please don't send this one.", "don't answer her", "I'd prefer not to", "no need to answer", "forget it",
           "never mind", "leave it", "we won't do this", "Sorry, not this one", "I changed my mind", "not interested",
           "I don't want to send this", "definitely not", "Absolutely not!", "no thanks, not this one"],
    "de": ["Lieber nicht", "doch nicht", "Besser nicht.", "lieber doch nicht", "Diesmal nicht", "Bitte nicht!",
           "dieses Mal nicht", "eher nicht", "den lieber nicht", "Das möchte ich nicht", "ich möchte das nicht senden",
           "nicht antworten", "Auf keinen Fall", "lass es", "Lass das lieber", "vergiss es", "kein Interesse",
           "ach nein", "Danke, nein", "nein, lieber nicht", "so nicht, danke", "gar nicht antworten"],
    "fr": ["Plutôt pas", "pas cette fois", "Je préfère pas", "je préfère ne pas répondre", "surtout pas", "Non merci",
           "finalement non", "laisse tomber", "pas celui-ci", "plutôt non", "ne réponds pas", "pas la peine"],
    "es": ["Mejor no", "prefiero que no", "esta vez no", "mejor no lo envíes", "déjalo", "no quiero responder",
           "ahora que lo pienso, mejor no"][:6],
    "pt": ["Melhor não", "prefiro não", "desta vez não", "deixa estar", "não quero responder", "acho que não"],
    "it": ["Meglio di no", "meglio no", "preferirei di no", "questa volta no", "lascia stare", "non rispondere"],
    "nl": ["Liever niet", "toch niet", "beter niet", "deze niet", "doe maar niet", "laat maar", "geen interesse"],
    "pl": ["Raczej nie", "lepiej nie", "jednak nie", "tym razem nie", "nie odpowiadaj", "nie chcę", "daj spokój"],
}  # fmt: skip
MINES = {
    "en": ["I'll take this", "let me do this one", "I'll handle it", "I'll handle this one myself, thanks",
           "I will write to her myself", "I'd rather answer this myself", "let me answer this one", "leave it to me",
           "I'll deal with it", "I'll take care of this one", "I've got this", "I'm going to reply personally",
           "I'll call him", "Let me handle that", "I'd like to answer this one", "mine, please"],
    "de": ["mache ich selber", "ich mach das", "Das mache ich selbst", "ich antworte ihr selbst", "ich übernehme das",
           "übernehme ich", "ich kümmere mich darum", "Ich schreibe ihm selber", "lass mich das machen",
           "das erledige ich", "darum kümmere ich mich selbst", "antworte ich selber", "ich rufe sie an", "mach ich"],
    "fr": ["je m'en occupe", "je réponds moi-même", "je le fais", "laisse-moi faire", "je gère", "je vais répondre"],
    "es": ["lo hago yo", "yo respondo", "respondo yo mismo", "yo me encargo", "me ocupo yo", "déjamelo a mí"],
    "pt": ["eu respondo", "deixa comigo", "eu trato disso", "eu faço isso", "vou responder eu"],
    "it": ["ci penso io", "rispondo io", "lo faccio io", "me ne occupo io", "lascia fare a me"],
    "nl": ["ik doe het zelf", "ik antwoord zelf", "laat mij maar", "dat doe ik zelf", "ik regel het"],
    "pl": ["sam odpowiem", "zajmę się tym", "ja to zrobię", "sama odpiszę", "zostaw to mnie", "odpowiem sam"],
}  # fmt: skip


@pytest.mark.parametrize(("language", "words"), [(code, words) for code, group in REFUSALS.items() for words in group])
def test_a_refusal_in_plain_words(language, words):
    assert said(words, language) == Reject()
    assert said(f"{words}\n\nAda", language) == Reject()
    if not words.casefold().startswith(("no ", "non ", "nein")):  # "no, too cheap?" is a no with a reason
        assert isinstance(said(f"{words.rstrip('.!')}?", language), Unclear | Revise)


@pytest.mark.parametrize(("language", "words"), [(code, words) for code, group in MINES.items() for words in group])
def test_mine_in_plain_words(language, words):
    assert said(words, language) == Mine()


@pytest.mark.parametrize(
    ("language", "words", "reason"),
    [
        ("en", "Rather not, too expensive.", "too expensive"),
        ("en", "I'd rather not: she never pays\nAda", "she never pays"),
        ("de", "Lieber nicht, die zahlen nie.", "die zahlen nie"),
        ("de", "Lieber nicht.\nDie zahlen nie.", "Die zahlen nie"),
        ("fr", "plutôt pas, trop cher", "trop cher"),
    ],
)
def test_a_refusal_in_plain_words_keeps_the_reason(language, words, reason):
    assert said(words, language) == Reject(reason=reason)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "not ok"),
        ("en", "not so formal please"),
        ("en", "don't mention the price"),
        ("en", "rather not, make it shorter"),
        ("en", "I would not say that"),
        ("en", "answer that I will take it"),
        ("en", "say that I do it myself"),
        ("en", "I got it"),
        ("en", "I do"),
        ("en", "let me think about it"),
        ("en", "do it"),
        ("en", "not sure"),
        ("en", "why not"),
        ("de", "nicht so förmlich"),
        ("de", "mach das"),
        ("de", "mach das selbst"),
        ("de", "schreib mir das noch mal"),
        ("de", "nicht ok"),
        ("de", "lieber Freitag"),
        ("de", "ich weiß nicht"),
        ("fr", "pas ok"),
        ("fr", "pas si formel"),
        ("es", "no menciones el precio"),
        ("nl", "doe het zelf"),
        ("pl", "nie wspominaj o cenie"),
    ],
)
def test_wishes_that_look_like_a_refusal_or_mine(language, words):
    assert isinstance(said(words, language), Revise | Unclear)


def every(words, code):
    return parse(words, owner("en", tuple(LANGUAGES)), NOW), parse(words, owner(code, ("en",)), NOW)


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_refuses_never_becomes_a_yes_with_more_languages(code):
    for words in (*REFUSALS[code], *MINES[code]):
        for found in every(words, code):
            assert isinstance(found, Reject | Mine | Unclear | Never), (words, found)
        for yes in ("ok", "yes", "ja", "oui"):
            for both in (f"{words} {yes}", f"{yes}, {words}", f"{words}\n{yes}", f"{yes}\n{words}"):
                assert not any(isinstance(found, Approve) for found in every(both, code)), both


def test_both_languages_of_a_bilingual_owner_are_read():
    both = ("en", "de")
    assert parse("Nein danke", owner("en", both), NOW) == Reject()
    assert parse("Ja, bitte senden.", owner("en", both), NOW) == Approve()
    assert parse("später Montag", owner("en", both), NOW) == said("later Monday")
    assert parse("ändern\nHallo Maria", owner("en", both), NOW) == Edit(text="Hallo Maria\n")
    assert parse("ok\n\nViele Grüße\nAda", owner("en", both), NOW) == Approve()
    assert parse("nein, zu billig", owner("en", ("de", "xx", "")), NOW) == Reject(reason="zu billig")
    assert isinstance(parse("Nein danke", owner("en"), NOW), Revise | Unclear)
    assert parse("no too cheap", owner("en", ("en", "es")), NOW) == Reject(reason="too cheap")


@pytest.mark.parametrize(
    ("languages", "words"),
    [(("de", "pl"), "ja"), (("es", "fr"), "si"), (("it", "fr"), "sì"), (("pl", "nl"), "ja"), (("pl", "en"), "no")],
)
def test_a_word_that_means_two_things_is_never_a_yes(languages, words):
    for first in languages:
        assert isinstance(parse(words, owner(first, languages), NOW), Unclear | Reject)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(LANGUAGES), max_size=4), st.sampled_from(LANGUAGES), st.data())
def test_more_languages_never_make_a_yes_of_what_another_refuses(languages, language, data):
    words = data.draw(st.sampled_from([*NOT_YES, *REFUSALS[language], *MINES[language]]))
    alone = {type(parse(words, owner(code), NOW)) for code in (*languages, language)}
    if Approve not in alone:
        assert not isinstance(parse(words, owner(language, tuple(languages)), NOW), Approve)


def test_an_owner_who_is_called_as_a_word_of_the_grammar_signs_an_ok():
    for name in ("Will Super", "Gut Feld", "Klar Feld", "Schon Feld"):
        first = name.split()[0]
        for words in (f"ok\n\n{first}", f"ok\n\n{name}", f"ok\nLG {first}"):
            assert parse(words, owner("de", name=name), NOW) == Approve()


# ---------------------------------------------------------------- letters

LETTERS = {
    "en": ("Hi Maria,", "Thursday works for me. Please send me the list before.", "Best,\nAda"),
    "de": ("Hallo Maria,", "Donnerstag passt mir. Schicken Sie mir bitte vorher die Liste.", "Viele Grüße\nAda Winter"),
    "fr": ("Bonjour Maria,", "jeudi me convient.\nMerci de m'envoyer la liste avant.", "Cordialement\nAda"),
    "es": ("Hola, Maria:", "El jueves me va bien.", "Un saludo,\nAda"),
    "pt": ("Olá Maria,", "Quinta-feira serve.", "Cumprimentos\nAda Winter"),
    "it": ("Gentile Maria,", "Giovedì va bene.", "Cordiali saluti\nAda"),
    "nl": ("Beste Maria,", "Donderdag past mij.", "Met vriendelijke groet,\nAda"),
    "pl": ("Dzień dobry Maria,", "Czwartek mi pasuje.", "Pozdrawiam\nAda"),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_is_shown_as_an_edit(language):
    greeting, text, ending = LETTERS[language]
    for letter in (f"{greeting}\n\n{text}\n\n{ending}", f"{greeting}\n{text}\n{ending}"):
        assert said(letter, language, to=frozenset({"maria"})) == Edit(text=f"{letter}\n")
    letter = f"{greeting}\n\n{text}"
    unsigned = owner(language)
    assert isinstance(parse(letter, unsigned, NOW, to=frozenset({"maria"})), Revise | Unclear)
    signing = unsigned.signing(("Ada Winter\nTexte",))
    if language != "es":  # "Hola, Maria:" greets behind a comma
        assert parse(letter, signing, NOW, to=frozenset({"maria"})) == Edit(text=f"{letter}\n")


@pytest.mark.parametrize(
    ("language", "letter"),
    [
        ("en", "Dear Ms Alvarez,\n\nI am happy to confirm Thursday.\n\nKind regards\nAda Winter\n+49 30 1234567"),
        ("en", "Hello Tom and Maria,\n\nThursday works.\n\nAda"),
        ("en", "Hi Maria, Thursday works. Best, Ada"),
        ("en", "Hello all,\n\nThursday works for us.\nI will bring the list.\n\nBest,\nAda"),
        ("de", "Sehr geehrte Frau Dr. Alvarez,\n\nDonnerstag passt.\n\nMit freundlichen Grüßen\nAda Winter"),
        ("de", "Moin Maria!\nDonnerstag passt.\nLG Ada"),
    ],
)
def test_a_letter_to_somebody_whom_nobody_named(language, letter):
    assert said(letter, language) == Edit(text=f"{letter}\n")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Hi, please make it shorter. Ada"),
        ("en", "Hi,\nplease make it shorter.\nAda"),
        ("en", "Hello,\n\nmake it shorter and mention the invoice.\n\nBest,\nAda"),
        ("en", "Hi Deskhand,\n\nthe price is wrong.\n\nAda"),
        ("en", "Hi there, shorter please. Thanks, Ada"),
        ("en", "Hi Maria instead of Dear Maria, please. Ada"),
        ("de", "Hallo, bitte kürzer. Ada"),
        ("de", "Hallo Deskhand,\nbitte kürzer.\nGruß Ada"),
        ("de", "Lieber Freitag als Donnerstag. Ada"),
        ("fr", "Bonjour, plus court svp. Ada"),
    ],
)
def test_a_wish_with_a_greeting_stays_a_wish(language, words):
    assert isinstance(said(words, language, to=frozenset({"maria", "alvarez"})), Revise | Unclear)


def test_a_letter_waits_for_a_yes_where_an_edit_sends():
    found = said("Hi Maria,\n\nThursday works.\n\nAda")
    assert isinstance(found, Edit)
    assert found.letter
    assert not found.send


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)
SOME_WORDS = [
    "ok",
    "no",
    "edit",
    "edit!",
    "later",
    "mine",
    "never",
    "why",
    "but",
    "not",
    "thanks",
    "2d",
    "Monday",
    "\n",
]
WORDY = st.lists(st.sampled_from([*SOME_WORDS, "?", "!", ".", ",", "41", "all", "\U0001f44d"])).map(" ".join)


@settings(max_examples=500, deadline=None)
@given(
    ANY_TEXT | WORDY, ANY_TEXT | WORDY | st.just(""), st.none() | ANY_TEXT, st.booleans(), st.sampled_from(LANGUAGES)
)
def test_total(words, html, block, altered, language):
    found = parse(words, owner(language), NOW, html_words=html, block=block, altered=altered)
    assert found is not None
    if isinstance(found, Approve):
        assert block is None
        assert not altered
    parse_items(words, {41, 42}, owner(language), NOW)


@settings(max_examples=300, deadline=None)
@given(WORDY)
def test_a_yes_is_made_of_approving_words_alone(words):
    if said(words) == Approve():
        tokens = set(words.replace("\U0001f44d", "").replace("!", "").split()) - {".", ","}
        assert tokens <= {"ok", "thanks"}
