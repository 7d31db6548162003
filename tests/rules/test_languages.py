"""A language is one file in workflows/words: each is complete, none raises, a new one is read and written at once."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agents.checks import language_name
from agents.letters import gist_of
from agents.templates import TemplateReply
from workers.voice import answer_texts
from workflows.models.desk import TimeAnswer, Times
from workflows.models.drafts import Brief, Draft, Outgoing
from workflows.models.mail import Address
from workflows.models.money import Money
from workflows.models.orders import StopAll
from workflows.models.people import Owner
from workflows.rules.answers import answer_words, decisions
from workflows.rules.answers.orders import parse_order
from workflows.rules.asking import acknowledgement, approval, digest
from workflows.rules.debts import notices, promises
from workflows.rules.desk import questions as asking
from workflows.rules.desk import slots, times
from workflows.rules.desk.asked_times import asked_times
from workflows.rules.desk.invitations import Invitation, facts_line
from workflows.rules.files.asked_files import asked_files, meant_by
from workflows.rules.leads import rates
from workflows.rules.mail import urgency
from workflows.rules.orders import lists as order_lists
from workflows.rules.orders import rows as order_rows
from workflows.rules.orders import words as order_words
from workflows.rules.orders.rows import ROWS
from workflows.rules.text import calendar, languages, money, speech, whens, words
from workflows.rules.work import rhythm

ROOT = Path(__file__).parents[2]
CLIENTS = {"acknowledgements", "bid", "promises", "claims", "questions", "desk"}
"""Sections that only letters to clients and their mails need: a client whose language lacks one is written to in
English, as the approval mail says, and their mails are read with the words of all languages."""
OWN_KEYS = {"chase.upcoming.line"}
"""What one language needs and English does not."""
SHARED_SMALL_WORDS = 0.5  # of a language's small words, at most, may be English ones
NOW = datetime(2026, 11, 24, 14, 5, tzinfo=UTC)
SLOT = slots.Slot(start=NOW, end=NOW + timedelta(minutes=30))
UNKNOWN = ["sv", "xx", "", "sv-SE", "Svenska", "en-GB", "\n", "../de"]


# ---------------------------------------------------------------- each file is complete


def gaps(folder: Path) -> Iterator[str]:
    """What the languages' files lack, have too much, or have wrong: the file, the section and the key."""
    files = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.toml"))}
    english = files["en"]
    small = set(english["small_words"]["words"].split())
    for code, file in files.items():
        yield from (f"{code}.toml lacks [{use}]" for use in english if use not in {*file, *CLIENTS, "also"})
        for use, section in file.items():
            if use == "also":
                yield from (f"{code}.toml: {fault}" for fault in additions(section))
            elif use not in english:
                yield f"{code}.toml: nobody reads [{use}]"
            else:
                own = {"orders": told_of_orders()} if "orders" in section and use == "voice" else {}
                yield from (f"{code}.toml: [{use}] {fault}" for fault in compared(section, english[use] | own, use))
        own = set(file.get("small_words", {}).get("words", "").split())
        if code != "en" and len(own & small) > SHARED_SMALL_WORDS * len(own):
            yield f"{code}.toml: [small_words] are the English ones: no mail would be told to be in this language"


def compared(section: dict[str, Any], english: dict[str, Any], path: str) -> Iterator[str]:
    """A section beside the English one: the same keys, the same kinds of values, no place that is not filled."""
    is_of_numbers = any(isinstance(value, int) and not isinstance(value, bool) for value in english.values())
    if is_of_numbers:  # "zwei" is 2: each language has words of its own
        yield from (f"{path}: {key} is no number" for key, value in section.items() if not isinstance(value, int))
        return
    for key, value in english.items():
        if key not in section:
            yield f"lacks {key}"
        elif type(section[key]) is not type(value):
            yield f"{key} is no {type(value).__name__}"
        elif isinstance(value, dict):
            yield from compared(section[key], value, f"{path}.{key}")
        elif isinstance(value, str) and (places := placed(section[key]) - placed(value)):
            yield f"{key} has a place that nothing fills: {', '.join(sorted(places))}"
        elif key in {"weekdays", "months"} and len(value) != len(list(filter(None, section[key]))):
            yield f"{key} has {len(section[key])} entries instead of {len(value)}"
    own = OWN_KEYS | {f"{path}.{key.removesuffix('_many')}_few" for key in english if key.endswith("_many")}
    yield from (f"{key} is read by nobody" for key in section if key not in english and f"{path}.{key}" not in own)


def told_of_orders() -> dict[str, str]:
    """What each language's file says of the orders, in the English of their rows."""
    told = {f"{row.key}_does_{number}": line.does for row in ROWS for number, line in enumerate(row.help, 1)}
    for row in ROWS:
        told |= {f"{row.key}_{end}": text for end, text in zip(("done", "not"), row.subject, strict=True) if text}
    return told


def placed(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def additions(tables: dict[str, Any]) -> Iterator[str]:
    """What a file adds to lists that mix languages: each list must be there."""
    for name, added in tables.items():
        paths = [path for room in ("workflows/rules", "agents") for path in (ROOT / room).rglob(f"{name}.toml")]
        if len(paths) != 1:
            yield f"[also.{name}]: there is no such table"
        else:
            yield from lost(added, tomllib.loads(paths[0].read_text(encoding="utf-8")), f"also.{name}")


def lost(added: Any, table: Any, path: str) -> Iterator[str]:
    if isinstance(added, dict) and isinstance(table, dict):
        for key, value in added.items():
            if key in table:
                yield from lost(value, table[key], f"{path}.{key}")
            else:
                yield f"[{path}] {key}: there is no such list"
    elif type(added) is not type(table) or not isinstance(table, list):
        yield f"[{path}] adds to no list"


def test_every_language_is_complete() -> None:
    assert list(gaps(languages.FOLDER)) == []


def copied(folder: Path, text: str) -> list[str]:
    shutil.copytree(languages.FOLDER, folder)
    (folder / "sv.toml").write_text(text, encoding="utf-8")
    return [fault for fault in gaps(folder) if fault.startswith("sv.toml")]


ENGLISH = (languages.FOLDER / "en.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "fault"),  # the fault as it is named after "sv.toml"
    [
        ("[calendar]", "[kalender]", " lacks [calendar]"),
        ("[calendar]", "[kalender]", ": nobody reads [kalender]"),
        ('today = ["today"]\n', "", ": [calendar] lacks today"),
        ('today = ["today"]\n', 'today = "idag"\n', ": [calendar] today is no list"),
        ('today = ["today"]\n', 'todya = ["idag"]\ntoday = ["idag"]\n', ": [calendar] todya is read by nobody"),
        ('"{weekday} {day}', '"{veckodag} {day}', ": [calendar] deadline has a place that nothing fills: veckodag"),
        ('[["Mon", "Monday"], ', "[", ": [calendar] weekdays has 6 entries instead of 7"),
        ("one = 1", 'en = "ett"', ": [promises] promises.count: en is no number"),
        ("[also.orders.common]", "[also.ordres.common]", ": [also.ordres]: there is no such table"),
        ('\ngreetings = ["please', '\ngretings = ["please', ": [also.orders.common] gretings: there is no such list"),
        ("", "", ": [small_words] are the English ones: no mail would be told to be in this language"),
    ],
)  # fmt: skip
def test_what_a_file_lacks_is_named_with_its_section(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in ENGLISH
    assert f"sv.toml{fault}" in copied(tmp_path / "words", ENGLISH.replace(old, new, 1))


# ---------------------------------------------------------------- no language raises

MARIA = Address(email="maria@studio.example", name="Maria Alvarez")
LATE = "Could you send the brief by tomorrow 12:00? We pay the invoice on Friday."


def owner(language: str) -> Owner:
    return Owner(name="Ada Winter", address="ada@winter.example", timezone="Europe/Berlin", language=language)


def question(language: str) -> approval.Question:
    outgoing = Outgoing(case=41, version=2, to=(MARIA,), subject="Re: Kick-off", body="Hi Maria,\n\nyes.\n\nAda\n")
    brief = Brief(case=41, sender=MARIA, subject="Kick-off", message=LATE, language=language, received_at=NOW)
    return approval.Question(
        outgoing=outgoing, draft=Draft(body=outgoing.body, gist="Says yes"), brief=brief, owner=owner(language),
        nonce="00112233445566778899aabbccddeeff", expires_at=datetime(2026, 11, 27, 17, tzinfo=UTC),
    )  # fmt: skip


def item(language: str, *, hold: str = "") -> digest.DigestRow:
    asked = question(language)
    return digest.DigestRow(
        case=41, version=2, hash="", brief=asked.brief, question=None if hold else asked, hold=hold
    )  # fmt: skip


SPOKEN: dict[str, Callable[[str], object]] = {
    "workflows/rules/asking/acknowledgement.py:phrases": acknowledgement.phrases,
    "workflows/rules/asking/acknowledgement.py:attached": lambda code: acknowledgement.attached(code, ["brief.pdf"]),
    "workflows/rules/asking/acknowledgement.py:compose": lambda code: acknowledgement.compose(code, "Maria", "", "Ada"),
    "workflows/rules/asking/acknowledgement.py:letter": lambda code: acknowledgement.letter(code, "", "", ["x"], "Ada"),
    "workflows/rules/desk/times.py:times_of": lambda code: times.times_of(
        LATE, code, times.diary_at(NOW, owner("en"), slots.Offering(), ()), lambda first, last: slots.CalendarView()
    ),
    "workflows/rules/desk/times.py:told_time": lambda code: times.told_time(
        TimeAnswer(id="calendar:1", start=NOW, end=NOW, kind="free"), Times(), code
    ),
    "workflows/rules/desk/questions.py:questions": lambda code: [
        asked.topic for asked in asking.questions(LATE, code, "Kick-off")
    ],
    "workflows/rules/desk/questions.py:subjects_of": lambda code: asking.subjects_of("price list", code),
    "workflows/rules/desk/questions.py:asks_for_rate": lambda code: asking.asks_for_rate("your hourly rate", code),
    "workflows/rules/desk/questions.py:comes_back": lambda code: asking.comes_back(LATE, code),
    "workflows/rules/desk/questions.py:asks_for_document": lambda code: asking.asks_for_document(LATE, code),
    "workflows/rules/files/asked_files.py:asked_files": lambda code: asked_files("Your price list?", ["p.pdf"], code),
    "workflows/rules/files/asked_files.py:meant_by": lambda code: meant_by("the price list", ["p.pdf"], code),
    "workflows/rules/debts/notices.py:format_day": lambda code: notices.format_day(date(2026, 11, 1), code),
    "workflows/rules/debts/notices.py:subject": lambda code: notices.subject("firm", ("2026-014",), code),
    "workflows/rules/debts/notices.py:sums": lambda code: notices.sums([Money(currency="EUR", minor=125_000)], code),
    "workflows/rules/leads/rates.py:written": lambda code: rates.written(Money(currency="EUR", minor=125_000), code),
    "workflows/rules/mail/urgency.py:urgent": lambda code: urgency.urgent("Kick-off", LATE, code, NOW, owner(code)),
    "workflows/rules/mail/urgency.py:deadline": lambda code: urgency.deadline(LATE, code, NOW, owner(code)),
    "workflows/rules/text/money.py:format_money": lambda code: money.format_money(Money(currency="EUR", minor=1), code),
    "workflows/rules/work/rhythm.py:subject": lambda code: rhythm.subject(
        "Shop", date(2026, 11, 2), date(2026, 11, 8), code
    ),
    "workflows/rules/work/rhythm.py:period": lambda code: rhythm.period(date(2026, 11, 2), date(2026, 11, 18), code),
    "workflows/rules/work/rhythm.py:day": lambda code: rhythm.day(date(2026, 11, 2), code),
    "workflows/rules/debts/promises.py:days_named": lambda code: promises.days_named("on friday", code, NOW, "UTC"),
    "workflows/rules/debts/promises.py:money_words": lambda code: promises.money_words(LATE, code, NOW, "UTC"),
    "workflows/rules/desk/asked_times.py:asked_times": lambda code: asked_times(
        "Does Thursday 10:00 work for a call?", code, NOW, owner(code)
    ),
    "workflows/rules/desk/slots.py:told": lambda code: slots.told(SLOT, code, "UTC"),
    "workflows/rules/desk/slots.py:told_day": lambda code: slots.told_day(NOW, code, "UTC"),
    "workflows/rules/desk/slots.py:told_to_both": lambda code: slots.told_to_both(SLOT, code, "UTC", "Asia/Tokyo"),
    "workflows/rules/text/whens.py:named_time": lambda code: whens.named_time("tomorrow 9:00", NOW, owner(code), code),
    "workflows/rules/text/whens.py:time_words": whens.time_words,
    "workflows/rules/orders/words.py:words_of": order_words.words_of,
    "workflows/rules/orders/lists.py:name_of": lambda code: order_lists.name_of(ROWS[0], code),
    "workflows/rules/orders/lists.py:help_list": order_lists.help_list,
    "workflows/rules/orders/lists.py:help_lines": order_lists.help_lines,
    "workflows/rules/orders/lists.py:example_in": lambda code: order_lists.example_in(ROWS[0], ROWS[0].help[0], code),
    "workflows/rules/orders/lists.py:done_at_once": order_lists.done_at_once,
    "workflows/rules/orders/rows.py:subject_of": lambda code: order_rows.subject_of(StopAll(), code, done=True),
    "workflows/rules/orders/rows.py:in_language": lambda code: order_rows.in_language("stop", "done", code, "Stopped"),
    "workflows/rules/answers/answer_words.py:unclear": lambda code: answer_words.unclear(code, "empty"),
    "workflows/rules/text/speech.py:say": lambda code: speech.say(code, "status.nothing"),
    "workflows/rules/text/speech.py:say_count": lambda code: speech.say_count(code, "lists.more", 22),
    "workflows/rules/text/speech.py:named": lambda code: speech.named(code, "stages", "sent"),
    "workflows/rules/text/speech.py:listed": lambda code: speech.listed(code, ["a", "b"]),
    "workflows/rules/text/speech.py:weekday": lambda code: speech.weekday(date(2026, 11, 27), code),
    "workflows/rules/text/speech.py:figure": lambda code: speech.figure(1_250, code),
    "workflows/rules/text/languages.py:known_language": lambda code: languages.known_language(code, "orders"),
    "workflows/rules/text/languages.py:words_in": lambda code: languages.words_in(code, "orders"),
}  # fmt: skip
"""Every public function of a rule that takes a language, called in one."""
OF_OWNER: dict[str, Callable[[str], object]] = {
    "approval mail": lambda code: approval.render(question(code)),
    "mail to read yourself": lambda code: approval.render_hold(41, "a complaint", question(code).brief, owner(code)),
    "digest": lambda code: digest.render("digest", 7, "ab" * 16, [item(code), item(code, hold="x")], owner(code)),
    "reminder": lambda code: digest.render("nudge", 7, "ab" * 16, [item(code)], owner(code)),
    "yes": lambda code: decisions.parse("ok", owner(code), NOW),
    "later": lambda code: decisions.parse("later tomorrow", owner(code), NOW),
    "wish": lambda code: decisions.parse("Please make it shorter", owner(code), NOW),
    "yes in another of the owner's languages": lambda code: decisions.parse(
        "ok", replace(owner("en"), languages=(code,)), NOW
    ),
    "order": lambda code: parse_order("status", owner(code), NOW),
    "order with a time": lambda code: parse_order("away until tomorrow", owner(code), NOW),
    "deadline": lambda code: calendar.format_deadline(NOW, owner(code)),
    "moment": lambda code: calendar.format_moment(NOW, owner(code)),
    "date": lambda code: calendar.format_date(NOW, owner(code)),
    "invitation": lambda code: facts_line(Invitation(method="request", uid="1", start=NOW), owner(code)),
    "day named": lambda code: whens.parse_when("tomorrow 9:00", NOW, owner(code)),
}


def taking_a_language() -> set[str]:
    """The public functions of the rules that have a parameter for a language."""
    return {
        f"{path.relative_to(ROOT).as_posix()}:{node.name}"
        for path in (ROOT / "workflows" / "rules").rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        if argument.arg == "language" or (argument.arg == "code" and path.stem == "languages")
    } - {"workflows/rules/text/languages.py:speaks"}


def test_every_function_that_takes_a_language_is_tried() -> None:
    assert taking_a_language() == set(SPOKEN)


@pytest.mark.parametrize("code", UNKNOWN)
@pytest.mark.parametrize("name", [*SPOKEN, *OF_OWNER])
def test_a_language_without_a_file_is_english(name: str, code: str) -> None:
    speak = (SPOKEN | OF_OWNER)[name]
    assert without_code(speak(code)) == without_code(speak("en"))


def without_code(said: object) -> object:
    """What was said, without the code of the language that some values carry."""
    return replace(said, brief=None) if isinstance(said, digest.DigestRow) else said


@pytest.mark.parametrize("code", ["de", "de-AT", "de_CH", "DE", " de "])
def test_a_countrys_variant_is_the_language(code: str) -> None:
    assert calendar.format_deadline(NOW, owner(code)) == calendar.format_deadline(NOW, owner("de"))
    assert languages.known_language(code, "orders") == "de"
    assert language_name(code) == "German"


def test_a_language_that_lacks_a_section_is_english_there() -> None:
    assert not languages.speaks("it", "bid")
    assert languages.words_in("it", "bid") == languages.words_in("en", "bid")
    assert language_name("sv") == "sv"


# ---------------------------------------------------------------- a new language is one file

SWEDISH = {
    'called = "English"': 'called = "Swedish"',
    'profile = "English (Englisch)"': 'profile = "Swedish (svenska)"',
    'countries = ["AU", "GB", "IE", "NZ", "US"]': 'countries = ["SE"]',
    '["Fri", "Friday"]': '["fre", "fredag"]',
    '["Nov", "November"]': '["nov", "november"]',
    'answer_by = "Answer by {when}."': 'answer_by = "Svara senast {when}."',
    'tomorrow = ["tomorrow", ': 'tomorrow = ["imorgon", ',
    "[decisions]\napprove = [": '[decisions]\napprove = ["ja tack", ',
    "no = [": 'no = ["nej", ',
    "later = [": 'later = ["senare", ',
    "\nstatus = [": '\nstatus = ["läget", ',
    'answer = \'\'\'Answer: "ok" sends it.': 'answer = \'\'\'Svar: "ja tack" skickar det.',
    "items = '''Answer each by its number": "items = '''Svara på varje nummer",
    'new_many = "{count} drafts wait for your answer"': 'new_many = "{count} utkast väntar på svar"',
    'they_wrote = "They wrote"': 'they_wrote = "De skrev"',
    'week = "week {last}"': 'week = "vecka {last}"',
    'day = "{day} {month} {year}"': 'day = "den {day} {month} {year}"',
    'coming = "I will': 'coming = "Tack! I will',
    'invoice = ["invoice", ': 'invoice = ["faktura", ',
}  # fmt: skip
SMALL = """och att det som en på är av för med till den har inte om ett men jag hade de när du nu vi kan ska här också
vara mig hej tack vänliga hälsningar bästa gärna era oss ni mitt vår"""
SCRIPT = """
import json, sys
from datetime import UTC, date, datetime, timedelta
from tests_of_words import asked
from workflows.models.people import Owner
from workflows.rules.answers import decisions
from workflows.rules.answers.orders import parse_order
from workflows.rules.asking import acknowledgement, approval, digest
from workflows.rules.debts import notices
from workflows.rules.text import calendar, languages
from workflows.rules.text.language import language_of
from workflows.rules.work import rhythm

owner = Owner(name="Ada Winter", address="ada@winter.example", timezone="Europe/Stockholm", language="sv")
now, friday = datetime(2026, 11, 24, 14, tzinfo=UTC), datetime(2026, 11, 27, 17, tzinfo=UTC)
question = asked(owner, friday)
item = digest.DigestRow(case=41, version=1, hash="", brief=question.brief, question=question)
print(json.dumps({
    "mail": approval.render(question).text,
    "digest": digest.render("digest", 7, "ab" * 16, [item, item], owner).text,
    "subject": digest.render("digest", 7, "ab" * 16, [item, item], owner).subject,
    "answers": [repr(decisions.parse(words, owner, now)) for words in ("Ja tack!", "Nej", "senare imorgon", "ok")],
    "orders": [repr(parse_order(words, owner, now)) for words in ("läget", "Läget?", "status")],
    "paid": repr(parse_order("paid faktura 2026-014", owner, now)),
    "day": notices.format_day(date(2026, 11, 27), "sv"),
    "week": rhythm.period(date(2026, 11, 23), date(2026, 11, 29), "sv"),
    "holding": acknowledgement.compose("sv", "", "", "Ada"),
    "detected": [language_of(text) for text in (
        "Hej Ada, kan du och din kollega komma till oss på fredag? Det är inte bråttom. Tack och hej",
        "Hello Ada, could you and your colleague come to us on Friday? It is not urgent. Thanks",
    )],
    "country": languages.language_of_country("SE"),
}))
"""
ASKED = """
from workflows.models.drafts import Brief, Draft, Outgoing
from workflows.models.mail import Address
from workflows.rules.asking.approval import Question

def asked(owner, until):
    maria = Address(email="maria@studio.example", name="Maria")
    outgoing = Outgoing(case=41, version=1, to=(maria,), subject="Re: Hej", body="Hej!\\n")
    brief = Brief(case=41, sender=maria, subject="Hej", message="Hej Ada", language="sv")
    draft = Draft(body="Hej!\\n", gist="Hej")
    return Question(outgoing=outgoing, draft=draft, brief=brief, owner=owner, nonce="ab" * 16, expires_at=until)
"""


def swedish() -> str:
    text = ENGLISH
    for old, new in SWEDISH.items():
        assert old in text, old
        text = text.replace(old, new, 1)
    return re.sub(r'(?<=\[small_words\]\nwords = """\n)[^"]*(?=""")', f"{SMALL}\n", text)


def spoken(folder: Path, text: str) -> dict[str, Any]:
    """What a copy of the house says that differs in one file: a new workflows/words/sv.toml."""
    shutil.copytree(ROOT / "workflows", folder / "workflows", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "workflows" / "words" / "sv.toml").write_text(text, encoding="utf-8")
    (folder / "tests_of_words.py").write_text(ASKED, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_a_new_file_is_a_new_language(tmp_path: Path) -> None:
    said = spoken(tmp_path, swedish())
    assert "Svara senast fre 27 nov 18:00." in said["mail"].splitlines()[0]
    assert 'Svar: "ja tack" skickar det.' in said["mail"]
    assert "Svara senast fre 27 nov 18:00." in said["digest"].splitlines()[0]
    assert "Svara på varje nummer" in said["digest"]
    assert said["subject"] == "2 utkast väntar på svar: Maria [Deskhand digest 7]"
    assert "De skrev:" in said["mail"]
    assert [words.partition("(")[0] for words in said["answers"]] == ["Approve", "Reject", "Later", "Approve"]
    assert [words.partition("(")[0] for words in said["orders"]] == ["ShowStatus", "ShowStatus", "ShowStatus"]
    assert "what='2026-014'" in said["paid"]
    assert said["day"] == "den 27 November 2026"
    assert said["week"] == "vecka 48"
    assert "Tack! " in said["holding"]
    assert said["detected"] == ["sv", "en"]
    assert said["country"] == "sv"
    assert list(gaps(tmp_path / "workflows" / "words")) == []


def test_a_file_with_one_section_alone_raises_nowhere(tmp_path: Path) -> None:
    text = '[calendar]\nanswer_by = "Svara senast {when}."\n'
    said = spoken(tmp_path, text)
    assert "Svara senast Fri 27 Nov 18:00." in said["mail"].splitlines()[0]
    assert [words.partition("(")[0] for words in said["answers"]][3] == "Approve"
    assert said["orders"][2].startswith("ShowStatus")
    assert said["detected"][1] == "en"


def test_a_copy_of_the_english_file_hides_no_english(tmp_path: Path) -> None:
    assert spoken(tmp_path, ENGLISH)["detected"][1] == "en"


# ---------------------------------------------------------------- the owner's mails speak the owner's language

OURS = [
    "They wrote", "A draft is ready", "a new draft", "Answer by", "Read this yourself",
    "Nothing is drafted", "wait for your answer", "waits for your answer", "Your answer could not", "Nothing was sent.",
]  # fmt: skip
"""English sentences that stand in an English owner's mails and in no other's."""


def mails(code: str) -> str:
    """Every kind of mail that asks this owner, and the notice that an answer was not used, one below the other."""
    asked = question(code)
    asked = replace(asked, brief=replace(asked.brief, hints=("?",)), draft=Draft(body="Hi\n", gist=""))
    many = [item(code), item(code, hold="?")]
    ours = [
        approval.render(asked),
        approval.render_hold(41, "?", asked.brief, owner(code), again="?"),
        *(
            digest.render(kind, 7, "ab" * 16, many[:count], owner(code))
            for kind in ("digest", "nudge")
            for count in (1, 2)
        ),
    ]
    notices_to_owner = [*answer_texts.not_used(41, "?", answer_texts.held_words((1, 2), owner(code)), owner(code))]
    notices_to_owner += [*answer_texts.not_used(0, "?", answer_texts.held_words((1,), owner(code)), owner(code))]
    return "\n".join([*(f"{mail.subject}\n{mail.text}" for mail in ours), *notices_to_owner])


@pytest.mark.parametrize("code", languages.languages("approval"))
def test_mails_to_the_owner_speak_the_owners_language(code: str) -> None:
    text = mails(code)
    assert not re.search(r"\{\w+\}", text)
    assert [sentence for sentence in OURS if sentence in text] == (OURS if code == "en" else [])


GISTS: dict[str, dict[str, object]] = {
    "reply": {}, "wishes": {}, "bid_without": {}, "update": {"period": "week 47"}, "bid": {"price": "95 EUR/hour"},
    "answers": {"bid": "A bid at 95 EUR/hour", "count": 2, "all": 3},
    "desk": {"count": 2, "all": 3},
    "followup": {"question": "Which offer?"},
    **{tone: {"total": "1,250.00 EUR"} for tone in ("upcoming", "friendly", "plain", "firm", "final", "thanks")},
}  # fmt: skip


@pytest.mark.parametrize("code", languages.languages("gist"))
def test_a_gist_fits_the_first_line_in_every_language(code: str) -> None:
    assert set(languages.words_in(code, "gist")) == set(GISTS)
    brief = Brief(case=41, language="xx", owner_language=code)
    gists = {kind: gist_of(brief, kind, **values) for kind, values in GISTS.items()}
    assert [gist for gist in gists.values() if "..." in gist or "{" in gist] == []
    assert code == "en" or not set(gists.values()) & {
        gist_of(replace(brief, owner_language="en"), kind, **values) for kind, values in GISTS.items()
    }


def test_a_gist_is_the_owners_and_the_letter_the_clients() -> None:
    brief = Brief(case=41, sender=MARIA, subject="Kick-off", message=LATE, language="fr", owner_language="de")
    draft = TemplateReply().holding(brief)
    assert draft.gist == "Dankt und kündigt eine baldige Antwort an."
    assert draft.body.startswith("Bonjour")
    assert TemplateReply().holding(replace(brief, owner_language="")).gist.startswith("Thanks")  # of an old run


# ---------------------------------------------------------------- lists that mix languages


@pytest.mark.parametrize(
    ("table", "added", "joined"),
    [
        ({"a": {"words": ["x", "y"]}}, {"a": {"words": ["y", "z"]}}, {"a": {"words": ["x", "y", "z"]}}),
        ({"rows": [["x"], ["y"]]}, {"rows": [["a"]]}, {"rows": [["x", "a"], ["y"]]}),
        (
            {"kind": [{"name": "b", "says": ["x"]}, {"name": "c", "says": ["y"]}]},
            {"kind": [{"name": "c", "says": ["z"]}]},
            {"kind": [{"name": "b", "says": ["x"]}, {"name": "c", "says": ["y", "z"]}]},
        ),
        ({"amount": "a"}, {"amount": "b", "more": ["c"]}, {"amount": "a"}),
    ],
)
def test_a_file_adds_its_words_to_lists_that_mix_languages(
    table: dict[str, Any], added: dict[str, Any], joined: dict[str, Any]
) -> None:
    assert languages._joined(table, added) == joined


def test_the_words_of_every_language_are_in_a_mixed_list() -> None:
    assert {"and", "und", "et", "y", "e", "en", "i", "oraz", "plus"} <= set(
        words.table("plain_answers")["common"]["and"]
    )


def test_the_page_tells_every_section_and_every_list_that_mixes_languages() -> None:
    page = (ROOT / "docs" / "development.md").read_text(encoding="utf-8").partition("## Adding a language")[2]
    rows, _, rest = page.partition("\n## ")[0].partition("What a file lacks")
    table = [row for row in rows.split("\n") if row.startswith("| `")]
    assert set(named(table)) == set(tomllib.loads(ENGLISH))
    assert set(named(row for row in table if "the test fails" not in row)) == {*CLIENTS, "also"}
    for name in re.findall(r"`(\w+\.toml)`", rest):
        assert len(list((ROOT / "workflows" / "rules").rglob(name))) == 1, name


def named(rows: Iterable[str]) -> Iterator[str]:
    """The sections in the first column of a table."""
    return (name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1]))
