"""Whether two posts are one job: by the page they link to, else by company, title and text together."""

import hashlib
import re
from functools import cache

from workflows.models.leads import Lead
from workflows.rules.leads.posts import canonical_url
from workflows.rules.text.words import fold, phrases, table

_WORD = re.compile(r"[\w+#]+")
_SHINGLE = 4  # words
_LEAST_SHINGLES = 12  # below that a text says too little to compare
_SAME_TEXT = 0.5  # of the shorter one's shingles, where company and title are the same
_SAME_ALONE = 0.8  # where one post does not name its company
_EDITED = 0.9  # below that a post's text is another one
_SHORT_TITLE = 2  # words: "Developer" alone names no job


def key_of(lead: Lead) -> str:
    """The lead's identity: of the page it links to, else of the source and its id there. Opaque."""
    page = canonical_url(lead.url) or f"{lead.source}\n{lead.id}"
    return f"lead:{hashlib.sha256(page.encode()).hexdigest()[:32]}"


def company_of(lead: Lead) -> str:
    """The company's name for comparing: folded, without "GmbH" and the like; "" when the post names none."""
    words = _WORD.findall(fold(lead.company))
    suffixes = set(table("leads")["companies"]["suffixes"])
    while len(words) > 1 and words[-1] in suffixes:
        words.pop()
    return " ".join(words)


def title_of(lead: Lead) -> str:
    """The title for comparing: folded, without "(remote)", "m/w/d" and the like."""
    return " ".join(_WORD.findall(_noise().sub(" ", fold(lead.title))))


def same_job(one: Lead, other: Lead) -> bool:
    """Whether both posts offer one and the same job. Symmetric; false where it is not clear."""
    if (one.source, one.id) == (other.source, other.id):
        return same_post(one, other)
    page = canonical_url(one.url)
    if page and page == canonical_url(other.url):
        # A source that gives two posts one page has a page of many jobs.
        return one.source != other.source or one.id == other.id or title_of(one) == title_of(other)
    if title_of(one) != title_of(other) or not title_of(one):
        return False
    companies = {company_of(one), company_of(other)}
    if len(companies) > 1 and "" not in companies:
        return False
    likeness = _likeness(_shingles(one.text), _shingles(other.text))
    if "" in companies:
        return likeness is not None and likeness >= _SAME_ALONE and len(title_of(one).split()) >= _SHORT_TITLE
    return likeness is None or likeness >= _SAME_TEXT


def same_post(one: Lead, other: Lead, *, is_shared: bool = False) -> bool:
    """Whether two looks at one id of a source saw one post: the id has a second proof in its link or its title.

    Many a feed gives all its posts one id. Where the people behind them differ, only the same words under the same
    link and title are one post that was edited. `is_shared`: the source gives other posts this id at the same time.
    """
    page, title = canonical_url(one.url), title_of(one)
    same_page = bool(page) and page == canonical_url(other.url)
    same_title = bool(title) and title == title_of(other)
    if not (same_page or same_title):
        return False
    likeness = _likeness(_shingles(one.text), _shingles(other.text))
    if _differ(one.contact.email.lower(), other.contact.email.lower()) or _differ(company_of(one), company_of(other)):
        return same_page and same_title and (likeness is None or likeness >= _SAME_TEXT)
    if same_title or not is_shared:
        return True
    return likeness is not None and likeness >= _SAME_TEXT


def _differ(one: str, other: str) -> bool:
    return bool(one) and bool(other) and one != other


def changes(before: Lead, after: Lead) -> tuple[str, ...]:
    """What an edited post says otherwise now, in words; what a bid does not rest on is left out."""
    likeness = _likeness(_shingles(before.text), _shingles(after.text))
    same_text = before.text == after.text if likeness is None else likeness >= _EDITED
    unchanged = {
        "its title": title_of(before) == title_of(after),
        "its pay": before.pay == after.pay,
        "its questions": before.questions == after.questions,
        "its text": same_text,
    }
    return tuple(name for name, is_same in unchanged.items() if not is_same)


def _likeness(one: frozenset[str], other: frozenset[str]) -> float | None:
    """How much of the shorter text stands in the longer one, 0 to 1; None when one is too short to tell."""
    shorter = min(len(one), len(other))
    return len(one & other) / shorter if shorter >= _LEAST_SHINGLES else None


def _shingles(text: str) -> frozenset[str]:
    words = _WORD.findall(fold(text[:20_000]))
    return frozenset(" ".join(words[at : at + _SHINGLE]) for at in range(len(words) - _SHINGLE + 1))


@cache
def _noise() -> re.Pattern[str]:
    return phrases(re.escape(phrase) for phrase in table("leads")["companies"]["title_noise"])
