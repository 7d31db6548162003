"""Fixtures of general use: real servers on loopback, started once, a fresh account for each test."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import Engine

from memory.journal import Journal
from memory.record.schema import open_engine
from tests import quick
from tests.servers.dovecot import Dovecot, DovecotUser
from tests.servers.openai import OpenAIServer
from tests.servers.smtp import RecordingSmtp
from workers.clock import SystemClock

hypothesis.settings.register_profile("house", deadline=None)  # an example takes as long as the machine is busy
hypothesis.settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="only what starts no server and no other program")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("quick"):
        return
    slow = [item for item in items if quick.starts_something(item)]
    items[:] = [item for item in items if item not in set(slow)]
    config.hook.pytest_deselected(items=slow)
    quick.watch()


@pytest.fixture(autouse=True)
def _quick_means_quick(request: pytest.FixtureRequest) -> Iterator[None]:
    """In the quick half a test that starts something all the same says so: tests/quick.py has missed it."""
    quick.started()
    yield
    if request.config.getoption("quick") and (started := quick.started()):
        pytest.fail(f"the quick half started {', '.join(started)}; name what does it in tests/quick.py", pytrace=False)


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """One real Dovecot for the whole run; tests that stop or restart it start their own."""
    server = Dovecot()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def mailbox(dovecot: Dovecot) -> DovecotUser:
    """A mailbox that no other test has."""
    return dovecot.add_user()


@pytest.fixture
def smtp_server() -> Iterator[RecordingSmtp]:
    """A recording SMTP server that a test may script to fail (tests/servers/smtp.py)."""
    with RecordingSmtp() as server:
        yield server


@pytest.fixture
def openai_server() -> Iterator[OpenAIServer]:
    """A scripted language model over real HTTP: plausible answers until a test scripts it (servers/openai.py)."""
    with OpenAIServer() as server:
        yield server


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A ledger file that no other test has."""
    engine = open_engine(tmp_path / "ledger.sqlite")
    yield engine
    engine.dispose()


@pytest.fixture
def journal(engine: Engine) -> Journal:
    """The journal of model calls in that ledger (tests/models.py makes the model)."""
    return Journal(engine, SystemClock(), "UTC")


@pytest.fixture(autouse=True)
def _own_umask() -> Iterator[None]:
    """What runs as a command of ours closes its files to others; the next test's files are its own affair.

    Said outright before and after: a fixture of a whole module may have changed it before this one is asked.
    """
    os.umask(0o022)
    yield
    os.umask(0o022)
