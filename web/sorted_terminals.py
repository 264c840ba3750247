"""When the site starts, it writes down of each terminal whether it is for trying out, where nobody has.

A terminal connected now is sorted at once; this is for those from before, and those whose secret could not be read.
"""

import asyncpg

from domain.terminals import list_unsorted, note_test
from infra.crypto import UndecryptableError
from infra.database import DATABASE_AWAY
from providers.provider import Credentials
from web.bank_state import is_test_account
from web.context import Parts


async def sort_terminals(held: Parts) -> None:
    try:
        async with held.pool.acquire() as connection:
            for terminal in await list_unsorted(connection):
                try:
                    credentials = Credentials(terminal.terminal_key, terminal.secret(held.box))
                except UndecryptableError:
                    credentials = None
                is_test = is_test_account(held.settings, held.providers[terminal.provider], credentials)
                if is_test is not None:
                    await note_test(connection, terminal.id, is_test)
    except DATABASE_AWAY:
        # The next start does it; nobody waits for this one.
        return
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError):
        return
