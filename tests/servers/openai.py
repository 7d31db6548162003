"""A scripted server that speaks the OpenAI protocol on loopback: real HTTP, real faults, every request recorded.

    server.script("plain text", {"body": "as JSON"}, Fault("429", retry_after=7))   # one answer a request, in order
    server.answer(lambda request: {"body": "..."} if "Kick-off" in request.text else Fault("hang"))

A request that offers tools to choose from gets tool calls: an answer {"calls": [{"tool": ..., "arguments": {...}}]}
becomes native ones. In a script such a request takes the next answer only when that is one of calls, else it gets none.

With neither it answers whatever schema it is asked for in a plausible way (`plausible`), so that a whole service can be
run against it. When a script is used up, further requests get a 500 that says so.
"""

import hashlib
import json
import re
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self

FaultKind = Literal[
    "401", "403", "404", "400", "429", "500", "503", "quota", "redirect", "hang", "drip", "drop", "close",
    "junk", "html", "cut", "refusal", "filtered", "empty", "null", "no_tool", "no_usage", "huge",
]  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One way to fail.

    `drop` ends in the middle of the body, `close` before the first byte, `drip` sends a byte now and then, `huge` sends
    `size` bytes of JSON; `cut` and `filtered` carry `text` with that finish_reason, `no_tool` ignores the offered tool.
    """

    kind: FaultKind
    text: str = '{"body": "Hello, this is cut in the mid'
    retry_after: str = ""
    location: str = ""
    size: int = 8_000_000


@dataclass(frozen=True)
class Request:
    """What a client sent. Header names are lower-case."""

    method: str
    path: str
    headers: dict[str, str]
    raw: bytes
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def messages(self) -> list[dict[str, Any]]:
        return list(self.body.get("messages", []))

    @property
    def text(self) -> str:
        """Every message's text, joined: the whole prompt."""
        return "\n".join(str(message.get("content") or "") for message in self.messages)

    @property
    def looks_up(self) -> bool:
        """Whether it offers tools to choose from."""
        choice = self.body.get("tool_choice", "auto")
        return bool(self.body.get("tools")) and choice == "auto"

    @property
    def offered(self) -> dict[str, dict[str, Any]]:
        """The tools that it offers: name -> the schema of the arguments."""
        return {tool["function"]["name"]: tool["function"]["parameters"] for tool in self.body.get("tools", [])}

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema the answer is to follow, wherever the request put it; {} when it asks for none."""
        if self.looks_up:
            return {"properties": {"calls": {"type": "array"}}}
        shape = self.body.get("response_format") or {}
        if shape.get("type") == "json_schema":
            return dict(shape["json_schema"]["schema"])
        if self.body.get("tools"):
            return dict(self.body["tools"][0]["function"]["parameters"])
        found = re.search(
            r"^\{\"(?:\$defs|additionalProperties|description|properties|title).*\}$", self.text, re.MULTILINE
        )
        return dict(json.loads(found.group())) if found else {}


Answer = str | dict[str, Any] | Fault


def plausible(request: Request) -> dict[str, Any] | str:
    """An answer that fits the schema asked for: a short English letter where there is a `body`."""
    properties = request.schema.get("properties", {})
    if not properties:
        return "Hello."
    return {name: _value(name, shape) for name, shape in properties.items()}


def _value(name: str, shape: dict[str, Any]) -> Any:
    if name == "body":
        return "Hello,\n\nthank you for your message. I will look at it properly and come back to you.\n\nBest regards"
    kind = shape.get("type", "string")
    if "enum" in shape:
        return shape["enum"][0]
    return {"array": [], "boolean": True, "integer": 1, "number": 1.0, "object": {}}.get(kind, "A short answer")


class OpenAIServer:
    """Chat completions, embeddings and models under `url`; start with `with`, or `start` and `close`."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.dimensions = 32
        self.models = ["test-model"]
        self._script: deque[Answer] | None = None
        self._callable: Callable[[Request], Answer] = plausible
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._open: set[socket.socket] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False  # joined in close(): no thread outlives the server
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="openai-server")

    @property
    def url(self) -> str:
        """The base URL, as `model.base_url` wants it."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def chats(self) -> list[Request]:
        """The chat completions alone, without those that offer tools to choose from."""
        return [request for request in self._completions if not request.looks_up]

    @property
    def looks(self) -> list[Request]:
        """The chat completions that offer tools to choose from."""
        return [request for request in self._completions if request.looks_up]

    @property
    def _completions(self) -> list[Request]:
        return [request for request in self.requests if request.path.endswith("/chat/completions")]

    def script(self, *answers: Answer | list[Answer]) -> None:
        """Give these answers, one a request, in order."""
        flat = [one for answer in answers for one in (answer if isinstance(answer, list) else [answer])]
        self._script = deque(flat)

    def answer(self, decide: Callable[[Request], Answer]) -> None:
        """Let a function of the request answer from now on."""
        self._script, self._callable = None, decide

    def reset(self) -> None:
        """As new: nothing recorded, plausible answers, hanging requests let go."""
        self._released.set()
        self._released = threading.Event()
        self.requests.clear()
        self.answer(plausible)

    def start(self) -> Self:
        self._thread.start()
        return self

    def close(self) -> None:
        self._released.set()
        self._server.shutdown()
        with self._lock:
            for connection in self._open:
                _shut(connection)
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _next(self, request: Request) -> Answer:
        with self._lock:
            if self._script is None:
                decide = self._callable
            elif request.looks_up and not (self._script and _has_calls(self._script[0])):
                return {"calls": []}
            elif self._script:
                return self._script.popleft()
            else:
                return Fault("500", text="the script is over")
        return decide(request)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(_Handler):
            owner = server

        return Handler


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


class _Handler(BaseHTTPRequestHandler):
    owner: OpenAIServer
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        with self.owner._lock:
            self.owner._open.add(self.connection)

    def finish(self) -> None:
        with self.owner._lock:
            self.owner._open.discard(self.connection)
        try:
            super().finish()
        except OSError:
            return

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def log_message(self, *args: Any) -> None:
        return

    def do_GET(self) -> None:
        self._record()
        if self.path.endswith("/models"):
            self._json(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in self.owner.models]})
        else:
            self._error(404, "no such path", "not_found")

    def do_POST(self) -> None:
        request = self._record()
        if request.path.endswith("/chat/completions"):
            self._chat(request, self.owner._next(request))
        elif request.path.endswith("/embeddings"):
            self._embed(request)
        else:
            self._error(404, "no such path", "not_found")

    def _record(self) -> Request:
        raw = self.rfile.read(int(self.headers.get("content-length", "0")))
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            body = {}
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, raw, body)
        self.owner.requests.append(request)
        return request

    def _chat(self, request: Request, answer: Answer) -> None:
        if isinstance(answer, Fault):
            self._fault(request, answer)
            return
        if request.looks_up:
            self._json(200, _calling(request, answer))
            return
        text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        self._json(200, _completion(request, text))

    def _fault(self, request: Request, fault: Fault) -> None:
        if fault.kind.isdigit() or fault.kind in ("quota", "redirect"):
            self._refuse(fault)
        elif fault.kind in ("hang", "drip", "drop", "close", "junk", "html", "huge"):
            self._break(request, fault)
        else:
            self._json(200, _odd(request, fault))

    def _refuse(self, fault: Fault) -> None:
        if fault.kind == "redirect":
            self._send(307, b"", {"location": fault.location})
            return
        status = 429 if fault.kind == "quota" else int(fault.kind)
        code = {"401": "invalid_api_key", "404": "model_not_found", "quota": "insufficient_quota"}.get(fault.kind, "")
        extra = {"retry-after": fault.retry_after} if fault.retry_after else {}
        text = fault.text if fault.text != Fault("500").text else f"scripted {fault.kind}"
        self._error(status, text, code, extra)

    def _break(self, request: Request, fault: Fault) -> None:
        self.close_connection = True
        whole = json.dumps(_completion(request, fault.text)).encode()
        if fault.kind == "hang":
            self.owner._released.wait()
        elif fault.kind == "drip":
            self._drip(whole)
        elif fault.kind == "drop":
            self._send(200, whole[: len(whole) // 2], {"content-length": str(len(whole))})
        elif fault.kind == "junk":
            self._send(200, b'\xff\xfe{"choices": [\x00\x01', {})
        elif fault.kind == "html":
            self._send(200, b"<html><body>Captive portal</body></html>", {"content-type": "text/html"})
        elif fault.kind == "huge":
            self._json(200, _completion(request, json.dumps({"body": "A" * fault.size})))

    def _drip(self, whole: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(whole)))
        self.send_header("connection", "close")
        self.end_headers()
        for index in range(len(whole)):
            self.wfile.write(whole[index : index + 1])
            self.wfile.flush()
            if self.owner._released.wait(0.1):
                return

    def _embed(self, request: Request) -> None:
        given = request.body.get("input", [])
        texts = [given] if isinstance(given, str) else given
        data = [
            {"object": "embedding", "index": index, "embedding": _vector(str(text), self.owner.dimensions)}
            for index, text in enumerate(texts)
        ]
        tokens = sum(len(str(text).split()) for text in texts)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        self._json(200, {"object": "list", "data": data, "model": request.body.get("model", ""), "usage": usage})

    def _error(self, status: int, message: str, code: str, headers: dict[str, str] | None = None) -> None:
        self._json(status, {"error": {"message": message, "type": "scripted", "code": code}}, headers)

    def _json(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(value).encode(), headers or {})

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        chosen = {"content-type": "application/json", "content-length": str(len(content))} | headers
        if self.close_connection:
            chosen["connection"] = "close"
        self.send_response(status)
        for name, value in chosen.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _completion(request: Request, text: str, finish: str = "stop") -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if request.body.get("tools"):
        name = request.body["tools"][0]["function"]["name"]
        call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": text}}
        message, finish = {"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls"
    return _wrapped(request, [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}], text)


def _has_calls(answer: Answer) -> bool:
    return isinstance(answer, Fault) or (isinstance(answer, dict) and "calls" in answer)


def _calling(request: Request, answer: str | dict[str, Any]) -> dict[str, Any]:
    """Native tool calls; arguments may be an object, or a list of name and value as in a plan."""
    wanted = answer.get("calls", []) if isinstance(answer, dict) else []
    calls = [
        {"id": f"call_{number}", "type": "function", "function": {"name": call["tool"], "arguments": _arguments(call)}}
        for number, call in enumerate(wanted, start=1)
    ]
    message: dict[str, Any] = {"role": "assistant", "content": None if calls else "enough"}
    if calls:
        message["tool_calls"] = calls
    finish = "tool_calls" if calls else "stop"
    return _wrapped(request, [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}], "enough")


def _arguments(call: dict[str, Any]) -> str:
    given = call.get("arguments", {})
    return json.dumps({one["name"]: one["value"] for one in given} if isinstance(given, list) else given)


def _wrapped(request: Request, choices: list[dict[str, Any]], text: str) -> dict[str, Any]:
    given, made = max(1, len(request.text) // 4), max(1, len(text) // 4)
    usage = {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}
    model = request.body.get("model", "")
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model}
    return head | {"choices": choices, "usage": usage}


def _odd(request: Request, fault: Fault) -> dict[str, Any]:
    """Answers with status 200 that are no answer."""
    said = {"role": "assistant", "content": fault.text}
    refused = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
    choices = {
        "cut": [{"index": 0, "message": said, "finish_reason": "length"}],
        "filtered": [{"index": 0, "message": said, "finish_reason": "content_filter"}],
        "refusal": [{"index": 0, "message": refused, "finish_reason": "stop"}],
        "null": [{"index": 0, "message": {"role": "assistant", "content": None}, "finish_reason": "stop"}],
        "empty": [],
    }.get(fault.kind, [{"index": 0, "message": said, "finish_reason": "stop"}])
    whole = _wrapped(request, choices, fault.text)
    if fault.kind == "no_usage":
        del whole["usage"]
    return whole


def _vector(text: str, dimensions: int) -> list[float]:
    """Words hashed into buckets: alike texts get alike vectors, on every run."""
    vector = [0.0] * dimensions
    for word in re.findall(r"\w+", text.lower()):
        vector[hashlib.sha256(word.encode()).digest()[0] % dimensions] += 1.0
    length = sum(value * value for value in vector) ** 0.5 or 1.0
    return [value / length for value in vector]
