"""Earned autonomy: when a mail may leave under a standing yes. Pure and total.

A standing yes is the owner's, given once for a kind after a row of unedited approvals. What it covers is a closed list:
our own acknowledgement, word for word as the program makes it, to people the owner has written to. Any other text asks,
whatever it says; what they wrote can only add a reason to ask. Each mail under it is shown first with time to undo.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from workflows.models.drafts import Brief, Draft, DraftedBy, Outgoing
from workflows.models.people import Client, Owner
from workflows.rules.asking import acknowledgement
from workflows.rules.text.calendar import folded
from workflows.rules.text.languages import languages, words_in
from workflows.stories import facts_of

_AMOUNT = re.compile(r"[$€£¥₹₽]|\b\d[\d.,]*\s?(?:usd|eur|gbp|chf|pln|jpy|cad|aud|sek|nok|dkk|czk|brl|%)", re.IGNORECASE)
_NAMES = 3
IN_A_ROW = 10
"""Unedited approvals in a row that a standing yes takes where the owner has not said how many."""
_NEUTRAL = frozenset({"expired", "answered-by-owner", "sent-by-owner", "uncertain", "failed", "corrected"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a case of the kind ended: `edited` when the text that left was not the first draft as it was."""

    case: int
    outcome: str
    edited: bool = False
    standing: bool = False  # it left under a standing yes: it proves nothing new


def in_a_row(endings: Iterable[Ending]) -> tuple[int, ...]:
    """The cases of the row of unedited approvals that still stands; `endings` newest first."""
    row: list[int] = []
    for ending in endings:
        if _breaks(ending):
            break
        if ending.outcome == "sent" and not ending.standing:
            row.append(ending.case)
    return tuple(row)


def unbroken(endings: Iterable[Ending]) -> bool:
    """Whether no edit, no and undo is among them: a standing yes outlives these endings."""
    return not any(_breaks(ending) for ending in endings)


def _breaks(ending: Ending) -> bool:
    """Also of one that was under way under a standing yes: a no in its last minute is a no."""
    return ending.outcome not in _NEUTRAL and (ending.outcome != "sent" or ending.edited)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """One version as the ledger has it: what would leave, where it came from, and to whom it goes."""

    brief: Brief
    outgoing: Outgoing
    draft: Draft
    client: Client | None
    owner: Owner
    by: DraftedBy


def needs_a_yes(leaving: Leaving) -> str:
    """Why this very mail is not covered by a standing yes, in a few words; "" when it is."""
    brief, outgoing, client = leaving.brief, leaving.outgoing, leaving.client
    if not facts_of(brief.kind).may_stand:
        return "money or work"  # a bid and a reminder are about money, an update names what was done
    if client is None or not client.written_to:
        return "a new recipient"
    client_addresses = {address.lower() for address in client.addresses}
    if any(address.email.lower() not in client_addresses for address in (*outgoing.to, *outgoing.cc)):
        return "a new address"
    if (
        leaving.draft.needs_owner
        or brief.hints
        or outgoing.attachments
        or outgoing.proposals
        or outgoing.link
        or outgoing.proactive
    ):
        return "something to look at"
    return _more_than_an_acknowledgement(leaving, client) or _delicate((brief.subject, brief.message, brief.older))


def _more_than_an_acknowledgement(leaving: Leaving, client: Client) -> str:
    if leaving.by is not DraftedBy.TEMPLATE or leaving.draft.model:
        return "words that the program did not make"
    if leaving.outgoing.version != 1:
        return "a changed text"
    plain = acknowledgement.is_plain(leaving.outgoing.body, leaving.owner.name, client.name.split()[:_NAMES])
    return "" if plain else "more than an acknowledgement"


def _delicate(texts: Sequence[str]) -> str:
    """What they wrote of money or a contract: no word of theirs can make a mail leave, these keep one back."""
    folded_texts = [folded(text) for text in texts]
    if any(_AMOUNT.search(text) for text in texts) or any(_words("money").search(text) for text in folded_texts):
        return "money"
    return "a contract" if any(_words("contract").search(text) for text in folded_texts) else ""


@lru_cache(maxsize=2)
def _words(name: str) -> re.Pattern[str]:
    words = [word for language in languages("autonomy") for word in words_in(language, "autonomy")[name]]
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)")
