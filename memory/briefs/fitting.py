"""Which of the owner's standing answers fits which question of a mail: by what both speak of, by words, by meaning."""

from collections.abc import Callable, Sequence

from memory.model.concepts import concept_of
from memory.model.embedding import folded
from workflows.models.desk import ClientQuestion, FittingAnswer, StandingAnswer, Topic
from workflows.rules.desk.questions import plain, subjects_of

MOST = 4
"""Standing answers that a brief may hold."""
_SUBJECT, _KEYWORD, _LABEL, _TEXT, _MEANING = 1.0, 2.0, 1.4, 0.4, 1.0
_ENOUGH = 0.9
"""From here on an answer is taken for the answer to a question."""
_NEAR = 0.45
"""Below it an answer is not even shown to a model."""
_DOUBT = 0.3
_OTHER_LANGUAGE = 0.95
_MEANT = 0.55  # the cosine, in an endpoint's measure, of a question and the text that answers it
_STEM = 5
_NOT_STANDING = frozenset({Topic.MONEY, Topic.STATE})

Embed = Callable[[Sequence[str]], Sequence[Sequence[float]]]


def fitting(
    questions: Sequence[ClientQuestion], answers: Sequence[StandingAnswer], language: str, embed: Embed
) -> tuple[FittingAnswer, ...]:
    """The answers that fit, the best first, each with the questions it answers: one answer at most for a question."""
    if not questions or not answers:
        return ()
    cosines = _cosines(questions, answers, embed)
    scores = {
        (question.text, answer.id): _score(question, answer, language, cosines.get((question.text, answer.id), 0.0))
        for question in questions
        for answer in answers
    }
    taken: dict[str, list[str]] = {}
    for question in questions:
        best = max(answers, key=lambda answer: scores[question.text, answer.id])
        if scores[question.text, best.id] >= _ENOUGH:
            taken.setdefault(best.id, []).append(question.text)
    peaks = {answer.id: max(scores[question.text, answer.id] for question in questions) for answer in answers}
    near = sorted((answer for answer in answers if peaks[answer.id] >= _NEAR), key=lambda one: -peaks[one.id])
    ranked = sorted(near, key=lambda answer: answer.id not in taken)
    return tuple(FittingAnswer(answer=answer, questions=tuple(taken.get(answer.id, ()))) for answer in ranked[:MOST])


def _score(question: ClientQuestion, answer: StandingAnswer, language: str, cosine: float) -> float:
    label = f"{answer.title} {' '.join(answer.keywords)}"
    spoken = plain(question.text)
    languages = dict.fromkeys((language, answer.language or language))
    subjects = frozenset().union(*(subjects_of(question.text, language) for language in languages))
    named = frozenset().union(*(subjects_of(label, one) for one in languages))
    score = _SUBJECT * bool(subjects & named)
    score += _KEYWORD * any(f" {plain(keyword)}" in f" {spoken}" for keyword in answer.keywords if keyword.strip())
    score += _LABEL * _shared(question.text, label) + _TEXT * _shared(question.text, answer.text)
    score += _MEANING * (cosine >= _MEANT)
    if question.topic in _NOT_STANDING:  # the ledger knows better, unless the owner named the very words
        score -= _DOUBT
    return score * (_OTHER_LANGUAGE if answer.language and answer.language != language else 1.0)


def _shared(question: str, text: str) -> float:
    """How much of a question's telling words stands in a text, 0 to 1."""
    words, others = _stems(question), _stems(text)
    return len(words & others) / len(words) if words else 0.0


def _stems(text: str) -> set[str]:
    return {concept_of(word) or word[:_STEM] for word in folded(text) if len(word) > 2 or word.isdigit()}  # noqa: PLR2004


def _cosines(
    questions: Sequence[ClientQuestion], answers: Sequence[StandingAnswer], embed: Embed
) -> dict[tuple[str, str], float]:
    texts = [*(question.text for question in questions), *(f"{answer.title}\n{answer.text}" for answer in answers)]
    vectors = embed(texts)
    if len(vectors) != len(texts):
        return {}
    asking, answering = vectors[: len(questions)], vectors[len(questions) :]
    return {
        (question.text, answer.id): sum(one * other for one, other in zip(own, their, strict=True))
        for question, own in zip(questions, asking, strict=True)
        for answer, their in zip(answers, answering, strict=True)
    }
