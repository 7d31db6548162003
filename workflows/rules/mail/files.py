"""What a client attached, in words: name, kind and size of each file, without what a mail program adds by itself."""

import re

from workflows.models.mail import Attachment, Email
from workflows.rules.text.canonical import one_line

_LONGEST_NAME = 80
_SMALL = 30_000  # bytes: a picture of a signature is no larger
_LOGO = re.compile(r"(?:image|outlook-|att|logo)[\w-]{0,30}\.(?:png|gif|jpe?g)|unnamed\.\w+", re.IGNORECASE)
_OF_THE_MAIL = frozenset((
    "application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature",
    "message/delivery-status", "message/global-delivery-status", "message/disposition-notification",
    "text/rfc822-headers", "message/global-headers", "text/vnd.google.email-reaction+json",
))  # fmt: skip
_READABLE = frozenset(("pdf", "docx", "odt", "csv", "tsv", "txt", "text", "md", "ics"))
_READABLE_TYPES = frozenset((
    "application/pdf", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.oasis.opendocument.text", "text/csv", "text/plain", "text/markdown", "text/calendar",
    "application/ics",
))  # fmt: skip
_KINDS = (
    (r"application/pdf", r"pdf", "PDF"),
    (r"application/(?:msword|vnd\.openxml.*\.wordprocessingml.*|rtf)|text/rtf", r"docx?|odt|rtf|pages", "document"),
    (r"application/vnd\.(?:ms-excel.*|openxml.*\.spreadsheetml.*)|text/csv", r"xlsx?|ods|csv|numbers", "spreadsheet"),
    (r"application/vnd\.(?:ms-powerpoint.*|openxml.*\.presentationml.*)", r"pptx?|odp|key", "slides"),
    (r"application/(?:zip|x-zip.*|gzip|x-tar|x-7z.*|vnd\.rar|x-rar.*)", r"zip|gz|tar|7z|rar", "archive"),
    (r"image/.*", r"png|jpe?g|gif|webp|heic|svg|tiff?|psd|ai", "picture"),
    (r"audio/.*", r"mp3|m4a|wav|ogg|opus", "sound"),
    (r"video/.*", r"mp4|mov|avi|mkv|webm", "film"),
    (r"text/calendar|application/ics", r"ics", "calendar entry"),
    (r"text/(?:x-)?vcard", r"vcf", "business card"),
    (r"message/rfc822|message/global", r"eml|msg", "mail"),
    (r"application/ms-tnef", r"dat", "Outlook container, not opened"),
    (r"text/html", r"html?", "web page"),
    (r"text/.*", r"txt|md", "text"),
)  # fmt: skip


def attached(email: Email) -> tuple[Attachment, ...]:
    """The files somebody meant to send: no proof of who signed, no part of a report, no small logo."""
    return tuple(file for file in email.attachments if file.content_type not in _OF_THE_MAIL and not _is_logo(file))


def _is_logo(file: Attachment) -> bool:
    return file.content_type.startswith("image/") and file.size < _SMALL and bool(_LOGO.fullmatch(file.name))


def is_readable(file: Attachment) -> bool:
    """Whether its text can be read: a PDF, a document, a table, a plain text, a calendar entry."""
    ending = file.name.lower().rpartition(".")[2] if "." in file.name else ""
    return ending in _READABLE or file.content_type.lower() in _READABLE_TYPES


def described(file: Attachment) -> str:
    """Such as "brief.pdf (PDF, 120 kB)", in one safe line."""
    name = one_line(file.name, _LONGEST_NAME) or "a file without a name"
    return f"{name} ({_kind(file)}, {_size(file.size)})"


def _kind(file: Attachment) -> str:
    """By its type; by its name when the type says nothing ("application/octet-stream")."""
    named = file.name.lower().rpartition(".")[2] if "." in file.name else ""
    by_type = (kind for types, _, kind in _KINDS if re.fullmatch(types, file.content_type.lower()))
    by_name = (kind for _, endings, kind in _KINDS if re.fullmatch(endings, named))
    return next(by_type, "") or next(by_name, "") or one_line(file.content_type, 40) or "unknown kind"


def _size(size: int) -> str:
    if size < 1_000:  # noqa: PLR2004 (a kilobyte)
        return f"{size} bytes"
    return f"{size / 1_000:,.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:,.1f} MB"  # noqa: PLR2004
