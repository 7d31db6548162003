"""Which of the client's questions a draft answers, and from what: at most three lines of an approval mail. Pure."""

from collections.abc import Iterator, Sequence

from workflows.models.desk import Reckoned, Topic
from workflows.models.drafts import Draft
from workflows.rules.text.canonical import one_line

_LINE = 300
_QUOTE = 60
_MOST = 8
_NAMES = {
    Topic.TIME: "the date",
    Topic.MONEY: "the payment",
    Topic.STATE: "the progress",
    Topic.FILE: "the document",
    Topic.PRICE: "the price",
}


def account_lines(draft: Draft) -> Iterator[str]:
    """`Answers: 2 of 3; open: the price`, and below it which source answers which. Nothing where nothing was asked."""
    if not draft.reckoning:
        return
    answered = [one for one in draft.reckoning if one.sources]
    missing = [one for one in draft.reckoning if not one.sources]
    # The label is the same in every language, as "To:" is: scripts look for it.
    head = f"Answers: {len(answered)} of {len(draft.reckoning)}"
    yield one_line(f"{head}; open: {', '.join(_names(missing))}" if missing else head, _LINE)
    if answered:
        pairs = dict.fromkeys(f"{_name(one)} ({', '.join(map(one_line, one.sources))})" for one in answered)
        yield one_line(f"Answered from: {', '.join(pairs)}", _LINE)


def _names(reckoning: Sequence[Reckoned]) -> list[str]:
    return list(dict.fromkeys(map(_name, reckoning)))[:_MOST]


def _name(reckoned: Reckoned) -> str:
    """A known matter by its name, any other in the client's own words."""
    question = reckoned.question
    return _NAMES.get(question.topic) or f'"{one_line(question.text, _QUOTE)}"'
