"""The mails that ask the owner: text and subject, as docs and scripts rely on them (one shape, tested line by line).

Whatever comes from outside (names, subjects, quotes, a model's words) is put on one line or behind "> ", with our
marker lines defused: nothing in a mail can pass for a second question or for the end of the draft.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from workflows.models.drafts import Brief, Draft, DraftedBy, Outgoing, Source
from workflows.models.leads import Score
from workflows.models.mail import Address, Attachment
from workflows.models.people import Owner
from workflows.rules.asking.account import account_lines
from workflows.rules.asking.proposed import proposal_lines
from workflows.rules.desk.invited import told_answer
from workflows.rules.mail.files import described
from workflows.rules.mail.urgency import deadline
from workflows.rules.text import calendar
from workflows.rules.text.canonical import canonical, defused, one_line, visible
from workflows.rules.text.languages import filled, words_in
from workflows.rules.text.words import counted

FIRST_LINE = 90  # characters: what a phone's list shows
SUBJECT = 200
_QUOTED = 2000
_QUOTED_IN_DIGEST = 500
_SHORT_QUOTE = 120
_NAME = 80
_REASON = 400
_AGAIN = 1000
_MOST_SOURCES = 6
_MOST_FACTS = 8
_MOST_NAMESAKES = 3
_MOST_FILES = 20
_NO_MODEL = {DraftedBy.OWNER: "none: your own text"}
_TEMPLATE = "none: drafted from a template"

_DRAFT = re.compile(
    r"^----- draft (?P<id>\d+\.\d+) begins -----\n(?P<body>(?:.*\n)*?)----- draft (?P=id) ends -----$", re.MULTILINE
)
_REPLY = re.compile(r"^(?:(?:re|aw|antw|sv|vs|ref|res|odp|r)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalMail:
    """A mail to the owner, ready to be composed: header-safe subject, text with LF ends."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Everything an approval mail says; `changed` only from version 2 on."""

    outgoing: Outgoing
    draft: Draft
    brief: Brief
    owner: Owner
    nonce: str
    expires_at: datetime
    leaves_at: datetime | None = None  # under a standing yes: when it leaves unless the owner says anything
    changed: str = ""
    again: str = ""  # why the same version is shown once more
    client_known: bool = True  # this client has been written to before
    namesakes: tuple[str, ...] = ()  # addresses of others the owner writes to who bear this client's name
    undeliverable: str = ""  # why it could not leave as things are, "" when nothing is known against it


def render(question: Question) -> ApprovalMail:
    """The approval mail of one version."""
    tag = f"{question.outgoing.case}.{question.outgoing.version}"
    parts = [
        _first_line(question.again or question.draft.gist, question),
        f"----- answer above this line · {tag}.{question.nonce} -----",
        *_draft_lines(question),
        "",
        *_they_wrote(question.brief, question.owner, _QUOTED),
        "",
        texts(question.owner)["answer"],
        *_lapse(question),
        *_why(question),
    ]
    return ApprovalMail(subject=_subject(question.brief, tag), text="\n".join(parts) + "\n")


def item_lines(question: Question) -> list[str]:
    """One case of a digest: the person, the draft whole, the beginning of what they wrote, and who drafted it."""
    draft, owner = question.draft, question.owner
    summary = one_line(draft.gist, _SHORT_QUOTE).rstrip(" .")
    return [
        f"===== {question.outgoing.case} · {about(question.brief)} =====",
        f"{summary or texts(owner)['ready']}. {calendar.answer_by(question.expires_at, owner)}",
        *_draft_lines(question),
        *_they_wrote(question.brief, owner, _QUOTED_IN_DIGEST),
        f"Model: {model_of(draft)}.",
    ]


def hold_lines(case: int, reason: str, brief: Brief, owner: Owner) -> list[str]:
    """One case of a digest that has no draft."""
    return [
        f"===== {case} · {about(brief)} =====",
        _read_yourself(reason, owner),
        *_they_wrote(brief, owner, _QUOTED_IN_DIGEST),
    ]


def about(brief: Brief) -> str:
    """`Maria Alvarez: Kick-off date?`, in one line and without a tag of ours."""
    return f"{person(brief)}: {_REPLY.sub('', _outside(brief.subject)) or '(no subject)'}"


def render_hold(case: int, reason: str, brief: Brief, owner: Owner, again: str = "") -> ApprovalMail:
    """The mail that says "read this yourself": what came in, why nothing was drafted ("a complaint"), what to do.

    `again`: why it is shown once more.
    """
    note = _read_yourself(reason, owner)
    if again:
        parts = [cut(one_line(again), FIRST_LINE), "", f"Again: {one_line(again, _AGAIN)}", note]
        return _hold_mail(case, parts, brief, owner)
    gist = cut(note, FIRST_LINE)
    full_reason = (
        [] if len(note) <= FIRST_LINE else ["", one_line(reason, _REASON)]
    )  # what the phone's list cuts off stands below
    return _hold_mail(case, [gist, *full_reason], brief, owner)


def _hold_mail(case: int, said: list[str], brief: Brief, owner: Owner) -> ApprovalMail:
    notes = [*_their_deadline(brief, owner), *(f"Note: {one_line(hint, _REASON)}" for hint in brief.hints)]
    parts = [*said, *notes, "", *_they_wrote(brief, owner, _QUOTED), "", texts(owner)["hold"]]
    return ApprovalMail(subject=_subject(brief, str(case)), text="\n".join(parts) + "\n")


def render_notice(subject: str, text: str, case: int = 0, version: int = 0) -> ApprovalMail:
    """A plain notice; the tag names the case (and version) when there is one."""
    number = f"{case}.{version}" if version else str(case)
    tag = f"[Deskhand {number}]" if case else "[Deskhand]"
    return ApprovalMail(subject=tagged(_outside(subject), tag), text=canonical(text))


def extract_draft(text: str) -> str | None:
    """The exact body between the draft lines of an approval mail; None when it holds none."""
    match = _DRAFT.search(text)
    return match["body"] if match else None


# ---------------------------------------------------------------- the lines


def texts(owner: Owner) -> dict[str, str]:
    """Our sentences in the owner's language."""
    return words_in(owner.language, "approval")


def _lapse(question: Question) -> Iterator[str]:
    """Whose time ends at the deadline of the first line, and what happens then."""
    if question.leaves_at is None:
        moment = calendar.format_deadline(question.expires_at, question.owner)
        yield texts(question.owner)["lapses"].format(when=moment)


def _deadline(question: Question) -> str:
    if question.leaves_at is None:
        return calendar.answer_by(question.expires_at, question.owner)
    moment = calendar.format_moment(question.leaves_at, question.owner)
    return texts(question.owner)["leaves"].format(when=moment)


def _first_line(gist: str, question: Question) -> str:
    summary, deadline = one_line(gist).rstrip(" .") or texts(question.owner)["ready"], _deadline(question)
    return f"{cut(summary, FIRST_LINE - len(deadline) - 2)}. {deadline}"


def cut(text: str, limit: int) -> str:
    """The text, or its beginning and an ellipsis: at most `limit` characters."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + "…"


def _draft_lines(question: Question) -> Iterator[str]:
    """What changed, to whom it goes, and the text exactly as it would leave, between its lines."""
    tag = f"{question.outgoing.case}.{question.outgoing.version}"
    yield from _changed(question)
    yield from _notes(question)
    yield from account_lines(question.draft)
    yield from _addressing(question)
    yield ""
    yield f"----- draft {tag} begins -----"
    yield canonical(question.outgoing.body).removesuffix("\n")
    yield f"----- draft {tag} ends -----"


def _changed(question: Question) -> Iterator[str]:
    # These labels are the same in every language, as "To:" is: scripts look for them.
    if question.again:
        yield f"Again: {one_line(question.again, _AGAIN)}"
    if question.outgoing.version > 1:
        yield f"Changed: {one_line(question.changed, _REASON) or texts(question.owner)['new_draft']}"


def _notes(question: Question) -> Iterator[str]:
    """What the owner should know before reading the draft: below it, a yes may be given before it is seen."""
    yield from _their_deadline(question.brief, question.owner)
    yield from (f"Note: {one_line(hint, _REASON)}" for hint in question.brief.hints)
    if question.draft.needs_owner:
        yield f"Note: {one_line(question.draft.needs_owner, _REASON)}"


def _read_yourself(reason: str, owner: Owner) -> str:
    wording = texts(owner)
    return filled(wording["read_yourself"], reason=one_line(reason) or wording["needs_you"])


def _their_deadline(brief: Brief, owner: Owner) -> Iterator[str]:
    """When they need it, in their own words: the other deadline is the owner's, to answer this mail."""
    if brief.received_at is None:
        return
    words, needed_by = deadline(brief.newest or brief.message, brief.language, brief.received_at, owner)
    if needed_by is not None:
        yield f'Their deadline: {calendar.format_deadline(needed_by, owner)} ("{one_line(words, _NAME)}").'


def _addressing(question: Question) -> Iterator[str]:
    outgoing = question.outgoing
    body = canonical(outgoing.body).removesuffix("\n")
    if outgoing.link:
        yield "To: nobody. After your yes this text lies in your inbox, ready to be pasted by your own hand at:"
        yield f"Link: {one_line(outgoing.link)}"
    else:
        yield f"To: {', '.join(mailbox(address) for address in outgoing.to)}"
    if outgoing.cc:
        yield f"Cc: {', '.join(mailbox(address) for address in outgoing.cc)}"
    yield f"Subject: {one_line(outgoing.subject)}"
    lines = body.count("\n") + 1 if body else 0
    yield f"Length: {counted(lines, 'line')}, {counted(len(body), 'character')}"
    yield from _enclosed(question)
    yield from proposal_lines(outgoing.proposals)
    for address in _new_addresses(question):
        yield f"NEW ADDRESS: {one_line(address.email)} {_how_new(question)}"
    if question.undeliverable:
        yield f"CANNOT BE SENT: {one_line(question.undeliverable, _REASON)}"


def mailbox(address: Address) -> str:
    """`Maria Alvarez <maria@studio.example>`: the address in full, a name that could mislead in quotation marks."""
    email = one_line(address.email).replace(" ", "")
    name = cut(one_line(address.name).replace('"', "'"), _NAME)
    if not name:
        return f"<{email}>"
    return f'"{name}" <{email}>' if re.search(r"[,;:@<>()\[\]\\]", name) else f"{name} <{email}>"


def _enclosed(question: Question) -> Iterator[str]:
    """What goes with the text: files, and the answer to an invitation as what it says."""
    for file in question.outgoing.attachments:
        answer = told_answer(file, question.brief.invitation, question.owner.language)
        yield (
            f"With it goes: {one_line(answer)} ({_attachment(file)})" if answer else f"Attachment: {_attachment(file)}"
        )


def _attachment(file: Attachment) -> str:
    return f"{one_line(file.name, _NAME) or '(no name)'}, {file.size:,} bytes, sha256 {one_line(file.sha256)}"


def _new_addresses(question: Question) -> Iterator[Address]:
    if question.outgoing.link:
        return
    client = question.brief.client
    client_addresses = {address.lower() for address in client.addresses} if client else set()
    for address in (*question.outgoing.to, *question.outgoing.cc):
        if not question.client_known or (client and address.email.lower() not in client_addresses):
            yield address


def _how_new(question: Question) -> str:
    if question.client_known:
        return "has not been written to for this client before"
    addresses = ", ".join(one_line(email) for email in question.namesakes[:_MOST_NAMESAKES])
    correspondence = f"; you write to {person(question.brief)} at {addresses}" if addresses else ""
    return f"has never been written to: this would be your first mail there{correspondence}"


def _they_wrote(brief: Brief, owner: Owner, limit: int) -> Iterator[str]:
    received = f" ({calendar.format_moment(brief.received_at, owner)})" if brief.received_at else ""
    yield f"{one_line(brief.heading, _NAME) or texts(owner)['they_wrote']}{received}:"
    yield from _message_lines(brief, limit)
    yield from _besides(brief)
    if brief.score is not None:
        yield ""
        yield from score_lines(brief.score)


def _message_lines(brief: Brief, limit: int) -> Iterator[str]:
    message = canonical(brief.message).strip("\n")
    if not message:
        yield "> (no text)"
        return
    newest = canonical(brief.newest).strip("\n")
    # What is cut must be what the owner has read before, not the mail that this version is about.
    excerpt = (message if len(message) <= limit else newest or message)[:limit]
    yield from (f"> {line}".rstrip() for line in defused(excerpt).split("\n"))
    if len(message) > len(excerpt):
        yield f"> {counted(len(message) - len(excerpt), 'more character')}"


def _besides(brief: Brief) -> Iterator[str]:
    """What came with the text, and what of the mail is not in it: nothing a client sent is passed over in silence."""
    yield from (f"Attached: {described(file)}" for file in brief.files[:_MOST_FILES])
    if len(brief.files) > _MOST_FILES:
        yield f"Attached: {counted(len(brief.files) - _MOST_FILES, 'more file')}"
    yield from (one_line(omission, _REASON) for omission in brief.left_out[:_MOST_FACTS])


def model_of(draft: Draft) -> str:
    """What stands after "Model:": its name, or that there was none."""
    return one_line(draft.model, _NAME) or _NO_MODEL.get(draft.by, _TEMPLATE)


def score_lines(score: Score) -> Iterator[str]:
    """Why this lead was worth a bid, so that the total can be recomputed by hand."""
    yield f"Score: {score.total:.2f} (from {score.threshold:.2f} on a bid is drafted), value x weight:"
    for factor in score.factors:
        reason = f": {one_line(factor.says, _REASON)}" if factor.says else ""
        yield f"- {factor.name} {factor.value:.2f} x {factor.weight:g}{reason}"


def _sentence(step: str) -> str:
    sentence = one_line(step, _REASON).rstrip(" .")
    return sentence[:1].upper() + sentence[1:]


def _why(question: Question) -> Iterator[str]:
    brief, draft, owner = question.brief, question.draft, question.owner
    received = f" on {calendar.format_deadline(brief.received_at, owner)}" if brief.received_at else ""
    trigger = one_line(brief.trigger, _REASON).rstrip(" .") or f"{person(brief)} wrote{received}"
    steps = [trigger, *map(_sentence, draft.why)]
    used, unused = _named_sources(question)
    steps.append(f"Sources: {', '.join(one_line(source.id) for source in used) or 'none'}")
    yield f"Why: {'. '.join(step for step in steps if step)}. Model: {model_of(draft)}."
    yield from (f"- {_source(source, owner)}" for source in used)
    yield from (f"- also known: {_source(source, owner)}" for source in unused)
    yield from _found_out(brief)


def _named_sources(question: Question) -> tuple[list[Source], list[Source]]:
    """The sources the draft used, and what else memory gave it: the owner sees both."""
    brief, cited = question.brief, question.draft.sources
    by_id = {source.id: source for source in (*question.draft.looked_up, *brief.sources, *brief.facts, *brief.profile)}
    used = [by_id.get(name) or Source(id=name, kind="", quote="") for name in dict.fromkeys(cited)]
    unused = [source for source in brief.sources if source.id not in cited]
    return used[: 2 * _MOST_SOURCES], unused[: max(_MOST_SOURCES - len(used), 0)]


def _found_out(brief: Brief) -> Iterator[str]:
    """What stands on the pages of a lead's author, each with its page: for the owner, who may want to use it."""
    facts = [fact for fact in brief.facts if fact.kind == "web"]
    yield from (f'- found out: {one_line(fact.id)}: "{one_line(fact.quote, _REASON)}"' for fact in facts[:_MOST_FACTS])


def _source(source: Source, owner: Owner) -> str:
    dated = f", {calendar.format_date(source.at, owner)}" if source.at else ""
    quote = f': "{one_line(source.quote, _SHORT_QUOTE)}"' if source.quote else ""
    return f"{one_line(source.id)}{dated}{quote}"


# ---------------------------------------------------------------- the subject


def person(brief: Brief) -> str:
    """Whom a case is with, as a short name for a list."""
    client = brief.client.name if brief.client else ""
    name = _outside(brief.sender.name) or _outside(client) or _outside(brief.sender.email)
    return cut(name, _NAME) or "Somebody"


def _outside(text: str) -> str:
    """A foreign text for a subject line: one line, and no tag of ours in it."""
    return re.sub(r"\[\s*deskhand", "(Deskhand", one_line(text), flags=re.IGNORECASE)


def _subject(brief: Brief, tag: str) -> str:
    return tagged(about(brief), f"[Deskhand {tag}]")


def tagged(text: str, tag: str) -> str:
    """A subject with our tag last, cut to fit."""
    subject = visible(text).replace("\n", " ")
    return f"{cut(subject, SUBJECT - len(tag) - 1)} {tag}".strip()
