"""What a streamer's statistics and dashboard cost after many donations.

    python -m tests.bench.statistics [--donations N] [--requests N]

Measures each page for a streamer with a thousand donations and for one with a million, spread over the last 400 days,
in turns. The donations are written straight into the tables, as the domain would have left them.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from typing import Any

import httpx

from domain.streamers import Streamer
from simulator.percentiles import percentile
from tests.support.leftovers import leftover_processes, mark_this_run
from tests.support.servers import TEMPLATE, Servers
from tests.support.site import Site, open_site

FEW = 1_000
DAYS = 400
PASSWORD = "correct horse battery"
PAGES = (
    "/dashboard",
    "/dashboard/part/totals",
    "/dashboard/part/best",
    "/dashboard/part/feed",
    "/dashboard/statistics?period=7",
    "/dashboard/statistics?period=30",
    "/dashboard/statistics?period=90",
    "/dashboard/statistics?period=year",
)


async def fill(connection: Any, streamer: Streamer, count: int) -> None:
    """So many paid donations, evenly over the last days: one name for each ten, one in eight without, sums as people
    give them. Without payments, ledger and alerts, which these pages count nothing of."""
    await connection.execute(
        """
        INSERT INTO donations (public_id, streamer_id, status, amount_minor, public_donor_name, public_message,
                               consent_version, created_at, paid_at)
        SELECT 'bench-' || $1::integer || '-' || lpad(n::text, 20, '0'), $1, 'paid',
               (array[10000, 10000, 30000, 30000, 50000, 100000, 100 * (100 + n % 4900)])[1 + n % 7],
               CASE WHEN n % 8 <> 0 THEN 'Donor ' || (n * 7919::bigint) % greatest($2::integer / 10, 1) END, 'Hello',
               '1', moment, moment
        FROM generate_series(1, $2) AS n,
             LATERAL (SELECT now() - $3 * interval '1 day' * ($2 - n) / $2 AS moment) AS at
        """,
        streamer.id, count, DAYS, timeout=600,
    )  # fmt: skip
    await connection.execute(
        """
        INSERT INTO streamer_days (streamer_id, day, net_minor, donations)
        SELECT streamer_id, (paid_at AT TIME ZONE 'Europe/Moscow')::date, sum(amount_minor), count(*)
        FROM donations WHERE streamer_id = $1 GROUP BY 1, 2
        """,
        streamer.id,
        timeout=600,
    )
    await connection.execute(
        """
        INSERT INTO streamer_totals (streamer_id, net_minor, donations)
        SELECT streamer_id, sum(net_minor), sum(donations) FROM streamer_days WHERE streamer_id = $1 GROUP BY 1
        """,
        streamer.id,
        timeout=600,
    )
    # As autovacuum leaves a table of this age.
    for table in ("donations", "streamer_days"):
        await connection.execute(f"VACUUM ANALYZE {table}", timeout=300)


async def sign_in(site: Site, streamer: Streamer) -> httpx.AsyncClient:
    client = httpx.AsyncClient(base_url=site.url, headers={"Origin": site.url}, timeout=60)
    answer = await client.post("/sign-in", data={"email": f"{streamer.slug}@example.org", "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return client


async def measure(site: Site, count: int, requests: int) -> list[str]:
    """Rows of a table: page, then p95 in milliseconds of few and of many, their ratio, and the slowest of many."""
    few, many = await site.add_streamer("few"), await site.add_streamer("many")
    async with site.pool.acquire() as connection:
        await connection.execute("SET statement_timeout = 0")
        await fill(connection, few, FEW)
        await fill(connection, many, count)
    clients = {"few": await sign_in(site, few), "many": await sign_in(site, many)}
    rows = []
    for page in PAGES:
        took: dict[str, list[float]] = {"few": [], "many": []}
        for _ in range(requests):
            for name, client in clients.items():
                began_at = time.perf_counter()
                answer = await client.get(page, headers={"HX-Request": "true"} if "/part/" in page else {})
                took[name].append((time.perf_counter() - began_at) * 1000)
                assert answer.status_code == 200, answer.text
        p95 = {name: percentile(values, 95) for name, values in took.items()}
        ratio = p95["many"] / p95["few"]
        rows.append(f"| {page} | {p95['few']:.0f} | {p95['many']:.0f} | {ratio:.2f} | {max(took['many']):.0f} |")
    for client in clients.values():
        await client.aclose()
    return rows


async def run(database_url: str, redis_url: str, count: int, requests: int) -> list[str]:
    async with open_site(database_url, redis_url) as site:
        return await measure(site, count, requests)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.statistics")
    parser.add_argument("--donations", type=int, default=1_000_000, metavar="N", help="default: %(default)s")
    parser.add_argument("--requests", type=int, default=60, metavar="N", help="of each page (default: %(default)s)")
    asked = parser.parse_args(arguments)
    mark_this_run()
    servers = Servers(fsync=True)
    try:
        redis_url = servers.valkey.url()
        database_url = asyncio.run(servers.postgres.create_database("bench", template=TEMPLATE))
        rows = asyncio.run(run(database_url, redis_url, asked.donations, asked.requests))
    finally:
        servers.stop()
    print(f"| page | p95 of {FEW}, ms | p95 of {asked.donations}, ms | ratio | slowest, ms |\n|---|---|---|---|---|")
    print("\n".join(rows))
    for process in leftover_processes():
        process.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
