"""An invitation in a draft: the sentences of a template that answer it, and what a model is told of its answer."""

from workflows.models.desk import InvitationFacts
from workflows.models.drafts import Brief
from workflows.rules.desk.slots import Slot, told, told_day
from workflows.rules.desk.times import told_time
from workflows.rules.text.languages import filled, words_in

_FOR_A_MODEL = {
    "accepted": "Your reply accepts the invitation; a calendar answer that accepts it goes with it.",
    "declined": "Your reply declines the invitation; a calendar answer that declines it goes with it.",
    "taken": "Your reply says that this time is not possible, and offers the times that can be offered.",
    "cancelled": "Your reply confirms in one sentence that the cancellation is noted; it accepts nothing.",
    "": "Your reply neither accepts nor declines the invitation.",
}


def invitation_kind(brief: Brief) -> str:
    """What the draft does about it: "accepted", "declined", "cancelled", "offers", "free"; "" says nothing of it."""
    invitation = brief.invitation
    if invitation is None or invitation.start is None:
        return ""
    if invitation.matter == "cancelled" or invitation.reaction:
        return invitation.reaction or "cancelled"
    if _is_impossible(invitation) and (invitation.asks or invitation.matter == "countered"):
        return "offers"
    return "free" if invitation.matter == "countered" and invitation.availability == "free" else ""


def invitation_sentences(brief: Brief) -> tuple[str, ...]:
    """The sentences about it, in the client's language."""
    invitation, kind = brief.invitation, invitation_kind(brief)
    if invitation is None or not kind:
        return ()
    wording, time = words_in(brief.language, "desk"), _told(brief, invitation)
    sentences = {"free": "time_free", "offers": "time_taken"}
    line = filled(wording[sentences.get(kind, f"invitation_{kind}")], time=time)
    offers = _offers(brief) if kind == "offers" else ()
    if not offers:
        return (line,)
    listed = ", ".join(offers[:-1]) + f" {wording['or']} " * (len(offers) > 1) + offers[-1]
    return line, filled(wording["time_offer"], times=listed)


def invitation_sources(brief: Brief) -> tuple[str, ...]:
    """The ids of what these sentences rest on."""
    kind = invitation_kind(brief)
    if brief.invitation is None or not kind:
        return ()
    offers = (answer.id for answer in brief.times.answers if answer.kind == "offer" and kind == "offers")
    return (brief.invitation.source_id, *offers)


def instruction(brief: Brief) -> str:
    """What a model's reply has to say about the invitation; "" where there is none to answer."""
    invitation = brief.invitation
    if invitation is None or not (invitation.asks or invitation.matter == "cancelled"):
        return ""
    kind = invitation_kind(brief)
    text = _FOR_A_MODEL["taken" if kind == "offers" else kind]
    return text if invitation.answer or not invitation.reaction else text.partition(";")[0] + "."


def _is_impossible(invitation: InvitationFacts) -> bool:
    return invitation.availability in {"taken", "outside"}


def _offers(brief: Brief) -> tuple[str, ...]:
    answers = (answer for answer in brief.times.answers if answer.kind == "offer")
    return tuple(told_time(answer, brief.times, brief.language) for answer in answers)


def _told(brief: Brief, invitation: InvitationFacts) -> str:
    if invitation.start is None or invitation.end is None:
        return ""
    if invitation.all_day:
        return told_day(invitation.start, brief.language, invitation.zone)
    return told(Slot(start=invitation.start, end=invitation.end), brief.language, invitation.zone)
