"""Drafts without a model: a polite holding reply in the mail's language, that promises nothing but an answer."""

import re
from collections.abc import Mapping
from dataclasses import replace

from agents.checks import allowed, safe_line
from agents.desk.answers import MailAnswers, answered
from agents.desk.booked import with_booking
from agents.desk.invitation import invitation_kind
from agents.desk.reckoning import reckoned
from agents.letters import first_name, gist_of, template_reasons
from workflows.models.drafts import Brief, Draft, DraftedBy
from workflows.ports import Drafting
from workflows.rules.asking import acknowledgement
from workflows.rules.mail.subjects import reply_subject
from workflows.rules.text.canonical import canonical
from workflows.stories import Kind

_LONGEST_SUBJECT = 80
_PLAIN_WISH = 5  # words of "ok, but please decline it"


class TemplateReply:
    """The template agent: fills `Drafting` without asking anybody anything."""

    async def draft(self, brief: Brief, version: int, wishes: str, previous: str) -> Draft:
        """A holding reply; with wishes, the earlier text unchanged and a word on why."""
        return self.holding(brief, wishes, previous)

    def holding(
        self, brief: Brief, wishes: str = "", previous: str = "", why: tuple[str, ...] = (), cost: str = "0"
    ) -> Draft:
        """The same at once. `why`: what the owner should know about there being no model's draft."""
        draft = _answering(brief)
        if brief.invitation and brief.invitation.wished:
            # Accept or decline is a wish that a rule can work in; further words beside it are not.
            further = _reasons(brief, wishes, told=bool(why)) if len(wishes.split()) > _PLAIN_WISH else ()
            return replace(draft, why=(*why, *further), cost=cost)
        if draft.needs_owner and not previous:
            return replace(draft, why=why)
        if previous:
            # No rules can work wishes in; a text the owner has seen, or wrote, is better than a fresh generality.
            draft = replace(draft, body=canonical(previous), needs_owner="", reckoning=(), sources=(), holding=False)
        if wishes:
            draft = replace(draft, gist=gist_of(brief, "wishes"))
        return replace(draft, why=(*why, *_reasons(brief, wishes, told=bool(why))), cost=cost)


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
        draft = with_booking(brief, reckoned(brief, draft))
        return _disclosed(draft, brief.language) if self._disclose and not draft.needs_owner else draft


def _disclosed(draft: Draft, language: str) -> Draft:
    """The draft with the line that says who drafted it, once; it is part of what the owner approves."""
    line = acknowledgement.phrases(language)["disclosure"]
    if line in draft.body:
        return draft
    return replace(draft, body=canonical(f"{draft.body.rstrip()}\n\n{line}"))


def _reasons(brief: Brief, wishes: str, *, told: bool) -> tuple[str, ...]:
    cause = "There is no model's answer" if told else "No model is configured"
    return tuple(template_reasons(brief, "acknowledgements", wishes, f"{cause}, so wishes cannot be worked in"))


_SAID_BEFORE = "they wrote again, a holding reply was proposed in this conversation before, and no fact answers them"


def _answering(brief: Brief) -> Draft:
    """What the facts answer, and on what an answer will come; with nothing to say, that once in a conversation."""
    answers = answered(brief)
    if answers.paragraphs:
        return Draft(
            body=_letter(brief, answers),
            gist=_gist(brief, answers),
            by=DraftedBy.TEMPLATE,
            sources=answers.sources,
            reckoning=answers.reckoning,
        )
    if brief.held_before:
        gist = gist_of(brief, "reply")
        return Draft(body="", gist=gist, by=DraftedBy.TEMPLATE, needs_owner=_SAID_BEFORE, reckoning=answers.reckoning)
    return _holding(brief, answers)


def _gist(brief: Brief, answers: MailAnswers) -> str:
    kind = invitation_kind(brief)
    if kind and kind != "free":
        return gist_of(brief, f"invitation_{kind}")
    return gist_of(brief, "desk", count=_count(answers), all=len(answers.reckoning))


def _count(answers: MailAnswers) -> int:
    return sum(1 for reckoned in answers.reckoning if reckoned.sources)


def _letter(brief: Brief, answers: MailAnswers) -> str:
    name = first_name(brief.sender)
    subject = "" if brief.plain else _namable(brief)
    return acknowledgement.letter(
        brief.language, name, subject, (*answers.paragraphs, answers.open_points), brief.owner_name
    )


def _holding(brief: Brief, answers: MailAnswers) -> Draft:
    # Under a standing yes it repeats none of their words: only such a text may leave without a yes of its own.
    subject = "" if brief.plain else _namable(brief)
    coming = "" if brief.plain else answers.open_points
    body = acknowledgement.compose(brief.language, first_name(brief.sender), subject, brief.owner_name, coming)
    gist = gist_of(brief, "reply")
    return Draft(body=body, gist=gist, by=DraftedBy.TEMPLATE, reckoning=answers.reckoning, holding=True)


def _namable(brief: Brief) -> str:
    """The client's subject as it may stand in a sentence to them; "" when it is empty, long, or carries a link.

    A subject is a stranger's text: repeating its links, addresses or numbers would lend them the owner's name.
    """
    subject = reply_subject(brief.subject).removeprefix("Re:").strip()
    nothing = allowed(Brief(case=brief.case, owner_name=brief.owner_name))
    if not subject or len(subject) > _LONGEST_SUBJECT or re.search(r"[“”„«»{}<>]", subject):
        return ""
    return safe_line(subject, nothing, _LONGEST_SUBJECT)
