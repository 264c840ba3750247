"""What a webhook gets: the body, and the headers with its signature (docs/webhooks.md).

The signature is that of Standard Webhooks: HMAC-SHA256 of `id.timestamp.body` in `webhook-signature`. Names and
messages are the moderated ones, read at the moment of sending: what was hidden or erased meanwhile does not leave.
"""

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from domain.webhook_events import WebhookEvent
from infra import queries

_sql = queries.webhook_deliveries

_PREFIX = "whsec_"


def new_secret() -> str:
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,…`, the value of `webhook-signature` by one secret."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def kofi_token(secret: str) -> str:
    """The `verification_token` of Ko-fi's format: a UUID, which changes with the secret."""
    return str(uuid.UUID(bytes=hashlib.sha256(f"kofi:{secret}".encode()).digest()[:16], version=4))


@dataclass(frozen=True)
class Message:
    content_type: str
    body: bytes


def headers_of(message: Message, message_id: str, signers: Sequence[str], now: datetime) -> dict[str, str]:
    """`signers`: the secrets that sign, the newest first."""
    timestamp = int(now.timestamp())
    return {
        "content-type": message.content_type,
        "user-agent": "StreamCash-Webhooks/1",
        "accept-encoding": "identity",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(secret, message_id, timestamp, message.body) for secret in signers),
    }


@dataclass(frozen=True)
class Facts:
    """What is told, and whether it is about a test."""

    data: dict[str, Any]
    is_test: bool = False


async def read_facts(connection: Any, streamer_id: int, name: str, data: dict[str, Any]) -> Facts | None:
    """As it may leave us now. None: there is nothing to tell of it any more (a goal was deleted)."""
    if "donation_id" in data:
        row = await _sql.get_donation(connection, donation_id=data["donation_id"], streamer_id=streamer_id)
        if row is None:
            return None
        donation = _plain(row)
        is_test = donation.pop("is_test")
        others = {key: value for key, value in data.items() if key != "donation_id"}
        return Facts({"donation": donation, **others}, is_test)
    if name == WebhookEvent.ALERT_SHOWN:
        row = await _sql.get_alert(connection, alert_id=uuid.UUID(data["alert_id"]), streamer_id=streamer_id)
        return None if row is None else Facts({"alert": _plain(row)}, row["kind"] == "test")
    row = await _sql.get_goal(connection, goal_id=data["goal_id"], streamer_id=streamer_id)
    return None if row is None else Facts({"goal": _plain(row)})


def _plain(row: Any) -> dict[str, Any]:
    return {key: _moment(value) if isinstance(value, datetime) else value for key, value in dict(row).items()}


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def standard_message(message_id: str, name: str, occurred_at: datetime, facts: Facts) -> Message:
    envelope = {
        "id": message_id,
        "type": name,
        "occurred_at": _moment(occurred_at),
        "is_test": facts.is_test,
        "data": facts.data,
    }
    return Message("application/json", json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode())


def kofi_message(message_id: str, occurred_at: datetime, facts: Facts, *, token: str, page_url: str) -> Message:
    """A donation as Ko-fi tells of one: a form whose field `data` is JSON. E-mails are never told; it stays empty."""
    donation = facts.data["donation"]
    amount = donation["amount_minor"]
    fields = {
        "verification_token": token,
        "message_id": message_id,
        "timestamp": _moment(occurred_at),
        "type": "Donation",
        "is_public": not (donation["is_held"] or donation["is_hidden"]),
        "from_name": donation["name"] or "Аноним",
        "message": donation["message"],
        "amount": f"{amount // 100}.{amount % 100:02}",
        "url": page_url,
        "email": "",
        "currency": donation["currency"],
        "is_subscription_payment": False,
        "is_first_subscription_payment": False,
        "kofi_transaction_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{page_url}#{donation['id']}")),
        "shop_items": None,
        "tier_name": None,
        "shipping": None,
    }
    body = urlencode({"data": json.dumps(fields, ensure_ascii=False)}).encode()
    return Message("application/x-www-form-urlencoded", body)


def sample_facts(name: str, now: datetime) -> Facts:
    """What a test tells: what an event of this name has in it, of nobody."""
    moment = _moment(now)
    money = {"amount_minor": 30_000, "currency": "RUB"}
    words = {"name": "Аня", "message": "Привет из Омска"}
    donation = {"id": 0, **money, "paid_at": moment, **words, "is_hidden": False, "is_held": False}
    goal = {"id": 0, "title": "Новый микрофон", "target_minor": 1_500_000, "currency": "RUB"}
    alert = {"id": str(uuid.UUID(int=0)), "kind": "donation", "donation_id": 0, **words, **money, "donations": 1}
    samples: dict[str, dict[str, Any]] = {
        WebhookEvent.DONATION_PAID: {"donation": donation},
        WebhookEvent.DONATION_MODERATED: {"donation": donation, "decision": "show"},
        WebhookEvent.DONATION_REFUNDED: {"donation": donation, "refunded_minor": 10_000},
        WebhookEvent.DONATION_CHARGED_BACK: {"donation": donation, "charged_back_minor": 30_000, "reversed_minor": 0},
        WebhookEvent.ALERT_SHOWN: {"alert": {**alert, "shown_at": moment}},
        WebhookEvent.GOAL_REACHED: {"goal": {**goal, "reached_at": moment, "raised_minor": 1_500_000}},
    }
    return Facts(samples[name], is_test=True)
