"""Languages: each is one file in workflows/words, a section per use. What a file lacks is English; none ever raises.

The lists beside the rules that mix languages (`words.table`) take what a file says under `[also.<table>...]`.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "words"
ENGLISH = "en"
_ALSO = "also"


def languages(use: str) -> tuple[str, ...]:
    """The languages whose files have a section for that use, English first."""
    return tuple(_sections(use))


def speaks(code: str, use: str) -> bool:
    """Whether that language's file has a section for that use."""
    return _plain(code) in _sections(use)


def known_language(code: str, use: str) -> str:
    """The language itself where its file has that section ("de" for "de-AT"), else English."""
    plain = _plain(code)
    return plain if plain in _sections(use) else ENGLISH


def language_of_country(country: str) -> str:
    """The language in which everybody there does business; "" where there are several."""
    code = country[:2].upper()
    files = _files().items()
    return next((language for language, file in files if code in file.get("language", {}).get("countries", ())), "")


def _plain(code: str) -> str:
    return re.split(r"[-_]", code.strip().lower(), maxsplit=1)[0]


def words_in(language: str, use: str) -> dict[str, Any]:
    """The section of that use in that language; every word it lacks is the English one."""
    return _sections(use)[known_language(language, use)]


def filled(sentence: str, **values: object) -> str:
    """The sentence with its places filled, in one pass: what a value holds is never taken for a place of its own."""
    return re.sub(r"\{(\w+)\}", lambda place: str(values.get(place[1], place[0])), sentence)


def with_added(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A table that mixes languages, with what each language's file adds to it: its lists grow, row by row."""
    joined: dict[str, Any] = dict(data)
    for file in _files().values():
        joined = _joined(joined, file.get(_ALSO, {}).get(name, {}))
    return joined


@cache
def _files() -> dict[str, dict[str, Any]]:
    """Each language's code with what its file holds, English first."""
    paths = sorted(FOLDER.glob("*.toml"), key=lambda path: (path.stem != ENGLISH, path.stem))
    return {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in paths}


@cache
def _sections(use: str) -> dict[str, dict[str, Any]]:
    english = _files()[ENGLISH].get(use, {})
    return {code: _completed(file[use], english) for code, file in _files().items() if use in file}


def _completed(section: Mapping[str, Any], english: Mapping[str, Any]) -> dict[str, Any]:
    completed = {**english, **section}
    # A table of sentences is filled; one of numbers ("zwei" is 2) is the language's own.
    texts = {key: value for key, value in english.items() if isinstance(value, dict) and _is_text(value)}
    return completed | {key: {**value, **section[key]} for key, value in texts.items() if key in section}


def _is_text(table: Mapping[str, Any]) -> bool:
    return all(isinstance(value, str) for value in table.values())


def _joined(value: Any, added: Any) -> Any:
    """Lists are lengthened; a row that stands for one meaning, or bears a name, is lengthened in its place."""
    if isinstance(value, dict) and isinstance(added, dict):
        return {key: _joined(entry, added[key]) if key in added else entry for key, entry in value.items()}
    if not isinstance(value, list) or not isinstance(added, list):
        return value
    if value and isinstance(value[0], dict):
        rows = {_name(row): row for row in added}
        return [_joined(row, rows.get(_name(row), {})) for row in value]
    if value and isinstance(value[0], list):
        return [_joined(row, additions) for row, additions in zip(value, [*added, *([[]] * len(value))], strict=False)]
    return [*value, *(word for word in added if word not in value)]


def _name(row: Mapping[str, Any]) -> Any:
    return next(iter(row.values()), None)
