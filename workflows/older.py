"""Older sentences: what an older Deskhand stored as words alone, as the codes of today. The one table of them.

Used where a stored value is loaded and nowhere else. What stands in no row is unknown, and counts on the safe side.
"""

from typing import Any, Final, Literal

Field = Literal["changed", "defects", "why", "findings", "flags"]

_CODES: Final[dict[Field, dict[str, str]]] = {
    "changed": {"They wrote again.": "client", "You ": "owner", "Your ": "owner"},
    "defects": {
        "a header line that should be indented is not": "indent",
        "a multipart without its boundary is read as text": "boundary",
        "damaged quoted-printable": "escape",
        "no readable address in ": "address",
        "the blank line after the header is missing": "blank line",
        "the date cannot be read": "date",
    },
    "why": {"none: drafted from a template": "template", "you wrote this text": "owner"},
    "findings": {"The post names no page of its author's.": "no page"},
    "flags": {"honeypot: ": "honeypot", "unverified": "unverified"},
}
"""How a sentence begins, and its code."""
_UNKNOWN: Final[dict[Field, str]] = {
    "changed": "unknown",  # the owner is asked at once
    "defects": "",  # something was cut off
    "why": "unknown",  # nothing leaves by itself
    "findings": "note",  # the owner is told it
    "flags": "noted",  # the owner is told it
}
_BURNT: Final = (
    ", so somebody else has seen that one. It counts no more; answer this one.",
    ", so it counts no more. Answer the newer one.",
)


def code_of(field: Field, sentence: str) -> str:
    """The code that stands beside this sentence today."""
    fitting = (code for begins, code in _CODES[field].items() if sentence.startswith(begins))
    return next(fitting, _UNKNOWN[field])


def clause_of(sentence: str) -> str:
    """Who knows a burnt question, of a row that holds the whole sentence for its owner."""
    for end in _BURNT:
        sentence = sentence.partition(end)[0]
    return sentence


def renewed(value: Any) -> Any:
    """Stored JSON with a code beside each sentence that stood alone."""
    if isinstance(value, list):
        return [renewed(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _coded(name, inner) for name, inner in value.items()}


def _coded(name: str, value: Any) -> Any:
    if name not in {"defects", "flags"} or not isinstance(value, list):
        return renewed(value)
    field: Field = "defects" if name == "defects" else "flags"
    return [{"code": code_of(field, item), "says": item} if isinstance(item, str) else item for item in value]
