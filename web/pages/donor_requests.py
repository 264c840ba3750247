"""A donor asks that the name and the message go: POST /dashboard/donations/<public_id>/erase, for the streamer and the
operator. The form stands on the donation's page."""

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from domain import donor_requests
from domain.events import WAKE_CHANNEL, Topic, Wake
from infra.redis import publish
from web.context import parts
from web.pages import desk
from web.pages.donations import read
from web.sessions import require_streamer, require_user

blueprint = Blueprint("donor_requests", __name__)


@blueprint.post("/dashboard/donations/<public_id>/erase")
async def erase(public_id: str) -> ResponseReturnValue:
    user, streamer = await require_user(), await require_streamer()
    details = await read(streamer, public_id)
    fields = await request.form
    if fields.get("sure") != "yes":
        return desk.go_to("donations.show", public_id=public_id, said="erase-unsure", _anchor="donor-data")
    async with parts().pool.acquire() as connection, connection.transaction():
        await donor_requests.erase(
            connection,
            streamer.id,
            details.donation.id,
            with_others=fields.get("others") == "yes",
            user_id=user.id,
            user_name=user.email,
        )
    wake = Wake(streamer.id, frozenset({Topic.DONATION, Topic.ALERTS}))
    await publish(parts().redis, WAKE_CHANNEL, [wake.encode()])
    return desk.go_to("donations.show", public_id=public_id, said="erased", _anchor="donor-data")
