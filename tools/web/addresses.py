"""Which addresses on the web may be fetched: how a URL is read, and which numbers are public.

Only one spelling of each thing is taken. What parsers disagree about (odd numbers, user names, back-slashes, zone ids)
is where attacks live, and no real page needs it.
"""

import re
import socket
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import quote

from workflows.errors import NeedsOwner, Permanent

PORTS: Final = frozenset({80, 443, 8080, 8443})

_URL = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.IGNORECASE | re.DOTALL)
_NETLOC = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[^:\[\]]{1,253})(?::([0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_LAST_LABEL = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_NEVER = re.compile(r"[\x00-\x20\x7f-\xa0\\\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_INNER = {"localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa", "onion"}
_LONGEST = 2048
_LAST_PORT = 65535

_UNICAST = IPv6Network("2000::/3")
_TRANSLATED = IPv6Network("64:ff9b::/96")
_NOT_FOR_US = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
"""Teredo and its like, documentation, 6to4: they carry another address inside, or lead nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL that was read: `host` in lower case and ASCII, without brackets; `path` with its query."""

    scheme: str
    host: str
    port: int
    path: str
    is_address: bool

    @property
    def netloc(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _default_port(self.scheme) else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.path}"

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def is_inner(self) -> bool:
        """Whether the name can only lead inside: one word, or an ending that the public DNS does not have."""
        *labels, last = self.host.split(".")
        return not self.is_address and (not labels or last in _INNER)


def target(url: str) -> Target:
    """Read a URL.

    Raises:
        Permanent: it is no plain http or https address, or is spelled in a way that only attacks need.
    """
    match = _URL.fullmatch(url) if len(url) <= _LONGEST and not _NEVER.search(url.partition("?")[0]) else None
    if match is None:
        raise _refused(url, "it is not a plain http or https address")
    scheme, netloc = match[1].lower(), match[2]
    if "@" in netloc:
        raise _refused(url, "it carries a user name")
    parts = _NETLOC.fullmatch(netloc)
    if parts is None or "%" in netloc:
        raise _refused(url, "its host is not spelled plainly")
    host, is_address = _host(url, parts[1])
    port = int(parts[2]) if parts[2] else _default_port(scheme)
    if not 0 < port <= _LAST_PORT:
        raise _refused(url, "there is no such port")
    path = quote(f"{match[3] or '/'}{match[4] or ''}", safe="/?:@!$&'()*+,;=-._~%[]|")
    return Target(scheme=scheme, host=host, port=port, path=path, is_address=is_address)


def permit_of(url: str, mend: str) -> frozenset[str]:
    """What the guarded client must be told to reach the owner's own server: this host and port, nothing else.

    Raises:
        NeedsOwner: the setting is no web address; `mend` says how to correct it.
    """
    try:
        place = target(url)
    except Permanent as error:
        raise NeedsOwner(str(error), mend) from error
    return frozenset({f"{place.host}:{place.port}"})


def reach_of(url: str) -> tuple[frozenset[str], frozenset[int]]:
    """What `Web` needs as `permit` and as a further port to reach an address that the owner set.

    A number or a name of a network's own is the owner's, wherever it leads. What a public name leads to is decided by
    whoever holds it, so its addresses are judged as everyone's.
    """
    try:
        place = target(url)
    except Permanent:
        return frozenset(), frozenset()
    is_inside = place.is_inner or (place.is_address and not is_public(place.host))
    return frozenset({f"{place.host}:{place.port}"} if is_inside else ()), frozenset({place.port})


def is_own(address: str) -> bool:
    """Whether the number is one of this machine's: what listens there may be meant for nobody outside."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def is_public(address: str) -> bool:
    """Whether the number is one that the whole internet routes; False for what cannot be read."""
    try:
        number = ip_address(address)
    except ValueError:
        return False
    if isinstance(number, IPv4Address):
        return _is_public_v4(number)
    if number in _TRANSLATED:  # what a network without IPv4 makes of it: the last 32 bits are what is reached
        return _is_public_v4(IPv4Address(int(number) & 0xFFFFFFFF))
    return (
        number.scope_id is None
        and number in _UNICAST
        and number.is_global
        and not any(number in network for network in _NOT_FOR_US)
    )


def _is_public_v4(address: IPv4Address) -> bool:
    relay = IPv4Address("192.88.99.0")
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and int(address) >> 8 != int(relay) >> 8
        and int(address) >> 8 != int(IPv4Address("192.0.0.0")) >> 8
    )


def _host(url: str, written: str) -> tuple[str, bool]:
    """The host, and whether it is a number."""
    if written.startswith("["):
        try:
            return str(IPv6Address(written[1:-1])), True
        except AddressValueError as error:
            raise _refused(url, "its number is not an address") from error
    host = _ascii(url, written)
    labels = host.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused(url, "its host is not spelled plainly")
    if _LAST_LABEL.fullmatch(labels[-1]):
        return host, False
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(host)), True
        except AddressValueError as error:
            raise _refused(url, "its number is not written as four plain decimals") from error
    raise _refused(url, "its host has no ending that the web knows")


def _ascii(url: str, written: str) -> str:
    if written.isascii():
        return written.lower()
    import idna

    try:
        return idna.encode(written, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise _refused(url, "its host is not a name") from error


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _refused(url: str, why: str) -> Permanent:
    excerpt = re.sub(r"[^\x21-\x7e]", "?", url)[:80]
    return Permanent(f"The address {excerpt} is refused: {why}.")
