"""The copies of one mail: a mail program sends one and files another, and servers date and encode them anew.

They are one answer, done once, and each is judged by itself: only a copy that lies in Sent as a sent mail lies there
proves anything, whenever it comes.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workflows.models.decisions import Decision, Revise, Unclear
from workflows.models.mail import Email
from workflows.models.people import Owner
from workflows.models.routes import Asked, Surroundings
from workflows.rules.answers import decisions
from workflows.rules.answers.proof import Proof, Proven, Unproven, sent_proof
from workflows.rules.text.canonical import visible
from workflows.rules.text.composed import composed

LEAST_DELAY = 5.0
"""Seconds before free text counts as the owner's: an automatic reply comes sooner."""

# What re-wrapping, re-encoding and a change between plain text and format=flowed move about.
_SHIFTS = re.compile(r"[\s>\xa0]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one copy says, and whether it proves that its owner said it."""

    decision: Decision
    proof: Proof


def answer_key(email: Email) -> str:
    """The same for every copy of one mail: over its Message-ID and its words, whatever else a server changed.

    A copy under the same Message-ID that says something else is another mail. One without a Message-ID stands alone.
    """
    if not email.message_id:
        return email.identity
    return hashlib.sha256(f"{email.message_id}\n{letters(email.text)}".encode()).hexdigest()


def letters(text: str) -> str:
    """The text without what re-wrapping and re-encoding move about: blanks, line ends and quote marks."""
    return _SHIFTS.sub("", composed("NFKC", visible(text)))


def judge(email: Email, owner: Owner, around: Surroundings, asked: Asked, least_delay: float = LEAST_DELAY) -> Verdict:
    """One copy of an answer to `asked`."""
    decision = decisions.read(email, asked, owner.signing(around.signatures), around.now)
    return Verdict(decision=decision, proof=prove(email, owner, around, asked, (decision,), least_delay))


def prove(  # noqa: PLR0913, PLR0917 - a copy, what is known around it, and what it says
    email: Email,
    owner: Owner,
    around: Surroundings,
    asked: Asked,
    decided: Sequence[Decision],
    least_delay: float = LEAST_DELAY,
) -> Proof:
    """Whether a copy that says all this proves that the owner said it."""
    # An automatic reply is free text and comes at once; no machine says just "ok".
    is_free = any(isinstance(decision, Revise | Unclear) for decision in decided)
    return sent_proof(email, owner, around, asked, min_delay_seconds=least_delay if is_free else 0.0)


def proven_copy(copies: Sequence[Email], proof: Callable[[Email], Proof]) -> Email | Unproven:
    """The first copy that is proven; where none is, what is missing from the newest."""
    missing = Unproven("No copy of this mail is known any more.")
    for email in copies:
        result = proof(email)
        if isinstance(result, Proven):
            return email
        missing = result
    return missing
