"""Refusals of an endpoint: from its status, code and words to what the owner can do about it.

A server's words decide and are never repeated: they may quote the mail, and errors end up in histories. Each kind has a
mend of its own; a kind that nobody knows fails the question and nothing else.
"""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from agents.door.dialects import ServerFault
from workflows.errors import DeskhandError, NeedsOwner, Permanent, Retryable

_MISSING: Final = 404
_BUSY: Final = 429
_UNPAID: Final = 402
_REFUSED_TOOLS = frozenset({400, 404, 405, 415, 422, 500, 501})
_PASSING = frozenset({408, 409, 425, 429})
_UNUSABLE_CODES = frozenset({"json_validate_failed", "tool_use_failed", "output_parse_failed"})


class ModelFailed(Permanent):
    """The model answered, but not with what was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One answer with an error's status, and where it came from.

    `where`: "The model NAME at URL"; `structured`: the way of asking; `after`: seconds the server wants us to wait.
    """

    fault: ServerFault
    where: str
    structured: str
    after: float = 0.0

    @property
    def status(self) -> int:
        return self.fault.status


def is_unusable_answer(fault: ServerFault) -> bool:
    """Whether the model did answer and the server itself found the answer not to follow the schema."""
    return fault.code in _UNUSABLE_CODES or bool(fault.generation)


def knows_no_tools(fault: ServerFault) -> bool:
    """Whether the server refuses the tools and not the question: it has no tool calls, or not such ones."""
    about_tools = re.search(r"\b(?:tools?|tool[_ ]choice|functions?)\b", fault.words, re.IGNORECASE)
    return fault.status in _REFUSED_TOOLS and about_tools is not None


def wants_other_limit(fault: ServerFault) -> bool:
    """Whether the server knows the limit of an answer under its other name alone."""
    return "max_completion_tokens" in fault.words


def what_to_do(refusal: Refusal) -> DeskhandError:
    """The error that says what to do now."""
    refusal_text = f"{refusal.fault.code} {refusal.fault.words}".lower()
    for applies, pattern, error in _kinds():
        if applies(refusal.status) and pattern.search(refusal_text):
            return error(refusal)
    return _by_status(refusal)


def _by_status(refusal: Refusal) -> DeskhandError:
    status = refusal.status
    if status == _UNPAID:
        return _no_credit(refusal)
    if status in (401, 403):
        return _key(refusal)
    if status == _MISSING or status in range(300, 400):
        return _not_found(refusal)
    if status in _PASSING or status >= 500:  # noqa: PLR2004
        trouble = "is over its rate limit" if status == _BUSY else f"is in trouble ({status})"
        return Retryable(f"{refusal.where} {trouble}.", after=refusal.after)
    code = f", {refusal.fault.code}" if refusal.fault.code else ""
    return ModelFailed(f"{refusal.where} refused the question ({status}{code}).")


# ---------------------------------------------------------------- the kinds


def _refused_by_policy(refusal: Refusal) -> DeskhandError:
    return ModelFailed(f"{refusal.where} refused to answer this mail.")


def _no_credit(refusal: Refusal) -> DeskhandError:
    return NeedsOwner(f"{refusal.where} says the account has no credit left.", "Top it up, or name another model.")


def _key(refusal: Refusal) -> DeskhandError:
    return NeedsOwner(
        f"{refusal.where} refuses the key ({refusal.status}).", "Set model.api_key (or api_key_file) to a valid one."
    )


def _place(refusal: Refusal) -> DeskhandError:
    return NeedsOwner(
        f"{refusal.where} does not serve your country ({refusal.status}).",
        "Name another endpoint in model.base_url, or a model on your own machine.",
    )


def _way_of_asking(refusal: Refusal) -> DeskhandError:
    return NeedsOwner(
        f"{refusal.where} does not take questions by {refusal.structured} ({refusal.status}).",
        'Set model.structured to another way: "function_calling", "json_mode" or "prompt".',
    )


def _too_long(refusal: Refusal) -> DeskhandError:
    return ModelFailed(
        f"{refusal.where} cannot take a question as long as this one ({refusal.status}): its context is too small. "
        "Give it 16,384 tokens (Ollama: OLLAMA_CONTEXT_LENGTH, llama.cpp: -c, LM Studio: context length) or name "
        "another model."
    )


def _short_answers(refusal: Refusal) -> DeskhandError:
    return NeedsOwner(
        f"{refusal.where} cannot write answers of 4,096 tokens ({refusal.status}).", "Name another model in model.name."
    )


def _not_found(refusal: Refusal) -> DeskhandError:
    return NeedsOwner(
        f"{refusal.where} was not found ({refusal.status}).",
        "Check model.base_url (it mostly ends in /v1) and model.name (as the endpoint lists it).",
    )


def _too_big(refusal: Refusal) -> DeskhandError:
    return NeedsOwner(
        f"{refusal.where} cannot be loaded: its machine has too little memory ({refusal.status}).",
        "Name a smaller model in model.name, or give that machine more memory.",
    )


def _refusing(status: int) -> bool:
    return 400 <= status < 500 and status not in _PASSING  # noqa: PLR2004


def _any(status: int) -> bool:
    return status >= 400  # noqa: PLR2004


def _failing(status: int) -> bool:
    return status >= 500  # noqa: PLR2004


_WHEN: dict[str, Callable[[int], bool]] = {"any": _any, "refusing": _refusing, "failing": _failing}
_ERRORS: dict[str, Callable[[Refusal], DeskhandError]] = {
    "no_credit": _no_credit,
    "key": _key,
    "place": _place,
    "policy": _refused_by_policy,
    "structured": _way_of_asking,
    "too_long": _too_long,
    "short_answers": _short_answers,
    "not_found": _not_found,
    "too_big": _too_big,
}


@cache
def _kinds() -> tuple[tuple[Callable[[int], bool], re.Pattern[str], Callable[[Refusal], DeskhandError]], ...]:
    rows = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))["kind"]
    return tuple((_WHEN[row["when"]], re.compile("|".join(row["says"])), _ERRORS[row["name"]]) for row in rows)
