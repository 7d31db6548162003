"""The limited child: hostile mail ends in time, in `Email` or `Quarantined`, and the next good mail is read at once."""

import os
import random
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tools import limited
from tools.limited import ParserLimits, Quarantined, _Allowance
from tools.mail import mime
from tools.mail.parser import MAX_MAIL, OVERSIZE, Parser
from workflows.errors import Permanent
from workflows.models.mail import Email

RECEIVED = sorted((Path(__file__).parents[1] / "mail" / "received").glob("*.eml"))
GOOD = b"From: Maria <maria@studio.example>\nSubject: good\n\nThe next good mail.\n"
HTML = b"From: a@b.example\nContent-Type: text/html\n\n"


@pytest.fixture(scope="module")
def reader() -> Iterator[Parser]:
    made = Parser()
    made.parse(GOOD)
    yield made
    made.close()


def outcome(reader: Parser, raw: bytes) -> tuple[Email | Quarantined, float]:
    start = time.monotonic()
    try:
        found: Email | Quarantined = reader.parse(raw)
    except Quarantined as quarantined:
        found = quarantined
    return found, time.monotonic() - start


@pytest.mark.parametrize("path", RECEIVED, ids=lambda path: path.stem)
def test_the_child_reads_as_mime_does(reader: Parser, path: Path) -> None:
    raw = path.read_bytes()
    assert reader.parse(raw) == mime.parse(raw)


def nested(depth: int, inside: bytes) -> bytes:
    openings = b"".join(
        b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (level, level + 1) for level in range(depth)
    )
    return b"From: a@b.example\nContent-Type: multipart/mixed; boundary=b0\n\n" + openings + inside


BOMBS = {
    "454 MB header of the standard library": b"From: a@b.example\nSubject: " + b"=?utf-8?q?=41?= " * 7_000 + b"\n\nx",
    "448 kB of encoded words": b"From: a@b.example\nSubject: " + b"=?utf-8?b?QQ==?=\n " * 25_000 + b"\n\nx",
    "a header line of 20 MB": b"From: a@b.example\nX-Long: " + b"x" * 20_000_000 + b"\n\nx",
    "100,000 header fields": b"From: a@b.example\n" + b"X-A: b\n" * 100_000 + b"\nx",
    "10,000 parts": b"From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 10_000,
    "1,000 levels": nested(1_000, b"--b1000\n\nx"),
    "50 levels around 20 MB": nested(60, b"y" * 20_000_000),
    "a boundary that nearly matches": b"From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n"
    + b"--bx\n" * 4_000_000,
    "40 MB on one line": b"From: a@b.example\n\n" + b"x" * 40_000_000,
    "25 MB of quoted-printable": b"From: a@b.example\nContent-Transfer-Encoding: quoted-printable\n\n"
    + b"=41=42=43\n" * 2_500_000,
    "addresses without end": b"From: " + b'"(<a@' * 12_000 + b"\n\nx",
    "half a million table cells": HTML + b"<table><tr>" + b"<td>x" * 500_000,
    "100,000 levels of HTML": HTML + b"<div>" * 100_000 + b"x",
    "tables in tables": HTML + b"<table><tr><td>x" * 5_000,
    "a wide table": HTML + b"<table>" + (b"<tr>" + b"<td>" + b"x" * 1_000) * 400,
    "500,000 style rules": HTML + b"<style>" + b".a{display:none}" * 500_000 + b"</style>x",
    "an unclosed style": HTML + b"<p style='" + b"opacity:0" * 100_000,
    "parameters without end": b"From: a@b.example\nContent-Type: text/plain" + b';a*0*="\\' * 10_000 + b"\n\nx",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_end_in_time_and_the_next_mail_is_read(reader: Parser, name: str) -> None:
    found, seconds = outcome(reader, BOMBS[name])
    assert isinstance(found, Email | Quarantined)
    assert seconds <= 2.0 * limited._BUSY_MACHINE  # on a machine with its processor free: 2 s
    good, seconds = outcome(reader, GOOD)
    assert isinstance(good, Email)
    assert seconds < 10


@pytest.mark.parametrize("name", BOMBS)
def test_of_any_bomb_the_envelope_is_read_safely(reader: Parser, name: str) -> None:
    start = time.monotonic()
    sender, subject = reader.glimpse(BOMBS[name])
    assert time.monotonic() - start <= 2.0 * limited._BUSY_MACHINE
    assert len(sender) <= 4_000
    assert len(subject) <= 4_000


def test_a_mail_that_cannot_be_read_still_says_whom_it_is_from(reader: Parser) -> None:
    head = b"From: =?utf-8?q?J=C3=B6rg?= <joerg@studio.example>\r\nSubject: Plans,\r\n as =?utf-8?q?drawn?=\r\n"
    told = ("joerg@studio.example", "Plans, as drawn")
    assert reader.glimpse(OVERSIZE + b"61000000\r\nX-A: b\r\n" + head + b"\r\nFrom: body@evil.example\r\n") == told
    assert reader.glimpse(b"X-Long: " + b"x" * 70_000 + b"\r\n" + head) == ("", "")
    assert reader.glimpse(b"\x00\xff no mail at all") == ("", "")
    assert reader.glimpse(b"Subject: alone\n\nFrom: body@evil.example\n") == ("", "alone")


def test_500_mutated_mails_end_in_time(reader: Parser) -> None:
    dice = random.Random(20261123)
    seeds = [path.read_bytes() for path in RECEIVED]
    ends = {Email: 0, Quarantined: 0}
    for _ in range(500):
        found, seconds = outcome(reader, _mutated(dice, seeds))
        ends[type(found)] += 1
        assert seconds <= 2.0 * limited._BUSY_MACHINE
    assert ends[Email] > 400
    assert reader.parse(GOOD).subject == "good"


def _mutated(dice: random.Random, seeds: list[bytes]) -> bytes:
    raw = bytearray(dice.choice(seeds))
    for _ in range(dice.randrange(1, 12)):
        at = dice.randrange(len(raw) + 1)
        to = min(len(raw), at + dice.randrange(1, 80))
        match dice.randrange(6):
            case 0:
                raw[at:to] = b""
            case 1:
                raw[at:at] = dice.randbytes(dice.randrange(1, 40))
            case 2:
                raw[at:at] = raw[at:to] * dice.randrange(1, 60)
            case 3:
                raw[at:at] = dice.choice([b"\r\n", b"\n\n", b"\x00", b"=?utf-8?b?", b"--", b";", b'"', b"<", b"=\n"])
            case 4:
                other = dice.choice(seeds)
                start = dice.randrange(len(other))
                raw[at:to] = other[start : start + dice.randrange(1, 400)]
            case _:
                raw[at:to] = bytes(byte ^ dice.choice([0, 0, 1, 32, 128]) for byte in raw[at:to])
    return bytes(raw)


def test_a_25_mb_attachment_is_fine(reader: Parser) -> None:
    head = b"From: a@b.example\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n"
    raw = head + (b"QUJD" * 19 + b"\r\n") * (48_000_000 // 78)
    found, _ = outcome(reader, raw)
    assert isinstance(found, Email)
    assert found.attachments[0].size == (48_000_000 // 78) * 57
    assert found.blob


def test_too_big_is_told_without_reading(reader: Parser) -> None:
    with pytest.raises(Quarantined, match="at most 50 MB"):
        reader.parse(bytes(MAX_MAIL + 1))
    with pytest.raises(Quarantined, match="60 MB"):
        reader.parse(OVERSIZE + b"60000000\r\n" + GOOD)


def test_too_much_memory_is_told() -> None:
    reader = Parser(replace(ParserLimits(), memory=30 * 1024 * 1024))
    with pytest.raises(Quarantined, match="more than 30 MB"):
        reader.parse(b"From: a@b.example\n\n" + b"x" * 40_000_000)
    assert reader.parse(GOOD).subject == "good"
    reader.close()


def test_too_slow_is_killed_and_told() -> None:
    reader = Parser(replace(ParserLimits(), seconds=0.05))
    with pytest.raises(Quarantined, match=re.escape("longer than 0.05 s")):
        reader.parse(BOMBS["25 MB of quoted-printable"])
    reader.close()


def test_a_child_that_dies_between_mails_is_replaced() -> None:
    reader = Parser()
    reader.parse(GOOD)
    first = reader.pid
    assert first is not None
    os.kill(first, 9)
    found, _ = outcome(reader, GOOD)
    second, _ = outcome(reader, GOOD)
    assert isinstance(second, Email)
    assert isinstance(found, Email | Quarantined)
    assert reader.pid != first
    reader.close()


def test_an_idle_child_goes_and_comes_back() -> None:
    reader = Parser(replace(ParserLimits(), idle=0.05))
    reader.parse(GOOD)
    deadline = time.monotonic() + PATIENCE
    while reader.pid is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    for _ in range(20):  # races with the end of an idle child included
        assert reader.parse(GOOD).subject == "good"
        time.sleep(0.05)
    reader.close()


def test_a_fresh_child_after_so_many_mails() -> None:
    reader = Parser(replace(ParserLimits(), mails=3))
    pids = []
    for _ in range(7):
        reader.parse(GOOD)
        pids.append(reader.pid)
    assert len(set(pids)) == 3
    reader.close()
    assert reader.pid is None


def test_many_threads_share_one_parser(reader: Parser) -> None:
    raws = [b"From: a@b.example\nSubject: %d\n\nx" % number for number in range(100)]
    with ThreadPoolExecutor(8) as pool:
        subjects = [found.subject for found in pool.map(reader.parse, raws)]
    assert subjects == [str(number) for number in range(100)]


def test_no_mail_at_all_is_quarantined(reader: Parser) -> None:
    with pytest.raises(Quarantined, match="no header"):
        reader.parse(b"")
    assert issubclass(Quarantined, Permanent)


def test_the_child_is_small_quick_and_without_secrets(reader: Parser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKHAND_IMAP__PASSWORD", "canary")
    fresh = Parser()
    fresh.parse((Path(__file__).parents[1] / "mail" / "received" / "html_only.eml").read_bytes())
    proc = Path(f"/proc/{fresh.pid}")
    environment = (proc / "environ").read_bytes()
    assert b"canary" not in environment
    assert set(re.findall(rb"(?:^|\0)([A-Z_]+)=", environment)) <= {b"PYTHONPATH", b"LC_CTYPE"}
    resident = int(re.search(r"VmRSS:\s+(\d+)", (proc / "status").read_text())[1])
    assert resident < 40 * 1024
    times = []
    for _ in range(50):
        allowance = _Allowance(fresh.pid, 2.0, "mail")
        start = allowance._processor_time()
        fresh.parse(GOOD)
        times.append(allowance._processor_time() - start)
    assert sorted(times)[25] < 0.02  # the kernel counts in hundredths
    fresh.close()


def test_it_is_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    reader = Parser()
    assert reader.parse(GOOD).subject == "good"
    reader.close()


def test_nothing_is_left_running() -> None:
    before = threading.active_count()
    reader = Parser()
    reader.parse(GOOD)
    pid = reader.pid
    reader.close()
    assert not Path(f"/proc/{pid}").exists()
    assert threading.active_count() == before
