"""The operator's mail page: settings without secrets, and a test letter whose end is said in words."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from domain.users import create_user
from infra.embedded import free_port
from tests.web.conftest import PASSWORD, signed_in
from tests.web.post import Post, new_browser, open_post

ROOT = "root@example.org"


@pytest.fixture
async def post(fresh_database_url: str, redis_url: str) -> AsyncIterator[Post]:
    async with open_post(fresh_database_url, redis_url) as post:
        async with post.site.pool.acquire() as connection:
            await create_user(connection, ROOT, PASSWORD, is_superuser=True)
        yield post


async def press(post: Post, client: httpx.AsyncClient) -> str:
    """Send a test letter and return the part of the page once it is over."""
    answer = await client.post("/admin/mail/test")
    assert answer.status_code == 303
    page = await client.get(answer.headers["Location"])
    assert 'hx-trigger="every 1s"' in page.text
    await post.deliver()
    number = answer.headers["Location"].split("letter=")[1].split("#")[0]
    part = await client.get(f"/admin/mail/letter/{number}")
    assert "hx-trigger" not in part.text
    return part.text


async def test_a_test_letter_arrives(post: Post) -> None:
    async with signed_in(post.site, ROOT) as root:
        assert "took the letter" in await press(post, root)
        assert len(await post.letters_to(ROOT)) == 1
        assert "sent" in (await root.get("/admin/mail")).text


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"smtp_user": "root", "smtp_password": "wrong"}, "does not accept the name or the password"),
        ({"smtp_host": "no-such-host.invalid"}, "no server with this name"),
        ({"smtp_port": None}, "does not answer at this port"),
        ({"smtp_security": "starttls"}, "encrypted connection failed"),
        ({"smtp_security": "tls"}, "encrypted connection failed"),
    ],
)
async def test_each_failure_in_words(
    fresh_database_url: str, redis_url: str, settings: dict[str, Any], words: str
) -> None:
    values = {key: free_port() if value is None else value for key, value in settings.items()}
    async with open_post(fresh_database_url, redis_url, **values) as post:
        async with post.site.pool.acquire() as connection:
            await create_user(connection, ROOT, PASSWORD, is_superuser=True)
        async with signed_in(post.site, ROOT) as root:
            assert words in await press(post, root)
            page = (await root.get("/admin/mail")).text
            assert "wrong" not in page.replace("is wrong", "")
            assert words in page


async def test_nobody_else_sees_it(post: Post) -> None:
    async with post.site.pool.acquire() as connection:
        await create_user(connection, "other@example.org", PASSWORD, is_superuser=True)
        await create_user(connection, "anna@example.org", PASSWORD)
    async with signed_in(post.site, ROOT) as root:
        number = (await root.post("/admin/mail/test")).headers["Location"].split("letter=")[1].split("#")[0]
        for wrong in (number + "1", "0", "99999999999"):
            assert (await root.get(f"/admin/mail/letter/{wrong}")).status_code == 404
    async with signed_in(post.site, "other@example.org") as other:
        assert (await other.get(f"/admin/mail/letter/{number}")).status_code == 404
    async with signed_in(post.site, "anna@example.org") as anna, new_browser(post.site) as nobody:
        for path in ("/admin/mail", f"/admin/mail/letter/{number}"):
            assert (await anna.get(path)).status_code == 404
            assert (await nobody.get(path)).status_code == 303
        assert (await anna.post("/admin/mail/test")).status_code == 404
