"""`check`: every part probed in a fixed order, each fault with its mend, against real servers."""

import asyncio
import json
import os
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.certificates import Certificates, make_certificates
from tests.servers.dovecot import Dovecot, DovecotUser
from tests.servers.openai import OpenAIServer
from tests.servers.smtp import RecordingSmtp
from tests.servers.web import WebServer
from tools.mail.account import Account
from workers.__main__ import main
from workers.check import connecting, probing, run
from workers.home import hold, prepare
from workflows.errors import NeedsOwner

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def serving(certificates: Certificates, name: str = "good") -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own = getattr(certificates, name)
    context.load_cert_chain(own.certificate, own.key)
    return context


@pytest.fixture
def smtp(certificates: Certificates, mailbox: DovecotUser) -> Iterator[RecordingSmtp]:
    users = {mailbox.user: mailbox.password}
    with RecordingSmtp(tls="starttls", context=serving(certificates), users=users) as server:
        yield server


class Home:
    """A home whose settings name the test's servers; `write` replaces single values."""

    def __init__(self, path: Path, mailbox: DovecotUser, smtp_port: int, ca: Path) -> None:
        self.path = prepare(path)
        self.values: dict[str, dict[str, Any]] = {
            "owner": {"name": "Ada", "address": mailbox.user},
            "imap": {
                "host": "127.0.0.1", "port": mailbox.server.tls_port, "tls": "implicit",
                "password_file": "keys/imap", "ca_file": str(mailbox.server.ca_file),
            },
            "smtp": {"host": "127.0.0.1", "port": smtp_port, "tls": "starttls", "ca_file": str(ca)},
        }  # fmt: skip
        self.secret = self.path / "keys" / "imap"
        self.secret.write_text(mailbox.password)
        self.secret.chmod(0o600)
        self.write()

    def write(self, section: str = "owner", **values: Any) -> None:
        self.values.setdefault(section, {}).update(values)
        lines = [
            f"[{name}]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in part.items())
            for name, part in self.values.items()
        ]
        file = self.path / "deskhand.toml"
        file.write_text("\n".join(lines))
        file.chmod(0o600)

    async def probes(self) -> dict[str, probing.Probe]:
        found = [probe async for probe in run.probes(self.path)]
        assert tuple(probe.name for probe in found) == run.ORDER
        for probe in found:
            assert probe.ok or (probe.problem and probe.mend), probe
        return {probe.name: probe for probe in found}


@pytest.fixture
def home(tmp_path: Path, mailbox: DovecotUser, smtp: RecordingSmtp, certificates: Certificates) -> Home:
    return Home(tmp_path / "home", mailbox, smtp.port, certificates.ca)


async def faults(home: Home) -> dict[str, str]:
    return {name: probe.problem for name, probe in (await home.probes()).items() if not probe.ok}


async def test_a_good_home_is_well_in_every_part(home: Home, smtp: RecordingSmtp, capsys: Any):
    assert await asyncio.to_thread(main, ["check", "--json", "--home", str(home.path)]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["name"] for one in found] == list(run.ORDER)
    assert {one["event"] for one in found} == {"probe"}
    assert all(one["ok"] for one in found if one["required"])
    details = {one["name"]: one["detail"] for one in found}
    assert "verified" in details["imap.tls"]
    assert "verified" in details["smtp.tls"]
    assert details["imap.sent"] == "Sent"
    assert smtp.transactions == []  # logging in sends nothing


async def test_a_fault_exits_2_with_its_mend(home: Home, capsys: Any):
    home.secret.write_text("wrong")
    assert await asyncio.to_thread(main, ["check", "--home", str(home.path)]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("FAIL  imap.login") and "refused the password" in line for line in lines)
    assert any(line.startswith("ok    imap.tls") for line in lines)


async def test_broken_settings_do_not_stop_the_rest(home: Home):
    home.write("imap", prot=1)
    found = await home.probes()
    assert 'Did you mean "port"?' in found["settings"].mend
    assert found["disk"].ok
    assert found["packages"].ok
    assert "settings have a fault" in found["imap.connect"].problem
    assert "settings have a fault" in found["model"].problem


async def test_a_missing_home_is_named(tmp_path: Path):
    found = {probe.name: probe async for probe in run.probes(tmp_path / "none")}
    assert "./deskhand init" in found["settings"].mend
    assert "./deskhand init" in found["home"].mend


async def test_an_open_home_is_named_with_the_command_that_closes_it(home: Home):
    home.path.chmod(0o755)
    found = (await home.probes())["home"]
    assert not found.ok
    assert f"chmod -R go= {home.path}" in found.mend


async def test_a_server_that_is_away_is_named_once(home: Home):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        home.write("imap", port=unused.getsockname()[1])
        found = await faults(home)
    assert "cannot be reached" in found["imap.connect"]
    later = [found[f"imap.{name}"] for name in ("tls", "login", "idle", "folders", "sent")]
    assert set(later) == {"Not tried, because the probe before it failed."}
    assert "smtp.connect" not in found


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("expired", "has expired"),
        ("wrong_name", "is for another host name"),
        ("self_signed", "self-signed"),
        ("foreign", "signed by an authority"),
    ],
)
async def test_each_wrong_certificate_is_told_apart_before_any_password(
    home: Home, certificates: Certificates, name: str, words: str
):
    with RecordingSmtp(tls="implicit", context=serving(certificates, name), users={"a": "b"}) as server:
        home.write("smtp", port=server.port, tls="implicit")
        found = await faults(home)
        assert words in found["smtp.tls"]
        assert "Not tried" in found["smtp.login"]
        assert server.logins == []


async def test_no_starttls_is_told(home: Home, certificates: Certificates):
    with RecordingSmtp(tls="starttls", context=serving(certificates), offer_starttls=False) as server:
        home.write("smtp", port=server.port)
        assert "does not offer STARTTLS" in (await faults(home))["smtp.tls"]


async def test_imap_by_starttls_is_well_too(home: Home, mailbox: DovecotUser):
    home.write("imap", port=mailbox.server.port, tls="starttls")
    assert {name for name in await faults(home) if name.startswith("imap")} == set()


async def test_a_silent_port_is_told(mailbox: DovecotUser):
    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for tls in ("implicit", "starttls"):
        with pytest.raises(NeedsOwner) as caught:
            await connecting.handshake(Account(host="127.0.0.1", port=port, tls=tls), "imap")
        assert caught.value.mend
    server.close()


async def test_missing_folders_are_named_with_those_there_are(home: Home):
    home.write("imap", folders=["INBOX", "Clients"], sent="Gesendet")
    found = await home.probes()
    assert 'no folder "Clients"' in found["imap.folders"].problem
    assert "INBOX" in found["imap.folders"].mend
    assert "Gesendet" in found["imap.sent"].problem


async def test_a_mailbox_without_a_sent_folder_is_told(tmp_path: Path, smtp: RecordingSmtp, certificates: Certificates):
    bare = Dovecot(special_use=False)
    bare.start()
    try:
        found = await Home(tmp_path / "home", bare.add_user(), smtp.port, certificates.ca).probes()
    finally:
        bare.stop()
    assert "No folder holds what you sent" in found["imap.sent"].problem


async def test_a_held_home_is_no_fault(home: Home):
    (home.path / "chroma").mkdir()
    with hold(home.path, "up"):
        found = (await home.probes())["memory"]
    assert found.ok
    assert f"process {os.getpid()}" in found.detail


async def test_a_damaged_store_is_rebuilt_and_told(home: Home):
    (home.path / "chroma").mkdir()
    (home.path / "chroma" / "chroma.sqlite3").write_bytes(b"junk" * 100)
    found = (await home.probes())["memory"]
    assert found.ok, found
    assert "rebuilt" in found.detail


async def test_a_model_is_asked_once(home: Home, openai_server: OpenAIServer):
    home.write("model", base_url=openai_server.url, name="stub")
    found = (await home.probes())["model"]
    assert found.ok, found
    assert len(openai_server.requests) == 1
    home.write("model", base_url="http://127.0.0.1:1/v1")
    found = (await home.probes())["model"]
    assert not found.ok


async def test_invoices_are_read_and_a_wrong_line_is_a_note(home: Home):
    assert "no invoices" in (await home.probes())["invoices"].detail
    (home.path / "invoices").mkdir()
    path = home.path / "invoices" / "a.csv"
    path.write_text("number,client,email,due,amount,currency\n1,Acme,a@acme.example,2026-11-15,10.00,EUR\n")
    assert (await home.probes())["invoices"].detail == "1 invoices in 1 files."
    path.write_text(path.read_text() + "2,Acme,a@acme.example,15/11/2026,10.00,EUR\n")
    found = (await home.probes())["invoices"]
    assert (found.ok, found.required) == (False, False)
    assert "a.csv, line 3, column due" in found.problem


async def test_projects_and_timesheets_are_read_and_a_fault_is_a_note(home: Home):
    assert "no projects" in (await home.probes())["work"].detail
    for name in ("projects", "timesheets"):
        (home.path / name).mkdir()
    project = home.path / "projects" / "relaunch.toml"
    project.write_text('name = "Relaunch"\nemail = "maria@studio.example"\n')
    (home.path / "timesheets" / "t.csv").write_text("date,project,description,hours\n2026-11-16,Relaunch,Header,2\n")
    assert (await home.probes())["work"].detail == "1 project, 1 piece of work."
    project.write_text('name = "Relaunch"\nemial = "maria@studio.example"\n')
    found = (await home.probes())["work"]
    assert (found.ok, found.required) == (False, False)
    assert "relaunch.toml, line 2: emial is not known" in found.problem


RSS = (
    '<?xml version="1.0"?><rss version="2.0"><channel><title>Jobs</title><link>https://board.example</link><item>'
    "<title>Django developer</title><link>https://board.example/7</link><guid>7</guid><description>Shop</description>"
    "</item></channel></rss>"
)


async def test_each_source_is_asked_once_and_one_that_gives_nothing_is_a_fault(home: Home):
    assert "No job posts" in (await home.probes())["sources"].detail
    with WebServer() as web:
        web.put("/good.rss", RSS, content_type="application/rss+xml")
        home.write("sources.good", use="rss", url=f"{web.url}/good.rss")
        assert (await home.probes())["sources"].detail == "1 source asked, 1 post there now."
        assert [one.path for one in web.requests] == ["/good.rss"]
        home.write("sources.gone", use="rss", url=f"{web.url}/gone.rss")
        found = (await home.probes())["sources"]
        assert (found.ok, found.required) == (False, True)
        assert "The source gone gives nothing" in found.problem
        assert "[sources.gone]" in found.mend
        with hold(home.path, "up"):
            asked = len(web.requests)
            assert "Asked by" in (await home.probes())["sources"].detail
            assert len(web.requests) == asked


async def test_a_file_of_which_nothing_was_read_is_a_fault_and_a_note_is_not_all_is_well(home: Home, capsys: Any):
    (home.path / "invoices").mkdir()
    path = home.path / "invoices" / "rechnungen.csv"
    good = "Rechnungsnummer;Kunde;E-Mail;Fällig am;Betrag;Währung\n7;Acme;a@acme.example;31.10.2026;1.200,00;EUR\n"
    path.write_text(good.replace("Rechnungsnummer", "Spalte A"))
    found = (await home.probes())["invoices"]
    assert (found.ok, found.required) == (False, True)
    assert "Nothing could be read of a file of invoices. rechnungen.csv, line 1" in found.problem
    assert await asyncio.to_thread(main, ["check", "--home", str(home.path)]) == 2
    path.write_text(f"{good}8;Acme;a@acme.example;31.10.2026;much;EUR\n")
    capsys.readouterr()
    assert await asyncio.to_thread(main, ["check", "--home", str(home.path)]) == 0
    shown = capsys.readouterr().out
    assert "All is well" not in shown
    assert 'Nothing hinders it. What is marked "note" is worth a look.' in shown
    path.write_text(good)
    assert (await home.probes())["invoices"].detail == "1 invoices in 1 files."


async def test_a_profile_that_bids_cannot_be_made_of_is_a_note(home: Home):
    assert "no profile is needed" in (await home.probes())["profile"].detail
    home.write("sources.board", use="rss", url="http://127.0.0.1:9/jobs.rss")
    home.write("profile", rate="95 EUR/hour")
    found = (await home.probes())["profile"]
    assert (found.ok, found.required) == (False, False)
    assert found.problem.startswith("The profile names no skills and no work:")
    home.write("profile", skills=["django"], work=[])
    assert "no work:" in (await home.probes())["profile"].problem


async def test_a_temporal_server_that_does_not_answer_is_told(home: Home):
    home.write("temporal", address="127.0.0.1:1")
    found = (await home.probes())["temporal"]
    assert "127.0.0.1:1 does not serve" in found.problem
    home.write("temporal", address="", cli="/bin/true")
    assert "temporal.cli names /bin/true" in (await home.probes())["temporal"].problem


def test_a_foreign_package_of_our_name_is_named(tmp_path: Path):
    foreign = tmp_path / "agents"
    foreign.mkdir()
    (foreign / "__init__.py").touch()
    code = (
        "import asyncio; from workers.check import machine, probing; "
        "print(asyncio.run(probing.probed('packages', machine.probe_packages)).problem)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}"}, cwd="/", text=True, capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == (f'The package "agents" comes from {foreign / "__init__.py"} and not from {ROOT}.')


async def test_a_probes_own_fault_does_not_stop_the_others():
    async def broken() -> str:
        raise ZeroDivisionError("by zero")

    found = await probing.probed("disk", broken)
    assert not found.ok
    assert "ZeroDivisionError" in found.problem


def test_every_probe_is_documented_in_its_order():
    text = (ROOT / "docs" / "check.md").read_text("utf-8")
    assert tuple(re.findall(r"^\| `([\w.]+)` \|", text, re.MULTILINE)) == run.ORDER


async def test_the_signature_that_is_left_out_of_answers_is_named(home: Home):
    found = (await home.probes())["signature"]
    assert found.ok
    assert found.detail.startswith("None is learnt yet")
    assert "owner.signature" in found.detail
    home.write("owner", signature="Ada Winter\nTexte · Musterweg 1")
    assert '"Ada Winter · Texte · Musterweg 1" (owner.signature)' in (await home.probes())["signature"].detail
    home.write("owner", signature="Ada Winter\nno")
    assert 'holds the line "no"' in (await home.probes())["settings"].problem
