"""Whom the owner's own mail server vouches for: the domains it says really sent a mail.

A server prepends its headers, so what stands above the first Received line can only be its own. Two shapes put the
verdict lower and are known: a filter on the same machine that hands the mail over once more, and Google.
"""

import re
from collections.abc import Iterator, Sequence

from workflows.models.mail import Email
from workflows.rules.mail.authentication import own_part, read_results

Trace = Sequence[tuple[str, str]]

_GOOGLE = "mx.google.com"
_BY_GOOGLE = re.compile(r"\bby\s+(?:2002:a[0-9a-f]{2}:[0-9a-f:]+|[\w.-]+\.google\.com)(?=[\s;])", re.IGNORECASE)
_FROM_ITSELF = re.compile(
    r"^\s*from\s+\S+\s+\((?:[\w.-]+\s+)?\[(?:127\.\d+\.\d+\.\d+|(?:IPv6:)?::1)\]\)", re.IGNORECASE
)


def vouched_domains(email: Email, authserv_id: str = "") -> frozenset[str]:
    """The lower-case domains that the owner's server found to have signed this mail, or to stand rightly in its From.

    `authserv_id`: the server whose word alone counts, when the owner has named it; "" trusts whatever stands where only
    the owner's server can have written.
    """
    domains: set[str] = set()
    for value in _own_verdicts(email.trace):
        verdict = read_results(value)
        if verdict is not None and authserv_id.lower() in ("", verdict.server):
            domains.update((*verdict.passed, *verdict.agents, *verdict.aligned))
    return frozenset(domains)


def _own_verdicts(trace: Trace) -> Iterator[str]:
    if _is_by_google(trace):
        # Google writes its verdict under its own Received lines, and takes out whatever came in under its name.
        verdicts = (value for name, value in trace if name == "authentication-results")
        first = next(verdicts, "")
        if first.split(";")[0].strip().lower() == _GOOGLE:
            yield first
        return
    yield from own_part(_from_outside(trace))[0]


def _is_by_google(trace: Trace) -> bool:
    top = next((value for name, value in trace if name == "received"), "")
    return _BY_GOOGLE.search(top) is not None


def _from_outside(trace: Trace) -> Trace:
    """The trace without the lines at which the machine handed the mail to itself; no stranger comes from 127.0.0.1.

    The topmost line is the server's own. Where it says that the machine itself brought the mail, so is the next.
    """
    outside: list[tuple[str, str]] = []
    inside = True
    for name, value in trace:
        if name == "received" and inside:
            inside = _FROM_ITSELF.match(value) is not None
            if inside:
                continue
        outside.append((name, value))
    return outside
