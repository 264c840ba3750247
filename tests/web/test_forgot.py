"""A forgotten password, with mail and without, and strangers who try to use the way back."""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from domain.confirmations import CODE_ALPHABET
from domain.one_time_links import LinkPurpose, make_link
from domain.users import create_user, set_email
from infra.redis import open_redis
from tests.support.site import Site
from tests.web.conftest import signed_in
from tests.web.post import PASSWORD, Post, new_browser, open_post, registration, try_code
from web.account_limits import TRIES_PER_ACCOUNT
from web.limits import Limiter

ANNA = "anna@example.org"
NEW = "another horse battery"


@pytest.fixture
async def post(fresh_database_url: str, redis_url: str) -> AsyncIterator[Post]:
    async with open_post(fresh_database_url, redis_url, trusted_proxies="127.0.0.1") as post:
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
        assert sum("said=password-reset" in answer.headers.get("Location", "") for answer in answers) == 1
        assert (await laptop.get("/account")).status_code == 303
        assert "new password is saved" in (await browser.get("/account?said=password-reset")).text
    async with new_browser(post.site) as other:
        assert await sign_in(other, PASSWORD) == 422
        assert await sign_in(other, NEW) == 303
    assert "новый пароль" in (await post.letters_to(ANNA))[0].subject


async def test_an_unknown_address_gets_the_same_answers_and_no_letter(post: Post, browser: httpx.AsyncClient) -> None:
    await post.site.pool.execute("INSERT INTO users (email, password_hash, is_active) VALUES ('b@x.org', '', false)")
    seen = []
    for email in (ANNA, "nobody@example.org", "b@x.org"):
        async with new_browser(post.site) as client:
            answers = [
                await client.post("/forgot", data={"email": email}),
                await client.get("/forgot/code"),
                await client.post("/forgot/code", data={"code": "12", "password": NEW}),
                await client.get("/forgot/code?tried=wrong"),
                await client.post("/forgot/code/again"),
            ]
            # Seconds that pass meanwhile are no sign.
            texts = [re.sub(r'data-pause="\d+"', "", answer.text.replace(email, "")) for answer in answers]
            seen.append([(answer.status_code, text) for answer, text in zip(answers, texts, strict=True)])
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


async def test_letters_of_another_kind_use_up_none_for_a_new_password(post: Post) -> None:
    for number in range(11):
        async with new_browser(post.site) as stranger:
            stranger.headers["X-Forwarded-For"] = f"198.51.100.{number}"
            last = await stranger.post("/register", data=registration(ANNA))
    assert last.status_code == 429
    async with new_browser(post.site) as hers:
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
        # Whose account it is: a stranger's link may be of theirs.
        assert ANNA in (await browser.get("/new-password")).text
        assert (await browser.post("/new-password", data={"password": "anna"})).status_code == 422
        answers = await asyncio.gather(*(browser.post("/new-password", data={"password": NEW}) for _ in range(3)))
        assert sum(answer.status_code == 303 for answer in answers) == 1
        assert (await laptop.get("/account")).status_code == 303
        assert (await browser.get("/account")).status_code == 200
        used = await browser.get(f"/link/{token}")
        assert (used.status_code, 'href="/forgot"' in used.text) == (404, True)


async def test_an_old_link_is_dead(site: Site) -> None:
    async with site.pool.acquire() as connection:
        anna = await create_user(connection, ANNA, PASSWORD)
        token = await make_link(connection, LinkPurpose.PASSWORD, hours=24, user_id=anna.id)
    await site.pool.execute("UPDATE one_time_links SET expires_at = now()")
    answer = await site.client.get(f"/link/{token}")
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (404, False)


async def test_a_code_is_typed_as_one_likes(post: Post) -> None:
    """Small, without its dash, with spaces, and with a keyboard that is still Russian."""
    russian = str.maketrans("ABEKMHPCTYX", "АВЕКМНРСТУХ")
    for write in (
        lambda code: code.lower().replace("-", ""),
        lambda code: f" {code[:2]} {code[2:]} ",
        lambda code: code.translate(russian),
        lambda code: code.translate(russian).lower(),
    ):
        async with new_browser(post.site) as client:
            assert (await client.post("/forgot", data={"email": ANNA})).status_code == 303
            code = await post.code_to(ANNA)
            assert re.fullmatch(f"[{CODE_ALPHABET}]{{4}}-[{CODE_ALPHABET}]{{4}}", code)
            page = (await client.get("/forgot/code")).text
            assert 'inputmode="numeric"' not in page
            answer = await client.post("/forgot/code", data={"code": write(code), "password": NEW})
            assert "said=password-reset" in answer.headers.get("Location", "")


async def test_five_tries_a_letter_and_ten_letters_an_hour_from_anywhere(post: Post) -> None:
    statuses = []
    for number in range(11):
        async with new_browser(post.site) as client:
            client.headers["X-Forwarded-For"] = f"198.51.100.{number}"
            statuses.append((await client.post("/forgot", data={"email": ANNA})).status_code)
            if number == 0:
                wrong = {"code": "2345-6789", "password": NEW}
                pages = [await try_code(client, "/forgot/code", **wrong) for _ in range(5)]
                right = {"code": await post.code_to(ANNA), "password": NEW}
                pages.append(await try_code(client, "/forgot/code", **right))
                assert ["This is not the code" in page for page in pages] == [True] * 4 + [False] * 2
                assert all("no longer good" in page for page in pages[4:])
    assert statuses == [303] * 10 + [429]


async def test_an_owner_with_a_new_browser_gets_in_whatever_strangers_do(post: Post, redis_url: str) -> None:
    """They use up all tries at her account and all letters to her, from many addresses."""
    redis = open_redis(redis_url)
    for _ in range(TRIES_PER_ACCOUNT.count):
        await Limiter(redis).take(TRIES_PER_ACCOUNT, ANNA)
    await redis.aclose()
    for number in range(11):
        async with new_browser(post.site) as stranger:
            stranger.headers["X-Forwarded-For"] = f"198.51.100.{number}"
            await stranger.post("/forgot", data={"email": ANNA})
    async with new_browser(post.site) as hers, new_browser(post.site) as nobodys:
        hers.headers["X-Forwarded-For"] = nobodys.headers["X-Forwarded-For"] = "203.0.113.5"
        refused = await hers.post("/sign-in", data={"email": ANNA, "password": PASSWORD})
        assert (refused.status_code, int(refused.headers["Retry-After"]) > 0) == (429, True)
        assert 'href="/forgot"' in refused.text
        assert ANNA in refused.text
        none = await hers.post("/forgot", data={"email": ANNA})
        assert (none.status_code, int(none.headers["Retry-After"]) > 0) == (429, True)
        assert "in any browser" in none.text
        # The letters that strangers asked for are in her mailbox.
        letter = next(one for one in await post.letters_to(ANNA) if "/link/" in one.text)
        address = re.search(r"/link/\S+", letter.text)
        assert address is not None
        assert (await hers.get(address[0])).headers["Location"] == "/new-password"
        done = await hers.post("/new-password", data={"password": NEW})
        assert "said=password-reset" in done.headers["Location"]
        assert (await hers.get("/account")).status_code == 200
        assert (await nobodys.get(address[0])).status_code == 404
        # From now on her browser is known: what strangers do is nothing to it.
        await hers.post("/sign-out")
        assert (await hers.post("/sign-in", data={"email": ANNA, "password": NEW})).status_code == 303


async def test_what_is_refused_says_nothing_of_an_account(post: Post) -> None:
    pages = []
    for email in (ANNA, "nobody@example.org"):
        for number in range(11):
            async with new_browser(post.site) as client:
                client.headers["X-Forwarded-For"] = f"198.51.100.{number}"
                answer = await client.post("/forgot", data={"email": email})
        pages.append((answer.status_code, answer.text.replace(email, "")))
    assert pages[0] == pages[1]


async def test_a_links_time_ends_and_a_new_address_ends_it(post: Post, browser: httpx.AsyncClient) -> None:
    found = []
    for _ in range(2):
        await browser.post("/forgot", data={"email": ANNA})
        found += re.findall(r"/link/\S+", (await post.letters_to(ANNA))[0].text)
    left = await post.site.pool.fetchval("SELECT max(expires_at) - now() FROM one_time_links")
    assert 7100 < left.total_seconds() <= 7200, "longer than the hour of LETTERS_TO"
    assert [(await browser.get(address)).status_code for address in found] == [303, 303]
    await post.site.pool.execute(
        "UPDATE one_time_links SET expires_at = now()"
        " WHERE id = (SELECT min(id) FROM one_time_links WHERE user_id IS NOT NULL)"
    )
    assert [(await browser.get(address)).status_code for address in found] == [404, 303]
    async with post.site.pool.acquire() as connection:
        user_id = await connection.fetchval("SELECT id FROM users WHERE email = $1", ANNA)
        assert await set_email(connection, user_id, "new@example.org", is_confirmed=True)
    assert (await browser.get(found[1])).status_code == 404


@pytest.mark.parametrize("locale", ["ru", "en"])
async def test_the_letter_says_what_a_new_password_does(post: Post, browser: httpx.AsyncClient, locale: str) -> None:
    await post.site.pool.execute("UPDATE users SET locale = $1", locale)
    browser.headers["Accept-Language"] = locale
    await browser.post("/forgot", data={"email": ANNA})
    before = (await post.letters_to(ANNA))[0].text
    await browser.post("/forgot/code", data={"code": await post.code_to(ANNA), "password": NEW})
    after = (await post.letters_to(ANNA))[0].text
    words = {"ru": ("другие сайты отключится", "отвязаны"), "en": ("no longer sign in", "were unlinked")}[locale]
    assert words[0] in " ".join(before.split())
    assert words[1] in after
