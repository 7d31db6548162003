"""The log: `<home>/log/deskhand.log`, a JSON object a line, bounded in size. Ids and reasons, never texts."""

import logging
import os
import re
import sys
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path

import structlog
from structlog.typing import EventDict

FILE = "deskhand.log"
LARGEST = 5_000_000
"""Bytes of one file; three are kept."""

_ADDRESS = re.compile(r"[^\s<>\"'(),;:]{1,200}@[^\s<>\"'(),;:]{1,260}")
_LONGEST_CHAIN = 5
_ALIKE = 48  # characters of a line's words by which it is like another one
_WINDOW, _MOST_ALIKE = 60.0, 20


def configure(home: Path) -> None:
    """Send our own log and every library's warnings to the home's log file; nothing goes to the terminal."""
    folder = home / "log"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = _Private(folder / FILE, maxBytes=LARGEST, backupCount=2, encoding="utf-8")
    shared = (structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _where_it_failed,
                _without_addresses,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    handler.addFilter(_Flood())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("deskhand").setLevel(logging.INFO)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=lambda *_: logging.getLogger("deskhand"),
        cache_logger_on_first_use=False,
    )


def _where_it_failed(_: object, __: str, event: EventDict) -> EventDict:
    """Which error at which lines, and what it followed; not its words, which may be a client's."""
    exc_info = event.pop("exc_info", None)
    error = (
        exc_info
        if isinstance(exc_info, BaseException)
        else (exc_info[1] if isinstance(exc_info, tuple) else sys.exc_info()[1])
    )
    if not exc_info or error is None:
        return event
    chain: list[str] = []
    while error is not None and len(chain) < _LONGEST_CHAIN:
        # Not traceback.extract_tb: it reads the source of every line, and a flood of errors would hold a story up.
        frames = ((frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__))
        places = (f"{os.path.basename(name)}:{line}" for name, line in frames)  # noqa: PTH119
        chain.append(f"{type(error).__name__} at {' > '.join(places) or 'no line'}")
        error = error.__cause__ or error.__context__
    return {**event, "exception": "; after ".join(chain)}


def _without_addresses(_: object, __: str, event: EventDict) -> EventDict:
    """A sentence for the owner may name an address; the log, which others may be shown, does not."""
    return {key: _ADDRESS.sub("(address)", value) if isinstance(value, str) else value for key, value in event.items()}


class _Flood(logging.Filter):
    """At most so many lines alike a minute: what anybody can cause a thousand times may not cost a line each.

    A library logs within a story's own thread, and Temporal takes a story that thinks for two seconds for dead.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        key = (record.name, str(record.msg)[:_ALIKE])
        start, count = self._seen.get(key, (record.created, 0))
        if record.created - start >= _WINDOW:
            start, count = record.created, 0
        if len(self._seen) > 1_000:  # noqa: PLR2004 - kinds of lines: no more than a program has
            self._seen.clear()
        self._seen[key] = start, count + 1
        return count < _MOST_ALIKE


class _Private(RotatingFileHandler):
    """Files are 0600 from their first byte on."""

    def _open(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
        os.close(os.open(self.baseFilename, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600))
        return super()._open()
