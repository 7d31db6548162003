"""Orders that are asked back: kept until the owner says ok or no, each decided once."""

from dataclasses import replace
from typing import Literal, cast

from sqlalchemy import Connection, select, update

from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.schema import asked_back, from_json, to_json
from workflows.models.orders import AskedBack

State = Literal["asked", "done", "dropped"]


class AskedOrders(Book):
    """The orders that wait for the owner's word, or did."""

    def ask_back(self, asked: AskedBack) -> AskedBack:
        """Keep an order that is asked about, once per key: the one that is kept."""
        row = insert(asked_back).values(key=asked.key, asked=to_json(asked), state="asked", at=self._clock.now())
        with self._writing() as connection:
            connection.execute(row.on_conflict_do_nothing(index_elements=["key"]))
            return _read(connection, asked.key) or asked

    def asked_back(self, key: str) -> AskedBack | None:
        """The order that was asked about under this key, and how it stands."""
        with self._reading() as connection:
            return _read(connection, key)

    def decide_asked_back(self, key: str, state: Literal["done", "dropped"]) -> None:
        """The owner's first word on it stands."""
        waits = (asked_back.c.key == key) & (asked_back.c.state == "asked")
        with self._writing() as connection:
            connection.execute(update(asked_back).where(waits).values(state=state))


def _read(connection: Connection, key: str) -> AskedBack | None:
    row = connection.execute(select(asked_back).where(asked_back.c.key == key)).first()
    return None if row is None else replace(from_json(AskedBack, row.asked), state=cast("State", row.state))
