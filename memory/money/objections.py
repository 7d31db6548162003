"""What was said against a reminder, told in the approval mail of the next one; and the rest after a complaint.

A mail that names an invoice holds its reminder as long as the case that answers it is open: who asks and is reminded
instead of answered feels unheard.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from memory.money.chases import Matter
from memory.money.debts import country_of, today_of
from memory.money.holds import hold_once, speak_against
from memory.record.schema import answers, debt_holds, documents, from_json, notices
from workflows.models.decisions import Answer, Reject
from workflows.ports import Clock
from workflows.rules.debts.dunning import BusinessDays, Hold, longest_hold
from workflows.rules.text.canonical import one_line

REST = 2
"""Business days without reminders after the owner answered a complaint."""
_QUOTE = 120
_MOST = 5
_OVER = {
    "dispute": "{says}; that is over",
    "wish": "{says}",
    "mail": "{says}",
}


def note_wish(connection: Connection, clock: Clock, matter: Matter, words: str) -> str:
    """They want something before they pay: nothing is chased for ten business days."""
    calendar = BusinessDays(country=country_of(connection, matter.client))
    until = longest_hold("wish", today_of(connection, clock, matter.client), calendar)
    reason = f'they want something before they pay ("{one_line(words, _QUOTE)}")'
    return speak_against(connection, clock, matter, Hold(kind="wish", until=until, says=reason), "stopped")


def note_unanswered(connection: Connection, clock: Clock, matter: Matter, words: str) -> str:
    """Their mail names these invoices: they are not chased while it waits for an answer."""
    quote = f' ("{one_line(words, _QUOTE)}")' if words else ""
    return speak_against(connection, clock, matter, Hold(kind="mail", says=f"they wrote about it{quote}"), "stopped")


def rest_after_complaint(connection: Connection, clock: Clock, client: str, case: int) -> None:
    """The owner has answered a complaint: the client is not reminded of money for two business days."""
    today = today_of(connection, clock, client)
    until = BusinessDays(country=country_of(connection, client)).add(today, REST - 1)
    reason = f"you answered their complaint on {today:%a} {today.day} {today:%b %Y}"
    matter = Matter(key=f"answered:{case}", client=client)
    hold_once(connection, clock, matter, Hold(kind="complaint", until=until, says=reason))


def objections(
    connection: Connection, client: str, numbers: Sequence[str], since: date | None, zone: str
) -> tuple[str, ...]:
    """What was said against chasing these invoices after that day, and the owner's own reasons; a sentence each."""
    local = ZoneInfo(zone)
    client_reasons = tuple(_of_client(connection, client, numbers, since, local))
    return (*client_reasons[-_MOST:], *tuple(_of_owner(connection, numbers, local))[-_MOST:])


def _of_client(
    connection: Connection, client: str, numbers: Sequence[str], since: date | None, local: ZoneInfo
) -> Iterator[str]:
    of_invoices = (
        (debt_holds.c.client == client) & debt_holds.c.number.in_(("", *numbers)) & (debt_holds.c.by_owner == 0)
    )
    query = select(debt_holds).where(of_invoices, debt_holds.c.kind.in_(tuple(_OVER))).order_by(debt_holds.c.id)
    for row in connection.execute(query):
        day = row.at.astimezone(local).date()
        if since is not None and day < since:
            continue
        objection = _OVER[row.kind].format(says=one_line(row.says, 2 * _QUOTE))
        prefix = f"{one_line(row.number, 40)}: " if row.number else ""
        answered = "" if _was_written_to(connection, client, row.at) else ", and nothing was sent to them since"
        yield f"{prefix}{_dated(day)} {objection}{answered}."


def _of_owner(connection: Connection, numbers: Sequence[str], local: ZoneInfo) -> Iterator[str]:
    chases = select(notices.c.case).where(notices.c.number.in_(tuple(numbers)))
    query = select(answers.c.answer, answers.c.at).where(answers.c.case.in_(chases), answers.c.state != "refused")
    for row in connection.execute(query.order_by(answers.c.at)):
        decision = from_json(Answer, row.answer).decision
        if isinstance(decision, Reject) and decision.reason:
            reason = one_line(decision.reason, _QUOTE)
            yield f'{_dated(row.at.astimezone(local).date())} you said no to a reminder: "{reason}".'


def _was_written_to(connection: Connection, client: str, since: datetime) -> bool:
    sent = (documents.c.client == client) & (documents.c.kind == "sent") & (documents.c.at > since)
    return connection.execute(select(documents.c.id).where(sent)).first() is not None


def _dated(day: date) -> str:
    return f"On {day:%a} {day.day} {day:%b %Y}"
