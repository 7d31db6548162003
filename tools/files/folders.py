"""The owner's files that may go with a mail: those in the home's folder `files` and in the folders of the settings.

A file is taken by its name from this listing and by no path, and copied into the blobs when it is proposed: the bytes
that were approved are the bytes that leave, whatever becomes of the file.
"""

import hashlib
import mimetypes
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from memory.record.blobs import Blobs
from workflows.errors import Permanent
from workflows.models.drafts import Offer
from workflows.models.mail import Attachment
from workflows.rules.files.asked_files import asked_files, meant_by
from workflows.rules.files.carried import MOST_BYTES, RULE, too_large
from workflows.rules.text.canonical import one_line

_MOST_LISTED = 2_000
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class OwnFiles:
    """Implements `workflows.ports.Filing`. `folders`: the first one that has a name wins."""

    folders: tuple[Path, ...]
    blobs: Blobs

    def names(self) -> tuple[str, ...]:
        """The names of all files, those of the first folder first."""
        return tuple(self._paths())

    def file_candidates(self, question: str) -> tuple[str, ...]:
        """The files that this text asks for, best first."""
        return asked_files(question, self.names()).names

    def meant_by(self, words: str) -> tuple[str, ...]:
        """The files that these few words of the owner's mean."""
        return meant_by(words, self.names())

    def take(self, name: str) -> Attachment:
        """The file as it is now, kept in the blobs.

        Raises:
            Permanent: there is none of that name, it cannot be read, or it is too large; one plain sentence.
        """
        path = self._paths().get(name)
        if path is None:
            raise Permanent(f"There is no file {one_line(name, 80)} in {self._where()}.")
        content = _read(path)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return Attachment(
            name=one_line(name, 200), size=len(content), sha256=self.blobs.put(content), content_type=kind,
            origin=str(path),
        )  # fmt: skip

    def offer(self, message: str, language: str = "") -> Offer:
        """The files that a client's words ask for, taken, and what the owner should know of the others."""
        asked = asked_files(message, self.names(), language)
        files: list[Attachment] = []
        remarks = [
            f'They may mean one of {", ".join(group)}; none is attached. "attach {group[0]}" attaches one.'
            for group in asked.unsure
        ]
        for name in asked.names:
            try:
                file = self.take(name)
            except Permanent as error:
                remarks.append(f"{error} It is not attached.")
                continue
            if problem := too_large((*files, file)):
                remarks.append(f"{one_line(name, 80)} is not attached: {problem}")
            else:
                files.append(file)
        return Offer(files=tuple(files), remarks=tuple(remarks))

    def changed(self, files: Iterable[Attachment]) -> str:
        """What became of the owner's own file since it was taken, in one sentence; "" when all are as they were."""
        for file in files:
            if not file.origin:  # it came with an answer: only its copy is there
                continue
            path = Path(file.origin)
            try:
                content = path.read_bytes() if path.stat().st_size == file.size else b""
            except OSError:
                return f"{file.name} is no longer where it was when you approved it ({path})."
            if hashlib.sha256(content).hexdigest() != file.sha256:
                return f"{file.name} was changed after you approved it ({path})."
        return ""

    def _where(self) -> str:
        return " or ".join(str(folder) for folder in self.folders)

    def _paths(self) -> dict[str, Path]:
        paths: dict[str, Path] = {}
        for folder in self.folders:
            for path in _files_in(folder):
                if len(paths) >= _MOST_LISTED:
                    return paths
                paths.setdefault(path.name, path)
        return paths


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Permanent(f"{path.name} has {path.stat().st_size / 1e6:.1f} MB, and {RULE}")
        return path.read_bytes()
    except OSError as error:
        raise Permanent(f"{path.name} cannot be read: {error.strerror}.") from error


def _files_in(folder: Path) -> Iterator[Path]:
    """The regular files below a folder, no hidden ones, no links to elsewhere."""
    for where, folders, names in os.walk(folder):
        depth = len(Path(where).relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if depth < _DEEPEST else []
        for name in sorted(names):
            path = Path(where, name)
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path
