"""The log names errors, lines and ids: no words of a client, and no address."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from workers.service import logs


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    root = logging.getLogger()
    before = root.handlers, root.level
    logs.configure(tmp_path)
    yield tmp_path
    for handler in root.handlers:
        handler.close()
    root.handlers = before[0]
    root.setLevel(before[1])
    structlog.reset_defaults()


def lines(home: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (home / "log" / logs.FILE).read_text("utf-8").splitlines()]


def fail() -> None:
    try:
        int("the client's words: Canary <canary@studio.example>")
    except ValueError as error:
        raise RuntimeError("Canary once more") from error


@pytest.mark.parametrize("ours", [True, False])
def test_an_error_is_known_by_its_kind_and_lines_and_not_by_its_words(home: Path, ours: bool) -> None:
    try:
        fail()
    except RuntimeError:
        if ours:
            structlog.get_logger().exception("a part failed", part="memory")
        else:
            logging.getLogger("temporalio.activity").warning("Completing activity as failed", exc_info=True)
    (line,) = lines(home)
    assert "canary" not in json.dumps(line).lower()
    assert "RuntimeError at test_logs.py:" in line["exception"]
    assert "after ValueError at test_logs.py:" in line["exception"]


@pytest.mark.parametrize(
    "words",
    [
        'No mail can go to "canary@-bad-.studio.example": it is no mail address.',
        "refused: <canary@studio.example>, canary+tag@STUDIO.example; (canary@xn--stdio-4ve.example)",
        "cänary@stüdio.example",
        "<canary-1@mail.example>",
    ],
)
def test_an_address_in_a_sentence_is_left_out(home: Path, words: str) -> None:
    structlog.get_logger().warning("not delivered yet", case=7, problem=words)
    logging.getLogger("temporalio.workflow").error("case %s: a step was refused: %s", 7, words)
    ours, theirs = lines(home)
    for line in (ours, theirs):
        assert "@" not in json.dumps(line)
        assert "nary" not in json.dumps(line, ensure_ascii=False)
    assert ours["case"] == 7
    assert "(address)" in ours["problem"]


def test_a_flood_of_lines_alike_is_cut_short_and_others_are_not(home: Path) -> None:
    logger = logging.getLogger("temporalio.worker")
    for number in range(1_000):
        logger.error("Failed deserializing signal input for hear on workflow Reply with ID home:case:%d", number)
    logger.error("something else")
    told = [line["event"] for line in lines(home)]
    assert len(told) == 21
    assert told[-1] == "something else"
