"""Order row: what a row of the table of orders says, by mail, at the machine and on the pages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, Literal, get_args

from workflows.models.orders import Change, Fix, NotUnderstood, Order, StopAll
from workflows.models.routes import Asked
from workflows.rules.orders import readers
from workflows.rules.orders.readers import AnyOrder, Spoken

DESK, MONEY = "The desk", "Money and bids"
SWITCHING: Final = "what"
"""What the words are called that follow a command whose first word says which order is meant ("stop auto reply")."""


@dataclass(frozen=True, slots=True)
class HelpLine:
    """An order as it is written in a mail, and what it does."""

    example: str
    does: str
    more: str = ""  # what docs/approval.md says besides


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderArgument:
    """What follows a command at the machine."""

    name: str  # as the usage shows it and the service is told it
    help: str
    field: str = ""  # of the order's value, where it is called otherwise
    means: Literal["words", "word", "case", "number", "time", "kind"] = "words"
    optional: bool = False
    say: str = ""  # times that are understood, for one that is not


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """How an order is given at the machine."""

    name: str  # the command; orders may share one, the others by a switch
    arguments: tuple[OrderArgument, ...] = ()
    switch: str = ""  # "--stop", or a first word ("auto"), which means this order
    switch_help: str = ""
    panel: str = DESK
    help: str = ""  # of `--help`, for all orders of the command; "": what the first line of the help mail says
    page: str = ""  # what docs/commands.md says; "": as well
    say: str = ""  # with what follows the program's name, for words that mean no order of this command
    event: str = ""  # the event of `--json`; "": the order's key

    @property
    def usage(self) -> str:
        """Such as: paid NUMBER [AMOUNT]."""
        labels = [(argument.name.upper(), argument.optional) for argument in self.arguments]
        names = [f"[{name}]" if optional else name for name, optional in labels]
        parts = (self.name, *names, self.switch) if self.switch.startswith("-") else (self.name, self.switch, *names)
        return " ".join(part for part in parts if part)

    @property
    def option(self) -> str:
        """The switch as an argument's name ("stop" of "--stop"); "" for a first word, and where there is none."""
        return self.switch.removeprefix("--").replace("-", "_") if self.switch.startswith("--") else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow(Generic[AnyOrder]):
    """Everything that is told of one order."""

    key: str  # of its words in each language; also what the running service is told
    order: type[AnyOrder]
    name: str  # as a person writes it in English
    read: Callable[[Spoken], Order | NotUnderstood]  # its own order; "promise 3 done" is its neighbour's
    fixed: Mapping[str, str] = field(default_factory=dict)  # what its value always holds
    alone: str = ""  # the key of words that mean it too, but never in an answer to an approval mail
    counts: Callable[[AnyOrder, Asked], bool] = readers.always  # in an answer to an approval mail
    help: tuple[HelpLine, ...] = ()
    subject: tuple[str, str] = ("", "")  # of the notice: done, not done; "" where none is sent or it varies
    command: CommandLine | None = None

    @property
    def arguments(self) -> tuple[OrderArgument, ...]:
        """What follows its command at the machine."""
        return self.command.arguments if self.command else ()

    @property
    def command_help(self) -> str:
        """What `--help` says of its command."""
        return (self.command and self.command.help) or f"{self._does[:1].upper()}{self._does[1:]}."

    @property
    def command_page(self) -> str:
        """What docs/commands.md says of its command."""
        return (self.command and self.command.page) or self._does

    @property
    def _does(self) -> str:
        return self.help[0].does if self.help else ""

    def means(self, order: Order) -> bool:
        """Whether this row is the order's."""
        return type(order) is self.order and all(getattr(order, name) == was for name, was in self.fixed.items())

    @property
    def changes(self) -> bool:
        """Whether it changes something, and does not only hold: a question mark makes it doubtful.

        The owner is asked before it is carried out for a mail that answers none of ours.
        """
        return self.order in {*get_args(Change), Fix} and self.order is not StopAll
