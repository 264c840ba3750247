"""The SQL of `sql/queries/`, one object per file: `queries.payments.insert_payment(connection, …)`.

Files are loaded one at a time, since aiosql would let two equal names in one flat folder hide each other.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiosql
from aiosql.adapters.asyncpg import AsyncPGAdapter

QUERIES_DIR = Path(__file__).resolve().parent.parent / "sql" / "queries"


class ConnectionAdapter(AsyncPGAdapter):
    """aiosql's adapter for those who pass a connection, as we always do.

    The original asks each connection by `dir()` whether it is a pool: 0.09 ms a query, some 2 ms a donation.
    """

    async def select(self, connection: Any, name: str, sql: str, parameters: Any, _: None = None) -> AsyncIterator[Any]:
        for row in await connection.fetch(sql, *self._ordered(name, parameters)):
            yield row

    async def select_one(self, connection: Any, name: str, sql: str, parameters: Any, _: None = None) -> Any:
        return await connection.fetchrow(sql, *self._ordered(name, parameters))

    async def select_value(self, connection: Any, name: str, sql: str, parameters: Any) -> Any:
        return await connection.fetchval(sql, *self._ordered(name, parameters))

    async def insert_update_delete(self, connection: Any, name: str, sql: str, parameters: Any) -> Any:
        return await connection.execute(sql, *self._ordered(name, parameters))

    def _ordered(self, name: str, parameters: Any) -> Any:
        return self.maybe_order_params(name, parameters)  # type: ignore[no-untyped-call]


aiosql.register_adapter("asyncpg-connection", ConnectionAdapter)  # type: ignore[arg-type]


def _load(noun: str) -> Any:
    # Parameters are named where they are used; a list of them beside the name would only repeat it.
    return aiosql.from_path(QUERIES_DIR / f"{noun}.sql", "asyncpg-connection", mandatory_parameters=False)


_loaded: dict[str, Any] = {}


def __getattr__(noun: str) -> Any:
    if noun not in _loaded:
        if not (QUERIES_DIR / f"{noun}.sql").is_file():
            raise AttributeError(f"sql/queries/{noun}.sql does not exist")
        _loaded[noun] = _load(noun)
    return _loaded[noun]
