"""Who answered: the copy in the owner's Sent folder, as it lies there, is the proof.

It means "someone who can write to this mailbox as its owner". Whatever looks delivered, redirected, automatic or filed
by a rule is not proven; the reason is told to the owner in plain words.
"""

import re
from dataclasses import dataclass
from datetime import timedelta

from workflows.models.mail import Email
from workflows.models.people import Owner
from workflows.models.routes import Asked, Surroundings

_CLOCK_SKEW = timedelta(minutes=2)  # a telephone's clock may be behind the server's
_OLDEST = timedelta(days=400)
_OLDEST_ORDER = timedelta(hours=24)
_FARTHEST_ORDER = timedelta(hours=1)  # ahead of us: a clock that is set wrong

DELIVERY = frozenset({
    "received", "return-path", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-rcpt-to",
    "authentication-results", "received-spf", "x-received", "arc-seal", "arc-message-signature",
    "arc-authentication-results", "x-spam-status", "x-spam-flag", "x-spam-level", "x-spam-score",
    "x-spam-checker-version",
    "x-forefront-antispam-report", "x-microsoft-antispam", "x-gm-spam", "x-sieve", "x-ms-exchange-organization-scl",
})  # fmt: skip
"""Headers that a server adds when it delivers a mail, not when it is sent."""

_NEVER_LEARNED = re.compile(r"resent-.*|list-.*|x-loop|x-forwarded-.*|x-autoreply|x-autorespond|x-deskhand-.*")
"""Headers that no really sent answer has, whatever `check` learned."""

_FORWARD = re.compile(r"\s*(?:fwd?|wg|tr|rv|enc|doorst|vb|i|pd|fs|videresendt|vidarebefordrat)\s*:", re.IGNORECASE)
_FORWARDED = re.compile(
    r"^[ \t]*(?:-{2,10}[ \t]*(?:forwarded message|weitergeleitete nachricht|message transf[eé]r[eé]|mensaje reenviado"
    r"|mensagem encaminhada|messaggio inoltrato|doorgestuurd bericht|wiadomo[sś][cć] przekazana)"
    r"|begin forwarded message:|anfang der weitergeleiteten nachricht:)",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Proven:
    """The owner wrote this answer."""


@dataclass(frozen=True, slots=True)
class Unproven:
    """It is not shown that the owner wrote it; `reason` is one plain sentence."""

    reason: str


Proof = Proven | Unproven


def sent_proof(
    email: Email, owner: Owner, around: Surroundings, asked: Asked, *, min_delay_seconds: float = 5.0
) -> Proof:
    """Whether this copy proves that the owner answered `asked`. `around.now` is when the copy was first seen."""
    reason = (
        _wrong_place(email, around, asked)
        or _wrong_sender(email, owner)
        or _wrong_recipients(email, owner)
        or _delivered(email, around.sent_headers)
        or _automatic(email)
        or _forward(email)
        or _wrong_time(email, around, asked, min_delay_seconds)
    )
    return Unproven(reason) if reason else Proven()


def order_proof(email: Email, owner: Owner, around: Surroundings) -> Proof:
    """Whether this copy proves that the owner gave this order to the desk, within the last 24 hours."""
    reason = (
        _not_sent_by_hand(email, around)
        or _wrong_sender(email, owner)
        or _wrong_recipients(email, owner)
        or _delivered(email, around.sent_headers)
        or _automatic(email)
        or _forward(email)
        or _too_old(email, around)
    )
    return Unproven(reason) if reason else Proven()


def _not_sent_by_hand(email: Email, around: Surroundings) -> str:
    if around.folder_kind != "sent":
        return "This copy does not lie in your Sent folder; only the Sent copy counts."
    if around.ours or email.has_header("x-deskhand-case"):
        return "This mail was written by Deskhand itself."
    return ""


def _too_old(email: Email, around: Surroundings) -> str:
    if email.date is None or email.date.tzinfo is None:
        return "This mail has no date."
    if around.now - email.date > _OLDEST_ORDER:
        return "This order is older than 24 hours."
    return "This order's date lies in the future." if email.date - around.now > _FARTHEST_ORDER else ""


def _wrong_place(email: Email, around: Surroundings, asked: Asked) -> str:
    if around.folder_kind != "sent":
        return "This copy does not lie in your Sent folder; only the Sent copy counts."
    if around.ours or email.has_header("x-deskhand-case"):
        return "This mail was written by Deskhand itself."
    if around.asked is not None and (around.asked.case, around.asked.version) != (asked.case, asked.version):
        return f"This mail answers {around.asked.case}.{around.asked.version}, not {asked.case}.{asked.version}."
    if not email.parents:
        return "This mail does not say which mail it answers."
    return ""


def _wrong_sender(email: Email, owner: Owner) -> str:
    froms = sum(name == "from" for name, _ in email.headers)
    if len(email.senders) != 1 or froms > 1:
        number = froms if len(email.senders) == 1 else len(email.senders)
        return f"This mail has {number} From addresses; exactly one is needed."
    if email.sender.email.lower() not in owner.addresses:
        return f"This mail is from {email.sender.email or 'nobody'}, which is not one of your addresses."
    named = re.findall(r"[^\s<>,;:\"]+@[^\s<>,;:\"]+", email.header("sender"))
    if any(address.lower() not in owner.addresses for address in named):
        return f"This mail was sent on your behalf by {named[0]}."
    return ""


def _wrong_recipients(email: Email, owner: Owner) -> str:
    recipients = (*email.to, *email.cc, *email.bcc)
    if not recipients:
        return "This mail names no recipient."
    strangers = [address.email for address in recipients if address.email.lower() not in owner.addresses]
    if strangers:
        return f"This mail also goes to {strangers[0] or 'an unreadable address'}; an answer goes to you alone."
    return ""


def _delivered(email: Email, learned: tuple[str, ...]) -> str:
    for name, value in email.headers:
        if _NEVER_LEARNED.fullmatch(name):
            return f"This mail was passed on or sent by a program (it has a {name.title()} header)."
        if name in DELIVERY and not _is_learned(name, value, learned):
            return f"This mail was delivered and not sent from here (it has a {name.title()} header)."
    return ""


def _is_learned(name: str, value: str, learned: tuple[str, ...]) -> bool:
    """Whether `check` saw it on really sent mail: as a name, or as `name: words that the value must hold`."""
    for entry in learned:
        header, _, words = entry.lower().partition(":")
        if header.strip() == name and words.strip() in value.lower():
            return True
    return False


def _automatic(email: Email) -> str:
    kind = email.header("auto-submitted").split(";")[0].strip().lower()
    if kind not in {"", "no"}:
        return f"This mail was sent automatically (Auto-Submitted: {kind[:40]})."
    if email.header("precedence").strip().lower() in {"auto_reply", "bulk", "junk", "list"}:
        return "This mail was sent automatically (it has a Precedence header)."
    if "multipart/report" in email.header("content-type").lower():
        return "This mail is a receipt or a delivery report."
    return ""


def _forward(email: Email) -> str:
    attached = any(file.content_type.lower() == "message/rfc822" for file in email.attachments)
    if attached or _FORWARD.match(email.subject) or _FORWARDED.search(email.text[:20_000]):
        return "This mail forwards the question; only a reply is an answer."
    return ""


def _wrong_time(email: Email, around: Surroundings, asked: Asked, min_delay_seconds: float) -> str:
    if email.date is None or email.date.tzinfo is None:
        return "This mail has no date."
    elapsed, dated = around.now - asked.sent_at, email.date - asked.sent_at
    if elapsed < timedelta() or dated < -_CLOCK_SKEW or dated > _OLDEST:
        return "This mail's date is not after the question was asked."
    least = timedelta(seconds=min_delay_seconds)
    # Date has whole seconds; a clock that is behind says nothing about the delay.
    if elapsed < least or timedelta(seconds=-1) < dated < least - timedelta(seconds=1):
        return f"This answer came within {min_delay_seconds:g} seconds, as an automatic reply would."
    return ""
