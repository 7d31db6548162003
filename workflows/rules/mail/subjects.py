"""Subjects: the marks of answers and forwards in every language, under the tags that gateways put before them."""

import re
from functools import cache

from workflows.rules.mail.gateways import bare_subject
from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import table

_LONGEST_SUBJECT = 1000  # characters that are looked at


def reply_subject(subject: str) -> str:
    """The subject with exactly one "Re:" in front; forward marks and tags in brackets stay."""
    plain, tags = one_line(subject[:_LONGEST_SUBJECT], 500), ""
    while True:
        mark = _reply_mark().match(plain)
        shorter = plain[mark.end() :] if mark else plain
        tag = re.match(r"\[[^\[\]]{1,40}\]\s*", shorter)
        if tag and _reply_mark().match(shorter[tag.end() :]):
            tags, shorter = tags + tag.group().strip() + " ", shorter[tag.end() :]
        if shorter == plain:
            return f"Re: {tags}{plain}".rstrip()
        plain = shorter


def is_reply_subject(subject: str) -> bool:
    """Whether the subject says that the mail answers another one."""
    return bool(_reply_mark().match(one_line(bare_subject(subject[:_LONGEST_SUBJECT]), 200)))


def is_forward_subject(subject: str) -> bool:
    """Whether the subject says that the mail is a forward, under any number of reply marks."""
    bare = one_line(bare_subject(subject[:_LONGEST_SUBJECT]), 200)
    return bool(_forward_mark().match(reply_subject(bare).removeprefix("Re:").lstrip()))


@cache
def _reply_mark() -> re.Pattern[str]:
    return _marks("reply")


@cache
def _forward_mark() -> re.Pattern[str]:
    return _marks("forward")


def _marks(kind: str) -> re.Pattern[str]:
    words = "|".join(re.escape(word) for word in table("history")["subject"][kind])
    return re.compile(rf"(?:{words})\s?(?:\[\d{{1,3}}\]|\(\d{{1,3}}\)|\^\d{{1,3}})?\s?[:：]\s*", re.IGNORECASE)  # noqa: RUF001
