"""The log of moderation.

GET /dashboard/moderation/log   who decided what and when; `moderator` narrows it to one of them
"""

from quart import Blueprint, Response, request

from domain.moderation import Part
from domain.moderation_log import read_log
from domain.moderators import list_moderators
from web import moderation_words
from web.context import parts
from web.i18n import when
from web.pages import desk
from web.sessions import require_streamer

blueprint = Blueprint("moderation_log", __name__)

LINES = 50
_BIGGEST = 2**31 - 1


@blueprint.get("/dashboard/moderation/log")
async def show() -> Response:
    streamer = await require_streamer()
    before, after, moderator_id = (_number(name) for name in ("before", "after", "moderator"))
    async with parts().pool.acquire() as connection:
        page = await read_log(
            connection, streamer.id, limit=LINES, before=before, after=after, moderator_id=moderator_id
        )
        known = await list_moderators(connection, streamer.id)
    narrowed = {} if moderator_id is None else {"moderator": moderator_id}
    return await desk.render(
        "pages/moderation_log.html",
        streamer,
        current="moderation.show",
        page=page,
        moderators=[one for one in known if one.nick],
        moderator_id=moderator_id,
        older="" if page.older is None else desk.address("moderation_log.show", before=page.older, **narrowed),
        newer="" if page.newer is None else desk.address("moderation_log.show", after=page.newer, **narrowed),
        words=moderation_words,
        Part=Part,
        when=when,
    )


def _number(name: str) -> int | None:
    """What somebody typed into the address himself counts as nothing."""
    number = request.args.get(name, type=int)
    return number if number is not None and 0 < number <= _BIGGEST else None
