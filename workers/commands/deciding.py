"""The owner's answers at the machine: the running service carries them out, as it does those by mail."""

import asyncio
import re
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from memory import views
from workers import control
from workers.clock import SystemClock
from workers.voice.output import Output, printable
from workflows.errors import NeedsOwner, Permanent
from workflows.rules.orders.row import SWITCHING, OrderArgument, OrderRow

LARGEST_TEXT = 200_000
"""Characters of an edited text."""


def case_and_version(text: str) -> tuple[int, int]:
    """Read "41.2" as (41, 2), "41" as (41, 0): 0 means the current version.

    Raises:
        NeedsOwner: it is neither.
    """
    match = re.fullmatch(r"([1-9]\d{0,8})(?:\.([1-9]\d{0,3}))?", text)
    if not match:
        raise NeedsOwner(f'"{text}" is not a case.', "Give its number, or number and version: 41 or 41.2.")
    return int(match.group(1)), int(match.group(2) or 0)


def approve(output: Output, which: str) -> int:
    """Approve exactly that version; without one, show the text and ask on a terminal."""
    case, version = case_and_version(which)
    if version:
        return _decide(output, "approve", case, version)
    service_must_run(output.home)
    version, seal, text = views.current(views.open_ledger(output.home), SystemClock(), case)
    if output.as_json or not sys.stdin.isatty():
        raise NeedsOwner(
            f"Which version of case {case} do you approve?", f"Give it: ./deskhand approve {case}.{version}"
        )
    output.text(f"Version {version} of case {case}:\n\n{text}\n")
    print(f"Send this? (yes/no) {case}.{version}: ", end="", flush=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes", "ok", "ja", "oui", "si", "sí"}:
        output.text(f"Nothing was sent; case {case} still waits.")
        return 1
    # The hash of what was shown goes along: a version that changed under the reader's eyes is not approved.
    return _decide(output, "approve", case, version, hash=seal)


def edit(output: Output, which: str, file: Path, *, send: bool) -> int:
    """Replace the draft by the text of a file ("-": standard input); with `send` that is the yes as well."""
    case, version = case_and_version(which)
    if not version:
        version = views.current(views.open_ledger(output.home), SystemClock(), case)[0]
        raise NeedsOwner(
            f"Which version of case {case} is edited?", f"Give it: ./deskhand edit {case}.{version} {file}"
        )
    return _decide(output, "edit", case, version, text=_text_of(file), send=send)


def reject(output: Output, which: str, reason: str) -> int:
    """Close the case, nothing is sent; the reason is kept."""
    return _decide(output, "reject", *case_and_version(which), reason=reason)


def later(output: Output, which: str, when: str) -> int:
    """Ask again at that time ("2d", "tomorrow 9:00", "Monday"), in the owner's time zone and working days."""
    return _decide(output, "later", *case_and_version(which), when=when)


def mine(output: Output, which: str) -> int:
    """The owner answers himself: the case closes and nothing is learnt."""
    return _decide(output, "mine", *case_and_version(which))


def order(output: Output, rows: Sequence[OrderRow[Any]], typed: Mapping[str, Any]) -> int:
    """Hand on an order, whichever it is. `rows`: those of its command; `typed`: its words and switches."""
    row, values = _meant(rows, typed)
    supplied = [argument for argument in row.arguments if values.get(argument.name)]
    arguments = {argument.name: _sent(argument, values[argument.name]) for argument in supplied}
    return _tell(output, row.key, arguments, row.command.event if row.command else "")


def _meant(rows: Sequence[OrderRow[Any]], typed: Mapping[str, Any]) -> tuple[OrderRow[Any], Mapping[str, Any]]:
    """The order of a command that is meant, by its switch or by the first word, and the values of its arguments."""
    if SWITCHING not in typed:
        return next((row for row in rows if row.command and typed.get(row.command.option)), rows[0]), typed
    words = [word.lower() for word in typed[SWITCHING] or ()]
    for row in rows:
        line = row.command
        if line and line.switch and words[:1] == [line.switch] and len(words) <= 1 + len(line.arguments):
            return row, dict(zip((argument.name for argument in line.arguments), words[1:], strict=False))
    name = rows[0].command.name if rows[0].command else ""
    if not words or f"{name} {' '.join(words)}" == rows[0].name:
        return rows[0], {}
    commands = ", or ".join(f"./deskhand {row.command.say}" for row in rows if row.command)
    raise NeedsOwner(f'There is nothing to {name} that is called "{" ".join(typed[SWITCHING])}".', f"Say {commands}.")


def _sent(argument: OrderArgument, value: Any) -> str | int:
    """An argument as it is sent to the service."""
    if argument.means == "case":
        return case_and_version(value)[0]
    return " ".join(value) if isinstance(value, list) else value


def settle(output: Output, which: str, word: str) -> int:
    """Say of a mail nobody knows to have left that it arrived, or have the same mail sent once more."""
    case, version = case_and_version(which)
    return _tell(output, "settle", {"case": case, "version": version, "word": word})


def service_must_run(home: Path) -> None:
    """Raises NotRunning when no service runs on this home."""
    if control.running(home) is None:
        raise control.NotRunning(
            f"Deskhand is not running on {home}.", "Start ./deskhand up, then give the command again."
        )


def _decide(output: Output, command: str, case: int, version: int, **arguments: Any) -> int:
    # One key per command given: if its answer is lost and it is given again, the ledger sees two answers, and the
    # version, which is consumed once, decides.
    try:
        return _tell(output, command, {"key": uuid.uuid4().hex, "case": case, "version": version, **arguments})
    except Permanent:
        views.require(views.open_ledger(output.home), case, version)  # a slip of the finger has a plainer answer
        raise


def _tell(output: Output, command: str, arguments: Mapping[str, Any], event: str = "") -> int:
    answer = asyncio.run(control.call(output.home, command, **arguments))
    well = bool(answer.get("ok"))
    sentence = str(answer.get("says") or ("done" if well else "refused"))
    reference = {key: arguments[key] for key in ("case", "version") if arguments.get(key)}
    output.event(event or command, **{**reference, **answer, "ok": well, "says": sentence})
    if well:
        output.text(sentence)
    else:
        print(printable(sentence), file=sys.stderr)
    return int(answer.get("code", 0 if well else 1))


def _text_of(file: Path) -> str:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except UnicodeDecodeError:
        raise NeedsOwner(f"{file} is not UTF-8 text.", "Save it as UTF-8.") from None
    except OSError as error:
        raise NeedsOwner(f"{file} cannot be read: {error.strerror}.", "Give the file that holds your text.") from None
    if not text.strip():
        raise NeedsOwner(f"{file} is empty.", "Write the whole text that is to be sent into it.")
    if len(text) > LARGEST_TEXT:
        raise NeedsOwner(f"{file} is too long ({len(text)} characters).", f"At most {LARGEST_TEXT} are sent.")
    return text
