"""Keys of the API: what one opens, until when, and for whom."""

from typing import Any

import asyncpg
import pytest

from domain import access_tokens, erasure
from domain.access_tokens import KEY_DAYS, MAX_KEYS, Access, NewKey, find_access
from domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from domain.scopes import Scope
from domain.tokens import hash_token
from tests.builders import BuiltStreamer, make_streamer


@pytest.fixture
async def streamer(connection: asyncpg.Connection) -> BuiltStreamer:
    return await make_streamer(connection)


async def make(connection: Any, streamer: BuiltStreamer, name: str = "Бот", **more: Any) -> NewKey:
    fields = {"scopes": ["goals:write", "donations:read"], "days": 30, **more}
    return await access_tokens.create_key(connection, streamer.owner_id, streamer.id, name=name, **fields)


async def use(connection: Any, token: str) -> Access | None:
    return await find_access(connection, hash_token(token))


async def test_a_key_opens_what_it_says(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    made = await make(connection, streamer, "  Мой\u200b бот ")
    assert made.token.startswith("sc_")
    assert len(made.token) == len("sc_") + 43
    found = await use(connection, made.token)
    assert found is not None
    assert (found.token_id, found.user.id, found.streamer_id) == (made.id, streamer.owner_id, streamer.id)
    assert found.scopes == {Scope.DONATIONS_READ, Scope.GOALS_WRITE}
    assert (found.application_id, found.name) == (None, "Мой бот")
    (listed,) = await access_tokens.list_keys(connection, streamer.owner_id)
    assert (listed.hint, listed.name) == (made.token[-4:], "Мой бот")
    assert listed.scopes == (Scope.DONATIONS_READ, Scope.GOALS_WRITE)
    assert listed.used_at is not None
    # Nowhere in the row stands what would open anything.
    (row,) = await connection.fetch("SELECT * FROM access_tokens")
    assert made.token not in str(dict(row))
    assert row["token_hash"] == hash_token(made.token)


@pytest.mark.parametrize("changed", ["", " ", "x", "SC_", "\x00", "\ud800"])
async def test_what_is_no_key_opens_nothing(
    connection: asyncpg.Connection, streamer: BuiltStreamer, changed: str
) -> None:
    made = await make(connection, streamer)
    for token in (changed, made.token + changed if changed else "sc_", made.token[:-1], made.token.swapcase()):
        assert await find_access(connection, hash_token(token)) is None


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE access_tokens SET revoked_at = now()",
        "UPDATE access_tokens SET expires_at = now()",
        "UPDATE users SET is_active = false",
    ],
)
async def test_a_key_ends(connection: asyncpg.Connection, streamer: BuiltStreamer, end: str) -> None:
    made = await make(connection, streamer)
    await connection.execute(end)
    assert await use(connection, made.token) is None


@pytest.mark.parametrize("days", KEY_DAYS)
async def test_how_long_it_lasts(connection: asyncpg.Connection, streamer: BuiltStreamer, days: int | None) -> None:
    await make(connection, streamer, days=days)
    left = await connection.fetchval("SELECT extract(days FROM expires_at - created_at)::integer FROM access_tokens")
    assert left == days


async def test_its_use_is_noted_now_and_then(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    made = await make(connection, streamer)
    for minutes, is_noted in ((4, False), (6, True)):
        await connection.execute("UPDATE access_tokens SET used_at = now() - make_interval(mins => $1)", minutes)
        await use(connection, made.token)
        assert await connection.fetchval("SELECT used_at = now() FROM access_tokens") is is_noted


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"name": " \u200b"}, ("name", "required")),
        ({"name": "x" * 61}, ("name", "too_long")),
        ({"scopes": []}, ("scopes", "required")),
        ({"scopes": ["donations:read", "money:take"]}, ("scopes", "unknown")),
        ({"days": 31}, ("days", "unknown")),
        ({"days": 0}, ("days", "unknown")),
    ],
)
async def test_what_no_key_is_made_of(
    connection: asyncpg.Connection, streamer: BuiltStreamer, fields: dict[str, Any], refused: tuple[str, str]
) -> None:
    with pytest.raises(InvalidInputError) as error:
        await make(connection, streamer, **fields)
    assert (error.value.field, error.value.code) == refused
    assert await access_tokens.list_keys(connection, streamer.owner_id) == []


async def test_there_is_a_limit_which_ended_keys_do_not_reach(
    connection: asyncpg.Connection, streamer: BuiltStreamer
) -> None:
    first = await make(connection, streamer)
    for _ in range(MAX_KEYS - 1):
        await make(connection, streamer)
    with pytest.raises(NotAllowedError):
        await make(connection, streamer)
    await access_tokens.revoke_key(connection, streamer.owner_id, first.id, by_user_id=streamer.owner_id)
    await make(connection, streamer)


async def test_only_its_owner_revokes_it_and_once(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    stranger = await make_streamer(connection)
    made, kept = await make(connection, streamer), await make(connection, stranger)
    with pytest.raises(NotFoundError):
        await access_tokens.revoke_key(connection, stranger.owner_id, made.id, by_user_id=stranger.owner_id)
    assert await access_tokens.revoke_key(connection, streamer.owner_id, made.id, by_user_id=streamer.owner_id) == "Бот"
    with pytest.raises(NotFoundError):
        await access_tokens.revoke_key(connection, streamer.owner_id, made.id, by_user_id=streamer.owner_id)
    assert await use(connection, made.token) is None
    assert await use(connection, kept.token) is not None
    log = await connection.fetch("SELECT action FROM account_log WHERE user_id = $1 ORDER BY id", streamer.owner_id)
    assert [row["action"] for row in log] == ["key_made", "key_revoked"]


async def test_the_database_lets_no_key_be_for_anothers_page(
    connection: asyncpg.Connection, streamer: BuiltStreamer
) -> None:
    stranger = await make_streamer(connection)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await access_tokens.create_key(
            connection, stranger.owner_id, streamer.id, name="x", scopes=["stats:read"], days=30
        )


async def test_a_scope_of_a_later_version_gives_nothing(
    connection: asyncpg.Connection, streamer: BuiltStreamer
) -> None:
    made = await make(connection, streamer)
    await connection.execute("UPDATE access_tokens SET scopes = '{stats:read,tomorrow:write}'")
    found = await use(connection, made.token)
    assert found is not None
    assert found.scopes == {Scope.STATS_READ}


async def test_it_ends_with_the_account(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    made = await make(connection, streamer)
    await connection.execute("UPDATE users SET delete_at = now() WHERE id = $1", streamer.owner_id)
    await erasure.begin(connection, streamer.owner_id)
    assert await use(connection, made.token) is None
    assert await connection.fetchval("SELECT count(*) FROM access_tokens") == 0
