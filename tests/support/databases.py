"""Databases of the tests' own, copied from the migrated template and, after a test, made as good as new.

A copy has 450 files: making and dropping one costs a quarter of a second of a core and, where the disk is slow, over a
second. So a database that a test has used is emptied and given to the next one. One whose tables, triggers or
functions a test changed, or that grew, is dropped.
"""

import asyncio
import itertools
from typing import Any

import asyncpg

from infra.embedded_postgres import EmbeddedPostgres
from tests.support.servers import TEMPLATE

MOST_GROWTH_BYTES = 4 * 1024 * 1024
"""More than this a test leaves only when it wrote very much; its dead rows would slow the next one."""

# What a test could have changed of the schema: each catalogue's number of rows, and the last transaction that wrote it.
_CATALOGUES = (
    *("pg_attrdef", "pg_attribute", "pg_class", "pg_constraint", "pg_extension", "pg_index", "pg_namespace"),
    *("pg_policy", "pg_proc", "pg_rewrite", "pg_trigger", "pg_type"),
)
_SCHEMA = "SELECT " + ", ".join(
    f"(SELECT array[count(*), max(xmin::text::bigint)] FROM {catalogue}) AS {catalogue}" for catalogue in _CATALOGUES
)
_SCHEMA += ", (SELECT array_agg(version ORDER BY version) FROM schema_migrations) AS versions"

# As superuser and replica: no trigger, foreign key or rule of the ledger keeps a row.
_EMPTY = """
DO $$
DECLARE
    thing record;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR thing IN SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'schema_migrations'
    LOOP
        EXECUTE format('DELETE FROM %I', thing.relname);
    END LOOP;
    FOR thing IN SELECT sequencename, start_value FROM pg_sequences WHERE last_value IS NOT NULL
    LOOP
        PERFORM setval(format('%I', thing.sequencename)::regclass, thing.start_value, false);
    END LOOP;
END $$
"""

_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> $1"


_numbers = itertools.count(1)


class Databases:
    """Names of databases that are migrated and empty."""

    def __init__(self) -> None:
        self._ready: list[str] = []
        self._schema: Any = None
        self._bytes = 0

    async def take(self, postgres: EmbeddedPostgres) -> str:
        if self._ready:
            return self._ready.pop()
        name = f"test_{next(_numbers)}"
        await postgres.create_database(name, template=TEMPLATE)
        if self._schema is None:
            connection = await asyncpg.connect(postgres.url(name))
            self._schema, self._bytes = await _look_of(connection)
            await connection.close()
        return name

    async def give_back(self, postgres: EmbeddedPostgres, name: str) -> None:
        """Cut whoever is still connected, and have it as new or not at all."""
        if await self.renew(postgres, name):
            self._ready.append(name)
        else:
            await postgres.drop_database(name)

    async def renew(self, postgres: EmbeddedPostgres, name: str) -> bool:
        """Make it as new; False when that is not possible."""
        try:
            connection = await asyncpg.connect(postgres.url(name))
        except asyncpg.PostgresError:
            return False
        try:
            await connection.execute("SET jit = off")
            while await connection.fetch(_OTHERS, connection.get_server_pid()):
                await asyncio.sleep(0.005)
            schema, size = await _look_of(connection)
            if schema != self._schema or size > self._bytes + MOST_GROWTH_BYTES:
                return False
            await connection.execute(_EMPTY)
            return True
        finally:
            await connection.close()


async def _look_of(connection: Any) -> tuple[Any, int]:
    size: int = await connection.fetchval("SELECT pg_database_size(current_database())")
    return tuple(await connection.fetchrow(_SCHEMA)), size
