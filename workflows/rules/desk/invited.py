"""An invitation as a draft answers it: what may be said of it, the calendar parts that may go along, the owner's wish.

Pure. What is accepted is a time that is known to be free; where that is not known nothing is, unless the owner says so.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Final, Literal

from workflows.models.desk import INVITATION, NO_TIMES, InvitationFacts, TimeAnswer, Times
from workflows.models.drafts import Outgoing, Source
from workflows.models.mail import Attachment
from workflows.models.people import Owner
from workflows.rules.desk.invitations import (
    Invitation,
    answer_to,
    facts_line,
    is_outdated,
    matter_of,
    told_when,
)
from workflows.rules.desk.slots import (
    Availability,
    Diary,
    availability_of,
    three_slots,
    told_to_both,
    without,
)
from workflows.rules.text.languages import filled, words_in

NAME: Final = "invite.ics"
"""What the calendar part is called, and struck out by."""
_REACTIONS: Final[tuple[Literal["accepted", "declined"], ...]] = ("accepted", "declined")
_LONGEST_OFFER = timedelta(hours=4)
_OUTDATED = "A newer version of this invitation came before, so this one is neither accepted nor declined."


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationAccount:
    """What a brief holds of an invitation. `remarks`: whole sentences for the owner, the line itself first."""

    facts: InvitationFacts
    times: Times = NO_TIMES
    sources: tuple[Source, ...] = ()
    remarks: tuple[str, ...] = ()


def account_of(
    invitation: Invitation, known: int | None, diary: Diary, parts: dict[str, Attachment]
) -> InvitationAccount:
    """What can be said of an invitation.

    Args:
        invitation: as the mail has it.
        known: the SEQUENCE under which it came before, None when it never did.
        diary: what the calendars say.
        parts: the calendar part of each answer that may go with a mail.
    """
    outdated, matter = is_outdated(invitation, known), matter_of(invitation, known)
    answerable = {} if outdated or invitation.slot is None else parts
    availability = Availability.UNKNOWN if outdated else availability_for(invitation, diary)
    line = facts_line(invitation, diary.owner, availability, known)
    slot = invitation.slot
    facts = InvitationFacts(
        line=line, matter=matter, availability=availability.value,
        when=told_when(invitation, diary.owner), all_day=invitation.all_day, zone=diary.owner.timezone,
        start=slot.start if slot else None, end=slot.end if slot else None,
        accepting=answerable.get("accepted"),
        declining=answerable.get("declined"),
    )  # fmt: skip
    times, offers = _times(facts, diary)
    return InvitationAccount(
        facts=facts,
        times=times,
        sources=(Source(id=INVITATION, kind="invitation", quote=line), *offers),
        remarks=(line, *([_OUTDATED] if outdated else []), *times.faults),
    )


def availability_for(invitation: Invitation, diary: Diary) -> Availability:
    """What can be said of its time. Of what repeats only the first time was looked at: that can be taken, not free."""
    view = without(diary.view, frozenset((invitation.uid,)))
    if invitation.slot is None:
        return Availability.UNKNOWN
    first = availability_of(invitation.slot, replace(diary, view=view))
    if invitation.all_day and first is Availability.OUTSIDE:
        first = Availability.FREE  # no working hours hold a whole day, and nothing else lies in it
    unsure = invitation.repeats and first in {Availability.FREE, Availability.OUTSIDE}
    return Availability.UNKNOWN if unsure else first


def _times(facts: InvitationFacts, diary: Diary) -> tuple[Times, tuple[Source, ...]]:
    """Its time as the times of a mail have it, and slots to propose where it is not free."""
    if facts.start is None or facts.end is None or not (facts.asks or facts.matter == "countered"):
        return NO_TIMES, ()
    zone = diary.owner.timezone
    named = TimeAnswer(id=INVITATION, start=facts.start, end=facts.end, kind=facts.availability)
    length = min(facts.end - facts.start, _LONGEST_OFFER)
    fitting = replace(diary, terms=replace(diary.terms, slot=length))
    slots = three_slots(fitting) if facts.availability in {"taken", "outside"} and not facts.all_day else ()
    offers = [
        TimeAnswer(id=f"calendar:{at}", start=slot.start, end=slot.end, kind="offer")
        for at, slot in enumerate(slots, 1)
    ]
    sources = (
        Source(id=f"calendar:{at}", kind="calendar", quote=f"{told_to_both(slot, 'en', zone, '')} can be offered.")
        for at, slot in enumerate(slots, 1)
    )
    return Times(answers=(named, *offers), zone=zone, faults=diary.view.faults), tuple(sources)


# ---------------------------------------------------------------- the parts that may go along


def parts_for(
    invitation: Invitation, owner: Owner, recipients: tuple[str, ...], at: datetime
) -> Iterator[tuple[str, bytes]]:
    """Each answer that may go with a mail to these: which one, and its bytes, a `CALENDAR_REPLY`.

    `at`: when the invitation came, so that the same one is answered by the same bytes however often it is read.
    """
    for reaction in _REACTIONS:
        content = answer_to(invitation, owner, recipients, reaction, at)
        if content is not None:
            yield reaction, content


def told_answer(file: Attachment, facts: InvitationFacts | None, language: str) -> str:
    """`acceptance of the invitation, Thu 12 Mar 10:00-11:00 (your time)`; "" for what is no such answer."""
    parts = {"accepted": facts.accepting, "declined": facts.declining} if facts else {}
    reaction = next((reaction for reaction, part in parts.items() if part == file), "")
    if not facts or not reaction:
        return ""
    words = words_in(language, "invitations")
    return filled(words[f"goes_{reaction}"], when=facts.when or words["no_time"])


# ---------------------------------------------------------------- what the draft answers


def answering(facts: InvitationFacts, wishes: str, earlier: Outgoing | None, language: str) -> InvitationFacts:
    """The invitation with what the next draft answers: as the owner wishes, as before, else by the facts."""
    if not facts.asks or facts.start is None:
        return facts
    wish = wished_reaction(wishes, language)
    if wish:
        return replace(facts, reaction=wish, wished=True)
    by_facts = "accepted" if facts.availability == "free" else ""
    if wishes and earlier and facts.accepting:  # what was struck out of it stays out
        return replace(facts, reaction=_carried(facts, earlier.attachments))
    return replace(facts, reaction=by_facts)


def _carried(facts: InvitationFacts, files: Sequence[Attachment]) -> str:
    parts = (("accepted", facts.accepting), ("declined", facts.declining))
    return next((reaction for reaction, part in parts if part in files), "")


def wished_reaction(wishes: str, language: str) -> str:
    """Whether the owner's words say "accepted" or "declined"; "" where they say neither, or it is not plain."""
    declines, accepts = _spoken(wishes, "declines", language), _spoken(wishes, "accepts", language)
    if declines or "refused" in accepts:
        return "declined" if not accepts - {"refused"} and "refused" not in declines else ""
    return "accepted" if accepts else ""


def _spoken(wishes: str, what: str, language: str) -> set[str]:
    """Whether these words are said: "meant", and "refused" with a "not" before them."""
    matches = (match for code in dict.fromkeys((language, "en")) for match in _words(code, what).finditer(wishes))
    return {"refused" if match["no"] else "meant" for match in matches}


@cache
def _words(language: str, what: str) -> re.Pattern[str]:
    wording = words_in(language, "invitations")
    spoken, refusing = "|".join(wording[what]), "|".join(wording["not"])
    return re.compile(rf"(?<!\w)(?P<no>(?:{refusing})(?:\s+|(?<='))(?:\w+\s+)?)?(?:{spoken})(?!\w)", re.IGNORECASE)
