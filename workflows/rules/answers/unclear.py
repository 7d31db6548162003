"""What the owner is told when an answer is not surely understood: each time, and what helps when it goes on. Pure."""

from datetime import timedelta

from workflows.models.case import CaseState

MOST, WITHIN = 8, timedelta(days=1)
"""Unclear answers to a case that are answered within a day: two machines must not write to each other without end."""
MANY = 3
"""So many in a row, and the owner is told what helps."""


def shown_again(question: str, state: CaseState, recent: int) -> str:
    """Why the approval mail is shown once more; `recent`: how many such answers there were within a day before."""
    sentences = [question]
    if state.approved_at:
        sentences.append(f"Your earlier {state.said or 'yes'} is taken back until you answer this.")
    if state.asked_again + 1 >= MANY:
        sentences.append(_what_helps(state))
    if recent + 1 >= MOST:
        sentences.append(
            f"This is the last such mail today: {MOST} answers were not clear. Further ones send nothing either."
        )
    return " ".join(sentences)


def _what_helps(state: CaseState) -> str:
    """The words, where they are explained, and the way without mail."""
    can_be_approved = bool(state.version) and not state.hold
    words = '"ok", "no" or "mine"' if can_be_approved else '"no" or "mine"'
    command = f"approve {state.case}.{state.version}" if can_be_approved else f"mine {state.case}"
    return (
        f"That makes {state.asked_again + 1} answers that were not clear. Write {words} alone on the first line; "
        f'docs/approval.md has all words under "What you can answer". At the machine: ./deskhand {command}.'
    )
