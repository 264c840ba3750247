-- name: store_notification^
-- Keep a verified notification and ask the actor, in one statement; a repeat is counted and asks again. One whose
-- outcome may be another by now is as good as unprocessed, for the sweeper too.
WITH stored AS (
    INSERT INTO inbox (terminal_id, dedup_key, body, order_id, provider_payment_id)
    VALUES (:terminal_id, :dedup_key, :body, :order_id, :provider_payment_id)
    ON CONFLICT (terminal_id, dedup_key) DO UPDATE
    SET repeats = inbox.repeats + 1, last_received_at = now(), next_ask_at = now() + interval '30 seconds',
        processed_at = CASE WHEN inbox.outcome = ANY(:open_outcomes::text[]) THEN NULL ELSE inbox.processed_at END
    RETURNING id, repeats
), asked AS (
    INSERT INTO outbox (kind, name, data)
    SELECT 'task', :actor, jsonb_build_object('argument', id) FROM stored
)
SELECT id, repeats FROM stored;

-- name: store_wish^
-- An unsigned notification of a payment of ours: only the wish to look at it. One that comes again soon after it was
-- acted on waits for the sweeper: nobody can make us ask the provider all the time, and no wish is forgotten.
WITH stored AS (
    INSERT INTO inbox (terminal_id, dedup_key, body, order_id, provider_payment_id)
    VALUES (:terminal_id, :dedup_key, :body, :order_id, :provider_payment_id)
    ON CONFLICT (terminal_id, dedup_key) DO UPDATE
    SET repeats = inbox.repeats + 1, last_received_at = now(), processed_at = NULL,
        next_ask_at = CASE WHEN inbox.processed_at IS NULL THEN inbox.next_ask_at
                           WHEN inbox.processed_at < now() - make_interval(secs => :pause_seconds)
                           THEN now() + interval '30 seconds'
                           ELSE now() + make_interval(secs => :pause_seconds) END
    RETURNING id, repeats,
              old.id IS NULL OR old.processed_at < now() - make_interval(secs => :pause_seconds) AS is_due
), asked AS (
    INSERT INTO outbox (kind, name, data)
    SELECT 'task', :actor, jsonb_build_object('argument', id) FROM stored WHERE is_due
)
SELECT id, repeats FROM stored;

-- name: find_told_payment^
-- The payment of this provider that an unsigned notification speaks of: by the provider's id, else by our order.
SELECT payments.id, payments.terminal_id
FROM payments JOIN terminals ON terminals.id = payments.terminal_id
WHERE terminals.provider = :provider AND payments.id = coalesce(
    (SELECT told.id FROM payments AS told JOIN terminals ON terminals.id = told.terminal_id
     WHERE told.provider_payment_id = :provider_payment_id AND terminals.provider = :provider LIMIT 1),
    (SELECT told.id FROM payments AS told JOIN terminals ON terminals.id = told.terminal_id
     WHERE told.order_id = :order_id AND terminals.provider = :provider LIMIT 1));

-- name: lock_notification^
-- The notification, its terminal's provider and the payment it speaks of: by our order, or by the provider's id where
-- it names no order. Held until it is processed.
SELECT inbox.id, inbox.terminal_id, inbox.body, inbox.order_id, inbox.processed_at, terminals.provider,
       CASE WHEN inbox.order_id IS NOT NULL
            THEN (SELECT payments.id FROM payments
                  WHERE payments.terminal_id = inbox.terminal_id AND payments.order_id = inbox.order_id)
            ELSE (SELECT payments.id FROM payments
                  WHERE payments.terminal_id = inbox.terminal_id
                    AND payments.provider_payment_id = inbox.provider_payment_id) END AS payment_id
FROM inbox JOIN terminals ON terminals.id = inbox.terminal_id
WHERE inbox.id = :inbox_id FOR UPDATE OF inbox;

-- name: finish_notification!
UPDATE inbox SET processed_at = now(), outcome = :outcome, payment_id = :payment_id WHERE id = :inbox_id;

-- name: ask_unprocessed
-- The sweeper's look: notifications nobody has acted on, asked about ever more seldom.
WITH late AS (
    SELECT id FROM inbox WHERE processed_at IS NULL AND next_ask_at <= now()
    ORDER BY next_ask_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
UPDATE inbox
SET asks = asks + 1, next_ask_at = now() + make_interval(secs => least(3600, 60 * power(2, least(asks, 10))))
FROM late WHERE inbox.id = late.id
RETURNING inbox.id;

-- name: ask_again$
-- A person wants a notification that nobody could place to be looked at once more.
UPDATE inbox
SET processed_at = NULL, next_ask_at = now() + interval '30 seconds', asks = 0
FROM terminals
WHERE inbox.id = :inbox_id AND terminals.id = inbox.terminal_id AND terminals.streamer_id = :streamer_id
  AND inbox.outcome IN ('unknown_order', 'malformed') AND inbox.settled_at IS NULL
RETURNING inbox.id;

-- name: settle$
-- A person has dealt with it.
UPDATE inbox
SET settled_at = now(), settled_by = :user_id, settled_note = :note
FROM terminals
WHERE inbox.id = :inbox_id AND terminals.id = inbox.terminal_id AND terminals.streamer_id = :streamer_id
  AND inbox.outcome IN ('unknown_order', 'malformed') AND inbox.settled_at IS NULL
RETURNING inbox.id;

-- name: measure_late^
-- A streamer's notifications that nobody has acted on for minutes, and when the first of them came.
SELECT count(*)::integer AS late, min(inbox.received_at) AS since
FROM inbox JOIN terminals ON terminals.id = inbox.terminal_id
WHERE terminals.streamer_id = :streamer_id AND inbox.processed_at IS NULL
  AND inbox.last_received_at < now() - make_interval(secs => :late_seconds::float8);

-- name: hurry_late
-- They are to be looked at now; the sweeper goes on with its own times.
SELECT inbox.id
FROM inbox JOIN terminals ON terminals.id = inbox.terminal_id
WHERE terminals.streamer_id = :streamer_id AND inbox.processed_at IS NULL
ORDER BY inbox.received_at LIMIT :limit;
