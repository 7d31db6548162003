"""DKIM: the headers of a mail exactly as written, and which of its signatures hold, each key asked of DNS."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tools.mail.message.headers import read_block
from workflows.errors import Retryable
from workflows.rules.answers.second_proof import Signature, Signed

LARGEST = 2 * 1024 * 1024
"""Bytes of a mail whose signatures are verified: an answer is short."""
MOST = 5
"""Signatures looked at; a hostile mail may carry thousands, each with a question to DNS."""
PATIENCE = 5
"""Seconds for one question to DNS."""

Dns = Callable[[str], bytes | None]
"""The TXT record of a name, None when there is none; raises Retryable when DNS does not answer."""


@dataclass(frozen=True, slots=True)
class Signatures:
    """Reads what a mail says of its signatures. `authserv_id`: the server whose word counts; empty: we verify."""

    authserv_id: str
    dns: Dns

    async def read(self, raw: bytes) -> Signed:
        """What is known of the signatures of this mail.

        Raises:
            Retryable: DNS does not answer now.
        """
        headers = await asyncio.to_thread(lambda: read_block(raw[:LARGEST], 0, min(len(raw), LARGEST)).fields)
        if self.authserv_id:
            return Signed(headers=headers, authserv_id=self.authserv_id)
        verified = await asyncio.to_thread(lambda: tuple(verify(raw, self.dns)))
        return Signed(headers=headers, verified=verified)


def verify(raw: bytes, dns: Dns) -> Iterator[Signature]:
    """The tags of every signature that holds, among the first `MOST`; a mail that is too big has none."""
    import dkim

    if len(raw) > LARGEST:
        return

    def ask(name: bytes | str, timeout: int = PATIENCE) -> bytes | None:  # noqa: ARG001 - dkimpy gives it
        return dns(name.decode("ascii", "replace") if isinstance(name, bytes) else name)

    try:
        mail = dkim.DKIM(raw, timeout=PATIENCE)
        for index in range(MOST):
            if signature := _held(mail, index, ask):
                yield signature
    except (dkim.DKIMException, IndexError):
        return  # a header that is none: nothing of it is signed


def _held(mail: Any, index: int, ask: Callable[..., bytes | None]) -> Signature | None:
    try:
        if not mail.verify(index, dnsfunc=ask):
            return None
    except Retryable:
        raise
    except Exception:  # noqa: BLE001 - keys and signatures are strangers' words; what cannot be read proves nothing
        return None
    tags = mail.signature_fields
    return {name.decode().lower(): "".join(value.decode("ascii", "replace").split()) for name, value in tags.items()}


def resolve(name: str) -> bytes | None:
    """Ask the machine's DNS for a TXT record."""
    import dns.exception
    import dns.resolver

    try:
        answer = dns.resolver.resolve(name, "TXT", lifetime=PATIENCE)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return None
    except dns.exception.DNSException as error:
        raise Retryable(f"DNS does not answer for {name} ({type(error).__name__}); it is tried again.") from None
    records = [b"".join(record.strings) for record in answer]
    return records[0] if len(records) == 1 else None
