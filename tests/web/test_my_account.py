"""The account page: each act asks for the password, and nobody reaches another's."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from domain.erasure import begin
from domain.streamers import create_streamer
from domain.users import create_user
from tests.web.conftest import signed_in
from tests.web.post import PASSWORD, Post, new_browser, open_post, try_code

ANNA, BERT = "anna@example.org", "bert@example.org"
NEW = "another horse battery"


@pytest.fixture
async def post(fresh_database_url: str, redis_url: str) -> AsyncIterator[Post]:
    async with open_post(fresh_database_url, redis_url) as post:
        async with post.site.pool.acquire() as connection:
            for email in (ANNA, BERT):
                await create_user(connection, email, PASSWORD)
        yield post


@pytest.fixture
async def her(post: Post) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(post.site, ANNA) as client:
        yield client


async def test_nobody_without_signing_in(post: Post) -> None:
    async with new_browser(post.site) as nobody:
        for path in ("/account", "/account/email"):
            assert "/sign-in" in (await nobody.get(path)).headers["Location"], path
        for path in ("password", "email", "email/code", "sessions/1/end", "sessions/end-others", "delete", "keep"):
            answer = await nobody.post(f"/account/{path}")
            assert "/sign-in" in answer.headers["Location"], path


async def test_another_password_keeps_this_browser_and_ends_the_others(post: Post, her: httpx.AsyncClient) -> None:
    async with signed_in(post.site, ANNA) as laptop:
        for old, new in ((PASSWORD + "x", NEW), ("", NEW), (PASSWORD, "short"), (PASSWORD, "anna1234")):
            answer = await her.post("/account/password", data={"old_password": old, "new_password": new})
            assert answer.status_code == 422, (old, new)
            assert 'aria-invalid="true"' in answer.text
        done = await her.post("/account/password", data={"old_password": PASSWORD, "new_password": NEW})
        assert done.headers["Location"] == "/account?said=password-changed"
        assert (await her.get("/account")).status_code == 200
        assert (await laptop.get("/account")).status_code == 303
    assert len(await post.letters_to(ANNA)) == 1


async def test_guessing_the_password_of_an_open_browser_ends_in_429(her: httpx.AsyncClient) -> None:
    statuses = [(await her.post("/account/delete", data={"delete_password": "guess"})).status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]


async def test_another_address_by_its_code_and_a_letter_to_the_old_one(post: Post, her: httpx.AsyncClient) -> None:
    new = "new@example.org"
    wrong = [(new, "x"), (ANNA, PASSWORD), ("new", PASSWORD), ("", PASSWORD)]
    for email, password in wrong:
        answer = await her.post("/account/email", data={"email": email, "email_password": password})
        assert answer.status_code == 422, email
    assert (await her.post("/account/email", data={"email": new, "email_password": PASSWORD})).status_code == 303
    code = await post.code_to(new)
    async with signed_in(post.site, BERT) as stranger:
        # Another account with her browser's cookie, as after a change of who is signed in.
        stranger.cookies.set("code-email", her.cookies["code-email"])
        assert (await stranger.post("/account/email/code", data={"code": code})).headers["Location"] == "/account"
    assert "This is not the code" in await try_code(her, "/account/email/code", "1")
    done = await her.post("/account/email/code", data={"code": code})
    assert done.headers["Location"] == "/account?said=email-changed"
    assert new in (await post.letters_to(ANNA))[0].text
    assert [row["email"] for row in await post.site.rows("SELECT email FROM users ORDER BY id")] == [new, BERT]


async def test_an_address_that_is_somebodys_looks_like_any_other(post: Post, her: httpx.AsyncClient) -> None:
    pages = []
    for email in (BERT, "free@example.org"):
        answer = await her.post("/account/email", data={"email": email, "email_password": PASSWORD})
        page = (await her.get("/account/email")).text
        wrong = await try_code(her, "/account/email/code", "1")
        pages.append([answer.status_code, answer.text, page.replace(email, ""), wrong.replace(email, "")])
    assert pages[0] == pages[1]
    (letter,) = await post.letters_to(BERT)
    assert not re.search(r"^ +[0-9A-Z-]{6,9}$", letter.text, re.MULTILINE)


async def test_browsers_are_listed_and_signed_out_one_by_one(post: Post, her: httpx.AsyncClient) -> None:
    agent = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 YaBrowser/24.10 Safari/537.36"
    async with new_browser(post.site) as laptop, signed_in(post.site, BERT) as bert, signed_in(post.site, ANNA) as tab:
        laptop.headers["User-Agent"] = agent
        await laptop.post("/sign-in", data={"email": ANNA, "password": PASSWORD})
        page = (await her.get("/account")).text
        assert "Yandex Browser, Windows" in page
        assert page.count("This device, in use now") == 1
        sessions = {
            row["user_agent"]: row["id"]
            for row in await post.site.rows(
                "SELECT sessions.id, user_agent FROM sessions JOIN users ON users.id = user_id WHERE email = $1", ANNA
            )
        }
        # A stranger cannot, whatever the number.
        for number in (sessions[agent], 0, 2**40):
            answer = await bert.post(f"/account/sessions/{number}/end")
            assert answer.headers["Location"] == "/account?said=nothing-to-do"
        assert (await laptop.get("/account")).status_code == 200
        await her.post(f"/account/sessions/{sessions[agent]}/end")
        assert (await laptop.get("/account")).status_code == 303
        await her.post("/account/sessions/end-others")
        assert (await tab.get("/account")).status_code == 303
        assert (await her.get("/account")).status_code == 200
        assert (await bert.get("/account")).status_code == 200


async def test_seven_days_to_think_again(post: Post, her: httpx.AsyncClient) -> None:
    async with post.site.pool.acquire() as connection:
        owner_id = await connection.fetchval("SELECT id FROM users WHERE email = $1", ANNA)
        await create_streamer(connection, owner_id, "anna", "Анна")
    assert (await her.post("/account/delete", data={"delete_password": "x"})).status_code == 422
    for _ in range(2):
        done = await her.post("/account/delete", data={"delete_password": PASSWORD})
        assert done.headers["Location"] == "/account?said=deletion-wished"
    assert "will be deleted on" in (await her.get("/account")).text
    assert len(await post.letters_to(ANNA)) == 1
    async with post.site.pool.acquire() as connection:
        assert await begin(connection, owner_id) is None
    assert (await her.post("/account/keep")).headers["Location"] == "/account?said=account-kept"
    assert (await her.post("/account/keep")).headers["Location"] == "/account?said=nothing-to-do"
    assert await post.site.pool.fetchval("SELECT delete_at FROM users WHERE id = $1", owner_id) is None
    actions = [row["action"] for row in await post.site.rows("SELECT action FROM account_log ORDER BY id")]
    assert actions[0] == "deletion_wished"
    assert actions[-1] == "deletion_withdrawn"


async def test_the_only_superuser_stays(post: Post, her: httpx.AsyncClient) -> None:
    await post.site.pool.execute("UPDATE users SET is_superuser = true WHERE email = $1", ANNA)
    assert (await her.post("/account/delete", data={"delete_password": PASSWORD})).status_code == 422
    await post.site.pool.execute("UPDATE users SET is_superuser = true")
    assert (await her.post("/account/delete", data={"delete_password": PASSWORD})).status_code == 303


async def test_strangers_do_not_lock_out_a_browser_that_was_here_before(post: Post, her: httpx.AsyncClient) -> None:
    await her.post("/sign-out")
    async with new_browser(post.site) as stranger, signed_in(post.site, BERT) as bert:
        wrong = {"email": ANNA, "password": "guess"}
        statuses = [(await stranger.post("/sign-in", data=wrong)).status_code for _ in range(11)]
        assert statuses == [422] * 10 + [429]
        assert (await bert.post("/sign-in", data=wrong)).status_code == 429, "known to another account only"
        right = {"email": ANNA, "password": PASSWORD}
        assert (await stranger.post("/sign-in", data=right)).status_code == 429
        assert (await her.post("/sign-in", data=right)).status_code == 303
