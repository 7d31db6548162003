"""JSON of strangers: to plain values, with caps on how deep it is, how much it holds and how long a number is.

One number that no program can read is no reason to lose a page: it stays the text that it is written as, and whoever
reads its row sets that row aside.
"""

from json import JSONDecodeError, loads
from typing import Any, Final

from tools.web.client import Response, named
from workflows.errors import Permanent

MOST_NODES: Final = 100_000
"""Objects and lists of one answer."""
MOST_VALUES: Final = 1_000_000
"""Commas of one answer, which are no fewer than its values."""
DEEPEST: Final = 100
"""Levels of lists and objects: a listing has fewer than ten."""
_LONGEST_NUMBER = 400  # digits


def json_values(answer: Response, *, exact: bool = False) -> Any:
    """The body of an answer as JSON; a number too long to be one as the text it is. For the limited child.

    `exact`: numbers with a fraction as they are written, as text.

    Raises:
        Permanent: it is a web page, no JSON, or built to fill the memory.
    """
    text = answer.text().lstrip("\ufeff \t\r\n")
    place = named(answer.url)
    if text.startswith("<"):
        raise Permanent(f"{place} answered with a web page where JSON was expected.")
    if text.count("{") + text.count("[") > MOST_NODES:
        raise Permanent(f"{place} answered with JSON of more than {MOST_NODES:,} objects and lists.")
    if text.count(",") > MOST_VALUES:
        raise Permanent(f"{place} answered with JSON of more than {MOST_VALUES:,} values.")
    try:
        value = loads(text, parse_int=_whole, parse_float=str if exact else float)
    except JSONDecodeError as error:
        raise Permanent(f"{place} answered with broken JSON: {error.msg} in line {error.lineno}.") from error
    except RecursionError as error:
        raise Permanent(_too_deep(place)) from error
    if _depth(value) > DEEPEST:
        raise Permanent(_too_deep(place))
    return value


def _too_deep(where: str) -> str:
    return f"{where} answered with JSON that is nested deeper than {DEEPEST} levels."


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else digits


def _depth(value: Any) -> int:
    """How many levels there are, as far as one below the deepest that is read."""
    level, depth = [value], 0
    while level and depth <= DEEPEST:
        depth += 1
        level = [child for node in level for child in _children(node)]
    return depth


def _children(node: Any) -> list[Any]:
    inside = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [child for child in inside if isinstance(child, dict | list)]
