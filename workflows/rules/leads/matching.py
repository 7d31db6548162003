"""Which of the owner's past work fits a post: by the skills it names and the words both share."""

import re
from collections.abc import Iterable

from workflows.models.drafts import Source
from workflows.models.leads import Lead, PastWork
from workflows.rules.leads.skills import names_any
from workflows.rules.text.canonical import one_line
from workflows.rules.text.language import small_words
from workflows.rules.text.words import fold

MOST_WORKS = 3
_SKILL = 2.0  # a skill in common weighs as much as two words
_LEAST = 2.0
_TEXT, _QUOTE = 10_000, 600


def fitting(lead: Lead, work: Iterable[PastWork], limit: int = MOST_WORKS) -> tuple[PastWork, ...]:
    """The past works that fit, best first; of equals the one that stands first in the profile."""
    folded = fold("\n".join([lead.title[:500], lead.text[:_TEXT], ", ".join(lead.skills[:50])]))
    lead_stems = _stems(folded)
    rated = [(_fit(past_work, folded, lead_stems), past_work) for past_work in work]
    rated = sorted((pair for pair in rated if pair[0] >= _LEAST), key=lambda pair: -pair[0])
    return tuple(past_work for _, past_work in rated[:limit])


def work_source(work: PastWork) -> Source:
    """A past work as a source that a bid may rest on."""
    summary = ": ".join(one_line(part).rstrip(".") for part in (work.title, work.text) if part.strip())
    skills = f" ({', '.join(one_line(skill) for skill in work.skills)})" if work.skills else ""
    link = f" {one_line(work.link)}" if work.link else ""
    return Source(id=f"work:{work.id}", kind="work", quote=f"{one_line(summary, _QUOTE)}{skills}.{link}")


def _fit(work: PastWork, folded: str, wanted: frozenset[str]) -> float:
    skills = sum(names_any(folded, skill) for skill in work.skills)
    return _SKILL * skills + len(_stems(fold(f"{work.title} {work.text}")) & wanted)


def _stems(folded: str) -> frozenset[str]:
    words = re.findall(r"[^\W\d_][\w-]{3,}", folded)
    return frozenset(word[:6] for word in words if word not in small_words())
