"""Authentication-Results (RFC 8601): the one reader of a mail server's verdicts, and of the lines it wrote itself."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workflows.models.mail import Email

_LONGEST = 4_000
_BY = re.compile(r"\bby\s+([A-Za-z0-9._-]+)", re.IGNORECASE)
_WITH = re.compile(r"\bwith\s+([A-Za-z0-9]+)", re.IGNORECASE)
_DMARC = re.compile(r"(?:^|[;\s])dmarc\s*=\s*([a-z]+)", re.IGNORECASE)
_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([;=])|([^\s;=()"]+)|(\())', re.DOTALL)


def own_part(headers: Sequence[tuple[str, str]]) -> tuple[list[str], str]:
    """The Authentication-Results above the first real Received, and the host that one is by; headers as written.

    A server adds its headers on top. Local deliveries (LMTP) may stand above; everything below the first other
    Received was written by whoever sent the mail.
    """
    results = []
    for name, value in headers:
        if name == "authentication-results":
            results.append(value)
        if name == "received":
            by, with_ = _BY.search(_uncommented(value)), _WITH.search(_uncommented(value))
            if with_ is None or not with_[1].lower().startswith("lmtp"):
                return results, by[1].lower() if by else ""
    return [], ""


def _uncommented(value: str) -> str:
    value, before = value[:_LONGEST], None
    while before != value:
        before, value = value, re.sub(r"\([^()]*\)", " ", value)
    return value


def fails_dmarc(email: Email) -> bool:
    """Whether the receiving server says `dmarc=fail`.

    The topmost Authentication-Results is the receiving server's own; a server that writes one header per check writes
    the same authserv-id in each. A header further down with another id is the sender's and proves nothing.
    """
    return any(verdict == "fail" for verdict in _dmarc_verdicts(email))


def authentication_server(email: Email) -> str:
    """The authserv-id of the topmost Authentication-Results, lower-case; "" when there is none."""
    return _server(email.header("authentication-results"))


def _dmarc_verdicts(email: Email) -> list[str]:
    """Read loosely, for a failure only ever holds a mail back: a header that is not quite in order still says it."""
    server = authentication_server(email)
    if not server:
        return []
    values = (_uncommented(value) for name, value in email.headers if name == "authentication-results")
    return [verdict.lower() for value in values if _server(value) == server for verdict in _DMARC.findall(value)]


def _server(value: str) -> str:
    words = _uncommented(value).partition(";")[0].split()
    return words[0].lower() if words else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """One Authentication-Results header: who says it, and the domains whose DKIM signature passed.

    `agents`: of signatures whose domain it does not name, the domains they were made for (header.i, as Gmail writes
    it): the signing domain or one below it. `aligned`: the From domains for which DMARC passed.
    """

    server: str
    passed: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    aligned: tuple[str, ...] = ()


def read_results(value: str) -> Results | None:
    """Read the header strictly (RFC 8601): comments and quoted strings hold the sender's words and count for nothing.

    None when anything in it is not as it should be.
    """
    tokens = _tokens(value)
    if tokens is None:
        return None
    clauses: list[list[str]] = [[]]
    for word in tokens:
        if word == ";":
            clauses.append([])
        else:
            clauses[-1].append(word)
    head = clauses[0]
    if len(head) not in (1, 2) or "=" in head or (head[1:] and not head[1].isdigit()):
        return None
    return Results(
        server=head[0].lower(),
        passed=tuple(_passed(clauses[1:])),
        agents=tuple(_agents(clauses[1:])),
        aligned=tuple(_passed(clauses[1:], "dmarc", "header.from")),
    )


def _passed(clauses: Sequence[Sequence[str]], method: str = "dkim", names: str = "header.d") -> Iterator[str]:
    for pairs in _passes(clauses, method):
        if len(pairs.get(names, ())) == 1:
            yield pairs[names][0].lower()


def _agents(clauses: Sequence[Sequence[str]]) -> Iterator[str]:
    for pairs in _passes(clauses, "dkim"):
        if "header.d" not in pairs and len(pairs.get("header.i", ())) == 1:
            _, at, domain = pairs["header.i"][0].lower().rpartition("@")
            if at and _DOMAIN.fullmatch(domain):
                yield domain


def _passes(clauses: Sequence[Sequence[str]], method: str) -> Iterator[dict[str, list[str]]]:
    for clause in clauses:
        if [token.lower() for token in clause[:3]] == [method, "=", "pass"]:
            pairs = _pairs(clause[3:])
            if pairs is not None:
                yield pairs


def _pairs(tokens: Sequence[str]) -> dict[str, list[str]] | None:
    """`name = value` three by three; None when the tokens do not fall into such."""
    if len(tokens) % 3 or any(tokens[at] != "=" for at in range(1, len(tokens), 3)):
        return None
    pairs: dict[str, list[str]] = {}
    for at in range(0, len(tokens), 3):
        pairs.setdefault(tokens[at].lower(), []).append(tokens[at + 2])
    return pairs


def _tokens(value: str) -> list[str] | None:
    """Words, "=" and ";" of the header, comments left out; a quoted string is one word that equals nothing of ours."""
    if len(value) >= _LONGEST:
        return None  # it may be cut
    tokens, at, text = [], 0, value.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return None
        at = match.end()
        if match[4]:
            ended = _comment_end(text, at)
            if ended is None:
                return None
            at = ended
        else:
            tokens.append(f'"{match[1]}"' if match[1] is not None else match[2] or match[3])
    return tokens


def _comment_end(text: str, at: int) -> int | None:
    depth = 1
    while at < len(text):
        sign = text[at]
        depth += (sign == "(") - (sign == ")")
        at += 2 if sign == "\\" else 1
        if not depth:
            return at
    return None
