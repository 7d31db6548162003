"""`check`: one probe for every part, each fault with its mend. One that fails does not stop the rest.

Exit 0 when all required probes hold, else 2: what they name is the owner's to mend.
"""

import asyncio
import importlib.util
import shutil
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from tools.mail.account import Account
from workers import home as homes
from workers.settings import environ, loading
from workers.settings.schema import Settings
from workers.settings.servers import ImapSection
from workers.voice.output import Output
from workflows.errors import DeskhandError, NeedsOwner
from workflows.rules.text.words import counted

if TYPE_CHECKING:
    from tools.mail.inbox import Mailbox

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("workflows", "memory", "tools", "agents", "workers")
PATIENCE = 15.0
"""Seconds for a connection or a TLS handshake."""
ORDER = (
    "settings", "packages", "home", "disk",
    "imap.connect", "imap.tls", "imap.login", "imap.idle", "imap.folders", "imap.sent", "proof",
    "smtp.connect", "smtp.tls", "smtp.login",
    "temporal", "memory", "model", "invoices", "work", "plugins", "sources", "profile", "signature",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """How one part was found. `detail`: what is good to know when it is well; not `required`: only a warning."""

    name: str
    ok: bool
    required: bool = True
    problem: str = ""
    mend: str = ""
    detail: str = ""


_WORTH_A_LOOK = 'What is marked "note" is worth a look.'


Work = Callable[[], Awaitable[str]]
"""Does one probe: a detail when well, a DeskhandError when not."""


Steps = tuple[tuple[str, Callable[[Account], Awaitable[str]]], ...]


class Unneeded(Exception):
    """The part is not in use, or cannot be tried now; the message says why. Not a fault."""


class Warned(Exception):
    """A fault that does not hinder the service."""

    def __init__(self, problem: str, mend: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.mend = mend


def check(output: Output) -> int:
    """Probe every part; 0 when all required ones hold, else 2."""
    return asyncio.run(_check(output))


async def _check(output: Output) -> int:
    faults, notes = 0, 0
    async for probe in probes(output.home):
        shown = {"required": probe.required, "problem": probe.problem, "mend": probe.mend, "detail": probe.detail}
        output.event("probe", name=probe.name, ok=probe.ok, **shown)
        output.text(_line(probe))
        faults += probe.required and not probe.ok
        notes += not probe.required and not probe.ok
    output.text("" if faults else f"\nNothing hinders it. {_WORTH_A_LOOK}" if notes else "\nAll is well.")
    return 2 if faults else 0


def _line(probe: Probe) -> str:
    mark = "ok  " if probe.ok else "FAIL" if probe.required else "note"
    text = probe.detail if probe.ok else f"{probe.problem} {probe.mend}"
    return f"{mark}  {probe.name:<13} {text}".rstrip()


async def probes(home: Path) -> AsyncIterator[Probe]:
    """Every probe in the order of `ORDER`."""
    first = await _probe("settings", lambda: _settings(home))
    yield first
    loaded = loading.load(home) if first.ok else None
    yield await _probe("packages", _packages)
    yield await _probe("home", lambda: _permissions(home))
    yield await _probe("disk", lambda: _disk(home))
    async for probe in _imap(home, loaded):
        yield probe
    async for probe in _smtp(home, loaded):
        yield probe
    last = (
        ("temporal", _temporal), ("memory", _memory), ("model", _model), ("invoices", _invoices), ("work", _work),
        ("plugins", _plugins), ("sources", _sources), ("profile", _profile), ("signature", _signature),
    )  # fmt: skip
    for name, work in last:
        yield await _probe(name, _with(work, home, loaded))


def _with(work: Callable[[Path, Settings], Awaitable[str]], home: Path, loaded: Settings | None) -> Work:
    async def run() -> str:
        if loaded is None:
            raise NeedsOwner("Not tried, because the settings have a fault.", "Mend the settings first.")
        return await work(home, loaded)

    return run


async def _probe(name: str, work: Work) -> Probe:
    try:
        return Probe(name=name, ok=True, detail=await work())
    except Unneeded as reason:
        return Probe(name=name, ok=True, required=False, detail=str(reason))
    except Warned as warning:
        return Probe(name=name, ok=False, required=False, problem=warning.problem, mend=warning.mend)
    except NeedsOwner as error:
        return Probe(name=name, ok=False, problem=error.problem, mend=error.mend)
    except DeskhandError as error:
        return Probe(name=name, ok=False, problem=str(error), mend="Try again in a while.")
    except Exception as error:  # noqa: BLE001 - one probe's own fault must not stop the others
        what = f"This probe failed in a way it did not expect ({type(error).__name__}: {error})."
        return Probe(name=name, ok=False, problem=what, mend="Run ./deskhand status and look into the log folder.")


# ---------------------------------------------------------------- this machine


async def _settings(home: Path) -> str:
    loaded = loading.load(home)
    loaded.owner_facts()
    loaded.imap_account(home)
    loaded.smtp_account(home)
    for section in ("model", "embeddings", "temporal"):
        loaded.api_key(home, section)
    return str(home / loading.FILE)


async def _packages() -> str:
    return await asyncio.to_thread(_own_packages)


def _own_packages() -> str:
    """The five names are plain words; another distribution may own one of them and would be imported instead."""
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        origin = Path(spec.origin).resolve() if spec and spec.origin else None
        if origin is None or not origin.is_relative_to(ROOT):
            raise NeedsOwner(
                f'The package "{name}" comes from {origin or "nowhere"} and not from {ROOT}.',
                "Another distribution owns that name: remove it from this Python, or start by ./deskhand.",
            )
    return str(ROOT)


async def _permissions(home: Path) -> str:
    return await asyncio.to_thread(_closed_to_others, home)


def _closed_to_others(home: Path) -> str:
    if not home.is_dir():
        raise NeedsOwner(f"The home {home} does not exist.", "Run ./deskhand init.")
    found = homes.open_to_others(home)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise NeedsOwner(f"Other users can look into {found[0]}{more}.", f"Run: chmod -R go= {home}")
    return str(home)


async def _disk(home: Path) -> str:
    free = homes.free_bytes(home)
    if free < homes.LITTLE_SPACE:
        raise NeedsOwner(f"Only {free // 2**20} MB are free where {home} lies.", "Free some space.")
    return f"{free / 2**30:.1f} GB free"


# ---------------------------------------------------------------- mail


async def _imap(home: Path, loaded: Settings | None) -> AsyncIterator[Probe]:
    account = _account(lambda: loaded.imap_account(home)) if loaded else None
    steps: Steps = (
        ("imap.connect", connect),
        ("imap.tls", lambda account: handshake(account, "imap")),
        ("imap.login", imap_login),
    )
    well = True
    async for probe in _in_turn(account, steps):
        well = probe.ok
        yield probe
    for name, question in (("imap.idle", _idle), ("imap.folders", _folders), ("imap.sent", _sent)):
        yield await _probe(name, _step(partial(_asked, question, loaded), account, well=well))
    yield await _probe("proof", _step(partial(_asked, partial(_proof, home, loaded), loaded), account, well=well))


async def _smtp(home: Path, loaded: Settings | None) -> AsyncIterator[Probe]:
    account = _account(lambda: loaded.smtp_account(home)) if loaded else None
    steps: Steps = (
        ("smtp.connect", connect),
        ("smtp.tls", lambda account: handshake(account, "smtp")),
        ("smtp.login", smtp_login),
    )
    async for probe in _in_turn(account, steps):
        yield probe


async def _in_turn(account: Account | None, steps: Steps) -> AsyncIterator[Probe]:
    """Each step stands on the one before."""
    well = True
    for name, step in steps:
        probe = await _probe(name, _step(step, account, well=well))
        well = probe.ok
        yield probe


def _account(made: Callable[[], Account]) -> Account | None:
    try:
        return made()
    except NeedsOwner:
        return None  # told by the probe "settings"


def _step(step: Callable[[Account], Awaitable[str]], account: Account | None, *, well: bool) -> Work:
    async def run() -> str:
        if account is None:
            raise NeedsOwner("Not tried, because the settings have a fault.", "Mend the settings first.")
        if not well:
            raise NeedsOwner("Not tried, because the probe before it failed.", "Mend that one first.")
        return await step(account)

    return run


async def connect(account: Account) -> str:
    """Open and close a connection to the server."""
    async with _connected(account):
        return f"{account.host}:{account.port}"


@asynccontextmanager
async def _connected(account: Account) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    where = f"{account.host}:{account.port}"
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(account.host, account.port)
    except TimeoutError:
        raise NeedsOwner(f"{where} does not answer.", "Check host and port, and the firewall.") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise NeedsOwner(f"{where} cannot be reached ({reason}).", "Check host, port and the network.") from None
    try:
        yield reader, writer
    finally:
        writer.close()


async def handshake(account: Account, protocol: Literal["imap", "smtp"]) -> str:
    """Begin TLS as the settings say and verify chain and host name; no password is sent.

    Raises:
        NeedsOwner: the certificate is refused, or the server does not offer TLS.
    """
    from tools.mail import tls

    if account.tls == "none":
        tls.require_loopback(account, protocol)
        return "none (this machine)"
    context = await asyncio.to_thread(tls.context, account)
    async with _connected(account) as (reader, writer):
        try:
            async with asyncio.timeout(PATIENCE):
                if account.tls == "starttls":
                    await _ask_starttls(reader, writer, protocol)
                await writer.start_tls(context, server_hostname=account.host)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise _tls_problem(account, protocol, error) from None
        found: ssl.SSLObject = writer.get_extra_info("ssl_object")
        return f"{found.version()}, certificate of {account.host} verified"


def _tls_problem(account: Account, protocol: str, error: Exception) -> NeedsOwner:
    from tools.mail import tls

    return tls.certificate_problem(account, error) or NeedsOwner(
        f"{account.host}:{account.port} broke off while TLS began.", f"Check {protocol}.port and {protocol}.tls."
    )


async def _ask_starttls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, protocol: str) -> None:
    """The few plain words before STARTTLS."""
    if protocol == "imap":
        await reader.readline()
        answer = await _said(reader, writer, b"a STARTTLS\r\n", b"a ")
        well = answer.upper().startswith(b"A OK")
    else:
        await _reply(reader)
        writer.write(b"EHLO localhost\r\n")
        await _reply(reader)
        writer.write(b"STARTTLS\r\n")
        well = (await _reply(reader)).startswith(b"220")
    if not well:
        raise NeedsOwner(
            "The server does not offer STARTTLS, so the password would travel unprotected.",
            f'Set {protocol}.tls = "implicit" with port {"993" if protocol == "imap" else "465"}.',
        )


async def _said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes, tag: bytes) -> bytes:
    writer.write(line)
    while answer := await reader.readline():
        if answer.lower().startswith(tag):
            return answer
    raise ConnectionResetError


async def _reply(reader: asyncio.StreamReader) -> bytes:
    """The last line of an SMTP reply."""
    while answer := await reader.readline():
        if answer[3:4] != b"-":
            return answer
    raise ConnectionResetError


async def imap_login(account: Account) -> str:
    """Log in and out; raises NeedsOwner or Retryable in plain words."""
    from tools.mail.inbox import Mailbox

    mailbox = Mailbox(account)
    try:
        await mailbox.capabilities()
    finally:
        await mailbox.close()
    return account.user


async def smtp_login(account: Account) -> str:
    """Log in and out, nothing is sent; raises NeedsOwner or Retryable in plain words."""
    from tools.mail.sending.smtp import Transport

    await Transport(account).probe()
    return account.user or "no login (this machine)"


Question = Callable[["Mailbox", ImapSection], Awaitable[str]]


async def _asked(question: Question, loaded: Settings | None, account: Account) -> str:
    from tools.mail.inbox import Mailbox

    if loaded is None:
        raise NeedsOwner("Not tried, because the settings have a fault.", "Mend the settings first.")
    mailbox = Mailbox(account)
    try:
        return await question(mailbox, loaded.imap)
    finally:
        await mailbox.close()


async def _idle(mailbox: "Mailbox", _part: ImapSection) -> str:
    if "IDLE" not in await mailbox.capabilities():
        raise Warned("The server cannot announce new mail (no IDLE).", "Nothing to do: it is asked every minute.")
    return "new mail is announced"


async def _folders(mailbox: "Mailbox", part: ImapSection) -> str:
    names = {folder.name.lower(): folder.name for folder in await mailbox.folders()}
    for wanted in part.folders:
        if wanted.lower() not in names:
            there = ", ".join(sorted(names.values())[:30])
            raise NeedsOwner(f'There is no folder "{wanted}" for imap.folders.', f"There are: {there}.")
    return ", ".join(part.folders)


async def _sent(mailbox: "Mailbox", part: ImapSection) -> str:
    found = await mailbox.sent_folders(part.sent)
    if not found:
        names = ", ".join(folder.name for folder in (await mailbox.folders())[:30])
        raise NeedsOwner(
            "No folder holds what you sent, so answers by mail could not be proven.",
            f"Name it as imap.sent, or send one mail by your mail program to have it made. There are: {names}.",
        )
    return ", ".join(folder.name for folder in found)


async def _proof(home: Path, loaded: Settings | None, mailbox: "Mailbox", _part: ImapSection) -> str:
    """Which proof of the owner's answers this mailbox can give; learns what its server adds to sent mail."""
    from workers.desk.proving import look_into_sent
    from workflows.rules.answers.sent_headers import LEAST

    assert loaded is not None  # `_asked` has seen to it
    folders, learnt = await look_into_sent(home, loaded, mailbox)
    if not folders:
        raise Warned("No answer by mail can be proven without a Sent folder.", "Until then: ./deskhand approve.")
    where, rehearse = ", ".join(folders), "./deskhand check --rehearse shows it for each of your devices."
    if learnt.samples < LEAST:
        raise Unneeded(f"by the copy in {where}; too few mails of yours lie there to learn from. {rehearse}")
    if learnt.strange:
        raise Warned(
            f"Some of {learnt.samples} mails you sent lie in {where} as if delivered ({', '.join(learnt.strange)}).",
            f"Answers with these are not proven; {rehearse}",
        )
    added = ", ".join(learnt.headers) or "nothing"
    second = f"; {loaded.approval.second} by signature" if loaded.approval.second else ""
    return f"by the copy in {where}; to {learnt.samples} mails looked at the server added {added}{second}"


# ---------------------------------------------------------------- Temporal, memory, model


async def _temporal(home: Path, loaded: Settings) -> str:
    if loaded.temporal.address:
        return await _temporal_answers(home, loaded)
    return await asyncio.to_thread(_temporal_cli, loaded.temporal.cli)


async def _temporal_answers(home: Path, loaded: Settings) -> str:
    from temporalio.client import Client

    from workers.temporal.server import refusal

    address, namespace = loaded.temporal.address, loaded.temporal.namespace
    key = loaded.api_key(home, "temporal") or None
    try:
        async with asyncio.timeout(PATIENCE):
            client = await Client.connect(address, namespace=namespace, tls=loaded.temporal.tls, api_key=key)
            await client.count_workflows()
    except (RuntimeError, OSError, TimeoutError) as error:  # RPCError is a RuntimeError
        raise NeedsOwner(
            f'The Temporal server at {address} does not serve the namespace "{namespace}" ({refusal(error)}).',
            "Check temporal.address, temporal.tls, temporal.namespace and the key.",
        ) from None
    return f'{address}, namespace "{namespace}"'


def _temporal_cli(setting: str) -> str:
    from workers.temporal.temporal_cli import OLDEST_SERVER, VERSION, server_inside

    kept = environ.cache_folder() / "bin" / f"temporal-{VERSION}"
    candidates = (setting,) if setting else (shutil.which("temporal"), str(kept))
    for path in filter(None, candidates):
        server = server_inside(Path(path))
        if server and server >= OLDEST_SERVER:
            return f"{path}, server {'.'.join(map(str, server))}"
    if setting:
        raise NeedsOwner(
            f"temporal.cli names {setting}, which is not a Temporal CLI that runs here, or is too old.",
            "Correct it, or leave it empty: Deskhand gets one by itself.",
        )
    raise Warned(
        "There is no Temporal CLI on this machine yet.",
        "./deskhand up gets one by itself: a download, or a build of some minutes, once.",
    )


async def _memory(home: Path, loaded: Settings) -> str:
    if not (home / "chroma").exists():
        raise Unneeded("There is nothing remembered yet; the first ./deskhand up makes the store.")
    held = homes.holder(home)
    if held:
        raise Unneeded(f"In use by {held}.")
    return await asyncio.to_thread(_store, home, loaded)


def _store(home: Path, loaded: Settings) -> str:
    """Open the store while the home is held; what is damaged is set aside and rebuilt, and told."""
    from memory.index.keywords import Keywords
    from memory.index.store import Store
    from memory.journal import Journal
    from memory.ledger import Ledger
    from memory.record.blobs import Blobs
    from memory.record.schema import open_engine
    from workers.clock import SystemClock
    from workers.service.wiring import embedder

    said: list[str] = []
    clock = SystemClock()
    with homes.hold(home, "check"):
        engine = open_engine(home / "ledger.sqlite")
        ledger = Ledger(engine, loaded.owner_facts(), clock, Blobs(home / "blobs"))
        keywords = Keywords(home / "index.sqlite", ledger.home(), clock, said.append)
        # The embedder of the service, for the store takes a folder made by another one as damaged and rebuilds it.
        vectors = embedder(home, loaded, Journal(engine, clock, loaded.owner.timezone))
        store = Store(home / "chroma", ledger, keywords, vectors, clock, said.append)
        try:
            count = store.count()
        finally:
            store.close()
    return " ".join((f"{count} vectors.", *said))


async def _model(home: Path, loaded: Settings) -> str:
    if loaded.model is None:
        raise Unneeded("No model is configured: rules and templates do the work.")
    from agents.model import Model
    from agents.prices import Prices
    from memory.journal import Caps, Journal
    from memory.record.schema import open_engine
    from workers.clock import SystemClock

    part, clock = loaded.model, SystemClock()
    # A ledger of its own: the probe must work before there is one, and must not stand in any case's account.
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(Path(folder) / "ledger.sqlite")
        model = Model(
            base_url=part.base_url,
            name=part.name,
            api_key=loaded.api_key(home, "model"),
            structured=part.structured,
            caps=Caps.parse(str(part.daily_cost), part.daily_calls, part.daily_tokens),
            journal=Journal(engine, clock, loaded.owner.timezone),
            prices=Prices.load(),
            clock=clock,
        )
        try:
            return await model.probe()
        finally:
            await model.aclose()
            engine.dispose()


async def _invoices(home: Path, loaded: Settings) -> str:
    """The folder of invoices and Invoice Ninja: read as the service does, nothing kept."""
    from workers.sources import invoicing

    detail, faults = await invoicing.probe(loaded, home)
    if faults:
        more = f" And {len(faults) - 1} more." if len(faults) > 1 else ""
        raise Warned(f"{faults[0]}{more}", "Mend it; everything else is taken in meanwhile.")
    if not detail:
        raise Unneeded("There are no invoices: docs/money.md says where they come from.")
    return detail


async def _work(home: Path, loaded: Settings) -> str:
    """The folders of projects and timesheets, and the repositories: read as the service does, nothing kept."""
    from workers.clock import SystemClock
    from workers.sources.folders import Folders, together

    folders = Folders(home=home, settings=loaded.work, owner=loaded.owner_facts())
    today = SystemClock().now().astimezone(ZoneInfo(loaded.owner.timezone)).date()
    projects = await asyncio.to_thread(folders.projects)
    found = await asyncio.to_thread(folders.work, projects.found, today)
    if faults := [*projects.faults, *found.faults]:
        fault = together(faults)
        if isinstance(fault, NeedsOwner):
            raise Warned(fault.problem, fault.mend or "Mend it; everything else is taken in meanwhile.")
        raise fault
    if not projects.found:
        raise Unneeded("There are no projects: docs/status.md says how one is written.")
    pieces = counted(len(found.pieces), "piece of work", "pieces of work")
    return f"{counted(len(projects.found), 'project')}, {pieces}."


async def _plugins(home: Path, loaded: Settings) -> str:
    """Every plugin is run as the service does, and every configured source has one that gives it."""
    from tools.plugins import foreign, load

    there = await asyncio.to_thread(foreign, home / "plugins")
    if not there and not loaded.sources:
        raise Unneeded("There are no plugins and no sources: docs/leads.md describes both.")
    found = await asyncio.to_thread(load, home / "plugins")
    if found.refused:
        raise NeedsOwner(" ".join(one.reason for one in found.refused), "Plugins are trusted code: run only your own.")
    for name, section in loaded.sources.items():
        wanted = section.use or name
        if wanted not in found.sources:
            raise NeedsOwner(
                f'The source {name} uses "{wanted}", which no plugin gives.',
                f"Set use in [sources.{name}] to one of {', '.join(sorted(found.sources))}.",
            )
    runs = "which runs" if len(there) == 1 else "which run"
    return f"{counted(len(there), 'plugin')}, {runs} with your rights; {counted(len(loaded.sources), 'source')}."


async def _sources(home: Path, loaded: Settings) -> str:
    """Each source is asked once, as the service does; nothing is kept."""
    from workers.clock import SystemClock
    from workers.sources import feeds

    if not loaded.sources:
        raise Unneeded("No job posts are read: docs/leads.md describes how.")
    if held := homes.holder(home):
        raise Unneeded(f"Asked by {held}: ./deskhand status tells how that goes.")
    detail, faults = await feeds.probe(loaded.sources, home, SystemClock().now())
    needed = [fault for fault in faults if isinstance(fault, NeedsOwner)]
    if needed:
        more = f" And {len(faults) - 1} more." if len(faults) > 1 else ""
        raise NeedsOwner(f"{needed[0].problem}{more}", needed[0].mend)
    if faults:
        raise Warned(" ".join(str(fault) for fault in faults), "Nothing to do: it is asked again.")
    return detail


async def _profile(_home: Path, loaded: Settings) -> str:
    """What leads are weighed by and bids are made of."""
    profile = loaded.profile
    if not loaded.sources:
        raise Unneeded("No job posts are read, so no profile is needed: docs/leads.md describes both.")
    lacking = [key for key in ("rate", "skills", "work") if not getattr(profile, key)]
    if lacking:
        missing = " and no ".join(lacking)
        raise Warned(
            f"The profile names no {missing}: job posts are weighed without, and bids say nothing of it.",
            "Fill in [profile]; docs/settings.md describes each key.",
        )
    past = counted(len(profile.work), "piece of past work", "pieces of past work")
    counts = f"{counted(len(profile.skills), 'skill')}, {past}, {counted(len(profile.facts), 'fact')}"
    return f"Bids are made of {profile.rate}, {counts}."


async def _signature(home: Path, loaded: Settings) -> str:
    """What is left out of the owner's answers as his signature."""
    from workers.desk.endings import signatures

    return await signatures(home, loaded)
