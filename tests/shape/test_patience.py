"""No wait of the suite or of a measurement is given up so soon that a busy machine breaks it, and none is a race."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.running import until
from tests.patience import PATIENCE, SHORTEST, WaitedInVainError

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").rglob("*.py")])
A_LOOK = 1.0
"""What is waited for no longer than this is a look between two looks, or a limit that is itself under test."""
WAITS = {"timeout", "wait_for", "wait", "join", "communicate", "settimeout"}
CLOCKS = ("time.monotonic()", "monotonic()", "time.perf_counter()", "perf_counter()", "time.time()")


def too_short(text: str) -> list[int]:
    """The lines of a module that give up too soon, or hold something to a limit of wall-clock seconds."""
    return sorted({node.lineno for node in ast.walk(ast.parse(text)) if _gives_up(node) or _races(node)})  # type: ignore[attr-defined]


def _gives_up(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        named = [keyword.value for keyword in node.keywords if keyword.arg == "timeout"]
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        return any(_is_short(value) for value in (*named, *(node.args if name in WAITS else ())))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(("until", "wait_")):
        return any(_is_short(value) for value in _defaults(node.args))
    return False


def _defaults(arguments: ast.arguments) -> Iterator[ast.expr]:
    """What the limits of a function of ours are where its caller names none."""
    plain = [*arguments.posonlyargs, *arguments.args]
    pairs = [*zip(reversed(plain), reversed(arguments.defaults), strict=False)]
    pairs += [(name, value) for name, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value]
    yield from (value for name, value in pairs if name.arg in {"seconds", "timeout", "within"})


def _races(node: ast.AST) -> bool:
    """`time.monotonic() - began < 3`: true here, and false beside eight busy programs."""
    if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Lt | ast.LtE):
        return False
    measured = ast.unparse(node.left)
    return any(clock in measured for clock in CLOCKS) and any(_number(value) for value in node.comparators)


def _number(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and type(value.value) in {int, float}


def _is_short(value: ast.expr) -> bool:
    return _number(value) and A_LOOK < value.value < SHORTEST  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_wait_is_long_enough_for_a_busy_machine(path: Path) -> None:
    text = path.read_text("utf-8")
    lines = too_short(text)
    clocked = path.parent.name != "bench" and path != Path(__file__) and "perf_counter" in text
    assert not clocked, f"{path} takes wall-clock times; what must be fast is held in processor time"
    assert not lines, f"{path}: lines {lines}: wait for the event with PATIENCE; what must be fast is for bench/"


@pytest.mark.parametrize(
    "line",
    [
        "subprocess.run(['x'], timeout=20)", "child.communicate(timeout=30)", "child.wait(10)", "thread.join(5)",
        "async def f():\n async with asyncio.timeout(20): pass", "asyncio.wait_for(x, 10)", "IMAP4(h, p, timeout=5)",
        "def until(look, seconds=20): pass", "async def wait_for_it(*, seconds: float = 5.0): pass", "s.settimeout(2)",
        "assert time.monotonic() - began < 3", "assert perf_counter() - started <= 2.0",
    ],
)  # fmt: skip
def test_a_short_wait_is_found(line: str) -> None:
    assert too_short(line)


@pytest.mark.parametrize(
    "line",
    [
        "subprocess.run(['x'], timeout=PATIENCE)", "child.wait(60)", "stop.wait(0.2)",
        "time.process_time() - began < 3", "sep.join(names)",
        "house.wait_sent(1)", "assert time.monotonic() - began < SHORTEST",
        "while time.monotonic() < deadline: pass",
    ],
)  # fmt: skip
def test_a_long_wait_and_a_look_are_none(line: str) -> None:
    assert not too_short(line)


def test_what_never_comes_is_said_with_how_long_it_was_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.house.running.PATIENCE", 0.05)
    with pytest.raises(WaitedInVainError, match=r"^Waited 0 s in vain for the tide\.$"):
        until(lambda: False, 0.01, "the tide")


def test_a_shorter_limit_is_lengthened() -> None:
    looks = iter([False] * 3 + [True])
    assert until(lambda: next(looks), 0.0, "the fourth look")
    assert PATIENCE >= SHORTEST
