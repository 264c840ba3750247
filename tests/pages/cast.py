"""A site with something on every page: a streamer with donations of every kind, her moderators, a stranger with a page
of his own, and the operator."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from domain import (
    access_tokens,
    alert_settings,
    applications,
    exports,
    goals,
    grants,
    holds,
    manual_donations,
    media,
    media_files,
    moderation_settings,
    moderators,
    profiles,
    self_check,
    webhooks,
)
from domain.alert_tiers import DEFAULT_TIERS
from domain.buttons import Control as ButtonControl
from domain.buttons import NewButton, create_button
from domain.history import Selection
from domain.manual_donations import NewManual
from domain.moderation import Mode
from domain.moderators import Right
from domain.overlay_tokens import rotate_overlay_token
from domain.payment_status import NewsStatus
from domain.pressers import Presser, PresserKind
from domain.requisites import Requisites, get_requisites, save_requisites
from domain.streamers import Streamer
from domain.terms import keep_terms
from domain.users import create_user
from domain.webhook_events import WebhookEvent
from infra.assets import STATIC_DIR
from infra.crypto import SecretBox
from infra.settings import IdentityClient
from tests.builders import hear, make_donation, open_donation
from tests.pages import art
from tests.pages.routes import CLIENT_ID
from tests.pages.stage import go_on_air, move_back
from tests.pages.story import EVENING, Gift, Story
from tests.support.site import Site
from tests.web.conftest import PASSWORD, signed_in
from tests.web.money import add_paid, add_second, built
from tests.web.money_cast import file_of, read_files
from web.legal_texts import Recipient, write_terms

OPERATOR = "root@example.org"

RULES = {
    "ru": "# Правила\n\nБудьте вежливы. Мы не берём ничего с донатов и не показываем рекламу.",
    "en": "# Rules\n\nBe polite. We take nothing from donations and show no advertising.",
}
LINKS = ("https://twitch.tv/lisa_anya", "https://t.me/lisa_anya", "https://www.youtube.com/@lisa_anya")
FILE = "Время;Имя;Сумма\n".encode() * 1_100
FEATURED = 4
PLANETS = (((24, 24, 60), (86, 60, 160), "#9fd8ff"), ((120, 30, 70), (250, 150, 130), "#ffe3a8"))


@dataclass
class Cast:
    site: Site
    streamer: Streamer
    stranger: Streamer
    ids: dict[str, str] = field(default_factory=dict)
    """What stands in the addresses of the streamer's own things, by the name `routes.py` gives them."""
    moderators: dict[str, "Admitted"] = field(default_factory=dict)
    """Who came by a link, by what they may: "all", each right but one as "no <right>", "stranger's" and "revoked"."""


@dataclass(frozen=True)
class Admitted:
    """A moderator's browser: the address of the page, and the cookie."""

    public_id: str
    session: str

    @property
    def headers(self) -> dict[str, str]:
        """The cookie goes to every address, so that no path alone keeps anybody out."""
        return {"Cookie": f"moderator={self.session}"}


def settings_of_cast(folder: Path) -> dict[str, Any]:
    """What such a site has switched on, so that every page is there; `folder` is its own."""
    return {
        "data_dir": folder,
        "smtp_host": "127.0.0.1",
        "smtp_port": 1,
        "mail_from": "site@example.org",
        "identity_clients": {name: IdentityClient(client_id="cast") for name in ("yandex", "vk", "twitch")},
        "identity_urls": dict.fromkeys(("yandex", "vk", "twitch"), "http://127.0.0.1:1"),
    }


async def fill(site: Site, story: Story = EVENING) -> Cast:
    streamer = await site.add_streamer("anna", story.name[:60])
    stranger = await site.add_streamer("boris", "Борис читает")
    async with site.pool.acquire() as connection, connection.transaction():
        await create_user(connection, OPERATOR, PASSWORD, is_superuser=True)
        box = SecretBox(site.settings.secret_keys.get_secret_value())
        await rotate_overlay_token(connection, box, streamer.id)
    cast = Cast(site, streamer, stranger)
    await move_back(site, streamer, [(await _pay(cast, gift), gift.ago) for gift in story.past])
    await _set_goals(cast, story)
    await _set_up(cast, story)
    await _add_webhooks(cast)
    await _give(cast, story)
    await _hold(cast, story.held)
    await go_on_air(site, streamer)
    await _add_others(cast, story)
    await _leave_letters(cast)
    await _check(cast)
    await _invite(cast, story)
    await _open_api(cast, story)
    return cast


async def _upload(connection: Any, streamer: Streamer) -> str:
    """A picture and a sound for alerts; the picture's address."""
    fox, chime = art.fox(), (STATIC_DIR / "overlay" / "chime.wav").read_bytes()
    picture = await media_files.add_file(connection, streamer.id, media_files.Kind.IMAGE, "лиса.webp", fox)
    sound = await media_files.add_file(connection, streamer.id, media_files.Kind.AUDIO, "динь.wav", chime)
    assert await media_files.finish(connection, picture.id, media_files.Found(fox, width=256, height=256, frames=1))
    assert await media_files.finish(connection, sound.id, media_files.Found(chime, seconds=1.6))
    return picture.url


async def _set_goals(cast: Cast, story: Story) -> None:
    """One that was reached, one that is active, and the planned ones; donors' money counts."""
    async with cast.site.pool.acquire() as connection, connection.transaction():
        goal_ids = [
            await goals.create_goal(
                connection,
                cast.streamer.id,
                goals.GoalFields(
                    wish.title[:60], wish.description[:300], wish.roubles * 100, wish.start_roubles * 100, None, None
                ),
            )
            for wish in story.wishes
        ]
        for goal_id in goal_ids[:2]:
            await goals.start(connection, cast.streamer.id, goal_id)
    cast.ids["goal"] = str(goal_ids[1])


async def _set_up(cast: Cast, story: Story) -> None:
    """Page, requisites, a button, words, a block, what was received elsewhere, an export."""
    site, streamer = cast.site, cast.streamer
    box = SecretBox(site.settings.secret_keys.get_secret_value())
    async with site.pool.acquire() as connection, connection.transaction():
        await _dress(connection, streamer, story.about, accent="c2410c", thanks=story.thanks, links=LINKS)
        sha256 = await media.set_picture(connection, streamer.id, media.Picture.AVATAR, art.fox())
        await media.set_picture(connection, streamer.id, media.Picture.BANNER, art.hills())
        upload = await _upload(connection, streamer)
        papers = Requisites(
            full_name=story.person[:200],
            inn="500100732259",
            email="anna@example.org",
            postal_address=story.postal_address[:300],
            purpose=story.purpose[:300],
            is_foreign_agent=bool(story.foreign_agent_label),
            foreign_agent_label=story.foreign_agent_label[:500],
        )
        await save_requisites(connection, streamer.id, papers)
        button = NewButton(name=story.button[:60], control=ButtonControl.SKIP, allows_get=True, locale="ru")
        button_id = await create_button(connection, box, streamer.id, button)
        await moderation_settings.add_words(connection, streamer.id, "word", ["грубость", "спойлер*"])
        level = replace(DEFAULT_TIERS[2], id="tier-of-the-cast", name=story.name[:60], min_amount_minor=500_00)
        await alert_settings.add_tier(connection, streamer.id, level)
        word_id = await connection.fetchval("SELECT min(id) FROM moderation_words")
        block_id = await connection.fetchval(
            "INSERT INTO blocks (streamer_id, kind, value, shown, note) VALUES ($1, 'name', 'x', $2, $3) RETURNING id",
            streamer.id, story.blocked[:60], story.block_note[:60],
        )  # fmt: skip
        gift = story.elsewhere
        new = NewManual(
            gift.roubles * 100,
            gift.name[:60] if gift.name else None,
            gift.message,
            story.source[:60],
            datetime.now(UTC) - (gift.ago or timedelta(hours=1)),
        )
        manual = await manual_donations.add(
            connection, streamer.id, new, user_id=streamer.owner_id, form_key="a-form-of-the-cast"
        )
        exported = await exports.ask_for(
            connection,
            streamer_id=streamer.id,
            user_id=streamer.owner_id,
            file_format=exports.Format.CSV,
            selection=Selection(),
            words={},
            time_zone=streamer.time_zone,
        )
        await connection.execute(
            "UPDATE exports SET state = 'done', rows_done = 214, rows_total = 214, bytes = $1, finished_at = now(),"
            " next_try_at = NULL",
            len(FILE),
        )
        await connection.execute("INSERT INTO export_chunks SELECT id, 0, $1 FROM exports", FILE)
    cast.ids |= {
        "picture": sha256,
        "upload": upload.removeprefix(media_files.URL_PREFIX),
        "upload's address": upload,
        "button": str(button_id),
        "word": str(word_id),
        "level": level.id,
        "block": str(block_id),
        "manual donation": str(manual),
        "export": exported,
    }
    (site.settings.legal_folder).mkdir(parents=True, exist_ok=True)
    for locale, rules in RULES.items():
        (site.settings.legal_folder / f"rules.{locale}.md").write_text(rules, encoding="utf-8")


async def _dress(connection: Any, streamer: Streamer, about: str, *, accent: str = "", **fields: Any) -> None:
    """The page's own words and colour; the public list has it."""
    profile, _ = await profiles.read_profile(connection, streamer)
    dressed = replace(profile, about=about[:300], accent=accent, is_listed=True, **fields)
    await profiles.save_profile(connection, streamer.id, replace(dressed, thanks=dressed.thanks[:300]))


async def _add_others(cast: Cast, story: Story) -> None:
    """Who else is in the public list; some of them, and she, are shown on the first page."""
    people = [cast.streamer]
    for number, other in enumerate(story.others):
        streamer = await cast.site.add_streamer(other.slug, other.name)
        people.append(streamer)
        async with cast.site.pool.acquire() as connection, connection.transaction():
            await _dress(connection, streamer, other.about)
            if number < len(PLANETS):
                await media.set_picture(connection, streamer.id, media.Picture.AVATAR, art.planet(*PLANETS[number]))
    async with cast.site.pool.acquire() as connection, connection.transaction():
        await _dress(connection, cast.stranger, "Книги вслух, по главе за вечер.")
        for streamer in people[:FEATURED]:
            await profiles.feature(connection, streamer.id, is_featured=True)


async def _pay(cast: Cast, gift: Gift, **fields: Any) -> int:
    name = gift.name[:60] if gift.name else None
    minor = gift.roubles * 100
    given = {"donor_name": name, "message": gift.message, "amount_minor": minor, "came_minor": minor}
    donation, _ = await add_paid(cast.site, cast.streamer, **{**given, **fields})
    return donation.id


async def _hold(cast: Cast, gift: Gift) -> None:
    """A donation that waits for its streamer's decision."""
    async with cast.site.pool.acquire() as connection, connection.transaction():
        chosen = await moderation_settings.get_settings(connection, cast.streamer.id)
        await moderation_settings.save_settings(connection, cast.streamer.id, replace(chosen, mode=Mode.APPROVE))
    held_id = await _pay(cast, gift)
    async with cast.site.pool.acquire() as connection, connection.transaction():
        await moderation_settings.save_settings(connection, cast.streamer.id, chosen)
    await move_back(cast.site, cast.streamer, [(held_id, gift.ago)])


async def _check(cast: Cast) -> None:
    """The bank has seen the terminal's key; the site has looked at its own books."""
    box = SecretBox(cast.site.settings.secret_keys.get_secret_value())
    async with cast.site.pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE terminals SET checked_at = now()")
        await connection.execute("INSERT INTO relays (id, listening, dead_letters) VALUES (gen_random_uuid(), true, 0)")
        run_id = await self_check.begin_run(connection, self_check.Depth.FULL)
        await self_check.finish_run(connection, run_id, await self_check.look(connection, box, self_check.Depth.FULL))


async def _invite(cast: Cast, story: Story) -> None:
    """Moderators of all kinds, and one who has not come yet."""
    people = {
        "all": (cast.streamer, set(Right)),
        "no queue": (cast.streamer, {Right.CONTROLS, Right.AMOUNTS, Right.BLOCK}),
        "no controls": (cast.streamer, {Right.QUEUE, Right.AMOUNTS, Right.BLOCK}),
        "no block": (cast.streamer, {Right.QUEUE, Right.AMOUNTS, Right.CONTROLS}),
        "stranger's": (cast.stranger, set(Right)),
        "revoked": (cast.streamer, set(Right)),
    }
    async with cast.site.pool.acquire() as connection, connection.transaction():
        not_come = await moderators.invite(connection, cast.streamer.id, nick="", rights={Right.QUEUE}, days=None)
        for nick, (name, (streamer, rights)) in zip(story.moderators, people.items(), strict=True):
            link = await moderators.invite(connection, streamer.id, nick=nick, rights=rights, days=30)
            joined = await moderators.join(connection, link.token, nick="")
            assert joined is not None
            public_id = await connection.fetchval("SELECT public_id FROM moderators WHERE id = $1", link.moderator_id)
            cast.moderators[name] = Admitted(public_id, joined[1])
            if name == "all":
                cast.ids |= {"moderator": str(link.moderator_id), "moderation": public_id}
                by = Presser(PresserKind.MODERATOR, link.moderator_id, nick)
            if name == "revoked":
                await moderators.revoke(connection, streamer.id, link.moderator_id)
        alert_id = await connection.fetchval("SELECT alert_id FROM alerts WHERE status = 'held'")
        await holds.decide(connection, cast.streamer.id, alert_id, holds.Decision.HIDE, by)
        await holds.undo(connection, cast.streamer.id, alert_id, by)
    cast.ids |= {"held alert": str(alert_id), "invitation": not_come.token}


async def _open_api(cast: Cast, story: Story) -> None:
    """A key, an application of her own, and one of the stranger's that she allowed."""
    her, his = cast.streamer, cast.stranger
    async with cast.site.pool.acquire() as connection, connection.transaction():
        key = await access_tokens.create_key(
            connection, her.owner_id, her.id, name=story.application[:60], scopes=["donations:read"], days=365
        )
        fields = applications.check_fields("Лисий бот", "https://fox.example.org", ["https://fox.example.org/back"])
        own = await applications.create_application(connection, her.owner_id, fields, is_public=False)
        fields = applications.check_fields(
            story.application[:60], "https://bot.example.org", ["https://bot.example.org/back"]
        )
        others = await applications.create_application(connection, his.owner_id, fields, is_public=True)
        await connection.execute("UPDATE applications SET client_id = $1 WHERE id = $2", CLIENT_ID, others.id)
        code = await grants.find_code(
            connection,
            await grants.allow(
                connection, others.id, her.owner_id, her.id, scopes=["donations:read", "stats:read"],
                challenge="x" * 43, redirect_uri=fields.redirect_uris[0],
            ),
        )  # fmt: skip
        assert code is not None
        await grants.exchange(connection, code)
    cast.ids |= {"key": str(key.id), "application": str(own.id), "allowed application": str(others.id)}


async def _leave_letters(cast: Cast) -> None:
    async with cast.site.pool.acquire() as connection, connection.transaction():
        letter_id = await connection.fetchval(
            "INSERT INTO letters (kind, recipient, locale, message_id, expires_at)"
            " VALUES ('test', 'root@example.org', 'ru', 'a-letter-of-the-cast', now() + interval '1 hour') RETURNING id"
        )
    cast.ids |= {"letter": str(letter_id), "user": str(cast.stranger.owner_id)}


async def _add_webhooks(cast: Cast) -> None:
    """One that delivers, and one that fails, with lines of a log."""
    box = SecretBox(cast.site.settings.secret_keys.get_secret_value())
    wishes = (
        ("https://bot.example.org/hooks/streamcash?key=1", webhooks.Format.STANDARD, tuple(WebhookEvent)),
        ("https://kofi.example.org/", webhooks.Format.KOFI, (WebhookEvent.DONATION_PAID,)),
    )
    async with cast.site.pool.acquire() as connection, connection.transaction():
        ids = [
            await webhooks.create_webhook(
                connection,
                box,
                cast.streamer.id,
                webhooks.Fields("", url, kind, events),
            )
            for url, kind, events in wishes
        ]
        await connection.execute("UPDATE webhooks SET delivered_at = now() WHERE id = $1", ids[0])
        await connection.execute("UPDATE webhooks SET failing_since = now() - interval '2 hours' WHERE id = $1", ids[1])
        for name, status, http, answer in (
            ("donation.paid", "delivered", 200, "ok"),
            ("alert.shown", "delivered", 204, ""),
            ("donation.refunded", "failed", 500, "<h1>Internal Server Error</h1>" * 8),
        ):
            await connection.execute(
                "INSERT INTO webhook_deliveries (webhook_id, event_id, name, data, occurred_at, status, tries,"
                " tried_at, took_ms, http_status, answer, next_try_at)"
                " VALUES ($1, gen_random_uuid(), $2, '{}', now(), $3, 1, now(), 148, $4, $5, NULL)",
                ids[0], name, status, http, answer,
            )  # fmt: skip
        delivery_id = await connection.fetchval(
            "INSERT INTO webhook_deliveries (webhook_id, event_id, name, data, occurred_at, tries, tried_at, took_ms,"
            " error, next_try_at) VALUES ($1, gen_random_uuid(), 'goal.reached', '{}', now(), 3, now(), 10000,"
            " 'timeout', now() + interval '1 hour') RETURNING id",
            ids[0],
        )
    cast.ids |= {"webhook": str(ids[0]), "delivery": str(delivery_id)}


async def _give(cast: Cast, story: Story) -> None:
    """What came, the oldest first, and what did not come to payment."""
    site, streamer = cast.site, cast.streamer
    moves: list[tuple[int, timedelta]] = []
    name = (story.disputed.name or "")[:60]
    disputed, payment = await add_paid(site, streamer, donor_name=name, message=story.disputed.message)
    await move_back(site, streamer, [(disputed.id, story.disputed.ago)])
    for gift in sorted((*story.gifts, story.twice, story.different), key=lambda gift: gift.ago, reverse=True):
        if gift is story.twice:
            twice, _ = await add_paid(site, streamer, donor_name=(gift.name or "")[:60], message=gift.message)
            surplus = await add_second(site, streamer, twice)
            moves.append((twice.id, gift.ago))
        else:
            moves.append(
                (await _pay(cast, gift, **({"came_minor": 20_000} if gift is story.different else {})), gift.ago)
            )
    await _bring_registry(site, streamer, await file_of(site, streamer, (payment, "Debit"), (payment, "Chargeback")))
    opened, new, refused = story.unpaid
    async with site.pool.acquire() as connection, connection.transaction():
        her = await built(site, streamer)
        open_one, _ = await open_donation(connection, her, **_wished(opened))
        new_one = await make_donation(connection, her, **_wished(new))
        failed, failing = await open_donation(connection, her, **_wished(refused))
        papers = await get_requisites(connection, streamer.id)
        recipient = Recipient(streamer.slug, streamer.display_name, site.settings.web_url, papers)
        terms_id = await keep_terms(connection, streamer.id, write_terms(recipient, "2026-11-28", "ru"))
        await connection.execute("UPDATE donations SET terms_id = $1 WHERE id = $2", terms_id, twice.id)
        await hear(connection, failing, NewsStatus.FAILED)
    await move_back(site, streamer, [*moves, (new_one.id, new.ago), (failed.id, refused.ago)])
    cast.ids |= {
        "donation": twice.public_id,
        "agreed donation": twice.public_id,
        "payment": str(surplus.id),
        "disputed donation": disputed.public_id,
        "chargeback": str(payment.id),
        "open donation": open_one.public_id,
        "new donation": new_one.public_id,
        "failed donation": failed.public_id,
    }


def _wished(gift: Gift) -> dict[str, Any]:
    return {"donor_name": (gift.name or "")[:60], "message": gift.message, "amount_minor": gift.roubles * 100}


async def _bring_registry(site: Site, streamer: Streamer, raw: bytes) -> None:
    async with signed_in(site, f"{streamer.slug}@example.org") as her:
        answer = await her.post("/dashboard/money/registry", files={"file": ("registry.csv", raw)})
    assert answer.status_code == 303, answer.text
    await read_files(site)
