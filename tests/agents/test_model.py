"""The door to a language model, against a real HTTP server that fails in every way models do."""

import asyncio
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel

from agents.door.parsing import Unusable, json_schema, read_answer
from agents.door.prices import Prices
from agents.door.refusals import ModelFailed
from agents.model import Model, Structured
from memory.journal import MOST_ATTEMPTS, CallKey, Caps, GivenUp, Journal, SpendStopped
from tests.models import model_at
from tests.servers.openai import Fault, OpenAIServer, Request
from workflows.errors import NeedsOwner, Retryable
from workflows.rules.text.redaction import is_card, is_iban, redact

ROOT = Path(__file__).parents[2]
KEY = CallKey(case=41, version=1, step="draft")
CAPS = Caps(cost=Decimal(2), calls=500, tokens=1_000_000)
GOOD = {"body": "Thursday works.", "count": 2}


class Letter(BaseModel):
    """A letter."""

    body: str
    count: int


def made(url: str, journal: Journal, **changed) -> Model:
    return model_at(url, journal, **({"api_key": "sk-test", "caps": CAPS} | changed))


@pytest.fixture
async def model(openai_server: OpenAIServer, journal: Journal) -> AsyncIterator[Model]:
    model = made(openai_server.url, journal)
    yield model
    await model.aclose()


WAYS: list[Structured] = ["json_schema", "function_calling", "json_mode", "prompt"]


@pytest.mark.parametrize("way", WAYS)
async def test_each_way_of_asking_gives_the_same_value(openai_server, journal, way: Structured) -> None:
    openai_server.script(GOOD)
    model = made(openai_server.url, journal, structured=way)
    assert await model.ask("Write.", Letter, KEY) == Letter(**GOOD)
    await model.aclose()
    (request,) = openai_server.chats
    assert request.headers["authorization"] == "Bearer sk-test"
    assert request.body["max_tokens"] > 0
    assert request.schema["required"] == ["body", "count"]
    assert ("tools" in request.body) == (way == "function_calling")


ODD_BUT_USABLE = [
    '```json\n{"body": "Thursday works.", "count": 2}\n```',
    'Sure! Here it is: {"body": "Thursday works.", "count": 2} Anything else?',
    '<think>They ask {"body": 1}...</think>{"body": "Thursday works.", "count": 2}',
    'no opening tag</think>\n{"body": "Thursday works.", "count": 2}',
    '{"body": "Thursday works.", "count": "2", "extra": [1]}',
]


@pytest.mark.parametrize("text", ODD_BUT_USABLE)
async def test_fences_thinking_and_chatter_are_forgiven(openai_server, model: Model, text: str) -> None:
    openai_server.script(text)
    assert await model.ask("Write.", Letter, KEY) == Letter(**GOOD)
    assert len(openai_server.chats) == 1


MENDED_BY_ONE_REPAIR = [
    Fault("cut"),
    '{"body": "Thursday works."}',
    '{"body": {"wrong": "type"}, "count": 2}',
    "I would rather write prose.",
    "",
    Fault("null"),
    '{"body": "broken',
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("bad", MENDED_BY_ONE_REPAIR, ids=range(len(MENDED_BY_ONE_REPAIR)))
async def test_a_bad_answer_is_mended_by_one_repair(openai_server, journal, way: Structured, bad) -> None:
    openai_server.script(bad, GOOD)
    model = made(openai_server.url, journal, structured=way)
    assert await model.ask("Write.", Letter, KEY) == Letter(**GOOD)
    await model.aclose()
    assert len(openai_server.chats) == 2
    assert "cannot be used" in openai_server.chats[1].text


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("bad", MENDED_BY_ONE_REPAIR, ids=range(len(MENDED_BY_ONE_REPAIR)))
async def test_a_second_bad_answer_ends_it(openai_server, journal, way: Structured, bad) -> None:
    openai_server.script(bad, bad, GOOD)
    model = made(openai_server.url, journal, structured=way)
    with pytest.raises(ModelFailed, match="even when asked again"):
        await model.ask("Write.", Letter, KEY)
    await model.aclose()
    assert len(openai_server.chats) == 2


async def test_an_ignored_tool_is_read_from_the_text(openai_server, journal) -> None:
    openai_server.script(Fault("no_tool", text='{"body": "Thursday works.", "count": 2}'))
    model = made(openai_server.url, journal, structured="function_calling")
    assert await model.ask("Write.", Letter, KEY) == Letter(**GOOD)
    await model.aclose()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["refusal", "filtered"])
async def test_a_refusal_is_final_and_not_argued_with(openai_server, journal, way: Structured, kind) -> None:
    openai_server.script(Fault(kind), GOOD)
    model = made(openai_server.url, journal, structured=way)
    with pytest.raises(ModelFailed, match="refused"):
        await model.ask("Write.", Letter, KEY)
    await model.aclose()
    assert len(openai_server.chats) == 1


@pytest.mark.parametrize("kind", ["500", "503", "429", "drop", "close", "junk", "html", "empty", "huge"])
async def test_trouble_at_the_endpoint_is_retryable_and_asked_once(openai_server, model: Model, kind) -> None:
    openai_server.script(Fault(kind), GOOD)
    with pytest.raises(Retryable):
        await model.ask("Write.", Letter, KEY)
    assert len(openai_server.chats) == 1
    assert await model.ask("Write.", Letter, KEY) == Letter(**GOOD)  # the same model goes on working


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("99999", 300.0), ("soon", 0.0), ("-3", 0.0), ("", 0.0)])
async def test_retry_after_is_handed_on(openai_server, model: Model, header: str, seconds: float) -> None:
    openai_server.script(Fault("429", retry_after=header))
    with pytest.raises(Retryable, match="rate limit") as caught:
        await model.ask("Write.", Letter, KEY)
    assert caught.value.after == seconds


@pytest.mark.parametrize("kind", ["hang", "drip"])
async def test_a_hanging_model_ends_in_time(openai_server, journal, kind) -> None:
    openai_server.script(Fault(kind))
    model = made(openai_server.url, journal, seconds=0.6)
    with pytest.raises(Retryable, match="no answer within"):
        await model.ask("Write.", Letter, KEY)
    await model.aclose()
    assert journal.spent_today().tokens > 4_000  # it may have been paid


async def test_an_endpoint_that_is_away_is_retryable_and_costs_nothing(journal) -> None:
    model = made("http://127.0.0.1:9/v1", journal)
    with pytest.raises(Retryable, match="cannot be reached"):
        await model.ask("Write.", Letter, KEY)
    await model.aclose()
    assert journal.spent_today().tokens == 0


NEEDS = [
    (Fault("401"), r"model\.api_key"),
    (Fault("403"), r"model\.api_key"),
    (Fault("404"), r"model\.base_url .* model\.name"),
    (Fault("quota"), "no credit"),
    (Fault("redirect", location="http://127.0.0.1:9/v1/chat/completions"), r"model\.base_url"),
    (Fault("400", text="response_format.json_schema is not supported by this model"), r"model\.structured"),
]


@pytest.mark.parametrize(("fault", "mend"), NEEDS)
async def test_what_the_owner_must_mend_names_the_setting(openai_server, model: Model, fault, mend: str) -> None:
    openai_server.script(fault)
    with pytest.raises(NeedsOwner, match=mend):
        await model.ask("Write.", Letter, KEY)
    assert len(openai_server.requests) == 1


async def test_a_refused_question_never_repeats_the_servers_words(openai_server, model: Model) -> None:
    openai_server.script(Fault("400", text="your prompt 'Maria owes 500 EUR' is too long"))
    with pytest.raises(ModelFailed) as caught:
        await model.ask("Maria owes 500 EUR", Letter, KEY)
    assert "Maria" not in str(caught.value)


async def test_a_retried_activity_pays_once(openai_server, model: Model, journal) -> None:
    openai_server.script("junk", GOOD)
    first = await model.ask("Write.", Letter, KEY)
    assert await model.ask("Write.", Letter, KEY) == first  # a repaired answer too
    assert len(openai_server.chats) == 2
    assert journal.spent_today().calls == 2


async def test_another_model_or_prompt_is_another_question(openai_server, model: Model, journal) -> None:
    openai_server.script(GOOD, GOOD, GOOD)
    await model.ask("Write.", Letter, KEY)
    await model.ask("Write more.", Letter, KEY)
    other = made(openai_server.url, journal, name="other-model")
    await other.ask("Write.", Letter, KEY)
    await other.aclose()
    assert len(openai_server.chats) == 3


LOOPS = [lambda _: {"body": 1}, lambda _: Fault("429"), lambda _: Fault("junk"), lambda _: "no json", lambda _: GOOD]


@pytest.mark.parametrize("behaviour", LOOPS, ids=["loop", "429", "junk", "prose", "good"])
@pytest.mark.parametrize("cap", [1, 3])
async def test_spend_stops_at_the_cap_whatever_the_model_does(openai_server, journal, behaviour, cap: int) -> None:
    openai_server.answer(behaviour)
    model = made(openai_server.url, journal, caps=Caps(cost=Decimal(2), calls=cap, tokens=10**9))
    stops = [await _stopped(model, CallKey(case=case, version=1, step="draft")) for case in range(1, 12)]
    assert "daily_calls" in stops[-1]
    await model.aclose()
    assert len(openai_server.chats) <= cap + 1


async def _stopped(model: Model, key: CallKey) -> str:
    """What the spend cap said, "" when the call was made."""
    try:
        await model.ask("Write.", Letter, key)
    except SpendStopped as stop:
        return str(stop)
    except (Retryable, ModelFailed, GivenUp):
        return ""
    return ""


@pytest.mark.parametrize("setting", ["tokens", "cost"])
async def test_tokens_and_money_stop_as_well(openai_server, journal, setting: str) -> None:
    openai_server.answer(lambda _: GOOD)
    caps = {
        "tokens": Caps(cost=Decimal(2), calls=10**6, tokens=4_400),
        "cost": Caps(cost=Decimal("0.0084"), calls=10**6, tokens=10**9),
    }
    prices = Prices("USD", {"test-model": Prices.load().models["gpt-5-mini"]})
    model = made(openai_server.url, journal, caps=caps[setting], prices=prices)
    stops = [await _stopped(model, CallKey(case=case, version=1, step="draft")) for case in range(1, 30)]
    assert f"daily_{setting}" in stops[-1]
    await model.aclose()
    spent = journal.spent_today()
    assert spent.calls >= 1
    assert spent.tokens <= caps[setting].tokens
    assert spent.cost <= caps[setting].cost


async def test_one_question_that_always_hangs_is_given_up(openai_server, journal) -> None:
    openai_server.answer(lambda _: Fault("close"))
    model = made(openai_server.url, journal)
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(Retryable):
            await model.ask("Write.", Letter, KEY)
    with pytest.raises(GivenUp, match="broke off"):
        await model.ask("Write.", Letter, KEY)
    await model.aclose()
    assert len(openai_server.chats) == MOST_ATTEMPTS


async def test_cost_follows_the_table_and_the_endpoints_count(openai_server, journal) -> None:
    openai_server.script(GOOD)
    prices = Prices("USD", {"test-model": Prices.load().models["gpt-4o"]})
    model = made(openai_server.url, journal, prices=prices)
    await model.ask("Write.", Letter, KEY)
    await model.aclose()
    spent = journal.spent_today()
    assert Decimal(model.cost(41, 1)) == spent.cost > 0
    assert spent.unpriced == 0


async def test_a_missing_count_is_estimated_and_an_unknown_model_is_unpriced(
    openai_server, model: Model, journal
) -> None:
    openai_server.script(Fault("no_usage", text='{"body": "Thursday works.", "count": 2}'))
    await model.ask("Write.", Letter, KEY)
    assert model.cost(41, 1) == "unpriced"
    assert 0 < journal.spent_today().tokens < 4_000


async def test_nothing_secret_leaves(openai_server, model: Model) -> None:
    openai_server.script(GOOD)
    secret = "IBAN DE89 3704 0044 0532 0130 00, card 4111 1111 1111 1111, password: hunter2x, sk-proj-abcdefghijklmnop"
    await model.ask([("system", "Be brief."), ("user", secret)], Letter, KEY)
    sent = openai_server.chats[0].raw.decode()
    assert not [word for word in ("3704", "4111", "hunter2x", "abcdefghijklmnop") if word in sent]
    assert "[IBAN removed]" in sent


async def test_a_huge_prompt_is_capped(openai_server, model: Model) -> None:
    openai_server.script(GOOD)
    await model.ask("x" * 1_000_000, Letter, KEY)
    assert len(openai_server.chats[0].raw) < 100_000


async def test_half_surrogates_are_survived(openai_server, model: Model) -> None:
    openai_server.script('{"body": "half \\ud83d emoji", "count": 2}')
    assert (await model.ask("Write \ud83d.", Letter, KEY)).body.encode()


async def test_the_probe_asks_anew_each_time(openai_server, model: Model) -> None:
    openai_server.answer(lambda _: {"ok": True})
    said = await model.probe()
    await model.probe()
    assert said.startswith(f"test-model at {openai_server.url} answered in")
    assert len(openai_server.chats) == 2


def test_two_event_loops_in_a_row_each_have_their_own_model(openai_server, journal) -> None:
    openai_server.answer(lambda _: GOOD)

    async def one(case: int) -> Letter:
        model = made(openai_server.url, journal)
        try:
            return await model.ask("Write.", Letter, CallKey(case=case, version=1, step="draft"))
        finally:
            await model.aclose()

    async def main(case: int) -> Letter:
        return await one(case)

    assert [_in_new_loop(main(case)) for case in (1, 2, 3)] == [Letter(**GOOD)] * 3


def _in_new_loop(work):
    """In a thread of its own: the session's loop runs in this one."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@pytest.mark.parametrize(
    ("changed", "setting"),
    [
        ({"base_url": "localhost:11434"}, r"model\.base_url"),
        ({"base_url": ""}, r"model\.base_url"),
        ({"base_url": "file:///etc/passwd"}, r"model\.base_url"),
        ({"name": ""}, r"model\.name"),
        ({"name": "gpt-5", "caps": Caps(cost=Decimal(2), calls=1, tokens=1, currency="EUR")}, r"model\.daily_cost"),
    ],
)
def test_bad_settings_are_named(journal, changed, setting: str) -> None:
    with pytest.raises(NeedsOwner, match=setting):
        made("http://127.0.0.1:9/v1", journal, **changed)


TRACED = """
    import asyncio, sys
    from pathlib import Path
    from pydantic import BaseModel
    from datetime import datetime, UTC
    from agents.model import Model
    from agents.door.prices import Prices
    from memory.journal import MOST_ATTEMPTS, CallKey, Caps, Journal
    from memory.record.schema import open_engine

    class Clock:
        def now(self): return datetime.now(UTC)

    class Letter(BaseModel):
        body: str

    async def main():
        engine = open_engine(Path(sys.argv[2]))
        journal = Journal(engine, Clock())
        model = Model(base_url=sys.argv[1], name="test-model", caps=Caps.parse("1 USD", 5, 10**6), journal=journal,
                      prices=Prices.load(), clock=Clock())
        print((await model.ask("Write.", Letter, CallKey(case=1, version=1, step="draft"))).body[:5])
        await model.aclose()
        engine.dispose()

    asyncio.run(main())
    from langchain_core.tracers.langchain import wait_for_all_tracers
    wait_for_all_tracers()
"""


def test_the_environment_neither_traces_nor_diverts_a_call(openai_server: OpenAIServer, tmp_path: Path) -> None:
    elsewhere = openai_server.url.replace("/v1", "/elsewhere")
    hostile = {
        "LANGSMITH_TRACING": "true", "LANGCHAIN_TRACING_V2": "true", "LANGSMITH_ENDPOINT": elsewhere,
        "LANGSMITH_API_KEY": "lsv2_x", "OPENAI_API_BASE": elsewhere, "OPENAI_BASE_URL": elsewhere,
        "OPENAI_PROXY": elsewhere, "HTTP_PROXY": elsewhere, "http_proxy": elsewhere, "ALL_PROXY": elsewhere,
        "OPENAI_API_KEY": "sk-from-environment", "OPENAI_ORG_ID": "org-x", "OPENAI_ORGANIZATION": "org-y",
    }  # fmt: skip
    variables = [f"{name}={value}" for name, value in hostile.items()]
    command = [
        "env",
        *variables,
        sys.executable,
        "-c",
        textwrap.dedent(TRACED),
        openai_server.url,
        str(tmp_path / "ledger.sqlite"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "Hello", done.stderr
    assert [request.path for request in openai_server.requests] == ["/v1/chat/completions"]
    headers = openai_server.requests[0].headers
    assert "sk-from-environment" not in str(headers)
    assert "org-" not in str(headers)


def test_the_door_opens_without_the_heavy_libraries() -> None:
    code = "import sys, agents.model; print([n for n in sys.modules if n.split('.')[0] in sys.argv[1:]])"
    heavy = ["langchain_openai", "langchain_core", "langgraph", "openai", "langsmith", "httpx2"]
    done = subprocess.run([sys.executable, "-c", code, *heavy], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("text", "good"),
    [("DE89370400440532013000", True), ("DE89 3704 0044 0532 0130 00", True), ("DE88370400440532013000", False),
     ("GB82 WEST 1234 5698 7654 32", True), ("DE89", False)],
)  # fmt: skip
def test_iban_check_digits(text: str, good: bool) -> None:
    assert is_iban(text) is good


def test_card_check_digit() -> None:
    assert is_card("4111 1111 1111 1111")
    assert not is_card("4111 1111 1111 1112")
    assert not is_card("0000 0000 0000 0000")


KEPT = [
    "Invoice 2026-0117 over 1,250.00 EUR, due 27 Nov.",
    "Call me at +49 30 1234567.",
    "The password field is broken on the login page.",
    "Order 1234567890123 is late.",
    "What is the token limit?",
]


@pytest.mark.parametrize("text", KEPT)
def test_ordinary_text_is_not_redacted(text: str) -> None:
    assert redact(text) == text


GONE = [
    ("Passwort: geheim99", "geheim99"),
    ("the password is Tr0ub4dor", "Tr0ub4dor"),
    ("mot de passe : azerty12", "azerty12"),
    ("api_key=abcd1234efgh", "abcd1234efgh"),
    ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"),
    ("FR14 2004 1010 0505 0001 3M02 606", "0505"),
]


@pytest.mark.parametrize(("text", "secret"), GONE)
def test_secrets_are_redacted(text: str, secret: str) -> None:
    assert secret not in redact(text)


def test_deep_and_many_braces_end_quickly() -> None:
    for text in ("{" * 200_000, '{"a":' * 50_000, "[" * 100_000, '{"a": [' + "[" * 100_000):
        with pytest.raises(Unusable):
            read_answer(text, Letter)


def test_the_schema_is_strict() -> None:
    schema = json_schema(Letter)
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["body", "count"]
    assert schema["title"] == "Letter"


def test_prices_know_dated_and_prefixed_names_and_no_others() -> None:
    prices = Prices.load()
    mini = prices.of("gpt-5-mini", "USD")
    assert mini is not None
    assert prices.of("openai/gpt-5-mini-2026-01-31", "USD") == mini
    assert prices.of("gpt-5-mini-finetuned", "USD") is None
    assert prices.of("qwen3:8b", "EUR") is None
    assert mini.cost(1_000_000, 0) == mini.input


def test_a_recorded_request_tells_its_schema() -> None:
    tools = {
        "tools": [{"function": {"name": "x", "parameters": {"properties": {"body": {}}}}}],
        "tool_choice": "required",
    }
    assert Request("POST", "/", {}, b"", tools).schema == {"properties": {"body": {}}}
