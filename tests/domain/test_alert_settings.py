"""A streamer's alert settings: what she may choose, which level an amount has, and what is stored."""

import math
from dataclasses import fields, replace
from typing import Any

import pytest

from domain import alert_settings
from domain.alert_checks import check_media, check_settings, check_tier
from domain.alert_settings import AlertSettings, Element, Tier, choose_tier, get_settings, save_settings
from domain.alert_tiers import DEFAULT_TIERS, decode_tier, encode_tiers
from domain.alerts import alert_level
from domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from domain.moderation_settings import add_words, list_words
from tests.builders import BuiltStreamer, make_streamer

SOUND, PICTURE, OTHERS = (f"/static/uploads/{name}" for name in ("audio/own.mp3", "image/own.gif", "image/others.gif"))
OWN = {SOUND, PICTURE}

FULL = Tier(
    id="loud",
    name="Громкий",
    min_amount_minor=500_00,
    max_amount_minor=999_00,
    sound_file_url=SOUND,
    sound_volume=0.25,
    sound_start_time=1.5,
    sound_end_time=4.0,
    alert_duration=9,
    text_color="#00FF00",
    background_color="#101010",
    font_size=40,
    animation_enabled=True,
    animation_type="hearts",
    gif_urls=(PICTURE,),
    text_template="{donor_name}: {amount}\n{message}",
    screen_shake=True,
    highlight_color="#FF0000",
    icon="Heart",
    color="red",
    elements=(
        Element(id="picture", type="image", x=50, y=10.5, width=120, height=120, z_index=3, image_url=PICTURE),
        Element("text", "text", 50, 35, content="{message}", font_size=32, background_color="rgba(0,0,0,0.2)"),
    ),
)


@pytest.fixture
async def settings(connection: Any, streamer: BuiltStreamer) -> AlertSettings:
    return await get_settings(connection, streamer.id)


# Which level.


@pytest.mark.parametrize(
    ("amount_minor", "tier_id"),
    [(1, "quiet"), (299_99, "quiet"), (300_00, "glow"), (999_99, "glow"), (1_000_00, "sparks"), (9_000_00, "ribbon")],
)
def test_who_chooses_nothing_has_the_four_steps(amount_minor: int, tier_id: str) -> None:
    chosen = choose_tier(some_settings(), amount_minor)
    assert chosen is not None
    assert chosen.id == tier_id == alert_level(amount_minor)
    assert chosen.elements is None


@pytest.mark.parametrize(
    ("amount_minor", "tier_id"),
    [
        (0, None),
        (99_99, None),
        (100_00, "a"),
        (300_00, "c"),
        (500_00, "c"),
        (500_01, "a"),
        (700_00, "d"),
        (800_00, "d"),
    ],
)
async def test_the_highest_beginning_that_does_not_end_below(
    connection: Any, amount_minor: int, tier_id: str | None
) -> None:
    tiers = (
        Tier("a", "a", 100_00),
        Tier("c", "c", 200_00, 500_00),
        Tier("b", "b", 200_00, 400_00),
        Tier("d", "d", 700_00, 800_00),
    )
    chosen = choose_tier(replace(some_settings(), tiers=tiers), amount_minor)
    assert (chosen and chosen.id) == tier_id
    # What the database chooses by when an alert is offered.
    stored = await connection.fetchval("SELECT tier_of($1, $2)", encode_tiers(tiers), amount_minor)
    assert (stored and stored["id"]) == tier_id


def some_settings() -> AlertSettings:
    values = {field.name: None for field in fields(AlertSettings) if field.name in ("created_at",)}
    return AlertSettings(streamer_id=1, owner_id=1, **values)  # type: ignore[arg-type]


# What she may choose.


def test_everything_that_can_be_said_is_accepted(settings: AlertSettings) -> None:
    check_settings(replace(settings, tiers=(FULL, *DEFAULT_TIERS)))


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("id", "", "malformed"),
        ("id", "a b", "malformed"),
        ("name", " ", "required"),
        ("name", "я" * 61, "too_long"),
        ("name", "\x00", "malformed"),
        ("min_amount_minor", -1, "range"),
        ("max_amount_minor", 499_99, "below_least"),
        ("sound_volume", 1.01, "range"),
        ("sound_volume", math.nan, "range"),
        ("sound_start_time", -0.1, "range"),
        ("sound_end_time", 1.5, "before_start"),
        ("sound_end_time", math.inf, "range"),
        ("alert_duration", 0, "range"),
        ("alert_duration", 121, "range"),
        ("text_color", "red", "malformed"),
        ("text_color", "#12345", "malformed"),
        ("background_color", "#FFFFFF\n", "malformed"),
        ("background_color", "url(//evil)", "malformed"),
        ("highlight_color", "", "malformed"),
        ("font_size", 7, "range"),
        ("animation_type", "explosion", "unknown"),
        ("icon", "<b>", "malformed"),
        ("color", "", "malformed"),
        ("text_template", "x" * 501, "too_long"),
        ("text_template", "\ud800", "malformed"),
        ("gif_urls", (PICTURE,) * 11, "too_many"),
        ("elements", (Element("a", "text", 0, 0),) * 2, "taken"),
        ("elements", tuple(Element(str(number), "text", 0, 0) for number in range(21)), "too_many"),
        ("elements", tuple(Element(str(number), "text", 0, 0, content="x" * 300) for number in range(7)), "too_long"),
    ],
)
def test_what_a_level_cannot_be(settings: AlertSettings, field: str, value: Any, code: str) -> None:
    wrong = replace(FULL, **{field: value})
    with pytest.raises(InvalidInputError) as caught:
        check_tier(wrong)
    assert (caught.value.field.split(".")[0], caught.value.code) == (field, code)
    with pytest.raises(InvalidInputError) as caught:
        check_settings(replace(settings, tiers=(DEFAULT_TIERS[0], wrong)))
    assert caught.value.field.startswith(f"tiers.1.{field}")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("type", "iframe", "unknown"),
        ("x", math.inf, "range"),
        ("y", -101, "range"),
        ("width", 0, "range"),
        ("z_index", 1001, "range"),
        ("content", "x" * 301, "too_long"),
        ("font_size", 301, "range"),
        ("color", "expression(1)", "malformed"),
        ("background_color", "rgba(0,0,0,0.2);position:fixed", "malformed"),
        ("border_radius", -1, "range"),
        ("padding", 501, "range"),
    ],
)
def test_what_an_element_cannot_be(field: str, value: Any, code: str) -> None:
    element = Element(**{"id": "a", "type": "text", "x": 50, "y": 50, field: value})
    with pytest.raises(InvalidInputError) as caught:
        check_tier(replace(FULL, elements=(element,)))
    assert (caught.value.field, caught.value.code) == (f"elements.0.{field}", code)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("tiers", (), "required"),
        ("tiers", tuple(replace(FULL, id=f"t{number}") for number in range(21)), "too_many"),
        ("min_display_time", 0, "range"),
        ("min_display_time", 26, None),
        ("max_display_time", 4, "below_least"),
        ("min_amount_for_alert_minor", -1, "range"),
        ("sound_volume", -0.5, "range"),
        ("font_size", 500, "range"),
        ("text_color", "#FFF", "malformed"),
        ("donation_text_template", "x" * 501, "too_long"),
        ("anonymous_text_template", "\x07", "malformed"),
    ],
)
def test_what_settings_cannot_be(settings: AlertSettings, field: str, value: Any, code: str | None) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_settings(replace(settings, **{field: value}))
    if code is None:
        assert (caught.value.field, caught.value.code) == ("max_display_time", "below_least")
    else:
        assert (caught.value.field, caught.value.code) == (field, code)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"sound_file_url": OTHERS}, "tiers.0.sound_file_url"),
        ({"gif_url": "https://media.giphy.com/a.gif"}, "tiers.0.gif_url"),
        ({"gif_urls": (PICTURE, "//evil/static/uploads/a.gif")}, "tiers.0.gif_urls.1"),
        ({"elements": (Element("a", "image", 0, 0, image_url="data:image/gif,"),)}, "tiers.0.elements.0.image_url"),
    ],
)
def test_pictures_and_sounds_are_her_own_uploads(settings: AlertSettings, change: dict[str, Any], path: str) -> None:
    check_media(replace(settings, sound_file_url=SOUND, tiers=(FULL,)), OWN)
    with pytest.raises(InvalidInputError) as caught:
        check_media(replace(settings, tiers=(replace(FULL, **change),)), OWN)
    assert (caught.value.field, caught.value.code) == (path, "not_yours")


# What is stored.


def test_a_level_is_read_as_it_was_written() -> None:
    assert decode_tier(encode_tiers([FULL])[0]) == FULL
    older = {"id": "a", "name": "A", "min_amount_minor": 5, "of_a_newer_version": True}
    assert decode_tier(older) == Tier("a", "A", 5)


async def test_who_chose_nothing_has_the_defaults(connection: Any, streamer: BuiltStreamer) -> None:
    read = await get_settings(connection, streamer.id)
    assert read == replace(some_settings(), streamer_id=streamer.id, owner_id=read.owner_id, created_at=read.created_at)
    with pytest.raises(NotFoundError):
        await get_settings(connection, 2_000_000)


async def test_default_levels_are_named_in_her_language_until_she_stores_them(
    connection: Any, streamer: BuiltStreamer
) -> None:
    assert [tier.name for tier in (await get_settings(connection, streamer.id)).tiers] == [
        "Тихий", "Свечение", "Искры", "Лента"
    ]  # fmt: skip
    await connection.execute("UPDATE users SET locale = 'en' WHERE id = $1", streamer.owner_id)
    english = (await get_settings(connection, streamer.id)).tiers
    assert [tier.name for tier in english] == ["Quiet", "Glow", "Sparks", "Ribbon"]
    assert [replace(tier, name="") for tier in english] == [replace(tier, name="") for tier in DEFAULT_TIERS]
    await alert_settings.remove_tier(connection, streamer.id, "quiet")
    await connection.execute("UPDATE users SET locale = 'ru' WHERE id = $1", streamer.owner_id)
    assert (await get_settings(connection, streamer.id)).tiers == english[1:]


async def test_all_of_it_is_kept(connection: Any, streamer: BuiltStreamer, settings: AlertSettings) -> None:
    wanted = replace(
        settings,
        alerts_enabled=False,
        show_anonymous=False,
        tiers=(FULL, *DEFAULT_TIERS),
        banned_words="слово\nещё*",
        min_display_time=2,
        max_display_time=15,
        min_amount_for_alert_minor=None,
        sound_enabled=False,
        sound_volume=0.1,
        sound_file_url=SOUND,
        visual_enabled=False,
        alert_duration=7,
        text_color="#ABCDEF",
        background_color="#000000",
        font_size=30,
        donation_text_template="{amount}",
        anonymous_text_template="",
    )
    await save_settings(connection, streamer.id, wanted, OWN)
    read = await get_settings(connection, streamer.id)
    assert read.updated_at is not None
    assert replace(read, updated_at=None, banned_words="") == replace(wanted, banned_words="")
    assert set(read.banned_words.split("\n")) == {"слово", "ещё*"}
    limits = await connection.fetchrow(
        "SELECT alert_min_seconds, alert_max_seconds FROM streamers WHERE id = $1", streamer.id
    )
    assert tuple(limits) == (2, 15)


async def test_banned_words_are_those_of_moderation(
    connection: Any, streamer: BuiltStreamer, settings: AlertSettings
) -> None:
    await add_words(connection, streamer.id, "word", ["старое", "общее"])
    await add_words(connection, streamer.id, "exception", ["исключение"])
    assert (await get_settings(connection, streamer.id)).banned_words == "общее\nстарое"
    await save_settings(connection, streamer.id, replace(settings, banned_words="Общее, новое "))
    kept = [(word.kind, word.pattern) for word in await list_words(connection, streamer.id)]
    assert sorted(kept) == [("exception", "исключение"), ("word", "новое"), ("word", "общее")]
    with pytest.raises(InvalidInputError) as caught:
        await save_settings(connection, streamer.id, replace(settings, banned_words="*"))
    assert caught.value.field == "banned_words"


async def test_a_file_that_is_gone_does_not_stop_other_changes(
    connection: Any, streamer: BuiltStreamer, settings: AlertSettings
) -> None:
    await save_settings(connection, streamer.id, replace(settings, tiers=(FULL,)), OWN)
    await save_settings(connection, streamer.id, replace(settings, tiers=(replace(FULL, name="Иначе"),)))
    with pytest.raises(InvalidInputError):
        await save_settings(connection, streamer.id, replace(settings, sound_file_url=OTHERS), OWN)


async def test_levels_come_and_go(connection: Any, streamer: BuiltStreamer) -> None:
    await alert_settings.add_tier(connection, streamer.id, FULL, OWN)
    with pytest.raises(InvalidInputError):
        await alert_settings.add_tier(connection, streamer.id, FULL, OWN)
    changed = replace(FULL, name="Другой", sound_file_url=None)
    await alert_settings.update_tier(connection, streamer.id, changed)
    assert (await get_settings(connection, streamer.id)).tiers == (*DEFAULT_TIERS, changed)
    for tier_id in ("quiet", "glow", "sparks", "ribbon"):
        await alert_settings.remove_tier(connection, streamer.id, tier_id)
    with pytest.raises(NotFoundError):
        await alert_settings.remove_tier(connection, streamer.id, "quiet")
    with pytest.raises(NotFoundError):
        await alert_settings.update_tier(connection, streamer.id, DEFAULT_TIERS[0])
    with pytest.raises(NotAllowedError, match="last_tier"):
        await alert_settings.remove_tier(connection, streamer.id, "loud")


async def test_a_stranger_has_levels_of_her_own(connection: Any, streamer: BuiltStreamer) -> None:
    stranger = await make_streamer(connection)
    await alert_settings.add_tier(connection, streamer.id, FULL, OWN)
    assert (await get_settings(connection, stranger.id)).tiers == DEFAULT_TIERS
    with pytest.raises(NotFoundError):
        await alert_settings.update_tier(connection, stranger.id, FULL, OWN)


async def test_ten_pictures_at_most(connection: Any, streamer: BuiltStreamer) -> None:
    urls = [f"/static/uploads/image/{number}.gif" for number in range(11)]
    for url in urls[:10]:
        await alert_settings.add_gif(connection, streamer.id, "glow", url, urls)
    tier = await alert_settings.add_gif(connection, streamer.id, "glow", urls[0], urls)
    assert tier.gif_urls == tuple(urls[:10])
    with pytest.raises(InvalidInputError, match="too_many"):
        await alert_settings.add_gif(connection, streamer.id, "glow", urls[10], urls)
    with pytest.raises(InvalidInputError, match="not_yours"):
        await alert_settings.add_gif(connection, streamer.id, "quiet", OTHERS, urls)
    with pytest.raises(NotFoundError, match="tier"):
        await alert_settings.add_gif(connection, streamer.id, "loud", urls[0], urls)
    tier = await alert_settings.remove_gif(connection, streamer.id, "glow", urls[3])
    assert len(tier.gif_urls) == 9
    with pytest.raises(NotFoundError, match="gif"):
        await alert_settings.remove_gif(connection, streamer.id, "glow", urls[3])


async def test_back_to_the_beginning(connection: Any, streamer: BuiltStreamer, settings: AlertSettings) -> None:
    wanted = replace(settings, alerts_enabled=False, min_display_time=2, tiers=(FULL,), banned_words="слово")
    await save_settings(connection, streamer.id, wanted, OWN)
    assert await alert_settings.reset_settings(connection, streamer.id) == replace(settings, banned_words="слово")
