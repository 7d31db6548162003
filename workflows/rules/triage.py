"""What needs no model to be decided: mail that nobody waits for an answer to, each with its rule and its reason.

The order is from the owner's own words over what machines say of themselves to whom a mail is addressed to. In a
conversation that is already open only machines are turned away: a person's mail there is never lost to a header.
"""

import re

from workflows.models.mail import Email
from workflows.models.people import Owner
from workflows.models.routes import Ignore, Surroundings
from workflows.rules.debts.payments import lure
from workflows.rules.mail import machines
from workflows.rules.mail.forms import as_written_by
from workflows.rules.mail.holds import hold_reason
from workflows.rules.mail.machines import ignored
from workflows.rules.mail.replying import new_part
from workflows.rules.mail.services import service_notice
from workflows.rules.mail.subjects import is_reply_subject
from workflows.rules.text.words import fold

__all__ = ["OUR_HEADER", "hold_reason", "only_claims", "triage"]

OUR_HEADER = "x-deskhand-case"
_MANY = 30  # people in To and Cc from which on a mail is an announcement
_GREETING_LINES = 2


def triage(email: Email, owner: Owner, around: Surroundings) -> Ignore | None:
    """Why this mail needs no answer, or None when it goes on; total over every Email.

    For mail from an inbox; the owner's own mail and answers to approval mails are routing's.
    """
    email = as_written_by(email, owner.addresses)
    if email.form:
        return _visitors(email, around)
    return (
        _own(email, owner, around)
        or unwanted(email, around)
        or _machine(email)
        or (None if around.open_case else _unaddressed(email, owner, around) or _unwanted(email, around))
    )


def _visitors(email: Email, around: Surroundings) -> Ignore | None:
    """What a visitor typed into a web form: the site's own signs of a machine say nothing about them."""
    if around.ours:
        return ignored("own-mail", "Deskhand sent it itself.")
    correspondent = around.client is not None and around.client.written_to
    return (
        unwanted(email, around)
        or _empty(email)
        or (None if correspondent else machines.spam(email))
        or (None if around.open_case else _unwanted(email, around))
    )


def _own(email: Email, owner: Owner, around: Surroundings) -> Ignore | None:
    if around.ours:
        return ignored("own-mail", "Deskhand sent it itself.")
    own_address = next((sender.email for sender in email.senders if sender.email.lower() in owner.addresses), "")
    if email.has_header(OUR_HEADER):
        return only_claims(email, own_address)
    if own_address:
        return ignored("own-mail", f"It comes from your own address, {own_address}.")
    if "@" not in email.sender.email.strip("@"):
        return machines.bounce(email) or ignored("no-sender", "It has no sender address, so nobody can be answered.")
    return None


def only_claims(email: Email, own: str) -> Ignore:
    """A mail that says it is Deskhand's and is not of this one's making. `own`: the owner's address that it names.

    Never work: it is forged, or another Deskhand's (an older home's, or that of whom this owner is second approver).
    """
    claim = f"It only claims to be a mail of Deskhand's ({OUR_HEADER.title()}): this Deskhand did not send it."
    if own:
        return ignored("own-mail", f"{claim} It names your own address, {own}.")
    return ignored("claims-deskhand", f"{claim} It comes from {email.sender.email or 'nobody'}.")


def unwanted(email: Email, around: Surroundings) -> Ignore | None:
    """What the owner said about this sender."""
    sender = email.sender.email.lower()
    if around.never:
        return ignored("never", f"You said “never” for {sender}.")
    entry = next((listed for listed in around.ignore if _matches(sender, listed)), "")
    return ignored("ignore-list", f"Its sender is on your ignore list ({entry}).") if entry else None


def _matches(sender: str, entry: str) -> bool:
    """An entry is an address, or a domain (also "@domain", "*@domain", "*.domain") that stands for its subdomains."""
    pattern = entry.strip().lower()
    local, at, domain = pattern.rpartition("@")
    if at and local not in ("", "*"):
        return sender == pattern
    domain = domain.removeprefix("*").removeprefix(".")
    host = sender.rpartition("@")[2]
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _machine(email: Email) -> Ignore | None:
    """Reports and automatic answers: turned away in every conversation, or mail loops begin."""
    rules = (machines.bounce, machines.receipt, machines.calendar, machines.auto_reply, machines.reaction)
    report = next((verdict for rule in rules if (verdict := rule(email))), None)
    return report or _empty(email) or _sender(email)


def _sender(email: Email) -> Ignore | None:
    return machines.platform(email) or machines.no_reply(email)


def _unaddressed(email: Email, owner: Owner, around: Surroundings) -> Ignore | None:
    """Mail to many: newsletters, lists, copies."""
    correspondent = around.client is not None and around.client.written_to
    verdict = (
        (None if correspondent else machines.spam(email) or machines.phishing(email) or _lure(email))
        or machines.newsletter(email)
        or machines.mailing_list(email, owner.addresses)
        or machines.bulk(email, owner.addresses)
    )
    unknown = (
        None if correspondent else machines.do_not_answer(email) or service_notice(email, owner.name.split(" ")[0])
    )
    return verdict or unknown or _address(email, owner, known=correspondent)


def _lure(email: Email) -> Ignore | None:
    reason = lure(email)
    return ignored("phishing", reason) if reason else None


def _address(email: Email, owner: Owner, *, known: bool) -> Ignore | None:
    to = {address.email.lower() for address in email.to if address.email}
    cc = {address.email.lower() for address in email.cc if address.email}
    if len(to | cc) > _MANY:
        return ignored("many-recipients", f"It went to {len(to | cc)} people at once.")
    if cc & owner.addresses and to and not to & owner.addresses and not _names(email, owner):
        return ignored("copy-only", "You are only in copy (Cc), and it does not speak to you by name.")
    hidden = not cc and (not to or to == {email.sender.email.lower()})
    if hidden and not known and not machines.is_answer(email):
        return ignored("undisclosed", "It names no recipient but its sender: a hidden copy, as others got it too.")
    return None  # to another address: perhaps forwarded from one that Deskhand does not know, and a person waits


def _names(email: Email, owner: Owner) -> bool:
    """Whether a mail that lists the owner in copy speaks to them by name ("Hi Bob and Ada", "@Ada")."""
    names = [fold(name) for name in owner.name.split() if len(name) > 1]
    text = new_part(email.text)
    opening = fold(" ".join([line for line in text.split("\n") if line.strip()][:_GREETING_LINES]))
    first = names[0] if names else fold(owner.address.partition("@")[0])
    pattern = rf"(?<!\w){re.escape(first)}(?!\w)"
    return bool(re.search(pattern, opening) or re.search(rf"@{pattern}", fold(text[:20_000])))


def _empty(email: Email) -> Ignore | None:
    if email.text.strip() or email.html_text.strip() or email.attachments:
        return None
    if not email.subject.strip() or is_reply_subject(email.subject):
        return ignored("empty", "There is nothing in it to answer.")
    return None


def _unwanted(email: Email, around: Surroundings) -> Ignore | None:
    """What the settings leave out."""
    if around.draft_for == "none":
        return ignored("drafts-off", "Your settings ask for no drafts (intake.draft_for = none).")
    if around.draft_for == "known" and not (around.client is not None and around.client.written_to):
        return ignored("unknown-sender", f"You have never written to {email.sender.email} (intake.draft_for = known).")
    return None
