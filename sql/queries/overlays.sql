-- name: renew_process!
-- This realtime process lives.
INSERT INTO realtime_processes (id) VALUES (:process_id)
ON CONFLICT (id) DO UPDATE SET renewed_at = now();

-- name: list_dead_processes
-- Processes that stopped renewing took their overlays with them. Not in the first moments of PostgreSQL itself,
-- when nobody could renew.
SELECT id, renewed_at FROM realtime_processes
WHERE renewed_at < now() - :silent_seconds::float8 * interval '1 second'
  AND pg_postmaster_start_time() < now() - :silent_seconds * interval '1 second'
FOR UPDATE SKIP LOCKED;

-- name: leave_with_process
-- The overlays of a process that is gone (since `left_at`, or now) were last present then; whose they were.
INSERT INTO speakers (streamer_id, last_present_at)
SELECT DISTINCT streamer_id, coalesce(:left_at::timestamptz, now()) FROM overlays WHERE process_id = :process_id
ON CONFLICT (streamer_id) DO UPDATE SET last_present_at = excluded.last_present_at
RETURNING streamer_id;

-- name: delete_process!
DELETE FROM realtime_processes WHERE id = :process_id;

-- name: upsert_overlay!
-- An overlay connected, perhaps again and to another process.
INSERT INTO overlays (id, streamer_id, token_id, process_id, in_obs, visible, active, streaming)
VALUES (:overlay_id, :streamer_id, :token_id, :process_id, :in_obs, :visible, :active,
        :in_obs AND coalesce(:streaming::boolean, false))
ON CONFLICT (id) DO UPDATE
SET token_id = excluded.token_id, process_id = excluded.process_id, in_obs = excluded.in_obs,
    visible = excluded.visible, active = excluded.active, muted = false,
    streaming = excluded.in_obs AND coalesce(:streaming::boolean, overlays.streaming)
WHERE overlays.streamer_id = excluded.streamer_id;

-- name: update_overlay!
UPDATE overlays SET visible = :visible, active = :active, streaming = in_obs AND coalesce(:streaming::boolean, streaming)
WHERE id = :overlay_id AND streamer_id = :streamer_id AND process_id = :process_id;

-- name: leave!
-- An overlay of this streamer leaves now. Locks the streamer's row.
INSERT INTO speakers (streamer_id, last_present_at) VALUES (:streamer_id, now())
ON CONFLICT (streamer_id) DO UPDATE SET last_present_at = excluded.last_present_at;

-- name: delete_overlay!
-- Only by the process it is connected to: it may have moved to another meanwhile.
DELETE FROM overlays WHERE id = :overlay_id AND streamer_id = :streamer_id AND process_id = :process_id;

-- name: lock_speaker^
-- The streamer's one row, made when first needed. Who holds it may choose; statements after it see all that
-- others wrote before.
INSERT INTO speakers (streamer_id) VALUES (:streamer_id)
ON CONFLICT (streamer_id) DO UPDATE SET streamer_id = excluded.streamer_id
RETURNING overlay_id;

-- name: find_best_overlay$
-- Who should speak: inside OBS before a tab (a tab only if no OBS is connected), active before merely visible,
-- then the one that speaks already, then the oldest.
SELECT overlay.id
FROM overlays overlay
WHERE overlay.streamer_id = :streamer_id AND overlay.visible
  AND (overlay.in_obs OR NOT EXISTS (SELECT FROM overlays obs WHERE obs.streamer_id = :streamer_id AND obs.in_obs))
ORDER BY overlay.active AND overlay.in_obs DESC, overlay.id = :current_id::uuid DESC NULLS LAST,
         overlay.connected_at, overlay.id
LIMIT 1;

-- name: replace_speaker!
UPDATE speakers SET overlay_id = :overlay_id::uuid WHERE streamer_id = :streamer_id;

-- name: end_absence!
-- An overlay is about to connect. If none was there, it comes back: after a short absence the queue waits a little,
-- after a long one with much waiting the streamer is asked. A streamer's very first overlay waits for nothing.
UPDATE speakers
SET resume_at = CASE WHEN speakers.last_present_at < now() - :away_seconds * interval '1 second'
                     THEN now() + streamers.overlay_return_seconds * interval '1 second'
                     ELSE speakers.resume_at END,
    asking_since = CASE WHEN missed.asks THEN now() ELSE speakers.asking_since END,
    postponed = speakers.postponed AND NOT missed.asks
FROM streamers, (
    SELECT count(*) > :asking_alerts::integer
           AND coalesce((SELECT last_present_at FROM speakers WHERE streamer_id = :streamer_id), min(playable_at))
               < now() - :asking_seconds * interval '1 second' AS asks
    FROM alerts alert WHERE streamer_id = :streamer_id AND is_askable(alert)
) missed
WHERE speakers.streamer_id = :streamer_id AND streamers.id = :streamer_id
  AND NOT EXISTS (SELECT FROM overlays WHERE streamer_id = :streamer_id);

-- name: look
-- All that a realtime process must know of its streamers, in one look: its overlays as the database has them, whose
-- token was revoked, who speaks, what plays, and whether something could play now; of the kinds this process knows.
SELECT mine.streamer_id, mine.overlay_ids, mine.revoked_ids, speaker.overlay_id AS speaker_id,
       CASE WHEN playing.kind = ANY(:kinds::text[]) THEN playing.lease_id END AS lease_id,
       coalesce(speaker.muted_at IS NOT NULL, false) AS muted,
       coalesce(playing.lease_id IS NULL AND speaker.overlay_id = ANY(mine.overlay_ids)
           AND speaker.paused_at IS NULL
           AND (speaker.resume_at IS NULL OR speaker.resume_at <= now())
           AND (question.asking_since IS NULL OR question.postponed)
           AND EXISTS (
               SELECT FROM alerts alert
               WHERE alert.streamer_id = mine.streamer_id AND alert.status = 'queued' AND alert.summary_id IS NULL
                 AND alert.kind = ANY(:kinds::text[])
                 AND (question.asking_since IS NULL OR alert.playable_at > question.asking_since)
                 AND is_paid(alert)), false) AS could_play
FROM (
    SELECT overlay.streamer_id, array_agg(overlay.id) AS overlay_ids,
           coalesce(array_agg(overlay.id) FILTER (WHERE token.revoked_at IS NOT NULL), '{}') AS revoked_ids
    FROM overlays overlay JOIN overlay_tokens token ON token.id = overlay.token_id
    WHERE overlay.process_id = :process_id
    GROUP BY overlay.streamer_id
) mine
LEFT JOIN speakers speaker ON speaker.streamer_id = mine.streamer_id
LEFT JOIN questions question ON question.streamer_id = mine.streamer_id
LEFT JOIN alerts playing ON playing.streamer_id = mine.streamer_id AND playing.status = 'playing';

-- name: get_controls^
-- What holds a streamer's queue back; resume_in_ms is null when nothing is waited for.
-- speaker_muted is what the speaking overlay says of itself.
SELECT speakers.overlay_id AS speaker_id, paused_at, pause_kept_at, muted_at, overlay.muted AS speaker_muted,
       question.asking_since, coalesce(question.postponed, false) AS postponed,
       coalesce(settings.alerts_enabled, true) AS shows_donations,
       CASE WHEN resume_at > now() THEN (extract(epoch FROM resume_at - now()) * 1000)::integer END AS resume_in_ms
FROM speakers
LEFT JOIN questions question ON question.streamer_id = speakers.streamer_id
LEFT JOIN overlays overlay ON overlay.id = speakers.overlay_id
LEFT JOIN alert_settings settings ON settings.streamer_id = speakers.streamer_id
WHERE speakers.streamer_id = :streamer_id;

-- name: list_overlays
-- The overlays connected now, oldest first.
SELECT overlay.id, overlay.in_obs, overlay.visible, overlay.active, overlay.connected_at,
       speaker.overlay_id IS NOT NULL AS speaks
FROM overlays overlay LEFT JOIN speakers speaker ON speaker.overlay_id = overlay.id
WHERE overlay.streamer_id = :streamer_id
ORDER BY overlay.connected_at, overlay.id;

-- name: set_paused$
-- No row: it was so already.
UPDATE speakers SET paused_at = CASE WHEN :paused::boolean THEN now() END, pause_kept_at = NULL
WHERE streamer_id = :streamer_id AND (paused_at IS NOT NULL) <> :paused::boolean
RETURNING streamer_id;

-- name: keep_paused!
UPDATE speakers SET pause_kept_at = now() WHERE streamer_id = :streamer_id AND paused_at IS NOT NULL;

-- name: set_muted$
-- No row: it was so already.
UPDATE speakers SET muted_at = CASE WHEN :muted::boolean THEN now() END
WHERE streamer_id = :streamer_id AND (muted_at IS NOT NULL) <> :muted::boolean
RETURNING streamer_id;

-- name: is_muted$
SELECT muted_at IS NOT NULL FROM speakers WHERE streamer_id = :streamer_id;

-- name: confirm_muted!
-- An overlay says of itself that it is silent, or not.
UPDATE overlays SET muted = :muted
WHERE id = :overlay_id AND streamer_id = :streamer_id AND process_id = :process_id;

-- name: last_present_at$
-- When the last of a streamer's overlays left; of meaning once none is connected.
SELECT last_present_at FROM speakers WHERE streamer_id = :streamer_id;

-- name: list_revoked_overlays
-- A streamer's overlays on this process whose token was revoked.
SELECT overlay.id FROM overlays overlay JOIN overlay_tokens token ON token.id = overlay.token_id
WHERE overlay.process_id = :process_id AND overlay.streamer_id = :streamer_id AND token.revoked_at IS NOT NULL;

-- name: away_since$
-- Since when a streamer's alerts wait with no overlay connected: when the last one left, or since the first of them.
-- Null while one is connected, or nothing waits.
SELECT greatest(speaker.last_present_at, min(alert.playable_at))
FROM alerts alert LEFT JOIN speakers speaker ON speaker.streamer_id = alert.streamer_id
WHERE alert.streamer_id = :streamer_id AND alert.status = 'queued'
  AND NOT EXISTS (SELECT FROM overlays WHERE overlays.streamer_id = :streamer_id)
GROUP BY speaker.last_present_at;
