"""Whether a mail was written by a machine, and by which kind: each rule gives its evidence in one plain sentence.

False ignores are worse than false drafts: a sign that people's mail may carry as well counts only beside another one.
"""

import re
from collections.abc import Callable
from functools import cache

from workflows.models.mail import Address, Email
from workflows.models.routes import Ignore
from workflows.rules.mail.authentication import fails_dmarc
from workflows.rules.mail.gateways import bare_subject
from workflows.rules.mail.replying import greets_somebody, written
from workflows.rules.mail.subjects import is_forward_subject, is_reply_subject
from workflows.rules.text.addresses import is_no_reply
from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import fold, phrases, table

_TOKEN_EDGE = re.compile(r"[._+\-=/&]+")
_MAILTO = re.compile(r"mailto:([^>?\s,]+)", re.IGNORECASE)
_ADDRESS_IN_NAME = re.compile(r"[\w.+-]+@([\w-]+\.[\w.-]+)")
_LINK = re.compile(r"https?://|www\.|mailto:|\[\d+\]", re.IGNORECASE)
_REPLY_CODE = re.compile(r"(?<!\d)[45]\d\d[ -][45]\.\d{1,3}\.\d|^[ \t]*message-id[ \t]*:", re.IGNORECASE | re.MULTILINE)
_READ = 4000  # characters of a text that are looked at: machines say what they are at the top
_LONGEST_REASON = 300
_FOOTER_LINES = 14
_LONGEST_FOOTER = 240

Rule = Callable[[Email], Ignore | None]


def ignored(rule: str, reason: str) -> Ignore:
    """An Ignore whose reason is one safe line."""
    return Ignore(rule=rule, reason=one_line(reason[:_LONGEST_REASON], _LONGEST_REASON))


# ---------------------------------------------------------------- reports


def bounce(email: Email) -> Ignore | None:
    """Delivery reports, RFC 3464 and free-text ones."""
    kind = _report_kind(email)
    if kind == "delivery-status":
        return ignored("bounce", "It is a delivery report (multipart/report).")
    for name in table("machines")["bounce"]["headers"]:
        if email.has_header(name):
            return ignored("bounce", f"It is a delivery report: it has the header {name.title()}.")
    if sender := _daemon(email):
        return ignored("bounce", f"It comes from a mail server itself, {sender}.")
    if not email.senders and _null_path(email) and _says(email, "bounce"):
        return ignored("bounce", "It is a delivery report: it names no sender, and says that a mail did not arrive.")
    evidence = _null_path(email) or _says(email, "bounce") or automatic(email)
    if not is_forward_subject(email.subject) and _is_subject(email, "bounce") and evidence and not _is_persons(email):
        return ignored("bounce", f"It is a delivery report: its subject is “{email.subject}”.")
    return None


def _daemon(email: Email) -> str:
    """The mail server that speaks, by its address or, where it gives none, by its name; "" when it is none."""
    local, _ = _parts(email.sender)
    plain = re.sub(r"[._ -]", "", re.split(r"[+=@\\]", local, maxsplit=1)[0])
    if plain in _words("bounce", "locals") or _TOKEN_EDGE.split(local)[0] in ("bounce", "bounces"):
        return email.sender.email
    # The raw header as well: "MAILER-DAEMON <>" has no address that could be read.
    named = email.sender.name or re.sub(r"<.*", "", email.header("from"))
    name = fold(named).strip(" \"'<>@")
    if name and _one_of("bounce", "names").fullmatch(name) and (not local or _speaks_of_delivery(email)):
        return one_line(named, 80)
    return ""


def _speaks_of_delivery(email: Email) -> bool:
    """A name alone proves little: an administrator is a person as well."""
    subject = fold(bare_subject(email.subject))
    return _says(email, "bounce") or bool(_one_of("bounce", "subjects").search(subject)) or _null_path(email)


def _is_persons(email: Email) -> bool:
    """Whether somebody asks about a report: an answer in a conversation, a greeting, a question of theirs."""
    if _null_path(email) or automatic(email):
        return False
    text = written(email.text[:_READ])
    asks, greets = "?" in _LINK.sub(" ", text), greets_somebody(text)
    technical = bool(_REPLY_CODE.search(text))
    return (greets and asks) if technical else bool(greets or asks or email.parents)


def receipt(email: Email) -> Ignore | None:
    """Read and delivery receipts, and Outlook's attempts to take a mail back."""
    if _report_kind(email) == "disposition-notification":
        return ignored("read-receipt", "It is a read receipt (disposition notification).")
    signs = _null_path(email) or automatic(email) or email.has_header("x-ms-exchange-parent-message-id")
    if _is_subject(email, "receipt") and (_says(email, "receipt") or (signs and not email.text.strip())):
        return ignored("read-receipt", f"It is a read or delivery receipt: its subject is “{email.subject}”.")
    if _one_of("reaction", "recall").fullmatch(fold(bare_subject(email.subject))) and _says(
        email, "reaction", "recall_says"
    ):
        return ignored("recall", "It only says that the sender would like to take a mail back.")
    return None


def reaction(email: Email) -> Ignore | None:
    """An emoji instead of an answer."""
    types = table("machines")["reaction"]["types"]
    text = fold(written(email.text[:_READ]))
    if any(file.content_type in types for file in email.attachments) or _one_of("reaction", "says").fullmatch(text):
        return ignored("reaction", "It is only a reaction (an emoji) to a mail; nothing is asked.")
    return None


# ---------------------------------------------------------------- automatic answers


def auto_reply(email: Email) -> Ignore | None:
    """RFC 3834, its predecessors, and out-of-office messages."""
    submitted = automatic(email)
    if submitted and not (_is_invitation(email) and not submitted.startswith("auto-replied")):
        return ignored("auto-reply", f"It says Auto-Submitted: {submitted}.")
    for name in table("machines")["auto_reply"]["headers"]:
        if email.has_header(name) and fold(email.header(name)) not in ("no", "false", "0"):
            return ignored("auto-reply", f"It has the header {name.title()}, which auto-responders set.")
    for name in ("precedence", "x-precedence", "preference"):
        if fold(email.header(name)) in _words("auto_reply", "precedence"):
            return ignored("auto-reply", f"It says {name.title()}: {email.header(name)}.")
    if "autoresponder" in fold(email.header("x-post-messageclass")):
        return ignored("auto-reply", "It says of itself that an auto-responder wrote it (X-POST-MessageClass).")
    return _out_of_office(email) or _null_sender(email)


def automatic(email: Email) -> str:
    """The value of Auto-Submitted when it is one that people's mail never has; else ""."""
    value = fold(email.header("auto-submitted"))
    keyword = re.split(r"[\s;(]", value, maxsplit=1)[0]
    return one_line(value[:60]) if keyword and keyword != "no" else ""


def _out_of_office(email: Email) -> Ignore | None:
    subject = fold(bare_subject(email.subject))
    if is_forward_subject(email.subject):
        return None
    if not is_reply_subject(email.subject) and _one_of("auto_reply", "exact").fullmatch(subject):
        return ignored("auto-reply", f"Its subject is a mail program's automatic answer: “{email.subject}”.")
    hint = next((sign for sign in (_suppression(email), _said(email)) if sign), "")
    if hint and _one_of("auto_reply", "subjects").search(subject):
        return ignored("auto-reply", f"Its subject is “{email.subject}”, and {hint}.")
    return None


def _suppression(email: Email) -> str:
    """X-Auto-Response-Suppress as a hint: people's mail may carry it too, and None means a person."""
    values = {fold(value) for value in re.split(r"[,;]", email.header("x-auto-response-suppress"))}
    return "it asks for no automatic answers (X-Auto-Response-Suppress)" if values & {"oof", "all", "autoreply"} else ""


def _said(email: Email) -> str:
    if _says(email, "auto_reply"):
        return "its text says that it is automatic"
    text = fold(written(email.text[:_READ]))
    # One such sentence is a person's plan ("I am away in June"); an absence note alone has several.
    several = len({match.group() for match in _one_of("auto_reply", "away").finditer(text)}) > 1
    return "its text is an absence note" if several else ""


def _null_sender(email: Email) -> Ignore | None:
    if _null_path(email):
        return ignored("auto-reply", "It was sent with an empty return address (Return-Path: <>), as machines do.")
    return None


# ---------------------------------------------------------------- calendar


def calendar(email: Email) -> Ignore | None:
    """Accepted, declined, cancelled: somebody's calendar says so. Invitations go on, and what a person wrote to it."""
    if email.calendar not in table("machines")["calendar"]["methods"] or email.calendar_note or _comment(email):
        return None
    return ignored("calendar-notice", f"It is a calendar's own notice ({email.calendar}): “{email.subject}”.")


def _comment(email: Email) -> str:
    """What a person typed into an answer to an invitation: what is left when the calendar's own lines are gone."""
    if fold(email.header("content-type")).startswith("text/calendar"):
        return ""  # the entry is the whole mail
    text = written(email.text[:_READ])
    if _one_of("calendar", "service").search(fold(text)):
        return ""  # a service writes the whole mail, and puts a note into the calendar part
    lines = [line for line in text.split("\n") if line.strip() and not _one_of("calendar", "lines").match(fold(line))]
    return "\n".join(lines).strip(" *~_-=\n")


def _has_calendar(email: Email) -> bool:
    files = any(
        file.content_type in ("text/calendar", "application/ics") or file.name.lower().endswith(".ics")
        for file in email.attachments
    )
    headers = fold(email.header("content-type") + " " + email.header("content-class"))
    return (
        files or "text/calendar" in headers or "calendarmessage" in headers or "calendar-notif" in _sender_header(email)
    )


def _is_invitation(email: Email) -> bool:
    return email.calendar == "request" or (
        _has_calendar(email) and bool(_one_of("calendar", "invitations").fullmatch(fold(bare_subject(email.subject))))
    )


def _sender_header(email: Email) -> str:
    return fold(email.header("sender"))


# ---------------------------------------------------------------- many readers


def newsletter(email: Email) -> Ignore | None:
    """Campaigns: list headers without a list one could write to, campaign software, unsubscribe footers."""
    for name in table("machines")["newsletter"]["headers"]:
        if email.has_header(name):
            return ignored("newsletter", f"It is a newsletter: it has the campaign header {name.title()}.")
    mailer = fold(email.header("x-mailer") + " " + email.header("user-agent"))
    if software := next((word for word in table("machines")["newsletter"]["mailers"] if word in mailer), ""):
        return ignored("newsletter", f"It is a newsletter: it was made with {software.title()}.")
    if email.has_header("list-unsubscribe") and not _list_sign(email) and not email.parents:
        return ignored("newsletter", "It is a newsletter: it can be unsubscribed from (List-Unsubscribe).")
    service = next((name for name in table("machines")["newsletter"]["services"] if email.has_header(name)), "")
    if service and not is_answer(email) and _footer_says(email):
        reason = (
            f"It is a newsletter: it says how to unsubscribe, and came through a sending service ({service.title()})."
        )
        return ignored("newsletter", reason)
    return None


def mailing_list(email: Email, own: frozenset[str]) -> Ignore | None:
    """Lists, unless the list is one of the owner's own addresses (a group mailbox)."""
    sign = _list_sign(email) or ("list-id" if email.has_header("list-id") else "")
    if not sign or _is_own_list(email, own):
        return None
    name = one_line((email.header("list-id") or email.header(sign))[:120])
    return ignored("mailing-list", f"It came through a mailing list ({sign.title()}: {name}).")


def bulk(email: Email, own: frozenset[str]) -> Ignore | None:
    """Precedence: bulk, junk or list."""
    for name in ("precedence", "x-precedence"):
        value = fold(email.header(name))
        if value in ("bulk", "junk") or (value == "list" and not _is_own_list(email, own)):
            return ignored("bulk", f"It says {name.title()}: {value}.")
    return None


def _list_sign(email: Email) -> str:
    return next((name for name in table("machines")["list"]["headers"] if email.has_header(name)), "")


def _is_own_list(email: Email, own: frozenset[str]) -> bool:
    posts = {address.lower() for address in _MAILTO.findall(email.header("list-post"))}
    ids = fold(email.header("list-id"))
    named = re.split(r"[<>\s;]+", ids + " " + fold(email.header("mailing-list")))
    hosts = {address.rpartition("@")[2] for address in own}
    if any(post.rpartition("@")[2] in hosts for post in posts):
        return True  # a group mailbox under the owner's own domain
    return any(address in posts or address in named or address.replace("@", ".") in named for address in own)


def _footer_says(email: Email) -> bool:
    """Whether the last lines offer to unsubscribe, with a link: a person who writes of unsubscribing gives none."""
    lines = [line for line in email.text[-20_000:].split("\n") if line.strip()][-_FOOTER_LINES:]
    pattern = _one_of("newsletter", "says")
    return any(
        len(line) <= _LONGEST_FOOTER and pattern.search(fold(line)) and _LINK.search(line + after)
        for line, after in zip(lines, [*lines[1:], ""], strict=False)
    )


# ---------------------------------------------------------------- senders


def platform(email: Email) -> Ignore | None:
    """Notices of platforms: marketplaces, payments, signing, calendars, social networks."""
    local, domain = _parts(email.sender)
    plain = local.split("+", 1)[0]
    for entry in table("machines")["platform"]:
        if _under(domain, entry.get("pure", ())):
            return _notice(entry["name"], email)
        if not _under(domain, entry["domains"]):
            continue
        if plain in table("machines")["platforms"]["locals"] or plain in entry.get("locals", ()) or is_no_reply(local):
            return _notice(entry["name"], email)
    return None


def _notice(name: str, email: Email) -> Ignore:
    return ignored("platform-notice", f"It is a notice of a platform ({name}, from {email.sender.email}).")


def no_reply(email: Email) -> Ignore | None:
    """Senders that say in their address that nobody reads the answer."""
    local, domain = _parts(email.sender)
    if not is_no_reply(local) and not set(domain.split(".")[:-2]) & _words("no_reply", "domains"):
        return None
    reply_address = next((address.email for address in email.reply_to if address.email != email.sender.email), "")
    hint = f" Answers are meant for {reply_address}." if reply_address else ""
    return ignored("no-reply", f"Its sender, {email.sender.email}, does not read answers.{hint}")


def do_not_answer(email: Email) -> Ignore | None:
    """A first mail whose own words say that answers are not read."""
    if not is_answer(email) and not is_forward_subject(email.subject) and _says(email, "auto_reply", "no_answer"):
        return ignored("no-reply", "Its text says that answers to it are not read.")
    return None


def phishing(email: Email) -> Ignore | None:
    """A well-known name, or an address in the name, over a foreign address that fails the server's own check."""
    if not fails_dmarc(email):
        return None
    name, (_, domain) = fold(email.sender.name), _parts(email.sender)
    claimed = _ADDRESS_IN_NAME.search(name)
    if claimed and not _under(domain, (claimed.group(1),)):
        return ignored("phishing", f"Its name shows {claimed.group()}, it comes from {domain}, and fails DMARC.")
    brand = next(
        (word for word in table("machines")["brands"]["names"] if re.search(rf"(?<!\w){word}(?!\w)", name)), ""
    )
    if brand:
        return ignored("phishing", f"It calls itself {brand.title()}, comes from {domain}, and fails DMARC.")
    return None


def spam(email: Email) -> Ignore | None:
    """What the owner's own server marked as spam."""
    if fold(email.header("x-spam-flag")) in ("yes", "true", "1"):
        return ignored("spam", "The mail server marked it as spam (X-Spam-Flag: YES).")
    if fold(email.header("x-spam-status")).startswith("yes") or fold(email.header("x-spam")) in ("yes", "true"):
        return ignored("spam", "The mail server marked it as spam (X-Spam-Status: Yes).")
    return None


# ---------------------------------------------------------------- reading


def is_answer(email: Email) -> bool:
    """Whether the mail answers another one."""
    return bool(email.in_reply_to or email.references or is_reply_subject(email.subject))


def _report_kind(email: Email) -> str:
    content_type = fold(email.header("content-type"))
    statuses = ("message/delivery-status", "message/global-delivery-status")
    if content_type.startswith(statuses):
        return "delivery-status"
    if not content_type.startswith("multipart/report"):
        kinds = {file.content_type for file in email.attachments}
        by_server = bool(kinds & set(statuses)) and not _is_persons(email)
        return "delivery-status" if by_server else ""
    match = re.search(r"report-type\s*=\s*\"?([\w-]+)", content_type)
    kind = match.group(1) if match else ""
    return "disposition-notification" if kind == "disposition-notification" else "delivery-status"


def _null_path(email: Email) -> bool:
    return email.header("return-path").replace(" ", "") == "<>"


def _is_subject(email: Email, kind: str) -> bool:
    return not is_reply_subject(email.subject) and bool(
        _one_of(kind, "subjects").fullmatch(fold(bare_subject(email.subject)))
    )


def _says(email: Email, kind: str, which: str = "says") -> bool:
    return bool(_one_of(kind, which).search(fold(written(email.text[:_READ]))))


def _parts(address: Address) -> tuple[str, str]:
    local, _, domain = address.email.lower().rpartition("@")
    return local.strip('" '), domain


def _under(domain: str, parents: tuple[str, ...] | list[str]) -> bool:
    return any(domain == parent or domain.endswith(f".{parent}") for parent in parents)


@cache
def _one_of(kind: str, which: str) -> re.Pattern[str]:
    return phrases(table("machines")[kind][which])


@cache
def _words(kind: str, which: str) -> frozenset[str]:
    return frozenset(table("machines")[kind][which])
