"""Names that leave a program: events on the wire, actors and their queues, wake-ups on Redis.

This is the one table of them. An event is a fact: the relay publishes it to the exchange `streamcash.events`
and sends a task to each actor that subscribes to it. A wake-up says only "look at the database".
"""

import json
from dataclasses import dataclass
from enum import StrEnum

EVENTS_EXCHANGE = "streamcash.events"


class EventType(StrEnum):
    DONATION_CREATED = "donation.created"
    PAYMENT_CREATED = "payment.created"
    PAYMENT_COMPLETED = "payment.completed"
    PAYMENT_FAILED = "payment.failed"
    PAYMENT_REFUNDED = "payment.refunded"
    PAYMENT_CHARGED_BACK = "payment.charged_back"
    NOTIFICATION_SEND = "notification.send"
    DONATION_MODERATED = "donation.moderated"
    STATS_UPDATE = "streamer.stats.update"
    ALERT_SHOWN = "alert.shown"
    GOAL_REACHED = "goal.reached"


class Queue(StrEnum):
    ALERTS = "alerts"
    STATS = "stats"
    PAYMENTS = "payments"
    PAYMENT_CHECKS = "payment-checks"
    MAIL = "mail"
    WEBHOOKS = "webhooks"
    EXPORTS = "exports"
    MEDIA = "media"


class Actor(StrEnum):
    CREATE_PAYMENT = "create_payment"
    APPLY_NOTIFICATION = "apply_notification"
    CHECK_PAYMENT = "check_payment"
    MAKE_REFUND = "make_refund"
    WAKE_OVERLAY = "wake_overlay"
    UPDATE_TOTALS = "update_totals"
    SETTLE_GOALS = "settle_goals"
    READ_REGISTRY = "read_registry"
    SELF_CHECK = "self_check"
    SEND_LETTER = "send_letter"
    ERASE_ACCOUNT = "erase_account"
    SETTLE_HOLD = "settle_hold"
    GIVE_ALERT = "give_alert"
    EXPORT_DONATIONS = "export_donations"
    PACK_ARCHIVE = "pack_archive"
    CHECK_MEDIA_FILE = "check_media_file"
    SEND_WEBHOOK = "send_webhook"


# Work that calls strangers (the bank, a mail server) has queues, and processes, of its own (DESIGN 10).
QUEUE_OF: dict[Actor, Queue] = {
    Actor.CREATE_PAYMENT: Queue.PAYMENTS,
    Actor.CHECK_PAYMENT: Queue.PAYMENT_CHECKS,
    Actor.MAKE_REFUND: Queue.PAYMENTS,
    Actor.APPLY_NOTIFICATION: Queue.ALERTS,
    Actor.WAKE_OVERLAY: Queue.ALERTS,
    Actor.UPDATE_TOTALS: Queue.STATS,
    Actor.SETTLE_GOALS: Queue.STATS,
    Actor.READ_REGISTRY: Queue.STATS,
    Actor.SELF_CHECK: Queue.STATS,
    Actor.SEND_LETTER: Queue.MAIL,
    Actor.SEND_WEBHOOK: Queue.WEBHOOKS,
    Actor.ERASE_ACCOUNT: Queue.STATS,
    Actor.SETTLE_HOLD: Queue.ALERTS,
    Actor.GIVE_ALERT: Queue.ALERTS,
    # Minutes of a processor: nobody's alert waits for them.
    Actor.EXPORT_DONATIONS: Queue.EXPORTS,
    Actor.PACK_ARCHIVE: Queue.EXPORTS,
    # Strangers' files, decoded: seconds of a processor.
    Actor.CHECK_MEDIA_FILE: Queue.MEDIA,
}

# Who acts on an event, and with which field of its data.
SUBSCRIBERS: dict[EventType, tuple[tuple[Actor, str], ...]] = {
    EventType.DONATION_CREATED: ((Actor.CREATE_PAYMENT, "payment_id"),),
    EventType.NOTIFICATION_SEND: ((Actor.WAKE_OVERLAY, "streamer_id"),),
    EventType.DONATION_MODERATED: ((Actor.WAKE_OVERLAY, "streamer_id"),),
    EventType.STATS_UPDATE: ((Actor.UPDATE_TOTALS, "streamer_id"),),
}

WAKE_CHANNEL = "streamcash:wake"


class Topic(StrEnum):
    """What changed, so that a listener looks at no more than it shows."""

    DONATION = "donation"
    """A donation or its payment: donor pages waiting for it, the dashboard's feed."""
    ALERTS = "alerts"
    """The streamer's queue: an alert became playable, was skipped, shown, …"""
    TOTALS = "totals"
    GOALS = "goals"
    """Goals were changed, reached or are over; what donations bring them comes with `totals`."""
    OVERLAYS = "overlays"
    """Connected overlays or the speaker."""
    CONTROLS = "controls"
    """Pause, the missed-alerts answer, a revoked overlay token."""
    MODERATORS = "moderators"
    """Who moderates, what they may, and who looks at the queue now."""
    FILES = "files"
    """An uploaded file was looked at."""


@dataclass(frozen=True)
class Wake:
    """A wake-up for one streamer; `donation_id` narrows it to one donation's page.

    `sender` is the realtime process that made the change and has acted on it already, if one did. `plays_on`: an
    alert that plays is not touched, so the queue is worth a look only where nothing plays.
    """

    streamer_id: int
    topics: frozenset[Topic]
    donation_id: int | None = None
    sender: str | None = None
    plays_on: bool = False

    def encode(self) -> str:
        return json.dumps(
            {
                "streamer_id": self.streamer_id,
                "topics": sorted(self.topics),
                "donation_id": self.donation_id,
                "sender": self.sender,
                "plays_on": self.plays_on,
            }
        )

    @classmethod
    def decode(cls, text: str | bytes) -> "Wake | None":
        """None for what is not ours: Redis may be shared, and a wake-up is never worth a crash."""
        try:
            data = json.loads(text)
            donation_id = data["donation_id"]
            return cls(
                streamer_id=int(data["streamer_id"]),
                topics=frozenset(Topic(topic) for topic in data["topics"]),
                donation_id=None if donation_id is None else int(donation_id),
                sender=data.get("sender"),
                plays_on=bool(data.get("plays_on")),
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            return None
