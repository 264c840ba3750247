"""REST API v1, walked: every operation of the first version's document, called with real data while all programs run.

What is sent and what is answered is held against the document's schemas; nothing is exempt. The table of the walk is
printed at its end.
"""

import asyncio
import io
import json
import re
import wave
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from providers.tbank.signing import sign
from tests.api.conftest import contract
from tests.e2e.conftest import House

NEWCOMER, NEW_PASSWORD = "vera@example.org", "кот на тёплой крыше"


class Walk:
    """Calls operations of the document, and remembers which."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.document = contract()
        self.checked: dict[tuple[str, str], list[int]] = {}
        self.tokens: dict[str, str] = {}

    async def call(
        self,
        method: str,
        template: str,
        *,
        who: str | None = None,
        path: dict[str, Any] | None = None,
        expect: int = 200,
        **options: Any,
    ) -> Any:
        """What it answers, JSON or text, after both sides were held against the document."""
        operation = self.document["paths"][f"/api/v1{template}"][method.lower()]
        self._check_request(operation, options, path or {})
        url = f"{self.house.stack.web_url}/api/v1{template.format_map(path or {})}"
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}
        headers |= options.pop("headers", {})
        answer = await self.house.http.request(method, url, headers=headers, **options)
        place = f"{method} {template} → {answer.status_code} {answer.text[:300]}"
        assert answer.status_code == expect, place
        self.checked.setdefault((method.upper(), f"/api/v1{template}"), []).append(answer.status_code)
        content_type = answer.headers["Content-Type"].partition(";")[0]
        value = answer.json() if content_type.endswith("json") else answer.text
        said = operation["responses"].get(str(expect), {}).get("content", {})
        schema = said.get("application/json", said.get("text/html", {})).get("schema")
        if schema:
            self._fits(value, schema, place)
        return value if content_type != "audio/mpeg" else answer.content

    def _check_request(self, operation: dict[str, Any], options: dict[str, Any], path: dict[str, Any]) -> None:
        for kind, body in (("application/json", options.get("json")), (FORM, options.get("data"))):
            content = operation.get("requestBody", {}).get("content", {})
            if body is not None and kind in content:
                self._fits(body, content[kind]["schema"], "the request")
        given = {**(options.get("params") or {}), **path}
        for parameter in operation.get("parameters", ()):
            if parameter["name"] in given:
                self._fits(given[parameter["name"]], parameter["schema"], f"parameter {parameter['name']}")
            else:
                assert not parameter.get("required"), f"parameter {parameter['name']} is required"

    def _fits(self, value: Any, schema: dict[str, Any], place: str) -> None:
        whole = {**schema, "components": self.document["components"]}
        faults = [fault.message for fault in Draft202012Validator(whole).iter_errors(value)]
        assert faults == [], f"{place}: {faults}"

    async def sign_in(self, who: str, email: str, password: str) -> None:
        answer = await self.call("POST", "/auth/login", data={"username": email, "password": password})
        assert answer["token_type"] == "bearer"
        self.tokens[who] = answer["access_token"]

    def left_out(self) -> set[tuple[str, str]]:
        everything = {
            (method.upper(), path) for path, operations in self.document["paths"].items() for method in operations
        }
        return everything - self.checked.keys()

    def table(self) -> str:
        rows = [f"{method:7} {path:52} {statuses}" for (method, path), statuses in sorted(self.checked.items())]
        return "\n".join([*rows, f"{len(self.checked)} operations, each answer and request checked"])


FORM = "application/x-www-form-urlencoded"


async def code_to(house: House, address: str, *, after: int = 0) -> tuple[str, int]:
    """The code in the newest letter to an address, and how many letters came to it."""
    for _ in range(300):
        answer = await house.http.get(f"{house.stack.simulator_url}/_sim/mailbox", params={"to": address})
        letters = answer.json()["letters"]
        if len(letters) > after:
            found = re.search(r"^ +([0-9A-Z-]{6,9})$", letters[0]["text"], re.MULTILINE)
            if found is not None:
                return found[1], len(letters)
        await asyncio.sleep(0.1)
    raise AssertionError(f"no letter with a code came to {address}: {letters}")


def a_picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "#2f66ff").save(file, "PNG")
    return file.getvalue()


def a_sound(seconds: float = 1.5) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8_000)
        sound.writeframes(b"\x00\x10" * int(8_000 * seconds))
    return file.getvalue()


@pytest.mark.timeout(300)
async def test_every_operation_of_the_first_version(house: House) -> None:
    walk = Walk(house)
    await walk.sign_in("streamer", house.login, house.password)
    boss = await house.pool.fetchval("UPDATE users SET is_superuser = true WHERE email = $1 RETURNING id", house.login)
    for part in (walk_accounts, walk_streamers, walk_money, walk_notifications, walk_alerts):
        await part(walk, boss)
    print("\n" + walk.table())
    assert walk.left_out() == set()


async def walk_accounts(walk: Walk, boss: int) -> None:
    house = walk.house
    new = {"email": NEWCOMER, "username": "vera", "password": NEW_PASSWORD, "full_name": "Вера", "is_streamer": True}
    vera = await walk.call("POST", "/auth/register", json=new)
    assert (vera["email"], vera["username"], vera["email_verified"]) == (NEWCOMER, "vera", False)
    code, letters = await code_to(house, NEWCOMER)
    # Who signs in before the code is sent one more.
    refused = await walk.call("POST", "/auth/login", data={"username": NEWCOMER, "password": NEW_PASSWORD}, expect=400)
    assert refused["detail"] == "Email not verified. New verification code sent to your email."
    await walk.call("POST", "/auth/resend-verification", json={"email": "nobody@example.org"})
    code, letters = await code_to(house, NEWCOMER, after=letters)
    await walk.call("POST", "/auth/verify-email", json={"email": NEWCOMER, "code": code})
    await walk.sign_in("vera", NEWCOMER, NEW_PASSWORD)
    assert (await walk.call("POST", "/auth/test-token", who="vera"))["id"] == vera["id"]

    await walk.call("POST", "/auth/forgot-password", json={"email": NEWCOMER})
    code, _ = await code_to(house, NEWCOMER, after=letters)
    reset = {"email": NEWCOMER, "code": code, "new_password": "другой кот на той же крыше"}
    await walk.call("POST", "/auth/reset-password", json=reset)
    # What was signed before another password is nobody's.
    await walk.call("GET", "/users/me", who="vera", expect=403)
    await walk.sign_in("vera", NEWCOMER, reset["new_password"])

    assert (await walk.call("GET", "/users/me", who="vera"))["email"] == NEWCOMER
    changed = await walk.call("PUT", "/users/me", who="vera", json={"full_name": "Вера К."})
    assert changed["full_name"] == "Вера К."
    everybody = await walk.call("GET", "/users/", who="streamer", params={"skip": 0, "limit": 100})
    assert {vera["id"], boss} <= {user["id"] for user in everybody}
    await walk.call("GET", "/users/", who="vera", expect=400)
    made = {"email": "glafira@example.org", "username": "glafira", "password": NEW_PASSWORD}
    glafira = await walk.call("POST", "/users/", who="streamer", json=made)
    assert (await walk.call("GET", "/users/{user_id}", who="streamer", path={"user_id": glafira["id"]})) == glafira
    stopped = await walk.call(
        "PUT", "/users/{user_id}", who="streamer", path={"user_id": glafira["id"]}, json={"is_active": False}
    )
    assert stopped["is_active"] is False


async def walk_streamers(walk: Walk, boss: int) -> None:
    me = await walk.call("GET", "/streamers/me", who="streamer")
    assert me["user_id"] == boss
    changed = await walk.call("PUT", "/streamers/me", who="streamer", json={"min_donation_amount": 15.5})
    assert changed["min_donation_amount"] == 15.5
    vera = (await walk.call("GET", "/users/me", who="vera"))["id"]
    hers = await walk.call("POST", "/streamers/", who="vera", json={"display_name": "Вера", "user_id": vera})
    assert hers["user_id"] == vera
    for answer in (
        await walk.call("GET", "/streamers/{streamer_id}", path={"streamer_id": me["id"]}),
        await walk.call("GET", "/streamers/url/{donation_url}", path={"donation_url": me["donation_url"]}),
    ):
        assert answer["id"] == me["id"]
        assert (answer["widget_settings"], answer["alert_settings"], answer["payment_settings"]) == (None, None, None)
    await walk.call("GET", "/streamers/", params={"skip": 0, "limit": 10})
    await walk.call("GET", "/streamers/featured", params={"limit": 10})


async def walk_money(walk: Walk, boss: int) -> None:
    house = walk.house
    wish = {
        "amount": 150.5, "recipient_id": boss, "payment_method": "tbank", "message": "Привет", "donor_name": "Аня",
    }  # fmt: skip
    donation = await walk.call("POST", "/donations/", json=wish)
    assert (donation["amount"], donation["status"], donation["is_alert_shown"]) == (150.5, "pending", False)
    assert donation["payment_url"] == donation["confirmation_url"]
    told = await walk.call("GET", "/payments/status/{payment_id}", path={"payment_id": donation["payment_id"]})
    assert told["status"]

    streamer = await walk.call("GET", "/streamers/me", who="streamer")
    order = {"amount": 300, "order_id": "order-1", "payment_method": "tbank", "streamer_id": streamer["id"]}
    opened = await walk.call("POST", "/payments/init", json={**order, "order_id": "order-2"})
    assert opened["success"] is True
    opened = await walk.call(
        "POST", "/payments/tbank/init", json={**order, "donor_name": "Борис", "message": "Удачи", "is_anonymous": False}
    )
    assert (opened["order_id"], opened["amount"], "token" in opened) == ("order-1", 300, False)
    assert (await walk.call("GET", "/payments/tbank/check/{order_id}", path={"order_id": "order-1"}))["status"]
    waiting = await walk.call("GET", "/payments/pending-payments", who="streamer")
    assert waiting["count"] == len(waiting["donations"]) == 3
    assert (await walk.call("POST", "/payments/check-pending", who="streamer"))["success"] is True

    await house.act(await _payment(house, donation["id"]), "pay")
    await _until_completed(walk, donation["id"])
    paid = await walk.call("GET", "/donations/{donation_id}", who="streamer", path={"donation_id": donation["id"]})
    assert (paid["status"], paid["donor_name"], paid["message"]) == ("completed", "Аня", "Привет")
    params: dict[str, Any] = {"recipient_id": boss, "status": "completed", "min_amount": 100.0, "limit": 10}
    listed = await walk.call("GET", "/donations/", who="streamer", params=params)
    assert [line["id"] for line in listed] == [donation["id"]]
    await walk.call("GET", "/donations/my", who="streamer", params={"limit": 10})
    stats = await walk.call("GET", "/donations/stats/{user_id}", who="streamer", path={"user_id": boss})
    assert (stats["total_amount"], stats["total_count"], stats["today_count"]) == (150.5, 1, 1)


async def _payment(house: House, donation_id: int) -> Any:
    return await house.pool.fetchrow("SELECT * FROM payments WHERE donation_id = $1", donation_id)


async def _until_completed(walk: Walk, donation_id: int) -> None:
    for _ in range(300):
        path = {"donation_id": donation_id}
        donation = await walk.call("GET", "/donations/{donation_id}", who="streamer", path=path)
        if donation["status"] == "completed":
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the donation is not paid")


async def walk_notifications(walk: Walk, _boss: int) -> None:
    """A bank's addresses; what a bank really sends there is tested beside each provider."""
    assert await walk.call("GET", "/payments/webhook/tbank")
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS"):
        await walk.call(method, "/payments/webhook/tbank")
    await walk.call("OPTIONS", "/payments/webhook/test")
    payment = await walk.house.pool.fetchrow(
        "SELECT payments.* FROM payments JOIN donations ON donations.id = payments.donation_id"
        " WHERE donations.status = 'pending' ORDER BY payments.id LIMIT 1"
    )
    assert payment is not None
    told = {
        "event": "payment.succeeded",
        "object": {"id": "2d000000-000f-5000-8000-000000000000"},
        "type": "notification",
    }
    await walk.call("POST", "/payments/webhook/yookassa", json=told)
    for name in ("tbank", "tinkoff"):
        body = _signed_notification(payment)
        assert await walk.call("POST", f"/payments/webhook/{name}", content=body) == "OK"
    waiting = await walk.call("GET", "/payments/pending-payments", who="streamer")
    await walk.call("POST", "/payments/webhook/test", json={"payment_id": waiting["donations"][0]["payment_id"]})


def _signed_notification(payment: Any) -> bytes:
    """What the bank would say of this payment: nothing happened yet."""
    fields: dict[str, Any] = {
        "TerminalKey": "TinkoffBankTest", "OrderId": payment["order_id"], "Success": True, "Status": "NEW",
        "PaymentId": int(payment["provider_payment_id"]), "ErrorCode": "0", "Amount": payment["amount_minor"],
    }  # fmt: skip
    return json.dumps({**fields, "Token": sign(fields, "TinkoffBankTest")}).encode()


async def walk_alerts(walk: Walk, _boss: int) -> None:
    before = await walk.call("GET", "/alerts/", who="streamer")
    changed = await walk.call("PUT", "/alerts/", who="streamer", json={"min_display_time": 3, "show_anonymous": False})
    assert (changed["id"], changed["min_display_time"], changed["show_anonymous"]) == (before["id"], 3, False)
    more = await walk.call("POST", "/alerts/tier", who="streamer")
    assert len(more["tiers"]) == len(changed["tiers"]) + 1
    tier = {"tier_id": more["tiers"][-1]["id"]}
    named = await walk.call("PUT", "/alerts/tier/{tier_id}", who="streamer", path=tier, json={"name": "Кит"})
    assert named["tiers"][-1]["name"] == "Кит"

    files = {"file": ("cat.png", a_picture(), "image/png")}
    picture = await walk.call("POST", "/alerts/upload/image", who="streamer", files=files)
    assert picture["file_url"].startswith("/static/uploads/")
    files = {"file": ("meow.wav", a_sound(), "audio/wav")}
    sound = await walk.call("POST", "/alerts/upload/audio", who="streamer", files=files)
    params: dict[str, Any] = {"file_url": sound["file_url"], "start_time": 0.2, "end_time": 1.0}
    preview = await walk.call("POST", "/alerts/preview-audio", who="streamer", params=params)
    assert len(preview) > 100
    gif = {"gif_url": picture["file_url"]}
    with_gif = await walk.call("POST", "/alerts/tier/{tier_id}/gif", who="streamer", path=tier, params=gif)
    assert with_gif["tiers"][-1]["gif_urls"] == [picture["file_url"]]
    listed = await walk.call("GET", "/alerts/tier/{tier_id}/gifs", who="streamer", path=tier)
    assert (listed["gif_urls"], listed["total_gifs"], listed["max_gifs"]) == ([picture["file_url"]], 1, 10)
    assert await walk.call("GET", "/alerts/upload/files", who="streamer")
    await walk.call("DELETE", "/alerts/tier/{tier_id}/gif", who="streamer", path=tier, params=gif)
    await walk.call("DELETE", "/alerts/upload/file", who="streamer", params={"file_url": picture["file_url"]})
    await walk.call("DELETE", "/alerts/tier/{tier_id}", who="streamer", path=tier)

    await walk.call("POST", "/alerts/test/{amount}", who="streamer", path={"amount": 500})
    url = {"donation_url": walk.house.slug}
    shown = await walk.call("GET", "/alerts/streamer/{donation_url}", path=url)
    assert shown["streamer_name"]
    assert "<html" in await walk.call("GET", "/alerts/widget/{donation_url}", path=url)
    await walk.call("POST", "/alerts/reset", who="streamer")
