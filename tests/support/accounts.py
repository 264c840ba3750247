"""Accounts for tests, made without hashing the same password again and again."""

from typing import Any

from domain.users import User, add_user, hash_password

PASSWORD = "correct horse battery"

_hashes: dict[str, str] = {}


async def add_account(connection: Any, email: str, password: str = PASSWORD, *, is_superuser: bool = False) -> User:
    if password not in _hashes:
        _hashes[password] = await hash_password(password)
    user = await add_user(connection, email, _hashes[password], is_superuser=is_superuser)
    assert user is not None, f"{email} has an account"
    return user
