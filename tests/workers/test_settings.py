"""The settings: every documented key, every fault in one plain sentence."""

import re
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tools.mail.account import Account
from workers.clock import SystemClock
from workers.settings import environ
from workers.settings import schema as settings
from workers.settings.loading import load
from workers.settings.schema import Settings
from workers.settings.values import Amount
from workers.sources.calendars import calendars_of
from workflows.errors import NeedsOwner
from workflows.models.money import Money

DOCS = Path(__file__).resolve().parents[2] / "docs" / "settings.md"

SMALL = """
[owner]
name = "Ada Winter"
address = "ada@winter.example"
[imap]
host = "imap.winter.example"
password_file = "keys/imap"
[smtp]
host = "smtp.winter.example"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir()
    secret = tmp_path / "keys" / "imap"
    secret.write_text("gehe im\n")
    secret.chmod(0o600)
    write(tmp_path, SMALL)
    return tmp_path


def write(home: Path, text: str) -> None:
    path = home / "deskhand.toml"
    path.write_text(text, "utf-8")
    path.chmod(0o600)


def documented_sample() -> str:
    found = re.search(r"```toml\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert found
    return found.group(1)


def fault(home: Path) -> NeedsOwner:
    with pytest.raises(NeedsOwner) as caught:
        load(home)
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.mend
    return caught.value


# ---------------------------------------------------------------- reading


def test_every_key_is_documented_and_every_documented_key_exists():
    documented = set(re.findall(r"^\| `(\w+\.\w+)` \|", DOCS.read_text("utf-8"), re.MULTILINE))
    existing = {f"{section}.{key}" for section, names in settings.keys().items() for key in names}
    assert documented == existing


def test_the_documented_sample_is_read_with_the_right_types(home: Path):
    write(home, documented_sample())
    loaded = load(home)
    assert loaded.owner.timezone == "Europe/Berlin"
    assert loaded.approval.grace == timedelta(seconds=60)
    assert loaded.approval.digest_at == (time(8), time(16))
    assert loaded.approval.expire_after == timedelta(days=7)
    assert loaded.model is not None
    assert loaded.model.daily_cost == Amount(Decimal("2.00"), "USD")
    assert loaded.profile.skills == ("python", "postgres")
    assert loaded.embeddings is None


def test_the_documented_defaults_are_the_real_ones(home: Path):
    write(home, SMALL + '[model]\nbase_url = "http://127.0.0.1:1/v1"\nname = "m"\n')
    small = load(home).model_dump()
    write(home, documented_sample())
    sample = load(home).model_dump()
    for section in ("intake", "temporal", "approval", "limits"):
        assert small[section] == sample[section]
    for key in ("structured", "daily_cost", "daily_calls", "daily_tokens"):
        assert small["model"][key] == sample["model"][key]


def test_small_settings_give_whole_accounts(home: Path):
    loaded = load(home)
    assert loaded.imap_account(home) == Account(
        host="imap.winter.example", port=993, tls="implicit", user="ada@winter.example", password="gehe im"
    )
    assert loaded.smtp_account(home) == Account(
        host="smtp.winter.example", port=465, tls="implicit", user="ada@winter.example", password="gehe im"
    )
    assert loaded.owner_facts().addresses == frozenset({"ada@winter.example"})
    assert loaded.profile_sources() == ()


def test_port_follows_tls_and_tls_follows_port(home: Path):
    write(home, SMALL.replace("[smtp]", "port = 143\n[smtp]") + 'tls = "starttls"\n')
    loaded = load(home)
    assert (loaded.imap.port, loaded.imap.tls) == (143, "starttls")
    assert (loaded.smtp.port, loaded.smtp.tls) == (587, "starttls")


def test_profile_facts_are_sources(home: Path):
    write(home, SMALL + '[profile]\nrate = "95 EUR/hour"\nskills = ["python", "postgres"]\n')
    assert [(one.id, one.quote) for one in load(home).profile_sources()] == [
        ("profile:rate", "95 EUR/hour"),
        ("profile:skills", "python, postgres"),
    ]


def test_the_documented_profile_is_what_the_rules_about_bids_get(home: Path):
    write(home, documented_sample())
    loaded = load(home)
    profile = loaded.profile_facts()
    assert profile.rate is not None
    assert profile.rate.least == Money(minor=9500, currency="EUR")
    assert profile.minimum is not None
    assert profile.minimum.per == "hour"
    assert (profile.languages, profile.hours_per_week, profile.country) == (("en", "de"), 20, "DE")
    assert [(work.id, work.skills) for work in profile.work] == [("museum-shop", ("django", "postgres"))]
    said = {source.id: source.quote for source in loaded.profile_sources()}
    assert said["profile:languages"] == "English (Englisch), German (Deutsch)"
    assert said["profile:hours"] == "20 hours a week are free"
    assert said["profile:fact2"] == "certified in accessibility (IAAP)"


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('rate = "95"', 'profile.rate must be an amount with its currency and unit such as "95 EUR/hour"'),
        ('engagements = ["gig"]', "profile.engagements must be one of"),
        ('languages = ["english"]', "profile.languages must be two small letters each"),
        ('[[profile.work]]\nid = "a b"\ntitle = "x"', "profile.work.id must be a short name"),
        ('[[profile.work]]\nid = "a"\ntitle = "x"\nskils = ["y"]', "profile.work.skils is not a setting"),
        ('[[profile.work]]\nid = "a"', "profile.work.title is missing"),
        (2 * '[[profile.work]]\nid = "a"\ntitle = "x"\n', '"a" stands there twice'),
    ],
)
def test_a_wrong_profile_is_refused_in_plain_words(home: Path, lines: str, says: str):
    write(home, f"{SMALL}[profile]\n{lines}\n")
    assert says in str(fault(home))


def test_the_profiles_past_work_may_come_from_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DESKHAND_PROFILE__WORK", '[{"id": "shop", "title": "A shop", "skills": ["php"]}]')
    assert load(home).profile_facts().work[0].skills == ("php",)


def test_settings_are_frozen_and_never_show_a_secret(home: Path):
    write(home, SMALL.replace('password_file = "keys/imap"', 'password = "hunter2"'))
    loaded = load(home)
    assert "hunter2" not in repr(loaded)
    assert "hunter2" not in repr(loaded.imap_account(home))
    with pytest.raises(ValueError, match="frozen"):
        loaded.imap.port = 1  # type: ignore[misc]


@pytest.mark.parametrize("hours", ["Mon-Thu 09:00-12:00, 13:00-18:00, Fri 09:00-13:00", "Sat 10:00-12:00", "8-17"])
def test_working_hours_are_what_the_calendar_reads(home: Path, hours: str):
    write(home, SMALL.replace("[imap]", f'hours = "{hours}"\n[imap]'))
    assert load(home).owner_facts().hours == hours


def test_nothing_in_braces_is_expanded(home: Path):
    write(home, SMALL.replace("Ada Winter", "${HOME}"))
    assert load(home).owner.name == "${HOME}"


# ---------------------------------------------------------------- the environment


def test_the_environment_wins(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DESKHAND_IMAP__PORT", "1993")
    monkeypatch.setenv("DESKHAND_IMAP__PASSWORD", "from outside")
    monkeypatch.setenv("DESKHAND_PROFILE__SKILLS", "python, postgres")
    monkeypatch.setenv("DESKHAND_IMAP__FOLDERS", '["INBOX", "Clients"]')
    monkeypatch.setenv("DESKHAND_MODEL__BASE_URL", "http://127.0.0.1:11434/v1")
    monkeypatch.setenv("DESKHAND_MODEL__NAME", "qwen3:8b")
    monkeypatch.setenv("DESKHAND_TEMPORAL__ADDRESS", "")
    loaded = load(home)
    assert loaded.imap_account(home).port == 1993
    assert loaded.imap_account(home).password == "from outside"
    assert loaded.profile.skills == ("python", "postgres")
    assert loaded.imap.folders == ("INBOX", "Clients")
    assert loaded.model is not None


def test_every_key_can_come_from_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch):
    write(home, "")
    values = {
        "OWNER__NAME": "Ada", "OWNER__ADDRESS": "ada@winter.example",
        "IMAP__HOST": "127.0.0.1", "IMAP__TLS": "none", "SMTP__HOST": "127.0.0.1", "APPROVAL__GRACE": "1h30m",
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(f"DESKHAND_{name}", value)
    loaded = load(home)
    assert loaded.imap.tls == "none"
    assert loaded.approval.grace == timedelta(minutes=90)


def test_a_mistyped_variable_is_named(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DESKHAND_IMAP__PROT", "993")
    found = fault(home)
    assert "DESKHAND_IMAP__PROT" in found.problem
    assert found.mend == "Did you mean DESKHAND_IMAP__PORT?"


def test_a_wrong_variable_is_blamed_and_not_the_file(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DESKHAND_IMAP__PORT", "many")
    assert fault(home).problem == "The environment variable DESKHAND_IMAP__PORT: imap.port must be a whole number."


def test_the_home_follows_option_then_variable_then_xdg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("DESKHAND_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", "relative/is/ignored")
    assert environ.resolve_home() == tmp_path / ".local/share/deskhand"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert environ.resolve_home() == tmp_path / "data/deskhand"
    monkeypatch.setenv("DESKHAND_HOME", "~/desk")
    assert environ.resolve_home() == tmp_path / "desk"
    assert environ.resolve_home(tmp_path / "given") == tmp_path / "given"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert environ.cache_folder() == tmp_path / "cache/deskhand"


# ---------------------------------------------------------------- faults

FAULTS = [
    ("host = ", "hots = ", "line 6: imap.hots is not a setting", 'Did you mean "host"?'),
    ("[imap]", "[iamp]", "line 5: iamp is not a setting", "Did you mean the section [imap]?"),
    ("name = ", 'rate = "9"\nname = ', "line 3: owner.rate is not a setting", "It belongs into the section [profile]."),
    ("[owner]", 'country = "DE"\n[owner]', "line 2: country is not a setting", "It belongs into the section [owner]."),
    ("[smtp]", "port = true\n[smtp]", "line 8: imap.port must be a whole number", ""),
    ("[smtp]", 'port = "x"\n[smtp]', "line 8: imap.port must be a whole number", ""),
    ("[smtp]", "port = 70000\n[smtp]", "imap.port must be at most 65535", ""),
    ("[smtp]", 'port = 143\ntls = "implicit"\n[smtp]', 'imap.tls must be "starttls" for port 143', ""),
    ("[smtp]", 'tls = "none"\n[smtp]', "without TLS only a server on this machine", ""),
    ("[smtp]", 'tls = "ssl"\n[smtp]', 'imap.tls must be one of "implicit", "starttls" or "none"', ""),
    ("[smtp]", "folders = []\n[smtp]", "imap.folders must be not empty", ""),
    ("imap.winter", "imaps://imap.winter", "imap.host must be the bare name of a server", ""),
    ("ada@winter.example", "ada", "owner.address must be one mail address", ""),
    ("ada@winter.example", "Ada <ada@winter.example>", "owner.address must be one mail address", ""),
    ("[imap]", 'timezone = "Europe/Belrin"\n[imap]', 'a time zone such as "Europe/Berlin"', ""),
    ("[imap]", 'timezone = "../../etc/passwd"\n[imap]', "owner.timezone must be a time zone", ""),
    ("[imap]", 'hours = "9 to 5"\n[imap]', "owner.hours must be working hours", ""),
    ("[imap]", 'country = "Germany"\n[imap]', "owner.country must be two capital letters", ""),
    ("[imap]", 'disclose = "perhaps"\n[imap]', "owner.disclose must be true or false", ""),
    ("[imap]", "[approval]\ngrace = 60\n[imap]", 'approval.grace must be a time span such as "60s"', ""),
    ("[imap]", '[approval]\ngrace = "soon"\n[imap]', "approval.grace must be a time span", ""),
    ("[imap]", '[approval]\ndigest_at = ["8"]\n[imap]', "approval.digest_at must be a time of day", ""),
    ("[imap]", '[limits]\nquiet_hours = "night"\n[imap]', "limits.quiet_hours must be hours such as", ""),
    ("[imap]", '[limits]\nquiet_hours = "8:00-8:00"\n[imap]', "limits.quiet_hours must be hours such as", ""),
    ("[imap]", 'hours = "Mon-Fri 18:00-09:00"\n[imap]', "owner.hours must be working hours", ""),
    ("[imap]", "[limits]\nper_hour = 0\n[imap]", "limits.per_hour must be at least 1", ""),
    ("[imap]", '[model]\nname = "m"\n[imap]', "model.base_url is missing", ""),
    (
        "[imap]",
        '[model]\nname = "m"\nbase_url = "http://h/v1"\ndaily_cost = "$2"\n[imap]',
        'model.daily_cost must be an amount with its currency such as "2.00 USD"',
        "",
    ),
    ('host = "smtp.winter.example"', "", "line 8: smtp.host is missing", ""),
    ('name = "Ada Winter"', "name = Ada", "line 3: this is not TOML", ""),
    ("[smtp]", "[imap]", "line 8: this is not TOML", ""),
]


@pytest.mark.parametrize(("old", "new", "problem", "mend"), FAULTS)
def test_a_fault_is_one_sentence_with_file_line_and_mend(home: Path, old: str, new: str, problem: str, mend: str):
    assert old in SMALL
    write(home, SMALL.replace(old, new, 1))
    found = fault(home)
    assert str(home / "deskhand.toml") in found.problem
    assert problem in found.problem
    assert mend in found.mend


def test_a_missing_file_names_init(tmp_path: Path):
    assert "./deskhand init" in fault(tmp_path).mend


def test_a_file_in_another_encoding_is_refused(home: Path):
    (home / "deskhand.toml").write_bytes(SMALL.replace("Ada", "Ädä").encode("latin-1"))
    assert "UTF-8" in fault(home).problem


def test_a_byte_order_mark_is_forgiven(home: Path):
    (home / "deskhand.toml").write_bytes(b"\xef\xbb\xbf" + SMALL.encode())
    assert load(home).owner.name == "Ada Winter"


# ---------------------------------------------------------------- secrets


def account_fault(home: Path, loaded: Settings) -> str:
    with pytest.raises(NeedsOwner) as caught:
        loaded.imap_account(home)
    return str(caught.value)


def test_a_secret_open_to_all_is_refused_with_the_command_that_mends_it(home: Path):
    secret = home / "keys" / "imap"
    secret.chmod(0o644)
    assert f"chmod 600 {secret}" in account_fault(home, load(home))
    write(home, SMALL.replace('password_file = "keys/imap"', 'password = "hunter2"'))
    (home / "deskhand.toml").chmod(0o644)
    found = fault(home)
    assert f"chmod 600 {home / 'deskhand.toml'}" in found.mend
    assert "hunter2" not in str(found)


@pytest.mark.parametrize("content", ["", "\n", "two\nlines\n"])
def test_a_secret_file_holds_one_line(home: Path, content: str):
    (home / "keys" / "imap").write_text(content)
    assert "must hold one line" in account_fault(home, load(home))


def test_a_missing_secret_is_told(home: Path):
    (home / "keys" / "imap").unlink()
    assert "imap.password_file does not exist" in account_fault(home, load(home))
    write(home, SMALL.replace('password_file = "keys/imap"', ""))
    assert "No password is set for ada@winter.example" in account_fault(home, load(home))


def test_a_missing_certificate_file_is_told(home: Path):
    write(home, SMALL.replace("[smtp]", 'ca_file = "own.pem"\n[smtp]'))
    assert f"{home / 'own.pem'} does not exist" in account_fault(home, load(home))


def test_the_key_of_a_model_comes_from_its_file(home: Path):
    key = home / "keys" / "model"
    key.write_text("sk-1\n")
    key.chmod(0o600)
    write(home, SMALL + '[model]\nbase_url = "http://h/v1"\nname = "m"\napi_key_file = "keys/model"\n')
    loaded = load(home)
    assert loaded.api_key(home, "model") == "sk-1"
    assert loaded.api_key(home, "embeddings") == ""


# ---------------------------------------------------------------- sources


def test_sources_have_names_and_keys_of_their_own(home: Path):
    wwr = '[sources.wwr]\nuse = "weworkremotely"\nevery = "2h"\n'
    write(home, SMALL + wwr + '[sources.mine]\nurl = "https://x.example"\ncolour = "red"\n')
    loaded = load(home)
    assert list(loaded.sources) == ["wwr", "mine"]
    assert loaded.sources["wwr"].every == timedelta(hours=2)
    assert loaded.sources["mine"].model_dump()["colour"] == "red"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[sources.wwr]\nevery = "often"\n', "line 10: sources.wwr.every must be a time span"),
        ('[sources.wwr]\nevery = "10s"\n', "sources.wwr.every must be"),
        ('[sources.wwr]\nurl = "weworkremotely.com"\n', "line 10: sources.wwr.url must be a web address"),
        ('[sources."W W R"]\nuse = "rss"\n', "named in small letters and digits"),
        ('[sources]\nwwr = "rss"\n', "sources.wwr must be a section with keys"),
        ("[leads]\nthreshold = 2\n", "leads.threshold must be at most 1"),
        ('[leads]\nthreshold = "high"\n', "leads.threshold must be a number"),
    ],
)  # fmt: skip
def test_a_fault_in_a_source_names_it_and_its_line(home: Path, text: str, problem: str):
    write(home, SMALL + text)
    assert problem in fault(home).problem


def test_a_source_may_stand_in_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch):
    write(home, SMALL)
    monkeypatch.setenv("DESKHAND_SOURCES__WWR__URL", "https://weworkremotely.com/remote-jobs.rss")
    monkeypatch.setenv("DESKHAND_SOURCES__WWR__USE", "weworkremotely")
    assert load(home).sources["wwr"].use == "weworkremotely"


@pytest.mark.parametrize(
    ("stated", "blocks"),
    [
        ('""', ()),
        ('"Ada Winter"', ("Ada Winter",)),
        ('"""\nAda Winter\n\nTexte, Berlin\n"""', ("Ada Winter\nTexte, Berlin",)),
        ('["Ada Winter\\nTexte", "", "Ada, unterwegs"]', ("Ada Winter\nTexte", "Ada, unterwegs")),
    ],
)
def test_the_signature_is_a_text_or_several(home: Path, stated: str, blocks: tuple[str, ...]):
    write(home, documented_sample().replace('signature = ""', f"signature = {stated}"))
    assert load(home).owner_facts().signatures == blocks


def test_a_signature_that_holds_an_answer_is_refused(home: Path):
    write(home, documented_sample().replace('signature = ""', 'signature = ["Ada", "Ada Winter\\nok"]'))
    with pytest.raises(NeedsOwner, match='the line "ok"'):
        load(home).owner_facts()
    write(home, documented_sample().replace('signature = ""', "signature = 5"))
    with pytest.raises(NeedsOwner, match=r"owner.signature must be a text, or a list of texts"):
        load(home)


def test_the_profiles_languages_are_those_of_the_answers(home: Path):
    text = documented_sample()
    write(home, text if "languages = [" in text else f'{text}\n[profile]\nlanguages = ["de", "fr"]\n')
    loaded = load(home)
    assert loaded.owner_facts().languages == loaded.profile.languages


# ---------------------------------------------------------------- calendars

WORK = '[[calendar.sources]]\nname = "work"\n'


def test_calendars_are_a_list_of_tables_with_one_place_each(home: Path):
    (home / "keys" / "dav").write_text("geheim\n")
    (home / "keys" / "dav").chmod(0o600)
    cloud = 'caldav = "https://cloud.winter.example/dav"\nuser = "ada"\npassword_file = "keys/dav"\n'
    write(
        home,
        f'{SMALL}\n[calendar]\nslot = "45m"\nbuffer = "0m"\n{WORK}path = "work.ics"\n'
        f"{WORK.replace('work', 'dav')}{cloud}",
    )
    section = load(home).calendar
    assert [(item.name, item.path, item.caldav) for item in section.sources] == [
        ("work", "work.ics", ""),
        ("dav", "", "https://cloud.winter.example/dav"),
    ]
    assert (section.slot, section.buffer, section.days) == (timedelta(minutes=45), timedelta(), 14)
    assert len(calendars_of(load(home), home, SystemClock()).calendars) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (WORK, 'a list whose entry "work" names one of path, url and caldav'),
        (f'{WORK}path = "a"\nurl = "https://a.example/b.ics"\n', "names one of path, url and caldav"),
        (f'{WORK}path = "a"\n{WORK}path = "b"\n', '"work" stands there twice'),
        (f'{WORK}url = "work.ics"\n', "calendar.sources.url must be a web address"),
        (f'{WORK}path = "a"\ncolour = "red"\n', "calendar.sources.colour is not a setting"),
        (f'{WORK.replace("work", "My Work")}path = "a"\n', "calendar.sources.name must be a short name"),
        ('[calendar]\nslot = "1m"\n', "calendar.slot must be"),
        ("[calendar]\ndays = 500\n", "calendar.days must be at most 90"),
    ],
)
def test_what_is_wrong_with_a_calendar_is_one_sentence(home: Path, text: str, words: str):
    write(home, f"{SMALL}\n{text}")
    assert words in str(fault(home))


def test_a_calendar_without_its_password_is_said(home: Path):
    write(home, f'{SMALL}\n{WORK}caldav = "https://cloud.winter.example/dav"\n')
    with pytest.raises(NeedsOwner, match=r"The calendar work at .* has no user or no password"):
        calendars_of(load(home), home, SystemClock())


def test_a_password_of_a_calendar_in_the_settings_closes_them(home: Path):
    write(home, f'{SMALL}\n{WORK}caldav = "https://a.example/"\nuser = "ada"\npassword = "geheim"\n')
    (home / "deskhand.toml").chmod(0o644)
    assert "everybody on this machine can read it" in str(fault(home))
