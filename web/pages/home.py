"""The first page: what this site is, who is here, and the way in."""

from quart import Blueprint, render_template

from domain.profiles import Listed, list_public
from infra.database import DATABASE_AWAY
from web.context import parts
from web.sessions import current_user

blueprint = Blueprint("home", __name__)

FEATURED = 6


@blueprint.get("/")
async def show() -> str:
    user = await current_user()
    return await render_template("pages/home.html", user=user, featured=await _featured())


async def _featured() -> list[Listed]:
    """The first page says what this is even while the database is away."""
    try:
        async with parts().pool.acquire() as connection:
            with_tests = parts().settings.in_development
            return await list_public(connection, only_featured=True, with_tests=with_tests, limit=FEATURED)
    except DATABASE_AWAY:
        return []
