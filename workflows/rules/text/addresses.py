"""What an address says by its form: whether a mail can go there, and whether anybody reads it. Pure and total."""

import re
import string

from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import table

_SHAPE = re.compile(r"[^\s<>()\[\]\\,;:\"@\x00-\x1f\x7f]+@[^\s<>()\[\]\\,;:\"@\x00-\x1f\x7f]+")
_LONGEST, _LONGEST_LOCAL, _LONGEST_LABEL = 254, 64, 63  # octets, RFC 5321 4.5.3.1 and RFC 1035 2.3.4
_SHOWN = 80
_TOKEN_EDGE = re.compile(r"[._+\-=/&]+")


def unsendable(email: str) -> str:
    """Why no mail can go to this address, in one plain sentence; "" when one can."""
    local, _, domain = email.rpartition("@")
    if not _SHAPE.fullmatch(email) or email.startswith(".") or ".." in email or local.endswith("."):
        return f'No mail can go to "{one_line(email, _SHOWN)}": it is no mail address.'
    if len(email.encode()) > _LONGEST or len(local.encode()) > _LONGEST_LOCAL:
        return f'No mail can go to "{one_line(email, _SHOWN)}": it is longer than an address may be.'
    labels = domain.removesuffix(".").split(".")
    if not all(0 < len(label) <= _LONGEST_LABEL and label.strip("-") == label for label in labels):
        return f'No mail can go to "{one_line(email, _SHOWN)}": what stands after the @ is no name of a server.'
    return ""


def beyond_ascii(email: str) -> bool:
    """Whether only a server with SMTPUTF8 (RFC 6531) takes this address."""
    return not email.isascii()


def is_no_reply(local: str) -> bool:
    """Whether a local part says so by whole tokens ("jobs-noreply", "do.not.reply+7", never "norepa")."""
    local = local[:_LONGEST]
    plain = local.split("+", 1)[0]
    if plain in table("machines")["no_reply"]["whole"]:
        return True
    tokens = [token.rstrip(string.digits) for token in _TOKEN_EDGE.split(local) if token]
    spaced = f" {' '.join(tokens)} "
    return any(f" {words} " in spaced for words in table("machines")["no_reply"]["anywhere"])
