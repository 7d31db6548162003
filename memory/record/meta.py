"""Meta: what a home remembers by name, one text each. The one reader and writer of the table `meta`."""

from sqlalchemy import Connection, select

from memory.record.dialect import insert
from memory.tables.house import meta


def read_meta(connection: Connection, key: str) -> str | None:
    """The text of that name; None when there never was one."""
    return connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()


def read_metas(connection: Connection, prefix: str) -> dict[str, str]:
    """The texts whose names begin like this, in the order of their coming."""
    query = select(meta.c.key, meta.c.value).where(meta.c.key.startswith(prefix, autoescape=True))
    return {row.key: row.value for row in connection.execute(query)}


def write_meta(connection: Connection, key: str, value: str) -> None:
    """Keep this text under that name, whatever stood there."""
    row = insert(meta).values(key=key, value=value)
    connection.execute(row.on_conflict_do_update(index_elements=["key"], set_={"value": value}))


def begin_meta(connection: Connection, key: str, value: str) -> str:
    """What stands under that name: this text when nothing stood there yet."""
    row = insert(meta).values(key=key, value=value)
    connection.execute(row.on_conflict_do_nothing(index_elements=["key"]))
    standing: str = connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar_one()
    return standing
