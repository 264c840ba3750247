"""What stands before a donation, by the form or by the API: how many may be made, and whom a streamer keeps out."""

from domain import blocks
from domain.errors import NotAllowedError
from infra.addresses import address_key
from web.context import parts
from web.limits import Limit
from web.security import client_address

# Mobile operators put hundreds of people behind one address, so that one is generous (DESIGN 17).
ADDRESS_LIMIT = Limit("donate-address", 600, 60)
ADDRESS_STREAMER_LIMIT = Limit("donate-address-streamer", 300, 60)
STREAMER_LIMIT = Limit("donate-streamer", 3000, 60)
FORM_LIMIT = Limit("donate-form", 20, 60)


async def count_address() -> str:
    """Before anything is looked up: the donor's address as it is counted. Raises 429 TooManyRequests."""
    address = address_key(client_address())
    await parts().limiter.take(ADDRESS_LIMIT, address)
    return address


async def count_wish(address: str, streamer_id: int, form_key: str) -> None:
    """Raises 429 TooManyRequests."""
    await parts().limiter.take_all(
        # With the address: an order's id may be guessed, and a stranger must not use up its client's times.
        (FORM_LIMIT, f"{address}:{form_key}"),
        (ADDRESS_STREAMER_LIMIT, f"{address}:{streamer_id}"),
        (STREAMER_LIMIT, str(streamer_id)),
    )


async def check_address(address: str, streamer_id: int) -> bytes | None:
    """The address as it is kept with the donation, if it is known. Raises NotAllowedError("blocked")."""
    digests = parts().box.digests(address, "donor address") if address != "unknown" else ()
    async with parts().pool.acquire() as connection:
        if await blocks.is_address_blocked(connection, streamer_id, digests):
            raise NotAllowedError("blocked")
    return digests[0] if digests else None
