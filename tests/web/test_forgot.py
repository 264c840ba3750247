"""A forgotten password, with mail and without, and strangers who try to use the way back."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from domain.one_time_links import LinkPurpose, make_link
from domain.users import create_user
from tests.support.site import Site
from tests.web.conftest import signed_in
from tests.web.post import PASSWORD, Post, new_browser, open_post

ANNA = "anna@example.org"
NEW = "another horse battery"


@pytest.fixture
async def post(fresh_database_url: str, redis_url: str) -> AsyncIterator[Post]:
    async with open_post(fresh_database_url, redis_url) as post:
        async with post.site.pool.acquire() as connection:
            await create_user(connection, ANNA, PASSWORD)
        yield post


@pytest.fixture
async def browser(post: Post) -> AsyncIterator[httpx.AsyncClient]:
    async with new_browser(post.site) as client:
        yield client


async def sign_in(client: httpx.AsyncClient, password: str) -> int:
    return (await client.post("/sign-in", data={"email": ANNA, "password": password})).status_code


async def test_a_code_sets_a_new_password_and_ends_all_sessions(post: Post, browser: httpx.AsyncClient) -> None:
    async with signed_in(post.site, ANNA) as laptop:
        assert (await browser.post("/forgot", data={"email": " ANNA@example.org "})).status_code == 303
        code = await post.code_to(ANNA)
        short = await browser.post("/forgot/code", data={"code": code, "password": "short"})
        assert (short.status_code, "At least 8 characters." in short.text) == (422, True)
        answers = await asyncio.gather(
            *(browser.post("/forgot/code", data={"code": code, "password": NEW}) for _ in range(3))
        )
        assert sum("said=password-changed" in answer.headers.get("Location", "") for answer in answers) == 1
        assert (await laptop.get("/account")).status_code == 303
        assert "new password is saved" in (await browser.get("/account?said=password-changed")).text
    async with new_browser(post.site) as other:
        assert await sign_in(other, PASSWORD) == 422
        assert await sign_in(other, NEW) == 303
    assert "изменён" in (await post.letters_to(ANNA))[0].subject


async def test_an_unknown_address_gets_the_same_answers_and_no_letter(post: Post, browser: httpx.AsyncClient) -> None:
    await post.site.pool.execute("INSERT INTO users (email, password_hash, is_active) VALUES ('b@x.org', '', false)")
    seen = []
    for email in (ANNA, "nobody@example.org", "b@x.org"):
        async with new_browser(post.site) as client:
            answers = [
                await client.post("/forgot", data={"email": email}),
                await client.get("/forgot/code"),
                await client.post("/forgot/code", data={"code": "12", "password": NEW}),
                await client.post("/forgot/code/again"),
            ]
            seen.append([(answer.status_code, answer.text.replace(email, "")) for answer in answers])
    assert seen[0] == seen[1] == seen[2]
    await post.deliver()
    assert [letter.recipients for letter in post.box.letters] == [[ANNA]]
    for email in ("", "anna", "a\x00@b.ru"):
        assert (await browser.post("/forgot", data={"email": email})).status_code == 422


async def test_a_code_is_over_after_a_change_of_the_password(post: Post, browser: httpx.AsyncClient) -> None:
    await browser.post("/forgot", data={"email": ANNA})
    code = await post.code_to(ANNA)
    async with signed_in(post.site, ANNA) as laptop:
        done = await laptop.post("/account/password", data={"old_password": PASSWORD, "new_password": NEW})
        assert done.status_code == 303
    answer = await browser.post("/forgot/code", data={"code": code, "password": "a third horse"})
    assert (answer.status_code, answer.headers.get("Location")) == (303, "/forgot")
    assert await sign_in(browser, NEW) == 303


async def test_a_stranger_cannot_keep_the_owner_from_a_letter(post: Post) -> None:
    async with signed_in(post.site, ANNA) as hers, new_browser(post.site) as stranger:
        await hers.post("/sign-out")
        answers = [await stranger.post("/forgot", data={"email": ANNA}) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [303] * 5 + [429]
        assert (await hers.post("/forgot", data={"email": ANNA})).status_code == 303


async def test_without_mail_the_page_says_how_the_operator_helps(site: Site) -> None:
    async with site.pool.acquire() as connection:
        anna = await create_user(connection, ANNA, PASSWORD)
    async with new_browser(site) as browser, signed_in(site, ANNA) as laptop:
        for answer in (await browser.get("/forgot"), await browser.post("/forgot", data={"email": ANNA})):
            assert (answer.status_code, "web.manage reset-link" in answer.text) == (200, True)
        async with site.pool.acquire() as connection:
            token = await make_link(connection, LinkPurpose.PASSWORD, hours=24, user_id=anna.id)
        assert (await browser.get("/new-password")).status_code == 404
        assert (await browser.get(f"/link/{token}")).headers["Location"] == "/new-password"
        # A link for a password makes no account.
        assert (await browser.get("/register")).status_code == 403
        assert (await browser.post("/new-password", data={"password": "anna"})).status_code == 422
        answers = await asyncio.gather(*(browser.post("/new-password", data={"password": NEW}) for _ in range(3)))
        assert sum(answer.status_code == 303 for answer in answers) == 1
        assert (await laptop.get("/account")).status_code == 303
        assert (await browser.get("/account")).status_code == 200
        assert (await browser.get(f"/link/{token}")).status_code == 404


async def test_an_old_link_is_dead(site: Site) -> None:
    async with site.pool.acquire() as connection:
        anna = await create_user(connection, ANNA, PASSWORD)
        token = await make_link(connection, LinkPurpose.PASSWORD, hours=24, user_id=anna.id)
    await site.pool.execute("UPDATE one_time_links SET expires_at = now()")
    answer = await site.client.get(f"/link/{token}")
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (404, False)
