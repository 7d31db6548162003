"""Foreign pages and feeds, read in a limited child process: one that is built to take long costs seconds of its own.

Patterns and trees hold the interpreter's lock: read in the service itself, a hostile page would make all of it deaf.
The child is a `tools.limited` one; what it answers is plain JSON.
"""

import atexit
import contextlib
import dataclasses
import json
import sys
import threading
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, Final

from tools.limited import Child, ParserLimits, Quarantined, WentIdle, serve
from tools.web.client import Response
from tools.web.pages import Page
from workflows.errors import Permanent, Retryable

LARGEST: Final = 50 * 1024 * 1024
"""Bytes; a bigger answer is not read."""
LIMITS: Final = ParserLimits(seconds=6.0, memory=300 * 1024 * 1024)
_SAID = {"ValueError": ValueError, "TypeError": TypeError}
"""What readers raise of their own; anything else is told as Permanent."""


def page_of(answer: Response) -> Page:
    """`pages.read_page`. Blocking, as all here: for threads.

    Raises:
        Permanent: it takes too long or too much memory to read.
        Retryable: no child process can be started just now.
    """
    fields = _reader().ask("page", _parts(answer), answer.content)
    return Page(**{**fields, "addresses": tuple(fields["addresses"])})


def channel_of(answer: Response) -> tuple[str, list[dict[str, Any]]]:
    """`channels.channel`; raises as that does, and as `page_of`."""
    name, items = _reader().ask("feed", _parts(answer), answer.content)
    return name, items


def json_of(answer: Response, *, exact: bool = False) -> Any:
    """`values.json_values`; raises as that does, and as `page_of`."""
    return _reader().ask("json", {**_parts(answer), "exact": exact}, answer.content)


def text_of(html: str) -> str:
    """`markup.html_to_text`; raises as `page_of`."""
    return str(_reader().ask("text", {}, html.encode("utf-8", "surrogatepass")))


def _parts(answer: Response) -> dict[str, Any]:
    return {"status": answer.status, "url": answer.url, "headers": dict(answer.headers)}


# ---------------------------------------------------------------- the parent's side


class Reader:
    """One child, reused, one question at a time. `module`: what it runs; `what`: what it reads, in words."""

    def __init__(self, limits: ParserLimits = LIMITS, module: str = "tools.web.foreign", what: str = "page") -> None:
        self._limits, self._module, self._what = limits, module, what
        self._lock = threading.Lock()
        self._child: Child | None = None

    def ask(self, work: str, facts: Mapping[str, Any], content: bytes) -> Any:
        if len(content) > LARGEST:
            raise Permanent("it is too large to be read.")
        question = json.dumps({"work": work, **facts}).encode() + b"\n" + content
        with self._lock:
            answer = json.loads(self._answer(question))
        if (kind := answer.get("error")) is not None:
            raise _SAID.get(kind, Permanent)(answer["says"])
        return answer["value"]

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _answer(self, question: bytes) -> bytes:
        for _ in range(3):
            with contextlib.suppress(WentIdle):
                return self._exchange(question)
        raise Retryable(f"The reader of a {self._what} keeps ending before it is asked; it is tried again.")

    def _exchange(self, question: bytes) -> bytes:
        if self._child and (self._child.mails >= self._limits.mails or self._child.process.poll() is not None):
            self._drop()
        if self._child is None:
            self._child = Child(self._limits, self._module, self._what)
        self._child.mails += 1
        try:
            return self._child.exchange(question, self._limits.seconds)[1]
        except Quarantined as error:
            self._drop()
            raise Permanent(str(error)) from None
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        child, self._child = self._child, None
        if child:
            child.end()


@cache
def _reader() -> Reader:
    # One for the process: a source is a bare function, and has nobody who would hand it one.
    reader = Reader()
    atexit.register(reader.close)
    return reader


# ---------------------------------------------------------------- the child


Works = dict[str, Callable[[dict[str, Any], bytes], Any]]
"""What a child can do: a name, and what reads the bytes."""


def answer_with(works: Callable[[], Works], question: bytes) -> bytes:
    """The child's answer to one question of `Reader.ask`."""
    head, _, content = question.partition(b"\n")
    facts = json.loads(head)
    try:
        return json.dumps({"value": works()[facts.pop("work")](facts, content)}).encode()
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  whatever a page provokes, the next one must be read
        return json.dumps({"error": type(error).__name__, "says": str(error)}).encode()


def _work() -> Works:
    # Imported here: the parent never pays for what only the child does.
    from tools.web.channels import channel
    from tools.web.markup import html_to_text
    from tools.web.pages import read_page
    from tools.web.values import json_values

    return {
        "page": lambda facts, content: dataclasses.asdict(read_page(Response(**facts, content=content))),
        "feed": lambda facts, content: channel(Response(**facts, content=content)),
        "json": lambda facts, content: json_values(exact=facts.pop("exact"), answer=Response(**facts, content=content)),
        "text": lambda _, content: html_to_text(content.decode("utf-8", "surrogatepass")),
    }


if __name__ == "__main__":
    serve(partial(answer_with, _work), int(sys.argv[1]), float(sys.argv[2]))
