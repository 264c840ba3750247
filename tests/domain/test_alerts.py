"""Alerts as rows: their states, their places, and what a lease's words do to them."""

import itertools
import uuid
from typing import Any

import pytest

from domain import alerts, overlays, showing
from domain.alerts import AlertLevel, AlertStatus, alert_level, seen_after_ms
from domain.donations import DonorState, DonorView, read_donor_view
from domain.errors import NotFoundError
from domain.showing import Lease, Offer, Seen, Word
from tests.builders import BuiltStreamer, make_donation, make_streamer

_numbers = itertools.count(1)


async def connect(connection: Any, streamer: BuiltStreamer, **fields: Any) -> uuid.UUID:
    process_id, overlay_id = fields.pop("process_id", uuid.uuid4()), uuid.uuid4()
    await overlays.renew_process(connection, process_id)
    token_id = await connection.fetchval(
        "INSERT INTO overlay_tokens (streamer_id, token_hash, token_encrypted, revoked_at)"
        " VALUES ($1, sha256($2), 'x', now()) RETURNING id",
        streamer.id,
        str(next(_numbers)).encode(),
    )
    await overlays.connect_overlay(
        connection,
        process_id=process_id,
        streamer_id=streamer.id,
        token_id=token_id,
        overlay_id=overlay_id,
        **{"in_obs": True, "visible": True, "active": False, **fields},
    )
    await overlays.choose_speaker(connection, streamer.id)
    return overlay_id


async def donate(
    connection: Any,
    streamer: BuiltStreamer,
    *,
    held: bool = False,
    name: str | None = "Аня",
    amount_minor: int = 30_000,
) -> int:
    """A paid donation with its alert."""
    donation = await make_donation(connection, streamer, donor_name=name, amount_minor=amount_minor)
    await connection.execute("UPDATE donations SET status = 'paid', paid_at = now() WHERE id = $1", donation.id)
    assert await alerts.enqueue_donation(
        connection,
        streamer_id=streamer.id,
        donation_id=donation.id,
        donor_name=name,
        message="Привет",
        amount_minor=amount_minor,
        held=held,
    )
    return donation.id


async def donor_view(connection: Any, donation_id: int) -> DonorView:
    """What the donor's own page says."""
    public_id = await connection.fetchval("SELECT public_id FROM donations WHERE id = $1", donation_id)
    view = await read_donor_view(connection, public_id)
    assert view is not None
    return view


async def refund(connection: Any, donation_id: int) -> None:
    await connection.execute(
        "UPDATE donations SET status = 'refunded', refunded_minor = amount_minor WHERE id = $1", donation_id
    )
    await alerts.withdraw_for_refund(connection, donation_id)


async def alert_of(connection: Any, donation_id: int) -> Any:
    return await connection.fetchrow("SELECT * FROM alerts WHERE donation_id = $1", donation_id)


async def status_of(connection: Any, donation_id: int) -> str:
    return str((await alert_of(connection, donation_id))["status"])


async def pick(connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID) -> Offer:
    offer = await showing.pick(connection, streamer.id, [overlay_id])
    assert offer is not None
    return offer


async def nothing_to_pick(connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID) -> bool:
    return await showing.pick(connection, streamer.id, [overlay_id]) is None


class TestRules:
    def test_levels(self) -> None:
        amounts = (100, 29_999, 30_000, 99_999, 100_000, 499_999, 500_000)
        assert [alert_level(amount) for amount in amounts] == [
            AlertLevel.QUIET,
            AlertLevel.QUIET,
            AlertLevel.GLOW,
            AlertLevel.GLOW,
            AlertLevel.SPARKS,
            AlertLevel.SPARKS,
            AlertLevel.RIBBON,
        ]

    def test_times(self) -> None:
        assert [seen_after_ms(duration) for duration in (3_000, 6_000, 25_000)] == [1_500, 3_000, 3_000]


class TestQueue:
    async def test_a_donation_has_one_alert(self, connection: Any, streamer: BuiltStreamer) -> None:
        donation_id = await donate(connection, streamer)
        again = await alerts.enqueue_donation(
            connection, streamer_id=streamer.id, donation_id=donation_id, donor_name=None, message="", amount_minor=1
        )
        assert not again

    async def test_it_stays_within_the_streamers_limits(self, connection: Any, streamer: BuiltStreamer) -> None:
        await connection.execute("UPDATE streamers SET alert_min_seconds = 6, alert_max_seconds = 8")
        for message in ("", "а" * 40, "а" * 500):
            await alerts.enqueue_test(connection, streamer.id, 30_000, None, message)
        queue = await alerts.list_queue(connection, streamer.id)
        assert [alert.duration_ms for alert in queue] == [6_000, 7_400, 8_000]
        length = await alerts.measure_queue(connection, streamer.id)
        assert (length.waiting, length.paid, length.duration_ms, length.held) == (3, 0, 21_400, 0)

    async def test_a_test_for_nobody_is_an_error(self, connection: Any) -> None:
        with pytest.raises(NotFoundError):
            await alerts.enqueue_test(connection, 2_000_000, 100, None, "")

    async def test_places_are_drawn_when_alerts_become_playable(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID
    ) -> None:
        held_id = await donate(connection, streamer, held=True)
        paid_id = await donate(connection, streamer)
        held = await alert_of(connection, held_id)
        assert (held["status"], held["place"]) == ("held", None)
        assert await alerts.approve(connection, streamer.id, held["alert_id"])
        assert not await alerts.approve(connection, streamer.id, held["alert_id"])
        assert (await pick(connection, streamer, overlay_id)).donation_id == paid_id

    async def test_approving_a_refunded_donation_does_nothing(self, connection: Any, streamer: BuiltStreamer) -> None:
        donation_id = await donate(connection, streamer, held=True)
        await connection.execute(
            "UPDATE donations SET status = 'refunded', refunded_minor = amount_minor WHERE id = $1", donation_id
        )
        alert = await alert_of(connection, donation_id)
        assert not await alerts.approve(connection, streamer.id, alert["alert_id"])
        assert await status_of(connection, donation_id) == "held"

    async def test_a_refund_drops_what_was_not_shown(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID
    ) -> None:
        held_id = await donate(connection, streamer, held=True)
        queued_id = await donate(connection, streamer)
        for donation_id in (held_id, queued_id):
            await refund(connection, donation_id)
            assert await status_of(connection, donation_id) == "dropped"
        assert await nothing_to_pick(connection, streamer, overlay_id)

    async def test_a_refund_lets_what_plays_finish(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID
    ) -> None:
        donation_id = await donate(connection, streamer)
        offer = await pick(connection, streamer, overlay_id)
        await refund(connection, donation_id)
        assert await status_of(connection, donation_id) == "playing"
        await showing.mark_seen(connection, streamer.id, overlay_id, offer.alert_id, offer.lease_id)
        await showing.mark_finished(connection, streamer.id, overlay_id, offer.alert_id, offer.lease_id)
        assert await status_of(connection, donation_id) == "shown"

    async def test_refunded_while_playing_and_cut_off_it_is_not_played_again(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID
    ) -> None:
        donation_id = await donate(connection, streamer)
        await pick(connection, streamer, overlay_id)
        await refund(connection, donation_id)
        ended = await showing.return_leases(connection, streamer.id, overlay_id)
        assert [alert.status for alert in ended] == [AlertStatus.DROPPED]

    async def test_dropping_and_skipping_are_of_one_alert_of_ones_own(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID
    ) -> None:
        stranger = await make_streamer(connection)
        first_id, second_id = await donate(connection, streamer), await donate(connection, streamer)
        first, second = await alert_of(connection, first_id), await alert_of(connection, second_id)
        assert not await alerts.skip(connection, stranger.id, first["alert_id"])
        assert not await alerts.drop(connection, stranger.id, first["alert_id"])
        await pick(connection, streamer, overlay_id)
        assert not await alerts.drop(connection, streamer.id, first["alert_id"])
        assert await alerts.skip(connection, streamer.id, first["alert_id"])
        assert not await alerts.skip(connection, streamer.id, first["alert_id"])
        assert await alerts.drop(connection, streamer.id, second["alert_id"])
        assert [await status_of(connection, d) for d in (first_id, second_id)] == ["skipped", "dropped"]

    async def test_a_donor_learns_where_the_alert_stands(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID
    ) -> None:
        first_id, second_id = await donate(connection, streamer), await donate(connection, streamer)
        offer = await pick(connection, streamer, overlay_id)
        waiting = await donor_view(connection, second_id)
        assert (waiting.state, waiting.position) == (DonorState.QUEUED, 2)
        assert waiting.wait_seconds == offer.duration_ms // 1000
        assert (await donor_view(connection, first_id)).state is DonorState.PLAYING


class TestPicking:
    async def test_one_at_a_time_the_smallest_place_first(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID
    ) -> None:
        donations = [await donate(connection, streamer) for _ in range(3)]
        for donation_id in donations:
            offer = await pick(connection, streamer, overlay_id)
            assert offer.donation_id == donation_id
            assert await nothing_to_pick(connection, streamer, overlay_id)
            await showing.mark_seen(connection, streamer.id, overlay_id, offer.alert_id, offer.lease_id)
            await showing.mark_finished(connection, streamer.id, overlay_id, offer.alert_id, offer.lease_id)

    async def test_only_for_the_overlay_that_speaks(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID
    ) -> None:
        mirror_id = await connect(connection, streamer)
        await donate(connection, streamer)
        assert await nothing_to_pick(connection, streamer, mirror_id)
        assert await showing.pick(connection, streamer.id, []) is None
        offer = await showing.pick(connection, streamer.id, [mirror_id, overlay_id])
        assert offer is not None
        assert offer.overlay_id == overlay_id

    async def test_a_kind_of_a_newer_version_waits_for_it(self, connection: Any, streamer: BuiltStreamer) -> None:
        process_id = uuid.uuid4()
        overlay_id = await connect(connection, streamer, process_id=process_id, active=True)
        await connection.execute("ALTER TABLE alerts DROP CONSTRAINT alerts_kind_check")
        await alerts.enqueue_test(connection, streamer.id, 30_000, None, "Из будущего")
        await connection.execute("UPDATE alerts SET kind = 'hologram'")
        assert not (await overlays.look(connection, process_id))[0].could_play
        assert await nothing_to_pick(connection, streamer, overlay_id)
        assert await alerts.list_queue(connection, streamer.id) == []
        donation_id = await donate(connection, streamer)
        assert (await overlays.look(connection, process_id))[0].could_play
        offer = await pick(connection, streamer, overlay_id)
        assert offer.donation_id == donation_id
        assert await alerts.skip(connection, streamer.id, offer.alert_id)
        # The newer program plays it.
        await connection.execute(
            "UPDATE alerts SET status = 'playing', lease_id = gen_random_uuid(), leased_until = now() + '1 min'"
            " WHERE kind = 'hologram'"
        )
        assert await showing.get_playing(connection, streamer.id) is None
        assert await showing.get_scene(connection, streamer.id) == (overlay_id, None)
        view = (await overlays.look(connection, process_id))[0]
        assert (view.lease_id, view.could_play) == (None, False)

    @pytest.mark.parametrize("held_back", ["paused_at = now()", "resume_at = now() + '1 s'", "asking_since = now()"])
    async def test_not_while_something_holds_the_queue_back(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID, held_back: str
    ) -> None:
        await donate(connection, streamer)
        await connection.execute(f"UPDATE speakers SET {held_back}")
        assert await nothing_to_pick(connection, streamer, overlay_id)
        await connection.execute("UPDATE speakers SET paused_at = NULL, resume_at = now(), asking_since = NULL")
        await pick(connection, streamer, overlay_id)

    async def test_a_partly_refunded_donation_plays(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID
    ) -> None:
        donation_id = await donate(connection, streamer)
        await connection.execute("UPDATE donations SET status = 'partially_refunded', refunded_minor = 100")
        assert (await pick(connection, streamer, overlay_id)).donation_id == donation_id

    async def test_the_lease_outlives_the_alert_by_ten_seconds(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID
    ) -> None:
        donation_id = await donate(connection, streamer)
        offer = await pick(connection, streamer, overlay_id)
        left = "SELECT (extract(epoch FROM leased_until - now()) * 1000)::int FROM alerts WHERE donation_id = $1"
        assert await connection.fetchval(left, donation_id) == offer.duration_ms + 10_000


class TestWords:
    @pytest.fixture
    async def donation_id(self, connection: Any, streamer: BuiltStreamer) -> int:
        return await donate(connection, streamer)

    @pytest.fixture
    async def offer(self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID, donation_id: int) -> Offer:
        assert donation_id
        return await pick(connection, streamer, overlay_id)

    async def test_expired_before_seen_it_waits_again_at_its_place(
        self, connection: Any, streamer: BuiltStreamer, offer: Offer, donation_id: int
    ) -> None:
        before = await alert_of(connection, donation_id)
        assert await showing.return_expired_leases(connection) == []
        await connection.execute("UPDATE alerts SET leased_until = now() - interval '1 s'")
        (ended,) = await showing.return_expired_leases(connection)
        assert (ended.streamer_id, ended.alert_id, ended.status) == (streamer.id, offer.alert_id, AlertStatus.QUEUED)
        after = await alert_of(connection, donation_id)
        assert (after["place"], after["kind"], after["lease_id"]) == (before["place"], "donation", None)

    async def test_expired_after_seen_it_is_shown_and_interrupted(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID, offer: Offer, donation_id: int
    ) -> None:
        await showing.mark_seen(connection, streamer.id, overlay_id, offer.alert_id, offer.lease_id)
        await connection.execute("UPDATE alerts SET leased_until = now() - interval '1 s'")
        await showing.return_expired_leases(connection)
        row = await alert_of(connection, donation_id)
        assert (row["status"], row["interrupted"]) == ("shown", True)
        word, _ = await showing.mark_finished(connection, streamer.id, overlay_id, offer.alert_id, offer.lease_id)
        assert word is Word.LATE
        assert not (await alert_of(connection, donation_id))["interrupted"]

    async def test_a_late_seen_takes_it_out_of_the_queue(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID, offer: Offer, donation_id: int
    ) -> None:
        await showing.return_leases(connection, streamer.id, overlay_id)
        word = await showing.mark_seen(connection, streamer.id, overlay_id, offer.alert_id, offer.lease_id)
        assert (word, await status_of(connection, donation_id)) == (Word.LATE, "shown")

    async def test_a_late_seen_keeps_a_second_showing_from_becoming_a_third(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID, offer: Offer, donation_id: int
    ) -> None:
        await showing.return_leases(connection, streamer.id, overlay_id)
        await pick(connection, streamer, overlay_id)
        await showing.mark_seen(connection, streamer.id, overlay_id, offer.alert_id, offer.lease_id)
        await showing.return_leases(connection, streamer.id, overlay_id)
        assert await status_of(connection, donation_id) == "shown"

    async def test_a_skipped_alert_stays_skipped_whatever_comes_late(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID, offer: Offer, donation_id: int
    ) -> None:
        await alerts.skip(connection, streamer.id, offer.alert_id)
        await showing.mark_seen(connection, streamer.id, overlay_id, offer.alert_id, offer.lease_id)
        await showing.mark_finished(connection, streamer.id, overlay_id, offer.alert_id, offer.lease_id)
        assert not await showing.resume_lease(connection, streamer.id, overlay_id, offer.alert_id, offer.lease_id)
        assert await status_of(connection, donation_id) == "skipped"

    async def test_only_the_first_started_renews_the_lease(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID, offer: Offer
    ) -> None:
        lease = (streamer.id, overlay_id, offer.alert_id, offer.lease_id)
        assert await showing.mark_started(connection, *lease) is Word.COUNTED
        await connection.execute("UPDATE alerts SET leased_until = leased_until - interval '5 s'")
        before = await connection.fetchval("SELECT leased_until FROM alerts")
        await showing.mark_started(connection, *lease)
        assert await connection.fetchval("SELECT leased_until FROM alerts") == before
        playing = await showing.get_playing(connection, streamer.id)
        assert playing is not None
        assert (playing.offer, playing.elapsed_ms) == (offer, 0)

    async def test_words_of_strangers_are_unknown(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID, offer: Offer, donation_id: int
    ) -> None:
        stranger = await make_streamer(connection)
        for lease in (
            (stranger.id, overlay_id, offer.alert_id, offer.lease_id),
            (streamer.id, uuid.uuid4(), offer.alert_id, offer.lease_id),
            (streamer.id, overlay_id, uuid.uuid4(), offer.lease_id),
            (streamer.id, overlay_id, offer.alert_id, uuid.uuid4()),
        ):
            assert await showing.mark_started(connection, *lease) is Word.UNKNOWN
            assert await showing.mark_seen(connection, *lease) is Word.UNKNOWN
            assert await showing.mark_finished(connection, *lease) == (Word.UNKNOWN, [])
        assert await status_of(connection, donation_id) == "playing"

    async def test_an_overlay_that_comes_back_goes_on(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID, offer: Offer, donation_id: int
    ) -> None:
        lease = Lease(offer.alert_id, offer.lease_id)
        caught_up = await showing.catch_up(connection, streamer.id, overlay_id, seen=[], playing=lease)
        assert (caught_up.goes_on, caught_up.ended) == (True, [])
        await showing.return_leases(connection, streamer.id, overlay_id)
        # Even when the alert had gone back to the queue, but not once somebody else plays it.
        caught_up = await showing.catch_up(connection, streamer.id, overlay_id, seen=[], playing=lease)
        assert caught_up.goes_on
        assert await status_of(connection, donation_id) == "playing"
        await showing.return_leases(connection, streamer.id, overlay_id)
        await pick(connection, streamer, overlay_id)
        other_id = await connect(connection, streamer)
        caught_up = await showing.catch_up(connection, streamer.id, other_id, seen=[], playing=lease)
        assert not caught_up.goes_on

    async def test_an_overlay_that_forgot_gives_it_back(
        self, connection: Any, streamer: BuiltStreamer, overlay_id: uuid.UUID, offer: Offer
    ) -> None:
        caught_up = await showing.catch_up(connection, streamer.id, overlay_id, seen=[], playing=None)
        assert [(alert.alert_id, alert.status) for alert in caught_up.ended] == [(offer.alert_id, AlertStatus.QUEUED)]

    @pytest.mark.parametrize(("finished", "interrupted"), [(True, False), (False, True)])
    async def test_a_reloaded_page_only_confirms_what_it_saw(
        self,
        connection: Any,
        streamer: BuiltStreamer,
        overlay_id: uuid.UUID,
        offer: Offer,
        donation_id: int,
        finished: bool,
        interrupted: bool,
    ) -> None:
        await connection.execute("DELETE FROM overlays WHERE id = $1", overlay_id)
        reloaded_id = await connect(connection, streamer)
        seen = [Seen(offer.alert_id, offer.lease_id, finished), Seen(uuid.uuid4(), uuid.uuid4(), True)]
        await showing.catch_up(connection, streamer.id, reloaded_id, seen=seen, playing=None)
        row = await alert_of(connection, donation_id)
        assert (row["status"], row["interrupted"]) == ("shown", interrupted)

    async def test_what_another_overlay_still_plays_is_not_ended_by_a_shared_memory(
        self, connection: Any, streamer: BuiltStreamer, offer: Offer, donation_id: int
    ) -> None:
        sibling_id = await connect(connection, streamer)
        seen = [Seen(offer.alert_id, offer.lease_id, finished=False)]
        await showing.catch_up(connection, streamer.id, sibling_id, seen=seen, playing=None)
        assert await status_of(connection, donation_id) == "playing"
