"""Webhooks in words: their events, states, and what became of a delivery."""

from domain.errors import InvalidInputError
from domain.webhook_deliveries import DeliveryStatus, Logged
from domain.webhook_events import WebhookEvent
from domain.webhooks import Format, OffReason, Webhook
from web.field_words import too_long_words
from web.i18n import _, format_number, when


def event_words(name: str) -> str:
    return {
        WebhookEvent.DONATION_PAID: _("Donation paid"),
        WebhookEvent.DONATION_MODERATED: _("Donation decided, hidden or erased"),
        WebhookEvent.DONATION_REFUNDED: _("Donation refunded"),
        WebhookEvent.DONATION_CHARGED_BACK: _("Donation taken back by the donor's bank"),
        WebhookEvent.ALERT_SHOWN: _("Alert shown"),
        WebhookEvent.GOAL_REACHED: _("Goal reached"),
    }.get(WebhookEvent(name), name)


def format_words(one: Format) -> str:
    return {Format.STANDARD: _("StreamCash"), Format.KOFI: _("As Ko-fi sends it")}[one]


def formats() -> list[tuple[str, str, str]]:
    """For the form: value, title, text."""
    return [
        (
            Format.STANDARD.value,
            _("StreamCash"),
            _("JSON of any event, signed by the Standard Webhooks scheme, for which there are libraries."),
        ),
        (
            Format.KOFI.value,
            _("As Ko-fi sends it"),
            _("For tools that understand Ko-fi: donations only, with a verification token, without an e-mail."),
        ),
    ]


def state_words(webhook: Webhook, time_zone: str) -> tuple[str, str, str]:
    """Look, chip, sentence."""
    match webhook.off_reason:
        case OffReason.OWNER:
            return "quiet", _("off"), _("You switched it off. What happens is not written down for it.")
        case OffReason.GONE:
            return "bad", _("switched off"), _("The receiver answered 410: it is gone for good. Nothing is sent to it.")
        case OffReason.FAILING:
            return (
                "bad",
                _("switched off"),
                _("Nothing arrived for a day. Send a test, and switch it on when that arrives."),
            )
    if webhook.failing_since is not None:
        return (
            "warn",
            _("tries again"),
            _(
                "Nothing arrives since %(when)s. What waits is sent later, in its order.",
                when=when(webhook.failing_since, time_zone),
            ),
        )
    if webhook.delivered_at is not None:
        return "good", _("delivers"), _("Last time %(when)s.", when=when(webhook.delivered_at, time_zone))
    return "quiet", _("nothing sent yet"), _("Send a test: its answer is here within seconds.")


def delivery_chip(one: Logged) -> tuple[str, str]:
    """Look, words."""
    match one.status:
        case DeliveryStatus.DELIVERED:
            return "good", _("delivered")
        case DeliveryStatus.FAILED:
            return "bad", _("not delivered")
        case DeliveryStatus.DROPPED:
            return "quiet", _("not sent")
    if one.is_at_once:
        return "waits", _("being sent")
    return ("warn", _("tries again")) if one.tries else ("waits", _("waits"))


def answer_words(one: Logged) -> str:
    """What came of the last try, "" before the first."""
    if one.tried_at is None:
        return ""
    if one.http_status is None:
        return error_words(one.error, one.detail)
    if one.error == "redirect":
        said = _("Answer %(status)s, a redirect, which is not followed", status=one.http_status)
    else:
        said = _("Answer %(status)s", status=one.http_status)
    took = _("%(number)s ms", number=format_number(one.took_ms or 0))
    return f"{said} · {took}"


def error_words(error: str, detail: str) -> str:
    """Why there was no answer, and what to look at."""
    match error:
        case "timeout":
            return _("No answer within 10 seconds. Answer first, work afterwards.")
        case "dns":
            return _("There is no such host.")
        case "connect":
            return _("No connection: %(detail)s", detail=detail) if detail else _("No connection.")
        case "tls":
            return _("The certificate does not fit: %(detail)s", detail=detail)
        case "protocol":
            return _("The answer is no HTTP.")
        case "forbidden":
            return _("The host leads to an address that is not on the internet, or to this site: nothing was sent.")
        case "nothing":
            return _("There is nothing left to tell of it.")
        case "broken":
            return _("The site could not read what to send: tell its operator.")
        case "unreadable":
            return _("The server can no longer read the secret: make a new one below.")
    return _("No answer.")


def field_words(error: InvalidInputError) -> str:
    match error.field, error.code:
        case _any, "too_long":
            return too_long_words(error.data["over"], error.data["limit"])
        case "events", _code:
            return _("Choose at least one.")
        case "url", "required":
            return _("Paste the address that should be told.")
        case "url", "not_https":
            return _("It has to begin with https://")
        case "url", "credentials":
            return _("Without a name and password in it: put a key into the path or the query instead.")
        case "url", "port":
            return _("Port 443, or one above 1023.")
        case "url", "number":
            return _("By its name, not by a number.")
        case "url", "local":
            return _("A host on the internet: this one cannot be reached from here.")
    return _("This is no address.")
