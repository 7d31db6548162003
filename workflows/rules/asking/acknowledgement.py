"""Our own acknowledgement of a mail: a holding reply in its language that promises nothing but an answer. Pure.

With a plain one, not a word of the client's stands in it: the only text that a standing yes covers.
"""

import re
from collections.abc import Iterable

from workflows.rules.text.canonical import canonical, one_line
from workflows.rules.text.languages import languages as languages_with
from workflows.rules.text.languages import words_in

_LONGEST_OWNER = 100
_NAME = re.compile(r"[^\W\d_]{2,30}(?:['\u2019-][^\W\d_]{1,30})*")


def languages() -> frozenset[str]:
    """The languages that there is an acknowledgement in."""
    return frozenset(languages_with("acknowledgements"))


def phrases(language: str) -> dict[str, str]:
    """Its sentences in that language, else in English."""
    return words_in(language, "acknowledgements")


def compose(language: str, name: str, subject: str, owner_name: str, coming: str = "") -> str:
    """The whole text. `name`: to greet by, may be empty; `subject`: theirs where it is repeated, "" in a plain one.

    `coming`: on what an answer will come, in a sentence of ours; "" is on the mail as a whole.
    """
    wording = phrases(language)
    return _framed(wording, name, f"{_thanks(wording, subject)} {coming or wording['coming']}", owner_name)


def attached(language: str, names: Iterable[str]) -> str:
    """The sentence that names what goes with a mail."""
    listed = ", ".join(one_line(name, 80) for name in names)
    return phrases(language)["attached"].replace("{files}", listed) if listed else ""


def letter(language: str, name: str, subject: str, paragraphs: Iterable[str], owner_name: str) -> str:
    """A reply that says something: thanks, then these paragraphs, between the same greeting and closing."""
    wording = phrases(language)
    texts = (_thanks(wording, subject), *paragraphs)
    return _framed(wording, name, "\n\n".join(text for text in texts if text), owner_name)


def _thanks(wording: dict[str, str], subject: str) -> str:
    return wording["thanks"].replace("{subject}", subject) if subject else wording["thanks_bare"]


def _framed(wording: dict[str, str], name: str, text: str, owner_name: str) -> str:
    greeting = wording["greeting"].replace("{name}", name) if name else wording["neutral"]
    closing = f"{wording['closing']}\n{one_line(owner_name, _LONGEST_OWNER)}"
    return canonical(f"{greeting}\n\n{text}\n\n{closing}")


def is_plain(body: str, owner_name: str, names: Iterable[str]) -> bool:
    """Whether this is exactly a plain acknowledgement of ours, to nobody by name or to one of these names."""
    greeted = ("", *(name for name in names if _NAME.fullmatch(name)))
    return any(body == compose(language, name, "", owner_name) for language in languages() for name in greeted)
