"""The settings: `<home>/deskhand.toml`, each key also as `DESKHAND_<SECTION>__<KEY>`.

The only reader of the environment. `load(home)` gives a frozen `Settings` or one plain sentence that names
the file, the line, the key and the mend.
Every key is described in docs/settings.md; a test holds the two together.
"""

import difflib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from tools.mail.account import Account, Tls
from tools.mail.tls import is_loopback
from workflows.errors import NeedsOwner
from workflows.models import Owner, PastWork, Profile, Source
from workflows.rules.answers.signatures import answers_in, as_block
from workflows.rules.leads.rates import parse_rate
from workflows.rules.text.languages import speaks, words_in

FILE = "deskhand.toml"
PREFIX = "DESKHAND_"

# ---------------------------------------------------------------- the environment


def resolve_home(option: Path | None = None) -> Path:
    """The home folder: `--home`, else DESKHAND_HOME, else $XDG_DATA_HOME/deskhand, else ~/.local/share/deskhand."""
    given = option or os.environ.get("DESKHAND_HOME")
    if given:
        return _expanded(Path(given)).absolute()
    return _xdg("XDG_DATA_HOME", ".local/share") / "deskhand"


def cache_folder() -> Path:
    """What may be lost and made again: $XDG_CACHE_HOME/deskhand, else ~/.cache/deskhand."""
    return _xdg("XDG_CACHE_HOME", ".cache") / "deskhand"


def zone_hint() -> str:
    """The TZ variable, when it names a time zone ("Europe/Berlin"), else ""."""
    name = os.environ.get("TZ", "").lstrip(":")
    return name if name in available_timezones() else ""


def language_hint() -> str:
    """The language and country of the session ("de_DE"), or ""."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        found = re.match(r"[a-z]{2}(_[A-Z]{2})?\b", os.environ.get(name, ""))
        if found:
            return found.group()
    return ""


def _xdg(variable: str, default: str) -> Path:
    # The XDG rules: a relative path in these variables is to be ignored.
    given = Path(os.environ.get(variable, ""))
    return given if given.is_absolute() else _expanded(Path("~") / default)


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise NeedsOwner(
            "No home folder is known: HOME is not set.", "Give one with --home DIR or the variable DESKHAND_HOME."
        ) from None


# ---------------------------------------------------------------- one value each


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with its ISO currency code."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_EMAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]+|[^@\s<>,;]+@localhost")
_CLOCK = r"([01]?\d|2[0-3]):[0-5]\d"
_QUIET = re.compile(rf"{_CLOCK}-{_CLOCK}")


def _wrong(expected: str, key: str = "") -> PydanticCustomError:
    return PydanticCustomError("setting", "{expected}", {"expected": expected, "key": key})


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"(\d{1,6}[smhdw])+", value.strip()):
        raise _wrong('a time span such as "60s", "30m", "24h" or "7d"')
    return sum(
        (timedelta(**{_UNITS[unit]: int(number)}) for number, unit in re.findall(r"(\d+)([smhdw])", value)),
        timedelta(),
    )


def _money(value: object) -> object:
    if isinstance(value, Money):
        return value
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s+([A-Z]{3})", value.strip()) if isinstance(value, str) else None
    try:
        if found:
            return Money(Decimal(found.group(1)), found.group(2))
    except InvalidOperation:
        pass
    raise _wrong('an amount with its currency such as "2.00 USD"')


def _whole(value: object) -> object:
    if isinstance(value, bool | float):  # true would pass as 1
        raise _wrong("a whole number")
    return value


def _time(value: object) -> object:
    if isinstance(value, time):
        return value.replace(tzinfo=None)
    if isinstance(value, str) and re.fullmatch(rf"{_CLOCK}(:[0-5]\d)?", value.strip()):
        hour, minute, second = (int(part) for part in f"{value.strip()}:0".split(":")[:3])
        return time(hour, minute, second)
    raise _wrong('a time of day such as "09:00"')


def _list(value: object) -> object:
    # The environment has only text: a JSON array, or words between commas.
    if not isinstance(value, str):
        return value
    if not value.strip().startswith("["):
        return [part.strip() for part in value.split(",") if part.strip()]
    try:
        return json.loads(value)
    except ValueError:
        raise _wrong('a list such as ["one", "two"]') from None


def _email(value: object) -> object:
    if isinstance(value, str) and _EMAIL.fullmatch(value.strip()):
        return value.strip().lower()
    raise _wrong('one mail address such as "ada@winter.example"')


def _zone(value: object) -> object:
    if isinstance(value, str) and value:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            near = difflib.get_close_matches(value, available_timezones(), n=1, cutoff=0.5)
            raise _wrong(f'a time zone such as "{near[0] if near else "Europe/Berlin"}"') from None
        return value
    raise _wrong('a time zone such as "Europe/Berlin"')


def _hours(value: object) -> object:
    from workflows.rules.text.calendar import working_hours

    if isinstance(value, str) and working_hours(value):
        return value.strip()
    raise _wrong('working hours such as "Mon-Fri 09:00-18:00"')


def _quiet(value: object) -> object:
    if value == "":
        return value
    # Twice the same time would be quiet all day: nothing would ever leave.
    if isinstance(value, str) and _QUIET.fullmatch(value.strip()) and len(set(value.strip().split("-"))) > 1:
        return value.strip()
    raise _wrong('hours such as "20:00-07:00", or ""')


def _rate(value: object) -> object:
    if value == "" or (isinstance(value, str) and parse_rate(value)):
        return value
    raise _wrong('an amount with its currency and unit such as "95 EUR/hour", or ""')


def _ladder(value: object) -> object:
    from workflows.rules.debts.dunning import ladders

    if value in ladders():
        return value
    raise _wrong(f"one of {', '.join(ladders())}")


def _matching(pattern: re.Pattern[str], expected: str) -> BeforeValidator:
    def check(value: object) -> object:
        if isinstance(value, str) and pattern.fullmatch(value.strip()):
            return value.strip()
        raise _wrong(expected)

    return BeforeValidator(check)


def _optional(check: BeforeValidator) -> BeforeValidator:
    return BeforeValidator(lambda value: value if value == "" else check.func(value))  # type: ignore[call-arg]


_url = _matching(re.compile(r"https?://[^\s/]+\S*"), 'a web address such as "http://127.0.0.1:11434/v1"')
_host = _matching(
    re.compile(r"[A-Za-z0-9._:-]+"), 'the bare name of a server such as "imap.winter.example", without "https://"'
)

Duration = Annotated[timedelta, BeforeValidator(_duration)]
Cost = Annotated[Money, BeforeValidator(_money)]
TimeOfDay = Annotated[time, BeforeValidator(_time)]
Words = Annotated[tuple[str, ...], BeforeValidator(_list)]
Email = Annotated[str, BeforeValidator(_email)]
Emails = Annotated[tuple[Email, ...], BeforeValidator(_list)]
Times = Annotated[tuple[TimeOfDay, ...], BeforeValidator(_list)]
Host = Annotated[str, _host]
_number = BeforeValidator(_whole)
Port = Annotated[int, _number, Field(ge=1, le=65535)]
Count = Annotated[int, _number, Field(ge=0)]
Positive = Annotated[int, _number, Field(ge=1)]
Url = Annotated[str, _url]

# ---------------------------------------------------------------- the sections


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _signature(value: object) -> object:
    # One text, or a list of texts; the environment has a JSON list or one text.
    if isinstance(value, str):
        value = _list(value) if value.strip().startswith("[") else [value]
    if not isinstance(value, list | tuple) or not all(isinstance(block, str) for block in value):
        raise _wrong("a text, or a list of texts")
    return tuple(block for block in map(as_block, value) if block)


class OwnerSection(Section):
    name: Annotated[str, Field(min_length=1)]
    address: Email
    aliases: Emails = ()
    language: Annotated[str, _matching(re.compile(r"[a-z]{2}"), 'two small letters such as "en" or "de"')] = "en"
    timezone: Annotated[str, BeforeValidator(_zone)] = "UTC"
    country: Annotated[
        str, _optional(_matching(re.compile(r"[A-Z]{2}"), 'two capital letters such as "DE", or ""'))
    ] = ""
    hours: Annotated[str, BeforeValidator(_hours)] = "Mon-Fri 09:00-18:00"
    disclose: bool = False
    signature: Annotated[tuple[str, ...], BeforeValidator(_signature)] = ()


class Server(Section):
    """What the sections [imap] and [smtp] share. `user` None: left out."""

    host: Host
    port: Port
    tls: Tls
    user: str | None = None
    password: SecretStr = SecretStr("")
    password_file: str = ""
    ca_file: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.tls == "none" and not is_loopback(self.host):
            raise _wrong('"implicit" or "starttls": without TLS only a server on this machine may be used', "tls")
        return self


def _ports(value: object, implicit: int, starttls: int) -> object:
    """Fill in port from tls or tls from port, and refuse the pairs that cannot work."""
    if not isinstance(value, Mapping):
        return value
    usual = {implicit: "implicit", starttls: "starttls"}
    tls = value.get("tls") or usual.get(_as_number(value.get("port")), "implicit")
    port = value.get("port") or (starttls if tls == "starttls" else implicit)
    meant = usual.get(_as_number(port))
    if meant and tls in usual.values() and meant != tls:
        other = implicit if tls == "implicit" else starttls
        raise _wrong(f'"{meant}" for port {port} (or port {other} for "{tls}")', "tls")
    return {**value, "tls": tls, "port": port}


def _as_number(value: object) -> int:
    try:
        return int(value)  # type: ignore[call-overload,no-any-return]
    except (TypeError, ValueError):
        return 0


class ImapSection(Server):
    folders: Annotated[Words, Field(min_length=1)] = ("INBOX",)
    sent: str = ""

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, value: object) -> object:
        return _ports(value, implicit=993, starttls=143)


class SmtpSection(Server):
    files_sent: Literal["auto", "yes", "no"] = "auto"

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, value: object) -> object:
        return _ports(value, implicit=465, starttls=587)


class IntakeSection(Section):
    draft_for: Literal["people", "known", "none"] = "people"
    first_day: Literal["digest", "ask"] = "digest"
    ignore: Words = ()


class ModelSection(Section):
    base_url: Url
    name: Annotated[str, Field(min_length=1)]
    api_key: SecretStr = SecretStr("")
    api_key_file: str = ""
    structured: Literal["json_schema", "function_calling", "json_mode", "prompt"] = "json_schema"
    daily_cost: Cost = Money(Decimal("2.00"), "USD")
    daily_calls: Count = 500
    daily_tokens: Count = 1_000_000


class EmbeddingsSection(Section):
    base_url: Url
    name: Annotated[str, Field(min_length=1)]
    api_key: SecretStr = SecretStr("")
    api_key_file: str = ""
    daily_calls: Count = 5_000
    daily_tokens: Count = 5_000_000


class TemporalSection(Section):
    address: Annotated[
        str, _optional(_matching(re.compile(r"[^\s:/]+:\d{1,5}"), '"host:port", or "" for the embedded server'))
    ] = ""
    namespace: Annotated[str, Field(min_length=1)] = "default"
    api_key: SecretStr = SecretStr("")
    api_key_file: str = ""
    tls: bool = False
    cli: str = ""


class ApprovalSection(Section):
    mode: Literal["each", "digest", "both"] = "each"
    digest_at: Times = (time(8), time(16))
    most_waiting: Positive = 5
    via: Literal["smtp", "append"] = "smtp"
    deliver: Literal["send", "drafts"] = "send"
    edit_sends: bool = False
    grace: Duration = timedelta(seconds=60)
    nudge_at: TimeOfDay = time(9)
    nudge_after: Duration = timedelta(hours=24)
    expire_after: Duration = timedelta(days=7)
    second: Annotated[str, _optional(BeforeValidator(_email))] = ""
    authserv_id: Annotated[
        str,
        _optional(
            _matching(re.compile(r"[A-Za-z0-9._-]{1,200}"), 'the name of a server such as "mx.winter.example", or ""')
        ),
    ] = ""
    tidy: Literal["off", "folder", "archive"] = "off"
    auto_after: Count = 10
    undo: Duration = timedelta(minutes=10)


class LimitsSection(Section):
    per_hour: Positive = 50
    per_recipient_per_day: Positive = 5
    to_owner_per_hour: Positive = 30
    quiet_hours: Annotated[str, BeforeValidator(_quiet)] = ""


class WorkItem(Section):
    """One `[[profile.work]]`: a finished work that a bid may name."""

    id: Annotated[str, _matching(re.compile(r"[a-z0-9][a-z0-9-]{0,40}"), 'a short name such as "museum-shop"')]
    title: Annotated[str, Field(min_length=1)]
    text: str = ""
    skills: Words = ()
    link: Annotated[str, _optional(_url)] = ""


class ProfileSection(Section):
    rate: Annotated[str, BeforeValidator(_rate)] = ""
    skills: Words = ()
    facts: Words = ()
    languages: Annotated[
        tuple[Annotated[str, _matching(re.compile(r"[a-z]{2}"), 'two small letters each, such as ["en", "de"]')], ...],
        BeforeValidator(_list),
    ] = ()
    hours_per_week: Count = 0
    minimum: Annotated[str, BeforeValidator(_rate)] = ""
    engagements: Annotated[
        tuple[Literal["freelance", "contract", "part-time", "full-time"], ...],
        BeforeValidator(_list),
    ] = ("freelance", "contract", "part-time")
    avoid: Words = ()
    blocked: Words = ()
    work: Annotated[tuple[WorkItem, ...], BeforeValidator(_list)] = ()

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = [item.id for item in self.work]
        twice = next((name for name in names if names.count(name) > 1), "")
        if twice:
            raise _wrong(f'a list of works with an id of their own: "{twice}" stands there twice', "work")
        return self


class LeadsSection(Section):
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.55
    alerts: bool = True


class SourceSection(Section):
    """One `[sources.NAME]`: what is asked for job posts. Keys beside these are the source's own."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    use: str = ""
    url: Annotated[str, _optional(_url)] = ""
    every: Annotated[Duration, Field(ge=timedelta(minutes=1))] = timedelta(hours=1)
    token: SecretStr = SecretStr("")
    token_file: str = ""

    def secret(self, home: Path, name: str) -> str:
        """The source's token, "" when it has none.

        Raises:
            NeedsOwner: its file cannot be read or is open to others.
        """
        return _secret(home, f"sources.{name}", "token", self)


SourceName = Annotated[str, _matching(re.compile(r"[a-z0-9][a-z0-9_-]{0,40}"), "named in small letters and digits")]


class MoneySection(Section):
    ladder: Annotated[str, BeforeValidator(_ladder)] = "standard"
    business_days: bool = True
    dues_at: TimeOfDay = time(8)
    details: str = ""
    invoices: Annotated[str, Field(min_length=1)] = "invoices"


class InvoiceninjaSection(Section):
    """`[invoiceninja]`: left out, it is not asked."""

    url: Annotated[str, _optional(_url)] = ""
    token: SecretStr = SecretStr("")
    token_file: str = ""


class WorkSection(Section):
    projects: Annotated[str, Field(min_length=1)] = "projects"
    timesheets: Annotated[str, Field(min_length=1)] = "timesheets"
    dates: Literal["auto", "dmy", "mdy", "ymd"] = "auto"
    timezone: Annotated[str, _optional(BeforeValidator(_zone))] = ""
    authors: Emails = ()
    updates_at: TimeOfDay = time(8)
    share_hours: bool = False
    unbilled: bool = True
    hours_per_week: Annotated[int, _number, Field(ge=0, le=168)] = 0


_empty_is_none = BeforeValidator(lambda value: None if value == {} else value)


class Settings(BaseSettings):
    """All settings, frozen. `model` and `embeddings` are None when their section is left out."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,  # compose files hand over empty variables for what is not set
        enable_decoding=False,
    )

    owner: OwnerSection
    imap: ImapSection
    smtp: SmtpSection
    intake: IntakeSection = IntakeSection()
    model: Annotated[ModelSection | None, _empty_is_none] = None
    embeddings: Annotated[EmbeddingsSection | None, _empty_is_none] = None
    temporal: TemporalSection = TemporalSection()
    approval: ApprovalSection = ApprovalSection()
    limits: LimitsSection = LimitsSection()
    profile: ProfileSection = ProfileSection()
    leads: LeadsSection = LeadsSection()
    sources: dict[SourceName, SourceSection] = {}
    money: MoneySection = MoneySection()
    invoiceninja: InvoiceninjaSection = InvoiceninjaSection()
    work: WorkSection = WorkSection()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, which is given as arguments."""
        return env_settings, init_settings

    def owner_facts(self) -> Owner:
        """The owner as the rules know them.

        Raises:
            NeedsOwner: the second approver is the owner, or the signature holds an answer.
        """
        second = self.approval.second
        if second in {self.owner.address, *self.owner.aliases}:
            raise NeedsOwner(f"approval.second is your own address, {second}.", 'Name another person, or leave it "".')
        stated = self.owner.model_dump(exclude={"signature"})
        owner = Owner(**stated, second=second, languages=self.profile.languages, signatures=self.owner.signature)
        if lines := [line for block in owner.signatures for line in answers_in(block, owner)]:
            raise NeedsOwner(
                f'owner.signature holds the line "{lines[0]}", which is an answer to Deskhand.',
                "Leave that line out: what stands in it is no part of an answer any more.",
            )
        return owner

    def profile_sources(self) -> tuple[Source, ...]:
        """What may be said about the owner: one source per fact, ids "profile:rate", "profile:skills" and so on."""
        profile = self.profile
        facts = {"rate": profile.rate, "skills": ", ".join(profile.skills)}
        facts |= {"languages": ", ".join(map(_stated, profile.languages))}
        facts |= {"hours": f"{profile.hours_per_week} hours a week are free" if profile.hours_per_week else ""}
        facts |= {f"fact{number}": fact for number, fact in enumerate(profile.facts, start=1)}
        return tuple(Source(id=f"profile:{key}", kind="profile", quote=fact) for key, fact in facts.items() if fact)

    def profile_facts(self) -> Profile:
        """The profile as the rules about leads and bids know it."""
        given = self.profile
        return Profile(
            rate=parse_rate(given.rate),
            minimum=parse_rate(given.minimum),
            skills=given.skills,
            work=tuple(PastWork(**item.model_dump()) for item in given.work),
            hours_per_week=given.hours_per_week,
            languages=given.languages or tuple(dict.fromkeys((self.owner.language, "en"))),
            engagements=given.engagements,
            avoid=given.avoid,
            blocked=given.blocked,
            country=self.owner.country,
            timezone=self.owner.timezone,
        )

    def imap_account(self, home: Path) -> Account:
        """The login at the IMAP server, its password read.

        Raises:
            NeedsOwner: there is no password, or its file cannot be read or is open to others.
        """
        user = self.owner.address if self.imap.user is None else self.imap.user
        return _account(self.imap, "imap", user, _secret(home, "imap", "password", self.imap), home)

    def smtp_account(self, home: Path) -> Account:
        """The login at the SMTP server; user and password left out are those of [imap].

        Raises:
            NeedsOwner: there is no password, or its file cannot be read or is open to others.
        """
        imap_user = self.owner.address if self.imap.user is None else self.imap.user
        user = imap_user if self.smtp.user is None else self.smtp.user
        password = _secret(home, "smtp", "password", self.smtp)
        if not password and user == imap_user:
            password = _secret(home, "imap", "password", self.imap)
        return _account(self.smtp, "smtp", user, password, home)

    def api_key(self, home: Path, section: Literal["model", "embeddings", "temporal"]) -> str:
        """The key of that section from `api_key` or `api_key_file`, "" when none is set.

        Raises:
            NeedsOwner: the file cannot be read or is open to others.
        """
        part = getattr(self, section)
        return "" if part is None else _secret(home, section, "api_key", part)

    def invoiceninja_token(self, home: Path) -> str:
        """The API token of Invoice Ninja, "" when it is not configured.

        Raises:
            NeedsOwner: there is an address and no token, or its file cannot be read or is open to others.
        """
        if not self.invoiceninja.url:
            return ""
        token = _secret(home, "invoiceninja", "token", self.invoiceninja)
        if not token:
            raise NeedsOwner(
                f"No token is set for Invoice Ninja at {self.invoiceninja.url}.",
                "Write one into a file and name it as invoiceninja.token_file.",
            )
        return token


# ---------------------------------------------------------------- secrets


def _account(server: Server, section: str, user: str, password: str, home: Path) -> Account:
    if user and not password:
        raise NeedsOwner(
            f"No password is set for {user} at {server.host}.",
            f"Write it into a file and name it as {section}.password_file, or set {_variable(section, 'password')}.",
        )
    ca_file = home / Path(server.ca_file).expanduser() if server.ca_file else None
    if ca_file and not ca_file.is_file():
        raise NeedsOwner(f"The certificate file {ca_file} does not exist.", f"Correct {section}.ca_file.")
    return Account(
        host=server.host,
        port=server.port,
        tls=server.tls,
        user=user,
        password=password if user else "",
        ca_file=ca_file,
    )


def _secret(home: Path, section: str, key: str, part: Any) -> str:
    """`key`, else the first line of the file named by `<key>_file` (relative to the home), else ""."""
    inline: str = getattr(part, key).get_secret_value()
    name: str = getattr(part, f"{key}_file")
    if inline or not name:
        return inline
    path = home / Path(name).expanduser()
    setting = f"{section}.{key}_file"
    try:
        mode, text = path.stat().st_mode, path.read_text("utf-8")
    except FileNotFoundError:
        raise NeedsOwner(
            f"The file {path} named by {setting} does not exist.", "Write the secret into it, or run ./deskhand init."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise NeedsOwner(
            f"The file {path} named by {setting} cannot be read: {reason}.", "Mend the file or its permissions."
        ) from None
    _refuse_open(path, mode)
    lines = text.strip("\r\n").splitlines()
    if len(lines) != 1 or not lines[0].strip():
        raise NeedsOwner(f"The file {path} named by {setting} must hold one line.", "Write only the secret into it.")
    return lines[0]


def _refuse_open(path: Path, mode: int) -> None:
    if mode & 0o007:
        raise NeedsOwner(f"{path} holds a secret and everybody on this machine can read it.", f"Run: chmod 600 {path}")


# ---------------------------------------------------------------- loading


def load(home: Path) -> Settings:
    """The settings of this home.

    Raises:
        NeedsOwner: there is no file, or one plain sentence about its first fault: file, line, key and the mend.
    """
    path = home / FILE
    text = _read(path)
    values = _parse(path, text)
    _refuse_unknown_variables()
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise _plain(error.errors(), path, text) from None
    if any(_inline_secret(section) for section in values.values()):
        _refuse_open(path, path.stat().st_mode)
    return settings


def keys() -> dict[str, tuple[str, ...]]:
    """Every section with its keys, in the order of the documentation."""
    return {name: tuple(_section(name).model_fields) for name in Settings.model_fields}


def check_values(values: Mapping[str, Any], path: Path) -> None:
    """Refuse values (section -> key -> value) that `load` would refuse, before they are written to `path`."""
    try:
        Settings(**values)
    except ValidationError as error:
        raise _plain(error.errors(), path, "") from None


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise NeedsOwner(f"There are no settings: {path} does not exist.", "Run ./deskhand init.") from None
    except UnicodeDecodeError:
        raise NeedsOwner(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from None
    except OSError as error:
        raise NeedsOwner(f"{path} cannot be read: {error.strerror}.", "Mend the file's permissions.") from None


def _stated(language: str) -> str:
    """How the profile names a language: in English and in itself; a code that has no file as it is."""
    return str(words_in(language, "language")["profile"]) if speaks(language, "language") else language


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what = re.sub(r"\s*\(at .*\)$", "", str(error))
        place = re.search(r"line (\d+)", str(error))
        where = f", line {place.group(1)}" if place else ", at its end"
        raise NeedsOwner(
            f"{path}{where}: this is not TOML ({what[:1].lower()}{what[1:]}).",
            'Correct that line; text stands in quotes, as in name = "Ada".',
        ) from None


def _section(name: str) -> type[Section]:
    annotation = Settings.model_fields[name].annotation
    arguments = getattr(annotation, "__args__", (annotation,))
    found: type[Section] = next(kind for kind in arguments if isinstance(kind, type) and issubclass(kind, Section))
    return found


def _inline_secret(section: object) -> bool:
    if not isinstance(section, Mapping):
        return False
    return any(map(section.get, ("password", "api_key", "token"))) or any(map(_inline_secret, section.values()))


def _variable(section: str, key: str) -> str:
    return f"{PREFIX}{section.upper()}__{key.upper()}"


def _refuse_unknown_variables() -> None:
    known = {_variable(section, key) for section, names in keys().items() for key in names}
    for name in sorted(os.environ):
        if re.fullmatch(rf"{PREFIX}SOURCES__[A-Z0-9_-]+__[A-Z0-9_]+", name.upper()):  # the names are the owner's own
            continue
        if name.upper().startswith(PREFIX) and "__" in name and name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.6)
            mend = f"Did you mean {near[0]}?" if near else "Remove it; docs/settings.md lists all settings."
            raise NeedsOwner(f"The environment variable {name} is not a setting.", mend)


def _plain(errors: list[ErrorDetails], path: Path, text: str) -> NeedsOwner:
    """The first fault as one sentence; unknown keys come first, for they often cause the others."""
    error = min(errors, key=lambda item: item["type"] != "extra_forbidden")
    section = str(error["loc"][0]) if error["loc"] else ""
    key = str(error.get("ctx", {}).get("key") or (error["loc"][1] if len(error["loc"]) > 1 else ""))
    where = _place(path, text, section, key)
    # An entry of a list of tables is named by its own key: profile.work.skills.
    name = ".".join([section, key, *(str(part) for part in error["loc"][2:] if isinstance(part, str))]).rstrip(".")
    if error["type"] == "extra_forbidden":
        return NeedsOwner(f"{where}: {name} is not a setting.", _nearest(section, key))
    if error["type"] == "missing":
        return NeedsOwner(f"{where}: {name} is missing.", f"Add it, or run ./deskhand init; {_example(section, key)}")
    expected = _expected(error)
    return NeedsOwner(f"{where}: {name} must be {expected}.", "Correct it; docs/settings.md describes each setting.")


def _expected(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "setting":
        return str(context["expected"])
    if kind == "literal_error":
        return f"one of {context['expected']}".replace("'", '"')
    plain = {
        "greater_than_equal": f"at least {context.get('ge')}",
        "less_than_equal": f"at most {context.get('le')}",
        "string_too_short": "not empty",
        "too_short": "not empty",
        "tuple_type": 'a list such as ["one", "two"]',
        "model_type": "a section with keys",
        "model_attributes_type": "a section with keys",
    }
    for beginning, text in (
        ("int", "a whole number"),
        ("float", "a number"),
        ("bool", "true or false"),
        ("string_type", "text in quotes"),
    ):
        if kind.startswith(beginning):
            return text
    return plain.get(kind, error["msg"].lower())


def _place(path: Path, text: str, section: str, key: str) -> str:
    variable = _variable(section, key)
    given = next((name for name in os.environ if name.upper() == variable), "") if key else ""
    if given and os.environ[given]:
        return f"The environment variable {given}"
    line = line_of(text, section, key)
    return f"{path}, line {line}" if line else str(path)


def line_of(text: str, section: str, key: str = "") -> int:
    """The line (from 1) where a key stands, else where its section begins, else 0."""
    current, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\s*\[\s*\"?([^\]\"]+?)\"?\s*\]", line)
        if head:
            current = head.group(1)
            start = number if current in {section, f"{section}.{key}"} else start
            continue
        found = re.match(r"\s*\"?([\w.-]+?)\"?\s*=", line)
        if found and (f"{current}.{found.group(1)}".lstrip(".") in (f"{section}.{key}", section)):
            return number
    return start


def _nearest(section: str, key: str) -> str:
    known = keys()
    if section in known:
        near = difflib.get_close_matches(key, known[section], n=1, cutoff=0.6)
        if near:
            return f'Did you mean "{near[0]}"?'
        home = next((name for name, names in known.items() if key in names), "")
        return f"It belongs into the section [{home}]." if home else f"Known here: {', '.join(known[section])}."
    home = next((name for name, names in known.items() if section in names), "")
    if home:
        return f"It belongs into the section [{home}]."
    near = difflib.get_close_matches(section, known, n=1, cutoff=0.6)
    return f"Did you mean the section [{near[0]}]?" if near else f"The sections are {', '.join(known)}."


_EXAMPLES = {
    "owner.name": 'name = "Ada Winter"',
    "owner.address": 'address = "ada@winter.example"',
    "imap.host": 'host = "imap.winter.example"',
    "smtp.host": 'host = "smtp.winter.example"',
    "model.base_url": 'base_url = "http://127.0.0.1:11434/v1"',
    "model.name": 'name = "qwen3:8b"',
    "embeddings.base_url": 'base_url = "http://127.0.0.1:11434/v1"',
    "embeddings.name": 'name = "nomic-embed-text"',
}


def _example(section: str, key: str) -> str:
    if not key:
        return f"the section begins with [{section}]."
    return f"for example {_EXAMPLES.get(f'{section}.{key}', key)} in the section [{section}]."
