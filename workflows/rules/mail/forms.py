"""Mail that a web site writes when somebody fills in its form: who typed it, and what is not proven thereby.

The visitor is the client; the site only carried the words. It can vouch for nobody: whoever fills in a form may type
any address, so what comes by a form gains no trust and sees no memory.
"""

import re
from dataclasses import dataclass, replace
from functools import cache

from workflows.models.mail import Address, Email
from workflows.rules.mail.history import sort_lines
from workflows.rules.mail.subjects import is_forward_subject
from workflows.rules.text.addresses import is_no_reply, unsendable
from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import fold, phrases, table

_ADDRESS = re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
_LABEL = re.compile(r"^[\W_]{0,6}([^\W\d_][^:：=\n]{0,40}?)[*\s]{0,4}(?:[:：=]|\t|\s{2,}|$)(.*)$")  # noqa: RUF001
_READ = 20_000
_READ_PARTS = ("new", "head", "older", "answered")
_MOST_LINES = 300
_FEW = 2  # fields from which on a text is a form's
_LONGEST_NAME = 60
_OUR_HEADER = "x-deskhand-case"
_LISTS = ("list-id", "list-post", "x-mailman-version", "x-beenthere")


@dataclass(frozen=True, slots=True)
class _Fields:
    """What the text of a form says: its labels are counted, its address and name are read."""

    count: int
    email: str = ""
    name: str = ""


def as_written_by(email: Email, own: frozenset[str] = frozenset()) -> Email:
    """The same mail as its visitor's, when a web form brought it; `form` then names the address it really came from.

    Without an address in it, the sender stays and is named twice: nobody can be answered. `own`: the owner's addresses.
    """
    owner_addresses = own | {address.email.lower() for address in email.to if address.email}
    if email.form or not _may_be_form(email) or not _is_sites(email, owner_addresses):
        return email
    fields = _fields(email)
    visitor = _visitor(email, owner_addresses, fields)
    if not _is_form(email, owner_addresses, fields, visitor):
        return email
    sender = visitor or email.sender
    return replace(email, senders=(sender,), form=email.sender.email or "a web form")


def names_nobody(email: Email) -> bool:
    """A form's mail (as `as_written_by` gives it) in which no address stands."""
    return bool(email.form) and email.sender.email in (email.form, "")


# ---------------------------------------------------------------- is it one


def _may_be_form(email: Email) -> bool:
    """No answer, no list, no automatic answer, no mail of ours, and not what a site says of itself."""
    if email.parents or email.has_header(_OUR_HEADER) or any(email.has_header(name) for name in _LISTS):
        return False
    automatic = fold(email.header("auto-submitted")).startswith("auto-replied")
    if is_forward_subject(email.subject):
        return False  # somebody's mail sent on: what stands in it are its headers, and no fields
    return not automatic and not _pattern("not_forms").fullmatch(fold(email.subject[:300]))


def _is_sites(email: Email, mine: frozenset[str]) -> bool:
    """Whether a web site can have sent it, by its address alone."""
    local, domain = _parts(email.sender)
    by_service = _under(domain, tuple(table("forms")["services"]))
    return by_service or email.sender.email.lower() in mine or _is_technical(local)


def _is_form(email: Email, mine: frozenset[str], fields: _Fields, visitor: Address | None) -> bool:
    domain = _parts(email.sender)[1]
    if fields.email in mine and fields.count >= _FEW:
        return False  # a site confirms to the owner what they typed there themselves
    speaks_of_a_form = bool(_pattern("says").search(fold(f"{email.subject[:300]}\n{_frame(email)}")))
    framed = speaks_of_a_form or fields.count > _FEW
    if _under(domain, tuple(table("forms")["services"])):
        return speaks_of_a_form or (framed and visitor is not None)
    if email.sender.email.lower() in mine:
        typed = framed and fields.count >= _FEW and bool(fields.email)
        return visitor is not None and (_is_replied_to(email, visitor) or typed)
    hosts = tuple({owner_address.rpartition("@")[2] for owner_address in mine} - set(table("forms")["everybodys"]))
    if _under(domain, hosts):
        return framed or (visitor is not None and _is_replied_to(email, visitor))
    return framed and visitor is not None


def _is_replied_to(email: Email, visitor: Address) -> bool:
    return any(address.email.lower() == visitor.email.lower() for address in email.reply_to)


def _is_technical(local: str) -> bool:
    return local.split("+", 1)[0] in table("forms")["locals"] or is_no_reply(local)


def _frame(email: Email) -> str:
    """The first and last lines: what the site puts around the words of its visitor."""
    lines = [line for line in email.text[:_READ].split("\n") if line.strip()]
    return "\n".join([*lines[:3], *lines[-3:]])[:2000]


# ---------------------------------------------------------------- who typed it


def _visitor(email: Email, mine: frozenset[str], fields: _Fields) -> Address | None:
    """Reply-To first, then the field for it, then the only address of somebody else in the text."""
    site = email.sender.email.lower()
    strangers = [candidate for candidate in email.reply_to if _is_person(candidate.email, mine, site)]
    if strangers:
        name = strangers[0].name or fields.name
        return Address(email=strangers[0].email.lower(), name=one_line(name[:_LONGEST_NAME], _LONGEST_NAME))
    if fields.email and _is_person(fields.email, mine, site):
        return Address(email=fields.email, name=fields.name)
    addresses = {address.lower().strip("'.") for address in _ADDRESS.findall(email.text[:_READ])}
    people = [candidate for candidate in sorted(addresses) if _is_person(candidate, mine, site)]
    return Address(email=people[0], name=fields.name) if len(people) == 1 else None


def _is_person(address: str, mine: frozenset[str], site: str) -> bool:
    local, domain = address.lower().rpartition("@")[0], address.lower().rpartition("@")[2]
    if not local or address.lower() in mine or address.lower() == site or is_no_reply(local) or unsendable(address):
        return False
    services = tuple(table("forms")["services"])
    return not (_under(site.rpartition("@")[2], services) and domain == site.rpartition("@")[2])


def _fields(email: Email) -> _Fields:
    lines = [line for kind, line in sort_lines(email.text[:_READ]) if kind in _READ_PARTS][:_MOST_LINES]
    values: dict[str, str] = {}
    for line, after in zip(lines, [*lines[1:], ""], strict=False):
        match = _LABEL.match(line[:400])
        kind = _label(match[1]) if match else ""
        if match and kind and kind not in values:
            values[kind] = match[2].strip(" *_\t") or after.strip()[:200]
    address = _ADDRESS.search(values.get("email", ""))
    name = values.get("name", "")[:_LONGEST_NAME]
    name = "" if "@" in name else one_line(name, _LONGEST_NAME)
    if not address and (named := _ADDRESS.search(values.get("name", ""))):
        address = named
    return _Fields(len(values), address.group().lower().strip("'.") if address else "", name)


def _label(name: str) -> str:
    folded = fold(name).strip(" *_#>-•")
    for kind in ("email", "name"):
        if _pattern(kind).fullmatch(folded):
            return kind
    return next((label for label in table("forms")["others"] if re.fullmatch(label.replace("ß", "ss"), folded)), "")


def _parts(address: Address) -> tuple[str, str]:
    local, _, domain = address.email.lower().rpartition("@")
    return local, domain


def _under(domain: str, parents: tuple[str, ...]) -> bool:
    return any(domain == parent or domain.endswith(f".{parent}") for parent in parents if parent)


@cache
def _pattern(which: str) -> re.Pattern[str]:
    return phrases(table("forms")[which])
