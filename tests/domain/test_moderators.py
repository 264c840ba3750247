"""Moderators come by a link that works once, may what they were given, and are out the moment somebody says so."""

import asyncio
import uuid
from typing import Any

import asyncpg
import pytest

from domain import erasure, holds, moderators
from domain.blocks import BlockKind, list_blocks
from domain.control import pause
from domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from domain.holds import Decision
from domain.moderation_log import read_log
from domain.moderators import MAX_MODERATORS, Moderator, Right
from domain.pressers import Presser, PresserKind
from tests.builders import BuiltStreamer, make_streamer
from tests.domain.test_holds import held, let_time_pass, settle_all

BOB = Presser(PresserKind.MODERATOR, 7, "Боб")
OWNER = Presser(PresserKind.OWNER, 1, "Анна")


@pytest.fixture
async def streamer(connection: asyncpg.Connection) -> BuiltStreamer:
    return await make_streamer(connection)


async def invited(connection: Any, streamer: BuiltStreamer, nick: str = "Боб", **more: Any) -> moderators.NewLink:
    fields = {"rights": ["queue"], "days": 7, **more}
    return await moderators.invite(connection, streamer.id, nick=nick, **fields)


async def come_in(connection: Any, link: moderators.NewLink, nick: str = "") -> tuple[str, str]:
    """The public id and the session of whoever opened the link."""
    joined = await moderators.join(connection, link.token, nick=nick)
    assert joined is not None
    public_id = await connection.fetchval("SELECT public_id FROM moderators WHERE id = $1", link.moderator_id)
    return public_id, joined[1]


async def let_in(connection: Any, streamer: BuiltStreamer, nick: str = "Боб", **more: Any) -> Moderator:
    found = await moderators.find_moderator(
        connection, *await come_in(connection, await invited(connection, streamer, nick, **more))
    )
    assert found is not None
    return found


async def test_a_link_lets_in_once(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    link = await invited(connection, streamer, nick="", rights=["queue", "amounts"])
    await moderators.find_invitation(connection, link.token)
    invitation = await moderators.find_invitation(connection, link.token)
    assert invitation is not None, "looking uses nothing"
    assert (invitation.nick, invitation.rights) == ("", frozenset({Right.QUEUE, Right.AMOUNTS}))
    with pytest.raises(InvalidInputError) as refused:
        await moderators.join(connection, link.token, nick=" \u200b ")
    assert (refused.value.field, refused.value.code) == ("nick", "required")

    public_id, session = await come_in(connection, link, "  Вера ")
    found = await moderators.find_moderator(connection, public_id, session)
    assert found is not None
    assert (found.nick, found.streamer_id, found.by) == (
        "Вера",
        streamer.id,
        Presser(PresserKind.MODERATOR, found.id, "Вера"),
    )
    assert await moderators.find_invitation(connection, link.token) is None
    assert await moderators.join(connection, link.token, nick="Ещё один") is None
    assert await moderators.find_moderator(connection, public_id, link.token) is None
    assert await moderators.find_moderator(connection, "x" * 16, session) is None
    stored: Any = await connection.fetchrow("SELECT * FROM moderators")
    assert link.token not in str(dict(stored))
    assert session not in str(dict(stored))


async def test_of_two_who_open_it_at_once_one_is_in(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        link = await invited(connection, await make_streamer(connection), nick="")

    async def join(nick: str) -> Any:
        async with pool.acquire() as connection, connection.transaction():
            return await moderators.join(connection, link.token, nick=nick)

    came = await asyncio.gather(*(join(f"nick {number}") for number in range(5)))
    assert sum(one is not None for one in came) == 1
    winner = next(number for number, one in enumerate(came) if one is not None)
    assert await pool.fetchval("SELECT nick FROM moderators") == f"nick {winner}"


async def test_the_nick_that_the_streamer_gave_stays(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    link = await invited(connection, streamer, nick="Боб")
    found = await moderators.find_moderator(connection, *await come_in(connection, link, "Самозванец"))
    assert found is not None
    assert found.nick == "Боб"


async def test_it_ends_by_itself(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    unused, link = await invited(connection, streamer, days=1), await invited(connection, streamer, days=1)
    where = await come_in(connection, link)
    found = await moderators.find_moderator(connection, *where)
    assert found is not None
    assert found.expires_at is not None
    assert await moderators.list_good_sessions(connection, [found.session_id, uuid.uuid4()]) == {found.session_id}
    await connection.execute("UPDATE moderators SET expires_at = now()")
    assert await moderators.find_moderator(connection, *where) is None
    assert await moderators.list_good_sessions(connection, [found.session_id]) == set()
    assert await moderators.find_invitation(connection, unused.token) is None
    assert await moderators.join(connection, unused.token, nick="") is None
    assert [one.is_expired for one in await moderators.list_moderators(connection, streamer.id)] == [True, True]
    # Longer, by one press: the same browser is in again.
    await moderators.change(
        connection, streamer.id, link.moderator_id, nick="", rights=["queue"], keeps_expiry=False, days=None
    )
    again = await moderators.find_moderator(connection, *where)
    assert again is not None
    assert again.expires_at is None


async def test_an_unused_link_grows_old(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    link = await invited(connection, streamer, days=None)
    await connection.execute("UPDATE moderators SET link_expires_at = now()")
    assert await moderators.find_invitation(connection, link.token) is None
    assert await moderators.join(connection, link.token, nick="") is None
    (listed,) = await moderators.list_moderators(connection, streamer.id)
    assert (listed.has_link, listed.has_joined, listed.is_expired) == (False, False, False)


async def test_a_new_link_ends_what_came_by_the_former(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    link = await invited(connection, streamer, rights=["queue", "block"])
    where = await come_in(connection, link)
    newer = await moderators.renew_link(connection, streamer.id, link.moderator_id)
    assert await moderators.find_moderator(connection, *where) is None
    newest = await moderators.renew_link(connection, streamer.id, link.moderator_id)
    assert await moderators.find_invitation(connection, newer.token) is None
    found = await moderators.find_moderator(connection, *await come_in(connection, newest))
    assert found is not None
    assert (found.id, found.nick, found.rights) == (link.moderator_id, "Боб", frozenset({Right.QUEUE, Right.BLOCK}))
    await moderators.leave(connection, found)
    assert await moderators.list_good_sessions(connection, [found.session_id]) == set()


async def test_who_is_revoked_is_out_for_good(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    other = await make_streamer(connection)
    link, unused = await invited(connection, streamer), await invited(connection, streamer)
    where = await come_in(connection, link)
    for act in (moderators.revoke, moderators.renew_link):
        with pytest.raises(NotFoundError):
            await act(connection, other.id, link.moderator_id)
    for one in (link, unused):
        await moderators.revoke(connection, streamer.id, one.moderator_id)
    assert await moderators.find_moderator(connection, *where) is None
    assert await moderators.find_invitation(connection, unused.token) is None
    assert await moderators.list_moderators(connection, streamer.id) == []
    with pytest.raises(NotFoundError):
        await moderators.revoke(connection, streamer.id, link.moderator_id)
    with pytest.raises(NotFoundError):
        await moderators.renew_link(connection, streamer.id, link.moderator_id)
    with pytest.raises(NotFoundError):
        await moderators.change(
            connection, streamer.id, link.moderator_id, nick="", rights=["queue"], keeps_expiry=True
        )


async def test_rights_are_changed_at_once(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    link = await invited(connection, streamer, days=7)
    where = await come_in(connection, link)
    before = await moderators.find_moderator(connection, *where)
    await moderators.change(
        connection, streamer.id, link.moderator_id, nick="Роберт", rights=["controls"], keeps_expiry=True
    )
    after = await moderators.find_moderator(connection, *where)
    assert before is not None
    assert after is not None
    assert (after.nick, after.rights, after.expires_at) == ("Роберт", frozenset({Right.CONTROLS}), before.expires_at)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"rights": []}, "rights"),
        ({"rights": ["amounts", "block"]}, "rights"),
        ({"rights": ["queue", "money"]}, "rights"),
        ({"days": 2}, "days"),
        ({"days": 0}, "days"),
        ({"nick": "ж" * 61}, "nick"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    connection: asyncpg.Connection, streamer: BuiltStreamer, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        await invited(connection, streamer, **fields)
    assert refused.value.field == field


async def test_there_are_not_too_many(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    for _ in range(MAX_MODERATORS):
        link = await invited(connection, streamer)
    with pytest.raises(NotAllowedError):
        await invited(connection, streamer)
    await moderators.revoke(connection, streamer.id, link.moderator_id)
    await invited(connection, streamer)


@pytest.mark.parametrize(
    "change",
    [
        "rights = '{amounts}'",
        "rights = '{queue,money}'",
        "session_id = gen_random_uuid()",
        "link_hash = NULL",
        "revoked_at = now()",
        "session_id = gen_random_uuid(), session_hash = decode(repeat('00', 32), 'hex')",
    ],
)
async def test_the_database_refuses_what_cannot_be(
    connection: asyncpg.Connection, streamer: BuiltStreamer, change: str
) -> None:
    await invited(connection, streamer)
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(f"UPDATE moderators SET {change}")


async def test_who_looks_is_forgotten_by_itself(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    bob, vera = await let_in(connection, streamer), await let_in(connection, streamer, "Вера")
    assert await moderators.note_here(connection, streamer.id, bob.by), "the others are to be told"
    assert not await moderators.note_here(connection, streamer.id, bob.by)
    assert await moderators.note_here(connection, streamer.id, vera.by)
    assert await moderators.note_here(connection, streamer.id, OWNER)
    assert await moderators.list_here(connection, streamer.id) == [OWNER, bob.by, vera.by]
    assert await moderators.list_here(connection, (await make_streamer(connection)).id) == []
    await connection.execute(
        "UPDATE moderation_presence SET seen_at = now() - interval '31 seconds' WHERE by_id = $1", bob.id
    )
    assert await moderators.list_here(connection, streamer.id) == [OWNER, vera.by]
    assert await moderators.note_here(connection, streamer.id, bob.by), "back again"
    await moderators.renew_link(connection, streamer.id, vera.id)
    assert await moderators.list_here(connection, streamer.id) == [OWNER, bob.by]
    here = {one.nick: one.is_here for one in await moderators.list_moderators(connection, streamer.id)}
    assert here == {"Боб": True, "Вера": False}


async def test_of_two_who_decide_at_once_one_does(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        streamer = await make_streamer(connection)
        _, alert_id = await held(connection, streamer)
        people = [(await let_in(connection, streamer, nick)).by for nick in ("Боб", "Вера", "Гоша")]

    async def press(by: Presser) -> holds.Decided:
        async with pool.acquire() as connection, connection.transaction():
            return await holds.decide(connection, streamer.id, alert_id, Decision.HIDE, by)

    decided = await asyncio.gather(*(press(by) for by in people))
    winner = next(by for by, one in zip(people, decided, strict=True) if one.won)
    assert [one.won for one in decided].count(True) == 1
    assert {(one.by_kind, one.by_name, one.decision) for one in decided} == {("moderator", winner.name, "hide")}
    async with pool.acquire() as connection:
        listed = {one.nick: one.decisions for one in await moderators.list_moderators(connection, streamer.id)}
    assert listed == {by.name: int(by == winner) for by in people}


async def test_a_hold_says_how_long_it_may_be_undone(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    _, alert_id = await held(connection, streamer)
    (waiting,) = await holds.list_holds(connection, streamer.id)
    assert waiting.undo_seconds is None
    await holds.decide(connection, streamer.id, alert_id, Decision.SHOW, Presser(PresserKind.SUPERUSER, 3, ""))
    (decided,) = await holds.list_holds(connection, streamer.id)
    assert (decided.by_kind, decided.by_name) == ("superuser", "")
    assert decided.undo_seconds is not None
    assert 4 < decided.undo_seconds <= 5


async def test_a_block_is_a_line_of_the_log(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    _, alert_id = await held(connection, streamer)
    await holds.block_donor(connection, streamer.id, alert_id, BlockKind.NAME, BOB)
    (block,) = await list_blocks(connection, streamer.id)
    assert (block.kind, block.shown, block.note) == ("name", "Аня", "Боб")
    with pytest.raises(NotAllowedError):
        await holds.block_donor(connection, streamer.id, alert_id, BlockKind.ADDRESS, BOB)
    with pytest.raises(NotFoundError):
        await holds.block_donor(connection, streamer.id, uuid.uuid4(), BlockKind.NAME, BOB)
    with pytest.raises(NotFoundError):
        await holds.block_donor(connection, (await make_streamer(connection)).id, alert_id, BlockKind.NAME, BOB)
    (line,) = (await read_log(connection, streamer.id, limit=10)).lines
    assert (line.what, line.reason, line.by_name, line.name) == ("block", "blocked_name", "Боб", "Аня")
    await holds.decide(connection, streamer.id, alert_id, Decision.HIDE, BOB)
    await let_time_pass(connection, seconds=6)
    await settle_all(connection)
    with pytest.raises(NotFoundError):
        await holds.block_donor(connection, streamer.id, alert_id, BlockKind.NAME, BOB)


async def test_the_log_is_read_by_keys(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    _, alert_id = await held(connection, streamer)
    for number in range(3):
        await holds.decide(connection, streamer.id, alert_id, Decision.HIDE, BOB if number else OWNER)
        await holds.undo(connection, streamer.id, alert_id, OWNER)
    first = await read_log(connection, streamer.id, limit=4)
    assert [line.what for line in first.lines] == ["undo", "hide", "undo", "hide"]
    assert {match.word for match in first.lines[0].matches} == {"сука"}, "what the rules had caught"
    assert first.newer is None
    second = await read_log(connection, streamer.id, limit=4, before=first.older)
    assert [(line.what, line.by_name) for line in second.lines] == [("undo", "Анна"), ("hide", "Анна")]
    assert second.older is None
    back = await read_log(connection, streamer.id, limit=4, after=second.newer)
    assert (back.lines, back.newer, back.older) == (first.lines, None, first.older)
    his = await read_log(connection, streamer.id, limit=4, moderator_id=BOB.id)
    assert [line.by_name for line in his.lines] == ["Боб", "Боб"]
    assert (await read_log(connection, (await make_streamer(connection)).id, limit=4)).lines == ()


async def test_they_go_with_the_account(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    bob = await let_in(connection, streamer)
    await moderators.note_here(connection, streamer.id, bob.by)
    await pause(connection, streamer.id, Presser(PresserKind.MODERATOR, bob.id, bob.nick), True)
    await erasure.ask_for(connection, streamer.owner_id)
    await connection.execute("UPDATE users SET delete_at = now() WHERE id = $1", streamer.owner_id)
    await erasure.begin(connection, streamer.owner_id)
    await erasure.erase_settings(connection, streamer.id)
    for step in erasure.STEPS:
        await erasure.erase_batch(connection, step, streamer.id)
    for table in ("moderators", "moderation_presence"):
        assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0, table
    assert await connection.fetchval("SELECT actor_name FROM alert_actions") == ""
    assert await moderators.list_good_sessions(connection, [bob.session_id]) == set()
