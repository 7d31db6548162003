"""How things stand with a client, as facts in words: each with its id, as an agent and the owner read them. Pure."""

from collections.abc import Iterator
from datetime import date

from workflows.models.desk import Affairs, CaseStanding, InvoiceStanding, ProjectStanding
from workflows.models.drafts import Source
from workflows.models.promises import OwnPromise
from workflows.rules.debts.notices import format_day
from workflows.rules.text.canonical import one_line
from workflows.rules.text.money import format_money

_LINE = 160
_MOST_QUOTE = 600


def facts(affairs: Affairs) -> tuple[Source, ...]:
    """Each invoice, project and case as one line, in this order; days and amounts stand in full."""
    lines = [
        *map(_invoice, affairs.invoices),
        *map(_project, affairs.projects),
        *map(_case, affairs.cases),
        *_promises(affairs),
        *map(_own_promise, affairs.own_promises),
    ]
    known = affairs.money_known
    if affairs.invoices and known:
        lines.append(Source(id="money:known", kind="invoice", quote=f"payments are known up to {_day(known)}"))
    return tuple(lines)


def invoice_id(standing: InvoiceStanding) -> str:
    return f"invoice:{one_line(standing.invoice.number, 40)}"


def project_id(standing: ProjectStanding) -> str:
    return f"project:{standing.id}"


def _invoice(standing: InvoiceStanding) -> Source:
    invoice = standing.invoice
    pieces = [f"invoice {one_line(invoice.number, 40)} over {format_money(invoice.amount)}"]
    if invoice.issued:
        pieces.append(f"of {_day(invoice.issued)}")
    pieces.append(f"due {_day(invoice.due)}")
    pieces.append(f"{format_money(invoice.balance)} open" if invoice.balance.minor else "paid in full")
    if standing.last_payment and standing.last_payment.minor:
        noted = f" noted {_day(standing.paid_on)}" if standing.paid_on else ""
        pieces.append(f"last payment {format_money(standing.last_payment)}{noted}")
    if standing.disputed:
        pieces.append("they dispute it")
    return Source(id=invoice_id(standing), kind="invoice", quote=", ".join(pieces))


def _project(standing: ProjectStanding) -> Source:
    return Source(
        id=project_id(standing), kind="project", quote=one_line("; ".join(_project_words(standing)), _MOST_QUOTE)
    )


def _project_words(standing: ProjectStanding) -> Iterator[str]:
    yield f'project "{standing.name}"'
    for milestone in standing.milestones:
        due = f" due {_day(milestone.due)}" if milestone.due else ""
        yield f"milestone {one_line(milestone.name, _LINE)}{due} {'is done' if milestone.done else 'is open'}"
    if standing.worked_on:
        yield f"last work on {_day(standing.worked_on)}: {standing.last_work}"
    if standing.next_update:
        yield f"next status update on {_day(standing.next_update)}"
    if standing.scope:
        yield f"agreed: {', '.join(standing.scope)}"


def _case(standing: CaseStanding) -> Source:
    name = "bid" if standing.kind == "bid" else "case"
    quote = f"{standing.kind} ({standing.title}): {standing.stage}, {_day(standing.at.date())}"
    return Source(id=f"{name}:{standing.case}", kind="case", quote=quote, at=standing.at)


def _promises(affairs: Affairs) -> Iterator[Source]:
    for standing in affairs.invoices:
        if standing.promised:
            number = one_line(standing.invoice.number, 40)
            quote = f"they promised to pay invoice {number} by {_day(standing.promised)}"
            yield Source(id=f"promised:{number}", kind="invoice", quote=quote)


def _own_promise(promise: OwnPromise) -> Source:
    due = f", due {_day(promise.pledge.due)}" if promise.pledge.due else ""
    quote = f'you promised them "{one_line(promise.pledge.sentence, _LINE)}"{due}, and it is not done yet'
    return Source(id=promise.source, kind="promise", quote=quote, at=promise.at)


def _day(day: date) -> str:
    return f"{format_day(day, 'en')} ({day.isoformat()})"
