"""People of API v1: oneself, and for superusers everybody."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from domain.users import create_user, get_token_holder
from infra.crypto import SecretBox
from infra.jwt import issue_jwt
from tests.api.accounts import ANNA, OTHER_PASSWORD, add
from tests.api.conftest import calling, jwt_of
from tests.api.fits import call
from tests.api.races import at_once
from tests.web.post import PASSWORD, Post
from web.sessions import FRESH_SECONDS

BORIS = "boris@example.org"
ME = ("GET", "/users/me")
CHANGE_ME = ("PUT", "/users/me")
LIST = ("GET", "/users/")
MAKE = ("POST", "/users/")
SHOW = ("GET", "/users/{user_id}")
CHANGE = ("PUT", "/users/{user_id}")
NO_RIGHT = "The user doesn't have enough privileges"
SECRETS = ("argon2", "password", "token", "code", "hash")


@pytest.fixture
async def anna(post: Post) -> int:
    return await add(post, ANNA)


@pytest.fixture
async def hers(post: Post, anna: int) -> AsyncIterator[httpx.AsyncClient]:
    """Anna's program, which has just signed in."""
    async with calling(post.site, await jwt_of(post.site, anna)) as client:
        yield client


@pytest.fixture
async def hers_of_yesterday(post: Post, anna: int, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """Her program, whose sign-in is a while ago: as good for everything but what would keep her out."""
    async with post.site.pool.acquire() as connection:
        holder = await get_token_holder(connection, anna)
    assert holder is not None
    with monkeypatch.context() as patch:
        begun = time.time()
        patch.setattr("infra.jwt.time.time", lambda: begun - FRESH_SECONDS - 1)
        box = SecretBox(post.site.settings.secret_keys.get_secret_value())
        token = issue_jwt(box, anna, holder.token_version, lifetime_seconds=24 * 3600)
    async with calling(post.site, token) as client:
        yield client


@pytest.fixture
async def root(post: Post) -> int:
    return await add(post, "root@example.org", is_superuser=True)


@pytest.fixture
async def operators(post: Post, root: int) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(post.site, await jwt_of(post.site, root)) as client:
        yield client


class TestOneself:
    async def test_who_never_said_anything_of_herself(self, hers: httpx.AsyncClient, anna: int) -> None:
        me = await call(hers, *ME, 200)
        assert (me["id"], me["email"], me["username"], me["is_streamer"]) == (anna, ANNA, f"user{anna}", False)
        assert (me["full_name"], me["avatar_url"], me["bio"], me["updated_at"]) == (None, None, None, None)
        assert set(me) == {
            "id", "email", "username", "full_name", "is_active", "is_streamer", "avatar_url", "bio", "email_verified",
            "created_at", "updated_at",
        }  # fmt: skip

    async def test_who_has_a_page_is_a_streamer(self, hers: httpx.AsyncClient, anna: int) -> None:
        await call(hers, "POST", "/streamers/", 200, json={"display_name": "Анна", "user_id": anna})
        assert (await call(hers, *ME, 200))["is_streamer"] is True

    async def test_what_she_says_stays_and_the_rest_as_well(self, hers: httpx.AsyncClient) -> None:
        said = {"full_name": "Анна С.", "username": "Аня", "avatar_url": "https://example.org/a.png", "bio": "Раз\nдва"}
        changed = await call(hers, *CHANGE_ME, 200, json=said)
        assert {name: changed[name] for name in said} == said
        assert changed["updated_at"] is not None
        changed = await call(hers, *CHANGE_ME, 200, json={"full_name": "Анна"})
        assert (changed["full_name"], changed["username"]) == ("Анна", "Аня")
        # As the whole of it came, it may go back.
        assert await call(hers, *CHANGE_ME, 200, json=changed) == changed

    async def test_two_changes_at_once_both_hold(self, hers: httpx.AsyncClient, post: Post) -> None:
        await call(hers, *CHANGE_ME, 200, json={"bio": "Стримы"})
        changes = ({"bio": "Стримы по вечерам"}, {"full_name": "Анна Смирнова"})
        await at_once(post.site, "user_profiles", *(call(hers, *CHANGE_ME, 200, json=change) for change in changes))
        me = await call(hers, *ME, 200)
        assert (me["bio"], me["full_name"]) == ("Стримы по вечерам", "Анна Смирнова")

    async def test_null_takes_away(self, hers: httpx.AsyncClient) -> None:
        await hers.put("/users/me", json={"bio": "x", "username": "anna"})
        answer = await hers.put("/users/me", json={"bio": None, "username": None, "email": None, "password": None})
        assert answer.status_code == 200
        assert (answer.json()["bio"], answer.json()["username"], answer.json()["email"]) == (None, "anna", ANNA)

    @pytest.mark.parametrize("body", [b"", b"{}", b"null"])
    async def test_nothing_sent_changes_nothing(self, hers: httpx.AsyncClient, body: bytes) -> None:
        before = await call(hers, *ME, 200)
        answer = await hers.put("/users/me", content=body)
        assert (answer.status_code, answer.json()) == (200, before)

    async def test_what_nobody_can_set(self, hers: httpx.AsyncClient, anna: int, post: Post) -> None:
        wanted = {
            "is_superuser": True,
            "is_active": False,
            "email_verified": True,
            "id": 1_000_000,
            "is_streamer": True,
        }
        changed = await call(hers, *CHANGE_ME, 200, json=wanted)
        assert (changed["id"], changed["is_active"], changed["email_verified"]) == (anna, True, False)
        assert changed["is_streamer"] is False
        assert await post.site.rows("SELECT is_superuser FROM users") == [{"is_superuser": False}]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"email": "x"}, "email"),
            ({"email": 1}, "email"),
            ({"password": "short"}, "password"),
            ({"password": {"a": 1}}, "password"),
            ({"username": ""}, "username"),
            ({"username": "user1000000"}, "username"),
            ({"bio": ["x"]}, "bio"),
            ({"full_name": "x" * 5_000}, "full_name"),
            ({"avatar_url": "ftp://example.org/x"}, "avatar_url"),
            ({"avatar_url": "/x\\y"}, "avatar_url"),
        ],
    )
    async def test_what_is_not_right(self, hers: httpx.AsyncClient, body: dict[str, Any], field: str) -> None:
        refused = await call(hers, *CHANGE_ME, 422, json=body)
        assert refused["detail"][0]["loc"] == ["body", field]

    async def test_a_body_that_is_too_large(self, hers: httpx.AsyncClient) -> None:
        answer = await hers.put("/users/me", json={"bio": "x" * 100_000})
        assert answer.status_code == 413
        assert answer.json()["detail"]

    async def test_a_name_that_somebody_has(self, hers: httpx.AsyncClient, post: Post, anna: int) -> None:
        boris = await add(post, BORIS)
        async with calling(post.site, await jwt_of(post.site, boris)) as his:
            await call(his, *CHANGE_ME, 200, json={"username": "Boris"})
        refused = await call(hers, *CHANGE_ME, 400, json={"username": "BORIS"})
        assert "username already exists" in refused["detail"]
        refused = await call(hers, *CHANGE_ME, 422, json={"username": f"user{boris}"})
        assert (await call(hers, *ME, 200))["username"] == f"user{anna}"

    async def test_one_name_for_two_at_once(self, hers: httpx.AsyncClient, post: Post) -> None:
        boris = await add(post, BORIS)
        async with calling(post.site, await jwt_of(post.site, boris)) as his:
            answers = await asyncio.gather(*(one.put("/users/me", json={"username": "x"}) for one in (hers, his)))
        assert sorted(answer.status_code for answer in answers) == [200, 400]


class TestAnotherPassword:
    async def test_ends_every_token_and_tells_her(self, hers: httpx.AsyncClient, post: Post) -> None:
        await call(hers, *CHANGE_ME, 200, json={"password": OTHER_PASSWORD})
        await call(hers, *ME, 403)
        form = {"username": ANNA, "password": OTHER_PASSWORD}
        token = await call(hers, "POST", "/auth/login", 200, form=form)
        async with calling(post.site, token["access_token"]) as client:
            await call(client, *ME, 200)
        assert len(await post.letters_to(ANNA)) == 1

    async def test_an_old_sign_in_needs_the_one_of_now(self, hers_of_yesterday: httpx.AsyncClient) -> None:
        """Whoever stole a token cannot keep its owner out."""
        client = hers_of_yesterday
        for body in ({"password": OTHER_PASSWORD}, {"email": BORIS}):
            refused = await call(client, *CHANGE_ME, 400, json=body)
            assert "current_password" in refused["detail"]
            refused = await call(client, *CHANGE_ME, 400, json={**body, "current_password": "wrong"})
            assert refused["detail"] == "Incorrect password"
        await call(client, *CHANGE_ME, 200, json={"full_name": "Анна"})
        await call(client, *CHANGE_ME, 200, json={"password": OTHER_PASSWORD, "current_password": PASSWORD})
        await call(client, *ME, 403)

    async def test_guesses_at_it_are_limited(self, hers: httpx.AsyncClient, post: Post, anna: int) -> None:
        key = f"streamcash:limit:confirm-password:{anna}"
        async with Redis.from_url(post.site.settings.redis_url) as redis:
            await redis.set(key, 9, ex=60)
        body = {"password": OTHER_PASSWORD, "current_password": "wrong"}
        answers = [await hers.put("/users/me", json=body) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [400, 429]


class TestAnotherAddress:
    async def test_is_hers_when_its_code_came_back(self, hers: httpx.AsyncClient, post: Post) -> None:
        changed = await call(hers, *CHANGE_ME, 200, json={"email": "New@example.org"})
        assert changed["email"] == ANNA
        code = await post.code_to("new@example.org")
        await call(hers, "POST", "/auth/verify-email", 200, json={"email": "new@example.org", "code": code})
        me = await call(hers, *ME, 200)
        assert (me["email"], me["email_verified"]) == ("new@example.org", True)
        (told,) = await post.letters_to(ANNA)
        assert "new@example.org" in told.text

    async def test_the_one_she_has_is_no_change(self, hers_of_yesterday: httpx.AsyncClient, post: Post) -> None:
        await call(hers_of_yesterday, *CHANGE_ME, 200, json={"email": "ANNA@example.org"})
        assert await post.letters_to(ANNA) == []

    async def test_somebody_elses_is_not_told(self, hers: httpx.AsyncClient, post: Post) -> None:
        await add(post, BORIS)
        taken = await call(hers, *CHANGE_ME, 200, json={"email": BORIS})
        free = await call(hers, *CHANGE_ME, 200, json={"email": "free@example.org"})
        assert taken == free
        (letter,) = await post.letters_to(BORIS)
        assert "You already have an account" in letter.subject or "уже есть аккаунт" in letter.subject
        refused = await hers.post("/auth/verify-email", json={"email": BORIS, "code": "123456"})
        assert refused.status_code == 400

    async def test_that_became_somebodys_meanwhile(self, hers: httpx.AsyncClient, post: Post) -> None:
        await call(hers, *CHANGE_ME, 200, json={"email": BORIS})
        code = await post.code_to(BORIS)
        await add(post, BORIS)
        await call(hers, "POST", "/auth/verify-email", 400, json={"email": BORIS, "code": code})
        assert (await call(hers, *ME, 200))["email"] == ANNA

    async def test_another_password_ends_the_code(self, hers: httpx.AsyncClient, post: Post) -> None:
        await call(hers, *CHANGE_ME, 200, json={"email": "new@example.org"})
        code = await post.code_to("new@example.org")
        await call(hers, *CHANGE_ME, 200, json={"password": OTHER_PASSWORD})
        await call(hers, "POST", "/auth/verify-email", 400, json={"email": "new@example.org", "code": code})

    async def test_letters_are_limited(self, hers: httpx.AsyncClient) -> None:
        answers = [await hers.put("/users/me", json={"email": "victim@example.org"}) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]


class TestRights:
    async def test_nobody(self, post: Post, anna: int) -> None:
        async with calling(post.site, None) as nobody:
            for operation in (ME, CHANGE_ME, LIST):
                await call(nobody, *operation, 403)
            await call(nobody, *SHOW, 403, user_id=anna)
            await call(nobody, *CHANGE, 403, user_id=anna, json={})
            await call(nobody, *MAKE, 403, json={"email": BORIS, "username": "b", "password": PASSWORD})

    async def test_a_person_sees_herself_alone(self, hers: httpx.AsyncClient, post: Post, anna: int) -> None:
        boris = await add(post, BORIS)
        assert (await call(hers, *SHOW, 200, user_id=anna))["email"] == ANNA
        for user_id in (boris, 1_000_000, 2**31, 10**30, 0):
            assert (await call(hers, *SHOW, 400, user_id=user_id))["detail"] == NO_RIGHT
        for user_id in (anna, boris):
            assert (await call(hers, *CHANGE, 400, user_id=user_id, json={"bio": "x"}))["detail"] == NO_RIGHT
        assert (await call(hers, *LIST, 400))["detail"] == NO_RIGHT
        body = {"email": "c@example.org", "username": "c", "password": PASSWORD}
        assert (await call(hers, *MAKE, 400, json=body))["detail"] == NO_RIGHT

    async def test_a_superuser_sees_everybody(self, operators: httpx.AsyncClient, anna: int, root: int) -> None:
        assert [user["id"] for user in await call(operators, *LIST, 200)] == sorted([anna, root])
        one = await call(operators, *LIST, 200, query={"skip": 1, "limit": 1})
        assert [user["id"] for user in one] == sorted([anna, root])[1:]
        assert (await call(operators, *SHOW, 200, user_id=anna))["email"] == ANNA
        for user_id in (1_000_000, 2**31, 10**30, 0):
            await call(operators, *SHOW, 404, user_id=user_id)
            await call(operators, *CHANGE, 404, user_id=user_id, json={"bio": "x"})

    @pytest.mark.parametrize("query", [{"skip": -1}, {"limit": 0}, {"limit": 1001}, {"skip": 2**31}, {"skip": "x"}])
    async def test_pages_within_reason(self, operators: httpx.AsyncClient, query: dict[str, Any]) -> None:
        await call(operators, *LIST, 422, query=query)

    async def test_nothing_secret(self, operators: httpx.AsyncClient, anna: int) -> None:
        for operation in (LIST, ME):
            text = str(await call(operators, *operation, 200)).lower()
            assert not any(secret in text for secret in SECRETS)
        text = str(await call(operators, *SHOW, 200, user_id=anna)).lower()
        assert not any(secret in text for secret in SECRETS)


class TestWhatSuperusersDo:
    async def test_make_an_account(self, operators: httpx.AsyncClient, post: Post) -> None:
        body = {"email": BORIS, "username": "boris", "password": PASSWORD, "is_superuser": True, "is_streamer": True}
        made = await call(operators, *MAKE, 200, json=body)
        assert (made["email"], made["username"], made["is_active"], made["is_streamer"]) == (BORIS, "boris", True, True)
        await call(operators, "POST", "/auth/login", 200, form={"username": BORIS, "password": PASSWORD})
        (row,) = await post.site.rows("SELECT is_superuser FROM users WHERE id = $1", made["id"])
        assert row == {"is_superuser": False}
        assert "email already" in (await call(operators, *MAKE, 400, json={**body, "username": "b"}))["detail"]
        other = {**body, "email": "c@example.org"}
        assert "username already" in (await call(operators, *MAKE, 400, json=other))["detail"]
        blocked = {**body, "email": "d@example.org", "username": "d", "is_active": False}
        assert (await call(operators, *MAKE, 200, json=blocked))["is_active"] is False

    async def test_block_and_let_in_again(
        self, operators: httpx.AsyncClient, hers: httpx.AsyncClient, anna: int
    ) -> None:
        assert (await call(operators, *CHANGE, 200, user_id=anna, json={"is_active": False}))["is_active"] is False
        await call(hers, *ME, 403)
        assert (await call(operators, *CHANGE, 200, user_id=anna, json={"is_active": True}))["is_active"] is True
        await call(hers, *ME, 403)

    async def test_not_the_only_superuser(self, operators: httpx.AsyncClient, root: int) -> None:
        refused = await call(operators, *CHANGE, 400, user_id=root, json={"is_active": False})
        assert "only superuser" in refused["detail"]
        await call(operators, *ME, 200)

    async def test_another_address(self, operators: httpx.AsyncClient, post: Post, anna: int) -> None:
        changed = await call(operators, *CHANGE, 200, user_id=anna, json={"email": "new@example.org"})
        assert (changed["email"], changed["email_verified"]) == ("new@example.org", False)
        (told,) = await post.letters_to(ANNA)
        assert "new@example.org" in told.text
        refused = await call(operators, *CHANGE, 400, user_id=anna, json={"email": "root@example.org"})
        assert "email already" in refused["detail"]
        log = await post.site.rows("SELECT action FROM account_log WHERE user_id = $1", anna)
        assert log == [{"action": "email_changed"}]

    async def test_with_an_old_sign_in_only_what_is_harmless(
        self, hers_of_yesterday: httpx.AsyncClient, post: Post, anna: int
    ) -> None:
        boris = await add(post, BORIS)
        await post.site.pool.execute("UPDATE users SET is_superuser = true WHERE id = $1", anna)
        for body in ({"is_active": False}, {"email": "new@example.org"}):
            refused = await call(hers_of_yesterday, *CHANGE, 400, user_id=boris, json=body)
            assert "current_password" in refused["detail"]
        await call(hers_of_yesterday, *CHANGE, 200, user_id=boris, json={"bio": "x"})
        proved = {"is_active": False, "current_password": PASSWORD}
        await call(hers_of_yesterday, *CHANGE, 200, user_id=boris, json=proved)

    async def test_accounts_that_wait_are_listed_and_are_nobodys(
        self, operators: httpx.AsyncClient, post: Post
    ) -> None:
        body = {"email": BORIS, "username": "boris", "password": PASSWORD}
        waiting = await call(operators, "POST", "/auth/register", 200, json=body)
        assert waiting["id"] in [user["id"] for user in await call(operators, *LIST, 200)]
        async with post.site.pool.acquire() as connection:
            assert await get_token_holder(connection, waiting["id"]) is None
            user = await create_user(connection, BORIS, OTHER_PASSWORD)
        assert user.id != waiting["id"]
        await call(operators, *SHOW, 404, user_id=waiting["id"])
