"""Keys of the API as the streamer makes and revokes them; her own applications; what a new password does to both."""

import re

import httpx
import pytest
from cryptography.fernet import Fernet

from domain.access_tokens import MAX_KEYS
from domain.applications import MAX_APPLICATIONS
from domain.overlay_tokens import find_overlay_token, rotate_overlay_token
from domain.streamers import Streamer
from domain.users import create_user, reset_password_hash
from infra.crypto import SecretBox
from tests.support.site import Site
from tests.web.conftest import PASSWORD, signed_in
from tests.web.oauth_cast import Program, code_from, opens, register
from tests.web.post import open_post

KEY = re.compile(r"sc_[\w-]{43}")
SECRET = re.compile(r"scs_[\w-]{43}")
FIELDS = {"name": "Чат-бот", "scopes": ["donations:read", "goals:write"], "days": "30", "password": PASSWORD}
APPLICATION = {
    "name": "Лисий бот",
    "site_url": "https://fox.example.org",
    "redirect_uris": "https://fox.example.org/back\nhttp://127.0.0.1/back",
    "kind": "confidential",
}


@pytest.fixture
async def site(kept_site: Site) -> Site:
    return kept_site


async def make(her: httpx.AsyncClient, **fields: object) -> str:
    """A key, as the page shows it once."""
    answer = await her.post("/dashboard/api/keys", data={**FIELDS, **fields})
    assert answer.status_code == 303, answer.text
    (key,) = set(KEY.findall((await her.get("/dashboard/api")).text))
    return str(key)


class TestKeys:
    async def test_from_none_to_a_revoked_one(self, site: Site, her: httpx.AsyncClient) -> None:
        assert "No keys yet" in (await her.get("/dashboard/api")).text
        key = await make(her)
        assert await opens(site, key)
        copied = await her.post("/dashboard/api/keys/new")
        assert copied.json() == {"address": key}
        page = (await her.get("/dashboard/api")).text
        for words in ("Чат-бот", f'sc_…<span class="private">{key[-4:]}', "Read donations · Change goals", "last used"):
            assert words in page
        assert (await her.post("/dashboard/api/keys/hide")).status_code == 303
        assert key not in (await her.get("/dashboard/api")).text
        assert (await her.post("/dashboard/api/keys/new")).status_code == 410
        key_id = await site.pool.fetchval("SELECT id FROM access_tokens")
        answer = await her.post(f"/dashboard/api/keys/{key_id}/revoke")
        assert answer.headers["Location"].endswith("said=key-revoked")
        assert not await opens(site, key)
        assert "No keys yet" in (await her.get("/dashboard/api")).text
        assert (await her.post(f"/dashboard/api/keys/{key_id}/revoke")).status_code == 404

    async def test_another_browser_does_not_see_it(
        self, site: Site, her: httpx.AsyncClient, stranger: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        key = await make(her)
        async with signed_in(site, f"{streamer.slug}@example.org") as phone:
            page = (await phone.get("/dashboard/api")).text
            assert "Чат-бот" in page
            assert key not in page
        # The cookie of hers in another's browser shows nothing either.
        stranger.cookies.update({name: value for name, value in her.cookies.items() if "session" not in name})
        assert key not in (await stranger.get("/dashboard/api")).text
        assert (await stranger.post("/dashboard/api/keys/new")).status_code == 410

    async def test_what_makes_no_key(self, site: Site, her: httpx.AsyncClient) -> None:
        cases: tuple[tuple[dict[str, object], str], ...] = (
            ({"name": " \u200b"}, "Give it a name"),
            ({"name": "x" * 61}, "remove 1"),
            ({"scopes": []}, "Choose at least one"),
            ({"scopes": ["donations:read", "money:take"]}, "Choose at least one"),
            ({"password": ""}, "Enter your password"),
            ({"password": "wrong"}, "This is not your password"),
            ({"days": "7"}, ""),
            ({"days": ""}, ""),
        )
        for fields, words in cases:
            answer = await her.post("/dashboard/api/keys", data={**FIELDS, **fields})
            assert (answer.status_code, words in answer.text) == (422, True), fields
        assert await site.rows("SELECT * FROM access_tokens") == []

    async def test_what_was_typed_stays(self, her: httpx.AsyncClient) -> None:
        page = (await her.post("/dashboard/api/keys", data={**FIELDS, "password": "wrong"})).text
        assert 'value="Чат-бот"' in page
        assert re.search(r'value="goals:write" checked', page)
        assert not re.search(r'value="stats:read" checked', page)

    async def test_who_has_no_password_must_have_signed_in_just_now(
        self, site: Site, her: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        await site.pool.execute("UPDATE users SET password_hash = '' WHERE id = $1", streamer.owner_id)
        await make(her, password="")
        await site.pool.execute("UPDATE sessions SET created_at = now() - interval '16 minutes'")
        answer = await her.post("/dashboard/api/keys", data={**FIELDS, "password": ""})
        assert (answer.status_code, "sign out and in again" in answer.text) == (422, True)

    async def test_an_operator_revokes_and_makes_none(
        self, site: Site, her: httpx.AsyncClient, boss: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        key = await make(her)
        page = (await boss.get("/dashboard/api?streamer=anna")).text
        assert "Only the page's owner makes keys" in page
        assert key not in page
        assert (await boss.post("/dashboard/api/keys?streamer=anna", data=FIELDS)).status_code == 422
        key_id = await site.pool.fetchval("SELECT id FROM access_tokens")
        assert (await boss.post(f"/dashboard/api/keys/{key_id}/revoke?streamer=anna")).status_code == 303
        assert not await opens(site, key)
        (line,) = await site.rows("SELECT user_id, by_user_id FROM account_log WHERE action = 'key_revoked'")
        assert line["user_id"] == streamer.owner_id != line["by_user_id"]

    async def test_there_is_a_limit(self, site: Site, her: httpx.AsyncClient, streamer: Streamer) -> None:
        await site.pool.execute(
            "INSERT INTO access_tokens (user_id, streamer_id, name, token_hash, hint, scopes) SELECT $1, $2, 'x',"
            " sha256(n::text::bytea), 'abcd', '{stats:read}' FROM generate_series(1, $3) AS n",
            streamer.owner_id, streamer.id, MAX_KEYS,
        )  # fmt: skip
        answer = await her.post("/dashboard/api/keys", data=FIELDS)
        assert (answer.status_code, f"at most {MAX_KEYS}" in answer.text) == (422, True)

    async def test_on_air_no_page_holds_it(self, her: httpx.AsyncClient) -> None:
        key = await make(her)
        await her.post("/dashboard/on-air", data={"on": "yes"})
        page = (await her.get("/dashboard/api")).text
        assert key not in page
        assert key[-4:] not in page


@pytest.fixture
async def kept(site: Site, her: httpx.AsyncClient) -> tuple[str, str]:
    """A key of hers, and what an application of a stranger's was given."""
    other = await site.add_streamer("viktor", "Виктор")
    program: Program = await register(site, other, is_public=True)
    return await make(her), (await program.given(her))["access_token"]


class TestPasswords:
    CHANGE = {"old_password": PASSWORD, "new_password": "another horse battery"}  # noqa: RUF012

    async def test_a_changed_password_leaves_them_unless_asked(
        self, site: Site, her: httpx.AsyncClient, kept: tuple[str, str]
    ) -> None:
        assert "Also revoke keys" in (await her.get("/account")).text
        assert (await her.post("/account/password", data=self.CHANGE)).status_code == 303
        await her.post("/account/sessions/end-others")
        assert [await opens(site, token) for token in kept] == [True, True]

    async def test_and_revokes_them_when_asked(self, site: Site, her: httpx.AsyncClient, kept: tuple[str, str]) -> None:
        assert (await her.post("/account/password", data={**self.CHANGE, "revoke_keys": "yes"})).status_code == 303
        assert [await opens(site, token) for token in kept] == [False, False]
        assert "Also revoke keys" not in (await her.get("/account")).text

    async def test_a_password_set_by_a_letter_ends_them(
        self, site: Site, streamer: Streamer, kept: tuple[str, str]
    ) -> None:
        async with site.pool.acquire() as connection, connection.transaction():
            overlay = await rotate_overlay_token(connection, SecretBox(Fernet.generate_key().decode()), streamer.id)
            await reset_password_hash(connection, streamer.owner_id, "x")
            # The overlay is no way into the account, and may be on stream.
            found = await find_overlay_token(connection, overlay)
            assert found is not None
            assert not found.revoked
        assert [await opens(site, token) for token in kept] == [False, False]


class TestApplications:
    async def test_who_makes_one_needs_no_page(self, site: Site) -> None:
        async with site.pool.acquire() as connection:
            await create_user(connection, "maker@example.org", PASSWORD)
        async with signed_in(site, "maker@example.org") as maker:
            page = (await maker.get("/dashboard/applications")).text
            assert "No applications yet" in page
            # Nothing else leads there.
            assert '<a href="/dashboard/applications" aria-current="page">' in page
            assert '<a href="/dashboard/applications">' in (await maker.get("/account")).text
            assert (await maker.post("/dashboard/applications", data=APPLICATION)).status_code == 303
            assert "Лисий бот" in (await maker.get("/dashboard/applications")).text

    async def test_from_registering_to_deleting(
        self, site: Site, her: httpx.AsyncClient, stranger: httpx.AsyncClient
    ) -> None:
        assert '<a href="/dashboard/applications">' not in (await her.get("/account")).text
        answer = await her.post("/dashboard/applications", data=APPLICATION)
        assert answer.status_code == 303
        page = (await her.get("/dashboard/applications")).text
        (secret,) = set(SECRET.findall(page))
        (client_id,) = set(re.findall(r"app_[\w-]{22}", page))
        assert (await her.post("/dashboard/applications/new")).json() == {"address": secret}
        assert "Nobody has allowed it yet" in page
        (row,) = await site.rows("SELECT * FROM applications")
        assert row["redirect_uris"] == ["https://fox.example.org/back", "http://127.0.0.1/back"]
        assert secret not in str(row)
        program = Program(site, row["id"], client_id, secret)
        back = "https://fox.example.org/back"
        exchanged = await program.exchange(await code_from(stranger, program, redirect_uri=back), redirect_uri=back)
        assert exchanged.status_code == 200
        assert "1 person has allowed it" in (await her.get("/dashboard/applications")).text

        path = f"/dashboard/applications/{row['id']}"
        for wrong in ("", "wrong"):
            assert (await her.post(f"{path}/secret", data={"password": wrong})).status_code == 422
        assert (await her.post(f"{path}/secret", data={"password": PASSWORD})).status_code == 303
        (other,) = set(SECRET.findall((await her.get("/dashboard/applications")).text))
        assert other != secret
        refresh_token = exchanged.json()["refresh_token"]
        assert (await program.refresh(refresh_token)).json()["error"] == "invalid_client"
        assert (await program.refresh(refresh_token, client_secret=other)).status_code == 200

        changed = {**APPLICATION, "name": "Хитрый бот", "redirect_uris": "org.example.fox:/back"}
        assert (await her.post(path, data=changed)).status_code == 303
        assert (await stranger.get(program.address(redirect_uri=back))).status_code == 400
        assert (await stranger.get(program.address(redirect_uri="org.example.fox:/back"))).status_code == 200

        assert (await her.post(f"{path}/delete")).status_code == 303
        assert await site.rows("SELECT * FROM grants") == []
        assert not await opens(site, exchanged.json()["access_token"])
        assert (await her.post(f"{path}/delete")).headers["Location"].endswith("said=nothing-to-do")

    async def test_anothers_is_nobodys(self, site: Site, her: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
        await her.post("/dashboard/applications", data=APPLICATION)
        before = await site.rows("SELECT * FROM applications")
        path = f"/dashboard/applications/{before[0]['id']}"
        assert "Лисий бот" not in (await stranger.get("/dashboard/applications")).text
        assert (await stranger.post(path, data=APPLICATION)).status_code == 404
        assert (await stranger.post(f"{path}/secret", data={"password": PASSWORD})).status_code == 404
        await stranger.post(f"{path}/delete")
        assert await site.rows("SELECT * FROM applications") == before

    async def test_a_public_one_has_no_secret(self, site: Site, her: httpx.AsyncClient) -> None:
        await her.post("/dashboard/applications", data={**APPLICATION, "kind": "public"})
        page = (await her.get("/dashboard/applications")).text
        assert SECRET.findall(page) == []
        assert (await her.post("/dashboard/applications/new")).status_code == 410
        path = f"/dashboard/applications/{await site.pool.fetchval('SELECT id FROM applications')}"
        assert (await her.post(f"{path}/secret", data={"password": PASSWORD})).status_code == 404

    async def test_what_is_no_application(self, site: Site, her: httpx.AsyncClient) -> None:
        cases = (
            ({"name": ""}, "Give it a name"),
            ({"name": "x" * 61}, "remove 1"),
            ({"site_url": ""}, "not the address of a site"),
            ({"site_url": "http://fox.example.org"}, "must begin with https"),
            ({"site_url": "javascript:alert(1)"}, "not the address of a site"),
            ({"redirect_uris": " \n "}, "At least one address"),
            ({"redirect_uris": "\n".join(f"https://fox.example.org/{n}" for n in range(11))}, "At most 10 addresses"),
            ({"redirect_uris": "https://fox.example.org/" + "x" * 500}, "longer than 500"),
            *(
                ({"redirect_uris": f"https://fox.example.org/back {uri}"}, uri.replace("'", "&#39;"))
                for uri in (
                    "http://fox.example.org/back",
                    "http://127.0.0.1.evil.example/back",
                    "http://127.0.0.2/back",
                    "https://",
                    "https:///back",
                    "https://fox.example.org/back#x",
                    "https://anna@fox.example.org/back",
                    "https://fox.example.org:99999/back",
                    "https://fox.example.org\\back",
                    "https://лиса.рф/back",
                    "fox:/back",
                    "javascript:alert(1)",
                    "data:text/html,x",
                    "file:///etc/passwd",
                    "back",
                    "*",
                )
            ),
        )
        for fields, words in cases:
            answer = await her.post("/dashboard/applications", data={**APPLICATION, **fields})
            assert (answer.status_code, words in answer.text) == (422, True), fields
        assert await site.rows("SELECT * FROM applications") == []

    async def test_there_is_a_limit(self, site: Site, her: httpx.AsyncClient, streamer: Streamer) -> None:
        for _ in range(MAX_APPLICATIONS):
            await register(site, streamer)
        answer = await her.post("/dashboard/applications", data=APPLICATION)
        assert (answer.status_code, f"at most {MAX_APPLICATIONS}" in answer.text) == (422, True)


class TestLetters:
    async def test_she_is_told_of_a_new_key_and_of_an_application(
        self, fresh_database_url: str, redis_url: str
    ) -> None:
        """In words that no stranger chose, and without anything that opens something."""
        async with open_post(fresh_database_url, redis_url) as post:
            await post.site.add_streamer()
            program = await register(post.site, await post.site.add_streamer("boris"), name="Смотри evil.example")
            async with signed_in(post.site, "anna@example.org") as her:
                key = await make(her)
                tokens = await program.given(her)
                application, made = await post.letters_to("anna@example.org")
            assert f"…{key[-4:]}" in made.text
            assert "bot.example.org" in application.text
            for letter in (application, made):
                assert "/dashboard/api" in letter.text
                for secret in (key, tokens["access_token"], tokens["refresh_token"], "evil.example", "Чат-бот"):
                    assert secret not in letter.subject + letter.text
