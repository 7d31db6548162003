"""The second proof: the sender's own domain has signed the answer, for an approver whose Sent folder is not ours.

Two ways to know: the owner's server says so in its Authentication-Results (its authserv-id pinned in the settings), or
Deskhand has verified the signature itself. Either way the signature must bind all that makes an answer, and be fresh.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from workflows.models.mail import Email
from workflows.models.people import Owner
from workflows.models.routes import Asked
from workflows.rules.answers.hints import carries_nonce, is_second, looks_like_answer
from workflows.rules.answers.proof import Proof, Proven, Unproven
from workflows.rules.mail.authentication import own_part, read_results

OLDEST = timedelta(hours=24)
_SKEW = timedelta(minutes=10)  # the clocks of two mail servers
_ONCE = ("from", "to", "subject", "date", "message-id", "in-reply-to")
"""Headers that an answer has exactly once and that its signature must cover."""

_AT_MOST_ONCE = ("cc", "sender", "reply-to", "content-type", "content-transfer-encoding", "mime-version")
_ALGORITHMS = ("rsa-sha256", "ed25519-sha256")
_LONGEST = 4_000
_TAG = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*=([^;]*)")

Signature = Mapping[str, str]
"""The tags of one DKIM-Signature, lower-case names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What is known of a mail's signatures. `headers`: lower-case names and values exactly as written, mail order.

    Never the decoded values: an encoded word in them could turn into a verdict. `authserv_id` pinned: only that
    server's word counts; empty: `verified` are the signatures that Deskhand verified itself.
    """

    headers: tuple[tuple[str, str], ...]
    authserv_id: str = ""
    verified: tuple[Signature, ...] = ()


def second_proof(email: Email, owner: Owner, asked: Asked, now: datetime, signed: Signed) -> Proof:
    """Whether the second approver wrote this answer to `asked`."""
    reason = (
        _wrong_headers([name for name, _ in signed.headers])
        or _wrong_mail(email, owner, asked)
        or _wrong_time(email, asked, now)
        or _unsigned(email.sender.email.lower().rpartition("@")[2], signed, now)
    )
    return Unproven(reason) if reason else Proven()


def _wrong_headers(names: Sequence[str]) -> str:
    for name in _ONCE:
        if names.count(name) != 1:
            return f"This mail has {names.count(name)} {name.title()} headers; exactly one is needed."
    twice = next((name for name in _AT_MOST_ONCE if names.count(name) > 1), "")
    return f"This mail has more than one {twice.title()} header." if twice else ""


def _wrong_mail(email: Email, owner: Owner, asked: Asked) -> str:
    if not is_second(email, owner) or not looks_like_answer(email, owner):
        return "This mail is no answer of the second approver."
    if email.defects:
        return f"This mail is damaged ({email.defects[0].says})."
    if len(email.in_reply_to) != 1:
        return "This mail does not say which one mail it answers."
    if not (email.to or email.cc):
        return "This mail names no recipient."
    if not carries_nonce(email, asked):
        return "This mail does not quote the approval mail it answers, with its number."
    return ""


def _wrong_time(email: Email, asked: Asked, now: datetime) -> str:
    if email.date is None or email.date.tzinfo is None:
        return "This mail has no date."
    if email.date < asked.sent_at - _SKEW or email.date > now + _SKEW:
        return "This mail's date is not between the question and now."
    if now - email.date > OLDEST:
        return "This answer is more than 24 hours old."
    return ""


# ---------------------------------------------------------------- signatures


def signatures(signed: Signed) -> tuple[Signature, ...]:
    """The DKIM signatures of a mail as it states them, top to bottom; one that cannot be read is empty."""
    return tuple(_tags(value) for name, value in signed.headers if name == "dkim-signature")


def _tags(value: str) -> dict[str, str]:
    tags: dict[str, str] = {}
    for piece in value[:_LONGEST].strip().rstrip(";").split(";"):
        match = _TAG.fullmatch(piece)
        if match is None or match[1].lower() in tags:
            return {}
        tags[match[1].lower()] = "".join(match[2].split())
    return tags


def is_aligned(signature: Signature, domain: str) -> bool:
    """Whether the signing domain is the From domain or one above it."""
    signer = signature.get("d", "").lower()
    return "." in signer and (domain == signer or domain.endswith(f".{signer}"))


def weakness(signature: Signature, now: datetime) -> str:
    """Why this signature, valid or not, does not bind a whole fresh answer; "" when it does."""
    if signature.get("a", "").lower() not in _ALGORITHMS:
        return "The signature of this mail uses an old algorithm."
    if "l" in signature:
        return "The signature of this mail covers only its beginning (l=)."
    signed = {name.lower() for name in signature.get("h", "").split(":")}
    if missing := next((name for name in _ONCE if name not in signed), ""):
        return f"The signature of this mail does not cover {missing.title()}."
    signed_at, ends = _instant(signature.get("t")), _instant(signature.get("x"))
    if signed_at is not None and not -_SKEW <= now - signed_at <= OLDEST:
        return "The signature of this mail is more than 24 hours old, or of the future."
    if ends is not None and ends < now:
        return "The signature of this mail has expired."
    return ""


def _instant(seconds: str | None) -> datetime | None:
    if not seconds:
        return None
    # What is no time is as good as the beginning of time: never fresh.
    plausible = seconds.isascii() and seconds.isdigit() and len(seconds) <= len("9999999999")
    return datetime.fromtimestamp(int(seconds) if plausible else 0, UTC)


def _unsigned(domain: str, signed: Signed, now: datetime) -> str:
    if signed.authserv_id:
        if reason := _not_vouched(signed, domain):
            return reason
        # The verdict does not say which signature it speaks of, so all of that domain must be good enough.
        candidates = [signature for signature in signatures(signed) if is_aligned(signature, domain) or not signature]
        weak = [weakness(signature, now) for signature in candidates]
        return next(filter(None, weak), "") if candidates else f"This mail has no signature of {domain}."
    weak = [weakness(signature, now) for signature in signed.verified if is_aligned(signature, domain)]
    if not weak:
        return f"No signature of {domain} on this mail could be verified."
    return "" if "" in weak else weak[0]


# ---------------------------------------------------------------- the owner's server's word


def _not_vouched(signed: Signed, domain: str) -> str:
    """Why the owner's server does not vouch: its verdict counts only where no sender can have written it."""
    server = signed.authserv_id.lower()
    trusted, received = own_part(signed.headers)
    if not _is_host(received, server):
        return f"This mail does not show that {server} received it, so its verdict cannot be told from a forged one."
    verdicts = [verdict for value in trusted if (verdict := read_results(value)) and verdict.server == server]
    if not verdicts:
        return f"{server} says nothing about who sent this mail (Authentication-Results)."
    passed = (signer for verdict in verdicts for signer in verdict.passed)
    if not any(is_aligned({"d": signer}, domain) for signer in passed):
        return f"{server} does not confirm a signature of {domain} on this mail."
    return ""


def _is_host(host: str, server: str) -> bool:
    return bool(host) and (host == server or host.endswith(f".{server}"))
