"""Donations as a list: pages by cursors, what came since, and what a key may read of it."""

import secrets
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from domain import manual_donations
from domain.payment_status import NewsStatus
from domain.scopes import Scope
from domain.streamers import Streamer
from tests.api.keys import code_of, with_key
from tests.builders import hear, open_donation
from tests.support.site import Site
from tests.web.money import add_paid, built, go_back

pytestmark = pytest.mark.usefixtures("shared_site")


async def feed_of(client: httpx.AsyncClient, **asked: Any) -> dict[str, Any]:
    answer = await client.get("/feed", params=asked)
    assert answer.status_code == 200, answer.text
    feed: dict[str, Any] = answer.json()
    return feed


def messages(feed: dict[str, Any]) -> list[str]:
    return [entry["message"] for entry in feed["entries"]]


async def add_by_hand(site: Site, streamer: Streamer, message: str) -> str:
    async with site.pool.acquire() as connection, connection.transaction():
        new = manual_donations.NewManual(10_000, "Петя", message, "перевод", datetime.now(UTC))
        made = await manual_donations.add(
            connection, streamer.id, new, user_id=streamer.owner_id, form_key=secrets.token_urlsafe(16)
        )
    assert made is not None
    return made


async def age(site: Site, streamer: Streamer) -> None:
    """What came lately came a minute earlier: nothing older can appear any more."""
    for table, moment in (("donations", "paid_at"), ("manual_donations", "received_at")):
        await site.pool.execute(
            f"UPDATE {table} SET {moment} = {moment} - interval '1 minute' "
            f"WHERE streamer_id = $1 AND {moment} > now() - interval '45 seconds'",
            streamer.id,
        )


async def poll(client: httpx.AsyncClient, cursor: str, **asked: Any) -> tuple[list[str], str]:
    """All that came since, in pages, the oldest first, and the cursor for the next time."""
    found: list[str] = []
    while True:
        feed = await feed_of(client, after=cursor, **asked)
        found += reversed(messages(feed))
        cursor = feed["previous"]
        if len(feed["entries"]) < asked.get("limit", 50):
            return found, cursor


async def test_pages_go_on_where_they_ended(hers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    assert await feed_of(hers) == {"entries": [], "next": None, "previous": None}
    for number in range(5):
        await add_paid(site, streamer, message=f"№{number}")
    await age(site, streamer)
    first = await feed_of(hers, limit=2)
    assert messages(first) == ["№4", "№3"]
    # What comes in meanwhile moves no page.
    await add_by_hand(site, streamer, "№5")
    second = await feed_of(hers, limit=2, before=first["next"])
    third = await feed_of(hers, limit=2, before=second["next"])
    assert (messages(second), messages(third), third["next"]) == (["№2", "№1"], ["№0"], None)

    since = await feed_of(hers, after=first["previous"])
    assert messages(since) == ["№5"]
    # What is so young comes again, until nothing older can appear.
    assert messages(await feed_of(hers, after=since["previous"])) == ["№5"]
    await age(site, streamer)
    since = await feed_of(hers, after=first["previous"])
    nothing = await feed_of(hers, after=since["previous"])
    assert (nothing["entries"], nothing["previous"]) == ([], since["previous"])
    # All that came since, in pages from the oldest of it on.
    step = await feed_of(hers, after=third["previous"], limit=2)
    assert messages(step) == ["№2", "№1"]
    assert messages(await feed_of(hers, after=step["previous"], limit=50)) == ["№5", "№4", "№3"]


async def test_what_was_paid_in_a_slow_transaction_comes_although_younger_was_seen(
    hers: httpx.AsyncClient, site: Site, streamer: Streamer
) -> None:
    """Its place is the moment its transaction began at."""
    await add_paid(site, streamer, message="давно")
    await age(site, streamer)
    before = (await feed_of(hers))["previous"]
    async with site.pool.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        _, payment = await open_donation(slow, await built(site, streamer), message="долго")
        for number in range(3):
            await add_paid(site, streamer, message=f"№{number}")
        first = (await feed_of(hers))["previous"]
        seen, cursor = await poll(hers, before)
        assert seen == ["№0", "№1", "№2"]
        # However small the pages: they do not end before the youngest while it is open.
        one_by_one, other_cursor = await poll(hers, before, limit=1)
        assert one_by_one[:3] == ["№0", "№1", "№2"]
        # In the middle of such pages, too.
        middle = (await feed_of(hers, after=before, limit=2))["previous"]
        await hear(slow, payment, NewsStatus.CONFIRMED)
        await transaction.commit()
    for place in (first, cursor, other_cursor):
        assert "долго" in (await poll(hers, place))[0]
    rest, cursor = await poll(hers, middle)
    assert rest == ["№2"]
    assert "долго" in (await poll(hers, cursor))[0]
    # And nothing comes again once it is old.
    await age(site, streamer)
    _, cursor = await poll(hers, before)
    assert await poll(hers, cursor) == ([], cursor)


async def test_links_lead_to_the_next_pages(hers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    for number in range(3):
        await add_paid(site, streamer, message=f"№{number}")
    answer = await hers.get("/feed", params={"limit": 1, "min_minor": 100})
    following = answer.links["next"]["url"]
    assert following.startswith("/api/v1/feed?limit=1&min_minor=100&before=")
    assert messages((await hers.get(following.removeprefix("/api/v1"))).json()) == ["№1"]
    assert answer.links["prev"]["url"].endswith(answer.json()["previous"])


async def test_what_is_selected(hers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    await add_paid(site, streamer, message="мало", amount_minor=10_000, came_minor=10_000)
    await add_paid(site, streamer, message="много", amount_minor=90_000, came_minor=90_000, donor_name=None)
    _, payment = await add_paid(site, streamer, message="вернули")
    await go_back(site, payment, 0)
    await add_by_hand(site, streamer, "рукой")
    for asked, expected in (
        ({"min_minor": 50_000}, ["много"]),
        ({"max_minor": 10_000}, ["рукой", "мало"]),
        ({"anonymous": "true"}, ["много"]),
        ({"state": "refunded"}, ["вернули"]),
        ({"state": "manual"}, ["рукой"]),
        ({"q": "МНОГО"}, ["много"]),
        ({"donor": "петя"}, ["рукой"]),
        ({"until": "2026-01-01T00:00:00Z"}, []),
        ({"since": "2026-01-01T00:00:00Z", "state": "waiting"}, ["много", "мало"]),
    ):
        assert messages(await feed_of(hers, **asked)) == expected, asked


async def test_one_by_either_id(
    hers: httpx.AsyncClient, strangers: httpx.AsyncClient, site: Site, streamer: Streamer
) -> None:
    donation, _ = await add_paid(site, streamer)
    by_hand = await add_by_hand(site, streamer, "рукой")
    [manual, entry] = (await feed_of(hers))["entries"]
    one = (await hers.get(f"/feed/{donation.public_id}")).json()
    assert one == {**entry, "original": {"donor_name": "Аня", "message": "Привет из Омска"}}
    assert (await hers.get(f"/feed/{donation.id}")).json() == one
    assert (await hers.get(f"/feed/{by_hand}")).json() == {**manual, "original": None}
    for path in (donation.public_id, str(donation.id), by_hand):
        assert (await strangers.get(f"/feed/{path}")).status_code == 404
    for path in ("0", str(2**31), "9" * 30, "нет", "²"):
        assert (await hers.get(f"/feed/{path}")).status_code == 404, path
    assert (await hers.get("/feed/%00")).status_code == 422


async def test_what_donors_wrote_is_for_who_may_read_it(site: Site, streamer: Streamer) -> None:
    donation, _ = await add_paid(site, streamer, message="вот сука", donor_name="Аня")
    async with with_key(site, streamer, Scope.DONATIONS_READ) as bot:
        seen = str((await bot.get(f"/feed/{donation.public_id}")).json()) + str(await feed_of(bot))
        assert "сука" not in seen
        assert seen.count("вот ***") == 2
        # Nor by searching for it.
        assert code_of(await bot.get("/feed", params={"q": "сука"})) == "scope"
        assert code_of(await bot.get("/feed", params={"donor": "а"})) == "scope"
    async with with_key(site, streamer, Scope.DONATIONS_READ, Scope.DONATIONS_ORIGINAL) as bot:
        assert (await bot.get(f"/feed/{donation.public_id}")).json()["original"]["message"] == "вот сука"
        assert len((await feed_of(bot, q="сука"))["entries"]) == 1


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "all"},
        {"before": "nonsense"},
        {"after": "a" * 101},
        {"before": "MTc5NjA2ODU5ODAwMDAwMC4xNw=="},
        {"before": "-"},
        {"min_minor": "-1"},
        {"max_minor": "1e9"},
        {"since": "2026-01-01T00:00:00"},
        {"until": "yesterday"},
        {"state": "lost"},
        {"q": "я" * 101},
        {"anonymous": "perhaps"},
    ],
)
async def test_garbage(hers: httpx.AsyncClient, asked: dict[str, str]) -> None:
    answer = await hers.get("/feed", params=asked)
    assert answer.status_code == 422, answer.text
    assert code_of(answer) in ("fields", "cursor")


async def test_an_unpaid_donation_is_not_there(hers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    donation, _ = await add_paid(site, streamer, came_minor=100)
    assert (await hers.get(f"/feed/{donation.public_id}")).json()["status"] == "review"
    await site.pool.execute("UPDATE donations SET status = 'pending' WHERE id = $1", donation.id)
    assert (await hers.get(f"/feed/{donation.public_id}")).status_code == 404
