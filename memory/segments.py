"""Chroma's native files: known by checksum, and opened by a child process first when they are not as we left them.

A damaged vector file ends the process that opens it (a segmentation fault, [measured] with one flipped byte in
`header.bin`), and no code of ours could catch that. The child may die in our place.
"""

import json
import subprocess
import sys
import zlib
from pathlib import Path

LIST = "files.json"
_PATIENCE = 60.0
_PIECE = 1 << 20

_PROBE = """
import sys
import chromadb
from chromadb.config import Settings
settings = Settings(anonymized_telemetry=False, is_persistent=True)
client = chromadb.PersistentClient(path=sys.argv[1], settings=settings)
collection = client.get_collection(sys.argv[2], embedding_function=None)
for start in range(0, collection.count(), 500):
    collection.get(limit=500, offset=start, include=["embeddings"])
client.close()
"""

Files = dict[str, list[int]]


def as_we_left_them(folder: Path) -> bool:
    """Whether every native file has the checksum noted when we last wrote."""
    try:
        noted = json.loads((folder / LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(noted == _checksums(folder))


def note(folder: Path) -> None:
    """Note the checksums of the native files as they are now."""
    fresh = folder / f"{LIST}.new"
    fresh.write_text(json.dumps(_checksums(folder)), encoding="utf-8")
    fresh.replace(folder / LIST)


def stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of each native file: cheap to compare, changes when Chroma writes."""
    stats = [(path, path.stat()) for path in _files(folder)]
    return tuple((path.name, stat.st_size, stat.st_mtime_ns) for path, stat in stats)


def survives_opening(folder: Path, collection: str) -> bool:
    """Open and read it all in a child process (about a second and 90 MB while it lasts); whether that went well."""
    command = [sys.executable, "-P", "-c", _PROBE, str(folder), collection]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE, env={}, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*/*") if path.is_file())


def _checksums(folder: Path) -> Files:
    return {str(path.relative_to(folder)): [path.stat().st_size, _checksum(path)] for path in _files(folder)}


def _checksum(path: Path) -> int:
    found = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found = zlib.crc32(piece, found)
    return found
