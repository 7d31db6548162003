"""Promises A1 to A5: only the owner's yes sends, no word of his is lost, and the approved is what leaves."""

import asyncio
import contextlib
import mimetypes
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.service import RPCError

from bench._arrived import arrived
from bench._attacks import Attack, attacks
from bench._figures import Figure, at_least, at_most, finished
from bench._house import MeasuredHouse, house, servers
from tests.answer_programs import PROGRAMS
from tests.answer_styles import LANGUAGES, STYLES, Reply, unquoted
from tests.approved import FREE
from tests.house.running import case_of, is_approval, until
from tests.injected import PLACES, all_injected
from tests.rules.test_typed import CLEAR, NOW, decide, generated, owner, question
from tests.rules.test_typed import asked as asked_of
from tests.servers.smtp import TEMPORARY, Fault
from tests.tools.test_outbox import Office
from tools.mail import mime
from workflows.models.decisions import Approve, Edit, Reject
from workflows.models.drafts import Outgoing
from workflows.models.mail import Address, Attachment
from workflows.rules.answers.decisions import read
from workflows.rules.text.canonical import approved_hash

SEED = 2026
CASES = 6
"""Open cases that the attacks of A1 are spread over."""
AUTOCORRECTED = 200
ALL_STYLES = {**STYLES, **PROGRAMS}


async def run(full: bool) -> AsyncIterator[Figure]:
    """`A1`: sends after attacks. `A2`: false approvals, `.clear`: understood, `.edits`: exact. `A3`: differing mails.

    `A4`: answers carried out, whichever copy came first. `A5`: approvals of an answer with a sentence put into it.
    """
    yield await finished("A1", asyncio.to_thread(_attacked))
    for figure in await asyncio.to_thread(_generated, 5000 if full else 400):
        yield figure
    yield await asyncio.to_thread(_edited, 3 if full else 1)
    yield await asyncio.to_thread(_injected, 2400 if full else 200)
    yield await finished("A3", _byte_for_byte(500 if full else 40))
    yield await finished("A4", arrived(full=full))


# ---------------------------------------------------------------- A1


def _attacked() -> Figure:
    """Every attack on open cases of the running service; afterwards the owner's own yes must still work in each."""
    with house() as measured:
        for number in range(CASES + 2):
            measured.client_writes(number, sender=_person(number))
        *attacked, honest, last = measured.wait_approvals(CASES + 2)
        done = list(_spread(measured))
        for attack in done:
            measured.clients.deliver(attack.raw, attack.folder)
        plain = asyncio.run(_plain_updates(measured, [case_of(approval) for approval in attacked]))
        measured.owner_answers(honest, "ok")
        measured.wait_sent(1)
        _wait_read(measured)
        measured.owner_answers(last, "ok")  # delivered in a round after every attack was recorded
        measured.wait_sent(2)
        sends = len(measured.sent_to_clients()) - 2
        wedged = _wedged(measured, {case_of(approval) for approval in attacked})
    return at_most("A1", sends, 0, attacks=len(done) + plain, wedged=wedged) | {"ok": sends == 0 and wedged == 0}


def _person(number: int) -> Address:
    return Address(name=f"Person {number}", email=f"person{number}@firm.example")


def _spread(measured: MeasuredHouse) -> Iterator[Attack]:
    """Each attack once, on one of the cases."""
    stored = [mail.content for mail in measured.user.messages() if is_approval(mime.parse(mail.content))]
    lists = [list(attacks(mime.parse(raw), raw, measured.owner, _person(0))) for raw in stored[:CASES]]
    return (lists[position % CASES][position] for position in range(len(lists[0])))


async def _plain_updates(measured: MeasuredHouse, cases: list[int]) -> int:
    """Updates and signals in plain text, as anyone who reaches Temporal's port can send them; how many there were."""
    client = await Client.connect(measured.temporal_address)
    yes = {"key": "forged", "case": 0, "version": 1, "decision": {"kind": "approve"}, "hash": "", "via": "machine"}
    for case in cases:
        handle = client.get_workflow_handle(measured.names.case(case))
        await handle.signal("receive", {"state": "sent"})
        await handle.signal("hear", yes)
        try:
            await handle.execute_update("answer", yes | {"case": case}, id=f"forged-{case}")
        except (WorkflowUpdateFailedError, RPCError):
            continue
        raise AssertionError(f"case {case} took a plaintext update")
    return 3 * len(cases)


def _wait_read(measured: MeasuredHouse) -> None:
    """Until every mail of both folders is behind its cursor, and so in the ledger."""

    def all_read() -> bool:
        with measured.ledger() as ledger:
            cursors = [ledger.cursor(folder) for folder in ("INBOX", "Sent")]
        last = [_last_uid(measured, folder) for folder in ("INBOX", "Sent")]
        return all(cursor and cursor.last_uid >= uid for cursor, uid in zip(cursors, last, strict=True))

    until(all_read, 120, f"every attack to be read; said: {measured.said[-10:]}")


def _last_uid(measured: MeasuredHouse, folder: str) -> int:
    with measured.user.session(folder) as client:
        _, data = client.uid("SEARCH", "ALL")
    return max((int(uid) for uid in data[0].split()), default=0)


def _wedged(measured: MeasuredHouse, cases: set[int]) -> int:
    """How many of the attacked cases do not end on the owner's own yes to their newest version."""
    newest = {case_of(approval): approval for approval in measured.approvals() if case_of(approval) in cases}
    before = len(measured.sent_to_clients())
    for approval in newest.values():
        measured.owner_answers(approval, "ok")
    with contextlib.suppress(AssertionError):
        measured.wait_sent(before + len(cases), 60)
    return before + len(cases) - len(measured.sent_to_clients())


# ---------------------------------------------------------------- A2


def _generated(count: int) -> list[Figure]:
    tally: Counter[str] = Counter()
    for style, reply, language, expected in generated(SEED, count, ALL_STYLES):
        found = decide((ALL_STYLES.get(style) or unquoted)(reply), reply.asked, language)
        tally["false"] += isinstance(found, Approve) and expected is not Approve
        tally["clear"] += expected is not None
        tally["understood"] += expected is not None and type(found) is expected
    for found in _autocorrected():
        tally["false"] += isinstance(found, Approve)
    replies = count + AUTOCORRECTED
    wrong = at_most("A2", tally["false"], 0, replies=replies, styles=len(ALL_STYLES), languages=len(LANGUAGES))
    clear = at_least("A2.clear", tally["understood"] / tally["clear"], 0.99, clear=tally["clear"])
    return [wrong, clear]


_LETTERS = (
    "Hi Maria,\n\nFriday 9:00 suits me better:\n- the brief\n- the logo\n\nBest\nAda\n",
    "Dear Maria,\nthe offer stands. It holds until 12.12.2026: 95 EUR an hour.\n\n\nYours\nAda Winter\n",
    "Hallo Maria,\n\nam 3. Dezember um 10:00 passt es; die Adresse ist office@studio.example.\n\nViele Gr\u00fc\u00dfe\n",  # noqa: E501
)


def _edited(rounds: int) -> Figure:
    """`edit!` in every style, above and below the quote: the share of texts that would leave exactly as typed."""
    asked, exact, wrong, edits = question(), 0, 0, 0
    for style in ALL_STYLES.values():
        for place in ("top", "bottom"):
            for letter in _LETTERS[:rounds]:
                found = decide(style(Reply(f"edit!\n{letter}".rstrip("\n"), asked, "en", place)), asked)
                right = isinstance(found, Edit) and found.text == letter
                edits, exact = edits + 1, exact + right
                # What leaves may lack a blank line that HTML cannot show; a word more or less is wrong.
                wrong += isinstance(found, Edit) and found.send and found.text.split() != letter.split()
    share = at_least("A2.edits", exact / edits, 0.95, edits=edits, styles=len(ALL_STYLES), wrong_sends=wrong)
    return share | {"ok": share["ok"] and not wrong}


# ---------------------------------------------------------------- A5


def _injected(number: int) -> Figure:
    """Ordinary sentences at five places around an "ok", the styles in turn: how many were approved all the same."""
    asked = question()
    tally: Counter[str] = Counter()
    for _, place, _, email in all_injected(SEED, number, ALL_STYLES, asked):
        tally["answers"] += 1
        tally[place] += isinstance(read(email, asked_of(asked), owner(), NOW), Approve)
    approved = sum(tally[place] for place in PLACES)
    return at_most("A5", approved, 0, sentences=number, answers=tally["answers"], styles=len(ALL_STYLES))


def _autocorrected() -> Iterator[object]:
    """Refusals as a phone's keyboard spoils them: a neighbouring key, a letter twice, lost or swapped, a capital."""
    chance = random.Random(SEED)
    for _ in range(AUTOCORRECTED):
        language = chance.choice(list(CLEAR))
        words = chance.choice([text for text, kind in CLEAR[language].items() if kind is Reject])
        reply = Reply(_slipped(words, chance), question(language), "en", "top")
        yield decide(ALL_STYLES[chance.choice(list(ALL_STYLES))](reply), reply.asked, language)


_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def _slipped(words: str, chance: random.Random) -> str:
    at = chance.randrange(min(len(words), 6))
    letter = words[at]
    row = next((row for row in _KEYS if letter.lower() in row), letter)
    near = row[(row.index(letter.lower()) + 1) % len(row)] if letter.lower() in row else letter
    spoilt = chance.choice([near, letter * 2, "", letter.upper(), f"{letter}'"])
    return words[:at] + spoilt + words[at + 1 :]


# ---------------------------------------------------------------- A3


async def _byte_for_byte(count: int) -> Figure:
    """Approvals of every shape through the outbox; some need several attempts."""
    chance = random.Random(SEED)
    with servers() as (dovecot, smtp, folder):
        async with Office(
            folder, smtp, dovecot.add_user(), files_sent="no", limits=replace(FREE, per_hour=10_000)
        ) as office:
            smtp.play(*(chance.choice((TEMPORARY, Fault("rcpt"), None, None, None)) for _ in range(count)))
            drafts = [_draft(office, case, chance) for case in range(1, count + 1)]
            for outgoing in drafts:
                await office.send_to_the_end(outgoing)
            differing = sum(not _is_same(office, outgoing) for outgoing in drafts)
            attempts = sum(each.content is not None for each in smtp.transactions)
    return at_most("A3", differing, 0, approvals=count, attempts=attempts)


_LINES = (
    "Thursday 10:00 works.", "Grüße aus Köln, 你好, שלום, \N{SMILING FACE WITH SMILING EYES}", ".", "..", "From me",
    "> quoted", "x" * 1500, "", "-- ", "tab\tand  spaces", "=3D =E9 = ", "a long line " * 40,
)  # fmt: skip


def _draft(office: Office, case: int, chance: random.Random) -> Outgoing:
    from workflows.rules.text.canonical import canonical

    lines = [f"Answer number {case}.", *chance.choices(_LINES, k=chance.randrange(1, 9))]
    chain = tuple(f"<{case}.{step}@studio.example>" for step in range(chance.randrange(1, 12)))
    copies = (Address(name="Jürgen Groß", email=f"cc{case}@x.example"),) if chance.random() < 0.3 else ()
    return office.approved(
        case,
        to=f"c{case}@x.example",
        body=canonical("\n".join(lines)),
        cc=copies,
        in_reply_to=chain[-1],
        references=chain,
        attachments=tuple(_file(office, chance) for _ in range(chance.choice((0, 0, 1, 2)))),
    )


_NAMES = ("brief.pdf", "Größe “x”.pdf", "名前.csv", "a very long name " * 8 + ".txt", "notes.txt")


def _file(office: Office, chance: random.Random) -> Attachment:
    """A file of any bytes, kept as one that was proposed is."""
    content = chance.choice(
        (chance.randbytes(chance.randrange(1, 20_000)), b"a,b\r\n1,2\r\n", b"From me\n.\n..\n", b"x")
    )
    name = f"{chance.randrange(1000)} {chance.choice(_NAMES)}"
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Attachment(name=name, size=len(content), sha256=office.desk.blobs.put(content), content_type=kind)


def _is_same(office: Office, outgoing: Outgoing) -> bool:
    """Every attempt sent the blob of the claim, and what it says is what was approved."""
    entry = office.entry(outgoing)
    blob = office.desk.blobs.get(entry.blob)
    sent = [
        each.content
        for each in office.server.transactions
        if each.content is not None and outgoing.to[0].email in each.recipients
    ]
    email = mime.parse(blob)
    said = replace(
        outgoing, to=tuple(replace(one, name="") for one in email.to), cc=email.cc, subject=email.subject,
        body=mime.decoded_body(blob), in_reply_to=email.in_reply_to[0], references=email.references,
        attachments=email.attachments,
    )  # fmt: skip
    return entry.state == "sent" and set(sent) == {blob} and approved_hash(said) == entry.hash
