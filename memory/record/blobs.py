"""Raw mail by content: one file per mail, named by the sha256 of its bytes, so that writing twice is writing once."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from workflows.errors import NeedsOwner


@dataclass(frozen=True, slots=True)
class Blobs:
    """The content-addressed folder under the home (`blobs/`, folders 0700, files 0600)."""

    folder: Path

    @staticmethod
    def address(content: bytes) -> str:
        """The address these bytes have: sha256, hex."""
        return hashlib.sha256(content).hexdigest()

    def put(self, content: bytes) -> str:
        """Keep the bytes and give their address (sha256, hex). Durable when it returns.

        Raises:
            NeedsOwner: the disk is full or not writable.
        """
        address = self.address(content)
        path = self._path(address)
        if path.exists():
            return address
        try:
            self._write(path, content)
        except OSError as error:
            raise NeedsOwner(
                f"The mail store {self.folder} cannot be written: {error.strerror}.",
                "Free some disk space or mend the folder's permissions; nothing is lost, the mail is read again.",
            ) from error
        return address

    def get(self, address: str) -> bytes:
        """The bytes kept under this address.

        Raises:
            KeyError: nothing is kept there.
        """
        try:
            return self._path(address).read_bytes()
        except FileNotFoundError:
            raise KeyError(address) from None

    def _path(self, address: str) -> Path:
        return self.folder / address[:2] / address

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
