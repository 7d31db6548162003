"""Invitations: the calendar part of a mail, read in the limited child."""

from datetime import datetime

from tools.calendar.events import reader
from workflows.errors import Permanent
from workflows.rules.desk.invitations import Invitation


def invitation_in(raw: bytes, zone: str) -> Invitation | None:
    """The invitation that a raw mail carries, None when it carries none. Blocking: for threads.

    Args:
        raw: the mail as it lies on the server.
        zone: the owner's, for times that name none.

    Raises:
        Permanent: its calendar part cannot be read.
        Retryable: no child process can be started just now.
    """
    try:
        facts = reader().ask("invitation", {"zone": zone}, raw)
    except ValueError:  # the child's own words quote the mail
        raise Permanent("it is no calendar entry that can be read.") from None
    if facts is None:
        return None
    moments = {key: None if facts[key] is None else datetime.fromisoformat(facts[key]) for key in ("start", "end")}
    lists = {key: tuple(facts[key]) for key in ("attendees", "answers")}
    return Invitation(**{**facts, **moments, **lists})
