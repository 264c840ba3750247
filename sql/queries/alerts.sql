-- name: insert_donation_alert$
-- A paid donation's alert, with its place unless it is held; dropped at once if its streamer shows no such donation. No
-- row when the donation has one already.
INSERT INTO alerts (streamer_id, donation_id, kind, status, place, playable_at, finished_at, donor_name, message,
                    amount_minor, duration_ms)
SELECT streamers.id, :donation_id, 'donation', next.status,
       CASE WHEN next.status = 'queued' THEN nextval('alert_places') END,
       CASE WHEN next.status = 'queued' THEN now() END,
       CASE WHEN next.status = 'dropped' THEN now() END,
       :donor_name, :message, :amount_minor, alert_duration_ms(streamers, settings, tier, :message)
FROM streamers JOIN donations ON donations.id = :donation_id
LEFT JOIN alert_settings settings ON settings.streamer_id = streamers.id
LEFT JOIN LATERAL choose_tier(settings.tiers, :amount_minor) AS tier ON true
CROSS JOIN LATERAL (
    SELECT CASE WHEN :held::boolean THEN 'held'
                WHEN wants_alert(settings, :amount_minor, donations.donor_name IS NULL) THEN 'queued'
                ELSE 'dropped' END AS status
) AS next
WHERE streamers.id = :streamer_id
ON CONFLICT (donation_id) WHERE kind = 'donation' DO NOTHING
RETURNING id;

-- name: insert_test_alert$
INSERT INTO alerts (streamer_id, kind, status, place, playable_at, donor_name, message, amount_minor, duration_ms)
SELECT id, 'test', 'queued', nextval('alert_places'), now(), :donor_name, :message, :amount_minor,
       alert_duration_ms(streamers, :amount_minor, :message)
FROM streamers WHERE id = :streamer_id
RETURNING alert_id;

-- name: insert_goal_alert$
-- A reached goal's celebration; no row when it has one already.
INSERT INTO alerts (streamer_id, goal_id, kind, status, place, playable_at, message, amount_minor, duration_ms)
SELECT streamers.id, goals.id, 'goal', 'queued', nextval('alert_places'), now(), goals.title, goals.target_minor,
       least(greatest(:duration_ms::integer, alert_min_seconds * 1000), alert_max_seconds * 1000)
FROM goals JOIN streamers ON streamers.id = goals.streamer_id
WHERE goals.id = :goal_id
ON CONFLICT (goal_id) WHERE goal_id IS NOT NULL DO NOTHING
RETURNING id;

-- name: get_replayed_donation^
-- Locked, so that of two presses the second sees the first's alert.
SELECT public_message FROM donations WHERE id = :donation_id AND streamer_id = :streamer_id FOR UPDATE;

-- name: insert_replay_alert$
INSERT INTO alerts (streamer_id, donation_id, kind, status, place, playable_at, donor_name, message, amount_minor,
                    duration_ms)
SELECT donations.streamer_id, donations.id, 'replay', 'queued', nextval('alert_places'), now(),
       donations.public_donor_name, donations.public_message, donations.amount_minor,
       alert_duration_ms(streamers, donations.amount_minor, donations.public_message)
FROM donations JOIN streamers ON streamers.id = donations.streamer_id
WHERE donations.id = :donation_id AND donations.streamer_id = :streamer_id
  AND donations.status IN ('paid', 'partially_refunded') AND donations.charged_back_minor = 0
  AND NOT EXISTS (SELECT FROM alerts
                  WHERE donation_id = :donation_id AND kind = 'replay' AND status IN ('queued', 'playing'))
RETURNING alert_id;

-- name: insert_manual_alert$
-- Money received elsewhere, shown like a donation. No row while an alert of it waits or plays.
INSERT INTO alerts (streamer_id, manual_donation_id, kind, status, place, playable_at, donor_name, message, amount_minor,
                    duration_ms)
SELECT id, :manual_donation_id::integer, 'manual', 'queued', nextval('alert_places'), now(), :donor_name, :message,
       :amount_minor, alert_duration_ms(streamers, :amount_minor, :message)
FROM streamers WHERE id = :streamer_id
  AND NOT EXISTS (SELECT FROM alerts
                  WHERE manual_donation_id = :manual_donation_id AND status IN ('queued', 'playing'))
RETURNING alert_id;

-- name: lock_summaries_of_manual!
-- Before the part that a deletion takes out of them.
SELECT FROM alerts
WHERE id IN (SELECT summary_id FROM alerts WHERE manual_donation_id = :manual_donation_id AND status = 'queued')
ORDER BY id FOR NO KEY UPDATE;

-- name: drop_manual_alerts
-- The alerts of what was deleted, unless they play. What plays, alone or in a summary, may finish.
UPDATE alerts SET status = 'dropped', finished_at = now()
WHERE manual_donation_id = :manual_donation_id AND status = 'queued'
  AND NOT EXISTS (SELECT FROM alerts summary WHERE summary.id = alerts.summary_id AND summary.status = 'playing')
RETURNING id, summary_id;

-- name: approve_alert^
-- A held alert draws its place now, or is dropped if its streamer shows no such donation; a refunded donation's stays
-- where it is.
UPDATE alerts
SET status = CASE WHEN next.wanted THEN 'queued' ELSE 'dropped' END,
    place = CASE WHEN next.wanted THEN nextval('alert_places') END,
    playable_at = CASE WHEN next.wanted THEN now() END,
    finished_at = CASE WHEN NOT next.wanted THEN now() END
FROM (
    SELECT id, wants_alert(streamer_id, donation_id, amount_minor) AS wanted FROM alerts
    WHERE streamer_id = :streamer_id AND alert_id = :alert_id AND status = 'held' AND is_paid(alerts)
    FOR UPDATE
) AS next
WHERE alerts.id = next.id AND alerts.status = 'held'
RETURNING alerts.id, alerts.donation_id;

-- name: drop_alert^
-- What waits is not shown at all.
UPDATE alerts SET status = 'dropped', finished_at = now()
WHERE streamer_id = :streamer_id AND alert_id = :alert_id AND status IN ('held', 'queued') AND summary_id IS NULL
RETURNING id, kind, donation_id;

-- name: skip_alert^
-- What plays (or was about to) ends now. By its own id, so that a late press never hits the next one.
UPDATE alerts SET status = 'skipped', lease_id = NULL, leased_until = NULL, finished_at = now()
WHERE streamer_id = :streamer_id AND alert_id = :alert_id AND status IN ('queued', 'playing') AND summary_id IS NULL
RETURNING id, kind, donation_id, old.lease_id;

-- name: lock_summaries_of_donation!
-- Before the parts that a refund takes out of them.
SELECT FROM alerts
WHERE id IN (SELECT summary_id FROM alerts WHERE donation_id = :donation_id AND status = 'queued')
ORDER BY id FOR NO KEY UPDATE;

-- name: list_unshown_alerts_of
-- A donation's own alerts that wait or play, by themselves.
SELECT alert_id, status FROM alerts
WHERE streamer_id = :streamer_id AND donation_id = :donation_id AND status IN ('held', 'queued', 'playing')
  AND summary_id IS NULL
ORDER BY id;

-- name: drop_refunded_alerts
-- A refunded donation's alerts that were not shown yet. What plays, alone or in a summary, may finish.
WITH waiting AS (
    SELECT id FROM alerts WHERE donation_id = :donation_id AND status IN ('held', 'queued')
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE alerts SET status = 'dropped', finished_at = now()
FROM waiting
WHERE alerts.id = waiting.id AND alerts.status IN ('held', 'queued')
  AND NOT EXISTS (SELECT FROM alerts summary WHERE summary.id = alerts.summary_id AND summary.status = 'playing')
RETURNING alerts.id, alerts.summary_id;

-- name: list_queue
-- What waits, in the order it will play, then what is held.
SELECT alert_id, donation_id, kind, status, donor_name, message, amount_minor, currency, donations, duration_ms,
       created_at, playable_at
FROM alerts
WHERE streamer_id = :streamer_id AND summary_id IS NULL AND status IN ('queued', 'held') AND kind = ANY(:kinds::text[])
ORDER BY place NULLS LAST, id LIMIT :limit;

-- name: list_of_donation
-- A donation's alert and its replays, the first first; a part of a summary plays with it.
SELECT alert.kind,
       CASE WHEN alert.status = 'queued' AND summary.status = 'playing' THEN 'playing' ELSE alert.status END AS status,
       alert.created_at,
       alert.shown_at, alert.finished_at, alert.interrupted, alert.summary_id IS NOT NULL AS in_summary
FROM alerts alert LEFT JOIN alerts summary ON summary.id = alert.summary_id
WHERE alert.donation_id = :donation_id ORDER BY alert.id;

-- name: measure_queue^
-- How many alerts wait, how many of them somebody paid for, and for how long they will play.
SELECT count(*) FILTER (WHERE status = 'queued')::integer AS waiting,
       count(*) FILTER (WHERE status = 'queued' AND kind IN ('donation', 'summary'))::integer AS paid,
       coalesce(sum(duration_ms) FILTER (WHERE status = 'queued'), 0)::bigint AS duration_ms,
       count(*) FILTER (WHERE status = 'held')::integer AS held
FROM alerts WHERE streamer_id = :streamer_id AND status IN ('queued', 'held') AND summary_id IS NULL;

-- name: measure_parts^
-- What a waiting summary has to say: its parts' number and sum, and the donors' names, in order, each once.
WITH names AS (
    SELECT donor_name, min(place) AS place FROM alerts
    WHERE summary_id = :summary_id AND status = 'queued' AND donor_name IS NOT NULL
    GROUP BY donor_name ORDER BY min(place) LIMIT :names_limit
)
SELECT count(*)::integer AS donations, coalesce(sum(amount_minor), 0)::bigint AS amount_minor,
       ARRAY(SELECT donor_name FROM names ORDER BY place) AS names
FROM alerts WHERE summary_id = :summary_id AND status = 'queued';

-- name: update_summary!
UPDATE alerts
SET amount_minor = :amount_minor, donations = :donations, message = :message,
    duration_ms = alert_duration_ms(streamers, :amount_minor, :message)
FROM streamers
WHERE alerts.id = :summary_id AND alerts.status = 'queued' AND streamers.id = alerts.streamer_id;

-- name: drop_empty_summary!
UPDATE alerts SET status = 'dropped', finished_at = now() WHERE id = :summary_id AND status = 'queued';

-- name: drop_refunded_parts!
-- Parts refunded or deleted while their summary played, once it is back in the queue.
UPDATE alerts SET status = 'dropped', finished_at = now()
WHERE summary_id = :summary_id AND status = 'queued' AND NOT is_paid(alerts);

-- name: settle_parts!
-- A summary's parts share its end.
UPDATE alerts part
SET status = summary.status, shown_at = summary.shown_at, finished_at = summary.finished_at,
    interrupted = summary.interrupted
FROM alerts summary
WHERE summary.id = :summary_id AND summary.status IN ('shown', 'skipped', 'dropped')
  AND part.summary_id = summary.id AND part.status = 'queued';
