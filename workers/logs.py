"""The log: `<home>/log/deskhand.log`, a JSON object a line, bounded in size. Ids and reasons, never texts."""

import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path

import structlog

FILE = "deskhand.log"
LARGEST = 5_000_000
"""Bytes of one file; three are kept."""


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
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("deskhand").setLevel(logging.INFO)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=lambda *_: logging.getLogger("deskhand"),
        cache_logger_on_first_use=False,
    )


class _Private(RotatingFileHandler):
    """Files are 0600 from their first byte on."""

    def _open(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
        os.close(os.open(self.baseFilename, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600))
        return super()._open()
