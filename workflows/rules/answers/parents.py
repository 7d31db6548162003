"""Which mail a mail answers: its direct parent, or the one whose reference and nonce it carries. Total.

A forward leaks Message-ID, reference and nonce; what then still tells an answer to us from an answer to somebody who
writes under these ids is which mail stands right above it.
"""

import re
from dataclasses import dataclass

from workflows.models.mail import Email
from workflows.models.routes import Asked
from workflows.rules.answers.hints import carries_nonce

_REFERENCE = re.compile(r"<\d{1,12}\.\d{1,12}\.[0-9a-f]{24}@deskhand\.invalid>", re.IGNORECASE)


def direct_parent(email: Email) -> str:
    """The one mail that this one answers: In-Reply-To, else the last of References; "" when it names none or several.

    Several in In-Reply-To: the mail above may have put a second id into its own Message-ID.
    """
    answered = tuple(dict.fromkeys(email.in_reply_to))
    if answered:
        return answered[0] if len(answered) == 1 else ""
    return email.references[-1] if email.references else ""


def is_ambiguous(email: Email) -> bool:
    """Whether it says of more than one mail that it answers it."""
    return len(set(email.in_reply_to)) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentMail:
    """A mail of ours as answers name it. `ids`: ours, and the one the server really gave it."""

    asked: Asked
    ids: frozenset[str]
    reference: str = ""
    is_at_hand: bool = False  # seen in the owner's mailbox, so the ids by which programs answer it are known


def is_answer_to(email: Email, question: ParentMail, *, parent_is_known: bool = False) -> bool:
    """Whether the mail answers this one. `parent_is_known`: its direct parent is a mail that somebody else wrote.

    Answers name a mail by an id that we never saw where a server gave it one on the way: there the reference it
    inherits counts, if the nonce is quoted as well.
    """
    parent = direct_parent(email)
    if parent and parent in question.ids:
        return True
    if not question.reference or question.reference not in email.parents or is_ambiguous(email):
        return False
    is_elsewhere = parent != question.reference and (parent_is_known or question.is_at_hand)
    return not is_elsewhere and carries_nonce(email, question.asked)


def is_ours_by_form(parent: str) -> bool:
    """Whether this is a reference of an approval mail, known here or not: an older ledger may have been put back."""
    return _REFERENCE.fullmatch(parent) is not None
