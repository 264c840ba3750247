"""Browsers that are signed in: whose, and for how long."""

from typing import Any

import pytest

from domain import sessions
from domain.tokens import hash_token
from tests.domain.test_users import TOKEN, make_user


async def test_a_session_belongs_to_its_user_for_thirty_days(connection: Any) -> None:
    anna = await make_user(connection)
    await sessions.create_session(connection, anna.id, TOKEN, "x" * 1000)
    session = await sessions.find_session(connection, TOKEN)
    assert session is not None
    assert session.user == anna
    assert session.seconds_left == pytest.approx(30 * 24 * 3600)
    assert not session.wants_renewal


async def test_an_ended_session_is_none_and_is_swept(connection: Any) -> None:
    anna = await make_user(connection)
    await sessions.create_session(connection, anna.id, TOKEN, "")
    await connection.execute("UPDATE sessions SET expires_at = now()")
    assert await sessions.find_session(connection, TOKEN) is None
    await sessions.create_session(connection, anna.id, hash_token("another"), "")
    assert await connection.fetchval("SELECT count(*) FROM sessions") == 1


async def test_a_session_in_use_is_prolonged_after_half_its_time(connection: Any) -> None:
    anna = await make_user(connection)
    await sessions.create_session(connection, anna.id, TOKEN, "")
    await connection.execute("UPDATE sessions SET expires_at = now() + interval '14 days'")
    session = await sessions.find_session(connection, TOKEN)
    assert session is not None
    assert session.wants_renewal
    await sessions.renew_session(connection, TOKEN)
    session = await sessions.find_session(connection, TOKEN)
    assert session is not None
    assert session.seconds_left == pytest.approx(30 * 24 * 3600)


async def test_a_closed_account_has_no_session(connection: Any) -> None:
    anna = await make_user(connection)
    await sessions.create_session(connection, anna.id, TOKEN, "")
    await connection.execute("UPDATE users SET is_active = false")
    assert await sessions.find_session(connection, TOKEN) is None


async def test_signing_out_twice_is_signing_out(connection: Any) -> None:
    anna = await make_user(connection)
    await sessions.create_session(connection, anna.id, TOKEN, "")
    await sessions.delete_session(connection, TOKEN)
    await sessions.delete_session(connection, TOKEN)
    assert await sessions.find_session(connection, TOKEN) is None
