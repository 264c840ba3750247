"""Codes that come back with the address they were mailed to, for clients of API v1, which keep no cookie for us.

Pages tie a code to the browser that asked (domain/confirmations.py). Here the token it is hashed with stays with us,
encrypted, so that neither the database alone nor its reader can try codes out. Anybody may try for any address: a wrong
code costs a try of each letter that is out, so that many letters give a guesser no more tries than one after another.
A stranger can use them all up; another letter brings new ones, and the one for a new password has a link besides
(docs/decisions/0044). A code for another address fits only for the account that asked for it: whoever reads several
letters and takes the wrong one must not give a stranger's account her address (docs/decisions/0048).
"""

import hmac
from dataclasses import dataclass, field
from typing import Any

from domain.confirmations import (
    CODE_TRIES,
    Mailer,
    Purpose,
    clean_code,
    code_hash,
    insert,
    new_code,
    post_code,
    post_password,
)
from domain.letters import Kind
from domain.terminals import Box
from domain.tokens import new_token
from domain.user_profiles import UserProfile
from domain.users import User, find_user
from infra import queries


@dataclass(frozen=True)
class Registration:
    """What somebody registers an address with."""

    password_hash: str = field(repr=False)
    profile: UserProfile


@dataclass(frozen=True)
class Answered:
    """A code that fitted: what it was for."""

    purpose: Purpose
    email: str
    user_id: int
    registration: Registration | None
    """None: the code was asked for without a password."""


# Asking. The relay is woken after the commit.


async def begin_verification(
    connection: Any,
    mailer: Mailer,
    user_id: int | None,
    email: str,
    *,
    locale: str,
    registration: Registration | None = None,
) -> None:
    """A code to the address an account was registered with, for this registration or for none. Without an account,
    `user_id` None, nothing is mailed."""
    code = await _insert(connection, mailer, Purpose.VERIFY, email, user_id, locale=locale, registration=registration)
    if code is not None:
        await post_code(connection, mailer, Kind.VERIFY, email, locale, code, user_id=user_id)


async def begin_password(connection: Any, mailer: Mailer, email: str, *, locale: str) -> None:
    """A code and a link to the owner of the account; without one, nothing is mailed and no code fits."""
    owner = await find_user(connection, email)
    user_id = owner.id if owner is not None and owner.is_active else None
    code = await _insert(connection, mailer, Purpose.PASSWORD, email, user_id, locale=locale)
    if code is not None and user_id is not None:
        await post_password(connection, mailer, email, locale, code, user_id)


async def begin_email(connection: Any, mailer: Mailer, user: User, email: str, *, locale: str) -> None:
    """A code to the new address; if it is somebody's, they get a letter that says so, and no code fits."""
    owner = await find_user(connection, email)
    user_id = user.id if owner is None else None
    code = await _insert(connection, mailer, Purpose.EMAIL, email, user_id, locale=locale)
    await post_code(connection, mailer, Kind.EMAIL, email, locale, code or "", owner, user_id=user.id)


async def _insert(
    connection: Any,
    mailer: Mailer,
    purpose: Purpose,
    email: str,
    user_id: int | None,
    *,
    locale: str,
    registration: Registration | None = None,
) -> str | None:
    """The code; None where there is no account that it could be for."""
    token, code = new_token(), new_code(purpose)
    await insert(
        connection,
        token,
        purpose,
        email,
        None if user_id is None else code,
        locale=locale,
        user_id=user_id,
        password_hash=None if registration is None else registration.password_hash,
        token_encrypted=mailer.box.encrypt(token),
        profile=None if registration is None else vars(registration.profile),
    )
    return None if user_id is None else code


# Answering.


async def answer(
    connection: Any,
    box: Box,
    email: str,
    purposes: tuple[Purpose, ...],
    typed: str,
    *,
    caller_id: int | None = None,
) -> Answered | None:
    """Try a code; None when it is none of those that are out. The caller commits whatever comes: a wrong one counts.

    `caller_id`: who is signed in, whose codes for another address are tried too; nobody else's are.
    """
    if not any(clean_code(purpose, typed) for purpose in purposes):
        return None
    rows = queries.confirmations.take_tries(
        connection, email=email, purposes=list(purposes), caller_id=caller_id, limit=CODE_TRIES
    )
    fitting = [row["id"] async for row in rows if _fits(box, row, purposes, typed)]
    if not fitting:
        return None
    used = await queries.confirmations.use_confirmation(connection, confirmation_id=fitting[0])
    if used is None:
        return None
    profile = used["profile"]
    registration = None if profile is None else Registration(used["password_hash"], UserProfile(**profile))
    return Answered(Purpose(used["purpose"]), used["email"], used["user_id"], registration)


def _fits(box: Box, row: Any, purposes: tuple[Purpose, ...], typed: str) -> bool:
    token = box.try_decrypt(row["token_encrypted"])
    fits = False
    for purpose in purposes:
        # Compared also where no code fits: the same work.
        hashed = code_hash(token or "", clean_code(purpose, typed))
        fits |= hmac.compare_digest(row["code_hash"] or bytes(32), hashed)
    return fits and token is not None and row["code_hash"] is not None
