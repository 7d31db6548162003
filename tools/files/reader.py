"""Files that came with a mail, read in a limited child: a bomb costs seconds of its own and one plain sentence.

The child is given the whole mail and the hash of the file it is asked about, and answers its text or its bytes.
"""

import contextlib
import hashlib
import json
import sys
import threading
from typing import Final

from tools.limited import ANSWERED, Child, ParserLimits, Quarantined, WentIdle, serve
from workflows.errors import Permanent, Retryable
from workflows.models.mail import Attachment

LIMITS: Final = ParserLimits(seconds=4.0, memory=250 * 1024 * 1024)
LARGEST: Final = 25_000_000
"""Bytes of a file that is read."""


class FileReader:
    """Reads files out of mails in a limited child. Blocking and thread-safe: one file at a time."""

    def __init__(self, limits: ParserLimits = LIMITS) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._child: Child | None = None

    def text(self, raw: bytes, file: Attachment) -> str:
        """The text of this file of the mail.

        Raises:
            Permanent: it cannot be read; a clause that says why.
            Retryable: no child process can be started just now.
        """
        if file.size > LARGEST:
            raise Permanent(f"it has {file.size / 1e6:.0f} MB; at most {LARGEST // 1_000_000} MB are read.")
        return self._ask("text", raw, file).decode("utf-8", "replace")

    def content(self, raw: bytes, file: Attachment) -> bytes:
        """The bytes of this file of the mail, as its hash says; raises as `text` does."""
        content = self._ask("content", raw, file)
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise Permanent("it is not in the mail any more.")
        return content

    def close(self) -> None:
        """End the child; the next question starts a new one."""
        with self._lock:
            self._drop()

    def _ask(self, work: str, raw: bytes, file: Attachment) -> bytes:
        facts = {"work": work, "sha256": file.sha256, "name": file.name, "kind": file.content_type}
        question = json.dumps(facts).encode() + b"\n" + raw
        with self._lock:
            for _ in range(3):
                with contextlib.suppress(WentIdle):
                    return self._answer(question)
        raise Retryable("The reader of files keeps ending before it is asked; it is tried again.")

    def _answer(self, question: bytes) -> bytes:
        if self._child and (self._child.mails >= self._limits.mails or self._child.process.poll() is not None):
            self._drop()
        if self._child is None:
            self._child = Child(self._limits, "tools.files.reader", "file")
        self._child.mails += 1
        try:
            kind, answer = self._child.exchange(question, self._limits.seconds)
        except Quarantined as error:
            self._drop()
            raise Permanent(str(error).replace("The file", "it", 1)) from None
        except BaseException:
            self._drop()
            raise
        if kind != ANSWERED:
            raise Permanent(answer.decode("utf-8", "replace"))
        return answer

    def _drop(self) -> None:
        child, self._child = self._child, None
        if child:
            child.end()


# ---------------------------------------------------------------- the child


def _read(question: bytes) -> bytes:
    from tools.files.texts import text_of
    from tools.mail.message.decoding import decoded_pieces
    from tools.mail.message.tree import Forgiving, MimeTree

    head, _, raw = question.partition(b"\n")
    facts = json.loads(head)
    tree = MimeTree(raw)
    for leaf in tree.leaves():
        content = b"".join(decoded_pieces(leaf, Forgiving(tree)))
        if hashlib.sha256(content).hexdigest() == facts["sha256"]:
            if facts["work"] == "content":
                return content
            return text_of(facts["name"], facts["kind"], content).encode("utf-8", "replace")
    raise Permanent("it is not in the mail any more.")


if __name__ == "__main__":
    serve(_read, int(sys.argv[1]), float(sys.argv[2]))
