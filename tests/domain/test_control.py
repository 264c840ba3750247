"""The controls: what a press does, what a second press of the same finds, and what may be taken back."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from domain import alerts, control, missed, overlays, showing
from domain.alerts import AlertKind
from domain.control import Action, Outcome, Pressed
from domain.pressers import Presser, PresserKind
from tests.builders import BuiltStreamer, make_streamer
from tests.domain.test_alerts import connect, donate, nothing_to_pick, pick, refund, status_of

OWNER = Presser(PresserKind.OWNER, 1, "Аня")
MODERATOR = Presser(PresserKind.MODERATOR, 7, "vera")


async def order(connection: Any, streamer: BuiltStreamer) -> list[int | None]:
    return [alert.donation_id for alert in await alerts.list_queue(connection, streamer.id)]


async def show(connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID) -> None:
    offer = await pick(connection, streamer, overlay_id)
    lease = (connection, streamer.id, overlay_id, offer.alert_id, offer.lease_id)
    await showing.mark_started(*lease)
    await showing.mark_seen(*lease)
    await showing.mark_finished(*lease)


async def acts(connection: Any, streamer: BuiltStreamer) -> list[tuple[str, str]]:
    return [(act.action.value, act.by.name) for act in await control.list_acts(connection, streamer.id, limit=20)]


class TestSkip:
    async def test_the_second_presser_learns_who_was_first(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID
    ) -> None:
        await donate(connection, streamer)
        following = await donate(connection, streamer, name="Борис")
        offer = await pick(connection, streamer, overlay_id)
        first = await control.skip(connection, streamer.id, MODERATOR, offer.alert_id)
        assert (first.outcome, first.subject and first.subject.donor_name) == (Outcome.DONE, "Аня")
        await pick(connection, streamer, overlay_id)
        second = await control.skip(connection, streamer.id, OWNER, offer.alert_id)
        assert (second.outcome, second.before) == (Outcome.ALREADY, MODERATOR)
        assert await status_of(connection, following) == "playing"
        assert await acts(connection, streamer) == [("skip", "vera")]

    async def test_what_ended_by_itself_was_skipped_by_nobody(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID
    ) -> None:
        await donate(connection, streamer)
        await show(connection, streamer, overlay_id)
        alert_id = await connection.fetchval("SELECT alert_id FROM alerts")
        pressed = await control.skip(connection, streamer.id, OWNER, alert_id)
        assert (pressed.outcome, pressed.before) == (Outcome.NOTHING, None)
        assert await acts(connection, streamer) == []

    async def test_whatever_plays_but_not_what_came_up_right_after_a_skip(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID
    ) -> None:
        assert (await control.skip_playing(connection, streamer.id, OWNER)).outcome is Outcome.NOTHING
        await donate(connection, streamer)
        following = await donate(connection, streamer)
        await pick(connection, streamer, overlay_id)
        assert (await control.skip_playing(connection, streamer.id, OWNER)).outcome is Outcome.DONE
        await pick(connection, streamer, overlay_id)
        bounced = await control.skip_playing(connection, streamer.id, OWNER)
        assert (bounced.outcome, bounced.before) == (Outcome.ALREADY, OWNER)
        assert await status_of(connection, following) == "playing"
        await connection.execute("UPDATE alert_actions SET created_at = created_at - interval '2 seconds'")
        assert (await control.skip_playing(connection, streamer.id, OWNER)).outcome is Outcome.DONE

    async def test_the_overlays_word_says_that_it_is_off_the_screen(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID
    ) -> None:
        await donate(connection, streamer)
        offer = await pick(connection, streamer, overlay_id)
        await control.skip(connection, streamer.id, OWNER, offer.alert_id)
        act = await control.get_last_act(connection, streamer.id, seconds=10)
        assert act is not None
        assert not act.off_screen
        assert not await showing.mark_stopped(connection, streamer.id, uuid.uuid4(), offer.lease_id)
        assert await showing.mark_stopped(connection, streamer.id, overlay_id, offer.lease_id)
        act = await control.get_last_act(connection, streamer.id, seconds=10)
        assert act is not None
        assert act.off_screen


class TestSwitches:
    @pytest.mark.parametrize("switch", [control.pause, control.mute])
    async def test_a_second_press_changes_nothing_and_is_nobodys_act(
        self, connection: Any, streamer: BuiltStreamer, switch: Callable[..., Awaitable[Pressed]]
    ) -> None:
        outcomes = [(await switch(connection, streamer.id, OWNER, True)).outcome for _ in range(2)]
        outcomes += [(await switch(connection, streamer.id, MODERATOR, False)).outcome for _ in range(2)]
        assert outcomes == [Outcome.DONE, Outcome.ALREADY] * 2
        assert [name for _, name in await acts(connection, streamer)] == ["vera", "Аня"]

    @pytest.mark.parametrize("switch", [control.pause, control.mute])
    async def test_the_other_way_round(
        self, connection: Any, streamer: BuiltStreamer, switch: Callable[..., Awaitable[Pressed]]
    ) -> None:
        actions = [(await switch(connection, streamer.id, OWNER, None)).action for _ in range(3)]
        assert actions[0] is actions[2] is not actions[1]

    async def test_a_mute_holds_nothing_back(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID
    ) -> None:
        await control.mute(connection, streamer.id, OWNER, True)
        controls = await overlays.get_controls(connection, streamer.id)
        assert controls.muted_at is not None
        assert controls.speaker_muted is False
        assert not controls.hold_new_alerts
        await donate(connection, streamer)
        await pick(connection, streamer, overlay_id)

    async def test_a_pause_that_is_meant_is_asked_about_anew_only_after_its_end(
        self, connection: Any, streamer: BuiltStreamer
    ) -> None:
        await control.pause(connection, streamer.id, OWNER, True)
        await overlays.keep_paused(connection, streamer.id)
        assert (await overlays.get_controls(connection, streamer.id)).pause_kept_at is not None
        await control.pause(connection, streamer.id, OWNER, False)
        await overlays.keep_paused(connection, streamer.id)
        assert (await overlays.get_controls(connection, streamer.id)).pause_kept_at is None


class TestReplayAndTest:
    async def test_the_last_shown_that_may_be_shown_again(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID
    ) -> None:
        assert (await control.replay_last(connection, streamer.id, OWNER)).outcome is Outcome.NOTHING
        first = await donate(connection, streamer, name="Аня")
        await show(connection, streamer, overlay_id)
        last = await donate(connection, streamer, name="Борис")
        await show(connection, streamer, overlay_id)
        await connection.execute("UPDATE alerts SET shown_at = shown_at - interval '1 s' WHERE donation_id = $1", first)
        pressed = await control.replay_last(connection, streamer.id, OWNER)
        assert pressed.subject is not None
        assert (pressed.subject.kind, pressed.subject.donor_name) == (AlertKind.REPLAY, "Борис")
        assert (await control.replay_last(connection, streamer.id, OWNER)).outcome is Outcome.ALREADY
        # A replay is not what is replayed next; what was refunded is not either.
        await show(connection, streamer, overlay_id)
        await refund(connection, last)
        pressed = await control.replay_last(connection, streamer.id, OWNER)
        assert pressed.subject is not None
        assert pressed.subject.donor_name == "Аня"

    async def test_no_total_changes(self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID) -> None:
        await donate(connection, streamer)
        await show(connection, streamer, overlay_id)
        count = (
            "SELECT (SELECT count(*) FROM outbox WHERE name IS DISTINCT FROM 'alert.shown'),"
            " (SELECT count(*) FROM ledger_transactions),"
            " (SELECT coalesce(sum(net_minor), 0) FROM streamer_totals)"
        )
        before = await connection.fetchrow(count)
        await control.replay_last(connection, streamer.id, OWNER)
        await control.test(connection, streamer.id, OWNER, amount_minor=500_000, donor_name="Аня", message="Привет")
        await show(connection, streamer, overlay_id)
        await show(connection, streamer, overlay_id)
        assert await connection.fetchrow(count) == before


class TestClear:
    async def test_all_that_waits_is_dropped_and_comes_back_at_its_place(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID
    ) -> None:
        playing = await donate(connection, streamer)
        held = await donate(connection, streamer, held=True)
        await pick(connection, streamer, overlay_id)
        waiting = [await donate(connection, streamer) for _ in range(3)]
        await control.test(connection, streamer.id, OWNER, amount_minor=100, donor_name="Аня", message="")
        before = await order(connection, streamer)

        cleared = await control.clear_queue(connection, streamer.id, OWNER)

        assert (cleared.outcome, cleared.alerts) == (Outcome.DONE, 4)
        assert await order(connection, streamer) == [held]
        assert await status_of(connection, playing) == "playing"
        assert (await control.clear_queue(connection, streamer.id, MODERATOR)).outcome is Outcome.NOTHING
        later = await donate(connection, streamer)
        assert cleared.act_id is not None
        undone = await control.undo_clear(connection, streamer.id, MODERATOR, cleared.act_id)
        assert (undone.outcome, undone.alerts) == (Outcome.DONE, 4)
        assert await order(connection, streamer) == [*before[:-1], later, held]
        assert before[:3] == waiting
        assert await acts(connection, streamer) == [("undo_clear", "vera"), ("clear", "Аня"), ("test", "Аня")]

    async def test_an_act_is_taken_back_once_in_time_and_by_its_own_streamer(
        self, connection: Any, streamer: BuiltStreamer
    ) -> None:
        donation_id = await donate(connection, streamer)
        stranger = await make_streamer(connection)
        cleared = await control.clear_queue(connection, streamer.id, OWNER)
        assert cleared.act_id is not None
        for streamer_id, act_id in ((stranger.id, cleared.act_id), (streamer.id, uuid.uuid4())):
            pressed = await control.undo_clear(connection, streamer_id, OWNER, act_id)
            assert pressed.outcome is Outcome.NOTHING
        await connection.execute("UPDATE alert_actions SET created_at = created_at - interval '8 seconds'")
        late = await control.undo_clear(connection, streamer.id, OWNER, cleared.act_id)
        assert late.outcome is Outcome.NOTHING
        assert await status_of(connection, donation_id) == "dropped"
        await connection.execute("UPDATE alert_actions SET created_at = now()")
        outcomes = [
            (await control.undo_clear(connection, streamer.id, OWNER, cleared.act_id)).outcome for _ in range(2)
        ]
        assert outcomes == [Outcome.DONE, Outcome.NOTHING]

    async def test_what_was_refunded_meanwhile_stays_dropped(self, connection: Any, streamer: BuiltStreamer) -> None:
        kept, refunded = await donate(connection, streamer), await donate(connection, streamer)
        cleared = await control.clear_queue(connection, streamer.id, OWNER)
        await refund(connection, refunded)
        assert cleared.act_id is not None
        undone = await control.undo_clear(connection, streamer.id, OWNER, cleared.act_id)
        assert undone.alerts == 1
        assert await order(connection, streamer) == [kept]
        assert await status_of(connection, refunded) == "dropped"

    async def test_a_waiting_summary_goes_and_comes_with_its_parts(
        self, connection: Any, streamer: BuiltStreamer
    ) -> None:
        donations = [await donate(connection, streamer, amount_minor=10_000) for _ in range(4)]
        await connection.execute("UPDATE alerts SET playable_at = playable_at - interval '1 hour'")
        await connect(connection, streamer)
        assert (await control.answer_missed(connection, streamer.id, OWNER, missed.Answer.SUMMARY)).alerts == 4
        cleared = await control.clear_queue(connection, streamer.id, OWNER)
        assert cleared.alerts == 1
        assert {await status_of(connection, donation_id) for donation_id in donations} == {"dropped"}
        await refund(connection, donations[0])
        assert cleared.act_id is not None
        assert (await control.undo_clear(connection, streamer.id, OWNER, cleared.act_id)).alerts == 1
        (summary,) = await alerts.list_queue(connection, streamer.id)
        assert (summary.kind, summary.donations, summary.amount_minor) == (AlertKind.SUMMARY, 3, 30_000)
        assert await status_of(connection, donations[0]) == "dropped"

    async def test_money_is_not_touched(self, connection: Any, streamer: BuiltStreamer) -> None:
        donation_id = await donate(connection, streamer)
        before = await connection.fetchrow("SELECT status, amount_minor, refunded_minor FROM donations")
        await control.clear_queue(connection, streamer.id, OWNER)
        assert before == await connection.fetchrow("SELECT status, amount_minor, refunded_minor FROM donations")
        assert await status_of(connection, donation_id) == "dropped"

    async def test_the_database_knows_no_cleared_alert_that_waits(
        self, connection: Any, streamer: BuiltStreamer
    ) -> None:
        await donate(connection, streamer)
        await control.clear_queue(connection, streamer.id, OWNER)
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute("UPDATE alerts SET status = 'queued'")


async def test_missed_alerts_are_answered_once(connection: Any, streamer: BuiltStreamer) -> None:
    pressed = await control.answer_missed(connection, streamer.id, OWNER, missed.Answer.PLAY)
    assert pressed.outcome is Outcome.NOTHING
    for _ in range(4):
        await donate(connection, streamer)
    await connection.execute("UPDATE alerts SET playable_at = playable_at - interval '1 hour'")
    overlay_id = await connect(connection, streamer)
    assert await nothing_to_pick(connection, streamer, overlay_id)
    pressed = await control.answer_missed(connection, streamer.id, OWNER, missed.Answer.DROP)
    assert (pressed.outcome, pressed.alerts) == (Outcome.DONE, 4)
    assert await acts(connection, streamer) == [("missed_drop", "Аня")]


class TestTwoAtOnce:
    """Real connections: the second waits for the first, and is told that it was done."""

    @pytest.fixture
    async def scene(self, pool: asyncpg.Pool) -> tuple[BuiltStreamer, uuid.UUID]:
        async with pool.acquire() as connection, connection.transaction():
            streamer = await make_streamer(connection)
            return streamer, await connect(connection, streamer)

    async def press(self, pool: asyncpg.Pool, act: Callable[..., Awaitable[Pressed]], *values: Any) -> list[Pressed]:
        """The same by six people at once."""

        async def one(number: int) -> Pressed:
            by = Presser(PresserKind.MODERATOR, number, f"mod {number}")
            async with pool.acquire() as connection, connection.transaction():
                return await act(connection, values[0], by, *values[1:])

        return await asyncio.gather(*(one(number) for number in range(6)))

    def done(self, pressed: list[Pressed]) -> int:
        return sum(one.outcome is Outcome.DONE for one in pressed)

    async def count(self, pool: asyncpg.Pool, action: Action) -> int:
        count: int = await pool.fetchval("SELECT count(*) FROM alert_actions WHERE action = $1", action)
        return count

    async def test_one_skip(self, pool: asyncpg.Pool, scene: tuple[BuiltStreamer, uuid.UUID]) -> None:
        streamer, overlay_id = scene
        async with pool.acquire() as connection, connection.transaction():
            await donate(connection, streamer)
            following = await donate(connection, streamer)
            offer = await pick(connection, streamer, overlay_id)
        pressed = await self.press(pool, control.skip, streamer.id, offer.alert_id)
        assert self.done(pressed) == 1
        first = await pool.fetchval("SELECT actor_name FROM alert_actions")
        assert {one.before.name for one in pressed if one.before} == {first}
        assert await self.count(pool, Action.SKIP) == 1
        async with pool.acquire() as connection:
            assert await status_of(connection, following) == "queued"

    async def test_one_skip_of_whatever_plays_while_the_next_is_offered(
        self, pool: asyncpg.Pool, scene: tuple[BuiltStreamer, uuid.UUID]
    ) -> None:
        streamer, overlay_id = scene
        async with pool.acquire() as connection, connection.transaction():
            for _ in range(3):
                await donate(connection, streamer)
            await pick(connection, streamer, overlay_id)
        stop = asyncio.Event()

        async def offer_for_ever() -> None:
            while not stop.is_set():
                async with pool.acquire() as connection:
                    await showing.pick(connection, streamer.id, [overlay_id])

        offering = asyncio.create_task(offer_for_ever())
        pressed = await self.press(pool, control.skip_playing, streamer.id)
        stop.set()
        await offering
        assert self.done(pressed) == 1
        statuses = [row["status"] for row in await pool.fetch("SELECT status FROM alerts ORDER BY place")]
        assert statuses == ["skipped", "playing", "queued"]

    @pytest.mark.parametrize("switch", [control.pause, control.mute])
    async def test_one_pause_and_one_mute(
        self,
        pool: asyncpg.Pool,
        scene: tuple[BuiltStreamer, uuid.UUID],
        switch: Callable[..., Awaitable[Pressed]],
    ) -> None:
        assert self.done(await self.press(pool, switch, scene[0].id, True)) == 1
        assert await pool.fetchval("SELECT count(*) FROM alert_actions") == 1

    async def test_one_clear_and_one_undo(self, pool: asyncpg.Pool, scene: tuple[BuiltStreamer, uuid.UUID]) -> None:
        streamer, _ = scene
        async with pool.acquire() as connection, connection.transaction():
            donations = [await donate(connection, streamer) for _ in range(5)]
        pressed = await self.press(pool, control.clear_queue, streamer.id)
        assert [one.alerts for one in pressed if one.outcome is Outcome.DONE] == [5]
        act_id = next(one.act_id for one in pressed if one.act_id)
        pressed = await self.press(pool, control.undo_clear, streamer.id, act_id)
        assert [one.alerts for one in pressed if one.outcome is Outcome.DONE] == [5]
        async with pool.acquire() as connection:
            assert await order(connection, streamer) == donations

    async def test_one_replay(self, pool: asyncpg.Pool, scene: tuple[BuiltStreamer, uuid.UUID]) -> None:
        streamer, overlay_id = scene
        async with pool.acquire() as connection:
            await donate(connection, streamer)
            await show(connection, streamer, overlay_id)
        assert self.done(await self.press(pool, control.replay_last, streamer.id)) == 1
        assert await pool.fetchval("SELECT count(*) FROM alerts WHERE kind = 'replay'") == 1
