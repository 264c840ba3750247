-- name: count_waiting^
-- What waits for somebody: cheap to count, since only what waits is in these indexes.
SELECT (SELECT count(*) FROM inbox WHERE processed_at IS NULL) AS notifications,
       (SELECT count(*) FROM alerts WHERE status = 'queued' AND summary_id IS NULL) AS alerts,
       (SELECT count(*) FROM refunds WHERE next_try_at IS NOT NULL) AS refunds,
       (SELECT count(*) FROM webhook_deliveries WHERE status = 'waiting') AS deliveries,
       (SELECT count(*) FROM webhooks WHERE failing_since IS NOT NULL AND is_on) AS webhooks_failing;

-- name: count_waiting_payments
-- Payments that somebody will look at again, by state.
SELECT status, count(*) AS payments FROM payments WHERE next_check_at IS NOT NULL GROUP BY status;

-- name: estimate_payments
-- All payments by state, as PostgreSQL saw them at its last look (ANALYZE): counting them would read them all.
SELECT shares.status, (shares.share * greatest(tables.reltuples, 0))::bigint AS payments
FROM pg_class AS tables
JOIN pg_stats AS stats ON stats.schemaname = 'public' AND stats.tablename = tables.relname AND stats.attname = 'status'
CROSS JOIN LATERAL unnest(stats.most_common_vals::text::text[], stats.most_common_freqs) AS shares (status, share)
WHERE tables.oid = 'public.payments'::regclass;

-- name: list_provider_health
SELECT provider, failures FROM provider_health;
