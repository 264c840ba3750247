"""Wishing a refund: how much and why, once more sure, and once only."""

import asyncio
import re

import httpx

from domain.streamers import Streamer
from tests.builders import check_books
from tests.support.site import Site
from tests.web.conftest import signed_in
from tests.web.money import add_paid, go_back, wish_back

NBSP = "\N{NO-BREAK SPACE}"


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


async def fields_of(her: httpx.AsyncClient, public_id: str, **changes: str) -> dict[str, str]:
    """The form as the page gives it, with what she changes."""
    page = (await her.get(f"/dashboard/donations/{public_id}/refund")).text
    fields = {name: field(page, name) for name in ("payment_id", "key", "amount")}
    return {**fields, "reason": "Ошиблась суммой", "step": "check", **changes}


async def send(her: httpx.AsyncClient, public_id: str, fields: dict[str, str]) -> httpx.Response:
    return await her.post(f"/dashboard/donations/{public_id}/refund", data=fields)


async def wished(site: Site) -> list[tuple[int, str, str]]:
    rows = await site.rows("SELECT amount_minor, reason, status FROM refunds ORDER BY id")
    return [(row["amount_minor"], row["reason"], row["status"]) for row in rows]


async def test_asked_twice_then_wished(site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
    donation, _ = await add_paid(site, streamer)
    fields = await fields_of(her, donation.public_id)
    assert fields["amount"] == "300"
    sure = await send(her, donation.public_id, fields)
    assert sure.status_code == 200
    words = sure.text.replace(NBSP, " ")
    assert "Give 300 ₽ back to “Аня”?" in words
    assert "a refund cannot be undone" in words
    assert "Ошиблась суммой" in words
    assert await wished(site) == [], "nothing is written before she is sure"
    assert await site.rows("SELECT id FROM outbox WHERE name = 'make_refund'") == []
    assert await site.rows("SELECT id FROM payment_news WHERE note LIKE 'refund%'") == []

    confirmed = {name: field(sure.text, name) for name in ("payment_id", "key", "amount", "reason")}
    answer = await send(her, donation.public_id, {**confirmed, "step": "confirm"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/dashboard/donations/{donation.public_id}?said=refund-wished"
    assert await wished(site) == [(30_000, "Ошиблась суммой", "wished")]
    assert len(await site.rows("SELECT id FROM outbox WHERE name = 'make_refund'")) == 1
    async with site.pool.acquire() as connection:
        await check_books(connection)


async def test_a_part_with_kopecks(site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
    donation, _ = await add_paid(site, streamer)
    fields = await fields_of(her, donation.public_id, amount=" 100,50 ₽", step="confirm")
    assert (await send(her, donation.public_id, fields)).status_code == 303
    assert await wished(site) == [(10_050, "Ошиблась суммой", "wished")]


async def test_a_doubled_submit_is_one_refund(site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
    donation, payment = await add_paid(site, streamer)
    fields = await fields_of(her, donation.public_id, amount="200", step="confirm")
    answers = await asyncio.gather(*(send(her, donation.public_id, fields) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {303}
    # And after it was over, too, when less is left than the form says.
    await go_back(site, payment, 10_000)
    await site.pool.execute(
        "UPDATE refunds SET status = 'done', before_minor = 0, finished_at = now(), next_try_at = NULL"
    )
    assert (await send(her, donation.public_id, fields)).status_code == 303
    assert len(await wished(site)) == 1
    again = await send(her, donation.public_id, {**fields, "amount": "50"})
    assert again.status_code == 409
    assert "This form was used before" in again.text
    assert field(again.text, "key") != fields["key"], "what she presses next is a form of its own"
    assert len(await wished(site)) == 1


GARBAGE = (
    "",
    "0",
    "-1",
    "300.01",
    "301",
    "1e3",
    "abc",
    "३००",
    "9" * 40,
    "1 000 000 000",
    "<script>",
    "10.123",
    "0.001",
)


async def test_garbage_for_an_amount(site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
    donation, _ = await add_paid(site, streamer)
    fields = await fields_of(her, donation.public_id)
    for amount in GARBAGE:
        for step in ("check", "confirm"):
            answer = await send(her, donation.public_id, {**fields, "amount": amount, "step": step})
            assert answer.status_code == 422, amount
            assert 'aria-invalid="true"' in answer.text
            assert "<script>" not in answer.text.replace("<script src", "")
    assert await wished(site) == []


async def test_a_reason_is_needed(site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
    donation, _ = await add_paid(site, streamer)
    for reason in ("", "  \n ", "а" * 301):
        answer = await send(her, donation.public_id, await fields_of(her, donation.public_id, reason=reason))
        assert answer.status_code == 422
        assert "reason-error" in answer.text
    nul = await send(her, donation.public_id, await fields_of(her, donation.public_id, reason="a\0b"))
    assert nul.status_code == 422
    assert await wished(site) == []


async def test_a_form_that_is_not_ours(site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
    donation, _ = await add_paid(site, streamer)
    fields = await fields_of(her, donation.public_id, step="confirm")
    for key in ("", "short", "k" * 65, "ключ" * 8, "a b" * 8):
        assert (await send(her, donation.public_id, {**fields, "key": key})).status_code == 422, key
    assert await wished(site) == []


async def test_one_at_a_time(site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
    donation, payment = await add_paid(site, streamer)
    fields = await fields_of(her, donation.public_id, amount="100", step="confirm")
    await wish_back(site, payment, streamer)
    answer = await send(her, donation.public_id, fields)
    assert answer.status_code == 409
    assert "A refund is under way" in answer.text
    assert "A refund is under way" in (await her.get(f"/dashboard/donations/{donation.public_id}/refund")).text


async def test_nothing_is_left(site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
    donation, payment = await add_paid(site, streamer)
    fields = await fields_of(her, donation.public_id, step="confirm")
    await go_back(site, payment, 20_000)
    assert field((await her.get(f"/dashboard/donations/{donation.public_id}/refund")).text, "amount") == "200"
    assert (await send(her, donation.public_id, fields)).status_code == 422, "more than is left by now"
    await go_back(site, payment, 0)
    assert (await send(her, donation.public_id, fields)).status_code == 409
    assert "Nothing to give back" in (await her.get(f"/dashboard/donations/{donation.public_id}/refund")).text


async def test_somebody_else_gives_nothing_back(site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
    donation, _ = await add_paid(site, streamer)
    fields = await fields_of(her, donation.public_id, step="confirm")
    await site.add_streamer("boris", "Борис")
    async with signed_in(site, "boris@example.org") as stranger:
        assert (await send(stranger, donation.public_id, fields)).status_code == 404
    answer = await site.client.post(f"/dashboard/donations/{donation.public_id}/refund", data=fields)
    assert answer.headers["Location"].startswith("/sign-in")
    assert await wished(site) == []
