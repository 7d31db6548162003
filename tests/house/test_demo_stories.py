"""The demos as they are typed: each story from recorded input to what arrives, after a yes and after a no."""

import json
import os
import pty
import signal
import subprocess
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.house.running import ROOT, until
from tests.patience import PATIENCE
from tools.web.client import NotServed, Web
from workers.demo.run import STORIES
from workers.demo.site import DATA, Site, dated, recorded

Events = list[dict]
WEDNESDAY = datetime(2026, 11, 25, 10, 30, tzinfo=UTC)


def demo(folder: Path, story: str, answer: str) -> Events:
    """Its events, the way a user gets them; the exit code is what its last event says."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "workers", "demo", story, "--answer", answer, "--json"],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "TMPDIR": str(folder)},
        capture_output=True, text=True, timeout=3 * PATIENCE, check=False, cwd=ROOT,
    )  # fmt: skip
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert "Traceback" not in done.stderr
    assert events, done.stderr
    assert events[-1]["event"] == "done", done.stderr
    assert done.returncode == (0 if events[-1]["ok"] else 1), done.stderr
    assert not list(folder.glob("deskhand-demo-*")), "its throwaway home is still there"
    return events


def of(events: Events, kind: str) -> Events:
    return [one for one in events if one["event"] == kind]


def in_order(events: Events, *kinds: str) -> bool:
    """Whether the first of each kind comes after the first of the kind before."""
    places = [next((place for place, one in enumerate(events) if one["event"] == kind), None) for kind in kinds]
    return None not in places and places == sorted(places)


ORDER = ("received", "drafted", "approval_sent", "answered", "sent", "client_received", "remembered", "done")


# ---------------------------------------------------------------- leads


def test_leads_become_one_mail_and_two_packs(tmp_path):
    events = demo(tmp_path, "leads", "ok")
    assert events[-1]["ok"]
    assert in_order(events, *ORDER)
    assert {one["source"] for one in of(events, "received")} <= {"weworkremotely", "remoteok", "hackernews"}
    assert {one["rule"] for one in of(events, "ignored")} == {"expired", "refused", "duplicate"}
    assert any("honeypot" in flag for one in of(events, "received") for flag in one["flags"])
    packs = [one for one in of(events, "sent") if one.get("link")]
    assert len(packs) == 2
    assert all(one["identical"] and one["to"] == "your inbox" for one in packs)
    (mailed,) = of(events, "client_received")
    assert mailed["identical"]
    assert "museum" in mailed["body"]
    assert not any("GENUINE" in one["body"] for one in of(events, "drafted"))
    assert {one["text"] for one in of(events, "found")} >= {"Northwind Labs - software for harbours"}
    (remembered,) = of(events, "remembered")
    assert len(remembered["won"]) == 1


def test_after_a_no_no_bid_goes_anywhere(tmp_path):
    events = demo(tmp_path, "leads", "no")
    assert events[-1]["ok"]
    assert set(events[-1]["outcomes"].values()) == {"rejected"}
    assert not of(events, "sent")
    assert not of(events, "client_received")


# ---------------------------------------------------------------- status


def test_a_logged_week_becomes_an_update(tmp_path):
    events = demo(tmp_path, "status", "ok")
    assert events[-1]["ok"]
    assert in_order(events, *ORDER)
    (received,) = of(events, "client_received")
    assert received["identical"]
    for logged in ("Header, footer", "Contact form with spam guard", "Speed up the image gallery"):
        assert logged in received["body"]
    assert "Timesheets" not in received["body"]
    assert any("Launch" in one["text"] for one in of(events, "told"))
    assert of(events, "looked_again")[0]["proposed_again"] == []


def test_an_update_that_is_put_off_is_not_sent(tmp_path):
    events = demo(tmp_path, "status", "later 2d")
    assert (events[-1]["ok"], events[-1]["outcome"], events[-1]["received"]) == (True, "waiting", 0)


# ---------------------------------------------------------------- money


def test_late_invoices_become_one_reminder_that_a_promise_and_a_payment_end(tmp_path):
    events = demo(tmp_path, "money", "ok")
    assert events[-1]["ok"]
    assert in_order(events, *ORDER[:6], "held", "paid", "waits", "remembered", "done")
    reminder = of(events, "client_received")[0]
    assert reminder["identical"]
    for said in ("2026-014", "1,200.00 EUR", "450.50 EUR of 1,450.50 EUR", "Total: 1,650.50 EUR"):
        assert said in reminder["body"]
    assert "2026-019" not in reminder["body"]  # not due yet
    assert "2026-011" not in reminder["body"]  # paid
    (held,) = of(events, "held")
    assert "promised" in held["says"]
    assert "0 notices due" in held["due"]
    assert of(events, "paid")[0]["open"] == ["2026-016", "2026-019"]
    assert "2026-014" in of(events, "drafted")[-1]["body"]
    assert of(events, "drafted")[-1]["body"] != of(events, "drafted")[0]["body"]


def test_after_a_no_nobody_is_reminded(tmp_path):
    events = demo(tmp_path, "money", "no")
    assert (events[-1]["ok"], events[-1]["outcome"], events[-1]["received"]) == (True, "rejected", 0)
    assert not of(events, "client_received")


# ---------------------------------------------------------------- desk

THREE = {"calendar:1", "invoice:2026-019", "file:brief-template.txt"}


def test_three_questions_are_answered_and_the_time_is_booked_after_the_yes(tmp_path):
    events = demo(tmp_path, "desk", "ok")
    assert events[-1]["ok"]
    assert in_order(events, *ORDER[:6], "booked", "remembered", "done")
    (drafted,) = of(events, "drafted")
    assert set(drafted["sources"]) == THREE
    assert drafted["attachments"] == ["brief-template.txt"]
    (proposal,) = drafted["proposals"]
    assert (proposal["name"], proposal["tool"]) == ("booking", "calendar.book")
    (asked,) = of(events, "approval_sent")
    for shown in ("Answers: 3 of 3", "Attachment: brief-template.txt", "Does after the yes: booking: ", "500.00 EUR"):
        assert shown in asked["text"]
    (received,) = of(events, "client_received")
    assert received["identical"]
    assert "500.00 EUR is still open" in received["body"]
    (booked,) = of(events, "booked")
    assert booked["begins"] == proposal["begins"].replace("-", "").replace(":", "").replace("+0000", "Z")


@pytest.mark.parametrize(
    ("answer", "received"), [("no", 0), ("ok, without booking", 1), ("ok, without brief-template.txt", 1)]
)
def test_what_was_not_approved_is_neither_booked_nor_attached(tmp_path, answer, received):
    events = demo(tmp_path, "desk", answer)
    assert (events[-1]["ok"], events[-1]["received"]) == (True, received)
    assert len(of(events, "booked")) == (answer == "ok, without brief-template.txt")


# ---------------------------------------------------------------- all


def test_one_client_hears_one_voice_and_has_one_history(tmp_path):
    events = demo(tmp_path, "all", "ok")
    assert events[-1]["ok"]
    assert events[-1]["one_client"]
    assert events[-1]["received"] == 3
    assert all(one["identical"] for one in of(events, "client_received"))
    assert events[-1]["outcomes"] == {"bid": "placed", "reply": "sent", "chase": "sent", "update": "sending"}
    (waits,) = of(events, "waits")
    assert waits["until"] > datetime.now(UTC).isoformat()
    texts = of(events, "remembered")[-1]["texts"]
    assert {f"sent:{case}.1" for case in (one["case"] for one in of(events, "sent"))} <= set(texts)
    assert any(text.startswith("mail:") for text in texts)
    (reply,) = (one for one in of(events, "drafted") if one["attachments"])
    assert set(reply["sources"]) == THREE
    assert len(of(events, "booked")) == 1


def test_after_a_no_to_all_the_client_hears_nothing(tmp_path):
    events = demo(tmp_path, "all", "no")
    assert (events[-1]["ok"], events[-1]["received"]) == (True, 0)
    assert set(events[-1]["outcomes"].values()) == {"rejected"}


# ---------------------------------------------------------------- the stage


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_story_leaves_nothing_behind(tmp_path, how):
    playing = subprocess.Popen(
        [sys.executable, "-P", "-m", "workers", "demo", "all", "--answer", "ok", "--json"],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        until(lambda: list(tmp_path.glob("deskhand-demo-*/ledger.sqlite")), 30, "the demo's home")
        playing.send_signal(how)
        _, said = playing.communicate(timeout=PATIENCE)
    finally:
        playing.kill()
        playing.wait(PATIENCE)
    assert playing.returncode == 130, said
    assert "Traceback" not in said
    assert not list(tmp_path.glob("deskhand-demo-*"))


def test_the_owner_answers_at_a_terminal_what_asks_and_nothing_else(tmp_path):
    """Three bids ask; the packs and notices that come between them do not."""
    ours, theirs = pty.openpty()
    os.write(ours, b"ok\nno\nok\n")
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "workers", "demo", "leads", "--json"],
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "TMPDIR": str(tmp_path)},
            stdin=theirs, capture_output=True, text=True, timeout=3 * PATIENCE, check=False, cwd=ROOT,
        )  # fmt: skip
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["answer"] for one in of(events, "answered")] == ["ok", "no", "ok"]
    assert sorted(events[-1]["outcomes"].values()) == ["placed", "placed", "rejected"]


def test_a_story_that_is_none_is_refused_with_those_there_are():
    done = subprocess.run(
        [sys.executable, "-P", "-m", "workers", "demo", "nonsense", "--answer", "ok"],
        env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"There are: {', '.join(STORIES)}." in done.stderr


def test_only_the_story_of_a_mail_takes_a_mail(tmp_path):
    mail = tmp_path / "a.eml"
    mail.write_bytes(b"From: a@b.example\r\n\r\nHi")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "workers", "demo", "leads", "--answer", "ok", "--mail", str(mail)],
        env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "--mail is for the story reply" in done.stderr


def test_recorded_days_are_counted_from_now():
    text = "{{-1}} {{+1 rfc}} {{-0 epoch}} {{+0 stamp}} {{monday+1}} {{site}} {{other}}"
    assert dated(text, WEDNESDAY, site="here") == (
        "2026-11-24 Thu, 26 Nov 2026 10:30:00 +0000 1795602600 2026-11-25T10:30:00+00:00 2026-11-17 here {{other}}"
    )


@pytest.mark.parametrize("path", sorted(DATA.iterdir()), ids=lambda path: path.name)
def test_every_recorded_file_is_whole(path):
    said = recorded(path.name, WEDNESDAY, site="http://here", repositories="")
    assert "{{" not in said
    if path.suffix == ".json":
        json.loads(said)


async def test_the_site_serves_its_pages_and_nothing_else():
    async with AsyncExitStack() as stack:
        site = Site.opened(stack, {"/hn?tags=story": ("hn_threads.json", "application/json")}, WEDNESDAY)
        web = Web(permit=frozenset({site.netloc}))
        assert (await web.get(f"{site.url}/hn?tags=story&page=0")).json()["hits"]
        for path in ("/hn", "/../run.py", "/"):
            with pytest.raises(NotServed):
                await web.get(f"{site.url}{path}")
