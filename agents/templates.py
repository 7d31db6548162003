"""Drafts without a model: a polite holding reply in the mail's language, that promises nothing but an answer."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from agents.checks import allowed, safe_line
from agents.gists import gist_of
from workflows.models.drafts import Brief, Draft, DraftedBy
from workflows.models.mail import Address
from workflows.ports import Drafting
from workflows.rules.asking import acknowledgement
from workflows.rules.mail.subjects import reply_subject
from workflows.rules.text.canonical import canonical, one_line
from workflows.rules.text.composed import composed
from workflows.rules.text.languages import speaks
from workflows.stories import Kind

FOLDER = Path(__file__).with_name("templates")
_LONGEST_SUBJECT = 80


class TemplateReply:
    """The template agent: fills `Drafting` without asking anybody anything."""

    async def draft(self, brief: Brief, version: int, wishes: str, previous: str) -> Draft:
        """A holding reply; with wishes, the earlier text unchanged and a word on why."""
        return self.holding(brief, wishes, previous)

    def holding(self, brief: Brief, wishes: str = "", previous: str = "", why: tuple[str, ...] = ()) -> Draft:
        """The same at once. `why`: what the owner should know about there being no model's draft."""
        draft = _holding(brief)
        if previous:
            # No rules can work wishes in; a text the owner has seen, or wrote, is better than a fresh generality.
            draft = replace(draft, body=canonical(previous))
        if wishes:
            draft = replace(draft, gist=gist_of(brief, "wishes"))
        return replace(draft, why=(*why, *_reasons(brief, wishes, told=bool(why))))


def as_why(said: Iterable[str]) -> tuple[str, ...]:
    """Why there is no model's draft, or what its check found, as `Draft.why` holds it: a line each, no full stop."""
    return tuple(one_line(line, 300).rstrip(".") for line in said)


class Drafter:
    """What the activities call: the model's agent where one is configured, templates otherwise."""

    def __init__(
        self,
        templates: TemplateReply,
        agent: Drafting | None = None,
        *,
        disclose: bool = False,
        others: Mapping[Kind, Drafting] | None = None,
    ) -> None:
        """`disclose`: the setting owner.disclose; `others`: who drafts for the stories that no mail began."""
        self._by_kind: dict[Kind, Drafting] = {"reply": agent or templates, **(others or {})}
        self._disclose = disclose

    async def draft(self, brief: Brief, version: int, wishes: str, previous: str) -> Draft:
        """As `Drafting` says. Raises Retryable as the agent does."""
        draft = await self._by_kind[brief.kind].draft(brief, version, wishes, previous)
        return _disclosed(draft, brief.language) if self._disclose and not draft.needs_owner else draft


def _disclosed(draft: Draft, language: str) -> Draft:
    """The draft with the line that says who drafted it, once; it is part of what the owner approves."""
    line = acknowledgement.phrases(language)["disclosure"]
    if line in draft.body:
        return draft
    return replace(draft, body=canonical(f"{draft.body.rstrip()}\n\n{line}"))


def _reasons(brief: Brief, wishes: str, *, told: bool) -> tuple[str, ...]:
    reasons = []
    if wishes:
        cause = "There is no model's answer" if told else "No model is configured"
        reasons.append(f'{cause}, so wishes cannot be worked in: answer "edit" and your text')
    elif not speaks(brief.language, "acknowledgements"):
        reasons.append(f"There is no template in their language ({one_line(brief.language, 20)}), so it is in English")
    return tuple(reasons)


def _holding(brief: Brief) -> Draft:
    # Under a standing yes it repeats none of their words: only such a text may leave without a yes of its own.
    subject = "" if brief.plain else _namable(brief)
    files = [file.name for file in brief.offered]
    body = acknowledgement.compose(brief.language, first_name(brief.sender), subject, brief.owner_name, files)
    return Draft(body=body, gist=gist_of(brief, "reply"), by=DraftedBy.TEMPLATE)


@cache
def _name_words(kind: str) -> frozenset[str]:
    return frozenset(tomllib.loads((FOLDER / "names.toml").read_text(encoding="utf-8"))[kind])


def _namable(brief: Brief) -> str:
    """The client's subject as it may stand in a sentence to them; "" when it is empty, long, or carries a link.

    A subject is a stranger's text: repeating its links, addresses or numbers would lend them the owner's name.
    """
    subject = reply_subject(brief.subject).removeprefix("Re:").strip()
    nothing = allowed(Brief(case=brief.case, owner_name=brief.owner_name))
    if not subject or len(subject) > _LONGEST_SUBJECT or re.search(r"[“”„«»{}<>]", subject):
        return ""
    return safe_line(subject, nothing, _LONGEST_SUBJECT)


def first_name(sender: Address) -> str:
    """The name to greet by, "" when it is not sure: the address must bear the name out."""
    name = one_line(sender.name, 80).strip("\"' ")
    if name.count(",") == 1:  # "Alvarez, Maria"
        name = " ".join(reversed([part.strip() for part in name.split(",")]))
    words = name.split()
    if any(word.lower().strip(".") in _name_words("titles") for word in words):
        return ""  # who writes "Dr." or "Frau" is not greeted by the first name
    if not 1 <= len(words) <= 3 or not all(_is_name(word) for word in words):  # noqa: PLR2004
        return ""
    local, _, host = sender.email.lower().partition("@")
    parts = [part for part in re.split(r"[^a-zß-ÿ]+", local) if part]
    first, last = _folded(words[0]), _folded(words[-1])
    borne_out = first in parts or last in parts or (first + last) in parts or (first[:1] + last) in parts
    if len(words) == 1:  # one word may as well be a brand, whose address then has it on both sides
        borne_out = first in parts and first not in host
    if not borne_out:
        return ""
    return words[0].capitalize() if words[0].isupper() else words[0]


def _is_name(word: str) -> bool:
    plain = word.replace("-", "").replace("'", "").replace("\u2019", "")
    return plain.isalpha() and word[0].isupper() and len(plain) > 1 and word.lower() not in _name_words("not_a_person")


def _folded(word: str) -> str:
    """As names are spelt in addresses: without accents, umlauts as two letters."""
    spelt = word.lower()
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        spelt = spelt.replace(umlaut, letters)
    return "".join(sign for sign in composed("NFD", spelt) if sign.isalpha())
