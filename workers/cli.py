"""The commands as the owner types them: names, arguments and help. Each does its work in `workers/commands/`.

Heavy modules are imported inside the commands, so that `--help` and `status` answer at once.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from workflows.rules.orders.lists import commands
from workflows.rules.orders.row import SWITCHING, OrderArgument, OrderRow

app = typer.Typer(
    name="deskhand",
    help="The hired hand for a one-person business: watches mail, drafts, asks, and acts only on your yes.",
    epilog="--home, --json and --debug may stand before or after the command. Exit codes: 0 done, 1 tried and failed, "
    "2 you must mend something first.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

START, LOOK, ANSWER, MEASURE = "Start", "Look", "Answer", "Try and measure"

CaseId = Annotated[str, typer.Argument(metavar="CASE", help="The case, with or without version: 41 or 41.2.")]


def hoist(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split the global options from the rest, wherever they stand: (global options, command and its arguments).

    What follows `test` belongs to the test runner, what follows `--` to nobody.
    """
    front: list[str] = []
    command: list[str] = []
    remaining = list(arguments)
    while remaining:
        word = remaining.pop(0)
        if word in {"--json", "--debug"} or word.startswith("--home="):
            front.append(word)
        elif word == "--home":
            front += [word, *remaining[:1]]
            del remaining[:1]
        else:
            command.append(word)
            if word == "--" or command == ["test"]:
                break
    return front, command + remaining


@app.callback()
def _globally(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where everything lasts. Else DESKHAND_HOME, else the XDG folder."),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout, nothing else.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
) -> None:
    # Not resolved here: that imports pydantic, which `--help` and `test` do without.
    context.obj = (home, as_json, debug)


def _output(context: typer.Context):  # type: ignore[no-untyped-def] # noqa: ANN202
    from workers.settings.environ import resolve_home
    from workers.voice.output import Output

    home, as_json, debug = context.obj
    return Output(resolve_home(home), as_json, debug)


# ---------------------------------------------------------------- start


@app.command(rich_help_panel=START)
def demo(
    context: typer.Context,
    story: Annotated[str, typer.Argument(metavar="[STORY]", help="Which story to show.")] = "reply",
    mail: Annotated[Path | None, typer.Option(metavar="FILE", help="Deliver this mail (.eml) as the client's.")] = None,
    answer: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Your answer, instead of asking on the terminal.")
    ] = None,
) -> int:
    """See the main job done once: no accounts, no keys, a throwaway home."""
    from workers.commands import running

    return running.demo(_output(context), story, mail, answer)


@app.command(rich_help_panel=START)
def init(
    context: typer.Context,
    answers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TOML or JSON with the keys of the settings, for scripts.")
    ] = None,
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Replace existing settings; the old file is kept aside.")
    ] = False,
    skip_login: Annotated[bool, typer.Option("--skip-login", help="Do not try the logins.")] = False,
) -> int:
    """Write the settings: finds the mail servers, tries both logins."""
    from workers.setup.init import init as write_settings

    return write_settings(_output(context), answers, force=force, skip_login=skip_login)


@app.command(rich_help_panel=START)
def check(
    context: typer.Context,
    *,
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="Send yourself a test approval to answer from each of your devices.")
    ] = False,
    seconds: Annotated[int, typer.Option(min=1, help="How long to look for answers, with --rehearse.")] = 600,
) -> int:
    """Probe every part and name each fault with its mend."""
    if rehearse:
        from workers.desk.rehearsal import rehearse as rehearse_answers

        return rehearse_answers(_output(context), seconds)
    from workers.check.run import check as probe_all

    return probe_all(_output(context))


@app.command(rich_help_panel=START)
def up(context: typer.Context) -> int:
    """Run the service until Ctrl-C or SIGTERM."""
    from workers.commands import running

    return running.up(_output(context))


# ---------------------------------------------------------------- look


@app.command(rich_help_panel=LOOK)
def status(context: typer.Context) -> int:
    """What it is doing, what waits for you, what is unwell, what was ignored and why."""
    from workers.commands import reading

    return reading.status(_output(context))


@app.command(rich_help_panel=LOOK)
def cases(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
    *,
    only_open: Annotated[bool, typer.Option("--open", help="Only those that are not closed.")] = False,
) -> int:
    """List what waits or ended, newest first."""
    from workers.commands import reading

    return reading.cases(_output(context), limit, only_open=only_open)


@app.command(rich_help_panel=LOOK)
def case(context: typer.Context, which: CaseId) -> int:
    """One case's whole story: mails, versions, answers, sends, and why."""
    from workers.commands import deciding, reading

    return reading.case(_output(context), deciding.case_and_version(which)[0])


@app.command(rich_help_panel=LOOK)
def ignored(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
) -> int:
    """What was skipped and why, each with the number that rescue takes."""
    from workers.commands import reading

    return reading.ignored(_output(context), limit)


@app.command(rich_help_panel=LOOK)
def calendar(
    context: typer.Context,
    days: Annotated[int, typer.Option(min=1, max=90, help="How many days ahead.")] = 7,
) -> int:
    """Ask your calendars, and list when you are taken, what could be offered, and what is held."""
    from workers.commands import calendar as calendars

    return calendars.show(_output(context), days)


@app.command(rich_help_panel=LOOK)
def promises(
    context: typer.Context,
    ending: Annotated[str, typer.Argument(metavar="[done | drop]", help="Say how one ended.")] = "",
    number: Annotated[int | None, typer.Argument(min=1, help="Its number in the list.")] = None,
) -> int:
    """What you promised clients in your own mail, until when; "done 3" and "drop 3" end one."""
    from workers.commands import promises as promising

    return promising.end(_output(context), ending, number) if ending else promising.show(_output(context))


@app.command(rich_help_panel=LOOK)
def tools(
    context: typer.Context,
    step: Annotated[str, typer.Argument(metavar="[new", help='"new" writes a plugin with its test.')] = "",
    name: Annotated[str, typer.Argument(metavar="NAME]", help="What the new plugin is called.")] = "",
) -> int:
    """List every tool of plugins and servers: what it may, whence it is, its last call, how it is. Or: new NAME."""
    from workers.commands import plugins

    return plugins.new(_output(context), step, name) if step else plugins.tools(_output(context))


# ---------------------------------------------------------------- answer


@app.command(rich_help_panel=ANSWER)
def approve(context: typer.Context, which: CaseId) -> int:
    """Send exactly this version. Without a version: shows the text and asks."""
    from workers.commands import deciding

    return deciding.approve(_output(context), which)


@app.command(rich_help_panel=ANSWER)
def edit(
    context: typer.Context,
    which: CaseId,
    file: Annotated[Path, typer.Argument(help='Your whole text; "-" reads standard input.')],
    *,
    send: Annotated[bool, typer.Option("--send", help="It is also the yes.")] = False,
) -> int:
    """Replace the draft by your text; it is shown once more, unless --send."""
    from workers.commands import deciding

    return deciding.edit(_output(context), which, file, send=send)


@app.command(rich_help_panel=ANSWER)
def reject(
    context: typer.Context,
    which: CaseId,
    reason: Annotated[list[str] | None, typer.Argument(help="Why, in your words.")] = None,
) -> int:
    """Send nothing and close the case; your reason is kept."""
    from workers.commands import deciding

    return deciding.reject(_output(context), which, " ".join(reason or ()))


@app.command(rich_help_panel=ANSWER)
def later(
    context: typer.Context,
    which: CaseId,
    when: Annotated[list[str], typer.Argument(help="2d, 3h, tomorrow 9:00, Monday ...")],
) -> int:
    """Ask again then."""
    from workers.commands import deciding

    return deciding.later(_output(context), which, " ".join(when))


@app.command(rich_help_panel=ANSWER)
def mine(context: typer.Context, which: CaseId) -> int:
    """You answer this one yourself; nothing is learnt."""
    from workers.commands import deciding

    return deciding.mine(_output(context), which)


@app.command(rich_help_panel=ANSWER)
def settle(
    context: typer.Context,
    which: CaseId,
    word: Annotated[str, typer.Argument(metavar="arrived|resend", help="What is true of it, or what to do.")],
) -> int:
    """Say of a mail that may or may not have left: it arrived, or send it once more."""
    from workers.commands import deciding

    return deciding.settle(_output(context), which, word)


# ---------------------------------------------------------------- orders


def _order(rows: Sequence[OrderRow[Any]]) -> None:
    """The command of these orders: its name, arguments and help come from their rows."""

    def run(context: typer.Context, **typed: Any) -> int:
        from workers.commands import deciding

        return deciding.order(_output(context), rows, typed)

    first = rows[0].command
    if first is not None:
        parameters = [inspect.signature(run).parameters["context"], *_parameters(rows)]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # what typer reads
        app.command(first.name, help=rows[0].command_help, rich_help_panel=first.panel)(run)


def _parameters(rows: Sequence[OrderRow[Any]]) -> Iterator[inspect.Parameter]:
    """What may follow a command, as typer takes it: the arguments of its first order, then the switches to others."""
    switches = [row.command for row in rows if row.command and row.command.switch]
    if words := [line for line in switches if not line.option]:
        metavar = " | ".join(line.usage.removeprefix(line.name).strip() for line in words)
        yield _parameter(SWITCHING, list[str], typer.Argument(None, metavar=f"[{metavar}]", help=words[0].switch_help))
    for argument in rows[0].arguments:
        yield _parameter(argument.name, _TYPES.get(argument.means, str), _argument(argument))
    for line in switches:
        if line.option:
            yield _parameter(line.option, bool, typer.Option(False, line.switch, help=line.switch_help))


def _argument(argument: OrderArgument) -> Any:
    name = argument.name.upper() if argument.means in {"word", "case"} else None
    least = 1 if argument.means == "number" else None
    return typer.Argument(None if argument.optional else ..., metavar=name, min=least, help=argument.help)


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


_TYPES: Mapping[str, Any] = {"number": int, "words": list[str], "time": list[str]}

for _rows in commands():
    _order(_rows)


# ---------------------------------------------------------------- try and measure


@app.command(
    rich_help_panel=MEASURE,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": ["--help"]},
)
def test(
    context: typer.Context,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Only what starts no server.")] = False,  # noqa: PT028
) -> int:
    """Run the whole suite; installs as root what it needs. What follows goes to pytest."""
    from workers.commands import running

    return running.test(context.args, quick=quick)


@app.command(rich_help_panel=MEASURE)
def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="One measurement; else all.")] = "",
    *,
    full: Annotated[bool, typer.Option("--full", help="The promised sizes.")] = False,
) -> int:
    """Measure against floors and rivals of the same run."""
    from workers.commands import bench as measurements

    return measurements.run(_output(context), name, full=full)
