"""Alerts of one's own: what a streamer's programs put on her screen between the donations."""

from typing import Any
from uuid import UUID

from quart_schema import validate_request, validate_response

from domain import custom_alerts
from domain.custom_alerts import CustomAlert, NewCustom
from domain.errors import InvalidInputError, NotAllowedError
from domain.media_files import Kind, list_urls
from domain.scopes import Scope
from web.api.access import callers_streamer, needs
from web.api.acting import ALERTS, tell
from web.api.blueprints import new_api
from web.api.errors import wrong_field
from web.api.idempotency import writing
from web.api.openapi import examples
from web.api.problems import problem
from web.api.schemas import custom_alerts as schemas
from web.context import parts

blueprint = new_api("custom_alerts", "custom-alerts")

_EXAMPLE = {
    "alert_id": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "status": "queued",
    "title": "Новый подписчик",
    "message": "Котофей теперь с нами",
    "amount_minor": 0,
    "duration_ms": 6000,
    "image_url": None,
    "sound_url": None,
    "external_id": "follow-81734",
    "created_at": "2026-11-28T18:30:00Z",
    "shown_at": None,
    "finished_at": None,
}


@blueprint.post("")
@needs(Scope.ALERTS_CREATE)
@validate_request(schemas.NewCustomAlert)
@examples(
    request={"title": "Новый подписчик", "message": "Котофей теперь с нами", "external_id": "follow-81734"},
    response=_EXAMPLE,
)
@validate_response(schemas.CustomAlert, 200)
@validate_response(schemas.CustomAlert, 201)
async def create(data: schemas.NewCustomAlert) -> tuple[schemas.CustomAlert, int]:
    """Show an alert of your own

    It waits behind what is in the queue, plays like any other, can be skipped, and counts nowhere. Its text passes the
    streamer's rules: words are masked, and what a rule would hold or reject is refused as `caught`. Twenty may wait at
    a time. 200: your `external_id` was here before, and this is that alert.
    """
    streamer = await callers_streamer()
    async with writing() as connection:
        await _check_files(connection, streamer.id, data)
        try:
            made, is_new = await custom_alerts.add(connection, streamer.id, NewCustom(**data.model_dump()))
        except NotAllowedError:
            raise problem("too-many-waiting") from None
        except InvalidInputError as error:
            if error.code == "caught":
                raise problem("caught", field=error.field, said=", ".join(error.data["rules"])) from None
            said = {
                "required": "Say something: in the title, in the message, or in both",
                "too_long": f"{error.data.get('over')} characters too many",
            }
            raise wrong_field(error.field, said[error.code], kind=error.code) from None
    if is_new:
        await tell(streamer, ALERTS, plays_on=True)
    return _answer(made), 201 if is_new else 200


@blueprint.get("/<uuid:alert_id>")
@needs(Scope.ALERTS_READ)
@examples(
    path={"alert_id": _EXAMPLE["alert_id"]},
    response={**_EXAMPLE, "status": "shown", "shown_at": "2026-11-28T18:30:05Z", "finished_at": "2026-11-28T18:30:08Z"},
)
@validate_response(schemas.CustomAlert)
async def show(alert_id: UUID) -> schemas.CustomAlert:
    """What became of an alert of your own

    Its text is forgotten after thirty days.
    """
    streamer = await callers_streamer()
    async with parts().pool.acquire() as connection:
        return _answer(await custom_alerts.find(connection, streamer.id, alert_id))


async def _check_files(connection: Any, streamer_id: int, data: schemas.NewCustomAlert) -> None:
    """Raises Refused(422) for a file that is not this streamer's own, or not ready."""
    wanted = {"image_url": (data.image_url, Kind.IMAGE), "sound_url": (data.sound_url, Kind.AUDIO)}
    if all(url is None for url, _ in wanted.values()):
        return
    urls = await list_urls(connection, streamer_id)
    for field, (url, kind) in wanted.items():
        if url is not None and urls.get(url) is not kind:
            raise problem("foreign-file", field=field)


def _answer(made: CustomAlert) -> schemas.CustomAlert:
    return schemas.CustomAlert(**vars(made))
