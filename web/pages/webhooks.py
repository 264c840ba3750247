"""Webhooks: addresses of the streamer's own that are told of donations, alerts and goals.

GET  /dashboard/webhooks                 the list, and the form for a new one
POST /dashboard/webhooks                 make one

One of them is in `webhook.py`.
"""

from collections.abc import Mapping
from typing import Any

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity

from domain import webhooks
from domain.errors import InvalidInputError, NotAllowedError
from domain.streamers import Streamer
from domain.text import NAME_MAX_LENGTH
from domain.webhook_events import WebhookEvent
from domain.webhook_urls import URL_MAX_LENGTH
from domain.webhooks import MAX_WEBHOOKS, Fields, Format
from web import webhook_words
from web.context import parts
from web.i18n import ngettext
from web.pages.desk import go_to, render
from web.sessions import require_streamer

blueprint = Blueprint("webhooks", __name__)

_EMPTY = Fields("", "", Format.STANDARD, (WebhookEvent.DONATION_PAID,))


@blueprint.get("/dashboard/webhooks")
async def show() -> ResponseReturnValue:
    return await _page(await require_streamer(), _EMPTY)


@blueprint.post("/dashboard/webhooks")
async def create() -> ResponseReturnValue:
    streamer = await require_streamer()
    typed = await read_fields()
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            webhook_id = await webhooks.create_webhook(
                connection, parts().box, streamer.id, typed, allows_loopback=parts().settings.tells_loopback
            )
    except InvalidInputError as error:
        return await _page(streamer, typed, errors={error.field: webhook_words.field_words(error)})
    except NotAllowedError:
        return await _page(streamer, typed, errors={"url": _too_many_words()})
    return go_to("webhook.show", webhook_id=webhook_id, said="webhook-made")


async def read_fields() -> Fields:
    """What the form says. Raises UnprocessableEntity for what none of ours sends."""
    form = await request.form
    try:
        return Fields(
            name=form.get("name", ""),
            url=form.get("url", ""),
            format=Format(form.get("format", Format.STANDARD)),
            events=tuple(WebhookEvent(name) for name in form.getlist("events")),
        )
    except ValueError:
        raise UnprocessableEntity from None


def form_words() -> dict[str, Any]:
    """What the form's part needs beside what was typed."""
    return {
        "events": [(event, webhook_words.event_words(event)) for event in WebhookEvent],
        "formats": webhook_words.formats(),
        "url_max_length": URL_MAX_LENGTH,
        "name_max_length": NAME_MAX_LENGTH,
    }


async def _page(streamer: Streamer, typed: Fields, *, errors: Mapping[str, str] | None = None) -> Response:
    async with parts().pool.acquire() as connection:
        found = await webhooks.list_webhooks(connection, streamer.id)
    return await render(
        "pages/webhooks.html",
        streamer,
        current="webhooks.show",
        status=422 if errors else 200,
        webhooks=found,
        is_full=len(found) >= MAX_WEBHOOKS,
        full_words=_too_many_words(),
        typed=typed,
        errors=errors or {},
        words=webhook_words,
        **form_words(),
    )


def _too_many_words() -> str:
    return ngettext(
        "There may be at most %(num)s webhook. Delete one that is not needed.",
        "There may be at most %(num)s webhooks. Delete those that are not needed.",
        MAX_WEBHOOKS,
    )
