"""A freelancer's month: two mail programs, Sent after INBOX, people who write at night, and days that are skipped.

`bench/_diary.py` says what happens and what must be true after each answer; here it is played on the service itself.
A clear answer counts as carried out only at the first try. After a failure she tries once more, as people do.
"""

import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bench._days import Days, Left, Told, days
from bench._diary import OWNER, STRETCH, STRETCHES, Line, month
from bench._figures import Figure, at_least, at_most, stated
from bench._owner import Verdict, Yes
from bench._play import Play

BERLIN = ZoneInfo("Europe/Berlin")
FIRST = date(2035, 6, 4)
"""A Monday far ahead, since the server only skips forward, in weeks without a holiday."""
SETTINGS = {
    "owner": {"language": "de", "country": "DE"},
    "approval": {"grace": "60s", "most_waiting": 5},
}


async def run(full: bool) -> AsyncIterator[Figure]:
    """`month.clear`, `.silent`, `.unapproved`, `.doubled`, `.texts`, `.needless`, `.sorted`, `.mails`: 20 or 4 days."""
    stretches = STRETCHES if full else 1
    play = await played(month(stretches))
    for figure in figures(play, stretches * STRETCH):
        yield figure


async def played(lines: Sequence[Line]) -> Play:
    """These lines of the diary, on a house of their own that begins before the first."""
    async with days(_moment(0, "06:00"), OWNER, **SETTINGS) as house:
        play = Play(house=house)
        await play.moves_in()
        for line in lines:
            await house.until(_moment(line.day, line.hour))
            await play.happens(line, [each for each in lines if each.key == line.key])
        await house.until(_moment(lines[-1].day, "23:00"))
    for fault in play.faults:
        print(fault, file=sys.stderr, flush=True)
    return play


def _moment(day: int, hour: str) -> datetime:
    return datetime.combine(FIRST + timedelta(days=day), time.fromisoformat(hour), BERLIN)


# ---------------------------------------------------------------- the figures


def figures(play: Play, skipped: int) -> list[Figure]:
    """What the month came to. `skipped`: days that passed in it."""
    verdicts = play.verdicts
    clear = [verdict for verdict in verdicts if verdict.clear]
    carried = sum(not verdict.fault for verdict in clear)
    silent = [verdict for verdict in verdicts if verdict.silent]
    matched = match(play.house.left, play.yeses)
    asked_back = [verdict for verdict in verdicts if not verdict.clear]
    return [
        at_least("month.clear", carried / len(clear), 1.0, clear=len(clear), faults=_faults(clear)),
        at_most("month.silent", len(silent), 0, answers=len(verdicts), faults=_faults(silent)),
        at_most(
            "month.asked", sum(bool(one.fault) for one in asked_back), 0, unclear=len(asked_back),
            faults=_faults(asked_back),
        ),
        at_most("month.unapproved", matched.unapproved, 0, mails=len(play.house.left)),
        at_most("month.doubled", matched.doubled, 0),
        at_most("month.texts", matched.differing, 0, never_left=matched.never_left),
        at_most("month.needless", len(needless(play.house.told, verdicts)), 0),
        at_most("month.sorted", len(play.missorted), 0, mails=play.received, faults=play.missorted),
        _mails_a_day(play.house, skipped),
    ]  # fmt: skip


def _faults(verdicts: Sequence[Verdict]) -> list[str]:
    return [verdict.fault for verdict in verdicts if verdict.fault]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """What left, held against what she said yes to."""

    unapproved: int = 0
    doubled: int = 0
    differing: int = 0
    never_left: int = 0


def match(left: Sequence[Left], yeses: Sequence[Yes]) -> Matched:
    """Each mail against one yes: the same text to the same person; what is left over has no yes, or a second mail."""
    waiting, used, count = list(yeses), [], Counter[str]()
    for mail in sorted(left, key=lambda one: one.at):
        same = [yes for yes in waiting if (yes.address, yes.body) == (mail.address, mail.body)]
        near = [yes for yes in waiting if yes.address == mail.address]
        if same or near:
            count["differing"] += not same
            used.append((same or near)[0])
            waiting.remove((same or near)[0])
        elif any((yes.address, yes.body) == (mail.address, mail.body) for yes in used):
            count["doubled"] += 1
        else:
            count["unapproved"] += 1
    return Matched(
        unapproved=count["unapproved"], doubled=count["doubled"], differing=count["differing"],
        never_left=len(waiting),
    )  # fmt: skip


def needless(told: Sequence[Told], verdicts: Sequence[Verdict]) -> list[Told]:
    """Notices about cases in which every answer was carried out without a word being due: success is silent."""
    troubled = {verdict.case for verdict in verdicts if verdict.fault or verdict.needs_word}
    plain = {str(verdict.case) for verdict in verdicts if verdict.case not in troubled}
    return [one for one in told if one.about in plain]


def _mails_a_day(house: Days, skipped: int) -> Figure:
    """Mails to the owner a day: what a month with Deskhand costs her."""
    by_day = Counter(told.at.astimezone(BERLIN).date() for told in house.told)
    kinds = Counter(
        "of_several_cases" if told.shows_many else "questions" if told.asks else "notices" for told in house.told
    )
    return stated(
        "month.mails", len(house.told) / skipped, most=max(by_day.values(), default=0), days_skipped=skipped,
        **kinds,
    )  # fmt: skip
