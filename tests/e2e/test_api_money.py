"""A program of the first version gives money through the API, with all programs running."""

import asyncio
from typing import Any

import httpx

from tests.e2e.conftest import House, until

API = "/api/v1"


async def call(house: House, method: str, path: str, **options: Any) -> httpx.Response:
    return await house.http.request(method, f"{house.stack.web_url}{API}{path}", **options)


async def test_a_front_end_of_the_first_version(house: House) -> None:
    streamer = await house.pool.fetchrow("SELECT id, owner_id FROM streamers WHERE slug = $1", house.slug)
    assert streamer is not None
    wish = {
        "recipient_id": streamer["owner_id"], "amount": 150.5, "payment_method": "test", "donor_name": "Аня",
        "message": "Привет из Омска",
    }  # fmt: skip
    order = {
        "streamer_id": streamer["id"], "amount": 300, "order_id": "my-own-order-7", "payment_method": "tinkoff",
        "donor_name": "Боря", "description": "my own words",
    }  # fmt: skip

    given, *opened = await asyncio.gather(
        call(house, "POST", "/donations/", json=wish),
        *(call(house, "POST", "/payments/tbank/init", json=order) for _ in range(3)),
    )
    assert given.status_code == 200, given.text
    donation, payments = given.json(), [answer.json() for answer in opened]
    assert payments[0] == payments[1] == payments[2]
    for url in (donation["payment_url"], payments[0]["payment_url"]):
        assert (await house.http.get(url)).status_code == 200, "the donor gets to the bank's page"

    # The bank knows its own order, and nothing of the program's.
    at_bank = await house.http.get(
        f"{house.stack.simulator_url}/_sim/payments", params={"order_id": payments[0]["payment_id"]}
    )
    [known] = at_bank.json()["payments"]
    story = await house.http.get(f"{house.stack.simulator_url}/_sim/payments/{known['id']}")
    assert payments[0]["payment_id"] in story.text
    assert "my-own-order-7" not in story.text
    assert "my own words" not in story.text

    async def status(payment_id: str) -> str:
        return str((await call(house, "GET", f"/payments/status/{payment_id}")).json()["status"])

    assert await status(donation["payment_id"]) == await status(payments[0]["payment_id"]) == "pending"
    for payment_id, word in ((donation["payment_id"], "completed"), (payments[0]["payment_id"], "failed")):
        answer = await call(house, "POST", "/payments/webhook/test", json={"payment_id": payment_id, "status": word})
        assert answer.json() == {"success": True, "payment_id": payment_id, "status": word}

        async def is_told(payment_id: str = payment_id, word: str = word) -> bool:
            return await status(payment_id) == word

        await until(is_told, f"the payment is {word}")
    checked = (await call(house, "GET", "/payments/tbank/check/my-own-order-7")).json()
    assert (checked["status"], checked["donation_status"]) == ("REJECTED", "failed")

    await house.until_alert(donation["status_url"].removeprefix(house.stack.web_url), "queued")
    assert await house.pool.fetchval("SELECT count(*) FROM alerts") == 1
    unknown = await call(house, "POST", "/payments/webhook/test", json={"payment_id": "0" * 32})
    assert unknown.status_code == 404
