"""What a donor may ask for who has no account: that the name and the message go (152-ФЗ). The streamer, or the
operator, finds the donation by its address or name and does it; what was paid, and what was agreed to, stays.
"""

from typing import Any

from domain import outbox
from domain.errors import NotFoundError
from domain.events import EventType
from infra import queries


async def list_same_donor(connection: Any, streamer_id: int, donation_id: int) -> list[int]:
    """Ids of the other paid donations under the same name, which may be another person's."""
    rows = queries.erasure.list_same_donor(connection, streamer_id=streamer_id, donation_id=donation_id)
    return [row["id"] async for row in rows]


async def erase(
    connection: Any, streamer_id: int, donation_id: int, *, with_others: bool, user_id: int, user_name: str
) -> int:
    """Empty a donation of the donor's words, `with_others` also those under the same name; how many it were.

    A second time changes nothing more. What plays at the moment is not cut off. Raises NotFoundError("donation").
    """
    ids = [donation_id]
    if with_others:
        ids += await list_same_donor(connection, streamer_id, donation_id)
    # In the order in which a booking locks them.
    await queries.erasure.lock_payments_of(connection, ids=ids)
    await queries.erasure.lock_donations_of(connection, ids=ids)
    await queries.erasure.lock_alerts_of(connection, ids=ids)
    tag: str = await queries.erasure.erase_texts_of(connection, streamer_id=streamer_id, ids=ids)
    erased = int(tag.rpartition(" ")[2])
    if not erased:
        raise NotFoundError("donation")
    await queries.erasure.log_erased(
        connection, streamer_id=streamer_id, ids=ids, by_id=user_id, by_name=user_name[:320]
    )
    # Whoever was told the words should forget them, too.
    gone = {"decision": "erase", "by": "owner", "is_held": False, "donor_name": None, "message": ""}
    facts = [{"donation_id": one, "streamer_id": streamer_id, **gone} for one in ids]
    await outbox.add_events(connection, [(EventType.DONATION_MODERATED, fact) for fact in facts])
    await queries.erasure.drop_copies(connection, streamer_id=streamer_id)
    return erased
