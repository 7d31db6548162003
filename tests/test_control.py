"""The way of a command to the running service."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
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


def port_file(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / control.FILE).read_text())
    return found


async def raw(port: int, line: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(line)
    async with asyncio.timeout(PATIENCE):
        answer = await reader.read()
    writer.close()
    return answer


async def test_a_command_is_carried_out_with_its_arguments(service: Path):
    answer = await call(service, "echo", case=41, text="zwölf\nBoxkämpfer")
    assert answer == {"ok": True, "says": "heard", "arguments": {"case": 41, "text": "zwölf\nBoxkämpfer"}}


async def test_the_port_file_is_the_owners_alone_and_goes_with_the_service(tmp_path: Path):
    server = ControlServer(tmp_path, {})
    await server.start()
    assert (tmp_path / control.FILE).stat().st_mode & 0o777 == 0o600
    await server.stop()
    assert not (tmp_path / control.FILE).exists()
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
    answer = json.loads(await raw(port_file(service)["port"], json.dumps(request).encode() + b"\n"))
    assert "token" in answer["fault"]["problem"]
    assert "answer" not in answer
    assert "proof" not in answer


@pytest.mark.parametrize("line", [b"\n", b"GET / HTTP/1.1\r\n", b"[]\n", b'{"token": 1}\n', b"\xff\n"])
async def test_what_is_no_request_is_refused(service: Path, line: bytes):
    assert b"fault" in await raw(port_file(service)["port"], line)
    assert (await call(service, "echo"))["ok"]


async def test_too_large_a_request_is_cut_off(service: Path):
    with contextlib.suppress(ConnectionError):  # the server may reset before everything was written
        assert await raw(port_file(service)["port"], b"x" * (control.LARGEST + 2) + b"\n") == b""
    with pytest.raises(NeedsOwner, match="too long"):
        await call(service, "echo", text="x" * control.LARGEST)
    assert (await call(service, "echo"))["ok"]


def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


@pytest.mark.parametrize("content", ["", "{", "[]", '{"port": 1}', '{"port": "x", "pid": 1, "token": ""}'])
async def test_a_damaged_port_file_is_no_service(tmp_path: Path, content: str):
    (tmp_path / control.FILE).write_text(content)
    with pytest.raises(NotRunning):
        await call(tmp_path, "echo")


async def test_a_port_file_left_by_a_dead_service_is_seen_through(service: Path, tmp_path: Path):
    found = port_file(service)
    for stale in ({**found, "pid": dead_pid()}, {**found, "port": 1, "pid": os.getpid()}):
        (tmp_path / control.FILE).write_text(json.dumps(stale))
        with pytest.raises(NotRunning):
            await call(tmp_path, "echo")


async def test_a_foreign_server_on_the_port_is_not_believed(tmp_path: Path):
    async def liar(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b'{"answer": {"ok": true, "says": "approved"}, "proof": "00"}\n')
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(liar, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    (tmp_path / control.FILE).write_text(json.dumps({"port": port, "pid": os.getpid(), "token": "t"}))
    with pytest.raises(NotRunning):
        await call(tmp_path, "approve", case=41)
    server.close()


async def test_a_lost_answer_is_not_taken_for_a_yes(tmp_path: Path):
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    (tmp_path / control.FILE).write_text(json.dumps({"port": port, "pid": os.getpid(), "token": "t"}))
    with pytest.raises(Retryable, match="not known whether"):
        await call(tmp_path, "approve", case=41)
    server.close()
