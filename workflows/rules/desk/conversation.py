"""A conversation in order: which mails belong to it, what of each is shown, and how older ones are shortened. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workflows.models.desk import Turn
from workflows.models.mail import Email
from workflows.rules.mail.history import sort_lines
from workflows.rules.mail.replying import new_part
from workflows.rules.text.canonical import one_line

YOU = "you"
QUOTED = "(quoted in the mail at hand, from an earlier one that is not known)"
WHOLE = 3
"""So many of the newest mails are shown whole."""
MOST_TURNS = 30
LONGEST_WHOLE, LONGEST_OLDER, LONGEST_ALL = 6_000, 600, 16_000
_NEARBY = timedelta(days=45)
_MOST_NEARBY = 6
_LEFT_OUT = "[...]"
_NAME = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedMail:
    """One mail that passed between the owner and a client, as it lies in the ledger. `ids`: every Message-ID it had."""

    email: Email
    at: datetime
    by_owner: bool
    source_id: str
    ids: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """The Message-IDs it bears and those it refers to."""
        return frozenset((*self.ids, self.email.message_id, *self.email.parents)) - {""}


def thread_of(at_hand: Sequence[Email], passed: Iterable[PassedMail]) -> tuple[PassedMail, ...]:
    """The mails that hang together with those at hand, oldest first; what left for them lately where none refers."""
    mails = sorted(_each_once(passed), key=lambda mail: (mail.at, mail.source_id))
    names = {name for email in at_hand for name in (email.message_id, *email.parents) if name}
    joined = _joined(mails, names)
    ids = {email.identity for email in at_hand}
    before = [mail for mail in joined if mail.email.identity not in ids]
    if before or not at_hand:
        return tuple(before)
    # A mail that names no parent may answer all the same what was sent last.
    newest = max((mail.at for mail in mails), default=None)
    nearby = [mail for mail in mails if mail.email.identity not in ids and newest and mail.at >= newest - _NEARBY]
    return tuple(nearby[-_MOST_NEARBY:])


def turns(thread: Sequence[PassedMail], known: Iterable[str] = ()) -> tuple[Turn, ...]:
    """Who wrote what when, oldest first: the newest whole, older ones shortened, and never more than the cap in all.

    What a mail quotes is left out where the quoted mail is known (`known`: Message-IDs in the ledger).
    """
    newest = thread[-MOST_TURNS:]
    ids = {*known, *(name for mail in thread for name in (*mail.ids, mail.email.message_id))} - {""}
    texts = [mail.email.text for mail in thread]
    whole = [_turn(mail, ids, texts) for mail in newest]
    limits = [LONGEST_OLDER] * max(len(whole) - WHOLE, 0) + [LONGEST_WHOLE] * WHOLE
    cut = [shortened(turn, limit) for turn, limit in zip(whole, limits[-len(whole) :] if whole else (), strict=True)]
    return _within(cut, LONGEST_ALL)


def quoted_of_unknown(email: Email, known: Iterable[str]) -> str:
    """What a mail quotes of a mail that is not known: without it "we take the second one" says nothing; else ""."""
    parents = email.parents[:1]
    if not parents or parents[0] in set(known):
        return ""
    lines = (line for kind, line in sort_lines(email.text) if kind in {"quote", "older", "head"})
    return "\n".join(line.lstrip("> \t").rstrip() for line in lines).strip()


def quoted_turn(text: str, at: datetime) -> Turn:
    """A mail that is known by its quote alone, as a turn of the conversation."""
    return shortened(Turn(at=at, who=QUOTED, text=text, source_id=""), LONGEST_WHOLE)


def shortened(turn: Turn, limit: int) -> Turn:
    """The beginning and the end of a long text: what it is about stands first, what it asks for last."""
    if len(turn.text) <= limit:
        return turn
    head, tail = limit * 2 // 3, limit // 3
    text = f"{turn.text[:head].rstrip()}\n{_LEFT_OUT}\n{turn.text[-tail:].lstrip()}"
    return replace(turn, text=text, shortened=True)


def _within(cut: Sequence[Turn], limit: int) -> tuple[Turn, ...]:
    """The newest that fit."""
    fitting: list[Turn] = []
    for turn in reversed(cut):
        limit -= len(turn.text)
        if limit < 0 and fitting:
            break
        fitting.append(turn)
    return tuple(reversed(fitting))


def _turn(mail: PassedMail, known: Iterable[str], texts: Iterable[str]) -> Turn:
    sender = mail.email.sender
    who = YOU if mail.by_owner else one_line(sender.name or sender.email, _NAME)
    written = new_part(mail.email.text, [text for text in texts if text != mail.email.text])
    unknown = quoted_of_unknown(mail.email, known)
    text = f"{written}\n[it quotes an earlier mail:]\n{unknown}" if unknown and unknown not in written else written
    return Turn(at=mail.at, who=who, text=text, source_id=mail.source_id)


def _each_once(passed: Iterable[PassedMail]) -> list[PassedMail]:
    """A mail that left through Deskhand lies in Sent as well: it is one."""
    by_identity: dict[str, PassedMail] = {}
    by_id: dict[str, str] = {}
    for mail in passed:
        ids = [name for name in (*mail.ids, mail.email.message_id) if name]
        twin = next((by_id[name] for name in ids if name in by_id), mail.email.identity)
        by_id |= dict.fromkeys(ids, twin)
        by_identity.setdefault(twin, mail)
    return list(by_identity.values())


def _joined(mails: Sequence[PassedMail], names: set[str]) -> list[PassedMail]:
    """Those that any chain of references connects with these names."""
    waiting, thread, names = list(mails), list[PassedMail](), set(names)
    while True:
        near = [mail for mail in waiting if mail.names & names]
        if not near:
            return sorted(thread, key=lambda mail: (mail.at, mail.source_id))
        thread += near
        waiting = [mail for mail in waiting if not mail.names & names]
        names = names.union(*(mail.names for mail in near))
