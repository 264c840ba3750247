-- Rules of what stands still or waits for a person; each returns what those of self_check.sql do.

-- name: find_forgotten_payments
-- Not over, and nobody will look at it again.
SELECT payments.id AS example, count(*) OVER () AS found FROM payments
WHERE payments.closed_at IS NULL AND payments.next_check_at IS NULL
  AND (:payment_ids::integer[] IS NULL OR payments.id = ANY(:payment_ids))
ORDER BY payments.id DESC LIMIT 5;

-- name: find_late_checks
-- Nobody looked though it was time to. Those of a provider that rests are left alone on purpose.
SELECT payments.id AS example, count(*) OVER () AS found
FROM payments
JOIN terminals ON terminals.id = payments.terminal_id
LEFT JOIN provider_health AS health ON health.provider = terminals.provider
WHERE payments.next_check_at < now() - interval '15 minutes' AND coalesce(health.failures, 0) < :failures_to_rest
ORDER BY payments.id DESC LIMIT 5;

-- name: find_stuck_questions
-- Somebody holds the right to ask for far too long, or never gave it back though the payment was looked at since (at
-- the latest after an hour).
SELECT payments.id AS example, count(*) OVER () AS found FROM payments
WHERE payments.next_check_at IS NOT NULL
  AND (payments.asked_until > now() + interval '10 minutes' OR payments.asked_until < now() - interval '75 minutes')
ORDER BY payments.id DESC LIMIT 5;

-- name: find_old_openings
SELECT payments.id AS example, count(*) OVER () AS found FROM payments
WHERE payments.status IN ('new', 'opening') AND payments.next_check_at IS NOT NULL
  AND payments.created_at < now() - interval '30 minutes'
ORDER BY payments.id DESC LIMIT 5;

-- name: find_vain_checks
-- The provider has been asked for hours and gives no answer that settles the payment.
SELECT payments.id AS example, count(*) OVER () AS found FROM payments
WHERE payments.next_check_at IS NOT NULL AND payments.checks >= 50
ORDER BY payments.id DESC LIMIT 5;

-- name: find_unprocessed_notifications
SELECT inbox.id AS example, count(*) OVER () AS found FROM inbox
WHERE inbox.processed_at IS NULL AND inbox.last_received_at < now() - interval '5 minutes'
ORDER BY inbox.id DESC LIMIT 5;

-- name: find_unsettled_notifications
SELECT inbox.id AS example, count(*) OVER () AS found FROM inbox
WHERE inbox.outcome IN ('unknown_order', 'malformed') AND inbox.settled_at IS NULL
ORDER BY inbox.id DESC LIMIT 5;

-- name: find_late_refunds
SELECT payment_id AS example, count(*) OVER () AS found FROM refunds
WHERE next_try_at < now() - interval '15 minutes'
ORDER BY id DESC LIMIT 5;

-- name: find_long_refunds
SELECT payment_id AS example, count(*) OVER () AS found FROM refunds
WHERE next_try_at IS NOT NULL AND created_at < now() - interval '2 hours'
ORDER BY id DESC LIMIT 5;

-- name: find_refused_refunds
-- Nobody has read why, nor wished for it again since.
SELECT refunds.payment_id AS example, count(*) OVER () AS found
FROM refunds JOIN payments ON payments.id = refunds.payment_id
WHERE refunds.status = 'refused' AND refunds.dismissed_at IS NULL
  AND payments.status <> 'refunded'
  AND NOT EXISTS (SELECT FROM refunds AS later WHERE later.payment_id = refunds.payment_id AND later.id > refunds.id)
ORDER BY refunds.id DESC LIMIT 5;

-- name: find_waiting_surplus
-- Money of a donation that was paid already, and nobody gives it back.
SELECT payments.id AS example, count(*) OVER () AS found
FROM payments LEFT JOIN LATERAL (
    SELECT coalesce(max(reached_minor) FILTER (WHERE kind = 'refund'), 0)
         + coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback'), 0)
         - coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback_reversal'), 0) AS minor
    FROM ledger_transactions WHERE payment_id = payments.id
) AS gone ON true
WHERE payments.booked_as IN ('surplus', 'review') AND payments.booked_as = 'surplus'
  AND payments.status <> 'refunded' AND gone.minor < payments.confirmed_minor
  AND NOT EXISTS (SELECT FROM refunds WHERE payment_id = payments.id AND finished_at IS NULL)
ORDER BY payments.id DESC LIMIT 5;

-- name: find_waiting_reviews
-- Another amount than asked for, older than a day, and nobody has decided.
SELECT payments.id AS example, count(*) OVER () AS found
FROM payments LEFT JOIN LATERAL (
    SELECT coalesce(max(reached_minor) FILTER (WHERE kind = 'refund'), 0)
         + coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback'), 0)
         - coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback_reversal'), 0) AS minor
    FROM ledger_transactions WHERE payment_id = payments.id
) AS gone ON true
WHERE payments.booked_as IN ('surplus', 'review') AND payments.booked_as = 'review'
  AND payments.status <> 'refunded' AND gone.minor < payments.confirmed_minor
  AND payments.confirmed_at < now() - interval '1 day'
  AND NOT EXISTS (SELECT FROM refunds WHERE payment_id = payments.id AND finished_at IS NULL)
ORDER BY payments.id DESC LIMIT 5;

-- name: find_unbooked_disputes
-- A registry told half an hour ago of a chargeback or a reversal of a booked payment, and the books lack it.
SELECT disputes.payment_id AS example, count(*) OVER () AS found
FROM (
    SELECT rows.payment_id,
           coalesce(sum(rows.amount_minor) FILTER (WHERE rows.kind = 'chargeback'), 0) AS taken_minor,
           coalesce(sum(rows.amount_minor) FILTER (WHERE rows.kind = 'chargeback_reversal'), 0) AS given_minor
    FROM registry_rows AS rows JOIN registry_files AS files ON files.id = rows.file_id
    WHERE rows.kind IN ('chargeback', 'chargeback_reversal') AND rows.payment_id IS NOT NULL
      AND files.created_at < now() - interval '30 minutes'
    GROUP BY rows.payment_id
) AS disputes
JOIN payments ON payments.id = disputes.payment_id AND payments.confirmed_at < now() - interval '30 minutes'
CROSS JOIN LATERAL (
    SELECT coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback'), 0) AS taken_minor,
           coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback_reversal'), 0) AS given_minor
    FROM ledger_transactions WHERE payment_id = disputes.payment_id
) AS booked
WHERE disputes.taken_minor > booked.taken_minor
   OR least(disputes.given_minor, disputes.taken_minor) > booked.given_minor
ORDER BY disputes.payment_id DESC LIMIT 5;

-- name: find_late_registries
-- A file that somebody brought is not read.
SELECT id AS example, count(*) OVER () AS found FROM registry_files
WHERE next_read_at < now() - interval '20 minutes'
ORDER BY id DESC LIMIT 5;

-- name: find_late_outbox
SELECT outbox.id AS example, count(*) OVER () AS found FROM outbox
WHERE outbox.available_at < now() - interval '60 seconds'
ORDER BY outbox.id DESC LIMIT 5;

-- name: find_failing_outbox
SELECT outbox.id AS example, count(*) OVER () AS found FROM outbox WHERE outbox.tries >= 5
ORDER BY outbox.id DESC LIMIT 5;

-- name: find_dead_letters
-- As many as the relay that sees most of them; no example: they are in RabbitMQ.
SELECT NULL::bigint AS example, max(dead_letters)::bigint AS found FROM relays
WHERE renewed_at > now() - interval '60 seconds' HAVING max(dead_letters) > 0;

-- name: find_missing_relays
SELECT NULL::bigint AS example, 1::bigint AS found
WHERE NOT EXISTS (SELECT FROM relays WHERE renewed_at > now() - interval '60 seconds');

-- name: find_deaf_relays
-- Not listening, two minutes after they started: they look each second only.
SELECT NULL::bigint AS example, count(*) AS found FROM relays
WHERE renewed_at > now() - interval '60 seconds' AND NOT listening AND started_at < now() - interval '2 minutes'
HAVING count(*) > 0;

-- name: find_waiting_alerts
-- Queues that stand still: the first has waited ten minutes, an overlay that may speak has been there for as long,
-- nothing holds the queue back, nothing plays, and nothing was offered meanwhile.
WITH waiting AS (
    SELECT alerts.streamer_id, min(alerts.id) AS first_id FROM alerts
    WHERE alerts.status = 'queued' AND alerts.summary_id IS NULL AND alerts.playable_at < now() - interval '10 minutes'
      AND is_paid(alerts)
      AND EXISTS (SELECT FROM overlays WHERE overlays.streamer_id = alerts.streamer_id)
    GROUP BY alerts.streamer_id
), offered AS (
    SELECT DISTINCT alerts.streamer_id FROM alert_leases JOIN alerts ON alerts.alert_id = alert_leases.alert_id
    WHERE alert_leases.offered_at > now() - interval '10 minutes'
)
SELECT waiting.first_id AS example, count(*) OVER () AS found
FROM waiting
LEFT JOIN speakers ON speakers.streamer_id = waiting.streamer_id
WHERE speakers.paused_at IS NULL
  AND (speakers.resume_at IS NULL OR speakers.resume_at < now() - interval '1 minute')
  AND NOT EXISTS (SELECT FROM questions WHERE questions.streamer_id = waiting.streamer_id)
  AND NOT EXISTS (SELECT FROM alerts WHERE alerts.streamer_id = waiting.streamer_id AND alerts.status = 'playing')
  AND waiting.streamer_id NOT IN (SELECT streamer_id FROM offered)
  AND EXISTS (
      SELECT FROM overlays AS overlay
      WHERE overlay.streamer_id = waiting.streamer_id AND overlay.visible
        AND overlay.connected_at < now() - interval '10 minutes'
        AND (overlay.in_obs OR overlay.is_widget OR NOT EXISTS (
            SELECT FROM overlays AS obs WHERE obs.streamer_id = waiting.streamer_id AND obs.in_obs)))
ORDER BY waiting.first_id DESC LIMIT 5;

-- name: find_dead_leases
-- An overlay fell silent long ago and the alert was not taken back from it.
SELECT alerts.id AS example, count(*) OVER () AS found FROM alerts
WHERE alerts.status = 'playing' AND alerts.leased_until < now() - interval '2 minutes'
ORDER BY alerts.id DESC LIMIT 5;

-- name: find_missing_holds
-- A held alert without an open hold. A sweep opens it one within a minute or two.
SELECT alerts.id AS example, count(*) OVER () AS found FROM alerts
WHERE alerts.status = 'held' AND alerts.created_at < now() - interval '5 minutes' AND is_paid(alerts)
  AND NOT EXISTS (SELECT FROM holds WHERE holds.alert_id = alerts.id AND holds.settled_at IS NULL)
ORDER BY alerts.id DESC LIMIT 5;

-- name: find_goals_behind
-- What a booking left undone and no sweep made up for.
SELECT donation_id AS example, count(*) OVER () AS found FROM goal_arrears
WHERE created_at < now() - interval '5 minutes'
ORDER BY donation_id DESC LIMIT 5;

-- name: find_failing_providers
SELECT NULL::bigint AS example, count(*) AS found FROM provider_health WHERE failures >= :failures_to_rest
HAVING count(*) > 0;
