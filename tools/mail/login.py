"""Logging in at an IMAP server, and what its no means: a wrong password is the owner's to mend, a busy server is not.

The password is in no message, in no form: imaplib2's own errors quote the command line, so what is shown is made of
the server's answer alone, and of nothing at all when the server repeats what it was sent.
"""

import base64
import re
from typing import TYPE_CHECKING, Final

from tools.mail.account import Account
from workflows.errors import NeedsOwner, Retryable

if TYPE_CHECKING:
    from tools.mail.imap import Connection

BUSY: Final = frozenset(
    {"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "OVERQUOTA", "CONTACTADMIN", "THROTTLED", "TRYAGAIN", "CORRUPTION"}
)
"""Response codes (RFC 5530 and Gmail's) that say nothing of who logs in: the same words help later."""
_REFUSED: Final = frozenset({"AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED", "PRIVACYREQUIRED", "NOPERM"})
_CODE = re.compile(r"\[([A-Za-z][A-Za-z0-9-]{2,40})(?: [^\]]{0,200})?\]")
_BUSY_WORDS = re.compile(
    r"too many|too much|temporar|try(?:ing)? (?:it )?(?:again|later)|retry|later\b|throttl|back-?off|rate[- ]?limit"
    r"|limits? (?:is |was |has been )?(?:exceeded|reached)|exceed(?:s|ed|ing)?\b|maximum (?:number|of)|unavailable"
    r"|not available|over ?quota|overload|busy|maintenance|time[d -]?out|internal (?:server )?error|server error"
    r"|system error|backend|proxy|not connected|connections? (?:limit|refused|failed)|in use|locked by|queue full"
    r"|service (?:down|error)|database|out of (?:memory|resources)",
    re.IGNORECASE,
)
_PASSWORD_WORDS = re.compile(
    r"(?:password|passwd|credentials?|user ?name)\W+(?:\w+\W+){0,3}(?:incorrect|invalid|wrong|bad|mismatch|error)"
    r"|(?:incorrect|invalid|wrong|bad) (?:\w+ ){0,3}(?:password|passwd|credentials?|user ?name)",
    re.IGNORECASE,
)
_LEAST_SHOWN: Final = 4
"""So many characters of a password in a row are part of it."""
_ONE_LITERAL = re.compile(r"[\x20-\x7e]*")


# ---------------------------------------------------------------- saying who we are


def log_in(connection: "Connection", account: Account) -> None:
    """Send user and password in whatever way the server allows and that carries their letters."""
    capabilities = connection.capabilities
    is_plain = _ONE_LITERAL.fullmatch(account.user + account.password) is not None
    if "LOGINDISABLED" in capabilities and "AUTH=PLAIN" not in capabilities:
        raise connection.error("neither LOGIN nor AUTH=PLAIN is offered: basic authentication is disabled")
    if is_plain and "LOGINDISABLED" not in capabilities:
        connection.login(connection.quoted(account.user), account.password)
    elif "AUTH=PLAIN" in capabilities:
        secret = f"\0{account.user}\0{account.password}".encode()
        connection.authenticate("PLAIN", lambda _challenge: secret)
    else:
        connection.login_by_literals(account.user.encode(), account.password.encode())


# ---------------------------------------------------------------- what a no means


def refusal(account: Account, said: str) -> Exception:
    """The error for a login that was refused with these words of the server's."""
    host, words = account.host, shown(account, said)
    if is_busy(said):
        return Retryable(f"{host} cannot check the password just now: {words}")
    lowered = said.lower()
    if re.search(r"basic ?auth\w* (is )?(disabled|blocked)|basicauthblocked|authenticationdisabled", lowered):
        return NeedsOwner(
            f"{host} no longer takes passwords (basic authentication is disabled).",
            "Microsoft mailboxes: have the mail forwarded to a mailbox that takes an app password.",
        )
    if re.search(r"application-specific password|app password|web login required|weblogin", lowered):
        return NeedsOwner(
            f"{host} wants an app password for {account.user}, not the account's own.",
            "Make one in the account's security settings (two-step verification must be on) and set imap.password.",
        )
    return NeedsOwner(
        f"{host} refused the password of {account.user}: {words}",
        "Check imap.user and imap.password; many providers want an app password.",
    )


def is_busy(said: str) -> bool:
    """Whether the server says that it cannot now. Its code decides; without one that is known, its words."""
    codes = codes_in(said)
    if codes & _REFUSED:
        return False
    if codes & BUSY:
        return True
    return _BUSY_WORDS.search(said) is not None and _PASSWORD_WORDS.search(said) is None


def codes_in(said: str) -> frozenset[str]:
    """The response codes in a server's answer, in capitals."""
    return frozenset(code.upper() for code in _CODE.findall(said[:1_000]))


def shown(account: Account, said: str) -> str:
    """The server's words as they may be shown: short, and none of them when they hold a piece of the password."""
    if _holds_secret(account, said):
        codes = " ".join(f"[{code}]" for code in sorted(codes_in(said) & (BUSY | _REFUSED)))
        return f"{codes} (its words are left out: they repeat what it was sent)".lstrip()
    return " ".join(said.split())[:200].rstrip(".")


def _holds_secret(account: Account, said: str) -> bool:
    if not account.password:
        return False
    lowered = said.lower()
    return any(piece in lowered for form in _forms(account) for piece in _pieces(form))


def _forms(account: Account) -> list[str]:
    """The password as any part between here and there may write it."""
    password = account.password
    escaped = password.replace("\\", "\\\\").replace('"', '\\"')
    forms = [password, escaped, repr(password)[1:-1], repr(escaped)[1:-1]]
    forms += [ascii(form)[1:-1] for form in (password, escaped)]
    forms += [repr(password.encode())[2:-1], repr(escaped.encode())[2:-1], password.encode().hex()]
    login = f"\0{account.user}\0{password}".encode()
    # Base64 shifts with what stands before: the password's own part of a longer text has one of three forms.
    ends = [base64.b64encode(b"\0" * shift + password.encode()).decode()[4 if shift else 0 :] for shift in range(3)]
    return [*forms, *(end.rstrip("=") for end in ends), base64.b64encode(login).decode()]


def _pieces(form: str) -> set[str]:
    lowered = form.lower()
    return {lowered[at : at + _LEAST_SHOWN] for at in range(max(1, len(lowered) - _LEAST_SHOWN + 1))} - {""}


def words_of(error: BaseException) -> str:
    """What the server said; imaplib2 raises with its bytes."""
    reply = error.args[0] if error.args else ""
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)
