"""The on-air mode: what is hidden, what turns it on and off, and that hidden values are not in the page at all."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest

from domain import on_air, overlays
from domain.on_air import OnAir, read_on_air
from domain.overlay_tokens import rotate_overlay_token
from domain.streamers import Streamer
from domain.users import create_user
from infra.crypto import SecretBox
from tests.support.site import Site
from tests.web.conftest import PASSWORD, signed_in
from tests.web.test_dashboard import box_of
from web.reveals import give_pass

STRIP = "On air: private things are hidden"
HTMX = {"HX-Request": "true"}


async def overlay_says(site: Site, streamer: Streamer, streaming: bool | None, overlay_id: uuid.UUID) -> None:
    """An overlay in OBS connects, or connects again, and says whether OBS streams."""
    async with site.pool.acquire() as connection, connection.transaction():
        token_id = await connection.fetchval(
            "SELECT id FROM overlay_tokens WHERE streamer_id = $1 AND revoked_at IS NULL", streamer.id
        )
        if token_id is None:
            await rotate_overlay_token(connection, box_of(site), streamer.id)
            token_id = await connection.fetchval("SELECT max(id) FROM overlay_tokens")
        await overlays.renew_process(connection, PROCESS)
        await overlays.connect_overlay(
            connection, process_id=PROCESS, streamer_id=streamer.id, token_id=token_id, overlay_id=overlay_id,
            in_obs=True, visible=True, active=True, streaming=streaming,
        )  # fmt: skip


async def overlay_leaves(site: Site, streamer: Streamer, overlay_id: uuid.UUID) -> None:
    async with site.pool.acquire() as connection, connection.transaction():
        assert await overlays.disconnect_overlay(
            connection, process_id=PROCESS, streamer_id=streamer.id, overlay_id=overlay_id
        )


PROCESS, OBS, OTHER = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()


async def is_on(client: httpx.AsyncClient) -> bool:
    return STRIP in (await client.get("/dashboard")).text


async def press(client: httpx.AsyncClient, on: str, **fields: str) -> httpx.Response:
    return await client.post("/dashboard/on-air", data={"on": on, **fields})


class TestSwitch:
    async def test_it_is_on_every_page_and_is_remembered(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        assert not await is_on(her)
        answer = await press(her, "yes", back="/dashboard/money?year=2026")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard/money?year=2026")
        for path in ("/dashboard", "/dashboard/money", "/dashboard/statistics", "/dashboard/attention"):
            page = (await her.get(path)).text
            assert STRIP in page, path
            assert 'aria-pressed="true"' in page, path
        async with signed_in(site, f"{streamer.slug}@example.org") as her_phone:
            assert await is_on(her_phone)
            await press(her_phone, "no")
        assert not await is_on(her)

    async def test_two_presses_do_not_undo_each_other(self, her: httpx.AsyncClient) -> None:
        await press(her, "yes")
        await press(her, "yes")
        assert await is_on(her)

    async def test_garbage_changes_nothing(self, her: httpx.AsyncClient) -> None:
        for on in ("", "maybe", "YES"):
            assert (await press(her, on)).status_code == 422
        assert not await is_on(her)

    async def test_it_leads_back_to_our_own_pages_only(self, her: httpx.AsyncClient) -> None:
        for back in ("https://evil.example/", "//evil.example", "", "/\\evil.example"):
            assert (await press(her, "no", back=back)).headers["Location"] == "/dashboard"

    async def test_a_stranger_has_none(self, site: Site) -> None:
        for answer in (await press(site.client, "yes"), await site.client.get("/dashboard/on-air", headers=HTMX)):
            assert "/sign-in" in (answer.headers.get("Location") or answer.headers["HX-Redirect"])

    async def test_the_switch_alone_is_for_scripts(self, her: httpx.AsyncClient) -> None:
        assert (await her.get("/dashboard/on-air")).headers["Location"] == "/dashboard"
        answer = await her.get("/dashboard/on-air", params={"back": "/dashboard/money"}, headers=HTMX)
        assert 'data-on="no"' in answer.text
        assert 'value="/dashboard/money"' in answer.text

    async def test_it_is_a_persons_own(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        """An operator who looks at her page while she streams shares no screen."""
        async with site.pool.acquire() as connection:
            await create_user(connection, "root@example.org", PASSWORD, is_superuser=True)
        await press(her, "yes")
        async with signed_in(site, "root@example.org") as his:
            page = (await his.get(f"/dashboard?streamer={streamer.slug}")).text
            assert STRIP not in page
            await press(his, "yes")
            assert STRIP in (await his.get("/admin/attention")).text


class TestStream:
    async def test_a_stream_turns_it_on_and_its_end_off(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        await overlay_says(site, streamer, False, OBS)
        assert not await is_on(her)
        await overlay_says(site, streamer, True, OBS)
        assert await is_on(her)
        await overlay_says(site, streamer, False, OBS)
        assert not await is_on(her)

    async def test_turned_off_by_hand_it_stays_off_until_the_next_stream(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        await overlay_says(site, streamer, True, OBS)
        await press(her, "no")
        assert not await is_on(her)
        # The source is loaded anew in the middle of the stream.
        await overlay_leaves(site, streamer, OBS)
        await overlay_says(site, streamer, True, OTHER)
        assert not await is_on(her)
        await overlay_says(site, streamer, False, OTHER)
        await overlay_says(site, streamer, True, OTHER)
        assert await is_on(her)

    async def test_turned_on_by_hand_it_outlives_the_stream(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        await press(her, "yes")
        await overlay_says(site, streamer, True, OBS)
        await overlay_says(site, streamer, False, OBS)
        assert await is_on(her)

    async def test_a_source_that_is_away_for_a_moment_shows_nothing(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        await overlay_says(site, streamer, True, OBS)
        await overlay_leaves(site, streamer, OBS)
        assert await is_on(her)
        # Another computer's OBS does not stream, and does not speak for the one that is missing.
        await overlay_says(site, streamer, False, OTHER)
        assert await is_on(her)
        await site.pool.execute("UPDATE speakers SET streaming_left_at = now() - interval '4 minutes'")
        assert not await is_on(her)
        await overlay_says(site, streamer, True, OBS)
        assert await is_on(her)

    async def test_a_killed_realtime_leaves_it_on_for_a_while(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        await overlay_says(site, streamer, True, OBS)
        async with site.pool.acquire() as connection, connection.transaction():
            assert await overlays.end_process(connection, PROCESS) == [streamer.id]
        assert await site.pool.fetchval("SELECT streaming_left_at IS NOT NULL FROM speakers")
        assert await is_on(her)

    async def test_two_sources_of_one_obs(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        await overlay_says(site, streamer, True, OBS)
        await overlay_says(site, streamer, True, OTHER)
        await overlay_leaves(site, streamer, OTHER)
        assert await site.pool.fetchval("SELECT streaming_left_at IS NULL FROM speakers")
        assert await is_on(her)

    async def test_another_streamers_stream_is_not_hers(self, site: Site, her: httpx.AsyncClient) -> None:
        boris = await site.add_streamer("boris", "Борис")
        await overlay_says(site, boris, True, OBS)
        assert not await is_on(her)

    async def test_what_knows_nothing_says_nothing(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        await overlay_says(site, streamer, True, OBS)
        await overlay_says(site, streamer, None, OBS)
        assert await is_on(her)

    async def test_a_user_that_is_gone_is_not_on_air(self, site: Site) -> None:
        async with site.pool.acquire() as connection:
            assert await read_on_air(connection, 2**31 - 1) == OnAir(False, None, None)
            await on_air.choose(connection, 2**31 - 1, True)


async def test_the_later_of_the_two_decides(site: Site) -> None:
    now = await site.pool.fetchval("SELECT now()")
    before, after = now - timedelta(seconds=1), now + timedelta(seconds=1)
    cases = {
        (False, None, None): False,
        (True, before, None): True,
        (False, None, now): True,
        (False, before, now): True,
        (False, after, now): False,
        (True, before, now): True,
        (True, after, now): True,
    }
    for (chosen, chosen_at, since), expected in cases.items():
        assert OnAir(chosen, chosen_at, since).is_on is expected, (chosen, chosen_at, since)


@pytest.fixture
async def secrets(site: Site, streamer: Streamer) -> dict[str, str]:
    """What must not be in any page while the mode is on, by what it is."""
    async with site.pool.acquire() as connection, connection.transaction():
        token = await rotate_overlay_token(connection, box_of(site), streamer.id)
        await connection.execute(
            "INSERT INTO streamer_days (streamer_id, day, net_minor, donations)"
            " VALUES ($1, (now() AT TIME ZONE 'Europe/Moscow')::date, 4_321_00, 3)", streamer.id,
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO streamer_totals (streamer_id, net_minor, donations) VALUES ($1, 98_765_00, 41)", streamer.id
        )
        key = await connection.fetchval("SELECT terminal_key FROM terminals WHERE streamer_id = $1", streamer.id)
    return {"overlay": token, "today": "4\u00a0321", "all": "98\u00a0765", "terminal": key}


class TestHidden:
    PAGES = ("/dashboard", "/dashboard/part/totals", "/dashboard/statistics", "/dashboard/terminals")

    async def test_values_are_in_the_pages_only_while_it_is_off(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient, secrets: dict[str, str]
    ) -> None:
        async def read() -> str:
            reveal = give_pass(SecretBox(site.settings.secret_keys.get_secret_value()), streamer.id)
            pages = [await her.get(path, headers=HTMX if "part" in path else {}) for path in self.PAGES]
            pages += [
                await her.get("/dashboard", params={"reveal": reveal}),
                await her.get("/dashboard/part/overlay", params={"reveal": reveal}, headers=HTMX),
            ]
            assert {page.status_code for page in pages} == {200}
            return "".join(page.text for page in pages)

        shown = await read()
        assert {name for name, value in secrets.items() if value in shown} == set(secrets)
        await press(her, "yes")
        hidden = await read()
        assert {name for name, value in secrets.items() if value in hidden} == set()
        assert "••••" in hidden
        await press(her, "no")
        assert secrets["overlay"] in await read()

    async def test_the_address_can_still_be_copied_unseen(
        self, her: httpx.AsyncClient, secrets: dict[str, str]
    ) -> None:
        await press(her, "yes")
        assert "data-copy-from" in (await her.get("/dashboard")).text
        answer = await her.post("/dashboard/overlay-address")
        assert answer.json()["address"].endswith(secrets["overlay"])

    async def test_the_ledgers_figures(
        self, her: httpx.AsyncClient, money_of_her: Callable[[], Awaitable[str]]
    ) -> None:
        figure = await money_of_her()
        assert figure in (await her.get("/dashboard/money")).text
        await press(her, "yes")
        assert figure not in (await her.get("/dashboard/money")).text


@pytest.fixture
def money_of_her(site: Site, streamer: Streamer) -> Callable[[], Awaitable[str]]:
    async def write() -> str:
        await site.pool.execute(
            "INSERT INTO ledger_days (streamer_id, day, came_minor, refunded_minor, charged_back_minor, fees_minor,"
            " donations) VALUES ($1, (now() AT TIME ZONE 'Europe/Moscow')::date, 777_123_00, 0, 0, 0, 2)", streamer.id,
        )  # fmt: skip
        return "777\u00a0123"

    return write
