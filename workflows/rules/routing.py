"""Where a mail goes: a new case, an open one, an answer to an approval mail, or nowhere, with the reason. Total."""

from dataclasses import replace

from workflows.models.mail import Address, Email
from workflows.models.people import Owner
from workflows.models.routes import Answered, Asked, Hinted, Ignore, Ordered, Posted, Route, Start, Surroundings, Tell
from workflows.rules.answers.hints import looks_like_answer
from workflows.rules.answers.orders import is_order_subject, order_in
from workflows.rules.leads.job_alerts import Unknown
from workflows.rules.mail.machines import automatic, ignored
from workflows.rules.mail.subjects import is_forward_subject
from workflows.rules.reading import Reading
from workflows.rules.text.canonical import one_line
from workflows.rules.triage import OUR_HEADER, only_claims, triage, unwanted


def route(reading: Reading, owner: Owner, around: Surroundings) -> Route:
    """What is to be done about a mail found in an inbox or in a Sent folder; never raises."""
    if around.folder_kind == "sent":
        return _from_sent(reading.email, owner, around)
    return _from_inbox(reading, owner, around)


# ---------------------------------------------------------------- inbox


def _from_inbox(reading: Reading, owner: Owner, around: Surroundings) -> Route:
    email, hold = reading.email, reading.hold
    answer = _answer_in_inbox(email, owner, around)
    if isinstance(answer, Hinted):
        return answer
    verdict = answer or _job_alert(reading, around) or triage(email, owner, around)
    if verdict:
        return verdict if isinstance(verdict, Posted) else _naming_case(verdict, around)
    if around.paused and not hold:
        return ignored("paused", f"You paused {email.sender.email}; it is taken up when you resume them.")
    reason = f"{one_line(email.sender.name[:80]) or email.sender.email} writes: {reading.gist}".rstrip(" :")
    if around.open_case:
        return Tell(case=around.open_case, hold=hold, reason=reason)
    if around.first_day and not hold:
        return ignored("first-day", "It would have been drafted; for the first 24 hours Deskhand only tells.")
    return Start(hold=hold, reason=reason)


def _answer_in_inbox(email: Email, owner: Owner, around: Surroundings) -> Ignore | Hinted | None:
    """Mail that answers one of our own mails, seen where everybody can write to: never an answer by itself."""
    if around.ours or around.asked is None:
        return None
    if around.asked.purpose == "approval" and looks_like_answer(email, owner):
        reason = f"It looks like an answer to case {around.asked.case}; its proof is looked for."
        return Hinted(case=around.asked.case, version=around.asked.version, reason=reason)
    if email.sender.email.lower() in owner.addresses:
        reason = f"It looks like your answer to case {around.asked.case}; only its copy in your Sent folder counts."
        return ignored("own-mail", reason)
    sender = email.sender.email or "its sender"
    return ignored(
        "foreign-answer", f"It answers Deskhand's mail about case {around.asked.case}, but {sender} is not you."
    )


def _job_alert(reading: Reading, around: Surroundings) -> Posted | Ignore | None:
    """Alert mail of a platform, unless the owner does not want it or his server does not vouch for it."""
    email, alert = reading.email, reading.alert
    if alert is None or not around.alerts or around.ours or around.never or unwanted(email, around):
        return None
    if reading.is_unproven:
        reason = f"your mail server does not vouch for {email.sender.email} (DMARC fails)"
        return ignored("not-proven", f"It looks like a job alert, but {reason}.")
    if isinstance(alert, Unknown):
        return Posted(leads=alert.leads, reason=alert.says, code=alert.code)
    return Posted(leads=alert)


def _naming_case(found: Ignore, around: Surroundings) -> Ignore:
    """The same verdict, saying which open case the mail belongs to."""
    if not around.open_case or found.rule == "own-mail":
        return found
    return replace(found, reason=f"{found.reason} It belongs to case {around.open_case}, which stays as it is.")


# ---------------------------------------------------------------- sent


def _from_sent(email: Email, owner: Owner, around: Surroundings) -> Route:
    if foreign := _not_by_hand(email, owner, around):
        return foreign
    if around.asked is not None:
        return _answer(email, owner, around, around.asked)
    if around.burnt is not None and (refused := _no_answer(email, owner, around.burnt)):
        return refused
    if _only_to_owner(email, owner):
        return _astray(email, around) or _to_oneself(email)
    if around.open_case and not is_forward_subject(email.subject):
        return Tell(case=around.open_case, reason="You wrote into this conversation yourself.")
    return ignored("own-mail", "You wrote it yourself; remembered.")


def _not_by_hand(email: Email, owner: Owner, around: Surroundings) -> Ignore | None:
    """What lies in Sent without the owner having written it: ours, a stranger's, a vacation responder's."""
    if around.ours:
        return ignored("own-mail", "Deskhand sent it itself.")
    if len(email.senders) != 1 or email.sender.email.lower() not in owner.addresses:
        sender = ", ".join(address.email for address in email.senders) or "nobody"
        return ignored("not-yours", f"It lies in your Sent folder but comes from {sender}, not from you alone.")
    if email.has_header(OUR_HEADER):
        return only_claims(email, email.sender.email)
    if value := automatic(email):
        return ignored("auto-reply", f"Your mail program sent it by itself (Auto-Submitted: {value}).")
    return None


def _answer(email: Email, owner: Owner, around: Surroundings, asked: Asked) -> Route:
    """What counts as an answer (docs/approval.md, "Which mail you answer"); the proof and the words are read later."""
    if refused := _no_answer(email, owner, asked):
        return refused
    if order_in(email, owner.signing(around.signatures), around.now, asked) is not None:
        return Ordered(reason="Your order to the desk, in an answer to one of its mails.")
    if asked.purpose == "approval":
        return Answered(case=asked.case, version=asked.version, reason=f"Your answer to {asked.case}.{asked.version}.")
    return ignored("own-mail", f"You answered Deskhand's mail about case {asked.case}; it asks nothing of the desk.")


def _no_answer(email: Email, owner: Owner, asked: Asked) -> Ignore | None:
    """What hangs on a mail of ours and yet says nothing to the desk: it went to others, or passes the mail on."""
    if not _only_to_owner(email, owner):
        stranger = next(
            (recipient.email for recipient in _recipients(email) if recipient.email.lower() not in owner.addresses),
            "nobody",
        )
        return ignored(
            "answer-to-others", f"Your mail about case {asked.case} went to {stranger}: no answer to Deskhand."
        )
    if is_forward_subject(email.subject):
        return ignored("forward", f"You forwarded the mail about case {asked.case}; a forward is never an answer.")
    return None


def _astray(email: Email, around: Surroundings) -> Answered | None:
    """What may be meant as an answer and is none: it is judged like one, so that its writer hears why."""
    astray = around.astray
    if astray is None or is_order_subject(email.subject) or is_forward_subject(email.subject):
        return None
    return Answered(case=astray.case, version=astray.version, reason=astray.reason)


def _to_oneself(email: Email) -> Ordered | Ignore:
    if is_order_subject(email.subject):
        return Ordered(reason="Your order to the desk.")
    return ignored("own-mail", "You wrote it to yourself.")


def _recipients(email: Email) -> tuple[Address, ...]:
    return (*email.to, *email.cc, *email.bcc)


def _only_to_owner(email: Email, owner: Owner) -> bool:
    recipients = _recipients(email)
    return bool(recipients) and all(recipient.email.lower() in owner.addresses for recipient in recipients)
