"""Calendars from files, real HTTP and a real CalDAV server; and what is hostile in them costs one sentence."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.ledgers import StillClock
from tests.servers.radicale import RadicaleServer
from tests.servers.web import WebServer
from tools.calendar.caldav import CalDav, permitted
from tools.calendar.desk import Calendars, CalendarSource, NamedCalendar
from tools.calendar.events import LARGEST, expanded
from tools.calendar.ics import IcsAddress, IcsFiles, https_of
from tools.web.addresses import target
from tools.web.client import Web
from workers.sources.calendars import LIMITS
from workflows.errors import NeedsOwner, Permanent, Retryable
from workflows.rules.desk.slots import BusySpan, CalendarView

FIRST, LAST = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
NINE, TEN = datetime(2026, 3, 12, 9, tzinfo=UTC), datetime(2026, 3, 12, 10, tzinfo=UTC)
OWNER = frozenset({"ada@winter.example"})


def event(uid: str = "1", *lines: str, start: str = "20260312T090000Z", end: str = "20260312T100000Z") -> str:
    stamp = ["DTSTAMP:20260101T000000Z", f"DTSTART:{start}", f"DTEND:{end}"]
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", *stamp, *lines, "END:VEVENT", ""])


def calendar(*events: str) -> str:
    return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Northwind//EN\r\n" + "".join(events) + "END:VCALENDAR\r\n"


def read(*texts: str):
    return expanded([text.encode() for text in texts], FIRST, LAST, "Europe/Berlin", OWNER)


def desk(source: CalendarSource, clock: StillClock | None = None) -> Calendars:
    named = (NamedCalendar(name="work", source=source),)
    return Calendars(calendars=named, zone="Europe/Berlin", owners=OWNER, clock=clock or StillClock(FIRST))


# ---------------------------------------------------------------- what takes time


@pytest.mark.parametrize(
    ("lines", "spans"),
    [
        ([], 1),
        (["STATUS:CONFIRMED"], 1),
        (["STATUS:CANCELLED"], 0),
        (["TRANSP:TRANSPARENT"], 0),
        (["TRANSP:OPAQUE"], 1),
        (["X-MICROSOFT-CDO-BUSYSTATUS:FREE"], 0),
        (["X-MICROSOFT-CDO-BUSYSTATUS:OOF"], 1),
        (["ATTENDEE;PARTSTAT=DECLINED:mailto:Ada@Winter.example"], 0),
        (["ATTENDEE;PARTSTAT=DECLINED:mailto:bob@winter.example"], 1),
        (["ATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@winter.example"], 1),
    ],
)
def test_what_takes_time(lines: list[str], spans: int) -> None:
    assert len(read(calendar(event("1", *lines))).spans) == spans


@pytest.mark.parametrize("line", ["STATUS:TENTATIVE", "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE"])
def test_tentative_is_told_apart(line: str) -> None:
    assert read(calendar(event("1", line))).spans == (BusySpan(start=NINE, end=TEN, tentative=True, uid="1"),)


def test_a_calendar_of_busy_times_alone() -> None:
    busy = "BEGIN:VFREEBUSY\r\nUID:f\r\nFREEBUSY:20260312T090000Z/20260312T100000Z,20260313T090000Z/PT1H\r\n"
    free = "FREEBUSY;FBTYPE=FREE:20260314T090000Z/PT1H\r\nEND:VFREEBUSY\r\n"
    assert [span.start.day for span in read(calendar(busy + free)).spans] == [12, 13]


def test_titles_places_and_people_never_leave_the_reader() -> None:
    secret = event("1", "SUMMARY:Lawyer", "LOCATION:Court 4", "DESCRIPTION:Divorce", "ATTENDEE:mailto:x@law.example")
    look = read(calendar(secret))
    assert look.spans
    assert not {"Lawyer", "Court", "Divorce", "law.example"} & set(json.dumps(repr(look)).replace(",", " ").split())
    assert "Lawyer" not in repr(look)


# ---------------------------------------------------------------- what is bad in them


def test_one_bad_event_is_named_and_the_others_are_read() -> None:
    bad = "BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:Lunch\r\nDTSTART:sometime\r\nEND:VEVENT\r\n"
    look = read(calendar(event(), bad, event("3", start="20260313T090000Z", end="20260313T100000Z")))
    assert [span.uid for span in look.spans] == ["1", "3"]
    assert look.asides == ('The event "Lunch" is left out: its DTSTART cannot be read.',)
    assert look.faults == ()


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=MINUTELY",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        f"FREQ=DAILY;BYHOUR={','.join(map(str, range(24)))};BYMINUTE={','.join(map(str, range(60)))}",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=HOURLY;INTERVAL=0",
        "FREQ=NEVER",
    ],
)
def test_a_repetition_without_measure_is_left_out(rule: str) -> None:
    look = read(calendar(event("1", f"RRULE:{rule}", "SUMMARY:Tick", start="20260301T000000Z"), event("2")))
    assert "2" in {span.uid for span in look.spans}
    assert len(look.spans) < 1_000
    assert not look.faults


def test_many_repetitions_without_measure_are_no_calendar() -> None:
    many = [event(str(number), "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30") for number in range(8)]
    with pytest.raises(Permanent, match="more than 5 of its events repeat without measure"):
        read(calendar(*many))


def test_an_endless_rule_from_long_ago_is_read_like_any_other() -> None:
    old = event("1", "RRULE:FREQ=WEEKLY", start="19700105T090000Z", end="19700105T100000Z")
    assert len(read(calendar(old)).spans) == 5


def test_fifty_thousand_events_are_read_and_one_more_is_said() -> None:
    events = [event(str(number), start="20200312T090000Z", end="20200312T100000Z") for number in range(50_000)]
    assert read(calendar(event("here"), *events[1:])).spans[0].uid == "here"
    look = read(calendar(event("here"), *events))
    assert look.spans[0].uid == "here"
    assert look.faults == ("it has more than 50,000 events, and the first 50,000 were read",)


@pytest.mark.parametrize("text", ["<html>Sign in</html>", "UID,START\n1,2", "\0" * 100])
def test_what_is_no_calendar_is_refused(text: str) -> None:
    with pytest.raises(Permanent, match="no calendar"):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN:VCALENDAR\r\n" + "BEGIN:VEVENT\r\n" * 5_000,
        calendar("BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260312T090000Z\r\n"),
        calendar(event("1", "X-A:" + "x" * 100_000)),
        calendar(event("1", *["BEGIN:VALARM"] * 1_000)),
        calendar("BEGIN:VTIMEZONE\r\nTZID:Odd\r\nBEGIN:STANDARD\r\nDTSTART:x\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"),
        calendar("BEGIN:VTIMEZONE\r\nTZID:Odd\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0000\r\n"
        "TZOFFSETTO:+0100\r\nRRULE:FREQ=SECONDLY\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"),
        calendar(event("1", start="99991231T235959Z", end="99991231T235959Z")),
        calendar(event("1", "RRULE:FREQ=YEARLY", start="00010101T000000Z", end="00010101T010000Z")),
        calendar(event("1", start="20260312T100000Z", end="20260312T090000Z")),
    ],
)  # fmt: skip
def test_a_broken_calendar_costs_nothing_but_its_events(text: str) -> None:
    look = read(text, calendar(event("well")))
    assert "well" in {span.uid for span in look.spans}


def test_a_zone_that_nobody_knows_is_said() -> None:
    odd = event("1", "SUMMARY:Call").replace("DTSTART:20260312T090000Z", "DTSTART;TZID=Mars/Base:20260312T100000")
    look = read(calendar(odd))
    assert "Mars/Base" in look.asides[0]
    assert look.spans[0].start == NINE


# ---------------------------------------------------------------- files


async def test_a_file_and_a_folder_of_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "one.ics").write_text(calendar(event("1")))
    (tmp_path / "sub" / "two.ICS").write_text("\ufeff" + calendar(event("2")))
    (tmp_path / "notes.txt").write_text("no calendar")
    whole = await desk(IcsFiles(path=tmp_path)).busy(FIRST, LAST)
    assert {span.uid for span in whole.spans} == {"1", "2"}
    one = await desk(IcsFiles(path=tmp_path / "one.ics")).busy(FIRST, LAST)
    assert one == CalendarView(spans=(BusySpan(start=NINE, end=TEN, uid="1"),))
    assert one.may_promise


async def test_a_file_that_is_gone_is_one_sentence_and_nothing_may_be_promised(tmp_path: Path) -> None:
    view = await desk(IcsFiles(path=tmp_path / "gone.ics")).busy(FIRST, LAST)
    assert len(view.faults) == 1
    assert view.faults[0].startswith("The calendar work cannot be read: ")
    assert not view.may_promise


async def test_an_empty_folder_and_a_file_too_large_are_said(tmp_path: Path) -> None:
    view = await desk(IcsFiles(path=tmp_path)).busy(FIRST, LAST)
    assert "holds no calendar" in view.faults[0]
    (tmp_path / "large.ics").write_bytes(b"x" * (LARGEST + 1))
    view = await desk(IcsFiles(path=tmp_path)).busy(FIRST, LAST)
    assert view.faults == ("The calendar work cannot be read: it is larger than 10,000,000 bytes.",)


async def test_without_a_calendar_nothing_is_known_and_nothing_is_wrong() -> None:
    view = await Calendars(calendars=(), zone="UTC", owners=OWNER, clock=StillClock(FIRST)).busy(FIRST, LAST)
    assert view == CalendarView(configured=False)
    assert not view.may_promise


# ---------------------------------------------------------------- addresses


def address(server: WebServer, path: str, **values) -> IcsAddress:
    ports = frozenset({server.port})
    return IcsAddress(web=Web(permit=server.permit, ports=ports, limits=LIMITS, **values), url=f"{server.url}{path}")


async def test_an_address_is_fetched_and_remembered_for_some_minutes() -> None:
    with WebServer() as server:
        server.put("/work.ics", calendar(event()), content_type="text/calendar")
        clock = StillClock(FIRST)
        calendars = desk(address(server, "/work.ics"), clock)
        assert (await calendars.busy(NINE, TEN)).spans
        assert not (await calendars.busy(TEN, LAST)).spans
        assert len(server.asked("/work.ics")) == 2  # the first days did not cover the others
        assert (await calendars.busy(NINE, LAST)).spans
        assert len(server.asked("/work.ics")) == 2
        server.put("/work.ics", calendar())
        assert (await calendars.busy(NINE, TEN)).spans
        assert not (await calendars.busy(NINE, TEN, anew=True)).spans  # the last look
        server.put("/work.ics", calendar(event()))
        clock.time += timedelta(minutes=6)
        assert (await calendars.busy(NINE, TEN)).spans


async def test_an_address_that_redirects_inside_is_refused_and_its_secret_is_not_told() -> None:
    with WebServer() as inside, WebServer() as outside:
        inside.put("/work.ics", calendar(event()))
        outside.put("/private-5f3c/basic.ics", status=302, headers={"Location": f"{inside.url}/work.ics"})
        view = await desk(address(outside, "/private-5f3c/basic.ics?token=s3cret")).busy(FIRST, LAST)
        assert inside.requests == []
    assert not view.may_promise
    assert len(view.faults) == 1
    assert view.faults[0].startswith("The calendar work cannot be read: 127.0.0.1:")
    assert "5f3c" not in view.faults[0]
    assert "s3cret" not in view.faults[0]


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [(404, NeedsOwner, "answered 404"), (403, NeedsOwner, "answered 403"), (503, Retryable, "answered 503")],
)
async def test_an_address_that_answers_no(status: int, kind: type[Exception], words: str) -> None:
    with WebServer() as server:
        server.put("/x.ics", status=status)
        calendars = desk(address(server, "/x.ics"))
        with pytest.raises(kind, match=words):
            await calendars.look(calendars.calendars[0], FIRST, LAST)
        assert words in (await calendars.busy(FIRST, LAST)).faults[0]


async def test_an_address_that_is_too_large_or_a_web_page_is_said() -> None:
    with WebServer() as server:
        server.put("/large.ics", b"x" * (LARGEST + 1))
        server.put("/page.ics", "<html>Please sign in</html>")
        large = await desk(address(server, "/large.ics")).busy(FIRST, LAST)
        page = await desk(address(server, "/page.ics")).busy(FIRST, LAST)
    assert "larger than 10,000,000 bytes" in large.faults[0]
    assert "it is no calendar" in page.faults[0]


async def test_one_calendar_that_fails_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "one.ics").write_text(calendar(event("1")))
    named = (
        NamedCalendar(name="private", source=IcsFiles(path=tmp_path / "gone.ics")),
        NamedCalendar(name="work", source=IcsFiles(path=tmp_path / "one.ics")),
    )
    view = await Calendars(calendars=named, zone="UTC", owners=OWNER, clock=StillClock(FIRST)).busy(FIRST, LAST)
    assert [span.uid for span in view.spans] == ["1"]
    assert "The calendar private cannot be read" in view.faults[0]


def test_webcal_is_https() -> None:
    assert https_of("webcal://cal.example/a.ics") == "https://cal.example/a.ics"
    assert https_of("https://cal.example/a.ics") == "https://cal.example/a.ics"


# ---------------------------------------------------------------- CalDAV


def dav(url: str, password: str, user: str = "ada") -> CalDav:
    ports = frozenset({target(url).port})
    return CalDav(web=Web(permit=permitted(url), ports=ports, limits=LIMITS), url=url, user=user, password=password)


@pytest.fixture(scope="module")
def radicale(tmp_path_factory: pytest.TempPathFactory):
    with RadicaleServer(tmp_path_factory.mktemp("radicale")) as server:
        weekly = event("weekly", "RRULE:FREQ=WEEKLY;COUNT=3", "SUMMARY:Secret")
        server.put("work", "weekly", calendar(weekly))
        server.put("work", "old", calendar(event("old", start="20250312T090000Z", end="20250312T100000Z")))
        server.put("home", "dentist", calendar(event("dentist", start="20260320T090000Z", end="20260320T100000Z")))
        server.put(
            "tasks", "todo", calendar("BEGIN:VTODO\r\nUID:t\r\nDTSTAMP:20260101T000000Z\r\nEND:VTODO\r\n"), "VTODO"
        )
        yield server


@pytest.mark.parametrize("path", ["", "ada/", "ada"])
async def test_a_server_or_an_account_gives_all_its_calendars(radicale: RadicaleServer, path: str) -> None:
    view = await desk(dav(f"{radicale.url}{path}", radicale.password)).busy(FIRST, LAST)
    assert view.faults == ()
    assert [(span.uid, span.start.day) for span in view.spans] == [
        ("weekly", 12), ("weekly", 19), ("dentist", 20), ("weekly", 26),
    ]  # fmt: skip


async def test_one_calendar_gives_itself_alone(radicale: RadicaleServer) -> None:
    view = await desk(dav(f"{radicale.url}ada/home/", radicale.password)).busy(FIRST, LAST)
    assert [span.uid for span in view.spans] == ["dentist"]


@pytest.mark.parametrize(
    ("path", "password", "words"),
    [
        ("", "wrong", "refuses the login of ada. Correct user and password_file"),
        ("bob/", "", "does not let ada read what is named as caldav"),
        ("ada/tasks/none/", "", "Correct caldav: name the address"),
    ],
)
async def test_what_is_wrong_is_said_with_its_mend(
    radicale: RadicaleServer, path: str, password: str, words: str
) -> None:
    calendars = desk(dav(f"{radicale.url}{path}", password or radicale.password))
    with pytest.raises(NeedsOwner, match=words):
        await calendars.look(calendars.calendars[0], FIRST, LAST)


async def test_the_password_goes_nowhere_but_to_the_server_that_was_named() -> None:
    home = (
        '<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:response><d:href>/</d:href>'
        "<d:propstat>"
        "<d:prop><c:calendar-home-set><d:href>{url}/home/</d:href></c:calendar-home-set></d:prop></d:propstat>"
        "</d:response></d:multistatus>"
    )
    with WebServer() as outside, WebServer() as inside:
        outside.put("/", home.format(url=inside.url), 207)
        outside.put("/moved", status=302, headers={"Location": f"{inside.url}/"})
        for path, words in (("/", "in the clear"), ("/moved", "no public page uses|not a public address")):
            calendars = desk(dav(f"{outside.url}{path}", "geheim"))
            with pytest.raises(Permanent, match=words):
                await calendars.look(calendars.calendars[0], FIRST, LAST)
        assert inside.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        "<html>Sign in</html>",
        '<!DOCTYPE a [<!ENTITY x "y">]><d:multistatus xmlns:d="DAV:"/>',
        "<a/>",
        "not xml",
    ],
)
async def test_an_answer_that_is_no_caldav_is_one_sentence(answer: str) -> None:
    with WebServer() as server:
        server.put("/", answer, 207)
        view = await desk(dav(f"{server.url}/", "geheim")).busy(FIRST, LAST)
    assert len(view.faults) == 1
    assert view.faults[0].startswith("The calendar work cannot be read: ")
