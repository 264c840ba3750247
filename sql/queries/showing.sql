-- name: pick_alert^
-- Offer the next alert: the smallest place that may play, if one of these overlays speaks and nothing holds the
-- queue back. One statement, so that two realtime processes cannot both win (alerts_one_playing is the last guard).
-- `kinds` are those this process knows: while the programs are updated, a newer one may have queued another.
-- Its level is chosen now, and how long it stays with it: the settings may be others than when it was queued.
WITH candidate AS (
    SELECT alert.id, alert.kind, alert.amount_minor, alert.message, alert.duration_ms, speaker.overlay_id
    FROM speakers speaker LEFT JOIN questions question ON question.streamer_id = speaker.streamer_id, alerts alert
    LEFT JOIN donations donation ON donation.id = alert.donation_id
    LEFT JOIN manual_donations manual ON manual.id = alert.manual_donation_id
    WHERE speaker.streamer_id = :streamer_id AND speaker.overlay_id = ANY(:overlay_ids::uuid[])
      AND speaker.paused_at IS NULL
      AND (speaker.resume_at IS NULL OR speaker.resume_at <= now())
      AND (question.asking_since IS NULL OR question.postponed)
      AND NOT EXISTS (SELECT FROM alerts WHERE streamer_id = :streamer_id AND status = 'playing')
      AND alert.streamer_id = :streamer_id AND alert.status = 'queued' AND alert.summary_id IS NULL
      AND alert.kind = ANY(:kinds::text[])
      AND (question.asking_since IS NULL OR alert.playable_at > question.asking_since)
      AND is_paid(alert, donation, manual)
    ORDER BY alert.place LIMIT 1
    FOR UPDATE OF alert
), look AS (
    SELECT candidate.id, candidate.overlay_id, to_jsonb(settings) - 'tiers' AS settings, tier,
           CASE WHEN candidate.kind IN ('goal', 'custom') THEN candidate.duration_ms
                ELSE alert_duration_ms(streamer, settings, tier, candidate.message) END AS duration_ms
    FROM candidate JOIN streamers streamer ON streamer.id = :streamer_id
    LEFT JOIN alert_settings settings ON settings.streamer_id = streamer.id
    LEFT JOIN LATERAL choose_tier(settings.tiers, candidate.amount_minor) AS tier ON true
), picked AS (
    UPDATE alerts
    SET status = 'playing', lease_id = gen_random_uuid(), started_at = NULL, duration_ms = look.duration_ms,
        leased_until = now() + (look.duration_ms + :grace_ms::integer) * interval '1 millisecond'
    FROM look
    WHERE alerts.id = look.id AND alerts.status = 'queued'
    RETURNING alerts.alert_id, alerts.lease_id, alerts.donation_id, alerts.kind, alerts.donor_name, alerts.message,
              alerts.amount_minor, alerts.currency, alerts.donations, alerts.duration_ms, alerts.image_url,
              alerts.sound_url, look.overlay_id, look.settings, look.tier
), lease AS (
    INSERT INTO alert_leases (lease_id, alert_id, overlay_id)
    SELECT lease_id, alert_id, overlay_id FROM picked
)
SELECT * FROM picked;

-- name: get_playing^
-- What plays now; elapsed_ms counts from its start (null: offered, not started).
SELECT alert.alert_id, alert.lease_id, alert.donation_id, alert.kind, alert.donor_name, alert.message,
       alert.amount_minor, alert.currency, alert.donations, alert.duration_ms, lease.overlay_id,
       (extract(epoch FROM now() - alert.started_at) * 1000)::integer AS elapsed_ms,
       to_jsonb(settings) - 'tiers' AS settings, tier_of(settings.tiers, alert.amount_minor) AS tier,
       alert.image_url, alert.sound_url
FROM alerts alert JOIN alert_leases lease USING (lease_id)
     LEFT JOIN alert_settings settings ON settings.streamer_id = alert.streamer_id
WHERE alert.streamer_id = :streamer_id AND alert.status = 'playing' AND alert.kind = ANY(:kinds::text[]);

-- name: get_scene^
-- Who speaks, and what plays (its columns are null when nothing does).
SELECT speaker.overlay_id AS speaker_id,
       alert.alert_id, alert.lease_id, alert.donation_id, alert.kind, alert.donor_name, alert.message,
       alert.amount_minor, alert.currency, alert.donations, alert.duration_ms, lease.overlay_id,
       (extract(epoch FROM now() - alert.started_at) * 1000)::integer AS elapsed_ms,
       to_jsonb(settings) - 'tiers' AS settings, tier_of(settings.tiers, alert.amount_minor) AS tier,
       alert.image_url, alert.sound_url
FROM speakers speaker
LEFT JOIN alert_settings settings ON settings.streamer_id = speaker.streamer_id
LEFT JOIN alerts alert ON alert.streamer_id = speaker.streamer_id AND alert.status = 'playing'
                       AND alert.kind = ANY(:kinds::text[])
LEFT JOIN alert_leases lease ON lease.lease_id = alert.lease_id
WHERE speaker.streamer_id = :streamer_id;

-- name: mark_started$
-- True: the lease is the alert's own. False: it is a former one. Null: this overlay (of any, if null) of this streamer
-- has no such lease.
-- The first word of the start renews the lease: the alert's whole time lies ahead of it.
WITH lease AS (
    UPDATE alert_leases SET started_at = coalesce(alert_leases.started_at, now())
    FROM alerts alert
    WHERE alert_leases.lease_id = :lease_id AND alert_leases.alert_id = :alert_id
      AND alert_leases.overlay_id = coalesce(:overlay_id::uuid, alert_leases.overlay_id)
      AND alert.alert_id = alert_leases.alert_id AND alert.streamer_id = :streamer_id
    RETURNING alert_leases.lease_id, alert.id, alert.lease_id = alert_leases.lease_id AS is_current
), started AS (
    UPDATE alerts
    SET started_at = now(), leased_until = now() + (duration_ms + :grace_ms::integer) * interval '1 millisecond'
    FROM lease WHERE alerts.id = lease.id AND alerts.lease_id = lease.lease_id AND alerts.started_at IS NULL
)
SELECT coalesce(is_current, false) FROM lease;

-- name: mark_seen$
-- The text was readable long enough. Counts for a former lease too: an alert that went back to the queue meanwhile
-- is shown, with its parts if it is a summary, and never played again.
WITH lease AS (
    UPDATE alert_leases SET seen_at = coalesce(alert_leases.seen_at, now())
    FROM alerts alert
    WHERE alert_leases.lease_id = :lease_id AND alert_leases.alert_id = :alert_id
      AND alert_leases.overlay_id = coalesce(:overlay_id::uuid, alert_leases.overlay_id)
      AND alert.alert_id = alert_leases.alert_id AND alert.streamer_id = :streamer_id
    RETURNING alert_leases.lease_id, alert.id, alert.lease_id = alert_leases.lease_id AS is_current
), seen AS (
    UPDATE alerts
    SET shown_at = now(),
        interrupted = (status = 'queued'),
        finished_at = CASE WHEN status = 'queued' THEN now() END,
        status = CASE WHEN status = 'queued' THEN 'shown' ELSE status END
    FROM lease WHERE alerts.id = lease.id AND alerts.status IN ('queued', 'playing') AND alerts.shown_at IS NULL
    RETURNING alerts.id, alerts.status, alerts.shown_at, alerts.finished_at, alerts.interrupted, alerts.alert_id,
              alerts.streamer_id, alerts.donation_id, alerts.kind
), told AS (
    INSERT INTO outbox (kind, name, data)
    SELECT 'event', 'alert.shown', jsonb_build_object(
        'alert_id', alert_id, 'streamer_id', streamer_id, 'donation_id', donation_id, 'kind', kind)
    FROM seen
), parts AS (
    UPDATE alerts
    SET status = 'shown', shown_at = seen.shown_at, finished_at = seen.finished_at, interrupted = seen.interrupted
    FROM seen WHERE seen.status = 'shown' AND alerts.summary_id = seen.id AND alerts.status = 'queued'
)
SELECT coalesce(is_current, false) FROM lease;

-- name: mark_finished^
-- The alert left the screen by itself. Seen and no summary, it is shown now and its lease is over; else `ends` says
-- that end_leases has the rest to do. A late word of an alert that was cut off after it was seen says that it was not
-- cut off after all.
WITH lease AS (
    UPDATE alert_leases SET finished_at = coalesce(alert_leases.finished_at, now())
    FROM alerts alert
    WHERE alert_leases.lease_id = :lease_id AND alert_leases.alert_id = :alert_id
      AND alert_leases.overlay_id = coalesce(:overlay_id::uuid, alert_leases.overlay_id)
      AND alert.alert_id = alert_leases.alert_id AND alert.streamer_id = :streamer_id
    RETURNING alert_leases.lease_id, alert.id, alert.lease_id = alert_leases.lease_id AS is_current
), shown AS (
    UPDATE alerts SET status = 'shown', finished_at = now(), lease_id = NULL, leased_until = NULL
    FROM lease
    WHERE alerts.id = lease.id AND alerts.lease_id = lease.lease_id AND alerts.shown_at IS NOT NULL
      AND alerts.kind <> 'summary'
    RETURNING alerts.id, alerts.streamer_id, alerts.alert_id, alerts.donation_id, alerts.status
), whole AS (
    UPDATE alerts SET interrupted = false
    FROM lease WHERE alerts.id = lease.id AND alerts.status = 'shown' AND alerts.interrupted
)
SELECT coalesce(lease.is_current, false) AS is_current, lease.is_current AND shown.id IS NULL AS ends,
       shown.streamer_id, shown.alert_id, shown.donation_id, shown.status
FROM lease LEFT JOIN shown USING (id);

-- name: mark_stopped$
-- An overlay took an alert off the screen because it was told to. True: this overlay had such a lease.
UPDATE alert_leases SET stopped_at = coalesce(alert_leases.stopped_at, now())
FROM alerts alert
WHERE alert_leases.lease_id = :lease_id AND alert_leases.overlay_id = :overlay_id
  AND alert.alert_id = alert_leases.alert_id AND alert.streamer_id = :streamer_id
RETURNING true;

-- name: lock_donations_of_leases!
-- The donations of these leases and of what plays, before their alerts; money that goes back does so, too.
SELECT FROM donations
WHERE id IN (
    SELECT donation_id FROM alerts WHERE streamer_id = :streamer_id AND status = 'playing'
    UNION
    SELECT alert.donation_id FROM alert_leases lease JOIN alerts alert USING (alert_id)
    WHERE lease.lease_id = ANY(:lease_ids::uuid[]) AND alert.streamer_id = :streamer_id)
ORDER BY id FOR SHARE;

-- name: list_leases_of_overlay
-- What an overlay was offered and has not ended; `only_unseen` leaves what was readable already.
SELECT alert.lease_id
FROM alerts alert JOIN alert_leases lease USING (lease_id)
WHERE alert.streamer_id = :streamer_id AND alert.status = 'playing' AND lease.overlay_id = :overlay_id
  AND (alert.shown_at IS NULL OR NOT :only_unseen::boolean);

-- name: list_news
-- Of leases an overlay speaks of, those it may tell us something new about.
SELECT lease.lease_id
FROM alert_leases lease JOIN alerts alert USING (alert_id)
WHERE lease.lease_id = ANY(:lease_ids::uuid[]) AND alert.streamer_id = :streamer_id
  AND (lease.seen_at IS NULL OR lease.finished_at IS NULL OR alert.lease_id = lease.lease_id);

-- name: list_abandoned_leases
-- Of these leases, those seen and still held, whose overlay is gone or is this very one.
SELECT alert.lease_id
FROM alerts alert JOIN alert_leases lease USING (lease_id)
WHERE alert.lease_id = ANY(:lease_ids::uuid[]) AND alert.streamer_id = :streamer_id AND alert.status = 'playing'
  AND alert.shown_at IS NOT NULL
  AND (lease.overlay_id = :overlay_id OR NOT EXISTS (SELECT FROM overlays WHERE overlays.id = lease.overlay_id));

-- name: list_expired_leases
-- Leases whose overlay fell silent, of any streamer.
SELECT lease_id FROM alerts WHERE status = 'playing' AND leased_until < now();

-- name: end_leases
-- The alerts of these leases stop playing: shown if their text was readable, else back to the queue with the same
-- place, unless the donation was refunded meanwhile, or money written down by hand deleted (its row is locked, so that
-- neither passes by unseen).
-- `complete`: they ended by themselves, nothing cut them off.
WITH paid AS MATERIALIZED (
    SELECT alerts.id FROM donations donation JOIN alerts ON alerts.donation_id = donation.id
    WHERE alerts.lease_id = ANY(:lease_ids::uuid[]) AND alerts.shown_at IS NULL
      AND donation.status IN ('paid', 'partially_refunded')
      AND (alerts.kind <> 'replay' OR donation.charged_back_minor = 0)
    ORDER BY donation.id
    FOR SHARE OF donation
), kept AS MATERIALIZED (
    SELECT alerts.id FROM manual_donations manual JOIN alerts ON alerts.manual_donation_id = manual.id
    WHERE alerts.lease_id = ANY(:lease_ids::uuid[]) AND alerts.shown_at IS NULL AND manual.deleted_at IS NULL
    ORDER BY manual.id
    FOR SHARE OF manual
), ending AS (
    SELECT id, CASE WHEN shown_at IS NOT NULL THEN 'shown'
                    WHEN (donation_id IS NULL OR id IN (SELECT id FROM paid))
                     AND (manual_donation_id IS NULL OR id IN (SELECT id FROM kept)) THEN 'queued'
                    ELSE 'dropped' END AS status
    FROM alerts WHERE lease_id = ANY(:lease_ids::uuid[]) AND status = 'playing'
    ORDER BY id
    FOR NO KEY UPDATE
)
UPDATE alerts
SET status = ending.status,
    interrupted = ending.status = 'shown' AND NOT :complete::boolean,
    finished_at = CASE WHEN ending.status <> 'queued' THEN now() END,
    started_at = CASE WHEN ending.status <> 'queued' THEN started_at END,
    lease_id = NULL, leased_until = NULL
FROM ending
WHERE alerts.id = ending.id AND alerts.lease_id = ANY(:lease_ids::uuid[]) AND alerts.status = 'playing'
RETURNING alerts.id, alerts.streamer_id, alerts.alert_id, alerts.donation_id, alerts.kind, alerts.status;

-- name: resume_lease^
-- An overlay still plays what it was offered: true now, or again if the alert had gone back to the queue.
UPDATE alerts
SET status = 'playing', lease_id = lease.lease_id, started_at = coalesce(alerts.started_at, lease.started_at, now()),
    leased_until = CASE WHEN alerts.status = 'playing' THEN alerts.leased_until
                        ELSE now() + (duration_ms + :grace_ms::integer) * interval '1 millisecond' END
FROM alert_leases lease
WHERE lease.lease_id = :lease_id AND lease.alert_id = alerts.alert_id AND lease.overlay_id = :overlay_id
  AND alerts.alert_id = :alert_id AND alerts.streamer_id = :streamer_id
  AND (alerts.lease_id = lease.lease_id
       OR (alerts.status = 'queued' AND is_paid(alerts)
           AND NOT EXISTS (SELECT FROM alerts other WHERE other.streamer_id = :streamer_id AND other.status = 'playing')))
RETURNING alerts.alert_id;
