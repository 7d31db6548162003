"""The one place where classes meet: `build` makes every part from the settings and starts none of them."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from agents.door.prices import Prices
from agents.model import Model
from agents.templates import Drafter, TemplateReply
from memory.briefs.invitations import InvitationDesk
from memory.briefs.recall import DeskSources, Recall
from memory.desk.invited import Invited
from memory.desk.slots import HeldSlots
from memory.index.keywords import Keywords
from memory.index.store import Store
from memory.journal import Caps, Journal
from memory.keys import Keys
from memory.leads.posts import Judge
from memory.ledger import Intake, Ledger
from memory.lookups import Lookups
from memory.model.embedding import Embedder, EndpointEmbedder, HashingEmbedder
from memory.outbox.entries import SendLimits
from memory.outbox.outgoing import OutgoingLedger
from memory.outbox.restored import Departures, Restored
from memory.post.enclosed import Enclosures
from memory.record.blobs import Blobs
from memory.record.schema import open_engine
from tools.calendar.guard import SlotGuard
from tools.calendar.invitations import invitation_in
from tools.errands import ErrandRunner
from tools.files.folders import OwnFiles
from tools.files.reader import FileReader
from tools.mail.account import Account
from tools.mail.desk import ApprovalTerms, MailDesk
from tools.mail.inbox import Mailbox
from tools.mail.message.signatures import Signatures, resolve
from tools.mail.parser import Parser
from tools.mail.sending.evidence import Evidence
from tools.mail.sending.outbox import Outbox
from tools.mail.sending.reconcile import Reconcile
from tools.mail.sending.smtp import Transport
from tools.plugins import load
from tools.work.gitlog import folder_of
from workers.clock import SystemClock
from workers.desk.parts import NamedParts
from workers.desk.proposed_files import FileProposals
from workers.rounds.polling import Watch
from workers.settings.schema import Settings
from workers.sources.answers import StandingTexts
from workers.sources.calendars import CalendarLook, booking_of, calendars_of, offering_of
from workers.sources.stories import Ground, Stories, stories
from workflows.models.people import Owner
from workflows.ports import Clock, Drafting, Researching


@dataclass(slots=True, kw_only=True)
class Parts:
    """Everything the service is made of, by name."""

    owner: Owner
    clock: Clock
    engine: Engine
    keys: Keys
    blobs: Blobs
    ledger: Ledger
    rows: OutgoingLedger
    journal: Journal
    parser: Parser
    reader: FileReader
    files: OwnFiles
    doing: ErrandRunner
    imap_account: Account
    mailbox: Mailbox
    transport: Transport
    outbox: Outbox
    evidence: Evidence
    reconcile: Reconcile
    signatures: Signatures
    desk: MailDesk
    store: Store
    recall: Recall
    model: Model | None
    drafter: Drafting
    researcher: Researching
    judge: Judge
    watches: tuple[Watch, ...] = ()
    health: dict[str, str] = field(default_factory=dict)  # part -> how it is, in words, for `status`

    def named_parts(self) -> NamedParts:
        """Looks up what an answer names."""
        return NamedParts(self.ledger, self.files, self.reader, self.blobs, self.owner)

    async def aclose(self) -> None:
        """End what holds a process, a connection or a file."""
        if self.model:
            await self.model.aclose()
        await self.mailbox.close()
        self.parser.close()
        self.reader.close()
        self.store.close()
        self.engine.dispose()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Records:
    """What is kept, and by what it is kept."""

    home: Path
    settings: Settings
    owner: Owner
    clock: Clock
    engine: Engine
    keys: Keys
    blobs: Blobs
    ledger: Ledger
    rows: OutgoingLedger
    journal: Journal
    files: OwnFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class _PostRoom:
    """What mail comes in by and goes out by."""

    parser: Parser
    imap_account: Account
    mailbox: Mailbox
    transport: Transport
    evidence: Evidence
    reconcile: Reconcile
    outbox: Outbox
    desk: MailDesk


def build(home: Path, settings: Settings, clock: Clock | None = None, permit: frozenset[str] = frozenset()) -> Parts:
    """Every part for this home, connected to its neighbours. `permit`: servers on this machine that are web pages.

    Raises:
        NeedsOwner: the ledger, a key, a password or a setting must be mended first.
    """
    records = _records(home, settings, clock or SystemClock())
    post = _post_room(records)
    health: dict[str, str] = {}
    store = _store(records, health)
    model = _model(home, settings, records.journal, records.clock)
    answers = StandingTexts(home=home, settings=settings)
    recall = Recall(records.ledger, store, settings.profile_sources(), records.owner, _desk_sources(records, answers))
    reader = _file_reader(records, recall)
    ground = Ground(
        home=home, settings=settings, ledger=records.ledger, recall=recall, owner=records.owner, clock=records.clock,
        model=model, lookups=Lookups(records.engine, records.clock), desk=post.desk, permit=permit,
    )  # fmt: skip
    repertoire = stories(ground)
    recall.also_builds(repertoire.builders)
    return Parts(
        owner=records.owner,
        clock=records.clock,
        engine=records.engine,
        keys=records.keys,
        blobs=records.blobs,
        ledger=records.ledger,
        rows=records.rows,
        journal=records.journal,
        parser=post.parser,
        reader=reader,
        files=records.files,
        doing=_errands(records),
        imap_account=post.imap_account,
        mailbox=post.mailbox,
        transport=post.transport,
        outbox=post.outbox,
        evidence=post.evidence,
        reconcile=post.reconcile,
        signatures=Signatures(settings.approval.authserv_id, resolve),
        desk=post.desk,
        store=store,
        recall=recall,
        model=model,
        drafter=FileProposals(_drafter(settings, model, repertoire), records.files),
        researcher=repertoire.researcher,
        judge=repertoire.judge,
        watches=(*repertoire.watches, *answers.watches()),
        health=health,
    )


def _errands(records: _Records) -> ErrandRunner:
    """What is done after a yes. Plugins and the calendar are looked up when they are needed: they may change."""
    home, settings = records.home, records.settings
    return ErrandRunner(
        ledger=records.ledger,
        tools=lambda: load(home / "plugins").tools,
        booking=lambda: booking_of(settings, home, records.clock),
    )


def _file_reader(records: _Records, recall: Recall) -> FileReader:
    """What reads the files of mails, for briefs and for answers."""
    reader = FileReader()
    recall.also_reads(Enclosures(records.engine, records.clock, records.blobs, reader), records.files)
    return reader


def _records(home: Path, settings: Settings, clock: Clock) -> _Records:
    owner = settings.owner_facts()
    engine = open_engine(home / "ledger.sqlite")
    keys, blobs = Keys(home / "keys"), Blobs(home / "blobs")
    approval = settings.approval
    return _Records(
        home=home,
        settings=settings,
        owner=owner,
        clock=clock,
        engine=engine,
        keys=keys,
        blobs=blobs,
        ledger=Ledger(engine, owner, clock, blobs, _intake(settings), approval.auto_after, approval.undo),
        rows=OutgoingLedger(engine, clock, blobs),
        journal=Journal(engine, clock, owner.timezone),
        files=OwnFiles((home / "files", *(folder_of(name, home) for name in settings.files.folders)), blobs),
    )


def _post_room(records: _Records) -> _PostRoom:
    settings, owner, clock = records.settings, records.owner, records.clock
    parser = Parser()
    imap_account = settings.imap_account(records.home)
    mailbox = Mailbox(imap_account)
    transport = Transport(settings.smtp_account(records.home))
    evidence = Evidence(mailbox, parser.parse, settings.imap.sent)
    reconcile = Reconcile(
        restored=Restored(records.engine, clock),
        departures=Departures(records.home / "keys" / "departures"),
        evidence=evidence,
        home=records.ledger.home(),
        begun=clock.now(),
    )
    outbox = Outbox(
        ledger=records.rows, blobs=records.blobs, transport=transport, evidence=evidence, owner=owner,
        limits=_limits(settings), clock=clock, files_sent=settings.smtp.files_sent, via=settings.approval.via,
        reconcile=reconcile, changed=records.files.changed, guard=_slot_guard(records).before,
    )  # fmt: skip
    desk = MailDesk(
        ledger=records.ledger, rows=records.rows, outbox=outbox, blobs=records.blobs, owner=owner, clock=clock,
        terms=_terms(settings), key=records.keys.nonce_key(), evidence=evidence,
    )  # fmt: skip
    return _PostRoom(
        parser=parser,
        imap_account=imap_account,
        mailbox=mailbox,
        transport=transport,
        evidence=evidence,
        reconcile=reconcile,
        outbox=outbox,
        desk=desk,
    )


def _desk_sources(records: _Records, answers: StandingTexts) -> DeskSources:
    """What a brief is told of the desk besides the ledger: standing answers, calendars and invitations."""
    home, settings, clock = records.home, records.settings, records.clock
    look, terms = CalendarLook(calendars=calendars_of(settings, home, clock)).busy, offering_of(settings)
    invitations = InvitationDesk(
        ledger=records.ledger, blobs=records.blobs, owner=records.owner, read=invitation_in, look=look, terms=terms
    )
    books = booking_of(settings, home, clock) is not None
    return DeskSources(standing=answers.now, look=look, books=books, terms=terms, invitations=invitations)


def _slot_guard(records: _Records) -> SlotGuard:
    calendars = calendars_of(records.settings, records.home, records.clock)
    slots = HeldSlots(records.engine, records.clock)
    invited = Invited(records.engine, records.clock)
    return SlotGuard(slots=slots, invited=invited, calendar=calendars, zone=records.owner.timezone)


def _intake(settings: Settings) -> Intake:
    intake = settings.intake
    return Intake(
        draft_for=intake.draft_for,
        first_day=intake.first_day,
        ignore=intake.ignore,
        alerts=settings.leads.alerts,
        authserv_id=settings.approval.authserv_id,
    )


def _store(records: _Records, health: dict[str, str]) -> Store:
    home, ledger, clock = records.home, records.ledger, records.clock

    def degraded(problem: str) -> None:
        health["memory"] = problem

    keywords = Keywords(home / "index.sqlite", ledger.home(), clock, degraded)
    vectors = embedder(home, records.settings, records.journal)
    return Store(home / "chroma", ledger, keywords, vectors, clock, degraded)


def _terms(settings: Settings) -> ApprovalTerms:
    return ApprovalTerms(
        expire_after_days=settings.approval.expire_after.total_seconds() / 86_400,
        grace=settings.approval.grace.total_seconds(),
        undo=settings.approval.undo.total_seconds(),
        mode=settings.approval.mode,
        most_waiting=settings.approval.most_waiting,
        per_hour=settings.limits.to_owner_per_hour,
    )


def _limits(settings: Settings) -> SendLimits:
    return SendLimits(
        per_hour=settings.limits.per_hour,
        per_recipient_per_day=settings.limits.per_recipient_per_day,
        quiet_hours=settings.limits.quiet_hours,
        timezone=settings.owner.timezone,
        grace=settings.approval.grace,
    )


def embedder(home: Path, settings: Settings, journal: Journal) -> Embedder:
    """What makes the vectors of this home."""
    chosen = settings.embeddings
    if chosen is None:
        return HashingEmbedder()
    charge = partial(
        journal.charge, chosen.name, most_calls=chosen.daily_calls, most_tokens=chosen.daily_tokens
    )  # fmt: skip
    return EndpointEmbedder(chosen.base_url, chosen.name, settings.api_key(home, "embeddings"), charge)


def _model(home: Path, settings: Settings, journal: Journal, clock: Clock) -> Model | None:
    chosen = settings.model
    if chosen is None:
        return None
    return Model(
        base_url=chosen.base_url,
        name=chosen.name,
        api_key=settings.api_key(home, "model"),
        structured=chosen.structured,
        caps=Caps.parse(str(chosen.daily_cost), chosen.daily_calls, chosen.daily_tokens),
        journal=journal,
        prices=Prices.load(),
        clock=clock,
    )


def _drafter(settings: Settings, model: Model | None, repertoire: Stories) -> Drafter:
    disclose, others = settings.owner.disclose, repertoire.drafters
    if model is None:
        return Drafter(TemplateReply(), disclose=disclose, others=others)
    from agents.reply import ReplyAgent

    return Drafter(
        TemplateReply(), ReplyAgent(model, TemplateReply(), repertoire.reference), disclose=disclose, others=others
    )
