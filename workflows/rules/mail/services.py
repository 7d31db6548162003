"""Notices of services: invoices of a hoster, notes of a telephone system, of a bank, a shop, an office.

They come from ordinary addresses and carry no sign of a machine, so several things must agree: what the subject says,
what the text says, from where it comes, and that nobody speaks in it. Whatever a person may have typed goes on.
"""

import re
from functools import cache

from workflows.models.mail import Email
from workflows.models.routes import Ignore
from workflows.rules.mail.replying import written
from workflows.rules.text.addresses import is_no_reply
from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import fold, phrases, table

_READ = 12_000
_LINK = re.compile(r"\(?https?://\S{1,2000}|www\.\S{1,500}")
_HINTS = ("x-auto-response-suppress", "feedback-id", "list-unsubscribe", "x-mailgun-sid", "x-sg-eid", "x-ses-outgoing")
_LONGEST_REASON = 200


def service_notice(email: Email, first_name: str = "") -> Ignore | None:
    """The notice of a service that nobody waits for an answer to. `first_name`: the owner's, as people use it."""
    if email.parents:
        return None
    subject, text = fold(email.subject[:300]), fold(_LINK.sub(" ", written(email.text[:_READ])))
    kind = next(
        (name for name, subjects, wording in _kinds() if subjects.fullmatch(subject) and wording.search(text)), ""
    )
    if not kind or not _is_a_programs(email, text) or _speaks(text, first_name):
        return None
    return Ignore(
        rule="service-notice",
        reason=one_line(
            f"It is {kind}: its subject is “{email.subject[:100]}”, and nobody speaks in it.", _LONGEST_REASON
        ),
    )


def _is_a_programs(email: Email, text: str) -> bool:
    """By its address, by what a mail program never sets, or by a greeting to everybody."""
    local = email.sender.email.lower().rpartition("@")[0].split("+", 1)[0]
    pieces = set(re.split(r"[._-]", local)) | {local}
    by_address = is_no_reply(local) or bool(pieces & set(table("services")["sender"]["locals"]))
    return by_address or any(email.has_header(name) for name in _HINTS) or bool(_greets().match(text))


def _speaks(text: str, first_name: str) -> bool:
    """Whether somebody speaks: says "I", asks, or calls the owner by their first name."""
    if "?" in text or _person().search(text):
        return True
    name = re.escape(fold(first_name))
    greeting = r"(?:hi|hello|hey|hallo|liebe|lieber|moin|salut|hola|ciao|olá|hoi|cześć)"
    return bool(name) and bool(re.match(rf"\W{{0,3}}{greeting} {name}(?!\w)", text)) and not _greets().match(text)


@cache
def _kinds() -> tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...]:
    kinds = table("services")["kind"]
    return tuple((kind["name"], phrases(kind["subjects"]), phrases(kind["says"])) for kind in kinds)


@cache
def _person() -> re.Pattern[str]:
    return phrases(table("services")["person"]["says"])


@cache
def _greets() -> re.Pattern[str]:
    return phrases(table("services")["person"]["greets"])
