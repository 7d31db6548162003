"""Dialects of the OpenAI protocol: what servers say in words of their own, put right before the SDK reads it.

Seen: an error inside a 200 (OpenRouter, Ollama), a list around an error (Gemini), arguments as an object instead of
text (llama.cpp, some vLLM), numbers as ids, the answer in `reasoning_content` with an empty `content` (vLLM, LM Studio,
DeepSeek), `content` as an object, other words for why it ended.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_MOST_WORDS = 4_000
_CONTEXT_STEP, _LEFT_OVER = 1_024, 2  # contexts are multiples of it; servers keep a token or two to themselves
_BYTES_A_TOKEN = 4.5  # a token has more in hardly any text of letters
_DEEPEST = 6
_ANYBODYS = frozenset({"failed_generation", "input", "inputs", "prompt", "messages", "ctx", "url"})
"""Fields of an error that repeat the question or the answer: no word of the server's own stands there."""
_THINKING = ("reasoning_content", "reasoning", "thinking")
_ENDS = {
    "max_tokens": "length", "max_output_tokens": "length", "max_length": "length", "token_limit": "length",
    "eos": "stop", "eos_token": "stop", "end_turn": "stop", "stop_sequence": "stop", "complete": "stop",
    "safety": "content_filter", "recitation": "content_filter", "prohibited_content": "content_filter",
    "refusal": "content_filter",
}  # fmt: skip
_STATUSES = {"insufficient_quota": 402, "invalid_api_key": 401, "model_not_found": 404, "rate_limit_exceeded": 429}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFault:
    """An error as a server states it, whatever its form.

    `words` are the server's own, to decide by and never to repeat: they may quote the mail. `generation`: the text that
    the model did write, where the server refused to hand it on as an answer.
    """

    status: int
    code: str = ""
    words: str = ""
    generation: str = ""


def plain_answer(status: int, body: bytes) -> tuple[int, bytes]:
    """The answer as the OpenAI SDK reads it: an error inside a 200 becomes an error, odd fields become usual ones."""
    if status != 200 or body.lstrip()[:1] not in (b"{", b"["):  # noqa: PLR2004
        return status, body
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return status, body
    fault = _fault_in(value)
    if fault is not None:
        return _status_of(fault), json.dumps({"error": fault}).encode()
    if not isinstance(value, dict) or not isinstance(value.get("choices"), list):
        return status, body
    for choice in value["choices"]:
        if isinstance(choice, dict):
            _put_right(choice)
    return status, json.dumps(value).encode()


def server_fault(status: int, body: bytes) -> ServerFault:
    """What an answer with an error's status says."""
    try:
        value = json.loads(body[:200_000])
    except (ValueError, RecursionError):
        return ServerFault(status=status, words=_printed(body[:_MOST_WORDS].decode("utf-8", "replace")))
    error = _fault_in(value) or value
    words = " \n".join(_said(error))[:_MOST_WORDS]
    generation = _found(error, "failed_generation")
    return ServerFault(status=status, code=_code(error), words=_printed(words), generation=generation)


def stopped_at_the_limit(prompt_tokens: int, question: str) -> bool:
    """Whether a server counted just as many tokens as its context holds, of a question that must have more.

    Ollama cuts a question that is too long and says nothing; its count then equals the context, a multiple of 1,024.
    """
    short_of = min(prompt_tokens % _CONTEXT_STEP, -prompt_tokens % _CONTEXT_STEP)
    if prompt_tokens < _CONTEXT_STEP or short_of > _LEFT_OVER:
        return False
    squeezed = re.sub(r"(.)\1{3,}", r"\1\1\1", question, flags=re.DOTALL)  # a long rule is one token
    return prompt_tokens < len(squeezed.encode("utf-8", "replace")) / _BYTES_A_TOKEN


# ---------------------------------------------------------------- answers


def _put_right(choice: dict[str, Any]) -> None:
    message = choice.get("message")
    if not isinstance(message, dict):
        return
    finish = choice.get("finish_reason")
    if isinstance(finish, str):
        choice["finish_reason"] = _ENDS.get(finish.lower(), finish.lower())
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        _put_call_right(call)
    message["content"] = _content(message)


def _put_call_right(call: Any) -> None:
    if not isinstance(call, dict):
        return
    call["id"] = str(call.get("id") or "call_0")
    call["type"] = "function"
    function = call.get("function")
    if isinstance(function, dict) and not isinstance(function.get("arguments"), str):
        function["arguments"] = json.dumps(function.get("arguments") or {}, ensure_ascii=False)


def _content(message: Mapping[str, Any]) -> Any:
    """What the message says. Thinking is an answer only where nothing else is."""
    content = message.get("content")
    if isinstance(content, dict):
        return json.dumps(content, ensure_ascii=False)
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") if isinstance(part, dict) else str(part) for part in content)
    if content or message.get("tool_calls") or message.get("refusal"):
        return content
    thoughts = (message.get(name) for name in _THINKING)
    return next((thought for thought in thoughts if isinstance(thought, str) and "{" in thought), content)


# ---------------------------------------------------------------- errors


def _fault_in(value: Any) -> dict[str, Any] | None:
    """The error that an answer carries, in one form; None when it is an answer."""
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return None
    choices = value.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict) and choices[0].get("error"):
        return _as_fault(choices[0]["error"])
    if value.get("error") and not choices:
        return _as_fault(value["error"])
    if "choices" not in value and "data" not in value:
        text = next((value[name] for name in ("detail", "errors", "message") if value.get(name)), None)
        return None if text is None else _as_fault(text, value)
    return None


def _as_fault(error: Any, around: Mapping[str, Any] | None = None) -> dict[str, Any]:
    if isinstance(error, dict):
        return error
    code = (around or {}).get("code") or (around or {}).get("type") or (around or {}).get("status")
    message = error if isinstance(error, str) else json.dumps(error)
    return {"message": message, "code": code}


def _status_of(fault: Mapping[str, Any]) -> int:
    """The status that an error inside a 200 stands for."""
    for name in ("code", "status", "status_code"):
        value = fault.get(name)
        if isinstance(value, str) and value.isdecimal():
            value = int(value[:4])
        if isinstance(value, int) and 400 <= value < 600:  # noqa: PLR2004 - an HTTP error
            return value
        if isinstance(value, str) and value in _STATUSES:
            return _STATUSES[value]
    return 400


def _code(error: Any) -> str:
    """The server's short code, "" for none."""
    if isinstance(error, dict):
        for name in ("code", "type", "status", "reason"):
            value = error.get(name)
            if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", value):
                return value.lower()
    return ""


def _said(value: Any, depth: int = 0) -> Iterator[str]:
    """Every word of the server's own in an error."""
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value[:20]:
            yield from _said(item, depth + 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name not in _ANYBODYS:
                yield from _said(item, depth + 1)


def _found(error: Any, name: str) -> str:
    value = error.get(name) if isinstance(error, dict) else None
    return value if isinstance(value, str) else ""


def _printed(text: str) -> str:
    return " ".join(text.split())
