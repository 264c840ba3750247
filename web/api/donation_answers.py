"""What of a donation is told to whom (DESIGN 15).

What donors write is read by others once it is moderated, which it is when the money has come; as written it goes to
its sender, and to who may read originals. Whose an anonymous donation is, only its sender learns.
"""

from dataclasses import dataclass
from typing import Any

from domain.api_lines import Line
from web.api.schemas.donations import DonationDetails


@dataclass(frozen=True)
class Reader:
    """Who reads: a person what she sent and received, a key what its streamer received."""

    user_id: int | None
    streamer_id: int | None
    sees_originals: bool


def is_sender_of(reader: Reader, line: Line) -> bool:
    return line.donor_id is not None and line.donor_id == reader.user_id


def details_of(reader: Reader, line: Line) -> DonationDetails:
    is_sender = is_sender_of(reader, line)
    sees_original = is_sender or reader.sees_originals
    if is_sender:
        name, message = line.original_name, line.original_message
    elif line.is_judged:
        name, message = line.donor_name, line.message
    else:
        name, message = None, ""
    return DonationDetails(
        **fields_of(line, is_sender=is_sender, name=name, message=message),
        recipient_username=line.recipient_username,
        donor_username=line.donor_username if _shows_donor(line, is_sender) else None,
        original_name=line.original_name if sees_original else None,
        original_message=line.original_message if sees_original else None,
    )


def _shows_donor(line: Line, is_sender: bool) -> bool:
    return is_sender or line.original_name is not None


def fields_of(line: Line, *, is_sender: bool, name: str | None, message: str) -> dict[str, Any]:
    """What all answers have of a donation."""
    return {
        "id": line.id,
        "amount": line.amount_minor,
        "message": message or None,
        "donor_name": name,
        "is_anonymous": line.original_name is None,
        "is_public": not line.is_hidden,
        "donor_id": line.donor_id if _shows_donor(line, is_sender) else None,
        "recipient_id": line.recipient_id,
        "streamer_id": line.streamer_id,
        "payment_method": line.payment_method,
        "payment_id": line.payment_id,
        # Who pays is the donor's business.
        "payment_url": line.payment_url if is_sender else None,
        "status": line.told,
        "is_alert_shown": line.is_alert_shown,
        "created_at": line.created_at,
        "updated_at": line.paid_at,
        "order_id": line.client_order_id,
    }
