"""Where banks tell us of payments: verify, store, answer `OK`; nothing else happens here (DESIGN 3).

The bank waits ten seconds and repeats for a day whatever is not answered `OK`, so: stored → OK, also what is signed
and we cannot read; wrong signature → 403; what no bank sends → 400; our database away → 503, to be sent again.
"""

import asyncio
import logging

from quart import Blueprint, Response, request

from domain import inbox, terminals
from infra.crypto import UndecryptableError
from infra.database import DATABASE_AWAY
from providers.tbank import notifications as tbank
from web.context import parts

log = logging.getLogger(__name__)
blueprint = Blueprint("notifications", __name__)

# A real notification is about 400 bytes; a receipt's a few thousand.
MAX_BODY_BYTES = 64 * 1024


@blueprint.get("/api/v1/payments/webhook/tbank")
@blueprint.get("/api/v1/payments/webhook/tinkoff")
async def show_reachable() -> Response:
    """For whoever types the address into a browser to see whether it is right."""
    return _answer(200, "This address takes T-Bank's notifications (POST).")


@blueprint.post("/api/v1/payments/webhook/tbank")
@blueprint.post("/api/v1/payments/webhook/tinkoff")
async def receive_tbank() -> Response:
    """Store T-Bank's notification (`contracts/tbank-protocol.md` 6) once, count its repeats, ask the actor."""
    if (request.content_length or 0) > MAX_BODY_BYTES:
        return _refuse(413, "too large")
    request.max_content_length = MAX_BODY_BYTES
    body: bytes = await request.get_data(cache=False, as_text=False)  # type: ignore[assignment]
    try:
        message = tbank.read(body)
    except tbank.MalformedNotification as error:
        return _refuse(400, f"malformed: {error}")
    try:
        async with parts().pool.acquire() as connection:
            terminal = await terminals.find_terminal(connection, "tbank", message.terminal_key)
            if terminal is None:
                return _refuse(403, "unknown terminal")
            if not tbank.verify(message, terminal.secret(parts().box)):
                return _refuse(403, f"wrong Token for terminal {terminal.id}")
            repeats = await inbox.store_notification(
                connection,
                terminal_id=terminal.id,
                dedup_key=message.token.lower(),
                body=body,
                order_id=message.order_id,
            )
    except DATABASE_AWAY as error:
        return _refuse(503, f"database away: {type(error).__name__}")
    except UndecryptableError:
        log.exception("a terminal's secret cannot be decrypted; the bank will send again")
        return _answer(503, "unavailable")
    if repeats:
        log.info("a notification of terminal %d came again (%d)", terminal.id, repeats)
    parts().relay.wake()
    # Let the NOTIFY leave before the answer is put together.
    await asyncio.sleep(0)
    return _answer(200, "OK")


def _refuse(status: int, reason: str) -> Response:
    log.warning("notification refused with %d: %s", status, reason)
    return _answer(status, "refused")


def _answer(status: int, text: str) -> Response:
    return Response(text, status=status, content_type="text/plain; charset=utf-8")
