"""What the owner is told when an answer is not surely understood: each time, and what helps when it goes on. Pure."""

from datetime import timedelta

from workflows.models.case import CaseState
from workflows.rules.text.speech import say, say_count

MOST, WITHIN = 8, timedelta(days=1)
"""Unclear answers to a case that are answered within a day: two machines must not write to each other without end."""
MANY = 3
"""So many in a row, and the owner is told what helps."""
_PAGE = "What you can answer"  # a title in docs/approval.md


def shown_again(question: str, state: CaseState, recent: int) -> str:
    """Why the approval mail is shown once more; `recent`: how many such answers there were within a day before."""
    sentences = [question]
    if state.approved_at:
        name = "taken_back_said" if state.said else "taken_back"
        sentences.append(say(state.language, f"unclear.{name}", answer=state.said))
    if state.asked_again + 1 >= MANY:
        sentences.append(_what_helps(state))
    if recent + 1 >= MOST:
        sentences.append(say_count(state.language, "unclear.last", MOST))
    return " ".join(sentences)


def _what_helps(state: CaseState) -> str:
    """The words, where they are explained, and the way without mail."""
    can_be_approved = bool(state.version) and not state.hold
    words = say(state.language, f"unclear.words_{'draft' if can_be_approved else 'hold'}")
    command = f"approve {state.case}.{state.version}" if can_be_approved else f"mine {state.case}"
    return say_count(state.language, "unclear.helps", state.asked_again + 1, words=words, page=_PAGE, command=command)
