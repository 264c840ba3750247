-- name: insert_custom^
-- An alert of the streamer's own program, behind all that waits; shown within her limits of time.
INSERT INTO alerts (streamer_id, kind, status, place, playable_at, donor_name, message, amount_minor, external_id,
                    image_url, sound_url, duration_ms)
SELECT id, 'custom', 'queued', nextval('alert_places'), now(), :title, :message, :amount_minor, :external_id, :image_url,
       :sound_url,
       CASE WHEN :duration_ms::integer IS NULL THEN alert_duration_ms(streamers, :amount_minor, :message)
            ELSE least(greatest(:duration_ms::integer, alert_min_seconds * 1000), alert_max_seconds * 1000) END
FROM streamers WHERE id = :streamer_id
RETURNING alert_id, status, donor_name AS title, message, amount_minor, duration_ms, image_url, sound_url, external_id,
          created_at, shown_at, finished_at;

-- name: find_custom^
-- By its id, or by the name its program gave it.
SELECT alert_id, status, donor_name AS title, message, amount_minor, duration_ms, image_url, sound_url, external_id,
       created_at, shown_at, finished_at
FROM alerts
WHERE streamer_id = :streamer_id AND kind = 'custom'
  AND (alert_id = :alert_id::uuid OR external_id = :external_id::text);

-- name: count_waiting$
SELECT count(*)::integer FROM alerts WHERE streamer_id = :streamer_id AND status = 'queued' AND kind = 'custom';
