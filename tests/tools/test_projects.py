"""Project files: what a good one says, and how a faulty one is named with its line and the mend."""

import re
from datetime import UTC, date
from pathlib import Path

import pytest

from tools.work.projects import KEYS, TEMPLATE, UNREAD, read_project, read_projects
from tools.work.timesheets import SheetReading, read_timesheet
from workflows.errors import NeedsOwner
from workflows.models.work import Milestone, Project

DATA = Path(__file__).parents[1].joinpath("data") / "work"
GOOD = 'name = "Relaunch"\nemail = "maria@studio.example"\n'


def written(folder: Path, text: str, name: str = "relaunch.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_toml_file_says_everything() -> None:
    assert read_project(DATA / "relaunch.toml") == Project(
        id="relaunch",
        name="Website relaunch",
        email="maria@studio.example",
        contact="Maria Alvarez",
        update_every="weekly",
        scope=("Design and build of five pages", "One contact form"),
        excluded=("Search engine optimisation (SEO)", "Translation into other languages"),
        tracked_as=("Studio / Relaunch",),
        milestones=(
            Milestone(name="Design", due=date(2026, 11, 13), estimate_minutes=720, done=True),
            Milestone(name="Launch", due=date(2026, 12, 18), estimate_minutes=2400),
        ),
    )


def test_a_csv_file_says_the_same() -> None:
    assert read_project(DATA / "shop.csv") == Project(
        id="shop",
        name="Onlineshop",
        email="bernd@laden.example",
        contact="Bernd Krämer",
        language="de",
        update_every="every 2 weeks",
        scope=("Einrichtung des Shops, bis zu 50 Artikel", "Anbindung von PayPal"),
        excluded=("Produktfotos",),
        milestones=(
            Milestone(name="Testshop", due=date(2026, 12, 4), estimate_minutes=960),
            Milestone(name="Abnahme", due=date(2026, 12, 22), estimate_minutes=150),
        ),
    )


def test_a_bom_and_spare_files_do_no_harm(tmp_path: Path) -> None:
    written(tmp_path, f"\ufeff{GOOD}")
    written(tmp_path, "notes", "notes.txt")
    written(tmp_path, "name =", ".relaunch.toml")
    (tmp_path / "old.toml").mkdir()
    assert [project.id for project in read_projects(tmp_path).found] == ["relaunch"]


def test_a_folder_that_is_not_there_holds_no_projects(tmp_path: Path) -> None:
    assert read_projects(tmp_path / "projects").found == ()


@pytest.mark.parametrize(
    ("text", "line", "problem", "mend"),
    [
        (f'{GOOD}scop = ["x"]\n', 3, "scop is not known", 'Did you mean "scope"?'),
        (f'{GOOD}budget = "1"\n', 3, "budget is not known", "Known here: name, email"),
        ('name = "Relaunch"\n', 0, "email is missing", 'email = "maria@studio.example"'),
        ('email = "maria@studio.example"\n', 0, "name is missing", 'name = "Website relaunch"'),
        ('name = "R"\nemail = "maria"\n', 2, 'email is "maria"', "maria@studio.example"),
        ("name = 7\n", 1, "name must be a short text", "docs/status.md"),
        (f'{GOOD}scope = "five pages"\n', 3, "scope must be a list", 'scope = ["one line"'),
        (f'{GOOD}update_every = "often"\n', 3, 'update_every is "often"', '"every 2 weeks"'),
        (f'{GOOD}update_every = "every 99 weeks"\n', 3, "update_every is", '"monthly"'),
        (f'{GOOD}language = "german"\n', 3, 'language is "german"', "two letters"),
        (f'{GOOD}\nname = "x"\n', 4, "this is not TOML", "text stands in quotes"),
        (f"{GOOD}update_every = weekly\n", 3, "this is not TOML", "text stands in quotes"),
        (f'{GOOD}[[milestones]]\nname = "A"\n[[milestones]]\ndue = 2026-01-01\n', 5, "no name", 'name = "Launch"'),
        (f'{GOOD}[[milestones]]\nname = "A"\nduedate = 2026-01-01\n', 5, "duedate is not known", '"due"'),
        (f'{GOOD}[[milestones]]\nname = "A"\ndue = "18.12."\n', 5, "due is '18.12.'", "due = 2026-12-18"),
        (f'{GOOD}[[milestones]]\nname = "A"\ndue = "2026-02-30"\n', 5, "due is", "due = 2026-12-18"),
        (f'{GOOD}[[milestones]]\nname = "A"\nestimate = 40\n', 5, "estimate is 40", 'estimate = "40h"'),
        (f'{GOOD}[[milestones]]\nname = "A"\nestimate = "5 days"\n', 5, "estimate is", '"2h 30m"'),
        (f'{GOOD}[[milestones]]\nname = "A"\ndone = "yes"\n', 5, "done is 'yes'", "true or false"),
        (f'{GOOD}[[milestones]]\nname = "A"\n[[milestones]]\nname = "a"\n', 6, 'two milestones "a"', "of its own"),
        (f'{GOOD}[milestones]\nname = "A"\n', 3, "milestones must be tables", "[[milestones]]"),
    ],
)
def test_a_fault_is_named_with_its_line_and_its_mend(tmp_path, text, line, problem, mend) -> None:
    path = written(tmp_path, text)
    with pytest.raises(NeedsOwner) as error:
        read_project(path)
    where = f"{path}, line {line}: " if line else f"{path}: "
    assert error.value.problem.startswith(where)
    assert problem in error.value.problem
    assert mend in error.value.mend


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("name,Relaunch\n", 1, 'column "name" is not known'),
        ("field\nname\n", 1, 'column "value" is missing'),
        ("field,value\nname,A\nname,B\n", 3, "name stands here a second time"),
        ("field,value\nname,A\nemail,a@b.example\nscoop,x\n", 4, "scoop is not known"),
        ("field,value\nname,A, B\n", 2, "more cells than columns"),
        ('field,value\nname,"A\n', 2, "not CSV"),
        (
            "field,value,due\nname,A\nemail,a@b.example\nmilestone,M,2026-01-01\nmilestone,N,soon\n",
            5,
            "due is 'soon'",
        ),
    ],
)
def test_a_fault_in_a_csv_file_is_named_with_its_line(tmp_path, text, line, problem) -> None:
    path = written(tmp_path, text, "relaunch.csv")
    with pytest.raises(NeedsOwner) as error:
        read_project(path)
    assert f"line {line}" in error.value.problem
    assert problem in error.value.problem
    assert error.value.mend


def test_one_typo_leaves_the_other_projects(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    written(tmp_path, 'nam = "Shop"\n', "shop.toml")
    written(tmp_path, "field,value\nname,Blog\nemail,b@blog.example\n", "blog.csv")
    read = read_projects(tmp_path)
    assert [project.id for project in read.found] == ["blog", "relaunch"]
    assert len(read.faults) == 1
    assert 'Did you mean "name"?' in read.faults[0].mend


def test_a_file_of_another_kind_is_told(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    written(tmp_path, "name: Shop", "shop.yaml")
    read = read_projects(tmp_path)
    assert [project.id for project in read.found] == ["relaunch"]
    assert "shop.yaml is no project's file" in read.faults[0].problem


def test_the_template_is_no_project_until_it_is_copied(tmp_path: Path) -> None:
    written(tmp_path, TEMPLATE, UNREAD)
    assert read_projects(tmp_path).found == ()
    project = read_project(written(tmp_path, TEMPLATE))
    assert (project.name, project.milestones[0].estimate_minutes) == ("Website relaunch", 2400)


def test_two_projects_of_one_name_are_refused(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    written(tmp_path, f'{GOOD}tracked_as = ["X"]\n', "second.toml")
    read = read_projects(tmp_path)
    assert [project.id for project in read.found] == ["relaunch"]
    assert 'called "relaunch" as well' in read.faults[0].problem


def test_a_project_may_be_saved_by_a_spreadsheet(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_bytes("field;value\r\nname;Café Köln\r\nemail;a@koeln.example\r\n".encode("cp1252"))
    assert [project.name for project in read_projects(tmp_path).found] == ["Café Köln"]


def test_not_utf8_and_too_large_are_said(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes('name = "Köln"'.encode("latin-1"))
    (tmp_path / "b.toml").write_bytes(b"#" * 1_000_001)
    problems = [fault.problem for fault in read_projects(tmp_path).faults]
    assert "not UTF-8" in problems[0]
    assert "larger" in problems[1]


PAGE = (Path(__file__).parents[2] / "docs" / "status.md").read_text("utf-8")


def test_the_page_shows_every_key() -> None:
    assert [key for key in KEYS if f"`{key}`" not in PAGE] == []


def test_the_examples_of_the_page_are_projects(tmp_path: Path) -> None:
    toml, table, sheet = re.findall(r"^```(?:toml|csv)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    first = read_project(written(tmp_path, toml))
    assert (first.update_every, len(first.scope), first.milestones[0].estimate_minutes) == ("weekly", 2, 2400)
    second = read_project(written(tmp_path, table, "relaunch.csv"))
    assert (second.excluded, second.milestones) == (("Translation",), first.milestones)
    reading = SheetReading(order="auto", zone=UTC, owner_zone=UTC)
    (entry,) = read_timesheet(written(tmp_path, sheet, "times.csv"), reading).entries
    assert (entry.project, entry.minutes) == (first.name, 150)


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
def test_a_spreadsheet_may_name_its_delimiter(tmp_path: Path, line: str) -> None:
    text = f"{line}\nfield;value\nname;Shop, new\nemail;maria@studio.example\n"
    assert read_project(written(tmp_path, text, "shop.csv")).name == "Shop, new"


@pytest.mark.parametrize(
    "content",
    [
        b"a" + b".a" * 30_000 + b" = 1",
        b"[a" + b".a" * 30_000 + b"]",
        b"x = {" + b"'a'." * 30_000 + b"b = 1}",
        b"a " + b" . a" * 30_000 + b" = 1",
        b"a = " + b"[" * 5_000 + b"]" * 5_000,
        b"a = " + b"{a = " * 5_000 + b"1" + b"}" * 5_000,
        b"name = " + b"9" * 5_000,
        b"due = 0x" + b"f" * 20_000,
        b'name = "x"\nemail = "a@b.example"\n[[milestones]]\nname = "y"\ndue = 0x' + b"f" * 20_000,
        b'name = "x"\nemail = "a@b.example"\n[[milestones]]\nname = "y"\nestimate = 0x' + b"f" * 20_000,
        b'name = "x"\nemail = "a@b.example"\n[[milestones]]\nname = "y"\ndone = ' + b"[" * 800 + b"]" * 800,
        b"x = 1\n" * 60_000,
        b"# " + b"x" * 200_000,
        b"name = " + b"1e9" * 9_000,
        b"name = 2026-99-99",
        b"\xff\xfe\x00",
    ],
)
def test_a_file_that_cannot_be_read_never_keeps_the_others_from_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.toml").write_bytes(content)
    written(tmp_path, GOOD)
    projects = read_projects(tmp_path)
    assert [project.name for project in projects.found] == ["Relaunch"]
    (fault,) = projects.faults
    assert "bad.toml" in fault.problem
    assert len(str(fault)) < 500


def test_dots_in_a_text_are_no_keys(tmp_path: Path) -> None:
    text = (
        GOOD
        + 'scope = ["Phase 1 .......................... 5 h", "a, b. c. d. e. f. g. h. i. j. k. l. m. n. o. p. q."]\n'
    )
    assert len(read_project(written(tmp_path, text)).scope) == 2
