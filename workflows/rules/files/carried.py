"""Which files go with a mail, and how much they may be. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from workflows.models.case import CaseState
from workflows.models.decisions import Attach, Without
from workflows.models.drafts import Brief, Outgoing
from workflows.models.mail import Attachment

MOST_BYTES = 10_000_000
"""Of all files of one mail together: what every provider takes, base64 included."""
MOST_FILES = 10
RULE = "at most 10 MB go with one mail."


def too_large(files: Iterable[Attachment]) -> str:
    """Why these files cannot go with one mail, "" when they can."""
    attached = tuple(files)
    total = sum(file.size for file in attached)
    if total > MOST_BYTES:
        whose = "it has" if len(attached) == 1 else "all files together have"
        return f"{whose} {total / 1e6:.1f} MB, and {RULE}"
    if len(attached) > MOST_FILES:
        return f"these are {len(attached)} files, and at most {MOST_FILES} go with one mail."
    return ""


def going_with(state: CaseState, brief: Brief, earlier: Outgoing | None) -> tuple[Attachment, ...]:
    """What the next draft of a case carries: what they ask for, what the version before carried, what the owner adds.

    A draft to the owner's wishes begins from the version before: what was struck out of it stays out. The answer to an
    invitation is decided anew by each draft.
    """
    carried = tuple(file for file in earlier.attachments if not file.answers_invitation) if earlier else ()
    offered = () if earlier and state.wishes else brief.offered
    return joined(joined(carried, offered), state.files)


def with_change(outgoing: Outgoing, change: Attach | Without) -> Outgoing:
    """The same mail with further files, or without what is struck out of it."""
    if isinstance(change, Attach):
        return replace(outgoing, attachments=joined(outgoing.attachments, change.files))
    return replace(
        outgoing,
        attachments=tuple(file for file in outgoing.attachments if file.name not in change.names),
        proposals=tuple(proposal for proposal in outgoing.proposals if proposal.key not in change.names),
    )


def is_no_more(outgoing: Outgoing, shown: Outgoing | None) -> bool:
    """Whether nothing goes with it, and nothing is done after it, that was not shown."""
    if set(outgoing.proposals) - set(shown.proposals if shown else ()):
        return False
    return set(outgoing.attachments) <= set(shown.attachments if shown else ())


def joined(files: Iterable[Attachment], further: Iterable[Attachment]) -> tuple[Attachment, ...]:
    """These files and the further ones; a further one takes the place of one of the same name."""
    by_name = {file.name: file for file in files}
    return tuple((by_name | {file.name: file for file in further}).values())
