"""What is relevant now: a client's own history, searched by meaning and by words, and the brief made of it.

The ledger gives the client's documents, Chroma their vectors, the keyword index its hits; reciprocal rank fusion joins
the two rankings. No query ever runs over more than one client's texts.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from memory.briefs.fitting import fitting
from memory.briefs.invitations import InvitationDesk
from memory.index.store import Store, chunks
from memory.ledger import Ledger
from memory.model.embedding import folded
from memory.post.enclosed import Enclosures
from memory.post.mails import document_id
from memory.record.documents import Document
from memory.record.schema import to_json
from workflows.models.case import CaseState
from workflows.models.desk import NO_TIMES, ClientQuestion, StandingAnswer, Times
from workflows.models.drafts import Brief, FileOffer, Source
from workflows.models.mail import Address, Email
from workflows.models.people import Client, Owner
from workflows.ports import Filing
from workflows.rules.desk.conversation import quoted_turn
from workflows.rules.desk.questions import questions
from workflows.rules.desk.slots import Offering
from workflows.rules.desk.standing import facts
from workflows.rules.desk.times import Look, diary_at, times_of
from workflows.rules.mail.authentication import authentication_server, fails_dmarc
from workflows.rules.mail.files import attached
from workflows.rules.mail.replying import gist, left_out, maybe_older, new_part
from workflows.rules.text.canonical import one_line
from workflows.rules.text.language import language_of
from workflows.rules.text.writers import addressee_of
from workflows.rules.work.scope import outside_scope, told
from workflows.stories import Kind

MOST_SOURCES = 6
QUOTE = 200
"""Characters of a source's quote."""
MOST_MESSAGE = 20_000
_QUERY = 2000
_CANDIDATES = 30
_FUSION = 60  # the constant of reciprocal rank fusion (Cormack et al., 2009)
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
_BEST_FIRST = ("sent", "edited", "received", "drafted")


@dataclass(frozen=True, slots=True, kw_only=True)
class _CaseMail:
    email: Email
    client: str
    at: datetime
    owner: Owner
    earlier: tuple[str, ...] = ()  # the mails it answers

    @property
    def text(self) -> str:
        return new_part(self.email.text, self.earlier, addressee_of(self.email, self.owner))

    @property
    def older(self) -> str:
        return maybe_older(self.email.text, self.earlier, addressee_of(self.email, self.owner))

    @property
    def left_out(self) -> str:
        return left_out(self.email.text, self.earlier, addressee_of(self.email, self.owner))


Builder = Callable[[CaseState], Brief]
StandingAnswers = Callable[[], Sequence[StandingAnswer]]
"""Gives the owner's standing answers as they are now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSources:
    """What a reply's brief asks besides the ledger.

    `look`: the owner's calendars, None where there are none; `books`: one of them can be written to.
    """

    standing: StandingAnswers = tuple
    look: Look | None = None
    books: bool = False
    terms: Offering = field(default_factory=Offering)
    invitations: InvitationDesk | None = None


NO_DESK = DeskSources()


class Recall:
    """Builds briefs and keeps the indexes in step; implements `workflows.ports.Remembering`."""

    def __init__(
        self,
        ledger: Ledger,
        store: Store,
        profile: tuple[Source, ...],
        owner: Owner,
        desk: DeskSources = NO_DESK,
    ) -> None:
        self._enclosures: Enclosures | None = None
        self._filing: Filing | None = None
        self._builders: dict[Kind, Builder] = {"reply": self._build}
        self._ledger = ledger
        self._store = store
        self._profile = profile
        self._owner = owner
        self._desk = desk

    def remember(self, case: int) -> int:
        """Index every document that is not indexed yet; how many there were."""
        return self._store.catch_up()

    def brief(self, state: CaseState) -> int:
        """Build the brief of a case, store it and give its id; the same state again gives the same id."""
        key = hashlib.sha256(to_json(state).encode()).hexdigest()
        brief_id = self._ledger.brief_with(state.case, key)
        return brief_id or self._ledger.keep_brief(self._builders[state.kind](state), key)

    def also_builds(self, builders: Mapping[Kind, Builder]) -> None:
        """Who builds the briefs of the stories that no mail began; they may search here in turn."""
        self._builders.update(builders)

    def also_reads(self, enclosures: Enclosures, filing: Filing) -> None:
        """What came with a mail, and which files of the owner's it asks for."""
        self._enclosures, self._filing = enclosures, filing

    def search(self, client: str, text: str, limit: int = MOST_SOURCES) -> tuple[Source, ...]:
        """What this client's history says about `text`, best first. Other clients' texts are never looked at."""
        return self._relevant(client, text, frozenset(), limit)

    def standing_answers(self, brief: Brief, values: Mapping[str, object]) -> tuple[Source, ...]:
        """The owner's standing answers that have to do with `query`, best first; one sentence where none has."""
        question = ClientQuestion(text=str(values["query"]))
        fits = fitting([question], self._desk.standing(), brief.language, self._store.embed)
        nothing = Source(id="answer:none", kind="answer", quote="No standing answer has to do with that.")
        return tuple(_standing_source(one.answer) for one in fits) or (nothing,)

    # ------------------------------------------------------------ the brief

    def _build(self, state: CaseState) -> Brief:
        mails = [
            _CaseMail(email=email, client=client_id, at=at, owner=self._owner, earlier=self._ledger.earlier(email))
            for email, client_id, at in self._ledger.case_mails(state)
        ]
        client_mails = [mail for mail in mails if mail.client == state.client]
        outside_mails = [mail for mail in mails if mail.client != state.client]
        newest = client_mails[-1].email if client_mails else None
        client = self._ledger.client_of(state.case)
        message = _joined([mail.text for mail in client_mails])
        proven = not any(fails_dmarc(mail.email) or mail.email.form for mail in client_mails)
        sources = self._sources(state, client, newest, message, mails) if proven and newest else ()
        brief = Brief(
            case=state.case,
            kind=state.kind,
            client=client,
            sender=newest.sender if newest else Address(email=""),
            subject=newest.subject if newest else "",
            message=message,
            newest=client_mails[-1].text if len(client_mails) > 1 else "",
            left_out=_left_out(client_mails),
            older=_joined([mail.older for mail in client_mails]),
            files=tuple(file for mail in client_mails for file in attached(mail.email)),
            language=self._language(state, newest, client_mails),
            sources=sources,
            vouched=proven and client is not None,
            profile=self._profile,
            owner_name=self._owner.name,
            owner_language=self._owner.language,
            hints=self._hints(client_mails, outside_mails),
            received_at=client_mails[-1].at if client_mails else None,
            plain=self._ledger.stands_for(state.kind),
        )
        at_hand = [mail.email for mail in client_mails]
        if self._desk.invitations is not None:
            arrived = [(mail.email, mail.at) for mail in client_mails]
            brief = self._desk.invitations.added(brief, arrived, proven=proven and client is not None)
        brief = self._with_desk(brief, at_hand) if proven and newest else brief
        return self._with_files(brief, at_hand, proven=proven)

    def _with_files(self, brief: Brief, at_hand: Sequence[Email], *, proven: bool) -> Brief:
        """What came with these mails as text, and which of the owner's files they ask for."""
        if self._enclosures is None or self._filing is None:
            return brief
        enclosed = self._enclosures.of(at_hand)
        offer = self._filing.offer(brief.message, brief.language) if proven else FileOffer()
        return replace(
            brief,
            left_out=(*brief.left_out, *enclosed.omissions),
            sources=(*enclosed.sources, *brief.sources),
            offered=offer.files,
            hints=(*brief.hints, *offer.remarks),
        )

    def _with_desk(self, brief: Brief, at_hand: Sequence[Email]) -> Brief:
        """What is open with this client, what was written before, and which standing answers fit."""
        if brief.client is None:
            return brief
        affairs = self._ledger.affairs(brief.client.id, self._owner, brief.case)
        turns = self._ledger.conversation(brief.client.id, at_hand)
        asked = questions(brief.message, brief.language, brief.subject)
        quoted = self._ledger.quoted(at_hand)
        if quoted and brief.received_at:
            turns = (*turns, quoted_turn(quoted, brief.received_at))
        settled = brief.invitation is not None and brief.invitation.settles
        times, time_sources = (brief.times, ()) if settled else self._times(brief)
        faults = () if settled else times.faults  # an invitation's own are told beside it
        return replace(
            brief,
            affairs=affairs,
            facts=(*brief.facts, *facts(affairs), *time_sources),
            times=times,
            hints=(*brief.hints, *faults),
            conversation=turns,
            standing=fitting(asked, self._desk.standing(), brief.language, self._store.embed),
            held_before=self._ledger.held_before(brief.case, at_hand),
        )

    def _times(self, brief: Brief) -> tuple[Times, tuple[Source, ...]]:
        """What the calendars say of the times that the newest mail names, or asks for."""
        if self._desk.look is None:
            return NO_TIMES, ()
        held = self._ledger.held_slots(brief.case)
        diary = diary_at(self._ledger.now(), self._owner, self._desk.terms, held)
        diary = replace(diary, agreed=self._ledger.own_entries(brief.case))
        times, sources = times_of(brief.newest or brief.message, brief.language, diary, self._desk.look)
        return (replace(times, books=self._desk.books) if times.answers else times), sources

    def _sources(
        self, state: CaseState, client: Client | None, newest: Email, message: str, mails: Sequence[_CaseMail]
    ) -> tuple[Source, ...]:
        if client is None:
            return ()
        mail_ids = frozenset(document_id(mail.email) for mail in mails)
        drafts = frozenset(f"draft:{state.case}.{number}" for number in range(1, state.version + 1))
        return self._relevant(client.id, f"{newest.subject}\n{message}", mail_ids | drafts, MOST_SOURCES)

    def _language(self, state: CaseState, newest: Email | None, theirs: Sequence[_CaseMail]) -> str:
        """Of the newest mail; when that is too short to tell, of the thread, then of the client's history."""
        texts = [mail.text for mail in reversed(theirs)]
        if newest is not None:
            texts += [f"{newest.subject}\n{texts[0]}", newest.text]  # the quoted part is their language too
        for text in texts:
            if language := language_of(text):
                return language
        earlier = self._ledger.documents(state.client)
        language = language_of("\n".join(document.text for document in reversed(earlier[-5:])))
        return language or self._owner.language

    def _hints(self, theirs: Sequence[_CaseMail], others: Sequence[_CaseMail]) -> tuple[str, ...]:
        hints: list[str] = []
        if theirs:
            hints += _reply_to_hints(theirs[-1].email)
            hints += self._recipient_hints(theirs[-1].email)
        hints += [_unproven_hint(mail.email) for mail in theirs if fails_dmarc(mail.email)][-1:]
        hints += [_other_hint(mail) for mail in others]
        hints += self._scope_hints(theirs)
        if self._store.degraded:
            hints.append("The embedding endpoint is away; memory was searched by keywords alone.")
        return tuple(hints)

    def _scope_hints(self, theirs: Sequence[_CaseMail]) -> list[str]:
        """Whether they ask for what their project does not hold: both quotes side by side, one for each project."""
        hints = []
        for project in self._ledger.projects_of(theirs[-1].client) if theirs else ():
            excess = outside_scope(_joined([mail.text for mail in theirs]), project)
            if excess is not None:
                hints.append(told(excess, project))
        return hints

    def _recipient_hints(self, email: Email) -> list[str]:
        insiders = self._owner.addresses | {email.sender.email}
        recipients = [address.email for address in (*email.to, *email.cc) if address.email.lower() not in insiders]
        names = ", ".join(dict.fromkeys(recipients[:8]))
        tail = f" and {len(recipients) - 8} more" if len(recipients) > 8 else ""  # noqa: PLR2004 (as above)
        return [f"Also addressed: {names}{tail}. They do not get the answer."] if recipients else []

    # ------------------------------------------------------------ retrieval

    def _relevant(self, client: str, text: str, without: frozenset[str], limit: int) -> tuple[Source, ...]:
        self._store.catch_up()
        query = text[:_QUERY]
        documents = [document for document in self._history(client) if document.id not in without]
        if not documents or not folded(query):
            return ()
        by_id = {document.id: document for document in documents}
        places = self._by_meaning(query, documents)
        hits = self._store.keyword_hits(client, query, _CANDIDATES + len(without))
        by_words = [hit for hit in hits if hit in by_id][:_CANDIDATES]  # the wall: only ids of this client's documents
        ranked = _fused([list(places), by_words], by_id)[:limit]
        return tuple(_source(by_id[hit], query, places.get(hit, 0)) for hit in ranked)

    def _history(self, client: str) -> list[Document]:
        """The client's texts, each once, and no draft that the owner refused or replaced."""
        documents = [document for document in self._ledger.documents(client) if document.client == client]
        states = self._ledger.version_states(
            {document.case for document in documents if document.kind in {"drafted", "edited"}}
        )
        by_text: dict[str, Document] = {}
        for candidate in sorted(documents, key=lambda document: _BEST_FIRST.index(document.kind)):
            if candidate.kind in {"drafted", "edited"} and _is_dropped(candidate, states):
                continue
            by_text.setdefault(" ".join(candidate.text.split()), candidate)
        return list(by_text.values())

    def _by_meaning(self, query: str, documents: Sequence[Document]) -> dict[str, int]:
        """Document id -> its best chunk, nearest first; nothing below the embedder's floor."""
        import numpy as np

        vectors = self._store.embed([query])
        if not vectors:
            return {}
        target = np.asarray(vectors[0], dtype=np.float32)
        scored: list[tuple[float, datetime, str, int]] = []
        newest = {document.id: document.at for document in documents}
        for name, rows in self._store.vectors(documents).items():
            if rows.shape[1] != target.shape[0]:
                continue
            cosines = rows @ target
            best = int(cosines.argmax())
            scored.append((round(float(cosines[best]), 4), newest[name], name, best))
        scored.sort(reverse=True)
        return {name: best for cosine, _, name, best in scored[:_CANDIDATES] if cosine >= self._store.floor}


# ---------------------------------------------------------------- small rules


def _is_dropped(document: Document, states: dict[tuple[int, int], str]) -> bool:
    version = int(document.id.rpartition(".")[2])
    return states.get((document.case, version)) in {"superseded", "rejected", "expired"}


def _fused(rankings: Iterable[Sequence[str]], documents: dict[str, Document]) -> list[str]:
    """Reciprocal rank fusion; of equals the newest first."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, name in enumerate(ranking, start=1):
            scores[name] = scores.get(name, 0.0) + 1.0 / (_FUSION + rank)
    return sorted(scores, key=lambda name: (round(scores[name], 9), documents[name].at, name), reverse=True)


def _source(document: Document, query: str, place: int) -> Source:
    pieces = chunks(document)
    piece = pieces[min(place, len(pieces) - 1)].removeprefix(f"{document.subject}\n")
    best = quote(piece, query)
    passage = best if _shares(best, query) else quote(document.text, query)
    return Source(id=document.id, kind=document.kind, quote=passage, at=document.at)


def _standing_source(answer: StandingAnswer) -> Source:
    caution = ", to be used word for word" if answer.verbatim else ""
    return Source(
        id=f"answer:{answer.id}", kind="answer", quote=f"{one_line(answer.title, 120)}{caution}: {answer.text}"
    )


def _shares(text: str, query: str) -> bool:
    return bool(set(folded(text)) & set(folded(query)))


def quote(text: str, query: str) -> str:
    """At most `QUOTE` characters around the sentence that shares most words with the query, on one line."""
    stems = {word[:5] for word in folded(query)}
    sentences = [part.strip() for part in _SENTENCE.split(text) if part.strip()]
    if not sentences:
        return ""
    scores = [len({word[:5] for word in folded(sentence)} & stems) for sentence in sentences]
    start = end = scores.index(max(scores))
    while end + 1 < len(sentences) and len(" ".join(sentences[start : end + 2])) <= QUOTE:
        end += 1
    while start > 0 and len(" ".join(sentences[start - 1 : end + 1])) <= QUOTE:
        start -= 1
    return one_line(" ".join(sentences[start : end + 1]), QUOTE)


def _joined(texts: Sequence[str]) -> str:
    """Newest last; when it is too much, the oldest is cut."""
    message = "\n\n".join(text for text in texts if text)
    return message if len(message) <= MOST_MESSAGE else "[...]\n" + message[-MOST_MESSAGE:]


def _left_out(mails: Sequence[_CaseMail]) -> tuple[str, ...]:
    """What of these mails the brief does not hold, in whole sentences for the owner."""
    missing = [mail.left_out for mail in mails if mail.left_out]
    if sum(len(mail.text) for mail in mails) > MOST_MESSAGE:
        missing.append(f"Only the last {MOST_MESSAGE:,} characters of what they wrote were read for this draft.")
    return tuple(dict.fromkeys(missing))


def _reply_to_hints(email: Email) -> list[str]:
    if email.form:
        caution = (
            f"It came through a web form ({email.form}): who typed it is not proven; nothing from memory was used."
        )
        return [f"{caution} The answer goes to the address typed there, {email.sender.email}."]
    reply_addresses = [
        address.email for address in email.reply_to if address.email.lower() != email.sender.email.lower()
    ]
    if not reply_addresses:
        return []
    return [f"Reply-To differs: {', '.join(reply_addresses[:3])}. The answer goes to the sender, {email.sender.email}."]


def _unproven_hint(email: Email) -> str:
    server = one_line(authentication_server(email), 80)
    return (
        f"The sender {email.sender.email} is not proven ({server} says dmarc=fail); "
        "nothing from memory was used for this draft."
    )


def _other_hint(mail: _CaseMail) -> str:
    excerpt = one_line(gist(mail.email.text, 120), 120)
    return f'{mail.email.sender.email} also wrote in this conversation: "{excerpt}". This draft does not answer that.'
