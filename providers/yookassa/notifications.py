"""What YooKassa POSTs to us. Nothing signs it, so anybody may have sent it: a wish to look, never a fact.

A shop has one address for all its payments, and other programs may open payments in it: a notification about a
payment that is not ours is ordinary, and read like any other.
"""

from typing import Any

from domain.payment_status import NewsStatus
from providers.json_body import parse_body
from providers.provider import Incoming, MalformedNotification, Notification
from providers.yookassa import values
from providers.yookassa.statuses import payment_state

REFUND_SUCCEEDED = "refund.succeeded"
EVENTS = frozenset({"payment.waiting_for_capture", "payment.succeeded", "payment.canceled", REFUND_SUCCEEDED})
"""What the streamer subscribes to in YooKassa's dashboard; other events (payouts, deals) are not for us."""

NETWORKS: tuple[str, ...] = (
    "185.71.76.0/27",
    "185.71.77.0/27",
    "77.75.153.0/25",
    "77.75.154.128/25",
    "77.75.156.11/32",
    "77.75.156.35/32",
    "2a02:5180::/32",
)
"""Where they come from (yookassa.ru/developers/using-api/webhooks)."""


def read(raw: bytes) -> Incoming:
    """Whose it is. Raises MalformedNotification, with a reason.

    Repeats of one notification, and nothing else, have the same event about the same object.
    """
    try:
        event, subject = _event_and_object(raw)
        subject_id = values.object_id(subject.get("id"), "object.id")
        payment_id = subject_id
        if event == REFUND_SUCCEEDED:
            payment_id = values.object_id(subject.get("payment_id"), "object.payment_id")
    except ValueError as error:
        raise MalformedNotification(str(error)) from None
    return Incoming(
        account_key=None,
        dedup_key=f"{event}:{subject_id}",
        order_id=values.order_id(subject),
        provider_payment_id=payment_id,
        fields={"event": event, "object": subject},
    )


def parse(raw: bytes) -> Notification:
    """What it says. Raises MalformedNotification, with a reason.

    Of a refund it says only that there was one: how much is left, the payment itself tells when asked.
    """
    incoming = read(raw)
    if incoming.fields["event"] == REFUND_SUCCEEDED:
        return Notification(
            order_id=incoming.order_id,
            provider_payment_id=incoming.provider_payment_id,
            status=NewsStatus.REFUNDING,
            provider_status=REFUND_SUCCEEDED,
            amount_minor=None,
            error_code="0",
            error_message="",
            is_about_payment=True,
        )
    try:
        state = payment_state(incoming.fields["object"])
    except KeyError as error:
        raise MalformedNotification(f"object.{error.args[0]} is missing") from None
    except ValueError as error:
        raise MalformedNotification(f"object: {error}") from None
    return Notification(
        order_id=state.order_id,
        provider_payment_id=state.provider_payment_id,
        status=state.status,
        provider_status=state.provider_status,
        amount_minor=state.amount_minor,
        error_code=state.error_code,
        error_message=state.error_message,
        is_about_payment=True,
    )


def _event_and_object(raw: bytes) -> tuple[str, dict[str, Any]]:
    body = parse_body(raw)
    if body.get("type") != "notification":
        raise ValueError("type is not notification")
    event = values.text(body.get("event"), "event", limit=50)
    if event not in EVENTS:
        raise ValueError(f"not an event for us: {event}")
    return event, values.fields(body.get("object"), "object")
