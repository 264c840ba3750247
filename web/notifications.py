"""Where providers tell us of payments: verify, store, answer; nothing else happens here (DESIGN 3).

A bank waits ten seconds and repeats for a day whatever is not answered as it wishes, so: stored → `OK`, also what is
signed and we cannot read; wrong signature → 403; what no provider sends → 400; our database away → 503, to be sent
again. A notification without a signature is only the wish to look at a payment of ours.
"""

import asyncio
import logging
from datetime import UTC, datetime

from quart import Blueprint, Response, jsonify, request
from werkzeug.exceptions import NotFound

from domain import inbox, terminals
from infra.addresses import is_within
from infra.crypto import UndecryptableError
from infra.database import DATABASE_AWAY
from providers.provider import Incoming, MalformedNotification, Provider
from web.context import parts
from web.security import client_address

log = logging.getLogger(__name__)
blueprint = Blueprint("notifications", __name__)

# A real notification is about 400 bytes; a receipt's a few thousand.
MAX_BODY_BYTES = 64 * 1024

# T-Bank was called otherwise when the first integrations were written (REST API v1).
_FORMER_NAMES = {"tinkoff": "tbank"}


@blueprint.route("/api/v1/payments/webhook/<name>", methods=["GET", "PUT", "PATCH", "DELETE"])
async def show_reachable(name: str) -> Response:
    """For whoever tries out whether the address is right. No bank sends anything this way, and nothing is done."""
    return jsonify({"message": f"This address takes {_provider(name).title}'s notifications (POST)."})


@blueprint.post("/api/v1/payments/webhook/<name>")
async def receive(name: str) -> Response:
    """Store a notification once, count its repeats, ask the actor."""
    provider = _provider(name)
    if (request.content_length or 0) > MAX_BODY_BYTES:
        return _refuse(413, "too large")
    request.max_content_length = MAX_BODY_BYTES
    body: bytes = await request.get_data(cache=False, as_text=False)  # type: ignore[assignment]
    try:
        incoming = provider.read(body)
    except MalformedNotification as error:
        return _refuse(400, f"malformed: {error}")
    try:
        refusal = await _store(provider, incoming, body)
    except DATABASE_AWAY as error:
        return _refuse(503, f"database away: {type(error).__name__}")
    except UndecryptableError:
        log.exception("a terminal's secret cannot be decrypted; the bank will send again")
        return _answer(503, "unavailable")
    if refusal:
        return _refuse(403, refusal)
    parts().relay.wake()
    # Let the NOTIFY leave before the answer is put together.
    await asyncio.sleep(0)
    return _answer(200, "OK")


def _provider(name: str) -> Provider:
    provider = parts().providers.get(_FORMER_NAMES.get(name, name))
    if provider is None:
        raise NotFound
    return provider


async def _store(provider: Provider, incoming: Incoming, body: bytes) -> str:
    """Why it is refused; empty when it is stored, or may be forgotten."""
    if not provider.signs_notifications:
        return await _store_wish(provider, incoming, body)
    async with parts().pool.acquire() as connection:
        terminal = await terminals.find_terminal(connection, provider.name, incoming.account_key or "")
        if terminal is None:
            return "unknown terminal"
        if not any(provider.verify(incoming, secret) for secret in terminal.secrets(parts().box, datetime.now(UTC))):
            return f"wrong signature for terminal {terminal.id}"
        repeats = await inbox.store_notification(
            connection,
            terminal_id=terminal.id,
            dedup_key=incoming.dedup_key,
            body=body,
            order_id=incoming.order_id,
            provider_payment_id=incoming.provider_payment_id,
        )
    if repeats:
        log.info("a notification of terminal %d came again (%d)", terminal.id, repeats)
    return ""


async def _store_wish(provider: Provider, incoming: Incoming, body: bytes) -> str:
    networks = parts().settings.notification_networks or ",".join(provider.notification_networks)
    if networks and not parts().settings.in_development and not is_within(client_address(), networks):
        return f"{provider.name} does not send from {client_address()}"
    async with parts().pool.acquire() as connection:
        told = await inbox.find_told_payment(
            connection,
            provider=provider.name,
            provider_payment_id=incoming.provider_payment_id,
            order_id=incoming.order_id,
        )
        if told is None:
            # Anybody may send such a thing, and a shop may serve other sites as well.
            log.info("%s: a notification of no payment of ours", provider.name)
            return ""
        await inbox.store_wish(
            connection,
            told,
            dedup_key=incoming.dedup_key,
            body=body,
            order_id=incoming.order_id,
            provider_payment_id=incoming.provider_payment_id,
        )
    return ""


def _refuse(status: int, reason: str) -> Response:
    log.warning("notification refused with %d: %s", status, reason)
    return _answer(status, "refused")


def _answer(status: int, text: str) -> Response:
    return Response(text, status=status, content_type="text/plain; charset=utf-8")
