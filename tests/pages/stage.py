"""What a site becomes only with time: donations of an hour ago, OBS connected, an alert that plays."""

from collections.abc import Sequence
from datetime import timedelta

from domain.streamers import Streamer
from infra import queries
from tests.support.site import Site

_MOVES = """
    UPDATE donations SET created_at = created_at - $2::interval, consented_at = consented_at - $2,
                         paid_at = paid_at - $2 WHERE id = $1;
    UPDATE payments SET created_at = created_at - $2::interval, opening_at = opening_at - $2,
                        opened_at = opened_at - $2, confirmed_at = confirmed_at - $2, closed_at = closed_at - $2
    WHERE donation_id = $1;
    UPDATE payment_news SET created_at = created_at - $2::interval
    WHERE payment_id IN (SELECT id FROM payments WHERE donation_id = $1);
    UPDATE ledger_transactions SET created_at = created_at - $2::interval
    WHERE payment_id IN (SELECT id FROM payments WHERE donation_id = $1);
    UPDATE alerts SET created_at = created_at - $2::interval, playable_at = playable_at - $2 WHERE donation_id = $1
"""
PLAYS_MS = 12_000


async def move_back(site: Site, streamer: Streamer, moves: Sequence[tuple[int, timedelta]]) -> None:
    """Donations, by id, as if each had come so much earlier; the days' sums follow."""
    async with site.pool.acquire() as connection, connection.transaction():
        # No trigger runs: the ledger may be changed by who made it up.
        await connection.execute("SET LOCAL session_replication_role = replica")
        for statement in _MOVES.split(";"):
            await connection.executemany(statement, moves)
        await queries.totals.delete_days(connection, streamer_id=streamer.id)
        await queries.totals.count_days(connection, streamer_id=streamer.id)


async def go_on_air(site: Site, streamer: Streamer) -> None:
    """OBS is there: it has shown what came, plays the newest donation, and the two before it wait."""
    async with site.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            """
            WITH process AS (
                INSERT INTO realtime_processes (id) VALUES (gen_random_uuid()) RETURNING id
            ), overlay AS (
                INSERT INTO overlays (id, streamer_id, token_id, process_id, in_obs, active, connected_at)
                SELECT gen_random_uuid(), $1, token.id, process.id, true, true, now() - interval '150 minutes'
                FROM overlay_tokens AS token, process WHERE token.streamer_id = $1
                RETURNING id
            )
            INSERT INTO speakers (streamer_id, overlay_id) SELECT $1, id FROM overlay
            ON CONFLICT (streamer_id) DO UPDATE SET overlay_id = excluded.overlay_id
            """,
            streamer.id,
        )
        newest = await connection.fetch(
            "SELECT id FROM alerts WHERE streamer_id = $1 AND status = 'queued' ORDER BY id DESC LIMIT 3", streamer.id
        )
        await connection.execute(
            "UPDATE alerts SET status = 'shown', shown_at = created_at + interval '20 seconds',"
            " finished_at = created_at + interval '28 seconds'"
            " WHERE streamer_id = $1 AND status = 'queued' AND id <> ALL($2)",
            streamer.id, [row["id"] for row in newest],
        )  # fmt: skip
        await connection.execute(
            """
            WITH played AS (
                UPDATE alerts SET status = 'playing', lease_id = gen_random_uuid(), started_at = now(),
                                  duration_ms = $3, leased_until = now() + interval '1 hour'
                WHERE id = $2 RETURNING lease_id, alert_id
            )
            INSERT INTO alert_leases (lease_id, alert_id, overlay_id, started_at)
            SELECT lease_id, alert_id, overlay_id, now() FROM played, speakers WHERE streamer_id = $1
            """,
            streamer.id, newest[0]["id"], PLAYS_MS,
        )  # fmt: skip


async def begin_again(site: Site) -> None:
    """What plays is at its third second: a picture does not show how long others took."""
    await site.pool.execute("UPDATE alerts SET started_at = now() - interval '3 seconds' WHERE status = 'playing'")
