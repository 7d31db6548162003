"""Promise A4: an answer counts in whichever order its copies come, and however the filed one differs.

Each order of arrival is tried with every program on the service itself, whose clock leaps over the minutes in which a
copy lies in INBOX alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bench._arrivals import ARRIVALS, Arrival, Copy, addressed, copies
from bench._days import Days, Told, days
from bench._diary import OWNER
from bench._figures import Figure, at_least
from bench._owner import ADA, draft_in
from tests.answer_styles import STYLES, Reply
from tests.house.running import client_mail
from workflows.models.mail import Address

BEGIN = datetime(2035, 6, 4, 7, 0, tzinfo=UTC)
FEW = ("iphone", "gmail", "thunderbird", "mutt")
"""The programs of the small size."""
PATIENCE_IS_OVER = timedelta(minutes=13)
"""After this she is told of an answer that has no copy in Sent: a mail too many where it has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One answer: to which question, from which program."""

    person: Address
    asked: Told
    style: str
    words: str

    def copies(self, arrival: Arrival, at: datetime) -> tuple[Copy, Copy]:
        asked = self.asked.email
        raw = addressed(
            STYLES[self.style](Reply(self.words, asked.text)), asked, subject=f"Re: {asked.subject}",
            message_id=f"<{self.asked.case}.{self.style}@winter.example>", date=at,
        )  # fmt: skip
        return copies(raw, arrival, OWNER)


async def arrived(*, full: bool) -> Figure:
    """`A4`: the share of plain answers that were carried out, over all orders of arrival."""
    styles = tuple(STYLES) if full else FEW
    shares = {}
    async with days(BEGIN, OWNER, approval={"grace": "60s"}) as house:
        for number, arrival in enumerate(ARRIVALS):
            tries = await _asked(house, styles, number * 2 * len(styles))
            await _answer(house, tries, arrival)
            shares[arrival.name] = sum(_is_carried_out(house, each) for each in tries) / len(tries)
    answers = len(ARRIVALS) * 2 * len(styles)
    return at_least("A4", sum(shares.values()) / len(shares), 1.0, answers=answers, orders=shares)


async def _asked(house: Days, styles: Sequence[str], first: int) -> list[Try]:
    """A question of somebody new for each program and each of the two answers, asked about by Deskhand."""
    chosen = [(style, words) for style in styles for words in ("ok", "no, too cheap")]
    people = [
        Address(name=f"Person {n}", email=f"person{n}@firm{n}.example") for n in range(first, first + len(chosen))
    ]
    mails = [client_mail(number, ADA, sender=person) for number, person in enumerate(people)]
    await house.deliver_all([Copy(folder="INBOX", raw=raw) for raw in mails])
    asked = {told.case: told for told in house.told if told.asks}
    return [
        Try(person=person, asked=asked[house.case_of(raw)], style=style, words=words)
        for person, raw, (style, words) in zip(people, mails, chosen, strict=True)
    ]


def _person(number: int) -> Address:
    return Address(name=f"Person {number}", email=f"person{number}@firm{number}.example")


async def _answer(house: Days, tries: Sequence[Try], arrival: Arrival) -> None:
    """All of them in one sitting: every first copy, then every second one."""
    pairs = [each.copies(arrival, house.clock.now()) for each in tries]
    await house.deliver_all([first for first, _ in pairs])
    if arrival.apart:
        await house.leap(timedelta(minutes=arrival.apart))
    await house.deliver_all([second for _, second in pairs])
    await house.leap(PATIENCE_IS_OVER)


def _is_carried_out(house: Days, tried: Try) -> bool:
    """An ok has sent the very draft once, a no has closed the case without a mail; and she was told of no trouble."""
    if any(told.about == str(tried.asked.case) for told in house.told):
        return False
    left = [mail.body for mail in house.left if mail.address == tried.person.email]
    if tried.words == "ok":
        return left == [draft_in(tried.asked, tried.asked.case)]
    return not left and house.state(tried.asked.case).outcome == "rejected"
