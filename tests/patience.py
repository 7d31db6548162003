"""How long a test or a measurement waits for what should come: on a busy machine a generous limit costs nothing.

What is waited for ends the wait; the limit is only for what never comes. Whether something is fast is measured under
bench/, or in processor time, which other programs do not lengthen.
"""

PATIENCE = 120.0
SHORTEST = 60.0
"""No wait for something that should come may be given up sooner; tests/shape/test_patience.py reads every limit."""


class WaitedInVainError(AssertionError):
    """What was waited for did not come: a sentence that says what, and how long."""
