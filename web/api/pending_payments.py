"""Open payments, for the operator (contract: contracts/api-v1.md, "Payments").

POST /payments/check-pending        ask the banks now
GET  /payments/pending-payments     what is open
"""

import logging
import secrets

from quart_schema import validate_response

from domain import api_donations
from web.api.access import caller, superuser
from web.api.blueprints import old_api
from web.api.idempotency import writing
from web.api.openapi import examples, may_refuse
from web.api.schemas.payments import PendingChecked, PendingDonation, PendingPayments
from web.context import parts

log = logging.getLogger(__name__)
blueprint = old_api("pending_payments", "payments")


@blueprint.post("/check-pending")
@superuser
@may_refuse({400: "You are no operator"})
@examples(
    response={"success": True, "message": "3 open payments will be asked about now", "task_id": "9f2c41d07ab35e68"}
)
@validate_response(PendingChecked)
async def check_pending() -> PendingChecked:
    """Ask the banks about open payments now.

    They are asked about anyway, each in its time; this makes it soon. No bank is asked about all of them at once.
    """
    async with writing() as connection:
        hurried = await api_donations.hurry_pending(connection)
    task_id = secrets.token_hex(8)
    log.info("%s: user %d wants %d open payments to be asked about now", task_id, caller().user.id, hurried)
    return PendingChecked(success=True, message=f"{hurried} open payments will be asked about now", task_id=task_id)


@blueprint.get("/pending-payments")
@superuser
@may_refuse({400: "You are no operator"})
@examples(
    response={
        "success": True,
        "count": 1,
        "donations": [
            {
                "id": 17,
                "payment_id": "5f0c3a9e4b7d41d2a8e6f3b1c9d07e42",
                "amount": 150.5,
                "created_at": "2026-11-28T18:40:00Z",
                "donor_name": None,
                "is_anonymous": False,
                "streamer_id": 2,
            }
        ],
    }
)
@validate_response(PendingPayments)
async def list_pending() -> PendingPayments:
    """List donations whose payment is open at a bank, the oldest first; 1,000 at most."""
    async with parts().pool.acquire() as connection:
        found = await api_donations.list_pending(connection)
    return PendingPayments(
        success=True,
        count=len(found),
        donations=[
            PendingDonation(
                id=pending.id,
                payment_id=pending.payment_id,
                amount=pending.amount_minor,
                created_at=pending.created_at,
                donor_name=None,
                is_anonymous=pending.is_anonymous,
                streamer_id=pending.streamer_id,
            )
            for pending in found
        ],
    )
