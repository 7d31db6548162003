"""What can go wrong, by what to do now.

DeskhandError
├── Retryable     trying again helps: a server is away, a connection dropped
├── Permanent     trying again does not help: this one item is refused or broken
│   └── OutOfStep a run in Temporal is behind the ledger: it ends, and its case is begun anew from there
└── NeedsOwner    the owner must mend something first: password, settings, disk

Every message is one plain sentence: what, where, and the mend. Only the activity edge turns these into
Temporal's `ApplicationError`; only `workers/__main__.py` turns them into exit codes (NeedsOwner: 2, others: 1).
"""


class DeskhandError(Exception):
    """The base of every error Deskhand raises on purpose."""


class Retryable(DeskhandError):
    """Trying again helps. `after`: seconds the other side asked us to wait first, 0 when it named none."""

    def __init__(self, *args: object, after: float = 0.0) -> None:
        super().__init__(*args)
        self.after = after


class Permanent(DeskhandError):
    """Trying again does not help; the item at hand is set aside and told."""


class OutOfStep(Permanent):
    """A state that is older than what the ledger has: somebody began, reset or repeated what was over."""


class NeedsOwner(DeskhandError):
    """The owner must mend something first."""

    def __init__(self, problem: str, mend: str = "") -> None:
        super().__init__(f"{problem} {mend}".strip())
        self.problem = problem
        self.mend = mend
