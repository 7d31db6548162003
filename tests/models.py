"""A model behind a scripted server (servers/openai.py), as every test of an agent talks to one."""

from decimal import Decimal
from typing import Any

from agents.door.prices import Prices
from agents.model import Model
from memory.journal import Caps, Journal
from workers.clock import SystemClock

PLENTY = Caps(cost=Decimal(2), calls=5_000, tokens=10**9)


def model_at(url: str, journal: Journal, **changed: Any) -> Model:
    """The door to the model at this address, with caps that no test reaches unless it changes them."""
    given: dict[str, Any] = {"base_url": url, "name": "test-model", "journal": journal, "caps": PLENTY}
    return Model(**(given | {"prices": Prices.load(), "clock": SystemClock()} | changed))
