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

_LONGEST_QUOTE = 120


def refusal(state: CaseState, answer: Answer) -> str:
    """Why an answer cannot be acted on, for the owner; "" when it can."""
    number, decision = state.case, answer.decision
    if answer.case != number:
        return f"That answer is for case {answer.case}, not for case {number}."
    if state.stage == "closed":
        return f"Case {number} is closed: {state.outcome}."
    if state.stage == "placed" and not isinstance(decision, Why):
        return f"The bid of case {number} has left. Say how it ended: won, lost or no answer."
    if isinstance(decision, OF_A_VERSION) and answer.version != state.version:
        # By mail it is taken in: the current version is shown once more.
        taken = answer.via == "mail" and answer.version < state.version
        older = f"That was version {answer.version} of case {number}; version {state.version} is current."
        return "" if taken else older
    return _no_yes(state, answer) if is_yes(decision) else ""


def _no_yes(state: CaseState, answer: Answer) -> str:
    # "drafted" is no obstacle: the question may have left although its step is still to be done again.
    if state.version == 0 or state.hold or state.stage == "new":
        return f"Case {state.case} has no draft to approve."
    if answer.hash != state.hash:
        return f"The draft of case {state.case} is not the one this answer was given to."
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
        return f"That was version {answer.version}; version {state.version} of case {state.case} is shown again."
    return _of_draft(state, answer) or _of_case(state, answer)


def _of_draft(state: CaseState, answer: Answer) -> str:
    name, grace = f"{state.case}.{state.version}", f"{state.grace:.0f} s"
    match answer.decision:
        case Approve() | Without(send=True):
            without = " without what you named" if isinstance(answer.decision, Without) else ""
            is_approved = not without and state.stage in {"approved", "sending"}
            leaves = f"Approved {name}{without}: it leaves in {grace} unless you say no."
            return f"{name} was already approved." if is_approved else leaves
        case Edit(send=True):
            return f"Your text replaces {name} and leaves in {grace} unless you say no."
        case Edit():
            return f"Your text replaces {name}; you are shown it once more."
        case Attach() | Without():
            return f"{name} is changed as you say; you are shown it once more."
        case _:
            return ""


def _of_case(state: CaseState, answer: Answer) -> str:
    number = state.case
    match answer.decision:
        case Revise():
            return f"A new draft of case {number} follows."
        case Reject() | Mine() | Never() if state.stage == "sending":
            return f"Case {number} is stopped unless it has just left; './deskhand case {number}' says which."
        case Reject() | Mine() | Never():
            return f"Case {number} is closed; nothing was sent."
        case Later(until=until):
            return f"Case {number} comes back on {until:%Y-%m-%d %H:%M}."
        case _:
            return f"Case {number}: an answer follows by mail."


def quoted(answer: Answer) -> str:
    """The answer in short, for a mail that names it."""
    match answer.decision:
        case Edit(text=text, send=send):
            words = f'"edit{"!" if send else ""}" with the text "{one_line(text, _LONGEST_QUOTE)}"'
        case Revise(wishes=text) | Without(words=text):
            words = f'"{one_line(text, _LONGEST_QUOTE)}"'
        case Attach(files=files):
            words = f'"attach {one_line(", ".join(file.name for file in files), _LONGEST_QUOTE)}"'
        case _:
            words = '"ok"'
    return f"{words} to version {answer.version}"


def undone(proposals: tuple[str, ...]) -> str:
    """What is said of things to do when the mail they stood beside did not surely leave."""
    return f" Nothing beside it was done ({one_line(', '.join(proposals))})." if proposals else ""


def what_changed(change: Attach | Without) -> str:
    """What is different in the next version, for the owner."""
    if isinstance(change, Without):
        return f"Without {one_line(', '.join(change.names), _LONGEST_QUOTE)}."
    return f"With {one_line(', '.join(file.name for file in change.files), _LONGEST_QUOTE)}."
