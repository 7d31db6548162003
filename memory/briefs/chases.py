"""The brief of a chase: what is owed, what was written before, what was promised, and to whom the notice would go."""

from collections.abc import Iterator
from datetime import date

from memory.ledger import Ledger
from memory.money.chases import THANKS
from memory.money.dues import Chased, DueTerms
from workflows.models.case import CaseState
from workflows.models.drafts import Brief, Envelope, Source
from workflows.models.mail import Address
from workflows.models.money import Invoice, Notice
from workflows.models.people import Owner
from workflows.rules.debts.dunning import Hold, Made, run_out
from workflows.rules.debts.notices import overview, subject, sums
from workflows.rules.text.canonical import one_line
from workflows.rules.text.language import language_of
from workflows.rules.text.languages import language_of_country
from workflows.rules.text.money import format_money, totals
from workflows.stories import CHASE

_OLD = 7
"""Days after which payment data is called old."""
_NEWEST = 5
_TOLD_WITH_THEIR_DAY = frozenset({"wish", "mail", "dispute"})
_ENDED = {
    "promise": "{says}, and it is still open.",
    "absence": "{says}; that is over.",
    "evidence": "{says}; nothing has shown that it did.",
}


class ChaseBriefs:
    """Builds the briefs of chase cases (`Recall.also_builds`)."""

    def __init__(self, ledger: Ledger, owner: Owner, terms: DueTerms, details: str = "") -> None:
        """`details`: how to pay, in the owner's words (`money.details`)."""
        self._ledger, self._owner, self._terms, self._details = ledger, owner, terms, details

    def build(self, state: CaseState) -> Brief:
        """Everything a notice may say, and what the owner should know before it goes."""
        chased = self._ledger.chased(state.case, state.client, self._owner, self._terms)
        language = self._language(state.client, chased)
        notice = _notice(chased)
        numbers = tuple(invoice.number for invoice in chased.invoices)
        thanked = chased.stage == THANKS
        if chased.invoices and not thanked:
            self._ledger.entitle(state.case, state.client, chased.invoices)
        how_to_pay = _how_to_pay(self._details) if not thanked else ()
        return Brief(
            case=state.case,
            kind=state.kind,
            client=chased.client,
            sender=_recipient(chased),
            subject=subject(notice.tone, numbers, language),
            message=_thanked(chased) if thanked else "\n".join(_owed(chased)),
            language=language,
            profile=how_to_pay,
            owner_name=self._owner.name,
            owner_language=self._owner.language,
            hints=() if thanked else tuple(_hints(chased)),
            envelope=Envelope(
                to=(_recipient(chased),),
                subject=subject(notice.tone, numbers, language),
                in_reply_to=chased.thread[-1] if chased.thread else "",
                references=chased.thread,
                proactive=True,
            ),
            heading="What they paid" if thanked else CHASE.heading,
            trigger=_trigger(chased),
            facts=(*(_fact(invoice, thanked=thanked) for invoice in chased.invoices), *how_to_pay),
            notice=notice,
            vouched=True,
        )

    def _language(self, client: str, chased: Chased) -> str:
        """What they write in; else what we wrote to them in; else their country's; else the owner's."""
        documents = self._ledger.documents(client)
        for kind in ("received", "sent"):
            texts = [document.text for document in documents if document.kind == kind][-_NEWEST:]
            if language := language_of("\n".join(reversed(texts))):
                return language
        country = next((invoice.country for invoice in chased.invoices if invoice.country), "")
        return language_of_country(country) or self._owner.language


def _recipient(chased: Chased) -> Address:
    """The address on the newest invoice, which is the client's: the ledger resolved the client by it."""
    newest = max(chased.invoices, key=lambda one: (one.due, one.number), default=None)
    name = one_line(chased.client.name, 100) if chased.client else ""
    return Address(email=newest.email.lower(), name=name) if newest else Address(email="", name=name)


def _notice(chased: Chased) -> Notice:
    thanked = chased.stage == THANKS
    stages = {stage.name: stage for stage in chased.debtor.ladder.stages}
    steps = tuple(step for _, step in chased.steps)
    amounts = (invoice.amount if thanked else invoice.balance for invoice in chased.invoices)
    return Notice(
        stage=chased.stage,
        step=max(steps, default=0),
        steps=steps,
        invoices=chased.invoices,
        today=chased.debtor.today,
        totals=totals(amounts),
        bank_data=chased.bank_data,
        others_open=bool(_still_open(chased)),
        tone=THANKS if thanked else (stages[chased.stage].tone if chased.stage in stages else "plain"),
    )


def _trigger(chased: Chased) -> str:
    numbers = ", ".join(one_line(invoice.number, 40) for invoice in chased.invoices)
    if chased.stage == THANKS:
        return f"{numbers} was paid after a notice"
    return f"The stage '{chased.stage}' is due for {numbers}, in the ladder '{chased.debtor.ladder.name}'"


def _fact(one: Invoice, *, thanked: bool) -> Source:
    amount = format_money(one.amount if thanked else one.balance)
    status = "paid" if thanked else "open"
    return Source(id=f"invoice:{one.number}", kind="invoice", quote=f"{amount} {status}, due {one.due:%Y-%m-%d}")


def _how_to_pay(details: str) -> tuple[Source, ...]:
    return (Source(id="money:details", kind="profile", quote=details),) if details else ()


# ---------------------------------------------------------------- what the owner is shown


def _thanked(chased: Chased) -> str:
    lines = [
        f"{one_line(invoice.number, 40)}: {format_money(invoice.amount)}, due {invoice.due:%Y-%m-%d}"
        for invoice in chased.invoices
    ]
    lines.append(f"Total paid: {sums((invoice.amount for invoice in chased.invoices), 'en')}")
    if unpaid := _still_open(chased):
        named = ", ".join(f"{one_line(invoice.number, 40)} ({format_money(invoice.balance)})" for invoice in unpaid)
        lines.append(f"Still open: {named}. So the letter does not say that all is settled.")
    return "\n".join(lines)


def _still_open(chased: Chased) -> tuple[Invoice, ...]:
    """What the client owes besides what this notice is about."""
    numbers = {invoice.number for invoice in chased.invoices}
    return tuple(invoice for invoice in chased.debtor.debts if invoice.number not in numbers)


def _owed(chased: Chased) -> Iterator[str]:
    """The table, from when the payment data is, and what they had promised."""
    today = chased.debtor.today
    yield overview(chased.invoices, today, [_so_far(invoice, chased) for invoice in chased.invoices])
    other_debts = [
        invoice
        for invoice in chased.debtor.debts
        if invoice.number not in {noticed.number for noticed in chased.invoices}
    ]
    if late := [invoice for invoice in other_debts if invoice.due < today]:
        named = ", ".join(f"{one_line(invoice.number, 40)} ({format_money(invoice.balance)})" for invoice in late)
        yield f"Also late, and not part of this notice: {named}."
    if chased.bank_data:
        yield f"Payments are known up to {chased.bank_data:%Y-%m-%d} (the newest bank data)."
    else:
        yield "No bank data is known."
    yield from (_ended(hold) for hold in _just_ended(chased) if hold.kind not in _TOLD_WITH_THEIR_DAY)
    yield from chased.objections


def _so_far(one: Invoice, chased: Chased) -> str:
    """`reminder on 2026-11-26`, or what became of the last attempt."""
    notices = [notice for notice in chased.debtor.notices if notice.number == one.number]
    if not notices:
        return "nothing"
    last = notices[-1]
    return f"{_stage_name(last, chased)} {'on' if last.how == 'sent' else 'not sent,'} {last.day:%Y-%m-%d}"


def _stage_name(made: Made, chased: Chased) -> str:
    stages = chased.debtor.ladder.stages
    return stages[made.step - 1].name if 0 < made.step <= len(stages) else f"stage {made.step}"


def _just_ended(chased: Chased) -> tuple[Hold, ...]:
    """What held it back since the last notice and has run out."""
    numbers = [invoice.number for invoice in chased.invoices]
    debtor = chased.debtor
    sent = [notice.day for notice in debtor.notices if notice.how == "sent" and notice.number in numbers]
    since = max(sent, default=date.min)
    return tuple(
        hold for hold in run_out(debtor.holds, numbers, debtor.today, debtor.calendar) if (hold.until or since) >= since
    )


def _ended(hold: Hold) -> str:
    prefix = f"{one_line(hold.number, 40)}: " if hold.number else ""
    sentence = _ENDED.get(hold.kind, "{says}.").format(says=one_line(hold.says, 200))
    return f"{prefix}{sentence[0].upper()}{sentence[1:]}"


def _hints(chased: Chased) -> Iterator[str]:
    if chased.bank_data is None:
        yield "Nothing is known of any payment yet: look into your account before you say ok"
    elif (days := (chased.debtor.today - chased.bank_data).days) > _OLD:
        yield f"The newest bank data is {days} days old: look into your account before you say ok"
    if chased.bounced:
        yield f"A notice to them came back ({one_line(chased.bounced, 200)}): look whether the address is right"
    if len({invoice.email.lower() for invoice in chased.invoices}) > 1:
        yield f"These invoices name several addresses; this goes to {_recipient(chased).email}"
