"""Mail servers in the settings: [imap] and [smtp], their ports and TLS made to fit, and the login at each."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from tools.mail.account import Account, Tls
from tools.mail.tls import is_loopback
from workers.settings.environ import variable_of
from workers.settings.values import Host, Port, Words, wrong
from workflows.errors import NeedsOwner


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ServerSection(Section):
    """What the sections [imap] and [smtp] share. `user` None: left out."""

    host: Host
    port: Port
    tls: Tls
    user: str | None = None
    password: SecretStr = SecretStr("")
    password_file: str = ""
    ca_file: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.tls == "none" and not is_loopback(self.host):
            raise wrong('"implicit" or "starttls": without TLS only a server on this machine may be used', "tls")
        return self


def _ports(value: object, implicit: int, starttls: int) -> object:
    """Fill in port from tls or tls from port, and refuse the pairs that cannot work."""
    if not isinstance(value, Mapping):
        return value
    usual = {implicit: "implicit", starttls: "starttls"}
    tls = value.get("tls") or usual.get(_as_number(value.get("port")), "implicit")
    port = value.get("port") or (starttls if tls == "starttls" else implicit)
    meant = usual.get(_as_number(port))
    if meant and tls in usual.values() and meant != tls:
        alternative = implicit if tls == "implicit" else starttls
        raise wrong(f'"{meant}" for port {port} (or port {alternative} for "{tls}")', "tls")
    return {**value, "tls": tls, "port": port}


def _as_number(value: object) -> int:
    try:
        return int(value)  # type: ignore[call-overload,no-any-return]
    except (TypeError, ValueError):
        return 0


class ImapSection(ServerSection):
    folders: Annotated[Words, Field(min_length=1)] = ("INBOX",)
    sent: str = ""

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, value: object) -> object:
        return _ports(value, implicit=993, starttls=143)


class SmtpSection(ServerSection):
    files_sent: Literal["auto", "yes", "no"] = "auto"

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, value: object) -> object:
        return _ports(value, implicit=465, starttls=587)


def account_at(server: ServerSection, section: str, user: str, password: str, home: Path) -> Account:
    if user and not password:
        raise NeedsOwner(
            f"No password is set for {user} at {server.host}.",
            f"Write it into a file and name it as {section}.password_file, or set {variable_of(section, 'password')}.",
        )
    ca_file = home / Path(server.ca_file).expanduser() if server.ca_file else None
    if ca_file and not ca_file.is_file():
        raise NeedsOwner(f"The certificate file {ca_file} does not exist.", f"Correct {section}.ca_file.")
    return Account(
        host=server.host,
        port=server.port,
        tls=server.tls,
        user=user,
        password=password if user else "",
        ca_file=ca_file,
    )
