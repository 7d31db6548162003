"""The guarded web client against real servers: what it fetches, what it refuses, and what it survives."""

import asyncio
import gzip
import json
import ssl
import threading
import time
import zlib
from datetime import timedelta

import pytest

from bench._bombs import bombs
from bench._connections import connections
from bench._inside import inside
from bench.web import cost, resolver, unreached
from tests.patience import PATIENCE, SHORTEST
from tests.servers.certificates import Authority
from tests.servers.dns import DnsServer
from tests.servers.web import WebServer
from tools.web.addresses import PORTS, is_own, is_public, reach_of, target
from tools.web.client import FetchLimits, NotServed, Response, Web, named, stands_in
from tools.web.markup import decode, html_to_text, parse_xml
from workflows.errors import Permanent, Retryable

HERE = "127.0.0.1"


@pytest.fixture
def site():
    with WebServer() as server:
        yield server


@pytest.fixture
def web(site):
    return Web(permit=site.permit)


def answered(content: bytes, content_type: str = "") -> Response:
    return Response(status=200, url="https://feed.example/x", headers={"content-type": content_type}, content=content)


# ---------------------------------------------------------------- what is fetched


async def test_a_page_comes_as_bytes_with_its_headers(site, web):
    site.put("/jobs?page=2", b"\xff\x00raw", content_type="application/octet-stream")
    page = await web.get(f"{site.url}/jobs?page=2#part")
    assert (page.status, page.content, page.url) == (200, b"\xff\x00raw", f"{site.url}/jobs?page=2")
    assert page.headers["content-type"] == "application/octet-stream"
    asked = site.requests[0].headers
    assert asked["host"] == site.netloc
    assert asked["user-agent"].startswith("Deskhand")
    assert "cookie" not in asked


async def test_a_second_question_for_the_same_page_costs_no_body(site, web):
    site.put("/feed", "news")
    first = await web.get(f"{site.url}/feed")
    again = await web.get(f"{site.url}/feed", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.content) == (304, b"")


def raw_deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw_deflate),
        ("identity", bytes), ("gzip", lambda content: gzip.compress(content[:99]) + gzip.compress(content[99:])),
    ],
)  # fmt: skip
async def test_compressed_pages_are_unpacked(site, web, encoding, pack):
    content = json.dumps([{"id": number} for number in range(20_000)]).encode()
    site.put("/packed", pack(content), headers={"Content-Encoding": encoding})
    assert (await web.get(f"{site.url}/packed")).content == content


async def test_headers_meant_for_one_server_do_not_travel_to_another(site, web):
    with WebServer() as other:
        other.put("/there", "arrived")
        site.put("/here", status=301, headers={"Location": f"{other.url}/there"})
        site.put("/same", status=302, headers={"Location": "/end"})
        site.put("/end", "kept")
        both = Web(permit=site.permit | other.permit)
        secret = {"X-API-TOKEN": "secret", "Authorization": "Bearer secret", "Accept": "application/json"}
        assert (await both.get(f"{site.url}/here", headers=secret)).text() == "arrived"
        assert "secret" not in str(other.requests[0].headers.values())
        assert other.requests[0].headers["accept"] == "application/json"
        assert (await both.get(f"{site.url}/same", headers=secret)).url == f"{site.url}/end"
        assert site.asked("/end")[0].headers["x-api-token"] == "secret"


async def test_a_caller_cannot_say_who_is_asked(site, web):
    site.put("/", "hi")
    await web.get(site.url, headers={"Host": "inner.example", "Connection": "keep-alive", "Accept-Encoding": "br"})
    asked = site.requests[0].headers
    assert (asked["host"], asked["connection"], asked["accept-encoding"]) == (site.netloc, "close", "gzip, deflate")
    with pytest.raises(Permanent, match="header is not valid"):
        await web.get(site.url, headers={"X-A": "b\r\nX-Forged: c"})


async def test_proxies_of_the_environment_are_not_asked(site, web, monkeypatch):
    with WebServer() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        site.put("/", "direct")
        assert (await web.get(site.url)).text() == "direct"
        assert proxy.connections == 0


# ---------------------------------------------------------------- names and numbers


async def test_nothing_that_leads_inside_is_ever_connected_to():
    figure = await unreached()
    assert figure["value"] == 0, figure
    assert figure["cases"] >= 100
    assert figure["unguarded"] >= 60, "the cases are harmless: a client without a guard is to be led inside by them"


@pytest.mark.parametrize("case", [case for case in inside() if case.name.startswith(("IPv4", "IPv6", "spelled"))])
def test_each_address_is_refused_by_itself(case):
    url = case.url.replace(":{port}", "")
    try:
        found = target(url)
    except Permanent:
        return
    assert found.is_inner or (found.is_address and not is_public(found.host)), found


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "1.1.1.1", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"]
)
def test_public_addresses_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize("address", ["", "x", "127.1", "fe80::1%lo", "2606::1%2", "1.2.3.4/8", "::ffff:1.1.1.1"])
def test_what_is_no_public_number_is_not(address):
    assert not is_public(address)


async def test_a_name_is_asked_once_and_the_answer_kept():
    """The second answer would lead inside: it is never asked for, and only the first address is connected to."""
    with DnsServer({}) as names, WebServer() as trap, connections() as seen:
        names.turns["rebind.example.", "A"] = [["93.184.215.14"], [HERE]]
        names.records["rebind.example.", "A"] = [HERE]
        web = Web(ports=PORTS | {trap.port}, resolve=resolver(names))
        with pytest.raises(Retryable, match="cannot be reached"):
            await web.get(f"http://rebind.example:{trap.port}/")
        assert names.asked.count(("rebind.example.", "A")) == 1
        assert set(seen) == {("93.184.215.14", trap.port)}
        assert trap.connections == 0


async def test_the_next_address_is_tried_when_one_is_away(site):
    async def two(host: str) -> tuple[str, ...]:
        return "127.9.9.9", HERE  # nobody listens at the first

    site.put("/", "second")
    web = Web(permit=frozenset({f"two.example:{site.port}"}), resolve=two)
    assert (await web.get(f"http://two.example:{site.port}/")).text() == "second"
    assert site.requests[0].headers["host"] == f"two.example:{site.port}"


async def test_a_name_that_nobody_knows_is_tried_again():
    with DnsServer({}) as names, pytest.raises(Retryable, match=r"The name gone\.example was not found"):
        await Web(resolve=resolver(names)).get("https://gone.example/")


async def test_a_permit_is_for_one_port_of_one_host(site):
    with WebServer() as other:
        with pytest.raises(Permanent, match="no public page uses"):
            await Web(permit=site.permit).get(other.url)
        with pytest.raises(Permanent, match="not a public address"):
            await Web(permit=site.permit, ports=frozenset({other.port})).get(other.url)
        assert other.connections == 0


def test_what_the_owner_sets_may_stand_inside_but_a_public_name_may_not_lead_there():
    assert reach_of("http://127.0.0.1:3000/feed") == ({"127.0.0.1:3000"}, {3000})
    assert reach_of("http://reader.lan/feed") == ({"reader.lan:80"}, {80})
    assert reach_of("http://[fd00::1]:8000/") == ({"fd00::1:8000"}, {8000})
    assert reach_of("https://jobs.example:8765/rss") == (frozenset(), {8765})
    assert reach_of("") == reach_of("http://127.1/") == (frozenset(), frozenset())


async def test_a_public_feed_whose_name_turns_inside_is_not_followed(site):
    permit, port = reach_of(f"http://jobs.example:{site.port}/rss")
    with DnsServer({("jobs.example.", "A"): [HERE]}) as names, pytest.raises(Permanent, match="not a public address"):
        await Web(permit=permit, ports=PORTS | port, resolve=resolver(names)).get(
            f"http://jobs.example:{site.port}/rss"
        )
    assert site.connections == 0


def test_this_machine_knows_its_own_numbers():
    assert is_own("127.0.0.1")
    assert not is_own("93.184.215.14")
    assert not is_own("2606:4700::1")


def test_an_international_name_is_asked_in_ascii():
    found = target("HTTPS://Bücher.Example/Straße?q=a b&c=ü")
    assert found.url == "https://xn--bcher-kva.example/Stra%C3%9Fe?q=a%20b&c=%C3%BC"
    assert (found.port, target("http://a.example:443/").netloc) == (443, "a.example:443")
    assert target("http://[2606:4700::1]:8080").url == "http://[2606:4700::1]:8080/"


# ---------------------------------------------------------------- TLS


@pytest.fixture
def secure(tmp_path):
    """A TLS server for pages.example on loopback, and the client that trusts its authority."""
    authority = Authority(tmp_path, "authority")
    paper = authority.issue(tmp_path, "pages", "pages.example")
    with WebServer(certificate=(str(paper.certificate), str(paper.key))) as server:
        server.put("/", "sealed")
        yield server, ssl.create_default_context(cafile=str(authority.path))


async def at_home(host: str) -> tuple[str, ...]:
    return (HERE,)


def client_of(server: WebServer, *hosts: str, tls: ssl.SSLContext | None = None) -> Web:
    return Web(permit=frozenset(f"{host}:{server.port}" for host in hosts), resolve=at_home, tls=tls)


async def test_tls_is_checked_for_the_name_though_a_number_is_connected_to(secure):
    server, trust = secure
    web = client_of(server, "pages.example", "other.example", tls=trust)
    assert (await web.get(f"https://pages.example:{server.port}/")).text() == "sealed"
    with pytest.raises(Permanent, match=r"other\.example shows a certificate"):
        await web.get(f"https://other.example:{server.port}/")
    with pytest.raises(Permanent, match="shows a certificate"):
        await client_of(server, "pages.example").get(f"https://pages.example:{server.port}/")


async def test_a_redirect_never_leaves_tls(secure, site):
    server, trust = secure
    server.put("/down", status=302, headers={"Location": f"{site.url}/"})
    web = Web(permit=site.permit | {f"pages.example:{server.port}"}, resolve=at_home, tls=trust)
    with pytest.raises(Permanent, match="from https to http"):
        await web.get(f"https://pages.example:{server.port}/down")
    assert site.connections == 0


# ---------------------------------------------------------------- what servers answer


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (Retryable, 429),
        (Retryable, 503),
        (Retryable, 500),
        *((NotServed, status) for status in (404, 410, 401, 403, 300)),
    ],
)
async def test_a_status_says_whether_trying_again_helps(site, web, status, kind):
    site.put("/x", "no", status)
    with pytest.raises(kind, match=f"answered {status}"):
        await web.get(f"{site.url}/x?token=secret")


async def test_how_long_a_server_asks_us_to_wait(site, web):
    waits = {"120": 120, "Mon, 23 Nov 2026 10:05:00 GMT": 300, "soon": 0, "Mon, 23 Nov 2026 09:00:00 GMT": 0, "": 0}
    for stated, seconds in waits.items():
        site.put("/x", "", 429, headers={"Retry-After": stated})
        with pytest.raises(Retryable) as told:
            await web.get(f"{site.url}/x")
        assert told.value.after == seconds


async def test_what_is_told_names_no_secret(site, web):
    with pytest.raises(Permanent) as told:
        await web.get(f"{site.url}/feed?api_key=hunter2")
    assert "hunter2" not in str(told.value)
    assert named("https://user:hunter2@a.example/x?y#z") == "https://...@a.example/x"
    assert len(named("https://a.example/" + "x" * 500)) <= 120


@pytest.mark.parametrize("raw", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive5"])
async def test_a_server_that_breaks_off_is_tried_again(site, web, raw):
    site.raw("/broken", lambda peer: peer.sendall(raw))
    with pytest.raises(Retryable):
        await web.get(f"{site.url}/broken")


async def test_a_compressed_answer_that_breaks_off_is_no_answer(site, web):
    half = gzip.compress(bytes(range(256)) * 100)[:200]
    site.put("/half", half, headers={"Content-Encoding": "gzip"})
    with pytest.raises(Retryable, match="in the middle"):
        await web.get(f"{site.url}/half")


async def test_a_server_that_is_away_is_tried_again(web, site):
    url = site.url
    site.__exit__()
    with pytest.raises(Retryable, match="cannot be reached"):
        await web.get(url)


async def test_caps_are_set_where_the_client_is_made(site):
    site.put("/big", b"x" * 1001)
    small = Web(permit=site.permit, limits=FetchLimits(size=1000, time=timedelta(seconds=0.3)))
    with pytest.raises(Permanent, match=r"larger than 1,000 bytes"):
        await small.get(f"{site.url}/big")
    site.raw("/slow", lambda peer: site.wait(PATIENCE))
    began = time.monotonic()
    with pytest.raises(Retryable, match=r"longer than 0\.3 seconds"):
        await small.get(f"{site.url}/slow")
    assert time.monotonic() - began < SHORTEST


async def test_exactly_the_cap_is_allowed(site):
    site.put("/full", gzip.compress(b"x" * 1000), headers={"Content-Encoding": "gzip"})
    web = Web(permit=site.permit, limits=FetchLimits(size=1000))
    assert len((await web.get(f"{site.url}/full")).content) == 1000


async def test_a_giver_up_leaves_no_connection_behind(site, web):
    loop, asked, left = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def slow(peer):
        loop.call_soon_threadsafe(asked.set)
        if peer.recv(1) == b"":
            left.set()

    site.raw("/slow", slow)
    fetching = asyncio.create_task(web.get(f"{site.url}/slow"))
    await asyncio.wait_for(asked.wait(), PATIENCE)
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert await asyncio.to_thread(left.wait, 10)


# ---------------------------------------------------------------- bombs (all of them: ./deskhand bench web --full)


@pytest.mark.parametrize("path", ["/packed/gzip", "/document/JSON-words", "/document/quadratic", "/endless/header"])
async def test_a_bomb_costs_little(site, path):
    bomb = next(one for one in bombs(site) if one.path == path)
    spent = await cost(site, bomb)
    assert spent["rise"] <= 64
    assert spent["seconds"] <= 10
    assert path == "/document/JSON-words" or spent["outcome"].startswith("Permanent")


# ---------------------------------------------------------------- only what stood in the source


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        ("see https://a.example/job.", True), ("<https://a.example/job>", True), ("(https://a.example/job)", True),
        ("https://a.example/job", True), ('href="https://a.example/job"', True), ("https://a.example/job, or", True),
        ("https://a.example/jobs", False), ("https://a.example/job/2", False), ("https://a.example/job?x=1", False),
        ("xhttps://a.example/job", False), ("https://b.example/?u=https://a.example/job", False), ("", False),
        ("https://a.example/job.html", False), ("https://a.example/jobs https://a.example/job", True),
    ],
)  # fmt: skip
def test_an_address_stands_in_a_text_whole(text, stands):
    assert stands_in("https://a.example/job", text) is stands


async def test_an_address_that_does_not_stand_there_is_not_fetched(site, web):
    site.put("/a", "hi")
    assert (await web.get(f"{site.url}/a", allowed_from=f"Our page: {site.url}/a.")).text() == "hi"
    for text in (f"{site.url}/ab", site.url, ""):
        with pytest.raises(Permanent, match="does not stand in the text"):
            await web.get(f"{site.url}/a", allowed_from=text)
    assert len(site.requests) == 1
    assert not stands_in("", "anything")


# ---------------------------------------------------------------- bytes to text, JSON, XML

WIDE = "<?xml version='1.0' encoding='utf-16'?><a/>"
JAPANESE = "<?xml version='1.0' encoding='shift_jis'?>求人"


@pytest.mark.parametrize(
    ("content", "content_type", "text"),
    [
        ("Grüße".encode(), "", "Grüße"),
        ("Grüße".encode(), "text/xml; charset=iso-8859-1", "Grüße"),
        ("Grüße".encode("latin-1"), "text/html; charset=utf-8", "Grüße"),
        ("Grüße €".encode("cp1252"), "", "Grüße €"),
        ("Grüße".encode("utf-8-sig"), "text/html; charset=latin-1", "Grüße"),
        ("Grüße".encode("utf-16"), "text/html", "Grüße"),
        (WIDE.encode("utf-16-le"), "", WIDE),
        (WIDE.encode(), "", WIDE),
        ("<meta charset=windows-1251>Привет".encode("cp1251"), "", "<meta charset=windows-1251>Привет"),
        (JAPANESE.encode("shift_jis"), "", JAPANESE),
        (b"plain", "text/html; charset=nonsense", "plain"),
        (b"\xff\xfe\x00", "", "\ufffd"),
        (b"", "", ""),
    ],
)  # fmt: skip
def test_a_page_is_read_whatever_it_says_of_its_letters(content, content_type, text):
    assert answered(content, content_type).text() == text


@pytest.mark.parametrize(
    "charset", ["zlib", "rot13", "idna", "punycode", "unicode_escape", "../../etc", "\0", "x" * 99]
)
def test_no_charset_can_do_harm(charset):
    assert decode(b"Gr\xc3\xbc\xc3\x9fe", charset) == "Grüße"


def test_json_is_json_or_says_what_it_is():
    assert answered(b'\xef\xbb\xbf {"a": [1]}').json() == {"a": [1]}
    for content, said in (
        (b"<!doctype html><p>blocked", "a web page where JSON"), (b'{"a": ', "broken JSON"), (b"", "broken JSON"),
        (b"[" * 50_000, "nested deeper than 100"), (b"[" * 102 + b"]" * 102, "nested deeper than 100"),
        (b"[]," * 200_000, "objects and lists"), (b"[" + b"1," * 1_000_001 + b"1]", "more than 1,000,000 values"),
    ):  # fmt: skip
        with pytest.raises(Permanent, match=said):
            answered(content).json()


def test_a_number_too_long_is_text_and_exact_ones_are_as_they_are_written():
    long = b"9" * 5_000
    assert answered(b'[{"a": ' + long + b', "b": 2, "c": 1.10}]').json() == [{"a": long.decode(), "b": 2, "c": 1.1}]
    assert answered(b"[12345678901234567.80, 3]").json(exact=True) == ["12345678901234567.80", 3]


def test_xml_is_read_whatever_it_says_of_its_letters():
    feed = '<?xml version="1.0" encoding="{}"?><rss xmlns:m="urn:m"><m:a m:b="c">Grüße\x0b</m:a></rss>'
    for written, stated in (("utf-8", "iso-8859-1"), ("cp1252", "utf-8"), ("utf-16", "utf-16"), ("utf-8", "klingon")):
        root = parse_xml(feed.format(stated).encode(written))
        assert (root.tag, root[0].tag, root[0].attrib, root[0].text) == ("rss", "{urn:m}a", {"{urn:m}b": "c"}, "Grüße")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "declares entities"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "declares entities"),
        ('<!DOCTYPE a [<!ENTITY % x SYSTEM "http://x.example/"> %x;]><a/>', "declares entities"),
        ("<html><p>not XML</html>", "a web page where XML was"), ("<a><b></a>", "mismatched tag in line 1"),
        ("", "no element found"), ("{}", "not XML"),
        ("<a>" * 101, "deeper than 100"), (f"<a>{'<b/>' * 100_001}</a>", "more than 100,000 elements"),
        ("<a " + "b='' " * 100_001 + "/>", "attributes"),
        ("<a>\n& <b></a>", "not well-formed .* in line 2"), ("<![CDATA[" * 100_000, "not XML"),
    ],
)  # fmt: skip
def test_xml_that_is_none_or_a_trick_is_refused(document, said):
    with pytest.raises(Permanent, match=said):
        parse_xml(document.encode())


def test_ampersands_are_read_as_they_are_meant():
    read = parse_xml(b"<a><b>C&A &nbsp;&eacute; &amp; &#8364; &LT;b> &nosuch;</b><c><![CDATA[R&D &nbsp;]]></c></a>")
    assert [node.text for node in read] == ["C&A \xa0\xe9 & \u20ac <b> &nosuch;", "R&D &nbsp;"]


def test_an_old_feed_with_its_doctype_is_read():
    doctype = '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://x.example/rss-0.91.dtd">'
    assert parse_xml(f'<?xml version="1.0"?>\n{doctype}<rss><channel/></rss>'.encode())[0].tag == "channel"


def test_html_that_would_take_minutes_is_read_as_its_words():
    began = time.process_time()
    assert html_to_text(f"<table><tr>{'<td>word' * 50_000}").startswith("word word")
    assert html_to_text(f"<style>{'div .a div{display:none}' * 200}</style>{'<div>' * 20_000}deep").strip() == "deep"
    assert html_to_text(f"<style>{'a' * 400_000}</style>shown") == "shown"
    assert time.process_time() - began < 20
