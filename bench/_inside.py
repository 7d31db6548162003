"""Addresses that lead inside (promise W1): every spelling, every name, every road a stranger may put into a post.

`{port}` is where the trap listens on loopback; names end in `.example` and are answered by a DNS server of the bench.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Inside:
    """One address, and what the DNS says of its name: a list of answers, each used once, the last one for ever."""

    name: str
    url: str
    answers: tuple[tuple[str, ...], ...] = field(default=())


V4 = {
    "loopback": "127.0.0.1", "loopback elsewhere": "127.1.2.3", "this host": "0.0.0.0",
    "private 10": "10.0.0.1", "private 172": "172.16.0.1", "private 192": "192.168.0.1", "cloud": "169.254.169.254",
    "carrier": "100.64.0.1", "protocols": "192.0.0.1", "relay": "192.88.99.1", "benchmark": "198.18.0.1",
    "documentation": "203.0.113.7", "multicast": "224.0.0.1", "reserved": "240.0.0.1", "broadcast": "255.255.255.255",
}  # fmt: skip
V6 = {
    "loopback": "::1", "any": "::", "mapped": "::ffff:127.0.0.1", "mapped in hex": "::ffff:7f00:1",
    "compatible": "::127.0.0.1", "NAT64": "64:ff9b::7f00:1", "NAT64 private": "64:ff9b::10.0.0.1",
    "local NAT64": "64:ff9b:1::7f00:1", "6to4": "2002:7f00:1::", "Teredo": "2001:0:7f00:1::", "ULA": "fd00::1",
    "ULA cloud": "fd00:ec2::254", "link": "fe80::1", "site": "fec0::1", "multicast": "ff02::1",
    "documentation": "2001:db8::1", "new documentation": "3fff::1", "discard": "100::1", "orchid": "2001:10::1",
}  # fmt: skip
SPELLED = {
    "short": "127.1", "shorter": "127.0.1", "decimal": "2130706433", "hex": "0x7f000001", "hex dots": "0x7f.0.0.1",
    "octal": "0177.0.0.1", "octal long": "017700000001", "leading zeros": "127.000.000.001", "mixed": "0x7f.1",
    "overflow": "127.0.0.257", "five parts": "127.0.0.1.1", "trailing dot": "127.0.0.1.",
    "full width": "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
    "circled": "①②⑦.⓪.⓪.①", "ideographic dots": "127。0。0。1", "percent": "%31%32%37.0.0.1",
    "percent dot": "127%2e0.0.1",
    "zone": "[fe80::1%25lo]", "zone on loopback": "[::1%25lo]", "v6 in v4": "::1", "zero": "0",
    "localhost": "localhost",
    "localhost dot": "localhost.", "LOCALHOST": "LOCALHOST", "below localhost": "a.localhost", "local": "printer.local",
    "one word": "intranet", "internal": "metadata.google.internal", "soft hyphen": "local\u00adhost",
    "zero width": "127.0.0\u200b.1", "empty": "", "dots": "..", "underscored number": "127.0.0.1_",
}  # fmt: skip


def inside() -> Iterator[Inside]:
    """Every case; the addresses alone are more than the sixty that W1 promises."""
    for name, number in V4.items():
        yield Inside(f"IPv4 {name}", f"http://{number}:{{port}}/")
    for name, number in V6.items():
        yield Inside(f"IPv6 {name}", f"http://[{number}]:{{port}}/")
    for name, host in SPELLED.items():
        yield Inside(f"spelled {name}", f"http://{host}:{{port}}/")
    yield from _urls()
    yield from _names()


def _urls() -> Iterator[Inside]:
    """Where parsers disagree about what the host is."""
    loopback = "127.0.0.1:{port}"
    for name, url in {
        "user name": f"http://public.example@{loopback}/", "password": f"http://public.example:80@{loopback}/",
        "empty user": f"http://@{loopback}/", "two ats": f"http://a@public.example@{loopback}/",
        "back-slash": f"http://{loopback}\\@public.example/", "back-slashes": f"http:\\\\{loopback}/",
        "one slash": f"http:/{loopback}/", "no slash": f"http:{loopback}/", "no scheme": f"//{loopback}/",
        "three slashes": f"http:///{loopback}/", "tab": "http://127.0.0.1\t:{port}/", "line": f"http://\n{loopback}/",
        "leading space": f" http://{loopback}/", "null": f"http://{loopback}\0.public.example/",
        "fragment": f"http://{loopback}#@public.example/", "question": f"http://{loopback}?@public.example/",
        "file": "file:///etc/passwd", "ftp": f"ftp://{loopback}/", "gopher": f"gopher://{loopback}/_GET",
        "data": "data:text/html,hello", "dict": f"dict://{loopback}/", "unix": "http+unix://%2Fvar%2Frun%2Fsock/",
        "wrong port": "http://public.example:22/", "port zero": "http://127.0.0.1:0/", "big port": "http://127.0.0.1:99999/",
        "port 25": "http://127.0.0.1:25/", "capital scheme": f"HTTP://{loopback}/", "tls": f"https://{loopback}/",
    }.items():  # fmt: skip
        yield Inside(f"URL {name}", url)


def _names() -> Iterator[Inside]:
    """What the DNS of a stranger may answer."""
    for name, answers in {
        "to loopback": (("127.0.0.1",),), "to private": (("10.0.0.1",),), "to cloud": (("169.254.169.254",),),
        "to IPv6 loopback": (("::1",),), "to mapped": (("::ffff:127.0.0.1",),), "to NAT64": (("64:ff9b::7f00:1",),),
        "to any": (("0.0.0.0",),), "to both": (("93.184.215.14", "127.0.0.1"),),
        "to both, inside first": (("127.0.0.1", "93.184.215.14"),), "to both families": (("93.184.215.14", "::1"),),
        "rebinding": (("93.184.215.14",), ("127.0.0.1",)), "rebinding to IPv6": (("93.184.215.14",), ("::1",)),
        "rebinding from inside": (("127.0.0.1",), ("93.184.215.14",)),
    }.items():  # fmt: skip
        host = f"{name.replace(' ', '-').replace(',', '')}.example"
        yield Inside(f"name {name}", f"http://{host}:{{port}}/", answers)
        if len(answers) == 1:
            yield Inside(f"name {name}, dotted", f"http://dot-{host}.:{{port}}/", answers)
