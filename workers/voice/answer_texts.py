"""Answer texts: what the owner is told about an answer of his that was not used, in his language."""

from collections.abc import Sequence

from workflows.models.people import Owner
from workflows.rules.text.languages import filled, words_in


def not_used(case: int, reason: str, held: str, owner: Owner) -> tuple[str, str]:
    """Subject and text of the notice that an answer could not be used. `held`: as `held_words` says it."""
    words = words_in(owner.language, "answering")
    text = filled(words["not_used_text"], reason=reason, held=held, number=case or words["number"])
    return not_used_subject(case, owner), text


def not_used_subject(case: int, owner: Owner) -> str:
    """Such as: Case 41: your answer could not be used."""
    words = words_in(owner.language, "answering")
    return filled(words["not_used_case"], case=case) if case else str(words["not_used"])


def changed_nothing(case: int, owner: Owner) -> str:
    """The subject of the notice that an answer came to a case where it changes nothing."""
    return filled(words_in(owner.language, "answering")["changed_nothing"], case=case)


def held_words(cases: Sequence[int], owner: Owner) -> str:
    """That an answer without proof holds these cases all the same: it took a yes back, and only an answer goes on."""
    if not cases:
        return ""
    words = words_in(owner.language, "answering")
    return filled(words["held_one" if len(cases) == 1 else "held_many"], cases=", ".join(map(str, cases)))
