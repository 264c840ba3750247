"""Codes by mail: whether who sits at a browser owns an address (docs/decisions/0023, 0035).

The browser keeps a token, the table its hash, and the code's hash is made with that token. A confirmation of an address
that no code may confirm (it has an account, or has none) looks, counts and answers like any other.

A code for a new password opens an account, so it is one of 30^8: with 5 tries a letter and 10 letters an hour, whoever
tries ten thousand accounts at once, from any number of addresses, finds one in 150 years. The others open nothing that
exists and have six digits, which phones type more easily. The letter for a new password has a link besides, good in any
browser: whoever asked for it, its reader gets in.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from domain import letters
from domain.letters import Kind
from domain.one_time_links import LinkPurpose, make_link
from domain.terminals import Box
from domain.tokens import hash_token, new_token
from domain.users import User, find_user
from infra import queries

CODE_MINUTES = 15
CODE_TRIES = 5
RESEND_SECONDS = 60
MAX_LETTERS = 5
LINK_HOURS = 2
"""Longer than the hour in which strangers may use up an address's letters: one with a good link is always there."""
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without what is taken for something else in print: 0 and O, 1, I and L, U and V."""
# Cyrillic letters that look like ours, for who did not switch the keyboard.
_LOOK_ALIKES = str.maketrans("АВЕКМНРСТУХ", "ABEKMHPCTYX")
_TYPED_MAX_LENGTH = 100


class Purpose(StrEnum):
    REGISTER = "register"
    PASSWORD = "password"  # noqa: S105
    EMAIL = "email"
    VERIFY = "verify"
    """Of an account that was registered through the API: domain/mailbox_codes.py."""


class Tried(StrEnum):
    WRONG = "wrong"
    OVER = "over"
    """The code is too old, was tried too often, or was used: another one is needed."""


@dataclass(frozen=True)
class Mailer:
    """What letters with codes need: `site` is the host in their Message-ID."""

    box: Box
    site: str


@dataclass(frozen=True)
class Confirmation:
    """A question that waits for its code."""

    id: int
    purpose: Purpose
    email: str
    user_id: int | None
    password_hash: str | None = field(repr=False)
    consent_version: str | None
    link_id: int | None
    locale: str
    tries: int
    letters: int
    has_code: bool
    is_late: bool
    pause_left_seconds: float

    @property
    def is_over(self) -> bool:
        return self.is_late or self.tries >= CODE_TRIES

    @property
    def may_send_again(self) -> bool:
        return self.letters < MAX_LETTERS


@dataclass(frozen=True)
class Confirmed:
    email: str
    user_id: int | None
    password_hash: str | None = field(repr=False)
    consent_version: str | None
    link_id: int | None
    locale: str


# Asking. Each returns the token for the browser; the relay is woken after the commit.


async def begin_registration(
    connection: Any,
    mailer: Mailer,
    email: str,
    *,
    password_hash: str,
    consent_version: str,
    locale: str,
    link_id: int | None = None,
) -> str:
    """A code to a new address; to one that has an account, a letter that says so, and no code fits."""
    owner = await find_user(connection, email)
    token, code = new_token(), new_code(Purpose.REGISTER)
    await insert(
        connection,
        token,
        Purpose.REGISTER,
        email,
        code if owner is None else None,
        locale=locale,
        password_hash=password_hash,
        consent_version=consent_version,
        link_id=link_id,
    )
    await post_code(connection, mailer, Kind.REGISTER, email, locale, code, owner)
    return token


async def begin_password(connection: Any, mailer: Mailer, email: str, *, locale: str) -> str:
    """A code and a link to the owner of the account; without one, nothing is mailed and no code fits."""
    owner = await find_user(connection, email)
    is_owned = owner is not None and owner.is_active
    token, code = new_token(), new_code(Purpose.PASSWORD)
    await insert(
        connection,
        token,
        Purpose.PASSWORD,
        email,
        code if is_owned else None,
        locale=locale,
        user_id=owner.id if owner is not None and is_owned else None,
    )
    if owner is not None and is_owned:
        await post_password(connection, mailer, email, locale, code, owner.id)
    return token


async def begin_email(connection: Any, mailer: Mailer, user: User, email: str, *, locale: str) -> str:
    """A code to the new address; if it is somebody's, they get a letter that says so, and no code fits."""
    owner = await find_user(connection, email)
    token, code = new_token(), new_code(Purpose.EMAIL)
    await insert(
        connection,
        token,
        Purpose.EMAIL,
        email,
        code if owner is None else None,
        locale=locale,
        user_id=user.id,
    )
    await post_code(connection, mailer, Kind.EMAIL, email, locale, code, owner, user_id=user.id)
    return token


async def post_password(connection: Any, mailer: Mailer, email: str, locale: str, code: str, user_id: int) -> None:
    """The letter's secret is the code as it is read, a space, and the link's token."""
    link = await make_link(connection, LinkPurpose.PASSWORD, hours=LINK_HOURS, user_id=user_id)
    secret = f"{code[:4]}-{code[4:]} {link}"
    await post_code(connection, mailer, Kind.PASSWORD, email, locale, secret, user_id=user_id)


async def post_code(
    connection: Any,
    mailer: Mailer,
    kind: Kind,
    email: str,
    locale: str,
    secret: str,
    owner: User | None = None,
    *,
    user_id: int | None = None,
) -> None:
    """The letter with the code; if the address has an `owner` already, one that says so."""
    if owner is not None:
        await letters.post(connection, Kind.TAKEN, owner.email, owner.locale, site=mailer.site, user_id=owner.id)
        return
    await letters.post(
        connection,
        kind,
        email,
        locale,
        site=mailer.site,
        user_id=user_id,
        box=mailer.box,
        secret=secret,
        minutes=CODE_MINUTES,
    )


async def insert(
    connection: Any,
    token: str,
    purpose: Purpose,
    email: str,
    code: str | None,
    *,
    locale: str,
    user_id: int | None = None,
    password_hash: str | None = None,
    consent_version: str | None = None,
    link_id: int | None = None,
    token_encrypted: str | None = None,
    profile: dict[str, Any] | None = None,
) -> None:
    """A question that waits; with `code` None, no code fits."""
    await queries.confirmations.insert_confirmation(
        connection,
        token_hash=hash_token(token),
        purpose=purpose,
        email=email,
        code_hash=None if code is None else code_hash(token, code),
        user_id=user_id,
        password_hash=password_hash,
        consent_version=consent_version,
        link_id=link_id,
        token_encrypted=token_encrypted,
        profile=profile,
        locale=locale,
        minutes=CODE_MINUTES,
    )


# Answering.


async def find(connection: Any, token: str, purpose: Purpose) -> Confirmation | None:
    """What this browser was asked; None when that was answered, or an hour too long ago."""
    row = await queries.confirmations.find_confirmation(
        connection, token_hash=hash_token(token), purpose=purpose, pause_seconds=float(RESEND_SECONDS)
    )
    return None if row is None else Confirmation(**{**dict(row), "purpose": Purpose(row["purpose"])})


async def answer(connection: Any, token: str, purpose: Purpose, typed: str) -> Confirmed | Tried:
    """Try a code. The caller commits whatever comes: a wrong one counts, none at all does not."""
    code = clean_code(purpose, typed)
    if not code:
        asked = await find(connection, token, purpose)
        return Tried.OVER if asked is None or asked.is_over else Tried.WRONG
    row = await queries.confirmations.take_try(
        connection, token_hash=hash_token(token), purpose=purpose, limit=CODE_TRIES
    )
    if row is None:
        return Tried.OVER
    # Compared also where no code fits: the same work.
    fits = hmac.compare_digest(row["code_hash"] or bytes(32), code_hash(token, code))
    if not fits or row["code_hash"] is None:
        return Tried.WRONG
    used = await queries.confirmations.use_confirmation(connection, confirmation_id=row["id"])
    if used is None:
        return Tried.OVER
    return Confirmed(
        used["email"],
        used["user_id"],
        used["password_hash"],
        used["consent_version"],
        used["link_id"],
        used["locale"],
    )


async def send_again(connection: Any, mailer: Mailer, token: str, asked: Confirmation) -> bool:
    """Another code in place of the former one. False: too soon, or too often."""
    code = new_code(asked.purpose)
    renewed = await queries.confirmations.renew_code(
        connection,
        confirmation_id=asked.id,
        code_hash=code_hash(token, code) if asked.has_code else None,
        minutes=CODE_MINUTES,
        limit=MAX_LETTERS,
        pause_seconds=float(RESEND_SECONDS),
    )
    if renewed != "UPDATE 1":
        return False
    if asked.has_code:
        if asked.purpose is Purpose.PASSWORD:
            assert asked.user_id is not None, "a code fits only where there is an account"
            await post_password(connection, mailer, asked.email, asked.locale, code, asked.user_id)
        else:
            kind = Kind(asked.purpose.value)
            await post_code(connection, mailer, kind, asked.email, asked.locale, code, user_id=asked.user_id)
    return True


def clean_code(purpose: Purpose, typed: str) -> str:
    """The code as it was made, however it was typed: with spaces and dashes, small or with a Russian keyboard."""
    typed = typed[:_TYPED_MAX_LENGTH]
    if purpose is not Purpose.PASSWORD:
        return "".join(character for character in typed if character.isdigit())
    return "".join(character for character in typed.upper().translate(_LOOK_ALIKES) if character in CODE_ALPHABET)


# Shared with domain/mailbox_codes.py.


def new_code(purpose: Purpose) -> str:
    """Eight characters for a new password, else six digits."""
    if purpose is Purpose.PASSWORD:
        return "".join(secrets.choice(CODE_ALPHABET) for _ in range(8))
    return f"{secrets.randbelow(1_000_000):06}"


def code_hash(token: str, code: str) -> bytes:
    return hashlib.sha256(f"{token}:{code}".encode()).digest()
