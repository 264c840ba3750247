"""Accounts that are registered through API v1 and wait for the code from their letter (docs/decisions/0044, 0048).

Until the code comes back they are nobody's: no page knows of them, nobody signs in, whoever proves the address
elsewhere gets it (`delete_awaiting_of`), and after a day they are gone (domain/retention.py).

Anybody may register an address, also one that awaits its code. So each code keeps the registration it was mailed for,
and where several were asked for, the one that comes back proves the address and no password: its owner chooses one.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from domain import mailbox_codes
from domain.confirmations import Mailer
from domain.errors import InvalidInputError
from domain.mailbox_codes import Answered, Registration
from domain.user_profiles import Person, UserProfile, get_person, is_username_taken, read_profile, save_profile
from domain.users import hash_unless_known
from infra import queries


@dataclass(frozen=True)
class NewAccount:
    """What somebody says who registers; the password's hash is one of `hash_registered`."""

    email: str
    registration: Registration
    locale: str
    awaits_code: bool = True


@dataclass(frozen=True)
class Registered:
    user_id: int
    is_confirmed: bool


class Confirmed(StrEnum):
    NOTHING = "nothing"
    """There is no such account (any more)."""
    DONE = "done"
    NO_PASSWORD = "no_password"  # noqa: S105
    """The account is its owner's and has no password: a letter that sets one is due."""


async def hash_registered(connection: Any, email: str, password: str) -> str:
    """A hash of the password; the one that is known where the address was registered with it before."""
    known = await queries.registrations.find_awaiting_hash(connection, email=email)
    return await hash_unless_known(password, known)


async def register(connection: Any, new: NewAccount) -> Person:
    """A new account, or another registration for one that awaits its code. Raises InvalidInputError: `email` or
    `username` taken, and the caller's transaction ends with it; asyncpg.UniqueViolationError when somebody else took
    the username in this very moment."""
    profile = new.registration.profile
    user_id = await queries.registrations.insert_registered(
        connection,
        email=new.email,
        password_hash=new.registration.password_hash,
        locale=new.locale,
        awaits_code=new.awaits_code,
    )
    if user_id is None:
        raise InvalidInputError("email", "taken")
    if await is_username_taken(connection, profile.username, but_of=user_id):
        raise InvalidInputError("username", "taken")
    await save_profile(connection, user_id, profile)
    return await get_person(connection, user_id)


async def find_registered(connection: Any, email: str) -> Registered | None:
    """The account of an address, also one that awaits its code; None for one that is blocked."""
    row = await queries.registrations.find_registered(connection, email=email)
    return None if row is None else Registered(**row)


async def ask_again(
    connection: Any, mailer: Mailer, user_id: int, email: str, password_hash: str, *, locale: str
) -> None:
    """A letter whose code confirms the registration with this password, which the caller has given; nothing is mailed
    when another has taken its place in this very moment."""
    newest = await queries.registrations.lock_awaiting(connection, user_id=user_id)
    if newest == password_hash:
        registration = Registration(password_hash, await read_profile(connection, user_id))
        await mailbox_codes.begin_verification(
            connection, mailer, user_id, email, locale=locale, registration=registration
        )


async def confirm(
    connection: Any, answered: Answered, consent_version: str, *, caller_id: int | None = None
) -> Confirmed:
    """A code came back: the account is its owner's, who has agreed to what the letter said. One that is somebody's
    already, and whose address nobody has proved yet, confirms only who is signed in to it.

    1. Lock it: who registers the address again waits, and then finds that it is taken.
    2. Take over what the code was mailed for; no password if there were other registrations, or she is signed in.
    3. End the other codes.
    """
    outcome = Confirmed.DONE
    given = answered.registration
    if await queries.registrations.lock_awaiting(connection, user_id=answered.user_id) is not None:
        password_hash = None if given is None else given.password_hash
        # Who is signed in to another account may have asked for this address herself, and taken the wrong letter.
        is_another = caller_id not in (None, answered.user_id)
        if is_another or await queries.registrations.is_contested(
            connection, user_id=answered.user_id, password_hash=password_hash
        ):
            password_hash = None
        await queries.registrations.take_account(
            connection, user_id=answered.user_id, password_hash=password_hash or ""
        )
        if given is not None:
            await _take_profile(connection, answered.user_id, given.profile)
        outcome = Confirmed.DONE if password_hash else Confirmed.NO_PASSWORD
    elif given is None and answered.user_id != caller_id:
        return Confirmed.NOTHING
    done = await queries.registrations.confirm(connection, user_id=answered.user_id, consent_version=consent_version)
    await queries.confirmations.end_confirmations_of(connection, user_id=answered.user_id)
    return outcome if done == "UPDATE 1" else Confirmed.NOTHING


async def _take_profile(connection: Any, user_id: int, profile: UserProfile) -> None:
    if await is_username_taken(connection, profile.username, but_of=user_id):
        profile = replace(profile, username=None)
    if profile != await read_profile(connection, user_id):
        await save_profile(connection, user_id, profile)
