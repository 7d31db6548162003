"""Settings: the sections of `<home>/deskhand.toml` as frozen pydantic models, and what the house takes from them.

Every key is described in docs/settings.md; a test holds the two together.
"""

import re
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from tools.mail.account import Account
from workers.settings.environ import PREFIX
from workers.settings.secrets import secret_of
from workers.settings.servers import ImapSection, Section, SmtpSection, account_at
from workers.settings.tooling import McpSection, ToolsSection
from workers.settings.values import (
    Amount,
    Cost,
    Count,
    Duration,
    Email,
    Emails,
    Positive,
    SourceName,
    TimeOfDay,
    Times,
    Url,
    Words,
    as_list,
    calendar_address,
    email_address,
    ladder_name,
    matching,
    office_hours,
    or_empty,
    quiet_span,
    rate_text,
    signature_blocks,
    web_address,
    whole_number,
    wrong,
    zone_name,
)
from workflows.errors import NeedsOwner
from workflows.models.drafts import Source
from workflows.models.leads import PastWork, Profile
from workflows.models.people import Owner
from workflows.rules.answers.signatures import answers_in
from workflows.rules.leads.rates import parse_rate
from workflows.rules.text.languages import speaks, words_in


class OwnerSection(Section):
    name: Annotated[str, Field(min_length=1)]
    address: Email
    aliases: Emails = ()
    language: Annotated[str, matching(re.compile(r"[a-z]{2}"), 'two small letters such as "en" or "de"')] = "en"
    timezone: Annotated[str, BeforeValidator(zone_name)] = "UTC"
    country: Annotated[str, or_empty(matching(re.compile(r"[A-Z]{2}"), 'two capital letters such as "DE", or ""'))] = ""
    hours: Annotated[str, BeforeValidator(office_hours)] = "Mon-Fri 09:00-18:00"
    disclose: bool = False
    signature: Annotated[tuple[str, ...], BeforeValidator(signature_blocks)] = ()


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
    daily_cost: Cost = Amount(Decimal("2.00"), "USD")
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
        str, or_empty(matching(re.compile(r"[^\s:/]+:\d{1,5}"), '"host:port", or "" for the embedded server'))
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
    second: Annotated[str, or_empty(BeforeValidator(email_address))] = ""
    authserv_id: Annotated[
        str,
        or_empty(
            matching(re.compile(r"[A-Za-z0-9._-]{1,200}"), 'the name of a server such as "mx.winter.example", or ""')
        ),
    ] = ""
    tidy: Literal["off", "folder", "archive"] = "off"
    auto_after: Count = 10
    undo: Duration = timedelta(minutes=10)


class LimitsSection(Section):
    per_hour: Positive = 50
    per_recipient_per_day: Positive = 5
    to_owner_per_hour: Positive = 30
    quiet_hours: Annotated[str, BeforeValidator(quiet_span)] = ""


class WorkItem(Section):
    """One `[[profile.work]]`: a finished work that a bid may name."""

    id: Annotated[str, matching(re.compile(r"[a-z0-9][a-z0-9-]{0,40}"), 'a short name such as "museum-shop"')]
    title: Annotated[str, Field(min_length=1)]
    text: str = ""
    skills: Words = ()
    link: Annotated[str, or_empty(web_address)] = ""


class AnswerItem(Section):
    """One `[[answers]]`: a text of the owner's that answers a question whenever it is asked."""

    title: Annotated[str, Field(min_length=1)]
    text: Annotated[str, Field(min_length=1)]
    verbatim: bool = False
    keywords: Words = ()
    language: Annotated[str, or_empty(matching(re.compile(r"[a-z]{2}"), 'two small letters such as "en", or ""'))] = ""


class ProfileSection(Section):
    rate: Annotated[str, BeforeValidator(rate_text)] = ""
    skills: Words = ()
    facts: Words = ()
    languages: Annotated[
        tuple[Annotated[str, matching(re.compile(r"[a-z]{2}"), 'two small letters each, such as ["en", "de"]')], ...],
        BeforeValidator(as_list),
    ] = ()
    hours_per_week: Count = 0
    minimum: Annotated[str, BeforeValidator(rate_text)] = ""
    engagements: Annotated[
        tuple[Literal["freelance", "contract", "part-time", "full-time"], ...],
        BeforeValidator(as_list),
    ] = ("freelance", "contract", "part-time")
    avoid: Words = ()
    blocked: Words = ()
    work: Annotated[tuple[WorkItem, ...], BeforeValidator(as_list)] = ()

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = [item.id for item in self.work]
        twice = next((name for name in names if names.count(name) > 1), "")
        if twice:
            raise wrong(f'a list of works with an id of their own: "{twice}" stands there twice', "work")
        return self


class LeadsSection(Section):
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.55
    alerts: bool = True


class SourceSection(Section):
    """One `[sources.NAME]`: what is asked for job posts. Keys beside these are the source's own."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    use: str = ""
    url: Annotated[str, or_empty(web_address)] = ""
    every: Annotated[Duration, Field(ge=timedelta(minutes=1))] = timedelta(hours=1)
    token: SecretStr = SecretStr("")
    token_file: str = ""

    def secret(self, home: Path, name: str) -> str:
        """The source's token, "" when it has none.

        Raises:
            NeedsOwner: its file cannot be read or is open to others.
        """
        return secret_of(home, f"sources.{name}", "token", self)


class CalendarItem(Section):
    """One `[[calendar.sources]]`: exactly one of `path`, `url`, `caldav` says where it is."""

    name: Annotated[str, matching(re.compile(r"[a-z0-9][a-z0-9-]{0,40}"), 'a short name such as "work"')]
    path: str = ""
    url: Annotated[str, or_empty(calendar_address)] = ""
    caldav: Annotated[str, or_empty(web_address)] = ""
    user: str = ""
    password: SecretStr = SecretStr("")
    password_file: str = ""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(map(bool, (self.path, self.url, self.caldav))) != 1:
            raise wrong(f'a list whose entry "{self.name}" names one of path, url and caldav', "sources")
        return self


class CalendarSection(Section):
    """`[calendar]`: without sources, no time is promised."""

    sources: Annotated[tuple[CalendarItem, ...], BeforeValidator(as_list)] = ()
    slot: Annotated[Duration, Field(ge=timedelta(minutes=5), le=timedelta(hours=8))] = timedelta(minutes=30)
    buffer: Annotated[Duration, Field(le=timedelta(hours=8))] = timedelta(minutes=15)
    days: Annotated[int, whole_number, Field(ge=1, le=90)] = 14
    notice: Annotated[Duration, Field(le=timedelta(days=30))] = timedelta(hours=2)

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = [item.name for item in self.sources]
        twice = next((name for name in names if names.count(name) > 1), "")
        if twice:
            raise wrong(f'a list of calendars with a name of their own: "{twice}" stands there twice', "sources")
        return self


class MoneySection(Section):
    ladder: Annotated[str, BeforeValidator(ladder_name)] = "standard"
    business_days: bool = True
    dues_at: TimeOfDay = time(8)
    details: str = ""
    invoices: Annotated[str, Field(min_length=1)] = "invoices"


class InvoiceninjaSection(Section):
    """`[invoiceninja]`: left out, it is not asked."""

    url: Annotated[str, or_empty(web_address)] = ""
    token: SecretStr = SecretStr("")
    token_file: str = ""


class WorkSection(Section):
    projects: Annotated[str, Field(min_length=1)] = "projects"
    timesheets: Annotated[str, Field(min_length=1)] = "timesheets"
    dates: Literal["auto", "dmy", "mdy", "ymd"] = "auto"
    timezone: Annotated[str, or_empty(BeforeValidator(zone_name))] = ""
    authors: Emails = ()
    updates_at: TimeOfDay = time(8)
    share_hours: bool = False
    unbilled: bool = True
    hours_per_week: Annotated[int, whole_number, Field(ge=0, le=168)] = 0


class FilesSection(Section):
    folders: Words = ()


class FollowupSection(Section):
    """`[followup]`: which mails are followed up when nobody answers, and after how many working days."""

    after: Annotated[int, whole_number, Field(ge=1, le=60)] = 5
    bids: bool = True
    sent: bool = True
    by_hand: bool = False


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
    tools: ToolsSection = ToolsSection()
    mcp: dict[SourceName, McpSection] = {}
    temporal: TemporalSection = TemporalSection()
    approval: ApprovalSection = ApprovalSection()
    limits: LimitsSection = LimitsSection()
    profile: ProfileSection = ProfileSection()
    leads: LeadsSection = LeadsSection()
    sources: dict[SourceName, SourceSection] = {}
    calendar: CalendarSection = CalendarSection()
    money: MoneySection = MoneySection()
    invoiceninja: InvoiceninjaSection = InvoiceninjaSection()
    work: WorkSection = WorkSection()
    files: FilesSection = FilesSection()
    answers: Annotated[tuple[AnswerItem, ...], BeforeValidator(as_list)] = ()
    followup: FollowupSection = FollowupSection()

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
        fields = self.owner.model_dump(exclude={"signature"})
        owner = Owner(**fields, second=second, languages=self.profile.languages, signatures=self.owner.signature)
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
        profile = self.profile
        return Profile(
            rate=parse_rate(profile.rate),
            minimum=parse_rate(profile.minimum),
            skills=profile.skills,
            work=tuple(PastWork(**item.model_dump()) for item in profile.work),
            hours_per_week=profile.hours_per_week,
            languages=profile.languages or tuple(dict.fromkeys((self.owner.language, "en"))),
            engagements=profile.engagements,
            avoid=profile.avoid,
            blocked=profile.blocked,
            country=self.owner.country,
            timezone=self.owner.timezone,
        )

    def imap_account(self, home: Path) -> Account:
        """The login at the IMAP server, its password read.

        Raises:
            NeedsOwner: there is no password, or its file cannot be read or is open to others.
        """
        user = self.owner.address if self.imap.user is None else self.imap.user
        return account_at(self.imap, "imap", user, secret_of(home, "imap", "password", self.imap), home)

    def smtp_account(self, home: Path) -> Account:
        """The login at the SMTP server; user and password left out are those of [imap].

        Raises:
            NeedsOwner: there is no password, or its file cannot be read or is open to others.
        """
        imap_user = self.owner.address if self.imap.user is None else self.imap.user
        user = imap_user if self.smtp.user is None else self.smtp.user
        password = secret_of(home, "smtp", "password", self.smtp)
        if not password and user == imap_user:
            password = secret_of(home, "imap", "password", self.imap)
        return account_at(self.smtp, "smtp", user, password, home)

    def api_key(self, home: Path, section: Literal["model", "embeddings", "temporal"]) -> str:
        """The key of that section from `api_key` or `api_key_file`, "" when none is set.

        Raises:
            NeedsOwner: the file cannot be read or is open to others.
        """
        part = getattr(self, section)
        return "" if part is None else secret_of(home, section, "api_key", part)

    def invoiceninja_token(self, home: Path) -> str:
        """The API token of Invoice Ninja, "" when it is not configured.

        Raises:
            NeedsOwner: there is an address and no token, or its file cannot be read or is open to others.
        """
        if not self.invoiceninja.url:
            return ""
        token = secret_of(home, "invoiceninja", "token", self.invoiceninja)
        if not token:
            raise NeedsOwner(
                f"No token is set for Invoice Ninja at {self.invoiceninja.url}.",
                "Write one into a file and name it as invoiceninja.token_file.",
            )
        return token


def keys() -> dict[str, tuple[str, ...]]:
    """Every section with its keys, in the order of the documentation."""
    return {name: tuple(_section(name).model_fields) for name in Settings.model_fields}


def _stated(language: str) -> str:
    """How the profile names a language: in English and in itself; a code that has no file as it is."""
    return str(words_in(language, "language")["profile"]) if speaks(language, "language") else language


def _section(name: str) -> type[Section]:
    annotation = Settings.model_fields[name].annotation
    arguments = getattr(annotation, "__args__", (annotation,))
    section: type[Section] = next(kind for kind in arguments if isinstance(kind, type) and issubclass(kind, Section))
    return section
