"""Gists: what a draft says, for the owner, in the first line of the approval mail and in the owner's language. Pure."""

from workflows.models.drafts import Brief
from workflows.rules.text.canonical import one_line
from workflows.rules.text.languages import filled, words_in

LONGEST = 60


def gist_of(brief: Brief, kind: str, **values: object) -> str:
    """The gist of that kind; one that has no sentence of its own (the tone of a ladder) is a plain reminder."""
    sentences = words_in(brief.owner_language, "gist")
    return one_line(filled(sentences.get(kind, sentences["plain"]), **values), LONGEST)
