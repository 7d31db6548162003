"""`init`: writes the settings, from questions on a terminal or from a file of answers.

It finds the servers and tries both logins; nothing is written before they worked (unless `--skip-login`), and older
settings are kept aside.
"""

import asyncio
import getpass
import json
import os
import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import tomlkit
import typer
from pydantic import SecretStr

from tools.money.invoices import TEMPLATE
from tools.work import projects
from workers import home as homes
from workers.settings import environ, loading
from workers.settings import schema as settings
from workers.settings.schema import Settings
from workers.setup.discovery import Finder, MailServers
from workers.voice.output import Output
from workflows.errors import DeskhandError, NeedsOwner
from workflows.rules.text.languages import language_of_country

Values = dict[str, dict[str, Any]]
"""Section -> key -> value, as in the settings file."""

TRIES = 3
_MOSTLY = {"CH": "de"}
"""The language of most where there are several."""


def init(output: Output, answers: Path | None, *, force: bool, skip_login: bool, finder: Finder | None = None) -> int:
    """Write the settings of this home.

    Raises:
        NeedsOwner: settings are there already, an answer is missing or wrong, or a login was refused.
    """
    path = output.home / loading.FILE
    if answers is None and not sys.stdin.isatty():
        raise NeedsOwner(
            "There is no terminal to ask on.", "Give your answers in a file: ./deskhand init --answers FILE."
        )
    supplied = _answered(answers) if answers else None
    _agree_to_replace(path, force=force, may_ask=supplied is None)
    homes.prepare(output.home)
    finder = finder or Finder(say=output.progress)
    values = _complete(output, supplied, finder) if supplied is not None else _ask(output, finder)
    passwords = _taken_out(values)
    loading.check_values(values, path)
    if not skip_login:
        passwords = _logged_in(output, values, passwords, may_ask=supplied is None)
    _write(output.home, values, passwords)
    output.event("written", path=str(path))
    output.text(f"Written: {path}\nNext: ./deskhand check, then ./deskhand up.")
    return 0


def _agree_to_replace(path: Path, *, force: bool, may_ask: bool) -> None:
    if not path.exists() or force:
        return
    if may_ask and typer.confirm(f"{path} exists. Replace it? (The old one is kept aside.)", default=False):
        return
    raise NeedsOwner(f"{path} exists and was left as it is.", "Edit it, or run ./deskhand init --force to replace it.")


# ---------------------------------------------------------------- from a file


def _answered(path: Path) -> Values:
    """The answers of a TOML or JSON file: sections and keys of the settings, and `password` at its top."""
    try:
        text = path.read_text("utf-8-sig")
        parsed = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except OSError as error:
        raise NeedsOwner(f"{path} cannot be read: {error.strerror}.", "Give a file with your answers.") from None
    except ValueError as error:
        raise NeedsOwner(f"{path} is neither TOML nor JSON: {error}.", "Mend it; docs/settings.md shows one.") from None
    values: Values = {key: dict(value) for key, value in parsed.items() if isinstance(value, Mapping)}
    loose = {key: value for key, value in parsed.items() if not isinstance(value, Mapping)}
    if "password" in loose:
        values.setdefault("imap", {}).setdefault("password", loose.pop("password"))
    if loose:
        raise NeedsOwner(f'{path}: "{next(iter(loose))}" stands outside of any section.', "Put it under its [section].")
    return values


def _complete(output: Output, given: Values, finder: Finder) -> Values:
    """The given answers with the servers found and the zone guessed, where they were left out."""
    values = deepcopy(given)
    owner = values.setdefault("owner", {})
    address = str(owner.get("address", ""))
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
        raise NeedsOwner("The answers hold no mail address.", 'Add address = "you@example.com" under [owner].')
    owner.setdefault("timezone", guess_zone() or "UTC")
    if not values.get("imap", {}).get("host") or not values.get("smtp", {}).get("host"):
        servers = finder.find(address)
        if servers is None:
            raise _not_found(address)
        _fill(output, values, servers)
    return values


def _fill(output: Output, values: Values, found: MailServers) -> None:
    for name, server in (("imap", found.imap), ("smtp", found.smtp)):
        section = values.setdefault(name, {})
        if not section.get("host"):
            section.update(host=server.host, port=server.port, tls=server.tls)
    values["imap"].setdefault("user", found.user)
    _show(output, found)


def _show(output: Output, found: MailServers) -> None:
    servers = {name: f"{server.host}:{server.port}" for name, server in (("imap", found.imap), ("smtp", found.smtp))}
    output.event("found", **servers, user=found.user, source=found.source, note=found.note)
    output.text(f"Found by {found.source}: IMAP {servers['imap']}, SMTP {servers['smtp']}.")
    if found.note:
        output.progress(f"Note: {found.note}")


def _not_found(address: str) -> NeedsOwner:
    domain = address.rpartition("@")[2]
    return NeedsOwner(
        f"No mail servers were found for {domain}.",
        "Your provider's help page names them; give them as imap.host and smtp.host.",
    )


# ---------------------------------------------------------------- on a terminal


def _ask(output: Output, finder: Finder) -> Values:
    address = _prompt("Your mail address", _is_address)
    values: Values = {"owner": {"address": address}}
    _ask_servers(output, values, finder)
    output.text("The password is kept in a file that only you can read (keys/imap).")
    values["imap"]["password"] = _hidden(f"Password of {values['imap']['user']}")
    owner = values["owner"]
    owner["name"] = _prompt("Your name, as clients see it", lambda text: "" if text else "Give a name.")
    owner["timezone"] = _prompt("Time zone", _is_zone, default=guess_zone() or "UTC")
    owner["hours"] = _prompt("Working hours", _anything, default="Mon-Fri 09:00-18:00")
    country = environ.language_hint()[3:]
    owner["country"] = _prompt("Country, two letters", _is_country, default=country or "DE").upper()
    spoken = language_of_country(owner["country"]) or _MOSTLY.get(owner["country"], "en")
    owner["language"] = _prompt(
        "Your language, two letters",
        _is_language,
        default=spoken,
    )
    rate = _prompt("Your rate (empty: leave it out)", _anything, default="")
    skills = _prompt("Your skills, comma between (empty: leave out)", _anything, default="")
    values["profile"] = {"rate": rate, "skills": [part.strip() for part in skills.split(",") if part.strip()]}
    return values


def _ask_servers(output: Output, values: Values, finder: Finder) -> None:
    address = values["owner"]["address"]
    try:
        servers = finder.find(address)
    except NeedsOwner as error:
        output.text(str(error))
        servers = None
    if servers:
        _fill(output, values, servers)
        if typer.confirm("Use these?", default=True):
            return
    for name, port in (("imap", 993), ("smtp", 465)):
        host = _prompt(f"{name.upper()} server", lambda text: "" if text else "Give the server's name.")
        number = typer.prompt("Port", default=port, type=int, err=True)
        values[name] = {"host": host, "port": number}
    values["imap"]["user"] = _prompt("Login name", _anything, default=address)


def _prompt(question: str, problem: Callable[[str], str], default: str | None = None) -> str:
    while True:
        text = str(typer.prompt(question, default=default, show_default=bool(default), err=True)).strip()
        wrong = problem(text)
        if not wrong:
            return text
        print(wrong, file=sys.stderr)


def _hidden(question: str) -> str:
    # getpass turns the echo off before it asks; typer's own prompt after, so that a quick hand could be seen or lost.
    while True:
        password = getpass.getpass(f"{question}: ", stream=sys.stderr)
        if password:
            return password


def _anything(_text: str) -> str:
    return ""


def _is_address(text: str) -> str:
    return "" if re.fullmatch(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+", text) else "That is not a mail address."


def _is_zone(text: str) -> str:
    return "" if text in available_timezones() else 'Give a zone such as "Europe/Berlin".'


def _is_country(text: str) -> str:
    return "" if re.fullmatch(r"[A-Za-z]{2}", text) else 'Give two letters such as "DE".'


def _is_language(text: str) -> str:
    return "" if re.fullmatch(r"[a-z]{2}", text) else 'Give two small letters such as "en".'


def guess_zone() -> str:
    """The machine's time zone by its usual files, "" when they do not tell."""
    hint = environ.zone_hint()
    if hint:
        return hint
    candidates = [str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]]
    named = Path("/etc/timezone")
    candidates += [named.read_text("utf-8").strip()] if named.is_file() else []
    return next((name for name in candidates if name in available_timezones()), "")


# ---------------------------------------------------------------- logins


def _taken_out(values: Values) -> dict[str, str]:
    """The passwords, moved out of the values: they are kept in files under keys/."""
    passwords = {}
    for section in ("imap", "smtp"):
        password = values.get(section, {}).pop("password", "")
        if password:
            passwords[section] = str(password)
            values[section]["password_file"] = f"keys/{section}"
    return passwords


def _logged_in(output: Output, values: Values, passwords: dict[str, str], *, may_ask: bool) -> dict[str, str]:
    """The passwords with which both logins worked; on a terminal a refused one may be given again."""
    for attempt in range(1, TRIES + 1):
        try:
            _try_logins(output, values, passwords)
        except DeskhandError as error:
            if not may_ask or attempt == TRIES:
                raise
            output.text(str(error))
            passwords = {**passwords, "imap": _hidden("Password, once more")}
        else:
            break
    return passwords


def _try_logins(output: Output, values: Values, passwords: Mapping[str, str]) -> None:
    from workers.check.connecting import imap_login, smtp_login

    trial = _trial(values, passwords)
    for name, account, login in (
        ("imap", trial.imap_account(output.home), imap_login),
        ("smtp", trial.smtp_account(output.home), smtp_login),
    ):
        output.progress(f"Trying the login at {account.host} ...")
        asyncio.run(login(account))
        output.event("login", part=name, host=account.host, ok=True)


def _trial(values: Values, passwords: Mapping[str, str]) -> Settings:
    """Settings that hold the passwords themselves: nothing is written before they worked."""
    inline = deepcopy(values)
    for section, password in passwords.items():
        inline[section] = {**inline[section], "password": SecretStr(password), "password_file": ""}
    return Settings(**inline)  # type: ignore[arg-type]


# ---------------------------------------------------------------- writing


def _write(home: Path, values: Values, passwords: Mapping[str, str]) -> None:
    try:
        for section, password in passwords.items():
            _replace(home / "keys" / section, f"{password}\n")
        path = home / loading.FILE
        if path.exists():
            _keep_aside(path)
        _replace(path, _document(values))
        _lay_template(home / str(values.get("money", {}).get("invoices", "invoices")), "template.csv", TEMPLATE)
        _lay_template(
            home / str(values.get("work", {}).get("projects", "projects")), projects.UNREAD, projects.TEMPLATE
        )
        sheets = home / str(values.get("work", {}).get("timesheets", "timesheets"))
        sheets.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise NeedsOwner(
            f"The settings in {home} cannot be written: {error.strerror}.", "Free some space or mend its permissions."
        ) from error


def _lay_template(folder: Path, name: str, text: str) -> None:
    """A folder with a file to fill in, where there is none yet."""
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        _replace(folder / name, text)


def _keep_aside(path: Path) -> None:
    number = next(number for number in range(1, 1000) if not path.with_name(f"{path.name}.old-{number}").exists())
    path.rename(path.with_name(f"{path.name}.old-{number}"))


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _document(values: Values) -> str:
    """The settings file: the sections in their usual order, each key with what was given."""
    document = tomlkit.document()
    document.add(
        tomlkit.comment("Deskhand's settings. docs/settings.md describes every key; left out ones have a default.")
    )
    for section, names in settings.keys().items():
        entries = {name: values[section][name] for name in names if name in values.get(section, {})}
        if entries:
            part = tomlkit.table()
            for name, value in entries.items():
                part.add(name, value)
            document.add(tomlkit.nl())
            document.add(section, part)
    return tomlkit.dumps(document)
