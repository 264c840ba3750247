-- name: try_lock$
-- One sweep at a time; let go at the end of the transaction.
SELECT pg_try_advisory_xact_lock(:lock);

-- name: list_waiting_streamers
-- Streamers with an alert waiting for ten seconds and more while an overlay is connected.
SELECT DISTINCT alerts.streamer_id FROM alerts
WHERE alerts.status = 'queued' AND alerts.playable_at < now() - interval '10 seconds'
  AND EXISTS (SELECT FROM overlays WHERE overlays.streamer_id = alerts.streamer_id);
