"""A case's whole story as plain text: the answer to "why"."""

from collections.abc import Iterator
from datetime import datetime

from memory.cases.story import CaseStory
from workflows.models.drafts import DraftedBy
from workflows.models.people import Owner
from workflows.rules.asking.approval import model_of, score_lines
from workflows.rules.text.calendar import format_moment
from workflows.rules.text.canonical import one_line
from workflows.stories import REPLY, begun_by

Line = tuple[datetime, str]
_LONGEST = 300


def trace(story: CaseStory, owner: Owner) -> str:
    """Trigger, rule, drafts with sources and model, answers, sends and costs, in the order they happened."""
    lines = [line for part in (_events, _versions, _answers, _sends, _calls, _notes) for line in part(story)]
    ordered = sorted(lines, key=lambda line: line[0])
    timeline = "\n".join(f"{format_moment(at, owner)}  {one_line(text, _LONGEST)}" for at, text in ordered)
    state = story.state
    end = f"It ended: {state.outcome}. {state.reason}".strip() if state.outcome else f"It is {state.stage} now."
    parts = [one_line(story.row.title, _LONGEST), timeline, "\n".join(_rests_on(story)), end]
    return "\n\n".join(part for part in parts if part) + "\n"


def _rests_on(story: CaseStory) -> Iterator[str]:
    """What a bid, a notice or an update was made from: the score of its lead, and facts with their sources."""
    if story.score is not None:
        yield from score_lines(story.score)
    for fact in story.facts:
        yield f"- {one_line(fact.id)}: {one_line(fact.quote, _LONGEST)}"


def _events(story: CaseStory) -> Iterator[Line]:
    for event in story.events:
        begins = begun_by(event.kind) or REPLY
        verb = "came" if event.kind == "news" else begins.verb
        yield event.at, f"{event.sender} {verb}: {event.subject} (rule: {event.rule}) {event.reason}".strip()


def _versions(story: CaseStory) -> Iterator[Line]:
    for line in story.versions:
        draft = line.draft
        by = "your own text" if line.by == DraftedBy.OWNER else f"model: {model_of(draft)}"
        yield line.at, f"version {line.version} ({line.state}), {by}. {'; '.join(draft.why)}".rstrip()
        if draft.sources:
            yield line.at, f"version {line.version} rests on {', '.join(draft.sources)}"


def _answers(story: CaseStory) -> Iterator[Line]:
    for line in story.answers:
        yield line.at, f"your answer by {line.answer.via}: {line.answer.decision.kind}. {line.result}"


def _sends(story: CaseStory) -> Iterator[Line]:
    for line in story.sends:
        yield line.sent_at or line.at, f"{line.purpose} mail {line.intent}: {line.state}. {line.detail}"


def _calls(story: CaseStory) -> Iterator[Line]:
    for line in story.calls:
        tokens = f"{line.input_tokens} + {line.output_tokens} tokens"
        yield (
            line.at,
            f"model call {line.step} of version {line.version}: {line.model}, {tokens}, cost {line.cost or '?'}",
        )


def _notes(story: CaseStory) -> Iterator[Line]:
    for line in story.notes:
        yield line.at, line.what
