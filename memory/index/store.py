"""Client history in Chroma: ids and vectors, nothing else. A derived index, and one process writes it.

The ledger is the record. This folder may be deleted, damaged or swapped at any time: it is moved aside, said so, and
rebuilt. Chroma is asked only by id, for the ids that the ledger gives for one client.
"""

import json
import math
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from memory.index import segments
from memory.index.aside import move_aside, not_damage
from memory.index.keywords import Keywords
from memory.ledger import Ledger
from memory.model.embedding import Embedder, EmbeddingFailed
from memory.record.documents import Document, Index
from workflows.errors import DeskhandError, NeedsOwner
from workflows.ports import Clock

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Result = TypeVar("Result")
Vectors = dict[str, "NDArray[np.float32]"]

FORMAT = 1
"""Raised when chunks or ids change; a folder of another format is rebuilt."""
COLLECTION = "history"
CHUNK = 800
"""Characters of one chunk: a few paragraphs, so that a vector is about one thing."""
MOST_CHUNKS = 64
_BATCH = 64
_TRIES_TO_OPEN = 2
_NORM_SLACK = 0.01


class Damaged(Exception):
    """The folder cannot be used as it is."""


class Store:
    """The vectors of every document, kept in step with the ledger. Any thread may call; one process owns the folder."""

    def __init__(  # noqa: PLR0913, PLR0917 (its six neighbours)
        self,
        folder: Path,
        ledger: Ledger,
        keywords: Keywords,
        embedder: Embedder,
        clock: Clock,
        say: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._ledger = ledger
        self._keywords = keywords
        self._embedder = embedder
        self._clock = clock
        self._say = say
        self._lock = threading.RLock()
        self._client: Any = None
        self._collection: Any = None
        self._home = ""
        self._stamp: segments.Stamp | None = None  # of the native files when last noted
        self._mute = False  # the embedding endpoint is away, and that was said

    # ------------------------------------------------------------ what the rest asks for

    @property
    def degraded(self) -> bool:
        """Whether the last call of the embedding endpoint failed: memory is searched by keywords alone."""
        return self._mute

    def catch_up(self) -> int:
        """Index every document that an index does not have yet; how many there were."""
        with self._lock:
            self._open()
            return max(self._index_keywords(), self._index_vectors())

    def rebuild(self) -> int:
        """Throw both indexes away and make them again from the ledger; how many documents there are."""
        with self._lock:
            self._replace("a rebuild was asked for")
            self._keywords.reset("a rebuild was asked for")
            self._ledger.unmark_indexed(Index.KEYWORDS)
            return self.catch_up()

    def vectors(self, documents: Sequence[Document]) -> Vectors:
        """The chunk vectors of these documents, by document id, shape (chunks, dimensions).

        What is missing or spoilt is made again on the way. A document is left out while the endpoint is away.
        """
        with self._lock:
            self._open()
            vectors = self._guarded(lambda: self._read(documents))
            lost = [document for document in documents if document.id not in vectors]
            if lost:
                vectors |= self._heal(lost)
            return vectors

    def keyword_hits(self, client: str, text: str, limit: int) -> tuple[str, ...]:
        """The ids of this client's documents that share words with `text`, best first."""
        with self._lock:
            self._open()
            try:
                return self._keywords.search(client, text, limit)
            except sqlite3.DatabaseError as error:
                self._renew_keywords(error)
                return self._keywords.search(client, text, limit)

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors for the texts, or none at all while the endpoint is away (said once)."""
        try:
            vectors = self._embedder.embed(texts)
        except EmbeddingFailed as error:
            if not self._mute:
                self._say(str(error))
            self._mute = True
            return []
        if self._mute:
            self._say("The embedding endpoint answers again.")
        self._mute = False
        return vectors

    @property
    def floor(self) -> float:
        """The cosine below which two texts have nothing to do with each other."""
        return self._embedder.floor

    def count(self) -> int:
        """How many vectors the store holds."""
        with self._lock:
            self._open()
            return int(self._guarded(lambda: self._collection.count()))  # noqa: PLW0108 (the collection may be replaced)

    def close(self) -> None:
        with self._lock:
            self._keywords.close()
            with suppress(OSError):  # a note that is missing costs a rebuild at the next start, nothing else
                self._note_files()
            self._shut()

    # ------------------------------------------------------------ indexing

    def _index_keywords(self) -> int:
        count = 0
        while batch := self._ledger.unindexed(Index.KEYWORDS, _BATCH):
            try:
                self._keywords.add(batch)
            except sqlite3.DatabaseError as error:
                self._renew_keywords(error, refill=False)
                continue
            self._ledger.mark_indexed(Index.KEYWORDS, [document.id for document in batch])
            count += len(batch)
        return count

    def _renew_keywords(self, error: sqlite3.DatabaseError, *, refill: bool = True) -> None:
        if fault := not_damage(self._keywords.path, str(error)):
            raise fault from error
        self._keywords.reset(str(error))
        self._ledger.unmark_indexed(Index.KEYWORDS)
        if refill:
            self._index_keywords()

    def _index_vectors(self) -> int:
        count = 0
        while batch := self._ledger.unindexed(Index.VECTORS, _BATCH):
            if not self._add(batch):
                break
            self._ledger.mark_indexed(Index.VECTORS, [document.id for document in batch])
            count += len(batch)
        return count

    def _note_files(self) -> None:
        """After every call of Chroma, which may write on reading too; checksums are taken only when a file changed."""
        if self._collection is None or not self._folder.is_dir():
            return
        stamp = segments.stamp(self._folder)
        if stamp != self._stamp:
            segments.note(self._folder)
            self._stamp = stamp

    def _add(self, documents: Sequence[Document]) -> bool:
        """Embed and store; False while the endpoint is away."""
        pieces = [(f"{document.id}#{n}", piece) for document in documents for n, piece in enumerate(chunks(document))]
        vectors = self.embed([piece for _, piece in pieces])
        if not vectors:
            return False
        self._fit(len(vectors[0]))
        ids = [name for name, _ in pieces]
        self._guarded(lambda: self._collection.upsert(ids=ids, embeddings=vectors))
        return True

    def _heal(self, documents: Sequence[Document]) -> Vectors:
        for start in range(0, len(documents), _BATCH):
            if not self._add(documents[start : start + _BATCH]):
                return {}
        return self._guarded(lambda: self._read(documents))

    def _fit(self, dimensions: int) -> None:
        """A model that changed its vectors' length under the same name cannot be mixed with what is there."""
        marker = self._marker()
        if marker.get("dimensions") in (None, dimensions):
            if "dimensions" not in marker:
                self._write_marker(dimensions)
            return
        self._replace(f"the vectors now have {dimensions} dimensions")
        self._write_marker(dimensions)

    # ------------------------------------------------------------ reading

    def _read(self, documents: Sequence[Document]) -> Vectors:
        import numpy as np

        names = {document.id: [f"{document.id}#{n}" for n in range(len(chunks(document)))] for document in documents}
        chunk_names = [name for group in names.values() for name in group]
        if not chunk_names:
            return {}
        answer = self._collection.get(ids=chunk_names, include=["embeddings"])
        rows = np.asarray(answer["embeddings"], dtype=np.float32)
        by_name = dict(zip(answer["ids"], rows, strict=True)) if len(answer["ids"]) else {}
        sound = {name: row for name, row in by_name.items() if _is_unit(row)}
        return {
            document: np.stack([sound[name] for name in group])
            for document, group in names.items()
            if all(name in sound for name in group)
        }

    # ------------------------------------------------------------ opening, and what may be wrong

    def _open(self) -> None:
        if self._collection is not None:
            return
        self._home = self._home or self._ledger.home()
        self._open_keywords()
        try:
            self._open_folder()
        except DeskhandError:
            raise
        except BaseException as error:  # noqa: BLE001 (raised again unless it is damage)
            self._refuse_what_is_no_damage(error)
            self._replace(_said(error))

    def _open_keywords(self) -> None:
        condition = self._keywords.open()
        if condition != "kept" and self._ledger.unmark_indexed(Index.KEYWORDS) and condition == "missing":
            self._say("The keyword index is missing; it is rebuilt from the ledger.")

    def _open_folder(self) -> None:
        if not self._folder.exists() and not self._folder.is_symlink():
            if self._ledger.unmark_indexed(Index.VECTORS):
                self._say("The vector store is missing; it is rebuilt from the ledger.")
            self._begin()
            return
        self._check_folder()
        self._connect()
        self._guard_opening(0)
        self._note_files()

    def _check_folder(self) -> None:
        """What can be checked before Chroma's own code touches the files."""
        if not self._folder.is_dir():
            raise Damaged("it is not a folder")
        marker = self._marker()
        if not marker:
            raise Damaged("its description is missing or unreadable")
        if marker.get("home") != self._home:
            raise Damaged("it belongs to another home")
        if marker.get("format") != FORMAT or marker.get("embedder") != self._embedder.name:
            raise Damaged("it was made by another model or version")
        _check_database(self._folder / "chroma.sqlite3")
        if not segments.as_we_left_them(self._folder):
            raise Damaged("its vector files are not as they were left")
        tries = self._tries_to_open()
        if tries >= _TRIES_TO_OPEN:
            raise Damaged(f"opening it has ended the process {tries} times")
        self._guard_opening(tries + 1)

    def _begin(self) -> None:
        """A new, empty folder."""
        try:
            self._folder.mkdir(mode=0o700, parents=True)
            self._write_marker(None)
        except OSError as error:
            raise _cannot_make(self._folder, str(error.strerror)) from error
        self._connect()
        self._guard_opening(0)
        self._note_files()

    def _connect(self) -> None:
        import chromadb
        from chromadb.config import Settings

        settings = Settings(anonymized_telemetry=False, is_persistent=True)
        self._client = chromadb.PersistentClient(path=str(self._folder), settings=settings)
        self._collection = self._client.get_or_create_collection(
            COLLECTION, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )
        count = self._collection.count()
        if count:
            self._collection.get(limit=1, include=["embeddings"])
        elif self._ledger.unmark_indexed(Index.VECTORS):
            self._say("The vector store was empty; it is rebuilt from the ledger.")

    def _guarded(self, work: Callable[[], Result]) -> Result:
        """Do it; when the folder turns out to be damaged, replace it, rebuild, and do it once more."""
        try:
            result = work()
        except DeskhandError:
            raise
        except BaseException as error:  # noqa: BLE001 (raised again unless it is damage)
            self._refuse_what_is_no_damage(error)
            self._replace(_said(error))
            self._index_vectors()
            result = work()
        self._note_files()
        return result

    def _replace(self, why: str) -> None:
        """Move the folder aside, say so, and begin an empty one; the ledger's documents count as not indexed."""
        self._shut()
        if self._folder.exists() or self._folder.is_symlink():
            moved = move_aside(self._folder, self._clock.now())
            self._say(f"The vector store was unusable ({why}); it was moved to {moved.name} and is rebuilt.")
        self._ledger.unmark_indexed(Index.VECTORS)
        try:
            self._begin()
        except DeskhandError:
            raise
        except BaseException as error:
            self._refuse_what_is_no_damage(error)
            raise _cannot_make(self._folder, _said(error)) from error

    def _refuse_what_is_no_damage(self, error: BaseException) -> None:
        """An index is never thrown away because it was busy, the disk full, or the process told to stop."""
        if not _is_damage(error):
            raise error
        if fault := not_damage(self._folder, str(error)):
            raise fault from error

    def _shut(self) -> None:
        client, self._client, self._collection, self._stamp = self._client, None, None, None
        if client is not None:
            with suppress(Exception):
                client.close()

    # ------------------------------------------------------------ small files beside the vectors

    def _marker(self) -> dict[str, Any]:
        try:
            marker = json.loads((self._folder / "deskhand.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return marker if isinstance(marker, dict) else {}

    def _write_marker(self, dimensions: int | None) -> None:
        marker: dict[str, Any] = {"home": self._home, "format": FORMAT, "embedder": self._embedder.name}
        if dimensions is not None:
            marker["dimensions"] = dimensions
        path = self._folder / "deskhand.json"
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(marker), encoding="utf-8")
        fresh.replace(path)

    @property
    def _opening(self) -> Path:
        return self._folder.with_name(f"{self._folder.name}.opening")

    def _tries_to_open(self) -> int:
        try:
            return int(self._opening.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return 0

    def _guard_opening(self, tries: int) -> None:
        """Native code may end the process on a damaged file: a count that survives it breaks the circle."""
        if tries == 0:
            self._opening.unlink(missing_ok=True)
        else:
            self._opening.write_text(str(tries), encoding="utf-8")


def chunks(document: Document) -> list[str]:
    """The text in pieces of at most `CHUNK` characters, cut between paragraphs, lines, then words; never empty."""
    pieces: list[str] = []
    current = ""
    for part in _parts(document.text):
        if current and len(current) + len(part) + 1 > CHUNK:
            pieces.append(current)
            current = ""
        current = f"{current}\n{part}" if current else part
    pieces.append(current)
    pieces = pieces[:MOST_CHUNKS]
    return [f"{document.subject}\n{pieces[0]}", *pieces[1:]]


def _parts(text: str) -> Iterable[str]:
    for line in text.split("\n"):
        remainder = line.strip()
        while len(remainder) > CHUNK:
            cut = remainder.rfind(" ", CHUNK // 2, CHUNK)
            cut = cut if cut > 0 else CHUNK
            yield remainder[:cut]
            remainder = remainder[cut:].strip()
        if remainder:
            yield remainder


def _is_unit(row: "NDArray[np.float32]") -> bool:
    """Our vectors all have length one: what does not was spoilt on the disk."""
    length = math.sqrt(float((row.astype("float64") ** 2).sum()))
    return math.isfinite(length) and abs(length - 1.0) < _NORM_SLACK


def _is_damage(error: BaseException) -> bool:
    """Chroma's errors, the database's, and a panic of its native code, which is no Exception at all."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def _said(error: BaseException) -> str:
    """The first line, short: Chroma quotes whole statements."""
    words = str(error).strip().splitlines()
    return (words[0] if words else type(error).__name__)[:120]


def _check_database(path: Path) -> None:
    if not path.is_file():
        raise Damaged("its database file is missing")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise Damaged(str(error)) from error
    if verdict != "ok":
        raise Damaged("its database file fails the check")


def _cannot_make(folder: Path, why: str) -> NeedsOwner:
    return NeedsOwner(
        f"The vector store {folder} cannot be made: {why}.",
        "Free some disk space or mend the permissions of the home folder.",
    )
