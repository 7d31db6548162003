"""A real DNS server on loopback with the records a test gives it."""

import contextlib
import socket
import threading
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset

from tests.patience import PATIENCE


class DnsServer:
    """Answers over UDP; `records`: (name with its final dot, type) -> values as in a zone file.

    `turns` come before the records: each answer is used once, so that a name can change its mind between two questions.
    """

    def __init__(self, records: dict[tuple[str, str], list[str]]) -> None:
        self.records = records
        self.turns: dict[tuple[str, str], list[list[str]]] = {}
        self.asked: list[tuple[str, str]] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, name="dns-server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendto(b"end", self._socket.getsockname())
        self._thread.join(PATIENCE)
        self._socket.close()

    def resolver(self) -> dns.resolver.Resolver:
        made = dns.resolver.Resolver(configure=False)
        made.nameservers = ["127.0.0.1"]
        made.port = self._socket.getsockname()[1]
        return made

    def _serve(self) -> None:
        while True:
            content, peer = self._socket.recvfrom(4096)
            if content == b"end":
                return
            with contextlib.suppress(Exception):
                self._socket.sendto(self._answer(dns.message.from_wire(content)).to_wire(), peer)

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        question = query.question[0]
        name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        turns = self.turns.get((name, kind))
        values = turns.pop(0) if turns else self.records.get((name, kind))
        if values:
            answer.answer.append(dns.rrset.from_text(name, 0 if turns is not None else 60, "IN", kind, *values))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer
