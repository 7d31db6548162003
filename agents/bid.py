"""The bid: the post's own questions answered, the past work that fits, a price by arithmetic, and no claim of its own.

Code puts the bid together and computes what it costs. A model fills text slots; what it says of the owner must stand in
the profile or the past work, else it is asked once more, and then the owner is: a claim without a source blocks.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from agents.bid_text import (
    NOTHING,
    QUESTION,
    BidWords,
    ComposedBid,
    ScreeningAnswer,
    about_fact,
    bid_language,
    bid_phrases,
    bid_templates,
    compose,
    joined_lines,
    questions_of,
)
from agents.checks import DraftFault, bare, faults, language_name, safe_line
from agents.forms import Form, Task, boundary, item, looked_up, wanted
from agents.letters import as_why, gist_of, template_reasons
from agents.lookup.reference import Reference
from agents.model import Message, Model
from agents.prompting import prompt
from agents.writing import Filled, Writing
from workflows.models.drafts import Brief, Draft, DraftedBy, Source
from workflows.rules.leads.claims import OWN_KINDS, Claim, claims, is_claim
from workflows.rules.leads.skills import names_any
from workflows.rules.text.canonical import canonical, defused, one_line, visible
from workflows.rules.text.language import language_of, small_words
from workflows.rules.text.words import fold, phrases, table

_GIST, _TITLE, _REASON = 60, 80, 300
_MOST_FACTS, _MOST_TOLD = 2, 8
_PARTS = {"opening": 500, "fit": 700, "plan": 900}
_ANSWER = 700
_WORDS = {"wishes": "your words", "earlier": "the text before"}
"""Sources that are no row of memory: what the owner said of this draft, and the text he said it of."""


class TemplateBid:
    """The bid without a model: fills `Drafting` without asking anybody anything."""

    async def draft(self, brief: Brief, version: int, wishes: str, previous: str) -> Draft:
        """A bid of the items that fit; wishes cannot be worked in, and the draft says so."""
        return self.plain(brief, wishes, previous)

    def plain(
        self, brief: Brief, wishes: str = "", previous: str = "", why: tuple[str, ...] = (), cost: str = "0"
    ) -> Draft:
        """The same at once. `why`: what the owner should know about there being no model's words."""
        if brief.lead is None:
            return Draft(body="", gist="There is no post.", needs_owner="the post of this case is not kept any more")
        words, sources = _template_words(brief)
        bid = compose(brief, words, wishes, sources)
        reasons = (*why, *template_reasons(brief, "bid", wishes))
        if wishes and previous:  # a text the owner has seen, or wrote, is better than the same bid once more
            gist, by = gist_of(brief, "wishes"), DraftedBy.TEMPLATE
            return Draft(body=canonical(previous), gist=gist, why=reasons, cost=cost, by=by)
        return _finished(brief, bid, wishes, previous, why=reasons, cost=cost)


class BidAgent:
    """The bid by a language model; without a usable answer of it, by the template."""

    def __init__(self, model: Model, templates: TemplateBid, reference: Reference | None = None) -> None:
        self._model, self._templates = model, templates
        self._writing = Writing(model, Form(shape=BidWords, messages=_messages, check=check), reference)

    async def draft(self, brief: Brief, version: int, wishes: str, previous: str) -> Draft:
        """A checked bid; `needs_owner` names the claim that no source bears out.

        Raises:
            Retryable: the model's endpoint is away or busy; the calls already answered are not paid again.
            NeedsOwner: the endpoint refuses the key, the name or the way of asking.
        """
        if brief.lead is None:
            return self._templates.plain(brief)
        filled = await self._writing.fill(Task(brief=brief, version=version, wishes=wishes, previous=previous))
        cost = self._model.cost(brief.case, version)
        reasons = as_why((*filled.why, *self._spent(brief, version)))
        if filled.slots is None:
            if blocked := _blocking(filled):
                return Draft(body="", gist="A claim has no source.", why=reasons, cost=cost, needs_owner=blocked)
            return self._templates.plain(brief, wishes, previous, why=reasons, cost=cost)
        bid = compose(brief, filled.slots, wishes)
        return _finished(brief, bid, wishes, previous, model=self._model.name, why=reasons, cost=cost)

    def _spent(self, brief: Brief, version: int) -> Iterator[str]:
        """What reading up on the author has cost, said once: it belongs to no version."""
        spent = self._model.cost(brief.case, 0)
        if version == 1 and spent != "0":
            yield f"reading up on its author cost {spent}"


def _blocking(filled: Filled[BidWords]) -> str:
    """The claim for which there is no source, in the words of the check; "" when something else was wrong as well."""
    hard = [fault for fault in filled.faults if fault.hard]
    if any(fault.rule != "claim" for fault in hard):
        return ""
    return next((one_line(fault.what, _REASON).rstrip(".") for fault in hard), "")


def _finished(  # noqa: PLR0913 - what a draft is made of
    brief: Brief, bid: ComposedBid, wishes: str, previous: str, *, why: tuple[str, ...], cost: str, model: str = ""
) -> Draft:
    owner_claims = _claims(brief, bid, wishes, previous)
    used = [name for claim in owner_claims for name in claim.sources] + [source.id for source in bid.made]
    blocked = next((_unsupported(claim) for claim in owner_claims if not claim.supported), "")
    return Draft(
        body=canonical(bid.body),
        gist=_gist(brief, bid),
        model=model,
        by=DraftedBy.MODEL if model else DraftedBy.TEMPLATE,
        why=(*why, *_told(bid, owner_claims)),
        sources=tuple(dict.fromkeys(name for name in used if name not in _WORDS)),
        cost=cost,
        needs_owner=one_line(blocked, _REASON).rstrip("."),
    )


# ---------------------------------------------------------------- without a model


def _template_words(brief: Brief) -> tuple[BidWords, list[Source]]:
    """The words of a bid without a model, and the sentences among them that rest on a source."""
    wording, lead = bid_phrases(brief), brief.lead
    title = safe_line(lead.title, NOTHING, _TITLE) if lead and len(lead.title) <= _TITLE else ""
    opening = wording["opening"].replace("{title}", title)
    # A title that holds an amount or speaks in the first person would be the owner's own word in this sentence.
    fits = title and not re.search(r"[“”„«»{}<>]", title) and not is_claim(opening, brief.owner_name)
    answers = {number: _answer(brief, question) for number, question in questions_of(brief)}
    facts = _fitting_facts(brief)
    words = BidWords(
        opening=opening if fits else wording["opening_bare"],
        answers=[ScreeningAnswer(question=number, text=joined_lines(sources)) for number, sources in answers.items()],
        fit=joined_lines(facts),
        plan="",
    )
    return words, [source for sources in (*answers.values(), facts) for source in sources if source.id]


def _answer(brief: Brief, question: str) -> list[Source]:
    """What the profile answers to a question of the post, a sentence each; [] when it does not."""
    folded, wording, topic = fold(question), bid_phrases(brief), about_fact(question)
    quotes = {source.id: source.quote for source in brief.profile}
    if topic == "languages" and "profile:languages" in quotes:
        line = wording["languages"].replace("{languages}", quotes["profile:languages"])
        return [Source(id="profile:languages", kind="owner", quote=line)]
    skills = [skill for skill in quotes.get("profile:skills", "").split(", ") if skill and names_any(folded, skill)]
    counted = phrases(bid_templates()["counts"]["phrases"]).search(folded)  # "how many years" is not answered by a name
    answers = []
    if skills and not counted:
        line = wording["skills"].replace("{skills}", ", ".join(skills))
        answers.append(Source(id="profile:skills", kind="owner", quote=line))
    works = [source for source in brief.profile if source.kind == "work"]
    # "Experience with X?" is answered by work that has to do with X, "similar work?" by whatever fits best.
    near = any(_stems(question) & _stems(source.quote) for source in works)
    if not counted and (works if topic == "work" else topic == "experience" and near):
        answers.append(Source(id="", kind="owner", quote=wording["see_work"]))
    return answers


def _fitting_facts(brief: Brief) -> list[Source]:
    """The owner's own sentences that share a word with the post and are in the language of the bid."""
    post_stems = _stems(f"{brief.subject} {brief.message}")
    facts = [source for source in brief.profile if source.id.startswith("profile:fact")]
    fits = [
        Source(id=fact.id, kind="owner", quote=f"{fact.quote.rstrip('.')}.")
        for fact in facts
        if _stems(fact.quote) & post_stems and (language_of(fact.quote) or "en") == bid_language(brief)
    ]
    return fits[:_MOST_FACTS]


def _stems(text: str) -> set[str]:
    words = re.findall(r"[^\W\d_][\w+#-]{3,}", fold(text[:20_000]))
    return {word[:6] for word in words if word not in small_words()}


# ---------------------------------------------------------------- the model's words


def _messages(task: Task) -> Sequence[Message]:
    brief = task.brief
    system = prompt(
        "bid",
        boundary=boundary(task),
        owner=one_line(brief.owner_name, 100),
        language=language_name(bid_language(brief)),
    )
    company = one_line(brief.lead.company, 200) if brief.lead else ""
    head = "\n".join(part for part in (one_line(brief.subject, _REASON), company) if part)
    items = [item(task, "the post", f"{head}\n\n{brief.message}")]
    if questions := [f"{number}. {question}" for number, question in questions_of(brief)]:
        items.append(item(task, "its questions", "\n".join(questions)))
    for label, sources in (
        (f"notes about {one_line(brief.owner_name, 100)}", brief.profile),
        ("what was found out about its author", brief.facts),
        ("notes from earlier mail", brief.sources),
    ):
        if sources:
            items.append(item(task, label, "\n".join(one_line(source.quote, _REASON * 2) for source in sources)))
    return [("system", system), ("user", "\n\n".join([*items, *looked_up(task), *wanted(task)]))]


def check(words: BidWords, task: Task) -> Sequence[DraftFault]:
    """What is wrong with a model's words: prices and claims of its own, and what no draft may hold."""
    if too_long := tuple(_too_long(words)):  # nothing else of it is looked at: that takes its time
        return too_long
    brief = task.brief
    bid = compose(brief, words, task.wishes)
    problems = [*_parts(words, brief, task.wishes)]
    owner_claims = _claims(brief, bid, task.wishes, task.previous)
    problems += [DraftFault("claim", _unsupported(claim)) for claim in owner_claims if not claim.supported]
    problems += faults(bid.body, _known(task.ground, bid), task.wishes, task.previous)
    return tuple(sorted(dict.fromkeys(problems), key=lambda fault: not fault.hard))


def _parts(words: BidWords, brief: Brief, wishes: str) -> Iterator[DraftFault]:
    texts = [words.opening, words.fit, words.plan, *(answer.text for answer in words.answers)]
    yield from _form(words)
    if any(defused(visible(text)) != visible(text) for text in texts):
        yield DraftFault("marker", "A line looks like one of the lines Deskhand draws around a draft.")
    for amount in (match for text in texts for match in _money().finditer(fold(text))):
        if amount.group() not in fold(wishes):
            yield DraftFault(
                "price", f'"{one_line(amount.group(), _GIST)}" is an amount of money: the price is not yours.'
            )
    answered = {answer.question for answer in words.answers if answer.text.strip()}
    for number, question in questions_of(brief):
        if number not in answered and about_fact(question) not in {"price", "hours"}:
            yield DraftFault(
                "open", f'Question {number} is not answered: "{one_line(question, QUESTION)}".', hard=False
            )


def _form(words: BidWords) -> Iterator[DraftFault]:
    if not words.opening.strip():
        yield DraftFault("length", "The opening is empty.")


def _too_long(words: BidWords) -> Iterator[DraftFault]:
    for name, most in _PARTS.items():
        if len(getattr(words, name)) > most:
            yield DraftFault("length", f"The part {name} has {len(getattr(words, name))} characters: more than {most}.")
    for answer in words.answers:
        if len(answer.text) > _ANSWER:
            yield DraftFault(
                "length", f"Answer {answer.question} has {len(answer.text)} characters: more than {_ANSWER}."
            )


def _known(brief: Brief, bid: ComposedBid) -> Brief:
    """What a bid may repeat: a stranger's post bears out figures and names, never a link or an address."""
    post = Source(id="post", kind="post", quote=bare(f"{brief.subject}\n{brief.message}"))
    return Brief(
        case=brief.case,
        kind=brief.kind,
        sender=brief.sender,
        language=bid_language(brief),
        sources=(post, *brief.facts, *brief.sources),
        profile=(*brief.profile, *bid.made),
        owner_name=brief.owner_name,
        received_at=brief.received_at,
    )


@cache
def _money() -> re.Pattern[str]:
    return re.compile(table("claims")["money"]["amount"])


# ---------------------------------------------------------------- claims, and what the owner is told


def _claims(brief: Brief, bid: ComposedBid, wishes: str, previous: str) -> list[Claim]:
    """What a bid says of the owner. Who may speak for him: profile, past work, own mails, code's lines, his wishes."""
    owner_sources = [source for source in (*brief.profile, *brief.sources) if source.kind in OWN_KINDS]
    owner_sources += [Source(id=source.id, kind="owner", quote=source.quote) for source in bid.made]
    owner_sources += [
        Source(id=name, kind="owner", quote=text) for name, text in zip(_WORDS, (wishes, previous), strict=True) if text
    ]
    return [claim for claim in claims(bid.body, owner_sources, brief.owner_name) if claim.sentence not in bid.fixed]


def _unsupported(claim: Claim) -> str:
    missing = ", ".join(claim.missing[:5])
    return (
        f'The draft says "{one_line(claim.sentence, 140)}", which nothing in your profile bears out ({missing}). '
        'Add it to profile.facts, or answer "edit" and your own text'
    )


def _told(bid: ComposedBid, found: Iterable[Claim]) -> Iterator[str]:
    if bid.asked:
        yield f"answers {bid.asked - len(bid.open)} of {bid.asked} questions of the post"
    for question in bid.open:
        yield f'not answered: "{one_line(question, QUESTION)}"'
    if not bid.price:
        yield "no price: profile.rate is empty"
    borne = [claim for claim in found if claim.supported]
    for claim in borne[:_MOST_TOLD]:
        names = ", ".join(_WORDS.get(name, name) for name in claim.sources)
        yield f'"{one_line(claim.sentence, 100)}" rests on {names}'
    if len(borne) > _MOST_TOLD:
        yield f"{len(borne) - _MOST_TOLD} more claims rest on the sources below"


def _gist(brief: Brief, bid: ComposedBid) -> str:
    offer = gist_of(brief, "bid", price=bid.price) if bid.price else gist_of(brief, "bid_without")
    answered = bid.asked - len(bid.open)
    return gist_of(brief, "answers", bid=offer, count=answered, all=bid.asked) if bid.asked else offer
