-- name: renew_relay!
-- This relay lives, and this is what it knows.
INSERT INTO relays (id, listening, dead_letters) VALUES (:relay_id, :listening, :dead_letters)
ON CONFLICT (id) DO UPDATE
SET listening = excluded.listening, dead_letters = excluded.dead_letters, renewed_at = now();

-- name: delete_relay!
DELETE FROM relays WHERE id = :relay_id;

-- name: delete_dead_relays!
DELETE FROM relays WHERE renewed_at < now() - interval '1 hour';

-- name: read_relays^
-- The relays that renewed themselves lately; whether all of them are woken, and the dead letters they see (the most
-- of them: each counts once a minute); null when nobody knows.
SELECT count(*) AS running, bool_and(listening) AS listening, max(dead_letters) AS dead_letters
FROM relays WHERE renewed_at > now() - :silent_seconds::float8 * interval '1 second';
