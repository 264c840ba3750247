"""The page of one donation: it tells the truth of the tables, at once when that changes, and never the address's."""

import asyncio
import re

import pytest

from domain.donations import FINAL_STATES, DonorState
from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.streamers import Streamer
from infra.redis import open_redis, publish
from tests.support.servers import Servers
from tests.support.site import Site
from tests.web.donation_states import add_donation, bring_to, put_before
from tests.web.test_dashboard import connect_obs
from web import waiting

HTMX = {"HX-Request": "true"}

WORDS = {
    DonorState.CREATING: "Создаём платёж…",
    DonorState.UNAVAILABLE: "Банк не отвечает",
    DonorState.OPEN: "Перейти к оплате",
    DonorState.CHECKING: "Проверяем оплату…",
    DonorState.DECLINED: "Оплата не прошла",
    DonorState.EXPIRED: "Ссылка на оплату истекла",
    DonorState.REFUSED: "Банк сейчас не принимает платежи",
    DonorState.PAID_HELD: "Сообщение смотрит модератор",
    DonorState.QUEUED: "Ваш донат 1-й в очереди.",
    DonorState.PLAYING: "Сейчас на экране!",
    DonorState.SHOWN: "Показан на трансляции",
    DonorState.DROPPED: "поддержка дошла до стримера",
    DonorState.REVIEW: "Оплата получена, проверяем её",
    DonorState.RETURNED: "Пришла не та сумма",
    DonorState.REFUNDED: "Деньги возвращены",
    DonorState.PARTIALLY_REFUNDED: "Часть денег возвращена",
}


@pytest.fixture
def site(kept_site: Site) -> Site:
    return kept_site


async def donate(site: Site, streamer: Streamer, state: DonorState) -> tuple[int, str]:
    async with site.pool.acquire() as connection, connection.transaction():
        donation_id, public_id = await add_donation(connection, streamer)
        await bring_to(connection, donation_id, state)
    return donation_id, public_id


async def make_old(site: Site, seconds: int) -> None:
    await site.pool.execute("UPDATE payments SET created_at = created_at - make_interval(secs => $1)", seconds)


def version_of(page: str) -> str:
    found = re.search(r"/state\?version=([^\"]+)", page)
    assert found is not None, page
    return found[1]


async def test_a_name_that_may_not_be_shown_is_not_called_anonymous(site: Site, streamer: Streamer) -> None:
    _, public_id = await donate(site, streamer, DonorState.PAID_HELD)
    await site.pool.execute("UPDATE donations SET donor_name = 'Хам', public_donor_name = NULL")
    page = (await site.client.get(f"/d/{public_id}")).text
    assert "Имя не показываем" in page
    assert "Хам" not in page
    await site.pool.execute("UPDATE donations SET donor_name = NULL")
    assert "Аноним" in (await site.client.get(f"/d/{public_id}")).text


def test_every_state_has_words() -> None:
    assert set(WORDS) == set(DonorState)


@pytest.mark.parametrize("state", DonorState)
async def test_each_state_has_its_page(site: Site, streamer: Streamer, state: DonorState) -> None:
    _id, public_id = await donate(site, streamer, state)
    response = await site.client.get(f"/d/{public_id}")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert WORDS[state] in response.text
    assert "<bdi>Аня</bdi> · 300\N{NO-BREAK SPACE}₽" in response.text
    is_final = state in FINAL_STATES
    assert ("hx-get=" in response.text) is not is_final
    assert ("http-equiv" in response.text) is not is_final
    partial = await site.client.get(f"/d/{public_id}/state?version=other")
    assert partial.status_code == 200
    assert partial.text.strip() in response.text
    english = await site.client.get(f"/d/{public_id}", headers={"Accept-Language": "en"})
    body = re.sub("Привет из Омска|Аня|Анна|Русский|>А<", "", english.text)
    assert not re.search("[А-Яа-я]", body)


@pytest.mark.parametrize("state", [DonorState.CREATING, DonorState.DECLINED, DonorState.OPEN])
async def test_the_address_is_not_believed(site: Site, streamer: Streamer, state: DonorState) -> None:
    _id, public_id = await donate(site, streamer, state)
    response = await site.client.get(f"/d/{public_id}?Success=true&Status=CONFIRMED&state=shown&version=1&PaymentId=77")
    assert WORDS[state] in response.text


@pytest.mark.parametrize(
    ("alerts", "duration_ms", "words"),
    [
        (0, 0, "Ваш донат покажут следующим."),
        (2, 8000, "Ваш донат 3-й в очереди: меньше минуты."),
        (12, 20000, "Ваш донат 13-й в очереди: около 4 минут."),
        (3, 20000, "Ваш донат 4-й в очереди: около 1 минуты."),
    ],
)
async def test_the_place_in_the_queue(
    site: Site, streamer: Streamer, alerts: int, duration_ms: int, words: str
) -> None:
    _id, public_id = await donate(site, streamer, DonorState.QUEUED)
    await put_before(site.pool, streamer, alerts, max(duration_ms, 1000))
    await connect_obs(site, streamer)
    assert words in (await site.client.get(f"/d/{public_id}")).text


STANDSTILLS = {
    "no overlay": "DELETE FROM speakers",
    "hidden in OBS": "UPDATE speakers SET overlay_id = NULL",
    "paused": "UPDATE speakers SET paused_at = now()",
    "asked about": "UPDATE speakers SET asking_since = now()",
    "answered with later": "UPDATE speakers SET asking_since = now(), postponed = true",
}


@pytest.mark.parametrize("standstill", STANDSTILLS)
@pytest.mark.parametrize("alerts", [0, 5])
async def test_no_time_is_promised_while_the_queue_stands_still(
    site: Site, streamer: Streamer, standstill: str, alerts: int
) -> None:
    _id, public_id = await donate(site, streamer, DonorState.QUEUED)
    await put_before(site.pool, streamer, alerts, 8000)
    await connect_obs(site, streamer)
    moving = (await site.client.get(f"/d/{public_id}")).text
    await site.pool.execute(STANDSTILLS[standstill])
    page = (await site.client.get(f"/d/{public_id}")).text
    assert f"Ваш донат {alerts + 1}-й в очереди. Трансляция сейчас не показывает алерты" in page
    assert "Деньги уже у стримера." in page
    assert "минут" not in page
    assert "покажут следующим" not in page
    assert version_of(page) != version_of(moving), "an open page learns of it"


async def test_what_came_after_a_postponed_question_plays(site: Site, streamer: Streamer) -> None:
    _id, public_id = await donate(site, streamer, DonorState.QUEUED)
    await connect_obs(site, streamer)
    await put_before(site.pool, streamer, 1, 8000)
    await site.pool.execute("UPDATE alerts SET playable_at = now() - interval '1 hour' WHERE kind = 'test'")
    await site.pool.execute("UPDATE speakers SET asking_since = now() - interval '1 minute', postponed = true")
    assert "Трансляция сейчас не показывает" not in (await site.client.get(f"/d/{public_id}")).text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (DonorState.CREATING, "Не платите второй раз"),
        (DonorState.CHECKING, "Не платите второй раз"),
        (DonorState.OPEN, "Выключите VPN"),
    ],
)
async def test_a_slow_bank_is_explained(site: Site, streamer: Streamer, state: DonorState, words: str) -> None:
    _id, public_id = await donate(site, streamer, state)
    quick = (await site.client.get(f"/d/{public_id}")).text
    assert words not in quick
    await make_old(site, 16)
    response = await site.client.get(f"/d/{public_id}/state?version={version_of(quick)}")
    assert response.status_code == 200
    assert words in response.text


# Waiting.


async def test_a_wait_is_answered_when_the_payment_has_an_address(site: Site, streamer: Streamer) -> None:
    donation_id, public_id = await donate(site, streamer, DonorState.CREATING)
    version = version_of((await site.client.get(f"/d/{public_id}/state")).text)
    waiting_request = asyncio.create_task(site.client.get(f"/d/{public_id}/state?version={version}"))
    await asyncio.sleep(0.3)
    assert not waiting_request.done()
    await bring_to(site.pool, donation_id, DonorState.OPEN)
    redis = open_redis(site.settings.redis_url)
    wake = Wake(streamer.id, frozenset({Topic.DONATION}), donation_id)
    await publish(redis, WAKE_CHANNEL, [wake.encode()])
    await redis.aclose()
    response = await waiting_request
    assert response.status_code == 200
    assert 'href="https://bank.example/pay/77"' in response.text


async def test_waiting_works_with_redis_off(site: Site, streamer: Streamer, services: Servers) -> None:
    donation_id, public_id = await donate(site, streamer, DonorState.CREATING)
    version = version_of((await site.client.get(f"/d/{public_id}/state")).text)
    services.valkey.stop()
    waiting_request = asyncio.create_task(site.client.get(f"/d/{public_id}/state?version={version}"))
    await asyncio.sleep(0.3)
    await bring_to(site.pool, donation_id, DonorState.OPEN)
    response = await waiting_request
    assert WORDS[DonorState.OPEN] in response.text


async def test_without_news_the_wait_ends_and_changes_nothing(
    site: Site, streamer: Streamer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.pages.donate.WAIT_SECONDS", 0.2)
    _id, public_id = await donate(site, streamer, DonorState.DECLINED)
    version = version_of((await site.client.get(f"/d/{public_id}")).text)
    response = await site.client.get(f"/d/{public_id}/state?version={version}")
    assert response.status_code == 204
    assert response.content == b""


async def test_a_final_state_is_never_waited_for(site: Site, streamer: Streamer) -> None:
    _id, public_id = await donate(site, streamer, DonorState.SHOWN)
    first = await site.client.get(f"/d/{public_id}/state?version=")
    assert first.status_code == 200
    assert "hx-get" not in first.text


async def test_the_page_without_scripts_waits_for_the_address(site: Site, streamer: Streamer) -> None:
    donation_id, public_id = await donate(site, streamer, DonorState.CREATING)
    request = asyncio.create_task(site.client.get(f"/d/{public_id}"))
    await asyncio.sleep(0.3)
    assert not request.done()
    await bring_to(site.pool, donation_id, DonorState.OPEN)
    assert WORDS[DonorState.OPEN] in (await request).text


async def test_who_goes_away_leaves_nothing_behind(site: Site, streamer: Streamer) -> None:
    _id, public_id = await donate(site, streamer, DonorState.DECLINED)
    version = version_of((await site.client.get(f"/d/{public_id}")).text)
    waits = [asyncio.create_task(site.client.get(f"/d/{public_id}/state?version={version}")) for _ in range(5)]
    while waiting._waits < 5:
        await asyncio.sleep(0.02)
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    while waiting._waits:
        await asyncio.sleep(0.02)


async def test_beyond_the_cap_nobody_looks_at_the_database(
    site: Site, streamer: Streamer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.waiting.WAITS_MAX", 0)
    monkeypatch.setattr("web.waiting.CROWDED_SECONDS", 0.1)
    donation_id, public_id = await donate(site, streamer, DonorState.CREATING)
    version = version_of((await site.client.get(f"/d/{public_id}")).text)
    assert (await site.client.get(f"/d/{public_id}/state?version={version}")).status_code == 204
    await bring_to(site.pool, donation_id, DonorState.OPEN)
    assert (await site.client.get(f"/d/{public_id}/state?version={version}")).status_code == 200


# Another try.


@pytest.mark.parametrize("state", [DonorState.EXPIRED, DonorState.DECLINED])
async def test_another_try_makes_another_attempt(site: Site, streamer: Streamer, state: DonorState) -> None:
    _id, public_id = await donate(site, streamer, state)
    response = await site.client.post(f"/d/{public_id}/retry")
    assert response.status_code == 303
    assert response.headers["Location"] == f"/d/{public_id}"
    attempts = await site.rows("SELECT attempt, status FROM payments ORDER BY attempt")
    assert [attempt["status"] for attempt in attempts][1:] == ["new"]
    again = await site.client.post(f"/d/{public_id}/retry", headers=HTMX)
    assert again.status_code == 200
    assert WORDS[DonorState.CREATING] in again.text
    assert len(await site.rows("SELECT FROM payments")) == 2


async def test_a_paid_donation_is_not_paid_again(site: Site, streamer: Streamer) -> None:
    _id, public_id = await donate(site, streamer, DonorState.SHOWN)
    for headers in ({}, HTMX):
        response = await site.client.post(f"/d/{public_id}/retry", headers=headers)
        assert response.status_code == 409
        assert "уже оплачен" in response.text
        assert WORDS[DonorState.SHOWN] in response.text
    assert len(await site.rows("SELECT FROM payments")) == 1


async def test_another_site_may_not_try_again(site: Site, streamer: Streamer) -> None:
    _id, public_id = await donate(site, streamer, DonorState.EXPIRED)
    response = await site.client.post(f"/d/{public_id}/retry", headers={"Origin": "https://evil.example"})
    assert response.status_code == 403
    assert len(await site.rows("SELECT FROM payments")) == 1


async def test_trying_again_too_often(site: Site, streamer: Streamer) -> None:
    _id, public_id = await donate(site, streamer, DonorState.UNAVAILABLE)
    answers = [(await site.client.post(f"/d/{public_id}/retry")).status_code for _ in range(11)]
    assert answers == [303] * 10 + [429]
