"""The operator's list of accounts: who may, with what, and the last superuser."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from domain import operators
from domain.errors import NotAllowedError
from domain.users import create_user
from tests.support.site import Site
from tests.web.conftest import PASSWORD, signed_in
from tests.web.post import new_browser

ROOT, ANNA = "root@example.org", "anna@example.org"


@pytest.fixture
async def ids(site: Site) -> dict[str, int]:
    await site.add_streamer()
    async with site.pool.acquire() as connection:
        root = await create_user(connection, ROOT, PASSWORD, is_superuser=True)
        anna = await connection.fetchval("SELECT id FROM users WHERE email = $1", ANNA)
    return {ROOT: root.id, ANNA: anna}


@pytest.fixture
async def root(site: Site, ids: dict[str, int]) -> AsyncIterator[httpx.AsyncClient]:
    assert ids
    async with signed_in(site, ROOT) as client:
        yield client


async def test_only_superusers_get_in(site: Site, ids: dict[str, int]) -> None:
    act = f"/admin/users/{ids[ROOT]}/block"
    async with signed_in(site, ANNA) as anna, new_browser(site) as nobody:
        assert (await anna.get("/admin/users")).status_code == 404
        assert (await anna.get("/admin")).status_code == 404
        assert (await anna.post(act, data={"password": PASSWORD})).status_code == 404
        assert (await nobody.get("/admin/users")).status_code == 303
        assert (await nobody.post(act, data={"password": PASSWORD})).status_code == 303
    assert await site.pool.fetchval("SELECT count(*) FROM users WHERE NOT is_active") == 0


async def test_the_address_an_operator_types_leads_to_the_first_page(root: httpx.AsyncClient) -> None:
    assert (await root.get("/admin")).headers["Location"] == "/admin/streamers"


async def test_the_list_is_searched_by_address_page_and_name(root: httpx.AsyncClient) -> None:
    for text, found in (("anna@", True), ("ANNA", True), ("анна", True), ("%", False), ("nobody", False)):
        page = (await root.get("/admin/users", params={"q": text})).text
        assert (ANNA in page) == found, text
    for before in ("-1", "x", "99999999999999999999"):
        assert (await root.get("/admin/users", params={"before": before})).status_code == 200, before


async def test_each_act_needs_the_password_and_is_logged(
    site: Site, root: httpx.AsyncClient, ids: dict[str, int]
) -> None:
    path = f"/admin/users/{ids[ANNA]}"
    for password in ("", "wrong"):
        answer = await root.post(f"{path}/promote", data={"password": password})
        assert (answer.status_code, "nothing was changed" in answer.text) == (422, True)
    for act in ("promote", "demote", "block", "unblock"):
        done = await root.post(f"{path}/{act}", data={"password": PASSWORD})
        assert f"said=user-{act}" in done.headers["Location"]
        again = await root.post(f"{path}/{act}", data={"password": PASSWORD})
        assert "said=nothing-to-do" in again.headers["Location"]
    log = await site.rows("SELECT action, user_id, by_user_id FROM account_log ORDER BY id")
    assert [row["action"] for row in log] == ["superuser_made", "superuser_unmade", "blocked", "unblocked"]
    assert {(row["user_id"], row["by_user_id"]) for row in log} == {(ids[ANNA], ids[ROOT])}
    assert "no longer a superuser" in (await root.get("/admin/users")).text


@pytest.mark.parametrize("path", ["0/block", "99999999999/block", "{anna}/erase", "{anna}/"])
async def test_what_is_not_there(root: httpx.AsyncClient, ids: dict[str, int], path: str) -> None:
    answer = await root.post(f"/admin/users/{path.format(anna=ids[ANNA])}", data={"password": PASSWORD})
    assert answer.status_code == 404


async def test_a_blocked_account_is_out_and_its_page_closed(
    site: Site, root: httpx.AsyncClient, ids: dict[str, int]
) -> None:
    async with signed_in(site, ANNA) as anna:
        assert (await site.client.get("/donate/anna")).status_code == 200
        await root.post(f"/admin/users/{ids[ANNA]}/block", data={"password": PASSWORD})
        assert (await anna.get("/account")).status_code == 303
        assert (await anna.post("/sign-in", data={"email": ANNA, "password": PASSWORD})).status_code == 422
        assert (await site.client.get("/donate/anna")).status_code == 404
        await root.post(f"/admin/users/{ids[ANNA]}/unblock", data={"password": PASSWORD})
        assert (await site.client.get("/donate/anna")).status_code == 200


async def test_the_last_superuser_stays_whoever_is_quick(
    site: Site, root: httpx.AsyncClient, ids: dict[str, int]
) -> None:
    for act in ("demote", "block"):
        answer = await root.post(f"/admin/users/{ids[ROOT]}/{act}", data={"password": PASSWORD})
        assert (answer.status_code, "only superuser" in answer.text) == (409, True)

    async def demote(user_id: int) -> bool:
        try:
            async with site.pool.acquire() as connection, connection.transaction():
                return await operators.demote(connection, user_id, user_id)
        except NotAllowedError:
            return False

    await site.pool.execute("UPDATE users SET is_superuser = true")
    done = await asyncio.gather(*(demote(user_id) for user_id in ids.values()))
    assert sorted(done) == [False, True]
    assert await site.pool.fetchval("SELECT count(*) FROM users WHERE is_superuser") == 1
