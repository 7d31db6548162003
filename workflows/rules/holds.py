"""Mail that the owner reads himself: complaints, legal words, threats, cancellations, refunds, and web forms."""

import re
from functools import cache

from workflows.models import Email
from workflows.rules.machines import is_web_form
from workflows.rules.replying import is_reply_subject, written
from workflows.rules.words import fold, phrases, table

_READ = 40_000  # characters of the new part: enough for any letter, little enough for any pattern


def hold_reason(email: Email) -> str:
    """Why nothing is drafted for this mail ("a complaint"), or "" when nothing speaks against a draft.

    Quoted older text and the subject of an older conversation do not count.
    """
    subject = "" if is_reply_subject(email.subject) else fold(email.subject)
    found = next((kind for kind in map(_hold_in, (subject, fold(written(email.text)[:_READ]))) if kind), "")
    if found or not is_web_form(email):
        return found
    return f"a message from a web form, to be answered to {email.reply_to[0].email}"


def _hold_in(folded: str) -> str:
    if not folded:
        return ""
    # A full stop in the place of the harmless words: no phrase may form across them.
    speaking = _harmless().sub(".", folded)
    return next((name for name, pattern in _kinds() if pattern.search(speaking)), "")


@cache
def _harmless() -> re.Pattern[str]:
    return phrases(table("holds")["except"])


@cache
def _kinds() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((kind["name"], phrases(kind["phrases"])) for kind in table("holds")["kind"])
