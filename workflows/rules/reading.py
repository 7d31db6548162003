"""Reading: a mail as the rules understand it, read once, before the ledger's transaction begins.

Routing decides by it, memory keeps what it says of money and of mails that came back. Nobody reads the mail again
while the ledger is held.
"""

from dataclasses import dataclass

from workflows.models.leads import Lead
from workflows.models.mail import Email
from workflows.models.people import Owner
from workflows.models.routes import Surroundings
from workflows.rules.debts.payments import NotMoney, Payment, payment_in
from workflows.rules.debts.promises import Said, money_words
from workflows.rules.leads.job_alerts import Unknown, alerts
from workflows.rules.mail import bounces
from workflows.rules.mail.authentication import fails_dmarc
from workflows.rules.mail.bounces import Bounce
from workflows.rules.mail.holds import hold_reason
from workflows.rules.mail.replying import gist, written
from workflows.rules.text.language import language_of

_GIST = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a mail says. Of one in a Sent folder only who wrote to whom is known: the rest is about what came in."""

    email: Email
    hold: str = ""  # why the owner reads it himself ("a complaint")
    gist: str = ""  # its first sentence that says something
    own_words: str = ""  # what its writer wrote this time, no quoted word among it
    is_unproven: bool = False  # the owner's mail server does not vouch for its sender
    alert: tuple[Lead, ...] | Unknown | None = None  # the jobs of a platform's alert
    payment: Payment | NotMoney | None = None  # what a payment service says of money that came in
    of_money: Said | None = None  # what its writer says of money they owe
    report: Bounce | None = None  # which mail did not reach whom


def read(email: Email, owner: Owner, around: Surroundings, authserv_id: str = "") -> Reading:
    """Read a mail for everybody who asks about it; total, as every rule that it asks.

    `authserv_id`: the owner's mail server, whose word on a sender counts (rules/mail/vouching.py).
    """
    if around.folder_kind == "sent":
        return Reading(email=email)
    zone = around.zone or owner.timezone
    return Reading(
        email=email,
        hold=hold_reason(email, around.earlier, owner),
        gist=gist(email.text, _GIST),
        own_words=written(email.text),
        is_unproven=fails_dmarc(email),
        alert=alerts(email, owner.addresses) if around.alerts else None,
        payment=payment_in(email, owner, authserv_id),
        of_money=money_words(email.text, language_of(email.text), around.now, zone),
        report=bounces.read(email),
    )
