"""A site with something on every page: a streamer with donations of every kind, her moderators, a stranger with a page
of his own, and the operator."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from domain import exports, goals, holds, manual_donations, media, moderation_settings, moderators, profiles
from domain.buttons import Control as ButtonControl
from domain.buttons import NewButton, create_button
from domain.history import Selection
from domain.manual_donations import NewManual
from domain.moderation import Mode
from domain.moderators import Right
from domain.overlay_tokens import rotate_overlay_token
from domain.payment_status import NewsStatus
from domain.requisites import Requisites, get_requisites, save_requisites
from domain.streamers import Streamer
from domain.terms import keep_terms
from domain.users import create_user
from infra.crypto import SecretBox
from infra.settings import IdentityClient
from tests.builders import hear, make_donation, open_donation
from tests.support.site import Site
from tests.web.conftest import PASSWORD, signed_in
from tests.web.money import add_paid, add_second, built
from tests.web.money_cast import file_of, read_files
from web.legal_texts import Recipient, write_terms

OPERATOR = "root@example.org"

PLAIN = ("Аня", "Спасибо за стрим! Босс тебя боится.", "Кузьма", "Привет из Омска", "Мария Ивановна", "Удачи в финале")


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


async def fill(site: Site, texts: Sequence[str] = PLAIN) -> Cast:
    """The streamer is called by the first text; donors say them all."""
    streamer = await site.add_streamer("anna", texts[0][:60])
    stranger = await site.add_streamer("boris", "Борис")
    async with site.pool.acquire() as connection, connection.transaction():
        await create_user(connection, OPERATOR, PASSWORD, is_superuser=True)
        box = SecretBox(site.settings.secret_keys.get_secret_value())
        await rotate_overlay_token(connection, box, streamer.id)
    cast = Cast(site, streamer, stranger)
    await _set_goals(cast, texts)
    await _set_up(cast, texts)
    await _give(cast, texts)
    await _hold(cast, texts)
    await _leave_letters(cast)
    await _invite(cast, texts)
    return cast


async def _set_goals(cast: Cast, texts: Sequence[str]) -> None:
    """One that was reached, one that is active, and as many planned as there are texts; donors' money counts."""
    async with cast.site.pool.acquire() as connection, connection.transaction():
        goal_ids = [
            await goals.create_goal(
                connection,
                cast.streamer.id,
                goals.GoalFields(text[:60], text[:300], 5_000_000, start_minor, None, None),
            )
            for start_minor, text in ((5_000_000, texts[0]), (120_000, texts[1]), *((0, text) for text in texts))
        ]
        for goal_id in goal_ids[:2]:
            await goals.start(connection, cast.streamer.id, goal_id)
    cast.ids["goal"] = str(goal_ids[1])


async def _set_up(cast: Cast, texts: Sequence[str]) -> None:
    """Page, requisites, a button, words, a block, what was received elsewhere, an export."""
    site, streamer = cast.site, cast.streamer
    box = SecretBox(site.settings.secret_keys.get_secret_value())
    async with site.pool.acquire() as connection, connection.transaction():
        profile, _ = await profiles.read_profile(connection, streamer)
        dressed = replace(
            profile,
            about=texts[1][:300],
            thanks=texts[0][:300],
            links=("https://twitch.tv/anna", "https://t.me/anna"),
            accent="c2410c",
            is_listed=True,
        )
        await profiles.save_profile(connection, streamer.id, dressed)
        picture = BytesIO()
        Image.new("RGB", (256, 256), "#c2410c").save(picture, "WEBP")
        sha256 = await media.set_picture(connection, streamer.id, media.Picture.AVATAR, picture.getvalue())
        papers = Requisites(
            full_name=texts[0][:200],
            inn="500100732259",
            email="anna@example.org",
            postal_address=texts[2][:300],
            purpose=texts[1][:300],
            is_foreign_agent=True,
            foreign_agent_label=texts[1][:500],
        )
        await save_requisites(connection, streamer.id, papers)
        button = NewButton(name=texts[0][:60], control=ButtonControl.SKIP, allows_get=True, locale="ru")
        button_id = await create_button(connection, box, streamer.id, button)
        await moderation_settings.add_words(connection, streamer.id, "word", ["грубость", "спойлер*"])
        word_id = await connection.fetchval("SELECT min(id) FROM moderation_words")
        block_id = await connection.fetchval(
            "INSERT INTO blocks (streamer_id, kind, value, shown, note) VALUES ($1, 'name', 'x', $2, $2) RETURNING id",
            streamer.id, texts[0][:60],
        )  # fmt: skip
        new = NewManual(150_000, texts[0][:60], texts[1], texts[0][:60], datetime.now(UTC) - timedelta(hours=1))
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
        await connection.execute("UPDATE exports SET state = 'done', finished_at = now(), next_try_at = NULL")
    cast.ids |= {
        "picture": sha256,
        "button": str(button_id),
        "word": str(word_id),
        "block": str(block_id),
        "manual donation": str(manual),
        "export": exported,
    }
    (site.settings.legal_folder).mkdir(parents=True, exist_ok=True)
    (site.settings.legal_folder / "rules.ru.md").write_text("# Правила\n\nБудьте вежливы.", encoding="utf-8")


async def _hold(cast: Cast, texts: Sequence[str]) -> None:
    """A donation that waits for its streamer's decision."""
    async with cast.site.pool.acquire() as connection, connection.transaction():
        chosen = await moderation_settings.get_settings(connection, cast.streamer.id)
        await moderation_settings.save_settings(connection, cast.streamer.id, replace(chosen, mode=Mode.APPROVE))
    await add_paid(cast.site, cast.streamer, donor_name=texts[0][:60], message=f"{texts[1][:200]} сука")
    async with cast.site.pool.acquire() as connection, connection.transaction():
        await moderation_settings.save_settings(connection, cast.streamer.id, chosen)


async def _invite(cast: Cast, texts: Sequence[str]) -> None:
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
        for number, (name, (streamer, rights)) in enumerate(people.items()):
            nick = texts[number % len(texts)][:60]
            link = await moderators.invite(connection, streamer.id, nick=nick, rights=rights, days=30)
            joined = await moderators.join(connection, link.token, nick="")
            assert joined is not None
            public_id = await connection.fetchval("SELECT public_id FROM moderators WHERE id = $1", link.moderator_id)
            cast.moderators[name] = Admitted(public_id, joined[1])
            if name == "all":
                cast.ids |= {"moderator": str(link.moderator_id), "moderation": public_id}
                by = holds.By("moderator", link.moderator_id, nick)
            if name == "revoked":
                await moderators.revoke(connection, streamer.id, link.moderator_id)
        alert_id = await connection.fetchval("SELECT alert_id FROM alerts WHERE status = 'held'")
        await holds.decide(connection, cast.streamer.id, alert_id, holds.Decision.HIDE, by)
        await holds.undo(connection, cast.streamer.id, alert_id, by)
    cast.ids |= {"held alert": str(alert_id), "invitation": not_come.token}


async def _leave_letters(cast: Cast) -> None:
    async with cast.site.pool.acquire() as connection, connection.transaction():
        letter_id = await connection.fetchval(
            "INSERT INTO letters (kind, recipient, locale, message_id, expires_at)"
            " VALUES ('test', 'root@example.org', 'ru', 'a-letter-of-the-cast', now() + interval '1 hour') RETURNING id"
        )
    cast.ids |= {"letter": str(letter_id), "user": str(cast.stranger.owner_id)}


async def _give(cast: Cast, texts: Sequence[str]) -> None:
    site, streamer = cast.site, cast.streamer
    for number, text in enumerate(texts):
        name = text[:60]
        await add_paid(site, streamer, donor_name=name, message=texts[number - 1], amount_minor=10_000 * (number + 1),
                       came_minor=10_000 * (number + 1))  # fmt: skip
    await add_paid(site, streamer, donor_name=None, message="", amount_minor=500_000, came_minor=500_000)
    twice, _ = await add_paid(site, streamer, donor_name=texts[0][:60], message=texts[-1])
    surplus = await add_second(site, streamer, twice)
    await add_paid(site, streamer, came_minor=20_000, donor_name=texts[1][:60], message=texts[0])
    disputed, payment = await add_paid(site, streamer, donor_name=texts[2][:60], message=texts[1])
    await _bring_registry(site, streamer, await file_of(site, streamer, (payment, "Debit"), (payment, "Chargeback")))
    async with site.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "UPDATE alerts SET status = 'shown', shown_at = now(), finished_at = now() WHERE id % 2 = 0"
        )
        open_one, _ = await open_donation(connection, await built(site, streamer), donor_name=texts[0][:60])
        new_one = await make_donation(connection, await built(site, streamer), donor_name=texts[1][:60])
        failed, failing = await open_donation(connection, await built(site, streamer), message=texts[0])
        papers = await get_requisites(connection, streamer.id)
        recipient = Recipient(streamer.slug, streamer.display_name, site.settings.web_url, papers)
        terms_id = await keep_terms(connection, streamer.id, write_terms(recipient, "2026-11-28", "ru"))
        await connection.execute("UPDATE donations SET terms_id = $1 WHERE id = $2", terms_id, twice.id)
        await hear(connection, failing, NewsStatus.FAILED)
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


async def _bring_registry(site: Site, streamer: Streamer, raw: bytes) -> None:
    async with signed_in(site, f"{streamer.slug}@example.org") as her:
        answer = await her.post("/dashboard/money/registry", files={"file": ("registry.csv", raw)})
    assert answer.status_code == 303, answer.text
    await read_files(site)
