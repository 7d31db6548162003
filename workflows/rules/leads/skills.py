"""Names of skills as people write them: "PostgreSQL" is "postgres", and "C" is not in "CSS"."""

import re

from workflows.rules.text.words import fold, table

_LONGEST = 100


def names(folded: str, skill: str) -> bool:
    """Whether a folded text names it as a word of its own ("c" is not in "css", and "c++" may end in a sign)."""
    word = re.escape(fold(skill[:_LONGEST]))
    return bool(word and re.search(rf"(?<![\w+#]){word}(?![\w+#])", folded))


def names_any(folded: str, skill: str) -> bool:
    """Whether a folded text names it, by any of its names."""
    return any(names(folded, name) for name in called(skill))


def alike(one: str, other: str) -> bool:
    """Whether two names of skills mean the same, or the one is a part of the other ("Python 3" is "python")."""
    return names_any(fold(one[:_LONGEST]), other) or names_any(fold(other[:_LONGEST]), one)


def called(skill: str) -> tuple[str, ...]:
    """All the names of a skill, folded."""
    plain = fold(skill[:_LONGEST])
    return next((tuple(row) for row in table("factors")["same_skills"] if plain in row), (plain,))
