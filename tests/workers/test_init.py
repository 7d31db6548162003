"""`init`: finds the servers, tries both logins, writes the settings."""

import asyncio
import http.server
import json
import os
import pty
import re
import select
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.dns import DnsServer
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.money.invoices import TEMPLATE
from workers.settings.loading import load
from workers.setup import init as setup
from workers.setup.discovery import Finder, MailServers, Server, from_table, parse_autoconfig
from workers.setup.discovery import _providers as providers
from workers.voice.output import Output
from workflows.errors import NeedsOwner

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "ada@winter.example"


def quiet(_text: str) -> None:
    """Progress that nobody reads."""


# ---------------------------------------------------------------- the table


def test_the_table_is_whole():
    seen: set[str] = set()
    for one in providers():
        assert one["name"]
        assert one["domains"] or one["mx"]
        assert seen.isdisjoint(one["domains"])
        seen.update(one["domains"])
        if "refused" not in one and not one.get("same_as_mx"):
            for kind in ("imap", "smtp"):
                assert re.fullmatch(r"[a-z0-9.-]+:\d+", one[kind])
                port, tls = one[kind].rpartition(":")[2], one.get(f"{kind}_tls", "implicit")
                assert (port, tls) in {
                    ("993", "implicit"), ("465", "implicit"), ("587", "starttls"),
                    ("1143", "starttls"), ("1025", "starttls"),
                }  # fmt: skip
    assert len(seen) > 100


def test_a_known_provider_is_found_with_what_its_owner_must_know():
    found = from_table("Ada.Winter@Gmail.com")
    assert found is not None
    assert found.imap == Server(host="imap.gmail.com", port=993)
    assert "app password" in found.note
    free = from_table("ada@free.fr")
    assert free is not None
    assert free.user == "ada"
    assert from_table(ADDRESS) is None


@pytest.mark.parametrize("address", ["ada@outlook.com", "ada@hotmail.de", "ada@tuta.com"])
def test_a_provider_without_passwords_is_refused_with_what_to_do(address: str):
    with pytest.raises(NeedsOwner) as caught:
        from_table(address)
    assert "at another provider" in caught.value.problem
    assert "--answers" in caught.value.mend


# ---------------------------------------------------------------- autoconfig, DNS, names

AUTOCONFIG = """<?xml version="1.0"?>
<clientConfig version="1.1"><emailProvider id="winter.example">
  <incomingServer type="pop3"><hostname>pop.winter.example</hostname><port>995</port><socketType>SSL</socketType></incomingServer>
  <incomingServer type="imap"><hostname>plain.winter.example</hostname><port>143</port><socketType>plain</socketType></incomingServer>
  <incomingServer type="imap"><hostname>imap.%EMAILDOMAIN%</hostname><port>993</port><socketType>SSL</socketType>
    <username>%EMAILLOCALPART%</username></incomingServer>
  <outgoingServer type="smtp"><hostname>smtp.%EMAILDOMAIN%</hostname><port>587</port><socketType>STARTTLS</socketType>
    <username>%EMAILADDRESS%</username></outgoingServer>
</emailProvider></clientConfig>"""  # noqa: E501
EXPECTED = MailServers(
    imap=Server(host="imap.winter.example", port=993),
    smtp=Server(host="smtp.winter.example", port=587, tls="starttls"),
    user="ada",
    source="autoconfig",
)
BOMB = """<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "xx"><!ENTITY c "&b;&b;">]><clientConfig>&c;</clientConfig>"""


def test_autoconfig_takes_the_first_encrypted_imap_server():
    assert parse_autoconfig(AUTOCONFIG.encode(), ADDRESS) == EXPECTED


@pytest.mark.parametrize("content", [BOMB, "", "<", "<html><body>Not found</body></html>", "\x00"])
def test_a_broken_or_hostile_autoconfig_answer_is_no_answer(content: str):
    try:
        assert parse_autoconfig(content.encode(), ADDRESS) is None
    except ValueError:
        assert content != "<html><body>Not found</body></html>"


@contextmanager
def web(certificates: Certificates, pages: dict[str, bytes]) -> Iterator[int]:
    """A real https server; "redirect:..." as a page answers 302."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0])
            if page is None:
                self.send_error(404)
            elif page.startswith(b"redirect:"):
                self.send_response(302)
                self.send_header("Location", page.removeprefix(b"redirect:").decode())
                self.end_headers()
            else:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.good.certificate, certificates.good.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join(PATIENCE)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def trusting(certificates: Certificates) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificates.ca))


def test_autoconfig_is_fetched_over_verified_https(certificates: Certificates):
    pages = {"/empty": b"", "/winter.example.xml": AUTOCONFIG.encode(), "/far": b"x" * 100_000}
    with web(certificates, pages) as port, DnsServer({}) as dns:
        place = f"https://localhost:{port}"
        urls = (f"{place}/no", f"{place}/far", f"{place}/empty", f"{place}/{{domain}}.xml?emailaddress={{address}}")
        finder = Finder(say=quiet, resolver=dns.resolver(), autoconfig=urls, tls=trusting(certificates))
        assert finder.find(ADDRESS) == EXPECTED
        stranger = Finder(say=quiet, resolver=dns.resolver(), autoconfig=urls, ports={"imap": (), "smtp": ()})
        assert stranger.find(ADDRESS) is None  # the system does not trust that authority


def test_autoconfig_never_leaves_https(certificates: Certificates):
    with web(certificates, {"/a": b"redirect:http://127.0.0.1:9/b"}) as port, DnsServer({}) as dns:
        finder = Finder(
            say=quiet, resolver=dns.resolver(), autoconfig=(f"https://localhost:{port}/a",),
            tls=trusting(certificates), ports={"imap": (), "smtp": ()},
        )  # fmt: skip
        assert finder.find(ADDRESS) is None


def test_a_domain_of_ones_own_at_a_big_provider_is_found_by_its_exchanger():
    records = {("winter.example.", "MX"): ["20 alt.aspmx.l.google.com.", "10 aspmx.l.google.com."]}
    with DnsServer(records) as dns:
        found = Finder(say=quiet, resolver=dns.resolver(), autoconfig=()).find(ADDRESS)
    assert found is not None
    assert (found.imap.host, found.user) == ("imap.gmail.com", ADDRESS)
    records = {("winter.example.", "MX"): ["0 winter-example.mail.protection.outlook.com."]}
    with DnsServer(records) as dns, pytest.raises(NeedsOwner, match="basic authentication is disabled"):
        Finder(say=quiet, resolver=dns.resolver(), autoconfig=()).find(ADDRESS)


def test_a_host_that_gives_each_customer_a_server_uses_the_exchanger():
    with DnsServer({("winter.example.", "MX"): ["10 w0123456.kasserver.com."]}) as dns:
        found = Finder(say=quiet, resolver=dns.resolver(), autoconfig=()).find(ADDRESS)
    assert found is not None
    assert found.imap == Server(host="w0123456.kasserver.com", port=993)
    assert found.smtp == Server(host="w0123456.kasserver.com", port=465)


def test_srv_records_name_the_servers():
    records = {
        ("_imaps._tcp.winter.example.", "SRV"): ["20 1 993 spare.winter.example.", "10 1 9993 mail.winter.example."],
        ("_submissions._tcp.winter.example.", "SRV"): ["0 0 0 ."],
        ("_submission._tcp.winter.example.", "SRV"): ["0 1 587 mail.winter.example."],
    }
    with DnsServer(records) as dns:
        found = Finder(say=quiet, resolver=dns.resolver(), autoconfig=()).find(ADDRESS)
    assert found is not None
    assert found.imap == Server(host="mail.winter.example", port=9993)
    assert found.smtp == Server(host="mail.winter.example", port=587, tls="starttls")


async def test_last_the_usual_names_are_tried(mailbox: DovecotUser, smtp_server: RecordingSmtp):
    with DnsServer({}) as dns:
        finder = Finder(
            say=quiet, resolver=dns.resolver(), autoconfig=(),
            ports={
                "imap": ((1, "implicit"), (mailbox.server.tls_port, "implicit")),
                "smtp": ((smtp_server.port, "starttls"),),
            },
        )  # fmt: skip
        found = await asyncio.to_thread(finder.find, "ada@localhost")
        await smtp_server.wait(lambda server: server.connections > 0)  # it must not be stopped half-way
    assert found is not None
    assert found.imap.host.endswith("localhost")
    assert (found.imap.port, found.smtp.port) == (mailbox.server.tls_port, smtp_server.port)


# ---------------------------------------------------------------- init with a file of answers


@pytest.fixture
def answers(tmp_path: Path, mailbox: DovecotUser, certificates: Certificates) -> Iterator[dict[str, Any]]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.good.certificate, certificates.good.key)
    with RecordingSmtp(tls="implicit", context=context, users={mailbox.user: mailbox.password}) as smtp:
        yield {
            "password": mailbox.password,
            "owner": {"name": "Ada Winter", "address": mailbox.user, "hours": "Mon-Thu 09:00-17:00", "country": "DE"},
            "imap": {
                "host": "127.0.0.1", "port": mailbox.server.tls_port, "tls": "implicit",
                "ca_file": str(mailbox.server.ca_file),
            },
            "smtp": {"host": "127.0.0.1", "port": smtp.port, "tls": "implicit", "ca_file": str(certificates.ca)},
            "profile": {"rate": "95 EUR/hour", "skills": ["python"]},
        }  # fmt: skip


def init(home: Path, answers: dict[str, Any], **options: Any) -> int:
    file = home.parent / "answers.json"
    file.write_text(json.dumps(answers))
    made = Output(home, as_json=options.pop("as_json", False))
    return setup.init(made, file, **{"force": False, "skip_login": False, **options})


def home_mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_answers_from_a_file_become_settings_that_log_in(tmp_path: Path, answers: dict[str, Any], capsys: Any):
    home = tmp_path / "home"
    assert init(home, answers, as_json=True) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["event"] for one in events] == ["login", "login", "written"]
    loaded = load(home)
    assert loaded.imap_account(home).password == answers["password"]
    assert loaded.smtp_account(home).password == answers["password"]
    assert loaded.owner.hours == "Mon-Thu 09:00-17:00"
    assert loaded.profile.skills == ("python",)
    assert answers["password"] not in (home / "deskhand.toml").read_text()
    assert home_mode(home / "deskhand.toml") == 0o600
    assert home_mode(home / "keys" / "imap") == 0o600
    assert home_mode(home) == 0o700


def test_existing_settings_are_kept_or_kept_aside(tmp_path: Path, answers: dict[str, Any]):
    home = tmp_path / "home"
    init(home, answers)
    before = (home / "deskhand.toml").read_bytes()
    with pytest.raises(NeedsOwner, match=r"exists and was left as it is. .*--force"):
        init(home, {**answers, "profile": {}})
    assert (home / "deskhand.toml").read_bytes() == before
    init(home, {**answers, "profile": {}}, force=True)
    assert load(home).profile.skills == ()
    assert (home / "deskhand.toml.old-1").read_bytes() == before


def test_a_folder_for_invoices_is_laid_and_never_touched_again(tmp_path: Path, answers: dict[str, Any]):
    home = tmp_path / "home"
    init(home, answers)
    template = home / "invoices" / "template.csv"
    assert template.read_text() == TEMPLATE
    assert home_mode(template) == 0o600
    assert home_mode(home / "projects" / "template.toml") == 0o600
    assert home_mode(home / "timesheets") == 0o700
    template.unlink()
    init(home, answers, force=True)
    assert not template.exists()


def test_a_refused_login_writes_nothing(tmp_path: Path, answers: dict[str, Any]):
    home = tmp_path / "home"
    with pytest.raises(NeedsOwner, match="refused the password"):
        init(home, {**answers, "password": "wrong"})
    assert not (home / "deskhand.toml").exists()
    assert list((home / "keys").iterdir()) == []
    assert init(home, {**answers, "password": "wrong"}, skip_login=True) == 0


def test_an_untrusted_server_gets_no_password(tmp_path: Path, answers: dict[str, Any]):
    answers["imap"].pop("ca_file")
    with pytest.raises(NeedsOwner, match="authority that this machine does not know"):
        init(tmp_path / "home", answers)


def without(answers: dict[str, Any], section: str, key: str) -> dict[str, Any]:
    return {**answers, section: {name: value for name, value in answers[section].items() if name != key}}


def test_a_missing_or_wrong_answer_is_one_sentence(tmp_path: Path, answers: dict[str, Any]):
    home = tmp_path / "home"
    for wrong, words in (
        (without(answers, "owner", "name"), "owner.name is missing"),
        (without(answers, "owner", "address"), "hold no mail address"),
        ({**answers, "owner": {**answers["owner"], "hours": "always"}}, "owner.hours must be working hours"),
        ({**answers, "imap": {**answers["imap"], "prot": 1}}, "imap.prot is not a setting"),
        ({**answers, "colour": "red"}, '"colour" stands outside of any section'),
        ({name: value for name, value in answers.items() if name != "password"}, "No password is set"),
    ):
        with pytest.raises(NeedsOwner) as caught:
            init(home, wrong)
        assert words in str(caught.value)
        assert not (home / "deskhand.toml").exists()


def test_servers_left_out_are_looked_for(tmp_path: Path, capsys: Any):
    given = {"password": "x", "owner": {"name": "Ada", "address": "ada@posteo.de"}}
    assert init(tmp_path / "home", given, skip_login=True) == 0
    loaded = load(tmp_path / "home")
    assert (loaded.imap.host, loaded.smtp.host) == ("posteo.de", "posteo.de")
    assert "Found by the table of providers (Posteo)" in capsys.readouterr().out
    with DnsServer({}) as dns:
        nothing = Finder(say=quiet, resolver=dns.resolver(), autoconfig=(), ports={"imap": (), "smtp": ()})
        given["owner"]["address"] = ADDRESS  # type: ignore[index]
        with pytest.raises(NeedsOwner, match=r"No mail servers were found for winter\.example"):
            init(tmp_path / "other", given, finder=nothing)


def test_toml_answers_are_read_as_well(tmp_path: Path):
    file = tmp_path / "answers.toml"
    file.write_text('password = "x"\n[owner]\nname = "Ada"\naddress = "ada@posteo.de"\n')
    assert setup.init(Output(tmp_path / "home"), file, force=False, skip_login=True) == 0
    file.write_text("owner = [")
    with pytest.raises(NeedsOwner, match="neither TOML nor JSON"):
        setup.init(Output(tmp_path / "other"), file, force=False, skip_login=True)


# ---------------------------------------------------------------- init on a terminal


async def test_the_questions_on_a_terminal(tmp_path: Path):
    """Wrong answers are asked again; the password is never shown."""
    home = tmp_path / "home"
    typed = [
        ("Your mail address", "ada"), ("Your mail address", "ada@posteo.de"), ("Use these?", "y"),
        ("Password of ada@posteo.de", "geheim"), ("Your name", "Ada Winter"), ("Time zone", "Europe/Belrin"),
        ("Time zone", "Europe/Berlin"), ("Working hours", ""), ("Country", "at"), ("Your language", ""),
        ("Your rate", "95 EUR/hour"), ("Your skills", "python, postgres"),
    ]  # fmt: skip
    shown = await asyncio.to_thread(talk, ["init", "--skip-login", "--home", str(home)], typed)
    assert "That is not a mail address." in shown
    assert "geheim" not in shown
    loaded = load(home)
    assert loaded.owner.model_dump(include={"name", "timezone", "country", "language"}) == {
        "name": "Ada Winter", "timezone": "Europe/Berlin", "country": "AT", "language": "de",
    }  # fmt: skip
    assert loaded.profile.skills == ("python", "postgres")
    assert loaded.imap_account(home).password == "geheim"


def talk(arguments: list[str], typed: list[tuple[str, str]]) -> str:
    """Run a command on a terminal of its own, typing each answer once its question is there."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "workers", *arguments],
        env={"PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "TERM": "dumb", "HOME": "/nonexistent"},
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    shown, read = "", 0
    for question, answer in typed:
        while question not in shown[read:]:
            assert select.select([ours], [], [], PATIENCE)[0], f"{question!r} was not asked:\n{shown}"
            shown += os.read(ours, 4096).decode()
        read = len(shown)
        os.write(ours, f"{answer}\n".encode())
    try:
        while part := os.read(ours, 4096):
            shown += part.decode()
    except OSError:
        pass  # the other end of the terminal is closed: the command has ended
    os.close(ours)
    assert child.wait(PATIENCE) == 0, shown
    return shown
