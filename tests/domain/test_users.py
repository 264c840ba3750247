"""Accounts: who may come in."""

from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY

from domain import sessions, users
from domain.errors import InvalidInputError
from domain.passwords import check_new_password
from domain.tokens import hash_token
from tests.support.accounts import CHEAP_HASHER, REAL_HASHER

PASSWORD = "correct horse battery"
TOKEN = hash_token("a random token")


async def make_user(connection: Any, email: str = "anna@example.org") -> users.User:
    return await users.create_user(connection, email, PASSWORD)


class TestRules:
    @pytest.mark.parametrize(
        ("typed", "kept"),
        [("Anna@Example.ORG", "anna@example.org"), ("  a@b.ru\n", "a@b.ru"), ("a@localhost", "a@localhost")],
    )
    def test_an_email_is_kept_in_lower_case(self, typed: str, kept: str) -> None:
        assert users.clean_email(typed) == kept

    @pytest.mark.parametrize(
        "typed",
        ["", " ", "anna", "@b.ru", "a@", "a@b@c.ru", "a b@c.ru", "a@b..ru", "a@.ru", "a\x00@b.ru", "a@" + "b" * 260],
    )
    def test_what_is_no_email_is_refused(self, typed: str) -> None:
        with pytest.raises(InvalidInputError) as refused:
            users.clean_email(typed)
        assert refused.value.field == "email"

    @pytest.mark.parametrize("password", ["", "1234567", "x" * 257])
    def test_a_short_or_endless_password_is_refused(self, password: str) -> None:
        with pytest.raises(InvalidInputError) as refused:
            check_new_password(password)
        assert refused.value.field == "password"


class TestPasswords:
    async def test_the_right_password_opens_whatever_the_case_of_the_email(self, connection: Any) -> None:
        anna = await make_user(connection)
        assert await users.verify_password(connection, " ANNA@example.org ", PASSWORD) == anna

    @pytest.mark.parametrize(
        ("email", "password"),
        [
            ("anna@example.org", PASSWORD + " "),
            ("anna@example.org", ""),
            ("anna@example.org", "x" * 100_000),
            ("nobody@example.org", PASSWORD),
            ("not an e-mail", PASSWORD),
            ("nul\x00@example.org", PASSWORD),
        ],
    )
    async def test_anything_else_does_not(self, connection: Any, email: str, password: str) -> None:
        await make_user(connection)
        assert await users.verify_password(connection, email, password) is None

    async def test_a_closed_account_does_not_open(self, connection: Any) -> None:
        anna = await make_user(connection)
        await connection.execute("UPDATE users SET is_active = false WHERE id = $1", anna.id)
        assert await users.verify_password(connection, anna.email, PASSWORD) is None

    async def test_the_password_is_kept_as_argon2id_only(self, connection: Any) -> None:
        await make_user(connection)
        kept = await connection.fetchval("SELECT password_hash FROM users")
        assert kept.startswith("$argon2id$")
        assert PASSWORD not in kept

    async def test_programs_hash_at_full_price(self) -> None:
        """Tests hash cheaply; what they save must not reach anybody's password."""
        real = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        assert (REAL_HASHER.type, REAL_HASHER.time_cost, REAL_HASHER.memory_cost, REAL_HASHER.parallelism) == (
            real.type, real.time_cost, real.memory_cost, real.parallelism
        )  # fmt: skip
        assert users._hasher is CHEAP_HASHER

    async def test_an_unknown_email_is_checked_against_a_hash_as_dear_as_a_known_ones(
        self, connection: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        checked: list[str] = []

        class Noting(PasswordHasher):
            def verify(self, hash: Any, password: Any) -> Any:  # noqa: A002
                try:
                    return super().verify(hash, password)
                except VerifyMismatchError:
                    checked.append(hash)
                    raise

        monkeypatch.setattr(users, "_hasher", Noting.from_parameters(extract_parameters(REAL_HASHER.hash(PASSWORD))))
        await make_user(connection)
        await users.verify_password(connection, "anna@example.org", "not hers at all")
        await users.verify_password(connection, "nobody@example.org", "not hers at all")
        known, unknown = (extract_parameters(text) for text in checked)
        assert unknown == known

    async def test_a_hash_of_older_parameters_is_renewed_when_the_password_is_known(self, connection: Any) -> None:
        anna = await make_user(connection)
        weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        await connection.execute("UPDATE users SET password_hash = $1", weak)
        assert await users.verify_password(connection, anna.email, PASSWORD) == anna
        assert await connection.fetchval("SELECT password_hash FROM users") != weak
        assert await users.verify_password(connection, anna.email, PASSWORD) == anna

    async def test_a_broken_hash_opens_nothing(self, connection: Any) -> None:
        anna = await make_user(connection)
        await connection.execute("UPDATE users SET password_hash = 'not a hash'")
        assert await users.verify_password(connection, anna.email, PASSWORD) is None

    async def test_the_same_email_twice_is_refused(self, connection: Any) -> None:
        await make_user(connection)
        with pytest.raises(InvalidInputError, match="taken"):
            await make_user(connection, "ANNA@example.org")

    async def test_a_new_password_signs_every_browser_out(self, connection: Any) -> None:
        anna = await make_user(connection)
        await sessions.create_session(connection, anna.id, TOKEN, "Firefox")
        await users.set_password(connection, anna.id, "another good one")
        assert await sessions.find_session(connection, TOKEN) is None
        assert await users.verify_password(connection, anna.email, PASSWORD) is None
        assert await users.verify_password(connection, anna.email, "another good one") == anna
