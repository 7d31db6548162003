"""Ground of every table: the metadata they share, and times kept as text."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import MetaData, String, TypeDecorator

metadata = MetaData()


class Instant(TypeDecorator[datetime]):
    """A timezone-aware datetime, kept as UTC ISO-8601 text so that rows sort and read by eye."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone must not reach the ledger")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)
