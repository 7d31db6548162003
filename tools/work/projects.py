"""The projects folder: what was agreed with each client, one TOML or CSV file each. A strict reader.

A file with a fault is named with its line, its key and the mend; the others are read all the same. The file's stem is
the project's id. Formats and examples: docs/status.md.
"""

import csv
import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tools.spreadsheets import separated, text_of
from workflows.errors import NeedsOwner, Permanent
from workflows.models.work import Milestone, Project
from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import fold
from workflows.rules.work.rhythm import pace

SUFFIXES = (".toml", ".csv")
OTHER_SUFFIXES = (".yaml", ".yml", ".json", ".ini", ".xlsx", ".ods")
"""What somebody may take for a project's file: told, not silently passed by."""
UNREAD = "template.toml"
"""The file that `init` lays into the folder: an example, and no project until it is copied under another name."""
MOST_BYTES = 200_000
"""Of one file: deeply dotted keys take memory by the square of their number."""
MOST_DOTS = 20
"""In one key: more is no project's, and costs memory by the square."""
MOST_ITEMS = 200  # lines of scope, milestones, repositories
_LONGEST = 500  # characters of one text
KEYS = (
    "name", "email", "contact", "language", "scope", "excluded", "update_every", "repositories", "tracked_as",
    "milestones",
)  # fmt: skip
MILESTONE_KEYS = ("name", "due", "estimate", "done")
COLUMNS = ("field", "value", "due", "estimate", "done")
_NO_PROJECT = "Correct it, or take out of the folder what is no project; docs/status.md has an example."
_LISTS = ("scope", "excluded", "repositories", "tracked_as")
_EMAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]+|[^@\s<>,;]+@localhost")
_PART = r"(?:(?<![\w-])[\w-]+|\"[^\"\n]*\"|'[^'\n]*')[ \t]*\.[ \t]*"
_DEEP_KEY = re.compile(rf"(?:{_PART}){{{MOST_DOTS}}}")
_SPAN = re.compile(r"(?:(\d{1,5}(?:\.\d{1,2})?)\s*h)?\s*(?:(\d{1,5})\s*m(?:in)?)?", re.IGNORECASE)
_EXAMPLE = {
    "name": 'name = "Website relaunch"',
    "email": 'email = "maria@studio.example"',
    "milestones": 'name = "Launch"',
}


TEMPLATE = """\
# A project: what was agreed with a client. Copy this file under another name, its name is the project's id;
# docs/status.md describes each key. This file itself is not read.

name = "Website relaunch"
email = "maria@studio.example"      # the client: updates go there
contact = "Maria Alvarez"           # for the greeting
# language = "en"                   # of updates; left out: the one they write in
update_every = "weekly"             # "every 2 weeks", "monthly", "never"
scope = ["Design and build of five pages", "One contact form"]
excluded = ["Search engine optimisation (SEO)", "Translation"]
repositories = []                   # folders that hold .git: your commits are told
tracked_as = []                     # what your time tracker calls it, where that is another name

[[milestones]]
name = "Launch"
due = 2026-12-18
estimate = "40h"
done = false
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Projects:
    """What a folder holds: the projects that could be read, and one fault for each file that could not.

    `unread`: the ids of those files; a project known from before goes on as it was.
    """

    found: tuple[Project, ...]
    faults: tuple[NeedsOwner, ...] = ()
    unread: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _File:
    """One file's values, and how to find the line on which a key of them stands (0: nowhere)."""

    path: Path
    values: Mapping[str, Any]
    line: Callable[[str, int], int]  # of a key; from 1 on, of that key of the nth milestone

    def wrong(self, key: str, problem: str, mend: str, milestone: int = 0) -> NeedsOwner:
        number = self.line(key, milestone)
        place = f"{self.path}, line {number}" if number else f"{self.path}"
        return NeedsOwner(f"{place}: {problem}", mend)


def read_projects(folder: Path) -> Projects:
    """Every project of the folder, by id; a folder that is not there holds none.

    Raises:
        NeedsOwner: the folder itself cannot be read.
    """
    suffixes = (*SUFFIXES, *OTHER_SUFFIXES)
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes and path.is_file())
    except FileNotFoundError:
        return Projects(found=())
    except OSError as error:
        raise NeedsOwner(
            f"The projects folder {folder} cannot be read: {error.strerror}.", "Mend its permissions, or work.projects."
        ) from None
    projects: list[Project] = []
    faults: list[NeedsOwner] = []
    unread: set[str] = set()
    for path in paths:
        if path.name.startswith((".", "~")) or path.name == UNREAD:  # an editor's own copies, and the example
            continue
        try:
            project = read_project(path)
            _refuse_twice(project, path, projects)
            projects.append(project)
        except NeedsOwner as fault:
            faults.append(fault)
            unread.add(path.stem)
    return Projects(found=tuple(projects), faults=tuple(faults), unread=frozenset(unread))


def read_project(path: Path) -> Project:
    """The project of one file.

    Raises:
        NeedsOwner: file, line, key and the mend of its first fault.
    """
    if path.suffix.lower() in OTHER_SUFFIXES:
        raise NeedsOwner(f"{path} is no project's file.", "Write it as TOML or CSV; docs/status.md has both.")
    text = _text(path)
    file = _csv_file(path, text) if path.suffix.lower() == ".csv" else _toml_file(path, text)
    _refuse_unknown(file, file.values, KEYS, 0)
    every = _string(file, "update_every")
    if pace(every) is None:
        raise file.wrong(
            "update_every", f'update_every is "{every}".', 'Write "weekly", "every 2 weeks", "monthly" or "never".'
        )
    language = _string(file, "language").lower()
    if language and not re.fullmatch("[a-z]{2}", language):
        raise file.wrong(
            "language", f'language is "{language}".', 'Write two letters such as "en" or "de", or leave it out.'
        )
    return Project(
        id=path.stem,
        name=_string(file, "name", needed=True),
        email=_email(file),
        contact=_string(file, "contact"),
        language=language,
        update_every=every,
        scope=_strings(file, "scope"),
        excluded=_strings(file, "excluded"),
        repositories=_strings(file, "repositories"),
        tracked_as=_strings(file, "tracked_as"),
        milestones=_milestones(file),
    )


# ---------------------------------------------------------------- the two formats


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise NeedsOwner(f"{path} cannot be read: {error.strerror}.", "Mend its permissions.") from None
    if len(content) > MOST_BYTES:
        raise NeedsOwner(
            f"{path} is larger than a project's file can be ({MOST_BYTES // 1000} kB).",
            "Take out of the folder what is no project.",
        )
    try:
        # TOML is UTF-8 by its own rules; a spreadsheet saves its CSV as it likes.
        return text_of(content) if path.suffix.lower() == ".csv" else content.decode("utf-8-sig")
    except (UnicodeDecodeError, Permanent):
        raise NeedsOwner(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from None


def _toml_file(path: Path, text: str) -> _File:
    if deep := _DEEP_KEY.search(text):
        line = text.count("\n", 0, deep.start()) + 1
        raise NeedsOwner(f"{path}, line {line}: no project has keys that deep.", _NO_PROJECT)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem = re.sub(r"\s*\(at .*\)$", "", str(error))
        place = re.search(r"line (\d+)", str(error))
        position = f"line {place.group(1)}" if place else "at its end"
        raise NeedsOwner(
            f"{path}, {position}: this is not TOML ({problem[:1].lower()}{problem[1:]}).",
            'Correct that line; text stands in quotes, as in name = "Website relaunch".',
        ) from None
    except (RecursionError, MemoryError):
        raise NeedsOwner(f"{path}: its lists or tables lie too deep in each other to be read.", _NO_PROJECT) from None
    except ValueError:
        raise NeedsOwner(f"{path}: it holds a number that is too long to be read.", _NO_PROJECT) from None
    return _File(path, values, lambda key, milestone: _toml_line(text, key, milestone))


def _toml_line(text: str, key: str, milestone: int) -> int:
    """Where a key stands: at the top of the file, or in the nth [[milestones]]."""
    part = 0
    start = 0
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*\[\[?\s*\"?milestones?\b", line):
            part += 1
            start = number if part == milestone else start
            if not milestone and key.startswith("milestone"):
                return number
        elif part == milestone and re.match(rf"\s*\"?{re.escape(key)}\"?\s*=", line):
            return number
    return start


def _csv_file(path: Path, text: str) -> _File:
    """Rows of `field,value`; a row `milestone` has the further columns due, estimate and done."""
    values: dict[str, Any] = {}
    lines: dict[tuple[str, int], int] = {}
    for number, row in _csv_rows(path, text):
        field, value = row["field"], row["value"]
        if field == "milestone":
            entry = {key: cell for key in MILESTONE_KEYS[1:] if (cell := row.get(key, ""))}
            values.setdefault("milestones", []).append({"name": value, **entry})
            lines |= {(key, len(values["milestones"])): number for key in (*MILESTONE_KEYS, "milestones")}
        elif field in _LISTS:
            values.setdefault(field, []).append(value)
        elif field in values:
            raise NeedsOwner(f"{path}, line {number}: {field} stands here a second time.", "Keep one of the two.")
        else:
            values[field] = value
        lines.setdefault((field, 0), number)
    return _File(path, values, lambda key, milestone: lines.get((key, milestone), 0))


def _csv_rows(path: Path, text: str) -> Iterable[tuple[int, dict[str, str]]]:
    delimiter, plain_text = separated(text)
    reader = csv.reader(plain_text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    header: list[str] = []
    try:
        for cells in reader:
            plain = [cell.strip() for cell in cells]
            if not any(plain):
                continue
            if not header:
                header = [name.lower() for name in plain]
                _refuse_columns(path, header)
                continue
            if any(plain[len(header) :]):
                raise NeedsOwner(
                    f"{path}, line {reader.line_num}: there are more cells than columns.",
                    "Put a text with a comma in quotes.",
                )
            row = dict(zip(header, [*plain, *[""] * len(header)], strict=False))
            yield reader.line_num, row | {"field": row["field"].lower()}
    except csv.Error as error:
        raise NeedsOwner(
            f"{path}, line {reader.line_num}: this is not CSV ({error}).", "Correct the quotes of that line."
        ) from None


def _refuse_columns(path: Path, header: list[str]) -> None:
    wrong = next((name for name in header if name not in COLUMNS), "")
    missing = next((name for name in ("field", "value") if name not in header), "")
    if wrong or missing:
        problem = f'the column "{wrong}" is not known' if wrong else f'the column "{missing}" is missing'
        raise NeedsOwner(f"{path}, line 1: {problem}.", "The first line is: field,value,due,estimate,done")


# ---------------------------------------------------------------- the values


def _refuse_unknown(file: _File, values: Mapping[str, Any], known: tuple[str, ...], milestone: int) -> None:
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
            mend = f'Did you mean "{near[0]}"?' if near else f"Known here: {', '.join(known)}."
            problem = f"{key} is not known in a milestone." if milestone else f"{key} is not known in a project's file."
            raise file.wrong(key, problem, mend, milestone)


def _string(file: _File, key: str, *, needed: bool = False) -> str:
    value = file.values.get(key, "")
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise file.wrong(key, f"{key} must be a short text in quotes.", "Correct it; docs/status.md has an example.")
    if needed and not value.strip():
        raise file.wrong(key, f"{key} is missing.", f"Add it, for example {_EXAMPLE[key]}.")
    return value.strip()


def _email(file: _File) -> str:
    address = _string(file, "email", needed=True).lower()
    if not _EMAIL.fullmatch(address):
        raise file.wrong("email", f'email is "{address}", which is no address.', f"Write it like {_EXAMPLE['email']}.")
    return address


def _strings(file: _File, key: str) -> tuple[str, ...]:
    value = file.values.get(key, [])
    fits = isinstance(value, list) and len(value) <= MOST_ITEMS
    if not fits or not all(isinstance(item, str) and len(item) <= _LONGEST for item in value):
        raise file.wrong(key, f"{key} must be a list of texts.", f'Write it like {key} = ["one line", "another line"].')
    return tuple(item.strip() for item in value if item.strip())


def _milestones(file: _File) -> tuple[Milestone, ...]:
    value = file.values.get("milestones", [])
    if not isinstance(value, list) or not all(isinstance(table, dict) for table in value) or len(value) > MOST_ITEMS:
        raise file.wrong("milestones", "milestones must be tables.", "Begin each with a line [[milestones]].")
    milestones: list[Milestone] = []
    for number, entry in enumerate(value, 1):
        _refuse_unknown(file, entry, MILESTONE_KEYS, number)
        milestone = _milestone(file, entry, number)
        if fold(milestone.name) in {fold(earlier.name) for earlier in milestones}:
            raise file.wrong(
                "name", f'There are two milestones "{milestone.name}".', "Give each a name of its own.", number
            )
        milestones.append(milestone)
    return tuple(milestones)


def _milestone(file: _File, entry: Mapping[str, Any], number: int) -> Milestone:
    name = entry.get("name", "")
    if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST:
        raise file.wrong("name", "a milestone has no name.", f"Add it, for example {_EXAMPLE['milestones']}.", number)
    return Milestone(
        name=name.strip(),
        due=_due(file, entry.get("due"), number),
        estimate_minutes=_estimate(file, entry.get("estimate"), number),
        done=_done(file, entry.get("done", False), number),
    )


def _due(file: _File, value: object, number: int) -> date | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value.strip()):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            pass
    raise file.wrong("due", f"due is {_shown(value)}, which is no day.", "Write it like due = 2026-12-18.", number)


def _estimate(file: _File, value: object, number: int) -> int:
    """Minutes of "40h", "2h 30m", "90m" or "7.5h"."""
    if value is None:
        return 0
    match = _SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or not (match[1] or match[2]):
        raise file.wrong(
            "estimate", f"estimate is {_shown(value)}.", 'Write it in hours, like estimate = "40h" or "2h 30m".', number
        )
    return round(float(match[1] or 0) * 60) + int(match[2] or 0)


def _done(file: _File, value: object, number: int) -> bool:
    words = {"true": True, "yes": True, "false": False, "no": False, "": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in words and file.path.suffix.lower() == ".csv":
        return words[value.strip().lower()]
    raise file.wrong("done", f"done is {_shown(value)}.", "Write true or false.", number)


def _shown(value: object) -> str:
    """A value of the file for a sentence; a number of thousands of digits cannot be written out."""
    if isinstance(value, int | float | str | date):
        try:
            return one_line(repr(value) if isinstance(value, str) else str(value).lower(), 60)
        except ValueError:
            return "a number without end"
    return "a list or a table"


def _refuse_twice(project: Project, path: Path, others: Iterable[Project]) -> None:
    """Two projects by one name cannot be told apart in a timesheet."""
    names = names_of(project)
    for existing in others:
        if project.id == existing.id:
            raise NeedsOwner(f"{path}: there is a second file for {project.id}.", "Keep one of the two.")
        if shared_names := names & names_of(existing):
            raise NeedsOwner(
                f'{path}: the project {existing.id} is called "{min(shared_names)}" as well.',
                "Give each project a name, and tracked_as names, of its own.",
            )


def names_of(project: Project) -> frozenset[str]:
    """Under which names, folded, a time tool may know the project."""
    return frozenset(fold(name) for name in (project.id, project.name, *project.tracked_as))
