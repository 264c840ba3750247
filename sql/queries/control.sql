-- name: insert_act$
-- Who pressed what; returns the act's own id. Of two skips of one alert only the first is written.
INSERT INTO alert_actions (act_id, streamer_id, actor_kind, actor_id, actor_name, action, alert_id, lease_id, alerts)
VALUES (coalesce(:act_id::uuid, gen_random_uuid()), :streamer_id, :actor_kind, :actor_id, :actor_name, :action,
        :alert_id, :lease_id, :alerts)
ON CONFLICT (alert_id) WHERE action = 'skip' DO NOTHING
RETURNING act_id;

-- name: find_skip^
-- Who skipped this alert.
SELECT actor_kind, actor_id, actor_name FROM alert_actions
WHERE alert_id = :alert_id AND streamer_id = :streamer_id AND action = 'skip';

-- name: find_recent_skip^
-- The alert that somebody has only just skipped, and who.
SELECT alert_id, actor_kind, actor_id, actor_name FROM alert_actions
WHERE streamer_id = :streamer_id AND action = 'skip'
  AND created_at > clock_timestamp() - :guard_seconds::float8 * interval '1 second'
ORDER BY id DESC LIMIT 1;

-- name: get_subject^
-- What an alert is called in a line about it.
SELECT kind, donor_name, amount_minor, donations FROM alerts WHERE alert_id = :alert_id AND streamer_id = :streamer_id;

-- name: find_playing$
SELECT alert_id FROM alerts WHERE streamer_id = :streamer_id AND status = 'playing';

-- name: find_last_shown$
-- The donation whose alert was shown last, of those that may be shown again.
SELECT alert.donation_id
FROM alerts alert JOIN donations donation ON donation.id = alert.donation_id
WHERE alert.streamer_id = :streamer_id AND alert.kind = 'donation' AND alert.status = 'shown'
  AND donation.status IN ('paid', 'partially_refunded') AND donation.charged_back_minor = 0
ORDER BY alert.shown_at DESC, alert.place DESC LIMIT 1;

-- name: has_replay$
SELECT EXISTS (SELECT FROM alerts
               WHERE donation_id = :donation_id AND kind = 'replay' AND status IN ('queued', 'playing'));

-- name: clear_queue
-- All that waits is dropped by one act, with the parts of waiting summaries; what plays and what is held stays.
WITH waiting AS (
    SELECT id FROM alerts WHERE streamer_id = :streamer_id AND status = 'queued'
    ORDER BY summary_id IS NOT NULL, id FOR NO KEY UPDATE
)
UPDATE alerts SET status = 'dropped', finished_at = now(), cleared_by = :act_id
FROM waiting
WHERE alerts.id = waiting.id AND alerts.status = 'queued'
  AND NOT EXISTS (SELECT FROM alerts summary WHERE summary.id = alerts.summary_id AND summary.status = 'playing')
RETURNING alerts.id, alerts.summary_id;

-- name: mark_undone$
-- The act is taken back, if there is still time and nobody has done it.
UPDATE alert_actions SET undone_at = now()
WHERE act_id = :act_id AND streamer_id = :streamer_id AND action = 'clear' AND undone_at IS NULL
  AND created_at > now() - :undo_seconds::float8 * interval '1 second'
RETURNING id;

-- name: put_back
-- What an act cleared waits again, each at its place; what was refunded or deleted meanwhile stays dropped (the
-- donations are locked, so that neither passes by unseen).
WITH paid AS MATERIALIZED (
    SELECT alerts.id FROM donations donation JOIN alerts ON alerts.donation_id = donation.id
    WHERE alerts.cleared_by = :act_id AND donation.status IN ('paid', 'partially_refunded')
      AND (alerts.kind <> 'replay' OR donation.charged_back_minor = 0)
    ORDER BY donation.id
    FOR SHARE OF donation
), kept AS MATERIALIZED (
    SELECT alerts.id FROM manual_donations manual JOIN alerts ON alerts.manual_donation_id = manual.id
    WHERE alerts.cleared_by = :act_id AND manual.deleted_at IS NULL
    ORDER BY manual.id
    FOR SHARE OF manual
), cleared AS (
    SELECT id FROM alerts
    WHERE streamer_id = :streamer_id AND cleared_by = :act_id AND status = 'dropped'
      AND (donation_id IS NULL OR id IN (SELECT id FROM paid))
      AND (manual_donation_id IS NULL OR id IN (SELECT id FROM kept))
    ORDER BY summary_id IS NOT NULL, id FOR NO KEY UPDATE
)
UPDATE alerts SET status = 'queued', finished_at = NULL, cleared_by = NULL
FROM cleared WHERE alerts.id = cleared.id AND alerts.status = 'dropped'
RETURNING alerts.id, alerts.kind, alerts.summary_id;

-- name: get_last_act^
-- The newest press of the last moments, and how far it has got: `alert_place` says what would play before it.
SELECT act.act_id, act.action, act.actor_kind, act.actor_id, act.actor_name, act.alerts,
       act.undone_at IS NOT NULL AS undone,
       (extract(epoch FROM now() - act.created_at) * 1000)::integer AS age_ms,
       alert.kind, alert.donor_name, alert.amount_minor, alert.donations, alert.status,
       alert.started_at IS NOT NULL AS started,
       lease.lease_id IS NULL OR lease.stopped_at IS NOT NULL OR lease.finished_at IS NOT NULL AS off_screen,
       EXISTS (SELECT FROM alerts other
               WHERE other.streamer_id = :streamer_id AND alert.status = 'queued' AND other.summary_id IS NULL
                 AND (other.status = 'playing' OR other.status = 'queued' AND other.place < alert.place)) AS has_to_wait
FROM alert_actions act
LEFT JOIN alerts alert ON alert.alert_id = act.alert_id
LEFT JOIN alert_leases lease ON lease.lease_id = act.lease_id
WHERE act.streamer_id = :streamer_id AND act.created_at > now() - :seconds::float8 * interval '1 second'
ORDER BY act.id DESC LIMIT 1;

-- name: list_acts
-- Who did what, the newest first.
SELECT act.action, act.actor_kind, act.actor_id, act.actor_name, act.alerts, act.undone_at IS NOT NULL AS undone,
       act.created_at, alert.kind, alert.donor_name, alert.amount_minor, alert.donations
FROM alert_actions act LEFT JOIN alerts alert ON alert.alert_id = act.alert_id
WHERE act.streamer_id = :streamer_id
ORDER BY act.id DESC LIMIT :limit;
