"""Somebody else registers her address, asks for codes in her name, or wants her address for an account of his: whatever
code its owner enters, nobody but her gets in (docs/decisions/0048)."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from domain.retention import forget_old
from infra.settings import KeepDays
from tests.api.accounts import ANNA, REGISTER, RESEND, VERIFY
from tests.api.conftest import calling, jwt_of
from tests.api.fits import call
from tests.support.accounts import add_account
from tests.web.post import Post, new_browser

HERS = "correct horse battery"
HIS = "battery horse correct"
THIRD = "staple of a battery"


async def register(post: Post, program: httpx.AsyncClient, password: str, username: str, **more: Any) -> str:
    """The code that was mailed for it."""
    body = {"email": ANNA, "username": username, "password": password, **more}
    await call(program, *REGISTER, 200, json=body)
    return await post.code_to(ANNA)


async def resend(post: Post, program: httpx.AsyncClient) -> str:
    await call(program, *RESEND, 200, json={"email": ANNA})
    return await post.code_to(ANNA)


async def enter(program: httpx.AsyncClient, code: str, status: int = 200) -> str:
    """The words of the answer."""
    return str(await call(program, *VERIFY, status, json={"email": ANNA, "code": code}))


async def log_in(program: httpx.AsyncClient, password: str) -> httpx.Response:
    return await program.post("/auth/login", data={"username": ANNA, "password": password})


async def nobody_gets_in(post: Post, program: httpx.AsyncClient) -> None:
    for password in (HERS, HIS, ""):
        assert (await log_in(program, password)).status_code in (400, 422), password
    async with new_browser(post.site) as browser:
        for password in (HERS, HIS):
            assert (await browser.post("/sign-in", data={"email": ANNA, "password": password})).status_code == 422


async def choose_by_letter(post: Post, program: httpx.AsyncClient) -> None:
    """The letter that follows has a link, and the password it sets is the only one."""
    newest = (await post.letters_to(ANNA))[0]
    link = re.search(r"/link/\S+", newest.text)
    assert link is not None, newest.text
    async with new_browser(post.site) as browser:
        await browser.get(link[0])
        assert (await browser.post("/new-password", data={"password": THIRD})).status_code == 303
    assert (await log_in(program, THIRD)).status_code == 200
    await nobody_gets_in(post, program)


class TestTwoRegistrations:
    async def test_his_alone_and_then_she_asks_for_a_code(self, post: Post, program: httpx.AsyncClient) -> None:
        await register(post, program, HIS, "boris")
        assert "Choose a password" in await enter(program, await resend(post, program))
        await nobody_gets_in(post, program)
        await choose_by_letter(post, program)

    @pytest.mark.parametrize("order", [(HIS, HERS), (HERS, HIS)])
    @pytest.mark.parametrize("entered", [0, 1])
    async def test_whichever_code_she_enters(
        self, post: Post, program: httpx.AsyncClient, order: tuple[str, str], entered: int
    ) -> None:
        codes = [await register(post, program, password, f"name-{password[:3]}") for password in order]
        await enter(program, codes[entered])
        await nobody_gets_in(post, program)
        await choose_by_letter(post, program)

    async def test_he_asks_for_a_code_by_his_password(self, post: Post, program: httpx.AsyncClient) -> None:
        await register(post, program, HERS, "anna")
        await register(post, program, HIS, "boris")
        refused = await log_in(program, HIS)
        assert "New verification code sent" in refused.json()["detail"]
        await enter(program, await post.code_to(ANNA))
        await nobody_gets_in(post, program)

    async def test_an_old_code_of_hers_counts_also_when_it_is_over(
        self, post: Post, program: httpx.AsyncClient
    ) -> None:
        await register(post, program, HERS, "anna")
        await post.site.pool.execute("UPDATE confirmations SET expires_at = now() - interval '1 hour', tries = 5")
        await enter(program, await register(post, program, HIS, "boris"))
        await nobody_gets_in(post, program)

    async def test_her_day_does_not_end_with_his(self, post: Post, program: httpx.AsyncClient) -> None:
        await register(post, program, HIS, "boris")
        await post.site.pool.execute("UPDATE users SET created_at = now() - interval '25 hours'")
        hers = await register(post, program, HERS, "anna")
        async with post.site.pool.acquire() as connection:
            await forget_old(connection, KeepDays().model_dump())
        await enter(program, hers)

    async def test_each_code_brings_its_own_profile(self, post: Post, program: httpx.AsyncClient) -> None:
        hers = await register(post, program, HERS, "anna", full_name="Анна", bio="Игры")
        await register(post, program, HIS, "boris", full_name="Борис", avatar_url="https://evil.example.org/a.png")
        await enter(program, hers)
        [profile] = await post.site.rows("SELECT username, full_name, bio, avatar_url FROM user_profiles")
        assert profile == {"username": "anna", "full_name": "Анна", "bio": "Игры", "avatar_url": None}

    async def test_her_username_went_to_another_meanwhile(self, post: Post, program: httpx.AsyncClient) -> None:
        hers = await register(post, program, HERS, "anna", full_name="Анна")
        await register(post, program, HIS, "boris")
        other = {"email": "vera@example.org", "username": "anna", "password": HERS}
        await call(program, *REGISTER, 200, json=other)
        await enter(program, hers)
        profiles = "SELECT username, full_name FROM user_profiles ORDER BY user_id"
        assert [tuple(row.values()) for row in await post.site.rows(profiles)] == [(None, "Анна"), ("anna", None)]

    async def test_a_code_takes_over_no_account_that_is_confirmed(self, post: Post, program: httpx.AsyncClient) -> None:
        """His code comes back after hers, or in the same moment."""
        codes = [await register(post, program, password, "anna") for password in (HERS, HIS)]
        answers = [program.post("/auth/verify-email", json={"email": ANNA, "code": code}) for code in codes]
        assert sorted(answer.status_code for answer in await asyncio.gather(*answers)) == [200, 400]
        await nobody_gets_in(post, program)

    async def test_registering_while_the_code_comes_back(self, post: Post, program: httpx.AsyncClient) -> None:
        """Whoever is first: he is refused, or the password is nobody's."""
        hers = await register(post, program, HERS, "anna")
        his = {"email": ANNA, "username": "boris", "password": HIS}
        verified, registered = await asyncio.gather(
            program.post("/auth/verify-email", json={"email": ANNA, "code": hers}),
            program.post("/auth/register", json=his),
        )
        assert verified.status_code == 200
        assert (await log_in(program, HIS)).status_code == 400
        kept = (await log_in(program, HERS)).status_code == 200
        assert kept is (registered.status_code == 400)


class TestHerself:
    async def test_twice_with_one_password(self, post: Post, program: httpx.AsyncClient) -> None:
        """A program that lost the answer asks again."""
        for _ in range(2):
            code = await register(post, program, HERS, "anna")
        assert "Choose" not in await enter(program, code)
        assert (await log_in(program, HERS)).status_code == 200

    async def test_another_code_by_her_password(self, post: Post, program: httpx.AsyncClient) -> None:
        first = await register(post, program, HERS, "anna")
        assert (await log_in(program, HERS)).status_code == 400
        assert await post.code_to(ANNA) != first
        assert "Choose" not in await enter(program, await post.code_to(ANNA))
        assert (await log_in(program, HERS)).status_code == 200

    async def test_another_code_without_it(self, post: Post, program: httpx.AsyncClient) -> None:
        first = await register(post, program, HERS, "anna")
        await resend(post, program)
        assert "Choose a password" in await enter(program, first)
        await choose_by_letter(post, program)

    async def test_a_password_that_was_replaced_sends_no_letter(self, post: Post, program: httpx.AsyncClient) -> None:
        await register(post, program, HIS, "boris")
        await register(post, program, HERS, "anna")
        refused = await log_in(program, HIS)
        assert refused.json()["detail"] == "Incorrect email or password"
        assert len(await post.letters_to(ANNA)) == 2


class TestHisAccountWantsHerAddress:
    """Both letters are in her mailbox; the code of the wrong one gives nothing away."""

    @pytest.fixture
    async def his(self, post: Post) -> AsyncIterator[httpx.AsyncClient]:
        async with post.site.pool.acquire() as connection:
            boris = await add_account(connection, "boris@example.org")
        async with calling(post.site, await jwt_of(post.site, boris.id)) as client:
            yield client

    async def test_her_program_confirms_nothing_of_his(
        self, post: Post, program: httpx.AsyncClient, his: httpx.AsyncClient
    ) -> None:
        hers = await register(post, program, HERS, "anna")
        await call(his, "PUT", "/users/me", 200, json={"email": ANNA})
        wrong = await post.code_to(ANNA)
        assert wrong != hers
        await enter(program, wrong, 400)
        async with post.site.pool.acquire() as connection:
            vera = await add_account(connection, "vera@example.org")
        async with calling(post.site, await jwt_of(post.site, vera.id)) as another:
            await enter(another, wrong, 400)
        await enter(program, hers)
        assert (await log_in(program, HERS)).status_code == 200
        await enter(his, wrong, 400)

    async def test_an_account_of_his_that_has_her_address_unproved(
        self, post: Post, program: httpx.AsyncClient, his: httpx.AsyncClient
    ) -> None:
        """From when the site sent no mail: her code does not say that the address is his."""
        await post.site.pool.execute("UPDATE users SET email = $1", ANNA)
        await enter(program, await resend(post, program), 400)
        assert (await his.get("/users/me")).json()["email_verified"] is False
        await enter(his, await resend(post, program))
        assert (await his.get("/users/me")).json()["email_verified"] is True

    async def test_her_account_wants_the_address_that_he_registered(
        self, post: Post, program: httpx.AsyncClient
    ) -> None:
        """The letters lie in her mailbox, and she takes the one of his registration."""
        async with post.site.pool.acquire() as connection:
            vera = await add_account(connection, "vera@example.org")
        his = await register(post, program, HIS, "boris")
        async with calling(post.site, await jwt_of(post.site, vera.id)) as hers:
            await call(hers, "PUT", "/users/me", 200, json={"email": ANNA})
            assert await post.code_to(ANNA) != his
            await call(hers, *VERIFY, 200, json={"email": ANNA, "code": his})
        await nobody_gets_in(post, program)
        await choose_by_letter(post, program)
