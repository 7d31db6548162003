"""The invitation that a mail carries, for its brief: read, held against the calendars, its answers kept ready."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from memory.ledger import Ledger
from memory.record.blobs import Blobs
from workflows.errors import Permanent
from workflows.models.drafts import Brief
from workflows.models.mail import CALENDAR_REPLY, Attachment, Email
from workflows.models.people import Owner
from workflows.rules.desk.invitations import Invitation
from workflows.rules.desk.invited import NAME, InvitationAccount, account_of, parts_for
from workflows.rules.desk.slots import CalendarView, Diary, Offering
from workflows.rules.desk.times import Look, diary_at
from workflows.rules.text.canonical import one_line

ReadInvitation = Callable[[bytes, str], Invitation | None]
"""Reads the calendar part of a raw mail, somewhere it can do no harm; times that name no zone are in the given one."""
_DAY = timedelta(days=1)
_MOST_READ = 3  # of the mails of one case that carry a calendar part, the newest ones
_NOT_READ = "Its calendar part was not read: {reason} Nothing is accepted; look into it yourself."
_UNPROVEN = "The sender is not proven, so no answer to the invitation goes with this draft."


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationDesk:
    """Tells what a mail's calendar part asks. `look`: the owner's calendars, None where there are none."""

    ledger: Ledger
    blobs: Blobs
    owner: Owner
    read: ReadInvitation
    look: Look | None = None
    terms: Offering = field(default_factory=Offering)

    def added(self, brief: Brief, mails: Sequence[tuple[Email, datetime]], *, proven: bool) -> Brief:
        """The brief with the newest invitation of the case's mails, if they carry one."""
        try:
            account = self._account(brief, mails, proven=proven)
        except Permanent as error:
            reason = one_line(str(error), 200).rstrip(".") + "."
            return replace(brief, hints=(*brief.hints, _NOT_READ.format(reason=reason)))
        if account is None:
            return brief
        asks_in_vain = account.facts.asks and not proven
        return replace(
            brief,
            invitation=account.facts,
            times=account.times,
            facts=(*brief.facts, *account.sources),
            hints=(*brief.hints, *account.remarks, *([_UNPROVEN] if asks_in_vain else [])),
        )

    def _account(
        self, brief: Brief, mails: Sequence[tuple[Email, datetime]], *, proven: bool
    ) -> InvitationAccount | None:
        """What the newest one says, held against those that came before it.

        Raises:
            Permanent: it cannot be read.
        """
        with_calendar = [(email, at) for email, at in mails if email.calendar][-_MOST_READ:]
        earlier: dict[str, int] = {}
        account = None
        for number, (email, at) in enumerate(with_calendar, 1):
            invitation = self._invitation(email)
            if invitation is None:
                continue
            before = (self.ledger.keep_invitation(brief.case, invitation), earlier.get(invitation.uid))
            known = max((sequence for sequence in before if sequence is not None), default=None)
            earlier[invitation.uid] = max(known or 0, invitation.sequence)
            if number == len(with_calendar):
                parts = self._parts(invitation, email, at) if proven else {}
                account = account_of(invitation, known, self._diary(invitation, brief.case, ask=proven), parts)
        return account

    def _invitation(self, email: Email) -> Invitation | None:
        try:
            return self.read(self.blobs.get(email.blob), self.owner.timezone)
        except KeyError:
            raise Permanent("the mail it came with is no longer kept.") from None

    def _parts(self, invitation: Invitation, email: Email, at: datetime) -> dict[str, Attachment]:
        """The answers that may go with a mail to its sender, their bytes kept: what was shown is what leaves."""
        return {
            reaction: Attachment(
                name=NAME, size=len(content), sha256=self.blobs.put(content), content_type=CALENDAR_REPLY
            )
            for reaction, content in parts_for(invitation, self.owner, (email.sender.email,), at)
        }

    def _diary(self, invitation: Invitation, case: int, *, ask: bool) -> Diary:
        """All that decides about its time; the calendars are asked only for a sender who is proven."""
        diary = diary_at(self.ledger.now(), self.owner, self.terms, self.ledger.held_slots(case))
        slot = invitation.slot
        if self.look is None or slot is None or not ask:
            return diary
        last = max(diary.now + timedelta(days=self.terms.days), slot.end) + _DAY
        view: CalendarView = self.look(diary.now, last)
        return replace(diary, view=view)
