"""One webhook: its state and secret, what it was told, and what one does with it.

GET  /dashboard/webhooks/<id>                         all of it; `before`: older lines of the log
POST /dashboard/webhooks/<id>                         change it
POST /dashboard/webhooks/<id>/test                    send a test
POST /dashboard/webhooks/<id>/on, …/off               switch it
POST /dashboard/webhooks/<id>/missed                  send again all that did not arrive
POST /dashboard/webhooks/<id>/reveal                  show its secret for a while
POST /dashboard/webhooks/<id>/secret                  the secret, for the copy button
POST /dashboard/webhooks/<id>/rotate                  a new secret
POST /dashboard/webhooks/<id>/delete                  no webhook any more
GET  /dashboard/webhooks/<id>/log/<delivery>          a line of the log, which asks for itself while it is being sent,
                                                      and the state beside it, which is another then
POST /dashboard/webhooks/<id>/log/<delivery>/again    send it once more
POST /dashboard/webhooks/<id>/log/<delivery>/skip     do not send it
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from quart import Blueprint, Response, jsonify, redirect, render_template, request
from quart.typing import ResponseReturnValue

from domain import webhook_deliveries, webhooks
from domain.errors import InvalidInputError, NotAllowedError
from domain.streamers import Streamer
from domain.webhook_deliveries import LISTED, MOST_AGAIN
from domain.webhooks import Fields, Format, OffReason, Webhook
from infra.settings import ROOT
from web import reveals, webhook_words
from web.context import parts
from web.i18n import when
from web.limits import Limit
from web.pages.desk import address, go_to, render
from web.pages.webhooks import form_words, read_fields
from web.sessions import require_streamer

blueprint = Blueprint("webhook", __name__)

# Each is a request to a stranger.
TRIES = Limit("webhook-try", 60, 600)

_ONE = "/dashboard/webhooks/<int(max=2147483647):webhook_id>"
_DELIVERY = f"{_ONE}/log/<int(max=9223372036854775807):delivery_id>"
_SNIPPETS = (("Python", "verify.py.txt"), ("JavaScript", "verify.mjs.txt"), ("PHP", "verify.php.txt"))


@blueprint.get(_ONE)
async def show(webhook_id: int) -> ResponseReturnValue:
    return await _page(await require_streamer(), webhook_id)


@blueprint.post(_ONE)
async def save(webhook_id: int) -> ResponseReturnValue:
    streamer = await require_streamer()
    await _find(streamer, webhook_id)
    typed = await read_fields()
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            await webhooks.change_webhook(
                connection, streamer.id, webhook_id, typed, allows_loopback=parts().settings.tells_loopback
            )
    except InvalidInputError as error:
        errors = {error.field: webhook_words.field_words(error)}
        return await _page(streamer, webhook_id, typed=typed, errors=errors)
    return _done(webhook_id, "webhook-saved")


@blueprint.post(f"{_ONE}/test")
async def test(webhook_id: int) -> ResponseReturnValue:
    streamer = await require_streamer()
    webhook = await _find(streamer, webhook_id)
    await parts().limiter.take(TRIES, str(streamer.id))
    async with parts().pool.acquire() as connection, connection.transaction():
        await webhook_deliveries.send_test(connection, webhook)
    parts().relay.wake()
    return go_to("webhook.show", webhook_id=webhook_id, _anchor="log")


@blueprint.post(f"{_ONE}/on")
async def switch_on(webhook_id: int) -> ResponseReturnValue:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection, connection.transaction():
        await webhooks.switch_on(connection, streamer.id, webhook_id)
    return _done(webhook_id, "webhook-on")


@blueprint.post(f"{_ONE}/off")
async def switch_off(webhook_id: int) -> ResponseReturnValue:
    streamer = await require_streamer()
    await _find(streamer, webhook_id)
    async with parts().pool.acquire() as connection, connection.transaction():
        await webhooks.switch_off(connection, streamer.id, webhook_id, OffReason.OWNER)
    return _done(webhook_id, "webhook-off")


@blueprint.post(f"{_ONE}/missed")
async def send_missed(webhook_id: int) -> ResponseReturnValue:
    streamer = await require_streamer()
    webhook = await _find(streamer, webhook_id)
    await parts().limiter.take(TRIES, str(streamer.id))
    async with parts().pool.acquire() as connection, connection.transaction():
        sent = await webhook_deliveries.send_missed(connection, webhook)
    parts().relay.wake()
    said = "webhook-missed" if sent else "nothing-to-do"
    return go_to("webhook.show", webhook_id=webhook_id, said=said, _anchor="log")


@blueprint.post(f"{_ONE}/reveal")
async def reveal(webhook_id: int) -> ResponseReturnValue:
    """A POST, so that no link shows it while she shares her screen."""
    streamer = await require_streamer()
    await _read_secret(await _find(streamer, webhook_id))
    given = reveals.give_pass(parts().box, streamer.id)
    return go_to("webhook.show", webhook_id=webhook_id, reveal=given, _anchor="secret")


@blueprint.post(f"{_ONE}/secret")
async def give_secret(webhook_id: int) -> Response:
    streamer = await require_streamer()
    # Named as the copy button reads it.
    return jsonify({"address": await _read_secret(await _find(streamer, webhook_id))})


@blueprint.post(f"{_ONE}/rotate")
async def rotate(webhook_id: int) -> ResponseReturnValue:
    streamer = await require_streamer()
    webhook = await _find(streamer, webhook_id)
    async with parts().pool.acquire() as connection, connection.transaction():
        await webhooks.rotate_secret(connection, parts().box, streamer.id, webhook_id)
    is_kofi = webhook.format is Format.KOFI
    return _done(webhook_id, "webhook-token" if is_kofi else "webhook-rotated")


@blueprint.post(f"{_ONE}/delete")
async def delete(webhook_id: int) -> ResponseReturnValue:
    streamer = await require_streamer()
    await _find(streamer, webhook_id)
    if (await request.form).get("sure") != "yes":
        return _done(webhook_id, "webhook-unsure")
    async with parts().pool.acquire() as connection, connection.transaction():
        await webhooks.delete_webhook(connection, streamer.id, webhook_id)
    return go_to("webhooks.show", said="webhook-deleted")


@blueprint.get(_DELIVERY)
async def show_delivery(webhook_id: int, delivery_id: int) -> ResponseReturnValue:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection:
        delivery = await webhook_deliveries.get_delivery(connection, streamer.id, webhook_id, delivery_id)
    # After the line: what became of it is in the webhook's state already.
    webhook = await _find(streamer, webhook_id)
    if "HX-Request" not in request.headers:
        return redirect(address("webhook.show", webhook_id=webhook_id, _anchor="log"), 303)
    return await render_template(
        "partials/webhooks/told.html",
        streamer=streamer,
        webhook=webhook,
        delivery=delivery,
        address=address,
        words=webhook_words,
        when=when,
    )


@blueprint.post(f"{_DELIVERY}/again")
async def send_again(webhook_id: int, delivery_id: int) -> ResponseReturnValue:
    streamer = await require_streamer()
    await parts().limiter.take(TRIES, str(streamer.id))
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            await webhook_deliveries.send_again(connection, streamer.id, webhook_id, delivery_id)
    except NotAllowedError:
        # Pressed twice: it is on its way.
        pass
    parts().relay.wake()
    return go_to("webhook.show", webhook_id=webhook_id, _anchor=f"delivery-{delivery_id}")


@blueprint.post(f"{_DELIVERY}/skip")
async def skip(webhook_id: int, delivery_id: int) -> ResponseReturnValue:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection, connection.transaction():
        skipped = await webhook_deliveries.skip(connection, streamer.id, webhook_id, delivery_id)
    parts().relay.wake()
    return _done(webhook_id, "webhook-skipped" if skipped else "too-late")


async def _find(streamer: Streamer, webhook_id: int) -> Webhook:
    """Raises NotFoundError("webhook"), also for another streamer's."""
    async with parts().pool.acquire() as connection:
        return await webhooks.get_webhook(connection, streamer.id, webhook_id)


async def _read_secret(webhook: Webhook) -> str:
    """Raises NotFoundError("webhook"): no key of ours reads it."""
    async with parts().pool.acquire() as connection:
        return await webhooks.reveal_secret(connection, parts().box, webhook)


def _done(webhook_id: int, said: str) -> ResponseReturnValue:
    return go_to("webhook.show", webhook_id=webhook_id, said=said)


async def _page(
    streamer: Streamer,
    webhook_id: int,
    *,
    typed: Fields | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    webhook = await _find(streamer, webhook_id)
    before_id = request.args.get("before", type=int)
    async with parts().pool.acquire() as connection:
        log = list(await webhook_deliveries.list_log(connection, webhook, before_id=before_id))
        missed = await webhook_deliveries.count_missed(connection, webhook)
    is_revealed = reveals.is_good(parts().box, request.args.get("reveal", ""), streamer.id)
    values: dict[str, Any] = {
        "webhook": webhook,
        "typed": typed
        or Fields(webhook.name if webhook.has_own_name else "", webhook.url, webhook.format, webhook.events),
        "errors": errors or {},
        "secret": await _read_secret(webhook) if is_revealed else "",
        "log": log[:LISTED],
        "older_id": log[LISTED - 1].id if len(log) > LISTED else None,
        "before_id": before_id,
        "missed": min(missed, MOST_AGAIN),
        "keep_days": parts().settings.keep_days.webhook_log,
        "snippets": _snippets(),
        "words": webhook_words,
        "when": when,
        "now": datetime.now(UTC),
    }
    status = 422 if errors else 200
    return await render(
        "pages/webhook.html", streamer, current="webhooks.show", status=status, **values, **form_words()
    )


@cache
def _snippets() -> tuple[tuple[str, str], ...]:
    """How a receiver checks the signature: language and text. They stand in docs/webhooks.md, too."""
    folder = ROOT / "templates" / "partials" / "webhooks"
    return tuple((language, (folder / name).read_text(encoding="utf-8").strip()) for language, name in _SNIPPETS)
