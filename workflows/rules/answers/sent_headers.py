"""Which headers of delivery a server puts on mail that was really sent, learnt from mail that cannot have come in.

Some servers write a Received line on what their user hands in. Learnt is only what every sample has; of Received only
the line of an authenticated submission; and what proves delivery to a mailbox is never learnt.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from workflows.models.mail import Email
from workflows.models.people import Owner
from workflows.rules.answers.proof import DELIVERY
from workflows.rules.mail.machines import automatic

LEAST = 3
"""Samples needed before something is learnt from them."""
_NEVER = frozenset({"delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-rcpt-to", "x-sieve"})
_SUBMITTED = re.compile(r"\bby\s+(\S+)\s+(?:\([^()]*\)\s+)?with\s+((?:e|utf8)smtps?a)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What is known of this server's copies: entries for `Surroundings.sent_headers`, and what was looked at."""

    headers: tuple[str, ...] = ()
    samples: int = 0
    strange: tuple[str, ...] = ()  # names of delivery headers that some samples have and that are not learnt


def samples(emails: Sequence[Email], owner: Owner) -> tuple[Email, ...]:
    """Those that the owner's own mail program must have filed: the owner's, to others alone, and not of Deskhand.

    A mail that names the owner among its recipients may have been delivered here and filed by a rule: it teaches
    nothing.
    """
    return tuple(email for email in emails if _by_hand(email, owner))


def _by_hand(email: Email, owner: Owner) -> bool:
    people = {recipient.email.lower() for recipient in (*email.to, *email.cc, *email.bcc)}
    froms = [sender.email.lower() for sender in email.senders]
    if len(froms) != 1 or froms[0] not in owner.addresses or not people or people & owner.addresses:
        return False
    return not email.has_header("x-deskhand-case") and not automatic(email)


def learn(emails: Sequence[Email], owner: Owner) -> Learnt:
    """What the samples among these mails teach."""
    chosen = samples(emails, owner)
    entries = [_entries(email) for email in chosen]
    common = set.intersection(*entries) if len(entries) >= LEAST else set()
    # An entry says "name: words"; a header that only some samples have, or with other words, stays strange.
    names = {name for email in chosen for name, _ in email.headers if name in DELIVERY}
    strange = names - {entry.partition(":")[0] for entry in common}
    return Learnt(headers=tuple(sorted(common)), samples=len(chosen), strange=tuple(sorted(strange)))


def learn_from_answer(sent: Email, arrived: Email | None) -> tuple[str, ...]:
    """What the Sent copy of a rehearsal's answer teaches, beside the copy that came in by delivery.

    What both copies have alike was written by delivery: a rule has filed an incoming mail into Sent.
    """
    delivered = set() if arrived is None else {(name, value) for name, value in arrived.headers if name in DELIVERY}
    if delivered & {(name, value) for name, value in sent.headers}:
        return ()
    submitted = {entry for entry in _entries(sent) if entry.startswith("received:")}
    return tuple(sorted(submitted))


def _entries(email: Email) -> set[str]:
    """The learnable headers of one mail; a Received that is no authenticated submission spoils all Received."""
    entries: set[str] = set()
    received = [value for name, value in email.headers if name == "received"]
    lines = [_SUBMITTED.search(" ".join(value.split())) for value in received]
    if received and all(lines):
        entries |= {f"received: {line[0].lower()}" for line in lines if line}
    names = {name for name, _ in email.headers if name in DELIVERY - _NEVER - {"received", "return-path"}}
    entries |= names
    if all(value.strip(" <>").lower() == email.sender.email.lower() for value in _all(email, "return-path")):
        entries |= {f"return-path: {email.sender.email.lower()}" for _ in _all(email, "return-path")}
    return entries


def _all(email: Email, name: str) -> tuple[str, ...]:
    return tuple(value for key, value in email.headers if key == name)


def delivery_headers(email: Email) -> tuple[str, ...]:
    """The headers of delivery that a copy has, in mail order, each once."""
    return tuple(dict.fromkeys(name for name, _ in email.headers if name in DELIVERY))
