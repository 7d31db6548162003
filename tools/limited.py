"""Limited child: a process that reads what strangers wrote, and may die of it; the service never does.

`Child` is the parent's side of the pipe, `serve` the child's. It is reused, ends itself when idle, is started with an
empty environment (no secrets) and can do nothing but read bytes and answer some.
"""

import contextlib
import dataclasses
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workflows.errors import Permanent, Retryable

_HEAD = struct.Struct("!BQ")  # what follows, and how many bytes of it
_READY, ANSWERED, _REFUSED = range(3)
_OUT_OF_MEMORY = 3  # the child's exit code: it may be too short of memory to say anything else
_PIECE = 1 << 20
_BUSY_MACHINE = 5
"""How many times the wall time a child may take that got little of the processor: a busy machine is no hostile mail."""


class Quarantined(Permanent):
    """It cannot be read safely: it is set aside and told once."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ParserLimits:
    """What one mail may cost."""

    seconds: float = 2.0
    memory: int = 200 * 1024 * 1024  # bytes of address space above the child's own
    mails: int = 1_000  # then a fresh child
    idle: float = 60.0  # seconds, then no child at all
    start: float = 20.0  # seconds for a child to come up


# ---------------------------------------------------------------- the parent's side of the pipe


class WentIdle(Exception):
    """The child ended in good order before it was asked."""


class Child:
    """One child process and the pipes to it. `module`: what it runs; `what`: what it reads, in words."""

    def __init__(self, limits: ParserLimits, module: str, what: str) -> None:
        root = str(Path(__file__).resolve().parents[1])
        command = [sys.executable, "-P", "-m", module, str(limits.memory), str(limits.idle)]
        self._what = what
        self.mails = 0
        self._memory = limits.memory
        try:
            self.process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                command,
                cwd="/",
                env={"PYTHONPATH": root},  # nothing else: no secret of ours is in its reach
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C at the terminal is for the parent, which ends it
            )
        except OSError as error:
            raise Retryable(f"The {what} parser cannot be started: {error.strerror}.") from error
        assert self.process.stdin
        assert self.process.stdout
        self._in, self._out = self.process.stdin.fileno(), self.process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        self._await_ready(limits.start)

    def exchange(self, raw: bytes, seconds: float) -> tuple[int, bytes]:
        """One mail in, one answer out, within the time."""
        allowed = _Allowance(self.process.pid, seconds, self._what)
        try:
            self._write(_HEAD.pack(ANSWERED, len(raw)), allowed)
        except BrokenPipeError:
            raise WentIdle from None
        try:
            self._write(raw, allowed)
            return self._read(allowed)
        except (BrokenPipeError, EOFError):
            raise self._ended() from None

    def end(self) -> None:
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()
        self.process.wait()

    def _await_ready(self, seconds: float) -> None:
        try:
            kind, _ = self._read(_Allowance(None, seconds, self._what))
        except (EOFError, Quarantined) as error:
            self.end()
            raise Retryable(f"The {self._what} parser does not start; it is tried again.") from error
        assert kind == _READY

    def _ended(self) -> Exception:
        """Why the child is gone."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self.process.wait(1)
            if code == 0:
                return WentIdle()
            if code == _OUT_OF_MEMORY:
                return Quarantined(f"The {self._what} needs more than {self._memory >> 20} MB to read.")
        return Quarantined(f"The {self._what} made the parser crash.")

    def _write(self, content: bytes, allowed: "_Allowance") -> None:
        remaining = memoryview(content)
        while remaining:
            allowed.wait(lambda left: select.select([], [self._in], [], left)[1])
            with contextlib.suppress(BlockingIOError):
                remaining = remaining[os.write(self._in, remaining[:_PIECE]) :]

    def _read(self, allowed: "_Allowance") -> tuple[int, bytes]:
        kind, size = _HEAD.unpack(self._read_exactly(_HEAD.size, allowed))
        return kind, self._read_exactly(size, allowed)

    def _read_exactly(self, size: int, allowed: "_Allowance") -> bytes:
        content = bytearray()
        while len(content) < size:
            allowed.wait(lambda left: select.select([self._out], [], [], left)[0])
            with contextlib.suppress(BlockingIOError):
                piece = os.read(self._out, min(_PIECE, size - len(content)))
                if not piece:
                    raise EOFError
                content += piece
        return bytes(content)


class _Allowance:
    """The time for one mail: wall time, stretched while the child hardly got the processor."""

    def __init__(self, pid: int | None, seconds: float, what: str) -> None:
        self._pid, self._seconds, self._what = pid, seconds, what
        self._start = time.monotonic()
        self._used = self._processor_time()

    def wait(self, ready: Callable[[float], Any]) -> None:
        """Until `ready` says so.

        Raises:
            Quarantined: the time is over.
        """
        while not ready(self._left()):
            if self._left() <= 0:
                raise Quarantined(f"The {self._what} takes longer than {self._seconds:g} s to read.")

    def _left(self) -> float:
        elapsed = time.monotonic() - self._start
        if elapsed < self._seconds or self._pid is None:
            return max(0.0, self._seconds - elapsed)
        if elapsed < self._seconds * _BUSY_MACHINE and self._processor_time() - self._used < self._seconds / 2:
            return 0.05
        return 0.0

    def _processor_time(self) -> float:
        """Seconds of processor the child has had; where the system does not tell, plenty."""
        if self._pid is None:
            return 0.0
        try:
            fields = Path(f"/proc/{self._pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError, IndexError):
            return 0.0 if not hasattr(self, "_used") else float("inf")


# ---------------------------------------------------------------- the child


def serve(read: Callable[[bytes], bytes], memory: int, idle: float) -> None:
    """Answer mails, or whatever `read` reads, until the parent is gone or nothing came for `idle` seconds."""
    source, target = sys.stdin.buffer, sys.stdout.buffer
    _limit(memory)
    _answer(target, _READY, b"")
    limited_for_html = False
    while select.select([source], [], [], idle)[0]:
        head = source.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return
        if not limited_for_html and "inscriptis" in sys.modules:
            _limit(memory)  # the HTML libraries are the child's own, not the mail's
            limited_for_html = True
        _answer(target, *_answer_to(read, source, _HEAD.unpack(head)[1]))


def _answer_to(read: Callable[[bytes], bytes], source: Any, size: int) -> tuple[int, bytes]:
    try:
        return ANSWERED, read(source.read(size))
    except MemoryError:
        os._exit(_OUT_OF_MEMORY)  # its heap is in pieces, and half the mail may still be in the pipe
    except Permanent as refused:
        return _REFUSED, str(refused).encode()
    except Exception as error:  # noqa: BLE001  whatever a mail provokes, the next mail must be read
        return _REFUSED, f"The mail is malformed in a way the parser does not know ({type(error).__name__}).".encode()


def _answer(target: Any, kind: int, content: bytes) -> None:
    target.write(_HEAD.pack(kind, len(content)) + content)
    target.flush()


def _limit(memory: int) -> None:
    """Allow this much address space above what the child holds now. Where the system cannot, time alone limits."""
    import resource

    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + memory, hard))
