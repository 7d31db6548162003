"""The reply agent: understand the mail, draft an answer, check it; draft once more when the check finds faults.

Two model calls when all goes well. The check is code: what the model writes is held against the mail, the sources and
the profile, and a draft that names a link, address, number or account of its own is never shown as a draft.
"""

import asyncio
import hashlib
from collections.abc import Iterable
from dataclasses import asdict
from functools import cached_property
from typing import Any, Literal, TypedDict

from pydantic import BaseModel

from agents.checks import Allowed, DraftFault, allowed, faults, language_name, safe_line
from agents.model import Message, Model, untraced
from agents.prompting import prompt
from agents.refusals import ModelFailed
from agents.templates import TemplateReply, as_why
from memory.journal import CallKey, GivenUp, SpendStopped
from memory.record.schema import from_json, to_json
from workflows.errors import NeedsOwner
from workflows.models.drafts import Brief, Draft, DraftedBy, Source
from workflows.rules.mail.replying import gist
from workflows.rules.text.canonical import canonical, one_line

MOST_DRAFTS = 2
_MOST_POINTS = 6
_POINT = 120  # characters of a model's remark shown to the owner
_GIST = 60
_MESSAGE, _QUOTE, _NOTES = 12_000, 400, 30  # characters of the mail and of a source; how many notes


class Understanding(BaseModel):
    """What the client's mail asks for."""

    asks: list[str]
    tone: str
    must_answer: list[str]
    open_points: list[str]


class Letter(BaseModel):
    """The whole reply."""

    body: str
    gist: str
    sources: list[str]


class ReplyState(TypedDict):
    """What the nodes hand on: plain JSON values alone."""

    brief: str
    version: int
    wishes: str
    previous: str
    understanding: dict[str, Any]
    letter: dict[str, Any]
    faults: list[dict[str, Any]]
    kept: dict[str, Any]  # an earlier letter that could be shown, with its soft faults
    drafts: int


class ReplyAgent:
    """`Drafting` by a language model; without a usable answer of it, by a template that says why."""

    def __init__(self, model: Model, templates: TemplateReply) -> None:
        self._model = model
        self._templates = templates

    async def draft(self, brief: Brief, version: int, wishes: str, previous: str) -> Draft:
        """A checked draft.

        Raises:
            Retryable: the model's endpoint is away or busy; the calls already answered are not paid again.
        """
        start = ReplyState(
            brief=to_json(brief), version=version, wishes=wishes, previous=previous,
            understanding={}, letter={}, faults=[], kept={}, drafts=0,
        )  # fmt: skip
        try:
            with untraced():
                end = await self._compiled.ainvoke(start)
        except (ModelFailed, SpendStopped, GivenUp, NeedsOwner) as error:
            return self._fallen_back(brief, version, wishes, previous, [str(error)])
        problems = [DraftFault(**fault) for fault in end["faults"]]
        if any(fault.hard for fault in problems):
            refused = [f"check: {fault.what}" for fault in problems if fault.hard]
            intro = f"The draft of {self._model.name} was refused {MOST_DRAFTS} times"
            return self._fallen_back(brief, version, wishes, previous, [intro, *refused])
        return self._finished(brief, end, problems)

    def graph(self) -> Any:
        """The nodes wired: understand -> draft -> check -> (draft -> check) -> end."""
        # Imported here: 1 s and 76 MB that a home without a model never pays.
        from langgraph.graph import END, START, StateGraph

        graph = StateGraph(ReplyState)
        graph.add_node("understand", self.understand)
        graph.add_node("write", self.write)
        graph.add_node("check", self.check)
        graph.add_edge(START, "understand")
        graph.add_edge("understand", "write")
        graph.add_edge("write", "check")
        graph.add_conditional_edges("check", self.then, {"write": "write", "end": END})
        return graph

    async def understand(self, state: ReplyState) -> dict[str, Any]:
        """What the mail asks, in the model's words."""
        brief = from_json(Brief, state["brief"])
        boundary = _boundary(brief)
        messages: list[Message] = [
            ("system", prompt("understand", boundary=boundary)),
            ("user", "\n\n".join(_items(brief, boundary, with_mail_only=True))),
        ]
        key = CallKey(case=brief.case, version=state["version"], step="understand")
        understanding = await self._model.ask(messages, Understanding, key)
        return {"understanding": understanding.model_dump()}

    async def write(self, state: ReplyState) -> dict[str, Any]:
        """The reply, the second time with the faults of the first named."""
        brief = from_json(Brief, state["brief"])
        ordinal = state["drafts"] + 1
        key = CallKey(case=brief.case, version=state["version"], step="draft", ordinal=ordinal)
        letter = await self._model.ask(_draft_messages(state, brief), Letter, key)
        return {"letter": letter.model_dump(), "drafts": ordinal}

    async def check(self, state: ReplyState) -> dict[str, Any]:
        """Code alone: what is wrong with the reply. A correction that made it unusable is taken back."""
        brief = from_json(Brief, state["brief"])
        body, wishes, previous = state["letter"]["body"], state["wishes"], state["previous"]
        problems = await asyncio.to_thread(faults, body, brief, wishes, previous)  # a hostile mail may take it a second
        if any(fault.hard for fault in problems) and state["kept"]:
            return state["kept"]
        outcome = {"letter": state["letter"], "faults": [asdict(fault) for fault in problems]}
        return outcome | {"kept": {} if any(fault.hard for fault in problems) else outcome}

    def then(self, state: ReplyState) -> Literal["write", "end"]:
        """Once more when there are faults and this was the first try."""
        return "write" if state["faults"] and state["drafts"] < MOST_DRAFTS else "end"

    @cached_property
    def _compiled(self) -> Any:
        return self.graph().compile()

    def _finished(self, brief: Brief, state: ReplyState, found: list[DraftFault]) -> Draft:
        support = allowed(brief, state["wishes"], state["previous"])
        body = canonical(state["letter"]["body"])
        named = set(state["letter"]["sources"])
        known_ids = [source.id for source in (*brief.sources, *brief.profile)]
        return Draft(
            body=body,
            gist=safe_line(state["letter"]["gist"], support, _GIST) or gist(body, _GIST),
            model=self._model.name,
            by=DraftedBy.MODEL,
            why=(*_remarks(state, support), *_verdict(state, found)),
            sources=tuple(dict.fromkeys(source for source in known_ids if source in named)),
            cost=self._model.cost(brief.case, state["version"]),
        )

    def _fallen_back(self, brief: Brief, version: int, wishes: str, previous: str, why: Iterable[str]) -> Draft:
        """A template's draft that says why it is one, and what the model cost all the same."""
        draft = self._templates.holding(brief, wishes, previous, why=as_why(why))
        cost = self._model.cost(brief.case, version)
        return Draft(body=draft.body, gist=draft.gist, why=draft.why, cost=cost, by=draft.by)


def _draft_messages(state: ReplyState, brief: Brief) -> list[Message]:
    boundary = _boundary(brief, state["previous"])
    values = {"boundary": boundary, "owner": one_line(brief.owner_name, 100), "language": language_name(brief.language)}
    items = _items(brief, boundary)
    understanding = Understanding(**state["understanding"])
    points = "\n".join(f"- {one_line(point, 300)}" for point in understanding.must_answer[:_MOST_POINTS])
    items.append(prompt("item", boundary=boundary, label="what the reply has to address", content=points))
    if state["previous"]:
        items.append(prompt("item", boundary=boundary, label="the earlier text", content=state["previous"][:_MESSAGE]))
    if state["wishes"]:
        items.append(prompt("wishes", wishes=state["wishes"][:_MESSAGE]))
    if state["faults"]:
        fault_lines = "\n".join(f"- {fault['what']}" for fault in state["faults"][:_NOTES])
        items.append(
            prompt("item", boundary=boundary, label="your last text", content=state["letter"]["body"][:_MESSAGE])
        )
        items.append(prompt("faults", faults=fault_lines))
    return [("system", prompt("draft", **values)), ("user", "\n\n".join(items))]


def _items(brief: Brief, boundary: str, *, with_mail_only: bool = False) -> list[str]:
    """The data of a brief, each item between its boundary lines."""
    sender = f"From: {one_line(brief.sender.name, 100)}\nSubject: {one_line(brief.subject, 300)}\n\n"
    items = [prompt("item", boundary=boundary, label="the mail", content=sender + _middle_cut(brief.message))]
    if with_mail_only:
        return items
    if brief.offered:
        names = "\n".join(one_line(file.name, 100) for file in brief.offered)
        items.append(prompt("item", boundary=boundary, label="files attached to your reply", content=names))
    files = [source for source in brief.sources if source.kind == "file"]  # what they wrote as well: data like the mail
    items += [prompt("item", boundary=boundary, label="a file they attached", content=_file(file)) for file in files]
    earlier = [source for source in brief.sources if source.kind != "file"]
    for label, sources in (("notes about the freelancer", brief.profile), ("notes from earlier mail", earlier)):
        if sources:
            notes = "\n".join(_note(source) for source in sources[:_NOTES])
            items.append(prompt("item", boundary=boundary, label=label, content=notes))
    return items


def _file(source: Source) -> str:
    return f"{source.id}\n\n{source.quote}"


def _note(source: Source) -> str:
    origin = f" ({source.kind} {source.at:%Y-%m-%d})" if source.at else ""
    return f"{source.id}{origin}: {one_line(source.quote, _QUOTE)}"


def _middle_cut(text: str) -> str:
    """A long mail says what it wants at its beginning or its end."""
    if len(text) <= _MESSAGE:
        return text
    half = _MESSAGE // 2
    return f"{text[:half]}\n[{len(text) - 2 * half} characters left out]\n{text[-half:]}"


def _boundary(brief: Brief, previous: str = "") -> str:
    """A word that the mail's author cannot know: it depends on what they wrote, and on what they cannot see."""
    material = "\n".join([brief.message, previous, brief.owner_name, *(source.quote for source in brief.profile)])
    return hashlib.sha256(f"{brief.case}\n{material}".encode("utf-8", "replace")).hexdigest()[:12]


def _remarks(state: ReplyState, support: Allowed) -> list[str]:
    """What the model made of the mail, for the owner; a remark that holds anything foreign is left out."""
    understanding = Understanding(**state["understanding"])
    remarks = []
    for label, points in (("asks", understanding.asks), ("open", understanding.open_points)):
        lines = [line for point in points[:_MOST_POINTS] if (line := safe_line(point, support, _POINT))]
        if lines:
            remarks.append(f"{label}: {'; '.join(line.rstrip('.;') for line in lines)}")
    return remarks


def _verdict(state: ReplyState, found: list[DraftFault]) -> list[str]:
    if found:
        return [f"check: {fault.what}" for fault in found]
    correction = " after one correction" if state["drafts"] > 1 else ""
    return [f"check: facts, language, links and addresses hold{correction}"]
