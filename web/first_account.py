"""A site without an account shows, where it is started, the link that makes the first one."""

import asyncpg

from domain.one_time_links import first_link
from infra.database import DATABASE_AWAY
from web.context import Parts


async def announce_first_account(held: Parts) -> None:
    """Print the link until it was used. It goes to the console alone, past the log's own fields."""
    try:
        async with held.pool.acquire() as connection, connection.transaction():
            token = await first_link(connection, held.box)
    except DATABASE_AWAY:
        # The next start says it; nobody waits for this one.
        return
    except asyncpg.UndefinedTableError:
        return
    if token is not None:
        print(  # noqa: T201
            f"\n  There is no account yet. Whoever opens this address makes the first one, a superuser's:\n"
            f"\n      {held.settings.web_url}/link/{token}\n\n  It works once.\n",
            flush=True,
        )
