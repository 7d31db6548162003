"""`python -m workers`: run a command, and turn what went wrong into one plain sentence and an exit code.

0 done · 1 it was tried and failed · 2 the owner must mend something first. Never a traceback without `--debug`.
"""

import json
import os
import sys
import traceback
from collections.abc import Sequence

from workflows.errors import DeskhandError, NeedsOwner

INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit code."""
    os.umask(0o077)  # whatever a command writes is the owner's alone
    front: list[str] = []
    try:
        from workers.cli import app, hoist  # here, so that Ctrl-C while it loads ends as any other

        front, command = hoist(arguments)
        code = app(args=[*front, *command], prog_name="./deskhand", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has what it wanted ("| head"); the interpreter must not complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001 - the one place where errors end
        if "--debug" in front:
            traceback.print_exc()
        return _tell(error, as_json="--json" in front)


def _tell(error: Exception, *, as_json: bool) -> int:
    import typer

    if isinstance(error, typer.Abort):
        return INTERRUPTED
    problem, mend, code = _sentence(error)
    if not problem:  # a bare "./deskhand": the help is shown already
        return code
    if as_json:
        print(json.dumps({"event": "error", "problem": problem, "mend": mend}), flush=True)
    print(f"{problem} {mend}".strip(), file=sys.stderr, flush=True)
    return code


def _sentence(error: Exception) -> tuple[str, str, int]:
    """What happened, the mend, and the exit code."""
    import typer

    if isinstance(error, NeedsOwner):
        return error.problem, error.mend, 2
    if isinstance(error, DeskhandError):
        return str(error), "", 1
    if isinstance(error, typer.TyperException):
        words = " ".join(error.format_message().partition(", unable to")[0].split())
        return words if not words or words[-1] in ".?!" else f"{words}.", "See ./deskhand --help.", 2
    description = f"{type(error).__name__}: {error}".splitlines()[0]
    return f"Deskhand met an error it did not expect ({description}).", "Run it again with --debug to see where.", 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
