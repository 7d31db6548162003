"""MIME tree: the parts of one mail as byte ranges of the raw bytes, with what had to be forgiven on the way."""

import re
from collections.abc import Iterator

from tools.mail.message.headers import Block, parameters, read_block
from workflows.errors import Permanent
from workflows.models.mail import Defect

MAX_DEPTH = 50
_NO_TEXT = {"text/calendar", "text/rfc822-headers", "text/vnd.google.email-reaction+json"}  # for programs
MAX_PARTS = 500
_BOUNDARY_END = re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)")


class MimePart:
    """A leaf or a branch of the MIME tree: a byte range of the raw mail and what its header says."""

    __slots__ = ("block", "body_end", "body_start", "children", "content_type", "disposition", "kind", "raw")

    def __init__(self, raw: bytes, block: Block, end: int, kind: str) -> None:
        self.raw = raw
        self.block = block
        self.body_start, self.body_end = block.end, max(block.end, end)
        self.content_type = parameters(block.first("content-type"))
        self.disposition = parameters(block.first("content-disposition"))
        self.kind = self.content_type.value if "/" in self.content_type.value else kind
        self.children: list[MimePart] = []

    @property
    def encoding(self) -> str:
        return self.block.first("content-transfer-encoding").split(";")[0].strip().strip('"').lower()

    @property
    def name(self) -> str:
        return (self.disposition.get("filename") or self.content_type.get("name")).strip()

    @property
    def is_text(self) -> bool:
        """Whether a reader sees it as the mail's text, not as a file."""
        if not self.kind.startswith("text/") or self.kind in _NO_TEXT:
            return False
        return self.disposition.value != "attachment" and not self.name

    def content(self) -> memoryview:
        return memoryview(self.raw)[self.body_start : self.body_end]


class MimeTree:
    """The parts of one mail, built once, with what had to be forgiven on the way."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.defects: list[Defect] = []
        self.count = 0
        block = read_block(raw, 0, len(raw))
        if not block.fields:
            raise Permanent("The mail has no header at all, so it cannot be read.")
        self.defects += block.defects
        self.top = self._part(block, len(raw), "text/plain", 1)

    def forgive(self, code: str, says: str) -> None:
        defect = Defect(code, says)
        if defect not in self.defects:
            self.defects.append(defect)

    def leaves(self, part: MimePart | None = None) -> Iterator[MimePart]:
        stack = [part or self.top]
        while stack:
            node = stack.pop()
            if node.children:
                stack.extend(reversed(node.children))
            else:
                yield node

    def _part(self, block: Block, end: int, kind: str, depth: int) -> MimePart:
        self.count += 1
        part = MimePart(self.raw, block, end, kind)
        if not part.kind.startswith("multipart/"):
            return part
        if depth >= MAX_DEPTH:
            self.forgive("depth", f"parts nested deeper than {MAX_DEPTH} are kept as one file")
            part.kind = "application/octet-stream"
            return part
        self._branch(part, depth)
        return part

    def _branch(self, part: MimePart, depth: int) -> None:
        boundary = part.content_type.get("boundary").encode("utf-8", "replace").rstrip()
        ranges = list(self._ranges(part, boundary)) if boundary else []
        if not ranges:
            self.forgive("boundary", "a multipart without its boundary is read as text")
            part.kind = "text/plain"
            return
        inner = "message/rfc822" if part.kind == "multipart/digest" else "text/plain"
        for start, end in ranges:
            if self.count >= MAX_PARTS:
                self.forgive("parts", f"more than {MAX_PARTS} parts: the rest is not read")
                return
            block = read_block(self.raw, start, end)
            part.children.append(self._part(block, end, inner, depth + 1))

    def _ranges(self, part: MimePart, boundary: bytes) -> Iterator[tuple[int, int]]:
        """Where the children lie; a missing last boundary is forgiven."""
        raw, needle = self.raw, b"\n--" + boundary
        position, opened, read = part.body_start - 1, -1, 0
        while read <= MAX_PARTS and (delimiter_at := raw.find(needle, max(position, 0), part.body_end)) >= 0:
            after = _BOUNDARY_END.match(raw, delimiter_at + len(needle), part.body_end)
            if after is None:
                position = delimiter_at + len(needle)
                continue
            if opened >= 0:
                read += 1
                yield opened, delimiter_at - (raw[delimiter_at - 1 : delimiter_at] == b"\r")
            if after[1]:
                return
            opened, position = after.end(), max(after.end() - 1, delimiter_at + 1)
        if opened >= 0:
            if read <= MAX_PARTS:
                self.forgive("end", "the last boundary is missing")
            yield opened, part.body_end


class Forgiving:
    """Names a defect once, with the tree's others."""

    def __init__(self, tree: MimeTree) -> None:
        self._tree = tree

    def __call__(self, code: str, says: str) -> None:
        self._tree.forgive(code, says)

    def charset(self, says: str) -> None:
        self("charset", says)
