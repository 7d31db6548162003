"""Keys: files under `keys/`, made once, readable by the owner alone. Destroying a case's key forgets its payloads.

`home.key` belongs to the home (nonces, payloads of no case); `case-<n>.key` to one case.
"""

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

from workflows.errors import NeedsOwner

SIZE = 32
"""Bytes of a key: AES-256 and HMAC-SHA256."""
HOME = "home"
_NAME = re.compile(r"home|case-[1-9][0-9]{0,17}")


def case_key_name(case: int) -> str:
    """The name of a case's key."""
    return f"case-{case}"


class Keys:
    """The key folder. Safe from any thread and process: whoever is first makes a key, the others read it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, bytes] = {}  # a key is asked for with every payload
        self.is_new = False  # the home's key was made by us, just now

    def home_key(self) -> bytes:
        """The home's own 32 bytes, made at the first call."""
        return self.key(HOME, make=True)

    def nonce_key(self) -> bytes:
        """The key of the approval nonces: derived, so that a leaked nonce key would open no payload."""
        return hmac.new(self.home_key(), b"deskhand approval nonce v1", hashlib.sha256).digest()

    def key(self, name: str, *, make: bool = False) -> bytes:
        """The 32 bytes under this name ("home", "case-41").

        Raises:
            KeyError: there is no such key (never made, or destroyed) and it was not asked to be made.
            NeedsOwner: the file is damaged, or cannot be read or written.
        """
        if name not in self._known:
            path = self._path(name)
            if make and not path.exists():
                self._make(path)
                self.is_new = self.is_new or name == HOME
            self._known[name] = self._read(path, name)
        return self._known[name]

    def has(self, name: str) -> bool:
        """Whether there is such a key."""
        return self._path(name).exists()

    def destroy(self, case: int) -> bool:
        """Destroy a case's key for good; False when there was none. What it encrypted can never be read again."""
        name = case_key_name(case)
        self._known.pop(name, None)
        path = self._path(name)
        try:
            with path.open("r+b") as file:  # overwritten first: an unlinked file's bytes may stay on the disk
                file.write(bytes(SIZE))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _unusable(path, error) from error
        self._sync_folder()
        return True

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise KeyError(name)  # a name may come from a payload; it must never be a path
        return self._folder / f"{name}.key"

    def _read(self, path: Path, name: str) -> bytes:
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            raise KeyError(name) from None
        except OSError as error:
            raise _unusable(path, error) from error
        if len(key) != SIZE:
            raise NeedsOwner(
                f"The key file {path} is damaged: {len(key)} bytes instead of {SIZE}.",
                "Put it back from a backup; without it, what it protects cannot be read.",
            )
        return key

    def _make(self, path: Path) -> None:
        """Write it whole beside its place, then link it there: it exists completely or not at all, and only once."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(path, error) from error
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(SIZE))
                file.flush()
                os.fsync(file.fileno())
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process was first; its key is the key
        except OSError as error:
            raise _unusable(path, error) from error
        finally:
            fresh.unlink(missing_ok=True)
        self._sync_folder()

    def _sync_folder(self) -> None:
        directory = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _unusable(path: Path, error: OSError) -> NeedsOwner:
    return NeedsOwner(
        f"The key file {path} cannot be used: {error.strerror}.", "Mend the permissions of the folder, or free space."
    )
