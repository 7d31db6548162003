"""Fixtures of general use: real servers on loopback, started once, a fresh account for each test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from memory.journal import Journal
from memory.schema import open_engine
from tests.servers.dovecot import Dovecot, DovecotUser
from tests.servers.openai import OpenAIServer
from tests.servers.smtp import RecordingSmtp
from workers.clock import SystemClock


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
