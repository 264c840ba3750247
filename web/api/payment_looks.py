"""Who asks about payments, and how often: a client's order id may be a mere number, and so be guessed."""

import hashlib
import re

from domain import api_lines
from domain.api_lines import Line
from infra.addresses import address_key
from web.api.errors import Refused
from web.context import parts
from web.limits import Limit
from web.security import client_address

# Many donors behind one address ask each about a payment of his own; who guesses asks about none.
LOOK_LIMIT = Limit("api-payment-look", 120, 60)
GUESS_LIMIT = Limit("api-payment-guess", 30, 60)

_PAYMENT_ID = re.compile(r"[0-9a-f]{32}")


async def find_payment(payment_id: str) -> Line:
    """Raises Refused(404)."""
    line = None
    if _PAYMENT_ID.fullmatch(payment_id):
        await count_look("payment", payment_id)
        async with parts().pool.acquire() as connection:
            line = await api_lines.find_by_payment(connection, payment_id)
    if line is None:
        await count_guess()
        raise Refused(404, "Payment not found")
    return line


async def count_look(kind: str, name: str) -> None:
    """Of one payment from one address: a stranger who guessed an order's id must not use up its client's looks.
    Raises 429 TooManyRequests."""
    key = hashlib.sha256(name.encode()).hexdigest()
    await parts().limiter.take(LOOK_LIMIT, f"{kind}:{key}:{address_key(client_address())}")


async def count_guess() -> None:
    """Somebody named an order or a payment that is none, or not his. Raises 429 TooManyRequests."""
    await parts().limiter.take(GUESS_LIMIT, address_key(client_address()))


async def refuse_guessers() -> None:
    """Before it is told where an order is paid: who has guessed too often does not learn that a guess is right at last,
    either. Raises 429 TooManyRequests."""
    await parts().limiter.refuse_beyond(GUESS_LIMIT, address_key(client_address()))
