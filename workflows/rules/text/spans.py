"""Spans of time as people write them: "60s", "30m", "24h", "7d", "2w", or joined, "1h30m"."""

import re
from datetime import timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_span(text: str) -> timedelta | None:
    """The span a text states, None when it states none."""
    if not re.fullmatch(r"(\d{1,6}[smhdw])+", text.strip()):
        return None
    parts = re.findall(r"(\d+)([smhdw])", text)
    return sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), timedelta())
