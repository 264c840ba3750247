"""How often somebody may try passwords and ask for letters (docs/decisions/0023, 0035).

A browser known to the account has limits of its own: whatever strangers do, its owner gets in. In a new browser she
gets in by a letter: the limits of what goes to an address are one for each kind of letter, so that whoever uses them up
has filled her mailbox with links for a new password. Limits are taken for addresses with and without an account alike.
"""

from dataclasses import dataclass

from domain.confirmations import Purpose
from infra.addresses import address_key
from web.context import parts
from web.known_browsers import known_browser_key
from web.limits import Limit
from web.security import client_address

# Many people share the address of a mobile operator; few mistype their password ten times.
TRIES_PER_ADDRESS = Limit("sign-in-address", 60, 5 * 60)
TRIES_PER_ACCOUNT_AND_ADDRESS = Limit("sign-in-account-address", 10, 15 * 60)
TRIES_PER_ACCOUNT = Limit("sign-in-account", 100, 15 * 60)
TRIES_PER_KNOWN_BROWSER = Limit("sign-in-browser", 10, 15 * 60)
PASSWORDS_PER_USER = Limit("confirm-password", 10, 15 * 60)

LETTERS_FROM_ADDRESS = Limit("letters-from-address", 60, 60 * 60)
LETTERS_TO_FROM_ADDRESS = Limit("letters-to-from-address", 5, 60 * 60)
LETTERS_TO = Limit("letters-to", 10, 60 * 60)
LETTERS_FROM_KNOWN_BROWSER = Limit("letters-browser", 5, 60 * 60)
CODES_FROM_ADDRESS = Limit("codes-from-address", 100, 15 * 60)


@dataclass(frozen=True)
class SignInTry:
    """What was counted, to be forgotten after the right password."""

    keys: tuple[tuple[Limit, str], ...]

    async def forget(self) -> None:
        for limit, key in self.keys:
            await parts().limiter.forget(limit, key)


async def take_sign_in(email: str) -> SignInTry:
    """Count a try to sign in. Raises 429 TooManyRequests."""
    account = email.strip().lower()
    limiter = parts().limiter
    async with parts().pool.acquire() as connection:
        browser = await known_browser_key(connection, account)
    if browser is not None:
        key = f"{account}|{browser}"
        await limiter.take(TRIES_PER_KNOWN_BROWSER, key)
        return SignInTry(((TRIES_PER_KNOWN_BROWSER, key),))
    address = address_key(client_address())
    key = f"{account}|{address}"
    of_account = ((TRIES_PER_ACCOUNT_AND_ADDRESS, key), (TRIES_PER_ACCOUNT, account))
    await limiter.take_all((TRIES_PER_ADDRESS, address), *of_account)
    return SignInTry(of_account)


async def take_letter(email: str, purpose: Purpose) -> None:
    """Count a letter that somebody wants sent to an address. Raises 429 TooManyRequests."""
    limiter = parts().limiter
    async with parts().pool.acquire() as connection:
        browser = await known_browser_key(connection, email)
    if browser is not None:
        await limiter.take(LETTERS_FROM_KNOWN_BROWSER, f"{email}|{browser}")
        return
    address = address_key(client_address())
    await limiter.take_all(
        (LETTERS_FROM_ADDRESS, address),
        (LETTERS_TO_FROM_ADDRESS, f"{email}|{address}"),
        (LETTERS_TO, f"{purpose}|{email}"),
    )


async def take_code() -> None:
    """Count a try at a code from this address; each code has its own few tries besides. Raises 429."""
    await parts().limiter.take(CODES_FROM_ADDRESS, address_key(client_address()))


async def take_password(user_id: int) -> None:
    """Count a password that a signed-in person confirms an act with. Raises 429 TooManyRequests."""
    await parts().limiter.take(PASSWORDS_PER_USER, str(user_id))
