"""What mail gateways put around a stranger's mail: tags before its subject, a banner above its words. Pure and total.

None of it is the writer's: a tag must not hide an automatic reply, and a banner is not what the mail is about. Nothing
is taken out of the text itself; only what is looked at first is.
"""

import re
from collections.abc import Sequence
from functools import cache

from workflows.rules.text.words import fold, phrases, table

_READ = 300  # characters of a subject
_MOST_TAGS = 4
_BANNER_LINES, _LONGEST_BANNER = 8, 1_000
_TAG = re.compile(
    r"\s*(?:\[[^\[\]]{1,40}\]|\{[^{}]{1,40}\}|\*{2,5}[^*]{1,40}\*{2,5}|<[^<>@]{1,40}>|\((?P<round>[^()]{1,40})\))[\s:|-]*"
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_ENDS = (".", "!", "?", ":")


def bare_subject(subject: str) -> str:
    """The subject without the tags that gateways, spam filters and lists put before it: "[External] Re: Offer"."""
    remainder = subject[:_READ]
    for _ in range(_MOST_TAGS):
        tag = _TAG.match(remainder) or _words().match(remainder)
        if tag is None or not remainder[tag.end() :].strip():
            break
        if tag.groupdict().get("round") and not _words().match(f"{tag['round']}:"):
            break  # "(Draft) Contract" is somebody's own word
        remainder = remainder[tag.end() :]
    return remainder.strip()


def without_banner(lines: Sequence[str]) -> list[str]:
    """The lines of a mail without a gateway's warning at their head ("This email originated from outside ...").

    `lines`: without blank ones.
    """
    body = list(lines)
    count = _banner_lines(body, says_outside=False)
    while count:
        body = body[count:]
        count = _banner_lines(body, says_outside=True)
    return body


def _banner_lines(lines: Sequence[str], *, says_outside: bool) -> int:
    """How many lines the banner's first sentences take; 0 when the lines begin with none.

    `says_outside`: a sentence above has already said that the mail is from outside.
    """
    for count in range(1, min(_BANNER_LINES, len(lines)) + 1):
        is_wrapped = (
            not lines[count - 1].rstrip(" *_-=|").endswith(_ENDS)
            and lines[count : count + 1]
            and (not lines[count].lstrip()[:1].isupper())
        )
        if not is_wrapped:
            return count if _is_banner(" ".join(lines[:count]), says_outside=says_outside) else 0
    return 0


def _is_banner(text: str, *, says_outside: bool) -> bool:
    """Whether every sentence is a gateway's, and one of them says that the mail is from outside."""
    if len(text) > _LONGEST_BANNER:
        return False
    sentences = [fold(sentence) for sentence in _SENTENCE_END.split(text.strip(" *_-=|")) if sentence.strip(" *_-=|")]
    matches = [(_says("outside").search(sentence), _says("advice").search(sentence)) for sentence in sentences]
    is_outside = says_outside or any(outside for outside, _ in matches)
    return bool(matches) and is_outside and all(outside or advice for outside, advice in matches)


@cache
def _says(kind: str) -> re.Pattern[str]:
    return phrases(table("gateways")["banner"][kind])


@cache
def _words() -> re.Pattern[str]:
    """A gateway's word before the subject without brackets ("EXTERN: Offer")."""
    words = "|".join(re.escape(word) for word in table("gateways")["subject"]["words"])
    return re.compile(rf"\s*(?:{words})\s*[:|]\s*", re.IGNORECASE)
