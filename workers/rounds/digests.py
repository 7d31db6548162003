"""Many cases in one mail, at the owner's hours: digests of what is new, reminders of what waits, what has expired.

What is due is computed from the ledger alone, and what a mail shows is kept there before it leaves: a round that was
cut short is made again and finds the same. The cases themselves wait in Temporal; nothing here wakes them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Literal

import structlog

from memory.desk.digests import Expired, Kind, WaitingCase
from memory.ledger import Ledger
from tools.mail.desk import MailDesk
from workflows.errors import DeskhandError, Permanent
from workflows.models.case import CaseState
from workflows.models.people import Owner
from workflows.ports import Clock
from workflows.rules.asking import digest
from workflows.rules.text import calendar
from workflows.rules.text.canonical import one_line
from workflows.stories import facts_of

log = structlog.get_logger()
_DAYS_BACK = 8
"""How far back a moment is looked for that the service slept through: one late round is made, not many."""
READY_WITHIN = timedelta(minutes=5)
"""How long a digest waits for what is still being drafted: a model that is away must not keep it back."""
LOOK = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """One round does whatever is due; `next_due` says when the next one is."""

    ledger: Ledger
    desk: MailDesk
    owner: Owner
    clock: Clock
    mode: Literal["each", "digest", "both"]
    digest_at: Sequence[time]
    nudge_at: time
    nudge_after: timedelta
    before_digest: Callable[[], Awaitable[None]] | None = None  # looks for what is due on this day
    making: dict[str, datetime] = field(default_factory=dict)  # the moment whose digest is being got ready, since when

    async def round(self) -> None:
        """Everything that is due; what does not work is tried again in the next round."""
        await asyncio.to_thread(self.ledger.observe_absence)
        for doing in (self._digests, self._nudges, self._post, self._tell_expired, self.desk.tell_kept):
            await _guarded(doing)

    def next_due(self) -> datetime:
        """The next moment of a digest or a reminder."""
        now = self.clock.now()
        moments = [self._after(now, self.digest_at), self._after(now, (self.nudge_at,))]
        return min([*moments, now + LOOK] if self.making else moments)

    # ------------------------------------------------------------ digests and reminders

    async def _digests(self) -> None:
        """What waits and was not shown yet; in mode "both" also what was asked in a mail of its own."""
        slot = await self._due("digest", self.digest_at)
        if slot is not None and await self._is_ready(slot):
            await self._open("digest", slot, lambda one: not one.in_digest and self._is_for_digest(one))
            self.making.clear()

    async def _is_ready(self, slot: datetime) -> bool:
        """Whether what is due on this day was looked for and drafted: it belongs into this digest, not after it."""
        since = self.making.get(slot.isoformat())
        if since is None:
            self.making.clear()
            since = self.making[slot.isoformat()] = self.clock.now()
            if self.before_digest is not None:
                await self.before_digest()
        return self.clock.now() >= since + READY_WITHIN or not await asyncio.to_thread(self.ledger.is_making)

    def _is_for_digest(self, one: WaitingCase) -> bool:
        if one.state.hold:  # asked at once, unless too many mails went out in that hour
            return not one.asked and not one.nudged
        asked_alone = one.asked and self.mode != "both"
        return not asked_alone and not one.nudged and bool(one.state.version)

    async def _nudges(self) -> None:
        """What was shown and has waited long enough, each once per round of its version; never while away."""
        if await asyncio.to_thread(self.ledger.is_away):
            return
        slot = await self._due("nudge", (self.nudge_at,))
        if slot is not None:
            await self._open("nudge", slot, self._is_nudged_now)

    def _is_nudged_now(self, one: WaitingCase) -> bool:
        asked_at = one.state.asked_at
        if one.nudged or asked_at is None or not (one.asked or one.in_digest):
            return False
        waited = self.clock.now() - asked_at - self.ledger.absent_since(asked_at)
        return waited >= self.nudge_after

    async def _due(self, kind: Kind, times: Sequence[time]) -> datetime | None:
        """The latest of these times of the day, unless its mails were made."""
        last = await asyncio.to_thread(self.ledger.last_slot, kind)
        slot = self._latest(self.clock.now(), times)
        return slot if slot is not None and slot > last else None

    async def _open(self, kind: Kind, slot: datetime, fits: Callable[[WaitingCase], bool]) -> None:
        """Keep which mails of that kind are to leave at this moment and what they show."""
        states = await asyncio.to_thread(self._that_fit, fits)
        items = await asyncio.to_thread(self.desk.items, states)
        by_case = {state.case: state for state in states}
        # One that is too large for any such mail was asked in a mail of its own and is left out.
        chosen = [item for item in items if digest.fits(item, self.owner)]
        batches = [[by_case[item.case] for item in batch] for batch in digest.batches(chosen, self.owner)]
        await asyncio.to_thread(self.ledger.open_digests, kind, batches, slot)

    def _that_fit(self, fits: Callable[[WaitingCase], bool]) -> list[CaseState]:
        return [waiting.state for waiting in self.ledger.waiting() if fits(waiting)]

    async def _post(self) -> None:
        """Send what was kept and has not left: each shows the cases as they are when it is composed."""
        for number, kind in await asyncio.to_thread(self.ledger.unposted_digests):
            try:
                states = await asyncio.to_thread(self._states, number)
                await self.desk.show(number, "nudge" if kind == "nudge" else "digest", states)
            except Permanent:
                log.exception("a digest cannot be sent", digest=number)

    def _states(self, number: int) -> list[CaseState]:
        """The cases of a digest as its rows have them: a version that is newer by now is not shown under an old row."""
        rows = self.ledger.digest_items(number)
        pairs = ((row, self.ledger.case(row.case)) for row in rows)
        return [self.ledger.as_shown(state, row) for row, state in pairs]

    # ------------------------------------------------------------ what expired

    async def _tell_expired(self) -> None:
        """All of a day in one mail: when nothing else can still expire today."""
        expired = await asyncio.to_thread(self.ledger.untold_expired)
        if not expired or await asyncio.to_thread(self._more_expire_today):
            return
        number = f"{len(expired)} cases" if len(expired) > 1 else f"Case {expired[0].case}"
        await self.desk.tell(
            f"expired:{','.join(str(expiry.case) for expiry in expired)}",
            f"{number} expired: nothing was sent",
            "There was no answer in time, so nothing was sent."
            + _listed(
                "These people may still wait for you:",
                [expiry for expiry in expired if facts_of(expiry.kind).answers_them],
            )
            + _listed(
                "Nobody was written to about:", [expiry for expiry in expired if not facts_of(expiry.kind).answers_them]
            )
            + '\n\nTo see a draft again, answer its approval mail with "ok": it is shown again, and nothing is sent '
            "before your next yes.\n",
        )
        await asyncio.to_thread(self.ledger.mark_expired_told, [expiry.case for expiry in expired])

    def _more_expire_today(self) -> bool:
        now = self.clock.now()
        zone = calendar.zone(self.owner)
        today = now.astimezone(zone).date()
        ends = [
            self.ledger.lapses_at(waiting.state) for waiting in self.ledger.waiting() if not waiting.state.later_until
        ]
        # One that is overdue is just closing: it belongs into the same mail.
        return any(end.astimezone(zone).date() <= today for end in ends)

    # ------------------------------------------------------------ moments

    def _latest(self, now: datetime, times: Sequence[time]) -> datetime | None:
        return max((moment for moment in self._moments(now, times) if moment <= now), default=None)

    def _after(self, now: datetime, times: Sequence[time]) -> datetime:
        return min((moment for moment in self._moments(now, times) if moment > now), default=now + timedelta(days=1))

    def _moments(self, now: datetime, times: Sequence[time]) -> list[datetime]:
        zone = calendar.zone(self.owner)
        today = now.astimezone(zone).date()
        days = (today + timedelta(days=shift) for shift in range(-_DAYS_BACK, 2))
        return [datetime.combine(day, at, zone) for day in days for at in times]


def _listed(title: str, gone: Sequence[Expired]) -> str:
    return "\n".join(["", "", title, "", *(_who(expiry) for expiry in gone)]) if gone else ""


def _who(one: Expired) -> str:
    name = one_line(one.name, 80) or one.address
    address = f" <{one.address}>" if one.address and one.address != name else ""
    whom = f"{name}{address}: " if name else ""
    return f"- {whom}{one_line(one.title, 120)} (case {one.case})"


async def _guarded(doing: Callable[[], Awaitable[None]]) -> None:
    try:
        await doing()
    except DeskhandError as error:
        log.warning("rounds", problem=str(error))
    except Exception:  # a fault of ours in one of them leaves the others
        log.exception("rounds")
