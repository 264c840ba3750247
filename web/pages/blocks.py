"""Blocked donors.

GET  /dashboard/blocks                            the list
POST /dashboard/blocks/<id>/remove                lift a block
POST /dashboard/donations/<public_id>/block       block a donation's donor
"""

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity

from domain import blocks
from domain.blocks import BlockKind
from domain.errors import InvalidInputError, NotAllowedError
from web.context import parts
from web.i18n import when
from web.pages import desk
from web.sessions import require_streamer, require_user

blueprint = Blueprint("blocks", __name__)


@blueprint.get("/dashboard/blocks")
async def show() -> Response:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection:
        found = await blocks.list_blocks(connection, streamer.id)
    return await desk.render("pages/blocks.html", streamer, current="moderation.show", blocks=found, when=when)


@blueprint.post("/dashboard/blocks/<int(max=2147483647):block_id>/remove")
async def remove(block_id: int) -> ResponseReturnValue:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection, connection.transaction():
        await blocks.unblock(connection, streamer.id, block_id)
    return desk.go_to("blocks.show", said="unblocked")


@blueprint.post("/dashboard/donations/<public_id>/block")
async def add(public_id: str) -> ResponseReturnValue:
    user, streamer = await require_user(), await require_streamer()
    fields = await request.form
    try:
        kind = BlockKind(fields.get("kind", ""))
    except ValueError:
        raise UnprocessableEntity from None
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            await blocks.block(
                connection,
                streamer.id,
                public_id,
                kind,
                note=fields.get("note", ""),
                days=fields.get("days", 1, type=int),
                user_id=user.id,
            )
    except InvalidInputError:
        raise UnprocessableEntity from None
    except NotAllowedError:
        return desk.go_to("donations.show", public_id=public_id, said="nothing-to-block")
    return desk.go_to("donations.show", public_id=public_id, said="blocked")
