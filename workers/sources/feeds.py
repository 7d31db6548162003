"""The sources of job posts: each asked at its own pace, its posts judged and recorded, its faults told plainly."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import structlog

from memory.leads.posts import Judge, SourcePost
from memory.ledger import Ledger
from tools.feeds import Pulled, least_pause, pull
from tools.plugins import Declared, Plugins, PostSource, foreign, load
from tools.web.addresses import PORTS, reach_of
from tools.web.client import Web
from workers.rounds.polling import NotAsked, Watch
from workers.settings.schema import LeadsSection, SourceSection
from workflows.errors import DeskhandError, NeedsOwner, Retryable
from workflows.models.leads import Lead, Profile
from workflows.models.people import Owner
from workflows.models.routes import Ignore, Start
from workflows.ports import Clock
from workflows.rules.leads.lead import UNREADABLE, lead_of
from workflows.rules.leads.scoring import score, verdict
from workflows.rules.text.calendar import zone as zone_of
from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import counted

log = structlog.get_logger()

PLUGINS_EVERY = timedelta(days=1)
"""How often it is looked whether every plugin can be loaded."""
_SLACK = timedelta(minutes=1)
"""A look that comes this much too early is in time: schedules are not exact."""
_LONGEST_REST = timedelta(days=1)


@dataclass(slots=True, kw_only=True)
class Feeds:
    """The lead story's sources, made from the settings. Plugins are loaded when the first source is asked."""

    home: Path
    leads: LeadsSection
    sources: Mapping[str, SourceSection]
    profile: Profile
    ledger: Ledger
    owner: Owner
    clock: Clock
    _plugins: Plugins | None = None
    _tls: ssl.SSLContext | None = None
    _loading: asyncio.Lock = field(default_factory=asyncio.Lock)

    def watches(self) -> tuple[Watch, ...]:
        """One for each configured source, and one that tells of plugins that are left out, where there are any."""
        watches = tuple(self._watch(name, section) for name, section in self.sources.items())
        if not self._foreign():
            return watches
        return (*watches, Watch(name="plugins", every=PLUGINS_EVERY, run=self.look_at_plugins))

    def _foreign(self) -> list[Declared]:
        return list(foreign(self.home / "plugins"))

    def _watch(self, name: str, section: SourceSection) -> Watch:
        async def run() -> str:
            return await self.look(name)

        return Watch(name=f"source-{name}", every=max(section.every, least_pause(None, (section.url,))), run=run)

    async def look(self, name: str) -> str:
        """Ask one source and record what it has, unless it is too early for it; what came, in one line.

        Raises:
            Retryable, NeedsOwner: what is wrong with it, in one sentence.
        """
        section = self.sources[name]
        source = await self._source(name, section)
        feed = await asyncio.to_thread(self.ledger.feed, name)
        now = self.clock.now()
        if until := _too_early(now, feed.asked_at, feed.wait_until, least_pause(source, (section.url,))):
            return NotAsked(f"not before {until:%H:%M} UTC")
        settings = await asyncio.to_thread(_table_of, name, section, self.home)
        try:
            pulled = await pull(name, source, settings, feed.state, self._web(section))
        except Retryable as error:
            if error.after:
                pause = min(timedelta(seconds=error.after), _LONGEST_REST)
                await asyncio.to_thread(self.ledger.let_rest, name, now + pause)
            raise
        return await asyncio.to_thread(self._record, name, pulled, now)

    def _record(self, name: str, pulled: Pulled, now: datetime) -> str:
        posts = [_post(item, name, now, zone_of(self.owner)) for item in pulled.items]
        _refuse_unreadable(name, posts)
        counts = self.ledger.record_leads(
            name, posts, self.judge(), pulled.state, gone=pulled.gone, asked_at=now
        )  # fmt: skip
        return str(counts) if pulled.changed or counts.posts else "nothing new"

    def judged(self, lead: Lead) -> Start | Ignore:
        """Whether this one lead is bid for."""
        return self.judge()(lead)

    def judge(self) -> Judge:
        """Whether a lead is bid for, weighed against the profile and what was won before, as of now."""
        wins, now = self.ledger.wins(), self.clock.now()

        def decide(lead: Lead) -> Start | Ignore:
            if lead.contact.email in self.owner.addresses:
                return Ignore(rule="own-post", reason=f"It is your own post: it names {lead.contact.email}.")
            return verdict(score(lead, self.profile, now, threshold=self.leads.threshold, wins=wins))

        return decide

    # ------------------------------------------------------------ plugins and the client

    async def look_at_plugins(self) -> str:
        """Say which plugins are left out.

        Raises:
            NeedsOwner: one is.
        """
        plugins = await self._loaded()
        if plugins.refused:
            reasons = " ".join(refusal.reason for refusal in plugins.refused)
            raise NeedsOwner(reasons, "Start Deskhand again afterwards; ./deskhand tools shows every plugin.")
        return f"{len(self._foreign())} plugins"

    async def plugins(self) -> Plugins:
        """All plugins, loaded when they are first wanted."""
        return await self._loaded()

    async def _loaded(self) -> Plugins:
        async with self._loading:
            if self._plugins is None:
                self._plugins = await asyncio.to_thread(load, self.home / "plugins")
            return self._plugins

    async def _source(self, name: str, section: SourceSection) -> PostSource:
        return _source_of(name, section, await self._loaded())

    def _web(self, section: SourceSection) -> Web:
        self._tls = self._tls or ssl.create_default_context()
        return _web_of(section, self._tls)


async def probe(sources: Mapping[str, SourceSection], home: Path, now: datetime) -> tuple[str, list[DeskhandError]]:
    """Ask each source once, nothing kept: what they give now, and what is wrong with those that give nothing."""
    plugins, tls = await asyncio.to_thread(load, home / "plugins"), ssl.create_default_context()

    async def ask(name: str, section: SourceSection) -> int:
        source = _source_of(name, section, plugins)
        table = await asyncio.to_thread(_table_of, name, section, home)
        pulled = await pull(name, source, table, {}, _web_of(section, tls))
        posts = [_post(item, name, now, UTC) for item in pulled.items]
        _refuse_unreadable(name, posts)
        return len(posts)

    answers = await asyncio.gather(*(ask(name, section) for name, section in sources.items()), return_exceptions=True)
    faults = [answer for answer in answers if isinstance(answer, DeskhandError)]
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, DeskhandError):
            raise answer
    posts = sum(answer for answer in answers if isinstance(answer, int))
    return f"{counted(len(answers) - len(faults), 'source')} asked, {counted(posts, 'post')} there now.", faults


def _source_of(name: str, section: SourceSection, plugins: Plugins) -> PostSource:
    kind = section.use or name
    if source := plugins.sources.get(kind):
        return source
    broken = next((refusal.reason for refusal in plugins.refused if refusal.plugin == kind), "")
    raise NeedsOwner(
        broken or f'The source {name} uses "{kind}", which no plugin gives.',
        f"Set use in [sources.{name}] to one of {', '.join(sorted(plugins.sources))}.",
    )


def _table_of(name: str, section: SourceSection, home: Path) -> dict[str, Any]:
    """The settings as their source is given them, the token in the clear."""
    fields = section.model_dump(exclude={"use", "token", "token_file"})
    token = section.secret(home, name)
    return {key: value for key, value in fields.items() if value != ""} | ({"token": token} if token else {})


def _web_of(section: SourceSection, tls: ssl.SSLContext) -> Web:
    # The address is the owner's own setting: a reader on this machine or in this house may be asked.
    permit, port = reach_of(section.url)
    return Web(permit=permit, ports=PORTS | port, tls=tls)


def _refuse_unreadable(name: str, posts: Sequence[SourcePost]) -> None:
    if posts and all(isinstance(post.found, Ignore) and post.found.rule == UNREADABLE for post in posts):
        raise NeedsOwner(
            f"The source {name} gave {len(posts)} posts and none of them can be read: {_first_reason(posts)}",
            f"Its format may have changed: correct [sources.{name}] in deskhand.toml, or take it out.",
        )


def _too_early(
    now: datetime, asked_at: datetime | None, wait_until: datetime | None, pause: timedelta
) -> datetime | None:
    """Until when the source is left alone, None when it may be asked. A clock that was set back does not count."""
    if wait_until is not None and now < wait_until <= now + _LONGEST_REST:
        return wait_until
    if asked_at is not None and asked_at <= now < asked_at + pause - min(_SLACK, pause / 10):
        return asked_at + pause
    return None


def _post(item: Mapping[str, Any], source: str, now: datetime, zone: tzinfo) -> SourcePost:
    try:
        outcome = lead_of(item, source, now, zone)
    except Exception as error:  # a fault of ours: the other posts are taken all the same
        log.exception("a post could not be read", source=source)
        outcome = Ignore(rule=UNREADABLE, reason=f"Reading it failed ({type(error).__name__}).")
    if isinstance(outcome, Lead):
        return SourcePost(id=outcome.id, title=outcome.title, found=outcome)
    title = one_line(str(item.get("title") or item.get("id") or "a post without title")[:400], 200)
    number = one_line(str(item.get("id") or ""), 300) or f"?{title}"
    return SourcePost(id=number, title=title, found=outcome)


def _first_reason(posts: Sequence[SourcePost]) -> str:
    return next(post.found.reason for post in posts if isinstance(post.found, Ignore))
