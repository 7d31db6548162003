"""The quick half is what starts nothing, and that is found out, not marked: tried on code that does and does not."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from tests import quick
from tests.approved import Desk
from tests.house.running import House
from tests.servers.certificates import make_certificates
from tests.servers.smtp import RecordingSmtp
from tests.stage import staged

HELPER = House
ROOT = Path(__file__).parents[2]


def starts_by_a_helper() -> None:
    _helps()


def _helps() -> House:
    return HELPER(Path(), None, None)  # type: ignore[arg-type]


async def skips_time() -> None:
    async with staged():
        pass


def with_a_server() -> None:
    with RecordingSmtp():
        pass


def inside_a_lambda() -> None:
    [*map(lambda word: subprocess.run([word], check=False), ["true"])]  # noqa: C417


def imports_inside() -> None:
    from tests.servers import web

    web.WebServer()


class Holder:
    @property
    def server(self) -> RecordingSmtp:
        return RecordingSmtp()


def through_a_class() -> None:
    _ = Holder().server


def calls_itself(depth: int = 0) -> None:
    if depth < 3:
        calls_itself(depth + 1)


def only_writes_files(folder: Path) -> None:
    make_certificates(folder)
    Desk(folder)


def only_waits() -> None:
    asyncio.run(asyncio.sleep(0))


@pytest.mark.parametrize(
    "function",
    [starts_by_a_helper, skips_time, with_a_server, inside_a_lambda, imports_inside, through_a_class],
    ids=lambda function: function.__name__,
)
def test_what_starts_something_is_found_however_far_away(function: object) -> None:
    assert quick.reaches(function)


@pytest.mark.parametrize(
    "function", [calls_itself, only_writes_files, only_waits], ids=lambda function: function.__name__
)
def test_what_starts_nothing_is_quick(function: object) -> None:
    assert not quick.reaches(function)


@pytest.fixture
def served(smtp_server: RecordingSmtp) -> int:
    return smtp_server.port


def test_a_fixture_of_a_fixture_counts(request: pytest.FixtureRequest, served: int) -> None:
    assert quick.starts_something(request.node)


def test_a_test_without_any_is_quick(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    assert not quick.starts_something(request.node)
