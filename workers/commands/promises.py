"""`promises`: what the owner promised in sent mail and has not kept yet; `done N`, `drop N` say how one ended."""

from memory import views
from memory.record.people import People
from memory.sent.promises import OwnPromises
from workers.clock import SystemClock
from workers.commands import deciding
from workers.settings import loading
from workers.voice import promise_texts
from workers.voice.output import Output
from workflows.errors import NeedsOwner
from workflows.rules.orders.rows import BY_KEY

_ENDINGS = {"done": "promise_kept", "drop": "promise_dropped"}


def show(output: Output) -> int:
    """List what is open, what is due first in front."""
    owner = loading.load(output.home).owner_facts()
    engine, clock = views.open_ledger(output.home), SystemClock()
    names = {client.id: client.name for client in People(engine, clock).clients()}
    promises = OwnPromises(engine, clock).open_promises()
    for promise in promises:
        output.event(
            "promise", number=promise.id, client=names.get(promise.client, ""), due=promise.pledge.due,
            kind=promise.pledge.kind, sentence=promise.pledge.sentence, mail=promise.mail, at=promise.at.isoformat(),
            told=promise.told,
        )  # fmt: skip
    output.text(promise_texts.listed(promises, names, owner).rstrip())
    return 0


def end(output: Output, ending: str, number: int | None) -> int:
    """Say how a promise ended; the running service keeps it."""
    key = _ENDINGS.get(ending)
    if key is None or not number:
        raise NeedsOwner(
            f'"{ending}{f" {number}" if number else ""}" says not how which promise ended.',
            "Say ./deskhand promises done NUMBER, or ./deskhand promises drop NUMBER.",
        )
    return deciding.order(output, (BY_KEY[key],), {"number": number})
