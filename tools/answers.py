"""The owner's standing answers: one file each in the folder `answers` of the home. A strict reader; docs/desk.md.

A text file's first line is its title and the rest the answer; a block between two lines `+++` before it, or a TOML
file, says more. A file with a fault is named with the mend, and the others are read all the same.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflows.errors import NeedsOwner
from workflows.models.desk import StandingAnswer
from workflows.rules.text.canonical import canonical, one_line
from workflows.rules.text.language import language_of

TEXTS = (".txt", ".md")
SUFFIXES = (*TEXTS, ".toml")
OTHER_SUFFIXES = (".docx", ".odt", ".pdf", ".rtf", ".html", ".doc")
"""What somebody may take for an answer's file: told, not silently passed by."""
KEYS = ("title", "text", "verbatim", "keywords", "language")
MOST_FILES, MOST_BYTES, LONGEST, LONGEST_TITLE, MOST_KEYWORDS = 100, 50_000, 3_000, 120, 30
_FENCE = "+++"
_NOT_READ = frozenset({"readme"})
_SEE = "docs/desk.md has an example."


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersFolder:
    """What the folder holds: the answers that could be read, and one fault for each file that could not."""

    answers: tuple[StandingAnswer, ...] = ()
    faults: tuple[NeedsOwner, ...] = ()


def read_answers(folder: Path) -> AnswersFolder:
    """Every answer of the folder, by name; a folder that is not there holds none. Never raises."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except FileNotFoundError:
        return AnswersFolder()
    except OSError as error:
        fault = NeedsOwner(f"The folder {folder} cannot be read: {error.strerror}.", "Mend its permissions.")
        return AnswersFolder(faults=(fault,))
    files = [path for path in paths if path.suffix.lower() in (*SUFFIXES, *OTHER_SUFFIXES)]
    by_id: dict[str, StandingAnswer] = {}
    faults = [] if len(files) <= MOST_FILES else [_wrong(folder, f"it holds more than {MOST_FILES} files")]
    for path in files[:MOST_FILES]:
        if path.stem.lower() in _NOT_READ:
            continue
        try:
            answer = _read(path)
            if answer.id in by_id:
                raise _wrong(path, f'another file is named "{path.stem}" as well', "Give one of them another name.")
            by_id[answer.id] = answer
        except NeedsOwner as fault:
            faults.append(fault)
    return AnswersFolder(answers=tuple(by_id.values()), faults=tuple(faults))


def answer_from(name: str, values: Mapping[str, Any], place: str) -> StandingAnswer:
    """An answer from the values of a table, in a file or in the settings.

    Raises:
        NeedsOwner: a value is missing or wrong; `place` says where.
    """
    for key in values:
        if key not in KEYS:
            raise _wrong(place, f"{key} is no key of an answer", f"The keys are {', '.join(KEYS)}.")
    title, text = values.get("title", ""), values.get("text", "")
    for key, value in (("title", title), ("text", text)):
        if not isinstance(value, str) or not value.strip():
            raise _wrong(place, f"it has no {key}", f"Write the {key} of the answer; {_SEE}")
    body = canonical(text).strip("\n")
    if len(body) > LONGEST:
        raise _wrong(place, f"the text has {len(body):,} characters, {LONGEST:,} are the most", "Shorten it.")
    if len(title) > LONGEST_TITLE:
        raise _wrong(place, f"the title has more than {LONGEST_TITLE} characters", "The first line is the title.")
    if not isinstance(values.get("verbatim", False), bool):
        raise _wrong(place, "verbatim must be true or false", "Write verbatim = true.")
    language = values.get("language", "") or language_of(body)
    if not isinstance(language, str) or not re.fullmatch(r"([a-z]{2})?", language):
        raise _wrong(place, 'language must be two small letters such as "en"', "Correct it, or leave it out.")
    return StandingAnswer(
        id=one_line(name, 60),
        title=one_line(title, LONGEST_TITLE),
        text=body,
        verbatim=values.get("verbatim", False),
        keywords=_keywords(values.get("keywords", ()), place),
        language=language,
    )


def _keywords(value: Any, place: str) -> tuple[str, ...]:
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise _wrong(place, "keywords must be a list of words", 'Write keywords = ["price", "cost"].')
    if len(words) > MOST_KEYWORDS:
        raise _wrong(place, f"there are more than {MOST_KEYWORDS} keywords", "Keep those that clients really write.")
    return tuple(one_line(word, 60) for word in words if word.strip())


def _read(path: Path) -> StandingAnswer:
    if path.suffix.lower() in OTHER_SUFFIXES:
        raise _wrong(path, f"a {path.suffix.lower()} file is not read", "Save it as plain text (.txt or .md).")
    text = _text_of(path)
    if path.suffix.lower() == ".toml":
        return answer_from(path.stem, _toml(path, text), str(path))
    head, body = _parted(path, text)
    title, _, rest = body.strip("\n").partition("\n")
    if "title" in head:
        return answer_from(path.stem, {**head, "text": body}, str(path))
    if not rest.strip():
        raise _wrong(path, "it has no text below its first line", f"The first line is the title; {_SEE}")
    return answer_from(path.stem, {**head, "title": title.lstrip("# "), "text": rest}, str(path))


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _wrong(path, f"it has more than {MOST_BYTES:,} bytes", "An answer is a short text.")
        return path.read_text("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise _wrong(path, "it is not UTF-8 text", "Save it as UTF-8.") from None
    except OSError as error:
        raise _wrong(path, f"it cannot be read ({error.strerror})", "Mend the file's permissions.") from None


def _parted(path: Path, text: str) -> tuple[dict[str, Any], str]:
    """The values between two lines `+++`, and the text below them."""
    lines = text.lstrip("\n").split("\n")
    if lines[0].strip() != _FENCE:
        return {}, text
    end = next((number for number, line in enumerate(lines[1:], 1) if line.strip() == _FENCE), 0)
    if not end:
        raise _wrong(path, "the block that begins with +++ has no end", "Close it with a line +++ of its own.")
    return _toml(path, "\n".join(lines[1:end])), "\n".join(lines[end + 1 :])


def _toml(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _wrong(path, f"this is not TOML ({one_line(str(error), 100)})", f"Correct that line; {_SEE}") from None


def _wrong(place: Path | str, problem: str, mend: str = "Keep those that you use.") -> NeedsOwner:
    return NeedsOwner(f"{place}: {problem}.", mend)
