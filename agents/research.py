"""The research agent: what can be found out about a lead's author, each fact with the words it stands on.

The plan is code's: the pages whose addresses stand in the post are fetched, read-only tools are asked with words of the
post alone, and a model may only point at words that were fetched. Half a minute in all; what does not answer leaves a
note, and without a model the pages' own titles, descriptions and addresses are kept.
"""

import asyncio
import hashlib
import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypedDict
from urllib.parse import urlsplit

from pydantic import BaseModel, TypeAdapter, ValidationError

from agents.checks import Allowed, safe_line
from agents.door.refusals import ModelFailed
from agents.model import Message, Model, untraced
from agents.prompting import prompt
from memory.journal import CallKey, GivenUp, SpendStopped
from memory.leads.findings import NO_PAGE, NOTE, Finding
from tools.web.client import Response, named, stands_in
from tools.web.foreign import page_of
from tools.web.pages import Page
from workflows.errors import DeskhandError, NeedsOwner, Retryable
from workflows.models.case import CaseState
from workflows.models.leads import Lead
from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import fold

SECONDS = 30.0
"""How long one lead may take in all."""
MOST_PAGES, MOST_CALLS, MOST_FACTS = 3, 3, 6
_PAGE_SECONDS, _TOOL_SECONDS = 12.0, 8.0
_POST, _SHOWN, _ANSWER = 8_000, 6_000, 4_000  # characters: of the post, of a page shown to a model, of a tool's answer
_ARGUMENT, _TEXT, _QUOTE, _SHORTEST_QUOTE = 200, 200, 240, 8
_URL = re.compile(
    r"https?://[^\s<>()\[\]{}\"'`|\\^]{4,500}|(?<![\w./@])www\.[^\s<>()\[\]{}\"'`|\\^]{4,300}", re.IGNORECASE
)
_COMMANDS = re.compile(
    r"(?:ignore|disregard|forget|override|bypass)\w* .{0,40}(?:instruction|prompt|rule|above|previous|prior|polic)"
    r"|system prompt|as an ai|language model|you (?:must|are now|have to|shall)|your (?:new )?(?:task|instructions?)|"
    r"begin(?:ning)? of (?:prompt|instructions)|</?(?:system|assistant|user)>",
    re.IGNORECASE,
)
# Pages that say nothing about who wrote the post: forms, calendars, videos, and the large job boards themselves.
_SILENT = (
    "docs.google.com", "forms.gle", "calendly.com", "youtube.com", "youtu.be", "linkedin.com", "facebook.com", "x.com",
    "twitter.com", "instagram.com", "t.me", "wa.me", "upwork.com", "freelancer.com", "fiverr.com", "weworkremotely.com",
    "remoteok.com", "remoteok.io", "ycombinator.com", "indeed.com", "glassdoor.com", "bit.ly", "tinyurl.com",
)  # fmt: skip

Tool = Callable[..., Any]
"""A read-only tool: a typed function, plain or async, with a docstring that says what it tells."""
Tools = Callable[[], Awaitable[Mapping[str, Tool]]]
"""Where the read-only tools come from, by name: plugins are loaded when they are first wanted."""


class Fetching(Protocol):
    """The guarded web client."""

    async def get(self, url: str, *, allowed_from: str | None = None) -> Response:
        """GET a page whose address stands in `allowed_from`. Raises Retryable and Permanent."""


class LeadLedger(Protocol):
    """What research needs of the ledger."""

    def lead_of(self, case: int) -> Lead | None: ...
    def findings(self, case: int) -> tuple[Finding, ...]: ...
    def keep_findings(self, case: int, found: Sequence[Finding]) -> bool: ...


class Argument(BaseModel):
    name: str
    value: str


class Call(BaseModel):
    tool: str
    arguments: list[Argument]


class Plan(BaseModel):
    """Which tools to ask."""

    calls: list[Call]


class Fact(BaseModel):
    text: str
    quote: str
    item: int


class Facts(BaseModel):
    """What is useful to know."""

    facts: list[Fact]


class ResearchState(TypedDict):
    """What the nodes hand on: plain JSON values alone."""

    case: int
    post: str
    items: list[dict[str, str]]  # url and text of what was fetched
    calls: list[dict[str, Any]]
    found: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class _Item:
    """Something that was read: a page, or a tool's answer under "tool:<name>"."""

    url: str
    text: str


class Researcher:
    """Implements `workflows.ports.Researching`."""

    def __init__(  # noqa: PLR0913 - the ledger, the web, a model, tools and two settings, all by name
        self,
        *,
        ledger: LeadLedger,
        web: Fetching,
        model: Model | None = None,
        tools: Tools | None = None,
        owner_name: str = "",
        seconds: float = SECONDS,
    ) -> None:
        self._ledger = ledger
        self._web = web
        self._model = model
        self._load_tools = tools
        self._tools: Mapping[str, Tool] = {}
        self._owner_name = owner_name
        self._seconds = seconds

    async def research(self, state: CaseState) -> None:
        """Look the lead of this case up and keep what was found; once per case."""
        if await asyncio.to_thread(self._ledger.findings, state.case):
            return
        lead = await asyncio.to_thread(self._ledger.lead_of, state.case)
        if lead is None:
            return
        findings = await self.find(state.case, lead)
        await asyncio.to_thread(self._ledger.keep_findings, state.case, findings)

    async def find(self, case: int, lead: Lead) -> tuple[Finding, ...]:
        """Everything that half a minute tells about a lead's author. Raises nothing of the outside world."""
        deadline = asyncio.get_running_loop().time() + self._seconds
        pages, notes = await self._pages(lead)
        findings = [finding for page in pages for finding in said_of_itself(page, lead)]
        if self._model is not None and self._load_tools is not None:
            self._tools = await self._load_tools()
        if self._model is not None and (pages or self._tools):
            seconds_left = max(deadline - asyncio.get_running_loop().time(), 0.0)
            try:
                async with asyncio.timeout(seconds_left):
                    findings += await self._read_up(case, lead, pages)
            except (TimeoutError, ModelFailed, SpendStopped, GivenUp, Retryable, NeedsOwner) as error:
                reason = str(error) or f"it took longer than {self._seconds:.0f} s in all."
                notes.append(_note(f"The model read none of it: {one_line(reason, _TEXT)}"))
        return (*_once(findings), *notes)

    # ------------------------------------------------------------ pages

    async def _pages(self, lead: Lead) -> tuple[list[Page], list[Finding]]:
        """The pages that the post names, and a note for each that did not answer."""
        urls = addresses_in(lead)
        if not urls:
            return [], [Finding(kind=NO_PAGE, text="The post names no page of its author's.")]
        answers = await asyncio.gather(*(self._page(url, lead.text) for url in urls))
        return [page for page in answers if isinstance(page, Page)], [
            _note(problem) for problem in answers if isinstance(problem, str)
        ]

    async def _page(self, url: str, text: str) -> Page | str:
        # Every host is asked at most once; "www.studio.example" without its scheme still stands in the post.
        full = url if "://" in url else f"https://{url}"
        try:
            async with asyncio.timeout(min(_PAGE_SECONDS, self._seconds)):
                answer = await self._web.get(full, allowed_from=text if full == url else text.replace(url, full))
            page = await asyncio.to_thread(page_of, answer)
        except TimeoutError:
            return f"Their site did not answer in time ({named(full)})."
        except DeskhandError as error:
            return f"Their site did not answer ({named(full)}): {one_line(str(error), _TEXT)}"
        except Exception as error:  # noqa: BLE001  a page that breaks its reader leaves the others
            return f"Their page cannot be read ({named(full)}): {type(error).__name__}."
        return page if page.text or page.title else f"Their page holds no words ({named(full)})."

    # ------------------------------------------------------------ the graph

    async def _read_up(self, case: int, lead: Lead, pages: Sequence[Page]) -> list[Finding]:
        items = [{"url": page.url, "text": _whole(page)} for page in pages]
        start = ResearchState(case=case, post=_post(lead), items=items, calls=[], found=[])
        with untraced():
            end = await self.graph().compile().ainvoke(start)
        return [Finding(**finding) for finding in end["found"]]

    def graph(self) -> Any:
        """The nodes wired: (choose -> ask ->) read -> check -> end; without tools it begins with reading."""
        # Imported here: 1 s and 76 MB that a home without a model never pays.
        from langgraph.graph import END, START, StateGraph

        graph = StateGraph(ResearchState)
        for name, node in (("choose", self.choose), ("ask", self.ask), ("read", self.read), ("check", self.check)):
            graph.add_node(name, node)
        graph.add_edge(START, "choose" if self._tools else "read")
        graph.add_edge("choose", "ask")
        graph.add_edge("ask", "read")
        graph.add_edge("read", "check")
        graph.add_edge("check", END)
        return graph

    async def choose(self, state: ResearchState) -> dict[str, Any]:
        """Which read-only tools to ask, and with which words of the post."""
        boundary = _boundary(state)
        tools = "\n".join(_described(name, tool) for name, tool in self._tools.items())
        system = prompt("research_look", boundary=boundary, tools=tools, most=str(MOST_CALLS))
        post = prompt("item", boundary=boundary, label="the post", content=state["post"])
        plan = await self._answer([("system", system), ("user", post)], Plan, state, "research:look")
        return {"calls": [call.model_dump() for call in plan.calls[:MOST_CALLS]]}

    async def ask(self, state: ResearchState) -> dict[str, Any]:
        """What the tools say; one that fails, or was asked with other words than the post's, says nothing."""
        calls = [Call(**call) for call in state["calls"]]
        answers = await asyncio.gather(*(self._asked(call, state["post"]) for call in calls))
        return {"items": [*state["items"], *({"url": answer.url, "text": answer.text} for answer in answers if answer)]}

    async def read(self, state: ResearchState) -> dict[str, Any]:
        """The facts that the model points at."""
        if not state["items"]:
            return {"found": []}
        boundary = _boundary(state)
        parts = [prompt("item", boundary=boundary, label="the post", content=state["post"])]
        for number, item in enumerate(state["items"], start=1):
            label = f"item {number}"
            parts.append(prompt("item", boundary=boundary, label=label, content=item["text"][:_SHOWN]))
        system = prompt("research", boundary=boundary, owner=one_line(self._owner_name, 100) or "the freelancer")
        facts = await self._answer([("system", system), ("user", "\n\n".join(parts))], Facts, state, "research:read")
        return {"found": [fact.model_dump() | {"item": str(fact.item)} for fact in facts.facts]}

    async def check(self, state: ResearchState) -> dict[str, Any]:
        """Code alone: a fact stays when its quote really stands in its item, and it holds nothing foreign."""
        items = [_Item(item["url"], item["text"]) for item in state["items"]]
        facts: list[dict[str, str]] = []
        for fact in state["found"]:
            finding = borne_out(fact["text"], fact["quote"], int(fact["item"]), items)
            if finding and len(facts) < MOST_FACTS:
                facts.append({"kind": finding.kind, "text": finding.text, "url": finding.url, "quote": finding.quote})
        return {"found": facts}

    async def _answer(self, messages: list[Message], shape: type[Any], state: ResearchState, step: str) -> Any:
        assert self._model is not None
        return await self._model.ask(messages, shape, CallKey(case=state["case"], version=0, step=step))

    async def _asked(self, call: Call, post: str) -> _Item | None:
        tool = self._tools.get(call.tool)
        arguments = _arguments(tool, call.arguments, post) if tool else None
        if tool is None or arguments is None:
            return None
        try:
            async with asyncio.timeout(_TOOL_SECONDS):
                answer = await _run(tool, arguments)
        except Exception:  # noqa: BLE001 - a plugin's own fault: research goes on without its answer
            return None
        text = one_line(str(answer)[:_ANSWER])
        return _Item(f"tool:{call.tool}", text) if text else None


# ---------------------------------------------------------------- what code alone can tell


def addresses_in(lead: Lead) -> tuple[str, ...]:
    """The pages of its author's that a post names, letter by letter, at most three, each host once."""
    board = _host(lead.url)
    urls_by_host: dict[str, str] = {}
    for match in _URL.finditer(lead.text[:50_000]):
        url = match.group().rstrip(".,;:!?*_~")
        host = _host(url)
        silent = host == board or any(host == name or host.endswith(f".{name}") for name in _SILENT)
        if host and "." in host and not silent and stands_in(url, lead.text):
            urls_by_host.setdefault(host, url)
    return tuple(urls_by_host.values())[:MOST_PAGES]


def said_of_itself(page: Page, lead: Lead) -> tuple[Finding, ...]:
    """What a page says of itself, without a model: title, description, the line on who they are, an address."""
    findings = []
    for kind, text in (("title", page.title), ("about", page.description), ("about", _about(page.text, lead.company))):
        line = _harmless(text)
        if line:
            findings.append(Finding(kind=kind, text=line, url=page.url, quote=one_line(text, _QUOTE)))
    findings += [
        Finding(kind="contact", text=f"An address on their page: {address}", url=page.url, quote=address)
        for address in page.addresses[:1]
    ]
    return tuple(findings)


def borne_out(text: str, quote: str, number: int, items: Sequence[_Item]) -> Finding | None:
    """The fact with its source when the quote stands in that item and the text says no more than the quote."""
    if not 1 <= number <= len(items):
        return None
    item = items[number - 1]
    words = one_line(quote)
    if not _SHORTEST_QUOTE <= len(words) <= _QUOTE or fold(words) not in fold(item.text):
        return None
    line = _harmless(text)
    if not line or _says_more(line, words) or _COMMANDS.search(words):
        return None
    return Finding(kind="fact", text=line, url=item.url, quote=words)


def _harmless(text: str) -> str:
    """On one line; "" when it is empty, speaks to a machine, or holds a link, an address, a number to call."""
    line = one_line(text, _TEXT)
    return "" if _COMMANDS.search(text) else safe_line(line, Allowed(own="", all=""), _TEXT)


def _says_more(text: str, quote: str) -> bool:
    """Whether a fact holds a figure that its quote does not, or shares no word with it."""
    text_words, quote_words = (set(re.findall(r"\w+", fold(part))) for part in (text, quote))
    figures = {word for word in text_words if any(sign.isdigit() for sign in word)}
    shared = {word[:5] for word in text_words if len(word) > 3} & {word[:5] for word in quote_words if len(word) > 3}  # noqa: PLR2004
    return bool(figures - quote_words) or not shared


def _about(text: str, company: str) -> str:
    """The first sentence in which they say who they are."""
    name = re.escape(fold(company)) or r"(?!)"
    introduction = re.compile(
        rf"(?<!\w)(?:we are|we're|we build|we make|we help|wir sind|nous sommes|somos|{name} (?:is|ist|are))(?!\w)"
    )
    for sentence in re.split(r"(?<=[.!?])\s+|\n+", text[:8_000]):
        if len(sentence) <= _QUOTE and introduction.search(fold(sentence)):
            return one_line(sentence)
    return ""


def _note(text: str) -> Finding:
    return Finding(kind=NOTE, text=text)


def _once(found: Sequence[Finding]) -> tuple[Finding, ...]:
    unique: dict[str, Finding] = {}
    for finding in found:
        unique.setdefault(fold(finding.text), finding)
    return tuple(unique.values())


def _host(url: str) -> str:
    try:
        return (urlsplit(url if "://" in url else f"https://{url}").hostname or "").lower().removeprefix("www.")
    except ValueError:  # an address that is none
        return ""


def _whole(page: Page) -> str:
    return "\n".join(part for part in (page.title, page.description, page.text) if part)


def _post(lead: Lead) -> str:
    return f"{one_line(lead.title, 300)}\n{one_line(lead.company, 200)}\n\n{lead.text[:_POST]}"


def _boundary(state: ResearchState) -> str:
    """A word that neither the post's author nor a page's can know: it depends on both."""
    material = "\n".join([str(state["case"]), state["post"], *(item["text"] for item in state["items"])])
    return hashlib.sha256(material.encode("utf-8", "replace")).hexdigest()[:12]


# ---------------------------------------------------------------- tools


def _described(name: str, tool: Tool) -> str:
    signature = ", ".join(str(parameter) for parameter in inspect.signature(tool).parameters.values())
    return f"- {name}({signature}): {one_line(inspect.getdoc(tool) or '', 200)}"


def _arguments(tool: Tool, given: Sequence[Argument], post: str) -> dict[str, Any] | None:
    """The arguments as the tool's types want them; None when one is not the post's own words, long, or an address."""
    parameters = inspect.signature(tool, eval_str=True).parameters
    values: dict[str, Any] = {}
    for argument in given:
        value = argument.value.strip()
        is_quoted = argument.name in parameters and fold(value) in fold(post)
        if not is_quoted or not value or len(value) > _ARGUMENT or "@" in value:
            return None
        try:
            values[argument.name] = TypeAdapter(parameters[argument.name].annotation).validate_python(value)
        except ValidationError:
            return None
    needed = {name for name, parameter in parameters.items() if parameter.default is inspect.Parameter.empty}
    return values if needed <= set(values) else None


async def _run(tool: Tool, given: Mapping[str, Any]) -> Any:
    if inspect.iscoroutinefunction(tool):
        waiting: Awaitable[Any] = tool(**given)
        return await waiting
    return await asyncio.to_thread(tool, **given)
