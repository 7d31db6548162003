"""The guarded web client against what a stranger may put in its way (promises W1 and W2).

Real servers on loopback: a trap that should never be reached, a door that redirects to it, a DNS that changes its mind,
and bombs. Connections are counted where the interpreter opens sockets; each bomb is fetched by a process of its own.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import dns.exception
import dns.resolver
import httpx2

from bench._bombs import Bomb, bombs
from bench._connections import Connection, connections
from bench._figures import Figure, at_most, finished
from bench._inside import Inside, inside
from tests.servers.dns import DnsServer
from tests.servers.web import WebServer
from tools.web.addresses import PORTS, is_public
from tools.web.client import Resolve, Web
from workflows.errors import DeskhandError, Permanent

SMALL = {
    "/packed/gzip", "/packed/raw-deflate", "/document/billion-laughs", "/document/quadratic", "/document/external-file",
    "/document/JSON-objects", "/endless/body", "/endless/headers", "/loop", "/slow/drip",
}  # fmt: skip


async def run(full: bool) -> AsyncIterator[Figure]:
    """`W1`: connections; `W2.memory`: MB; `W2.seconds`. Small: ten bombs, full: all."""
    yield await finished("W1", unreached())
    with WebServer() as server:
        chosen = [bomb for bomb in bombs(server) if full or bomb.path in SMALL]
        costs = {bomb.path: await cost(server, bomb) for bomb in chosen}
        outside = len(server.asked("/secret"))
    for figure, field, goal in (("W2.memory", "rise", 64), ("W2.seconds", "seconds", 10)):
        worst = max(costs, key=lambda path: costs[path][field])
        yield at_most(figure, costs[worst][field], goal, bombs=len(costs), worst=worst)
    yield at_most("W2.outside", outside, 0, bombs=len(costs))


# ---------------------------------------------------------------- W1


async def unreached() -> Figure:
    """Every address that leads inside, asked for outright and by a redirect; the rival is a client without a guard."""
    cases = list(inside())
    with WebServer() as door, _traps() as (trap, port), DnsServer({}) as names, connections() as seen:
        web = Web(permit=door.permit, ports=PORTS | {port}, resolve=resolver(names))
        roads = [(case, url) for case in cases for url in _roads(door, case, port)]
        fetched = []
        for case, url in roads:
            _answer(names, case)
            if await _is_fetched(web, url):
                fetched.append(case.name)
        reached = [one for one in seen if _leads_inside(one, door.port)]
        caught = trap()
        seen.clear()
        rival = await _unguarded([url for case, url in roads if not case.answers], lambda: len(seen))
    return at_most(
        "W1", len(reached) + caught + len(fetched), 0, cases=len(cases), roads=len(roads), unguarded=rival
    )  # fmt: skip


def resolver(server: DnsServer) -> Resolve:
    """Names by this DNS server, both families, each question asked anew."""

    def ask(host: str) -> tuple[str, ...]:
        found: list[str] = []
        for kind in ("A", "AAAA"):
            with contextlib.suppress(dns.exception.DNSException):
                found += [str(record) for record in server.resolver().resolve(host, kind, lifetime=3)]
        if not found:
            raise OSError("no such name")
        return tuple(found)

    async def resolve(host: str) -> tuple[str, ...]:
        return await asyncio.to_thread(ask, host)

    return resolve


@contextlib.contextmanager
def _traps() -> Iterator[tuple[Callable[[], int], int]]:
    """Listeners on IPv4 and IPv6 loopback at one port; how many connections they took."""
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(WebServer())
        others = [
            stack.enter_context(WebServer(host, first.port)) for host in ("127.1.2.3", "::1") if _is_here(host)
        ]  # fmt: skip
        for server in (first, *others):
            server.put("/", "inside")
        yield lambda: sum(server.connections for server in (first, *others)), first.port


def _is_here(host: str) -> bool:
    import socket

    try:
        with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            return True
    except OSError:
        return False


def _roads(door: WebServer, case: Inside, port: int) -> tuple[str, str]:
    """The address itself, and a public page that redirects to it."""
    url = case.url.replace("{port}", str(port))
    path = f"/to/{len(case.name)}/{abs(hash(case.name))}"
    location = url.encode().decode("latin-1")
    door.put(path, status=302, headers={"Location": location})
    return url, f"{door.url}{path}"


def _answer(names: DnsServer, case: Inside) -> None:
    host = case.url.partition("//")[2].partition(":")[0].rstrip(".")
    if not case.answers:
        return
    for kind, is_kind in (("A", lambda number: ":" not in number), ("AAAA", lambda number: ":" in number)):
        turns = [[number for number in answer if is_kind(number)] for answer in case.answers]
        names.turns[f"{host}.", kind] = turns[:-1]
        names.records[f"{host}.", kind] = turns[-1]


def _leads_inside(connection: Connection, door: int) -> bool:
    host, port = connection
    return port != door and not is_public(host)


async def _is_fetched(web: Web, url: str) -> bool:
    try:
        page = await web.get(url)
    except DeskhandError:
        return False
    return page.content == b"inside"


async def _unguarded(urls: list[str], attempts: Callable[[], int]) -> int:
    """How many connections a client without a guard opens for the same addresses."""
    before = attempts()
    async with httpx2.AsyncClient(follow_redirects=True, trust_env=False, timeout=1) as client:
        for url in urls:
            with contextlib.suppress(Exception):  # whatever such an address does to it: the attempt is what counts
                await client.get(url)
    return attempts() - before


# ---------------------------------------------------------------- W2


async def cost(server: WebServer, bomb: Bomb) -> dict[str, Any]:
    """`rise` in MB, `seconds` and `outcome` of one bomb in a process of its own."""
    url = f"{server.url}{bomb.path}"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "bench._fetch", url, bomb.kind,
        stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": "."},
    )  # fmt: skip
    said, _ = await child.communicate()
    if child.returncode:
        raise Permanent(f"The client ended with {child.returncode} at {bomb.path}.")
    return dict(json.loads(said))
