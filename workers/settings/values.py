"""Values of settings: time spans, money, times of day, addresses, hours, rates; each refused with what is expected."""

import difflib
import json
import re
from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from workflows.rules.answers.signatures import as_block
from workflows.rules.leads.rates import parse_rate


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount with its ISO currency code."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_EMAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]+|[^@\s<>,;]+@localhost")
_CLOCK = r"([01]?\d|2[0-3]):[0-5]\d"
_QUIET = re.compile(rf"{_CLOCK}-{_CLOCK}")


def wrong(expected: str, key: str = "") -> PydanticCustomError:
    return PydanticCustomError("setting", "{expected}", {"expected": expected, "key": key})


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"(\d{1,6}[smhdw])+", value.strip()):
        raise wrong('a time span such as "60s", "30m", "24h" or "7d"')
    return sum(
        (timedelta(**{_UNITS[unit]: int(number)}) for number, unit in re.findall(r"(\d+)([smhdw])", value)),
        timedelta(),
    )


def _money(value: object) -> object:
    if isinstance(value, Amount):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s+([A-Z]{3})", value.strip()) if isinstance(value, str) else None
    try:
        if match:
            return Amount(Decimal(match.group(1)), match.group(2))
    except InvalidOperation:
        pass
    raise wrong('an amount with its currency such as "2.00 USD"')


def _whole(value: object) -> object:
    if isinstance(value, bool | float):  # true would pass as 1
        raise wrong("a whole number")
    return value


def _time(value: object) -> object:
    if isinstance(value, time):
        return value.replace(tzinfo=None)
    if isinstance(value, str) and re.fullmatch(rf"{_CLOCK}(:[0-5]\d)?", value.strip()):
        hour, minute, second = (int(part) for part in f"{value.strip()}:0".split(":")[:3])
        return time(hour, minute, second)
    raise wrong('a time of day such as "09:00"')


def as_list(value: object) -> object:
    # The environment has only text: a JSON array, or words between commas.
    if not isinstance(value, str):
        return value
    if not value.strip().startswith("["):
        return [part.strip() for part in value.split(",") if part.strip()]
    try:
        return json.loads(value)
    except ValueError:
        raise wrong('a list such as ["one", "two"]') from None


def email_address(value: object) -> object:
    if isinstance(value, str) and _EMAIL.fullmatch(value.strip()):
        return value.strip().lower()
    raise wrong('one mail address such as "ada@winter.example"')


def zone_name(value: object) -> object:
    if isinstance(value, str) and value:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            near = difflib.get_close_matches(value, available_timezones(), n=1, cutoff=0.5)
            raise wrong(f'a time zone such as "{near[0] if near else "Europe/Berlin"}"') from None
        return value
    raise wrong('a time zone such as "Europe/Berlin"')


def office_hours(value: object) -> object:
    from workflows.rules.text.calendar import working_hours

    if isinstance(value, str) and working_hours(value):
        return value.strip()
    raise wrong('working hours such as "Mon-Fri 09:00-18:00"')


def quiet_span(value: object) -> object:
    if value == "":
        return value
    # Twice the same time would be quiet all day: nothing would ever leave.
    if isinstance(value, str) and _QUIET.fullmatch(value.strip()) and len(set(value.strip().split("-"))) > 1:
        return value.strip()
    raise wrong('hours such as "20:00-07:00", or ""')


def rate_text(value: object) -> object:
    if value == "" or (isinstance(value, str) and parse_rate(value)):
        return value
    raise wrong('an amount with its currency and unit such as "95 EUR/hour", or ""')


def ladder_name(value: object) -> object:
    from workflows.rules.debts.dunning import ladders

    if value in ladders():
        return value
    raise wrong(f"one of {', '.join(ladders())}")


def matching(pattern: re.Pattern[str], expected: str) -> BeforeValidator:
    def check(value: object) -> object:
        if isinstance(value, str) and pattern.fullmatch(value.strip()):
            return value.strip()
        raise wrong(expected)

    return BeforeValidator(check)


def or_empty(check: BeforeValidator) -> BeforeValidator:
    return BeforeValidator(lambda value: value if value == "" else check.func(value))  # type: ignore[call-arg]


web_address = matching(re.compile(r"https?://[^\s/]+\S*"), 'a web address such as "http://127.0.0.1:11434/v1"')
calendar_address = matching(
    re.compile(r"(?:https?|webcal)://[^\s/]+\S*"), 'a web address such as "https://calendar.winter.example/work.ics"'
)
_host = matching(
    re.compile(r"[A-Za-z0-9._:-]+"), 'the bare name of a server such as "imap.winter.example", without "https://"'
)

Duration = Annotated[timedelta, BeforeValidator(_duration)]
Cost = Annotated[Amount, BeforeValidator(_money)]
TimeOfDay = Annotated[time, BeforeValidator(_time)]
Words = Annotated[tuple[str, ...], BeforeValidator(as_list)]
Email = Annotated[str, BeforeValidator(email_address)]
Emails = Annotated[tuple[Email, ...], BeforeValidator(as_list)]
Times = Annotated[tuple[TimeOfDay, ...], BeforeValidator(as_list)]
Host = Annotated[str, _host]
whole_number = BeforeValidator(_whole)
Port = Annotated[int, whole_number, Field(ge=1, le=65535)]
Count = Annotated[int, whole_number, Field(ge=0)]
Positive = Annotated[int, whole_number, Field(ge=1)]
Url = Annotated[str, web_address]


def signature_blocks(value: object) -> object:
    # One text, or a list of texts; the environment has a JSON list or one text.
    if isinstance(value, str):
        value = as_list(value) if value.strip().startswith("[") else [value]
    if not isinstance(value, list | tuple) or not all(isinstance(block, str) for block in value):
        raise wrong("a text, or a list of texts")
    return tuple(block for block in map(as_block, value) if block)


SourceName = Annotated[str, matching(re.compile(r"[a-z0-9][a-z0-9_-]{0,40}"), "named in small letters and digits")]
