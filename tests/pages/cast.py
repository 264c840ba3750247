"""A site with something on every page: a streamer with donations of every kind, a stranger with a page of his own, and
the operator."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from domain import goals
from domain.overlay_tokens import rotate_overlay_token
from domain.payment_status import NewsStatus
from domain.streamers import Streamer
from domain.users import create_user
from infra.crypto import SecretBox
from tests.builders import hear, make_donation, open_donation
from tests.support.site import Site
from tests.web.conftest import PASSWORD, signed_in
from tests.web.money import add_paid, add_second, built
from tests.web.money_cast import file_of, read_files

OPERATOR = "root@example.org"

PLAIN = ("Аня", "Спасибо за стрим! Босс тебя боится.", "Кузьма", "Привет из Омска", "Мария Ивановна", "Удачи в финале")


@dataclass
class Cast:
    site: Site
    streamer: Streamer
    stranger: Streamer
    ids: dict[str, str] = field(default_factory=dict)
    """What stands in the addresses of the streamer's own things, by the name `routes.py` gives them."""


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
    await _give(cast, texts)
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
        await hear(connection, failing, NewsStatus.FAILED)
    cast.ids |= {
        "donation": twice.public_id,
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
