"""Outbox entries: a row of it as a value, what it may do next, and the limits that hold a mail to a client back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from workflows.errors import NeedsOwner
from workflows.models.drafts import OutboxState

Purpose = Literal["client", "approval", "notice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SendLimits:
    """What holds a mail to a client back for a while. `grace` is the time after the yes in which a no still wins."""

    per_hour: int = 50  # at least 1, as the next
    per_recipient_per_day: int = 5
    quiet_hours: str = ""  # "20:00-07:00" in `timezone`, "" for none
    timezone: str = "UTC"
    grace: timedelta = timedelta(seconds=60)

    def __post_init__(self) -> None:
        if min(self.per_hour, self.per_recipient_per_day) < 1:
            raise NeedsOwner(
                "limits.per_hour and limits.per_recipient_per_day must be at least 1.", "To send nothing, use 'stop'."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the outbox."""

    intent: str
    purpose: Purpose
    case: int
    version: int
    client: str
    recipients: tuple[str, ...]
    hash: str
    state: OutboxState
    at: datetime
    body_hash: str = ""
    blob: str = ""
    message_id: str = ""
    server_id: str = ""
    reference: str = ""
    attempts: int = 0
    detail: str = ""
    claimed_at: datetime | None = None
    sent_at: datetime | None = None
    filed: int = 0  # 1: a copy lies in Sent; 2: our own append of it was begun
    unfiled: str = ""  # why no copy lies in Sent yet
    arrived_at: datetime | None = None  # to the owner: when it was seen in the inbox
    held: str = ""  # the doubts that wait for the owner's word, by rule
    held_at: datetime | None = None  # when the newest of them was raised
    bounced: str = ""  # why it came back, when it did
    resend: int = 0  # the owner wants it sent once more
    other_way: int = 0  # to the owner: 1 it did not arrive by itself, so it is sent the other way; 2 that is done


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """The whole mail, made once: its wire bytes, its own Message-ID, the hash of its decoded body."""

    content: bytes
    message_id: str
    body_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """It may go now: every attempt sends the bytes at `entry.blob`."""

    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """It may not go now. `until` is when to look again; None: when something changes that only the owner changes."""

    reason: str
    until: datetime | None = None
    rule: str = ""  # names a doubt that only the owner's word ends: a yes given after it
