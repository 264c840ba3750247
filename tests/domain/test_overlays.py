"""Connected overlays, who speaks, and what an absence does to the queue."""

import uuid
from typing import Any

import pytest

from domain import alerts, overlays
from domain.overlay_tokens import find_overlay_token, reveal_overlay_token, rotate_overlay_token
from tests.builders import BOX, BuiltStreamer
from tests.domain.test_alerts import connect, donate


async def leave(connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID) -> None:
    process_id = await connection.fetchval("SELECT process_id FROM overlays WHERE id = $1", overlay_id)
    assert await overlays.disconnect_overlay(
        connection, process_id=process_id, streamer_id=streamer.id, overlay_id=overlay_id
    )
    await overlays.choose_speaker(connection, streamer.id)


async def speaker(connection: Any, streamer: BuiltStreamer) -> uuid.UUID | None:
    return (await overlays.get_controls(connection, streamer.id)).speaker_id


async def test_the_first_speaks_until_it_leaves(connection: Any, streamer: BuiltStreamer) -> None:
    assert await overlays.get_controls(connection, streamer.id) == overlays.Controls()
    first, second = await connect(connection, streamer), await connect(connection, streamer)
    assert await speaker(connection, streamer) == first
    assert [overlay.speaks for overlay in await overlays.list_overlays(connection, streamer.id)].count(True) == 1
    await leave(connection, streamer, first)
    assert await speaker(connection, streamer) == second
    await leave(connection, streamer, second)
    assert await speaker(connection, streamer) is None


@pytest.mark.parametrize(
    ("loser", "winner"),
    [
        ({"in_obs": False}, {"in_obs": True}),
        ({"in_obs": True}, {"in_obs": True, "active": True}),
        ({"visible": False}, {"visible": True}),
        # Whatever a tab says of itself, it is never on the program.
        ({"in_obs": False, "active": True}, {"in_obs": True}),
    ],
)
async def test_who_outranks_whom(
    connection: Any, streamer: BuiltStreamer, loser: dict[str, bool], winner: dict[str, bool]
) -> None:
    for order in ((loser, winner), (winner, loser)):
        connected = [await connect(connection, streamer, **fields) for fields in order]
        assert await speaker(connection, streamer) == connected[order.index(winner)]
        for overlay_id in connected:
            await leave(connection, streamer, overlay_id)


async def test_a_hidden_obs_keeps_tabs_silent(connection: Any, streamer: BuiltStreamer) -> None:
    await connect(connection, streamer, in_obs=True, visible=False)
    await connect(connection, streamer, in_obs=False)
    assert await speaker(connection, streamer) is None


async def test_the_first_overlay_ever_waits_for_nothing(connection: Any, streamer: BuiltStreamer) -> None:
    await donate(connection, streamer)
    await connect(connection, streamer)
    assert (await overlays.get_controls(connection, streamer.id)).resume_in_ms is None


@pytest.mark.parametrize(("away", "waits"), [("19 s", False), ("21 s", True)])
async def test_after_a_short_absence_the_queue_waits(
    connection: Any, streamer: BuiltStreamer, away: str, waits: bool
) -> None:
    await leave(connection, streamer, await connect(connection, streamer))
    await connection.execute("UPDATE speakers SET last_present_at = now() - $1::text::interval", away)
    await connect(connection, streamer)
    controls = await overlays.get_controls(connection, streamer.id)
    assert controls.resume_in_ms == (15_000 if waits else None)
    assert controls.asking_since is None


@pytest.mark.parametrize(
    ("away", "waiting", "asks"), [("11 min", 4, True), ("11 min", 3, False), ("9 min", 4, False), ("11 min", 0, False)]
)
async def test_after_a_long_absence_the_streamer_is_asked(
    connection: Any, streamer: BuiltStreamer, away: str, waiting: int, asks: bool
) -> None:
    await leave(connection, streamer, await connect(connection, streamer))
    for _ in range(waiting):
        await donate(connection, streamer)
    await connection.execute("UPDATE speakers SET last_present_at = now() - $1::text::interval", away)
    await connect(connection, streamer)
    controls = await overlays.get_controls(connection, streamer.id)
    assert (controls.asking_since is not None) == asks


async def test_tests_are_not_asked_about_after_an_absence(connection: Any, streamer: BuiltStreamer) -> None:
    await leave(connection, streamer, await connect(connection, streamer))
    for _ in range(4):
        await alerts.enqueue_test(connection, streamer.id, 30_000, None, "Проверка")
    await connection.execute("UPDATE speakers SET last_present_at = now() - interval '11 min', resume_at = NULL")
    await connect(connection, streamer)
    assert (await overlays.get_controls(connection, streamer.id)).asking_since is None


async def test_one_that_was_there_all_along_but_hidden_was_not_away(connection: Any, streamer: BuiltStreamer) -> None:
    await connect(connection, streamer, visible=False)
    await connection.execute("UPDATE speakers SET last_present_at = now() - interval '1 hour'")
    await connect(connection, streamer)
    assert (await overlays.get_controls(connection, streamer.id)).resume_in_ms is None


async def test_a_dead_process_takes_its_overlays_with_it(connection: Any, streamer: BuiltStreamer) -> None:
    process_id, other_id = uuid.uuid4(), uuid.uuid4()
    await connect(connection, streamer, process_id=process_id)
    survivor = await connect(connection, streamer, process_id=other_id)
    await connection.execute(
        "UPDATE realtime_processes SET renewed_at = now() - interval '1 h' WHERE id = $1", process_id
    )
    # PostgreSQL itself has just started in a test, so nobody could have renewed yet.
    assert await overlays.bury_dead_processes(connection) in ([], [streamer.id])
    await overlays.end_process(connection, process_id)
    assert await speaker(connection, streamer) == survivor
    assert len(await overlays.list_overlays(connection, streamer.id)) == 1


async def test_an_overlay_that_moved_is_not_struck_off_by_the_process_it_left(
    connection: Any, streamer: BuiltStreamer
) -> None:
    overlay_id = await connect(connection, streamer)
    gone = await overlays.disconnect_overlay(
        connection, process_id=uuid.uuid4(), streamer_id=streamer.id, overlay_id=overlay_id
    )
    assert not gone
    assert await overlays.choose_speaker(connection, streamer.id) == overlay_id


async def test_a_look_tells_what_a_process_has_to_know(connection: Any, streamer: BuiltStreamer) -> None:
    process_id = uuid.uuid4()
    overlay_id = await connect(connection, streamer, process_id=process_id)
    (view,) = await overlays.look(connection, process_id)
    assert (view.streamer_id, view.overlay_ids, view.speaker_id) == (streamer.id, frozenset({overlay_id}), overlay_id)
    assert (view.could_play, view.lease_id) == (False, None)
    await donate(connection, streamer)
    assert (await overlays.look(connection, process_id))[0].could_play
    await overlays.set_paused(connection, streamer.id, True)
    assert not (await overlays.look(connection, process_id))[0].could_play


async def test_a_token_opens_until_it_is_rotated(connection: Any, streamer: BuiltStreamer) -> None:
    assert await reveal_overlay_token(connection, BOX, streamer.id) is None
    former = await rotate_overlay_token(connection, BOX, streamer.id)
    token = await rotate_overlay_token(connection, BOX, streamer.id)
    assert await reveal_overlay_token(connection, BOX, streamer.id) == token
    found, revoked = await find_overlay_token(connection, token), await find_overlay_token(connection, former)
    assert found is not None
    assert (found.streamer_id, found.revoked) == (streamer.id, False)
    assert revoked is not None
    assert revoked.revoked
    assert await find_overlay_token(connection, "something else") is None
