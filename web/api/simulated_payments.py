"""The simulated bank's donor, for who tries the API out (contract: contracts/api-v1.md, "Payments").

POST /payments/webhook/test     he pays, or is refused
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from quart import Response
from quart_schema import hide, validate_request, validate_response

from domain import api_lines
from web.api.access import public
from web.api.blueprints import old_api
from web.api.errors import Refused
from web.api.openapi import examples, may_refuse
from web.api.payment_looks import find_payment
from web.api.schemas.payments import TestNotification, TestNotified
from web.bank_state import is_simulated
from web.context import parts

blueprint = old_api("simulated_payments", "payments")

View = TypeVar("View", bound=Callable[..., Awaitable[Any]])

SIMULATOR_SECONDS = 15.0

_ID = "5f0c3a9e4b7d41d2a8e6f3b1c9d07e42"


def simulator_only(view: View) -> View:
    """Where no bank is simulated there is no such address."""

    @wraps(view)
    async def asked(*arguments: Any, **named: Any) -> Any:
        settings = parts().settings
        if not any(is_simulated(settings, name) for name in parts().providers):
            raise Refused(404, "Not found")
        return await view(*arguments, **named)

    return asked  # type: ignore[return-value]


@blueprint.post("/webhook/test", provide_automatic_options=False)
@public
@simulator_only
@examples(
    request={"payment_id": _ID, "status": "completed"},
    response={"success": True, "payment_id": _ID, "status": "completed"},
)
@may_refuse({404: "There is no such payment, or no bank is simulated here"})
@validate_request(TestNotification)
@validate_response(TestNotified)
async def notify_test(data: TestNotification) -> TestNotified:
    """Let the simulated bank's donor pay, or be refused; only where a bank is simulated.

    Nothing is paid by this call: the simulated bank tells of the payment as a real one would.
    """
    line = await find_payment(data.payment_id)
    async with parts().pool.acquire() as connection:
        payment = await api_lines.get_attempt(connection, line)
    if not is_simulated(parts().settings, line.provider) or payment.provider_payment_id is None:
        raise Refused(400, "This payment is not open at a simulated bank")
    split = urlsplit(parts().settings.provider_api_urls[line.provider])
    part = "" if line.provider == "tbank" else f"/{line.provider}"
    act = "pay" if data.status == "completed" else "decline"
    url = f"{split.scheme}://{split.netloc}/_sim{part}/payments/{payment.provider_payment_id}/{act}"
    try:
        answer = await parts().http.post(url, json={}, timeout=SIMULATOR_SECONDS)
    except httpx.HTTPError:
        raise Refused(503, "The simulated bank does not answer") from None
    if not answer.is_success:
        raise Refused(400, "The simulated bank does not do this to the payment as it is now")
    return TestNotified(success=True, payment_id=data.payment_id, status=data.status)


@blueprint.route("/webhook/test", methods=["OPTIONS"], provide_automatic_options=False)
@hide
@public
@simulator_only
async def ask_test() -> Response:
    """Ask what may be sent to this address."""
    return Response(status=200, headers={"Allow": "POST, OPTIONS"})
