"""Parts of a draft in an answer: "attach brief.pdf" and "ok, without booking". Pure and total.

What is read here are the owner's words; which files and proposals they mean is known where those are (`struck_names`).
"""

import re

from workflows.models.decisions import Approve, Attach, Decision, Without
from workflows.models.drafts import Outgoing
from workflows.rules.answers.grammar import Grammar, bare, head
from workflows.rules.asking.proposed import BOOK
from workflows.rules.files.asked_files import meant_by
from workflows.rules.text.words import table

_LONGEST = 300  # characters of a line that names parts
_FILE = re.compile(r"\.\w{2,5}$")


def attaching(line: str, grammar: Grammar) -> Attach | None:
    """`attach brief.pdf`, `brief.pdf anhängen`: the words that name the files."""
    if len(line) > _LONGEST or "?" in line:
        return None
    match = head(line, grammar.attach)
    if match:
        words = _without_ends(match[2].lstrip(" :"), grammar)
        return Attach(words=words) if words else None
    words = _without_ends(line, grammar)
    # A verb at the end belongs to a name at the beginning; any other line is a wish ("bitte anhängen, was fehlt").
    return Attach(words=words) if words != line and _FILE.search(words) and " " not in words else None


def leaving_out(line: str, grammar: Grammar, decides: Decision | None) -> Without | None:
    """`ok, without booking`; `decides`: what the words before "without" mean by themselves, None for no words."""
    match = _without(line, grammar)
    if match is None or not isinstance(decides, Approve | None):
        return None
    return Without(words=line, parts=match[1], send=isinstance(decides, Approve))


def before_without(line: str, grammar: Grammar) -> str | None:
    """What stands before "without", None where there is no such word."""
    match = _without(line, grammar)
    return None if match is None else match[0]


def _without(line: str, grammar: Grammar) -> tuple[str, str] | None:
    """What stands before and behind the word."""
    if len(line) > _LONGEST or "?" in line:
        return None
    tokens = line.split()
    for at in range(len(tokens)):
        for word in grammar.without:
            length = len(word.split())
            if bare(" ".join(tokens[at : at + length])) == word and at + length < len(tokens):
                return " ".join(tokens[:at]).rstrip(" ,;:-\u2013\u2014"), " ".join(tokens[at + length :])
    return None


def _without_ends(words: str, grammar: Grammar) -> str:
    """The words without what a verb leaves at the end of a line ("hänge brief.pdf an")."""
    tokens = words.strip(" .!").split()
    while tokens and bare(tokens[-1]) in grammar.attach_ends | grammar.attach:
        tokens.pop()
    return " ".join(tokens).strip(" ,.!;:")


def pieces(words: str) -> tuple[str, ...]:
    """The single things that are named: "brief.pdf and the booking"."""
    joining = "|".join(re.escape(word) for word in table("plain_answers")["common"]["and"])
    parts = re.split(rf"[,;&+]|(?<!\w)(?:{joining})(?!\w)", words, flags=re.IGNORECASE)
    return tuple(part.strip(" .!\"'") for part in parts if part.strip(" .!\"'"))


def struck_names(words: str, outgoing: Outgoing, grammar: Grammar) -> tuple[str, ...]:
    """The names of files and keys of proposals that the words mean; () unless every piece of them means some."""
    names: dict[str, None] = {}
    for piece in pieces(words):
        meant = _meant(bare(piece), piece, outgoing, grammar)
        if not meant:
            return ()
        names.update(dict.fromkeys(meant))
    return tuple(names)


def _meant(plain: str, piece: str, outgoing: Outgoing, grammar: Grammar) -> tuple[str, ...]:
    files = [file.name for file in outgoing.attachments]
    if plain in grammar.a_file:
        return tuple(files)
    answers = [file.name for file in outgoing.attachments if file.answers_invitation]
    if answers and plain in grammar.an_invitation:
        return tuple(answers)
    for proposal in outgoing.proposals:
        by_kind = proposal.tool == BOOK and plain in grammar.a_booking
        if by_kind or plain in {bare(proposal.key), bare(proposal.tool)}:
            return (proposal.key,)
    named = meant_by(piece, files)
    return named if len(named) == 1 else ()
