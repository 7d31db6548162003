"""The brief of a bid: the post, what it is worth, what was found out, the past work that fits, where it would go."""

from collections.abc import Callable, Sequence
from datetime import datetime

from memory.leads.findings import NOTE, Finding
from memory.ledger import Ledger
from workflows.errors import Permanent
from workflows.models.case import CaseState
from workflows.models.drafts import Brief, Envelope, Source
from workflows.models.leads import Lead, Profile, Score
from workflows.models.mail import Address
from workflows.models.people import Client, Owner
from workflows.ports import Clock
from workflows.rules.leads.matching import fitting, work_source
from workflows.rules.leads.scoring import THRESHOLD, score
from workflows.rules.text.canonical import one_line
from workflows.rules.text.language import language_of
from workflows.stories import BID

Search = Callable[[str, str], tuple[Source, ...]]
"""What one client's history says about a text (`Recall.search`)."""

MOST_MESSAGE = 20_000  # characters of a post that are drafted from
_SUBJECT, _NAME, _QUOTE = 150, 100, 400


class BidBriefs:
    """Builds the briefs of bid cases, for `Recall`."""

    def __init__(  # noqa: PLR0913 - what a bid rests on, all by name
        self,
        *,
        ledger: Ledger,
        search: Search,
        profile: Profile,
        said: Sequence[Source],
        owner: Owner,
        clock: Clock,
        threshold: float = THRESHOLD,
    ) -> None:
        """`said`: what may be said about the owner (`Settings.profile_sources`)."""
        self._ledger, self._search, self._profile, self._said = ledger, search, profile, tuple(said)
        self._owner, self._clock, self._threshold = owner, clock, threshold

    def build(self, state: CaseState) -> Brief:
        """Everything a bid may rest on.

        Raises:
            Permanent: the ledger has no post for this case.
        """
        lead = self._ledger.lead_of(state.case)
        if lead is None:
            raise Permanent(f"Case {state.case} has no post in the ledger to bid for.")
        client = self._ledger.client_of(state.case)
        findings = self._ledger.findings(state.case)
        works = tuple(map(work_source, fitting(lead, self._profile.work)))
        worth = self._score(lead, self._clock.now())
        return Brief(
            case=state.case,
            kind=state.kind,
            client=client,
            sender=_author(lead),
            subject=one_line(lead.title, _SUBJECT),
            message=_post(lead),
            language=language_of(f"{lead.title}\n{lead.text}") or self._owner.language,
            sources=self._history(client, lead),
            profile=(*self._said, *works),
            owner_name=self._owner.name,
            owner_language=self._owner.language,
            hints=tuple(_hints(lead, worth, findings)),
            received_at=lead.published,
            envelope=_envelope(lead, self._owner),
            heading=BID.heading,
            trigger=_trigger(lead),
            facts=tuple(_fact(number, finding) for number, finding in enumerate(findings, start=1) if finding.is_fact),
            lead=lead,
            score=worth,
        )

    def _history(self, client: Client | None, lead: Lead) -> tuple[Source, ...]:
        return self._search(client.id, f"{lead.title}\n{lead.text[:MOST_MESSAGE]}") if client else ()

    def _score(self, lead: Lead, now: datetime) -> Score:
        return score(lead, self._profile, now, threshold=self._threshold, wins=self._ledger.wins())


def _author(lead: Lead) -> Address:
    """Who wrote the post: by address where there is one, else by the company's or the source's name."""
    name = one_line(lead.contact.name or lead.company, _NAME) or one_line(lead.source, _NAME)
    return Address(email=lead.contact.email, name=name)


def _envelope(lead: Lead, owner: Owner) -> Envelope:
    """By mail to the post's own address; else the owner pastes it at the link, and only the owner gets it."""
    subject = one_line(lead.title, _SUBJECT) or "Your post"
    if "@" in lead.contact.email:
        return Envelope(to=(lead.contact,), subject=subject)
    return Envelope(to=(Address(email=owner.address, name=owner.name),), subject=subject, link=lead.url)


def _post(lead: Lead) -> str:
    """The post as the owner is shown it: what the source states beside the text stands first."""
    particulars = {
        "Company": lead.company,
        "Place": lead.place,
        "Kind": lead.engagement,
        "Skills": ", ".join(lead.skills[:20]),
    }
    head = [f"{name}: {one_line(text, _QUOTE)}" for name, text in particulars.items() if text]
    return "\n".join([*head, *([""] if head else []), lead.text[:MOST_MESSAGE]]).strip()


def _trigger(lead: Lead) -> str:
    listed = f" on {lead.published:%Y-%m-%d}" if lead.published else ""
    named = f" ({one_line(lead.attribution, _NAME)})" if lead.attribution else ""
    return f"{one_line(lead.source, _NAME)} listed it{listed}{named}"


def _hints(lead: Lead, worth: Score, found: Sequence[Finding]) -> list[str]:
    """Why it would not have been bid for (it was rescued), what was noticed, and what the search could not find."""
    against = [f"Skipped at first: {worth.refused}"] if worth.refused else []
    flags = [one_line(flag.says, _QUOTE) for flag in lead.flags]
    return [
        *against,
        *flags,
        *(finding.text for finding in found if finding.kind == NOTE),
    ]


def _fact(number: int, found: Finding) -> Source:
    """A fact about the author with the words it stands on and their page."""
    quote = "" if found.quote in {"", found.text} else f' ("{found.quote}")'
    return Source(id=f"web:{number}", kind="web", quote=one_line(f"{found.text}{quote} {found.url}", _QUOTE * 2))
