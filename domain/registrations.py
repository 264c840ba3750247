"""Accounts that are registered through API v1 and wait for the code from their letter (docs/decisions/0044).

Until the code comes back they are nobody's: no page knows of them, nobody signs in, whoever proves the address
elsewhere gets it (`delete_awaiting_of`), and after a day they are gone (domain/retention.py).
"""

from dataclasses import dataclass
from typing import Any

from domain.errors import InvalidInputError
from domain.user_profiles import Person, UserProfile, get_person, is_username_taken, save_profile
from infra import queries


@dataclass(frozen=True)
class Registered:
    user_id: int
    is_confirmed: bool


async def register(
    connection: Any, email: str, password_hash: str, profile: UserProfile, *, locale: str, awaits_code: bool
) -> Person:
    """A new account. Raises InvalidInputError: `email` or `username` taken, and the caller's transaction ends with it;
    asyncpg.UniqueViolationError when somebody else took the username in this very moment."""
    user_id = await queries.registrations.insert_registered(
        connection, email=email, password_hash=password_hash, locale=locale, awaits_code=awaits_code
    )
    if user_id is None:
        raise InvalidInputError("email", "taken")
    if await is_username_taken(connection, profile.username):
        raise InvalidInputError("username", "taken")
    await save_profile(connection, user_id, profile)
    return await get_person(connection, user_id)


async def find_registered(connection: Any, email: str) -> Registered | None:
    """The account of an address, also one that awaits its code; None for one that is blocked."""
    row = await queries.registrations.find_registered(connection, email=email)
    return None if row is None else Registered(**row)


async def confirm(connection: Any, user_id: int, consent_version: str) -> bool:
    """The code came back: the account is its owner's, who has agreed to what the letter said. False: it is gone."""
    done = await queries.registrations.confirm(connection, user_id=user_id, consent_version=consent_version)
    await queries.confirmations.end_confirmations_of(connection, user_id=user_id)
    return bool(done == "UPDATE 1")
