"""Alerts that waited through a long absence: what the streamer is asked, and what each answer does."""

import uuid
from typing import Any

import pytest

from domain import alerts, missed, overlays, showing
from domain.alerts import AlertKind
from domain.donations import DonorState, list_feed
from domain.missed import Answer
from tests.builders import BuiltStreamer
from tests.domain.test_alerts import connect, donate, donor_view, nothing_to_pick, pick, refund, status_of


@pytest.fixture
async def donations(connection: Any, streamer: BuiltStreamer) -> list[int]:
    """Four that waited when the streamer was asked, and one that came after."""
    names = ("Аня", None, "Борис", "Аня", "Новенький")
    donations = [await donate(connection, streamer, name=name) for name in names]
    await connection.execute(
        "UPDATE alerts SET playable_at = now() - interval '1 hour' WHERE donation_id = ANY($1::int[])",
        donations[:4],
    )
    await connect(connection, streamer)
    await connection.execute("UPDATE speakers SET asking_since = now() - interval '1 minute'")
    return donations


async def statuses(connection: Any, donations: list[int]) -> list[str]:
    return [await status_of(connection, donation_id) for donation_id in donations]


async def speaker_of(connection: Any, streamer: BuiltStreamer) -> uuid.UUID:
    speaker_id = (await overlays.get_controls(connection, streamer.id)).speaker_id
    assert speaker_id is not None
    return speaker_id


async def test_nobody_asks_nobody_answers(connection: Any, streamer: BuiltStreamer) -> None:
    assert await missed.get_missed(connection, streamer.id) is None
    assert not await missed.answer_missed(connection, streamer.id, Answer.DROP)


async def test_play_lets_them_all_go(connection: Any, streamer: BuiltStreamer, donations: list[int]) -> None:
    asked = await missed.get_missed(connection, streamer.id)
    assert asked is not None
    assert (asked.alerts, asked.amount_minor) == (4, 120_000)
    assert await missed.answer_missed(connection, streamer.id, Answer.PLAY)
    assert not await missed.answer_missed(connection, streamer.id, Answer.PLAY)
    offer = await pick(connection, streamer, await speaker_of(connection, streamer))
    assert offer.donation_id == donations[0]


async def test_drop_leaves_what_came_after_the_question(
    connection: Any, streamer: BuiltStreamer, donations: list[int]
) -> None:
    assert await missed.answer_missed(connection, streamer.id, Answer.DROP)
    assert await statuses(connection, donations) == ["dropped"] * 4 + ["queued"]


async def test_later_keeps_them_and_plays_what_is_new(
    connection: Any, streamer: BuiltStreamer, donations: list[int]
) -> None:
    assert await missed.answer_missed(connection, streamer.id, Answer.LATER)
    speaker_id = await speaker_of(connection, streamer)
    offer = await pick(connection, streamer, speaker_id)
    assert offer.donation_id == donations[4]
    await showing.mark_seen(connection, streamer.id, speaker_id, offer.alert_id, offer.lease_id)
    await showing.mark_finished(connection, streamer.id, speaker_id, offer.alert_id, offer.lease_id)
    assert await nothing_to_pick(connection, streamer, speaker_id)
    asked = await missed.get_missed(connection, streamer.id)
    assert asked is not None
    assert asked.postponed
    assert await missed.answer_missed(connection, streamer.id, Answer.PLAY)
    assert (await pick(connection, streamer, speaker_id)).donation_id == donations[0]


@pytest.mark.parametrize("postponed", [False, True])
async def test_a_question_about_nothing_holds_nothing_back(
    connection: Any, streamer: BuiltStreamer, donations: list[int], postponed: bool
) -> None:
    process_id = uuid.uuid4()
    speaker_id = await connect(connection, streamer, process_id=process_id, active=True)
    await alerts.enqueue_test(connection, streamer.id, 30_000, None, "Проверка")
    await connection.execute("UPDATE alerts SET playable_at = now() - interval '1 hour' WHERE kind = 'test'")
    await connection.execute("UPDATE speakers SET postponed = $1", postponed)
    for donation_id in donations[:3]:
        await refund(connection, donation_id)
    asked = await missed.get_missed(connection, streamer.id)
    assert asked is not None
    assert asked.alerts == 1

    last = await connection.fetchval("SELECT alert_id FROM alerts WHERE donation_id = $1", donations[3])
    assert await alerts.skip(connection, streamer.id, last)
    assert await missed.get_missed(connection, streamer.id) is None
    assert not (await overlays.get_controls(connection, streamer.id)).hold_new_alerts
    for kind in (AlertKind.DONATION, AlertKind.TEST):
        assert (await overlays.look(connection, process_id))[0].could_play
        offer = await pick(connection, streamer, speaker_id)
        assert offer.kind is kind
        assert await alerts.skip(connection, streamer.id, offer.alert_id)


async def test_a_summary_stands_for_them_and_shares_its_end_with_them(
    connection: Any, streamer: BuiltStreamer, donations: list[int]
) -> None:
    assert await missed.answer_missed(connection, streamer.id, Answer.SUMMARY)
    await refund(connection, donations[2])
    speaker_id = await speaker_of(connection, streamer)
    newer = await pick(connection, streamer, speaker_id)
    assert newer.donation_id == donations[4]
    await showing.mark_seen(connection, streamer.id, speaker_id, newer.alert_id, newer.lease_id)
    await showing.mark_finished(connection, streamer.id, speaker_id, newer.alert_id, newer.lease_id)

    summary = await pick(connection, streamer, speaker_id)
    assert (summary.donations, summary.amount_minor, summary.message) == (3, 90_000, "Аня")
    assert await statuses(connection, donations) == ["queued", "queued", "dropped", "queued", "shown"]
    # A refund while it plays changes nothing on the screen; cut off unseen, it says what is left.
    await refund(connection, donations[0])
    assert await status_of(connection, donations[0]) == "queued"
    await showing.return_leases(connection, streamer.id, speaker_id)
    summary = await pick(connection, streamer, speaker_id)
    assert (summary.donations, summary.amount_minor) == (2, 60_000)
    shown = {row.id: row.alert_status for row in await list_feed(connection, streamer.id)}
    assert [shown[donation_id] for donation_id in donations[:2]] == ["dropped", "playing"]
    await showing.mark_seen(connection, streamer.id, speaker_id, summary.alert_id, summary.lease_id)
    await showing.mark_finished(connection, streamer.id, speaker_id, summary.alert_id, summary.lease_id)
    assert await statuses(connection, donations) == ["dropped", "shown", "dropped", "shown", "shown"]


async def test_donors_in_a_summary_wait_and_are_shown_with_it(
    connection: Any, streamer: BuiltStreamer, donations: list[int]
) -> None:
    assert await missed.answer_missed(connection, streamer.id, Answer.SUMMARY)
    await donate(connection, streamer)
    for donation_id in donations[:4]:
        view = await donor_view(connection, donation_id)
        assert (view.state, view.position) == (DonorState.QUEUED, 2), "behind what came before the answer"
    speaker_id = await speaker_of(connection, streamer)
    assert await alerts.skip(connection, streamer.id, (await pick(connection, streamer, speaker_id)).alert_id)
    summary = await pick(connection, streamer, speaker_id)
    views = [await donor_view(connection, donation_id) for donation_id in donations[:4]]
    assert {view.state for view in views} == {DonorState.PLAYING}
    playing = [row.id for row in await list_feed(connection, streamer.id) if row.alert_status == "playing"]
    assert sorted(playing) == donations[:4], "and so the streamer reads it"
    await showing.mark_seen(connection, streamer.id, speaker_id, summary.alert_id, summary.lease_id)
    await showing.mark_finished(connection, streamer.id, speaker_id, summary.alert_id, summary.lease_id)
    views = [await donor_view(connection, donation_id) for donation_id in donations[:4]]
    assert {view.state for view in views} == {DonorState.SHOWN}


async def test_a_summary_of_nothing_is_dropped(connection: Any, streamer: BuiltStreamer, donations: list[int]) -> None:
    assert await missed.answer_missed(connection, streamer.id, Answer.SUMMARY)
    for donation_id in donations[:4]:
        await refund(connection, donation_id)
    assert await connection.fetchval("SELECT status FROM alerts WHERE kind = 'summary'") == "dropped"
