"""What of the desk a prompt holds: the facts, the conversation and the owner's standing answers, as labelled data."""

from collections.abc import Iterator

from agents.checks import DraftFault
from agents.desk.invitation import instruction
from workflows.models.drafts import Brief, Source
from workflows.rules.desk.questions import plain
from workflows.rules.text.canonical import one_line

_NOTE, _MOST_FACTS, _MOST_STYLE, _MOST_STANDING = 600, 24, 8, 4
_SHINGLE = 5  # words in a row
_TAKEN = 0.25  # of a text's rows: from here on a draft draws on it


def desk_notes(brief: Brief) -> Iterator[tuple[str, str]]:
    """Each a label and its content; nothing where the brief holds nothing."""
    if brief.received_at is not None:
        yield "when it is", f"The mail came on {brief.received_at:%A %Y-%m-%d %H:%M} UTC.{_today(brief)}"
    if brief.conversation:
        yield "the conversation before this mail, oldest first", "\n\n".join(_turns(brief))
    if brief.facts:
        yield "facts of the desk about this client", "\n".join(map(_note, brief.facts[:_MOST_FACTS]))
    if answer := instruction(brief):
        yield "the invitation, as the freelancer answers it", answer
    if brief.standing:
        yield "standing answers of the freelancer", "\n\n".join(_standing(brief))
    if brief.style:
        yield "how the freelancer writes", "\n".join(map(_note, brief.style[:_MOST_STYLE]))


def citable(brief: Brief) -> tuple[str, ...]:
    """The ids of everything in a brief that a draft may name as its source."""
    notes = (source.id for source in (*brief.sources, *brief.facts, *brief.profile))
    return (*notes, *(f"answer:{fitting.answer.id}" for fitting in brief.standing))


def verbatim_faults(body: str, brief: Brief) -> Iterator[DraftFault]:
    """An answer that the owner keeps word for word stands in the draft so, wherever the mail asks for it."""
    for fitting in brief.standing:
        answer = fitting.answer
        if not answer.verbatim or plain(answer.text) in plain(body):
            continue
        if fitting.questions or _taken(answer.text, body):
            title = one_line(answer.title, 80)
            what = f'The standing answer "{title}" is to be used word for word, and the text has it otherwise or not.'
            yield DraftFault("verbatim", what)


def _taken(text: str, body: str) -> bool:
    rows, own = _rows(body), _rows(text)
    return bool(own) and len(own & rows) >= _TAKEN * len(own)


def _rows(text: str) -> set[tuple[str, ...]]:
    words = plain(text).split()
    return {tuple(words[at : at + _SHINGLE]) for at in range(len(words) - _SHINGLE + 1)}


def _today(brief: Brief) -> str:
    return f" Today is {brief.affairs.today:%A %Y-%m-%d}." if brief.affairs.today else ""


def _turns(brief: Brief) -> Iterator[str]:
    for turn in brief.conversation:
        yield f"{turn.at:%A %Y-%m-%d %H:%M} {one_line(turn.who, 80)} wrote:\n{turn.text}"


def _standing(brief: Brief) -> Iterator[str]:
    for fitting in brief.standing[:_MOST_STANDING]:
        answer = fitting.answer
        rule = " (to be used word for word)" if answer.verbatim else ""
        yield f"answer:{answer.id} {one_line(answer.title, 80)}{rule}:\n{answer.text}"


def _note(source: Source) -> str:
    return f"{source.id}: {one_line(source.quote, _NOTE)}"
