"""The files of a client's mail in the brief: bounded, each read once, and told where one says nothing."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from memory.briefs.recall import Recall
from memory.index.keywords import Keywords
from memory.index.store import Store
from memory.model.embedding import HashingEmbedder
from memory.post.enclosed import MOST_IN_BRIEF, MOST_OF_ONE, Enclosures
from tests.ledgers import OWNER, House, mail
from tools.files.folders import OwnFiles
from workflows.errors import Permanent, Retryable
from workflows.models.mail import Attachment, Email


@dataclass
class Scripted:
    """Stands where the limited child does; `texts` by name, an error is raised."""

    texts: dict[str, str | Exception]
    asked: list[str] = field(default_factory=list)

    def text(self, raw: bytes, file: Attachment) -> str:
        assert raw == b"raw"
        self.asked.append(file.name)
        text = self.texts[file.name]
        if isinstance(text, BaseException):
            raise text
        return text


def file(name: str, size: int = 10) -> Attachment:
    return Attachment(name=name, size=size, sha256=hashlib.sha256(name.encode()).hexdigest())


def received(house: House, *names: str) -> Email:
    blob = house.blobs.put(b"raw")
    email = mail(attachments=tuple(file(name) for name in names))
    return Email(**{name: getattr(email, name) for name in Email.__slots__} | {"blob": blob})


def enclosures(house: House, reader: Scripted) -> Enclosures:
    return Enclosures(house.engine, house.clock, house.blobs, reader)


def test_a_file_is_a_source_of_its_own_and_is_read_once(tmp_path: Path) -> None:
    house, reader = House(tmp_path / "home"), Scripted({"brief.pdf": "The budget is\n4,200 EUR.", "logo.png": "no"})
    email = received(house, "brief.pdf", "logo.png")
    for _ in range(2):
        enclosed = enclosures(house, reader).of([email])
        assert [(source.id, source.kind, source.quote) for source in enclosed.sources] == [
            ("file:brief.pdf", "file", "The budget is\n4,200 EUR.")
        ]
        assert enclosed.omissions == ()
    assert reader.asked == ["brief.pdf"]


def test_what_says_nothing_is_told_in_one_sentence(tmp_path: Path) -> None:
    house = House(tmp_path / "home")
    reader = Scripted({"bomb.pdf": Permanent("it takes longer than 4 s to read."), "long.txt": "word " * 4_000})
    enclosed = enclosures(house, reader).of([received(house, "bomb.pdf", "long.txt")])
    assert enclosed.omissions == (
        f"Of long.txt only the first {MOST_OF_ONE:,} characters were read for this draft.",
        "bomb.pdf was not read: it takes longer than 4 s to read.",
    )


def test_many_long_files_share_the_room_of_a_brief(tmp_path: Path) -> None:
    house, names = House(tmp_path / "home"), [f"part {number}.txt" for number in range(12)]
    reader = Scripted(dict.fromkeys(names, "word " * 4_000))
    enclosed = enclosures(house, reader).of([received(house, *names)])
    assert sum(len(source.quote) for source in enclosed.sources) == MOST_IN_BRIEF
    assert len(reader.asked) == 8


@pytest.mark.parametrize("fault", [Retryable("no child"), KeyboardInterrupt()])
def test_what_is_no_fault_of_the_file_is_tried_again(tmp_path: Path, fault: BaseException) -> None:
    house, reader = House(tmp_path / "home"), Scripted({"brief.pdf": fault})
    email = received(house, "brief.pdf")
    with pytest.raises(type(fault)):
        enclosures(house, reader).of([email])
    reader.texts["brief.pdf"] = "Now it is read."
    assert enclosures(house, reader).of([email]).sources[0].quote == "Now it is read."


def test_a_file_that_ended_the_service_is_not_read_again(tmp_path: Path) -> None:
    house, reader = House(tmp_path / "home"), Scripted({"brief.pdf": "never"})
    email = received(house, "brief.pdf")
    first = enclosures(house, reader)
    first._begin(email, email.attachments[0])
    assert enclosures(house, reader).of([email]).omissions == ("brief.pdf was not read: reading it was broken off.",)
    assert reader.asked == []


def test_the_brief_holds_it_as_data_beside_what_memory_knows(tmp_path: Path) -> None:
    house, reader = House(tmp_path / "home"), Scripted({"brief.pdf": "The budget is 4,200 EUR."})
    email = received(house, "brief.pdf", "brief.zip")
    event = house.receive(email)
    keywords = Keywords(house.folder / "index.sqlite", house.ledger.home(), house.clock, print)
    store = Store(house.folder / "chroma", house.ledger, keywords, HashingEmbedder(), house.clock, print)
    recall = Recall(house.ledger, store, (), OWNER)
    recall.also_reads(enclosures(house, reader), OwnFiles((tmp_path / "files",), house.blobs))
    brief = house.ledger.stored_brief(recall.brief(house.ledger.case(event.case)))
    assert [source.quote for source in brief.sources if source.kind == "file"] == ["The budget is 4,200 EUR."]
    assert [attachment.name for attachment in brief.files] == ["brief.pdf", "brief.zip"]
    assert "4,200" not in brief.message
    store.close()
