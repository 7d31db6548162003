"""The research agent: what can be found out about a lead's author, each fact with the words it stands on.

The plan is code's: the pages whose addresses stand in the post are fetched, read-only tools are asked with words of
the post alone (by the loop of every look-up), and a model may only point at words that were fetched. Half a minute in
all; what does not answer leaves a note, and without a model the pages' own titles, descriptions and addresses are
kept.
"""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Protocol, TypedDict
from urllib.parse import urlsplit

from pydantic import BaseModel

from agents.checks import Allowed, safe_line
from agents.door.refusals import ModelFailed
from agents.lookup import loop
from agents.lookup.loop import Looking, Progress
from agents.lookup.policy import Item
from agents.lookup.reference import Reference
from agents.lookup.tools import LookedUp
from agents.model import Message, Model, untraced
from agents.prompting import prompt
from memory.journal import CallKey, GivenUp, SpendStopped
from memory.leads.findings import NO_PAGE, NOTE, Finding
from tools.web.client import Response, named, stands_in
from tools.web.foreign import page_of
from tools.web.pages import Page
from workflows.errors import DeskhandError, NeedsOwner, Retryable
from workflows.models.case import CaseState
from workflows.models.drafts import Brief
from workflows.models.leads import Lead
from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import fold

SECONDS = 30.0
"""How long one lead may take in all."""
MOST_PAGES, MOST_FACTS = 3, 6
_PAGE_SECONDS = 12.0
_POST, _SHOWN = 8_000, 6_000  # characters: of the post, of a page shown to a model
_TEXT, _QUOTE, _SHORTEST_QUOTE = 200, 240, 8
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


class Fetching(Protocol):
    """The guarded web client."""

    async def get(self, url: str, *, allowed_from: str | None = None) -> Response:
        """GET a page whose address stands in `allowed_from`. Raises Retryable and Permanent."""


class LeadLedger(Protocol):
    """What research needs of the ledger."""

    def lead_of(self, case: int) -> Lead | None: ...
    def findings(self, case: int) -> tuple[Finding, ...]: ...
    def keep_findings(self, case: int, found: Sequence[Finding]) -> bool: ...


class Fact(BaseModel):
    text: str
    quote: str
    item: int


class Facts(BaseModel):
    """What is useful to know."""

    facts: list[Fact]


@dataclass(frozen=True, slots=True)
class _Item:
    """Something that was read: a page, or a tool's answer under "tool:<name>"."""

    url: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the nodes of one research read and never change."""

    looking: Looking | None
    model: Model
    case: int
    post: str
    owner_name: str


class ResearchState(TypedDict):
    """What the nodes hand on, as frozen values."""

    progress: Progress
    items: tuple[_Item, ...]  # what was fetched or told
    facts: tuple[Fact, ...]
    findings: tuple[Finding, ...]


class Researcher:
    """Implements `workflows.ports.Researching`."""

    def __init__(  # noqa: PLR0913 - the ledger, the web, a model, tools and two settings, all by name
        self,
        *,
        ledger: LeadLedger,
        web: Fetching,
        model: Model | None = None,
        reference: Reference | None = None,
        owner_name: str = "",
        seconds: float = SECONDS,
    ) -> None:
        self._ledger = ledger
        self._web = web
        self._model = model
        self._reference = reference
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
        model, brief = self._model, Brief(case=case, kind="bid", subject=lead.title, message=_post(lead))
        looking = await self._looking(model, brief) if model else None
        if model is not None and (pages or looking):
            reading = Reading(looking=looking, model=model, case=case, post=brief.message, owner_name=self._owner_name)
            seconds_left = max(deadline - asyncio.get_running_loop().time(), 0.0)
            try:
                async with asyncio.timeout(seconds_left):
                    findings += await _read_up(reading, pages)
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

    async def _looking(self, model: Model, brief: Brief) -> Looking | None:
        """The tools of plugins and servers, if there are any: our own know nothing of a stranger."""
        if self._reference is None:
            return None
        reach = await self._reference.reach(brief, 0)
        tools = tuple(tool for tool in reach.tools if tool.foreign)
        if not tools:
            return None
        return Looking(
            model=model,
            journal=self._reference.lookups,
            tools=tools,
            brief=brief,
            item=Item(brief.message),
            key=CallKey(case=brief.case, version=0, step="research:look"),
            limits=self._reference.limits,
        )


# ---------------------------------------------------------------- the graph


async def _read_up(reading: Reading, pages: Sequence[Page]) -> tuple[Finding, ...]:
    items = tuple(_Item(page.url, _whole(page)) for page in pages)
    start = ResearchState(progress=Progress(), items=items, facts=(), findings=())
    with untraced():
        end: ResearchState = await research_graph().ainvoke(start, context=reading)
    return end["findings"]


@cache
def research_graph() -> Any:
    """The nodes wired and compiled, once: (look up <-> tools ->) read -> check -> end."""
    # Imported here: 1 s and 76 MB that a home without a model never pays. LangGraph reads the hints of nodes, so its
    # `Runtime[Reading]` cannot be named in them.
    from langgraph.graph import END, START, StateGraph

    graph = StateGraph(ResearchState, context_schema=Reading)
    for node in (look_up, tools, read, check):
        graph.add_node(node.__name__, node)
    graph.add_conditional_edges(START, _begins, {"look_up": "look_up", "read": "read"})
    graph.add_conditional_edges("look_up", _has_chosen, {"tools": "tools", "read": "read"})
    graph.add_conditional_edges("tools", _goes_on, {"look_up": "look_up", "read": "read"})
    graph.add_edge("read", "check")
    graph.add_edge("check", END)
    return graph.compile()


def _begins(_: ResearchState, runtime: Any) -> Literal["look_up", "read"]:
    return "look_up" if runtime.context.looking else "read"


def _has_chosen(state: ResearchState) -> Literal["tools", "read"]:
    return "tools" if state["progress"].chosen else "read"


def _goes_on(state: ResearchState, runtime: Any) -> Literal["look_up", "read"]:
    looking = runtime.context.looking
    return "look_up" if looking and not loop.is_over(state["progress"], looking.limits) else "read"


async def look_up(state: ResearchState, runtime: Any) -> dict[str, Any]:
    """Which read-only tools to ask, and with which words of the post."""
    looking, progress = _looking_of(runtime.context), state["progress"]
    boundary = _boundary(runtime.context, state["items"])
    left = str(loop.calls_left(progress, looking.limits))
    owner = one_line(runtime.context.owner_name, 100) or "the freelancer"
    system = prompt("look", boundary=boundary, owner=owner, left=left)
    parts = [prompt("item", boundary=boundary, label="the post", content=runtime.context.post)]
    parts += [
        prompt("item", boundary=boundary, label=f"looked up by {lookup.tool}", content=_told(lookup))
        for lookup in progress.looked
    ]
    messages: list[Message] = [("system", system), ("user", "\n\n".join(parts))]
    return {"progress": await loop.choose(looking, progress, messages)}


async def tools(state: ResearchState, runtime: Any) -> dict[str, Any]:
    """What the tools tell; one that fails, or was asked with other words than the post's, tells nothing."""
    before = state["progress"]
    progress = await loop.ask(_looking_of(runtime.context), before)
    answers = (
        _Item(f"tool:{lookup.tool}", one_line(source.quote))
        for lookup in progress.looked[len(before.looked) :]
        for source in lookup.sources
    )
    return {"progress": progress, "items": (*state["items"], *answers)}


async def read(state: ResearchState, runtime: Any) -> dict[str, Any]:
    """The facts that the model points at."""
    if not state["items"]:
        return {"facts": ()}
    reading = runtime.context
    boundary = _boundary(reading, state["items"])
    parts = [prompt("item", boundary=boundary, label="the post", content=reading.post)]
    for number, item in enumerate(state["items"], start=1):
        parts.append(prompt("item", boundary=boundary, label=f"item {number}", content=item.text[:_SHOWN]))
    system = prompt("research", boundary=boundary, owner=one_line(reading.owner_name, 100) or "the freelancer")
    key = CallKey(case=reading.case, version=0, step="research:read")
    answer = await reading.model.ask([("system", system), ("user", "\n\n".join(parts))], Facts, key)
    return {"facts": tuple(answer.facts)}


async def check(state: ResearchState) -> dict[str, Any]:
    """Code alone: a fact stays when its quote really stands in its item, and it holds nothing foreign."""
    borne = [borne_out(fact.text, fact.quote, fact.item, state["items"]) for fact in state["facts"]]
    return {"findings": tuple(finding for finding in borne if finding)[:MOST_FACTS]}


def _looking_of(reading: Reading) -> Looking:
    assert reading.looking is not None
    return reading.looking


def _told(lookup: LookedUp) -> str:
    return lookup.problem or "\n".join(source.quote for source in lookup.sources) or "Nothing was found."


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


def _boundary(reading: Reading, items: Sequence[_Item]) -> str:
    """A word that neither the post's author nor a page's can know: it depends on both."""
    material = "\n".join([str(reading.case), reading.post, *(item.text for item in items)])
    return hashlib.sha256(material.encode("utf-8", "replace")).hexdigest()[:12]
