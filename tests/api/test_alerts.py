"""Alert settings and levels of API v1: calls of a client of the first version, checked against its contract."""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import httpx
import jsonschema
import pytest

from domain import media_files
from domain.media_files import Found, Kind
from domain.overlay_tokens import rotate_overlay_token
from domain.streamers import Streamer
from infra.crypto import SecretBox
from tests.api.conftest import contract
from tests.support.pictures import picture
from tests.support.site import Site
from tests.support.sounds import wav

pytestmark = pytest.mark.usefixtures("kept_site")

Add = Callable[..., Awaitable[str]]

ELEMENT = {"id": "e1", "type": "image", "x": 50, "y": 20.5, "zIndex": 3, "width": 300, "borderRadius": 8}
TIER = {"id": "gold", "name": "Золото", "min_amount": 1000, "max_amount": 4999, "text_color": "#FFD700"}


@pytest.fixture
def add(site: Site) -> Add:
    """A streamer's file that was looked at; its address."""

    async def add(streamer: Streamer, kind: Kind = Kind.IMAGE, width: int = 30) -> str:
        raw = wav(width / 100) if kind is Kind.AUDIO else picture("PNG", (width, 20))
        async with site.pool.acquire() as connection, connection.transaction():
            file = await media_files.add_file(connection, streamer.id, kind, f"{width}.file", raw)
            seen = Found(raw, seconds=1.0) if kind is Kind.AUDIO else Found(raw, width=width, height=20, frames=1)
            assert await media_files.finish(connection, file.id, seen)
        return file.url

    return add


def check(path: str, method: str, answer: httpx.Response, body: Any = None) -> Any:
    """The request and the answer fit the contract's schemas."""
    document = contract()
    operation = document["paths"][f"/api/v1{path}"][method]
    if "requestBody" in operation and body is not None:
        [content] = operation["requestBody"]["content"].values()
        fits(body, content["schema"])
    assert str(answer.status_code) in operation["responses"] or answer.status_code in (400, 403, 404), answer.text
    described = operation["responses"].get(str(answer.status_code), {}).get("content", {})
    if "application/json" not in described:
        assert set(answer.json()) == {"detail"}
        return answer.json()
    fits(answer.json(), described["application/json"]["schema"])
    return answer.json()


def fits(value: Any, schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(
        {**schema, "components": contract()["components"]}, format_checker=jsonschema.FormatChecker()
    ).validate(value)


async def put(hers: httpx.AsyncClient, body: Any) -> Any:
    answer = await hers.put("/alerts/", json=body)
    assert answer.status_code == 200, answer.text
    return check("/alerts/", "put", answer, body)


class TestSettings:
    async def test_defaults_have_every_field_of_the_contract(self, hers: httpx.AsyncClient, streamer: Streamer) -> None:
        settings = check("/alerts/", "get", await hers.get("/alerts/"))
        assert set(settings) == set(contract()["components"]["schemas"]["AlertSettings"]["properties"])
        assert set(settings["tiers"][0]) == set(contract()["components"]["schemas"]["AlertTier"]["properties"])
        assert (settings["id"], settings["user_id"]) == (streamer.id, streamer.owner_id)
        assert settings["min_amount_for_alert"] == 10.0
        assert datetime.fromisoformat(settings["created_at"]).tzinfo is not None
        assert (await hers.get("/alerts")).json() == settings, "without the slash, too"

    async def test_only_what_is_named_changes(self, hers: httpx.AsyncClient) -> None:
        before = (await hers.get("/alerts/")).json()
        changes = {
            "alerts_enabled": False,
            "show_anonymous": False,
            "banned_words": "спам\nказино",
            "min_display_time": 3,
            "max_display_time": 20,
            "min_amount_for_alert": 55.5,
            "sound_enabled": False,
            "sound_volume": 0.25,
            "visual_enabled": False,
            "alert_duration": 9,
            "text_color": "#000000",
            "background_color": "#111111",
            "font_size": 30,
            "donation_text_template": "{donor_name}: {amount}",
            "anonymous_text_template": "Кто-то: {amount}",
        }
        after = await put(hers, changes)
        assert after["updated_at"] is not None
        assert set(after["banned_words"].splitlines()) == {"спам", "казино"}
        left = {name: after[name] for name in ("updated_at", "banned_words")}
        assert after == {**before, **changes, **left}

    async def test_null_empties_what_may_be_empty_and_changes_nothing_else(
        self, hers: httpx.AsyncClient, streamer: Streamer, add: Add
    ) -> None:
        sound = await add(streamer, Kind.AUDIO)
        before = await put(hers, {"banned_words": "спам", "sound_file_url": sound, "font_size": 40})
        assert before["sound_file_url"] == sound
        nothing = dict.fromkeys(contract()["components"]["schemas"]["AlertSettingsUpdate"]["properties"])
        after = await put(hers, nothing)
        emptied = {"sound_file_url": None, "min_amount_for_alert": None, "banned_words": ""}
        assert {**after, "updated_at": 0} == {**before, **emptied, "updated_at": 0}

    async def test_levels_come_back_as_they_were_sent(
        self, hers: httpx.AsyncClient, streamer: Streamer, add: Add
    ) -> None:
        picture_url, sound = await add(streamer), await add(streamer, Kind.AUDIO)
        tier = {
            **TIER,
            "gif_urls": [picture_url],
            "sound_file_url": sound,
            "sound_start_time": 0.5,
            "sound_end_time": 2.25,
            "elements": [{**ELEMENT, "imageUrl": picture_url}],
        }
        saved = await put(hers, {"tiers": [tier]})
        [found] = saved["tiers"]
        assert {name: found[name] for name in tier if name != "elements"} == {
            name: value for name, value in tier.items() if name != "elements"
        }
        [element] = found["elements"]
        assert {name: element[name] for name in ELEMENT} == ELEMENT
        assert element["imageUrl"] == picture_url
        assert (await hers.get("/alerts/")).json() == saved
        assert (await put(hers, {"tiers": saved["tiers"]}))["tiers"] == saved["tiers"], "what we give is what we take"

    async def test_reset(self, hers: httpx.AsyncClient) -> None:
        defaults = (await hers.get("/alerts/")).json()
        await put(hers, {"font_size": 99, "tiers": [TIER], "banned_words": "спам", "max_display_time": 60})
        after = check("/alerts/reset", "post", await hers.post("/alerts/reset"))
        assert after == {**defaults, "banned_words": "спам"}, "words of moderation are no looks"

    @pytest.mark.parametrize(
        ("body", "loc"),
        [
            ({"font_size": "large"}, ["body", "font_size"]),
            ({"font_size": 3}, ["body", "font_size"]),
            ({"sound_volume": 1.5}, ["body", "sound_volume"]),
            ({"min_amount_for_alert": 10.001}, ["body", "min_amount_for_alert"]),
            ({"min_amount_for_alert": -1}, ["body", "min_amount_for_alert"]),
            ({"min_display_time": 30, "max_display_time": 20}, ["body", "max_display_time"]),
            ({"text_color": "red;}"}, ["body", "text_color"]),
            ({"tiers": []}, ["body", "tiers"]),
            ({"tiers": [{"id": "a", "name": "b"}]}, ["body", "tiers", 0, "min_amount"]),
            ({"tiers": [{**TIER, "min_amount": 1.5}]}, ["body", "tiers", 0, "min_amount"]),
            ({"tiers": [{**TIER, "max_amount": 1}]}, ["body", "tiers", 0, "max_amount"]),
            ({"tiers": [TIER, TIER]}, ["body", "tiers", 1, "id"]),
            ({"tiers": [{**TIER, "name": "\0"}]}, ["body", "tiers", 0, "name"]),
            ({"tiers": [{**TIER, "gif_urls": ["https://evil.example/a.gif"]}]}, ["body", "tiers", 0, "gif_urls", 0]),
            (
                {"tiers": [{**TIER, "elements": [{**ELEMENT, "imageUrl": "/static/uploads/a.png"}]}]},
                ["body", "tiers", 0, "elements", 0, "imageUrl"],
            ),
            (
                {"tiers": [{**TIER, "elements": [{**ELEMENT, "backgroundColor": "url(x)"}]}]},
                ["body", "tiers", 0, "elements", 0, "backgroundColor"],
            ),
            ({"sound_file_url": "//evil.example/a.mp3"}, ["body", "sound_file_url"]),
        ],
        ids=lambda value: str(value)[:60],
    )
    async def test_what_is_refused_is_named(self, hers: httpx.AsyncClient, body: Any, loc: list[Any]) -> None:
        before = (await hers.get("/alerts/")).json()
        answer = await hers.put("/alerts/", json=body)
        assert answer.status_code == 422, answer.text
        [fault] = check("/alerts/", "put", answer)["detail"]
        assert fault["loc"] == loc
        assert fault["msg"]
        assert (await hers.get("/alerts/")).json() == before

    async def test_only_her_own_files_of_the_right_kind(
        self, hers: httpx.AsyncClient, strangers: httpx.AsyncClient, streamer: Streamer, add: Add
    ) -> None:
        picture_url, sound = await add(streamer), await add(streamer, Kind.AUDIO)
        assert (await strangers.put("/alerts/", json={"sound_file_url": sound})).status_code == 422
        for body in ({"sound_file_url": picture_url}, {"tiers": [{**TIER, "gif_url": sound}]}):
            answer = await hers.put("/alerts/", json=body)
            assert answer.status_code == 422
            assert "kind" in answer.json()["detail"][0]["msg"]
        waiting = await hers.put("/alerts/", json={"sound_file_url": "/static/uploads/" + "0" * 32 + ".mp3"})
        assert waiting.status_code == 422


class TestTiers:
    async def test_a_level_is_added_changed_and_removed(self, hers: httpx.AsyncClient) -> None:
        before = (await hers.get("/alerts/")).json()["tiers"]
        settings = check("/alerts/tier", "post", await hers.post("/alerts/tier"))
        *others, new = settings["tiers"]
        assert others == before
        assert new["min_amount"] > max(tier["min_amount"] for tier in before)
        path = f"/alerts/tier/{new['id']}"
        body = {"name": "Платина", "alert_duration": 12, "elements": [ELEMENT], "max_amount": None, "id": "other"}
        answer = await hers.put(path, json=body)
        assert answer.status_code == 200, answer.text
        changed = check("/alerts/tier/{tier_id}", "put", answer, body)["tiers"][-1]
        assert changed == {
            **new, "name": "Платина", "alert_duration": 12, "elements": changed["elements"],
        }  # fmt: skip
        assert changed["elements"][0]["zIndex"] == 3
        answer = await hers.delete(path)
        assert check("/alerts/tier/{tier_id}", "delete", answer)["tiers"] == before
        assert (await hers.delete(path)).status_code == 404

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"name": None}, "name"),
            ({"name": " "}, "name"),
            ({"alert_duration": "long"}, "alert_duration"),
            ({"max_amount": 1}, "max_amount"),
            ({"animation_type": "explosion"}, "animation_type"),
            ({"sound_file_url": "https://evil.example/a.mp3"}, "sound_file_url"),
        ],
    )
    async def test_garbage(self, hers: httpx.AsyncClient, body: dict[str, Any], field: str) -> None:
        answer = await hers.put("/alerts/tier/ribbon", json=body)
        assert answer.status_code == 422, answer.text
        [fault] = check("/alerts/tier/{tier_id}", "put", answer, body)["detail"]
        assert fault["loc"] == ["body", field]

    async def test_the_last_one_stays(self, hers: httpx.AsyncClient) -> None:
        await put(hers, {"tiers": [TIER]})
        answer = await hers.delete("/alerts/tier/gold")
        assert answer.status_code == 400
        check("/alerts/tier/{tier_id}", "delete", answer)

    async def test_there_are_so_many(self, hers: httpx.AsyncClient) -> None:
        await put(hers, {"tiers": [{**TIER, "id": f"t{number}"} for number in range(20)]})
        assert (await hers.post("/alerts/tier")).status_code == 400

    async def test_pictures_of_a_level(self, hers: httpx.AsyncClient, streamer: Streamer, add: Add) -> None:
        urls = [await add(streamer, width=30 + number) for number in range(11)]
        for url in (urls[0], urls[0], *urls[1:10]):
            answer = await hers.post("/alerts/tier/glow/gif", params={"gif_url": url})
            assert answer.status_code == 200, answer.text
            check("/alerts/tier/{tier_id}/gif", "post", answer)
        assert (await hers.post("/alerts/tier/glow/gif", params={"gif_url": urls[10]})).status_code == 400
        gifs = check("/alerts/tier/{tier_id}/gifs", "get", await hers.get("/alerts/tier/glow/gifs"))
        assert gifs == {
            "tier_id": "glow", "tier_name": "Свечение", "gif_urls": urls[:10], "total_gifs": 10, "max_gifs": 10,
        }  # fmt: skip
        answer = await hers.delete("/alerts/tier/glow/gif", params={"gif_url": urls[0]})
        tiers = check("/alerts/tier/{tier_id}/gif", "delete", answer)["tiers"]
        assert [tier["gif_urls"] for tier in tiers if tier["id"] == "glow"] == [urls[1:10]]
        assert (await hers.delete("/alerts/tier/glow/gif", params={"gif_url": urls[0]})).status_code == 404

    async def test_pictures_that_are_not_hers(
        self, hers: httpx.AsyncClient, strangers: httpx.AsyncClient, streamer: Streamer, add: Add
    ) -> None:
        own = await add(streamer)
        for client, url in (
            (strangers, own),
            (hers, "https://evil.example/a.gif"),
            (hers, await add(streamer, Kind.AUDIO)),
        ):
            answer = await client.post("/alerts/tier/glow/gif", params={"gif_url": url})
            assert answer.status_code == 422
            assert answer.json()["detail"][0]["loc"] == ["query", "gif_url"]
        answer = await hers.post("/alerts/tier/glow/gif")
        assert answer.status_code == 422
        check("/alerts/tier/{tier_id}/gif", "post", answer)

    async def test_a_level_that_is_not_there(self, hers: httpx.AsyncClient, streamer: Streamer, add: Add) -> None:
        url = await add(streamer)
        for method, path, options in (
            ("PUT", "", {"json": {"name": "x"}}),
            ("DELETE", "", {}),
            ("POST", "/gif", {"params": {"gif_url": url}}),
            ("DELETE", "/gif", {"params": {"gif_url": url}}),
            ("GET", "/gifs", {}),
        ):
            answer = await hers.request(method, f"/alerts/tier/none{path}", **options)  # type: ignore[arg-type]
            assert answer.status_code == 404, path
            check("/alerts/tier/{tier_id}" + path, method.lower(), answer)


class TestTestAlerts:
    async def test_a_test_counts_nowhere(self, site: Site, hers: httpx.AsyncClient) -> None:
        for amount in ("150", "150.5", "0.01"):
            answer = await hers.post(f"/alerts/test/{amount}")
            assert check("/alerts/test/{amount}", "post", answer)["message"]
        rows = await site.rows("SELECT kind, amount_minor FROM alerts ORDER BY amount_minor")
        assert rows == [{"kind": "test", "amount_minor": minor} for minor in (1, 15_000, 15_050)]
        assert await site.rows("SELECT 1 FROM donations") == []
        assert await site.rows("SELECT 1 FROM ledger_entries") == []

    @pytest.mark.parametrize("amount", ["0", "-5", "1.001", "NaN", "inf", "1e30", "сто", "%00"])
    async def test_garbage(self, site: Site, hers: httpx.AsyncClient, amount: str) -> None:
        answer = await hers.post(f"/alerts/test/{amount}")
        assert answer.status_code == 422, answer.text
        assert check("/alerts/test/{amount}", "post", answer)["detail"][0]["loc"] == ["path", "amount"]
        assert await site.rows("SELECT 1 FROM alerts") == []


class TestDonationPage:
    async def test_what_it_shows(self, nobody: httpx.AsyncClient, hers: httpx.AsyncClient) -> None:
        saved = await put(hers, {"tiers": [TIER], "alerts_enabled": False})
        shown = check("/alerts/streamer/{donation_url}", "get", await nobody.get("/alerts/streamer/anna"))
        assert shown == {"streamer_name": "Анна", "tiers": saved["tiers"], "alerts_enabled": False}
        answer = await nobody.get("/alerts/streamer/nobody")
        assert answer.status_code == 404
        check("/alerts/streamer/{donation_url}", "get", answer)


class TestWidget:
    @pytest.fixture
    async def token(self, site: Site, streamer: Streamer) -> str:
        box = SecretBox(site.settings.secret_keys.get_secret_value())
        async with site.pool.acquire() as connection, connection.transaction():
            return await rotate_overlay_token(connection, box, streamer.id)

    @pytest.mark.usefixtures("strangers")
    async def test_the_name_is_no_key(self, nobody: httpx.AsyncClient, token: str) -> None:
        opened = await nobody.get("/alerts/widget/anna", params={"token": token})
        assert opened.status_code == 200
        assert opened.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "overlay/overlay.js" in opened.text
        assert token not in opened.text
        for name, wrong in (("anna", ""), ("anna", "wrong"), ("boris", token), ("nobody", token), ("anna", "\0")):
            answer = await nobody.get(f"/alerts/widget/{name}", params={"token": wrong})
            assert answer.status_code == 200
            assert "overlay/overlay.js" not in answer.text
            assert "overlay/moved.js" in answer.text

    async def test_a_revoked_key_opens_nothing(
        self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer, token: str
    ) -> None:
        box = SecretBox(site.settings.secret_keys.get_secret_value())
        async with site.pool.acquire() as connection, connection.transaction():
            await rotate_overlay_token(connection, box, streamer.id)
        answer = await nobody.get("/alerts/widget/anna", params={"token": token})
        assert "overlay/moved.js" in answer.text


async def test_who_has_no_page_reads_what_one_begins_with(
    operators: httpx.AsyncClient, hers: httpx.AsyncClient
) -> None:
    """The first version made settings as somebody registered."""
    read = check("/alerts/", "get", await operators.get("/alerts/"))
    begun = check("/alerts/", "get", await hers.get("/alerts/"))
    own = ("id", "user_id", "created_at")
    assert {**read, **{name: begun[name] for name in own}} == begun
    assert read["user_id"] == (await operators.get("/users/me")).json()["id"]


async def test_everything_else_needs_a_caller_and_a_page(
    nobody: httpx.AsyncClient, operators: httpx.AsyncClient
) -> None:
    """An operator has no page of her own; the public two are the others'."""
    public = {"/api/v1/alerts/widget/{donation_url}", "/api/v1/alerts/streamer/{donation_url}"}
    for path, operations in contract()["paths"].items():
        if not path.startswith("/api/v1/alerts/") or path in public:
            continue
        address = re.sub(r"\{amount\}", "5", re.sub(r"\{tier_id\}", "glow", path)).removeprefix("/api/v1")
        for method, operation in operations.items():
            options: dict[str, Any] = {}
            options["params"] = {
                one["name"]: "/static/uploads/x"
                for one in operation.get("parameters", ())
                if one["in"] == "query" and one["required"]
            }
            if "upload/" in path and method == "post":
                options["files"] = {"file": ("a.png", picture("PNG"))}
            elif "requestBody" in operation:
                options["json"] = {}
            assert (await nobody.request(method, address, **options)).status_code == 403, address
            if (method, address) == ("get", "/alerts/"):
                continue
            answer = await operators.request(method, address, **options)
            assert answer.status_code == 404, address
            assert set(answer.json()) == {"detail"}
            assert "POST /api/v1/streamers/" in answer.json()["detail"]
