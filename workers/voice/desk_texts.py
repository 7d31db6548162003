"""What the desk says when it is asked: how things stand, what was skipped, which orders there are. Plain text."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from memory.desk.orders import OWN_RULES
from memory.post.mails import SeenMail
from workflows.models.mail import Email
from workflows.models.people import Owner
from workflows.models.routes import Asked
from workflows.rules.orders.lists import done_at_once, help_list
from workflows.rules.text.calendar import format_deadline
from workflows.rules.text.canonical import one_line

Facts = Mapping[str, Any]

_LONGEST = 160
_SHOWN = 30
_NAMED = 5


def _listed(names: Sequence[str]) -> str:
    """Such as: "status", "why" and "stop all"."""
    *leading, last = (f'"{name}"' for name in names)
    return f"{', '.join(leading)} and {last}"


HELP = f"""\
Write an order as the whole of your answer to any mail of Deskhand, such as this one. Or write it as a new mail to
yourself whose subject begins with "deskhand" ("deskhand status"): {_listed(done_at_once())} are
done at once; whatever else changes something is asked back once, for a link in somebody's mail could have written it.

{help_list()}

An order is read from your Sent folder, at most 24 hours old, and carried out once. One that was asked back is done when
you answer "ok", and dropped with "no" or after three days. A new approver, settings, export
and forget are never taken by mail: use ./deskhand at the machine.
"""

NOT_ASKED = (
    "I know of no order that waits for your word under that mail, so nothing was done. Write the order again as an "
    'answer to any mail of mine; "help" lists them.'
)


def cause(email: Email, asked: Asked | None, owner: Owner) -> str:
    """Which mail gave an order, and whether it answered one of ours."""
    mail = f"It was ordered by {_mail(email, owner)}"
    if asked is not None:
        return f"{mail}, which answers a mail of mine."
    return (
        f"{mail}. That mail answers no mail of mine. If you did not write it yourself, it may come from an unsubscribe "
        "link: a link in somebody else's mail can make your own mail program write. To go on, answer this mail with "
        '"resume".'
    )


def ask_back(words: str, email: Email, until: datetime, owner: Owner) -> str:
    """The question whether an order is the owner's own."""
    return (
        f"Your mailbox sent me an order: {words}\n\n"
        f"Nothing was done yet. It came in {_mail(email, owner)}, and that mail answers no mail of mine. A link in "
        'somebody else\'s mail, such as "Unsubscribe", can make your own mail program write such a mail.\n\n'
        'If you want it, answer this mail with "ok". If you do not, answer "no", or nothing: on '
        f"{format_deadline(until, owner)} it is dropped.\n\n"
        "An order that you write as your answer to any mail of mine is done without this question.\n"
    )


def too_late(words: str) -> str:
    """The ok to an order that was asked back came after its time."""
    return (
        f'Your ok to "{words}" came when its time was over, so nothing was done. To have it done, write the order as '
        "your answer to this mail."
    )


def dropped(words: str) -> str:
    """The owner said no to an order that was asked back."""
    return (
        f'"{words}" is dropped: nothing was done. To have it done all the same, write it as your answer to this mail.'
    )


def already_done(words: str) -> str:
    """The owner said no to an order that was asked back, after an ok."""
    return f'"{words}" was done before your no came, so your no changed nothing. "help" lists what takes an order back.'


def _mail(email: Email, owner: Owner) -> str:
    """Such as: your mail "deskhand resume" to ada@winter.example of Mon 30 Nov 10:00."""
    to = (
        ", ".join(one_line(recipient.email, _LONGEST) for recipient in (*email.to, *email.cc, *email.bcc)[:_NAMED])
        or "nobody"
    )
    date = f" of {format_deadline(email.date, owner)}" if email.date and email.date.tzinfo else ""
    return f'the mail "{one_line(email.subject, _LONGEST) or "(no subject)"}" to {to}{date}'


def status(facts: Facts, unwell: Mapping[str, str], owner: Owner) -> str:
    """How things stand. `facts`: as `views.status`, with `away_until` as a moment or None."""
    blocks = [
        _block("Waits for your answer", (_case(case, owner) for case in facts["waiting"])),
        _block("Needs you", (f"{case['case']}  {case['title']}: {case['reason']}" for case in facts["needs_you"])),
        _block("Under way", (f"{case['case']}  {case['title']} ({case['stage']})" for case in facts["working"])),
        _block(
            "Bids out: say won, lost or no answer", (f"{case['case']}  {case['title']}" for case in facts["placed"])
        ),
        _block("Held, not yet sent", (_send(send) for send in facts["held"] if send["purpose"] == "client")),
        _block("Not known whether sent", (_send(send) for send in facts["unsettled"])),
        _block("Could not be sent", (_send(send) for send in facts["failed"])),
        _block("On hold", (f"{hold['client']}: {hold['reason']}" for hold in facts["held_clients"])),
        _block("Owed and not chased", (not_chased(debt) for debt in facts["not_chased"])),
        _block("Paused by you", (f"{pause['client']}: {pause['mails']} mails since" for pause in facts["paused"])),
        _block("Unwell", (f"{part}: {problem}" for part, problem in unwell.items())),
    ]
    parts = [*_standing(facts, owner), *(block for block in blocks if block)]
    return "\n\n".join([*(parts or ["Nothing waits, and nothing is held."]), _last(facts)]) + "\n"


def not_chased(one: Mapping[str, str]) -> str:
    """Who owes, for which invoice, and why they are not reminded of it."""
    invoice = f", invoice {one['invoice']}" if one["invoice"] else ""
    return f"{one['client']}{invoice}: {one['reason']}"


def status_subject(facts: Facts) -> str:
    """The gist, for a telephone's list."""
    count = len(facts["waiting"]) + len(facts["needs_you"])
    waits = "nothing waits for you" if not count else f"{count} {'waits' if count == 1 else 'wait'} for you"
    return f"Status: {'STOPPED, ' if facts['stopped'] else ''}{waits}"


def ignored(mails: Sequence[SeenMail], owner: Owner) -> str:
    """The account of what was skipped, newest first, each with the number that `rescue` takes."""
    if not mails:
        return "Nothing was skipped so far.\n"
    lines = "\n".join(skipped_line(mail, owner) for mail in mails)
    return (
        f"These mails were skipped, newest first. Nothing was drafted for them, and they lie in your mailbox as "
        f'before. Answer "rescue" and the number to have one drafted for.\n\n{lines}\n'
    )


def skipped_line(mail: SeenMail, owner: Owner) -> str:
    """One skipped mail on one line: number, when, who, what, why."""
    subject = one_line(mail.subject, _LONGEST) or "(no subject)"
    sender = one_line(mail.sender, _LONGEST) or "nobody"
    return f"{mail.id}  {format_deadline(mail.at, owner)}  {sender}: {subject} - {one_line(mail.reason, _LONGEST)}"


def _standing(facts: Facts, owner: Owner) -> list[str]:
    """What is true of everything: stopped, away."""
    lines = []
    if since := facts["stopped"]:
        lines.append(f'Everything is STOPPED ({since}): nothing goes out until "resume".')
    if until := facts["away_until"]:
        lines.append(f"You are away until {format_deadline(until, owner)}: nothing expires meanwhile.")
    return lines


def _block(title: str, lines: Iterable[str]) -> str:
    items = [f"- {one_line(line, 2 * _LONGEST)}" for line in lines]
    remainder = [f"- and {len(items) - _SHOWN} more"] if len(items) > _SHOWN else []
    return "\n".join([f"{title}:", *items[:_SHOWN], *remainder]) if items else ""


def _case(one: Facts, owner: Owner) -> str:
    until = ""
    if one["expires_at"]:
        until = f", until {format_deadline(datetime.fromisoformat(one['expires_at']), owner)}"
    name = f"{one['case']}.{one['version']}" if one["version"] else str(one["case"])
    return f"{name}  {one['title']}{until}"


def _send(one: Facts) -> str:
    label = f"{one['case']}.{one['version']}" if one["case"] else one["intent"]
    return f"{label} to {', '.join(one['to'])} ({one['state']}) {one['detail']}"


def _last(facts: Facts) -> str:
    skipped = sum(count for rule, count in facts["ignored"]["by_rule"].items() if rule not in OWN_RULES)
    mails = "Nothing was skipped so far" if not skipped else f'Skipped so far: {skipped} ("ignored" lists the last)'
    undelivered = facts["undelivered"]
    late = f" {undelivered} mails are recorded and not yet taken up." if undelivered else ""
    return f'{mails}.{late} "help" lists the orders.'
