"""Dialects of the OpenAI protocol at the door to a model: real HTTP, bodies as the servers write them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from pydantic import BaseModel

from agents.door.dialects import plain_answer, server_fault, stopped_at_the_limit
from agents.door.refusals import ModelFailed
from agents.model import Structured
from memory.journal import CallKey
from tests.models import model_at
from workflows.errors import DeskhandError, NeedsOwner, Retryable

GOOD = '{"body": "Thursday works.", "count": 2}'
ANYBODYS_WORDS = "Maria owes 500 EUR"


class Letter(BaseModel):
    """A letter."""

    body: str
    count: int


class Endpoint:
    """Answers with the given bodies in turn, the last one for ever; keeps what it was asked."""

    def __init__(self, answers: list[tuple[int, Any]]) -> None:
        self.asked: list[dict[str, Any]] = []
        self._answers = answers
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments: object) -> None:
                return

            def do_POST(self) -> None:
                owner.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                status, body = owner._answers.pop(0) if len(owner._answers) > 1 else owner._answers[0]
                raw = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(raw)))
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(raw)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = False
        self._thread = Thread(target=self._http.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@contextmanager
def endpoint(*answers: tuple[int, Any]) -> Iterator[Endpoint]:
    server = Endpoint(list(answers))
    try:
        yield server
    finally:
        server.close()


def said(message: dict[str, Any], finish: str = "stop", usage: dict[str, int] | None = None) -> tuple[int, Any]:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    counted = usage or {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}
    head = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
    return 200, {**head, "choices": [choice], "usage": counted}


async def ask(server: Endpoint, journal, way: Structured = "json_schema", question: str = "Write.") -> Letter:
    model = model_at(server.url, journal, api_key="sk-test", structured=way)
    try:
        return await model.ask(question, Letter, CallKey(case=1, version=1, step="draft"))
    finally:
        await model.aclose()


def called(arguments: Any, call_id: Any = "call_1") -> dict[str, Any]:
    call = {"id": call_id, "type": "function", "function": {"name": "Letter", "arguments": arguments}}
    return {"content": None, "tool_calls": [call]}


USABLE: list[tuple[Structured, tuple[int, Any]]] = [
    ("json_schema", said({"content": None, "reasoning_content": GOOD})),
    ("json_schema", said({"content": "", "reasoning": f"They ask for a date. {GOOD}"})),
    ("json_mode", said({"content": None, "thinking": GOOD})),
    ("prompt", said({"content": "", "reasoning_content": GOOD})),
    ("json_schema", said({"content": json.loads(GOOD)})),
    ("json_schema", said({"content": [{"type": "text", "text": GOOD}]})),
    ("json_schema", said({"content": GOOD}, "STOP")),
    ("json_schema", said({"content": GOOD}, "end_turn")),
    ("function_calling", said(called(json.loads(GOOD)), "tool_calls")),
    ("function_calling", said(called(json.loads(GOOD), 0), "tool_calls")),
    ("function_calling", said(called(GOOD, None), "stop")),
]


@pytest.mark.parametrize(("way", "answer"), USABLE, ids=range(len(USABLE)))
async def test_an_answer_in_an_odd_place_is_an_answer(journal, way: Structured, answer) -> None:
    with endpoint(answer) as server:
        assert (await ask(server, journal, way)).body == "Thursday works."
        assert len(server.asked) == 1


async def test_thinking_is_no_answer_where_there_is_one(journal) -> None:
    with endpoint(said({"content": GOOD, "reasoning_content": '{"body": "no", "count": 1}'})) as server:
        assert (await ask(server, journal)).body == "Thursday works."


def error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, **more}}


NEEDS_OWNER: list[tuple[str, int, Any, str]] = [
    ("OpenRouter, no credit in a 200", 200, error("Insufficient credits.", code=402), "credit"),
    ("OpenRouter, 402", 402, error("This request requires more credits, or fewer max_tokens."), "credit"),
    ("DeepSeek", 402, error("Insufficient Balance", type="unknown_error", code="invalid_request_error"), "credit"),
    (
        "Anthropic",
        400,
        error("Your credit balance is too low to access the API", type="invalid_request_error"),
        "credit",
    ),
    ("Hugging Face", 402, {"error": "You have exceeded your monthly included credits"}, "credit"),
    ("an empty 402", 402, b"", "credit"),
    (
        "Gemini, list",
        400,
        [error("API key not valid. Please pass a valid API key.", status="INVALID_ARGUMENT")],
        "api_key",
    ),
    ("Mistral", 401, {"message": "Unauthorized", "request_id": "x"}, "api_key"),
    ("OpenRouter, key", 401, error("No auth credentials found", code=401), "api_key"),
    (
        "xAI",
        400,
        {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***"},
        "api_key",
    ),
    ("Ollama, no such model", 404, error("model 'qwen3:8b' not found, try pulling it first"), r"model\.name"),
    ("OpenRouter, name", 400, error("qwen/nothing is not a valid model ID", code=400), r"model\.name"),
    ("Groq, retired", 400, error("The model `x` has been decommissioned", code="model_decommissioned"), r"model\.name"),
    ("LM Studio", 400, {"error": "No models loaded. Please load a model."}, r"model\.name"),
    ("Mistral, name", 400, {"object": "error", "message": "Invalid model: x", "code": "1500"}, r"model\.name"),
    ("vLLM, name", 404, {"object": "error", "message": "The model `x` does not exist.", "code": 404}, r"model\.name"),
    ("vLLM, tools", 400, {"message": '"auto" tool choice requires --enable-auto-tool-choice'}, r"model\.structured"),
    ("OpenRouter, tools", 404, error("No endpoints found that support tool use."), r"model\.structured"),
    ("DeepSeek, format", 400, error("This response_format type is unavailable now"), r"model\.structured"),
    ("Ollama, tools", 400, error("registry.ollama.ai/library/gemma:2b does not support tools"), r"model\.structured"),
    ("Gemini, country", 400, [error("User location is not supported for the API use.")], "country"),
    ("OpenAI, country", 403, error("Country, region, or territory not supported"), "country"),
    ("Ollama, memory", 500, error("model requires more system memory (9.1 GiB) than is available"), "smaller model"),
    ("short answers", 400, error("`max_tokens` must be less than or equal to `2048`"), r"model\.name"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "body", "mend"), [row[1:] for row in NEEDS_OWNER], ids=[row[0] for row in NEEDS_OWNER]
)
async def test_each_refusal_has_its_own_mend(journal, status: int, body: Any, mend: str) -> None:
    with endpoint((status, body)) as server:
        with pytest.raises(NeedsOwner, match=mend):
            await ask(server, journal)
        assert len(server.asked) == 1


FAILED: list[tuple[str, int, Any, str]] = [
    ("OpenAI, length", 400, error("This model's maximum context length is 8192 tokens."), "context"),
    ("Azure, length", 400, error("Too much.", code="context_length_exceeded"), "context"),
    ("llama.cpp, length", 400, error("the request exceeds the available context size"), "context"),
    ("Anthropic, length", 400, error("prompt is too long: 210000 tokens > 200000 maximum"), "context"),
    ("a proxy, length", 413, b"<html>413 Request Entity Too Large</html>", "context"),
    ("Azure, filter", 400, error("The response was filtered", code="content_filter"), "refused"),
    ("OpenRouter, moderation", 403, error("Your input was flagged", code=403), "refused"),
    ("nobody knows it", 400, error(f"Unprocessable: {ANYBODYS_WORDS}"), "refused the question"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "words"), [row[1:] for row in FAILED], ids=[row[0] for row in FAILED])
async def test_a_refused_question_fails_alone_and_repeats_nobody(journal, status: int, body: Any, words: str) -> None:
    with endpoint((status, body)) as server:
        with pytest.raises(ModelFailed, match=words) as failed:
            await ask(server, journal)
        assert ANYBODYS_WORDS not in str(failed.value)


PASSING: list[tuple[str, int, Any]] = [
    ("Gemini, a minute's quota", 429, [error("You exceeded your current quota", status="RESOURCE_EXHAUSTED")]),
    ("llama.cpp, loading", 503, error("Loading model", type="unavailable_error")),
    ("Anthropic, overloaded", 529, error("Overloaded", type="overloaded_error")),
    ("OpenRouter, the provider in a 200", 200, error("Provider returned error", code=502)),
    ("an error in the choice", 200, {"choices": [{"error": {"message": "upstream", "code": 503}}]}),
]


@pytest.mark.parametrize(("status", "body"), [row[1:] for row in PASSING], ids=[row[0] for row in PASSING])
async def test_what_passes_is_tried_again(journal, status: int, body: Any) -> None:
    with endpoint((status, body)) as server, pytest.raises(Retryable):
        await ask(server, journal)


@pytest.mark.parametrize("code", ["json_validate_failed", "tool_use_failed"])
@pytest.mark.parametrize("words", ["I can be strict about the tools", "the key is not valid", "insufficient credit"])
async def test_what_the_server_itself_found_unusable_is_repaired(journal, code: str, words: str) -> None:
    failed = error("Failed to generate JSON.", code=code, failed_generation=f'{{"body": "{words}", "count":')
    with endpoint((400, failed), said({"content": GOOD})) as server:
        assert (await ask(server, journal)).count == 2
        assert words in json.dumps(server.asked[1])


async def test_a_server_that_knows_the_limit_by_its_other_name_is_asked_by_it(journal) -> None:
    words = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    with endpoint(
        (400, error(words, param="max_tokens", code="unsupported_parameter")), said({"content": GOOD})
    ) as server:
        model = model_at(server.url, journal, api_key="sk-test")
        key = CallKey(case=1, version=1, step="draft")
        with pytest.raises(Retryable):
            await model.ask("Write.", Letter, key)
        assert (await model.ask("Write.", Letter, key)).count == 2
        await model.aclose()
        assert "max_tokens" not in server.asked[1]
        assert server.asked[1]["max_completion_tokens"] > 0


@pytest.mark.parametrize("context", [2_048, 4_096, 4_095, 8_192])
async def test_a_question_that_was_cut_in_silence_is_told(journal, context: int) -> None:
    usage = {"prompt_tokens": context, "completion_tokens": 9, "total_tokens": context + 9}
    told = pytest.raises(ModelFailed, match=f"read only {context} tokens .* OLLAMA_CONTEXT_LENGTH")
    with endpoint(said({"content": GOOD}, usage=usage)) as server, told:
        await ask(server, journal, question="Please answer the following long mail. " * 1_200)


@pytest.mark.parametrize(
    ("tokens", "question"), [(4_096, "short"), (4_000, "word " * 9_000), (4_096, "=" * 50_000), (0, "word " * 9_000)]
)
def test_a_question_that_was_read_whole_is_not_called_cut(tokens: int, question: str) -> None:
    assert not stopped_at_the_limit(tokens, question)


def test_what_is_no_json_or_no_object_stays_as_it_came() -> None:
    for body in (b"", b"null", b"[]", b"{", b"[" * 100_000, b'"text"', b"<html>", b'{"data": []}', b"\xff\xfe{"):
        assert plain_answer(200, body) == (200, body)
        assert server_fault(400, body).status == 400


async def test_every_error_is_one_of_ours(journal) -> None:
    odd = [
        None,
        [],
        [[]],
        {"error": []},
        {"error": {"error": {"error": "x"}}},
        {"choices": [None]},
        {"choices": "x"},
        7,
    ]
    for number, body in enumerate(odd):
        for status in (200, 400):
            with endpoint((status, body)) as server:
                model = model_at(server.url, journal, api_key="sk-test")
                with pytest.raises(DeskhandError):
                    await model.ask("Write.", Letter, CallKey(case=number + 1, version=status, step="draft"))
                await model.aclose()
