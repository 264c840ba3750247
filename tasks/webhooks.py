"""Telling streamers' webhooks (domain/webhook_deliveries.py)."""

import logging
import time
from datetime import UTC, datetime
from typing import Any

import asyncpg

from domain import webhook_deliveries, webhook_payloads
from domain.webhook_deliveries import Delivery, Result, Run
from domain.webhook_events import WebhookEvent
from domain.webhook_payloads import Facts, Message
from domain.webhooks import Format, signers_of
from infra.outgoing import NotSentError
from tasks.runtime import Parts

log = logging.getLogger(__name__)

_RUN_SECONDS = 20.0
"""After so long the others get their turn."""
_REST_SECONDS = 30.0
"""After a run that failed, whatever it was: the next would fail as well."""
_BREATH_SECONDS = 1.0
"""After a slow answer: the relay asks first for those who wait for longer."""


async def send_webhook(parts: Parts, webhook_id: int) -> None:
    """Send what is due to one webhook, in order. What comes later comes by its own time (webhooks.due_at)."""
    with parts.outgoing.places.take(webhook_id) as has_place:
        if not has_place:
            # Receivers that are slow must not take all threads of a worker that also opens payments.
            async with parts.pool.acquire() as connection:
                await webhook_deliveries.give_back(connection, webhook_id)
            return
        async with parts.pool.acquire() as connection:
            run = await webhook_deliveries.claim(connection, webhook_id)
        if run is None:
            return
        rest_seconds = 0.0
        try:
            rest_seconds = await _send_due(parts, run)
        except Exception:
            rest_seconds = _REST_SECONDS
            raise
        finally:
            async with parts.pool.acquire() as connection, connection.transaction():
                await webhook_deliveries.end_run(connection, run, rest_seconds=rest_seconds)
            parts.relay.wake()


async def _send_due(parts: Parts, run: Run) -> float:
    """For so many seconds it then rests."""
    site = parts.settings.web_host if parts.settings.sends_mail else None
    began = time.monotonic()
    while time.monotonic() - began < _RUN_SECONDS:
        async with parts.pool.acquire() as connection:
            delivery = await webhook_deliveries.pick(connection, run)
            if delivery is None:
                return 0.0
            try:
                facts = await _facts_of(connection, run, delivery)
            except (LookupError, ValueError, asyncpg.DataError):
                # A fault of ours, which each try would meet again: the receiver hears what comes after it.
                log.exception("webhook %d: delivery %d cannot be read", run.webhook_id, delivery.id)
                await webhook_deliveries.give_up(connection, run, delivery, "broken")
                continue
            if facts is None:
                await webhook_deliveries.give_up(connection, run, delivery, "nothing")
                continue
        result = await _send(parts, run, delivery, facts)
        async with parts.pool.acquire() as connection, connection.transaction():
            goes_on = await webhook_deliveries.note_result(connection, run, delivery, result, site=site)
        if parts.outgoing.places.note(run.webhook_id, result.took_ms):
            return _BREATH_SECONDS
        if not goes_on:
            return 0.0
    return 0.0


async def _facts_of(connection: Any, run: Run, delivery: Delivery) -> Facts | None:
    if run.format is Format.KOFI and delivery.name != WebhookEvent.DONATION_PAID:
        # Written down before the format was changed.
        return None
    if delivery.is_test:
        return webhook_payloads.sample_facts(delivery.name, datetime.now(UTC))
    return await webhook_payloads.read_facts(connection, run.streamer_id, delivery.name, delivery.data)


async def _send(parts: Parts, run: Run, delivery: Delivery, facts: Facts) -> Result:
    signers = signers_of(parts.box, run.secrets_encrypted)
    if not signers:
        log.error("webhook %d: none of SECRET_KEYS decrypts its secret", run.webhook_id)
        return Result(0, error="unreadable", is_ours=True)
    message = _message(parts, run, delivery, facts, signers[0])
    headers = webhook_payloads.headers_of(message, str(delivery.event_id), signers, datetime.now(UTC))
    try:
        answer = await parts.outgoing.post(run.url, headers, message.body)
    except NotSentError as error:
        log.info("webhook %d: no answer to delivery %d: %s", run.webhook_id, delivery.id, error.reason)
        return Result(error.took_ms, error=error.reason, detail=_fit(error.detail))
    reason = "redirect" if 300 <= answer.status < 400 else ""
    return Result(answer.took_ms, answer.status, reason, answer=_fit(answer.start.decode("utf-8", "ignore")))


def _message(parts: Parts, run: Run, delivery: Delivery, facts: Facts, secret: str) -> Message:
    message_id = str(delivery.event_id)
    if run.format is Format.STANDARD:
        return webhook_payloads.standard_message(message_id, delivery.name, delivery.occurred_at, facts)
    return webhook_payloads.kofi_message(
        message_id,
        delivery.occurred_at,
        facts,
        token=webhook_payloads.kofi_token(secret),
        page_url=f"{parts.settings.web_url}/donate/{run.slug}",
    )


def _fit(text: str) -> str:
    """What a stranger said, as PostgreSQL stores it."""
    return text.replace("\x00", "")
