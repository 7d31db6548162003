"""`status`, `cases`, `case`: look at the ledger, and for `status` ask the running service how it is."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from memory import views
from workers import control, home
from workers.clock import SystemClock
from workers.settings import loading
from workers.voice.desk_texts import not_chased
from workers.voice.output import Output, indented, shorten, table
from workflows.errors import DeskhandError, NeedsOwner
from workflows.stories import REPLY, begun_by

Facts = dict[str, Any]

# ---------------------------------------------------------------- status


def status(output: Output) -> int:
    """Show what Deskhand is doing, what waits and what is unwell; works with no service running."""
    zone = owner_zone(output.home)
    engine = views.open_ledger(output.home)
    facts = {
        "home": str(output.home),
        "service": _service(output.home),
        **views.status(engine, zone, SystemClock()),
        "spent_today": _spent(engine, zone),
    }
    facts["away_until"] = _still(facts["away_until"])
    facts["unwell"] = [*facts["service"].pop("unwell", []), *_unwell(output.home)]
    output.event("status", **facts)
    output.text(_status_text(facts))
    return 0


def _still(until: str) -> str:
    """The time while it lies ahead, else ""."""
    return until if until and datetime.fromisoformat(until) > SystemClock().now() else ""


def owner_zone(folder: Path) -> ZoneInfo:
    """The owner's time zone; UTC while the settings have a fault, for reading must work with broken ones too."""
    try:
        return ZoneInfo(loading.load(folder).owner.timezone)
    except NeedsOwner:
        return ZoneInfo("UTC")


def _service(folder: Path) -> Facts:
    service = control.running(folder)
    if service is None:
        return {"running": False, "doing": []}
    try:
        return {"running": True, "pid": service.pid, **asyncio.run(control.call(folder, "status"))}
    except control.NotRunning:
        return {"running": False, "doing": []}
    except NeedsOwner:
        return {"running": True, "pid": service.pid, "doing": []}  # an older service that does not tell
    except DeskhandError as error:
        return {"running": True, "pid": service.pid, "doing": [], "unwell": [str(error)]}


def _unwell(folder: Path) -> list[str]:
    free = home.free_bytes(folder)
    low = [f"Only {free // 2**20} MB are free where {folder} lies; free some space."]
    try:
        loading.load(folder)
    except NeedsOwner as error:
        return [str(error), *(low if free < home.LITTLE_SPACE else [])]
    return low if free < home.LITTLE_SPACE else []


def _spent(engine: Any, zone: ZoneInfo) -> Facts:
    from memory.journal import Journal

    spent = Journal(engine, SystemClock(), zone.key).spent_today()
    return {"calls": spent.calls, "tokens": spent.tokens, "cost": str(spent.cost)}


def _status_text(facts: Facts) -> str:
    service = facts["service"]
    lines = [
        f"Deskhand is running (process {service['pid']}) on {facts['home']}."
        if service["running"]
        else f"Deskhand is not running on {facts['home']}. Start ./deskhand up."
    ]
    lines += [f"Nothing goes out since {facts['stopped']}, until ./deskhand resume."] if facts["stopped"] else []
    lines += [f"You are away until {_short(facts['away_until'])}: nothing expires."] if facts["away_until"] else []
    lines += [f"  {activity}" for activity in service.get("doing", [])]
    lines += _block("Waits for your answer", [_waiting(row) for row in facts["waiting"]])
    lines += _block(
        "Put off by you", [f"{_waiting(row)}, again {_short(row['later_until'])}" for row in facts["later"]]
    )
    lines += _block("Drafted, in the next digest", [_what(row) for row in facts["unshown"]])
    lines += _block("Needs you", [f"{row['case']}  {row['title']}: {row['reason']}" for row in facts["needs_you"]])
    lines += _block("Under way", [f"{row['case']}  {row['title']} ({row['stage']})" for row in facts["working"]])
    lines += _block(
        "Bids out: say won, lost or no answer", [f"{row['case']}  {row['title']}" for row in facts["placed"]]
    )
    lines += _block("Held, not yet sent", [_held_text(send) for send in facts["held"]])
    lines += _block("Not known whether sent", [_send_text(send) for send in facts["unsettled"]])
    lines += _block("Could not be sent", [_send_text(send) for send in facts["failed"]])
    lines += _block("On hold", [f"{hold['client']}: {hold['reason']}" for hold in facts["held_clients"]])
    lines += _block("Owed and not chased", [not_chased(debt, "en") for debt in facts["not_chased"]])
    lines += _block("Paused by you", [f"{pause['client']}: {pause['mails']} mails since" for pause in facts["paused"]])
    lines += _block("Unwell", facts["unwell"])
    lines += _skipped("Ignored", facts["ignored"])
    lines += _skipped("Quarantined", facts["quarantined"])
    spent = facts["spent_today"]
    lines += ["", f"Model today: {spent['calls']} calls, {spent['tokens']} tokens, cost {spent['cost']}."]
    if facts["undelivered"]:
        lines.append(f"{facts['undelivered']} mails are recorded and not yet taken up.")
    return "\n".join(lines)


def _block(title: str, lines: list[str]) -> list[str]:
    return ["", f"{title}:", *(f"  {' '.join(line.split())}" for line in lines)] if lines else []


def _waiting(one: Facts) -> str:
    return f"{_what(one)}, until {_short(one['expires_at'])}" if one["expires_at"] else _what(one)


def _what(one: Facts) -> str:
    return f"{one['case']}.{one['version']}  {one['client']}: {_subject(one)}"


def _subject(one: Facts) -> str:
    """The title without the person's name, which stands beside it."""
    return str(one["title"]).removeprefix(f"{one['client']}: ")


def _held_text(one: Facts) -> str:
    """Why it has not left, and until when; without a time only the owner's word or another mail ends it."""
    label = f"{one['case']}.{one['version']}" if one["case"] else one["intent"]
    reason = one["detail"] or "just leaving"
    until = f" Looked at again {_short(one['until'])}." if one["until"] else ""
    return f"{label} to {', '.join(one['to'])} ({one['state']}, {_short(one['at'])}): {reason.rstrip('.')}.{until}"


def _send_text(one: Facts) -> str:
    label = f"{one['case']}.{one['version']}" if one["case"] else one["intent"]
    return f"{label} to {', '.join(one['to'])} ({one['state']}, {_short(one['at'])}) {one['detail']}"


def _skipped(title: str, facts: Facts) -> list[str]:
    if not facts["total"]:
        return []
    rules = ", ".join(f"{rule} {count}" for rule, count in facts["by_rule"].items())
    last = [
        f"{_short(mail['at'])}  {shorten(mail['sender'], 40)}  {shorten(mail['subject'], 50)}: {mail['reason']}"
        for mail in facts["last"]
    ]
    head = f"{title} so far: {facts['total']} ({rules})"
    return _block(f"{head}; the last", last) if last else ["", f"{head}."]


def _short(moment: str) -> str:
    return f"{datetime.fromisoformat(moment):%a %d %b %H:%M}" if moment else "-"


# ---------------------------------------------------------------- what was skipped


def ignored(output: Output, limit: int) -> int:
    """List what was skipped and why, newest first; the numbers are for `rescue`."""
    mails = views.ignored(views.open_ledger(output.home), owner_zone(output.home), limit)
    for mail in mails:
        output.event("ignored", **mail)
    rows = [("NUMBER", "WHEN", "SENDER", "SUBJECT", "WHY"), *(_ignored_row(row) for row in mails)]
    output.text(table(rows, {2: 32, 3: 40, 4: 80}) if mails else "Nothing was skipped yet.")
    return 0


def _ignored_row(one: Facts) -> tuple[str, ...]:
    return str(one["number"]), _short(one["at"]), one["sender"], one["subject"], one["reason"]


# ---------------------------------------------------------------- cases


def cases(output: Output, limit: int, *, only_open: bool) -> int:
    """List what waits or ended, newest first."""
    listing = views.cases(views.open_ledger(output.home), owner_zone(output.home), limit, only_open=only_open)
    for row in listing:
        output.event("case", **row)
    rows = [("CASE", "KIND", "STAGE", "CLIENT", "SUBJECT", "SINCE", ""), *(_case_row(facts) for facts in listing)]
    output.text(table(rows, {3: 28, 4: 44, 6: 40}) if listing else _NO_CASES[only_open])
    return 0


_NO_CASES = {True: "No case is open.", False: "There are no cases yet."}


def _case_row(one: Facts) -> tuple[str, ...]:
    number = f"{one['case']}.{one['version']}" if one["version"] else str(one["case"])
    stage = one["outcome"] if one["closed_at"] and one["outcome"] else one["stage"].replace("_", " ")
    return number, one["kind"], stage, one["client"], _subject(one), _short(one["updated_at"]), one["reason"]


# ---------------------------------------------------------------- one case


def case(output: Output, number: int) -> int:
    """Tell one case's whole story: mails, every version with its text, answers, sends, and why."""
    facts = views.case(views.open_ledger(output.home), owner_zone(output.home), SystemClock(), number)
    output.event("case", **facts)
    output.text(_story(facts))
    return 0


def _story(facts: Facts) -> str:
    stage = f"closed: {facts['outcome']}" if facts["closed_at"] else facts["stage"].replace("_", " ")
    lines = [
        f"Case {facts['case']}: {facts['title']}",
        " · ".join(part for part in (facts["client"], facts["kind"], stage) if part),
    ]
    lines += [f"Reason: {facts['reason']}"] if facts["reason"] else []
    happened: list[tuple[str, str]] = [
        *((mail["at"], _mail_text(mail)) for mail in facts["mails"]),
        *((version["at"], _version_text(version)) for version in facts["versions"]),
        *((answer["at"], _answer_text(answer)) for answer in facts["answers"]),
        *((send["at"], _sending_text(send)) for send in facts["sends"]),
        *((call["at"], _call_text(call)) for call in facts["calls"]),
        *((note["at"], note["what"]) for note in facts["notes"]),
    ]
    for moment, text in sorted(happened, key=lambda pair: datetime.fromisoformat(pair[0])):
        lines += ["", f"{_short(moment)}  {text}"]
    if facts["sources"]:
        lines += ["", "What memory gave:"]
        lines += [
            f"  {source['id']} ({source['kind']}): {' '.join(source['quote'].split())}" for source in facts["sources"]
        ]
    if facts["facts"]:
        lines += ["", "What it rests on:"]
        lines += [f"  {fact['id']} ({fact['kind']}): {' '.join(fact['quote'].split())}" for fact in facts["facts"]]
    lines += ["", *facts["score"]] if facts["score"] else []
    return "\n".join(lines)


def _mail_text(one: Facts) -> str:
    if one["rule"] == "news":
        return str(one["subject"])
    began = "You wrote" if one["kind"] == "sent" else (begun_by(one["kind"]) or REPLY).began
    heading = began.format(sender=one["sender"])
    text = f"\n{indented(one['text'])}" if one["text"] else ""
    return f'{heading} "{one["subject"]}" ({one["rule"]}: {one["reason"]}){text}'


def _version_text(one: Facts) -> str:
    model = f"model {one['model']}, cost {one['cost']}" if one["model"] else f"by {one['by']}"
    lines = [f"Version {one['version']} ({one['state']}), {model}: {one['gist']}"]
    lines += [f"    Changed: {one['changed']}"] if one["changed"] else []
    lines += [f"    Why: {reason}" for reason in one["why"]]
    lines += [f"    Sources: {', '.join(one['sources'])}"] if one["sources"] else []
    lines += [f"    To: {one['to']}", f"    Subject: {one['subject']}", "", indented(one["body"])]
    return "\n".join(lines)


def _answer_text(one: Facts) -> str:
    words = f' "{one["words"]}"' if one["words"] else ""
    result = f" -> {one['result']}" if one["result"] else ""
    return f"Your answer to version {one['version']} by {one['via']}: {one['decision']}{words}{result}"


def _sending_text(one: Facts) -> str:
    detail = f": {one['detail']}" if one["detail"] else ""
    return f"{one['purpose']} mail to {', '.join(one['to'])}: {one['state']} {one['message_id']}{detail}"


def _call_text(one: Facts) -> str:
    cost = one["cost"] or "unpriced"
    tokens = f"{one['input_tokens']} + {one['output_tokens']} tokens"
    return f"Model call {one['step']} #{one['ordinal']} ({one['model']}, {one['state']}): {tokens}, cost {cost}"
