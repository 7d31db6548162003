"""Mail that the owner reads himself: complaints, legal words, threats, cancellations, refunds, and web forms."""

import re
from collections.abc import Iterable
from functools import cache

from workflows.models.mail import Email
from workflows.models.people import Owner
from workflows.rules.mail.forms import as_written_by, names_nobody
from workflows.rules.mail.replying import everything_written
from workflows.rules.mail.sealed import sealed
from workflows.rules.mail.subjects import is_reply_subject
from workflows.rules.text.words import any_phrase, fold, phrases, table
from workflows.rules.text.writers import addressee_of

_READ = 40_000  # characters at a time: enough for any letter, little enough for any pattern
_NOBODY = "it came through a web form and names no address to answer to"
_OVERLAP = 400  # no phrase is longer
_RUN = re.compile(r"([^\w\s])\1{3,}")  # a row of one sign, which is a place to look at for each of its signs


def hold_reason(email: Email, earlier: Iterable[str] = (), owner: Owner | None = None) -> str:
    """Why nothing is drafted for this mail ("a complaint"), or "" when nothing speaks against a draft.

    All that the client wrote counts, wherever it stands; quoted older text, the owner's own older words and the subject
    of an older conversation do not. `earlier`: the mails that this one answers, as far as they are known.
    """
    if unread := sealed(email):
        return unread
    subject = "" if is_reply_subject(email.subject) else fold(email.subject)
    client_words = everything_written(email.text, earlier, addressee_of(email, owner))
    text = _RUN.sub(r"\1\1\1", fold(client_words))
    pieces = (text[start : start + _READ] for start in range(0, len(text), _READ - _OVERLAP))
    hold = next((kind for kind in map(_hold_in, (subject, *pieces)) if kind), "")
    return hold or (_NOBODY if names_nobody(as_written_by(email)) else "")


def _hold_in(folded: str) -> str:
    if not folded:
        return ""
    # A full stop in the place of the harmless words: no phrase may form across them.
    speaking = _harmless().sub(".", folded)
    if not _anything().search(speaking):
        return ""
    return next((name for name, pattern in _kinds() if pattern.search(speaking)), "")


@cache
def _harmless() -> re.Pattern[str]:
    return phrases(table("holds")["except"])


@cache
def _anything() -> re.Pattern[str]:
    return any_phrase(phrase for kind in table("holds")["kind"] for phrase in kind["phrases"])


@cache
def _kinds() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((kind["name"], any_phrase(kind["phrases"])) for kind in table("holds")["kind"])
