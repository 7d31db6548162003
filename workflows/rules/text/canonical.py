"""One form for every text that is approved, hashed, compared or sent.

The invisible characters are listed by number, not by Unicode category: a newer Python must never hash an old text
differently.
"""

import hashlib
import hmac
import json
import re

from workflows.models.drafts import Outgoing
from workflows.models.mail import Address
from workflows.rules.text.composed import composed

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")

_INVISIBLE = re.compile(
    "["
    "\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f"  # control characters
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, joiners, fillers
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f"  # zero-width and bidi
    "\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\ud800-\udfff"  # lone surrogates cannot be written as UTF-8
    "\U000e0000-\U000e0fff"  # tag characters and the variation selectors that can smuggle bytes
    "]"
)

_DASHES = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2500\u2501\ufe58\ufe63\uff0d")
# What our marker lines say, wherever it stands in a line: a mail program may re-wrap the line so that it starts there.
_MARKED = re.compile(
    r"(answer[^\S\n]+above[^\S\n]+this[^\S\n]+line|draft[^\S\n]+\d+\.\d+[^\S\n]+(?:begins|ends))", re.IGNORECASE
)


def visible(text: str) -> str:
    """The text in NFC with LF line ends and without control, bidi, zero-width and tag characters; tabs are spaces."""
    plain = _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))
    return composed("NFC", plain).expandtabs(4)


def defused(text: str) -> str:
    """The text with the dashes taken from whatever looks like one of our marker lines."""
    pieces = _MARKED.split(text)
    # Every second piece is what was found; the one before it may end in dashes.
    pieces[:-1:2] = [_undashed(before) for before in pieces[:-1:2]]
    return "".join(pieces)


def _undashed(before: str) -> str:
    """The text without the two or more dashes (and the blanks among them) at its end."""
    start = end = len(before)
    dashes = 0
    while start and (before[start - 1] in _DASHES or (before[start - 1].isspace() and before[start - 1] != "\n")):
        start -= 1
        if before[start] in _DASHES:
            dashes, end = dashes + 1, start
    return before[:end] if dashes > 1 else before


def canonical(text: str) -> str:
    """The one form of a body: `visible`, markers defused, no trailing blanks, no empty edges, one final newline."""
    lines = [line.rstrip() for line in defused(visible(text)).split("\n")]
    return "\n".join(lines).strip("\n") + "\n"


def one_line(text: str, limit: int = 0) -> str:
    """The text on one header-safe line, blanks joined; cut with "..." past `limit` characters (0: never)."""
    line = " ".join(defused(visible(text)).split())
    return line if not limit or len(line) <= limit else line[: max(limit - 3, 0)].rstrip() + "..."


def approved_hash(outgoing: Outgoing) -> str:
    """What a yes is bound to: sha256 hex over the canonical JSON of everything the client would receive."""
    value = {
        "to": [_pair(address) for address in outgoing.to],
        "cc": [_pair(address) for address in outgoing.cc],
        "subject": outgoing.subject,
        "body": canonical(outgoing.body),
        "attachments": [[file.name, file.size, file.content_type, file.sha256] for file in outgoing.attachments],
        "in_reply_to": outgoing.in_reply_to,
        "references": list(outgoing.references),
    }
    if outgoing.link:
        value["link"] = outgoing.link
    if outgoing.proposals:
        value["proposals"] = [
            [proposal.key, proposal.tool, proposal.permission, proposal.says, list(proposal.arguments)]
            for proposal in outgoing.proposals
        ]
    # ASCII escapes: every text, lone surrogates included, has exactly one encoding.
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def body_hash(text: str) -> str:
    """Sha256 hex of the canonical body: unchanged by line ends, trailing blanks and empty lines at the edges."""
    return hashlib.sha256(canonical(text).encode()).hexdigest()


def seal(approved: str, burnt: int) -> str:
    """What the nonce and the reference of a question are made over: its hash, and how often they became known."""
    return f"{approved}\n{burnt}" if burnt else approved


def nonce(key: bytes, case: int, version: int, approved: str) -> str:
    """32 hex digits that only this home can make; the same each time, so that a retried approval mail is identical."""
    return _mac(key, f"nonce\n{case}.{version}\n{approved}")


def reference(key: bytes, case: int, version: int, approved: str) -> str:
    """The stable id `<41.1.RANDOM@deskhand.invalid>` that replies to an approval mail inherit.

    Made over what is shown (`approved` as of the nonce; of a mail that asks no yes, the hash of its text): an older
    ledger that was put back gives the same numbers again, and never the same id to another draft.
    """
    random = _mac(key, f"reference\n{case}.{version}\n{approved}")[:24]
    return f"<{case}.{version}.{random}@deskhand.invalid>"


def _mac(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]


def _pair(address: Address) -> list[str]:
    return [address.email, address.name]
