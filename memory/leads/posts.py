"""Leads: each job post accounted for, each job once however many sources list it, and where every source goes on.

What a look at a source brought, its verdicts and its next state are one transaction: a crash leaves a look unmade or
made, never half of it.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, or_, select, update

from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.events import Beginning, News, Unopened, account, begin, tell
from memory.record.people import find_client, new_client, standing_of
from memory.record.schema import cases, feeds, from_json, lead_posts, leads, to_json
from workflows.models.leads import Lead
from workflows.models.people import Client
from workflows.models.routes import Ignore, Start
from workflows.ports import Clock
from workflows.rules.leads.lead import UNREADABLE
from workflows.rules.leads.posts import canonical_url
from workflows.rules.leads.same_job import changes, company_of, key_of, same_job, same_post, title_of
from workflows.rules.text.canonical import one_line

Judge = Callable[[Lead], Start | Ignore]
"""Whether a lead is bid for; pure (rules/leads/factors.py)."""
Result = Literal["won", "lost", "no-answer"]

_REPOSTED = timedelta(days=60)
"""After that the same words are a new offer, not the old one listed elsewhere."""
_MOST_CANDIDATES = 200
_NOT_YET_BID = ("new", "drafted", "waiting", "needs_owner")
_BESIDE = "\n#"
"""Stands in `lead_posts.id` between a source's id and what tells a further post under that id from the first."""
_WORDS = {"score": "below the threshold", "refused": "refused", "expired": "expired"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePost:
    """One item of a source as the rules read it: the lead, or why it is none."""

    id: str
    title: str
    found: Lead | Ignore
    is_shared: bool = False  # the source gave this id to other posts in the same look


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of the posts of one look. `bids + duplicates + quarantined + sum(skipped) + known` is `posts`."""

    posts: int = 0
    bids: int = 0
    duplicates: int = 0
    quarantined: int = 0
    known: int = 0  # accounted for by an earlier look
    skipped: Mapping[str, int] = field(default_factory=dict)  # rule -> how many
    gone: int = 0  # cases told that their post is there no more

    def __str__(self) -> str:
        parts = [f"{self.bids} new leads"] if self.bids != 1 else ["1 new lead"]
        parts += [f"{number} {_WORDS.get(rule, rule)}" for rule, number in self.skipped.items()]
        twice = "duplicate" if self.duplicates == 1 else "duplicates"
        counted = ((self.duplicates, twice), (self.quarantined, "set aside"), (self.known, "known before"))
        parts += [f"{number} {word}" for number, word in counted if number]
        return f"{self.posts} {'post' if self.posts == 1 else 'posts'}: {', '.join(parts)}" + (
            f"; {self.gone} gone" if self.gone else ""
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Where a source goes on: what it remembers, when it was asked last, and until when it wants to be left alone."""

    state: Mapping[str, Any]
    asked_at: datetime | None = None
    wait_until: datetime | None = None


class Leads(Book):
    """The leads and the sources they came from."""

    def record_leads(  # noqa: PLR0913 - what one look brought
        self,
        source: str,
        posts: Sequence[SourcePost],
        decide: Judge,
        next_state: Mapping[str, Any],
        *,
        gone: Sequence[str] = (),
        asked_at: datetime | None = None,
    ) -> Counts:
        """Account for every post of one look at a source and keep where it goes on, in one transaction.

        `gone`: ids of posts that the source says are there no more.
        """
        with self._writing() as connection:
            counts = keep_posts(connection, self._clock, source, posts, decide)
            ended = _tell_gone(connection, self._clock, source, gone) + _tell_expired(connection, self._clock)
            values = {
                "state": json.dumps(dict(next_state)),
                "asked_at": asked_at or self._clock.now(),
                "wait_until": None,
            }
            _keep_feed(connection, source, values)
        return Counts(**{name: getattr(counts, name) for name in Counts.__slots__ if name != "gone"}, gone=ended)

    def feed(self, source: str) -> Feed:
        """Where the source goes on; a new one begins with nothing."""
        with self._reading() as connection:
            row = connection.execute(select(feeds).where(feeds.c.name == source)).first()
        if row is None:
            return Feed(state={})
        return Feed(state=json.loads(row.state), asked_at=row.asked_at, wait_until=row.wait_until)

    def let_rest(self, source: str, until: datetime) -> None:
        """The source asked to be left alone until then."""
        with self._writing() as connection:
            _keep_feed(connection, source, {"wait_until": until})

    def lead(self, key: str) -> Lead | None:
        """The lead with that canonical key (`same_job.key_of`)."""
        return self._lead(leads.c.key == key)

    def lead_of(self, case: int) -> Lead | None:
        """The lead a case bids for."""
        return self._lead(leads.c.case == case) if case else None

    def _lead(self, which: Any) -> Lead | None:
        with self._reading() as connection:
            text = connection.execute(select(leads.c.lead).where(which)).scalar()
        return None if text is None else from_json(Lead, text)

    def set_result(self, case: int, result: Result) -> bool:
        """How the bid of a case ended; False when the case has no lead."""
        with self._writing() as connection:
            return set_result(connection, case, result)

    def result_of(self, case: int) -> str:
        """How the bid ended: won | lost | no-answer, "" while nobody said so."""
        with self._reading() as connection:
            return str(connection.execute(select(leads.c.result).where(leads.c.case == case)).scalar() or "")

    def wins(self, limit: int = 50) -> tuple[Lead, ...]:
        """The leads that were won, newest first."""
        query = select(leads.c.lead).where(leads.c.result == "won").order_by(leads.c.at.desc()).limit(limit)
        with self._reading() as connection:
            return tuple(from_json(Lead, text) for text in connection.execute(query).scalars())


def set_result(connection: Connection, case: int, result: Result) -> bool:
    """Within the caller's transaction: how the bid of a case ended."""
    updated = connection.execute(update(leads).where(leads.c.case == case, leads.c.case != 0).values(result=result))
    return updated.rowcount == 1


# ---------------------------------------------------------------- accounting for posts


def keep_posts(connection: Connection, clock: Clock, source: str, posts: Iterable[SourcePost], decide: Judge) -> Counts:
    """Within the caller's transaction: account for every post. One that was accounted for before is only counted."""
    outcomes: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    posts = tuple(posts)
    titles = {(post.id, post.title) for post in posts}
    shared = {number for number, times in Counter(number for number, _ in titles).items() if times > 1}
    for post in posts:
        outcome, rule = _keep_post(connection, clock, source, replace(post, is_shared=post.id in shared), decide)
        outcomes[outcome] += 1
        if outcome == "skipped":
            skipped[rule] += 1
    return Counts(
        posts=outcomes.total(),
        bids=outcomes["bid"],
        duplicates=outcomes["duplicate"],
        quarantined=outcomes["quarantined"],
        known=outcomes["known"],
        skipped=dict(skipped),
    )


def _keep_post(connection: Connection, clock: Clock, source: str, post: SourcePost, decide: Judge) -> tuple[str, str]:
    rows = _rows_of(connection, source, post.id)
    known_post = next((row for row in rows if _is_known(connection, row, post)), None)
    if known_post is not None:
        of_post = (lead_posts.c.source == source) & (lead_posts.c.id == known_post.id)
        connection.execute(update(lead_posts).where(of_post, lead_posts.c.gone == 1).values(gone=0))
        if isinstance(post.found, Lead):
            _tell_changed(connection, clock, known_post.lead, post.found)
        return "known", ""
    if any(row.lead for row in rows):  # another post under the same id: a source's id alone proves nothing
        post = replace(post, id=f"{post.id}{_BESIDE}{_proof(post)}")
    lead = post.found
    if isinstance(lead, Ignore):
        return _set_aside(connection, clock, source, post, lead)
    twin = _twin(connection, clock, lead)
    if twin is not None:
        _keep_id(connection, clock, source, post.id, twin.key)
        original = f"case {twin.case}" if twin.case else f"a post of {twin.source} that was skipped ({twin.reason})"
        refusal = Ignore(rule="duplicate", reason=f"The same job as {original}")
        account(connection, clock, _unopened(source, post, refusal, twin.case))
        return "duplicate", "duplicate"
    return _judge(connection, clock, source, replace(post, found=lead), decide(lead))


def _rows_of(connection: Connection, source: str, number: str) -> tuple[Row[Any], ...]:
    """Every post of the source that was accounted for under this id of its own."""
    same_id = (lead_posts.c.id == number) | lead_posts.c.id.startswith(f"{number}{_BESIDE}", autoescape=True)
    query = select(lead_posts).where(lead_posts.c.source == source, same_id)
    return tuple(connection.execute(query.order_by(lead_posts.c.id)).all())


def _is_known(connection: Connection, row: Row[Any], post: SourcePost) -> bool:
    """Whether that row is of this very post: the id has a second proof in its link or title."""
    if not row.lead:  # it was no post that could be read; one that can be is news
        return isinstance(post.found, Ignore)
    text = connection.execute(select(leads.c.lead).where(leads.c.key == row.lead)).scalar()
    if text is None:
        return True
    before = from_json(Lead, text)
    if isinstance(post.found, Ignore):
        return not post.title or title_of(replace(before, title=post.title)) == title_of(before)
    return (before.source, before.id) != (post.found.source, post.found.id) or same_post(
        before, post.found, is_shared=post.is_shared
    )


def _proof(post: SourcePost) -> str:
    page = canonical_url(post.found.url) if isinstance(post.found, Lead) else ""
    return _digest(page, post.title)[:12]


def _set_aside(connection: Connection, clock: Clock, source: str, post: SourcePost, why: Ignore) -> tuple[str, str]:
    _keep_id(connection, clock, source, post.id, "")
    account(connection, clock, _unopened(source, post, why))
    return ("quarantined" if why.rule == UNREADABLE else "skipped"), why.rule


def _unopened(source: str, post: SourcePost, why: Ignore, case: int = 0) -> Unopened:
    return Unopened(
        kind="lead",
        key=_post_key(source, post.id),
        state="quarantined" if why.rule == UNREADABLE else "ignored",
        rule=why.rule,
        reason=why.reason,
        title=post.title,
        sender=source,
        case=case,
    )


def _judge(
    connection: Connection, clock: Clock, source: str, post: SourcePost, verdict: Start | Ignore
) -> tuple[str, str]:
    """A job that no source has brought before: a case, or one line of why not."""
    lead = post.found
    assert isinstance(lead, Lead)
    client = _client(connection, clock, lead, verdict)
    standing = standing_of(connection, client.id) if client else None
    if standing and (standing.never or standing.paused):
        word = "never" if standing.never else "pause"
        verdict = Ignore(rule="never" if standing.never else "paused", reason=f"You said “{word}” for its author.")
    key, case = _free_key(connection, clock, lead), 0
    if isinstance(verdict, Start):
        beginning = Beginning(
            kind="bid",
            event="lead",
            key=key,
            title=f"{lead.company}: {lead.title}" if lead.company else lead.title,
            client=client.id if client else "",
            summary=verdict.reason,
            hold=verdict.hold or (standing.hold if standing else ""),
            sender=source,
        )
        case = begin(connection, clock, beginning)
    else:
        line = Unopened(
            kind="lead", key=key, state="ignored", rule=verdict.rule, reason=verdict.reason, title=lead.title,
            sender=source,
        )  # fmt: skip
        account(connection, clock, line)
    values = {"key": key, "case": case, "reason": one_line(verdict.reason, 300), "at": clock.now()}
    connection.execute(insert(leads).values(**values, **_columns(lead)))
    _keep_id(connection, clock, source, post.id, key)
    return ("bid", "") if case else ("skipped", verdict.rule if isinstance(verdict, Ignore) else "")


def rescue(connection: Connection, clock: Clock, key: str, reason: str) -> int:
    """Bid for a lead that was skipped after all, whatever its score: its case, 0 when no skipped lead has that key."""
    row = connection.execute(select(leads).where(leads.c.key == key, leads.c.case == 0)).first()
    if row is None:
        return 0
    lead = from_json(Lead, row.lead)
    client = _client(connection, clock, lead, Start(kind="bid"))
    beginning = Beginning(
        kind="bid",
        event="lead",
        key=f"{key}:rescued",
        title=f"{lead.company}: {lead.title}" if lead.company else lead.title,
        client=client.id if client else "",
        summary=reason,
        sender=lead.source,
    )
    case = begin(connection, clock, beginning)
    connection.execute(update(leads).where(leads.c.key == key).values(case=case))
    return case


def _client(connection: Connection, clock: Clock, lead: Lead, verdict: Start | Ignore) -> Client | None:
    """Whom a bid would be mailed to; somebody new becomes a client only with a case."""
    if not lead.contact.email:
        return None
    client = find_client(connection, lead.contact.email)
    if client is None and isinstance(verdict, Start):
        return new_client(connection, lead.contact, clock)
    return client


def _columns(lead: Lead) -> dict[str, Any]:
    """What the table says of the lead itself."""
    return {
        "page": canonical_url(lead.url),
        "company": company_of(lead),
        "title": title_of(lead),
        "source": lead.source,
        "lead": to_json(lead),
        "expires_at": lead.expires_at,
    }


def _free_key(connection: Connection, clock: Clock, lead: Lead) -> str:
    """The job's key, or one beside it: another job on the same page, or the same one offered again much later."""
    key = key_of(lead)
    if connection.execute(select(leads.c.key).where(leads.c.key == key)).first() is None:
        return key
    return f"{key}-{_digest(lead.source, lead.id, title_of(lead), str(clock.now().date()))[:8]}"


def _keep_id(connection: Connection, clock: Clock, source: str, number: str, lead: str) -> None:
    row = insert(lead_posts).values(source=source, id=number, lead=lead, at=clock.now())
    unreadable = lead_posts.c.lead == ""  # what could not be read, and can be now
    connection.execute(
        row.on_conflict_do_update(index_elements=["source", "id"], set_={"lead": lead}, where=unreadable)
    )


def _twin(connection: Connection, clock: Clock, lead: Lead) -> Row[Any] | None:
    """The same job as an earlier post offered it, of this or another source."""
    page, company, title = canonical_url(lead.url), company_of(lead), title_of(lead)
    alike = leads.c.title == title
    if company:
        alike &= leads.c.company.in_((company, ""))
    same_page = leads.c.page == page if page else leads.c.key == key_of(lead)
    recent = leads.c.at > clock.now() - _REPOSTED
    query = select(leads).where(recent, or_(same_page, alike)).order_by(leads.c.at.desc()).limit(_MOST_CANDIDATES)
    rows = connection.execute(query).all()
    return next((row for row in rows if same_job(lead, from_json(Lead, row.lead))), None)


def _post_key(source: str, number: str) -> str:
    return f"post:{_digest(source, number)[:32]}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _keep_feed(connection: Connection, source: str, values: Mapping[str, Any]) -> None:
    row = insert(feeds).values(name=source, **{"state": "{}", **values})
    connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=dict(values)))


# ---------------------------------------------------------------- posts that change, and posts that go


def _tell_changed(connection: Connection, clock: Clock, key: str, after: Lead) -> None:
    """An edited post makes the draft of the case that waits stale. Alert mails cut their texts as they like."""
    query = select(leads.c.lead, leads.c.case).join(cases, cases.c.number == leads.c.case)
    row = connection.execute(query.where(leads.c.key == key, cases.c.stage.in_(_NOT_YET_BID))).first()
    before = from_json(Lead, row.lead) if row else None
    if row is None or before is None or (before.source, before.id) != (after.source, after.id):
        return
    if before == after or after.source.startswith("mail:"):
        return
    # Whom a bid goes to never changes by an edit: that is how a stranger would turn it to himself.
    revised = replace(after, contact=before.contact, url=before.url)
    values = {"lead": to_json(revised), "expires_at": revised.expires_at}
    connection.execute(update(leads).where(leads.c.key == key).values(**values))
    if changed := changes(before, revised):
        summary = f"The post was changed: {', '.join(changed)}."
        key = f"changed:{row.case}:{_digest(to_json(revised))[:16]}"
        tell(connection, clock, News(case=row.case, key=key, summary=summary))


def _tell_gone(connection: Connection, clock: Clock, source: str, ids: Sequence[str]) -> int:
    """A job is gone when every source that listed it says so."""
    ended = 0
    for number in ids:
        if len(_rows_of(connection, source, number)) > 1:  # which of them is gone the id does not say
            continue
        of_post = (lead_posts.c.source == source) & (lead_posts.c.id == number)
        connection.execute(update(lead_posts).where(of_post).values(gone=1))
        key = connection.execute(select(lead_posts.c.lead).where(of_post)).scalar()
        if not key:
            continue
        listed = select(lead_posts.c.id).where(lead_posts.c.lead == key, lead_posts.c.gone == 0)
        if connection.execute(listed).first() is None:
            ended += _end(connection, clock, key, f"{source} lists the post no more.")
    return ended


def _tell_expired(connection: Connection, clock: Clock) -> int:
    over = leads.c.expires_at.is_not(None) & (leads.c.expires_at <= clock.now())
    query = select(leads.c.key).join(cases, cases.c.number == leads.c.case)
    rows = connection.execute(query.where(over, cases.c.stage.in_(_NOT_YET_BID))).scalars().all()
    return sum(_end(connection, clock, key, "The post has expired.") for key in rows)


def _end(connection: Connection, clock: Clock, key: str, says: str) -> int:
    """Tell the case that waits with a bid for it, once; a bid that has left waits for its answer all the same."""
    query = select(leads.c.case).join(cases, cases.c.number == leads.c.case)
    case = connection.execute(query.where(leads.c.key == key, cases.c.stage.in_(_NOT_YET_BID))).scalar()
    if not case:
        return 0
    return int(tell(connection, clock, News(case=case, key=f"gone:{case}", summary=says, ends="gone")))
