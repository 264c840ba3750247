"""What a key may do of people and pages: read and change the page as its scopes say, never an account."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest

from domain.access_tokens import create_key
from domain.scopes import Scope
from domain.streamers import Streamer
from tests.api.conftest import calling, jwt_of
from tests.api.fits import call
from tests.support.site import Site

pytestmark = pytest.mark.usefixtures("kept_site")

Opened = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
SETTINGS = {"widget_settings": "a", "alert_settings": "b", "payment_settings": "c"}
OF_PERSONS_ALONE = [
    ("POST", "/auth/test-token", None),
    ("PUT", "/users/me", {"full_name": "x"}),
    ("PUT", "/users/me", {"password": "battery horse correct"}),
    ("PUT", "/users/me", {"email": "thief@example.org"}),
    ("GET", "/users/{user_id}", None),
    ("GET", "/users/", None),
    ("POST", "/users/", {"email": "b@example.org", "username": "b", "password": "correct horse battery"}),
    ("PUT", "/users/{user_id}", {"email": "thief@example.org"}),
    ("POST", "/streamers/", {"display_name": "x", "user_id": 1}),
]


@pytest.fixture
def keys(site: Site, streamer: Streamer) -> Opened:
    """Programs with keys of Anna's, each with the given scopes."""

    @asynccontextmanager
    async def opened(*scopes: Scope) -> AsyncIterator[httpx.AsyncClient]:
        async with site.pool.acquire() as connection, connection.transaction():
            key = await create_key(connection, streamer.owner_id, streamer.id, name="bot", scopes=scopes, days=None)
        async with calling(site, key.token) as client:
            yield client

    return opened


async def test_reading(site: Site, streamer: Streamer, keys: Opened) -> None:
    async with calling(site, await jwt_of(site, streamer.owner_id)) as hers:
        await call(hers, "PUT", "/streamers/me", 200, json=SETTINGS)
    async with keys(Scope.PROFILE_READ) as bot:
        assert (await call(bot, "GET", "/users/me", 200))["email"] == "anna@example.org"
        for path in ("/streamers/me", "/streamers/{streamer_id}"):
            page = await call(bot, "GET", path, 200, streamer_id=streamer.id)
            assert {name: page[name] for name in SETTINGS} == {**SETTINGS, "payment_settings": None}
        await call(bot, "PUT", "/streamers/me", 403, json={"stream_title": "x"})


async def test_writing(keys: Opened) -> None:
    async with keys(Scope.PROFILE_WRITE) as bot:
        page = await call(bot, "PUT", "/streamers/me", 200, json={"stream_title": "x", "widget_settings": "y"})
        assert (page["stream_title"], page["widget_settings"]) == ("x", "y")
        await call(bot, "PUT", "/streamers/me", 403, json={"payment_settings": "x"})
        for path in ("/users/me", "/streamers/me"):
            await call(bot, "GET", path, 403)


async def test_other_scopes_are_no_reason_to_show_settings(site: Site, streamer: Streamer, keys: Opened) -> None:
    async with calling(site, await jwt_of(site, streamer.owner_id)) as hers:
        await call(hers, "PUT", "/streamers/me", 200, json=SETTINGS)
    async with keys(Scope.DONATIONS_READ) as bot:
        page = await call(bot, "GET", "/streamers/{streamer_id}", 200, streamer_id=streamer.id)
        assert [page[name] for name in SETTINGS] == [None, None, None]
        for path in ("/users/me", "/streamers/me"):
            await call(bot, "GET", path, 403)


async def test_accounts_are_persons_own_whatever_the_scopes(site: Site, streamer: Streamer, keys: Opened) -> None:
    await site.pool.execute("UPDATE users SET is_superuser = true")
    async with keys(*Scope) as bot:
        for method, path, body in OF_PERSONS_ALONE:
            await call(bot, method, path, 403, json=body, user_id=streamer.owner_id)
    (row,) = await site.rows("SELECT email, token_version FROM users")
    assert row == {"email": "anna@example.org", "token_version": 1}
