"""T-Bank as a payment provider: its calls and messages behind the interface that all providers share."""

import httpx

from domain.payment_status import NewsStatus
from providers.outcomes import ProviderPermanentError, RefusalReason
from providers.provider import (
    Credentials,
    Incoming,
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
from providers.tbank import notifications, registry
from providers.tbank.client import QrRefusal, TBankClient

DEFAULT_API_URL = "https://securepay.tinkoff.ru/v2"
"""Production, and DEMO terminals too (`contracts/tbank-protocol.md`, «Hosts»)."""

PUBLIC_TEST_KEY = "TinkoffBankTest"
"""The terminal of the bank's own examples."""

CHECK_ORDER_ID = "credentials-check"
"""An order that no shop has: ours are random."""

_ENDED = frozenset({"REFUNDED", "REVERSED", "PARTIAL_REVERSED", "CANCELED"})
"""The bank's words for money that is back, or was never taken, or for a hold that was released."""
_GIVEN_BACK = _ENDED | {"PARTIAL_REFUNDED"}


def create(http: httpx.AsyncClient, api_url: str, timeout_seconds: float, connect_timeout_seconds: float) -> Provider:
    return TBank(http, api_url, timeout_seconds=timeout_seconds, connect_timeout_seconds=connect_timeout_seconds)


class TBank:
    """T-Bank's internet acquiring. A terminal is an account; a payment has one order, ours."""

    name = "tbank"
    title = "T-Bank"
    key_title = "Terminal key"
    secret_title = "Password"  # noqa: S105 - what the bank calls it
    key_max_length = 20
    signs_notifications = True
    notification_networks: tuple[str, ...] = ()
    reopens = False
    repeats_refunds = False
    """SBP ignores ExternalRequestId (OpenAPI 1.80, Cancel)."""
    offers_sbp_codes = True
    has_registry = True

    def __init__(
        self,
        http: httpx.AsyncClient,
        api_url: str,
        *,
        timeout_seconds: float = 15.0,
        connect_timeout_seconds: float = 5.0,
    ) -> None:
        """`api_url` ends in `/v2`; `timeout_seconds` bounds a whole call, connecting included."""
        self._client = TBankClient(
            http, api_url, timeout_seconds=timeout_seconds, connect_timeout_seconds=connect_timeout_seconds
        )

    async def open(self, credentials: Credentials, opening: Opening) -> OpenedPayment:
        return await self._client.init(
            credentials,
            order_id=opening.order_id,
            amount_minor=opening.amount_minor,
            description=opening.description,
            due_at=opening.due_at,
            notification_url=opening.notification_url,
            success_url=opening.return_url,
            fail_url=opening.return_url,
            language=opening.language,
            receipt=opening.receipt,
        )

    async def get_state(self, credentials: Credentials, provider_payment_id: str) -> PaymentState:
        return await self._client.get_state(credentials, provider_payment_id)

    async def list_order(self, credentials: Credentials, order_id: str) -> tuple[PaymentState, ...]:
        return await self._client.check_order(credentials, order_id)

    async def call_off(self, credentials: Credentials, provider_payment_id: str) -> PaymentState:
        """End a payment that was seen unpaid just now: one paid in between is given back, as the answer says.

        One that is in no state to be ended is answered as it is.
        """
        try:
            return await self._client.cancel(credentials, provider_payment_id)
        except ProviderPermanentError as error:
            if error.reason is not RefusalReason.WRONG_STATE:
                raise
        return await self._client.get_state(credentials, provider_payment_id)

    async def get_sbp_payload(self, credentials: Credentials, provider_payment_id: str) -> str | None:
        return await self._client.get_qr(credentials, provider_payment_id)

    async def refund(self, credentials: Credentials, refund: Refund) -> RefundAnswer:
        """Give money back. A card's is back when this answers, as a rule; SBP's is pending.

        The key makes a repeat harmless for cards, not for SBP: after ProviderUnknownOutcomeError compare what
        remains first. A receipt goes only with a part: the bank makes that of a refund in full by itself, and takes
        the giving back of all that remains for one.
        """
        remaining_minor = refund.remaining_minor - refund.amount_minor
        if refund.amount_minor <= 0 or remaining_minor < 0:
            raise ValueError("a refund is more than nothing and not more than what remains")
        state = await self._client.cancel(
            credentials,
            refund.provider_payment_id,
            # Also when it is all that remains. Without a sum the bank takes Init's (OpenAPI 1.80, Cancel), too much
            # once a part went back. With it never more goes back than was meant, whatever went back meanwhile.
            amount_minor=refund.amount_minor,
            external_request_id=refund.key,
            receipt=refund.receipt if remaining_minor else None,
        )
        return RefundAnswer(
            # A word that does not say that money went back is waited for: the payment's state tells how it ends.
            status=RefundStatus.DONE if state.provider_status in _GIVEN_BACK else RefundStatus.PENDING,
            # The bank gives a refund no id of its own.
            provider_refund_id=f"{refund.key}:{remaining_minor}",
            state=state,
        )

    async def get_refund(
        self, credentials: Credentials, provider_payment_id: str, provider_refund_id: str
    ) -> RefundAnswer:
        """What became of a refund, from the payment's state and from what should remain after it.

        Done when no more than that remains; refused when all of the money is still there, or SBP says why it was
        refused. Neither: still pending, for a wrong "refused" would give the same money back twice.
        """
        state = await self._client.get_state(credentials, provider_payment_id)
        if state.provider_status in _ENDED or _has_left(state, provider_refund_id):
            return RefundAnswer(RefundStatus.DONE, provider_refund_id, state)
        if state.status not in (NewsStatus.CONFIRMED, NewsStatus.PARTIALLY_REFUNDED):
            return RefundAnswer(RefundStatus.PENDING, provider_refund_id, state)
        refusal = await self._ask_why(credentials, state)
        if state.status is NewsStatus.PARTIALLY_REFUNDED and not refusal.code:
            return RefundAnswer(RefundStatus.PENDING, provider_refund_id, state)
        return RefundAnswer(
            RefundStatus.REFUSED,
            provider_refund_id,
            state,
            error_code=refusal.code,
            error_message=refusal.message,
            reason=RefusalReason.REFUND_REFUSED,
        )

    async def check_credentials(self, credentials: Credentials) -> None:
        """Asks for an order that does not exist: CheckOrder is always signed, and changes nothing."""
        await self._client.check_order(credentials, CHECK_ORDER_ID)

    def is_test(self, credentials: Credentials) -> bool:
        """DEMO terminals take the bank's test cards (`contracts/tbank-protocol.md`, «Hosts»)."""
        return credentials.key.endswith("DEMO") or credentials.key == PUBLIC_TEST_KEY

    def read(self, raw: bytes) -> Incoming:
        return notifications.read(raw)

    def verify(self, incoming: Incoming, secret: str) -> bool:
        return notifications.verify(incoming, secret)

    def parse(self, raw: bytes) -> Notification:
        return notifications.parse(raw)

    def parse_registry(self, raw: bytes) -> list[RegistryRow]:
        return registry.parse_registry(raw)

    async def _ask_why(self, credentials: Credentials, state: PaymentState) -> QrRefusal:
        """SBP's reason for refusing a refund. Cards have none, nor does a payment the bank will not tell of."""
        nothing = QrRefusal("", "")
        if state.method not in ("sbp", ""):
            return nothing
        try:
            return await self._client.get_qr_state(credentials, state.provider_payment_id)
        except ProviderPermanentError:
            return nothing


def _has_left(state: PaymentState, provider_refund_id: str) -> bool:
    """Whether no more remains than should after the refund."""
    remaining = provider_refund_id.rpartition(":")[2]
    if state.status is not NewsStatus.PARTIALLY_REFUNDED or state.amount_minor is None or not remaining.isdigit():
        return False
    return state.amount_minor <= int(remaining)
