-- What webhooks are told: written with the event, sent in order, kept as a log.

-- name: list_listening
-- The webhooks that are on, of these streamers.
SELECT id, streamer_id FROM webhooks WHERE streamer_id = ANY(:streamer_ids::integer[]) AND is_on;

-- name: wait_shortly!
-- The next statements wait for a row so long at most; '0': as long as it takes.
SELECT set_config('lock_timeout', :timeout, true);

-- name: lock_listening
-- Nobody ends a run of these meanwhile.
SELECT id, streamer_id, events FROM webhooks
WHERE id = ANY(:webhook_ids::integer[]) AND is_on ORDER BY id FOR NO KEY UPDATE;

-- name: lock_free_listening
-- The same, of those alone that nobody holds.
SELECT id, streamer_id, events FROM webhooks
WHERE id = ANY(:webhook_ids::integer[]) AND is_on ORDER BY id FOR NO KEY UPDATE SKIP LOCKED;

-- name: share_held_listening
-- Of these, those whose row somebody is changing, but not deleting: what is written for them keeps its place in the
-- order, and whoever holds the row need not know of it.
SELECT id, streamer_id, events FROM webhooks
WHERE id = ANY(:webhook_ids::integer[]) AND is_on ORDER BY id FOR KEY SHARE SKIP LOCKED;

-- name: insert_deliveries!
-- In this order; an event that was published twice is told once.
INSERT INTO webhook_deliveries (webhook_id, event_id, name, data, occurred_at)
SELECT fact.webhook_id, fact.event_id, fact.name, fact.data, fact.occurred_at
FROM unnest(:webhook_ids::integer[], :event_ids::uuid[], :names::text[], :data::jsonb[], :occurred_at::timestamptz[])
    WITH ORDINALITY AS fact (webhook_id, event_id, name, data, occurred_at, number)
ORDER BY fact.number
ON CONFLICT (webhook_id, event_id) DO NOTHING;

-- name: insert_test$
INSERT INTO webhook_deliveries (webhook_id, event_id, name, data, is_test, occurred_at, is_single)
SELECT id, gen_random_uuid(), :name, '{}', true, now(), true
FROM webhooks WHERE id = :webhook_id AND streamer_id = :streamer_id
RETURNING id;

-- name: repeat_one$
-- Once more, by hand; under its old number.
UPDATE webhook_deliveries delivery SET status = 'waiting', is_single = true, next_try_at = now()
FROM webhooks webhook
WHERE delivery.id = :delivery_id AND delivery.webhook_id = :webhook_id AND delivery.status <> 'waiting'
  AND webhook.id = delivery.webhook_id AND webhook.streamer_id = :streamer_id
RETURNING delivery.id;

-- name: repeat_missed!
-- What did not arrive, the oldest of it, in their order.
UPDATE webhook_deliveries delivery SET status = 'waiting', is_single = false, next_try_at = now(), tries = 0
FROM webhooks webhook
WHERE delivery.id IN (SELECT id FROM webhook_deliveries
                      WHERE webhook_id = :webhook_id AND status IN ('failed', 'dropped') AND NOT is_test
                      ORDER BY id LIMIT :limit)
  AND webhook.id = delivery.webhook_id AND webhook.streamer_id = :streamer_id AND webhook.is_on;

-- name: drop_one$
UPDATE webhook_deliveries delivery SET status = 'dropped', next_try_at = NULL
FROM webhooks webhook
WHERE delivery.id = :delivery_id AND delivery.webhook_id = :webhook_id AND delivery.status = 'waiting'
  AND webhook.id = delivery.webhook_id AND webhook.streamer_id = :streamer_id
RETURNING delivery.id;

-- name: drop_waiting!
-- It was switched off: what waits is not sent.
UPDATE webhook_deliveries SET status = 'dropped', next_try_at = NULL
WHERE webhook_id = :webhook_id AND status = 'waiting' AND NOT is_single;

-- name: make_due
-- There is something to send. Those that nobody was asked for yet are returned: the caller asks.
UPDATE webhooks
SET due_at = CASE WHEN :at_once::boolean THEN now() ELSE coalesce(due_at, now()) END,
    asked_until = now() + make_interval(secs => :seconds)
WHERE id = ANY(:webhook_ids::integer[]) AND (due_at IS NULL OR :at_once::boolean)
RETURNING id;

-- name: claim_due
-- Webhooks whose time has come and for which nobody was asked lately.
UPDATE webhooks SET asked_until = now() + make_interval(secs => :seconds)
WHERE id IN (SELECT id FROM webhooks
             WHERE due_at <= now() AND asked_until <= now() AND claimed_until <= now()
             ORDER BY due_at LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id;

-- name: give_back!
-- Nobody had room for it: it may be asked for again at once.
UPDATE webhooks SET asked_until = now() WHERE id = :webhook_id;

-- name: claim_webhook^
-- Begin a run: nobody else sends to it for `seconds`. No row: somebody does, or nothing is due.
UPDATE webhooks SET run = run + 1, claimed_until = now() + make_interval(secs => :seconds)
WHERE id = :webhook_id AND due_at <= now() AND claimed_until <= now()
RETURNING id, streamer_id, name, url, format, secret_encrypted, run,
          (SELECT slug FROM streamers WHERE streamers.id = webhooks.streamer_id) AS slug,
          CASE WHEN former_until > now() THEN former_secret_encrypted END AS former_secret_encrypted;

-- name: pick_delivery^
-- What this run sends now: what is to be tried once, then the first in the order, if its time has come.
WITH webhook AS (SELECT id, is_on FROM webhooks WHERE id = :webhook_id AND run = :run AND claimed_until > now()),
single AS (
    SELECT * FROM webhook_deliveries
    WHERE webhook_id = :webhook_id AND status = 'waiting' AND is_single ORDER BY id LIMIT 1
), head AS (
    SELECT * FROM webhook_deliveries
    WHERE webhook_id = :webhook_id AND status = 'waiting' AND NOT is_single ORDER BY id LIMIT 1
)
SELECT found.id, found.event_id, found.name, found.data, found.is_test, found.is_single, found.occurred_at, found.tries
FROM (SELECT * FROM single UNION ALL SELECT * FROM head WHERE next_try_at <= now()) found
JOIN webhook ON webhook.id = found.webhook_id AND (webhook.is_on OR found.is_single)
ORDER BY found.is_single DESC LIMIT 1;

-- name: finish_try$
-- What became of a try, unless another run has begun or somebody dropped it; `seconds` null: it is not tried again.
-- `is_ours`: the receiver was not asked.
UPDATE webhook_deliveries delivery
SET status = :status, tries = delivery.tries + CASE WHEN :is_ours::boolean THEN 0 ELSE 1 END, tried_at = now(), took_ms = :took_ms, http_status = :http_status,
    error = :error, detail = :detail, answer = :answer,
    next_try_at = now() + make_interval(secs => :seconds::float8)
FROM webhooks webhook
WHERE delivery.id = :delivery_id AND delivery.status = 'waiting'
  AND webhook.id = delivery.webhook_id AND webhook.run = :run
RETURNING delivery.id;

-- name: note_delivered!
UPDATE webhooks SET delivered_at = now(), failing_since = NULL WHERE id = :webhook_id;

-- name: hurry_head!
-- A try by hand arrived: what waits for a later try waits no longer.
UPDATE webhook_deliveries SET next_try_at = now()
WHERE webhook_id = :webhook_id AND status = 'waiting' AND next_try_at > now();

-- name: forget_failure!
-- What comes next is as good as new: its day begins with its own first failure.
UPDATE webhooks SET failing_since = NULL WHERE id = :webhook_id;

-- name: note_failure^
-- Since when it fails, in seconds, and whether more waits than is kept. What is our fault is no failure of the receiver,
-- whose day begins anew.
UPDATE webhooks SET failing_since = CASE WHEN NOT :is_ours::boolean THEN coalesce(failing_since, now()) END
WHERE id = :webhook_id
RETURNING coalesce(extract(epoch FROM now() - failing_since), 0)::float8 AS seconds,
          EXISTS (SELECT FROM webhook_deliveries
                  WHERE webhook_id = :webhook_id AND status = 'waiting' AND NOT is_single
                  OFFSET :most_waiting LIMIT 1) AS is_full;

-- name: lock_webhook$
-- Before the next statement, which has to see what was written until now.
SELECT id FROM webhooks WHERE id = :webhook_id FOR NO KEY UPDATE;

-- name: end_run^
-- Nobody sends to it now; `is_due`: there is more to do at once. For `rest_seconds` it is left alone.
UPDATE webhooks
SET claimed_until = '-infinity', asked_until = '-infinity',
    due_at = (SELECT greatest(min(waiting.next_try_at), now() + make_interval(secs => :rest_seconds)) FROM (
        (SELECT next_try_at FROM webhook_deliveries
         WHERE webhook_id = :webhook_id AND status = 'waiting' AND is_single ORDER BY id LIMIT 1)
        UNION ALL
        (SELECT next_try_at FROM webhook_deliveries
         WHERE webhook_id = :webhook_id AND status = 'waiting' AND NOT is_single AND webhooks.is_on ORDER BY id LIMIT 1)
    ) waiting HAVING count(*) > 0)
WHERE id = :webhook_id AND run = :run
RETURNING due_at <= now() AS is_due;

-- name: trim_log!
-- Of what arrived, and of tests, the oldest beyond so many. What did not arrive may be asked for again.
DELETE FROM webhook_deliveries
WHERE webhook_id = :webhook_id AND status <> 'waiting' AND (status = 'delivered' OR is_test)
  AND id < (SELECT id FROM webhook_deliveries
            WHERE webhook_id = :webhook_id AND status <> 'waiting' AND (status = 'delivered' OR is_test)
            ORDER BY id DESC OFFSET :most - 1 LIMIT 1);

-- name: list_held
-- Of these, those that somebody holds; the others nobody holds until the end of the transaction.
SELECT id FROM webhooks
WHERE id = ANY(:webhook_ids::integer[]) AND id NOT IN (
    SELECT free.id FROM (
        SELECT id FROM webhooks WHERE id = ANY(:webhook_ids::integer[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) free);

-- name: drop_forgotten!
-- Written down while somebody switched it off. Null: of all webhooks. Who holds a row is passed over.
UPDATE webhook_deliveries delivery SET status = 'dropped', next_try_at = NULL
FROM (SELECT id FROM webhooks
      WHERE NOT is_on AND (:webhook_ids::integer[] IS NULL OR id = ANY(:webhook_ids::integer[])) AND EXISTS (
          SELECT FROM webhook_deliveries waiting
          WHERE waiting.webhook_id = webhooks.id AND waiting.status = 'waiting' AND NOT waiting.is_single)
      ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) off
WHERE delivery.webhook_id = off.id AND delivery.status = 'waiting' AND NOT delivery.is_single;

-- name: wake_forgotten!
-- The net under it all: something waits and no time is written. Null: of all webhooks. Who holds a row is passed over.
UPDATE webhooks SET due_at = now()
WHERE id IN (
    SELECT id FROM webhooks
    WHERE due_at IS NULL AND (:webhook_ids::integer[] IS NULL OR id = ANY(:webhook_ids::integer[])) AND EXISTS (
        SELECT FROM webhook_deliveries delivery
        WHERE delivery.webhook_id = webhooks.id AND delivery.status = 'waiting'
          AND (webhooks.is_on OR delivery.is_single))
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED);

-- name: list_log
SELECT id, event_id, name, is_test, is_single, occurred_at, status, tries, tried_at, took_ms, http_status, error, detail,
       answer, next_try_at
FROM webhook_deliveries
WHERE webhook_id = :webhook_id AND id < coalesce(:before_id::bigint, 9223372036854775807)
ORDER BY id DESC LIMIT :limit;

-- name: get_one^
SELECT delivery.id, delivery.event_id, delivery.name, delivery.is_test, delivery.is_single, delivery.occurred_at,
       delivery.status, delivery.tries, delivery.tried_at, delivery.took_ms, delivery.http_status, delivery.error,
       delivery.detail, delivery.answer, delivery.next_try_at
FROM webhook_deliveries delivery JOIN webhooks webhook ON webhook.id = delivery.webhook_id
WHERE delivery.id = :delivery_id AND delivery.webhook_id = :webhook_id AND webhook.streamer_id = :streamer_id;

-- name: count_missed$
SELECT count(*) FROM webhook_deliveries
WHERE webhook_id = :webhook_id AND status IN ('failed', 'dropped') AND NOT is_test;

-- What is told: as it may leave us at the moment.

-- name: get_donation^
SELECT donation.id, donation.amount_minor, donation.currency, donation.paid_at,
       CASE WHEN donation.hidden_at IS NULL THEN donation.public_donor_name END AS name,
       CASE WHEN donation.hidden_at IS NULL THEN donation.public_message ELSE '' END AS message,
       donation.hidden_at IS NOT NULL AS is_hidden,
       EXISTS (SELECT FROM alerts WHERE donation_id = donation.id AND status = 'held') AS is_held,
       EXISTS (SELECT FROM test_payments WHERE donation_id = donation.id AND is_counted) AS is_test
FROM donations donation WHERE donation.id = :donation_id AND donation.streamer_id = :streamer_id;

-- name: get_alert^
SELECT alert.alert_id::text AS id, alert.kind, alert.donation_id,
       CASE WHEN donation.hidden_at IS NULL THEN alert.donor_name END AS name,
       CASE WHEN donation.hidden_at IS NULL THEN alert.message ELSE '' END AS message,
       alert.amount_minor, alert.currency, alert.donations, alert.shown_at
FROM alerts alert LEFT JOIN donations donation ON donation.id = alert.donation_id
WHERE alert.alert_id = :alert_id AND alert.streamer_id = :streamer_id;

-- name: get_goal^
SELECT goals.id, title, target_minor, currency, reached_at, progress.raised_minor
FROM goals JOIN goal_progress progress USING (id)
WHERE goals.id = :goal_id AND streamer_id = :streamer_id;
