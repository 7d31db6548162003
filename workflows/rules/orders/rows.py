"""Order rows: one row for each order of the owner, from which every mail, command, help text and page reads.

Adding an order: its value in `Change` (models/orders.py), its row here, its effect (memory/desk/orders.py), and its
words in each language under the row's key. What is forgotten fails the type check or tests/rules/test_order_rows.py.
"""

from collections.abc import Mapping
from typing import Any, Final

from workflows.models.orders import (
    Allow,
    Away,
    Back,
    Disallow,
    Disputed,
    Ended,
    Explain,
    Fix,
    Help,
    NotByMail,
    NotUnderstood,
    Order,
    Paid,
    Pause,
    Promised,
    PromiseEnded,
    Rescue,
    Resume,
    ResumeChasing,
    ShowIgnored,
    ShowPromises,
    ShowStatus,
    StopAll,
    StopChasing,
)
from workflows.rules.orders import readers
from workflows.rules.orders.row import MONEY, CommandLine, HelpLine, OrderArgument, OrderRow
from workflows.rules.text.languages import words_in

_WHO = OrderArgument(name="client", help="A name, an address or a domain.")
_CASE = OrderArgument(name="case", means="case", help="The case, with or without version: 41 or 41.2.")
_INVOICE = OrderArgument(
    name="number", field="what", means="word", help="The invoice's number, or its client's name."
)  # fmt: skip
_PROMISE = OrderArgument(name="number", means="number", help="The promise's number, as 'promises' lists it.")
_KIND = OrderArgument(name="kind", field="what", means="kind", help="The kind of mail: reply.")

_TABLE = (
    OrderRow(
        key="status",
        order=ShowStatus,
        name="status",
        read=readers.alone(ShowStatus()),
        help=(HelpLine("status", "what waits, what is held, what is unwell"),),
    ),
    OrderRow(
        key="stop",
        order=StopAll,
        name="stop all",
        read=readers.alone(StopAll()),
        alone="stop_alone",
        help=(HelpLine("stop all", "nothing goes out any more, also what you approved", ", also after a restart"),),
        subject=("Stopped: nothing goes out", "Not stopped"),
        command=CommandLine(
            name="stop",
            help="Let nothing go out any more, across restarts, until resume; or end a standing yes.",
            page="nothing goes out any more, also what you approved, also after a restart",
            say="stop for everything",
        ),
    ),
    OrderRow(
        key="pause",
        order=Pause,
        name="pause",
        read=readers.pause,
        counts=readers.of_its_client,
        help=(HelpLine("pause Acme", "nothing to this client: a name, an address or a domain"),),
        subject=("Paused", "Not paused"),
        command=CommandLine(
            name="pause",
            arguments=(_WHO,),
            help="Send and draft nothing for this client, until resume CLIENT.",
            page="nothing goes out to this client and nothing is drafted for them; their mail is kept",
        ),
    ),
    OrderRow(
        key="resume",
        order=Resume,
        name="resume",
        read=readers.resume,
        counts=readers.of_its_client,
        help=(
            HelpLine("resume", 'goes on after "stop all"'),
            HelpLine("resume Acme", "goes on with this client"),
        ),
        subject=("Resumed", "Not resumed"),
        command=CommandLine(
            name="resume",
            arguments=(OrderArgument(name="client", optional=True, help="One paused client; else everything."),),
            help="Go on after stop, or with one paused client.",
            page="goes on after `stop`, or with one paused client: approved mails leave, mails that came meanwhile "
            "become cases",
        ),
    ),
    OrderRow(
        key="why",
        order=Explain,
        name="why",
        read=readers.why,
        help=(HelpLine("why 41", "the whole story of case 41", ": trigger, sources, rule, model, cost"),),
    ),
    OrderRow(
        key="fix",
        order=Fix,
        name="fix",
        read=readers.fix,
        counts=readers.of_its_case,
        help=(HelpLine("fix 41", "drafts a correction of what case 41 sent; your words may follow"),),
        subject=("", "Nothing to correct"),  # done: the draft itself is the answer
        command=CommandLine(
            name="fix",
            arguments=(_CASE, OrderArgument(name="words", optional=True, help="What was wrong, in your words.")),
            help="Draft a correction of what a case has sent; it is shown to you first.",
            page="drafts a correction of what that case has sent, to the same client in the same thread, as a case of "
            "its own that waits for your yes",
        ),
    ),
    OrderRow(
        key="ignored",
        order=ShowIgnored,
        name="ignored",
        read=readers.alone(ShowIgnored()),
        help=(HelpLine("ignored", "what was skipped and why, each with a number"),),
        subject=("What was skipped", ""),
    ),
    OrderRow(
        key="rescue",
        order=Rescue,
        name="rescue",
        read=readers.rescue,
        help=(HelpLine("rescue 4", "mail or post number 4 of that list is work after all"),),
        subject=("Rescued", "Not rescued"),
        command=CommandLine(
            name="rescue",
            arguments=(
                OrderArgument(name="number", means="number", help="The mail's number in the list of ignored ones."),
            ),
            help="Draft for a mail that was skipped after all; its sender counts as known.",
            page="the mail of that number in `ignored` becomes a case after all, and its sender counts as known",
        ),
    ),
    OrderRow(
        key="away",
        order=Away,
        name="away until",
        read=readers.away,
        help=(HelpLine("away until 14 Aug", "nothing expires and no reminders come until then"),),
        subject=("Away", "Not set to away"),
        command=CommandLine(
            name="away",
            arguments=(
                OrderArgument(
                    name="until",
                    means="time",
                    help="14 Aug, 2d, Monday 9:00 ...",
                    say='"14 Aug", "2d" or "Monday 9:00"',
                ),
            ),
            help="Let nothing expire and send no reminders until then.",
            page="nothing expires and no reminders come until then: `14 Aug`, `2d`, `Monday 9:00`",
        ),
    ),
    OrderRow(
        key="back",
        order=Back,
        name="back",
        read=readers.alone(Back()),
        help=(HelpLine("back", 'ends "away"'),),
        subject=("Back", "Not set to back"),
        command=CommandLine(name="back", help="End away.", page="ends `away`"),
    ),
    OrderRow(
        key="paid",
        order=Paid,
        name="paid",
        read=readers.paid,
        counts=readers.of_an_invoice,
        help=(HelpLine("paid 2026-014", 'the invoice is paid; an amount may follow ("paid 2026-014 500 EUR")'),),
        subject=("Paid", "Not noted as paid"),
        command=CommandLine(
            name="paid",
            panel=MONEY,
            arguments=(
                _INVOICE,
                OrderArgument(name="amount", optional=True, help="500, 500.00 EUR; left out: all of it."),
            ),
            help="Say that an invoice was paid, in whole or in part.",
            page="the invoice is paid: all of it, or `500`, `500.00 EUR`. A client who was reminded gets a thank-you "
            "draft",
        ),
    ),
    OrderRow(
        key="promised",
        order=Promised,
        name="promised",
        read=readers.promised,
        counts=readers.of_a_promise,
        help=(HelpLine("promised 2026-014 Friday", "they pay by then: nothing is chased before"),),
        subject=("Promised", "Not noted as promised"),
        command=CommandLine(
            name="promised",
            panel=MONEY,
            arguments=(
                _INVOICE,
                OrderArgument(
                    name="when",
                    field="until",
                    means="time",
                    help="Friday, 14 Aug, 10d ...",
                    say='"Friday", "14 Aug" or "10d"',
                ),
            ),
            help="Say by when they pay: nothing is chased before.",
            page="they pay by then (`Friday`, `14 Aug`, `10d`): nothing is chased before the business day after",
        ),
    ),
    OrderRow(
        key="dispute",
        order=Disputed,
        name="dispute",
        read=readers.dispute,
        counts=readers.of_an_invoice,
        help=(
            HelpLine("dispute 2026-014", "they contest it: nothing is chased until you say so; your words may follow"),
        ),
        subject=("Disputed", "Not noted as disputed"),
        command=CommandLine(
            name="dispute",
            panel=MONEY,
            arguments=(_INVOICE, OrderArgument(name="reason", optional=True, help="What they say.")),
            help="Say that they contest it: nothing is chased until you say so.",
            page="they contest it: nothing is chased until `chase`",
        ),
    ),
    OrderRow(
        key="stop_chasing",
        order=StopChasing,
        name="stop chasing",
        read=readers.stop_chasing,
        counts=readers.of_its_client,
        help=(HelpLine("stop chasing Acme", "no reminders to this client"),),
        subject=("Not chased any more", "Not changed"),
        command=CommandLine(
            name="chase",
            switch="--stop",
            switch_help="No more reminders to this client.",
            panel=MONEY,
            arguments=(_WHO,),
            page="no more reminders to this client",
            event="chase",
        ),
    ),
    OrderRow(
        key="chase",
        order=ResumeChasing,
        name="chase",
        read=readers.chase,
        counts=readers.of_its_client,
        help=(HelpLine("chase Acme", "reminds this client again: whatever held it is over"),),
        subject=("Chased again", "Not changed"),
        command=CommandLine(
            name="chase",
            panel=MONEY,
            arguments=(_WHO,),
            help="Remind a client again, whatever held it; with --stop: no more.",
            page="reminds this client again; promise, dispute, absence and doubt are over",
        ),
    ),
    OrderRow(
        key="won",
        order=Ended,
        name="won",
        read=readers.ended("won"),
        fixed={"result": "won"},
        counts=readers.of_its_bid,
        help=(HelpLine("won 41", "the bid of case 41 was won; in an answer to its mail the number may be left out"),),
        subject=("Noted how the bid ended", "Not noted"),
        command=CommandLine(
            name="won",
            panel=MONEY,
            arguments=(_CASE,),
            help="Say that a bid was won.",
            page="a bid was won; kept with its post and the client",
            event="ended",
        ),
    ),
    OrderRow(
        key="lost",
        order=Ended,
        name="lost",
        read=readers.ended("lost"),
        fixed={"result": "lost"},
        counts=readers.of_its_bid,
        help=(HelpLine("lost 41", "it was lost; your words may follow"),),
        subject=("Noted how the bid ended", "Not noted"),
        command=CommandLine(
            name="lost",
            panel=MONEY,
            arguments=(_CASE, OrderArgument(name="reason", optional=True, help="Why, as far as you know.")),
            help="Say that a bid was lost; your reason is kept.",
            page="it was lost; your words are kept",
            event="ended",
        ),
    ),
    OrderRow(
        key="no_answer",
        order=Ended,
        name="no answer",
        read=readers.ended("no-answer"),
        fixed={"result": "no-answer"},
        counts=readers.of_its_bid,
        help=(HelpLine("no answer 41", "nobody answered it"),),
        subject=("Noted how the bid ended", "Not noted"),
        command=CommandLine(
            name="no-answer",
            panel=MONEY,
            arguments=(_CASE,),
            help="Say that nobody answered a bid.",
            page="nobody answered it",
            event="ended",
        ),
    ),
    OrderRow(
        key="promises",
        order=ShowPromises,
        name="promises",
        read=readers.promises,
        help=(HelpLine("promises", "what you promised clients in your own mail, each with a number"),),
        subject=("What you promised", ""),
    ),
    OrderRow(
        key="promise_kept",
        order=PromiseEnded,
        name="promise done",
        read=readers.promise_ended("kept"),
        fixed={"result": "kept"},
        counts=readers.never,
        help=(HelpLine("promise done 3", 'promise number 3 of that list is kept; so does "promise 3 done"'),),
        subject=("Kept", "Not noted"),
        command=CommandLine(
            name="promise-done",
            arguments=(_PROMISE,),
            help="Say that a promise of yours is kept.",
            page="promise number 3 of `promises` is kept",
            event="promise",
        ),
    ),
    OrderRow(
        key="promise_dropped",
        order=PromiseEnded,
        name="promise drop",
        read=readers.promise_ended("dropped"),
        fixed={"result": "dropped"},
        counts=readers.never,
        help=(HelpLine("promise drop 3", "it is no promise any more: you are not reminded of it"),),
        subject=("Dropped", "Not noted"),
        command=CommandLine(
            name="promise-drop",
            arguments=(_PROMISE,),
            help="Drop a promise of yours: you are not reminded of it.",
            page="it is no promise any more: you are not reminded of it",
            event="promise",
        ),
    ),
    OrderRow(
        key="auto",
        order=Allow,
        name="auto",
        read=readers.auto,
        help=(
            HelpLine(
                "auto reply",
                "mails of this kind leave without your yes (only after a row of unedited approvals)",
                ": a [standing yes](#a-standing-yes)",
            ),
        ),
        subject=("Allowed", "Not allowed"),
        command=CommandLine(
            name="auto",
            arguments=(_KIND,),
            help='Let each mail of a kind leave alone, shown first with time to undo; "stop auto" ends it.',
            page="a [standing yes](approval.md#a-standing-yes) for mails of that kind: `reply`",
        ),
    ),
    OrderRow(
        key="stop_auto",
        order=Disallow,
        name="stop auto",
        read=readers.stop_auto,
        help=(HelpLine("stop auto reply", "each waits for your yes again"),),
        subject=("Each waits for your yes again", "Not changed"),
        command=CommandLine(
            name="stop",
            switch="auto",
            switch_help="End a standing yes; else stop everything.",
            arguments=(OrderArgument(name="kind", field="what", means="kind", optional=True, help=_KIND.help),),
            page="ends it",
            say="stop auto reply for the standing yes",
        ),
    ),
    OrderRow(
        key="help",
        order=Help,
        name="help",
        read=readers.alone(Help()),
        help=(HelpLine("help", "this list"),),
        subject=("The orders", ""),
    ),
    OrderRow(
        key="not_by_mail",
        order=NotByMail,
        name="not by mail",
        read=readers.not_by_mail,
        counts=readers.never,
    ),
)

ROWS: Final[tuple[OrderRow[Any], ...]] = _TABLE
BY_KEY: Final[Mapping[str, OrderRow[Any]]] = {key: row for row in ROWS for key in (row.key, row.alone) if key}


def row_of(order: Order | NotUnderstood) -> OrderRow[Any] | None:
    """The order's row; None for what is no order of its own: the word on one that was asked back, unclear words."""
    return next((row for row in ROWS if not isinstance(order, NotUnderstood) and row.means(order)), None)


def subject_of(order: Order, language: str, *, done: bool) -> str:
    """What the notice about an order says in its subject, in the owner's language; "" where none is sent."""
    row = row_of(order)
    subject = row.subject[0 if done else 1] if row else ""
    return in_language(row.key, "done" if done else "not", language, subject) if row and subject else ""


def in_language(key: str, part: str, language: str, english: str) -> str:
    """What a language's file says of an order under [voice.orders]; the row says it in English."""
    return str(words_in(language, "voice").get("orders", {}).get(f"{key}_{part}", english))
