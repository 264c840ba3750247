"""What a showing looks like: its level's fields over the streamer's settings, and whether it is shown at all."""

import uuid
from dataclasses import replace
from typing import Any

import pytest

from domain import alerts, showing
from domain.alert_looks import LookSound, fill_template, level_of, make_look, pick_image
from domain.alert_settings import AlertSettings, Element, Tier, get_settings, save_settings
from domain.alert_tiers import DEFAULT_TIERS
from domain.alerts import AlertLevel
from domain.showing import Offer
from tests.builders import BuiltStreamer, make_donation
from tests.domain.test_alerts import connect

OWN = tuple(f"/static/uploads/{number}.gif" for number in range(3))
TIER = Tier("loud", "Громкий", 100_00, gif_urls=OWN, alert_duration=9)


@pytest.fixture
async def settings(connection: Any, streamer: BuiltStreamer) -> AlertSettings:
    return await get_settings(connection, streamer.id)


def look(settings: AlertSettings, tier: Tier | None, *, amount_minor: int = 100_00, is_anonymous: bool = False) -> Any:
    return make_look(settings, tier, amount_minor=amount_minor, is_anonymous=is_anonymous, showing_id=uuid.UUID(int=4))


# Rules.


def test_the_default_levels_change_nothing(settings: AlertSettings) -> None:
    for tier in DEFAULT_TIERS:
        made = look(settings, tier, is_anonymous=True)
        assert (made.level, made.is_visible, made.sound) == (tier.id, True, LookSound(None, 1.0, 0, None))
        own = (made.text, made.text_color, made.background_color, made.highlight_color, made.font_size, made.icon)
        assert own == (None,) * 6
        assert (made.image_url, made.shake, made.elements) == (None, False, None)
    kinds = [look(settings, tier).animation for tier in DEFAULT_TIERS]
    assert kinds == ["none", "none", "sparkles", "confetti"]


def test_what_a_streamer_changed_is_said(settings: AlertSettings) -> None:
    tier = replace(
        TIER,
        sound_file_url="/static/uploads/a.mp3",
        sound_start_time=1.25,
        sound_end_time=3.0,
        text_template="{message}",
        text_color="#00ff00",
        font_size=60,
        animation_type="hearts",
        icon="Heart",
        screen_shake=True,
    )
    made = look(settings, tier)
    assert made.sound == LookSound("/static/uploads/a.mp3", 0.5, 1250, 3000)
    assert (made.text, made.text_color, made.font_size, made.icon) == ("{message}", "#00FF00", 60, "Heart")
    assert (made.animation, made.shake) == ("none", True), "the kind alone, without its switch, plays nothing"
    assert look(settings, replace(tier, animation_enabled=True)).animation == "hearts"


def test_the_switches_of_all_levels(settings: AlertSettings) -> None:
    assert look(replace(settings, sound_enabled=False), TIER).sound is None
    assert look(settings, replace(TIER, sound_enabled=False)).sound is None
    assert not look(replace(settings, visual_enabled=False), TIER).is_visible
    assert not look(settings, replace(TIER, visual_enabled=False)).is_visible
    shared = look(replace(settings, sound_file_url="/static/uploads/all.mp3"), replace(TIER, sound_start_time=9.0))
    assert shared.sound == LookSound("/static/uploads/all.mp3", 0.5, 0, None), "the trim is of the level's own sound"


def test_the_text_of_who_gave_no_name(settings: AlertSettings) -> None:
    settings = replace(settings, anonymous_text_template="Кто-то дал {amount}")
    tier = replace(TIER, text_template="{donor_name}")
    assert look(settings, tier, is_anonymous=True).text == "Кто-то дал {amount}"
    assert look(settings, tier).text == "{donor_name}"


def test_an_amount_without_a_level(settings: AlertSettings) -> None:
    settings = replace(settings, donation_text_template="{amount}!", text_color="#112233", sound_volume=0.2)
    made = look(settings, None, amount_minor=6_000_00)
    assert (made.tier_id, made.level, made.text, made.text_color) == (None, AlertLevel.RIBBON, "{amount}!", "#112233")
    assert made.sound == LookSound(None, 0.2, 0, None)
    assert look(replace(settings, donation_text_template=AlertSettings.donation_text_template), None).text is None


def test_which_step_draws_a_level() -> None:
    assert level_of(replace(DEFAULT_TIERS[3], min_amount_minor=10_00), 10_00) is AlertLevel.RIBBON
    assert level_of(replace(TIER, min_amount_minor=1_000_00), 9_000_00) is AlertLevel.SPARKS


def test_one_showing_has_one_picture_and_all_have_their_turn() -> None:
    drawn = [pick_image(TIER, uuid.UUID(int=number)) for number in range(30)]
    assert set(drawn) == set(OWN)
    assert drawn == [pick_image(TIER, uuid.UUID(int=number)) for number in range(30)]
    assert pick_image(replace(TIER, gif_urls=(), gif_url=OWN[2]), uuid.uuid4()) == OWN[2]
    assert pick_image(replace(TIER, gif_urls=()), uuid.uuid4()) is None


def test_where_a_layout_shows_the_picture(settings: AlertSettings) -> None:
    elements = (
        Element("empty", "image", 10, 10),
        Element("levels", "image", 20, 20, image_url=OWN[0]),
        Element("fixed", "image", 30, 30, image_url="/static/uploads/logo.png"),
        Element("unseen", "text", 40, 40, visible=False),
    )
    made = look(settings, replace(TIER, elements=elements))
    assert [(part.id, part.image_url) for part in made.elements] == [
        ("empty", made.image_url),
        ("levels", made.image_url),
        ("fixed", "/static/uploads/logo.png"),
    ]


def test_what_a_donor_wrote_is_no_placeholder() -> None:
    filled = fill_template(
        "{donor_name} {amount}₽ {{message}} {other}",
        donor_name="{message}",
        amount="100",
        message="{amount}{donor_name}",
    )
    assert filled == "{message} 100₽ {{amount}{donor_name}} {other}"


# What is offered.


async def donate(connection: Any, streamer: BuiltStreamer, amount_minor: int, name: str | None = "Аня") -> int:
    donation = await make_donation(connection, streamer, amount_minor=amount_minor, donor_name=name)
    await connection.execute("UPDATE donations SET status = 'paid', paid_at = now() WHERE id = $1", donation.id)
    await alerts.enqueue_donation(
        connection,
        streamer_id=streamer.id,
        donation_id=donation.id,
        donor_name=name,
        message="0123456789",
        amount_minor=amount_minor,
    )
    return donation.id


async def status_of(connection: Any, donation_id: int, kind: str = "donation") -> str:
    query = "SELECT status FROM alerts WHERE donation_id = $1 AND kind = $2"
    return str(await connection.fetchval(query, donation_id, kind))


async def pick(connection: Any, streamer: BuiltStreamer) -> Offer | None:
    overlay_id = await connect(connection, streamer)
    return await showing.pick(connection, streamer.id, [overlay_id])


async def test_the_level_is_chosen_when_the_alert_is_offered(
    connection: Any, streamer: BuiltStreamer, settings: AlertSettings
) -> None:
    await donate(connection, streamer, 150_00)
    queued_ms = await connection.fetchval("SELECT duration_ms FROM alerts")
    assert queued_ms == 5_600
    await save_settings(connection, streamer.id, replace(settings, tiers=(TIER,)), OWN)
    offer = await pick(connection, streamer)
    assert offer is not None
    assert offer.look is not None
    assert (offer.look.tier_id, offer.duration_ms) == ("loud", 9_600)
    assert offer.look.image_url == pick_image(TIER, offer.lease_id)
    playing = await showing.get_playing(connection, streamer.id)
    assert playing is not None
    assert playing.offer == offer
    _, scene = await showing.get_scene(connection, streamer.id)
    assert scene is not None
    assert scene.offer == offer
    leased = "SELECT extract(epoch FROM leased_until - now())::integer FROM alerts"
    assert await connection.fetchval(leased) == 20


async def test_the_limits_hold_for_every_level(
    connection: Any, streamer: BuiltStreamer, settings: AlertSettings
) -> None:
    limited = replace(settings, tiers=(TIER,), min_display_time=2, max_display_time=7)
    await save_settings(connection, streamer.id, limited, OWN)
    await donate(connection, streamer, 150_00)
    assert await connection.fetchval("SELECT duration_ms FROM alerts") == 7_000


async def test_an_amount_below_all_levels_is_offered_all_the_same(
    connection: Any, streamer: BuiltStreamer, settings: AlertSettings
) -> None:
    await save_settings(connection, streamer.id, replace(settings, tiers=(TIER,), alert_duration=6), OWN)
    await donate(connection, streamer, 50_00)
    offer = await pick(connection, streamer)
    assert offer is not None
    assert offer.look is not None
    assert (offer.look.tier_id, offer.look.level, offer.duration_ms) == (None, AlertLevel.QUIET, 6_600)


@pytest.mark.parametrize(
    ("change", "amount_minor", "name", "status"),
    [
        ({"alerts_enabled": False}, 900_00, "Аня", "dropped"),
        ({"min_amount_for_alert_minor": 200_00}, 199_99, "Аня", "dropped"),
        ({"min_amount_for_alert_minor": 200_00}, 200_00, "Аня", "queued"),
        ({"min_amount_for_alert_minor": None}, 10_00, None, "queued"),
        ({"show_anonymous": False}, 900_00, None, "dropped"),
        ({"show_anonymous": False}, 900_00, "Аня", "queued"),
    ],
)
async def test_what_its_streamer_does_not_want_shown(
    connection: Any,
    streamer: BuiltStreamer,
    settings: AlertSettings,
    change: dict[str, Any],
    amount_minor: int,
    name: str | None,
    status: str,
) -> None:
    await save_settings(connection, streamer.id, replace(settings, **change))
    donation_id = await donate(connection, streamer, amount_minor, name)
    assert await status_of(connection, donation_id) == status
    # Nothing else is different: it is paid, and may be shown by hand.
    assert await connection.fetchval("SELECT status FROM donations WHERE id = $1", donation_id) == "paid"
    assert await alerts.replay(connection, streamer.id, donation_id) is not None
    assert await status_of(connection, donation_id, "replay") == "queued"
    await alerts.enqueue_test(connection, streamer.id, 10_00, None, "")
    assert await connection.fetchval("SELECT status FROM alerts WHERE kind = 'test'") == "queued"


async def test_a_held_one_is_dropped_when_it_is_approved(
    connection: Any, streamer: BuiltStreamer, settings: AlertSettings
) -> None:
    await save_settings(connection, streamer.id, replace(settings, alerts_enabled=False))
    donation = await make_donation(connection, streamer)
    await connection.execute("UPDATE donations SET status = 'paid', paid_at = now() WHERE id = $1", donation.id)
    fields: dict[str, Any] = {"streamer_id": streamer.id, "donation_id": donation.id, "donor_name": "Аня"}
    await alerts.enqueue_donation(connection, **fields, message="", amount_minor=900_00, held=True)
    assert await status_of(connection, donation.id) == "held"
    alert_id = await connection.fetchval("SELECT alert_id FROM alerts")
    assert await alerts.approve(connection, streamer.id, alert_id)
    assert not await alerts.approve(connection, streamer.id, alert_id)
    assert await status_of(connection, donation.id) == "dropped"
    assert await pick(connection, streamer) is None
