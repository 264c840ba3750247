"""Accounts for tests, made and signed in without the price that a password's hash has for a thief."""

from typing import Any

from argon2 import PasswordHasher

from domain import users
from domain.users import User, add_user, hash_password

PASSWORD = "correct horse battery"

REAL_HASHER = users._hasher
"""What the programs hash with."""
CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)

_hashes: dict[str, str] = {}


def hash_cheaply() -> None:
    """In this process, from now on. Programs that tests start hash as they always do."""
    users._hasher = CHEAP_HASHER


async def add_account(connection: Any, email: str, password: str = PASSWORD, *, is_superuser: bool = False) -> User:
    if password not in _hashes:
        _hashes[password] = await hash_password(password)
    user = await add_user(connection, email, _hashes[password], is_superuser=is_superuser)
    assert user is not None, f"{email} has an account"
    return user
