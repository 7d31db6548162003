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


def compose(language: str, name: str, subject: str, owner_name: str, files: Iterable[str] = ()) -> str:
    """The whole text. `name`: to greet by, may be empty; `subject`: theirs where it is repeated, "" in a plain one.

    `files`: the names of those that go with it.
    """
    wording = phrases(language)
    greeting = wording["greeting"].replace("{name}", name) if name else wording["neutral"]
    thanks = wording["thanks"].replace("{subject}", subject) if subject else wording["thanks_bare"]
    names = ", ".join(files)
    coming = f"{wording['attached'].replace('{files}', names)} {wording['coming']}" if names else wording["coming"]
    closing = f"{wording['closing']}\n{one_line(owner_name, _LONGEST_OWNER)}"
    return canonical(f"{greeting}\n\n{thanks} {coming}\n\n{closing}")


def is_plain(body: str, owner_name: str, names: Iterable[str]) -> bool:
    """Whether this is exactly a plain acknowledgement of ours, to nobody by name or to one of these names."""
    greeted = ("", *(name for name in names if _NAME.fullmatch(name)))
    return any(body == compose(language, name, "", owner_name) for language in languages() for name in greeted)
