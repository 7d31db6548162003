"""Where a mailbox's servers are: the table of providers, autoconfig over https, SRV records, the usual names.

Nothing here logs in or sends a password. Each way is tried only when the one before found nothing.
"""

import socket
import ssl
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import quote

from tools.mail.account import Tls
from workflows.errors import NeedsOwner

if TYPE_CHECKING:
    from dns.resolver import Resolver

TABLE = Path(__file__).with_name("providers.toml")
AUTOCONFIG = (
    "https://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={address}",
    "https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml",
    "https://autoconfig.thunderbird.net/v1.1/{domain}",
)
LARGEST_ANSWER = 64 * 1024
"""Bytes an autoconfig answer may have."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    host: str
    port: int
    tls: Tls = "implicit"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServers:
    """Both servers of a mailbox. `source` says how they were found, `note` what the owner must know first."""

    imap: Server
    smtp: Server
    user: str
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """Looks for servers; every place it asks can be given, the defaults are the real ones."""

    say: Say
    resolver: "Resolver | None" = None
    autoconfig: tuple[str, ...] = AUTOCONFIG
    tls: ssl.SSLContext | None = None
    timeout: float = 4.0
    ports: Mapping[str, tuple[tuple[int, Tls], ...]] = field(
        default_factory=lambda: {
            "imap": ((993, "implicit"), (143, "starttls")),
            "smtp": ((465, "implicit"), (587, "starttls")),
        }
    )

    def find(self, address: str) -> MailServers | None:
        """The servers of this mailbox, None when no way finds both.

        Raises:
            NeedsOwner: the provider takes no passwords, with what to do instead.
        """
        domain = address.rpartition("@")[2].lower()
        ways: tuple[tuple[str, Callable[[], MailServers | None]], ...] = (
            ("the table of providers", lambda: from_table(address)),
            ("the mail exchanger", lambda: self._from_exchanger(address, domain)),
            ("autoconfig", lambda: self._from_autoconfig(address, domain)),
            ("SRV records", lambda: self._from_srv(address, domain)),
            ("the usual host names", lambda: self._from_names(address, domain)),
        )
        for name, way in ways:
            self.say(f"Looking at {name} ...")
            servers = way()
            if servers:
                return servers
        return None

    def _from_exchanger(self, address: str, domain: str) -> MailServers | None:
        """A domain of one's own at a big provider shows in its MX records."""
        exchangers = sorted(self._records(domain, "MX"), key=lambda record: record.preference)
        for record in exchangers:
            host = str(record.exchange).rstrip(".").lower()
            for provider in _providers():
                if any(host == end or host.endswith(f".{end}") for end in provider.get("mx", ())):
                    return _described(provider, address, host)
        return None

    def _from_autoconfig(self, address: str, domain: str) -> MailServers | None:
        import httpx2

        verify: Any = True if self.tls is None else self.tls
        with httpx2.Client(timeout=self.timeout, follow_redirects=True, max_redirects=3, verify=verify) as client:
            for template in self.autoconfig:
                url = template.format(domain=domain, address=quote(address))
                try:
                    servers = parse_autoconfig(_fetch(client, url), address)
                except (httpx2.HTTPError, httpx2.InvalidURL, ValueError):
                    continue
                if servers:
                    return servers
        return None

    def _from_srv(self, address: str, domain: str) -> MailServers | None:
        """RFC 6186 and RFC 8314: the domain names its servers itself."""
        imap = self._service(domain, (("_imaps", "implicit"), ("_imap", "starttls")))
        smtp = self._service(domain, (("_submissions", "implicit"), ("_submission", "starttls")))
        if imap is None or smtp is None:
            return None
        return MailServers(imap=imap, smtp=smtp, user=address, source=f"the SRV records of {domain}")

    def _service(self, domain: str, names: Iterable[tuple[str, Tls]]) -> Server | None:
        for name, tls in names:
            records = sorted(self._records(f"{name}._tcp.{domain}", "SRV"), key=lambda one: (one.priority, -one.weight))
            for record in records:
                host = str(record.target).rstrip(".")
                if host:  # "." says: this service is not offered
                    return Server(host=host, port=record.port, tls=tls)
        return None

    def _records(self, name: str, kind: str) -> list[Any]:
        import dns.exception
        import dns.resolver

        try:
            resolver = self.resolver or dns.resolver.Resolver()
            return list(resolver.resolve(name, kind, lifetime=self.timeout))
        except (dns.exception.DNSException, OSError):
            return []

    def _from_names(self, address: str, domain: str) -> MailServers | None:
        imap = self._answering(("imap", "mail", ""), domain, "imap")
        smtp = imap and self._answering(("smtp", "mail", "imap", ""), domain, "smtp")
        if imap is None or smtp is None:
            return None
        return MailServers(imap=imap, smtp=smtp, user=address, source="the usual host names")

    def _answering(self, names: Iterable[str], domain: str, kind: Literal["imap", "smtp"]) -> Server | None:
        for name in names:
            host = f"{name}.{domain}" if name else domain
            for port, tls in self.ports[kind]:
                try:
                    socket.create_connection((host, port), timeout=self.timeout).close()
                except (OSError, UnicodeError):
                    continue
                return Server(host=host, port=port, tls=tls)
        return None


# ---------------------------------------------------------------- the table


def from_table(address: str) -> MailServers | None:
    """The servers when the address belongs to a known provider.

    Raises:
        NeedsOwner: the provider takes no passwords, with what to do instead.
    """
    domain = address.rpartition("@")[2].lower()
    provider = next((entry for entry in _providers() if domain in entry["domains"]), None)
    return _described(provider, address, "") if provider else None


def _providers() -> list[dict[str, Any]]:
    return list(tomllib.loads(TABLE.read_text("utf-8")).values())


def _described(provider: Mapping[str, Any], address: str, exchanger: str) -> MailServers:
    if "refused" in provider:
        raise NeedsOwner(
            f"{provider['name']}: {provider['refused']}",
            "If your account is an exception, give imap.host and smtp.host yourself (init --answers FILE).",
        )
    # Some hosts give each customer a server of its own; it is the one that takes the mail in.
    host = exchanger if provider.get("same_as_mx") else ""
    user = address if provider.get("user", "address") == "address" else address.partition("@")[0]
    return MailServers(
        imap=_server(f"{host}:993" if host else provider["imap"], provider.get("imap_tls", "implicit")),
        smtp=_server(f"{host}:465" if host else provider["smtp"], provider.get("smtp_tls", "implicit")),
        user=user,
        source=f"the table of providers ({provider['name']})",
        note=provider.get("note", ""),
    )


def _server(text: str, tls: str) -> Server:
    host, _, port = text.rpartition(":")
    return Server(host=host, port=int(port), tls=cast("Tls", tls))


# ---------------------------------------------------------------- autoconfig


def _fetch(client: Any, url: str) -> bytes:
    """The answer's bytes; ValueError when it is no success, too large, or came over anything but https."""
    with client.stream("GET", url) as answer:
        if answer.status_code != 200 or answer.url.scheme != "https":  # noqa: PLR2004
            raise ValueError(url)
        content = b""
        for part in answer.iter_bytes():
            content += part
            if len(content) > LARGEST_ANSWER:
                raise ValueError(url)
    return content


def parse_autoconfig(content: bytes, address: str) -> MailServers | None:
    """The first encrypted IMAP and SMTP server of a Mozilla autoconfig document; ValueError when it is none."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise ValueError("entities are not expanded")
    try:
        provider = ET.fromstring(content).find("emailProvider")  # noqa: S314 - no entities, small
    except ET.ParseError as error:
        raise ValueError(str(error)) from error
    if provider is None:
        return None
    imap = _first(provider.findall("incomingServer"), "imap", address)
    smtp = _first(provider.findall("outgoingServer"), "smtp", address)
    if imap is None or smtp is None:
        return None
    return MailServers(imap=imap[0], smtp=smtp[0], user=imap[1], source="autoconfig")


def _first(servers: Iterable[ET.Element], kind: str, address: str) -> tuple[Server, str] | None:
    encrypted: dict[str, Tls] = {"SSL": "implicit", "STARTTLS": "starttls"}
    for server in servers:
        tls = encrypted.get((server.findtext("socketType") or "").strip().upper())
        host, port = (server.findtext("hostname") or "").strip(), (server.findtext("port") or "").strip()
        if server.get("type") == kind and tls and host and port.isdecimal():
            user = (server.findtext("username") or "%EMAILADDRESS%").strip()
            filled = Server(host=_filled(host, address), port=int(port), tls=tls)
            return filled, _filled(user, address)
    return None


def _filled(text: str, address: str) -> str:
    local, _, domain = address.partition("@")
    for name, value in (("EMAILADDRESS", address), ("EMAILLOCALPART", local), ("EMAILDOMAIN", domain)):
        text = text.replace(f"%{name}%", value)
    return text
