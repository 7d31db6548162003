"""Exports of time trackers, as the tools really write them."""

import contextlib
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.work.timesheets import SheetReading, _seconds, read_timesheet, timesheets_in
from workflows.errors import NeedsOwner

DATA = Path(__file__).parents[1].joinpath("data") / "work"
BERLIN = ZoneInfo("Europe/Berlin")
READING = SheetReading(order="auto", zone=BERLIN, owner_zone=BERLIN)
TOGGL = "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags\n"
CLOCKIFY = '"Project","Description","Email","Billable","Start Date","Start Time","Duration (h)","Duration (decimal)"\n'


def written(folder: Path, text: str, name: str = "times.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def toggl(folder: Path, *rows: str) -> Path:
    return written(folder, TOGGL + "".join(f"Ada,a@w.example,,P,,{row}\n" for row in rows))


def test_a_toggl_export() -> None:
    sheet = read_timesheet(DATA / "toggl.csv", READING)
    assert (sheet.tool, sheet.left_out) == ("Toggl", 1)
    assert [(entry.day.day, entry.minutes, entry.project, entry.text, entry.billable) for entry in sheet.entries] == [
        (16, 150, "Website relaunch", 'Header, footer and "hero"', True),
        (17, 76, "Website relaunch", "Contact form: validation and spam guard", True),
        (18, 45, "Website relaunch", "Call about colours", False),
        (18, 15, "Admin", "Timesheets", False),
    ]
    assert sheet.entries[0].task == "Design"
    assert sheet.entries[1].tags == ("dev", "form")
    assert len({entry.id for entry in sheet.entries}) == 4


def test_a_clockify_export_with_twelve_hour_clocks_months_first_breaks_and_a_running_timer() -> None:
    sheet = read_timesheet(DATA / "clockify.csv", READING)
    assert (sheet.tool, sheet.left_out) == ("Clockify", 2)
    assert [(entry.day, entry.minutes, entry.task) for entry in sheet.entries] == [
        (date(2026, 11, 16), 164, "Testshop"),
        (date(2026, 11, 19), 90, "Testshop"),
    ]


def test_a_compact_clockify_export_with_semicolons_dots_and_commas() -> None:
    (entry,) = read_timesheet(DATA / "clockify_compact.csv", READING).entries
    assert (entry.day, entry.minutes, entry.text) == (date(2026, 11, 18), 13, "Rückfrage zur Lieferung")


def test_a_plain_sheet() -> None:
    sheet = read_timesheet(DATA / "plain.csv", READING)
    assert sheet.tool == "plain"
    assert [(entry.minutes, entry.task) for entry in sheet.entries] == [(150, "Launch"), (75, "")]


def test_a_harvest_export(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "Date,Client,Project,Project Code,Task,Notes,Hours,Billable?,Invoiced?,First Name,Last Name\n"
        "2026-11-16,Studio,Relaunch,,Programming,Header,2.25,Yes,No,Ada,Winter\n",
    )
    sheet = read_timesheet(path, READING)
    assert (sheet.tool, sheet.entries[0].minutes, sheet.entries[0].text) == ("Harvest", 135, "Header")


def test_a_kimai_export(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "Date,From,To,Duration,Customer,Project,Activity,Description,Billable,Tags\n"
        "2026-11-16,09:00,10:30,1:30,Acme,Website,Development,Feature,1,frontend\n",
    )
    sheet = read_timesheet(path, READING)
    assert (sheet.tool, sheet.entries[0].minutes, sheet.entries[0].task) == ("Kimai", 90, "Development")


NEW_TOGGL = (
    '"Description","Duration","Member","Email","Project","Tags","Start date","Start time","Stop date","Stop time"\n'
)


def test_a_newer_toggl_report_with_its_empty_marks(tmp_path: Path) -> None:
    rows = (
        '"Header","1:00:00","Ada","ada@w.example","P","-","2026-11-16","09:00:00","2026-11-16","10:00:00"\n'
        '"-","0:30:00","Ada","ada@w.example","-","-","2026-11-16","10:00:00","2026-11-16","10:30:00"\n'
        '"Still running","-","Ada","ada@w.example","P","-","2026-11-16","11:00:00","-","-"\n'
    )
    sheet = read_timesheet(written(tmp_path, NEW_TOGGL + rows), READING)
    assert [(entry.text, entry.project, entry.minutes, entry.tags) for entry in sheet.entries] == [
        ("Header", "P", 60, ()),
        ("", "", 30, ()),
    ]
    assert (sheet.tool, sheet.left_out) == ("Toggl", 1)


def test_a_report_without_lengths_is_counted_from_start_to_stop(tmp_path: Path) -> None:
    header = '"Description","Billable","Project","Start date","Start time","Stop date","Stop time"\n'
    rows = (
        '"Header","Yes","P","2026-11-16","12:00:00","2026-11-16","14:05:00"\n'
        '"Night","Yes","P","2026-11-16","23:30:00","2026-11-17","00:15:00"\n'
        '"Night that summer time cut","Yes","P","2026-03-29","01:30:00","2026-03-29","03:30:00"\n'
        '"Running","Yes","P","2026-11-17","09:00:00","-","-"\n'
    )
    sheet = read_timesheet(written(tmp_path, header + rows), READING)
    assert [entry.minutes for entry in sheet.entries] == [125, 45, 60]
    wrong = '"Back","Yes","P","2026-11-16","12:00:00","2026-11-16","11:00:00"\n'
    with pytest.raises(NeedsOwner, match=r'line 2, column "stop time": "11:00:00" is not a time after its start'):
        read_timesheet(written(tmp_path, header + wrong), READING)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("01:30:00", 5400), ("1:30:00", 5400), ("100:05:30", 360_330), ("0:13", 780), ("12:00", 43_200),
        ("1.50", 5400), ("1,5", 5400), ("0.79 h", 2844), ("2h", 7200), ("2h 5m", 7500), ("2 h 5 min", 7500),
        ("45 min", 2700), ("47:06 min", 2826), ("30 sec", 30), ("0", 0), ("00:00:00", 0),
        ("1:75", None), ("one hour", None), ("-1:00", None), ("1.2.3", None), ("", None),
    ],
)  # fmt: skip
def test_lengths_of_time_in_every_notation(said: str, seconds: float | None) -> None:
    assert _seconds(said) == pytest.approx(seconds)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 500), st.integers(0, 59), st.integers(0, 59))
def test_a_written_length_reads_back(hours: int, minutes: int, seconds: int) -> None:
    assert _seconds(f"{hours}:{minutes:02}:{seconds:02}") == hours * 3600 + minutes * 60 + seconds


def test_the_day_is_the_owners_where_the_tool_keeps_another_zone(tmp_path: Path) -> None:
    path = toggl(tmp_path, "Late,Yes,2026-11-16,20:30:00,2026-11-16,21:30:00,01:00:00,")
    here = read_timesheet(path, READING).entries[0]
    assert here.day == date(2026, 11, 16)
    newyork = SheetReading(order="auto", zone=ZoneInfo("America/New_York"), owner_zone=BERLIN)
    there = read_timesheet(path, newyork).entries[0]
    assert there.day == date(2026, 11, 17)
    assert there.id == here.id


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (("16/11/2026", "03/11/2026"), [date(2026, 11, 16), date(2026, 11, 3)]),
        (("11/16/2026", "11/03/2026"), [date(2026, 11, 16), date(2026, 11, 3)]),
        (("03.11.2026", "04.11.2026"), [date(2026, 11, 3), date(2026, 11, 4)]),
        (("11/11/2026",), [date(2026, 11, 11)]),
        (("16-11-2026",), [date(2026, 11, 16)]),
        (("2026/11/03",), [date(2026, 11, 3)]),
    ],
)
def test_which_number_is_the_day_is_read_from_the_whole_file(tmp_path, days, expected) -> None:
    rows = [f"Work,Yes,{day},0{at}:00:00,,,01:00:00," for at, day in enumerate(days)]
    assert [entry.day for entry in read_timesheet(toggl(tmp_path, *rows), READING).entries] == expected


def test_days_with_two_readings_are_refused_until_the_order_is_set(tmp_path: Path) -> None:
    path = toggl(tmp_path, "Work,Yes,03/04/2026,09:00:00,,,01:00:00,")
    with pytest.raises(NeedsOwner, match=r"two ways.*03/04/2026.*work\.dates"):
        read_timesheet(path, READING)
    for order, expected in (("dmy", date(2026, 4, 3)), ("mdy", date(2026, 3, 4))):
        reading = SheetReading(order=order, zone=BERLIN, owner_zone=BERLIN)
        assert read_timesheet(path, reading).entries[0].day == expected


def test_an_entry_keeps_its_id_when_it_is_worded_anew_or_another_export_has_it(tmp_path: Path) -> None:
    first = toggl(tmp_path, "Header,Yes,2026-11-16,09:00:00,,,01:00:00,")
    before = read_timesheet(first, READING).entries[0]
    second = toggl(tmp_path, "Header and footer,Yes,2026-11-16,09:00:00,,,01:10:00,")
    after = read_timesheet(second, READING).entries[0]
    assert after.id == before.id
    assert (after.text, after.minutes) == ("Header and footer", 70)


def test_two_entries_that_begin_at_once_are_two(tmp_path: Path) -> None:
    row = "Header,Yes,2026-11-16,09:00:00,,,01:00:00,"
    path = toggl(tmp_path, row, row)
    ids = [entry.id for entry in read_timesheet(path, READING).entries]
    assert len(set(ids)) == 2
    assert ids == [entry.id for entry in read_timesheet(path, READING).entries]


def test_a_started_minute_counts_and_the_task_stands_in_for_a_text(tmp_path: Path) -> None:
    path = written(tmp_path, TOGGL + "Ada,a@w.example,,P,Launch,,Yes,2026-11-16,09:00:00,,,00:00:20,\n")
    (entry,) = read_timesheet(path, READING).entries
    assert (entry.minutes, entry.text) == (1, "Launch")


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        ("Work,Yes,someday,09:00:00,,,01:00:00,", "start date", "someday"),
        ("Work,Yes,2026-02-30,09:00:00,,,01:00:00,", "start date", "2026-02-30"),
        ("Work,Yes,2026-11-16,25:00,,,01:00:00,", "start time", "25:00"),
        ("Work,Yes,2026-11-16,13:00 PM,,,01:00:00,", "start time", "13:00 PM"),
        ("Work,Yes,2026-11-16,09:00,,,long,", "duration", "long"),
        ("Work,Yes,2026-11-16,09:00,,,9999:00:00,", "duration", "9999:00:00"),
        ("Work,perhaps,2026-11-16,09:00,,,01:00:00,", "billable", "perhaps"),
    ],
)
def test_a_wrong_cell_is_named_with_line_and_column(tmp_path, row, column, said) -> None:
    path = toggl(tmp_path, "Fine,Yes,2026-11-15,09:00:00,,,01:00:00,", row)
    with pytest.raises(NeedsOwner) as error:
        read_timesheet(path, READING)
    assert error.value.problem.startswith(f'{path}, line 3, column "{column}": "{said}" is not ')
    assert error.value.mend


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"Number,Client,Due\n1,a,b\n", "no timesheet that is known"),
        (b"<html><body>Log in</body></html>\n", "no timesheet that is known"),
        (b"Projekt,Gr\x81\n", "no encoding that is known"),
        (TOGGL.encode() + b'Ada,"' + b"x" * 200_000, "not CSV"),
    ],
)
def test_another_format_is_said_with_the_mend(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "times.csv"
    path.write_bytes(content)
    with pytest.raises(NeedsOwner) as error:
        read_timesheet(path, READING)
    assert problem in error.value.problem
    assert error.value.mend


def test_an_export_of_another_kind_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "PK", "report.xlsx")
    assert timesheets_in(tmp_path) == (path,)
    with pytest.raises(NeedsOwner, match=r"report\.xlsx is no CSV file\. Export it as CSV"):
        read_timesheet(path, READING)


def test_tabs_part_cells_too(tmp_path: Path) -> None:
    path = written(tmp_path, "date\tproject\tdescription\thours\n2026-11-16\tP\tHeader, footer\t1\n", "times.tsv")
    assert read_timesheet(path, READING).entries[0].text == "Header, footer"


def test_the_newest_export_of_a_folder_comes_last(tmp_path: Path) -> None:
    import os

    for at, name in enumerate(("b.csv", "a.csv", "~a.csv", "notes.txt")):
        os.utime(written(tmp_path, "x", name), (1000 + at, 1000 + at))
    assert [path.name for path in timesheets_in(tmp_path)] == ["b.csv", "a.csv"]
    assert timesheets_in(tmp_path / "nowhere") == ()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_plain_words(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_bytes(TOGGL.encode() + b"Ada,a@w.example,,P,,Work,Yes,2026-11-16,09:00:00,,," + content)
    with contextlib.suppress(NeedsOwner):
        read_timesheet(path, READING)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_plain_timesheet_may_be_saved_by_a_spreadsheet(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "times.csv"
    path.write_bytes("date;project;description;hours\r\n2026-11-16;Relaunch;Größe geändert;2,5\r\n".encode(encoding))
    (entry,) = read_timesheet(path, READING).entries
    assert (entry.text, entry.minutes) == ("Größe geändert", 150)


KIMAI = "Date,From,To,Duration,Rate,Username,Customer,Project,Activity,Description,Billable,Tags\n"


def kimai(folder: Path, begins: str, ends: str, length: str) -> Path:
    return written(folder, f"{KIMAI}2026-11-24,{begins},{ends},{length},23.75,ada,Studio,Relaunch,Design,Header,1,\n")


@pytest.mark.parametrize(
    ("begins", "ends", "length", "minutes"),
    [
        ("09:00", "09:15", "900", 15),  # seconds
        ("09:00", "17:00", "28800", 480),
        ("09:00", "17:00", "27000", 450),  # a break of half an hour
        ("23:30", "00:30", "3600", 60),  # past midnight
        ("09:00", "09:15", "15", 15),  # minutes
        ("09:00", "10:30", "90", 90),
        ("09:00", "17:00", "450", 450),
        ("09:00", "10:00", "1", 60),  # hours
        ("09:00", "11:00", "2", 120),
        ("09:00", "10:30", "1.5", 90),
        ('"09:00"', "10:30", '"1,5"', 90),
        ("09:00", "09:15", "0.25", 15),
        ("09:00", "09:15", "0:15", 15),
        ("09:00", "09:15", "900 sec", 15),
        ("09:00", "09:15", "", 15),
        ("", "", "0.25", 15),
        ("", "", "15 min", 15),
    ],
)
def test_a_length_without_a_unit_is_told_by_its_clocks(
    tmp_path: Path, begins: str, ends: str, length: str, minutes: int
) -> None:
    assert [entry.minutes for entry in read_timesheet(kimai(tmp_path, begins, ends, length), READING).entries] == [
        minutes
    ]


@pytest.mark.parametrize(
    ("begins", "ends", "length"),
    [
        ("09:00", "09:15", "900000"), ("09:00", "09:15", "1"), ("09:00", "10:30", "2"), ("09:00", "17:00", "7200"),
        ("", "", "900"), ("09:00", "", "15"), ("", "", "2"), ("09:00", "17:00", "30"),
    ],
)  # fmt: skip
def test_a_length_without_a_unit_that_fits_nothing_is_refused(
    tmp_path: Path, begins: str, ends: str, length: str
) -> None:
    with pytest.raises(NeedsOwner, match=r'column "duration": "\d+" is not a length .*unit.* name the column "hours"'):
        read_timesheet(kimai(tmp_path, begins, ends, length), READING)


@pytest.mark.parametrize(
    ("heading", "length", "minutes"),
    [("Duration (h)", "2", 120), ("Duration (h)", "0.25", 15), ("Duration (h)", "0:13", 13)],
)
def test_a_heading_may_name_the_unit(tmp_path: Path, heading: str, length: str, minutes: int) -> None:
    text = f"Project,Description,Start Date,Start Time,{heading}\nRelaunch,Header,2026-11-24,09:00,{length}\n"
    (entry,) = read_timesheet(written(tmp_path, text), READING).entries
    assert entry.minutes == minutes


def test_whole_numbers_beside_decimals_are_hours_too(tmp_path: Path) -> None:
    head, rest = "Date,From,Duration,Customer,Project,Activity\n", ",Acme,Relaunch,Design\n"
    text = f"{head}2026-11-23,09:00,1.5{rest}2026-11-24,09:00,2{rest}"
    assert [entry.minutes for entry in read_timesheet(written(tmp_path, text), READING).entries] == [90, 120]


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;", "\ufeffsep=;", "sep=;;;", "\nsep=;"])
def test_a_line_of_a_spreadsheet_that_names_the_delimiter(tmp_path: Path, line: str) -> None:
    text = f"{line}\nDate;Project;Description;Hours\n2026-11-24;Website, relaunch;Header;2,5\n"
    (entry,) = read_timesheet(written(tmp_path, text), READING).entries
    assert (entry.minutes, entry.project) == (150, "Website, relaunch")


def test_a_wrong_line_is_counted_with_the_line_of_the_delimiter(tmp_path: Path) -> None:
    text = "sep=\t\nDate\tProject\tHours\n2026-11-24\tRelaunch\t2,5\n2026-11-24\tRelaunch\tmuch\n"
    with pytest.raises(NeedsOwner, match="line 4"):
        read_timesheet(written(tmp_path, text), READING)
