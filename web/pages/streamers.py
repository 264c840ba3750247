"""The public list of streamers: those who want to be found and can receive money. `?search=`, `?after=<slug>`."""

from quart import Blueprint, render_template, request

from domain.profiles import list_public
from domain.streamers import find_by_any_slug
from web.context import parts
from web.sessions import current_user

blueprint = Blueprint("streamers", __name__)

PAGE_LENGTH = 24
SEARCH_MAX_LENGTH = 60


def searched() -> str:
    """What is looked for, as typed; PostgreSQL keeps no NUL."""
    return " ".join(request.args.get("search", "").replace("\0", "").split())[:SEARCH_MAX_LENGTH]


async def after_id() -> int | None:
    """Whom the page begins after; None, which is the beginning, when nobody has that name."""
    async with parts().pool.acquire() as connection:
        seen = await find_by_any_slug(connection, request.args.get("after", ""))
    return None if seen is None else seen.id


@blueprint.get("/streamers")
async def show() -> str:
    search, after = searched(), await after_id()
    async with parts().pool.acquire() as connection:
        found = await list_public(
            connection,
            search=search,
            after_id=after,
            with_tests=parts().settings.in_development,
            limit=PAGE_LENGTH + 1,
        )
    return await render_template(
        "pages/streamers.html",
        user=await current_user(),
        streamers=found[:PAGE_LENGTH],
        has_more=len(found) > PAGE_LENGTH,
        search=search,
        is_first=after is None,
    )
