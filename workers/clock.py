"""The wall clock, in a leaf of its own so that a reading command need not import the whole wiring for it."""

from datetime import UTC, datetime


class SystemClock:
    """The `Clock` of real life."""

    def now(self) -> datetime:
        """The current time in UTC."""
        return datetime.now(UTC)
