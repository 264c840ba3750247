"""`/metrics`: for Prometheus on this machine or in our networks, or with the token; for nobody else."""

import uuid
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from domain import self_check
from domain.payment_status import NewsStatus as N
from domain.self_check import Depth, Finding
from infra import queries
from tests.builders import hear, make_streamer, open_donation
from tests.support.site import Site, open_site

TOKEN = "a long random token"


def samples(text: str) -> dict[str, float]:
    """By name and labels, as written."""

    def read() -> Iterator[tuple[str, float]]:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
                yield f"{sample.name}{{{labels}}}" if labels else sample.name, sample.value

    return dict(read())


async def test_what_waits_and_what_is_known(site: Site) -> None:
    async with site.pool.acquire() as connection:
        streamer = await make_streamer(connection)
        await open_donation(connection, streamer)
        _, payment = await open_donation(connection, streamer)
        await hear(connection, payment, N.CONFIRMED)
        await connection.execute("ANALYZE payments")
        await connection.execute("INSERT INTO provider_health (provider, failures) VALUES ('tbank', 4)")
        await queries.relays.renew_relay(connection, relay_id=uuid.uuid4(), listening=True, dead_letters=2)
        run_id = await self_check.begin_run(connection, Depth.FULL)
        await self_check.finish_run(connection, run_id, [Finding("wrong_totals", 3, (1,))])
    answer = await site.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    found = samples(answer.text)
    assert found["streamcash_outbox_rows"] > 0
    assert found["streamcash_outbox_oldest_seconds"] >= 0
    assert found["streamcash_notifications_unprocessed"] == 0
    assert found["streamcash_alerts_waiting"] == 1
    assert found["streamcash_refunds_open"] == 0
    assert found["streamcash_relays_running"] == 1
    assert found["streamcash_dead_letters"] == 2
    assert found["streamcash_payments_waiting{status=pending}"] == 1
    assert found["streamcash_provider_failures{provider=tbank}"] == 4
    assert found["streamcash_self_check_found{rule=wrong_totals,severity=broken}"] == 3
    assert found["streamcash_self_check_age_seconds{depth=full}"] >= 0
    assert found["streamcash_self_check_age_seconds{depth=recent}"] >= 0


async def test_before_anything_happened(site: Site) -> None:
    found = samples((await site.client.get("/metrics")).text)
    assert found["streamcash_alerts_waiting"] == 0
    # Nobody knows: no number is better than a wrong one.
    assert "streamcash_dead_letters" not in found
    assert not [name for name in found if "self_check" in name]


async def test_payments_are_estimated_and_not_counted(site: Site) -> None:
    async with site.pool.acquire() as connection:
        streamer = await make_streamer(connection)
        for _ in range(6):
            await open_donation(connection, streamer)
        for _ in range(3):
            _, payment = await open_donation(connection, streamer)
            await hear(connection, payment, N.CONFIRMED)
        await connection.execute("ANALYZE payments")
    found = samples((await site.client.get("/metrics")).text)
    assert found["streamcash_payments_estimate{status=pending}"] == 6
    assert found["streamcash_payments_estimate{status=confirmed}"] == 3


@pytest.mark.parametrize("header", ["Bearer a wrong token", f"Basic {TOKEN}", TOKEN, "Bearer", "Bearer ключ"])
async def test_what_came_through_a_proxy_needs_the_token(fresh_database_url: str, redis_url: str, header: str) -> None:
    proxied = {"X-Forwarded-For": "127.0.0.1"}
    async with open_site(fresh_database_url, redis_url, metrics_token=TOKEN, trusted_proxies="127.0.0.0/8") as site:
        assert (await site.client.get("/metrics", headers=proxied)).status_code == 404
        wrong = {b"X-Forwarded-For": b"127.0.0.1", b"Authorization": header.encode()}
        assert (await site.client.get("/metrics", headers=wrong)).status_code == 404
        right = await site.client.get("/metrics", headers={**proxied, "Authorization": f"Bearer {TOKEN}"})
        assert right.status_code == 200


async def test_without_a_token_nothing_opens_it_from_outside(site: Site) -> None:
    for header in ("Bearer", "Bearer None", ""):
        headers = {"X-Forwarded-For": "203.0.113.7", "Authorization": header}
        answer = await site.client.get("/metrics", headers=headers)
        assert answer.status_code == 404


async def test_who_is_not_of_this_machine_needs_the_token(
    fresh_database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_site(fresh_database_url, redis_url, metrics_token=TOKEN) as site:
        monkeypatch.setattr("web.metrics._LOOPBACK", "10.0.0.0/8")
        assert (await site.client.get("/metrics")).status_code == 404
        client: httpx.AsyncClient = site.client
        answer = await client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
