"""The paste-ready pack: an approved bid for a place where only the owner's own hand may submit it."""

from workflows.models.drafts import Brief, Outgoing
from workflows.rules.asking.approval import ApprovalMail
from workflows.rules.text.canonical import canonical, one_line

_HOW = (
    "Deskhand submits nothing: open the link, paste the text between the lines, and send it yourself. Afterwards "
    'answer this mail with "won", "lost" or "no answer", so that it is remembered.'
)


def render_pack(outgoing: Outgoing, brief: Brief) -> ApprovalMail:
    """Subject and text of the pack: the link first, then the exact approved text, then how to say how it ended."""
    name = f"{outgoing.case}.{outgoing.version}"
    title = brief.lead.title if brief.lead else brief.subject
    text = "\n".join(
        [
            one_line(outgoing.link),
            "",
            _HOW,
            "",
            f"----- bid {name} begins -----",
            canonical(outgoing.body).removesuffix("\n"),
            f"----- bid {name} ends -----",
        ]
    )
    return ApprovalMail(subject=f"Ready to paste: {one_line(title, 120)}", text=text)
