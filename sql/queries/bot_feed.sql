-- name: read_horizon$
-- All that happened before this moment is visible to the next statement: what a transaction writes bears the time it
-- began at, and none that is open began earlier. One open for over five minutes is not waited for.
SELECT greatest(least(clock_timestamp(), min(xact_start)) - make_interval(secs => :margin_seconds::float8),
                clock_timestamp() - make_interval(secs => :wait_seconds::float8))
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();

-- name: list_donations
-- Donations of each streamer that were released or changed since a moment, in that order; the newest of very many.
-- Released: paid, and its alert was never held, or was let go (one that its streamer does not want shown is dropped
-- without a place in the queue). `at` is when the last of it happened.
SELECT donations.streamer_id, found.at, release.at AS released_at, donations.id, donations.public_id,
       donations.status, donations.amount_minor, donations.refunded_minor, donations.charged_back_minor,
       donations.currency, donations.public_donor_name AS donor_name, donations.public_message AS message,
       donations.hidden_at IS NOT NULL AS is_hidden, coalesce(donations.hidden_at > release.at, false) AS was_taken_back,
       donations.paid_at,
       EXISTS (SELECT FROM payments JOIN terminals ON terminals.id = payments.terminal_id
               WHERE payments.donation_id = donations.id AND payments.booked_as = 'donation'
                 AND terminals.is_test) AS is_test
FROM unnest(:streamer_ids::integer[], :sinces::timestamptz[]) AS asked (streamer_id, since)
CROSS JOIN LATERAL (
    SELECT change.donation_id, max(change.at) AS at
    FROM (
        (SELECT id, paid_at FROM donations
         WHERE streamer_id = asked.streamer_id AND paid_at >= asked.since
         ORDER BY paid_at DESC, id DESC LIMIT :limit)
        UNION ALL
        (SELECT payments.donation_id, moved.created_at
         FROM ledger_transactions moved JOIN payments ON payments.id = moved.payment_id
         WHERE moved.streamer_id = asked.streamer_id AND moved.created_at >= asked.since
           AND moved.kind IN ('refund', 'chargeback', 'chargeback_reversal')
         ORDER BY moved.created_at DESC LIMIT :limit)
        UNION ALL
        (SELECT donation_id, settled_at FROM holds
         WHERE streamer_id = asked.streamer_id AND settled_at >= asked.since
         ORDER BY settled_at DESC LIMIT :limit)
        UNION ALL
        (SELECT id, retold_at FROM donations
         WHERE streamer_id = asked.streamer_id AND retold_at >= asked.since
         ORDER BY retold_at DESC LIMIT :limit)
    ) AS change (donation_id, at)
    GROUP BY change.donation_id
    ORDER BY max(change.at) DESC LIMIT :limit
) AS found
JOIN donations ON donations.id = found.donation_id
JOIN alerts ON alerts.donation_id = donations.id AND alerts.kind = 'donation'
CROSS JOIN LATERAL (SELECT coalesce(alerts.playable_at, alerts.finished_at, donations.paid_at) AS at) AS release
WHERE donations.paid_at IS NOT NULL
  AND (alerts.playable_at IS NOT NULL
       OR (alerts.status <> 'held'
           AND coalesce((SELECT what IN ('show', 'show_without_text') FROM moderation_decisions
                         WHERE donation_id = donations.id
                           AND what IN ('hold', 'show', 'show_without_text', 'hide', 'undo')
                         ORDER BY id DESC LIMIT 1), true)))
ORDER BY found.at, donations.id;

-- name: list_alerts
-- Alerts of each streamer that wait (the first ones) or play, and those that ended since a moment; never one that was
-- held and not let go. `at` is when the last of it happened.
SELECT alert.streamer_id, coalesce(alert.finished_at, alert.shown_at, alert.started_at, alert.playable_at) AS at,
       alert.alert_id, alert.donation_id, alert.kind,
       CASE WHEN alert.status = 'playing' AND alert.started_at IS NULL THEN 'queued' ELSE alert.status END AS status,
       alert.shown_at IS NOT NULL AS has_shown, alert.interrupted, alert.donor_name, alert.message, alert.amount_minor,
       alert.currency, alert.donations, alert.duration_ms, alert.summary_id IS NOT NULL AS in_summary
FROM unnest(:streamer_ids::integer[], :sinces::timestamptz[]) AS asked (streamer_id, since)
CROSS JOIN LATERAL (
    (SELECT id FROM alerts WHERE streamer_id = asked.streamer_id AND status = 'playing')
    UNION ALL
    (SELECT id FROM alerts
     WHERE streamer_id = asked.streamer_id AND status = 'queued' AND summary_id IS NULL
     ORDER BY place LIMIT :waiting)
    UNION ALL
    (SELECT id FROM alerts
     WHERE streamer_id = asked.streamer_id AND finished_at >= asked.since AND playable_at IS NOT NULL
     ORDER BY finished_at DESC LIMIT :limit)
) AS found
JOIN alerts alert ON alert.id = found.id
WHERE alert.kind = ANY(:kinds::text[])
ORDER BY at, alert.id;

-- name: list_goals
-- The active goal of each streamer, and what was over since a moment.
SELECT goals.streamer_id, goals.id, goals.title, goals.status, goals.currency, goals.target_minor,
       progress.raised_minor, goals.reached_at IS NOT NULL AS is_reached, goals.ended_at
FROM unnest(:streamer_ids::integer[], :sinces::timestamptz[]) AS asked (streamer_id, since)
JOIN goals ON goals.streamer_id = asked.streamer_id AND (goals.status = 'active' OR goals.ended_at >= asked.since)
JOIN goal_progress progress ON progress.id = goals.id
ORDER BY goals.ended_at NULLS LAST, goals.id;

-- name: list_controls
-- What a streamer has done to the queue, and whether an overlay would play it.
SELECT streamers.id AS streamer_id, speakers.paused_at IS NOT NULL AS is_paused,
       speakers.muted_at IS NOT NULL AS is_muted, speakers.overlay_id IS NOT NULL AS has_overlay
FROM streamers LEFT JOIN speakers ON speakers.streamer_id = streamers.id
WHERE streamers.id = ANY(:streamer_ids::integer[]);
