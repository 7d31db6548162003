"""A mail that cannot be read is set aside with what its header says of itself, and told so."""

import asyncio
from pathlib import Path

from tests.ledgers import OWNER, House
from tools.mail.parser import OVERSIZE, Parser
from workers.rounds.upkeep import Upkeep
from workers.service.reception import Reception
from workflows.models.mail import RawMail

RAW = OVERSIZE + b"61000000\r\nFrom: Maria <maria@studio.example>\r\nSubject: The plans\x1b[2J\r\n\r\n...\r\n"


class Told:
    """The owner's side: keeps what is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def tell(self, key: str, subject: str, text: str, case: int = 0) -> None:
        self.texts.append(text)


async def test_what_is_set_aside_is_told_with_sender_and_subject(tmp_path: Path) -> None:
    house, parser, told = House(tmp_path / "home"), Parser(), Told()
    reception = Reception(
        ledger=house.ledger, blobs=house.blobs, parser=parser, takers={}, owner=OWNER, clock=house.clock,
        answering=None, upkeep_due=asyncio.Event(), news=asyncio.Event(), aftercare_due=asyncio.Event(),
    )  # fmt: skip
    await reception.take(RawMail(content=RAW, folder="INBOX", folder_kind="inbox", uid=7, uidvalidity=1))
    parser.close()
    (line,) = house.ledger.quarantined()
    assert (line.sender, line.subject) == ("maria@studio.example", "The plans[2J")
    (shown,) = house.ledger.skipped()
    assert shown.sender == "maria@studio.example"
    upkeep = Upkeep(ledger=house.ledger, outbox=None, desk=told, owner=OWNER, clock=house.clock, digest_at=())
    await upkeep._tell_set_aside()
    assert '(from maria@studio.example, "The plans[2J", by its own word)' in told.texts[0]
