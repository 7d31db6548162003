"""Answers seen in an inbox, where everybody can write: a hint to look for the proof, and at most a hold.

The owner's own mail program leaves one copy of an answer in Sent, and that one counts. The copy that comes in by INBOX
may be there first, or alone; it can hold a case back, and it can never send.
"""

import re

from workflows.models.decisions import Attach, Decision, Edit, Later, Mine, Never, Reject, Revise, Without
from workflows.models.mail import Address, Email
from workflows.models.people import Owner
from workflows.models.routes import Asked
from workflows.rules.answers.decisions import is_automatic
from workflows.rules.mail.subjects import is_forward_subject

_NONCE = re.compile(r"\b\d+\.\d+\.([0-9a-f]{32})\b")
_READ = 200_000


def looks_like_answer(email: Email, owner: Owner) -> bool:
    """Whether a mail in an inbox that answers an approval mail may be the owner's or the second approver's answer."""
    if len(email.senders) != 1 or is_automatic(email) or is_forward_subject(email.subject):
        return False
    sender = email.sender.email.lower()
    return (sender in owner.addresses or is_second(email, owner)) and not strangers(email, owner)


def is_second(email: Email, owner: Owner) -> bool:
    """Whether the mail says that it comes from the second approver."""
    return bool(owner.second) and email.sender.email.lower() == owner.second.lower()


def strangers(email: Email, owner: Owner) -> tuple[Address, ...]:
    """The recipients that are neither the owner nor the second approver."""
    approvers = {*owner.addresses, owner.second.lower()} - {""}
    return tuple(address for address in (*email.to, *email.cc, *email.bcc) if address.email.lower() not in approvers)


def nonces(text: str) -> frozenset[str]:
    """The nonces in a text: of the approval mail, or of what quotes it."""
    return frozenset(_NONCE.findall(text[:_READ]))


def carries_nonce(email: Email, asked: Asked) -> bool:
    """Whether the mail quotes a nonce of the approval mail it answers: only who has read that mail can."""
    expected = nonces(asked.text)
    return bool(expected) and bool(expected & (nonces(email.text) | nonces(email.html_text)))


def holds(decision: Decision) -> bool:
    """Whether these words, even unproven, hold a case back: anything that would take a yes back."""
    return isinstance(decision, Reject | Later | Mine | Never | Edit | Revise | Attach | Without)
