"""Facts, not sentences, steer the code: what is written for people is searched, cut and compared nowhere.

A code stands beside each sentence. What older states hold as words alone is given its code by one table
(`workflows/older.py`), where it is loaded.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shape.test_dependency_rule import ROOT, modules

SENTENCES = frozenset(
    {
        "again", "changed", "detail", "gist", "hint", "hold", "mend", "note", "problem", "reason", "refused",
        "says", "summary", "trigger", "why",
    }
)  # fmt: skip
"""What fields and locals are called that hold a sentence for people."""
CUTS = frozenset(
    {
        "count", "endswith", "find", "index", "partition", "removeprefix", "removesuffix", "rfind", "rindex",
        "rpartition", "rsplit", "split", "splitlines", "startswith",
    }
)  # fmt: skip
SEARCHES = frozenset({"findall", "finditer", "fullmatch", "match", "search", "split", "sub"})
LOADS = {"workflows/older.py"}
READS_OTHERS = {
    "memory/index/aside.py": "what Chroma says when it cannot open a file",
    "memory/record/dialect.py": "what SQLite says of a file it cannot open",
    "tools/calendar/desk.py": "an address in a fault of the guarded client, which may be a secret",
    "tools/mail/reading/fetching.py": "what an IMAP server says",
    "tools/mail/sending/smtp.py": "what an SMTP server says",
    "tools/web/client.py": "what httpcore2 says of a broken answer",
    "tools/work/gitlog.py": "what git says",
    "workers/__main__.py": "what the library of the command line says",
    "workers/rounds/polling.py": "a fault of somebody's server is known again by its words, numbers left out",
    "workers/temporal/process.py": "what the Temporal server writes",
    "workers/temporal/server.py": "what the Temporal server writes",
    "workflows/rules/quoted/quoting.py": "the first line of our own mail, as it comes back in a quote",
}
"""Where words of other programs are read, which have no codes: each with whose."""
READS_PEOPLE = ("workflows/rules/",)
"""Rules read what people and their mail programs wrote; a sentence of ours is no less a sentence there."""


def steered(root: Path) -> list[str]:
    """No sentence for people is an operand of a comparison, is cut, or is searched."""
    return [
        f"{path}:{line} {what}: give it a code beside the sentence"
        for path, tree in modules(root)
        if path not in LOADS
        for line, what in found_in(tree, literal=path not in READS_OTHERS and not path.startswith(READS_PEOPLE))
        if path not in READS_OTHERS
    ]


def found_in(tree: ast.Module, *, literal: bool) -> Iterator[tuple[int, str]]:
    """`literal`: also where words stand in the code that something is searched for."""
    constants = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and is_wording(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            yield from compared(node, constants, literal=literal)
        elif isinstance(node, ast.Match) and is_sentence(node.subject):
            yield node.lineno, f"matches {ast.unparse(node.subject)}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from called(node, node.func, constants, literal=literal)


def compared(node: ast.Compare, constants: set[str], *, literal: bool) -> Iterator[tuple[int, str]]:
    operands = [node.left, *node.comparators]
    for operator, left, right in zip(node.ops, operands, operands[1:], strict=False):
        if not isinstance(operator, ast.In | ast.NotIn | ast.Eq | ast.NotEq):
            continue
        equal = isinstance(operator, ast.Eq | ast.NotEq)
        if equal and (is_nothing(left) or is_nothing(right)):  # whether there is one at all
            continue
        if any(is_sentence(side) for side in (left, right)):
            yield node.lineno, f"compares {ast.unparse(node)}"
        elif literal and any(is_wording(side) or named(side) in constants for side in (left, right)):
            yield node.lineno, f"looks for words: {ast.unparse(node)}"


def called(node: ast.Call, function: ast.Attribute, constants: set[str], *, literal: bool) -> Iterator[tuple[int, str]]:
    if function.attr in CUTS and is_sentence(function.value):
        yield node.lineno, f"cuts or searches {ast.unparse(function.value)}"
    elif function.attr in SEARCHES and any(is_sentence(argument) for argument in node.args):
        yield node.lineno, f"searches {ast.unparse(node)}"
    elif literal and function.attr in CUTS and any(is_wording(one) or named(one) in constants for one in node.args):
        yield node.lineno, f"looks for words: {ast.unparse(node)}"


def is_sentence(node: ast.expr) -> bool:
    """A field or local that holds a sentence, also in lower case, stripped or as an item of JSON."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
        return is_sentence(node.func.value)
    return named(node) in SENTENCES


def named(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
    return ""


def is_nothing(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in {"", None}


def is_wording(node: ast.expr) -> bool:
    """A constant of two words or more, or a collection of such."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return any(map(is_wording, node.elts))
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return False
    words = [word for word in node.value.split() if sum(map(str.isalpha, word)) > 1]
    return len(words) > 1 and node.value.count("\n") == 0


def test_no_sentence_steers_the_code() -> None:
    violations = steered(ROOT)
    assert not violations, "\n".join([steered.__doc__ or "", *violations])


BAD = {
    "workers/a.py": 'def f(reason): return "failed" if "once more" in reason else "sent"',
    "workers/b.py": 'def f(state): return state.reason.partition(" (")[0]',
    "tools/c.py": 'def f(state): return state.changed.startswith(("You ", "Your "))',
    "tools/d.py": '_THEY = "They wrote again."\ndef f(state): return state.changed == _THEY',
    "memory/e.py": '_NO = "The post names no page"\ndef f(one): return one.text.startswith(_NO)',
    "memory/f.py": 'def f(found): return "could be several" in found.says',
    "agents/g.py": 'NONE = "none: drafted from a template"\ndef f(why): return [step for step in why if step != NONE]',
    "workers/h.py": 'def f(one): return one["says"].lower().endswith("gone.")',
    "workflows/i.py": "import re\ndef f(event): return re.search('paid', event.summary)",
    "workflows/rules/j.py": "def f(case):\n    match case.hold:\n        case 'a complaint': return 1",
    "memory/k.py": 'def f(detail): return detail.split(" Not in Sent yet: ")[0]',
}


@pytest.mark.parametrize("path", BAD)
def test_each_way_of_steering_by_a_sentence_is_seen(path: str, tmp_path: Path) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(BAD[path])
    assert [violation.partition(":")[0] for violation in steered(tmp_path)] == [path]


def test_codes_steer_freely(tmp_path: Path) -> None:
    good = (
        "def f(state, email):\n"
        "    if state.reason == '' or state.hold or state.outcome == 'sent' or state.changed_by in {1, 2}:\n"
        "        return email.text.partition('@')[0]\n"
        "    return f'{state.reason} ({state.changed})'\n"
    )
    (tmp_path / "workers").mkdir()
    (tmp_path / "workers" / "a.py").write_text(good)
    assert steered(tmp_path) == []


def test_every_exception_is_needed() -> None:
    there = {path for path, _ in modules(ROOT)}
    assert there >= LOADS | READS_OTHERS.keys()
    needless = [path for path, tree in modules(ROOT) if path in READS_OTHERS and not list(found_in(tree, literal=True))]
    assert needless == []
