"""The way of a command to the running service."""

import asyncio
import contextlib
import json
import os
import select
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE
from workers import control
from workers.control import ControlServer, NotRunning, call
from workflows.errors import NeedsOwner, Permanent, Retryable


async def echo(**arguments: Any) -> dict[str, Any]:
    return {"ok": True, "says": "heard", "arguments": arguments}


async def fail(kind: str) -> dict[str, Any]:
    if kind == "owner":
        raise NeedsOwner("Version 2 is superseded by 3.", "Approve 41.3.")
    if kind == "retry":
        raise Retryable("Temporal is away.")
    if kind == "permanent":
        raise Permanent("There is no case 41.")
    raise ZeroDivisionError("secret detail")


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Path]:
    server = ControlServer(tmp_path, {"echo": echo, "fail": fail})
    await server.start()
    yield tmp_path
    await server.stop()


def service_file(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / control.FILE).read_text())
    return found


async def raw(home: Path, line: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(home / control.SOCKET)
    writer.write(line)
    async with asyncio.timeout(PATIENCE):
        answer = await reader.read()
    writer.close()
    return answer


async def test_a_command_is_carried_out_with_its_arguments(service: Path):
    answer = await call(service, "echo", case=41, text="zwölf\nBoxkämpfer")
    assert answer == {"ok": True, "says": "heard", "arguments": {"case": 41, "text": "zwölf\nBoxkämpfer"}}


async def test_file_and_socket_are_the_owners_alone_and_go_with_the_service(tmp_path: Path):
    server = ControlServer(tmp_path, {})
    before = os.umask(0)
    try:
        await server.start()
    finally:
        os.umask(before)
    assert (tmp_path / control.FILE).stat().st_mode & 0o777 == 0o600
    assert stat.S_IMODE((tmp_path / control.SOCKET).stat().st_mode) == 0o600
    assert stat.S_ISSOCK((tmp_path / control.SOCKET).stat().st_mode)
    await server.stop()
    assert not (tmp_path / control.FILE).exists()
    assert not (tmp_path / control.SOCKET).exists()
    with pytest.raises(NotRunning, match="not running"):
        await call(tmp_path, "echo")


async def test_many_commands_at_once_each_get_their_own_answer(service: Path):
    answers = await asyncio.gather(*(call(service, "echo", case=number) for number in range(50)))
    assert [answer["arguments"]["case"] for answer in answers] == list(range(50))


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("owner", NeedsOwner, "Version 2 is superseded by 3. Approve 41.3."),
        ("retry", Retryable, "Temporal is away."),
        ("permanent", Permanent, "There is no case 41."),
    ],
)
async def test_what_the_service_raises_is_raised_here(service: Path, kind: str, error: type[Exception], words: str):
    with pytest.raises(error) as caught:
        await call(service, "fail", kind=kind)
    assert str(caught.value) == words


async def test_an_unexpected_fault_ends_neither_the_service_nor_tells_its_detail(service: Path):
    with pytest.raises(Permanent) as caught:
        await call(service, "fail", kind="crash")
    assert "ZeroDivisionError" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert (await call(service, "echo"))["ok"]


async def test_an_unknown_command_names_the_mend(service: Path):
    with pytest.raises(NeedsOwner, match=r"Restart \./deskhand up"):
        await call(service, "dance")


@pytest.mark.parametrize("token", ["", "0" * 64, "ä"])
async def test_without_the_token_nothing_is_done(service: Path, token: str):
    request = {"token": token, "nonce": "n", "command": "echo", "arguments": {}}
    answer = json.loads(await raw(service, json.dumps(request).encode() + b"\n"))
    assert "token" in answer["fault"]["problem"]
    assert "answer" not in answer
    assert "proof" not in answer


NESTED = (b"[" * 900_000 + b"\n", b'{"token":' * 90_000 + b"\n")


@pytest.mark.parametrize("line", [b"\n", b"GET / HTTP/1.1\r\n", b"[]\n", b'{"token": 1}\n', b"\xff\n", *NESTED])
async def test_what_is_no_request_is_refused(service: Path, line: bytes):
    assert b"fault" in await raw(service, line)
    assert (await call(service, "echo"))["ok"]


async def test_too_large_a_request_is_cut_off(service: Path):
    with contextlib.suppress(ConnectionError):  # the server may reset before everything was written
        assert await raw(service, b"x" * (control.LARGEST + 2) + b"\n") == b""
    with pytest.raises(NeedsOwner, match="too long"):
        await call(service, "echo", text="x" * control.LARGEST)
    assert (await call(service, "echo"))["ok"]


def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


@pytest.mark.parametrize("content", ["", "{", "[]", '{"socket": 1}', '{"port": 1, "pid": 1, "token": ""}'])
async def test_a_damaged_service_file_is_no_service(tmp_path: Path, content: str):
    (tmp_path / control.FILE).write_text(content)
    with pytest.raises(NotRunning):
        await call(tmp_path, "echo")


async def test_a_file_left_by_a_dead_service_is_seen_through(service: Path, tmp_path: Path):
    found = service_file(service)
    for stale in ({**found, "pid": dead_pid()}, {**found, "socket": str(tmp_path / "gone.sock"), "pid": os.getpid()}):
        (tmp_path / control.FILE).write_text(json.dumps(stale))
        with pytest.raises(NotRunning):
            await call(tmp_path, "echo")


def claims_to_be_ours(home: Path) -> None:
    said = {"socket": str(home / control.SOCKET), "pid": os.getpid(), "token": "t"}
    (home / control.FILE).write_text(json.dumps(said))


async def test_a_foreign_server_at_the_socket_is_not_believed(tmp_path: Path):
    async def liar(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b'{"answer": {"ok": true, "says": "approved"}, "proof": "00"}\n')
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(liar, tmp_path / control.SOCKET)
    claims_to_be_ours(tmp_path)
    with pytest.raises(NotRunning):
        await call(tmp_path, "approve", case=41)
    server.close()


async def test_a_lost_answer_is_not_taken_for_a_yes(tmp_path: Path):
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    server = await asyncio.start_unix_server(silent, tmp_path / control.SOCKET)
    claims_to_be_ours(tmp_path)
    with pytest.raises(Retryable, match="not known whether"):
        await call(tmp_path, "approve", case=41)
    server.close()


# ---------------------------------------------------------------- strangers and odd places


async def test_a_service_that_was_killed_leaves_nothing_in_the_way(tmp_path: Path):
    first, second = ControlServer(tmp_path, {"echo": echo}), ControlServer(tmp_path, {"echo": echo})
    await first.start()
    await second.start()  # as after kill -9: file and socket of the first are still there
    assert (await call(tmp_path, "echo"))["ok"]
    await second.stop()
    await first.stop()


@pytest.mark.parametrize("length", [40, 107, 108, 200, 250])
async def test_a_home_with_a_long_path_is_reached_all_the_same(tmp_path: Path, length: int):
    home = tmp_path / ("ä" * (length // 4)) / ("h" * (length // 2))
    home.mkdir(parents=True)
    server = ControlServer(home, {"echo": echo})
    await server.start()
    assert stat.S_IMODE((home / control.SOCKET).stat().st_mode) == 0o600
    assert (await call(home, "echo"))["ok"]
    await server.stop()
    assert not (home / control.SOCKET).exists()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_where_no_socket_can_lie_in_the_home_it_lies_in_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A path too long for an address on a system without handles in /proc, or a disk that holds no sockets."""
    bound = control._bound

    def refused(path: Path) -> socket.socket:
        if path.is_relative_to(tmp_path):
            raise OSError("AF_UNIX path too long")
        return bound(path)

    monkeypatch.setattr(control, "_bound", refused)
    server = ControlServer(tmp_path, {"echo": echo})
    await server.start()
    place = Path(service_file(tmp_path)["socket"])
    assert (mode(place.parent), mode(place)) == (0o700, 0o600)
    assert (await call(tmp_path, "echo"))["ok"]
    await server.stop()
    assert not await asyncio.to_thread(place.parent.exists)


def connected(home: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.connect(str(home / control.SOCKET))
    return made


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_who_says_nothing_is_let_go_and_holds_nobody_up(service: Path):
    """A hundred connections that never say a word: commands wait their turn, and each of the mute ones is let go."""
    before = open_files()
    with ExitStack() as mute:
        held = [mute.enter_context(connected(service)) for _ in range(100)]
        await asyncio.sleep(0)
        assert (await call(service, "echo"))["ok"]
        served = open_files() - before - len(held)
        assert served <= control.MOST + 1
        async with asyncio.timeout(PATIENCE):
            for connection in held:
                connection.setblocking(False)
                assert await asyncio.get_running_loop().sock_recv(connection, 1) == b""
    assert (await call(service, "echo"))["ok"]


async def test_a_line_that_never_ends_is_cut_off(service: Path):
    loop = asyncio.get_running_loop()
    began = loop.time()
    with connected(service) as connection:
        connection.setblocking(False)
        with contextlib.suppress(ConnectionError):
            while not await asyncio.to_thread(_is_let_go, connection):
                await loop.sock_sendall(connection, b"x")
                assert loop.time() - began < control.FIRST_LINE * 10
    assert (await call(service, "echo"))["ok"]


def _is_let_go(connection: socket.socket) -> bool:
    return bool(select.select([connection], [], [], 0.05)[0])


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
async def test_another_user_of_the_machine_cannot_connect(tmp_path: Path):
    os.chmod(tmp_path, 0o755)  # noqa: PTH101 - even in a home that others may enter
    server = ControlServer(tmp_path, {"echo": echo})
    await server.start()
    attempt = (
        "import os, socket, sys; os.setgid(65534); os.setuid(65534)\nsocket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    )
    folder = os.open(tmp_path, os.O_RDONLY)  # the folders above are closed to others as well
    words = [sys.executable, "-I", "-S", "-c", attempt, f"/proc/self/fd/{folder}/{control.SOCKET}"]
    done = await asyncio.to_thread(
        subprocess.run, words, capture_output=True, text=True, pass_fds=(folder,), check=False
    )
    os.close(folder)
    assert "PermissionError" in done.stderr
    await server.stop()
