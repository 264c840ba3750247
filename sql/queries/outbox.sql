-- name: insert_event!
-- A fact for the exchange and the actors that subscribe to it.
INSERT INTO outbox (kind, name, data) VALUES ('event', :name, :data);

-- name: insert_events!
-- Several facts at once, in this order.
INSERT INTO outbox (kind, name, data)
SELECT 'event', fact.name, fact.data
FROM unnest(:names::text[], :data::jsonb[]) WITH ORDINALITY AS fact (name, data, number)
ORDER BY fact.number;

-- name: insert_task!
-- A wish that one actor acts, now or in a while.
INSERT INTO outbox (kind, name, data, available_at)
VALUES ('task', :name, :data, now() + make_interval(secs => :delay_seconds));

-- name: claim_outbox
-- What may be published now, oldest first; rows another relay holds are passed over.
SELECT id, kind, name, data, event_id, created_at, tries
FROM outbox
WHERE available_at <= now()
ORDER BY available_at, id
LIMIT :limit
FOR UPDATE SKIP LOCKED;

-- name: delete_outbox!
DELETE FROM outbox WHERE id = ANY(:ids::bigint[]);

-- name: postpone_outbox!
-- A row that failed alone gets its own back-off, up to five minutes.
UPDATE outbox
SET tries = tries + 1,
    available_at = now() + make_interval(secs => least(300, power(2, least(tries, 10)))),
    last_error = :error
WHERE id = :id;

-- name: read_outbox_age^
-- How many rows wait past their time, and for how many seconds the oldest does.
SELECT count(*) AS rows, coalesce(extract(epoch FROM now() - min(available_at)), 0)::float8 AS oldest_seconds
FROM outbox WHERE available_at <= now();

-- name: notify_outbox!
-- Wake the relays. Sent after the commit, outside the writing transaction. A hint that a crash may take away: it does
-- not wait for the disk.
SELECT set_config('synchronous_commit', 'off', true), pg_notify('outbox', '');
