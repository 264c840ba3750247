"""Whether this request's answer hides what must not be seen on a shared screen (`domain/on_air.py`, decision 0028)."""

from quart import g

from domain.on_air import read_on_air
from web.context import parts
from web.sessions import current_user


async def is_on_air() -> bool:
    """Asked by templates themselves, so that no handler can forget it. Asks the database once a request."""
    if "on_air" not in g:
        user = await current_user()
        if user is None:
            g.on_air = False
        else:
            async with parts().pool.acquire() as connection:
                g.on_air = (await read_on_air(connection, user.id)).is_on
    return bool(g.on_air)
