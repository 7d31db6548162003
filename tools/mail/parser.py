"""Parse mail in a child process that may die: hostile mail costs at most 2 s and about 200 MB, and never this process.

`Parser` is the parent's side, `python -m tools.mail.parser` the child's. The child is reused, ends itself when idle,
is started with an empty environment (no secrets) and can do nothing but read bytes and answer JSON.
"""

import contextlib
import dataclasses
import json
import re
import sys
import threading
from datetime import datetime
from typing import Any

from tools.limited import ANSWERED, Child, ParserLimits, Quarantined, WentIdle, serve
from tools.mail import mime
from workflows.errors import Retryable
from workflows.models.mail import Address, Attachment, Defect, Email

MAX_MAIL = 50 * 1024 * 1024
"""Bytes; a bigger mail is quarantined unread."""

OVERSIZE = b"X-Deskhand-Oversize: "
"""The inbox puts this header (and the size) before the beginning of a mail that it did not fetch whole."""

_LONGEST_HEADER, _LONGEST_FIELD = 64_000, 4_000  # bytes of an unreadable mail that are looked at
_FIELDS = re.compile(rb"(?im)^(?:from|subject):[^\n]*(?:\n[ \t][^\n]*)*")


class Parser:
    """Reads mail in a limited child. Thread-safe: one mail at a time."""

    def __init__(self, limits: ParserLimits | None = None) -> None:
        self._limits = limits or ParserLimits()
        self._lock = threading.Lock()
        self._child: Child | None = None

    def parse(self, raw: bytes) -> Email:
        """The mail as a value.

        Raises:
            Quarantined: too big, too slow, too much memory, crashed, or no mail at all.
            Retryable: no child process can be started just now.
        """
        if raw.startswith(OVERSIZE):
            size = raw[len(OVERSIZE) : len(OVERSIZE) + 15].split(b"\r", 1)[0].decode("ascii", "replace")
            raise Quarantined(_too_big(int(size)) if size.isdigit() else "The mail is bigger than Deskhand reads.")
        if len(raw) > MAX_MAIL:
            raise Quarantined(_too_big(len(raw)))
        with self._lock:
            return self._ask(raw)

    def glimpse(self, raw: bytes) -> tuple[str, str]:
        """Who says to have sent a mail that cannot be read, and its subject; "" for what cannot be read either.

        Only these two fields are looked at, capped, in the child as everything else.

        Raises:
            Retryable: no child process can be started just now.
        """
        fields = _FIELDS.findall(_beginning(raw))
        if not fields:
            return "", ""
        with contextlib.suppress(Quarantined), self._lock:
            email = self._ask(b"\r\n".join(field[:_LONGEST_FIELD] for field in fields[:2]) + b"\r\n\r\n")
            return email.sender.email, email.subject
        return "", ""

    def close(self) -> None:
        """End the child. The next `parse` starts a new one."""
        with self._lock:
            self._drop()

    @property
    def pid(self) -> int | None:
        """The living child's process id, for measuring it."""
        child = self._child
        return child.process.pid if child and child.process.poll() is None else None

    def _ask(self, raw: bytes) -> Email:
        for _ in range(3):
            with contextlib.suppress(WentIdle):  # it ended itself between two mails; the mail is not to blame
                return self._answer(*self._exchange(raw))
        raise Retryable("The mail parser keeps ending before it is asked; it is tried again.")

    def _answer(self, kind: int, answer: bytes) -> Email:
        if kind == ANSWERED:
            return _email(json.loads(answer))
        raise Quarantined(answer.decode("utf-8", "replace"))

    def _exchange(self, raw: bytes) -> tuple[int, bytes]:
        child = self._ready_child()
        child.mails += 1
        try:
            return child.exchange(raw, self._limits.seconds)
        except BaseException:
            self._drop()
            raise

    def _ready_child(self) -> Child:
        if self._child and (self._child.mails >= self._limits.mails or self._child.process.poll() is not None):
            self._drop()
        if self._child is None:
            self._child = Child(self._limits, "tools.mail.parser", "mail")
        return self._child

    def _drop(self) -> None:
        child, self._child = self._child, None
        if child:
            child.end()


def _beginning(raw: bytes) -> bytes:
    """The header of a mail, as far as it is looked at, without the line that the inbox has put before it."""
    start = raw.find(b"\n") + 1 if raw.startswith(OVERSIZE) else 0
    head = raw[start : start + _LONGEST_HEADER].replace(b"\r\n", b"\n")
    return head.split(b"\n\n", 1)[0]


def _too_big(size: int) -> str:
    return f"The mail has {size / 1e6:.0f} MB; Deskhand reads at most {MAX_MAIL >> 20} MB. Read it in your mailbox."


def _email(fields: dict[str, Any]) -> Email:
    people = {name: tuple(Address(**item) for item in fields[name]) for name in _PEOPLE}
    return Email(
        **{
            **fields,
            **people,
            **{name: tuple(fields[name]) for name in ("in_reply_to", "references", "html_signatures")},
            "defects": tuple(Defect(**item) for item in fields["defects"]),
            "attachments": tuple(Attachment(**item) for item in fields["attachments"]),
            **{name: tuple((key, value) for key, value in fields[name]) for name in ("headers", "trace")},
            "date": datetime.fromisoformat(fields["date"]) if fields["date"] else None,
        }
    )


_PEOPLE = ("senders", "to", "cc", "bcc", "reply_to")


def _read_mail(raw: bytes) -> bytes:
    return json.dumps(dataclasses.asdict(mime.parse(raw)), default=datetime.isoformat).encode()


if __name__ == "__main__":
    serve(_read_mail, int(sys.argv[1]), float(sys.argv[2]))
