"""Follow-ups: whether a sent mail of the owner's asked something, and when silence after it is long enough. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from workflows.models.people import Owner
from workflows.rules.desk.questions import questions
from workflows.rules.text.calendar import add_working_days
from workflows.rules.text.canonical import one_line
from workflows.rules.text.language import language_of
from workflows.rules.text.languages import known_language, words_in
from workflows.rules.text.words import fold, phrases

Origin = Literal["bid", "sent", "by_hand"]
"""Where a mail that asked something came from: a bid, another mail through Deskhand, the owner's own mail program."""
_NO_REQUEST = ("condition", "will_send", "sends", "follows", "does", "hereby", "done")
_QUOTE = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpTerms:
    """The settings `[followup]`: after how many working days, and for which mails."""

    after: int = 5
    bids: bool = True
    sent: bool = True
    by_hand: bool = False

    def covers(self, origin: Origin) -> bool:
        """Whether mails of that origin are followed up."""
        return {"bid": self.bids, "sent": self.sent, "by_hand": self.by_hand}[origin]


def asked_in(text: str, spoken: Sequence[str] = ()) -> str:
    """The first thing that a mail of the owner's asks its reader, "" when it asks nothing.

    A question mark counts, and so does a request; "let me know if you have questions" waits for no answer, nor
    does what the owner does himself.
    """
    language = language_of(text) or next(iter(spoken), "en")
    words = words_in(known_language(language, "own_promises"), "own_promises")
    no_request = phrases(row for kind in _NO_REQUEST for row in words[kind])
    asked = [question.text for question in questions(text, language)]
    marked = [question for question in asked if question.rstrip().endswith("?")]
    plain = [question for question in asked if not (question.endswith("!") or no_request.search(fold(question)))]
    return one_line(next(iter([*marked, *plain]), ""), _QUOTE)


def is_silent(sent_at: datetime, now: datetime, terms: FollowUpTerms, owner: Owner) -> bool:
    """Whether so many of the owner's working days went by since then."""
    return now >= add_working_days(sent_at, terms.after, owner)
