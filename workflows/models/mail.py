"""Mail: an address, a parsed mail, what its reading lost, and where a mailbox was read up to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One mailbox: `email` is lower-case and in full, `name` is what the sender calls it (may be empty)."""

    email: str
    name: str = ""


NOBODY = Address(email="")
"""The address of a mail or lead that names none."""


CALENDAR_REPLY = "text/calendar; method=REPLY; charset=utf-8"
CALENDAR_ANSWERS = frozenset((CALENDAR_REPLY, "text/calendar; method=COUNTER; charset=utf-8"))
"""The types of the parts that answer an invitation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """What is known of an attachment without opening it: size in bytes, hash of the decoded content."""

    name: str
    size: int
    sha256: str
    content_type: str = "application/octet-stream"
    origin: str = ""  # of a file of the owner's own: where it lay when it was taken

    @property
    def answers_invitation(self) -> bool:
        """Whether it is a calendar part of ours: no file of a mail or a folder has a type with a method."""
        return self.content_type in CALENDAR_ANSWERS


@dataclass(frozen=True, slots=True)
class Defect:
    """Something that the parser had to forgive: a code to decide by, and a sentence for people."""

    code: str
    says: str

    @property
    def cuts(self) -> bool:
        """Whether something of the mail may not have been read; a code that nobody knows counts as that."""
        return self.code not in _NOTHING_LOST

    @property
    def cuts_text(self) -> bool:
        """Whether the text itself was cut off; what stood there before there were codes counts as that too."""
        return self.code in {"text", ""}


_NOTHING_LOST = frozenset(("address", "blank line", "boundary", "charset", "date", "escape", "indent"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """A parsed mail. `text` is everything a reader sees, hidden text stripped; quotes are still in it."""

    identity: str  # sha256 hex over Message-ID, From, Date, Subject, decoded body and attachments
    blob: str  # sha256 hex of the raw bytes: the address in the blob folder
    message_id: str = ""  # with angle brackets; "" when the mail has none
    subject: str = ""
    senders: tuple[Address, ...] = ()  # every From address
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    date: datetime | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    text: str = ""
    html_text: str = ""  # the HTML part alone as text, paragraphs joined; "" when there is none
    html_list: bool = False  # a list stands in the HTML part: its numbers may be the mail program's, not the writer's
    html_signatures: tuple[str, ...] = ()  # blocks of the HTML part that a mail program marked as its signature
    attachments: tuple[Attachment, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()  # (lower-case name, decoded value), mail order, each value capped
    defects: tuple[Defect, ...] = ()  # what the parser had to forgive
    size: int = 0  # raw bytes
    calendar: str = ""  # what its calendar part says: "request", "reply", "cancel" ...; "" when there is none
    calendar_note: str = ""  # what a person wrote to that answer
    form: str = ""  # the address of the web site whose form this came through; `senders` then names the visitor
    trace: tuple[tuple[str, str], ...] = ()  # Received and Authentication-Results as written, undecoded, topmost first

    @property
    def sender(self) -> Address:
        return self.senders[0] if self.senders else Address(email="")

    @property
    def is_partial(self) -> bool:
        """Whether it was read only in part."""
        return any(defect.cuts for defect in self.defects)

    def header(self, name: str) -> str:
        """The first header of that name, or ""."""
        return next((value for key, value in self.headers if key == name.lower()), "")

    def has_header(self, name: str) -> bool:
        return any(key == name.lower() for key, _ in self.headers)

    @property
    def parents(self) -> tuple[str, ...]:
        """Every Message-ID this mail refers to, the direct parent first."""
        ordered = (*self.in_reply_to, *reversed(self.references))
        return tuple(dict.fromkeys(ordered))


FolderKind = Literal["inbox", "sent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawMail:
    """One mail as it lies on the server: its bytes and where they were found."""

    content: bytes
    folder: str
    folder_kind: FolderKind
    uid: int
    uidvalidity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a folder has been read: everything at or below `last_uid` is in `seen`."""

    folder: str
    uidvalidity: int
    last_uid: int
    last_date: datetime | None = None  # the newest handled date, for the search after a UIDVALIDITY change
