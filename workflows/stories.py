"""Stories: one record of facts for each, read wherever something depends on which story it is.

A kind without its record fails the type check, a record without a fact as well. What a story does (its brief, its
draft, its watch) stands in its own modules; docs/development.md names the files of a new one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, assert_never, get_args

Kind = Literal["reply", "bid", "chase", "update", "followup"]
"""The stories: a mail answered, a lead bid for, a debt chased, a client kept informed, a silence followed up."""
Begins = Literal["mail", "lead", "debt", "period", "silence"]
"""The kinds of event that begin a case, one for each story."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryFacts:
    """What is to be known of a story. Sentences are for the owner."""

    kind: Kind
    workflow: str  # what Temporal calls it: never changed, cases run under it
    begins: Begins
    verb: str  # of that event, after who or what caused it, in a trace: "listed"
    began: str  # the same before its subject, in the story of a case: "{sender} listed"
    heading: str  # over what began it, in an approval mail
    never: str  # what the owner's "never" means for it
    never_is_for: Literal["person", "kind"]  # whom or what that "never" ends
    gone: str  # what is said to an answer when what began it was gone
    answers_them: bool  # somebody wrote and waits for it: it answers in their thread
    is_followed: bool  # after it has left, its case waits to hear how it ended
    ends_with_complaint: bool  # a complaint of the client's ends it: it would only make things worse
    may_stand: bool  # a standing yes can be earned
    awaits_answer: bool = True  # what its mail asks is followed up when nobody answers
    always_asks: str = ""  # where the owner may want one all the same: why it always waits for a yes of its own


REPLY = StoryFacts(
    kind="reply",
    workflow="Reply",
    begins="mail",
    verb="wrote",
    began="{sender} wrote",
    heading="They wrote",
    never="no more drafts for this sender",
    never_is_for="person",
    gone="It was over; nothing was sent.",
    answers_them=True,
    is_followed=False,
    ends_with_complaint=False,
    may_stand=True,
)
BID = StoryFacts(
    kind="bid",
    workflow="Bid",
    begins="lead",
    verb="listed",
    began="{sender} listed",
    heading="The post",
    never="no bid for this one",
    never_is_for="kind",
    gone="The post was gone before a bid was made.",
    answers_them=False,
    is_followed=True,
    ends_with_complaint=False,
    may_stand=False,
)
CHASE = StoryFacts(
    kind="chase",
    workflow="Chase",
    begins="debt",
    verb="is due",
    began="It is due:",
    heading="What they owe",
    never="no more reminders to this client",
    never_is_for="kind",
    gone="The invoice was no longer open; nothing was sent.",
    answers_them=False,
    is_followed=False,
    ends_with_complaint=True,
    may_stand=False,
    awaits_answer=False,  # it has a ladder of its own
)
UPDATE = StoryFacts(
    kind="update",
    workflow="Update",
    begins="period",
    verb="is over",
    began="A period is over:",
    heading="What was logged",
    never="no more updates to this client",
    never_is_for="kind",
    gone="It was over; nothing was sent.",
    answers_them=False,
    is_followed=False,
    ends_with_complaint=True,
    may_stand=False,
    always_asks="Each status update names work that was done, so it always waits for your yes.",
)

FOLLOWUP = StoryFacts(
    kind="followup",
    workflow="FollowUp",
    begins="silence",
    verb="has not answered",
    began="{sender} has not answered",
    heading="What you had asked",
    never="no more follow-ups to this client",
    never_is_for="kind",
    gone="It was answered; nothing was sent.",
    answers_them=False,
    is_followed=False,
    ends_with_complaint=True,
    may_stand=False,
    awaits_answer=False,
    always_asks="Each follow-up goes to somebody who has not answered, so it always waits for your yes.",
)


def facts_of(kind: Kind) -> StoryFacts:
    """The record of this story."""
    match kind:
        case "reply":
            facts = REPLY
        case "bid":
            facts = BID
        case "chase":
            facts = CHASE
        case "update":
            facts = UPDATE
        case "followup":
            facts = FOLLOWUP
        case _:
            assert_never(kind)
    return facts


KINDS: tuple[Kind, ...] = get_args(Kind)
STORIES = tuple(map(facts_of, KINDS))


def kinds_that(hold: Callable[[StoryFacts], bool]) -> tuple[Kind, ...]:
    """The stories of which this is so."""
    return tuple(facts.kind for facts in STORIES if hold(facts))


def begun_by(event: str) -> StoryFacts | None:
    """The story that an event of this kind begins."""
    return next((facts for facts in STORIES if facts.begins == event), None)
