"""What a language model is asked for: nothing for mail that rules can ignore, little for a draft.

The mails are those of tests/mail/triage; the model is a scripted server that speaks the OpenAI protocol. Calls and
tokens are what the service itself has journalled, the calls counted at the server as well.
"""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import func, select

from bench._figures import Figure, at_least, at_most, stated
from bench._house import MeasuredHouse, house
from memory.record.schema import calls, open_engine, reading, versions
from tests.house.running import ROOT
from tests.servers.openai import OpenAIServer

MAILS = ROOT / "tests" / "mail" / "triage"
OWNERS = ["ada@winter.example", "ada@oldname.example"]
"""Whom those mails are written to."""


def run(full: bool) -> Iterator[Figure]:
    """`calls.ignored`: share; `calls.draft` and `calls.tokens`: per draft, of 20 (5 in small)."""
    drafts = 20 if full else 5
    with OpenAIServer() as model, house(model=_settings(model), owner={"aliases": OWNERS}) as measured:
        yield _ignored(measured, model)
        yield from _drafted(measured, model, drafts)


def _settings(model: OpenAIServer) -> dict[str, object]:
    return {"base_url": model.url, "name": "test-model", "api_key": "none", "daily_tokens": 100_000_000}


def _ignored(measured: MeasuredHouse, model: OpenAIServer) -> Figure:
    """The share of the mixed set that was ignored, each with its reason, without one call."""
    paths = [path for path in sorted(MAILS.glob("*.eml")) if not path.name.startswith(("person--", "hold--"))]
    for path in paths:
        measured.clients.deliver(_whole_lines(path))
    measured.wait_quiet()
    with measured.ledger() as ledger:
        rules = ledger.ignored_by_rule()
    with_calls = len({key[0] for key in _journalled(measured)})
    decided = min(len(paths), sum(rules.values())) - with_calls
    return at_least(
        "calls.ignored", decided / len(paths), 0.6, mails=len(paths), calls=len(model.chats), rules=len(rules)
    )


def _drafted(measured: MeasuredHouse, model: OpenAIServer, drafts: int) -> Iterator[Figure]:
    before = len(model.chats)
    asked = len(measured.arrived)
    for number in range(drafts):
        measured.client_writes(number)
    measured.wait_arrived(asked + drafts)
    measured.wait_quiet()
    asked_for = len(model.chats) - before
    made, tokens = _made_by_the_model(measured), sum(used for _, used in _journalled(measured))
    figure = at_most("calls.draft", asked_for / drafts, 2, drafts=drafts, by_the_model=made)
    yield figure | {"ok": figure["ok"] and made == drafts}  # a template's draft costs nothing and proves nothing
    yield stated("calls.tokens", tokens / drafts, unit="tokens", drafts=drafts)


def _journalled(measured: MeasuredHouse) -> list[tuple[int, int]]:
    """Each journalled call: its case, and its tokens."""
    engine = open_engine(measured.home / "ledger.sqlite")
    try:
        with reading(engine) as connection:
            rows = connection.execute(select(calls.c.case, calls.c.input_tokens + calls.c.output_tokens))
            return [(row[0], row[1]) for row in rows]
    finally:
        engine.dispose()


def _made_by_the_model(measured: MeasuredHouse) -> int:
    engine = open_engine(measured.home / "ledger.sqlite")
    try:
        with reading(engine) as connection:
            return connection.execute(select(func.count()).where(versions.c.by == "model")).scalar_one()
    finally:
        engine.dispose()


def _whole_lines(path: Path) -> bytes:
    return path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
