"""One login at one server, as the IMAP and SMTP sides need it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Tls = Literal["implicit", "starttls", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Host, port, how TLS starts, and who logs in. `none` is for loopback alone and refused elsewhere."""

    host: str
    port: int
    tls: Tls = "implicit"
    user: str = ""  # "": no login (loopback test servers)
    password: str = field(default="", repr=False)
    ca_file: Path | None = None  # an extra certificate authority
