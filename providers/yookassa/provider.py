"""YooKassa (ЮKassa) as a payment provider: payments on its own page, by card, SBP and whatever else the shop has.

Unlike at T-Bank, a payment has no due date and no notification address of its own: YooKassa gives the donor an
hour, and the streamer enters one address for the whole shop in YooKassa's dashboard.
"""

from typing import Any

import httpx

from domain.payment_status import NewsStatus
from providers.outcomes import ProviderPermanentError, RefusalReason
from providers.provider import (
    Credentials,
    Incoming,
    MalformedRegistry,
    Notification,
    OpenedPayment,
    Opening,
    PaymentState,
    Provider,
    Refund,
    RefundAnswer,
    RefundStatus,
    RegistryRow,
)
from providers.yookassa import notifications, values
from providers.yookassa.client import YooKassaClient, reading
from providers.yookassa.receipts import receipt_fields
from providers.yookassa.statuses import REASONS, REFUND_REASONS, cancellation, payment_state

DEFAULT_API_URL = "https://api.yookassa.ru/v3"

DESCRIPTION_LIMIT = 128
"""Characters YooKassa takes; one more and it refuses the whole payment."""

LOCALES = {"ru": "ru_RU", "en": "en_US"}
"""The languages of YooKassa's page."""

REFUND_STATUSES = {
    "succeeded": RefundStatus.DONE,
    "pending": RefundStatus.PENDING,
    "canceled": RefundStatus.REFUSED,
}


def create(http: httpx.AsyncClient, api_url: str, timeout_seconds: float, connect_timeout_seconds: float) -> Provider:
    """YooKassa at `api_url`, which ends in `/v3`."""
    return YooKassa(
        YooKassaClient(http, api_url, timeout_seconds=timeout_seconds, connect_timeout_seconds=connect_timeout_seconds)
    )


class YooKassa:
    """The calls of `Provider`; each raises one of `providers.outcomes`."""

    name = "yookassa"
    title = "YooKassa"
    key_title = "Shop id"
    secret_title = "Secret key"  # noqa: S105 - a word for people
    key_max_length = 20
    signs_notifications = False
    notification_networks: tuple[str, ...] = notifications.NETWORKS
    reopens = True
    repeats_refunds = True
    offers_sbp_codes = False
    has_registry = False

    def __init__(self, client: YooKassaClient) -> None:
        self._client = client

    async def open(self, credentials: Credentials, opening: Opening) -> OpenedPayment:
        """Open a one-stage payment, or get the one that this order id has opened in the last 24 hours.

        A repeat must send the same fields, so nothing that may differ between two tries is sent: `due_at` and
        `notification_url` have no place at YooKassa. If the donor has paid meanwhile, there is no page to pay on
        any more, and `payment_url` is the address to come back to.
        """
        body: dict[str, Any] = {
            "amount": values.amount(opening.amount_minor),
            "capture": True,
            "confirmation": {
                "type": "redirect",
                "return_url": opening.return_url,
                "locale": LOCALES.get(opening.language, LOCALES["ru"]),
            },
            "description": opening.description[:DESCRIPTION_LIMIT],
            "metadata": {"order_id": opening.order_id},
        }
        if opening.receipt is not None:
            body["receipt"] = receipt_fields(opening.receipt, opening.amount_minor)
        answer = await self._client.post("open", credentials, "/payments", body, key=opening.order_id)
        with reading("open"):
            state = payment_state(answer)
            if values.amount_minor(answer["amount"], "amount") != opening.amount_minor:
                raise ValueError("amount is not the one we sent")
            if state.order_id != opening.order_id:
                raise ValueError("metadata is not what we sent")
            if state.provider_status == "canceled":
                why = cancellation(answer)
                reason = REASONS.get(why.reason, RefusalReason.DECLINED)
                raise ProviderPermanentError(why.reason, str(why), reason)
            if state.status is NewsStatus.PENDING:
                page = values.fields(answer["confirmation"], "confirmation")
                payment_url = values.web_address(page["confirmation_url"], "confirmation_url")
            elif state.status is NewsStatus.UNKNOWN:
                raise ValueError(f"unheard-of status {state.provider_status}")
            else:
                payment_url = opening.return_url
            return OpenedPayment(state.provider_payment_id, payment_url)

    async def get_state(self, credentials: Credentials, provider_payment_id: str) -> PaymentState:
        """What became of a payment."""
        payment = await self._client.get("state", credentials, f"/payments/{_id(provider_payment_id)}")
        return _same_payment("state", payment, provider_payment_id)

    async def list_order(self, credentials: Credentials, order_id: str) -> tuple[PaymentState, ...]:  # noqa: ARG002
        """None: YooKassa does not look payments up by what is in their metadata."""
        return ()

    async def call_off(self, credentials: Credentials, provider_payment_id: str) -> PaymentState:
        """Release a held payment. An unpaid one cannot be ended: it is as it is, and expires within the hour."""
        state = await self.get_state(credentials, provider_payment_id)
        if state.status is not NewsStatus.AUTHORIZED:
            return state
        path = f"/payments/{_id(provider_payment_id)}/cancel"
        key = f"cancel-{provider_payment_id}"
        payment = await self._client.post("cancel", credentials, path, {}, key=key)
        return _same_payment("cancel", payment, provider_payment_id)

    async def get_sbp_payload(self, credentials: Credentials, provider_payment_id: str) -> str | None:  # noqa: ARG002
        """None: SBP is one of the ways on YooKassa's own page."""
        return None

    async def refund(self, credentials: Credentials, refund: Refund) -> RefundAnswer:
        """Give money back, in part or in full; the same key in the next 24 hours is the same refund."""
        body: dict[str, Any] = {
            "payment_id": refund.provider_payment_id,
            "amount": values.amount(refund.amount_minor),
        }
        if refund.receipt is not None:
            body["receipt"] = receipt_fields(refund.receipt, refund.amount_minor)
        answer = await self._client.post("refund", credentials, "/refunds", body, key=refund.key)
        with reading("refund"):
            if values.amount_minor(answer["amount"], "amount") != refund.amount_minor:
                raise ValueError("amount is not the one we sent")
            return _refund_answer(answer, refund.provider_payment_id)

    async def get_refund(
        self, credentials: Credentials, provider_payment_id: str, provider_refund_id: str
    ) -> RefundAnswer:
        answer = await self._client.get("refund_state", credentials, f"/refunds/{_id(provider_refund_id)}")
        with reading("refund_state"):
            if answer["id"] != provider_refund_id:
                raise ValueError("id is not the one we asked about")
            return _refund_answer(answer, provider_payment_id)

    async def check_credentials(self, credentials: Credentials) -> None:
        """Ask for one payment of the shop, whichever; any list is good."""
        await self._client.get("check", credentials, "/payments?limit=1")

    def is_test(self, credentials: Credentials) -> bool:
        """A test shop's key says so itself; its id looks like any other."""
        return credentials.secret.startswith("test_")

    def read(self, raw: bytes) -> Incoming:
        return notifications.read(raw)

    def verify(self, incoming: Incoming, secret: str) -> bool:  # noqa: ARG002
        """False: nothing in a notification of YooKassa proves where it comes from."""
        return False

    def parse(self, raw: bytes) -> Notification:
        return notifications.parse(raw)

    def parse_registry(self, raw: bytes) -> list[RegistryRow]:  # noqa: ARG002
        raise MalformedRegistry(0, "YooKassa's registries are not read")


def _id(given: str) -> str:
    """An id on its way into an address. An id that came in a notification is a stranger's text."""
    try:
        return values.object_id(given, "id")
    except ValueError as error:
        raise ProviderPermanentError("bad_id", str(error), RefusalReason.NOT_FOUND) from None


def _same_payment(call: str, payment: dict[str, Any], provider_payment_id: str) -> PaymentState:
    with reading(call):
        state = payment_state(payment)
        if state.provider_payment_id != provider_payment_id:
            raise ValueError("id is not the one we asked about")
        return state


def _refund_answer(answer: dict[str, Any], provider_payment_id: str) -> RefundAnswer:
    if answer["payment_id"] != provider_payment_id:
        raise ValueError("payment_id is not the one we meant")
    word = values.text(answer["status"], "status", limit=40)
    status = REFUND_STATUSES.get(word)
    if status is None:
        raise ValueError(f"unheard-of status {word}")
    refund_id = values.object_id(answer["id"], "id")
    if status is RefundStatus.REFUSED:
        why = cancellation(answer)
        reason = REFUND_REASONS.get(why.reason, RefusalReason.REFUND_REFUSED)
        return RefundAnswer(status, refund_id, error_code=why.reason, error_message=str(why), reason=reason)
    return RefundAnswer(status, refund_id)
