"""Whether the owner's own mail server vouches for the From of a mail, as far as its verdict tells."""

import re

from workflows.models import Email

_LONGEST = 4000
_COMMENT = re.compile(r"\([^()]*\)")
_DMARC = re.compile(r"(?:^|[;\s])dmarc\s*=\s*([a-z]+)", re.IGNORECASE)


def fails_dmarc(email: Email) -> bool:
    """Whether the receiving server says `dmarc=fail`.

    The topmost Authentication-Results is the receiving server's own; a server that writes one header per check writes
    the same authserv-id in each. A header further down with another id is the sender's and proves nothing.
    """
    return any(verdict == "fail" for verdict in _verdicts(email))


def authentication_server(email: Email) -> str:
    """The authserv-id of the topmost Authentication-Results, lower-case; "" when there is none."""
    return _server(email.header("authentication-results"))


def _verdicts(email: Email) -> list[str]:
    server = authentication_server(email)
    if not server:
        return []
    values = (value for name, value in email.headers if name == "authentication-results")
    return [verdict.lower() for value in values if _server(value) == server for verdict in _DMARC.findall(_bare(value))]


def _server(value: str) -> str:
    words = _bare(value).partition(";")[0].split()
    return words[0].lower() if words else ""


def _bare(value: str) -> str:
    """The header without its comments: the sender's words may stand in them."""
    value, previous = value[:_LONGEST], None
    while previous != value:
        previous, value = value, _COMMENT.sub(" ", value)
    return value
