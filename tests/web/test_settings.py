"""All settings on one page: every page of the menu where something is set, with its help and how it is set now."""

import re

import httpx

from domain.streamers import Streamer
from tests.support.site import Site
from web.pages.desk import MENU
from web.pages.settings import BESIDE
from web.pages.settings_states import STATES

SETTINGS = "/dashboard/settings"

# What one looks at or does there is no setting.
NO_SETTINGS = {
    "dashboard.show", "control.show", "moderation.show", "statistics.show", "history.show", "money.show",
    "attention.show", "settings.show", "attention.show_all", "admin_payments.show", "self_check.show",
    "applications.show",
}  # fmt: skip


def test_every_page_of_the_menu_is_there_or_is_no_setting() -> None:
    silent = {entry.endpoint for group in MENU for entry in group.entries if entry.about is None}
    assert silent <= NO_SETTINGS, "say in `about` of its MenuEntry what one sets there"
    known = {entry.endpoint for group in MENU for entry in group.entries}
    assert set(BESIDE) <= known
    beside = {one.endpoint + (f"#{one.place}" if one.place else "") for ones in BESIDE.values() for one in ones}
    assert set(STATES) <= known | beside


async def test_each_is_told_with_how_it_is_set(site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
    page = (await her.get(SETTINGS)).text
    for words in ("/anna, 4 amounts", "filter, 10 minutes", "OBS is not connected", "e-mail: not confirmed", "1 device",
                  "T-Bank", "not filled in: donors see no legal pages", "Find a setting"):  # fmt: skip
        assert words in page, words
    await site.pool.execute("UPDATE users SET email_confirmed_at = now()")
    await site.pool.execute("UPDATE streamers SET preset_amounts_minor = '{}'")
    await site.pool.execute("INSERT INTO moderation_settings (streamer_id, mode) VALUES ($1, 'off')", streamer.id)
    await site.pool.execute("UPDATE terminals SET retired_at = now()")
    page = (await her.get(SETTINGS)).text
    for words in ("/anna, no ready amounts", "e-mail: confirmed", "not connected: the page is closed"):
        assert words in page, words
    assert "filter, " not in page


async def test_each_leads_to_its_page(her: httpx.AsyncClient) -> None:
    page = (await her.get(SETTINGS)).text
    addresses = re.findall(r'<a class="setting" href="([^"]+)"', page)
    assert len(addresses) >= 15
    for address in addresses:
        answer = await her.get(address)
        assert answer.status_code == 200, address
        if "#" in address:
            assert f'id="{address.split("#")[1]}"' in answer.text, address


async def test_the_operators_own_are_hers_alone(her: httpx.AsyncClient, boss: httpx.AsyncClient) -> None:
    assert "/admin/" not in (await her.get(SETTINGS)).text
    page = (await boss.get(SETTINGS, params={"streamer": "anna"})).text
    assert 'href="/admin/mail"' in page
    assert 'href="/dashboard/page?streamer=anna"' in page
    assert 'href="/account#sessions"' in page, "her own account, not the streamer's"


async def test_from_the_menu_and_in_russian(her: httpx.AsyncClient) -> None:
    page = (await her.get("/dashboard", headers={"Accept-Language": "ru"})).text
    assert page.count(f'href="{SETTINGS}"') == 2, "in the menu, and behind “more” on a phone"
    page = (await her.get(SETTINGS, headers={"Accept-Language": "ru"})).text
    assert "Все настройки" in page
    assert "фильтр, 10 минут" in page
