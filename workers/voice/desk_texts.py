"""What the desk says when it is asked: how things stand, what was skipped, which orders there are. Plain text.

From facts to the text, or to subject and text, in the owner's language.
"""

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
from workflows.rules.text.speech import listed, named, say, say_count

Facts = Mapping[str, Any]

_LONGEST = 160
_SHOWN = 30
_NAMED = 5


def help_text(language: str) -> str:
    """All orders, how they are written and when they are carried out."""
    orders = listed(language, [f'"{name}"' for name in done_at_once(language)])
    parts = (say(language, "help.intro", orders=orders), help_list(language), say(language, "help.outro"))
    return "\n\n".join(parts) + "\n"


# ---------------------------------------------------------------- orders by mail


def not_asked(owner: Owner) -> str:
    """There is no order that waits for the owner's word under that mail."""
    return say(owner.language, "asked.not_asked")


def cause(email: Email, asked: Asked | None, owner: Owner) -> str:
    """Which mail gave an order, and whether it answered one of ours."""
    name = "asked.by_mail" if asked is None else "asked.by_answer"
    return say(owner.language, name, mail=_mail(email, owner))


def ask_back(words: str, email: Email, until: datetime, owner: Owner) -> tuple[str, str]:
    """The question whether an order is the owner's own."""
    facts = {"words": words, "mail": _mail(email, owner), "until": format_deadline(until, owner)}
    names = ("asked.text", "asked.nothing_yet", "asked.how", "asked.next_time")
    text = "\n\n".join(say(owner.language, name, **facts) for name in names)
    return say(owner.language, "asked.subject", words=words), f"{text}\n"


def too_late(words: str, owner: Owner) -> tuple[str, str]:
    """The ok to an order that was asked back came after its time."""
    return _of_words("too_late", words, owner)


def dropped(words: str, owner: Owner) -> tuple[str, str]:
    """The owner said no to an order that was asked back."""
    return _of_words("dropped", words, owner)


def already_done(words: str, owner: Owner) -> tuple[str, str]:
    """The owner said no to an order that was asked back, after an ok."""
    return _of_words("already", words, owner)


def _of_words(name: str, words: str, owner: Owner) -> tuple[str, str]:
    return (
        say(owner.language, f"asked.{name}_subject", words=words),
        say(owner.language, f"asked.{name}", words=words),
    )


def not_carried_out(reason: str, owner: Owner) -> tuple[str, str]:
    """An order mail that is not proven."""
    return not_carried_out_subject(owner), say(owner.language, "asked.again", reason=reason)


def not_carried_out_subject(owner: Owner) -> str:
    """Of every notice that an order was not carried out."""
    return say(owner.language, "asked.not_carried")


def not_understood(hint: str, owner: Owner) -> tuple[str, str]:
    """What is no order, and what to write instead."""
    return say(owner.language, "asked.not_understood"), hint


def not_by_mail(words: str, owner: Owner) -> tuple[str, str]:
    """What is only ever done at the machine."""
    return _named("not_by_mail", owner, what=words)


def no_case(case: int, owner: Owner) -> tuple[str, str]:
    """The owner asked about a case that there is not."""
    return _named("no_case", owner, case=case)


def _named(name: str, owner: Owner, **facts: object) -> tuple[str, str]:
    return say(owner.language, f"asked.{name}_subject", **facts), say(owner.language, f"asked.{name}", **facts)


def _mail(email: Email, owner: Owner) -> str:
    """Such as: the mail "deskhand resume" to ada@winter.example of Mon 30 Nov 10:00."""
    recipients = (*email.to, *email.cc, *email.bcc)[:_NAMED]
    facts = {
        "subject": one_line(email.subject, _LONGEST) or say(owner.language, "lists.no_subject"),
        "to": ", ".join(one_line(recipient.email, _LONGEST) for recipient in recipients)
        or say(owner.language, "lists.nobody"),
    }
    if email.date and email.date.tzinfo:
        return say(owner.language, "asked.mail_dated", **facts, date=format_deadline(email.date, owner))
    return say(owner.language, "asked.mail", **facts)


# ---------------------------------------------------------------- how things stand


def status(facts: Facts, unwell: Mapping[str, str], owner: Owner) -> str:
    """How things stand. `facts`: as `views.status`, with `away_until` as a moment or None."""
    language = owner.language
    blocks = [
        _block("waiting", (_case(case, owner) for case in facts["waiting"]), language),
        _block(
            "needs_you", (f"{case['case']}  {case['title']}: {case['reason']}" for case in facts["needs_you"]), language
        ),
        _block("under_way", (_working(case, language) for case in facts["working"]), language),
        _block("placed", (f"{case['case']}  {case['title']}" for case in facts["placed"]), language),
        _block("held", (_send(send, language) for send in facts["held"] if send["purpose"] == "client"), language),
        _block("unsettled", (_send(send, language) for send in facts["unsettled"]), language),
        _block("failed", (_send(send, language) for send in facts["failed"]), language),
        _block("held_clients", (f"{hold['client']}: {hold['reason']}" for hold in facts["held_clients"]), language),
        _block("not_chased", (not_chased(debt, language) for debt in facts["not_chased"]), language),
        _block("paused", (_paused(pause, language) for pause in facts["paused"]), language),
        _block("unwell", (f"{part}: {problem}" for part, problem in unwell.items()), language),
    ]
    parts = [*_standing(facts, owner), *(block for block in blocks if block)]
    return "\n\n".join([*(parts or [say(language, "status.nothing")]), _last(facts, language)]) + "\n"


def not_chased(debt: Mapping[str, str], language: str) -> str:
    """Who owes, for which invoice, and why they are not reminded of it."""
    client = debt["client"]
    if debt["invoice"]:
        client = say(language, "status.invoice", client=client, invoice=debt["invoice"])
    return f"{client}: {debt['reason']}"


def status_subject(facts: Facts, language: str) -> str:
    """The gist, for a telephone's list."""
    count = len(facts["waiting"]) + len(facts["needs_you"])
    waits = say_count(language, "status.waits", count) if count else say(language, "status.waits_none")
    return say(language, f"status.subject{'_stopped' if facts['stopped'] else ''}", waits=waits)


def ignored(mails: Sequence[SeenMail], owner: Owner) -> str:
    """The account of what was skipped, newest first, each with the number that `rescue` takes."""
    if not mails:
        return say(owner.language, "status.none_skipped") + "\n"
    lines = "\n".join(skipped_line(mail, owner) for mail in mails)
    return f"{say(owner.language, 'status.ignored')}\n\n{lines}\n"


def skipped_line(mail: SeenMail, owner: Owner) -> str:
    """One skipped mail on one line: number, when, who, what, why."""
    subject = one_line(mail.subject, _LONGEST) or say(owner.language, "lists.no_subject")
    sender = one_line(mail.sender, _LONGEST) or say(owner.language, "lists.nobody")
    return f"{mail.id}  {format_deadline(mail.at, owner)}  {sender}: {subject} - {one_line(mail.reason, _LONGEST)}"


def _standing(facts: Facts, owner: Owner) -> list[str]:
    """What is true of everything: stopped, away."""
    lines = []
    if since := facts["stopped"]:
        lines.append(say(owner.language, "status.stopped", since=since))
    if until := facts["away_until"]:
        lines.append(say(owner.language, "status.away", until=format_deadline(until, owner)))
    return lines


def _block(title: str, lines: Iterable[str], language: str) -> str:
    items = [f"- {one_line(line, 2 * _LONGEST)}" for line in lines]
    unlisted = len(items) - _SHOWN
    remainder = [f"- {say_count(language, 'lists.more', unlisted)}"] if unlisted > 0 else []
    return "\n".join([f"{say(language, f'status.{title}')}:", *items[:_SHOWN], *remainder]) if items else ""


def _case(case: Facts, owner: Owner) -> str:
    name = f"{case['case']}.{case['version']}" if case["version"] else str(case["case"])
    if not case["expires_at"]:
        return f"{name}  {case['title']}"
    until = say(owner.language, "status.until", when=format_deadline(datetime.fromisoformat(case["expires_at"]), owner))
    return f"{name}  {case['title']}, {until}"


def _working(case: Facts, language: str) -> str:
    return f"{case['case']}  {case['title']} ({named(language, 'stages', case['stage'])})"


def _paused(pause: Facts, language: str) -> str:
    return f"{pause['client']}: {say_count(language, 'status.mails_since', pause['mails'])}"


def _send(send: Facts, language: str) -> str:
    label = f"{send['case']}.{send['version']}" if send["case"] else send["intent"]
    whom = say(language, "status.to", name=label, to=", ".join(send["to"]))
    return f"{whom} ({named(language, 'stages', send['state'])}) {send['detail']}"


def _last(facts: Facts, language: str) -> str:
    skipped = sum(count for rule, count in facts["ignored"]["by_rule"].items() if rule not in OWN_RULES)
    undelivered = facts["undelivered"]
    parts = [
        say_count(language, "status.skipped", skipped) if skipped else say(language, "status.none_skipped"),
        say_count(language, "status.undelivered", undelivered) if undelivered else "",
        say(language, "status.help"),
    ]
    return " ".join(filter(None, parts))
