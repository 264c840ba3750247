"""Money written down by hand on the stream: missed like a donation, and never shown once it is deleted."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from domain import alerts, control, goals, manual_donations, missed, overlays, self_check, showing
from domain.alerts import AlertKind
from domain.control import Outcome
from domain.goals import GoalFields
from domain.manual_donations import NewManual
from domain.missed import Answer
from domain.pressers import Presser, PresserKind
from domain.self_check import Depth
from tests.builders import BOX, BuiltStreamer
from tests.domain.test_alerts import connect, donate, nothing_to_pick, pick

OWNER = Presser(PresserKind.OWNER, 1, "Аня")


async def write_down(connection: Any, streamer: BuiltStreamer, *, name: str = "Вера", shown: bool = True) -> str:
    """Its public id; 500 ₽."""
    public_id = await manual_donations.add(
        connection,
        streamer.id,
        NewManual(50_000, name, "наличными", "касса", datetime.now(UTC)),
        user_id=streamer.owner_id,
        form_key=str(uuid.uuid4()),
    )
    assert public_id is not None
    if shown:
        assert await manual_donations.show(connection, streamer.id, public_id) is not None
    return public_id


async def status_of(connection: Any, streamer: BuiltStreamer, public_id: str) -> str | None:
    return (await manual_donations.find(connection, streamer.id, public_id)).alert_status


async def ask(connection: Any, streamer: BuiltStreamer) -> None:
    """What waits now has waited for long, and the streamer is asked about it."""
    await connection.execute("UPDATE alerts SET playable_at = now() - interval '1 hour'")
    await connect(connection, streamer)
    await connection.execute("UPDATE speakers SET asking_since = now() - interval '1 minute'")


async def speaker(connection: Any, streamer: BuiltStreamer) -> uuid.UUID:
    speaker_id = (await overlays.get_controls(connection, streamer.id)).speaker_id
    assert speaker_id is not None
    return speaker_id


async def reach_a_goal(connection: Any, streamer: BuiltStreamer) -> None:
    fields = GoalFields("Микрофон", "", 10_000, 10_000, starts_at=None, ends_at=None)
    await goals.start(connection, streamer.id, await goals.create_goal(connection, streamer.id, fields))
    assert await connection.fetchval("SELECT count(*) FROM alerts WHERE kind = 'goal'") == 1


async def finish(connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID, offer: showing.Offer) -> None:
    lease = (connection, streamer.id, overlay_id, offer.alert_id, offer.lease_id)
    await showing.mark_seen(*lease)
    await showing.mark_finished(*lease)


class TestMissed:
    async def test_a_summary_counts_it_like_a_donation(self, connection: Any, streamer: BuiltStreamer) -> None:
        await donate(connection, streamer)
        by_hand = await write_down(connection, streamer)
        await ask(connection, streamer)
        asked = await missed.get_missed(connection, streamer.id)
        assert asked is not None
        assert (asked.alerts, asked.amount_minor) == (2, 80_000)
        assert await missed.answer_missed(connection, streamer.id, Answer.SUMMARY)
        overlay_id = await speaker(connection, streamer)
        offer = await pick(connection, streamer, overlay_id)
        assert (offer.kind, offer.donations, offer.amount_minor) == (AlertKind.SUMMARY, 2, 80_000)
        assert offer.message == "Аня, Вера"
        assert await status_of(connection, streamer, by_hand) == "playing"
        await finish(connection, streamer, overlay_id, offer)
        assert await status_of(connection, streamer, by_hand) == "shown"
        assert await nothing_to_pick(connection, streamer, overlay_id)

    async def test_a_summary_of_it_alone(self, connection: Any, streamer: BuiltStreamer) -> None:
        await write_down(connection, streamer)
        await write_down(connection, streamer, name="Глеб")
        await ask(connection, streamer)
        assert await missed.answer_missed(connection, streamer.id, Answer.SUMMARY)
        offer = await pick(connection, streamer, await speaker(connection, streamer))
        assert (offer.kind, offer.donations, offer.message) == (AlertKind.SUMMARY, 2, "Вера, Глеб")

    async def test_what_is_deleted_leaves_the_summary_that_waits(
        self, connection: Any, streamer: BuiltStreamer
    ) -> None:
        await donate(connection, streamer)
        by_hand = await write_down(connection, streamer)
        await ask(connection, streamer)
        assert await missed.answer_missed(connection, streamer.id, Answer.SUMMARY)
        assert await manual_donations.delete(connection, streamer.id, by_hand)
        offer = await pick(connection, streamer, await speaker(connection, streamer))
        assert (offer.donations, offer.amount_minor, offer.message) == (1, 30_000, "Аня")

    async def test_what_is_deleted_while_its_summary_plays_is_left_out_when_it_plays_again(
        self, connection: Any, streamer: BuiltStreamer
    ) -> None:
        await donate(connection, streamer)
        by_hand = await write_down(connection, streamer)
        await ask(connection, streamer)
        assert await missed.answer_missed(connection, streamer.id, Answer.SUMMARY)
        overlay_id = await speaker(connection, streamer)
        assert (await pick(connection, streamer, overlay_id)).donations == 2
        assert await manual_donations.delete(connection, streamer.id, by_hand)
        assert await status_of(connection, streamer, by_hand) == "playing"
        await showing.return_leases(connection, streamer.id, overlay_id)
        assert (await pick(connection, streamer, overlay_id)).donations == 1
        assert await status_of(connection, streamer, by_hand) == "dropped"

    @pytest.mark.parametrize("answer", [Answer.DROP, Answer.SUMMARY, Answer.PLAY])
    async def test_a_reached_goal_is_celebrated_whatever_the_answer(
        self, connection: Any, streamer: BuiltStreamer, answer: Answer
    ) -> None:
        await reach_a_goal(connection, streamer)
        await donate(connection, streamer)
        by_hand = await write_down(connection, streamer)
        await ask(connection, streamer)
        overlay_id = await speaker(connection, streamer)
        assert await nothing_to_pick(connection, streamer, overlay_id)
        assert await missed.answer_missed(connection, streamer.id, answer)
        kinds = []
        while (offer := await showing.pick(connection, streamer.id, [overlay_id])) is not None:
            kinds.append(offer.kind)
            await finish(connection, streamer, overlay_id, offer)
        expected = {
            Answer.DROP: [AlertKind.GOAL],
            Answer.SUMMARY: [AlertKind.SUMMARY, AlertKind.GOAL],
            Answer.PLAY: [AlertKind.GOAL, AlertKind.DONATION, AlertKind.MANUAL],
        }
        assert kinds == expected[answer]
        assert await status_of(connection, streamer, by_hand) == ("dropped" if answer is Answer.DROP else "shown")


class TestDeleted:
    async def test_cleared_and_deleted_it_is_not_brought_back_by_undoing(
        self, connection: Any, streamer: BuiltStreamer
    ) -> None:
        by_hand, kept = await write_down(connection, streamer), await write_down(connection, streamer)
        cleared = await control.clear_queue(connection, streamer.id, OWNER)
        assert cleared.act_id is not None
        assert await manual_donations.delete(connection, streamer.id, by_hand)
        undone = await control.undo_clear(connection, streamer.id, OWNER, cleared.act_id)
        assert (undone.outcome, undone.alerts) == (Outcome.DONE, 1)
        assert await status_of(connection, streamer, by_hand) == "dropped"
        assert await status_of(connection, streamer, kept) == "queued"

    async def test_a_summary_brought_back_says_what_is_left_of_it(
        self, connection: Any, streamer: BuiltStreamer
    ) -> None:
        await donate(connection, streamer)
        by_hand = await write_down(connection, streamer)
        await ask(connection, streamer)
        assert await missed.answer_missed(connection, streamer.id, Answer.SUMMARY)
        cleared = await control.clear_queue(connection, streamer.id, OWNER)
        assert cleared.act_id is not None
        assert await manual_donations.delete(connection, streamer.id, by_hand)
        await control.undo_clear(connection, streamer.id, OWNER, cleared.act_id)
        assert (await pick(connection, streamer, await speaker(connection, streamer))).donations == 1

    async def test_cut_off_unseen_it_does_not_play_again(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID
    ) -> None:
        by_hand = await write_down(connection, streamer)
        offer = await pick(connection, streamer, overlay_id)
        assert await manual_donations.delete(connection, streamer.id, by_hand)
        assert await status_of(connection, streamer, by_hand) == "playing", "what plays may finish"
        await showing.return_leases(connection, streamer.id, overlay_id)
        assert await status_of(connection, streamer, by_hand) == "dropped"
        assert not await showing.resume_lease(connection, streamer.id, overlay_id, offer.alert_id, offer.lease_id)
        assert await nothing_to_pick(connection, streamer, overlay_id)

    async def test_cut_off_unseen_what_is_not_deleted_plays_again(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID
    ) -> None:
        await write_down(connection, streamer)
        offer = await pick(connection, streamer, overlay_id)
        await showing.return_leases(connection, streamer.id, overlay_id)
        assert await showing.resume_lease(connection, streamer.id, overlay_id, offer.alert_id, offer.lease_id)

    async def test_no_statement_plays_what_is_deleted_and_the_self_check_finds_it(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID
    ) -> None:
        """As if the deletion had forgotten the alert."""
        await write_down(connection, streamer)
        offer = await pick(connection, streamer, overlay_id)
        await showing.return_leases(connection, streamer.id, overlay_id)
        await connection.execute("UPDATE manual_donations SET deleted_at = now()")
        assert not await showing.resume_lease(connection, streamer.id, overlay_id, offer.alert_id, offer.lease_id)
        assert await nothing_to_pick(connection, streamer, overlay_id)
        assert await alerts.list_queue(connection, streamer.id), "it waits in vain"
        findings = {finding.rule: finding.found for finding in await self_check.look(connection, BOX, Depth.FULL)}
        assert findings["unpaid_alert"] == 1
