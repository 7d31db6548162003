"""The reply agent: understand the mail, draft an answer, check it; draft once more when the check finds faults.

Two model calls when all goes well. The check is code: what the model writes is held against the mail, the sources and
the profile, and a draft that names a link, address, number or account of its own is never shown as a draft.
"""

from collections.abc import Iterator, Sequence

from pydantic import BaseModel

from agents.checks import Allowed, DraftFault, allowed, faults, language_name, safe_line
from agents.desk.notes import citable, desk_notes, verbatim_faults
from agents.forms import NOTES, Form, Task, boundary, cited, item, looked_up, wanted
from agents.letters import LONGEST_GIST, as_why
from agents.lookup.reference import Reference
from agents.model import Message, Model
from agents.prompting import prompt
from agents.templates import TemplateReply
from agents.writing import Filled, Writing
from workflows.models.drafts import Brief, Draft, DraftedBy, Source
from workflows.rules.mail.replying import gist
from workflows.rules.text.canonical import canonical, one_line

_MOST_POINTS = 6
_POINT = 120  # characters of a model's remark shown to the owner
_QUOTE = 400  # characters of a source
_OLDER = "text below it that may be older, or somebody else's, or new"


class Letter(BaseModel):
    """The whole reply."""

    body: str
    gist: str
    sources: list[str]


class ReplyAgent:
    """`Drafting` by a language model; without a usable answer of it, by a template that says why."""

    def __init__(self, model: Model, templates: TemplateReply, reference: Reference | None = None) -> None:
        self._model, self._templates = model, templates
        form = Form(
            shape=Letter,
            messages=_messages,
            check=check,
            questions=_questions,
            shows=_mail,
            knows=_notes,
            holds="facts",
        )
        self._writing = Writing(model, form, reference)

    async def draft(self, brief: Brief, version: int, wishes: str, previous: str) -> Draft:
        """A checked draft.

        Raises:
            Retryable: the model's endpoint is away or busy; the calls already answered are not paid again.
        """
        filled = await self._writing.fill(Task(brief=brief, version=version, wishes=wishes, previous=previous))
        cost = self._model.cost(brief.case, version)
        if filled.slots is None:
            return self._templates.holding(brief, wishes, previous, why=as_why(filled.why), cost=cost)
        return self._finished(filled, filled.slots, cost)

    def _finished(self, filled: Filled[Letter], letter: Letter, cost: str) -> Draft:
        task = filled.task
        support = allowed(task.ground, task.wishes, task.previous)
        body = canonical(letter.body)
        named = set(letter.sources)
        return Draft(
            body=body,
            gist=safe_line(letter.gist, support, LONGEST_GIST) or gist(body, LONGEST_GIST),
            model=self._model.name,
            by=DraftedBy.MODEL,
            why=(*_remarks(task, support), *filled.why),
            sources=tuple(dict.fromkeys(source for source in citable(task.ground) if source in named)),
            cost=cost,
            looked_up=cited(task, named),
        )


def check(letter: Letter, task: Task) -> Sequence[DraftFault]:
    """What is wrong with a reply, the hard faults first."""
    return (*verbatim_faults(letter.body, task.brief), *faults(letter.body, task.ground, task.wishes, task.previous))


# ---------------------------------------------------------------- the questions


def _questions(task: Task) -> Sequence[Message]:
    return [("system", prompt("understand", boundary=boundary(task))), ("user", _mail(task))]


def _messages(task: Task) -> Sequence[Message]:
    brief = task.brief
    owner, language = one_line(brief.owner_name, 100), language_name(brief.language)
    system = prompt("draft", boundary=boundary(task), owner=owner, language=language)
    items = [_mail(task), *_notes(task), *looked_up(task), *_points(task), *wanted(task)]
    return [("system", system), ("user", "\n\n".join(items))]


def _mail(task: Task) -> str:
    brief = task.brief
    sender = f"From: {one_line(brief.sender.name, 100)}\nSubject: {one_line(brief.subject, 300)}"
    mail = item(task, "the mail", f"{sender}\n\n{brief.message}")
    return f"{mail}\n\n{item(task, _OLDER, brief.older)}" if brief.older else mail


def _notes(task: Task) -> Iterator[str]:
    brief = task.brief
    if brief.offered:
        names = "\n".join(one_line(file.name, 100) for file in brief.offered)
        yield item(task, "files attached to your reply", names)
    files = [source for source in brief.sources if source.kind == "file"]  # what they wrote as well: data like the mail
    yield from (item(task, "a file they attached", f"{source.id}\n\n{source.quote}") for source in files)
    earlier = [source for source in brief.sources if source.kind != "file"]
    for label, sources in (("notes about the freelancer", brief.profile), ("notes from earlier mail", earlier)):
        if sources:
            yield item(task, label, "\n".join(_note(source) for source in sources[:NOTES]))
    yield from (item(task, label, content) for label, content in desk_notes(brief))


def _note(source: Source) -> str:
    origin = f" ({source.kind} {source.at:%Y-%m-%d})" if source.at else ""
    return f"{source.id}{origin}: {one_line(source.quote, _QUOTE)}"


def _points(task: Task) -> Iterator[str]:
    if task.understanding:
        points = task.understanding.must_answer[:_MOST_POINTS]
        yield item(task, "what the reply has to address", "\n".join(f"- {one_line(point, 300)}" for point in points))


def _remarks(task: Task, support: Allowed) -> Iterator[str]:
    """What the model made of the mail, for the owner; a remark that holds anything foreign is left out."""
    if task.understanding is None:
        return
    understanding = task.understanding
    for label, points in (("asks", understanding.asks), ("open", understanding.open_points)):
        lines = [line for point in points[:_MOST_POINTS] if (line := safe_line(point, support, _POINT))]
        if lines:
            yield f"{label}: {'; '.join(line.rstrip('.;') for line in lines)}"
