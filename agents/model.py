"""The one door to a language model.

Every call through it is reserved in the journal first (spend caps, and an answer already paid for is given again),
carries no account numbers or passwords, ends within a minute, and yields a value that follows its schema or an error
that says what to do now:

    Retryable     the endpoint is away, slow, over its rate limit or broken for the moment
    NeedsOwner    the endpoint refuses the key, the name or the way of asking
    ModelFailed   it answered, but not with what was asked for, even after one repair
    SpendStopped, GivenUp (memory/journal.py)    no call was made
"""

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel

from agents.door import refusals
from agents.door.dialects import plain_answer, server_fault, stopped_at_the_limit
from agents.door.parsing import Unusable, json_schema, read_answer
from agents.door.prices import Prices
from agents.door.refusals import ModelFailed, Refusal
from agents.prompting import prompt
from memory.journal import CallKey, Caps, Done, Estimate, Journal, Usage
from memory.model.endpoint import READ_SECONDS, http_client
from workflows.errors import DeskhandError, NeedsOwner, Retryable
from workflows.ports import Clock
from workflows.rules.text.redaction import redact

if TYPE_CHECKING:
    import httpx2
    import openai
    from langchain_core.messages import AIMessage
    from langchain_core.tools import StructuredTool

Structured = Literal["json_schema", "function_calling", "json_mode", "prompt"]
Message = tuple[Literal["system", "user", "assistant"], str]
Shape = TypeVar("Shape", bound=BaseModel)

WHOLE_SECONDS = 50.0  # an activity's start_to_close is 60 s; a slow drip never trips a read timeout
MOST_INPUT = 60_000  # characters of one message
MOST_OUTPUT = 4_096  # tokens, thinking included
MOST_TOKENS = 10_000_000  # what we believe an endpoint's own count
_NO_TOOLS = "no_tools"  # how a turn ends at an endpoint without tool calls
MOST_WAIT = 300.0  # seconds: the longest retry-after that is honoured as it stands


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A tool that the model wants to ask, and with what."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """What a model said in one turn, as the journal keeps it."""

    text: str
    finish: str = "stop"
    refusal: str = ""
    calls: tuple[dict[str, Any], ...] = ()  # tool and arguments of each call, where tools were bound


@dataclass(frozen=True, slots=True)
class _Question:
    """What is put to the endpoint in one turn: messages, and the schema of the answer or the tools to choose from."""

    messages: list[Message]
    schema: dict[str, Any] = field(default_factory=dict)
    tools: tuple["StructuredTool", ...] = ()

    def digest(self, name: str, structured: str) -> str:
        """The question as one text: the same again gets the stored answer."""
        if not self.tools:
            return _as_json([name, structured, self.schema, self.messages])
        from langchain_core.utils.function_calling import convert_to_openai_tool

        return _as_json([name, "tools", [convert_to_openai_tool(tool) for tool in self.tools], self.messages])


class _ProbeAnswer(BaseModel):
    ok: bool


class Model:
    """One model at one OpenAI-compatible endpoint; one per worker, as its connections belong to one event loop."""

    def __init__(  # noqa: PLR0913 (the settings of [model] and four parts, all by name)
        self,
        *,
        base_url: str,
        name: str,
        api_key: str = "",
        structured: Structured = "json_schema",
        caps: Caps,
        journal: Journal,
        prices: Prices,
        clock: Clock,
        seconds: float = WHOLE_SECONDS,
    ) -> None:
        """`seconds`: how long one call may take in all, at most 50.

        Raises:
            NeedsOwner: the endpoint or the name is missing, or the cap is in a currency the price is not in.
        """
        if urlsplit(base_url).scheme not in ("http", "https") or not urlsplit(base_url).hostname:
            raise NeedsOwner(
                f'The setting model.base_url is "{base_url}", which is not the address of a model.',
                'Write it like base_url = "http://127.0.0.1:11434/v1".',
            )
        if not name:
            raise NeedsOwner("The setting model.name is empty.", "Name the model as its endpoint lists it.")
        self.name = name
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._structured = structured
        self._caps = caps
        self._journal = journal
        self._price = prices.of(name, caps.currency)
        self._clock = clock
        self._seconds = min(seconds, WHOLE_SECONDS)
        self._http: httpx2.AsyncClient | None = None
        self._chat: Any = None
        self._opening = asyncio.Lock()
        self._calls_tools = structured in {"json_schema", "function_calling"}
        self.trouble = ""
        """What the owner must mend before this model answers, "" when it answered last."""
        # Only OpenAI itself insists on the new name of the limit; many others know the old one alone.
        self._new_limit = (urlsplit(base_url).hostname or "").endswith(("openai.com", "azure.com"))

    async def ask(self, messages: str | Sequence[Message], shape: type[Shape], key: CallKey) -> Shape:
        """The model's answer as a value of `shape`; one repair turn when the first answer does not follow it.

        Raises:
            ModelFailed: it refuses, or does not follow the schema even after the repair.
            Retryable, NeedsOwner, SpendStopped, GivenUp: see the module.
        """
        turns: list[Message] = [("user", messages)] if isinstance(messages, str) else list(messages)
        clean = [(role, _clean(text)) for role, text in turns]
        reply = await self._turn(clean, shape, key)
        try:
            return _value(reply, shape)
        except Unusable as fault:
            repair: list[Message] = [
                ("assistant", reply.text or "(nothing)"),
                ("user", prompt("repair", fault=str(fault))),
            ]
        repair_key = CallKey(case=key.case, version=key.version, step=f"{key.step}:repair", ordinal=key.ordinal)
        reply = await self._turn([*clean, *((role, _clean(text)) for role, text in repair)], shape, repair_key)
        try:
            return _value(reply, shape)
        except Unusable as fault:
            raise ModelFailed(
                f"The model {self.name} did not give a usable answer, even when asked again: {fault}"
            ) from None

    async def choose(
        self, messages: Sequence[Message], tools: Sequence["StructuredTool"], key: CallKey
    ) -> tuple[Choice, ...] | None:
        """The tools that the model wants to ask, by native tool calls; None: this endpoint has none.

        Raises:
            ModelFailed, Retryable, NeedsOwner, SpendStopped, GivenUp: see the module.
        """
        if not self._calls_tools:
            return None
        clean = [(role, _clean(text)) for role, text in messages]
        reply = await self._put(_Question(clean, tools=tuple(tools)), key)
        if reply.finish == _NO_TOOLS:
            self._calls_tools = False
            return None
        return tuple(Choice(**call) for call in reply.calls)

    async def probe(self) -> str:
        """Ask one tiny question, for `check`; a sentence that says it went well. Raises as `ask` does."""
        now = self._clock.now()
        key = CallKey(case=0, version=0, step="probe")
        await self.ask(prompt("probe", now=now.isoformat()), _ProbeAnswer, key)
        seconds = (self._clock.now() - now).total_seconds()
        return f"{self.name} at {self._base_url} answered in {seconds:.1f} s by {self._structured}."

    def cost(self, case: int, version: int) -> str:
        """What this version has cost so far, as `Draft.cost` wants it."""
        return self._journal.cost(case, version)

    async def aclose(self) -> None:
        """Close the connections; the next `ask` opens new ones."""
        http, self._http, self._chat = self._http, None, None
        if http is not None:
            await http.aclose()

    async def _turn(self, messages: list[Message], shape: type[BaseModel], key: CallKey) -> Said:
        """One journalled call."""
        schema = json_schema(shape)
        if self._structured in ("json_mode", "prompt"):
            messages = [("system", prompt("schema", schema=json.dumps(schema, sort_keys=True))), *messages]
        return await self._put(_Question(messages, schema), key)

    async def _put(self, question: _Question, key: CallKey) -> Said:
        """The stored answer to this question, or one call for it."""
        request = question.digest(self.name, self._structured)
        digest = hashlib.sha256(request.encode("utf-8", "replace")).hexdigest()
        estimate = self._estimate(request)
        place = await asyncio.to_thread(self._journal.reserve, key, digest, self.name, self._caps, estimate)
        if isinstance(place, Done):
            return Said(**json.loads(place.answer))
        try:
            reply, usage = await self._call(question, estimate)
        except _Failure as failure:
            await asyncio.to_thread(self._journal.failed, place, str(failure.error), paid=failure.paid)
            self.trouble = str(failure.error) if isinstance(failure.error, NeedsOwner) else self.trouble
            raise failure.error from failure.__cause__
        self.trouble = ""
        answer = json.dumps(asdict(reply), ensure_ascii=False)
        await asyncio.to_thread(self._journal.finish, place, answer, usage)
        return reply

    def _estimate(self, asked: str) -> Estimate:
        input_tokens = len(asked.encode("utf-8", "replace")) // 3 + 50  # bytes: Chinese is about a token a character
        cost = self._price.cost(input_tokens, MOST_OUTPUT) if self._price else None
        return Estimate(input_tokens=input_tokens, output_tokens=MOST_OUTPUT, cost=cost)

    async def _call(self, question: _Question, estimate: Estimate) -> tuple[Said, Usage]:
        """One HTTP request, every way it can end mapped to what to do now."""
        chat = await self._opened()  # not within the deadline: the first time it imports for seconds
        try:
            async with asyncio.timeout(self._seconds):
                raw = await self._invoke(chat, question)
            reply = _chosen(raw) if question.tools else _said(raw)
        except DeskhandError:
            raise
        except Exception as error:  # a third party's dozens of exceptions: each becomes one of ours, none is swallowed
            ended = _without_tools(error) if question.tools else _unfinished(error)
            if ended is not None:
                return ended, self._usage(None, ended, estimate)
            raise self._failure(error) from error
        usage = self._usage(getattr(raw, "usage_metadata", None), reply, estimate)
        self._refuse_a_cut_question(usage, question.messages)
        return reply, usage

    def _refuse_a_cut_question(self, usage: Usage, messages: list[Message]) -> None:
        """What was answered without the whole question (the rules stand at its start) is no answer."""
        if stopped_at_the_limit(usage.input_tokens, "\n".join(text for _, text in messages)):
            problem = (
                f"The model {self.name} at {self._base_url} read only {usage.input_tokens} tokens of a longer "
                "question: its context is too small. Give it 16,384 tokens (Ollama: OLLAMA_CONTEXT_LENGTH=16384)."
            )
            raise _Failure(ModelFailed(problem), paid=True)

    async def _invoke(self, chat: Any, question: _Question) -> "AIMessage":
        with untraced():
            if question.tools or self._structured == "prompt":
                asked = chat.bind_tools(question.tools) if question.tools else chat
                raw: AIMessage = await asked.ainvoke(question.messages)
                return raw
            strict = {"strict": True} if self._structured == "json_schema" else {}
            asking = chat.with_structured_output(question.schema, method=self._structured, include_raw=True, **strict)
            result: dict[str, AIMessage] = await asking.ainvoke(question.messages)
            return result["raw"]

    async def _opened(self) -> Any:
        async with self._opening:
            if self._chat is None:
                if self._http is None:
                    self._http = await asyncio.to_thread(http_client, plain_answer)
                self._chat = await asyncio.to_thread(self._build, self._http)
            return self._chat

    def _build(self, http: "httpx2.AsyncClient") -> Any:
        # Imported here: 1.6 s and 90 MB that a home without a model never pays.
        from langchain_openai import ChatOpenAI

        new = self._new_limit  # the SDK sends `max_tokens` as max_completion_tokens
        limit: dict[str, Any] = {"max_tokens": MOST_OUTPUT} if new else {"extra_body": {"max_tokens": MOST_OUTPUT}}
        return ChatOpenAI(
            model=self.name,
            base_url=self._base_url,
            api_key=lambda: (
                self._api_key or "none"
            ),  # a function: shown nowhere; local servers want no key, the SDK does
            organization="",
            openai_proxy="",
            http_async_client=http,
            max_retries=0,
            timeout=READ_SECONDS,
            use_responses_api=False,
            **limit,
        )

    def _usage(self, found: Any, said: Said, estimate: Estimate) -> Usage:
        """The endpoint's own count, or ours where it gives none or nonsense."""
        counts = found if isinstance(found, dict) else {}
        input_tokens = _count(counts.get("input_tokens"), estimate.input_tokens)
        output_tokens = _count(counts.get("output_tokens"), len(said.text.encode("utf-8", "replace")) // 3 + 1)
        return Usage(
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cost=self._price.cost(input_tokens, output_tokens) if self._price else None,
        )

    def _failure(self, error: Exception) -> "_Failure":
        import httpx2
        import openai

        endpoint = f"The model {self.name} at {self._base_url}"
        if isinstance(error, openai.APIStatusError):
            return _Failure(self._refused(error, endpoint), paid=False)
        if isinstance(error, openai.APITimeoutError | TimeoutError | httpx2.TimeoutException):
            slow = not _caused_by(error, httpx2.ConnectTimeout)
            return _Failure(Retryable(f"{endpoint} gave no answer within {self._seconds:.0f} s."), paid=slow)
        if isinstance(error, openai.APIConnectionError | httpx2.HTTPError | OSError):
            away = _caused_by(error, httpx2.ConnectError)
            problem = "cannot be reached" if away else "broke off in the middle of its answer"
            return _Failure(Retryable(f"{endpoint} {problem}."), paid=not away)
        return _Failure(Retryable(f"{endpoint} answered with something that is not the OpenAI protocol."), paid=True)

    def _refused(self, error: "openai.APIStatusError", where: str) -> DeskhandError:
        fault = server_fault(error.status_code, error.response.content)
        if refusals.wants_other_limit(fault) and not self._new_limit:
            self._new_limit, self._chat = True, None
            return Retryable(f"{where} knows the limit of an answer under another name; it is asked again.")
        after = _retry_after(error)
        return refusals.what_to_do(Refusal(fault=fault, where=where, structured=self._structured, after=after))


class _Failure(Exception):
    """A call without an answer: what to raise, and whether it may have cost money all the same."""

    def __init__(self, error: DeskhandError, *, paid: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.paid = paid


@contextmanager
def untraced() -> Iterator[None]:
    """Nothing inside is ever reported to LangSmith, whatever its environment variables say."""
    from langsmith.run_helpers import tracing_context

    with tracing_context(enabled=False):
        yield


def _said(raw: "AIMessage") -> Said:
    """What a message says: its text, or the arguments of the tool call that stands for it."""
    calls = [json.dumps(call["args"], ensure_ascii=False) for call in raw.tool_calls]
    broken = [str(call.get("args") or "") for call in raw.invalid_tool_calls]
    text = next(iter([*calls, *broken]), "") or _text(raw.content)
    finish = str(raw.response_metadata.get("finish_reason") or "stop")
    return Said(_encodable(text), finish, _encodable(str(raw.additional_kwargs.get("refusal") or "")))


def _chosen(raw: "AIMessage") -> Said:
    """The calls that a message holds; a call whose arguments are no object is none."""
    calls = tuple({"tool": call["name"], "arguments": call["args"]} for call in raw.tool_calls)
    encodable: list[dict[str, Any]] = json.loads(_encodable(json.dumps(calls, ensure_ascii=False)))
    return Said(_encodable(_text(raw.content)), calls=tuple(encodable))


def _without_tools(error: Exception) -> Said | None:
    """A refusal that is about the tools themselves: the endpoint has no tool calls, or not such ones."""
    import openai

    if isinstance(error, openai.APIStatusError):
        fault = server_fault(error.status_code, error.response.content)
        if refusals.is_unusable_answer(fault):
            return Said("")
        return Said("", _NO_TOOLS) if refusals.knows_no_tools(fault) else None
    return _unfinished(error)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text") or "") if isinstance(part, dict) else str(part) for part in parts)


def _encodable(text: str) -> str:
    """Without half surrogates, which JSON can say and no file or mail can hold."""
    return text.encode("utf-8", "replace").decode()


def _value(said: Said, shape: type[Shape]) -> Shape:
    if said.refusal or said.finish == "content_filter":
        raise ModelFailed("The model refused to answer this mail.")
    if said.finish == "length":
        raise Unusable("it was cut off because it was too long. Be much shorter.")
    return read_answer(said.text, shape)


def _unfinished(error: Exception) -> Said | None:
    """Endings that the SDK raises, though the model did speak and was paid."""
    import openai

    if isinstance(error, openai.LengthFinishReasonError):
        message = error.completion.choices[0].message
        return Said(_encodable(message.content or ""), "length")
    if isinstance(error, openai.ContentFilterFinishReasonError):
        return Said("", "content_filter")
    if isinstance(error, openai.APIStatusError):
        fault = server_fault(error.status_code, error.response.content)
        return Said(_encodable(fault.generation)) if refusals.is_unusable_answer(fault) else None
    return Said("", "stop", "refused") if type(error).__name__ == "OpenAIRefusalError" else None


def _caused_by(error: BaseException | None, kind: type[BaseException]) -> bool:
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error is not None


def _clean(text: str) -> str:
    """As it may leave: encodable, nothing secret in it, bounded."""
    text = redact(_encodable(text))
    if len(text) <= MOST_INPUT:
        return text
    return f"{text[:MOST_INPUT]}\n[{len(text) - MOST_INPUT} more characters left out]"


def _as_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _count(found: Any, otherwise: int) -> int:
    good = isinstance(found, int) and 0 < found <= MOST_TOKENS
    return int(found) if good else otherwise


def _retry_after(error: "openai.APIStatusError") -> float:
    try:
        seconds = float(error.response.headers.get("retry-after", "0"))
    except ValueError:
        return 0.0
    return min(max(seconds, 0.0), MOST_WAIT)
