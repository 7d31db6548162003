"""The commands as the owner types them: exit codes, one plain sentence, JSON for scripts."""

import asyncio
import json
import os
import pty
import re
import resource
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from memory.record import schema
from memory.record.schema import open_engine, to_json, transaction
from workers.__main__ import main
from workers.cli import app, hoist
from workers.commands import bench, deciding, reading
from workers.control import ControlServer
from workers.home import hold
from workers.settings.environ import cache_folder
from workers.voice.output import Output, printable
from workflows.errors import NeedsOwner, Permanent
from workflows.models.case import CaseState
from workflows.models.decisions import Answer, Reject
from workflows.models.drafts import Brief, Draft, Outgoing, Source
from workflows.models.mail import Address

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
THURSDAY = NOW + timedelta(days=3)
LETTER = {"rule": "newsletter", "sender": "news@shop.example", "reason": "A list."}
SETTINGS = """
[owner]
name = "Ada Winter"
address = "ada@winter.example"
timezone = "Europe/Berlin"
[imap]
host = "127.0.0.1"
[smtp]
host = "127.0.0.1"
"""


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, from a working directory that is not ours."""
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin", "HOME": "/nonexistent"}
    return subprocess.run(
        [sys.executable, "-P", "-m", "workers", *arguments],
        env={**environment, **options.pop("env", {})}, cwd="/", text=True, capture_output=True, timeout=60, check=False,
        **options,
    )  # fmt: skip


def events(text: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in text.splitlines()]
    assert all("event" in one for one in found)
    return found


# ---------------------------------------------------------------- a home with a story in it


def outgoing(version: int, body: str) -> Outgoing:
    return Outgoing(
        case=1, version=version, to=(Address(email="maria@studio.example", name="Maria Alvarez"),),
        subject="Re: Kick-off date?", body=body,
    )  # fmt: skip


def seen(key: str, state: str, **values: Any) -> dict[str, Any]:
    row = {"rule": "person", "reason": "A person writes.", "case": 0, "client": "", "sender": "", "subject": ""}
    return {"key": key, "kind": "mail", "state": state, "event": "", "at": NOW, **row, **values}


def state(number: int, stage: str, **values: Any) -> CaseState:
    return CaseState(case=number, client="c1", stage=stage, **values)  # type: ignore[arg-type]


def case_row(kept: CaseState, title: str, closed_at: datetime | None = None) -> dict[str, Any]:
    times = {"opened_at": NOW, "updated_at": NOW + timedelta(minutes=kept.case), "closed_at": closed_at}
    row = {"number": kept.case, "kind": "reply", "client": "c1", "title": title, "stage": kept.stage}
    return {**row, "state": to_json(kept), **times}


def fill(home: Path) -> None:
    (home / "deskhand.toml").write_text(SETTINGS)
    (home / "deskhand.toml").chmod(0o600)
    first = {"case": 1, "version": 1, "changed": "", "hash": "h1", "state": "superseded", "by": "template"}
    second = {"case": 1, "version": 2, "changed": "shorter", "hash": "h2", "state": "current", "by": "model"}
    draft = Draft(
        body="Thursday works.", gist="Says Thursday", model="qwen3:8b", why=("asked for a date",), cost="0.01"
    )
    answer = Answer(key="k", case=2, version=1, decision=Reject(reason="too cheap"), words="no, too cheap")
    rows: list[tuple[Any, dict[str, Any]]] = [
        (schema.clients, {"id": "c1", "name": "Maria Alvarez", "written_to": 1, "never": 0, "hold": "", "at": NOW}),
        (schema.cases, case_row(state(1, "waiting", version=2, round=1, expires_at=THURSDAY), "Kick-off date?")),
        (schema.cases, case_row(state(2, "closed", version=1, outcome="rejected", reason="too cheap"), "Logo?", NOW)),
        (schema.cases, case_row(state(3, "needs_owner", hold="a complaint"), "This is \x1b[31munacceptable")),
        (schema.seen, seen("a" * 64, "delivered", case=1, sender="maria@studio.example", subject="Kick-off date?")),
        (schema.seen, seen("b", "ignored", **LETTER, subject="Sale")),
        (schema.seen, seen("c", "ignored", **LETTER, subject="Sale 2")),
        (schema.seen, seen("blob:d", "quarantined", rule="malformed", subject="?", reason="It could not be read.")),
        (schema.documents, {"id": "mail:" + "a" * 12, "client": "c1", "case": 1, "kind": "received",
                            "text": "Does Thursday work?", "at": NOW}),
        (schema.briefs, {"case": 1, "at": NOW, "brief": to_json(Brief(
            case=1, sources=(Source(id="mail:123", kind="received", quote="We said Thursday."),)))}),
        (schema.versions, {**first, "outgoing": to_json(outgoing(1, "First.\n")), "draft": to_json(draft), "at": NOW}),
        (schema.versions, {**second, "outgoing": to_json(outgoing(2, "Thursday works.\n")), "draft": to_json(draft),
                           "at": NOW + timedelta(minutes=5)}),
        (schema.answers, {"key": "k", "case": 2, "version": 1, "answer": to_json(answer), "state": "handled",
                          "result": "closed", "at": NOW}),
        (schema.outbox, {"intent": "ask:1.2:1", "purpose": "approval", "case": 1, "version": 2, "hash": "h",
                         "recipients": '["ada@winter.example"]', "state": "sent", "message_id": "<m@x>", "at": NOW}),
        (schema.outbox, {"intent": "send:2.1", "purpose": "client", "case": 2, "version": 1, "hash": "h",
                         "recipients": '["maria@studio.example"]', "state": "uncertain",
                         "detail": "The server gave no answer.", "at": NOW}),
        (schema.notes, {"case": 1, "what": "Asked once more.", "at": NOW}),
        (schema.calls, {"case": 1, "version": 2, "step": "draft", "ordinal": 1, "prompt_hash": "p", "model": "qwen3:8b",
                        "state": "done", "input_tokens": 900, "output_tokens": 80, "cost": "0.01", "at": NOW}),
    ]  # fmt: skip
    engine = open_engine(home / "ledger.sqlite")
    with transaction(engine) as connection:
        for table, values in rows:
            connection.execute(insert(table).values(**values))
    engine.dispose()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    fill(tmp_path)
    return tmp_path


# ---------------------------------------------------------------- the door itself


def test_global_options_stand_anywhere():
    assert hoist(["--home", "h", "case", "4", "--json"]) == (["--home", "h", "--json"], ["case", "4"])
    assert hoist(["case", "--home=h", "4", "--debug"]) == (["--home=h", "--debug"], ["case", "4"])
    assert hoist(["case", "4", "--home"]) == (["--home"], ["case", "4"])
    assert hoist(["reject", "4", "--", "--json"]) == ([], ["reject", "4", "--", "--json"])
    assert hoist(["--debug", "test", "-k", "x", "--json"]) == (["--debug"], ["test", "-k", "x", "--json"])
    assert hoist(["reject", "4", "test", "--json"]) == (["--json"], ["reject", "4", "test"])


def test_help_lists_every_command_and_is_quick():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert done.returncode == 0
    names = "demo init check up status cases case approve edit reject later mine stop resume test bench"
    for name in names.split():
        assert f" {name} " in done.stdout
    assert seconds < 2  # of the processor: 0.3 on an idle machine


def test_neither_help_nor_status_imports_what_is_heavy(home: Path):
    look = (
        "import sys; from workers.__main__ import main; code = main({arguments}); "
        "heavy = [name for name in ('temporalio', 'chromadb', 'langchain_core', 'langgraph', 'openai', 'imaplib2', "
        "'numpy') if name in sys.modules]; print(heavy, file=sys.stderr); sys.exit(code)"
    )
    for arguments in (["--help"], ["status", "--home", str(home)], ["cases", "--home", str(home)]):
        code = look.format(arguments=arguments)
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "[]"), done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["stauts"], "Did you mean 'status'"),
        (["case"], "Missing argument"),
        (["case", "forty"], '"forty" is not a case.'),
        (["case", "0"], '"0" is not a case.'),
        (["case", "41.2.3"], "is not a case"),
        (["cases", "--limit", "many"], "should be a valid integer. See"),
        (["--home"], "requires an argument"),
        (["up"], "Run ./deskhand init."),
        (["init"], "There is no terminal to ask on. Give your answers in a file"),
        (["bench", "nothing-like-it"], 'There is no measurement "nothing-like-it".'),
        (["demo", "--mail", "/nonexistent.eml"], "There is no file /nonexistent.eml."),
    ],
)
def test_what_must_be_mended_is_one_plain_sentence_and_exit_2(tmp_path: Path, arguments: list[str], words: str):
    with_home = arguments if arguments == ["--home"] else [*arguments, "--home", str(tmp_path)]
    done = run(*with_home, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_ctrl_c_while_the_commands_load_ends_without_a_traceback():
    code = (
        "import sys\n"
        "class Interrupts:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'typer': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupts())\n"
        "from workers.__main__ import main\n"
        "sys.exit(main(['--help']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_with_json_an_error_is_an_event_too(tmp_path: Path):
    done = run("status", "--json", "--home", str(tmp_path))
    (error,) = events(done.stdout)
    assert error["event"] == "error"
    assert error["problem"] == f"There is no ledger yet in {tmp_path}."
    assert "./deskhand init" in error["mend"]
    assert done.returncode == 2


def test_a_bare_call_shows_the_help_and_nothing_else():
    done = run()
    assert "Usage: ./deskhand" in done.stdout
    assert done.stderr == ""
    assert done.returncode == 2


def test_an_unexpected_error_is_a_sentence_and_a_traceback_only_with_debug(home: Path):
    engine = open_engine(home / "ledger.sqlite")
    with transaction(engine) as connection:
        connection.execute(schema.cases.update().values(state="{"))
    engine.dispose()
    done = run("cases", "--home", str(home))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "--debug" in done.stderr
    assert "Traceback" in run("cases", "--home", str(home), "--debug").stderr


def test_a_reader_that_leaves_early_sees_no_complaint(home: Path):
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "workers", "case", "1", "--home", str(home)],
        env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    assert child.stderr.read() == b""
    child.wait()
    child.stderr.close()


def test_a_ledger_of_a_newer_version_is_refused(home: Path):
    engine = open_engine(home / "ledger.sqlite")
    with transaction(engine) as connection:
        connection.execute(schema.meta.update().where(schema.meta.c.key == "schema").values(value="999"))
    engine.dispose()
    done = run("cases", "--home", str(home))
    assert done.returncode == 2
    assert "written by a newer Deskhand" in done.stderr


def test_a_home_in_use_is_refused_with_its_holder(home: Path, capsys: pytest.CaptureFixture[str]):
    with hold(home, "up"):
        assert main(["up", "--home", str(home)]) == 2
    assert f"process {os.getpid()}, since" in capsys.readouterr().err


# ---------------------------------------------------------------- looking


def test_status_says_what_waits_what_is_unwell_and_what_was_ignored(home: Path):
    done = run("status", "--home", str(home))
    assert done.returncode == 0
    for words in (
        "Deskhand is not running",
        "1.2 Maria Alvarez: Kick-off date?, until Thu 26 Nov 10:00",
        "a complaint",
        "2.1 to maria@studio.example (uncertain",
        "The server gave no answer.",
        "Ignored so far: 2 (newsletter 2)",
        "news@shop.example",
        "Quarantined so far: 1 (malformed 1)",
        "Model today: ",
    ):
        assert words in done.stdout
    assert "\x1b" not in done.stdout


def test_status_as_json_is_one_object(home: Path):
    (found,) = events(run("status", "--json", "--home", str(home)).stdout)
    assert found["event"] == "status"
    assert found["service"] == {"running": False, "doing": []}
    assert [one["case"] for one in found["waiting"]] == [1]
    assert [one["case"] for one in found["needs_you"]] == [3]
    assert found["ignored"]["by_rule"] == {"newsletter": 2}
    assert found["unsettled"][0]["intent"] == "send:2.1"


def test_status_works_with_broken_settings_and_says_so(home: Path):
    (home / "deskhand.toml").write_text("[owner]\nnam = 1\n")
    done = run("status", "--home", str(home))
    assert done.returncode == 0
    assert 'Did you mean "name"?' in done.stdout


def test_cases_are_listed_newest_first(home: Path):
    lines = run("cases", "--home", str(home)).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["CASE", "3", "2.1", "1.2"]
    assert "rejected" in lines[2]
    found = events(run("cases", "--open", "--json", "--home", str(home)).stdout)
    assert [one["case"] for one in found] == [3, 1]


@pytest.mark.parametrize(
    ("kind", "begins"),
    [
        ("mail", 'Acme wrote "A subject"'), ("sent", 'You wrote "A subject"'), ("lead", 'Acme listed "A subject"'),
        ("debt", 'It is due: "A subject"'), ("period", 'A period is over: "A subject"'),
    ],
)  # fmt: skip
def test_only_who_wrote_is_said_to_have_written(kind: str, begins: str) -> None:
    one = {"kind": kind, "sender": "Acme", "subject": "A subject", "rule": "start", "reason": "why", "text": ""}
    assert reading._mail_text(one) == f"{begins} (start: why)"


def test_a_case_is_told_whole(home: Path):
    text = run("case", "1", "--home", str(home)).stdout
    for words in (
        "Case 1: Kick-off date?", "Does Thursday work?", "Version 1 (superseded)", "First.", "Version 2 (current)",
        "Changed: shorter", "Why: asked for a date", "Thursday works.", "To: Maria Alvarez <maria@studio.example>",
        "approval mail to ada@winter.example: sent", "900 + 80 tokens", "Asked once more.", "We said Thursday.",
    ):  # fmt: skip
        assert words in text
    assert text.index("Version 1 (superseded)") < text.index("Version 2 (current)")
    (found,) = events(run("case", "1", "--json", "--home", str(home)).stdout)
    assert [one["body"] for one in found["versions"]] == ["First.\n", "Thursday works.\n"]
    (found,) = events(run("case", "2", "--json", "--home", str(home)).stdout)
    assert found["answers"][0]["decision"] == "reject"
    assert found["answers"][0]["words"] == "no, too cheap"


def test_an_unknown_case_names_the_last_one(home: Path):
    done = run("case", "99", "--home", str(home))
    assert done.returncode == 2
    assert "There is no case 99. The last one is 3." in done.stderr


def test_what_a_mail_says_cannot_steer_the_terminal():
    assert printable("a\x1b[2Jb\u202ec\u200dd\r\ne\x07\U000e0041") == "a\ufffd[2Jb\ufffdc\ufffdd\ne\ufffd\ufffd"


# ---------------------------------------------------------------- deciding


class Heard:
    """The running service's side: keeps what it hears and answers as it is told to."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, dict[str, Any]]] = []
        self.answer: dict[str, Any] = {"ok": True, "says": "approved 1.2, leaves in 60 s"}
        self.error: Exception | None = None

    def handler(self, name: str) -> Any:
        async def hear(**arguments: Any) -> dict[str, Any]:
            self.commands.append((name, arguments))
            if self.error:
                raise self.error
            return self.answer

        return hear


COMMANDS = ("approve", "edit", "reject", "later", "mine", "stop", "resume", "auto", "stop_auto", "status")


@pytest.fixture
async def heard(home: Path) -> AsyncIterator[Heard]:
    made = Heard()
    server = ControlServer(home, {name: made.handler(name) for name in COMMANDS})
    await server.start()
    yield made
    await server.stop()


async def command(home: Path, *arguments: str) -> int:
    return await asyncio.to_thread(main, [*arguments, "--home", str(home)])


async def test_approve_sends_exactly_that_version(home: Path, heard: Heard, capsys: pytest.CaptureFixture[str]):
    assert await command(home, "approve", "1.2") == 0
    ((name, arguments),) = heard.commands
    key = arguments.pop("key")
    assert len(key) == 32
    assert (name, arguments) == ("approve", {"case": 1, "version": 2})
    assert capsys.readouterr().out == "approved 1.2, leaves in 60 s\n"


async def test_every_answer_reaches_the_service(home: Path, heard: Heard, tmp_path: Path):
    text = tmp_path / "text"
    text.write_text("My own words.\n")
    for arguments in (
        ["edit", "1.2", str(text), "--send"], ["reject", "1", "too", "cheap"], ["later", "1.2", "tomorrow", "9:00"],
        ["mine", "1"], ["stop"], ["resume"], ["auto", "reply"], ["stop", "auto", "reply"], ["stop", "auto"],
    ):  # fmt: skip
        assert await command(home, *arguments) == 0
    without_keys = [(name, {k: v for k, v in given.items() if k != "key"}) for name, given in heard.commands]
    assert without_keys == [
        ("edit", {"case": 1, "version": 2, "text": "My own words.\n", "send": True}),
        ("reject", {"case": 1, "version": 0, "reason": "too cheap"}),
        ("later", {"case": 1, "version": 2, "when": "tomorrow 9:00"}),
        ("mine", {"case": 1, "version": 0}),
        ("stop", {}),
        ("resume", {}),
        ("auto", {"kind": "reply"}),
        ("stop_auto", {"kind": "reply"}),
        ("stop_auto", {}),
    ]


async def test_stop_with_words_it_does_not_know_stops_nothing(
    home: Path, heard: Heard, capsys: pytest.CaptureFixture[str]
):
    assert await command(home, "stop", "aut", "reply") == 2
    assert 'nothing to stop that is called "aut reply"' in capsys.readouterr().err
    assert heard.commands == []


async def test_json_of_an_answer(home: Path, heard: Heard, capsys: pytest.CaptureFixture[str]):
    assert await command(home, "approve", "1.2", "--json") == 0
    assert events(capsys.readouterr().out) == [
        {"event": "approve", "case": 1, "version": 2, "ok": True, "says": "approved 1.2, leaves in 60 s"}
    ]


async def test_a_refusal_is_told_on_stderr_with_its_exit_code(
    home: Path, heard: Heard, capsys: pytest.CaptureFixture[str]
):
    heard.answer = {"ok": False, "says": "version 1 is superseded by 2"}
    assert await command(home, "approve", "1.1") == 1
    found = capsys.readouterr()
    assert (found.out, found.err) == ("", "version 1 is superseded by 2\n")
    heard.error = NeedsOwner('"soon" is not a time.', 'Say "2d".')
    assert await command(home, "later", "1", "soon") == 2
    assert capsys.readouterr().err == '"soon" is not a time. Say "2d".\n'


@pytest.mark.parametrize(
    ("which", "words"),
    [("99.1", "There is no case 99. The last one is 3."), ("1.7", "Case 1 has no version 7. The latest is 1.2.")],
)
async def test_a_slip_of_the_finger_gets_a_plain_answer(
    home: Path, heard: Heard, capsys: pytest.CaptureFixture[str], which: str, words: str
):
    heard.error = Permanent("There is no such row.")
    assert await command(home, "approve", which) == 2
    assert words in capsys.readouterr().err
    assert await command(home, "approve", "1.2") == 1
    assert capsys.readouterr().err == "There is no such row.\n"


async def test_status_of_a_running_service(home: Path, heard: Heard, capsys: pytest.CaptureFixture[str]):
    heard.answer = {"doing": ["watching INBOX"], "unwell": ["The model does not answer."]}
    assert await command(home, "status") == 0
    text = capsys.readouterr().out
    assert f"Deskhand is running (process {os.getpid()})" in text
    assert "watching INBOX" in text
    assert "The model does not answer." in text


@pytest.mark.parametrize(
    "arguments", [["approve", "1.2"], ["approve", "1"], ["reject", "1"], ["later", "1", "2d"], ["mine", "1"], ["stop"]]
)
def test_with_no_service_a_decision_says_how_to_start_it(home: Path, arguments: list[str]):
    done = run(*arguments, "--home", str(home), stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert "Start ./deskhand up" in done.stderr


async def test_approve_without_version_and_terminal_names_the_version(
    home: Path, heard: Heard, capsys: pytest.CaptureFixture[str]
):
    done = await asyncio.to_thread(run, "approve", "1", "--home", str(home), stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert "./deskhand approve 1.2" in done.stderr
    done = await asyncio.to_thread(run, "approve", "2", "--home", str(home), stdin=subprocess.DEVNULL)
    assert "Case 2 has no draft that waits for an answer" in done.stderr
    assert heard.commands == []


@pytest.mark.parametrize(("typed", "code", "sent"), [("yes\n", 0, True), ("\n", 1, False), ("no\n", 1, False)])
async def test_approve_on_a_terminal_shows_the_text_and_asks(
    home: Path, heard: Heard, typed: str, code: int, sent: bool
):
    ours, theirs = pty.openpty()
    os.write(ours, typed.encode())
    done = await asyncio.to_thread(run, "approve", "1", "--home", str(home), stdin=theirs)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == code, done.stderr
    assert "To: Maria Alvarez <maria@studio.example>" in done.stdout
    assert "Thursday works." in done.stdout
    assert bool(heard.commands) == sent
    if sent:
        given = heard.commands[0][1]
        assert (given["case"], given["version"], given["hash"]) == (1, 2, "h2")


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot be read"), (b"", "is empty"), (b"\xff\xfe", "not UTF-8"), (b" \n", "is empty")],
)
async def test_a_text_that_cannot_be_sent_is_refused(
    home: Path, heard: Heard, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, words: str
):
    file = tmp_path / "text"
    if content is not None:
        file.write_bytes(content)
    assert await command(home, "edit", "1.2", str(file)) == 2
    assert words in capsys.readouterr().err
    assert heard.commands == []


def test_too_long_a_text_is_refused(tmp_path: Path):
    file = tmp_path / "text"
    file.write_text("x" * (deciding.LARGEST_TEXT + 1))
    with pytest.raises(NeedsOwner, match="too long"):
        deciding.edit(Output(tmp_path), "1.2", file, send=False)


# ---------------------------------------------------------------- test and bench


def test_the_runner_gets_its_arguments_and_its_summary_is_last(tmp_path: Path):
    cache = {"XDG_CACHE_HOME": str(cache_folder().parent)}  # where the Temporal CLI lies: a second one takes minutes
    file = tmp_path / "test_two.py"
    file.write_text("def test_good(): pass\ndef test_bad(): assert 0\n")
    done = run("test", str(file), "-q", "--rootdir", str(tmp_path), "-c", os.devnull, env=cache)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("1 failed, 1 passed")
    assert run("test", str(file), "--json", env=cache).returncode == 4  # the runner's own word for a wrong option


MEASURE = """
def run(full):
    yield {"id": "G1", "value": 3 if full else 1, "floor": 2, "ratio": 0.5, "goal": "<= 2", "ok": not full}
"""
MEASURE_LATER = """
async def run(full):
    yield {"id": "G2", "value": 7, "goal": ">= 5", "ok": True}
"""


def test_bench_runs_every_measurement_and_fails_when_a_goal_is_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder = tmp_path / f"bench_{tmp_path.name.replace('-', '_')}"
    folder.mkdir()
    (folder / "one.py").write_text(MEASURE)
    (folder / "two.py").write_text(MEASURE_LATER)
    (folder / "support.py").write_text("def other(): pass\n")
    assert bench.run(Output(tmp_path, as_json=True), "", full=False, folder=folder) == 0
    found = events(capsys.readouterr().out)
    assert [one["id"] for one in found] == ["G1", "G2"]
    assert found[0]["event"] == "figure"
    assert bench.run(Output(tmp_path), "one", full=True, folder=folder) == 1
    assert "MISSED" in capsys.readouterr().out


def test_every_command_is_documented_and_every_documented_command_exists():
    text = (ROOT / "docs" / "commands.md").read_text("utf-8")
    documented = {found.split()[0] for found in re.findall(r"^\| `([a-z][^`]*)` \|", text, re.MULTILINE)}
    registered = {found.name or found.callback.__name__ for found in app.registered_commands if found.callback}
    assert documented == registered
