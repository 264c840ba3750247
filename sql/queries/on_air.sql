-- name: get^
-- What a person chose last, and since when the own OBS streams: null when it does not. One that is not heard of any
-- more is taken to stream for a while yet, since a source that is loaded anew is away for moments.
SELECT users.on_air AS chosen, users.on_air_chosen_at AS chosen_at,
       CASE WHEN speakers.streaming_left_at IS NULL
              OR speakers.streaming_left_at > now() - :grace_seconds::integer * interval '1 second'
            THEN speakers.streaming_since END AS streaming_since
FROM users
LEFT JOIN streamers ON streamers.owner_id = users.id
LEFT JOIN speakers ON speakers.streamer_id = streamers.id
WHERE users.id = :user_id;

-- name: choose!
UPDATE users SET on_air = :on_air, on_air_chosen_at = now() WHERE id = :user_id;

-- name: note_stream!
-- An overlay said whether OBS streams. While one that said so is missing, another's "no" is not believed: there may be
-- two computers.
UPDATE speakers
SET streaming_since = CASE
        WHEN told.streams AND (streaming_since IS NULL
             OR streaming_left_at < now() - :grace_seconds::integer * interval '1 second') THEN now()
        WHEN told.streams OR streaming_left_at IS NOT NULL THEN streaming_since END,
    streaming_left_at = CASE WHEN NOT told.streams THEN streaming_left_at END
FROM (SELECT EXISTS (SELECT FROM overlays WHERE streamer_id = :streamer_id AND streaming) AS streams) AS told
WHERE speakers.streamer_id = :streamer_id AND (told.streams OR speakers.streaming_since IS NOT NULL);

-- name: note_left!
-- Overlays have left: of which of these streamers is none left that said OBS streams?
UPDATE speakers SET streaming_left_at = now()
WHERE streamer_id = ANY(:streamer_ids::integer[])
  AND streaming_since IS NOT NULL AND streaming_left_at IS NULL
  AND NOT EXISTS (SELECT FROM overlays WHERE overlays.streamer_id = speakers.streamer_id AND overlays.streaming);
