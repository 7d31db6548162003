"""The owner's answers at the machine: the running service carries them out, as it does those by mail."""

import asyncio
import re
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from memory import views
from workers import control
from workers.clock import SystemClock
from workers.voice.output import Output, printable
from workflows.errors import NeedsOwner, Permanent

LARGEST_TEXT = 200_000
"""Characters of an edited text."""


def case_and_version(text: str) -> tuple[int, int]:
    """Read "41.2" as (41, 2), "41" as (41, 0): 0 means the current version.

    Raises:
        NeedsOwner: it is neither.
    """
    found = re.fullmatch(r"([1-9]\d{0,8})(?:\.([1-9]\d{0,3}))?", text)
    if not found:
        raise NeedsOwner(f'"{text}" is not a case.', "Give its number, or number and version: 41 or 41.2.")
    return int(found.group(1)), int(found.group(2) or 0)


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


def stop(output: Output, what: Sequence[str] = ()) -> int:
    """Stop everything that goes out, until `resume`; with "auto" and a kind, end the standing yes for it alone."""
    match [word.lower() for word in what]:
        case [] | ["all"]:
            return _tell(output, "stop", {})
        case ["auto"]:
            return _tell(output, "stop_auto", {})
        case ["auto", kind]:
            return _tell(output, "stop_auto", {"kind": kind})
    raise NeedsOwner(
        f'There is nothing to stop that is called "{" ".join(what)}".',
        "Say ./deskhand stop for everything, or ./deskhand stop auto reply for the standing yes.",
    )


def auto(output: Output, kind: str) -> int:
    """Give the standing yes for a kind of mail."""
    return _tell(output, "auto", {"kind": kind})


def resume(output: Output, client: str) -> int:
    """Go on after `stop`, or with one paused client."""
    return _tell(output, "resume", {"client": client} if client else {})


def pause(output: Output, client: str) -> int:
    """Nothing to this client until `resume CLIENT`."""
    return _tell(output, "pause", {"client": client})


def away(output: Output, until: str) -> int:
    """Stop reminders and expiry until then ("14 Aug", "2d", "Monday 9:00")."""
    return _tell(output, "away", {"until": until})


def back(output: Output) -> int:
    """End `away`."""
    return _tell(output, "back", {})


def rescue(output: Output, number: int) -> int:
    """Make work of a mail that was skipped; `ignored` gives the numbers."""
    return _tell(output, "rescue", {"number": number})


def fix(output: Output, which: str, words: str) -> int:
    """Draft a correction of what the case sent, to the same client in the same thread."""
    case, _ = case_and_version(which)
    return _tell(output, "fix", {"key": uuid.uuid4().hex, "case": case, "words": words})


def paid(output: Output, number: str, amount: str) -> int:
    """The invoice is paid, in whole or with this amount."""
    return _tell(output, "paid", {"what": number, "amount": amount})


def promised(output: Output, number: str, when: str) -> int:
    """They pay by then: nothing is chased before."""
    return _tell(output, "promised", {"what": number, "when": when})


def dispute(output: Output, number: str, reason: str) -> int:
    """They contest it: nothing is chased until `chase`."""
    return _tell(output, "dispute", {"what": number, "reason": reason})


def chase(output: Output, client: str, *, stop: bool) -> int:
    """Remind this client again, or (`stop`) no more."""
    return _tell(output, "chase", {"client": client, "stop": stop})


def ended(output: Output, which: str, result: str, reason: str) -> int:
    """How a bid ended: "won", "lost" or "no-answer"."""
    case, _ = case_and_version(which)
    return _tell(output, "ended", {"case": case, "result": result, "reason": reason})


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


def _tell(output: Output, command: str, arguments: dict[str, Any]) -> int:
    answer = asyncio.run(control.call(output.home, command, **arguments))
    well = bool(answer.get("ok"))
    says = str(answer.get("says") or ("done" if well else "refused"))
    shown = {key: arguments[key] for key in ("case", "version") if arguments.get(key)}
    output.event(command, **{**shown, **answer, "ok": well, "says": says})
    if well:
        output.text(says)
    else:
        print(printable(says), file=sys.stderr)
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
