"""Questions whose ids somebody else knows: they are answered no more, and what they asked is shown anew.

A forward of an approval mail, or a reply that was turned to the client, gives its Message-ID, reference and nonce away.
Who has them can write a mail that the owner's program answers under these ids.
"""

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select, update

from memory.post.threads import MOST_PARENTS
from memory.record.events import News, tell
from memory.record.schema import cases, digest_items, from_json, outbox, seen
from workflows.models.case import CaseState
from workflows.models.mail import Email
from workflows.models.people import Owner
from workflows.ports import Clock
from workflows.rules.answers.copies import letters
from workflows.rules.answers.hints import is_second
from workflows.rules.mail.machines import automatic, bounce, receipt

MOST_SHOWN_ANEW = 3
"""How often a case is shown anew for this: each time takes a leak, or a server that changes our own mails."""
_TO_OWNER = ("approval", "notice")
_BURNS = "burnt:"


def has_id(ids: tuple[str, ...]) -> ColumnElement[bool]:
    """The rows that one of these ids or references names."""
    return or_(outbox.c.message_id.in_(ids), outbox.c.server_id.in_(ids), outbox.c.reference.in_(ids))


def times_burnt(connection: Connection, case: int, version: int) -> int:
    """How many mails that showed this version are burnt: what is shown next has another nonce and reference."""
    of_version = (outbox.c.case == case) & (outbox.c.version == version) & (outbox.c.purpose == "approval")
    return connection.execute(select(func.count()).where(of_version, outbox.c.burnt != "")).scalar_one()


def burn(
    connection: Connection, clock: Clock, owner: Owner, email: Email, text_of: Callable[[str], str]
) -> tuple[str, ...]:
    """Burn whatever question this mail shows to be known to somebody else; the questions that are shown anew."""
    usurped = tuple(row for row in _named(connection, (email.message_id,)) if not is_it(row, email, owner, text_of))
    rows = usurped or (_named(connection, email.parents[:MOST_PARENTS]) if _is_foreign(email, owner) else ())
    writer = email.sender.email or "somebody"
    how = "came under the very Message-ID of the mail that asked you" if usurped else "names the mail that asked you"
    clause = f"mail from {writer} {how}"
    reason = f"A {clause}, so somebody else has seen that one. It counts no more; answer this one."
    by_case: dict[int, int] = {}
    for row in rows:
        by_case |= dict(_shown_by(connection, row))
        _mark(connection, row, f"a {clause}")
    return tuple(
        f"{case}.{version}"
        for case, version in by_case.items()
        if _show_anew(connection, clock, (case, version), f"{_BURNS}{email.identity}:{case}", reason)
    )


def _named(connection: Connection, ids: tuple[str, ...]) -> tuple[Row[Any], ...]:
    message_ids = tuple(message_id for message_id in ids if message_id)
    if not message_ids:
        return ()
    unburnt = outbox.c.purpose.in_(_TO_OWNER) & (outbox.c.burnt == "") & (outbox.c.blob != "")
    return tuple(connection.execute(select(outbox).where(unburnt, has_id(message_ids)).order_by(outbox.c.id)).all())


def is_it(row: Row[Any], email: Email, owner: Owner, text_of: Callable[[str], str]) -> bool:
    """Whether this is that mail itself, not another one under its id: what it says is all that the owner sees.

    Servers add banners and disclaimers; our own text is plain, whole and in its order all the same. One that is too
    long to be read whole is ours when all that was read of it is.
    """
    if len(email.senders) != 1 or email.sender.email.lower() not in owner.addresses:
        return False
    own_letters = letters(text_of(row.blob))
    is_cut = any(defect.code == "text" for defect in email.defects)
    texts = [letters(text) for text in (email.text, email.html_text) if text]
    return bool(email.text) and all(own_letters in text or (is_cut and text and text in own_letters) for text in texts)


def _is_foreign(email: Email, owner: Owner) -> bool:
    """Whether somebody else wrote it: no copy of the owner's answer, no machine's report about our own mail."""
    if len(email.senders) == 1 and (email.sender.email.lower() in owner.addresses or is_second(email, owner)):
        return False
    return not (automatic(email) or bounce(email) or receipt(email))


def _mark(connection: Connection, row: Row[Any], who: str) -> None:
    """All that showed this version: they share its nonce and its reference. `who` knows it, as a clause."""
    concerned = outbox.c.id == row.id
    if row.purpose == "approval":
        concerned = (outbox.c.purpose == "approval") & (outbox.c.case == row.case) & (outbox.c.version == row.version)
    connection.execute(update(outbox).where(concerned).values(burnt=who))


def _shown_by(connection: Connection, row: Row[Any]) -> Iterator[tuple[int, int]]:
    if row.purpose != "approval":
        return
    if row.case:
        yield row.case, row.version
        return
    items = select(digest_items.c.case, digest_items.c.version).where(digest_items.c.digest == row.version)
    for item in connection.execute(items):
        yield item.case, item.version


def _show_anew(connection: Connection, clock: Clock, shown: tuple[int, int], key: str, why: str) -> bool:
    case, version = shown
    text = connection.execute(select(cases.c.state).where(cases.c.number == case, cases.c.closed_at.is_(None))).scalar()
    if not text or from_json(CaseState, text).version != version:
        return False
    before = (seen.c.case == case) & (seen.c.kind == "news") & seen.c.key.startswith(_BURNS)
    if connection.execute(select(func.count()).where(before)).scalar_one() >= MOST_SHOWN_ANEW:
        return False
    news = News(case=case, key=key, summary="Its question became known to somebody.", again=why)
    return tell(connection, clock, news)
