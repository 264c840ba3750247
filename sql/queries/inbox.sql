-- name: store_notification^
-- Keep a verified notification and ask the actor, in one statement; a repeat is counted and asks again. One whose
-- outcome may be another by now is as good as unprocessed, for the sweeper too.
WITH stored AS (
    INSERT INTO inbox (terminal_id, dedup_key, body, order_id)
    VALUES (:terminal_id, :dedup_key, :body, :order_id)
    ON CONFLICT (terminal_id, dedup_key) DO UPDATE
    SET repeats = inbox.repeats + 1, last_received_at = now(), next_ask_at = now() + interval '30 seconds',
        processed_at = CASE WHEN inbox.outcome = ANY(:open_outcomes::text[]) THEN NULL ELSE inbox.processed_at END
    RETURNING id, repeats
), asked AS (
    INSERT INTO outbox (kind, name, data)
    SELECT 'task', :actor, jsonb_build_object('argument', id) FROM stored
)
SELECT id, repeats FROM stored;

-- name: lock_notification^
-- The notification, its terminal's provider and the payment it speaks of; held until it is processed.
SELECT inbox.id, inbox.terminal_id, inbox.body, inbox.order_id, inbox.processed_at, terminals.provider,
       payments.id AS payment_id
FROM inbox JOIN terminals ON terminals.id = inbox.terminal_id
LEFT JOIN payments ON payments.terminal_id = inbox.terminal_id AND payments.order_id = inbox.order_id
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
