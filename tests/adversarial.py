"""Text that is built to take long, and every public rule that could be given it: for the test and for `bench rules`.

The rules are found by introspection and their arguments made by type, so that a new rule is measured the day it comes.
"""

import dataclasses
import importlib
import inspect
import pkgutil
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from time import process_time
from typing import Any

from tests.ledgers import OWNER
from workflows import rules
from workflows.models.people import Owner
from workflows.models.routes import Surroundings
from workflows.rules.answers.grammar import Grammar, grammar_of
from workflows.rules.quoted.quoting import ScannedLine

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
_DEEPEST = 4


def _repeated(piece: str, begin: str = "", end: str = "x") -> Callable[[int], str]:
    return lambda size: f"{begin}{piece * (size // len(piece.encode()))}{end}"


SHAPES: dict[str, Callable[[int], str]] = {
    "marks": lambda size: "a" + "\u0301" * (size // 4) + "\u0323" * (size // 4),
    "marks in turn": _repeated("\u0323\u0301", "a"),
    "half width marks": _repeated("\uff9e\u0301\u0323", "a"),
    "digits": _repeated("1"),
    "grouped digits": _repeated("1,"),
    "dotted digits": _repeated("1."),
    "spaced digits": _repeated("1 "),
    "amounts": _repeated("1 EUR - "),
    "currency signs": _repeated("$"),
    "letters": _repeated("a", end="!"),
    "capitals": _repeated("A", end="!"),
    "words": _repeated("aa ", end="!"),
    "capital words": _repeated("Aa ", end="!"),
    "blanks": _repeated(" ", "a"),
    "blanks and a sign": _repeated(" ", "font-size:", "x"),
    "no-break blanks": _repeated("\u00a0", "a"),
    "tabs": _repeated("\t", "a"),
    "line ends": _repeated("\n", "a"),
    "blank lines": _repeated(" \n", "a"),
    "carriage returns": _repeated("\r", "a"),
    "short lines": _repeated("a\n"),
    "sentences": _repeated("I ask. "),
    "questions": _repeated("you and you"),
    "quote marks": _repeated(">"),
    "quoted lines": _repeated("> a\n"),
    "deep quotes": _repeated("> > "),
    "quote heads": _repeated("On Mon, 23 Nov 2026 at 10:00 a wrote\n"),
    "mail heads": _repeated("From: a\nSent: b\n"),
    "addresses": _repeated("a@a."),
    "signs at": _repeated("@"),
    "mails": _repeated("<a@a.de> "),
    "dots": _repeated(".", "a"),
    "dotted letters": _repeated("a."),
    "hyphens": _repeated("-", "a"),
    "hyphened letters": _repeated("a-"),
    "underscores": _repeated("_", "a"),
    "plus signs": _repeated("+", "a"),
    "apostrophes": _repeated("a'"),
    "double quotes": _repeated('"a'),
    "brackets": _repeated("("),
    "square brackets": _repeated("["),
    "angles": _repeated("<"),
    "links": _repeated("https://a.b/"),
    "one link": _repeated("a/", "https://a.b/"),
    "bars": _repeated("a | "),
    "commas": _repeated("a, "),
    "colons": _repeated("a: "),
    "times": _repeated("10:30 "),
    "dates": _repeated("23.11."),
    "orders": _repeated("41 ok, "),
    "case names": _repeated("41.1 "),
    "stars": _repeated("*", "a"),
    "list": _repeated("- a\n1. b\n"),
    "invisible": _repeated("\u200b", "a"),
    "long letters": _repeated("\ufdfa"),
    "emojis": _repeated("\U0001f44d"),
    "closings": _repeated("Best regards\n"),
    "nots": _repeated("not "),
    "ors": _repeated("if you do not pay or "),
}
"""Name -> the text of about that size."""


# ---------------------------------------------------------------- the rules


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """A public function of the rules."""

    name: str
    call: Callable[..., object]
    needs: Mapping[str, Any]

    def seconds(self, text: str) -> float:
        """Processor seconds that it takes for arguments made of this text."""
        arguments = {name: made(kind, text, name) for name, kind in self.needs.items()}
        began = process_time()
        try:
            answer = self.call(**arguments)
            if isinstance(answer, types.GeneratorType):
                list(answer)
        except Exception:  # noqa: BLE001  arguments that are made up may be nonsense: time alone is asked for
            pass
        return process_time() - began


def public_rules() -> list[Rule]:
    """Every public function of workflows.rules that takes something made of text."""
    found = []
    for module in pkgutil.walk_packages(rules.__path__, f"{rules.__name__}."):
        home = importlib.import_module(module.name)
        found += [_rule(home, name, member) for name, member in vars(home).items() if _is_rule(home, name, member)]
    return [rule for rule in found if rule.needs]


def _is_rule(home: types.ModuleType, name: str, member: object) -> bool:
    bare = getattr(member, "__wrapped__", member)
    return inspect.isfunction(bare) and not name.startswith("_") and bare.__module__ == home.__name__


def _rule(home: types.ModuleType, name: str, member: Any) -> Rule:
    bare = getattr(member, "__wrapped__", member)  # a cache would answer the second time
    hints = typing.get_type_hints(bare)
    needed = [one.name for one in inspect.signature(bare).parameters.values() if one.default is one.empty or
              hints.get(one.name) is str]  # fmt: skip
    return Rule(f"{home.__name__.rpartition('.')[2]}.{name}", bare, {one: hints[one] for one in needed})


# ---------------------------------------------------------------- arguments, by type


def made(kind: Any, text: str, name: str = "", depth: int = 0) -> Any:  # noqa: PLR0911 - one answer for each form a type has
    """Something of that type, with the text wherever a text may stand."""
    if kind in _PLAIN:
        return _PLAIN[kind](text)
    if kind is str:
        return _FIXED.get(name, text)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in {typing.Union, types.UnionType}:
        return made(_richest(arguments), text, name, depth)
    if origin is typing.Literal:
        return arguments[0]
    if origin in _MANY:
        return _MANY[origin](_pieces(arguments[0], text, name, depth))
    if origin is tuple:
        return tuple(made(one, text, name, depth) for one in arguments if one is not Ellipsis)
    if origin in {Mapping, dict}:
        return dict.fromkeys(("title", "text", "company", "contact", "pay", "place", "questions", "skills"), text) | {
            "id": "1", "url": "https://a.example/1",
        }  # fmt: skip
    if dataclasses.is_dataclass(kind) and depth < _DEEPEST:
        return _value(typing.cast("type", kind), text, depth)
    return None


def _pieces(kind: Any, text: str, name: str, depth: int) -> list[Any]:
    if kind is str:
        return text.split("\n")
    if kind is ScannedLine:
        return [ScannedLine(raw=line, depth=0, text=line, key=line) for line in text.split("\n")]
    return [made(kind, text, name, depth)]


def _richest(kinds: Sequence[Any]) -> Any:
    return next((kind for kind in kinds if dataclasses.is_dataclass(kind)), kinds[0])


def _value(kind: type, text: str, depth: int) -> Any:
    hints = typing.get_type_hints(kind)
    fields = [field for field in dataclasses.fields(kind) if field.init]
    values = {}
    for field in fields:
        is_needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if is_needed or hints[field.name] is str or field.name in _FILLED:
            values[field.name] = made(hints[field.name], text, field.name, depth + 1)
    return kind(**values)


_FILLED = frozenset({"senders", "reply_to", "to", "attachments", "questions", "attribution", "headers"})
_FIXED = {
    "identity": "0" * 64, "blob": "0" * 64, "timezone": "Europe/Berlin", "language": "en", "currency": "EUR",
    "form": "NFKC", "country": "DE", "digest": "0" * 64, "hash": "0" * 64, "code": "en", "lang": "en", "kind": "reply",
    "nonce": "0" * 32,
}  # fmt: skip
_PLAIN: dict[Any, Callable[[str], Any]] = {
    int: lambda _: 1, bool: lambda _: False, float: lambda _: 1.0, Decimal: lambda _: Decimal(1),
    datetime: lambda _: NOW, date: lambda _: NOW.date(), bytes: lambda text: text.encode(), object: lambda text: text,
    Owner: lambda _: OWNER, Surroundings: lambda _: Surroundings(folder_kind="inbox", now=NOW),
    Grammar: lambda _: grammar_of(OWNER),
}  # fmt: skip
_MANY: dict[Any, Callable[[list[Any]], Any]] = {
    list: list, Sequence: tuple, Iterable: tuple, Collection: tuple, frozenset: frozenset, set: set,
}  # fmt: skip


# ---------------------------------------------------------------- how the time grows

_FLOOR = 0.06
"""Processor seconds that are too few to be compared."""


def growth(rule: Rule, shape: str, size: int) -> float:
    """Times the seconds that text of this size takes of what half of it takes; 1.0 where that is hardly any."""
    large, small = SHAPES[shape](size), SHAPES[shape](size // 2)
    if rule.seconds(large) <= _FLOOR:
        return 1.0
    ratios = []
    for _ in range(3):  # a busy machine is no slow rule: the best of three
        ratios.append((rule.seconds(large) - _FLOOR / 3) / max(rule.seconds(small), _FLOOR / 3))
        if ratios[-1] <= _MOST_GROWTH:
            break
    return min(ratios)


_MOST_GROWTH = 2.5
