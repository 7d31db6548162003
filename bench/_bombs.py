"""Answers that are built to fill the memory or to take for ever (promise W2), served by a real server."""

import gzip
import socket
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from tests.servers.web import WebServer

BIG = 200_000_000
PIECE = 1 << 20
_OK = b"HTTP/1.1 200 OK\r\n"


@dataclass(frozen=True, slots=True)
class Bomb:
    """A path of the server, what it is read as, and whether only the clock ends it."""

    path: str
    kind: str
    slow: bool = False


def bombs(server: WebServer) -> list[Bomb]:
    """Put every bomb on the server, and the small pages that warm a client up."""
    for kind, small in (("text", "hi"), ("json", "[1]"), ("xml", "<a>b</a>"), ("html", "<p>hi<table><td>x</table>")):
        server.put(f"/warm/{kind}", gzip.compress(small.encode()), headers={"Content-Encoding": "gzip"})
    return [*_packed(server), *_documents(server), *_endless(server), *_slow(server)]


def _packed(server: WebServer) -> Iterator[Bomb]:
    for name, encoding, content in (
        ("gzip", "gzip", _zeros(31)),
        ("gzip of gzip", "gzip, gzip", gzip.compress(_zeros(31))),
        ("gzip in gzip", "gzip", gzip.compress(_zeros(31))),
        ("gzip in pieces", "gzip", gzip.compress(b"0" * 100) * 50_000),
        ("deflate", "deflate", _zeros(15)),
        ("raw deflate", "deflate", _zeros(-15)),
        ("brotli", "br", b"\x1b" * 1_000_000),
        ("no gzip", "gzip", b"\x1f\x8b\x08" + b"\xff" * 1_000_000),
    ):
        path = f"/packed/{name.replace(' ', '-').replace(',', '')}"
        server.put(path, content, headers={"Content-Encoding": encoding})
        yield Bomb(path, "text")


@cache
def _zeros(bits: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    piece = bytes(PIECE)
    return b"".join([packer.compress(piece) for _ in range(BIG // PIECE)] + [packer.flush()])


def _documents(server: WebServer) -> Iterator[Bomb]:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    half = 900_000
    inner = f"http://{server.netloc}/secret"
    for name, kind, content in (
        ("billion laughs", "xml", f'<!DOCTYPE a [<!ENTITY l0 "ha">{laughs}]><a>&l9;</a>'),
        ("quadratic", "xml", f'<!DOCTYPE a [<!ENTITY x "{"x" * half}">]><a>{"&x;" * (half // 3)}</a>'),
        ("external file", "xml", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'),
        ("external page", "xml", f'<!DOCTYPE a [<!ENTITY x SYSTEM "{inner}">]><a>&x;</a>'),
        ("external DTD", "xml", f'<!DOCTYPE a SYSTEM "{inner}"><a>b</a>'),
        ("parameter entity", "xml", f'<!DOCTYPE a [<!ENTITY % x SYSTEM "{inner}"> %x;]><a>b</a>'),
        ("deep XML", "xml", "<a>" * 600_000),
        ("wide XML", "xml", f"<a>{'<b/>' * 490_000}</a>"),
        ("XML attributes", "xml", "<a " + _many("a{}='' ") + "/>"),
        ("XML names", "xml", f"<a>{_many('<b{}/>')}</a>"),
        ("long XML token", "xml", f"<a b='{'x' * 1_900_000}"),
        ("deep JSON", "json", "[" * 1_900_000),
        ("JSON objects", "json", "[" + "{}," * 630_000 + "0]"),
        ("JSON lists", "json", "[" + "[]," * 630_000 + "0]"),
        ("JSON numbers", "json", "[" + "1e1," * 480_000 + "0]"),
        ("JSON words", "json", "[" + '"ab",' * 390_000 + "0]"),
        ("JSON keys", "json", "{" + _many('"{}":0,') + '"a":0}'),
        ("JSON long number", "json", "1" * 1_900_000),
        ("huge JSON", "json", f'["{"x" * 20_000_000}"]'),
        ("HTML for JSON", "json", f"<html>{'<p>x' * 400_000}"),
        ("HTML cells", "html", f"<table><tr>{'<td>x' * 80_000}"),
        ("HTML nested", "html", "<table><tr><td>" * 33_000),
        ("HTML formats", "html", "<a><b><a><b>" * 40_000),
        ("HTML styles", "html", f"<style>{('div ' * 25 + '{display:none}') * 200}</style>{'<div>' * 20_000}x"),
    ):
        path = f"/document/{name.replace(' ', '-')}"
        server.put(path, content, content_type=f"application/{kind}")
        yield Bomb(path, kind)


def _many(piece: str) -> str:
    return "".join(piece.replace("{}", str(number)) for number in range(140_000))


def _endless(server: WebServer) -> Iterator[Bomb]:
    """What never stops, and comes fast."""
    for name, answer in {
        "body": _repeat(_OK + b"\r\n", b"x" * 65536),
        "chunks": _repeat(_OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 10_000),
        "lie": _repeat(_OK + b"Content-Length: 99999999999\r\n\r\n", b"x" * 65536),
        "chunk lie": _repeat(_OK + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFF\r\n", b"x" * 65536),
        "chunk name": _repeat(_OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x" * 65536),
        "headers": _repeat(_OK, b"X-More: yes\r\n" * 1000),
        "header": _repeat(_OK + b"X-Long: ", b"x" * 65536),
        "first line": _repeat(b"HTTP/1.1 200 ", b"x" * 65536),
        "trailers": _repeat(_OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-More: yes\r\n" * 1000),
    }.items():
        server.raw(f"/endless/{name.replace(' ', '-')}", answer)
        yield Bomb(f"/endless/{name.replace(' ', '-')}", "text")
    server.put("/loop", status=302, headers={"Location": "/loop"})
    yield Bomb("/loop", "text")


def _slow(server: WebServer) -> Iterator[Bomb]:
    """What only the clock ends."""
    for name, start, piece in (
        ("drip", _OK + b"Content-Length: 1000000\r\n\r\n", b"x"),
        ("header drip", _OK, b"X: y\r\n"),
        ("silence", b"", b""),
        ("packed drip", _OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\3", b"\0\0\0\xff\xff"),
    ):
        server.raw(f"/slow/{name.replace(' ', '-')}", _drip(server, start, piece))
        yield Bomb(f"/slow/{name.replace(' ', '-')}", "text", slow=True)
    server.raw("/slow/continue", _repeat(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100))
    yield Bomb("/slow/continue", "text", slow=True)


def _repeat(start: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    def answer(peer: socket.socket) -> None:
        peer.sendall(start)
        while True:  # until the client is gone
            peer.sendall(piece)

    return answer


def _drip(server: WebServer, start: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    def answer(peer: socket.socket) -> None:
        peer.sendall(start)
        while not server.wait(0.2):
            peer.sendall(piece)

    return answer
