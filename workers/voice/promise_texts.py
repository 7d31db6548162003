"""Promise texts: what the owner promised, as lists and reminders say it. Plain text."""

from collections.abc import Mapping, Sequence
from datetime import date

from workflows.models.people import Owner
from workflows.models.promises import OwnPromise
from workflows.rules.text.calendar import told_date
from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import counted

_NAME, _QUOTE = 60, 200
NONE = "You promised nothing that is still open, as far as your sent mail says."
HOW = 'Answer "promise done" or "promise drop" and the number when one is over ("promise done {number}").'


def line(promise: OwnPromise, name: str, owner: Owner) -> str:
    """One promise: its number, until when, to whom, in the owner's words."""
    due = f"by {told_date(promise.pledge.due, owner)}" if promise.pledge.due else "no day named"
    return f'{promise.id}  {due}, to {one_line(name, _NAME)}: "{one_line(promise.pledge.sentence, _QUOTE)}"'


def listed(promises: Sequence[OwnPromise], names: Mapping[str, str], owner: Owner) -> str:
    """All that are open, and what to answer."""
    if not promises:
        return f"{NONE}\n"
    lines = "\n".join(line(promise, names.get(promise.client, ""), owner) for promise in promises)
    return f"What you promised in your own mail and have not kept yet:\n\n{lines}\n\n{_how(promises)}\n"


def reminder(promises: Sequence[OwnPromise], names: Mapping[str, str], owner: Owner, today: date) -> tuple[str, str]:
    """Subject and text of the notice the day before; what is overdue stands first."""
    overdue = [promise for promise in promises if promise.pledge.due and promise.pledge.due < today]
    ahead = [promise for promise in promises if promise not in overdue]
    heads = ((overdue, "Overdue:"), (ahead, "Due soon:"))
    blocks = [
        "\n".join([head, "", *(line(promise, names.get(promise.client, ""), owner) for promise in group)])
        for group, head in heads
        if group
    ]
    text = "\n\n".join(["You promised this in your own mail.", *blocks, _how(promises)])
    return _subject(
        overdue, ahead
    ), f"{text} A mail of yours that sends it, or says that it is done, ends it by itself.\n"


def _subject(overdue: Sequence[OwnPromise], ahead: Sequence[OwnPromise]) -> str:
    parts = [f"{len(ahead)} due soon" if ahead else "", f"{len(overdue)} overdue" if overdue else ""]
    return f"{counted(len(ahead) + len(overdue), 'promise')} of yours: {', '.join(filter(None, parts))}"


def _how(promises: Sequence[OwnPromise]) -> str:
    return HOW.format(number=promises[0].id)
