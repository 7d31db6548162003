"""What the owner is told of an answer that a case has taken in, and how it is named later. Pure."""

from workflows.models.case import CaseState
from workflows.models.decisions import (
    OF_A_VERSION,
    Answer,
    Approve,
    Attach,
    Decision,
    Edit,
    Later,
    Mine,
    Never,
    Reject,
    Revise,
    Why,
    Without,
)  # fmt: skip
from workflows.rules.text.canonical import one_line
from workflows.rules.text.speech import named, say

_LONGEST_QUOTE = 120


def says(state: CaseState, sentence: str, /, **facts: object) -> str:
    """A sentence about this case, in its owner's language."""
    places = {"case": state.case, "version": state.version, "name": f"{state.case}.{state.version}", **facts}
    return say(state.language, f"case.{sentence}", **places)


def refusal(state: CaseState, answer: Answer) -> str:
    """Why an answer cannot be acted on, for the owner; "" when it can."""
    decision = answer.decision
    if answer.case != state.case:
        return says(state, "other_case", answered=answer.case)
    if state.stage == "closed":
        return says(state, "closed", outcome=named(state.language, "stages", state.outcome))
    if state.stage == "placed" and not isinstance(decision, Why):
        return says(state, "bid_left")
    if isinstance(decision, OF_A_VERSION) and answer.version != state.version:
        # By mail it is taken in: the current version is shown once more.
        taken = answer.via == "mail" and answer.version < state.version
        return "" if taken else says(state, "not_current", answered=answer.version)
    return _no_draft(state, answer) if isinstance(decision, Approve | Attach | Without) else ""


def _no_draft(state: CaseState, answer: Answer) -> str:
    # "drafted" is no obstacle: the question may have left although its step is still to be done again.
    if state.version == 0 or state.hold or state.stage == "new":
        return says(state, "no_draft" if is_yes(answer.decision) else "no_draft_for_files")
    if is_yes(answer.decision) and answer.hash != state.hash:
        return says(state, "other_draft")
    return ""


def is_yes(decision: Decision) -> bool:
    """Whether it lets what was shown leave, or less than that."""
    return isinstance(decision, Approve) or (isinstance(decision, Without) and decision.send)


def is_stale(state: CaseState, answer: Answer) -> bool:
    """Whether what it speaks of is no longer what stands: taken in, and overtaken while it waited its turn."""
    if is_yes(answer.decision) and (state.hold or answer.hash != state.hash):
        return True
    return isinstance(answer.decision, OF_A_VERSION) and answer.version != state.version


def acknowledgement(state: CaseState, answer: Answer) -> str:
    """One sentence on what will come of it."""
    if isinstance(answer.decision, OF_A_VERSION) and answer.version != state.version:
        return says(state, "shown_again", answered=answer.version)
    return _of_draft(state, answer) or _of_case(state, answer)


def _of_draft(state: CaseState, answer: Answer) -> str:
    seconds = f"{state.grace:.0f}"
    match answer.decision:
        case Approve() | Without(send=True):
            is_whole = isinstance(answer.decision, Approve)
            is_approved = is_whole and state.stage in {"approved", "sending"}
            name = "approved_before" if is_approved else "approved" if is_whole else "approved_without"
            return says(state, name, seconds=seconds)
        case Edit(send=True):
            return says(state, "text_leaves", seconds=seconds)
        case Edit():
            return says(state, "text_shown")
        case Attach() | Without():
            return says(state, "parts_shown")
        case _:
            return ""


def _of_case(state: CaseState, answer: Answer) -> str:
    match answer.decision:
        case Revise():
            return says(state, "new_draft")
        case Reject() | Mine() | Never() if state.stage == "sending":
            return says(state, "stopping")
        case Reject() | Mine() | Never():
            return says(state, "closed_unsent")
        case Later(until=until):
            return says(state, "comes_back", until=f"{until:%Y-%m-%d %H:%M}")
        case _:
            return says(state, "answer_follows")


def quoted(state: CaseState, answer: Answer) -> str:
    """The answer in short, for a mail that names it."""
    match answer.decision:
        case Edit(text=text, send=send):
            quote = f'"{one_line(text, _LONGEST_QUOTE)}"'
            words = says(state, "quoted_text", words=f'"edit{"!" if send else ""}"', text=quote)
        case Revise(wishes=text) | Without(words=text):
            words = f'"{one_line(text, _LONGEST_QUOTE)}"'
        case Attach(files=files):
            words = f'"attach {one_line(", ".join(file.name for file in files), _LONGEST_QUOTE)}"'
        case _:
            words = '"ok"'
    return says(state, "quoted", words=words, version=answer.version)


def undone(state: CaseState) -> str:
    """What is said of things to do when the mail they stood beside did not surely leave."""
    parts = one_line(", ".join(state.proposals))
    return f" {says(state, 'undone', parts=parts)}" if parts else ""


def what_changed(state: CaseState, change: Attach | Without) -> str:
    """What is different in the next version, for the owner."""
    without = isinstance(change, Without)
    names = change.names if isinstance(change, Without) else tuple(file.name for file in change.files)
    return says(state, "without" if without else "with", parts=one_line(", ".join(names), _LONGEST_QUOTE))
