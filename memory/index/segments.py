"""Chroma's native files, known by checksum: one that is not as we left it is never opened.

A damaged vector file ends the process that reads it (measured: a segmentation fault after one flipped byte in
`header.bin`), and no code of ours could catch that. The files change only when Chroma writes, so their checksums are
noted right after; a process killed in between costs one rebuild.
"""

import json
import zlib
from pathlib import Path

NOTE = "files.json"
_PIECE = 1 << 20

Stamp = tuple[tuple[str, int, int], ...]


def as_we_left_them(folder: Path) -> bool:
    """Whether every native file has the checksum that was noted."""
    try:
        noted = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        return bool(noted == _checksums(folder))
    except (OSError, ValueError):
        return False


def note(folder: Path) -> None:
    """Note the checksums of the native files as they are now."""
    fresh = folder / f"{NOTE}.new"
    fresh.write_text(json.dumps(_checksums(folder)), encoding="utf-8")
    fresh.replace(folder / NOTE)


def stamp(folder: Path) -> Stamp:
    """Name, size and time of each native file: cheap to compare, changes when Chroma writes."""
    stats = [(path, path.stat()) for path in _files(folder)]
    return tuple((path.name, stat.st_size, stat.st_mtime_ns) for path, stat in stats)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*/*") if path.is_file())


def _checksums(folder: Path) -> dict[str, list[int]]:
    return {str(path.relative_to(folder)): [path.stat().st_size, _checksum(path)] for path in _files(folder)}


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            checksum = zlib.crc32(piece, checksum)
    return checksum
