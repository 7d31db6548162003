"""The brief of a follow-up: what was asked, when, and the thread in which it would go."""

from memory.ledger import Ledger
from memory.sent.follow_ups import AskedMail, Silence
from workflows.models.case import CaseState
from workflows.models.drafts import Brief, Envelope, Source
from workflows.models.people import Owner
from workflows.rules.mail.subjects import reply_subject
from workflows.rules.text import calendar
from workflows.rules.text.canonical import one_line
from workflows.rules.text.language import language_of
from workflows.stories import FOLLOWUP

_QUOTE = 200
_HOW = {"bid": "your bid", "sent": "your mail", "by_hand": "the mail you sent by hand"}


class FollowUpBriefs:
    """Builds the briefs of follow-ups (`Recall.also_builds`)."""

    def __init__(self, ledger: Ledger, owner: Owner, profile: tuple[Source, ...] = ()) -> None:
        self._ledger, self._owner, self._profile = ledger, owner, profile

    def build(self, state: CaseState) -> Brief:
        """The question as it was asked is the one fact; the mail it stood in is what the draft may lean on."""
        silence = self._ledger.silence(state.case)
        asked = silence.asked
        subject = reply_subject(asked.subject)
        quote = one_line(silence.question or asked.subject, _QUOTE)
        return Brief(
            case=state.case,
            kind=state.kind,
            client=self._ledger.client_of(state.case),
            sender=asked.to,
            subject=asked.subject,
            message=silence.question,
            language=self._language(asked),
            profile=self._profile,
            owner_name=self._owner.name,
            owner_language=self._owner.language,
            envelope=Envelope(
                to=(asked.to,),
                subject=subject,
                in_reply_to=asked.message_id,
                references=asked.references,
                proactive=True,
            ),
            heading=FOLLOWUP.heading,
            trigger=self._trigger(silence),
            facts=(Source(id=asked.mail, kind="sent", quote=quote, at=asked.at),),
        )

    def _language(self, asked: AskedMail) -> str:
        """Of the mail itself; else what they wrote in last, else the owner's."""
        received = [document.text for document in self._ledger.documents(asked.client) if document.kind == "received"]
        last = language_of(received[-1]) if received else ""
        return language_of(asked.text) or last or calendar.language_of(self._owner)

    def _trigger(self, silence: Silence) -> str:
        day = calendar.told_date(calendar.local_time(silence.asked.at, self._owner).date(), self._owner)
        return f"There is no answer to {_HOW[silence.asked.origin]} of {day}"
