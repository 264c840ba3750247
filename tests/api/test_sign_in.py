"""Signing in through API v1, and what ends a token."""

import asyncio

import httpx
import pytest

from domain import operators
from domain.one_time_links import LinkPurpose, make_link
from domain.users import add_user, set_password, sign_out_elsewhere
from tests.api.accounts import (
    ANNA,
    FORGOT,
    LOGIN,
    OTHER_PASSWORD,
    PASSWORD,
    REGISTER,
    RESET,
    TEST_TOKEN,
    add,
    credentials,
    is_let_in,
    newcomer,
    reset,
)
from tests.api.conftest import calling, jwt_of
from tests.api.fits import call
from tests.web.post import Post, new_browser
from web import account_limits
from web.limits import Limit


class TestSigningIn:
    @pytest.fixture
    def few_tries(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each try costs us a hash."""
        monkeypatch.setattr(account_limits, "TRIES_PER_ACCOUNT_AND_ADDRESS", Limit("sign-in-account-address", 2, 900))

    @pytest.mark.usefixtures("few_tries")
    async def test_guesses_are_limited_also_for_who_has_no_account(
        self, post: Post, program: httpx.AsyncClient
    ) -> None:
        await add(post)
        for email in (ANNA, "nobody@example.org"):
            answers = [await program.post("/auth/login", data=credentials(email, "wrong")) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [400] * 2 + [429]
        assert (await program.post("/auth/login", data=credentials())).status_code == 429

    @pytest.mark.usefixtures("few_tries")
    async def test_a_client_that_signed_in_before_has_limits_of_its_own(
        self, post: Post, program: httpx.AsyncClient
    ) -> None:
        await add(post)
        async with calling(post.site, None) as hers:
            assert (await hers.post("/auth/login", data=credentials())).status_code == 200
            for _ in range(2):
                await program.post("/auth/login", data=credentials(password="wrong"))
            assert (await program.post("/auth/login", data=credentials())).status_code == 429
            assert (await hers.post("/auth/login", data=credentials())).status_code == 200

    async def test_another_sites_page_puts_no_cookie(self, post: Post) -> None:
        await add(post)
        async with calling(post.site, None) as client:
            for origin, is_kept in (("https://evil.example.org", False), ("null", False), (post.site.url, True)):
                answer = await client.post("/auth/login", data=credentials(), headers={"Origin": origin})
                assert answer.status_code == 200
                assert ("Set-Cookie" in answer.headers) is is_kept

    @pytest.mark.parametrize(
        "form",
        [
            {},
            {"username": ANNA},
            {"password": PASSWORD},
            {"username": ANNA, "password": "x" * 2_000},
            {"username": "x" * 500, "password": "x"},
            {"username": "a\0", "password": "x"},
            {"username": ANNA, "password": PASSWORD, "grant_type": "client_credentials"},
        ],
    )
    async def test_what_is_no_sign_in(self, post: Post, form: dict[str, str]) -> None:
        async with calling(post.site, None) as program:
            await call(program, *LOGIN, 422, form=form)

    async def test_what_oauth_clients_send_besides(self, post: Post, program: httpx.AsyncClient) -> None:
        await add(post)
        more = {"grant_type": "password", "scope": "", "client_id": "x", "client_secret": "y"}
        await call(program, *LOGIN, 200, form={**credentials(), **more})

    async def test_an_account_without_a_password(self, post: Post, program: httpx.AsyncClient) -> None:
        async with post.site.pool.acquire() as connection:
            await add_user(connection, ANNA, "")
        for password in ("", "x", PASSWORD):
            refused = await program.post("/auth/login", data=credentials(password=password))
            assert refused.status_code == 400

    async def test_a_code_for_who_has_the_password_is_limited(self, post: Post, program: httpx.AsyncClient) -> None:
        await call(program, *REGISTER, 200, json=newcomer())
        answers = await asyncio.gather(*(program.post("/auth/login", data=credentials()) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [400] * 4 + [429]
        assert len(await post.letters_to(ANNA)) == 5


class TestTokensEnd:
    """Earlier tokens are refused at once, each time somebody else might hold one."""

    @pytest.fixture
    async def anna(self, post: Post) -> int:
        return await add(post)

    @pytest.fixture
    async def token(self, post: Post, anna: int) -> str:
        token = await jwt_of(post.site, anna)
        assert await is_let_in(post, token)
        return token

    async def test_by_another_password_on_the_page(self, post: Post, token: str) -> None:
        async with new_browser(post.site) as browser:
            await browser.post("/sign-in", data={"email": ANNA, "password": PASSWORD})
            fields = {"old_password": PASSWORD, "new_password": OTHER_PASSWORD}
            assert (await browser.post("/account/password", data=fields)).status_code == 303
        assert not await is_let_in(post, token)

    async def test_by_another_password_through_the_api(self, post: Post, token: str) -> None:
        async with calling(post.site, token) as client:
            await call(client, "PUT", "/users/me", 200, json={"password": OTHER_PASSWORD})
        assert not await is_let_in(post, token)

    async def test_by_a_reset_on_the_page(self, post: Post, token: str) -> None:
        async with new_browser(post.site) as browser:
            await browser.post("/forgot", data={"email": ANNA})
            fields = {"code": await post.code_to(ANNA), "password": OTHER_PASSWORD}
            assert (await browser.post("/forgot/code", data=fields)).status_code == 303
        assert not await is_let_in(post, token)

    async def test_by_a_link_for_a_new_password(self, post: Post, anna: int, token: str) -> None:
        async with post.site.pool.acquire() as connection:
            link = await make_link(connection, LinkPurpose.PASSWORD, hours=1, user_id=anna)
        async with new_browser(post.site) as browser:
            await browser.get(f"/link/{link}")
            assert (await browser.post("/new-password", data={"password": OTHER_PASSWORD})).status_code == 303
        assert not await is_let_in(post, token)

    async def test_by_a_reset_through_the_api(self, post: Post, program: httpx.AsyncClient, token: str) -> None:
        await call(program, *FORGOT, 200, json={"email": ANNA})
        await call(program, *RESET, 200, json=reset(await post.code_to(ANNA)))
        assert not await is_let_in(post, token)

    async def test_by_the_operators_command(self, post: Post, anna: int, token: str) -> None:
        async with post.site.pool.acquire() as connection, connection.transaction():
            await set_password(connection, anna, OTHER_PASSWORD)
        assert not await is_let_in(post, token)

    async def test_by_signing_out_everywhere(self, post: Post, token: str) -> None:
        async with new_browser(post.site) as browser:
            await browser.post("/sign-in", data={"email": ANNA, "password": PASSWORD})
            await browser.post("/account/sessions/end-others")
            assert (await browser.get("/account")).status_code == 200
        assert not await is_let_in(post, token)

    async def test_by_being_blocked_and_they_do_not_come_back(self, post: Post, anna: int, token: str) -> None:
        root = await add(post, "root@example.org", is_superuser=True)
        async with post.site.pool.acquire() as connection:
            for act in (operators.block, operators.unblock):
                async with connection.transaction():
                    await act(connection, anna, root)
                assert not await is_let_in(post, token)
        assert await is_let_in(post, await jwt_of(post.site, anna))

    async def test_not_by_signing_one_browser_out(self, post: Post, token: str) -> None:
        async with new_browser(post.site) as browser:
            await browser.post("/sign-in", data={"email": ANNA, "password": PASSWORD})
            await browser.post("/sign-out")
        assert await is_let_in(post, token)

    async def test_only_hers(self, post: Post, anna: int) -> None:
        boris = await add(post, "boris@example.org")
        token = await jwt_of(post.site, boris)
        async with post.site.pool.acquire() as connection, connection.transaction():
            await sign_out_elsewhere(connection, anna, 0)
        assert await is_let_in(post, token)

    async def test_a_token_of_an_account_that_is_gone(self, post: Post, anna: int, token: str) -> None:
        await post.site.pool.execute(
            "UPDATE users SET is_active = false, erased_at = now(), email = 'erased@erased.invalid' WHERE id = $1", anna
        )
        async with calling(post.site, token) as client:
            await call(client, *TEST_TOKEN, 404)

    @pytest.mark.parametrize("token", ["x", "a.b.c", "sc_abc"])
    async def test_what_is_no_token(self, post: Post, token: str) -> None:
        async with calling(post.site, token) as client:
            await call(client, *TEST_TOKEN, 403)
        async with calling(post.site, None) as client:
            await call(client, *TEST_TOKEN, 403)
