"""`./deskhand test --quick`: which tests start no server and no other program, found by what their code reaches.

Nobody marks a test. From the test and each of its fixtures we follow the names that their code uses, through the
helpers under tests/ and bench/, until one starts something: a server of tests/servers/, the service, a child process.
While the quick half runs, a listening socket or a child process all the same is an error of that test (`watch`).
"""

import builtins
import contextlib
import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

OURS = ("tests.", "bench.", "conftest")
SERVERS = "tests.servers."
_WORKERS = Path(__file__).parents[1] / "workers"
ROOMS = (
    *("tests.servers", "tests", "tests.house", "bench", "workers"),
    *(f"workers.{init.parent.name}" for init in sorted(_WORKERS.glob("*/__init__.py"))),
)
HARMLESS = {"tests.servers.certificates"}
"""Makes files."""
STARTERS = {
    *("subprocess.run", "subprocess.Popen", "subprocess.check_output", "subprocess.check_call"),
    *("asyncio.subprocess.create_subprocess_exec", "asyncio.subprocess.create_subprocess_shell", "pty.spawn"),
    *("multiprocessing.context.Process", "asyncio.streams.start_server", "asyncio.streams.start_unix_server"),
    *(
        "temporalio.testing._workflow.WorkflowEnvironment",
        "workers.service.supervisor.Service",
        "workers.temporal.server.TemporalServer",
    ),
    *("workers.control.ControlServer", "tools.mail.embedded.EmbeddedMail", "tools.mail.parser.Parser"),
    *(
        "workers.demo.site.Site",
        "workers.setup.suite.provide",
        "workers.temporal.temporal_cli.find_cli",
        "socket.socket",
    ),
    *("http.server.HTTPServer", "http.server.ThreadingHTTPServer", "tools.web.addresses.is_own"),
    *("workers.temporal.worker.build_workers", "socket.create_server", "tools.web.foreign.Reader"),
    *("tools.calendar.events.expanded", "tools.calendar.invitations.invitation_in", "tools.calendar.desk.Calendars"),
    *("workers.commands.calendar.show", "workers.check.trade.probe_calendar", "tools.calendar.events.reader"),
    *("tools.web.foreign.page_of", "tools.web.foreign.channel_of", "tools.web.foreign.text_of"),
    *("tools.web.foreign.json_of", "tools.web.values.json_values", "tools.sources.json_map.fetch"),
    *("tools.sources.rss.fetch", "tools.sources.weworkremotely.fetch", "tools.sources.hackernews.fetch"),
    *("tools.sources.remoteok.fetch", "tools.feeds._read", "tools.mcp.McpServers", "tools.mcp.McpServer"),
    "tools.files.reader.FileReader",
    *("tests.tools.test_web.answered", "workers.commands.plugins.tools"),
}
"""What starts something, by module and name."""


def starts_something(item: pytest.Item) -> bool:
    """Whether this test or a fixture of it starts a server or another program."""
    if not isinstance(item, pytest.Function):
        return False
    fixtures = item._fixtureinfo.name2fixturedefs.values()
    functions = [item.function, *(definitions[-1].func for definitions in fixtures), *_given(item)]
    return any(reaches(function) for function in functions)


def _given(item: pytest.Function) -> Iterator[object]:
    """What the test is given as parameters: a function or class, and of a module what the test names of it."""
    callspec = getattr(item, "callspec", None)
    for value in callspec.params.values() if callspec else ():
        if isinstance(value, FunctionType | type):
            yield value
        elif isinstance(value, ModuleType):
            yield from (getattr(value, name) for name in item.function.__code__.co_names if hasattr(value, name))


_KNOWN: dict[int, bool] = {}


def reaches(thing: object) -> bool:
    """Whether this function or class, or a helper of ours that it uses, starts something."""
    thing = inspect.unwrap(thing) if callable(thing) else thing  # type: ignore[arg-type]
    if _is_starter(thing):
        return True
    if id(thing) not in _KNOWN and _is_ours(thing):
        _KNOWN[id(thing)] = False  # one that uses itself
        _KNOWN[id(thing)] = any(reaches(used) for used in _used(thing))
    return _KNOWN.get(id(thing), False)


def _is_starter(thing: object) -> bool:
    module = getattr(thing, "__module__", "") or ""
    if module.startswith(SERVERS) and module not in HARMLESS:
        return isinstance(thing, type) and any(hasattr(thing, way) for way in ("start", "__enter__", "__aenter__"))
    return f"{module}.{getattr(thing, '__qualname__', '')}" in STARTERS


def _is_ours(thing: object) -> bool:
    if not isinstance(thing, FunctionType | type):
        return False
    module = thing.__module__ or ""
    return module.startswith(OURS) or module.startswith("test_")


def _used(thing: object) -> Iterator[object]:
    """Everything that its code names: globals, and attributes of the modules among them."""
    functions = [thing] if isinstance(thing, FunctionType) else _methods(thing)  # type: ignore[arg-type]
    if isinstance(thing, type):
        yield from thing.__mro__[1:]
    for function in functions:
        for code in _codes(function.__code__):
            for name in code.co_names:
                yield from _named(name, function.__globals__, code)
        for cell in function.__closure__ or ():
            yield _content(cell)


def _methods(owner: type) -> list[FunctionType]:
    found = [
        getattr(member, "__func__", None) or getattr(member, "fget", None) or member for member in vars(owner).values()
    ]
    return [inspect.unwrap(member) for member in found if isinstance(member, FunctionType)]


def _named(name: str, names: dict[str, Any], code: CodeType) -> Iterator[object]:
    thing = names.get(name, getattr(builtins, name, None))
    if not isinstance(thing, ModuleType) and thing is not None:
        yield thing
    for module in (thing, *_imported(name, code)):
        if isinstance(module, ModuleType):
            yield from (value for used in code.co_names if (value := getattr(module, used, None)) is not None)


def _imported(name: str, code: CodeType) -> Iterator[ModuleType | None]:
    """The modules code imports by itself: `from tests.servers import web`, `from workers.temporal import server`."""
    yield sys.modules.get(name)
    for room in ROOMS:
        if room in code.co_names:
            with contextlib.suppress(ImportError):
                yield importlib.import_module(f"{room}.{name}")


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _content(cell: Any) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return None


# ---------------------------------------------------------------- while it runs

_ALLOWED = ("git", "uname", "ldconfig", "gcc", "cc", "ld")
"""Children that standard libraries start to look around."""
_started: list[str] = []


def watch() -> None:
    """From now on note each listening socket and each child process of this process."""
    sys.addaudithook(_hook)


def started() -> list[str]:
    """What was started since the last question."""
    noted, _started[:] = [*_started], []
    return noted


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen":
        program = str(arguments[0]).rpartition("/")[2]
        if not program.startswith(_ALLOWED):
            _started.append(f"the program {program}")
    elif event == "socket.bind":
        _started.append(f"a socket at {arguments[1]}")
