"""Booked: a draft that agrees to a time proposes to enter it, where a calendar of the owner's can be written to."""

import re
from collections.abc import Iterable
from dataclasses import replace
from zoneinfo import ZoneInfo

from agents.desk.reckoning import clocks, names_time
from workflows.models.desk import TimeAnswer
from workflows.models.drafts import Brief, Draft
from workflows.models.proposals import Proposal
from workflows.rules.asking.proposed import BOOK, booking
from workflows.rules.desk.questions import plain
from workflows.rules.mail.subjects import reply_subject
from workflows.rules.text.languages import words_in

_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")


def with_booking(brief: Brief, draft: Draft) -> Draft:
    """The draft with the proposal to book the time it agrees to; unchanged where it agrees to none, or to several."""
    agreed = _agreed(brief, draft)
    if agreed is None or any(proposal.tool == BOOK for proposal in draft.proposals):
        return draft
    return replace(draft, proposals=(*draft.proposals, _proposal(brief, agreed)))


def _agreed(brief: Brief, draft: Draft) -> TimeAnswer | None:
    """The one free time that the text says yes to. With a second one beside it the client has yet to choose."""
    times = brief.times
    if not times.books or times.faults or draft.needs_owner:
        return None
    open_times = {(answer.start, answer.end): answer for answer in times.answers if answer.is_to_hold}
    named = [answer for answer in open_times.values() if names_time(answer, times, draft.body, brief.language)]
    if len(named) != 1 or named[0].kind != "free" or _declines(brief, named[0], draft.body):
        return None
    return None if named[0].start in times.entered else named[0]  # they confirm what was entered before


def _declines(brief: Brief, answer: TimeAnswer, body: str) -> bool:
    """Whether its sentence says no: a booking that is missing costs less than one too many.

    Where no sentence names its day as well ("Do 3. Dez. 10:00" is cut at the dots), those with its clock count.
    """
    words: Iterable[str] = words_in(brief.language, "desk")["declines"]
    noes = re.compile("|".join(rf"(?<!\w){re.escape(plain(word))}(?!\w)" for word in words))
    timed = [one for one in _SENTENCE.split(body) if any(form in one for form in clocks(answer, brief.times))]
    dated = [sentence for sentence in timed if names_time(answer, brief.times, sentence, brief.language)]
    return any(noes.search(plain(sentence)) for sentence in dated or timed)


def _proposal(brief: Brief, agreed: TimeAnswer) -> Proposal:
    """On the owner's clock; named by who comes and what it is about."""
    zone = ZoneInfo(brief.times.zone)
    name = brief.client.name if brief.client else ""
    subject = reply_subject(brief.subject).removeprefix("Re:").strip()
    title = ": ".join(filter(None, (name or brief.sender.name or brief.sender.email, subject)))
    return booking(agreed.start.astimezone(zone), agreed.end.astimezone(zone), title)
